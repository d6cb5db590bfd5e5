//! Tests of publish: real bare remotes, a person beside the agent, and a second clone that moves the remote.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use sitewright::error::{Error, Result};
use sitewright::model::config::{History, Layout};
use sitewright::model::{ContentPath, Output, OutputData, Outputs, PathKind, Snapshot};
use sitewright::store::{
    Durability, Footprint, Identity, Made, Note, OpenOptions, PublishRequest, Published, Repository, ReviewRequest,
    RevisionId, Stock, Synced,
};

pub(super) fn git(dir: &Path, args: &[&str]) -> String {
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

pub(super) fn name_person(dir: &Path, name: &str) {
    git(dir, &["config", "user.name", name]);
    git(dir, &["config", "user.email", "person@example.org"]);
}

pub(super) fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(super) fn path(text: &str) -> ContentPath {
    ContentPath::parse(text).unwrap()
}

/// Every page as HTML, every static file as it is: enough of a build to tell whether it saw the right sources.
#[expect(clippy::unnecessary_wraps, reason = "what a build answers")]
fn render(sources: &Snapshot, _live: &Snapshot, _stock: &Stock) -> Result<Made> {
    let mut outputs = Outputs::new();
    outputs.insert(".nojekyll".into(), Output { data: OutputData::Bytes(b"".as_slice().into()), source: None });
    for (path, file) in sources.iter() {
        if path.kind() == PathKind::Page {
            let name = path.as_str().trim_start_matches("content/").trim_end_matches(".md");
            let html = format!("<p>{}</p>", file.text().unwrap_or_default());
            let data = OutputData::Bytes(html.as_bytes().into());
            outputs.insert(format!("{name}/index.html"), Output { data, source: Some(path.clone()) });
        } else if let Some(name) = path.as_str().strip_prefix("static/") {
            outputs.insert(name.into(), Output { data: OutputData::Copy(path.clone(), file.id), source: None });
        }
    }
    Ok(outputs.into())
}

pub(super) fn everything() -> PublishRequest<'static> {
    PublishRequest {
        paths: None,
        held: std::collections::BTreeSet::new(),
        hand_edits: false,
        of_edit: false,
        trial: None,
        local_commits: false,
        note: Note { message: "Go live".into(), trailers: Vec::new() },
        history: History::Merge,
        layout: Layout::Folder,
        deploy_branch: "gh-pages".into(),
        review: ReviewRequest::none(),
        dry_run: false,
        later: false,
        build: &render,
    }
}

pub(super) fn only(named: &[&str]) -> PublishRequest<'static> {
    PublishRequest { paths: Some(named.iter().map(|p| path(p)).collect()), ..everything() }
}

pub(super) const A: &str = "---\ntitle: A\ndate: 2026-01-01\n---\nOne. Two.\n";

/// A site with a bare remote, published once.
pub(super) struct Place {
    dir: tempfile::TempDir,
    pub(super) root: PathBuf,
    pub(super) site: PathBuf,
    pub(super) repository: Repository,
}

impl Place {
    pub(super) fn new() -> Self {
        Self::below("")
    }

    pub(super) fn below(sub: &str) -> Self {
        let place = Self::unpublished(sub);
        let first = place.publish(&everything()).unwrap();
        assert!(first.pushed.as_ref().is_some_and(|p| p.ok), "{first:?}");
        place.check();
        place
    }

    pub(super) fn unpublished(sub: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("repo");
        let site = if sub.is_empty() { root.clone() } else { root.join(sub) };
        fs::create_dir_all(&site).unwrap();
        git(dir.path(), &["init", "-q", "--bare", "-b", "main", "bare.git"]);
        git(&root, &["init", "-q", "-b", "main"]);
        name_person(&root, "Person");
        let bare = dir.path().canonicalize().unwrap().join("bare.git");
        git(&root, &["remote", "add", "origin", bare.to_str().unwrap()]);
        put(&site, "site.yaml", "title: T\n");
        put(&site, "content/a.md", A);
        put(&site, "content/b.md", "Bee.\n");
        put(&site, "static/i.png", "\0png");
        put(&root, "src/main.c", "int main;\n");
        git(&root, &["add", "."]);
        git(&root, &["commit", "-qm", "start"]);
        let repository = open(&site);
        Self { dir, root, site, repository }
    }

    pub(super) fn bare(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("bare.git")
    }

    pub(super) fn publish(&self, request: &PublishRequest<'_>) -> Result<Published> {
        self.repository.publish(request)
    }

    pub(super) fn code(&self, request: &PublishRequest<'_>) -> String {
        let before = self.state();
        let code = self.publish(request).unwrap_err().code();
        assert_eq!(self.state(), before, "a refused publish changed something");
        code
    }

    pub(super) fn edit_with(&self, name: &str, text: Option<&str>, trailers: &[(&str, String)]) -> Option<RevisionId> {
        let mut transaction = self.repository.begin().unwrap();
        transaction.stage(path(name), text.map(|t| t.as_bytes().to_vec())).unwrap();
        let trailers = trailers.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect();
        let note = Note { message: format!("Change {name}"), trailers };
        let kinds = vec![PathKind::Page, PathKind::Static, PathKind::Config, PathKind::ContentAsset];
        transaction.commit(&note, &Footprint { kinds, paths: None }).unwrap()
    }

    pub(super) fn edit(&self, name: &str, text: &str) -> RevisionId {
        self.edit_with(name, Some(text), &[]).unwrap()
    }

