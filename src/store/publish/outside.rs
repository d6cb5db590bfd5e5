//! Files of the repository outside the site, which follow live as `git pull --ff-only` would have them.

use std::path::Path;

use git2::build::CheckoutBuilder;
use git2::{ErrorCode, ObjectType, Oid, Status};

use crate::error::{Error, Result};
use crate::store::disk::{Disk, There};
use crate::store::failure::git_error;
use crate::store::message::blob_id;
use crate::store::refs::tree_of;
use crate::store::tree::{self, Difference, Entry};
use crate::store::{Repository, places};

impl Repository {
    /// Refuses where a file outside the site would change that has changes of its own.
    pub(super) fn check_outside(&self, git: &git2::Repository, head: Option<Oid>, new: Oid) -> Result<()> {
        let disk = Disk::open(self.workdir())?;
        let mut dirty = Vec::new();
        for difference in self.outside(git, tree_of(git, head)?, new)? {
            if !is_reached(&disk, &difference)? && !is_clean(git, &difference.path)? {
                dirty.push(difference.path);
            }
        }
        if dirty.is_empty() {
            return Ok(());
        }
        let cure = "Ask the person to commit or stash these files (`git stash`), then send the call again.";
        Err(Error::RepositoryState {
            state: format!("the remote changed files that have local changes: {}", dirty.join(", ")),
            cure: cure.into(),
        })
    }

    /// Writes the files outside the site that differ; [`Repository::check_outside`] comes first.
    pub(super) fn checkout_outside(&self, git: &git2::Repository, old: Option<Oid>, new: Oid) -> Result<()> {
        let disk = Disk::open(self.workdir())?;
        let mut checkout = CheckoutBuilder::new();
        checkout.safe().disable_pathspec_match(true);
        let mut is_empty = true;
        for difference in self.outside(git, old, new)? {
            if !is_reached(&disk, &difference)? {
                checkout.path(&difference.path);
                is_empty = false;
            }
        }
        // Without a path everything would be checked out.
        if is_empty {
            return Ok(());
        }
        let action = git_error("check out the files outside the site");
        let tree = git.find_object(new, Some(ObjectType::Tree)).map_err(&action)?;
        git.checkout_tree(&tree, Some(&mut checkout)).map_err(&action)
    }

    fn outside(&self, git: &git2::Repository, old: Option<Oid>, new: Oid) -> Result<Vec<Difference>> {
        let output = self.whole(self.output());
        let mut found = tree::compare_in(git, old, Some(new), &|folder| folder != output)?;
        // A submodule is the person's to update, as after `git pull`.
        let is_submodule = |entry: Option<Entry>| entry.is_some_and(|entry| entry.mode == 0o160_000);
        found.retain(|d| !self.is_site_file(&d.path) && !is_submodule(d.old) && !is_submodule(d.new));
        Ok(found)
    }

    fn is_site_file(&self, path: &str) -> bool {
        let inside = match self.prefix() {
            "" => Some(path),
            prefix => path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')),
        };
        inside.is_some_and(|path| {
            places::in_site(path) || path == self.output() || path.starts_with(&format!("{}/", self.output()))
        })
    }
}

/// Whether the disk already is as it will be.
fn is_reached(disk: &Disk, difference: &Difference) -> Result<bool> {
    let there = disk.read(&difference.path)?;
    Ok(match difference.new {
        None => matches!(there, There::Nothing),
        Some(entry) => entry.is_file() && there.id() == Some(blob_id(entry.id)),
    })
}

fn is_clean(git: &git2::Repository, path: &str) -> Result<bool> {
    match git.status_file(Path::new(path)) {
        Ok(status) => Ok(status == Status::CURRENT),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(true),
        Err(error) if error.code() == ErrorCode::Ambiguous => Ok(false),
        Err(error) => Err(git_error("look at a file outside the site")(error)),
    }
}
