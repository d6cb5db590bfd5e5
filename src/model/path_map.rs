//! A persistent ordered map by path: copies share what they have in common, so that a change costs what it changes.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use super::ContentPath;

/// Most entries of one chunk. A change copies one chunk; a copy of the map copies one pointer for each.
const MOST: usize = 128;
/// A smaller chunk joins its neighbour where both fit into one.
const FEW: usize = MOST / 4;

type Chunk<V> = Arc<Vec<(ContentPath, V)>>;

/// Paths in order, each with a value.
#[derive(Clone)]
pub struct PathMap<V> {
    /// Never empty ones, each wholly before the next.
    chunks: Vec<Chunk<V>>,
    len: usize,
}

/// A path that two maps do not agree about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differing<'a, A, B> {
    /// The path.
    pub path: &'a ContentPath,
    /// What the first map has.
    pub old: Option<&'a A>,
    /// What the second map has.
    pub new: Option<&'a B>,
}

impl<V> Default for PathMap<V> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<V: fmt::Debug> fmt::Debug for PathMap<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V> PathMap<V> {
    /// How many paths there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value at a path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&V> {
        let (chunk, at) = self.find(path).ok()?;
        self.chunks.get(chunk)?.get(at).map(|(_, value)| value)
    }

    /// The path and its value as they are kept.
    #[must_use]
    pub fn get_key_value(&self, path: &str) -> Option<(&ContentPath, &V)> {
        let (chunk, at) = self.find(path).ok()?;
        self.chunks.get(chunk)?.get(at).map(|(path, value)| (path, value))
    }

    /// All in path order.
    pub fn iter(&self) -> impl Iterator<Item = (&ContentPath, &V)> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).map(|(path, value)| (path, value))
    }

    /// All from a text on, in path order.
    pub fn from<'a>(&'a self, start: &str) -> impl Iterator<Item = (&'a ContentPath, &'a V)> + use<'a, V> {
        let (chunk, at) = self.find(start).unwrap_or_else(|place| place);
        let first = self.chunks.get(chunk).map(|chunk| &chunk[at..]).unwrap_or_default();
        let rest = self.chunks.get(chunk + 1..).unwrap_or_default().iter().flat_map(|chunk| chunk.iter());
        first.iter().chain(rest).map(|(path, value)| (path, value))
    }

    /// All below a folder given without its final slash, in path order.
    pub fn under<'a>(&'a self, folder: &str) -> impl Iterator<Item = (&'a ContentPath, &'a V)> {
        let prefix = format!("{folder}/");
        self.from(&prefix).take_while(move |(path, _)| path.as_str().starts_with(&prefix))
    }

    /// Where a path is, or where it would be: chunk, and place in it.
    fn find(&self, path: &str) -> Result<(usize, usize), (usize, usize)> {
        let after = self.chunks.partition_point(|chunk| chunk.first().is_some_and(|(first, _)| first.as_str() <= path));
        let chunk = after.saturating_sub(1);
        let Some(entries) = self.chunks.get(chunk) else { return Err((0, 0)) };
        match entries.binary_search_by(|(other, _)| other.as_str().cmp(path)) {
            Ok(at) => Ok((chunk, at)),
            Err(at) => Err((chunk, at)),
        }
    }

    /// The paths where two maps differ, as `same` sees it, in path order. What they share is not looked at.
    pub fn differences<'a, B>(
        &'a self,
        other: &'a PathMap<B>,
        same: impl Fn(&V, &B) -> bool,
        shared: impl Fn(&Chunk<V>, &Chunk<B>) -> bool,
    ) -> Vec<Differing<'a, V, B>> {
        let mut found = Vec::new();
        let (mut a, mut b) = (Cursor::new(&self.chunks), Cursor::new(&other.chunks));
        loop {
            if let (Some(x), Some(y)) = (a.whole_chunk(), b.whole_chunk())
                && shared(x, y)
            {
                a.skip_chunk();
                b.skip_chunk();
                continue;
            }
            let order = match (a.entry(), b.entry()) {
                (None, None) => return found,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((x, _)), Some((y, _))) => x.cmp(y),
            };
            let old = if order == Ordering::Greater { None } else { a.next() };
            let new = if order == Ordering::Less { None } else { b.next() };
            match (old, new) {
                (Some((_, old)), Some((_, new))) if same(old, new) => {}
                (Some((path, old)), new) => {
                    found.push(Differing { path, old: Some(old), new: new.map(|(_, new)| new) });
                }
                (None, Some((path, new))) => found.push(Differing { path, old: None, new: Some(new) }),
                (None, None) => return found,
            }
        }
    }
}