    pub(super) fn hand(&self, name: &str, text: &str) {
        put(&self.site, name, text);
        // A file that was only just written is waited for.
        std::thread::sleep(std::time::Duration::from_millis(60));
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.site.join(name)).unwrap_or_else(|_| "-".into())
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        git(&self.root, args)
    }

    pub(super) fn sub(&self) -> String {
        let sub = self.site.strip_prefix(&self.root).unwrap().to_str().unwrap();
        if sub.is_empty() { String::new() } else { format!("{sub}/") }
    }

    /// A file as the remote has it.
    pub(super) fn live(&self, name: &str) -> String {
        let spec = format!("main:{}{name}", self.sub());
        let output = Command::new("git").args(["show", &spec]).current_dir(self.bare()).output().unwrap();
        if output.status.success() { String::from_utf8(output.stdout).unwrap() } else { "-".into() }
    }

    pub(super) fn remote_log(&self) -> Vec<String> {
        git(&self.bare(), &["log", "--first-parent", "--format=%s", "main"]).lines().map(str::to_owned).collect()
    }

    /// Someone else pushes.
    pub(super) fn theirs(&self, change: impl FnOnce(&Path)) {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["clone", "-q", self.bare().to_str().unwrap(), "clone"]);
        let clone = dir.path().join("clone");
        name_person(&clone, "Other");
        change(&clone.join(self.sub()));
        git(&clone, &["add", "-A"]);
        git(&clone, &["commit", "-qm", "theirs"]);
        git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    }

    pub(super) fn refs(&self) -> String {
        self.git(&["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    /// Everything a refusal must leave as it was; the tracking branch may follow the remote.
    pub(super) fn state(&self) -> String {
        // Hand edits are recorded on the way; that is not the refusal's doing.
        drop(self.repository.begin());
        let mut files: Vec<_> = walkdir::WalkDir::new(&self.root)
            .into_iter()
            .filter_entry(|e| e.file_name() != ".git")
            .map(|e| e.unwrap())
            .filter(|e| e.file_type().is_file())
            .map(|e| format!("{} {}", e.path().display(), String::from_utf8_lossy(&fs::read(e.path()).unwrap())))
            .collect();
        files.sort();
        let refs: Vec<_> = self.refs().lines().filter(|l| !l.starts_with("refs/remotes/")).map(str::to_owned).collect();
        let index = self.git(&["ls-files", "-s"]);
        format!("{}\n{}\n{index}\n{}", files.join("\n"), refs.join("\n"), self.remote_log().len())
    }

    pub(super) fn status(&self) -> String {
        self.git(&["status", "--porcelain"])
    }

    /// What must hold after every publish that went through.
    pub(super) fn check(&self) {
        self.git(&["fsck", "--strict", "--no-dangling"]);
        git(&self.bare(), &["fsck", "--strict", "--no-dangling"]);
        assert!(!self.refs().contains("pending"), "{}", self.refs());
        assert!(!git(&self.bare(), &["for-each-ref"]).contains("sitewright"), "our refs leaked");
        assert_eq!(self.git(&["rev-parse", "main"]), git(&self.bare(), &["rev-parse", "main"]));
        assert_eq!(self.git(&["rev-parse", "main"]), self.git(&["rev-parse", "origin/main"]));
        self.check_output();
    }

    /// `public/` on disk is byte for byte what the build of the remote's sources gives.
    pub(super) fn check_output(&self) {
        let id = self.repository.resolve(&git(&self.bare(), &["rev-parse", "main"])).unwrap();
        let sources = self.repository.snapshot_at(&id).unwrap();
        let outputs = render(&sources, &sources, &Stock::default()).unwrap().outputs;
        for (name, output) in &outputs {
            let bytes = fs::read(self.site.join("public").join(name)).unwrap_or_default();
            match &output.data {
                OutputData::Bytes(wanted) => assert_eq!(bytes, &**wanted, "{name}"),
                OutputData::Copy(_, id) => assert_eq!(Repository::blob_id(&bytes), *id, "{name}"),
            }
            assert!(
                self.git(&["ls-tree", "-r", "--name-only", "main"]).contains(&format!("{}public/{name}", self.sub()))
            );
        }
        let on_disk = walkdir::WalkDir::new(self.site.join("public"))
            .into_iter()
            .filter(|e| e.as_ref().unwrap().file_type().is_file())
            .count();
        assert_eq!(on_disk, outputs.len());
    }

    pub(super) fn left(&self) -> Vec<String> {
        self.repository.status().unwrap().unpublished.iter().map(|u| u.change.path.to_string()).collect()
    }

    pub(super) fn sync(&self) -> Synced {
        self.repository.sync(&Note::default()).unwrap()
    }
}

pub(super) fn open(site: &Path) -> Repository {
    let options = OpenOptions {
        clock: Arc::new(|| jiff::Timestamp::from_second(1_700_000_000).unwrap()),
        author: Some(Identity { name: "Agent".into(), email: "agent@example.org".into() }),
        durability: Durability::Process,
        ..OpenOptions::default()
    };
    Repository::open(site, options).unwrap()
}

fn conflicts(error: Error) -> Vec<sitewright::model::Conflict> {
    match error {
        Error::Conflict { conflicts, .. } => conflicts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_publish_takes_everything() {
    let place = Place::unpublished("");
    place.edit("content/a.md", "new\n");
    let published = place.publish(&everything()).unwrap();
    assert_eq!(place.live("content/a.md"), "new\n");
    assert_eq!(place.live("public/a/index.html"), "<p>new\n</p>");
    assert_eq!(published.edits.len(), 1);
    assert!(published.left.is_empty());
    assert_eq!(place.remote_log(), ["Go live", "start"]);
    assert_eq!(place.status(), "");
    place.check();
}

#[test]
fn publishing_twice_makes_no_second_commit() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let first = place.publish(&everything()).unwrap();
    let refs = place.refs();
    let second = place.publish(&everything()).unwrap();
    assert!(first.revision.is_some() && second.revision.is_none());
    assert_eq!(place.refs(), refs);
}

#[test]
fn one_page_goes_out_while_another_stays() {
    let place = Place::new();
    place.edit("content/a.md", "new a\n");
    let b = place.edit("content/b.md", "new b\n");
    let published = place.publish(&only(&["content/a.md"])).unwrap();
    assert_eq!((place.live("content/a.md"), place.live("content/b.md")), ("new a\n".into(), "Bee.\n".into()));
    assert_eq!(place.live("public/b/index.html"), "<p>Bee.\n</p>");
    assert_eq!(published.changes.iter().map(|c| c.path.to_string()).collect::<Vec<_>>(), ["content/a.md"]);
    assert_eq!(published.outputs.iter().map(|o| o.path.as_str()).collect::<Vec<_>>(), ["a/index.html"]);
    assert_eq!(place.left(), ["content/b.md"]);
    assert_eq!(place.read("content/b.md"), "new b\n");
    assert_eq!(place.status(), " M content/b.md");
    // The id of the edit that stays still resolves, and what stays keeps its reason.
    assert_eq!(place.repository.revision(&b).unwrap().message, "Change content/b.md");
    let left = place.repository.status().unwrap().unpublished;
    assert_eq!(place.repository.revision(&left[0].revisions[0]).unwrap().message, "Change content/b.md");
    place.check();
    place.publish(&everything()).unwrap();
    assert_eq!(place.live("content/b.md"), "new b\n");
    assert_eq!(place.status(), "");
    place.check();
}

#[test]
fn a_hand_edit_never_ships_unless_it_is_named() {
    let place = Place::new();
    place.edit("content/a.md", "agent\n");
    place.hand("content/a.md", "agent and person\n");
    place.hand("content/b.md", "half writ");
    assert_eq!(place.code(&everything()), "hand_edits");
    place.publish(&only(&["content/a.md"])).unwrap();
    assert_eq!(place.live("content/a.md"), "agent and person\n");
    assert_eq!(place.live("content/b.md"), "Bee.\n");
    // What a person wrote stays theirs on the new chain.
    assert_eq!(place.code(&everything()), "hand_edits");
    assert!(place.repository.status().unwrap().unpublished[0].hand_edit);
    place.publish(&PublishRequest { hand_edits: true, ..everything() }).unwrap();
    assert_eq!(place.live("content/b.md"), "half writ");
    place.check();
}

#[test]
fn local_commits_go_only_when_agreed() {
    let place = Place::new();
    place.hand("content/a.md", "committed\n");
    place.hand("src/main.c", "int other;\n");
    place.git(&["commit", "-qam", "by hand"]);
    place.edit("content/b.md", "agent\n");
    match place.publish(&everything()).unwrap_err() {
        Error::LocalCommits { commits } => assert!(commits.len() == 1 && commits[0].ends_with("by hand")),
        other => panic!("{other:?}"),
    }
    assert_eq!(place.code(&only(&["content/b.md"])), "local_commits");
    place.publish(&PublishRequest { local_commits: true, ..everything() }).unwrap();
    assert_eq!(place.live("content/a.md"), "committed\n");
    assert_eq!(place.live("content/b.md"), "agent\n");
    assert_eq!(git(&place.bare(), &["show", "main:src/main.c"]), "int other;");
    assert!(place.git(&["log", "--format=%s", "main"]).contains("by hand"));
    assert_eq!(place.status(), "");
    place.check();
}

#[test]
fn a_part_with_local_commits_keeps_the_rest() {
    let place = Place::new();
    place.hand("content/a.md", "committed\n");
    place.git(&["commit", "-qam", "by hand"]);
    place.edit("content/b.md", "agent\n");
    place.edit("content/c.md", "stays\n");
    place.theirs(|clone| put(clone, "content/t.md", "theirs\n"));
    place.publish(&PublishRequest { local_commits: true, ..only(&["content/b.md"]) }).unwrap();
    assert_eq!(place.live("content/a.md"), "committed\n");
    assert_eq!(place.live("content/t.md"), "theirs\n");
    assert_eq!(place.live("content/b.md"), "agent\n");
    assert_eq!(place.live("content/c.md"), "-");
    assert_eq!(place.left(), ["content/c.md"]);
    assert_eq!(place.read("content/t.md"), "theirs\n");
    place.check();
}

#[test]
fn a_pull_by_hand_is_taken_in() {
    let place = Place::new();
    place.edit("content/b.md", "agent\n");
    place.theirs(|clone| put(clone, "content/a.md", "theirs\n"));
    place.git(&["pull", "-q", "--ff-only", "origin", "main"]);
    place.publish(&everything()).unwrap();
    assert_eq!((place.live("content/a.md"), place.live("content/b.md")), ("theirs\n".into(), "agent\n".into()));
    assert_eq!(place.status(), "");
    place.check();
}

#[test]
fn undoing_what_is_live_is_a_new_edit() {
    let place = Place::new();
    place.edit("content/a.md", "wrong\n");
    place.publish(&everything()).unwrap();
    place.edit("content/a.md", A);
    assert_eq!(place.live("content/a.md"), "wrong\n");
    place.publish(&everything()).unwrap();
    assert_eq!(place.live("content/a.md"), A);
    place.check();
}

#[test]
fn a_remote_that_moved_elsewhere_is_merged() {
    let place = Place::new();
    place.edit("content/a.md", &A.replace("title: A", "title: Ours"));
    place.edit("content/new.md", "new\n");
    place.theirs(|clone| {
        put(clone, "content/a.md", &A.replace("2026-01-01", "2026-02-02").replace("Two.", "Three."));
        put(clone, "content/t.md", "theirs\n");
        fs::remove_file(clone.join("content/b.md")).unwrap();
        put(clone, "public/a/index.html", "stale output of theirs");
        put(clone, "src/main.c", "int theirs;\n");
    });
    let published = place.publish(&everything()).unwrap();
    assert_eq!(place.live("content/a.md"), "---\ntitle: Ours\ndate: 2026-02-02\n---\nOne. Three.\n");
    assert!(published.merged_from.is_some());
    assert_eq!((place.read("content/t.md"), place.read("content/b.md")), ("theirs\n".into(), "-".into()));
    assert_eq!(fs::read_to_string(place.root.join("src/main.c")).unwrap(), "int theirs;\n");
    assert_eq!(place.status(), "");
    assert!(place.left().is_empty());
    place.check();
}

#[test]
fn a_conflict_changes_nothing_and_is_resolved_in_one_write() {
    let place = Place::new();
    place.edit("content/a.md", &A.replace("title: A", "title: Ours"));
    place.edit("content/b.md", "also ours\n");
    place.theirs(|clone| put(clone, "content/a.md", &A.replace("title: A", "title: Theirs")));
    assert_eq!(place.code(&everything()), "conflict");
    let found = conflicts(place.publish(&everything()).unwrap_err());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "content/a.md");
    assert_eq!(found[0].reason, "both sides changed the front matter key title");
    let theirs = found[0].theirs.clone().unwrap();
    assert!(theirs.text.unwrap().contains("title: Theirs"));
    assert!(found[0].base.as_ref().unwrap().text.as_ref().unwrap().contains("title: A"));
    // The rest may go out meanwhile, and the conflict stays one.
    place.publish(&only(&["content/b.md"])).unwrap();
    assert_eq!(place.live("content/b.md"), "also ours\n");
    assert!(place.live("content/a.md").contains("title: Theirs"));
    assert!(place.read("content/a.md").contains("title: Ours"));
    assert_eq!(place.code(&everything()), "conflict");
    let resolves = [("Resolves", format!("{} content/a.md", theirs.etag))];
    place.edit_with("content/a.md", Some(&A.replace("title: A", "title: Both")), &resolves).unwrap();
    place.publish(&everything()).unwrap();
    assert!(place.live("content/a.md").contains("title: Both"));
    assert_eq!(place.status(), "");
    place.check();
}

#[test]
fn what_a_write_knew_counts_once() {
    let place = Place::new();
    place.edit("content/a.md", "ours\n");
    place.theirs(|clone| put(clone, "content/a.md", "theirs\n"));
    let etag = conflicts(place.publish(&everything()).unwrap_err())[0].theirs.clone().unwrap().etag;
    let mut transaction = place.repository.begin().unwrap();
    transaction.stage(path("content/a.md"), Some(b"both\n".to_vec())).unwrap();
    transaction.stage(path("content/b.md"), Some(b"later\n".to_vec())).unwrap();
    let trailers = vec![("Resolves".to_owned(), format!("{etag} content/a.md"))];
    let footprint = Footprint { kinds: vec![PathKind::Page], paths: None };
    transaction.commit(&Note { message: "Both".into(), trailers }, &footprint).unwrap();
    place.publish(&only(&["content/a.md"])).unwrap();
    assert_eq!(place.live("content/a.md"), "both\n");
    place.edit("content/a.md", "more\n");
    place.publish(&everything()).unwrap();
    assert_eq!((place.live("content/a.md"), place.live("content/b.md")), ("more\n".into(), "later\n".into()));
    place.check();
}

#[test]
fn a_file_deleted_there_and_edited_here_is_a_conflict_that_can_be_resolved() {
    let place = Place::new();
    place.edit("content/b.md", "ours\n");
    place.theirs(|clone| fs::remove_file(clone.join("content/b.md")).unwrap());
    assert_eq!(place.code(&everything()), "conflict");
    let resolves = [("Resolves", format!("{} content/b.md", "0".repeat(40)))];
    place.edit_with("content/b.md", Some("ours after all\n"), &resolves).unwrap();
    place.publish(&everything()).unwrap();
    assert_eq!(place.live("content/b.md"), "ours after all\n");
    place.check();
}

#[test]
fn a_remote_that_refuses_leaves_the_publish_waiting_and_the_next_one_resumes() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let lock = place.bare().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let refused = place.publish(&everything()).unwrap();
    let report = refused.pushed.unwrap();
    assert!(!report.ok && report.reason.is_some());
    assert_eq!(place.live("content/a.md"), A);
    assert_eq!(place.left(), ["content/a.md"]);
    assert!(place.repository.status().unwrap().pending.is_some());
    place.edit("content/b.md", "edited while it waits\n");
    fs::remove_file(&lock).unwrap();
    let resumed = place.publish(&only(&[])).unwrap();
    assert!(resumed.resumed && resumed.pushed.unwrap().ok);
    assert_eq!(place.live("content/a.md"), "new\n");
    assert_eq!(place.live("content/b.md"), "Bee.\n");
    assert_eq!(place.left(), ["content/b.md"]);
    place.check();
}

#[test]
fn what_waits_and_is_taken_back_never_goes_out() {
    let place = Place::new();
    place.edit("content/a.md", "secret\n");
    let lock = place.bare().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    assert!(!place.publish(&everything()).unwrap().pushed.unwrap().ok);
    fs::remove_file(&lock).unwrap();
    place.edit("content/a.md", A);
    let nothing = place.publish(&everything()).unwrap();
    assert!(nothing.revision.is_none() && nothing.pushed.is_none());
    assert_eq!(place.remote_log(), ["Go live", "start"]);
    place.edit("content/b.md", "fine\n");
    place.publish(&everything()).unwrap();
    assert!(!git(&place.bare(), &["log", "--all", "-p"]).contains("secret"));
    place.check();
}

#[test]
fn the_output_on_disk_is_put_right_where_nothing_else_is_to_publish() {
    let place = Place::new();
    let before = place.remote_log();
    let output = place.root.join("public");
    let is = fs::read_to_string(output.join("a/index.html")).unwrap();
    fs::remove_file(output.join("a/index.html")).unwrap();
    fs::write(output.join("stray.html"), "stray").unwrap();
    let tried = PublishRequest { dry_run: true, ..everything() };
    place.publish(&tried).unwrap();
    assert!(!output.join("a/index.html").exists() && output.join("stray.html").exists());
    let nothing = place.publish(&everything()).unwrap();
    assert!(nothing.revision.is_none() && nothing.outputs.is_empty());
    assert_eq!(fs::read_to_string(output.join("a/index.html")).unwrap(), is);
    assert!(!output.join("stray.html").exists());
    assert_eq!(place.remote_log(), before);
    place.check();
}

#[test]
fn a_waiting_commit_is_pushed_as_it_is() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let away = place.dir.path().join("away.git");
    fs::rename(place.bare(), &away).unwrap();
    let waiting = place.publish(&everything()).unwrap();
    let reason = waiting.pushed.as_ref().unwrap();
    assert!(!reason.ok, "{waiting:?}");
    assert_eq!(place.publish(&everything()).unwrap().revision, waiting.revision);
    fs::rename(&away, place.bare()).unwrap();
    let done = place.publish(&everything()).unwrap();
    assert_eq!(done.revision, waiting.revision);
    assert!(done.resumed && done.pushed.unwrap().ok);
    place.check();
}

