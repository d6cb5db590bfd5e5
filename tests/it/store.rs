//! Tests of store: the working tree, transactions and what a person does beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use sitewright::error::{Error, Result};
use sitewright::model::{ContentPath, PathKind};
use sitewright::store::{Durability, Footprint, Identity, Note, OpenOptions, Repository, RevisionId};

/// A site in a temporary git repository, driven by the plain git program as a person would.
struct Place {
    _dir: tempfile::TempDir,
    root: PathBuf,
    site: PathBuf,
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_EDITOR", "true")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn options() -> OpenOptions {
    OpenOptions {
        clock: Arc::new(|| jiff::Timestamp::from_second(1_700_000_000).unwrap()),
        author: Some(Identity { name: "Agent".into(), email: "agent@example.org".into() }),
        durability: Durability::Process,
        ..OpenOptions::default()
    }
}

impl Place {
    fn bare_start(sub: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("repo");
        let site = if sub.is_empty() { root.clone() } else { root.join(sub) };
        fs::create_dir_all(&site).unwrap();
        git(&root, &["init", "-q", "-b", "main"]);
        git(&root, &["config", "user.name", "Person"]);
        git(&root, &["config", "user.email", "person@example.org"]);
        Self { _dir: dir, root, site }
    }

    /// `site.yaml`, two pages and a stylesheet in one commit.
    fn new() -> Self {
        Self::below("")
    }

