//! What a remote is told that we have, and the packs it is sent.

use std::io::Write;

use git2::{Oid, Repository};

use super::bound::Bound;
use super::smart::Body;
use super::{MAX_SHALLOW, Reason};

/// How far back known commits are named: every one that doubles the distance, so a history that was cut short still meets.
const DEPTH: usize = 4_096;

/// How many known commits are named at most.
const MOST_KNOWN: usize = 200;

/// Names of what is known here of the remote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local<'a> {
    /// The remote's name.
    pub(super) remote: &'a str,
    /// The branch.
    pub(super) branch: &'a str,
}

/// Commits that the remote probably has too, the likeliest first.
pub(super) fn known(git: &Repository, local: &Local<'_>) -> Vec<Oid> {
    let Local { remote, branch } = local;
    let mut tips = Vec::new();
    for name in [format!("refs/remotes/{remote}/{branch}"), format!("refs/heads/{branch}")] {
        tips.extend(git.refname_to_id(&name).ok());
    }
    if let Ok(all) = git.references_glob(&format!("refs/remotes/{remote}/*")) {
        tips.extend(all.flatten().filter_map(|reference| reference.target()).take(MOST_KNOWN / 2));
    }
    let mut known: Vec<Oid> = Vec::new();
    for (rank, tip) in tips.into_iter().enumerate() {
        // Only the branch itself is followed back; of the others the tip says enough.
        let depth = if rank < 2 { DEPTH } else { 1 };
        let (mut at, mut next) = (tip, 0);
        for distance in 0..depth {
            let Ok(commit) = git.find_commit(at) else { break };
            if distance == next {
                if !known.contains(&at) {
                    known.push(at);
                }
                next = if next == 0 { 1 } else { next * 2 };
            }
            let Ok(parent) = commit.parent_id(0) else { break };
            at = parent;
        }
    }
    known.truncate(MOST_KNOWN);
    known
}

/// Where the history of a shallow clone is cut.
pub(super) fn shallow(git: &Repository) -> Result<Vec<Oid>, Reason> {
    if !git.is_shallow() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(git.commondir().join("shallow"))?;
    let cuts: Vec<Oid> = text.lines().filter_map(|line| Oid::from_str(line).ok()).collect();
    if cuts.len() > MAX_SHALLOW {
        return Err(Reason::new("the history here is cut in too many places: run `git fetch --unshallow`"));
    }
    Ok(cuts)
}

/// Appends the pack of everything that `commit` has and `there` has not.
pub(super) fn write(
    git: &Repository,
    commit: Oid,
    there: &[Oid],
    body: &mut Body,
    bound: &Bound,
) -> Result<(), Reason> {
    let mut walk = git.revwalk()?;
    walk.push(commit)?;
    for id in there {
        // What we do not have, we cannot leave out.
        if git.find_commit(*id).is_ok() {
            walk.hide(*id)?;
        }
    }
    let mut pack = git.packbuilder()?;
    pack.set_progress_callback(|_, _, _| bound.alive())?;
    pack.insert_walk(&mut walk)?;
    let mut failed = None;
    let written = pack.foreach(|bytes| match body.write_all(bytes) {
        Ok(()) => bound.alive(),
        Err(error) => {
            failed = Some(error);
            false
        }
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(written?),
    }
}
