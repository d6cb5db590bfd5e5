//! Live reload: one external script in each working page, and the event stream it listens to.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::previews::{Changes, Previews, Served};
use crate::model::Severity;

/// The script as served at [`SCRIPT_PATH`].
pub(super) const SCRIPT: &str = include_str!("reload.js");
/// Its address. Below it nothing of a site can live: output paths never start with `_sitewright/`.
pub(super) const SCRIPT_PATH: &str = "/_sitewright/reload.js";
/// The event stream's address.
pub(super) const EVENTS_PATH: &str = "/_sitewright/events";

/// Findings and paths named in one event at most.
const NAMED: usize = 50;

/// Puts the script into a page; `own` is the page's output path, empty for a page that stands in for another.
pub(super) fn inject(page: &[u8], version: u64, own: &str) -> Vec<u8> {
    let own = own.replace('&', "&amp;").replace('"', "&quot;");
    let tag = format!("<script src=\"{SCRIPT_PATH}\" data-version=\"{version}\" data-file=\"{own}\" defer></script>");
    let at = find(page, b"</head>").or_else(|| find(page, b"</body>")).unwrap_or(page.len());
    [&page[..at], tag.as_bytes(), &page[at..]].concat()
}

fn find(page: &[u8], needle: &[u8]) -> Option<usize> {
    page.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))
}

struct Listener {
    previews: Arc<Previews>,
    changes: tokio::sync::watch::Receiver<u64>,
    stop: CancellationToken,
    /// The version the browser shows.
    seen: u64,
    greeted: bool,
}

/// Events for a browser that shows version `since`: one at once, then one after each change. Ends with the server.
pub(super) fn events(
    previews: Arc<Previews>,
    since: u64,
    stop: CancellationToken,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = previews.subscribe();
    let listener = Listener { previews, changes, stop, seen: since, greeted: false };
    let stream = futures::stream::unfold(listener, |mut listener| async move {
        let event = next(&mut listener).await?;
        Some((Ok(event), listener))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}

async fn next(listener: &mut Listener) -> Option<Event> {
    if listener.greeted {
        tokio::select! {
            () = listener.stop.cancelled() => return None,
            changed = listener.changes.changed() => changed.ok()?,
        }
    }
    listener.greeted = true;
    listener.changes.borrow_and_update();
    let previews = Arc::clone(&listener.previews);
    let since = listener.seen;
    let built = tokio::task::spawn_blocking(move || {
        let served = previews.working();
        let changes = previews.changes(since, served.version);
        (served, changes)
    });
    let (served, changes) = built.await.ok()?;
    listener.seen = served.version;
    Some(Event::default().event("state").data(state(&served, &changes).to_string()))
}

/// What the script is told.
fn state(served: &Served, changes: &Changes) -> Value {
    let findings = served.fresh.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    let errors: Vec<Value> = findings
        .clone()
        .take(NAMED)
        .map(|finding| {
            json!({ "path": finding.path, "line": finding.line, "message": finding.message, "hint": finding.hint })
        })
        .collect();
    let changed = match changes {
        Changes::Paths(paths) if paths.len() <= NAMED => json!(paths),
        // `null`: reload whatever is shown.
        _ => Value::Null,
    };
    json!({
        "version": served.version,
        "changed": changed,
        "failure": served.failure,
        "errors": errors,
        "error_count": findings.count(),
    })
}

#[cfg(test)]
mod tests {
    use super::inject;

    #[test]
    fn the_script_goes_into_the_head_or_to_the_end() {
        let injected = |page: &str| String::from_utf8(inject(page.as_bytes(), 7, "a\"b/index.html")).unwrap();
        let tag = "<script src=\"/_sitewright/reload.js\" data-version=\"7\" data-file=\"a&quot;b/index.html\" defer></script>";
        for (page, expected) in [
            ("<head><title>x</title></HEAD><body></body>", format!("<head><title>x</title>{tag}</HEAD><body></body>")),
            ("<p>x</body>", format!("<p>x{tag}</body>")),
            ("<p>x", format!("<p>x{tag}")),
            ("", tag.to_owned()),
        ] {
            assert_eq!(injected(page), expected);
        }
    }
}
