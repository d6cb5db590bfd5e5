//! Decides what goes out: which paths, on top of what, with which parents. Writes objects, moves nothing.

use std::collections::BTreeSet;

use git2::Oid;

use super::chain::{self, Step};
use super::pending::Pending;
use super::{PublishRequest, Stand};
use crate::error::{Error, Result};
use crate::model::Conflict;
use crate::model::config::History;
use crate::store::failure::git_error;
use crate::store::merge::tree::{Edit, merge_onto};
use crate::store::message::{self, ORIGIN};
use crate::store::refs::tree_of;
use crate::store::revision::RevisionKind;
use crate::store::tree::{self, Difference, Entry};
use crate::store::{Note, Repository, RevisionId, Unpublished, places, selection};

/// Local commits that an error names at most.
const NAMED: usize = 20;
/// Edits that a message lists at most.
const LISTED: usize = 100;

/// What goes out.
#[derive(Debug)]
pub(super) struct Plan {
    /// The merged tree; its output folder is not yet the new one.
    pub(super) tree: Oid,
    /// The last common tree with the selected paths as they go out: what remains unpublished is the difference to it.
    pub(super) reached: Oid,
    /// The edits' tip.
    pub(super) tip: Option<Oid>,
    /// Selected paths, site-relative.
    pub(super) selected: BTreeSet<String>,
    /// Parents of the publish commit.
    pub(super) parents: Vec<Oid>,
    /// Whether a person's commits go out too, or live has no commit yet.
    pub(super) has_commits: bool,
    /// The remote's tip, where the edits did not know it.
    pub(super) merged_from: Option<Oid>,
    steps: Vec<Step>,
}

/// What the selected edits build on.
struct Ground {
    /// The tree that the edits are compared with.
    base: Option<Oid>,
    /// The tree that they are merged onto.
    onto: Option<Oid>,
    /// The person's commits that go out too.
    commits: bool,
}

impl Repository {
    /// Plans what is asked for and what waits; where the two together are refused, what is asked for alone.
    pub(super) fn plan(
        &self,
        git: &git2::Repository,
        stand: &Stand,
        request: &PublishRequest<'_>,
        pending: Option<&Pending>,
    ) -> Result<Plan> {
        match self.plan_with(git, stand, request, pending) {
            Err(Error::Conflict { .. } | Error::HandEdits { .. }) if pending.is_some() && request.paths.is_some() => {
                self.plan_with(git, stand, request, None)
            }
            other => other,
        }
    }

    fn plan_with(
        &self,
        git: &git2::Repository,
        stand: &Stand,
        request: &PublishRequest<'_>,
        pending: Option<&Pending>,
    ) -> Result<Plan> {
        let ground = self.ground(git, stand, request.local_commits)?;
        let steps = chain::read(self, git, stand.tip, &[stand.live, stand.head])?;
        let unpublished = compare_sites(self, git, ground.base, tree_of(git, stand.tip)?)?;
        let paths: BTreeSet<String> = unpublished.iter().map(|d| d.path.clone()).collect();
        let selected = select(request, pending, &paths, &steps);
        check_hand_edits(request, &selected, &steps)?;
        let edits = self.chosen(&unpublished, &selected, &steps);
        let merged = merge_onto(git, ground.onto, &edits, &|path| self.site_path(path))?;
        if !merged.conflicts.is_empty() {
            return Err(conflict(merged.conflicts));
        }
        let reached: Vec<(String, Option<Entry>)> =
            unpublished.iter().filter(|d| selected.contains(&d.path)).map(|d| (self.whole(&d.path), d.new)).collect();
        let everything = selected.len() == paths.len();
        let discarded = chain::has_discarded(&steps, &|path| paths.contains(path));
        let whole_chain = everything && !discarded && request.history == History::Merge;
        Ok(Plan {
            tree: tree::update(git, ground.onto, &merged.updates)?,
            reached: tree::update(git, ground.base, &reached)?,
            tip: stand.tip,
            parents: self.parents(git, stand, whole_chain, ground.commits)?,
            has_commits: ground.commits,
            merged_from: self.unknown_live(git, stand)?,
            selected,
            steps,
        })
    }

