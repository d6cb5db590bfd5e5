//! Taking back everything one client did since a moment.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use rmcp::model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation};
use rmcp::service::{RoleClient, RunningService};
use serde_json::{Value, json};

use crate::harness::TestSite;

const PAGES: &str = "\
-- content/_index.md --
---
title: Home
---
Welcome.
-- content/a.md --
---
title: A
---
One.

Two.

Three.
-- content/b.md --
---
title: B
---
Bee.
-- content/c.md --
---
title: C
---
Sea.
";
const START: &str = "2026-11-23T12:00:00Z";

type Client = RunningService<RoleClient, ClientConfig>;

async fn client(site: &TestSite, name: &str) -> Client {
    site.another(ClientConfig::new(ClientCapabilities::default(), Implementation::new(name.to_owned(), "2")), false)
        .await
}

async fn call(client: &Client, tool: &str, arguments: Value) -> Value {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    let result = client.call_tool(request).await.expect("an answer");
    assert_ne!(result.is_error, Some(true), "{tool}: {result:?}");
    result.structured_content.expect("a reply")
}

async fn edit(client: &Client, path: &str, find: &str, replace: &str) -> Value {
    let page = json!({"path": path, "edits": [{"find": find, "replace": replace}]});
    call(client, "page_write", json!({"pages": [page]})).await
}

