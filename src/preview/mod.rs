//! Local preview over HTTP: the working change set with live reload, and labelled builds beside it.
//!
//! Files are looked up in the outputs of a build, never on disk, so no request can name anything else. The server
//! listens on loopback only and answers only requests that name it as loopback. It never shares an origin with MCP.

mod content_type;
mod headers;
mod live;
mod lookup;
mod of_site;
mod previews;
mod respond;
mod screenshot;
mod server;

pub use previews::{Fresh, Previews, Served, Source};
pub use screenshot::{Browser, Look, Shot, screenshots};
pub use server::{bind, serve};
