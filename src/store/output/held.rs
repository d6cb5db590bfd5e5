//! What an output folder is known to hold: what was put there last, where the files are still the ones that were put.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat};
use serde::{Deserialize, Serialize};

use super::disk::FOLDER;
use crate::model::{Digest, Digester};
use crate::store::scan::Stat;

/// A file that changed so shortly before its row was kept can change again without a trace: clocks of file systems tick slowly. Git
/// trusts its index by the same rule.
const TICK: Duration = Duration::from_millis(50);

/// Files that are looked at together; several such pieces side by side.
const PIECE: usize = 1024;

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
    /// Of a file as it was seen, when that is kept.
    pub(crate) fn seen(stat: Stat, at: SystemTime) -> Self {
        Self { identity: identity(stat), young: stat.age(at).unwrap_or_default() < TICK }
    }
}

/// What is said of an open file.
pub(super) fn stat_of(file: &File) -> Option<Stat> {
    Stat::told(&fstat(file).ok()?)
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
    let rows: Vec<(String, Row)> = rows.into_iter().collect();
    let stand: Vec<Vec<(String, Row)>> = rows.par_chunks(PIECE).map(|rows| standing(dir, rows)).collect();
    stand.into_iter().flatten().collect()
}

/// The same of a few.
fn standing(dir: &Dir, rows: &[(String, Row)]) -> Vec<(String, Row)> {
    let mut open: Vec<(String, OwnedFd)> = Vec::new();
    let mut gone: Option<&str> = None;
    let mut standing = Vec::with_capacity(rows.len());
    for (path, row) in rows {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if gone == Some(folder) {
            continue;
        }
        if !enter(dir, &mut open, folder) {
            gone = Some(folder);
            continue;
        }
        let here = open.last().map_or_else(|| dir.as_fd(), |(_, folder)| folder.as_fd());
        standing.extend(stands(here, name, row).map(|stamp| (path.clone(), Row { stamp, ..*row })));
    }
    standing
}

/// What a file is known by now, if it is still what it was.
fn stands(dir: impl AsFd + Copy, name: &str, row: &Row) -> Option<Stamp> {
    let found = statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let stat = Stat::told(&found).filter(|_| FileType::from_raw_mode(found.st_mode).is_file())?;
    if identity(stat) != row.stamp.identity {
        return None;
    }
    let now = Stamp::seen(stat, SystemTime::now());
    (!row.stamp.young || holds(dir, name, row.digest)).then_some(now)
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
