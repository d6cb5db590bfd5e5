//! The one way a tool changes a site: begin, stage, build what is affected, refuse new errors, commit, answer.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::shown::Shown;
use super::{Call, Site, lock, mend, person, shown, text_diff, theme};
use crate::build::{self, Built, Scope};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, Diagnostic, Page, PageState, PathKind, Progress, Severity, Snapshot};
use crate::store::{Change, Footprint, Note, RevisionId, Transaction};

/// Bytes of diff per changed file in a reply.
const DIFF_LIMIT: usize = 1_500;
/// Diagnostics in a reply.
const DIAGNOSTICS: usize = 20;

/// How much of an edit is done, roughly, when the site is read.
const READ: f64 = 0.4;
/// When what was there is rendered, where the whole site is.
const RENDERED: f64 = 0.6;
/// When the result is built.
const BUILT: f64 = 0.8;
/// When it is sure that the edit breaks nothing.
const CHECKED: f64 = 0.9;

/// Error-level findings that do not refuse an edit, only a publish: writing a page before its link target is normal work.
const TOLERATED_WHILE_EDITING: [&str; 5] =
    ["broken_link", "broken_anchor", "missing_asset", "broken_menu", "schema_reference"];

/// One file as an edit left it.
#[derive(Debug, Clone)]
pub struct ChangedFile {
    /// Its path.
    pub path: ContentPath,
    /// URL path of the page, where it is one and still exists.
    pub url: Option<String>,
    /// New etag; `None`: deleted.
    pub etag: Option<BlobId>,
    /// From before to after, unified, cut.
    pub diff: String,
    /// Lines added and removed.
    pub stat: text_diff::Stat,
    /// Rendered main content, where the file is a page.
    pub html: Option<Arc<str>>,
    /// Whether the page is kept out of the published build (draft, scheduled, expired).
    pub state: Option<PageState>,
}

/// What an edit did, or would do.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// The new revision; `None`: nothing changed, or a dry run.
    pub revision: Option<RevisionId>,
    /// Nothing was written because it was only asked what would be.
    pub dry_run: bool,
    /// This is the first receipt of the same call, sent again.
    pub repeated: bool,
    /// In a dry run that is to be published: what the edit would be, as a revision that no ref holds.
    pub trial: Option<RevisionId>,
    /// In a repeated receipt: what the first call said of its publish.
    pub published: Option<Value>,
    /// The files, in path order.
    pub changed: Vec<ChangedFile>,
    /// Where nothing changed: the files that were as they were to be already.
    pub same: Vec<ContentPath>,
    /// URL paths whose output changes, the changed pages first.
    pub affected: Vec<String>,
    /// URL paths that had to be rendered to find that out, and what of theirs had changed; none where only the changed pages were.
    pub rendered: Vec<(String, &'static str)>,
    /// Findings about changed files and new ones elsewhere, errors first, at most 20.
    pub diagnostics: Vec<Diagnostic>,
    /// Facts of the particular operation, one sentence each (redirects made, links rewritten, links that now break).
    pub notes: Vec<String>,
}

impl Written {
    /// Whether the result is byte-identical to what was there.
    #[must_use]
    pub fn unchanged(&self) -> bool {
        self.changed.is_empty()
    }
}

/// What an operation stages, and how it describes itself.
pub struct Staged {
    /// Default commit message.
    pub message: String,
    /// Further commit trailers.
    pub trailers: Vec<(String, String)>,
    /// Sentences for the reply.
    pub notes: Vec<String>,
    /// Findings of the operation's own, about what the build does not look at.
    pub findings: Vec<Diagnostic>,
}

impl Staged {
    /// With a default message only.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), trailers: Vec::new(), notes: Vec::new(), findings: Vec::new() }
    }
}

/// The declaration that an operation writes only files of these kinds.
pub fn footprint(kinds: impl Into<Vec<PathKind>>) -> Footprint {
    Footprint { kinds: kinds.into(), paths: None }
}

