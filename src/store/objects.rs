//! Snapshots from git objects, and the bytes behind a file.

use std::sync::Arc;

use git2::{ObjectType, Oid};

use super::failure::git_error;
use super::message::blob_id;
use super::tree::{self, Entry};
use super::{Repository, RevisionId, places, refs};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, Data, File, Later, PathMap, Snapshot};

/// A site tree as a flat map from site-relative path to entry, links and submodules included. Names that git keeps but no system can
/// open are no part of a site.
pub(crate) type Entries = PathMap<Entry>;

/// Larger text files are not kept in memory.
const MAX_TEXT: usize = 16 << 20;

/// How many trees are remembered: tip, HEAD, projected, live, and some of named change sets.
const REMEMBERED: usize = 8;

/// A file of a snapshot from its bytes; bytes that `known` has already are shared with it.
pub(crate) fn load(path: &str, bytes: Vec<u8>, known: Option<&Arc<Snapshot>>) -> File {
    let id = Repository::blob_id(&bytes);
    let size = bytes.len() as u64;
    if !places::is_text(path) || bytes.len() > MAX_TEXT {
        return File { id, size, data: Data::Handle };
    }
    match known.and_then(|s| s.get_str(path)) {
        Some(file) if file.id == id && file.bytes().is_some() => file.clone(),
        _ => File { id, size, data: Data::Loaded(bytes.into()) },
    }
}

/// A blob id as a git id.
pub(crate) fn oid(id: BlobId) -> Result<Oid> {
    Oid::from_bytes(&id.0).map_err(git_error("read an id"))
}

impl Repository {
    /// The site as it was at a revision.
    pub fn snapshot_at(&self, id: &RevisionId) -> Result<Arc<Snapshot>> {
        let git = self.git()?;
        let not_found = || Error::NotFound { kind: "revision", name: id.to_string(), near: Vec::new() };
        let commit = Oid::from_str(id.as_str()).map_err(|_| not_found())?;
        if !refs::is_commit(&git, commit) {
            return Err(not_found());
        }
        self.snapshot_of(&git, self.site_tree(&git, Some(commit))?)
    }

    /// A blob as text; `None` where there is none, or it is no text.
    #[must_use]
    pub fn text_of(&self, id: BlobId) -> Option<String> {
        let git = self.git().ok()?;
        let blob = git.find_blob(oid(id).ok()?).ok()?;
        String::from_utf8(blob.content().to_vec()).ok().filter(|text| !text.contains('\0'))
    }

    /// The bytes of a file, whether loaded or not: from the disk where it still has them, otherwise from git.
    pub fn bytes(&self, path: &ContentPath, file: &File) -> Result<Arc<[u8]>> {
        if let Some(bytes) = file.bytes() {
            return Ok(Arc::clone(bytes));
        }
        let there = self.disk().read(path.as_str());
        if let Ok(super::disk::There::File { bytes, .. }) = there
            && Self::blob_id(&bytes) == file.id
        {
            return Ok(bytes.into());
        }
        let git = self.git()?;
        match git.find_blob(oid(file.id)?) {
            Ok(blob) => Ok(blob.content().into()),
            Err(_) => Err(Error::NotFound { kind: "file", name: path.to_string(), near: Vec::new() }),
        }
    }

    /// A file of this size whose bytes are read when they are wanted, from the disk while it has them, otherwise from git.
    pub(crate) fn later(&self, path: &str, id: BlobId, size: u64) -> File {
        if !places::is_text(path) || size > MAX_TEXT as u64 {
            return File { id, size, data: Data::Handle };
        }
        let (disk, workdir, path) = (Arc::clone(self.disk()), self.workdir().to_owned(), path.to_owned());
        let read = move || -> Option<Arc<[u8]>> {
            if let Ok(super::disk::There::File { bytes, .. }) = disk.read(&path)
                && Self::blob_id(&bytes) == id
            {
                return Some(bytes.into());
            }
            let none: [&std::path::Path; 0] = [];
            let git = git2::Repository::open_ext(&workdir, git2::RepositoryOpenFlags::NO_SEARCH, none).ok()?;
            let found = git.find_blob(oid(id).ok()?).map(|blob| blob.content().into());
            found.inspect_err(|error| tracing::error!(%error, %path, "a file that git had is gone")).ok()
        };
        File { id, size, data: Data::Later(Later::new(read)) }
    }

    /// The first bytes of a file, at most `limit`; no more is read where the file is in the working tree.
    pub fn start(&self, path: &ContentPath, file: &File, limit: usize) -> Result<Arc<[u8]>> {
        let working = self.cache().last.clone();
        let on_disk = working.is_some_and(|working| working.get(path).is_some_and(|there| there.id == file.id));
        if on_disk && file.bytes().is_none() {
            let wanted = (limit as u64).min(file.size);
            let there = self.disk().read_at_most(path.as_str(), limit);
            if let Ok(super::disk::There::File { mut bytes, .. }) = there
                && bytes.len() as u64 == file.size.min(limit as u64 + 1)
            {
                bytes.truncate(wanted as usize);
                return Ok(bytes.into());
            }
        }
        let bytes = self.bytes(path, file)?;
        Ok(if bytes.len() > limit { bytes[..limit].into() } else { bytes })
    }

