//! What a site is: values only, no disk, git, clock or network.

pub mod config;
mod conflict;
mod content_path;
pub mod date;
mod diagnostic;
mod digest;
pub mod effects;
pub mod forge;
pub mod front_matter;
pub mod media_type;
pub mod network;
mod output;
mod page;
mod path_map;
mod progress;
mod quick_map;
pub mod relative;
mod shared_vec;
mod snapshot;
pub mod theme;

pub use config::Config;
pub use conflict::{Conflict, Side};
pub use content_path::{ContentPath, PathKind};
pub use date::Date;
pub use diagnostic::{Diagnostic, Severity};
pub use digest::{Digest, Digester};
pub use effects::{Effects, Noted};
pub use forge::Forge;
pub use front_matter::FrontMatter;
pub use output::{Output, OutputData, Outputs};
pub use page::{
    Heading, Library, Link, LinkTarget, Lists, MenuPlace, Page, PageKind, PageState, Section, Taxonomy, Term,
};
pub use path_map::{Differing, PathMap};
pub use progress::{Follower, Progress};
pub use quick_map::{QuickMap, QuickSet};
pub use shared_vec::{Entries, SharedVec};
pub use snapshot::{BlobId, Data, File, Later, Snapshot};
pub use theme::{Setting, Theme, resolve_settings};
