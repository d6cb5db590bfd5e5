//! Tests of reviews: a branch on a real remote that a person merges in every way hosts offer, and what becomes of the edits.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sitewright::store::{PublishRequest, Published, ReviewRequest, Reviewed};

use super::publish::{A, Place, everything, git, name_person, only, open, put, serve};

fn wanted(slug: &'static str) -> ReviewRequest<'static> {
    ReviewRequest { wanted: true, slug, ..ReviewRequest::none() }
}

fn all() -> PublishRequest<'static> {
    PublishRequest { review: wanted("all"), ..everything() }
}

fn part(slug: &'static str, paths: &[&str]) -> PublishRequest<'static> {
    PublishRequest { review: wanted(slug), ..only(paths) }
}

/// A person's clone, in which a review is merged.
struct Person {
    _dir: tempfile::TempDir,
    clone: PathBuf,
}

impl Person {
    fn of(place: &Place) -> Self {
        let dir = tempfile::tempdir().unwrap();
        git(dir.path(), &["clone", "-q", place.bare().to_str().unwrap(), "clone"]);
        let clone = dir.path().join("clone");
        name_person(&clone, "Reviewer");
        Self { _dir: dir, clone }
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.clone, args)
    }
}

impl Place {
    fn sent(&self, request: &PublishRequest<'_>) -> Reviewed {
        self.publish(request).unwrap().review.unwrap()
    }

    fn on_branch(&self, branch: &str, name: &str) -> String {
        git(&self.bare(), &["show", &format!("{branch}:{name}")])
    }

    fn in_review(&self) -> Vec<(String, Option<String>)> {
        let unpublished = self.repository.status().unwrap().unpublished;
        unpublished.into_iter().map(|u| (u.change.path.to_string(), u.review)).collect()
    }

    fn hook(&self, name: &str, script: &str) -> PathBuf {
        let hook = self.bare().join("hooks").join(name);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
        hook
    }
}

fn branches(place: &Place) -> Vec<String> {
    git(&place.bare(), &["for-each-ref", "--format=%(refname:short)", "refs/heads"])
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_review_is_a_branch_and_nothing_goes_live() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let before = place.state();
    let published = place.publish(&all()).unwrap();
    let review = published.review.unwrap();
    assert_eq!((review.branch.as_str(), review.target.as_str(), review.updated), ("sitewright/all", "main", false));
    assert_eq!((published.revision, published.pushed), (None, None));
    assert_eq!(place.live("content/a.md"), A);
    // Sources and output, on top of live.
    assert_eq!(place.on_branch("sitewright/all", "content/a.md"), "new");
    assert_eq!(place.on_branch("sitewright/all", "public/a/index.html"), "<p>new\n</p>");
    git(&place.bare(), &["merge-base", "--is-ancestor", "main", "sitewright/all"]);
    // Still unpublished, marked.
    assert_eq!(place.in_review(), [("content/a.md".into(), Some("sitewright/all".into()))]);
    let status = place.repository.status().unwrap();
    assert_eq!(status.reviews.len(), 1);
    assert_eq!(
        (status.reviews[0].branch.as_str(), &status.reviews[0].revision),
        ("sitewright/all", &review.revision.unwrap())
    );
    assert!(status.pending.is_none());
    // Nothing else moved here.
    let without =
        |state: String| state.lines().filter(|l| !l.contains("refs/sitewright/review/")).collect::<Vec<_>>().join("\n");
    assert_eq!(without(place.state()), without(before));
    // An edit after it is no longer what is in review.
    place.edit("content/a.md", "newer\n");
    assert_eq!(place.in_review(), [("content/a.md".into(), None)]);
}

#[test]
fn a_second_review_updates_the_branch_and_a_third_without_news_does_nothing() {
    for over_the_wire in [false, true] {
        let place = Place::new();
        if over_the_wire {
            place.git(&["remote", "set-url", "origin", &serve(&place)]);
        }
        place.edit("content/a.md", "one\n");
        let first = place.sent(&part("one", &["content/a.md"]));
        place.edit("content/a.md", "two\n");
        place.edit("content/b.md", "bee\n");
        // Live goes on meanwhile: the review is made anew on top of it.
        place.theirs(|clone| put(clone, "content/t.md", "theirs\n"));
        let second = place.sent(&part("other", &["content/a.md"]));
        assert_eq!((first.branch.as_str(), second.branch.as_str()), ("sitewright/one", "sitewright/one"));
        assert!(second.updated && !second.unchanged);
        assert_eq!(place.on_branch("sitewright/one", "content/a.md"), "two");
        assert_eq!(place.on_branch("sitewright/one", "content/t.md"), "theirs");
        let refs = place.refs();
        let third = place.sent(&part("one", &["content/a.md"]));
        assert!(third.unchanged && third.revision == second.revision);
        assert_eq!(place.refs(), refs);
        // Another page is another review.
        assert_eq!(place.sent(&part("two", &["content/b.md"])).branch, "sitewright/two");
        assert_eq!(branches(&place), ["main", "sitewright/one", "sitewright/two"]);
    }
}

