//! Moving a ref that is not ours alone: a note of it is kept, so that a lock left by a killed process of ours can be told
//! from one that someone holds.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How soon after the note a lock must have been made to be the one the note speaks of.
const SOON: Duration = Duration::from_secs(5);

/// A younger lock may still be in use by someone else.
const STALE: Duration = Duration::from_secs(1);

/// The note, locked while the ref moves; a killed process leaves its text, but not its lock.
#[derive(Debug)]
pub(crate) struct Moving {
    file: File,
    /// When a process of ours died while moving this ref.
    died: Option<SystemTime>,
}

impl Moving {
    /// Notes that a ref is about to move. `None` where that cannot be noted, or another process of ours is moving it.
    pub(crate) fn begin(git: &git2::Repository, name: &str) -> Option<Self> {
        let key = super::Repository::blob_id(name.as_bytes()).to_string();
        let folder = git.commondir().join("sitewright");
        fs::create_dir_all(&folder).ok()?;
        let path = folder.join(format!("moving-{}", &key[..10]));
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path).ok()?;
        file.try_lock().ok()?;
        let mut text = String::new();
        (&mut file).take(4096).read_to_string(&mut text).ok()?;
        let modified = file.metadata().and_then(|m| m.modified()).ok()?;
        let died = (text == name).then_some(modified);
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(name.as_bytes())).ok()?;
        Some(Self { file, died })
    }

    /// Removes the lock of a process of ours that died while it moved this ref; `true` where it was one.
    pub(crate) fn clear(&self, lock: &Path) -> bool {
        let made = fs::symlink_metadata(lock).and_then(|m| m.modified());
        let (Ok(made), Some(died)) = (made, self.died) else { return false };
        // Time stamps of two files may differ by a tick of the kernel's clock either way.
        let earliest = died.checked_sub(Duration::from_millis(20)).unwrap_or(died);
        let belongs = made.duration_since(earliest).is_ok_and(|after| after < SOON);
        let is_stale = SystemTime::now().duration_since(made).is_ok_and(|age| age >= STALE);
        if !belongs || !is_stale {
            return false;
        }
        tracing::warn!(lock = %lock.display(), "removing a lock that a killed process of ours left");
        fs::remove_file(lock).is_ok()
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        // A note that stays is harmless: it only speaks of a lock made right after it.
        let _ = self.file.set_len(0);
    }
}
