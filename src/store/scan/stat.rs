//! What `stat` says of a file, and whether a later change is sure to show in it.

use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, statat};

/// A file whose time stamp is this close to the moment it was read may change again without a new time stamp.
const RACY: Duration = Duration::from_millis(20);
/// The same where the file system keeps whole seconds only.
const RACY_COARSE: Duration = Duration::from_secs(2);

/// The parts of a file's metadata that change when its bytes do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Stat {
    pub(super) size: u64,
    pub(super) modified: (i64, i64),
    pub(super) changed: (i64, i64),
    pub(super) inode: (u64, u64),
}

impl Stat {
    pub(crate) fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: (metadata.dev(), metadata.ino()),
        }
    }

    /// Of a path below an open folder, without following a link at its end; `None`: there is nothing.
    pub(crate) fn at(dir: impl AsFd, path: &str) -> Option<Self> {
        Self::told(&statat(dir, path, AtFlags::SYMLINK_NOFOLLOW).ok()?)
    }

    /// As the system tells it.
    pub(crate) fn told(found: &rustix::fs::Stat) -> Option<Self> {
        Some(Self {
            size: u64::try_from(found.st_size).ok()?,
            modified: (found.st_mtime, i64::try_from(found.st_mtime_nsec).ok()?),
            changed: (found.st_ctime, i64::try_from(found.st_ctime_nsec).ok()?),
            inode: (found.st_dev, found.st_ino),
        })
    }

    /// How long before a moment it was last written; `None`: after it.
    pub(crate) fn age(self, at: SystemTime) -> Option<Duration> {
        age(self.modified, at)
    }

    /// Whether the time stamps are old enough now to show any later change.
    pub(super) fn is_settled(self, now: SystemTime) -> bool {
        let margin = if self.changed.1 == 0 { RACY_COARSE } else { RACY };
        age(self.changed, now).is_some_and(|age| age > margin) && age(self.modified, now).is_none_or(|age| age > margin)
    }
}

/// `None`: in the future.
pub(super) fn age((seconds, nanos): (i64, i64), now: SystemTime) -> Option<Duration> {
    let since = Duration::new(u64::try_from(seconds).unwrap_or_default(), u32::try_from(nanos).unwrap_or_default());
    now.duration_since(SystemTime::UNIX_EPOCH).ok()?.checked_sub(since)
}
