//! Helpers that look into, cut, sort and make lists and maps.

use handlebars::JsonTruthy;
use serde_json::{Map, Value};

use super::guard::Fault;
use super::values::{self, text};
use super::vocabulary::{Args, PureFn};

/// Longest list a helper makes.
const MAX_LIST: i64 = 10_000;

pub(super) const HELPERS: &[(&str, PureFn)] = &[
    ("contains", contains),
    ("length", |a| Ok(Value::from(length(a.at(0)?)))),
    ("first", |a| cut(a, false)),
    ("last", |a| cut(a, true)),
    ("limit", |a| Ok(span(a.at(0)?, 0, a.whole(1)?))),
    ("slice", |a| Ok(span(a.at(0)?, a.whole(1)?, if a.len() > 2 { a.whole(2)? } else { i64::MAX }))),
    ("reverse", reverse),
    ("unique", unique),
    ("sort_by", sort_by),
    ("where", filter),
    ("group_by", group_by),
    ("pluck", |a| {
        let key = a.text(1)?;
        Ok(Value::Array(items(a)?.iter().map(|item| field(item, &key).clone()).collect()))
    }),
    ("join", |a| {
        let between = a.maybe(1).map_or_else(|| ", ".into(), text);
        bounded(a, items(a)?.iter().map(text).collect::<Vec<_>>().join(&between))
    }),
    ("split", |a| {
        let (source, by) = (a.text(0)?, a.text(1)?);
        let pieces: Vec<Value> = if by.is_empty() {
            source.chars().map(|c| Value::from(c.to_string())).collect()
        } else {
            source.split(&*by).map(|piece| Value::from(piece.trim())).filter(|piece| piece != "").collect()
        };
        Ok(Value::Array(pieces))
    }),
    ("list", |a| Ok(Value::Array(a.all().cloned().collect()))),
    ("dict", |a| Ok(Value::Object(a.names().map(|(key, value)| (key.to_owned(), value.clone())).collect()))),
    ("range", range),
];

/// Refuses text that grew too long.
pub(super) fn bounded(args: &Args<'_, '_>, text: String) -> Result<Value, Fault> {
    if text.len() > values::MAX_TEXT {
        return Err(args.fault(&format!("makes more than {} bytes", values::MAX_TEXT), "Work on less text."));
    }
    Ok(Value::from(text))
}

fn items<'a>(args: &Args<'a, '_>) -> Result<&'a [Value], Fault> {
    match args.at(0)? {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(&[]),
        other => Err(args
            .fault(&format!("got `{}`, expected a list", values::excerpt(other)), "Give it a list as first argument.")),
    }
}

/// A member by key, dots leading further down: `params.rank`.
fn field<'a>(item: &'a Value, key: &str) -> &'a Value {
    const NOTHING: &Value = &Value::Null;
    key.split('.').try_fold(item, |value, part| value.get(part)).unwrap_or(NOTHING)
}

fn length(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        Value::Null => 0,
        other => text(other).chars().count(),
    }
}

fn contains(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let part = args.at(1)?;
    Ok(Value::Bool(match args.at(0)? {
        Value::Array(items) => items.iter().any(|item| item == part || (!item.is_object() && text(item) == text(part))),
        Value::Object(map) => map.contains_key(&*text(part)),
        Value::Null => false,
        other => text(other).contains(&*text(part)),
    }))
}

/// `first x` is one item, `first x n` a list of up to `n`.
fn cut(args: &Args<'_, '_>, last: bool) -> Result<Value, Fault> {
    let value = args.at(0)?;
    let length = length(value) as i64;
    if args.len() > 1 {
        let count = args.whole(1)?.max(0);
        return Ok(if last { span(value, (length - count).max(0), i64::MAX) } else { span(value, 0, count) });
    }
    let at = if last { (length - 1).max(0) } else { 0 };
    Ok(match span(value, at, at + 1) {
        Value::Array(items) => items.into_iter().next().unwrap_or_default(),
        other => other,
    })
}

