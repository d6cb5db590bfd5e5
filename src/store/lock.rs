//! The writer lock: one writer at a time on a site, whether in this process or another.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::failure::io_error;
use crate::error::{Error, Result};

/// Held for as long as the value lives; the system frees it if the process dies.
#[derive(Debug)]
pub(crate) struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock, waiting for `patience`.
    pub(crate) fn take(path: &Path, patience: Duration) -> Result<Self> {
        let shown = "the writer lock in the git directory";
        let fail = |error| io_error("write", shown)(error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fail)?;
        }
        // Opened anew for every taker: the lock belongs to the open file, so it also keeps threads apart.
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
        let start = Instant::now();
        let mut wait = Duration::from_millis(1);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(fail(error)),
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                    sleep(wait);
                    wait = (wait * 2).min(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => return Err(Error::Busy { holder: holder(&mut file) }),
            }
        }
        // Only a hint for whoever waits too long, so a failure to write it does not matter.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(20).read_to_string(&mut text));
    match read {
        Ok(_) if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) => {
            format!("another writer (process {text}) has been at work for a while")
        }
        _ => "another writer has been at work for a while".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_waits_and_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sitewright/writer.lock");
        let held = WriterLock::take(&path, Duration::ZERO).unwrap();
        let error = WriterLock::take(&path, Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.code(), "busy");
        assert!(error.to_string().contains(&std::process::id().to_string()));
        drop(held);
        WriterLock::take(&path, Duration::ZERO).unwrap();
    }
}
