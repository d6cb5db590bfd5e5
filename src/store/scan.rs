//! The working tree as a snapshot: one `stat` per file, reading again only what may have changed.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;
use git2::Oid;
use walkdir::{DirEntry, WalkDir};

use super::Repository;
use super::disk::{There, read_in};
use super::failure::io_error;
use super::objects::{Entries, load};
use super::places;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Diagnostic, Severity, Snapshot};

/// Deeper folders are not looked into.
const MAX_DEPTH: usize = 60;

/// A file whose time stamp is this close to the moment it was read may change again without a new time stamp.
const RACY: Duration = Duration::from_millis(20);
/// The same where the file system keeps whole seconds only.
const RACY_COARSE: Duration = Duration::from_secs(2);

/// What is remembered between operations. Dropping any of it costs time and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    known: HashMap<String, Known>,
    last: Option<Arc<Snapshot>>,
    problems: Vec<Diagnostic>,
    /// Site trees as flat maps, newest first.
    pub(crate) entries: VecDeque<(Oid, Arc<Entries>)>,
    /// Site trees as snapshots, newest first.
    pub(crate) snapshots: VecDeque<(Oid, Arc<Snapshot>)>,
    /// A tip of `working` and the HEAD it is known to contain.
    pub(crate) contains: Option<(Oid, Oid)>,
}

impl Cache {
    /// The last snapshot of the working tree.
    pub(crate) fn last(&self) -> Option<&Arc<Snapshot>> {
        self.last.as_ref()
    }
}

#[derive(Debug)]
struct Known {
    stat: Stat,
    path: ContentPath,
    file: crate::model::File,
    /// Whether the time stamps were old enough when it was read to show any later change.
    settled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: (u64, u64),
}

impl Stat {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: (metadata.dev(), metadata.ino()),
        }
    }

    fn is_settled(self, now: SystemTime) -> bool {
        let margin = if self.changed.1 == 0 { RACY_COARSE } else { RACY };
        age(self.changed, now).is_some_and(|age| age > margin) && age(self.modified, now).is_none_or(|age| age > margin)
    }
}

/// `None`: in the future.
fn age((seconds, nanos): (i64, i64), now: SystemTime) -> Option<Duration> {
    let since = Duration::new(u64::try_from(seconds).unwrap_or_default(), u32::try_from(nanos).unwrap_or_default());
    now.duration_since(SystemTime::UNIX_EPOCH).ok()?.checked_sub(since)
}

/// What to do with a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Into,
    /// Git is told to ignore it and nothing of it was ever recorded.
    Ignored,
    /// A submodule.
    Foreign,
}

/// Whether a tree has a file below a folder.
fn holds(entries: &Entries, folder: &str) -> bool {
    let prefix = format!("{folder}/");
    let from = (std::ops::Bound::Included(prefix.as_str()), std::ops::Bound::Unbounded);
    entries.range::<str, _>(from).next().is_some_and(|(path, _)| path.starts_with(&prefix))
}

/// What a walk found.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    files: Vec<(String, Stat)>,
    problems: Vec<Diagnostic>,
    /// Temporary files of ours that a killed process left.
    pub(crate) leftovers: Vec<String>,
    /// Files with an editor's swap or lock file beside them.
    pub(crate) edited: HashSet<String>,
}

impl Repository {
    /// The line's files: the working tree as it is on disk, in the site's own folders; for a named change set those of its tip.
    ///
    /// Symbolic links, special files and nested repositories are not followed; see [`Repository::problems`].
    pub fn working(&self) -> Result<Arc<Snapshot>> {
        let git = self.git()?;
        Ok(self.scan(&git)?.0)
    }

    /// What the last look at the working tree had to leave out.
    #[must_use]
    pub fn problems(&self) -> Vec<Diagnostic> {
        if !self.is_working() {
            return Vec::new();
        }
        self.cache().problems.clone()
    }

    pub(crate) fn scan(&self, git: &git2::Repository) -> Result<(Arc<Snapshot>, Listing)> {
        if !self.is_working() {
            let tree = self.site_tree(git, self.tip_commit(git)?)?;
            return Ok((self.snapshot_of(git, tree)?, Listing::default()));
        }
        self.scan_disk(git)
    }

