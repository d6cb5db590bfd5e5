//! Improvement briefs: a finding as a task for a code agent, in a file that a person accepts or rejects.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::feedback::{self, Stored};
use super::finding::{Finding, Rank};
use super::record::Record;
use super::report::Report;
use super::secret::name;
use super::trust::{Level, Trust};
use super::{metric, quote};
use crate::error::{Error, Result};
use crate::model::{FrontMatter, front_matter};
use crate::site::OwnFiles;

/// Where briefs are.
pub(super) const FOLDER: &str = "briefs";
/// Briefs that are proposed at once.
const PER_RUN: usize = 3;
/// Briefs that may wait for a person.
const WAITING: usize = 10;
/// Reports one brief quotes.
const QUOTED: usize = 3;
/// Calls of the sequence that is shown.
const SEQUENCE: usize = 12;

/// A brief as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// Its file, in `.sitewright/`.
    pub file: String,
    /// `br-0001`.
    pub id: String,
    /// `proposed`, `accepted`, `in_work`, `shipped`, `verified`, `not_improved`, `regressed`, `rejected`, `parked`.
    pub status: String,
    /// How much it matters.
    pub severity: String,
    /// The finding it is about.
    pub finding: String,
    /// How often that was met.
    pub occurrences: u64,
    /// In how many sessions.
    pub sessions: u64,
    /// Drafts that failed.
    pub failed: u64,
    /// In one sentence.
    pub title: String,
    /// The whole file.
    pub text: String,
}

/// What a journal was read for: its report, its records, and the days it covers.
#[derive(Debug)]
pub struct Measured<'a> {
    /// The records.
    pub records: &'a [Record],
    /// What they say.
    pub report: &'a Report,
    /// Days.
    pub days: i64,
}

/// Writes briefs for the worst findings that have none, where a person allows it; answers what was written.
///
/// # Errors
/// What reading and writing can fail with.
pub fn propose(files: &OwnFiles, trust: &Trust, measured: &Measured<'_>, now: Timestamp) -> Result<Vec<Brief>> {
    if trust.stopped || trust.level < Level::Suggest {
        return Ok(Vec::new());
    }
    let known = all(files)?;
    let mut number =
        known.iter().filter_map(|brief| brief.id.strip_prefix("br-")?.parse::<u32>().ok()).max().unwrap_or(0);
    let waiting = known.iter().filter(|brief| brief.status == "proposed").count();
    let room = PER_RUN.min(WAITING.saturating_sub(waiting));
    let news = without(&known, &measured.report.ranking);
    let said = feedback::stored(files)?;
    let mut written = Vec::new();
    for finding in news.take(room) {
        number += 1;
        let id = format!("br-{number:04}");
        let about: Vec<&Stored> = said.iter().filter(|said| is_about(said, finding)).collect();
        let text = document(&id, finding, measured, &about, now);
        let tool = finding.tools.iter().find_map(|tool| name(tool)).unwrap_or_else(|| "tools".to_owned());
        let file = format!("{FOLDER}/{id}-{}-{tool}.md", slug(finding.name));
        if files.create(&file, text.as_bytes())? {
            for report in about {
                mark(files, report, &id)?;
            }
            written.extend(read(file, text));
        }
    }
    Ok(written)
}

/// Findings that ask for a change and have no brief, worst first.
pub fn without<'a>(known: &'a [Brief], ranking: &'a [Finding]) -> impl Iterator<Item = &'a Finding> {
    let news = ranking.iter().filter(|finding| finding.severity != Rank::Info);
    news.filter(|finding| known.iter().all(|brief| brief.finding != finding.fingerprint))
}

/// The brief that `improve review` would write for a finding, before anybody has: nothing is stored.
///
/// # Errors
/// What was reported cannot be read.
pub fn draft_of(files: &OwnFiles, finding: &Finding, measured: &Measured<'_>, now: Timestamp) -> Result<String> {
    let said = feedback::stored(files)?;
    let about: Vec<&Stored> = said.iter().filter(|said| is_about(said, finding)).collect();
    Ok(document("br-draft", finding, measured, &about, now))
}

