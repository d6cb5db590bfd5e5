//! The file of a page as the last stages see it: what many want to know of it is here, the rest is parsed when somebody asks.

use std::sync::{Arc, Mutex, PoisonError};

use super::load::{self, Parsed};
use crate::model::config::MarkdownConfig;
use crate::model::{Page, Snapshot};

/// The file of a page.
#[derive(Debug)]
pub(crate) struct Source {
    /// Where its body begins, in bytes.
    pub(crate) body_offset: usize,
    /// Fragments besides those of headings: ids in raw HTML.
    pub(crate) anchors: Vec<String>,
    /// Whether its body calls shortcodes.
    pub(crate) calls: bool,
    parsed: Mutex<Option<Arc<Parsed>>>,
}

impl Source {
    /// One that was just parsed.
    #[must_use]
    pub(crate) fn of(parsed: Arc<Parsed>) -> Self {
        let document = &parsed.document;
        let (anchors, calls) = (document.anchors.clone(), !document.shortcodes.is_empty());
        Self { body_offset: parsed.front_matter.body_offset, anchors, calls, parsed: Mutex::new(Some(parsed)) }
    }

    /// One that an earlier process parsed.
    #[must_use]
    pub(crate) fn later(body_offset: usize, anchors: Vec<String>, calls: bool) -> Self {
        Self { body_offset, anchors, calls, parsed: Mutex::default() }
    }

    /// All of it, from the files that its page was made from.
    #[must_use]
    pub(crate) fn parsed(&self, snapshot: &Snapshot, page: &Page, options: &MarkdownConfig) -> Option<Arc<Parsed>> {
        // The memo is whole after every statement, so a panic elsewhere does not spoil it.
        let mut parsed = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if parsed.is_none() {
            *parsed = load::parse(&page.path, snapshot.get(&page.path)?, options).ok().map(|(_, parsed)| parsed);
        }
        parsed.clone()
    }

    /// Forgets all but what is here: whoever asks again waits for it.
    pub(crate) fn release(&self) {
        *self.parsed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// All of it, where somebody asked before.
    #[must_use]
    pub(crate) fn known(&self) -> Option<Arc<Parsed>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
