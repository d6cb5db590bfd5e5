//! What is served: the newest build of the working change set, and labelled builds that never change.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;

use super::headers::HeaderRules;
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, Diagnostic, OutputData, Outputs};

/// Labelled builds kept at most; the oldest go first.
const LABELS: usize = 16;
/// How many builds back a browser can be and still learn exactly what changed.
const REMEMBERED_CHANGES: usize = 32;

/// Where previews get their builds and the bytes of copied files from.
pub trait Source: Send + Sync {
    /// Builds the working change set, drafts and scheduled pages included, for this address.
    ///
    /// # Errors
    /// Whatever makes a build impossible, such as a `site.yaml` that cannot be read.
    fn build(&self, base_url: &str) -> Result<(Outputs, Vec<Diagnostic>)>;

    /// The bytes of a source file that an output is a copy of.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn bytes(&self, path: &ContentPath, id: BlobId) -> Result<Arc<[u8]>>;
}

/// One build that can be served.
#[derive(Debug)]
pub struct Served {
    /// Grows with every build of the working change set; 0 for labelled builds.
    pub version: u64,
    /// Output files.
    pub outputs: Outputs,
    /// All findings of the build.
    pub diagnostics: Vec<Diagnostic>,
    /// Why the newest state could not be built; the outputs are those of the last state that could.
    pub failure: Option<String>,
    pub(super) headers: HeaderRules,
}

/// What changed from one build of the working change set to a later one.
pub(super) enum Changes {
    /// These output paths.
    Paths(BTreeSet<String>),
    /// Too long ago to tell.
    Unknown,
}

#[derive(Default)]
struct State {
    working: Option<Arc<Served>>,
    /// Version before, version after, and the output paths that differ.
    changes: VecDeque<(u64, u64, BTreeSet<String>)>,
    labels: VecDeque<(String, Arc<Served>)>,
}

/// Everything one preview server shows. Shared between the server and whoever makes edits.
pub struct Previews {
    source: Arc<dyn Source>,
    origin: OnceLock<String>,
    state: Mutex<State>,
    building: Mutex<()>,
    version: watch::Sender<u64>,
}

impl fmt::Debug for Previews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Previews").field("origin", &self.origin.get()).finish_non_exhaustive()
    }
}

impl Previews {
    /// Previews of what `source` builds. `first_version` should differ between processes (a time in milliseconds will
    /// do), so that a browser left open from the one before notices.
    #[must_use]
    pub fn new(source: Arc<dyn Source>, first_version: u64) -> Self {
        Self {
            source,
            origin: OnceLock::new(),
            state: Mutex::default(),
            building: Mutex::default(),
            version: watch::Sender::new(first_version.max(1)),
        }
    }