#[test]
fn what_waits_joins_a_remote_that_moved() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let lock = place.bare().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    place.publish(&everything()).unwrap();
    fs::remove_file(&lock).unwrap();
    place.theirs(|clone| put(clone, "content/t.md", "theirs\n"));
    place.publish(&everything()).unwrap();
    assert_eq!((place.live("content/a.md"), place.live("content/t.md")), ("new\n".into(), "theirs\n".into()));
    place.check();
}

#[test]
fn the_whole_chain_is_the_second_parent_unless_something_was_discarded_or_left_out() {
    let place = Place::new();
    let parents = || place.git(&["log", "-1", "--format=%P", "main"]).split_whitespace().count();
    let edit = place.edit("content/a.md", "1\n");
    place.publish(&everything()).unwrap();
    assert_eq!(parents(), 2);
    assert!(place.git(&["log", "--format=%H", "origin/main"]).contains(edit.as_str()));
    let secret = place.edit("content/b.md", "secret\n");
    place.edit("content/b.md", "Bee.\n");
    place.edit("content/a.md", "2\n");
    place.publish(&everything()).unwrap();
    assert_eq!(parents(), 1);
    assert!(!git(&place.bare(), &["log", "--all", "--format=%H"]).contains(secret.as_str()));
    assert!(place.repository.revision(&secret).is_ok());
    let edit = place.edit("content/a.md", "3\n");
    place.publish(&PublishRequest { history: History::Linear, ..everything() }).unwrap();
    assert_eq!(parents(), 1);
    assert!(
        place.git(&["log", "-1", "--format=%B", "main"]).contains(&format!("- {} Change content/a.md", edit.short()))
    );
    assert!(place.repository.revision(&edit).is_ok());
    place.check();
}

