//! Names that a file system without case or Unicode form takes for the same, so that no edit makes a site that cannot be checked out there.

use std::collections::{HashMap, hash_map};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use super::Repository;
use crate::model::Snapshot;

/// By folded form: a spelling, and how many files need it.
type Names = HashMap<String, (String, usize)>;

/// Spellings of every path and folder of one state of the files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spellings {
    of: Arc<Snapshot>,
    names: Names,
}

/// The spellings of a state with edits on top.
#[derive(Debug)]
pub(crate) struct Spelled {
    base: Arc<Spellings>,
    /// By folded form: how many files of the base are removed.
    removed: HashMap<String, usize>,
    added: Names,
}

impl Repository {
    /// The spellings of a state; from those of the state before, at the cost of what differs.
    pub(crate) fn spellings(&self, of: &Arc<Snapshot>) -> Spelled {
        let mut cache = self.cache();
        let mut known = cache.spellings.take().unwrap_or_default();
        if !Arc::ptr_eq(&known.of, of) {
            let spellings = Arc::make_mut(&mut known);
            for difference in spellings.of.changes(of) {
                match (difference.old, difference.new) {
                    (None, Some(_)) => spell(difference.path.as_str(), &mut spellings.names),
                    (Some(_), None) => forget(difference.path.as_str(), &mut spellings.names),
                    _ => {}
                }
            }
            spellings.of = Arc::clone(of);
        }
        cache.spellings = Some(Arc::clone(&known));
        Spelled { base: known, removed: HashMap::new(), added: Names::new() }
    }
}

impl Spelled {
    /// A path that an edit brings.
    pub(crate) fn add(&mut self, path: &str) {
        if self.base.of.contains(path) {
            for prefix in prefixes(path) {
                self.removed.entry(folded(prefix)).and_modify(|count| *count = count.saturating_sub(1));
            }
        } else {
            spell(path, &mut self.added);
        }
    }

    /// A path that an edit takes away.
    pub(crate) fn remove(&mut self, path: &str) {
        if self.base.of.contains(path) {
            prefixes(path).for_each(|prefix| *self.removed.entry(folded(prefix)).or_default() += 1);
        } else {
            forget(path, &mut self.added);
        }
    }

    /// An existing path or folder that a new path would be confused with.
    pub(crate) fn collision(&self, path: &str) -> Option<String> {
        prefixes(path).find_map(|prefix| {
            let folded = folded(prefix);
            let removed = self.removed.get(&folded).copied().unwrap_or_default();
            let base = self.base.names.get(&folded).filter(|(_, count)| *count > removed);
            let (known, _) = base.or_else(|| self.added.get(&folded))?;
            (known != prefix).then(|| known.clone())
        })
    }
}

/// The path's folders from the top, then the path.
pub(super) fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(i, _)| &path[..i]).chain([path])
}

fn spell(path: &str, names: &mut Names) {
    for prefix in prefixes(path) {
        names.entry(folded(prefix)).or_insert_with(|| (prefix.to_owned(), 0)).1 += 1;
    }
}

fn forget(path: &str, names: &mut Names) {
    for prefix in prefixes(path) {
        if let hash_map::Entry::Occupied(mut known) = names.entry(folded(prefix)) {
            let count = &mut known.get_mut().1;
            *count = count.saturating_sub(1);
            if known.get().1 == 0 {
                known.remove();
            }
        }
    }
}

/// What a file system that ignores case and Unicode form sees.
fn folded(path: &str) -> String {
    if path.is_ascii() { path.to_ascii_lowercase() } else { path.nfkc().flat_map(char::to_lowercase).nfkc().collect() }
}
