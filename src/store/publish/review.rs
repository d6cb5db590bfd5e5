//! Reviews: a publish commit on a branch of its own, for a person to merge. Nothing goes live here; a later sync or publish notices by its
//! content that it was merged, however that was done.

use std::collections::BTreeSet;

use git2::Oid;

use super::land::Landing;
use super::plan::{self, Plan};
use super::{Fetched, Prepared, PublishRequest, Published, Reviewed, Stand, stop_at};
use crate::error::{Error, Result};
use crate::store::failure::git_error;
use crate::store::merge::tree::{Edit, merge_onto};
use crate::store::message::{self, revision_id};
use crate::store::refs::{move_ref, target, tree_of};
use crate::store::remote::{Push, Pushed};
use crate::store::tree::{self, Entry};
use crate::store::{Repository, RevisionId};

/// What every review branch begins with.
const FOLDER: &str = "sitewright/";
/// What stands before a change set's id in the record of its review.
const FROM: &str = ", from change set ";
/// How many branches of one name are tried.
const NAMES: usize = 20;
/// Words of servers that let nobody push to a branch directly.
const PROTECTED: [&str; 6] = [
    "protected",
    "rule violations",
    "not allowed to push",
    "permission denied to update branch",
    "pull request",
    "merge request",
];

/// Whether a refusal means that changes come in by review only.
fn is_protected(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    PROTECTED.iter().any(|words| reason.contains(words))
}

/// A review that was sent and is neither merged nor closed, as far as is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReview {
    /// Its branch on the remote.
    pub branch: String,
    /// Its commit.
    pub revision: RevisionId,
    /// The paths it changes, site-relative.
    pub paths: BTreeSet<String>,
}

/// What is remembered of a review, as one ref: a commit with the review as its first parent, the edits' tip as its second, and as
/// its tree what the edits have reached.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) branch: String,
    pub(crate) commit: Oid,
    /// Where the branch was before the last push: it may still be there after a crash.
    before: Option<Oid>,
    pub(super) tip: Option<Oid>,
    pub(crate) reached: Option<Oid>,
    pub(crate) selected: BTreeSet<String>,
    /// The named change set it was sent from; `None`: the working tree.
    pub(super) change_set: Option<String>,
    id: Oid,
}

impl Record {
    fn read(git: &git2::Repository, name: &str, id: Oid) -> Result<Self> {
        let action = git_error("read what is in review");
        let found = git.find_commit(id).map_err(&action)?;
        let text = String::from_utf8_lossy(found.message_bytes()).into_owned();
        let mut lines = text.lines();
        let change_set = lines.next().and_then(|line| line.rsplit_once(FROM)).map(|(_, id)| id.to_owned());
        let mut lines = lines.skip(1);
        let before = lines.next().and_then(|line| Oid::from_str(line).ok()).filter(|id| !id.is_zero());
        Ok(Self {
            branch: format!("{FOLDER}{}", name.rsplit('/').next().unwrap_or_default()),
            commit: found.parent_id(0).map_err(&action)?,
            before,
            tip: found.parent_id(1).ok(),
            reached: Some(found.tree_id()),
            selected: lines.filter(|line| !line.is_empty()).map(str::to_owned).collect(),
            change_set,
            id,
        })
    }

    /// Every review that is open, in the order of their branches.
    pub(crate) fn all(repository: &Repository, git: &git2::Repository) -> Result<Vec<Self>> {
        let action = git_error("read what is in review");
        let mut found = Vec::new();
        for reference in git.references_glob(&format!("{}/review/*", repository.refs().namespace())).map_err(&action)? {
            let reference = reference.map_err(&action)?;
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            if let Some(id) = reference.target() {
                found.push(Self::read(git, &name, id)?);
            }
        }
        found.sort_by(|a, b| a.branch.cmp(&b.branch));
        Ok(found)
    }

    pub(crate) fn clear(&self, repository: &Repository, git: &git2::Repository) -> Result<()> {
        move_ref(git, &record_ref(repository, &self.branch), Some(self.id), None, "sitewright: review ended")
    }

    /// What the review holds of a path; `None`: it deletes it.
    pub(crate) fn entry(&self, repository: &Repository, git: &git2::Repository, path: &str) -> Result<Option<Entry>> {
        tree::entry(git, self.reached, &repository.whole(path))
    }
}

