//! What a publish is asked for and what it answers.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::error::Result;
use crate::model::config::History;
use crate::model::{ContentPath, Outputs, Snapshot};
use crate::store::tree::Difference;
use crate::store::{Change, ChangeKind, Note, RevisionId, Unpublished};

/// Builds the outputs of exactly the sources that will be committed; also gets what is live, to tell what an error is new to.
/// Errors stop the publish before anything moved.
pub type Build<'a> = dyn Fn(&Snapshot, &Snapshot) -> Result<Outputs> + 'a;

/// What goes out, and how.
#[derive(Clone)]
pub struct PublishRequest<'a> {
    /// Which paths; `None`: everything.
    pub paths: Option<BTreeSet<ContentPath>>,
    /// Take along paths that a person edited by hand and that are not named.
    pub hand_edits: bool,
    /// Take along a person's commits that the remote has not.
    pub local_commits: bool,
    /// Why, for the commit message.
    pub note: Note,
    /// Shape of the history.
    pub history: History,
    /// Plan and build only.
    pub dry_run: bool,
    /// Builds the outputs.
    pub build: &'a Build<'a>,
}

impl fmt::Debug for PublishRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishRequest")
            .field("paths", &self.paths)
            .field("hand_edits", &self.hand_edits)
            .field("local_commits", &self.local_commits)
            .field("note", &self.note)
            .field("history", &self.history)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

/// A file of the output folder that a publish changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputChange {
    /// Path below the output folder.
    pub path: String,
    /// Added, modified or deleted.
    pub kind: ChangeKind,
}

impl From<Difference> for OutputChange {
    fn from(difference: Difference) -> Self {
        let kind = match (difference.old, difference.new) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Deleted,
            _ => ChangeKind::Modified,
        };
        Self { path: difference.path, kind }
    }
}

/// What the remote said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushReport {
    /// Its name.
    pub remote: String,
    /// Its address without credentials.
    pub address: String,
    /// The branch.
    pub branch: String,
    /// Whether it took the commit.
    pub ok: bool,
    /// Why not. The commit waits then, and the next publish resumes.
    pub reason: Option<String>,
}

/// Why the working tree could not follow a publish; the next publish or sync does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unfinished {
    /// The fact.
    pub reason: String,
    /// What to do.
    pub cure: String,
}

/// What a publish did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// The publish commit; `None`: there was nothing to publish, or it was a dry run.
    pub revision: Option<RevisionId>,
    /// Sources that go live.
    pub changes: Vec<Change>,
    /// Output files that change.
    pub outputs: Vec<OutputChange>,
    /// The edits that went in, oldest first.
    pub edits: Vec<RevisionId>,
    /// What stays unpublished.
    pub left: Vec<Unpublished>,
    /// The push; `None`: there is no remote, or nothing to push.
    pub pushed: Option<PushReport>,
    /// What the remote had that the edits did not know; it was taken in.
    pub merged_from: Option<RevisionId>,
    /// Whether a publish that had been waiting went on.
    pub resumed: bool,
    /// Set where the remote has it and the working tree could not follow.
    pub unfinished: Option<Unfinished>,
}
