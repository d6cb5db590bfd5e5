//! What a person decides about the improvement loop: `.sitewright/improve.toml`, which no tool can write, and the environment.

use serde::Deserialize;

use super::thresholds::Thresholds;
use super::trust;
use crate::error::{Error, Result};
use crate::site::OwnFiles;

/// The file, in `.sitewright/`.
const FILE: &str = "improve.toml";
/// Set to `off`, it switches the journal off whatever the file says.
const VARIABLE: &str = "SITEWRIGHT_JOURNAL";

/// What the journal holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing is written.
    Off,
    /// A line for each call, without content.
    #[default]
    Metadata,
    /// That, and the arguments of calls for a day, redacted.
    Debug,
}

/// The settings.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What the journal holds.
    pub journal: Level,
    /// Where detectors draw their lines.
    pub thresholds: Thresholds,
    /// How far the software may go by itself.
    pub trust: TrustSettings,
    /// Who works on accepted briefs.
    pub draft: Option<DraftSettings>,
}

/// `[trust]`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustSettings {
    /// The most that is allowed.
    pub cap: trust::Level,
}

/// `[draft]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DraftSettings {
    /// The code agent: a program and its arguments. It gets the brief on standard input.
    pub command: Vec<String>,
    /// The product's repository, from the site's folder.
    pub repository: String,
    /// What has to succeed afterwards: a program and its arguments.
    #[serde(default)]
    pub acceptance: Vec<String>,
    /// How long each of both may take.
    #[serde(default = "an_hour")]
    pub minutes: u64,
}

fn an_hour() -> u64 {
    60
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
        let wrong = |line, problem: String| Error::InvalidConfig { path: format!(".sitewright/{FILE}"), line, problem };
        let settings: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            wrong(line, error.message().lines().next().unwrap_or_default().to_owned())
        })?;
        if settings.trust.cap == trust::Level::Auto {
            let line = text.lines().position(|line| line.trim_start().starts_with("cap")).map_or(0, |at| at + 1);
            return Err(wrong(line, AUTO.to_owned()));
        }
        Ok(settings)
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

    /// Sets how far the software may go, and leaves the rest of the file as it is. For a person's command line only.
    ///
    /// # Errors
    /// `auto`, or a file that cannot be edited line by line.
    pub fn set_cap(files: &OwnFiles, cap: trust::Level) -> Result<()> {
        let text = files.read(FILE)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let edited = with_cap(&text, cap);
        let read = Self::parse(&edited)?;
        if read.trust.cap != cap
            || Self::parse(&text).is_ok_and(|was| Self { trust: read.trust.clone(), ..was } != read)
        {
            let problem = format!("write `cap = \"{}\"` below `[trust]` by hand", cap.name());
            return Err(Error::InvalidConfig { path: format!(".sitewright/{FILE}"), line: 0, problem });
        }
        files.write(FILE, edited.as_bytes())
    }
}

/// Why the highest level cannot be set.
const AUTO: &str = "`auto` (merging without a person) is not in this release: use draft, suggest or manual";

fn with_cap(text: &str, cap: trust::Level) -> String {
    let line = format!("cap = \"{}\"", cap.name());
    let mut lines: Vec<&str> = text.lines().collect();
    let Some(head) = lines.iter().position(|line| line.trim() == "[trust]") else {
        let gap = if text.is_empty() { "" } else { "\n" };
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return format!("{text}{end}{gap}[trust]\n{line}\n");
    };
    let section = lines[head + 1..].iter().take_while(|line| !line.trim_start().starts_with('['));
    let own = section.enumerate().find(|(_, line)| line.trim_start().starts_with("cap")).map(|(at, _)| head + 1 + at);
    match own {
        Some(at) => lines[at] = &line,
        None => lines.insert(head + 1, &line),
    }
    lines.join("\n") + "\n"
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
        let auto = Settings::parse("[trust]\ncap = \"auto\"\n").unwrap_err();
        assert!(auto.to_string().contains("improve.toml:2: `auto`"), "{auto}");
    }

    #[test]
    fn the_cap_is_one_line() {
        let set = |text: &str| with_cap(text, trust::Level::Draft);
        assert_eq!(set(""), "[trust]\ncap = \"draft\"\n");
        assert_eq!(set("journal = \"off\"\n"), "journal = \"off\"\n\n[trust]\ncap = \"draft\"\n");
        let both = "[trust] \n# mine\ncap = \"manual\"\n\n[draft]\ncap = 1\n";
        assert_eq!(set(both), "[trust] \n# mine\ncap = \"draft\"\n\n[draft]\ncap = 1\n");
        assert_eq!(set("[trust]\n[draft]\n"), "[trust]\ncap = \"draft\"\n[draft]\n");
    }
}
