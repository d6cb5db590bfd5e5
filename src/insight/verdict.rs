//! Says whether a change made the server better: the same tasks replayed on the server before and after, and what guards against a bargain.

use serde::Serialize;

use super::live::Live;
use super::replay::Played;

/// A guardrail may get worse by this share, and no more.
pub(super) const TOLERANCE: f64 = 0.05;
/// A replay is exact, so that any difference beyond rounding is one.
const EXACT: f64 = 0.005;
/// Times are not exact: this much faster or slower, relatively and in seconds, counts.
const FASTER: (f64, f64) = (0.2, 0.2);
/// Estimate: bytes per token.
const BYTES_PER_TOKEN: f64 = 4.0;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Calls for each published change: the headline.
    CallsPerChange,
    /// Estimated tokens of arguments and replies for each published change.
    TokensPerChange,
    /// Seconds of waiting for each published change.
    SecondsPerChange,
    /// Share of calls that were refused.
    ErrorRate,
    /// Share of calls that a better interface would have saved.
    WastedShare,
    /// Calls that wrote what they had not declared.
    UndeclaredWrites,
    /// Share of tasks whose goal was missed.
    GoalsMissed,
}

impl Metric {
    /// Every metric with its name.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("calls_per_change", Self::CallsPerChange),
        ("tokens_per_change", Self::TokensPerChange),
        ("seconds_per_change", Self::SecondsPerChange),
        ("error_rate", Self::ErrorRate),
        ("wasted_share", Self::WastedShare),
        ("undeclared_writes", Self::UndeclaredWrites),
        ("goals_missed", Self::GoalsMissed),
    ];

    /// The metric of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, metric)| *metric)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, metric)| *metric == self).map_or("", |(name, _)| name)
    }
}

/// What came of a replay, added up. Less is better, everywhere.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Tasks played.
    pub tasks: usize,
    /// Of those, goals missed: task and operator.
    pub missed: Vec<String>,
    /// Calls.
    pub calls: usize,
    /// Of those, refused.
    pub refused: usize,
    /// Source files published.
    pub published: usize,
    /// See [`Metric`].
    pub calls_per_change: f64,
    /// See [`Metric`].
    pub tokens_per_change: f64,
    /// See [`Metric`].
    pub seconds_per_change: f64,
    /// See [`Metric`].
    pub error_rate: f64,
    /// See [`Metric`].
    pub wasted_share: f64,
    /// See [`Metric`].
    pub undeclared_writes: usize,
    /// Bytes of the tool list.
    pub tool_list_bytes: u64,
}

impl Totals {
    /// Adds up what was played.
    #[must_use]
    pub fn of(played: &[Played], tool_list_bytes: u64, wasted_calls: usize, undeclared_writes: usize) -> Self {
        let calls: usize = played.iter().map(|one| one.calls.len()).sum();
        let published: usize = played.iter().map(|one| one.published).sum();
        let refused: usize = played.iter().map(|one| one.refused).sum();
        let bytes: u64 = played.iter().map(|one| one.bytes).sum();
        let seconds: f64 = played.iter().map(|one| one.seconds).sum();
        let missed = played.iter().filter(|one| !one.reached()).map(|one| format!("{} {}", one.task, one.policy));
        Self {
            tasks: played.len(),
            missed: missed.collect(),
            calls,
            refused,
            published,
            calls_per_change: per(calls as f64, published),
            tokens_per_change: per(bytes as f64 / BYTES_PER_TOKEN, published),
            seconds_per_change: per(seconds, published),
            error_rate: per(refused as f64, calls),
            wasted_share: per(wasted_calls as f64, calls),
            undeclared_writes,
            tool_list_bytes,
        }
    }

    /// Of these, the ones whose goals were reached on both sides: what a missed goal cost says nothing about cost.
    #[must_use]
    pub fn of_common(before: &[Played], after: &[Played], tool_list_bytes: (u64, u64)) -> (Self, Self) {
        let pairs = before.iter().zip(after).filter(|(before, after)| before.reached() && after.reached());
        let (before, after): (Vec<Played>, Vec<Played>) = pairs.map(|(a, b)| (a.clone(), b.clone())).unzip();
        (Self::of(&before, tool_list_bytes.0, 0, 0), Self::of(&after, tool_list_bytes.1, 0, 0))
    }

