//! What the level `debug` keeps of a call's arguments for a day: their words, without what looks private, and not all of a long text.

use serde_json::{Map, Value, json};

use super::redact::redact;
use super::secret::name;

/// Characters of one text that are kept.
const LONGEST: usize = 200;
/// Items of a list, and keys of an object.
const MOST: usize = 40;
/// Bytes of a line at most; beyond that only its size is told.
const MOST_BYTES: usize = 16 * 1024;

/// The line that stands beside the call of that id.
pub(super) fn line(call: &str, tool: &str, arguments: &Map<String, Value>) -> Vec<u8> {
    let kept = object(arguments);
    let tool = name(tool).unwrap_or_else(|| "?".to_owned());
    let mut line = json!({"v": 1, "call": call, "tool": tool, "arguments": kept}).to_string();
    if line.len() > MOST_BYTES {
        line = json!({"v": 1, "call": call, "tool": tool, "bytes": line.len()}).to_string();
    }
    line.push('\n');
    line.into_bytes()
}

fn object(object: &Map<String, Value>) -> Value {
    Value::Object(object.iter().take(MOST).map(|(key, value)| (text(key), kept(value))).collect())
}

fn kept(value: &Value) -> Value {
    match value {
        Value::Object(fields) => object(fields),
        Value::Array(items) => items.iter().take(MOST).map(kept).collect(),
        Value::String(said) => text(said).into(),
        Value::Number(number) => {
            let said = number.to_string();
            let redacted = redact(&said);
            if redacted == said { value.clone() } else { redacted.into() }
        }
        other => other.clone(),
    }
}

/// Redacted before it is cut: half a secret is not known for one.
fn text(said: &str) -> String {
    let redacted = redact(said);
    let mut short: String = redacted.chars().take(LONGEST).collect();
    if short.len() < redacted.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_and_secrets_go() {
        let arguments = json!({"pages": [{"path": "a.md", "body": "Call +4915123456789, mail ada@example.org, token ghp_1A2b3C4d5E6f7G8h9I0jKlMnOpQr."}],
            "ghp_1A2b3C4d5E6f7G8h9I0jKlMnOpQr": 4_111_111_111_111_111_u64, "long": "word ".repeat(500), "publish": true});
        let line = String::from_utf8(line("c1", "page_write", arguments.as_object().unwrap())).unwrap();
        for secret in ["23456789", "example.org", "ghp_", "4111111111111111"] {
            assert!(!line.contains(secret), "{secret}: {line}");
        }
        assert!(line.contains("Call") && line.contains("\"publish\":true") && line.contains("[host]"), "{line}");
        assert!(line.len() < 1_200 && line.ends_with("}\n"), "{line}");
    }

    #[test]
    fn what_is_too_much_is_only_measured() {
        let pages: Vec<Value> = (0..40)
            .map(|_| json!({"a": "x y ".repeat(200), "b": "x y ".repeat(200), "c": "x y ".repeat(200)}))
            .collect();
        let line = String::from_utf8(line("c1", "?<script>", json!({"pages": pages}).as_object().unwrap())).unwrap();
        assert!(line.contains("\"bytes\":2") && !line.contains("x y") && !line.contains("script"), "{line}");
    }
}
