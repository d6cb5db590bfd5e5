//! The person's index after a publish: entries of what went live get their known ids, so that `git status` is clean.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use git2::{ErrorCode, IndexEntry, IndexTime, Oid};

use crate::error::Result;
use crate::store::failure::git_error;
use crate::store::tree::{self, Entry};

const TRIES: u32 = 10;

/// Moves index entries from one tree to another. What the person has staged stays staged.
pub(super) fn update(git: &git2::Repository, old: Option<Oid>, new: Oid) -> Result<()> {
    let differences = tree::compare(git, old, Some(new))?;
    for attempt in 1..=TRIES {
        match write(git, &differences) {
            Err(error) if error.code() == ErrorCode::Locked && attempt < TRIES => {
                sleep(Duration::from_millis(20 * u64::from(attempt)));
            }
            other => return other.map_err(git_error("update the index")),
        }
    }
    Ok(())
}

fn write(git: &git2::Repository, differences: &[tree::Difference]) -> Result<(), git2::Error> {
    let mut index = git.index()?;
    // Not read again where its checksum says that it is the one that was read.
    index.read(false)?;
    let mut is_changed = false;
    // Removals first: a file may make room for a folder.
    let (removed, set): (Vec<_>, Vec<_>) = differences.iter().partition(|d| d.new.is_none());
    for difference in removed.into_iter().chain(set) {
        let path = Path::new(&difference.path);
        let there = index.get_path(path, 0).map(|entry| (entry.id, entry.mode));
        let as_entry = |entry: Option<Entry>| entry.map(|e| (e.id, u32::try_from(e.mode).unwrap_or_default()));
        if there == as_entry(difference.new) || there != as_entry(difference.old) {
            continue;
        }
        match difference.new {
            Some(entry) => index.add(&index_entry(&difference.path, entry))?,
            None => index.remove(path, 0)?,
        }
        is_changed = true;
    }
    if !is_changed {
        return Ok(());
    }
    index.write().inspect_err(|_| {
        // What could not be written must not be taken for what is there; a second failure is told by whoever reads it next.
        let _ = index.read(true);
    })
}

/// Without times and size: git compares the content once and fills them in. The file on disk may hold an unpublished edit.
fn index_entry(path: &str, entry: Entry) -> IndexEntry {
    IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: u32::try_from(entry.mode).unwrap_or_default(),
        uid: 0,
        gid: 0,
        file_size: 0,
        id: entry.id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
