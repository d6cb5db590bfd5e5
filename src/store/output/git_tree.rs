//! The output folder as a git tree.

use std::collections::HashMap;

use git2::{ObjectType, Oid, Repository};

use super::{Source, bytes, check_paths};
use crate::error::{Error, Result};
use crate::model::{OutputData, Outputs};
use crate::store::tree;

const FILE: i32 = 0o100_644;
const FOLDER: i32 = 0o040_000;

/// Writes the tree that holds exactly these outputs, bottom-up and without an index. Copies of source files and files that
/// are as in the tree `base` reuse their blobs.
pub(crate) fn tree(git: &Repository, base: Option<Oid>, outputs: &Outputs, source: &Source<'_>) -> Result<Oid> {
    check_paths(outputs)?;
    let base: HashMap<String, Oid> =
        tree::compare(git, None, base)?.into_iter().filter_map(|d| Some((d.path, d.new?.id))).collect();
    let mut files = Vec::with_capacity(outputs.len());
    let odb = git.odb().map_err(failed)?;
    for (path, output) in outputs {
        let id = match &output.data {
            OutputData::Copy(_, id) => Oid::from_bytes(&id.0),
            OutputData::Bytes(bytes) => Oid::hash_object(ObjectType::Blob, bytes),
        };
        let id = id.map_err(failed)?;
        if base.get(path) != Some(&id) && !odb.exists(id) {
            let written = git.blob(&bytes(&output.data, source)?).map_err(failed)?;
            if written != id {
                return Err(Error::internal(format!("the output {path} is no copy of {id}")));
            }
        }
        files.push((path.as_str(), id));
    }
    // Byte order of whole paths keeps the files of a folder side by side only when `/` sorts lowest.
    files.sort_by(|(a, _), (b, _)| a.split('/').cmp(b.split('/')));
    folder(git, &files, 0)
}

/// The tree of files that share their first `skip` bytes.
fn folder(git: &Repository, files: &[(&str, Oid)], skip: usize) -> Result<Oid> {
    let mut builder = git.treebuilder(None).map_err(failed)?;
    let mut rest = files;
    while let Some((path, id)) = rest.first() {
        let Some((name, _)) = path[skip..].split_once('/') else {
            builder.insert(&path[skip..], *id, FILE).map_err(failed)?;
            rest = &rest[1..];
            continue;
        };
        let below = &path[..=skip + name.len()];
        let count = rest.iter().take_while(|(path, _)| path.starts_with(below)).count();
        let (inside, others) = rest.split_at(count);
        let id = folder(git, inside, below.len())?;
        builder.insert(name, id, FOLDER).map_err(failed)?;
        rest = others;
    }
    builder.write().map_err(failed)
}

fn failed(error: git2::Error) -> Error {
    Error::Git { action: "write the output tree", reason: error.message().to_owned() }
}
