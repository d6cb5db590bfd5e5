//! Puts a build's outputs into a folder by difference, and into a git tree.

mod claim;
mod disk;
mod git_tree;
mod held;
mod stock;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;

use super::Repository;
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, OutputData, Outputs, Snapshot};

pub use held::{Row, Rows, Stamp, kept_as, packed, unpacked};
pub use stock::{Made, Stock};

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
/// Those that are `held` are known to be there already. Each file is written beside its place and renamed over it, but for those in a folder that is new; files without an output are removed last, and folders that
/// become empty with them. Files and folders whose name begins with a dot are left alone unless they are outputs. No symlink is
/// followed: one in the way of an output is replaced.
///
/// # Errors
/// [`Error::InvalidPath`] for an output path that is not a plain relative one, or a folder that is a symlink or a file;
/// [`Error::DiskFull`], [`Error::ReadOnly`], [`Error::Io`]. What was written until then stays; the next call goes on.
pub fn write(parent: &Dir, output: &str, outputs: &Outputs, held: &Rows, source: &Source<'_>) -> Result<Written> {
    check_paths(outputs)?;
    let mut folder = disk::Folder::open(parent, output)?;
    for (path, output) in outputs {
        if held.contains_key(path) {
            folder.keep(path.clone());
        } else {
            folder.put(path, &output.data, source)?;
        }
    }
    Ok(folder.finish()?.0)
}

/// An output folder that is filled while a build goes on. What was put there stays, whatever comes after; files without an
/// output are removed by [`Writer::finish`] only.
pub struct Writer<'a> {
    repository: &'a Repository,
    sources: &'a Snapshot,
    folder: disk::Folder,
}

impl std::fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer<'_> {
    /// Puts one output in its place, unless it is there already. Fastest where outputs of one folder come together.
    ///
    /// # Errors
    /// As [`write()`].
    pub fn put(&mut self, path: &str, data: &OutputData) -> Result<()> {
        let (repository, sources) = (self.repository, self.sources);
        self.folder.put(path, data, &|path, id| repository.copied(sources, path, id))
    }

    /// Leaves a file as it is that is known to be there.
    pub fn keep(&mut self, path: String) {
        self.folder.keep(path);
    }

    /// Removes files that no output has any more; what was done, and the files of bytes that were put there.
    ///
    /// # Errors
    /// As [`write()`].
    pub fn finish(self) -> Result<(Written, BTreeMap<String, Stamp>)> {
        self.folder.finish()
    }
}

impl Repository {
    /// Opens a folder anywhere (made if missing), or the site's own output folder, for a build of these sources.
    ///
    /// # Errors
    /// As [`write()`], and [`Error::InvalidArguments`] for a folder elsewhere that holds other files: they would be removed.
    pub fn output_writer<'a>(&'a self, sources: &'a Snapshot, folder: Option<&Path>) -> Result<Writer<'a>> {
        let folder = match folder {
            None => {
                self.check_output()?;
                disk::Folder::open(self.disk().dir(), self.output())?
            }
            Some(folder) => {
                let (parent, name) = claim(folder)?;
                disk::Folder::open(&parent, &name)?
            }
        };
        Ok(Writer { repository: self, sources, folder })
    }

    /// Writes a whole build of these sources into a folder, as [`Repository::output_writer`] opens it.
    ///
    /// # Errors
    /// As [`Repository::output_writer`].
    pub fn write_outputs(&self, outputs: &Outputs, sources: &Snapshot, folder: Option<&Path>) -> Result<Written> {
        check_paths(outputs)?;
        let mut writer = self.output_writer(sources, folder)?;
        for (path, output) in outputs {
            writer.put(path, &output.data)?;
        }
        Ok(writer.finish()?.0)
    }

    /// Which of these files an output folder still holds, exactly as they were put there.
    #[must_use]
    pub fn still_held(&self, folder: Option<&Path>, rows: Rows) -> Rows {
        let dir = match folder {
            None => self.disk().dir().open_dir(self.output()).ok(),
            Some(folder) => Dir::open_ambient_dir(folder, cap_std::ambient_authority()).ok(),
        };
        dir.map(|dir| held::still_there(&dir, rows)).unwrap_or_default()
    }

    fn copied(&self, sources: &Snapshot, path: &ContentPath, id: BlobId) -> Result<Arc<[u8]>> {
        match sources.get(path).filter(|file| file.id == id) {
            Some(file) => self.bytes(path, file),
            None => Err(Error::internal(format!("the build copies {path}, which its sources do not have"))),
        }
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
                return Err(both(path, &path[..at]));
            }
        }
    }
    Ok(())
}

fn both(path: &str, what: &str) -> Error {
    Error::InvalidPath { path: path.to_owned(), problem: format!("the output {what} would be a file and a folder") }
}

#[cfg(test)]
mod tests;
