//! Trees as git keeps them: what differs between two, and a new one from an old one, without the index.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid};

use super::failure::git_error;
use crate::error::{Error, Result};

/// Deeper trees are refused: no site has them, and a crafted one must not exhaust the stack.
const MAX_DEPTH: usize = 64;

/// Mode of an ordinary file.
pub(crate) const MODE_FILE: i32 = 0o100_644;
/// Mode of an executable file.
pub(crate) const MODE_EXECUTABLE: i32 = 0o100_755;

/// A file in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    /// Blob id (commit id of a submodule).
    pub id: Oid,
    /// Git's file mode.
    pub mode: i32,
}

impl Entry {
    /// Whether it is an ordinary or executable file: no symbolic link, no submodule.
    pub(crate) fn is_file(self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }
}

/// A path that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Relative to the trees compared.
    pub path: String,
    /// Before; `None`: it was not there.
    pub old: Option<Entry>,
    /// After; `None`: it is gone.
    pub new: Option<Entry>,
}

/// What differs between two trees, in path order. Equal sub-trees are never opened, so the cost is that of the
/// difference and not that of the site. Names that are not UTF-8 are left out.
pub(crate) fn compare(git: &git2::Repository, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<Difference>> {
    compare_in(git, old, new, &|_| true)
}

/// Like [`compare`], opening only folders for which `descend` says so.
pub(crate) fn compare_in(
    git: &git2::Repository,
    old: Option<Oid>,
    new: Option<Oid>,
    descend: &dyn Fn(&str) -> bool,
) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    compare_level(git, old, new, "", 0, descend, &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn compare_level(
    git: &git2::Repository,
    old: Option<Oid>,
    new: Option<Oid>,
    folder: &str,
    depth: usize,
    descend: &dyn Fn(&str) -> bool,
    found: &mut Vec<Difference>,
) -> Result<()> {
    if old == new {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(Error::Git { action: "compare trees", reason: format!("folders nest deeper than {MAX_DEPTH}") });
    }
    let before = level(git, old)?;
    let mut after = level(git, new)?;
    let path_of = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    for (name, (was_tree, was)) in before {
        let (is_tree, is) = after.remove(&name).map_or((false, None), |(t, e)| (t, Some(e)));
        if Some(was) == is {
            continue;
        }
        let path = path_of(&name);
        let (old_file, old_dir) = split(was_tree, Some(was));
        let (new_file, new_dir) = split(is_tree, is);
        if old_file != new_file {
            found.push(Difference { path: path.clone(), old: old_file, new: new_file });
        }
        if old_dir != new_dir && descend(&path) {
            compare_level(git, old_dir, new_dir, &path, depth + 1, descend, found)?;
        }
    }
    for (name, (is_tree, is)) in after {
        let path = path_of(&name);
        if !is_tree {
            found.push(Difference { path, old: None, new: Some(is) });
        } else if descend(&path) {
            compare_level(git, None, Some(is.id), &path, depth + 1, descend, found)?;
        }
    }
    Ok(())
}

fn split(is_tree: bool, entry: Option<Entry>) -> (Option<Entry>, Option<Oid>) {
    if is_tree { (None, entry.map(|e| e.id)) } else { (entry, None) }
}

type Level = BTreeMap<String, (bool, Entry)>;

fn level(git: &git2::Repository, tree: Option<Oid>) -> Result<Level> {
    let Some(id) = tree else { return Ok(Level::new()) };
    let tree = git.find_tree(id).map_err(git_error("read a tree"))?;
    let entries = tree.iter().filter_map(|e| {
        let name = e.name().ok()?.to_owned();
        Some((name, (e.kind() == Some(ObjectType::Tree), Entry { id: e.id(), mode: e.filemode_raw() })))
    });
    Ok(entries.collect())
}

/// The sub-tree at a folder (`""`: the tree itself); `None` where there is none or a file is in its place.
pub(crate) fn subtree(git: &git2::Repository, tree: Option<Oid>, folder: &str) -> Result<Option<Oid>> {
    let mut current = tree;
    for name in folder.split('/').filter(|name| !name.is_empty()) {
        let Some(id) = current else { return Ok(None) };
        let tree = git.find_tree(id).map_err(git_error("read a tree"))?;
        current = tree.get_name(name).filter(|e| e.kind() == Some(ObjectType::Tree)).map(|e| e.id());
    }
    Ok(current)
}

/// The file at a path; `None` where there is none or a folder is in its place.
pub(crate) fn entry(git: &git2::Repository, tree: Option<Oid>, path: &str) -> Result<Option<Entry>> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some(id) = subtree(git, tree, folder)? else { return Ok(None) };
    let tree = git.find_tree(id).map_err(git_error("read a tree"))?;
    Ok(tree
        .get_name(name)
        .filter(|e| e.kind() != Some(ObjectType::Tree))
        .map(|e| Entry { id: e.id(), mode: e.filemode_raw() }))
}

/// A tree like `base` with these paths set or removed. A file may become a folder and the other way round, removing
/// what is absent does nothing, emptied folders vanish; for a path named twice the last one counts.
pub(crate) fn update(git: &git2::Repository, base: Option<Oid>, changes: &[(String, Option<Entry>)]) -> Result<Oid> {
    let mut root = Node::default();
    for (path, entry) in changes {
        root.add(path, *entry)?;
    }
    match root.write(git, base)? {
        Some(id) => Ok(id),
        None => empty(git),
    }
}

fn empty(git: &git2::Repository) -> Result<Oid> {
    git.treebuilder(None).and_then(|b| b.write()).map_err(git_error("write a tree"))
}

/// A tree like `base` whose `folder` is the tree `sub` (`None`: without it).
pub(crate) fn graft(git: &git2::Repository, base: Option<Oid>, folder: &str, sub: Option<Oid>) -> Result<Oid> {
    if folder.is_empty() {
        return sub.map_or_else(|| empty(git), Ok);
    }
    update(git, base, &[(folder.to_owned(), sub.map(|id| Entry { id, mode: 0o040_000 }))])
}

/// The changes below one folder.
#[derive(Default)]
struct Node {
    files: BTreeMap<String, Option<Entry>>,
    folders: BTreeMap<String, Node>,
}

impl Node {
    fn add(&mut self, path: &str, entry: Option<Entry>) -> Result<()> {
        let mut node = self;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        for (depth, part) in folder.split('/').filter(|part| !part.is_empty()).enumerate() {
            if depth > MAX_DEPTH {
                return Err(Error::InvalidPath {
                    path: path.into(),
                    problem: format!("it nests deeper than {MAX_DEPTH} folders"),
                });
            }
            node = node.folders.entry(part.to_owned()).or_default();
        }
        node.files.insert(name.to_owned(), entry);
        Ok(())
    }

    fn write(self, git: &git2::Repository, base: Option<Oid>) -> Result<Option<Oid>> {
        let action = git_error("write a tree");
        let base = base.map(|id| git.find_tree(id)).transpose().map_err(&action)?;
        let mut builder = git.treebuilder(base.as_ref()).map_err(&action)?;
        // Removals first: a file that makes room for a folder of the same name, or a folder for a file.
        for name in self.files.iter().filter(|(_, entry)| entry.is_none()).map(|(name, _)| name) {
            if builder.get(name.as_str()).map_err(&action)?.is_some_and(|e| !keeps(&e, self.folders.contains_key(name)))
            {
                builder.remove(name.as_str()).map_err(&action)?;
            }
        }
        for (name, node) in self.folders {
            let old = base.as_ref().and_then(|b| b.get_name(&name).map(|e| (e.id(), e.kind())));
            let old_tree = old.filter(|(_, kind)| *kind == Some(ObjectType::Tree)).map(|(id, _)| id);
            let only_removes = node.only_removes();
            match node.write(git, old_tree)? {
                Some(id) => {
                    builder.insert(name.as_str(), id, 0o040_000).map_err(&action)?;
                }
                None if (old_tree.is_some() || !only_removes)
                    && builder.get(name.as_str()).map_err(&action)?.is_some() =>
                {
                    builder.remove(name.as_str()).map_err(&action)?;
                }
                None => {}
            }
        }
        for (name, entry) in self.files {
            if let Some(entry) = entry {
                builder.insert(name.as_str(), entry.id, entry.mode).map_err(&action)?;
            }
        }
        if builder.is_empty() { Ok(None) } else { builder.write().map(Some).map_err(&action) }
    }

    fn only_removes(&self) -> bool {
        self.files.values().all(Option::is_none) && self.folders.values().all(Node::only_removes)
    }
}

/// Removing the file `a` while `a/b` is set must not take along a folder `a` that is already there.
fn keeps(entry: &git2::TreeEntry<'_>, has_changes_below: bool) -> bool {
    has_changes_below && entry.kind() == Some(ObjectType::Tree)
}

#[cfg(test)]
mod tests;
