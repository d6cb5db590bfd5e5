//! One build's site, ready to be rendered: the library with everything that pages and outputs read from it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::address::Base;
use super::cache::Compiled;
use super::library::Assembled;
use super::links::{Finder, Names};
use super::load::Parsed;
use super::menu::Menus;
use super::order::Sort;
use super::plan::Plan;
use super::template::ListQuery;
use super::translations::Translations;
use super::{Options, Stopwatch, context, lists, sections};
use crate::model::{Library, Page, Snapshot};

/// Answers kept of one build: themes ask a handful of questions, again on every page.
const MOST_QUERIES: usize = 64;

/// Everything the last stage reads.
pub(crate) struct Edition<'a> {
    /// The sources.
    pub(crate) snapshot: &'a Snapshot,
    /// What the build was asked for.
    pub(crate) options: &'a Options,
    /// Address of the site.
    pub(crate) base: Base,
    /// Pages, sections, terms, with links resolved.
    pub(crate) library: Library,
    /// By page index.
    pub(crate) parsed: Vec<Option<Arc<Parsed>>>,
    /// The theme.
    pub(crate) theme: Arc<Compiled>,
    /// Output files.
    pub(crate) plan: Plan,
    /// Pages by name.
    pub(crate) names: Names,
    /// Menus with their entries resolved.
    pub(crate) menus: Menus,
    /// What lists show of a page, by page index.
    pub(crate) stubs: Vec<Arc<Value>>,
    /// `site` of the templates, without menus.
    pub(crate) site: Value,
    /// Data files by name.
    pub(crate) data: HashMap<String, Arc<Value>>,
    /// Neighbours in their section, by page index: the one before and the one after.
    pub(crate) neighbours: Vec<(Option<usize>, Option<usize>)>,
    /// Pages with what they are translations of.
    pub(crate) translations: Translations,
    /// Who measures.
    pub(crate) watch: Option<&'a Stopwatch>,
    /// Whether there is a feed.
    pub(crate) has_feed: bool,
    /// Listed pages, newest first.
    pub(crate) recent: Vec<usize>,
    /// Answers to what templates ask on every page.
    queries: Mutex<Vec<(ListQuery, Arc<Vec<usize>>)>>,
}

/// Results of the earlier stages.
pub(crate) struct Parts {
    /// Address of the site.
    pub(crate) base: Base,
    /// Pages.
    pub(crate) assembled: Assembled,
    /// The theme.
    pub(crate) theme: Arc<Compiled>,
    /// Output files.
    pub(crate) plan: Plan,
    /// Pages by name.
    pub(crate) names: Names,
    /// Menus.
    pub(crate) menus: Menus,
    /// Data files.
    pub(crate) data: HashMap<String, Arc<Value>>,
}

impl<'a> Edition<'a> {
    /// Joins the results of the earlier stages.
    #[must_use]
    pub(crate) fn new(snapshot: &'a Snapshot, options: &'a Options, parts: Parts) -> Self {
        let Assembled { library, parsed } = parts.assembled;
        let mut edition = Self {
            snapshot,
            options,
            base: parts.base,
            has_feed: !library.config.feed.formats.is_empty()
                && !super::outputs::feed::entries(&library, None).is_empty(),
            neighbours: neighbours(&library),
            translations: Translations::of(&library),
            recent: recent(&library),
            library,
            parsed,
            theme: parts.theme,
            plan: parts.plan,
            names: parts.names,
            menus: parts.menus,
            watch: None,
            stubs: Vec::new(),
            site: Value::Null,
            data: parts.data,
            queries: Mutex::default(),
        };
        edition.stubs = context::stubs(&edition);
        edition.site = context::site(&edition);
        edition
    }

    /// The pages a template asks for, before limit and offset.
    #[must_use]
    pub(crate) fn query(&self, query: &ListQuery) -> Arc<Vec<usize>> {
        let key = ListQuery { limit: None, offset: 0, ..query.clone() };
        let known = |queries: &[(ListQuery, Arc<Vec<usize>>)]| {
            queries.iter().find(|(known, _)| *known == key).map(|(_, found)| Arc::clone(found))
        };
        // The memo is whole after every statement, so a panic elsewhere does not spoil it.
        if let Some(found) = known(&self.queries.lock().unwrap_or_else(PoisonError::into_inner)) {
            return found;
        }
        let found = Arc::new(lists::find(self, &key));
        let mut queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        if queries.len() < MOST_QUERIES {
            queries.push((key, Arc::clone(&found)));
        }
        found
    }

    /// What resolves links.
    #[must_use]
    pub(crate) fn finder(&self) -> Finder<'_> {
        Finder {
            snapshot: self.snapshot,
            library: &self.library,
            parsed: &self.parsed,
            plan: &self.plan,
            base: &self.base,
            names: &self.names,
        }
    }

    /// The body of a page as written.
    #[must_use]
    pub(crate) fn body(&self, index: usize) -> &'a str {
        let Some(parsed) = self.parsed.get(index).and_then(Option::as_ref) else { return "" };
        let text = self.snapshot.text(self.library.pages[index].path.as_str()).unwrap_or_default();
        text.get(parsed.front_matter.body_offset..).unwrap_or_default()
    }

    /// Pages that go into lists of all kinds, in path order.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (usize, &Page)> {
        self.library.pages.iter().enumerate().filter(|(_, page)| sections::listed(page))
    }

    /// The site's language, or a page's own.
    #[must_use]
    pub(crate) fn language<'p>(&'p self, page: Option<&'p Page>) -> &'p str {
        page.and_then(|page| page.lang.as_deref()).unwrap_or(&self.library.config.language)
    }
}

fn recent(library: &Library) -> Vec<usize> {
    let pages = &library.pages;
    let mut all: Vec<usize> = (0..pages.len()).filter(|&i| sections::listed(&pages[i])).collect();
    all.sort_by(|&a, &b| {
        sections::newest_first(&pages[a], &pages[b]).then_with(|| sections::display_order(&pages[a], &pages[b]))
    });
    all
}

/// The neighbours of each page in its section. Dated pages without a weight run through time: what is before is older;
/// others run in display order.
fn neighbours(library: &Library) -> Vec<(Option<usize>, Option<usize>)> {
    let mut all = vec![(None, None); library.pages.len()];
    for section in library.sections.values() {
        let collection = library.config.collection_of(&section.folder);
        let sort = collection.and_then(|(_, collection)| collection.sort.as_deref()).map(Sort::of);
        for (at, &i) in section.pages.iter().enumerate() {
            let up = at.checked_sub(1).and_then(|at| section.pages.get(at).copied());
            let down = section.pages.get(at + 1).copied();
            let page = &library.pages[i];
            let through_time = sort.is_none_or(Sort::is_newest_first) && page.weight.is_none() && page.date.is_some();
            all[i] = if through_time { (down, up) } else { (up, down) };
        }
    }
    all
}
