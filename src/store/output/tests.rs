use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use cap_std::ambient_authority;

use super::*;
use crate::model::Output;

fn outputs(files: &[(&str, &str)]) -> Outputs {
    files
        .iter()
        .map(|(path, text)| {
            ((*path).to_owned(), Output { data: OutputData::Bytes(text.as_bytes().into()), source: None })
        })
        .collect()
}

fn no_source(path: &ContentPath, _: BlobId) -> Result<Arc<[u8]>> {
    Err(Error::internal(format!("{path} was asked for")))
}

fn put(dir: &Path, files: &[(&str, &str)]) -> Result<Written> {
    write(
        &Dir::open_ambient_dir(dir, ambient_authority()).unwrap(),
        "public",
        &outputs(files),
        &Rows::new(),
        &no_source,
    )
}

fn listing(dir: &Path) -> Vec<String> {
    let mut found: Vec<String> = walkdir::WalkDir::new(dir)
        .min_depth(1)
        .into_iter()
        .map(|entry| entry.unwrap().path().strip_prefix(dir).unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    found
}

#[test]
fn only_what_differs_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let first = put(dir.path(), &[("a.html", "a"), ("b/index.html", "b"), ("c/d/e", "e")]).unwrap();
    assert_eq!(first.added, ["a.html", "b/index.html", "c/d/e"]);
    let inode = |path: &str| fs::metadata(dir.path().join("public").join(path)).unwrap().ino();
    let before = inode("a.html");
    let second = put(dir.path(), &[("a.html", "a"), ("b/index.html", "B"), ("f", "f")]).unwrap();
    assert_eq!(
        second,
        Written { added: vec!["f".into()], changed: vec!["b/index.html".into()], removed: vec!["c/d/e".into()] }
    );
    assert_eq!(inode("a.html"), before);
    assert_eq!(listing(&dir.path().join("public")), ["a.html", "b", "b/index.html", "f"]);
    assert!(put(dir.path(), &[("a.html", "a"), ("b/index.html", "B"), ("f", "f")]).unwrap().is_empty());
}

#[test]
fn files_and_folders_change_places() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), &[("a", "file"), ("b/c/d", "d")]).unwrap();
    put(dir.path(), &[("a/x", "x"), ("b", "file")]).unwrap();
    assert_eq!(listing(&dir.path().join("public")), ["a", "a/x", "b"]);
}

#[test]
fn dot_files_are_not_ours_unless_they_are_outputs() {
    let dir = tempfile::tempdir().unwrap();
    let public = dir.path().join("public");
    fs::create_dir_all(public.join(".git")).unwrap();
    fs::write(public.join(".git/HEAD"), "x").unwrap();
    fs::write(public.join(".keep"), "x").unwrap();
    fs::write(public.join(".sitewright-tmp-1-old"), "x").unwrap();
    put(dir.path(), &[(".nojekyll", ""), (".well-known/a", "a"), ("b", "b")]).unwrap();
    assert_eq!(listing(&public), [".git", ".git/HEAD", ".keep", ".nojekyll", ".well-known", ".well-known/a", "b"]);
}

#[test]
fn no_symlink_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (public, outside) = (dir.path().join("public"), dir.path().join("content"));
    fs::create_dir_all(&public).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("a.md"), "mine").unwrap();
    symlink("../content", public.join("blog")).unwrap();
    symlink("../content/a.md", public.join("a.html")).unwrap();
    symlink("../content", public.join("stale")).unwrap();
    put(dir.path(), &[("a.html", "out"), ("blog/a.md", "out")]).unwrap();
    assert_eq!(fs::read_to_string(outside.join("a.md")).unwrap(), "mine");
    assert_eq!(listing(&public), ["a.html", "blog", "blog/a.md"]);
    fs::remove_dir_all(&public).unwrap();
    symlink("content", &public).unwrap();
    assert_eq!(put(dir.path(), &[("a.html", "out")]).unwrap_err().code(), "invalid_path");
    assert_eq!(listing(&outside), ["a.md"]);
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for bad in ["../x", "/x", "a/../../x", "", "a//b", ".git/config"] {
        assert_eq!(put(dir.path(), &[(bad, "x")]).unwrap_err().code(), "invalid_path", "{bad}");
    }
    assert_eq!(put(dir.path(), &[("a", "x"), ("a/b", "x")]).unwrap_err().code(), "invalid_path");
    assert_eq!(listing(dir.path()), [] as [&str; 0]);
}

