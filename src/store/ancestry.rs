//! Which commits contain which. Git walks the history for each such question; a tip that grew by an edit still contains what the
//! one before it did.

use std::collections::VecDeque;

use git2::Oid;

use super::{Repository, failure::git_error, refs};
use crate::error::Result;

/// Answers that are remembered: of the working tree and of named change sets, with what is live and with the local branch.
const REMEMBERED: usize = 16;
/// Steps back to a commit of which the answer is known, before all of the history is asked.
const STEPS: usize = 32;

/// Pairs of a commit and one that it contains, newest first.
#[derive(Debug, Default)]
pub(crate) struct Contained(VecDeque<(Oid, Oid)>);

impl Contained {
    fn knows(&self, pair: (Oid, Oid)) -> bool {
        self.0.contains(&pair)
    }

    /// Remembers a pair in the place of an older one that led to it.
    fn remember(&mut self, pair: (Oid, Oid), instead: Option<(Oid, Oid)>) {
        self.0.retain(|known| *known != pair && Some(*known) != instead);
        self.0.push_front(pair);
        self.0.truncate(REMEMBERED);
    }
}

impl Repository {
    /// Whether a commit is on the line that leads to a tip, which may be gone.
    pub(crate) fn is_on(&self, git: &git2::Repository, tip: Option<Oid>, commit: Oid) -> Result<bool> {
        match tip.filter(|tip| refs::is_commit(git, *tip)) {
            Some(tip) => self.contains(git, tip, commit),
            None => Ok(false),
        }
    }

    /// Whether a commit is another one or descends from it.
    pub(crate) fn contains(&self, git: &git2::Repository, commit: Oid, other: Oid) -> Result<bool> {
        if commit == other || self.cache().contained.knows((commit, other)) {
            return Ok(true);
        }
        let mut at = Some(commit);
        for _ in 0..STEPS {
            at = at.and_then(|at| git.find_commit(at).ok()?.parent_id(0).ok());
            let Some(earlier) = at else { break };
            let known = (earlier, other);
            if earlier == other || self.cache().contained.knows(known) {
                self.cache().contained.remember((commit, other), Some(known));
                return Ok(true);
            }
        }
        let contains = git.graph_descendant_of(commit, other).map_err(git_error("compare commits"))?;
        if contains {
            self.cache().contained.remember((commit, other), None);
        }
        Ok(contains)
    }
}
