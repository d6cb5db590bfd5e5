//! Which output files a build has and what makes each: settled before anything is rendered, so that clashes are found always.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::address::{self, Base};
use super::library::NOT_FOUND_URL;
use super::template::Templates;
use super::{outputs, paginate};
use crate::model::{BlobId, ContentPath, Diagnostic, Library, PageKind, Severity, Snapshot};

/// What makes an output file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Job {
    /// A page, section or home page (the first page of its list).
    Page(usize),
    /// A further page of a section's list, from 2.
    SectionList(usize, usize),
    /// The list of a taxonomy's terms.
    Taxonomy(String),
    /// A page of a term's list, from 1: taxonomy key, slug, number.
    Term(String, String, usize),
    /// The page for addresses that do not exist.
    NotFound,
    /// A copy of a file.
    Copy(ContentPath, BlobId),
    /// A stub that leads to an address, given as href or absolute URL.
    Redirect(String),
}

/// One redirect, for stubs and `_redirects`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redirect {
    /// URL path, unencoded; may hold `*` where it comes from the configuration.
    pub(crate) from: String,
    /// Href with base path, or absolute URL.
    pub(crate) to: String,
}

impl Redirect {
    /// Whether it stands for many addresses; no page can stand at those.
    #[must_use]
    pub(crate) fn is_pattern(&self) -> bool {
        self.from.contains(['*', ':'])
    }
}

/// Every output file but the engine's own formats, with what serves the links that lead to it.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Jobs by output path.
    pub(crate) jobs: BTreeMap<String, Job>,
    /// Redirects in order.
    pub(crate) redirects: Vec<Redirect>,
}

/// Lays out the outputs of a library.
#[must_use]
pub(crate) fn plan(
    snapshot: &Snapshot,
    library: &Library,
    templates: &Templates,
    base: &Base,
) -> (Plan, Vec<Diagnostic>) {
    let mut plan = Plan::default();
    let mut findings = Vec::new();
    plan.pages(library, &mut findings);
    plan.copies(snapshot, library, templates, &mut findings);
    plan.lists(library);
    plan.redirects(snapshot, library, base, &mut findings);
    plan.jobs.entry("404.html".into()).or_insert(Job::NotFound);
    plan.report_shadows(&mut findings);
    (plan, findings)
}

impl Plan {
    fn pages(&mut self, library: &Library, findings: &mut Vec<Diagnostic>) {
        for (i, page) in library.pages.iter().enumerate().filter(|(_, page)| page.included) {
            let path = address::output_path(&page.url);
            if outputs::RESERVED.contains(&path.as_str()) {
                findings.push(
                    Diagnostic::new(
                        Severity::Error,
                        "reserved_path",
                        page.path.clone(),
                        0,
                        format!("{path} is written by the engine"),
                    )
                    .with_hint("Give the page another `url`."),
                );
            }
            self.jobs.entry(path).or_insert(Job::Page(i));
        }
    }

    fn copies(
        &mut self,
        snapshot: &Snapshot,
        library: &Library,
        templates: &Templates,
        findings: &mut Vec<Diagnostic>,
    ) {
        for page in library.pages.iter().filter(|page| page.included) {
            for asset in &page.assets {
                let path = super::assets::url(page, asset);
                self.copy(snapshot, path.trim_start_matches('/'), asset, library, findings);
            }
        }
        for (file, _) in snapshot.under("static") {
            let path = file.as_str().strip_prefix("static/").unwrap_or_default();
            self.copy(snapshot, path, file, library, findings);
        }
        for (path, file) in templates.assets() {
            // A site overrides a theme's asset with a static file of the same name.
            let path = format!("assets/{path}");
            if let (Entry::Vacant(slot), Some(source)) = (self.jobs.entry(path), snapshot.get(file)) {
                slot.insert(Job::Copy(file.clone(), source.id));
            }
        }
    }

    fn copy(
        &mut self,
        snapshot: &Snapshot,
        path: &str,
        file: &ContentPath,
        library: &Library,
        findings: &mut Vec<Diagnostic>,
    ) {
        let Some(source) = snapshot.get(file) else { return };
        let there = match self.jobs.entry(path.to_owned()) {
            Entry::Vacant(slot) => {
                slot.insert(Job::Copy(file.clone(), source.id));
                return;
            }
            Entry::Occupied(slot) => match slot.get() {
                Job::Page(i) => library.pages[*i].path.clone(),
                Job::Copy(other, _) => other.clone(),
                _ => return,
            },
        };
        findings.push(
            Diagnostic::new(
                Severity::Error,
                "duplicate_output",
                file.clone(),
                0,
                format!("{there} writes the same output file {path}"),
            )
            .with_hint("Rename or delete one of them.")
            .with_refers(there.as_str()),
        );
    }

    /// Further pages of lists, taxonomies and terms; a page written for the same address stands in front of them.
    fn lists(&mut self, library: &Library) {
        for section in library.sections.values() {
            let page = &library.pages[section.page];
            if !page.included || page.kind == PageKind::Home {
                continue;
            }
            let size = paginate::section_size(&library.config, &section.folder);
            for n in 2..=paginate::count(section.pages.len(), size) {
                let path = address::output_path(&paginate::url(&page.url, n));
                self.jobs.entry(path).or_insert(Job::SectionList(section.page, n));
            }
        }
        for taxonomy in library.taxonomies.values().filter(|taxonomy| !taxonomy.terms.is_empty()) {
            let path = address::output_path(&taxonomy.url);
            self.jobs.entry(path).or_insert_with(|| Job::Taxonomy(taxonomy.key.clone()));
            let size = paginate::term_size(&library.config, &taxonomy.key);
            for (slug, term) in &taxonomy.terms {
                for n in 1..=paginate::count(term.pages.len(), size) {
                    let path = address::output_path(&paginate::url(&term.url, n));
                    self.jobs.entry(path).or_insert_with(|| Job::Term(taxonomy.key.clone(), slug.clone(), n));
                }
            }
        }
    }

