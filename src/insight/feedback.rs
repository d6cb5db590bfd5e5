//! What operators say about the tools: taken once, capped, redacted, stored as a file a person can read, and answered at once.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::echo::repeats_a_page;
use super::keyed::Key;
use super::known::exists_already;
use super::quote;
use super::redact::{plain, redact};
use super::report::Report;
use super::secret::name;
use crate::error::{Error, Result};
use crate::model::{FrontMatter, front_matter};
use crate::site::{OwnFiles, Site};

/// Where reports are.
const FOLDER: &str = "feedback";
/// Reports of one session.
const PER_SESSION: usize = 3;
/// Reports of one day.
const PER_DAY: usize = 20;
/// For so long the same report is counted and not stored again.
const SAME: SignedDuration = SignedDuration::from_hours(24);
/// Tools one report names.
const MOST_TOOLS: usize = 8;
/// Characters of goal, pain and suggestion together.
pub const LONGEST: usize = 1_200;

/// What kind of problem it is, with the detectors that see such problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something cannot be done.
    MissingCapability,
    /// It takes too many calls.
    TooManySteps,
    /// Something else changed too.
    SideEffect,
    /// It is hard to understand.
    Confusing,
    /// The result is wrong.
    WrongResult,
    /// A call is refused or fails.
    Error,
    /// It takes too long.
    Slow,
}

impl Kind {
    /// All, with their names.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("missing_capability", Self::MissingCapability),
        ("too_many_steps", Self::TooManySteps),
        ("side_effect", Self::SideEffect),
        ("confusing", Self::Confusing),
        ("wrong_result", Self::WrongResult),
        ("error", Self::Error),
        ("slow", Self::Slow),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("error", |(name, _)| name)
    }

    fn detectors(self) -> &'static [&'static str] {
        match self {
            Self::MissingCapability => &["F15", "F14", "F16"],
            Self::TooManySteps => &["F01", "F09", "F11", "F02", "F03", "F08", "F17", "F06", "F16"],
            Self::SideEffect => &["F05", "F20"],
            Self::Confusing => &["F04", "F15", "F19"],
            Self::WrongResult => &["F06", "F07", "F20"],
            Self::Error => &["F04", "F13", "F14", "F15"],
            Self::Slow => &["F12", "F10", "F17"],
        }
    }
}

/// A report as it is given.
#[derive(Debug, Clone)]
pub struct Feedback {
    /// What kind of problem.
    pub kind: Kind,
    /// What was to be done.
    pub goal: String,
    /// What made it hard.
    pub pain: String,
    /// What would help.
    pub suggestion: Option<String>,
    /// `blocked`, `worked_around` or `partial`.
    pub outcome: Option<&'static str>,
    /// Tools it is about; those that exist.
    pub tools: Vec<String>,
}

/// Who gives it, and when.
#[derive(Debug, Clone)]
pub struct Reporter {
    /// The session's id; empty where no journal is written.
    pub session: String,
    /// Name and version of the client, as it says.
    pub client: String,
    /// The present moment.
    pub now: Timestamp,
}

/// What becomes of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// There were too many of them: nothing is stored.
    Enough(&'static str),
    /// It is stored, or counted.
    Stored(Receipt),
}

/// The useful answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// Id of the report, or of the one it repeats.
    pub id: String,
    /// What makes two reports the same.
    pub fingerprint: String,
    /// It repeats this one of the last day.
    pub duplicate_of: Option<String>,
    /// How often it was said.
    pub occurrences: u64,
    /// What the journal measured of it.
    pub measured: Option<Measured>,
    /// What does it already.
    pub exists_already: Option<&'static str>,
}

/// What the journal says about the same problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The finding.
    pub finding: String,
    /// Calls it wasted.
    pub calls: usize,
    /// Their share of all calls.
    pub share: f64,
    /// Sessions it was met in.
    pub sessions: usize,
}

/// A report as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its file, in `.sitewright/`.
    pub file: String,
    /// Its id.
    pub id: String,
    /// `new`, `merged`, `brief:br-0001`, `rejected`.
    pub status: String,
    /// Name of its kind.
    pub kind: String,
    /// Tools.
    pub tools: Vec<String>,
    /// What makes two reports the same.
    pub fingerprint: String,
    /// The session that said it first.
    pub session: String,
    /// How often it was said.
    pub occurrences: u64,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// The whole file.
    pub text: String,
}

