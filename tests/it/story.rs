//! The eight requests that the operator of another CMS once made of its interface, each as a test that names it.

use serde_json::{Value, json};

use crate::harness::TestSite;

const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\nWelcome.\n-- content/about.md --\n---\ntitle: About\n---\nMon to Fri.\n-- content/blog/_index.md --\n---\ntitle: Blog\n---\n-- content/blog/hello.md --\n---\ntitle: Hello\ndate: 2026-11-01\n---\nSome words.\n";

/// Every file of the themes and the configuration, with its content.
fn design(site: &TestSite) -> Vec<(String, String)> {
    let state = site.fingerprint().into_iter();
    state.filter(|(path, _)| path.starts_with("themes/") || path == "site.yaml").collect()
}

/// Everything a test's caller can do to a page.
fn page_edits() -> Vec<(&'static str, Value)> {
    let moved = json!({"moves": [{"from": "/about/", "to": "us.md"}]});
    let created = json!({"path": "blog/new.md", "create": true, "front_matter": {"title": "New"}, "body": "New.\n"});
    vec![
        ("page_write", json!({"pages": [{"path": "/about/", "edits": [{"find": "Fri", "replace": "Sat"}]}]})),
        ("page_write", json!({"pages": [{"path": "/about/", "body": "All week.\n", "if_match": "*"}]})),
        ("page_write", json!({"pages": [{"path": "/blog/hello/", "front_matter": {"layout": "page", "theme": null}}]})),
        ("page_write", json!({"select": {"section": "blog", "front_matter": {"draft": false}}})),
        ("page_write", json!({"pages": [created]})),
        ("page_move", moved),
        ("page_delete", json!({"pages": [{"path": "/blog/new/", "if_match": "*"}]})),
    ]
}

/// Request 1: an update of a page reset the theme to blank defaults.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_edit_never_touches_the_theme() {
    let site = TestSite::new(SITE).await;
    site.call("theme_write", json!({"settings": {"accent": "teal", "footer_text": "Ours"}})).await;
    let before = design(&site);
    assert!(before.len() > 20, "{before:?}");
    for (tool, arguments) in page_edits() {
        let reply = site.call(tool, arguments).await;
        assert!(reply["revision"].is_string(), "{tool}: {reply}");
        for file in reply["changed"].as_array().expect("files") {
            let path = file["path"].as_str().expect("a path");
            assert!(!path.starts_with("themes/") && path != "site.yaml", "{tool}: {file}");
        }
        assert_eq!(design(&site), before, "{tool}");
    }
    let html = site.call("preview", json!({"pages": ["/"], "as": "html"})).await.to_string();
    assert!(html.contains("Ours"), "the theme's settings still show: {html}");
}

/// The same by construction: whatever a page's name is, a page tool cannot reach a theme's file or the configuration.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_tool_reaches_a_theme_file_by_any_name() {
    let site = TestSite::new(SITE).await;
    std::fs::write(site.path().join("themes/default/NOTES.md"), "A note.\n").expect("written");
    for path in ["themes/default/theme.yaml", "themes/default/NOTES.md", "../themes/default/NOTES.md", "site.yaml"] {
        for (tool, arguments) in [
            ("page_write", json!({"pages": [{"path": path, "body": "x\n", "if_match": "*"}]})),
            ("page_write", json!({"pages": [{"path": path, "edits": [{"find": "note", "replace": "x"}]}]})),
            ("page_delete", json!({"pages": [{"path": path, "if_match": "*"}]})),
            ("page_move", json!({"moves": [{"from": "/about/", "to": path}]})),
        ] {
            let before = design(&site);
            let (refused, reply) = site.answer(tool, arguments).await;
            // A move may lead there: below content/, as a page of that name.
            assert!(refused || tool == "page_move", "{tool} {path}: {reply}");
            assert_eq!(design(&site), before, "{tool} {path}");
        }
    }
}

/// Request 2: many pages go live in one call.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_published_in_one_call() {
    let site = TestSite::with_remote(SITE).await;
    site.call("publish", json!({})).await;
    let pages: Vec<Value> = ["/about/", "/blog/hello/", "/"]
        .iter()
        .map(|path| json!({"path": path, "front_matter": {"description": "One sentence."}}))
        .collect();
    site.call("page_write", json!({"pages": pages})).await;
    let reply = site.call("publish", json!({"paths": ["/about/", "/blog/hello/"], "message": "Two at once"})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    let changed = reply["urls"].to_string();
    assert!(changed.contains("/about/") && changed.contains("/blog/hello/"), "{reply}");
    let subjects = site.git_remote(&["log", "--first-parent", "--format=%s", "-2", "main"]);
    assert_eq!(subjects.lines().next(), Some("Two at once"), "one commit for both: {subjects}");
    let live = site.git_remote(&["show", "main:public/about/index.html"]);
    assert!(live.contains("One sentence."), "{live}");
}

