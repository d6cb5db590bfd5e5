//! Long calls: what they say on their way, and that one which nobody waits for ends with nothing half done.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rmcp::model::{CallToolRequestParams, ProgressNotificationParam};
use rmcp::service::{NotificationContext, PeerRequestOptions, RoleClient};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sitewright::build::{Cache, Scope, build_followed};
use sitewright::error::Error;
use sitewright::model::{Follower, Progress};
use sitewright::server::{Server, stdio};
use sitewright::site::Call;
use sitewright::site::page::{self, ListQuery, PageEdit, Select};
use sitewright::site::publish::{self, PublishQuery};
use sitewright::tools::{Context, Hints, Registry, Right, Rights, Spec, Tool};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_util::sync::CancellationToken;

use super::harness::TestSite;
use super::wire::PATIENCE;

const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\n-- content/a.md --\n---\ntitle: A\n---\nText.\n";

/// Stops waiting after it was asked a number of times.
struct Impatient {
    left: AtomicUsize,
}

impl Follower for Impatient {
    fn cancelled(&self) -> bool {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
    }

    fn report(&self, done: f64, what: &str) {
        assert!((0.0..=1.0).contains(&done) && !what.is_empty(), "{done} {what}");
    }
}

fn call(tool: &str, patience: usize) -> Call {
    let progress = Progress::followed_by(Arc::new(Impatient { left: AtomicUsize::new(patience) }));
    Call { tool: tool.into(), progress, ..Call::default() }
}

/// Tries with ever more patience until it goes through: how often it was cancelled, each time with nothing changed.
fn cancelled_everywhere(
    state: impl Fn() -> BTreeMap<String, String>,
    run: impl Fn(usize) -> Result<(), Error>,
) -> usize {
    let before = state();
    for patience in 0..1_000 {
        match run(patience) {
            Ok(()) => return patience,
            Err(Error::Cancelled) => assert_eq!(state(), before, "cancelled at question {patience}"),
            Err(other) => panic!("{patience}: {other}"),
        }
    }
    panic!("it never went through");
}

#[tokio::test]
async fn an_edit_can_be_cancelled_at_every_step_and_changes_nothing() {
    let site = TestSite::new(SITE).await;
    let edit = PageEdit {
        path: "a.md".into(),
        body: Some("New.\n".into()),
        if_match: Some("*".into()),
        ..PageEdit::default()
    };
    let steps = cancelled_everywhere(
        || site.fingerprint(),
        |patience| {
            page::write(site.site(), &call("page_write", patience), std::slice::from_ref(&edit), None).map(|_| ())
        },
    );
    assert!(steps >= 8, "only {steps} steps ask");
    site.assert_file("content/a.md", "---\ntitle: A\n---\nNew.\n");
}

/// However many files an edit stages, describes and checks, it asks at each of them whether somebody waits: half a second is never far.
#[tokio::test]
async fn an_edit_of_many_pages_asks_at_each_of_them() {
    const PAGES: usize = 40;
    let page = |n: usize| format!("-- content/n/{n:02}.md --\n---\ntitle: N{n}\n---\nWords.\n");
    let site = TestSite::new(&(SITE.to_owned() + &(0..PAGES).map(page).collect::<String>())).await;
    let query = ListQuery { section: Some("n".into()), ..ListQuery::default() };
    let front_matter = json!({"weight": 1}).as_object().cloned().expect("an object");
    let many = Select { query, front_matter };
    let write = |patience: usize| page::write(site.site(), &call("page_write", patience), &[], Some(&many));
    let before = site.fingerprint();
    let least = (0..100_000).map(|step| step * 10).find(|patience| write(*patience).is_ok()).expect("it goes through");
    assert!(least >= 3 * PAGES, "it asked fewer than {least} times");
    assert_ne!(site.fingerprint(), before);
}

