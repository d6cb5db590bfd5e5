//! The world beyond the repository: URLs and their guard, links, a browser, and what is sent after a publish.

mod address;
pub mod browser;
pub mod child;
pub mod deliver;
pub mod fetch;
mod guard;
mod http;
pub mod links;

pub use guard::{Guard, Resolve};
