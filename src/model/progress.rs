//! How far a long call is, and whether anyone still waits for it: told and asked between steps, never part of a result.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};

/// Someone who follows a call.
pub trait Follower: Send + Sync {
    /// Nobody waits any more: the call should end at its next step.
    fn cancelled(&self) -> bool;
    /// This part of the whole is done, from 0 to 1, and this is what goes on now.
    fn report(&self, done: f64, what: &str);
    /// From here on the call goes through, whoever stops waiting.
    fn committed(&self) {}
}

/// A part of a call, with its place in the whole. The default has no follower, and is never cancelled.
#[derive(Clone)]
pub struct Progress {
    follower: Option<Arc<dyn Follower>>,
    from: f64,
    to: f64,
}

impl Default for Progress {
    fn default() -> Self {
        Self { follower: None, from: 0.0, to: 1.0 }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Progress({}..{})", self.from, self.to)
    }
}

impl Progress {
    /// A whole call that `follower` follows.
    pub fn followed_by(follower: Arc<dyn Follower>) -> Self {
        Self { follower: Some(follower), ..Self::default() }
    }

    /// A part of this part, by its ends from 0 to 1.
    #[must_use]
    pub fn part(&self, from: f64, to: f64) -> Self {
        Self { follower: self.follower.clone(), from: self.at(from), to: self.at(to) }
    }

    /// Whether nobody waits any more.
    pub fn is_cancelled(&self) -> bool {
        self.follower.as_ref().is_some_and(|follower| follower.cancelled())
    }

    /// Ends a call that nobody waits for; asked between steps, never after something was written.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn proceed(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Tells how much of this part is done and what goes on now, and ends a call that nobody waits for.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn step(&self, done: f64, what: &str) -> Result<()> {
        self.proceed()?;
        self.report(done, what);
        Ok(())
    }

    /// Tells how much of this part is done and what goes on now.
    pub fn report(&self, done: f64, what: &str) {
        if let Some(follower) = &self.follower {
            follower.report(self.at(done), what);
        }
    }

    /// The last chance to end: from here on the call goes through.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn commit(&self) -> Result<()> {
        if let Some(follower) = &self.follower {
            // Told first: who waits for the end must not give up between the question and the first byte written.
            follower.committed();
        }
        self.proceed()
    }

    fn at(&self, part: f64) -> f64 {
        self.from + (self.to - self.from) * part.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Notes(Mutex<Vec<(f64, String)>>);

    impl Follower for Notes {
        fn cancelled(&self) -> bool {
            self.0.lock().expect("no panic").len() >= 3
        }

        fn report(&self, done: f64, what: &str) {
            self.0.lock().expect("no panic").push((done, what.to_owned()));
        }
    }

    #[test]
    fn parts_lie_within_the_whole_and_end_when_nobody_waits() {
        let notes = Arc::new(Notes::default());
        let whole = Progress::followed_by(Arc::clone(&notes) as _);
        let half = whole.part(0.5, 1.0);
        half.step(0.0, "a").expect("it goes on");
        half.part(0.0, 0.5).step(1.0, "b").expect("it goes on");
        half.step(7.0, "c").expect("it goes on");
        assert!(matches!(half.step(1.0, "d"), Err(Error::Cancelled)));
        assert!(matches!(whole.commit(), Err(Error::Cancelled)));
        let told = notes.0.lock().expect("no panic").clone();
        assert_eq!(told, [(0.5, "a".to_owned()), (0.75, "b".to_owned()), (1.0, "c".to_owned())]);
        assert!(Progress::default().step(0.5, "x").is_ok());
    }
}
