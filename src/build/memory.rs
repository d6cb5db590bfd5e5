//! What each output was made from, so that it is not made again while that stays the same.
//!
//! An output has two kinds of ingredients. What it is given (its page, its lists, the head, ...) is made before it is rendered, and
//! counts whole. What it looks up while it is rendered is recorded as questions with digests of the answers, and asked
//! again. Where all of them stand, rendering is not done: it could only come out the same.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check;
use super::edition::Edition;
use super::frame::Frame;
use super::links::Kind;
use super::lists::PageLists;
use super::reads::Reads;
use super::render::Done;
use super::template::{ListQuery, Lists};
use crate::model::{Digest, Digester, Page};

/// Something that is looked up while an output is rendered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Question {
    /// Which file a template name leads to.
    Template(String),
    /// A list of pages.
    Pages(ListQuery),
    /// One page.
    Page(String),
    /// A data file.
    Data(String),
    /// An address.
    Url(String),
    /// A whole address.
    Absolute(String),
    /// A link in Markdown that a template renders.
    Link(String, Kind),
}

impl Question {
    /// Whether the answer is the same wherever it is asked.
    fn is_shared(&self) -> bool {
        match self {
            Self::Template(_) | Self::Pages(_) | Self::Data(_) => true,
            Self::Url(raw) | Self::Absolute(raw) => raw.starts_with('/') && !raw.starts_with("//"),
            Self::Page(_) | Self::Link(..) => false,
        }
    }

    fn answer(&self, edition: &Edition<'_>, from: &Page) -> Digest {
        // What is asked in a language says so itself.
        let lists = PageLists { edition, page: from, language: None };
        match self {
            Self::Template(name) => template_digest(edition, name),
            Self::Pages(query) => lists.found(query, |found| digest_of(edition, found)),
            Self::Page(name) => digest_of(edition, lists.index(name).as_slice()),
            Self::Data(name) => digest_of_value(edition.data.get(name).map(|value| &**value)),
            Self::Url(raw) => Digest::of(lists.url(raw).as_bytes()),
            Self::Absolute(raw) => Digest::of(lists.absolute(raw).as_bytes()),
            Self::Link(raw, kind) => check::digest(edition.snapshot, &edition.finder().resolve(from, raw, *kind)),
        }
    }
}

/// Of what lists show of pages.
#[must_use]
pub(crate) fn digest_of(edition: &Edition<'_>, pages: &[usize]) -> Digest {
    let mut digester = Digester::default();
    for &index in pages {
        digester.add(&edition.stub_digest(index));
    }
    digester.finish()
}

/// Of a value, or of none.
#[must_use]
pub(crate) fn digest_of_value(value: Option<&Value>) -> Digest {
    let mut digester = Digester::default().with(&value.is_some());
    digester.value(value.unwrap_or(&Value::Null));
    digester.finish()
}

/// What an output is given, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Given {
    /// The name of its layout, and the theme's settings.
    pub(crate) theme: Digest,
    /// Its text, with the addresses in it.
    pub(crate) body: Digest,
    /// What templates see of its page.
    pub(crate) page: Digest,
    /// The lists it shows.
    pub(crate) lists: Digest,
    /// What templates see of the site.
    pub(crate) site: Digest,
    /// Its head.
    pub(crate) head: Digest,
}

impl Given {
    /// The first part that differs.
    fn differs(&self, other: &Self) -> Option<&'static str> {
        let parts = [
            ("text", self.body == other.body),
            ("page", self.page == other.page),
            ("list", self.lists == other.lists),
            ("site", self.site == other.site),
            ("theme", self.theme == other.theme),
            ("head", self.head == other.head),
        ];
        parts.into_iter().find(|(_, same)| !same).map(|(name, _)| name)
    }
}

/// What an output was made from, and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trace {
    given: Given,
    /// Indexes of shared questions.
    shared: Vec<u32>,
    /// Questions whose answer depends on the page.
    own: Vec<(Question, Digest)>,
    page: Digest,
    twin: Option<(String, Digest)>,
}

