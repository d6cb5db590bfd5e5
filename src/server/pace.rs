//! How fast one caller may go: an even pace with room for a burst.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often something may happen, as a schedule that each event moves on.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: u32,
    /// Time that one event takes up.
    each: Duration,
    /// How far events may run ahead of the schedule at once.
    ahead: Duration,
    /// How long an event may be asked to wait before it is refused.
    patience: Duration,
    /// When the schedule is used up.
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most `per_second` events a second, that many at once, and no longer a wait than `patience`.
    pub(super) fn new(per_second: u32, patience: Duration) -> Self {
        let per_second = per_second.max(1);
        let each = Duration::from_secs(1) / per_second;
        Self { per_second, each, ahead: Duration::from_secs(1).saturating_sub(each), patience, next: Mutex::new(None) }
    }

    /// Events in a second.
    pub(super) fn per_second(&self) -> u32 {
        self.per_second
    }

    /// Takes a place: how long to wait before going on. `None`: too fast, nothing was taken.
    pub(super) fn take(&self, now: Instant) -> Option<Duration> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let place = next.map_or(now, |next| next.max(now));
        let wait = (place - now).saturating_sub(self.ahead);
        if wait > self.patience {
            return None;
        }
        *next = Some(place + self.each);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_through_then_it_is_even_then_it_is_refused() {
        let pace = Pace::new(10, Duration::from_millis(250));
        let start = Instant::now();
        for event in 0..10 {
            assert_eq!(pace.take(start), Some(Duration::ZERO), "{event}");
        }
        assert_eq!(pace.take(start), Some(Duration::from_millis(100)));
        assert_eq!(pace.take(start), Some(Duration::from_millis(200)));
        assert_eq!(pace.take(start), None);
        assert_eq!(pace.take(start + Duration::from_millis(100)), Some(Duration::from_millis(200)));
        assert_eq!(pace.take(start + Duration::from_mins(1)), Some(Duration::ZERO));
    }
}
