//! Sends messages to addresses elsewhere, signed, in the background: tried again a few times, logged, and never waited for
//! longer than the caller wants to.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ring::hmac;
use ureq::http::header;

use super::guard::{Guard, parse};
use super::http::{self, Fault, Patience};

/// How often a message is sent at most.
const TRIES: u32 = 4;
/// Each wait is this many times the one before.
const LONGER: u64 = 4;
/// Milliseconds before the second try.
const FIRST_WAIT: u64 = 500;
/// How long one try may take.
const EACH: Duration = Duration::from_secs(10);
/// Messages that are on their way at most; more are let go, and logged.
const MOST: usize = 32;
/// Outcomes that are remembered.
const REMEMBERED: usize = 50;

/// One message.
#[derive(Clone)]
pub struct Delivery {
    /// What it is, for the log: `webhook publish`, `indexnow`.
    pub what: String,
    /// Where it goes.
    pub url: String,
    /// Headers besides the content type, which is JSON.
    pub headers: Vec<(&'static str, String)>,
    /// JSON.
    pub body: Vec<u8>,
    /// Signs the body.
    pub secret: Option<Vec<u8>>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it was.
    pub what: String,
    /// The host it went to: the rest of an address can be a secret.
    pub host: String,
    /// How often it was sent.
    pub tries: u32,
    /// Why it was not taken; `None`: it was.
    pub problem: Option<String>,
}

/// Sends messages, each in a thread of its own.
#[derive(Debug, Clone)]
pub struct Courier {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    first_wait: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    outcomes: Vec<Outcome>,
}

impl Default for Courier {
    fn default() -> Self {
        let shared =
            Shared { state: Mutex::default(), changed: Condvar::new(), first_wait: AtomicU64::new(FIRST_WAIT) };
        Self { shared: Arc::new(shared) }
    }
}

impl Courier {
    /// Sets the wait before the second try.
    pub fn set_first_wait(&self, wait: Duration) {
        self.shared.first_wait.store(u64::try_from(wait.as_millis()).unwrap_or(FIRST_WAIT), Ordering::Relaxed);
    }

    /// Sends a message, and returns at once.
    pub fn send(&self, guard: &Guard, delivery: Delivery) {
        let mut state = self.shared.state();
        if state.waiting >= MOST {
            drop(state);
            return self.shared.done(&delivery, 0, Some("too many messages are on their way".into()));
        }
        state.waiting += 1;
        drop(state);
        let (shared, guard) = (Arc::clone(&self.shared), guard.clone());
        let first_wait = self.shared.first_wait.load(Ordering::Relaxed);
        let name = std::thread::Builder::new().name("deliver".into());
        let unsent = delivery.clone();
        let started = name.spawn(move || {
            let (tries, problem) = deliver(&guard, &delivery, first_wait);
            shared.done(&delivery, tries, problem);
            shared.state().waiting -= 1;
            shared.changed.notify_all();
        });
        if started.is_err() {
            self.shared.done(&unsent, 0, Some("no thread could be started".into()));
            self.shared.state().waiting -= 1;
        }
    }

    /// Waits until nothing is on its way, at most so long; how many messages still are.
    pub fn wait(&self, patience: Duration) -> usize {
        let end = Instant::now() + patience;
        let mut state = self.shared.state();
        while state.waiting > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting
    }

    /// What became of the last messages, the oldest first.
    #[must_use]
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.shared.state().outcomes.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, delivery: &Delivery, tries: u32, problem: Option<String>) {
        let host = parse(&delivery.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        match &problem {
            None => tracing::info!(what = delivery.what, host, tries, "delivered"),
            Some(problem) => tracing::warn!(what = delivery.what, host, tries, problem, "not delivered"),
        }
        let mut state = self.state();
        if state.outcomes.len() >= REMEMBERED {
            state.outcomes.remove(0);
        }
        state.outcomes.push(Outcome { what: delivery.what.clone(), host, tries, problem });
    }
}

/// Sends until it is taken, is refused for good, or was tried often enough; how often, and why it was not taken.
fn deliver(guard: &Guard, delivery: &Delivery, first_wait: u64) -> (u32, Option<String>) {
    let mut wait = first_wait;
    for tries in 1..=TRIES {
        let problem = match attempt(guard, delivery) {
            Ok(()) => return (tries, None),
            Err((problem, again)) if !again || tries == TRIES => return (tries, Some(problem)),
            Err((problem, _)) => problem,
        };
        tracing::info!(what = delivery.what, tries, problem, "is sent again");
        std::thread::sleep(Duration::from_millis(wait));
        wait = wait.saturating_mul(LONGER);
    }
    (TRIES, Some("it was not taken".into()))
}

/// One try; why it failed, and whether another one makes sense.
fn attempt(guard: &Guard, delivery: &Delivery) -> Result<(), (String, bool)> {
    let url = parse(&delivery.url).map_err(|problem| (problem, false))?;
    let patience = Patience { connect: EACH, whole: EACH };
    let agent = http::agent(guard, url.scheme() == "https", patience);
    let mut request = agent.post(url.as_str()).header(header::CONTENT_TYPE, "application/json; charset=utf-8");
    for (name, value) in &delivery.headers {
        request = request.header(*name, value);
    }
    if let Some(secret) = &delivery.secret {
        request = request.header("X-Sitewright-Signature", format!("sha256={}", signature(secret, &delivery.body)));
    }
    let answer = request.send(delivery.body.as_slice()).map_err(|error| match http::fault(&error) {
        Fault::Refused(problem) => (problem, false),
        Fault::Gone(problem) | Fault::Failed(problem) => (problem, true),
    })?;
    match answer.status().as_u16() {
        200..=299 => Ok(()),
        // What is wrong with the message will be wrong again, unless it only came too early or too often.
        status @ 300..=499 => Err((format!("it answers {status}"), matches!(status, 408 | 425 | 429))),
        status => Err((format!("it answers {status}"), true)),
    }
}

/// HMAC-SHA256 in hexadecimal digits.
fn signature(secret: &[u8], body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut text = String::with_capacity(64);
    for byte in hmac::sign(&key, body).as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_rfc_4231() {
        let text = signature(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