/// Runs one mutating operation from begin to commit.
///
/// `stage` sees the state the edit starts from and stages files; the rest is the same for every tool.
///
/// # Errors
/// Whatever `stage` refuses, `BuildFailed` for new errors, `UndeclaredWrite` outside the footprint, and the store's refusals.
pub fn run(
    site: &Site,
    call: &Call,
    footprint: &Footprint,
    stage: impl FnOnce(&mut Transaction<'_>, &Built) -> Result<Staged>,
) -> Result<Written> {
    let progress = &call.progress;
    progress.step(0.0, "Reading the site")?;
    let mut transaction = site.repository.begin()?;
    transaction.follow(progress);
    let base = Arc::clone(transaction.base());
    if let Some(receipt) = lock(&site.shared.receipts).find(call, site.now(), &base) {
        return Ok(receipt);
    }
    let (before, mends) = mend::library(site, &base, &progress.part(0.05, READ))?;
    progress.step(READ, "Preparing the edit")?;
    let staged = stage(&mut transaction, &before)?;
    let changes = transaction.changes();
    if changes.is_empty() {
        let same = transaction.same().iter().cloned().collect();
        return Ok(Written { dry_run: call.dry_run, notes: staged.notes, same, ..Written::default() });
    }
    site.effects().about_all(changes.iter().map(|change| &change.path));
    let after_snapshot = transaction.staged();
    person::check(call, &*mend::trusted(site, &base, mends)?, &after_snapshot)?;
    let scope = scope_of(&changes, &base, &after_snapshot);
    // What a whole site looked like tells which addresses really change, and which errors are not new.
    let shown = match scope {
        Scope::Everything if !mends => Some(Shown::of(site, &base, &progress.part(READ, RENDERED))?),
        _ => None,
    };
    let building = progress.part(RENDERED, BUILT);
    let mut after = result(site, &after_snapshot, &scope, &changes, &building)?;
    let checking = progress.part(BUILT, CHECKED);
    // With a configuration that could not be read nothing was built: no error is worse than that one.
    let fresh =
        if mends { Vec::new() } else { fresh_errors(site, &base, &before, &after, shown.as_ref(), &scope, &checking)? };
    if let Some(first) = fresh.first() {
        return Err(Error::BuildFailed { first: format!("{}: {}", first.path, first.message), diagnostics: fresh });
    }
    let mut written = describe(&changes, &base, &after_snapshot, &before, &after, progress)?;
    written.affected = match &shown {
        Some(shown) => shown.differing(&after),
        None => affected(&changes, &before, &after),
    };
    written.rendered = after.rendered.iter().map(|(path, why)| (shown::url(path), *why)).collect();
    written.diagnostics.extend(staged.findings);
    written.dry_run = call.dry_run;
    written.notes = staged.notes;
    let Note { message, mut trailers } = call.note(staged.message);
    trailers.extend(staged.trailers);
    if call.dry_run {
        written.trial = only_tried(&transaction, call, &Note { message, trailers }, footprint)?;
        return Ok(written);
    }
    progress.report(CHECKED, "Writing");
    written.revision = transaction.commit(&Note { message, trailers }, footprint)?;
    // The next call wants the library; the rendered files of a whole site would only fill memory.
    (after.outputs, after.digests) = Default::default();
    site.remember(&after_snapshot, false, &Arc::new(after));
    let state = changes.iter().map(|change| (change.path.clone(), change.after)).collect();
    lock(&site.shared.receipts).keep(call, site.now(), state, &written);
    Ok(written)
}

/// What the edit makes of the site, with the bodies of the changed pages.
fn result(site: &Site, snapshot: &Snapshot, scope: &Scope, changes: &[Change], progress: &Progress) -> Result<Built> {
    if *scope != Scope::Everything {
        return site.build_followed(snapshot, scope.clone(), false, None, progress);
    }
    let mut built = shown::whole(site, snapshot, progress)?;
    built.bodies = site.build(snapshot, pages_of(changes), false, None)?.bodies;
    Ok(built)
}

/// The checks of a commit without one; with a revision that no ref holds where the dry run of a publish follows.
fn only_tried(
    transaction: &Transaction<'_>,
    call: &Call,
    note: &Note,
    footprint: &Footprint,
) -> Result<Option<RevisionId>> {
    if call.publish {
        return transaction.trial(note, footprint).map(Some);
    }
    transaction.check(footprint).map(|()| None)
}

/// A theme, data or configuration edit can change any page; a page edit only its own outputs and lists; files of a theme
/// that the site does not use change none.
fn scope_of(changes: &[Change], base: &Snapshot, staged: &Snapshot) -> Scope {
    let of = |kinds: &[PathKind]| changes.iter().any(|change| kinds.contains(&change.path.kind()));
    let themed = || {
        let used: Vec<String> = [base, staged].into_iter().flat_map(theme::folders_in_use).collect();
        changes.iter().any(|change| used.iter().any(|folder| change.path.as_str().starts_with(folder)))
    };
    if of(&[PathKind::Config, PathKind::Data]) || (of(&[PathKind::Theme]) && themed()) {
        return Scope::Everything;
    }
    pages_of(changes)
}

/// The changed pages themselves.
fn pages_of(changes: &[Change]) -> Scope {
    Scope::Pages(changes.iter().filter(|c| c.path.kind() == PathKind::Page).map(|c| c.path.clone()).collect())
}

/// Errors that the edit brings in and that an edit may not bring in.
fn fresh_errors(
    site: &Site,
    base: &Snapshot,
    before: &Built,
    after: &Built,
    shown: Option<&Shown>,
    scope: &Scope,
    progress: &Progress,
) -> Result<Vec<Diagnostic>> {
    let refusing = |d: &&Diagnostic| d.severity == Severity::Error && !TOLERATED_WHILE_EDITING.contains(&&*d.code);
    let known: BTreeSet<_> = before.diagnostics.iter().map(key).collect();
    let mut fresh: Vec<Diagnostic> =
        after.diagnostics.iter().filter(refusing).filter(|d| !known.contains(&key(d))).cloned().collect();
    let stuck = stuck_pages(after, scope);
    if let Some(shown) = shown {
        let known: BTreeSet<_> = shown.findings.iter().map(key).collect();
        fresh.retain(|d| !known.contains(&key(d)));
        return Ok(fresh);
    }
    if fresh.is_empty() && stuck.is_empty() {
        return Ok(fresh);
    }
    // Template errors show up only for rendered pages: render the same ones of the base before blaming the edit.
    let rendered = site.build_followed(base, scope.clone(), false, None, progress)?;
    let known: BTreeSet<_> = rendered.diagnostics.iter().map(key).collect();
    fresh.retain(|d| !known.contains(&key(d)));
    // A page that a known template fault keeps from rendering is a new error where the page rendered before.
    let stuck_before = stuck_pages(&rendered, scope);
    if fresh.is_empty() && stuck.iter().any(|path| !stuck_before.contains(path)) {
        let of_theme = |d: &&Diagnostic| d.severity == Severity::Error && d.path.kind() == PathKind::Theme;
        fresh.extend(after.diagnostics.iter().filter(of_theme).cloned());
    }
    Ok(fresh)
}

/// Pages of the scope that belong to the build and could not be rendered.
fn stuck_pages<'a>(built: &'a Built, scope: &Scope) -> BTreeSet<&'a ContentPath> {
    let Scope::Pages(paths) = scope else { return BTreeSet::new() };
    let written = |page: &Page| built.outputs.contains_key(&build::output_path(&page.url));
    let pages = paths.iter().filter_map(|path| Some(&*built.library.pages[*built.library.by_path.get(path)?]));
    pages.filter(|page| page.exists && page.included && !written(page)).map(|page| &page.path).collect()
}

