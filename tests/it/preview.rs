//! The preview server over real HTTP, with builds made up by the test.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sitewright::error::{Error, Result};
use sitewright::model::{BlobId, ContentPath, Data, Diagnostic, File, Output, OutputData, Outputs, Severity, Snapshot};
use sitewright::preview::{Fresh, Previews, Source};
use tokio_util::sync::CancellationToken;

/// A site whose build the test decides.
#[derive(Default)]
struct Scripted {
    files: Mutex<BTreeMap<String, String>>,
    failure: Mutex<Option<String>>,
    findings: Mutex<Vec<Diagnostic>>,
    built_for: Mutex<Vec<String>>,
}

impl Source for Scripted {
    fn build(&self, base_url: &str, _: Option<&Fresh>) -> Result<Fresh> {
        self.built_for.lock().unwrap().push(base_url.to_owned());
        if let Some(problem) = self.failure.lock().unwrap().clone() {
            return Err(Error::InvalidConfig { path: "site.yaml".into(), line: 3, problem });
        }
        let files = self.files.lock().unwrap();
        let outputs = files.iter().map(|(path, text)| (path.clone(), bytes(text))).collect();
        Ok(Fresh { outputs, diagnostics: self.findings.lock().unwrap().clone(), ..Fresh::default() })
    }

    fn bytes(&self, path: &ContentPath, _file: &File) -> Result<Arc<[u8]>> {
        match path.as_str() {
            "static/film.mp4" => Ok(Arc::from(*b"0123456789")),
            _ => Err(Error::NotFound { kind: "file", name: path.to_string(), near: Vec::new() }),
        }
    }
}

fn bytes(text: &str) -> Output {
    Output { data: OutputData::Bytes(Arc::from(text.as_bytes())), source: None }
}

struct Running {
    source: Arc<Scripted>,
    previews: Arc<Previews>,
    port: u16,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<Result<()>>>,
}

impl Running {
    fn new(files: &[(&str, &str)]) -> Self {
        let source = Arc::new(Scripted::default());
        *source.files.lock().unwrap() =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        let previews = Arc::new(Previews::new(Arc::clone(&source) as Arc<dyn Source>, 1));
        let listener = sitewright::preview::bind("127.0.0.1:0".parse().unwrap(), &previews).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let serving = sitewright::preview::serve(listener, Arc::clone(&previews), stop.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let thread = std::thread::spawn(move || runtime.block_on(serving));
        Self { source, previews, port, stop, thread: Some(thread) }
    }

    fn set(&self, path: &str, text: &str) {
        self.source.files.lock().unwrap().insert(path.into(), text.into());
        self.previews.touch();
    }

    /// Sends `GET path` with these header lines; a `Host` is added where there is none.
    fn get(&self, path: &str, headers: &[&str]) -> Reply {
        self.send("GET", path, headers)
    }

    fn send(&self, method: &str, path: &str, headers: &[&str]) -> Reply {
        let mut stream = self.open(method, path, headers);
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw).unwrap();
        Reply::parse(&raw)
    }

    fn open(&self, method: &str, path: &str, headers: &[&str]) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut lines = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|line| line.to_ascii_lowercase().starts_with("host:")) {
            lines += &format!("Host: 127.0.0.1:{}\r\n", self.port);
        }
        for header in headers {
            lines += header;
            lines += "\r\n";
        }
        stream.write_all(format!("{lines}\r\n").as_bytes()).unwrap();
        stream
    }

    fn events(&self, since: u64) -> Events {
        let stream = self.open("GET", &format!("/_sitewright/events?since={since}"), &[]);
        Events(BufReader::new(stream))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        if !std::thread::panicking() {
            ended.unwrap().unwrap().unwrap();
        }
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn parse(raw: &[u8]) -> Self {
        let text = String::from_utf8_lossy(raw).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

struct Events(BufReader<TcpStream>);

impl Events {
    fn next(&mut self) -> serde_json::Value {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).unwrap();
            }
        }
    }
}

const PAGE: &str = "<!doctype html><html><head><title>x</title></head><body>hello</body></html>";

