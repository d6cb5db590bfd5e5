//! Finds which lines of a block-style YAML mapping belong to which key, without losing a byte.
//!
//! It follows the shape only: quotes, brackets, block scalars, indentation. What it cannot follow (complex keys, aliases
//! as keys) it gives up on, and an edit is compared with a real parse afterwards, so a slip here refuses and never damages.

use std::ops::Range;

use super::flow::{self, Flow, quoted_end};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Nothing behind the colon.
    Empty,
    /// Without quotes; also an alias.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// In brackets or braces.
    Flow,
    /// Behind `|` or `>`.
    Literal,
    /// Nested keys, indented this far.
    Mapping(usize),
    /// Items whose dashes are indented this far.
    Sequence(usize),
}

/// One key of a mapping with its value; offsets are those of the scanned text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The key without quotes.
    pub(super) key: String,
    /// Start of the line on which the key stands.
    pub(super) start: usize,
    /// End of the last line with content of this entry.
    pub(super) end: usize,
    /// Behind the colon.
    pub(super) colon_end: usize,
    /// The value, or its head (`|`, `&anchor`), from the colon's line; empty for nested values.
    pub(super) inline: Range<usize>,
    /// The whole lines below that hold the rest of the value.
    pub(super) body: Range<usize>,
    /// How the value is written.
    pub(super) style: Style,
}

/// The entries of one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mapping {
    /// How far its keys are indented.
    pub(super) indent: usize,
    /// In the order they are written.
    pub(super) entries: Vec<Entry>,
    /// Where the mapping ends: its region's end, or a `...` line.
    pub(super) end: usize,
}

/// Scans a mapping that fills a region of whole lines; `None` where its shape is not followed.
pub(super) fn mapping(text: &str, region: Range<usize>) -> Option<Mapping> {
    let mut found = Mapping { indent: 0, entries: Vec::new(), end: region.end };
    let mut at = region.start;
    while at < region.end {
        let line = line_at(text, at);
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            at += line.len();
            continue;
        }
        let document = line.split_whitespace().next().unwrap_or_default();
        if line.starts_with("---") && document == "---" && found.entries.is_empty() && content == "---" {
            at += line.len();
            continue;
        }
        if line.starts_with("...") && document == "..." {
            found.end = at;
            break;
        }
        let column = column(line);
        if found.entries.is_empty() {
            found.indent = column;
        }
        if column != found.indent || line[column..].starts_with('\t') || is_dash(&line[column..]) {
            return None;
        }
        let entry = entry(text, at, column, region.end)?;
        at = entry.end;
        found.entries.push(entry);
    }
    Some(found)
}

fn entry(text: &str, start: usize, indent: usize, limit: usize) -> Option<Entry> {
    let (key, colon_end) = key(text, start + indent)?;
    let value = skip_blanks(text, colon_end);
    let after_properties = skip_properties(text, value)?;
    let rest = rest_of_line(text, after_properties);
    let mut entry =
        Entry { key, start, end: 0, colon_end, inline: value..after_properties, body: 0..0, style: Style::Empty };
    match rest.bytes().next() {
        None | Some(b'#') => {
            // Properties end before the blanks that separate them from a comment.
            entry.inline.end = entry.inline.start + text[entry.inline.clone()].trim_end().len();
            if entry.inline.is_empty() {
                entry.inline = colon_end..colon_end;
            }
            let below = next_line(text, after_properties);
            let (style, end) = nested(text, below, indent, limit)?;
            entry.style = style;
            entry.body = below..end;
        }
        Some(b'|' | b'>') => {
            entry.inline.end = after_properties + rest.split_whitespace().next().map_or(0, str::len);
            entry.style = Style::Literal;
            let header = &text[after_properties..entry.inline.end];
            let below = next_line(text, after_properties);
            entry.body = below..literal_end(text, below, header, indent, limit);
        }
        Some(first) => {
            let (end, style) = match first {
                b'"' => (quoted_end(text, after_properties)?, Style::Double),
                b'\'' => (quoted_end(text, after_properties)?, Style::Single),
                b'[' | b'{' => (flow_end(text, after_properties)?, Style::Flow),
                _ => (plain_end(text, after_properties, indent, limit), Style::Plain),
            };
            let behind = rest_of_line(text, end).trim();
            if style != Style::Plain && !behind.is_empty() && !behind.starts_with('#') {
                return None;
            }
            entry.inline.end = end;
            entry.style = style;
            let below = next_line(text, end);
            entry.body = below..below;
        }
    }
    entry.end = entry.body.end;
    (entry.end <= limit).then_some(entry)
}

