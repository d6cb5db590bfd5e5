//! `theme_get`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::page::line_range;
use super::super::reply::{self, lean};
use super::super::{Context, Hints, Right, Spec};
use crate::error::{Error, Result};
use crate::site::theme::{
    self, FileQuery, Include, LayoutView, SettingView, TextView, ThemeFile, ThemeQuery, ThemeView,
};

pub(super) const GET: Spec = Spec {
    name: "theme_get",
    title: "Read a theme",
    description: "Reads a theme; call before theme_write. Replies files with etag and settings; layouts, versions on demand.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `theme_get`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThemeGet {
    /// Default: in use.
    #[schemars(length(min = 1), example = &"default")]
    theme: Option<String>,
    /// Texts: `layouts/page.hbs`.
    #[serde(default)]
    #[schemars(example = ["layouts/page.hbs"])]
    files: Vec<String>,
    #[serde(default)]
    include: Vec<Part>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Part {
    Files,
    Settings,
    Layouts,
    Versions,
}

pub(super) fn get(context: &Context, asked: ThemeGet) -> Result<Value> {
    let mut include: BTreeSet<Include> = asked
        .include
        .iter()
        .map(|part| match part {
            Part::Files => Include::Files,
            Part::Settings => Include::Settings,
            Part::Layouts => Include::Layouts,
            Part::Versions => Include::Versions,
        })
        .collect();
    if include.is_empty() && asked.files.is_empty() {
        include.extend([Include::Files, Include::Settings]);
    }
    let files = asked.files.iter().map(|name| named(name)).collect::<Result<_>>()?;
    let query = ThemeQuery { theme: asked.theme, files, include, progress: context.progress.clone() };
    let view = theme::get(&context.site, &query)?;
    let mut reply = head(&view);
    let mut room = reply::REPLY_LIMIT;
    let mut next = Vec::new();
    texts(&view.texts, &mut reply, &mut room, &mut next);
    let lists = [
        ("files", view.files.map(|all| all.iter().map(file).collect::<Vec<_>>())),
        ("settings", view.settings.map(|all| all.iter().map(setting).collect())),
        ("layouts", view.layouts.map(|all| all.iter().map(layout).collect())),
    ];
    for (name, items) in lists {
        if let Some(items) = items {
            list(name, &items, &mut reply, &mut room);
        }
    }
    if let Some(versions) = view.versions {
        let pin = view.pinned.as_deref().and_then(|name| name.split_once('@')).map(|(_, pin)| pin);
        let version = |revision: &crate::site::Revision| {
            lean(json!({
                "id": revision.id,
                "when": revision.time.to_string(),
                "message": revision.message.lines().next().unwrap_or_default(),
                "pinned": pin.is_some_and(|pin| revision.id.as_str().starts_with(pin)),
            }))
        };
        list("versions", &versions.iter().map(version).collect::<Vec<_>>(), &mut reply, &mut room);
    }
    if !next.is_empty() {
        reply.insert("next".into(), next.join(" ").into());
    }
    Ok(Value::Object(reply))
}

/// `assets/style.css`, or with lines `assets/style.css:300-`: no path has a colon.
fn named(text: &str) -> Result<FileQuery> {
    let (path, lines) = match text.rsplit_once(':') {
        Some((path, lines)) => {
            let range = line_range(lines).map_err(|_| Error::InvalidArguments {
                field: "files".into(),
                problem: format!(
                    "expected lines behind the colon, got `{}`",
                    lines.chars().take(40).collect::<String>()
                ),
                example: "\"files\": [\"assets/style.css:300-400\"]".into(),
            })?;
            (path, Some(range))
        }
        None => (text, None),
    };
    Ok(FileQuery { path: path.to_owned(), lines })
}

fn head(view: &ThemeView) -> Map<String, Value> {
    let manifest = &view.manifest;
    let others: Vec<&String> = view.themes.iter().filter(|other| **other != manifest.name).take(50).collect();
    let head = lean(json!({
        "theme": manifest.name,
        "version": Some(manifest.version.as_str()).filter(|version| !version.is_empty()),
        "description": Some(manifest.description.as_str()).filter(|text| !text.is_empty()),
        "extends": manifest.extends,
        "active": view.active,
        "pinned": view.pinned,
        "other_themes": others,
    }));
    match head {
        Value::Object(head) => head,
        _ => Map::new(),
    }
}

/// The texts that fit; the first is cut at a line where it alone is too long.
fn texts(all: &[TextView], reply: &mut Map<String, Value>, room: &mut usize, next: &mut Vec<String>) {
    let mut items = Vec::new();
    let mut left_out = Vec::new();
    for view in all {
        let mut item = file(&view.file);
        let Value::Object(fields) = &mut item else { continue };
        fields.insert("lines".into(), view.lines.into());
        let Some(text) = &view.text else {
            fields.insert("text_left_out".into(), "it is not text".into());
            items.push(item);
            continue;
        };
        let bytes = reply::size(&Value::from(text.as_str()));
        if bytes > *room && items.is_empty() {
            let kept = fitting(text, *room);
            let first = view.first_line;
            let last = first + kept.lines().count() - 1;
            let of = view.lines;
            let rest = format!("{}:{}-", view.file.path, last + 1);
            next.push(format!("Lines {first}-{last} of {of} are shown; go on with files: [\"{rest}\"]."));
            fields.insert("text".into(), kept.into());
            *room = 0;
        } else if bytes > *room {
            left_out.push(view.file.path.to_string());
            continue;
        } else {
            fields.insert("text".into(), text.clone().into());
            *room -= bytes;
        }
        items.push(item);
    }
    if !items.is_empty() {
        reply.insert("texts".into(), items.into());
    }
    if !left_out.is_empty() {
        reply.insert("texts_left_out".into(), left_out.into());
        next.push("Read texts_left_out with another theme_get.".into());
    }
}

/// The first whole lines that fit as JSON; at least one.
fn fitting(text: &str, room: usize) -> &str {
    let mut used = 0;
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        used += reply::size(&Value::from(line));
        if used > room && end > 0 {
            break;
        }
        end += line.len();
    }
    &text[..end]
}

/// A list with its total, as far as the reply has room.
fn list(name: &str, items: &[Value], reply: &mut Map<String, Value>, room: &mut usize) {
    let mut fit = 0;
    for item in items {
        let bytes = reply::size(item) + 1;
        if bytes > *room {
            break;
        }
        *room -= bytes;
        fit += 1;
    }
    reply.insert(name.into(), items[..fit].into());
    if fit < items.len() {
        reply.insert(format!("{name}_left_out"), (items.len() - fit).into());
    }
}

fn file(file: &ThemeFile) -> Value {
    json!({"path": file.path, "bytes": file.bytes, "etag": file.etag.to_string()})
}

fn setting(setting: &SettingView) -> Value {
    let mut item = lean(json!({"options": setting.options, "description": setting.description}));
    if let Value::Object(fields) = &mut item {
        fields.insert("setting".into(), setting.setting.clone().into());
        fields.insert("value".into(), setting.value.clone());
        if let Some(default) = &setting.default {
            fields.insert("default".into(), default.clone());
        }
    }
    item
}

fn layout(layout: &LayoutView) -> Value {
    lean(json!({"layout": layout.layout, "path": layout.path, "pages": layout.pages, "first": layout.first}))
}
