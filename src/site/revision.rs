//! History, and undoing: every edit and every publish can be taken back by a new edit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::edit::{self, Staged, Written};
use super::{Call, Site, address, rollback};
use crate::error::{Error, Result};
use crate::model::{BlobId, Conflict, ContentPath, Data, File, PathKind, Progress, Side};
use crate::store::{Change, HistoryFilter, Merge, Revision, RevisionId, Transaction, merge_file};

/// Characters of each side in a conflict.
const SIDE_LIMIT: usize = 4_000;
/// Revisions read at once where the state of paths is looked for.
const PART: usize = 200;
/// Parts of the history read in one call to fill a list that is filtered by who.
const MAX_PARTS: usize = 50;

/// The trailer that names a revision taken back.
pub(super) const UNDOES: &str = "Undoes";

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct RevisionQuery {
    /// Only revisions that touched these pages or files; a folder with a final slash stands for all below it.
    pub paths: Vec<String>,
    /// Only revisions whose author, client, token or tool contains this, ignoring case.
    pub by: Option<String>,
    /// Only revisions at or after this moment.
    pub since: Option<jiff::Timestamp>,
    /// Items at most; 0: 20.
    pub limit: usize,
    /// Where the last list ended.
    pub cursor: Option<String>,
    /// Who follows the call.
    pub progress: Progress,
}

/// Lists revisions, newest first, with a cursor where there are more.
pub fn list(site: &Site, query: &RevisionQuery) -> Result<(Vec<Revision>, Option<String>)> {
    let (_, built) = site.working_followed(&query.progress)?;
    let mut paths = Vec::new();
    for name in &query.paths {
        let path = match address::file(&built.library, name) {
            Ok(path) => path.to_string(),
            Err(_) if name.ends_with('/') && !name.starts_with('/') => {
                format!("content/{}", name.trim_start_matches("content/"))
            }
            Err(error) => return Err(error),
        };
        paths.push(path);
    }
    let limit = if query.limit == 0 { 20 } else { query.limit.min(200) };
    let mut filter =
        HistoryFilter { paths, since: query.since, limit, after: query.cursor.clone(), ..HistoryFilter::default() };
    let Some(by) = query.by.as_deref().map(str::to_lowercase) else { return site.repository().history(&filter) };
    let mut found = Vec::new();
    for _ in 0..MAX_PARTS {
        query.progress.proceed()?;
        let (part, next) = site.repository().history(&filter)?;
        found.extend(part.into_iter().filter(|revision| made_by(revision, &by)));
        filter.after = next;
        if found.len() >= limit || filter.after.is_none() {
            break;
        }
    }
    Ok((found, filter.after))
}

/// Whether a revision's author, client, token or tool contains a text.
pub(super) fn made_by(revision: &Revision, by: &str) -> bool {
    let who = |(key, _): &&(String, String)| ["Client", "Token", "Tool"].contains(&key.as_str());
    let trailers = revision.trailers.iter().filter(who).map(|(_, value)| value);
    let author = format!("{} <{}>", revision.author.name, revision.author.email);
    trailers.chain([&author]).any(|text| text.to_lowercase().contains(by))
}

/// What to bring back.
#[derive(Debug, Clone)]
pub enum Restore {
    /// Undo these revisions, in the order given.
    Undo(Vec<String>),
    /// Bring paths back to their state at a revision, or at a moment.
    At {
        /// The revision's id, a time or a date.
        at: String,
        /// Pages or files; a folder with a final slash stands for all below it.
        paths: Vec<String>,
    },
    /// Undo everything somebody did.
    By {
        /// Author, client, token or tool, as in [`RevisionQuery::by`].
        by: String,
        /// From this moment on.
        since: jiff::Timestamp,
    },
}

