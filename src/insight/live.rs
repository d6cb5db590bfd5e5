//! What the journal of real work says of two versions of the server: like tasks are compared with like tasks, and chance is counted with.

use std::collections::BTreeMap;

use serde::Serialize;

use super::record::Record;
use super::trace::{Kind, Trace};
use super::verdict::{Judgement, Metric};

/// Tasks on each side before anything is said.
const ENOUGH: usize = 20;
/// Resamplings of the bootstrap (B. Efron, 1979).
const RESAMPLES: usize = 2_000;
/// Ten minutes of nothing end a task.
const IDLE_MS: i64 = 600_000;

/// Two versions in real work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Live {
    /// What to say.
    pub outcome: Judgement,
    /// Tasks of each version that have a like one of the other.
    pub tasks: (usize, usize),
    /// The metric after, divided by that before.
    pub ratio: f64,
    /// Its 95 % interval.
    pub interval: (f64, f64),
}

impl Live {
    /// In one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (before, after) = self.tasks;
        if self.outcome == Judgement::NotEnoughData {
            return format!(
                "Real work: {before} and {after} tasks that can be compared; {ENOUGH} on each side are needed."
            );
        }
        let (low, high) = self.interval;
        format!(
            "Real work: {:.2} of what it was (95 %: {low:.2} to {high:.2}), from {before} and {after} like tasks.",
            self.ratio
        )
    }
}

/// One task of real work.
struct Segment {
    like: String,
    value: f64,
}

/// Compares two versions by what was recorded of them.
#[must_use]
pub fn live(records: &[Record], before: &str, after: &str, metric: Metric) -> Live {
    let of = |version: &str| {
        let own: Vec<Record> = records.iter().filter(|record| record.server == version).cloned().collect();
        let mut strata: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for segment in segments(&Trace::of(&own), metric) {
            strata.entry(segment.like).or_default().push(segment.value);
        }
        strata
    };
    let (mut old, mut new) = (of(before), of(after));
    old.retain(|like, _| new.contains_key(like));
    new.retain(|like, _| old.contains_key(like));
    let count = |strata: &BTreeMap<String, Vec<f64>>| strata.values().map(Vec::len).sum::<usize>();
    let tasks = (count(&old), count(&new));
    if tasks.0 < ENOUGH || tasks.1 < ENOUGH {
        return Live { outcome: Judgement::NotEnoughData, tasks, ratio: 1.0, interval: (0.0, f64::MAX) };
    }
    let pairs: Vec<(&[f64], &[f64])> =
        old.iter().map(|(like, values)| (values.as_slice(), new[like].as_slice())).collect();
    let ratio = ratio(&pairs, &mut |values| mean(values));
    // Always the same numbers, so that the same journal gives the same verdict.
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut drawn: Vec<f64> =
        (0..RESAMPLES).map(|_| self::ratio(&pairs, &mut |values| random.mean_of(values))).collect();
    drawn.sort_by(f64::total_cmp);
    let interval = (drawn[RESAMPLES * 25 / 1_000], drawn[RESAMPLES * 975 / 1_000 - 1]);
    let outcome = match interval {
        (_, high) if high < 1.0 => Judgement::Improved,
        (low, _) if low > 1.0 => Judgement::Worse,
        _ => Judgement::NoBetter,
    };
    Live { outcome, tasks, ratio, interval }
}

/// After divided by before, each kind of task with the weight of its rarer side.
fn ratio(pairs: &[(&[f64], &[f64])], mean: &mut dyn FnMut(&[f64]) -> f64) -> f64 {
    let (mut before, mut after) = (0.0, 0.0);
    for (old, new) in pairs {
        let weight = old.len().min(new.len()) as f64;
        before += weight * mean(old);
        after += weight * mean(new);
    }
    if before > 0.0 { after / before } else { 1.0 }
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
fn segments(trace: &Trace<'_>, metric: Metric) -> Vec<Segment> {
    let mut found = Vec::new();
    for session in trace.each_session() {
        let mut calls: Vec<usize> = Vec::new();
        for at in session {
            if calls.last().is_some_and(|&last| trace.gap(last, at) > IDLE_MS) {
                found.extend(segment(trace, &std::mem::take(&mut calls), metric));
            }
            calls.push(at);
            let call = &trace.calls[at];
            if call.kind == Kind::Publish && call.ok() && !call.record.dry_run {
                found.extend(segment(trace, &std::mem::take(&mut calls), metric));
            }
        }
        found.extend(segment(trace, &calls, metric));
    }
    found
}

fn segment(trace: &Trace<'_>, calls: &[usize], metric: Metric) -> Option<Segment> {
    let first = trace.calls.get(*calls.first()?)?;
    let mut changed: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let (mut objects, mut published) = (std::collections::BTreeSet::new(), false);
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
    let of = |count: f64| count / objects.len() as f64;
    let refused = records().filter(|record| record.outcome != super::record::Outcome::Ok).count();
    let value = match metric {
        Metric::TokensPerChange => {
            of(records().map(|record| record.in_bytes + record.out_bytes).sum::<u64>() as f64 / 4.0)
        }
        Metric::SecondsPerChange => of(records().map(|record| record.ms).sum::<f64>() / 1_000.0),
        Metric::ErrorRate | Metric::GoalsMissed => refused as f64 / calls.len() as f64,
        _ => of(calls.len() as f64),
    };
    let client = first.record.client.split([' ', '/']).next().unwrap_or_default();
    Some(Segment { like: format!("{client} {changed:?}"), value })
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
        live(&read_journal(&text).0, "1", "2", Metric::CallsPerChange)
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
}
