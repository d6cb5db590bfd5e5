//! Assets below `content/`: which page each belongs to, and where it goes.

use std::collections::BTreeMap;

use super::address;
use super::role::Role;
use crate::model::{ContentPath, Page, PageKind, PathKind, Snapshot};

/// Gives each asset below `content/` to the bundle or section page that it lies beside.
pub(super) fn attach(snapshot: &Snapshot, pages: &mut [Page]) {
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    for (i, page) in pages.iter().enumerate() {
        let role = Role::of(&page.path);
        if role.bundle || (role.kind != PageKind::Page && page.path.file_name().starts_with('_')) {
            owners.entry(page.path.folder().to_owned()).or_insert(i);
        }
    }
    for (path, _) in snapshot.under("content").filter(|(path, _)| path.kind() == PathKind::ContentAsset) {
        let mut folder = path.folder();
        while !folder.is_empty() {
            if let Some(&owner) = owners.get(folder) {
                pages[owner].assets.push(path.clone());
                break;
            }
            folder = folder.rsplit_once('/').map_or("", |(up, _)| up);
        }
    }
}

/// The URL path of an asset: beside its page's HTML.
#[must_use]
pub fn url(page: &Page, asset: &ContentPath) -> String {
    let below = asset.as_str().strip_prefix(page.path.folder()).unwrap_or(asset.file_name()).trim_start_matches('/');
    format!("{}{below}", address::folder_of(&page.url))
}
