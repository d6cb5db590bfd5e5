//! `publish`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reply::{self, lean};
use super::{Context, Hints, Right, Spec, Tool};
use crate::error::Result;
use crate::site::address::shown;
use crate::site::publish::{self, PublishQuery, PublishReply};
use crate::site::schedule;
use crate::site::{ChangeKind, Published, PushReport};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(PUBLISH, go)]
}

const PUBLISH: Spec = Spec {
    name: "publish",
    title: "Publish",
    description: "Makes edits live: builds, commits, pushes. Refused, with nothing changed, on errors, conflicts, or paths that need others. Replies revision, pushed, urls, what stays unpublished. Look first: preview, change_diff.",
    hints: Hints { read_only: false, destructive: true, idempotent: true, open_world: true },
    right: Right::Publish,
};

/// Arguments of `publish`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Publish {
    /// Pages, files, folders (`blog/`); default: all.
    #[serde(default)]
    #[schemars(example = ["/blog/hello/"])]
    paths: Vec<String>,
    /// Take a person's hand edits along; ask first.
    #[serde(default)]
    hand_edits: bool,
    /// Take a person's unpushed commits along; ask first.
    #[serde(default)]
    local_commits: bool,
    /// Not live: push a branch for a person to merge, reply its link.
    #[serde(default)]
    review: bool,
    /// Freeze it, go live at this time. change_close cancels.
    #[schemars(example = "2026-12-01T09:00:00Z")]
    at: Option<String>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

fn go(context: &Context, asked: Publish) -> Result<Value> {
    let query = PublishQuery {
        paths: asked.paths,
        hand_edits: asked.hand_edits,
        local_commits: asked.local_commits,
        review: asked.review,
        at: asked.at.as_deref().map(|at| schedule::moment(&context.site, at)).transpose()?,
    };
    let call = context.call(asked.message, asked.dry_run);
    Ok(answer(&publish::publish(&context.site, &call, &query)?))
}

pub(super) fn answer(outcome: &PublishReply) -> Value {
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
    let mut reply = lean(json!({
        "revision": published.revision,
        "unchanged": published.revision.is_none() && published.pushed.is_none() && outcome.scheduled.is_none() && published.review.as_ref().is_none_or(|r| r.unchanged) && !outcome.dry_run,
        "dry_run": outcome.dry_run,
        "resumed": published.resumed,
        "merged_from": published.merged_from,
        "review": review(outcome),
        "change_set_closed": published.closed,
        "scheduled": scheduled(outcome),
    }));
    let Value::Object(fields) = &mut reply else { return reply };
    for (name, report) in [("pushed", &published.pushed), ("deployed", &published.deployed)] {
        if let Some(report) = report {
            fields.insert(name.into(), push_report(report));
        }
    }
    let list = match (&published.review, &outcome.scheduled) {
        (Some(_), _) => "in_review",
        (_, Some(_)) => "frozen",
        _ => "published",
    };
    fields.insert(list.into(), reply::first_few(&paths));
    fields.insert("urls".into(), Value::Object(urls));
    if outcome.rerendered > 0 {
        fields.insert("rerendered".into(), outcome.rerendered.into());
    }
    fields.insert("unpublished".into(), reply::first_few(&left));
    if !outcome.held.is_empty() {
        let held: Vec<&str> = outcome.held.iter().map(shown).collect();
        fields.insert("held".into(), reply::first_few(&held));
    }
    fields.insert("diagnostics".into(), reply::diagnostics(&outcome.diagnostics));
    if let Some(next) = next(outcome) {
        fields.insert("next".into(), next.into());
    }
    reply
}

fn push_report(report: &PushReport) -> Value {
    let mut shown = lean(json!({"remote": report.remote, "branch": report.branch, "reason": report.reason}));
    if let Value::Object(fields) = &mut shown {
        fields.insert("ok".into(), report.ok.into());
    }
    shown
}

fn scheduled(outcome: &PublishReply) -> Value {
    let Some(set) = &outcome.scheduled else { return Value::Null };
    json!({"change_set": set.id, "at": set.at.map(|at| at.to_string())})
}

fn review(outcome: &PublishReply) -> Value {
    let Some(review) = &outcome.published.review else { return Value::Null };
    lean(json!({
        "branch": review.branch,
        "into": review.target,
        "url": outcome.review_url,
        "revision": review.revision,
        "updated": review.updated && !outcome.dry_run,
    }))
}

fn next(outcome: &PublishReply) -> Option<&'static str> {
    match &outcome.published {
        _ if outcome.scheduled.is_some() => {
            Some("Not live yet. It is frozen: later edits do not get in; change_close with how: discard cancels it.")
        }
        _ if outcome.dry_run => Some("Send it again without dry_run to publish."),
        Published { review: Some(_), .. } if outcome.review_url.is_some() => {
            Some("Not live: give the person review.url to merge; when they have, call site_sync.")
        }
        Published { review: Some(_), .. } => {
            Some("Not live: ask the person to merge review.branch; when they have, call site_sync.")
        }
        Published { pushed: Some(pushed), revision: None, .. } if !pushed.ok => {
            Some("Nothing went live: tell the person the reason, then publish the change set again.")
        }
        Published { pushed: Some(pushed), .. } if !pushed.ok => {
            Some("It is committed and waits to be pushed: tell the person the reason, then publish again.")
        }
        Published { deployed: Some(deployed), .. } if !deployed.ok => Some(
            "The sources are pushed, the output waits: tell the person the reason in deployed, then publish again.",
        ),
        _ => None,
    }
}