    fn redirects(&mut self, snapshot: &Snapshot, library: &Library, base: &Base, findings: &mut Vec<Diagnostic>) {
        for page in library.pages.iter().filter(|page| page.included) {
            for alias in &page.aliases {
                self.redirect(alias, base.href(&page.url), (&page.path, &|| 0), findings);
            }
        }
        let Ok(config) = ContentPath::from_disk("site.yaml") else { return };
        for (from, to) in &library.config.redirects {
            // Looked up only where something is found: a site may hold thousands of redirects.
            let line = || line_of(snapshot, from);
            let pattern = from.contains(['*', ':']);
            match (address::clean(from), redirect_target(library, base, to, pattern)) {
                (Some(_), Some(to)) if pattern => {
                    // Patterns cannot be stubs; hosts that read `_redirects` know them.
                    self.redirects.push(Redirect { from: from.clone(), to });
                }
                (Some(from), Some(to)) => self.redirect(&from, to, (&config, &line), findings),
                (from_ok, _) => {
                    let wrong = if from_ok.is_some() { to } else { from };
                    let message = format!("`{wrong}` in a redirect is no URL path of this site");
                    findings.push(
                        Diagnostic::new(Severity::Error, "invalid_url", config.clone(), line(), message).with_hint(
                            "Write it like this: `/old/path/: /new/path/`; only a target may be a http(s) address.",
                        ),
                    );
                }
            }
        }
    }

    fn redirect(
        &mut self,
        from: &str,
        to: String,
        source: (&ContentPath, &dyn Fn() -> usize),
        findings: &mut Vec<Diagnostic>,
    ) {
        match self.jobs.entry(address::stub_path(from)) {
            Entry::Vacant(slot) => {
                slot.insert(Job::Redirect(to.clone()));
                self.redirects.push(Redirect { from: from.to_owned(), to });
            }
            Entry::Occupied(slot) if *slot.get() == Job::Redirect(to) => {}
            Entry::Occupied(_) => findings.push(
                Diagnostic::new(
                    Severity::Warning,
                    "redirect_clash",
                    source.0.clone(),
                    source.1(),
                    format!("the redirect from {from} has no effect: something else has that address"),
                )
                .with_hint("Take the redirect or alias out, or move what is there."),
            ),
        }
    }

    /// A file and a folder cannot have one name, nor two files names that differ in case only.
    fn report_shadows(&self, findings: &mut Vec<Diagnostic>) {
        let Ok(config) = ContentPath::from_disk("site.yaml") else { return };
        let mut folded: BTreeMap<String, &str> = BTreeMap::new();
        for path in self.jobs.keys() {
            if let Some(other) = folded.insert(path.to_lowercase(), path) {
                findings.push(
                    Diagnostic::new(
                        Severity::Warning,
                        "case_clash",
                        config.clone(),
                        0,
                        format!("outputs {other} and {path} differ in case only"),
                    )
                    .with_hint("Rename one of them: some hosts and disks hold only one."),
                );
            }
            for (at, _) in path.match_indices('/') {
                if self.jobs.contains_key(&path[..at]) {
                    findings.push(
                        Diagnostic::new(
                            Severity::Error,
                            "duplicate_output",
                            config.clone(),
                            0,
                            format!("output {} is a file and a folder", &path[..at]),
                        )
                        .with_hint("Rename the file or the page below it."),
                    );
                }
            }
        }
    }
}

/// A redirect's target: an http(s) address, or a content or URL path of the site, with fragment. A pattern's target (`/:splat`)
/// stays as it is written.
fn redirect_target(library: &Library, base: &Base, to: &str, pattern: bool) -> Option<String> {
    if to.starts_with("https://") || to.starts_with("http://") {
        return Some(super::escape::url(to));
    }
    let (path, fragment) = to.split_once('#').map_or((to, None), |(path, fragment)| (path, Some(fragment)));
    let content = format!("content/{}", path.trim_start_matches('/'));
    let url = if let Some(&i) = library.by_path.get(content.as_str()) {
        library.pages[i].url.clone()
    } else {
        let clean = address::clean(path)?;
        if pattern { path.to_owned() } else { clean }
    };
    let href = base.href(&url);
    Some(fragment.map_or(href.clone(), |fragment| format!("{href}#{}", super::escape::url(fragment))))
}

/// The line of `site.yaml` that begins with a key.
fn line_of(snapshot: &Snapshot, key: &str) -> usize {
    let text = snapshot.text("site.yaml").unwrap_or_default();
    let key_line = |line: &str| line.trim_start().trim_start_matches(['"', '\'']).starts_with(key);
    text.lines().position(key_line).map_or(0, |at| at + 1)
}

/// The URL path of an output path: `a/index.html` is `/a/`.
#[must_use]
pub(crate) fn url_of(output: &str) -> String {
    match output.strip_suffix("index.html") {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => format!("/{folder}"),
        _ => format!("/{output}"),
    }
}

/// Whether a page is the site's own 404 page.
#[must_use]
pub(crate) fn is_not_found(url: &str) -> bool {
    url == NOT_FOUND_URL
}
