//! Snapshot to output and diagnostics: pure, so a preview, a publish and a test are the same call.
//!
//! Stages: load (front matter, Markdown) -> library (sections, taxonomies, links) -> templates -> outputs.

mod address;
mod assets;
mod bare;
mod broken;
mod cache;
mod cascade;
mod check;
mod clash;
mod context;
mod count;
mod data;
mod edition;
mod escape;
mod fields;
mod frame;
pub mod highlight;
pub mod hosting;
mod inspect;
mod languages;
mod layout;
mod library;
mod lineage;
mod links;
mod lists;
mod load;
pub mod markdown;
mod memory;
mod menu;
mod names;
mod near;
mod order;
mod outputs;
mod paginate;
mod pictures;
mod plan;
mod presence;
mod reads;
mod redirects;
mod render;
mod role;
mod schema;
mod sections;
mod seo;
mod shelf;
pub mod shortcode;
mod source;
mod stopwatch;
mod stub;
mod taxonomy;
pub mod template;
mod translations;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use address::output_path;
pub use assets::url as asset_url;
pub use cache::Cache;
pub use inspect::{Look, Seen};
pub use layout::layout_of;
pub use memory::Have;
pub use pictures::Pictures;
pub use schema::collection_of;
pub use sections::display_order;
pub use stopwatch::{Spent, Stopwatch, Ticks, Times};

use crate::error::Result;
use crate::model::{ContentPath, Diagnostic, Digest, Library, Output, Outputs, Progress, Severity, Snapshot};

/// How much of a build is done, roughly, when all pages are read.
const READING: f64 = 0.3;
/// And when all links are checked.
const CHECKED: f64 = 0.4;

/// What a build depends on besides the snapshot.
#[derive(Debug, Clone)]
pub struct Options {
    /// The moment that decides what is scheduled or expired.
    pub now: jiff::Timestamp,
    /// Build drafts too.
    pub drafts: bool,
    /// Build scheduled pages too.
    pub future: bool,
    /// Replaces the configuration's `base_url` (preview).
    pub base_url: Option<String>,
    /// What to render.
    pub scope: Scope,
    /// How large images are.
    pub pictures: Pictures,
}

/// Which outputs a build renders. The library is always complete, and so are diagnostics about links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every output.
    Everything,
    /// Only the outputs of these pages (their own HTML; no lists, feeds or copies).
    Pages(BTreeSet<ContentPath>),
    /// The same and every copied file: what a browser needs to show these pages.
    Shown(BTreeSet<ContentPath>),
    /// No output: library and diagnostics only.
    Nothing,
}

/// Takes an output as soon as it is made; called from several threads, in no order, once for each path.
pub type Take<'t> = dyn Fn(String, Output) + Sync + 't;

/// Who is with a build while it goes on. Nobody changes what is made.
#[derive(Clone, Copy, Default)]
pub struct Company<'a> {
    /// Is told how far it is, and ends it.
    pub progress: Option<&'a Progress>,
    /// Looks at each rendered page; nothing is kept then but copies, and what was found joins the diagnostics.
    pub look: Option<&'a Look<'a>>,
    /// Takes the outputs: none is kept then, nor the body of any page.
    pub take: Option<&'a Take<'a>>,
    /// Has outputs of an earlier build of this cache: those that stand are not made, and named in [`Built::digests`] only.
    pub have: Option<&'a Have<'a>>,
    /// Measures it.
    pub watch: Option<&'a Stopwatch>,
}

impl std::fmt::Debug for Company<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Company").finish_non_exhaustive()
    }
}

/// A finished build.
#[derive(Debug, Clone)]
pub struct Built {
    /// The site as a reader sees it.
    pub library: Library,
    /// Output files.
    pub outputs: Outputs,
    /// Digests of the rendered outputs of everything. One that is not among the outputs is with whoever asked for the build.
    pub digests: BTreeMap<String, Digest>,
    /// What of everything had to be rendered, by output path, and why; the rest stands as an earlier build made it.
    pub rendered: BTreeMap<String, &'static str>,
    /// Rendered bodies of pages in the scope, by page index; none where everything is rendered.
    pub bodies: BTreeMap<usize, Arc<str>>,
    /// All findings, in path and line order, each once.
    pub diagnostics: Vec<Diagnostic>,
    /// When a scheduled page comes up or one expires: it is another site from then on.
    pub until: Option<jiff::Timestamp>,
}

