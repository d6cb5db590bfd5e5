//! A publish commit that has not landed yet, as two refs: the commit, and what its edits have reached.

use std::collections::BTreeSet;

use git2::Oid;

use super::plan::Plan;
use crate::error::Result;
use crate::store::failure::git_error;
use crate::store::refs::{self, move_ref, target};
use crate::store::{Repository, message};

/// The publish that waits.
#[derive(Debug)]
pub(super) struct Pending {
    /// The publish commit.
    pub(super) commit: Oid,
    /// The last common tree with the selected paths as they went out.
    pub(super) reached: Oid,
    /// The edits' tip it was made from.
    pub(super) tip: Option<Oid>,
    /// Which paths were selected.
    pub(super) selected: BTreeSet<String>,
    record: Oid,
}

fn record_ref(repository: &Repository) -> String {
    format!("{}/pending-edits", repository.refs().namespace())
}

impl Pending {
    pub(super) fn read(repository: &Repository, git: &git2::Repository) -> Result<Option<Self>> {
        if !repository.is_working() {
            return Ok(None);
        }
        let commit = target(git, &repository.refs().pending)?;
        let record = target(git, &record_ref(repository))?;
        let (Some(commit), Some(record)) = (commit, record) else { return Ok(None) };
        let found = git.find_commit(record).map_err(git_error("read the waiting publish"))?;
        let text = String::from_utf8_lossy(found.message_bytes()).into_owned();
        let selected = text.lines().skip(2).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Ok(Some(Self { commit, reached: found.tree_id(), tip: found.parent_id(0).ok(), selected, record }))
    }

    /// Remembers a publish.
    pub(super) fn write(repository: &Repository, git: &git2::Repository, commit: Oid, plan: &Plan) -> Result<()> {
        Self::remember(repository, git, commit, plan.tip, plan.reached, &plan.selected)
    }

    /// Remembers a publish by what its edits have reached. The record goes first: without the commit's ref it means nothing.
    pub(super) fn remember(
        repository: &Repository,
        git: &git2::Repository,
        commit: Oid,
        tip: Option<Oid>,
        reached: Oid,
        selected: &BTreeSet<String>,
    ) -> Result<()> {
        let action = git_error("remember the publish");
        let time = git2::Time::new(repository.now().as_second(), 0);
        let us = message::committer();
        let us = git2::Signature::new(&us.name, &us.email, &time).map_err(&action)?;
        let tip = tip.map(|id| git.find_commit(id)).transpose().map_err(&action)?;
        let tree = git.find_tree(reached).map_err(&action)?;
        let parents: Vec<&git2::Commit<'_>> = tip.iter().collect();
        let paths: Vec<&str> = selected.iter().map(String::as_str).collect();
        let text = format!("Edits of a publish that has not landed\n\n{}\n", paths.join("\n"));
        let record = git.commit(None, &us, &us, &text, &tree, &parents).map_err(&action)?;
        let name = record_ref(repository);
        let old = target(git, &repository.refs().pending)?;
        if old.is_some() && old != Some(commit) {
            // Never a commit with the record of another.
            move_ref(git, &repository.refs().pending, old, None, "sitewright: publish anew")?;
        }
        move_ref(git, &name, target(git, &name)?, Some(record), "sitewright: publish")?;
        if old != Some(commit) {
            move_ref(git, &repository.refs().pending, None, Some(commit), "sitewright: publish")?;
        }
        Ok(())
    }

    /// Forgets it.
    pub(super) fn clear(&self, repository: &Repository, git: &git2::Repository) -> Result<()> {
        move_ref(git, &repository.refs().pending, Some(self.commit), None, "sitewright: landed")?;
        move_ref(git, &record_ref(repository), Some(self.record), None, "sitewright: landed")
    }

    /// Whether a new commit would say the same: then the old one is pushed.
    pub(super) fn is_same(&self, git: &git2::Repository, commit: Oid) -> bool {
        let (Ok(old), Ok(new)) = (git.find_commit(self.commit), git.find_commit(commit)) else { return false };
        old.tree_id() == new.tree_id() && old.parent_ids().eq(new.parent_ids())
    }

    /// Whether live has it: pushed before the answer was lost, or there is no remote and nothing came in between.
    pub(super) fn is_live(&self, repository: &Repository, git: &git2::Repository) -> Result<Option<Oid>> {
        let live = repository.live_commit(git)?;
        let has_remote = git.find_remote(&repository.options().remote).is_ok();
        match live {
            Some(live) if repository.contains(git, live, self.commit)? => Ok(Some(live)),
            Some(live) if !has_remote && repository.contains(git, self.commit, live)? => Ok(Some(self.commit)),
            None if !has_remote && refs::is_commit(git, self.commit) => Ok(Some(self.commit)),
            _ => Ok(None),
        }
    }
}
