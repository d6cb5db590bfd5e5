//! The writer lock: one writer at a time on a site, whether in this process or another; within a process in the order they came.

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::failure::io_error;
use crate::error::{Error, Result};

/// Who waits for a lock in this process, first come first served.
///
/// The file lock alone is won by whoever asks at the right moment: with many clients some would wait for seconds while others
/// write many times.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    /// The first one has the turn.
    tickets: VecDeque<u64>,
}

impl Queue {
    /// Waits for this caller's turn; `None` when it does not come in time.
    fn turn(self: &Arc<Self>, patience: Duration) -> Option<Turn> {
        let mut waiting = self.waiting();
        let ticket = waiting.next;
        waiting.next += 1;
        waiting.tickets.push_back(ticket);
        let turn = Turn { queue: Arc::clone(self), ticket };
        let others = |waiting: &mut Waiting| waiting.tickets.front() != Some(&ticket);
        let waited = self.moved.wait_timeout_while(waiting, patience, others);
        let (waiting, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        // Released before `turn` may be dropped, which takes it again.
        drop(waiting);
        (!outcome.timed_out()).then_some(turn)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, given up when dropped.
#[derive(Debug)]
struct Turn {
    queue: Arc<Queue>,
    ticket: u64,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.queue.waiting().tickets.retain(|ticket| *ticket != self.ticket);
        self.queue.moved.notify_all();
    }
}

/// Held for as long as the value lives; the system frees it if the process dies.
#[derive(Debug)]
pub(crate) struct WriterLock {
    // Closed before the turn passes on, so that the next one finds the file free.
    _file: File,
    _turn: Turn,
}

impl WriterLock {
    /// Takes the lock, waiting for `patience`.
    pub(crate) fn take(queue: &Arc<Queue>, path: &Path, patience: Duration) -> Result<Self> {
        let shown = "the writer lock in the git directory";
        let fail = |error| io_error("write", shown)(error);
        let start = Instant::now();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fail)?;
        }
        // Opened anew for every taker: the lock belongs to the open file.
        let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path).map_err(fail)?;
        let Some(turn) = queue.turn(patience) else { return Err(Error::Busy { holder: holder(&mut file) }) };
        let mut wait = Duration::from_millis(1);
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(fail(error)),
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                    sleep(wait);
                    wait = (wait * 2).min(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => return Err(Error::Busy { holder: holder(&mut file) }),
            }
        }
        // Only a hint for whoever waits too long, so a failure to write it does not matter.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file, _turn: turn })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(20).read_to_string(&mut text));
    match read {
        Ok(_) if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) => {
            format!("another writer (process {text}) has been at work for a while")
        }
        _ => "another writer has been at work for a while".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_waits_and_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sitewright/writer.lock");
        let queue: Arc<Queue> = Arc::default();
        let held = WriterLock::take(&queue, &path, Duration::ZERO).unwrap();
        // Another queue is another process: only the file tells them apart. The same one is another thread.
        for queue in [&Arc::default(), &queue] {
            let error = WriterLock::take(queue, &path, Duration::from_millis(20)).unwrap_err();
            assert_eq!(error.code(), "busy");
            assert!(error.to_string().contains(&std::process::id().to_string()));
        }
        drop(held);
        WriterLock::take(&queue, &path, Duration::ZERO).unwrap();
    }

    #[test]
    fn who_came_first_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("writer.lock");
        let queue: Arc<Queue> = Arc::default();
        let patience = Duration::from_mins(1);
        let order = Mutex::new(Vec::new());
        let held = WriterLock::take(&queue, &path, patience).unwrap();
        std::thread::scope(|scope| {
            for (at, name) in ["first", "second", "third"].into_iter().enumerate() {
                let (queue, path, order) = (&queue, &path, &order);
                scope.spawn(move || {
                    let _mine = WriterLock::take(queue, path, patience).unwrap();
                    order.lock().unwrap().push(name);
                });
                // The next one comes when this one stands in line, and has waited long enough for one that polls to become slow.
                while queue.waiting().tickets.len() < 2 + at {
                    sleep(Duration::from_millis(1));
                }
                sleep(Duration::from_millis(60));
            }
            drop(held);
            // The one that just had it asks again at once, and comes last.
            let _again = WriterLock::take(&queue, &path, patience).unwrap();
            order.lock().unwrap().push("again");
        });
        assert_eq!(*order.lock().unwrap(), ["first", "second", "third", "again"]);
    }
}
