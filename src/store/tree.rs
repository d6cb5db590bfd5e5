//! Trees as git keeps them: what differs between two, and a new one from an old one, without the index.

mod folder;
mod loose;
mod recent;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use git2::{ObjectType, Odb, Oid};

use folder::{Folder, Leads, MODE_FOLDER};

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
    Ok(join(found))
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
    let read = |id: Option<Oid>| id.map(|id| git.find_tree(id)).transpose().map_err(git_error("read a tree"));
    let (before, after) = (read(old)?, read(new)?);
    let (mut a, mut b) = (0, 0);
    loop {
        let was = before.as_ref().and_then(|tree| tree.get(a));
        let is = after.as_ref().and_then(|tree| tree.get(b));
        let order = match (&was, &is) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(was), Some(is)) => order(was, is),
        };
        let was = was.filter(|_| order.is_le());
        let is = is.filter(|_| order.is_ge());
        (a, b) = (a + usize::from(was.is_some()), b + usize::from(is.is_some()));
        let (old, new) = (was.as_ref().map(read_entry), is.as_ref().map(read_entry));
        if old == new {
            continue;
        }
        let Some(Ok(name)) = was.as_ref().or(is.as_ref()).map(git2::TreeEntry::name) else { continue };
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        // Both are folders or both are not: a file and a folder of one name stand in different places.
        if old.or(new).is_some_and(|(is_tree, _)| is_tree) {
            if descend(&path) {
                let id = |entry: Option<(bool, Entry)>| entry.map(|(_, entry)| entry.id);
                compare_level(git, id(old), id(new), &path, depth + 1, descend, found)?;
            }
        } else {
            found.push(Difference { path, old: old.map(|(_, entry)| entry), new: new.map(|(_, entry)| entry) });
        }
    }
}

/// Git's own order: a folder's name counts with a slash behind it.
fn order(a: &git2::TreeEntry<'_>, b: &git2::TreeEntry<'_>) -> Ordering {
    let (x, y) = (a.name_bytes(), b.name_bytes());
    let (is_tree, other_is_tree) = (is_tree(a), is_tree(b));
    if x == y && is_tree == other_is_tree {
        return Ordering::Equal;
    }
    let slash = |is_tree: bool| if is_tree { &b"/"[..] } else { &b""[..] };
    x.iter().chain(slash(is_tree)).cmp(y.iter().chain(slash(other_is_tree)))
}

fn is_tree(entry: &git2::TreeEntry<'_>) -> bool {
    entry.kind() == Some(ObjectType::Tree)
}

fn read_entry(entry: &git2::TreeEntry<'_>) -> (bool, Entry) {
    (is_tree(entry), Entry { id: entry.id(), mode: entry.filemode_raw() })
}

/// One difference for each path: in a tree that somebody wrote out of order, what is gone and what is new may be one file.
fn join(found: Vec<Difference>) -> Vec<Difference> {
    let mut joined: Vec<Difference> = Vec::with_capacity(found.len());
    for difference in found {
        match joined.last_mut() {
            Some(last) if last.path == difference.path => {
                last.old = last.old.or(difference.old);
                last.new = last.new.or(difference.new);
            }
            _ => joined.push(difference),
        }
    }
    joined.retain(|difference| difference.old != difference.new);
    joined
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
    let odb = git.odb().map_err(git_error("write a tree"))?;
    match root.write(git, &odb, base)? {
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
    update(git, base, &[(folder.to_owned(), sub.map(|id| Entry { id, mode: MODE_FOLDER }))])
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

    fn write(&self, git: &git2::Repository, odb: &Odb<'_>, base: Option<Oid>) -> Result<Option<Oid>> {
        let read = |id| {
            let object = odb.read(id).map_err(git_error("read a tree"))?;
            if object.kind() == ObjectType::Tree {
                Ok(object)
            } else {
                Err(Error::internal(format!("{id} is no tree")))
            }
        };
        let recent = base.and_then(recent::known);
        let object = base.filter(|_| recent.is_none()).map(read).transpose()?;
        let kept = recent.as_deref().map_or(&[][..], Vec::as_slice);
        let mut folder = Folder::read(object.as_ref().map_or(kept, git2::OdbObject::data))?;
        let names: BTreeSet<&str> = self.files.keys().chain(self.folders.keys()).map(String::as_str).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut changes = Vec::with_capacity(names.len());
        for (&name, was) in names.iter().zip(folder.look(&names)) {
            let leads = self.leads(git, odb, name, was)?;
            if leads != was {
                if let Some(leads) = leads.filter(|_| was.is_none()) {
                    check(git, name, leads)?;
                }
                changes.push((name, leads));
            }
        }
        match base {
            Some(base) if changes.is_empty() && !folder.is_empty() => Ok(Some(base)),
            _ => folder.bytes(&changes).map(|bytes| loose::write_tree(git, odb, bytes)).transpose(),
        }
    }

    /// What a name leads to after the changes.
    fn leads(&self, git: &git2::Repository, odb: &Odb<'_>, name: &str, was: Option<Leads>) -> Result<Option<Leads>> {
        let (file, below) = (self.files.get(name), self.folders.get(name));
        let mut leads = was;
        // Removals first: a file that makes room for a folder of the same name, or a folder for a file. But removing the file `a`
        // while `a/b` is set must not take along a folder `a` that is already there.
        if file == Some(&None) && !(below.is_some() && was.is_some_and(Leads::is_folder)) {
            leads = None;
        }
        if let Some(node) = below {
            let old = was.filter(|was| was.is_folder()).map(|was| was.id);
            match node.write(git, odb, old)? {
                Some(id) => leads = Some(Leads { mode: MODE_FOLDER, id }),
                None if old.is_some() || !node.only_removes() => leads = None,
                None => {}
            }
        }
        if let Some(Some(entry)) = file {
            leads = Some(Leads { mode: entry.mode, id: entry.id });
        }
        Ok(leads)
    }

    fn only_removes(&self) -> bool {
        self.files.values().all(Option::is_none) && self.folders.values().all(Node::only_removes)
    }
}

/// Refuses what libgit2 refuses as the name of an entry, such as `.git` in all its spellings, and an object that is not there.
fn check(git: &git2::Repository, name: &str, leads: Leads) -> Result<()> {
    let action = git_error("write a tree");
    let mut builder = git.treebuilder(None).map_err(&action)?;
    builder.insert(name, leads.id, leads.mode).map_err(&action)?;
    Ok(())
}

#[cfg(test)]
mod tests;
