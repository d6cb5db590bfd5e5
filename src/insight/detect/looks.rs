//! Friction around looking: publishing to look, and previews that keep saying the same.

use std::collections::BTreeSet;

use super::super::finding::Occurrence;
use super::super::thresholds::Thresholds;
use super::super::trace::{Call, Kind, Trace};

/// F06: published, looked at as visitors see it, and written again.
pub(super) fn publish_to_look(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    // Where no record says which replies were rendered, any read may have been one.
    let told = trace.calls.iter().any(|call| call.record.rendered);
    let looks_at = |call: &Call<'_>| {
        call.ok()
            && call.looks()
            && call.kind != Kind::List
            && (!told || call.record.rendered || call.kind == Kind::Preview)
    };
    for session in trace.each_session() {
        for at in session.clone() {
            let publish = &trace.calls[at];
            if publish.kind != Kind::Publish || !publish.ok() || publish.record.dry_run {
                continue;
            }
            let known = publish.objects();
            let since = (session.start..at).rev().take_while(|&earlier| {
                let before = &trace.calls[earlier];
                !(before.kind == Kind::Publish && before.ok() && !before.record.dry_run)
            });
            let written_before: BTreeSet<&str> = since
                .flat_map(|earlier| trace.calls[earlier].record.writes.iter().map(|write| write.object.as_str()))
                .collect();
            // Who wrote what went out is not always in the journal.
            let anything = known.is_empty() && written_before.is_empty();
            let mut looked: Vec<(usize, &str)> = Vec::new();
            for next in at + 1..session.end {
                let call = &trace.calls[next];
                if trace.gap(at, next) > limits.task_ms || (call.kind == Kind::Publish && call.ok()) {
                    break;
                }
                if looks_at(call) {
                    let published = call.reads.iter().map(|(object, _)| *object);
                    looked.extend(
                        published
                            .filter(|o| anything || known.contains(o) || written_before.contains(o))
                            .map(|o| (next, o)),
                    );
                } else if call.wrote()
                    && let Some((look, _)) = looked.iter().find(|(_, object)| call.writes(object))
                {
                    let key = format!("{} + {}", publish.record.tool, trace.calls[*look].record.tool);
                    found.push(Occurrence {
                        detector: "F06",
                        key,
                        calls: vec![at, *look, next],
                        wasted: vec![at, *look],
                    });
                    break;
                }
            }
        }
    }
}

/// F07: preview and write of one object in turn, with the same diagnostic each time.
pub(super) fn preview_loop(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        let mut from = session.start;
        while from < session.end {
            let rounds = rounds(trace, limits, from, session.end);
            let Some(last) = rounds.last().copied().filter(|_| rounds.len() >= 4) else {
                from += 1;
                continue;
            };
            let key = format!("{} + {}", trace.calls[rounds[0]].record.tool, trace.calls[rounds[1]].record.tool);
            found.push(Occurrence { detector: "F07", key, wasted: rounds[2..].to_vec(), calls: rounds });
            from = last + 1;
        }
    }
}

/// Preview, write, preview, write ... of one object, all previews with one code in common.
fn rounds(trace: &Trace<'_>, limits: &Thresholds, start: usize, end: usize) -> Vec<usize> {
    let first = &trace.calls[start];
    let shows = |call: &Call<'_>| call.ok() && (call.kind == Kind::Preview || (call.record.rendered && call.looks()));
    if !shows(first) || first.record.codes.is_empty() {
        return Vec::new();
    }
    let mut codes: BTreeSet<&str> = first.record.codes.iter().map(String::as_str).collect();
    let mut objects = first.objects();
    let mut calls = vec![start];
    for next in start + 1..end {
        let call = &trace.calls[next];
        if trace.gap(calls[calls.len() - 1], next) > limits.task_ms {
            break;
        }
        let common: BTreeSet<&str> = if objects.is_empty() { call.objects() } else { &objects & &call.objects() };
        let wants_write = calls.len() % 2 == 1;
        if wants_write && call.wrote() && !common.is_empty() {
            objects = common;
            calls.push(next);
        } else if !wants_write && shows(call) && !common.is_empty() {
            let still: BTreeSet<&str> =
                call.record.codes.iter().map(String::as_str).filter(|c| codes.contains(c)).collect();
            if still.is_empty() {
                break;
            }
            codes = still;
            calls.push(next);
        } else if call.kind == Kind::Publish {
            break;
        }
    }
    // A loop ends with a write, or with one more preview that still says it.
    calls
}
