//! What several tools answer alike: what an edit did, findings, revisions, and how long replies end.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{Diagnostic, PageState, Severity};
use crate::site::address::shown;
use crate::site::edit::{ChangedFile, Written};
use crate::site::{Change, Revision, RevisionKind};

/// Bytes of JSON after which a reply ends at an item border and says how to go on.
pub(super) const REPLY_LIMIT: usize = 20_000;
/// Bytes of rendered content in a reply that asked for it.
pub(super) const CONTENT_LIMIT: usize = 40_000;
/// URLs and paths named of a longer list.
const FIRST: usize = 8;
/// Facts of an edit in its reply.
const NOTES: usize = 12;
/// Rendered addresses named.
const RENDERED: usize = 5;
/// Characters of one.
const NOTE_CHARACTERS: usize = 300;

/// Bytes a value has as JSON.
pub(super) fn size(value: &Value) -> usize {
    value.to_string().len()
}

/// How many of `items` fit into a reply, at least one.
pub(super) fn fitting(items: &[Value]) -> usize {
    let mut total = 0;
    let fit = items.iter().take_while(|item| {
        total += size(item) + 1;
        total <= REPLY_LIMIT
    });
    fit.count().max(1).min(items.len())
}

/// Leaves out `null`, `false` and empty lists: what is absent is as clear and costs nothing.
pub(super) fn lean(value: Value) -> Value {
    let Value::Object(mut map) = value else { return value };
    map.retain(|_, value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    });
    Value::Object(map)
}

/// A count and the first few.
pub(super) fn first_few<S: AsRef<str>>(all: &[S]) -> Value {
    let first: Vec<&str> = all.iter().take(FIRST).map(AsRef::as_ref).collect();
    json!({"count": all.len(), "first": first})
}

/// The reply of every tool that writes.
pub(super) fn written(written: &Written, html: bool) -> Value {
    let mut reply = Map::new();
    if let Some(revision) = &written.revision {
        reply.insert("revision".into(), json!(revision));
    }
    for (flag, on) in [("unchanged", written.unchanged()), ("dry_run", written.dry_run), ("repeated", written.repeated)]
    {
        if on {
            reply.insert(flag.into(), true.into());
        }
    }
    let changed = changed_files(&written.changed, html);
    let left_out = written.changed.len() - changed.len();
    reply.insert("changed".into(), changed.into());
    if left_out > 0 {
        reply.insert("changed_left_out".into(), left_out.into());
    }
    reply.insert("affected_urls".into(), first_few(&written.affected));
    if !written.rendered.is_empty() {
        reply.insert("rendered".into(), rendered(&written.rendered));
    }
    reply.insert("diagnostics".into(), diagnostics(&written.diagnostics));
    if !written.notes.is_empty() {
        reply.insert("notes".into(), notes(&written.notes).into());
    }
    if let Some(next) = next(written) {
        reply.insert("next".into(), next.into());
    }
    Value::Object(reply)
}

