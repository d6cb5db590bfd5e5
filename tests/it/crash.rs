//! Kills the real server with SIGKILL under load, again and again: no acknowledged edit may be lost, no file torn.
//!
//! `SITEWRIGHT_KILLS` sets the number of kills (default 8, to keep the suite short) and `SITEWRIGHT_SEED` the random stream.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_sitewright");
/// Pages written in turn, so that several edits are under way at once.
const PAGES: usize = 4;

/// A server child with its replies by line.
struct Server {
    child: Child,
    input: ChildStdin,
    replies: Receiver<Value>,
}

impl Server {
    fn start(site: &Path) -> Self {
        let mut child = Command::new(BINARY)
            .args(["serve", "--site"])
            .arg(site)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, replies) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let Ok(value) = serde_json::from_str(&line) else { return };
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        let mut server = Self { child, input, replies };
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "crash", "version": "1"}});
        server.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}));
        server.answer(0);
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        server
    }

    fn send(&mut self, message: &Value) {
        // The process may be dead already: that is the point of the test.
        let _ = writeln!(self.input, "{message}").and_then(|()| self.input.flush());
    }

    fn tool(&mut self, id: usize, name: &str, arguments: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name, "arguments": arguments}}));
    }

    /// The answer to a call; news of changes come whenever they come.
    fn answer(&self, id: usize) -> Value {
        loop {
            let reply =
                self.replies.recv_timeout(Duration::from_mins(1)).unwrap_or_else(|_| panic!("no answer to {id}"));
            if reply["id"] == id {
                return reply;
            }
            assert!(reply["method"].is_string(), "{reply}");
        }
    }

    fn kill(mut self) -> Vec<Value> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.replies.iter().collect()
    }
}

/// xorshift: a stream that a printed seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
    text
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn body(page: usize, value: usize) -> String {
    format!("value {value} of page {page}\n{}", "filler line of some length\n".repeat(value % 40))
}

fn succeeded(reply: &Value) -> bool {
    reply["result"]["structuredContent"]["revision"].is_string()
}

#[test]
fn kill_9_under_load_loses_no_acknowledged_edit() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    run(BINARY, &["init", site.to_str().unwrap(), "--title", "Crash"], folder.path());
    let seed = setting("SITEWRIGHT_SEED", 20_261_123);
    println!("seed {seed}");
    let mut random = Random(seed | 1);
    let mut sent = 1;
    let mut acknowledged = [0; PAGES];
    for page in 0..PAGES {
        std::fs::write(
            site.join(format!("content/p{page}.md")),
            format!("---\ntitle: P{page}\n---\n{}", body(page, 0)),
        )
        .unwrap();
    }
    let mut all = 0;
    for round in 0..setting("SITEWRIGHT_KILLS", 8) {
        let mut server = Server::start(&site);
        let first = sent;
        let mut by_id = BTreeMap::new();
        // Calls run side by side, so a page gets its next edit only when the last one was answered: else their order is open.
        let mut waiting: BTreeMap<usize, usize> = BTreeMap::new();
        let mut replies = Vec::new();
        let begin = std::time::Instant::now();
        let stop = begin + Duration::from_millis(20 + random.below(700));
        let kills = setting("SITEWRIGHT_KILLS", 8);
        // Where nothing was acknowledged until the last round, it goes on until something is.
        let must_go_on = |replies: &[Value]| {
            round + 1 == kills && all == 0 && !replies.iter().any(succeeded) && begin.elapsed() < Duration::from_mins(1)
        };
        while std::time::Instant::now() < stop || must_go_on(&replies) {
            while let Ok(reply) = server.replies.try_recv() {
                waiting.retain(|_, id| reply["id"].as_u64() != Some(*id as u64));
                replies.push(reply);
            }
            std::thread::sleep(Duration::from_millis(1 + random.below(8)));
            let page = random.below(PAGES as u64) as usize;
            if waiting.contains_key(&page) {
                continue;
            }
            waiting.insert(page, sent);
            by_id.insert(sent, page);
            let edit = json!({"path": format!("p{page}.md"), "body": body(page, sent), "if_match": "*"});
            server.tool(sent, "page_write", &json!({"pages": [edit], "message": format!("value {sent}")}));
            sent += 1;
        }
        replies.extend(server.kill());
        for reply in replies {
            let Some(id) = reply["id"].as_u64().map(|id| id as usize).filter(|id| *id >= first) else { continue };
            assert!(succeeded(&reply), "round {round}: {reply}");
            acknowledged[by_id[&id]] = acknowledged[by_id[&id]].max(id);
            all += 1;
        }
        check(&site, round, sent, &acknowledged);
    }
    println!("{all} acknowledged edits");
    assert!(all > 0, "nothing was acknowledged: the test tested nothing");
}

