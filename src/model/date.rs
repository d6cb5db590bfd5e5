//! Dates as sites write them: a day, a local time, or a time with offset.

mod parse;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment from front matter, with the offset it was written in (or the site's time zone).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Date {
    /// The moment with its zone.
    pub zoned: jiff::Zoned,
    /// Written without a time of day: shown and sorted as midnight.
    pub day_only: bool,
}

impl Date {
    /// Parses every common form (RFC 3339, `2026-11-23`, `2026-11-23 10:00`, `2026-11-23 10:00:00 +0100`, RFC 2822, ...).
    ///
    /// `zone` is used where the text names none.
    #[must_use]
    pub fn parse(text: &str, zone: &jiff::tz::TimeZone) -> Option<Self> {
        parse::date(text, zone)
    }

    /// The moment, for comparison with the build's `now`.
    #[must_use]
    pub fn timestamp(&self) -> jiff::Timestamp {
        self.zoned.timestamp()
    }

    /// RFC 3339 with offset, e.g. `2026-11-23T00:00:00+00:00`.
    #[must_use]
    pub fn rfc3339(&self) -> String {
        self.zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

impl PartialOrd for Date {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Date {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.timestamp().cmp(&other.timestamp())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

/// A date with its zone, for who reads it again: what a `Date` is written as otherwise names an offset only.
pub(super) mod whole {
    use super::{Date, Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn serialize<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
        date.as_ref().map(|date| (date.zoned.to_string(), date.day_only)).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
        let Some((text, day_only)) = <Option<(String, bool)>>::deserialize(deserializer)? else { return Ok(None) };
        let zoned = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Some(Date { zoned, day_only }))
    }
}
