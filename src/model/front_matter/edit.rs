//! Edits the lines of named keys in block-style YAML; every other line stays as it is.

use std::ops::Range;

use serde_json::{Map, Value};

use super::scan::{self, Entry, Mapping, Style};
use super::write::{self, Manner, Written, merge};

/// Items of a list, before and after together, that are compared one by one; a longer list is written anew.
const MOST_ITEMS: usize = 2_000;

/// One replacement in a text.
pub(super) type Splice = (Range<usize>, String);

/// Applies a merge patch to a YAML block whose values are known; `None` where its shape cannot be edited by line.
///
/// What is added gets `line_end`; a missing final one stays missing.
pub(super) fn yaml(
    text: &str,
    values: &Map<String, Value>,
    patch: &Map<String, Value>,
    line_end: &str,
) -> Option<String> {
    if !text.is_empty() && !text.ends_with('\n') {
        let edited = yaml(&format!("{text}{line_end}"), values, patch, line_end)?;
        // A block scalar at the end may need its line end.
        let bare = edited.strip_suffix(line_end).filter(|bare| super::yaml::read(bare) == super::yaml::read(&edited));
        return Some(bare.map_or_else(|| edited.clone(), str::to_owned));
    }
    let root = scan::mapping(text, 0..text.len())?;
    let mut edit = Edit { text, manner: manner(text, &root), splices: Vec::new() };
    edit.mapping(&root, values, patch, true)?;
    for (_, replacement) in &mut edit.splices {
        *replacement = replacement.replace('\n', line_end);
    }
    apply(text, edit.splices)
}

/// Every single change a patch makes, by the path of its key; a change inside a mapping that stays one is a change of its own.
pub(super) fn changes(
    values: &Map<String, Value>,
    merged: &Map<String, Value>,
    patch: &Map<String, Value>,
) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (key, change) in patch {
        let (old, new) = (values.get(key), merged.get(key));
        if old == new {
            continue;
        }
        match (old, new, change) {
            (Some(Value::Object(old)), Some(Value::Object(new)), Value::Object(change)) if !new.is_empty() => {
                let inner = changes(old, new, change).into_iter();
                found.extend(inner.map(|path| [key.clone()].into_iter().chain(path).collect()));
            }
            _ => found.push(vec![key.clone()]),
        }
    }
    found
}

/// The value at a path of keys.
pub(super) fn at_path<'a>(values: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(values.get(first)?, |value, key| value.get(key))
}

/// The text with all replacements done; `None` where two overlap.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|(range, _)| (range.start, range.end));
    let mut edited = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for (range, replacement) in splices {
        edited.push_str(text.get(at..range.start)?);
        edited.push_str(&replacement);
        at = range.end;
    }
    edited.push_str(text.get(at..)?);
    Some(edited)
}

struct Edit<'t> {
    text: &'t str,
    manner: Manner,
    splices: Vec<Splice>,
}

impl Edit<'_> {
    fn mapping(
        &mut self,
        found: &Mapping,
        values: &Map<String, Value>,
        patch: &Map<String, Value>,
        is_root: bool,
    ) -> Option<()> {
        let merged = merge(values, patch);
        let mut added = String::new();
        for (key, change) in patch {
            let (old, new) = (values.get(key), merged.get(key));
            if old == new {
                continue;
            }
            match (found.entries.iter().find(|entry| entry.key == *key), new) {
                (Some(entry), None) => self.splices.push((entry.start..entry.end, String::new())),
                // Comes from a merge (`<<`): there is no line to remove, and the check afterwards says so.
                (None, None) => {}
                (None, Some(new)) => added.push_str(&write::entry(key, new, found.indent, self.manner)),
                (Some(entry), Some(new)) => match (entry.style, change, old) {
                    (Style::Mapping(_), Value::Object(change), Some(Value::Object(old)))
                        if new.as_object().is_some_and(|new| !new.is_empty()) =>
                    {
                        let below = scan::mapping(self.text, entry.body.clone())?;
                        self.mapping(&below, old, change, false)?;
                    }
                    (Style::Sequence(dash), _, Some(Value::Array(old)))
                        if new.as_array().is_some_and(|new| self.items(entry, found.indent, dash, old, new)) => {}
                    _ => self.replace(entry, found.indent, new),
                },
            }
        }
        if !added.is_empty() {
            // Nested keys go behind the last one; at the root behind trailing comments too, just before the fence.
            let at = if is_root { found.end } else { found.entries.last()?.end };
            self.splices.push((at..at, added));
        }
        Some(())
    }

    /// Puts in and takes out single items of a block list: the lines of those that stay are not touched. `false` where
    /// nothing stays, or the lines are not followed.
    fn items(&mut self, entry: &Entry, indent: usize, dash: usize, old: &[Value], new: &[Value]) -> bool {
        if new.is_empty() || !entry.inline.is_empty() || old.len() + new.len() > MOST_ITEMS {
            return false;
        }
        let Some(lines) = scan::items(self.text, entry.body.clone(), dash, indent) else { return false };
        if lines.len() != old.len() || !old.iter().any(|item| new.contains(item)) {
            return false;
        }
        let like = &self.text[lines[0].clone()];
        let written = |items: &[Value]| -> String {
            items.iter().map(|item| write::list_item_like(item, dash, self.manner, like)).collect()
        };
        let mut splices: Vec<Splice> = Vec::new();
        let mut rest = new;
        // A comment above an item goes when the item goes.
        let mut begin = entry.body.start;
        for (item, range) in old.iter().zip(&lines) {
            if let Some(at) = rest.iter().position(|wanted| wanted == item) {
                splices.push((range.start..range.start, written(&rest[..at])));
                rest = &rest[at + 1..];
            } else {
                splices.push((begin..range.end, String::new()));
            }
            begin = range.end;
        }
        let end = lines[lines.len() - 1].end;
        splices.push((end..end, written(rest)));
        self.splices.extend(splices.into_iter().filter(|(range, text)| !range.is_empty() || !text.is_empty()));
        true
    }

    /// Puts a new value behind a key: its colon, spacing and trailing comment stay.
    fn replace(&mut self, entry: &Entry, indent: usize, new: &Value) {
        let Written { inline, body } = write::value(new, indent, entry.style, self.manner);
        let splice = match (entry.inline.is_empty(), inline.is_empty()) {
            (false, false) => (entry.inline.clone(), inline),
            (false, true) => (entry.colon_end..entry.inline.end, String::new()),
            (true, false) => (entry.colon_end..entry.colon_end, format!(" {inline}")),
            (true, true) => (entry.colon_end..entry.colon_end, String::new()),
        };
        self.splices.push(splice);
        self.splices.push((entry.body.clone(), body));
    }
}

/// The indentation the file uses already, two blanks where it has none.
fn manner(text: &str, root: &Mapping) -> Manner {
    let mut manner = Manner { step: 2, dash: 2 };
    let mut step = None;
    let mut dash = None;
    for entry in &root.entries {
        match entry.style {
            Style::Mapping(column) => {
                step = step.or(column.checked_sub(root.indent).filter(|step| (1..=8).contains(step)));
            }
            Style::Sequence(column) => dash = dash.or(column.checked_sub(root.indent).filter(|dash| *dash <= 8)),
            Style::Literal => {
                let first = text[entry.body.clone()].lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                let column = first.len() - first.trim_start_matches(' ').len();
                step = step.or(column.checked_sub(root.indent).filter(|step| (1..=4).contains(step)));
            }
            _ => {}
        }
    }
    manner.step = step.unwrap_or(2);
    manner.dash = dash.unwrap_or(2);
    manner
}
