//! A site's folder in a git repository, opened: where things are, and the primitives that writes are made of.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use git2::{ObjectType, Oid};

use super::cache::Cache;
use super::disk::Disk;
use super::failure::io_error;
use super::handle::Handles;
use super::hash::object_id;
use super::line::Line;
use super::lock::{Queue, WriterLock};
use super::refs::{self, RefNames};
use super::revision::Identity;
use super::scan::Seen;
use super::{Work, message, refusal, tree};
use crate::error::{Error, Result};
use crate::model::config::Durability;
use crate::model::{BlobId, Data, Effects};

/// Supplies the time: revisions are stamped with it.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// How long a call waits for another writer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a repository is opened.
#[derive(Clone)]
pub struct OpenOptions {
    /// Supplies the time.
    pub clock: Clock,
    /// Author of edits; otherwise the person git is configured for.
    pub author: Option<Identity>,
    /// What an acknowledged edit survives.
    pub durability: Durability,
    /// The publish branch; otherwise the remote's main branch, otherwise the branch that is checked out.
    pub branch: Option<String>,
    /// Name of the remote.
    pub remote: String,
    /// The output folder, relative to the site.
    pub output: String,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(jiff::Timestamp::now),
            author: None,
            durability: Durability::default(),
            branch: None,
            remote: "origin".into(),
            output: "public".into(),
        }
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("author", &self.author)
            .field("durability", &self.durability)
            .field("branch", &self.branch)
            .field("remote", &self.remote)
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

/// An open site on one line of edits: its folder on disk, and the git repository around it. Cheap to clone.
///
/// Each operation has a git handle of its own, so that reads run beside each other and beside a write.
#[derive(Debug, Clone)]
pub struct Repository {
    shared: Arc<Shared>,
    line: Line,
    pub(super) effects: Effects,
}

/// What the lines of one site have in common.
#[derive(Debug)]
struct Shared {
    disk: Arc<Disk>,
    workdir: PathBuf,
    /// The worktree's own git directory: the writer lock lives there.
    git_dir: PathBuf,
    /// The git directory all worktrees share, opened for syncing.
    common: File,
    prefix: String,
    refs: RefNames,
    branch: String,
    options: OpenOptions,
    cache: Mutex<Cache>,
    seen: Mutex<Seen>,
    work: Work,
    handles: Arc<Handles>,
    files: RwLock<()>,
    writers: Arc<Queue>,
    publishers: Arc<Queue>,
}

impl Repository {
    /// Opens the site in a folder of an existing repository. Kinds of repository that cannot work are refused here, each
    /// with its cure.
    ///
    /// # Errors
    /// [`Error::NoSite`] without `site.yaml`, [`Error::UnsupportedRepository`] otherwise.
    pub fn open(site_dir: &Path, options: OpenOptions) -> Result<Self> {
        let shown = site_dir.display().to_string();
        let no_site = || Error::NoSite { dir: shown.clone() };
        let site_dir = std::fs::canonicalize(site_dir).map_err(|_| no_site())?;
        if !std::fs::symlink_metadata(site_dir.join(super::places::CONFIG)).is_ok_and(|m| m.is_file()) {
            return Err(no_site());
        }
        let git = refusal::open(&site_dir)?;
        Self::with(&site_dir, &git, options)
    }

    pub(crate) fn with(site_dir: &Path, git: &git2::Repository, options: OpenOptions) -> Result<Self> {
        refusal::check(git)?;
        let workdir = git.workdir().ok_or_else(refusal::bare)?;
        let workdir = std::fs::canonicalize(workdir).map_err(io_error("read", "the repository"))?;
        let prefix = prefix(&workdir, site_dir)?;
        refusal::check_ignored(git, &prefix)?;
        let worktree =
            git.is_worktree().then(|| git.path().file_name().map(|n| n.to_string_lossy().into_owned())).flatten();
        let branch = match &options.branch {
            Some(branch) => branch.clone(),
            None => default_branch(git, &options.remote),
        };
        if !git2::Reference::is_valid_name(&format!("refs/heads/{branch}")) {
            return Err(Error::InvalidConfig {
                path: super::places::CONFIG.into(),
                line: 0,
                problem: format!("`{branch}` is no possible branch name"),
            });
        }
        let shared = Shared {
            disk: Arc::new(Disk::open(site_dir)?),
            git_dir: git.path().to_owned(),
            common: File::open(git.commondir()).map_err(io_error("read", "the git directory"))?,
            refs: RefNames::new(&prefix, worktree.as_deref()),
            workdir,
            prefix,
            branch,
            options,
            cache: Mutex::default(),
            seen: Mutex::default(),
            work: Work::default(),
            handles: Arc::default(),
            files: RwLock::default(),
            writers: Arc::default(),
            publishers: Arc::default(),
        };
        Ok(Self { shared: Arc::new(shared), line: Line::Working, effects: Effects::default() })
    }

