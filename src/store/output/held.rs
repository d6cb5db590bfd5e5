//! What an output folder is known to hold: what was put there last, where the files are still the ones that were put.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat};
use serde::{Deserialize, Serialize};

use super::disk::FOLDER;
use crate::model::{Digest, Digester};
use crate::store::scan::Stat;

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
        Some(Self::seen(Stat::told(&fstat(file).ok()?)?, SystemTime::now()))
    }

    /// Of a file as it was seen at a moment.
    pub(crate) fn seen(stat: Stat, at: SystemTime) -> Self {
        Self { identity: identity(stat), young: stat.age(at).unwrap_or_default() < TICK }
    }
}

fn identity(stat: Stat) -> Digest {
    Digester::default().with(&stat).finish()
}

/// Rows as they are kept.
#[must_use]
pub fn packed(rows: &Rows) -> Option<Vec<u8>> {
    rmp_serde::to_vec(rows).ok()
}

/// Rows as they were kept; `None`: it is something else.
#[must_use]
pub fn unpacked(bytes: &[u8]) -> Option<Rows> {
    rmp_serde::from_slice(bytes).ok()
}

/// The name under which it is kept what a folder holds; `None`: the site's own output folder.
#[must_use]
pub fn kept_as(folder: Option<&Path>) -> String {
    let place = folder.map(|folder| std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()));
    format!("held-{}", Digester::default().with(&place).finish())
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
        let Ok(found) = statat(here, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
        FileType::from_raw_mode(found.st_mode).is_file()
            && Stat::told(&found).is_some_and(|stat| identity(stat) == row.stamp.identity)
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
