//! Writes values as YAML: plain where YAML reads the same text back, quoted where it must be, lists and blocks in a given style.

use serde_json::{Map, Value};

use super::scan::Style;

/// How a file is written, so that what is added looks the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    /// Blanks per level.
    pub(super) step: usize,
    /// How far dashes stand from their key.
    pub(super) dash: usize,
}

/// A value split into what stands behind the colon and the lines below, each ended by `\n`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Behind the colon; empty for nested values.
    pub(super) inline: String,
    /// Whole lines below.
    pub(super) body: String,
}

/// Writes a value below a key that is indented by `indent`; `style` is that of the value it replaces.
pub(super) fn value(value: &Value, indent: usize, style: Style, manner: Manner) -> Written {
    match value {
        Value::String(text) if text.contains('\n') => literal(text, indent, manner),
        Value::Array(items) if !items.is_empty() => {
            let was_block = matches!(style, Style::Sequence(_));
            let simple = items.iter().all(is_simple);
            if style == Style::Flow || (simple && !was_block) {
                return Written { inline: flow(value), body: String::new() };
            }
            let dash = match style {
                Style::Sequence(column) => column,
                _ => indent + manner.dash,
            };
            Written { inline: String::new(), body: items.iter().map(|item| list_item(item, dash, manner)).collect() }
        }
        Value::Object(map) if !map.is_empty() => {
            if style == Style::Flow {
                return Written { inline: flow(value), body: String::new() };
            }
            let column = match style {
                Style::Mapping(column) => column,
                _ => indent + manner.step,
            };
            Written {
                inline: String::new(),
                body: map.iter().map(|(key, item)| entry(key, item, column, manner)).collect(),
            }
        }
        Value::Array(_) | Value::Object(_) => Written { inline: flow(value), body: String::new() },
        scalar => Written { inline: scalar_text(scalar, style, false), body: String::new() },
    }
}

/// A whole new entry, indented, as lines.
pub(super) fn entry(name: &str, item: &Value, indent: usize, manner: Manner) -> String {
    let Written { inline, body } = value(item, indent, Style::Empty, manner);
    let gap = if inline.is_empty() { "" } else { " " };
    format!("{}{}:{gap}{inline}\n{body}", " ".repeat(indent), key(name))
}

/// A list item as lines, its dash indented by `dash`.
pub(super) fn list_item(item: &Value, dash: usize, manner: Manner) -> String {
    let blanks = " ".repeat(dash);
    match item {
        Value::Object(map) if !map.is_empty() => {
            let lines: String = map.iter().map(|(key, item)| entry(key, item, dash + 2, manner)).collect();
            format!("{blanks}- {}", lines.trim_start_matches(' '))
        }
        Value::String(text) if text.contains('\n') => {
            let Written { inline, body } = literal(text, dash, manner);
            format!("{blanks}- {inline}\n{body}")
        }
        Value::Object(_) | Value::Array(_) => format!("{blanks}- {}\n", flow(item)),
        scalar => format!("{blanks}- {}\n", scalar_text(scalar, Style::Plain, false)),
    }
}

fn is_simple(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains('\n'),
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    }
}

/// The same on one line, as `like` (an item of the same list) is written.
pub(super) fn list_item_like(item: &Value, dash: usize, manner: Manner, like: &str) -> String {
    let braces = like.trim_start().trim_start_matches('-').trim_start();
    if !braces.starts_with('{') || !matches!(item, Value::Object(map) if !map.is_empty()) {
        return list_item(item, dash, manner);
    }
    let written = flow(item);
    let spaced = written.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|_| braces.starts_with("{ "));
    let written = spaced.map_or_else(|| written.clone(), |inner| format!("{{ {inner} }}"));
    format!("{}- {written}\n", " ".repeat(dash))
}

/// In brackets and braces on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".into(),
        Value::Object(map) => {
            let members: Vec<String> = map
                .iter()
                .map(|(name, item)| {
                    let name = if is_plain(name, true) { name.clone() } else { double(name) };
                    format!("{name}: {}", flow(item))
                })
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        scalar => scalar_text(scalar, Style::Plain, true),
    }
}