    fn scan_disk(&self, git: &git2::Repository) -> Result<(Arc<Snapshot>, Listing)> {
        let tip = self.entries_of(git, self.tip_commit(git)?)?;
        let head = self.entries_of(git, self.head(git)?)?;
        let tracked = |path: &str| tip.get(path).or_else(|| head.get(path)).copied();
        let reading = self.reading();
        let now = SystemTime::now();
        let has_tracked = |folder: &str| [&tip, &head].iter().any(|entries| holds(entries, folder));
        let look = |folder: &str| {
            if tracked(folder).is_some_and(|e| !e.is_file()) {
                Look::Foreign
            } else if !has_tracked(folder)
                && git.is_path_ignored(format!("{}/", self.whole(folder))).unwrap_or_default()
            {
                Look::Ignored
            } else {
                Look::Into
            }
        };
        let listing = self.list(&look)?;
        let mut cache = self.cache();
        let mut problems = listing.problems.clone();
        let mut known = std::mem::take(&mut cache.known);
        let mut kept = HashMap::with_capacity(listing.files.len());
        let mut reader = Reader { repository: self, open: None };
        let mut fresh = 0;
        for (path, stat) in &listing.files {
            if let Some((path, entry)) = known.remove_entry(path)
                && entry.settled
                && entry.stat == *stat
            {
                kept.insert(path, entry);
                continue;
            }
            if tracked(path).is_none() && git.is_path_ignored(self.whole(path)).unwrap_or_default() {
                continue;
            }
            fresh += 1;
            match reader.read(path)? {
                There::Nothing => {}
                There::Other(what) => {
                    problems.extend(problem(path, "not_a_file", &format!("is {what} and is left out")));
                }
                There::File { bytes, .. } => {
                    let checked = ContentPath::from_disk(path)?;
                    let file = load(path, bytes, cache.last.as_ref());
                    let settled = stat.is_settled(now);
                    kept.insert(path.clone(), Known { stat: *stat, path: checked, file, settled });
                }
            }
        }
        drop(reading);
        let unchanged = fresh == 0 && known.is_empty();
        cache.known = kept;
        cache.problems = problems;
        let snapshot = match cache.last.take() {
            Some(last) if unchanged && last.len() == cache.known.len() => last,
            last => {
                let files: BTreeMap<_, _> = cache.known.values().map(|k| (k.path.clone(), k.file.clone())).collect();
                let next = Snapshot::new(files);
                match last {
                    // Racily clean files were read again and are the same: keep the value others may hold.
                    Some(last) if *last == next => last,
                    _ => Arc::new(next),
                }
            }
        };
        cache.last = Some(Arc::clone(&snapshot));
        Ok((snapshot, listing))
    }

    fn list(&self, look: &dyn Fn(&str) -> Look) -> Result<Listing> {
        let mut listing = Listing::default();
        for folder in places::FOLDERS {
            self.list_below(folder, look, &mut listing)?;
        }
        self.list_below(places::CONFIG, look, &mut listing)?;
        Ok(listing)
    }

    fn list_below(&self, top: &str, look: &dyn Fn(&str) -> Look, listing: &mut Listing) -> Result<()> {
        let root = self.site_dir();
        let mut walk = WalkDir::new(root.join(top))
            .follow_links(false)
            .follow_root_links(false)
            .same_file_system(true)
            .max_depth(MAX_DEPTH)
            .into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // Gone between listing and looking, or a top folder that this site does not have.
                Err(error) if error.io_error().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound) => continue,
                // An unreadable folder must not pass for one whose files were deleted.
                Err(error) => return Err(unreadable(root, error)),
            };
            let Some(path) = relative(root, &entry) else {
                let shown = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy().into_owned();
                listing.problems.extend(problem(
                    &shown,
                    "not_a_name",
                    "has a name that is not plain UTF-8 and is left out",
                ));
                if entry.file_type().is_dir() {
                    walk.skip_current_dir();
                }
                continue;
            };
            if entry.file_type().is_dir() {
                if !listing.enter(&path, &entry, look) {
                    walk.skip_current_dir();
                }
            } else {
                listing.add(path, &entry).map_err(|error| unreadable(root, error))?;
            }
        }
        Ok(())
    }

    /// How long ago a path (or, where it is gone, its folder) was last written; `None` where that cannot be told.
    pub(crate) fn age(&self, path: &str) -> Option<Duration> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let dir = self.disk().folder(folder).ok()?;
        let metadata = dir.symlink_metadata(name).or_else(|_| dir.dir_metadata()).ok()?;
        use cap_std::fs::MetadataExt as _;
        age((metadata.mtime(), metadata.mtime_nsec()), SystemTime::now())
    }
}

