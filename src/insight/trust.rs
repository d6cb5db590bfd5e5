//! How far the software may go by itself: as far as a person allows, never further than its evidence carries.

use serde::{Deserialize, Serialize};

use super::brief::Brief;
use super::settings::Settings;
use crate::error::Result;
use crate::model::FrontMatter;
use crate::site::OwnFiles;

/// Halts everything while it is there, in `.sitewright/`.
pub const STOP: &str = "STOP";
/// Where release verdicts are.
const VERIFY: &str = "verify";
/// Occurrences that carry a draft.
const DRAFT_OCCURRENCES: u64 = 5;
/// Sessions that do.
const DRAFT_SESSIONS: u64 = 3;

/// What the software may do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Record, and report when asked.
    Manual,
    /// Write proposed briefs.
    #[default]
    Suggest,
    /// Start the configured code agent on an accepted brief, on a branch.
    Draft,
    /// Merge by itself: named, and not in this release.
    Auto,
}

impl Level {
    /// All that can be set, with their names.
    pub const NAMES: [(&'static str, Self); 4] =
        [("manual", Self::Manual), ("suggest", Self::Suggest), ("draft", Self::Draft), ("auto", Self::Auto)];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, level)| *level == self).map_or("manual", |(name, _)| name)
    }
}

/// What holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// What a person allows.
    pub cap: Level,
    /// What holds.
    pub level: Level,
    /// Why it is less than the cap.
    pub lowered: Option<&'static str>,
    /// A person stopped everything.
    pub stopped: bool,
}

impl Trust {
    /// Reads what holds.
    ///
    /// # Errors
    /// The settings cannot be read.
    pub fn read(files: &OwnFiles, settings: &Settings) -> Result<Self> {
        let cap = settings.trust.cap.min(Level::Draft);
        if files.read(STOP)?.is_some() {
            return Ok(Self { cap, level: Level::Manual, lowered: Some("a STOP file is there"), stopped: true });
        }
        let (level, lowered) = match cap {
            Level::Draft if last_verdict_is_bad(files)? => {
                (Level::Suggest, Some("the last release was worse, or was not verified"))
            }
            cap => (cap, None),
        };
        Ok(Self { cap, level, lowered, stopped: false })
    }

    /// What holds for one brief: no more than its evidence carries.
    #[must_use]
    pub fn of(&self, brief: &Brief) -> Level {
        let carried = brief.severity == "critical"
            || (brief.occurrences >= DRAFT_OCCURRENCES && brief.sessions >= DRAFT_SESSIONS);
        self.level.min(if carried { Level::Draft } else { Level::Suggest })
    }
}

/// Whether the newest release verdict says that something got worse.
fn last_verdict_is_bad(files: &OwnFiles) -> Result<bool> {
    let mut newest: Option<(String, String)> = None;
    for file in files.list(VERIFY)?.iter().filter(|file| file.name.ends_with(".md")) {
        let path = format!("{VERIFY}/{}", file.name);
        let Some(bytes) = files.read(&path)? else { continue };
        let Ok(head) = FrontMatter::parse(&path, &String::from_utf8_lossy(&bytes)) else { continue };
        let word = |key: &str| head.values.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let (date, verdict) = (word("date"), word("verdict"));
        if newest.as_ref().is_none_or(|(known, _)| *known <= date) {
            newest = Some((date, verdict));
        }
    }
    Ok(newest.is_some_and(|(_, verdict)| matches!(verdict.as_str(), "worse" | "not_verified" | "regressed")))
}