    /// A site tree as a snapshot.
    pub(crate) fn snapshot_of(&self, git: &git2::Repository, site_tree: Option<Oid>) -> Result<Arc<Snapshot>> {
        let Some(id) = site_tree else { return Ok(Arc::default()) };
        let (near, working) = {
            let mut cache = self.cache();
            if let Some(found) = recall(&mut cache.snapshots, id) {
                return Ok(found);
            }
            (cache.snapshots.front().cloned(), cache.last.clone())
        };
        let (from, mut snapshot) = match near {
            Some((from, near)) => (Some(from), (*near).clone()),
            None => (None, Snapshot::default()),
        };
        let odb = git.odb().map_err(git_error("read objects"))?;
        for difference in tree::compare_in(git, from, Some(id), &places::may_hold)? {
            if !places::in_site(&difference.path) {
                continue;
            }
            // Names that git keeps but no system can open are no part of a site.
            let Ok(path) = ContentPath::from_disk(&difference.path) else { continue };
            let file = match difference.new.filter(|e| e.is_file()) {
                Some(entry) => Some(read(&odb, path.as_str(), entry.id, working.as_deref())?),
                None => None,
            };
            snapshot.set(path, file);
        }
        let snapshot = Arc::new(snapshot);
        remember(&mut self.cache().snapshots, id, &snapshot);
        Ok(snapshot)
    }

    /// The site's files in a commit, flat.
    pub(crate) fn entries_of(&self, git: &git2::Repository, commit: Option<Oid>) -> Result<Arc<Entries>> {
        self.entries(git, self.site_tree(git, commit)?)
    }

    /// The site's files in a site tree, flat.
    pub(crate) fn entries(&self, git: &git2::Repository, site_tree: Option<Oid>) -> Result<Arc<Entries>> {
        let Some(id) = site_tree else { return Ok(Arc::default()) };
        let near = {
            let mut cache = self.cache();
            if let Some(found) = recall(&mut cache.entries, id) {
                return Ok(found);
            }
            cache.entries.front().cloned()
        };
        let (from, mut entries) = match near {
            Some((from, near)) => (Some(from), (*near).clone()),
            None => (None, Entries::default()),
        };
        for difference in tree::compare_in(git, from, Some(id), &places::may_hold)? {
            if !places::in_site(&difference.path) {
                continue;
            }
            let Ok(path) = ContentPath::from_disk(&difference.path) else { continue };
            match difference.new {
                Some(entry) => entries.insert(path, entry),
                None => entries.remove(path.as_str()),
            };
        }
        let entries = Arc::new(entries);
        remember(&mut self.cache().entries, id, &entries);
        Ok(entries)
    }

    /// Remembers the files of a new commit, which are those of `before` with some of them changed: no tree is read for it.
    pub(crate) fn remember_entries(
        &self,
        git: &git2::Repository,
        before: &Entries,
        commit: Oid,
        changes: &[(ContentPath, Option<Entry>)],
    ) -> Result<()> {
        let Some(id) = self.site_tree(git, Some(commit))? else { return Ok(()) };
        let mut entries = before.clone();
        for (path, entry) in changes {
            match entry {
                Some(entry) => entries.insert(path.clone(), *entry),
                None => entries.remove(path.as_str()),
            };
        }
        remember(&mut self.cache().entries, id, &Arc::new(entries));
        Ok(())
    }
}

fn read(odb: &git2::Odb<'_>, path: &str, id: Oid, working: Option<&Snapshot>) -> Result<File> {
    let blob = blob_id(id);
    if let Some(file) = working.and_then(|s| s.get_str(path)).filter(|f| f.id == blob) {
        return Ok(file.clone());
    }
    let action = git_error("read a blob");
    if !places::is_text(path) {
        let (size, _) = odb.read_header(id).map_err(action)?;
        return Ok(File { id: blob, size: size as u64, data: Data::Handle });
    }
    let object = odb.read(id).map_err(&action)?;
    if object.kind() != ObjectType::Blob {
        return Err(Error::Git { action: "read a blob", reason: format!("{id} is none") });
    }
    let size = object.len() as u64;
    let data = if object.len() > MAX_TEXT { Data::Handle } else { Data::Loaded(object.data().into()) };
    Ok(File { id: blob, size, data })
}

type Recent<T> = std::collections::VecDeque<(Oid, Arc<T>)>;

fn recall<T>(recent: &mut Recent<T>, id: Oid) -> Option<Arc<T>> {
    let at = recent.iter().position(|(known, _)| *known == id)?;
    let found = recent.remove(at)?;
    let value = Arc::clone(&found.1);
    recent.push_front(found);
    Some(value)
}

fn remember<T>(recent: &mut Recent<T>, id: Oid, value: &Arc<T>) {
    recent.push_front((id, Arc::clone(value)));
    recent.truncate(REMEMBERED);
}