    fn below(sub: &str) -> Self {
        let place = Self::bare_start(sub);
        place.write("site.yaml", "title: T\n");
        place.write("content/a.md", "one\n");
        place.write("content/b.md", "two\n");
        place.write("static/s.css", "b{}\n");
        git(&place.root, &["add", "."]);
        git(&place.root, &["commit", "-qm", "start"]);
        place
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.site.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.site.join(path)).unwrap_or_else(|_| "-".into())
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.root, args)
    }

    fn open(&self) -> Repository {
        Repository::open(&self.site, options()).unwrap()
    }

    fn fsck(&self) {
        self.git(&["fsck", "--strict", "--no-dangling"]);
    }

    /// Everything a refused call must leave as it was.
    fn state(&self) -> String {
        let mut files: Vec<_> = walkdir::WalkDir::new(&self.site)
            .into_iter()
            .filter_entry(|e| e.file_name() != ".git")
            .map(|e| e.unwrap())
            .filter(|e| e.file_type().is_file())
            .map(|e| format!("{} {}", e.path().display(), String::from_utf8_lossy(&fs::read(e.path()).unwrap())))
            .collect();
        files.sort();
        format!("{}\n{}", files.join("\n"), self.git(&["for-each-ref"]))
    }

    fn working(&self) -> String {
        let names = self.git(&["for-each-ref", "--format=%(refname)", "refs/sitewright"]);
        names.lines().find(|n| n.ends_with("/working")).unwrap().to_owned()
    }

    /// Subjects on the working chain, newest first.
    fn log(&self) -> Vec<String> {
        self.git(&["log", "--format=%s|%an|%(trailers:key=Origin,valueonly,separator=%x2C)", &self.working()])
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

fn path(text: &str) -> ContentPath {
    ContentPath::from_disk(text).unwrap()
}

fn anything() -> Footprint {
    use PathKind::{Config, ContentAsset, Data, Page, Static, Theme};
    Footprint { kinds: vec![Config, Page, ContentAsset, Theme, Static, Data], paths: None }
}

fn note(message: &str) -> Note {
    Note { message: message.into(), trailers: vec![("Tool".into(), "page_write".into())] }
}

fn edit(repository: &Repository, edits: &[(&str, Option<&str>)]) -> Result<Option<RevisionId>> {
    let mut transaction = repository.begin()?;
    for (name, text) in edits {
        transaction.stage(path(name), text.map(|t| t.as_bytes().to_vec()))?;
    }
    transaction.commit(&note("Edit it"), &anything())
}

#[test]
fn an_edit_is_a_commit_and_a_file() {
    let place = Place::new();
    let repository = place.open();
    let id =
        edit(&repository, &[("content/a.md", Some("1\n")), ("content/new/c.md", Some("3\n")), ("content/b.md", None)])
            .unwrap()
            .unwrap();
    assert_eq!(place.read("content/a.md"), "1\n");
    assert_eq!(place.read("content/new/c.md"), "3\n");
    assert_eq!(place.read("content/b.md"), "-");
    assert_eq!(place.git(&["rev-parse", "refs/sitewright/working"]), id.as_str());
    assert_eq!(place.git(&["rev-parse", "refs/sitewright/projected"]), id.as_str());
    assert_eq!(place.git(&["show", &format!("{id}:content/new/c.md")]), "3");
    assert_eq!(place.log(), ["Edit it|Agent|edit", "start|Person|"]);
    assert_eq!(place.git(&["log", "-1", "--format=%cn", id.as_str()]), "sitewright");
    assert_eq!(place.git(&["log", "--format=%s", "main"]), "start");
    assert_eq!(place.git(&["diff", "--name-only"]), "content/a.md\ncontent/b.md");
    place.fsck();
}

#[test]
fn an_edit_that_changes_nothing_is_no_revision() {
    let place = Place::new();
    let repository = place.open();
    let before = place.state();
    assert_eq!(edit(&repository, &[("content/a.md", Some("one\n")), ("content/none.md", None)]).unwrap(), None);
    assert_eq!(place.state(), before);
}

#[test]
fn a_dropped_transaction_changes_nothing() {
    let place = Place::new();
    let repository = place.open();
    let before = place.state();
    let mut transaction = repository.begin().unwrap();
    transaction.stage(path("content/a.md"), Some(b"x".to_vec())).unwrap();
    transaction.stage(path("content/new/a.md"), Some(b"x".to_vec())).unwrap();
    assert_eq!(transaction.staged().text("content/a.md"), Some("x"));
    assert_eq!(transaction.changes().len(), 2);
    transaction.check(&anything()).unwrap();
    drop(transaction);
    assert_eq!(place.state(), before);
}

#[test]
fn a_write_outside_the_footprint_is_refused() {
    let place = Place::new();
    let repository = place.open();
    let before = place.state();
    let mut transaction = repository.begin().unwrap();
    transaction.stage(path("content/a.md"), Some(b"x".to_vec())).unwrap();
    let footprint = Footprint { kinds: vec![PathKind::Theme], paths: None };
    assert_eq!(transaction.check(&footprint).unwrap_err().code(), "undeclared_write");
    assert_eq!(transaction.commit(&note("x"), &footprint).unwrap_err().code(), "undeclared_write");
    let mut transaction = repository.begin().unwrap();
    transaction.stage(path("content/a.md"), Some(b"x".to_vec())).unwrap();
    let footprint = Footprint { kinds: vec![PathKind::Page], paths: Some([path("content/b.md")].into()) };
    assert_eq!(transaction.commit(&note("x"), &footprint).unwrap_err().code(), "undeclared_write");
    assert_eq!(place.state(), before);
}

#[test]
fn a_hand_edit_is_recorded_and_never_overwritten() {
    let place = Place::new();
    let repository = place.open();
    edit(&repository, &[("content/a.md", Some("agent\n"))]).unwrap();
    place.write("content/a.md", "person\n");
    place.write("content/mine.md", "mine\n");
    fs::remove_file(place.site.join("content/b.md")).unwrap();
    edit(&repository, &[("content/c.md", Some("agent\n"))]).unwrap();
    assert_eq!(place.read("content/a.md"), "person\n");
    assert_eq!(place.read("content/mine.md"), "mine\n");
    assert_eq!(
        place.log(),
        ["Edit it|Agent|edit", "Edit 3 files by hand|Person|hand-edit", "Edit it|Agent|edit", "start|Person|"]
    );
    assert_eq!(place.git(&["show", "refs/sitewright/working:content/a.md"]), "person");
    assert_eq!(
        place.git(&["ls-tree", "-r", "--name-only", "refs/sitewright/working", "content"]),
        "content/a.md\ncontent/c.md\ncontent/mine.md"
    );
    place.fsck();
}

#[test]
fn putting_a_file_back_by_hand_counts_as_a_hand_edit() {
    let place = Place::new();
    let repository = place.open();
    edit(&repository, &[("content/a.md", Some("agent\n"))]).unwrap();
    place.git(&["checkout", "-q", "--", "content/a.md"]);
    edit(&repository, &[("content/c.md", Some("c\n"))]).unwrap();
    assert_eq!(place.read("content/a.md"), "one\n");
    assert_eq!(place.log()[1], "Edit content/a.md by hand|Person|hand-edit");
}

#[test]
fn a_hand_edit_while_a_call_runs_is_a_conflict_and_stays() {
    let place = Place::new();
    let repository = place.open();
    let mut transaction = repository.begin().unwrap();
    transaction.stage(path("content/a.md"), Some(b"agent\n".to_vec())).unwrap();
    place.write("content/a.md", "person\n");
    let error = transaction.commit(&note("x"), &anything()).unwrap_err();
    let Error::Conflict { current, diff, .. } = &error else { panic!("{error}") };
    assert_eq!(current.as_deref(), Some(Repository::blob_id(b"person\n").to_string().as_str()));
    assert!(diff.contains("-one\n+person\n"), "{diff}");
    assert_eq!(place.read("content/a.md"), "person\n");
}
