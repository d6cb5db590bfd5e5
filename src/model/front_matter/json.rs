//! Reads JSON front matter; duplicate keys are refused as in YAML.

use serde_json::{Map, Value};

use super::limits;
use super::problem::Problem;
use super::yaml;

/// Reads a JSON object.
pub(super) fn read(text: &str) -> Result<Map<String, Value>, Problem> {
    limits::check_brackets(text)?;
    let map: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
        Problem::new(error.line(), error.column(), message)
            .with_fix("Quote keys and texts with `\"`, separate members with commas, and leave no comma before `}`.")
    })?;
    // serde_json keeps the last of two equal keys without a word; our YAML reader, which reads JSON too, does not.
    match yaml::read_map(text) {
        Err(problem) if problem.message.starts_with("duplicate key") => Err(problem),
        _ => Ok(map),
    }
}

/// Byte length of the object at the start of `text` up to and with its closing brace; `None` where it is not closed.
pub(super) fn object_length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}
