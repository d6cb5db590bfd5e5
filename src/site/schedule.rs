//! Publishing at a time: what is selected now is frozen as a change set, and goes out when its time has come.

use jiff::Timestamp;

use super::publish::{self, PublishQuery, PublishReply};
use super::{Call, Site, change_set, review};
use crate::error::{Error, Result};
use crate::model::Date;
use crate::store::{ChangeSet, Opening, PublishRequest, Published};

/// A change set whose time had come, and what became of it.
#[derive(Debug)]
pub struct Due {
    /// The set.
    pub set: ChangeSet,
    /// What went live, or why nothing did, in words for a person; it stays due then.
    pub outcome: Result<PublishReply, String>,
}

/// Reads the time of an `at`; where the text names no zone, the site's counts.
///
/// # Errors
/// `InvalidArguments` for what is no time.
pub fn moment(site: &Site, text: &str) -> Result<Timestamp> {
    let zone = site.config().map_or(jiff::tz::TimeZone::UTC, |config| config.time_zone());
    let short: String = text.chars().take(40).collect();
    let date = Date::parse(text.trim(), &zone).map(|date| date.timestamp());
    date.ok_or_else(|| refused(&format!("expected a time or a date, got `{short}`")))
}

fn refused(problem: &str) -> Error {
    let example = "\"at\": \"2026-12-01T09:00:00Z\"".into();
    Error::InvalidArguments { field: "at".into(), problem: problem.into(), example }
}

/// Refuses an `at` that cannot be kept.
pub(super) fn check(site: &Site, query: &PublishQuery) -> Result<()> {
    let Some(at) = query.at else { return Ok(()) };
    if at <= site.now() {
        return Err(refused(&format!("{at} is not in the future; it is {} now", site.now())));
    }
    if query.review {
        return Err(refused("a review cannot be sent later; leave out `at` or `review`"));
    }
    if query.local_commits {
        return Err(refused("a person's commits cannot be frozen; publish them now, or leave out `local_commits`"));
    }
    change_set::room(site)
}

/// Freezes what a publish asks for.
pub(super) fn freeze(
    site: &Site,
    query: &PublishQuery,
    request: &PublishRequest<'_>,
    at: Timestamp,
) -> Result<(Option<ChangeSet>, Published)> {
    debug_assert_eq!(query.at, Some(at));
    let opening = Opening { slug: review::slug(&request.note.message), note: request.note.clone(), at: Some(at) };
    site.repository().schedule(request, &opening)
}

/// When the next change set is due; `None`: none waits.
///
/// # Errors
/// What reading the repository can fail with.
pub fn next(site: &Site) -> Result<Option<Timestamp>> {
    Ok(site.repository().change_sets()?.into_iter().filter_map(|set| set.at).min())
}

/// Publishes every change set whose time has come and that `wanted` names, in the order of their times. What fails stays due and does not
/// stop the others; what another process has published meanwhile is left out.
///
/// # Errors
/// What reading the repository can fail with.
pub fn publish_due(site: &Site, client: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Due>> {
    let now = site.now();
    let mut sets = site.repository().change_sets()?;
    sets.retain(|set| set.at.is_some_and(|at| at <= now) && wanted(&set.id));
    sets.sort_by_key(|set| set.at);
    let mut done = Vec::new();
    for set in sets {
        let call = Call {
            tool: "publish".into(),
            client: client.to_owned(),
            message: Some(set.purpose.clone()),
            ..Call::default()
        };
        // Whoever froze it answered for the hand edits in it.
        let query = PublishQuery { hand_edits: true, ..PublishQuery::default() };
        let outcome = site.in_change_set(&set.id).and_then(|site| publish::publish(&site, &call, &query));
        let outcome = match outcome {
            Err(Error::NotFound { kind: "change set", .. }) => continue,
            Err(error) => Err(format!("{error}. {}", error.hint())),
            Ok(reply) => failure(&reply).map_or(Ok(reply), Err),
        };
        if let Err(failure) = &outcome {
            tracing::warn!(change_set = set.id, failure, "due, and not published");
        }
        done.push(Due { set, outcome });
    }
    Ok(done)
}

/// Why a publish that was carried out is not one.
fn failure(reply: &PublishReply) -> Option<String> {
    let published = &reply.published;
    let pushed = published.pushed.as_ref().filter(|pushed| !pushed.ok)?;
    Some(match &published.review {
        Some(review) => format!("the publish branch is protected; it waits in review as {}", review.branch),
        None => format!("the remote did not take it: {}", pushed.reason.as_deref().unwrap_or("no reason given")),
    })
}
