//! Projection: writing paths to the working tree, each by a temporary file and a rename, never over a person's edit.

use super::Repository;
use super::disk::Temporary;
use super::tree::{Entry, MODE_EXECUTABLE};
use crate::error::Result;
use crate::model::{BlobId, ContentPath};

/// What one path becomes.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Site-relative path.
    pub path: ContentPath,
    /// What must be on disk for it to be written; `None`: nothing. Anything else there is a hand edit and stays.
    pub expected: Option<BlobId>,
    /// What it becomes; `None`: removed.
    pub new: Option<Entry>,
}

/// Steps whose bytes are already on disk beside their targets.
#[derive(Debug)]
pub(crate) struct Projection<'r> {
    repository: &'r Repository,
    ready: Vec<(Step, Option<Temporary>)>,
}

impl Repository {
    /// Writes the temporary files of a projection. Dropping it takes them away again.
    pub(crate) fn prepare(&self, git: &git2::Repository, steps: Vec<Step>) -> Result<Projection<'_>> {
        let mut projection = Projection { repository: self, ready: Vec::with_capacity(steps.len()) };
        for step in steps {
            let temporary = match step.new {
                None => None,
                Some(entry) => {
                    let blob = git.find_blob(entry.id).map_err(super::failure::git_error("read a blob"))?;
                    let executable = (step.expected.is_none() || entry.mode == MODE_EXECUTABLE)
                        .then_some(entry.mode == MODE_EXECUTABLE);
                    match self.disk().temporary(step.path.as_str(), blob.content(), executable) {
                        Ok(temporary) => Some(temporary),
                        Err(error) => {
                            projection.ready.push((step, None));
                            return Err(error);
                        }
                    }
                }
            };
            projection.ready.push((step, temporary));
        }
        Ok(projection)
    }

    /// Prepares, syncs, writes and syncs. Returns the paths that were left alone because someone edited them meanwhile.
    pub(crate) fn project(&self, git: &git2::Repository, steps: Vec<Step>) -> Result<Vec<ContentPath>> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let projection = self.prepare(git, steps)?;
        self.durable()?;
        let left = projection.apply()?;
        self.durable()?;
        Ok(left)
    }
}

impl Projection<'_> {
    /// Renames everything into place, removals first (a removed file may make room for a folder). Returns the paths left alone.
    pub(crate) fn apply(mut self) -> Result<Vec<ContentPath>> {
        let mut ready = std::mem::take(&mut self.ready);
        ready.sort_by_key(|(step, _)| step.new.is_some());
        let mut left = Vec::new();
        for (step, temporary) in ready {
            let path = step.path.as_str();
            let there = self.repository.disk().read(path)?;
            let is_other = matches!(there, super::disk::There::Other(_));
            if is_other || there.id() != step.expected {
                if there.id() != step.new.map(|e| super::message::blob_id(e.id)) || is_other {
                    left.push(step.path);
                }
                continue;
            }
            match temporary {
                Some(temporary) => temporary.place()?,
                None => self.repository.disk().remove(path)?,
            }
            fail::fail_point!("write::projecting", |_| Err(crate::error::Error::internal(
                "failpoint write::projecting"
            )));
        }
        Ok(left)
    }
}

impl Drop for Projection<'_> {
    fn drop(&mut self) {
        for (step, temporary) in self.ready.drain(..) {
            drop(temporary);
            self.repository.disk().prune(step.path.folder());
        }
    }
}
