//! What is not published yet: list it, show it, discard it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::edit::{self, Staged, Written};
use super::etag::IfMatch;
use super::{Call, Site, address, text_diff};
use crate::build::Built;
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, PathKind, Progress, Snapshot};
use crate::store::{Revision, Status, Unpublished};

/// Bytes of diff per file.
const DIFF_LIMIT: usize = 12_000;

/// Everything unpublished.
#[derive(Debug)]
pub struct ChangeList {
    /// The repository's state.
    pub status: Status,
    /// The build of the working tree, for URLs and titles.
    pub built: Arc<Built>,
    /// The revisions named in `status.unpublished`, newest first.
    pub revisions: Vec<Revision>,
}

/// Lists what is unpublished, by whom and why.
pub fn list(site: &Site, progress: &Progress) -> Result<ChangeList> {
    let (_, built) = site.working_followed(progress)?;
    let status = site.repository().status_followed(progress)?;
    let mut ids: BTreeSet<&crate::store::RevisionId> = BTreeSet::new();
    for unpublished in &status.unpublished {
        ids.extend(&unpublished.revisions);
    }
    let read = |id: &crate::store::RevisionId| {
        progress.proceed()?;
        site.repository().revision(id)
    };
    let mut revisions = ids.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    revisions.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.id.cmp(&b.id)));
    Ok(ChangeList { status, built, revisions })
}

/// How a difference is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DiffStyle {
    /// Lines with context.
    #[default]
    Unified,
    /// Changed words marked.
    Words,
    /// Counts only.
    Stat,
}

/// One file's difference from live.
#[derive(Debug, Clone)]
pub struct FileDiff {
    /// Its path.
    pub path: ContentPath,
    /// Etag now; `None`: deleted.
    pub etag: Option<BlobId>,
    /// Etag live; `None`: new.
    pub live: Option<BlobId>,
    /// Edited by a person and not through a tool.
    pub hand_edit: bool,
    /// The difference as asked for; empty for binary files and [`DiffStyle::Stat`].
    pub diff: String,
    /// Lines added and removed.
    pub stat: text_diff::Stat,
}

/// Shows the difference from live to the working tree, of some paths or of all.
pub fn diff(site: &Site, paths: &[String], style: DiffStyle, progress: &Progress) -> Result<Vec<FileDiff>> {
    let (working, built) = site.working_followed(progress)?;
    let live = site.live()?;
    let unpublished = site.repository().status_followed(progress)?.unpublished;
    let wanted = match paths {
        [] => None,
        paths => Some(selected(&built, &unpublished, paths)?),
    };
    let mut diffs = Vec::new();
    for item in unpublished {
        let path = &item.change.path;
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(path)) {
            continue;
        }
        progress.proceed()?;
        site.effects().read(path, item.change.after);
        let old = live.get(path).and_then(|file| file.text()).unwrap_or_default();
        let new = working.get(path).and_then(|file| file.text()).unwrap_or_default();
        diffs.push(FileDiff {
            etag: item.change.after,
            live: item.change.before,
            hand_edit: item.hand_edit,
            diff: match style {
                DiffStyle::Unified => text_diff::unified(old, new, DIFF_LIMIT),
                DiffStyle::Words => text_diff::words(old, new, DIFF_LIMIT),
                DiffStyle::Stat => String::new(),
            },
            stat: text_diff::stat(old, new),
            path: path.clone(),
        });
    }
    Ok(diffs)
}

/// The unpublished paths that names stand for; a folder (`blog/`, `themes/x/`) stands for all below it.
pub(super) fn selected(built: &Built, unpublished: &[Unpublished], names: &[String]) -> Result<BTreeSet<ContentPath>> {
    let mut paths = BTreeSet::new();
    for name in names {
        let below = folder_paths(unpublished, name);
        if !below.is_empty() {
            paths.extend(below);
            continue;
        }
        paths.insert(find(built, unpublished, name)?);
    }
    Ok(paths)
}

