//! The only code that touches disk and git: the repository, transactions, change sets, the output folder, the remote.

mod ancestry;
mod attributes;
mod cache;
mod change_set;
mod commit;
mod disk;
mod durability;
mod entry;
mod failure;
mod foreign;
mod handle;
mod hash;
mod history;
mod init;
mod line;
mod lock;
mod merge;
mod message;
mod moving;
mod objects;
pub mod output;
mod own;
mod places;
mod project;
mod publish;
mod refs;
mod refusal;
mod remote;
mod repository;
mod revision;
mod scan;
mod scratch;
mod selection;
mod spelling;
mod status;
mod sync;
mod top_level;
mod transaction;
mod tree;
mod upload;
mod warm;
mod watch;
mod work;

pub use crate::model::config::Durability;
pub use change_set::{ChangeSet, Merging, Opening};
pub use foreign::{Foreign, ForeignFile};
pub use history::HistoryFilter;
pub use merge::{Merge, merge_file};
pub use output::{Made, Row, Rows, Stamp, Stock, Writer, Written, kept_as, packed, unpacked};
pub use own::{Growing, OwnFile, OwnFiles};
pub use publish::{
    Build, OpenReview, OutputChange, PublishRequest, Published, PushReport, ReviewRequest, Reviewed, Unfinished,
};
pub use repository::{Clock, OpenOptions, Repository};
pub use revision::{Change, ChangeKind, Identity, Note, Revision, RevisionId, RevisionKind};
pub use scratch::{Scratch, State};
pub use status::{Status, Unpublished};
pub use sync::Synced;
pub use top_level::TopLevel;
pub use transaction::{Footprint, Transaction};
pub use watch::Watch;
pub use work::Work;

use std::path::Path;

use crate::error::{Error, Result};

/// The bytes of a site's `site.yaml`, before anything else of the site is opened.
///
/// # Errors
/// [`Error::NoSite`] where there is none.
pub fn config_text(site_dir: &Path) -> Result<Vec<u8>> {
    std::fs::read(site_dir.join(places::CONFIG)).map_err(|_| Error::NoSite { dir: site_dir.display().to_string() })
}