#[test]
fn what_a_person_pushed_to_the_branch_is_never_overwritten() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let review = place.sent(&all());
    let person = Person::of(&place);
    person.git(&["switch", "-q", &review.branch]);
    put(&person.clone, "content/a.md", "better\n");
    person.git(&["commit", "-qam", "suggestion"]);
    person.git(&["push", "-q"]);
    place.edit("content/a.md", "newer\n");
    assert_eq!(place.code(&all()), "repository_state");
    assert_eq!(place.on_branch(&review.branch, "content/a.md"), "better");
    // A name that somebody else took is left to them.
    let other = Place::new();
    git(&other.bare(), &["branch", "sitewright/all", "main"]);
    other.edit("content/a.md", "new\n");
    assert_eq!(other.sent(&all()).branch, "sitewright/all-2");
}

/// Merges a branch into main as the buttons of hosts do.
fn merge(place: &Place, how: &str, branch: &str, also: impl FnOnce(&Path)) {
    let person = Person::of(place);
    let theirs = format!("origin/{branch}");
    also(&person.clone);
    person.git(&["add", "-A"]);
    person.git(&["commit", "-q", "--allow-empty", "-m", "meanwhile"]);
    match how {
        "merge" => person.git(&["merge", "-q", "--no-ff", "-m", "Merge it", &theirs]),
        "squash" => {
            person.git(&["merge", "-q", "--squash", &theirs]);
            person.git(&["commit", "-qm", "Squashed"])
        }
        // The first parent's line only, as hosts rebase a merge commit away.
        "rebase" => person.git(&["cherry-pick", "-m", "1", &theirs]),
        other => panic!("{other}"),
    };
    person.git(&["push", "-q", "origin", "HEAD:main"]);
    person.git(&["push", "-q", "origin", &format!(":{branch}")]);
}

#[test]
fn a_sync_notices_every_kind_of_merge_and_drops_what_went_live() {
    for how in ["merge", "squash", "rebase"] {
        let place = Place::new();
        place.edit("content/a.md", "---\ntitle: A\n---\nReviewed.\n");
        place.edit("content/new.md", "New page.\n");
        let review = place.sent(&all());
        // Work goes on, on the same page too.
        place.edit("content/a.md", "---\ntitle: A\n---\nReviewed, and then some.\n");
        place.edit("content/b.md", "later\n");
        merge(&place, how, &review.branch, |clone| put(clone, "content/t.md", "theirs\n"));
        let synced = place.sync();
        assert_eq!(synced.merged_reviews, std::slice::from_ref(&review.branch), "{how}");
        assert_eq!((synced.closed_reviews.len(), synced.conflicts.len()), (0, 0), "{how}: {synced:?}");
        assert_eq!(place.live("content/new.md"), "New page.\n");
        assert_eq!(place.left(), ["content/a.md", "content/b.md"], "{how}");
        assert_eq!(place.read("content/a.md"), "---\ntitle: A\n---\nReviewed, and then some.\n");
        assert_eq!(place.read("content/t.md"), "theirs\n");
        assert!(place.repository.status().unwrap().reviews.is_empty());
        place.publish(&everything()).unwrap();
        assert_eq!(place.live("content/a.md"), "---\ntitle: A\n---\nReviewed, and then some.\n");
        assert_eq!(place.status(), "", "{how}");
        place.check();
    }
}

#[test]
fn a_merged_review_leaves_nothing_unpublished() {
    for how in ["merge", "squash", "rebase"] {
        let place = Place::new();
        place.edit("content/a.md", "new\n");
        let review = place.sent(&part("a", &["content/a.md"]));
        merge(&place, how, &review.branch, |_| {});
        // A publish notices it as well as a sync, and makes no commit of its own.
        let log = place.remote_log();
        assert_eq!(place.publish(&everything()).unwrap().revision, None, "{how}");
        assert_eq!(place.remote_log(), log);
        assert_eq!((place.left().len(), place.status()), (0, String::new()), "{how}");
        assert!(place.repository.status().unwrap().reviews.is_empty(), "{how}");
        place.check();
    }
}

#[test]
fn two_reviews_merged_at_once() {
    let place = Place::new();
    place.edit("content/a.md", "new a\n");
    place.edit("content/b.md", "new b\n");
    let (a, b) = (place.sent(&part("a", &["content/a.md"])), place.sent(&part("b", &["content/b.md"])));
    assert_ne!(a.branch, b.branch);
    place.edit("content/b.md", "newer b\n");
    merge(&place, "squash", &a.branch, |_| {});
    merge(&place, "squash", &b.branch, |_| {});
    let synced = place.sync();
    assert_eq!(synced.merged_reviews, ["sitewright/a", "sitewright/b"]);
    assert_eq!(place.left(), ["content/b.md"]);
    assert_eq!(place.read("content/b.md"), "newer b\n");
}

