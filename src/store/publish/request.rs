//! What a publish is asked for and what it answers.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use crate::error::Result;
use crate::model::config::{History, Layout};
use crate::model::{ContentPath, Snapshot};
use crate::store::tree::Difference;
use crate::store::{Change, ChangeKind, Made, Note, RevisionId, Stock, Unpublished};

/// Builds the outputs of exactly the sources that will be committed; also gets what is live, to tell what an error is new to, and
/// what of the output is there: that need not be made again. Errors stop the publish before anything moved.
pub type Build<'a> = dyn Fn(&Snapshot, &Snapshot, &Stock) -> Result<Made> + 'a;

/// How a review is asked for.
#[derive(Clone, Copy)]
pub struct ReviewRequest<'a> {
    /// Whether a review is wanted; without it only a protected publish branch leads to one.
    pub wanted: bool,
    /// What names the branch: lower-case letters, digits and hyphens.
    pub slug: &'a str,
    /// What the server is asked besides, told what the review holds.
    pub options: &'a dyn Fn(&Published) -> Vec<String>,
}

impl ReviewRequest<'_> {
    /// No review is wanted, and none is described.
    #[must_use]
    pub fn none() -> Self {
        Self { wanted: false, slug: "changes", options: &|_| Vec::new() }
    }
}

/// What goes out, and how.
#[derive(Clone)]
pub struct PublishRequest<'a> {
    /// Which paths; `None`: everything.
    pub paths: Option<BTreeSet<ContentPath>>,
    /// What stays back whatever is named: pages on hold.
    pub held: BTreeSet<ContentPath>,
    /// Take along paths that a person edited by hand and that are not named.
    pub hand_edits: bool,
    /// The paths are what an edit wrote: naming them names none of a person's hand edits.
    pub of_edit: bool,
    /// In a dry run, plan as if the edits ended at this revision, which no ref holds.
    pub trial: Option<RevisionId>,
    /// Take along a person's commits that the remote has not.
    pub local_commits: bool,
    /// Why, for the commit message.
    pub note: Note,
    /// Shape of the history.
    pub history: History,
    /// Where the output goes.
    pub layout: Layout,
    /// The branch whose root is the output, where the layout has one.
    pub deploy_branch: String,
    /// To a review branch instead of live.
    pub review: ReviewRequest<'a>,
    /// Plan and build only.
    pub dry_run: bool,
    /// It is frozen now and goes out later: the working tree does not follow yet.
    pub later: bool,
    /// Builds the outputs.
    pub build: &'a Build<'a>,
}

impl fmt::Debug for PublishRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishRequest")
            .field("paths", &self.paths)
            .field("held", &self.held)
            .field("hand_edits", &self.hand_edits)
            .field("of_edit", &self.of_edit)
            .field("trial", &self.trial)
            .field("local_commits", &self.local_commits)
            .field("note", &self.note)
            .field("history", &self.history)
            .field("layout", &self.layout)
            .field("deploy_branch", &self.deploy_branch)
            .field("review", &self.review.wanted)
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

/// A review that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// Its branch on the remote.
    pub branch: String,
    /// The branch it asks to be merged into.
    pub target: String,
    /// The remote's address without credentials.
    pub address: String,
    /// Its commit; `None`: a dry run.
    pub revision: Option<RevisionId>,
    /// Whether the branch was there before.
    pub updated: bool,
    /// Whether it said the same before.
    pub unchanged: bool,
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
    /// The push of the deploy branch; `None`: there is none, or it has this output.
    pub deployed: Option<PushReport>,
    /// Set where a review was sent instead: nothing went live.
    pub review: Option<Reviewed>,
    /// What the remote had that the edits did not know; it was taken in.
    pub merged_from: Option<RevisionId>,
    /// Whether a publish that had been waiting went on.
    pub resumed: bool,
    /// Whether the named change set went out whole and was closed.
    pub closed: bool,
    /// Set where the remote has it and the working tree could not follow.
    pub unfinished: Option<Unfinished>,
}
