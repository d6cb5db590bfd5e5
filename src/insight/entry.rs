//! A call as the server saw it, and the record that is made of it: what could be content becomes a digest or is left out.

use serde_json::{Map, Value};

use super::keyed::Key;
use super::record::{Outcome, Record, Write};
use super::redact::redact;
use super::secret::name;
use super::session::Placed;
use super::shape::{Arguments, id};
use crate::model::Noted;
use crate::model::effects::object;

/// Objects read that one record names.
const MOST_READS: usize = 100;
/// Objects written that one record names; those that were not declared come first.
const MOST_WRITES: usize = 400;
/// Codes of findings in one record.
const MOST_CODES: usize = 20;
/// Longest client name.
const LONGEST_CLIENT: usize = 48;

/// One call, as it ended.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// When it came in, milliseconds since 1970.
    pub at: i64,
    /// Its id, also in the history of the site.
    pub call: String,
    /// Its place in its session.
    pub placed: Placed,
    /// Name and version of the client, as it says.
    pub client: String,
    /// The tool's name as called.
    pub tool: String,
    /// Its arguments.
    pub arguments: Arguments,
    /// The same as they came, where they are kept for a day.
    pub said: Option<Map<String, Value>>,
    /// The reply's text.
    pub reply: String,
    /// Bytes of pictures beside it.
    pub picture_bytes: u64,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// The refusal's code.
    pub error_code: Option<String>,
    /// The argument or value that does not exist, where the refusal is about one.
    pub unknown: Option<String>,
    /// Codes of findings in the reply.
    pub codes: Vec<String>,
    /// What it read and changed.
    pub noted: Noted,
}

impl Entry {
    /// The record. No word of a page, an argument or a reply is in it.
    pub(super) fn record(self, key: &Key, server: &str) -> Record {
        let noted = self.noted;
        let digest = |blob: &crate::model::BlobId| key.digest(&blob.0);
        let named = |path| id(key, object(path));
        let mut writes: Vec<Write> = noted
            .writes
            .iter()
            .map(|(path, (old, new))| Write {
                object: named(path),
                old: old.as_ref().map(digest),
                new: new.as_ref().map(digest),
            })
            .collect();
        if let Some(declared) = &noted.declared {
            writes.sort_by_key(|write| super::detect::covers(declared, &write.object));
        }
        writes.truncate(MOST_WRITES);
        let reads = noted.reads.iter().take(MOST_READS).map(|(path, blob)| format!("{}@{}", named(path), digest(blob)));
        let reads: Vec<String> = reads.collect();
        let mut targets: Vec<String> =
            noted.targets.iter().filter(|path| !noted.writes.contains_key(*path)).map(named).take(MOST_READS).collect();
        if reads.is_empty() && writes.is_empty() && targets.is_empty() {
            targets = self.arguments.targets;
        }
        let mut codes = self.codes;
        codes.sort();
        codes.dedup();
        codes.truncate(MOST_CODES);
        Record {
            v: 1,
            ts: self.at,
            call: self.call,
            session: self.placed.session,
            session_source: self.placed.source.to_owned(),
            seq: self.placed.seq,
            server: server.to_owned(),
            client: client(&self.client),
            tool: name(&self.tool).unwrap_or_else(|| "?".to_owned()),
            arg_shape: self.arguments.shape,
            arg_digest: self.arguments.digest,
            in_bytes: self.arguments.bytes,
            out_bytes: self.reply.len() as u64 + self.picture_bytes,
            out_digest: key.digest(self.reply.as_bytes()),
            ms: (self.ms * 1000.0).round() / 1000.0,
            outcome: self.outcome,
            error_code: self.error_code,
            declared: noted.declared,
            targets,
            reads,
            writes,
            dry_run: self.arguments.dry_run,
            rendered: noted.rendered || self.arguments.rendered,
            codes,
            unknown: self.unknown.as_deref().and_then(name),
            commit: noted.commit,
            message_id: noted.message.map(|message| key.digest(message.as_bytes())),
        }
    }
}

/// Name and version as a client says them, where that is what they look like; anything else may be anything.
pub(super) fn client(said: &str) -> String {
    let said = said.trim();
    let plain = said.len() <= LONGEST_CLIENT && said.chars().all(|c| c.is_ascii_alphanumeric() || " -_.".contains(c));
    if plain && redact(said) == said { said.to_owned() } else { "?".to_owned() }
}

/// Codes of the findings in a reply or a refusal, from the places where our own replies have them: elsewhere the same words may be a
/// page's.
#[must_use]
pub fn codes(value: &Value) -> Vec<String> {
    let lists = ["/diagnostics", "/details/diagnostics"].into_iter().filter_map(|at| value.pointer(at));
    let items = ["/pages", "/items"].into_iter().filter_map(|at| value.pointer(at)?.as_array()).flatten();
    let inner = items.filter_map(|item| item.get("diagnostics"));
    let findings = lists.chain(inner).filter_map(Value::as_array).flatten();
    let mut codes: Vec<String> = findings.filter_map(|finding| finding.get("code")?.as_str().and_then(name)).collect();
    codes.sort();
    codes.dedup();
    codes
}
