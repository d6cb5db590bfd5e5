//! The journal's files: one at a time for each process, a new one each day and every few megabytes, old ones removed.

use jiff::{SignedDuration, Timestamp};

use super::journal::FOLDER;
use crate::site::{Growing, OwnFiles};

/// Bytes after which a new file is begun.
const FULL: u64 = 4 << 20;
/// Bytes of all files together.
const MOST_BYTES: u64 = 50 << 20;
/// Files at most: many servers that live shortly leave many.
const MOST_FILES: usize = 2_000;
/// Days a file is kept.
const DAYS: i64 = 30;
/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// The file that is written now, and those before it.
pub(super) struct Files {
    own: OwnFiles,
    now: Option<Open>,
    /// A disk that cannot be written is complained of once.
    told: bool,
}

struct Open {
    file: Growing,
    bytes: u64,
    day: i64,
}

impl Files {
    pub(super) fn new(own: OwnFiles) -> Self {
        Self { own, now: None, told: false }
    }

    /// Appends a line of a call that came in at `at`; whether it was written.
    pub(super) fn append(&mut self, line: &[u8], at: i64) -> bool {
        let day = at.div_euclid(DAY);
        if self.now.as_ref().is_none_or(|now| now.bytes >= FULL || now.day != day) {
            self.sync();
            self.now = self.open(at, day);
        }
        let Some(now) = &mut self.now else { return false };
        match now.file.append(line) {
            Ok(()) => {
                now.bytes += line.len() as u64;
                true
            }
            Err(error) => {
                self.complain(&error);
                // What stands there may be half a line: the next one begins a file.
                self.now = None;
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

    fn open(&mut self, at: i64, day: i64) -> Option<Open> {
        self.prune(at);
        let time = Timestamp::from_millisecond(at).unwrap_or_default();
        let salt = getrandom::u32().unwrap_or_default();
        let name = format!("{FOLDER}/{}-{}-{salt:08x}.jsonl", time.strftime("%Y%m%dT%H%M%S"), std::process::id());
        match self.own.grow(&name) {
            Ok(file) => Some(Open { file, bytes: 0, day }),
            Err(error) => {
                self.complain(&error);
                None
            }
        }
    }

    /// Removes files that are too old, and the oldest where there are too many.
    fn prune(&mut self, at: i64) {
        let Ok(mut files) = self.own.list(FOLDER) else { return };
        files.retain(|file| file.name.ends_with(".jsonl"));
        let time = Timestamp::from_millisecond(at).unwrap_or_default();
        let oldest = time.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::MIN);
        let oldest = oldest.strftime("%Y%m%dT%H%M%S").to_string();
        let mut total: u64 = files.iter().map(|file| file.bytes).sum();
        let mut count = files.len();
        for file in files {
            // Room for the file that is begun.
            let much = total + FULL > MOST_BYTES || count >= MOST_FILES;
            if !much && file.name.as_str() >= oldest.as_str() {
                break;
            }
            if let Err(error) = self.own.remove(&format!("{FOLDER}/{}", file.name)) {
                self.complain(&error);
                break;
            }
            total -= file.bytes;
            count -= 1;
        }
    }

    fn complain(&mut self, error: &crate::error::Error) {
        if !std::mem::replace(&mut self.told, true) {
            tracing::warn!(%error, "the journal cannot be written");
        }
    }
}
