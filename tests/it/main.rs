//! One binary for every test that drives sitewright from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod bad_input;
mod build;
mod change;
mod cli;
mod crash;
mod front_matter;
mod git_rules;
mod git_server;
mod harness;
mod load;
mod markdown;
mod model;
mod page;
mod preview;
mod publish;
mod remote;
mod remote_ssh;
mod revision;
mod server;
mod site;
mod store;
mod theme;
mod tidy;
mod tools;
