//! What the journal of real work says of the server before and after: like tasks are compared with like tasks, and chance is counted with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::record::{Outcome, Record};
use super::thresholds::Thresholds;
use super::trace::{Kind, Trace};
use super::verdict::{Judgement, Metric, TOLERANCE};
use super::window::moment;

/// Tasks on each side before anything is said.
const ENOUGH: usize = 20;
/// Resamplings of the bootstrap (B. Efron, 1979).
const RESAMPLES: usize = 2_000;
/// Ten minutes of nothing end a task.
const IDLE_MS: i64 = 600_000;
/// What must not get worse meanwhile: its name, the metric that it guards against, and by how much more than the tolerance it may.
///
/// Refused and wasted calls are counted for each change, not as shares: who spares a good call makes the share of the others larger.
const GUARDRAILS: [(&str, Metric, f64); 3] = [
    ("tokens_per_change", Metric::TokensPerChange, 5.0),
    ("errors_per_change", Metric::ErrorRate, 0.05),
    ("wasted_per_change", Metric::WastedShare, 0.05),
];

/// The server before and after, in real work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Live {
    /// What to say.
    pub outcome: Judgement,
    /// Tasks of each side that have a like one on the other.
    pub tasks: (usize, usize),
    /// The metric after, divided by that before.
    pub ratio: f64,
    /// Its 95 % interval.
    pub interval: (f64, f64),
    /// Guardrails that are broken: name, before, after.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<(&'static str, f64, f64)>,
}

impl Live {
    /// One sentence each.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let (before, after) = self.tasks;
        let (low, high) = self.interval;
        let mut sentences = vec![if before < ENOUGH || after < ENOUGH {
            format!("Real work: {before} and {after} tasks that can be compared; {ENOUGH} on each side are needed.")
        } else {
            format!(
                "Real work: {:.2} of what it was (95 %: {low:.2} to {high:.2}), from {before} and {after} like tasks.",
                self.ratio
            )
        }];
        let broken = self.broken.iter();
        sentences.extend(broken.map(|(name, was, is)| format!("Real work, {name}: {was:.4} before, {is:.4} after.")));
        sentences
    }
}

/// The records before and after: those of two versions of the server, or those from one moment to another and from there on.
#[must_use]
pub fn sides(records: &[Record], names: [&str; 2], now: Timestamp) -> [Vec<Record>; 2] {
    let of = |kept: &dyn Fn(&Record) -> bool| records.iter().filter(|record| kept(record)).cloned().collect();
    match names.map(|name| moment(name, now).map(Timestamp::as_millisecond)) {
        [Some(from), Some(to)] => {
            [of(&|record| (from..to).contains(&record.ts)), of(&|record| record.ts >= to.max(from))]
        }
        _ => names.map(|name| of(&|record| record.server == name)),
    }
}

/// One task of real work, in numbers.
struct Segment {
    objects: usize,
    calls: usize,
    refused: usize,
    wasted: usize,
    undeclared: usize,
    bytes: u64,
    seconds: f64,
}

impl Segment {
    fn value(&self, metric: Metric) -> f64 {
        let (objects, calls) = (self.objects as f64, self.calls as f64);
        match metric {
            Metric::CallsPerChange => calls / objects,
            Metric::TokensPerChange => self.bytes as f64 / 4.0 / objects,
            Metric::SecondsPerChange => self.seconds / objects,
            // Whether a goal was missed is not in a journal; what was refused is.
            Metric::ErrorRate | Metric::GoalsMissed => self.refused as f64 / calls,
            Metric::WastedShare => self.wasted as f64 / calls,
            Metric::UndeclaredWrites => self.undeclared as f64,
        }
    }
}

/// What a guardrail looks at.
fn guarded(segment: &Segment, metric: Metric) -> f64 {
    match metric {
        Metric::ErrorRate => segment.refused as f64 / segment.objects as f64,
        Metric::WastedShare => segment.wasted as f64 / segment.objects as f64,
        metric => segment.value(metric),
    }
}

/// One side: its tasks by what makes them alike, its calls, and the writes of all of them that were not declared.
struct Side {
    tasks: BTreeMap<String, Vec<Segment>>,
    calls: usize,
    undeclared: usize,
}

