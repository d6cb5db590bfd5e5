//! Page references besides links in bodies, when pages move: front matter fields that hold a page, and menus of `site.yaml`.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::super::address;
use super::relocate::{Renames, new_link, replace_whole};
use crate::build;
use crate::error::Result;
use crate::model::config::{Collection, FieldType, MenuItem};
use crate::model::{Config, ContentPath, Library, Page, PageKind, PathKind, Snapshot, front_matter, relative};

/// Keys of a menu entry that hold an address.
const ADDRESSES: [&str; 3] = ["url:", "page:", "pageRef:"];

/// Rewrites fields of collections that name pages which move; returns the other pages touched.
///
/// # Errors
/// Those of a front matter patch.
pub(super) fn rewrite(
    library: &Library,
    base: &Snapshot,
    renames: &Renames,
    texts: &mut BTreeMap<ContentPath, String>,
) -> Result<Vec<String>> {
    let mut rewritten = Vec::new();
    if library.config.collections.is_empty() {
        return Ok(rewritten);
    }
    let moved = Moved::of(library, renames);
    for page in library.pages.iter().filter(|page| page.exists && page.kind == PageKind::Page) {
        let Some((_, collection)) = build::collection_of(&library.config, &page.path) else { continue };
        let place = renames.get(&page.path).unwrap_or(&page.path);
        let patch = patch(&moved, page, place, collection);
        if patch.is_empty() {
            continue;
        }
        let current = texts.get(place).cloned().or_else(|| base.text(page.path.as_str()).map(str::to_owned));
        let Some(current) = current else { continue };
        texts.insert(place.clone(), front_matter::patch(place.as_str(), &current, &patch)?);
        if !renames.contains_key(&page.path) {
            rewritten.push(address::shown(&page.path).to_owned());
        }
    }
    Ok(rewritten)
}

/// What changes in a page's front matter, at the top or in the maps where other generators keep their own.
fn patch(moved: &Moved<'_>, page: &Page, place: &ContentPath, collection: &Collection) -> Map<String, Value> {
    let is_page = |kind: FieldType| kind == FieldType::Page;
    let fields = collection.fields.iter();
    let fields = fields.filter(|(_, field)| is_page(field.kind) || field.items.is_some_and(is_page));
    let mut patch = Map::new();
    for (key, _) in fields {
        let become_new = |value: &Value| renamed(moved, page, place, value);
        if let Some(new) = page.front_matter.get(key).and_then(become_new) {
            patch.insert(key.clone(), new);
        }
        for map in ["params", "extra"] {
            let value = page.front_matter.get(map).and_then(|map| map.get(key));
            let inner = patch.get_mut(map);
            match (value.and_then(become_new), inner) {
                (Some(new), Some(Value::Object(inner))) => {
                    inner.insert(key.clone(), new);
                }
                (Some(new), _) => {
                    patch.insert(map.to_owned(), Value::Object(Map::from_iter([(key.clone(), new)])));
                }
                (None, _) => {}
            }
        }
    }
    patch
}

/// A field's value with the pages' new places; `None`: it stays.
fn renamed(moved: &Moved<'_>, page: &Page, place: &ContentPath, value: &Value) -> Option<Value> {
    let one = |value: &Value| value.as_str().and_then(|raw| moved.reference(page, place, raw));
    match value {
        Value::Array(items) => {
            let new: Vec<Value> =
                items.iter().map(|item| one(item).map_or_else(|| item.clone(), Value::from)).collect();
            (new != *items).then(|| Value::Array(new))
        }
        value => one(value).map(Value::from),
    }
}

/// Pages that move, by what references call them.
struct Moved<'a> {
    library: &'a Library,
    renames: &'a Renames,
    by_name: HashMap<String, &'a ContentPath>,
}

impl<'a> Moved<'a> {
    fn of(library: &'a Library, renames: &'a Renames) -> Self {
        let mut stems: HashMap<&str, usize> = HashMap::new();
        for page in &library.pages {
            *stems.entry(stem(&page.path)).or_default() += 1;
        }
        let mut by_name = HashMap::new();
        let pages = || renames.keys().filter(|path| path.kind() == PathKind::Page);
        // A file's name alone means a page only where no other has it.
        let lone = pages().filter(|path| stems.get(stem(path)) == Some(&1));
        by_name.extend(lone.map(|path| (stem(path).to_owned(), path)));
        for path in pages() {
            let shown = address::shown(path);
            let bare = bare(shown);
            let forms = [format!("/{bare}"), format!("/{bare}/"), format!("/{shown}"), format!("@/{shown}")];
            let url = library.by_path.get(path).map(|&index| library.pages[index].url.clone());
            let short = url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
            by_name.extend(forms.into_iter().chain(url).chain(short).map(|name| (name, path)));
            by_name.extend([(bare.to_owned(), path), (shown.to_owned(), path)]);
        }
        Self { library, renames, by_name }
    }

