//! The order of lists that somebody asks for: `title`, `-date`, `rating desc`, any front matter field.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::context::reading_time;
use super::{cascade, schema};
use crate::model::{Page, SharedVec};

/// How a list is sorted, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sort<'a> {
    /// Field.
    pub(crate) key: &'a str,
    /// Largest first.
    pub(crate) descending: bool,
}

impl<'a> Sort<'a> {
    /// `-key`, `key desc`, `key asc` or `key`.
    #[must_use]
    pub(crate) fn of(text: &'a str) -> Self {
        let text = text.trim();
        let (key, descending) = match (text.strip_prefix('-'), text.strip_suffix(" desc")) {
            (Some(key), _) | (None, Some(key)) => (key.trim(), true),
            (None, None) => (text.strip_suffix(" asc").unwrap_or(text).trim(), false),
        };
        Self { key, descending }
    }

    /// Whether it is the order of dated pages without being asked for.
    #[must_use]
    pub(crate) fn is_newest_first(self) -> bool {
        self.key == "date" && self.descending
    }
}

/// What a page is sorted by; the kinds are ordered among themselves, so that any mixture has an order.
#[derive(Debug, Clone, PartialEq)]
enum SortKey {
    Time(jiff::Timestamp),
    Number(f64),
    Text(String),
}

impl SortKey {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Time(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
        }
    }
}

/// Sorts pages by a field; what has none comes last in either direction, equal ones by path.
pub(crate) fn sort(pages: &SharedVec<Arc<Page>>, found: &mut [usize], by: &str) {
    let by = Sort::of(by);
    let mut keyed: Vec<(Option<SortKey>, usize)> = found.iter().map(|&i| (key_of(&pages[i], by.key), i)).collect();
    keyed.sort_by(|(a, i), (b, j)| {
        let order = match (a, b) {
            (Some(a), Some(b)) if by.descending => b.compare(a),
            (Some(a), Some(b)) => a.compare(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        order.then_with(|| pages[*i].path.cmp(&pages[*j].path))
    });
    for (slot, (_, i)) in found.iter_mut().zip(keyed) {
        *slot = i;
    }
}

/// Whether two states of a page have the same place in a list sorted by a field.
#[must_use]
pub(crate) fn same_key(a: &Page, b: &Page, by: &str) -> bool {
    let key = Sort::of(by).key;
    key_of(a, key) == key_of(b, key)
}

fn key_of(page: &Page, key: &str) -> Option<SortKey> {
    let text = |text: &str| Some(SortKey::Text(text.to_lowercase()));
    let number = |number: usize| Some(SortKey::Number(number as f64));
    match key {
        "date" => page.date.as_ref().map(|date| SortKey::Time(date.timestamp())),
        "updated" => page.updated.as_ref().or(page.date.as_ref()).map(|date| SortKey::Time(date.timestamp())),
        "expires" => page.expires.as_ref().map(|date| SortKey::Time(date.timestamp())),
        "weight" => page.weight.map(|weight| SortKey::Number(weight as f64)),
        "title" => text(&page.title),
        "url" | "permalink" => text(&page.url),
        "path" => text(page.path.as_str()),
        "description" => page.description.as_deref().and_then(text),
        "summary" => text(&page.summary),
        "word_count" => number(page.word_count),
        "reading_time" => number(reading_time(page.word_count)),
        _ => field(page, key),
    }
}

/// A front matter field by its name, or its path as templates write it (`params.rating`).
fn field(page: &Page, key: &str) -> Option<SortKey> {
    let values = cascade::together(&page.front_matter, &page.inherited);
    let key = key.strip_prefix("params.").or_else(|| key.strip_prefix("extra.")).unwrap_or(key);
    let mut parts = key.split('.');
    let first = schema::value_of(&values, parts.next()?)?;
    let value = parts.try_fold(first, |value, part| value.get(part))?;
    match value {
        Value::Null => None,
        Value::Number(number) => number.as_f64().map(SortKey::Number),
        Value::String(text) => Some(SortKey::Text(text.to_lowercase())),
        other => Some(SortKey::Text(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_read_as_written() {
        for (text, key, descending) in
            [("-date", "date", true), ("title desc", "title", true), (" rank asc ", "rank", false), ("x", "x", false)]
        {
            assert_eq!(Sort::of(text), Sort { key, descending }, "{text}");
        }
        assert!(Sort::of("date desc").is_newest_first() && !Sort::of("date").is_newest_first());
    }

    #[test]
    fn kinds_of_keys_have_an_order() {
        let keys = [SortKey::Number(2.0), SortKey::Text("a".into()), SortKey::Number(10.0)];
        assert_eq!(keys[0].compare(&keys[2]), Ordering::Less);
        assert_eq!(keys[2].compare(&keys[1]), Ordering::Less);
        assert_eq!(keys[1].compare(&keys[0]), Ordering::Greater);
    }
}
