//! Reads a line of a journal, whoever wrote it: what is missing or of another type is left out, the rest counts.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::record::{Outcome, Record, Write};

/// The record of a line; `None` where it is no record: a call has at least a tool and a time.
pub(super) fn record(line: &str) -> Option<Record> {
    let Ok(Value::Object(map)) = serde_json::from_str(line) else { return None };
    let ts = time(map.get("ts")?)?;
    let tool = text(&map, "tool");
    if tool.is_empty() {
        return None;
    }
    let mut error_code = Some(text(&map, "error_code")).filter(|code| !code.is_empty());
    let outcome = outcome(&text(&map, "outcome"), &mut error_code);
    Some(Record {
        v: number(&map, "v") as u32,
        ts,
        call: text(&map, "call"),
        session: text(&map, "session"),
        session_source: text(&map, "session_source"),
        seq: number(&map, "seq") as u64,
        server: text(&map, "server"),
        client: text(&map, "client"),
        tool,
        arg_shape: shape(map.get("arg_shape")),
        arg_digest: text(&map, "arg_digest"),
        in_bytes: number(&map, "in_bytes") as u64,
        out_bytes: number(&map, "out_bytes") as u64,
        out_digest: text(&map, "out_digest"),
        ms: number(&map, "ms"),
        outcome,
        error_code,
        declared: map.get("declared").filter(|value| !value.is_null()).map(|value| texts(Some(value))),
        targets: texts(map.get("targets")),
        reads: list(map.get("reads")).iter().filter_map(read).collect(),
        writes: list(map.get("writes")).iter().filter_map(write).collect(),
        dry_run: map.get("dry_run").and_then(Value::as_bool).unwrap_or_default(),
        rendered: map.get("rendered").and_then(Value::as_bool).unwrap_or_default(),
        codes: texts(map.get("codes")),
        unknown: Some(text(&map, "unknown")).filter(|name| !name.is_empty()),
        commit: Some(text(&map, "commit")).filter(|id| !id.is_empty()),
        message_id: Some(text(&map, "message_id")).filter(|id| !id.is_empty()),
    })
}

/// Some write the class of an error where others write `error`.
fn outcome(word: &str, code: &mut Option<String>) -> Outcome {
    match word {
        "" | "ok" | "success" => Outcome::Ok,
        "unknown_tool" => Outcome::UnknownTool,
        "cancelled" | "canceled" => Outcome::Cancelled,
        "error" | "tool_error" | "refused" | "failed" => Outcome::Error,
        class => {
            code.get_or_insert_with(|| class.to_owned());
            Outcome::Error
        }
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        // `client` as name and version.
        Value::Object(map) => {
            let parts: Vec<String> =
                ["name", "version"].iter().filter_map(|key| map.get(*key).and_then(plain)).collect();
            Some(parts.join(" ")).filter(|text| !text.is_empty())
        }
        _ => None,
    }
}

fn text(map: &Map<String, Value>, key: &str) -> String {
    map.get(key).and_then(plain).unwrap_or_default()
}

fn number(map: &Map<String, Value>, key: &str) -> f64 {
    match map.get(key) {
        Some(Value::Number(number)) => number.as_f64().unwrap_or_default(),
        Some(Value::String(text)) => text.parse().unwrap_or_default(),
        _ => 0.0,
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(items)) => items,
        Some(one @ (Value::String(_) | Value::Object(_))) => std::slice::from_ref(one),
        _ => &[],
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    list(value).iter().filter_map(plain).collect()
}

/// Milliseconds since 1970.
fn time(value: &Value) -> Option<i64> {
    match value {
        // Traces of others may count seconds: this many milliseconds after 1970 was still the year 1970.
        Value::Number(number) => {
            let n = number.as_f64()?;
            Some(if n.abs() < 1e11 { (n * 1000.0) as i64 } else { n as i64 })
        }
        Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond),
        _ => None,
    }
}

/// A list of key paths, one string with commas between them, or an object whose keys they are.
fn shape(value: Option<&Value>) -> Vec<String> {
    let mut shape = match value {
        Some(Value::String(text)) => {
            text.split(',').map(|path| path.trim().to_owned()).filter(|path| !path.is_empty()).collect()
        }
        Some(Value::Object(map)) => map.keys().cloned().collect(),
        other => texts(other),
    };
    shape.sort();
    shape
}

fn read(value: &Value) -> Option<String> {
    match value {
        Value::Object(map) => {
            let object = Some(text(map, "object")).filter(|object| !object.is_empty())?;
            let digest = text(map, "digest");
            Some(if digest.is_empty() { object } else { format!("{object}@{digest}") })
        }
        other => plain(other),
    }
}

/// `id: OLD->NEW`, or the three by name.
fn write(value: &Value) -> Option<Write> {
    let there = |digest: &str| {
        let digest = digest.trim();
        (!matches!(digest, "" | "-" | "null" | "none")).then(|| digest.to_owned())
    };
    match value {
        Value::Object(map) => {
            let object = Some(text(map, "object")).filter(|object| !object.is_empty())?;
            Some(Write { object, old: there(&text(map, "old")), new: there(&text(map, "new")) })
        }
        Value::String(text) => {
            let (object, change) = text.rsplit_once(": ").unwrap_or((text, ""));
            let (old, new) = change.split_once("->").unwrap_or(("", change));
            Some(Write { object: object.to_owned(), old: there(old), new: there(new) })
        }
        _ => None,
    }
}
