//! Everything that is wrong with a site, or might be better: what the build finds, and rules over the library and the rendered
//! pages, which are looked at one by one and never held together.

mod age;
mod assets;
mod external;
mod html;
mod kept;
mod reach;
mod rendered;
mod rule;
mod seo;
mod translations;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use kept::Kept;
pub use rule::Rule;

use super::scope::Files;
use super::{Site, lock, theme};
use crate::build::{Built, Scope};
use crate::error::{Error, Result};
use crate::model::{ContentPath, Diagnostic, PathKind, Progress, Severity, Snapshot};
use crate::store::Repository;

/// Findings in a reply where the caller names no limit.
const DEFAULT_LIMIT: usize = 50;
/// Most findings a caller may ask for at once.
const MAX_LIMIT: usize = 500;

/// What to check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckQuery {
    /// Which files: as in a search; empty: the whole site.
    pub scope: Vec<String>,
    /// Which rules; empty: all but those that only look at age or ask the network.
    pub rules: BTreeSet<Rule>,
    /// Drafts and scheduled pages are built and checked as if they were live.
    pub drafts: bool,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Findings by code.
    pub counts: BTreeMap<String, usize>,
    /// Findings by severity.
    pub severities: BTreeMap<Severity, usize>,
    /// All of them: errors first, then in path and line order.
    pub findings: Vec<Diagnostic>,
}

/// One part of a report.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// Where it begins in the report.
    pub start: usize,
    /// The report it belongs to, for its cursor.
    mark: String,
}

/// Checks the working tree.
///
/// # Errors
/// `NotFound` for an unknown name in the scope, and what reading can fail with.
pub fn check(site: &Site, query: &CheckQuery, progress: &Progress) -> Result<Report> {
    let read = site.working_followed(&progress.part(0.0, 0.2))?;
    look(site, query, read, progress)
}

/// The same for who reads the findings in parts: with a cursor, the report that its first part came from is given again.
///
/// # Errors
/// Those of [`check`].
pub fn check_in_parts(
    site: &Site,
    query: &CheckQuery,
    cursor: Option<&str>,
    progress: &Progress,
) -> Result<Arc<Report>> {
    let read = site.working_followed(&progress.part(0.0, 0.2))?;
    let about = kept::About::of(site, query, &read.0);
    if cursor.is_some()
        && let Some(report) = lock(&site.shared.reports).find(&about, site.now())
    {
        return Ok(report);
    }
    let report = Arc::new(look(site, query, read, progress)?);
    lock(&site.shared.reports).keep(about, site.now(), &report);
    Ok(report)
}

fn look(
    site: &Site,
    query: &CheckQuery,
    (snapshot, library): (Arc<Snapshot>, Arc<Built>),
    progress: &Progress,
) -> Result<Report> {
    let rules = if query.rules.is_empty() { Rule::usual() } else { query.rules.clone() };
    let files = match query.scope.as_slice() {
        [] => None,
        names => Some(Files::parse(&library.library, &snapshot, names)?),
    };
    let holds = |path: &ContentPath| files.as_ref().is_none_or(|files| files.holds(path));
    let look = rendered::Looks::new(&rules, &holds);
    let built = if rules.iter().any(|rule| rule.renders()) {
        let scope = what_to_render(&rules, files.as_ref(), &snapshot);
        let looking = |seen: &crate::build::Seen<'_>| look.at(seen);
        Arc::new(site.inspect(&snapshot, scope, query.drafts, &progress.part(0.2, 0.9), &looking)?)
    } else if query.drafts {
        site.library_followed(&snapshot, true, &progress.part(0.2, 0.9))?
    } else {
        library
    };
    progress.proceed()?;
    let mut findings: Vec<Diagnostic> = built.diagnostics.clone();
    findings.extend(look.of_theme());
    let seen = look.into_seen();
    if rules.contains(&Rule::Templates) {
        findings.extend(theme::unused(&snapshot));
    }
    if rules.contains(&Rule::Seo) {
        findings.extend(seo::findings(&built.library));
    }
    if rules.contains(&Rule::Accessibility) {
        findings.extend(rendered::headings(&built.library));
    }
    if rules.contains(&Rule::Orphans) {
        findings.extend(reach::orphans(&built.library, &seen.linked));
    }
    if rules.contains(&Rule::Assets) {
        findings.extend(assets::findings(site, &snapshot, &built, &seen.used)?);
    }
    if rules.contains(&Rule::Stale) || rules.contains(&Rule::Drafts) {
        findings.extend(age::findings(site, &built.library)?);
    }
    if rules.contains(&Rule::Translations) {
        findings.extend(translations::findings(&built.library));
    }
    if rules.contains(&Rule::ExternalLinks) {
        findings.extend(external::findings(&built.library, &holds, &progress.part(0.9, 1.0)));
        progress.proceed()?;
    }
    findings.retain(|finding| rules.contains(&Rule::of(&finding.code)) && holds(&finding.path));
    said_once(&mut findings, &built);
    Ok(report(findings))
}

