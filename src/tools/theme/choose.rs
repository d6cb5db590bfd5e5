//! `theme_use`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Context, Hints, Right, Spec, reply};
use crate::error::Result;
use crate::site::edit::Written;
use crate::site::theme::{self, Choice};

pub(super) const USE: Spec = Spec {
    name: "theme_use",
    title: "Switch or pin the theme",
    description: "Makes the site render with another theme, or pins it: frozen, so edits of it change no page. The whole site \
        is rendered first. Replies theme, affected URLs.",
    hints: Hints { read_only: false, destructive: true, idempotent: true, open_world: false },
    right: Right::Theme,
};

/// Arguments of `theme_use`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThemeUse {
    /// Default: the one in use.
    #[schemars(length(min = 1), example = &"default")]
    theme: Option<String>,
    /// `now` or a revision id.
    #[schemars(length(min = 1), example = &"now")]
    pin: Option<String>,
    /// Render with its files again.
    #[serde(default)]
    unpin: bool,
    /// Why, for the history.
    message: Option<String>,
    /// Only show the outcome.
    #[serde(default)]
    dry_run: bool,
}

pub(super) fn choose(context: &Context, asked: ThemeUse) -> Result<Value> {
    let choice = Choice { theme: asked.theme, pin: asked.pin, unpin: asked.unpin };
    let call = context.call(asked.message, asked.dry_run);
    let chosen = theme::choose(&context.site, &call, &choice)?;
    // Dozens of copied files say less than their folder.
    let (files, rest): (Vec<_>, Vec<_>) =
        chosen.written.changed.into_iter().partition(|file| file.path.as_str().starts_with("themes/"));
    let changes_nothing = files.is_empty() && rest.is_empty();
    let mut reply = reply::written(&Written { changed: rest, ..chosen.written }, false);
    if let Value::Object(fields) = &mut reply {
        if !changes_nothing {
            fields.remove("unchanged");
        }
        fields.insert("theme".into(), chosen.theme.into());
        for (name, added) in [("files_written", true), ("files_removed", false)] {
            let paths: Vec<&str> =
                files.iter().filter(|file| file.etag.is_some() == added).map(|file| file.path.as_str()).collect();
            if !paths.is_empty() {
                fields.insert(name.into(), json!({"count": paths.len(), "folder": folder(&paths)}));
            }
        }
    }
    Ok(reply)
}

/// The theme's folder, which all of them share.
fn folder(paths: &[&str]) -> String {
    let parts: Vec<&str> = paths.first().map_or("", |path| *path).splitn(3, '/').take(2).collect();
    format!("{}/", parts.join("/"))
}
