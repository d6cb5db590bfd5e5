//! Friction of waiting.

use super::super::finding::Occurrence;
use super::super::record::Outcome;
use super::super::thresholds::Thresholds;
use super::super::trace::{Kind, Trace};

/// F12: a call that takes long beyond what is usual, or whose caller gave up.
pub(super) fn slow(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for (at, call) in trace.calls.iter().enumerate() {
        let record = call.record;
        if limits.long_jobs.contains(&record.tool) {
            continue;
        }
        // A tool that is always slow has a high median of its own: what all calls take is usual too. A publish takes what the network takes.
        let own = trace.facts(at).median_ms;
        let usual = if call.kind == Kind::Publish { own } else { own.min(trace.median_ms) };
        if record.ms > limits.slow_ms.max(limits.slow_factor * usual) || record.outcome == Outcome::Cancelled {
            found.push(Occurrence { detector: "F12", key: record.tool.clone(), calls: vec![at], wasted: Vec::new() });
        }
    }
}