#[test]
fn a_site_in_a_sub_folder_leaves_the_rest_alone() {
    let place = Place::below("docs");
    put(&place.root, "src/main.c", "int dirty;\n");
    put(&place.root, "notes.txt", "untracked\n");
    place.git(&["add", "notes.txt"]);
    place.edit("content/a.md", "new\n");
    place.publish(&everything()).unwrap();
    assert_eq!(place.live("content/a.md"), "new\n");
    assert_eq!(git(&place.bare(), &["show", "main:src/main.c"]), "int main;");
    assert_eq!(place.status(), "A  notes.txt\n M src/main.c");
    place.check();
    // Theirs in the way of a dirty file: refused before anything moved.
    place.theirs(|docs| put(docs.parent().unwrap(), "src/main.c", "int theirs;\n"));
    place.edit("content/a.md", "newer\n");
    assert_eq!(place.code(&everything()), "repository_state");
    place.git(&["checkout", "-q", "src/main.c"]);
    place.publish(&everything()).unwrap();
    assert_eq!(fs::read_to_string(place.root.join("src/main.c")).unwrap(), "int theirs;\n");
    assert_eq!(place.status(), "A  notes.txt");
    place.check();
}

#[test]
fn without_a_remote_the_local_branch_is_live() {
    let place = Place::unpublished("");
    place.git(&["remote", "remove", "origin"]);
    place.edit("content/a.md", "new\n");
    let published = place.publish(&everything()).unwrap();
    assert!(published.pushed.is_none());
    assert_eq!(place.git(&["show", "main:content/a.md"]), "new");
    assert_eq!(place.status(), "");
    assert!(place.left().is_empty());
    place.check_local();
    assert!(place.publish(&everything()).unwrap().revision.is_none());
}

