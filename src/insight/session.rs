//! Which calls belong together: by trace, by a handle of the client, by connection, or by who calls without a long pause. For grouping
//! only: nobody is trusted for it.

use std::collections::HashMap;

use super::keyed::Key;

/// A pause that ends a session, in milliseconds.
const PAUSE: i64 = 30 * 60 * 1000;
/// Sessions that are remembered; the one that was silent longest goes first.
const REMEMBERED: usize = 512;

/// What a call says about where it comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Trace context of W3C, as in `_meta.traceparent`.
    pub traceparent: Option<String>,
    /// A name the client gave its task, in `_meta`.
    pub handle: Option<String>,
    /// The connection, where one is a conversation.
    pub connection: Option<String>,
    /// Who calls: name of the token.
    pub principal: String,
    /// With what.
    pub client: String,
}

/// A call's place in its session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// Id of the session.
    pub session: String,
    /// How it was found.
    pub source: &'static str,
    /// Number of the call in it, from 1.
    pub seq: u64,
}

/// The sessions that are going on.
#[derive(Debug, Default)]
pub(super) struct Sessions(HashMap<String, Going>);

#[derive(Debug)]
struct Going {
    session: String,
    last: i64,
    calls: u64,
}

impl Sessions {
    /// Places a call that came in at `at`.
    pub(super) fn place(&mut self, key: &Key, origin: &Origin, at: i64) -> Placed {
        let (source, mark) = mark(origin);
        let name = format!("{source} {mark}");
        let begins = |at: i64| format!("s-{}", &key.digest(format!("{name} {at}").as_bytes())[..12]);
        // One trace is one session, however long it takes.
        let begin = if source == "traceparent" { 0 } else { at };
        let going = self.0.entry(name.clone()).or_insert_with(|| Going { session: begins(begin), last: at, calls: 0 });
        if source != "traceparent" && at - going.last > PAUSE {
            *going = Going { session: begins(at), last: at, calls: 0 };
        }
        going.last = going.last.max(at);
        going.calls += 1;
        let placed = Placed { session: going.session.clone(), source, seq: going.calls };
        if self.0.len() > REMEMBERED {
            let oldest = self.0.iter().min_by_key(|(name, going)| (going.last, name.as_str()));
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                self.0.remove(&oldest);
            }
        }
        placed
    }
}

/// How the session is found, and what makes it one.
fn mark(origin: &Origin) -> (&'static str, String) {
    if let Some(trace) = origin.traceparent.as_deref().and_then(trace_id) {
        ("traceparent", trace.to_owned())
    } else if let Some(handle) = &origin.handle {
        ("handle", format!("{} {handle}", origin.principal))
    } else if let Some(connection) = &origin.connection {
        ("connection", connection.clone())
    } else {
        ("idle", format!("{} {}", origin.principal, origin.client))
    }
}

/// The trace id of `00-<trace id>-<parent id>-<flags>`.
fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let valid =
        version.len() == 2 && hex(version) && trace.len() == 32 && hex(trace) && trace.bytes().any(|b| b != b'0');
    valid.then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mark_counts_and_a_pause_begins_anew() {
        let key = Key::from_bytes(&[7; 32]);
        let mut sessions = Sessions::default();
        let trace = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
        let mut origin = Origin { principal: "a".into(), client: "c 1".into(), ..Origin::default() };
        let mut place = |origin: &Origin, at: i64| sessions.place(&key, origin, at);
        let idle = place(&origin, 0);
        assert_eq!((idle.source, idle.seq), ("idle", 1));
        assert_eq!(place(&origin, PAUSE).session, idle.session);
        let next = place(&origin, 2 * PAUSE + 1);
        assert_ne!(next.session, idle.session);
        assert_eq!(next.seq, 1);
        origin.connection = Some("x".into());
        assert_eq!(place(&origin, 3 * PAUSE).source, "connection");
        origin.handle = Some("task".into());
        assert_eq!(place(&origin, 3 * PAUSE).source, "handle");
        origin.traceparent = Some(trace.into());
        let traced = place(&origin, 0);
        assert_eq!(place(&origin, 9 * PAUSE).session, traced.session);
        assert_eq!(trace_id("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), None);
        assert_eq!(trace_id("nonsense"), None);
    }
}
