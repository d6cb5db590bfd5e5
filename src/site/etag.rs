//! What a caller says it has read: an etag, the beginning of one, or `*` for "whatever is there".

use super::address;
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath};

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