/// Checking links and looking up what is unpublished ask at each page and each path too: counted, so that no clock decides.
#[tokio::test]
async fn a_build_asks_while_it_checks_links_and_a_status_at_each_path() {
    const PAGES: usize = 40;
    let page = |n: usize| format!("-- content/n/{n:02}.md --\n---\ntitle: N{n}\n---\n[a](/a/)\n");
    let site = TestSite::new(&(SITE.to_owned() + &(0..PAGES).map(page).collect::<String>())).await;
    let questions = |run: &dyn Fn(&Progress) -> Result<(), Error>| {
        let asked = Arc::new(Asked::default());
        run(&Progress::followed_by(Arc::clone(&asked) as _)).expect("nobody stops waiting");
        let asked = asked.0.lock().expect("no panic");
        asked.clone()
    };
    let build = |progress: &Progress| {
        let (snapshot, cache) = (site.site().repository().working()?, Cache::default());
        let options = site.site().build_options(Scope::Nothing, false);
        build_followed(&snapshot, &options, &cache, progress).map(|_| ())
    };
    let asked = questions(&build);
    let between = |from: &str, to: &str| {
        let at = |what: &str| asked.iter().position(|word| word.starts_with(what)).expect("it is said");
        asked[at(from)..at(to)].iter().filter(|word| word.is_empty()).count()
    };
    assert!(between("Checking links", "Rendering") >= PAGES, "{asked:?}");
    for n in 0..PAGES {
        std::fs::write(site.path().join(format!("content/n/{n:02}.md")), "Edited by hand.\n").expect("written");
    }
    let asked = questions(&|progress| site.site().repository().status_followed(progress).map(|_| ()));
    assert!(asked.len() >= PAGES, "{asked:?}");
    let before = site.fingerprint();
    for patience in [0, 1, PAGES / 2, PAGES] {
        let progress = call("status", patience).progress;
        assert!(matches!(site.site().repository().status_followed(&progress), Err(Error::Cancelled)), "{patience}");
    }
    assert_eq!(site.fingerprint(), before);
}

/// What is said and, as empty words, what is asked, in order.
#[derive(Default)]
struct Asked(std::sync::Mutex<Vec<String>>);

impl Follower for Asked {
    fn cancelled(&self) -> bool {
        self.0.lock().expect("no panic").push(String::new());
        false
    }

    fn report(&self, _: f64, what: &str) {
        self.0.lock().expect("no panic").push(what.to_owned());
    }
}

#[tokio::test]
async fn a_publish_can_be_cancelled_at_every_step_and_nothing_goes_live() {
    let site = TestSite::with_remote(SITE).await;
    site.call("page_write", json!({"pages": [{"path": "b.md", "create": true, "body": "B.\n"}]})).await;
    let steps = cancelled_everywhere(
        || site.fingerprint(),
        |patience| publish::publish(site.site(), &call("publish", patience), &PublishQuery::default()).map(|_| ()),
    );
    assert!(steps >= 8, "only {steps} steps ask");
    assert!(site.git_remote(&["ls-tree", "-r", "--name-only", "main"]).contains("public/b/index.html"));
}

