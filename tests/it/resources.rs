//! Resources, templates, completion and prompts, through real clients of both eras.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use rmcp::model::{
    GetPromptRequestParams, PaginatedRequestParams, ReadResourceRequestParams, Resource, ResourceContents,
};
use rmcp::service::{RoleClient, RunningService, ServiceError};
use serde_json::{Value, json};

use super::harness::TestSite;

const SITE: &str = "\
-- content/_index.md --
---
title: Home
---
-- content/blog/_index.md --
---
title: Blog
---
-- content/blog/hello.md --
---
title: Hello
---
First.
-- content/blog/ä b.md --
---
title: Odd
---
Odd.
-- data/people.yaml --
- Ada
";

async fn read<C: rmcp::Service<RoleClient>>(
    client: &RunningService<RoleClient, C>,
    uri: &str,
) -> Result<String, ServiceError> {
    let result = client.peer().read_resource_once(ReadResourceRequestParams::new(uri)).await?;
    let rmcp::model::ReadResourceResponse::Complete(result) = result else { panic!("{uri}: not complete") };
    assert_eq!(result.contents.len(), 1, "{uri}");
    match &result.contents[0] {
        ResourceContents::TextResourceContents { uri: named, text, mime_type, .. } => {
            assert_eq!(named, uri);
            assert!(mime_type.is_some(), "{uri}");
            Ok(text.clone())
        }
        other => panic!("{uri}: {other:?}"),
    }
}

async fn all(site: &TestSite) -> Vec<Resource> {
    site.client().peer().list_all_resources().await.expect("a list")
}

#[tokio::test]
async fn what_is_listed_can_be_read_as_it_is_on_disk() {
    let site = TestSite::new(SITE).await;
    let listed = all(&site).await;
    let names: BTreeSet<&str> = listed.iter().map(|one| one.name.as_str()).collect();
    for wanted in ["unpublished.diff", "site.yaml", "content/_index.md", "content/blog/hello.md", "content/blog/ä b.md"]
    {
        assert!(names.contains(wanted), "{wanted}: {names:?}");
    }
    assert!(names.iter().any(|name| name.starts_with("themes/default/layouts/")), "{names:?}");
    assert_eq!(names.len(), listed.len(), "each once");
    for one in listed.iter().filter(|one| one.name != "unpublished.diff") {
        let text = read(site.client(), &one.uri).await.unwrap_or_else(|error| panic!("{}: {error}", one.uri));
        assert_eq!(text, site.read(&one.name), "{}", one.uri);
        assert_eq!(one.size, Some(text.len() as u64), "{}", one.uri);
        assert!(one.uri.is_ascii() && one.mime_type.is_some(), "{one:?}");
    }
    let hello = listed.iter().find(|one| one.name == "content/blog/hello.md").expect("listed");
    assert_eq!(hello.uri, "site:///content/blog/hello.md");
    assert_eq!(hello.title.as_deref(), Some("Hello"));
    assert_eq!(hello.description.as_deref(), Some("/blog/hello/"));
    assert_eq!(hello.mime_type.as_deref(), Some("text/markdown"));
    assert_eq!(read(site.client(), "site:///data/people.yaml").await.expect("not listed, but there"), "- Ada\n");
}

#[tokio::test]
async fn a_long_list_comes_in_parts_that_hold_each_once() {
    let pages =
        (0..1_100).map(|n| format!("-- content/n/{n:04}.md --\n---\ntitle: N\n---\n")).collect::<Vec<_>>().concat();
    let site = TestSite::new(&pages).await;
    let first = site.client().peer().list_resources(None).await.expect("a list");
    assert!(first.resources.len() <= 501 && first.next_cursor.is_some());
    let cursor = first.next_cursor.clone();
    let mut request = PaginatedRequestParams::default();
    request.cursor = cursor;
    let second = site.client().peer().list_resources(Some(request)).await.expect("a list");
    let overlap = second.resources.iter().any(|one| first.resources.iter().any(|other| other.uri == one.uri));
    assert!(!overlap);
    let listed = all(&site).await;
    let pages: BTreeSet<&str> =
        listed.iter().map(|one| one.name.as_str()).filter(|n| n.starts_with("content/n/")).collect();
    assert_eq!(pages.len(), 1_100);
    let mut request = PaginatedRequestParams::default();
    request.cursor = Some("42".into());
    assert!(site.client().peer().list_resources(Some(request)).await.is_err());
}

