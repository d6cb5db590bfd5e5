//! A replacement anchored by the text it replaces, as pages and theme files take it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::site::page::TextEdit;

/// One of `edits`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Replacement {
    /// Exact text that occurs once.
    #[schemars(length(min = 1), example = "old words")]
    find: String,
    /// The new text.
    #[schemars(example = "new words")]
    replace: String,
    /// Every occurrence.
    #[serde(default)]
    all: bool,
}

impl From<Replacement> for TextEdit {
    fn from(edit: Replacement) -> Self {
        Self { find: edit.find, replace: edit.replace, all: edit.all }
    }
}