#[tokio::test]
async fn every_reading_call_can_be_cancelled_while_it_builds_and_changes_nothing() {
    let page = |n: usize| format!("-- content/n/{n:02}.md --\n---\ntitle: N{n}\n---\nWords.\n");
    let pages = SITE.to_owned() + &(0..20).map(page).collect::<String>();
    let registry = Registry::standard();
    let mut reading = 0;
    // `friction_report` reads the journal and builds nothing.
    for tool in registry.tools().filter(|tool| !tool.writes() && tool.name() != "friction_report") {
        // A site of its own each: what one call built, the next would find done.
        let site = TestSite::new(&pages).await;
        let arguments = super::tools::example(tool.schema()).as_object().cloned().expect("an object");
        let mut arguments = arguments;
        for name in ["paths", "pages"] {
            if tool.schema()["properties"].get(name).is_some_and(|list| list["items"]["type"] == "string") {
                arguments.insert(name.into(), serde_json::json!(["/a/"]));
            }
        }
        let steps = cancelled_everywhere(
            || site.fingerprint(),
            |patience| {
                let context = Context {
                    site: site.site().clone(),
                    client: "test".into(),
                    id: "1".into(),
                    tool: tool.name().into(),
                    arguments: String::new(),
                    token: String::new(),
                    rights: Rights::all(),
                    progress: call(tool.name(), patience).progress,
                    session: String::new(),
                    journal: std::sync::Arc::default(),
                    publish: None,
                };
                match tool.call(&context, arguments.clone()) {
                    Ok(_) => Ok(()),
                    Err(refusal) if refusal.code == "cancelled" => Err(Error::Cancelled),
                    // What the example names is not on this site: it was looked up after the build.
                    Err(refusal) if refusal.code == "not_found" => Ok(()),
                    Err(refusal) => panic!("{}: {refusal:?}", tool.name()),
                }
            },
        );
        assert!(steps >= 10, "{} asks only {steps} times", tool.name());
        reading += 1;
    }
    assert!(reading >= 7, "only {reading} tools read");
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

/// A tool that takes `long`, and longer until as many words as `wanted` were heard of it; it says how far it is, out of order at
/// times, as builds on several threads do.
fn slow(long: Duration, wanted: Arc<AtomicUsize>) -> Tool {
    let hints = Hints { read_only: false, destructive: false, idempotent: true, open_world: false };
    let spec = Spec { name: "test_slow", title: "A test", description: "Only for tests.", hints, right: Right::Read };
    Tool::new(spec, move |context: &Context, _: Nothing| -> Result<Value, Error> {
        let begin = Instant::now();
        let is_heard = || wanted.load(Ordering::SeqCst) == 0 || begin.elapsed() > PATIENCE;
        while begin.elapsed() < long || !is_heard() {
            context.proceed()?;
            // Ever nearer to the end, however long it takes.
            let done = 1.0 - long.as_secs_f64() / (long + begin.elapsed()).as_secs_f64();
            context.progress.report(done, "Working");
            context.progress.report(done / 2.0, "Late");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(json!({"done": true}))
    })
}

#[tokio::test]
async fn a_long_call_says_how_far_it_is_to_who_asked_and_nobody_else() {
    let site = TestSite::new(SITE).await;
    let wanted = Arc::new(AtomicUsize::new(0));
    let registry = Registry::empty().with(slow(Duration::from_millis(2_600), Arc::clone(&wanted)));
    let server = Server::new(site.site().clone(), registry, Rights::all_but_admin());
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(theirs);
    tokio::spawn(stdio::serve_over(server, input, output, CancellationToken::new()));
    let (read, mut write) = tokio::io::split(ours);
    let mut lines = BufReader::new(read).lines();
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
        "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    for (meta, asked) in [(json!({}), false), (json!({"progressToken": "p1"}), true)] {
        if !asked {
            write.write_all(format!("{hello}\n{ready}\n").as_bytes()).await.expect("sent");
            lines.next_line().await.expect("an answer");
        }
        wanted.store(if asked { 2 } else { 0 }, Ordering::SeqCst);
        let params = json!({"name": "test_slow", "arguments": {}, "_meta": meta});
        let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params});
        write.write_all(format!("{call}\n").as_bytes()).await.expect("sent");
        let mut last = 0.0;
        let mut words = 0;
        loop {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("in time");
            let message: Value = serde_json::from_str(&line.expect("a line").expect("a line")).expect("JSON");
            if message["id"] == 2 {
                assert_eq!(message["result"]["structuredContent"]["done"], true, "{message}");
                break;
            }
            assert_eq!(message["method"], "notifications/progress", "{message}");
            assert_eq!(message["params"]["progressToken"], "p1", "{message}");
            assert_eq!(message["params"]["total"], 100.0, "{message}");
            assert_eq!(message["params"]["message"], "Working", "{message}");
            let now = message["params"]["progress"].as_f64().expect("a number");
            assert!(now > last && now <= 100.0, "{now} after {last}");
            last = now;
            words += 1;
            let _ = wanted.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        }
        assert_eq!(words >= 2, asked, "{words} words");
    }
}

