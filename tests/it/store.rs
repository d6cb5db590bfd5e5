//! Tests of store: the working tree, transactions and what a person does beside them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::io::BufRead as _;
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
    let repository = Repository::open(&place.site, OpenOptions { durability: Durability::Power, ..options() }).unwrap();
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

#[test]
fn a_new_site_in_an_empty_folder() {
    let dir = tempfile::tempdir().unwrap();
    let site = dir.path().join("new");
    let files = [(path("site.yaml"), b"title: N\n".to_vec()), (path("content/_index.md"), b"hi\n".to_vec())];
    let repository = Repository::init(&site, &files, "New site", options()).unwrap();
    assert_eq!(repository.branch(), "main");
    assert_eq!(git(&site, &["status", "--porcelain"]), "");
    assert_eq!(git(&site, &["log", "--format=%s|%an", "main"]), "New site|Agent");
    assert_eq!(
        git(&site, &["ls-tree", "-r", "--name-only", "main"]),
        ".gitattributes\n.gitignore\ncontent/_index.md\nsite.yaml"
    );
    assert_eq!(git(&site, &["check-attr", "text", "content/_index.md"]), "content/_index.md: text: unset");
    assert_eq!(git(&site, &["rev-parse", "--show-object-format"]), "sha1");
    edit(&repository, &[("content/_index.md", Some("ho\n"))]).unwrap().unwrap();
    assert_eq!(repository.status().unwrap().unpublished.len(), 1);
    assert_eq!(Repository::init(&site, &files, "again", options()).unwrap_err().code(), "already_exists");
    git(&site, &["fsck", "--strict"]);
}

#[test]
fn a_new_site_in_a_folder_of_an_existing_repository() {
    let place = Place::bare_start("docs");
    fs::write(place.root.join("main.rs"), "fn main() {}\n").unwrap();
    place.git(&["add", "."]);
    place.git(&["commit", "-qm", "code"]);
    fs::write(place.root.join("main.rs"), "fn main() { changed() }\n").unwrap();
    fs::write(place.root.join("staged.rs"), "\n").unwrap();
    place.git(&["add", "staged.rs"]);
    place.write("content/mine.md", "mine\n");
    let files = [(path("site.yaml"), b"title: N\n".to_vec()), (path("content/mine.md"), b"theirs\n".to_vec())];
    assert_eq!(Repository::init(&place.site, &files, "x", options()).unwrap_err().code(), "already_exists");
    assert_eq!(place.read("content/mine.md"), "mine\n");
    assert_eq!(place.read("site.yaml"), "-");
    let repository = Repository::init(&place.site, &files[..1], "New site", options()).unwrap();
    assert_eq!(repository.prefix(), "docs");
    assert_eq!(
        place.git(&["show", "--name-only", "--format=", "HEAD"]),
        "docs/.gitattributes\ndocs/.gitignore\ndocs/site.yaml"
    );
    assert_eq!(place.git(&["status", "--porcelain"]), " M main.rs\nA  staged.rs\n?? docs/content/");
}

#[test]
fn a_site_in_a_sub_folder_leaves_the_rest_alone() {
    let place = Place::below("docs/site");
    fs::write(place.root.join("code.rs"), "1\n").unwrap();
    place.git(&["add", "."]);
    place.git(&["commit", "-qm", "code"]);
    let repository = place.open();
    fs::write(place.root.join("code.rs"), "2\n").unwrap();
    fs::write(place.root.join("other.rs"), "3\n").unwrap();
    place.write("README.md", "beside\n");
    place.write("public/index.html", "built\n");
    let id = edit(&repository, &[("content/a.md", Some("1\n"))]).unwrap().unwrap();
    assert_eq!(place.git(&["diff", "--name-only", "main", id.as_str()]), "docs/site/content/a.md");
    assert_eq!(fs::read_to_string(place.root.join("code.rs")).unwrap(), "2\n");
    assert!(place.working().starts_with("refs/sitewright/at-docs-site-"));
    assert_eq!(repository.working().unwrap().len(), 4);
    assert_eq!(repository.snapshot_at(&id).unwrap().text("content/a.md"), Some("1\n"));
    let unpublished = repository.status().unwrap().unpublished;
    assert_eq!(unpublished.iter().map(|u| u.change.path.as_str()).collect::<Vec<_>>(), ["content/a.md"]);
    place.fsck();
}

#[test]
fn a_worktree_has_edits_of_its_own() {
    let place = Place::new();
    let main = place.open();
    edit(&main, &[("content/a.md", Some("main\n"))]).unwrap();
    let tree = place.root.parent().unwrap().join("tree");
    place.git(&["worktree", "add", "-q", "-b", "side", tree.to_str().unwrap()]);
    let side = Repository::open(&tree, options()).unwrap();
    assert_eq!(side.branch(), "side");
    edit(&side, &[("content/a.md", Some("side\n"))]).unwrap();
    assert_eq!(fs::read_to_string(tree.join("content/a.md")).unwrap(), "side\n");
    assert_eq!(place.read("content/a.md"), "main\n");
    edit(&main, &[("content/b.md", Some("main\n"))]).unwrap();
    assert_eq!(place.git(&["log", "--format=%s", "refs/sitewright/working"]), "Edit it\nEdit it\nstart");
    assert_eq!(place.git(&["for-each-ref", "refs/sitewright"]).lines().count(), 4);
}

