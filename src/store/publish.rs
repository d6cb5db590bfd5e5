//! Publishing: sources and output in one commit on the publish branch, pushed, then taken into the working tree.
//!
//! Fetch, plan (merge per path), build, commit, push, land. Each step can be repeated: objects never change, and a
//! pending publish is remembered by two refs until it has landed. A deploy branch follows the sources; a review goes to a branch of its own
//! and lands when a person has merged it.

pub(crate) mod chain;
mod index;
pub(crate) mod land;
mod named;
pub(crate) mod output_branch;
mod outside;
mod pending;
pub(crate) mod plan;
mod request;
pub(crate) mod review;
pub(crate) mod standing;

use git2::Oid;

pub use request::{Build, OutputChange, PublishRequest, Published, PushReport, ReviewRequest, Reviewed, Unfinished};
pub use review::OpenReview;

use super::failure::git_error;
use super::lock::WriterLock;
use super::output::Source;
use super::remote::{Push, Pushed, Remote, Transport};
use super::{Repository, message, places, refs, tree};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath};
use named::Way;
use output_branch::Standing;
use pending::Pending;
use plan::Plan;

/// How often a publish starts again because the remote moved meanwhile.
const TRIES: usize = 5;

/// How long a publish waits for another one.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Where live, the local branch and the edits stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stand {
    /// The remote's tip (the local branch where there is no remote).
    pub(crate) live: Option<Oid>,
    /// The local branch.
    pub(crate) head: Option<Oid>,
    /// The edits.
    pub(crate) tip: Option<Oid>,
}

/// A publish that is built and, where there is something to publish, committed.
struct Prepared {
    commit: Option<Oid>,
    /// The output as a tree.
    output: Option<Oid>,
    published: Published,
}

/// What a fetch found.
pub(crate) enum Fetched {
    /// There is no remote: the local branch is live.
    Local,
    /// The remote answered, and the tracking branch says what it has.
    Tracked,
    /// It could not be reached; the tracking branch says what it had.
    Unreachable(String),
}

impl Repository {
    /// Publishes the change set, or some of its paths; or sends it to review.
    ///
    /// # Errors
    /// [`Error::Conflict`] with all conflicting paths, [`Error::HandEdits`], [`Error::LocalCommits`],
    /// [`Error::RepositoryState`], [`Error::RemoteBusy`], and what `build` answers. After an error nothing has moved except
    /// the remote-tracking branch and the record of a person's hand edits. A remote that refuses or cannot be reached is no error:
    /// see [`Published::pushed`]; for a review, which cannot wait, it is.
    pub fn publish(&self, request: &PublishRequest<'_>) -> Result<Published> {
        self.publish_now(request).map_err(|error| self.explain(error))
    }

    fn publish_now(&self, request: &PublishRequest<'_>) -> Result<Published> {
        self.check_output()?;
        self.check_branches(request)?;
        let _one = self.publish_lock()?;
        let git = self.git()?;
        let mut resumed = false;
        for _ in 0..TRIES {
            if let Some(published) = self.attempt(&git, request, &mut resumed)? {
                return Ok(published);
            }
        }
        Err(Error::RemoteBusy { remote: self.options().remote.clone() })
    }

    /// One way through all steps; `None`: the remote moved meanwhile.
    fn attempt(
        &self,
        git: &git2::Repository,
        request: &PublishRequest<'_>,
        resumed: &mut bool,
    ) -> Result<Option<Published>> {
        let transport = self.transport(git, self.branch());
        let fetched = self.fetch_live(git, transport.as_deref())?;
        let deploy = self.find_output_branch(git, request, &fetched)?;
        stop_at("publish::fetched")?;
        let landed = self.land_others(git, &fetched, request.dry_run)?;
        let stand = on_trial(self.stand(git)?, request);
        *resumed |= landed;
        if request.review.wanted {
            return self.publish_review(git, &fetched, &stand, request).map(Some);
        }
        let pending = Pending::read(self, git)?;
        let plan = self.plan(git, &stand, request, pending.as_ref())?;
        let prepared = self.prepare_publish(git, &stand, deploy.as_ref(), &plan, request)?;
        if request.dry_run {
            return Ok(Some(prepared.published));
        }
        if !self.is_working() {
            let way = Way { transport: transport.as_deref(), fetched: &fetched, deploy };
            return self.publish_named(git, way, &stand, &plan, prepared, request);
        }
        let Prepared { commit, output, mut published } = prepared;
        let Some(commit) = commit else {
            published.resumed = *resumed;
            // What waited was taken back meanwhile.
            pending.map_or(Ok(()), |pending| pending.clear(self, git))?;
            published.revision = stand.live.filter(|_| landed).map(message::revision_id);
            published.unfinished = told(self.put_output_right(git, &stand))?;
            self.push_live_output(git, deploy, &stand, &fetched, output, &mut published)?;
            return Ok(Some(published));
        };
        let waited = pending.is_some();
        published.resumed = *resumed || waited;
        let commit = pending.filter(|p| p.is_same(git, commit)).map_or(commit, |pending| pending.commit);
        published.revision = Some(message::revision_id(commit));
        self.durable()?;
        stop_at("publish::committed")?;
        Pending::write(self, git, commit, &plan)?;
        self.durable()?;
        stop_at("publish::pending")?;
        match self.push(git, transport.as_deref(), &fetched, commit, stand.live)? {
            Pushed::Moved => {
                // What began waiting in this call must not outlive it.
                if let Some(ours) = Pending::read(self, git)?.filter(|_| !waited) {
                    ours.clear(self, git)?;
                }
                return Ok(None);
            }
            Pushed::Refused(reason) => {
                published.pushed = self.report(transport.as_deref(), false, Some(reason));
                if stand.live.is_some() {
                    self.review_if_protected(git, &plan, commit, request, &mut published)?;
                }
                return self.unlanded(published).map(Some);
            }
            Pushed::Done => published.pushed = self.report(transport.as_deref(), true, None),
        }
        stop_at("publish::pushed")?;
        if let Some(deploy) = deploy {
            self.push_output(git, deploy, commit, output, &mut published)?;
        }
        published.unfinished = self.finish(git)?;
        self.unlanded(published).map(Some)
    }

