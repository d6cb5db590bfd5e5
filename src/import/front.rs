//! A source's page taken apart: front matter, body, and the patch that makes it a page of ours.

use serde_json::{Map, Value};

use super::draft::Draft;
use crate::model::front_matter::{self, FrontMatter};

const UNREADABLE: &str = "left out: mend the front matter and import again";

/// One page of a source.
pub(super) struct SourcePage<'a> {
    /// Its path in the source.
    pub(super) path: String,
    /// The whole file.
    pub(super) text: &'a str,
    /// Its front matter.
    pub(super) values: Map<String, Value>,
    /// Whether it has any.
    pub(super) fenced: bool,
    /// Its body.
    pub(super) body: &'a str,
    /// 1-based line on which the body begins.
    pub(super) line: usize,
    /// What changes in its front matter.
    pub(super) patch: Map<String, Value>,
}

impl<'a> SourcePage<'a> {
    /// Reads one; what cannot be read is reported and left out.
    pub(super) fn read(draft: &mut Draft<'a>, path: &str) -> Option<Self> {
        let source = draft.source;
        let Some(text) = source.text(path) else {
            draft.lost("page", "not UTF-8 text, or too large", path, 0, "left out: save it as UTF-8 and import again");
            return None;
        };
        match FrontMatter::parse(path, text) {
            Ok(front) => Some(Self {
                path: path.to_owned(),
                text,
                fenced: front.format.is_some(),
                values: front.values,
                body: &text[front.body_offset..],
                line: front.body_line,
                patch: Map::new(),
            }),
            Err(error) => {
                let name = match &error {
                    crate::error::Error::InvalidFrontMatter { problem, .. } => problem.clone(),
                    other => other.to_string(),
                };
                draft.lost("page", &name, path, 0, UNREADABLE);
                None
            }
        }
    }

    /// The value of the first of these keys.
    pub(super) fn text(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.values.get(*key).and_then(plain)).filter(|text| !text.trim().is_empty())
    }

    /// Whether a flag is set.
    pub(super) fn is(&self, key: &str, flag: bool) -> bool {
        self.values.get(key) == Some(&Value::Bool(flag))
    }

    /// Sets a key.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.patch.insert(key.to_owned(), value.into());
    }

    /// The page with its patch and a new body; lines that nothing touches stay byte-identical.
    pub(super) fn finish(&self, draft: &mut Draft<'_>, body: &str) -> Option<String> {
        let patched = if self.patch.is_empty() {
            Ok(self.text.to_owned())
        } else {
            front_matter::patch(&self.path, self.text, &self.patch)
        };
        let whole = patched.and_then(|text| {
            if body == self.body { Ok(text) } else { front_matter::replace_body(&self.path, &text, body) }
        });
        match whole {
            Ok(text) => Some(text),
            Err(error) => {
                draft.lost("page", &error.to_string(), &self.path, 0, UNREADABLE);
                None
            }
        }
    }
}

/// Text, number or flag as text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Texts of a list, or of one text alone.
pub(super) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().filter_map(plain).collect(),
        other => plain(other).into_iter().collect(),
    }
}