fn record_ref(repository: &Repository, branch: &str) -> String {
    format!("{}/review/{}", repository.refs().namespace(), branch.strip_prefix(FOLDER).unwrap_or(branch))
}

impl Repository {
    /// Every open review.
    pub(crate) fn reviews(&self, git: &git2::Repository) -> Result<Vec<OpenReview>> {
        let open = |record: Record| OpenReview {
            branch: record.branch,
            revision: revision_id(record.commit),
            paths: record.selected,
        };
        Ok(Record::all(self, git)?.into_iter().map(open).collect())
    }

    /// Sends what is asked for to review.
    pub(super) fn publish_review(
        &self,
        git: &git2::Repository,
        fetched: &Fetched,
        stand: &Stand,
        request: &PublishRequest<'_>,
    ) -> Result<Published> {
        let impossible = |problem: &str| Error::InvalidArguments {
            field: "review".into(),
            problem: problem.into(),
            example: "publish without `review`".into(),
        };
        match fetched {
            Fetched::Local => return Err(impossible("there is no remote to send a review to")),
            Fetched::Unreachable(reason) => {
                return Err(Error::RemoteUnavailable { remote: self.options().remote.clone(), reason: reason.clone() });
            }
            Fetched::Tracked if stand.live.is_none() => {
                return Err(impossible("nothing is live yet that it could be compared with"));
            }
            Fetched::Tracked => {}
        }
        let plan = self.plan(git, stand, request, None)?;
        let Prepared { commit, mut published, .. } = self.prepare_publish(git, stand, None, &plan, request)?;
        if request.dry_run {
            let record = self.record_for(git, &plan)?;
            let branch =
                record.as_ref().map_or_else(|| format!("{FOLDER}{}", request.review.slug), |r| r.branch.clone());
            published.left = self.status()?.unpublished;
            published.review = Some(self.reviewed(git, branch, None, record.is_some()));
            return Ok(published);
        }
        if let Some(commit) = commit {
            published.review = Some(self.send(git, &plan, commit, request, &published)?);
        }
        published.left = self.status()?.unpublished;
        Ok(published)
    }

