//! One server over HTTP for clients of both eras of the protocol and with several tokens at once.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use sitewright::server::http::MAX_SESSIONS;

use super::harness::TestSite;
use super::wire::{Client, listen};

const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\n-- content/a.md --\n---\ntitle: A\n---\nText.\n";
const TOKENS: &str = "\
old       old-token-0123456   read,content,publish
new       new-token-0123456   read,content,publish
reader    reader-token-0123   read
publisher publisher-token-01  publish
";
const OLD: &str = "old-token-0123456";
const NEW: &str = "new-token-0123456";

fn add(line: &str) -> Value {
    json!({"pages": [{"path": "a.md", "edits": [{"find": "Text.", "replace": format!("Text.\n{line}")}]}]})
}

#[tokio::test]
async fn clients_of_both_eras_work_on_one_site_in_turns() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), TOKENS).await;
    let old = Client::session(&listening, OLD).await;
    let new = Client::modern(&listening, NEW);
    let tools = |answer: Value| answer["result"]["tools"].clone();
    let listed = tools(old.ask("tools/list", json!({})).await);
    assert_eq!(listed, tools(new.ask("tools/list", json!({})).await), "both see the same tools");
    // What one wrote, the other reads, and its etag is good for a write.
    for (writer, reader, body) in [(&old, &new, "From old.\n"), (&new, &old, "From new.\n"), (&old, &new, "Text.\n")] {
        let read = writer.call("page_get", json!({"paths": ["a.md"]})).await;
        let page = json!({"path": "a.md", "body": body, "if_match": read["pages"][0]["etag"]});
        let written = writer.call("page_write", json!({"pages": [page]})).await;
        assert!(written["revision"].is_string(), "{written}");
        let seen = reader.call("page_get", json!({"paths": ["a.md"], "include": ["body"]})).await;
        assert_eq!(seen["pages"][0]["body"], body, "{seen}");
        assert_eq!(seen["pages"][0]["etag"], written["changed"][0]["etag"], "{written}");
    }
    // Each revision names whose token it was.
    let log = site.git(&["log", "--format=%(trailers:key=Token,valueonly,separator=%x2C)", "refs/sitewright/working"]);
    assert_eq!(log.lines().filter(|name| !name.is_empty()).collect::<Vec<_>>(), ["old", "new", "old"]);
}

#[tokio::test]
async fn clients_of_both_eras_at_the_same_time_lose_nothing() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), TOKENS).await;
    let old = Client::session(&listening, OLD).await;
    let new = Client::modern(&listening, NEW);
    let lines: Vec<(usize, String)> = (0..12).map(|number| (number, format!("Line {number}."))).collect();
    let calls = lines.iter().map(|(number, line)| {
        let client = if number % 2 == 0 { &old } else { &new };
        client.call("page_write", add(line))
    });
    for written in futures::future::join_all(calls).await {
        assert!(written["revision"].is_string(), "{written}");
    }
    let text = site.read("content/a.md");
    for (_, line) in &lines {
        assert_eq!(text.matches(line.as_str()).count(), 1, "{line} in {text}");
    }
}

#[tokio::test]
async fn a_session_ends_when_its_client_says_so_and_others_go_on() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), TOKENS).await;
    let (ending, staying) = (Client::session(&listening, OLD).await, Client::session(&listening, OLD).await);
    let new = Client::modern(&listening, NEW);
    let ended = ending.end().await;
    assert_eq!((ended.status, ended.body.as_str()), (204, ""), "{ended:?}");
    assert_eq!(ending.request("tools/list", json!({})).await.status, 404, "a session that ended is not found");
    for client in [&staying, &new] {
        assert!(client.call("page_get", json!({"paths": ["a.md"]})).await["pages"][0]["etag"].is_string());
    }
    // Only sessions have an end.
    let without = new.end().await;
    assert_eq!(without.status, 400, "{without:?}");
}

#[tokio::test]
async fn requests_without_a_session_take_no_session_away() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), TOKENS).await;
    let new = Client::modern(&listening, NEW);
    for _ in 0..=MAX_SESSIONS {
        assert_eq!(new.request("tools/list", json!({})).await.status, 200);
    }
    Client::session(&listening, OLD).await.call("site_get", json!({})).await;
}

/// The real program over HTTP, ended with the test.
struct Process {
    child: Child,
    address: std::net::SocketAddr,
    folder: tempfile::TempDir,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let binary = env!("CARGO_BIN_EXE_sitewright");
        let folder = tempfile::tempdir().expect("a folder");
        let site = folder.path().join("site");
        let made = Command::new(binary).arg("init").arg(&site).args(["--title", "Test"]).output().expect("it runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(folder.path().join("tokens"), TOKENS).expect("written");
        let mut child = Command::new(binary)
            .args(["serve", "--http", "127.0.0.1:0", "--no-preview", "--token-file", "../tokens"])
            .args(arguments)
            .current_dir(&site)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines().map_while(Result::ok);
        let address =
            lines.find_map(|line| line.strip_prefix("MCP:")?.trim().strip_prefix("http://").map(str::to_owned));
        let address = address.expect("it listens").strip_suffix("/mcp").expect("a path").parse().expect("an address");
        // Read to the end, so that the server never waits for a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, folder }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_read_only_server_lets_no_token_write() {
    let process = Process::start(&["--read-only"]);
    let site = process.folder.path().join("site");
    let refs = || {
        let shown = Command::new("git").args(["show-ref"]).current_dir(&site).output().expect("git runs");
        String::from_utf8(shown.stdout).expect("text")
    };
    let before = refs();
    let names = |answer: &Value| -> Vec<String> {
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    };
    let reader = Client::at(process.address, "reader-token-0123");
    let readable = reader.ask("tools/list", json!({})).await;
    assert!(names(&readable).contains(&"page_get".to_owned()), "{readable}");
    let hints = readable["result"]["tools"].as_array().expect("tools").iter();
    for tool in hints {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
    }
    for token in [OLD, NEW] {
        let writer = Client::at(process.address, token);
        assert_eq!(names(&writer.ask("tools/list", json!({})).await), names(&readable));
        assert!(writer.call("page_get", json!({"paths": ["about.md"]})).await["pages"][0]["etag"].is_string());
        for (tool, arguments) in [
            ("page_write", json!({"pages": [{"path": "about.md", "front_matter": {"title": "New"}}]})),
            ("page_delete", json!({"pages": [{"path": "about.md", "if_match": "*"}]})),
            ("site_sync", json!({})),
            ("publish", json!({})),
        ] {
            let refused = writer.call(tool, arguments).await;
            assert_eq!(refused["code"], "not_allowed", "{tool}: {refused}");
        }
    }
    let publisher = Client::at(process.address, "publisher-token-01");
    assert_eq!(names(&publisher.ask("tools/list", json!({})).await), Vec::<String>::new());
    assert_eq!(Client::at(process.address, "stranger-token-01").request("tools/list", json!({})).await.status, 401);
    assert_eq!(refs(), before, "nothing was written");
}
