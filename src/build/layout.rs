//! One output page through its layout: pages, sections, the home page, taxonomies, terms, 404.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::edition::Edition;
use super::lists::PageLists;
use super::memory::{self, Before, Fresh, Given, Recall, Trail};
use super::outputs::{feed, head};
use super::plan::{self, Job};
use super::render::{self, Done};
use super::template::{Render, TemplateError, Templates};
use super::{context, paginate, reads, schema};
use crate::model::{
    Config, ContentPath, Diagnostic, Digest, Digester, Library, Page, PageKind, Severity, Taxonomy, Term,
};

/// What goes into a layout.
struct Sheet<'a> {
    /// Layouts, best first.
    candidates: Vec<String>,
    values: Values,
    content: Content,
    subject: head::Subject<'a>,
    /// Where look-ups start.
    from: &'a Page,
    /// The further language whose lists are looked up.
    language: Option<&'a str>,
    source: Option<ContentPath>,
}

/// What a layout finds by name.
#[derive(Default)]
struct Values {
    /// The layout, where the theme has one.
    layout: Option<String>,
    single: Map<String, Value>,
    /// Lists of pages: what they show is looked up where it is rendered.
    lists: Vec<(&'static str, Vec<usize>)>,
}

impl Values {
    fn insert(&mut self, name: &str, value: Value) {
        self.single.insert(name.to_owned(), value);
    }

    /// Adds a list of pages where the layout may read it: a long one costs more than all the rest.
    fn list(&mut self, edition: &Edition<'_>, name: &'static str, pages: impl FnOnce() -> Vec<usize>) {
        let may_read = |layout: &String| edition.theme.templates.may_read(layout, name);
        if self.layout.as_ref().is_some_and(may_read) {
            self.lists.push((name, pages()));
        }
    }
}

/// What stands in the middle.
enum Content {
    /// The body of a page.
    Body(usize),
    /// The same everywhere.
    Fixed(&'static str),
}

/// Who knows what was made before, and the output path.
type Known<'a> = Option<(&'a Recall<'a>, &'a str)>;

/// Renders a page, section or home page; `n` is the page of its list.
#[must_use]
pub(crate) fn page(edition: &Edition<'_>, index: usize, n: usize, known: Known<'_>) -> Done {
    let library = &edition.library;
    let page = &library.pages[index];
    let not_found = plan::is_not_found(&page.url);
    let taxonomy = taxonomy_of(library, page);
    let kind = kind_of(library, page);
    let candidates = candidates(&library.config, page, kind);
    let mut values = Values { layout: edition.theme.templates.layout(&candidates), ..Values::default() };
    let shown = edition.theme.templates.fields_of_page(values.layout.as_deref());
    values.insert("page", context::page(edition, index, kind, shown));
    match page.kind {
        PageKind::Page => {}
        PageKind::Home => home(edition, page, &mut values),
        PageKind::Section => section(edition, page, n, &mut values),
    }
    if let Some(taxonomy) = taxonomy {
        terms(edition, taxonomy, &mut values);
    }
    let url = paginate::url(&page.url, n);
    let title = numbered(&page.title, n);
    let language = library.language_of(page);
    let sheet = Sheet {
        candidates,
        values,
        content: Content::Body(index),
        subject: head::Subject {
            page: Some(page),
            title: &title,
            url: &url,
            noindex: page.noindex || not_found,
            feed: None,
            language,
        },
        from: page,
        language,
        source: Some(page.path.clone()),
    };
    sheet.render(edition, known)
}

/// Renders what has no page of its own: taxonomy, term, 404.
#[must_use]
pub(crate) fn listing(edition: &Edition<'_>, path: &str, job: &Job, known: Known<'_>) -> Done {
    let library = &edition.library;
    let language = match job {
        Job::Taxonomy(language, _) | Job::Term(language, ..) => language.as_deref(),
        _ => None,
    };
    let Some(home) = edition.home(language) else { return Done::default() };
    let taxonomies = library.taxonomies_in(language);
    let url = plan::url_of(path);
    let candidates: &[&str] = match job {
        Job::Taxonomy(..) => &["taxonomy", "list"],
        Job::Term(..) => &["term", "list"],
        _ => &["404", "page"],
    };
    let candidates: Vec<String> = candidates.iter().map(|&name| name.to_owned()).collect();
    let mut values = Values { layout: edition.theme.templates.layout(&candidates), ..Values::default() };
    let mut number = 1;
    let (kind, title, feed) = match job {
        Job::Taxonomy(_, key) => {
            let Some(taxonomy) = taxonomies.get(key) else { return Done::default() };
            terms(edition, taxonomy, &mut values);
            ("taxonomy", taxonomy.title.clone(), None)
        }
        Job::Term(_, key, slug, n) => {
            let Some(taxonomy) = taxonomies.get(key) else { return Done::default() };
            let Some(term) = taxonomy.terms.get(slug) else { return Done::default() };
            term_values(edition, taxonomy, slug, term, *n, &mut values);
            let feed = feed::for_terms(library, key).then(|| (term.url.clone(), term.name.clone()));
            number = *n;
            ("term", term.name.clone(), feed)
        }
        _ => ("404", "Page not found".to_owned(), None),
    };
    values.insert("page", context::engine_page(edition, language, kind, &title, &url));
    let missing = kind == "404";
    let noindex = missing || library.config.crawlers.noindex;
    let title = numbered(&title, number);
    let sheet = Sheet {
        candidates,
        values,
        content: Content::Fixed(if missing { "<p>There is nothing at this address.</p>" } else { "" }),
        subject: head::Subject { page: None, title: &title, url: &url, noindex, feed, language },
        from: home,
        language,
        source: None,
    };
    sheet.render(edition, known)
}

impl Sheet<'_> {
    fn render(mut self, edition: &Edition<'_>, known: Known<'_>) -> Done {
        let layout = self.values.layout.take();
        let head = head::head(edition, &self.subject);
        let (mut given, mut why) = (None, None);
        if let (Some((recall, path)), Some(layout)) = (known, &layout) {
            let parts = self.given(edition, recall, layout, &head);
            match recall.before(path, &parts, self.from) {
                Before::Same(done) => {
                    let mut values = std::mem::take(&mut self.values.single);
                    self.end(edition, &mut values);
                    return *done;
                }
                Before::Other(reason) => (given, why) = (Some(parts), Some(reason)),
            }
        }
        let (mut done, reads) = reads::record(|| self.rendered(edition, layout.as_deref(), &head));
        done.trail = given.map(|given| Trail::Fresh(Box::new(Fresh::new(given, reads))));
        done.why = why;
        done
    }

