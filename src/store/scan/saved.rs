//! The index of the working tree between processes: what each file was when it was read, in `.sitewright/var/index`.
//!
//! It may be deleted at any time. One that is broken, or of another version, is as good as none; an entry counts only while `stat` says
//! of the file what it said when it was read.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;

use super::{Known, Stat};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, Snapshot};
use crate::store::Repository;
use crate::store::disk::{Disk, There};

const FOLDER: &str = ".sitewright/var";
const NAME: &str = "index";
const TEMPORARY: &str = "index.new";
/// Begins the file; another version is another first line.
const FIRST: &[u8] = b"sitewright index 1\n";
/// Ends it: the hash of everything before.
const HASH: usize = 20;
/// Bytes of an entry beside its path.
const FIXED: usize = 2 + 8 * 7 + 20;
/// Larger ones are none of ours.
const LARGEST: usize = 1 << 30;

/// What was saved.
pub(super) type Saved = HashMap<String, (Stat, BlobId)>;

/// Reads the index; empty where there is none that counts.
pub(super) fn load(disk: &Disk) -> Saved {
    match disk.read_at_most(&format!("{FOLDER}/{NAME}"), LARGEST) {
        Ok(There::File { bytes, .. }) => parse(&bytes).unwrap_or_else(|| {
            tracing::debug!("the index of the working tree is broken and is made anew");
            Saved::new()
        }),
        _ => Saved::new(),
    }
}

/// Writes it beside its place and renames it: another process may be reading the old one.
pub(super) fn save(disk: &Disk, files: &BTreeMap<ContentPath, Known>, snapshot: &Snapshot) -> Result<()> {
    let mut bytes = FIRST.to_vec();
    for (path, known) in files.iter().filter(|(_, known)| known.settled) {
        let Some(file) = snapshot.get(path) else { continue };
        put(&mut bytes, path.as_str(), known.stat, file.id);
    }
    let hash = Repository::blob_id(&bytes).0;
    bytes.extend_from_slice(&hash);
    let failed = |source| Error::Io { action: "write", path: format!("{FOLDER}/{NAME}"), source };
    disk.dir().create_dir_all(FOLDER).map_err(failed)?;
    let folder = disk.folder(FOLDER).map_err(failed)?;
    if folder.symlink_metadata(".gitignore").is_err() {
        // Git may not be told to ignore the folder in a site that was not begun by us.
        folder.write(".gitignore", "*\n").map_err(failed)?;
    }
    // One name for all processes: what a killed one left is written over, and what two mixed has no right hash.
    folder
        .create(TEMPORARY)
        .and_then(|mut file| file.write_all(&bytes))
        .and_then(|()| folder.rename(TEMPORARY, &folder, NAME))
        .map_err(failed)
}

fn put(bytes: &mut Vec<u8>, path: &str, stat: Stat, id: BlobId) {
    let Ok(length) = u16::try_from(path.len()) else { return };
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(path.as_bytes());
    for number in [stat.size, stat.inode.0, stat.inode.1] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for number in [stat.modified.0, stat.modified.1, stat.changed.0, stat.changed.1] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&id.0);
}

fn parse(bytes: &[u8]) -> Option<Saved> {
    let (content, sum) = bytes.split_at_checked(bytes.len().checked_sub(HASH)?)?;
    if Repository::blob_id(content).0 != *sum {
        return None;
    }
    let mut rest = content.strip_prefix(FIRST)?;
    let mut saved = Saved::with_capacity(rest.len() / (FIXED + 30));
    while !rest.is_empty() {
        let length = usize::from(u16::from_le_bytes(take(&mut rest)?));
        let (path, after) = rest.split_at_checked(length)?;
        rest = after;
        let mut unsigned = || Some(u64::from_le_bytes(take(&mut rest)?));
        let (size, device, inode) = (unsigned()?, unsigned()?, unsigned()?);
        let mut signed = || Some(i64::from_le_bytes(take(&mut rest)?));
        let (modified, changed) = ((signed()?, signed()?), (signed()?, signed()?));
        let id = BlobId(take(&mut rest)?);
        let stat = Stat { size, modified, changed, inode: (device, inode) };
        saved.insert(std::str::from_utf8(path).ok()?.to_owned(), (stat, id));
    }
    Some(saved)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> (Vec<u8>, Stat) {
        let stat = Stat { size: 7, modified: (1, 2), changed: (-3, 4), inode: (5, 6) };
        let mut bytes = FIRST.to_vec();
        put(&mut bytes, "content/a.md", stat, BlobId([8; 20]));
        put(&mut bytes, "content/ä.md", stat, BlobId([9; 20]));
        let sum = Repository::blob_id(&bytes).0;
        bytes.extend_from_slice(&sum);
        (bytes, stat)
    }

    #[test]
    fn what_is_saved_is_read() {
        let (bytes, stat) = some();
        let saved = parse(&bytes).unwrap();
        assert_eq!(saved.len(), 2);
        assert_eq!(saved.get("content/ä.md"), Some(&(stat, BlobId([9; 20]))));
    }

    #[test]
    fn a_broken_index_is_none() {
        let (bytes, _) = some();
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            assert_eq!(parse(&broken), None, "byte {at}");
            assert_eq!(parse(&bytes[..at]), None, "cut at {at}");
        }
        let other = b"sitewright index 2\n";
        let sum = Repository::blob_id(other).0;
        assert_eq!(parse(&[&other[..], &sum].concat()), None);
    }
}
