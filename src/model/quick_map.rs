//! Hash maps for what is looked up millions of times in a build: the hasher takes a few nanoseconds for a path, a fifth of what the
//! standard one does, and is seeded by each process.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

/// A map by texts or numbers of the site.
pub type QuickMap<K, V> = HashMap<K, V, RandomState>;

/// A set of texts or numbers of the site.
pub type QuickSet<K> = HashSet<K, RandomState>;
