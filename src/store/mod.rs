//! The only code that touches disk and git: the repository, transactions, change sets, the output folder, the remote.

mod revision;
mod watch;

pub use revision::{Change, ChangeKind, Identity, Note, Revision, RevisionId, RevisionKind};
pub use watch::Watch;