#[test]
fn a_person_who_pulled_the_merge_first_is_no_trouble() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let review = place.sent(&all());
    merge(&place, "squash", &review.branch, |_| {});
    place.git(&["stash", "-q"]);
    place.git(&["pull", "-q", "--ff-only", "origin", "main"]);
    let synced = place.sync();
    assert_eq!(synced.merged_reviews, [review.branch]);
    assert_eq!((place.left().len(), place.read("content/a.md")), (0, "new\n".into()));
}

#[test]
fn a_review_that_was_turned_down_leaves_the_edits() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    let review = place.sent(&all());
    git(&place.bare(), &["branch", "-q", "-D", &review.branch]);
    let synced = place.sync();
    assert_eq!((synced.closed_reviews, synced.merged_reviews.len()), (vec![review.branch], 0));
    assert_eq!(place.in_review(), [("content/a.md".into(), None)]);
    place.publish(&everything()).unwrap();
    place.check();
}

#[test]
fn what_cannot_be_reviewed_is_refused() {
    let place = Place::new();
    place.edit("content/a.md", "new\n");
    place.git(&["remote", "set-url", "origin", "git://127.0.0.1:1/bare.git"]);
    assert_eq!(place.publish(&all()).unwrap_err().code(), "remote_unavailable");
    place.git(&["remote", "remove", "origin"]);
    assert_eq!(place.publish(&all()).unwrap_err().code(), "invalid_arguments");
    let first = Place::unpublished("");
    assert_eq!(first.publish(&all()).unwrap_err().code(), "invalid_arguments");
    assert_eq!(branches(&first), Vec::<String>::new());
    let same = Place::new();
    let nothing = same.publish(&all()).unwrap();
    assert_eq!((nothing.review, branches(&same)), (None, vec!["main".to_owned()]));
}

#[test]
fn a_protected_branch_leads_to_a_review_by_itself() {
    let place = Place::new();
    place.git(&["remote", "set-url", "origin", &serve(&place)]);
    let script = "if [ \"$1\" = refs/heads/main ]; then echo 'GH006: Protected branch update failed' >&2; exit 1; fi";
    let hook = place.hook("update", script);
    place.edit("content/a.md", "new\n");
    let slug = ReviewRequest { slug: "a-page", ..ReviewRequest::none() };
    let request = PublishRequest { review: slug, ..everything() };
    let published = place.publish(&request).unwrap();
    assert!(!published.pushed.as_ref().unwrap().ok);
    assert_eq!((published.review.unwrap().branch.as_str(), published.revision), ("sitewright/a-page", None));
    assert!(!place.refs().contains("pending"), "{}", place.refs());
    assert_eq!(
        (place.live("content/a.md"), place.on_branch("sitewright/a-page", "content/a.md")),
        (A.into(), "new".into())
    );
    assert_eq!(place.in_review(), [("content/a.md".into(), Some("sitewright/a-page".into()))]);
    // Again: the same branch.
    place.edit("content/a.md", "newer\n");
    let again = place.publish(&request).unwrap().review.unwrap();
    assert!(again.updated && again.branch == "sitewright/a-page");
    fs::remove_file(hook).unwrap();
    merge(&place, "squash", "sitewright/a-page", |_| {});
    assert_eq!(place.sync().merged_reviews, ["sitewright/a-page"]);
    assert_eq!(place.left().len(), 0);
    place.check();
}

#[test]
fn a_server_that_refuses_a_review_leaves_everything_as_it_was() {
    let place = Place::new();
    place.git(&["remote", "set-url", "origin", &serve(&place)]);
    place.hook("pre-receive", "echo 'no more branches' >&2; exit 1");
    place.edit("content/a.md", "new\n");
    assert_eq!(place.code(&all()), "remote_refused");
}

#[test]
fn push_options_reach_the_server_and_one_without_them_gets_the_branch() {
    fn asked(_: &Published) -> Vec<String> {
        vec!["merge_request.create".into(), "merge_request.title=A \"title\"\nand more".into()]
    }
    let review = ReviewRequest { wanted: true, slug: "x", options: &asked };
    let request = || PublishRequest { review, ..everything() };
    let place = Place::new();
    place.git(&["remote", "set-url", "origin", &serve(&place)]);
    git(&place.bare(), &["config", "receive.advertisePushOptions", "true"]);
    place.hook("pre-receive", "echo \"$GIT_PUSH_OPTION_COUNT|$GIT_PUSH_OPTION_0|$GIT_PUSH_OPTION_1\" > asked");
    place.edit("content/a.md", "new\n");
    place.sent(&request());
    let told = fs::read_to_string(place.bare().join("asked")).unwrap();
    assert_eq!(told, "2|merge_request.create|merge_request.title=A \"title\" and more\n");
    let plain = Place::new();
    plain.git(&["remote", "set-url", "origin", &serve(&plain)]);
    plain.edit("content/a.md", "new\n");
    assert_eq!(plain.sent(&request()).branch, "sitewright/x");
}

