//! Edits single keys of a TOML block: values in place, new keys behind the last of their table.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use super::edit::{apply, at_path, changes};
use super::problem::Problem;
use super::write::merge;

/// Keys that hold a date in some generator: a new one is written as a TOML date where its text is one.
const DATE_KEYS: [&str; 9] =
    ["date", "updated", "lastmod", "modified", "expires", "expiryDate", "publishDate", "created", "published"];

/// Applies a merge patch to a TOML block.
pub(super) fn toml(
    text: &str,
    values: &Map<String, Value>,
    patch: &Map<String, Value>,
    line_end: &str,
) -> Result<String, Problem> {
    let merged = merge(values, patch);
    let mut text = text.to_owned();
    for path in changes(values, &merged, patch) {
        if at_path(&merged, &path).is_some_and(has_null) {
            return Err(Problem::new(1, 1, format!("`{}`: TOML has no null", path.join(".")))
                .with_fix("Leave `null` out of lists."));
        }
        text = set(&text, &path, &merged, line_end)?;
    }
    Ok(text)
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(map) => map.values().any(has_null),
        _ => false,
    }
}

/// One `key = value` line, wherever it stands.
struct Line {
    path: Vec<String>,
    value: Range<usize>,
    /// The whole lines it fills.
    lines: Range<usize>,
    is_date: bool,
}

/// One `[table]` or `[[table]]` with what follows it up to the next.
struct Section {
    path: Vec<String>,
    header_end: usize,
    lines: Range<usize>,
}

struct Layout {
    lines: Vec<Line>,
    sections: Vec<Section>,
}

fn set(text: &str, path: &[String], merged: &Map<String, Value>, line_end: &str) -> Result<String, Problem> {
    let layout = layout(text)?;
    let new = at_path(merged, path);
    // A line that holds the key itself or, as an inline table, a parent of it.
    let holder = layout.lines.iter().find(|line| path.starts_with(&line.path));
    let splices = match (holder, new) {
        (Some(line), None) if line.path.len() == path.len() => vec![(line.lines.clone(), String::new())],
        (Some(line), _) => {
            let whole = at_path(merged, &line.path).unwrap_or(&Value::Null);
            vec![(line.value.clone(), inline(whole, &text[line.value.clone()], line.is_date))]
        }
        (None, new) => {
            let mut splices = removal(&layout, path);
            let without = apply(text, splices.clone()).ok_or_else(|| Problem::new(1, 1, "its tables overlap"))?;
            if let (Some(new), false) = (new, splices.is_empty()) {
                return add(&without, path, new, line_end);
            }
            match new {
                Some(new) => return add(text, path, new, line_end),
                None => std::mem::take(&mut splices),
            }
        }
    };
    let splices = splices.into_iter().map(|(range, new)| (range, new.replace('\n', line_end))).collect();
    apply(text, splices).ok_or_else(|| Problem::new(1, 1, "its tables overlap"))
}

/// All lines and sections at or below a path.
fn removal(layout: &Layout, path: &[String]) -> Vec<(Range<usize>, String)> {
    let sections: Vec<&Section> = layout.sections.iter().filter(|section| section.path.starts_with(path)).collect();
    let outside = |line: &&Line| !sections.iter().any(|section| section.lines.contains(&line.lines.start));
    let lines =
        layout.lines.iter().filter(|line| line.path.starts_with(path)).filter(outside).map(|line| line.lines.clone());
    lines.chain(sections.iter().map(|section| section.lines.clone())).map(|range| (range, String::new())).collect()
}

fn add(text: &str, path: &[String], new: &Value, line_end: &str) -> Result<String, Problem> {
    let layout = layout(text)?;
    let (name, parents) = path.split_last().ok_or_else(|| Problem::new(1, 1, "no key"))?;
    let section = layout.sections.iter().rfind(|section| section.path == parents);
    let table = new.as_object().filter(|map| !map.is_empty() && parents.is_empty());
    let (at, mut added) = match (table, section) {
        (Some(map), _) => {
            let gap = if text.trim().is_empty() { "" } else { "\n" };
            let lines: String = map.iter().map(|(key, item)| line(std::slice::from_ref(key), item)).collect();
            (text.len(), format!("{gap}[{}]\n{lines}", key(name)))
        }
        (None, Some(section)) => {
            let inside = layout.lines.iter().filter(|line| section.lines.contains(&line.lines.start));
            let at = inside.map(|line| line.lines.end).max().unwrap_or(section.header_end);
            (at, line(std::slice::from_ref(name), new))
        }
        (None, None) => {
            // A dotted key is right for the root and for tables that only dotted keys or sub-tables make.
            let first_header = layout.sections.first().map(|section| section.lines.start);
            let last_line = layout
                .lines
                .iter()
                .map(|line| line.lines.end)
                .filter(|end| first_header.is_none_or(|at| *end <= at))
                .max();
            (first_header.map_or(text.len(), |_| last_line.unwrap_or(0)), line(path, new))
        }
    };
    if at > 0 && !text[..at].ends_with('\n') {
        added.insert(0, '\n');
    }
    apply(text, vec![(at..at, added.replace('\n', line_end))]).ok_or_else(|| Problem::new(1, 1, "its tables overlap"))
}