/// Takes a report. `report` is what the journal says of late.
///
/// # Errors
/// `InvalidArguments` for a text that is too long or repeats a page; what reading and writing can fail with.
pub fn submit(site: &Site, key: &Key, given: &Feedback, who: &Reporter, report: &Report) -> Result<Taken> {
    let files = site.repository().own_files();
    let words = [("goal", &given.goal), ("pain", &given.pain)]
        .into_iter()
        .chain(given.suggestion.iter().map(|s| ("suggestion", s)));
    let total: usize = words.clone().map(|(_, text)| text.chars().count()).sum();
    if total > LONGEST {
        return Err(refused(
            "pain",
            format!("goal, pain and suggestion have {total} characters together, at most {LONGEST} are taken"),
        ));
    }
    for (field, text) in words {
        if repeats_a_page(site, text)? {
            return Err(refused(
                field,
                "it repeats eight words of a page: say it in your own, without what the site says".to_owned(),
            ));
        }
    }
    let fingerprint = fingerprint(key, given);
    let all = stored(&files)?;
    let same =
        all.iter().filter(|other| other.fingerprint == fingerprint && who.now.duration_since(other.last) <= SAME);
    let measured = measured(given, report);
    let said = format!("{} {} {}", given.goal, given.pain, given.suggestion.as_deref().unwrap_or_default());
    let wish = matches!(given.kind, Kind::MissingCapability | Kind::TooManySteps | Kind::Confusing | Kind::Error);
    let exists_already = if wish { exists_already(&plain(&said)) } else { None };
    let receipt = |id: &str, duplicate: bool, occurrences| Receipt {
        id: id.to_owned(),
        fingerprint: fingerprint.clone(),
        duplicate_of: duplicate.then(|| id.to_owned()),
        occurrences,
        measured: measured.clone(),
        exists_already,
    };
    if let Some(known) = same.max_by_key(|other| other.last) {
        let patch = Map::from_iter([
            ("occurrences".to_owned(), json!(known.occurrences + 1)),
            ("last".to_owned(), json!(seconds(who.now))),
        ]);
        files.write(&known.file, front_matter::patch(&known.file, &known.text, &patch)?.as_bytes())?;
        return Ok(Taken::Stored(receipt(&known.id, true, known.occurrences + 1)));
    }
    let today = all.iter().filter(|other| who.now.duration_since(other.first) <= SAME);
    if !who.session.is_empty() && all.iter().filter(|other| other.session == who.session).count() >= PER_SESSION {
        return Ok(Taken::Enough("Three reports of this session are taken already: go on with the task."));
    }
    if today.count() >= PER_DAY {
        return Ok(Taken::Enough("Twenty reports are taken today already: the next ones count tomorrow."));
    }
    let salt = key.digest(format!("{fingerprint} {} {}", who.now, who.session).as_bytes());
    let id = format!("fb-{}-{}", who.now.strftime("%Y%m%dT%H%M%S"), &salt[..6]);
    let file = format!("{FOLDER}/{}/{id}-{}.md", who.now.strftime("%Y-%m"), given.kind.name());
    let text = document(&id, given, who, &fingerprint, measured.as_ref());
    if !files.create(&file, text.as_bytes())? {
        return Err(Error::AlreadyExists { what: format!("feedback {id}") });
    }
    Ok(Taken::Stored(receipt(&id, false, 1)))
}

fn refused(field: &str, problem: String) -> Error {
    let example = "\"pain\": \"publishing three pages took three calls\"".to_owned();
    Error::InvalidArguments { field: field.to_owned(), problem, example }
}

/// The same words about the same tools, however they are spaced, cased or encoded.
fn fingerprint(key: &Key, given: &Feedback) -> String {
    let text = plain(&given.pain).to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut tools = given.tools.clone();
    tools.sort();
    key.digest(format!("{}\n{}\n{}", given.kind.name(), tools.join(","), words.join(" ")).as_bytes())
}