/// After the crash: the repository is sound, and each page shows its last acknowledged value or a later one, whole.
fn check(site: &Path, round: u64, sent: usize, acknowledged: &[usize; PAGES]) {
    run("git", &["fsck", "--strict", "--no-dangling"], site);
    let mut server = Server::start(site);
    // A first write brings the working tree to the tip; calls run one after the other.
    let poke = json!({"path": "about.md", "front_matter": {"poke": round}});
    server.tool(1, "page_write", &json!({"pages": [poke]}));
    let reply = server.answer(1);
    assert!(succeeded(&reply), "round {round}: the first call after a crash: {reply}");
    let paths: Vec<String> = (0..PAGES).map(|page| format!("p{page}.md")).collect();
    server.tool(2, "page_get", &json!({"paths": paths, "include": ["body"]}));
    let reply = server.answer(2);
    let pages = reply["result"]["structuredContent"]["pages"].as_array().unwrap_or_else(|| panic!("{reply}")).clone();
    for (page, view) in pages.iter().enumerate() {
        let text = view["body"].as_str().unwrap();
        let value: usize = text.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(text.trim_end(), body(page, value).trim_end(), "round {round}: page {page} is torn");
        assert!(
            value >= acknowledged[page] && value < sent,
            "round {round}: page {page} shows {value}, acknowledged {}",
            acknowledged[page]
        );
        let disk = std::fs::read_to_string(site.join(format!("content/p{page}.md"))).unwrap();
        assert!(disk.ends_with(text), "round {round}: page {page} differs on disk");
    }
    server.kill();
    let leftovers = run("git", &["for-each-ref", "--format=%(refname)"], site);
    assert!(leftovers.contains("refs/sitewright/"), "{leftovers}");
}

/// A page's new title, published along.
fn greet(server: &mut Server, id: usize) {
    let pages = json!([{"path": "about.md", "front_matter": {"title": "Greetings"}}]);
    server.tool(id, "page_write", &json!({"pages": pages, "publish": true}));
}

/// Killed between an edit and its publish, while the publish waits for a remote that says nothing: the edit stands and is not live, and the same
/// call to the next server publishes it, once.
#[test]
fn kill_9_between_an_edit_and_its_publish_leaves_the_edit_and_the_same_call_publishes_it() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    run(BINARY, &["init", site.to_str().unwrap(), "--title", "Crash"], folder.path());
    let bare = folder.path().join("remote.git");
    run("git", &["init", "-q", "--bare", "-b", "main", bare.to_str().unwrap()], folder.path());
    let address = format!("file://{}", bare.display());
    run("git", &["remote", "add", "origin", &address], &site);
    let published = || run("git", &["rev-list", "--first-parent", "--count", "main"], &bare).trim().to_owned();
    let live = || run("git", &["show", "main:content/about.md"], &bare);
    let mut server = Server::start(&site);
    server.tool(1, "publish", &json!({}));
    let first = server.answer(1);
    assert_eq!(first["result"]["structuredContent"]["pushed"]["ok"], true, "{first}");
    let before = published();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}/remote.git", silent.local_addr().unwrap());
    run("git", &["remote", "set-url", "origin", &nowhere], &site);
    greet(&mut server, 2);
    // It asks the remote: the edit is written and the publish is under way.
    let _asked = silent.accept().unwrap();
    let replies = server.kill();
    assert!(replies.iter().all(|reply| reply["id"] != 2), "it was answered: {replies:?}");
    run("git", &["remote", "set-url", "origin", &address], &site);
    run("git", &["fsck", "--strict", "--no-dangling"], &site);
    let page = std::fs::read_to_string(site.join("content/about.md")).unwrap();
    assert!(page.contains("title: Greetings"), "{page}");
    assert!(!live().contains("Greetings"));
    let mut server = Server::start(&site);
    server.tool(1, "change_list", &json!({}));
    let waiting = server.answer(1)["result"]["structuredContent"].clone();
    assert_eq!((&waiting["total"], &waiting["items"][0]["path"]), (&json!(1), &json!("about.md")), "{waiting}");
    greet(&mut server, 2);
    let again = server.answer(2)["result"]["structuredContent"].clone();
    assert_eq!((&again["unchanged"], &again["published"]["pushed"]["ok"]), (&json!(true), &json!(true)), "{again}");
    assert!(live().contains("title: Greetings"));
    let once = (before.parse::<usize>().unwrap() + 1).to_string();
    assert_eq!(published(), once);
    greet(&mut server, 3);
    let third = server.answer(3)["result"]["structuredContent"].clone();
    assert_eq!(third["published"], json!({"unchanged": true}), "{third}");
    assert_eq!(published(), once);
    server.kill();
}
