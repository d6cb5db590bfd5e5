//! Pages in several languages: which belong together, and how readers and search engines hear of it.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::{address, edition::Edition};
use crate::model::{Config, ContentPath, Diagnostic, Library, Page, PageKind, Severity};

/// Takes a further language off a file's stem: `about.de` is `about` in `de`, where the site has that language.
#[must_use]
pub(super) fn split<'a>(stem: &'a str, config: &'a Config) -> Option<(&'a str, &'a str)> {
    let (name, language) = stem.rsplit_once('.').filter(|(name, _)| !name.is_empty())?;
    Some((name, config.further_language(language)?))
}

/// The same for a page's path.
#[must_use]
pub(super) fn of_path<'a>(path: &'a ContentPath, config: &'a Config) -> Option<(&'a str, &'a str)> {
    let stem = path.file_name().rsplit_once('.').map_or(path.file_name(), |(stem, _)| stem);
    split(stem, config)
}

/// The URL path of a language's home page: `/`, `/de/`.
#[must_use]
pub(crate) fn home_url(language: Option<&str>) -> String {
    language.map_or_else(|| "/".to_owned(), |tag| format!("/{}/", address::segment(tag)))
}

/// What a page shares with its translations: what its front matter says, else its path without language.
#[must_use]
pub(super) fn key(path: &ContentPath, own: Option<String>, config: &Config) -> Option<String> {
    if own.is_some() || config.languages.is_empty() {
        return own;
    }
    let stem = path.file_name().rsplit_once('.').map_or(path.file_name(), |(stem, _)| stem);
    let name = split(stem, config).map_or(stem, |(name, _)| name);
    // A slash keeps it apart from keys that people write.
    Some(format!("/{}/{name}", path.folder()))
}

/// Groups of pages that say the same in different languages.
#[derive(Debug, Default)]
pub(crate) struct Translations {
    groups: Vec<Vec<usize>>,
    /// Page index to group.
    of: HashMap<usize, usize>,
}

fn by_key(library: &Library) -> BTreeMap<&str, Vec<usize>> {
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, page) in library.pages.iter().enumerate().filter(|(_, page)| page.included) {
        if let Some(key) = &page.translation_key {
            found.entry(key).or_default().push(i);
        }
    }
    found.retain(|_, pages| pages.len() > 1);
    found
}

fn language<'p>(library: &'p Library, page: &'p Page) -> &'p str {
    page.lang.as_deref().unwrap_or(&library.config.language)
}

impl Translations {
    /// Groups the built pages of a library; of two in one language the first counts.
    #[must_use]
    pub(crate) fn of(library: &Library) -> Self {
        let mut all = Self::default();
        for pages in by_key(library).into_values() {
            let mut group: Vec<usize> = Vec::new();
            for i in pages {
                let own = language(library, &library.pages[i]);
                if !group.iter().any(|&other| language(library, &library.pages[other]).eq_ignore_ascii_case(own)) {
                    group.push(i);
                }
            }
            if group.len() > 1 {
                all.of.extend(group.iter().map(|&i| (i, all.groups.len())));
                all.groups.push(group);
            }
        }
        all
    }

    /// The translation of a page in a language, `None` for the site's own.
    #[must_use]
    pub(crate) fn in_language<'l>(&self, library: &'l Library, index: usize, tag: Option<&str>) -> Option<&'l Page> {
        let tag = tag.unwrap_or(&library.config.language);
        let pages = self.group(index).iter().map(|&i| &*library.pages[i]);
        pages.into_iter().find(|page| language(library, page).eq_ignore_ascii_case(tag))
    }

    fn group(&self, index: usize) -> &[usize] {
        self.of.get(&index).map_or(&[], |&at| self.groups[at].as_slice())
    }

    /// `hreflang` and absolute address of a page and its translations, with `x-default` for the site's own language; empty where
    /// it has none.
    #[must_use]
    pub(crate) fn links(&self, edition: &Edition<'_>, page: Option<&Page>) -> Vec<(String, String)> {
        let library = &edition.library;
        let Some(&index) = page.and_then(|page| library.by_path.get(&page.path)) else { return Vec::new() };
        let group = self.group(index).iter().map(|&i| &library.pages[i]).filter(|page| !page.noindex);
        let mut links: Vec<(String, String)> =
            group.map(|page| (language(library, page).to_owned(), edition.base.absolute(&page.url))).collect();
        links.sort();
        if links.len() < 2 {
            return Vec::new();
        }
        let own = links.iter().find(|(language, _)| language.eq_ignore_ascii_case(&library.config.language)).cloned();
        links.extend(own.map(|(_, href)| ("x-default".to_owned(), href)));
        links
    }

    /// What a template sees as `page.translations`: the others.
    #[must_use]
    pub(crate) fn context(&self, edition: &Edition<'_>, index: usize) -> Value {
        let library = &edition.library;
        let others = self.group(index).iter().filter(|&&i| i != index).map(|&i| &library.pages[i]);
        others
            .map(|page| {
                let lang = language(library, page);
                let name = library.config.language_name(lang);
                json!({"lang": lang, "name": name, "title": page.title, "url": edition.base.href(&page.url)})
            })
            .collect()
    }
}

/// Pages of one group in one language, and languages of file names that the site does not have.
#[must_use]
pub(crate) fn check(library: &Library) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for pages in by_key(library).into_values() {
        let mut seen: BTreeMap<String, &Page> = BTreeMap::new();
        for page in pages.into_iter().map(|i| &library.pages[i]).filter(|page| page.kind == PageKind::Page) {
            let own = language(library, page);
            let Some(first) = seen.get(&own.to_lowercase()) else {
                seen.insert(own.to_lowercase(), page);
                continue;
            };
            let message = format!("{} is the same page in the same language, {own}", first.path);
            findings.push(
                Diagnostic::new(Severity::Warning, "duplicate_translation", page.path.clone(), 0, message)
                    .with_hint("Set `lang` on one of them, or give them different values of `translation_key`.")
                    .with_refers(first.path.as_str()),
            );
        }
    }
    findings
}
