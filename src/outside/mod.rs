//! The world beyond the repository: URLs and their guard, links, a browser, and what is sent after a publish.

mod address;
pub mod browser;
pub mod child;
#[cfg(feature = "otel")]
pub mod collector;
pub mod deliver;
pub mod fetch;
mod guard;
mod http;
pub mod links;
pub mod loopback;
pub mod peer;

pub use guard::{Guard, Resolve};
