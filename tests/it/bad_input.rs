//! Bad input gets a clear error, in the error shape, and nothing is lost: `call_err` itself asserts that disk and refs stay.

use serde_json::json;

use crate::harness::TestSite;

const PAGES: &str = "-- content/a.md --\n---\ntitle: A\ntags: [x]\n---\nOne line.\n\nTwo lines.\n\nOne line.\n-- content/b.md --\n---\ntitle: B\n---\nHello.\n";

fn write(path: &str, create: bool) -> serde_json::Value {
    json!({"pages": [{"path": path, "create": create, "body": "x\n", "if_match": "*"}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_may_not_be_named() {
    let site = TestSite::new(PAGES).await;
    for path in [
        "../outside.md",
        "content/../../outside.md",
        "/etc/passwd.md",
        "blog/../../x.md",
        ".git/hooks/x.md",
        "content/.git/x.md",
        ".GIT/x.md",
        "git~1/x.md",
        ".g\u{200c}it/x.md",
        "a\0b.md",
        "a\nb.md",
        "\u{202e}gpj.md",
        "CON.md",
        "nul.txt/x.md",
        "com1.md",
        "a:b.md",
        "a\\b.md",
        "C:\\x.md",
        "trailing./x.md",
        "trailing /x.md",
        "%2e%2e/x.md",
        ".hidden.md",
        "-rf.md",
        "\u{ff0e}\u{ff0e}/x.md",
    ] {
        let error = site.call_err("page_write", write(path, true)).await;
        assert!(["invalid_path", "invalid_arguments"].contains(&error["code"].as_str().unwrap()), "{path:?}: {error}");
        assert!(error["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{path:?}: {error}");
    }
    for path in ["../outside.md", ".git/config", "/../../etc/passwd"] {
        let error = site.call_err("page_get", json!({"paths": [path]})).await;
        assert!(["invalid_path", "not_found"].contains(&error["code"].as_str().unwrap()), "{path:?}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_collides_in_case_is_refused() {
    let site = TestSite::new(PAGES).await;
    let error = site.call_err("page_write", write("A.md", true)).await;
    assert!(error["message"].as_str().unwrap().contains("a.md"), "{error}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_through_a_symlink() {
    let site = TestSite::new(PAGES).await;
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), site.path().join("content/link")).unwrap();
    std::fs::write(outside.path().join("secret.md"), "secret").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.md"), site.path().join("content/s.md")).unwrap();
    site.call_err("page_write", write("link/x.md", true)).await;
    site.call_err("page_write", write("s.md", true)).await;
    site.call_err("page_get", json!({"paths": ["s.md"], "include": ["body"]})).await;
    assert!(!outside.path().join("x.md").exists());
    assert_eq!(std::fs::read_to_string(outside.path().join("secret.md")).unwrap(), "secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_yaml_names_file_line_column_and_fix() {
    let site =
        TestSite::new(&format!("{PAGES}-- content/broken.md --\n---\ntitle: ok\nsummary: a: b: c\n---\nText.\n")).await;
    let error =
        site.call_err("page_write", json!({"pages": [{"path": "broken.md", "front_matter": {"title": "new"}}]})).await;
    assert_eq!(error["code"], "invalid_front_matter", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("content/broken.md:3:"), "{message}");
    assert!(message.contains("summary: a: b: c"), "{message}");
    assert!(error["hint"].as_str().unwrap().to_lowercase().contains("quote"), "{error}");
    // The site goes on without it, and says so.
    let check = site.call("site_get", json!({})).await;
    assert!(check.to_string().contains("\"error\":1"), "{check}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_whose_find_is_missing_or_not_unique() {
    let site = TestSite::new(PAGES).await;
    let edit = |find: &str| json!({"pages": [{"path": "a.md", "edits": [{"find": find, "replace": "x"}]}]});
    let error = site.call_err("page_write", edit("Two linse.")).await;
    assert_eq!(error["code"], "edit_mismatch");
    assert_eq!(error["details"]["count"], 0);
    assert!(error["details"]["nearest"][0].as_str().unwrap().contains("Two lines."), "{error}");
    let error = site.call_err("page_write", edit("One line.")).await;
    assert_eq!(error["details"]["count"], 2);
    assert_eq!(error["details"]["nearest"].as_array().unwrap().len(), 2, "{error}");
    assert!(error["hint"].as_str().unwrap().contains("all"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_etag_answers_with_the_current_one_and_a_diff() {
    let site = TestSite::new(PAGES).await;
    let read = site.call("page_get", json!({"paths": ["a.md"]})).await;
    let etag = read["pages"][0]["etag"].clone();
    site.call(
        "page_write",
        json!({"pages": [{"path": "a.md", "edits": [{"find": "Two lines.", "replace": "2 lines."}]}]}),
    )
    .await;
    let error =
        site.call_err("page_write", json!({"pages": [{"path": "a.md", "body": "mine\n", "if_match": etag}]})).await;
    assert_eq!(error["code"], "conflict");
    let current = error["details"]["current"].as_str().unwrap();
    assert!(error["details"]["diff"].as_str().unwrap().contains("+2 lines."), "{error}");
    assert!(error["hint"].as_str().unwrap().contains(current), "{error}");
    site.call("page_write", json!({"pages": [{"path": "a.md", "body": "mine\n", "if_match": current}]})).await;
    site.assert_file("content/a.md", "---\ntitle: A\ntags: [x]\n---\nmine\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_body_needs_its_etag_and_a_new_page_says_create() {
    let site = TestSite::new(PAGES).await;
    let error = site.call_err("page_write", json!({"pages": [{"path": "a.md", "body": "x"}]})).await;
    assert!(error["message"].as_str().unwrap().contains("if_match"), "{error}");
    let error = site.call_err("page_write", json!({"pages": [{"path": "/aa/", "body": "x"}]})).await;
    assert_eq!(error["code"], "not_found");
    assert!(error["hint"].as_str().unwrap().contains("/a/"), "{error}");
    let error = site.call_err("page_write", json!({"pages": [{"path": "a.md", "body": "x", "create": true}]})).await;
    assert_eq!(error["code"], "already_exists");
    let error = site.call_err("page_write", json!({"pages": [{"path": "/new/", "body": "x", "create": true}]})).await;
    assert!(error["message"].as_str().unwrap().contains(".md"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_of_a_call_or_none() {
    let site = TestSite::new(PAGES).await;
    let pages = json!([
        {"path": "b.md", "front_matter": {"title": "changed"}},
        {"path": "a.md", "edits": [{"find": "nowhere", "replace": "x"}]},
    ]);
    site.call_err("page_write", json!({"pages": pages})).await;
    site.assert_file("content/b.md", "---\ntitle: B\n---\nHello.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_that_fail_recurse_or_name_what_is_missing() {
    let site = TestSite::new(PAGES).await;
    for (name, text) in [
        ("missing", "{{> nowhere}}"),
        ("fails", "{{#if}}"),
        ("helper", "{{no_such_helper 1}}"),
        ("loops", "{{> self}}"),
    ] {
        let theme = site.theme();
        std::fs::write(site.path().join(format!("themes/{theme}/partials/self.hbs")), "{{#if page}}{{> self}}{{/if}}")
            .unwrap();
        std::fs::write(site.path().join(format!("themes/{theme}/layouts/{name}.hbs")), text).unwrap();
        let error = site
            .call_err_after_hand_edit(
                "page_write",
                json!({"pages": [{"path": "b.md", "front_matter": {"layout": name}}]}),
            )
            .await;
        assert_eq!(error["code"], "build_failed", "{name}: {error}");
        assert!(
            error["message"].as_str().unwrap().contains(&format!("{name}.hbs")) || error.to_string().contains(".hbs"),
            "{error}"
        );
    }
    // The server is still there.
    site.call("page_list", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_over_the_size_limit() {
    let site = TestSite::new(PAGES).await;
    let body = "word ".repeat(500_000);
    let error = site.call_err("page_write", json!({"pages": [{"path": "a.md", "body": body, "if_match": "*"}]})).await;
    assert_eq!(error["code"], "too_large", "{}", error["message"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_300_kilobyte_page_is_fine() {
    let site = TestSite::new(PAGES).await;
    let body = "A line of *text* with [a link](b.md) and `code`.\n\n".repeat(6_200);
    let reply = site.call("page_write", json!({"pages": [{"path": "big.md", "create": true, "body": body}]})).await;
    assert!(reply["revision"].is_string(), "{reply}");
    assert!(reply.to_string().len() < 20_000, "the reply repeats the page");
}