fn scalar_text(value: &Value, style: Style, in_flow: bool) -> String {
    match value {
        Value::String(text) => match style {
            Style::Single if can_be_single(text) => single(text),
            Style::Double => double(text),
            _ if is_plain(text, in_flow) => text.clone(),
            _ if text.contains(['"', '\\']) && can_be_single(text) => single(text),
            _ => double(text),
        },
        other => other.to_string(),
    }
}

/// As a `|` block, where the text survives it; else as a quoted line.
fn literal(text: &str, indent: usize, manner: Manner) -> Written {
    let body = text.trim_end_matches('\n');
    let newlines = text.len() - body.len();
    // A `|+` block would also take in blank lines that stand below it in the file.
    let awkward = body.is_empty()
        || newlines > 1
        || body.lines().any(|line| !line.is_empty() && line.trim().is_empty())
        || body.starts_with([' ', '\n', '\t'])
        || body.chars().any(|c| c != '\n' && c != '\t' && !is_printable(c));
    if awkward {
        return Written { inline: double(text), body: String::new() };
    }
    let chomp = if newlines == 0 { "-" } else { "" };
    let blanks = " ".repeat(indent + manner.step);
    let mut lines = String::new();
    for line in body.split('\n') {
        if !line.is_empty() {
            lines.push_str(&blanks);
            lines.push_str(line);
        }
        lines.push('\n');
    }
    Written { inline: format!("|{chomp}"), body: lines }
}

/// A key as YAML wants it.
pub(super) fn key(name: &str) -> String {
    if is_plain(name, false) { name.to_owned() } else { double(name) }
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn can_be_single(text: &str) -> bool {
    text.chars().all(is_printable)
}

/// In double quotes; JSON's escapes are YAML's too.
pub(super) fn double(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_printable(c) => quoted.push(c),
            c if u32::from(c) > 0xffff => quoted.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text can stand without quotes and is read back as this very text, by this and by older readers.
fn is_plain(text: &str, in_flow: bool) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let second = text.chars().nth(1);
    let indicator = match first {
        '-' | '?' | ':' => in_flow || second.is_none_or(char::is_whitespace),
        c => ",[]{}#&*!|>'\"%@`=<~".contains(c),
    };
    let bad_inside =
        text.contains(": ") || text.contains(" #") || text.ends_with(':') || !text.chars().all(is_printable);
    let bad_in_flow = in_flow && (text.contains([',', '[', ']', '{', '}']) || text.contains(':'));
    if indicator || bad_inside || bad_in_flow || text.trim() != text || text.contains('\u{a0}') {
        return false;
    }
    !is_old_literal(text) && matches!(super::yaml::read(text), Ok(Value::String(back)) if back == text)
}

/// What readers of YAML 1.1 (Ruby, Python, Go's older ones) take for a flag or a number, and we for text.
fn is_old_literal(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let word = matches!(lower.as_str(), "yes" | "no" | "on" | "off" | "null" | "true" | "false");
    let bare = text.trim_start_matches(['+', '-']);
    let number = bare.starts_with(|c: char| c.is_ascii_digit())
        && bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'_' | b'.' | b',' | b'e' | b'E' | b'+'));
    let hex = bare.starts_with("0x") || bare.starts_with("0o") || bare.starts_with("0b");
    word || number || hex
}

/// The merge of a patch into values (RFC 7396).
pub(super) fn merge(values: &Map<String, Value>, patch: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = values.clone();
    for (key, change) in patch {
        match change {
            Value::Null => {
                merged.shift_remove(key);
            }
            Value::Object(inner) => {
                let base = merged.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
                merged.insert(key.clone(), Value::Object(merge(&base, inner)));
            }
            other => {
                merged.insert(key.clone(), other.clone());
            }
        }
    }
    merged
}
