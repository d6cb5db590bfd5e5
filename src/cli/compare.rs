//! `improve replay` and `improve compare`: is the server better than it was?

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use sitewright::error::{Error, Result};
use sitewright::insight::replay::{Policy, Task, tasks};
use sitewright::insight::{self, Record, Replayed, Totals, draft};

use super::replay::{self, Run};
use super::{Outcome, print};

/// Which tasks and operators.
#[derive(Debug, Args)]
pub(super) struct Played {
    /// Only these tasks, such as T1,T8; default: all twelve.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(super) tasks: Vec<String>,
    /// Only these operators, out of careful, hasty, novice and legacy; default: all.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = policy)]
    pub(super) policies: Vec<Policy>,
}

#[derive(Debug, Args)]
pub(super) struct ImproveReplay {
    /// The server: a program that is started with `serve --site DIR`.
    #[arg(value_name = "SERVER")]
    pub(super) server: PathBuf,
    #[command(flatten)]
    pub(super) which: Played,
    /// Write what the server recorded here.
    #[arg(long, value_name = "FILE")]
    pub(super) journal: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ImproveCompare {
    /// The server before: a program, a version that the journal knows, or a moment such as 2026-11-01 or 28d.
    #[arg(value_name = "BEFORE")]
    pub(super) before: String,
    /// The server after; where both are moments, from the first to the second and from there on are compared.
    #[arg(value_name = "AFTER")]
    pub(super) after: String,
    #[command(flatten)]
    pub(super) which: Played,
    /// What was to get better: calls_per_change, tokens_per_change, seconds_per_change, error_rate, wasted_share, undeclared_writes
    /// or goals_missed.
    #[arg(long, value_name = "NAME", default_value = "calls_per_change", value_parser = metric)]
    pub(super) metric: insight::Metric,
    /// Journals of real work on both versions.
    #[arg(long, value_name = "FILES", num_args = 1..)]
    pub(super) journal: Vec<PathBuf>,
    /// The change as git names it, such as main...improve/br-0001-1-20261129: one that touches what judges it is refused.
    #[arg(long, value_name = "A..B")]
    pub(super) change: Option<String>,
    /// The product's repository, for --change.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) repository: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn replay(arguments: &ImproveReplay) -> Result<Outcome> {
    let (tasks, policies) = chosen(&arguments.which)?;
    let run = replay::run(&arguments.server, &tasks, &policies)?;
    if let Some(path) = &arguments.journal {
        std::fs::write(path, &run.journal).map_err(|source| replay::io("write", path, source))?;
    }
    let figures = run.figures();
    if arguments.json {
        print::out(&format!("{}\n", json!({"played": run.played, "figures": figures})));
        return Ok(Outcome::Done);
    }
    for one in &run.played {
        let calls = one.calls.join(" ");
        let missing = if one.reached() { String::new() } else { format!(" GOAL MISSED: {}", one.missing.join("; ")) };
        print::out(&format!("{:<4} {:<8} {:>2} calls: {calls}{missing}\n", one.task, one.policy, one.calls.len()));
    }
    print::out(&format!(
        "{} calls, {} changes published, {} calls each.\n",
        figures.calls, figures.published, figures.calls_per_change
    ));
    Ok(Outcome::Done)
}

pub(super) fn compare(arguments: &ImproveCompare) -> Result<Outcome> {
    if let Some(range) = &arguments.change
        && let Some(problem) = draft::judging(&sitewright::site::draft::changed(&arguments.repository, range)?)
    {
        return Err(Error::InvalidArguments {
            field: "--change".into(),
            problem: format!("no verdict: {problem}"),
            example: "change the benchmark on its own, and compare both servers by the new one".into(),
        });
    }
    let (tasks, policies) = chosen(&arguments.which)?;
    let metric = arguments.metric;
    let servers =
        [&arguments.before, &arguments.after].map(|name| Path::new(name).is_file().then(|| PathBuf::from(name)));
    let mut versions = [arguments.before.clone(), arguments.after.clone()];
    let replayed = match &servers {
        [Some(before), Some(after)] => {
            let runs = [replay::run(before, &tasks, &policies)?, replay::run(after, &tasks, &policies)?];
            versions = runs.each_ref().map(version);
            let [before, after] = &runs;
            let sizes = (before.tool_list_bytes, after.tool_list_bytes);
            let common = Totals::of_common(&before.played, &after.played, sizes);
            Some(Replayed { all: (before.figures(), after.figures()), common })
        }
        [None, None] => None,
        _ => {
            return Err(Error::InvalidArguments {
                field: "BEFORE and AFTER".into(),
                problem: "one is a program and the other is none".into(),
                example: "sitewright improve compare ./old/sitewright ./new/sitewright".into(),
            });
        }
    };
    let records = recorded(&arguments.journal)?;
    let live = (!records.is_empty() && versions[0] != versions[1]).then(|| {
        let [before, after] = insight::sides(&records, versions.each_ref().map(String::as_str), Timestamp::now());
        insight::live(&before, &after, metric)
    });
    let verdict = insight::verdict(metric, replayed, live);
    if arguments.json {
        let json = serde_json::to_string_pretty(&verdict).map_err(Error::internal)?;
        print::out(&format!("{json}\n"));
    } else {
        print::out(&verdict.text());
    }
    Ok(Outcome::Done)
}

fn version(run: &Run) -> String {
    run.records().first().map(|record| record.server.clone()).unwrap_or_default()
}

fn recorded(paths: &[PathBuf]) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    for path in paths {
        let bytes = std::fs::read(path).map_err(|source| replay::io("read", path, source))?;
        records.extend(insight::read_journal(&String::from_utf8_lossy(&bytes)).0);
    }
    Ok(records)
}

/// The tasks and policies that were asked for; all of them where none was.
fn chosen(which: &Played) -> Result<(Vec<Task>, Vec<Policy>)> {
    let all = tasks()?;
    let unknown = which.tasks.iter().find(|id| !all.iter().any(|task| task.id == **id));
    if let Some(unknown) = unknown {
        let known: Vec<&str> = all.iter().map(|task| task.id.as_str()).collect();
        return Err(Error::InvalidArguments {
            field: "--tasks".into(),
            problem: format!("`{unknown}` is none of {}", known.join(", ")),
            example: "--tasks T1,T8".into(),
        });
    }
    let wanted = |task: &Task| which.tasks.is_empty() || which.tasks.contains(&task.id);
    let policies = if which.policies.is_empty() { Policy::ALL.to_vec() } else { which.policies.clone() };
    Ok((all.into_iter().filter(wanted).collect(), policies))
}

fn metric(name: &str) -> std::result::Result<insight::Metric, String> {
    insight::Metric::parse(name).ok_or_else(|| {
        let names: Vec<&str> = insight::Metric::NAMES.iter().map(|(name, _)| *name).collect();
        format!("expected one of {}", names.join(", "))
    })
}

fn policy(name: &str) -> std::result::Result<Policy, String> {
    Policy::ALL
        .into_iter()
        .find(|policy| policy.name() == name)
        .ok_or_else(|| format!("expected one of {}", Policy::ALL.map(Policy::name).join(", ")))
}
