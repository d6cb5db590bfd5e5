//! `improve`: what the journal says, for the person in charge.

use sitewright::error::{Error, Result};
use sitewright::insight::{self, Thresholds};

use super::arguments::{Improve, ImproveReport};
use super::{Outcome, compare, print};

pub(super) fn improve(subcommand: &Improve) -> Result<Outcome> {
    match subcommand {
        Improve::Report(arguments) => report(arguments),
        Improve::Replay(arguments) => compare::replay(arguments),
        Improve::Compare(arguments) => compare::compare(arguments),
    }
}

fn report(arguments: &ImproveReport) -> Result<Outcome> {
    let path = arguments.journal.display().to_string();
    let read = std::fs::read(&arguments.journal);
    let bytes = read.map_err(|source| Error::Io { action: "read", path, source })?;
    let (records, skipped) = insight::read_journal(&String::from_utf8_lossy(&bytes));
    let report = insight::report(&records, skipped, &Thresholds::default());
    if arguments.json {
        let json = serde_json::to_string_pretty(&report).map_err(Error::internal)?;
        print::out(&format!("{json}\n"));
    } else {
        print::out(&report.text());
    }
    Ok(Outcome::Done)
}
