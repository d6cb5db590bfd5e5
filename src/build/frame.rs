//! The site of one snapshot before anything is rendered: pages, lists, links, menus and what is wrong with them, ready to be
//! asked. Where only the text of pages changed, the next frame is made from the one before.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::address::Base;
use super::cache::{Cache, Compiled};
use super::check::{self, OfPage};
use super::edition::Edition;
use super::languages::Languages;
use super::library;
use super::lineage::Lineage;
use super::links::Finder;
use super::load;
use super::menu;
use super::names::Names;
use super::order::{self, Sort};
use super::outputs;
use super::plan::{self, Plan};
use super::reads::{self, Reads};
use super::sections::Folders;
use super::source::Source;
use super::stub::Stub;
use super::translations::{self, Translations};
use super::{CHECKED, Options, READING, Scope, Stopwatch, context, data, highlight, schema, seo, stopwatch};
use crate::error::Result;
use crate::model::{
    Config, ContentPath, Diagnostic, Digest, Digester, Library, Page, PathKind, Progress, QuickMap, SharedVec, Snapshot,
};

/// Neighbours in a section: the one before and the one after.
type Neighbours = Vec<(Option<usize>, Option<usize>)>;

/// A site ready to be rendered. Cheap to copy.
#[derive(Clone)]
pub(crate) struct Frame {
    /// Address of the site.
    pub(crate) base: Base,
    /// Pages, sections, terms, with links resolved.
    pub(crate) library: Library,
    /// By page index; `None` for pages without a file.
    pub(crate) sources: SharedVec<Option<Arc<Source>>>,
    /// The theme.
    pub(crate) theme: Arc<Compiled>,
    /// Output files.
    pub(crate) plan: Arc<Plan>,
    /// Pages by name.
    pub(crate) names: Arc<Names>,
    /// What lists show of a page, by page index; made when somebody asks.
    pub(super) stubs: SharedVec<OnceLock<Arc<Stub>>>,
    /// Data files by name.
    pub(crate) data: Arc<HashMap<String, Arc<Value>>>,
    /// By page index.
    pub(crate) neighbours: Arc<Neighbours>,
    /// Pages with what they are translations of.
    pub(crate) translations: Arc<Translations>,
    /// What each language has of its own.
    pub(crate) languages: Arc<Languages>,
    /// When a scheduled page comes up or one expires: it is another site from then on.
    pub(crate) until: Option<jiff::Timestamp>,
    /// By page index: of what rendering writes for the links of its body.
    pub(crate) links: SharedVec<Digest>,
    /// Where it comes from.
    pub(crate) lineage: Lineage,
    pub(super) folders: Arc<Folders>,
    /// What is wrong with the site as a whole, and what finding it out depended on.
    pub(super) general: Arc<(Vec<Diagnostic>, Reads)>,
    /// By page index; `None`: nothing.
    pub(super) noted: SharedVec<Option<Arc<Noted>>>,
}

/// What is wrong with one page.
#[derive(Default)]
pub(super) struct Noted {
    /// With its file.
    pub(super) file: Vec<Diagnostic>,
    /// With its links and front matter.
    pub(super) links: Vec<Diagnostic>,
    /// What finding that out depended on.
    pub(super) reads: Reads,
}

impl Noted {
    fn of(file: Vec<Diagnostic>, of_page: &mut OfPage) -> Option<Arc<Self>> {
        let links = std::mem::take(&mut of_page.findings);
        let reads = std::mem::take(&mut of_page.reads);
        let nothing = file.is_empty() && links.is_empty() && reads == Reads::default();
        (!nothing).then(|| Arc::new(Self { file, links, reads }))
    }
}

