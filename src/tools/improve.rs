//! `feedback_submit` and `friction_report`: what operators say about the tools, and what the journal measured.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::lean;
use super::{Context, Hints, Right, Spec, Tool};
use crate::error::{Error, Result};
use crate::insight::{
    self, Feedback, FeedbackKind, Figures, Finding, Key, Receipt, Reporter, Settings, Taken, Trust, Window, brief,
    feedback, figures,
};

/// Findings of a summary.
const SUMMARY: usize = 3;
/// Findings of a full report.
const MOST: usize = 20;
/// Days that are looked at by default.
const DAYS: i64 = 14;
/// Reports and briefs that are listed.
const LISTED: usize = 20;

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(SUBMIT, submit).of_whole_site::<Submit>(), Tool::new(REPORT, report).of_whole_site::<Report>()]
}

const SUBMIT: Spec = Spec {
    name: "feedback_submit",
    title: "Report friction",
    description: "Reports one problem with these tools to their makers, once, after the task that hit it. Replies what helps now. No praise, page text or secrets.",
    hints: Hints { read_only: false, destructive: false, idempotent: false, open_world: false },
    right: Right::Content,
};

/// Arguments of `feedback_submit`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Submit {
    /// Of problem.
    kind: Kind,
    /// What you wanted to do.
    #[schemars(length(min = 1), example = "publish three finished pages")]
    goal: String,
    /// What made it hard.
    #[schemars(length(min = 1), example = "each page took a call of its own")]
    pain: String,
    /// What would help.
    suggestion: Option<String>,
    /// Of the task.
    outcome: Option<Outcome>,
    /// Tools it is about.
    #[serde(default)]
    #[schemars(example = ["publish"])]
    tools: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    MissingCapability,
    TooManySteps,
    SideEffect,
    Confusing,
    WrongResult,
    Error,
    Slow,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Blocked,
    WorkedAround,
    Partial,
}

fn submit(context: &Context, asked: Submit) -> Result<Value> {
    let kind = match asked.kind {
        Kind::MissingCapability => FeedbackKind::MissingCapability,
        Kind::TooManySteps => FeedbackKind::TooManySteps,
        Kind::SideEffect => FeedbackKind::SideEffect,
        Kind::Confusing => FeedbackKind::Confusing,
        Kind::WrongResult => FeedbackKind::WrongResult,
        Kind::Error => FeedbackKind::Error,
        Kind::Slow => FeedbackKind::Slow,
    };
    let outcome = asked.outcome.map(|outcome| match outcome {
        Outcome::Blocked => "blocked",
        Outcome::WorkedAround => "worked_around",
        Outcome::Partial => "partial",
    });
    // A name that is no tool's may be anything.
    let known = super::Registry::standard();
    let tools = asked.tools.into_iter().filter(|tool| known.find(tool).is_some()).collect();
    let given = Feedback { kind, goal: asked.goal, pain: asked.pain, suggestion: asked.suggestion, outcome, tools };
    let files = context.site.repository().own_files();
    let settings = Settings::read(&files)?;
    let now = context.site.now();
    context.journal.flush();
    let window = Window::read(&files, now - SignedDuration::from_hours(24 * DAYS))?;
    let who = Reporter { session: context.session.clone(), client: context.client.clone(), now };
    let measured = window.report(&settings.thresholds);
    match feedback::submit(&context.site, &Key::of(&files)?, &given, &who, &measured)? {
        Taken::Enough(why) => Ok(json!({"taken": false, "next": why})),
        Taken::Stored(receipt) => Ok(receipt_json(&receipt)),
    }
}