impl Place {
    fn check_local(&self) {
        self.git(&["fsck", "--strict", "--no-dangling"]);
        assert!(!self.refs().contains("pending"));
        assert_eq!(self.read("public/a/index.html"), format!("<p>{}</p>", self.read("content/a.md")));
    }
}

#[test]
fn a_rewritten_remote_is_a_matter_for_a_person() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let tracking = place.git(&["rev-parse", "origin/main"]);
    git(&place.bare(), &["update-ref", "refs/heads/main", "main~1"]);
    assert_eq!(place.code(&everything()), "repository_state");
    assert_eq!(place.git(&["rev-parse", "origin/main"]), tracking);
    git(&place.bare(), &["update-ref", "-d", "refs/heads/main"]);
    assert!(place.publish(&everything()).unwrap_err().hint().contains("git push origin main"));
}

#[test]
fn a_build_that_fails_moves_nothing() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let fails = |_: &Snapshot, _: &Snapshot, _: &Stock| -> Result<Made> {
        Err(Error::BuildFailed { first: "broken".into(), diagnostics: Vec::new() })
    };
    assert_eq!(place.code(&PublishRequest { build: &fails, ..everything() }), "build_failed");
}

#[test]
fn a_dry_run_says_the_same_and_moves_nothing() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    place.edit("content/b.md", "new\n");
    let before = place.state();
    let plan = place.publish(&PublishRequest { dry_run: true, ..only(&["content/a.md"]) }).unwrap();
    assert_eq!(place.state(), before);
    let real = place.publish(&only(&["content/a.md"])).unwrap();
    assert_eq!((plan.changes, plan.outputs, plan.edits), (real.changes, real.outputs, real.edits));
    assert_eq!(plan.revision, None);
    assert_eq!(plan.left.len(), 1);
}