#[tokio::test]
async fn what_is_not_there_or_not_ours_is_not_found() {
    let site = TestSite::new(SITE).await;
    std::fs::write(site.path().join("secret.txt"), "secret").expect("written");
    let modern = site.another((), true).await;
    for uri in [
        "site:///content/nowhere.md",
        "site:///secret.txt",
        "site:///.git/config",
        "site:///../site/site.yaml",
        "site:///%2e%2e/site/site.yaml",
        "site:////etc/passwd",
        "file:///etc/passwd",
        "site:///content",
        "site:///",
        "nonsense",
        "",
    ] {
        let old = read(site.client(), uri).await.expect_err(uri);
        let new = read(&modern, uri).await.expect_err(uri);
        for (error, code) in [(old, -32002), (new, -32602)] {
            let ServiceError::McpError(error) = error else { panic!("{uri}: {error}") };
            assert_eq!(error.code.0, code, "{uri}: {error:?}");
            assert_eq!(error.data, Some(json!({"uri": uri})));
        }
    }
}

#[tokio::test]
async fn assets_come_as_text_bytes_or_facts() {
    let site = TestSite::new(SITE).await;
    std::fs::create_dir_all(site.path().join("static/img")).expect("a folder");
    let write = |path: &str, bytes: &[u8]| std::fs::write(site.path().join(path), bytes).expect("written");
    write("static/robots-extra.txt", b"User-agent: *\n");
    write("static/img/dot.png", &[0x89, b'P', b'N', b'G', 0, 0xff]);
    write("content/blog/photo.jpg", &vec![0xff; 2 << 20]);
    write("data/long.yaml", "x".repeat(2 << 20).as_bytes());
    let listed = all(&site).await;
    let names: BTreeSet<&str> = listed.iter().map(|one| one.name.as_str()).collect();
    for wanted in ["static/robots-extra.txt", "static/img/dot.png", "content/blog/photo.jpg", "data/people.yaml"] {
        assert!(names.contains(wanted), "{wanted}: {names:?}");
    }
    let dot = listed.iter().find(|one| one.name == "static/img/dot.png").expect("listed");
    assert_eq!((dot.mime_type.as_deref(), dot.description.as_deref()), (Some("image/png"), Some("/img/dot.png")));
    assert_eq!(read(site.client(), "site:///static/robots-extra.txt").await.expect("text"), "User-agent: *\n");
    let request = ReadResourceRequestParams::new("site:///static/img/dot.png");
    let answer = site.client().peer().read_resource_once(request).await.expect("it is there");
    let rmcp::model::ReadResourceResponse::Complete(result) = answer else { panic!("not complete") };
    let ResourceContents::BlobResourceContents { blob, mime_type, .. } = &result.contents[0] else {
        panic!("{:?}", result.contents)
    };
    assert_eq!((blob.as_str(), mime_type.as_deref()), ("iVBORwD/", Some("image/png")));
    let facts = read(site.client(), "site:///content/blog/photo.jpg").await.expect("what it is");
    let facts: Value = serde_json::from_str(&facts).expect("JSON");
    assert_eq!((&facts["bytes"], &facts["type"]), (&json!(2 << 20), &json!("image/jpeg")), "{facts}");
    let error = read(site.client(), "site:///data/long.yaml").await.expect_err("a text is read in parts").to_string();
    assert!(error.contains("limit"), "{error}");
    let words = site.client().peer().complete_resource_simple("site:///{+path}", "path", "static/img/").await;
    assert_eq!(words.expect("completions"), ["static/img/dot.png"]);
}

