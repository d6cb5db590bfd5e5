//! `self_test`: it passes on a sound server, finds an unsound one, and never touches the site, also when it is killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sitewright::insight::self_test::{Dispatcher, Suite, run};
use sitewright::site::Site;
use sitewright::tools::{Context, Progress, Registry, Rights};

use crate::harness::TestSite;

const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\nHello.\n-- content/blog/a.md --\n---\ntitle: A\n---\n[gone](/gone/)\n\
    -- content/self-test/mine.md --\n---\ntitle: Mine\n---\nA page in the folder that the test would like.\n";

#[tokio::test]
async fn a_sound_server_passes_and_the_site_is_as_it_was() {
    let site = TestSite::with_remote(SITE).await;
    site.call("page_write", json!({"pages": [{"path": "blog/a.md", "front_matter": {"title": "B"}}]})).await;
    let before = site.fingerprint();
    let quick = site.call("self_test", json!({})).await;
    assert_eq!(
        (&quick["ok"], &quick["failed"], &quick["skipped"]),
        (&json!(true), &Value::Null, &Value::Null),
        "{quick}"
    );
    let full = site.call("self_test", json!({"suite": "full"})).await;
    assert_eq!(full["ok"], true, "{full}");
    let steps = |reply: &Value| reply["passed"].as_array().map_or(0, Vec::len);
    assert_eq!((steps(&quick), steps(&full)), (18, 21));
    assert_eq!(site.fingerprint(), before);
    assert!(!site.path().join(".sitewright/feedback").exists(), "the canary sings on the copy");
    let left = std::fs::read_dir(site.path().join(".git/sitewright/scratch")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_the_site_says_to_the_world_is_not_said_by_its_copy() {
    let config = "-- site.yaml --\ntitle: T\nbase_url: https://example.org/\ntheme: default\nwebhooks:\n  - url: http://127.0.0.1:9/hook\npublish:\n  remote: nowhere\n\
        indexnow:\n  key: abcdefgh12345678\n  endpoint: http://127.0.0.1:9/\n";
    let site = TestSite::new(&format!("{config}{SITE}")).await;
    let reply = site.call("self_test", json!({})).await;
    assert_eq!(reply["ok"], true, "{reply}");
}

/// The real tools, with one of them spoilt.
struct Spoilt {
    tools: Registry,
    spoil: fn(&Registry, &Context, &str, &mut Result<Value, Value>),
}

impl Dispatcher for Spoilt {
    fn has(&self, tool: &str) -> bool {
        self.tools.find(tool).is_some()
    }

    fn call(&self, site: &Arc<Site>, tool: &str, arguments: Value, _: &Progress) -> Result<Value, Value> {
        let context = Context {
            site: Arc::clone(site),
            client: "test".into(),
            id: "1".into(),
            tool: String::new(),
            arguments: String::new(),
            token: String::new(),
            publish: None,
            session: String::new(),
            journal: Arc::default(),
            rights: Rights::all_but_admin(),
            progress: Progress::default(),
        };
        let outcome = self.tools.find(tool).unwrap().call(&context, arguments.as_object().unwrap().clone());
        let mut outcome = outcome.map(|answer| answer.value).map_err(|refusal| refusal.to_json());
        (self.spoil)(&self.tools, &context, tool, &mut outcome);
        outcome
    }
}

fn failed(site: &TestSite, spoil: fn(&Registry, &Context, &str, &mut Result<Value, Value>)) -> Vec<&'static str> {
    let tools = Spoilt { tools: Registry::standard(), spoil };
    let verified = run(site.site(), &tools, Suite::Quick, &Progress::default()).unwrap();
    assert!(verified.site_changed.is_empty(), "{verified:?}");
    assert_eq!(verified.ok, verified.failed.is_empty());
    verified.failed.iter().map(|failed| failed.step).collect()
}

#[tokio::test]
async fn an_unsound_server_is_found_step_by_step() {
    let site = TestSite::new(SITE).await;
    assert_eq!(failed(&site, |_, _, _, _| {}), Vec::<&str>::new());
    let mute = failed(&site, |_, _, tool, outcome| {
        if let ("page_write", Ok(reply)) = (tool, outcome) {
            *reply = json!({"ok": true});
        }
    });
    assert!(mute.contains(&"create a page") && mute.contains(&"update it, and nothing else"), "{mute:?}");
    let beside = failed(&site, |tools, context, tool, outcome| {
        if tool == "page_write" && outcome.is_ok() {
            let patch = json!({"patch": {"title": format!("T{}", outcome.as_ref().unwrap()["revision"])}});
            tools.find("site_update").unwrap().call(context, patch.as_object().unwrap().clone()).unwrap();
        }
    });
    assert!(beside.contains(&"update it, and nothing else") && beside.contains(&"no leftovers"), "{beside:?}");
    let opaque = failed(&site, |_, _, _, outcome| {
        if let Err(refusal) = outcome {
            *refusal = json!({"code": "error", "message": "failed", "hint": "Try again."});
        }
    });
    let blind = [
        "a stale etag is refused",
        "a wrong argument says what is right",
        "an unknown page is named",
        "fetch an asset, from where it may",
    ];
    assert_eq!(opaque, blind);
    let deaf = failed(&site, |_, _, tool, outcome| {
        if let ("friction_report", Ok(reply)) = (tool, outcome) {
            reply.as_object_mut().unwrap().remove("reported");
        }
    });
    assert_eq!(deaf, ["a report is filed and found again"]);
}

/// The real server, asked for a self-test.
fn asked(site: &Path) -> (Child, impl FnMut() -> Option<Value> + use<>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sitewright"))
        .args(["serve", "--site"])
        .arg(site)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let hello =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    writeln!(input, "{}", json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})).unwrap();
    lines.next().unwrap().unwrap();
    writeln!(input, "{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
    let call = json!({"name": "self_test", "arguments": {}});
    writeln!(input, "{}", json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})).unwrap();
    let answer = move || {
        let _open = &input;
        lines.by_ref().map_while(Result::ok).find_map(|line| {
            let value: Value = serde_json::from_str(&line).ok()?;
            (value["id"] == 1).then(|| value["result"]["structuredContent"].clone())
        })
    };
    (child, answer)
}

#[tokio::test]
async fn killed_at_any_moment_it_leaves_nothing_that_the_next_one_does_not_sweep() {
    let site = TestSite::new(SITE).await;
    site.call("publish", json!({})).await;
    let before = site.fingerprint();
    let begin = Instant::now();
    let (mut child, mut answer) = asked(&site.path());
    assert_eq!(answer().unwrap()["ok"], true);
    let whole = begin.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut left = 0;
    let kills = 6;
    for kill in 1..=kills {
        let (mut child, _answer) = asked(&site.path());
        std::thread::sleep(Duration::max(whole * kill / (kills + 1), Duration::from_millis(5)));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(site.fingerprint(), before, "killed after {kill}/{}", kills + 1);
        left += std::fs::read_dir(site.path().join(".git/sitewright/scratch")).map_or(0, Iterator::count);
    }
    assert!(left > 0, "no kill met a copy");
    let reply = site.call("self_test", json!({})).await;
    assert_eq!(reply["ok"], true, "{reply}");
    assert_eq!(std::fs::read_dir(site.path().join(".git/sitewright/scratch")).unwrap().count(), 0);
    assert_eq!(site.fingerprint(), before);
}
