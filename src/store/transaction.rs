//! A transaction: a base, staged edits, and one commit that makes them durable and visible together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use git2::Oid;

use super::disk::There;
use super::failure::git_error;
use super::line::Line;
use super::lock::WriterLock;
use super::message::{blob_id, revision_id};
use super::project::Step;
use super::spelling::{Spelled, prefixes};
use super::tree::{self, Entry, MODE_FILE};
use super::{Change, Note, Repository, RevisionId, places, refs};
use crate::error::{Error, Result};
use crate::model::{ContentPath, File, PathKind, Progress, Snapshot};

const MAX_TEXT: usize = 2 << 20;
const MAX_OTHER: usize = 50 << 20;

/// What a call says beforehand that it may write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Footprint {
    /// Kinds of path.
    pub kinds: Vec<PathKind>,
    /// These paths only, where they are known beforehand.
    pub paths: Option<BTreeSet<ContentPath>>,
}

impl Footprint {
    fn allows(&self, path: &ContentPath) -> bool {
        self.kinds.contains(&path.kind()) && self.paths.as_ref().is_none_or(|paths| paths.contains(path))
    }
}

/// Tree entries and working-tree steps of the same edits.
type Written = (Vec<(String, Option<Entry>)>, Vec<Step>);

/// One writer's turn: nothing is written before [`Transaction::commit`], and dropping it changes nothing.
#[derive(Debug)]
pub struct Transaction<'r> {
    repository: &'r Repository,
    _lock: WriterLock,
    tip: Option<(Oid, RevisionId)>,
    base: Arc<Snapshot>,
    staged: BTreeMap<ContentPath, Option<File>>,
    same: BTreeSet<ContentPath>,
    /// Spelling of every path and folder by its folded form, made when first needed.
    spellings: Option<Spelled>,
    /// Who may stop waiting, until it is written.
    progress: Progress,
}

impl Repository {
    /// Begins a write: waits for the writer lock (up to ten seconds), records a person's hand edits and commits, and
    /// finishes what a crash interrupted.
    ///
    /// # Errors
    /// [`Error::Busy`] when another writer does not finish, [`Error::RepositoryState`] when the working tree may not be
    /// written now.
    pub fn begin(&self) -> Result<Transaction<'_>> {
        let lock = self.lock()?;
        let git = self.git()?;
        let entered = match self.line() {
            Line::Working => self.enter(&git, &lock),
            Line::Named(id) => self.enter_named(&git, id, &lock),
        };
        let entered = entered.map_err(|error| self.explain(error))?;
        Ok(Transaction {
            repository: self,
            _lock: lock,
            tip: entered.tip.map(|id| (id, revision_id(id))),
            base: entered.base,
            staged: BTreeMap::new(),
            same: BTreeSet::new(),
            spellings: None,
            progress: Progress::default(),
        })
    }
}

