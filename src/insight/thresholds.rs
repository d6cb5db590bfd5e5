//! Where detectors draw their lines; `[thresholds]` of `.sitewright/improve.toml` can move them.

use serde::Deserialize;

/// Times in milliseconds, shares from 0 to 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Neighbouring calls of one thought are at most this far apart.
    pub gap_ms: i64,
    /// Calls of one task are at most this far apart.
    pub task_ms: i64,
    /// A reply of more bytes is oversized.
    pub big_reply_bytes: u64,
    /// Or one of this many times its tool's median.
    pub big_reply_factor: f64,
    /// A call that takes longer is slow.
    pub slow_ms: f64,
    /// If it also takes this many times the median.
    pub slow_factor: f64,
    /// Below this share of a tool's calls, a first wrong try is no friction.
    pub retry_share: f64,
    /// Above this share of a tool's writes, conflicts are friction without a second round.
    pub conflict_share: f64,
    /// A finding is shown from this many occurrences on.
    pub support: usize,
    /// In this many sessions.
    pub sessions: usize,
    /// Occurrences of a chain before it is a finding.
    pub chain: usize,
    /// In this many sessions.
    pub chain_sessions: usize,
    /// A tool or argument that nobody used in this many sessions is unused.
    pub unused_sessions: usize,
    /// Tools that are rare by nature.
    pub rare_tools: Vec<String>,
    /// Tools that take long by nature.
    pub long_jobs: Vec<String>,
}

/// What is there for the day it is needed.
const RARE: [&str; 6] =
    ["revision_restore", "content_import", "self_test", "feedback_submit", "friction_report", "change_close"];

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            gap_ms: 120_000,
            task_ms: 600_000,
            big_reply_bytes: 40_000,
            big_reply_factor: 10.0,
            slow_ms: 2_000.0,
            slow_factor: 5.0,
            retry_share: 0.05,
            conflict_share: 0.05,
            support: 3,
            sessions: 2,
            chain: 5,
            chain_sessions: 3,
            unused_sessions: 30,
            rare_tools: RARE.map(str::to_owned).to_vec(),
            long_jobs: ["content_import", "self_test"].map(str::to_owned).to_vec(),
        }
    }
}
