//! `site_update`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{Context, Edited, Hints, Right, Spec, reply};
use crate::error::Result;
use crate::site::configure::{self, KeyChange, Patch};

/// Keys listed in a reply.
const KEYS: usize = 20;
/// Bytes of JSON up to which a value is shown.
const VALUE: usize = 300;

pub(super) const UPDATE: Spec = Spec {
    name: "site_update",
    title: "Change settings",
    description: "Patches site.yaml, comments kept: title, menus, redirects, theme_settings, ... `key+` adds list items, `key-` removes them. Replies keys, affected URLs.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: false },
    right: Right::Config,
};

/// Arguments of `site_update`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteUpdate {
    /// JSON merge patch.
    #[schemars(example = serde_json::json!({"menus": {"main+": [{"name": "Blog", "url": "/blog/"}]}}))]
    patch: Map<String, Value>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

pub(super) fn update(context: &Context, asked: SiteUpdate) -> Result<Edited> {
    let patch = Patch { patch: asked.patch };
    let call = context.call(asked.message, asked.dry_run);
    let (written, keys) = configure::update(&context.site, &call, &patch)?;
    let mut reply = reply::written(&written, false);
    if let Value::Object(fields) = &mut reply {
        let items: Vec<Value> = keys.iter().take(KEYS).map(key).collect();
        fields.insert("keys".into(), items.into());
        if keys.len() > KEYS {
            fields.insert("keys_left_out".into(), (keys.len() - KEYS).into());
        }
    }
    Ok(Edited { reply, written })
}

/// `null` stands for a key that is not set.
fn key(change: &KeyChange) -> Value {
    json!({"key": change.key, "old": value(change.old.as_ref()), "new": value(change.new.as_ref())})
}

fn value(value: Option<&Value>) -> Value {
    match value {
        None => Value::Null,
        Some(Value::Array(items)) if reply::size(&json!(items)) > VALUE => format!("{} items", items.len()).into(),
        Some(Value::String(text)) if text.len() > VALUE => {
            let short: String = text.chars().take(VALUE / 4).collect();
            format!("{short}…").into()
        }
        Some(value) => value.clone(),
    }
}
