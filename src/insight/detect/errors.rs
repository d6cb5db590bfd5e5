//! Friction around refusals: wrong arguments, dead ends, and what callers expected to be there.

use std::collections::BTreeMap;

use super::super::finding::Occurrence;
use super::super::record::Outcome;
use super::super::thresholds::Thresholds;
use super::super::trace::{Call, Kind, Trace};

/// Calls after a refusal in which the better try is looked for.
const BETTER_TRY: usize = 4;
/// Names at most this many letters apart are the same wish.
const NEAR: usize = 2;

/// F04: refused for its arguments, then the same tool with another shape goes through.
pub(super) fn schema_retry(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    let mut met: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for call in trace.calls.iter().filter(|call| call.misused() || call.refused_blindly()) {
        let record = call.record;
        for name in record.arg_shape.iter().map(String::as_str).chain(record.unknown.as_deref()) {
            *met.entry((record.tool.as_str(), name)).or_default() += 1;
        }
    }
    for session in trace.each_session() {
        let mut at = session.start;
        while at < session.end {
            let call = &trace.calls[at];
            if !(call.misused() || call.refused_blindly()) {
                at += 1;
                continue;
            }
            let mut errors = vec![at];
            let mut success = None;
            for next in at + 1..session.end.min(at + 1 + BETTER_TRY) {
                let other = &trace.calls[next];
                if other.record.tool != call.record.tool || !about_the_same(call, other) {
                    continue;
                }
                if other.ok() && other.shape != call.shape {
                    success = Some(next);
                    break;
                }
                if other.misused() || other.refused_blindly() {
                    errors.push(next);
                }
            }
            // Slips differ; what is got wrong in the same way again is no slip, however often the tool is called.
            let slip = |success: usize| {
                let right = &trace.calls[success].record.arg_shape;
                let record = call.record;
                let named = record.unknown.as_deref();
                // A name that is known says more than that it was unknown.
                let wrong = record.arg_shape.iter().map(String::as_str).filter(|path| {
                    !(right.iter().any(|known| known == path) || named.is_some() && path.ends_with('?'))
                });
                let wrong: Vec<&str> = wrong.chain(named).collect();
                let often =
                    |name: &&str| met.get(&(record.tool.as_str(), *name)).is_some_and(|n| *n >= limits.same_slip);
                !wrong.is_empty() && !wrong.iter().any(often)
            };
            if let Some(success) = success.filter(|&success| !slip(success)) {
                let key = format!("{} {}", call.record.tool, call.shape);
                let calls = errors.iter().copied().chain([success]).collect();
                at = success;
                found.push(Occurrence { detector: "F04", key, calls, wasted: errors });
            }
            at += 1;
        }
    }
}

fn about_the_same(a: &Call<'_>, b: &Call<'_>) -> bool {
    let (a, b) = (a.objects(), b.objects());
    a.is_empty() || b.is_empty() || !a.is_disjoint(&b)
}

/// F14: an error, and then nothing more on its target, nor a publish.
pub(super) fn dead_end(trace: &Trace<'_>, limits: &Thresholds, found: &mut Vec<Occurrence>) {
    for session in trace.each_session() {
        for at in session.clone() {
            let call = &trace.calls[at];
            if call.record.outcome != Outcome::Error || is_probe(call) {
                continue;
            }
            let mut goes_on = false;
            let mut last = at;
            for next in at + 1..session.end {
                if trace.gap(last, next) > limits.task_ms {
                    break;
                }
                last = next;
                let other = &trace.calls[next];
                let targets = call.objects();
                let again = if targets.is_empty() {
                    other.record.tool == call.record.tool
                } else {
                    !other.objects().is_disjoint(&targets)
                };
                if again || (other.kind == Kind::Publish && other.ok()) {
                    goes_on = true;
                    break;
                }
            }
            if !goes_on {
                let code = call.record.error_code.as_deref().unwrap_or("error");
                let key = format!("{} {}", call.record.tool, plain(code));
                found.push(Occurrence { detector: "F14", key, calls: vec![at], wasted: vec![at] });
            }
        }
    }
}

/// Asking whether something is there is no friction when it is not.
fn is_probe(call: &Call<'_>) -> bool {
    let missing = call.record.error_code.as_deref().is_some_and(|code| code.contains("not_found"));
    missing && matches!(call.kind, Kind::Read | Kind::List)
}

/// F15: a tool, argument or value that does not exist, by similar names.
pub(super) fn desire_path(trace: &Trace<'_>, _: &Thresholds, found: &mut Vec<Occurrence>) {
    let mut wishes: Vec<(String, usize)> = Vec::new();
    for (at, call) in trace.calls.iter().enumerate() {
        let wish = match (call.record.outcome, &call.record.unknown) {
            (Outcome::UnknownTool, _) => call.record.tool.as_str(),
            // Put right at once: a retry, which says the same with what it cost.
            (Outcome::Error, Some(_)) if put_right(trace, at) => continue,
            (Outcome::Error, Some(unknown)) => unknown.as_str(),
            _ => continue,
        };
        // Names come from callers: only those that could be names are repeated in a report.
        if !is_name(wish) {
            continue;
        }
        let whole = match call.record.outcome {
            Outcome::UnknownTool => wish.to_owned(),
            _ => format!("{}.{wish}", plain(&call.record.tool)),
        };
        wishes.push((whole, at));
    }
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for (wish, _) in &wishes {
        *counted.entry(wish).or_default() += 1;
    }
    let mut names: Vec<(&str, usize)> = counted.into_iter().collect();
    names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut heads: Vec<&str> = Vec::new();
    let mut head_of: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, _) in names {
        let head = heads.iter().copied().find(|head| strsim::levenshtein(head, name) <= NEAR);
        if head.is_none() {
            heads.push(name);
        }
        head_of.insert(name, head.unwrap_or(name));
    }
    for (wish, at) in &wishes {
        let key = head_of.get(wish.as_str()).map_or_else(|| wish.clone(), |head| (*head).to_owned());
        found.push(Occurrence { detector: "F15", key, calls: vec![*at], wasted: vec![*at] });
    }
}

/// The same tool went through soon, on the same target, with other arguments.
fn put_right(trace: &Trace<'_>, at: usize) -> bool {
    let call = &trace.calls[at];
    trace.calls[at + 1..].iter().take(BETTER_TRY).any(|other| {
        other.session == call.session
            && other.record.tool == call.record.tool
            && other.ok()
            && other.shape != call.shape
            && about_the_same(call, other)
    })
}

fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Only what a code or name is made of.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect()
}