fn line(path: &[String], value: &Value) -> String {
    let name: Vec<String> = path.iter().map(|part| key(part)).collect();
    let is_date = path.last().is_some_and(|last| DATE_KEYS.contains(&last.as_str()));
    format!("{} = {}\n", name.join("."), inline(value, "", is_date))
}

fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare { name.to_owned() } else { basic(name) }
}

/// A value on the right of `=`; `old` is what stood there, whose quotes are kept.
fn inline(value: &Value, old: &str, is_date: bool) -> String {
    match value {
        Value::String(text) => {
            let is_moment = is_date && text.parse::<Datetime>().is_ok_and(|moment| moment.to_string() == *text);
            if is_moment {
                text.clone()
            } else if old.starts_with('\'')
                && !old.starts_with("'''")
                && !text.chars().any(|c| c == '\'' || c.is_control())
            {
                format!("'{text}'")
            } else if text.contains('\n') && !text.contains('\r') {
                let lines: Vec<String> = text.split('\n').map(|line| escape(line).replace("\\t", "\t")).collect();
                format!("\"\"\"\n{}\"\"\"", lines.join("\n"))
            } else {
                basic(text)
            }
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| inline(item, "", false)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) if map.is_empty() => "{}".into(),
        Value::Object(map) => {
            let members: Vec<String> =
                map.iter().map(|(name, item)| format!("{} = {}", key(name), inline(item, "", false))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}

fn basic(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if c.is_control() => escaped.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

fn layout(text: &str) -> Result<Layout, Problem> {
    let document = super::toml::parse(text)?;
    let mut layout = Layout { lines: Vec::new(), sections: Vec::new() };
    collect(text, document.get_ref(), &mut Vec::new(), &mut layout.lines);
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let inside_value = layout.lines.iter().any(|found| found.value.contains(&at) && found.value.start < at);
        if line.trim_start().starts_with('[') && !inside_value {
            if let Some(previous) = layout.sections.last_mut() {
                previous.lines.end = at;
            }
            let path = header(line).unwrap_or_default();
            layout.sections.push(Section { path, header_end: at + line.len(), lines: at..text.len() });
        }
        at += line.len();
    }
    Ok(layout)
}

/// The keys of `[a.b]` or `[[a.b]]`, read by the real parser.
fn header(line: &str) -> Option<Vec<String>> {
    let document = DeTable::parse(line).ok()?;
    let mut path = Vec::new();
    let mut table = document.get_ref();
    while let Some((key, value)) = table.iter().next() {
        path.push(key.get_ref().to_string());
        table = match value.get_ref() {
            DeValue::Table(inner) => inner,
            DeValue::Array(items) => items.iter().next()?.get_ref().as_table()?,
            _ => return None,
        };
    }
    Some(path)
}

fn collect(text: &str, table: &DeTable<'_>, path: &mut Vec<String>, lines: &mut Vec<Line>) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        let span = value.span();
        // Only in `key = value` does nothing but `=` stand between the two; tables have a header or dotted keys.
        let direct = text.get(key.span().end..span.start).is_some_and(|between| between.trim() == "=");
        match value.get_ref() {
            _ if direct => {
                let start = text[..key.span().start].rfind('\n').map_or(0, |i| i + 1);
                let end = text[span.end..].find('\n').map_or(text.len(), |i| span.end + i + 1);
                let is_date = matches!(value.get_ref(), DeValue::Datetime(_));
                lines.push(Line { path: path.clone(), value: span, lines: start..end, is_date });
            }
            DeValue::Table(inner) => collect(text, inner, path, lines),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        // A name no key has: a patch never reaches into a list.
                        path.push(format!("\0{index}"));
                        collect(text, inner, path, lines);
                        path.pop();
                    }
                }
            }
            _ => {}
        }
        path.pop();
    }
}
