//! Files at the top of the repository that a host wants: written once, committed alone, and never overwritten.

use super::disk::{Disk, There};
use super::failure::git_error;
use super::message::ORIGIN;
use super::revision::Note;
use super::tree::{self, Entry, MODE_FILE};
use super::{Repository, init, refs, refusal};
use crate::error::{Error, Result};

/// What became of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopLevel {
    /// Written and committed, by path from the repository's root.
    pub written: Vec<String>,
    /// There already with another content: left alone.
    pub kept: Vec<String>,
}

impl Repository {
    /// Adds files outside the site's folders, by path from the repository's root, in one commit on the publish branch.
    ///
    /// # Errors
    /// [`Error::RepositoryState`], and what writing can fail with.
    pub fn add_top_level(&self, files: &[(String, Vec<u8>)], message: &str) -> Result<TopLevel> {
        let git = self.git()?;
        let _lock = self.lock()?;
        if let Some((state, cure)) = refusal::state(&git, self.branch()) {
            return Err(Error::RepositoryState { state, cure });
        }
        let head = self.head(&git)?;
        let old = refs::tree_of(&git, head)?;
        let disk = Disk::open(self.workdir())?;
        let (mut done, mut changes, mut beside) = (TopLevel::default(), Vec::new(), Vec::new());
        for (path, bytes) in files {
            let there = disk.read(path)?;
            let same = there.id() == Some(Self::blob_id(bytes));
            let committed = tree::entry(&git, old, path)?.is_some();
            if committed || !(same || matches!(there, There::Nothing)) {
                if !same {
                    done.kept.push(path.clone());
                }
                continue;
            }
            let id = git.blob(bytes).map_err(git_error("write a blob"))?;
            changes.push((path.clone(), Some(Entry { id, mode: MODE_FILE })));
            if !same {
                beside.push(disk.temporary(path, bytes, None)?);
            }
            done.written.push(path.clone());
        }
        if changes.is_empty() {
            return Ok(done);
        }
        let new = tree::update(&git, old, &changes)?;
        let note = Note { message: message.to_owned(), trailers: vec![(ORIGIN.into(), "edit".into())] };
        let parents: Vec<_> = head.into_iter().collect();
        let commit = self.commit(&git, new, &parents, &self.author(&git), &note)?;
        self.durable()?;
        for temporary in beside {
            temporary.place()?;
        }
        let branch = format!("refs/heads/{}", self.branch());
        refs::move_ref(&git, &branch, head, Some(commit), "sitewright: init")?;
        self.durable()?;
        init::add_to_index(&git, &changes)?;
        Ok(done)
    }
}
