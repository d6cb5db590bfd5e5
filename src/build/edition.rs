//! One build's site while it is rendered: a frame, with the files it was made from.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use serde_json::{Map, Value};

use super::frame::Frame;
use super::links::Finder;
use super::template::{Kept, ListQuery};
use super::{Options, Stopwatch, context, lists, memory, sections};
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
    /// Contexts that hold what all pages share, for the next ones: copying it costs more than rendering a short page.
    contexts: Mutex<Vec<Value>>,
    /// Partials that are the same on every page.
    kept: RwLock<HashMap<String, Arc<Kept>>>,
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
        Self {
            snapshot,
            options,
            frame,
            watch: None,
            queries: Mutex::default(),
            stub_digests: OnceLock::new(),
            contexts: Mutex::default(),
            kept: RwLock::default(),
        }
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

    /// A partial that is the same on every page, where it was rendered before.
    #[must_use]
    pub(crate) fn kept(&self, partial: &str) -> Option<Arc<Kept>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).get(partial).cloned()
    }

    /// Keeps a partial that is the same on every page.
    pub(crate) fn keep(&self, partial: &str, made: Kept) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.insert(partial.to_owned(), Arc::new(made));
    }

    /// A context with what all pages share, `site` as seen from an address.
    #[must_use]
    pub(crate) fn context(&self, url: &str) -> Value {
        let used = self.contexts.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(mut shared) = used else {
            return Value::Object(Map::from_iter([("site".to_owned(), context::site_at(self, url))]));
        };
        if let Some(menus) = shared.get_mut("site").and_then(|site| site.get_mut("menus")) {
            self.menus.mark(menus, url);
        }
        shared
    }

    /// Takes a context back, without what belongs to one page.
    pub(crate) fn give_back(&self, mut shared: Value) {
        if let Value::Object(map) = &mut shared {
            map.retain(|key, _| matches!(key.as_str(), "site" | "settings"));
            self.contexts.lock().unwrap_or_else(PoisonError::into_inner).push(shared);
        }
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
