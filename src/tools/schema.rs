//! Makes generated JSON schemas small and plain enough for every client.
//!
//! Clients reject `$ref`, `anyOf`, type arrays and unknown formats in one combination or another, so an input schema has
//! only: type, description, enum, bounds, items, properties, required, additionalProperties.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of `A`, tidied; `examples` are kept for error messages and not shown to clients ([`advertised`]).
pub(crate) fn of<A: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<A>();
    match tidy(schema.to_value()) {
        Value::Object(mut map) => {
            // The tool has a description of its own.
            map.remove("description");
            map
        }
        _ => Map::new(),
    }
}

/// Marks a list whose items another tool of the list shows in full: here their keys are in the description only. Arguments
/// are checked by the whole schema all the same.
const BRIEF: &str = "x-brief";

/// Arguments of many tools, which the server's instructions or their own name explain: described once in the reference, and not
/// in every tool of the list.
const COMMON: [&str; 4] = ["message", "dry_run", "limit", "cursor"];

/// The schema as clients see it. That unknown keys are refused is not said: the refusal names the nearest one.
pub(crate) fn advertised(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut shown = inner(schema);
    for name in COMMON {
        if let Some(Value::Object(property)) = shown.get_mut("properties").and_then(|all| all.get_mut(name)) {
            property.remove("description");
        }
    }
    shown
}

/// A schema without what only error messages use.
fn inner(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut shown = Map::new();
    let is_brief = schema.contains_key(BRIEF);
    for (key, value) in schema {
        match (key.as_str(), value) {
            (BRIEF, _) => {}
            ("items", Value::Object(items)) if is_brief => {
                shown.insert(key.clone(), json!({"type": items.get("type")}));
            }
            // Bounds cost bytes in every session; the error says them when it matters.
            (
                "additionalProperties" | "examples" | "minLength" | "minItems" | "maxItems" | "minimum" | "maximum",
                _,
            ) => {}
            ("items", Value::Object(items)) => {
                shown.insert(key.clone(), Value::Object(inner(items)));
            }
            ("properties", Value::Object(properties)) => {
                let properties = properties.iter().map(|(name, property)| {
                    let property = match property {
                        Value::Object(property) => Value::Object(inner(property)),
                        other => other.clone(),
                    };
                    (name.clone(), property)
                });
                shown.insert(key.clone(), Value::Object(properties.collect()));
            }
            _ => {
                shown.insert(key.clone(), value.clone());
            }
        }
    }
    shown
}

/// Keys that are kept, in the order they are written.
const KEPT: [&str; 15] = [
    "type",
    "description",
    "enum",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "items",
    "properties",
    "required",
    "examples",
    BRIEF,
];

fn tidy(schema: Value) -> Value {
    let Value::Object(mut map) = schema else {
        // A bare `true` says nothing a client could use, and some refuse it.
        return Value::Object(Map::new());
    };
    collapse(&mut map);
    let mut kept = Map::new();
    for key in KEPT {
        let Some(value) = map.remove(key) else { continue };
        let value = match (key, value) {
            // What is left out is off or empty anyway.
            ("default", value) if value == Value::Null || value == false || value == json!([]) => continue,
            ("type", Value::Array(types)) => match types.into_iter().find(|name| name != "null") {
                Some(name) => name,
                None => continue,
            },
            ("enum", Value::Array(values)) => values.into_iter().filter(|value| !value.is_null()).collect(),
            ("description", Value::String(text)) => text.split_whitespace().collect::<Vec<_>>().join(" ").into(),
            ("items", items) => tidy(items),
            ("properties", Value::Object(properties)) => {
                properties.into_iter().map(|(name, property)| (name, tidy(property))).collect()
            }
            ("minimum", bound) if bound.as_f64() == Some(0.0) => 0.into(),
            (_, value) => value,
        };
        kept.insert(key.to_owned(), value);
    }
    // Closed objects only: an open one is a map of the caller's own keys.
    if kept.contains_key("properties") {
        kept.insert("additionalProperties".into(), false.into());
    }
    Value::Object(kept)
}

/// Replaces `anyOf [X, null]` by X, and `oneOf` of constants by an `enum`.
fn collapse(map: &mut Map<String, Value>) {
    for key in ["anyOf", "oneOf", "allOf"] {
        let Some(Value::Array(branches)) = map.remove(key) else { continue };
        if let Some(constants) = constants(&branches) {
            map.insert("type".into(), "string".into());
            map.insert("enum".into(), Value::Array(constants));
            continue;
        }
        let branch = branches.into_iter().find(|branch| branch.get("type").is_none_or(|name| name != "null"));
        if let Some(Value::Object(mut branch)) = branch {
            collapse(&mut branch);
            for (name, value) in branch {
                // The property's own description is nearer to its use than its type's.
                map.entry(name).or_insert(value);
            }
        }
    }
}

/// The values of branches that are all constants: documented variants of an enum stand alone, the others together.
fn constants(branches: &[Value]) -> Option<Vec<Value>> {
    let mut all = Vec::new();
    for branch in branches {
        match (branch.get("const"), branch.get("enum")) {
            (Some(value), _) => all.push(value.clone()),
            (None, Some(Value::Array(values))) => all.extend(values.iter().cloned()),
            _ => return None,
        }
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code, reason = "only its schema is used")]
    enum Shape {
        /// With corners.
        Square,
        Round,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its schema is used")]
    struct Inner {
        /// Where it is,
        /// on two lines.
        #[schemars(example = "a.md")]
        path: String,
        #[schemars(range(min = 1, max = 5))]
        count: Option<u32>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its schema is used")]
    struct Outer {
        inner: Option<Inner>,
        many: Vec<Inner>,
        shape: Option<Shape>,
        free: Option<Map<String, Value>>,
        #[serde(default)]
        yes: bool,
        ratio: Option<f64>,
        /// path and count, as above.
        #[schemars(extend("x-brief" = true))]
        more: Vec<Inner>,
    }

    #[test]
    fn generated_schemas_come_out_plain() {
        let inner = json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "Where it is, on two lines."},
                "count": {"type": "integer"},
            },
            "required": ["path"],
        });
        let shown = Value::Object(advertised(&of::<Outer>()));
        assert_eq!(
            shown,
            json!({
                "type": "object",
                "properties": {
                    "inner": inner,
                    "many": {"type": "array", "items": inner},
                    "shape": {"type": "string", "enum": ["round", "square"]},
                    "free": {"type": "object"},
                    "yes": {"type": "boolean"},
                    "ratio": {"type": "number"},
                    "more": {"type": "array", "description": "path and count, as above.", "items": {"type": "object"}},
                },
                "required": ["many", "more"],
            })
        );
        assert_eq!(of::<Outer>()["additionalProperties"], false);
        assert!(of::<Outer>()["properties"]["more"]["items"]["properties"]["path"].is_object(), "checked in full");
        assert_eq!(of::<Outer>()["properties"]["many"]["items"]["properties"]["path"]["examples"], json!(["a.md"]));
    }
}