/// Orphans and unused assets are told by what all pages link to; other rules need only the pages they are about.
fn what_to_render(rules: &BTreeSet<Rule>, files: Option<&Files>, snapshot: &Snapshot) -> Scope {
    let whole = rules.contains(&Rule::Orphans) || rules.contains(&Rule::Assets);
    match files.filter(|files| !whole && files.kinds() == [PathKind::Page]) {
        Some(files) => Scope::Pages(files.of(snapshot).into_iter().cloned().collect()),
        None => Scope::Everything,
    }
}

/// What the build found in the Markdown is not said again for the HTML it became.
fn said_once(findings: &mut Vec<Diagnostic>, built: &Built) {
    const TWICE: [(&str, &str); 2] = [("image_without_alt", "image_alt_missing"), ("empty_link", "link_text_missing")];
    let known: BTreeSet<(&str, &ContentPath)> = built.diagnostics.iter().map(|d| (&*d.code, &d.path)).collect();
    findings.retain(|finding| {
        TWICE.iter().all(|(rendered, written)| finding.code != *rendered || !known.contains(&(*written, &finding.path)))
    });
}

fn report(mut findings: Vec<Diagnostic>) -> Report {
    findings.sort_by(|a, b| {
        (a.severity, &a.path, a.line, &a.code, &a.message).cmp(&(b.severity, &b.path, b.line, &b.code, &b.message))
    });
    findings.dedup();
    let mut report = Report::default();
    for finding in &findings {
        *report.counts.entry(finding.code.to_string()).or_insert(0) += 1;
        *report.severities.entry(finding.severity).or_insert(0) += 1;
    }
    report.findings = findings;
    report
}

impl Report {
    /// The part a cursor leads to, and its findings.
    ///
    /// # Errors
    /// `InvalidArguments` for a cursor of another report: the site changed, or other rules were asked for.
    pub fn part(&self, cursor: Option<&str>, limit: usize) -> Result<(Part, &[Diagnostic])> {
        let mark = self.mark();
        let start = match cursor {
            None => 0,
            Some(cursor) => cursor
                .split_once('-')
                .filter(|(_, of)| *of == mark)
                .and_then(|(start, _)| start.parse::<usize>().ok())
                .filter(|start| *start <= self.findings.len())
                .ok_or_else(|| Error::InvalidArguments {
                    field: "cursor".into(),
                    problem: "it does not belong to these findings: the site changed meanwhile, or the arguments did"
                        .into(),
                    example: "leave `cursor` out to start again".into(),
                })?,
        };
        let limit = if limit == 0 { DEFAULT_LIMIT } else { limit.min(MAX_LIMIT) };
        let end = (start + limit).min(self.findings.len());
        Ok((Part { start, mark }, &self.findings[start..end]))
    }

    /// A hash of what the findings are.
    fn mark(&self) -> String {
        let lines = self.findings.iter().map(|d| format!("{} {} {} {}\n", d.code, d.path, d.line, d.message));
        Repository::blob_id(lines.collect::<String>().as_bytes()).to_string()[..10].to_owned()
    }
}

impl Part {
    /// The cursor behind so many findings of this part.
    #[must_use]
    pub fn cursor(&self, count: usize) -> String {
        format!("{}-{}", self.start + count, self.mark)
    }
}
