//! What may be known of a call's arguments: which keys, how many bytes, which objects; never a value.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Map, Value};

use super::keyed::Key;
use super::secret::may_be_secret;
use crate::model::ContentPath;
use crate::model::effects::object;

/// Key paths in one record.
const MOST_PATHS: usize = 60;
/// Objects named by one record.
const MOST_TARGETS: usize = 40;
/// Longest object id that is written as it is.
const LONGEST_ID: usize = 200;
/// Stands for keys that are the caller's own.
const OWN_KEY: &str = "*";
/// Stands for keys that no tool has: their names may be anything.
const UNKNOWN_KEY: &str = "?";
/// Arguments that name objects.
const NAMING: [&str; 5] = ["path", "paths", "pages", "from", "if_in"];

/// What is known of a call's arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Arguments {
    /// Key paths.
    pub shape: Vec<String>,
    /// Keyed digest of all.
    pub digest: String,
    /// Bytes of JSON.
    pub bytes: u64,
    /// Objects they name, as far as that can be told.
    pub targets: Vec<String>,
    /// Nothing is to be written.
    pub dry_run: bool,
    /// Rendered content is asked for.
    pub rendered: bool,
}

impl Arguments {
    /// Looks at arguments by the tool's schema; without one nothing but their size and digest is kept.
    #[must_use]
    pub fn of(key: &Key, schema: Option<&Map<String, Value>>, arguments: &Map<String, Value>) -> Self {
        let mut digesting = key.begin();
        // Writing to a digest cannot fail, and a map of JSON can always be written.
        let _ = serde_json::to_writer(&mut digesting, arguments);
        let (digest, bytes) = digesting.end();
        let mut seen = Seen { key, shape: BTreeSet::new(), targets: BTreeSet::new() };
        if let Some(schema) = schema {
            seen.object(schema, arguments, "");
        }
        let asks = |name: &str| match arguments.get("include") {
            Some(Value::Array(items)) => items.iter().any(|item| item == name),
            Some(Value::String(item)) => item == name,
            _ => false,
        };
        Self {
            shape: seen.shape.into_iter().take(MOST_PATHS).collect(),
            digest,
            bytes,
            targets: seen.targets.into_iter().take(MOST_TARGETS).collect(),
            dry_run: matches!(arguments.get("dry_run"), Some(Value::Bool(true))),
            rendered: asks("html"),
        }
    }
}

struct Seen<'a> {
    key: &'a Key,
    shape: BTreeSet<String>,
    targets: BTreeSet<String>,
}

impl Seen<'_> {
    fn object(&mut self, schema: &Map<String, Value>, object: &Map<String, Value>, at: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, value) in object {
            let known = properties.map(|properties| properties.get(name).and_then(Value::as_object));
            match known {
                Some(Some(property)) => self.value(property, value, &join(at, name), name),
                Some(None) => {
                    self.shape.insert(join(at, UNKNOWN_KEY));
                }
                None => {
                    self.shape.insert(join(at, OWN_KEY));
                }
            }
        }
    }

    fn value(&mut self, schema: &Map<String, Value>, value: &Value, at: &str, name: &str) {
        match value {
            Value::Object(object) => self.object(schema, object, at),
            Value::Array(items) => {
                let at = format!("{at}[]");
                let item = schema.get("items").and_then(Value::as_object);
                for value in items {
                    match item {
                        Some(item) => self.value(item, value, &at, name),
                        None => {
                            self.shape.insert(at.clone());
                        }
                    }
                }
            }
            leaf => {
                self.shape.insert(at.to_owned());
                if let Some(text) =
                    leaf.as_str().filter(|_| NAMING.contains(&name) && self.targets.len() < MOST_TARGETS)
                    && let Some(target) = guess(text)
                {
                    self.targets.insert(id(self.key, target));
                }
            }
        }
    }
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

/// The object that a path of a caller most likely means.
fn guess(name: &str) -> Option<String> {
    let name = name.trim();
    if name.is_empty() || name.contains("://") || name.contains(['*', '\n']) {
        return None;
    }
    let rooted = ["content/", "static/", "data/", "themes/"].iter().any(|root| name.starts_with(root));
    if rooted || name == "site.yaml" {
        return ContentPath::from_disk(name).ok().map(|path| object(&path));
    }
    let page = name.trim_start_matches("@/").trim_matches('/');
    Some(match page {
        "" => "page:_index.md".to_owned(),
        page if page.ends_with(".md") => format!("page:{page}"),
        page => format!("page:{page}.md"),
    })
}

/// An object's id as it may be written down: a name that may be a secret, or is no path at all, becomes a digest.
#[must_use]
pub(super) fn id(key: &Key, object: String) -> String {
    let (kind, name) = object.split_once(':').unwrap_or(("page", &object));
    let plain = name.len() <= LONGEST_ID && name.chars().all(|c| c.is_alphanumeric() || "-_./@+ ()".contains(c));
    if plain && !may_be_secret(name) && !name.split('/').any(names_a_machine) {
        object
    } else {
        format!("{kind}:#{}", key.digest(name.as_bytes()))
    }
}

/// Whether a name without its ending still has dots: an address, a host or a mailbox may be meant.
fn names_a_machine(part: &str) -> bool {
    let stem = part.rsplit_once('.').map_or(part, |(stem, _)| stem);
    part.split_once('@').is_some_and(|(_, host)| host.contains('.'))
        || stem.trim_matches('.').contains('.')
        || stem.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_kept_and_values_are_not() {
        let schema = json!({"properties": {
            "pages": {"type": "array", "items": {"type": "object", "properties": {
                "path": {"type": "string"}, "front_matter": {"type": "object"}, "body": {"type": "string"}}}},
            "include": {"type": "array", "items": {"type": "string"}},
            "dry_run": {"type": "boolean"},
        }});
        let arguments = json!({
            "pages": [{"path": "/blog/a/", "front_matter": {"password": "hunter2"}, "body": "secret words"}, {"path": "b.md", "hunter3": 1}],
            "include": ["html"], "dry_run": true,
        });
        let key = Key::from_bytes(&[7; 32]);
        let seen = Arguments::of(&key, schema.as_object(), arguments.as_object().unwrap());
        let shape = ["dry_run", "include[]", "pages[].?", "pages[].body", "pages[].front_matter.*", "pages[].path"];
        assert_eq!(seen.shape, shape);
        assert_eq!(seen.targets, ["page:b.md", "page:blog/a.md"]);
        assert_eq!((seen.dry_run, seen.rendered, seen.bytes), (true, true, arguments.to_string().len() as u64));
        assert!(!format!("{seen:?}").contains("hunter"));
    }

    #[test]
    fn a_path_that_may_be_a_secret_is_a_digest() {
        let key = Key::from_bytes(&[7; 32]);
        let named = |name: &str| id(&key, guess(name).unwrap());
        assert_eq!(named("content/blog/ä b.md"), "page:blog/ä b.md");
        assert!(named("/ghp_1A2b3C4d5E6f7G8h9I0jKlMnOpQrSt/").starts_with("page:#"));
        assert!(named("a;rm -rf $HOME").starts_with("page:#"));
    }
}
