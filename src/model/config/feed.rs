//! Feeds: formats, and what they carry.

use serde::{Deserialize, Serialize};

use super::fields::Fields;
use crate::error::Result;

/// Feeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedConfig {
    /// Formats, the one that readers are shown first in front.
    pub formats: Vec<FeedFormat>,
    /// Newest pages listed.
    pub limit: usize,
    /// Whole content instead of summaries.
    pub full: bool,
    /// Sections that go into the site's feed; empty: every dated page.
    pub sections: Vec<String>,
}

/// How a feed is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedFormat {
    /// Atom, `atom.xml`.
    Atom,
    /// RSS 2.0, `rss.xml`.
    Rss,
    /// JSON Feed 1.1, `feed.json`.
    Json,
}

impl FeedFormat {
    const NAMES: [(&'static str, Self); 3] = [("atom", Self::Atom), ("rss", Self::Rss), ("json", Self::Json)];

    /// The file's name.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Atom => "atom.xml",
            Self::Rss => "rss.xml",
            Self::Json => "feed.json",
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml",
            Self::Rss => "application/rss+xml",
            Self::Json => "application/feed+json",
        }
    }
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self { formats: vec![FeedFormat::Atom], limit: 20, full: false, sections: Vec::new() }
    }
}

/// Reads `feed`.
pub(super) fn read(root: &mut Fields) -> Result<Option<FeedConfig>> {
    let Some(mut fields) = root.fields("feed")? else { return Ok(None) };
    let usual = FeedConfig::default();
    let feed = FeedConfig {
        formats: formats(&mut fields)?.unwrap_or(usual.formats),
        limit: fields.count("limit", 1_000)?.unwrap_or(usual.limit),
        full: fields.flag("full")?.unwrap_or_default(),
        sections: fields.texts("sections")?.unwrap_or_default(),
    };
    fields.finish(super::load::UNKNOWN);
    Ok(Some(feed))
}

fn formats(fields: &mut Fields) -> Result<Option<Vec<FeedFormat>>> {
    let Some(names) = fields.texts("formats")? else { return Ok(None) };
    let mut formats = Vec::new();
    for name in names {
        let Some((_, format)) = FeedFormat::NAMES.into_iter().find(|(known, _)| *known == name) else {
            return Err(fields.error("formats", &format!("expected a list of atom, rss and json, found `{name}`")));
        };
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    Ok(Some(formats))
}