    /// Tells what the edits build on; refuses local commits that were not agreed to.
    fn ground(&self, git: &git2::Repository, stand: &Stand, local_commits: bool) -> Result<Ground> {
        let Some(live) = stand.live else {
            // The first publish takes everything.
            let head = tree_of(git, stand.head)?;
            return Ok(Ground { base: head, onto: head, commits: true });
        };
        let commits = local(git, live, stand.head)?;
        let Some(commits) = commits else {
            let base = match stand.tip {
                Some(tip) => Some(common(git, tip, live, &self.options().remote)?),
                None => Some(live),
            };
            return Ok(Ground { base: tree_of(git, base)?, onto: tree_of(git, Some(live))?, commits: false });
        };
        if !local_commits && !commits.is_empty() {
            return Err(Error::LocalCommits { commits });
        }
        let Some(head) = stand.head else { return Err(Error::internal("commits without a branch")) };
        let ours = tree_of(git, Some(head))?;
        if self.contains(git, head, live)? {
            return Ok(Ground { base: ours, onto: ours, commits: true });
        }
        let base = tree_of(git, Some(common(git, head, live, &self.options().remote)?))?;
        let theirs = tree_of(git, Some(live))?;
        let output = self.whole(self.output());
        let edits: Vec<Edit> = tree::compare_in(git, base, ours, &|folder| folder != output)?
            .into_iter()
            .map(|d| Edit { path: d.path, base: d.old, ours: d.new })
            .collect();
        let merged = merge_onto(git, theirs, &edits, &|path| self.site_path(path))?;
        if !merged.conflicts.is_empty() {
            return Err(conflict(merged.conflicts));
        }
        Ok(Ground { base: ours, onto: Some(tree::update(git, theirs, &merged.updates)?), commits: true })
    }

    /// The selected differences as edits; one that was written knowing the remote's file begins there.
    fn chosen(&self, unpublished: &[Difference], selected: &BTreeSet<String>, steps: &[Step]) -> Vec<Edit> {
        let chosen = unpublished.iter().filter(|d| selected.contains(&d.path));
        chosen
            .map(|d| {
                let mode = d.new.or(d.old).map_or(tree::MODE_FILE, |entry| entry.mode);
                let base = chain::base(steps.iter(), &d.path).map_or(d.old, |began| began.entry(mode));
                Edit { path: self.whole(&d.path), base, ours: d.new }
            })
            .collect()
    }

    /// The site-relative path of a repository-relative one, as far as it lies in the site.
    pub(crate) fn site_path(&self, path: &str) -> String {
        let inside = path.strip_prefix(self.prefix()).and_then(|rest| rest.strip_prefix('/'));
        inside.filter(|_| !self.prefix().is_empty()).unwrap_or(path).to_owned()
    }

    /// Live, where the edits do not know it.
    fn unknown_live(&self, git: &git2::Repository, stand: &Stand) -> Result<Option<Oid>> {
        let (Some(live), Some(tip)) = (stand.live, stand.tip) else { return Ok(None) };
        Ok((!self.contains(git, tip, live)?).then_some(live))
    }

    /// The publish commit descends from live, from the local branch, and where the whole chain goes out from its tip.
    fn parents(&self, git: &git2::Repository, stand: &Stand, whole_chain: bool, commits: bool) -> Result<Vec<Oid>> {
        let mut parents: Vec<Oid> = stand.live.into_iter().collect();
        let head = stand.head.filter(|_| commits);
        let tip = stand.tip.filter(|_| whole_chain);
        if stand.live.is_none() {
            parents.extend(head);
        }
        if let Some(head) = head.filter(|_| tip.is_none() && stand.live.is_some()) {
            match stand.live {
                Some(live) if self.contains(git, head, live)? => parents = vec![head],
                _ => parents.push(head),
            }
        }
        if let Some(tip) = tip {
            let mut is_new = true;
            for parent in &parents {
                is_new &= !self.contains(git, *parent, tip)?;
            }
            if is_new {
                parents.push(tip);
            }
        }
        Ok(parents)
    }
}

impl Plan {
    /// Whether anybody edited anything that is not published, whatever came of it.
    pub(super) fn has_steps(&self) -> bool {
        !self.steps.is_empty()
    }

    /// The edits as steps that nothing of is live yet.
    pub(super) fn unlanded(&self) -> Vec<(&Step, bool)> {
        self.steps.iter().map(|step| (step, false)).collect()
    }

    /// The edits that go out.
    pub(super) fn edits(&self) -> Vec<RevisionId> {
        chain::touching(&self.steps, &|path| self.selected.contains(path))
    }

    /// Of all that is unpublished, what the plan leaves.
    pub(super) fn left(&self, unpublished: &[Unpublished]) -> Vec<Unpublished> {
        unpublished.iter().filter(|u| !self.selected.contains(u.change.path.as_str())).cloned().collect()
    }

