//! The `sitewright` command.

// Compiled from the moment the layers it wires together have landed.
#[cfg(any())]
mod cli;

#[cfg(any())]
fn main() -> std::process::ExitCode {
    cli::run()
}

#[cfg(not(any()))]
fn main() {}
