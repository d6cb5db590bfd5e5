//! What a caller says it has read: an etag, the beginning of one, or `*` for "whatever is there".

use std::sync::Arc;

use super::edit::Staged;
use super::{Site, address};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, Data, File, Snapshot};

/// Digits of an etag that are enough.
const SHORTEST: usize = 7;

/// A parsed `if_match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// `*`.
    Any,
    /// At least seven hexadecimal digits.
    Etag(String),
}

impl IfMatch {
    /// Reads an `if_match` argument.
    ///
    /// # Errors
    /// `InvalidArguments` for anything but `*` and 7 to 40 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text == "*" {
            return Ok(Self::Any);
        }
        if (SHORTEST..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self::Etag(text.to_ascii_lowercase()));
        }
        let shown: String = text.chars().take(60).collect();
        Err(Error::InvalidArguments {
            field: "if_match".into(),
            problem: format!("got `{shown}`, expected an etag (7 to 40 hexadecimal digits) or \"*\""),
            example: "{\"if_match\": \"3a4284018e6e41da16df80975e6d55cc24b5112a\"}".into(),
        })
    }

    /// Whether it stands for this blob.
    pub(super) fn holds(&self, id: Option<BlobId>) -> bool {
        match self {
            Self::Any => true,
            Self::Etag(etag) => id.is_some_and(|id| id.to_string().starts_with(etag)),
        }
    }

    /// Whether a write may go on: it stands for what is there; or for what the remote has in `live` and nobody took in yet, or
    /// in a change set for what the working tree has. The caller then decided over that version, and a trailer makes it this
    /// path's base at publish or at the merge.
    ///
    /// # Errors
    /// What reading the repository can fail with.
    pub(super) fn stands(
        &self,
        site: &Site,
        path: &ContentPath,
        current: Option<BlobId>,
        live: Option<&Snapshot>,
        staged: &mut Staged,
    ) -> Result<bool> {
        let nothing = BlobId([0; 20]);
        if *self == Self::Any && live.is_some_and(|live| !live.contains(path.as_str())) {
            // The remote deleted it: writing it knowingly decides against the deletion.
            staged.trailers.push(("Resolves".into(), format!("{nothing} {path}")));
        }
        let working = site.repository().other_in_working(path)?;
        if *self == Self::Any && working == Some(None) {
            staged.trailers.push(("Supersedes".into(), format!("{nothing} {path}")));
        }
        if self.holds(current) {
            return Ok(true);
        }
        if let Some(Some(theirs)) = working.filter(|id| self.holds(*id)) {
            staged.trailers.push(("Supersedes".into(), format!("{theirs} {path}")));
            return Ok(true);
        }
        let theirs = live.and_then(|live| live.get(path)).map(|file| file.id);
        let theirs = theirs.filter(|id| self.holds(Some(*id)));
        staged.trailers.extend(theirs.map(|id| ("Resolves".to_owned(), format!("{id} {path}"))));
        Ok(theirs.is_some())
    }

    /// The refusal of a stale one; `diff` leads from what was read to what is there.
    pub(super) fn stale(&self, path: &ContentPath, current: Option<BlobId>, diff: String) -> Error {
        Error::Conflict {
            path: address::shown(path).to_owned(),
            yours: match self {
                Self::Any => None,
                Self::Etag(etag) => Some(etag.clone()),
            },
            current: current.map(|id| id.to_string()),
            diff,
            conflicts: Vec::new(),
        }
    }

    /// The refusal of a call that needs one and has none.
    pub(super) fn missing(path: &ContentPath, named: &str, current: Option<BlobId>, doing: &str) -> Error {
        let etag = current.map_or_else(|| "*".to_owned(), |id| id.to_string());
        Error::InvalidArguments {
            field: "if_match".into(),
            problem: format!("{doing} {} needs the etag that was read, or \"*\"", address::shown(path)),
            example: format!("{{\"path\": \"{named}\", \"if_match\": \"{etag}\"}}"),
        }
    }
}

/// What the remote has and nobody took in yet: what a caller can knowingly decide over. `None`: there is nothing of the kind.
///
/// # Errors
/// What reading the repository can fail with.
pub(super) fn undecided(site: &Site) -> Result<Option<Arc<Snapshot>>> {
    if site.repository().live_taken_in()? { Ok(None) } else { site.live().map(Some) }
}

/// The text a caller read, where git still has it.
pub(super) fn text_of(site: &Site, path: &ContentPath, etag: &str) -> Option<String> {
    let id = BlobId::parse(etag)?;
    let bytes = site.repository().bytes(path, &File { id, size: 0, data: Data::Handle }).ok()?;
    String::from_utf8(bytes.to_vec()).ok()
}
