//! Friction around reading: echoes, repeats, one by one, too much at once, page after page.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::Occurrence;
use super::super::thresholds::Thresholds;
use super::super::trace::{Call, Kind, Trace};

/// Calls after a write in which its echo is looked for.
const ECHO: usize = 3;
/// Calls between two of the same question that are one wait.
const NEAR: usize = 2;
/// Reads of listed items that make a list's missing fields.
const MANY: usize = 4;
/// Calls after a big reply in which the narrower one is looked for.
const NARROWER: usize = 5;
/// Below this many bytes no reply is oversized, whatever is usual for its tool.
const SMALL: u64 = 4_096;
/// A tool needs this many calls before its median means something.
const MEDIAN_CALLS: usize = 8;

/// F02: what was just written is read, and is exactly what was written. A preview shows more than was written.
pub(super) fn echo(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        for at in session.clone() {
            let call = &trace.calls[at];
            if !call.ok() || call.kind != Kind::Read || call.reads.is_empty() || !call.looks() {
                continue;
            }
            let mut written: BTreeMap<&str, Option<&str>> = BTreeMap::new();
            let mut source = None;
            for earlier in (session.start..at).rev().take(ECHO) {
                let before = &trace.calls[earlier];
                if trace.gap(earlier, at) > limits.gap_ms || before.kind == Kind::Publish {
                    break;
                }
                if before.wrote() {
                    for write in &before.record.writes {
                        written.entry(write.object.as_str()).or_insert(write.new.as_deref());
                    }
                    source = Some(earlier);
                }
            }
            let Some(source) = source else { continue };
            let echoes = |(object, digest): &(&str, Option<&str>)| {
                digest.is_some() && written.get(object).is_some_and(|new| new == digest)
            };
            if call.reads.iter().all(echoes) {
                let key = format!("{} after {}", call.record.tool, trace.calls[source].record.tool);
                found.push(Occurrence { detector: "F02", key, calls: vec![source, at], wasted: vec![at] });
            }
        }
    }
}

/// What makes two reads the same read.
fn identity<'a>(call: &Call<'a>) -> (&'a str, &'a str) {
    (call.record.tool.as_str(), call.record.arg_digest.as_str())
}

fn same_reply(a: &Call<'_>, b: &Call<'_>) -> bool {
    identity(a) == identity(b)
        && a.record.out_digest == b.record.out_digest
        && !(a.record.arg_digest.is_empty() || a.record.out_digest.is_empty())
        && a.ok()
        && b.ok()
        && a.looks()
        && b.looks()
}

/// Runs of three and more identical reads with identical replies.
fn polls(trace: &Trace<'_>, limits: &Thresholds) -> Vec<Vec<usize>> {
    let mut runs = Vec::new();
    for session in trace.each_session() {
        // Open runs by what is asked: other looks may lie between, nothing that changes something.
        let mut open: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for at in session {
            let call = &trace.calls[at];
            if !call.looks() {
                runs.extend(std::mem::take(&mut open).into_values());
                continue;
            }
            let run = open.entry(identity(call)).or_default();
            let goes_on = run.last().is_some_and(|&last| {
                same_reply(&trace.calls[last], call) && trace.gap(last, at) <= limits.gap_ms && at - last <= NEAR
            });
            if !goes_on {
                runs.push(std::mem::take(run));
            }
            run.push(at);
        }
        runs.extend(open.into_values());
    }
    runs.retain(|run| run.len() >= 3);
    runs.sort();
    runs
}

/// F17: the same question three times and more, with the same answer.
pub(super) fn polling(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for run in polls(trace, limits) {
        let call = &trace.calls[run[0]];
        let key = format!("{} {}", call.record.tool, call.shape);
        found.push(Occurrence { detector: "F17", key, wasted: run[1..].to_vec(), calls: run });
    }
}

/// F03: the same read with the same reply within one task, and nothing it shows was written between.
pub(super) fn duplicate(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    let polled: BTreeSet<usize> = polls(trace, limits).into_iter().flatten().collect();
    for session in trace.each_session() {
        let mut last: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for at in session {
            let call = &trace.calls[at];
            if call.kind == Kind::Publish && call.ok() {
                // What comes after is another task.
                last.clear();
                continue;
            }
            if call.wrote() {
                last.retain(|_, &mut earlier| {
                    let earlier = &trace.calls[earlier];
                    !call.record.writes.iter().any(|write| earlier.reads(&write.object))
                });
                continue;
            }
            if !call.ok() {
                // Whoever was refused has reason to look again.
                let targets = call.objects();
                last.retain(|_, &mut earlier| targets.iter().all(|target| !trace.calls[earlier].reads(target)));
                continue;
            }
            if !call.looks() || is_paging(call) {
                continue;
            }
            if let Some(&earlier) = last.get(&identity(call))
                && same_reply(&trace.calls[earlier], call)
                && trace.gap(earlier, at) <= limits.task_ms
                && !polled.contains(&at)
            {
                let key = format!("{} {}", call.record.tool, call.shape);
                found.push(Occurrence { detector: "F03", key, calls: vec![earlier, at], wasted: vec![at] });
            }
            last.insert(identity(call), at);
        }
    }
}

