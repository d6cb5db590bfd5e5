//! The deploy branch: its root is the output of what was built, without a new object but the commit. It is pushed after the sources were
//! accepted, and compared with the output each time, so what a crash or a refusal left undone is found by the next publish.

use git2::Oid;

use super::{Fetched, PublishRequest, Published, PushReport, Stand, TRIES, plan, stop_at};
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

/// The ref of the last commit whose output the deploy branch is known to show.
fn output_ref(repository: &Repository) -> String {
    format!("{}/output-of", repository.refs().namespace())
}

impl Repository {
    /// Whether live has sources whose output the deploy branch does not show, as far as is known here: somebody merged a review, or pushed
    /// sources alone. The next publish makes it follow.
    pub fn is_output_behind(&self, deploy_branch: &str) -> Result<bool> {
        let git = self.git()?;
        let Some(live) = self.live_commit(&git)? else { return Ok(false) };
        let follows = self.follows(&git, deploy_branch);
        let shown = match target(&git, &follows)? {
            Some(tip) => made_from(&git, tip),
            None => None,
        };
        for source in [target(&git, &output_ref(self))?, shown].into_iter().flatten() {
            let (old, new) = (tree_of(&git, Some(source)), tree_of(&git, Some(live))?);
            // A shallow clone may not have it.
            let Ok(old) = old else { continue };
            if source == live || plan::compare_sites(self, &git, old, new)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The ref here that follows the deploy branch; without a remote it is the branch itself.
    fn follows(&self, git: &git2::Repository, branch: &str) -> String {
        let remote = &self.options().remote;
        if git.find_remote(remote).is_ok() {
            format!("refs/remotes/{remote}/{branch}")
        } else {
            format!("refs/heads/{branch}")
        }
    }

    /// Remembers that the deploy branch shows the output of a commit.
    fn remember_output(&self, git: &git2::Repository, source: Oid) -> Result<()> {
        let name = output_ref(self);
        match target(git, &name)? {
            Some(known) if known == source => Ok(()),
            known => move_ref(git, &name, known, Some(source), "sitewright: published"),
        }
    }

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
        let follows = self.follows(git, &branch);
        let mut standing = Standing { tip: target(git, &follows)?, branch, follows, transport };
        if matches!(fetched, Fetched::Tracked) {
            standing.fetch(git)?;
        }
        Ok(Some(standing))
    }

    /// Makes the deploy branch show what is live, where only that is left to do.
    pub(super) fn push_live_output(
        &self,
        git: &git2::Repository,
        deploy: Option<Standing>,
        stand: &Stand,
        fetched: &Fetched,
        output: Option<Oid>,
        published: &mut Published,
    ) -> Result<()> {
        match (deploy, stand.live, fetched) {
            (Some(deploy), Some(live), Fetched::Local | Fetched::Tracked) => {
                self.push_output(git, deploy, live, output, published)
            }
            _ => Ok(()),
        }
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
                self.remember_output(git, source)?;
                return self.forget_output(git);
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
                    self.remember_output(git, source)?;
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

/// The commit that an output says it was built from.
fn made_from(git: &git2::Repository, output: Oid) -> Option<Oid> {
    let commit = git.find_commit(output).ok()?;
    let (_, trailers) = message::parse(&String::from_utf8_lossy(commit.message_bytes()));
    trailers.iter().find(|(key, _)| key == SOURCE).and_then(|(_, id)| Oid::from_str(id).ok())
}

fn push(standing: &Standing, commit: Oid) -> Result<Pushed> {
    // Without a remote the branch here is moved by the caller.
    let Some(transport) = &standing.transport else { return Ok(Pushed::Done) };
    match transport.push(&Push::forward(commit, standing.tip)) {
        Err(Error::RemoteUnavailable { reason, .. }) => Ok(Pushed::Refused(reason)),
        other => other,
    }
}
