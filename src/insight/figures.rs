//! What calls cost on one version of the server: the figures that releases are compared by.

use std::collections::BTreeSet;

use serde::Serialize;

use super::live::Marks;
use super::metric::{errors, per_change};
use super::record::{Outcome, Record};

/// The figures.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Figures {
    /// The version.
    pub server: String,
    /// Calls.
    pub calls: usize,
    /// Sessions.
    pub sessions: usize,
    /// Calls for each published object; without a publish for each written one.
    pub calls_per_published_change: f64,
    /// Tokens for each, bytes divided by four.
    pub tokens_per_change: f64,
    /// Seconds for each.
    pub seconds_per_change: f64,
    /// Share of calls that were refused or named no tool.
    pub error_rate: f64,
    /// Share of calls that a better interface would have saved; what was met once counts too.
    pub wasted_share: f64,
    /// Calls that wrote, or tried to write, what they had not declared.
    pub undeclared_writes: usize,
    /// Share of tools' first calls in a session that went through.
    pub first_try_success: f64,
}

/// The figures of a version, or of all of them for `all`.
#[must_use]
pub fn figures(records: &[Record], version: &str) -> Figures {
    let own: Vec<Record> = records.iter().filter(|r| version == "all" || r.server == version).cloned().collect();
    let sessions: BTreeSet<&str> = own.iter().map(|record| record.session.as_str()).collect();
    let mut met = BTreeSet::new();
    let first: Vec<&Record> =
        own.iter().filter(|record| met.insert((record.session.as_str(), record.tool.as_str()))).collect();
    let went = first.iter().filter(|record| record.outcome == Outcome::Ok).count();
    let marks = Marks::of(&own);
    Figures {
        server: version.to_owned(),
        calls: own.len(),
        sessions: sessions.len(),
        calls_per_published_change: per_change(&own, |_| 1.0),
        tokens_per_change: per_change(&own, |record| (record.in_bytes + record.out_bytes) as f64 / 4.0),
        seconds_per_change: per_change(&own, |record| record.ms / 1000.0),
        error_rate: errors(&own),
        wasted_share: if own.is_empty() { 0.0 } else { marks.wasted.len() as f64 / own.len() as f64 },
        undeclared_writes: marks.undeclared.len(),
        first_try_success: if first.is_empty() { 0.0 } else { went as f64 / first.len() as f64 },
    }
}
