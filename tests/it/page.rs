//! Tests of page.

use serde_json::json;

use crate::harness::TestSite;

const PAGES: &str = "-- content/a.md --\n---\ntitle: A\ntags: [x]\nmood: calm\n---\nText.\n-- content/b.md --\n---\ntitle: B\naliases: [/old-b/]\n---\nSee [a](a.md).\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_list_shows_any_front_matter_key() {
    let site = TestSite::new(PAGES).await;
    let reply = site.call("page_list", json!({"fields": ["title", "mood", "tags"]})).await;
    let a = reply["items"].as_array().unwrap().iter().find(|item| item["path"] == "a.md").unwrap().clone();
    assert_eq!((&a["mood"], &a["tags"]), (&json!("calm"), &json!(["x"])), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_address_names_the_page_it_leads_to_first() {
    let site = TestSite::new(PAGES).await;
    let error = site.call_err("page_get", json!({"paths": ["/old-b/"]})).await;
    assert_eq!(error["details"]["near"][0], "/b/", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_named_by_url_or_content_path() {
    let site = TestSite::new(PAGES).await;
    for name in ["/a/", "/a", "a.md", "content/a.md", "@/a.md", "a", "https://example.org/a/"] {
        let reply = site.call("page_get", json!({"paths": [name]})).await;
        assert_eq!(reply["pages"][0]["path"], "a.md", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pages_by_selection() {
    let site = TestSite::new(PAGES).await;
    let select = json!({"select": {"glob": "*.md", "front_matter": {"author": "Ada"}}});
    let reply = site.call("page_write", select).await;
    assert_eq!(reply["changed"].as_array().unwrap().len(), 2, "{reply}");
    site.assert_file("content/a.md", "---\ntitle: A\ntags: [x]\nmood: calm\nauthor: Ada\n---\nText.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_changes_nothing_says_so() {
    let site = TestSite::new(PAGES).await;
    let before = site.fingerprint();
    let reply = site.call("page_write", json!({"pages": [{"path": "a.md", "front_matter": {"title": "A"}}]})).await;
    assert_eq!(reply["unchanged"], true, "{reply}");
    assert_eq!(site.fingerprint(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crlf_page_keeps_its_line_ends() {
    let site = TestSite::new(PAGES).await;
    std::fs::write(site.path().join("content/crlf.md"), "---\r\ntitle: C\r\n---\r\nOne.\r\nTwo.\r\n").unwrap();
    let edits = json!({"pages": [{"path": "crlf.md", "edits": [{"find": "One.\nTwo.", "replace": "1.\n2."}]}]});
    site.call("page_write", edits).await;
    site.assert_file("content/crlf.md", "---\r\ntitle: C\r\n---\r\n1.\r\n2.\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_names_the_links_that_break_and_can_redirect() {
    let site = TestSite::new(PAGES).await;
    let delete = json!({"pages": [{"path": "/a/", "if_match": "*"}], "redirect_to": "/b/"});
    let reply = site.call("page_delete", delete).await;
    assert!(reply["notes"].to_string().contains("b.md"), "{reply}");
    assert!(site.read("content/b.md").contains("/a/"), "the alias is on the target: {}", site.read("content/b.md"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_section_moves_with_its_pages_and_links_follow() {
    let text = "-- content/blog/_index.md --\n---\ntitle: Blog\n---\n-- content/blog/one.md --\n---\ntitle: One\n---\nTo [two](two.md) and [home](/blog/two/).\n-- content/blog/two.md --\n---\ntitle: Two\n---\nTwo.\n-- content/x.md --\n---\ntitle: X\n---\n[one](blog/one.md), [[Two]].\n";
    let site = TestSite::new(text).await;
    let reply = site.call("page_move", json!({"moves": [{"from": "/blog/", "to": "news/_index.md"}]})).await;
    let one = site.read("content/news/one.md");
    assert!(one.contains("/news/two/"), "{one}");
    assert!(one.contains("aliases: [/blog/one/]"), "{one}");
    assert!(site.read("content/x.md").contains("(news/one.md)"), "{}", site.read("content/x.md"));
    assert!(!site.path().join("content/blog").exists(), "{reply}");
    let findings = site.call("site_get", json!({})).await;
    assert_eq!(findings["diagnostics"], json!({}), "{findings}");
}

const WIKI: &str = "\
-- content/notes/_index.md --
---
title: Notes
---
-- content/notes/bread.md --
---
title: On bread
aliases: [/loaf/]
---
## How to bake

Text.
-- content/links.md --
---
title: Links
---
[[On bread]] bread [[bread]] [[notes/bread|the page]] [[bread#How to bake]] [[/loaf/]] [[notes/bread.md]].
";

#[tokio::test(flavor = "multi_thread")]
async fn wikilinks_lead_to_a_page_by_title_path_name_or_old_address_and_count_as_links() {
    let site = TestSite::new(WIKI).await;
    let reply = site.call("page_get", json!({"paths": ["notes/bread.md"], "include": ["backlinks"]})).await;
    assert_eq!(reply["pages"][0]["backlinks"][0]["path"], "links.md", "{reply}");
    let reply = site.call("page_get", json!({"paths": ["links.md"], "include": ["html", "diagnostics"]})).await;
    let html = reply["pages"][0]["html"].as_str().unwrap();
    assert_eq!(html.matches("href=\"/notes/bread/\"").count(), 5, "{html}");
    assert!(html.contains("href=\"/notes/bread/#how-to-bake\"") && html.contains(">the page</a>"), "{html}");
    assert_eq!(reply["pages"][0]["diagnostics"], json!([]), "{reply}");
    let broken = json!({"pages": [{"path": "links.md", "edits": [{"find": "[[On bread]]", "replace": "[[bred]] [[bread#Nope]]"}]}]});
    let reply = site.call("page_write", broken).await;
    let found = reply["diagnostics"].to_string();
    assert!(found.contains("broken_link") && found.contains("notes/bread.md"), "the near match is named: {found}");
    assert!(found.contains("broken_anchor"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_rewrites_wikilinks_that_name_a_place_and_leaves_titles() {
    let site = TestSite::new(WIKI).await;
    let moves = json!({"moves": [{"from": "notes/bread.md", "to": "food/loaves.md"}], "redirect": false});
    let reply = site.call("page_move", moves).await;
    let line = site.read("content/links.md").lines().last().unwrap().to_owned();
    assert_eq!(
        line,
        "[[On bread]] bread [[loaves]] [[food/loaves|the page]] [[loaves#How to bake]] [[/loaf/]] [[food/loaves.md]].",
        "{reply}"
    );
    let check = site.call("site_check", json!({"rules": ["links"]})).await;
    assert_eq!(check["total"], 0, "{check}");
    // A move that keeps the name keeps the short links.
    site.call("page_move", json!({"moves": [{"from": "food/loaves.md", "to": "loaves.md"}]})).await;
    let line = site.read("content/links.md").lines().last().unwrap().to_owned();
    assert!(line.contains("bread [[loaves]] [[loaves|the page]]"), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_glob_reads_the_pages_it_matches_each_once() {
    let site = TestSite::new(WIKI).await;
    let reply = site.call("page_get", json!({"paths": ["notes/*.md", "/notes/bread/"]})).await;
    let paths: Vec<&str> =
        reply["pages"].as_array().unwrap().iter().map(|page| page["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["notes/_index.md", "notes/bread.md"], "{reply}");
    assert_eq!(reply["pages"][1]["front_matter"]["title"], "On bread");
    let error = site.call_err("page_get", json!({"paths": ["nothing/*.md"]})).await;
    assert_eq!(error["details"]["field"], "paths", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_on_hold_stays_as_it_is_live_and_publish_says_so() {
    let site = TestSite::with_remote(WIKI).await;
    site.call("publish", json!({})).await;
    let edits = json!({"pages": [
        {"path": "notes/bread.md", "front_matter": {"hold": true}, "edits": [{"find": "Text.", "replace": "Not yet."}]},
        {"path": "links.md", "edits": [{"find": "bread [[", "replace": "Bread [["}]},
        {"path": "notes/new.md", "create": true, "front_matter": {"title": "New", "hold": true}, "body": "Later.\n"},
    ]});
    site.call("page_write", edits).await;
    let changes = site.call("change_list", json!({})).await;
    let held = changes["items"].as_array().unwrap().iter().filter(|item| item["hold"] == true).count();
    assert_eq!(held, 2, "{changes}");
    for name in ["notes/bread.md", "/notes/bread/"] {
        let error = site.call_err("publish", json!({"paths": [name]})).await;
        assert!(error["message"].as_str().unwrap().contains("on hold"), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("hold"), "{error}");
    }
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply["held"], json!({"count": 2, "first": ["notes/bread.md", "notes/new.md"]}), "{reply}");
    assert_eq!(reply["published"]["first"], json!(["links.md"]), "{reply}");
    assert_eq!(reply["unpublished"]["count"], 2, "{reply}");
    let live = site.git_remote(&["show", "main:content/notes/bread.md"]);
    assert!(live.contains("Text.") && !live.contains("hold"), "{live}");
    assert!(site.git_remote(&["show", "main:public/links/index.html"]).contains("Bread"));
    assert!(!site.git_remote(&["ls-tree", "-r", "--name-only", "main"]).contains("notes/new"));
    // With nothing but pages on hold there is nothing to publish, and a folder leaves them out.
    for arguments in [json!({}), json!({"paths": ["notes/"]})] {
        let reply = site.call("publish", arguments).await;
        assert_eq!((&reply["unchanged"], &reply["held"]["count"]), (&json!(true), &json!(2)), "{reply}");
    }
    let off = json!({"select": {"glob": "notes/*.md", "front_matter": {"hold": null}}});
    site.call("page_write", off).await;
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply.get("held"), None, "{reply}");
    assert!(site.git_remote(&["show", "main:content/notes/bread.md"]).contains("Not yet."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_page_on_hold_stays_live_at_its_old_place() {
    let site =
        TestSite::with_remote(&format!("{WIKI}-- content/notes/solo.md --\n---\ntitle: Solo\n---\nText.\n")).await;
    site.call("publish", json!({})).await;
    let hold = json!({"pages": [{"path": "notes/solo.md", "front_matter": {"hold": true}}]});
    site.call("page_write", hold).await;
    site.call("page_move", json!({"moves": [{"from": "notes/solo.md", "to": "notes/duet.md"}]})).await;
    let other =
        json!({"pages": [{"path": "other.md", "create": true, "front_matter": {"title": "Other"}, "body": "Text.\n"}]});
    site.call("page_write", other).await;
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply["published"]["first"], json!(["other.md"]), "{reply}");
    let live = site.git_remote(&["ls-tree", "-r", "--name-only", "main"]);
    assert!(live.contains("content/notes/solo.md") && !live.contains("content/notes/duet.md"), "{live}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_new_page_on_hold_is_told_how_to_go_on() {
    let site = TestSite::with_remote(WIKI).await;
    site.call("publish", json!({})).await;
    let pages = json!({"pages": [
        {"path": "notes/new.md", "create": true, "front_matter": {"title": "New", "hold": true}, "body": "Later.\n"},
        {"path": "links.md", "edits": [{"find": "bread [[", "replace": "[new](notes/new.md) [["}]},
    ]});
    site.call("page_write", pages).await;
    for arguments in [json!({}), json!({"paths": ["links.md"]})] {
        let error = site.call_err_but_fetched("publish", arguments).await;
        assert_eq!(error["code"], "invalid_arguments", "{error}");
        let text = error.to_string();
        assert!(text.contains("links.md needs notes/new.md, which is on hold"), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("hold"), "{error}");
    }
    let off = json!({"pages": [{"path": "notes/new.md", "front_matter": {"hold": null}}]});
    site.call("page_write", off).await;
    assert_eq!(site.call("publish", json!({})).await["pushed"]["ok"], true);
}
