//! Tests of the store on large sites: an edit costs what it changes, and nothing that a person does is missed for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use sitewright::model::{ContentPath, PathKind, Snapshot};
use sitewright::store::{Durability, Footprint, HistoryFilter, Identity, Note, OpenOptions, Repository, RevisionId};

use super::harness::TestSite;

struct Place {
    _dir: tempfile::TempDir,
    root: PathBuf,
}

impl Place {
    /// A committed site of so many pages in five sections.
    fn new(pages: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let place = Self { _dir: dir, root };
        place.write("site.yaml", "title: T\n");
        place.write(".gitignore", "*.private\n/content/drafts/\n");
        for number in 0..pages {
            place.write(&format!("content/part-{}/p{number}.md", number % 5), &format!("Page {number}\n"));
        }
        place.git(&["init", "-q", "-b", "main"]);
        place.git(&["config", "user.name", "Person"]);
        place.git(&["config", "user.email", "person@example.org"]);
        place.git(&["add", "-A"]);
        place.git(&["commit", "-qm", "start"]);
        place
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn open(&self) -> Repository {
        let options = OpenOptions {
            clock: Arc::new(|| jiff::Timestamp::from_second(1_700_000_000).unwrap()),
            author: Some(Identity { name: "Agent".into(), email: "agent@example.org".into() }),
            durability: Durability::Power,
            ..OpenOptions::default()
        };
        Repository::open(&self.root, options).unwrap()
    }

    /// One that asks the kernel what changed, after its first look.
    fn followed(&self) -> Repository {
        let repository = self.open();
        repository.follow();
        repository.working().unwrap();
        repository
    }
}

fn path(text: &str) -> ContentPath {
    ContentPath::from_disk(text).unwrap()
}

fn edit(repository: &Repository, name: &str, text: &str) -> RevisionId {
    let mut transaction = repository.begin().unwrap();
    transaction.stage(path(name), Some(text.as_bytes().to_vec())).unwrap();
    let anything = Footprint { kinds: vec![PathKind::Page], paths: None };
    transaction.commit(&Note { message: "Edit it".into(), trailers: Vec::new() }, &anything).unwrap().unwrap()
}

/// Files looked at, files read, paths compared and syncs of what `work` does.
fn cost(repository: &Repository, work: impl FnOnce()) -> [u64; 4] {
    let now = || {
        let work = repository.work();
        [work.files_looked_at(), work.files_read(), work.paths_compared(), work.syncs()]
    };
    let before = now();
    work();
    let after = now();
    [0, 1, 2, 3].map(|at| after[at] - before[at])
}

fn files(snapshot: &Snapshot) -> Vec<(String, String)> {
    snapshot.iter().map(|(path, file)| (path.to_string(), file.id.to_string())).collect()
}

fn problems(repository: &Repository) -> Vec<String> {
    let mut problems: Vec<String> = repository.problems().iter().map(|found| found.message.clone()).collect();
    problems.sort();
    problems
}

/// A repository that follows sees what one that was opened just now sees.
fn assert_sees(place: &Place, followed: &Repository, after: &str) {
    let fresh = place.open();
    assert_eq!(files(&followed.working().unwrap()), files(&fresh.working().unwrap()), "after {after}");
    assert_eq!(problems(followed), problems(&fresh), "after {after}");
}

#[test]
fn an_edit_costs_what_it_changes_whatever_the_size_of_the_site() {
    let costs = [20, 600].map(|pages| {
        let place = Place::new(pages);
        let repository = place.followed();
        edit(&repository, "content/part-1/p1.md", "one\n");
        let again = cost(&repository, || drop(edit(&repository, "content/part-2/p2.md", "two\n")));
        let new = cost(&repository, || drop(edit(&repository, "content/part-3/new.md", "three\n")));
        let looking = cost(&repository, || drop(repository.working().unwrap()));
        let listing = cost(&repository, || drop(repository.status().unwrap()));
        [again, new, looking, listing]
    });
    assert_eq!(costs[0], costs[1]);
    let [again, new, looking, listing] = costs[1];
    // Of an edit: the file the edit before wrote is looked at, and so are its own traces.
    assert!(again[0] <= 2 && again[1] <= 2 && again[2] <= 8 && again[3] == 3, "{again:?}");
    assert!(new[0] <= 2 && new[1] <= 2 && new[2] <= 8 && new[3] == 3, "{new:?}");
    assert!(looking[0] <= 1 && looking[1] <= 1, "{looking:?}");
    assert_eq!((listing[0], listing[1], listing[3]), (0, 0, 0), "{listing:?}");
}

#[test]
fn one_that_does_not_follow_looks_at_every_file_and_reads_none_again() {
    let place = Place::new(40);
    let repository = place.open();
    repository.working().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(60));
    // What was read right after it was written is read once more.
    repository.working().unwrap();
    let [looked, read, ..] = cost(&repository, || drop(repository.working().unwrap()));
    assert_eq!((looked, read), (41, 0));
}

