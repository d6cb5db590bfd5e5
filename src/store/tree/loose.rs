//! Objects of large folders, written as git keeps loose ones: `tree <length>\0<bytes>` in a zlib stream
//! (<https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>), here without compressing.
//!
//! Most of such an object is ids, which do not compress; trying to costs more than all the rest of an edit. `git gc` packs them as it
//! packs all others.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use git2::{ObjectType, Odb, Oid};

use super::recent;
use crate::error::Result;
use crate::store::failure::{git_error, io_error};
use crate::store::hash::object_id;

/// Smaller ones are left to libgit2.
const LARGE: usize = 16 * 1024;

/// Writes a tree.
pub(super) fn write_tree(git: &git2::Repository, odb: &Odb<'_>, bytes: Vec<u8>) -> Result<Oid> {
    let action = git_error("write a tree");
    if bytes.len() < LARGE {
        return odb.write(ObjectType::Tree, &bytes).map_err(&action);
    }
    let id = object_id(ObjectType::Tree, &bytes);
    if odb.exists(id) {
        // It says, too, that the object is in use again.
        odb.write(ObjectType::Tree, &bytes).map_err(&action)?;
    } else {
        put(git, id, &bytes).map_err(io_error("write", "the git directory"))?;
    }
    recent::remember(id, bytes);
    Ok(id)
}

fn put(git: &git2::Repository, id: Oid, bytes: &[u8]) -> std::io::Result<()> {
    let name = id.to_string();
    let (folder, name) = name.split_at(2);
    let folder = git.commondir().join("objects").join(folder);
    std::fs::create_dir_all(&folder)?;
    // A name that `git gc` knows as a left-over, and the permissions of every object.
    let file =
        tempfile::Builder::new().prefix("tmp_obj_").permissions(Permissions::from_mode(0o444)).tempfile_in(&folder)?;
    let mut stream = ZlibEncoder::new(file, Compression::none());
    write!(stream, "tree {}\0", bytes.len())?;
    stream.write_all(bytes)?;
    stream.finish()?.persist(folder.join(name)).map_err(|error| error.error)?;
    Ok(())
}
