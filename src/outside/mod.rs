//! The world beyond the repository: URLs and their guard, links, and what is sent after a publish.

mod address;
pub mod deliver;
pub mod fetch;
mod guard;
mod http;
pub mod links;

pub use guard::{Guard, Resolve};
