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