#[tokio::test]
async fn of_a_pinned_theme_both_folders_are_listed() {
    let site = TestSite::new(SITE).await;
    let name = site.call("theme_use", json!({"pin": "now"})).await["theme"].as_str().expect("a name").to_owned();
    let listed = all(&site).await;
    for folder in ["default", &name] {
        let path = format!("themes/{folder}/layouts/page.hbs");
        let one = listed.iter().find(|one| one.name == path).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(read(site.client(), &one.uri).await.expect("text"), site.read(&path));
    }
}

#[tokio::test]
async fn the_difference_follows_edits_and_is_empty_once_they_are_live() {
    let site = TestSite::with_remote(SITE).await;
    let uri = "site:///unpublished.diff";
    site.call("publish", json!({})).await;
    assert_eq!(read(site.client(), uri).await.expect("text"), "");
    let edit = json!({"pages": [{"path": "blog/hello.md", "edits": [{"find": "First.", "replace": "Second."}]},
        {"path": "new.md", "create": true, "body": "New.\n"}]});
    site.call("page_write", edit).await;
    let diff = read(site.client(), uri).await.expect("text");
    for line in
        ["--- a/content/blog/hello.md", "+++ b/content/blog/hello.md", "-First.", "+Second.", "--- /dev/null", "+New."]
    {
        assert!(diff.lines().any(|found| found == line), "{line}: {diff}");
    }
    site.call("publish", json!({})).await;
    assert_eq!(read(site.client(), uri).await.expect("text"), "");
}

#[tokio::test]
async fn templates_and_prompts_complete_paths() {
    let site = TestSite::new(SITE).await;
    let edit = json!({"pages": [{"path": "blog/hello.md", "edits": [{"find": "First.", "replace": "Second."}]}]});
    site.call("page_write", edit).await;
    let templates = site.client().peer().list_all_resource_templates().await.expect("templates");
    let uris: Vec<&str> = templates.iter().map(|template| template.uri_template.as_str()).collect();
    assert_eq!(
        uris,
        ["site:///content/{+path}", "site:///themes/{+path}", "site:///{+path}", "site:///improve/{+path}"]
    );
    let peer = site.client().peer();
    let of_template = async |template: &str, word: &str| -> Vec<String> {
        peer.complete_resource_simple(template, "path", word)
            .await
            .unwrap_or_else(|error| panic!("{template}: {error}"))
    };
    assert_eq!(of_template(uris[0], "blog/h").await, ["blog/hello.md"]);
    assert_eq!(of_template(uris[0], "HELLO").await, ["blog/hello.md"], "what holds the word is found too");
    assert_eq!(of_template(uris[0], "/blog/hel").await, ["blog/hello.md"], "a URL path finds its file");
    assert!(of_template(uris[1], "default/layouts/").await.iter().all(|path| path.starts_with("default/layouts/")));
    assert_eq!(of_template(uris[2], "site.").await, ["site.yaml"]);
    assert!(of_template(uris[2], "nothing like this").await.is_empty());
    let of_prompt = async |prompt: &str, argument: &str, word: &str| -> Vec<String> {
        peer.complete_prompt_simple(prompt, argument, word).await.unwrap_or_else(|error| panic!("{prompt}: {error}"))
    };
    assert_eq!(of_prompt("write_page", "page", "/blog/hel").await, ["/blog/hello/"]);
    assert_eq!(of_prompt("write_page", "page", "blog/hel").await, ["blog/hello.md"]);
    assert_eq!(of_prompt("write_page", "section", "b").await, ["blog"]);
    assert_eq!(of_prompt("review_changes", "path", "").await, ["blog/hello.md"]);
    assert!(of_prompt("write_page", "about", "x").await.is_empty());
    assert!(of_prompt("nonsense", "x", "").await.is_empty());
    assert!(of_template("site:///{x}", "").await.is_empty());
}

