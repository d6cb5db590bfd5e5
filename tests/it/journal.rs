//! The journal that the server writes: every call is in it with its effects, and nothing of what was said.

use std::collections::BTreeSet;

use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};
use sitewright::insight::{Outcome, Record, Window};

use crate::harness::TestSite;

const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\n-- content/a.md --\n---\ntitle: A\n---\nOld.\n";

/// What the journal says by now.
fn journal(site: &TestSite) -> Vec<Record> {
    site.server().journal().flush();
    let window = Window::read(&site.site().repository().own_files(), jiff::Timestamp::MIN).expect("a journal");
    assert_eq!(window.skipped, 0);
    window.records
}

/// All of it as it stands on disk.
fn bytes(site: &TestSite) -> String {
    site.server().journal().flush();
    let folder = site.path().join(".sitewright/var/journal");
    let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    files.map(|file| std::fs::read_to_string(file).expect("text")).collect()
}

fn objects(record: &Record) -> (Vec<&str>, Vec<&str>) {
    let reads = record.read_objects().map(|(object, _)| object).collect();
    (reads, record.writes.iter().map(|write| write.object.as_str()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_a_line_with_its_effects() {
    let site = TestSite::with_remote(SITE).await;
    let written = site
        .call(
            "page_write",
            json!({"pages": [{"path": "/a/", "edits": [{"find": "Old", "replace": "New"}]}], "message": "Why"}),
        )
        .await;
    site.call("page_get", json!({"paths": ["a.md"], "include": ["html"]})).await;
    site.call_err("page_write", json!({"pages": [{"path": "/nowhere/", "body": "x", "if_match": "*"}]})).await;
    site.call_err("page_get", json!({"path": "a.md"})).await;
    let none = site.client().call_tool(CallToolRequestParams::new("page_update".to_owned())).await;
    assert!(none.is_err());
    site.call("publish", json!({})).await;
    let records = journal(&site);
    let outcomes: Vec<_> = records.iter().map(|r| (r.tool.as_str(), r.outcome, r.error_code.as_deref())).collect();
    let expected = [
        ("page_write", Outcome::Ok, None),
        ("page_get", Outcome::Ok, None),
        ("page_write", Outcome::Error, Some("not_found")),
        ("page_get", Outcome::Error, Some("invalid_arguments")),
        ("page_update", Outcome::UnknownTool, None),
        ("publish", Outcome::Ok, None),
    ];
    assert_eq!(outcomes, expected);
    let [write, read, missing, wrong, _, publish] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(objects(write), (vec![], vec!["page:a.md"]));
    assert_eq!(write.declared, Some(vec!["page".to_owned()]));
    let revision = written["revision"].as_str().expect("a revision");
    assert!(write.commit.as_ref().is_some_and(|commit| commit.starts_with(revision)), "{write:?}");
    assert_eq!(write.arg_shape, ["message", "pages[].edits[].find", "pages[].edits[].replace", "pages[].path"]);
    assert!(write.message_id.is_some() && write.in_bytes > 50 && write.out_bytes > 50 && write.ms > 0.0, "{write:?}");
    // What is read is what was written, and is seen to be.
    assert_eq!(objects(read), (vec!["page:a.md"], vec![]));
    let digest = read.read_objects().next().and_then(|(_, digest)| digest);
    assert!(digest.is_some() && digest == write.writes[0].new.as_deref() && read.rendered);
    assert_ne!(write.writes[0].old, write.writes[0].new);
    assert_eq!(missing.targets, ["page:nowhere.md"]);
    assert_eq!(wrong.unknown.as_deref(), Some("path"));
    assert_eq!(publish.targets.iter().filter(|target| target.starts_with("page:")).count(), 2, "{publish:?}");
    assert!(publish.commit.is_some() && publish.writes.is_empty());
    let sessions: BTreeSet<_> = records.iter().map(|r| (r.session.as_str(), r.session_source.as_str())).collect();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!(records.iter().map(|r| r.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert!(records.iter().all(|r| r.client == "test 1" && r.server == env!("CARGO_PKG_VERSION") && r.v == 1));
    // Nothing of it is git's business.
    assert_eq!(site.git(&["status", "--porcelain", "--untracked-files=all"]), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_refused_before_it_runs_is_written_down_too() {
    let site = TestSite::new(SITE).await;
    site.call_err("site_update", json!({"patch": {"webhooks": []}})).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
    for (key, value) in [("traceparent", trace), ("sitewright/session", "task 7")] {
        let mut request = CallToolRequestParams::new("site_get".to_owned());
        let mut meta = rmcp::model::RequestMetaObject::default();
        meta.insert(key.into(), value.into());
        request.meta = Some(meta);
        site.client().call_tool(request).await.expect("an answer");
    }
    let records = journal(&site);
    assert_eq!(records[0].error_code.as_deref(), Some("not_allowed"), "{:?}", records[0]);
    let sources: Vec<_> = records.iter().map(|record| record.session_source.as_str()).collect();
    assert_eq!(sources, ["connection", "traceparent", "handle"]);
    let text = bytes(&site);
    assert!(!text.contains("0af7651916cd43dd") && !text.contains("task 7"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_ends_a_session_and_files_go_when_they_are_old() {
    let site = TestSite::new(SITE).await;
    site.call("site_get", json!({})).await;
    site.set_time("2026-11-23T12:29:00Z");
    site.call("site_get", json!({})).await;
    site.set_time("2026-11-23T13:30:00Z");
    site.call("site_get", json!({})).await;
    let records = journal(&site);
    assert_eq!(records[0].session, records[1].session);
    assert_ne!(records[1].session, records[2].session);
    let own = site.site().repository().own_files();
    assert_eq!(own.list("var/journal").expect("files").len(), 1);
    site.set_time("2026-12-10T00:00:00Z");
    site.call("site_get", json!({})).await;
    assert_eq!(journal(&site).len(), 4);
    site.set_time("2027-01-01T00:00:00Z");
    site.call("site_get", json!({})).await;
    assert_eq!(journal(&site).len(), 2, "the file of November is older than thirty days");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_switch_it_off_and_a_bad_folder_fails_no_call() {
    let site = TestSite::new(SITE).await;
    let folder = site.path().join(".sitewright");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("improve.toml"), "journal = \"off\"\n").expect("a file");
    let off = sitewright::insight::Settings::level(&site.site().repository().own_files());
    assert_eq!(off, sitewright::insight::Level::Off);
    std::fs::remove_file(folder.join("improve.toml")).expect("removed");
    std::fs::create_dir_all(folder.join("var")).expect("a folder");
    let _ = std::fs::remove_dir_all(folder.join("var/journal"));
    std::fs::write(folder.join("var/journal"), "in the way").expect("a file");
    site.call("site_get", json!({})).await;
    site.call("page_get", json!({"paths": ["a.md"]})).await;
    site.server().journal().flush();
    assert_eq!(std::fs::read_to_string(folder.join("var/journal")).expect("a file"), "in the way");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_write_beside_each_other_and_a_torn_line_is_left_out() {
    let site = TestSite::new(SITE).await;
    let second = sitewright::server::Server::new(
        std::sync::Arc::clone(site.site()),
        sitewright::tools::Registry::standard(),
        sitewright::tools::Rights::all(),
    );
    let entry = || sitewright::insight::Entry { call: "x".into(), tool: "site_get".into(), ..Default::default() };
    for _ in 0..50 {
        second.journal().record(entry());
        site.server().journal().record(entry());
    }
    second.journal().flush();
    assert_eq!(journal(&site).len(), 100);
    let folder = site.path().join(".sitewright/var/journal");
    let file = std::fs::read_dir(&folder).expect("a folder").next().expect("a file").expect("a file").path();
    let text = std::fs::read_to_string(&file).expect("text");
    std::fs::write(&file, &text[..text.len() - 30]).expect("torn");
    let window = Window::read(&site.site().repository().own_files(), jiff::Timestamp::MIN).expect("a journal");
    assert_eq!((window.records.len(), window.skipped), (99, 1));
}

/// Of what is said in arguments, pages, messages and names nothing reaches the journal.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_said_is_in_it() {
    let site = TestSite::new(SITE).await;
    let said = ["Geheimnis", "hunter2", "ghp_1A2b3C4d5E6f7G8h9I0jKlMnOpQr", "ada@example.org"];
    let [word, password, token, mail] = said;
    let page = json!({"path": "b.md", "create": true, "front_matter": {"title": word, password: token}, "body": format!("{word} {mail}")});
    site.call("page_write", json!({"pages": [page], "message": format!("{word} {token}")})).await;
    for (tool, arguments) in [
        ("page_get", json!({"paths": ["b.md"], "include": ["body", "front_matter", "html"]})),
        ("text_search", json!({"query": word})),
        ("page_get", json!({"paths": [format!("/{token}/")]})),
        ("page_get", json!({token: 1})),
        ("page_get", json!({"paths": ["b.md"], "include": [token]})),
        ("site_update", json!({"patch": {"params": {"diagnostics": [{"code": "hunter2", "severity": "error"}]}}})),
        ("site_get", json!({"include": ["config"]})),
        ("change_diff", json!({})),
    ] {
        site.call_any(tool, arguments).await;
    }
    let _ = site.client().call_tool(CallToolRequestParams::new(token.to_owned())).await;
    let text = bytes(&site);
    assert_eq!(text.lines().count(), 10);
    for secret in said {
        assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret}: {text}");
    }
    for line in text.lines() {
        let _: Value = serde_json::from_str(line).expect("JSON");
    }
}
