//! Edits single members of a JSON object; all others keep their bytes.

use std::ops::Range;

use serde_json::{Map, Value};

use super::edit::{apply, at_path, changes};
use super::json::object_length;
use super::write::merge;

/// Applies a merge patch to a block that is one JSON object.
pub(super) fn json(
    text: &str,
    values: &Map<String, Value>,
    patch: &Map<String, Value>,
    line_end: &str,
) -> Option<String> {
    let merged = merge(values, patch);
    let mut text = text.to_owned();
    for path in changes(values, &merged, patch) {
        text = set(&text, &path, at_path(&merged, &path), line_end)?;
    }
    Some(text)
}

struct Member {
    key: String,
    start: usize,
    value: Range<usize>,
}

struct Object {
    open: usize,
    members: Vec<Member>,
    close: usize,
}

fn set(text: &str, path: &[String], new: Option<&Value>, line_end: &str) -> Option<String> {
    let (last, parents) = path.split_last()?;
    let mut object = scan(text, text.find('{')?)?;
    for key in parents {
        let start = object.members.iter().find(|member| member.key == *key)?.value.start;
        object = scan(text, start)?;
    }
    let index = object.members.iter().position(|member| member.key == *last);
    let splice = match (index, new) {
        (Some(index), Some(new)) => {
            let member = object.members.get(index)?;
            (member.value.clone(), pretty(new, &indentation(text, member.start), text, line_end))
        }
        (Some(index), None) => (removal(&object, index)?, String::new()),
        (None, Some(new)) => addition(text, &object, last, new, line_end),
        (None, None) => return Some(text.to_owned()),
    };
    apply(text, vec![splice])
}

/// A member with the comma before it, or the one behind it when it is the first.
fn removal(object: &Object, index: usize) -> Option<Range<usize>> {
    let member = object.members.get(index)?;
    Some(match (index.checked_sub(1).and_then(|i| object.members.get(i)), object.members.get(index + 1)) {
        (Some(before), _) => before.value.end..member.value.end,
        (None, Some(after)) => member.start..after.start,
        (None, None) => object.open + 1..object.close,
    })
}

fn addition(text: &str, object: &Object, key: &str, new: &Value, line_end: &str) -> (Range<usize>, String) {
    let name = Value::from(key);
    if let Some(last) = object.members.last() {
        let gap_start = object
            .members
            .len()
            .checked_sub(2)
            .and_then(|i| object.members.get(i))
            .map_or(object.open + 1, |m| m.value.end);
        // The blanks before the last member are the blanks before the new one.
        let gap = text[gap_start..last.start]
            .trim_start_matches(|c: char| c.is_whitespace() && c != '\n' && c != '\r')
            .trim_start_matches(',');
        let gap = if gap.is_empty() && !text[gap_start..last.start].contains('\n') { " " } else { gap };
        let value = pretty(new, &indentation(text, last.start), text, line_end);
        return (last.value.end..last.value.end, format!(",{gap}{name}: {value}"));
    }
    let outer = indentation(text, object.open);
    let inner = format!("{outer}  ");
    let value = pretty(new, &inner, text, line_end);
    (object.open + 1..object.close, format!("{line_end}{inner}{name}: {value}{line_end}{outer}"))
}

/// A value as JSON, over several lines where the file is, its lines indented like the key's.
fn pretty(value: &Value, indent: &str, text: &str, line_end: &str) -> String {
    let simple = value.as_array().is_some_and(|items| items.iter().all(|item| !item.is_array() && !item.is_object()));
    if simple {
        let items: Vec<String> = value.as_array().into_iter().flatten().map(Value::to_string).collect();
        return format!("[{}]", items.join(", "));
    }
    if !text.contains('\n') {
        return value.to_string();
    }
    let step = if indent.starts_with('\t') { "\t" } else { "  " };
    let lines = format!("{value:#}");
    let mut written = String::new();
    for (i, line) in lines.lines().enumerate() {
        if i > 0 {
            written.push_str(line_end);
            written.push_str(indent);
        }
        let blanks = line.len() - line.trim_start().len();
        written.push_str(&step.repeat(blanks / 2));
        written.push_str(line.trim_start());
    }
    written
}

/// The blanks at the start of the line on which an offset lies.
fn indentation(text: &str, at: usize) -> String {
    let line_start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    text[line_start..at].chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
}

/// The members of the object whose brace is at `open`; the text is known to be valid JSON.
fn scan(text: &str, open: usize) -> Option<Object> {
    let mut object = Object { open, members: Vec::new(), close: 0 };
    let mut at = skip(text, open.checked_add(1)?);
    if !text[open..].starts_with('{') {
        return None;
    }
    loop {
        match text[at..].chars().next()? {
            '}' => {
                object.close = at;
                return Some(object);
            }
            ',' => at = skip(text, at + 1),
            '"' => {
                let key_end = string_end(text, at)?;
                let key: String = serde_json::from_str(text.get(at..key_end)?).ok()?;
                let colon = skip(text, key_end);
                let value = skip(text, colon + 1);
                let value_end = match text[value..].chars().next()? {
                    '"' => string_end(text, value)?,
                    '{' | '[' => value + object_length(&text[value..])?,
                    _ => value + text[value..].find(|c: char| matches!(c, ',' | '}' | ']') || c.is_whitespace())?,
                };
                object.members.push(Member { key, start: at, value: value..value_end });
                at = skip(text, value_end);
            }
            _ => return None,
        }
    }
}

fn skip(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len()
}

fn string_end(text: &str, at: usize) -> Option<usize> {
    let mut escaped = false;
    for (i, byte) in text.bytes().enumerate().skip(at + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(i + 1),
            _ => {}
        }
    }
    None
}
