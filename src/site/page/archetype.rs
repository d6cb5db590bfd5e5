//! What a new page of a collection begins with.

use jiff::Timestamp;
use serde_json::Value;

use super::write::PageEdit;
use crate::model::{Config, ContentPath};

/// What stands in an archetype for the moment a page is made, its day, and its title.
const SLOTS: [&str; 3] = ["{time}", "{date}", "{title}"];

/// The edit with what the collection's archetype adds to it: keys and body that it does not name itself. `null` in its front
/// matter leaves a key out.
pub(super) fn begin(config: &Config, now: Timestamp, path: &ContentPath, edit: &PageEdit) -> Option<PageEdit> {
    let of_section = path.file_name().starts_with("_index.");
    let bundle = path.file_name().starts_with("index.");
    let folder = if bundle { path.folder().rsplit_once('/').map_or("content", |(up, _)| up) } else { path.folder() };
    let (_, collection) = config.collection_of(folder).filter(|_| !of_section)?;
    let archetype = &collection.archetype;
    let mut front_matter = edit.front_matter.clone().unwrap_or_default();
    let zoned = now.to_zoned(config.time_zone());
    let title = front_matter.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    let filling = [zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(), zoned.date().to_string(), title];
    for (key, value) in &archetype.front_matter {
        if !front_matter.contains_key(key) {
            front_matter.insert(key.clone(), filled(value, &filling));
        }
    }
    let body = || (!archetype.body.is_empty()).then(|| with(&archetype.body, &filling));
    let body = edit.body.clone().or_else(body);
    let front_matter = (!front_matter.is_empty()).then_some(front_matter);
    Some(PageEdit { front_matter, body, ..edit.clone() })
}

/// A value with its slots filled, in lists and maps too.
fn filled(value: &Value, filling: &[String; 3]) -> Value {
    match value {
        Value::String(text) => with(text, filling).into(),
        Value::Array(items) => items.iter().map(|item| filled(item, filling)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), filled(value, filling))).collect(),
        value => value.clone(),
    }
}

fn with(text: &str, filling: &[String; 3]) -> String {
    SLOTS.iter().zip(filling).fold(text.to_owned(), |text, (slot, with)| text.replace(slot, with))
}
