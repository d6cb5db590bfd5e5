//! Pages on hold: live ones go on as they are, and their changes stay unpublished until `hold` goes from the front matter.

use std::collections::BTreeSet;

use super::address;
use crate::build::Built;
use crate::error::{Error, Result};
use crate::model::ContentPath;

/// Of these paths, the pages on hold. What belongs to them (assets, the other end of a move) stays back with them.
#[must_use]
pub(super) fn of<'a>(built: &Built, paths: impl Iterator<Item = &'a ContentPath>) -> BTreeSet<ContentPath> {
    let library = &built.library;
    let held = |path: &&ContentPath| library.by_path.get(*path).is_some_and(|&index| library.pages[index].is_held());
    paths.filter(held).cloned().collect()
}

/// The refusal of a publish in which `path` leads to a page on hold that is not live.
#[must_use]
pub(super) fn needed(path: &ContentPath, held: &ContentPath) -> Error {
    let (path, held) = (address::shown(path), address::shown(held));
    Error::InvalidArguments {
        field: "paths".into(),
        problem: format!("{path} needs {held}, which is on hold"),
        example: format!(
            "publish without {path}, or first page_write {{\"pages\": [{{\"path\": \"{held}\", \"front_matter\": {{\"hold\": null}}}}]}}"
        ),
    }
}

/// Refuses names that mean a page on hold; folders leave it out.
///
/// # Errors
/// `InvalidArguments`, which says how to take it off hold.
pub(super) fn refuse_named(built: &Built, held: &BTreeSet<ContentPath>, names: &[String]) -> Result<()> {
    for name in names.iter().filter(|name| !name.ends_with('/') || name.starts_with('/')) {
        let path = address::file(&built.library, name).ok().filter(|path| held.contains(path));
        if let Some(path) = path {
            return Err(refused(&path));
        }
    }
    Ok(())
}

/// What a publish of a page on hold is refused with.
#[must_use]
pub(super) fn refused(path: &ContentPath) -> Error {
    let path = address::shown(path);
    Error::InvalidArguments {
        field: "paths".into(),
        problem: format!("{path} is on hold"),
        example: format!(
            "leave it out, or first page_write {{\"pages\": [{{\"path\": \"{path}\", \"front_matter\": {{\"hold\": null}}}}]}}"
        ),
    }
}
