//! The deploy branch: its root is the output of what was built, without a new object but the commit. It is pushed after the sources were
//! accepted, and compared with the output each time, so what a crash or a refusal left undone is found by the next publish.

use git2::Oid;

use super::{Fetched, PublishRequest, Published, PushReport, TRIES, stop_at};
use crate::error::{Error, Result};
use crate::store::failure::git_error;
use crate::store::message::{self, ORIGIN};
use crate::store::refs::{move_ref, target, tree_of};
use crate::store::remote::{Push, Pushed, Transport};
use crate::store::{Note, Repository, places};

/// The trailer that names the commit whose sources an output was built from.
const SOURCE: &str = "Source-Commit";

/// Where the deploy branch stands.
pub(super) struct Standing {
    /// Its tip.
    pub(super) tip: Option<Oid>,
    branch: String,
    /// The ref here that follows it; without a remote it is the branch itself.
    follows: String,
    transport: Option<Box<dyn Transport>>,
}

impl Standing {
    fn fetch(&mut self, git: &git2::Repository) -> Result<()> {
        let Some(transport) = &self.transport else { return Ok(()) };
        self.tip = transport.fetch()?;
        let known = target(git, &self.follows)?;
        if known == self.tip { Ok(()) } else { move_ref(git, &self.follows, known, self.tip, "sitewright: fetch") }
    }
}

/// The ref of a deploy commit that the remote has not taken yet.
pub(crate) fn pending_ref(repository: &Repository) -> String {
    format!("{}/pending-deploy", repository.refs().namespace())
}

impl Repository {
    /// The sources and the output cannot share a branch.
    pub(super) fn check_branches(&self, request: &PublishRequest<'_>) -> Result<()> {
        if request.layout.has_branch() && request.deploy_branch == self.branch() {
            let problem =
                format!("`publish.deploy_branch`: `{}` holds the sources, the output needs its own", self.branch());
            return Err(Error::InvalidConfig { path: places::CONFIG.into(), line: 0, problem });
        }
        Ok(())
    }

    /// Asks where the deploy branch stands; `None`: the layout has none.
    pub(super) fn find_output_branch(
        &self,
        git: &git2::Repository,
        request: &PublishRequest<'_>,
        fetched: &Fetched,
    ) -> Result<Option<Standing>> {
        if !request.layout.has_branch() {
            return Ok(None);
        }
        let branch = request.deploy_branch.clone();
        let transport = self.transport(git, &branch);
        let follows = match &transport {
            Some(_) => format!("refs/remotes/{}/{branch}", self.options().remote),
            None => format!("refs/heads/{branch}"),
        };
        let mut standing = Standing { tip: target(git, &follows)?, branch, follows, transport };
        if matches!(fetched, Fetched::Tracked) {
            standing.fetch(git)?;
        }
        Ok(Some(standing))
    }

    /// Makes the deploy branch show an output. A remote that does not take it is told in `published`; the commit waits then.
    pub(super) fn push_output(
        &self,
        git: &git2::Repository,
        mut standing: Standing,
        source: Oid,
        output: Option<Oid>,
        published: &mut Published,
    ) -> Result<()> {
        let Some(tree) = output else { return Ok(()) };
        let waiting = target(git, &pending_ref(self))?;
        published.resumed |= waiting.is_some();
        let mut reason = None;
        let mut is_done = false;
        for _ in 0..TRIES {
            if tree_of(git, standing.tip)? == Some(tree) {
                self.forget_output(git)?;
                return Ok(());
            }
            let commit = self.output_commit(git, waiting, standing.tip, source, tree)?;
            self.durable()?;
            move_ref(git, &pending_ref(self), target(git, &pending_ref(self))?, Some(commit), "sitewright: publish")?;
            self.durable()?;
            stop_at("publish::deploy_pending")?;
            match push(&standing, commit)? {
                Pushed::Done => {
                    stop_at("publish::deployed")?;
                    let known = target(git, &standing.follows)?;
                    if known != Some(commit) {
                        move_ref(git, &standing.follows, known, Some(commit), "sitewright: publish")?;
                    }
                    self.forget_output(git)?;
                    is_done = true;
                    reason = None;
                    // Only the output moved: what is live is the answer.
                    published.revision.get_or_insert_with(|| message::revision_id(source));
                    break;
                }
                Pushed::Moved => {
                    reason = Some(format!("{} keeps moving", standing.branch));
                    standing.fetch(git)?;
                }
                Pushed::Refused(words) => {
                    reason = Some(words);
                    break;
                }
            }
        }
        published.deployed = Some(PushReport {
            remote: self.options().remote.clone(),
            address: standing.transport.as_ref().map(|transport| transport.address()).unwrap_or_default(),
            branch: standing.branch,
            ok: is_done,
            reason,
        });
        Ok(())
    }

    /// The commit that puts an output on top of the branch; the one that waits, where it says the same.
    fn output_commit(
        &self,
        git: &git2::Repository,
        waiting: Option<Oid>,
        tip: Option<Oid>,
        source: Oid,
        tree: Oid,
    ) -> Result<Oid> {
        let action = git_error("read a commit");
        if let Some(waiting) = waiting {
            let commit = git.find_commit(waiting).map_err(&action)?;
            if commit.tree_id() == tree && commit.parent_ids().eq(tip) {
                return Ok(waiting);
            }
        }
        let made_from = git.find_commit(source).map_err(&action)?;
        let subject = String::from_utf8_lossy(made_from.summary_bytes().unwrap_or_default()).into_owned();
        let trailers = vec![(SOURCE.to_owned(), source.to_string()), (ORIGIN.to_owned(), "publish".to_owned())];
        let note = Note { message: subject, trailers };
        let parents: Vec<Oid> = tip.into_iter().collect();
        self.commit(git, tree, &parents, &self.author(git), &note)
    }

    fn forget_output(&self, git: &git2::Repository) -> Result<()> {
        let name = pending_ref(self);
        match target(git, &name)? {
            Some(waits) => move_ref(git, &name, Some(waits), None, "sitewright: published"),
            None => Ok(()),
        }
    }
}

fn push(standing: &Standing, commit: Oid) -> Result<Pushed> {
    // Without a remote the branch here is moved by the caller.
    let Some(transport) = &standing.transport else { return Ok(Pushed::Done) };
    match transport.push(&Push::forward(commit, standing.tip)) {
        Err(Error::RemoteUnavailable { reason, .. }) => Ok(Pushed::Refused(reason)),
        other => other,
    }
}
