//! What an import sets in `site.yaml`: keys the site has not, or all of them when told to; never one it would not load with.

use serde_json::{Map, Value, json};

use crate::error::Result;
use crate::model::{Config, ContentPath, Snapshot, front_matter};
use crate::store::Repository;

/// Keys of which a value is a map whose entries stand for themselves.
const MERGED: [&str; 6] = ["menus", "taxonomies", "permalinks", "params", "redirects", "markdown"];
/// Entries that are tried one by one where all together are refused.
const TRIED: usize = 100;
const REFUSED: &str = "not taken over: site.yaml would not load with it";

/// A `site.yaml` in the making.
pub(super) struct Settings {
    /// Its text.
    pub(super) text: String,
    /// Keys set.
    pub(super) set: Vec<String>,
    /// Keys that were there with another value and stay.
    pub(super) kept: Vec<String>,
    values: Map<String, Value>,
    replace: bool,
}

impl Settings {
    /// Begins with the site's own.
    pub(super) fn of(snapshot: &Snapshot, replace: bool) -> Result<Self> {
        let text = snapshot.text("site.yaml").unwrap_or_default().to_owned();
        let values = match front_matter::read_yaml("site.yaml", &text)? {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Ok(Self { text, set: Vec::new(), kept: Vec::new(), values, replace })
    }

    /// Sets what the source sets; gives what the site would not load with.
    pub(super) fn apply(&mut self, wanted: &Map<String, Value>) -> Vec<(String, &'static str)> {
        let mut refused = Vec::new();
        for (key, value) in wanted {
            let have = self.values.get(key).filter(|have| !placeholder(key, have)).cloned();
            let patch = match (have, value) {
                (None, value) => value.clone(),
                (Some(have), Value::Object(wanted)) if MERGED.contains(&key.as_str()) => {
                    match self.missing(key, &have, wanted) {
                        Some(missing) => missing,
                        None => continue,
                    }
                }
                (Some(have), value) if have == *value => continue,
                (Some(_), value) if self.replace => value.clone(),
                (Some(_), _) => {
                    self.kept.push(key.clone());
                    continue;
                }
            };
            if self.try_set(key, &patch) {
                self.set.push(key.clone());
                continue;
            }
            match patch {
                Value::Object(entries) if entries.len() <= TRIED => {
                    let mut some = false;
                    for (name, entry) in entries {
                        if self.try_set(key, &json!({name.clone(): entry})) {
                            some = true;
                        } else {
                            refused.push((format!("{key}.{name}"), REFUSED));
                        }
                    }
                    if some {
                        self.set.push(key.clone());
                    }
                }
                _ => refused.push((key.clone(), REFUSED)),
            }
        }
        refused
    }

    /// Entries of a map that the site lacks; `None`: it lacks none.
    fn missing(&mut self, key: &str, have: &Value, wanted: &Map<String, Value>) -> Option<Value> {
        if have.as_array().is_some_and(|items| items.iter().any(|item| !item.is_string())) {
            return self.appended(key, have, wanted);
        }
        let mut out = Map::new();
        let names = |value: &Value| -> Map<String, Value> {
            match value {
                Value::Object(map) => map.clone(),
                // The short form of a list of names.
                Value::Array(items) => {
                    items.iter().filter_map(|item| Some((item.as_str()?.to_owned(), json!({})))).collect()
                }
                _ => Map::new(),
            }
        };
        let known = names(have);
        for (name, value) in wanted {
            match known.get(name) {
                None => {
                    out.insert(name.clone(), value.clone());
                }
                Some(have) if have == value => {}
                Some(_) if self.replace => {
                    out.insert(name.clone(), value.clone());
                }
                Some(_) => self.kept.push(format!("{key}.{name}")),
            }
        }
        if out.is_empty() {
            return None;
        }
        if have.is_array() {
            let mut all = known;
            all.extend(out);
            out = all;
        }
        Some(Value::Object(out))
    }

    /// A list of redirects with those it lacks; other lists of entries stay as they are.
    fn appended(&mut self, key: &str, have: &Value, wanted: &Map<String, Value>) -> Option<Value> {
        let mut items = have.as_array().filter(|_| key == "redirects").cloned().or_else(|| {
            self.kept.push(key.to_owned());
            None
        })?;
        let known = items.len();
        for (from, to) in wanted {
            if items.iter().any(|item| item.get("from").and_then(Value::as_str) == Some(from)) {
                continue;
            }
            let mut item = Map::from_iter([("from".to_owned(), Value::from(from.clone()))]);
            match to {
                Value::Object(to) => item.extend(to.clone()),
                to => drop(item.insert("to".into(), to.clone())),
            }
            items.push(Value::Object(item));
        }
        (items.len() > known).then_some(Value::Array(items))
    }

    /// Sets a key where the result loads.
    fn try_set(&mut self, key: &str, value: &Value) -> bool {
        let patch = Map::from_iter([(key.to_owned(), value.clone())]);
        let Ok(text) = front_matter::patch_yaml("site.yaml", &self.text, &patch) else { return false };
        let Ok(path) = ContentPath::from_disk("site.yaml") else { return false };
        let mut only = Snapshot::default();
        only.set(path, Some(Repository::file(text.clone().into_bytes())));
        if Config::load(&only).is_err() {
            return false;
        }
        self.text = text;
        if let Ok(Value::Object(values)) = front_matter::read_yaml("site.yaml", &self.text) {
            self.values = values;
        }
        true
    }
}

/// A value that a new site has until somebody sets it.
fn placeholder(key: &str, value: &Value) -> bool {
    let empty = value.is_null() || *value == json!("") || *value == json!({}) || *value == json!([]);
    let text = value.as_str().unwrap_or_default();
    empty
        || (key == "base_url" && ["http://localhost/", "https://example.org/", "https://example.com/"].contains(&text))
}
