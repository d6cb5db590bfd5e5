//! One build's site while it is rendered: a frame, with the files it was made from.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Map, Value};

use super::frame::Frame;
use super::languages::Language;
use super::links::Finder;
use super::template::{Kept, ListQuery};
use super::{Options, Stopwatch, context, lists, sections};
use crate::model::{Page, QuickMap, Snapshot};

/// Answers kept of one build: themes ask a handful of questions, again on every page.
const MOST_QUERIES: usize = 64;
/// Shares of what turns of loops write, so that threads seldom wait for each other.
const SHARES: usize = 16;
/// Bytes of it that are kept.
const MOST_TURNED: usize = 32 * 1024 * 1024;

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
    /// Contexts that hold what all pages of a language share, for the next ones: copying it costs more than rendering a short
    /// page.
    contexts: Mutex<Vec<SharedContext>>,
    /// Partials that are the same on every page of a language, by its index.
    kept: Vec<RwLock<HashMap<String, Arc<Kept>>>>,
    /// What turns of loops write for pages wherever they are listed.
    turns: [Mutex<QuickMap<OfTurn, Arc<Kept>>>; SHARES],
    /// Bytes of these.
    turned: AtomicUsize,
}

/// The language, the place of a turn in memory, and the page.
type OfTurn = (usize, usize, usize);

/// A context with what all pages of a language share.
#[derive(Debug)]
pub(crate) struct SharedContext {
    /// By its index.
    language: usize,
    /// The address that `site` is seen from.
    seen_from: String,
    pub(crate) values: Value,
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
        let kept = frame.languages.iter().map(|_| RwLock::default()).collect();
        let (queries, contexts) = (Mutex::default(), Mutex::default());
        let (turns, turned) = (Default::default(), AtomicUsize::new(0));
        Self { snapshot, options, frame, watch: None, queries, contexts, kept, turns, turned }
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

    /// What a language has of its own.
    #[must_use]
    pub(crate) fn in_language(&self, tag: Option<&str>) -> &Language {
        self.languages.get(tag)
    }

    /// A partial that is the same on every page of a language, where it was rendered before.
    #[must_use]
    pub(crate) fn kept(&self, language: Option<&str>, partial: &str) -> Option<Arc<Kept>> {
        let kept = &self.kept[self.languages.index(language)];
        kept.read().unwrap_or_else(PoisonError::into_inner).get(partial).cloned()
    }

    /// Keeps a partial that is the same on every page of a language.
    pub(crate) fn keep(&self, language: Option<&str>, partial: &str, made: Kept) {
        let kept = &self.kept[self.languages.index(language)];
        kept.write().unwrap_or_else(PoisonError::into_inner).insert(partial.to_owned(), Arc::new(made));
    }

    /// What a turn of a loop writes for a page, where it was rendered before.
    #[must_use]
    pub(crate) fn kept_turn(&self, language: Option<&str>, turn: usize, page: usize) -> Option<Arc<Kept>> {
        let turns = self.turns[page % SHARES].lock().unwrap_or_else(PoisonError::into_inner);
        turns.get(&(self.languages.index(language), turn, page)).map(Arc::clone)
    }

    /// Keeps what a turn writes for a page, as long as there is room.
    pub(crate) fn keep_turn(&self, language: Option<&str>, turn: usize, page: usize, made: Kept) {
        if self.turned.fetch_add(made.size(), Ordering::Relaxed) <= MOST_TURNED {
            let mut turns = self.turns[page % SHARES].lock().unwrap_or_else(PoisonError::into_inner);
            turns.insert((self.languages.index(language), turn, page), Arc::new(made));
        }
    }

    /// A context with what all pages of a language share, `site` as seen from an address.
    #[must_use]
    pub(crate) fn context(&self, language: Option<&str>, url: &str) -> SharedContext {
        let index = self.languages.index(language);
        let mut contexts = self.contexts.lock().unwrap_or_else(PoisonError::into_inner);
        let used = contexts.iter().rposition(|shared| shared.language == index).map(|at| contexts.swap_remove(at));
        drop(contexts);
        let Some(mut shared) = used else {
            let values = Map::from_iter([("site".to_owned(), context::site_at(self, language, url))]);
            return SharedContext { language: index, seen_from: url.to_owned(), values: Value::Object(values) };
        };
        if let Some(menus) = shared.values.get_mut("site").and_then(|site| site.get_mut("menus")) {
            self.in_language(language).menus.mark(menus, &shared.seen_from, url);
        }
        url.clone_into(&mut shared.seen_from);
        shared
    }

    /// Takes a context back, without what belongs to one page.
    pub(crate) fn give_back(&self, mut shared: SharedContext) {
        if let Value::Object(map) = &mut shared.values {
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
        let Some(source) = self.sources.get(index).and_then(Option::as_ref) else { return "" };
        let text = self.snapshot.text(self.library.pages[index].path.as_str()).unwrap_or_default();
        text.get(source.body_offset..).unwrap_or_default()
    }

    /// Pages that go into lists of all kinds in a language, in path order.
    pub(crate) fn listed(&self, language: Option<&str>) -> impl Iterator<Item = (usize, &Page)> {
        let pages = self.library.pages.iter().map(|page| &**page).enumerate();
        pages.filter(move |(_, page)| sections::listed(page) && self.library.language_of(page) == language)
    }

    /// The tag of a page's language, else that of a list, else the site's.
    #[must_use]
    pub(crate) fn tag<'p>(&'p self, page: Option<&'p Page>, language: Option<&'p str>) -> &'p str {
        page.and_then(|page| page.lang.as_deref()).or(language).unwrap_or(&self.library.config.language)
    }

    /// The page that a list without a page of its own looks things up from: the language's home page, else the site's.
    #[must_use]
    pub(crate) fn home(&self, language: Option<&str>) -> Option<&Page> {
        let home = |language| self.library.sections_in(language).get("content");
        home(language).or_else(|| home(None)).map(|section| &*self.library.pages[section.page])
    }
}
