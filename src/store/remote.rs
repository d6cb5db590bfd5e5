//! The remote: fetches one branch and pushes one commit to it, expecting what was fetched.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use git2::{
    AutotagOption, Direction, ErrorClass, ErrorCode, FetchOptions, Oid, PushOptions, RemoteCallbacks, RemoteRedirect,
};

use super::status::without_credentials as without;
use crate::error::{Error, Result};

/// How long one fetch or push may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// How libgit2 says that a server takes no push options.
const NO_OPTIONS: &str = "push-options not supported";

/// How much of what a server's hooks say is kept, in bytes.
const SAID: usize = 2_000;

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The remote has the commit.
    Done,
    /// The branch is not where it was when it was fetched.
    Moved,
    /// The remote's own reason.
    Refused(String),
}

/// What a push is to do with the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Push {
    /// Where the branch shall point.
    pub(crate) commit: Oid,
    /// Where it must still be; `None`: it must not exist.
    pub(crate) expected: Option<Oid>,
    /// Whether `commit` may leave out what the branch has: for review branches. Also then it must be where it is expected.
    pub(crate) rewrite: bool,
    /// What the server is asked besides, such as `merge_request.create`; servers that take no options get none.
    pub(crate) options: Vec<String>,
}

impl Push {
    /// A push that only ever adds.
    pub(crate) fn forward(commit: Oid, expected: Option<Oid>) -> Self {
        Self { commit, expected, rewrite: false, options: Vec::new() }
    }
}

/// A way to reach one branch of one remote.
pub(crate) trait Transport {
    /// Brings the branch's commits here and answers its tip; `None`: the remote has no such branch. Moves no ref.
    fn fetch(&self) -> Result<Option<Oid>>;
    /// Makes the branch point to a commit, if it still is where it is expected.
    fn push(&self, push: &Push) -> Result<Pushed>;
    /// The remote's address without credentials.
    fn address(&self) -> String;
}

/// A remote reached through libgit2: no hooks, no credential helpers, no redirects.
#[derive(Debug, Clone)]
pub(crate) struct Libgit2 {
    repository: PathBuf,
    remote: String,
    url: String,
    /// Where pushes go, which git lets a person set apart.
    push_url: String,
    branch: String,
    patience: Duration,
}

impl Libgit2 {
    /// The remote of a repository; `None` where it has no such remote.
    pub(crate) fn open(git: &git2::Repository, remote: &str, branch: &str) -> Option<Self> {
        let found = git.find_remote(remote).ok()?;
        let url = found.url().unwrap_or_default().to_owned();
        let push_url = found.pushurl().ok().flatten().map_or_else(|| url.clone(), str::to_owned);
        Some(Self {
            repository: git.path().to_owned(),
            remote: remote.to_owned(),
            url,
            push_url,
            branch: branch.to_owned(),
            patience: PATIENCE,
        })
    }

    #[cfg(test)]
    fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn head(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }

    fn unavailable(&self, reason: impl Into<String>) -> Error {
        Error::RemoteUnavailable { remote: self.remote.clone(), reason: self.clean(&reason.into()) }
    }

    fn clean(&self, message: &str) -> String {
        without_credentials(&without_credentials(message, &self.url), &self.push_url)
    }

    fn failed(&self, error: &git2::Error) -> Error {
        self.unavailable(match (error.code(), error.class()) {
            (ErrorCode::Auth, _) => "it asks for a name and password, and none is set up".to_owned(),
            (_, ErrorClass::Net) if error.message().contains("timed out") => "it does not answer".to_owned(),
            _ => error.message().to_owned(),
        })
    }

