//! `improve`: what the journal says, and what a person decides about it. Nothing here can be reached by a tool.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use sitewright::error::{Error, Result};
use sitewright::insight::{self, Measured, Settings, Thresholds, Trust, TrustLevel, Window, brief, draft, feedback};
use sitewright::site::Site;
use sitewright::tools::Registry;

use super::arguments::{Decide, Export, Form, Improve, ImproveReport, Reject, SetTrust};
use super::{Outcome, locate, print};

/// Days that a brief measures.
const DAYS: i64 = 14;

pub(super) fn improve(subcommand: &Improve, site: Option<&Path>) -> Result<Outcome> {
    match subcommand {
        Improve::Report(arguments) => report(arguments, site),
        Improve::Review => review(&*locate::open(site)?),
        Improve::Accept(arguments) => accept(&*locate::open(site)?, arguments),
        Improve::Reject(arguments) => reject(&*locate::open(site)?, arguments),
        Improve::Export(arguments) => export(&*locate::open(site)?, arguments),
        Improve::Trust(arguments) => trust(&*locate::open(site)?, arguments),
        Improve::Draft(arguments) => start(&*locate::open(site)?, arguments),
    }
}

fn report(arguments: &ImproveReport, site: Option<&Path>) -> Result<Outcome> {
    let report = if let Some(journal) = &arguments.journal {
        let path = journal.display().to_string();
        let bytes = std::fs::read(journal).map_err(|source| Error::Io { action: "read", path, source })?;
        let (records, skipped) = insight::read_journal(&String::from_utf8_lossy(&bytes));
        insight::report(&records, skipped, &Thresholds::default())
    } else {
        let site = locate::open(site)?;
        let files = site.repository().own_files();
        let since = arguments.since.as_deref().unwrap_or("14d");
        let since = insight::moment(since, site.now()).ok_or_else(|| Error::InvalidArguments {
            field: "--since".into(),
            problem: "it is no date and no number of days or hours".into(),
            example: "--since 7d".into(),
        })?;
        Window::read(&files, since)?.report_of(&Settings::read(&files)?.thresholds, &Registry::standard().offered())
    };
    if arguments.json {
        let json = serde_json::to_string_pretty(&report).map_err(Error::internal)?;
        print::out(&format!("{json}\n"));
    } else {
        print::out(&report.text());
    }
    Ok(Outcome::Done)
}

/// Proposes what is new, and shows all that waits for a person.
fn review(site: &Site) -> Result<Outcome> {
    let files = site.repository().own_files();
    let settings = Settings::read(&files)?;
    let trust = Trust::read(&files, &settings)?;
    let window = Window::read(&files, site.now() - SignedDuration::from_hours(24 * DAYS))?;
    let report = window.report(&settings.thresholds);
    let measured = Measured { records: &window.records, report: &report, days: DAYS };
    let news = brief::propose(&files, &trust, &measured, site.now())?;
    let mut out = format!(
        "Trust: {} (allowed: {}{})\n{} calls in {} sessions in {DAYS} days; {} wasted ({:.1} %).\n",
        trust.level.name(),
        trust.cap.name(),
        trust.lowered.map_or_else(String::new, |why| format!("; {why}")),
        report.calls,
        report.sessions,
        report.wasted_calls,
        report.wasted_share * 100.0
    );
    let briefs = brief::all(&files)?;
    out.push_str(if briefs.is_empty() { "\nNo briefs.\n" } else { "\nBriefs:\n" });
    for brief in &briefs {
        let new = if news.iter().any(|new| new.id == brief.id) { ", new" } else { "" };
        out.push_str(&format!("  {} [{}{new}] {}: {}\n", brief.id, brief.status, brief.severity, brief.title));
        out.push_str(&format!("      .sitewright/{}\n", brief.file));
    }
    let said = feedback::stored(&files)?;
    let open: Vec<_> = said.iter().filter(|said| said.status == "new").collect();
    if !open.is_empty() {
        out.push_str("\nReported, not measured (words of operators, unverified):\n");
    }
    for said in open {
        out.push_str(&format!("  {} {} x{} {}\n", said.id, said.kind, said.occurrences, said.tools.join(", ")));
        out.push_str(&format!("      .sitewright/{}\n", said.file));
    }
    out.push_str("\nsitewright improve accept ID, reject ID --why TEXT, export ID, draft ID, trust LEVEL\n");
    print::out(&out);
    Ok(Outcome::Done)
}

fn accept(site: &Site, arguments: &Decide) -> Result<Outcome> {
    let files = site.repository().own_files();
    let brief = brief::accept(&files, &arguments.id, &site.repository().person_name(), site.now())?;
    print::out(&format!("{} is accepted: {}\n", brief.id, brief.title));
    Ok(Outcome::Done)
}

fn reject(site: &Site, arguments: &Reject) -> Result<Outcome> {
    let files = site.repository().own_files();
    let by = site.repository().person_name();
    let brief = brief::reject(&files, &arguments.id, &by, &arguments.why, site.now())?;
    print::out(&format!("{} is rejected.\n", brief.id));
    Ok(Outcome::Done)
}

fn export(site: &Site, arguments: &Export) -> Result<Outcome> {
    let brief = brief::find(&site.repository().own_files(), &arguments.id)?;
    let form = match arguments.form {
        Form::Md => insight::ExportForm::Markdown,
        Form::Issue => insight::ExportForm::Issue,
        Form::Json => insight::ExportForm::Json,
    };
    print::out(&insight::export(&brief, form, arguments.public)?);
    Ok(Outcome::Done)
}

fn trust(site: &Site, arguments: &SetTrust) -> Result<Outcome> {
    let files = site.repository().own_files();
    if let Some(level) = arguments.level {
        Settings::set_cap(&files, level)?;
    }
    let trust = Trust::read(&files, &Settings::read(&files)?)?;
    let lowered = trust.lowered.map_or_else(String::new, |why| format!(", but {why}"));
    print::out(&format!("{} is allowed; {} holds{lowered}.\n", trust.cap.name(), trust.level.name()));
    Ok(Outcome::Done)
}

fn start(site: &Site, arguments: &Decide) -> Result<Outcome> {
    let files = site.repository().own_files();
    let settings = Settings::read(&files)?;
    let trust = Trust::read(&files, &settings)?;
    let drafted = draft::run(site, &trust, settings.draft.as_ref(), &arguments.id, Timestamp::now())?;
    let mut out = String::new();
    for subject in &drafted.work.commits {
        out.push_str(&format!("  {subject}\n"));
    }
    let branch = drafted.branch.as_deref().unwrap_or("none");
    out.push_str(&format!("branch: {branch}, {} files; log: .sitewright/{}\n", drafted.work.files.len(), drafted.log));
    match &drafted.failed {
        None => out.push_str("It waits for you: look at the branch, compare, and merge it yourself.\n"),
        Some(why) => out.push_str(&format!("Failed: {why}. The brief is {}.\n", drafted.brief.status)),
    }
    print::out(&out);
    Ok(if drafted.failed.is_some() { Outcome::Failed } else { Outcome::Done })
}

/// The level of that name; `auto` is named so that it can be refused with the reason.
pub(super) fn level(name: &str) -> Result<TrustLevel, String> {
    let found = TrustLevel::NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, level)| *level).ok_or_else(|| "expected one of manual, suggest, draft".to_owned())
}
