//! Runs one tool where blocking is allowed: the panic guard, cancellation, and word of how far it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::Peer;
use serde_json::{Map, Value};
use tokio::task::JoinError;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::tools::{Answer, Context, Follower, Refusal, Tool};

/// How long a cancelled call may still run before its caller's connection is let go.
const CANCEL_GRACE: Duration = Duration::from_millis(400);
/// A call that is over sooner says nothing on its way.
const FIRST_WORD: Duration = Duration::from_secs(1);
/// Time between two words.
const NEXT_WORD: Duration = Duration::from_millis(500);
/// How long a client may take to take a word.
const WORD_PATIENCE: Duration = Duration::from_millis(200);
/// What a call's progress counts up to.
const TOTAL: f64 = 100.0;
/// How much is added where a step takes long: clients give up on calls that stand still, and may not be told a number twice.
const CREEP: f64 = 0.01;

/// What the call says, and what its caller does.
#[derive(Debug)]
pub(super) struct Waiting {
    cancelled: CancellationToken,
    committed: AtomicBool,
    state: Mutex<(f64, String)>,
}

impl Waiting {
    pub(super) fn new(cancelled: CancellationToken) -> Arc<Self> {
        let state = Mutex::new((0.0, "Starting".to_owned()));
        Arc::new(Self { cancelled, committed: AtomicBool::new(false), state })
    }
}

impl Follower for Waiting {
    fn cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    fn report(&self, done: f64, what: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Pages are counted by several threads at once: the later word may arrive first.
        if done >= state.0 {
            *state = (done, what.to_owned());
        }
    }

    fn committed(&self) {
        self.committed.store(true, Ordering::SeqCst);
    }
}

/// Says how far a call is, in numbers that only grow.
struct Words {
    peer: Peer<RoleServer>,
    token: ProgressToken,
    last: f64,
}

impl Words {
    async fn say(&mut self, waiting: &Waiting) {
        let (done, what) = waiting.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = (done * TOTAL).max(self.last + (TOTAL - self.last) * CREEP);
        self.last = now;
        let word = ProgressNotificationParam::new(self.token.clone(), now).with_total(TOTAL).with_message(what);
        // Progress is a courtesy: a client that does not take it gets its answer all the same.
        let _ = timeout(WORD_PATIENCE, self.peer.notify_progress(word)).await;
    }
}

/// Runs the tool to its end, or until its caller is gone and nothing is being written.
pub(super) async fn run(
    tool: Tool,
    context: Context,
    arguments: Map<String, Value>,
    waiting: Arc<Waiting>,
    follow: Option<(Peer<RoleServer>, ProgressToken)>,
) -> Result<Answer, Refusal> {
    let name = tool.name().to_owned();
    let mut job = tokio::task::spawn_blocking(move || tool.call(&context, arguments));
    let mut words = follow.map(|(peer, token)| Words { peer, token, last: 0.0 });
    let mut clock = interval_at(Instant::now() + FIRST_WORD, NEXT_WORD);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let outcome = loop {
        tokio::select! {
            outcome = &mut job => break outcome,
            () = waiting.cancelled.cancelled() => match timeout(CANCEL_GRACE, &mut job).await {
                Ok(outcome) => break outcome,
                // What is being written is written to its end.
                Err(_) if waiting.committed.load(Ordering::SeqCst) => break job.await,
                // It goes on to its next step and ends there; nobody waits for the answer.
                Err(_) => return Err(Error::Cancelled.into()),
            },
            _ = clock.tick() => if let Some(words) = &mut words { words.say(&waiting).await },
        }
    };
    outcome.unwrap_or_else(|failure| {
        let cause = cause(failure);
        tracing::error!(tool = name, cause, "a tool panicked");
        Err(Error::internal(format!("{name} panicked: {cause}")).into())
    })
}

/// Why a task ended without an answer.
pub(super) fn cause(failure: JoinError) -> String {
    match failure.try_into_panic() {
        Ok(panic) => panic_text(panic.as_ref()),
        Err(failure) => failure.to_string(),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".to_owned())
}
