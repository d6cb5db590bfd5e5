//! A path that two lines of edits changed in ways that cannot be joined.

use serde::Serialize;

/// One side of a [`Conflict`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Side {
    /// Blob id; what a write that resolves the conflict sends as `if_match` (that of `theirs`).
    pub etag: String,
    /// The text, cut at 4,000 characters; `None` for binary files.
    pub text: Option<String>,
}

/// A path that was changed on both sides; `None` means "does not exist on this side".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// Site-relative path.
    pub path: String,
    /// Why it cannot be joined, e.g. `both sides changed the front matter key title`.
    pub reason: String,
    /// Last common state.
    pub base: Option<Side>,
    /// The unpublished edit.
    pub ours: Option<Side>,
    /// What the remote has.
    pub theirs: Option<Side>,
}