/// The outputs of one build of everything.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// The frame they were all made from; nothing outlives the process that it was made in.
    #[serde(skip)]
    frame: Weak<Frame>,
    engine: Digest,
    shared: Vec<(Question, Digest)>,
    traces: HashMap<String, Arc<Trace>>,
}

/// Whether whoever asked for a build has an output with this digest at this path.
pub type Have<'h> = dyn Fn(&str, Digest) -> bool + Sync + 'h;

/// One build's look at what was made before.
pub(crate) struct Recall<'a> {
    edition: &'a Edition<'a>,
    memory: &'a Memory,
    have: Option<&'a Have<'a>>,
    /// Nothing at all changed.
    same: bool,
    /// By index of the shared question.
    stands: Vec<bool>,
    /// The settings of the theme.
    pub(crate) settings: Digest,
    /// What templates see of the site, but for menus, by the language's index.
    sites: Vec<Digest>,
    engine: Digest,
}

/// How an output comes about that was made before.
pub(crate) enum Before {
    /// It stands.
    Same(Box<Done>),
    /// It has to be made; the word says why.
    Other(&'static str),
}

impl<'a> Recall<'a> {
    /// Asks the questions again that many outputs asked.
    #[must_use]
    pub(crate) fn new(edition: &'a Edition<'a>, memory: &'a Memory, have: Option<&'a Have<'a>>) -> Self {
        let (markdown, pictures) = (&edition.library.config.markdown, &edition.options.pictures);
        let engine = Digest::of(format!("{} {markdown:?} {pictures:?}", env!("CARGO_PKG_VERSION")).as_bytes());
        let home = edition.library.sections.get("content").map(|section| &edition.library.pages[section.page]);
        let same = std::ptr::eq(memory.frame.as_ptr(), Arc::as_ptr(edition.frame()));
        let stands = |(question, digest): &(Question, Digest)| {
            same || home.is_some_and(|home| question.answer(edition, home) == *digest)
        };
        let stands = memory.shared.iter().map(stands).collect();
        let settings = digest_of_value(Some(&Value::Object(edition.theme.templates.settings().clone())));
        let sites = edition.languages.iter().map(|language| digest_of_value(Some(&language.site))).collect();
        Self { edition, memory, have, same: same && memory.engine == engine, stands, settings, sites, engine }
    }

    /// What templates see of the site in a language from an address.
    #[must_use]
    pub(crate) fn site(&self, language: Option<&str>, url: &str) -> Digest {
        let menus = self.edition.in_language(language).menus.context(url);
        let site = self.sites[self.edition.languages.index(language)];
        Digester::default().with(&(site, digest_of_value(Some(&menus)))).finish()
    }

    /// An output of the very same site.
    #[must_use]
    pub(crate) fn whole(&self, path: &str) -> Option<Done> {
        self.memory.traces.get(path).filter(|_| self.same).and_then(|trace| self.done(path, trace))
    }

    /// An output that is given these things.
    #[must_use]
    pub(crate) fn before(&self, path: &str, given: &Given, from: &Page) -> Before {
        let Some(trace) = self.memory.traces.get(path) else { return Before::Other("new") };
        if self.memory.engine != self.engine {
            return Before::Other("engine");
        }
        if let Some(part) = trace.given.differs(given) {
            return Before::Other(part);
        }
        let shared = trace.shared.iter().find(|&&at| !self.stands.get(at as usize).is_some_and(|stands| *stands));
        if let Some(&at) = shared {
            let is_template = |(question, _): &(Question, Digest)| matches!(question, Question::Template(_));
            let template = self.memory.shared.get(at as usize).is_some_and(is_template);
            return Before::Other(if template { "template" } else { "list" });
        }
        if trace.own.iter().any(|(question, digest)| question.answer(self.edition, from) != *digest) {
            return Before::Other("link");
        }
        self.done(path, trace).map_or(Before::Other("forgotten"), |done| Before::Same(Box::new(done)))
    }

