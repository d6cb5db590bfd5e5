//! What makes the next build in another process warm: files below `.sitewright/var/cache/`, safe to delete at any time.
//!
//! Each begins with a line that names the program that wrote it and a digest of the rest; one that is not whole, or of another
//! program, is as good as none. Files are written beside their place and renamed there, so that several processes share them.

use std::io::{Read, Write};

use cap_std::fs::{Dir, OpenOptions};

use super::Repository;
use super::failure::io_error;
use crate::error::Result;
use crate::model::{Digest, Digester};

const FOLDER: &str = ".sitewright/var/cache";
/// Larger ones are not kept.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// Files kept; the oldest go first.
const MOST_FILES: usize = 12;
/// Begins the name of a file that is being written.
const TEMPORARY: &str = "tmp-";

impl Repository {
    /// What an earlier process of this same program kept under a name.
    #[must_use]
    pub fn warm(&self, name: &str) -> Option<Vec<u8>> {
        let folder = self.disk().dir().open_dir(FOLDER).ok()?;
        let mut bytes = Vec::new();
        folder.open(name).ok()?.take(MOST_BYTES + 1024).read_to_end(&mut bytes).ok()?;
        let head = head(&program()?, &bytes, bytes.iter().position(|byte| *byte == b'\n')? + 1)?;
        bytes.drain(..head);
        Some(bytes)
    }

    /// Keeps something for later processes, in place of what was there.
    ///
    /// # Errors
    /// What the disk says; nothing depends on it.
    pub fn keep_warm(&self, name: &str, payload: &[u8]) -> Result<()> {
        let Some(program) = program() else { return Ok(()) };
        if payload.len() as u64 > MOST_BYTES {
            return Ok(());
        }
        let failed = |error| io_error("write", FOLDER)(error);
        let root = self.disk().dir();
        root.create_dir_all(FOLDER).map_err(failed)?;
        let folder = root.open_dir(FOLDER).map_err(failed)?;
        let temporary = format!("{TEMPORARY}{}-{name}", std::process::id());
        let mut file =
            folder.open_with(&temporary, OpenOptions::new().write(true).create(true).truncate(true)).map_err(failed)?;
        let line = format!("{program} {}\n", Digest::of(payload));
        file.write_all(line.as_bytes()).and_then(|()| file.write_all(payload)).map_err(failed)?;
        folder.rename(&temporary, &folder, name).map_err(failed)?;
        prune(&folder, name);
        Ok(())
    }
}

/// Where the payload begins, in a file of this program that is whole.
fn head(program: &str, bytes: &[u8], end: usize) -> Option<usize> {
    let line = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let digest = line.trim_end().strip_prefix(program)?.strip_prefix(' ')?;
    (Digest::parse(digest)? == Digest::of(&bytes[end..])).then_some(end)
}

/// The program that runs: its version and its file, so that one that was built anew trusts nothing of the one before.
fn program() -> Option<String> {
    let file = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
    let build = Digester::default().with(&(file.len(), file.modified().ok()?)).finish();
    Some(format!("sitewright {} {build}", env!("CARGO_PKG_VERSION")))
}

/// Removes the oldest files, and those that nobody goes on writing. What cannot be removed stays for the next time.
fn prune(folder: &Dir, newest: &str) {
    let Ok(entries) = folder.entries() else { return };
    let mut found: Vec<(std::time::SystemTime, String)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let modified = entry.metadata().ok()?.modified().ok()?.into_std();
            Some((modified, entry.file_name().to_str()?.to_owned()))
        })
        .filter(|(_, name)| name != newest)
        .collect();
    found.sort();
    let many = found.len().saturating_sub(MOST_FILES - 1);
    for (_, name) in found.iter().take(many) {
        let _ = folder.remove_file(name);
    }
}