/// Items or characters from one position up to another; negative positions count from the end.
fn span(value: &Value, from: i64, to: i64) -> Value {
    let length = length(value) as i64;
    let place = |at: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(0, length) as usize;
    let (from, to) = (place(from), place(to));
    let count = to.saturating_sub(from);
    match value {
        Value::Array(items) => Value::Array(items.iter().skip(from).take(count).cloned().collect()),
        Value::Null => Value::Null,
        other => Value::from(text(other).chars().skip(from).take(count).collect::<String>()),
    }
}

fn reverse(args: &Args<'_, '_>) -> Result<Value, Fault> {
    Ok(Value::Array(items(args)?.iter().rev().cloned().collect()))
}

fn unique(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let mut seen = std::collections::BTreeSet::new();
    Ok(Value::Array(items(args)?.iter().filter(|item| seen.insert(item.to_string())).cloned().collect()))
}

fn sort_by(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let key = args.maybe(1).map(text);
    let mut sorted = items(args)?.to_vec();
    let of = |item: &Value| key.as_ref().map_or_else(|| item.clone(), |key| field(item, key).clone());
    sorted.sort_by_cached_key(|item| Sorted(of(item)));
    if args.named("order").is_some_and(|order| text(order).starts_with("desc")) {
        sorted.reverse();
    }
    Ok(Value::Array(sorted))
}

/// A value in the order of [`values::order`], letters without regard to case first.
struct Sorted(Value);

impl PartialEq for Sorted {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sorted {}

impl PartialOrd for Sorted {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sorted {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Kinds are kept apart, so that a mixed list has one order whatever it is compared with.
        let kind = |value: &Value| match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            _ => 3,
        };
        kind(&self.0).cmp(&kind(&other.0)).then_with(|| match (&self.0, &other.0) {
            (Value::String(a), Value::String(b)) => a.to_lowercase().cmp(&b.to_lowercase()).then_with(|| a.cmp(b)),
            (a, b) => values::order(a, b),
        })
    }
}

/// `where list "key" value`: a list member matches when it contains the value; without a value, when it is not empty.
fn filter(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let key = args.text(1)?;
    let wanted = args.maybe(2);
    let matches = |item: &&Value| match (field(item, &key), wanted) {
        (found, None) => found.is_truthy(false),
        (Value::Array(found), Some(wanted)) => found.contains(wanted),
        (found, Some(wanted)) => found == wanted || (!found.is_null() && text(found) == text(wanted)),
    };
    Ok(Value::Array(items(args)?.iter().filter(matches).cloned().collect()))
}

/// Groups `{key, items}` in the order in which their keys first occur. `format` turns dates into keys: `"%Y"`.
fn group_by(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let key = args.text(1)?;
    let (format, key) = match (args.named("format"), &*key) {
        (Some(format), key) => (Some(text(format)), key),
        (None, "year") => (Some("%Y".into()), "date"),
        (None, key) => (None, key),
    };
    let mut groups: Map<String, Value> = Map::new();
    for item in items(args)? {
        let value = text(field(item, key));
        let group = match &format {
            Some(format) if !value.is_empty() => super::dates::format(&value, format).unwrap_or_default(),
            _ => value.into_owned(),
        };
        if let Value::Array(list) = groups.entry(group).or_insert_with(|| Value::Array(Vec::new())) {
            list.push(item.clone());
        }
    }
    let group = |(key, items): (String, Value)| {
        Value::Object(Map::from_iter([("key".to_owned(), Value::from(key)), ("items".to_owned(), items)]))
    };
    Ok(Value::Array(groups.into_iter().map(group).collect()))
}

/// `range 3` is 0 1 2, `range 1 3` is 1 2 3.
fn range(args: &Args<'_, '_>) -> Result<Value, Fault> {
    let (from, to) =
        if args.len() > 1 { (args.whole(0)?, args.whole(1)?) } else { (0, args.whole(0)?.saturating_sub(1)) };
    if to.saturating_sub(from) >= MAX_LIST {
        return Err(args.fault(&format!("makes more than {MAX_LIST} items"), "Count over less."));
    }
    Ok(Value::Array((from..=to).map(Value::from).collect()))
}