fn back(by: &str, dry_run: bool) -> Value {
    json!({"by": by, "since": START, "dry_run": dry_run})
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_one_client_is_undone_as_one_revision_and_nothing_else() {
    let site = TestSite::with_remote(PAGES).await;
    let (rogue, good) = (client(&site, "rogue").await, client(&site, "good").await);
    call(&good, "publish", json!({})).await;
    edit(&rogue, "/a/", "One.", "Uno.").await;
    edit(&good, "/a/", "Three.", "Tre.").await;
    edit(&rogue, "/a/", "Uno.", "Uno, due.").await;
    edit(&rogue, "/b/", "Bee.", "Ape.").await;
    // Part of it is live already, and published by somebody else.
    call(&good, "publish", json!({"paths": ["/b/"]})).await;
    let page = json!({"path": "spam.md", "create": true, "front_matter": {"title": "Spam"}, "body": "Buy.\n"});
    call(&rogue, "page_write", json!({"pages": [page]})).await;
    call(&rogue, "page_move", json!({"moves": [{"from": "/c/", "to": "sea.md"}], "redirect": false})).await;
    let before = site.fingerprint();
    let dry = site.call("revision_restore", back("rogue", true)).await;
    assert_eq!(site.fingerprint(), before);
    let notes = dry["notes"].as_array().expect("notes").clone();
    assert_eq!(notes.len(), 5, "{dry}");
    assert!(notes.iter().all(|note| note.as_str().is_some_and(|note| note.starts_with("undoes "))), "{dry}");
    let done = site.call("revision_restore", back("rogue", false)).await;
    assert!(done["revision"].is_string(), "{done}");
    site.assert_file("content/a.md", "---\ntitle: A\n---\nOne.\n\nTwo.\n\nTre.\n");
    site.assert_file("content/b.md", "---\ntitle: B\n---\nBee.\n");
    site.assert_file("content/c.md", "---\ntitle: C\n---\nSea.\n");
    for gone in ["content/spam.md", "content/sea.md"] {
        assert!(!site.path().join(gone).exists(), "{gone}");
    }
    // Once is enough, and it can be undone as one.
    assert_eq!(site.call("revision_restore", back("rogue", false)).await["repeated"], true);
    let again = json!({"by": "rogue", "since": START, "message": "Once more"});
    assert_eq!(site.call("revision_restore", again).await["unchanged"], true);
    site.call("revision_restore", json!({"undo": [done["revision"]]})).await;
    assert!(site.read("content/a.md").contains("Uno, due.") && site.read("content/spam.md").contains("Buy."));
    let anew = json!({"by": "rogue", "since": START, "message": "After all"});
    assert_eq!(site.call("revision_restore", anew).await["changed"].as_array().map(Vec::len), Some(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_edit_of_another_that_overlaps_is_a_conflict_with_its_name() {
    let site = TestSite::new(PAGES).await;
    let rogue = client(&site, "rogue").await;
    edit(&rogue, "/b/", "Bee.", "Ape.").await;
    edit(&rogue, "/c/", "Sea.", "Ocean.").await;
    let page = json!({"path": "/b/", "edits": [{"find": "Ape.", "replace": "Ape, indeed."}]});
    site.call("page_write", json!({"pages": [page]})).await;
    for dry in [true, false] {
        let error = site.call_err("revision_restore", back("rogue", dry)).await;
        assert_eq!(
            (error["code"].as_str(), error["details"]["path"].as_str()),
            (Some("conflict"), Some("b.md")),
            "{error}"
        );
        assert_eq!(error["details"]["conflicts"].as_array().map(Vec::len), Some(1), "{error}");
    }
    assert!(site.read("content/c.md").contains("Ocean."));
}

#[tokio::test(flavor = "multi_thread")]
async fn hand_edits_count_by_their_author_and_time_bounds_what_is_meant() {
    let site = TestSite::new(PAGES).await;
    let rogue = client(&site, "rogue").await;
    edit(&rogue, "/b/", "Bee.", "Early.").await;
    site.set_time("2026-11-24T00:00:00Z");
    edit(&rogue, "/c/", "Sea.", "Late.").await;
    std::fs::write(site.path().join("content/a.md"), "---\ntitle: A\n---\nBy hand.\n").expect("written");
    let late = json!({"by": "ROGUE", "since": "2026-11-24"});
    site.call("revision_restore", late).await;
    assert!(site.read("content/b.md").contains("Early.") && site.read("content/c.md").contains("Sea."));
    let list = site.call("revision_list", json!({"limit": 10})).await;
    let of = |kind: &str| {
        list["items"].as_array().expect("items").iter().find(|item| item["kind"] == kind).expect(kind).clone()
    };
    assert_eq!(
        (of("hand_edit")["origin"].as_str(), of("hand_edit")["by"].as_str()),
        (Some("person"), Some("Ada")),
        "{list}"
    );
    assert_eq!(
        (of("edit")["origin"].as_str(), of("edit")["client"].as_str()),
        (Some("agent"), Some("test 1")),
        "{list}"
    );
    site.call("revision_restore", json!({"by": "ada@example.org", "since": START})).await;
    assert!(site.read("content/a.md").contains("Three."));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_by_that_name_and_half_an_order_are_refused() {
    let site = TestSite::new(PAGES).await;
    let rogue = client(&site, "rogue").await;
    edit(&rogue, "/b/", "Bee.", "Ape.").await;
    let error = site.call_err("revision_restore", back("rouge", false)).await;
    assert_eq!(
        (error["code"].as_str(), &error["details"]["near"]),
        (Some("not_found"), &json!(["rogue 2"])),
        "{error}"
    );
    for half in [
        json!({"by": "rogue"}),
        json!({"since": START}),
        json!({"by": " ", "since": START}),
        json!({"by": "rogue", "since": START, "undo": ["1234567"]}),
    ] {
        assert_eq!(site.call_err("revision_restore", half).await["code"], "invalid_arguments");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_merged_from_a_set_is_undone_and_what_was_discarded_is_not_looked_at() {
    let site = TestSite::new(PAGES).await;
    let rogue = client(&site, "rogue").await;
    for (how, path, find) in [("merge", "/b/", "Bee."), ("discard", "/c/", "Sea.")] {
        let set = call(&rogue, "change_open", json!({"purpose": how})).await["change_set"].clone();
        for word in ["First.", "Second."] {
            let old = if word == "First." { find } else { "First." };
            let page = json!({"path": path, "edits": [{"find": old, "replace": word}]});
            call(&rogue, "page_write", json!({"pages": [page], "change_set": set})).await;
        }
        site.call("change_close", json!({"change_set": set, "how": how})).await;
    }
    assert!(site.read("content/b.md").contains("Second."));
    let page = json!({"path": "/c/", "edits": [{"find": "Sea.", "replace": "See."}]});
    site.call("page_write", json!({"pages": [page]})).await;
    site.call("revision_restore", back("rogue", false)).await;
    assert!(site.read("content/b.md").contains("Bee.") && site.read("content/c.md").contains("See."));
}

/// Last week's version, without looking for its revision.
#[tokio::test(flavor = "multi_thread")]
async fn paths_are_brought_back_to_how_they_were_at_a_time() {
    let site = TestSite::with_remote(
        "-- content/a.md --\n---\ntitle: A\n---\nFirst.\n-- content/n/b.md --\n---\ntitle: B\n---\nFirst.\n",
    )
    .await;
    site.call("publish", json!({})).await;
    let write = |body: &str| {
        let page = |path: &str| json!({"path": path, "body": body, "if_match": "*"});
        json!({"pages": [page("a.md"), page("n/b.md")], "publish": true})
    };
    for (time, body) in [("2026-11-24T09:00:00Z", "Second.\n"), ("2026-11-26T09:00:00Z", "Third.\n")] {
        site.set_time(time);
        site.call("page_write", write(body)).await;
    }
    site.set_time("2026-11-30T09:00:00Z");
    site.call("page_write", json!({"pages": [{"path": "n/new.md", "create": true, "body": "New.\n"}]})).await;
    let back = json!({"at": "2026-11-25", "paths": ["/a/"], "publish": true});
    let written = site.call("revision_restore", back).await;
    assert_eq!(written["published"]["pushed"]["ok"], true, "{written}");
    assert!(site.git_remote(&["show", "main:content/a.md"]).ends_with("Second.\n"));
    assert!(site.read("content/n/b.md").ends_with("Third.\n"), "only what is named");
    // A folder comes back as it was then: what came later goes.
    let written = site.call("revision_restore", json!({"at": "2026-11-24T09:00:00Z", "paths": ["n/"]})).await;
    assert_eq!(written["changed"].as_array().map(Vec::len), Some(2), "{written}");
    assert!(site.read("content/n/b.md").ends_with("Second.\n") && !site.path().join("content/n/new.md").exists());
    site.call("revision_restore", json!({"undo": [written["revision"]]})).await;
    // A page that was not there yet is not deleted by a slip in the date.
    let error = site.call_err("revision_restore", json!({"at": "2026-11-25", "paths": ["/n/new/"]})).await;
    assert_eq!(error["code"], "not_found", "{error}");
    let error = site.call_err("revision_restore", json!({"at": "2020-01-01", "paths": ["/a/"]})).await;
    assert_eq!(error["code"], "not_found", "{error}");
    let error = site.call_err("revision_restore", json!({"at": "last-week", "paths": ["/a/"]})).await;
    assert_eq!(error["details"]["field"], "at", "{error}");
}
