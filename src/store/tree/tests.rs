use std::path::Path;

use super::*;

struct Scratch {
    _dir: tempfile::TempDir,
    git: git2::Repository,
}

fn scratch() -> Scratch {
    let dir = tempfile::tempdir().unwrap();
    let git = git2::Repository::init_bare(dir.path()).unwrap();
    Scratch { _dir: dir, git }
}

impl Scratch {
    fn file(&self, text: &str) -> Entry {
        Entry { id: self.git.blob(text.as_bytes()).unwrap(), mode: MODE_FILE }
    }

    fn update(&self, base: Option<Oid>, changes: &[(&str, Option<&str>)]) -> Oid {
        let changes: Vec<_> = changes.iter().map(|(p, t)| ((*p).to_owned(), t.map(|t| self.file(t)))).collect();
        update(&self.git, base, &changes).unwrap()
    }

    fn paths(&self, tree: Oid) -> Vec<String> {
        compare(&self.git, None, Some(tree)).unwrap().into_iter().map(|d| d.path).collect()
    }
}

#[test]
fn update_sets_and_removes_and_drops_emptied_folders() {
    let s = scratch();
    let base = s.update(None, &[("a/b/c.md", Some("1")), ("a/d.md", Some("2")), ("e.md", Some("3"))]);
    assert_eq!(s.paths(base), ["a/b/c.md", "a/d.md", "e.md"]);
    let next = s.update(Some(base), &[("a/b/c.md", None), ("f/g.md", Some("4"))]);
    assert_eq!(s.paths(next), ["a/d.md", "e.md", "f/g.md"]);
    assert!(s.git.find_tree(next).unwrap().get_path(Path::new("a/b")).is_err());
    let none = s.update(Some(next), &[("a/d.md", None), ("e.md", None), ("f/g.md", None)]);
    assert!(s.git.find_tree(none).unwrap().is_empty());
}

#[test]
fn update_swaps_files_and_folders() {
    let s = scratch();
    let file = s.update(None, &[("x", Some("1")), ("y/z", Some("2"))]);
    let swapped = s.update(Some(file), &[("x", None), ("x/a", Some("3")), ("y/z", None), ("y", Some("4"))]);
    assert_eq!(s.paths(swapped), ["x/a", "y"]);
    let back = s.update(Some(swapped), &[("x/a", None), ("x", Some("1")), ("y", None), ("y/z", Some("2"))]);
    assert_eq!(back, file);
}

#[test]
fn removing_what_is_absent_changes_nothing() {
    let s = scratch();
    let base = s.update(None, &[("a", Some("1"))]);
    assert_eq!(s.update(Some(base), &[("b", None), ("c/d", None), ("a/x", None)]), base);
}

#[test]
fn compare_names_only_what_differs() {
    let s = scratch();
    let old = s.update(None, &[("a/1", Some("1")), ("a/2", Some("2")), ("b", Some("3"))]);
    let new = s.update(Some(old), &[("a/2", Some("two")), ("b", None), ("b/c", Some("4")), ("z", Some("5"))]);
    let found: Vec<_> = compare(&s.git, Some(old), Some(new))
        .unwrap()
        .into_iter()
        .map(|d| (d.path, d.old.is_some(), d.new.is_some()))
        .collect();
    let expected = [("a/2", true, true), ("b", true, false), ("b/c", false, true), ("z", false, true)]
        .map(|(p, o, n)| (p.to_owned(), o, n));
    assert_eq!(found, expected);
    assert!(compare(&s.git, Some(old), Some(old)).unwrap().is_empty());
}

#[test]
fn compare_opens_only_the_folders_asked_for() {
    let s = scratch();
    let tree = s.update(None, &[("public/a", Some("1")), ("content/a", Some("1"))]);
    let found = compare_in(&s.git, None, Some(tree), &|folder| folder != "public").unwrap();
    assert_eq!(found.iter().map(|d| d.path.as_str()).collect::<Vec<_>>(), ["content/a"]);
}

#[test]
fn a_crafted_deep_tree_is_refused() {
    let s = scratch();
    let mut id = s.update(None, &[("a", Some("1"))]);
    for _ in 0..500 {
        let mut builder = s.git.treebuilder(None).unwrap();
        builder.insert("d", id, 0o040_000).unwrap();
        id = builder.write().unwrap();
    }
    assert_eq!(compare(&s.git, None, Some(id)).unwrap_err().code(), "git");
}