#[test]
fn a_copy_is_compared_by_id_and_loaded_only_where_it_differs() {
    let dir = tempfile::tempdir().unwrap();
    let hash = git2::Oid::hash_object(git2::ObjectType::Blob, b"img").unwrap();
    let id = BlobId(hash.as_bytes().try_into().unwrap());
    let path = ContentPath::from_disk("static/i.png").unwrap();
    let copies: Outputs = [("i.png".to_owned(), Output { data: OutputData::Copy(path, id), source: None })].into();
    let parent = Dir::open_ambient_dir(dir.path(), ambient_authority()).unwrap();
    write(&parent, "public", &copies, &Rows::new(), &|_, _| Ok(b"img".as_slice().into())).unwrap();
    assert!(write(&parent, "public", &copies, &Rows::new(), &no_source).unwrap().is_empty());
}

#[test]
fn the_tree_holds_exactly_the_outputs() {
    let dir = tempfile::tempdir().unwrap();
    let git = git2::Repository::init_bare(dir.path()).unwrap();
    let tree = |git: &git2::Repository, base, files: &Outputs, source: &Source<'_>| {
        let id =
            |data: &OutputData| git2::Oid::hash_object(git2::ObjectType::Blob, &bytes(data, source).unwrap()).unwrap();
        git_tree::tree(
            git,
            base,
            files.iter().map(|(path, output)| (path.as_str(), &output.data, id(&output.data))),
            source,
        )
    };
    let files = [("a-b/x", "1"), ("a.html", "2"), ("a/b.html", "4"), ("a/b/c", "3"), ("a0", "5"), ("z", "6")];
    let id = tree(&git, None, &outputs(&files), &no_source).unwrap();
    let mut found = Vec::new();
    git.find_tree(id)
        .unwrap()
        .walk(git2::TreeWalkMode::PreOrder, |root, entry| {
            if entry.kind() == Some(git2::ObjectType::Blob) {
                found.push(format!("{root}{}", entry.name().unwrap()));
            }
            git2::TreeWalkResult::Ok
        })
        .unwrap();
    found.sort();
    assert_eq!(found, files.map(|(path, _)| path));
    assert_eq!(tree(&git, None, &outputs(&files), &no_source).unwrap(), id);
    assert_eq!(tree(&git, Some(id), &outputs(&files), &no_source).unwrap(), id);
    let one = tree(&git, Some(id), &outputs(&[("a/b/c", "new")]), &no_source).unwrap();
    assert_eq!(one, tree(&git, None, &outputs(&[("a/b/c", "new")]), &no_source).unwrap());
}

#[test]
fn outputs_put_one_by_one_in_any_order_make_the_same_folder() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), &[("old/gone", "x"), ("a/index.html", "old"), ("a/b/index.html", "same")]).unwrap();
    let parent = Dir::open_ambient_dir(dir.path(), ambient_authority()).unwrap();
    let mut folder = disk::Folder::open(&parent, "public").unwrap();
    let text = |text: &str| OutputData::Bytes(text.as_bytes().into());
    for (path, content) in
        [("z/new/index.html", "z"), ("a/b/index.html", "same"), ("a/index.html", "new"), ("z/new/index.md", "m")]
    {
        folder.put(path, &text(content), &no_source).unwrap();
    }
    for (path, what) in [("a", "a"), ("a/index.html/x", "a/index.html"), ("z/new", "z/new")] {
        let refused = folder.put(path, &text("x"), &no_source).unwrap_err();
        assert!(refused.to_string().contains(&format!("the output {what} would be a file and a folder")), "{refused}");
    }
    let (written, _) = folder.finish().unwrap();
    assert_eq!(written.added, ["z/new/index.html", "z/new/index.md"]);
    assert_eq!(written.changed, ["a/index.html"]);
    assert_eq!(written.removed, ["old/gone"]);
    let files = ["a", "a/b", "a/b/index.html", "a/index.html", "z", "z/new", "z/new/index.html", "z/new/index.md"];
    assert_eq!(listing(&dir.path().join("public")), files);
}
