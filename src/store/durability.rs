//! What an acknowledged edit survives, and what a full disk looks like.

use rustix::fs::fstat;

use super::Repository;
use super::failure::io_error;
use crate::error::{Error, Result};
use crate::model::config::Durability;

impl Repository {
    /// Flushes what was written so far, as far as the durability asked for demands it.
    pub(crate) fn durable(&self) -> Result<()> {
        if self.options().durability == Durability::Process {
            return Ok(());
        }
        self.work().synced();
        let site = self.disk().dir();
        flush(self.common())?;
        let device = |stat: rustix::io::Result<rustix::fs::Stat>| stat.map(|s| s.st_dev).ok();
        if device(fstat(site)) == device(fstat(self.common())) { Ok(()) } else { flush(site) }
    }

    /// libgit2 reports a full disk in several misleading ways: looks at the disk itself where a write failed.
    pub(crate) fn explain(&self, error: Error) -> Error {
        if !matches!(error, Error::Git { .. }) {
            return error;
        }
        match rustix::fs::fstatvfs(self.common()) {
            Ok(disk) if disk.f_bavail == 0 || (disk.f_files > 0 && disk.f_favail == 0) => {
                Error::DiskFull { path: "the git directory".into() }
            }
            _ => error,
        }
    }
}

#[cfg(target_os = "linux")]
fn flush<F: std::os::fd::AsFd>(folder: F) -> Result<()> {
    rustix::fs::syncfs(folder).map_err(|e| io_error("sync", "the disk")(e.into()))
}

#[cfg(not(target_os = "linux"))]
fn flush<F: std::os::fd::AsFd>(_: F) -> Result<()> {
    rustix::fs::sync();
    Ok(())
}
