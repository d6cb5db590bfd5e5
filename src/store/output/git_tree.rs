//! The output folder as a git tree.

use git2::{Oid, Repository};

use super::{Source, bytes, check_paths};
use crate::error::{Error, Result};
use crate::model::{OutputData, Outputs};

const FILE: i32 = 0o100_644;
const FOLDER: i32 = 0o040_000;

/// Writes the tree that holds exactly these outputs, bottom-up and without an index. A copy of a source file reuses its blob.
pub(crate) fn tree(git: &Repository, outputs: &Outputs, source: &Source<'_>) -> Result<Oid> {
    check_paths(outputs)?;
    let mut files = Vec::with_capacity(outputs.len());
    let odb = git.odb().map_err(failed)?;
    for (path, output) in outputs {
        let id = match &output.data {
            OutputData::Copy(_, id) if odb.exists(Oid::from_bytes(&id.0).map_err(failed)?) => {
                Oid::from_bytes(&id.0).map_err(failed)?
            }
            data => git.blob(&bytes(data, source)?).map_err(failed)?,
        };
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