#[test]
fn a_sync_takes_the_remote_in_and_keeps_what_is_unpublished() {
    let place = Place::new();
    place.edit("content/b.md", "ours\n");
    place.theirs(|clone| {
        put(clone, "content/a.md", "theirs\n");
        put(clone, "src/main.c", "int theirs;\n");
    });
    let synced = place.sync();
    assert_eq!(synced.changes.iter().map(|c| c.path.to_string()).collect::<Vec<_>>(), ["content/a.md"]);
    assert!(synced.conflicts.is_empty());
    assert_eq!((place.read("content/a.md"), place.read("content/b.md")), ("theirs\n".into(), "ours\n".into()));
    assert_eq!(place.left(), ["content/b.md"]);
    assert_eq!(place.status(), " M content/b.md");
    let again = place.sync();
    assert!(again.changes.is_empty() && again.before == again.after);
    place.publish(&everything()).unwrap();
    place.check();
}

#[test]
fn a_sync_reports_a_contradiction_and_a_publish_still_refuses_it() {
    let place = Place::new();
    place.edit("content/a.md", "ours\n");
    place.theirs(|clone| {
        put(clone, "content/a.md", "theirs\n");
        put(clone, "content/b.md", "theirs\n");
    });
    let synced = place.sync();
    assert_eq!(synced.conflicts.len(), 1);
    assert_eq!((place.read("content/a.md"), place.read("content/b.md")), ("ours\n".into(), "theirs\n".into()));
    assert_eq!(place.code(&everything()), "conflict");
    // Another round does not forget it.
    place.theirs(|clone| put(clone, "content/b.md", "theirs again\n"));
    place.sync();
    let found = conflicts(place.publish(&everything()).unwrap_err());
    let etag = found[0].theirs.clone().unwrap().etag;
    place.edit_with("content/a.md", Some("both\n"), &[("Resolves", format!("{etag} content/a.md"))]).unwrap();
    place.publish(&everything()).unwrap();
    assert_eq!((place.live("content/a.md"), place.live("content/b.md")), ("both\n".into(), "theirs again\n".into()));
    place.check();
}

#[test]
fn a_sync_beside_local_commits_leaves_the_branch_to_the_person() {
    let place = Place::new();
    place.hand("content/b.md", "committed\n");
    place.git(&["commit", "-qam", "by hand"]);
    place.theirs(|clone| put(clone, "content/a.md", "theirs\n"));
    let head = place.git(&["rev-parse", "main"]);
    place.sync();
    assert_eq!(place.git(&["rev-parse", "main"]), head);
    assert_eq!((place.read("content/a.md"), place.read("content/b.md")), ("theirs\n".into(), "committed\n".into()));
    place.publish(&PublishRequest { local_commits: true, ..everything() }).unwrap();
    assert_eq!((place.live("content/a.md"), place.live("content/b.md")), ("theirs\n".into(), "committed\n".into()));
    place.check();
}

#[test]
fn a_hand_edit_during_the_push_is_not_lost() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let site = place.site.clone();
    let build = move |sources: &Snapshot, live: &Snapshot, stock: &Stock| {
        put(&site, "content/a.md", "typed meanwhile\n");
        put(&site, "content/b.md", "typed meanwhile\n");
        render(sources, live, stock)
    };
    place.publish(&PublishRequest { build: &build, ..everything() }).unwrap();
    assert_eq!(place.live("content/a.md"), "new\n");
    assert_eq!(place.read("content/a.md"), "typed meanwhile\n");
    assert_eq!(place.left(), ["content/a.md", "content/b.md"]);
    assert_eq!(place.status(), " M content/a.md\n M content/b.md");
    place.check();
}

#[test]
fn staged_by_the_person_stays_staged() {
    let place = Place::new();
    put(&place.root, "src/main.c", "int staged;\n");
    place.git(&["add", "src/main.c"]);
    place.edit("content/a.md", "new\n");
    place.publish(&everything()).unwrap();
    assert_eq!(place.status(), "M  src/main.c");
    place.check();
}

#[test]
fn a_merge_in_progress_refuses_a_publish() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    fs::write(place.root.join(".git/MERGE_HEAD"), place.git(&["rev-parse", "HEAD"])).unwrap();
    assert_eq!(place.publish(&everything()).unwrap_err().code(), "repository_state");
    fs::remove_file(place.root.join(".git/MERGE_HEAD")).unwrap();
    place.publish(&everything()).unwrap();
    place.check();
}

#[test]
fn a_moved_page_goes_out_with_both_ends() {
    let place = Place::new();
    let mut transaction = place.repository.begin().unwrap();
    transaction.stage(path("content/b.md"), None).unwrap();
    transaction.stage(path("content/c.md"), Some(b"Bee.\n".to_vec())).unwrap();
    let footprint = Footprint { kinds: vec![PathKind::Page], paths: None };
    transaction.commit(&Note::default(), &footprint).unwrap();
    place.publish(&only(&["content/c.md"])).unwrap();
    assert_eq!((place.live("content/b.md"), place.live("content/c.md")), ("-".into(), "Bee.\n".into()));
    assert_eq!(place.live("public/b/index.html"), "-");
    place.check();
}

