//! What a piece of work read of the site while it ran, so that a later build knows whether it would come out the same.
//!
//! Work runs on one thread from beginning to end. Where a thread takes up another piece in between, that one is recorded
//! within, and what it reads does not count for the outer one.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// What was read beyond addresses and titles, which every link depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Pages whose headings decided about a link.
    pub(crate) anchors: BTreeSet<usize>,
}

thread_local! {
    static OPEN: RefCell<Vec<Reads>> = const { RefCell::new(Vec::new()) };
}

/// Takes the record off again, also where the work panics.
struct Open;

impl Drop for Open {
    fn drop(&mut self) {
        OPEN.with_borrow_mut(Vec::pop);
    }
}

/// Runs a piece of work and says what it read.
pub(crate) fn record<T>(work: impl FnOnce() -> T) -> (T, Reads) {
    OPEN.with_borrow_mut(|open| open.push(Reads::default()));
    let guard = Open;
    let done = work();
    let reads = OPEN.with_borrow_mut(|open| open.last_mut().map(std::mem::take).unwrap_or_default());
    drop(guard);
    (done, reads)
}

/// The headings of a page were looked at.
pub(crate) fn anchors(page: Option<usize>) {
    OPEN.with_borrow_mut(|open| {
        if let (Some(reads), Some(page)) = (open.last_mut(), page) {
            reads.anchors.insert(page);
        }
    });
}

impl Reads {
    /// Adds what another piece read.
    pub(crate) fn merge(&mut self, other: Self) {
        self.anchors.extend(other.anchors);
    }
}
