//! The part of the journal that a report is about.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::journal_files::CALLS;
use super::record::{Record, read_journal};
use super::report::{Report, report};
use super::thresholds::Thresholds;
use super::unused::{Offered, unused};
use crate::error::Result;
use crate::site::OwnFiles;

/// Records since a moment.
#[derive(Debug, Default)]
pub struct Window {
    /// The records.
    pub records: Vec<Record>,
    /// Lines that were none.
    pub skipped: usize,
}

impl Window {
    /// Reads the site's journal since a moment. A file that goes away meanwhile is left out.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn read(files: &OwnFiles, since: Timestamp) -> Result<Self> {
        // A file holds the calls of one day.
        let first = since.strftime("%Y%m%d").to_string();
        let mut window = Self::default();
        for file in files.list(CALLS.folder)?.iter().filter(|file| file.name.ends_with(".jsonl")) {
            if file.name.get(..8).is_none_or(|day| day < first.as_str()) {
                continue;
            }
            let Ok(Some(bytes)) = files.read(&format!("{}/{}", CALLS.folder, file.name)) else { continue };
            let (records, skipped) = read_journal(&String::from_utf8_lossy(&bytes));
            window.records.extend(records.into_iter().filter(|record| record.ts >= since.as_millisecond()));
            window.skipped += skipped;
        }
        Ok(window)
    }

    /// What it says.
    #[must_use]
    pub fn report(&self, limits: &Thresholds) -> Report {
        report(&self.records, self.skipped, limits)
    }

    /// The same, with what is offered and never used.
    #[must_use]
    pub fn report_of(&self, limits: &Thresholds, offered: &[Offered]) -> Report {
        let mut report = self.report(limits);
        // Information comes last in any case.
        report.ranking.extend(unused(&self.records, offered, limits));
        report
    }
}

/// A moment as people name it: `7d`, `12h`, `2026-11-20`, or in full.
#[must_use]
pub fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    let back = |unit: char, hours: i64| {
        let count: i64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        let ago = SignedDuration::from_hours((0..=3_660).contains(&count).then_some(count)?.checked_mul(hours)?);
        now.checked_sub(ago).ok()
    };
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    back('d', 24).or_else(|| back('h', 1)).or_else(|| text.parse().ok()).or_else(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        for (text, moment_of) in [
            ("7d", "2026-11-16T12:00:00Z"),
            ("12h", "2026-11-23T00:00:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z"),
            ("2026-11-20T01:00:00Z", "2026-11-20T01:00:00Z"),
        ] {
            assert_eq!(moment(text, now), Some(moment_of.parse().unwrap()), "{text}");
        }
        for text in ["", "d", "-1d", "soon", "99999999999999d"] {
            assert_eq!(moment(text, now), None, "{text}");
        }
    }
}