impl Listing {
    /// Whether a folder is looked into.
    fn enter(&mut self, path: &str, entry: &DirEntry, look: &dyn Fn(&str) -> Look) -> bool {
        if !places::may_hold(path) {
            return false;
        }
        let look = look(path);
        if look == Look::Ignored {
            return false;
        }
        if look == Look::Foreign || entry.path().join(".git").symlink_metadata().is_ok() {
            self.problems.extend(problem(path, "nested_repository", "is a repository of its own and is left out"));
            return false;
        }
        true
    }

    fn add(&mut self, path: String, entry: &DirEntry) -> Result<(), walkdir::Error> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if let Some(target) = places::edited(name) {
            self.edited.insert(format!("{folder}/{target}"));
        }
        if name.starts_with(places::TEMPORARY) {
            self.leftovers.push(path);
            return Ok(());
        }
        if entry.file_type().is_symlink() && (places::in_site(&path) || places::may_hold(&path)) {
            self.problems.extend(problem(&path, "symlink", "is a symbolic link and is left out"));
            return Ok(());
        }
        if !places::in_site(&path) {
            return Ok(());
        }
        if !entry.file_type().is_file() {
            self.problems.extend(problem(&path, "not_a_file", "is no regular file and is left out"));
            return Ok(());
        }
        match entry.metadata() {
            Ok(metadata) => self.files.push((path, Stat::of(&metadata))),
            Err(error) if error.io_error().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Reads files, keeping the last folder open: files come folder by folder.
struct Reader<'r> {
    repository: &'r Repository,
    open: Option<(String, Dir)>,
}

impl Reader<'_> {
    fn read(&mut self, path: &str) -> Result<There> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if self.open.as_ref().is_none_or(|(open, _)| open != folder) {
            match self.repository.disk().folder(folder) {
                Ok(dir) => self.open = Some((folder.to_owned(), dir)),
                // Gone or replaced since it was listed: let the slow way say what is there.
                Err(_) => return self.repository.disk().read(path),
            }
        }
        match &self.open {
            Some((_, dir)) => read_in(dir, name).map_err(io_error("read", path)),
            None => Ok(There::Nothing),
        }
    }
}

fn relative(root: &std::path::Path, entry: &DirEntry) -> Option<String> {
    let path = entry.path().strip_prefix(root).ok()?.to_str()?;
    (!path.contains('\\')).then(|| path.to_owned())
}

fn unreadable(root: &std::path::Path, error: walkdir::Error) -> Error {
    let path = error.path().map(|p| p.strip_prefix(root).unwrap_or(p).to_string_lossy().into_owned());
    let source = error.into_io_error().unwrap_or_else(|| std::io::Error::other("the folder nests into itself"));
    Error::Io { action: "read", path: path.unwrap_or_default(), source }
}

fn problem(path: &str, code: &'static str, message: &str) -> Option<Diagnostic> {
    // A path that cannot even be named is told in the message of its folder.
    let plain: String = path.chars().map(|c| if matches!(c, '\\' | '\0' | '\u{FFFD}') { '_' } else { c }).collect();
    let path = ContentPath::from_disk(&plain).ok()?;
    let hint = "Replace it by a regular file with a plain name.";
    Some(Diagnostic::new(Severity::Warning, code, path.clone(), 0, format!("{path} {message}")).with_hint(hint))
}
