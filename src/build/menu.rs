//! Menus: entries of the configuration and of front matter, with their addresses resolved and checked.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::languages::Language;
use super::links::{Finder, Kind};
use super::translations::{self, Translations};
use super::{address, outputs};
use crate::model::config::MenuItem;
use crate::model::{ContentPath, Diagnostic, Digester, Library, LinkTarget, Page, PageKind, Severity};

/// Deepest nesting of menu entries.
const MAX_DEPTH: usize = 8;

/// One entry, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    name: String,
    /// What it is called in the site's own language, where that differs.
    own_name: Option<String>,
    href: String,
    /// URL path, where it leads to a page of this site.
    page: Option<String>,
    /// Whether that is a home page: it is not above the others.
    home: bool,
    weight: i64,
    children: Vec<Item>,
}

/// All menus by name, in display order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Menus {
    menus: BTreeMap<String, Vec<Item>>,
}

/// Resolves every menu of a language. Addresses that lead nowhere are findings on `site.yaml`.
#[must_use]
pub(crate) fn resolve(
    finder: &Finder<'_>,
    translations: &Translations,
    language: &Language,
) -> (Menus, Vec<Diagnostic>) {
    let mut work = Work { finder, translations, language, findings: Vec::new() };
    let mut menus: BTreeMap<String, Vec<Item>> = work.configured();
    work.pages(&mut menus);
    for items in menus.values_mut() {
        sort(items);
    }
    (Menus { menus }, work.findings)
}

struct Work<'a> {
    finder: &'a Finder<'a>,
    translations: &'a Translations,
    language: &'a Language,
    findings: Vec<Diagnostic>,
}

impl Work<'_> {
    fn tag(&self) -> Option<&str> {
        self.language.tag.as_deref()
    }

    /// The menus of `site.yaml`: those the language has of its own, else those of the site's own language.
    fn configured(&mut self) -> BTreeMap<String, Vec<Item>> {
        let library = self.finder.library;
        let home = library.sections.get("content").map(|section| &library.pages[section.page]);
        let (Some(home), Ok(config)) = (home, ContentPath::from_disk("site.yaml")) else { return BTreeMap::new() };
        let said = self.tag().and_then(|tag| library.config.languages.get(tag));
        let mut menus = BTreeMap::new();
        for (name, items) in &library.config.menus {
            let found = self.findings.len();
            let items = items.iter().map(|item| self.item(home, item, 0, &config, true)).collect();
            if self.tag().is_some() {
                // The site's own language says what is wrong with them.
                self.findings.truncate(found);
            }
            menus.insert(name.clone(), items);
        }
        for (name, items) in said.into_iter().flat_map(|said| &said.menus) {
            let items = items.iter().map(|item| self.item(home, item, 0, &config, false)).collect();
            menus.insert(name.clone(), items);
        }
        menus
    }

    /// Entries that pages ask for: those of the language, and those of the site's own whose menu it has not of its own, unless
    /// the page's translation asks itself.
    fn pages(&mut self, menus: &mut BTreeMap<String, Vec<Item>>) {
        let library = self.finder.library;
        let mut below = Vec::new();
        for (index, page) in library.pages.iter().enumerate().filter(|(_, page)| page.included) {
            let of = library.language_of(page);
            for place in &page.menus {
                let shown = match of {
                    _ if of == self.tag() => page,
                    None if library.config.menu_in(self.tag(), &place.menu).is_none() => {
                        match self.translations.in_language(library, index, self.tag()) {
                            Some(other) if other.menus.iter().any(|own| own.menu == place.menu) => continue,
                            other => other.unwrap_or(page),
                        }
                    }
                    _ => continue,
                };
                let name = place.name.clone().unwrap_or_else(|| page.title.clone());
                let item = Item {
                    name: if std::ptr::eq(shown, &raw const **page) { name.clone() } else { shown.title.clone() },
                    own_name: Some(name),
                    href: self.finder.base.href(&shown.url),
                    home: self.is_home(&shown.url),
                    page: Some(shown.url.clone()),
                    weight: place.weight.or(page.weight).unwrap_or(0),
                    children: Vec::new(),
                };
                match &place.parent {
                    Some(parent) => below.push((place.menu.clone(), parent.clone(), item, page)),
                    None => menus.entry(place.menu.clone()).or_default().push(item),
                }
            }
        }
        for (menu, parent, item, page) in below {
            let items = menus.entry(menu.clone()).or_default();
            let is_parent = |known: &&mut Item| known.name == parent || known.own_name.as_ref() == Some(&parent);
            if let Some(known) = items.iter_mut().find(is_parent) {
                known.children.push(item);
                continue;
            }
            if library.language_of(page) == self.language.tag.as_deref() {
                self.findings.push(unknown_parent(page, &menu, &parent));
            }
            items.push(item);
        }
    }

    /// An entry of `site.yaml`; one that is not the language's own bears the title of the translation that it leads to.
    fn item(&mut self, home: &Page, item: &MenuItem, depth: usize, config: &ContentPath, renamed: bool) -> Item {
        let found = self.finder.resolve(home, &item.url, Kind::Link);
        if let (Some(problem), false) = (found.problem, item.url.is_empty()) {
            self.findings.push(problem.at(config, line_of(self.finder, &item.url)));
        }
        let library = self.finder.library;
        let mut page = match &found.target {
            LinkTarget::Page(path, None) if !item.url.is_empty() => url_of(library, path),
            LinkTarget::Listing(url) => Some(url.clone()),
            _ => None,
        };
        let (mut name, mut href) = (item.name.clone(), found.href.into_owned());
        if let Some((from, to, title)) = self.translated(&found.target) {
            let rest = href.strip_prefix(&self.finder.base.href(&from)).unwrap_or_default();
            href = format!("{}{rest}", self.finder.base.href(&to));
            page = page.map(|_| to);
            name = title.filter(|_| renamed).unwrap_or(name);
        }
        let children = if depth < MAX_DEPTH { item.children.as_slice() } else { &[] };
        let children = children.iter().map(|child| self.item(home, child, depth + 1, config, renamed)).collect();
        let own_name = (name != item.name).then(|| item.name.clone());
        let home = page.as_deref().is_some_and(|url| self.is_home(url));
        Item { name, own_name, href, page, home, weight: item.weight, children }
    }

    fn is_home(&self, url: &str) -> bool {
        url == "/" || url == translations::home_url(self.tag())
    }

    /// Where an address leads in the language, if elsewhere: from, to, and the title of a page that somebody wrote.
    fn translated(&self, target: &LinkTarget) -> Option<(String, String, Option<String>)> {
        let (library, tag) = (self.finder.library, Some(self.tag()?));
        match target {
            LinkTarget::Page(path, _) => {
                let &index = library.by_path.get(path)?;
                let to = self.translations.in_language(library, index, tag)?;
                let titled = to.exists && to.kind != PageKind::Home;
                Some((library.pages[index].url.clone(), to.url.clone(), titled.then(|| to.title.clone())))
            }
            LinkTarget::Listing(url) => {
                let to = format!("{}{url}", translations::home_url(tag).trim_end_matches('/'));
                let listed = self.finder.plan.jobs.contains_key(&address::output_path(&to));
                let feed = self.language.has_feed && outputs::is_feed(&library.config, url.trim_start_matches('/'));
                (listed || feed).then(|| (url.clone(), to, None))
            }
            _ => None,
        }
    }
}

