//! After the push: the edits start anew on top of live, and disk, local branch and index follow.

use std::collections::{BTreeMap, BTreeSet};

use git2::Oid;

use super::chain::{self, Step};
use super::pending::Pending;
use super::{plan, stop_at};
use crate::error::Result;
use crate::model::{Conflict, ContentPath};
use crate::store::failure::git_error;
use crate::store::merge::tree::{Edit, merge_onto};
use crate::store::message::{ORIGIN, blob_id};
use crate::store::project;
use crate::store::refs::{move_ref, target, tree_of};
use crate::store::tree::{self, Entry};
use crate::store::{Note, Repository};

/// Tips that publishes left behind and that stay reachable, the newest ones; git itself forgets the others' edits in its own time.
pub(crate) const MOST_KEPT: usize = 1_000;

/// What live has become, and how far the edits have got there.
#[derive(Debug)]
pub(crate) struct Landing<'a> {
    /// The commit that is live.
    pub(crate) live: Oid,
    /// The tree the edits are compared with: the last common one, with what went out as it went out.
    pub(crate) reached: Option<Oid>,
    /// The edits' tip at the publish; `None`: nothing was published.
    pub(crate) tip: Option<Oid>,
    /// Paths that went out.
    pub(crate) selected: &'a BTreeSet<String>,
}

/// The edits on top of live.
pub(super) struct Rebased {
    pub(super) tip: Oid,
    conflicts: Vec<Conflict>,
}

impl Repository {
    /// Finishes a publish that live has; whether there was one.
    pub(crate) fn land_pending(&self, git: &git2::Repository) -> Result<bool> {
        let Some(pending) = Pending::read(self, git)? else { return Ok(false) };
        let Some(live) = pending.is_live(self, git)? else { return Ok(false) };
        let landing = Landing { live, reached: Some(pending.reached), tip: pending.tip, selected: &pending.selected };
        self.land(git, &landing)?;
        pending.clear(self, git)?;
        Ok(true)
    }

    /// Takes live into the working tree. Unpublished edits stay; where they contradict live, they stay as they are, remember what
    /// they began with, and are reported.
    pub(crate) fn land(&self, git: &git2::Repository, landing: &Landing<'_>) -> Result<Vec<Conflict>> {
        let lock = self.lock()?;
        let entered = self.enter(git, &lock)?;
        let head = self.head(git)?;
        let (old_tree, new_tree) = (tree_of(git, head)?, tree_of(git, Some(landing.live))?);
        let forward = match head {
            Some(head) => self.contains(git, landing.live, head)?,
            None => true,
        };
        if let Some(new_tree) = new_tree.filter(|_| forward) {
            self.check_outside(git, head, new_tree)?;
        }
        let rebased = self.rebase(git, entered.tip, landing)?;
        self.keep(git, entered.tip, rebased.tip)?;
        self.durable()?;
        let was = target(git, &self.refs().working)?;
        if was.is_none() {
            // From here on a crash must show what the disk held.
            self.set_projected(git, entered.tip)?;
        }
        move_ref(git, &self.refs().working, was, Some(rebased.tip), "sitewright: publish")?;
        self.durable()?;
        stop_at("publish::ref_moved")?;
        self.project(git, self.steps(git, entered.tip, rebased.tip)?)?;
        if let Some(new_tree) = new_tree {
            self.write_output(git, old_tree, new_tree)?;
            if forward {
                self.checkout_outside(git, old_tree, new_tree)?;
            }
        }
        self.set_projected(git, Some(rebased.tip))?;
        stop_at("publish::projected")?;
        if forward {
            if head != Some(landing.live) {
                let name = format!("refs/heads/{}", self.branch());
                move_ref(git, &name, head, Some(landing.live), "sitewright: publish")?;
            }
            if let Some(new_tree) = new_tree {
                super::index::update(git, old_tree, new_tree)?;
            }
        }
        self.durable()?;
        Ok(rebased.conflicts)
    }

    pub(crate) fn steps(&self, git: &git2::Repository, from: Option<Oid>, to: Oid) -> Result<Vec<project::Step>> {
        let differences = self.compare(git, from, Some(to))?;
        Ok(differences
            .into_iter()
            .filter_map(|d| {
                let path = ContentPath::from_disk(&d.path).ok()?;
                let expected = d.old.filter(|e| e.is_file()).map(|e| blob_id(e.id));
                Some(project::Step { path, expected, new: d.new.filter(|e| e.is_file()) })
            })
            .collect())
    }

