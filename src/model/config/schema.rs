//! The type of a front matter field and whether a value fits it.

use jiff::tz::TimeZone;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::nearest;
use crate::model::Date;

/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 1_000;
/// Memory of a compiled pattern, in bytes.
const MAX_COMPILED: usize = 256 * 1024;

/// What kind of value a field holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Text on one line.
    #[default]
    String,
    /// Text of any length.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A day or moment.
    Date,
    /// A list.
    List,
    /// One of some values.
    Enum,
    /// An address elsewhere.
    Url,
    /// A page of this site.
    Page,
    /// A file of this site that is no page.
    Asset,
}

impl FieldType {
    /// Every type by its name in `site.yaml`.
    pub const NAMES: [(&'static str, Self); 11] = [
        ("string", Self::String),
        ("text", Self::Text),
        ("number", Self::Number),
        ("integer", Self::Integer),
        ("boolean", Self::Boolean),
        ("date", Self::Date),
        ("list", Self::List),
        ("enum", Self::Enum),
        ("url", Self::Url),
        ("page", Self::Page),
        ("asset", Self::Asset),
    ];

    /// A value of this type as it is written.
    #[must_use]
    pub fn example(self) -> &'static str {
        self.words().1
    }

    /// What is expected, in words, and an example.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::String => ("text on one line", "\"some text\""),
            Self::Text => ("text", "\"some text\""),
            Self::Number => ("a number", "2.5"),
            Self::Integer => ("a whole number", "3"),
            Self::Boolean => ("true or false", "true"),
            Self::Date => ("a date", "2026-11-23"),
            Self::List => ("a list", "[one, two]"),
            Self::Enum => ("one of the allowed values", "..."),
            Self::Url => ("an address that begins with https://, http:// or mailto:", "https://example.org/"),
            Self::Page => ("a page of this site", "people/ada.md"),
            Self::Asset => ("a file of this site", "photo.jpg"),
        }
    }
}

/// A regular expression that has to match a whole text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    whole: Regex,
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() > MAX_PATTERN {
            return Err(format!("a pattern has at most {MAX_PATTERN} bytes, this one has {}", text.len()));
        }
        let whole = regex::RegexBuilder::new(&format!("^(?:{text})$")).size_limit(MAX_COMPILED).build();
        match whole {
            Ok(whole) => Ok(Self { text, whole }),
            Err(regex::Error::CompiledTooBig(_)) => {
                Err("the pattern is too large, make its repetitions smaller".into())
            }
            Err(_) => Err(format!("`{text}` is no regular expression such as `[A-Z]{{2}}-[0-9]+`")),
        }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// One field of a schema.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Field {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// One sentence for who fills it in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether a page must have it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// What templates see where a page has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Allowed values, of a list's entries too; empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// Type of a list's entries; `None`: text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<FieldType>,
    /// Smallest number, earliest date, fewest characters or entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Value>,
    /// Largest, latest or most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Value>,
    /// What a text has to match as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// Section that a page reference has to lead to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// How a value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// `schema_type` or `schema_value`.
    pub code: &'static str,
    /// What was expected.
    pub expected: String,
    /// What to write instead: a near match or an example.
    pub instead: String,
    /// Whether `instead` is a near match.
    pub near: bool,
}

impl Field {
    /// What a value of this field lacks; references are looked up elsewhere.
    #[must_use]
    pub fn misfit(&self, value: &Value, zone: &TimeZone) -> Option<Misfit> {
        if self.kind != FieldType::List {
            return self.misfit_of(self.kind, value, zone);
        }
        let Value::Array(items) = value else { return Some(self.wrong_type(FieldType::List)) };
        let kind = self.items.unwrap_or(if self.values.is_empty() { FieldType::String } else { FieldType::Enum });
        let entries = Self { kind, min: None, max: None, ..self.clone() };
        let bad = items.iter().find_map(|item| entries.misfit_of(kind, item, zone));
        let in_list = |bad: Misfit| {
            let instead = if bad.instead.is_empty() { String::new() } else { format!("[{}]", bad.instead) };
            Misfit { expected: format!("each entry to be {}", bad.expected), instead, ..bad }
        };
        bad.map(in_list).or_else(|| self.out_of_bounds(items.len() as f64, "entries"))
    }