#[test]
fn an_unborn_branch_can_be_edited() {
    let place = Place::bare_start("");
    place.write("site.yaml", "title: T\n");
    place.write("content/a.md", "one\n");
    let repository = place.open();
    assert_eq!(repository.status().unwrap().tip, None);
    edit(&repository, &[("content/b.md", Some("two\n"))]).unwrap().unwrap();
    assert_eq!(place.log(), ["Edit it|Agent|edit", "Edit 2 files by hand|Person|hand-edit"]);
    place.git(&["add", "."]);
    place.git(&["commit", "-qm", "first"]);
    edit(&repository, &[("content/b.md", Some("three\n"))]).unwrap().unwrap();
    let log = place.log();
    assert_eq!(log[0], "Edit it|Agent|edit");
    assert!(log[1].starts_with("Take in "), "{log:?}");
    place.fsck();
}

fn assert_refused(place: &Place, repository: &Repository, state: &str) {
    let before = place.state();
    let error = repository.begin().unwrap_err();
    let Error::RepositoryState { state: told, cure } = &error else { panic!("{error}") };
    assert!(told.contains(state), "{told}");
    assert!(cure.contains('`'), "{cure}");
    assert_eq!(place.state(), before);
    assert!(repository.status().unwrap().writable.unwrap().0.contains(state));
}

#[test]
fn a_detached_head_refuses_writes() {
    let place = Place::new();
    let repository = place.open();
    place.git(&["checkout", "-q", "--detach"]);
    assert_refused(&place, &repository, "HEAD is detached");
    place.git(&["switch", "-q", "main"]);
    edit(&repository, &[("content/a.md", Some("1\n"))]).unwrap().unwrap();
}

#[test]
fn another_branch_checked_out_by_hand_refuses_writes() {
    let place = Place::new();
    let repository = place.open();
    edit(&repository, &[("content/new.md", Some("1\n"))]).unwrap();
    place.git(&["switch", "-q", "-c", "other"]);
    place.write("content/a.md", "other\n");
    place.git(&["commit", "-qam", "on other"]);
    assert_refused(&place, &repository, "branch other is checked out");
    place.git(&["switch", "-q", "main"]);
    let tip = place.git(&["rev-parse", "refs/sitewright/working"]);
    let transaction = repository.begin().unwrap();
    assert_eq!(transaction.tip().unwrap().as_str(), tip);
}

#[test]
fn a_merge_or_rebase_in_progress_refuses_writes() {
    let place = Place::new();
    let repository = place.open();
    place.git(&["switch", "-q", "-c", "other"]);
    place.write("content/a.md", "other\n");
    place.git(&["commit", "-qam", "other"]);
    place.git(&["switch", "-q", "main"]);
    place.write("content/a.md", "main\n");
    place.git(&["commit", "-qam", "main"]);
    let run = |args: &[&str]| Command::new("git").args(args).current_dir(&place.root).output().unwrap();
    assert!(!run(&["merge", "-q", "other"]).status.success());
    assert_refused(&place, &repository, "a merge is in progress");
    place.git(&["merge", "--abort"]);
    assert!(!run(&["rebase", "-q", "other"]).status.success());
    assert_refused(&place, &repository, "a rebase is in progress");
    place.git(&["rebase", "--abort"]);
    assert!(!run(&["cherry-pick", "other"]).status.success());
    assert_refused(&place, &repository, "a cherry-pick is in progress");
    place.git(&["cherry-pick", "--abort"]);
    repository.begin().unwrap();
}

fn assert_unsupported(site: &Path, problem: &str) {
    let error = Repository::open(site, options()).unwrap_err();
    let Error::UnsupportedRepository { problem: told, cure } = &error else { panic!("{error}") };
    assert!(told.contains(problem), "{told}");
    assert!(!cure.is_empty());
}

#[test]
fn repositories_that_cannot_work_are_refused_with_a_cure() {
    let sited = |args: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), args);
        fs::write(dir.path().join("site.yaml"), "title: T\n").unwrap();
        dir
    };
    assert_unsupported(sited(&["init", "-q", "--bare", "."]).path(), "bare");
    assert_unsupported(sited(&["init", "-q", "--object-format=sha256"]).path(), "SHA-256");
    assert_unsupported(sited(&["init", "-q", "--ref-format=reftable"]).path(), "reftable");
    let none = tempfile::tempdir().unwrap();
    fs::write(none.path().join("site.yaml"), "title: T\n").unwrap();
    assert_unsupported(none.path(), "no git repository");
    let no_site = sited(&["init", "-q"]);
    fs::remove_file(no_site.path().join("site.yaml")).unwrap();
    assert_eq!(Repository::open(no_site.path(), options()).unwrap_err().code(), "no_site");
    assert_eq!(Repository::open(&no_site.path().join("absent"), options()).unwrap_err().code(), "no_site");
    let place = Place::new();
    place.git(&["sparse-checkout", "set", "content"]);
    assert_unsupported(&place.site, "sparse");
    let place = Place::new();
    place.git(&["update-index", "--split-index"]);
    assert_unsupported(&place.site, "split");
    let place = Place::new();
    place.git(&["config", "remote.origin.promisor", "true"]);
    assert_unsupported(&place.site, "partial");
    let place = Place::below("docs");
    fs::write(place.root.join(".gitignore"), "docs/\n").unwrap();
    place.open();
    place.git(&["rm", "-rq", "--cached", "docs"]);
    place.git(&["commit", "-qm", "ignored"]);
    assert_unsupported(&place.site, "ignored");
}

