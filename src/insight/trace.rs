//! Records in order, grouped by session, with what the detectors ask again and again worked out once.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Outcome, Record};

/// What the codes of errors about arguments have in them.
const MISUSE: [&str; 9] =
    ["invalid", "validation", "schema", "bad_", "missing_", "unknown_", "unexpected", "malformed", "32602"];
/// Codes that look alike, and are about what is there.
const OF_THE_SITE: [&str; 4] = ["invalid_config", "not_found", "conflict", "missing_asset"];

/// What a call is for, told from its tool's name and its effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Names of things.
    List,
    /// One or more things themselves.
    Read,
    /// How things would look.
    Preview,
    /// A change.
    Write,
    /// Taking a change back.
    Undo,
    /// Making changes live.
    Publish,
}

/// A call with what its record implies.
#[derive(Debug)]
pub struct Call<'a> {
    /// The record.
    pub record: &'a Record,
    /// What it is for.
    pub kind: Kind,
    /// Objects in its reply, with digest.
    pub reads: Vec<(&'a str, Option<&'a str>)>,
    /// Index of its session.
    pub session: usize,
    /// Arguments' shape in one string.
    pub shape: String,
}

impl Call<'_> {
    /// It did what it was asked.
    pub fn ok(&self) -> bool {
        self.record.outcome == Outcome::Ok
    }

    /// It changed something.
    pub fn wrote(&self) -> bool {
        self.ok() && !self.record.dry_run && !self.record.writes.is_empty()
    }

    /// It was refused without a word of what was wrong.
    pub fn refused_blindly(&self) -> bool {
        let code = self.record.error_code.as_deref().unwrap_or_default();
        self.record.outcome == Outcome::Error && matches!(code, "" | "error" | "failed" | "internal" | "unknown")
    }

    /// It only looked.
    pub fn looks(&self) -> bool {
        matches!(self.kind, Kind::List | Kind::Read | Kind::Preview) && self.record.writes.is_empty()
    }

    /// Objects it is about: those it wrote, read or named.
    pub fn objects(&self) -> BTreeSet<&str> {
        let writes = self.record.writes.iter().map(|write| write.object.as_str());
        let named = self.record.targets.iter().map(String::as_str);
        writes.chain(named).chain(self.reads.iter().map(|(object, _)| *object)).collect()
    }

    /// Whether its reply showed an object.
    pub fn reads(&self, object: &str) -> bool {
        self.reads.iter().any(|(read, _)| *read == object)
    }

    /// Whether it changed an object.
    pub fn writes(&self, object: &str) -> bool {
        !self.record.dry_run && self.record.writes.iter().any(|write| write.object == object)
    }

    /// Whether its arguments or its error are what made it fail.
    pub fn misused(&self) -> bool {
        let code = self.record.error_code.as_deref().unwrap_or_default();
        self.record.outcome == Outcome::Error
            && !OF_THE_SITE.iter().any(|word| code.contains(word))
            && (self.record.unknown.is_some() || MISUSE.iter().any(|word| code.contains(word)))
    }

    /// Whether it was refused because somebody else was first.
    pub fn conflicted(&self) -> bool {
        let code = self.record.error_code.as_deref().unwrap_or_default();
        self.record.outcome == Outcome::Error && (code.contains("conflict") || code.contains("stale"))
    }
}

/// Records in time order.
#[derive(Debug)]
pub struct Trace<'a> {
    /// All calls, in order of time within each session, sessions in order of their first call.
    pub calls: Vec<Call<'a>>,
    /// Per session the range of its calls.
    pub sessions: Vec<std::ops::Range<usize>>,
    /// Names of the sessions.
    pub names: Vec<&'a str>,
    /// Per tool: calls, median bytes of a reply, median milliseconds.
    pub tools: BTreeMap<&'a str, ToolFacts>,
    /// Median milliseconds of all calls.
    pub median_ms: f64,
}

/// What is usual for a tool.
#[derive(Debug, Clone, Copy, Default)]
pub struct ToolFacts {
    /// Calls.
    pub calls: usize,
    /// Calls refused for their arguments.
    pub misused: usize,
    /// Calls refused by a conflict.
    pub conflicted: usize,
    /// Median bytes of a reply that was no error.
    pub median_bytes: f64,
    /// Median milliseconds.
    pub median_ms: f64,
}

impl<'a> Trace<'a> {
    /// Orders and groups records.
    #[must_use]
    pub fn of(records: &'a [Record]) -> Self {
        let mut by_session: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in records {
            by_session.entry(record.session.as_str()).or_default().push(record);
        }
        let mut groups: Vec<(&str, Vec<&Record>)> = by_session.into_iter().collect();
        for (_, group) in &mut groups {
            group.sort_by_key(|record| (record.ts, record.seq));
        }
        groups.sort_by_key(|(name, group)| (group.first().map_or(0, |record| record.ts), *name));
        let (mut calls, mut sessions, mut names) = (Vec::with_capacity(records.len()), Vec::new(), Vec::new());
        for (session, (name, group)) in groups.into_iter().enumerate() {
            let start = calls.len();
            calls.extend(group.into_iter().map(|record| Call {
                record,
                kind: kind(record),
                reads: record.read_objects().collect(),
                session,
                shape: record.arg_shape.join(","),
            }));
            sessions.push(start..calls.len());
            names.push(name);
        }
        let tools = facts(&calls);
        let median_ms = median(calls.iter().map(|call| call.record.ms).collect());
        Self { calls, sessions, names, tools, median_ms }
    }

    /// The calls of every session, as index ranges.
    pub fn each_session(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.sessions.iter().cloned()
    }

    /// Milliseconds from one call to another.
    #[must_use]
    pub fn gap(&self, from: usize, to: usize) -> i64 {
        self.calls[to].record.ts - self.calls[from].record.ts
    }

    /// Facts of a call's tool.
    #[must_use]
    pub fn facts(&self, call: usize) -> ToolFacts {
        self.tools.get(self.calls[call].record.tool.as_str()).copied().unwrap_or_default()
    }
}

fn facts<'a>(calls: &[Call<'a>]) -> BTreeMap<&'a str, ToolFacts> {
    let mut by_tool: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for call in calls {
        by_tool.entry(call.record.tool.as_str()).or_default().push(call);
    }
    let fact = |calls: &Vec<&Call>| ToolFacts {
        calls: calls.len(),
        misused: calls.iter().filter(|call| call.misused()).count(),
        conflicted: calls.iter().filter(|call| call.conflicted()).count(),
        median_bytes: median(calls.iter().filter(|call| call.ok()).map(|call| call.record.out_bytes as f64).collect()),
        median_ms: median(calls.iter().map(|call| call.record.ms).collect()),
    };
    by_tool.iter().map(|(tool, calls)| (*tool, fact(calls))).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// Traces of other servers can be read too, so names go by their words, effects decide where words do not.
fn kind(record: &Record) -> Kind {
    let words: Vec<&str> = record.tool.split('_').collect();
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let wrote = !record.writes.is_empty();
    if has(&["unpublish"]) {
        Kind::Write
    } else if has(&["publish"]) {
        Kind::Publish
    } else if has(&["restore", "revert", "undo", "rollback", "discard"]) {
        Kind::Undo
    } else if has(&["preview", "render", "screenshot"]) {
        Kind::Preview
    } else if wrote
        || has(&["write", "update", "create", "delete", "move", "replace", "upload", "use", "import", "open", "close"])
    {
        Kind::Write
    } else if has(&["list", "search", "find", "query"]) {
        Kind::List
    } else {
        Kind::Read
    }
}