#[test]
fn a_hand_edit_right_before_a_call_is_recorded_and_kept() {
    let place = Place::new(10);
    let repository = place.followed();
    edit(&repository, "content/part-1/p1.md", "one\n");
    for round in 0..5 {
        // As long as what is there, in the same tick of the clock as like as not.
        place.write("content/part-2/p2.md", &format!("by hand {round}\n"));
        edit(&repository, "content/part-1/p1.md", &format!("edit {round}\n"));
        let status = repository.status().unwrap();
        let item = status.unpublished.iter().find(|item| item.change.path == path("content/part-2/p2.md")).unwrap();
        assert!(item.hand_edit);
        assert_eq!(item.revisions.len(), round + 1, "round {round}: each hand edit is a revision of its own");
        assert_eq!(fs::read_to_string(place.root.join("content/part-2/p2.md")).unwrap(), format!("by hand {round}\n"));
    }
}

#[test]
fn lost_events_are_made_up_for() {
    let place = Place::new(5);
    let repository = place.followed();
    // More than the kernel keeps: what comes after is lost.
    let most: usize = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(16_384);
    let names = [place.root.join("content/part-0/p0.md"), place.root.join("content/part-1/p1.md")];
    for round in 0..most.min(40_000) / 2 + 10 {
        fs::rename(&names[round % 2], place.root.join("content/part-0/moved.md")).unwrap();
        fs::rename(place.root.join("content/part-0/moved.md"), &names[round % 2]).unwrap();
    }
    place.write("content/part-3/p3.md", "after the flood\n");
    fs::remove_file(place.root.join("content/part-4/p4.md")).unwrap();
    assert_sees(&place, &repository, "more events than fit");
    place.write("content/part-3/p3.md", "and later\n");
    assert_sees(&place, &repository, "an event after that");
}

#[test]
fn history_of_one_path_is_the_same_from_memory_and_from_git() {
    let place = Place::new(10);
    let repository = place.followed();
    for number in 0..6 {
        edit(&repository, &format!("content/part-{0}/p{0}.md", number % 2), &format!("edit {number}\n"));
        let filter = HistoryFilter { paths: vec!["content/part-1/p1.md".into()], ..HistoryFilter::default() };
        let ids = |repository: &Repository| -> Vec<RevisionId> {
            repository.history(&filter).unwrap().0.into_iter().map(|revision| revision.id).collect()
        };
        assert_eq!(ids(&repository), ids(&place.open()));
    }
}

