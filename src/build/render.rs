//! Last stage: bodies through the resolver, pages through layouts, everything into output files.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Map, Value};

use super::count::Count;
use super::edition::Edition;
use super::links::Kind;
use super::lists::PageLists;
use super::markdown::{LinkKind, Resolve, Resolved, ShortcodeCall};
use super::memory::{self, Memory, Question, Recall, Trail};
use super::outputs::{self, redirects, twin};
use super::plan::Job;
use super::template::TemplateError;
use super::{Company, Scope, address, check, context, escape, inspect, layout, reads, stopwatch};
use crate::model::{
    ContentPath, Diagnostic, Digest, LinkTarget, Output, OutputData, Outputs, Page, Progress, Severity,
};

/// What rendering made.
#[derive(Default)]
pub(crate) struct Rendered {
    /// Output files.
    pub(crate) outputs: Outputs,
    /// Bodies of pages by index.
    pub(crate) bodies: Vec<(usize, Arc<str>)>,
    /// What was found on the way.
    pub(crate) findings: Vec<Diagnostic>,
    /// Digests of rendered outputs, those that whoever asked has already among them.
    pub(crate) digests: BTreeMap<String, Digest>,
    /// Outputs that had to be rendered, and why; none where nobody remembers.
    pub(crate) why: BTreeMap<String, &'static str>,
}

/// What one job made.
#[derive(Default)]
pub(crate) struct Done {
    /// The file.
    pub(crate) output: Option<Output>,
    /// Its Markdown twin, with its path.
    pub(crate) twin: Option<(String, Output)>,
    /// A page's body.
    pub(crate) body: Option<(usize, Arc<str>)>,
    /// What was found.
    pub(crate) findings: Vec<Diagnostic>,
    /// Digests of its files, whether they were made just now or are with whoever asked.
    pub(crate) made: Vec<(String, Digest)>,
    /// What it was made from.
    pub(crate) trail: Option<Trail>,
    /// Why it was made.
    pub(crate) why: Option<&'static str>,
}

/// An output file of text.
#[must_use]
pub(crate) fn output(text: String, source: Option<ContentPath>) -> Output {
    Output { data: OutputData::Bytes(text.into_bytes().into()), source }
}

/// Jobs that a thread takes on at a time: lists cost many times what pages do, and many lie side by side.
const TURN: usize = 32;

/// Renders what is in scope.
#[must_use]
pub(crate) fn render(
    edition: &Edition<'_>,
    progress: &Progress,
    company: Company<'_>,
    recall: Option<&Recall<'_>>,
) -> (Rendered, Option<Memory>) {
    let jobs = jobs(edition);
    let everything = edition.options.scope == Scope::Everything;
    let formats = everything && company.look.is_none();
    let count = Count::new(progress, jobs.len(), "Rendering");
    let done: Vec<(&String, Done)> = jobs
        .into_par_iter()
        .with_max_len(TURN)
        .filter(|_| count.next())
        .map(|(path, job)| {
            let done = stopwatch::output(company.watch, path, || run(edition, path, job, formats, recall));
            (path, hand_on(edition, path, job, done, company))
        })
        .collect();
    if progress.is_cancelled() {
        return (Rendered::default(), None);
    }
    if formats {
        stopwatch::stage(company.watch, "feeds, sitemap, search");
    }
    let made = || -> Vec<(String, String)> {
        if formats { outputs::FORMATS.par_iter().flat_map_iter(|format| format(edition)).collect() } else { Vec::new() }
    };
    let ((mut rendered, memory), files) = rayon::join(|| gather(done, everything, recall), made);
    let mut taken = BTreeSet::new();
    for (path, text) in files.into_iter().filter(|(path, _)| !edition.plan.jobs.contains_key(path)) {
        match company.take {
            Some(take) if taken.insert(path.clone()) => take(path, output(text, None)),
            Some(_) => {}
            None => {
                rendered.outputs.entry(path).or_insert_with(|| output(text, None));
            }
        }
    }
    (rendered, memory)
}

/// What all jobs made, and what is remembered of it.
fn gather(done: Vec<(&String, Done)>, everything: bool, recall: Option<&Recall<'_>>) -> (Rendered, Option<Memory>) {
    let mut rendered = Rendered::default();
    let mut twins = Vec::new();
    let mut memory = recall.map(Recall::begin);
    for (path, done) in done {
        if let (Some(memory), Some(trail)) = (&mut memory, done.trail) {
            memory.keep(path, trail);
        }
        rendered.digests.extend(done.made);
        rendered.why.extend(done.why.map(|why| (path.clone(), why)));
        if let Some(output) = done.output {
            rendered.outputs.insert(path.clone(), output);
        }
        twins.extend(done.twin);
        if !everything {
            rendered.bodies.extend(done.body);
        }
        rendered.findings.extend(done.findings);
    }
    for (path, output) in twins {
        rendered.outputs.entry(path).or_insert(output);
    }
    (rendered, memory.map(memory::Next::end))
}