impl Frame {
    /// Reads a whole snapshot.
    pub(super) fn read(
        snapshot: &Snapshot,
        options: &Options,
        cache: &Cache,
        progress: &Progress,
        watch: Option<&Stopwatch>,
    ) -> Result<Self> {
        let stage = |name| stopwatch::stage(watch, name);
        stage("read pages");
        let (config, mut found) = Config::load(snapshot)?;
        progress.step(0.0, "Reading pages")?;
        let (loaded, more) = load::load(snapshot, &config, cache, &progress.part(0.0, READING));
        progress.proceed()?;
        found.extend(more);
        if options.scope == Scope::Everything && !cache.remembers(options) {
            highlight::prepare(loaded.iter().flat_map(|page| page.parsed.document.fences()));
        }
        stage("compile theme");
        let theme = cache.templates(snapshot, &config.theme, &config.theme_settings);
        found.extend(theme.findings.iter().cloned());
        stage("assemble");
        let base = library::base(&config, options);
        let (assembled, more) = library::assemble(snapshot, config, options, &loaded);
        found.extend(more);
        drop(loaded);
        progress.step(READING, "Checking links")?;
        let ((mut frame, more), mut general_reads) =
            reads::record(|| Self::bare(snapshot, options, theme, base, assembled.library));
        found.extend(more);
        let noted = assembled.noted;
        (frame.sources, frame.folders, frame.until) = (assembled.sources, assembled.folders, assembled.until);
        stage("check links");
        let ((), more_reads) = {
            let progress = progress.part(READING, CHECKED);
            reads::record(|| frame.resolve(snapshot, noted, &progress, &mut found))
        };
        general_reads.merge(more_reads);
        progress.proceed()?;
        stage("prepare lists");
        let frame = frame.fill(snapshot, options, &mut found);
        progress.proceed()?;
        progress.report(CHECKED, "Rendering");
        Ok(Self { general: Arc::new((found, general_reads)), ..frame })
    }

    /// All that follows from pages and theme alone.
    pub(super) fn bare(
        snapshot: &Snapshot,
        options: &Options,
        theme: Arc<Compiled>,
        base: Base,
        library: Library,
    ) -> (Self, Vec<Diagnostic>) {
        let planned = || plan::plan(snapshot, &library, &theme.templates, &base);
        let ordered = || rayon::join(|| neighbours(&library), || Languages::of(&library));
        let (((plan, found), names), ((neighbours, languages), translations)) = rayon::join(
            || rayon::join(planned, || Names::of(&library)),
            || rayon::join(ordered, || Translations::of(&library)),
        );
        let frame = Self {
            base,
            names: Arc::new(names),
            translations: Arc::new(translations),
            neighbours: Arc::new(neighbours),
            languages,
            stubs: library.pages.iter().map(|_| OnceLock::new()).collect(),
            library,
            sources: SharedVec::default(),
            theme,
            plan: Arc::new(plan),
            data: Arc::default(),
            until: None,
            links: SharedVec::default(),
            lineage: Lineage::new(snapshot, options),
            folders: Arc::default(),
            general: Arc::default(),
            noted: SharedVec::default(),
        };
        (frame, found)
    }

    /// Links, menus and data, and what is wrong with them.
    fn resolve(
        &mut self,
        snapshot: &Snapshot,
        noted: Vec<Vec<Diagnostic>>,
        progress: &Progress,
        found: &mut Vec<Diagnostic>,
    ) {
        let finder = self.finder(snapshot);
        let templates = &self.theme.templates;
        let mut checked = check::check(&finder, templates, progress);
        found.extend(schema::check_collections(&finder, templates));
        found.extend(seo::check(&finder));
        found.extend(translations::check(&self.library));
        let menus: Vec<_> =
            self.languages.iter().map(|language| menu::resolve(&finder, &self.translations, language)).collect();
        let (data, more) = data::load(snapshot);
        found.extend(more);
        self.noted = noted.into_iter().zip(&mut checked).map(|(file, of_page)| Noted::of(file, of_page)).collect();
        self.links = checked.iter().map(|of_page| of_page.digest).collect();
        for (index, of_page) in checked.into_iter().enumerate().filter(|(_, of_page)| !of_page.links.is_empty()) {
            if let Some(page) = self.library.pages.get_mut(index) {
                Arc::make_mut(page).links = of_page.links;
            }
        }
        self.library.backlinks = Arc::new(check::backlinks(&self.library));
        for (language, (menus, more)) in Arc::make_mut(&mut self.languages).iter_mut().zip(menus) {
            language.menus = menus;
            found.extend(more);
        }
        self.data = Arc::new(data);
    }

