//! Friction around changes: missed batches, collateral writes, conflicts, changing back.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::Occurrence;
use super::super::record::{Outcome, Record};
use super::super::thresholds::Thresholds;
use super::super::trace::{Call, Kind, Trace};
use super::covers;

/// Calls after a collateral write in which its repair is looked for.
const REPAIR: usize = 10;
/// How the store refuses a write that was not declared.
const REFUSED: &str = "undeclared_write";
/// Calls after a conflict in which the next try is looked for.
const NEXT_TRY: usize = 6;
/// A tool needs this many calls before a share of them means something.
const SHARE_CALLS: usize = 20;

/// F01: three or more successful writes of one tool and shape on distinct targets in a row.
pub(super) fn missed_batch(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        let mut at = session.start;
        while at < session.end {
            let members = run(trace, limits, at, session.end);
            if members.len() < 3 {
                at += 1;
                continue;
            }
            at = members.last().map_or(at, |last| last + 1);
            if mostly_read_first(trace, limits, &members, session.start) {
                continue;
            }
            let call = &trace.calls[members[0]];
            let key = format!("{} {}", call.record.tool, call.shape);
            found.push(Occurrence { detector: "F01", key, wasted: members[1..].to_vec(), calls: members });
        }
    }
}

/// What a write is about; its arguments where the record names nothing.
fn targets<'a>(call: &Call<'a>) -> BTreeSet<&'a str> {
    let record = call.record;
    let mut targets: BTreeSet<&str> = record.writes.iter().map(|write| write.object.as_str()).collect();
    targets.extend(record.targets.iter().map(String::as_str));
    if targets.is_empty() {
        targets.insert(record.arg_digest.as_str());
    }
    targets
}

fn batchable(call: &Call<'_>) -> bool {
    call.ok() && !call.record.dry_run && matches!(call.kind, Kind::Write | Kind::Publish)
}

fn run(trace: &Trace<'_>, limits: &Thresholds, start: usize, end: usize) -> Vec<usize> {
    let first = &trace.calls[start];
    if !batchable(first) {
        return Vec::new();
    }
    let mut members = vec![start];
    let mut seen = targets(first);
    let mut created = creations(first);
    let mut reads_between = 0;
    for next in start + 1..end {
        let call = &trace.calls[next];
        let same = batchable(call) && call.record.tool == first.record.tool && call.shape == first.shape;
        // What a call made has to be there before the next can use it: these could not have been one call.
        if created.iter().any(|object| call.reads(object)) {
            break;
        }
        if same {
            let last = members[members.len() - 1];
            let own = targets(call);
            if trace.gap(last, next) > limits.gap_ms || !own.is_disjoint(&seen) {
                break;
            }
            seen.extend(own);
            created.extend(creations(call));
            members.push(next);
            reads_between = 0;
        } else if call.looks() && call.ok() {
            let about_next = call.reads.len() == 1 && !seen.contains(call.reads[0].0);
            reads_between += usize::from(!about_next);
            if reads_between > 1 {
                break;
            }
        } else {
            break;
        }
    }
    members
}

fn creations<'a>(call: &Call<'a>) -> BTreeSet<&'a str> {
    call.record.writes.iter().filter(|write| write.old.is_none()).map(|write| write.object.as_str()).collect()
}

/// Most targets were looked at on their own before they were written: what was written depends on what was there.
fn mostly_read_first(trace: &Trace<'_>, limits: &Thresholds, members: &[usize], session_start: usize) -> bool {
    let read_first = members.iter().filter(|&&member| {
        let call = &trace.calls[member];
        let before = (session_start..member).rev().take_while(|&earlier| trace.gap(earlier, member) <= limits.task_ms);
        let targets = targets(call);
        before.map(|earlier| &trace.calls[earlier]).any(|earlier| {
            earlier.ok()
                && earlier.kind == Kind::Read
                && earlier.reads.len() == 1
                && targets.iter().any(|target| earlier.reads(target))
        })
    });
    read_first.count() * 2 > members.len()
}

/// F05: an object was written that the call did not declare, or would have been had the store not refused it: the tool has the defect
/// either way, and who called it got nothing.
pub(super) fn collateral(trace: &Trace<'_>, _: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        for at in session.clone() {
            let record = trace.calls[at].record;
            if record.error_code.as_deref() == Some(REFUSED) {
                let key = format!("{} refused", record.tool);
                found.push(Occurrence { detector: "F05", key, calls: vec![at], wasted: vec![at] });
                continue;
            }
            let Some(declared) = &record.declared else { continue };
            let beyond: Vec<_> = record.writes.iter().filter(|write| !covers(declared, &write.object)).collect();
            if beyond.is_empty() || record.dry_run {
                continue;
            }
            let kinds: BTreeSet<&str> =
                beyond.iter().map(|write| write.object.split(':').next().unwrap_or_default()).collect();
            let repairs: Vec<usize> = (at + 1..session.end.min(at + 1 + REPAIR))
                .filter(|&later| {
                    let writes = &trace.calls[later].record.writes;
                    writes.iter().any(|write| beyond.iter().any(|b| b.object == write.object && b.old == write.new))
                })
                .collect();
            let key = format!("{} {}", record.tool, kinds.into_iter().collect::<Vec<_>>().join(","));
            let calls = std::iter::once(at).chain(repairs.iter().copied()).collect();
            found.push(Occurrence { detector: "F05", key, calls, wasted: repairs });
        }
    }
}

/// Who wrote an object when, over all sessions.
type Writers<'a> = BTreeMap<&'a str, Vec<(i64, usize)>>;

