//! `change_open`, `change_close`, and the argument `change_set` of the other tools.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reply::{self, lean};
use super::{Context, Hints, Right, Spec, Tool};
use crate::error::Result;
use crate::site::change_set::{self, Closed, How, Listed};

/// The argument that says which change set a call is about.
const ARGUMENT: &str = "change_set";
/// The name of the one that is the working tree.
const WORKING: &str = "working";

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(OPEN, open).of_whole_site::<Open>(), Tool::new(CLOSE, close).of_whole_site::<Close>()]
}

/// Adds the argument to a tool's schema. Clients are shown no description of it: `change_open` says what it is for, once.
pub(super) fn describe(schema: &mut Map<String, Value>) {
    let about = json!({"type": "string", "description": "A set of change_open; default: the working tree."});
    property(schema, about);
    schema.insert("additionalProperties".into(), false.into());
}

/// The same as clients see it.
pub(super) fn advertise(schema: &mut Map<String, Value>) {
    property(schema, json!({"type": "string"}));
}

fn property(schema: &mut Map<String, Value>, about: Value) {
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(properties) = properties {
        properties.insert(ARGUMENT.into(), about);
    }
}

/// The context of the change set that the arguments name, and the arguments without it.
pub(super) fn enter(context: &Context, arguments: &mut Map<String, Value>) -> Result<Context> {
    let mut context = context.clone();
    let named = arguments.remove(ARGUMENT);
    let id = named.as_ref().and_then(Value::as_str).map_or(WORKING, str::trim);
    if id != WORKING {
        context.site = Arc::new(context.site.in_change_set(id)?);
    }
    Ok(context)
}

const OPEN: Spec = Spec {
    name: "change_open",
    title: "Open change set",
    description: "Opens edits apart from the working tree, for work in parallel. Replies the id for change_set.",
    hints: Hints { read_only: false, destructive: false, idempotent: false, open_world: false },
    right: Right::Content,
};

/// Arguments of `change_open`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Open {
    #[schemars(length(min = 1), example = "Spring prices")]
    purpose: String,
}

fn open(context: &Context, asked: Open) -> Result<Value> {
    let set = change_set::open(&context.site, &context.call(None, false), &asked.purpose)?;
    let next = format!("Pass change_set: \"{}\" to every call of this task; publish with it at the end.", set.id);
    Ok(json!({"change_set": set.id, "base": set.tip, "next": next}))
}

const CLOSE: Spec = Spec {
    name: "change_close",
    title: "Close change set",
    description: "Discards a change set, or merges it into the working tree; to make it live use publish. Replies what changed.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: false },
    right: Right::Content,
};

/// Arguments of `change_close`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Close {
    #[schemars(length(min = 1), example = "spring-prices-3f2a")]
    change_set: String,
    how: Ending,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Ending {
    Discard,
    Merge,
}

fn close(context: &Context, asked: Close) -> Result<Value> {
    let how = match asked.how {
        Ending::Discard => How::Discard,
        Ending::Merge => How::Merge,
    };
    let call = context.call(None, asked.dry_run);
    Ok(closed(&change_set::close(&context.site, &call, asked.change_set.trim(), how)?))
}

fn closed(closed: &Closed) -> Value {
    let mut reply = match &closed.merged {
        Some(written) => reply::written(written, false),
        None => json!({"discarded": closed.discarded, "tip": closed.tip}),
    };
    if let Value::Object(fields) = &mut reply {
        let next = match &closed.merged {
            _ if closed.dry_run => Some("Send it again without dry_run to close it.".to_owned()),
            _ if closed.still_open => {
                Some("Somebody wrote to it meanwhile and it stays open: close it again.".to_owned())
            }
            None => {
                Some(format!("To have a path back: revision_restore with at: \"{}\" and paths.", closed.tip.short()))
            }
            Some(_) => None,
        };
        if closed.dry_run {
            fields.insert("dry_run".into(), true.into());
        }
        fields.insert("closed".into(), (!closed.dry_run && !closed.still_open).into());
        if let Some(next) = next {
            fields.insert("next".into(), next.into());
        }
    }
    reply
}

/// An open change set as lists show it.
pub(super) fn item(listed: &Listed) -> Value {
    let set = &listed.set;
    let trailer = |key: &str| set.trailers.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    lean(json!({
        "change_set": set.id,
        "purpose": set.purpose.lines().next().unwrap_or_default(),
        "by": set.author.name,
        "client": trailer("Client"),
        "token": trailer("Token"),
        "when": set.time.to_string(),
        "publish_at": set.at.map(|at| at.to_string()),
        "paths": listed.unpublished.len(),
    }))
}