/// What had to be rendered and why: how many for each reason, and the first few.
fn rendered(all: &[(String, &'static str)]) -> Value {
    let mut because: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, why) in all {
        *because.entry(why).or_default() += 1;
    }
    let first: Vec<String> = all.iter().take(RENDERED).map(|(url, why)| format!("{url}: {why}")).collect();
    json!({"count": all.len(), "because": because, "first": first})
}

/// Facts of an edit: the first few, each no longer than it takes to understand it; a section has thousands of redirects.
fn notes(all: &[String]) -> Vec<Value> {
    let short = |note: &String| match note.char_indices().nth(NOTE_CHARACTERS) {
        Some((end, _)) => format!("{} ...", &note[..end]),
        None => note.clone(),
    };
    let mut notes: Vec<Value> = all.iter().take(NOTES).map(short).map(Value::from).collect();
    if all.len() > NOTES {
        notes.push(format!("and {} more of this kind; change_diff shows all", all.len() - NOTES).into());
    }
    notes
}

/// The files with diff and, where asked for, content, until the reply is full; then without; then no more.
fn changed_files(files: &[ChangedFile], html: bool) -> Vec<Value> {
    let limit = if html { CONTENT_LIMIT } else { REPLY_LIMIT };
    let mut total = 0;
    let mut items = Vec::new();
    for file in files {
        let mut item = changed_file(file);
        let bare = size(&item);
        if total + bare > limit {
            break;
        }
        if let (Value::Object(fields), true) = (&mut item, total + bare + file.diff.len() <= limit) {
            if !file.diff.is_empty() {
                fields.insert("diff".into(), file.diff.clone().into());
            }
            let room = limit.saturating_sub(total + bare + file.diff.len());
            if let Some(content) = file.html.as_deref().filter(|content| html && content.len() <= room) {
                fields.insert("html".into(), content.into());
            } else if html && file.html.is_some() {
                fields.insert("html_left_out".into(), true.into());
            }
        }
        total += size(&item);
        items.push(item);
    }
    items
}

fn changed_file(file: &ChangedFile) -> Value {
    let state = file.state.filter(|state| *state != PageState::Live);
    lean(json!({
        "path": shown(&file.path),
        "url": file.url,
        "etag": file.etag.map(|etag| etag.to_string()),
        "deleted": file.etag.is_none(),
        "state": state,
        "lines": {"added": file.stat.added, "removed": file.stat.removed},
    }))
}

fn next(written: &Written) -> Option<&'static str> {
    let errors = written.diagnostics.iter().any(|finding| finding.severity == Severity::Error);
    match written {
        _ if written.unchanged() => None,
        _ if written.dry_run => Some("Send it again without dry_run to write it."),
        _ if errors => Some("Mend the error-level diagnostics: they stop publish."),
        _ => Some("Not live yet: look with preview, then publish."),
    }
}

/// Findings as they are, without empty fields.
pub(super) fn diagnostics(findings: &[Diagnostic]) -> Value {
    findings
        .iter()
        .map(|finding| {
            let mut item = json!(finding);
            if let Value::Object(fields) = &mut item {
                fields.insert("path".into(), shown(&finding.path).into());
                if finding.line == 0 {
                    fields.remove("line");
                }
                fields.remove("refers");
            }
            item
        })
        .collect()
}

/// A revision as lists show it.
pub(super) fn revision(revision: &Revision) -> Value {
    let trailer = |key: &str| revision.trailers.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let kind = match revision.kind {
        RevisionKind::Edit => "edit",
        RevisionKind::HandEdit => "hand_edit",
        RevisionKind::Publish => "publish",
        RevisionKind::Commit => "commit",
    };
    let paths: Vec<Value> = revision.changes.iter().take(FIRST).map(change).collect();
    let more = revision.changes.len() - paths.len();
    lean(json!({
        "id": revision.id,
        "kind": kind,
        "origin": origin(revision),
        "when": revision.time.to_string(),
        "by": revision.author.name,
        "client": trailer("Client"),
        "token": trailer("Token"),
        "tool": trailer("Tool"),
        "message": revision.message.trim_end(),
        "changes": paths,
        "more_changes": if more > 0 { json!(more) } else { Value::Null },
    }))
}

/// Who was at work: an agent through a tool, or a person with an editor, git or the command line.
fn origin(revision: &Revision) -> &'static str {
    let by_tool = matches!(revision.kind, RevisionKind::Edit | RevisionKind::Publish);
    let typed = |(key, value): &(String, String)| key == "Client" && value.starts_with("sitewright ");
    if by_tool && !revision.trailers.iter().any(typed) { "agent" } else { "person" }
}

/// A changed path with what happened to it.
pub(super) fn change(change: &Change) -> Value {
    json!({"path": shown(&change.path), "change": change.kind()})
}
