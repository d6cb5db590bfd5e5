//! Three-way merge of a page: front matter by key, body by line and by sentence.

use serde_json::{Map, Value};

use super::text;
use crate::model::front_matter::{FrontMatter, patch};

/// Merges whole page files; the error says why it cannot be done.
pub(super) fn merge(path: &str, base: &str, ours: &str, theirs: &str) -> Result<String, String> {
    let sides = [base, ours, theirs].map(|text| FrontMatter::parse(path, text));
    let [Ok(base_head), Ok(our_head), Ok(their_head)] = &sides else {
        // A page that cannot be read is still text.
        return text::lines(base, ours, theirs);
    };
    let (Some((base_block, base_body)), Some((our_block, our_body)), Some((their_block, their_body))) = (
        base.split_at_checked(base_head.body_offset),
        ours.split_at_checked(our_head.body_offset),
        theirs.split_at_checked(their_head.body_offset),
    ) else {
        return text::lines(base, ours, theirs);
    };
    let values = merge_maps(&base_head.values, &our_head.values, &their_head.values, "")?;
    let block = merge_blocks(path, [base_block, our_block, their_block], &our_head.values, &values)?;
    let body = text::prose(base_body, our_body, their_body)?;
    Ok(format!("{block}{body}"))
}

/// The front matter's text with these merged values: joined by line, which keeps both sides' comments, where that gives
/// the values; else our text with the keys set that the other side changed.
fn merge_blocks(
    path: &str,
    blocks: [&str; 3],
    ours: &Map<String, Value>,
    merged: &Map<String, Value>,
) -> Result<String, String> {
    let gives_values = |text: &str| {
        FrontMatter::parse(path, text).is_ok_and(|head| head.values == *merged && head.body_offset == text.len())
    };
    if let Ok(joined) = text::lines(blocks[0], blocks[1], blocks[2])
        && (gives_values(&joined) || (joined.is_empty() && merged.is_empty()))
    {
        return Ok(joined);
    }
    let text = patch(path, blocks[1], &difference(ours, merged)).map_err(|error| error.to_string())?;
    if gives_values(&text) { Ok(text) } else { Err("both sides changed the form of the front matter".into()) }
}

/// The merge patch that turns `from` into `to`.
fn difference(from: &Map<String, Value>, to: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in to {
        match (from.get(key), value) {
            (Some(old), new) if old == new => {}
            (Some(Value::Object(old)), Value::Object(new)) => {
                patch.insert(key.clone(), Value::Object(difference(old, new)));
            }
            (_, new) => {
                patch.insert(key.clone(), new.clone());
            }
        }
    }
    patch
}

fn merge_maps(
    base: &Map<String, Value>,
    ours: &Map<String, Value>,
    theirs: &Map<String, Value>,
    within: &str,
) -> Result<Map<String, Value>, String> {
    let mut merged = Map::new();
    let new_keys = theirs.keys().filter(|key| !ours.contains_key(*key));
    for key in ours.keys().chain(new_keys) {
        let name = if within.is_empty() { key.clone() } else { format!("{within}.{key}") };
        if let Some(value) = merge_values(base.get(key), ours.get(key), theirs.get(key), &name)? {
            merged.insert(key.clone(), value);
        }
    }
    Ok(merged)
}

fn merge_values(
    base: Option<&Value>,
    ours: Option<&Value>,
    theirs: Option<&Value>,
    name: &str,
) -> Result<Option<Value>, String> {
    if ours == theirs || theirs == base {
        return Ok(ours.cloned());
    }
    if ours == base {
        return Ok(theirs.cloned());
    }
    match (base, ours, theirs) {
        (Some(Value::Object(base)), Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
            merge_maps(base, ours, theirs, name).map(|map| Some(Value::Object(map)))
        }
        (base, Some(Value::Array(ours)), Some(Value::Array(theirs))) if is_set(ours) && is_set(theirs) => {
            let base = match base {
                Some(Value::Array(base)) if is_set(base) => base.as_slice(),
                None => &[],
                Some(_) => return Err(both_changed(name)),
            };
            Ok(Some(Value::Array(merge_sets(base, ours, theirs))))
        }
        _ => Err(both_changed(name)),
    }
}

fn both_changed(name: &str) -> String {
    format!("both sides changed the front matter key {name}")
}

/// Scalars only, none twice: tags, aliases, authors.
fn is_set(list: &[Value]) -> bool {
    list.iter().enumerate().all(|(at, value)| !value.is_array() && !value.is_object() && !list[..at].contains(value))
}

/// Our order without what they removed, then what they added.
fn merge_sets(base: &[Value], ours: &[Value], theirs: &[Value]) -> Vec<Value> {
    let kept = ours.iter().filter(|value| theirs.contains(value) || !base.contains(value));
    let added = theirs.iter().filter(|value| !base.contains(value) && !ours.contains(value));
    kept.chain(added).cloned().collect()
}