    fn value(&self, metric: Metric) -> f64 {
        match metric {
            Metric::CallsPerChange => self.calls_per_change,
            Metric::TokensPerChange => self.tokens_per_change,
            Metric::SecondsPerChange => self.seconds_per_change,
            Metric::ErrorRate => self.error_rate,
            Metric::WastedShare => self.wasted_share,
            Metric::UndeclaredWrites => self.undeclared_writes as f64,
            Metric::GoalsMissed => per(self.missed.len() as f64, self.tasks),
        }
    }
}

fn per(what: f64, whole: usize) -> f64 {
    (what / whole.max(1) as f64 * 1e4).round() / 1e4
}

/// The same tasks on two servers.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// Everything that was played, before and after.
    pub all: (Totals, Totals),
    /// Only what reached its goal on both sides.
    pub common: (Totals, Totals),
}

/// What to say of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// The target got better and nothing that guards it got worse.
    Improved,
    /// The target is what it was.
    NoBetter,
    /// A goal is missed, a guardrail is broken, or the target got worse.
    Worse,
    /// Too little was played or recorded to say.
    NotEnoughData,
}

/// A verdict with its grounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// What to say.
    pub verdict: Judgement,
    /// What was to get better.
    pub metric: Metric,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
    /// The replay on the server before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Totals>,
    /// And after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Totals>,
    /// What the journal says of real work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<Live>,
}

/// Judges a change by a replay, and by real work where there is enough of it.
#[must_use]
pub fn verdict(metric: Metric, replay: Option<Replayed>, live: Option<Live>) -> Verdict {
    let mut reasons = Vec::new();
    let replayed = replay.as_ref().map(|replayed| by_replay(metric, replayed, &mut reasons));
    let lived = live.as_ref().map(|live| {
        reasons.extend(live.sentences());
        live.outcome
    });
    let verdict = match (replayed, lived) {
        (Some(Judgement::Improved), Some(Judgement::Worse)) => Judgement::Worse,
        (Some(replayed), _) => replayed,
        (None, Some(lived)) => lived,
        (None, None) => Judgement::NotEnoughData,
    };
    let (before, after) = replay.map(|replayed| replayed.all).unzip();
    Verdict { verdict, metric, reasons, before, after, live }
}

fn by_replay(metric: Metric, replayed: &Replayed, reasons: &mut Vec<String>) -> Judgement {
    let (before, after) = &replayed.all;
    let (done, now_done) = &replayed.common;
    if before.tasks == 0 || before.tasks != after.tasks || before.calls == 0 {
        reasons.push("The two servers did not play the same tasks.".into());
        return Judgement::NotEnoughData;
    }
    let lost: Vec<&String> = after.missed.iter().filter(|task| !before.missed.contains(task)).collect();
    for task in &lost {
        reasons.push(format!("{task} reached its goal before, and does not now."));
    }
    let mut broken = !lost.is_empty();
    // Refused calls are counted, not their share: who spares a call that went through makes the share of the others larger. A few in many may
    // come without meaning anything.
    let few = 0.01 * done.calls as f64;
    let guards = [
        ("tokens per change", done.tokens_per_change, now_done.tokens_per_change, 5.0, Metric::TokensPerChange),
        (
            "bytes of the tool list",
            before.tool_list_bytes as f64,
            after.tool_list_bytes as f64,
            0.0,
            Metric::GoalsMissed,
        ),
        ("refused calls", done.refused as f64, now_done.refused as f64, few, Metric::ErrorRate),
        (
            "undeclared writes",
            before.undeclared_writes as f64,
            after.undeclared_writes as f64,
            0.0,
            Metric::UndeclaredWrites,
        ),
    ];
    for (name, was, is, slack, of) in guards {
        if of != metric && is > was * (1.0 + TOLERANCE) + slack {
            reasons.push(format!("{name}: {was} before, {is} after."));
            broken = true;
        }
    }
    let (was, is) = (before.value(metric), after.value(metric));
    reasons.push(format!("{}: {was} before, {is} after.", metric.name()));
    let better = match metric {
        Metric::SecondsPerChange => is < was * (1.0 - FASTER.0) && was - is > FASTER.1,
        _ => is < was * (1.0 - EXACT),
    };
    let worse = match metric {
        Metric::SecondsPerChange => is > was * (1.0 + FASTER.0) && is - was > FASTER.1,
        _ => is > was * (1.0 + TOLERANCE),
    };
    if broken || worse {
        Judgement::Worse
    } else if better {
        Judgement::Improved
    } else {
        Judgement::NoBetter
    }
}

