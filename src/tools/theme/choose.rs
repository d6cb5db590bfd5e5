//! `theme_use`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Context, Edited, Hints, Right, Spec, reply};
use crate::error::Result;
use crate::site::edit::Written;
use crate::site::theme::{self, Choice, Pin};

pub(super) const USE: Spec = Spec {
    name: "theme_use",
    title: "Use a theme",
    description: "Switches the theme, or pins it: pinned, edits of its files change no page. Replies affected URLs.",
    hints: Hints { read_only: false, destructive: true, idempotent: true, open_world: false },
    right: Right::Theme,
};

/// Arguments of `theme_use`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThemeUse {
    /// Default: in use.
    #[schemars(length(min = 1), example = &"default")]
    theme: Option<String>,
    /// `now`, a revision or `off`.
    #[schemars(length(min = 1), example = &"now")]
    pin: Option<String>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

pub(super) fn choose(context: &Context, asked: ThemeUse) -> Result<Edited> {
    let choice = Choice { theme: asked.theme, pin: asked.pin.as_deref().map(Pin::of) };
    let call = context.call(asked.message, asked.dry_run);
    let chosen = theme::choose(&context.site, &call, &choice)?;
    // Dozens of copied files say less than their folder.
    let (files, rest): (Vec<_>, Vec<_>) =
        chosen.written.changed.iter().cloned().partition(|file| file.path.as_str().starts_with("themes/"));
    let mut reply = reply::written(&Written { changed: rest, ..chosen.written.clone() }, false);
    if let Value::Object(fields) = &mut reply {
        if !chosen.written.unchanged() {
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
    Ok(Edited { reply, written: chosen.written })
}

/// The theme's folder, which all of them share.
fn folder(paths: &[&str]) -> String {
    let parts: Vec<&str> = paths.first().map_or("", |path| *path).splitn(3, '/').take(2).collect();
    format!("{}/", parts.join("/"))
}
