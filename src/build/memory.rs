//! What each output was made from, so that it is not made again while that stays the same.
//!
//! An output has two kinds of ingredients. What it is given (its page, its lists, the head, ...) is made before it is rendered, and
//! counts whole. What it looks up while it is rendered is recorded as questions with digests of the answers, and asked
//! again. Where all of them stand, rendering is not done: it could only come out the same.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check;
use super::edition::Edition;
use super::languages::Language;
use super::lineage::{Lineage, Touched};
use super::links::Kind;
use super::lists::PageLists;
use super::plan::Job;
use super::reads::Reads;
use super::render::Done;
use super::template::{ListQuery, Lists};
use crate::model::{Digest, Digester, Page, QuickMap};

/// Questions that no output asks any more are dropped where there are more of them than of the others, and than this.
const MOST_FORGOTTEN: usize = 256;

/// Why an output is made again: a template that it uses changed.
const TEMPLATE: &str = "template";

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
        let lists = PageLists { edition, page: from, language: None, shown: &[] };
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
    /// Of the site they were all made from.
    lineage: Lineage,
    engine: Digest,
    shared: Vec<(Question, Digest)>,
    traces: QuickMap<String, Arc<Trace>>,
}

impl Memory {
    /// Keeps these questions only.
    fn forget_all_but(&mut self, asked: &BTreeSet<u32>) {
        let place: HashMap<u32, u32> = asked.iter().copied().zip(0..).collect();
        let kept = asked.iter().filter_map(|&at| self.shared.get(at as usize).cloned()).collect();
        self.shared = kept;
        #[expect(clippy::iter_over_hash_type, reason = "each trace is changed by itself")]
        for trace in self.traces.values_mut() {
            let shared = trace.shared.iter().filter_map(|at| place.get(at).copied()).collect();
            *trace = Arc::new(Trace { shared, ..(**trace).clone() });
        }
    }
}

/// Whether whoever asked for a build has an output with this digest at this path.
pub type Have<'h> = dyn Fn(&str, Digest) -> bool + Sync + 'h;

/// One build's look at what was made before.
pub(crate) struct Recall<'a> {
    edition: &'a Edition<'a>,
    memory: &'a Memory,
    have: Option<&'a Have<'a>>,
    /// The pages that may have changed, where not all may have.
    touched: Option<Touched<'a>>,
    /// By index of the shared question.
    stands: Vec<bool>,
    /// The settings of the theme.
    pub(crate) settings: Digest,
    /// What templates see of the site from no address in particular, by the language's index.
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
        let known = memory.engine == engine;
        let touched = edition.lineage.between(&memory.lineage).filter(|_| known);
        let touched = touched.map(|pages| Touched::of(&edition.library, pages));
        let same = touched.as_ref().is_some_and(Touched::is_empty);
        // Texts decide about lists and pages only.
        let of_texts =
            |question: &Question| touched.is_none() || !matches!(question, Question::Template(_) | Question::Data(_));
        let stands = |(question, digest): &(Question, Digest)| {
            same || !of_texts(question) || home.is_some_and(|home| question.answer(edition, home) == *digest)
        };
        let stands = memory.shared.iter().map(stands).collect();
        let settings = digest_of_value(Some(&Value::Object(edition.theme.templates.settings().clone())));
        let site = |language: &Language| {
            Digester::default()
                .with(&(digest_of_value(Some(&language.site)), digest_of_value(Some(&language.menus.context("")))))
        };
        let sites = edition.languages.iter().map(|language| site(language).finish()).collect();
        Self { edition, memory, have, touched, stands, settings, sites, engine }
    }

    /// What templates see of the site in a language from an address.
    #[must_use]
    pub(crate) fn site(&self, language: Option<&str>, url: &str) -> Digest {
        let mut digester = Digester::default().with(&self.sites[self.edition.languages.index(language)]);
        self.edition.in_language(language).menus.seen_from(url, &mut digester);
        digester.finish()
    }

    /// An output that is surely given the same as before, so that it need not even be seen what.
    #[must_use]
    pub(crate) fn spared(&self, path: &str, job: &Job) -> Option<Done> {
        let touched = self.touched.as_ref()?;
        let trace = self.memory.traces.get(path).filter(|_| touched.spares(&self.edition.library, job))?;
        if !touched.is_empty() && self.changed(trace, self.place(job)?).is_some() {
            return None;
        }
        self.done(path, trace)
    }

    /// Where a job's look-ups start.
    fn place(&self, job: &Job) -> Option<&Page> {
        let library = &self.edition.library;
        let index = match job {
            Job::Page(index) | Job::SectionList(index, _) => *index,
            Job::Taxonomy(language, _) | Job::Term(language, ..) => return self.edition.home(language.as_deref()),
            _ => return self.edition.home(None),
        };
        library.pages.get(index).map(|page| &**page)
    }

    /// An output that is given these things.
    #[must_use]
    pub(crate) fn before(&self, path: &str, given: &Given, from: &Page) -> Before {
        let Some(trace) = self.memory.traces.get(path) else { return Before::Other("new") };
        if self.memory.engine != self.engine {
            return Before::Other("engine");
        }
        // What a layout is given goes by what it may read: a template that changed is the reason for both.
        let changed = self.changed(trace, from);
        let template = changed.filter(|reason| *reason == TEMPLATE);
        if let Some(reason) = template.or_else(|| trace.given.differs(given)).or(changed) {
            return Before::Other(reason);
        }
        self.done(path, trace).map_or(Before::Other("forgotten"), |done| Before::Same(Box::new(done)))
    }

    /// What an output looked up and would find otherwise now.
    fn changed(&self, trace: &Trace, from: &Page) -> Option<&'static str> {
        let shared = trace.shared.iter().find(|&&at| !self.stands.get(at as usize).is_some_and(|stands| *stands));
        if let Some(&at) = shared {
            let is_template = |(question, _): &(Question, Digest)| matches!(question, Question::Template(_));
            let template = self.memory.shared.get(at as usize).is_some_and(is_template);
            return Some(if template { TEMPLATE } else { "list" });
        }
        let differs = |(question, digest): &(Question, Digest)| question.answer(self.edition, from) != *digest;
        trace.own.iter().any(differs).then_some("link")
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
    memory: Memory,
    /// Index of each shared question.
    known: QuickMap<(Question, Digest), u32>,
    /// Answers that are the same for whole themes.
    templates: QuickMap<String, Digest>,
}

impl<'a> Recall<'a> {
    /// Begins the memory of this build. Questions keep their numbers, so that what stands is kept as it is.
    #[must_use]
    pub(crate) fn begin(&self) -> Next<'a> {
        let shared = self.memory.shared.clone();
        let known = shared.iter().cloned().zip(0..).collect();
        let mut traces = QuickMap::default();
        traces.reserve(self.edition.plan.jobs.len());
        let memory = Memory { lineage: self.edition.lineage.clone(), engine: self.engine, shared, traces };
        Next { edition: self.edition, memory, known, templates: QuickMap::default() }
    }
}

impl Next<'_> {
    /// Keeps what one output was made from.
    pub(crate) fn keep(&mut self, path: &str, trail: Trail) {
        let trace = match trail {
            Trail::Before(trace) => trace,
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
        let mut memory = self.memory;
        let asked: BTreeSet<u32> = memory.traces.values().flat_map(|trace| trace.shared.iter().copied()).collect();
        if memory.shared.len() > MOST_FORGOTTEN + 2 * asked.len() {
            memory.forget_all_but(&asked);
        }
        memory
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