    /// Runs a network operation in a thread of its own, because libgit2 offers no safe way to bound a connection that hangs.
    /// A thread that is given up ends when its connection does; what it still pushes is found by the next fetch.
    fn bounded<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Self, &git2::Repository, Instant) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        check_scheme(&self.url)
            .and_then(|()| check_scheme(&self.push_url))
            .map_err(|reason| self.unavailable(reason))?;
        let (send, receive) = channel();
        let copy = self.clone();
        let deadline = Instant::now() + self.patience;
        std::thread::Builder::new()
            .name("remote".into())
            .spawn(move || {
                let none: [&std::path::Path; 0] = [];
                let result = git2::Repository::open_ext(&copy.repository, git2::RepositoryOpenFlags::NO_SEARCH, none)
                    .map_err(|error| copy.failed(&error))
                    .and_then(|git| run(&copy, &git, deadline));
                // Nobody listens after the deadline.
                let _ = send.send(result);
            })
            .map_err(Error::internal)?;
        match receive.recv_timeout(self.patience) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => {
                Err(self.unavailable(format!("no answer within {} s", self.patience.as_secs())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(Error::internal("the remote's thread ended without an answer")),
        }
    }

    fn fetch_now(&self, git: &git2::Repository, deadline: Instant) -> Result<Option<Oid>> {
        let failed = |error: git2::Error| self.failed(&error);
        let mut remote = git.find_remote(&self.remote).map_err(failed)?;
        let wanted = self.head();
        let tip = {
            let connection = remote.connect_auth(Direction::Fetch, Some(callbacks(deadline)), None).map_err(failed)?;
            connection.list().map_err(failed)?.iter().find(|head| head.name() == wanted).map(git2::RemoteHead::oid)
        };
        let Some(tip) = tip else { return Ok(None) };
        if git.find_commit(tip).is_ok() {
            return Ok(Some(tip));
        }
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(callbacks(deadline))
            .download_tags(AutotagOption::None)
            .update_fetchhead(false)
            .follow_redirects(RemoteRedirect::None);
        // Without a right side the refspec moves no ref: the caller does, after it has looked at the commit.
        remote.download(&[wanted], Some(&mut options)).map_err(failed)?;
        remote.disconnect().map_err(failed)?;
        // The branch may have moved between the two connections; what was named first is there in either case.
        git.find_commit(tip).map(|_| Some(tip)).map_err(|_| self.unavailable("it did not send its newest commit"))
    }

    fn push_now(&self, git: &git2::Repository, push: &Push, deadline: Instant) -> Result<Pushed> {
        let Push { commit, expected, .. } = *push;
        let failed = |error: git2::Error| self.failed(&error);
        let mut remote = git.find_remote(&self.remote).map_err(failed)?;
        let (mut moved, mut refused) = (false, None);
        let said = RefCell::new(Vec::new());
        // A local path is written by libgit2 itself, which does not compare before it sets: a ref of our own comes first.
        let local = local_path(&self.push_url);
        let target = match &local {
            Some(_) => format!("refs/sitewright/incoming/{commit}"),
            None => self.head(),
        };
        let result = {
            let mut calls = callbacks(deadline);
            calls.sideband_progress(|text| {
                let mut said = said.borrow_mut();
                if said.len() < SAID {
                    said.extend_from_slice(text);
                }
                Instant::now() < deadline
            });
            calls.push_negotiation(|updates| {
                let there = updates.first().map(git2::PushUpdate::dst).filter(|id| !id.is_zero());
                if local.is_none() && there != expected && there != Some(commit) {
                    moved = true;
                    return Err(git2::Error::from_str("the branch moved"));
                }
                Ok(())
            });
            calls.push_update_reference(|_, status| {
                refused = status.map(str::to_owned);
                Ok(())
            });
            let mut options = PushOptions::new();
            options.remote_callbacks(calls).follow_redirects(RemoteRedirect::None);
            // A control character would end the option, or the process.
            let asked: Vec<String> = push.options.iter().map(|o| o.replace(char::is_control, " ")).collect();
            options.remote_push_options(&asked.iter().map(String::as_str).collect::<Vec<_>>());
            let force = if push.rewrite { "+" } else { "" };
            remote.push(&[format!("{force}{commit}:{target}")], Some(&mut options))
        };
        match result {
            _ if moved => return Ok(Pushed::Moved),
            Err(error) if matches!(error.code(), ErrorCode::NotFastForward) => return Ok(Pushed::Moved),
            Err(error) => return Err(failed(error)),
            Ok(()) => {}
        }
        if let Some(reason) = refused {
            let said = String::from_utf8_lossy(&said.into_inner()).into_owned();
            let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
            let reason = if said.is_empty() { reason } else { format!("{reason}: {said}") };
            return Ok(Pushed::Refused(self.clean(&reason)));
        }
        match local {
            Some(path) => self.place(&path, &target, commit, expected),
            None => Ok(Pushed::Done),
        }
    }

    /// Moves the branch of a repository on this machine by compare-and-swap.
    fn place(&self, path: &str, incoming: &str, commit: Oid, expected: Option<Oid>) -> Result<Pushed> {
        let git = git2::Repository::open(path).map_err(|error| self.failed(&error))?;
        let moved = git.reference_matching(&self.head(), commit, true, expected.unwrap_or(Oid::ZERO_SHA1), "push");
        if let Ok(mut reference) = git.find_reference(incoming) {
            // A left-over only keeps objects alive that the branch has anyway.
            let _ = reference.delete();
        }
        match moved {
            Ok(_) => Ok(Pushed::Done),
            Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::Exists | ErrorCode::NotFound) => {
                let there = git.refname_to_id(&self.head()).ok();
                Ok(if there == Some(commit) { Pushed::Done } else { Pushed::Moved })
            }
            Err(error) => Ok(Pushed::Refused(self.clean(error.message()))),
        }
    }
}

