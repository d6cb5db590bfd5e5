//! One binary for every test that drives sitewright from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod bad_input;
mod build;
mod checklist;
mod cli;
mod crash;
mod distribution;
mod front_matter;
mod fuzz;
mod git_rules;
mod git_server;
mod harness;
mod host;
mod layout;
mod load;
mod markdown;
mod migrate;
mod model;
mod page;
mod preview;
mod progress;
mod publish;
mod remote;
mod remote_ssh;
mod resources;
mod review;
mod rights;
mod screenshot;
mod selection;
mod server;
mod store;
mod subscriptions;
mod theme;
mod tidy;
mod tools;
mod wire;