    /// The line of edits it works on.
    pub(crate) fn line(&self) -> &Line {
        &self.line
    }

    /// The same site on another line.
    pub(crate) fn on(&self, line: Line) -> Self {
        Self { shared: Arc::clone(&self.shared), line, effects: self.effects.clone() }
    }

    /// The blob id of these bytes: what git calls them, and the etag of every file.
    #[must_use]
    pub fn blob_id(bytes: &[u8]) -> BlobId {
        message::blob_id(object_id(ObjectType::Blob, bytes))
    }

    /// These bytes as a file of a snapshot.
    #[must_use]
    pub fn file(bytes: Vec<u8>) -> crate::model::File {
        crate::model::File { id: Self::blob_id(&bytes), size: bytes.len() as u64, data: Data::Loaded(bytes.into()) }
    }

    /// The publish branch.
    #[must_use]
    pub fn branch(&self) -> &str {
        &self.shared.branch
    }

    /// The output folder, relative to the site.
    #[must_use]
    pub fn output(&self) -> &str {
        &self.shared.options.output
    }

    /// The site's folder relative to the worktree's root, `""` at the root.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.shared.prefix
    }

    /// The site's folder on disk, to watch it and to show it.
    #[must_use]
    pub fn site_dir(&self) -> &Path {
        self.shared.disk.path()
    }

    /// The worktree's root on disk.
    #[must_use]
    pub fn workdir(&self) -> &Path {
        &self.shared.workdir
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &OpenOptions {
        &self.shared.options
    }

    /// Our refs.
    pub(crate) fn refs(&self) -> &RefNames {
        &self.shared.refs
    }

    /// The worktree's own git directory: state of ours that is no ref goes below `sitewright/` in it.
    pub(crate) fn git_dir(&self) -> &Path {
        &self.shared.git_dir
    }

    /// The git directory all worktrees share, to sync it.
    pub(crate) fn common(&self) -> &File {
        &self.shared.common
    }

    pub(crate) fn disk(&self) -> &Arc<Disk> {
        &self.shared.disk
    }

    pub(crate) fn cache(&self) -> MutexGuard<'_, Cache> {
        // What a panicking thread left is still a valid cache: entries are complete before they are put in.
        self.shared.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The working tree as it was seen last. Taken after [`Repository::reading`], and held while it is looked at again.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        // A look that a panic ended is not whole, and says so itself.
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Git handles that nobody uses at the moment.
    pub(crate) fn handles(&self) -> &Arc<Handles> {
        &self.shared.handles
    }

    /// What was done since the site was opened.
    #[must_use]
    pub fn work(&self) -> &Work {
        &self.shared.work
    }

    /// Held while the working tree is read, so that nobody in this process sees half of an edit.
    pub(crate) fn reading(&self) -> RwLockReadGuard<'_, ()> {
        self.shared.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while an edit is put in place.
    pub(crate) fn placing(&self) -> RwLockWriteGuard<'_, ()> {
        self.shared.files.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The repository-relative path of a site-relative one.
    pub(crate) fn whole(&self, path: &str) -> String {
        if self.shared.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.shared.prefix) }
    }

    /// The time now, by the clock this was opened with.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        (self.shared.options.clock)()
    }

    /// The commit HEAD points to; `None` on an unborn branch, and for a named change set, which knows of no checked out branch.
    pub(crate) fn head(&self, git: &git2::Repository) -> Result<Option<Oid>> {
        if self.is_working() { refs::target(git, "HEAD") } else { Ok(None) }
    }

    /// The ref of live: the remote-tracking branch, or the local branch where there is no such remote.
    pub(crate) fn live_ref(&self, git: &git2::Repository) -> String {
        if git.find_remote(&self.shared.options.remote).is_ok() {
            format!("refs/remotes/{}/{}", self.shared.options.remote, self.shared.branch)
        } else {
            format!("refs/heads/{}", self.shared.branch)
        }
    }

    /// The commit that is live; `None` before the first publish.
    pub(crate) fn live_commit(&self, git: &git2::Repository) -> Result<Option<Oid>> {
        refs::target(git, &self.live_ref(git))
    }

    /// The revision that is live; `None` before the first publish.
    pub fn live(&self) -> Result<Option<super::RevisionId>> {
        let git = self.git()?;
        Ok(self.live_commit(&git)?.map(message::revision_id))
    }

    /// Whether the change set already knows what is live (as far as it was fetched).
    pub fn live_taken_in(&self) -> Result<bool> {
        let git = self.git()?;
        let (Some(live), Some(tip)) = (self.live_commit(&git)?, self.tip_commit(&git)?) else { return Ok(true) };
        self.contains(&git, tip, live)
    }

    /// The tip of the line; for `working` HEAD where nothing was edited yet. [`Error::NotFound`] for a change set that was closed meanwhile.
    pub(crate) fn tip_commit(&self, git: &git2::Repository) -> Result<Option<Oid>> {
        if let Line::Named(id) = &self.line {
            return self.named_tip(git, id).map(Some);
        }
        match refs::target(git, &self.shared.refs.working)? {
            Some(tip) => Ok(Some(tip)),
            None => self.head(git),
        }
    }

    /// The site's part of a commit's tree.
    pub(crate) fn site_tree(&self, git: &git2::Repository, commit: Option<Oid>) -> Result<Option<Oid>> {
        tree::subtree(git, refs::tree_of(git, commit)?, &self.shared.prefix)
    }

    /// What differs in the site's sources between two commits, site-relative.
    pub(crate) fn compare(
        &self,
        git: &git2::Repository,
        old: Option<Oid>,
        new: Option<Oid>,
    ) -> Result<Vec<tree::Difference>> {
        let (old, new) = (self.site_tree(git, old)?, self.site_tree(git, new)?);
        let mut found = tree::compare_in(git, old, new, &super::places::may_hold)?;
        found.retain(|d| super::places::in_site(&d.path));
        Ok(found)
    }

    /// Takes the writer lock of this site.
    pub(crate) fn lock(&self) -> Result<WriterLock> {
        let name = self.shared.refs.namespace().rsplit('/').next().unwrap_or_default();
        WriterLock::take(&self.shared.writers, &self.shared.git_dir.join(format!("sitewright/{name}.lock")), PATIENCE)
    }

    /// Who waits to publish.
    pub(crate) fn publishers(&self) -> &Arc<Queue> {
        &self.shared.publishers
    }
}