    /// The publish commit's message. Where the edits are not reachable through it, it lists them.
    pub(super) fn note(&self, given: &Note, changes: usize) -> Note {
        let mut note = given.clone();
        if note.message.trim().is_empty() {
            note.message = match changes {
                0 => "Publish".into(),
                1 => "Publish 1 change".into(),
                n => format!("Publish {n} changes"),
            };
        }
        let steps: Vec<&Step> =
            self.steps.iter().filter(|s| s.differences.iter().any(|d| self.selected.contains(&d.path))).collect();
        let reachable = self.tip.is_some_and(|tip| self.parents.contains(&tip));
        if !reachable && !steps.is_empty() {
            note.message.push_str("\n\nEdits:\n");
            for step in steps.iter().take(LISTED) {
                let id = step.id.to_string();
                note.message.push_str(&format!("- {} {}\n", id.get(..10).unwrap_or(&id), step.subject));
            }
            if steps.len() > LISTED {
                note.message.push_str(&format!("- and {} more\n", steps.len() - LISTED));
            }
        }
        note.trailers.push(("Edits".into(), steps.len().to_string()));
        note.trailers.push((ORIGIN.into(), "publish".into()));
        note
    }
}

/// What differs in the sources of the site between two whole trees, site-relative.
pub(crate) fn compare_sites(
    repository: &Repository,
    git: &git2::Repository,
    old: Option<Oid>,
    new: Option<Oid>,
) -> Result<Vec<Difference>> {
    let (old, new) = (tree::subtree(git, old, repository.prefix())?, tree::subtree(git, new, repository.prefix())?);
    let mut found = tree::compare_in(git, old, new, &places::may_hold)?;
    found.retain(|d| places::in_site(&d.path));
    Ok(found)
}

/// All conflicting paths as one error.
pub(crate) fn conflict(conflicts: Vec<Conflict>) -> Error {
    let path = conflicts.first().map(|c| c.path.clone()).unwrap_or_default();
    let current = conflicts.first().and_then(|c| c.theirs.as_ref().map(|side| side.etag.clone()));
    Error::Conflict { path, yours: None, current, diff: String::new(), conflicts }
}

/// The last common commit.
pub(crate) fn common(git: &git2::Repository, ours: Oid, theirs: Oid, remote: &str) -> Result<Oid> {
    match git.merge_base(ours, theirs) {
        Ok(base) => Ok(base),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Err(Error::RepositoryState {
            state: format!("{remote} has a history that shares no commit with this one"),
            cure: "Ask the person to join them with `git pull --allow-unrelated-histories`, or to correct the remote."
                .into(),
        }),
        Err(error) => Err(git_error("compare commits")(error)),
    }
}

fn select(
    request: &PublishRequest<'_>,
    pending: Option<&Pending>,
    paths: &BTreeSet<String>,
    steps: &[Step],
) -> BTreeSet<String> {
    let held = request.held.iter().map(ToString::to_string).collect();
    // Both ends of a move stay back together too, or the page would vanish.
    let mut held = selection::complete(&held, paths, steps);
    let waiting: BTreeSet<String> = pending.into_iter().flat_map(|pending| pending.selected.iter().cloned()).collect();
    held.retain(|path| !waiting.contains(path));
    let mut selected = match &request.paths {
        None => paths.clone(),
        Some(named) => {
            let named = named.iter().map(ToString::to_string).chain(waiting).collect();
            selection::complete(&named, paths, steps)
        }
    };
    selected.retain(|path| !held.contains(path));
    selected
}

fn check_hand_edits(request: &PublishRequest<'_>, selected: &BTreeSet<String>, steps: &[Step]) -> Result<()> {
    if request.hand_edits {
        return Ok(());
    }
    let is_named = |path: &str| !request.of_edit && request.paths.as_ref().is_some_and(|named| named.contains(path));
    let paths: Vec<String> = chain::by_hand(steps)
        .into_iter()
        .filter(|p| selected.contains(*p) && !is_named(p))
        .map(str::to_owned)
        .collect();
    if paths.is_empty() { Ok(()) } else { Err(Error::HandEdits { paths }) }
}

/// A person's commits on the local branch that live has not, as `id subject`, newest first; `None`: it has no commit that
/// live has not.
fn local(git: &git2::Repository, live: Oid, head: Option<Oid>) -> Result<Option<Vec<String>>> {
    let Some(head) = head else { return Ok(None) };
    let action = git_error("read the local commits");
    let mut walk = git.revwalk().map_err(&action)?;
    walk.push(head).map_err(&action)?;
    walk.hide(live).map_err(&action)?;
    let (mut found, mut named) = (false, Vec::new());
    for id in walk {
        let commit = git.find_commit(id.map_err(&action)?).map_err(&action)?;
        found = true;
        if named.len() < NAMED && message::kind_of(&commit) == RevisionKind::Commit {
            let subject = String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned();
            let id = commit.id().to_string();
            named.push(format!("{} {subject}", id.get(..10).unwrap_or(&id)));
        }
    }
    Ok(found.then_some(named))
}