    /// A reference as it is to be written; `None`: it stays.
    fn reference(&self, page: &Page, place: &ContentPath, raw: &str) -> Option<String> {
        let (name, tail) = raw.find('#').map_or((raw, ""), |at| raw.split_at(at));
        let near = beside(page, name).filter(|path| self.library.by_path.contains_key(path));
        if let Some(target) = near {
            let new = self.renames.get(&target).unwrap_or(&target);
            let stays = *new == target && place == &page.path;
            return new_link(raw, &page.path, place, new, None, "").filter(|new| !stays && new != raw);
        }
        let new = self.renames.get(*self.by_name.get(name)?)?;
        // A name without its ending, such as `people/ada`, or a lone `ada`, keeps to that where it still says it.
        let shown = address::shown(new);
        if !name.contains('/') && stem(new) == name {
            return None;
        }
        let lead = name.find(|c: char| !matches!(c, '/' | '@')).unwrap_or(0);
        let plain = if name.ends_with(".md") { shown } else { bare(shown) };
        let slash = if name.starts_with('/') && name.ends_with('/') { "/" } else { "" };
        Some(format!("{}{plain}{slash}{tail}", &name[..lead])).filter(|new| new != raw)
    }
}

fn beside(page: &Page, name: &str) -> Option<ContentPath> {
    if name.split('/').any(str::is_empty) {
        return None;
    }
    ContentPath::parse(&relative::resolve(page.path.folder(), name)?).ok()
}

/// The last part of that.
fn stem(path: &ContentPath) -> &str {
    let bare = bare(address::shown(path));
    bare.rsplit('/').next().unwrap_or(bare)
}

/// A page's path without its ending, and a bundle's or section's by its folder.
fn bare(shown: &str) -> &str {
    let stem = shown.strip_suffix(".md").unwrap_or(shown);
    stem.strip_suffix("/_index").or_else(|| stem.strip_suffix("/index")).unwrap_or(stem)
}

/// `site.yaml` with the menu entries that lead to pages which move, and the entries' names; `None`: no entry does.
pub(super) fn menus(
    library: &Library,
    base: &Snapshot,
    renames: &Renames,
    urls: &BTreeMap<ContentPath, (String, String)>,
) -> Option<(String, Vec<String>)> {
    let text = base.text("site.yaml")?;
    let mut found = Vec::new();
    let translated = library.config.languages.values().flat_map(|language| language.menus.values());
    for items in library.config.menus.values().chain(translated) {
        collect(library, renames, urls, items, &mut found);
    }
    let mut inside = false;
    let mut lines: Vec<String> = Vec::new();
    let mut names = Vec::new();
    for line in text.split_inclusive('\n') {
        if !line.starts_with([' ', '\t', '-', '#', '\n', '\r']) {
            inside = line.starts_with("menus:") || line.starts_with("languages:");
        }
        let entry = found.iter().filter(|_| inside && ADDRESSES.iter().any(|key| line.contains(key)));
        let new = entry.clone().find_map(|(name, old, new)| Some((name, replace_whole(line, old, new)?)));
        match new {
            Some((name, new)) => {
                names.push(name.clone());
                lines.push(new);
            }
            None => lines.push(line.to_owned()),
        }
    }
    let new = lines.concat();
    let mut after = base.clone();
    after
        .set(ContentPath::from_disk("site.yaml").ok()?, Some(crate::store::Repository::file(new.clone().into_bytes())));
    let reads = Config::load(&after).is_ok();
    names.dedup();
    (!names.is_empty() && reads).then_some((new, names))
}

/// Name, address and new address of the entries that lead to what moves.
fn collect(
    library: &Library,
    renames: &Renames,
    urls: &BTreeMap<ContentPath, (String, String)>,
    items: &[MenuItem],
    found: &mut Vec<(String, String, String)>,
) {
    for item in items {
        collect(library, renames, urls, &item.children, found);
        let name = item.url.split(['#', '?']).next().unwrap_or_default();
        let Some(home) = ContentPath::from_disk("content/_index.md").ok().filter(|_| !name.is_empty()) else {
            continue;
        };
        let Ok(index) = address::page(library, name) else { continue };
        let target = &library.pages[index].path;
        let Some(to) = renames.get(target) else { continue };
        let new = new_link(&item.url, &home, &home, to, urls.get(target), &library.config.base_url);
        if let Some(new) = new.filter(|new| *new != item.url) {
            found.push((item.name.clone(), item.url.clone(), new));
        }
    }
}