/// What makes two findings "the same one": the line may move with an edit.
fn key(diagnostic: &Diagnostic) -> (&str, &ContentPath, &str) {
    (&diagnostic.code, &diagnostic.path, &diagnostic.message)
}

/// Findings of `after` that `before` did not have.
#[must_use]
pub fn new_findings(before: &Built, after: &Built) -> Vec<Diagnostic> {
    let known: BTreeSet<_> = before.diagnostics.iter().map(key).collect();
    after.diagnostics.iter().filter(|d| !known.contains(&key(d))).cloned().collect()
}

fn describe(
    changes: &[Change],
    base: &Snapshot,
    staged: &Snapshot,
    before: &Built,
    after: &Built,
    progress: &Progress,
) -> Result<Written> {
    let paths: BTreeSet<&ContentPath> = changes.iter().map(|change| &change.path).collect();
    let mut changed = Vec::new();
    for change in changes {
        progress.proceed()?;
        changed.push(changed_file(change, base, staged, after));
    }
    let mut diagnostics: Vec<Diagnostic> =
        after.diagnostics.iter().filter(|d| paths.contains(&d.path)).cloned().collect();
    diagnostics.extend(new_findings(before, after).into_iter().filter(|d| !paths.contains(&d.path)));
    diagnostics.sort_by(|a, b| a.severity.cmp(&b.severity).then_with(|| a.path.cmp(&b.path)).then(a.line.cmp(&b.line)));
    diagnostics.truncate(DIAGNOSTICS);
    Ok(Written { changed, diagnostics, ..Written::default() })
}