/// F13: a conflict, a read, the same write again; twice, or for more than a twentieth of a tool's calls.
pub(super) fn conflict_churn(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    let mut writers: Writers = BTreeMap::new();
    for call in trace.calls.iter().filter(|call| call.wrote()) {
        for write in &call.record.writes {
            writers.entry(write.object.as_str()).or_default().push((call.record.ts, call.session));
        }
    }
    for session in trace.each_session() {
        let mut at = session.start;
        while at < session.end {
            let rounds = rounds(trace, &writers, at, session.end, session.start);
            let Some(last) = rounds.last().copied() else {
                at += 1;
                continue;
            };
            let facts = trace.facts(at);
            let often =
                facts.calls >= SHARE_CALLS && facts.conflicted as f64 > limits.conflict_share * facts.calls as f64;
            let errors = rounds.iter().filter(|&&call| trace.calls[call].conflicted()).count();
            if errors >= 2 || (often && nothing_changed(trace, &rounds, session.start)) {
                let key = trace.calls[at].record.tool.clone();
                let wasted = rounds[..rounds.len() - 1].to_vec();
                found.push(Occurrence { detector: "F13", key, calls: rounds, wasted });
            }
            at = last + 1;
        }
    }
}

/// Whether the reads after a conflict showed what this session knew already: then nobody had written.
fn nothing_changed(trace: &Trace<'_>, rounds: &[usize], session_start: usize) -> bool {
    let refused = rounds[0];
    let known = |object: &str| {
        (session_start..refused).rev().map(|earlier| &trace.calls[earlier]).find_map(|call| {
            let written = call.record.writes.iter().find(|write| write.object == object && call.ok());
            let read = call.reads.iter().find(|(read, _)| *read == object && call.ok());
            written.and_then(|write| write.new.as_deref()).or_else(|| read.and_then(|(_, digest)| *digest))
        })
    };
    let mut shown =
        rounds.iter().map(|&call| &trace.calls[call]).filter(|call| call.looks()).flat_map(|call| &call.reads);
    shown.any(|(object, digest)| digest.is_some() && known(object) == *digest)
}

/// From a conflict on: error, reads, error, reads, the call that went through or the last try.
fn rounds(trace: &Trace<'_>, writers: &Writers<'_>, start: usize, end: usize, session_start: usize) -> Vec<usize> {
    let first = &trace.calls[start];
    if !first.conflicted() || foreign_writer(trace, writers, start, session_start) {
        return Vec::new();
    }
    let mut calls = vec![start];
    let mut reads = Vec::new();
    let mut since = 0;
    for next in start + 1..end {
        let call = &trace.calls[next];
        since += 1;
        if since > NEXT_TRY {
            break;
        }
        if call.record.tool == first.record.tool && same_target(first, call) {
            calls.append(&mut reads);
            calls.push(next);
            since = 0;
            if !call.conflicted() || foreign_writer(trace, writers, next, session_start) {
                return calls;
            }
        } else if call.looks() {
            reads.push(next);
        } else {
            break;
        }
    }
    if calls.len() > 1 { calls } else { Vec::new() }
}

fn same_target(a: &Call<'_>, b: &Call<'_>) -> bool {
    let (a, b) = (a.objects(), b.objects());
    a.is_empty() || b.is_empty() || !a.is_disjoint(&b)
}

/// Whether somebody else did change an object of the refused call since this session last met it.
fn foreign_writer(trace: &Trace<'_>, writers: &Writers<'_>, at: usize, session_start: usize) -> bool {
    let call = &trace.calls[at];
    call.objects().into_iter().any(|object| {
        let known = (session_start..at)
            .rev()
            .map(|earlier| &trace.calls[earlier])
            .find(|earlier| earlier.record.outcome == Outcome::Ok && (earlier.reads(object) || earlier.writes(object)))
            .map_or(i64::MIN, |earlier| earlier.record.ts);
        let writes = writers.get(object).map_or(&[][..], Vec::as_slice);
        writes.iter().any(|(ts, session)| *session != call.session && *ts >= known && *ts <= call.record.ts)
    })
}

/// F20: an object is back at an earlier digest through writes that were meant.
pub(super) fn undo_churn(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        let mut last_from: BTreeMap<(&str, &Option<String>), usize> = BTreeMap::new();
        for at in session {
            let call = &trace.calls[at];
            let declared = |object: &str| call.record.declared.as_ref().is_none_or(|declared| covers(declared, object));
            if !call.wrote() {
                continue;
            }
            for write in call.record.writes.iter().filter(|write| declared(&write.object)) {
                if let Some(&from) = last_from.get(&(write.object.as_str(), &write.new))
                    && trace.gap(from, at) <= limits.task_ms
                    && !a_trial(trace, from, at, &write.object)
                    && !is_move(call.record, write.new.as_ref())
                {
                    let tools = BTreeSet::from([trace.calls[from].record.tool.as_str(), call.record.tool.as_str()]);
                    let key = tools.into_iter().collect::<Vec<_>>().join(" + ");
                    found.push(Occurrence { detector: "F20", key, calls: vec![from, at], wasted: vec![from, at] });
                    break;
                }
            }
            for write in call.record.writes.iter().filter(|write| declared(&write.object)) {
                last_from.insert((write.object.as_str(), &write.old), at);
            }
        }
    }
}

/// What leaves one place for another was not undone there.
fn is_move(record: &Record, new: Option<&String>) -> bool {
    new.is_none() && record.writes.iter().any(|write| write.old.is_none() && write.new.is_some())
}

/// Tried on, looked at and put back, as themes are: the look was there, and it was what the change was for.
fn a_trial(trace: &Trace<'_>, from: usize, to: usize, object: &str) -> bool {
    let looked =
        trace.calls[from + 1..to].iter().any(|call| call.ok() && (call.kind == Kind::Preview || call.record.rendered));
    looked || (object.starts_with("theme:") && trace.calls[to].kind == Kind::Undo)
}
