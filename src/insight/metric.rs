//! By what a change is judged: one measure for each kind of finding, its value now, and what must not get worse meanwhile.

use super::brief::Measured;
use super::finding::Finding;
use super::record::{Outcome, Record};

/// What no improvement may cost: more than a twentieth worse is worse.
pub(super) const GUARDRAILS: [&str; 3] = ["tokens_per_change", "tool_list_bytes", "error_rate"];

/// What a brief promises.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Metric {
    /// What is measured.
    pub name: &'static str,
    /// What it is now.
    pub baseline: f64,
    /// What it has to become.
    pub goal: String,
    /// When the change is done.
    pub acceptance: Vec<String>,
}

/// The metric of a finding.
#[must_use]
pub(super) fn of(finding: &Finding, measured: &Measured<'_>) -> Metric {
    let records = measured.records;
    let (name, baseline) = match finding.detector {
        "F05" => ("undeclared_writes", finding.occurrences as f64),
        "F12" => ("seconds_per_change", per_change(records, |record| record.ms / 1000.0)),
        "F10" => ("tokens_per_change", per_change(records, |record| (record.in_bytes + record.out_bytes) as f64 / 4.0)),
        "F04" | "F13" | "F14" | "F15" => ("error_rate", errors(records)),
        _ => ("calls_per_published_change", per_change(records, |_| 1.0)),
    };
    let saved = match name {
        "error_rate" => share(finding.gross_wasted_calls, records.len()),
        _ => baseline * finding.share,
    };
    let goal =
        if name == "undeclared_writes" { "0".to_owned() } else { format!("<= {}", round(baseline - saved / 2.0)) };
    let acceptance = vec![
        format!("{} is not met any more in a replay of the task scenarios.", finding.detector),
        format!("{name} reaches the goal, and no guardrail is more than 5 % worse (`sitewright improve compare`)."),
        "`self_test` passes in full.".to_owned(),
        "No call writes what it did not declare.".to_owned(),
        "A new test fails without the change.".to_owned(),
    ];
    Metric { name, baseline: round(baseline), goal, acceptance }
}

/// What all calls cost for each published object; without a publish for each written one.
pub(super) fn per_change(records: &[Record], cost: impl Fn(&Record) -> f64) -> f64 {
    let done = |record: &&Record| record.outcome == Outcome::Ok && !record.dry_run;
    let published: usize =
        records.iter().filter(done).filter(|record| record.tool == "publish").map(|record| record.targets.len()).sum();
    let written: usize = records.iter().filter(done).map(|record| record.writes.len()).sum();
    let changes = if published > 0 { published } else { written };
    let total: f64 = records.iter().map(cost).sum();
    if changes == 0 { total } else { total / changes as f64 }
}

/// Share of calls that were refused or named no tool.
pub(super) fn errors(records: &[Record]) -> f64 {
    share(records.iter().filter(|record| record.outcome != Outcome::Ok).count(), records.len())
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn round(value: f64) -> f64 {
    (value.max(0.0) * 1000.0).round() / 1000.0
}
