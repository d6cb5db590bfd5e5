//! `key+` and `key-` in a patch: single items of a list, so that nobody has to send the whole of it.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The same patch with whole lists, as a merge patch wants them.
///
/// Items to take away are named by a value, or by some of their fields; what is added in the same patch takes the place of
/// the first of them. What is in the list already is not added again.
///
/// # Errors
/// `InvalidArguments` where the key holds no list, or no item is as described.
pub(super) fn resolve(values: &Map<String, Value>, patch: &Map<String, Value>) -> Result<Map<String, Value>> {
    below(values, patch, "patch")
}

fn below(values: &Map<String, Value>, patch: &Map<String, Value>, at: &str) -> Result<Map<String, Value>> {
    let mut resolved = Map::new();
    for (key, change) in patch {
        let place = format!("{at}.{key}");
        if let Some(stem) = stem(values, key, change) {
            if patch.contains_key(stem) {
                return Err(refused(&place, &format!("`{stem}` is given as a whole too"), stem));
            }
            if !resolved.contains_key(stem) {
                resolved.insert(stem.to_owned(), list(values, patch, stem, at)?.into());
            }
            continue;
        }
        let change = match change {
            Value::Object(inner) => {
                let nothing = Map::new();
                let values = values.get(key).and_then(Value::as_object).unwrap_or(&nothing);
                Value::Object(below(values, inner, &place)?)
            }
            other => other.clone(),
        };
        resolved.insert(key.clone(), change);
    }
    Ok(resolved)
}

/// The list's key, where this is a change of a list: a key of just this spelling is a key like any other.
fn stem<'k>(values: &Map<String, Value>, key: &'k str, change: &Value) -> Option<&'k str> {
    let stem = key.strip_suffix(['+', '-']).filter(|stem| !stem.is_empty())?;
    let is_items =
        matches!(change, Value::Array(_) | Value::Object(_)) || values.get(stem).is_some_and(Value::is_array);
    (is_items && !values.contains_key(key)).then_some(stem)
}

fn list(values: &Map<String, Value>, patch: &Map<String, Value>, stem: &str, at: &str) -> Result<Vec<Value>> {
    let old = match values.get(stem) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(_) => {
            let problem = format!("`{stem}` holds no list: give its keys, `\"{stem}\": {{...}}`");
            return Err(refused(&format!("{at}.{stem}+"), &problem, stem));
        }
    };
    let asked = |sign: &str| -> Vec<Value> {
        match patch.get(&format!("{stem}{sign}")) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
        }
    };
    let removed = asked("-");
    for wanted in &removed {
        if !old.iter().any(|item| is_like(item, wanted)) {
            let names: Vec<String> = old.iter().take(10).map(shown).collect();
            let problem = format!("no item is like {}; there are: {}", shown(wanted), names.join(", "));
            return Err(refused(&format!("{at}.{stem}-"), &problem, stem));
        }
    }
    let gone = |item: &Value| removed.iter().any(|wanted| is_like(item, wanted));
    let first = old.iter().position(gone);
    let mut kept: Vec<Value> = old.iter().filter(|item| !gone(item)).cloned().collect();
    let mut added: Vec<Value> = Vec::new();
    for item in asked("+") {
        if !kept.contains(&item) && !added.contains(&item) {
            added.push(item);
        }
    }
    let place = first.unwrap_or(kept.len()).min(kept.len());
    kept.splice(place..place, added);
    Ok(kept)
}

/// Whether an item is what a caller describes: the same value, an item of that name or address, or one with these fields.
fn is_like(item: &Value, wanted: &Value) -> bool {
    match (item, wanted) {
        (Value::Object(item), Value::Object(wanted)) => {
            !wanted.is_empty() && wanted.iter().all(|(key, value)| item.get(key) == Some(value))
        }
        (Value::Object(item), Value::String(_)) => {
            ["name", "url", "from"].iter().any(|key| item.get(*key) == Some(wanted))
        }
        _ => item == wanted,
    }
}

fn shown(item: &Value) -> String {
    let name = item.get("name").or_else(|| item.get("from")).unwrap_or(item);
    name.to_string().chars().take(80).collect()
}

fn refused(field: &str, problem: &str, stem: &str) -> Error {
    let stem: String = stem.chars().take(60).collect();
    Error::InvalidArguments {
        field: field.chars().take(200).collect(),
        problem: problem.into(),
        example: format!("\"{stem}+\": [{{\"name\": \"Blog\", \"url\": \"/blog/\"}}], \"{stem}-\": [\"About\"]"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(values: Value, patch: Value) -> Value {
        let (Value::Object(values), Value::Object(patch)) = (values, patch) else { panic!("objects") };
        resolve(&values, &patch).map_or_else(|error| json!(error.to_string()), Value::Object)
    }

    #[test]
    fn items_come_and_go_and_the_rest_stays() {
        let site = json!({"menus": {"main": [{"name": "A", "url": "/a/"}, {"name": "B", "url": "/b/"}]}});
        let main = |patch: Value| resolved(site.clone(), json!({"menus": patch}))["menus"]["main"].clone();
        let names = |list: &Value| -> Vec<String> {
            list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&main(json!({"main+": [{"name": "C"}]}))), ["A", "B", "C"]);
        assert_eq!(names(&main(json!({"main+": {"name": "C"}}))), ["A", "B", "C"]);
        assert_eq!(names(&main(json!({"main-": ["A"]}))), ["B"]);
        assert_eq!(names(&main(json!({"main-": {"url": "/b/"}}))), ["A"]);
        assert_eq!(names(&main(json!({"main-": "/a/", "main+": [{"name": "Z"}]}))), ["Z", "B"]);
        assert_eq!(names(&main(json!({"main+": [{"name": "A", "url": "/a/"}]}))), ["A", "B"], "it is there already");
    }

    #[test]
    fn a_new_list_begins_and_other_keys_are_themselves() {
        assert_eq!(
            resolved(json!({}), json!({"menus": {"foot+": [{"name": "X"}]}})),
            json!({"menus": {"foot": [{"name": "X"}]}})
        );
        assert_eq!(resolved(json!({}), json!({"redirects": {"/c++": "/x/"}})), json!({"redirects": {"/c++": "/x/"}}));
        assert_eq!(resolved(json!({"c+": 1}), json!({"c+": [2]})), json!({"c+": [2]}));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let values = json!({"taxonomies": {"tags": {}}, "list": [1, 2]});
        assert!(resolved(values.clone(), json!({"taxonomies+": ["x"]})).to_string().contains("holds no list"));
        assert!(resolved(values.clone(), json!({"list-": [3]})).to_string().contains("no item is like 3"));
        assert!(resolved(values, json!({"list+": [3], "list": []})).to_string().contains("as a whole too"));
    }
}