struct Counting(Arc<AtomicUsize>);

impl rmcp::ClientHandler for Counting {
    async fn on_progress(&self, _: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A tool that ends only when nobody waits for it any more; says on its way that it runs, and at the end that it stopped.
fn endless(stopped: Arc<AtomicUsize>) -> Tool {
    let hints = Hints { read_only: false, destructive: false, idempotent: true, open_world: false };
    let spec =
        Spec { name: "test_endless", title: "A test", description: "Only for tests.", hints, right: Right::Read };
    Tool::new(spec, move |context: &Context, _: Nothing| -> Result<Value, Error> {
        for step in 1_u32.. {
            if let Err(cancelled) = context.proceed() {
                stopped.fetch_add(1, Ordering::SeqCst);
                return Err(cancelled);
            }
            context.progress.report(1.0 - 1.0 / f64::from(step + 1), "Working");
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(json!({}))
    })
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_told_to_stop_in_both_eras() {
    let stopped = Arc::new(AtomicUsize::new(0));
    let mut site = TestSite::new(SITE).await;
    site.serve_also(endless(Arc::clone(&stopped)));
    for (n, modern) in [false, true].into_iter().enumerate() {
        let told = Arc::new(AtomicUsize::new(0));
        let client = site.another(Counting(Arc::clone(&told)), modern).await;
        let request = CallToolRequestParams::new("test_endless").with_arguments(serde_json::Map::new());
        let request = rmcp::model::ClientRequest::CallToolRequest(rmcp::model::CallToolRequest::new(request));
        let handle =
            client.peer().send_cancellable_request(request, PeerRequestOptions::no_options()).await.expect("sent");
        while told.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(stopped.load(Ordering::SeqCst), n, "it runs until it is cancelled");
        handle.cancel(None).await.expect("cancelled");
        while stopped.load(Ordering::SeqCst) == n {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The same client goes on as if nothing had been.
        let list = CallToolRequestParams::new("change_list").with_arguments(serde_json::Map::new());
        client.call_tool(list).await.expect("an answer");
    }
}

/// Stops waiting at the first word that a build of many pages says about itself.
struct Startled {
    words: &'static str,
    heard: AtomicUsize,
}

impl Follower for Startled {
    fn cancelled(&self) -> bool {
        self.heard.load(Ordering::SeqCst) > 0
    }

    fn report(&self, _: f64, what: &str) {
        if what.contains(self.words) {
            self.heard.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn a_big_publish_that_is_cancelled_while_it_renders_leaves_nothing() {
    let page = |n: usize| format!("-- content/n/{n:04}.md --\n---\ntitle: N{n}\n---\nAnd more of them.\n");
    let pages = (0..400).map(page).collect::<Vec<_>>().concat();
    let site = TestSite::with_remote(&pages).await;
    let before = site.fingerprint();
    for words in ["Reading", "Asking", "Rendering"] {
        let follower = Arc::new(Startled { words, heard: AtomicUsize::new(0) });
        let progress = Progress::followed_by(Arc::clone(&follower) as _);
        let call = Call { tool: "publish".into(), progress, ..Call::default() };
        let outcome = publish::publish(site.site(), &call, &PublishQuery::default());
        assert!(matches!(outcome, Err(Error::Cancelled)), "{words}: {:?}", outcome.map(|reply| reply.published));
        assert!(follower.heard.load(Ordering::SeqCst) > 0, "{words} was never said");
        assert!(site.fingerprint() == before, "{words}: something changed");
    }
    let reply = site.call("publish", json!({})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
}
