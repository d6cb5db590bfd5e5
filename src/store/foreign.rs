//! A folder that is no site of ours, read once and within limits: no link is followed, no pipe waited for.

use std::collections::BTreeMap;
use std::path::{Component, Path};
use std::sync::Arc;

use super::disk::{Disk, There};
use super::failure::io_error;
use crate::error::{Error, Result};

/// Files in a folder, all together.
const MAX_FILES: usize = 50_000;
/// Folders below one another.
const MAX_DEPTH: usize = 24;
/// Bytes of one file that is read to be understood.
const MAX_READ: u64 = 2 << 20;
/// Bytes of one file that is copied.
const MAX_COPIED: u64 = 50 << 20;
/// Bytes of everything that is read to be understood.
const MAX_TEXT: u64 = 256 << 20;
/// Bytes of everything.
const MAX_TOTAL: u64 = 1 << 30;

/// One file of a foreign folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignFile {
    /// Bytes.
    pub size: u64,
    /// Its bytes, where they were asked for.
    pub bytes: Option<Arc<[u8]>>,
}

/// A folder opened for reading.
#[derive(Debug)]
pub struct Foreign {
    disk: Disk,
    shown: String,
    /// Files passed over: what is wrong with each, by path.
    pub passed: BTreeMap<String, &'static str>,
}

impl Foreign {
    /// Opens a folder that a person named.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such folder.
    pub fn open(folder: &Path) -> Result<Self> {
        let shown = folder.display().to_string();
        let missing = |_| Error::NotFound { kind: "folder", name: shown.clone(), near: Vec::new() };
        let disk = Disk::open(folder).map_err(missing)?;
        Ok(Self { disk, shown, passed: BTreeMap::new() })
    }

    /// Opens `inner` below one of the folders that may be read from, which no link in it can leave.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such folder; [`Error::InvalidPath`] where the way there leads through a link.
    pub fn open_below(allowed: &Path, inner: &Path) -> Result<Self> {
        let shown = allowed.join(inner).display().to_string();
        let missing = || Error::NotFound { kind: "folder", name: shown.clone(), near: Vec::new() };
        let root = Disk::open(allowed).map_err(|_| missing())?;
        let mut names = Vec::new();
        for part in inner.components() {
            match part {
                Component::Normal(name) => names.push(name.to_str().ok_or_else(missing)?),
                Component::CurDir => {}
                _ => return Err(Error::InvalidPath { path: shown, problem: "it leads out of the folder".into() }),
            }
        }
        let dir = root.folder(&names.join("/")).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => missing(),
            _ => Error::InvalidPath { path: shown.clone(), problem: "a link or a file is in the way".into() },
        })?;
        Ok(Self { disk: Disk::of(dir, allowed.join(inner)), shown, passed: BTreeMap::new() })
    }

    /// Every file that `skip` does not pass over, with the bytes of those that `read` names.
    ///
    /// # Errors
    /// [`Error::TooLarge`] past the limits, and what reading can fail with.
    pub fn files(
        &mut self,
        skip: impl Fn(&str) -> bool,
        read: impl Fn(&str) -> bool,
    ) -> Result<BTreeMap<String, ForeignFile>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![String::new()];
        let (mut total, mut text) = (0, 0);
        while let Some(folder) = folders.pop() {
            let dir = self.disk.folder(&folder).map_err(io_error("read", &self.shown))?;
            for entry in dir.entries().map_err(io_error("read", &self.shown))? {
                let entry = entry.map_err(io_error("read", &self.shown))?;
                let Ok(name) = entry.file_name().into_string() else {
                    self.passed.insert(format!("{folder}/?"), "its name is no text");
                    continue;
                };
                let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if skip(&path) {
                    continue;
                }
                let kind = entry.file_type().map_err(io_error("read", &path))?;
                if kind.is_dir() {
                    if path.matches('/').count() >= MAX_DEPTH {
                        self.passed.insert(path, "it lies too deep");
                    } else {
                        folders.push(path);
                    }
                    continue;
                }
                if !kind.is_file() {
                    self.passed.insert(path, "it is a link or no regular file");
                    continue;
                }
                let size = entry.metadata().map_err(io_error("read", &path))?.len();
                let wanted = read(&path);
                if size > if wanted { MAX_READ } else { MAX_COPIED } {
                    self.passed.insert(path, "it is too large");
                    continue;
                }
                total += size;
                text += if wanted { size } else { 0 };
                self.within(found.len(), total, text)?;
                let bytes = if wanted { Some(self.bytes(&path)?) } else { None };
                found.insert(path, ForeignFile { size, bytes });
            }
        }
        Ok(found)
    }

    fn within(&self, files: usize, total: u64, text: u64) -> Result<()> {
        let too_large = |what: &str, size: u64, limit: u64| {
            let what = format!("{what} of {}", self.shown);
            Err(Error::TooLarge { what, size: size as usize, limit: limit as usize })
        };
        if files >= MAX_FILES {
            return Err(Error::InvalidArguments {
                field: "from".into(),
                problem: format!("{} has more than {MAX_FILES} files", self.shown),
                example: "name a folder below it".into(),
            });
        }
        if total > MAX_TOTAL {
            return too_large("the content", total, MAX_TOTAL);
        }
        if text > MAX_TEXT { too_large("the text", text, MAX_TEXT) } else { Ok(()) }
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is gone, or is a link now; [`Error::TooLarge`] where it has grown.
    pub fn bytes(&self, path: &str) -> Result<Arc<[u8]>> {
        match self.disk.read(path)? {
            There::File { bytes, .. } if bytes.len() as u64 <= MAX_COPIED => Ok(bytes.into()),
            There::File { bytes, .. } => {
                Err(Error::TooLarge { what: path.into(), size: bytes.len(), limit: MAX_COPIED as usize })
            }
            _ => Err(Error::NotFound { kind: "file", name: path.into(), near: Vec::new() }),
        }
    }
}
