//! What takes weeks of use to see: chains of calls that belong together, and tools taken for each other. Information, no blame.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::Occurrence;
use super::super::thresholds::Thresholds;
use super::super::trace::{Kind, Trace};

/// Calls of a chain.
const LENGTHS: std::ops::RangeInclusive<usize> = 3..=6;
/// Calls in which the right tool follows the wrong one.
const SOON: usize = 3;

/// F16: the same chain of tools, each using what the one before gave.
pub(super) fn chain(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    let explained: BTreeSet<usize> = found.iter().flat_map(|occurrence| occurrence.wasted.iter().copied()).collect();
    let mut used = explained;
    for length in LENGTHS.rev() {
        let mut by_tools: BTreeMap<String, Vec<Vec<usize>>> = BTreeMap::new();
        for session in trace.each_session() {
            let mut free_from = session.start;
            for start in session.start..(session.end + 1).saturating_sub(length) {
                let calls: Vec<usize> = (start..start + length).collect();
                if start < free_from || calls.iter().any(|call| used.contains(call)) || !piped(trace, limits, &calls) {
                    continue;
                }
                let tools: Vec<&str> = calls.iter().map(|&call| trace.calls[call].record.tool.as_str()).collect();
                free_from = start + length;
                by_tools.entry(tools.join(" > ")).or_default().push(calls);
            }
        }
        for (key, chains) in by_tools {
            let sessions: BTreeSet<usize> = chains.iter().map(|calls| trace.calls[calls[0]].session).collect();
            if chains.len() < limits.chain || sessions.len() < limits.chain_sessions {
                continue;
            }
            for calls in chains {
                used.extend(calls.iter().copied());
                found.push(Occurrence { detector: "F16", key: key.clone(), wasted: calls[1..].to_vec(), calls });
            }
        }
    }
}

/// Whether each call uses an object of the one before, and the chain is not the documented way of working.
fn piped(trace: &Trace<'_>, limits: &Thresholds, calls: &[usize]) -> bool {
    let linked = calls.windows(2).all(|pair| {
        let (a, b) = (&trace.calls[pair[0]], &trace.calls[pair[1]]);
        a.ok() && b.ok() && trace.gap(pair[0], pair[1]) <= limits.gap_ms && !a.objects().is_disjoint(&b.objects())
    });
    let kinds: Vec<Kind> = calls.iter().map(|&call| trace.calls[call].kind).collect();
    let tools: BTreeSet<&str> = calls.iter().map(|&call| trace.calls[call].record.tool.as_str()).collect();
    // List, read, write, preview, publish, each once and in this order, is how a site is edited.
    let order = |kind: &Kind| match kind {
        Kind::List => 0,
        Kind::Read => 1,
        Kind::Write | Kind::Undo => 2,
        Kind::Preview => 3,
        Kind::Publish => 4,
    };
    // A look as visitors see it has its place before a change as well as after.
    let steps: Vec<&Kind> = kinds.iter().filter(|kind| **kind != Kind::Preview).collect();
    let as_documented = steps.windows(2).all(|pair| order(pair[0]) < order(pair[1]));
    // A tool met twice is a loop over things, and what follows a publish is another task: neither could be one call.
    let one_task = !kinds[..kinds.len() - 1].contains(&Kind::Publish);
    linked && one_task && tools.len() == calls.len() && !as_documented
}

/// F19: one tool's effect is undone, and another tool does it to the same target.
pub(super) fn confusable(trace: &Trace<'_>, _: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        for at in session.clone() {
            let first = &trace.calls[at];
            if !first.wrote() || first.kind != Kind::Write {
                continue;
            }
            let mut undone: Option<usize> = None;
            for next in at + 1..session.end.min(at + 1 + SOON) {
                let call = &trace.calls[next];
                let restores = call.record.writes.iter().any(|write| {
                    first.record.writes.iter().any(|old| old.object == write.object && old.old == write.new)
                });
                if call.wrote() && restores {
                    undone = Some(next);
                } else if let Some(undone) = undone
                    && call.wrote()
                    && call.kind == Kind::Write
                    && call.record.tool != first.record.tool
                    && first.record.writes.iter().any(|write| call.writes(&write.object))
                {
                    let key = format!("{} / {}", first.record.tool, call.record.tool);
                    found.push(Occurrence {
                        detector: "F19",
                        key,
                        calls: vec![at, undone, next],
                        wasted: vec![at, undone],
                    });
                    break;
                }
            }
        }
    }
}
