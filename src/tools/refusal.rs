//! How a refused call reads on the wire: code, message, hint, details. The only place that turns an error into JSON.

use serde_json::{Map, Value, json};

use crate::error::Error;

/// Longest diff or text in `details`, in bytes; clients cut error texts at about 11,000 characters.
const LONGEST_DETAIL: usize = 6_000;
/// Longest message or hint, in bytes.
const LONGEST_SENTENCE: usize = 1_000;
/// Longest name that is said back, in bytes.
const LONGEST_NAME: usize = 200;
/// What came where no argument of that name is.
pub(super) const UNKNOWN_ARGUMENT: &str = "an unknown argument";
/// Most items of one list in `details`.
const MOST_ITEMS: usize = 50;

/// A refused call.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// `snake_case`; API.
    pub code: String,
    /// The fact.
    pub message: String,
    /// What the caller should do next, one imperative sentence.
    pub hint: String,
    /// Facts a program can use.
    pub details: Box<Map<String, Value>>,
}

impl Refusal {
    /// The argument or value that does not exist, where that is the problem.
    #[must_use]
    pub fn unknown_name(&self) -> Option<&str> {
        let text = |key: &str| self.details.get(key).and_then(Value::as_str);
        let got = text("got").filter(|_| self.code == "invalid_arguments")?;
        if got == UNKNOWN_ARGUMENT {
            return text("field").map(|field| field.rsplit('.').next().unwrap_or(field));
        }
        let choice = text("expected").is_some_and(|expected| expected.starts_with("one of "));
        got.strip_prefix("the text \"")?.strip_suffix('"').filter(|_| choice)
    }

    /// The JSON object a client sees.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("code".into(), self.code.clone().into());
        object.insert("message".into(), self.message.clone().into());
        object.insert("hint".into(), self.hint.clone().into());
        if !self.details.is_empty() {
            object.insert("details".into(), Value::Object((*self.details).clone()));
        }
        Value::Object(object)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let message = match &error {
            Error::Internal { cause } => {
                // The cause may name paths and values that are nobody's business.
                tracing::error!(cause, "internal error");
                "internal error; the cause is in the server's log".to_owned()
            }
            Error::UndeclaredWrite { path } => {
                tracing::error!(path, "undeclared write");
                error.to_string()
            }
            _ => cut(&error.to_string(), LONGEST_SENTENCE),
        };
        let details = match details(&error) {
            Value::Object(mut map) => {
                map.retain(|_, value| !value.is_null());
                map.values_mut().for_each(bound);
                map
            }
            _ => Map::new(),
        };
        Self { code: error.code(), message, hint: cut(&error.hint(), LONGEST_SENTENCE), details: Box::new(details) }
    }
}

fn details(error: &Error) -> Value {
    match error {
        Error::AlreadyExists { what } => json!({"what": what}),
        Error::BuildFailed { diagnostics, .. } => {
            json!({"count": diagnostics.len(), "diagnostics": diagnostics.iter().take(MOST_ITEMS).collect::<Vec<_>>()})
        }
        Error::Conflict { path, yours, current, diff, conflicts } => json!({
            "path": path,
            "yours": yours.as_deref().map(|etag| cut(etag, LONGEST_NAME)),
            "current": current,
            "diff": if diff.is_empty() { Value::Null } else { cut(diff, LONGEST_DETAIL).into() },
            "conflicts": if conflicts.is_empty() { Value::Null } else { json!(conflicts.iter().take(MOST_ITEMS).collect::<Vec<_>>()) },
        }),
        Error::EditMismatch { path, count, nearest } => json!({"path": path, "count": count, "nearest": nearest}),
        Error::InvalidArguments { field, problem, example } => {
            let field = cut(field, LONGEST_NAME);
            json!({"field": field, "problem": cut(problem, LONGEST_SENTENCE), "example": cut(example, LONGEST_SENTENCE)})
        }
        Error::InvalidConfig { path, line, .. } => json!({"path": path, "line": line}),
        Error::InvalidFrontMatter { path, line, column, excerpt, .. } => {
            json!({"path": path, "line": line, "column": column, "excerpt": cut(excerpt, LONGEST_NAME)})
        }
        Error::InvalidPath { path, problem } => {
            json!({"path": cut(path, LONGEST_NAME), "rule": cut(problem, LONGEST_NAME)})
        }
        Error::FetchFailed { url, reason } | Error::FetchRefused { url, reason } => {
            json!({"url": url, "reason": reason})
        }
        Error::HandEdits { paths } => json!({"paths": paths}),
        Error::LocalCommits { commits } => json!({"commits": commits}),
        Error::Needs { needs } => json!({"needs": needs}),
        Error::NotFound { kind, name, near } => json!({"kind": kind, "name": cut(name, LONGEST_NAME), "near": near}),
        Error::RefusedFile { path, problem } => json!({"path": cut(path, LONGEST_NAME), "problem": problem}),
        Error::PlanMoved { files } => json!({"files": files}),
        Error::RemoteRefused { reference, reason } => {
            json!({"reference": reference, "reason": cut(reason, LONGEST_SENTENCE)})
        }
        Error::RemoteUnavailable { remote, reason } => {
            json!({"remote": remote, "reason": cut(reason, LONGEST_SENTENCE)})
        }
        Error::RepositoryState { state, .. } => json!({"state": state}),
        Error::TooLarge { what, size, limit } => json!({"what": what, "size": size, "limit": limit}),
        _ => Value::Null,
    }
}

/// Shortens whatever is still long: names come from callers, and lists from sites of any size.
fn bound(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONGEST_DETAIL => *text = cut(text, LONGEST_DETAIL),
        Value::Array(items) => {
            items.truncate(MOST_ITEMS);
            items.iter_mut().for_each(bound);
        }
        Value::Object(fields) => fields.values_mut().for_each(bound),
        _ => {}
    }
}

/// At most `limit` bytes and a word about the rest, ending at a line where there is one.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let head = head.rfind('\n').map_or(head, |line| &head[..line]);
    format!("{head}\n[{} more bytes left out]", text.len() - head.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_error_keeps_its_cause_to_the_log() {
        let refusal = Refusal::from(Error::internal("/home/someone/secret"));
        assert_eq!(refusal.code, "internal");
        assert!(!refusal.to_json().to_string().contains("secret"));
    }

    #[test]
    fn a_stale_write_tells_the_current_etag() {
        let error = Error::Conflict {
            path: "content/a.md".into(),
            yours: Some("1".into()),
            current: Some("2".into()),
            diff: "x".repeat(50_000),
            conflicts: Vec::new(),
        };
        let json = Refusal::from(error).to_json();
        assert_eq!(json["code"], "conflict");
        assert_eq!(json["details"]["current"], "2");
        assert!(json["details"].get("conflicts").is_none());
        assert!(json.to_string().len() < 10_000);
    }

    #[test]
    fn a_cut_text_ends_at_a_character() {
        let text = "é".repeat(LONGEST_DETAIL);
        assert!(cut(&text, LONGEST_DETAIL).starts_with("éé"));
        assert!(cut(&text, LONGEST_DETAIL).contains("more bytes left out"));
    }
}
