//! Counts the pages of a stage that are done, for whoever follows the build, and ends the stage when nobody does.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::Progress;

/// Pages between two reports.
const EVERY: usize = 64;

/// A stage that goes through many pages at once.
pub(crate) struct Count<'a> {
    progress: &'a Progress,
    total: usize,
    what: &'static str,
    begun: AtomicUsize,
}

impl<'a> Count<'a> {
    /// A stage of `total` pages.
    #[must_use]
    pub(crate) fn new(progress: &'a Progress, total: usize, what: &'static str) -> Self {
        Self { progress, total, what, begun: AtomicUsize::new(0) }
    }

    /// One page more begins; false: leave it, nobody waits any more.
    pub(crate) fn next(&self) -> bool {
        let begun = self.begun.fetch_add(1, Ordering::Relaxed);
        if self.progress.is_cancelled() {
            return false;
        }
        if begun > 0 && begun.is_multiple_of(EVERY) {
            let what = format!("{}: {begun} of {}", self.what, self.total);
            self.progress.report(begun as f64 / self.total as f64, &what);
        }
        true
    }
}
