//! What an output folder is known to hold: what was put there last, where the files are still the ones that were put.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use serde::{Deserialize, Serialize};

use super::disk::FOLDER;
use crate::model::{Digest, Digester};

/// A file that changed so recently can change again without a trace: clocks of file systems tick slowly.
const TICK: Duration = Duration::from_millis(50);

/// A file that was put into an output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Of its bytes.
    pub digest: Digest,
    /// What it is known by.
    pub stamp: Stamp,
}

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Of its size, times and number.
    identity: Digest,
    /// Changed only just: its bytes are looked at.
    young: bool,
}

/// Files of an output folder by path.
pub type Rows = BTreeMap<String, Row>;

impl Stamp {
    /// Of an open file.
    pub(super) fn of(file: &File) -> Option<Self> {
        let identity = identity(&fstat(file).ok()?);
        let age = SystemTime::now().duration_since(file.metadata().ok()?.modified().ok()?);
        Some(Self { identity, young: age.unwrap_or_default() < TICK })
    }
}

fn identity(stat: &Stat) -> Digest {
    let times = (stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec);
    Digester::default().with(&(stat.st_dev, stat.st_ino, stat.st_size, times)).finish()
}

/// Those of the rows whose files are still what they were. No symlink is followed.
pub(super) fn still_there(dir: &Dir, rows: Rows) -> Rows {
    let mut open: Vec<(String, OwnedFd)> = Vec::new();
    let mut gone: Option<String> = None;
    let stands = |path: &str, row: &Row| {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if gone.as_deref() == Some(folder) {
            return false;
        }
        if !enter(dir, &mut open, folder) {
            gone = Some(folder.to_owned());
            return false;
        }
        let here = open.last().map_or_else(|| dir.as_fd(), |(_, folder)| folder.as_fd());
        let Ok(stat) = statat(here, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
        FileType::from_raw_mode(stat.st_mode).is_file()
            && identity(&stat) == row.stamp.identity
            && (!row.stamp.young || holds(here, name, row.digest))
    };
    let mut stands = stands;
    rows.into_iter().filter(|(path, row)| stands(path, row)).collect()
}

/// Goes to a folder; whether it is there.
fn enter(dir: &Dir, open: &mut Vec<(String, OwnedFd)>, folder: &str) -> bool {
    let mut depth = 0;
    for name in folder.split('/').filter(|name| !name.is_empty()) {
        if open.get(depth).is_none_or(|(known, _)| known != name) {
            open.truncate(depth);
            let above = open.last().map_or_else(|| dir.as_fd(), |(_, folder)| folder.as_fd());
            let Ok(found) = openat(above, name, FOLDER, Mode::empty()) else { return false };
            open.push((name.to_owned(), found));
        }
        depth += 1;
    }
    open.truncate(depth);
    true
}

fn holds(dir: impl AsFd, name: &str, digest: Digest) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = openat(dir, name, flags, Mode::empty()) else { return false };
    let mut bytes = Vec::new();
    File::from(file).read_to_end(&mut bytes).is_ok() && Digest::of(&bytes) == digest
}
