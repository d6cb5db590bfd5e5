//! Menus: entries of the configuration and of front matter, with their addresses resolved and checked.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::links::{Finder, Kind};
use crate::model::config::MenuItem;
use crate::model::{ContentPath, Diagnostic, Library, LinkTarget, Page};

/// Deepest nesting of menu entries.
const MAX_DEPTH: usize = 8;

/// One entry, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    name: String,
    href: String,
    /// URL path, where it leads to a page of this site.
    page: Option<String>,
    weight: i64,
    children: Vec<Item>,
}

/// All menus by name, in display order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Menus {
    menus: BTreeMap<String, Vec<Item>>,
}

/// Resolves every menu. Addresses that lead nowhere are findings on `site.yaml`.
#[must_use]
pub(crate) fn resolve(finder: &Finder<'_>) -> (Menus, Vec<Diagnostic>) {
    let library = finder.library;
    let mut findings = Vec::new();
    let mut menus: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    let home = library.sections.get("content").map(|section| &library.pages[section.page]);
    if let (Some(home), Ok(config)) = (home, ContentPath::from_disk("site.yaml")) {
        for (name, items) in &library.config.menus {
            let items = items.iter().map(|item| configured(finder, home, item, 0, &config, &mut findings)).collect();
            menus.insert(name.clone(), items);
        }
    }
    let mut below = Vec::new();
    for page in library.pages.iter().filter(|page| page.included) {
        for place in &page.menus {
            let item = Item {
                name: place.name.clone().unwrap_or_else(|| page.title.clone()),
                href: finder.base.href(&page.url),
                page: Some(page.url.clone()),
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
        if let Some(known) = items.iter_mut().find(|known| known.name == parent) {
            known.children.push(item);
        } else {
            findings.push(
                Diagnostic::new(
                    crate::model::Severity::Warning,
                    "unknown_menu_parent",
                    page.path.clone(),
                    0,
                    format!("menu `{menu}` has no entry `{parent}`"),
                )
                .with_hint("Name an entry of that menu as `parent`, or leave it out."),
            );
            items.push(item);
        }
    }
    for items in menus.values_mut() {
        sort(items);
    }
    (Menus { menus }, findings)
}

fn configured(
    finder: &Finder<'_>,
    home: &Page,
    item: &MenuItem,
    depth: usize,
    config: &ContentPath,
    findings: &mut Vec<Diagnostic>,
) -> Item {
    let found = finder.resolve(home, &item.url, Kind::Link);
    if let (Some(problem), false) = (found.problem, item.url.is_empty()) {
        findings.push(problem.at(config, line_of(finder, &item.url)));
    }
    let page = match &found.target {
        LinkTarget::Page(path, None) if !item.url.is_empty() => url_of(finder.library, path),
        LinkTarget::Listing(url) => Some(url.clone()),
        _ => None,
    };
    let children = if depth < MAX_DEPTH { item.children.as_slice() } else { &[] };
    Item {
        name: item.name.clone(),
        href: found.href,
        page,
        weight: item.weight,
        children: children.iter().map(|child| configured(finder, home, child, depth + 1, config, findings)).collect(),
    }
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

    /// Turns what [`Menus::context`] made for one page into what it makes for another.
    pub(crate) fn mark(&self, context: &mut Value, here: &str) {
        for (name, items) in &self.menus {
            if let Some(values) = context.get_mut(name) {
                mark(items, values, here);
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
        let above = self.page.as_deref().is_some_and(|url| url != "/" && here.starts_with(url));
        (current, current || above)
    }
}

/// Sets in a list made by [`list`] what depends on the page.
fn mark(items: &[Item], values: &mut Value, here: &str) {
    for (item, value) in items.iter().zip(values.as_array_mut().into_iter().flatten()) {
        let (current, active) = item.seen_from(here);
        value["active"] = Value::Bool(active);
        value["current"] = Value::Bool(current);
        if !item.children.is_empty() {
            mark(&item.children, &mut value["children"], here);
        }
    }
}
