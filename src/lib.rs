//! sitewright: a static site generator that an agent runs through MCP tools, on plain files in a git repository.
//!
//! `ARCHITECTURE.md` has the map of the modules and what each may use.

pub mod build;
pub mod error;
pub mod import;
pub mod insight;
pub mod model;
pub mod outside;
pub mod preview;
pub mod server;
pub mod site;
pub mod store;
pub mod tools;
