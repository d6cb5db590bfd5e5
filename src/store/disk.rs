//! The site's folder on disk. Every file is reached through directory handles, one path component at a time, and no
//! symbolic link is ever followed.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt, OpenOptions, OpenOptionsExt, PermissionsExt};
use rustix::fs::{Mode, OFlags, openat};

use super::failure::io_error;
use super::places;
use crate::error::{Error, Result};
use crate::model::BlobId;

/// Makes names of temporary files unique within the process.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// What is at a path.
#[derive(Debug)]
pub(crate) enum There {
    /// Nothing, or its folder does not exist.
    Nothing,
    /// A regular file.
    File {
        /// All of it.
        bytes: Vec<u8>,
        /// Permission bits.
        mode: u32,
    },
    /// A symbolic link, folder or special file, or one of its folders is no folder.
    Other(&'static str),
}

impl There {
    /// The blob id of a regular file.
    pub(crate) fn id(&self) -> Option<BlobId> {
        match self {
            Self::File { bytes, .. } => super::Repository::blob_id(bytes).into(),
            _ => None,
        }
    }
}

/// Handle of the site's folder.
#[derive(Debug)]
pub(crate) struct Disk {
    root: Dir,
    path: PathBuf,
}

impl Disk {
    /// Opens a folder.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let root = Dir::open_ambient_dir(path, ambient_authority()).map_err(io_error("read", &shown))?;
        Ok(Self { root, path: path.to_owned() })
    }

    /// A folder that is open already.
    pub(crate) fn of(root: Dir, path: PathBuf) -> Self {
        Self { root, path }
    }

    /// Where it is, for listing only.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The handle.
    pub(crate) fn dir(&self) -> &Dir {
        &self.root
    }

    /// Opens a sub-folder (`""`: the root), without following links. `NotFound` where it is missing.
    pub(crate) fn folder(&self, folder: &str) -> io::Result<Dir> {
        self.descend(folder, false)
    }

    /// The same, made where it is missing.
    pub(crate) fn make_folder(&self, folder: &str) -> io::Result<Dir> {
        self.descend(folder, true)
    }

    fn descend(&self, folder: &str, create: bool) -> io::Result<Dir> {
        let mut dir = self.root.try_clone()?;
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd: OwnedFd = match openat(&dir, name, flags, Mode::empty()) {
                Err(rustix::io::Errno::NOENT) if create => {
                    match dir.create_dir(name) {
                        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                        _ => {}
                    }
                    openat(&dir, name, flags, Mode::empty())?
                }
                other => other?,
            };
            dir = Dir::from(fd);
        }
        Ok(dir)
    }

    /// What is at a path, with its bytes.
    pub(crate) fn read(&self, path: &str) -> Result<There> {
        self.read_at_most(path, usize::MAX)
    }

    /// What is at a path, with no more than one byte beyond `limit`: enough to see that it is too large.
    pub(crate) fn read_at_most(&self, path: &str, limit: usize) -> Result<There> {
        let (folder, name) = parts(path);
        match self.descend(folder, false) {
            Ok(dir) => read_part(&dir, name, limit).map_err(io_error("read", path)),
            Err(error) => absent_or(error).map_err(io_error("read", path)),
        }
    }

    /// Writes a new temporary file beside a path, with the permissions of what is there; its folder is made if needed.
    pub(crate) fn temporary(&self, path: &str, bytes: &[u8], executable: Option<bool>) -> Result<Temporary> {
        self.temporary_of(path, &[bytes], executable)
    }

    /// The same for a file that comes in pieces.
    pub(super) fn temporary_of(&self, path: &str, pieces: &[&[u8]], executable: Option<bool>) -> Result<Temporary> {
        let (folder, name) = parts(path);
        let fail = io_error("write", path);
        let blocked = |problem: &str| Error::InvalidPath { path: path.into(), problem: problem.into() };
        let dir = self.descend(folder, true).map_err(|error| match absent_or(error) {
            Ok(There::Other(what)) => blocked(&format!("{what} is in the way")),
            Ok(_) => Error::Busy { holder: format!("{path}: its folder is being removed by someone else") },
            Err(error) => fail(error),
        })?;
        let existing = dir.symlink_metadata(name).ok();
        if existing.as_ref().is_some_and(|m| !m.is_file()) {
            return Err(blocked("something that is no regular file is in the way"));
        }
        let mode = match (existing.map(|m| m.permissions().mode() & 0o777), executable) {
            (Some(mode), None) => Some(mode),
            (Some(mode), Some(true)) => Some(mode | 0o111),
            (Some(mode), Some(false)) => Some(mode & !0o111),
            (None, Some(true)) => Some(0o755),
            (None, _) => None,
        };
        let temporary =
            format!("{}{}-{}", places::TEMPORARY, std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o644);
        let mut file = dir.open_with(&temporary, &options).map_err(&fail)?;
        let made = Temporary { dir, name: temporary, target: name.to_owned(), path: path.to_owned() };
        for piece in pieces {
            file.write_all(piece).map_err(&fail)?;
        }
        if let Some(mode) = mode {
            file.set_permissions(cap_std::fs::Permissions::from_mode(mode)).map_err(&fail)?;
        }
        Ok(made)
    }

    /// Removes a file and the folders it leaves empty, up to the site's top folders. Nothing there: nothing done.
    pub(crate) fn remove(&self, path: &str) -> Result<()> {
        let (folder, name) = parts(path);
        let removed = self.descend(folder, false).and_then(|dir| dir.remove_file(name));
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", path)(error)),
            _ => {
                self.prune(folder);
                Ok(())
            }
        }
    }

    /// Removes a folder if it is empty, then its parents, never one at the top.
    pub(crate) fn prune(&self, folder: &str) {
        let mut folder = folder;
        while let Some((parent, name)) = folder.rsplit_once('/') {
            // A folder that is not empty (or is used by someone else) stays: that is the rule, not a failure.
            if self.descend(parent, false).and_then(|dir| dir.remove_dir(name)).is_err() {
                return;
            }
            folder = parent;
        }
    }
}

