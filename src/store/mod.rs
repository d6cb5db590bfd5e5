//! The only code that touches disk and git: the repository, transactions, change sets, the output folder, the remote.

mod disk;
mod failure;
mod lock;
mod message;
mod places;
mod project;
mod refs;
mod refusal;
mod repository;
mod revision;
mod scan;
mod tree;

pub use repository::{Clock, Durability, OpenOptions, Repository};
pub use revision::{Change, ChangeKind, Identity, Note, Revision, RevisionId, RevisionKind};
