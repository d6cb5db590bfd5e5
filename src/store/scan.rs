//! The working tree as a snapshot: what the kernel says may have changed is looked at, and everything where that is in doubt.

mod events;
mod read;
mod rules;
mod saved;
mod stat;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Repository;
use super::message::blob_id;
use super::objects::Entries;
use super::places;
use crate::error::Result;
use crate::model::{ContentPath, Diagnostic, Snapshot};
use events::{Events, Heard};
use read::{Found, read};
use rules::Rules;
pub(super) use rules::personal_folder;
pub(super) use stat::Stat;
use stat::age;
use walk::{Listing, Look, Walk, problem};

/// How many more files than this may be read before the index is saved again; in a large site a twentieth of it.
const UNSAVED: usize = 200;

/// The working tree as it was seen last. Dropping any of it costs time and nothing else.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    files: BTreeMap<ContentPath, Known>,
    snapshot: Arc<Snapshot>,
    problems: BTreeMap<String, Diagnostic>,
    leftovers: BTreeSet<String>,
    /// Files with an editor's swap or lock file beside them, by the path of that file.
    edited: BTreeMap<String, String>,
    /// Files and folders that git is told to ignore.
    ignored: BTreeSet<String>,
    /// Whether the kernel is to be asked what changed.
    follows: bool,
    events: Option<Events>,
    /// Whether everything but what the kernel tells is as it was seen.
    is_whole: bool,
    rules: Option<Rules>,
    /// The files of the tip and of HEAD at the last look.
    recorded: [Arc<Entries>; 2],
    /// What an earlier process saw, until the first look.
    saved: Option<saved::Saved>,
    /// Files that were read since the index was saved.
    unsaved: usize,
}

#[derive(Debug)]
struct Known {
    stat: Stat,
    /// Whether the time stamps were old enough when it was read to show any later change.
    settled: bool,
}

/// What beside the files themselves a writer has to know.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// Temporary files of ours that a killed process left.
    pub(crate) leftovers: Vec<String>,
    /// Files with an editor's swap or lock file beside them.
    pub(crate) edited: BTreeSet<String>,
}