fn unknown_parent(page: &Page, menu: &str, parent: &str) -> Diagnostic {
    let message = format!("menu `{menu}` has no entry `{parent}`");
    Diagnostic::new(Severity::Warning, "unknown_menu_parent", page.path.clone(), 0, message)
        .with_hint("Name an entry of that menu as `parent`, or leave it out.")
}

fn url_of(library: &Library, path: &ContentPath) -> Option<String> {
    library.by_path.get(path).map(|&i| library.pages[i].url.clone())
}

/// The line of `site.yaml` that names an address.
fn line_of(finder: &Finder<'_>, url: &str) -> usize {
    let text = finder.snapshot.text("site.yaml").unwrap_or_default();
    text.lines()
        .position(|line| (line.contains("url") || line.contains("page")) && line.contains(url))
        .map_or(0, |at| at + 1)
}

fn sort(items: &mut [Item]) {
    items.sort_by_key(|item| item.weight);
    for item in items {
        sort(&mut item.children);
    }
}

impl Menus {
    /// What a template sees as `site.menus` on the page with this URL path.
    #[must_use]
    pub(crate) fn context(&self, here: &str) -> Value {
        Value::Object(self.menus.iter().map(|(name, items)| (name.clone(), list(items, here))).collect())
    }

    /// What makes [`Menus::context`] of a page differ from those of others, without making it.
    pub(crate) fn seen_from(&self, here: &str, digester: &mut Digester) {
        for items in self.menus.values() {
            seen_from(items, here, digester);
        }
    }

    /// Turns what [`Menus::context`] made for one page into what it makes for another.
    pub(crate) fn mark(&self, context: &mut Value, before: &str, here: &str) {
        for (name, items) in &self.menus {
            if let Some(values) = context.get_mut(name) {
                mark(items, values, before, here);
            }
        }
    }
}

fn list(items: &[Item], here: &str) -> Value {
    Value::Array(
        items
            .iter()
            .map(|item| {
                let (current, active) = item.seen_from(here);
                json!({
                    "name": item.name,
                    "url": item.href,
                    "active": active,
                    "current": current,
                    "children": list(&item.children, here),
                })
            })
            .collect(),
    )
}

impl Item {
    /// Whether it leads to the page with this URL path, and whether to that or one above.
    fn seen_from(&self, here: &str) -> (bool, bool) {
        let current = self.page.as_deref() == Some(here);
        let above = self.page.as_deref().is_some_and(|url| !self.home && here.starts_with(url));
        (current, current || above)
    }
}

/// Adds which entries lead to the page or above it, by their place among all.
fn seen_from(items: &[Item], here: &str, digester: &mut Digester) {
    for item in items {
        digester.add(&item.seen_from(here));
        seen_from(&item.children, here, digester);
    }
}

/// Sets in a list made by [`list`] what is another from here than it was from the page before.
fn mark(items: &[Item], values: &mut Value, before: &str, here: &str) {
    for (item, value) in items.iter().zip(values.as_array_mut().into_iter().flatten()) {
        let (current, active) = item.seen_from(here);
        if (current, active) != item.seen_from(before) {
            value["active"] = Value::Bool(active);
            value["current"] = Value::Bool(current);
        }
        if !item.children.is_empty() {
            mark(&item.children, &mut value["children"], before, here);
        }
    }
}
