//! What configurations of all engines have alike: reading them, menus, taxonomies, permalinks, redirect files.

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::front::plain;
use crate::error::{Error, Result};
use crate::model::front_matter;

const UNSUPPORTED: &str = "not taken over: look in the documentation for what stands in its place";

/// Reads a configuration or data file by its ending.
///
/// # Errors
/// [`Error::InvalidConfig`] with the line.
pub(super) fn read(path: &str, text: &str) -> Result<Value> {
    if path.ends_with(".toml") { front_matter::read_toml(path, text) } else { front_matter::read_yaml(path, text) }
}

/// A configuration as a map; an empty file is an empty one.
pub(super) fn read_map(path: &str, text: &str) -> Result<Map<String, Value>> {
    match read(path, text)? {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(Error::InvalidConfig { path: path.into(), line: 1, problem: "expected keys and values".into() }),
    }
}

/// One entry of a menu before its place in the tree is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    /// What `parent` of others names.
    pub(super) key: String,
    /// Text shown.
    pub(super) name: String,
    /// Where it leads.
    pub(super) url: String,
    /// Order.
    pub(super) weight: i64,
    /// Key of the entry above.
    pub(super) parent: String,
}

/// Entries as `site.yaml` has them, children below their parents.
pub(super) fn menu(entries: &[Entry]) -> Value {
    let known = |key: &str| entries.iter().any(|entry| entry.key == key);
    let top = entries.iter().filter(|entry| entry.parent.is_empty() || !known(&entry.parent));
    Value::Array(top.map(|entry| item(entry, entries, 0)).collect())
}

fn item(entry: &Entry, all: &[Entry], depth: usize) -> Value {
    let mut map = Map::new();
    map.insert("name".into(), entry.name.clone().into());
    if !entry.url.is_empty() {
        map.insert("url".into(), entry.url.clone().into());
    }
    if entry.weight != 0 {
        map.insert("weight".into(), entry.weight.into());
    }
    // Entries that name each other as parents would go round for ever.
    let below: Vec<Value> = all
        .iter()
        .filter(|child| depth < 4 && !child.parent.is_empty() && child.parent == entry.key)
        .map(|child| item(child, all, depth + 1))
        .collect();
    if !below.is_empty() {
        map.insert("children".into(), Value::Array(below));
    }
    Value::Object(map)
}

/// Sets a key of `site.yaml` where the source has something for it.
pub(super) fn set(draft: &mut Draft<'_>, key: &str, value: Option<Value>) {
    if let Some(value) =
        value.filter(|value| !value.is_null() && *value != json!("") && *value != json!({}) && *value != json!([]))
    {
        draft.settings.insert(key.to_owned(), value);
    }
}

/// An address of a published site; examples and empty ones do not count.
pub(super) fn base_url(value: Option<&Value>, path: Option<&Value>) -> Option<Value> {
    let url = plain(value?)?;
    let url = url.trim().trim_end_matches('/');
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let example = ["", "example.org", "example.com", "localhost", "replace-this-with-your-hugo-site.com"];
    if example.contains(&host.split(['/', ':']).next().unwrap_or_default()) {
        return None;
    }
    let below = path.and_then(plain).unwrap_or_default();
    let below = below.trim_matches('/');
    Some(if below.is_empty() { format!("{url}/") } else { format!("{url}/{below}/") }.into())
}

/// Reports the keys of a configuration that nothing here reads.
pub(super) fn leftover(draft: &mut Draft<'_>, file: &str, map: &Map<String, Value>, read: &[&str]) {
    for (key, value) in map {
        let empty = value.is_null() || *value == json!({}) || *value == json!([]) || *value == json!("");
        if !empty && !read.contains(&key.to_ascii_lowercase().as_str()) {
            draft.lost("setting", key, file, 0, UNSUPPORTED);
        }
    }
}

/// Counts files that are code of the other engine.
pub(super) fn templates(draft: &mut Draft<'_>, folders: &[(&str, &'static str)]) {
    let source = draft.source;
    for (folder, advice) in folders {
        for path in source.below(folder) {
            let inner = &path[folder.len() + 1..];
            let name = match inner.split_once('/') {
                Some((first, _)) => format!("{folder}/{first}"),
                None => (*folder).to_owned(),
            };
            draft.report.add("template", &name, path, advice);
        }
    }
}

/// Copies a folder below `static/`; Netlify's `_redirects` becomes redirects of ours.
pub(super) fn statics(draft: &mut Draft<'_>, folder: &str) {
    let source = draft.source;
    for path in source.below(folder) {
        let inner = path[folder.len()..].trim_start_matches('/');
        if inner == "_redirects" {
            redirects(draft, path);
        } else {
            draft.file(path, &format!("static/{inner}"), None);
        }
    }
}

/// Reads lines of `from to status`; what is more than that is reported.
fn redirects(draft: &mut Draft<'_>, path: &str) {
    let text = draft.source.text(path).unwrap_or_default();
    for (number, line) in text.lines().enumerate().take(5_000) {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let plain = |word: &str| word.starts_with('/') && !word.contains(['*', ':', '?']);
        match words[..] {
            [] => {}
            [from, to] | [from, to, "301" | "302" | "307" | "308" | "301!" | "302!"]
                if plain(from) && (plain(to) || to.starts_with("https://")) =>
            {
                let status = words.get(2).and_then(|status| status.trim_end_matches('!').parse::<u16>().ok());
                let value = match status {
                    Some(status) if status != 301 => json!({"to": to, "status": status}),
                    _ => Value::from(to),
                };
                draft.redirects.insert(from.to_owned(), value);
            }
            _ => {
                let advice = "not taken over: only plain redirects from one address to another are";
                draft.lost("redirect", words[0], path, number + 1, advice);
            }
        }
    }
}

/// Data files: YAML and JSON as they are, TOML as JSON, anything else copied and named.
pub(super) fn data(draft: &mut Draft<'_>, folder: &str) {
    let source = draft.source;
    for path in source.below(folder) {
        let inner = &path[folder.len() + 1..];
        let place = format!("data/{inner}");
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        let text = source.text(path).unwrap_or_default();
        match ending {
            "yaml" | "yml" | "json" => match read(path, text) {
                Ok(_) => draft.file(path, &place, None),
                Err(error) => draft.lost("data", &error.to_string(), path, 0, "left out: mend the file"),
            },
            "toml" => match read(path, text).map(|value| serde_json::to_string_pretty(&value)) {
                Ok(Ok(json)) => draft.file(path, &format!("{}.json", super::source::stem(&place)), Some(json + "\n")),
                _ => draft.lost("data", "unreadable TOML", path, 0, "left out: mend the file"),
            },
            "csv" | "tsv" => {
                draft.file(path, &place, None);
                draft.lost("data", ending, path, 0, "copied, but templates here read YAML and JSON");
            }
            _ => draft.lost("data", ending, path, 0, "left out: data here is YAML or JSON"),
        }
    }
}

/// A permalink pattern in our tokens; `None` where ours cannot say it.
pub(super) fn permalink(pattern: &str, tokens: &[(&str, &str)]) -> Option<String> {
    let value = |name: &str| tokens.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| (*ours).to_owned());
    let pattern = super::address::expand(pattern, &value)?;
    [":slug", ":title", ":filename"].iter().any(|token| pattern.contains(token)).then_some(pattern)
}
