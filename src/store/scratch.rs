//! Throw-away repositories, inside the git directory where nobody looks, and what of a site must not change meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::failure::{git_error, io_error};
use super::{OpenOptions, Repository, init};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath};

/// Where they are, below the git directory.
const FOLDER: &str = "sitewright/scratch";
/// Ends the name of the file beside a scratch folder that its process holds while it is in use; the system frees it if the process
/// dies. It is there before the folder and goes after it, so that a folder without one is nobody's.
const ALIVE: &str = "lock";

/// A folder that is gone when the value is dropped, or swept later where the process was killed.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    alive: Option<File>,
}

/// Everything of a repository that a rehearsal must leave alone, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State(BTreeMap<String, String>);

impl Scratch {
    /// Makes a repository in it with these files as its first commit, and nothing else of the site's.
    ///
    /// # Errors
    /// As [`Repository::init`].
    pub fn repository(&self, files: &[(ContentPath, Vec<u8>)], options: OpenOptions) -> Result<PathBuf> {
        let folder = self.folder.join("site");
        fs::create_dir_all(&folder).map_err(io_error("write", "a scratch folder"))?;
        // Made first: else the repository around it would be found and taken.
        init::create(&folder)?;
        Repository::init(&folder, files, "Rehearsal", options)?;
        Ok(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next one.
        let _ = remove(&self.folder);
        drop(self.alive.take());
    }
}

impl Repository {
    /// A new scratch folder.
    ///
    /// # Errors
    /// The git directory cannot be written.
    pub fn scratch(&self) -> Result<Scratch> {
        let id = getrandom::u64().map_err(Error::internal)?;
        let folder = self.scratch_root().join(format!("{id:016x}"));
        let fail = io_error("write", "a scratch folder in the git directory");
        fs::create_dir_all(self.scratch_root()).map_err(&fail)?;
        let lock = folder.with_extension(ALIVE);
        let alive = loop {
            let alive = File::create(&lock).map_err(&fail)?;
            alive.lock().map_err(&fail)?;
            // A sweep may have taken it away before it was held.
            if lock.exists() {
                break alive;
            }
        };
        fs::create_dir(&folder).map_err(&fail)?;
        Ok(Scratch { folder, alive: Some(alive) })
    }

    /// Removes what killed processes left, and says how much that was.
    #[must_use]
    pub fn sweep_scratch(&self) -> usize {
        let Ok(entries) = fs::read_dir(self.scratch_root()) else { return 0 };
        let names = entries.filter_map(Result::ok).map(|entry| entry.path().with_extension(""));
        let folders: BTreeSet<PathBuf> = names.collect();
        folders.iter().filter(|folder| sweep(folder)).count()
    }

    /// Every ref, source file and output file of the site as it is now.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn state(&self) -> Result<State> {
        let mut state = BTreeMap::new();
        let git = self.git()?;
        let action = git_error("read the refs");
        for reference in git.references().map_err(&action)?.filter_map(std::result::Result::ok) {
            let name = reference.name().unwrap_or_default().to_owned();
            let target = reference.target().map(|id| id.to_string());
            let target = target.or_else(|| reference.symbolic_target().ok().flatten().map(str::to_owned));
            state.insert(format!("ref {name}"), target.unwrap_or_default());
        }
        let head = fs::read_to_string(self.git_dir().join("HEAD")).map_err(io_error("read", "HEAD"))?;
        state.insert("ref HEAD".into(), head.trim().to_owned());
        for (path, file) in self.working()?.iter() {
            state.insert(format!("file {path}"), file.id.to_string());
        }
        let output = self.site_dir().join(self.output());
        let files = WalkDir::new(&output).sort_by_file_name().into_iter().filter_map(std::result::Result::ok);
        for entry in files.filter(|entry| entry.file_type().is_file()) {
            let name = entry.path().strip_prefix(&output).unwrap_or(entry.path()).display().to_string();
            state.insert(format!("output {name}"), content(entry.path())?.to_string());
        }
        Ok(State(state))
    }

    /// Writes a file as an editor does, for rehearsals in scratch folders only.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn edit_by_hand(&self, path: &str, text: &str) -> Result<()> {
        if !self.site_dir().components().any(|part| part.as_os_str() == "scratch") {
            return Err(Error::internal("a hand edit outside a scratch folder"));
        }
        fs::write(self.site_dir().join(path), text).map_err(io_error("write", path))
    }

    fn scratch_root(&self) -> PathBuf {
        self.git_dir().join(FOLDER)
    }
}

impl State {
    /// Names of what differs: `ref ..`, `file ..`, `output ..`.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names = self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name)));
        names.filter(|name| self.0.get(*name) != other.0.get(*name)).cloned().collect()
    }
}

/// Removes a folder that nobody holds any more.
fn sweep(folder: &Path) -> bool {
    let held = File::open(folder.with_extension(ALIVE));
    held.as_ref().map_or(true, |alive| alive.try_lock().is_ok()) && remove(folder).is_ok()
}

/// The folder first, then what says whose it is.
fn remove(folder: &Path) -> std::io::Result<()> {
    let absent = |error: std::io::Error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) };
    fs::remove_dir_all(folder).or_else(absent)?;
    fs::remove_file(folder.with_extension(ALIVE)).or_else(absent)
}

fn content(path: &Path) -> Result<BlobId> {
    let shown = path.display().to_string();
    Ok(Repository::blob_id(&fs::read(path).map_err(io_error("read", &shown))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> (tempfile::TempDir, Repository) {
        let dir = tempfile::tempdir().unwrap();
        let config = (ContentPath::from_disk("site.yaml").unwrap(), b"title: T\n".to_vec());
        let repository = Repository::init(dir.path(), &[config], "Start", OpenOptions::default()).unwrap();
        (dir, repository)
    }

    #[test]
    fn a_scratch_repository_is_its_own_and_gone_afterwards() {
        let (dir, repository) = site();
        let before = repository.state().unwrap();
        let scratch = repository.scratch().unwrap();
        let config = (ContentPath::from_disk("site.yaml").unwrap(), b"title: Other\n".to_vec());
        let folder = scratch.repository(&[config], OpenOptions::default()).unwrap();
        let inner = Repository::open(&folder, OpenOptions::default()).unwrap();
        assert_eq!(inner.working().unwrap().text("site.yaml"), Some("title: Other\n"));
        assert_eq!(repository.sweep_scratch(), 0, "in use");
        drop(scratch);
        assert!(!folder.exists());
        assert_eq!(repository.state().unwrap().differences(&before), Vec::<String>::new());
        fs::write(dir.path().join("site.yaml"), "title: U\n").unwrap();
        assert_eq!(repository.state().unwrap().differences(&before), ["file site.yaml"]);
    }

    #[test]
    fn what_a_killed_process_left_is_swept() {
        let (_dir, repository) = site();
        let scratch = repository.scratch().unwrap();
        let folder = scratch.folder.clone();
        // As after a kill: the lock is free, the folder is there.
        scratch.alive.as_ref().unwrap().unlock().unwrap();
        assert_eq!(repository.sweep_scratch(), 1);
        assert!(!folder.exists());
    }
}
