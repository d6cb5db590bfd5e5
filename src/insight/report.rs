//! Adds occurrences up to findings, charges each wasted call to one of them, and ranks them by what they cost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use super::detect::{self, DETECTORS, Detector};
use super::finding::{Finding, Occurrence, Rank};
use super::record::Record;
use super::thresholds::Thresholds;
use super::trace::Trace;

/// Spans of call ids that a finding shows.
const EVIDENCE: usize = 5;
/// Bytes of text per token, roughly; an estimate, and labelled so.
const BYTES_PER_TOKEN: f64 = 4.0;

/// Friction in one place, as it is printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// Detector id.
    pub detector: &'static str,
    /// How much it matters.
    pub severity: Rank,
    /// The finding it belongs to.
    pub finding: String,
    /// Its session.
    pub session: String,
    /// Ids of the calls that show it, in order.
    pub calls: Vec<String>,
    /// Ids of the calls that a better interface would have saved.
    pub wasted: Vec<String>,
    /// How many of them are charged to it.
    pub wasted_calls: usize,
}

/// What a journal says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Calls read.
    pub calls: usize,
    /// Sessions.
    pub sessions: usize,
    /// Lines that were no records.
    pub skipped_lines: usize,
    /// Calls that a better interface would have saved.
    pub wasted_calls: usize,
    /// Their share of all calls.
    pub wasted_share: f64,
    /// The findings, worst first.
    pub ranking: Vec<Finding>,
    /// Every place of every finding, in the order of the findings.
    pub findings: Vec<Place>,
    /// What was met too seldom to be a finding.
    pub candidates: Vec<Finding>,
}

/// Reads what a journal says about friction. The same records make the same report.
#[must_use]
pub fn report(records: &[Record], skipped_lines: usize, limits: &Thresholds) -> Report {
    let trace = Trace::of(records);
    let mut groups: BTreeMap<(usize, String), Vec<Occurrence>> = BTreeMap::new();
    for occurrence in detect::all(&trace, limits) {
        let order = DETECTORS.iter().position(|detector| detector.id == occurrence.detector).unwrap_or(usize::MAX);
        groups.entry((order, occurrence.key.clone())).or_default().push(occurrence);
    }
    // Support is counted by tool: that callers do the same thing with other optional arguments makes it no less common.
    let mut support_of: BTreeMap<(usize, &str), (usize, BTreeSet<usize>)> = BTreeMap::new();
    for ((order, key), group) in &groups {
        let (count, sessions) = support_of.entry((*order, coarse(key))).or_default();
        *count += group.len();
        sessions.extend(group.iter().map(|o| trace.calls[o.calls[0]].session));
    }
    let supported: BTreeSet<(usize, String)> = groups
        .keys()
        .filter(|(order, key)| is_supported(&trace, limits, &DETECTORS[*order], &support_of[&(*order, coarse(key))]))
        .cloned()
        .collect();
    let supported = |order: usize, key: &str| supported.contains(&(order, key.to_owned()));
    let mut charged = vec![false; trace.calls.len()];
    let (mut shown, mut candidates) = (Vec::new(), Vec::new());
    for ((order, key), group) in groups {
        let detector = &DETECTORS[order];
        if !supported(order, &key) {
            candidates.push(finding(&trace, detector, &key, &group, &[]));
            continue;
        }
        let mut places = Vec::with_capacity(group.len());
        for occurrence in &group {
            let own: Vec<usize> = occurrence.wasted.iter().copied().filter(|&call| !charged[call]).collect();
            for &call in &own {
                charged[call] = true;
            }
            // What another finding explains wholly is not said twice.
            let explained = own.is_empty() && !occurrence.wasted.is_empty() && detector.severity != Rank::Critical;
            if !explained {
                places.push((occurrence.clone(), own));
            }
        }
        if !places.is_empty() {
            let kept: Vec<Occurrence> = places.iter().map(|(occurrence, _)| occurrence.clone()).collect();
            let own: Vec<usize> = places.iter().flat_map(|(_, own)| own.iter().copied()).collect();
            shown.push((finding(&trace, detector, &key, &kept, &own), places));
        }
    }
    shown.sort_by(|a, b| rank(&a.0, &b.0));
    let findings =
        shown.iter().flat_map(|(finding, places)| places.iter().map(|place| printed(&trace, finding, place)));
    let findings: Vec<Place> = findings.collect();
    let wasted_calls = charged.iter().filter(|&&charged| charged).count();
    Report {
        calls: trace.calls.len(),
        sessions: trace.sessions.len(),
        skipped_lines,
        wasted_calls,
        wasted_share: share(wasted_calls, trace.calls.len()),
        findings,
        ranking: shown.into_iter().map(|(finding, _)| finding).collect(),
        candidates,
    }
}

/// A finding's key without the shape of arguments, the code of an error, and whichever tool was the other one.
fn coarse(key: &str) -> &str {
    let habit = [" / ", " > "].iter().any(|word| key.contains(word));
    let pair = [" after ", " before ", " + "].iter().any(|word| key.contains(word));
    match (habit, pair) {
        (true, _) => key,
        (_, true) => "",
        _ => key.split(' ').next().unwrap_or(key),
    }
}