#[test]
fn two_clones_publish_in_turn_and_lose_nothing() {
    let one = Place::new();
    git(one.dir.path(), &["clone", "-q", one.bare().to_str().unwrap(), "two"]);
    let site = one.dir.path().canonicalize().unwrap().join("two");
    name_person(&site, "Two");
    let two = Place { dir: tempfile::tempdir().unwrap(), root: site.clone(), repository: open(&site), site };
    for round in 0..3 {
        one.edit(&format!("content/one-{round}.md"), "1\n");
        two.edit(&format!("content/two-{round}.md"), "2\n");
        assert!(one.publish(&everything()).unwrap().pushed.unwrap().ok);
        assert!(two.publish(&everything()).unwrap().pushed.unwrap().ok);
    }
    one.sync();
    for round in 0..3 {
        assert_eq!(one.live(&format!("content/one-{round}.md")), "1\n");
        assert_eq!(one.live(&format!("content/two-{round}.md")), "2\n");
    }
    one.check();
}

#[test]
fn a_remote_that_moves_during_the_build_is_fetched_again() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let moves = std::cell::Cell::new(2);
    let build = |sources: &Snapshot, live: &Snapshot, stock: &Stock| {
        if moves.get() > 0 {
            moves.set(moves.get() - 1);
            place.theirs(|clone| put(clone, &format!("content/t{}.md", moves.get()), "theirs\n"));
        }
        render(sources, live, stock)
    };
    place.publish(&PublishRequest { build: &build, ..everything() }).unwrap();
    assert_eq!(place.live("content/a.md"), "new\n");
    assert_eq!((place.live("content/t0.md"), place.live("content/t1.md")), ("theirs\n".into(), "theirs\n".into()));
    assert_eq!(place.remote_log(), ["Go live", "theirs", "theirs", "Go live", "start"]);
    place.check();
}

#[test]
fn a_remote_that_keeps_moving_is_given_up() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let moves = std::cell::Cell::new(0);
    let build = |sources: &Snapshot, live: &Snapshot, stock: &Stock| {
        moves.set(moves.get() + 1);
        place.theirs(|clone| put(clone, "content/t.md", &format!("theirs {}\n", moves.get())));
        render(sources, live, stock)
    };
    let refs = |place: &Place| place.refs().lines().filter(|l| !l.contains("remotes")).collect::<Vec<_>>().join("\n");
    let before = refs(&place);
    let error = place.publish(&PublishRequest { build: &build, ..everything() }).unwrap_err();
    assert_eq!((error.code().as_str(), moves.get()), ("remote_busy", 5));
    assert_eq!(refs(&place), before);
    place.publish(&everything()).unwrap();
    place.check();
}