    fn rendered(mut self, edition: &Edition<'_>, layout: Option<&str>, head: &str) -> Done {
        let mut done = Done::default();
        let body = match self.content {
            Content::Body(index) => Some((index, render::body(edition, index, false))),
            Content::Fixed(_) => None,
        };
        let content = match (&body, &self.content) {
            (Some((_, body)), _) => body.html.as_str(),
            (None, Content::Fixed(text)) => text,
            (None, Content::Body(_)) => "",
        };
        if let Some(layout) = layout {
            let lists = PageLists { edition, page: self.from, language: self.language, shown: &self.values.lists };
            let input = Render { context: &Value::Null, content, head, lists: &lists };
            let mut shared = edition.context(self.language, self.subject.url);
            if let Value::Object(map) = &mut shared.values {
                map.append(&mut self.values.single);
                for (name, pages) in &self.values.lists {
                    let stubs = pages.iter().map(|&page| edition.lend_stub(page)).collect();
                    map.insert((*name).to_owned(), Value::Array(stubs));
                }
            }
            let rendered = edition.theme.templates.render_lent(layout, &mut shared.values, &input);
            if let Value::Object(map) = &mut shared.values {
                self.end(edition, map);
            }
            edition.give_back(shared);
            match rendered {
                Ok(html) => done.output = Some(render::output(head::ensure(html, head), self.source)),
                Err(error) => done.findings.push(template_finding(error)),
            }
        } else {
            done.findings = missing_layout(edition, &self.candidates);
        }
        if let Some((index, body)) = body {
            done.findings.extend(body.findings);
            done.body = Some((index, Arc::from(body.html)));
        }
        done
    }

