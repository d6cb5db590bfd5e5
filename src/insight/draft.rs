//! A code agent at work on an accepted brief: in a branch and folder of its own, judged by acceptance, merged by a person only.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, json};

use super::brief::{self, Brief};
use super::settings::DraftSettings;
use super::trust::{Level, Trust};
use crate::error::{Error, Result};
use crate::site::Site;
use crate::site::draft::{self, Ran, Work};

/// Briefs that may be in work at once.
const OPEN: usize = 3;
/// Attempts after which a brief is parked.
const ATTEMPTS: u64 = 2;
/// What judges a change: the benchmark and its tasks, journal, detectors, thresholds and verdicts, what the store notes of a call, and the
/// tests of all of that. One that touches any of it judges itself.
const JUDGES: [&str; 22] = [
    "benches/",
    ".sitewright/",
    ".ci/",
    "src/insight/",
    "src/cli/compare.rs",
    "src/cli/improve.rs",
    "src/cli/replay.rs",
    "src/model/effects.rs",
    "src/server/journal.rs",
    "src/store/scratch.rs",
    "src/tools/defects/",
    "src/tools/improve.rs",
    "src/tools/self_test.rs",
    "tests/it/checklist.rs",
    "tests/it/improve.rs",
    "tests/it/insight.rs",
    "tests/it/journal.rs",
    "tests/it/journal_files.rs",
    "tests/it/replay.rs",
    "tests/it/self_test.rs",
    "tests/it/tidy.rs",
    "tests/it/tools.rs",
];

/// How a draft ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Drafted {
    /// The brief as it is now.
    pub brief: Brief,
    /// The branch to look at; `None`: nothing was done.
    pub branch: Option<String>,
    /// What was done.
    pub work: Work,
    /// Why it failed; `None`: it waits for a person to merge it.
    pub failed: Option<String>,
    /// The log, in `.sitewright/`.
    pub log: String,
}

/// Starts the configured code agent on a brief and collects what it did.
///
/// # Errors
/// Not allowed, not accepted, too many in work, or git fails.
pub fn run(site: &Site, trust: &Trust, settings: Option<&DraftSettings>, id: &str, now: Timestamp) -> Result<Drafted> {
    let files = site.repository().own_files();
    let brief = brief::find(&files, id)?;
    let refuse = |problem: String, example: &str| {
        Err(Error::InvalidArguments { field: "draft".into(), problem, example: example.to_owned() })
    };
    if trust.stopped {
        return refuse("a STOP file halts everything".into(), "remove .sitewright/STOP");
    }
    brief::in_state(&brief, &["accepted"], "drafted: a person accepts it first")?;
    if trust.level < Level::Draft {
        return refuse(format!("the trust level is {}", trust.level.name()), "sitewright improve trust draft");
    }
    if trust.of(&brief) < Level::Draft {
        return refuse(
            "its evidence is too thin for a draft: too seldom, or in too few sessions".into(),
            "work on it by hand",
        );
    }
    let Some(settings) = settings.filter(|settings| !settings.command.is_empty()) else {
        return refuse(
            "no code agent is configured".into(),
            "[draft] with command and repository in .sitewright/improve.toml",
        );
    };
    if brief::all(&files)?.iter().filter(|brief| brief.status == "in_work").count() >= OPEN {
        return refuse(format!("{OPEN} drafts are open already"), "merge or reject one first");
    }
    let attempt = brief.failed + 1;
    let name = format!("{id}-{attempt}");
    let branch = format!("improve/{id}-{attempt}-{}", now.strftime("%Y%m%d%H%M%S"));
    let worktree = draft::begin(site, &settings.repository, &name, &branch)?;
    let outcome = work(&worktree, settings, &brief);
    let (work, failed, said) = match outcome {
        Ok((work, failed, said)) => (work, failed, said),
        Err(error) => (Work::default(), Some(error.to_string()), String::new()),
    };
    let kept = !work.commits.is_empty();
    draft::end(site, &settings.repository, &worktree, kept)?;
    let log = format!("var/drafts/{name}.log");
    files.write(&log, said.as_bytes())?;
    let status = match &failed {
        None => "in_work",
        Some(_) if attempt >= ATTEMPTS => "parked",
        Some(_) => "accepted",
    };
    let mut patch = Map::from_iter([("status".to_owned(), json!(status))]);
    if failed.is_some() {
        patch.insert("failed".into(), json!(attempt));
    }
    if kept {
        patch.insert("branch".into(), json!(branch));
    }
    let brief = brief::set(&files, &brief, &patch)?;
    Ok(Drafted { brief, branch: kept.then_some(branch), work, failed, log })
}

/// The agent, what it did, and whether that is acceptable.
fn work(worktree: &draft::Worktree, settings: &DraftSettings, brief: &Brief) -> Result<(Work, Option<String>, String)> {
    let patience = Duration::from_secs(settings.minutes.clamp(1, 24 * 60) * 60);
    let environment = [("SITEWRIGHT_BRIEF", brief.id.as_str())];
    let ran = draft::run(worktree, &settings.command, &brief.text, &environment, patience)?;
    let mut said = format!("== {}\n{}\n", settings.command.join(" "), ran.said);
    let work = draft::collect(worktree, &format!("improve: draft of {}", brief.id))?;
    let mut failed = ended_badly("the code agent", &ran).or_else(|| objection(&work));
    if failed.is_none() && !settings.acceptance.is_empty() {
        let ran = draft::run(worktree, &settings.acceptance, "", &environment, patience)?;
        said.push_str(&format!("== {}\n{}\n", settings.acceptance.join(" "), ran.said));
        failed = ended_badly("acceptance", &ran);
    }
    Ok((work, failed, said))
}

fn ended_badly(what: &str, ran: &Ran) -> Option<String> {
    if ran.timed_out {
        Some(format!("{what} took too long"))
    } else if ran.ok {
        None
    } else {
        Some(format!("{what} failed"))
    }
}

/// What makes a change unacceptable whatever its tests say.
fn objection(work: &Work) -> Option<String> {
    if work.commits.is_empty() || work.files.is_empty() {
        return Some("nothing was changed".to_owned());
    }
    judging(&work.files)
}

/// Why a change of these files cannot be judged by what it changes.
#[must_use]
pub fn judging(files: &[String]) -> Option<String> {
    let judge = files.iter().find(|file| JUDGES.iter().any(|judge| file.starts_with(judge)));
    judge.map(|file| format!("it touches what judges it: {}", file.chars().take(100).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A judge that was moved would judge itself from then on.
    #[test]
    fn every_judge_is_where_it_is_said_to_be() {
        for judge in JUDGES {
            assert!(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(judge).exists(), "{judge}");
        }
        assert_eq!(judging(&["src/site/page/get.rs".to_owned(), "tests/it/page.rs".to_owned()]), None);
    }
}
