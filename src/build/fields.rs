//! Front matter values to page fields: our keys and the habits of Hugo, Zola and Jekyll. A bad value is a diagnostic.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::presence::Presence;
use crate::model::{Config, ContentPath, Date, Diagnostic, MenuPlace, Severity};

/// Keys that have a meaning of their own and so do not pass to `params`.
const KNOWN: &[&str] = &[
    "title",
    "description",
    "summary",
    "excerpt",
    "date",
    "pubDate",
    "publishDate",
    "publish_date",
    "updated",
    "lastmod",
    "last_modified_at",
    "draft",
    "published",
    "expires",
    "expiryDate",
    "expiry_date",
    "slug",
    "url",
    "path",
    "permalink",
    "aliases",
    "redirect_from",
    "weight",
    "layout",
    "template",
    "authors",
    "author",
    "image",
    "images",
    "menus",
    "menu",
    "noindex",
    "lang",
    "translation_key",
    "translationKey",
    "params",
    "extra",
    "taxonomies",
    "cascade",
];

/// Whether a key has a meaning of its own, so that no schema has to name it.
#[must_use]
pub(crate) fn is_known(key: &str) -> bool {
    KNOWN.contains(&key) || ["build", "_build", "headless", "render"].contains(&key)
}

/// What a page's front matter says, interpreted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields {
    /// `title`.
    pub(crate) title: Option<String>,
    /// `description`.
    pub(crate) description: Option<String>,
    /// `summary` or Jekyll's `excerpt`.
    pub(crate) summary: Option<String>,
    /// `date`.
    pub(crate) date: Option<Date>,
    /// Hugo's `publishDate`: decides what is scheduled, where given.
    pub(crate) publish: Option<Date>,
    /// `updated`, `lastmod`, `last_modified_at`.
    pub(crate) updated: Option<Date>,
    /// `expires`, `expiryDate`.
    pub(crate) expires: Option<Date>,
    /// `draft: true` or `published: false`.
    pub(crate) draft: bool,
    /// `slug`.
    pub(crate) slug: Option<String>,
    /// `url`, Zola's `path`, Jekyll's `permalink` (may hold tokens).
    pub(crate) url: Option<String>,
    /// `aliases`, Jekyll's `redirect_from`.
    pub(crate) aliases: Vec<String>,
    /// `weight`.
    pub(crate) weight: Option<i64>,
    /// `layout`, Zola's `template` without its extension.
    pub(crate) layout: Option<String>,
    /// Terms by taxonomy key.
    pub(crate) terms: BTreeMap<String, Vec<String>>,
    /// `authors`, `author`.
    pub(crate) authors: Vec<String>,
    /// `image`, first of Hugo's `images`.
    pub(crate) image: Option<String>,
    /// `menus`, Hugo's `menu`.
    pub(crate) menus: Vec<MenuPlace>,
    /// `noindex`.
    pub(crate) noindex: bool,
    /// `lang`.
    pub(crate) lang: Option<String>,
    /// `translation_key`, Hugo's `translationKey`.
    pub(crate) translation_key: Option<String>,
    /// `build`, `headless`, `render`.
    pub(crate) presence: Presence,
}

/// Where a front matter stands, for the lines of its diagnostics.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// The page.
    pub(crate) path: &'a ContentPath,
    /// The file up to its body.
    pub(crate) head: &'a str,
}

impl Place<'_> {
    /// 1-based line of a top-level key; 1 where it cannot be found.
    #[must_use]
    pub(crate) fn line(&self, key: &str) -> usize {
        let found = self.head.lines().position(|line| {
            let line = line.trim_start_matches('\u{feff}').trim_start_matches(['"', '\'', ' ', '\t', '{', ',']);
            line.strip_prefix(key)
                .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with([':', '=']))
        });
        found.map_or(1, |at| at + 1)
    }
}

/// Reads values while it collects findings.
struct Reader<'a> {
    values: &'a Map<String, Value>,
    place: &'a Place<'a>,
    findings: Vec<Diagnostic>,
}