impl<V: Clone> PathMap<V> {
    /// A map of pairs whose paths come in order, none twice.
    pub fn of_sorted(pairs: impl IntoIterator<Item = (ContentPath, V)>) -> Self {
        let (mut chunks, mut len) = (Vec::new(), 0);
        let mut chunk = Vec::new();
        for pair in pairs {
            len += 1;
            chunk.push(pair);
            // Room is left, so that the first insertion does not split.
            if chunk.len() == MOST / 4 * 3 {
                chunks.push(Arc::new(std::mem::take(&mut chunk)));
            }
        }
        if !chunk.is_empty() {
            chunks.push(Arc::new(chunk));
        }
        Self { chunks, len }
    }

    /// Sets the value at a path; what was there before.
    pub fn insert(&mut self, path: ContentPath, value: V) -> Option<V> {
        let place = self.find(path.as_str());
        let (at, inner) = place.unwrap_or_else(|place| place);
        let Some(chunk) = self.chunks.get_mut(at) else {
            self.chunks.push(Arc::new(vec![(path, value)]));
            self.len += 1;
            return None;
        };
        let entries = Arc::make_mut(chunk);
        if place.is_ok() {
            return entries.get_mut(inner).map(|(_, old)| std::mem::replace(old, value));
        }
        entries.insert(inner, (path, value));
        self.len += 1;
        if entries.len() > MOST {
            let half = entries.split_off(MOST / 2);
            self.chunks.insert(at + 1, Arc::new(half));
        }
        None
    }

    /// Takes a path out; what was there.
    pub fn remove(&mut self, path: &str) -> Option<V> {
        let (at, inner) = self.find(path).ok()?;
        let entries = Arc::make_mut(self.chunks.get_mut(at)?);
        let (_, old) = entries.remove(inner);
        let left = entries.len();
        self.len -= 1;
        if left == 0 {
            self.chunks.remove(at);
        } else if left < FEW {
            self.join(at);
        }
        Some(old)
    }

    /// Joins a chunk with its neighbour where both fit into one.
    fn join(&mut self, at: usize) {
        let first = if at + 1 < self.chunks.len() { at } else { at.saturating_sub(1) };
        let (Some(left), Some(right)) = (self.chunks.get(first), self.chunks.get(first + 1)) else { return };
        if left.len() + right.len() <= MOST / 4 * 3 {
            let right = self.chunks.remove(first + 1);
            if let Some(left) = self.chunks.get_mut(first) {
                Arc::make_mut(left).extend(right.iter().cloned());
            }
        }
    }

    /// The paths where two states of one map differ, in path order, at the cost of what differs.
    pub fn changes<'a>(&'a self, later: &'a Self, same: impl Fn(&V, &V) -> bool) -> Vec<Differing<'a, V, V>> {
        self.differences(later, same, Arc::ptr_eq)
    }
}

impl<V: PartialEq + Clone> PartialEq for PathMap<V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.changes(other, PartialEq::eq).is_empty()
    }
}

impl<V: Eq + Clone> Eq for PathMap<V> {}

/// A place between two entries.
struct Cursor<'a, V> {
    chunks: &'a [Chunk<V>],
    at: usize,
}

impl<'a, V> Cursor<'a, V> {
    fn new(chunks: &'a [Chunk<V>]) -> Self {
        Self { chunks, at: 0 }
    }