/// What stands below a key with nothing behind its colon, and where it ends.
fn nested(text: &str, below: usize, indent: usize, limit: usize) -> Option<(Style, usize)> {
    let Some(first) = next_content(text, below, limit) else { return Some((Style::Empty, below)) };
    let line = line_at(text, first);
    let column = column(line);
    let is_item = is_dash(&line[column..]);
    if column < indent || (column == indent && !is_item) {
        return Some((Style::Empty, below));
    }
    let style = if is_item {
        Style::Sequence(column)
    } else if key(text, first + column).is_some() {
        Style::Mapping(column)
    } else {
        // A scalar or flow value that begins on the line below its key: replaced as a whole.
        Style::Empty
    };
    let mut end = below;
    let mut at = first;
    while let Some(next) = next_content(text, at, limit) {
        let line = line_at(text, next);
        let here = self::column(line);
        let inside = here > indent || (here == indent && column == indent && is_dash(&line[here..]));
        if !inside {
            break;
        }
        at = skip_node(text, next, here, indent, limit)?;
        end = at;
    }
    Some((style, end))
}

/// The items of a block sequence as whole lines, without the comments between them; `None` where they are not followed.
/// `dash` is the column of its dashes, `parent` that of its key.
pub(super) fn items(text: &str, body: Range<usize>, dash: usize, parent: usize) -> Option<Vec<Range<usize>>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    let mut at = body.start;
    while let Some(start) = next_content(text, at, body.end) {
        let here = column(line_at(text, start));
        at = skip_node(text, start, here, parent, body.end)?;
        if here == dash && is_dash(&text[start + here..]) {
            items.push(start..at);
        } else {
            items.last_mut()?.end = at;
        }
    }
    Some(items)
}

/// The end of the lines that one nested line opens: a quoted, flow or block scalar may run over several.
fn skip_node(text: &str, line_start: usize, column: usize, parent: usize, limit: usize) -> Option<usize> {
    let mut at = line_start + column;
    let mut parent = parent;
    while is_dash(&text[at..]) || text[at..].starts_with("? ") || text[at..].starts_with(": ") {
        parent = at - line_start;
        at = skip_blanks(text, at + 1);
    }
    let mut value = skip_properties(text, at)?;
    if let Some((_, colon_end)) = key(text, value) {
        parent = value - line_start;
        value = skip_properties(text, skip_blanks(text, colon_end))?;
    }
    let rest = rest_of_line(text, value);
    Some(match rest.bytes().next() {
        Some(b'|' | b'>') => {
            let header = rest.split_whitespace().next().unwrap_or_default();
            literal_end(text, next_line(text, value), header, parent, limit)
        }
        Some(b'"' | b'\'') => next_line(text, quoted_end(text, value)?),
        Some(b'[' | b'{') => next_line(text, flow_end(text, value)?),
        _ => next_line(text, value),
    })
}

