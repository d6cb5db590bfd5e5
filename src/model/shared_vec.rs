//! A list of which copies share what they have in common: setting one entry of a copy costs a few of its neighbours.

use std::ops::Index;
use std::sync::Arc;

/// Entries that are copied together.
const PIECE: usize = 128;

/// A list with a fixed length, cheap to copy.
#[derive(Debug, Clone)]
pub struct SharedVec<T> {
    /// Each but the last has [`PIECE`] entries.
    pieces: Arc<Vec<Arc<Vec<T>>>>,
    len: usize,
}

impl<T: PartialEq> PartialEq for SharedVec<T> {
    fn eq(&self, other: &Self) -> bool {
        self.pieces == other.pieces
    }
}

impl<T> Default for SharedVec<T> {
    fn default() -> Self {
        Self { pieces: Arc::default(), len: 0 }
    }
}

impl<T> SharedVec<T> {
    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entry at an index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.pieces.get(index / PIECE)?.get(index % PIECE)
    }

    /// All entries in order.
    pub fn iter(&self) -> Entries<'_, T> {
        self.pieces.iter().flat_map(iter_piece as fn(&Arc<Vec<T>>) -> std::slice::Iter<'_, T>)
    }
}

impl<T: Clone> SharedVec<T> {
    /// Sets the entry at an index that there is.
    pub fn set(&mut self, index: usize, entry: T) {
        if let Some(place) = self.get_mut(index) {
            *place = entry;
        }
    }

    /// The entry at an index, to be changed here and in no other copy.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let piece = Arc::make_mut(&mut self.pieces).get_mut(index / PIECE)?;
        Arc::make_mut(piece).get_mut(index % PIECE)
    }
}

/// Entries of a [`SharedVec`] in order.
pub type Entries<'a, T> = std::iter::FlatMap<
    std::slice::Iter<'a, Arc<Vec<T>>>,
    std::slice::Iter<'a, T>,
    fn(&'a Arc<Vec<T>>) -> std::slice::Iter<'a, T>,
>;

fn iter_piece<T>(piece: &Arc<Vec<T>>) -> std::slice::Iter<'_, T> {
    piece.iter()
}

impl<T> Index<usize> for SharedVec<T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        &self.pieces[index / PIECE][index % PIECE]
    }
}

impl<'a, T> IntoIterator for &'a SharedVec<T> {
    type Item = &'a T;
    type IntoIter = Entries<'a, T>;

    fn into_iter(self) -> Entries<'a, T> {
        self.iter()
    }
}

impl<T> From<Vec<T>> for SharedVec<T> {
    fn from(all: Vec<T>) -> Self {
        let len = all.len();
        let mut pieces = Vec::with_capacity(len.div_ceil(PIECE));
        let mut rest = all.into_iter();
        while rest.len() > 0 {
            pieces.push(Arc::new(rest.by_ref().take(PIECE).collect()));
        }
        Self { pieces: Arc::new(pieces), len }
    }
}

impl<T> FromIterator<T> for SharedVec<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        Vec::from_iter(all).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_its_own_and_shares_the_rest() {
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7] {
            let all: SharedVec<usize> = (0..len).collect();
            assert_eq!((all.len(), all.is_empty(), all.get(len)), (len, len == 0, None));
            assert!(all.iter().copied().eq(0..len) && (&all).into_iter().count() == len);
            let mut other = all.clone();
            for at in [0, len / 2, len.saturating_sub(1)].into_iter().filter(|at| *at < len) {
                other.set(at, usize::MAX);
                assert_eq!((all[at], other[at]), (at, usize::MAX));
            }
            other.set(len, 1);
            assert!(other.iter().filter(|entry| **entry == usize::MAX).count() <= 3 && other.len() == len);
            let same = all.pieces.iter().zip(other.pieces.iter()).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
            assert!(same + 3 >= all.pieces.len());
        }
    }
}