    /// What is published but not in the working tree yet is told, not an error: the next publish finishes it.
    fn finish(&self, git: &git2::Repository) -> Result<Option<Unfinished>> {
        told(self.land_pending(git).map(drop))
    }

    fn unlanded(&self, mut published: Published) -> Result<Published> {
        published.left = self.status()?.unpublished;
        Ok(published)
    }

    fn report(&self, transport: Option<&dyn Transport>, ok: bool, reason: Option<String>) -> Option<PushReport> {
        transport.map(|transport| PushReport {
            remote: self.options().remote.clone(),
            address: transport.address(),
            branch: self.branch().to_owned(),
            ok,
            reason,
        })
    }

    /// The way to one branch of the remote; `None`: there is no remote.
    pub(crate) fn transport(&self, git: &git2::Repository, branch: &str) -> Option<Box<dyn Transport>> {
        Remote::open(git, &self.options().remote, branch).map(|remote| Box::new(remote) as Box<dyn Transport>)
    }

    /// One publish or sync at a time; edits go on beside it, except while it moves refs.
    pub(crate) fn publish_lock(&self) -> Result<WriterLock> {
        let name = self.refs().namespace().rsplit('/').next().unwrap_or_default().to_owned();
        WriterLock::take(self.publishers(), &self.git_dir().join(format!("sitewright/{name}-publish.lock")), PATIENCE)
    }

    /// The output folder must not be one that holds sources.
    pub(crate) fn check_output(&self) -> Result<()> {
        let first = self.output().split('/').next().unwrap_or_default();
        let is_source = places::FOLDERS.contains(&first) || first == places::CONFIG || first.starts_with('.');
        if is_source || ContentPath::from_disk(self.output()).is_err() {
            return Err(Error::InvalidConfig {
                path: places::CONFIG.into(),
                line: 0,
                problem: format!("`publish.output` cannot be `{}`", self.output()),
            });
        }
        Ok(())
    }

    /// Asks the remote what is live. A remote whose history was rewritten is a matter for a person.
    pub(crate) fn fetch_live(&self, git: &git2::Repository, transport: Option<&dyn Transport>) -> Result<Fetched> {
        let Some(transport) = transport else { return Ok(Fetched::Local) };
        let tip = match transport.fetch() {
            Ok(tip) => tip,
            Err(Error::RemoteUnavailable { reason, .. }) => return Ok(Fetched::Unreachable(reason)),
            Err(error) => return Err(error),
        };
        let name = self.live_ref(git);
        let old = refs::target(git, &name)?;
        if old == tip {
            return Ok(Fetched::Tracked);
        }
        if let Some(old) = old {
            let went_on = match tip {
                Some(tip) => self.contains(git, tip, old)?,
                None => false,
            };
            if !went_on {
                return Err(rewritten(&self.options().remote, self.branch(), tip));
            }
        }
        match refs::move_ref(git, &name, old, tip, "sitewright: fetch") {
            Err(Error::Busy { .. }) if refs::target(git, &name)? == tip => Ok(Fetched::Tracked),
            other => other.map(|()| Fetched::Tracked),
        }
    }

    /// Takes in what a person did and answers where everything stands.
    pub(crate) fn stand(&self, git: &git2::Repository) -> Result<Stand> {
        if !self.is_working() {
            return Ok(Stand { live: self.live_commit(git)?, head: None, tip: self.tip_commit(git)? });
        }
        let lock = self.lock()?;
        // What goes out is looked at whole, even where the kernel tells of changes.
        self.doubt();
        let entered = self.enter(git, &lock)?;
        Ok(Stand { live: self.live_commit(git)?, head: self.head(git)?, tip: entered.tip })
    }

