//! Publishes what is due while the server runs: sleeps until the next time, and wakes when something changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::Server;
use crate::error::Result;
use crate::site::{Site, schedule};
use crate::tools::Right;

/// Longest sleep: another process may have frozen something, and the clock may have been set.
const LONGEST: Duration = Duration::from_mins(1);
/// Shortest sleep, however much happens.
const SHORTEST: Duration = Duration::from_millis(100);
/// How long after a failure it is tried again, doubled each time.
const RETRY: SignedDuration = SignedDuration::from_mins(1);
/// Longest time between two tries.
const LONGEST_RETRY: SignedDuration = SignedDuration::from_hours(1);

/// When a set that failed is tried again, by its id.
type Failed = BTreeMap<String, (u32, Timestamp)>;

/// Publishes what was frozen for a time, from now until `stop`. Returns at once where the server may not publish.
pub async fn keep(server: Server, stop: CancellationToken) {
    if !server.rights.allow(Right::Publish) {
        return;
    }
    let mut failed = Failed::new();
    loop {
        let site = Arc::clone(&server.site);
        let looked = tokio::task::spawn_blocking(move || {
            let round = look(&site, &mut failed);
            (round, failed)
        });
        let Ok((round, still)) = looked.await else { return tracing::error!("the schedule stopped") };
        failed = still;
        let wait = match round {
            Ok(Round { published, wait }) => {
                if published {
                    server.news.touch();
                }
                wait
            }
            Err(error) => {
                tracing::warn!(%error, "cannot look for what is due");
                LONGEST
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
            () = server.wake.notified() => tokio::time::sleep(SHORTEST).await,
        }
    }
}

/// One look at what is due.
struct Round {
    published: bool,
    wait: Duration,
}

fn look(site: &Site, failed: &mut Failed) -> Result<Round> {
    let now = site.now();
    let done = schedule::publish_due(site, concat!("sitewright ", env!("CARGO_PKG_VERSION")), &|id| {
        failed.get(id).is_none_or(|(_, again)| *again <= now)
    })?;
    for one in &done {
        if one.outcome.is_ok() {
            failed.remove(&one.set.id);
            continue;
        }
        let tries = failed.get(&one.set.id).map_or(0, |(tries, _)| *tries);
        let pause = RETRY.saturating_mul(1 << tries.min(6)).min(LONGEST_RETRY);
        failed.insert(one.set.id.clone(), (tries + 1, now.saturating_add(pause).unwrap_or(Timestamp::MAX)));
    }
    let sets = site.repository().change_sets()?;
    failed.retain(|id, _| sets.iter().any(|set| set.id == *id));
    let times = sets.iter().filter_map(|set| failed.get(&set.id).map(|(_, again)| *again).or(set.at));
    let wait = times.min().map_or(LONGEST, |next| {
        Duration::try_from(site.now().duration_until(next)).unwrap_or_default().clamp(SHORTEST, LONGEST)
    });
    Ok(Round { published: done.iter().any(|one| one.outcome.is_ok()), wait })
}