    /// Returns what was lent for the values of a context.
    fn end(&self, edition: &Edition<'_>, values: &mut Map<String, Value>) {
        for (name, pages) in &self.values.lists {
            if let Some(Value::Array(stubs)) = values.get_mut(*name).map(Value::take) {
                pages.iter().zip(stubs).for_each(|(&page, stub)| edition.return_stub(page, stub));
            }
        }
        if let (Content::Body(index), Some(page)) = (&self.content, values.get_mut("page")) {
            context::end_page(edition, *index, page.take());
        }
    }

    /// All that rendering starts from, but for what it looks up itself.
    fn given(&self, edition: &Edition<'_>, recall: &Recall<'_>, layout: &str, head: &str) -> Given {
        let page = self.values.single.get("page").unwrap_or(&Value::Null);
        let page = match self.content {
            Content::Fixed(_) => memory::digest_of_value(Some(page)),
            Content::Body(index) => context::page_digest(edition, index, page),
        };
        let mut lists = Digester::default();
        for (name, value) in self.values.single.iter().filter(|(name, _)| *name != "page") {
            lists.add(name);
            lists.value(value);
        }
        for (name, pages) in &self.values.lists {
            lists.add(&(name, pages.len(), memory::digest_of(edition, pages)));
        }
        let body = match self.content {
            Content::Fixed(text) => Digest::of(text.as_bytes()),
            Content::Body(index) => {
                let page = &edition.library.pages[index];
                let calls = edition.sources[index].as_ref().is_some_and(|source| source.calls);
                let menus = calls.then(|| recall.site(self.language, &page.url));
                Digester::default().with(&(page.blob, edition.links[index], menus)).finish()
            }
        };
        Given {
            theme: Digester::default().with(&(layout, recall.settings)).finish(),
            body,
            page,
            lists: lists.finish(),
            site: recall.site(self.language, self.subject.url),
            head: Digest::of(head.as_bytes()),
        }
    }
}

fn taxonomy_of<'a>(library: &'a Library, page: &Page) -> Option<&'a Taxonomy> {
    let taxonomies = library.taxonomies_in(library.language_of(page));
    taxonomies.values().find(|t| page.kind == PageKind::Section && t.url == page.url)
}

fn kind_of(library: &Library, page: &Page) -> &'static str {
    match () {
        () if plan::is_not_found(&page.url) => "404",
        () if taxonomy_of(library, page).is_some() => "taxonomy",
        () => context::kind_name(page.kind),
    }
}

/// The layout that a page is rendered with, where the theme has one for it.
#[must_use]
pub fn layout_of(templates: &Templates, library: &Library, page: &Page) -> Option<String> {
    templates.layout(&candidates(&library.config, page, kind_of(library, page)))
}

/// Further pages of a list must not all have one title.
fn numbered(title: &str, n: usize) -> String {
    if n <= 1 { title.to_owned() } else { format!("{title} ({n})") }
}

/// Layouts for a page, best first: its own, its collection's, its top section's, the general ones.
fn candidates(config: &Config, page: &Page, kind: &str) -> Vec<String> {
    let mut names: Vec<String> = page.layout.iter().cloned().collect();
    names.extend(match kind {
        "page" => schema::collection_of(config, &page.path).and_then(|(_, collection)| collection.layout.clone()),
        "section" => config.collection_of(&page.section).and_then(|(_, collection)| collection.list_layout.clone()),
        _ => None,
    });
    let top = page.section.split('/').nth(1);
    let general: &[&str] = match kind {
        "home" => &["home", "list"],
        "section" => &["section", "list"],
        "taxonomy" => &["taxonomy", "list"],
        "404" => &["404", "page"],
        _ => &["page"],
    };
    if let (Some(top), "page" | "section") = (top, kind) {
        names.push(format!("{top}/{kind}"));
    }
    names.extend(general.iter().map(|&name| name.to_owned()));
    names
}