    /// The edits that live has not, on top of it: revision by revision, so that each keeps its author and reason.
    pub(super) fn rebase(&self, git: &git2::Repository, tip: Option<Oid>, landing: &Landing<'_>) -> Result<Rebased> {
        let live_tree = tree_of(git, Some(landing.live))?;
        let before = chain::read(self, git, landing.tip, &[Some(landing.live)])?;
        let after = chain::read(self, git, tip, &[Some(landing.live), landing.tip])?;
        let mut edits = Vec::new();
        let differences = plan::compare_sites(self, git, landing.reached, tree_of(git, tip)?)?;
        for d in differences {
            let known =
                chain::base(before.iter().chain(&after), &d.path).filter(|_| !landing.selected.contains(&d.path));
            let mode = d.new.or(d.old).map_or(tree::MODE_FILE, |entry| entry.mode);
            let base = known.map_or(d.old, |began| began.entry(mode));
            edits.push(Edit { path: self.whole(&d.path), base, ours: d.new });
        }
        let merged = merge_onto(git, live_tree, &edits, &|path| self.site_path(path))?;
        let (mut updates, mut unmerged) = (merged.updates, Vec::new());
        for conflict in &merged.conflicts {
            let whole = self.whole(&conflict.path);
            let Some(edit) = edits.iter().find(|edit| edit.path == whole) else { continue };
            updates.push((whole, edit.ours));
            let base = edit.base.map_or_else(|| Oid::ZERO_SHA1, |entry| entry.id);
            unmerged.push((chain::UNMERGED.to_owned(), format!("{base} {}", conflict.path)));
        }
        let wanted = tree::update(git, live_tree, &updates)?;
        let conflicts = merged.conflicts;
        if let Some(tip) = tip
            && self.is_rebased(git, tip, landing.live, wanted)?
        {
            return Ok(Rebased { tip, conflicts });
        }
        let left: BTreeSet<String> = updates.iter().map(|(path, _)| self.site_path(path)).collect();
        let before = before.iter().map(|step| (step, true));
        let steps: Vec<(&Step, bool)> = before.chain(after.iter().map(|step| (step, false))).collect();
        let tip = self.reapply(git, landing, &steps, &left)?;
        if tree_of(git, Some(tip))? == Some(wanted) && unmerged.is_empty() {
            return Ok(Rebased { tip, conflicts });
        }
        let mut note = Note { message: "Keep what is unpublished on top of live".into(), trailers: unmerged };
        note.trailers.push((ORIGIN.into(), "edit".into()));
        let tip = self.commit(git, wanted, &[tip], &self.author(git), &note)?;
        Ok(Rebased { tip, conflicts })
    }

    /// Whether the edits already are on top of live: a landing that is repeated.
    fn is_rebased(&self, git: &git2::Repository, tip: Oid, live: Oid, wanted: Oid) -> Result<bool> {
        Ok(self.contains(git, tip, live)?
            && plan::compare_sites(self, git, tree_of(git, Some(tip))?, Some(wanted))?.is_empty())
    }

    pub(super) fn reapply(
        &self,
        git: &git2::Repository,
        landing: &Landing<'_>,
        steps: &[(&Step, bool)],
        left: &BTreeSet<String>,
    ) -> Result<Oid> {
        let (mut tip, mut current) = (landing.live, tree_of(git, Some(landing.live))?);
        for (step, is_before) in steps {
            let stays = |path: &str| left.contains(path) && !(*is_before && landing.selected.contains(path));
            let changes: Vec<(String, Option<Entry>)> =
                step.differences.iter().filter(|d| stays(&d.path)).map(|d| (self.whole(&d.path), d.new)).collect();
            let next = tree::update(git, current, &changes)?;
            if changes.is_empty() || Some(next) == current {
                continue;
            }
            tip = again(git, step.id, next, tip)?;
            current = Some(next);
        }
        Ok(tip)
    }

    /// Keeps a tip reachable that the new one does not lead to, so that its revision ids go on working.
    pub(super) fn keep(&self, git: &git2::Repository, old: Option<Oid>, new: Oid) -> Result<()> {
        let Some(old) = old else { return Ok(()) };
        if self.contains(git, new, old)? {
            return Ok(());
        }
        self.keep_reachable(git, old)
    }

    /// Keeps a commit reachable by a ref of ours, unless one does already; of those that are kept so, the oldest is let go.
    pub(crate) fn keep_reachable(&self, git: &git2::Repository, old: Oid) -> Result<()> {
        let mut kept = self.kept(git)?;
        if kept.values().any(|tip| *tip == Some(old)) {
            return Ok(());
        }
        let next = kept.keys().next_back().map_or(1, |last| last + 1);
        move_ref(git, &self.refs().kept(next), None, Some(old), "sitewright: keep")?;
        // What waits, in review, to be pushed or in a change set, has refs of its own.
        while kept.len() >= MOST_KEPT
            && let Some((number, tip)) = kept.pop_first()
        {
            move_ref(git, &self.refs().kept(number), tip, None, "sitewright: no longer kept")?;
        }
        Ok(())
    }

    /// The tips that publishes left behind, by their numbers, oldest first.
    fn kept(&self, git: &git2::Repository) -> Result<BTreeMap<u64, Option<Oid>>> {
        let action = git_error("read the kept edits");
        let mut kept = BTreeMap::new();
        for reference in git.references_glob(&format!("{}/kept/*", self.refs().namespace())).map_err(&action)? {
            let reference = reference.map_err(&action)?;
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            if let Some(number) = name.rsplit('/').next().and_then(|number| number.parse().ok()) {
                kept.insert(number, reference.target());
            }
        }
        Ok(kept)
    }
}

/// The same commit with another tree and parent. What it knew of the other side counted until now: on top of live each
/// edit begins with what live has, or with what a new trailer says.
fn again(git: &git2::Repository, id: Oid, tree: Oid, parent: Oid) -> Result<Oid> {
    let action = git_error("write a commit");
    let commit = git.find_commit(id).map_err(&action)?;
    let (tree, parent) = (git.find_tree(tree).map_err(&action)?, git.find_commit(parent).map_err(&action)?);
    let message = chain::without_bases(&String::from_utf8_lossy(commit.message_bytes()));
    git.commit(None, &commit.author(), &commit.committer(), &message, &tree, &[&parent]).map_err(&action)
}
