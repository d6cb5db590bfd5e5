//! What leaves the machine: the guard of fetches, their limits, and the check of links elsewhere.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sitewright::error::{Error, Result};
use sitewright::model::Progress;
use sitewright::model::config::FetchConfig;
use sitewright::outside::Guard;
use sitewright::outside::fetch::{Fetched, Limits, get};
use sitewright::outside::links::{self, Options, State};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A header's value; empty where it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.head.lines().filter_map(|line| line.split_once(':'));
        found.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.trim())
    }
}

/// A server on loopback that answers as it is told and remembers what it was asked. Ends with the test's process.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, seen, answer) = (stream.unwrap(), Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    seen.lock().unwrap().push(request.clone());
                    answer(&request, &mut stream);
                });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut head = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut request = Request { method, target, head, body: Vec::new() };
    request.body = vec![0; request.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// Sends a whole answer. Whoever asked may have left.
pub(crate) fn send(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// A guard that lets loopback in.
pub(crate) fn loopback() -> Guard {
    Guard::new(&FetchConfig { allow: vec!["127.0.0.0/8".into()], ..FetchConfig::default() })
}

fn limits() -> Limits<'static> {
    Limits { max_bytes: 100_000, whole: Duration::from_secs(20), types: &[] }
}

fn fetch(url: &str) -> Result<Fetched> {
    get(&loopback(), url, &limits(), &Progress::default())
}

fn refused(result: Result<Fetched>) -> String {
    match result.unwrap_err() {
        Error::FetchRefused { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

fn failed(result: Result<Fetched>) -> String {
    match result.unwrap_err() {
        Error::FetchFailed { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_is_read_through_redirects_without_carrying_anything_along() {
    let server = Server::start(|request, stream| match request.target.as_str() {
        "/a" => send(stream, "302 Found", "Location: /b?x=1\r\nSet-Cookie: s=1\r\n", b""),
        _ => send(stream, "200 OK", "Content-Type: Image/PNG; charset=x\r\n", b"bytes"),
    });
    let fetched = fetch(&server.url("/a#part")).unwrap();
    assert_eq!((fetched.bytes.as_slice(), fetched.content_type.as_deref()), (&b"bytes"[..], Some("image/png")));
    assert_eq!(fetched.url, server.url("/b?x=1"));
    let seen = server.requests();
    assert_eq!(seen.iter().map(|r| r.target.as_str()).collect::<Vec<_>>(), ["/a", "/b?x=1"]);
    for request in &seen {
        for name in ["cookie", "authorization", "referer", "proxy-authorization"] {
            assert_eq!(request.header(name), "", "{name}");
        }
    }
}

#[test]
fn without_permission_nothing_private_is_asked() {
    let server = Server::start(|_, stream| send(stream, "200 OK", "", b"secret"));
    let guard = Guard::new(&FetchConfig::default());
    for url in [server.url("/"), format!("http://localhost:{}/", server.address.port())] {
        let reason = refused(get(&guard, &url, &limits(), &Progress::default()));
        assert!(reason.contains("this machine"), "{url}: {reason}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn redirects_are_checked_like_the_first_address() {
    for (place, why) in [
        ("http://169.254.169.254/latest/meta-data/", "link-local"),
        ("http://[::ffff:169.254.169.254]/", "link-local"),
        ("http://10.0.0.1/", "private"),
        ("file:///etc/passwd", "http and https"),
        ("http://user:secret@127.0.0.1/", "user name"),
    ] {
        let server = Server::start(move |_, stream| send(stream, "301 Moved", &format!("Location: {place}\r\n"), b""));
        let reason = refused(fetch(&server.url("/")));
        assert!(reason.contains(why), "{place}: {reason}");
        assert_eq!(server.requests().len(), 1);
    }
    let server = Server::start(|_, stream| send(stream, "302 Found", "Location: /again\r\n", b""));
    assert!(refused(fetch(&server.url("/"))).contains("more than 5"));
}

#[test]
fn the_address_that_was_checked_is_the_one_that_is_dialled() {
    let server = Server::start(|request, stream| match request.target.as_str() {
        "/move" => send(stream, "302 Found", "Location: /there\r\n", b""),
        _ => send(stream, "200 OK", "", b"first"),
    });
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    // Each answer but the first leads into the private network, as an attacker's name server would.
    let resolve = move |host: &str| {
        assert_eq!(host, "rebind.example");
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        Ok(vec![if first { IpAddr::from([127, 0, 0, 1]) } else { IpAddr::from([10, 0, 0, 1]) }])
    };
    let guard = loopback().with_resolver(Arc::new(resolve));
    let url = |path: &str| format!("http://rebind.example:{}{path}", server.address.port());
    let fetched = get(&guard, &url("/"), &limits(), &Progress::default()).unwrap();
    assert_eq!((fetched.bytes.as_slice(), asked.load(Ordering::SeqCst)), (&b"first"[..], 1));
    asked.store(0, Ordering::SeqCst);
    let reason = refused(get(&guard, &url("/move"), &limits(), &Progress::default()));
    assert!(reason.contains("its name leads to a private address") && !reason.contains("10.0.0.1"), "{reason}");
}

#[test]
fn what_is_too_much_is_left_unread() {
    let told = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n");
    });
    assert!(refused(fetch(&told.url("/"))).contains("larger than 100000 bytes"));
    let untold = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        // Ends when the reader hangs up.
        while stream.write_all(format!("1000\r\n{}\r\n", "x".repeat(0x1000)).as_bytes()).is_ok() {}
    });
    assert!(refused(fetch(&untold.url("/"))).contains("larger than 100000 bytes"));
    let head = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(format!("X-A: {}\r\n", "x".repeat(1000)).as_bytes()).is_ok() {}
    });
    assert!(matches!(fetch(&head.url("/")), Err(Error::FetchFailed { .. })));
}

#[test]
fn what_takes_too_long_is_given_up() {
    let limits = Limits { whole: Duration::from_millis(400), ..limits() };
    let dribbling = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let silent = Server::start(|_, _| std::thread::sleep(Duration::from_mins(1)));
    for server in [dribbling, silent] {
        let reason = failed(get(&loopback(), &server.url("/"), &limits, &Progress::default()));
        assert_eq!(reason, "no answer in time");
    }
}

#[test]
fn lies_about_length_type_and_coding_are_noticed() {
    let short = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nonly this");
    });
    assert!(matches!(fetch(&short.url("/")), Err(Error::FetchFailed { .. })));
    let long = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nonly this");
    });
    assert_eq!(fetch(&long.url("/")).unwrap().bytes, b"only");
    let packed = Server::start(|_, stream| send(stream, "200 OK", "Content-Encoding: gzip\r\n", b"\x1f\x8b"));
    assert!(refused(fetch(&packed.url("/"))).contains("compressed"));
    let page = Server::start(|_, stream| send(stream, "200 OK", "Content-Type: text/html\r\n", b"<p>"));
    let only = Limits { types: &["application/rss+xml", "text/xml"], ..limits() };
    let reason = refused(get(&loopback(), &page.url("/"), &only, &Progress::default()));
    assert!(reason.contains("text/html") && reason.contains("rss"), "{reason}");
    let gone = Server::start(|_, stream| send(stream, "404 Not Found", "", b"no"));
    assert_eq!(failed(fetch(&gone.url("/"))), "it answers 404");
    let rubbish = Server::start(|_, stream| drop(stream.write_all(b"SSH-2.0-OpenSSH\r\n\r\n")));
    assert!(matches!(fetch(&rubbish.url("/")), Err(Error::FetchFailed { .. })));
}

