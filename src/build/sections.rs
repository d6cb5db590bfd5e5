//! Sections: which folders are one, what they hold, and the order of things.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::library::NOT_FOUND_URL;
use super::load::Loaded;
use super::order;
use super::role::Role;
use crate::model::{Config, Library, Page, PageKind, Section};

/// Folders that are sections: the root, every first-level folder with pages, every folder with an `_index.md`, and deeper
/// folders with pages of their own, unless they only sort pages by date (`blog/2026/11`): those belong to the one above.
pub(super) fn section_folders(loaded: &[Loaded<'_>]) -> BTreeSet<String> {
    let mut folders = BTreeSet::from(["content".to_owned()]);
    let mut named = BTreeSet::new();
    let mut bundles = BTreeSet::new();
    for source in loaded {
        let role = Role::of(source.path);
        match role.kind {
            PageKind::Home => continue,
            PageKind::Section => {
                named.insert(role.parent);
            }
            PageKind::Page if role.bundle => {
                bundles.insert(source.path.folder());
            }
            PageKind::Page => {}
        }
        let parent = role.parent;
        for (depth, (at, _)) in parent.match_indices('/').chain([(parent.len(), "")]).enumerate() {
            let folder = &parent[..at];
            let name = folder.rsplit('/').next().unwrap_or_default();
            let by_date = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
            if depth == 1 || (depth > 1 && !by_date && at == parent.len()) {
                folders.insert(folder.to_owned());
            }
        }
    }
    folders.retain(|folder| !bundles.contains(folder.as_str()));
    folders.extend(named.into_iter().map(str::to_owned));
    folders
}

/// The nearest section at or above a folder.
pub(super) fn section_of<'s>(sections: &'s BTreeSet<String>, folder: &str) -> &'s str {
    let mut at = folder;
    loop {
        if let Some(found) = sections.get(at) {
            return found;
        }
        match at.rsplit_once('/') {
            Some((up, _)) => at = up,
            None => return sections.get("content").map_or("content", String::as_str),
        }
    }
}

/// Sections with their pages in the order of lists.
pub(super) fn build_sections(
    config: &Config,
    pages: &[Arc<Page>],
    folders: &BTreeSet<String>,
) -> BTreeMap<String, Section> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    for (i, page) in pages.iter().enumerate().filter(|(_, page)| page.kind != PageKind::Page) {
        let section = Section { folder: page.section.clone(), page: i, pages: Vec::new(), sections: Vec::new() };
        sections.entry(page.section.clone()).or_insert(section);
    }
    for (i, page) in pages.iter().enumerate().filter(|(_, page)| listed(page)) {
        if let Some(section) = sections.get_mut(&page.section) {
            section.pages.push(i);
        }
    }
    let mut children: Vec<(String, usize, String)> = Vec::new();
    for (folder, section) in &sections {
        if let Some((up, _)) = folder.rsplit_once('/')
            && pages[section.page].included
            && pages[section.page].listed
        {
            children.push((section_of(folders, up).to_owned(), section.page, folder.clone()));
        }
    }
    children.sort_by(|a, b| display_order(&pages[a.1], &pages[b.1]));
    for (parent, _, folder) in children {
        if let Some(section) = sections.get_mut(&parent) {
            section.sections.push(folder);
        }
    }
    for section in sections.values_mut() {
        match config.collection_of(&section.folder).and_then(|(_, collection)| collection.sort.as_deref()) {
            Some(by) => order::sort(pages, &mut section.pages, by),
            None => section.pages.sort_by(|&a, &b| display_order(&pages[a], &pages[b])),
        }
    }
    sections
}

/// Whether lists, feeds and the sitemap name a page: built, an ordinary page, not the 404 page.
#[must_use]
pub(crate) fn listed(page: &Page) -> bool {
    page.included && page.listed && !page.variant && page.kind == PageKind::Page && page.url != NOT_FOUND_URL
}

/// Weight (without one: last), then date newest first, then title, then path.
#[must_use]
pub fn display_order(a: &Page, b: &Page) -> Ordering {
    let weight = |page: &Page| page.weight.unwrap_or(i64::MAX);
    weight(a)
        .cmp(&weight(b))
        .then_with(|| newest_first(a, b))
        .then_with(|| a.title.cmp(&b.title))
        .then_with(|| a.path.cmp(&b.path))
}

/// Date newest first; pages without a date last.
#[must_use]
pub(crate) fn newest_first(a: &Page, b: &Page) -> Ordering {
    match (&a.date, &b.date) {
        (Some(a), Some(b)) => b.cmp(a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// The chain of sections above a page, from the home page down, without the page itself.
#[must_use]
pub(crate) fn ancestors(library: &Library, page: &Page) -> Vec<usize> {
    let mut chain = Vec::new();
    let mut folder = Some(page.section.as_str());
    while let Some(at) = folder {
        if let Some(section) = library.sections.get(at) {
            let above = &library.pages[section.page];
            if above.included && above.path != page.path {
                chain.push(section.page);
            }
        }
        folder = at.rsplit_once('/').map(|(up, _)| up);
    }
    chain.reverse();
    chain
}
