//! Pictures of pages: what a browser shows, that it reaches no network, and that nothing of it stays. Where no Chromium is
//! installed, the tests that need one say so and pass.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::{RoleClient, RunningService};
use serde_json::{Value, json};
use sitewright::error::Error;
use sitewright::model::{Follower, Progress};
use sitewright::outside::browser::{Answer, Browser, Look};
use sitewright::server::{Server, stdio};
use sitewright::tools::{Registry, Rights};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::harness::TestSite;

const DESKTOP: Look = Look { width: 1280, height: 800, scale: 1, mobile: false, dark: false };
const SITE: &str = "\
-- content/_index.md --
---
title: Home
---
Hello.
-- content/a.md --
---
title: A page
---
Some words.
";

/// The browser of this machine behind a script that notes its process group, and the folder of that note.
fn noted() -> Option<(Browser, TempDir)> {
    let Some(real) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(name).is_file())
    }) else {
        eprintln!("no Chromium is installed: nothing was tried");
        return None;
    };
    Some(script(&format!("exec {real} \"$@\"")))
}

/// A browser that is this shell script.
fn script(text: &str) -> (Browser, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("browser");
    std::fs::write(&program, format!("#!/bin/sh\necho $$ > {}/group\n{text}\n", folder.path().display()))
        .expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it can be run");
    (Browser::among(Some(program.as_os_str()), OsStr::new("")).expect("it is there"), folder)
}

/// How many processes of the group that a script noted still run.
fn still_running(folder: &Path) -> usize {
    let group = std::fs::read_to_string(folder.join("group")).expect("it was started").trim().to_owned();
    let stats = std::fs::read_dir("/proc").expect("/proc").flatten().filter_map(|entry| {
        let text = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // After the name, which may hold anything: state, parent, group.
        let after: Vec<String> = text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect();
        Some((after[0].clone(), after[2].clone()))
    });
    stats.filter(|(state, its)| *its == group && state != "Z").count()
}

fn page(body: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![("content-type".into(), "text/html; charset=utf-8".into())],
        body: body.as_bytes().into(),
    }
}

fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

async fn client(site: &TestSite, browser: impl Into<Arc<Browser>>) -> RunningService<RoleClient, ()> {
    let registry = Registry::standard().with_browser(browser.into());
    let server = Server::new(site.site().clone(), registry, Rights::all_but_admin());
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(theirs);
    tokio::spawn(stdio::serve_over(server, input, output, CancellationToken::new()));
    ().serve(ours).await.expect("the handshake works")
}

async fn preview(client: &RunningService<RoleClient, ()>, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    client.call_tool(CallToolRequestParams::new("preview").with_arguments(arguments)).await.expect("an answer")
}