/// Interprets a page's front matter.
#[must_use]
pub(crate) fn read(
    values: &Map<String, Value>,
    config: &Config,
    zone: &jiff::tz::TimeZone,
    place: &Place<'_>,
) -> (Fields, Vec<Diagnostic>) {
    let mut r = Reader { values, place, findings: Vec::new() };
    let fields = Fields {
        title: r.text(&["title"]),
        description: r.text(&["description"]),
        summary: r.text(&["summary", "excerpt"]),
        date: r.date(&["date", "pubDate"], zone),
        publish: r.date(&["publishDate", "publish_date"], zone),
        updated: r.date(&["updated", "lastmod", "last_modified_at"], zone),
        expires: r.date(&["expires", "expiryDate", "expiry_date"], zone),
        draft: r.flag("draft").unwrap_or(false) || matches!(values.get("published"), Some(Value::Bool(false))),
        slug: r.text(&["slug"]),
        url: r.text(&["url", "path", "permalink"]),
        aliases: r.list(&["aliases", "redirect_from"], false),
        weight: r.number("weight"),
        layout: r.text(&["layout", "template"]).map(|layout| {
            layout.strip_suffix(".html").or_else(|| layout.strip_suffix(".hbs")).unwrap_or(&layout).to_owned()
        }),
        terms: r.terms(config),
        authors: r.authors(),
        image: r.image(),
        menus: r.menus(),
        noindex: r.flag("noindex").unwrap_or(false),
        lang: r.text(&["lang"]),
        translation_key: r.text(&["translation_key", "translationKey"]),
        presence: Presence::of(values),
    };
    (fields, r.findings)
}

/// What a template finds in `page.params`: `params`, Zola's `extra`, and every key that has no meaning of its own.
#[must_use]
pub(crate) fn params(values: &Map<String, Value>, config: &Config) -> Map<String, Value> {
    let mut params = Map::new();
    for key in ["params", "extra"] {
        if let Some(Value::Object(map)) = values.get(key) {
            params.extend(map.clone());
        }
    }
    for (key, value) in values {
        if !KNOWN.contains(&key.as_str()) && !config.taxonomies.contains_key(key) {
            params.insert(key.clone(), value.clone());
        }
    }
    params
}