    fn done(&self, path: &str, trace: &Arc<Trace>) -> Option<Done> {
        let has = |path: &str, digest: Digest| self.have.is_some_and(|have| have(path, digest));
        let twin = trace.twin.iter().filter(|(path, _)| !self.edition.plan.jobs.contains_key(path));
        let made: Vec<(String, Digest)> = [(path.to_owned(), trace.page)].into_iter().chain(twin.cloned()).collect();
        let all = made.iter().all(|(path, digest)| has(path, *digest));
        all.then(|| Done { made, trail: Some(Trail::Before(Arc::clone(trace))), ..Done::default() })
    }
}

/// What an output was made from.
pub(crate) enum Trail {
    /// The same as before.
    Before(Arc<Trace>),
    /// It was made just now.
    Fresh(Box<Fresh>),
}

/// An output that was made just now, with all that decided about it.
pub(crate) struct Fresh {
    given: Given,
    reads: Reads,
    page: Option<Digest>,
    twin: Option<(String, Digest)>,
}

impl Fresh {
    /// What it was given, and what it looked up.
    #[must_use]
    pub(crate) fn new(given: Given, reads: Reads) -> Self {
        Self { given, reads, page: None, twin: None }
    }

    /// What came of it: digests of its outputs.
    pub(crate) fn made(&mut self, page: Option<Digest>, twin: Option<(String, Digest)>) {
        (self.page, self.twin) = (page, twin);
    }
}

/// The memory of a build while it is put together.
pub(crate) struct Next<'a> {
    edition: &'a Edition<'a>,
    before: &'a Memory,
    memory: Memory,
    /// Index of each shared question.
    known: HashMap<(Question, Digest), u32>,
    /// Answers that are the same for whole themes.
    templates: HashMap<String, Digest>,
}

impl<'a> Recall<'a> {
    /// Begins the memory of this build.
    #[must_use]
    pub(crate) fn begin(&self) -> Next<'a> {
        let memory = Memory { frame: Arc::downgrade(self.edition.frame()), engine: self.engine, ..Memory::default() };
        let (edition, before) = (self.edition, self.memory);
        Next { edition, before, memory, known: HashMap::new(), templates: HashMap::new() }
    }
}

impl Next<'_> {
    /// Keeps what one output was made from.
    pub(crate) fn keep(&mut self, path: &str, trail: Trail) {
        let trace = match trail {
            Trail::Before(trace) => {
                let questions = trace.shared.iter().filter_map(|&at| self.before.shared.get(at as usize).cloned());
                let shared = questions.map(|question| self.index(question)).collect();
                Arc::new(Trace { shared, ..(*trace).clone() })
            }
            Trail::Fresh(fresh) => {
                let Fresh { given, reads, page: Some(page), twin } = *fresh else { return };
                let (mut shared, mut own) = (Vec::new(), Vec::new());
                for name in reads.templates {
                    let digest = self.template(&name);
                    shared.push(self.index((Question::Template(name), digest)));
                }
                for question in reads.asked {
                    if question.0.is_shared() { shared.push(self.index(question)) } else { own.push(question) }
                }
                Arc::new(Trace { given, shared, own, page, twin })
            }
        };
        self.memory.traces.insert(path.to_owned(), trace);
    }

    /// The whole memory.
    #[must_use]
    pub(crate) fn end(self) -> Memory {
        self.memory
    }

    fn index(&mut self, question: (Question, Digest)) -> u32 {
        if let Some(&at) = self.known.get(&question) {
            return at;
        }
        let at = self.memory.shared.len() as u32;
        self.memory.shared.push(question.clone());
        self.known.insert(question, at);
        at
    }

    fn template(&mut self, name: &str) -> Digest {
        if let Some(digest) = self.templates.get(name) {
            return *digest;
        }
        let digest = template_digest(self.edition, name);
        self.templates.insert(name.to_owned(), digest);
        digest
    }
}

fn template_digest(edition: &Edition<'_>, name: &str) -> Digest {
    let file = edition.theme.templates.file_of(name).and_then(|path| edition.snapshot.get(path));
    Digester::default().with(&file.map(|file| file.id)).finish()
}
