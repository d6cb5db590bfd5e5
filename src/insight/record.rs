//! One line of the journal: what a tool call did, never what it said.
//!
//! Objects are typed ids (`page:blog/a.md`, `theme:default/layouts/page.hbs`, `asset:..`, `data:..`, `site:site.yaml`), digests are keyed
//! hashes, argument shapes are key paths without values. The format is documented in `content/docs/journal.md`.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::reading;

/// Longest line that is looked at, in bytes; a longer one is no line of ours.
const MAX_LINE: usize = 256 * 1024;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it was asked.
    #[default]
    Ok,
    /// It was refused; `error_code` says why.
    Error,
    /// There is no such tool.
    UnknownTool,
    /// The caller stopped waiting.
    Cancelled,
}

/// An object before and after a call, by digest; `None`: it was not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Typed id.
    pub object: String,
    /// Digest before.
    pub old: Option<String>,
    /// Digest after.
    pub new: Option<String>,
}

/// One tool call.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Record {
    /// Version of the format.
    pub v: u32,
    /// When the call came in, milliseconds since 1970 in memory, RFC 3339 in the file.
    #[serde(serialize_with = "write_time")]
    pub ts: i64,
    /// Id of the call, unique in the journal.
    pub call: String,
    /// Calls that belong together: see `session_source`.
    pub session: String,
    /// How the session was found: `traceparent`, `handle`, `connection` or `idle`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session_source: String,
    /// Number of the call in its session, from 1.
    pub seq: u64,
    /// Version of the server.
    pub server: String,
    /// Name and version of the client, as it says.
    pub client: String,
    /// Tool name as called.
    pub tool: String,
    /// Key paths of the arguments, sorted, such as `pages[].path`; no values.
    pub arg_shape: Vec<String>,
    /// Keyed digest of the arguments.
    pub arg_digest: String,
    /// Bytes of the arguments.
    pub in_bytes: u64,
    /// Bytes of the reply.
    pub out_bytes: u64,
    /// Keyed digest of the reply.
    pub out_digest: String,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// Code of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Kinds (`page`) or ids (`page:blog/a.md`) the call might write by its own declaration; `None`: it declared nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<Vec<String>>,
    /// Objects the arguments name, where the call read and wrote nothing (an error).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Objects whose content was in the reply, `id@digest`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// Objects that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Write>,
    /// Nothing was to be written.
    #[serde(skip_serializing_if = "is_false")]
    pub dry_run: bool,
    /// The reply showed pages as visitors see them.
    #[serde(skip_serializing_if = "is_false")]
    pub rendered: bool,
    /// Codes of the diagnostics in the reply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// Name of an argument or value that does not exist, where the error was about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// The revision the call made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Keyed digest of the change message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
}

impl Record {
    /// Object ids and digests of what the reply showed.
    pub fn read_objects(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.reads.iter().map(|read| match read.rsplit_once('@') {
            Some((object, digest)) => (object, Some(digest)),
            None => (read.as_str(), None),
        })
    }
}

/// The records of a journal file, and how many lines could not be read: a torn last line is normal, a crash leaves one.
#[must_use]
pub fn read_journal(text: &str) -> (Vec<Record>, usize) {
    let mut skipped = 0;
    let mut records = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match reading::record(line).filter(|_| line.len() <= MAX_LINE) {
            Some(record) => records.push(record),
            None => skipped += 1,
        }
    }
    (records, skipped)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn write_time<S: Serializer>(ms: &i64, to: S) -> Result<S::Ok, S::Error> {
    let time = Timestamp::from_millisecond(*ms).unwrap_or_default();
    to.serialize_str(&format!("{time:.3}"))
}

impl Serialize for Write {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let digest = |digest: &Option<String>| digest.clone().unwrap_or_else(|| "-".to_owned());
        to.serialize_str(&format!("{}: {}->{}", self.object, digest(&self.old), digest(&self.new)))
    }
}