/// A key with its colon: the key without quotes, and the offset behind the colon.
fn key(text: &str, at: usize) -> Option<(String, usize)> {
    let line = rest_of_line(text, at);
    let first = line.bytes().next()?;
    if matches!(first, b'"' | b'\'') {
        let end = quoted_end(text, at)?;
        let raw = text.get(at..end)?;
        if raw.contains('\n') {
            return None;
        }
        let blanks = skip_blanks(text, end);
        let after = text[blanks..].strip_prefix(':')?;
        if !after.is_empty() && !after.starts_with([' ', '\t', '\r', '\n']) {
            return None;
        }
        return Some((unquote(raw)?, blanks + 1));
    }
    if b"?-".contains(&first) && line[1..].starts_with([' ', '\t']) || b"&*!|>[]{},%@`#".contains(&first) {
        return None;
    }
    let mut previous = b' ';
    for (i, byte) in line.bytes().enumerate() {
        match byte {
            b'#' if previous == b' ' || previous == b'\t' => return None,
            b':' if matches!(line.as_bytes().get(i + 1), None | Some(b' ' | b'\t')) => {
                return Some((line[..i].trim_end().to_owned(), at + i + 1));
            }
            _ => previous = byte,
        }
    }
    None
}

/// The text of a quoted scalar of one line, read by the real parser.
fn unquote(raw: &str) -> Option<String> {
    match super::yaml::read(raw).ok()? {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    }
}

fn literal_end(text: &str, below: usize, header: &str, parent: usize, limit: usize) -> usize {
    let explicit = header.bytes().find(u8::is_ascii_digit).map(|digit| parent + usize::from(digit - b'0'));
    let keep = header.contains('+');
    let mut indent = explicit;
    let (mut end, mut at) = (below, below);
    while at < limit {
        let line = line_at(text, at);
        let blank = line.trim().is_empty();
        if !blank {
            let column = column(line);
            let needed = *indent.get_or_insert(column.max(parent + 1));
            if column < needed {
                break;
            }
        }
        at += line.len();
        if !blank || keep {
            end = at;
        }
    }
    end
}

fn flow_end(text: &str, at: usize) -> Option<usize> {
    match flow::follow(text, at, usize::MAX) {
        Flow::Closed(end) => Some(end),
        _ => None,
    }
}

/// The end of an unquoted scalar, which may go on over deeper indented lines; no trailing blanks or comment.
fn plain_end(text: &str, at: usize, indent: usize, limit: usize) -> usize {
    let (mut end, mut comment) = plain_line_end(text, at);
    let mut next = next_line(text, at);
    while !comment {
        let mut start = next;
        while start < limit && line_at(text, start).trim().is_empty() {
            start = next_line(text, start);
        }
        if start >= limit {
            break;
        }
        let line = line_at(text, start);
        let column = column(line);
        if column <= indent || line[column..].starts_with('#') {
            break;
        }
        (end, comment) = plain_line_end(text, start + column);
        next = next_line(text, start);
    }
    end
}

fn plain_line_end(text: &str, at: usize) -> (usize, bool) {
    let line = rest_of_line(text, at);
    let comment = line.match_indices('#').find(|(i, _)| line[..*i].ends_with([' ', '\t'])).map(|(i, _)| i);
    let content = &line[..comment.unwrap_or(line.len())];
    (at + content.trim_end().len(), comment.is_some())
}

/// Behind anchors and tags and the blanks that follow them.
fn skip_properties(text: &str, mut at: usize) -> Option<usize> {
    for _ in 0..3 {
        if !text[at..].starts_with(['&', '!']) {
            return Some(at);
        }
        let word = text[at..].find([' ', '\t', '\r', '\n']).unwrap_or(text.len() - at);
        at = skip_blanks(text, at + word);
    }
    None
}

fn next_content(text: &str, mut at: usize, limit: usize) -> Option<usize> {
    while at < limit {
        let line = line_at(text, at);
        let content = line.trim();
        if !content.is_empty() && !content.starts_with('#') {
            return Some(at);
        }
        at += line.len();
    }
    None
}

fn is_dash(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn column(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn skip_blanks(text: &str, at: usize) -> usize {
    at + (text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len())
}

fn line_at(text: &str, at: usize) -> &str {
    &text[at..next_line(text, at)]
}

/// From here to the end of the line, without its line end.
fn rest_of_line(text: &str, at: usize) -> &str {
    line_at(text, at).trim_end_matches(['\n', '\r'])
}

fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |i| at + i + 1)
}
