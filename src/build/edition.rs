//! One build's site while it is rendered: a frame, with the files it was made from.

use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::frame::Frame;
use super::links::Finder;
use super::template::ListQuery;
use super::{Options, Stopwatch, lists, memory, sections};
use crate::model::{Digest, Page, Snapshot};

/// Answers kept of one build: themes ask a handful of questions, again on every page.
const MOST_QUERIES: usize = 64;

/// Everything the last stage reads: a frame, what it was made from, and answers kept while it is rendered.
pub(crate) struct Edition<'a> {
    /// The sources.
    pub(crate) snapshot: &'a Snapshot,
    /// What the build was asked for.
    pub(crate) options: &'a Options,
    /// The site.
    frame: Arc<Frame>,
    /// Who measures.
    pub(crate) watch: Option<&'a Stopwatch>,
    /// Answers to what templates ask on every page.
    queries: Mutex<Vec<(ListQuery, Arc<Vec<usize>>)>>,
    /// Digests of stubs by page index, made where one is asked for.
    stub_digests: OnceLock<Vec<OnceLock<Digest>>>,
}

impl Deref for Edition<'_> {
    type Target = Frame;

    fn deref(&self) -> &Frame {
        &self.frame
    }
}

impl<'a> Edition<'a> {
    /// A frame with the sources it was made from.
    #[must_use]
    pub(crate) fn new(snapshot: &'a Snapshot, options: &'a Options, frame: Arc<Frame>) -> Self {
        Self { snapshot, options, frame, watch: None, queries: Mutex::default(), stub_digests: OnceLock::new() }
    }

    /// The frame that is rendered.
    #[must_use]
    pub(crate) fn frame(&self) -> &Arc<Frame> {
        &self.frame
    }

    /// The digest of what lists show of a page.
    #[must_use]
    pub(crate) fn stub_digest(&self, index: usize) -> Digest {
        let all = self.stub_digests.get_or_init(|| self.stubs.iter().map(|_| OnceLock::new()).collect());
        *all[index].get_or_init(|| memory::digest_of_value(Some(&self.stubs[index])))
    }

    /// The pages a template asks for, before limit and offset.
    #[must_use]
    pub(crate) fn query(&self, query: &ListQuery) -> Arc<Vec<usize>> {
        let key = ListQuery { limit: None, offset: 0, ..query.clone() };
        let known = |queries: &[(ListQuery, Arc<Vec<usize>>)]| {
            queries.iter().find(|(known, _)| *known == key).map(|(_, found)| Arc::clone(found))
        };
        // The memo is whole after every statement, so a panic elsewhere does not spoil it.
        if let Some(found) = known(&self.queries.lock().unwrap_or_else(PoisonError::into_inner)) {
            return found;
        }
        let found = Arc::new(lists::find(self, &key));
        let mut queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        if queries.len() < MOST_QUERIES {
            queries.push((key, Arc::clone(&found)));
        }
        found
    }

    /// What resolves links.
    #[must_use]
    pub(crate) fn finder(&self) -> Finder<'_> {
        self.frame.finder(self.snapshot)
    }

    /// The body of a page as written.
    #[must_use]
    pub(crate) fn body(&self, index: usize) -> &'a str {
        let Some(parsed) = self.parsed.get(index).and_then(Option::as_ref) else { return "" };
        let text = self.snapshot.text(self.library.pages[index].path.as_str()).unwrap_or_default();
        text.get(parsed.front_matter.body_offset..).unwrap_or_default()
    }

    /// Pages that go into lists of all kinds, in path order.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (usize, &Page)> {
        let pages = self.library.pages.iter().map(|page| &**page).enumerate();
        pages.filter(|(_, page)| sections::listed(page))
    }

    /// The site's language, or a page's own.
    #[must_use]
    pub(crate) fn language<'p>(&'p self, page: Option<&'p Page>) -> &'p str {
        page.and_then(|page| page.lang.as_deref()).unwrap_or(&self.library.config.language)
    }
}