    /// Builds and writes the commit, where there is something to publish and it is not only asked. Moves no ref.
    fn prepare_publish(
        &self,
        git: &git2::Repository,
        stand: &Stand,
        deploy: Option<&Standing>,
        plan: &Plan,
        request: &PublishRequest<'_>,
    ) -> Result<Prepared> {
        let exact = self.snapshot_of(git, tree::subtree(git, Some(plan.tree), self.prefix())?)?;
        let live = self.snapshot_of(git, self.site_tree(git, stand.live)?)?;
        let live_tree = refs::tree_of(git, stand.live)?;
        let folder = self.whole(self.output());
        let old = match deploy {
            Some(deploy) if !request.layout.has_folder() => refs::tree_of(git, deploy.tip)?,
            _ => tree::subtree(git, live_tree, &folder)?,
        };
        let stock = self.stock(git, old)?;
        let made = (request.build)(&exact, &live, &stock)?;
        stop_at("publish::built")?;
        let output = self.put_output(git, (old, &stock), &made, &from_git(git))?;
        let tree = tree::graft(git, Some(plan.tree), &folder, output.filter(|_| request.layout.has_folder()))?;
        let sources = plan::compare_sites(self, git, live_tree, Some(tree))?;
        let mut published = Published {
            changes: message::changes(sources),
            outputs: tree::compare(git, old, output)?.into_iter().map(OutputChange::from).collect(),
            ..Published::default()
        };
        if live_tree == Some(tree) && !plan.has_commits {
            published.left = self.status()?.unpublished;
            return Ok(Prepared { commit: None, output, published });
        }
        published.edits = plan.edits();
        published.merged_from = plan.merged_from.map(message::revision_id);
        // What is frozen for later goes out from git objects: no file outside the site is touched by it.
        if self.is_working() && !request.later {
            self.check_outside(git, stand.head, tree)?;
        }
        if request.dry_run {
            published.left = plan.left(&self.status()?.unpublished);
            return Ok(Prepared { commit: None, output, published });
        }
        let mut note = plan.note(&request.note, published.changes.len());
        if let Some(id) = self.change_set_id() {
            note.trailers.insert(0, ("Change-Set".into(), id.to_owned()));
        }
        let commit = self.commit(git, tree, &plan.parents, &self.author(git), &note)?;
        Ok(Prepared { commit: Some(commit), output, published })
    }

    fn push(
        &self,
        git: &git2::Repository,
        transport: Option<&dyn Transport>,
        fetched: &Fetched,
        commit: Oid,
        expected: Option<Oid>,
    ) -> Result<Pushed> {
        let transport = match (transport, fetched) {
            (None, _) | (_, Fetched::Local) => return Ok(Pushed::Done),
            (_, Fetched::Unreachable(reason)) => return Ok(Pushed::Refused(reason.clone())),
            (Some(transport), Fetched::Tracked) => transport,
        };
        let pushed = match transport.push(&Push::forward(commit, expected)) {
            Err(Error::RemoteUnavailable { reason, .. }) => return Ok(Pushed::Refused(reason)),
            other => other?,
        };
        if pushed == Pushed::Done {
            let name = self.live_ref(git);
            let now = refs::target(git, &name)?;
            if now != Some(commit) {
                refs::move_ref(git, &name, now, Some(commit), "sitewright: publish")?;
            }
        }
        Ok(pushed)
    }
}

/// What could not be done to the working tree, apart from faults of ours.
fn told(done: Result<()>) -> Result<Option<Unfinished>> {
    match done {
        Ok(()) => Ok(None),
        Err(error @ Error::Internal { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "published, but the working tree is not up to date");
            Ok(Some(Unfinished { reason: error.to_string(), cure: error.hint() }))
        }
    }
}

/// Where everything would stand after an edit that a dry run only tries.
fn on_trial(stand: Stand, request: &PublishRequest<'_>) -> Stand {
    let trial = request.trial.as_ref().filter(|_| request.dry_run).and_then(|id| Oid::from_str(id.as_str()).ok());
    Stand { tip: trial.or(stand.tip), ..stand }
}

/// Supplies bytes from git's objects.
fn from_git(git: &git2::Repository) -> Box<Source<'_>> {
    Box::new(move |_: &ContentPath, id: BlobId| {
        let id = super::objects::oid(id)?;
        git.find_blob(id).map(|blob| blob.content().into()).map_err(git_error("read a blob"))
    })
}

fn rewritten(remote: &str, branch: &str, tip: Option<Oid>) -> Error {
    let state = match tip {
        Some(_) => format!("the history of {branch} on {remote} was rewritten"),
        None => format!("{remote} has no branch {branch} any more"),
    };
    let cure = match tip {
        Some(_) => format!(
            "Ask the person: `git fetch {remote}` accepts the new history, then `git merge` or `git rebase` joins it with yours."
        ),
        None => format!(
            "Ask the person: `git push {remote} {branch}` brings it back, `git remote prune {remote}` accepts that it is gone."
        ),
    };
    Error::RepositoryState { state, cure }
}

/// A named place where a test ends the process or fails the call.
#[cfg_attr(not(feature = "failpoints"), expect(clippy::unnecessary_wraps, reason = "fails only under test"))]
fn stop_at(name: &'static str) -> Result<()> {
    fail::fail_point!(name, |_| Err(Error::internal(format!("failpoint {name}"))));
    let _ = name;
    Ok(())
}