/// The finding that is most likely the same thing: of a kind that such reports are about, with one of its tools.
fn measured(given: &Feedback, report: &Report) -> Option<Measured> {
    let kinds = given.kind.detectors();
    let same_tools = |tools: &[String]| given.tools.is_empty() || tools.iter().any(|tool| given.tools.contains(tool));
    let finding = report.ranking.iter().find(|f| kinds.contains(&f.detector) && same_tools(&f.tools))?;
    Some(Measured {
        finding: finding.fingerprint.clone(),
        calls: finding.wasted_calls,
        share: finding.share,
        sessions: finding.sessions,
    })
}

fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The file. Only the quotation block has words of the operator.
fn document(id: &str, given: &Feedback, who: &Reporter, fingerprint: &str, measured: Option<&Measured>) -> String {
    let mut head = Map::new();
    let tools: Vec<String> = given.tools.iter().filter_map(|tool| name(tool)).take(MOST_TOOLS).collect();
    for (key, value) in [
        ("schema", json!("feedback/1")),
        ("id", json!(id)),
        ("status", json!("new")),
        ("kind", json!(given.kind.name())),
        ("outcome", json!(given.outcome)),
        ("owner", json!("product")),
        ("tools", json!(tools)),
        ("server", json!(env!("CARGO_PKG_VERSION"))),
        ("client", json!(super::entry::client(&who.client))),
        ("session", json!(who.session)),
        ("findings", json!(measured.map(|measured| vec![&measured.finding]).unwrap_or_default())),
        ("fingerprint", json!(fingerprint)),
        ("occurrences", json!(1)),
        ("first", json!(seconds(who.now))),
        ("last", json!(seconds(who.now))),
    ] {
        if !value.is_null() {
            head.insert(key.into(), value);
        }
    }
    let goal = redact(&given.goal);
    let pain = redact(&given.pain);
    let idea = given.suggestion.as_deref().map(redact);
    let mut parts = vec![("goal", goal.as_str()), ("pain", pain.as_str())];
    parts.extend(idea.as_deref().map(|idea| ("idea", idea)));
    let title = given.kind.name().replace('_', " ");
    format!("---\n{}---\n\n# Feedback: {title}\n\n{}", yaml(&head), quote::block(&parts))
}

/// Front matter of one line a key: values as JSON, which YAML reads too.
pub(super) fn yaml(head: &Map<String, Value>) -> String {
    let lines: Vec<String> = head.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    lines.concat()
}

/// Every report that is stored, oldest first. Files that are none are left out: people may put others there.
///
/// # Errors
/// The folder cannot be read.
pub fn stored(files: &OwnFiles) -> Result<Vec<Stored>> {
    let mut all = Vec::new();
    for month in files.folders(FOLDER)? {
        let folder = format!("{FOLDER}/{month}");
        for file in files.list(&folder).unwrap_or_default() {
            let file = format!("{folder}/{}", file.name);
            let Ok(Some(bytes)) = files.read(&file) else { continue };
            all.extend(read(file, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    all.sort_by(|a, b| (a.first, &a.id).cmp(&(b.first, &b.id)));
    Ok(all)
}

fn read(file: String, text: String) -> Option<Stored> {
    let values = FrontMatter::parse(&file, &text).ok()?.values;
    let word = |key: &str| values.get(key).and_then(Value::as_str).map(str::to_owned);
    if word("schema").as_deref() != Some("feedback/1") {
        return None;
    }
    let time = |key: &str| word(key).and_then(|text| text.parse().ok()).unwrap_or_default();
    let tools = values.get("tools").and_then(Value::as_array).into_iter().flatten();
    Some(Stored {
        id: word("id")?,
        status: word("status").unwrap_or_default(),
        kind: word("kind")?,
        tools: tools.filter_map(|tool| name(tool.as_str()?)).collect(),
        fingerprint: word("fingerprint").unwrap_or_default(),
        session: word("session").unwrap_or_default(),
        occurrences: values.get("occurrences").and_then(Value::as_u64).unwrap_or(1),
        first: time("first"),
        last: time("last"),
        file,
        text,
    })
}
