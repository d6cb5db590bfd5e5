//! Named change sets: several agents and a person beside each other, each with edits of their own.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use sitewright::model::{Diagnostic, OutputData, Outputs, Snapshot};
use sitewright::site::preview::Host;

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
";

fn body(text: &str, find: &str, replace: &str) -> Value {
    json!({"path": text, "edits": [{"find": find, "replace": replace}]})
}

/// A site that is live once.
async fn live() -> TestSite {
    let site = TestSite::with_remote(PAGES).await;
    let first = site.call("publish", json!({})).await;
    assert_eq!(first["pushed"]["ok"], true, "{first}");
    site
}

async fn open(site: &TestSite, purpose: &str) -> String {
    let opened = site.call("change_open", json!({"purpose": purpose})).await;
    opened["change_set"].as_str().expect("an id").to_owned()
}

async fn write(site: &TestSite, set: &str, page: Value) -> Value {
    site.call("page_write", json!({"pages": [page], "change_set": set})).await
}

async fn read(site: &TestSite, set: &str, path: &str) -> String {
    let page = site.call("page_get", json!({"paths": [path], "include": ["body"], "change_set": set})).await;
    page["pages"][0]["body"].as_str().expect("a body").to_owned()
}

fn remote_file(site: &TestSite, path: &str) -> String {
    site.git_remote(&["show", &format!("main:{path}")])
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_in_a_set_touch_neither_the_working_tree_nor_another_set() {
    let site = live().await;
    let (one, two) = (open(&site, "Spring prices").await, open(&site, "Spring prices too").await);
    assert_ne!(one, two);
    assert!(one.starts_with("spring-prices-"), "{one}");
    let before = site.fingerprint();
    let written = write(&site, &one, body("/a/", "One.", "One, by one.")).await;
    assert!(written["revision"].is_string(), "{written}");
    write(&site, &two, body("/a/", "One.", "One, by two.")).await;
    write(&site, &two, json!({"path": "new.md", "create": true, "front_matter": {"title": "New"}, "body": "New."}))
        .await;
    let after = site.fingerprint();
    let changed: Vec<&String> =
        after.keys().chain(before.keys()).filter(|name| before.get(*name) != after.get(*name)).collect();
    assert!(changed.iter().all(|name| name.starts_with("ref site refs/sitewright/cs/")), "{changed:?}");
    assert_eq!(site.git(&["status", "--porcelain"]), "");
    assert!(read(&site, &one, "/a/").await.contains("by one"));
    assert!(read(&site, &two, "/a/").await.contains("by two"));
    assert!(read(&site, "working", "/a/").await.contains("One.\n"));
    let missing = site.call_err("page_get", json!({"paths": ["/new/"], "change_set": one})).await;
    assert_eq!(missing["code"], "not_found");
    let list = site.call("change_list", json!({})).await;
    assert_eq!(list["total"], 0, "{list}");
    let sets: Vec<(&str, u64)> = list["change_sets"]
        .as_array()
        .expect("sets")
        .iter()
        .map(|set| (set["change_set"].as_str().expect("an id"), set["paths"].as_u64().expect("a count")))
        .collect();
    let mut wanted = vec![(one.as_str(), 1), (two.as_str(), 2)];
    wanted.sort_unstable();
    let mut sorted = sets.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, wanted);
    assert_eq!(list["change_sets"][0]["purpose"], "Spring prices");
    assert_eq!(list["change_sets"][0]["client"], "test 1");
    let own = site.call("change_list", json!({"change_set": two})).await;
    assert_eq!((own["total"].as_u64(), own["items"][0]["path"].as_str()), (Some(2), Some("a.md")), "{own}");
    assert!(own.get("change_sets").is_none());
    let diff = site.call("change_diff", json!({"change_set": one})).await;
    assert!(diff["items"][0]["diff"].as_str().is_some_and(|diff| diff.contains("+One, by one.")), "{diff}");
    let overview = site.call("site_get", json!({"include": ["changes"]})).await;
    assert_eq!(overview["changes"]["change_sets"].as_array().map(Vec::len), Some(2), "{overview}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_set_is_refused_with_near_names() {
    let site = live().await;
    let set = open(&site, "Spring prices").await;
    let slip = set.replace("spring", "sprign");
    for name in [slip.as_str(), "spring-prices"] {
        let error = site.call_err("page_write", json!({"pages": [body("/a/", "One", "1")], "change_set": name})).await;
        assert_eq!(error["code"], "not_found", "{error}");
        assert_eq!(error["details"]["near"], json!([set]), "{error}");
    }
    for name in ["../../heads/main", "WORKING", "x/y", "no such thing at all"] {
        let error = site.call_err("change_list", json!({"change_set": name})).await;
        assert_eq!(error["code"], "not_found", "{error}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("change_list")), "{error}");
    }
    assert_eq!(site.call("change_list", json!({"change_set": "working"})).await["total"], 0);
    let empty = site.call_err("change_open", json!({"purpose": "  "})).await;
    assert_eq!(empty["details"]["field"], "purpose");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_published_alone_and_closed() {
    let site = live().await;
    let set = open(&site, "Fix A").await;
    write(&site, &set, body("/a/", "One.", "Uno.")).await;
    write(&site, &set, body("/a/", "Two.", "Due.")).await;
    site.call("page_write", json!({"pages": [body("/b/", "Bee.", "Not yet.")]})).await;
    std::fs::write(site.path().join("content/a.md"), "---\ntitle: A\n---\nOne.\n\nTwo.\n\nThree, by hand.\n")
        .expect("written");
    let dry = site.call("publish", json!({"change_set": set, "dry_run": true})).await;
    assert_eq!(dry["published"], json!({"count": 1, "first": ["a.md"]}), "{dry}");
    let done = site.call("publish", json!({"change_set": set, "message": "A is fixed"})).await;
    assert_eq!(
        (done["pushed"]["ok"].as_bool(), done["change_set_closed"].as_bool()),
        (Some(true), Some(true)),
        "{done}"
    );
    assert_eq!(done["published"], json!({"count": 1, "first": ["a.md"]}), "{done}");
    let live = remote_file(&site, "content/a.md");
    assert!(live.contains("Uno.") && live.contains("Due.") && live.contains("Three.\n"), "{live}");
    assert!(remote_file(&site, "public/a/index.html").contains("Uno."));
    assert!(remote_file(&site, "content/b.md").contains("Bee."));
    // The working tree took it in: the person's line and the other page are as they were, unpublished.
    site.assert_file("content/a.md", "---\ntitle: A\n---\nUno.\n\nDue.\n\nThree, by hand.\n");
    assert!(site.read("content/b.md").contains("Not yet."));
    let left = site.call("change_list", json!({})).await;
    assert_eq!(left["total"], 2, "{left}");
    assert!(left.get("change_sets").is_none());
    assert_eq!(left["items"][0]["hand_edit"], true, "{left}");
    let gone = site.call_err("publish", json!({"change_set": set})).await;
    assert_eq!(gone["code"], "not_found");
    // Every edit stays a revision of its own.
    let history = site.call("revision_list", json!({"paths": ["/a/"]})).await.to_string();
    assert!(history.contains("\"tool\":\"page_write\"") && history.contains("A is fixed"), "{history}");
    assert!(site.git(&["log", "-1", "--format=%B", "origin/main"]).contains(&format!("Change-Set: {set}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_set_is_published_and_the_rest_starts_anew() {
    let site = live().await;
    let set = open(&site, "Two pages").await;
    write(&site, &set, body("/a/", "One.", "Uno.")).await;
    let second = write(&site, &set, body("/b/", "Bee.", "Ape.")).await;
    let done = site.call("publish", json!({"change_set": set, "paths": ["/a/"]})).await;
    assert!(done.get("change_set_closed").is_none(), "{done}");
    assert_eq!(done["unpublished"], json!({"count": 1, "first": ["b.md"]}), "{done}");
    assert!(remote_file(&site, "content/b.md").contains("Bee."));
    let list = site.call("change_list", json!({"change_set": set})).await;
    assert_eq!((list["total"].as_u64(), list["items"][0]["path"].as_str()), (Some(1), Some("b.md")), "{list}");
    // Ids of before go on working.
    site.call("revision_restore", json!({"undo": [second["revision"]], "change_set": set, "dry_run": true})).await;
    let done = site.call("publish", json!({"change_set": set})).await;
    assert_eq!(done["change_set_closed"], true, "{done}");
    assert!(remote_file(&site, "content/b.md").contains("Ape."));
    assert_eq!(site.git(&["status", "--porcelain"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_remote_a_set_goes_live_too() {
    let site = TestSite::new(PAGES).await;
    site.call("publish", json!({})).await;
    let set = open(&site, "Fix A").await;
    write(&site, &set, body("/a/", "One.", "Uno.")).await;
    site.call("page_write", json!({"pages": [body("/b/", "Bee.", "Not yet.")]})).await;
    let done = site.call("publish", json!({"change_set": set})).await;
    assert_eq!(done["change_set_closed"], true, "{done}");
    assert!(site.git(&["show", "main:content/a.md"]).contains("Uno."));
    assert!(site.git(&["show", "main:content/b.md"]).contains("Bee."));
    assert!(site.read("content/a.md").contains("Uno.") && site.read("content/b.md").contains("Not yet."));
    assert!(site.read("public/a/index.html").contains("Uno."));
    assert_eq!(site.git(&["status", "--porcelain"]).trim(), "M content/b.md");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_into_the_working_tree_is_one_revision() {
    let site = live().await;
    let set = open(&site, "Prices").await;
    write(&site, &set, body("/a/", "One.", "Uno.")).await;
    let edit = write(&site, &set, body("/a/", "Two.", "Due.")).await;
    site.call("page_write", json!({"pages": [body("/a/", "Three.", "Tre.")]})).await;
    let before = site.git(&["rev-list", "--count", "refs/sitewright/working"]);
    let dry = site.call("change_close", json!({"change_set": set, "how": "merge", "dry_run": true})).await;
    assert_eq!((dry["dry_run"].as_bool(), dry["closed"].as_bool()), (Some(true), Some(false)), "{dry}");
    assert_eq!(site.git(&["rev-list", "--count", "refs/sitewright/working"]), before);
    let done = site.call("change_close", json!({"change_set": set, "how": "merge"})).await;
    assert_eq!(done["closed"], true, "{done}");
    assert_eq!(done["changed"][0]["path"], "a.md", "{done}");
    let after = site.git(&["rev-list", "--count", "refs/sitewright/working"]);
    assert_eq!(after.trim().parse::<u32>().expect("a count"), before.trim().parse::<u32>().expect("a count") + 1);
    site.assert_file("content/a.md", "---\ntitle: A\n---\nUno.\n\nDue.\n\nTre.\n");
    let message = site.git(&["log", "-1", "--format=%B", "refs/sitewright/working"]);
    assert!(message.starts_with(&format!("Merge change set {set}: Prices")), "{message}");
    assert!(message.contains(edit["revision"].as_str().expect("an id")), "{message}");
    assert_eq!(site.call_err("change_list", json!({"change_set": set})).await["code"], "not_found");
    // One revision takes all of it back; the single edits go on working too.
    site.call("revision_restore", json!({"undo": [edit["revision"]], "dry_run": true})).await;
    site.call("revision_restore", json!({"undo": [done["revision"]]})).await;
    site.assert_file("content/a.md", "---\ntitle: A\n---\nOne.\n\nTwo.\n\nTre.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_contradicts_the_working_tree_changes_nothing_and_can_be_decided() {
    let site = live().await;
    let set = open(&site, "Prices").await;
    write(&site, &set, body("/a/", "One.", "Set.")).await;
    let theirs = site.call("page_write", json!({"pages": [body("/a/", "One.", "Working.")]})).await;
    let error = site.call_err("change_close", json!({"change_set": set, "how": "merge"})).await;
    assert_eq!(error["code"], "conflict", "{error}");
    let conflict = &error["details"]["conflicts"][0];
    assert_eq!(conflict["theirs"]["etag"], theirs["changed"][0]["etag"], "{error}");
    for (side, word) in [("base", "One."), ("ours", "Set."), ("theirs", "Working.")] {
        assert!(conflict[side]["text"].as_str().is_some_and(|text| text.contains(word)), "{error}");
    }
    let decided = json!({"path": "/a/", "body": "Both.\n", "if_match": conflict["theirs"]["etag"]});
    write(&site, &set, decided).await;
    let done = site.call("change_close", json!({"change_set": set, "how": "merge"})).await;
    assert_eq!(done["closed"], true, "{done}");
    assert!(site.read("content/a.md").ends_with("Both.\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_set_is_gone_and_its_revisions_work() {
    let site = live().await;
    let set = open(&site, "A whim").await;
    let edit = write(&site, &set, body("/a/", "One.", "Whim.")).await;
    let dry = site.call("change_close", json!({"change_set": set, "how": "discard", "dry_run": true})).await;
    assert_eq!((dry["discarded"].as_u64(), dry["closed"].as_bool()), (Some(1), Some(false)), "{dry}");
    let done = site.call("change_close", json!({"change_set": set, "how": "discard"})).await;
    assert_eq!((done["closed"].as_bool(), done["tip"].clone()), (Some(true), edit["revision"].clone()), "{done}");
    assert!(!site.git(&["for-each-ref"]).contains("refs/sitewright/cs"));
    // It never happened to the site, so its history does not tell it.
    assert!(
        !site.call("revision_list", json!({})).await.to_string().contains(edit["revision"].as_str().expect("an id"))
    );
    site.git(&["gc", "-q", "--prune=now"]);
    site.call("revision_restore", json!({"at": edit["revision"], "paths": ["/a/"]})).await;
    assert!(site.read("content/a.md").contains("Whim."));
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_go_on_while_the_working_tree_is_refused() {
    let site = live().await;
    let set = open(&site, "Beside a merge").await;
    std::fs::write(site.path().join(".git/MERGE_HEAD"), site.git(&["rev-parse", "HEAD"])).expect("written");
    let refused = site.call_err("page_write", json!({"pages": [body("/a/", "One.", "1")]})).await;
    assert_eq!(refused["code"], "repository_state", "{refused}");
    let overview = site.call("site_get", json!({"change_set": set})).await;
    assert_eq!(overview["writable"], true, "{overview}");
    write(&site, &set, body("/a/", "One.", "Uno.")).await;
    let other = open(&site, "Another").await;
    site.call("change_close", json!({"change_set": other, "how": "discard"})).await;
    assert_eq!(
        site.call_err("change_close", json!({"change_set": set, "how": "merge"})).await["code"],
        "repository_state"
    );
    let done = site.call("publish", json!({"change_set": set})).await;
    assert_eq!(
        (done["pushed"]["ok"].as_bool(), done["change_set_closed"].as_bool()),
        (Some(true), Some(true)),
        "{done}"
    );
    assert!(remote_file(&site, "content/a.md").contains("Uno."));
    assert!(site.read("content/a.md").contains("One."), "the person's merge was disturbed");
    std::fs::remove_file(site.path().join(".git/MERGE_HEAD")).expect("removed");
    site.call("site_sync", json!({})).await;
    assert!(site.read("content/a.md").contains("Uno."));
}

#[tokio::test(flavor = "multi_thread")]
async fn etags_receipts_undo_and_discard_are_those_of_the_set() {
    let site = live().await;
    let (one, two) = (open(&site, "One").await, open(&site, "Two").await);
    let page = site.call("page_get", json!({"paths": ["/a/"], "change_set": one})).await;
    let etag = page["pages"][0]["etag"].clone();
    let whole = json!({"path": "/a/", "body": "Whole.\n", "if_match": etag});
    let first = write(&site, &one, whole.clone()).await;
    let stale = site.call_err(
        "page_write",
        json!({"pages": [{"path": "/a/", "body": "Other.\n", "if_match": etag}], "change_set": one}),
    );
    assert_eq!(stale.await["code"], "conflict");
    // The same call again is the same edit; in another set it is another one.
    let again = write(&site, &one, whole.clone()).await;
    assert_eq!(
        (again["repeated"].as_bool(), again["revision"].clone()),
        (Some(true), first["revision"].clone()),
        "{again}"
    );
    let second = write(&site, &two, whole).await;
    assert!(second.get("repeated").is_none() && second["revision"] != first["revision"], "{second}");
    let dry = site
        .call("page_delete", json!({"pages": [{"path": "/b/", "if_match": "*"}], "change_set": one, "dry_run": true}))
        .await;
    assert_eq!(dry["dry_run"], true);
    assert!(read(&site, &one, "/b/").await.contains("Bee."));
    site.call("revision_restore", json!({"undo": [first["revision"]], "change_set": one})).await;
    assert!(read(&site, &one, "/a/").await.contains("One."));
    assert!(read(&site, &two, "/a/").await.contains("Whole."));
    site.call("change_discard", json!({"paths": [{"path": "*"}], "change_set": two})).await;
    assert_eq!(site.call("change_list", json!({"change_set": two})).await["total"], 0);
    let history = site.call("revision_list", json!({"change_set": one})).await.to_string();
    assert!(!history.contains(second["revision"].as_str().expect("an id")), "{history}");
}

/// Somebody who serves previews, and remembers what was to be shown.
#[derive(Default)]
struct Shown(Mutex<BTreeMap<String, Outputs>>);

impl Host for Shown {
    fn working(&self) -> String {
        "http://preview/".into()
    }

    fn address(&self, label: &str) -> String {
        format!("http://preview/_p/{label}/")
    }

    fn register(&self, label: &str, outputs: Outputs, _: Vec<Diagnostic>, _: Arc<Snapshot>) {
        self.0.lock().expect("a lock").insert(label.into(), outputs);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_previewed_from_git_at_an_address_of_its_own() {
    let site = live().await;
    let host = Arc::new(Shown::default());
    site.site().set_preview_host(Arc::clone(&host) as _);
    let set = open(&site, "New page").await;
    write(
        &site,
        &set,
        json!({"path": "new.md", "create": true, "front_matter": {"title": "New"}, "body": "Newborn.\n"}),
    )
    .await;
    write(&site, &set, body("/a/", "One.", "Uno.")).await;
    let before = site.fingerprint();
    let shown = site.call("preview", json!({"change_set": set})).await;
    assert_eq!(shown["pages"][1]["address"], format!("http://preview/_p/cs-{set}/new/"), "{shown}");
    let html = |label: &str, path: &str| -> Option<String> {
        let all = host.0.lock().expect("a lock");
        match &all.get(label)?.get(path)?.data {
            OutputData::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            OutputData::Copy(..) => None,
        }
    };
    let label = format!("cs-{set}");
    assert!(html(&label, "new/index.html").is_some_and(|html| html.contains("Newborn.") && html.contains(&label)));
    assert!(html(&label, "a/index.html").is_some_and(|html| html.contains("Uno.")));
    // Only: live with just this page.
    let only = site.call("preview", json!({"change_set": set, "pages": ["/new/"], "only": true})).await;
    let address = only["address"].as_str().expect("an address");
    let label = address.trim_end_matches('/').rsplit('/').next().expect("a label");
    assert!(html(label, "new/index.html").is_some_and(|html| html.contains("Newborn.")));
    assert!(html(label, "a/index.html").is_some_and(|html| html.contains("One.")));
    let text = site.call("preview", json!({"change_set": set, "pages": ["/new/"], "as": "text"})).await;
    assert!(text["pages"][0]["text"].as_str().is_some_and(|text| text.contains("Newborn.")), "{text}");
    assert_eq!(site.fingerprint(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_from_a_set_is_noticed_when_it_is_merged() {
    let site = live().await;
    let set = open(&site, "Fix A").await;
    write(&site, &set, body("/a/", "One.", "Uno.")).await;
    let sent = site.call("publish", json!({"change_set": set, "review": true, "message": "Fix A"})).await;
    assert_eq!(sent["review"]["branch"], "sitewright/fix-a", "{sent}");
    assert_eq!(site.call("change_list", json!({"change_set": set})).await["items"][0]["review"], "sitewright/fix-a");
    write(&site, &set, body("/b/", "Bee.", "Ape.")).await;
    site.git_remote(&["update-ref", "refs/heads/main", "refs/heads/sitewright/fix-a"]);
    let synced = site.call("site_sync", json!({})).await;
    assert_eq!(synced["merged_reviews"], json!(["sitewright/fix-a"]), "{synced}");
    assert!(site.read("content/a.md").contains("Uno."));
    let left = site.call("change_list", json!({"change_set": set})).await;
    assert_eq!((left["total"].as_u64(), left["items"][0]["path"].as_str()), (Some(1), Some("b.md")), "{left}");
    site.call("publish", json!({"change_set": set})).await;
    assert!(remote_file(&site, "content/b.md").contains("Ape."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_is_a_resource_whose_changes_are_told() {
    let site = live().await;
    let set = open(&site, "Fix A").await;
    let uri = format!("site:///change-sets/{set}");
    let listed = site.client().list_all_resources().await.expect("a list");
    let one = listed.iter().find(|one| one.uri == uri).expect("listed");
    assert_eq!((one.title.as_deref(), one.mime_type.as_deref()), (Some("Fix A"), Some("text/x-diff")));
    write(&site, &set, body("/a/", "One.", "Uno.")).await;
    let request = rmcp::model::ReadResourceRequestParams::new(uri.clone());
    let read = serde_json::to_string(&site.client().read_resource(request).await.expect("a diff")).expect("JSON");
    assert!(read.contains("-One.\\n+Uno.") && read.contains("b/content/a.md"), "{read}");
    let stand = sitewright::site::resource::stand(site.site()).expect("a stand");
    write(&site, &set, body("/a/", "Two.", "Due.")).await;
    let news = sitewright::site::resource::stand(site.site()).expect("a stand").since(&stand);
    assert_eq!(
        (news.sets.as_slice(), news.changed.len(), news.listed, news.unpublished),
        ([set.clone()].as_slice(), 0, false, false)
    );
    site.call("change_close", json!({"change_set": set, "how": "discard"})).await;
    let news = sitewright::site::resource::stand(site.site()).expect("a stand").since(&stand);
    assert!(news.listed && news.sets == [set], "{news:?}");
    let gone = site.client().read_resource(rmcp::model::ReadResourceRequestParams::new(uri)).await;
    assert!(gone.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_lost_the_answer_gets_the_set_it_opened() {
    let site = live().await;
    let set = open(&site, "Prices").await;
    assert_eq!(open(&site, "Prices").await, set);
    assert_ne!(open(&site, "Other prices").await, set);
    // Once it is worked in, the same purpose is another task.
    write(&site, &set, body("/a/", "One.", "Set.")).await;
    let second = open(&site, "Prices").await;
    assert_ne!(second, set);
    site.call("change_close", json!({"change_set": second, "how": "discard"})).await;
    let third = open(&site, "Prices").await;
    assert!(third != set && third != second, "{third}");
    site.set_time("2026-11-23T12:11:00Z");
    assert_ne!(open(&site, "Prices").await, third, "ten minutes are over");
}

/// Each way to decide a conflict: what the set did, then the decision, and what the working tree has in the end.
#[tokio::test(flavor = "multi_thread")]
async fn every_tool_that_takes_an_etag_decides_over_the_working_tree() {
    let asset = "-- content/b/index.md --\n---\ntitle: Bundle\n---\n-- content/b/note.txt --\none\n";
    let site = TestSite::with_remote(&format!("{}{asset}", PAGES.replace("content/b.md", "content/bee.md"))).await;
    site.call("publish", json!({})).await;
    let conflict = async |set: &str| {
        let error = site.call_err("change_close", json!({"change_set": set, "how": "merge"})).await;
        assert_eq!(error["code"], "conflict", "{error}");
        error["details"]["conflicts"][0]["theirs"]["etag"].clone()
    };
    let merged = async |set: &str| {
        let done = site.call("change_close", json!({"change_set": set, "how": "merge"})).await;
        assert_eq!(done["closed"], true, "{done}");
    };
    // A page deleted in the set, edited in the working tree.
    let set = open(&site, "Delete").await;
    write(&site, &set, body("/a/", "One.", "Set.")).await;
    site.call("page_write", json!({"pages": [body("/a/", "One.", "Working.")]})).await;
    let etag = conflict(&set).await;
    let delete = json!({"pages": [{"path": "/a/", "if_match": etag}], "change_set": set});
    site.call("page_delete", delete).await;
    merged(&set).await;
    assert!(!site.path().join("content/a.md").exists());
    // An asset written in both.
    let set = open(&site, "Upload").await;
    let upload = |text: &str, etag: Value, set: &str| json!({"uploads": [{"path": "b/note.txt", "text": text, "if_match": etag}], "change_set": set});
    site.call("asset_write", upload("set\n", json!("*"), &set)).await;
    site.call("asset_write", upload("working\n", json!("*"), "working")).await;
    let etag = conflict(&set).await;
    site.call("asset_write", upload("both\n", etag, &set)).await;
    merged(&set).await;
    site.assert_file("content/b/note.txt", "both\n");
    // And deleted there.
    let set = open(&site, "Take away").await;
    site.call("publish", json!({})).await;
    let set_two = open(&site, "Take it away").await;
    site.call("asset_write", upload("set\n", json!("*"), &set_two)).await;
    site.call("asset_write", upload("working again\n", json!("*"), "working")).await;
    let etag = conflict(&set_two).await;
    let delete = json!({"assets": [{"path": "content/b/note.txt", "if_match": etag}], "change_set": set_two});
    site.call("asset_delete", delete).await;
    merged(&set_two).await;
    assert!(!site.path().join("content/b/note.txt").exists());
    site.call("change_close", json!({"change_set": set, "how": "discard"})).await;
    // A page moved in the set, edited in the working tree.
    let set = open(&site, "Move").await;
    write(&site, &set, body("bee.md", "Bee.", "Set.")).await;
    site.call("page_write", json!({"pages": [body("bee.md", "Bee.", "Working.")]})).await;
    let etag = conflict(&set).await;
    let to = json!({"moves": [{"from": "bee.md", "to": "wasp.md", "if_match": etag}], "change_set": set});
    site.call("page_move", to).await;
    merged(&set).await;
    assert!(site.read("content/wasp.md").contains("Set.") && !site.path().join("content/bee.md").exists());
}
