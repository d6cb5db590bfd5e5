//! The remote: fetches one branch and pushes one commit to it, expecting what was fetched.

mod address;
mod bound;
mod credentials;
mod http;
mod libgit2;
mod pack;
mod pkt;
mod settings;
mod smart;
mod ssh;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use git2::Oid;

use super::status::without_credentials as without;
use crate::error::{Error, Result};
use address::Address;
use bound::Bound;
use credentials::{Credentials, Secrets};
use settings::Settings;
use smart::Service;

/// In how many places the history of a shallow clone may be cut.
const MAX_SHALLOW: usize = 1_000;

/// How much of a reason is told, in characters.
const TOLD: usize = 500;

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

/// Why a remote cannot be used, before secrets are taken out.
#[derive(Debug)]
struct Reason(String);

impl Reason {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<std::io::Error> for Reason {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock,
        };
        match error.kind() {
            TimedOut | WouldBlock => Self::new("no answer in time"),
            UnexpectedEof | BrokenPipe | ConnectionReset | ConnectionAborted => Self::new("the connection was cut"),
            ConnectionRefused => Self::new("connection refused"),
            _ => Self(error.to_string()),
        }
    }
}

impl From<git2::Error> for Reason {
    fn from(error: git2::Error) -> Self {
        Self(error.message().to_owned())
    }
}

/// A remote of a repository, reached the way its address asks for: no hooks, nothing that the repository's own configuration
/// could have run, no redirects to elsewhere, and never without a limit of time.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    repository: PathBuf,
    name: String,
    url: String,
    /// Where pushes go, which git lets a person set apart.
    push_url: String,
    branch: String,
    settings: Settings,
}

impl Remote {
    /// The remote of a repository; `None` where it has no such remote.
    pub(crate) fn open(git: &git2::Repository, name: &str, branch: &str) -> Option<Self> {
        let found = git.find_remote(name).ok()?;
        let url = found.url().unwrap_or_default().to_owned();
        let push_url = found.pushurl().ok().flatten().map_or_else(|| url.clone(), str::to_owned);
        Some(Self {
            repository: git.path().to_owned(),
            name: name.to_owned(),
            url,
            push_url,
            branch: branch.to_owned(),
            settings: Settings::from_environment(),
        })
    }

    fn unavailable(&self, reason: &Reason, secrets: &Secrets) -> Error {
        Error::RemoteUnavailable { remote: self.name.clone(), reason: self.clean(&reason.0, secrets) }
    }

    /// A message for people and agents: one line, not long, and without credentials.
    fn clean(&self, message: &str, secrets: &Secrets) -> String {
        let message = secrets.removed_from(message);
        let message = without_credentials(&without_credentials(&message, &self.url), &self.push_url);
        message
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            .filter(|c| !c.is_control())
            .take(TOLD)
            .collect()
    }

    /// Runs a conversation within its limits.
    fn bounded<T: Send + 'static>(
        &self,
        url: &str,
        talk: impl FnOnce(&Self, &git2::Repository, &Address, &Secrets, &Arc<Bound>) -> Result<T, Reason> + Send + 'static,
    ) -> Result<(T, Secrets)> {
        let secrets = Secrets::default();
        let address = address::parse(url).map_err(|reason| self.unavailable(&reason, &secrets))?;
        // libgit2 tells nothing while it works on a local repository.
        let silence = if address == Address::Plain { self.settings.whole } else { self.settings.silence };
        let (copy, shared) = (self.clone(), secrets.clone());
        let result = bound::run(self.settings.whole, silence, move |bound| {
            let none: [&Path; 0] = [];
            let git = git2::Repository::open_ext(&copy.repository, git2::RepositoryOpenFlags::NO_SEARCH, none)?;
            talk(&copy, &git, &address, &shared, bound)
        });
        result.map(|value| (value, secrets.clone())).map_err(|reason| self.unavailable(&reason, &secrets))
    }

    /// Runs `talk` with what opens conversations in the smart protocol.
    fn smartly<T>(
        &self,
        address: &Address,
        secrets: &Secrets,
        bound: &Arc<Bound>,
        talk: impl FnOnce(smart::Open<'_>) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        match address {
            Address::Http(web) => {
                let agent = http::agent(web, &self.settings, bound)?;
                // One set for both conversations of a push: what was refused once is not tried again.
                let credentials = Rc::new(RefCell::new(Credentials::new(&self.settings, secrets)));
                talk(&|service: Service| Ok(http::Http::open(&agent, web, service, &credentials)))
            }
            Address::Ssh(login) => talk(&|service: Service| ssh::Ssh::open(login, service, &self.settings, bound)),
            Address::Plain => Err(Reason::new("addresses of this kind are not supported")),
        }
    }
}

impl Transport for Remote {
    fn fetch(&self) -> Result<Option<Oid>> {
        let talk = |this: &Self, git: &git2::Repository, address: &Address, secrets: &Secrets, bound: &Arc<Bound>| {
            if *address == Address::Plain {
                return libgit2::fetch(git, &this.name, &this.branch, bound);
            }
            let local = pack::Local { remote: &this.name, branch: &this.branch };
            this.smartly(address, secrets, bound, |open| smart::fetch(open, git, &local, &this.branch, bound))
        };
        self.bounded(&self.url, talk).map(|(tip, _)| tip)
    }

    fn push(&self, push: &Push) -> Result<Pushed> {
        let mut push = push.clone();
        // A control character would end the option, or the process.
        push.options.iter_mut().for_each(|option| *option = option.replace(char::is_control, " "));
        let talk =
            move |this: &Self, git: &git2::Repository, address: &Address, secrets: &Secrets, bound: &Arc<Bound>| {
                if *address == Address::Plain {
                    let target = libgit2::Target { remote: &this.name, url: &this.push_url, branch: &this.branch };
                    return libgit2::push(git, &target, &push, bound);
                }
                this.smartly(address, secrets, bound, |open| smart::push(open, git, &this.branch, &push, bound))
            };
        Ok(match self.bounded(&self.push_url, talk)? {
            (Pushed::Refused(reason), secrets) => Pushed::Refused(self.clean(&reason, &secrets)),
            (pushed, _) => pushed,
        })
    }

    fn address(&self) -> String {
        without(&self.url)
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
    message
}

#[cfg(test)]
mod tests;
