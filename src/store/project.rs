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

/// How far a step is.
#[derive(Debug)]
enum Ready {
    /// The path only goes.
    Removal,
    /// Its bytes lie beside it.
    Beside(Temporary),
    /// Something is in its place that another step removes first.
    Late { bytes: Vec<u8>, executable: Option<bool> },
}

/// Steps whose bytes are already on disk beside their targets.
#[derive(Debug)]
pub(crate) struct Projection<'r> {
    repository: &'r Repository,
    ready: Vec<(Step, Ready)>,
}

impl Repository {
    /// Writes the temporary files of a projection. Dropping it takes them away again.
    pub(crate) fn prepare(&self, git: &git2::Repository, steps: Vec<Step>) -> Result<Projection<'_>> {
        let going: Vec<String> = steps.iter().filter(|s| s.new.is_none()).map(|s| s.path.to_string()).collect();
        let mut projection = Projection { repository: self, ready: Vec::with_capacity(steps.len()) };
        for step in steps {
            let Some(entry) = step.new else {
                projection.ready.push((step, Ready::Removal));
                continue;
            };
            let blob = git.find_blob(entry.id).map_err(super::failure::git_error("read a blob"))?;
            let is_executable = entry.mode == MODE_EXECUTABLE;
            let executable = (step.expected.is_none() || is_executable).then_some(is_executable);
            let path = step.path.as_str();
            if going.iter().any(|gone| nests(gone, path)) {
                projection.ready.push((step, Ready::Late { bytes: blob.content().to_vec(), executable }));
                continue;
            }
            match self.disk().temporary(path, blob.content(), executable) {
                Ok(temporary) => projection.ready.push((step, Ready::Beside(temporary))),
                Err(error) => {
                    // Folders made on the way go again with the rest.
                    projection.ready.push((step, Ready::Removal));
                    return Err(error);
                }
            }
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
        ready.sort_by_key(|(_, ready)| !matches!(ready, Ready::Removal));
        let mut left = Vec::new();
        let _placing = self.repository.placing();
        for (step, ready) in ready {
            let path = step.path.as_str();
            let there = self.repository.disk().read(path)?;
            let is_other = matches!(there, super::disk::There::Other(_));
            if is_other || there.id() != step.expected {
                if there.id() != step.new.map(|e| super::message::blob_id(e.id)) || is_other {
                    left.push(step.path);
                }
                continue;
            }
            match ready {
                Ready::Beside(temporary) => temporary.place()?,
                Ready::Late { bytes, executable } => {
                    self.repository.disk().temporary(path, &bytes, executable)?.place()?;
                }
                Ready::Removal => self.repository.disk().remove(path)?,
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
        for (step, ready) in self.ready.drain(..) {
            drop(ready);
            self.repository.disk().prune(step.path.folder());
        }
    }
}

/// Whether one of the paths lies below the other.
fn nests(a: &str, b: &str) -> bool {
    let below = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'));
    below(a, b) || below(b, a)
}