#[test]
fn a_waiting_publish_that_came_into_conflict_does_not_hold_up_the_rest() {
    let place = Place::new();
    place.edit("content/a.md", "ours\n");
    let lock = place.bare().join("refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    place.publish(&everything()).unwrap();
    fs::remove_file(&lock).unwrap();
    place.theirs(|clone| put(clone, "content/a.md", "theirs\n"));
    place.edit("content/b.md", "ours\n");
    assert_eq!(place.code(&everything()), "conflict");
    place.publish(&only(&["content/b.md"])).unwrap();
    assert_eq!((place.live("content/a.md"), place.live("content/b.md")), ("theirs\n".into(), "ours\n".into()));
    assert_eq!(place.left(), ["content/a.md"]);
    assert_eq!(place.code(&everything()), "conflict");
    place.check();
}

#[test]
fn an_edit_during_the_build_stays_unpublished() {
    let place = Place::new();
    place.edit("content/a.md", "one\n");
    let build = |sources: &Snapshot, live: &Snapshot, stock: &Stock| {
        place.edit("content/a.md", "two\n");
        place.edit("content/c.md", "new\n");
        render(sources, live, stock)
    };
    place.publish(&PublishRequest { build: &build, ..everything() }).unwrap();
    assert_eq!((place.live("content/a.md"), place.live("content/c.md")), ("one\n".into(), "-".into()));
    assert_eq!((place.read("content/a.md"), place.read("content/c.md")), ("two\n".into(), "new\n".into()));
    assert_eq!(place.left(), ["content/a.md", "content/c.md"]);
    let left = place.repository.status().unwrap().unpublished;
    assert!(left.iter().all(|u| !u.hand_edit && u.revisions.len() == 1), "{left:?}");
    place.check();
    place.publish(&everything()).unwrap();
    assert_eq!((place.live("content/a.md"), place.live("content/c.md")), ("two\n".into(), "new\n".into()));
    place.check();
}

/// Serves the folder of a place's remote over the git protocol, one process a connection, and answers the address.
pub(super) fn serve(place: &Place) -> String {
    format!("{}/bare.git", serve_folder(place.bare().parent().unwrap()))
}

/// Serves all repositories in a folder.
pub(super) fn serve_folder(folder: &Path) -> String {
    use std::os::fd::OwnedFd;
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("git://{}", server.local_addr().unwrap());
    let base = folder.to_str().unwrap().to_owned();
    std::thread::spawn(move || {
        for stream in server.incoming() {
            let stream = stream.unwrap();
            let input = OwnedFd::from(stream.try_clone().unwrap());
            Command::new("git")
                .args(["daemon", "--inetd", "--export-all", "--enable=receive-pack"])
                .arg(format!("--base-path={base}"))
                .env("GIT_CONFIG_NOSYSTEM", "1")
                .stdin(input)
                .stdout(OwnedFd::from(stream))
                .stderr(std::process::Stdio::null())
                .status()
                .unwrap();
        }
    });
    url
}

#[test]
fn a_server_hook_that_refuses_is_heard() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    place.git(&["remote", "set-url", "origin", &serve(&place)]);
    let hook = place.bare().join("hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho 'the branch is protected' >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    place.edit("content/a.md", "new\n");
    let refused = place.publish(&everything()).unwrap();
    let report = refused.pushed.unwrap();
    assert!(!report.ok);
    let reason = report.reason.unwrap();
    assert!(reason.contains("hook declined") && reason.contains("the branch is protected"), "{reason}");
    assert_eq!(place.live("content/a.md"), A);
    assert_eq!(place.left(), ["content/a.md"]);
    fs::remove_file(&hook).unwrap();
    place.theirs(|clone| put(clone, "content/t.md", "theirs\n"));
    let done = place.publish(&everything()).unwrap();
    assert!(done.resumed && done.pushed.unwrap().ok);
    assert_eq!((place.live("content/a.md"), place.live("content/t.md")), ("new\n".into(), "theirs\n".into()));
    place.check();
}

#[test]
fn a_site_is_written_into_any_folder() {
    let place = Place::new();
    let sources = place.repository.working().unwrap();
    let outputs = render(&sources, &sources, &Stock::default()).unwrap().outputs;
    let folder = place.dir.path().join("preview/x");
    let written = place.repository.write_outputs(&outputs, &sources, Some(&folder)).unwrap();
    assert_eq!(written.added.len(), outputs.len());
    assert_eq!(fs::read(folder.join("i.png")).unwrap(), b"\0png");
    assert!(place.repository.write_outputs(&outputs, &sources, Some(&folder)).unwrap().is_empty());
    assert!(place.repository.write_outputs(&outputs, &sources, None).unwrap().is_empty());
    assert_eq!(place.status(), "");
}

#[cfg(feature = "failpoints")]
mod killed {
    use super::*;

    const POINTS: [&str; 7] = [
        "publish::fetched",
        "publish::built",
        "publish::committed",
        "publish::pending",
        "publish::pushed",
        "publish::ref_moved",
        "publish::projected",
    ];

    /// A publish of a part, with the remote moved, that ends at a point; then the process starts anew.
    fn ended_at(point: &str, remote: bool) -> Place {
        let mut place = if remote { Place::new() } else { Place::unpublished("") };
        if !remote {
            place.git(&["remote", "remove", "origin"]);
            place.publish(&everything()).unwrap();
        }
        place.edit("content/a.md", "new\n");
        place.edit("content/b.md", "stays\n");
        if remote {
            place.theirs(|clone| {
                put(clone, "content/t.md", "theirs\n");
                put(clone, "src/main.c", "int theirs;\n");
            });
        }
        fail::cfg(point, "return").unwrap();
        let error = place.publish(&only(&["content/a.md"])).unwrap_err();
        assert!(error.to_string().contains(point), "{error}");
        fail::remove(point);
        place.repository = open(&place.site);
        place
    }

    #[test]
    fn between_any_two_steps_the_next_publish_finishes() {
        let scenario = fail::FailScenario::setup();
        for point in POINTS {
            let place = ended_at(point, true);
            place.publish(&only(&["content/a.md"])).unwrap();
            assert_eq!(
                (place.live("content/a.md"), place.live("content/b.md")),
                ("new\n".into(), "Bee.\n".into()),
                "{point}"
            );
            assert_eq!(place.remote_log(), ["Go live", "theirs", "Go live", "start"], "{point}");
            assert_eq!((place.read("content/b.md"), place.read("content/t.md")), ("stays\n".into(), "theirs\n".into()));
            assert_eq!(place.left(), ["content/b.md"], "{point}");
            assert_eq!(place.status(), " M content/b.md", "{point}");
            place.check();
        }
        scenario.teardown();
    }

    #[test]
    fn edits_and_syncs_in_between_do_no_harm() {
        let scenario = fail::FailScenario::setup();
        for point in POINTS {
            let place = ended_at(point, true);
            place.edit("content/c.md", "edited after the crash\n");
            place.sync();
            place.publish(&everything()).unwrap();
            for (name, text) in [("a", "new\n"), ("b", "stays\n"), ("c", "edited after the crash\n"), ("t", "theirs\n")]
            {
                assert_eq!(place.live(&format!("content/{name}.md")), text, "{point}");
            }
            assert_eq!(place.status(), "", "{point}");
            place.check();
        }
        scenario.teardown();
    }

    #[test]
    fn a_sync_that_was_interrupted_is_finished_by_the_next() {
        let scenario = fail::FailScenario::setup();
        for point in ["publish::ref_moved", "publish::projected"] {
            let mut place = Place::new();
            place.edit("content/b.md", "stays\n");
            place.theirs(|clone| {
                put(clone, "content/t.md", "theirs\n");
                put(clone, "src/main.c", "int theirs;\n");
            });
            fail::cfg(point, "return").unwrap();
            place.repository.sync(&Note::default()).unwrap_err();
            fail::remove(point);
            place.repository = open(&place.site);
            place.sync();
            assert_eq!(place.status(), " M content/b.md", "{point}");
            assert_eq!(place.left(), ["content/b.md"], "{point}");
            place.publish(&everything()).unwrap();
            assert_eq!((place.live("content/b.md"), place.live("content/t.md")), ("stays\n".into(), "theirs\n".into()));
            place.check();
        }
        scenario.teardown();
    }

    #[test]
    fn without_a_remote_too() {
        let scenario = fail::FailScenario::setup();
        for point in POINTS {
            let place = ended_at(point, false);
            place.publish(&only(&["content/a.md"])).unwrap();
            assert_eq!(place.git(&["show", "main:content/a.md"]), "new", "{point}");
            assert_eq!(
                place.git(&["log", "--first-parent", "--format=%s", "main"]),
                "Go live\nGo live\nstart",
                "{point}"
            );
            assert_eq!(place.left(), ["content/b.md"], "{point}");
            assert_eq!(place.status(), " M content/b.md", "{point}");
            place.check_local();
        }
        scenario.teardown();
    }
}