#[test]
fn a_commit_by_hand_is_taken_in() {
    let place = Place::new();
    let repository = place.open();
    edit(&repository, &[("content/a.md", Some("agent\n"))]).unwrap();
    place.write("content/b.md", "person\n");
    place.git(&["commit", "-qam", "all of it"]);
    edit(&repository, &[("content/c.md", Some("c\n"))]).unwrap();
    let log = place.log();
    assert_eq!(log[0], "Edit it|Agent|edit");
    assert!(log[1].starts_with("Take in ") && log[1].ends_with("|merge"), "{log:?}");
    assert!(log.contains(&"all of it|Person|".to_owned()));
    assert!(!log.iter().any(|l| l.contains("hand-edit")), "{log:?}");
    assert_eq!(place.read("content/a.md"), "agent\n");
    assert_eq!(place.git(&["status", "--porcelain"]), "?? content/c.md");
    let repository = place.open();
    let before = place.state();
    drop(repository.begin().unwrap());
    assert_eq!(place.state(), before);
    place.fsck();
}

#[test]
fn a_pull_by_hand_moves_forward_and_keeps_unpublished_edits() {
    let place = Place::new();
    let remote = place.root.parent().unwrap().join("remote.git");
    place.git(&["clone", "-q", "--bare", ".", remote.to_str().unwrap()]);
    place.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    place.git(&["fetch", "-q"]);
    place.git(&["branch", "-q", "-u", "origin/main"]);
    let other = place.root.parent().unwrap().join("other");
    place.git(&["clone", "-q", remote.to_str().unwrap(), other.to_str().unwrap()]);
    let push = |name: &str, text: &str| {
        fs::write(other.join(name), text).unwrap();
        git(&other, &["-c", "user.name=Colleague", "-c", "user.email=c@example.org", "commit", "-qam", "theirs"]);
        git(&other, &["push", "-q"]);
    };
    let repository = place.open();
    push("content/b.md", "theirs\n");
    place.git(&["pull", "-q", "--ff-only"]);
    edit(&repository, &[("content/a.md", Some("agent\n"))]).unwrap();
    assert_eq!(place.log(), ["Edit it|Agent|edit", "theirs|Colleague|", "start|Person|"]);
    push("content/b.md", "theirs again\n");
    place.git(&["pull", "-q", "--ff-only"]);
    edit(&repository, &[("content/c.md", Some("agent\n"))]).unwrap();
    assert_eq!(place.read("content/a.md"), "agent\n");
    assert_eq!(place.read("content/b.md"), "theirs again\n");
    let log = place.log();
    assert!(log[1].starts_with("Take in "), "{log:?}");
    let status = repository.status().unwrap();
    assert_eq!(status.live.unwrap().as_str(), place.git(&["rev-parse", "origin/main"]));
    assert_eq!(status.unpublished.len(), 2);
    assert!(status.unpublished.iter().all(|u| !u.hand_edit && u.revisions.len() == 1), "{:?}", status.unpublished);
    assert!(status.local_commits.is_empty());
}

#[test]
fn where_a_persons_commit_and_an_edit_meet_the_disk_wins() {
    let place = Place::new();
    let repository = place.open();
    edit(&repository, &[("content/a.md", Some("agent\n")), ("content/b.md", Some("agent\n"))]).unwrap();
    place.write("content/a.md", "person\n");
    place.git(&["commit", "-qm", "mine", "content/a.md"]);
    place.write("content/a.md", "person, later\n");
    drop(repository.begin().unwrap());
    assert_eq!(place.read("content/a.md"), "person, later\n");
    assert_eq!(place.read("content/b.md"), "agent\n");
    assert_eq!(place.git(&["show", "refs/sitewright/working:content/a.md"]), "person, later");
}

#[test]
fn undoing_a_pulled_change_by_hand_is_a_hand_edit() {
    let place = Place::new();
    let repository = place.open();
    edit(&repository, &[("content/b.md", Some("agent\n"))]).unwrap();
    place.write("content/a.md", "person\n");
    place.git(&["commit", "-qm", "mine", "content/a.md"]);
    place.write("content/a.md", "one\n");
    drop(repository.begin().unwrap());
    assert_eq!(place.read("content/a.md"), "one\n");
    assert!(place.log()[0].contains("hand-edit"));
}

