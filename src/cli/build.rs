//! `build` and `check`: the site as files, and everything that is wrong with it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sitewright::build::{Built, Options, Scope, Stopwatch, Times};
use sitewright::error::{Error, Result};
use sitewright::model::{Diagnostic, Progress, Severity};
use sitewright::site::check::{self, CheckQuery, Rule};
use sitewright::site::output::{self, Placed};

use super::arguments::{Build, Check};
use super::{Outcome, locate, print, progress};

/// Outputs and templates that are named in timings.
const SLOWEST: usize = 10;

pub(super) fn build(arguments: &Build, site: Option<&Path>) -> Result<Outcome> {
    let started = Instant::now();
    let stopwatch = Stopwatch::new(Box::new(move || started.elapsed()));
    stopwatch.stage("open");
    let site = locate::open(site)?;
    stopwatch.stage("read files");
    let snapshot = site.repository().working()?;
    let base_url = arguments.base_url.as_deref().map(base_url).transpose()?;
    let options =
        Options { future: arguments.future, base_url, ..site.build_options(Scope::Everything, arguments.drafts) };
    let line = progress::Line::on_terminal();
    let progress = line.as_ref().map_or_else(Progress::default, |line| Progress::followed_by(Arc::clone(line) as _));
    let watch = arguments.timings.then_some(&stopwatch);
    let placed = output::write(&site, &snapshot, &options, arguments.output.as_deref(), &progress, watch);
    if line.is_some() {
        progress::Line::clear();
    }
    let Placed { built, files, written } = placed?;
    print::error(&findings(&built.diagnostics, Severity::Warning));
    if arguments.timings {
        print::error(&timings(&stopwatch.times()));
    }
    let folder = match &arguments.output {
        Some(folder) => folder.display().to_string(),
        None => site.repository().output().to_owned(),
    };
    print::error(&format!(
        "{} and {} in {} ({} written, {} removed), {:.2} s\n",
        print::count(pages(&built), "page", "pages"),
        print::count(files, "file", "files"),
        folder,
        written.added.len() + written.changed.len(),
        written.removed.len(),
        started.elapsed().as_secs_f64(),
    ));
    let outcome = outcome(&built.diagnostics);
    // The process ends: freeing a large site piece by piece takes longer than leaving that to the system.
    std::mem::forget((site, snapshot, built));
    Ok(outcome)
}

/// Stages in order, then the slowest outputs and templates. Outputs are rendered side by side, so theirs may add up to more.
fn timings(times: &Times) -> String {
    let mut text = String::new();
    let mut row = |took: Duration, what: &str| {
        let _ = writeln!(text, "{:>10.2} ms  {what}", took.as_secs_f64() * 1000.0);
    };
    for (name, took) in &times.stages {
        row(*took, name);
    }
    for (took, path) in times.outputs.iter().take(SLOWEST) {
        row(*took, &format!("output {path}"));
    }
    for (name, spent) in times.templates.iter().take(SLOWEST) {
        row(spent.all, &format!("template {name}, {}", print::count(spent.times, "time", "times")));
    }
    text
}

/// An address the build can join paths to.
fn base_url(text: &str) -> Result<String> {
    let known = text.starts_with("http://") || text.starts_with("https://");
    if !known || text.contains(char::is_whitespace) {
        return Err(Error::InvalidArguments {
            field: "--base-url".into(),
            problem: format!("`{text}` is no http or https address"),
            example: "https://example.org/".into(),
        });
    }
    Ok(format!("{}/", text.trim_end_matches('/')))
}

fn pages(built: &Built) -> usize {
    built.library.pages.iter().filter(|page| page.included).count()
}

pub(super) fn check(arguments: &Check, site: Option<&Path>) -> Result<Outcome> {
    let site = locate::open(site)?;
    let mut rules: BTreeSet<Rule> = match arguments.rules.as_slice() {
        [] => Rule::FAULTS.into(),
        named if named.contains(&None) => Rule::ALL.into_iter().filter(|rule| *rule != Rule::ExternalLinks).collect(),
        named => named.iter().flatten().copied().collect(),
    };
    rules.extend(arguments.external.then_some(Rule::ExternalLinks));
    // Drafts are checked as if they went out: whoever writes one wants to know.
    let query = CheckQuery { rules, drafts: true, ..CheckQuery::default() };
    let report = check::check(&site, &query, &Progress::default())?;
    let found = &report.findings;
    if arguments.json {
        let text = serde_json::to_string_pretty(found).map_err(Error::internal)?;
        print::out(&format!("{text}\n"));
        return Ok(outcome(found));
    }
    print::out(&findings(found, Severity::Info));
    let number = |severity| found.iter().filter(|finding| finding.severity == severity).count();
    print::error(&format!(
        "{}, {}, {} in {}\n",
        print::count(number(Severity::Error), "error", "errors"),
        print::count(number(Severity::Warning), "warning", "warnings"),
        print::count(number(Severity::Info), "note", "notes"),
        print::count(site.repository().working()?.len(), "file", "files"),
    ));
    Ok(outcome(found))
}

/// Findings down to a severity, in their order.
fn findings(all: &[Diagnostic], least: Severity) -> String {
    all.iter().filter(|finding| finding.severity <= least).map(print::finding).collect()
}

fn outcome(found: &[Diagnostic]) -> Outcome {
    let failed = found.iter().any(|finding| finding.severity == Severity::Error);
    if failed { Outcome::Failed } else { Outcome::Done }
}
