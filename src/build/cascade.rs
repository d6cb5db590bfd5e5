//! What sections hand down to the pages below them: Hugo's `cascade`. A page's own value wins, then the nearest section's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::role::Role;
use super::translations;
use crate::model::{Config, ContentPath, PageKind};

/// Longest path pattern that is matched, in bytes.
const MAX_PATTERN: usize = 512;
/// Keys that choose pages and are no values.
const CHOICE: &[&str] = &["target", "_target"];

/// What one section hands down.
type Maps<'a> = Vec<&'a Map<String, Value>>;

/// The cascades of a site.
pub(super) struct Cascades<'a> {
    config: &'a Config,
    /// By content folder, and the further language that the section's own file is in.
    by_folder: BTreeMap<(&'a str, Option<&'a str>), Maps<'a>>,
}

impl<'a> Cascades<'a> {
    /// Those of every home page and section, from the paths and front matter of all pages.
    pub(super) fn of(
        config: &'a Config,
        heads: impl Iterator<Item = (&'a ContentPath, &'a Map<String, Value>)>,
    ) -> Self {
        let mut by_folder = BTreeMap::new();
        for (path, values) in heads {
            let role = Role::of(path, config);
            if role.kind == PageKind::Page {
                continue;
            }
            let maps: Vec<_> = match values.get("cascade") {
                Some(Value::Object(map)) => vec![map],
                Some(Value::Array(maps)) => maps.iter().filter_map(Value::as_object).collect(),
                _ => continue,
            };
            by_folder.insert((path.folder(), role.language), maps);
        }
        Self { config, by_folder }
    }

    /// The values a page gets in addition to its own; of a `params` map, the entries it lacks. In each folder, a translation
    /// gets those of the section's translation first.
    pub(super) fn inherited(&self, path: &ContentPath, kind: PageKind, own: &Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        if self.by_folder.is_empty() {
            return out;
        }
        let language = translations::of_path(path, self.config).map(|(_, language)| language);
        let mut folder = Some(path.folder());
        while let Some(at) = folder {
            let translated = language.and_then(|language| self.by_folder.get(&(at, Some(language))));
            let maps = translated.into_iter().chain(self.by_folder.get(&(at, None))).flatten();
            for map in maps.filter(|map| chosen(map, || logical(path, self.config), kind)) {
                for (key, value) in map.iter().filter(|(key, _)| !CHOICE.contains(&key.as_str())) {
                    add(&mut out, own, key, value);
                }
            }
            folder = at.rsplit_once('/').map(|(up, _)| up);
        }
        out
    }
}

/// Adds a value unless the page or a nearer section has it.
fn add(out: &mut Map<String, Value>, own: &Map<String, Value>, key: &str, value: &Value) {
    let Value::Object(entries) = value else {
        if !own.contains_key(key) && !out.contains_key(key) {
            out.insert(key.to_owned(), value.clone());
        }
        return;
    };
    if own.get(key).is_some_and(|value| !value.is_object()) {
        return;
    }
    let slot = out.entry(key).or_insert_with(|| Value::Object(Map::new()));
    let Some(slot) = slot.as_object_mut() else { return };
    for (name, value) in entries {
        if own.get(key).is_none_or(|map| map.get(name).is_none()) && !slot.contains_key(name) {
            slot.insert(name.clone(), value.clone());
        }
    }
}

/// A page's values together with what it inherits.
pub(super) fn together<'v>(own: &'v Map<String, Value>, inherited: &Map<String, Value>) -> Cow<'v, Map<String, Value>> {
    if inherited.is_empty() {
        return Cow::Borrowed(own);
    }
    let mut all = own.clone();
    for (key, value) in inherited {
        match (all.get_mut(key), value) {
            (None, _) => {
                all.insert(key.clone(), value.clone());
            }
            (Some(Value::Object(map)), Value::Object(more)) => map.extend(more.clone()),
            _ => {}
        }
    }
    Cow::Owned(all)
}

/// Whether a cascade is meant for a page: `target.path` and `target.kind`, where given.
fn chosen(cascade: &Map<String, Value>, logical: impl FnOnce() -> String, kind: PageKind) -> bool {
    let Some(target) = CHOICE.iter().find_map(|key| cascade.get(*key)).and_then(Value::as_object) else { return true };
    let fits = |key: &str, text: &str| target.get(key).and_then(Value::as_str).is_none_or(|glob| matches(glob, text));
    let kind = match kind {
        PageKind::Home => "home",
        PageKind::Page => "page",
        PageKind::Section => "section",
    };
    fits("kind", kind) && fits("path", &logical())
}

/// The path Hugo matches: from `/`, without ending and language, a section or bundle by its folder.
fn logical(path: &ContentPath, config: &Config) -> String {
    let folder = path.folder().strip_prefix("content").unwrap_or_default();
    let stem = path.file_name().rsplit_once('.').map_or(path.file_name(), |(stem, _)| stem);
    let stem = translations::split(stem, config).map_or(stem, |(name, _)| name);
    let full = if matches!(stem, "_index" | "index") { folder.to_owned() } else { format!("{folder}/{stem}") };
    if full.is_empty() { "/".to_owned() } else { full.to_lowercase().replace(' ', "-") }
}

/// `*` within one folder, `**` across folders, `?` one character, `{a,b}` either; longer patterns than the limit match nothing.
fn matches(glob: &str, text: &str) -> bool {
    if glob.len() > MAX_PATTERN || text.len() > 8 * MAX_PATTERN {
        return false;
    }
    let glob = glob.to_lowercase();
    match glob.split_once('{').and_then(|(before, rest)| rest.split_once('}').map(|(any, after)| (before, any, after)))
    {
        // One pair of braces, as sites write it; a second one would multiply the work.
        Some((before, any, after)) => any.split(',').any(|one| simple(&format!("{before}{}{after}", one.trim()), text)),
        None => simple(&glob, text),
    }
}

fn simple(glob: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // `reach[i]`: the pattern so far matches the first `i` characters.
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    let mut pattern = glob.chars().peekable();
    while let Some(c) = pattern.next() {
        let mut next = vec![false; text.len() + 1];
        if c == '*' {
            let across = pattern.next_if_eq(&'*').is_some();
            let mut on = false;
            for i in 0..=text.len() {
                on = reach[i] || (on && i > 0 && (across || text[i - 1] != '/'));
                next[i] = on;
            }
        } else {
            for i in 0..text.len() {
                next[i + 1] = reach[i] && (text[i] == c || (c == '?' && text[i] != '/'));
            }
        }
        reach = next;
    }
    reach[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_match_as_in_hugo() {
        for (glob, text, expected) in [
            ("/news/**", "/news/a/b", true),
            ("{/news/**}", "/news/a", true),
            ("{/functions/**,/methods/**}", "/methods/page/title", true),
            ("{/functions/**,/methods/**}", "/news/a", false),
            ("/news/*", "/news/a/b", false),
            ("/news/*", "/news/a", true),
            ("/News/?", "/news/a", true),
            ("{home,section}", "section", true),
            ("{home", "home", false),
            ("**", "/", true),
            ("", "/a", false),
        ] {
            assert_eq!(matches(glob, text), expected, "{glob} {text}");
        }
        let path = |text: &str| logical(&ContentPath::from_disk(text).unwrap(), &Config::default());
        assert_eq!(path("content/News/My Page.md"), "/news/my-page");
        assert_eq!(path("content/news/_index.md"), "/news");
        assert_eq!(path("content/_index.md"), "/");
    }
}
