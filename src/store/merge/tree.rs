//! Merges per path over git trees: what one line of edits changed, onto what the other side has now.

use git2::{Oid, Repository};

use super::{Merge, merge_file};
use crate::error::Result;
use crate::model::{Conflict, Side};
use crate::store::failure::git_error;
use crate::store::tree::{self, Entry, MODE_FILE};

/// One path that a line of edits changed; paths are relative to the repository's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The path.
    pub(crate) path: String,
    /// What it was when the line of edits began, or what its author knowingly replaced.
    pub(crate) base: Option<Entry>,
    /// What it is now.
    pub(crate) ours: Option<Entry>,
}

/// The outcome of [`merge_onto`].
#[derive(Debug, Default)]
pub(crate) struct Merged {
    /// What changes in their tree.
    pub(crate) updates: Vec<(String, Option<Entry>)>,
    /// Paths that cannot be joined, with reason and all sides.
    pub(crate) conflicts: Vec<Conflict>,
}

/// Characters of each side that a conflict shows.
const SHOWN: usize = 4_000;

/// Merges edits onto a tree. Everything else in the tree stays as it is. `shown` names a path in a conflict.
pub(crate) fn merge_onto(
    git: &Repository,
    theirs: Option<Oid>,
    edits: &[Edit],
    shown: &dyn Fn(&str) -> String,
) -> Result<Merged> {
    let mut merged = Merged::default();
    for edit in edits {
        let there = tree::entry(git, theirs, &edit.path)?;
        match merge_entry(git, edit, there, obstacle(git, theirs, &edit.path)?)? {
            Ok(entry) if entry != there => merged.updates.push((edit.path.clone(), entry)),
            Ok(_) => {}
            Err(reason) => merged.conflicts.push(Conflict {
                path: shown(&edit.path),
                reason,
                base: side(git, edit.base)?,
                ours: side(git, edit.ours)?,
                theirs: side(git, there)?,
            }),
        }
    }
    Ok(merged)
}

/// Whether a folder has this name, or a file the name of one of its folders.
fn obstacle(git: &Repository, root: Option<Oid>, path: &str) -> Result<bool> {
    if tree::subtree(git, root, path)?.is_some() {
        return Ok(true);
    }
    for (at, _) in path.match_indices('/') {
        if tree::entry(git, root, &path[..at])?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn merge_entry(
    git: &Repository,
    edit: &Edit,
    theirs: Option<Entry>,
    obstacle: bool,
) -> Result<Result<Option<Entry>, String>> {
    if edit.ours == theirs || edit.base == theirs {
        let clash = obstacle && edit.ours.is_some();
        return Ok(if clash {
            Err("the other side has a folder and a file change places here".into())
        } else {
            Ok(edit.ours)
        });
    }
    if edit.base == edit.ours {
        return Ok(Ok(theirs));
    }
    let bytes = |entry: Option<Entry>| -> Result<Option<Vec<u8>>> {
        entry
            .map(|entry| git.find_blob(entry.id).map(|blob| blob.content().to_vec()))
            .transpose()
            .map_err(git_error("read a blob"))
    };
    let (base, ours, there) = (bytes(edit.base)?, bytes(edit.ours)?, bytes(theirs)?);
    match merge_file(&edit.path, base.as_deref(), ours.as_deref(), there.as_deref()) {
        Merge::Merged(None) => Ok(Ok(None)),
        Merge::Merged(Some(bytes)) => {
            let id = git.blob(&bytes).map_err(git_error("write a blob"))?;
            let mode = |entry: Option<Entry>| entry.map(|entry| entry.mode);
            let changed_here = mode(edit.ours) != mode(edit.base);
            let mode = if changed_here { mode(edit.ours) } else { mode(theirs) }.unwrap_or(MODE_FILE);
            Ok(Ok(Some(Entry { id, mode })))
        }
        Merge::Conflict { reason } => Ok(Err(reason)),
    }
}

fn side(git: &Repository, entry: Option<Entry>) -> Result<Option<Side>> {
    let Some(Entry { id, .. }) = entry else { return Ok(None) };
    let blob = git.find_blob(id).map_err(git_error("read a blob"))?;
    let text = super::text_of(blob.content()).map(|text| text.chars().take(SHOWN).collect());
    Ok(Some(Side { etag: id.to_string(), text }))
}
