//! Assets below `content/`: which page each belongs to, and where it goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::address;
use super::role::Role;
use crate::model::{Config, ContentPath, Library, Page, PageKind, PathKind, Snapshot};

/// Gives each asset below `content/` to the bundle or section page that it lies beside; to a translation only where that is all
/// there is.
pub(super) fn attach(snapshot: &Snapshot, config: &Config, pages: &mut [Arc<Page>]) {
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    let (translations, own): (Vec<_>, Vec<_>) = pages.iter().enumerate().partition(|(_, page)| page.variant);
    let named = |page: &Page| page.path.file_name().starts_with('_') || page.path.file_name().starts_with("index");
    for (i, page) in own.into_iter().chain(translations).filter(|(_, page)| named(page)) {
        let role = Role::of(&page.path, config);
        if role.bundle || (role.kind != PageKind::Page && page.path.file_name().starts_with('_')) {
            owners.entry(page.path.folder().to_owned()).or_insert(i);
        }
    }
    for (path, _) in snapshot.under("content").filter(|(path, _)| path.kind() == PathKind::ContentAsset) {
        let mut folder = path.folder();
        while !folder.is_empty() {
            if let Some(&owner) = owners.get(folder) {
                Arc::make_mut(&mut pages[owner]).assets.push(path.clone());
                break;
            }
            folder = folder.rsplit_once('/').map_or("", |(up, _)| up);
        }
    }
}

/// The page that has the assets of a page: of a bundle in several languages, that of the site's own.
#[must_use]
pub(crate) fn owner<'l>(library: &'l Library, page: &'l Page) -> &'l Page {
    if !page.variant || !page.assets.is_empty() || page.kind != PageKind::Page {
        return page;
    }
    let bundle = Role::of(&page.path, &library.config).bundle;
    let path = format!("{}/index.md", page.path.folder());
    let own = bundle.then(|| library.by_path.get(path.as_str())).flatten();
    own.map_or(page, |&index| &library.pages[index])
}

/// The URL path of an asset: beside its page's HTML.
#[must_use]
pub fn url(page: &Page, asset: &ContentPath) -> String {
    let below = asset.as_str().strip_prefix(page.path.folder()).unwrap_or(asset.file_name()).trim_start_matches('/');
    format!("{}{below}", address::folder_of(&page.url))
}
