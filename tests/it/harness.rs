//! What tests share: a site in a folder of its own, and a real client that calls it as agents do.

#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation};
use rmcp::service::{ClientServiceExt, RoleClient, RunningService};
use serde_json::Value;
use sitewright::model::ContentPath;
use sitewright::server::{Server, stdio};
use sitewright::site::{Settings, Site};
use sitewright::store::{Clock, Identity, OpenOptions, Repository};
use sitewright::tools::{Registry, Rights};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The moment every test site lives in.
const NOW: &str = "2026-11-23T12:00:00Z";
const CONFIG: &str = "title: Test\nbase_url: https://example.org/\ntheme: default\n";

fn clock() -> Clock {
    clock_of(&Time::default())
}

/// A time that a test can move.
#[derive(Debug, Clone)]
struct Time(Arc<Mutex<jiff::Timestamp>>);

impl Default for Time {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(NOW.parse().expect("a time"))))
    }
}

fn clock_of(time: &Time) -> Clock {
    let time = time.clone();
    Arc::new(move || *time.0.lock().expect("a time"))
}

fn author() -> Identity {
    Identity { name: "Agent".into(), email: "agent@example.org".into() }
}

/// Reads `-- path --` headed files.
pub(crate) fn files(text: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let header = line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
        match (header, files.last_mut()) {
            (Some(path), _) => files.push((path.to_owned(), String::new())),
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => panic!("text before the first file: {line}"),
        }
    }
    files
}

fn theme_files() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    read_below(&root.join("themes/default"), &mut |path, bytes| {
        let relative = path.strip_prefix(root).expect("below the root").to_str().expect("a text path").to_owned();
        files.push((relative, bytes));
    });
    files
}

fn read_below(folder: &Path, found: &mut impl FnMut(&Path, Vec<u8>)) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let kind = std::fs::symlink_metadata(&path).expect("metadata").file_type();
        if kind.is_dir() {
            read_below(&path, found);
        } else if kind.is_symlink() {
            found(&path, std::fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes());
        } else {
            found(&path, std::fs::read(&path).expect("a file"));
        }
    }
}

