//! The output folder on disk.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use cap_std::fs::{Dir, OpenOptions};
use git2::{ObjectType, Oid};

use super::{Source, Written, bytes};
use crate::error::{Error, Result};
use crate::model::{OutputData, Outputs};
use crate::store::failure::io_error;

/// Begins the name of every file that is still being written; left-over ones are removed.
const TEMPORARY: &str = ".sitewright-tmp-";
/// Deeper folders are not looked into: no output lies there.
const DEPTH: usize = 64;

/// An output folder, opened so that no path leaves it.
pub(super) struct Folder {
    dir: Dir,
    /// As messages name it.
    name: String,
}

impl Folder {
    pub(super) fn open(parent: &Dir, name: &str) -> Result<Self> {
        let refuse = |problem: &str| Error::InvalidPath { path: name.to_owned(), problem: problem.into() };
        match parent.symlink_metadata(name) {
            Ok(found) if found.is_symlink() => return Err(refuse("the output folder is a symlink")),
            Ok(found) if !found.is_dir() => return Err(refuse("the output folder is a file")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                parent.create_dir_all(name).map_err(io_error("create", name))?;
            }
            Err(error) => return Err(io_error("open", name)(error)),
        }
        let dir = parent.open_dir(name).map_err(io_error("open", name))?;
        Ok(Self { dir, name: name.to_owned() })
    }

    pub(super) fn fill(&self, outputs: &Outputs, source: &Source<'_>) -> Result<Written> {
        let mut written = Written::default();
        let mut made = BTreeSet::new();
        for (path, output) in outputs {
            let there = self.make_way(path, &mut made, &mut written)?;
            if there && self.equals(path, &output.data)? {
                continue;
            }
            let content = bytes(&output.data, source)?;
            self.replace(path, &content).map_err(|error| self.failed("write", path, error))?;
            if there { written.changed.push(path.clone()) } else { written.added.push(path.clone()) }
        }
        self.remove_others(&self.dir, "", outputs, &mut written, 0)?;
        written.removed.sort();
        Ok(written)
    }

    /// Makes the folders of a path and clears what stands in its place; whether a file is there.
    fn make_way(&self, path: &str, made: &mut BTreeSet<String>, written: &mut Written) -> Result<bool> {
        for (at, _) in path.match_indices('/') {
            let folder = &path[..at];
            if made.contains(folder) {
                continue;
            }
            match self.dir.symlink_metadata(folder) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => {
                    self.dir.remove_file(folder).map_err(|error| self.failed("replace", folder, error))?;
                    written.removed.push(folder.to_owned());
                    self.dir.create_dir(folder).map_err(|error| self.failed("create", folder, error))?;
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.dir.create_dir(folder).map_err(|error| self.failed("create", folder, error))?;
                }
                Err(error) => return Err(self.failed("open", folder, error)),
            }
            made.insert(folder.to_owned());
        }
        match self.dir.symlink_metadata(path) {
            Ok(found) if found.is_file() => Ok(true),
            Ok(found) if found.is_dir() => {
                let old = self.dir.open_dir(path).map_err(|error| self.failed("open", path, error))?;
                self.remove_others(&old, path, &Outputs::new(), written, 0)?;
                // A dot file below keeps the folder, and the error says so.
                self.dir.remove_dir(path).map_err(|error| self.failed("replace", path, error))?;
                Ok(false)
            }
            Ok(_) => Ok(false),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed("open", path, error)),
        }
    }

    fn equals(&self, path: &str, data: &OutputData) -> Result<bool> {
        let read = |error| self.failed("read", path, error);
        let mut file = self.dir.open(path).map_err(read)?;
        let size = file.metadata().map_err(read)?.len();
        match data {
            OutputData::Bytes(wanted) => {
                if size != wanted.len() as u64 {
                    return Ok(false);
                }
                let mut found = Vec::with_capacity(wanted.len());
                file.read_to_end(&mut found).map_err(read)?;
                Ok(found == **wanted)
            }
            OutputData::Copy(_, id) => {
                let mut found = Vec::new();
                file.read_to_end(&mut found).map_err(read)?;
                let hash = Oid::hash_object(ObjectType::Blob, &found).map_err(Error::internal)?;
                Ok(hash.as_bytes() == id.0)
            }
        }
    }

    fn replace(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        // The name is kept short: `name` may already be as long as the disk allows.
        let stem: String = name.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
        let temporary = Path::new(folder).join(format!("{TEMPORARY}{}-{stem}", std::process::id()));
        let done = self.write_new(&temporary, content).and_then(|()| self.dir.rename(&temporary, &self.dir, path));
        if done.is_err() {
            // The first error is the one to tell; a left-over is removed by the next call.
            let _ = self.dir.remove_file(&temporary);
        }
        done
    }

    fn write_new(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        match self.dir.remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = self.dir.open_with(path, OpenOptions::new().write(true).create_new(true))?;
        file.write_all(content)
    }

    /// Removes what no output has below a folder; whether the folder is empty then.
    fn remove_others(
        &self,
        dir: &Dir,
        below: &str,
        outputs: &Outputs,
        written: &mut Written,
        depth: usize,
    ) -> Result<bool> {
        let listed = |error| self.failed("list", below, error);
        let mut empty = true;
        for entry in dir.entries().map_err(listed)? {
            let entry = entry.map_err(listed)?;
            let name = entry.file_name();
            let Some(text) = name.to_str() else {
                empty = false;
                continue;
            };
            let path = if below.is_empty() { text.to_owned() } else { format!("{below}/{text}") };
            let is_dir = entry.file_type().map_err(listed)?.is_dir();
            let remove = if is_dir {
                let foreign = (text.starts_with('.') && !has_below(outputs, &path)) || depth >= DEPTH;
                !foreign && {
                    let inner = dir.open_dir(text).map_err(|error| self.failed("open", &path, error))?;
                    self.remove_others(&inner, &path, outputs, written, depth + 1)?
                }
            } else {
                text.starts_with(TEMPORARY) || (!text.starts_with('.') && !outputs.contains_key(&path))
            };
            if !remove {
                empty = false;
            } else if is_dir {
                dir.remove_dir(text).map_err(|error| self.failed("remove", &path, error))?;
            } else {
                dir.remove_file(text).map_err(|error| self.failed("remove", &path, error))?;
                if !text.starts_with(TEMPORARY) {
                    written.removed.push(path);
                }
            }
        }
        Ok(empty)
    }

    fn failed(&self, action: &'static str, path: &str, error: io::Error) -> Error {
        io_error(action, &format!("{}/{path}", self.name))(error)
    }
}

/// Whether an output lies below a folder.
fn has_below(outputs: &Outputs, folder: &str) -> bool {
    let start = format!("{folder}/");
    outputs.range(start.clone()..).next().is_some_and(|(path, _)| path.starts_with(&start))
}
