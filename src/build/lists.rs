//! What templates look up in the site while they render.

use std::sync::Arc;

use serde_json::Value;

use super::edition::Edition;
use super::links::{Kind, is_external};
use super::memory::{self, Question};
use super::sections::display_order;
use super::template::{Kept, ListQuery, Lists};
use super::{Stopwatch, address, context, markdown, order, reads, render};
use crate::model::{Digest, Library, LinkTarget, Page};

/// Look-ups from the place of one page.
pub(crate) struct PageLists<'a> {
    /// The site.
    pub(crate) edition: &'a Edition<'a>,
    /// The page being rendered; the home page for lists of terms and the like.
    pub(crate) page: &'a Page,
    /// The further language that lists are asked for in.
    pub(crate) language: Option<&'a str>,
    /// The lists of the context, by name.
    pub(crate) shown: &'a [(&'static str, Vec<usize>)],
}

impl Lists for PageLists<'_> {
    fn pages(&self, query: &ListQuery) -> Vec<Arc<Value>> {
        let query = &ListQuery { language: self.language.map(str::to_owned), ..query.clone() };
        self.found(query, |found| {
            reads::asked(|| (Question::Pages(query.clone()), memory::digest_of(self.edition, found)));
            found.iter().map(|&i| self.edition.stub(i)).collect()
        })
    }

    fn page(&self, path_or_url: &str) -> Option<Arc<Value>> {
        let index = self.index(path_or_url);
        reads::asked(|| (Question::Page(path_or_url.to_owned()), memory::digest_of(self.edition, index.as_slice())));
        index.map(|i| self.edition.stub(i))
    }

    fn data(&self, name: &str) -> Option<Arc<Value>> {
        let found = self.edition.data.get(name).map(Arc::clone);
        reads::asked(|| (Question::Data(name.to_owned()), memory::digest_of_value(found.as_deref())));
        found
    }

    fn url(&self, raw: &str) -> String {
        let url = self.href(raw);
        reads::asked(|| (Question::Url(raw.to_owned()), Digest::of(url.as_bytes())));
        url
    }

    fn absolute(&self, raw: &str) -> String {
        let url = match raw.strip_prefix('#') {
            Some(_) => format!("{}{}", self.edition.base.absolute(&self.page.url), self.href(raw)),
            None => context::absolute(self.edition, &self.href(raw)),
        };
        reads::asked(|| (Question::Absolute(raw.to_owned()), Digest::of(url.as_bytes())));
        url
    }

    fn markdown(&self, text: &str) -> String {
        // Shortcodes are left out here: one that calls this helper on its own text would never end.
        let document = markdown::parse(text, &self.edition.library.config.markdown);
        document.render(&mut render::Resolver::new(self.edition, self.page, None, false))
    }

    fn watch(&self) -> Option<&Stopwatch> {
        self.edition.watch
    }

    fn kept(&self, partial: &str) -> Option<Arc<Kept>> {
        self.edition.kept(self.language, partial)
    }

    fn keep(&self, partial: &str, made: Kept) {
        self.edition.keep(self.language, partial, made);
    }

    fn listed(&self, name: &str) -> Option<&[usize]> {
        self.shown.iter().find(|(known, _)| *known == name).map(|(_, pages)| pages.as_slice())
    }

    fn kept_turn(&self, turn: usize, page: usize) -> Option<Arc<Kept>> {
        self.edition.kept_turn(self.language, turn, page)
    }

    fn keep_turn(&self, turn: usize, page: usize, made: Kept) {
        self.edition.keep_turn(self.language, turn, page, made);
    }
}

impl PageLists<'_> {
    /// The pages a query asks for.
    pub(crate) fn found<T>(&self, query: &ListQuery, with: impl FnOnce(&[usize]) -> T) -> T {
        let found = self.edition.query(query);
        let end = query.limit.map_or(found.len(), |limit| query.offset.saturating_add(limit).min(found.len()));
        with(&found[query.offset.min(end)..end])
    }

    /// The page that a name or address means.
    pub(crate) fn index(&self, path_or_url: &str) -> Option<usize> {
        let library = &self.edition.library;
        let found = self.edition.finder().resolve(self.page, path_or_url, Kind::Ref);
        match found.target {
            LinkTarget::Page(path, _) => library.by_path.get(&path).copied().filter(|&i| library.pages[i].included),
            _ => None,
        }
    }

    fn href(&self, raw: &str) -> String {
        if raw.is_empty() || is_external(raw) {
            return raw.to_owned();
        }
        let found = self.edition.finder().resolve(self.page, raw, Kind::Link);
        match found.target {
            // What already carries the base path is an href made before, such as `page.url`.
            LinkTarget::Broken if self.edition.base.path() != "/" && raw.starts_with(self.edition.base.path()) => {
                raw.to_owned()
            }
            _ => found.href.into_owned(),
        }
    }
}