#[test]
fn graft_replaces_a_folder() {
    let s = scratch();
    let base = s.update(None, &[("docs/a", Some("1")), ("src/b", Some("2"))]);
    let sub = s.update(None, &[("c", Some("3"))]);
    let grafted = graft(&s.git, Some(base), "docs", Some(sub)).unwrap();
    assert_eq!(s.paths(grafted), ["docs/c", "src/b"]);
    assert_eq!(s.paths(graft(&s.git, Some(base), "docs", None).unwrap()), ["src/b"]);
    assert_eq!(graft(&s.git, Some(base), "", Some(sub)).unwrap(), sub);
}

proptest::proptest! {
    #[test]
    fn a_folder_is_written_as_libgit2_writes_it(
        steps in proptest::collection::vec(
            proptest::collection::btree_map("[ab][-./0b]{0,2}", proptest::option::of(0..3_u8), 1..6),
            1..4,
        )
    ) {
        let s = scratch();
        let empty = s.git.treebuilder(None).unwrap().write().unwrap();
        let name = |name: &str| name.replace('/', "~");
        let (mut ours, mut expected) = (None, std::collections::BTreeMap::new());
        for step in steps {
            let mut changes = Vec::new();
            for (text, what) in &step {
                // 0 is a file, the others are folders, whose names sort otherwise.
                let path = if *what == Some(0) { name(text) } else { format!("{}/x", name(text)) };
                expected.remove(&name(text));
                changes.push((name(text), None));
                changes.push((format!("{}/x", name(text)), None));
                if let Some(what) = what {
                    let entry = s.file(&what.to_string());
                    changes.push((path, Some(entry)));
                    expected.insert(name(text), (*what == 0, entry));
                }
            }
            ours = Some(update(&s.git, ours, &changes).unwrap());
        }
        let mut builder = s.git.treebuilder(None).unwrap();
        for (name, (is_file, entry)) in expected {
            if is_file {
                builder.insert(name, entry.id, entry.mode).unwrap();
            } else {
                let mut inner = s.git.treebuilder(None).unwrap();
                inner.insert("x", entry.id, entry.mode).unwrap();
                builder.insert(name, inner.write().unwrap(), 0o040_000).unwrap();
            }
        }
        proptest::prop_assert_eq!(ours.unwrap_or(empty), builder.write().unwrap());
    }
}

#[test]
fn names_that_git_refuses_are_refused() {
    let s = scratch();
    for name in [".git", ".GIT", "git~1", ".", ".."] {
        let file = s.file("1");
        assert!(update(&s.git, None, &[(name.to_owned(), Some(file))]).is_err(), "{name}");
    }
}

#[test]
fn a_large_folder_is_an_object_as_git_knows_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let s = scratch();
    let names: Vec<String> = (0..1_500).map(|number| format!("folder/page-{number:05}.md")).collect();
    let changes: Vec<(&str, Option<&str>)> = names.iter().map(|name| (name.as_str(), Some("text"))).collect();
    let root = s.update(None, &changes);
    let folder = subtree(&s.git, Some(root), "folder").unwrap().unwrap();
    let mut builder = s.git.treebuilder(None).unwrap();
    for name in &names {
        builder.insert(name.rsplit('/').next().unwrap(), s.file("text").id, MODE_FILE).unwrap();
    }
    assert_eq!(builder.write().unwrap(), folder);
    let id = folder.to_string();
    let file = s.git.path().join("objects").join(&id[..2]).join(&id[2..]);
    let found = std::fs::metadata(&file).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o444);
    assert!(found.len() > 40 * 1_500, "it was compressed: {}", found.len());
    let author = git2::Signature::now("A", "a@example.org").unwrap();
    let tree = s.git.find_tree(root).unwrap();
    s.git.commit(Some("HEAD"), &author, &author, "all", &tree, &[]).unwrap();
    for arguments in [&["fsck", "--strict", "--full"][..], &["gc", "--quiet", "--prune=now"], &["fsck", "--full"]] {
        let done = std::process::Command::new("git").arg("-C").arg(s.git.path()).args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let more =
        [("folder/new.md", Some("new")), ("folder/page-00007.md", None), ("folder/page-00008.md", Some("other"))];
    let with: Vec<_> =
        changes.iter().copied().filter(|(name, _)| *name != "folder/page-00007.md").chain(more).collect();
    let whole = s.update(None, &with);
    // Once it is in a pack: as it is remembered, and as it is read.
    recent::remember(folder, s.git.odb().unwrap().read(folder).unwrap().data().to_vec());
    assert_eq!(s.update(Some(root), &more), whole);
    recent::forget();
    assert_eq!(recent::known(folder), None);
    assert_eq!(s.update(Some(root), &more), whole);
}