#[test]
fn links_and_special_files_are_left_out_and_never_written_through() {
    let place = Place::new();
    let outside = place.root.parent().unwrap().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret.md"), "secret\n").unwrap();
    std::os::unix::fs::symlink(outside.join("secret.md"), place.site.join("content/link.md")).unwrap();
    std::os::unix::fs::symlink(&outside, place.site.join("content/folder")).unwrap();
    std::os::unix::fs::symlink(&outside, place.site.join("data")).unwrap();
    std::os::unix::fs::symlink(place.site.join(".git"), place.site.join("static/git")).unwrap();
    let repository = place.open();
    let snapshot = repository.working().unwrap();
    assert_eq!(snapshot.len(), 4);
    let problems: Vec<_> = repository.problems().into_iter().map(|d| d.path.to_string()).collect();
    for name in ["content/folder", "content/link.md", "data", "static/git"] {
        assert!(problems.iter().any(|p| p == name), "{name}: {problems:?}");
    }
    for name in ["content/link.md", "content/folder/new.md", "data/x.json", "static/git/config"] {
        let error = edit(&repository, &[(name, Some("x"))]).unwrap_err();
        assert_eq!(error.code(), "invalid_path", "{name}: {error}");
    }
    assert_eq!(fs::read_to_string(outside.join("secret.md")).unwrap(), "secret\n");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[test]
fn names_that_collide_are_refused() {
    let place = Place::new();
    place.write("content/Straße/x.md", "x\n");
    let repository = place.open();
    let refused = |name: &str| {
        let error = repository.begin().unwrap().stage(path(name), Some(b"x".to_vec())).unwrap_err();
        assert_eq!(error.code(), "invalid_path", "{name}");
    };
    refused("content/A.md");
    refused("Content/a.md");
    refused("content/STRAßE/y.md");
    refused("public/index.html");
    refused(".github/workflows/x.yml");
    let mut transaction = repository.begin().unwrap();
    transaction.stage(path("content/a.md"), None).unwrap();
    transaction.stage(path("content/A.md"), Some(b"one\n".to_vec())).unwrap();
    transaction.stage(path("content/New/a.md"), Some(b"x".to_vec())).unwrap();
    assert_eq!(transaction.stage(path("content/new/b.md"), Some(b"x".to_vec())).unwrap_err().code(), "invalid_path");
    transaction.stage(path("content/New/a.md"), None).unwrap();
    transaction.stage(path("content/new/b.md"), Some(b"x".to_vec())).unwrap();
    transaction.stage(path("content/b.md"), None).unwrap();
    assert_eq!(transaction.stage(path("CONTENT/c.md"), Some(b"x".to_vec())).unwrap_err().code(), "invalid_path");
    assert_eq!(transaction.stage(path("content/a.md"), Some(b"x".to_vec())).unwrap_err().code(), "invalid_path");
    transaction.commit(&note("Rename"), &anything()).unwrap().unwrap();
    assert_eq!(place.read("content/A.md"), "one\n");
    assert_eq!(place.read("content/a.md"), "-");
}

#[test]
fn a_file_and_a_folder_cannot_share_a_name() {
    let place = Place::new();
    place.write("static/d/x.bin", "x");
    let repository = place.open();
    assert_eq!(edit(&repository, &[("content/a.md/b.md", Some("x"))]).unwrap_err().code(), "invalid_path");
    assert_eq!(edit(&repository, &[("static/d", Some("x"))]).unwrap_err().code(), "invalid_path");
    edit(&repository, &[("static/d/x.bin", None), ("static/d", Some("file"))]).unwrap().unwrap();
    assert_eq!(place.read("static/d"), "file");
    edit(&repository, &[("static/d", None), ("static/d/y.bin", Some("y"))]).unwrap().unwrap();
    assert_eq!(place.read("static/d/y.bin"), "y");
    place.fsck();
}

#[test]
fn sizes_are_limited() {
    let place = Place::new();
    let repository = place.open();
    let mut transaction = repository.begin().unwrap();
    assert_eq!(
        transaction.stage(path("content/a.md"), Some(vec![b'x'; (2 << 20) + 1])).unwrap_err().code(),
        "too_large"
    );
    transaction.stage(path("static/a.bin"), Some(vec![0; (2 << 20) + 1])).unwrap();
    assert_eq!(transaction.stage(path("static/b.bin"), Some(vec![0; (50 << 20) + 1])).unwrap_err().code(), "too_large");
}

#[test]
fn writers_on_one_site_take_turns() {
    let place = Place::new();
    let handles = [place.open(), place.open(), place.open()];
    std::thread::scope(|scope| {
        for (n, repository) in handles.iter().enumerate() {
            scope.spawn(move || {
                for i in 0..8 {
                    edit(repository, &[(&format!("content/{n}-{i}.md"), Some("x\n"))]).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(place.log().len(), 25);
    assert_eq!(place.open().working().unwrap().len(), 28);
    place.fsck();
}

#[test]
fn another_process_with_the_lock_is_waited_for() {
    let place = Place::new();
    let repository = place.open();
    drop(repository.begin().unwrap());
    let lock = place.root.join(".git/sitewright/sitewright.lock");
    let released = place.root.join("../released");
    // It says when it has the lock, and leaves a sign just before it lets go.
    let script = format!("echo held; sleep 0.4; touch '{}'", released.display());
    let mut holder = Command::new("flock");
    let mut child = holder.arg(&lock).args(["sh", "-c", &script]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said, "held\n");
    edit(&repository, &[("content/a.md", Some("1\n"))]).unwrap().unwrap();
    assert!(released.exists(), "the edit was made while another process had the lock");
    child.wait().unwrap();
}

#[test]
fn only_our_own_stale_locks_and_files_are_removed() {
    let place = Place::new();
    let repository = place.open();
    edit(&repository, &[("content/a.md", Some("1\n"))]).unwrap();
    let ours = place.root.join(".git/refs/sitewright/working.lock");
    let theirs = place.root.join(".git/refs/heads/main.lock");
    let index = place.root.join(".git/index.lock");
    let left = place.site.join("content/.sitewright-tmp-1-1");
    for file in [&ours, &theirs, &index, &left] {
        fs::write(file, "").unwrap();
    }
    fs::File::options()
        .write(true)
        .open(&ours)
        .unwrap()
        .set_modified(std::time::SystemTime::now() - Duration::from_secs(9))
        .unwrap();
    edit(&repository, &[("content/a.md", Some("2\n"))]).unwrap().unwrap();
    assert!(!ours.exists() && !left.exists());
    assert!(theirs.exists() && index.exists());
}

#[test]
fn ignored_files_are_no_part_of_the_site() {
    let place = Place::new();
    place.write(".gitignore", "content/drafts/\n*.log\n");
    place.write("content/drafts/x.md", "x\n");
    place.write("static/debug.log", "x\n");
    place.write("content/.hidden.md", "x\n");
    place.write("content/a.md~", "x\n");
    place.write("content/.DS_Store", "x\n");
    let repository = place.open();
    let before = place.git(&["for-each-ref"]);
    drop(repository.begin().unwrap());
    assert_eq!(repository.working().unwrap().len(), 4);
    assert_eq!(place.git(&["for-each-ref"]), before);
    assert!(repository.status().unwrap().unpublished.is_empty());
}

#[test]
fn a_nested_repository_or_submodule_is_left_alone() {
    let place = Place::new();
    let inner = Place::new();
    place.write("content/nested/x.md", "x\n");
    git(&place.site.join("content/nested"), &["init", "-q"]);
    place.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        inner.root.to_str().unwrap(),
        "themes/sub",
    ]);
    place.git(&["commit", "-qm", "submodule"]);
    fs::remove_file(place.site.join("themes/sub/.git")).unwrap();
    let repository = place.open();
    assert_eq!(repository.working().unwrap().len(), 4);
    let problems: Vec<_> =
        repository.problems().into_iter().map(|d| (d.code.into_owned(), d.path.to_string())).collect();
    let nested = |path: &str| ("nested_repository".to_owned(), path.to_owned());
    assert_eq!(problems, [nested("content/nested"), nested("themes/sub")]);
    edit(&repository, &[("content/a.md", Some("1\n"))]).unwrap();
    assert!(place.git(&["ls-tree", "refs/sitewright/working", "themes/sub"]).starts_with("160000 commit"));
    assert_eq!(place.log().len(), 3);
}

#[test]
fn a_tracked_file_in_an_ignored_folder_belongs_to_the_site() {
    let place = Place::new();
    place.write("content/old/kept.md", "kept\n");
    place.git(&["add", "."]);
    place.git(&["commit", "-qm", "kept"]);
    place.write(".gitignore", "content/old/\ncontent/new/\n");
    place.write("content/old/left.md", "left\n");
    place.write("content/new/left.md", "left\n");
    let repository = place.open();
    let names: Vec<_> = repository.working().unwrap().under("content").map(|(p, _)| p.to_string()).collect();
    assert_eq!(names, ["content/a.md", "content/b.md", "content/old/kept.md"]);
    edit(&repository, &[("content/new/made.md", Some("made\n"))]).unwrap();
    drop(repository.begin().unwrap());
    assert!(repository.working().unwrap().contains("content/new/made.md"));
    assert!(!place.log().iter().any(|l| l.contains("hand-edit")));
}

#[test]
fn what_git_converts_is_no_hand_edit() {
    let place = Place::bare_start("");
    place.write(".gitattributes", "*.md text\n*.bin filter=lfs\n");
    place.write("site.yaml", "title: T\n");
    place.write("content/a.md", "one\r\ntwo\r\n");
    place.write("static/x.bin", "pointer");
    place.git(&["add", "."]);
    place.git(&["commit", "-qm", "start"]);
    place.write("static/x.bin", "what the filter would make of it");
    let repository = place.open();
    let before = place.git(&["for-each-ref"]);
    drop(repository.begin().unwrap());
    assert_eq!(place.git(&["for-each-ref"]), before);
    assert!(repository.status().unwrap().unpublished.is_empty());
    assert_eq!(edit(&repository, &[("static/x.bin", Some("raw"))]).unwrap_err().code(), "invalid_path");
    place.write("content/a.md", "one\r\nthree\r\n");
    drop(repository.begin().unwrap());
    assert!(place.log()[0].contains("hand-edit"));
}

#[test]
fn status_tells_who_changed_what_and_writes_nothing() {
    let place = Place::new();
    let repository = place.open();
    place.git(&["remote", "add", "origin", "https://me:token@example.org/site.git"]);
    assert_eq!(repository.status().unwrap().live, None);
    place.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    let one = edit(&repository, &[("content/a.md", Some("1\n"))]).unwrap().unwrap();
    place.write("content/a.md", "1\nperson\n");
    let two =
        edit(&repository, &[("content/a.md", Some("2\nperson\n")), ("content/c.md", Some("c\n"))]).unwrap().unwrap();
    place.write("content/b.md", "not recorded yet\n");
    let before = place.state();
    let status = repository.status().unwrap();
    assert_eq!(place.state(), before);
    assert_eq!(status.remote.as_deref(), Some("https://example.org/site.git"));
    assert_eq!(status.tip.as_ref(), Some(&two));
    let told: Vec<_> =
        status.unpublished.iter().map(|u| (u.change.path.as_str(), u.hand_edit, u.revisions.len())).collect();
    assert_eq!(told, [("content/a.md", true, 3), ("content/b.md", true, 0), ("content/c.md", false, 1)]);
    assert_eq!(status.unpublished[0].revisions.last(), Some(&one));
    assert_eq!(status.writable, None);
    place.git(&["commit", "-qam", "by hand"]);
    let local = repository.status().unwrap().local_commits;
    assert_eq!(local.iter().map(|(_, s)| s.as_str()).collect::<Vec<_>>(), ["by hand"]);
}

#[test]
fn what_the_remote_has_meanwhile_is_not_unpublished() {
    let place = Place::new();
    place.git(&["remote", "add", "origin", "/nowhere"]);
    place.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    let repository = place.open();
    edit(&repository, &[("content/a.md", Some("agent\n"))]).unwrap();
    place.git(&["switch", "-qc", "theirs", "main"]);
    place.write("content/b.md", "theirs\n");
    place.git(&["commit", "-qm", "theirs", "content/b.md"]);
    place.git(&["update-ref", "refs/remotes/origin/main", "theirs"]);
    place.git(&["switch", "-q", "main"]);
    let unpublished = repository.status().unwrap().unpublished;
    assert_eq!(unpublished.iter().map(|u| u.change.path.as_str()).collect::<Vec<_>>(), ["content/a.md"]);
}

#[test]
fn history_is_paged_filtered_and_resolvable() {
    use sitewright::store::{HistoryFilter, RevisionKind};
    let place = Place::new();
    let repository = place.open();
    let one = edit(&repository, &[("content/a.md", Some("1\n"))]).unwrap().unwrap();
    place.write("content/b.md", "person\n");
    let two = edit(&repository, &[("content/x/c.md", Some("2\n"))]).unwrap().unwrap();
    let list = |filter: HistoryFilter| repository.history(&filter).unwrap();
    let (all, next) = list(HistoryFilter::default());
    assert_eq!(next, None);
    let kinds: Vec<_> = all.iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [RevisionKind::Edit, RevisionKind::HandEdit, RevisionKind::Edit, RevisionKind::Commit]);
    assert_eq!(all[0].trailers[0], ("Tool".to_owned(), "page_write".to_owned()));
    assert_eq!(all[1].author.name, "Person");
    let (page, next) = list(HistoryFilter { limit: 3, ..HistoryFilter::default() });
    assert_eq!(page, all[..3]);
    let (rest, none) = list(HistoryFilter { limit: 3, after: next, ..HistoryFilter::default() });
    assert_eq!((rest.as_slice(), none), (&all[3..], None));
    let (folder, _) = list(HistoryFilter { paths: vec!["content/x/".into()], ..HistoryFilter::default() });
    assert_eq!(folder.iter().map(|r| &r.id).collect::<Vec<_>>(), [&two]);
    let (file, _) = list(HistoryFilter { paths: vec!["content/a.md".into()], ..HistoryFilter::default() });
    assert_eq!(file.len(), 2);
    let bad = HistoryFilter { after: Some("zzz".into()), ..HistoryFilter::default() };
    assert_eq!(repository.history(&bad).unwrap_err().code(), "invalid_arguments");

    assert_eq!(repository.resolve(one.short()).unwrap(), one);
    assert_eq!(repository.resolve(&one.as_str().to_uppercase()).unwrap(), one);
    for bad in ["main", "--output=x", "HEAD~1", "abc", "refs/heads/main"] {
        assert_eq!(repository.resolve(bad).unwrap_err().code(), "invalid_arguments", "{bad}");
    }
    let wrong = format!("{}{}", &one.as_str()[..6], if one.as_str().ends_with('0') { "11111111" } else { "00000000" });
    let Error::NotFound { near, .. } = repository.resolve(&wrong).unwrap_err() else { panic!() };
    assert_eq!(near, [one.short()]);
    let blob = place.git(&["rev-parse", "main:site.yaml"]);
    assert_eq!(repository.resolve(&blob).unwrap_err().code(), "not_found");
    assert_eq!(repository.revision(&one).unwrap().changes.len(), 1);
    assert_eq!(repository.snapshot_at(&one).unwrap().text("content/a.md"), Some("1\n"));
    assert!(!repository.snapshot_at(&one).unwrap().contains("content/x/c.md"));
}

#[test]
fn bytes_of_old_assets_come_from_git() {
    let place = Place::new();
    let repository = place.open();
    let old = repository.resolve(&place.git(&["rev-parse", "main"])).unwrap();
    edit(&repository, &[("static/s.css", Some("changed\n"))]).unwrap();
    let name = path("static/s.css");
    let (then, now) = (repository.snapshot_at(&old).unwrap(), repository.working().unwrap());
    assert_eq!(&*repository.bytes(&name, then.get(&name).unwrap()).unwrap(), b"b{}\n");
    assert_eq!(&*repository.bytes(&name, now.get(&name).unwrap()).unwrap(), b"changed\n");
    assert!(now.get(&name).unwrap().bytes().is_none());
}

#[test]
fn a_change_of_the_same_size_in_the_same_instant_is_seen() {
    let place = Place::new();
    let repository = place.open();
    for i in 0..50 {
        let text = format!("{i:04}\n");
        place.write("content/a.md", &text);
        assert_eq!(repository.working().unwrap().text("content/a.md"), Some(text.as_str()));
    }
    std::thread::sleep(Duration::from_millis(60));
    let (one, two) = (repository.working().unwrap(), repository.working().unwrap());
    assert!(Arc::ptr_eq(&one, &two));
}

#[test]
fn permissions_survive_an_edit() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let file = place.site.join("content/a.md");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    place.git(&["commit", "-qam", "executable"]);
    let repository = place.open();
    edit(&repository, &[("content/a.md", Some("1\n"))]).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o755);
    assert!(place.git(&["ls-tree", "refs/sitewright/working", "content/a.md"]).starts_with("100755"));
}

#[test]
fn a_file_that_is_being_written_is_waited_for() {
    // Where this machine is so busy that the file is old before it is looked at, that try says nothing.
    for _ in 0..20 {
        let place = Place::new();
        let repository = place.open();
        let took = std::thread::scope(|scope| {
            let written = std::time::Instant::now();
            place.write("content/a.md", "half");
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                place.write("content/a.md", "whole\n");
            });
            drop(repository.begin().unwrap());
            written.elapsed()
        });
        if place.log().len() == 2 && place.git(&["show", "refs/sitewright/working:content/a.md"]) == "whole" {
            return;
        }
        assert!(took >= Duration::from_millis(50), "taken half written after {took:?}: {:?}", place.log());
    }
    panic!("it was never waited for");
}

