//! `publish: true` on the tools that edit: what the call changed goes live, that alone, or the edit stands and says why not.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sitewright::tools::{Registry, Right, Rights, Tool};

use super::harness::TestSite;
use super::tools::PAGES;

/// A site that was published once.
async fn published() -> TestSite {
    let site = TestSite::with_remote(PAGES).await;
    site.call("publish", json!({})).await;
    site
}

fn live(site: &TestSite, path: &str) -> String {
    site.git_remote(&["show", &format!("main:{path}")])
}

fn is_live(site: &TestSite, path: &str) -> bool {
    site.git_remote(&["ls-tree", "-r", "--name-only", "main"]).lines().any(|line| line == path)
}

fn publishes(site: &TestSite) -> String {
    site.git_remote(&["rev-list", "--first-parent", "--count", "main"])
}

fn title(path: &str, title: &str) -> Value {
    json!({"pages": [{"path": path, "front_matter": {"title": title}}], "publish": true})
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_makes_its_own_change_live_and_no_other() {
    let site = published().await;
    let waiting = json!({"pages": [{"path": "/blog/", "front_matter": {"title": "Waiting"}}]});
    site.call("page_write", waiting).await;
    let mut call = title("/blog/hello/", "Greetings");
    call["message"] = json!("Say it better");
    let written = site.call("page_write", call).await;
    assert!(written["revision"].is_string() && written["published"]["revision"].is_string(), "{written}");
    assert_ne!(written["revision"], written["published"]["revision"], "two transactions");
    assert_eq!(written["published"]["published"], json!({"count": 1, "first": ["blog/hello.md"]}));
    assert_eq!(written["published"]["pushed"]["ok"], true);
    assert_eq!(written["published"]["unpublished"]["first"], json!(["blog/_index.md"]));
    assert_eq!(written.get("next"), None, "there is nothing to do: {written}");
    assert!(live(&site, "public/blog/hello/index.html").contains("Greetings"));
    assert!(!live(&site, "content/blog/_index.md").contains("Waiting"));
    assert!(site.git_remote(&["log", "-1", "--format=%B", "main"]).starts_with("Say it better\n"));
}

/// Every tool that edits takes the argument, and what it did is live then.
#[tokio::test(flavor = "multi_thread")]
async fn every_tool_that_edits_can_publish() {
    let inbox = tempfile::tempdir().expect("a folder");
    std::fs::write(inbox.path().join("old.md"), "---\ntitle: Old\n---\nOld words.\n").expect("written");
    let site = published().await;
    site.site().allow_uploads_from(vec![inbox.path().to_owned()]);
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let revision = |site: &TestSite| site.git(&["rev-parse", "refs/heads/main"]).trim().to_owned();
    let base = revision(&site);
    let cases = [
        (
            "page_write",
            json!({"pages": [{"path": "new.md", "create": true, "body": "New.\n"}]}),
            "content/new.md",
            true,
        ),
        ("page_move", json!({"moves": [{"from": "/new/", "to": "newer.md"}]}), "content/newer.md", true),
        (
            "text_replace",
            json!({"pairs": [{"find": "New.", "replace": "Newest."}], "scope": ["/newer/"]}),
            "content/newer.md",
            true,
        ),
        ("page_delete", json!({"pages": [{"path": "/newer/", "if_match": "*"}]}), "content/newer.md", false),
        ("asset_write", json!({"uploads": [{"path": "static/dot.png", "base64": png}]}), "static/dot.png", true),
        ("asset_delete", json!({"assets": [{"path": "static/dot.png", "if_match": "*"}]}), "static/dot.png", false),
        ("site_update", json!({"patch": {"description": "Words"}}), "site.yaml", true),
        (
            "theme_write",
            json!({"files": [{"path": "assets/more.css", "text": "a{}\n"}]}),
            "themes/default/assets/more.css",
            true,
        ),
        ("theme_use", json!({"pin": base.clone()}), "site.yaml", true),
        (
            "revision_restore",
            json!({"at": base, "paths": ["themes/default/assets/more.css"]}),
            "themes/default/assets/more.css",
            false,
        ),
        ("content_import", json!({"from": inbox.path(), "section": "archive"}), "content/archive/old.md", true),
    ];
    let editing: BTreeSet<String> = Registry::standard()
        .tools()
        .filter(|tool| tool.schema()["properties"].get("publish").is_some())
        .map(|tool| tool.name().to_owned())
        .collect();
    assert_eq!(editing, cases.iter().map(|(tool, ..)| (*tool).to_owned()).collect::<BTreeSet<_>>());
    for (tool, mut arguments, path, there) in cases {
        arguments["publish"] = json!(true);
        let written = site.call(tool, arguments).await;
        assert!(written["published"]["revision"].is_string(), "{tool}: {written}");
        assert_eq!(written["published"]["pushed"]["ok"], true, "{tool}: {written}");
        assert_eq!(is_live(&site, path), there, "{tool}: {written}");
        let waiting = site.call("change_list", json!({})).await;
        assert_eq!(waiting["total"], 0, "{tool} left something: {waiting}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_needs_is_named_and_the_edit_stands() {
    let site = published().await;
    site.call("page_write", json!({"pages": [{"path": "later.md", "create": true, "body": "Later.\n"}]})).await;
    let before = publishes(&site);
    let edits = json!([{"find": "Some words.", "replace": "See [later](/later/)."}]);
    let call = json!({"pages": [{"path": "/blog/hello/", "edits": edits}], "publish": true});
    let written = site.call("page_write", call).await;
    let refusal = &written["published"];
    assert_eq!((&refusal["code"], &refusal["details"]["needs"]), (&json!("needs"), &json!(["later.md"])), "{written}");
    assert!(written["revision"].is_string() && site.read("content/blog/hello.md").contains("later"), "the edit stands");
    assert!(written["next"].as_str().is_some_and(|next| next.contains("not live")), "{written}");
    assert_eq!(publishes(&site), before);
    let hint = refusal["hint"].as_str().expect("a hint");
    assert!(hint.contains("\"blog/hello.md\"") && hint.contains("\"later.md\""), "{hint}");
    site.call("publish", json!({"paths": ["blog/hello.md", "later.md"]})).await;
    assert!(live(&site, "content/blog/hello.md").contains("later"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_half_written_page_never_goes_along() {
    let site = published().await;
    let by_hand = site.read("content/blog/hello.md") + "Half a sent\n";
    std::fs::write(site.path().join("content/blog/hello.md"), by_hand).expect("written");
    let before = publishes(&site);
    let written = site.call("page_write", title("/blog/hello/", "Greetings")).await;
    assert_eq!(written["published"]["code"], "hand_edits", "{written}");
    assert_eq!(written["published"]["details"]["paths"], json!(["content/blog/hello.md"]));
    assert_eq!(publishes(&site), before);
    assert!(site.read("content/blog/hello.md").contains("Half a sent"));
    // Another page does go, and the person's does not go with it.
    site.call("page_write", title("/blog/", "The blog")).await;
    assert!(live(&site, "content/blog/_index.md").contains("The blog"));
    assert!(!live(&site, "content/blog/hello.md").contains("Half a sent"));
    // Naming it does it, as ever.
    site.call("publish", json!({"paths": ["blog/hello.md"]})).await;
    assert!(live(&site, "content/blog/hello.md").contains("Half a sent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_both_and_writes_neither() {
    let site = published().await;
    // An earlier edit of the same page waits: the trial is of the page as it would be.
    let earlier = json!({"pages": [{"path": "/blog/hello/", "front_matter": {"description": "Earlier"}}]});
    site.call("page_write", earlier).await;
    let before = site.fingerprint();
    let mut call = title("/blog/hello/", "Greetings");
    call["dry_run"] = json!(true);
    let shown = site.call("page_write", call.clone()).await;
    assert_eq!((&shown["dry_run"], &shown["published"]["dry_run"]), (&json!(true), &json!(true)), "{shown}");
    assert_eq!(shown["published"]["published"]["first"], json!(["blog/hello.md"]), "{shown}");
    assert!(shown["published"]["urls"]["changed"]["first"].to_string().contains("/blog/hello/"), "{shown}");
    let edits = json!([{"find": "Some words.", "replace": "See [nothing](/nowhere/)."}]);
    let broken = json!({"pages": [{"path": "/blog/hello/", "edits": edits}], "publish": true, "dry_run": true});
    let refused = site.call("page_write", broken).await;
    assert_eq!(refused["published"]["code"], "build_failed", "{refused}");
    let create =
        json!({"pages": [{"path": "new.md", "create": true, "body": "New.\n"}], "publish": true, "dry_run": true});
    let shown = site.call("page_write", create).await;
    assert_eq!(shown["published"]["urls"]["added"]["first"], json!(["/new/"]), "{shown}");
    assert_eq!(site.fingerprint(), before, "a dry run wrote something");
    call["dry_run"] = json!(false);
    site.call("page_write", call).await;
    assert!(live(&site, "content/blog/hello.md").contains("Greetings"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_gets_the_first_answer_and_publishes_once() {
    let site = published().await;
    let first = site.call("page_write", title("/blog/hello/", "Greetings")).await;
    let count = publishes(&site);
    let mut again = site.call("page_write", title("/blog/hello/", "Greetings")).await;
    assert_eq!(again["repeated"], true, "{again}");
    again.as_object_mut().expect("an object").remove("repeated");
    assert_eq!(again, first);
    assert_eq!(publishes(&site), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_remote_in_reach_it_waits_and_the_same_call_sends_it() {
    let site = published().await;
    let away = site.remote().with_extension("away");
    std::fs::rename(site.remote(), &away).expect("moved");
    let written = site.call("page_write", title("/blog/hello/", "Greetings")).await;
    assert!(written["revision"].is_string(), "{written}");
    assert_eq!(written["published"]["pushed"]["ok"], false, "{written}");
    assert!(written["next"].as_str().is_some_and(|next| next.contains("publish again")), "{written}");
    std::fs::rename(&away, site.remote()).expect("moved");
    let again = site.call("page_write", title("/blog/hello/", "Greetings")).await;
    assert_eq!((&again["repeated"], &again["published"]["pushed"]["ok"]), (&json!(true), &json!(true)), "{again}");
    assert!(live(&site, "content/blog/hello.md").contains("Greetings"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_with_the_remote_leaves_the_edit_and_names_both_sides() {
    let site = published().await;
    site.elsewhere(|clone| {
        let path = clone.join("content/blog/hello.md");
        let text = std::fs::read_to_string(&path).expect("a page").replace("title: Hello", "title: Theirs");
        std::fs::write(path, text).expect("written");
    });
    let written = site.call("page_write", title("/blog/hello/", "Ours")).await;
    assert_eq!(written["published"]["code"], "conflict", "{written}");
    assert!(written["published"]["details"]["conflicts"][0]["theirs"].is_object(), "{written}");
    assert!(site.read("content/blog/hello.md").contains("title: Ours"));
    assert!(live(&site, "content/blog/hello.md").contains("title: Theirs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_set_goes_live_by_its_last_edit() {
    let site = published().await;
    let set = site.call("change_open", json!({"purpose": "Better titles"})).await["change_set"].clone();
    let mut call = title("/blog/hello/", "Greetings");
    call["change_set"] = set.clone();
    let written = site.call("page_write", call.clone()).await;
    assert_eq!(written["published"]["change_set_closed"], true, "{written}");
    assert!(live(&site, "content/blog/hello.md").contains("Greetings"));
    let again = site.call("page_write", call).await;
    assert_eq!((&again["repeated"], &again["published"]), (&json!(true), &written["published"]), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_publish_is_no_part_of_an_edit() {
    let site = TestSite::with_remote(PAGES).await;
    let written = site.call("page_write", title("/blog/hello/", "Greetings")).await;
    assert_eq!(written["published"]["code"], "repository_state", "{written}");
    assert!(written["published"]["hint"].as_str().is_some_and(|hint| hint.contains("publish")), "{written}");
    assert_eq!(site.git_remote(&["for-each-ref"]), "", "nothing was pushed");
    assert!(site.read("content/blog/hello.md").contains("Greetings"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_on_hold_stays_back() {
    let site = published().await;
    let call =
        json!({"pages": [{"path": "/blog/hello/", "front_matter": {"title": "Soon", "hold": true}}], "publish": true});
    let written = site.call("page_write", call).await;
    assert!(written["published"]["message"].as_str().is_some_and(|text| text.contains("on hold")), "{written}");
    assert!(!live(&site, "content/blog/hello.md").contains("Soon"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_changes_nothing_publishes_nothing() {
    let site = published().await;
    site.call("page_write", json!({"pages": [{"path": "/blog/", "front_matter": {"title": "Waiting"}}]})).await;
    let written = site.call("page_write", title("/blog/hello/", "Hello")).await;
    assert_eq!(
        (&written["unchanged"], &written["published"]),
        (&json!(true), &json!({"unchanged": true})),
        "{written}"
    );
    assert!(!live(&site, "content/blog/_index.md").contains("Waiting"));
}

/// A call that finds its edit done and not live, since the one before was cut off, goes on with the publish; a person's edit does not go with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_as_it_was_to_be_and_not_live_is_published() {
    let site = published().await;
    let mut call = title("/blog/hello/", "Greetings");
    call["publish"] = json!(false);
    site.call("page_write", call.clone()).await;
    call["publish"] = json!(true);
    call["dry_run"] = json!(true);
    let tried = site.call("page_write", call.clone()).await;
    assert_eq!(tried["published"]["published"]["first"], json!(["blog/hello.md"]), "{tried}");
    assert!(!live(&site, "content/blog/hello.md").contains("Greetings"));
    call["dry_run"] = json!(false);
    let written = site.call("page_write", call).await;
    assert_eq!(
        (&written["unchanged"], &written["published"]["pushed"]["ok"]),
        (&json!(true), &json!(true)),
        "{written}"
    );
    assert!(live(&site, "content/blog/hello.md").contains("Greetings"));
    let path = site.path().join("content/blog/hello.md");
    let by_hand = std::fs::read_to_string(&path).expect("a page").replace("Greetings", "By hand");
    std::fs::write(&path, by_hand).expect("written");
    let refused = site.call("page_write", title("/blog/hello/", "By hand")).await;
    assert_eq!(refused["published"]["code"], "hand_edits", "{refused}");
    assert!(!live(&site, "content/blog/hello.md").contains("By hand"));
}

/// Who may not publish is not shown the argument and not served it; nothing is written then.
#[test]
fn it_is_offered_only_where_publish_is() {
    let shown = |registry: &Registry, rights: Rights| -> Vec<bool> {
        let tools =
            registry.tools().filter(|tool| tool.writes() && tool.schema()["properties"].get("publish").is_some());
        tools
            .map(|tool| {
                let seen = tool.shown(rights);
                let open = seen.annotations.as_ref().and_then(|hints| hints.open_world_hint);
                let is_shown = seen.input_schema["properties"].get("publish").is_some();
                let always = matches!(tool.name(), "asset_write" | "content_import");
                assert_eq!(open, Some(is_shown || always), "{}", tool.name());
                is_shown
            })
            .collect()
    };
    let without = Right::ALL.into_iter().filter(|right| *right != Right::Publish).collect::<Rights>();
    let all = Registry::standard();
    assert!(shown(&all, Rights::all()).iter().all(|is_shown| *is_shown));
    assert!(!shown(&all, without).iter().any(|is_shown| *is_shown));
    let excluded = Registry::standard().select(None, Some("publish")).expect("a selection");
    assert!(!shown(&excluded, Rights::all()).iter().any(|is_shown| *is_shown));
    let site = super::harness::any_site();
    let call = |tool: &Tool, rights: Rights| {
        let context = sitewright::tools::Context {
            site: site.clone(),
            client: "test".into(),
            id: "1".into(),
            tool: String::new(),
            arguments: String::new(),
            token: String::new(),
            rights,
            progress: sitewright::tools::Progress::default(),
            publish: None,
            session: String::new(),
            journal: std::sync::Arc::default(),
        };
        let arguments = title("/", "New").as_object().cloned().expect("an object");
        tool.call(&context, arguments).expect_err("it is refused").code
    };
    assert_eq!(call(all.find("page_write").expect("a tool"), without), "not_allowed");
    assert_eq!(call(excluded.find("page_write").expect("a tool"), Rights::all()), "tool_off");
    let text = std::fs::read_to_string(site.repository().site_dir().join("content/_index.md")).expect("a page");
    assert!(text.contains("title: Home"), "{text}");
}
