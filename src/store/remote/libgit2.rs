//! Remotes that libgit2 reaches without help: folders on this machine and `git://`. No hooks, no credentials, no redirects.

use std::cell::RefCell;
use std::sync::Arc;

use git2::{
    AutotagOption, Direction, ErrorClass, ErrorCode, FetchOptions, Oid, PushOptions, RemoteCallbacks, RemoteRedirect,
};

use super::bound::Bound;
use super::{Push, Pushed, Reason, address, pack};

/// How libgit2 says that a server takes no push options.
const NO_OPTIONS: &str = "push-options not supported";

/// How much of what a server's hooks say is kept, in bytes.
const SAID: usize = 2_000;

/// Where a push goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    /// The remote's name.
    pub(super) remote: &'a str,
    /// Its address for pushes.
    pub(super) url: &'a str,
    /// The branch.
    pub(super) branch: &'a str,
}

/// Brings the branch's commits here and answers its tip.
pub(super) fn fetch(
    git: &git2::Repository,
    remote: &str,
    branch: &str,
    bound: &Arc<Bound>,
) -> Result<Option<Oid>, Reason> {
    let mut remote = git.find_remote(remote).map_err(failed)?;
    let wanted = format!("refs/heads/{branch}");
    let tip = {
        let connection = remote.connect_auth(Direction::Fetch, Some(callbacks(bound)), None).map_err(failed)?;
        connection.list().map_err(failed)?.iter().find(|head| head.name() == wanted).map(git2::RemoteHead::oid)
    };
    let Some(tip) = tip else { return Ok(None) };
    if git.find_commit(tip).is_ok() {
        return Ok(Some(tip));
    }
    let mut options = FetchOptions::new();
    options
        .remote_callbacks(callbacks(bound))
        .download_tags(AutotagOption::None)
        .update_fetchhead(false)
        .follow_redirects(RemoteRedirect::None);
    // Without a right side the refspec moves no ref: the caller does, after it has looked at the commit.
    remote.download(&[wanted], Some(&mut options)).map_err(failed)?;
    remote.disconnect().map_err(failed)?;
    // The branch may have moved between the two connections; what was named first is there in either case.
    git.find_commit(tip).map(|_| Some(tip)).map_err(|_| Reason::new("it did not send its newest commit"))
}

/// Makes the branch point to the commit, if it still is where it is expected.
pub(super) fn push(git: &git2::Repository, to: &Target<'_>, push: &Push, bound: &Arc<Bound>) -> Result<Pushed, Reason> {
    match push_once(git, to, push, bound) {
        // The server takes no options: they are an extra, the push is not.
        Err(reason) if reason.0.contains(NO_OPTIONS) && !push.options.is_empty() => {
            push_once(git, to, &Push { options: Vec::new(), ..push.clone() }, bound)
        }
        other => other,
    }
}

fn push_once(git: &git2::Repository, to: &Target<'_>, push: &Push, bound: &Arc<Bound>) -> Result<Pushed, Reason> {
    let Push { commit, expected, .. } = *push;
    let head = format!("refs/heads/{}", to.branch);
    if let Some(path) = address::local_path(to.url) {
        return hand_over(git, &path, &head, push, bound);
    }
    let mut remote = git.find_remote(to.remote).map_err(failed)?;
    let (mut moved, mut refused) = (false, None);
    let said = RefCell::new(Vec::new());
    let result = {
        let mut calls = callbacks(bound);
        calls.sideband_progress(|text| {
            let mut said = said.borrow_mut();
            if said.len() < SAID {
                said.extend_from_slice(text);
            }
            bound.alive()
        });
        calls.push_negotiation(|updates| {
            let there = updates.first().map(git2::PushUpdate::dst).filter(|id| !id.is_zero());
            if there != expected && there != Some(commit) {
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
        options.remote_push_options(&push.options.iter().map(String::as_str).collect::<Vec<_>>());
        let force = if push.rewrite { "+" } else { "" };
        remote.push(&[format!("{force}{commit}:{head}")], Some(&mut options))
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
        return Ok(Pushed::Refused(if said.is_empty() { reason } else { format!("{reason}: {said}") }));
    }
    Ok(Pushed::Done)
}

/// Gives a repository on this machine what it has not, and moves its branch by compare-and-swap: libgit2 does not compare before it sets.
fn hand_over(git: &git2::Repository, path: &str, head: &str, push: &Push, bound: &Bound) -> Result<Pushed, Reason> {
    let Push { commit, expected, .. } = *push;
    let there = git2::Repository::open(path).map_err(failed)?;
    if !there.is_bare() {
        return Err(Reason::new("a folder on this machine has to be a bare repository to be pushed to"));
    }
    let references = there.references().map_err(failed)?;
    let tips: Vec<Oid> = references.filter_map(|reference| reference.ok()?.target()).collect();
    if !tips.contains(&commit) {
        let odb = there.odb().map_err(failed)?;
        let mut writer = odb.packwriter().map_err(failed)?;
        pack::write(git, commit, &tips, &mut writer, bound)?;
        writer.commit().map_err(failed)?;
    }
    match there.reference_matching(head, commit, true, expected.unwrap_or(Oid::ZERO_SHA1), "push") {
        Ok(_) => Ok(Pushed::Done),
        Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::Exists | ErrorCode::NotFound) => {
            let now = there.refname_to_id(head).ok();
            Ok(if now == Some(commit) { Pushed::Done } else { Pushed::Moved })
        }
        Err(error) => Ok(Pushed::Refused(error.message().to_owned())),
    }
}

fn failed(error: git2::Error) -> Reason {
    match (error.code(), error.class()) {
        (ErrorCode::Auth, _) => Reason::new("it asks for a name and password, and none is set up"),
        (_, ErrorClass::Net) if error.message().contains("timed out") => Reason::new("it does not answer"),
        _ => error.into(),
    }
}

/// Callbacks that end a transfer that is given up, and never answer a question for credentials.
fn callbacks(bound: &Arc<Bound>) -> RemoteCallbacks<'_> {
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(|_| bound.alive()).sideband_progress(|_| bound.alive());
    callbacks
}
