//! The only code that touches disk and git: the repository, transactions, change sets, the output folder, the remote.

mod commit;
mod disk;
mod entry;
mod failure;
mod history;
mod init;
mod lock;
mod message;
mod moving;
mod objects;
mod places;
mod project;
mod refs;
mod refusal;
mod repository;
mod revision;
mod scan;
mod status;
mod transaction;
mod tree;

pub use history::HistoryFilter;
pub use repository::{Clock, Durability, OpenOptions, Repository};
pub use revision::{Change, ChangeKind, Identity, Note, Revision, RevisionId, RevisionKind};
pub use status::{Status, Unpublished};
pub use transaction::{Footprint, Transaction};
