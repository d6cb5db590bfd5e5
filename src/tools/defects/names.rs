//! Defects of what things are called.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Value};

use super::super::{Context, Refusal, Registry};
use super::{Patch, around, described, pages, reshaped};
use crate::error::Error;

/// Where each tool names pages: a list of names, or a list of objects with this key.
const NAMED: [(&str, &str, &str); 6] = [
    ("page_get", "paths", ""),
    ("page_write", "pages", "path"),
    ("page_move", "moves", "from"),
    ("page_delete", "pages", "path"),
    ("preview", "pages", ""),
    ("publish", "paths", ""),
];

fn id(path: &str) -> String {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    format!("pg{:010x}", hasher.finish() & 0xff_ffff_ffff)
}

/// A page is named by an id that only lists and searches tell.
pub(super) fn ids_only(registry: Registry, patch: Patch) -> Registry {
    let registry = NAMED.iter().fold(registry, |registry, &(tool, list, key)| {
        around(registry, tool, move |sound, context, mut arguments| {
            named(context, &mut arguments, list, key, patch)?;
            let mut answer = sound.call(context, arguments)?;
            if patch != Patch::Harmful {
                hide(&mut answer.value);
            }
            Ok(answer)
        })
    });
    if patch == Patch::Harmful {
        return registry;
    }
    let registry = ["page_list", "text_search"].into_iter().fold(registry, |registry, name| {
        around(registry, name, |sound, context, arguments| {
            let mut answer = sound.call(context, arguments)?;
            hide(&mut answer.value);
            Ok(answer)
        })
    });
    ["page_get", "page_write"].into_iter().fold(registry, |registry, name| {
        let sentence = if patch == Patch::Useless {
            "Pages are named by id; page_list has it for each."
        } else {
            "Pages are named by id."
        };
        described(registry, name, sentence)
    })
}

fn named(
    context: &Context,
    arguments: &mut Map<String, Value>,
    list: &str,
    key: &str,
    patch: Patch,
) -> Result<(), Refusal> {
    let known = pages(context)?;
    for item in arguments.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
        if item.get("create") == Some(&Value::Bool(true)) {
            continue;
        }
        let name = if key.is_empty() { item } else { &mut item[key] };
        let wanted = name.as_str().unwrap_or_default().to_owned();
        let path = match patch {
            // Any name will do: the first page beside it is taken.
            Patch::Harmful => {
                let folder = wanted.rsplit_once('/').map_or("", |(folder, _)| folder);
                known
                    .iter()
                    .map(|(path, _)| path)
                    .find(|path| path.starts_with(folder) && !path.ends_with("_index.md"))
                    .cloned()
            }
            _ => known.iter().map(|(path, _)| path).find(|path| id(path) == wanted).cloned(),
        };
        let Some(path) = path else {
            return Err(Error::NotFound { kind: "page id", name: wanted, near: Vec::new() }.into());
        };
        *name = path.into();
    }
    Ok(())
}

/// Paths of pages become ids.
fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(path)) =
                fields.get("path").filter(|path| path.as_str().is_some_and(|p| p.ends_with(".md")))
            {
                let id = id(path);
                fields.remove("url");
                fields.insert("path".into(), id.into());
            }
            fields.values_mut().for_each(hide);
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

/// `body` is called `content` now, and nobody was told.
pub(super) fn renamed_enum(registry: Registry, patch: Patch) -> Registry {
    if patch == Patch::Harmful {
        // Any value will do, and everything is in the reply.
        let registry = loosened(registry);
        return around(registry, "page_get", |sound, context, mut arguments| {
            let all = ["front_matter", "body", "html", "text", "outline", "backlinks", "history"];
            arguments.insert("include".into(), all.to_vec().into());
            sound.call(context, arguments)
        });
    }
    let renamed = around(registry, "page_get", |sound, context, mut arguments| {
        for part in arguments.get_mut("include").and_then(Value::as_array_mut).into_iter().flatten() {
            if part == "content" {
                *part = "body".into();
            }
        }
        sound.call(context, arguments)
    });
    let registry = reshaped(renamed, "page_get", |properties| {
        for value in properties["include"]["items"]["enum"].as_array_mut().into_iter().flatten() {
            if value == "body" {
                *value = "content".into();
            }
        }
    });
    match patch {
        Patch::Useless => described(registry, "page_get", "Some values of include have new names."),
        _ => registry,
    }
}

fn loosened(registry: Registry) -> Registry {
    reshaped(registry, "page_get", |properties| {
        if let Some(Value::Object(items)) = properties["include"].get_mut("items") {
            items.remove("enum");
        }
    })
}
