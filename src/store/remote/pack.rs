//! What a remote is told that we have, and the packs it is sent.

use std::collections::HashSet;
use std::io::Write;

use git2::{ObjectType, Oid, PackBuilder, Repository, Tree};

use super::bound::Bound;
use super::{MAX_SHALLOW, Reason};

/// How far back known commits are named: every one that doubles the distance, so a history that was cut short still meets.
const DEPTH: usize = 4_096;

/// How many known commits are named at most.
const MOST_KNOWN: usize = 200;

/// Names of what is known here of the remote.
#[derive(Debug, Clone, Copy)]
pub(super) struct Local<'a> {
    /// The remote's name.
    pub(super) remote: &'a str,
    /// The branch.
    pub(super) branch: &'a str,
}

/// Commits that the remote probably has too, the likeliest first.
pub(super) fn known(git: &Repository, local: &Local<'_>) -> Vec<Oid> {
    let Local { remote, branch } = local;
    let mut tips = Vec::new();
    for name in [format!("refs/remotes/{remote}/{branch}"), format!("refs/heads/{branch}")] {
        tips.extend(git.refname_to_id(&name).ok());
    }
    if let Ok(all) = git.references_glob(&format!("refs/remotes/{remote}/*")) {
        tips.extend(all.flatten().filter_map(|reference| reference.target()).take(MOST_KNOWN / 2));
    }
    let mut known: Vec<Oid> = Vec::new();
    for (rank, tip) in tips.into_iter().enumerate() {
        // Only the branch itself is followed back; of the others the tip says enough.
        let depth = if rank < 2 { DEPTH } else { 1 };
        let (mut at, mut next) = (tip, 0);
        for distance in 0..depth {
            let Ok(commit) = git.find_commit(at) else { break };
            if distance == next {
                if !known.contains(&at) {
                    known.push(at);
                }
                next = if next == 0 { 1 } else { next * 2 };
            }
            let Ok(parent) = commit.parent_id(0) else { break };
            at = parent;
        }
    }
    known.truncate(MOST_KNOWN);
    known
}

/// Where the history of a shallow clone is cut.
pub(super) fn shallow(git: &Repository) -> Result<Vec<Oid>, Reason> {
    if !git.is_shallow() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(git.commondir().join("shallow"))?;
    let cuts: Vec<Oid> = text.lines().filter_map(|line| Oid::from_str(line).ok()).collect();
    if cuts.len() > MAX_SHALLOW {
        return Err(Reason::new("the history here is cut in too many places: run `git fetch --unshallow`"));
    }
    Ok(cuts)
}

/// Appends the pack of everything that `commit` has and `there` has not. What is looked for and compressed here is not held against
/// the other side; neither is writing to `body`, which has to be a file or a folder of ours.
pub(super) fn write(
    git: &Repository,
    commit: Oid,
    there: &[Oid],
    body: &mut impl Write,
    bound: &Bound,
) -> Result<(), Reason> {
    bound.apart(|| put(git, commit, there, body, bound))
}