fn is_supported(
    trace: &Trace<'_>,
    limits: &Thresholds,
    detector: &Detector,
    (count, sessions): &(usize, BTreeSet<usize>),
) -> bool {
    let (support, needed) = match detector.id {
        "F16" => (limits.chain, limits.chain_sessions),
        "F19" => (limits.support, limits.chain_sessions),
        _ => (limits.support, limits.sessions),
    };
    detector.severity == Rank::Critical || (*count >= support && sessions.len() >= needed.min(trace.sessions.len()))
}

/// Severity first, then what it costs how many, then tokens; names decide what is left, so that order never changes.
fn rank(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    let cost = |f: &Finding| f.share * f.reach;
    a.severity
        .cmp(&b.severity)
        .then_with(|| cost(b).total_cmp(&cost(a)))
        .then_with(|| b.wasted_tokens.cmp(&a.wasted_tokens))
        .then_with(|| b.occurrences.cmp(&a.occurrences))
        .then_with(|| a.fingerprint.cmp(&b.fingerprint))
}

fn printed(trace: &Trace<'_>, finding: &Finding, (occurrence, own): &(Occurrence, Vec<usize>)) -> Place {
    let ids = |calls: &[usize]| calls.iter().map(|&call| trace.calls[call].record.call.clone()).collect();
    Place {
        detector: occurrence.detector,
        severity: finding.severity,
        finding: finding.fingerprint.clone(),
        session: trace.names[trace.calls[occurrence.calls[0]].session].to_owned(),
        calls: ids(&occurrence.calls),
        wasted: ids(&occurrence.wasted),
        wasted_calls: own.len(),
    }
}

fn finding(trace: &Trace<'_>, detector: &Detector, key: &str, group: &[Occurrence], own: &[usize]) -> Finding {
    let calls: BTreeSet<usize> = group.iter().flat_map(|o| o.calls.iter().copied()).collect();
    let gross: BTreeSet<usize> = group.iter().flat_map(|o| o.wasted.iter().copied()).collect();
    let sessions: BTreeSet<usize> = group.iter().map(|o| trace.calls[o.calls[0]].session).collect();
    let all = |of: fn(&Record) -> &String| {
        let values: BTreeSet<&String> = calls.iter().map(|&call| of(trace.calls[call].record)).collect();
        values.into_iter().filter(|value| !value.is_empty()).cloned().collect::<Vec<_>>()
    };
    let bytes: u64 =
        own.iter().map(|&call| trace.calls[call].record.in_bytes + trace.calls[call].record.out_bytes).sum();
    let seconds: f64 = own.iter().map(|&call| trace.calls[call].record.ms / 1000.0).sum();
    let evidence =
        group.iter().take(EVIDENCE).map(|o| o.calls.iter().map(|&c| trace.calls[c].record.call.clone()).collect());
    let about = key.split(' ').next().filter(|_| !key.contains([',', '[', '.']) || detector.id == "F15");
    let about = about.map_or_else(|| key.split(' ').next().unwrap_or(key), |_| key);
    Finding {
        fingerprint: format!("{}:{key}", detector.id),
        detector: detector.id,
        name: detector.name,
        severity: detector.severity,
        title: detector.title.replacen("{}", &printable(about), 1),
        remedy: detector.remedy,
        tools: all(|record| &record.tool),
        occurrences: group.len(),
        sessions: sessions.len(),
        reach: wilson(sessions.len(), trace.sessions.len()),
        wasted_calls: own.len(),
        gross_wasted_calls: gross.len(),
        share: share(own.len(), trace.calls.len()),
        wasted_tokens: (bytes as f64 / BYTES_PER_TOKEN) as u64,
        wasted_seconds: (seconds.max(0.0) * 1000.0).round() / 1000.0,
        servers: all(|record| &record.server),
        clients: all(|record| &record.client),
        evidence: evidence.collect(),
    }
}

/// Keys are made of tool names, which a hostile journal could fill with anything.
fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || " _.+>/,".contains(*c)).take(120).collect()
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64 * 1e6).round() / 1e6 }
}

/// Lower bound of the 95 % Wilson score interval of a share (E. B. Wilson, 1927): few sessions weigh less.
fn wilson(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let (n, z) = (whole as f64, 1.96_f64);
    let p = part as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let bound = (centre - spread) / (1.0 + z * z / n);
    (bound.max(0.0) * 1e6).round() / 1e6
}

impl Report {
    /// The report for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!(
            "{} calls in {} sessions; {} wasted ({:.1} %).\n",
            self.calls,
            self.sessions,
            self.wasted_calls,
            self.wasted_share * 100.0
        );
        if self.skipped_lines > 0 {
            let _ = writeln!(out, "{} lines were no records and were left out.", self.skipped_lines);
        }
        for (n, finding) in self.ranking.iter().enumerate() {
            let severity = format!("{:?}", finding.severity).to_lowercase();
            let _ = writeln!(
                out,
                "\n{}. [{severity}] {} {}: {}.\n   {} times in {} sessions, {} wasted calls ({:.1} %), about {} tokens, {:.1} s.\n   {}",
                n + 1,
                finding.detector,
                finding.name,
                finding.title,
                finding.occurrences,
                finding.sessions,
                finding.wasted_calls,
                finding.share * 100.0,
                finding.wasted_tokens,
                finding.wasted_seconds,
                finding.remedy
            );
            if let Some(span) = finding.evidence.first() {
                let _ = writeln!(out, "   For example: {}", span.join(", "));
            }
        }
        if self.ranking.is_empty() {
            out.push_str("\nNo finding.\n");
        }
        out
    }
}
