//! What one can do with a site: free functions, one file per noun, over a small [`Site`] handle.

pub mod address;
mod after;
mod anchor;
pub mod asset;
mod call;
pub mod change;
pub mod change_set;
pub mod check;
pub mod configure;
pub mod draft;
pub mod edit;
mod etag;
mod expand;
mod hold;
pub mod import;
pub mod init;
mod mend;
pub mod output;
pub mod overview;
pub mod page;
mod person;
pub mod preview;
pub mod publish;
pub mod rehearsal;
pub mod resource;
mod review;
pub mod revision;
mod rollback;
pub mod schedule;
mod scope;
mod shown;
pub mod starter;
pub mod text;
pub mod text_diff;
pub mod theme;
mod warm;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::build::{self, Built, Cache, Company, Scope};
use crate::error::{Error, Result};
use crate::model::config::PublishConfig;
use crate::model::{Config, ContentPath, Effects, Progress, Snapshot};
use crate::outside::deliver::Courier;
use crate::store::{self, Clock, Identity, OpenOptions, Repository};

pub use call::Call;
// What replies show of the store, so that the tools need not know it.
pub use crate::store::{Change, ChangeKind, ChangeSet, Published, PushReport, Revision, RevisionKind, Unpublished};
pub use crate::store::{Growing, OwnFile, OwnFiles};
use call::{OpenedSets, Receipts};

/// How many library builds are remembered: the working tree, the live state, one in between, and some of named change sets.
const REMEMBERED_BUILDS: usize = 8;

/// What a site needs from outside, as values, so that tests are deterministic.
#[derive(Clone)]
pub struct Settings {
    /// The only clock.
    pub clock: Clock,
    /// Author of edits; `None`: the user of git's configuration.
    pub author: Option<Identity>,
}

/// A library build that is still valid for one snapshot.
struct Remembered {
    snapshot: Arc<Snapshot>,
    drafts: bool,
    /// When a scheduled page comes up or one expires: the library is another one from then on.
    until: Option<jiff::Timestamp>,
    built: Arc<Built>,
}

/// An open site on one line of edits: the working tree, or a named change set. Cheap to make: work kept between calls is shared.
pub struct Site {
    repository: Repository,
    shared: Arc<Shared>,
}

/// Work kept between calls, which never changes a result.
struct Shared {
    clock: Clock,
    cache: Cache,
    remembered: Mutex<Vec<Remembered>>,
    receipts: Mutex<Receipts>,
    opened: Mutex<OpenedSets>,
    reports: Mutex<check::Kept>,
    host: Mutex<Option<Arc<dyn preview::Host>>>,
    upload_folders: Mutex<Vec<PathBuf>>,
    sizes: Mutex<asset::Sizes>,
    /// Held while an image is decoded: each takes hundreds of megabytes at worst.
    decoding: Mutex<()>,
    courier: Courier,
    /// What was asked for of what earlier processes kept.
    recalled: Mutex<BTreeSet<String>>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}

impl Site {
    /// Opens the site in a folder that holds `site.yaml` and lies in a git work tree.
    ///
    /// # Errors
    /// `NoSite`, `InvalidConfig`, `UnsupportedRepository`, and what reading can fail with.
    pub fn open(folder: &Path, settings: Settings) -> Result<Self> {
        let config = Self::publish_config(folder)?;
        let options = OpenOptions {
            clock: settings.clock.clone(),
            author: settings.author,
            durability: config.durability,
            branch: config.branch,
            remote: config.remote,
            output: config.output,
        };
        let repository = Repository::open(folder, options)?;
        let shared = Shared {
            clock: settings.clock,
            cache: Cache::default(),
            remembered: Mutex::default(),
            receipts: Mutex::default(),
            opened: Mutex::default(),
            reports: Mutex::default(),
            host: Mutex::default(),
            upload_folders: Mutex::default(),
            sizes: Mutex::default(),
            decoding: Mutex::default(),
            courier: Courier::default(),
            recalled: Mutex::default(),
        };
        Ok(Self { repository, shared: Arc::new(shared) })
    }

    /// The same site about another line of its edits.
    fn on(&self, repository: Repository) -> Self {
        Self { repository, shared: Arc::clone(&self.shared) }
    }

    /// The same site for one call, whose effects are noted.
    #[must_use]
    pub fn noting(&self, effects: Effects) -> Self {
        self.on(self.repository.noting(effects))
    }

    /// Where the call's effects are noted.
    #[must_use]
    pub fn effects(&self) -> &Effects {
        self.repository.effects()
    }

    /// The same site about a named change set.
    ///
    /// # Errors
    /// `NotFound` with near matches where no such set is open.
    pub fn in_change_set(&self, id: &str) -> Result<Self> {
        match self.repository.in_change_set(id) {
            Ok(repository) => Ok(self.on(repository)),
            Err(Error::NotFound { kind, name, .. }) => {
                let near = change_set::near(self, &name);
                Err(Error::NotFound { kind, name, near })
            }
            Err(error) => Err(error),
        }
    }

    /// The same site about its working tree.
    #[must_use]
    pub fn in_working(&self) -> Self {
        self.on(self.repository.in_working())
    }

    /// What `site.yaml` says about publishing. One that cannot be read opens with the defaults: mending it is an edit too.
    fn publish_config(folder: &Path) -> Result<PublishConfig> {
        let mut only_config = Snapshot::default();
        only_config.set(ContentPath::from_disk("site.yaml")?, Some(Repository::file(store::config_text(folder)?)));
        Ok(Config::load(&only_config).map(|(config, _)| config.publish).unwrap_or_default())
    }

