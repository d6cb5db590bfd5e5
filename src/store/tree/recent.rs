//! The bytes of large folders that were written last: the next edits change one of them, and reading it again means to inflate and
//! to hash all of it.
//!
//! An object's id says what its bytes are, so they are the same in every repository.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use git2::Oid;

/// Folders that are remembered, of which a site with tens of thousands of pages has some dozens.
const MOST: usize = 64;
/// Bytes of them in all.
const MOST_BYTES: usize = 8 << 20;
/// Larger ones are not.
const LARGEST: usize = 1 << 20;

static RECENT: Mutex<Recent> = Mutex::new(Recent(VecDeque::new()));

/// The youngest first.
struct Recent(VecDeque<(Oid, Arc<Vec<u8>>)>);

impl Recent {
    fn known(&self, id: Oid) -> Option<Arc<Vec<u8>>> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, bytes)| Arc::clone(bytes))
    }

    fn remember(&mut self, id: Oid, bytes: Vec<u8>) {
        if bytes.len() > LARGEST {
            return;
        }
        self.0.retain(|(known, _)| *known != id);
        self.0.push_front((id, Arc::new(bytes)));
        let mut taken = 0;
        let fits = |(_, bytes): &&(Oid, Arc<Vec<u8>>)| {
            taken += bytes.len();
            taken <= MOST_BYTES
        };
        let kept = self.0.iter().take(MOST).take_while(fits).count();
        self.0.truncate(kept);
    }
}

/// The bytes of a tree, where they are remembered.
pub(super) fn known(id: Oid) -> Option<Arc<Vec<u8>>> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).known(id)
}

/// Forgets all, so that a test sees what is read.
#[cfg(test)]
pub(super) fn forget() {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).0.clear();
}

/// Remembers a tree in place of the oldest ones.
pub(super) fn remember(id: Oid, bytes: Vec<u8>) {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).remember(id, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_and_no_more_are_kept_than_there_is_room_for() {
        let mut recent = Recent(VecDeque::new());
        let id = |n: u8| Oid::from_bytes(&[n; 20]).unwrap();
        for n in 1..=20 {
            recent.remember(id(n), vec![n; LARGEST]);
        }
        let kept = |recent: &Recent, all: std::ops::RangeInclusive<u8>| -> Vec<u8> {
            all.filter(|n| recent.known(id(*n)).is_some_and(|bytes| bytes[0] == *n)).collect()
        };
        assert_eq!(kept(&recent, 1..=20), [13, 14, 15, 16, 17, 18, 19, 20]);
        recent.remember(id(21), vec![21; LARGEST + 1]);
        assert_eq!(kept(&recent, 13..=21).len(), 8, "what is too large changes nothing");
        (100..=200).for_each(|n| recent.remember(id(n), vec![n]));
        assert_eq!(kept(&recent, 100..=200), (200 - MOST as u8 + 1..=200).collect::<Vec<_>>());
    }
}
