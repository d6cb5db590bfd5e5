//! Named change sets: lines of edits beside the working tree, so that several agents and a person never step on each other.

use super::edit::{self, Staged, Written};
use super::{Call, Site, lock, review};
use crate::error::{Error, Result};
use crate::model::PathKind;
use crate::store::{ChangeSet, Opening, RevisionId, Unpublished};

/// Sets that may be open at once.
const MOST: usize = 200;
/// Edits that the message of a merge lists.
const LISTED: usize = 100;
/// How like a near match must be, from 0 to 1.
const NEAR: f32 = 0.6;
/// Kinds of file a change set can hold.
const KINDS: [PathKind; 6] =
    [PathKind::Config, PathKind::Page, PathKind::ContentAsset, PathKind::Theme, PathKind::Static, PathKind::Data];

/// An open change set and how much is in it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The set.
    pub set: ChangeSet,
    /// What differs from live in it.
    pub unpublished: Vec<Unpublished>,
}

/// What becomes of a change set that is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Its edits are dropped; their revision ids go on working.
    Discard,
    /// Its edits become one unpublished revision of the working tree.
    Merge,
}

/// A change set that was closed, or would be.
#[derive(Debug, Clone)]
pub struct Closed {
    /// Its last revision: `revision_restore` brings back what it held.
    pub tip: RevisionId,
    /// Nothing was closed because it was only asked what would be.
    pub dry_run: bool,
    /// Somebody wrote to it during the merge: what is new stays in it.
    pub still_open: bool,
    /// Paths that were discarded.
    pub discarded: usize,
    /// What the merge did in the working tree.
    pub merged: Option<Written>,
}

/// Opens a change set that starts from what is live.
///
/// # Errors
/// `InvalidArguments` for an empty purpose, `RepositoryState` where too many are open or there is no commit yet.
pub fn open(site: &Site, call: &Call, purpose: &str) -> Result<ChangeSet> {
    if purpose.trim().is_empty() {
        return Err(Error::InvalidArguments {
            field: "purpose".into(),
            problem: "it is empty".into(),
            example: "\"purpose\": \"Spring prices\"".into(),
        });
    }
    let before = lock(&site.shared.opened).find(call, site.now()).map(str::to_owned);
    if let Some(set) = before.and_then(|id| untouched(site, &id)) {
        return Ok(set);
    }
    room(site)?;
    let note = Call { message: Some(purpose.to_owned()), ..call.clone() }.note(purpose);
    call.progress.commit()?;
    let opening = Opening { slug: review::slug(purpose), note, at: None };
    let set = site.repository().open_change_set(&opening)?;
    lock(&site.shared.opened).keep(call, site.now(), &set.id);
    Ok(set)
}

/// A set that nobody wrote to since it was opened: what a client that lost the answer asks for again.
fn untouched(site: &Site, id: &str) -> Option<ChangeSet> {
    let set = site.in_change_set(id).ok()?;
    let nothing = set.repository().status().is_ok_and(|status| status.unpublished.is_empty());
    set.repository().change_set().ok().filter(|_| nothing)
}

/// Refuses one more set where too many are open.
pub(super) fn room(site: &Site) -> Result<()> {
    if site.repository().change_sets()?.len() < MOST {
        return Ok(());
    }
    Err(Error::RepositoryState {
        state: format!("{MOST} change sets are open"),
        cure: "Publish some, or close them with `change_close`; `change_list` names them.".into(),
    })
}

/// Every open change set, the oldest first.
///
/// # Errors
/// What reading the repository can fail with.
pub fn list(site: &Site) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for set in site.repository().change_sets()? {
        match unpublished(site, &set.id) {
            Ok(unpublished) => found.push(Listed { set, unpublished }),
            // Closed since the list was read.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn unpublished(site: &Site, id: &str) -> Result<Vec<Unpublished>> {
    Ok(site.in_change_set(id)?.repository().status()?.unpublished)
}

/// Up to three open sets whose ids are most like a name.
pub(super) fn near(site: &Site, name: &str) -> Vec<String> {
    let wanted: String = name.trim().to_lowercase().chars().take(64).collect();
    let Ok(sets) = site.repository().change_sets() else { return Vec::new() };
    let like = |id: &str| similar::TextDiff::from_chars(wanted.as_str(), id).ratio();
    let mut found: Vec<(f32, String)> = sets.into_iter().map(|set| (like(&set.id), set.id)).collect();
    found.retain(|(score, id)| *score >= NEAR || (wanted.len() >= 4 && id.starts_with(&wanted)));
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    found.into_iter().take(3).map(|(_, id)| id).collect()
}

/// Closes a change set.
///
/// # Errors
/// `NotFound`, and for a merge what an edit of the working tree can be refused with: `Conflict` with all paths, `BuildFailed`,
/// `RepositoryState`.
pub fn close(site: &Site, call: &Call, id: &str, how: How) -> Result<Closed> {
    let set = site.in_change_set(id)?;
    match how {
        How::Discard => discard(&set, call),
        How::Merge => merge(&site.in_working(), &set, call),
    }
}

fn discard(set: &Site, call: &Call) -> Result<Closed> {
    let about = set.repository().change_set()?;
    let discarded = set.repository().status()?.unpublished.len();
    if !call.dry_run {
        call.progress.commit()?;
        let note = call.note(format!("Discard change set {}: {}", about.id, review::title(&about.purpose)));
        set.repository().close_change_set(&about.tip, true, &note)?;
    }
    Ok(Closed { tip: about.tip, dry_run: call.dry_run, still_open: false, discarded, merged: None })
}

fn merge(working: &Site, set: &Site, call: &Call) -> Result<Closed> {
    let about = set.repository().change_set()?;
    let mut tip = None;
    // Without arguments there is no receipt: a set that got new edits meanwhile is merged again by the same call.
    let inner = Call { arguments: String::new(), ..call.clone() };
    let written = edit::run(working, &inner, &edit::footprint(KINDS), |transaction, _| {
        let merging = set.repository().merging(transaction.tip())?;
        for (path, bytes) in merging.files {
            transaction.stage(path, bytes)?;
        }
        let mut message = format!("Merge change set {}: {}\n", about.id, review::title(&about.purpose));
        for (id, subject) in merging.edits.iter().take(LISTED) {
            message.push_str(&format!("\n- {} {subject}", id.short()));
        }
        if merging.edits.len() > LISTED {
            message.push_str(&format!("\n- and {} more", merging.edits.len() - LISTED));
        }
        tip = Some(merging.tip);
        let mut staged = Staged::new(message);
        staged.trailers = merging.trailers;
        staged.trailers.push(("Change-Set".into(), about.id.clone()));
        Ok(staged)
    })?;
    let tip = tip.unwrap_or(about.tip);
    let mut closed = Closed { tip, dry_run: call.dry_run, still_open: false, discarded: 0, merged: Some(written) };
    if !call.dry_run {
        let note = call.note(format!("Merged change set {}", about.id));
        match set.repository().close_change_set(&closed.tip, false, &note) {
            Ok(()) => {}
            Err(Error::Busy { .. }) => closed.still_open = true,
            // Somebody else closed it meanwhile.
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(closed)
}
