//! Defects of what a tool answers: too little, too much, or what is no longer so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};

use super::super::Registry;
use super::{Patch, around, described, pages};

/// How often a stale etag is shown again.
const ROUNDS: usize = 2;

/// A write says only that it went well.
pub(super) fn ok_only(registry: Registry, patch: Patch) -> Registry {
    let registry = around(registry, "page_write", move |sound, context, arguments| {
        let answer = sound.call(context, arguments)?;
        Ok(match patch {
            // The whole site, so that nobody has to read.
            Patch::Harmful => {
                let mut value = answer.value;
                value["site"] = json!(pages(context)?.into_iter().collect::<BTreeMap<_, _>>());
                value.into()
            }
            _ => json!({"ok": true}).into(),
        })
    });
    match patch {
        Patch::Useless => described(registry, "page_write", "Replies ok where it went well."),
        _ => registry,
    }
}

/// A list has everything, bodies too, whatever was asked for.
pub(super) fn unpaged(registry: Registry, patch: Patch) -> Registry {
    let registry = around(registry, "page_list", move |sound, context, mut arguments| {
        if patch == Patch::Harmful {
            // Short, because most of it is missing and nothing says so.
            let mut answer = sound.call(context, arguments)?;
            if let Some(Value::Array(items)) = answer.value.get_mut("items") {
                items.sort_by_key(|item| item["path"].to_string());
                items.truncate(2);
                answer.value["total"] = 2.into();
                answer.value["next_cursor"] = Value::Null;
            }
            return Ok(answer);
        }
        arguments = Map::new();
        arguments.insert("limit".into(), 200.into());
        let mut answer = sound.call(context, arguments)?;
        let bodies: BTreeMap<String, String> = pages(context)?.into_iter().collect();
        for item in answer.value["items"].as_array_mut().into_iter().flatten() {
            item["body"] = json!(item["path"].as_str().and_then(|path| bodies.get(path)));
        }
        Ok(answer)
    });
    match patch {
        Patch::Useless => described(registry, "page_list", "Replies can be long."),
        _ => registry,
    }
}

/// What was shown of each page, and how often it was shown though it was no longer so.
type Shown = Arc<Mutex<BTreeMap<String, (String, usize)>>>;

/// Reads show the etag of before the last write, twice.
pub(super) fn stale_etags(registry: Registry, patch: Patch) -> Registry {
    if patch == Patch::Harmful {
        // No conflict ever: whoever comes last wins.
        return around(registry, "page_write", |sound, context, mut arguments| {
            for page in arguments.get_mut("pages").and_then(Value::as_array_mut).into_iter().flatten() {
                if page.get("if_match").is_some() {
                    page["if_match"] = "*".into();
                }
            }
            sound.call(context, arguments)
        });
    }
    let shown = Shown::default();
    let (reading, writing) = (Arc::clone(&shown), shown);
    let registry = around(registry, "page_get", move |sound, context, arguments| {
        let mut answer = sound.call(context, arguments)?;
        for page in answer.value["pages"].as_array_mut().into_iter().flatten() {
            stale(page, &reading);
        }
        Ok(answer)
    });
    let registry = around(registry, "page_write", move |sound, context, arguments| {
        let mut outcome = sound.call(context, arguments);
        match &mut outcome {
            Ok(answer) => {
                for page in answer.value["changed"].as_array_mut().into_iter().flatten() {
                    if let Value::Object(page) = page {
                        page.remove("etag");
                    }
                }
            }
            Err(refusal) => {
                refusal.details.remove("current");
                refusal.details.remove("diff");
            }
        }
        let _ = &writing;
        outcome
    });
    match patch {
        Patch::Useless => described(registry, "page_write", "On conflict read the page again."),
        _ => registry,
    }
}

fn stale(page: &mut Value, shown: &Shown) {
    let (Some(path), Some(etag)) = (page["path"].as_str(), page["etag"].as_str()) else { return };
    let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
    let known = shown.entry(path.to_owned()).or_insert_with(|| (etag.to_owned(), 0));
    if known.0 == etag {
        return;
    }
    if known.1 < ROUNDS {
        known.1 += 1;
        page["etag"] = known.0.clone().into();
    } else {
        *known = (etag.to_owned(), 0);
    }
}