    /// What templates see of the site and in lists.
    pub(super) fn fill(self, snapshot: &Snapshot, options: &Options, found: &mut Vec<Diagnostic>) -> Self {
        let mut frame = Arc::new(self);
        let edition = Edition::new(snapshot, options, Arc::clone(&frame));
        let sites: Vec<Value> = frame.languages.iter().map(|language| context::site(&edition, language)).collect();
        found.extend(outputs::host::check(&edition));
        drop(edition);
        let filled = Arc::make_mut(&mut frame);
        for (language, site) in Arc::make_mut(&mut filled.languages).iter_mut().zip(sites) {
            language.site = site;
        }
        Arc::unwrap_or_clone(frame)
    }

    /// The frame of a snapshot that has another text for these pages and is the same otherwise. `None` where that touches
    /// more than the pages themselves: addresses, titles, places in lists.
    pub(super) fn with_texts(
        &self,
        snapshot: &Snapshot,
        options: &Options,
        cache: &Cache,
        changed: &[ContentPath],
    ) -> Option<Self> {
        let mut next = self.clone();
        let batch = cache.batch(&self.library.config.markdown);
        let (mut edited, mut moved) = (HashMap::new(), BTreeSet::new());
        for path in changed {
            let file = snapshot.get(path).filter(|_| path.kind() == PathKind::Page)?;
            let loaded = load::one(path, file, &self.library.config, &batch).ok()?;
            batch.keep([(file.id, &loaded.parsed)].into_iter());
            let &index = self.library.by_path.get(path)?;
            let (page, found, until) = library::reassemble(&self.library, &self.folders, options, &loaded)?;
            if !stands(&self.library.config, &self.library.pages[index], &page) {
                return None;
            }
            let source = Source::of(loaded.parsed);
            let before = (&self.library.pages[index], self.sources[index].as_ref());
            if before.1.is_none_or(|of| !same_anchors((before.0, of), (&page, &source))) {
                moved.insert(index);
            }
            next.library.pages.set(index, Arc::new(page));
            next.sources.set(index, Some(Arc::new(source)));
            next.stubs.set(index, OnceLock::new());
            next.until = next.until.into_iter().chain(until).min();
            edited.insert(index, found);
        }
        if !self.general.1.anchors.is_disjoint(&moved) {
            return None;
        }
        let touched = next.check_again(snapshot, self, edited, &moved);
        let now = |index: usize| {
            let of = &next.library;
            Digester::default().with(&(of.pages[index].blob, next.links[index], of.backlinks.get(&index))).finish()
        };
        let lineage = self.lineage.with(touched.into_iter().map(|index| (index, now(index))));
        Some(Self { lineage, ..next })
    }

    /// Checks the links of edited pages (by index, with what is wrong with their files), and those that lead to headings
    /// which moved. All pages of which something changed with that.
    fn check_again(
        &mut self,
        snapshot: &Snapshot,
        before: &Self,
        mut edited: HashMap<usize, Vec<Diagnostic>>,
        moved: &BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let leads =
            |noted: &Option<Arc<Noted>>| noted.as_ref().is_some_and(|noted| !noted.reads.anchors.is_disjoint(moved));
        let mut again: BTreeSet<usize> = edited.keys().copied().collect();
        if !moved.is_empty() {
            again.extend(before.noted.iter().enumerate().filter(|(_, noted)| leads(noted)).map(|(index, _)| index));
        }
        let mut touched = again.clone();
        for index in again {
            let mut of_page = check::page(&self.finder(snapshot), &self.theme.templates, index);
            let file = edited
                .remove(&index)
                .unwrap_or_else(|| before.noted[index].as_ref().map(|noted| noted.file.clone()).unwrap_or_default());
            self.noted.set(index, Noted::of(file, &mut of_page));
            let old = check::targets(&self.library, index, &before.library.pages[index].links);
            let new = check::targets(&self.library, index, &of_page.links);
            if old != new {
                relink(Arc::make_mut(&mut self.library.backlinks), index, &old, &new);
                touched.extend(old.into_iter().chain(new));
            }
            self.links.set(index, of_page.digest);
            if let Some(page) = self.library.pages.get_mut(index) {
                Arc::make_mut(page).links = of_page.links;
            }
        }
        touched
    }