impl<'a> Reader<'a> {
    fn get(&self, keys: &[&'static str]) -> Option<(&'static str, &'a Value)> {
        let values = self.values;
        keys.iter().find_map(|key| values.get(*key).filter(|value| !value.is_null()).map(|value| (*key, value)))
    }

    fn bad(&mut self, key: &str, value: &Value, expected: &str, example: &str) {
        let mut got = value.to_string();
        if got.chars().count() > 60 {
            got = got.chars().take(60).collect::<String>() + "…";
        }
        self.findings.push(
            Diagnostic::new(
                Severity::Error,
                "invalid_value",
                self.place.path.clone(),
                self.place.line(key),
                format!("`{key}` is {got}, expected {expected}"),
            )
            .with_hint(format!("Write it like this: `{key}: {example}`.")),
        );
    }

    fn text(&mut self, keys: &[&'static str]) -> Option<String> {
        let (key, value) = self.get(keys)?;
        let text = plain(value);
        if text.is_none() {
            self.bad(key, value, "text", "\"some text\"");
        }
        text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn date(&mut self, keys: &[&'static str], zone: &jiff::tz::TimeZone) -> Option<Date> {
        let (key, value) = self.get(keys)?;
        let date = plain(value).filter(|_| !value.is_boolean()).and_then(|text| Date::parse(text.trim(), zone));
        if date.is_none() && value.as_str() != Some("") {
            self.bad(key, value, "a date", "2026-11-23");
        }
        date
    }

    fn flag(&mut self, key: &'static str) -> Option<bool> {
        let (_, value) = self.get(&[key])?;
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if flag.is_none() {
            self.bad(key, value, "true or false", "true");
        }
        flag
    }

    fn number(&mut self, key: &'static str) -> Option<i64> {
        let (_, value) = self.get(&[key])?;
        let number = match value {
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|n| n as i64)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.bad(key, value, "a whole number", "10");
        }
        number
    }

    /// A list of texts; one text counts as a list of one, or of its comma-separated parts.
    fn list(&mut self, keys: &[&'static str], commas: bool) -> Vec<String> {
        match self.get(keys) {
            Some((key, value)) => self.list_of(key, value, commas),
            None => Vec::new(),
        }
    }

    fn list_of(&mut self, key: &str, value: &Value, commas: bool) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut add = |text: &str| {
            let text = text.trim();
            if !text.is_empty() && !out.iter().any(|known| known == text) {
                out.push(text.to_owned());
            }
        };
        match value {
            Value::Array(items) => {
                for item in items {
                    match plain(item) {
                        Some(text) => add(&text),
                        None if item.is_null() => {}
                        None => self.bad(key, item, "text in the list", "[one, two]"),
                    }
                }
            }
            _ => match plain(value) {
                Some(text) if commas && text.contains(',') => text.split(',').for_each(add),
                Some(text) => add(&text),
                None => self.bad(key, value, "a list of texts", "[one, two]"),
            },
        }
        out
    }

    fn terms(&mut self, config: &Config) -> BTreeMap<String, Vec<String>> {
        let nested = self.values.get("taxonomies").and_then(Value::as_object);
        let mut terms = BTreeMap::new();
        for key in config.taxonomies.keys() {
            let singular = match key.as_str() {
                "tags" => "tag",
                "categories" => "category",
                other => other,
            };
            let value = [key.as_str(), singular]
                .iter()
                .find_map(|key| self.values.get(*key).or_else(|| nested.and_then(|map| map.get(*key))))
                .filter(|value| !value.is_null());
            if let Some(value) = value {
                let names = self.list_of(key, value, true);
                if !names.is_empty() {
                    terms.insert(key.clone(), names);
                }
            }
        }
        terms
    }

    fn authors(&mut self) -> Vec<String> {
        let Some((key, value)) = self.get(&["authors", "author"]) else { return Vec::new() };
        let named = |value: &Value| value.get("name").cloned().unwrap_or_else(|| value.clone());
        let value = match value {
            Value::Array(items) => Value::Array(items.iter().map(named).collect()),
            other => named(other),
        };
        self.list_of(key, &value, false)
    }

    fn image(&mut self) -> Option<String> {
        if let Some((key, value)) = self.get(&["image", "images", "cover"]) {
            let text = match value {
                Value::Array(items) => items.first().and_then(plain),
                Value::Object(map) => {
                    ["path", "url", "src", "image"].iter().find_map(|key| map.get(*key).and_then(plain))
                }
                other => plain(other),
            };
            if text.is_none() && key == "image" {
                self.bad(key, value, "a path or URL", "cover.jpg");
            }
            return text.filter(|text| !text.trim().is_empty());
        }
        None
    }

    fn menus(&mut self) -> Vec<MenuPlace> {
        let Some((key, value)) = self.get(&["menus", "menu"]) else { return Vec::new() };
        if let Value::Object(map) = value {
            return map.iter().map(|(menu, entry)| menu_place(menu, entry)).collect();
        }
        let names = self.list_of(key, value, true);
        names.into_iter().map(|menu| MenuPlace { menu, ..MenuPlace::default() }).collect()
    }
}

fn menu_place(menu: &str, entry: &Value) -> MenuPlace {
    let text = |key: &str| entry.get(key).and_then(plain);
    MenuPlace {
        menu: menu.to_owned(),
        name: text("name").or_else(|| text("title")),
        weight: entry.get("weight").and_then(Value::as_i64),
        parent: text("parent"),
    }
}

/// Text, number or flag as text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(values: Value) -> (Fields, Vec<Diagnostic>) {
        let path = ContentPath::from_disk("content/a.md").unwrap();
        let mut config = Config::default();
        config.taxonomies.insert("categories".into(), crate::model::config::TaxonomyConfig::default());
        let head = "---\ntitle: x\nweight: no\n---\n";
        let Value::Object(values) = values else { panic!("an object") };
        read(&values, &config, &jiff::tz::TimeZone::UTC, &Place { path: &path, head })
    }

    #[test]
    fn habits_of_other_generators_are_read() {
        let (f, findings) = fields(json!({
            "tags": "a, b", "category": "c", "author": {"name": "Eve"}, "published": false, "menu": {"main": {"weight": 3}},
            "template": "post.html", "images": ["x.png"], "redirect_from": "/old/", "title": 2026,
        }));
        assert_eq!(findings, []);
        assert_eq!(f.terms["tags"], ["a", "b"]);
        assert_eq!(f.terms["categories"], ["c"]);
        assert_eq!(f.authors, ["Eve"]);
        assert!(f.draft);
        assert_eq!(f.menus, [MenuPlace { menu: "main".into(), weight: Some(3), ..MenuPlace::default() }]);
        assert_eq!(f.layout.as_deref(), Some("post"));
        assert_eq!(f.image.as_deref(), Some("x.png"));
        assert_eq!(f.aliases, ["/old/"]);
        assert_eq!(f.title.as_deref(), Some("2026"));
    }

    #[test]
    fn bad_values_are_named_with_their_line() {
        let (f, findings) = fields(json!({"weight": "no", "tags": [{"a": 1}, "ok"], "draft": "maybe"}));
        assert_eq!(f.terms["tags"], ["ok"]);
        assert_eq!(f.weight, None);
        let seen: Vec<_> = findings.iter().map(|d| (d.line, d.message.as_str())).collect();
        assert!(seen.contains(&(3, "`weight` is \"no\", expected a whole number")), "{seen:?}");
        assert_eq!(seen.len(), 3, "{seen:?}");
    }
}