impl Side {
    fn of(records: &[Record]) -> Self {
        let marks = Marks::of(records);
        let trace = Trace::of(records);
        let mut tasks: BTreeMap<String, Vec<Segment>> = BTreeMap::new();
        for (like, segment) in segments(&trace, &marks) {
            tasks.entry(like).or_default().push(segment);
        }
        Self { tasks, calls: records.len(), undeclared: marks.undeclared.len() }
    }

    fn count(&self) -> usize {
        self.tasks.values().map(Vec::len).sum()
    }
}

/// Calls that detectors marked, by id; one occurrence is enough, because both sides are to be counted alike.
pub(super) struct Marks {
    pub(super) wasted: BTreeSet<String>,
    pub(super) undeclared: BTreeSet<String>,
}

impl Marks {
    pub(super) fn of(records: &[Record]) -> Self {
        let limits = Thresholds { support: 1, sessions: 1, ..Thresholds::default() };
        let report = super::report(records, 0, &limits);
        let undeclared = report.findings.iter().filter(|place| place.detector == "F05");
        let undeclared = undeclared.filter_map(|place| place.calls.first().cloned()).collect();
        Self { wasted: report.findings.into_iter().flat_map(|place| place.wasted).collect(), undeclared }
    }
}

/// Compares what was recorded before and after.
#[must_use]
pub fn live(before: &[Record], after: &[Record], metric: Metric) -> Live {
    let (mut old, mut new) = (Side::of(before), Side::of(after));
    let rate = |side: &Side| side.undeclared as f64 / side.calls.max(1) as f64;
    let mut broken = Vec::new();
    // One is enough, wherever it was: it is a defect.
    if metric != Metric::UndeclaredWrites && rate(&new) > rate(&old) * (1.0 + TOLERANCE) {
        broken.push((Metric::UndeclaredWrites.name(), old.undeclared as f64, new.undeclared as f64));
    }
    old.tasks.retain(|like, _| new.tasks.contains_key(like));
    new.tasks.retain(|like, _| old.tasks.contains_key(like));
    let tasks = (old.count(), new.count());
    if tasks.0 < ENOUGH || tasks.1 < ENOUGH {
        let outcome = if broken.is_empty() { Judgement::NotEnoughData } else { Judgement::Worse };
        return Live { outcome, tasks, ratio: 1.0, interval: (0.0, f64::MAX), broken };
    }
    let pairs = |value: &dyn Fn(&Segment) -> f64| -> Vec<(Vec<f64>, Vec<f64>)> {
        let values = |segments: &Vec<Segment>| segments.iter().map(value).collect();
        old.tasks.iter().map(|(like, segments)| (values(segments), values(&new.tasks[like]))).collect()
    };
    for (name, guard, slack) in GUARDRAILS.into_iter().filter(|(_, guard, _)| *guard != metric) {
        let pairs = pairs(&|segment| guarded(segment, guard));
        let (was, is) = weighted(&pairs, &mut mean);
        let excess = drawn(&pairs, |was, is| is - was * (1.0 + TOLERANCE) - slack);
        if excess.0 > 0.0 {
            broken.push((name, was, is));
        }
    }
    let pairs = pairs(&|segment| segment.value(metric));
    let (was, is) = weighted(&pairs, &mut mean);
    let interval = drawn(&pairs, ratio);
    let outcome = match interval {
        _ if !broken.is_empty() => Judgement::Worse,
        (_, high) if high < 1.0 => Judgement::Improved,
        (low, _) if low > 1.0 => Judgement::Worse,
        _ => Judgement::NoBetter,
    };
    Live { outcome, tasks, ratio: ratio(was, is), interval, broken }
}

/// The 95 % interval of what is made of the means before and after.
fn drawn(pairs: &[(Vec<f64>, Vec<f64>)], of: impl Fn(f64, f64) -> f64) -> (f64, f64) {
    // Always the same numbers, so that the same journal gives the same verdict.
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut one = |()| {
        let (was, is) = weighted(pairs, &mut |values| random.mean_of(values));
        of(was, is)
    };
    let mut drawn: Vec<f64> = (0..RESAMPLES).map(|_| one(())).collect();
    drawn.sort_by(f64::total_cmp);
    (drawn[RESAMPLES * 25 / 1_000], drawn[RESAMPLES * 975 / 1_000 - 1])
}

fn ratio(before: f64, after: f64) -> f64 {
    match (before > 0.0, after > 0.0) {
        (true, _) => after / before,
        (false, true) => f64::MAX,
        (false, false) => 1.0,
    }
}

