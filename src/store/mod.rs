//! The only code that touches disk and git: the repository, transactions, change sets, the output folder, the remote.

mod revision;

pub use revision::{Change, ChangeKind, Identity, Note, Revision, RevisionId, RevisionKind};
