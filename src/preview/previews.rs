//! What is served: the newest build of the working change set, and labelled builds that never change.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::watch;

use super::headers::HeaderRules;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Data, Diagnostic, Digest, File, OutputData, Outputs, Snapshot};

/// Labelled builds kept at most; the oldest go first.
const LABELS: usize = 16;
/// How many builds back a browser can be and still learn exactly what changed.
const REMEMBERED_CHANGES: usize = 32;

/// Where previews get their builds and the bytes of copied files from.
pub trait Source: Send + Sync {
    /// Builds the working change set, drafts and scheduled pages included, for this address; what stands of the build before
    /// need not be made again.
    ///
    /// # Errors
    /// Whatever makes a build impossible, such as a `site.yaml` that cannot be read.
    fn build(&self, base_url: &str, before: Option<&Fresh>) -> Result<Fresh>;

    /// Whether what was built from this snapshot is still the newest state; cheap. A watch may notice a change later than
    /// whoever made it asks for the page.
    fn is_current(&self, _snapshot: &Arc<Snapshot>) -> bool {
        true
    }

    /// The bytes of a source file that is not loaded.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn bytes(&self, path: &ContentPath, file: &File) -> Result<Arc<[u8]>>;
}

/// A build as a [`Source`] hands it over.
#[derive(Debug, Default)]
pub struct Fresh {
    /// Output files.
    pub outputs: Outputs,
    /// Digests of those that were rendered.
    pub digests: BTreeMap<String, Digest>,
    /// All findings.
    pub diagnostics: Vec<Diagnostic>,
    /// What it was built from: supplies the bytes of copied files.
    pub snapshot: Arc<Snapshot>,
}

/// One build that can be served.
#[derive(Debug)]
pub struct Served {
    /// Grows with every build of the working change set; 0 for labelled builds.
    pub version: u64,
    /// Output files and findings.
    pub fresh: Fresh,
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

    /// Only the first bound address counts: one server shows these previews.
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
    pub fn register(&self, label: &str, fresh: Fresh) -> Result<String> {
        let url = self.label_url(label)?;
        let headers = self.header_rules(&fresh);
        let served = Arc::new(Served { version: 0, fresh, failure: None, headers });
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
        let (fresh, failure) = match self.source.build(&base_url, before.as_deref().map(|before| &before.fresh)) {
            Ok(fresh) => (fresh, None),
            Err(error) => (last_good(before.as_deref()), Some(format!("{error}\n{}", error.hint()))),
        };
        let headers = self.header_rules(&fresh);
        let served = Served { version: wanted, fresh, failure, headers };
        let served = Arc::new(served);
        let mut state = lock(&self.state);
        if let Some(before) = &before {
            if state.changes.len() >= REMEMBERED_CHANGES {
                state.changes.pop_front();
            }
            state.changes.push_back((before.version, wanted, differing(&before.fresh.outputs, &served.fresh.outputs)));
        }
        state.working = Some(Arc::clone(&served));
        served
    }

    /// As [`Previews::working`], after a look whether something changed that nobody told us about.
    pub fn newest(&self) -> Arc<Served> {
        let served = self.working();
        if self.source.is_current(&served.fresh.snapshot) {
            return served;
        }
        self.touch();
        self.working()
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

    /// The bytes of an output of a build.
    pub(super) fn bytes(&self, fresh: &Fresh, data: &OutputData) -> Result<Arc<[u8]>> {
        match data {
            OutputData::Bytes(bytes) => Ok(Arc::clone(bytes)),
            OutputData::Copy(path, id) => match fresh.snapshot.get(path).filter(|file| file.id == *id) {
                Some(File { data: Data::Loaded(bytes), .. }) => Ok(Arc::clone(bytes)),
                Some(file) => self.source.bytes(path, file),
                None => self.source.bytes(path, &File { id: *id, size: 0, data: Data::Handle }),
            },
        }
    }

    fn header_rules(&self, fresh: &Fresh) -> HeaderRules {
        let bytes = fresh.outputs.get("_headers").and_then(|output| self.bytes(fresh, &output.data).ok());
        bytes.map(|bytes| HeaderRules::parse(&String::from_utf8_lossy(&bytes))).unwrap_or_default()
    }
}

/// What to go on showing while the newest state cannot be built; its findings are outdated.
fn last_good(before: Option<&Served>) -> Fresh {
    let Some(Served { fresh, .. }) = before else { return Fresh::default() };
    let (outputs, digests) = (fresh.outputs.clone(), fresh.digests.clone());
    Fresh { outputs, digests, diagnostics: Vec::new(), snapshot: Arc::clone(&fresh.snapshot) }
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