impl Verdict {
    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let word = match self.verdict {
            Judgement::Improved => "Improved",
            Judgement::NoBetter => "No better",
            Judgement::Worse => "Worse",
            Judgement::NotEnoughData => "Not enough data",
        };
        let mut text = format!("{word}, by {}.\n", self.metric.name());
        for reason in &self.reasons {
            text.push_str(&format!("- {reason}\n"));
        }
        if let (Some(before), Some(after)) = (&self.before, &self.after) {
            text.push_str("\n| | before | after |\n|---|---|---|\n");
            for (name, metric) in Metric::NAMES {
                text.push_str(&format!("| {name} | {} | {} |\n", before.value(metric), after.value(metric)));
            }
            text.push_str(&format!("| calls | {} | {} |\n", before.calls, after.calls));
            text.push_str(&format!("| tool list, bytes | {} | {} |\n", before.tool_list_bytes, after.tool_list_bytes));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(calls: usize, bytes: u64, refused: usize, missing: bool) -> Totals {
        let missing = if missing { vec!["x".to_owned()] } else { Vec::new() };
        let one = Played {
            task: "T1".into(),
            policy: "careful",
            calls: vec!["page_get".into(); calls],
            refused,
            bytes,
            published: 2,
            missing,
            ..Played::default()
        };
        Totals::of(&[one], 20_000, 0, 0)
    }

    fn both(before: Totals, after: Totals) -> Replayed {
        Replayed { all: (before.clone(), after.clone()), common: (before, after) }
    }

    fn said(before: Totals, after: Totals) -> Judgement {
        verdict(Metric::CallsPerChange, Some(both(before, after)), None).verdict
    }

    #[test]
    fn fewer_calls_count_only_where_nothing_else_is_paid_for_them() {
        let before = || figures(10, 8_000, 0, false);
        assert_eq!(said(before(), figures(5, 8_000, 0, false)), Judgement::Improved);
        assert_eq!(said(before(), before()), Judgement::NoBetter);
        assert_eq!(said(before(), figures(11, 8_000, 0, false)), Judgement::Worse);
        assert_eq!(said(before(), figures(5, 9_000, 0, false)), Judgement::Worse, "tokens");
        assert_eq!(said(before(), figures(5, 8_000, 1, false)), Judgement::Worse, "errors");
        assert_eq!(said(before(), figures(5, 8_000, 0, true)), Judgement::Worse, "a goal is lost");
        let longer = Totals { tool_list_bytes: 21_100, ..figures(5, 8_000, 0, false) };
        assert_eq!(said(before(), longer), Judgement::Worse, "tools");
        let beside = Totals { undeclared_writes: 1, ..figures(5, 8_000, 0, false) };
        assert_eq!(said(before(), beside), Judgement::Worse, "a write beside what was declared");
        assert_eq!(said(Totals::default(), Totals::default()), Judgement::NotEnoughData);
    }

    #[test]
    fn what_a_busy_machine_does_to_times_is_no_verdict() {
        let took = |seconds: f64| Totals { seconds_per_change: seconds, ..figures(5, 8_000, 0, false) };
        let said = |was, is| verdict(Metric::SecondsPerChange, Some(both(took(was), took(is))), None).verdict;
        assert_eq!(said(5.2, 5.7), Judgement::NoBetter);
        assert_eq!(said(5.7, 5.2), Judgement::NoBetter);
        assert_eq!((said(5.2, 6.5), said(5.2, 3.2)), (Judgement::Worse, Judgement::Improved));
    }

    #[test]
    fn the_same_error_among_fewer_calls_is_no_more_errors() {
        assert_eq!(said(figures(13, 8_000, 1, false), figures(9, 8_000, 1, false)), Judgement::Improved);
        assert_eq!(said(figures(13, 8_000, 1, false), figures(9, 8_000, 2, false)), Judgement::Worse);
    }

    #[test]
    fn a_goal_that_was_missed_before_may_be_missed_after() {
        assert_eq!(said(figures(10, 8_000, 0, true), figures(5, 8_000, 0, true)), Judgement::Improved);
        let cured =
            verdict(Metric::GoalsMissed, Some(both(figures(10, 8_000, 0, true), figures(10, 8_000, 0, false))), None);
        assert_eq!(cured.verdict, Judgement::Improved, "{:?}", cured.reasons);
    }
}
