//! Bounds a conversation with a remote: how long it may be silent, how long it may take, and that a child ends with it.

use std::io::{self, Read};
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Reason;

/// The limits of one conversation, and its last sign of life.
#[derive(Debug)]
pub(super) struct Bound {
    start: Instant,
    whole: Duration,
    silence: Duration,
    /// Milliseconds after `start`.
    heard: AtomicU64,
    given_up: AtomicBool,
    child: Mutex<Option<Child>>,
    own: Mutex<Own>,
}

/// What was spent on work of our own, for which the other side is not to blame.
#[derive(Debug, Default)]
struct Own {
    spent: Duration,
    since: Option<Instant>,
}

impl Bound {
    fn new(whole: Duration, silence: Duration) -> Self {
        Self {
            start: Instant::now(),
            whole,
            silence,
            heard: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
            child: Mutex::new(None),
            own: Mutex::default(),
        }
    }

    /// Does work of our own, however long it takes: a first pack of a large site takes minutes.
    pub(super) fn apart<T>(&self, work: impl FnOnce() -> T) -> T {
        self.own().since = Some(Instant::now());
        let done = work();
        let mut own = self.own();
        let took = own.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        own.spent += took;
        drop(own);
        self.alive();
        done
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the conversation took so far.
    fn elapsed(&self) -> Duration {
        let own = self.own();
        let apart = own.spent + own.since.map_or(Duration::ZERO, |since| since.elapsed());
        self.start.elapsed().saturating_sub(apart)
    }

    /// Records a sign of life; whether the conversation may go on.
    pub(super) fn alive(&self) -> bool {
        let now = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
        !self.given_up.load(Ordering::Relaxed) && self.elapsed() < self.whole
    }

    /// What is left of the whole time.
    pub(super) fn left(&self) -> Duration {
        self.whole.saturating_sub(self.elapsed())
    }

    /// Hands over a child that must not outlive the conversation.
    pub(super) fn adopt(&self, child: Child) {
        self.end_child();
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        if self.given_up.load(Ordering::Relaxed) {
            self.end_child();
        }
    }

    /// Ends the child, if there is one.
    pub(super) fn end_child(&self) {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut child) = child {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Why it is time to give up, or how long to go on waiting.
    fn judge(&self) -> Result<Duration, String> {
        let heard = Duration::from_millis(self.heard.load(Ordering::Relaxed));
        let silent = self.elapsed().saturating_sub(heard);
        if self.left().is_zero() {
            return Err(format!("no end within {} s", self.whole.as_secs_f32()));
        }
        if silent >= self.silence {
            return Err(format!("no answer for {} s", self.silence.as_secs_f32()));
        }
        Ok(self.silence.saturating_sub(silent).min(self.left()))
    }
}

/// Runs a conversation in a thread of its own, because no read or write in it can be interrupted safely from outside.
///
/// A thread that is given up ends when its connection does; what it still pushes is found by the next fetch.
pub(super) fn run<T: Send + 'static>(
    whole: Duration,
    silence: Duration,
    work: impl FnOnce(&Arc<Bound>) -> Result<T, Reason> + Send + 'static,
) -> Result<T, Reason> {
    let bound = Arc::new(Bound::new(whole, silence));
    let (send, receive) = channel();
    let theirs = Arc::clone(&bound);
    std::thread::Builder::new().name("remote".into()).spawn(move || {
        let result = work(&theirs);
        theirs.end_child();
        // Nobody listens once it is given up.
        let _ = send.send(result);
    })?;
    loop {
        let wait = match bound.judge() {
            Ok(wait) => wait,
            Err(reason) => {
                bound.given_up.store(true, Ordering::Relaxed);
                bound.end_child();
                return Err(Reason::new(reason));
            }
        };
        match receive.recv_timeout(wait.max(Duration::from_millis(5))) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Reason::new("the conversation ended unexpectedly")),
        }
    }
}

/// A reader whose every byte is a sign of life, and that ends with the conversation.
pub(super) struct Listening<R> {
    inner: R,
    bound: Arc<Bound>,
}

impl<R> Listening<R> {
    pub(super) fn new(inner: R, bound: &Arc<Bound>) -> Self {
        Self { inner, bound: Arc::clone(bound) }
    }
}

impl<R: Read> Read for Listening<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if self.bound.alive() { Ok(read) } else { Err(io::ErrorKind::TimedOut.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_ends_a_conversation_and_life_prolongs_it() {
        let (whole, silence) = (Duration::from_secs(20), Duration::from_millis(200));
        let (end, ended) = channel::<()>();
        let slept = run(whole, silence, move |_| {
            // Until nobody waits for it any more.
            let _ = ended.recv();
            Ok(())
        });
        drop(end);
        assert!(slept.unwrap_err().0.contains("no answer for 0.2 s"));
        let lived = run(whole, Duration::from_secs(1), |bound| {
            for _ in 0..30 {
                std::thread::sleep(Duration::from_millis(50));
                assert!(bound.alive());
            }
            Ok(7)
        });
        assert_eq!(lived.unwrap(), 7);
    }

    #[test]
    fn work_of_our_own_is_not_held_against_the_other_side() {
        let limit = Duration::from_millis(200);
        let worked = run(limit, limit, move |bound| {
            bound.apart(|| std::thread::sleep(3 * limit));
            assert!(bound.alive());
            Ok(7)
        });
        assert_eq!(worked.unwrap(), 7);
    }

    #[test]
    fn a_conversation_that_never_ends_is_given_up_however_lively() {
        let (end, ended) = channel::<()>();
        let talked = run(Duration::from_millis(200), Duration::from_secs(20), move |bound| {
            while bound.alive() {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = ended.recv();
            Ok(())
        });
        drop(end);
        assert!(talked.unwrap_err().0.contains("no end within"));
    }
}
