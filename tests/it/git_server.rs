//! A small HTTP server in front of `git http-backend`, that asks for a password and misbehaves on demand.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request without its body.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    headers: BTreeMap<String, String>,
    /// Bytes of the answer, once it was given.
    pub(crate) answered: usize,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Whether it carries a pack.
    pub(crate) fn is_push(&self) -> bool {
        self.method == "POST" && self.target.ends_with("/git-receive-pack")
    }
}

/// What the server does with a request.
pub(crate) enum Deed {
    Serve,
    /// Asks for a name and password.
    Ask,
    Redirect(String),
    /// This body, as plain text.
    Text(&'static str),
    /// Keeps the connection and says nothing.
    Silent,
    /// Ends the connection after some bytes of the request's body.
    CutRequest(usize),
    /// Does the work and ends the connection after some bytes of the answer's body.
    CutAnswer(usize),
}

type Behave = dyn Fn(&Request) -> Deed + Send + Sync;

/// A server and its one bare repository, `site.git`.
pub(crate) struct GitServer {
    folder: tempfile::TempDir,
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    scheme: &'static str,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl GitServer {
    pub(crate) fn start(behave: impl Fn(&Request) -> Deed + Send + Sync + 'static) -> Self {
        Self::listen("http", None, behave)
    }

    /// With the certificate of an authority of its own, whose certificate is in `authority()`.
    pub(crate) fn start_tls(behave: impl Fn(&Request) -> Deed + Send + Sync + 'static) -> Self {
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertifiedIssuer::self_signed(authority, authority_key).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        let server = Self::listen("https", Some(Arc::new(config)), behave);
        std::fs::write(server.authority(), authority.pem()).unwrap();
        server
    }

    fn listen(
        scheme: &'static str,
        tls: Option<Arc<rustls::ServerConfig>>,
        behave: impl Fn(&Request) -> Deed + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let root = folder.path().to_owned();
        git(&root, &["init", "-q", "--bare", "-b", "main", "site.git"]);
        git(&root.join("site.git"), &["config", "http.receivepack", "true"]);
        let (seen, behave): (_, Arc<Behave>) = (Arc::clone(&requests), Arc::new(behave));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, seen, behave, tls) = (root.clone(), Arc::clone(&seen), Arc::clone(&behave), tls.clone());
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
                    let stream: Box<dyn Stream> = match tls {
                        Some(config) => {
                            let connection = rustls::ServerConnection::new(config).unwrap();
                            Box::new(rustls::StreamOwned::new(connection, stream))
                        }
                        None => Box::new(stream),
                    };
                    // A client that goes away is no failure of the server.
                    let _ = serve(stream, &root, &seen, &behave);
                });
            }
        });
        Self { folder, address, requests, scheme }
    }

    pub(crate) fn bare(&self) -> PathBuf {
        self.folder.path().join("site.git")
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// `login` is empty or ends with `@`.
    pub(crate) fn url(&self, login: &str) -> String {
        let host = if self.scheme == "https" { "localhost" } else { "127.0.0.1" };
        format!("{}://{login}{host}:{}/site.git", self.scheme, self.address.port())
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.bare().join("hooks").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Serves whoever names this user and password, and asks everybody else.
pub(crate) fn only(login: &str) -> impl Fn(&Request) -> Deed + Send + Sync + 'static {
    use base64::Engine as _;
    let wanted = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(login));
    move |request| if request.header("authorization") == wanted { Deed::Serve } else { Deed::Ask }
}

/// Runs git as nobody in particular.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Other", "-c", "user.email=other@example.org"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Somebody else commits to the bare repository: one file more.
pub(crate) fn commit_elsewhere(bare: &Path, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "-q", bare.to_str().unwrap(), "clone"]);
    let clone = folder.path().join("clone");
    let file = clone.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, "theirs\n").unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-qm", "theirs"]);
    git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    git(&clone, &["rev-parse", "HEAD"])
}

fn serve(
    stream: Box<dyn Stream>,
    root: &Path,
    seen: &Mutex<Vec<Request>>,
    behave: &Arc<Behave>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next().unwrap_or_default().to_owned(), parts.next().unwrap_or_default().to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let request = Request { method, target, headers, answered: 0 };
    let at = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    let deed = behave(&request);
    if let Deed::CutRequest(bytes) = deed {
        std::io::copy(&mut stream.by_ref().take(bytes as u64), &mut std::io::sink())?;
        return Ok(());
    }
    let length: u64 = request.header("content-length").parse().unwrap_or_default();
    let mut body = Vec::new();
    stream.by_ref().take(length).read_to_end(&mut body)?;
    let plain =
        |status: &str, more: &str| format!("HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n");
    if matches!(deed, Deed::Silent) {
        // Until the client hangs up.
        while stream.read(&mut [0; 64])? > 0 {}
        return Ok(());
    }
    let out = stream.get_mut();
    match deed {
        Deed::Ask => out.write_all(plain("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n").as_bytes())?,
        Deed::Text(body) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n", body.len());
            out.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes())?;
        }
        Deed::Redirect(place) => {
            out.write_all(plain("302 Found", &format!("Location: {place}\r\n")).as_bytes())?;
        }
        _ => {
            let (head, body) = backend(root, &request, body)?;
            seen.lock().unwrap()[at].answered = body.len();
            let shown = if let Deed::CutAnswer(bytes) = deed { &body[..bytes.min(body.len())] } else { &body };
            out.write_all(head.as_bytes())?;
            out.write_all(shown)?;
        }
    }
    out.flush()
}

/// Runs git's own server program; its head as HTTP, and its body.
fn backend(root: &Path, request: &Request, body: Vec<u8>) -> std::io::Result<(String, Vec<u8>)> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", request.header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("REMOTE_USER", "someone")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(&body));
    let mut answer = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut answer)?;
    child.wait()?;
    // What the program did not read, it did not want.
    let _ = writer.join();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(answer.len().saturating_sub(4));
    let body = answer.split_off((end + 4).min(answer.len()));
    let head = String::from_utf8_lossy(&answer).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let lines: Vec<&str> = head.lines().filter(|l| !l.is_empty() && !l.starts_with("Status: ")).collect();
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\n{}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    Ok((head, body))
}

/// A connection that must never be made: fails the test that made it.
pub(crate) fn untouched() -> (SocketAddr, Arc<Mutex<usize>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let touched: Arc<Mutex<usize>> = Arc::default();
    let count = Arc::clone(&touched);
    std::thread::spawn(move || {
        let mut held: Vec<TcpStream> = Vec::new();
        for stream in listener.incoming().flatten() {
            *count.lock().unwrap() += 1;
            held.push(stream);
        }
    });
    (address, touched)
}
