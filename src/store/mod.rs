//! The only code that touches disk and git: the repository, transactions, change sets, the output folder, the remote.

mod commit;
mod disk;
mod entry;
mod failure;
mod history;
mod init;
mod lock;
mod merge;
mod message;
mod moving;
mod objects;
pub mod output;
mod places;
mod project;
mod publish;
mod refs;
mod refusal;
mod remote;
mod repository;
mod revision;
mod scan;
mod selection;
mod status;
mod sync;
mod transaction;
mod tree;

pub use history::HistoryFilter;
pub use merge::{Merge, merge_file};
pub use publish::{Build, OutputChange, PublishRequest, Published, PushReport, Unfinished};
pub use repository::{Clock, Durability, OpenOptions, Repository};
pub use revision::{Change, ChangeKind, Identity, Note, Revision, RevisionId, RevisionKind};
pub use status::{Status, Unpublished};
pub use sync::Synced;
pub use transaction::{Footprint, Transaction};
