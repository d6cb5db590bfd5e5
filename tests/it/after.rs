//! What is told after a publish: webhooks with their signature, retries, and IndexNow.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::hmac;
use serde_json::{Value, json};

use crate::harness::TestSite;
use crate::outside::{Request, Server, send};

const PATIENCE: Duration = Duration::from_secs(30);
const KEY: &str = "0123456789abcdef";

fn site(extra: &str) -> String {
    format!(
        "-- site.yaml --\ntitle: Test\nbase_url: https://example.org/docs/\ntheme: default\nfetch:\n  allow: [127.0.0.0/8]\n{extra}-- content/_index.md --\n---\ntitle: Home\n---\nHello.\n-- content/a.md --\n---\ntitle: Ä page\nurl: /ä/\n---\nText.\n-- content/quiet.md --\n---\ntitle: Quiet\nnoindex: true\n---\nText.\n"
    )
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// A receiver that takes everything.
fn receiver() -> Server {
    Server::start(|_, stream| send(stream, "202 Accepted", "", b""))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_is_told_once_it_is_live() {
    let server = receiver();
    let extra = format!(
        "webhooks:\n  - url: {}\n  - url: {}\n    events: review\nindexnow:\n  key: {KEY}\n  endpoint: {}\n",
        server.url("/hook"),
        server.url("/review"),
        server.url("/indexnow"),
    );
    let site = TestSite::with_remote(&site(&extra)).await;
    site.call("publish", json!({"dry_run": true})).await;
    assert_eq!((site.site().courier().wait(PATIENCE), server.requests().len()), (0, 0));
    let published = site.call("publish", json!({"message": "First\n\nAll of it."})).await;
    assert_eq!(published["pushed"]["ok"], true, "{published}");
    assert_eq!(site.site().courier().wait(PATIENCE), 0);
    let seen = server.requests();
    let of = |target: &str| seen.iter().filter(|request| request.target == target).cloned().collect::<Vec<_>>();
    assert_eq!((of("/hook").len(), of("/review").len(), of("/indexnow").len()), (1, 0, 1), "{seen:?}");
    let hook = &of("/hook")[0];
    assert_eq!((hook.method.as_str(), hook.header("x-sitewright-event")), ("POST", "publish"));
    assert_eq!((hook.header("x-sitewright-signature"), hook.header("x-sitewright-timestamp")), ("", "1795435200"));
    let told = body(hook);
    assert_eq!(told["delivery"], hook.header("x-sitewright-delivery"));
    assert_eq!((&told["event"], &told["message"]), (&json!("publish"), &json!("First\n\nAll of it.")), "{told}");
    assert_eq!(told["revision"].as_str().unwrap().get(..7), published["revision"].as_str().unwrap().get(..7));
    let added = told["urls"]["added"]["first"].as_array().unwrap();
    assert!(added.contains(&json!("https://example.org/docs/%C3%A4/")), "{told}");
    let ping = body(&of("/indexnow")[0]);
    assert_eq!((&ping["host"], &ping["key"]), (&json!("example.org"), &json!(KEY)));
    assert_eq!(ping["keyLocation"], format!("https://example.org/docs/{KEY}.txt"));
    let list = ping["urlList"].as_array().unwrap();
    assert!(list.contains(&json!("https://example.org/docs/")) && !ping.to_string().contains("quiet"), "{ping}");
    assert_eq!(site.git_remote(&["show", &format!("main:public/{KEY}.txt")]), format!("{KEY}\n"));
    // Nothing to publish, nothing to tell.
    site.call("publish", json!({})).await;
    assert_eq!((site.site().courier().wait(PATIENCE), server.requests().len()), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_told_to_those_who_ask_and_to_no_search_engine() {
    let server = receiver();
    let extra = format!(
        "webhooks:\n  - url: {}\n    events: [review, publish]\nindexnow: {{key: {KEY}, endpoint: \"{}\"}}\n",
        server.url("/hook"),
        server.url("/indexnow"),
    );
    let site = TestSite::with_remote(&site(&extra)).await;
    site.call("publish", json!({})).await;
    assert_eq!(site.site().courier().wait(PATIENCE), 0);
    let edit = json!({"pages": [{"path": "a.md", "edits": [{"find": "Text.", "replace": "Better."}]}]});
    site.call("page_write", edit).await;
    site.call("publish", json!({"review": true})).await;
    assert_eq!(site.site().courier().wait(PATIENCE), 0);
    let seen = server.requests();
    let last = seen.last().unwrap();
    assert_eq!((seen.len(), last.header("x-sitewright-event")), (3, "review"), "{seen:?}");
    assert!(body(last)["review"]["branch"].is_string(), "{}", body(last));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_neither_waits_for_a_webhook_nor_fails_with_it() {
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let count = Arc::new(AtomicUsize::new(0));
    let tries = Arc::clone(&count);
    let server = Server::start(move |_, stream| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => {
            let _ = held.lock().unwrap().recv();
            send(stream, "500 Internal Server Error", "", b"");
        }
        1 => {} // Hangs up.
        _ => send(stream, "204 No Content", "", b""),
    });
    let refusing = Server::start(|_, stream| send(stream, "403 Forbidden", "", b""));
    let extra = format!(
        "webhooks:\n  - url: {}\n  - url: {}\n  - url: http://10.1.2.3/\n  - url: {}\n    secret: SITEWRIGHT_WEBHOOK_UNSET\n",
        server.url("/a?token=hidden"),
        refusing.url("/"),
        refusing.url("/unsigned"),
    );
    let site = TestSite::with_remote(&site(&extra)).await;
    site.site().courier().set_first_wait(Duration::from_millis(5));
    let published = site.call("publish", json!({})).await;
    assert_eq!(published["pushed"]["ok"], true, "{published}");
    // It is back although the first receiver has not answered yet.
    release.send(()).unwrap();
    assert_eq!(site.site().courier().wait(PATIENCE), 0);
    let tries = server.requests();
    assert_eq!(tries.len(), 3);
    assert!(tries.iter().all(|request| request.body == tries[0].body), "the same message each time");
    assert_eq!(refusing.requests().len(), 1, "a refusal is final, and nothing goes out without its signature");
    let mut outcomes: Vec<_> = site.site().courier().outcomes();
    outcomes.sort_by_key(|outcome| outcome.tries * 10 + u32::from(outcome.host == "127.0.0.1"));
    let told: Vec<_> = outcomes.iter().map(|o| (o.host.as_str(), o.tries, o.problem.as_deref())).collect();
    let expected = [
        ("10.1.2.3", 1, Some("it is a private address")),
        ("127.0.0.1", 1, Some("it answers 403")),
        ("127.0.0.1", 3, None),
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_command_line_signs_with_a_secret_of_the_environment_and_waits_for_the_end() {
    let failures = AtomicUsize::new(0);
    let server = Server::start(move |_, stream| match failures.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => send(stream, "503 Service Unavailable", "", b""),
        _ => send(stream, "200 OK", "", b""),
    });
    let folder = tempfile::tempdir().unwrap();
    let program = |arguments: &[&str], at: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sitewright"));
        command.args(arguments).current_dir(at).env("HOME", folder.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("SITEWRIGHT_WEBHOOK_BUILD", "a very secret key").stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {text}");
        text
    };
    program(&["init", "site"], folder.path());
    let root = folder.path().join("site");
    let mut config = std::fs::read_to_string(root.join("site.yaml")).unwrap();
    config.push_str(&format!(
        "\nfetch: {{allow: [127.0.0.0/8]}}\nwebhooks:\n  - {{url: \"{}\", secret: SITEWRIGHT_WEBHOOK_BUILD}}\n",
        server.url("/hook")
    ));
    std::fs::write(root.join("site.yaml"), config).unwrap();
    let said = program(&["publish", "--yes"], &root);
    let seen = server.requests();
    assert_eq!(seen.len(), 3, "{said}");
    assert!(!said.contains("very secret"), "{said}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"a very secret key");
    for request in &seen {
        let signature = request.header("x-sitewright-signature").strip_prefix("sha256=").unwrap();
        let bytes: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&signature[2 * at..2 * at + 2], 16).unwrap()).collect();
        hmac::verify(&key, &request.body, &bytes).expect("the signature is that of the body");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_open_the_machine_are_for_a_person() {
    let site = TestSite::new(&site("uploads:\n  folders: [/tmp]\n")).await;
    // A person takes the folder out by hand; bringing it back is not for a tool.
    let without = site.read("site.yaml").replace("uploads:\n  folders: [/tmp]\n", "");
    std::fs::write(site.path().join("site.yaml"), without).unwrap();
    let recorded = site.call("page_write", json!({"pages": [{"path": "a.md", "front_matter": {"weight": 1}}]})).await;
    assert!(recorded["revision"].is_string(), "{recorded}");
    let list = site.call("revision_list", json!({"paths": ["site.yaml"]})).await;
    let hand = list["items"].as_array().unwrap().iter().find(|item| item["kind"] == "hand_edit").unwrap()["id"].clone();
    let error = site.call_err("revision_restore", json!({"undo": [hand]})).await;
    assert_eq!(error["code"], "not_allowed", "{error}");
    assert!(
        error["message"].as_str().unwrap().contains("`uploads.folders`")
            || error["message"].as_str().unwrap().contains("uploads.folders"),
        "{error}"
    );
}
