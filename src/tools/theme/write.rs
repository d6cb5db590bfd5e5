//! `theme_write`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::replacement::Replacement;
use super::super::{Context, Edited, Hints, Right, Spec};
use crate::error::Result;
use crate::site::theme::{self, FileEdit, ThemeEdit};

pub(super) const WRITE: Spec = Spec {
    name: "theme_write",
    title: "Write theme",
    description: "Changes theme files or settings; refused unless every template compiles and every page renders. New theme: write its theme.yaml. Replies diff, affected URLs.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: false },
    right: Right::Theme,
};

/// Arguments of `theme_write`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThemeWrite {
    #[schemars(length(min = 1), example = &"default")]
    theme: Option<String>,
    #[serde(default)]
    files: Vec<Edit>,
    /// Values for theme settings; null: default.
    #[schemars(example = serde_json::json!({"accent": "teal"}))]
    settings: Option<Map<String, Value>>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// `layouts/page.hbs`
    #[schemars(length(min = 1), example = "layouts/page.hbs")]
    path: String,
    /// The whole file.
    #[schemars(example = "{{{content}}}\n")]
    text: Option<String>,
    /// find, replace, all.
    #[serde(default)]
    #[schemars(extend("x-brief" = true))]
    edits: Vec<Replacement>,
    /// Remove the file.
    #[serde(default)]
    delete: bool,
    /// etag, to replace or delete.
    #[schemars(example = "*")]
    if_match: Option<String>,
}

pub(super) fn write(context: &Context, asked: ThemeWrite) -> Result<Edited> {
    let file = |file: Edit| FileEdit {
        path: file.path,
        text: file.text,
        edits: file.edits.into_iter().map(Into::into).collect(),
        delete: file.delete,
        if_match: file.if_match,
    };
    let edit =
        ThemeEdit { theme: asked.theme, files: asked.files.into_iter().map(file).collect(), settings: asked.settings };
    let written = theme::write(&context.site, &context.call(asked.message, asked.dry_run), &edit)?;
    Ok(Edited::new(written, false))
}
