//! Second stage: pages with their addresses and states, sections, and the order of things.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::address::{self, Base, Parts};
use super::bare::Bare;
use super::cascade::{self, Cascades};
use super::fields::{self, Fields, Place};
use super::load::Loaded;
use super::presence::Presence;
use super::role::Role;
use super::sections::{Folders, build_sections};
use super::source::Source;
use super::{Options, assets, clash, schema, taxonomy, translations};
use crate::model::{
    Config, ContentPath, Date, Diagnostic, Library, Lists, Page, PageKind, PageState, QuickMap, Severity, SharedVec,
    Snapshot,
};

/// The URL path of `content/404.md`, which hosts show for what they do not find.
pub(crate) const NOT_FOUND_URL: &str = "/404.html";

/// What the second stage works with.
#[derive(Clone)]
struct Assembly<'a> {
    config: &'a Config,
    options: &'a Options,
    zone: jiff::tz::TimeZone,
    cascades: &'a Cascades<'a>,
    until: Option<jiff::Timestamp>,
    findings: Vec<Diagnostic>,
}

/// The library of a build, and the parsed file of each of its pages.
pub(crate) struct Assembled {
    /// Links are not resolved yet.
    pub(crate) library: Library,
    /// By page index; `None` for pages without a file.
    pub(crate) sources: SharedVec<Option<Arc<Source>>>,
    /// By page index: what is wrong with the file by itself.
    pub(crate) noted: Vec<Vec<Diagnostic>>,
    /// Folders that are sections.
    pub(crate) folders: Arc<Folders>,
    /// When a scheduled page comes up or one expires: the library is another one from then on.
    pub(crate) until: Option<jiff::Timestamp>,
}

/// What one file made.
struct Made {
    page: Arc<Page>,
    /// `None` for a page without a file.
    source: Option<Arc<Source>>,
    noted: Vec<Diagnostic>,
}