impl Built {
    /// The rendered body of a page in the scope.
    #[must_use]
    pub fn html(&self, path: &ContentPath) -> Option<&Arc<str>> {
        self.library.by_path.get(path).and_then(|index| self.bodies.get(index))
    }
}

/// Builds a snapshot.
///
/// # Errors
/// [`crate::error::Error::InvalidConfig`] and [`crate::error::Error::NoSite`] only: everything else is a diagnostic.
pub fn build(snapshot: &Snapshot, options: &Options, cache: &Cache) -> Result<Built> {
    build_followed(snapshot, options, cache, &Progress::default())
}

/// [`build`], told of and ended between pages. What follows it never changes the result.
///
/// # Errors
/// Those of [`build`], and [`crate::error::Error::Cancelled`].
pub fn build_followed(snapshot: &Snapshot, options: &Options, cache: &Cache, progress: &Progress) -> Result<Built> {
    build_with(snapshot, options, cache, Company { progress: Some(progress), ..Company::default() })
}

/// The same for who wants to look at each rendered page and keep none: what `look` finds joins the diagnostics, and of the
/// outputs only copies of files are left.
///
/// # Errors
/// Those of [`build_followed`].
pub fn inspect(
    snapshot: &Snapshot,
    options: &Options,
    cache: &Cache,
    progress: &Progress,
    look: &Look<'_>,
) -> Result<Built> {
    build_with(snapshot, options, cache, Company { progress: Some(progress), look: Some(look), ..Company::default() })
}

/// The same in any company.
///
/// # Errors
/// Those of [`build_followed`].
pub fn build_with(snapshot: &Snapshot, options: &Options, cache: &Cache, company: Company<'_>) -> Result<Built> {
    let nobody = Progress::default();
    let progress = company.progress.unwrap_or(&nobody);
    let frame = cache.frame(snapshot, options, progress, company.watch)?;
    let mut edition = edition::Edition::new(snapshot, options, Arc::clone(&frame));
    edition.watch = company.watch;
    stopwatch::stage(company.watch, "render");
    let remembers = options.scope == Scope::Everything && company.look.is_none();
    let before = if remembers { cache.memory(options) } else { Arc::default() };
    let recall = remembers.then(|| memory::Recall::new(&edition, &before, company.have));
    let (rendered, memory) = render::render(&edition, &progress.part(CHECKED, 1.0), company, recall.as_ref());
    stopwatch::stage(company.watch, "sort findings");
    progress.proceed()?;
    if let Some(memory) = memory {
        cache.remember(options, memory);
    }
    // What compiling found already is not said again for the pages that stumble over it.
    let known = |error: &Diagnostic| {
        let of_file = frame.theme.findings.iter().filter(|known| known.path == error.path);
        of_file
            .filter(|known| known.severity == error.severity)
            .any(|known| error.line == 0 || known.message == error.message)
    };
    let mut findings: Vec<Diagnostic> = frame.findings().cloned().collect();
    findings
        .extend(rendered.findings.into_iter().filter(|finding| finding.code != "template_error" || !known(finding)));
    // What is wrong with a draft must not keep the rest of the site from going out.
    let library = &frame.library;
    let left_out = |path: &ContentPath| library.by_path.get(path).is_some_and(|&i| !library.pages[i].included);
    for finding in findings.iter_mut().filter(|finding| finding.severity == Severity::Error && left_out(&finding.path))
    {
        finding.severity = Severity::Warning;
    }
    findings.sort_by(|a, b| (&a.path, a.line, a).cmp(&(&b.path, b.line, b)));
    findings.dedup();
    let bodies = rendered.bodies.into_iter().collect();
    let (library, until) = (frame.library.clone(), frame.until);
    let render::Rendered { outputs, digests, why, .. } = rendered;
    Ok(Built { library, bodies, outputs, digests, rendered: why, diagnostics: findings, until })
}
