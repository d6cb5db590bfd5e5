//! Sections: which folders are one, what they hold, and the order of things.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::library::NOT_FOUND_URL;
use super::order;
use super::role::Role;
use crate::model::{Config, Library, Page, PageKind, Section, SharedVec};

/// Which folders are sections, in each language: each has those that a site of its pages alone would have, a further one also
/// those of the site's own language that it has pages in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Folders {
    own: BTreeSet<String>,
    /// By language.
    translated: BTreeMap<String, BTreeSet<String>>,
}

impl Folders {
    /// Of all pages. In a further language only pages that are built count, so that nothing appears for a draft.
    pub(super) fn of<'p>(config: &Config, pages: impl Iterator<Item = &'p Page>) -> Self {
        let mut by_language: BTreeMap<Option<&str>, Vec<(Role<'_>, &str)>> = BTreeMap::from([(None, Vec::new())]);
        for page in pages {
            let language = language_of(config, page);
            if page.included || language.is_none() {
                let role = Role::of(&page.path, config);
                by_language.entry(language).or_default().push((role, page.path.folder()));
            }
        }
        let own = section_folders(by_language.get(&None).into_iter().flatten());
        let mut translated = BTreeMap::new();
        for (language, pages) in by_language {
            let Some(language) = language else { continue };
            let mut folders = section_folders(pages.iter());
            let plain = pages.iter().filter(|(role, _)| role.kind == PageKind::Page);
            folders.extend(plain.map(|(role, _)| section_of(&own, role.parent).to_owned()));
            translated.insert(language.to_owned(), folders);
        }
        Self { own, translated }
    }

    /// Those of a language.
    pub(super) fn in_language(&self, language: Option<&str>) -> &BTreeSet<String> {
        language.and_then(|tag| self.translated.get(tag)).unwrap_or(&self.own)
    }

    /// Further languages with their folders.
    pub(super) fn translated(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.translated.iter().map(|(tag, folders)| (tag.as_str(), folders))
    }

    /// The section a page belongs to, or that it is itself.
    pub(super) fn section_of(&self, config: &Config, page: &Page) -> String {
        match Role::of(&page.path, config) {
            Role { kind: PageKind::Page, parent, .. } => {
                section_of(self.in_language(language_of(config, page)), parent).to_owned()
            }
            _ => page.path.folder().to_owned(),
        }
    }
}

/// The further language whose lists hold a page.
pub(super) fn language_of<'c>(config: &'c Config, page: &Page) -> Option<&'c str> {
    config.further_language(page.lang.as_deref()?)
}

/// Folders that are sections: the root, every first-level folder with pages, every folder with an `_index.md`, and deeper
/// folders with pages of their own, unless they only sort pages by date (`blog/2026/11`): those belong to the one above.
fn section_folders<'r>(pages: impl Iterator<Item = &'r (Role<'r>, &'r str)>) -> BTreeSet<String> {
    let mut folders = BTreeSet::from(["content".to_owned()]);
    let mut named = BTreeSet::new();
    let mut bundles = BTreeSet::new();
    for (role, folder) in pages {
        match role.kind {
            PageKind::Home => continue,
            PageKind::Section => {
                named.insert(role.parent);
            }
            PageKind::Page if role.bundle => {
                bundles.insert(*folder);
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

/// Sections of one language with their pages in the order of lists.
pub(super) fn build_sections(
    config: &Config,
    pages: &SharedVec<Arc<Page>>,
    folders: &Folders,
    language: Option<&str>,
) -> BTreeMap<String, Section> {
    let folders = folders.in_language(language);
    let is_in = |page: &Page| language_of(config, page) == language;
    // A plain `_index.md` that says it is in another language still holds the pages of the site's own beside it.
    let heads = |page: &Page| page.kind != PageKind::Page && (is_in(page) || (language.is_none() && !page.variant));
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    for (i, page) in pages.iter().enumerate().filter(|(_, page)| heads(page)) {
        let section = Section { folder: page.section.clone(), page: i, pages: Vec::new(), sections: Vec::new() };
        sections.entry(page.section.clone()).or_insert(section);
    }
    for (i, page) in pages.iter().enumerate().filter(|(_, page)| listed(page) && is_in(page)) {
        if let Some(section) = sections.get_mut(&page.section) {
            section.pages.push(i);
        }
    }
    let mut children: Vec<(String, usize, String)> = Vec::new();
    for (folder, section) in &sections {
        if let Some((up, _)) = folder.rsplit_once('/')
            && pages[section.page].included
            && pages[section.page].listed
            && is_in(&pages[section.page])
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

/// Whether the lists of its language, its feed and the sitemap name a page: built, an ordinary page, not the 404 page.
#[must_use]
pub(crate) fn listed(page: &Page) -> bool {
    page.included && page.listed && page.kind == PageKind::Page && page.url != NOT_FOUND_URL
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
    let sections = library.sections_in(library.language_of(page));
    let mut chain = Vec::new();
    let mut folder = Some(page.section.as_str());
    while let Some(at) = folder {
        if let Some(section) = sections.get(at) {
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