impl Transaction<'_> {
    /// The line's files as the edits find them.
    #[must_use]
    pub fn base(&self) -> &Arc<Snapshot> {
        &self.base
    }

    /// From here on every staged and checked file asks whether somebody still waits.
    pub fn follow(&mut self, progress: &Progress) {
        self.progress = progress.clone();
    }

    /// The revision the edits come after; `None` in an empty repository.
    #[must_use]
    pub fn tip(&self) -> Option<&RevisionId> {
        self.tip.as_ref().map(|(_, id)| id)
    }

    pub(crate) fn tip_id(&self) -> Option<Oid> {
        self.tip.as_ref().map(|(id, _)| *id)
    }

    /// Stages a file's new bytes, or its removal. To change only the case of a name, stage the removal first.
    ///
    /// # Errors
    /// [`Error::InvalidPath`] for a path that is no part of a site or collides with another, [`Error::TooLarge`].
    pub fn stage(&mut self, path: ContentPath, data: Option<Vec<u8>>) -> Result<()> {
        self.progress.proceed()?;
        let refused = |problem: String| Error::InvalidPath { path: path.to_string(), problem };
        if !places::in_site(path.as_str()) {
            return Err(refused("it is no file of the site's content, data, static or themes folder".into()));
        }
        if let Some(bytes) = &data {
            let limit = if places::is_text(path.as_str()) { MAX_TEXT } else { MAX_OTHER };
            if bytes.len() > limit {
                return Err(Error::TooLarge { what: path.to_string(), size: bytes.len(), limit });
            }
            if let Some(other) = self.collision(&path) {
                return Err(refused(format!("it differs only in case or form from {other}, which exists")));
            }
        }
        let file = data.map(Repository::file);
        let before = self.file(&path).is_some();
        if let Some(spellings) = &mut self.spellings {
            match (before, file.is_some()) {
                (false, true) => spellings.add(path.as_str()),
                (true, false) => spellings.remove(path.as_str()),
                _ => {}
            }
        }
        let same = file.as_ref().map(|f| f.id) == self.base.get(&path).map(|f| f.id);
        if same {
            self.staged.remove(&path);
            self.same.insert(path);
        } else {
            self.same.remove(&path);
            self.staged.insert(path, file);
        }
        Ok(())
    }

    fn file(&self, path: &ContentPath) -> Option<&File> {
        self.staged.get(path).map_or_else(|| self.base.get(path), Option::as_ref)
    }

    /// An existing path or folder that a new path would be confused with.
    fn collision(&mut self, path: &ContentPath) -> Option<String> {
        if self.file(path).is_some() {
            return None;
        }
        let spellings = self.spellings.get_or_insert_with(|| {
            let mut spellings = self.repository.spellings(&self.base);
            for (path, file) in &self.staged {
                match (self.base.get(path), file) {
                    (None, Some(_)) => spellings.add(path.as_str()),
                    (Some(_), None) => spellings.remove(path.as_str()),
                    _ => {}
                }
            }
            spellings
        });
        spellings.collision(path.as_str())
    }

    /// The base with the staged edits.
    #[must_use]
    pub fn staged(&self) -> Arc<Snapshot> {
        if self.staged.is_empty() {
            return Arc::clone(&self.base);
        }
        let mut snapshot = (*self.base).clone();
        for (path, file) in &self.staged {
            snapshot.set(path.clone(), file.clone());
        }
        Arc::new(snapshot)
    }

    /// Paths that were staged with what they hold already.
    #[must_use]
    pub fn same(&self) -> &BTreeSet<ContentPath> {
        &self.same
    }

    /// What the staged edits change, in path order.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let change = |(path, file): (&ContentPath, &Option<File>)| Change {
            path: path.clone(),
            before: self.base.get(path).map(|f| f.id),
            after: file.as_ref().map(|f| f.id),
        };
        self.staged.iter().map(change).collect()
    }

    /// Every check of [`Transaction::commit`] without writing: what a dry run calls.
    ///
    /// # Errors
    /// [`Error::UndeclaredWrite`] outside the footprint, [`Error::InvalidPath`] where a file and a folder would share a
    /// name or a link is in the way, [`Error::Conflict`] where a person edited a staged path meanwhile.
    pub fn check(&self, footprint: &Footprint) -> Result<()> {
        self.repository.effects().declare(&footprint.kinds, footprint.paths.as_ref());
        if let Some(path) = self.staged.keys().find(|path| !footprint.allows(path)) {
            return Err(Error::UndeclaredWrite { path: path.to_string() });
        }
        let git = self.repository.git()?;
        let filters = self.repository.filters(&git);
        for (path, file) in &self.staged {
            self.progress.proceed()?;
            let refused = |problem: String| Err(Error::InvalidPath { path: path.to_string(), problem });
            if file.is_some() {
                if let Some(other) = self.in_the_way(path) {
                    return refused(format!("{other} is there: a file and a folder cannot share a name"));
                }
                if filters.has(path) {
                    return refused("git passes it through a filter (such as LFS)".into());
                }
            }
            if self.repository.is_working() {
                self.check_disk(path)?;
            }
        }
        Ok(())
    }

    /// A file where the path needs a folder, or a file below the path.
    fn in_the_way(&self, path: &ContentPath) -> Option<String> {
        let above = prefixes(path.as_str())
            .filter(|prefix| *prefix != path.as_str())
            .find(|prefix| ContentPath::from_disk(prefix).is_ok_and(|prefix| self.file(&prefix).is_some()));
        let below = || {
            let prefix = format!("{path}/");
            let in_base =
                self.base.under(path.as_str()).map(|(p, _)| p).find(|p| !matches!(self.staged.get(*p), Some(None)));
            let staged = self.staged.iter().filter(|(_, f)| f.is_some()).map(|(p, _)| p);
            in_base.or_else(|| staged.into_iter().find(|p| p.as_str().starts_with(&prefix))).map(ToString::to_string)
        };
        above.map(str::to_owned).or_else(below)
    }

    /// Nobody may have touched the path since the base was read.
    fn check_disk(&self, path: &ContentPath) -> Result<()> {
        let there = self.repository.disk().read(path.as_str())?;
        let base = self.base.get(path);
        if let There::Other(what) = there {
            // A folder, or a file where a folder is needed, goes when what is below it is removed in the same call.
            let makes_room = self.staged.iter().any(|(other, file)| {
                let (a, b) = (other.as_str(), path.as_str());
                file.is_none() && (a.starts_with(&format!("{b}/")) || b.starts_with(&format!("{a}/")))
            });
            if makes_room && base.is_none() && what != "a symbolic link" {
                return Ok(());
            }
            return Err(Error::InvalidPath { path: path.to_string(), problem: format!("{what} is in the way") });
        }
        let current = there.id();
        if current == base.map(|f| f.id) {
            return Ok(());
        }
        let now = if let There::File { bytes, .. } = &there { bytes.as_slice() } else { &[] };
        let was = base.map(|file| self.repository.bytes(path, file)).transpose()?;
        Err(Error::Conflict {
            path: path.to_string(),
            yours: base.map(|f| f.id.to_string()),
            current: current.map(|id| id.to_string()),
            diff: unified(was.as_deref().unwrap_or_default(), now),
            conflicts: Vec::new(),
        })
    }

    /// Makes the staged edits one revision: objects, sync, ref, sync, working tree. `None` where they change nothing.
    ///
    /// # Errors
    /// Those of [`Transaction::check`], before anything is written; otherwise what disk and git say. After an error the
    /// edit is wholly absent, or wholly there once the next write begins.
    pub fn commit(self, note: &Note, footprint: &Footprint) -> Result<Option<RevisionId>> {
        if self.staged.is_empty() {
            return Ok(None);
        }
        self.check(footprint)?;
        self.progress.commit()?;
        let revision = self.write(note).map_err(|error| self.repository.explain(error))?;
        let effects = self.repository.effects();
        for change in self.changes() {
            effects.wrote(&change.path, change.before, change.after);
        }
        effects.committed(revision.as_str(), &note.message);
        Ok(Some(revision))
    }

    /// The staged edits as a revision that no ref holds: what a dry run shows to the steps after it. Moves nothing.
    ///
    /// # Errors
    /// Those of [`Transaction::check`].
    pub fn trial(&self, note: &Note, footprint: &Footprint) -> Result<RevisionId> {
        self.check(footprint)?;
        let git = self.repository.git()?;
        let (changes, _) = self.objects(&git)?;
        let tree = tree::update(&git, refs::tree_of(&git, self.tip_id())?, &changes)?;
        let parents: Vec<Oid> = self.tip_id().into_iter().collect();
        self.repository.commit(&git, tree, &parents, &self.repository.author(&git), note).map(revision_id)
    }

    fn write(&self, note: &Note) -> Result<RevisionId> {
        let repository = self.repository;
        let git = repository.git()?;
        let tip = self.tip_id();
        let (changes, steps) = self.objects(&git)?;
        let files: Vec<_> = steps.iter().map(|step| (step.path.clone(), step.new)).collect();
        let tree = tree::update(&git, refs::tree_of(&git, tip)?, &changes)?;
        let parents: Vec<Oid> = tip.into_iter().collect();
        let commit = repository.commit(&git, tree, &parents, &repository.author(&git), note)?;
        repository.remember_entries(&git, &*repository.entries_of(&git, tip)?, commit, &files)?;
        if let Line::Named(id) = repository.line() {
            stop_at("write::objects")?;
            repository.advance(&git, id, tip, commit)?;
            stop_at("write::ref_moved")?;
            return Ok(revision_id(commit));
        }
        // The new bytes lie beside their targets before the ref moves: a full or read-only disk shows itself here.
        let projection = repository.prepare(&git, steps)?;
        stop_at("write::objects")?;
        repository.durable()?;
        stop_at("write::synced")?;
        let was = refs::target(&git, &repository.refs().working)?;
        if was.is_some() && was != tip {
            return Err(Error::Busy { holder: "the working ref was moved by someone else".into() });
        }
        if was.is_none() {
            // From here on a crash must show what the disk held: nothing, where there is no commit yet.
            let held = match tip {
                Some(tip) => tip,
                None => repository.empty_commit(&git)?,
            };
            repository.set_projected(&git, Some(held))?;
        }
        refs::move_ref(&git, &repository.refs().working, was, Some(commit), "sitewright: edit")?;
        repository.durable()?;
        stop_at("write::ref_moved")?;
        projection.apply()?;
        repository.durable()?;
        stop_at("write::projected")?;
        repository.set_projected(&git, Some(commit))?;
        Ok(revision_id(commit))
    }

    fn objects(&self, git: &git2::Repository) -> Result<Written> {
        let old = self.repository.entries_of(git, self.tip_id())?;
        let (mut changes, mut steps) = (Vec::new(), Vec::new());
        // Removals first, so that a file may take the place of a folder and the other way round.
        let (set, removed): (Vec<_>, Vec<_>) = self.staged.iter().partition(|(_, file)| file.is_some());
        for (path, file) in removed.into_iter().chain(set) {
            let mode = old.get(path.as_str()).filter(|e| e.is_file()).map_or(MODE_FILE, |e| e.mode);
            let entry = match file.as_ref().and_then(File::bytes) {
                Some(bytes) => Some(Entry { id: git.blob(bytes).map_err(git_error("write a blob"))?, mode }),
                None => None,
            };
            debug_assert_eq!(entry.map(|e| blob_id(e.id)), file.as_ref().map(|f| f.id));
            changes.push((self.repository.whole(path.as_str()), entry));
            steps.push(Step { path: path.clone(), expected: self.base.get(path).map(|f| f.id), new: entry });
        }
        Ok((changes, steps))
    }
}

impl Repository {
    /// A commit that stands for an empty working tree.
    fn empty_commit(&self, git: &git2::Repository) -> Result<Oid> {
        let note = Note { message: "Nothing yet".into(), trailers: Vec::new() };
        self.commit(git, tree::update(git, None, &[])?, &[], &super::message::committer(), &note)
    }
}

/// A named place where a test ends the process or fails the call.
#[cfg_attr(not(feature = "failpoints"), expect(clippy::unnecessary_wraps, reason = "fails only under test"))]
pub(crate) fn stop_at(name: &'static str) -> Result<()> {
    fail::fail_point!(name, |_| Err(Error::internal(format!("failpoint {name}"))));
    let _ = name;
    Ok(())
}

fn unified(old: &[u8], new: &[u8]) -> String {
    let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else {
        return "binary files differ".into();
    };
    let diff = similar::TextDiff::from_lines(old, new).unified_diff().context_radius(2).to_string();
    diff.chars().take(4_000).collect()
}
