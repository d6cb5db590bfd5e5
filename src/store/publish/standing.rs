//! The output folder on disk after a publish, remembered so that the next one writes what differs and not the whole site.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use cap_std::fs::Dir;
use git2::Oid;
use rayon::prelude::*;

use super::Stand;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Output, OutputData, Outputs};
use crate::store::failure::{git_error, io_error};
use crate::store::message::blob_id;
use crate::store::refs::tree_of;
use crate::store::scan::Stat;
use crate::store::tree::{self, Difference};
use crate::store::{Repository, Row, Rows, Stamp, Stock, kept_as, output, packed, unpacked};

/// How the folder was left.
#[derive(Debug)]
pub(crate) struct Standing {
    /// What it holds.
    tree: Oid,
    /// Its files, and its folders too: one in which somebody made or removed a file has another time stamp.
    stats: BTreeMap<String, Option<Stat>>,
    /// When all of it was looked at.
    at: SystemTime,
}

impl Repository {
    /// Makes the output folder on disk what live has.
    pub(super) fn write_output(&self, git: &git2::Repository, old: Option<Oid>, new: Oid) -> Result<()> {
        let folder = self.whole(self.output());
        let (old, new) = (tree::subtree(git, old, &folder)?, tree::subtree(git, Some(new), &folder)?);
        // After an error nothing is remembered, and the next publish looks at everything.
        let standing = self.cache().standing.take();
        let Some(new) = new else { return self.remove_output(git, old) };
        let standing = match standing {
            Some(standing) if self.is_left(&standing) => self.amend(git, standing, new)?,
            _ => None,
        };
        let standing = match standing {
            Some(standing) => standing,
            None => self.write_whole(git, old, new)?,
        };
        self.cache().standing = Some(standing);
        Ok(())
    }

    /// What somebody did to the output folder of a working tree that has what is live is undone, though nothing is published.
    pub(super) fn put_output_right(&self, git: &git2::Repository, stand: &Stand) -> Result<()> {
        let Some(live) = tree_of(git, stand.live.filter(|_| stand.live == stand.head))? else { return Ok(()) };
        let _lock = self.lock()?;
        self.write_output(git, Some(live), live)
    }

    /// Whether nobody touched the folder since.
    fn is_left(&self, standing: &Standing) -> bool {
        self.work().looked_at_output(standing.stats.len());
        let Ok(folder) = self.disk().folder(self.output()) else { return false };
        standing.stats.par_iter().all(|(path, stat)| stat.is_some() && stat_in(&folder, path) == *stat)
    }

    /// Writes what differs; `None` where that does not go by single files, so that all of it has to be written.
    fn amend(&self, git: &git2::Repository, mut standing: Standing, new: Oid) -> Result<Option<Standing>> {
        let differences = tree::compare(git, Some(standing.tree), Some(new))?;
        let (gone, set): (Vec<&Difference>, Vec<&Difference>) = differences.iter().partition(|d| d.new.is_none());
        for difference in &gone {
            self.disk().remove(&format!("{}/{}", self.output(), difference.path))?;
        }
        for difference in &set {
            let Some(entry) = difference.new.filter(|entry| entry.is_file()) else { return Ok(None) };
            let blob = git.find_blob(entry.id).map_err(git_error("read a blob"))?;
            let path = format!("{}/{}", self.output(), difference.path);
            match self.disk().temporary(&path, blob.content(), None) {
                Ok(temporary) => temporary.place()?,
                Err(Error::InvalidPath { .. }) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let Ok(folder) = self.disk().folder(self.output()) else { return Ok(None) };
        for path in differences.iter().flat_map(|difference| with_folders(&difference.path)) {
            match stat_in(&folder, path) {
                None => standing.stats.remove(path),
                stat => standing.stats.insert(path.to_owned(), stat),
            };
        }
        standing.tree = new;
        Ok(Some(standing))
    }

    fn write_whole(&self, git: &git2::Repository, old: Option<Oid>, new: Oid) -> Result<Standing> {
        let mut outputs = Outputs::new();
        for file in tree::compare(git, None, Some(new))? {
            let (Ok(path), Some(entry)) = (ContentPath::from_disk(&file.path), file.new.filter(|e| e.is_file())) else {
                continue;
            };
            let data = OutputData::Copy(path, blob_id(entry.id));
            outputs.insert(file.path, Output { data, source: None });
        }
        let held = self.held_of(new);
        self.work().looked_at_output(outputs.len() - held.len());
        output::write(self.disk().dir(), self.output(), &outputs, &held, &super::from_git(git))?;
        // Files with a leading dot are left to whoever made them, unless an earlier publish did.
        for gone in tree::compare(git, old, Some(new))?.into_iter().filter(|d| d.new.is_none()) {
            let is_hidden = gone.path.split('/').any(|name| name.starts_with('.'));
            let path = format!("{}/{}", self.output(), gone.path);
            if is_hidden && self.disk().read(&path)?.id() == gone.old.map(|e| blob_id(e.id)) {
                self.disk().remove(&path)?;
            }
        }
        let paths: BTreeSet<&str> = outputs.keys().flat_map(|path| with_folders(path)).collect();
        let folder = self.disk().folder(self.output()).map_err(io_error("open", self.output()))?;
        let at = SystemTime::now();
        let stats = paths.into_par_iter().map(|path| (path.to_owned(), stat_in(&folder, path))).collect();
        Ok(Standing { tree: new, stats, at })
    }

    /// Files that are in the folder as an earlier process left them, and as they are to be.
    fn held_of(&self, tree: Oid) -> Rows {
        let rows: Option<Rows> = self.warm(&kept_as(None)).and_then(|kept| unpacked(&kept));
        let (Some(stock), Some(mut rows)) = (self.known_stock(tree), rows) else { return Rows::new() };
        rows.retain(|path, row| stock.has(path, row.digest));
        self.still_held(None, rows)
    }

    /// Leaves for the next process how the folder was left.
    pub(crate) fn save_standing(&self, tree: Oid, stock: &Stock) {
        let rows: Rows = match &self.cache().standing {
            Some(standing) if standing.tree == tree => {
                let row = |(path, stat): (&String, &Option<Stat>)| {
                    Some((path.clone(), Row { digest: stock.digest(path)?, stamp: Stamp::seen((*stat)?, standing.at) }))
                };
                standing.stats.iter().filter_map(row).collect()
            }
            _ => return,
        };
        let kept = packed(&rows).map(|bytes| self.keep_warm(&kept_as(None), &[bytes]));
        if let Some(Err(error)) = kept {
            tracing::debug!(%error, "how the output folder was left is not kept");
        }
    }

    /// Takes an output folder that live has no more off the disk, as `git pull` would; what differs from live stays.
    fn remove_output(&self, git: &git2::Repository, old: Option<Oid>) -> Result<()> {
        for gone in tree::compare(git, old, None)? {
            let path = format!("{}/{}", self.output(), gone.path);
            if self.disk().read(&path)?.id() == gone.old.map(|e| blob_id(e.id)) {
                self.disk().remove(&path)?;
            }
        }
        Ok(())
    }
}

fn stat_in(folder: &Dir, path: &str) -> Option<Stat> {
    Stat::at(folder, if path.is_empty() { "." } else { path })
}

/// The output folder itself, the folders of a path below it, and the path.
fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    [""].into_iter().chain(path.match_indices('/').map(|(at, _)| &path[..at])).chain([path])
}