/// Undoes revisions, or brings paths back to an earlier state, as one new unpublished edit.
///
/// # Errors
/// `NotFound` for unknown revisions, `Conflict` where later edits changed the same lines.
pub fn restore(site: &Site, call: &Call, what: &Restore) -> Result<Written> {
    let kinds =
        [PathKind::Config, PathKind::Page, PathKind::ContentAsset, PathKind::Theme, PathKind::Static, PathKind::Data];
    let footprint = edit::footprint(kinds);
    edit::run(site, call, &footprint, |transaction, before| match what {
        Restore::By { by, since } => rollback::stage(site, transaction, by, *since),
        Restore::Undo(names) => {
            let mut subjects = Vec::new();
            for name in names {
                let revision = site.repository().revision(&site.repository().resolve(name)?)?;
                undo(site, transaction, &revision)?;
                subjects.push(revision.message.lines().next().unwrap_or_default().to_owned());
            }
            let mut staged = Staged::new(format!("Undo: {}", subjects.join("; ")));
            staged.trailers.extend(names.iter().map(|name| (UNDOES.to_owned(), name.clone())));
            Ok(staged)
        }
        Restore::At { at, paths } if at.contains(['-', ':']) => {
            let moment = super::schedule::moment(site, at)?;
            let library = &before.library;
            for (path, id) in states_at(site, transaction, library, moment, paths, &call.progress)? {
                let file = id.map(|id| File { id, size: 0, data: Data::Handle });
                let bytes = file.map(|file| site.repository().bytes(&path, &file)).transpose()?;
                transaction.stage(path, bytes.map(|bytes| bytes.to_vec()))?;
            }
            let mut staged = Staged::new(format!("Restore {} as of {moment}", paths.join(", ")));
            staged.trailers.push(("Restores".into(), moment.to_string()));
            Ok(staged)
        }
        Restore::At { at, paths } => {
            let id = site.repository().resolve(at)?;
            let targets = paths_at(site, transaction, &before.library, &id, paths)?;
            let snapshot = site.repository().snapshot_at(&id)?;
            for path in &targets {
                let bytes = snapshot.get(path).map(|file| site.repository().bytes(path, file)).transpose()?;
                transaction.stage(path.clone(), bytes.map(|bytes| bytes.to_vec()))?;
            }
            let mut staged = Staged::new(format!("Restore {} as of {}", paths.join(", "), id.short()));
            staged.trailers.push(("Restores".into(), id.to_string()));
            Ok(staged)
        }
    })
}

/// What the last revision until a moment made of each path that the names stand for; `None`: it was not there, which only a folder may
/// stand for.
fn states_at(
    site: &Site,
    transaction: &Transaction<'_>,
    library: &crate::model::Library,
    moment: jiff::Timestamp,
    names: &[String],
    progress: &Progress,
) -> Result<BTreeMap<ContentPath, Option<BlobId>>> {
    let not_there =
        |name: &str| Error::NotFound { kind: "state at that time of", name: name.to_owned(), near: Vec::new() };
    let until = HistoryFilter { until: Some(moment), limit: 1, ..HistoryFilter::default() };
    let (last, _) = site.repository().history(&until)?;
    let Some(last) = last.first() else { return Err(not_there(&names.join(", "))) };
    let targets = paths_at(site, transaction, library, &last.id, names)?;
    let mut states = BTreeMap::new();
    let paths = targets.iter().map(ToString::to_string).collect();
    let mut filter = HistoryFilter { paths, limit: PART, ..until };
    while states.len() < targets.len() {
        progress.proceed()?;
        let (part, next) = site.repository().history(&filter)?;
        for change in part.into_iter().flat_map(|revision| revision.changes) {
            if targets.contains(&change.path) {
                states.entry(change.path).or_insert(change.after);
            }
        }
        filter.after = next;
        if filter.after.is_none() {
            break;
        }
    }
    let of_folder = |path: &ContentPath| {
        let inside = |name: &&String| {
            path.as_str().trim_start_matches("content/").starts_with(name.trim_start_matches("content/"))
        };
        names.iter().filter(|name| name.ends_with('/') && !name.starts_with('/')).any(|name| inside(&name))
    };
    for path in targets {
        let state = states.entry(path.clone()).or_insert(None);
        if state.is_none() && !of_folder(&path) {
            return Err(not_there(address::shown(&path)));
        }
    }
    Ok(states)
}