fn find(built: &Built, unpublished: &[Unpublished], name: &str) -> Result<ContentPath> {
    let literal = |path: &ContentPath| path.as_str() == name || address::shown(path) == name.trim_start_matches("@/");
    if let Some(item) = unpublished.iter().find(|item| literal(&item.change.path)) {
        return Ok(item.change.path.clone());
    }
    address::file(&built.library, name)
}

fn folder_paths(unpublished: &[Unpublished], name: &str) -> Vec<ContentPath> {
    let Some(folder) = name.strip_suffix('/').filter(|folder| !folder.starts_with('/')) else { return Vec::new() };
    let rooted = [format!("{folder}/"), format!("content/{folder}/")];
    unpublished
        .iter()
        .map(|item| &item.change.path)
        .filter(|path| rooted.iter().any(|prefix| path.as_str().starts_with(prefix.as_str())))
        .cloned()
        .collect()
}

/// A path to discard, with the etag that was seen.
#[derive(Debug, Clone)]
pub struct Discard {
    /// Page or file.
    pub path: String,
    /// Its etag as seen; `None` for a deleted file; `*`: whatever it is.
    pub etag: Option<String>,
}

/// Brings paths back to what is live, as one revision (so that it can be undone). `paths` of `None` means everything.
///
/// # Errors
/// `Conflict` where an etag is stale, `NotFound` where a path has no unpublished change.
pub fn discard(site: &Site, call: &Call, paths: Option<&[Discard]>) -> Result<Written> {
    let kinds =
        [PathKind::Config, PathKind::Page, PathKind::ContentAsset, PathKind::Theme, PathKind::Static, PathKind::Data];
    let live = site.live()?;
    edit::run(site, call, &edit::footprint(kinds), |transaction, before| {
        let base = Arc::clone(transaction.base());
        let targets = match paths {
            None => differing(&live, &base),
            Some(paths) => named(before, &live, &base, paths)?,
        };
        for path in &targets {
            let bytes = match live.get(path) {
                Some(file) => Some(site.repository().bytes(path, file)?.to_vec()),
                None => None,
            };
            transaction.stage(path.clone(), bytes)?;
        }
        let message = match targets.as_slice() {
            [one] => format!("Discard changes of {}", address::shown(one)),
            many => format!("Discard changes of {} files", many.len()),
        };
        let mut staged = Staged::new(message);
        staged.trailers.push(("Discard".into(), targets.len().to_string()));
        Ok(staged)
    })
}

fn differing(live: &Snapshot, base: &Snapshot) -> Vec<ContentPath> {
    let id = |snapshot: &Snapshot, path: &ContentPath| snapshot.get(path).map(|file| file.id);
    let all: BTreeSet<&ContentPath> = live.iter().chain(base.iter()).map(|(path, _)| path).collect();
    all.into_iter().filter(|path| id(live, path) != id(base, path)).cloned().collect()
}

fn named(before: &Built, live: &Snapshot, base: &Snapshot, paths: &[Discard]) -> Result<Vec<ContentPath>> {
    let changed = differing(live, base);
    let mut targets = Vec::new();
    for discard in paths {
        let literal = |path: &&ContentPath| path.as_str() == discard.path || address::shown(path) == discard.path;
        let path = match changed.iter().find(literal) {
            Some(path) => path.clone(),
            None => address::file(&before.library, &discard.path)?,
        };
        if !changed.contains(&path) {
            let near = changed.iter().take(3).map(|path| address::shown(path).to_owned()).collect();
            return Err(Error::NotFound { kind: "unpublished change", name: discard.path.clone(), near });
        }
        let now = base.get(&path).map(|file| file.id);
        let wanted = discard.etag.as_deref().map(IfMatch::parse).transpose()?;
        if !wanted.as_ref().map_or(now.is_none(), |wanted| wanted.holds(now)) {
            let text = |snapshot: &Snapshot| snapshot.text(path.as_str()).unwrap_or_default().to_owned();
            let diff = text_diff::unified(&text(live), &text(base), DIFF_LIMIT);
            return Err(wanted.map_or_else(
                || IfMatch::missing(&path, &discard.path, now, "discarding the changes of"),
                |wanted| wanted.stale(&path, now, diff),
            ));
        }
        targets.push(path);
    }
    Ok(targets)
}
