//! Taking back everything one client did since a moment, as one edit.

use std::collections::{BTreeMap, BTreeSet};

use super::Site;
use super::edit::Staged;
use super::revision::{RevisionQuery, UNDOES, list, made_by, undo_change};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath};
use crate::store::{Change, Revision, RevisionKind, Transaction};

/// Revisions that are taken back at once.
const MOST: usize = 1_000;
/// Revisions that a reply names.
const NAMED: usize = 40;

/// What one client made of a path in one go, nobody else's edit between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    before: Option<BlobId>,
    after: Option<BlobId>,
}

/// Stages the undoing of every edit by somebody since a moment, published or not.
///
/// # Errors
/// `NotFound` where there is none, `InvalidArguments` for more than 1,000, `Conflict` with all paths where later edits of others overlap.
pub(super) fn stage(
    site: &Site,
    transaction: &mut Transaction<'_>,
    by: &str,
    since: jiff::Timestamp,
) -> Result<Staged> {
    let revisions = edits(site, by, since)?;
    let mut conflicts = Vec::new();
    for (path, runs) in runs(&revisions) {
        for run in runs.iter().rev() {
            let change = Change { path: path.clone(), before: run.before, after: run.after };
            conflicts.extend(undo_change(site, transaction, &change)?);
        }
    }
    if let Some(first) = conflicts.first() {
        let path = first.path.clone();
        return Err(Error::Conflict { path, yours: None, current: None, diff: String::new(), conflicts });
    }
    let mut staged = Staged::new(format!("Undo what {by} did since {since}"));
    for revision in revisions.iter().take(NAMED) {
        let subject = revision.message.lines().next().unwrap_or_default();
        staged.notes.push(format!("undoes {} of {}: {subject}", revision.id.short(), revision.time));
    }
    staged.trailers = revisions.iter().map(|revision| (UNDOES.to_owned(), revision.id.to_string())).collect();
    if revisions.len() > NAMED {
        staged.notes.push(format!("undoes {} more revisions", revisions.len() - NAMED));
    }
    Ok(staged)
}

/// The edits of somebody since a moment that nobody has taken back, newest first; each once, however often publishes made it anew.
fn edits(site: &Site, by: &str, since: jiff::Timestamp) -> Result<Vec<Revision>> {
    let by = by.to_lowercase();
    let mut query = RevisionQuery { since: Some(since), limit: 200, ..RevisionQuery::default() };
    let mut found = Found::default();
    let mut undone: Vec<String> = Vec::new();
    loop {
        let (part, next) = list(site, &query)?;
        for revision in part.into_iter().filter(is_edit) {
            // Newest first: what takes a revision back was met before it, and counts unless it was taken back itself.
            let is_undone = undone.iter().any(|id| revision.id.as_str().starts_with(id.as_str()));
            if !is_undone {
                let ids = revision.trailers.iter().filter(|(key, _)| key == UNDOES);
                undone.extend(ids.map(|(_, id)| id.to_lowercase()));
            }
            if made_by(&revision, &by) {
                found.add(revision, is_undone);
            }
        }
        if found.revisions.len() > MOST {
            return Err(Error::InvalidArguments {
                field: "since".into(),
                problem: format!("more than {MOST} revisions are meant"),
                example: "a later time; call it again for the earlier ones".into(),
            });
        }
        query.cursor = next;
        if query.cursor.is_none() {
            break;
        }
    }
    if found.revisions.is_empty() {
        let name = format!("by {by} since {since}");
        return Err(Error::NotFound { kind: "revision", name, near: clients(site, since)? });
    }
    Ok(found.revisions.into_iter().filter(|(_, undone)| !undone).map(|(revision, _)| revision).collect())
}

/// Revisions, each once, with whether they were taken back already.
#[derive(Default)]
struct Found {
    revisions: Vec<(Revision, bool)>,
    known: BTreeMap<String, usize>,
}

impl Found {
    fn add(&mut self, revision: Revision, undone: bool) {
        let name = identity(&revision);
        let Some(&at) = self.known.get(&name) else {
            self.known.insert(name, self.revisions.len());
            self.revisions.push((revision, undone));
            return;
        };
        let (known, known_undone) = &mut self.revisions[at];
        *known_undone |= undone;
        // Of a copy that lacks what went live, and the edit as it was made, the whole one counts.
        if known.changes.len() < revision.changes.len() {
            *known = revision;
        }
    }
}

/// Publishes only repeat what edits did; joins and rebases are nobody's.
fn is_edit(revision: &Revision) -> bool {
    match revision.kind {
        RevisionKind::Edit => trailer(revision, "Tool").is_some(),
        RevisionKind::HandEdit => true,
        RevisionKind::Publish | RevisionKind::Commit => false,
    }
}

fn trailer<'r>(revision: &'r Revision, key: &str) -> Option<&'r str> {
    revision.trailers.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

/// What stays of an edit when a publish makes it anew on top of live.
fn identity(revision: &Revision) -> String {
    match trailer(revision, "Call-Id") {
        Some(id) => id.to_owned(),
        None => format!("{} {} {}", revision.time, revision.author.email, revision.message),
    }
}

/// Who edited since a moment, at most three: what a caller may have meant.
fn clients(site: &Site, since: jiff::Timestamp) -> Result<Vec<String>> {
    let (recent, _) = list(site, &RevisionQuery { since: Some(since), limit: 200, ..RevisionQuery::default() })?;
    let names = recent.iter().filter(|revision| is_edit(revision));
    let names = names.map(|revision| trailer(revision, "Client").unwrap_or(&revision.author.name).to_owned());
    Ok(names.collect::<BTreeSet<_>>().into_iter().take(3).collect())
}

/// Per path what was made of it, oldest first; edits that follow on each other are one.
fn runs(newest_first: &[Revision]) -> BTreeMap<ContentPath, Vec<Run>> {
    let mut all: BTreeMap<ContentPath, Vec<Run>> = BTreeMap::new();
    for change in newest_first.iter().rev().flat_map(|revision| &revision.changes) {
        let runs = all.entry(change.path.clone()).or_default();
        match runs.last_mut() {
            Some(last) if last.after == change.before => last.after = change.after,
            _ => runs.push(Run { before: change.before, after: change.after }),
        }
        if runs.last().is_some_and(|run| run.before == run.after) {
            runs.pop();
        }
    }
    all
}
