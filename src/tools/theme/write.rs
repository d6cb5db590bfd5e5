//! `theme_write`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{Context, Hints, Right, Spec, reply};
use crate::error::Result;
use crate::site::page::TextEdit;
use crate::site::theme::{self, FileEdit, ThemeEdit};

pub(super) const WRITE: Spec = Spec {
    name: "theme_write",
    title: "Write a theme",
    description: "Changes a theme's files or settings, all or nothing: templates compile and every page renders first. A new \
        name with a theme.yaml makes a theme. Replies etag, diff, affected URLs.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: false },
    right: Right::Theme,
};

/// Arguments of `theme_write`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThemeWrite {
    /// Default: the one in use.
    #[schemars(length(min = 1), example = &"default")]
    theme: Option<String>,
    /// Each: text, edits or delete.
    #[serde(default)]
    files: Vec<Edit>,
    /// Values by name; null: default.
    #[schemars(example = serde_json::json!({"accent": "teal"}))]
    settings: Option<Map<String, Value>>,
    /// Why, for the history.
    message: Option<String>,
    /// Only show the outcome.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// `layouts/page.hbs`
    #[schemars(length(min = 1), example = "layouts/page.hbs")]
    path: String,
    /// Whole text.
    #[schemars(example = "{{{content}}}\n")]
    text: Option<String>,
    /// As in page_write.
    #[serde(default)]
    edits: Vec<Replacement>,
    /// Remove it.
    #[serde(default)]
    delete: bool,
    /// etag, or `*`; none: new file.
    #[schemars(example = "*")]
    if_match: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replacement {
    /// Exact text.
    #[schemars(length(min = 1), example = "old words")]
    find: String,
    /// New text.
    #[schemars(example = "new words")]
    replace: String,
    /// Each.
    #[serde(default)]
    all: bool,
}

pub(super) fn write(context: &Context, asked: ThemeWrite) -> Result<Value> {
    let file = |file: Edit| FileEdit {
        path: file.path,
        text: file.text,
        edits: file
            .edits
            .into_iter()
            .map(|edit| TextEdit { find: edit.find, replace: edit.replace, all: edit.all })
            .collect(),
        delete: file.delete,
        if_match: file.if_match,
    };
    let edit =
        ThemeEdit { theme: asked.theme, files: asked.files.into_iter().map(file).collect(), settings: asked.settings };
    let written = theme::write(&context.site, &context.call(asked.message, asked.dry_run), &edit)?;
    Ok(reply::written(&written, false))
}