fn refusal(result: &CallToolResult) -> Value {
    assert_eq!(result.is_error, Some(true), "{result:?}");
    serde_json::from_str(&result.content[0].as_text().expect("text").text).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_shown_as_visitors_will_see_it() {
    let Some((browser, folder)) = noted() else { return };
    let site = TestSite::new(SITE).await;
    let client = client(&site, browser).await;
    site.call("page_write", json!({"pages": [{"path": "new.md", "create": true, "body": "Not live yet.\n"}]})).await;
    let before = site.fingerprint();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for (arguments, size) in [
        (json!({"as": "screenshot"}), (1280, 800)),
        (json!({"as": "screenshot", "dark": true, "pages": ["/new/"]}), (1280, 800)),
        (json!({"as": "screenshot", "viewport": "phone", "pages": ["/new/"], "only": true}), (780, 1560)),
    ] {
        let result = preview(&client, arguments.clone()).await;
        assert_ne!(result.is_error, Some(true), "{arguments}: {result:?}");
        let value = result.structured_content.clone().expect("facts");
        assert_eq!(result.content[0].as_text().expect("text").text, value.to_string());
        assert_eq!((result.content.len(), &value["pages"][0]["url"]), (2, &json!("/new/")), "{value}");
        let image = result.content[1].as_image().expect("a picture");
        assert_eq!(image.mime_type, "image/png");
        assert!(image.data.len() < 1_000_000);
        let bytes = STANDARD.decode(&image.data).expect("base64");
        assert_eq!(png_size(&bytes), size, "{arguments}");
        let told = &value["pages"][0]["image"];
        assert_eq!(told["px"], json!({"width": size.0, "height": size.1}));
        assert_eq!(told["bytes"], bytes.len());
        assert!(value["pages"][0]["page_height"].as_u64().is_some_and(|height| height >= 700), "{value}");
        assert_eq!(value["pages"][0].get("not_loaded"), None, "the theme's own files are all there: {value}");
        seen.push(bytes);
    }
    assert!(seen[0] != seen[1], "the default theme is another one in the dark");
    assert_eq!(site.fingerprint(), before, "looking changes nothing");
    assert_eq!(still_running(folder.path()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shown_is_refused_before_a_browser_starts() {
    let (browser, folder) = script("exit 1");
    let site = TestSite::new(SITE).await;
    let client = client(&site, browser).await;
    let six = ["/a/", "/a/", "/a/", "/a/", "/a/", "/"];
    let many = refusal(&preview(&client, json!({"as": "screenshot", "pages": six})).await);
    assert_eq!((&many["code"], &many["details"]["field"]), (&json!("invalid_arguments"), &json!("pages")), "{many}");
    let missing = refusal(&preview(&client, json!({"as": "screenshot", "pages": ["/aa/"]})).await);
    assert_eq!(missing["code"], "not_found", "{missing}");
    let nothing = preview(&client, json!({"as": "screenshot"})).await;
    assert_eq!(nothing.structured_content.expect("facts")["pages"], json!([]));
    assert!(!folder.path().join("group").exists(), "none of these starts it");
    let broken = refusal(&preview(&client, json!({"as": "screenshot", "pages": ["/a/"]})).await);
    assert_eq!(broken["code"], "browser_failed", "{broken}");
    assert!(broken["hint"].as_str().is_some_and(|hint| hint.contains("as: html")), "{broken}");
    // Everything else needs no browser.
    let html = preview(&client, json!({"as": "html", "pages": ["/a/"]})).await;
    assert!(html.structured_content.expect("facts")["pages"][0]["html"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_browser_nothing_of_it_is_offered() {
    let site = TestSite::new(SITE).await;
    let error = site.call_err("preview", json!({"as": "screenshot"})).await;
    assert_eq!((&error["code"], &error["details"]["field"]), (&json!("invalid_arguments"), &json!("as")), "{error}");
    let schema = |registry: &Registry| Value::Object(registry.find("preview").expect("it is there").schema().clone());
    let without = schema(&Registry::standard()).to_string();
    for word in ["screenshot", "viewport", "dark"] {
        assert!(!without.contains(word), "{word} in {without}");
    }
    let (browser, _folder) = script("exit 1");
    let with = schema(&Registry::standard().with_browser(Arc::new(browser)));
    assert!(with["properties"]["as"]["enum"].to_string().contains("screenshot"), "{with}");
    assert!(with.to_string().len() - without.len() <= 320, "{} bytes more", with.to_string().len() - without.len());
}

#[test]
fn a_page_reaches_nothing_but_the_files_it_is_given_and_runs_no_script() {
    let Some((browser, folder)) = noted() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it does not block");
    let out = format!("http://127.0.0.1:{}", listener.local_addr().expect("an address").port());
    let html = format!(
        "<!doctype html><html><head><link rel=stylesheet href=/own.css><link rel=stylesheet href={out}/a.css>\
         <link rel=preconnect href={out}><link rel=dns-prefetch href={out}><link rel=prefetch href={out}/b>\
         <style>@import url({out}/c.css); @font-face {{ font-family: F; src: url({out}/f.woff2) }} p {{ font-family: F }}</style>\
         <script src=/own.js></script><script>new Image().src = '/ran'; fetch('{out}/fetch'); new WebSocket('ws{}/ws'); while (true) {{}}</script>\
         </head><body onload=\"alert(1)\"><p>Words.</p><img src={out}/x.png><iframe src={out}/frame></iframe>\
         <iframe src='data:text/html,<img src={out}/deep.png>'></iframe><object data={out}/o></object><video src={out}/v autoplay></video>\
         <iframe src=file:///etc/passwd></iframe></body></html>",
        &out[4..],
    );
    let asked = RefCell::new(Vec::new());
    let files = |url: &str| {
        asked.borrow_mut().push(url.to_owned());
        match url {
            "https://example.org/" => Some(page(&html)),
            "https://example.org/own.css" => Some(Answer {
                headers: vec![("content-type".into(), "text/css".into())],
                ..page("body { height: 3000px } body, p { margin: 0 }")
            }),
            _ => None,
        }
    };
    let urls = ["https://example.org/".to_owned()];
    let shots = browser.shoot(&urls, DESKTOP, 700_000, &files, &Progress::default()).expect("a picture");
    assert_eq!(png_size(&shots[0].bytes), (1280, 800));
    assert_eq!(shots[0].page_height, 3000, "its own style sheet counts");
    for path in ["/a.css", "/c.css", "/x.png"] {
        assert!(shots[0].refused.contains(&format!("{out}{path}")), "{path}: {:?}", shots[0].refused);
    }
    let asked = asked.into_inner();
    assert!(!asked.iter().any(|url| url.ends_with("/ran") || url.ends_with("/fetch")), "a script ran: {asked:?}");
    assert_eq!(still_running(folder.path()), 0);
    assert!(matches!(listener.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock), "it reached the network");
}

#[test]
fn a_picture_that_is_too_large_gets_worse_until_it_fits() {
    let Some((browser, _folder)) = noted() else { return };
    // Noise cannot be compressed: 800 by 500 pixels of it, as a bitmap without compression.
    let (width, height) = (800_u32, 500_u32);
    let mut noise = Vec::from(*b"BM");
    for number in [54 + width * height * 3, 0, 54, 40, width, height, 0x0018_0001, 0, 0, 0, 0, 0, 0] {
        noise.extend(number.to_le_bytes());
    }
    let mut state = 1_u32;
    noise.extend((0..width * height * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }));
    let noise: Arc<[u8]> = noise.into();
    let files = |url: &str| match url {
        "https://example.org/" => Some(page("<body style='margin: 0'><img src=/noise.bmp>")),
        _ => Some(Answer {
            status: 200,
            headers: vec![("content-type".into(), "image/bmp".into())],
            body: noise.clone(),
        }),
    };
    let urls = ["https://example.org/".to_owned()];
    let small = browser.shoot(&urls, DESKTOP, 300_000, &files, &Progress::default()).expect("a picture");
    assert_eq!(small[0].media_type, "image/jpeg");
    assert!(small[0].bytes.starts_with(b"\xff\xd8\xff") && small[0].bytes.len() <= 300_000, "{}", small[0].bytes.len());
    let error = browser.shoot(&urls, DESKTOP, 500, &files, &Progress::default()).expect_err("too small a limit");
    assert!(matches!(error, Error::TooLarge { limit: 500, .. }), "{error}");
}

/// Waits no longer after it was asked a few times.
struct Impatient(AtomicUsize);

impl Follower for Impatient {
    fn cancelled(&self) -> bool {
        self.0.fetch_add(1, Ordering::SeqCst) > 4
    }

    fn report(&self, _: f64, _: &str) {}
}

#[test]
fn a_browser_that_hangs_is_killed_with_its_children_when_nobody_waits() {
    let (browser, folder) = script("sleep 600 & sleep 600");
    let progress = Progress::followed_by(Arc::new(Impatient(AtomicUsize::new(0))));
    let urls = ["https://example.org/".to_owned()];
    let error = browser.shoot(&urls, DESKTOP, 1_000, &|_| None, &progress).expect_err("nobody waits");
    assert!(matches!(error, Error::Cancelled), "{error}");
    for _ in 0..100 {
        if still_running(folder.path()) == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{} processes are left", still_running(folder.path()));
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let Some((browser, folder)) = noted() else { return };
    let shoot = |colour: &str| {
        let html = format!("<body style='margin: 0; background: {colour}'>");
        let files = move |url: &str| (url == "https://example.org/").then(|| page(&html));
        let urls = ["https://example.org/".to_owned()];
        browser.shoot(&urls, DESKTOP, 700_000, &files, &Progress::default()).expect("a picture").remove(0).bytes
    };
    let alone = [shoot("red"), shoot("blue")];
    assert_ne!(alone[0], alone[1]);
    let together = std::thread::scope(|scope| {
        let both = ["red", "blue"].map(|colour| scope.spawn(move || shoot(colour)));
        both.map(|one| one.join().expect("a picture"))
    });
    assert!(together == alone, "each shows its own page");
    assert_eq!(still_running(folder.path()), 0);
}

/// Has its turn with the browser from the first word on, until it is told to go on.
struct Slow {
    has_turn: Mutex<Option<Sender<()>>>,
    go_on: Mutex<Receiver<()>>,
}

impl Follower for Slow {
    fn cancelled(&self) -> bool {
        false
    }

    fn report(&self, _: f64, _: &str) {
        if let Some(has_turn) = self.has_turn.lock().expect("no panic").take() {
            has_turn.send(()).expect("somebody waits");
            self.go_on.lock().expect("no panic").recv().expect("it is told");
        }
    }
}

/// One picture at a time: who waits for another's longer than for a picture is told so, and may send the same call again.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_screenshot_is_refused_while_the_first_does_not_end() {
    let (browser, folder) = script("exit 1");
    let browser = Arc::new(browser.with_patience(Duration::from_millis(300)));
    let site = TestSite::new(SITE).await;
    let client = client(&site, Arc::clone(&browser)).await;
    let ((has_turn, told), (go_on, waits)) = (channel(), channel());
    let slow = Slow { has_turn: Mutex::new(Some(has_turn)), go_on: Mutex::new(waits) };
    let first = std::thread::spawn(move || {
        let progress = Progress::followed_by(Arc::new(slow));
        browser.shoot(&["https://example.org/".to_owned()], DESKTOP, 1_000, &|_| None, &progress)
    });
    told.recv().expect("the first has its turn");
    let before = site.fingerprint();
    let asked = json!({"as": "screenshot", "pages": ["/a/"]});
    let busy = refusal(&preview(&client, asked.clone()).await);
    assert_eq!(busy["code"], "busy", "{busy}");
    assert!(busy["message"].as_str().is_some_and(|text| text.contains("another screenshot")), "{busy}");
    assert!(busy["hint"].as_str().is_some_and(|hint| hint.contains("Send the same call again")), "{busy}");
    assert!(!folder.path().join("group").exists(), "no browser was started for it");
    assert_eq!(site.fingerprint(), before);
    go_on.send(()).expect("the first waits");
    let error = first.join().expect("no panic").expect_err("its browser does nothing");
    assert!(matches!(error, Error::BrowserFailed { .. }), "{error}");
    let again = refusal(&preview(&client, asked).await);
    assert_eq!(again["code"], "browser_failed", "its turn has come: {again}");
}

#[test]
fn a_browser_that_takes_too_long_is_ended() {
    let (browser, folder) = script("sleep 600");
    let browser = browser.with_patience(Duration::from_millis(300));
    let urls = ["https://example.org/".to_owned()];
    let error = browser.shoot(&urls, DESKTOP, 1_000, &|_| None, &Progress::default()).expect_err("no picture");
    assert!(matches!(&error, Error::BrowserFailed { .. }) && error.to_string().contains("too long"), "{error}");
    assert_eq!(still_running(folder.path()), 0);
}
