//! Many clients over HTTP edit pages of their own while one publishes: nothing is lost, nobody waits for ever, and the remote's
//! history is sound.
//!
//! Small in the suite. The full size, on the program that users run:
//! `SITEWRIGHT_LOAD=full SITEWRIGHT_LOAD_BINARY=target/release/sitewright cargo test --test it load -- --nocapture`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// A call that takes longer hangs: clients give up after 60 seconds.
const PATIENCE: Duration = Duration::from_secs(50);
/// Each page's last line; edits go in front of it.
const END: &str = "The end.";

struct Size {
    clients: usize,
    edits: usize,
    publish_every: Duration,
}

impl Size {
    fn asked() -> Self {
        match std::env::var("SITEWRIGHT_LOAD").as_deref() {
            Ok("full") => Self { clients: 8, edits: 200, publish_every: Duration::from_secs(1) },
            _ => Self { clients: 8, edits: 6, publish_every: Duration::from_millis(200) },
        }
    }
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The program that is tested, away from the machine's own git configuration.
fn program(home: &Path, arguments: &[&str]) -> Command {
    let chosen = std::env::var("SITEWRIGHT_LOAD_BINARY").ok();
    let mut command = Command::new(chosen.as_deref().unwrap_or(env!("CARGO_BIN_EXE_sitewright")));
    command.args(arguments).env("HOME", home).env("GIT_CONFIG_NOSYSTEM", "1").env("SITEWRIGHT_TOKEN", TOKEN);
    command.env_remove("SITEWRIGHT_LOG").stdin(Stdio::null());
    command
}

fn run(home: &Path, arguments: &[&str]) {
    let output = program(home, arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A site with one page for each client, published once to a bare remote, and a server of it.
struct Running {
    folder: tempfile::TempDir,
    server: Child,
    address: String,
}

impl Running {
    fn start(clients: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let (site, remote) = (home.join("site"), home.join("remote.git"));
        let site_name = site.to_str().unwrap();
        run(home, &["init", site_name, "--title", "Load"]);
        git(home, &["init", "-q", "--bare", "-b", "main", remote.to_str().unwrap()]);
        git(&site, &["config", "user.name", "Ada"]);
        git(&site, &["config", "user.email", "ada@example.org"]);
        git(&site, &["remote", "add", "origin", &format!("file://{}", remote.display())]);
        for client in 0..clients {
            let text = format!("---\ntitle: Page {client}\n---\n\n{END}\n");
            std::fs::write(site.join(format!("content/blog/p{client}.md")), text).unwrap();
        }
        run(home, &["publish", "--site", site_name, "--yes", "-m", "First"]);
        let arguments = ["serve", "--site", site_name, "--http", "127.0.0.1:0", "--preview", "127.0.0.1:0"];
        let mut server = program(home, &arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(server.stderr.take().unwrap());
        let mut address = String::new();
        while address.is_empty() {
            let mut line = String::new();
            assert!(said.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
            let found = line.split_whitespace().find_map(|word| word.strip_prefix("http://")?.strip_suffix("/mcp"));
            found.unwrap_or_default().clone_into(&mut address);
        }
        // Read to the end, so that the server never waits for a full pipe.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::stderr()));
        Self { folder, server, address }
    }

    fn site(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Calls a tool as a client of 2026-07-28 does: one request, no session.
fn call(address: &str, tool: &str, arguments: &Value) -> (bool, Value) {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "load", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
    // HTTP/1.0: the answer comes in one piece and the connection ends with it.
    let head = format!(
        "POST /mcp HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n\
         Mcp-Name: {tool}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    read.unwrap_or_else(|error| panic!("{tool}: no whole answer in {} s: {error}", PATIENCE.as_secs()));
    let found = answer.split_once("\r\n\r\n").and_then(|(_, body)| Some(&body[body.find('{')?..=body.rfind('}')?]));
    let message: Value = found.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| panic!("{answer}"));
    let text = message["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{message}"));
    (message["result"]["isError"] == true, serde_json::from_str(text).unwrap())
}

fn done(address: &str, tool: &str, arguments: &Value) -> Value {
    let (refused, reply) = call(address, tool, arguments);
    assert!(!refused, "{tool}: {reply}");
    reply
}

/// One client's edits: a new line each, on its own page. The revisions it was told, and how long each call took.
fn edit(address: &str, client: usize, edits: usize) -> (Vec<String>, Vec<Duration>) {
    let (mut revisions, mut took) = (Vec::new(), Vec::new());
    for number in 0..edits {
        let line = line(client, number);
        let edits = json!([{"find": END, "replace": format!("{line}\n\n{END}")}]);
        let pages = json!([{"path": format!("blog/p{client}.md"), "edits": edits}]);
        let begin = Instant::now();
        let reply = done(address, "page_write", &json!({"pages": pages, "message": line}));
        took.push(begin.elapsed());
        revisions.push(reply["revision"].as_str().unwrap_or_else(|| panic!("no revision: {reply}")).to_owned());
    }
    (revisions, took)
}

fn line(client: usize, number: usize) -> String {
    format!("Line {number} of client {client}.")
}

/// Publishes until told to stop; how long each publish took.
fn publish(address: &str, every: Duration, stop: &AtomicBool) -> Vec<Duration> {
    let mut took = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let begin = Instant::now();
        let reply = done(address, "publish", &json!({"message": format!("Publish {}", took.len())}));
        took.push(begin.elapsed());
        assert_ne!(reply["pushed"]["ok"], false, "{reply}");
        std::thread::sleep(every.saturating_sub(begin.elapsed()));
    }
    took
}

fn figures(name: &str, mut took: Vec<Duration>) -> String {
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    let count = took.len();
    format!("{count} {name}: p50 {:.0} ms, p99 {:.0} ms, longest {:.0} ms", at(0.5), at(0.99), at(1.0))
}

#[test]
fn load_of_many_clients_and_a_publisher_loses_nothing() {
    let size = Size::asked();
    let running = Running::start(size.clients);
    let address = running.address.as_str();
    let (stop, working) = (AtomicBool::new(false), AtomicUsize::new(size.clients));
    let begin = Instant::now();
    let (told, edits_took, publishes_took, spent) = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| publish(address, size.publish_every, &stop));
        let (stop, working) = (&stop, &working);
        let clients: Vec<_> = (0..size.clients)
            .map(|client| {
                scope.spawn(move || {
                    // Also when it fails: the publisher must not go on for ever.
                    let _last = Last { working, stop };
                    edit(address, client, size.edits)
                })
            })
            .collect();
        let (mut told, mut took) = (Vec::new(), Vec::new());
        for client in clients {
            let (revisions, times) = client.join().unwrap();
            told.push(revisions);
            took.extend(times);
        }
        let spent = begin.elapsed();
        (told, took, publisher.join().unwrap(), spent)
    });
    let mut report = format!("{:.1} edits/s", edits_took.len() as f64 / spent.as_secs_f64());
    let _ = write!(report, "; {}; {}", figures("edits", edits_took), figures("publishes", publishes_took));
    eprintln!("{report}");
    done(address, "publish", &json!({"message": "Last"}));
    sound(&running, &told);
}

/// Tells the publisher to stop once the last client is gone.
struct Last<'a> {
    working: &'a AtomicUsize,
    stop: &'a AtomicBool,
}

impl Drop for Last<'_> {
    fn drop(&mut self) {
        if self.working.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.stop.store(true, Ordering::SeqCst);
        }
    }
}

