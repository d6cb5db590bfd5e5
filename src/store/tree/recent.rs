//! The bytes of large folders that were written last: the next edit changes one of them, and reading it again means to inflate and to
//! hash all of it.
//!
//! An object's id says what its bytes are, so they are the same in every repository.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use git2::Oid;

/// Folders that are remembered: those of two or three edits that go on side by side.
const MOST: usize = 6;
/// Larger ones are not.
const LARGEST: usize = 1 << 20;

static RECENT: Mutex<VecDeque<(Oid, Arc<Vec<u8>>)>> = Mutex::new(VecDeque::new());

/// The bytes of a tree, where they are remembered.
pub(super) fn known(id: Oid) -> Option<Arc<Vec<u8>>> {
    let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.iter().find(|(known, _)| *known == id).map(|(_, bytes)| Arc::clone(bytes))
}

/// Forgets all, so that a test sees what is read.
#[cfg(test)]
pub(super) fn forget() {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Remembers a tree in place of the oldest one.
pub(super) fn remember(id: Oid, bytes: Vec<u8>) {
    if bytes.len() > LARGEST {
        return;
    }
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.retain(|(known, _)| *known != id);
    recent.truncate(MOST - 1);
    recent.push_front((id, Arc::new(bytes)));
}
