//! `revision_list` and `revision_restore`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply;
use super::{Context, Edited, Hints, Right, Spec, Tool};
use crate::error::{Error, Result};
use crate::model::Date;
use crate::site::revision::{self, Restore, RevisionQuery};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(LIST, list), Tool::editing(RESTORE, restore)]
}

const LIST: Spec = Spec {
    name: "revision_list",
    title: "List revisions",
    description: "Lists edits and publishes, newest first: what to undo, when a page changed. Replies id, kind, when, by, client, tool, message.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `revision_list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    /// Pages, files, folders (`blog/`).
    #[serde(default)]
    #[schemars(example = ["/blog/hello/"])]
    paths: Vec<String>,
    /// In author, client, token or tool.
    by: Option<String>,
    /// From then on: `2026-11-23` or `2026-11-23T10:00:00Z`.
    #[schemars(example = "2026-11-23")]
    since: Option<String>,
    /// Default 20.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<usize>,
    /// next_cursor.
    cursor: Option<String>,
}

fn list(context: &Context, asked: List) -> Result<Value> {
    let since = asked.since.as_deref().map(moment).transpose()?;
    let mut query = RevisionQuery {
        paths: asked.paths,
        by: asked.by,
        since,
        limit: asked.limit.unwrap_or(0),
        cursor: asked.cursor,
        progress: context.progress.clone(),
    };
    let (mut revisions, mut next_cursor) = revision::list(&context.site, &query)?;
    let mut items: Vec<Value> = revisions.iter().map(reply::revision).collect();
    let fitting = reply::fitting(&items);
    if fitting < items.len() {
        // The cursor belongs to the end of what is listed, so a shorter list is asked for again.
        context.proceed()?;
        query.limit = fitting;
        (revisions, next_cursor) = revision::list(&context.site, &query)?;
        items = revisions.iter().map(reply::revision).collect();
    }
    Ok(json!({"items": items, "next_cursor": next_cursor}))
}

fn moment(text: &str) -> Result<jiff::Timestamp> {
    Date::parse(text.trim(), &jiff::tz::TimeZone::UTC).map(|date| date.timestamp()).ok_or_else(|| {
        let short: String = text.chars().take(40).collect();
        Error::InvalidArguments {
            field: "since".into(),
            problem: format!("expected a date or time, got `{short}`"),
            example: "\"since\": \"2026-11-23\"".into(),
        }
    })
}

const RESTORE: Spec = Spec {
    name: "revision_restore",
    title: "Undo or restore",
    description: "Undoes revisions, published or not, or brings paths back to an earlier state; one new unpublished edit. Give undo, or at and paths, or by and since. Later edits stay unless they overlap. Replies what changed.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: false },
    right: Right::Content,
};

/// Arguments of `revision_restore`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RestoreArguments {
    /// Revision ids to undo, in this order.
    #[serde(default)]
    #[schemars(example = ["1a2b3c4d5e"])]
    undo: Vec<String>,
    /// Whose state to bring back: a revision id, or a time as in since.
    #[schemars(example = "1a2b3c4d5e")]
    at: Option<String>,
    /// With at: pages, files, folders (`blog/`).
    #[serde(default)]
    #[schemars(example = ["/blog/hello/"])]
    paths: Vec<String>,
    /// What this author, client or token did; with since.
    #[schemars(length(min = 1), example = "claude-code")]
    by: Option<String>,
    /// From then on: `2026-11-23`.
    #[schemars(example = "2026-11-23T10:00:00Z")]
    since: Option<String>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

fn restore(context: &Context, asked: RestoreArguments) -> Result<Edited> {
    let what = match (asked.undo.is_empty(), asked.at, asked.paths.is_empty(), asked.by, asked.since) {
        (false, None, true, None, None) => Restore::Undo(asked.undo),
        (true, Some(at), false, None, None) => Restore::At { at, paths: asked.paths },
        (true, None, true, Some(by), Some(since)) if !by.trim().is_empty() => {
            Restore::By { by: by.trim().to_owned(), since: moment(&since)? }
        }
        _ => {
            return Err(Error::InvalidArguments {
                field: "undo".into(),
                problem: "expected either `undo`, or `at` together with `paths`, or `by` together with `since`".into(),
                example: "\"undo\": [\"1a2b3c4d5e\"]".into(),
            });
        }
    };
    let call = context.call(asked.message, asked.dry_run);
    let written = revision::restore(&context.site, &call, &what)?;
    Ok(Edited::new(written, false))
}