fn prefix(workdir: &Path, site_dir: &Path) -> Result<String> {
    let unsupported = |problem: &str| Error::UnsupportedRepository {
        problem: problem.into(),
        cure: "Move the site to a folder inside the repository whose path is plain text.".into(),
    };
    let relative = site_dir.strip_prefix(workdir).map_err(|_| unsupported("the site is outside its working tree"))?;
    let relative = relative.to_str().ok_or_else(|| unsupported("the site's path is not valid UTF-8"))?;
    if relative.split('/').any(|part| part.eq_ignore_ascii_case(".git")) {
        return Err(unsupported("the site lies inside a git directory"));
    }
    Ok(relative.to_owned())
}

fn default_branch(git: &git2::Repository, remote: &str) -> String {
    let of_remote = git.find_reference(&format!("refs/remotes/{remote}/HEAD")).ok().and_then(|reference| {
        let target = reference.symbolic_target().ok().flatten()?.to_owned();
        target.strip_prefix(&format!("refs/remotes/{remote}/")).map(str::to_owned)
    });
    let checked_out = || {
        let head = git.find_reference("HEAD").ok()?;
        let target = head.symbolic_target().ok().flatten()?.to_owned();
        target.strip_prefix("refs/heads/").map(str::to_owned)
    };
    of_remote.or_else(checked_out).unwrap_or_else(|| "main".into())
}
