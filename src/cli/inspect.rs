//! `status` and `diff`: what is unpublished.

use std::fmt::Write as _;
use std::path::Path;

use sitewright::error::Result;
use sitewright::model::Progress;
use sitewright::site::address;
use sitewright::site::change::{self, DiffStyle, FileDiff};
use sitewright::site::change_set;
use sitewright::store::{ChangeKind, Status};

use super::arguments::Diff;
use super::{Outcome, locate, print};

pub(super) fn status(site: Option<&Path>) -> Result<Outcome> {
    let site = locate::open(site)?;
    print::out(&describe(&site.repository().status()?));
    for listed in change_set::list(&site)? {
        let set = &listed.set;
        let files = print::count(listed.unpublished.len(), "file", "files");
        let when = set.at.map_or_else(String::new, |at| format!(", to be published at {at}"));
        let purpose = set.purpose.lines().next().unwrap_or_default();
        print::out(&format!("Change set {}: {purpose} ({files}{when})\n", set.id));
    }
    Ok(Outcome::Done)
}

fn describe(status: &Status) -> String {
    let live = status.live.as_ref().map_or("nothing published yet".to_owned(), |id| format!("live {}", id.short()));
    let remote = status.remote.as_deref().unwrap_or("no remote");
    let mut text = format!("Branch {}, {live}, {remote}\n", status.branch);
    if let Some((state, cure)) = &status.writable {
        let _ = writeln!(text, "Cannot be written now: {state}. {cure}");
    }
    if let Some(pending) = &status.pending {
        let _ = writeln!(text, "Published and not pushed yet: {}. Publish again to resume.", pending.short());
    }
    if !status.local_commits.is_empty() {
        let count = print::count(status.local_commits.len(), "local commit is", "local commits are");
        let _ = writeln!(text, "{count} not on the remote:");
        for (id, subject) in &status.local_commits {
            let _ = writeln!(text, "  {} {subject}", id.short());
        }
    }
    if status.unpublished.is_empty() {
        text.push_str("Everything is published.\n");
        return text;
    }
    let _ = writeln!(text, "Unpublished: {}", print::count(status.unpublished.len(), "file", "files"));
    for item in &status.unpublished {
        let letter = match item.change.kind() {
            ChangeKind::Added => 'A',
            ChangeKind::Modified => 'M',
            ChangeKind::Deleted => 'D',
        };
        let by_hand = if item.hand_edit { "  (by hand)" } else { "" };
        let _ = writeln!(text, "  {letter} {}{by_hand}", item.change.path);
    }
    text
}

pub(super) fn diff(arguments: &Diff, site: Option<&Path>) -> Result<Outcome> {
    let site = locate::open(site)?;
    let style = match (arguments.words, arguments.stat) {
        (true, _) => DiffStyle::Words,
        (_, true) => DiffStyle::Stat,
        _ => DiffStyle::Unified,
    };
    let diffs = change::diff(&site, &arguments.paths, style, &Progress::default())?;
    print::out(&diffs.iter().map(|file| show(file, style)).collect::<String>());
    if diffs.is_empty() {
        print::error("Nothing is unpublished.\n");
    }
    Ok(Outcome::Done)
}

fn show(file: &FileDiff, style: DiffStyle) -> String {
    let by_hand = if file.hand_edit { "  (by hand)" } else { "" };
    let counts = format!("+{} -{}", file.stat.added, file.stat.removed);
    let what = match (&file.live, &file.etag) {
        (None, _) => "new",
        (_, None) => "deleted",
        _ => "changed",
    };
    let title = format!("{} ({what}, {counts}){by_hand}\n", address::shown(&file.path));
    match style {
        DiffStyle::Stat => title,
        _ if file.diff.is_empty() => format!("{title}\n"),
        _ => format!("{title}{}\n", file.diff.trim_end_matches('\n').to_owned() + "\n"),
    }
}