    /// What resolves links.
    #[must_use]
    pub(crate) fn finder<'a>(&'a self, snapshot: &'a Snapshot) -> Finder<'a> {
        Finder {
            snapshot,
            library: &self.library,
            sources: &self.sources,
            plan: &self.plan,
            base: &self.base,
            names: &self.names,
        }
    }

    /// All that is wrong, in no order.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Diagnostic> {
        let of_pages = self.noted.iter().flatten().flat_map(|noted| noted.file.iter().chain(&noted.links));
        self.general.0.iter().chain(of_pages)
    }
}

/// Whether the rest of the site stays as it is when a page changes from one state to another: its address, title, order
/// and place in lists, menus and translations.
fn stands(config: &Config, before: &Page, after: &Page) -> bool {
    let place =
        |page: &Page| (page.kind, page.state, page.included, page.listed, page.weight, page.noindex, page.variant);
    let sorts = config.collections.values().filter_map(|collection| collection.sort.as_deref());
    place(before) == place(after)
        && before.url == after.url
        && before.title == after.title
        && before.section == after.section
        && before.date == after.date
        && before.expires == after.expires
        && before.aliases == after.aliases
        && before.terms == after.terms
        && before.menus == after.menus
        && before.lang == after.lang
        && before.translation_key == after.translation_key
        && sorts.into_iter().all(|by| order::same_key(before, after, by))
}

/// Whether links to a place in a page find the same.
fn same_anchors(before: (&Page, &Arc<Source>), after: (&Page, &Source)) -> bool {
    before.0.outline.iter().map(|heading| &heading.id).eq(after.0.outline.iter().map(|heading| &heading.id))
        && before.1.anchors == after.1.anchors
        && before.1.calls == after.1.calls
}

/// Moves a page from the backlinks of what it linked to before to those of what it links to now.
fn relink(backlinks: &mut QuickMap<usize, Vec<usize>>, from: usize, before: &[usize], after: &[usize]) {
    for to in before.iter().filter(|to| !after.contains(to)) {
        if let Some(linking) = backlinks.get_mut(to) {
            linking.retain(|page| *page != from);
            if linking.is_empty() {
                backlinks.remove(to);
            }
        }
    }
    for to in after.iter().filter(|to| !before.contains(to)) {
        let linking = backlinks.entry(*to).or_default();
        if let Err(at) = linking.binary_search(&from) {
            linking.insert(at, from);
        }
    }
}

/// The neighbours of each page in its section. Dated pages without a weight run through time: what is before is older;
/// others run in display order.
fn neighbours(library: &Library) -> Neighbours {
    let mut all = vec![(None, None); library.pages.len()];
    for section in library.languages().flat_map(|language| library.sections_in(language).values()) {
        let collection = library.config.collection_of(&section.folder);
        let sort = collection.and_then(|(_, collection)| collection.sort.as_deref()).map(Sort::of);
        for (at, &i) in section.pages.iter().enumerate() {
            let up = at.checked_sub(1).and_then(|at| section.pages.get(at).copied());
            let down = section.pages.get(at + 1).copied();
            let page = &library.pages[i];
            let through_time = sort.is_none_or(Sort::is_newest_first) && page.weight.is_none() && page.date.is_some();
            all[i] = if through_time { (down, up) } else { (up, down) };
        }
    }
    all
}
