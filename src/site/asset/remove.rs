//! Deletes assets, and names what still uses them.

use super::super::edit::{self, Staged, Written};
use super::super::etag::{self, IfMatch};
use super::super::{Call, Site, address};
use super::place;
use super::used::Uses;
use crate::error::Result;
use crate::model::{ContentPath, PathKind};

/// An asset to delete.
#[derive(Debug, Clone)]
pub struct AssetRemoval {
    /// Its path from the site's root, below `content/`, or its URL path.
    pub path: String,
    /// Etag the caller read; `*`: delete whatever is there.
    pub if_match: Option<String>,
}

/// Users of one asset that a note names.
const NAMED: usize = 5;

/// Deletes assets in one revision.
///
/// # Errors
/// `NotFound`, `Conflict` for a stale etag, `InvalidArguments` where the etag is missing.
pub fn remove(site: &Site, call: &Call, assets: &[AssetRemoval]) -> Result<Written> {
    let footprint = edit::footprint([PathKind::ContentAsset, PathKind::Static, PathKind::Data]);
    let live = etag::undecided(site)?;
    edit::run(site, call, &footprint, |transaction, before| {
        let mut gone: Vec<ContentPath> = Vec::new();
        let mut staged = Staged::new(String::new());
        for removal in assets {
            let path = place::existing(transaction.base(), &before.library, &removal.path)?;
            let current = transaction.base().get(&path).map(|file| file.id);
            let Some(if_match) = removal.if_match.as_deref().map(IfMatch::parse).transpose()? else {
                return Err(IfMatch::missing(&path, &removal.path, current, "deleting"));
            };
            if !if_match.stands(site, &path, current, live.as_deref(), &mut staged)? {
                return Err(if_match.stale(&path, current, String::new()));
            }
            gone.push(path);
        }
        staged.message = match gone.as_slice() {
            [one] => format!("Delete {one}"),
            many => format!("Delete {} assets", many.len()),
        };
        let uses = Uses::of(transaction.base(), &before.library);
        for path in &gone {
            let users: Vec<ContentPath> = uses.by(path).into_iter().filter(|user| !gone.contains(user)).collect();
            if !users.is_empty() {
                let first: Vec<&str> = users.iter().take(NAMED).map(address::shown).collect();
                let more = users.len() - first.len();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                staged.notes.push(format!("{path} is still used in {}{more}", first.join(", ")));
            }
            transaction.stage(path.clone(), None)?;
        }
        Ok(staged)
    })
}