fn changed_file(change: &Change, base: &Snapshot, staged: &Snapshot, after: &Built) -> ChangedFile {
    let text = |snapshot: &Snapshot| snapshot.get(&change.path).and_then(|file| file.text().map(str::to_owned));
    let (old, new) = (text(base), text(staged));
    let both = old.is_some() && new.is_some();
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let page = after.library.by_path.get(&change.path).map(|&index| &after.library.pages[index]);
    let page = page.filter(|page| page.exists);
    ChangedFile {
        path: change.path.clone(),
        url: page.map(|page| page.url.clone()),
        etag: change.after,
        // A whole new or deleted file says nothing as a diff that the call did not say.
        diff: if both { text_diff::unified(&old, &new, DIFF_LIMIT) } else { String::new() },
        stat: text_diff::stat(&old, &new),
        html: after.html(&change.path).cloned(),
        state: page.map(|page| page.state),
    }
}

/// URL paths whose output changes: the pages themselves, then what lists them or links to them.
fn affected(changes: &[Change], before: &Built, after: &Built) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    let mut add = |url: &str| {
        if known.insert(url.to_owned()) {
            urls.push(url.to_owned());
        }
    };
    let found = |built: &Built, path: &ContentPath| built.library.by_path.get(path).copied();
    for change in changes {
        for (built, index) in [(after, found(after, &change.path)), (before, found(before, &change.path))] {
            if let Some(index) = index {
                add(&built.library.pages[index].url);
            }
        }
    }
    let mut lists = BTreeSet::new();
    for change in changes {
        let (old, new) = (found(before, &change.path), found(after, &change.path));
        let entry = |built: &Built, index: Option<usize>| index.map(|index| list_entry(&built.library.pages[index]));
        if entry(before, old) == entry(after, new) {
            continue;
        }
        for (built, index) in [(before, old), (after, new)] {
            if let Some(index) = index {
                listing_urls(built, index, &mut lists);
            }
        }
    }
    for url in &lists {
        add(url);
    }
    urls
}

/// What lists show of a page: where this stays the same, no list changes.
fn list_entry(page: &Page) -> (String, String, String, Option<String>, bool, Option<i64>, String) {
    (
        page.url.clone(),
        page.title.clone(),
        page.description.clone().unwrap_or_else(|| page.summary.clone()),
        page.date.as_ref().map(ToString::to_string),
        page.state == PageState::Live,
        page.weight,
        format!("{:?}", page.terms),
    )
}

fn listing_urls(built: &Built, index: usize, urls: &mut BTreeSet<String>) {
    let library = &built.library;
    let page = &library.pages[index];
    if let Some(section) = library.section_of(page) {
        urls.insert(library.pages[section.page].url.clone());
    }
    for (key, names) in &page.terms {
        let taxonomies = library.taxonomies_in(library.language_of(page));
        let Some(taxonomy) = taxonomies.get(key) else { continue };
        for term in taxonomy.terms.values() {
            if names.iter().any(|name| name.eq_ignore_ascii_case(&term.name)) {
                urls.insert(term.url.clone());
            }
        }
    }
    for &linking in library.backlinks.get(&index).into_iter().flatten() {
        urls.insert(library.pages[linking].url.clone());
    }
}