    fn misfit_of(&self, kind: FieldType, value: &Value, zone: &TimeZone) -> Option<Misfit> {
        let fits = match (kind, value) {
            (FieldType::String, Value::String(text)) => !text.contains('\n'),
            (FieldType::Text | FieldType::Page | FieldType::Asset, Value::String(_))
            | (FieldType::Number, Value::Number(_))
            | (FieldType::Boolean, Value::Bool(_))
            | (FieldType::List, Value::Array(_))
            | (FieldType::Enum, _) => true,
            (FieldType::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
            (FieldType::Date, Value::String(text)) => Date::parse(text.trim(), zone).is_some(),
            (FieldType::Url, Value::String(text)) => is_url(text),
            _ => false,
        };
        if !fits {
            return Some(self.wrong_type(kind));
        }
        if !self.values.is_empty() && !self.values.contains(value) {
            return Some(self.not_allowed(value));
        }
        match value {
            Value::Number(number) => number.as_f64().and_then(|number| self.out_of_bounds(number, "")),
            Value::String(text) if kind == FieldType::Date => self.out_of_time(text, zone),
            Value::String(text) => self
                .out_of_bounds(text.chars().count() as f64, "characters")
                .or_else(|| self.pattern.as_ref().and_then(|pattern| no_match(pattern, text))),
            _ => None,
        }
    }

    fn wrong_type(&self, kind: FieldType) -> Misfit {
        let (expected, example) = kind.words();
        let instead = match (kind, self.values.first()) {
            (FieldType::List, Some(first)) => format!("[{first}]"),
            _ => example.to_owned(),
        };
        Misfit { code: "schema_type", expected: expected.to_owned(), instead, near: false }
    }

    fn not_allowed(&self, value: &Value) -> Misfit {
        let shown: Vec<String> = self.values.iter().map(plain).collect();
        let names: Vec<&str> = shown.iter().map(String::as_str).collect();
        let near = nearest(&plain(value), &names);
        let instead = near.or(names.first().copied()).unwrap_or_default().to_owned();
        Misfit { code: "schema_value", expected: names.join(" or "), instead, near: near.is_some() }
    }

    /// `unit` is empty for the number itself.
    fn out_of_bounds(&self, found: f64, unit: &str) -> Option<Misfit> {
        let bound = |value: &Option<Value>| value.as_ref().and_then(Value::as_f64);
        let (min, max) = (bound(&self.min), bound(&self.max));
        let (word, limit) = match (min, max) {
            (Some(min), _) if found < min => ("at least", min),
            (_, Some(max)) if found > max => ("at most", max),
            _ => return None,
        };
        let expected = format!("{word} {limit} {unit}");
        let instead = if unit.is_empty() { limit.to_string() } else { String::new() };
        Some(Misfit { code: "schema_value", expected: expected.trim().to_owned(), instead, near: false })
    }

    fn out_of_time(&self, text: &str, zone: &TimeZone) -> Option<Misfit> {
        let found = Date::parse(text.trim(), zone)?;
        let bound = |value: &Option<Value>| {
            let text = value.as_ref().and_then(Value::as_str)?.to_owned();
            Date::parse(text.trim(), zone).map(|date| (date, text))
        };
        let (word, limit) = match (bound(&self.min), bound(&self.max)) {
            (Some((min, text)), _) if found < min => ("a date not before", text),
            (_, Some((max, text))) if found > max => ("a date not after", text),
            _ => return None,
        };
        Some(Misfit { code: "schema_value", expected: format!("{word} {limit}"), instead: limit, near: false })
    }

    /// Whether the field makes sense in itself: the key at fault and what is wrong.
    pub(super) fn check(&self, zone: &TimeZone) -> Result<(), (&'static str, String)> {
        if self.kind == FieldType::Enum && self.values.is_empty() {
            return Err(("type", "an enum needs `values`, such as `values: [easy, hard]`".into()));
        }
        if self.items == Some(FieldType::List) {
            return Err(("items", "a list of lists is not known, expected another type".into()));
        }
        let dated = self.kind == FieldType::Date;
        for (key, bound) in [("min", &self.min), ("max", &self.max)] {
            let Some(bound) = bound else { continue };
            let fits = match bound {
                Value::Number(_) => !dated,
                Value::String(text) => dated && Date::parse(text.trim(), zone).is_some(),
                _ => false,
            };
            if !fits {
                let expected = if dated { "a date such as 2026-01-01" } else { "a number" };
                return Err((key, format!("expected {expected}, found {bound}")));
            }
        }
        if let (Some(min), Some(max)) = (&self.min, &self.max)
            && !dated
            && min.as_f64() > max.as_f64()
        {
            return Err(("min", format!("{min} is more than `max`, which is {max}")));
        }
        let misfit = self.default.as_ref().and_then(|default| self.misfit(default, zone));
        misfit.map_or(Ok(()), |misfit| Err(("default", format!("expected {}", misfit.expected))))
    }
}

fn no_match(pattern: &Pattern, text: &str) -> Option<Misfit> {
    if pattern.whole.is_match(text) {
        return None;
    }
    let expected = format!("text that matches `{}`", pattern.text);
    Some(Misfit { code: "schema_value", expected, instead: String::new(), near: false })
}

fn is_url(text: &str) -> bool {
    let rest = ["https://", "http://", "mailto:"].iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '"' | '<' | '>' | '\\'))
}

/// A value as it stands in front matter.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