#[test]
fn pages_are_served_fresh_with_the_reload_script() {
    let site = Running::new(&[("index.html", PAGE), ("a.css", "p{}"), ("näh/index.html", PAGE)]);
    let home = site.get("/", &[]);
    assert_eq!(home.status, 200);
    assert_eq!(home.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(home.header("cache-control"), Some("no-store"));
    assert_eq!(home.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(home.header("access-control-allow-origin"), None);
    assert!(home.body.contains("data-file=\"index.html\" defer></script></head>"), "{}", home.body);
    assert_eq!(site.get("/a.css", &[]).body, "p{}");
    assert_eq!(site.get("/n%C3%A4h/?x=1", &[]).status, 200);
    let script = site.get("/_sitewright/reload.js", &[]);
    assert_eq!((script.status, script.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    assert_eq!(
        *site.source.built_for.lock().unwrap(),
        [format!("http://127.0.0.1:{}/", site.port)],
        "built once, for this address"
    );
}

#[test]
fn addresses_behave_as_on_a_static_host() {
    let site = Running::new(&[("index.html", PAGE), ("blog/index.html", PAGE), ("404.html", "<p>none</p>")]);
    let moved = site.get("/blog?page=2", &[]);
    assert_eq!((moved.status, moved.header("location")), (302, Some("/blog/?page=2")));
    assert_eq!(site.get("//blog", &[]).header("location"), None, "never to another host");
    for path in ["/nope/", "/../Cargo.toml", "/%2e%2e/%2e%2e/etc/passwd", "/blog/%00", "/_p/", "/_sitewright/x"] {
        let missing = site.get(path, &[]);
        assert_eq!(missing.status, 404, "{path}");
        assert!(missing.body.contains("<p>none</p>"), "{path}: {}", missing.body);
    }
    assert_eq!(site.get("/%ff", &[]).status, 400);
    let bare = Running::new(&[("index.html", PAGE)]);
    assert_eq!(bare.get("/nope", &[]).status, 404);
    let refused = bare.send("POST", "/", &[]);
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
    let head = bare.send("HEAD", "/", &[]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn markdown_goes_to_those_who_ask_for_it() {
    let site = Running::new(&[("index.html", PAGE), ("index.md", "# Hello\n"), ("about/index.html", PAGE)]);
    let asked = site.get("/", &["Accept: text/markdown, text/html;q=0.9"]);
    assert_eq!(asked.header("content-type"), Some("text/markdown; charset=utf-8"));
    assert_eq!((asked.body.as_str(), asked.header("vary")), ("# Hello\n", Some("Accept")));
    let browser = site.get("/", &["Accept: text/html,application/xhtml+xml,*/*;q=0.8"]);
    assert!(browser.body.contains("hello"));
    assert_eq!(browser.header("vary"), Some("Accept"), "caches must know although they got HTML");
    let without = site.get("/about/", &["Accept: text/markdown"]);
    assert_eq!((without.header("vary"), without.body.contains("hello")), (None, true));
}

#[test]
fn foreign_names_and_pages_are_refused() {
    let site = Running::new(&[("index.html", PAGE)]);
    let port = site.port;
    let host = |name: &str| site.get("/", &[&format!("Host: {name}")]).status;
    assert_eq!(host(&format!("localhost:{port}")), 200);
    for name in [format!("evil.example:{port}"), "127.0.0.1".into(), format!("127.0.0.1:{}", port - 1), String::new()] {
        assert_eq!(host(&name), 403, "{name}");
    }
    assert_eq!(site.get("http://evil.example/", &[]).status, 403);
    let origin = |value: &str| site.get("/_sitewright/reload.js", &[value]).status;
    assert_eq!(origin(&format!("Origin: http://127.0.0.1:{port}")), 200);
    for value in
        ["Origin: https://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"]
    {
        assert_eq!(origin(value), 403, "{value}");
    }
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let refused = sitewright::preview::bind(address.parse().unwrap(), &site.previews).unwrap_err();
        assert_eq!(refused.code(), "invalid_arguments", "{address}");
    }
}

#[test]
fn the_headers_file_of_the_site_holds_in_the_preview() {
    let rules = "/*\n  Content-Security-Policy: default-src 'none'; script-src 'self'\n  Access-Control-Allow-Origin: *\n  Cache-Control: max-age=9\n/b/*\n  X-B: 1\n";
    let site = Running::new(&[("index.html", PAGE), ("_headers", rules), ("b/index.html", PAGE)]);
    let home = site.get("/", &[]);
    assert_eq!(home.header("content-security-policy"), Some("default-src 'none'; script-src 'self'"));
    assert_eq!((home.header("access-control-allow-origin"), home.header("x-b")), (None, None));
    assert_eq!(home.header("cache-control"), Some("no-store"));
    assert_eq!(site.get("/b/", &[]).header("x-b"), Some("1"));
    site.set("_headers", "/*\n  X-New: 1\n");
    assert_eq!(site.get("/", &[]).header("x-new"), Some("1"), "read again with each build");
}

#[test]
fn copies_are_read_from_the_source_and_can_be_seeked() {
    let site = Running::new(&[]);
    let path = ContentPath::from_disk("static/film.mp4").unwrap();
    let inline = ContentPath::from_disk("static/a.txt").unwrap();
    let id = BlobId([7; 20]);
    let mut snapshot = Snapshot::default();
    let loaded = File { id, size: 2, data: Data::Loaded(Arc::from(*b"hi")) };
    snapshot.set(inline.clone(), Some(loaded));
    let copy = |path: &ContentPath| Output { data: OutputData::Copy(path.clone(), id), source: None };
    let gone = ContentPath::from_disk("static/gone.png").unwrap();
    let outputs: Outputs = [("film.mp4", &path), ("a.txt", &inline), ("gone.png", &gone)]
        .map(|(at, from)| (at.to_owned(), copy(from)))
        .into();
    let fresh = Fresh { outputs, snapshot: Arc::new(snapshot), ..Fresh::default() };
    let url = site.previews.register("films", fresh).unwrap();
    assert_eq!(url, format!("http://127.0.0.1:{}/_p/films/", site.port));
    let whole = site.get("/_p/films/film.mp4", &[]);
    assert_eq!((whole.status, whole.body.as_str(), whole.header("accept-ranges")), (200, "0123456789", Some("bytes")));
    let part = site.get("/_p/films/film.mp4", &["Range: bytes=2-4"]);
    assert_eq!((part.status, part.body.as_str(), part.header("content-range")), (206, "234", Some("bytes 2-4/10")));
    assert_eq!(site.get("/_p/films/film.mp4", &["Range: bytes=99-"]).status, 416);
    assert_eq!(site.get("/_p/films/a.txt", &[]).body, "hi");
    assert_eq!(site.get("/_p/films/gone.png", &[]).status, 500);
}

#[test]
fn labelled_builds_stay_as_they_are() {
    let site = Running::new(&[("index.html", "<p>working</p>")]);
    let fresh = |text: &str| Fresh {
        outputs: [("index.html".to_owned(), bytes(text)), ("404.html".to_owned(), bytes("none"))].into(),
        ..Fresh::default()
    };
    site.previews.register("one", fresh("<head></head>one")).unwrap();
    assert_eq!(site.get("/_p/one/", &[]).body, "<head></head>one", "byte for byte, no script");
    assert_eq!(site.get("/_p/one/x", &[]).status, 404);
    site.previews.register("one", fresh("again")).unwrap();
    assert_eq!(site.get("/_p/one/", &[]).body, "again");
    assert_eq!(site.get("/_p/two/", &[]).status, 404);
    for number in 0..16 {
        site.previews.register(&format!("n{number}"), fresh("x")).unwrap();
    }
    assert_eq!(site.get("/_p/one/", &[]).status, 404, "the oldest goes");
    assert_eq!(site.get("/_p/n15/", &[]).status, 200);
    for label in ["", "../x", "A", "a b", &"x".repeat(65)] {
        assert_eq!(site.previews.label_url(label).unwrap_err().code(), "invalid_arguments", "{label}");
    }
    assert!(site.get("/", &[]).body.contains("working"));
}

#[test]
fn browsers_learn_what_changed_and_what_is_wrong() {
    let site = Running::new(&[("index.html", PAGE), ("a.css", "p{}")]);
    let version = site.previews.working().version;
    let mut events = site.events(version);
    let greeting = events.next();
    assert_eq!(greeting["changed"], serde_json::json!([]));
    assert_eq!(greeting["errors"], serde_json::json!([]));

    let finding = Diagnostic {
        severity: Severity::Error,
        code: "broken_link".into(),
        path: ContentPath::from_disk("content/a.md").unwrap(),
        line: 4,
        message: "no page `b.md`".into(),
        hint: "Did you mean `c.md`?".into(),
        refers: None,
    };
    let warning = Diagnostic { severity: Severity::Warning, ..finding.clone() };
    *site.source.findings.lock().unwrap() = vec![finding, warning];
    site.set("a.css", "p{color:red}");
    let changed = events.next();
    assert_eq!(changed["changed"], serde_json::json!(["a.css"]));
    assert_eq!(changed["error_count"], 1);
    assert_eq!(changed["errors"][0]["path"], "content/a.md");
    assert_eq!(changed["errors"][0]["line"], 4);

    site.source.findings.lock().unwrap().clear();
    site.source.files.lock().unwrap().remove("a.css");
    site.set("b/index.html", PAGE);
    let mended = events.next();
    assert_eq!(mended["changed"], serde_json::json!(["a.css", "b/index.html"]));
    assert_eq!(mended["error_count"], 0);

    let late = site.events(version).next();
    assert_eq!(late["changed"], serde_json::json!(["a.css", "b/index.html"]), "two builds in one answer");
    assert!(site.events(999).next()["changed"].is_null(), "an unknown version shows everything anew");
}

#[test]
fn a_site_that_cannot_be_built_keeps_its_last_good_state() {
    let site = Running::new(&[("index.html", PAGE)]);
    *site.source.failure.lock().unwrap() = Some("not <YAML>".into());
    let first = site.get("/", &[]);
    assert_eq!(first.status, 500);
    assert!(first.body.contains("site.yaml:3: not &lt;YAML&gt;") && first.body.contains("reload.js"), "{}", first.body);
    *site.source.failure.lock().unwrap() = None;
    site.previews.touch();
    assert_eq!(site.get("/", &[]).status, 200);
    *site.source.failure.lock().unwrap() = Some("again".into());
    site.previews.touch();
    let kept = site.get("/", &[]);
    assert_eq!((kept.status, kept.body.contains("hello")), (200, true));
    let state = site.events(0).next();
    assert!(state["failure"].as_str().unwrap().contains("again"), "{state}");
}

#[test]
fn the_server_stops_although_a_browser_listens() {
    let site = Running::new(&[("index.html", PAGE)]);
    let mut events = site.events(0);
    events.next();
    // The browser never hangs up: only the server's own patience ends the connection.
    let (say, said) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(site);
        say.send(()).unwrap();
    });
    assert!(said.recv_timeout(Duration::from_mins(1)).is_ok(), "it did not stop");
    drop(events);
}

/// A folder that is watched, and what is said about it.
fn watched(root: &std::path::Path) -> (sitewright::store::Watch, std::sync::mpsc::Receiver<()>) {
    let (sender, received) = std::sync::mpsc::channel();
    (sitewright::store::Watch::start(root, move || sender.send(()).unwrap()), received)
}

#[test]
fn output_and_editor_files_are_no_change() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    std::fs::create_dir_all(root.join("content")).unwrap();
    std::fs::create_dir_all(root.join("public")).unwrap();
    let (watch, received) = watched(root);
    std::fs::write(root.join("public/index.html"), "x").unwrap();
    std::fs::write(root.join("content/.0.md.swp"), "x").unwrap();
    assert!(received.recv_timeout(Duration::from_millis(400)).is_err(), "something was said");
    std::fs::write(root.join("content/0.md"), "x").unwrap();
    received.recv_timeout(Duration::from_mins(1)).expect("nothing said about a page");
    drop(watch);
}

#[test]
fn a_change_on_disk_is_reported_once_per_burst() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    std::fs::create_dir_all(root.join("content")).unwrap();
    let (watch, received) = watched(root);
    // Waits for a report, then until all reports of the same burst are in.
    let reported = |what: &str| {
        received.recv_timeout(Duration::from_mins(1)).unwrap_or_else(|_| panic!("nothing said about {what}"));
        let mut reports = 1_u128;
        while received.recv_timeout(Duration::from_millis(400)).is_ok() {
            reports += 1;
        }
        reports
    };
    let begin = std::time::Instant::now();
    for number in 0..100 {
        std::fs::write(root.join(format!("content/{number}.md")), "x").unwrap();
    }
    let reports = reported("new files");
    // A tenth of a second of quiet ends a burst, so a machine that is kept from writing by others makes several of it.
    let most = (begin.elapsed().as_millis() / 100).max(10);
    assert!(reports < most, "{reports} reports: a burst is one or few, not one for each file");
    // A folder made later is watched too, and so is one that replaces another of the same name.
    std::fs::create_dir_all(root.join("data")).unwrap();
    reported("a new folder");
    std::fs::write(root.join("data/x.yaml"), "x").unwrap();
    reported("a file in the new folder");
    std::fs::rename(root.join("content"), root.join("old")).unwrap();
    std::fs::create_dir_all(root.join("content")).unwrap();
    reported("a replaced folder");
    std::fs::write(root.join("content/again.md"), "x").unwrap();
    reported("a file in the replaced folder");
    std::fs::write(root.join("site.yaml"), "title: x").unwrap();
    reported("the configuration");
    drop(watch);
}
