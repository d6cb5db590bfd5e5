//! The output folder as a git tree.

use std::collections::BTreeMap;

use git2::{ObjectType, Odb, Oid, Repository};

use super::{Source, bytes};
use crate::error::{Error, Result};
use crate::model::OutputData;
use crate::store::hash::object_id;

const FILE: &[u8] = b"100644 ";
const FOLDER: &[u8] = b"40000 ";

/// A file of the output: its path, where its bytes are, and their id.
pub(super) type File<'f> = (&'f str, &'f OutputData, Oid);

/// A folder of outputs, in memory.
#[derive(Default)]
struct Folder<'a> {
    files: BTreeMap<&'a str, (&'a OutputData, Oid)>,
    folders: BTreeMap<&'a str, Folder<'a>>,
}

/// The same with its id, before it is written.
struct Tree<'a> {
    id: Oid,
    bytes: Vec<u8>,
    files: BTreeMap<&'a str, (&'a OutputData, Oid)>,
    folders: BTreeMap<&'a str, Tree<'a>>,
}

/// Writes the tree that holds exactly these files, without an index. All ids are known before anything is written, so that only
/// what the tree `base` has not is looked at in the repository at all.
pub(super) fn tree<'f>(
    git: &Repository,
    base: Option<Oid>,
    files: impl Iterator<Item = File<'f>>,
    source: &Source<'_>,
) -> Result<Oid> {
    let mut root = Folder::default();
    for (path, data, id) in files {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut place = &mut root;
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            place = place.folders.entry(part).or_default();
        }
        place.files.insert(name, (data, id));
    }
    let tree = finish(root)?;
    let odb = git.odb().map_err(failed)?;
    write(git, &odb, &tree, base, source)?;
    Ok(tree.id)
}

/// Writes the bytes of files, as far as the repository has them not.
pub(super) fn write_blobs<'f>(
    git: &Repository,
    files: impl Iterator<Item = File<'f>>,
    source: &Source<'_>,
) -> Result<()> {
    let odb = git.odb().map_err(failed)?;
    for (path, data, id) in files {
        blob(git, &odb, path, data, id, source)?;
    }
    Ok(())
}

fn blob(git: &Repository, odb: &Odb<'_>, name: &str, data: &OutputData, id: Oid, source: &Source<'_>) -> Result<()> {
    if odb.exists(id) {
        return Ok(());
    }
    let written = git.blob(&bytes(data, source)?).map_err(failed)?;
    if written == id { Ok(()) } else { Err(Error::internal(format!("the output {name} is no copy of {id}"))) }
}

/// Finds the ids of a folder and all below it.
fn finish(folder: Folder<'_>) -> Result<Tree<'_>> {
    let mut folders = BTreeMap::new();
    for (name, inner) in folder.folders {
        folders.insert(name, finish(inner)?);
    }
    let files = folder.files.iter().map(|(name, (_, id))| (name.as_bytes().to_vec(), FILE, name, *id));
    // In git's order a folder's name counts with a slash behind it.
    let inner = folders.iter().map(|(name, tree)| ([name.as_bytes(), b"/"].concat(), FOLDER, name, tree.id));
    let mut entries: Vec<_> = files.chain(inner).collect();
    entries.sort_unstable();
    let mut bytes = Vec::with_capacity(entries.len() * 40);
    for (_, mode, name, id) in entries {
        bytes.extend_from_slice(mode);
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(id.as_bytes());
    }
    let id = object_id(ObjectType::Tree, &bytes);
    Ok(Tree { id, bytes, files: folder.files, folders })
}

/// Writes a tree and what it needs, as far as `base` has it not.
fn write(git: &Repository, odb: &Odb<'_>, tree: &Tree<'_>, base: Option<Oid>, source: &Source<'_>) -> Result<()> {
    if base == Some(tree.id) {
        return Ok(());
    }
    let base = base.and_then(|id| git.find_tree(id).ok());
    let there = |name: &str, kind: ObjectType| {
        base.as_ref().and_then(|base| base.get_name(name).filter(|entry| entry.kind() == Some(kind)).map(|e| e.id()))
    };
    for (name, inner) in &tree.folders {
        write(git, odb, inner, there(name, ObjectType::Tree), source)?;
    }
    for (name, (data, id)) in &tree.files {
        if there(name, ObjectType::Blob) != Some(*id) {
            blob(git, odb, name, data, *id, source)?;
        }
    }
    odb.write(ObjectType::Tree, &tree.bytes).map(|_| ()).map_err(failed)
}

fn failed(error: git2::Error) -> Error {
    Error::Git { action: "write the output tree", reason: error.message().to_owned() }
}
