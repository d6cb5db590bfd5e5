//! Pages: list, read, write, move, delete.

mod archetype;
mod get;
mod list;
mod references;
mod relocate;
mod remove;
mod wiki;
mod write;

pub use super::anchor::TextEdit;
pub use get::{GetQuery, Include, PageView, get, plain_text};
pub(super) use list::wildcard;
pub use list::{ListQuery, ListStatus, Listing, Sort, list};
pub(super) use relocate::stage_moves;
pub use relocate::{How, Move, relocate};
pub use remove::{Removal, remove};
pub use write::{PageEdit, Select, write};