    /// Says that the working change set may have changed: it is built again when somebody looks.
    pub fn touch(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// The address of the server without a final slash, such as `http://127.0.0.1:4401`; `None` until it is bound.
    pub fn origin(&self) -> Option<&str> {
        self.origin.get().map(String::as_str)
    }

    pub(super) fn set_origin(&self, origin: String) {
        let _ = self.origin.set(origin);
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// The address at which a build with this label is served: what such a build needs as its `base_url`.
    ///
    /// # Errors
    /// `InvalidArguments` for a label that is not 1 to 64 of `a-z`, `0-9` and `-`; `Internal` before the server is bound.
    pub fn label_url(&self, label: &str) -> Result<String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if label.is_empty() || label.len() > 64 || !label.chars().all(plain) {
            return Err(Error::InvalidArguments {
                field: "label".into(),
                problem: format!("`{label}` is not 1 to 64 of a-z, 0-9 and -"),
                example: "only-3f2a".into(),
            });
        }
        let origin = self.origin().ok_or_else(|| Error::internal("the preview server is not bound"))?;
        Ok(format!("{origin}/_p/{label}/"))
    }

    /// Serves a build under a label, in place of an older one of the same label, and returns its address. It is served
    /// byte for byte: nothing is injected.
    ///
    /// # Errors
    /// As [`Previews::label_url`].
    pub fn register(&self, label: &str, outputs: Outputs, diagnostics: Vec<Diagnostic>) -> Result<String> {
        let url = self.label_url(label)?;
        let headers = self.header_rules(&outputs);
        let served = Arc::new(Served { version: 0, outputs, diagnostics, failure: None, headers });
        let mut state = lock(&self.state);
        state.labels.retain(|(known, _)| known != label);
        if state.labels.len() >= LABELS {
            state.labels.pop_front();
        }
        state.labels.push_back((label.to_owned(), served));
        Ok(url)
    }

    /// The build with a label.
    pub fn labelled(&self, label: &str) -> Option<Arc<Served>> {
        lock(&self.state).labels.iter().find(|(known, _)| known == label).map(|(_, served)| Arc::clone(served))
    }

    /// The working change set as it is now, built first where it changed. Blocks; never fails: a state that cannot be
    /// built shows as [`Served::failure`].
    pub fn working(&self) -> Arc<Served> {
        // One build at a time; whoever waited here finds it done.
        let _building = lock(&self.building);
        // Read before the build: an edit made during it asks for another one.
        let wanted = *self.version.borrow();
        let before = lock(&self.state).working.clone();
        if let Some(served) = &before
            && served.version == wanted
        {
            return Arc::clone(served);
        }
        let base_url = format!("{}/", self.origin().unwrap_or("http://127.0.0.1"));
        let served = match self.source.build(&base_url) {
            Ok((outputs, diagnostics)) => {
                let headers = self.header_rules(&outputs);
                Served { version: wanted, outputs, diagnostics, failure: None, headers }
            }
            Err(error) => {
                let outputs = before.as_ref().map(|served| served.outputs.clone()).unwrap_or_default();
                let headers = self.header_rules(&outputs);
                let failure = Some(format!("{error}\n{}", error.hint()));
                Served { version: wanted, outputs, diagnostics: Vec::new(), failure, headers }
            }
        };
        let served = Arc::new(served);
        let mut state = lock(&self.state);
        if let Some(before) = &before {
            if state.changes.len() >= REMEMBERED_CHANGES {
                state.changes.pop_front();
            }
            state.changes.push_back((before.version, wanted, differing(&before.outputs, &served.outputs)));
        }
        state.working = Some(Arc::clone(&served));
        served
    }

    /// Which outputs differ between two versions that browsers saw.
    pub(super) fn changes(&self, since: u64, until: u64) -> Changes {
        if since == until {
            return Changes::Paths(BTreeSet::new());
        }
        let state = lock(&self.state);
        let Some(start) = state.changes.iter().position(|(from, _, _)| *from == since) else { return Changes::Unknown };
        let steps = state.changes.iter().skip(start).take_while(|(_, to, _)| *to <= until);
        Changes::Paths(steps.flat_map(|(_, _, paths)| paths.iter().cloned()).collect())
    }

    /// The bytes of an output.
    pub(super) fn bytes(&self, data: &OutputData) -> Result<Arc<[u8]>> {
        match data {
            OutputData::Bytes(bytes) => Ok(Arc::clone(bytes)),
            OutputData::Copy(path, id) => self.source.bytes(path, *id),
        }
    }

    fn header_rules(&self, outputs: &Outputs) -> HeaderRules {
        let bytes = outputs.get("_headers").and_then(|output| self.bytes(&output.data).ok());
        bytes.map(|bytes| HeaderRules::parse(&String::from_utf8_lossy(&bytes))).unwrap_or_default()
    }
}

fn differing(before: &Outputs, after: &Outputs) -> BTreeSet<String> {
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let other = after.iter().filter(|(path, output)| before.get(*path).is_none_or(|old| old.data != output.data));
    gone.chain(other.map(|(path, _)| path)).cloned().collect()
}

/// Every value is replaced as a whole, so a holder that panicked leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
