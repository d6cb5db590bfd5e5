//! What a person decides about the improvement loop: `.sitewright/improve.toml`, which no tool can write, and the environment.

use serde::Deserialize;

use super::thresholds::Thresholds;
use crate::error::{Error, Result};
use crate::site::OwnFiles;

/// The file, in `.sitewright/`.
pub(super) const FILE: &str = "improve.toml";
/// Set to `off`, it switches the journal off whatever the file says.
pub(super) const VARIABLE: &str = "SITEWRIGHT_JOURNAL";

/// What the journal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing is written.
    Off,
    /// A line for each call, without content.
    #[default]
    Metadata,
}

/// The settings.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What the journal holds.
    pub journal: Level,
    /// Where detectors draw their lines.
    pub thresholds: Thresholds,
}

impl Settings {
    /// Reads them; where there is no file, the defaults.
    ///
    /// # Errors
    /// The file cannot be read, or says what is no setting.
    pub fn read(files: &OwnFiles) -> Result<Self> {
        let Some(bytes) = files.read(FILE)? else { return Ok(Self::default()) };
        Self::parse(&String::from_utf8_lossy(&bytes))
    }

    fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count().max(1));
            let path = format!(".sitewright/{FILE}");
            Error::InvalidConfig { path, line, problem: error.message().lines().next().unwrap_or_default().to_owned() }
        })
    }

    /// What the journal of this process holds. A file that cannot be read switches it off: it may have been meant to say so.
    #[must_use]
    pub fn level(files: &OwnFiles) -> Level {
        let off = std::env::var(VARIABLE).is_ok_and(|value| matches!(value.trim(), "off" | "0" | "false" | "no"));
        match Self::read(files) {
            _ if off => Level::Off,
            Ok(settings) => settings.journal,
            Err(error) => {
                tracing::warn!(%error, "no journal is written");
                Level::Off
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_a_slip_is_named() {
        let read = Settings::parse("journal = \"off\"\n[thresholds]\nsupport = 5\n").unwrap();
        assert_eq!((read.journal, read.thresholds.support), (Level::Off, 5));
        let slip = Settings::parse("journal = \"metadata\"\njurnal = 1\n").unwrap_err();
        assert!(slip.to_string().contains("improve.toml:2"), "{slip}");
    }
}