fn git_in(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .expect("git runs");
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {problem}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A site for tests that never look at it, in a folder that stays until the process ends.
pub(crate) fn any_site() -> Arc<Site> {
    let folder = tempfile::tempdir().expect("a folder").keep();
    Arc::new(make(&folder, "-- content/_index.md --\n---\ntitle: Home\n---\n", &Time::default(), |_| {}))
}

fn make(folder: &Path, text: &str, time: &Time, before_open: impl FnOnce(&Path)) -> Site {
    let mut all: BTreeMap<String, Vec<u8>> = theme_files().into_iter().collect();
    all.insert("site.yaml".into(), CONFIG.into());
    all.extend(files(text).into_iter().map(|(path, text)| (path, text.into_bytes())));
    made(folder, all, time, before_open).expect("the site opens")
}

/// A site of exactly these files, which may be none that can be opened.
pub(crate) fn site_of(folder: &Path, all: BTreeMap<String, Vec<u8>>) -> Result<Site, sitewright::error::Error> {
    made(folder, all, &Time::default(), |_| {})
}

fn made(
    folder: &Path,
    all: BTreeMap<String, Vec<u8>>,
    time: &Time,
    before_open: impl FnOnce(&Path),
) -> Result<Site, sitewright::error::Error> {
    let all: Vec<(ContentPath, Vec<u8>)> =
        all.into_iter().map(|(path, bytes)| (ContentPath::from_disk(&path).expect("a path"), bytes)).collect();
    let options = OpenOptions { clock: clock(), author: Some(author()), ..OpenOptions::default() };
    Repository::init(folder, &all, "Start", options).expect("a new site");
    git_in(folder, &["config", "user.name", "Ada"]);
    git_in(folder, &["config", "user.email", "ada@example.org"]);
    before_open(folder);
    Site::open(folder, Settings { clock: clock_of(time), author: Some(author()) })
}

/// Each file of a site with its content, each ref with its target.
pub(crate) fn fingerprint_of(root: &Path) -> BTreeMap<String, String> {
    let mut state = BTreeMap::new();
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(root).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.retain(|path| !path.ends_with(".git") && !path.ends_with(".sitewright"));
    for path in entries {
        let mut keep = |path: &Path, bytes: Vec<u8>| {
            let name = path.strip_prefix(root).expect("below").display().to_string();
            state.insert(name, Repository::blob_id(&bytes).to_string());
        };
        if path.is_dir() {
            read_below(&path, &mut keep);
        } else {
            keep(&path, std::fs::read(&path).expect("a file"));
        }
    }
    state.extend(refs_of("site", root));
    state.insert("ref site HEAD".into(), std::fs::read_to_string(root.join(".git/HEAD")).expect("a HEAD"));
    state
}

fn refs_of(label: &str, folder: &Path) -> BTreeMap<String, String> {
    let listed = git_in(folder, &["for-each-ref", "--format=%(refname) %(objectname)"]);
    let pair = |line: &str| {
        let (name, target) = line.split_once(' ').expect("a ref");
        (format!("ref {label} {name}"), target.to_owned())
    };
    listed.lines().map(pair).collect()
}

/// A temporary site and a client connected to a server of it.
pub(crate) struct TestSite {
    folder: TempDir,
    site: Arc<Site>,
    server: Server,
    client: RunningService<RoleClient, ClientConfig>,
    time: Time,
}

impl TestSite {
    /// A site of these files (`-- content/a.md --` and so on), with the default theme and a small `site.yaml` unless given.
    pub(crate) async fn new(text: &str) -> Self {
        Self::start(text, false).await
    }

    /// The same, with an empty bare repository as `origin`.
    pub(crate) async fn with_remote(text: &str) -> Self {
        Self::start(text, true).await
    }

    async fn start(text: &str, remote: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("site");
        std::fs::create_dir(&root).expect("a folder");
        let bare = folder.path().join("remote.git");
        let time = Time::default();
        let site = make(&root, text, &time, |root| {
            if remote {
                let bare = bare.to_str().expect("a text path");
                git_in(root, &["init", "-q", "--bare", "-b", "main", bare]);
                git_in(root, &["remote", "add", "origin", &format!("file://{bare}")]);
                git_in(root, &["config", "branch.main.remote", "origin"]);
                git_in(root, &["config", "branch.main.merge", "refs/heads/main"]);
            }
        });
        let site = Arc::new(site);
        let server = Server::new(Arc::clone(&site), Registry::standard(), Rights::all_but_admin());
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (input, output) = tokio::io::split(theirs);
        tokio::spawn(stdio::serve_over(server.connection(), input, output, CancellationToken::new()));
        let about = Implementation::new("test", "1");
        let client =
            ClientConfig::new(ClientCapabilities::default(), about).serve(ours).await.expect("the handshake works");
        Self { folder, site, server, client, time }
    }

    /// Moves the site's clock.
    pub(crate) fn set_time(&self, time: &str) {
        *self.time.0.lock().expect("a time") = time.parse().expect("a time");
    }

    /// The site itself, below the tools.
    pub(crate) fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Offers one more tool to connections made from now on.
    pub(crate) fn serve_also(&mut self, tool: sitewright::tools::Tool) {
        let registry = Registry::standard().with(tool);
        self.server = Server::new(Arc::clone(&self.site), registry, Rights::all_but_admin());
    }

    /// The server, for further connections.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The client, for what is no tool.
    pub(crate) fn client(&self) -> &RunningService<RoleClient, ClientConfig> {
        &self.client
    }

    /// One more client of the same server, of the era before 2026-07-28 or the one after.
    pub(crate) async fn another<C: rmcp::ClientHandler>(
        &self,
        client: C,
        modern: bool,
    ) -> RunningService<RoleClient, C> {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let (input, output) = tokio::io::split(theirs);
        tokio::spawn(stdio::serve_over(self.server.connection(), input, output, CancellationToken::new()));
        if !modern {
            return client.serve(ours).await.expect("the handshake works");
        }
        let preferred_versions = vec![rmcp::model::ProtocolVersion::V_2026_07_28];
        let lifecycle = rmcp::service::ClientLifecycleMode::Discover { preferred_versions };
        client.serve_with_lifecycle(ours, lifecycle).await.expect("the server is discovered")
    }

    /// Calls a tool; whether it was refused, and its JSON.
    pub(crate) async fn answer(&self, tool: &str, arguments: Value) -> (bool, Value) {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let result = self.client.call_tool(request).await.unwrap_or_else(|error| panic!("{tool}: {error}"));
        let refused = result.is_error == Some(true);
        let text = result.content[0].as_text().expect("text").text.clone();
        let value: Value = serde_json::from_str(&text).expect("the text is JSON");
        assert_eq!(result.structured_content, (!refused).then(|| value.clone()), "{tool}: text and structure differ");
        if let (false, Some(schema)) = (refused, REPLIES.get(tool)) {
            let stray = value
                .as_object()
                .and_then(|fields| fields.keys().find(|key| schema["properties"].get(key.as_str()).is_none()));
            assert_eq!(stray, None, "{tool} replies what its output schema does not name: {value}");
            assert_fits(tool, schema, &value);
        }
        (refused, value)
    }

    /// Calls a tool that has to succeed.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        let (refused, value) = self.answer(tool, arguments).await;
        assert!(!refused, "{tool}: {value}");
        value
    }

    /// Calls a tool, whatever comes of it.
    pub(crate) async fn call_any(&self, tool: &str, arguments: Value) -> Value {
        self.answer(tool, arguments).await.1
    }

    /// Calls a tool that has to be refused, and looks that disk, refs and output stayed as they were.
    pub(crate) async fn call_err(&self, tool: &str, arguments: Value) -> Value {
        let before = self.fingerprint();
        let error = self.refused(tool, arguments).await;
        assert_same(&before, &self.fingerprint(), tool);
        error
    }

    /// The same where a person's hand edit may be recorded first: the files stay, refs may move.
    pub(crate) async fn call_err_after_hand_edit(&self, tool: &str, arguments: Value) -> Value {
        let disk = |mut state: BTreeMap<String, String>| {
            state.retain(|name, _| !name.starts_with("ref "));
            state
        };
        let before = disk(self.fingerprint());
        let error = self.refused(tool, arguments).await;
        assert_same(&before, &disk(self.fingerprint()), tool);
        error
    }

    /// The same where the remote may have been fetched first: only remote-tracking refs may move.
    pub(crate) async fn call_err_but_fetched(&self, tool: &str, arguments: Value) -> Value {
        let own = |mut state: BTreeMap<String, String>| {
            state.retain(|name, _| !name.starts_with("ref site refs/remotes/"));
            state
        };
        let before = own(self.fingerprint());
        let error = self.refused(tool, arguments).await;
        assert_same(&before, &own(self.fingerprint()), tool);
        error
    }

    async fn refused(&self, tool: &str, arguments: Value) -> Value {
        let (refused, value) = self.answer(tool, arguments).await;
        assert!(refused, "{tool} was not refused: {value}");
        for key in ["code", "message", "hint"] {
            assert!(value[key].is_string(), "{tool}: no {key}: {value}");
        }
        value
    }

    /// Everything a refused call must leave alone: each file with its content, each ref with its target.
    pub(crate) fn fingerprint(&self) -> BTreeMap<String, String> {
        let mut state = fingerprint_of(&self.path());
        if self.remote().exists() {
            state.extend(refs_of("remote", &self.remote()));
        }
        state
    }

    /// The site's folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    /// The bare repository that is `origin`.
    pub(crate) fn remote(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    /// The theme's name.
    #[allow(clippy::unused_self, reason = "a test asks its site, not the harness")]
    pub(crate) fn theme(&self) -> &'static str {
        "default"
    }

    /// A file of the site.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Fails unless the file has exactly this text.
    pub(crate) fn assert_file(&self, path: &str, text: &str) {
        assert_eq!(self.read(path), text, "{path}");
    }

    /// Runs git in the site's folder, as a person would.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git_in(&self.path(), arguments)
    }

    /// Runs git in the bare remote.
    pub(crate) fn git_remote(&self, arguments: &[&str]) -> String {
        git_in(&self.remote(), arguments)
    }

    /// Somebody else clones the remote, changes it and pushes.
    pub(crate) fn elsewhere(&self, change: impl FnOnce(&Path)) {
        let folder = tempfile::tempdir().expect("a folder");
        let clone = folder.path().join("clone");
        let remote = format!("file://{}", self.remote().display());
        git_in(folder.path(), &["clone", "-q", &remote, clone.to_str().expect("a text path")]);
        git_in(&clone, &["config", "user.name", "Bob"]);
        git_in(&clone, &["config", "user.email", "bob@example.org"]);
        change(&clone);
        git_in(&clone, &["add", "-A"]);
        git_in(&clone, &["commit", "-q", "-m", "From elsewhere"]);
        git_in(&clone, &["push", "-q", "origin", "HEAD"]);
    }
}

/// What each tool says that it replies.
static REPLIES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let registry = Registry::standard();
    registry.tools().map(|tool| (tool.name().to_owned(), Value::Object(tool.output_schema()))).collect()
});

/// Fails unless `value` is what `schema` says: the part of JSON Schema that output schemas use.
fn assert_fits(at: &str, schema: &Value, value: &Value) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    assert!(allowed.contains(&kind), "{at} is {kind} and not {allowed:?}: {value}");
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(value.get(name).is_some(), "{at} has no {name}: {value}");
    }
    if let (Value::Object(fields), Value::Object(known)) = (value, &schema["properties"]) {
        for (name, inner) in known {
            if let Some(field) = fields.get(name) {
                assert_fits(&format!("{at}.{name}"), inner, field);
            }
        }
    }
    for item in value.as_array().into_iter().flatten() {
        assert_fits(&format!("{at}[]"), &schema["items"], item);
    }
}

/// Names what differs, instead of printing two whole states.
fn assert_same(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>, tool: &str) {
    let names = before.keys().chain(after.keys());
    let changed: Vec<&String> = names.filter(|name| before.get(*name) != after.get(*name)).collect();
    assert!(changed.is_empty(), "{tool} was refused and changed {changed:?}");
}
