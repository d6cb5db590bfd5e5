//! Which pages are written and which of them lists name, by the keys of Hugo and Zola for it.

use serde_json::{Map, Value};

/// Whether a page is written, and whether lists name it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Both.
    #[default]
    Full,
    /// Written, but in no list: Hugo's `build.list: never`.
    Unlisted,
    /// Neither: Hugo's `build.render: never` and `headless`, Zola's `render = false`.
    Nowhere,
}

impl Presence {
    /// As front matter says.
    #[must_use]
    pub(crate) fn of(values: &Map<String, Value>) -> Self {
        let build = values.get("build").or_else(|| values.get("_build"));
        let says = |key: &str, no: &[&str]| match build.and_then(|build| build.get(key)) {
            Some(Value::Bool(yes)) => !yes,
            Some(Value::String(text)) => no.contains(&text.to_ascii_lowercase().as_str()),
            _ => false,
        };
        let is = |key: &str, flag: bool| values.get(key) == Some(&Value::Bool(flag));
        if is("render", false) || is("headless", true) || says("render", &["never", "link"]) {
            Self::Nowhere
        } else if says("list", &["never"]) {
            Self::Unlisted
        } else {
            Self::Full
        }
    }
}
