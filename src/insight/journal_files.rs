//! The journal's files: one at a time for each process and kind, a new one from time to time and every few megabytes, old ones removed.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::site::{Growing, OwnFiles};

/// Bytes after which a new file is begun.
const FULL: u64 = 4 << 20;
/// Bytes of all files together.
const MOST_BYTES: u64 = 50 << 20;
/// Files at most: many servers that live shortly leave many.
const MOST_FILES: usize = 2_000;
/// Milliseconds of an hour.
const HOUR: i64 = 60 * 60 * 1000;
/// After a line that could not be written, so long none is tried: a full disk stays full for a while.
const PAUSE: Duration = Duration::from_mins(1);
/// A file's name begins with this moment.
const NAMED: &str = "%Y%m%dT%H%M%S";

/// What lines are about, where they are, and for how long.
#[derive(Debug)]
pub(super) struct Kind {
    /// The folder, in `.sitewright/`.
    pub(super) folder: &'static str,
    /// Hours that a file holds.
    span: i64,
    /// Hours that it is kept.
    hours: i64,
}

/// What calls did.
pub(super) const CALLS: Kind = Kind { folder: "var/journal", span: 24, hours: 30 * 24 };
/// What they said, at the level `debug`.
pub(super) const ARGUMENTS: Kind = Kind { folder: "var/journal-debug", span: 1, hours: 24 };

/// The file that is written now, and those before it.
pub(super) struct Files {
    kind: &'static Kind,
    own: OwnFiles,
    now: Option<Open>,
    /// When a line could not be written last.
    failed: Option<Instant>,
    /// A disk that cannot be written is complained of once.
    told: bool,
}

struct Open {
    file: Growing,
    bytes: u64,
    span: i64,
    /// What stands at its end may be half a line.
    torn: bool,
}

impl Files {
    pub(super) fn new(kind: &'static Kind, own: OwnFiles) -> Self {
        Self { kind, own, now: None, failed: None, told: false }
    }

    /// Appends a line of a call that came in at `at`; whether it was written.
    pub(super) fn append(&mut self, line: &[u8], at: i64) -> bool {
        if self.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            return false;
        }
        self.failed = None;
        let span = at.div_euclid(self.kind.span * HOUR);
        if self.now.as_ref().is_none_or(|now| now.bytes >= FULL || now.span != span) {
            self.sync();
            self.now = self.open(at, span);
        }
        let Some(now) = &mut self.now else { return false };
        let done = if now.torn { now.file.append(&[b"\n", line].concat()) } else { now.file.append(line) };
        now.torn = done.is_err();
        match done {
            Ok(()) => {
                now.bytes += line.len() as u64;
                true
            }
            Err(error) => {
                self.fail(&error);
                false
            }
        }
    }

    /// Makes what was written survive a power cut; whether that is so.
    pub(super) fn sync(&mut self) -> bool {
        match self.now.as_ref().map(|now| now.file.sync()) {
            Some(Err(error)) => {
                self.complain(&error);
                false
            }
            _ => true,
        }
    }

    fn open(&mut self, at: i64, span: i64) -> Option<Open> {
        self.prune(at);
        let time = Timestamp::from_millisecond(at).unwrap_or_default();
        let salt = getrandom::u32().unwrap_or_default();
        let name = format!("{}/{}-{}-{salt:08x}.jsonl", self.kind.folder, time.strftime(NAMED), std::process::id());
        match self.own.grow(&name) {
            Ok(file) => Some(Open { file, bytes: 0, span, torn: false }),
            Err(error) => {
                self.fail(&error);
                None
            }
        }
    }

    /// Removes files that are too old at `at`, and the oldest where there are too many.
    pub(super) fn prune(&mut self, at: i64) {
        let Ok(mut files) = self.own.list(self.kind.folder) else { return };
        files.retain(|file| file.name.ends_with(".jsonl"));
        let time = Timestamp::from_millisecond(at).unwrap_or_default();
        let oldest = time.checked_sub(SignedDuration::from_hours(self.kind.hours)).unwrap_or(Timestamp::MIN);
        let oldest = oldest.strftime(NAMED).to_string();
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let mut count = files.len();
        for file in files {
            // Room for the file that is begun.
            let much = total + FULL > MOST_BYTES || count >= MOST_FILES;
            if !much && file.name.as_str() >= oldest.as_str() {
                break;
            }
            if let Err(error) = self.own.remove(&format!("{}/{}", self.kind.folder, file.name)) {
                self.complain(&error);
                break;
            }
            total -= file.bytes;
            count -= 1;
        }
    }

    fn fail(&mut self, error: &Error) {
        self.failed = Some(Instant::now());
        self.complain(error);
    }

    fn complain(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!(%error, "the journal cannot be written");
        }
    }
}
