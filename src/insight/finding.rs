//! What detectors say: occurrences, and the findings they add up to.

use serde::Serialize;

/// How much a finding matters, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// Harm: one occurrence is enough.
    Critical,
    /// Stops work, or makes it slow.
    High,
    /// Costs calls.
    Medium,
    /// Costs little.
    Low,
    /// Worth knowing, nothing to blame.
    Info,
}

/// Friction in one place: calls of one session, by index into the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Detector id.
    pub detector: &'static str,
    /// What makes two occurrences the same finding: tools and argument shape.
    pub key: String,
    /// The calls that show it, in order.
    pub calls: Vec<usize>,
    /// Those that a better interface would have saved.
    pub wasted: Vec<usize>,
}

/// Occurrences of one kind, added up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Names the finding: detector and what it is about.
    pub fingerprint: String,
    /// Detector id.
    pub detector: &'static str,
    /// The detector's name.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Rank,
    /// In one sentence, made from a template: no word of an operator or a page.
    pub title: String,
    /// What would take it away.
    pub remedy: &'static str,
    /// Tools that take part.
    pub tools: Vec<String>,
    /// How often.
    pub occurrences: usize,
    /// Sessions it was met in.
    pub sessions: usize,
    /// Share of all sessions, lower bound of the 95 % Wilson interval.
    pub reach: f64,
    /// Calls that were wasted, each counted for one finding only.
    pub wasted_calls: usize,
    /// Calls that were wasted by itself, counted for others too.
    pub gross_wasted_calls: usize,
    /// Their share of all calls.
    pub share: f64,
    /// Estimate: bytes in and out of wasted calls, divided by four.
    pub wasted_tokens: u64,
    /// Time of the wasted calls in seconds; what the operator thinks meanwhile is not known.
    pub wasted_seconds: f64,
    /// Versions of the server it was met on.
    pub servers: Vec<String>,
    /// Clients it was met with.
    pub clients: Vec<String>,
    /// Up to five spans of call ids.
    pub evidence: Vec<Vec<String>>,
}
