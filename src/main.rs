//! The `sitewright` command.
fn main() {}