/// What is to be looked at.
enum Doubt {
    Everything,
    Paths(BTreeSet<String>),
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
        self.seen().problems.values().cloned().collect()
    }

    /// From now on the kernel is asked what changed, where it can tell, so that a look costs what did: for whoever stays.
    pub fn follow(&self) {
        self.seen().follows = true;
    }

    /// The next look is at everything, whatever the kernel tells.
    pub(crate) fn doubt(&self) {
        self.seen().is_whole = false;
    }

    pub(crate) fn scan(&self, git: &git2::Repository) -> Result<(Arc<Snapshot>, Beside)> {
        if !self.is_working() {
            let tree = self.site_tree(git, self.tip_commit(git)?)?;
            return Ok((self.snapshot_of(git, tree)?, Beside::default()));
        }
        self.scan_disk(git)
    }

    fn scan_disk(&self, git: &git2::Repository) -> Result<(Arc<Snapshot>, Beside)> {
        let recorded = [self.entries_of(git, self.tip_commit(git)?)?, self.entries_of(git, self.head(git)?)?];
        let reading = self.reading();
        let mut seen = self.seen();
        let now = SystemTime::now();
        if seen.files.is_empty() && seen.saved.is_none() {
            seen.saved = Some(saved::load(self.disk()));
        }
        let doubt = seen.doubt(self, git, &recorded);
        // Until this look has ended well, nothing of it counts.
        seen.is_whole = false;
        let everything = matches!(doubt, Doubt::Everything);
        // Ignore rules are read anew: a handle keeps those whose file looks the same.
        let opened = if everything { Some(self.open_git()?) } else { None };
        let git = opened.as_ref().unwrap_or(git);
        let (listing, old) = seen.list(self, git, doubt, &recorded)?;
        seen.take_in(self, git, listing, old, &recorded, now)?;
        if everything {
            seen.drop_unlisted();
        }
        drop(reading);
        seen.is_whole = true;
        seen.save(self);
        seen.recorded = recorded;
        self.cache().last = Some(Arc::clone(&seen.snapshot));
        let beside = Beside {
            leftovers: seen.leftovers.iter().cloned().collect(),
            edited: seen.edited.values().cloned().collect(),
        };
        Ok((Arc::clone(&seen.snapshot), beside))
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

impl Seen {
    /// What may differ from what was seen last.
    fn doubt(&mut self, repository: &Repository, git: &git2::Repository, recorded: &[Arc<Entries>; 2]) -> Doubt {
        let heard = self.events.as_mut().map(Events::hear);
        let rules = Rules::of(repository, git);
        let same_rules = self.rules.as_ref() == Some(&rules);
        self.rules = Some(rules);
        let mut paths = match heard {
            Some(Heard::Paths(paths)) if self.is_whole && same_rules => paths,
            Some(Heard::Deaf) => {
                self.events = None;
                // It would only go deaf again.
                self.follows = false;
                return Doubt::Everything;
            }
            _ => return Doubt::Everything,
        };
        if !self.ignored.is_empty() {
            for (was, is) in self.recorded.iter().zip(recorded) {
                for difference in was.changes(is, PartialEq::eq) {
                    let path = difference.path.as_str();
                    let above = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path]);
                    paths.extend(above.filter(|path| self.ignored.contains(*path)).map(str::to_owned));
                }
            }
        }
        let others = paths.clone();
        paths.retain(|path| !path.match_indices('/').any(|(at, _)| others.contains(&path[..at])));
        Doubt::Paths(paths)
    }

    /// Lists what is in doubt, and answers with what was known there.
    fn list(
        &mut self,
        repository: &Repository,
        git: &git2::Repository,
        doubt: Doubt,
        recorded: &[Arc<Entries>; 2],
    ) -> Result<(Listing, BTreeMap<ContentPath, Known>)> {
        let tracked = |path: &str| recorded.iter().find_map(|entries| entries.get(path));
        let look = |folder: &str| {
            if tracked(folder).is_some_and(|entry| !entry.is_file()) {
                Look::Foreign
            } else if !recorded.iter().any(|entries| entries.under(folder).next().is_some())
                && git.is_path_ignored(format!("{}/", repository.whole(folder))).unwrap_or_default()
            {
                Look::Ignored
            } else {
                Look::Into
            }
        };
        let mut old = BTreeMap::new();
        let root = repository.site_dir();
        let paths: Vec<String> = match doubt {
            Doubt::Everything => {
                old = std::mem::take(&mut self.files);
                (self.problems, self.edited) = (BTreeMap::new(), BTreeMap::new());
                (self.leftovers, self.ignored) = (BTreeSet::new(), BTreeSet::new());
                // What was heard before is part of what is looked at now.
                self.events = if self.follows { Events::start(root) } else { None };
                places::FOLDERS.iter().chain([&places::CONFIG]).map(|name| (*name).to_owned()).collect()
            }
            Doubt::Paths(paths) => {
                for path in &paths {
                    self.forget(path, &mut old);
                }
                paths.into_iter().collect()
            }
        };
        let mut walk = Walk::new(root, &look, self.events.as_mut());
        for path in &paths {
            walk.below(path)?;
        }
        let listing = walk.listing()?;
        if !listing.is_watched {
            self.events = None;
        }
        Ok((listing, old))
    }

    /// Forgets what was seen at a path and below it; its files are moved to `old`.
    fn forget(&mut self, path: &str, old: &mut BTreeMap<ContentPath, Known>) {
        if let Some(events) = &mut self.events {
            events.forget(path);
        }
        let below = format!("{path}/");
        let inside = |name: &str| name == path || name.starts_with(&below);
        let from = (Bound::Included(path), Bound::Unbounded);
        // Names such as `a-b` lie between `a` and `a/`.
        let near = |name: &str| name.starts_with(path);
        let files = self.files.range::<str, _>(from).map(|(name, _)| name).take_while(|name| near(name.as_str()));
        let files: Vec<ContentPath> = files.filter(|name| inside(name.as_str())).cloned().collect();
        for name in files {
            old.extend(self.files.remove_entry(&name));
        }
        self.problems.retain(|name, _| !inside(name));
        self.edited.retain(|name, _| !inside(name));
        self.leftovers.retain(|name| !inside(name));
        self.ignored.retain(|name| !inside(name));
    }

    /// Reads what changed, and makes the snapshot what is there.
    fn take_in(
        &mut self,
        repository: &Repository,
        git: &git2::Repository,
        listing: Listing,
        old: BTreeMap<ContentPath, Known>,
        recorded: &[Arc<Entries>; 2],
        now: SystemTime,
    ) -> Result<()> {
        self.problems.extend(listing.problems);
        self.leftovers.extend(listing.leftovers);
        self.edited.extend(listing.edited);
        self.ignored.extend(listing.ignored);
        let mut next = (*self.snapshot).clone();
        let mut old = old;
        let mut gone: BTreeSet<ContentPath> = BTreeSet::new();
        let mut unread = Vec::new();
        repository.work().looked(listing.files.len());
        for (path, stat) in listing.files {
            let is_tracked = recorded.iter().any(|entries| entries.get(&path).is_some());
            if !is_tracked && git.is_path_ignored(repository.whole(&path)).unwrap_or_default() {
                // What was known of it goes with the rest of `old`.
                self.ignored.insert(path);
                continue;
            }
            if let Some((path, known)) = old.remove_entry(path.as_str()) {
                if known.settled && known.stat == stat {
                    self.files.insert(path, known);
                    continue;
                }
                gone.insert(path);
            }
            if let Some(file) = self.saved_file(repository, recorded, &path, stat) {
                let path = ContentPath::from_disk(&path)?;
                next.set(path.clone(), Some(file));
                self.files.insert(path, Known { stat, settled: true });
                continue;
            }
            unread.push((path, stat));
        }
        self.unsaved += unread.len();
        for (path, stat, found) in read(repository, unread, &self.snapshot)? {
            match found {
                Found::Nothing => {}
                Found::Other(what) => {
                    let found = problem(&path, "not_a_file", &format!("is {what} and is left out"));
                    self.problems.extend(found.map(|found| (path, found)));
                }
                Found::File(file) => {
                    let checked = match next.files().get_key_value(&path) {
                        Some((known, _)) => known.clone(),
                        None => ContentPath::from_disk(&path)?,
                    };
                    if next.get(&checked).is_none_or(|known| known.id != file.id) {
                        next.set(checked.clone(), Some(file));
                    }
                    gone.remove(&checked);
                    self.files.insert(checked, Known { stat, settled: stat.is_settled(now) });
                }
            }
        }
        for path in old.into_keys().chain(gone) {
            next.set(path, None);
        }
        if !next.same_files(&self.snapshot) {
            self.snapshot = Arc::new(next);
        }
        Ok(())
    }

    /// A file that is as an earlier process saw it, where git has its bytes in any case.
    fn saved_file(
        &self,
        repository: &Repository,
        recorded: &[Arc<Entries>; 2],
        path: &str,
        stat: Stat,
    ) -> Option<crate::model::File> {
        let (_, id) = self.saved.as_ref()?.get(path).filter(|(saved, _)| *saved == stat)?;
        let is_recorded = |entries: &Arc<Entries>| entries.get(path).is_some_and(|entry| blob_id(entry.id) == *id);
        recorded.iter().any(is_recorded).then(|| repository.later(path, *id, stat.size))
    }

    /// Saves the index where much of it is new.
    fn save(&mut self, repository: &Repository) {
        self.saved = Some(saved::Saved::new());
        if self.unsaved <= UNSAVED.max(self.files.len() / 20) {
            return;
        }
        self.unsaved = 0;
        if let Err(error) = saved::save(repository.disk(), &self.files, &self.snapshot) {
            tracing::debug!(%error, "the index of the working tree is not saved");
        }
    }

    /// After a look at everything: what an earlier look that failed halfway left in the snapshot goes.
    fn drop_unlisted(&mut self) {
        let stray = |path: &&ContentPath| !self.files.contains_key(*path);
        let stray: Vec<ContentPath> = self.snapshot.iter().map(|(path, _)| path).filter(stray).cloned().collect();
        if !stray.is_empty() {
            let mut next = (*self.snapshot).clone();
            for path in stray {
                next.set(path, None);
            }
            self.snapshot = Arc::new(next);
        }
    }
}
