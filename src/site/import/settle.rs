//! From a plan to staged files: addresses put right against our own build, what is there already left alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::edit::Staged;
use super::super::{Site, asset};
use super::settings::Settings;
use super::{From, Opened, Outcome, Request, Tally};
use crate::build::{Built, Scope};
use crate::error::{Error, Result};
use crate::import::{Plan, PlannedPage};
use crate::model::config::UploadsConfig;
use crate::model::{ContentPath, Library, PageKind, PathKind, Severity, Snapshot, front_matter};
use crate::store::{Repository, Transaction};

/// Findings that are for the check after an import, not against it.
const TOLERATED: [&str; 4] = ["broken_link", "broken_anchor", "missing_asset", "broken_menu"];
/// Redirects made of terms at most.
const MAX_REDIRECTS: usize = 2_000;
const NOT_ALLOWED: &str = "left out: this connection may not write it";

/// Stages everything that is to be written.
#[allow(clippy::too_many_arguments, reason = "one call site; each is a part of the one operation")]
pub(super) fn stage(
    site: &Site,
    transaction: &mut Transaction<'_>,
    mut plan: Plan,
    opened: &Opened,
    request: &Request,
    left_out: &BTreeMap<ContentPath, String>,
    outcome: &mut Outcome,
) -> Result<Staged> {
    for (path, why) in left_out {
        let source = plan.pages.iter().find(|page| page.target == *path).map(|page| page.source.clone());
        let source =
            source.or_else(|| plan.files.iter().find(|file| file.target == *path).map(|file| file.source.clone()));
        plan.report.add(
            "page",
            why,
            source.unwrap_or_else(|| path.to_string()),
            "left out: the site would not build with it",
        );
    }
    plan.pages.retain(|page| !left_out.contains_key(&page.target));
    plan.files.retain(|file| !left_out.contains_key(&file.target));
    let mut settings = settings(transaction.base(), &mut plan, request)?;
    let built = fit(site, transaction.base(), &settings.text, &mut plan, outcome)?;
    redirects(&mut plan, &mut settings, &built, request, outcome);
    stage_pages(transaction, &mut plan, request, outcome)?;
    let uploads = built.library.config.uploads.clone();
    stage_files(site, transaction, &mut plan, opened, request, &uploads, outcome)?;
    if request.config {
        transaction.stage(ContentPath::from_disk("site.yaml")?, Some(settings.text.clone().into_bytes()))?;
        outcome.settings = settings.set;
        outcome.settings_kept = settings.kept;
    } else if !plan.settings.is_empty() {
        plan.report.add("setting", "all of site.yaml", "", NOT_ALLOWED);
    }
    outcome.report = plan.report;
    Ok(Staged::new(format!(
        "Import {} from a {} source",
        counted(outcome.pages.created.len() + outcome.pages.replaced.len(), "page"),
        plan.kind.name()
    )))
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `site.yaml` with what the source sets. Below a section of an existing site only its taxonomies count.
fn settings(base: &Snapshot, plan: &mut Plan, request: &Request) -> Result<Settings> {
    let mut settings = Settings::of(base, request.replace)?;
    if !request.config {
        return Ok(settings);
    }
    let mut wanted = plan.settings.clone();
    if !request.section.trim_matches('/').is_empty() {
        wanted.retain(|key, _| key == "taxonomies");
    }
    for (key, advice) in settings.apply(&wanted) {
        plan.report.add("setting", &key, "", advice);
    }
    Ok(settings)
}

/// Builds the site as it would be, writes addresses down where ours would differ, and takes out what would be an error.
fn fit(site: &Site, base: &Snapshot, config: &str, plan: &mut Plan, outcome: &mut Outcome) -> Result<Built> {
    let mut scratch = base.clone();
    scratch.set(ContentPath::from_disk("site.yaml")?, Some(Repository::file(config.as_bytes().to_vec())));
    for page in &plan.pages {
        scratch.set(page.target.clone(), Some(Repository::file(page.text.clone().into_bytes())));
    }
    for file in plan.files.iter().filter(|file| file.target.kind() == PathKind::ContentAsset) {
        // Only names matter: which page an asset belongs to.
        scratch.set(file.target.clone(), Some(Repository::file(Vec::new())));
    }
    let mut built = site.build(&scratch, Scope::Nothing, false, None)?;
    let mut pinned = 0;
    for page in &mut plan.pages {
        let Some(url) = differing(&built.library, page) else { continue };
        let patch = Map::from_iter([("url".to_owned(), Value::from(url))]);
        let Ok(text) = front_matter::patch(page.target.as_str(), &page.text, &patch) else { continue };
        page.text = text;
        scratch.set(page.target.clone(), Some(Repository::file(page.text.clone().into_bytes())));
        pinned += 1;
    }
    if pinned > 0 {
        built = site.build(&scratch, Scope::Nothing, false, None)?;
    }
    outcome.pinned = pinned;
    for page in &plan.pages {
        if let Some(url) = differing(&built.library, page) {
            plan.report.add(
                "address",
                &url,
                page.source.clone(),
                "it is another one here: add an alias where it matters",
            );
        }
    }
    if take_out_errors(&built, &mut scratch, plan) {
        built = site.build(&scratch, Scope::Nothing, false, None)?;
    }
    Ok(built)
}

/// The address a page had, where ours is another.
fn differing(library: &Library, page: &PlannedPage) -> Option<String> {
    let url = page.url.as_ref()?;
    let found = &library.pages[*library.by_path.get(&page.target)?];
    let home = found.kind == PageKind::Home && found.url == *url;
    (!home && found.url != *url).then(|| url.clone())
}

/// Pages of the plan that the build finds errors in.
fn take_out_errors(built: &Built, scratch: &mut Snapshot, plan: &mut Plan) -> bool {
    let planned: BTreeSet<ContentPath> = plan.pages.iter().map(|page| page.target.clone()).collect();
    let mut bad: BTreeMap<ContentPath, String> = BTreeMap::new();
    for finding in &built.diagnostics {
        if finding.severity != Severity::Error
            || TOLERATED.contains(&&*finding.code)
            || !planned.contains(&finding.path)
        {
            continue;
        }
        // Of two pages with one address the first stays.
        let earlier =
            finding.refers.as_deref().is_some_and(|other| *other > *finding.path.as_str() && planned.contains(other));
        if finding.code == "duplicate_url" && earlier {
            continue;
        }
        bad.entry(finding.path.clone()).or_insert_with(|| finding.message.clone());
    }
    for page in plan.pages.iter().filter(|page| bad.contains_key(&page.target)) {
        let why = bad.get(&page.target).map_or("", String::as_str);
        plan.report.add("page", why, page.source.clone(), "left out: mend it and import again");
        scratch.set(page.target.clone(), None);
    }
    plan.pages.retain(|page| !bad.contains_key(&page.target));
    !bad.is_empty()
}

/// Redirects of the source, and from addresses of terms that are spelled otherwise here.
fn redirects(plan: &mut Plan, settings: &mut Settings, built: &Built, request: &Request, outcome: &mut Outcome) {
    if !request.config || !request.section.trim_matches('/').is_empty() {
        return;
    }
    let library = &built.library;
    let mut all = plan.redirects.clone();
    if let Some(slug) = plan.term {
        for (taxonomy, term) in library.taxonomies.values().flat_map(|t| t.terms.values().map(move |term| (t, term))) {
            let old = format!("{}{}/", taxonomy.url, slug(&term.name));
            if old != term.url && !old.contains(['?', '#', '%']) && all.len() < MAX_REDIRECTS {
                all.insert(old, Value::from(term.url.clone()));
            }
        }
    }
    all.retain(|from, _| !library.by_url.contains_key(from));
    if all.is_empty() {
        return;
    }
    outcome.redirects = all.len();
    let wanted = Map::from_iter([("redirects".to_owned(), Value::Object(all))]);
    for (key, advice) in settings.apply(&wanted) {
        plan.report.add("redirect", &key, "", advice);
    }
}

fn stage_pages(
    transaction: &mut Transaction<'_>,
    plan: &mut Plan,
    request: &Request,
    outcome: &mut Outcome,
) -> Result<()> {
    for page in &plan.pages {
        let bytes = page.text.as_bytes();
        let written = stage_one(transaction, &page.target, bytes.to_vec(), request.replace, &mut outcome.pages)?;
        if let Err(problem) = written {
            plan.report.add("page", &problem, page.source.clone(), "left out: rename it and import again");
        }
    }
    Ok(())
}

fn stage_files(
    site: &Site,
    transaction: &mut Transaction<'_>,
    plan: &mut Plan,
    opened: &Opened,
    request: &Request,
    uploads: &UploadsConfig,
    outcome: &mut Outcome,
) -> Result<()> {
    let trusted = matches!(request.from, From::Trusted(_));
    for file in &plan.files {
        if !request.media {
            plan.report.add("file", "assets, static files and data", file.source.clone(), NOT_ALLOWED);
            continue;
        }
        let bytes = match &file.text {
            Some(text) => text.clone().into_bytes(),
            None => opened.bytes(&file.source)?,
        };
        // What a person takes over is theirs to vouch for; an image is made fit for a page all the same.
        let admitted = if trusted {
            Ok(asset::fitted(site, uploads, bytes))
        } else {
            asset::admitted(site, uploads, &file.target, bytes)
        };
        let (bytes, smaller) = match admitted {
            Ok(admitted) => admitted,
            Err(problem) => {
                plan.report.add("file", &problem, file.source.clone(), "left out: a person can allow it, or import it");
                continue;
            }
        };
        if smaller {
            plan.report.add("image", "made smaller", file.source.clone(), "it was larger than `uploads.max_px`");
        }
        let written = stage_one(transaction, &file.target, bytes, request.replace, &mut outcome.files)?;
        if let Err(problem) = written {
            plan.report.add("file", &problem, file.source.clone(), "left out: rename it and import again");
        }
    }
    Ok(())
}

/// Stages a file unless it is there; what no path may be called is said and left out.
fn stage_one(
    transaction: &mut Transaction<'_>,
    target: &ContentPath,
    bytes: Vec<u8>,
    replace: bool,
    tally: &mut Tally,
) -> Result<std::result::Result<(), String>> {
    let shown = || super::super::address::shown(target).to_owned();
    let there = transaction.base().get(target).map(|file| file.id);
    match there {
        Some(id) if id == Repository::blob_id(&bytes) => {
            tally.unchanged += 1;
            return Ok(Ok(()));
        }
        Some(_) if !replace => {
            tally.skipped.push(shown());
            return Ok(Ok(()));
        }
        _ => {}
    }
    match transaction.stage(target.clone(), Some(bytes)) {
        Ok(()) => {
            if there.is_some() {
                tally.replaced.push(shown());
            } else {
                tally.created.push(shown());
            }
            Ok(Ok(()))
        }
        Err(Error::InvalidPath { problem, .. }) => Ok(Err(problem)),
        Err(Error::TooLarge { size, limit, .. }) => Ok(Err(format!("{size} bytes, the limit is {limit}"))),
        Err(error) => Err(error),
    }
}