    /// The repository below.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The present moment.
    pub fn now(&self) -> jiff::Timestamp {
        (self.shared.clock)()
    }

    /// Sets who serves previews; without one, `preview` writes to a temporary folder only.
    pub fn set_preview_host(&self, host: Arc<dyn preview::Host>) {
        *lock(&self.shared.host) = Some(host);
    }

    /// Allows local files in these folders to be uploaded, besides those that `site.yaml` names.
    pub fn allow_uploads_from(&self, folders: Vec<PathBuf>) {
        *lock(&self.shared.upload_folders) = folders;
    }

    /// Who brings messages to addresses elsewhere.
    pub fn courier(&self) -> &Courier {
        &self.shared.courier
    }

    /// Builds a snapshot with this site's cache.
    pub fn build(&self, snapshot: &Snapshot, scope: Scope, drafts: bool, base_url: Option<String>) -> Result<Built> {
        self.build_followed(snapshot, scope, drafts, base_url, &Progress::default())
    }

    /// The same for a caller who wants to know how far it is, and may stop waiting.
    pub fn build_followed(
        &self,
        snapshot: &Snapshot,
        scope: Scope,
        drafts: bool,
        base_url: Option<String>,
        progress: &Progress,
    ) -> Result<Built> {
        let options = build::Options { base_url, ..self.build_options(scope, drafts) };
        self.recall(&options);
        build::build_followed(snapshot, &options, &self.shared.cache, progress)
    }

    /// Builds a snapshot for who has outputs of an earlier build: those that stand are not made again.
    pub fn build_further(
        &self,
        snapshot: &Snapshot,
        scope: Scope,
        progress: &Progress,
        have: &build::Have<'_>,
    ) -> Result<Built> {
        let company = Company { progress: Some(progress), have: Some(have), ..Company::default() };
        let options = self.build_options(scope, false);
        self.recall(&options);
        build::build_with(snapshot, &options, &self.shared.cache, company)
    }

    /// What a build of this site is given besides the snapshot.
    pub fn build_options(&self, scope: Scope, drafts: bool) -> build::Options {
        let pictures = asset::pictures(self);
        build::Options { now: self.now(), drafts, future: drafts, base_url: None, scope, pictures }
    }

    /// Builds a snapshot for who looks at each rendered page and keeps none.
    pub fn inspect(
        &self,
        snapshot: &Snapshot,
        scope: Scope,
        drafts: bool,
        progress: &Progress,
        look: &build::Look<'_>,
    ) -> Result<Built> {
        let options = self.build_options(scope, drafts);
        self.recall(&options);
        build::inspect(snapshot, &options, &self.shared.cache, progress, look)
    }

    /// The library and diagnostics of a snapshot, remembered for as long as the snapshot is current.
    pub fn library(&self, snapshot: &Arc<Snapshot>, drafts: bool) -> Result<Arc<Built>> {
        self.library_followed(snapshot, drafts, &Progress::default())
    }

    /// The same for a caller who wants to know how far it is, and may stop waiting.
    pub fn library_followed(&self, snapshot: &Arc<Snapshot>, drafts: bool, progress: &Progress) -> Result<Arc<Built>> {
        let mut remembered = lock(&self.shared.remembered);
        let now = self.now();
        remembered.retain(|r| r.until.is_none_or(|until| now < until));
        if let Some(at) = remembered.iter().position(|r| r.drafts == drafts && r.snapshot.same_files(snapshot)) {
            let hit = remembered.remove(at);
            let built = Arc::clone(&hit.built);
            remembered.push(hit);
            return Ok(built);
        }
        drop(remembered);
        let built = Arc::new(self.build_followed(snapshot, Scope::Nothing, drafts, None, progress)?);
        self.remember(snapshot, drafts, &built);
        Ok(built)
    }

    /// Keeps a build for the next call that meets the same files: after an edit that is the very next one.
    fn remember(&self, snapshot: &Arc<Snapshot>, drafts: bool, built: &Arc<Built>) {
        let until = built.until;
        let mut remembered = lock(&self.shared.remembered);
        if remembered.len() >= REMEMBERED_BUILDS {
            remembered.remove(0);
        }
        remembered.push(Remembered { snapshot: Arc::clone(snapshot), drafts, until, built: Arc::clone(built) });
    }

    /// The line's files (the working tree as it is on disk), with their library (drafts and scheduled pages are part of it, in their state).
    pub fn working(&self) -> Result<(Arc<Snapshot>, Arc<Built>)> {
        self.working_followed(&Progress::default())
    }

    /// The same for a caller who wants to know how far it is, and may stop waiting.
    pub fn working_followed(&self, progress: &Progress) -> Result<(Arc<Snapshot>, Arc<Built>)> {
        progress.proceed()?;
        let snapshot = self.repository.working()?;
        let built = self.library_followed(&snapshot, false, progress)?;
        Ok((snapshot, built))
    }

    /// What visitors see now: the live sources, empty where nothing was ever published.
    pub fn live(&self) -> Result<Arc<Snapshot>> {
        match self.repository.live()? {
            Some(id) => self.repository.snapshot_at(&id),
            None => Ok(Arc::default()),
        }
    }

    /// The configuration of the working tree.
    pub fn config(&self) -> Result<Config> {
        Ok(Config::load(&*self.repository.working()?)?.0)
    }
}

/// A lock whose holder panicked still guards caches only, which never change a result: go on with it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
