//! What an output tree in git is known to hold: a publish makes, hashes and writes only what is new to it.
//!
//! It is bound to the tree's id, so nobody else can change what it is about. From one tree to a later one it is taken along by what differs.

use std::collections::BTreeMap;
use std::sync::Arc;

use git2::{ObjectType, Oid};
use rayon::prelude::*;

use super::{Source, both, git_tree};
use crate::error::{Error, Result};
use crate::model::{ContentPath, Digest, OutputData, Outputs, PathMap};
use crate::store::hash::object_id;
use crate::store::tree::{self, Entry};
use crate::store::{Repository, failure::git_error};

/// Trees that are remembered: live's, and those of named change sets on their way there.
const REMEMBERED: usize = 3;
/// How many more outputs than this may be new before it is saved again; in a large site a twentieth of them.
const UNSAVED: usize = 200;
/// What it is saved as.
const NAME: &str = "live";

/// The files of an output tree; empty where nothing is known.
#[derive(Debug, Default)]
pub struct Stock {
    tree: Option<Oid>,
    files: PathMap<Piece>,
    /// Files that differ from what is saved for the next process; `None`: nothing is saved.
    unsaved: Option<usize>,
}

/// One file of an output tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    id: Oid,
    /// Of its bytes, where a build of ours made them.
    digest: Option<Digest>,
}

/// What a build made of the files that an output tree is to hold.
#[derive(Debug, Default)]
pub struct Made {
    /// The outputs that were made.
    pub outputs: Outputs,
    /// Digests of rendered outputs. One that is not among the outputs stands as the tree before has it.
    pub digests: BTreeMap<String, Digest>,
}

impl From<Outputs> for Made {
    fn from(outputs: Outputs) -> Self {
        Self { outputs, digests: BTreeMap::new() }
    }
}

impl Made {
    /// The paths of all files, in order.
    fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.outputs.keys().chain(self.digests.keys()).map(String::as_str).collect();
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// Refuses a path that cannot be a file below the folder beside all others.
    fn check(&self, path: &str) -> Result<()> {
        ContentPath::from_disk(path)?;
        let has = |path: &str| self.outputs.contains_key(path) || self.digests.contains_key(path);
        if let Some((at, _)) = path.match_indices('/').find(|(at, _)| has(&path[..*at])) {
            return Err(both(path, &path[..at]));
        }
        let below = format!("{path}/");
        let first = [self.outputs.range(below.clone()..).next().map(|(path, _)| path), {
            self.digests.range(below.clone()..).next().map(|(path, _)| path)
        }];
        match first.into_iter().flatten().find(|other| other.starts_with(&below)) {
            Some(other) => Err(both(other, path)),
            None => Ok(()),
        }
    }
}

/// A file as it will be, with its bytes where the stock has it not.
struct Put<'m> {
    path: &'m str,
    piece: Piece,
    data: Option<&'m OutputData>,
}