/// Means before and after, each kind of task with the weight of its rarer side.
fn weighted(pairs: &[(Vec<f64>, Vec<f64>)], mean: &mut dyn FnMut(&[f64]) -> f64) -> (f64, f64) {
    let (mut before, mut after, mut whole) = (0.0, 0.0, 0.0);
    for (old, new) in pairs {
        let weight = old.len().min(new.len()) as f64;
        before += weight * mean(old);
        after += weight * mean(new);
        whole += weight;
    }
    (before / whole.max(1.0), after / whole.max(1.0))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Marsaglia's xorshift: the bootstrap needs many numbers, not good ones.
struct Random(u64);

impl Random {
    fn mean_of(&mut self, values: &[f64]) -> f64 {
        let mut sum = 0.0;
        for _ in values {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            sum += values[(self.0 % values.len() as u64) as usize];
        }
        sum / values.len().max(1) as f64
    }
}

/// Work up to a publish, or to ten idle minutes; alike by client, and by which kinds of object were changed how often.
fn segments(trace: &Trace<'_>, marks: &Marks) -> Vec<(String, Segment)> {
    let mut found = Vec::new();
    for session in trace.each_session() {
        let mut calls: Vec<usize> = Vec::new();
        for at in session {
            if calls.last().is_some_and(|&last| trace.gap(last, at) > IDLE_MS) {
                found.extend(segment(trace, &std::mem::take(&mut calls), marks));
            }
            calls.push(at);
            let call = &trace.calls[at];
            if call.kind == Kind::Publish && call.ok() && !call.record.dry_run {
                found.extend(segment(trace, &std::mem::take(&mut calls), marks));
            }
        }
        found.extend(segment(trace, &calls, marks));
    }
    found
}

fn segment(trace: &Trace<'_>, calls: &[usize], marks: &Marks) -> Option<(String, Segment)> {
    let first = trace.calls.get(*calls.first()?)?;
    let mut changed: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut objects, mut published) = (BTreeSet::new(), false);
    for call in calls.iter().map(|&call| &trace.calls[call]) {
        published |= call.kind == Kind::Publish && call.ok();
        for write in call.record.writes.iter().filter(|_| call.wrote()) {
            if objects.insert(write.object.as_str()) {
                let how = match (&write.old, &write.new) {
                    (None, _) => "create",
                    (_, None) => "delete",
                    _ => "update",
                };
                *changed.entry((write.object.split(':').next().unwrap_or_default(), how)).or_default() += 1;
            }
        }
    }
    // Only work that changed something and went live can be measured per change.
    if changed.is_empty() || !published {
        return None;
    }
    let records = || calls.iter().map(|&call| trace.calls[call].record);
    let marked = |ids: &BTreeSet<String>| records().filter(|record| ids.contains(&record.call)).count();
    let client = first.record.client.split([' ', '/']).next().unwrap_or_default();
    let segment = Segment {
        objects: objects.len(),
        calls: calls.len(),
        refused: records().filter(|record| record.outcome != Outcome::Ok).count(),
        wasted: marked(&marks.wasted),
        undeclared: marked(&marks.undeclared),
        bytes: records().map(|record| record.in_bytes + record.out_bytes).sum(),
        seconds: records().map(|record| record.ms).sum::<f64>() / 1_000.0,
    };
    Some((format!("{client} {changed:?}"), segment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::read_journal;

    /// Tasks of `calls` reads, one write and a publish each, on one version.
    fn work(text: &mut String, version: &str, tasks: usize, calls: impl Fn(usize) -> usize) {
        for task in 0..tasks {
            for call in 0..calls(task) {
                let ts = 1_790_000_000_000_i64 + task as i64 * 3_600_000 + call as i64 * 1_000;
                let (tool, writes) = match calls(task) - call {
                    1 => ("publish", ""),
                    2 => ("page_write", ",\"writes\":[\"page:a: 1->2\"]"),
                    _ => ("page_get", ""),
                };
                text.push_str(&format!(
                    "{{\"ts\":{ts},\"call\":\"{version}{task}.{call}\",\"session\":\"{version}{task}\",\"server\":\"{version}\",\"client\":\"c 1\",\"tool\":\"{tool}\"{writes}}}\n"
                ));
            }
        }
    }

    fn compared(before: (usize, fn(usize) -> usize), after: (usize, fn(usize) -> usize)) -> Live {
        let mut text = String::new();
        work(&mut text, "1", before.0, before.1);
        work(&mut text, "2", after.0, after.1);
        judged(&text, Metric::CallsPerChange)
    }

    fn judged(text: &str, metric: Metric) -> Live {
        let (records, now) = (read_journal(text).0, Timestamp::UNIX_EPOCH);
        let [before, after] = sides(&records, ["1", "2"], now);
        live(&before, &after, metric)
    }

    #[test]
    fn real_work_is_judged_from_twenty_tasks_on_and_by_an_interval() {
        assert_eq!(compared((19, |_| 6), (40, |_| 3)).outcome, Judgement::NotEnoughData);
        let better = compared((30, |n| 5 + n % 3), (30, |n| 3 + n % 3));
        assert_eq!(better.outcome, Judgement::Improved, "{better:?}");
        assert!(better.interval.0 < better.ratio && better.ratio < better.interval.1);
        assert_eq!(compared((30, |n| 3 + n % 5), (30, |n| 3 + (n + 2) % 5)).outcome, Judgement::NoBetter);
        assert_eq!(compared((30, |_| 3), (30, |n| 4 + n % 3)).outcome, Judgement::Worse);
        assert_eq!(better, compared((30, |n| 5 + n % 3), (30, |n| 3 + n % 3)), "the same numbers every time");
    }

    #[test]
    fn fewer_calls_do_not_pay_for_what_guards_them() {
        let with = |extra: &dyn Fn(&str, usize) -> String| {
            let mut text = String::new();
            work(&mut text, "1", 30, |n| 6 + n % 2);
            work(&mut text, "2", 30, |n| 3 + n % 2);
            let line = |(n, line): (usize, &str)| {
                let version = if line.contains("\"server\":\"1\"") { "1" } else { "2" };
                line.strip_suffix('}').unwrap_or(line).to_owned() + &extra(version, n) + "}\n"
            };
            text.lines().enumerate().map(line).collect::<String>()
        };
        let plain = judged(&with(&|_, _| String::new()), Metric::CallsPerChange);
        assert_eq!((plain.outcome, plain.broken.len()), (Judgement::Improved, 0), "{plain:?}");
        let names = |live: &Live| live.broken.iter().map(|(name, _, _)| *name).collect::<Vec<_>>();
        let tokens = with(&|version, _| format!(",\"out_bytes\":{}", if version == "1" { 100 } else { 900 }));
        let tokens = judged(&tokens, Metric::CallsPerChange);
        assert_eq!((tokens.outcome, names(&tokens)), (Judgement::Worse, vec!["tokens_per_change"]));
        // One write beside what was declared, in one call of a hundred.
        let beside = with(&|version, n| match (version, n) {
            ("2", 250) => ",\"declared\":[\"page\"],\"writes\":[\"theme:t: 1->2\"]".to_owned(),
            _ => String::new(),
        });
        let beside = judged(&beside, Metric::CallsPerChange);
        assert_eq!((beside.outcome, names(&beside)), (Judgement::Worse, vec!["undeclared_writes"]));
        // Reads of the same thing over and over are wasted; before they were of different things.
        let wasted = with(&|version, n| match version {
            "1" => format!(",\"arg_digest\":\"{n}\",\"out_digest\":\"{n}\",\"reads\":[\"page:{n}@1\"]"),
            _ => ",\"arg_digest\":\"a\",\"out_digest\":\"a\",\"reads\":[\"page:b@1\"]".to_owned(),
        });
        let fewer = judged(&wasted, Metric::CallsPerChange);
        assert_eq!((fewer.outcome, names(&fewer)), (Judgement::Worse, vec!["wasted_per_change"]), "{fewer:?}");
        assert_eq!(judged(&wasted, Metric::WastedShare).outcome, Judgement::Worse);
    }

    #[test]
    fn two_spans_of_time_are_two_sides() {
        let mut text = String::new();
        work(&mut text, "1", 60, |n| if n < 30 { 6 } else { 3 });
        let records = read_journal(&text).0;
        let from = Timestamp::from_millisecond(1_790_000_000_000).unwrap();
        let middle = Timestamp::from_millisecond(1_790_000_000_000 + 30 * 3_600_000).unwrap();
        let (from, middle) = (from.to_string(), middle.to_string());
        let [before, after] = sides(&records, [&from, &middle], Timestamp::UNIX_EPOCH);
        assert_eq!((before.len(), after.len()), (180, 90));
        assert_eq!(live(&before, &after, Metric::CallsPerChange).outcome, Judgement::Improved);
    }
}
