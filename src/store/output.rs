//! Puts a build's outputs into a folder by difference, and into a git tree.

mod claim;
mod disk;
mod git_tree;

use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;

use super::Repository;
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, OutputData, Outputs, Snapshot};

pub(crate) use git_tree::tree;

use claim::claim;

/// Supplies the bytes of a source file that an output is a copy of.
pub type Source<'a> = dyn Fn(&ContentPath, BlobId) -> Result<Arc<[u8]>> + 'a;

/// What [`write()`] did, as paths below the output folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// New files.
    pub added: Vec<String>,
    /// Files with other bytes.
    pub changed: Vec<String>,
    /// Files that no output has any more.
    pub removed: Vec<String>,
}

impl Written {
    /// Whether the folder already was as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// Makes the folder `output` below `parent` hold exactly these outputs, touching only files that differ.
///
/// Each file is written beside its place and renamed over it; files without an output are removed last, and folders that
/// become empty with them. Files and folders whose name begins with a dot are left alone unless they are outputs. No symlink is
/// followed: one in the way of an output is replaced.
///
/// # Errors
/// [`Error::InvalidPath`] for an output path that is not a plain relative one, or a folder that is a symlink or a file;
/// [`Error::DiskFull`], [`Error::ReadOnly`], [`Error::Io`]. What was written until then stays; the next call goes on.
pub fn write(parent: &Dir, output: &str, outputs: &Outputs, source: &Source<'_>) -> Result<Written> {
    check_paths(outputs)?;
    disk::Folder::open(parent, output)?.fill(outputs, source)
}

impl Repository {
    /// Writes a build of these sources into a folder anywhere (made if missing), or into the site's own output folder.
    ///
    /// # Errors
    /// As [`write()`], and [`Error::InvalidArguments`] for a folder elsewhere that holds other files: they would be removed.
    pub fn write_outputs(&self, outputs: &Outputs, sources: &Snapshot, folder: Option<&Path>) -> Result<Written> {
        let source = |path: &ContentPath, id: BlobId| match sources.get(path).filter(|file| file.id == id) {
            Some(file) => self.bytes(path, file),
            None => Err(Error::internal(format!("the build copies {path}, which its sources do not have"))),
        };
        let Some(folder) = folder else {
            self.check_output()?;
            return write(self.disk().dir(), self.output(), outputs, &source);
        };
        let (parent, name) = claim(folder)?;
        write(&parent, &name, outputs, &source)
    }
}

/// The bytes of an output.
fn bytes(data: &OutputData, source: &Source<'_>) -> Result<Arc<[u8]>> {
    match data {
        OutputData::Bytes(bytes) => Ok(Arc::clone(bytes)),
        OutputData::Copy(path, id) => source(path, *id),
    }
}

/// Refuses paths that cannot be files below one folder: unsafe ones, and a file that is also a folder.
fn check_paths(outputs: &Outputs) -> Result<()> {
    for path in outputs.keys() {
        ContentPath::from_disk(path)?;
        for (at, _) in path.match_indices('/') {
            if outputs.contains_key(&path[..at]) {
                let problem = format!("the output {} would be a file and a folder", &path[..at]);
                return Err(Error::InvalidPath { path: path.clone(), problem });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