    /// The chunk here, where none of it is behind.
    fn whole_chunk(&self) -> Option<&'a Chunk<V>> {
        if self.at == 0 { self.chunks.first() } else { None }
    }

    fn skip_chunk(&mut self) {
        self.chunks = self.chunks.get(1..).unwrap_or_default();
        self.at = 0;
    }

    fn entry(&self) -> Option<&'a (ContentPath, V)> {
        self.chunks.first()?.get(self.at)
    }

    fn next(&mut self) -> Option<&'a (ContentPath, V)> {
        let entry = self.entry()?;
        self.at += 1;
        if self.chunks.first().is_some_and(|chunk| self.at == chunk.len()) {
            self.skip_chunk();
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn path(n: u32) -> ContentPath {
        ContentPath::from_disk(&format!("content/{}/{n}.md", n % 7)).unwrap()
    }

    fn pairs<V: Copy>(map: &BTreeMap<ContentPath, V>) -> Vec<(ContentPath, V)> {
        map.iter().map(|(path, value)| (path.clone(), *value)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn it_is_an_ordered_map_and_differences_are_exact(
            start in proptest::collection::btree_set(0_u32..2_000, 0..700),
            edits in proptest::collection::vec((0_u32..2_000, proptest::option::of(0_u8..3)), 0..400),
        ) {
            let mut plain: BTreeMap<ContentPath, u8> = start.iter().map(|n| (path(*n), 0)).collect();
            let before = plain.clone();
            let mut map = PathMap::of_sorted(plain.clone());
            let kept = map.clone();
            for (n, value) in edits {
                let (was, wanted) = match value {
                    Some(value) => (map.insert(path(n), value), plain.insert(path(n), value)),
                    None => (map.remove(path(n).as_str()), plain.remove(&path(n))),
                };
                prop_assert_eq!(was, wanted);
                prop_assert_eq!(map.len(), plain.len());
            }
            let found: Vec<_> = map.iter().map(|(path, value)| (path.clone(), *value)).collect();
            prop_assert_eq!(&found, &pairs(&plain));
            let untouched: Vec<_> = kept.iter().map(|(path, value)| (path.clone(), *value)).collect();
            prop_assert_eq!(untouched, pairs(&before));
            for n in 0..2_000 {
                prop_assert_eq!(map.get(path(n).as_str()), plain.get(&path(n)));
            }
            let below: Vec<_> = map.under("content/3").map(|(path, _)| path.clone()).collect();
            let expected: Vec<_> = plain.keys().filter(|p| p.as_str().starts_with("content/3/")).cloned().collect();
            prop_assert_eq!(below, expected);
            let differing: Vec<_> = kept
                .changes(&map, PartialEq::eq)
                .into_iter()
                .map(|d| (d.path.clone(), d.old.copied(), d.new.copied()))
                .collect();
            let mut all = before.clone();
            all.extend(plain.clone());
            let expected: Vec<_> = all
                .keys()
                .map(|p| (p.clone(), before.get(p).copied(), plain.get(p).copied()))
                .filter(|(_, old, new)| old != new)
                .collect();
            prop_assert_eq!(&differing, &expected);
            prop_assert_eq!(kept == map, expected.is_empty());
            prop_assert!(map == PathMap::of_sorted(plain));
        }
    }

    #[test]
    fn a_change_copies_one_chunk_and_a_comparison_looks_at_no_more() {
        let one = PathMap::of_sorted(
            (10_000..60_000).map(|n| (ContentPath::from_disk(&format!("content/{n}.md")).unwrap(), n)),
        );
        let mut other = one.clone();
        other.insert(ContentPath::from_disk("content/40000.md").unwrap(), 0);
        let shared = one.chunks.iter().zip(&other.chunks).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(shared, one.chunks.len() - 1);
        let looked = std::cell::Cell::new(0);
        let same = |a: &i32, b: &i32| {
            looked.set(looked.get() + 1);
            a == b
        };
        assert_eq!(one.changes(&other, same).len(), 1);
        assert!(looked.get() <= MOST, "{}", looked.get());
    }
}
