//! The replay as processes: a site in a temporary folder, a server on it, an operator who talks to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use sitewright::error::{Error, Result};
use sitewright::insight::replay::{Client, Played, Policy, Reply, Task, World, files, judge, play};
use sitewright::insight::{self, Record, Thresholds, Totals};
use sitewright::outside::peer::Peer;
use sitewright::site::{Settings, Site};
use sitewright::store::{Identity, OpenOptions, Repository};

/// Everything that came of playing tasks on one server.
#[derive(Default)]
pub(super) struct Run {
    pub(super) played: Vec<Played>,
    /// What the server wrote down.
    pub(super) journal: String,
    pub(super) tool_list_bytes: u64,
}

impl Run {
    /// Added up; what was wasted is what the detectors say, with a single occurrence counted.
    pub(super) fn figures(&self) -> Totals {
        let (records, skipped) = insight::read_journal(&self.journal);
        let limits = Thresholds { support: 1, sessions: 1, ..Thresholds::default() };
        let report = insight::report(&records, skipped, &limits);
        let undeclared = report.findings.iter().filter(|place| place.detector == "F05").count();
        Totals::of(&self.played, self.tool_list_bytes, report.wasted_calls, undeclared)
    }

    pub(super) fn records(&self) -> Vec<Record> {
        insight::read_journal(&self.journal).0
    }
}

/// Plays every task with every policy on servers that `program` starts, each on a site of its own.
pub(super) fn run(program: &Path, tasks: &[Task], policies: &[Policy]) -> Result<Run> {
    let mut run = Run::default();
    for task in tasks {
        for policy in policies {
            let mut stand = Stand::new()?;
            let mut peer = Wire(Peer::start(program, &stand.site, policy.name())?);
            let (mut played, bytes) = play(task, *policy, &mut peer, &mut stand)?;
            // The journal is whole once the server has ended.
            drop(peer);
            run.journal.push_str(&stand.journal());
            judge(task, &stand.open()?, &mut played)?;
            run.tool_list_bytes = bytes;
            run.played.push(played);
        }
    }
    Ok(run)
}

/// A site to play on.
struct Stand {
    site: PathBuf,
    _folder: tempfile::TempDir,
}

impl Stand {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir().map_err(|source| io("make", Path::new("a temporary folder"), source))?;
        let site = folder.path().join("site");
        let author = Identity { name: "Replay".into(), email: "replay@localhost".into() };
        let options = OpenOptions { author: Some(author), ..OpenOptions::default() };
        Repository::init(&site, &files()?, "Start", options)?;
        Ok(Self { site, _folder: folder })
    }

    fn open(&self) -> Result<Site> {
        Site::open(&self.site, Settings { clock: Arc::new(jiff::Timestamp::now), author: None })
    }

    /// All journal files of the site, joined.
    fn journal(&self) -> String {
        let Ok(entries) = std::fs::read_dir(self.site.join(".sitewright/var/journal")) else { return String::new() };
        let mut paths: Vec<PathBuf> = entries.filter_map(std::result::Result::ok).map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        paths.sort();
        paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
    }
}

impl World for Stand {
    fn look(&mut self, output: &str) -> String {
        std::fs::read_to_string(self.site.join("public").join(output)).unwrap_or_default()
    }

    fn append(&mut self, file: &str, text: &str) {
        let path = self.site.join(file);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        // A person who cannot write is found by the goal that is missed.
        let _ = std::fs::write(path, before + text);
    }
}

/// Tool calls over a child's standard streams.
struct Wire(Peer);

impl Client for Wire {
    fn tools(&mut self) -> Result<Value> {
        Ok(self.0.request("tools/list", &json!({}))?["result"].take())
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Result<Reply> {
        let begin = std::time::Instant::now();
        let mut answer = self.0.request("tools/call", &json!({"name": tool, "arguments": arguments}))?;
        let ms = begin.elapsed().as_secs_f64() * 1_000.0;
        let sent = arguments.to_string().len() as u64;
        let unknown = answer["error"].take();
        if !unknown.is_null() {
            let got = unknown.to_string().len() as u64;
            return Ok(Reply {
                refused: true,
                value: json!({"code": "unknown_tool", "message": unknown["message"]}),
                sent,
                got,
                ms,
            });
        }
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_default();
        let value = serde_json::from_str(text).unwrap_or(Value::Null);
        Ok(Reply { refused: answer["result"]["isError"] == true, value, sent, got: text.len() as u64, ms })
    }
}

pub(super) fn io(action: &'static str, path: &Path, source: std::io::Error) -> Error {
    Error::Io { action, path: path.display().to_string(), source }
}