/// Every brief, in the order of their numbers.
///
/// # Errors
/// The folder cannot be read.
pub fn all(files: &OwnFiles) -> Result<Vec<Brief>> {
    let mut briefs = Vec::new();
    for file in files.list(FOLDER)?.iter().filter(|file| file.name.ends_with(".md")) {
        let file = format!("{FOLDER}/{}", file.name);
        let Some(bytes) = files.read(&file)? else { continue };
        briefs.extend(read(file, String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(briefs)
}

/// The brief of that id.
///
/// # Errors
/// `NotFound` with the ids there are.
pub fn find(files: &OwnFiles, id: &str) -> Result<Brief> {
    let mut briefs = all(files)?;
    let near = briefs.iter().map(|brief| brief.id.clone()).rev().take(3).collect();
    match briefs.iter().position(|brief| brief.id == id) {
        Some(at) => Ok(briefs.swap_remove(at)),
        None => Err(Error::NotFound { kind: "brief", name: id.chars().take(60).collect(), near }),
    }
}

/// Changes keys of a brief's head and nothing else.
///
/// # Errors
/// The file cannot be written.
pub fn set(files: &OwnFiles, brief: &Brief, patch: &Map<String, Value>) -> Result<Brief> {
    let text = front_matter::patch(&brief.file, &brief.text, patch)?;
    files.write(&brief.file, text.as_bytes())?;
    read(brief.file.clone(), text).ok_or_else(|| Error::internal("a brief that was changed cannot be read"))
}

/// A person says yes: from now on the code agent may work on it.
///
/// # Errors
/// `NotFound`, or a state in which there is nothing to accept.
pub fn accept(files: &OwnFiles, id: &str, by: &str, now: Timestamp) -> Result<Brief> {
    let brief = find(files, id)?;
    in_state(&brief, &["proposed", "parked", "not_improved"], "accepted")?;
    let decided = json!({"by": by, "on": now.strftime("%Y-%m-%d").to_string()});
    let patch = Map::from_iter([
        ("status".to_owned(), json!("accepted")),
        ("decided".to_owned(), decided),
        ("failed".to_owned(), json!(0)),
    ]);
    set(files, &brief, &patch)
}

/// A person says no, and why.
///
/// # Errors
/// `NotFound`, or a state in which there is nothing to reject.
pub fn reject(files: &OwnFiles, id: &str, by: &str, why: &str, now: Timestamp) -> Result<Brief> {
    let brief = find(files, id)?;
    in_state(&brief, &["proposed", "accepted", "in_work", "parked", "not_improved", "regressed"], "rejected")?;
    let decided = json!({"by": by, "on": now.strftime("%Y-%m-%d").to_string(), "why": why});
    let patch = Map::from_iter([("status".to_owned(), json!("rejected")), ("decided".to_owned(), decided)]);
    set(files, &brief, &patch)
}

pub(super) fn in_state(brief: &Brief, states: &[&str], to: &str) -> Result<()> {
    if states.contains(&brief.status.as_str()) {
        return Ok(());
    }
    let problem = format!("{} is {}, and cannot be {to}", brief.id, brief.status);
    Err(Error::InvalidArguments { field: "brief".into(), problem, example: "sitewright improve review".into() })
}

fn read(file: String, text: String) -> Option<Brief> {
    let parsed = FrontMatter::parse(&file, &text).ok()?;
    let values = parsed.values;
    let word = |key: &str| values.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |at: &str| values.get("measured").and_then(|m| m.get(at)).and_then(Value::as_u64).unwrap_or(0);
    if word("schema").as_deref() != Some("brief/1") {
        return None;
    }
    let title =
        text.get(parsed.body_offset..)?.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned();
    Some(Brief {
        id: word("id")?,
        status: word("status")?,
        severity: word("severity").unwrap_or_default(),
        finding: word("finding").unwrap_or_default(),
        occurrences: number("occurrences"),
        sessions: number("sessions"),
        failed: values.get("failed").and_then(Value::as_u64).unwrap_or(0),
        title,
        file,
        text,
    })
}

fn slug(name: &str) -> String {
    name.to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// A report that named the finding when it was taken, or the same tools and kind.
fn is_about(said: &Stored, finding: &Finding) -> bool {
    let named = said.text.lines().find_map(|line| line.strip_prefix("findings: ")).unwrap_or_default();
    let named: Vec<String> = serde_json::from_str(named).unwrap_or_default();
    said.status == "new" && named.contains(&finding.fingerprint)
}

fn mark(files: &OwnFiles, report: &Stored, id: &str) -> Result<()> {
    let patch = Map::from_iter([("status".to_owned(), json!(format!("brief:{id}")))]);
    files.write(&report.file, front_matter::patch(&report.file, &report.text, &patch)?.as_bytes())
}

/// The file. Titles and words come from the detectors; what operators said stands in the quotation block alone.
#[must_use]
pub fn document(id: &str, finding: &Finding, measured: &Measured<'_>, said: &[&Stored], now: Timestamp) -> String {
    let metric = metric::of(finding, measured);
    let (report, severity) = (measured.report, format!("{:?}", finding.severity).to_lowercase());
    let mut sources = vec![finding.fingerprint.clone()];
    sources.extend(said.iter().map(|said| said.id.clone()));
    let head = Map::from_iter([
        ("schema".to_owned(), json!("brief/1")),
        ("id".to_owned(), json!(id)),
        ("status".to_owned(), json!("proposed")),
        ("severity".to_owned(), json!(severity)),
        ("date".to_owned(), json!(now.strftime("%Y-%m-%d").to_string())),
        ("server".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
        ("finding".to_owned(), json!(finding.fingerprint)),
        ("sources".to_owned(), json!({"experience": sources, "architecture": []})),
        (
            "measured".to_owned(),
            json!({"window": format!("{}d", measured.days), "calls": report.calls, "wasted": finding.wasted_calls, "share": finding.share, "occurrences": finding.occurrences,
                "sessions": finding.sessions, "of_sessions": report.sessions, "tokens": finding.wasted_tokens}),
        ),
        (
            "metric".to_owned(),
            json!({"name": metric.name, "baseline": metric.baseline, "goal": metric.goal, "guardrails": metric::GUARDRAILS}),
        ),
        ("acceptance".to_owned(), json!(metric.acceptance)),
        ("constraints".to_owned(), json!(CONSTRAINTS)),
        ("failed".to_owned(), json!(0)),
    ]);
    let tools: Vec<String> = finding.tools.iter().filter_map(|tool| name(tool)).collect();
    let goals: Vec<String> = metric.acceptance.iter().map(|goal| format!("- {goal}\n")).collect();
    let limits: Vec<String> = CONSTRAINTS.iter().map(|limit| format!("- {limit}\n")).collect();
    format!(
        "---\n{}---\n\n# {}\n\n{} ({}).\n\n## Measured\n\n{}\n## Sequence\n\n{}\n\n## Expected\n\n{}\n\n## Acceptance\n\n{}\n## Constraints\n\n{}\n\
        ## Non-goals\n\n- Other findings than {}: one brief, one change.\n- A longer tool list for its own sake.\n\n## Architecture review\n\n\
        To be filled in by the code agent before it changes anything: feasible or not, risk, alternative, or \"possible already\".\n\n{}",
        feedback::yaml(&head),
        finding.title,
        finding.name.replacen(|c: char| c.is_ascii_lowercase(), &finding.name[..1].to_uppercase(), 1),
        finding.detector,
        table(finding, measured),
        sequence(finding, measured.records, &tools),
        finding.remedy,
        goals.concat(),
        limits.concat(),
        finding.detector,
        quotations(said),
    )
}

/// What no change may do to look better.
const CONSTRAINTS: [&str; 4] = [
    "No error is swallowed, and none is reworded so that it is not counted.",
    "Journal, detectors and this brief's measure are not touched.",
    "Benchmarks and tests that judge the change are not touched by it; new tests are added.",
    "The id of this brief stands in the commit.",
];

fn table(finding: &Finding, measured: &Measured<'_>) -> String {
    let report = measured.report;
    format!(
        "| what | value |\n|---|---|\n| window | {} days, {} calls in {} sessions |\n| met | {} times in {} sessions |\n| wasted calls | {} ({:.1} % of all) |\n\
        | tokens (estimate) | {} |\n| seconds | {:.1} |\n| servers | {} |\n",
        measured.days,
        report.calls,
        report.sessions,
        finding.occurrences,
        finding.sessions,
        finding.wasted_calls,
        finding.share * 100.0,
        finding.wasted_tokens,
        finding.wasted_seconds,
        finding.servers.iter().map(|server| plain(server)).collect::<Vec<_>>().join(", "),
    )
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || ".-+ ".contains(*c)).take(30).collect()
}

/// The calls of the first place, by the names of their tools.
fn sequence(finding: &Finding, records: &[Record], tools: &[String]) -> String {
    let by_id: BTreeMap<&str, &Record> = records.iter().map(|record| (record.call.as_str(), record)).collect();
    let calls = finding.evidence.first().into_iter().flatten().filter_map(|call| by_id.get(call.as_str()));
    let step = |record: &&Record| {
        let tool = name(&record.tool).unwrap_or_else(|| "?".to_owned());
        match record.error_code.as_deref().and_then(name) {
            Some(code) => format!("`{tool}` ({code})"),
            None => format!("`{tool}`"),
        }
    };
    let steps: Vec<String> = calls.take(SEQUENCE).map(step).collect();
    if steps.is_empty() {
        tools.iter().map(|tool| format!("`{tool}`")).collect::<Vec<_>>().join(", ")
    } else {
        steps.join(", ")
    }
}

fn quotations(said: &[&Stored]) -> String {
    let parts: Vec<(&str, &str)> = said.iter().take(QUOTED).flat_map(|said| quote::quoted(&said.text)).collect();
    if parts.is_empty() { format!("{}\n\nNone.\n", quote::HEADING) } else { quote::block(&parts) }
}
