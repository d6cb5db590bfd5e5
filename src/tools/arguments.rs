//! Takes arguments as clients really send them, and says exactly what is wrong with the rest.
//!
//! Models and clients send numbers and lists as text, `null` for "not given", and one item where a list is expected.
//! These are read as what was meant. Everything else is refused with the argument, what was expected, what came and an
//! example, so that the second call is right. The tool's own schema decides; it is not recursive, so neither is this.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value, json};

use super::nearest::nearest;
use super::refusal::{Refusal, UNKNOWN_ARGUMENT};
use crate::error::Error;

/// Largest accepted arguments of one call, in bytes of JSON.
pub const MAX_ARGUMENT_BYTES: usize = 8 * 1024 * 1024;

/// Reads `arguments` by `schema`: the result deserialises into the type the schema was made from.
///
/// # Errors
/// `too_large`, `invalid_arguments`.
pub(crate) fn fit(schema: &Map<String, Value>, arguments: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let size = size(&arguments);
    if size > MAX_ARGUMENT_BYTES {
        let what = "the arguments of this call".to_owned();
        return Err(Error::TooLarge { what, size, limit: MAX_ARGUMENT_BYTES }.into());
    }
    fit_object(schema, arguments, "")
}

/// The same text for the same arguments, whatever their size. Two 64-bit halves with different keys: the caller would have
/// to want a collision with its own earlier call.
pub(crate) fn digest(arguments: &Map<String, Value>) -> String {
    let text = Value::Object(arguments.clone()).to_string();
    let half = |salt: &str| {
        let mut hasher = DefaultHasher::new();
        (salt, &text).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016x}{:016x}", half("a"), half("b"))
}

/// Bytes of JSON, counted without writing it.
fn size(arguments: &Map<String, Value>) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    if serde_json::to_writer(&mut count, arguments).is_err() {
        return usize::MAX;
    }
    count.0
}

fn fit_object(
    schema: &Map<String, Value>,
    mut object: Map<String, Value>,
    at: &str,
) -> Result<Map<String, Value>, Refusal> {
    // Without `properties` it is a map of the caller's own keys, where `null` has a meaning.
    let Some(Value::Object(properties)) = schema.get("properties") else { return Ok(object) };
    if let Some(unknown) = object.keys().find(|key| !properties.contains_key(*key)) {
        return Err(unknown_argument(properties, unknown, at));
    }
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fitted = Map::new();
    for (name, property) in properties {
        let Value::Object(property) = property else { continue };
        let field = join(at, name);
        match object.remove(name) {
            None | Some(Value::Null) if required.contains(&name.as_str()) => {
                return Err(misfit(&field, property, "nothing"));
            }
            None | Some(Value::Null) => {}
            Some(value) => {
                fitted.insert(name.clone(), fit_value(property, value, &field)?);
            }
        }
    }
    Ok(fitted)
}

fn fit_value(schema: &Map<String, Value>, value: Value, at: &str) -> Result<Value, Refusal> {
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => {
            let object = match value {
                Value::Object(object) => object,
                Value::String(text) => from_text(schema, text, at)?,
                other => return Err(misfit(at, schema, &seen(&other))),
            };
            fit_object(schema, object, at).map(Value::Object)
        }
        Some("array") => fit_array(schema, value, at),
        Some("string") => fit_string(schema, value, at),
        Some("integer") => fit_integer(schema, value, at),
        Some("number") => match &value {
            Value::Number(_) => Ok(value),
            Value::String(text) => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(json!(number)),
                _ => Err(misfit(at, schema, &seen(&value))),
            },
            _ => Err(misfit(at, schema, &seen(&value))),
        },
        Some("boolean") => match &value {
            Value::Bool(_) => Ok(value),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Ok(true.into()),
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Ok(false.into()),
            _ => Err(misfit(at, schema, &seen(&value))),
        },
        _ => Ok(value),
    }
}

