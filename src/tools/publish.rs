//! `publish`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reply::{self, lean};
use super::{Context, Hints, Right, Spec, Tool};
use crate::error::Result;
use crate::site::ChangeKind;
use crate::site::address::shown;
use crate::site::publish::{self, PublishQuery, PublishReply};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(PUBLISH, go)]
}

const PUBLISH: Spec = Spec {
    name: "publish",
    title: "Publish",
    description: "Makes edits live: builds, commits sources and output, pushes. Everything unpublished, or just paths. Refused, \
        with nothing changed, on error-level diagnostics, conflicts, or paths that need others. Replies revision, pushed, urls \
        added/changed/removed, and what stays unpublished. Look first with preview or change_diff.",
    hints: Hints { read_only: false, destructive: true, idempotent: true, open_world: true },
    right: Right::Publish,
};

/// Arguments of `publish`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Publish {
    /// Pages, files or folders such as `blog/`; default: everything.
    #[serde(default)]
    #[schemars(example = ["/blog/hello/"])]
    paths: Vec<String>,
    /// Take a person's hand edits along; ask them first.
    #[serde(default)]
    hand_edits: bool,
    /// Take a person's unpushed commits along; ask them first.
    #[serde(default)]
    local_commits: bool,
    /// Why, for the history.
    message: Option<String>,
    /// Only show the outcome.
    #[serde(default)]
    dry_run: bool,
}

fn go(context: &Context, asked: Publish) -> Result<Value> {
    let query = PublishQuery { paths: asked.paths, hand_edits: asked.hand_edits, local_commits: asked.local_commits };
    let call = context.call(asked.message, asked.dry_run);
    Ok(answer(&publish::publish(&context.site, &call, &query)?))
}

fn answer(outcome: &PublishReply) -> Value {
    let published = &outcome.published;
    let mut urls = Map::new();
    for (name, kind) in
        [("added", ChangeKind::Added), ("changed", ChangeKind::Modified), ("removed", ChangeKind::Deleted)]
    {
        if let Some(all) = outcome.urls.get(&kind).filter(|all| !all.is_empty()) {
            urls.insert(name.into(), reply::first_few(all));
        }
    }
    let left: Vec<&str> = published.left.iter().map(|item| shown(&item.change.path)).collect();
    let paths: Vec<&str> = published.changes.iter().map(|change| shown(&change.path)).collect();
    let pushed = published
        .pushed
        .as_ref()
        .map(|pushed| lean(json!({"remote": pushed.remote, "branch": pushed.branch, "reason": pushed.reason})));
    let mut reply = lean(json!({
        "revision": published.revision,
        "unchanged": published.revision.is_none() && !outcome.dry_run,
        "dry_run": outcome.dry_run,
        "resumed": published.resumed,
        "merged_from": published.merged_from,
    }));
    let Value::Object(fields) = &mut reply else { return reply };
    if let Some(mut pushed) = pushed {
        if let (Value::Object(pushed), Some(push)) = (&mut pushed, &published.pushed) {
            pushed.insert("ok".into(), push.ok.into());
        }
        fields.insert("pushed".into(), pushed);
    }
    fields.insert("published".into(), reply::first_few(&paths));
    fields.insert("urls".into(), Value::Object(urls));
    if outcome.rerendered > 0 {
        fields.insert("rerendered".into(), outcome.rerendered.into());
    }
    fields.insert("unpublished".into(), reply::first_few(&left));
    fields.insert("diagnostics".into(), reply::diagnostics(&outcome.diagnostics));
    if let Some(next) = next(outcome) {
        fields.insert("next".into(), next.into());
    }
    reply
}

fn next(outcome: &PublishReply) -> Option<&'static str> {
    match &outcome.published.pushed {
        _ if outcome.dry_run => Some("Send it again without dry_run to publish."),
        Some(pushed) if !pushed.ok => {
            Some("It is committed and waits to be pushed: tell the person the reason, then publish again.")
        }
        _ => None,
    }
}