impl Stock {
    /// Whether anything is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.tree.is_some()
    }

    /// Whether the tree has a file of these bytes at this path.
    #[must_use]
    pub fn has(&self, path: &str, digest: Digest) -> bool {
        self.files.get(path).is_some_and(|piece| piece.digest == Some(digest))
    }

    /// The digest of a file, where a build of ours made it.
    pub(crate) fn digest(&self, path: &str) -> Option<Digest> {
        self.files.get(path).and_then(|piece| piece.digest)
    }

    fn put<'m>(&self, repository: &Repository, made: &'m Made, path: &'m str) -> Result<Put<'m>> {
        let known = self.files.get(path).copied();
        let stands = |piece: Piece| Put { path, piece, data: None };
        let Some(output) = made.outputs.get(path) else {
            let digest = made.digests.get(path).copied();
            let stood = known.filter(|piece| piece.digest.is_some() && piece.digest == digest);
            return stood
                .map(stands)
                .ok_or_else(|| Error::internal(format!("the output {path} was neither made nor there")));
        };
        let piece = match &output.data {
            OutputData::Copy(_, id) => Piece { id: Oid::from_bytes(&id.0).map_err(failed)?, digest: None },
            OutputData::Bytes(bytes) => {
                repository.work().made();
                let digest = made.digests.get(path).copied().unwrap_or_else(|| Digest::of(bytes));
                if let Some(piece) = known.filter(|piece| piece.digest == Some(digest)) {
                    return Ok(stands(piece));
                }
                repository.work().hashed();
                Piece { id: object_id(ObjectType::Blob, bytes), digest: Some(digest) }
            }
        };
        let is_there = known.is_some_and(|known| known.id == piece.id);
        Ok(Put { path, piece, data: (!is_there).then_some(&output.data) })
    }

    /// The same about a later tree. `None`: what differs is nothing that a build of ours could have made.
    fn moved(&self, git: &git2::Repository, to: Oid) -> Result<Option<Self>> {
        let Some(from) = self.tree.filter(|from| git.find_tree(*from).is_ok()) else { return Ok(None) };
        let differences = tree::compare(git, Some(from), Some(to))?;
        let (mut files, mut changes) = (self.files.clone(), Vec::with_capacity(differences.len()));
        for difference in differences {
            let Ok(path) = ContentPath::from_disk(&difference.path) else { return Ok(None) };
            match difference.new {
                Some(entry) if entry.mode != tree::MODE_FILE => return Ok(None),
                Some(entry) => files.insert(path, Piece { id: entry.id, digest: None }),
                None => files.remove(path.as_str()),
            };
            changes.push((difference.path, difference.new));
        }
        // A tree may hold what no comparison tells of, such as names that are no text.
        let unsaved = self.unsaved.map(|unsaved| unsaved + changes.len());
        let same = tree::update(git, Some(from), &changes)? == to;
        Ok(same.then_some(Self { tree: Some(to), files, unsaved }))
    }

    /// What is known once these files are in a tree.
    fn with(&self, tree: Oid, puts: &[Put<'_>], gone: &[String]) -> Result<Self> {
        let is_new = |put: &&Put<'_>| self.files.get(put.path) != Some(&put.piece);
        if self.is_known() {
            let (mut files, mut unsaved) = (self.files.clone(), self.unsaved.map(|unsaved| unsaved + gone.len()));
            for path in gone {
                files.remove(path);
            }
            for put in puts.iter().filter(is_new) {
                files.insert(ContentPath::from_disk(put.path)?, put.piece);
                unsaved = unsaved.map(|unsaved| unsaved + 1);
            }
            return Ok(Self { tree: Some(tree), files, unsaved });
        }
        let pairs = puts.iter().map(|put| Ok((ContentPath::from_disk(put.path)?, put.piece)));
        let files = PathMap::of_sorted(pairs.collect::<Result<Vec<_>>>()?);
        Ok(Self { tree: Some(tree), files, unsaved: None })
    }

    fn saved(&self) -> Option<Vec<u8>> {
        let tree = self.tree?;
        let row = |(path, piece): (&ContentPath, &Piece)| (path.to_string(), piece.id.to_string(), piece.digest);
        let rows: Vec<(String, String, Option<Digest>)> = self.files.iter().map(row).collect();
        rmp_serde::to_vec(&(tree.to_string(), rows)).ok()
    }

    fn read(saved: &[u8]) -> Option<Self> {
        let (tree, rows): (String, Vec<(String, String, Option<Digest>)>) = rmp_serde::from_slice(saved).ok()?;
        let pair = |(path, id, digest): (String, String, Option<Digest>)| {
            Some((ContentPath::from_disk(&path).ok()?, Piece { id: Oid::from_str(&id).ok()?, digest }))
        };
        let pairs: Vec<(ContentPath, Piece)> = rows.into_iter().map(pair).collect::<Option<_>>()?;
        let in_order = pairs.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let tree = Oid::from_str(&tree).ok().filter(|_| in_order)?;
        Some(Self { tree: Some(tree), files: PathMap::of_sorted(pairs), unsaved: Some(0) })
    }
}

