//! `text_replace`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::reply::{self, lean};
use super::super::{Context, Edited, Hints, Right, Spec};
use crate::error::{Error, Result};
use crate::model::PathKind;
use crate::site::address::shown;
use crate::site::text::{self, How, Pair, Replaced, Replacement};

/// Changed files shown with their difference.
const DIFFS: usize = 5;
/// Bytes of what is said of single files.
const FILES_LIMIT: usize = 10_000;
/// The same where it was not seen beforehand: up to three excerpts of each of the files that change without a plan.
const UNSEEN_LIMIT: usize = 18_000;

pub(super) const REPLACE: Spec = Spec {
    name: "text_replace",
    title: "Replace text",
    description: "Replaces text in many files at once. Without scope, or in over 50 files: dry_run first, then send its plan. Replies counts, excerpts. For one page use page_write.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: false },
    right: Right::Content,
};

/// Arguments of `text_replace`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextReplace {
    /// In order.
    #[schemars(length(min = 1))]
    pairs: Vec<OnePair>,
    /// find is a pattern; $1 is a group.
    #[serde(default)]
    regex: bool,
    /// false: ignore case.
    case: Option<bool>,
    /// See text_search.
    #[serde(default)]
    #[schemars(example = ["/blog/", "docs/**/*.md", "theme"])]
    scope: Vec<String>,
    /// From the dry_run; same arguments.
    plan: Option<String>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OnePair {
    #[schemars(length(min = 1), example = "old words")]
    find: String,
    #[schemars(example = "new words")]
    replace: String,
}

pub(super) fn replace(context: &Context, asked: TextReplace) -> Result<Edited> {
    let call = context.call(asked.message, asked.dry_run);
    let replacement = Replacement {
        pairs: asked.pairs.into_iter().map(|pair| Pair { find: pair.find, replace: pair.replace }).collect(),
        how: How { regex: asked.regex, word: false, case: asked.case.unwrap_or(true) },
        scope: asked.scope,
        plan: asked.plan,
    };
    let may = |kind: PathKind| {
        let right = Right::to_write(kind);
        if context.rights.allow(right) {
            return Ok(());
        }
        Err(Error::NotAllowed { tool: context.tool.clone(), right: right.to_string() })
    };
    let replaced = text::replace(&context.site, &call, &replacement, &may)?;
    let reply = answer(replaced.clone(), replacement.plan.is_some());
    Ok(Edited { reply, written: replaced.written })
}

fn answer(mut replaced: Replaced, planned: bool) -> Value {
    let told_in_excerpts = replaced.written.dry_run || !planned;
    let counted = files(&replaced, told_in_excerpts);
    let shown_files = counted.as_array().map_or(0, Vec::len);
    let unchanged = replaced.written.revision.is_none() && !replaced.written.dry_run;
    if replaced.written.dry_run {
        replaced.written.changed.clear();
    }
    replaced.written.changed.truncate(DIFFS);
    if told_in_excerpts {
        // The excerpts say it in fewer words.
        replaced.written.changed.iter_mut().for_each(|file| file.diff.clear());
    }
    let Value::Object(written) = reply::written(&replaced.written, false) else { return Value::Null };
    let mut reply = Map::new();
    if replaced.files.is_empty() && replaced.written.repeated {
        return Value::Object(written);
    }
    reply.insert("replaced".into(), json!({"matches": replaced.total, "files": replaced.files.len()}));
    reply.insert("files".into(), counted);
    if shown_files < replaced.files.len() {
        reply.insert("files_left_out".into(), (replaced.files.len() - shown_files).into());
    }
    reply.extend(written);
    if replaced.written.dry_run {
        reply.remove("changed");
        reply.remove("unchanged");
        if replaced.total > 0 {
            reply.insert("plan".into(), replaced.plan.into());
            let next = "Send the same call with this plan and without dry_run to write exactly this.";
            reply.insert("next".into(), next.into());
        }
    } else if planned && unchanged {
        reply.insert("unchanged".into(), true.into());
    }
    Value::Object(reply)
}

/// What is said of each file, until the room is used up.
fn files(replaced: &Replaced, told_in_excerpts: bool) -> Value {
    let mut room = if replaced.written.dry_run || !told_in_excerpts { FILES_LIMIT } else { UNSEEN_LIMIT };
    let mut items = Vec::new();
    for file in &replaced.files {
        let shown_excerpts = if told_in_excerpts { file.excerpts.as_slice() } else { &[] };
        let excerpts: Vec<Value> = shown_excerpts
            .iter()
            .map(|excerpt| json!({"line": excerpt.line, "before": excerpt.before, "after": excerpt.after}))
            .collect();
        let item = lean(json!({"path": shown(&file.path), "count": file.count, "excerpts": excerpts}));
        let bytes = reply::size(&item) + 1;
        if bytes > room && !items.is_empty() {
            break;
        }
        room = room.saturating_sub(bytes);
        items.push(item);
    }
    items.into()
}