/// Gives what a job made to who wants it; what is left is kept.
fn hand_on(edition: &Edition<'_>, path: &str, job: &Job, done: Done, company: Company<'_>) -> Done {
    if let Some(look) = company.look {
        return inspect::looked(edition, path, job, done, look);
    }
    let Some(take) = company.take else { return done };
    let mut done = done;
    if let Some(output) = done.output.take() {
        take(path.to_owned(), output);
    }
    if let Some((path, twin)) = done.twin.take().filter(|(path, _)| !edition.plan.jobs.contains_key(path)) {
        take(path, twin);
    }
    // Of a large site the texts of all pages are most of what is held.
    if let Job::Page(index) = job
        && let Some(source) = &edition.sources[*index]
    {
        source.release();
    }
    Done { body: None, ..done }
}

/// What is in scope. Of a few pages, only these are looked at.
fn jobs<'e>(edition: &'e Edition<'_>) -> Vec<(&'e String, &'e Job)> {
    let jobs = &edition.plan.jobs;
    let of_page = |path: &ContentPath| {
        let &index = edition.library.by_path.get(path)?;
        let found = jobs.get_key_value(&address::output_path(&edition.library.pages[index].url))?;
        matches!(found.1, Job::Page(i) if *i == index).then_some(found)
    };
    match &edition.options.scope {
        Scope::Everything => jobs.iter().collect(),
        Scope::Pages(paths) => paths.iter().filter_map(of_page).collect(),
        Scope::Shown(paths) => {
            let copies = jobs.iter().filter(|(_, job)| matches!(job, Job::Copy(..)));
            copies.chain(paths.iter().filter_map(of_page)).collect()
        }
        Scope::Nothing => Vec::new(),
    }
}

fn run(edition: &Edition<'_>, path: &str, job: &Job, with_twin: bool, recall: Option<&Recall<'_>>) -> Done {
    let recall = recall.map(|recall| (recall, path));
    if let Some(done) = recall.and_then(|(recall, path)| recall.spared(path, job)) {
        return done;
    }
    match job {
        Job::Copy(file, blob) => {
            let data = OutputData::Copy(file.clone(), *blob);
            Done { output: Some(Output { data, source: Some(file.clone()) }), ..Done::default() }
        }
        Job::Redirect(to) => Done { output: Some(output(redirects::stub(edition, to), None)), ..Done::default() },
        Job::Page(index) => {
            let mut done = layout::page(edition, *index, 1, recall);
            let source = &edition.library.pages[*index];
            let with_twin = with_twin && edition.library.config.markdown.twins;
            if with_twin && source.exists && !matches!(done.trail, Some(Trail::Before(_))) {
                let path = address::output_path(&address::twin(&source.url));
                done.twin = Some((path, output(twin::text(edition, *index), Some(source.path.clone()))));
            }
            remembered(edition, path, done)
        }
        Job::SectionList(index, n) => {
            remembered(edition, path, Done { body: None, ..layout::page(edition, *index, *n, recall) })
        }
        _ => remembered(edition, path, layout::listing(edition, path, job, recall)),
    }
}

/// Notes what came of it, where somebody will want to know. What is wrong is found anew each time.
fn remembered(edition: &Edition<'_>, path: &str, mut done: Done) -> Done {
    if let Some(Trail::Fresh(fresh)) = &mut done.trail {
        let digest = |output: &Output| match &output.data {
            OutputData::Bytes(bytes) => Some(Digest::of(bytes)),
            OutputData::Copy(..) => None,
        };
        let page = done.output.as_ref().and_then(digest);
        let twin = done.twin.as_ref().and_then(|(path, output)| Some((path.clone(), digest(output)?)));
        let own = twin.clone().filter(|(path, _)| !edition.plan.jobs.contains_key(path));
        done.made = page.map(|digest| (path.to_owned(), digest)).into_iter().chain(own).collect();
        fresh.made(page, twin);
        if !done.findings.is_empty() {
            done.trail = None;
        }
    }
    done
}

/// A body as HTML.
pub(crate) struct Body {
    /// The HTML.
    pub(crate) html: String,
    /// What shortcodes found.
    pub(crate) findings: Vec<Diagnostic>,
}

/// Renders a page's body; `absolute` makes every address whole, as feeds want it.
#[must_use]
pub(crate) fn body(edition: &Edition<'_>, index: usize, absolute: bool) -> Body {
    let Some(parsed) = edition.finder().parsed(index) else {
        return Body { html: String::new(), findings: Vec::new() };
    };
    let mut resolver = Resolver::new(edition, &edition.library.pages[index], Some(index), absolute);
    let page = &edition.library.pages[index];
    let mut html = parsed.document.render(&mut resolver);
    if let Some(page) = resolver.context.as_mut().and_then(|base| base.get_mut("page")) {
        context::end_page(edition, index, page.take());
    }
    // A body that begins with its own title would show it twice: layouts write the title.
    if page.outline.first().is_some_and(|first| first.level == 1 && first.text == page.title)
        && html.starts_with("<h1")
        && let Some(end) = html.find("</h1>")
    {
        html.drain(..end + "</h1>".len());
        html.truncate(html.trim_end().len());
        html.drain(..html.len() - html.trim_start().len());
        html.push('\n');
    }
    Body { html, findings: resolver.findings }
}

