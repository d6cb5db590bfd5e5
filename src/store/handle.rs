//! Git handles for one operation each, kept for the next one for a moment: opening one reads git's configuration anew.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Repository;
use super::failure::git_error;
use crate::error::Result;

/// An older handle is closed: a call uses many one after the other, and what it holds of a pack or the index should not outlive that.
const OLDEST: Duration = Duration::from_secs(2);
/// Handles that are kept.
const MOST: usize = 4;

/// Handles that nobody uses at the moment.
#[derive(Default)]
pub(crate) struct Handles(Mutex<Vec<(Instant, git2::Repository)>>);

impl std::fmt::Debug for Handles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handles").finish_non_exhaustive()
    }
}

/// A git handle that goes back when dropped.
pub(crate) struct Handle {
    /// One, until it is dropped.
    held: Vec<git2::Repository>,
    opened: Instant,
    home: Arc<Handles>,
}

impl Deref for Handle {
    type Target = git2::Repository;

    fn deref(&self) -> &git2::Repository {
        &self.held[0]
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut handles = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if handles.len() < MOST && self.opened.elapsed() < OLDEST {
            handles.extend(self.held.pop().map(|git| (self.opened, git)));
        }
    }
}

impl Repository {
    /// A git handle for one operation, nobody else's meanwhile.
    pub(crate) fn git(&self) -> Result<Handle> {
        let home = Arc::clone(self.handles());
        let mut handles = home.0.lock().unwrap_or_else(PoisonError::into_inner);
        handles.retain(|(opened, _)| opened.elapsed() < OLDEST);
        let kept = handles.pop();
        drop(handles);
        let (opened, git) = if let Some(kept) = kept {
            kept
        } else {
            let opened = Instant::now();
            (opened, self.open_git()?)
        };
        Ok(Handle { held: vec![git], opened, home })
    }

    /// A new git handle, which knows nothing from before.
    pub(crate) fn open_git(&self) -> Result<git2::Repository> {
        self.work().opened();
        let none: [&Path; 0] = [];
        git2::Repository::open_ext(self.workdir(), git2::RepositoryOpenFlags::NO_SEARCH, none)
            .map_err(git_error("open the repository"))
    }
}
