//! One build's site, ready to be rendered: the library with everything that pages and outputs read from it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::address::Base;
use super::cache::Compiled;
use super::library::Assembled;
use super::links::{Finder, Names};
use super::load::Parsed;
use super::menu::Menus;
use super::plan::Plan;
use super::{Options, context};
use crate::model::{Library, Page, Snapshot};

/// Everything the last stage reads.
pub struct Edition<'a> {
    /// The sources.
    pub snapshot: &'a Snapshot,
    /// What the build was asked for.
    pub options: &'a Options,
    /// Address of the site.
    pub base: Base,
    /// Pages, sections, terms, with links resolved.
    pub library: Library,
    /// By page index.
    pub parsed: Vec<Option<Arc<Parsed>>>,
    /// The theme.
    pub theme: Arc<Compiled>,
    /// Output files.
    pub plan: Plan,
    /// Pages by name.
    pub names: Names,
    /// Menus with their entries resolved.
    pub menus: Menus,
    /// What lists show of a page, by page index.
    pub stubs: Vec<Arc<Value>>,
    /// `site` of the templates, without menus.
    pub site: Value,
    /// Data files by name.
    pub data: HashMap<String, Arc<Value>>,
    /// Neighbours in their section, by page index: the one before and the one after.
    pub neighbours: Vec<(Option<usize>, Option<usize>)>,
    /// Whether there is a feed.
    pub has_feed: bool,
}

impl<'a> Edition<'a> {
    /// Joins the results of the earlier stages.
    #[must_use]
    pub fn new(
        snapshot: &'a Snapshot,
        options: &'a Options,
        base: Base,
        assembled: Assembled,
        theme: Arc<Compiled>,
        (plan, names, menus): (Plan, Names, Menus),
    ) -> Self {
        let Assembled { library, parsed } = assembled;
        let has_feed = !super::outputs::feed::entries(&library, None).is_empty();
        let neighbours = neighbours(&library);
        let mut edition = Self {
            snapshot,
            options,
            base,
            library,
            parsed,
            theme,
            plan,
            names,
            menus,
            stubs: Vec::new(),
            site: Value::Null,
            data: HashMap::new(),
            neighbours,
            has_feed,
        };
        edition.stubs = context::stubs(&edition);
        edition.site = context::site(&edition);
        edition
    }

    /// What resolves links.
    #[must_use]
    pub fn finder(&self) -> Finder<'_> {
        Finder { snapshot: self.snapshot, library: &self.library, plan: &self.plan, base: &self.base, names: &self.names }
    }

    /// The body of a page as written.
    #[must_use]
    pub fn body(&self, index: usize) -> &'a str {
        let Some(parsed) = self.parsed.get(index).and_then(Option::as_ref) else { return "" };
        let text = self.snapshot.text(self.library.pages[index].path.as_str()).unwrap_or_default();
        text.get(parsed.front_matter.body_offset..).unwrap_or_default()
    }

    /// Pages that go into lists of all kinds, in path order.
    pub fn listed(&self) -> impl Iterator<Item = (usize, &Page)> {
        self.library.pages.iter().enumerate().filter(|(_, page)| super::library::listed(page))
    }

    /// The site's language, or a page's own.
    #[must_use]
    pub fn language<'p>(&'p self, page: Option<&'p Page>) -> &'p str {
        page.and_then(|page| page.lang.as_deref()).unwrap_or(&self.library.config.language)
    }
}

/// The neighbours of each page in its section. Dated pages without a weight run through time: what is before is older;
/// others run in display order.
fn neighbours(library: &Library) -> Vec<(Option<usize>, Option<usize>)> {
    let mut all = vec![(None, None); library.pages.len()];
    for section in library.sections.values() {
        for (at, &i) in section.pages.iter().enumerate() {
            let up = at.checked_sub(1).and_then(|at| section.pages.get(at).copied());
            let down = section.pages.get(at + 1).copied();
            let page = &library.pages[i];
            all[i] = if page.weight.is_none() && page.date.is_some() { (down, up) } else { (up, down) };
        }
    }
    all
}