/// Every acknowledged edit is on disk, live, built and in the remote's history; nothing else is.
fn sound(running: &Running, told: &[Vec<String>]) {
    let (site, remote) = (running.site(), running.remote());
    for (client, revisions) in told.iter().enumerate() {
        let path = format!("content/blog/p{client}.md");
        let text = std::fs::read_to_string(site.join(&path)).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("Line ")).collect();
        let wanted: Vec<String> = (0..revisions.len()).map(|number| line(client, number)).collect();
        assert_eq!(lines, wanted, "{path}");
        assert_eq!(git(&remote, &["show", &format!("main:{path}")]), text.trim_end(), "{path} on the remote");
        let page = git(&remote, &["show", &format!("main:public/blog/p{client}/index.html")]);
        assert!(wanted.iter().all(|line| page.contains(line.as_str())), "{path} is not built on the remote");
    }
    // Each edit is in the remote's history once, as a commit that changed that client's page only. What was written while a
    // publish went out was put on top of it since then: the revision that was told stays good in the site's repository.
    let history = git(&remote, &["log", "--no-merges", "--format=%x00%s", "--name-only", "main"]);
    let edits = history
        .split('\0')
        .filter_map(|entry| entry.split_once('\n'))
        .filter(|(subject, _)| subject.starts_with("Line "));
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (subject, files) in edits {
        assert_eq!(seen.insert(subject, files.trim()), None, "{subject} is there twice");
    }
    assert_eq!(seen.len(), told.iter().map(Vec::len).sum::<usize>());
    let kept = git(&site, &["rev-list", "--all"]);
    let kept: BTreeSet<&str> = kept.lines().collect();
    for (client, revisions) in told.iter().enumerate() {
        let path = format!("content/blog/p{client}.md");
        for (number, revision) in revisions.iter().enumerate() {
            assert_eq!(seen.get(line(client, number).as_str()), Some(&path.as_str()));
            let found = kept.range(revision.as_str()..).next();
            assert!(found.is_some_and(|id| id.starts_with(revision.as_str())), "{revision} is gone");
        }
        let last = revisions.last().unwrap();
        let undone = done(&running.address, "revision_restore", &json!({"undo": [last], "dry_run": true}));
        assert_eq!(undone["changed"][0]["path"], format!("blog/p{client}.md"), "{undone}");
    }
    let publishes = git(&remote, &["log", "--first-parent", "--format=%s", "main"]);
    assert!(publishes.lines().all(|subject| !subject.starts_with("Line ")), "an edit is on the first-parent line");
    git(&remote, &["fsck", "--strict"]);
    git(&site, &["fsck", "--strict"]);
    assert_eq!(git(&site, &["status", "--porcelain"]), "");
    assert_eq!(
        git(&site, &["rev-parse", "main", "origin/main"]).lines().nth(1),
        Some(git(&remote, &["rev-parse", "main"]).as_str())
    );
    assert_eq!(git(&site, &["rev-parse", "main"]), git(&remote, &["rev-parse", "main"]));
}