/// Makes the library out of the loaded pages.
#[must_use]
pub(crate) fn assemble(
    snapshot: &Snapshot,
    config: Config,
    options: &Options,
    loaded: &[Loaded<'_>],
) -> (Assembled, Vec<Diagnostic>) {
    let heads = loaded.iter().map(|source| (source.path, &source.parsed.front_matter.values));
    let cascades = Cascades::of(&config, heads);
    let work = Assembly::new(&config, options, &cascades);
    let (mut made, untils): (Vec<Made>, Vec<_>) = loaded
        .par_iter()
        .map(|source| {
            let mut work = work.clone();
            let page = Arc::new(work.page(source));
            (
                Made { page, source: Some(Arc::new(Source::of(Arc::clone(&source.parsed)))), noted: work.findings },
                work.until,
            )
        })
        .unzip();
    let until = untils.into_iter().flatten().min();
    let folders = Folders::of(&config, made.iter().map(|made| &*made.page));
    for Made { page, .. } in &mut made {
        Arc::make_mut(page).section = folders.section_of(&config, page);
    }
    let bare = Bare { config: &config, options, cascades: &cascades };
    let bare = bare.sections(&folders, made.iter().map(|made| &*made.page));
    made.extend(bare.into_iter().map(|page| Made { page: Arc::new(page), source: None, noted: Vec::new() }));
    made.sort_by(|a, b| a.page.path.cmp(&b.page.path));
    let (mut pages, mut sources, mut noted) = (Vec::new(), Vec::new(), Vec::new());
    for made in made {
        pages.push(made.page);
        sources.push(made.source);
        noted.push(made.noted);
    }
    assets::attach(snapshot, &config, &mut pages);
    let pages: SharedVec<Arc<Page>> = pages.into();
    let mut findings = clash::strangers_in_bundles(&config, &pages);
    let lists = |language| {
        let (sections, taxonomies) = rayon::join(
            || build_sections(&config, &pages, &folders, language),
            || taxonomy::collect(&config, &pages, language),
        );
        Lists { sections, taxonomies }
    };
    let (indexes, (own, translated)) = rayon::join(
        || index(&pages, &mut findings),
        || (lists(None), folders.translated().map(|(tag, _)| (tag.to_owned(), lists(Some(tag)))).collect()),
    );
    let library = together(config, pages, own, translated, indexes);
    (Assembled { library, sources: sources.into(), noted, folders: Arc::new(folders), until }, findings)
}

/// The library that these pages made before; `lists` are those of the site's own language, then of the others.
#[must_use]
pub(crate) fn restore(
    config: Config,
    pages: SharedVec<Arc<Page>>,
    own: Lists,
    translated: BTreeMap<String, Lists>,
) -> Library {
    let indexes = index(&pages, &mut Vec::new());
    together(config, pages, own, translated, indexes)
}

/// Page indexes by path and by URL.
type Indexes = (QuickMap<ContentPath, usize>, QuickMap<String, usize>);

fn together(
    config: Config,
    pages: SharedVec<Arc<Page>>,
    own: Lists,
    translated: BTreeMap<String, Lists>,
    (by_path, by_url): Indexes,
) -> Library {
    Library {
        config: Arc::new(config),
        sections: Arc::new(own.sections),
        taxonomies: Arc::new(own.taxonomies),
        translated: Arc::new(translated),
        by_path: Arc::new(by_path),
        by_url: Arc::new(by_url),
        backlinks: Arc::default(),
        pages,
    }
}

/// Indexes pages; two with one URL are findings.
fn index(pages: &SharedVec<Arc<Page>>, findings: &mut Vec<Diagnostic>) -> Indexes {
    rayon::join(
        || pages.iter().enumerate().map(|(i, page)| (page.path.clone(), i)).collect(),
        || clash::index_urls(pages, findings),
    )
}

/// One page of a library assembled before, from a new text of its file; `None` where it may change what other pages inherit.
/// Beside it: what is wrong with the file, and until when the page stays as it is.
pub(crate) fn reassemble(
    library: &Library,
    folders: &Folders,
    options: &Options,
    source: &Loaded<'_>,
) -> Option<(Page, Vec<Diagnostic>, Option<jiff::Timestamp>)> {
    let &index = library.by_path.get(source.path)?;
    let before = &library.pages[index];
    if !before.exists || before.front_matter.get("cascade") != source.parsed.front_matter.values.get("cascade") {
        return None;
    }
    let all = library.languages().flat_map(|language| library.sections_in(language).values());
    let sections: BTreeSet<usize> = all.map(|section| section.page).collect();
    let sections = sections.into_iter().map(|index| &library.pages[index]);
    let heads = sections.filter(|page| page.exists).map(|page| (&page.path, &page.front_matter));
    let cascades = Cascades::of(&library.config, heads);
    let mut work = Assembly::new(&library.config, options, &cascades);
    let mut page = work.page(source);
    page.section = folders.section_of(&library.config, &page);
    page.assets.clone_from(&before.assets);
    Some((page, work.findings, work.until))
}

impl<'a> Assembly<'a> {
    fn new(config: &'a Config, options: &'a Options, cascades: &'a Cascades<'a>) -> Self {
        Self { config, options, zone: config.time_zone(), cascades, until: None, findings: Vec::new() }
    }

    fn page(&mut self, source: &Loaded<'_>) -> Page {
        let role = Role::of(source.path, self.config);
        let place = Place { path: source.path, head: source.head() };
        let front_matter = &source.parsed.front_matter;
        let document = &source.parsed.document;
        let mut inherited = self.cascades.inherited(source.path, role.kind, &front_matter.values);
        schema::add_defaults(self.config, source.path, &front_matter.values, &mut inherited);
        let values = cascade::together(&front_matter.values, &inherited);
        let (mut fields, findings) = fields::read(&values, self.config, &self.zone, &place);
        self.findings.extend(findings);
        self.findings.extend(document.diagnostics.iter().map(|finding| {
            Diagnostic::new(
                finding.severity,
                finding.code,
                source.path.clone(),
                front_matter.body_line.max(1) + finding.line.max(1) - 1,
                finding.message.clone(),
            )
            .with_hint(finding.hint.clone())
        }));
        if fields.date.is_none() {
            let by_name = role.stem.date.and_then(|date| Date::parse(date, &self.zone));
            fields.date = by_name.or_else(|| fields.publish.clone());
        }
        let title = fields.title.clone().unwrap_or_else(|| self.fallback_title(&role, document));
        let url = self.url(&role, &fields, &title, &place);
        let translation_key = translations::key(source.path, fields.translation_key.take(), self.config);
        let (state, included) = self.state(&fields);
        Page {
            path: source.path.clone(),
            exists: true,
            blob: Some(source.file.id),
            kind: role.kind,
            aliases: self.aliases(&fields, &url, &place),
            url,
            title,
            description: fields.description,
            summary: fields.summary.unwrap_or_else(|| document.summary.clone()),
            date: fields.date,
            updated: fields.updated,
            expires: fields.expires,
            state,
            included,
            listed: fields.presence == Presence::Full,
            weight: fields.weight,
            layout: fields.layout,
            terms: fields.terms,
            authors: fields.authors,
            image: fields.image,
            noindex: fields.noindex || self.config.crawlers.noindex,
            lang: fields.lang.or_else(|| role.language.map(str::to_owned)),
            translation_key,
            variant: role.language.is_some(),
            menus: fields.menus,
            front_matter: front_matter.values.clone(),
            inherited,
            body_line: front_matter.body_line,
            outline: document.outline.clone(),
            links: Vec::new(),
            word_count: document.words,
            assets: Vec::new(),
            // Which folders are sections is known when all pages are.
            section: String::new(),
        }
    }

    fn fallback_title(&self, role: &Role<'_>, document: &super::markdown::Document) -> String {
        let top = document.outline.iter().find(|h| h.level == 1);
        let site = self.config.title_in(role.language);
        if role.kind == PageKind::Home && top.is_none() && !site.is_empty() {
            return site.to_owned();
        }
        let first = top.or_else(|| document.outline.first());
        first.map(|h| h.text.clone()).filter(|t| !t.is_empty()).unwrap_or_else(|| address::humanise(role.stem.name))
    }

    /// Draft before expired before scheduled; expired pages, and those whose front matter says so, are never built.
    fn state(&mut self, fields: &Fields) -> (PageState, bool) {
        let now = self.options.now;
        if fields.draft {
            return (PageState::Draft, self.options.drafts);
        }
        if fields.presence == Presence::Nowhere {
            return (PageState::Draft, false);
        }
        let appears = fields.publish.as_ref().or(fields.date.as_ref());
        for moment in [appears, fields.expires.as_ref()].into_iter().flatten().map(Date::timestamp) {
            if moment > now && self.until.is_none_or(|until| moment < until) {
                self.until = Some(moment);
            }
        }
        if fields.expires.as_ref().is_some_and(|date| date.timestamp() <= now) {
            return (PageState::Expired, false);
        }
        if appears.is_some_and(|date| date.timestamp() > now) {
            return (PageState::Scheduled, self.options.future);
        }
        (PageState::Live, true)
    }

    /// A translation by file name lives below its language: `/de/about/`.
    fn url(&mut self, role: &Role<'_>, fields: &Fields, title: &str, place: &Place<'_>) -> String {
        let Some(language) = role.language.filter(|_| fields.url.is_none()) else {
            return self.own_url(role, fields, title, place);
        };
        // A bundle's languages share its folder's name.
        let below = if role.bundle || role.kind != PageKind::Page {
            address::join(&address::folder_segments(place.path.folder()))
        } else {
            self.own_url(role, fields, title, place)
        };
        format!("{}{}", translations::home_url(Some(language)).trim_end_matches('/'), below)
    }

    fn own_url(&mut self, role: &Role<'_>, fields: &Fields, title: &str, place: &Place<'_>) -> String {
        let folders = address::folder_segments(role.parent);
        let standard = match role.kind {
            PageKind::Home => return "/".into(),
            PageKind::Section => address::join(&folders),
            PageKind::Page if place.path.as_str() == "content/404.md" => NOT_FOUND_URL.into(),
            PageKind::Page => {
                let mut all = folders.clone();
                all.push(fields.slug.as_deref().map_or_else(|| address::segment(role.stem.name), address::segment));
                address::join(&all)
            }
        };
        let (key, pattern) = match (&fields.url, role.kind) {
            (Some(url), _) => ("url", url.clone()),
            (None, PageKind::Page) if standard != NOT_FOUND_URL => match self.pattern(role.parent) {
                Some(pattern) => ("date", pattern),
                None => return standard,
            },
            _ => return standard,
        };
        let filename = address::segment(role.stem.name);
        let slug = fields.slug.as_deref().map_or_else(|| filename.clone(), address::segment);
        // Jekyll's own `permalink` means the file's name by `:title`.
        let by_name = fields.url.is_some() && place.line("permalink") > 1;
        let title = if by_name { filename.clone() } else { address::slugify(title) };
        let zoned = fields.date.as_ref().map(|date| &date.zoned);
        let parts = Parts { date: zoned, slug: &slug, title: &title, filename: &filename, folders: &folders };
        // A colon is a token in a pattern only; a plain `url` may hold one.
        let has_token = key == "date" || pattern.contains("/:");
        let expanded = if has_token { address::expand(&pattern, &parts) } else { Ok(pattern.clone()) };
        let problem = match expanded {
            Ok(url) => match address::clean(&url) {
                Some(url) => return url,
                None => format!("`{pattern}` is no URL path of this site"),
            },
            Err(token) => format!("`{token}` in `{pattern}` has no value for this page"),
        };
        let key = ["url", "path", "permalink", "date"].into_iter().find(|k| place.line(k) > 1).unwrap_or(key);
        self.findings.push(
            Diagnostic::new(Severity::Error, "invalid_url", place.path.clone(), place.line(key), problem)
                .with_hint("Set `date` where the pattern needs one, or `url` to a path such as `/about/`."),
        );
        standard
    }

    /// The permalink pattern of the longest section that holds a folder.
    fn pattern(&self, folder: &str) -> Option<String> {
        let below = folder.strip_prefix("content").unwrap_or(folder).trim_start_matches('/');
        self.config
            .permalinks
            .iter()
            .filter(|(section, _)| {
                let section = section.trim_matches('/');
                section.is_empty()
                    || below.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .max_by_key(|(section, _)| section.trim_matches('/').len())
            .map(|(_, pattern)| pattern.clone())
    }

    fn aliases(&mut self, fields: &Fields, url: &str, place: &Place<'_>) -> Vec<String> {
        let mut out = Vec::new();
        for raw in &fields.aliases {
            // Hugo reads `./old` beside the page; anything else counts from the root.
            let full = match raw.strip_prefix("./") {
                Some(rest) => format!("{}{rest}", address::folder_of(url.trim_end_matches('/'))),
                None => raw.clone(),
            };
            match address::clean(&full) {
                Some(alias) if alias == url || out.contains(&alias) => {}
                Some(alias) => out.push(alias),
                None => self.findings.push(
                    Diagnostic::new(
                        Severity::Error,
                        "invalid_url",
                        place.path.clone(),
                        place.line("aliases"),
                        format!("alias `{raw}` is no URL path of this site"),
                    )
                    .with_hint("Write an alias like this: `/old/path/`."),
                ),
            }
        }
        out
    }
}

/// The effective address of a build: the options' base URL, else the configuration's.
#[must_use]
pub(crate) fn base(config: &Config, options: &Options) -> Base {
    Base::new(options.base_url.as_deref().unwrap_or(&config.base_url))
}