/// F08: a list with one hit, which the next call is about.
pub(super) fn id_hop(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        for at in session.start..session.end.saturating_sub(1) {
            let (call, next) = (&trace.calls[at], &trace.calls[at + 1]);
            if !call.ok() || call.kind != Kind::List || call.reads.len() != 1 || is_paging(call) {
                continue;
            }
            let (hit, _) = call.reads[0];
            if next.kind != Kind::List && trace.gap(at, at + 1) <= limits.gap_ms && next.objects().contains(hit) {
                let key = format!("{} before {}", call.record.tool, next.record.tool);
                found.push(Occurrence { detector: "F08", key, calls: vec![at, at + 1], wasted: vec![at] });
            }
        }
    }
}

/// F09: a list, then four and more of its items one by one.
pub(super) fn one_by_one(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        for at in session.clone() {
            let list = &trace.calls[at];
            // A list may say names only: then whatever is read right after it was listed.
            let names_only = list.reads.is_empty();
            if !list.ok() || list.kind != Kind::List || !(names_only || list.reads.len() >= MANY) {
                continue;
            }
            let listed = |object: &str| names_only || list.reads(object);
            let mut aside = 0;
            let (mut reads, mut seen, mut last) = (Vec::new(), BTreeSet::new(), at);
            for next in at + 1..session.end {
                let call = &trace.calls[next];
                let single = call.ok() && call.kind == Kind::Read && call.reads.len() == 1 && listed(call.reads[0].0);
                if trace.gap(last, next) > limits.gap_ms || !call.looks() || call.kind == Kind::List {
                    break;
                }
                if !single || !seen.insert(call.reads[0].0) {
                    aside += 1;
                    if aside > 1 {
                        break;
                    }
                    continue;
                }
                reads.push(next);
                last = next;
            }
            if reads.len() >= MANY {
                let key = format!("{} after {}", trace.calls[reads[0]].record.tool, list.record.tool);
                let calls = std::iter::once(at).chain(reads.iter().copied()).collect();
                found.push(Occurrence { detector: "F09", key, calls, wasted: reads[1..].to_vec() });
            }
        }
    }
}

/// F10: a reply far beyond what is usual, and then a narrower call for the same.
pub(super) fn oversized(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        for at in session.clone() {
            let (call, facts) = (&trace.calls[at], trace.facts(at));
            let bytes = call.record.out_bytes;
            let unusual = facts.calls >= MEDIAN_CALLS
                && bytes > SMALL
                && bytes as f64 > limits.big_reply_factor * facts.median_bytes;
            if !call.ok() || is_export(call) || !(bytes > limits.big_reply_bytes || unusual) {
                continue;
            }
            let objects = call.objects();
            let narrower = (at + 1..session.end.min(at + 1 + NARROWER)).find(|&later| {
                let other = &trace.calls[later];
                let about = other.objects();
                // Beyond what is usual only: a list and then one of its items is how lists are used.
                let same_thing = if objects.is_empty() || about.is_empty() || bytes <= limits.big_reply_bytes {
                    other.record.tool == call.record.tool && (objects.is_empty() || !objects.is_disjoint(&about))
                } else {
                    !objects.is_disjoint(&about)
                };
                other.looks()
                    && same_thing
                    && other.record.out_bytes * 2 < bytes
                    && identity(other) != identity(call)
                    && trace.gap(at, later) <= limits.task_ms
            });
            if let Some(later) = narrower {
                let key = format!("{} {}", call.record.tool, call.shape);
                found.push(Occurrence { detector: "F10", key, calls: vec![at, later], wasted: vec![at] });
            }
        }
    }
}

fn is_paging(call: &Call<'_>) -> bool {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_lowercase();
    call.record.arg_shape.iter().any(|path| {
        matches!(
            last(path).as_str(),
            "cursor"
                | "next_cursor"
                | "offset"
                | "page"
                | "page_number"
                | "after"
                | "skip"
                | "page_token"
                | "pagetoken"
        )
    })
}

/// Everything was asked for on purpose.
fn is_export(call: &Call<'_>) -> bool {
    let words = ["export", "dump", "backup"];
    let in_tool = words.iter().any(|word| call.record.tool.contains(word));
    in_tool || call.record.arg_shape.iter().any(|path| matches!(path.as_str(), "export" | "full" | "dump"))
}

/// F11: four and more pages of one query in a row.
pub(super) fn paging(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        let mut run: Vec<usize> = Vec::new();
        for at in session.clone().chain([session.end]) {
            let goes_on = at < session.end
                && run.last().is_some_and(|&last| {
                    let call = &trace.calls[at];
                    call.ok()
                        && is_paging(call)
                        && call.record.tool == trace.calls[last].record.tool
                        && call.record.arg_digest != trace.calls[last].record.arg_digest
                        && trace.gap(last, at) <= limits.gap_ms
                });
            if !goes_on {
                let done = std::mem::take(&mut run);
                let pages = done.len() >= 4 && !done.iter().any(|&page| is_export(&trace.calls[page]));
                if pages {
                    let key = trace.calls[done[0]].record.tool.clone();
                    found.push(Occurrence { detector: "F11", key, wasted: done[1..].to_vec(), calls: done });
                }
            }
            if at < session.end && trace.calls[at].ok() && trace.calls[at].looks() {
                run.push(at);
            }
        }
    }
}