#[test]
fn a_hostile_repository_runs_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let ran = place.root.parent().unwrap().join("ran");
    for hook in
        ["pre-commit", "post-commit", "reference-transaction", "post-checkout", "post-index-change", "fsmonitor"]
    {
        let file = place.root.join(".git/hooks").join(hook);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let run = format!("touch {}", ran.display());
    let append = format!(
        "[core]\n\tfsmonitor = {run}\n\tsshCommand = {run}\n[filter \"x\"]\n\tclean = {run}\n\tsmudge = {run}\n[credential]\n\thelper = !{run}\n[diff \"x\"]\n\tcommand = {run}\n\ttextconv = {run}\n"
    );
    let config = place.root.join(".git/config");
    fs::write(&config, fs::read_to_string(&config).unwrap() + &append).unwrap();
    fs::write(place.root.join(".gitattributes"), "*.css filter=x diff=x\n").unwrap();
    let repository = place.open();
    place.write("content/b.md", "person\n");
    edit(&repository, &[("content/a.md", Some("1\n"))]).unwrap().unwrap();
    repository.status().unwrap();
    assert!(!ran.exists());
}

/// Fail points hold for the whole process: run these with nextest, or with `--test-threads=1`.
#[cfg(feature = "failpoints")]
mod crashes {
    use super::*;

