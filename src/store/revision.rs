//! Revisions and changes as values: what git knows about one edit.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::model::{BlobId, ContentPath};

/// A commit id, 40 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RevisionId(pub(crate) String);

impl RevisionId {
    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first ten digits: what replies show and every tool accepts.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[..10.min(self.0.len())]
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RevisionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.short())
    }
}

/// A person or program as git names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// How a revision came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevisionKind {
    /// An edit through a tool.
    Edit,
    /// A person's edit of the working tree, recorded.
    HandEdit,
    /// A publish.
    Publish,
    /// A commit or merge made outside sitewright, or taking one in.
    Commit,
}

/// One revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its id.
    pub id: RevisionId,
    /// How it came about.
    pub kind: RevisionKind,
    /// When it was made.
    pub time: jiff::Timestamp,
    /// Who made it.
    pub author: Identity,
    /// Why: the message without trailers.
    pub message: String,
    /// Trailers in order: `Tool`, `Client`, `Call-Id`, `Origin`, `Moved-From`, ...
    pub trailers: Vec<(String, String)>,
    /// What it changed against its first parent, in the site's folders without the output folder.
    pub changes: Vec<Change>,
}

/// Added, modified or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// New path.
    Added,
    /// Other bytes.
    Modified,
    /// Gone.
    Deleted,
}

/// A path whose file differs between two states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Site-relative path.
    pub path: ContentPath,
    /// Blob before; `None`: added.
    pub before: Option<BlobId>,
    /// Blob after; `None`: deleted.
    pub after: Option<BlobId>,
}

impl Change {
    /// Added, modified or deleted.
    #[must_use]
    pub fn kind(&self) -> ChangeKind {
        match (self.before, self.after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        }
    }
}

/// What goes into a revision's commit message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// Why. Untrusted: control characters are stripped, the first line is cut at 200 characters.
    pub message: String,
    /// Trailers, each on one line of at most 200 characters.
    pub trailers: Vec<(String, String)>,
}
