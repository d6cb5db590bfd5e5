//! Publishing at a time: what is frozen, what goes out, when, and what happens when it cannot.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sitewright::server::schedule::keep;
use sitewright::site::schedule::publish_due;
use tokio_util::sync::CancellationToken;

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
-- content/b.md --
---
title: B
---
Bee.
";
const AT: &str = "2026-12-01T09:00:00Z";
const AFTER: &str = "2026-12-01T09:00:01Z";

async fn live() -> TestSite {
    let site = TestSite::with_remote(PAGES).await;
    let first = site.call("publish", json!({})).await;
    assert_eq!(first["pushed"]["ok"], true, "{first}");
    site
}

async fn edit(site: &TestSite, path: &str, find: &str, replace: &str) -> Value {
    let page = json!({"path": path, "edits": [{"find": find, "replace": replace}]});
    site.call("page_write", json!({"pages": [page]})).await
}

fn remote_file(site: &TestSite, path: &str) -> String {
    site.git_remote(&["show", &format!("main:{path}")])
}

/// Publishes what is due; the outcome of each set.
fn due(site: &TestSite) -> Vec<Result<(), String>> {
    publish_due(site.site(), "test", &|_| true)
        .expect("a look")
        .into_iter()
        .map(|due| due.outcome.map(|_| ()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_is_frozen_and_goes_out_at_its_time() {
    let site = live().await;
    edit(&site, "/a/", "One.", "Uno.").await;
    edit(&site, "/b/", "Bee.", "Ape.").await;
    let dry = site.call("publish", json!({"paths": ["/a/"], "at": AT, "dry_run": true})).await;
    assert!(dry["dry_run"] == true && dry.get("scheduled").is_none(), "{dry}");
    let asked = json!({"paths": ["/a/"], "at": AT, "message": "A in December"});
    let frozen = site.call("publish", asked.clone()).await;
    let set = frozen["scheduled"]["change_set"].as_str().expect("an id").to_owned();
    assert_eq!(
        (frozen["scheduled"]["at"].as_str(), &frozen["frozen"]["first"]),
        (Some(AT), &json!(["a.md"])),
        "{frozen}"
    );
    assert!(frozen.get("revision").is_none());
    // The same call again freezes nothing more.
    assert_eq!(site.call("publish", asked).await["scheduled"]["change_set"], set);
    let list = site.call("change_list", json!({})).await;
    assert_eq!(list["items"][0]["scheduled"], json!({"at": AT, "change_set": set}), "{list}");
    assert!(list["items"][1].get("scheduled").is_none(), "{list}");
    assert_eq!(list["change_sets"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&list["change_sets"][0]["publish_at"], &list["change_sets"][0]["purpose"]),
        (&json!(AT), &json!("A in December"))
    );
    // What is edited later does not get in, and the frozen set takes no edits.
    edit(&site, "/a/", "Two.", "Later.").await;
    let refused = json!({"pages": [{"path": "/a/", "edits": [{"find": "Two.", "replace": "In."}]}], "change_set": set});
    let error = site.call_err("page_write", refused).await;
    assert!(
        error["code"] == "repository_state" && error["hint"].as_str().is_some_and(|h| h.contains("change_close")),
        "{error}"
    );
    assert!(due(&site).is_empty());
    assert!(remote_file(&site, "content/a.md").contains("One."));
    site.set_time(AFTER);
    assert_eq!(due(&site), [Ok(())]);
    let live = remote_file(&site, "content/a.md");
    assert!(live.contains("Uno.") && live.contains("Two."), "{live}");
    assert!(remote_file(&site, "public/a/index.html").contains("Uno."));
    assert!(remote_file(&site, "content/b.md").contains("Bee."));
    assert!(site.git_remote(&["log", "-1", "--format=%s", "main"]).contains("A in December"));
    assert!(due(&site).is_empty());
    let left = site.call("change_list", json!({})).await;
    assert_eq!(left["total"], 2, "{left}");
    assert!(left.get("change_sets").is_none());
    assert!(site.read("content/a.md").contains("Uno.\n\nLater."));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_rules_hold_as_for_a_publish_now() {
    let site = live().await;
    for (at, problem) in [
        ("2026-11-23T12:00:00Z", "not in the future"),
        ("soon", "expected a time"),
        ("2020-01-01", "not in the future"),
    ] {
        let error = site.call_err("publish", json!({"at": at})).await;
        assert_eq!(
            (error["code"].as_str(), error["details"]["field"].as_str()),
            (Some("invalid_arguments"), Some("at"))
        );
        assert!(error["message"].as_str().is_some_and(|message| message.contains(problem)), "{error}");
    }
    let both = site.call_err("publish", json!({"at": AT, "review": true})).await;
    assert_eq!(both["details"]["field"], "at");
    let nothing = site.call("publish", json!({"at": AT})).await;
    assert!(nothing["unchanged"] == true && nothing.get("scheduled").is_none(), "{nothing}");
    std::fs::write(site.path().join("content/b.md"), "---\ntitle: B\n---\nBy hand.\n").expect("written");
    let page = json!({"path": "new.md", "create": true, "front_matter": {"title": "New"}, "body": "[b](missing.md)\n"});
    site.call("page_write", json!({"pages": [page]})).await;
    let hand = site.call_err_but_fetched("publish", json!({"at": AT})).await;
    assert_eq!(hand["code"], "hand_edits", "{hand}");
    let broken = site.call_err_but_fetched("publish", json!({"at": AT, "paths": ["new.md"]})).await;
    assert_eq!(broken["code"], "build_failed", "{broken}");
    let named = site.call("publish", json!({"at": AT, "paths": ["b.md"]})).await;
    assert_eq!(named["frozen"], json!({"count": 1, "first": ["b.md"]}), "{named}");
    site.set_time(AFTER);
    assert_eq!(due(&site), [Ok(())]);
    assert!(remote_file(&site, "content/b.md").contains("By hand."));
    let history = site.call("revision_list", json!({"paths": ["/b/"]})).await.to_string();
    assert!(history.contains("\"kind\":\"hand_edit\""), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_is_named_and_tried_again_and_stops_no_other() {
    let site = live().await;
    edit(&site, "/a/", "One.", "Uno.").await;
    site.call("publish", json!({"paths": ["/a/"], "at": AT})).await;
    edit(&site, "/b/", "Bee.", "Ape.").await;
    site.call("publish", json!({"paths": ["/b/"], "at": "2026-12-01T09:00:01Z"})).await;
    // Somebody else writes the same line.
    site.elsewhere(|clone| {
        std::fs::write(clone.join("content/a.md"), "---\ntitle: A\n---\nEins.\n\nTwo.\n").expect("written");
    });
    site.set_time("2026-12-01T09:05:00Z");
    let outcomes = due(&site);
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes[0].as_ref().is_err_and(|failure| failure.contains("content/a.md")), "{outcomes:?}");
    assert_eq!(outcomes[1], Ok(()));
    assert!(
        remote_file(&site, "content/b.md").contains("Ape.") && remote_file(&site, "content/a.md").contains("Eins.")
    );
    assert_eq!(due(&site).len(), 1);
    site.elsewhere(|clone| {
        std::fs::write(clone.join("content/a.md"), "---\ntitle: A\n---\nOne.\n\nTwo.\n").expect("written");
    });
    assert_eq!(due(&site), [Ok(())]);
    assert!(remote_file(&site, "content/a.md").contains("Uno."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_is_cancelled_by_closing_it() {
    let site = live().await;
    edit(&site, "/a/", "One.", "Uno.").await;
    let frozen = site.call("publish", json!({"at": AT})).await;
    let set = &frozen["scheduled"]["change_set"];
    site.call("change_close", json!({"change_set": set, "how": "discard"})).await;
    site.set_time(AFTER);
    assert!(due(&site).is_empty());
    assert!(remote_file(&site, "content/a.md").contains("One.") && site.read("content/a.md").contains("Uno."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_set_can_be_scheduled_and_published_early() {
    let site = live().await;
    let set = site.call("change_open", json!({"purpose": "Prices"})).await["change_set"].clone();
    let page = json!({"path": "/a/", "edits": [{"find": "One.", "replace": "Uno."}]});
    site.call("page_write", json!({"pages": [page], "change_set": set})).await;
    let frozen = site.call("publish", json!({"at": "2026-12-01", "change_set": set})).await;
    let id = frozen["scheduled"]["change_set"].clone();
    assert_eq!(frozen["scheduled"]["at"], "2026-12-01T00:00:00Z");
    assert_ne!(id, set);
    let early = site.call("publish", json!({"change_set": id})).await;
    assert_eq!(early["change_set_closed"], true, "{early}");
    assert!(remote_file(&site, "content/a.md").contains("Uno."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_publishes_by_itself_and_catches_up_at_its_start() {
    let site = live().await;
    edit(&site, "/a/", "One.", "Uno.").await;
    site.call("publish", json!({"at": AT})).await;
    let run = || {
        let stop = CancellationToken::new();
        (tokio::spawn(keep(site.server().clone(), stop.clone())), stop)
    };
    let (running, stop) = run();
    site.set_time(AFTER);
    // Any call that writes wakes it.
    edit(&site, "/b/", "Bee.", "Ape.").await;
    until(|| remote_file(&site, "content/a.md").contains("Uno.")).await;
    stop.cancel();
    running.await.expect("it ends");
    site.call("publish", json!({"at": "2026-12-02"})).await;
    site.set_time("2026-12-05T00:00:00Z");
    let (running, stop) = run();
    until(|| remote_file(&site, "content/b.md").contains("Ape.")).await;
    stop.cancel();
    running.await.expect("it ends");
}

async fn until(done: impl Fn() -> bool) {
    for _ in 0..600 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_publishes_what_is_due() {
    let site = live().await;
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_sitewright"))
            .arg("--site")
            .arg(site.path())
            .args(arguments)
            .output()
            .expect("it runs");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    assert_eq!(run(&["publish", "--due"]), (Some(0), String::new()));
    edit(&site, "/a/", "One.", "Uno.").await;
    // The command line goes by the machine's clock, for which this is long ago.
    site.set_time("2020-01-01T00:00:00Z");
    let frozen = site.call("publish", json!({"at": "2020-01-02", "message": "On time"})).await;
    let id = frozen["scheduled"]["change_set"].as_str().expect("an id").to_owned();
    site.elsewhere(|clone| {
        std::fs::write(clone.join("content/a.md"), "---\ntitle: A\n---\nEins.\n\nTwo.\n").expect("written");
    });
    let (code, text) = run(&["status"]);
    assert!(
        code == Some(0) && text.contains(&format!("Change set {id}: On time (1 file, to be published at")),
        "{text}"
    );
    let (code, text) = run(&["publish", "--due"]);
    assert!(code == Some(1) && text.contains(&id) && text.contains("was not published"), "{text}");
    site.elsewhere(|clone| {
        std::fs::write(clone.join("content/a.md"), "---\ntitle: A\n---\nOne.\n\nTwo.\n").expect("written");
    });
    let (code, text) = run(&["publish", "--due"]);
    assert!(code == Some(0) && text.contains("Published 1 file"), "{text}");
    assert!(remote_file(&site, "content/a.md").contains("Uno."));
    // And freezes for a time itself.
    edit(&site, "/b/", "Bee.", "Ape.").await;
    let (code, text) = run(&["publish", "--at", "2020-01-02"]);
    assert!(code == Some(1) && text.contains("not in the future"), "{text}");
    let (code, text) = run(&["publish", "--at", "2999-01-02", "-m", "Much later"]);
    assert!(code == Some(0) && text.contains("2999-01-02"), "{text}");
    let (code, text) = run(&["status"]);
    assert!(code == Some(0) && text.contains("Much later") && text.contains("2999-01-02"), "{text}");
    assert_eq!(run(&["publish", "--due"]), (Some(0), String::new()), "it is not due");
    assert!(remote_file(&site, "content/b.md").contains("Bee."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dirty_file_outside_the_site_keeps_nothing_from_being_frozen() {
    let site = live().await;
    let beside = |text: &'static str| {
        move |folder: &std::path::Path| std::fs::write(folder.join("notes.txt"), text).expect("written")
    };
    site.elsewhere(beside("one\n"));
    edit(&site, "/a/", "One.", "Uno.").await;
    site.call("publish", json!({})).await;
    assert_eq!(site.read("notes.txt"), "one\n");
    site.elsewhere(beside("two\n"));
    beside("mine\n")(&site.path());
    edit(&site, "/b/", "Bee.", "Ape.").await;
    let now = site.call_err_but_fetched("publish", json!({})).await;
    assert_eq!(now["code"], "repository_state", "{now}");
    let later = site.call("publish", json!({"at": AT})).await;
    assert!(later["scheduled"]["change_set"].is_string(), "{later}");
    site.set_time(AFTER);
    assert_eq!(due(&site), [Ok(())]);
    assert!(remote_file(&site, "content/b.md").contains("Ape."));
    assert_eq!((site.read("notes.txt"), remote_file(&site, "notes.txt")), ("mine\n".into(), "two\n".into()));
}

/// The real server, killed again and again while it publishes what is due: it goes out, once, and whole.
#[tokio::test(flavor = "multi_thread")]
async fn kill_9_while_the_server_publishes_what_is_due_loses_and_doubles_nothing() {
    let site = live().await;
    edit(&site, "/a/", "One.", "Uno.").await;
    site.set_time("2020-01-01T00:00:00Z");
    site.call("publish", json!({"at": "2020-01-02", "message": "On time"})).await;
    let is_live = || remote_file(&site, "content/a.md").contains("Uno.");
    let serve = || {
        Command::new(env!("CARGO_BIN_EXE_sitewright"))
            .args(["serve", "--no-preview", "--site"])
            .arg(site.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it runs")
    };
    let (mut rounds, mut pause) = (0, Duration::from_millis(20));
    while !is_live() {
        assert!(rounds < 40, "it never went out");
        let mut server = serve();
        tokio::time::sleep(pause).await;
        pause = pause.mul_f64(1.25);
        server.kill().expect("killed");
        server.wait().expect("it ended");
        rounds += 1;
    }
    assert!(rounds > 1, "it was killed before it was done");
    // A last one catches up with what the killed one left, and publishes nothing twice.
    let mut server = serve();
    until(|| !site.git(&["for-each-ref"]).contains("refs/sitewright/cs/")).await;
    server.kill().expect("killed");
    server.wait().expect("it ended");
    assert!(due(&site).is_empty());
    let subjects = site.git_remote(&["log", "--format=%s", "main"]);
    assert_eq!(subjects.lines().filter(|subject| *subject == "On time").count(), 1, "{subjects}");
    assert!(remote_file(&site, "public/a/index.html").contains("Uno."));
    site.git(&["fsck", "--strict", "--no-dangling"]);
    edit(&site, "/b/", "Bee.", "Ape.").await;
    assert_eq!(site.call("publish", json!({})).await["pushed"]["ok"], true);
}
