//! What is remembered between operations. Dropping any of it costs time and nothing else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use git2::Oid;

use super::Repository;
use super::objects::Entries;
use super::tree::Difference;
use crate::model::{ContentPath, Snapshot};

/// Comparisons of a working tree and a git tree that are remembered: with the tip, with live, and those of named change sets.
const COMPARED: usize = 6;

/// Orders of history that are remembered: that of the working tree, and of named change sets.
const ORDERS: usize = 3;

/// Differences of commits that are remembered, counted in paths.
const DIFFERENCES: usize = 200_000;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// The last snapshot of the working tree.
    pub(super) last: Option<Arc<Snapshot>>,
    /// Site trees as flat maps, newest first.
    pub(super) entries: VecDeque<(Oid, Arc<Entries>)>,
    /// Site trees as snapshots, newest first.
    pub(super) snapshots: VecDeque<(Oid, Arc<Snapshot>)>,
    /// Commits of which it is known what they contain.
    pub(super) contained: super::ancestry::Contained,
    /// Which folders of HEAD's tree hold attributes.
    pub(super) attributes: Option<super::attributes::Recorded>,
    /// Spellings of the last base of an edit that brought a new path.
    pub(super) spellings: Option<Arc<super::spelling::Spellings>>,
    /// The output folder as the last publish left it.
    pub(super) standing: Option<super::publish::standing::Standing>,
    /// Output trees of which it is known what they hold, newest first.
    pub(super) stocks: VecDeque<Arc<super::output::Stock>>,
    compared: VecDeque<Compared>,
    commits: Commits,
    orders: VecDeque<Order>,
}

/// Tips, and all commits that lead to them, newest first.
type Order = (BTreeSet<Oid>, Arc<Vec<Oid>>);

/// What a commit changed in the site, by commits that never change.
#[derive(Debug, Default)]
struct Commits {
    known: BTreeMap<Oid, Arc<Vec<Difference>>>,
    paths: usize,
}

/// Where a state of the files and a tree differ.
#[derive(Debug, Clone)]
struct Compared {
    disk: Arc<Snapshot>,
    tree: Arc<Entries>,
    found: Arc<Vec<ContentPath>>,
}

impl Cache {
    /// The order of exactly these tips, otherwise the last one that shares a tip with them or, failing that, the last one.
    pub(super) fn order(&self, tips: &BTreeSet<Oid>) -> Option<Order> {
        let same = self.orders.iter().find(|(known, _)| known == tips);
        let near = || self.orders.iter().find(|(known, _)| !known.is_disjoint(tips));
        same.or_else(near).or_else(|| self.orders.front()).cloned()
    }

    /// Remembers an order.
    pub(super) fn keep_order(&mut self, tips: &BTreeSet<Oid>, order: &Arc<Vec<Oid>>) {
        self.orders.push_front((tips.clone(), Arc::clone(order)));
        self.orders.truncate(ORDERS);
    }

    /// What a commit changed, where that is known.
    pub(super) fn commit(&self, id: Oid) -> Option<Arc<Vec<Difference>>> {
        self.commits.known.get(&id).cloned()
    }

    /// Remembers what a commit changed.
    pub(super) fn keep_commit(&mut self, id: Oid, differences: &Arc<Vec<Difference>>) {
        // A commit without changes counts too, or a history of merges would never be full.
        let size = differences.len() + 1;
        if self.commits.paths + size > DIFFERENCES {
            self.commits = Commits::default();
        }
        if self.commits.known.insert(id, Arc::clone(differences)).is_none() {
            self.commits.paths += size;
        }
    }
}

impl Repository {
    /// The paths where files and tree differ, in order. What both share with a comparison made before is not compared again.
    pub(crate) fn differing(&self, disk: &Arc<Snapshot>, tree: &Arc<Entries>) -> Vec<ContentPath> {
        let near = {
            let cache = self.cache();
            let same = cache.compared.iter().find(|known| Arc::ptr_eq(&known.tree, tree));
            same.or_else(|| cache.compared.front()).cloned()
        };
        let found = match near {
            Some(near) if Arc::ptr_eq(&near.disk, disk) && Arc::ptr_eq(&near.tree, tree) => {
                return (*near.found).clone();
            }
            Some(near) => self.differing_since(&near, disk, tree),
            None => self.all_differing(disk, tree),
        };
        let known = Compared { disk: Arc::clone(disk), tree: Arc::clone(tree), found: Arc::new(found.clone()) };
        let mut cache = self.cache();
        cache.compared.retain(|other| !Arc::ptr_eq(&other.tree, tree));
        cache.compared.push_front(known);
        cache.compared.truncate(COMPARED);
        found
    }

    fn differing_since(&self, near: &Compared, disk: &Snapshot, tree: &Entries) -> Vec<ContentPath> {
        let files = near.disk.changes(disk);
        let entries = near.tree.changes(tree, PartialEq::eq);
        let mut paths: Vec<&ContentPath> = near.found.iter().collect();
        paths.extend(files.iter().map(|difference| difference.path));
        paths.extend(entries.iter().map(|difference| difference.path));
        paths.sort_unstable();
        paths.dedup();
        self.work().compared(paths.len());
        let differs = |path: &&ContentPath| {
            let entry = tree.get(path.as_str()).filter(|entry| entry.is_file());
            disk.get(path).map(|file| file.id) != entry.map(|entry| super::message::blob_id(entry.id))
        };
        paths.into_iter().filter(differs).cloned().collect()
    }

    fn all_differing(&self, disk: &Snapshot, tree: &Entries) -> Vec<ContentPath> {
        self.work().compared(disk.len().max(tree.len()));
        let same = |file: &crate::model::File, entry: &super::tree::Entry| {
            entry.is_file() && super::message::blob_id(entry.id) == file.id
        };
        let found = disk.files().differences(tree, same, |_, _| false);
        let counts = found.into_iter().filter(|d| d.old.is_some() || d.new.is_some_and(|entry| entry.is_file()));
        counts.map(|difference| difference.path.clone()).collect()
    }
}
