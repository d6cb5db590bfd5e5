//! Writes the journal: one line for each call, on a thread of its own, so that no call waits for it or fails by it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Map, Value};

use super::entry::Entry;
use super::journal_files::Files;
use super::keyed::Key;
use super::record::Outcome;
use super::session::{Origin, Placed, Sessions};
use super::settings::Level;
use super::shape::Arguments;
use crate::site::{OwnFiles, Site};

/// Calls that may wait to be written; more are counted and not written.
const WAITING: usize = 1024;
/// After this pause what was written is made to survive a power cut.
const IDLE: Duration = Duration::from_secs(5);
/// How long a flush is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Where the journal's files are.
pub(super) const FOLDER: &str = "var/journal";

/// The journal of one server.
#[derive(Debug, Default)]
pub struct Journal {
    on: Option<(OwnFiles, Key)>,
    sessions: Mutex<Sessions>,
    writer: Mutex<Option<Writer>>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Writer {
    messages: SyncSender<Message>,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
enum Message {
    Call(Box<Entry>),
    Flush(SyncSender<()>),
}

impl Journal {
    /// The journal of a site. Nothing is made before the first call; a folder that cannot be written has none.
    #[must_use]
    pub fn open(site: &Site, level: Level) -> Self {
        let files = site.repository().own_files();
        let key = match level {
            Level::Off => None,
            Level::Metadata => {
                Key::of(&files).inspect_err(|error| tracing::warn!(%error, "no journal is written: no key")).ok()
            }
        };
        let mut journal = Self::default();
        journal.on = key.map(|key| (files, key));
        journal
    }

    /// Whether calls are written down.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on.is_some()
    }

    /// What may be known of a call's arguments; asked before the tool takes them.
    #[must_use]
    pub fn arguments(&self, schema: Option<&Map<String, Value>>, arguments: &Map<String, Value>) -> Arguments {
        self.on.as_ref().map(|(_, key)| Arguments::of(key, schema, arguments)).unwrap_or_default()
    }

    /// A call's place among those that belong together.
    #[must_use]
    pub fn place(&self, origin: &Origin, at: i64) -> Placed {
        let Some((_, key)) = &self.on else { return Placed::default() };
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).place(key, origin, at)
    }

    /// Writes a call down, some time soon.
    pub fn record(&self, entry: Entry) {
        let Some((files, key)) = &self.on else { return };
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if writer.is_none() {
            *writer = Writer::start(files.clone(), key.clone(), Arc::clone(&self.lost));
        }
        let sent = writer.as_ref().map(|writer| writer.messages.try_send(Message::Call(Box::new(entry))));
        if !matches!(sent, Some(Ok(()))) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was recorded so far is on the disk.
    pub fn flush(&self) {
        let messages = {
            let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.as_ref().map(|writer| writer.messages.clone())
        };
        let (done, waiting) = mpsc::sync_channel(1);
        if messages.is_some_and(|messages| messages.send(Message::Flush(done)).is_ok()) {
            // A disk that hangs must not hold up the end of the process.
            let _ = waiting.recv_timeout(PATIENCE);
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Writer { messages, thread }) = writer {
            drop(messages);
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Writer {
    fn start(files: OwnFiles, key: Key, lost: Arc<AtomicU64>) -> Option<Self> {
        let (messages, received) = mpsc::sync_channel(WAITING);
        let work = move || write(&received, &mut Files::new(files), &key, &lost);
        let thread = std::thread::Builder::new().name("journal".into()).spawn(work);
        match thread {
            Ok(thread) => Some(Self { messages, thread }),
            Err(error) => {
                tracing::warn!(%error, "no journal is written: no thread");
                None
            }
        }
    }
}

/// The thread: writes what comes, and flushes after a publish, in a pause, and at the end.
fn write(received: &Receiver<Message>, files: &mut Files, key: &Key, lost: &AtomicU64) {
    let mut line = Vec::with_capacity(1024);
    let mut dirty = false;
    loop {
        let message = if dirty { received.recv_timeout(IDLE) } else { received.recv().map_err(Into::into) };
        match message {
            Ok(Message::Call(entry)) => {
                let live = entry.outcome == Outcome::Ok && entry.tool == "publish";
                let at = entry.at;
                let record = entry.record(key, env!("CARGO_PKG_VERSION"));
                line.clear();
                if serde_json::to_writer(&mut line, &record).is_ok() {
                    line.push(b'\n');
                    dirty |= files.append(&line, at);
                }
                if live {
                    dirty &= !files.sync();
                }
            }
            Ok(Message::Flush(done)) => {
                dirty &= !files.sync();
                // Who asked may have stopped waiting.
                let _ = done.send(());
            }
            Err(RecvTimeoutError::Timeout) => dirty &= !files.sync(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if dirty {
        files.sync();
    }
    let lost = lost.load(Ordering::Relaxed);
    if lost > 0 {
        tracing::warn!(lost, "calls came faster than the journal could be written");
    }
}
