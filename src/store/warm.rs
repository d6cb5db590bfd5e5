//! What makes the next build in another process warm: files below `.sitewright/var/cache/`, safe to delete at any time.
//!
//! Each ends with a line that names the program that wrote it, a digest of the rest and the lengths of its pieces; one that is not
//! whole, or of another program, is as good as none. Files are written beside their place and renamed there, so that several processes share them.

use cap_std::fs::Dir;
use rayon::prelude::*;

use super::Repository;
use crate::error::Result;
use crate::model::{Digest, Digester};

/// Below the site's own folder.
const FOLDER: &str = "var/cache";
/// Larger ones are not kept.
const MOST_BYTES: usize = 256 * 1024 * 1024;
/// Bytes that are hashed together; several such pieces side by side.
const PIECE: usize = 1024 * 1024;
/// Files kept; the oldest go first.
const MOST_FILES: usize = 12;

impl Repository {
    /// What an earlier process of this same program kept under a name.
    #[must_use]
    pub fn warm(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = self.own_files().read(&format!("{FOLDER}/{name}")).ok()??;
        bytes.truncate(end(&program()?, &bytes)?);
        Some(bytes)
    }

    /// Keeps something for later processes, in place of what was there. What is large comes in pieces, which are nowhere put together.
    ///
    /// # Errors
    /// What the disk says; nothing depends on it.
    pub fn keep_warm(&self, name: &str, pieces: &[Vec<u8>]) -> Result<()> {
        let mut pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let lengths: Vec<String> = pieces.iter().map(|piece| piece.len().to_string()).collect();
        let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
        let Some(program) = program().filter(|_| whole <= MOST_BYTES) else { return Ok(()) };
        let line = format!("\n{program} {} {}\n", digest(&pieces), lengths.join(","));
        pieces.push(line.as_bytes());
        self.own_files().write_pieces(&format!("{FOLDER}/{name}"), &pieces)?;
        if let Ok(folder) = self.disk().folder(&format!(".sitewright/{FOLDER}")) {
            prune(&folder, name);
        }
        Ok(())
    }
}

/// Where the payload ends, in a file of this program that is whole.
fn end(program: &str, bytes: &[u8]) -> Option<usize> {
    let text = bytes.strip_suffix(b"\n")?;
    let end = text.iter().rposition(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&text[end + 1..]).ok()?;
    let (said, lengths) = line.strip_prefix(program)?.strip_prefix(' ')?.split_once(' ')?;
    let (mut pieces, mut rest) = (Vec::new(), &bytes[..end]);
    for length in lengths.split(',') {
        let (piece, more) = rest.split_at_checked(length.parse().ok()?)?;
        pieces.push(piece);
        rest = more;
    }
    (rest.is_empty() && Digest::parse(said)? == digest(&pieces)).then_some(end)
}

/// Of all pieces, many bytes side by side: some files have tens of megabytes.
fn digest(pieces: &[&[u8]]) -> Digest {
    let parts: Vec<&[u8]> = pieces.iter().flat_map(|piece| piece.chunks(PIECE)).collect();
    let digests: Vec<Digest> = parts.into_par_iter().map(Digest::of).collect();
    Digester::default().with(&digests).finish()
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