#[test]
fn the_branch_layout_keeps_the_output_out_of_a_review() {
    use sitewright::model::config::Layout;
    let place = Place::unpublished("");
    place.publish(&PublishRequest { layout: Layout::Branch, ..everything() }).unwrap();
    place.edit("content/a.md", "new\n");
    let review = place.sent(&PublishRequest { layout: Layout::Branch, ..all() });
    assert!(!git(&place.bare(), &["ls-tree", "-r", "--name-only", &review.branch]).contains("public/"));
    merge(&place, "squash", &review.branch, |_| {});
    place.sync();
    // What was merged by a person is built by the next publish.
    let built = place.publish(&PublishRequest { layout: Layout::Branch, ..everything() }).unwrap();
    assert!(built.deployed.unwrap().ok);
    assert_eq!(git(&place.bare(), &["show", "gh-pages:a/index.html"]), "<p>new\n</p>");
}

#[cfg(feature = "failpoints")]
#[test]
fn a_crash_around_the_push_of_a_review_is_outlived() {
    let scenario = fail::FailScenario::setup();
    for point in ["publish::review_remembered", "publish::review_pushed"] {
        let mut place = Place::new();
        place.edit("content/a.md", "one\n");
        place.sent(&all());
        place.edit("content/a.md", "two\n");
        fail::cfg(point, "return").unwrap();
        place.publish(&all()).unwrap_err();
        fail::remove(point);
        place.repository = open(&place.site);
        place.edit("content/a.md", "three\n");
        assert_eq!(place.sent(&all()).branch, "sitewright/all", "{point}");
        assert_eq!(place.on_branch("sitewright/all", "content/a.md"), "three", "{point}");
        assert_eq!(branches(&place), ["main", "sitewright/all"], "{point}");
    }
    scenario.teardown();
}

#[cfg(not(feature = "failpoints"))]
#[test]
fn a_new_process_knows_what_is_in_review() {
    let mut place = Place::new();
    place.edit("content/a.md", "one\n");
    place.sent(&all());
    place.repository = open(&place.site);
    assert_eq!(place.in_review(), [("content/a.md".into(), Some("sitewright/all".into()))]);
}

#[test]
fn tips_that_publishes_left_are_kept_up_to_a_number_and_what_waits_is_never_lost() {
    let place = Place::new();
    place.edit("content/c.md", "in review\n");
    let review = place.sent(&part("waits", &["content/c.md"]));
    let waits = place.git(&["rev-parse", "refs/sitewright/review/waits^2"]);
    let main = place.git(&["rev-parse", "main"]);
    let many: Vec<String> =
        (1..=1_000).map(|number| format!("create refs/sitewright/kept/{number} {main}\n")).collect();
    let list = place.root.join(".git/many");
    fs::write(&list, many.concat()).unwrap();
    place.git(&["-c", "alias.all=!git update-ref --stdin < .git/many", "all"]);
    for text in ["one\n", "two\n"] {
        place.edit("content/a.md", text);
        place.edit("content/b.md", text);
        let tip = place.git(&["rev-parse", "refs/sitewright/working"]);
        place.publish(&only(&["content/a.md"])).unwrap();
        let kept = place.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/sitewright/kept"]);
        assert_eq!(kept.lines().count(), 1_000);
        assert!(kept.contains(&tip), "the newest is kept");
    }
    let kept = place.git(&["for-each-ref", "--format=%(refname:lstrip=3)", "refs/sitewright/kept"]);
    let mut kept: Vec<u64> = kept.lines().map(|number| number.parse().unwrap()).collect();
    kept.sort_unstable();
    assert_eq!((kept.first(), kept.last()), (Some(&3), Some(&1_002)));
    // Git throws away what nothing leads to; the review goes on.
    place.git(&["gc", "-q", "--prune=now"]);
    assert_eq!(place.git(&["cat-file", "-t", &waits]), "commit");
    place.edit("content/c.md", "in review, better\n");
    let again = place.sent(&part("waits", &["content/c.md"]));
    assert!(again.updated && again.branch == review.branch);
    assert_eq!(place.on_branch("sitewright/waits", "content/c.md"), "in review, better");
    place.git(&["fsck", "--strict", "--no-dangling"]);
    git(&place.bare(), &["fsck", "--strict", "--no-dangling"]);
}