/// Request 3: what is wrong is known before anything is live, of a page that was not there before, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_page_is_previewed_with_its_diagnostics_before_anything_is_live() {
    let site = TestSite::with_remote(SITE).await;
    site.call("publish", json!({})).await;
    let live = site.git_remote(&["rev-parse", "main"]);
    let page = json!({"path": "blog/new.md", "create": true, "front_matter": {"title": "Brand new"}, "body": "See [it](nowhere.md).\n"});
    // Not even a draft has to exist: a dry run renders the page and tells the same.
    let dry = site.call("page_write", json!({"pages": [page.clone()], "dry_run": true, "include": ["html"]})).await;
    assert!(dry["changed"][0]["html"].as_str().is_some_and(|html| html.contains("<a")), "{dry}");
    assert!(dry["diagnostics"].to_string().contains("broken_link"), "{dry}");
    assert!(!site.path().join("content/blog/new.md").exists());
    site.call("page_write", json!({"pages": [page]})).await;
    let preview = site.call("preview", json!({"pages": ["blog/new.md"], "only": true, "as": "html"})).await;
    assert!(preview["pages"][0].to_string().contains("<title>Brand new"), "the whole page with its theme: {preview}");
    assert!(preview["diagnostics"].to_string().contains("broken_link"), "{preview}");
    assert_eq!(site.git_remote(&["rev-parse", "main"]), live, "nothing is live yet");
    let refused = site.call_err("publish", json!({})).await;
    assert_eq!(refused["code"], "build_failed", "{refused}");
}

/// Request 4: a theme pinned to a version, and the site rendering with it until it is moved.
#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_theme_renders_until_it_is_moved() {
    let site = TestSite::with_remote(SITE).await;
    site.call("publish", json!({})).await;
    let pinned = site.call("theme_use", json!({"pin": "now"})).await;
    assert!(pinned["theme"].as_str().is_some_and(|theme| theme.starts_with("default@")), "{pinned}");
    assert_eq!(pinned["affected_urls"]["count"], 0, "the same files render the same pages: {pinned}");
    let edit = json!({"files": [{"path": "layouts/page.hbs", "text": "<p>BROKEN BY MISTAKE</p>", "if_match": "*"}]});
    let written = site.call("theme_write", edit).await;
    assert_eq!(written["affected_urls"]["count"], 0, "{written}");
    site.call("publish", json!({})).await;
    let live = site.git_remote(&["show", "main:public/about/index.html"]);
    assert!(live.contains("Mon to Fri.") && !live.contains("BROKEN"), "{live}");
    site.call("theme_use", json!({"pin": "now"})).await;
    site.call("publish", json!({})).await;
    assert!(site.git_remote(&["show", "main:public/about/index.html"]).contains("BROKEN"), "the pin was moved");
}

// Request 5, search and replace within a scope with a plan that execution is bound to: tests/it/text.rs.

/// Request 6: a page is named by its address, everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_done_by_url_path() {
    let site = TestSite::with_remote(SITE).await;
    site.call("publish", json!({})).await;
    let read = site.call("page_get", json!({"paths": ["/about/"]})).await;
    let etag = read["pages"][0]["etag"].clone();
    site.call("page_write", json!({"pages": [{"path": "/about/", "body": "Daily.\n", "if_match": etag}]})).await;
    let diff = site.call("change_diff", json!({"paths": ["/about/"]})).await;
    assert!(diff.to_string().contains("Daily."), "{diff}");
    site.call("preview", json!({"pages": ["/about/"], "as": "text"})).await;
    site.call("publish", json!({"paths": ["/about/"]})).await;
    let revisions = site.call("revision_list", json!({"paths": ["/about/"]})).await;
    assert!(revisions["items"].as_array().is_some_and(|items| items.len() >= 2), "{revisions}");
    site.call("page_move", json!({"moves": [{"from": "/blog/hello/", "to": "blog/bye.md"}]})).await;
    site.call("page_delete", json!({"pages": [{"path": "/blog/bye/", "if_match": "*"}], "redirect_to": "/blog/"}))
        .await;
    site.call("change_discard", json!({"paths": [{"path": "*"}]})).await;
    let id = revisions["items"].as_array().and_then(|items| items.iter().find(|item| item["kind"] == "edit"));
    let undone = site.call("revision_restore", json!({"undo": [id.expect("an edit")["id"]]})).await;
    assert_eq!(undone["changed"][0]["url"], "/about/", "{undone}");
    site.assert_file("content/about.md", "---\ntitle: About\n---\nMon to Fri.\n");
}

// Request 7, assets from a URL: tests/it/asset.rs.

/// Request 8: the rendered page is in the reply of a write, and of a read.
#[tokio::test(flavor = "multi_thread")]
async fn replies_carry_the_rendered_page() {
    let site = TestSite::new(SITE).await;
    let edit = json!({"pages": [{"path": "/about/", "body": "A *new* text.\n", "if_match": "*"}], "include": ["html"]});
    let written = site.call("page_write", edit).await;
    assert_eq!(written["changed"][0]["html"], "<p>A <em>new</em> text.</p>\n", "{written}");
    let read = site.call("page_get", json!({"paths": ["/about/"], "include": ["html"]})).await;
    assert_eq!(read["pages"][0]["html"], "<p>A <em>new</em> text.</p>\n", "{read}");
}