/// An object sent as text: JSON, or (where one property is all it needs) that property.
fn from_text(schema: &Map<String, Value>, text: String, at: &str) -> Result<Map<String, Value>, Refusal> {
    if text.trim_start().starts_with('{') {
        if let Ok(Value::Object(object)) = serde_json::from_str(&text) {
            return Ok(object);
        }
        return Err(misfit(at, schema, &seen(&text.into())));
    }
    match schema.get("required").and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::String(only)]) if is_string(schema, only) => {
            Ok(Map::from_iter([(only.clone(), Value::String(text))]))
        }
        _ => Err(misfit(at, schema, &seen(&text.into()))),
    }
}

fn is_string(schema: &Map<String, Value>, property: &str) -> bool {
    schema.get("properties").and_then(|all| all.get(property)).and_then(|one| one.get("type"))
        == Some(&Value::from("string"))
}

fn fit_array(schema: &Map<String, Value>, value: Value, at: &str) -> Result<Value, Refusal> {
    let items = match value {
        Value::Array(items) => items,
        Value::String(text) => match text.trim_start().starts_with('[').then(|| serde_json::from_str(&text)) {
            Some(Ok(Value::Array(items))) => items,
            // Not JSON after all: a name may begin with a bracket.
            _ => vec![Value::String(text)],
        },
        single => vec![single],
    };
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    let most = schema.get("maxItems").and_then(Value::as_u64).unwrap_or(u64::MAX);
    if (items.len() as u64) < least || items.len() as u64 > most {
        return Err(misfit(at, schema, &format!("a list of {}", items.len())));
    }
    let Some(Value::Object(item)) = schema.get("items") else { return Ok(items.into()) };
    let fitted: Result<Vec<Value>, Refusal> =
        items.into_iter().enumerate().map(|(i, value)| fit_value(item, value, &format!("{at}[{i}]"))).collect();
    fitted.map(Value::Array)
}

fn fit_string(schema: &Map<String, Value>, value: Value, at: &str) -> Result<Value, Refusal> {
    let Value::String(text) = &value else { return Err(misfit(at, schema, &seen(&value))) };
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        let wanted = text.trim();
        return choices
            .iter()
            .find(|choice| choice.as_str().is_some_and(|choice| choice.eq_ignore_ascii_case(wanted)))
            .cloned()
            .ok_or_else(|| misfit(at, schema, &seen(&value)));
    }
    let length = text.chars().count() as u64;
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    let most = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX);
    if length < least || length > most {
        return Err(misfit(at, schema, &format!("{} of {length} characters", seen(&value))));
    }
    Ok(value)
}

fn fit_integer(schema: &Map<String, Value>, value: Value, at: &str) -> Result<Value, Refusal> {
    let number = match &value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Value::String(text) => {
            let text = text.trim();
            text.parse::<i64>().ok().or_else(|| text.parse::<f64>().ok().and_then(whole))
        }
        _ => None,
    };
    let least = schema.get("minimum").and_then(Value::as_i64).unwrap_or(i64::MIN);
    let most = schema.get("maximum").and_then(Value::as_i64).unwrap_or(i64::MAX);
    match number {
        Some(number) if (least..=most).contains(&number) => Ok(number.into()),
        _ => Err(misfit(at, schema, &seen(&value))),
    }
}

/// `2.0` is meant as 2; past 2^53 a float is no longer exact.
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

fn unknown_argument(properties: &Map<String, Value>, unknown: &str, at: &str) -> Refusal {
    let field = join(at, &shorten(unknown));
    let names: Vec<&str> = properties.keys().map(String::as_str).collect();
    // Arguments of one item, put beside the list they belong into, are the most common slip.
    let home = properties.iter().find(|(_, property)| {
        let inner = property.get("items").unwrap_or(property);
        inner.get("properties").is_some_and(|inner| inner.get(unknown).is_some())
    });
    let (hint, expected, example) = if let Some((list, property)) = home {
        let example = format!("\"{list}\": {}", example_of(property));
        (format!("Put `{unknown}` inside `{list}`: {example}"), format!("`{list}[].{unknown}`"), example)
    } else if let Some(near) = nearest(unknown, names.iter().copied()) {
        let example = properties.get(near).map(|property| format!("\"{near}\": {}", example_of(property)));
        (format!("Use `{near}` instead."), format!("`{near}`"), example.unwrap_or_default())
    } else {
        let all = names.join(", ");
        let hint = match all.as_str() {
            "" => "Leave it out; there are no arguments.".to_owned(),
            all => format!("Leave it out; valid here: {all}."),
        };
        (hint, format!("one of {all}"), String::new())
    };
    refusal(&field, "is not an argument", &expected, UNKNOWN_ARGUMENT, &example, hint)
}