fn receipt_json(receipt: &Receipt) -> Value {
    let measured = receipt.measured.as_ref().map(|measured| {
        json!({"finding": measured.finding, "wasted_calls": measured.calls, "share": measured.share, "sessions": measured.sessions})
    });
    let next = match (receipt.exists_already, &receipt.duplicate_of) {
        (Some(_), _) => "Do what exists_already says, and go on with the task.",
        (None, Some(_)) => "It is counted; go on with the task.",
        (None, None) => "A person reads it; go on with the task.",
    };
    lean(json!({
        "id": receipt.id,
        "fingerprint": receipt.fingerprint,
        "duplicate_of": receipt.duplicate_of,
        "occurrences": receipt.occurrences,
        "measured": measured,
        "exists_already": receipt.exists_already,
        "next": next,
    }))
}

const REPORT: Spec = Spec {
    name: "friction_report",
    title: "Friction report",
    description: "Shows what costs calls, time and tokens here, measured and ranked. Replies findings, reports, briefs and the trust level.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `friction_report`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Report {
    /// summary: the worst three findings.
    #[serde(default)]
    detail: Detail,
    /// A date, or days back; default 14d.
    #[schemars(example = "7d")]
    since: Option<String>,
    /// Before and after instead: two versions, or two dates.
    #[schemars(example = ["0.1.0", "0.2.0"])]
    compare: Option<[String; 2]>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Detail {
    #[default]
    Summary,
    Findings,
    Briefs,
}

fn report(context: &Context, asked: Report) -> Result<Value> {
    let now = context.site.now();
    let since = match asked.since.as_deref() {
        // What is compared is often older than what is looked at day by day.
        None if asked.compare.is_some() => Timestamp::MIN,
        None => now - SignedDuration::from_hours(24 * DAYS),
        Some(text) => insight::moment(text, now).ok_or_else(|| Error::InvalidArguments {
            field: "since".into(),
            problem: "it is no date and no number of days or hours".into(),
            example: "\"since\": \"7d\", or \"2026-11-20\"".into(),
        })?,
    };
    let files = context.site.repository().own_files();
    let settings = Settings::read(&files)?;
    context.journal.flush();
    let window = Window::read(&files, since)?;
    context.proceed()?;
    let report = window.report_of(&settings.thresholds, &super::Registry::standard().offered());
    let trust = Trust::read(&files, &settings)?;
    let briefs = brief::all(&files)?;
    if let Some(names) = &asked.compare {
        return compared(context, &window, names, &report, &trust);
    }
    let most = if asked.detail == Detail::Findings { MOST } else { SUMMARY };
    let findings: Vec<Value> = match asked.detail {
        Detail::Briefs => Vec::new(),
        detail => report.ranking.iter().take(most).map(|f| finding(f, detail == Detail::Findings)).collect(),
    };
    let without = brief::without(&briefs, &report.ranking).count();
    let left_out = report.ranking.len().saturating_sub(most);
    let listed = |status: &str| !matches!(status, "rejected" | "verified") || asked.detail == Detail::Briefs;
    let open = briefs.iter().filter(|brief| listed(&brief.status)).take(LISTED);
    let open: Vec<Value> = open
        .map(|brief| json!({"id": brief.id, "status": brief.status, "severity": brief.severity, "title": brief.title}))
        .collect();
    Ok(lean(json!({
        "since": shown(since),
        "calls": report.calls,
        "sessions": report.sessions,
        "wasted": {"calls": report.wasted_calls, "share": report.wasted_share},
        "findings": findings,
        "findings_left_out": if left_out > 0 && asked.detail != Detail::Briefs { json!(left_out) } else { Value::Null },
        "seen_too_seldom": if report.candidates.is_empty() { Value::Null } else { json!(report.candidates.len()) },
        "reported": reported(&feedback::stored(&files)?),
        "briefs": open,
        "trust": lean(json!({"level": trust.level.name(), "cap": trust.cap.name(), "lowered": trust.lowered})),
        "journal": journal(context),
        "next": next(without, &trust),
    })))
}

/// What a person does about findings that nobody has written a brief for.
fn next(without: usize, trust: &Trust) -> Value {
    if without == 0 || trust.stopped || trust.level < insight::TrustLevel::Suggest {
        return Value::Null;
    }
    json!(format!(
        "{without} findings have no brief: a person writes them with `sitewright improve review`, and decides"
    ))
}

/// The server before and after, by the journal of real work.
fn compared(
    context: &Context,
    window: &Window,
    names: &[String; 2],
    report: &insight::Report,
    trust: &Trust,
) -> Result<Value> {
    let names = names.each_ref().map(String::as_str);
    let sides = insight::sides(&window.records, names, context.site.now());
    if let Some(at) = sides.iter().position(Vec::is_empty) {
        let known: BTreeSet<&str> = window.records.iter().map(|record| record.server.as_str()).collect();
        let known = known.into_iter().take(LISTED).collect::<Vec<_>>().join(", ");
        return Err(Error::InvalidArguments {
            field: "compare".into(),
            problem: format!(
                "no call was recorded for the {} one; the journal knows the versions {known}",
                ["first", "second"][at]
            ),
            example:
                "\"compare\": [\"0.1.0\", \"0.2.0\"], or [\"28d\", \"14d\"]: from 28 to 14 days ago, and since then"
                    .into(),
        });
    }
    let [before, after] = sides;
    let live = insight::live(&before, &after, insight::Metric::CallsPerChange);
    let (was, is) = (figures(&before, "all"), figures(&after, "all"));
    let tasks = live.tasks;
    let verdict = insight::verdict(insight::Metric::CallsPerChange, None, Some(live));
    let side = |name: &str, figures: &Figures, tasks: usize| json!({"of": name, "calls": figures.calls, "sessions": figures.sessions, "tasks_compared": tasks});
    let both = |was: f64, is: f64| json!([rounded(was), rounded(is)]);
    Ok(lean(json!({
        "since": shown(window.records.iter().map(|record| record.ts).min().and_then(|ts| Timestamp::from_millisecond(ts).ok()).unwrap_or_default()),
        "calls": report.calls,
        "sessions": report.sessions,
        "wasted": {"calls": report.wasted_calls, "share": report.wasted_share},
        "compare": {
            "verdict": verdict.verdict,
            "reasons": verdict.reasons,
            "before": side(names[0], &was, tasks.0),
            "after": side(names[1], &is, tasks.1),
            "calls_per_change": both(was.calls_per_published_change, is.calls_per_published_change),
            "tokens_per_change": both(was.tokens_per_change, is.tokens_per_change),
            "seconds_per_change": both(was.seconds_per_change, is.seconds_per_change),
            "error_rate": both(was.error_rate, is.error_rate),
            "wasted_share": both(was.wasted_share, is.wasted_share),
            "undeclared_writes": [was.undeclared_writes, is.undeclared_writes],
        },
        "trust": lean(json!({"level": trust.level.name(), "cap": trust.cap.name(), "lowered": trust.lowered})),
        "journal": journal(context),
    })))
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// What is unusual about the journal.
fn journal(context: &Context) -> Value {
    match (context.journal.is_on(), context.journal.keeps_arguments()) {
        (false, _) => json!("off: nothing is measured on this server"),
        (_, true) => json!("debug: arguments of calls are kept for 24 hours, redacted"),
        _ => Value::Null,
    }
}

fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn finding(finding: &Finding, whole: bool) -> Value {
    lean(json!({
        "finding": finding.fingerprint,
        "severity": finding.severity,
        "title": finding.title,
        "remedy": finding.remedy,
        "times": finding.occurrences,
        "sessions": finding.sessions,
        "wasted_calls": finding.wasted_calls,
        "share": finding.share,
        "tokens": finding.wasted_tokens,
        "seconds": finding.wasted_seconds,
        "evidence": if whole { json!(finding.evidence) } else { Value::Null },
    }))
}

/// What was said: how often, of which kind, about which tools. Said is not measured, so it stands apart; its words stay in the files.
fn reported(all: &[feedback::Stored]) -> Vec<Value> {
    let open = all.iter().rev().filter(|said| said.status == "new").take(LISTED);
    open.map(|said| lean(json!({"id": said.id, "kind": said.kind, "tools": said.tools, "times": said.occurrences})))
        .collect()
}
