//! Writes the journal: one line for each call, on a thread of its own, so that no call waits for it or fails by it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::arguments_kept;
use super::entry::Entry;
use super::journal_files::{ARGUMENTS, CALLS, Files};
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
/// How often a server that is left alone looks for files that are too old.
const LOOK: Duration = Duration::from_hours(1);

/// The journal of one server.
#[derive(Debug, Default)]
pub struct Journal {
    on: Option<(OwnFiles, Key)>,
    keeps_arguments: bool,
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
        // Whatever the level is now: what was said is kept for a day.
        Files::new(&ARGUMENTS, files.clone()).prune(site.now().as_millisecond());
        let key = match level {
            Level::Off => None,
            Level::Metadata | Level::Debug => {
                Key::of(&files).inspect_err(|error| tracing::warn!(%error, "no journal is written: no key")).ok()
            }
        };
        let mut journal = Self::default();
        journal.keeps_arguments = level == Level::Debug && key.is_some();
        journal.on = key.map(|key| (files, key));
        journal
    }

    /// Whether the arguments of calls are kept for a day, redacted; callers are told.
    #[must_use]
    pub fn keeps_arguments(&self) -> bool {
        self.keeps_arguments
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
        let arguments = Files::new(&ARGUMENTS, files.clone());
        let mut desk = Desk { calls: Files::new(&CALLS, files), arguments, last: (0, Instant::now()), key };
        let work = move || write(&received, &mut desk, &lost);
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

/// What the thread writes with.
struct Desk {
    calls: Files,
    arguments: Files,
    /// When the last call came in by the site's clock, and by ours.
    last: (i64, Instant),
    key: Key,
}

impl Desk {
    /// Writes a call down; whether there is something that would not survive a power cut.
    fn note(&mut self, mut entry: Entry, line: &mut Vec<u8>) -> bool {
        let at = entry.at;
        self.last = (at, Instant::now());
        if let Some(said) = entry.said.take() {
            self.arguments.append(&arguments_kept::line(&entry.call, &entry.tool, &said), at);
        }
        let record = entry.record(&self.key, env!("CARGO_PKG_VERSION"));
        line.clear();
        if serde_json::to_writer(&mut *line, &record).is_err() {
            return false;
        }
        line.push(b'\n');
        self.calls.append(line, at)
    }

    /// Removes what is too old by now.
    fn tidy(&mut self) {
        let (at, since) = self.last;
        self.arguments.prune(at.saturating_add(since.elapsed().as_millis() as i64));
    }
}

/// The thread: writes what comes, and flushes after a publish, in a pause, and at the end.
fn write(received: &Receiver<Message>, desk: &mut Desk, lost: &AtomicU64) {
    let mut line = Vec::with_capacity(1024);
    let mut dirty = false;
    loop {
        match received.recv_timeout(if dirty { IDLE } else { LOOK }) {
            Ok(Message::Call(entry)) => {
                let live = entry.outcome == Outcome::Ok && entry.tool == "publish";
                dirty |= desk.note(*entry, &mut line);
                if live {
                    dirty &= !desk.calls.sync();
                }
            }
            Ok(Message::Flush(done)) => {
                dirty &= !desk.calls.sync();
                // Who asked may have stopped waiting.
                let _ = done.send(());
            }
            Err(RecvTimeoutError::Timeout) if dirty => dirty = !desk.calls.sync(),
            Err(RecvTimeoutError::Timeout) => desk.tidy(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if dirty {
        desk.calls.sync();
    }
    let lost = lost.load(Ordering::Relaxed);
    if lost > 0 {
        tracing::warn!(lost, "calls came faster than the journal could be written");
    }
}