fn parts(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Reads a file of an open folder without following a link or waiting for a pipe.
pub(crate) fn read_in(dir: &Dir, name: &str) -> io::Result<There> {
    read_part(dir, name, usize::MAX)
}

fn read_part(dir: &Dir, name: &str, limit: usize) -> io::Result<There> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = match openat(dir, name, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(error) => return absent_or(error.into()),
    };
    let file = cap_std::fs::File::from_std(std::fs::File::from(fd));
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(There::Other(if metadata.is_dir() { "a folder" } else { "a special file" }));
    }
    let limit = limit.saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default().min(limit));
    file.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(There::File { bytes, mode: metadata.mode() })
}

fn absent_or(error: io::Error) -> io::Result<There> {
    use rustix::io::Errno;
    match Errno::from_io_error(&error) {
        Some(Errno::NOENT) => Ok(There::Nothing),
        Some(Errno::NOTDIR) => Ok(There::Other("a file or symbolic link")),
        Some(Errno::LOOP | Errno::MLINK) => Ok(There::Other("a symbolic link")),
        Some(Errno::NXIO | Errno::NODEV) => Ok(There::Other("a special file")),
        _ => Err(error),
    }
}

/// A file written beside its target; removed when dropped before [`Temporary::place`].
#[derive(Debug)]
pub(crate) struct Temporary {
    dir: Dir,
    name: String,
    target: String,
    path: String,
}

impl Temporary {
    /// Renames it over its target.
    pub(crate) fn place(mut self) -> Result<()> {
        self.dir.rename(&self.name, &self.dir, &self.target).map_err(io_error("rename", &self.path))?;
        self.name.clear();
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.name.is_empty() {
            // Best effort: what stays is removed on the next write.
            let _ = self.dir.remove_file(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> (tempfile::TempDir, Disk) {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::open(dir.path()).unwrap();
        (dir, disk)
    }

    #[test]
    fn a_link_is_never_followed() {
        let (dir, disk) = disk();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret.md"), "secret").unwrap();
        std::os::unix::fs::symlink(outside.path(), dir.path().join("content")).unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret.md"), dir.path().join("data/a.md")).unwrap();
        assert!(matches!(disk.read("content/secret.md").unwrap(), There::Other(_)));
        assert!(matches!(disk.read("data/a.md").unwrap(), There::Other(_)));
        assert_eq!(disk.temporary("content/new.md", b"x", None).unwrap_err().code(), "invalid_path");
        assert_eq!(disk.temporary("data/a.md", b"x", None).unwrap_err().code(), "invalid_path");
        assert!(disk.remove("content/secret.md").is_err());
        assert_eq!(std::fs::read_to_string(outside.path().join("secret.md")).unwrap(), "secret");
    }

    #[test]
    fn place_keeps_permissions_and_remove_prunes() {
        let (dir, disk) = disk();
        disk.temporary("content/a/b/c.md", b"1", Some(true)).unwrap().place().unwrap();
        disk.temporary("content/a/b/c.md", b"2", None).unwrap().place().unwrap();
        let There::File { bytes, mode } = disk.read("content/a/b/c.md").unwrap() else { panic!() };
        assert_eq!((bytes.as_slice(), mode & 0o777), (&b"2"[..], 0o755));
        disk.remove("content/a/b/c.md").unwrap();
        assert!(dir.path().join("content").exists() && !dir.path().join("content/a").exists());
        disk.remove("content/a/b/c.md").unwrap();
    }

    #[test]
    fn a_temporary_file_that_is_not_placed_vanishes() {
        let (dir, disk) = disk();
        drop(disk.temporary("content/a.md", b"1", None).unwrap());
        assert_eq!(std::fs::read_dir(dir.path().join("content")).unwrap().count(), 0);
    }

    #[test]
    fn a_pipe_does_not_hang() {
        let (dir, disk) = disk();
        std::fs::create_dir(dir.path().join("content")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(dir.path().join("content/p.md")).status().unwrap();
        assert!(made.success());
        assert!(matches!(disk.read("content/p.md").unwrap(), There::Other(_)));
    }
}