fn missing_layout(edition: &Edition<'_>, candidates: &[String]) -> Vec<Diagnostic> {
    let theme = &edition.library.config.theme;
    let wanted = candidates.last().map_or("page", String::as_str);
    let Ok(config) = ContentPath::from_disk("site.yaml") else { return Vec::new() };
    let message = format!("theme `{theme}` has no layout `{wanted}`, so some pages are not written");
    vec![
        Diagnostic::new(Severity::Error, "missing_layout", config, 0, message)
            .with_hint(format!("Create themes/{theme}/layouts/{wanted}.hbs, or set `theme` to one that exists."))
            .with_refers(format!("themes/{theme}/layouts/{wanted}.hbs")),
    ]
}

fn template_finding(error: TemplateError) -> Diagnostic {
    let finding = Diagnostic::new(Severity::Error, "template_error", error.path, error.line, error.message);
    let finding = finding.with_hint(error.hint);
    match error.refers {
        Some(refers) => finding.with_refers(refers),
        None => finding,
    }
}

/// A home page lists the newest dated pages of its language; where nothing is dated, the pages beside it.
fn home(edition: &Edition<'_>, page: &Page, values: &mut Values) {
    let library = &edition.library;
    let size = if library.config.paginate == 0 { usize::MAX } else { library.config.paginate };
    let language = library.language_of(page);
    let Some(root) = library.sections_in(language).get("content") else { return };
    values.list(edition, "pages", || {
        let recent = edition.in_language(language).recent.iter().copied();
        let dated: Vec<usize> = recent.filter(|&i| library.pages[i].date.is_some()).take(size).collect();
        if dated.is_empty() { root.pages.iter().copied().take(size).collect() } else { dated }
    });
    values.list(edition, "sections", || sections(edition, language, &root.sections));
}

fn section(edition: &Edition<'_>, page: &Page, n: usize, values: &mut Values) {
    let library = &edition.library;
    let Some(section) = library.section_of(page) else { return };
    let (items, size) = (section.pages.len(), paginate::section_size(&library.config, &section.folder));
    values.list(edition, "pages", || section.pages[paginate::range(items, size, n)].to_vec());
    values.list(edition, "sections", || sections(edition, library.language_of(page), &section.sections));
    values.insert("paginator", paginate::context(&edition.base, &page.url, items, size, n));
}

fn sections(edition: &Edition<'_>, language: Option<&str>, folders: &[String]) -> Vec<usize> {
    let sections = edition.library.sections_in(language);
    folders.iter().filter_map(|folder| sections.get(folder)).map(|section| section.page).collect()
}

fn terms(edition: &Edition<'_>, taxonomy: &Taxonomy, values: &mut Values) {
    values.insert("taxonomy", taxonomy_value(edition, taxonomy));
    let terms = taxonomy.terms.iter().map(|(slug, term)| term_value(edition, slug, term)).collect();
    values.insert("terms", Value::Array(terms));
}

fn taxonomy_value(edition: &Edition<'_>, taxonomy: &Taxonomy) -> Value {
    json!({"key": taxonomy.key, "title": taxonomy.title, "url": edition.base.href(&taxonomy.url)})
}

fn term_value(edition: &Edition<'_>, slug: &str, term: &Term) -> Value {
    json!({"name": term.name, "slug": slug, "url": edition.base.href(&term.url), "count": term.pages.len()})
}

fn term_values(edition: &Edition<'_>, taxonomy: &Taxonomy, slug: &str, term: &Term, n: usize, values: &mut Values) {
    let (items, size) = (term.pages.len(), paginate::term_size(&edition.library.config, &taxonomy.key));
    values.insert("taxonomy", taxonomy_value(edition, taxonomy));
    values.insert("term", term_value(edition, slug, term));
    values.list(edition, "pages", || term.pages[paginate::range(items, size, n)].to_vec());
    values.insert("paginator", paginate::context(&edition.base, &term.url, items, size, n));
}
