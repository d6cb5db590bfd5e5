//! Who asks for an edit, and the receipts that make a repeated call harmless.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::edit::Written;
use super::publish::PublishReply;
use crate::model::{BlobId, ContentPath, Progress, Snapshot};
use crate::store::Note;

/// How long a repeated call is answered with its first receipt.
const RECEIPT_AGE: SignedDuration = SignedDuration::from_mins(10);
/// Receipts kept at most; the oldest go first.
const RECEIPTS: usize = 256;

/// One mutating call: who asks, with what, and why.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// Tool name, e.g. `page_write`; for the command line the subcommand.
    pub tool: String,
    /// Client name and version as it introduced itself.
    pub client: String,
    /// Id of this call.
    pub id: String,
    /// The whole arguments in canonical form: what makes a call "the same call".
    pub arguments: String,
    /// What it read from outside, by digest: with something else it is another call.
    pub read: String,
    /// Why, in the caller's words; a default is made when absent.
    pub message: Option<String>,
    /// Do everything but write.
    pub dry_run: bool,
    /// What the edit changes is published right after it.
    pub publish: bool,
    /// Name of the token the caller showed, where there are several.
    pub token: String,
    /// Whether the caller may change what is otherwise for a person alone.
    pub admin: bool,
    /// Who follows the call.
    pub progress: Progress,
}

impl Call {
    /// The commit note, with `default` where the caller gave no message.
    #[must_use]
    pub fn note(&self, default: impl Into<String>) -> Note {
        let message = match self.message.as_deref().map(str::trim) {
            Some(message) if !message.is_empty() => message.to_owned(),
            _ => default.into(),
        };
        let trailers = [("Tool", &self.tool), ("Client", &self.client), ("Token", &self.token), ("Call-Id", &self.id)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect();
        Note { message, trailers }
    }

    fn key(&self) -> (String, String, String) {
        (format!("{} {}", self.token, self.client), self.tool.clone(), self.arguments.clone())
    }
}

/// The answers of the last ten minutes, by client, tool and arguments.
#[derive(Debug, Default)]
pub(super) struct Receipts(Vec<Receipt>);

#[derive(Debug)]
struct Receipt {
    key: (String, String, String),
    read: String,
    at: Timestamp,
    /// What the call left behind; the receipt holds only while this still stands.
    state: Vec<(ContentPath, Option<BlobId>)>,
    written: Written,
    /// Whether its publish closed the change set it was about.
    closed: bool,
}

/// A change set that was opened, by client, tool and arguments.
#[derive(Debug)]
struct Opened {
    key: (String, String, String),
    at: Timestamp,
    id: String,
}

/// The change sets of the last ten minutes.
#[derive(Debug, Default)]
pub(super) struct OpenedSets(Vec<Opened>);

impl OpenedSets {
    /// The set that the same call opened before; whether it still stands is for the caller to see.
    pub(super) fn find(&self, call: &Call, now: Timestamp) -> Option<&str> {
        let key = call.key();
        let opened = self.0.iter().rev().find(|opened| opened.key == key && !call.arguments.is_empty())?;
        (now.duration_since(opened.at) <= RECEIPT_AGE).then_some(opened.id.as_str())
    }

    /// Keeps an answer.
    pub(super) fn keep(&mut self, call: &Call, now: Timestamp, id: &str) {
        if self.0.len() >= RECEIPTS {
            self.0.remove(0);
        }
        self.0.push(Opened { key: call.key(), at: now, id: id.to_owned() });
    }
}

impl Receipts {
    /// The first answer to the same call, where its result still stands in `snapshot`.
    pub(super) fn find(&self, call: &Call, now: Timestamp, snapshot: &Snapshot) -> Option<Written> {
        if call.arguments.is_empty() || call.dry_run {
            return None;
        }
        let key = call.key();
        let receipt = self.0.iter().rev().find(|receipt| receipt.key == key)?;
        let fresh = now.duration_since(receipt.at) <= RECEIPT_AGE && receipt.read == call.read;
        let stands = receipt.state.iter().all(|(path, id)| snapshot.get(path).map(|file| file.id) == *id);
        (fresh && stands).then(|| Written { repeated: true, ..receipt.written.clone() })
    }

    /// Keeps an answer.
    pub(super) fn keep(
        &mut self,
        call: &Call,
        now: Timestamp,
        state: Vec<(ContentPath, Option<BlobId>)>,
        written: &Written,
    ) {
        if call.arguments.is_empty() || call.dry_run || written.revision.is_none() {
            return;
        }
        if self.0.len() >= RECEIPTS {
            self.0.remove(0);
        }
        let (key, read) = (call.key(), call.read.clone());
        self.0.push(Receipt { key, read, at: now, state, written: written.clone(), closed: false });
    }

    /// The first answer to the same call, where its publish closed the change set it was about.
    pub(super) fn of_closed(&self, call: &Call, now: Timestamp) -> Option<Written> {
        let key = call.key();
        let receipt = self.0.iter().rev().find(|receipt| receipt.key == key)?;
        let fresh = now.duration_since(receipt.at) <= RECEIPT_AGE;
        (receipt.closed && fresh).then(|| Written { repeated: true, ..receipt.written.clone() })
    }

    /// Adds to an answer what its publish made of it. The files may be others now, where the remote's were merged in.
    pub(super) fn published(&mut self, call: &Call, reply: &PublishReply, answer: &Value) {
        let key = call.key();
        let Some(receipt) = self.0.iter_mut().rev().find(|receipt| receipt.key == key) else { return };
        for change in &reply.published.changes {
            if let Some((_, id)) = receipt.state.iter_mut().find(|(path, _)| *path == change.path) {
                *id = change.after;
            }
        }
        receipt.closed = reply.published.closed;
        receipt.written.published = Some(answer.clone());
    }
}