#[tokio::test]
async fn more_completions_than_fit_are_counted() {
    let pages =
        (0..150).map(|n| format!("-- content/n/{n:03}.md --\n---\ntitle: N\n---\n")).collect::<Vec<_>>().concat();
    let site = TestSite::new(&pages).await;
    let peer = site.client().peer();
    let info =
        peer.complete_resource_argument("site:///content/{+path}", "path", "n/", None).await.expect("completions");
    assert_eq!((info.values.len(), info.total, info.has_more), (100, Some(150), Some(true)));
}

fn arguments(value: &Value) -> rmcp::model::JsonObject {
    value.as_object().expect("an object").clone()
}

#[tokio::test]
async fn prompts_say_what_to_do_and_refuse_what_they_do_not_know() {
    let site = TestSite::new(SITE).await;
    let peer = site.client().peer();
    let prompts = peer.list_all_prompts().await.expect("prompts");
    let names: Vec<&str> = prompts.iter().map(|prompt| prompt.name.as_str()).collect();
    assert_eq!(names, ["write_page", "review_changes", "reflect", "improvement_brief", "verify_release"]);
    let get = async |name: &str, given: Value| {
        let request = GetPromptRequestParams::new(name).with_arguments(arguments(&given));
        let answer = peer.get_prompt_once(request).await?;
        let rmcp::model::GetPromptResponse::Complete(result) = answer else { panic!("{name}: not complete") };
        assert_eq!(result.messages.len(), 1);
        Ok::<String, ServiceError>(result.messages[0].content.as_text().expect("text").text.clone())
    };
    let new = get("write_page", json!({"about": "bread & salt", "section": "blog"})).await.expect("a prompt");
    for part in ["bread & salt", "section blog", "create: true", "Do not publish"] {
        assert!(new.contains(part), "{part}: {new}");
    }
    let again = get("write_page", json!({"about": "shorter", "page": "/blog/hello/"})).await.expect("a prompt");
    assert!(again.contains("/blog/hello/") && again.contains("if_match") && !again.contains("create: true"), "{again}");
    let review = get("review_changes", json!({"path": "blog/"})).await.expect("a prompt");
    assert!(review.contains("paths: [\"blog/\"]") && review.len() < 1_500, "{review}");
    // What the prompts name exists.
    let tools = site.client().peer().list_all_tools().await.expect("tools");
    for text in [&new, &again, &review] {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in
            words.filter(|word| ["page_", "change_", "site_", "asset_"].iter().any(|noun| word.starts_with(noun)))
        {
            assert!(tools.iter().any(|tool| tool.name == word), "{word}");
        }
    }
    for (name, given) in [
        ("write_page", json!({})),
        ("write_page", json!({"about": "x", "subject": "y"})),
        ("write_page", json!({"about": 4})),
        ("write_page", json!({"about": "x".repeat(5_000)})),
        ("nonsense", json!({})),
    ] {
        let error = get(name, given.clone()).await.expect_err(name);
        let ServiceError::McpError(error) = error else { panic!("{given}: {error}") };
        assert_eq!(error.code.0, -32602, "{given}");
        assert!(error.message.len() < 500, "{}", error.message);
    }
}

#[tokio::test]
async fn answers_say_how_long_they_hold() {
    let site = TestSite::new(SITE).await;
    let modern = site.another((), true).await;
    let list = modern.peer().list_resources(None).await.expect("a list");
    assert_eq!(list.ttl_ms, Some(0), "pages come and go");
    let prompts = modern.peer().list_prompts(None).await.expect("a list");
    assert!(prompts.ttl_ms.is_some_and(|ttl| ttl >= 60_000) && prompts.cache_scope.is_some());
}