    const PLACES: [&str; 5] =
        ["write::objects", "write::synced", "write::ref_moved", "write::projecting", "write::projected"];

    /// Stops a write at a place as if the process had died there, then opens the site again.
    fn crash(place: &Place, at: &str, edits: &[(&str, Option<&str>)]) -> Repository {
        let repository = place.open();
        fail::cfg(at, "return").unwrap();
        let error = edit(&repository, edits).unwrap_err();
        fail::remove(at);
        assert!(error.to_string().contains(at), "{error}");
        drop(repository);
        place.open()
    }

    #[test]
    fn a_crashed_edit_is_wholly_there_or_wholly_absent() {
        let scenario = fail::FailScenario::setup();
        for at in PLACES {
            for first in [true, false] {
                let place = Place::new();
                if !first {
                    edit(&place.open(), &[("content/z.md", Some("z\n"))]).unwrap();
                }
                let repository = crash(
                    &place,
                    at,
                    &[("content/a.md", Some("1\n")), ("content/b.md", None), ("content/n/c.md", Some("3\n"))],
                );
                let mut transaction = repository.begin().unwrap();
                let seen = [place.read("content/a.md"), place.read("content/b.md"), place.read("content/n/c.md")];
                if matches!(at, "write::objects" | "write::synced") {
                    assert_eq!(seen, ["one\n", "two\n", "-"], "{at}");
                    assert!(!place.site.join("content/n").exists());
                } else {
                    assert_eq!(seen, ["1\n", "-", "3\n"], "{at}");
                }
                transaction.stage(path("content/d.md"), Some(b"4\n".to_vec())).unwrap();
                transaction.commit(&note("After"), &anything()).unwrap().unwrap();
                assert!(!place.log().iter().any(|l| l.contains("hand-edit")), "{at}: {:?}", place.log());
                let left = walkdir::WalkDir::new(&place.site).into_iter().map(|e| e.unwrap().path().to_owned());
                assert!(!left.into_iter().any(|p| p.to_string_lossy().contains("sitewright-tmp")), "{at}");
                assert!(!place.git(&["for-each-ref"]).contains(".lock"));
                place.fsck();
            }
        }
        scenario.teardown();
    }

