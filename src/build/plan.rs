//! Which output files a build has and what makes each: settled before anything is rendered, so that clashes are found always.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::address::{self, Base};
use super::library::NOT_FOUND_URL;
use super::redirects::{self, Redirect};
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
    /// The list of a taxonomy's terms in a further language or in the site's own.
    Taxonomy(Option<String>, String),
    /// A page of a term's list, from 1: language, taxonomy key, slug, number.
    Term(Option<String>, String, String, usize),
    /// The page for addresses that do not exist.
    NotFound,
    /// A copy of a file.
    Copy(ContentPath, BlobId),
    /// A stub that leads to an address, given as href or absolute URL.
    Redirect(String),
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
    redirects::add(&mut plan, snapshot, library, base, &mut findings);
    plan.jobs.entry("404.html".into()).or_insert(Job::NotFound);
    plan.report_shadows(&mut findings);
    (plan, findings)
}

impl Plan {
    fn pages(&mut self, library: &Library, findings: &mut Vec<Diagnostic>) {
        for (i, page) in library.pages.iter().enumerate().filter(|(_, page)| page.included) {
            let path = address::output_path(&page.url);
            if outputs::is_reserved(&library.config, &path) {
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
        for language in library.languages() {
            self.section_lists(library, language);
            self.terms(library, language);
        }
    }

    fn section_lists(&mut self, library: &Library, language: Option<&str>) {
        for section in library.sections_in(language).values() {
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
    }

    fn terms(&mut self, library: &Library, language: Option<&str>) {
        let tag = || language.map(str::to_owned);
        for taxonomy in library.taxonomies_in(language).values().filter(|taxonomy| !taxonomy.terms.is_empty()) {
            let path = address::output_path(&taxonomy.url);
            self.jobs.entry(path).or_insert_with(|| Job::Taxonomy(tag(), taxonomy.key.clone()));
            let size = paginate::term_size(&library.config, &taxonomy.key);
            for (slug, term) in &taxonomy.terms {
                for n in 1..=paginate::count(term.pages.len(), size) {
                    let path = address::output_path(&paginate::url(&term.url, n));
                    self.jobs.entry(path).or_insert_with(|| Job::Term(tag(), taxonomy.key.clone(), slug.clone(), n));
                }
            }
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