    /// A publish branch that takes no push gets a review. Where that is refused too, the publish waits as after any refusal.
    pub(super) fn review_if_protected(
        &self,
        git: &git2::Repository,
        plan: &Plan,
        commit: Oid,
        request: &PublishRequest<'_>,
        published: &mut Published,
    ) -> Result<()> {
        let reason = published.pushed.as_ref().and_then(|pushed| pushed.reason.as_deref());
        if !reason.is_some_and(is_protected) {
            return Ok(());
        }
        match self.send(git, plan, commit, request, published) {
            Ok(review) => published.review = Some(review),
            Err(error @ Error::Internal { .. }) => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "the branch is protected, and a review could not be sent");
                return Ok(());
            }
        }
        // It does not wait to be pushed: it waits to be merged.
        if let Some(pending) = super::Pending::read(self, git)? {
            pending.clear(self, git)?;
        }
        published.revision = None;
        Ok(())
    }

    fn reviewed(&self, git: &git2::Repository, branch: String, revision: Option<Oid>, updated: bool) -> Reviewed {
        Reviewed {
            branch,
            target: self.branch().to_owned(),
            address: self.remote_url(git).unwrap_or_default(),
            revision: revision.map(revision_id),
            updated,
            unchanged: false,
        }
    }

    /// The open review that a plan goes on with: the one it shares most paths with.
    fn record_for(&self, git: &git2::Repository, plan: &Plan) -> Result<Option<Record>> {
        let shared = |record: &Record| record.selected.intersection(&plan.selected).count();
        let same = |record: &Record| shared(record) > 0 || (record.selected.is_empty() && plan.selected.is_empty());
        let own = |record: &Record| record.change_set.as_deref() == self.change_set_id();
        let all = Record::all(self, git)?.into_iter().filter(|record| own(record) && same(record));
        // Of several the first by name: `max_by_key` would take the last.
        Ok(all.rev().max_by_key(shared))
    }

    fn send(
        &self,
        git: &git2::Repository,
        plan: &Plan,
        commit: Oid,
        request: &PublishRequest<'_>,
        published: &Published,
    ) -> Result<Reviewed> {
        let record = self.record_for(git, plan)?;
        let (branch, there) = match &record {
            Some(record) => (record.branch.clone(), self.review_tip(git, record)?),
            None => (self.free_branch(git, request.review.slug)?, None),
        };
        if let Some(record) = &record
            && there == Some(record.commit)
            && is_same(git, record.commit, commit)
        {
            let reviewed = self.reviewed(git, branch, Some(record.commit), true);
            return Ok(Reviewed { unchanged: true, ..reviewed });
        }
        let was = record.as_ref().map(|record| record.id);
        let now = self.remember(git, &branch, commit, there, plan)?;
        move_ref(git, &record_ref(self, &branch), was, Some(now), "sitewright: review")?;
        self.durable()?;
        stop_at("publish::review_remembered")?;
        let options = (request.review.options)(published);
        let push = Push { commit, expected: there, rewrite: there.is_some(), options };
        let Some(transport) = self.transport(git, &branch) else { return Err(Error::internal("the remote is gone")) };
        // Where the connection breaks, the remote may have it: what is remembered names both states.
        let refused = match transport.push(&push)? {
            Pushed::Done => {
                stop_at("publish::review_pushed")?;
                return Ok(self.reviewed(git, branch, Some(commit), record.is_some()));
            }
            Pushed::Moved => Error::Busy { holder: format!("somebody else pushes to {branch}") },
            Pushed::Refused(reason) => Error::RemoteRefused { reference: branch.clone(), reason },
        };
        move_ref(git, &record_ref(self, &branch), Some(now), was, "sitewright: review refused")?;
        Err(refused)
    }

    /// Where the branch of an open review is; `None`: the remote has it no more. What somebody else put there is never overwritten.
    fn review_tip(&self, git: &git2::Repository, record: &Record) -> Result<Option<Oid>> {
        let there = self.branch_tip(git, &record.branch)?;
        if there.is_none() || there == Some(record.commit) || there == record.before {
            return Ok(there);
        }
        Err(Error::RepositoryState {
            state: format!("somebody else has changed the review branch {}", record.branch),
            cure: "Ask the person to merge it and call `site_sync`, or to delete the branch; then publish again."
                .into(),
        })
    }

    fn branch_tip(&self, git: &git2::Repository, branch: &str) -> Result<Option<Oid>> {
        self.transport(git, branch).map_or(Ok(None), |transport| transport.fetch())
    }

    /// A branch that neither the remote nor an open review has.
    fn free_branch(&self, git: &git2::Repository, slug: &str) -> Result<String> {
        for number in 1..=NAMES {
            let branch = if number == 1 { format!("{FOLDER}{slug}") } else { format!("{FOLDER}{slug}-{number}") };
            let is_ours = target(git, &record_ref(self, &branch))?.is_some();
            if !is_ours && self.branch_tip(git, &branch)?.is_none() {
                return Ok(branch);
            }
        }
        Err(Error::AlreadyExists { what: format!("a review branch {FOLDER}{slug}") })
    }

    fn remember(
        &self,
        git: &git2::Repository,
        branch: &str,
        commit: Oid,
        before: Option<Oid>,
        plan: &Plan,
    ) -> Result<Oid> {
        let action = git_error("remember the review");
        let time = git2::Time::new(self.now().as_second(), 0);
        let us = message::committer();
        let us = git2::Signature::new(&us.name, &us.email, &time).map_err(&action)?;
        let parents = [Some(commit), plan.tip].into_iter().flatten().map(|id| git.find_commit(id));
        let parents: Vec<_> = parents.collect::<Result<_, _>>().map_err(&action)?;
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        let paths: Vec<&str> = plan.selected.iter().map(String::as_str).collect();
        let from = self.change_set_id().map(|id| format!("{FROM}{id}")).unwrap_or_default();
        let before = before.unwrap_or(Oid::ZERO_SHA1);
        let text = format!("In review as {branch}{from}\n\n{before}\n{}\n", paths.join("\n"));
        let tree = git.find_tree(plan.reached).map_err(&action)?;
        git.commit(None, &us, &us, &text, &tree, &parents).map_err(&action)
    }

    /// Takes in reviews that live has by now, as if they had been published; answers their branches.
    pub(crate) fn land_reviews(&self, git: &git2::Repository) -> Result<Vec<String>> {
        let Some(live) = self.live_commit(git)? else { return Ok(Vec::new()) };
        let mut merged = Vec::new();
        for record in Record::all(self, git)? {
            if self.is_merged(git, &record, live)? {
                merged.push(record);
            }
        }
        if merged.is_empty() {
            return Ok(Vec::new());
        }
        let (tip, head) = (self.tip_commit(git)?, self.head(git)?);
        let can_follow = match head {
            Some(head) => self.is_on(git, Some(live), head)?,
            None => true,
        };
        let (named, own): (Vec<&Record>, Vec<&Record>) = merged.iter().partition(|record| record.change_set.is_some());
        for record in named {
            self.land_review_of_set(git, record, live)?;
        }
        if can_follow && !own.is_empty() {
            let base = match tip {
                Some(tip) => plan::common(git, tip, live, &self.options().remote)?,
                None => live,
            };
            let (mut updates, mut selected) = (Vec::new(), BTreeSet::new());
            let mut published = None;
            for record in own {
                for path in &record.selected {
                    updates.push((self.whole(path), record.entry(self, git, path)?));
                }
                selected.extend(record.selected.iter().cloned());
                // Edits taken in since then have other ids.
                if let Some(id) = record.tip.filter(|id| self.is_on(git, tip, *id).unwrap_or(false)) {
                    published = Some(id);
                }
            }
            let reached = Some(tree::update(git, tree_of(git, Some(base))?, &updates)?);
            self.land(git, &Landing { live, reached, tip: published, selected: &selected })?;
        }
        for record in &merged {
            record.clear(self, git)?;
        }
        Ok(merged.into_iter().map(|record| record.branch).collect())
    }

    /// Forgets reviews whose branch the remote has no more; answers their branches. What they held is unpublished as before.
    pub(crate) fn close_reviews(&self, git: &git2::Repository) -> Result<Vec<String>> {
        let mut closed = Vec::new();
        for record in Record::all(self, git)? {
            if self.branch_tip(git, &record.branch)?.is_none() {
                record.clear(self, git)?;
                closed.push(record.branch);
            }
        }
        Ok(closed)
    }

    /// Whether live has a review: its commit, or, after a squash or a rebase, all it changes.
    fn is_merged(&self, git: &git2::Repository, record: &Record, live: Oid) -> Result<bool> {
        if self.is_on(git, Some(live), record.commit)? {
            return Ok(true);
        }
        let Ok(base) = git.merge_base(record.commit, live) else { return Ok(false) };
        let base = tree_of(git, Some(base))?;
        let changes = plan::compare_sites(self, git, base, tree_of(git, Some(record.commit))?)?;
        let edits: Vec<Edit> =
            changes.into_iter().map(|d| Edit { path: self.whole(&d.path), base: d.old, ours: d.new }).collect();
        let merged = merge_onto(git, tree_of(git, Some(live))?, &edits, &|path| self.site_path(path))?;
        Ok(!edits.is_empty() && merged.updates.is_empty() && merged.conflicts.is_empty())
    }
}

fn is_same(git: &git2::Repository, a: Oid, b: Oid) -> bool {
    let (Ok(a), Ok(b)) = (git.find_commit(a), git.find_commit(b)) else { return false };
    a.tree_id() == b.tree_id() && a.parent_ids().eq(b.parent_ids())
}

#[cfg(test)]
mod tests {
    use super::is_protected;

    #[test]
    fn refusals_of_a_protected_branch_are_told_from_others() {
        for words in [
            "protected branch hook declined: GH006: Protected branch update failed for refs/heads/main.",
            "push declined due to repository rule violations: GH013: Repository rule violations found",
            "pre-receive hook declined: GitLab: You are not allowed to push code to protected branches on this project.",
            "pre-receive hook declined: Gitea: Not allowed to push to protected branch main",
            "pre-receive hook declined: Permission denied to update branch main.",
        ] {
            assert!(is_protected(words), "{words}");
        }
        for words in ["it does not answer", "pre-receive hook declined: file too large", "non-fast-forward"] {
            assert!(!is_protected(words), "{words}");
        }
    }
}
