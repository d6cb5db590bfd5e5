//! The git rules (section 2.1 of the design), each by name, through a real client and a real bare remote.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::TestSite;

const PAGES: &str =
    "-- content/a.md --\n---\ntitle: A\n---\nText of A.\n-- content/b.md --\n---\ntitle: B\n---\nText of B.\n";

fn edit(path: &str, find: &str, replace: &str) -> Value {
    json!({"pages": [{"path": path, "edits": [{"find": find, "replace": replace}]}]})
}

/// A site whose first publish is on its bare remote.
async fn published() -> TestSite {
    let site = TestSite::with_remote(PAGES).await;
    let reply = site.call("publish", json!({"message": "First"})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    site
}

fn live(site: &TestSite, path: &str) -> String {
    site.git_remote(&["show", &format!("main:{path}")])
}

#[tokio::test(flavor = "multi_thread")]
async fn publish_a_while_b_is_edited() {
    let site = published().await;
    site.call("page_write", edit("a.md", "Text of A", "New A")).await;
    site.call("page_write", edit("b.md", "Text of B", "New B")).await;
    let reply = site.call("publish", json!({"paths": ["/a/"]})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    assert!(live(&site, "content/a.md").contains("New A"));
    assert!(live(&site, "content/b.md").contains("Text of B"));
    assert!(live(&site, "public/b/index.html").contains("Text of B"));
    site.assert_file("content/b.md", "---\ntitle: B\n---\nNew B.\n");
    let changes = site.call("change_list", json!({})).await;
    assert_eq!(changes["total"], 1, "{changes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_edited_by_agent_and_hand() {
    let site = published().await;
    site.call("page_write", edit("a.md", "Text of A", "Agent's A")).await;
    let text = site.read("content/a.md").replace("Agent's", "Agent's and hand's");
    std::fs::write(site.path().join("content/a.md"), text).unwrap();
    let error = site.call_err_after_hand_edit("publish", json!({})).await;
    assert_eq!(error["code"], "hand_edits", "{error}");
    site.call("publish", json!({"hand_edits": true})).await;
    assert!(live(&site, "content/a.md").contains("Agent's and hand's A"));
    let log = site.git(&["log", "--format=%an %s", "--all"]);
    assert!(log.lines().count() >= 4, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn git_commit_am_by_hand() {
    let site = published().await;
    site.call("page_write", edit("b.md", "Text of B", "Agent's B")).await;
    std::fs::write(site.path().join("content/a.md"), "---\ntitle: A\n---\nBy hand.\n").unwrap();
    site.git(&["commit", "-q", "-am", "By hand"]);
    let error = site.call_err_after_hand_edit("publish", json!({})).await;
    assert_eq!(error["code"], "local_commits", "{error}");
    let reply = site.call("publish", json!({"local_commits": true, "hand_edits": true})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    assert!(live(&site, "content/a.md").contains("By hand"));
    assert!(live(&site, "content/b.md").contains("Agent's B"));
}

#[tokio::test(flavor = "multi_thread")]
async fn git_pull_by_hand() {
    let site = published().await;
    site.call("page_write", edit("b.md", "Text of B", "Agent's B")).await;
    site.elsewhere(|clone| {
        std::fs::write(clone.join("content/a.md"), "---\ntitle: A\n---\nFrom elsewhere.\n").unwrap();
    });
    site.git(&["pull", "-q", "--ff-only", "--autostash"]);
    site.call("page_write", edit("a.md", "From elsewhere", "Pulled and edited")).await;
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    assert!(live(&site, "content/a.md").contains("Pulled and edited"));
    assert!(live(&site, "content/b.md").contains("Agent's B"));
}

#[tokio::test(flavor = "multi_thread")]
async fn git_checkout_of_another_branch_by_hand() {
    let site = published().await;
    site.git(&["checkout", "-q", "-b", "feature"]);
    let error = site.call_err("page_write", edit("a.md", "Text", "New")).await;
    assert_eq!(error["code"], "repository_state", "{error}");
    assert!(error["hint"].as_str().unwrap().contains("main"), "{error}");
    site.git(&["checkout", "-q", "main"]);
    site.call("page_write", edit("a.md", "Text", "New")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_of_a_published_edit() {
    let site = published().await;
    let written = site.call("page_write", edit("a.md", "Text of A", "Mistake")).await;
    site.call("publish", json!({})).await;
    site.call("page_write", edit("b.md", "Text of B", "Later")).await;
    site.call("revision_restore", json!({"undo": [written["revision"]]})).await;
    site.assert_file("content/a.md", "---\ntitle: A\n---\nText of A.\n");
    site.assert_file("content/b.md", "---\ntitle: B\n---\nLater.\n");
    assert!(live(&site, "content/a.md").contains("Mistake"), "undo is unpublished at first");
    site.call("publish", json!({})).await;
    assert!(live(&site, "content/a.md").contains("Text of A"));
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_of_a_whole_publish() {
    let site = published().await;
    site.call("page_write", edit("a.md", "Text of A", "Mistake A")).await;
    site.call("page_write", edit("b.md", "Text of B", "Mistake B")).await;
    let reply = site.call("publish", json!({})).await;
    site.call("revision_restore", json!({"undo": [reply["revision"]]})).await;
    site.assert_file("content/a.md", "---\ntitle: A\n---\nText of A.\n");
    site.assert_file("content/b.md", "---\ntitle: B\n---\nText of B.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn discard_one_path_and_everything() {
    let site = published().await;
    site.call("page_write", edit("a.md", "Text of A", "New A")).await;
    let written = site.call("page_write", edit("b.md", "Text of B", "New B")).await;
    let etag = written["changed"][0]["etag"].clone();
    let stale = site.call_err("change_discard", json!({"paths": [{"path": "b.md", "etag": "0000000000"}]})).await;
    assert_eq!(stale["code"], "conflict", "{stale}");
    site.call("change_discard", json!({"paths": [{"path": "b.md", "etag": etag}]})).await;
    site.assert_file("content/b.md", "---\ntitle: B\n---\nText of B.\n");
    site.call("change_discard", json!({"paths": ["*"]})).await;
    site.assert_file("content/a.md", "---\ntitle: A\n---\nText of A.\n");
    assert_eq!(site.call("change_list", json!({})).await["total"], 0);
    // A discard is an edit like any other.
    site.call("revision_restore", json!({"undo": [written["revision"]]})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_and_restore() {
    let site = published().await;
    let read = site.call("page_get", json!({"paths": ["a.md"]})).await;
    let deleted =
        site.call("page_delete", json!({"pages": [{"path": "/a/", "if_match": read["pages"][0]["etag"]}]})).await;
    site.call("publish", json!({})).await;
    assert!(!site.path().join("public/a/index.html").exists());
    site.call("revision_restore", json!({"undo": [deleted["revision"]]})).await;
    site.assert_file("content/a.md", "---\ntitle: A\n---\nText of A.\n");
    site.call("publish", json!({})).await;
    assert!(live(&site, "public/a/index.html").contains("Text of A"));
}

#[tokio::test(flavor = "multi_thread")]
async fn move_then_publish_the_new_path_only() {
    let site = published().await;
    site.call("page_write", edit("b.md", "Text of B", "See [a](a.md).")).await;
    site.call("publish", json!({})).await;
    let moved = site.call("page_move", json!({"moves": [{"from": "/a/", "to": "new/place.md"}]})).await;
    assert!(moved.to_string().contains("/a/"), "{moved}");
    assert!(site.read("content/b.md").contains("(new/place.md)"), "{}", site.read("content/b.md"));
    let error = site.call_err("publish", json!({"paths": ["new/place.md"]})).await;
    assert_eq!(error["code"], "needs", "b.md still links to the old place: {error}");
    let needs = error["details"]["needs"][0].clone();
    site.call("publish", json!({"paths": ["new/place.md", needs]})).await;
    let files = site.git_remote(&["ls-tree", "-r", "--name-only", "main"]);
    assert!(!files.lines().any(|file| file == "content/a.md"), "both ends of a move travel together: {files}");
    assert!(live(&site, "public/a/index.html").contains("/new/place/"), "the old address redirects");
}

#[tokio::test(flavor = "multi_thread")]
async fn theme_edited_then_a_page_published() {
    let site = published().await;
    let theme = site.theme();
    let before = site.git_remote(&["rev-parse", "main:themes"]);
    let layout = format!("themes/{theme}/layouts/page.hbs");
    std::fs::write(site.path().join(&layout), site.read(&layout) + "<!-- by hand -->").unwrap();
    site.call("page_write", edit("a.md", "Text of A", "New A")).await;
    site.call("publish", json!({"paths": ["a.md"]})).await;
    assert_eq!(site.git_remote(&["rev-parse", "main:themes"]), before, "the theme did not travel");
    assert!(!live(&site, "public/a/index.html").contains("by hand"));
    assert!(site.read(&layout).ends_with("<!-- by hand -->"));
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_moved_without_conflict() {
    let site = published().await;
    site.call("page_write", edit("a.md", "Text of A", "Agent's A")).await;
    site.elsewhere(|clone| {
        std::fs::write(clone.join("content/a.md"), "---\ntitle: Their title\n---\nText of A.\n").unwrap();
    });
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    assert_eq!(live(&site, "content/a.md"), "---\ntitle: Their title\n---\nAgent's A.\n");
    site.assert_file("content/a.md", "---\ntitle: Their title\n---\nAgent's A.\n");
    assert_eq!(site.git(&["status", "--porcelain"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn conflict_resolved_in_one_write() {
    let site = published().await;
    site.call("page_write", edit("a.md", "Text of A", "Agent's A")).await;
    site.elsewhere(|clone| {
        std::fs::write(clone.join("content/a.md"), "---\ntitle: A\n---\nTheir A.\n").unwrap();
    });
    let error = site.call_err_but_fetched("publish", json!({})).await;
    assert_eq!(error["code"], "conflict", "{error}");
    let conflict = &error["details"]["conflicts"][0];
    assert!(conflict["base"]["text"].as_str().unwrap().contains("Text of A"), "{error}");
    assert!(conflict["ours"]["text"].as_str().unwrap().contains("Agent's A"), "{error}");
    assert!(conflict["theirs"]["text"].as_str().unwrap().contains("Their A"), "{error}");
    let theirs = conflict["theirs"]["etag"].clone();
    site.call("page_write", json!({"pages": [{"path": "a.md", "body": "Both.\n", "if_match": theirs}]})).await;
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    assert_eq!(live(&site, "content/a.md"), "---\ntitle: A\n---\nBoth.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_takes_in_what_the_remote_has() {
    let site = published().await;
    site.call("page_write", edit("b.md", "Text of B", "Agent's B")).await;
    site.elsewhere(|clone| {
        std::fs::write(clone.join("content/a.md"), "---\ntitle: A\n---\nFrom elsewhere.\n").unwrap();
    });
    let reply = site.call("site_sync", json!({})).await;
    assert!(reply.to_string().contains("a.md"), "{reply}");
    site.assert_file("content/a.md", "---\ntitle: A\n---\nFrom elsewhere.\n");
    site.assert_file("content/b.md", "---\ntitle: B\n---\nAgent's B.\n");
    assert_eq!(site.call("change_list", json!({})).await["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_remote_cannot_be_reached_and_the_publish_resumes() {
    let site = published().await;
    site.call("page_write", edit("a.md", "Text of A", "New A")).await;
    let remote = site.remote();
    let hidden = remote.with_extension("hidden");
    std::fs::rename(&remote, &hidden).unwrap();
    site.call_any("publish", json!({})).await;
    std::fs::rename(&hidden, &remote).unwrap();
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    assert!(live(&site, "content/a.md").contains("New A"));
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_twice_makes_no_second_commit() {
    let site = published().await;
    site.call("page_write", edit("a.md", "Text of A", "New A")).await;
    site.call("publish", json!({})).await;
    let before = site.git_remote(&["rev-parse", "main"]);
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply["unchanged"], true, "{reply}");
    assert_eq!(site.git_remote(&["rev-parse", "main"]), before);
    assert_eq!(site.git(&["status", "--porcelain"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_edit_stays_reachable_and_first_parent_is_the_publish_log() {
    let site = published().await;
    let first = site.call("page_write", edit("a.md", "Text of A", "One")).await;
    let second = site.call("page_write", edit("a.md", "One", "Two")).await;
    site.call("publish", json!({"message": "Second publish"})).await;
    let all = site.git_remote(&["log", "--format=%h", "--abbrev=10", "main"]);
    for written in [&first, &second] {
        assert!(all.contains(written["revision"].as_str().unwrap()), "{all}");
    }
    let publishes = site.git_remote(&["log", "--first-parent", "--format=%s", "main"]);
    assert_eq!(publishes.lines().next(), Some("Second publish"), "{publishes}");
    let fsck = Command::new("git").args(["fsck", "--strict"]).current_dir(site.remote()).output().unwrap();
    assert!(fsck.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_again_is_answered_with_the_first_receipt() {
    let site = published().await;
    let create =
        json!({"pages": [{"path": "new.md", "create": true, "front_matter": {"title": "New"}, "body": "x\n"}]});
    let first = site.call("page_write", create.clone()).await;
    let again = site.call("page_write", create).await;
    assert_eq!(first["revision"], again["revision"]);
    assert_eq!(again["repeated"], true, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_the_same_and_writes_nothing() {
    let site = published().await;
    let before = site.fingerprint();
    let mut arguments = edit("a.md", "Text of A", "New A");
    arguments["dry_run"] = json!(true);
    let plan = site.call("page_write", arguments.clone()).await;
    assert_eq!(site.fingerprint(), before);
    arguments["dry_run"] = json!(false);
    let done = site.call("page_write", arguments).await;
    assert_eq!(plan["changed"][0]["etag"], done["changed"][0]["etag"]);
    let before = site.fingerprint();
    let plan = site.call("publish", json!({"dry_run": true})).await;
    assert!(plan.to_string().contains("/a/"), "{plan}");
    assert_eq!(site.fingerprint(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_on_the_remote_is_decided_against_in_one_write() {
    let site = published().await;
    site.call("page_write", edit("a.md", "Text of A", "Agent's A")).await;
    site.elsewhere(|clone| std::fs::remove_file(clone.join("content/a.md")).unwrap());
    let error = site.call_err_but_fetched("publish", json!({})).await;
    assert_eq!(error["code"], "conflict", "{error}");
    let keep = json!({"pages": [{"path": "a.md", "body": "Kept.\n", "if_match": "*"}]});
    site.call("page_write", keep).await;
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    assert_eq!(live(&site, "content/a.md"), "---\ntitle: A\n---\nKept.\n");
}
