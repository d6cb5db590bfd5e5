//! How paths are spelt, so that no two differ only in case or Unicode form.

use std::collections::{HashMap, hash_map};

use unicode_normalization::UnicodeNormalization;

/// By folded form: a spelling, and how many files need it.
pub(super) type Spellings = HashMap<String, (String, usize)>;

/// The path's folders from the top, then the path.
pub(super) fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(i, _)| &path[..i]).chain([path])
}

pub(super) fn spell(path: &str, spellings: &mut Spellings) {
    for prefix in prefixes(path) {
        spellings.entry(folded(prefix)).or_insert_with(|| (prefix.to_owned(), 0)).1 += 1;
    }
}

pub(super) fn forget(path: &str, spellings: &mut Spellings) {
    for prefix in prefixes(path) {
        if let hash_map::Entry::Occupied(mut known) = spellings.entry(folded(prefix)) {
            let count = &mut known.get_mut().1;
            *count = count.saturating_sub(1);
            if known.get().1 == 0 {
                known.remove();
            }
        }
    }
}

/// What a file system that ignores case and Unicode form sees.
pub(super) fn folded(path: &str) -> String {
    if path.is_ascii() { path.to_ascii_lowercase() } else { path.nfkc().flat_map(char::to_lowercase).nfkc().collect() }
}