fn misfit(field: &str, schema: &Map<String, Value>, got: &str) -> Refusal {
    let expected = expected(schema);
    let leaf = field.rsplit('.').next().unwrap_or(field);
    let example = match leaf.split_once('[') {
        // An item of a list stands alone.
        Some(_) => example_of(&Value::Object(schema.clone())).to_string(),
        None => format!("\"{leaf}\": {}", example_of(&Value::Object(schema.clone()))),
    };
    let hint = match closest_choice(schema, got) {
        Some(near) => format!("Did you mean \"{near}\"?"),
        None => format!("Write it like this: {example}"),
    };
    refusal(field, &format!("expected {expected}, got {got}"), &expected, got, &example, hint)
}

fn closest_choice<'a>(schema: &'a Map<String, Value>, got: &str) -> Option<&'a str> {
    let text = got.strip_prefix("the text \"")?.strip_suffix('"')?;
    nearest(text, schema.get("enum")?.as_array()?.iter().filter_map(Value::as_str))
}

fn refusal(field: &str, problem: &str, expected: &str, got: &str, example: &str, hint: String) -> Refusal {
    let error =
        Error::InvalidArguments { field: field.to_owned(), problem: problem.to_owned(), example: example.to_owned() };
    let mut details = Map::new();
    for (key, value) in [("field", field), ("expected", expected), ("got", got), ("example", example)] {
        if !value.is_empty() {
            details.insert(key.into(), value.into());
        }
    }
    Refusal { code: error.code(), message: error.to_string(), hint, details: Box::new(details) }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// What a schema asks for, in words.
fn expected(schema: &Map<String, Value>) -> String {
    let bound = |key: &str| schema.get(key).and_then(Value::as_i64);
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => match schema.get("required").and_then(Value::as_array) {
            Some(names) if !names.is_empty() => {
                let names: Vec<String> = names.iter().filter_map(Value::as_str).map(|n| format!("`{n}`")).collect();
                format!("an object with {}", names.join(" and "))
            }
            _ => "an object".into(),
        },
        Some("array") => match schema.get("items") {
            Some(Value::Object(item)) => {
                let least = bound("minItems").map_or(String::new(), |least| format!(" (at least {least})"));
                format!("a list, each item {}{least}", expected(item))
            }
            _ => "a list".into(),
        },
        Some("string") => match schema.get("enum").and_then(Value::as_array) {
            Some(choices) => {
                format!("one of {}", choices.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
            }
            None if bound("minLength").is_some() => "text that is not empty".into(),
            None => "text".into(),
        },
        Some("integer") => match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
            (Some(least), None) => format!("a whole number from {least} up"),
            _ => "a whole number".into(),
        },
        Some("number") => "a number".into(),
        Some("boolean") => "true or false".into(),
        _ => "a value".into(),
    }
}

/// A valid value: the schema's own example, or one made from its shape.
fn example_of(schema: &Value) -> Value {
    if let Some(example) = schema.get("examples").and_then(|all| all.get(0)) {
        return example.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => {
            let properties = schema.get("properties");
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            required
                .filter_map(Value::as_str)
                .filter_map(|name| Some((name.to_owned(), example_of(properties?.get(name)?))))
                .collect::<Map<_, _>>()
                .into()
        }
        Some("array") => Value::Array(schema.get("items").map(example_of).into_iter().collect()),
        Some("string") => schema.get("enum").and_then(|all| all.get(0)).cloned().unwrap_or_else(|| "text".into()),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| 1.into()),
        Some("boolean") => true.into(),
        _ => Value::Null,
    }
}

/// What came, in words a model understands.
fn seen(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => format!("{value}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) => format!("the text \"{}\"", shorten(text)),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".into(),
    }
}

/// Text for a message: one line, at most 60 characters.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() && text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests;