#[test]
fn errors_say_the_callers_address_without_its_secrets() {
    let error = fetch("https://ada:secret@example.org/a.jpg?token=hidden").unwrap_err();
    let text = format!("{error} {}", error.hint());
    assert!(
        text.contains("https://example.org/a.jpg") && !text.contains("secret") && !text.contains("hidden"),
        "{text}"
    );
}

#[test]
fn links_elsewhere_are_told_apart() {
    let server = Server::start(|request, stream| match (request.method.as_str(), request.target.as_str()) {
        (_, "/moved") => send(stream, "301 Moved", "Location: /there\r\n", b""),
        (_, "/for-now") => send(stream, "302 Found", "Location: /there\r\n", b""),
        (_, "/gone") => send(stream, "404 Not Found", "", b""),
        (_, "/shy") => send(stream, "403 Forbidden", "", b""),
        ("HEAD", "/only-get") => send(stream, "405 Method Not Allowed", "", b""),
        ("HEAD", "/liar") => send(stream, "404 Not Found", "", b""),
        (_, "/loop") => send(stream, "302 Found", "Location: /loop\r\n", b""),
        (_, "/inside") => send(stream, "302 Found", "Location: http://169.254.169.254/\r\n", b""),
        ("HEAD", _) => send(stream, "200 OK", "", b""),
        _ => send(stream, "200 OK", "", b"whole"),
    });
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let paths =
        ["/there", "/moved", "/for-now", "/gone", "/shy", "/only-get", "/liar", "/loop", "/inside", "/there#part"];
    let mut urls: Vec<String> = paths.iter().map(|path| server.url(path)).collect();
    urls.extend([format!("http://{closed}/"), "http://10.1.2.3/".into(), "https://".into()]);
    let options = Options { pause: Duration::ZERO, ..Options::default() };
    let found = links::check(&urls, &loopback(), &options, &Progress::default());
    let states: Vec<State> = found.iter().map(|result| result.state).collect();
    let expected = [
        State::Ok,
        State::Redirected,
        State::Ok,
        State::Broken,
        State::Unknown,
        State::Ok,
        State::Ok,
        State::Broken,
        State::Unknown,
        State::Ok,
        State::Broken,
        State::Unknown,
        State::Broken,
    ];
    assert_eq!(states, expected, "{found:#?}");
    assert_eq!(found[1].location.as_deref(), Some(server.url("/there").as_str()));
    assert_eq!((found[3].status, found[3].reason.as_str()), (Some(404), "it answers 404"));
    assert!(found[11].reason.contains("private"), "{:?}", found[11]);
    let there = server.requests().iter().filter(|request| request.target == "/there").count();
    assert_eq!(there, 3, "asked once for itself and once for each redirect to it");
    let few = links::check(&urls[..3], &loopback(), &Options { most: 1, ..options }, &Progress::default());
    assert!(few[1].state == State::Unknown && few[1].reason.contains("too many"), "{few:?}");
}

#[test]
fn without_a_network_no_link_is_called_broken() {
    for (said, state) in [
        ("failed to lookup address information: Temporary failure in name resolution", State::Unknown),
        ("failed to lookup address information: Name or service not known", State::Broken),
    ] {
        let guard = loopback().with_resolver(Arc::new(move |_: &str| Err(std::io::Error::other(said))));
        let urls = ["https://example.org/".to_owned()];
        let found = links::check(&urls, &guard, &Options::default(), &Progress::default());
        assert_eq!(found[0].state, state, "{found:?}");
    }
}
