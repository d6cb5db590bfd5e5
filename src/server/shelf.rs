//! Leaves the site as it was read for the next process while the server runs: one that is killed says no farewell.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Server;

/// After the start: whatever reads a large site for the first time is done by then.
const FIRST: Duration = Duration::from_secs(20);
/// Between two looks: leaving a large site takes most of a second.
const EVERY: Duration = Duration::from_mins(5);

/// Leaves the site now and then until `stop`, where the next process would have to read much of it again.
pub async fn keep(server: Server, stop: CancellationToken) {
    keep_every(server, stop, (FIRST, EVERY)).await;
}

async fn keep_every(server: Server, stop: CancellationToken, (first, every): (Duration, Duration)) {
    let mut wait = first;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = every;
        let site = Arc::clone(&server.site);
        if tokio::task::spawn_blocking(move || site.keep_for_the_next()).await.is_err() {
            return tracing::error!("the site is not kept for the next process");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::{Settings, init};
    use crate::store::Identity;
    use crate::tools::{Registry, Rights};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_is_killed_leaves_the_site() {
        let folder = tempfile::tempdir().unwrap();
        let author = Identity { name: "A".into(), email: "a@example.org".into() };
        let settings = Settings { clock: Arc::new(jiff::Timestamp::now), author: Some(author) };
        let site = init::init(folder.path(), "Site", None, settings).unwrap();
        for number in 0..300 {
            let path = folder.path().join(format!("content/page-{number}.md"));
            std::fs::write(path, format!("---\ntitle: Page {number}\n---\nText.\n")).unwrap();
        }
        let site = Arc::new(site);
        let server = Server::new(Arc::clone(&site), Registry::standard(), Rights::all_but_admin());
        let (stop, soon) = (CancellationToken::new(), Duration::from_millis(5));
        let keeping = tokio::spawn(keep_every(server, stop.clone(), (soon, soon)));
        let kept = || {
            let found = std::fs::read_dir(folder.path().join(".sitewright/var/cache"));
            found.into_iter().flatten().flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("site-"))
        };
        tokio::time::sleep(4 * soon).await;
        assert!(!kept(), "nothing was read");
        tokio::task::spawn_blocking(move || site.working().map(|_| ())).await.unwrap().unwrap();
        for _ in 0..1_000 {
            if kept() {
                break;
            }
            tokio::time::sleep(soon).await;
        }
        assert!(kept());
        stop.cancel();
        keeping.await.unwrap();
    }
}
