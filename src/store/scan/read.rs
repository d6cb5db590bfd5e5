//! Reads files of the working tree.

use std::sync::Arc;

use cap_std::fs::Dir;
use rayon::prelude::*;

use super::Stat;
use crate::error::Result;
use crate::model::{File, Snapshot};
use crate::store::Repository;
use crate::store::disk::{There, read_in};
use crate::store::failure::io_error;
use crate::store::objects::load;

/// Files that are read one after the other; several such pieces side by side.
const PIECE: usize = 64;

/// What was read at a path.
pub(super) enum Found {
    Nothing,
    File(File),
    /// What stands in a file's place.
    Other(&'static str),
}

/// Reads files, many of them on all cores: reading and hashing is most of a first look.
pub(super) fn read(
    repository: &Repository,
    files: Vec<(String, Stat)>,
    known: &Arc<Snapshot>,
) -> Result<Vec<(String, Stat, Found)>> {
    let piece = |files: &[(String, Stat)]| {
        let mut reader = Reader { repository, open: None };
        let mut found = Vec::with_capacity(files.len());
        for (path, _) in files {
            found.push(match reader.read(path)? {
                There::Nothing => Found::Nothing,
                There::Other(what) => Found::Other(what),
                There::File { bytes, .. } => Found::File(load(path, bytes, Some(known))),
            });
        }
        Ok(found)
    };
    let found: Vec<Vec<Found>> = if files.len() <= PIECE {
        vec![piece(&files)?]
    } else {
        files.par_chunks(PIECE).map(piece).collect::<Result<_>>()?
    };
    Ok(files.into_iter().zip(found.into_iter().flatten()).map(|((path, stat), found)| (path, stat, found)).collect())
}

/// Reads files, keeping the last folder open: files come folder by folder.
struct Reader<'r> {
    repository: &'r Repository,
    open: Option<(String, Dir)>,
}

impl Reader<'_> {
    fn read(&mut self, path: &str) -> Result<There> {
        self.repository.work().read();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if self.open.as_ref().is_none_or(|(open, _)| open != folder) {
            match self.repository.disk().folder(folder) {
                Ok(dir) => self.open = Some((folder.to_owned(), dir)),
                // Gone or replaced since it was listed: let the slow way say what is there.
                Err(_) => return self.repository.disk().read(path),
            }
        }
        match &self.open {
            Some((_, dir)) => read_in(dir, name).map_err(io_error("read", path)),
            None => Ok(There::Nothing),
        }
    }
}
