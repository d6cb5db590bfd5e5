//! A file's path inside a site, checked once so that nothing below has to.

pub(super) mod rules;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};

/// Which part of a site a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathKind {
    /// `site.yaml`.
    Config,
    /// A Markdown file below `content/` (pages and `_index.md`).
    Page,
    /// Any other file below `content/`: an asset of a bundle or section.
    ContentAsset,
    /// A file below `themes/`.
    Theme,
    /// A file below `static/`.
    Static,
    /// A file below `data/`.
    Data,
}

/// A path relative to the site's root, `/`-separated, such as `content/blog/hello.md`.
///
/// Values made by [`ContentPath::parse`] come from callers and passed every rule of section 5 of the design (NFC; no
/// `..`, dot file, control, bidi or zero-width character, Windows-reserved name; below a writable folder or `site.yaml`).
/// Values made by [`ContentPath::from_disk`] name files that are already there and only have to be safe to open.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentPath(Arc<str>);

impl ContentPath {
    /// Checks a path that a caller gave. It must already start with `content/`, `static/`, `data/`, `themes/` or be
    /// `site.yaml`; see `site::address` for the shorter forms callers may use.
    ///
    /// # Errors
    /// [`Error::InvalidPath`] names the rule.
    pub fn parse(path: &str) -> Result<Self> {
        let refuse = |problem: &str| Error::InvalidPath { path: shown(path), problem: problem.into() };
        // Input is bounded before it is normalised; NFC of a path within the limit may not grow past it either.
        if path.len() > rules::MAX_PATH {
            return Err(refuse("it is longer than 1,024 bytes"));
        }
        let path: String = path.nfc().collect();
        if path.len() > rules::MAX_PATH {
            return Err(refuse("it is longer than 1,024 bytes"));
        }
        if path.is_empty() {
            return Err(refuse("it is empty"));
        }
        if path.starts_with('/') {
            return Err(refuse("it is absolute"));
        }
        for name in path.split('/') {
            rules::component(name).map_err(refuse)?;
            // Compatibility characters such as a full-width dot turn into the real ones on some disks.
            let folded: String = name.nfkc().collect();
            if folded.contains('/') {
                return Err(refuse("its characters are variants of plain ones, and then it has one more `/`"));
            }
            if folded != name {
                rules::component(&folded).map_err(|problem| {
                    refuse(&format!("its characters are variants of plain ones, and then {problem}"))
                })?;
            }
            if !rules::joiners_are_visible(name) {
                return Err(refuse("it contains an invisible character"));
            }
        }
        let inside = ["content/", "static/", "data/", "themes/"].iter().any(|folder| path.starts_with(folder));
        if !inside && path != "site.yaml" {
            return Err(refuse("it is not below content/, static/, data/ or themes/"));
        }
        Ok(Self(path.into()))
    }

    /// Accepts the path of an existing file: relative, no empty, `.`, `..` or `.git` component, no NUL or backslash.
    ///
    /// # Errors
    /// [`Error::InvalidPath`].
    pub fn from_disk(path: &str) -> Result<Self> {
        let bad = path.is_empty()
            || path.contains(['\0', '\\'])
            || path.split('/').any(|c| c.is_empty() || c == "." || c == ".." || c.eq_ignore_ascii_case(".git"));
        if bad {
            return Err(Error::InvalidPath { path: path.into(), problem: "it is not a plain relative path".into() });
        }
        Ok(Self(path.into()))
    }

    /// A key that is equal for two names which a disk without case or normalisation takes for the same file.
    #[must_use]
    pub fn collision_key(&self) -> String {
        // Upper-casing first folds what has no lower-case pair of its own (ß and ss, final sigma).
        self.0.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which part of the site it belongs to.
    #[must_use]
    pub fn kind(&self) -> PathKind {
        match self.0.split_once('/') {
            Some(("content", rest)) if has_markdown_extension(rest) => PathKind::Page,
            Some(("content", _)) => PathKind::ContentAsset,
            Some(("themes", _)) => PathKind::Theme,
            Some(("static", _)) => PathKind::Static,
            Some(("data", _)) => PathKind::Data,
            _ => PathKind::Config,
        }
    }

    /// The file's name without its folder.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder, without a final slash; empty for `site.yaml`.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

/// The path for a message: without control characters, and not longer than a line.
fn shown(path: &str) -> String {
    let plain: String = path.chars().take(200).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if plain.len() < path.len() && path.chars().count() > 200 { format!("{plain}…") } else { plain }
}

fn has_markdown_extension(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ext)| ext.eq_ignore_ascii_case("md") || ext.eq_ignore_ascii_case("markdown"))
}

impl Borrow<str> for ContentPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl<'de> Deserialize<'de> for ContentPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_disk(&text).map_err(serde::de::Error::custom)
    }
}

impl Serialize for ContentPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
