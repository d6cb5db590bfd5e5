//! The only code that touches disk and git: the repository, transactions, change sets, the output folder, the remote.

mod merge;
pub mod output;
mod revision;

pub use merge::{Merge, merge_file};
pub use revision::{Change, ChangeKind, Identity, Note, Revision, RevisionId, RevisionKind};
