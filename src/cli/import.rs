//! `import`: another generator's site becomes pages of this one, and what did not carry over is listed.

use std::fmt::Write as _;
use std::path::Path;

use sitewright::error::Result;
use sitewright::site::Call;
use sitewright::site::import::{self, From, Imported, Request, Tally};

use super::arguments::Import;
use super::{Outcome, locate, print};

/// Names shown of a list.
const SHOWN: usize = 10;

pub(super) fn import(arguments: &Import, site: Option<&Path>) -> Result<Outcome> {
    let site = locate::open(site)?;
    let address = arguments.from.to_str().filter(|text| text.starts_with("http://") || text.starts_with("https://"));
    let request = Request {
        from: address.map_or_else(|| From::Trusted(arguments.from.clone()), |url| From::Url(url.to_owned())),
        kind: arguments.kind,
        section: arguments.section.clone().unwrap_or_default(),
        replace: arguments.replace,
        limit: arguments.limit,
        since: arguments.since.clone(),
        columns: arguments.columns.iter().cloned().collect(),
        media: true,
        config: true,
    };
    let call = Call {
        tool: "import".into(),
        client: "command line".into(),
        message: arguments.message.clone(),
        dry_run: arguments.dry_run,
        ..Call::default()
    };
    let imported = import::import(&site, &call, &request)?;
    print::out(&describe(&imported));
    Ok(Outcome::Done)
}

fn describe(imported: &Imported) -> String {
    let mut text = format!("A {} source\n", imported.kind.name());
    tally(&mut text, "Pages", &imported.pages);
    tally(&mut text, "Files", &imported.files);
    if !imported.settings.is_empty() {
        let _ = writeln!(text, "Settings: {}", imported.settings.join(", "));
    }
    if !imported.settings_kept.is_empty() {
        let _ = writeln!(text, "Settings that stay as they are: {}", imported.settings_kept.join(", "));
    }
    if imported.redirects > 0 {
        let _ = writeln!(text, "Redirects: {}", imported.redirects);
    }
    if imported.pinned > 0 {
        let _ = writeln!(text, "Addresses written into front matter: {}", imported.pinned);
    }
    if imported.lost_total > 0 {
        let _ = writeln!(text, "\nDid not carry over ({}):", imported.lost_total);
        for lost in &imported.lost {
            let _ = writeln!(text, "  {} x {} `{}` ({})", lost.count, lost.what, lost.name, lost.examples.join(", "));
            let _ = writeln!(text, "      {}", lost.advice);
        }
    }
    let end = match (&imported.written.revision, imported.written.dry_run) {
        (Some(revision), _) => {
            format!("\nRevision {}. Look at it with `sitewright check` and `preview`.\n", revision.short())
        }
        (None, true) => "\nNothing was written.\n".to_owned(),
        (None, false) => "\nNothing to write: all of it is here already, or stays as it is.\n".to_owned(),
    };
    text + &end
}

fn tally(text: &mut String, name: &str, tally: &Tally) {
    let _ = writeln!(
        text,
        "{name}: {} new, {} overwritten, {} unchanged, {} skipped",
        tally.created.len(),
        tally.replaced.len(),
        tally.unchanged,
        tally.skipped.len()
    );
    for path in tally.skipped.iter().take(SHOWN) {
        let _ = writeln!(text, "  differs here and was left alone: {path}");
    }
    if tally.skipped.len() > SHOWN {
        let _ = writeln!(text, "  and {} more; --replace overwrites them", tally.skipped.len() - SHOWN);
    }
}