    #[test]
    fn a_crash_on_an_unborn_branch_rolls_forward() {
        let scenario = fail::FailScenario::setup();
        let place = Place::bare_start("");
        place.write("site.yaml", "title: T\n");
        let repository = crash(&place, "write::ref_moved", &[("content/a.md", Some("1\n"))]);
        drop(repository.begin().unwrap());
        assert_eq!(place.read("content/a.md"), "1\n");
        assert_eq!(place.log().len(), 2);
        scenario.teardown();
    }

    #[test]
    fn a_hand_edit_after_a_crash_is_kept() {
        let scenario = fail::FailScenario::setup();
        let place = Place::new();
        let repository =
            crash(&place, "write::ref_moved", &[("content/a.md", Some("1\n")), ("content/b.md", Some("2\n"))]);
        assert!(!repository.status().unwrap().unpublished.iter().any(|u| u.hand_edit));
        place.write("content/a.md", "person\n");
        drop(repository.begin().unwrap());
        assert_eq!(place.read("content/a.md"), "person\n");
        assert_eq!(place.read("content/b.md"), "2\n");
        assert_eq!(place.log()[0], "Edit content/a.md by hand|Person|hand-edit");
        scenario.teardown();
    }

    #[test]
    fn a_hand_edit_between_the_check_and_the_write_is_kept() {
        let scenario = fail::FailScenario::setup();
        let place = Place::new();
        let repository = place.open();
        let file = place.site.join("content/a.md");
        fail::cfg_callback("write::ref_moved", move || fs::write(&file, "person\n").unwrap()).unwrap();
        edit(&repository, &[("content/a.md", Some("agent\n"))]).unwrap().unwrap();
        fail::remove("write::ref_moved");
        assert_eq!(place.read("content/a.md"), "person\n");
        drop(repository.begin().unwrap());
        assert_eq!(place.read("content/a.md"), "person\n");
        assert_eq!(place.log()[..2], ["Edit content/a.md by hand|Person|hand-edit", "Edit it|Agent|edit"]);
        scenario.teardown();
    }
}