/// Finds the pages a query asks for, before limit and offset.
#[must_use]
pub(crate) fn find(edition: &Edition<'_>, query: &ListQuery) -> Vec<usize> {
    let library = &edition.library;
    let language = query.language.as_deref();
    let recent = &edition.in_language(language).recent;
    let mut found = match (&query.taxonomy, &query.term) {
        (Some(taxonomy), Some(term)) => of_term(library, language, taxonomy, term),
        (Some(taxonomy), None) => {
            recent.iter().copied().filter(|&i| library.pages[i].terms.contains_key(taxonomy)).collect()
        }
        _ if query.collection.is_some() => of_collection(library, query),
        _ => match &query.section {
            Some(section) => of_section(library, language, section, query.recursive),
            None => recent.clone(),
        },
    };
    if let (Some(section), true) = (&query.section, query.taxonomy.is_some()) {
        let folder = folder_of(library, language, section);
        found.retain(|&i| folder.as_deref().is_some_and(|folder| is_below(&library.pages[i].section, folder)));
    }
    let collection = query.collection.as_ref().and_then(|name| library.config.collections.get(name));
    if let Some(sort) = query.sort.as_ref().or_else(|| collection.and_then(|collection| collection.sort.as_ref())) {
        order::sort(&library.pages, &mut found, sort);
    }
    found
}

fn of_term(library: &Library, language: Option<&str>, taxonomy: &str, term: &str) -> Vec<usize> {
    let terms = library.taxonomies_in(language).get(taxonomy).map(|taxonomy| &taxonomy.terms);
    let term = terms.and_then(|terms| terms.get(term).or_else(|| terms.get(&address::term_slug(term))));
    term.map(|term| term.pages.clone()).unwrap_or_default()
}

/// The folder of a section given as `blog`, `content/blog`, `/blog/` or `blog/_index.md`.
fn folder_of(library: &Library, language: Option<&str>, section: &str) -> Option<String> {
    let sections = library.sections_in(language);
    let name = section.trim_matches('/');
    let name = name.strip_suffix("_index.md").unwrap_or(name).trim_end_matches('/');
    let name = name.strip_prefix("content").filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(name);
    let name = name.trim_start_matches('/');
    let folder = if name.is_empty() { "content".to_owned() } else { format!("content/{name}") };
    if sections.contains_key(&folder) {
        return Some(folder);
    }
    let &i = library.by_url.get(&address::clean(section)?)?;
    let page = &library.pages[i];
    sections.contains_key(&page.section).then(|| page.section.clone())
}

/// All pages of a collection, those of its sub-sections too.
fn of_collection(library: &Library, query: &ListQuery) -> Vec<usize> {
    let collection = query.collection.as_ref().and_then(|name| library.config.collections.get(name));
    let language = query.language.as_deref();
    collection.map(|collection| of_section(library, language, &collection.section, true)).unwrap_or_default()
}

fn is_below(folder: &str, above: &str) -> bool {
    folder.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn of_section(library: &Library, language: Option<&str>, section: &str, recursive: bool) -> Vec<usize> {
    let Some(folder) = folder_of(library, language, section) else { return Vec::new() };
    let sections = library.sections_in(language);
    if !recursive {
        return sections.get(&folder).map(|section| section.pages.clone()).unwrap_or_default();
    }
    let below = sections.range(folder.clone()..).take_while(|(name, _)| name.starts_with(&folder));
    let mut found: Vec<usize> = below
        .filter(|(name, _)| is_below(name, &folder))
        .flat_map(|(_, section)| section.pages.iter().copied())
        .collect();
    found.sort_by(|&a, &b| display_order(&library.pages[a], &library.pages[b]));
    found
}
