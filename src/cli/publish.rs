//! `publish`: the same operation as the tool, with a person to ask.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use sitewright::error::{Error, Result};
use sitewright::site::publish::{self as operation, PublishQuery, PublishReply};
use sitewright::site::{Call, Site, address, schedule};
use sitewright::store::ChangeKind;

use super::arguments::Publish;
use super::{Outcome, locate, print};

/// How long webhooks and pings may keep the program from ending.
const DELIVERY: Duration = Duration::from_secs(15);

pub(super) fn publish(arguments: &Publish, site: Option<&Path>) -> Result<Outcome> {
    let site = locate::open(site)?;
    if arguments.due {
        return due(&site);
    }
    let call = Call {
        tool: "publish".into(),
        client: format!("sitewright {}", env!("CARGO_PKG_VERSION")),
        message: arguments.message.clone(),
        dry_run: arguments.dry_run,
        ..Call::default()
    };
    let query = PublishQuery {
        paths: arguments.paths.clone(),
        hand_edits: arguments.hand_edits || arguments.yes,
        local_commits: arguments.local_commits || (arguments.yes && arguments.at.is_none()),
        review: arguments.review,
        at: arguments.at.as_deref().map(|at| schedule::moment(&site, at)).transpose()?,
    };
    let reply = ask_through(&site, &call, query)?;
    print::out(&describe(&reply));
    deliver(&site);
    for finding in &reply.diagnostics {
        print::error(&print::finding(finding));
    }
    let pushes = [&reply.published.pushed, &reply.published.deployed];
    let refused = pushes.into_iter().flatten().any(|pushed| !pushed.ok) && reply.published.review.is_none();
    Ok(if refused || reply.published.unfinished.is_some() { Outcome::Failed } else { Outcome::Done })
}

/// Waits for webhooks and pings that are on their way.
fn deliver(site: &Site) {
    let undelivered = site.courier().wait(DELIVERY);
    if undelivered > 0 {
        print::error(&format!(
            "{} could not be delivered in time.\n",
            print::count(undelivered, "message", "messages")
        ));
    }
}

/// Publishes what is due; what fails is named and stays due.
fn due(site: &Site) -> Result<Outcome> {
    let mut outcome = Outcome::Done;
    for one in schedule::publish_due(site, "sitewright publish --due", &|_| true)? {
        let about = format!("{} ({})", one.set.id, one.set.purpose.lines().next().unwrap_or_default());
        match one.outcome {
            Ok(reply) => print::out(&format!("{about}:\n{}", describe(&reply))),
            Err(failure) => {
                outcome = Outcome::Failed;
                print::error(&format!(
                    "{about} is due and was not published: {failure}. It is tried again next time.\n"
                ));
            }
        }
    }
    deliver(site);
    Ok(outcome)
}

/// Publishes, and asks about what never goes out by accident. Each question comes at most once.
fn ask_through(site: &Site, call: &Call, mut query: PublishQuery) -> Result<PublishReply> {
    loop {
        match operation::publish(site, call, &query) {
            Err(Error::HandEdits { paths }) if !query.hand_edits => {
                let question = format!("Edited by hand:\n  {}\nPublish these too?", paths.join("\n  "));
                if !print::ask(&question) {
                    return Err(Error::HandEdits { paths });
                }
                query.hand_edits = true;
            }
            Err(Error::LocalCommits { commits }) if !query.local_commits => {
                let question =
                    format!("Commits that are not on the remote:\n  {}\nPublish these too?", commits.join("\n  "));
                if !print::ask(&question) {
                    return Err(Error::LocalCommits { commits });
                }
                query.local_commits = true;
            }
            other => return other,
        }
    }
}

fn describe(reply: &PublishReply) -> String {
    let published = &reply.published;
    let mut text = String::new();
    for (kind, urls) in &reply.urls {
        let letter = match kind {
            ChangeKind::Added => 'A',
            ChangeKind::Modified => 'M',
            ChangeKind::Deleted => 'D',
        };
        for url in urls {
            let _ = writeln!(text, "  {letter} {url}");
        }
    }
    let files = print::count(published.changes.len(), "file", "files");
    match (&published.revision, reply.dry_run) {
        _ if reply.scheduled.is_some() => {
            let set = reply.scheduled.iter().map(|set| (set.id.as_str(), set.at.map(|at| at.to_string())));
            for (id, at) in set {
                let _ = writeln!(text, "Frozen {files} as {id}, to be published at {}.", at.unwrap_or_default());
            }
        }
        (_, false) if published.review.is_some() => describe_review(&mut text, reply, &files),
        (_, true) if published.changes.is_empty() && published.outputs.is_empty() => {
            text.push_str("Nothing would be published.\n");
        }
        (_, true) => {
            let outputs = print::count(published.outputs.len(), "output file", "output files");
            let _ = writeln!(text, "Would publish {files} ({outputs}). Nothing was changed.");
        }
        (Some(revision), false) => {
            let _ = writeln!(text, "Published {files} as {}.", revision.short());
        }
        (None, false) => text.push_str("Nothing to publish.\n"),
    }
    for pushed in [&published.pushed, &published.deployed].into_iter().flatten() {
        let place = format!("{} ({})", pushed.branch, pushed.address);
        let _ = match &pushed.reason {
            _ if pushed.ok => writeln!(text, "Pushed to {place}."),
            Some(reason) if published.review.is_some() => writeln!(text, "{place} takes no push: {reason}."),
            Some(reason) => {
                writeln!(text, "Not pushed to {place}: {reason}. The commit waits; publish again to resume.")
            }
            None => writeln!(text, "Not pushed to {place}. The commit waits; publish again to resume."),
        };
    }
    if let Some(unfinished) = &published.unfinished {
        let _ = writeln!(text, "The working tree could not follow: {}. {}", unfinished.reason, unfinished.cure);
    }
    if !reply.held.is_empty() {
        let held: Vec<&str> = reply.held.iter().map(address::shown).collect();
        let _ = writeln!(text, "On hold, and left out: {}.", held.join(", "));
    }
    if !published.left.is_empty() {
        let _ = writeln!(text, "Still unpublished: {}.", print::count(published.left.len(), "file", "files"));
    }
    text
}

fn describe_review(text: &mut String, reply: &PublishReply, files: &str) {
    let Some(review) = &reply.published.review else { return };
    let done = match review {
        _ if review.unchanged => "Already in review:",
        _ if review.updated => "Updated the review of",
        _ => "Sent to review:",
    };
    let _ = writeln!(
        text,
        "{done} {files} on {}, to be merged into {}. Nothing is live yet.",
        review.branch, review.target
    );
    let _ = match &reply.review_url {
        Some(url) => writeln!(text, "Open it: {url}"),
        None => writeln!(text, "Open a request for that branch where the repository is hosted."),
    };
}