impl Repository {
    /// What is known of an output tree.
    pub(crate) fn stock(&self, git: &git2::Repository, of: Option<Oid>) -> Result<Arc<Stock>> {
        let Some(of) = of else { return Ok(Arc::default()) };
        let known: Vec<Arc<Stock>> = self.cache().stocks.iter().cloned().collect();
        if let Some(same) = known.iter().find(|stock| stock.tree == Some(of)) {
            return Ok(Arc::clone(same));
        }
        let near =
            known.first().cloned().or_else(|| self.warm(NAME).and_then(|saved| Stock::read(&saved)).map(Arc::new));
        let Some(near) = near else { return Ok(Arc::default()) };
        let found = if near.tree == Some(of) { Some(near) } else { near.moved(git, of)?.map(Arc::new) };
        let Some(found) = found else { return Ok(Arc::default()) };
        self.remember_stock(&found);
        Ok(found)
    }

    /// Writes the tree that holds exactly what a build made, from the one that the build was told of. `None`: it holds nothing.
    pub(crate) fn put_output(
        &self,
        git: &git2::Repository,
        (old, stock): (Option<Oid>, &Stock),
        made: &Made,
        source: &Source<'_>,
    ) -> Result<Option<Oid>> {
        let paths = made.paths();
        if paths.is_empty() {
            return Ok(None);
        }
        let puts: Vec<Put<'_>> =
            paths.into_par_iter().map(|path| stock.put(self, made, path)).collect::<Result<_>>()?;
        for put in puts.iter().filter(|put| put.data.is_some() && stock.files.get(put.path).is_none()) {
            made.check(put.path)?;
        }
        let gone = gone(stock, &puts);
        let new = || puts.iter().filter_map(|put| Some((put.path, put.data?, put.piece.id)));
        let tree = if stock.is_known() {
            git_tree::write_blobs(git, new(), source)?;
            let entry = |id: Oid| Some(Entry { id, mode: tree::MODE_FILE });
            let set = new().map(|(path, _, id)| (path.to_owned(), entry(id)));
            let changes: Vec<_> = set.chain(gone.iter().map(|path| (path.clone(), None))).collect();
            tree::update(git, old, &changes)?
        } else {
            git_tree::tree(git, old, new(), source)?
        };
        self.remember_stock(&Arc::new(stock.with(tree, &puts, &gone)?));
        Ok(Some(tree))
    }

    /// What is known of an output tree without looking at it.
    pub(crate) fn known_stock(&self, tree: Oid) -> Option<Arc<Stock>> {
        self.cache().stocks.iter().find(|stock| stock.tree == Some(tree)).cloned()
    }

    fn remember_stock(&self, stock: &Arc<Stock>) {
        let mut cache = self.cache();
        cache.stocks.retain(|other| other.tree != stock.tree);
        cache.stocks.push_front(Arc::clone(stock));
        cache.stocks.truncate(REMEMBERED);
    }

    /// Leaves for the next process what is known of the output that was made last, where much of it is new; whether it did.
    pub fn save_stock(&self) -> bool {
        let Some(stock) = self.cache().stocks.front().cloned() else { return false };
        let much = UNSAVED.max(stock.files.len() / 20);
        if stock.unsaved.is_some_and(|unsaved| unsaved <= much) {
            return false;
        }
        let Some(bytes) = stock.saved() else { return false };
        if let Err(error) = self.keep_warm(NAME, &[bytes]) {
            tracing::debug!(%error, "what the output holds is not kept");
            return false;
        }
        if let Some(tree) = stock.tree {
            self.save_standing(tree, &stock);
        }
        self.remember_stock(&Arc::new(Stock { unsaved: Some(0), files: stock.files.clone(), tree: stock.tree }));
        true
    }
}

/// What the stock has and the new files have not.
fn gone(stock: &Stock, puts: &[Put<'_>]) -> Vec<String> {
    let mut puts = puts.iter().map(|put| put.path).peekable();
    let mut gone = Vec::new();
    for (path, _) in stock.files.iter() {
        while puts.next_if(|put| *put < path.as_str()).is_some() {}
        if puts.peek() != Some(&path.as_str()) {
            gone.push(path.to_string());
        }
    }
    gone
}

fn failed(error: git2::Error) -> Error {
    git_error("write the output tree")(error)
}
