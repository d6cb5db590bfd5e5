//! Takes what the remote has into the working tree, without publishing anything.

use std::collections::BTreeSet;

use git2::Oid;

use super::merge::tree::{Edit, merge_onto};
use super::message::{self, ORIGIN, revision_id};
use super::publish::land::Landing;
use super::publish::{Fetched, Stand, plan};
use super::refs::{move_ref, target, tree_of};
use super::{Change, Note, Repository, RevisionId, tree};
use crate::error::{Error, Result};
use crate::model::Conflict;

/// What a sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synced {
    /// The tip of the edits before.
    pub before: Option<RevisionId>,
    /// And now.
    pub after: Option<RevisionId>,
    /// What it changed in the working tree.
    pub changes: Vec<Change>,
    /// Unpublished edits that contradict what the remote has. They stay as they are; a publish of them is refused until each
    /// is written anew with `if_match` set to its `theirs.etag`.
    pub conflicts: Vec<Conflict>,
    /// Review branches that were merged: what they held is live.
    pub merged_reviews: Vec<String>,
    /// Review branches that the remote has no more, unmerged: what they held is unpublished as before.
    pub closed_reviews: Vec<String>,
}

impl Repository {
    /// Fetches the publish branch and merges it into the working tree, path by path.
    ///
    /// # Errors
    /// [`Error::RemoteUnavailable`], [`Error::RepositoryState`]. Local commits that contradict the remote: [`Error::Conflict`].
    pub fn sync(&self, note: &Note) -> Result<Synced> {
        let _one = self.publish_lock()?;
        let git = self.git()?;
        let transport = self.transport(&git, self.branch());
        if let Fetched::Unreachable(reason) = self.fetch_live(&git, transport.as_deref())? {
            return Err(Error::RemoteUnavailable { remote: self.options().remote.clone(), reason });
        }
        self.land_pending(&git)?;
        let mut stand = self.stand(&git)?;
        let first = stand.tip;
        let mut synced = Synced { before: first.map(revision_id), ..Synced::default() };
        synced.merged_reviews = self.land_reviews(&git)?;
        synced.closed_reviews = self.close_reviews(&git)?;
        if !synced.merged_reviews.is_empty() {
            stand = self.stand(&git)?;
        }
        if let Some(live) = self.ahead(&git, &stand)? {
            synced.conflicts = if self.is_forward(&git, &stand, live) {
                self.forward(&git, &stand, live)?
            } else {
                self.join(&git, &stand, live, note)?
            };
        }
        let tip = self.tip_commit(&git)?;
        synced.changes = message::changes(self.compare(&git, first, tip)?);
        synced.after = tip.map(revision_id);
        Ok(synced)
    }

    /// Takes live into the working tree as far as it is known here, where nobody has to decide anything for it: after the publish of
    /// a named change set.
    pub(crate) fn catch_up(&self, git: &git2::Repository) -> Result<()> {
        let stand = self.stand(git)?;
        match self.ahead(git, &stand)? {
            Some(live) if self.is_forward(git, &stand, live) => self.forward(git, &stand, live).map(|_| ()),
            _ => Ok(()),
        }
    }

    /// The edits start anew on top of live, and the local branch follows.
    fn forward(&self, git: &git2::Repository, stand: &Stand, live: Oid) -> Result<Vec<Conflict>> {
        let base = match stand.tip {
            Some(tip) => Some(plan::common(git, tip, live, &self.options().remote)?),
            None => None,
        };
        let none = BTreeSet::new();
        let reached = tree_of(git, base)?;
        self.land(git, &Landing { live, reached, tip: None, selected: &none })
    }

    /// The person has local commits: the local branch stays theirs, and the edits take in live by a merge.
    fn join(&self, git: &git2::Repository, stand: &Stand, live: Oid, note: &Note) -> Result<Vec<Conflict>> {
        let Some(tip) = stand.tip else { return Err(Error::internal("a branch without a tip")) };
        let base = plan::common(git, tip, live, &self.options().remote)?;
        let theirs = tree_of(git, Some(live))?;
        let output = self.whole(self.output());
        let edits: Vec<Edit> =
            tree::compare_in(git, tree_of(git, Some(base))?, tree_of(git, Some(tip))?, &|f| f != output)?
                .into_iter()
                .map(|d| Edit { path: d.path, base: d.old, ours: d.new })
                .collect();
        let merged = merge_onto(git, theirs, &edits, &|path| self.site_path(path))?;
        if !merged.conflicts.is_empty() {
            return Err(plan::conflict(merged.conflicts));
        }
        let tree = tree::update(git, theirs, &merged.updates)?;
        let lock = self.lock()?;
        let entered = self.enter(git, &lock)?;
        if entered.tip != stand.tip {
            return Err(Error::Busy { holder: "the site was edited meanwhile".into() });
        }
        let mut note = note.clone();
        if note.message.trim().is_empty() {
            note.message = "Take in what the remote has".into();
        }
        note.trailers.push((ORIGIN.into(), "merge".into()));
        let joined = self.commit(git, tree, &[tip, live], &self.author(git), &note)?;
        self.durable()?;
        let was = target(git, &self.refs().working)?;
        if was.is_none() {
            self.set_projected(git, Some(tip))?;
        }
        move_ref(git, &self.refs().working, was, Some(joined), "sitewright: sync")?;
        self.durable()?;
        self.project(git, self.steps(git, Some(tip), joined)?)?;
        self.set_projected(git, Some(joined))?;
        Ok(Vec::new())
    }

    /// Whether the local branch has nothing that live has not.
    fn is_forward(&self, git: &git2::Repository, stand: &Stand, live: Oid) -> bool {
        stand.head.is_none_or(|head| self.is_on(git, Some(live), head).unwrap_or(false))
    }

    /// Live, where the working tree does not know it yet.
    fn ahead(&self, git: &git2::Repository, stand: &Stand) -> Result<Option<Oid>> {
        let Some(live) = stand.live else { return Ok(None) };
        let knows = self.is_on(git, stand.head, live)? && self.is_on(git, stand.tip, live)?;
        Ok((!knows).then_some(live))
    }
}