impl Transport for Libgit2 {
    fn fetch(&self) -> Result<Option<Oid>> {
        self.bounded(Self::fetch_now)
    }

    fn push(&self, push: &Push) -> Result<Pushed> {
        let push = push.clone();
        self.bounded(move |this, git, deadline| match this.push_now(git, &push, deadline) {
            // The server takes no options: they are an extra, the push is not.
            Err(Error::RemoteUnavailable { reason, .. }) if reason.contains(NO_OPTIONS) && !push.options.is_empty() => {
                this.push_now(git, &Push { options: Vec::new(), ..push }, deadline)
            }
            other => other,
        })
    }

    fn address(&self) -> String {
        without(&self.url)
    }
}

/// Callbacks that end a transfer after the deadline and never answer a question for credentials.
fn callbacks<'a>(deadline: Instant) -> RemoteCallbacks<'a> {
    let mut callbacks = RemoteCallbacks::new();
    callbacks
        .transfer_progress(move |_| Instant::now() < deadline)
        .sideband_progress(move |_| Instant::now() < deadline);
    callbacks
}

/// Refuses schemes that this libgit2 was built without.
fn check_scheme(url: &str) -> Result<(), String> {
    let version = git2::Version::get();
    let scheme = match url.split_once("://") {
        Some((scheme, _)) => scheme.to_ascii_lowercase(),
        // `host:path` is ssh, unless a slash comes first.
        None if url.split_once(':').is_some_and(|(host, _)| !host.contains('/')) => "ssh".into(),
        None => return Ok(()),
    };
    let known = match scheme.as_str() {
        "file" | "http" | "git" => true,
        "https" => version.https(),
        "ssh" | "git+ssh" | "ssh+git" => version.ssh(),
        _ => return Err(format!("addresses that begin with {scheme}:// are not supported")),
    };
    if known {
        return Ok(());
    }
    Err(format!(
        "this build cannot speak {scheme} yet; push the branch with git yourself, or use a file://, http:// or git:// address"
    ))
}

/// The folder of a remote on this machine.
fn local_path(url: &str) -> Option<String> {
    match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            // libgit2 decodes percent signs; such addresses go its plain way.
            (!path.contains('%')).then(|| path.to_owned())
        }
        Some(_) => None,
        None => {
            check_scheme(url).is_ok_and(|()| !url.contains(':') || url.starts_with(['/', '.'])).then(|| url.to_owned())
        }
    }
}

/// A message in which the address carries no credentials.
fn without_credentials(message: &str, url: &str) -> String {
    let mut message = message.replace(url, &without(url));
    let user =
        url.split_once("://").and_then(|(_, rest)| rest.split('/').next()?.rsplit_once('@')).map(|(user, _)| user);
    if let Some((_, password)) = user.and_then(|user| user.split_once(':')).filter(|(_, password)| !password.is_empty())
    {
        message = message.replace(password, "***");
    }
    message.chars().filter(|c| !c.is_control()).take(500).collect()
}

#[cfg(test)]
mod tests;