/// Takes one revision's changes back, keeping what came later where it does not overlap.
fn undo(site: &Site, transaction: &mut Transaction<'_>, revision: &Revision) -> Result<()> {
    let mut conflicts = Vec::new();
    for change in &revision.changes {
        conflicts.extend(undo_change(site, transaction, change)?);
    }
    let Some(first) = conflicts.first() else { return Ok(()) };
    let path = first.path.clone();
    Err(Error::Conflict {
        path,
        yours: Some(revision.id.short().to_owned()),
        current: None,
        diff: String::new(),
        conflicts,
    })
}

/// Takes one change back; what keeps it from being taken back, where something does.
pub(super) fn undo_change(site: &Site, transaction: &mut Transaction<'_>, change: &Change) -> Result<Option<Conflict>> {
    let current = transaction.staged().get(&change.path).cloned();
    if current.as_ref().map(|file| file.id) == change.before {
        return Ok(None);
    }
    let load = |id: Option<BlobId>| -> Result<Option<Arc<[u8]>>> {
        id.map(|id| site.repository().bytes(&change.path, &File { id, size: 0, data: Data::Handle })).transpose()
    };
    let (was, became) = (load(change.before)?, load(change.after)?);
    let ours = current.map(|file| site.repository().bytes(&change.path, &file)).transpose()?;
    match merge_file(change.path.as_str(), became.as_deref(), ours.as_deref(), was.as_deref()) {
        Merge::Merged(bytes) => transaction.stage(change.path.clone(), bytes).map(|()| None),
        Merge::Conflict { reason } => Ok(Some(Conflict {
            path: address::shown(&change.path).to_owned(),
            reason: format!("a later edit overlaps: {reason}"),
            base: became.as_deref().map(side),
            ours: ours.as_deref().map(side),
            theirs: was.as_deref().map(side),
        })),
    }
}

fn side(bytes: &[u8]) -> Side {
    let text = std::str::from_utf8(bytes).ok().map(|text| text.chars().take(SIDE_LIMIT).collect());
    Side { etag: crate::store::Repository::blob_id(bytes).to_string(), text }
}

/// The paths that names stand for, in the given revision or now.
fn paths_at(
    site: &Site,
    transaction: &Transaction<'_>,
    library: &crate::model::Library,
    id: &RevisionId,
    names: &[String],
) -> Result<BTreeSet<ContentPath>> {
    let snapshot = site.repository().snapshot_at(id)?;
    let then = site.library(&snapshot, false)?;
    let mut paths = BTreeSet::new();
    for name in names {
        if name.ends_with('/') && !name.starts_with('/') {
            let rooted = ["content/", "themes/", "static/", "data/"].iter().any(|root| name.starts_with(root));
            let folder = if rooted {
                name.trim_end_matches('/').to_owned()
            } else {
                format!("content/{}", name.trim_end_matches('/'))
            };
            let both = snapshot.under(&folder).chain(transaction.base().under(&folder)).map(|(path, _)| path.clone());
            let before = paths.len();
            paths.extend(both);
            if paths.len() == before {
                return Err(Error::NotFound { kind: "folder", name: name.clone(), near: Vec::new() });
            }
            continue;
        }
        let path =
            address::file(&then.library, name).or_else(|error| address::file(library, name).map_err(|_| error))?;
        if !snapshot.contains(path.as_str()) && !transaction.base().contains(path.as_str()) {
            return Err(Error::NotFound { kind: "file", name: name.clone(), near: Vec::new() });
        }
        paths.insert(path);
    }
    Ok(paths)
}
