//! Imports other generators' sites, folders, feeds and tables: one transaction, one revision, nothing lost without a word.

mod origin;
mod settings;
mod settle;

use std::collections::BTreeMap;

use super::edit::{self, Written};
use super::{Call, Site};
use crate::build::Built;
use crate::error::{Error, Result};
use crate::import::{self, Options, Plan, Report};
use crate::model::{ContentPath, Date, Diagnostic, PathKind, Snapshot, Theme};

pub use crate::import::{Kind, Lost};
pub use origin::From;
use origin::Opened;

/// How often an import is tried again without what the site would not build with.
const ROUNDS: usize = 4;
/// Themes that extend one another.
const CHAIN: usize = 8;

/// What to import, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it is.
    pub from: From,
    /// What it is; `None`: what it looks like.
    pub kind: Option<Kind>,
    /// Content folder that everything goes below; empty: `content/` itself.
    pub section: String,
    /// Overwrite pages, files and settings that differ.
    pub replace: bool,
    /// At most so many pages, the newest; 0: all.
    pub limit: usize,
    /// No pages dated before this day or moment.
    pub since: Option<String>,
    /// Headings of a table and what their columns are.
    pub columns: BTreeMap<String, String>,
    /// Whether the caller may write assets, static files and data.
    pub media: bool,
    /// Whether the caller may write `site.yaml`.
    pub config: bool,
}

/// Files of one sort, by what becomes of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// New ones.
    pub created: Vec<String>,
    /// Overwritten, since the caller said so.
    pub replaced: Vec<String>,
    /// There already, byte for byte.
    pub unchanged: usize,
    /// There already with another text, and left alone.
    pub skipped: Vec<String>,
}

/// What an import did, or would do.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The edit.
    pub written: Written,
    /// What the source is.
    pub kind: Kind,
    /// Pages.
    pub pages: Tally,
    /// Assets, static files and data.
    pub files: Tally,
    /// Keys of `site.yaml` that are set.
    pub settings: Vec<String>,
    /// Keys that the site has already and that stay.
    pub settings_kept: Vec<String>,
    /// Redirects made.
    pub redirects: usize,
    /// Pages whose address was written into their front matter so that it stays.
    pub pinned: usize,
    /// What did not carry over, the most frequent first.
    pub lost: Vec<Lost>,
    /// How many things that are.
    pub lost_total: usize,
}

/// What one attempt finds out.
#[derive(Debug, Default)]
struct Outcome {
    pages: Tally,
    files: Tally,
    settings: Vec<String>,
    settings_kept: Vec<String>,
    redirects: usize,
    pinned: usize,
    report: Report,
}

/// Imports, or with a dry run shows what would come of it.
///
/// # Errors
/// `NotFound` and `RefusedFile` for the source, `InvalidArguments` for what it is, the configuration's own faults, and
/// everything an edit can be refused for.
pub fn import(site: &Site, call: &Call, request: &Request) -> Result<Imported> {
    call.progress.step(0.0, "Reading what is imported")?;
    let opened = origin::open(site, call, request)?;
    let (snapshot, built) = site.working()?;
    let options = options(&snapshot, &built, request)?;
    let planned = plan(&opened, &options)?;
    drop(built);
    // A source can change between two calls with the same arguments, so the first answer is never given again; the same import once
    // more finds everything there.
    let call = Call { arguments: String::new(), ..call.clone() };
    let mut left_out: BTreeMap<ContentPath, String> = BTreeMap::new();
    for round in 1.. {
        let mut outcome = Outcome::default();
        let run = edit::run(site, &call, &footprint(request), |transaction, before| {
            // The theme and the address of the site are all that a plan takes from it.
            let options_now = self::options(transaction.base(), before, request)?;
            let plan = if options_now == options { planned.clone() } else { plan(&opened, &options_now)? };
            settle::stage(site, transaction, plan, &opened, request, &left_out, &mut outcome)
        });
        match run {
            Err(Error::BuildFailed { diagnostics, .. }) if round < ROUNDS && blames(&diagnostics, &mut left_out) => {}
            Err(error) => return Err(error),
            Ok(written) => return Ok(finish(written, opened.kind, outcome)),
        }
    }
    Err(Error::internal("the rounds have an end"))
}

fn finish(written: Written, kind: Kind, outcome: Outcome) -> Imported {
    Imported {
        written,
        kind,
        pages: outcome.pages,
        files: outcome.files,
        settings: outcome.settings,
        settings_kept: outcome.settings_kept,
        redirects: outcome.redirects,
        pinned: outcome.pinned,
        lost_total: outcome.report.total(),
        lost: outcome.report.list().into_iter().cloned().collect(),
    }
}

/// Whether new errors are all in files that can be left out; then they are.
fn blames(diagnostics: &[Diagnostic], left_out: &mut BTreeMap<ContentPath, String>) -> bool {
    let known = left_out.len();
    for finding in diagnostics {
        if finding.path.kind() == PathKind::Config || finding.path.kind() == PathKind::Theme {
            return false;
        }
        left_out.entry(finding.path.clone()).or_insert_with(|| finding.message.clone());
    }
    left_out.len() > known
}

fn footprint(request: &Request) -> crate::store::Footprint {
    let mut kinds = vec![PathKind::Page];
    if request.media {
        kinds.extend([PathKind::ContentAsset, PathKind::Static, PathKind::Data]);
    }
    if request.config {
        kinds.push(PathKind::Config);
    }
    edit::footprint(kinds)
}

/// The content folder, without slashes around it.
fn section(text: &str) -> Result<String> {
    let plain = text.trim().trim_matches('/');
    let plain = plain.strip_prefix("content/").unwrap_or(plain);
    if plain.is_empty() || plain == "content" {
        return Ok(String::new());
    }
    let whole = ContentPath::parse(&format!("content/{plain}/_index.md"))?;
    Ok(whole.folder().trim_start_matches("content/").to_owned())
}

fn options(snapshot: &Snapshot, before: &Built, request: &Request) -> Result<Options> {
    let since = |text: &String| {
        let zone = jiff::tz::TimeZone::UTC;
        Date::parse(text, &zone).map(|date| date.timestamp()).ok_or_else(|| Error::InvalidArguments {
            field: "since".into(),
            problem: format!("`{text}` is no date"),
            example: "\"since\": \"2026-01-31\"".into(),
        })
    };
    Ok(Options {
        section: section(&request.section)?,
        shortcodes: import::shortcode_names(theme_files(snapshot, &before.library.config.theme)),
        base_url: before.library.config.base_url.clone(),
        limit: request.limit,
        since: request.since.as_ref().map(since).transpose()?,
        columns: request.columns.clone(),
    })
}

fn plan(opened: &Opened, options: &Options) -> Result<Plan> {
    let mut plan = import::plan(&opened.source, opened.kind, options)?;
    for (path, problem) in opened.passed() {
        plan.report.add("file", problem, path, "left out");
    }
    Ok(plan)
}

/// Files of a theme and of those it extends.
fn theme_files<'s>(snapshot: &'s Snapshot, theme: &str) -> impl Iterator<Item = &'s str> {
    let mut chain = Vec::new();
    let mut next = Some(theme.to_owned());
    while let Some(name) = next.filter(|name| chain.len() < CHAIN && !chain.contains(name)) {
        next = Theme::load(snapshot, &name).ok().and_then(|theme| theme.extends);
        chain.push(name);
    }
    chain
        .into_iter()
        .flat_map(|name| snapshot.under(&format!("themes/{name}")).map(|(path, _)| path.as_str()).collect::<Vec<_>>())
}