fn put(git: &Repository, commit: Oid, there: &[Oid], body: &mut impl Write, bound: &Bound) -> Result<(), Reason> {
    let mut walk = git.revwalk()?;
    walk.push(commit)?;
    for id in there {
        // What we do not have, we cannot leave out.
        if git.find_commit(*id).is_ok() {
            walk.hide(*id)?;
        }
    }
    let mut pack = git.packbuilder()?;
    // Looking for what resembles what is most of a first publish: on all cores.
    pack.set_threads(0);
    pack.set_progress_callback(|_, _, _| bound.alive())?;
    let mut gathered = Gathered::default();
    for id in walk {
        gather(git, &mut pack, id?, &mut gathered)?;
    }
    let mut failed = None;
    let written = pack.foreach(|bytes| match body.write_all(bytes) {
        Ok(()) => bound.alive(),
        Err(error) => {
            failed = Some(error);
            false
        }
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(written?),
    }
}

/// What is in a pack already.
#[derive(Default)]
struct Gathered {
    objects: HashSet<Oid>,
    /// Folders, each with those it was compared with: beside another parent the same folder has other things that are new.
    folders: HashSet<(Oid, Vec<Oid>)>,
}

/// Adds a commit and what it has that its parents have not: they are in the pack too, or the other side has them.
///
/// libgit2's own way opens every folder of the commits that are left out.
fn gather(git: &Repository, pack: &mut PackBuilder<'_>, id: Oid, gathered: &mut Gathered) -> Result<(), git2::Error> {
    pack.insert_object(id, None)?;
    let commit = git.find_commit(id)?;
    // Where history is cut off, a parent is only a name.
    let parents = commit.parent_ids().filter_map(|parent| Some(git.find_commit(parent).ok()?.tree_id()));
    let mut folders = vec![(commit.tree_id(), parents.collect::<Vec<Oid>>())];
    while let Some((id, before)) = folders.pop() {
        if before.contains(&id) || !gathered.folders.insert((id, before.clone())) {
            continue;
        }
        if gathered.objects.insert(id) {
            pack.insert_object(id, None)?;
        }
        let tree = git.find_tree(id)?;
        let before: Vec<Tree<'_>> = before.into_iter().filter_map(|id| git.find_tree(id).ok()).collect();
        for entry in &tree {
            let was = before.iter().filter_map(|tree| tree.get_name_bytes(entry.name_bytes()));
            let was: Vec<(Oid, Option<ObjectType>)> = was.map(|entry| (entry.id(), entry.kind())).collect();
            match entry.kind() {
                _ if was.contains(&(entry.id(), entry.kind())) => {}
                Some(ObjectType::Tree) => {
                    let was = was.into_iter().filter(|(_, kind)| *kind == Some(ObjectType::Tree));
                    folders.push((entry.id(), was.map(|(id, _)| id).collect()));
                }
                Some(ObjectType::Blob) if gathered.objects.insert(entry.id()) => {
                    pack.insert_object(entry.id(), entry.name().ok())?;
                }
                // A submodule's commits are elsewhere.
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tree::{self, Entry, MODE_FILE};

    #[test]
    fn a_folder_that_comes_back_brings_what_was_new_when_it_first_came() {
        let dir = tempfile::tempdir().unwrap();
        let git = Repository::init_bare(dir.path()).unwrap();
        let author = git2::Signature::now("A", "a@example.org").unwrap();
        let commit = |top: &str, inner: &str, parent: Option<Oid>| {
            let file = |text: &str| Some(Entry { id: git.blob(text.as_bytes()).unwrap(), mode: MODE_FILE });
            let files = [("top".to_owned(), file(top)), ("folder/inner".to_owned(), file(inner))];
            let tree = git.find_tree(tree::update(&git, None, &files).unwrap()).unwrap();
            let parent = parent.map(|id| git.find_commit(id).unwrap());
            git.commit(None, &author, &author, "m", &tree, &parent.iter().collect::<Vec<_>>()).unwrap()
        };
        let there = commit("1", "1", None);
        let first = commit("1", "2", Some(there));
        let second = commit("2", "2", Some(first));
        // All of it is as it was in the first one.
        let third = commit("1", "2", Some(second));
        let (mut pack, mut gathered) = (git.packbuilder().unwrap(), Gathered::default());
        for id in [third, second, first] {
            gather(&git, &mut pack, id, &mut gathered).unwrap();
        }
        let folder = tree::subtree(&git, Some(git.find_commit(first).unwrap().tree_id()), "folder").unwrap().unwrap();
        assert!(gathered.objects.contains(&folder));
        assert!(gathered.objects.contains(&git.blob(b"2").unwrap()));
        assert_eq!(pack.object_count(), 3 + gathered.objects.len());
    }
}