/// Ends the mount with the test.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs the right to mount a file system"]
fn a_full_or_read_only_disk_is_named_and_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mount = |args: &[&str]| {
        assert!(Command::new("mount").args(args).arg(dir.path()).status().unwrap().success());
    };
    mount(&["-t", "tmpfs", "-o", "size=1m", "none"]);
    let _mounted = Mounted(dir.path().to_owned());
    let site = dir.path().join("site");
    let files = [(path("site.yaml"), b"title: N\n".to_vec()), (path("content/a.md"), b"hi\n".to_vec())];
    let repository = Repository::init(&site, &files, "New site", options()).unwrap();
    fs::write(dir.path().join("ballast"), vec![0; 400 << 10]).unwrap();
    let noise = |seed: u64| {
        let byte = |i: u64| (i.wrapping_add(seed * 20_000).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as u8;
        (0..20_000_u64).map(byte).collect::<Vec<_>>()
    };
    let mut acknowledged = 0;
    let error = loop {
        let mut transaction = repository.begin().unwrap();
        transaction.stage(path(&format!("static/{acknowledged}.bin")), Some(noise(acknowledged))).unwrap();
        match transaction.commit(&note("x"), &anything()) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "disk_full", "{error}");
    assert!(acknowledged > 0);
    fs::remove_file(dir.path().join("ballast")).unwrap();
    edit(&repository, &[("content/a.md", Some("works again\n"))]).unwrap().unwrap();
    let count = git(&site, &["rev-list", "--count", "refs/sitewright/working"]);
    assert!((acknowledged + 2..=acknowledged + 3).contains(&count.parse().unwrap()), "{count} of {acknowledged}");
    git(&site, &["fsck", "--strict", "--no-dangling"]);
    mount(&["-o", "remount,ro"]);
    assert_eq!(edit(&repository, &[("content/a.md", Some("no\n"))]).unwrap_err().code(), "read_only");
    assert_eq!(repository.working().unwrap().text("content/a.md"), Some("works again\n"));
    assert!(repository.status().is_ok());
    mount(&["-o", "remount,rw"]);
    edit(&repository, &[("content/a.md", Some("yes\n"))]).unwrap().unwrap();
}

/// The other process of the test below; does nothing when it is run as a test.
#[test]
fn writer_process() {
    let Ok(site) = std::env::var("SITEWRIGHT_TEST_SITE") else { return };
    let repository = Repository::open(Path::new(&site), options()).unwrap();
    let me = std::process::id();
    for i in 0..10_000 {
        let name = format!("content/{me}-{}.md", i % 7);
        let id = edit(&repository, &[(&name, Some(&format!("{i}\n")))]).unwrap().unwrap();
        // One line, one write: what is in this file was acknowledged.
        let journal = Path::new(&site).join("../acknowledged");
        let mut file = fs::File::options().append(true).create(true).open(journal).unwrap();
        std::io::Write::write_all(&mut file, format!("{id}\n").as_bytes()).unwrap();
    }
}

#[test]
fn killed_processes_lose_nothing_that_was_acknowledged() {
    let place = Place::new();
    for round in 0..4 {
        let start = || {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "store::writer_process", "--test-threads=1"])
                .env("SITEWRIGHT_TEST_SITE", &place.site)
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap()
        };
        let mut children = [start(), start()];
        // Both are at work by now, whatever else this machine does; then at another moment of an edit each round.
        let count = || fs::read_to_string(place.root.join("../acknowledged")).map_or(0, |text| text.lines().count());
        let (before, patience) = (count(), std::time::Instant::now() + Duration::from_mins(1));
        while count() < before + 4 && std::time::Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(37 * round));
        for child in &mut children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        edit(&place.open(), &[("content/a.md", Some(&format!("{round}\n")))]).unwrap();
        place.fsck();
    }
    let reachable = place.git(&["rev-list", "refs/sitewright/working"]);
    let acknowledged = fs::read_to_string(place.root.join("../acknowledged")).unwrap();
    assert!(acknowledged.lines().count() > 4);
    for id in acknowledged.lines() {
        assert!(reachable.contains(id), "{id} is lost");
    }
    assert!(!place.log().iter().any(|l| l.contains("hand-edit")), "{:?}", place.log());
}

#[test]
fn a_reader_never_sees_half_an_edit() {
    let place = Place::new();
    let repository = place.open();
    let names: Vec<String> = (0..20).map(|i| format!("content/n{i}.md")).collect();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for i in 0..15 {
                let text = format!("{i}\n");
                let edits: Vec<_> = names.iter().map(|n| (n.as_str(), Some(text.as_str()))).collect();
                edit(&repository, &edits).unwrap();
            }
        });
        while !writer.is_finished() {
            let seen = repository.working().unwrap();
            let texts: std::collections::BTreeSet<_> = names.iter().map(|n| seen.text(n)).collect();
            assert_eq!(texts.len(), 1, "{texts:?}");
        }
    });
}

#[test]
#[ignore = "needs the right to give files away"]
fn a_repository_of_another_user_is_refused() {
    let place = Place::new();
    assert!(Command::new("chown").args(["-R", "12345:12345"]).arg(&place.root).status().unwrap().success());
    assert_unsupported(&place.site, "another user");
}

#[test]
fn an_unreadable_folder_does_not_pass_for_deleted_files() {
    let place = Place::new();
    let repository = place.open();
    // Tests may run as root, whom no permission stops; a path longer than the system's limit cannot be opened by anyone.
    let long = vec!["d".repeat(200); 25].join("/");
    let made = Command::new("mkdir").args(["-p", &long]).current_dir(place.site.join("content")).status().unwrap();
    assert!(made.success());
    let before = place.git(&["for-each-ref"]);
    assert_eq!(repository.begin().unwrap_err().code(), "io");
    assert_eq!(place.git(&["for-each-ref"]), before);
}
