//! What a new page of a collection begins with.

use super::write::PageEdit;
use crate::model::{Config, ContentPath};

/// The edit with what the collection's archetype adds to it: keys and body that it does not name itself. `null` in its front
/// matter leaves a key out.
pub(super) fn begin(config: &Config, path: &ContentPath, edit: &PageEdit) -> Option<PageEdit> {
    let of_section = path.file_name().starts_with("_index.");
    let bundle = path.file_name().starts_with("index.");
    let folder = if bundle { path.folder().rsplit_once('/').map_or("content", |(up, _)| up) } else { path.folder() };
    let (_, collection) = config.collection_of(folder).filter(|_| !of_section)?;
    let archetype = &collection.archetype;
    let mut front_matter = edit.front_matter.clone().unwrap_or_default();
    for (key, value) in &archetype.front_matter {
        if !front_matter.contains_key(key) {
            front_matter.insert(key.clone(), value.clone());
        }
    }
    let body = edit.body.clone().or_else(|| (!archetype.body.is_empty()).then(|| archetype.body.clone()));
    let front_matter = (!front_matter.is_empty()).then_some(front_matter);
    Some(PageEdit { front_matter, body, ..edit.clone() })
}