/// Fills the slots of one body.
pub(crate) struct Resolver<'a> {
    edition: &'a Edition<'a>,
    page: &'a Page,
    /// The page's index; `None`: shortcodes are left out.
    index: Option<usize>,
    absolute: bool,
    /// `page` and `site` for shortcodes, made when the first one comes.
    context: Option<Map<String, Value>>,
    findings: Vec<Diagnostic>,
}

impl<'a> Resolver<'a> {
    /// For the text of a page.
    #[must_use]
    pub(crate) fn new(edition: &'a Edition<'a>, page: &'a Page, index: Option<usize>, absolute: bool) -> Self {
        Self { edition, page, index, absolute, context: None, findings: Vec::new() }
    }

    fn href<'r>(&self, href: Cow<'r, str>) -> Cow<'r, str> {
        if !self.absolute {
            return href;
        }
        if href.starts_with('#') {
            return Cow::Owned(format!("{}{href}", self.edition.base.absolute(&self.page.url)));
        }
        Cow::Owned(context::absolute(self.edition, &href))
    }

    fn run_shortcode(
        &mut self,
        index: usize,
        call: &ShortcodeCall,
        inner: Option<&str>,
    ) -> Result<String, TemplateError> {
        let (edition, page) = (self.edition, self.page);
        let base = self.context.get_or_insert_with(|| {
            let kind = context::kind_name(page.kind);
            let mut base = Map::new();
            base.insert("page".into(), context::page(edition, index, kind, |_| true));
            base.insert("site".into(), context::site_at(edition, edition.library.language_of(page), &page.url));
            base
        });
        let mut values = base.clone();
        values.insert("args".into(), Value::Object(call.args.clone()));
        values.insert("positional".into(), Value::Array(call.positional.clone()));
        values.insert("inner".into(), inner.map_or(Value::Null, Value::from));
        let lists = PageLists { edition, page, language: edition.library.language_of(page), shown: &[] };
        edition.theme.templates.shortcode(&call.name, &Value::Object(values), inner, &lists)
    }
}

impl Resolve for Resolver<'_> {
    fn link<'r>(&mut self, raw: &'r str, kind: LinkKind, _text: &str, _line: usize) -> Resolved<'r> {
        let kind = check::kind_of(kind);
        let finder = self.edition.finder();
        // Those of a page's own body are checked whatever is rendered.
        if let Some(href) = self.index.and_then(|_| finder.own_href(raw, kind)) {
            return Resolved { href: self.href(href), ..Resolved::default() };
        }
        let found = finder.resolve(self.page, raw, kind);
        if self.index.is_none() {
            // Those of a page's own body are counted where they are checked.
            reads::asked(|| (Question::Link(raw.to_owned(), kind), check::digest(self.edition.snapshot, &found)));
        }
        let external = matches!(found.target, LinkTarget::External);
        let size = match &found.target {
            LinkTarget::File(path) if kind == Kind::Image => {
                let file = self.edition.snapshot.get(path);
                file.and_then(|file| self.edition.options.pictures.size(path, file))
            }
            _ => None,
        };
        Resolved {
            size,
            href: self.href(found.href),
            external: external && (raw.starts_with("http") || raw.starts_with("//")),
            missing: matches!(found.target, LinkTarget::Broken),
            text: found.title,
        }
    }

    fn shortcode(&mut self, call: &ShortcodeCall, inner: Option<&str>) -> String {
        if matches!(call.name.as_str(), "ref" | "relref") {
            let target = check::ref_target(call).unwrap_or_default();
            let found = self.edition.finder().resolve(self.page, target, Kind::Ref);
            if self.index.is_none() {
                reads::asked(|| {
                    (Question::Link(target.to_owned(), Kind::Ref), check::digest(self.edition.snapshot, &found))
                });
            }
            let href = self.href(found.href);
            // It goes into the page as it is, in text or in an attribute.
            return escape::url(&href).replace('\'', "%27").replace('&', "%26");
        }
        let Some(index) = self.index.filter(|_| self.edition.theme.templates.has_shortcode(&call.name)) else {
            return inner.unwrap_or_default().to_owned();
        };
        match self.run_shortcode(index, call, inner) {
            Ok(html) => html,
            Err(error) => {
                let line = self.page.body_line.max(1) + call.line.max(1) - 1;
                let message = format!("shortcode `{}` fails: {error}", call.name);
                let finding =
                    Diagnostic::new(Severity::Error, "shortcode_error", self.page.path.clone(), line, message);
                self.findings.push(finding.with_hint(error.hint.clone()));
                String::new()
            }
        }
    }
}
