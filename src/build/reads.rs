//! What a piece of work read of the site while it ran, so that a later build knows whether it would come out the same.
//!
//! Work runs on one thread from beginning to end. Where a thread takes up another piece in between, that one is recorded
//! within, and what it reads does not count for the outer one.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::memory::Question;
use crate::model::Digest;

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Pages whose headings decided about a link.
    pub(crate) anchors: BTreeSet<usize>,
    /// Names of templates that were looked up, whether they are there or not.
    pub(crate) templates: BTreeSet<String>,
    /// What was asked while it ran, with digests of the answers.
    pub(crate) asked: Vec<(Question, Digest)>,
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

fn note(add: impl FnOnce(&mut Reads)) {
    OPEN.with_borrow_mut(|open| open.last_mut().map(add));
}

/// What another piece read counts for this one too.
pub(crate) fn also(other: &Reads) {
    note(|reads| {
        reads.anchors.extend(&other.anchors);
        reads.templates.extend(other.templates.iter().cloned());
        for question in &other.asked {
            if !reads.asked.contains(question) {
                reads.asked.push(question.clone());
            }
        }
    });
}

/// The headings of a page were looked at.
pub(crate) fn anchors(page: Option<usize>) {
    note(|reads| reads.anchors.extend(page));
}

/// A template was looked up.
pub(crate) fn template(name: &str) {
    note(|reads| {
        if !reads.templates.contains(name) {
            reads.templates.insert(name.to_owned());
        }
    });
}

/// Something was asked. The question is made only where somebody records.
pub(crate) fn asked(question: impl FnOnce() -> (Question, Digest)) {
    if OPEN.with_borrow(Vec::is_empty) {
        return;
    }
    let question = question();
    note(|reads| {
        if !reads.asked.contains(&question) {
            reads.asked.push(question);
        }
    });
}

impl Reads {
    /// Adds what another piece read.
    pub(crate) fn merge(&mut self, other: Self) {
        self.anchors.extend(other.anchors);
        self.templates.extend(other.templates);
        self.asked.extend(other.asked);
    }
}