#[test]
fn the_next_process_reads_no_file_that_is_as_it_was() {
    let place = Place::new(300);
    let settle = || std::thread::sleep(std::time::Duration::from_millis(60));
    settle();
    let text = |repository: &Repository, name: &str| {
        let snapshot = repository.working().unwrap();
        snapshot.text(name).map(str::to_owned)
    };
    let all = files(&place.open().working().unwrap());
    place.git(&["diff", "--exit-code"]);
    let next = place.open();
    let [looked, read, ..] = cost(&next, || assert_eq!(files(&next.working().unwrap()), all));
    assert_eq!((looked, read), (301, 0));
    assert_eq!(text(&next, "content/part-2/p7.md").as_deref(), Some("Page 7\n"));
    // Of the same length, and with the time stamp that it had.
    let file = place.root.join("content/part-2/p7.md");
    let modified = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "Page 8\n").unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
    let next = place.open();
    assert_eq!(text(&next, "content/part-2/p7.md").as_deref(), Some("Page 8\n"));
    // What is read only when it is wanted is what it was, whatever the disk holds by then.
    let next = place.open();
    let before = next.working().unwrap();
    place.write("content/part-3/p8.md", "changed\n");
    fs::remove_file(place.root.join("content/part-4/p9.md")).unwrap();
    assert_eq!(before.text("content/part-3/p8.md"), Some("Page 8\n"));
    assert_eq!(before.text("content/part-4/p9.md"), Some("Page 9\n"));
    assert_eq!(text(&next, "content/part-3/p8.md").as_deref(), Some("changed\n"));
}

