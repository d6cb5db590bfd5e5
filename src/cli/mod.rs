//! The command line: reads arguments, finds the site, runs one subcommand, and turns its outcome into an exit code.
//!
//! 0: done. 1: refused, failed, or error-level findings. 2: wrong usage. What a person asked to see goes to stdout, all
//! else to stderr.

mod arguments;
mod build;
mod import;
mod improve;
mod init;
mod inspect;
mod locate;
mod print;
mod progress;
mod publish;
mod serve;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use sitewright::error::{Error, Result};
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, Subcommand};

/// How a subcommand that was carried out ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// It worked, and what it found is bad news.
    Failed,
}

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    log_to_stderr();
    let site = arguments.site.as_deref();
    let outcome = match arguments.subcommand {
        Some(subcommand) => dispatch(subcommand, site),
        None => without_arguments(site),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Err(error) => {
            report(&error);
            ExitCode::from(1)
        }
    }
}

fn dispatch(subcommand: Subcommand, site: Option<&std::path::Path>) -> Result<Outcome> {
    match subcommand {
        Subcommand::Init(arguments) => init::init(&arguments, site),
        Subcommand::Serve(arguments) => serve::serve(&arguments, site),
        Subcommand::Build(arguments) => build::build(&arguments, site),
        Subcommand::Check(arguments) => build::check(&arguments, site),
        Subcommand::Preview(arguments) => serve::preview(&arguments, site),
        Subcommand::Status => inspect::status(site),
        Subcommand::Diff(arguments) => inspect::diff(&arguments, site),
        Subcommand::Publish(arguments) => publish::publish(&arguments, site),
        Subcommand::Import(arguments) => import::import(&arguments, site),
        Subcommand::Improve(subcommand) => improve::improve(&subcommand, site),
    }
}

/// A person who just types the name in a site's folder wants to see it run; anything else gets the help text.
fn without_arguments(site: Option<&std::path::Path>) -> Result<Outcome> {
    if std::io::stderr().is_terminal() && std::io::stdin().is_terminal() && locate::find(site).is_ok() {
        return serve::both(site);
    }
    print::error(&Arguments::command().render_help().to_string());
    std::process::exit(2)
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("SITEWRIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let logging = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time();
    // Fails only where a logger is set already, which is as good.
    let _ = logging.with_ansi(false).try_init();
}

/// An error as a person reads it: the fact, the findings behind it, what to do.
fn report(error: &Error) {
    print::error(&format!("error: {error}\n"));
    if let Error::BuildFailed { diagnostics, .. } = error {
        print::error(&diagnostics.iter().map(print::finding).collect::<String>());
    }
    if let Error::Conflict { conflicts, .. } = error {
        for conflict in conflicts {
            print::error(&format!("  {}: {}\n", conflict.path, conflict.reason));
        }
    }
    if let Error::Internal { cause } = error {
        tracing::error!("{cause}");
    }
    print::error(&format!("{}\n", for_people(error)));
}

/// Hints speak to agents by argument names; some need other words for a person.
fn for_people(error: &Error) -> String {
    match error {
        Error::HandEdits { .. } => "Name them, or give --hand-edits to publish them along.".into(),
        Error::LocalCommits { .. } => "Give --local-commits to publish them along, or push them yourself first.".into(),
        Error::Needs { needs } => format!("Publish these along: {}.", needs.join(" ")),
        Error::BuildFailed { .. } => "Mend these and try again; `sitewright check` lists everything.".into(),
        Error::Conflict { conflicts, .. } if !conflicts.is_empty() => {
            "Nothing was changed. Edit these files to the text you want, then publish again.".into()
        }
        Error::RemoteUnavailable { .. } => "Nothing is lost: publish again when the remote can be reached.".into(),
        Error::RemoteRefused { .. } => "The commit waits: publish again to resume.".into(),
        Error::NotFound { kind: "page", near, .. } if near.is_empty() => {
            "`sitewright status` lists what is unpublished.".into()
        }
        _ => error.hint(),
    }
}