#[test]
fn a_broken_or_deleted_index_is_made_anew() {
    let place = Place::new(300);
    std::thread::sleep(std::time::Duration::from_millis(60));
    let all = files(&place.open().working().unwrap());
    let index = place.root.join(".sitewright/var/index");
    let mut bytes = fs::read(&index).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&index, &bytes).unwrap();
    let next = place.open();
    let [_, read, ..] = cost(&next, || assert_eq!(files(&next.working().unwrap()), all));
    assert_eq!(read, 301);
    fs::remove_dir_all(place.root.join(".sitewright")).unwrap();
    assert_sees(&place, &next, "the index was deleted");
    let next = place.open();
    let [_, read, ..] = cost(&next, || assert_eq!(files(&next.working().unwrap()), all));
    assert_eq!(read, 0, "it was saved again");
    let status = Command::new("git").args(["status", "--porcelain"]).current_dir(&place.root).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&status.stdout), "", "git is told to ignore it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_writes_what_differs_and_puts_right_what_was_touched() {
    let page = |name: &str| format!("-- content/{name}.md --\n---\ntitle: {name}\n---\nText of {name}\n");
    let text = format!("-- content/_index.md --\n---\ntitle: Home\n---\n{}{}{}", page("a"), page("b"), page("c"));
    let site = TestSite::with_remote(&text).await;
    let output = site.path().join("public");
    site.call("publish", json!({"local_commits": true})).await;
    let mut last = String::from("Text of a");
    let mut publish = async |site: &TestSite, now: &str| {
        let edits = json!([{"find": last, "replace": now}]);
        site.call("page_write", json!({"pages": [{"path": "a.md", "edits": edits}]})).await;
        site.call("publish", json!({})).await;
        last = now.to_owned();
        assert_eq!(site.git(&["status", "--porcelain"]), "");
        assert!(fs::read_to_string(output.join("a/index.html")).unwrap().contains(now));
    };
    publish(&site, "First").await;
    let looked = site.site().repository().work().outputs_looked_at();
    publish(&site, "Second").await;
    assert!(site.site().repository().work().outputs_looked_at() > looked, "it is looked at, and not written anew");
    fs::remove_file(output.join("b/index.html")).unwrap();
    publish(&site, "Third").await;
    fs::write(output.join("c/stray.html"), "stray").unwrap();
    publish(&site, "Fourth").await;
    fs::write(output.join("c/index.html"), "by hand").unwrap();
    publish(&site, "Fifth").await;
    fs::remove_dir_all(&output).unwrap();
    publish(&site, "Sixth").await;
    site.call("page_delete", json!({"pages": [{"path": "b.md", "if_match": "*"}]})).await;
    publish(&site, "Seventh").await;
    assert!(!output.join("b").exists());
    site.call("page_write", json!({"pages": [{"path": "d/e.md", "create": true, "body": "New"}]})).await;
    publish(&site, "Eighth").await;
    assert!(output.join("d/e/index.html").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_of_one_page_makes_hashes_and_sends_what_changed_whatever_the_size_of_the_site() {
    let mut costs = Vec::new();
    for pages in [12, 120] {
        let mut text = String::from("-- content/_index.md --\n---\ntitle: Home\n---\n");
        for number in 0..pages {
            text += &format!("-- content/p{number:03}.md --\n---\ntitle: P{number}\n---\nText of {number}.\n");
        }
        let site = TestSite::with_remote(&text).await;
        site.call("publish", json!({"local_commits": true})).await;
        let sent = || -> u64 {
            let counted = site.git_remote(&["count-objects", "-v"]);
            counted.lines().find_map(|line| line.strip_prefix("in-pack: ")).unwrap().parse().unwrap()
        };
        let cost = || {
            let work = site.site().repository().work();
            [work.outputs_made(), work.outputs_hashed(), work.paths_compared(), work.syncs(), sent()]
        };
        assert!(cost()[1] > 2 * pages, "the first one makes everything");
        for number in [1, 2] {
            let before = cost();
            let page = json!({"path": "p001.md", "body": format!("Other text {number}."), "if_match": "*"});
            site.call("page_write", json!({"pages": [page]})).await;
            site.call("publish", json!({})).await;
            costs.push((number, [0, 1, 2, 3, 4].map(|at| cost()[at] - before[at])));
        }
    }
    assert_eq!(costs[..2], costs[2..]);
    for (_, [made, hashed, compared, _, sent]) in &costs {
        // The page, its twin, the list it is in, and the files that are made anew each time; of these only some differ.
        assert!(*made <= 16 && *hashed <= 9 && *compared <= 40 && *sent <= 24, "{costs:?}");
    }
}

/// What a person does to a site beside a running server.
#[derive(Debug, Clone)]
enum Deed {
    Write(usize),
    Replace(usize),
    Remove(usize),
    Move(usize, usize),
    MoveFolder(usize, usize),
    RemoveFolder(usize),
    NewFolder(usize, usize),
    FileForFolder(usize),
    Link(usize),
    LinkFolder(usize),
    Nested(usize),
    Ignore(usize),
    Private(usize),
    AddPrivate(usize),
    Hidden(usize),
    Commit,
    Checkout,
    Edit(usize),
    Look,
}

const FOLDERS: usize = 4;
const FILES: usize = 12;

fn folder(number: usize) -> String {
    ["content/part-0", "content/part-1", "content/part-1/inner", "static/deep/er"][number % FOLDERS].to_owned()
}

fn file(number: usize) -> String {
    format!("{}/p{}.md", folder(number), number % FILES)
}

/// Does it as far as it can be done there: a person's failed command is no concern of ours.
fn do_it(place: &Place, followed: &Repository, deed: &Deed, step: usize) {
    let at = |path: &str| place.root.join(path);
    let try_write = |path: &Path, text: &str| {
        let _ = path.parent().map(fs::create_dir_all);
        let _ = fs::write(path, text);
    };
    let try_git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(&place.root)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        let _ = command.output().unwrap();
    };
    match deed {
        Deed::Write(n) => try_write(&at(&file(*n)), &format!("{step}\n")),
        Deed::Replace(n) => {
            try_write(&at("content/.new"), &format!("{step} new\n"));
            let _ = fs::rename(at("content/.new"), at(&file(*n)));
        }
        Deed::Remove(n) => drop(fs::remove_file(at(&file(*n)))),
        Deed::Move(from, to) => drop(fs::rename(at(&file(*from)), at(&file(*to)))),
        Deed::MoveFolder(from, to) => drop(fs::rename(at(&folder(*from)), at(&format!("{}-{to}", folder(*to))))),
        Deed::RemoveFolder(n) => drop(fs::remove_dir_all(at(&folder(*n)))),
        Deed::NewFolder(n, m) => try_write(&at(&format!("{}/new-{m}/x/y.md", folder(*n))), &format!("{step}\n")),
        Deed::FileForFolder(n) => {
            let _ = fs::remove_dir_all(at(&folder(*n)));
            try_write(&at(&folder(*n)), "a file\n");
        }
        Deed::Link(n) => {
            let _ = fs::remove_file(at(&file(*n)));
            let _ = std::os::unix::fs::symlink(at("site.yaml"), at(&file(*n)));
        }
        Deed::LinkFolder(n) => {
            let _ = fs::rename(at(&folder(*n)), at("elsewhere"));
            let _ = std::os::unix::fs::symlink(at("elsewhere"), at(&folder(*n)));
        }
        Deed::Nested(n) => try_write(&at(&format!("{}/.git", folder(*n))), "gitdir: elsewhere\n"),
        Deed::Ignore(n) => try_write(&at(&format!("{}/.gitignore", folder(*n))), &format!("p{}.md\n", n % FILES)),
        Deed::Private(n) => try_write(&at(&format!("{}/a{n}.private", folder(*n))), &format!("{step}\n")),
        Deed::AddPrivate(n) => {
            try_git(&["add", "-f", &format!("{}/a{n}.private", folder(*n))]);
            try_git(&["commit", "-qm", "private"]);
        }
        Deed::Hidden(n) => try_write(&at(&format!("content/drafts/d{n}.md")), &format!("{step}\n")),
        Deed::Commit => {
            try_git(&["add", "-A"]);
            try_git(&["commit", "-qm", "by hand"]);
        }
        Deed::Checkout => try_git(&["checkout", "-q", "-f", "HEAD~1", "--", "."]),
        Deed::Edit(n) => {
            if let Ok(mut transaction) = followed.begin()
                && transaction.stage(path(&file(*n)), Some(format!("edit {step}\n").into_bytes())).is_ok()
            {
                let kinds = vec![PathKind::Page, PathKind::Static];
                // Refused where something else is in the way.
                let _ = transaction.commit(&Note::default(), &Footprint { kinds, paths: None });
            }
        }
        Deed::Look => drop(followed.working()),
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let n = 0..FILES;
    prop_oneof![
        4 => n.clone().prop_map(Deed::Write),
        2 => n.clone().prop_map(Deed::Replace),
        2 => n.clone().prop_map(Deed::Remove),
        2 => (n.clone(), n.clone()).prop_map(|(a, b)| Deed::Move(a, b)),
        2 => (n.clone(), n.clone()).prop_map(|(a, b)| Deed::MoveFolder(a, b)),
        1 => n.clone().prop_map(Deed::RemoveFolder),
        2 => (n.clone(), n.clone()).prop_map(|(a, b)| Deed::NewFolder(a, b)),
        1 => n.clone().prop_map(Deed::FileForFolder),
        1 => n.clone().prop_map(Deed::Link),
        1 => n.clone().prop_map(Deed::LinkFolder),
        1 => n.clone().prop_map(Deed::Nested),
        1 => n.clone().prop_map(Deed::Ignore),
        1 => n.clone().prop_map(Deed::Private),
        1 => n.clone().prop_map(Deed::AddPrivate),
        1 => n.clone().prop_map(Deed::Hidden),
        1 => Just(Deed::Commit),
        1 => Just(Deed::Checkout),
        3 => n.prop_map(Deed::Edit),
        3 => Just(Deed::Look),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("SITEWRIGHT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_a_person_does_is_seen(deeds in proptest::collection::vec(deed(), 1..24)) {
        let place = Place::new(10);
        let followed = place.followed();
        for (step, deed) in deeds.iter().enumerate() {
            do_it(&place, &followed, deed, step);
            if matches!(deed, Deed::Look) {
                assert_sees(&place, &followed, &format!("{:?}", &deeds[..=step]));
            }
        }
        assert_sees(&place, &followed, &format!("{deeds:?}"));
    }
}
