//! The server itself: the border of errors, the panic guard, and both transports, with tools made for the purpose.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::time::{Duration, Instant};

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sitewright::error::Error;
use sitewright::server::{Server, http, stdio};
use sitewright::tools::{Context, Hints, Registry, Right, Rights, Spec, Tool};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::wire::PATIENCE;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Echo {
    /// What to say.
    text: String,
    /// How often.
    #[schemars(range(min = 1, max = 9))]
    times: Option<usize>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn spec(name: &'static str) -> Spec {
    Spec { name, title: "A test", description: "Only for tests.", hints: Hints::READ, right: Right::Read }
}

/// Tools that do what no real one may.
fn registry() -> Registry {
    let echo = |_: &Context, asked: Echo| Ok(json!({"said": asked.text.repeat(asked.times.unwrap_or(1))}));
    Registry::empty()
        .with(Tool::new(spec("test_echo"), echo))
        .with(Tool::new(spec("test_panic"), |_: &Context, _: Nothing| -> Result<Value, Error> {
            panic!("secret at /home/someone");
        }))
        .with(Tool::new(spec("test_refuse"), |_: &Context, _: Nothing| {
            Err(Error::DiskFull { path: "content/a.md".into() })
        }))
        .with(Tool::new(Spec { right: Right::Admin, ..spec("test_admin") }, |_: &Context, _: Nothing| Ok(json!({}))))
}

fn server(registry: Registry) -> Server {
    Server::new(super::harness::any_site(), registry, Rights::all_but_admin())
}

/// A client of a server with the tools above.
async fn connect(registry: Registry) -> RunningService<RoleClient, ()> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(theirs);
    tokio::spawn(stdio::serve_over(server(registry), input, output, CancellationToken::new()));
    ().serve(ours).await.expect("the handshake works")
}

async fn call(client: &RunningService<RoleClient, ()>, tool: &str, arguments: Value) -> (bool, Value) {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    let result = client.call_tool(request).await.expect("an answer");
    let text = result.content[0].as_text().expect("text").text.clone();
    let refused = result.is_error == Some(true);
    assert_eq!(result.content.len(), 1);
    let value: Value = serde_json::from_str(&text).expect("the text is JSON");
    // Structured content mirrors the text of a success; an error has none.
    assert_eq!(result.structured_content, (!refused).then(|| value.clone()));
    (refused, value)
}

#[tokio::test]
async fn a_success_is_structured_and_text() {
    let client = connect(registry()).await;
    assert_eq!(call(&client, "test_echo", json!({"text": "a", "times": "3"})).await, (false, json!({"said": "aaa"})));
}

#[tokio::test]
async fn an_error_has_code_message_and_hint() {
    let client = connect(registry()).await;
    let (refused, error) = call(&client, "test_refuse", json!({})).await;
    assert!(refused);
    assert_eq!(error["code"], "disk_full");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("content/a.md")));
    assert!(error["hint"].as_str().is_some_and(|hint| hint.ends_with('.')));
}

#[tokio::test]
async fn a_panic_is_answered_and_the_server_goes_on() {
    let client = connect(registry()).await;
    for _ in 0..3 {
        let (refused, error) = call(&client, "test_panic", json!({})).await;
        assert!(refused);
        assert_eq!(error["code"], "internal");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert_eq!(call(&client, "test_echo", json!({"text": "x"})).await.1, json!({"said": "x"}));
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error_that_names_the_nearest() {
    let client = connect(registry()).await;
    let error = client.call_tool(CallToolRequestParams::new("test_ecko")).await.expect_err("no such tool");
    let text = error.to_string();
    assert!(text.contains("-32602") && text.contains("test_echo"), "{text}");
}

#[tokio::test]
async fn a_tool_without_its_right_is_neither_listed_nor_run() {
    let client = connect(registry()).await;
    let listed = client.list_all_tools().await.expect("a list");
    let names: Vec<&str> = listed.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["test_echo", "test_panic", "test_refuse"]);
    let (refused, error) = call(&client, "test_admin", json!({})).await;
    assert!(refused);
    assert_eq!(error["code"], "not_allowed");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("`admin`")));
}

#[tokio::test]
async fn the_list_may_be_kept_for_at_least_a_minute() {
    let client = connect(registry()).await;
    let list = client.list_tools(None).await.expect("a list");
    assert!(list.ttl_ms.is_some_and(|ttl| ttl >= 60_000));
    assert!(list.cache_scope.is_some());
}

#[tokio::test]
async fn a_cancelled_call_stops_at_its_next_step() {
    let (say, mut said) = tokio::sync::mpsc::unbounded_channel();
    // Goes on for longer than anybody waits.
    let slow = move |context: &Context, _: Nothing| {
        let begin = Instant::now();
        let _ = say.send("began");
        while begin.elapsed() < PATIENCE * 2 {
            if let Err(error) = context.proceed() {
                let _ = say.send("stopped");
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(json!({}))
    };
    let (mut client, _server) = raw(registry().with(Tool::new(spec("test_slow"), slow)));
    client.handshake().await;
    client.send(r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"test_slow","arguments":{}}}"#).await;
    assert_eq!(said.recv().await, Some("began"));
    client.send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#).await;
    let stopped = tokio::time::timeout(PATIENCE, said.recv()).await;
    assert_eq!(stopped.expect("the call went on"), Some("stopped"));
}

/// A client that writes and reads single lines.
struct Raw {
    write: tokio::io::WriteHalf<DuplexStream>,
    read: BufReader<tokio::io::ReadHalf<DuplexStream>>,
}

fn raw(registry: Registry) -> (Raw, tokio::task::JoinHandle<sitewright::error::Result<()>>) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(theirs);
    let serving = tokio::spawn(stdio::serve_over(server(registry), input, output, CancellationToken::new()));
    let (read, write) = tokio::io::split(ours);
    (Raw { write, read: BufReader::new(read) }, serving)
}

impl Raw {
    async fn send(&mut self, line: &str) {
        self.write.write_all(line.as_bytes()).await.expect("the server reads");
        self.write.write_all(b"\n").await.expect("the server reads");
    }

    async fn receive(&mut self) -> Value {
        let mut line = String::new();
        let read = tokio::time::timeout(PATIENCE, self.read.read_line(&mut line));
        read.await.expect("an answer in time").expect("an answer");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    async fn handshake(&mut self) {
        self.send(
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#,
        )
        .await;
        let answer = self.receive().await;
        assert_eq!(answer["result"]["serverInfo"]["name"], "sitewright", "{answer}");
        assert!(answer["result"]["instructions"].as_str().is_some_and(|text| text.starts_with("Start with site_get")));
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    }
}

#[tokio::test]
async fn every_broken_line_is_answered_and_the_next_call_works() {
    let (mut client, _server) = raw(registry());
    client.handshake().await;
    let cases = [
        ("{not json", -32700, Value::Null),
        ("\u{1}\u{2}", -32700, Value::Null),
        ("[1, 2", -32700, Value::Null),
        (r#"{"jsonrpc":"2.0","id":5}"#, -32600, json!(5)),
        (r#"{"foo":"bar"}"#, -32600, Value::Null),
        ("42", -32600, Value::Null),
        ("[]", -32600, Value::Null),
    ];
    for (line, code, id) in cases {
        client.send(line).await;
        let answer = client.receive().await;
        assert_eq!(answer["error"]["code"], code, "{line}: {answer}");
        assert_eq!(answer["id"], id, "{line}: {answer}");
    }
    client.send("").await;
    client
        .send(
            r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"test_echo","arguments":{"text":"é"}}}"#,
        )
        .await;
    let answer = client.receive().await;
    assert_eq!(answer["id"], 9);
    assert_eq!(answer["result"]["structuredContent"]["said"], "é");
}

#[tokio::test]
async fn a_line_without_end_is_refused_and_not_kept() {
    let (mut client, _server) = raw(registry());
    client.handshake().await;
    let chunk = "x".repeat(1 << 20);
    for _ in 0..=stdio::MAX_LINE_BYTES >> 20 {
        client.write.write_all(chunk.as_bytes()).await.expect("the server reads");
    }
    client.send("").await;
    let answer = client.receive().await;
    assert_eq!(answer["error"]["code"], -32600);
    assert!(answer["error"]["message"].as_str().is_some_and(|text| text.contains(&stdio::MAX_LINE_BYTES.to_string())));
    client.send(r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#).await;
    assert_eq!(client.receive().await["id"], 9);
}

#[tokio::test]
async fn the_end_of_input_ends_the_server() {
    let (mut client, serving) = raw(registry());
    client.handshake().await;
    client.write.shutdown().await.expect("the pipe closes");
    let ended = tokio::time::timeout(PATIENCE, serving).await;
    ended.expect("it ends in time").expect("without a panic").expect("without an error");
}

#[tokio::test]
async fn both_eras_of_the_protocol_are_served() {
    let (mut client, _server) = raw(registry());
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"new","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;
    client.send(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{{{meta}}}}}"#)).await;
    let answer = client.receive().await;
    assert!(answer["result"]["supportedVersions"].to_string().contains("2026-07-28"), "{answer}");
    client
        .send(&format!(
            r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":"test_echo","arguments":{{"text":"a"}},{meta}}}}}"#
        ))
        .await;
    let answer = client.receive().await;
    assert_eq!(answer["result"]["structuredContent"]["said"], "a", "{answer}");
}

/// One request over HTTP, by hand: status, headers and body.
async fn post(address: std::net::SocketAddr, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let mut request = "POST /mcp HTTP/1.1\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nConnection: close\r\n".to_owned();
    if !headers.iter().any(|(name, _)| *name == "Host") {
        request.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !headers.iter().any(|(name, _)| *name == "Content-Length") {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    // The server may answer and close before it read a body it does not want.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(PATIENCE, read).await.expect("an answer in time");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head.to_lowercase(), body.to_owned())
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;

async fn listen(change: impl FnOnce(&mut http::Options)) -> (std::net::SocketAddr, String, CancellationToken) {
    let mut options = http::Options::local("127.0.0.1:0".parse().expect("an address")).expect("a token");
    change(&mut options);
    let bearer = options
        .tokens
        .as_ref()
        .and_then(sitewright::server::token::Tokens::only)
        .map_or_else(String::new, |token| format!("Bearer {}", token.as_str()));
    let listening = http::bind(options).await.expect("it listens");
    let address = listening.address();
    let stop = CancellationToken::new();
    tokio::spawn(listening.serve(server(registry()), stop.clone()));
    (address, bearer, stop)
}

#[tokio::test]
async fn http_lets_in_who_shows_the_token_and_nobody_else() {
    let (address, bearer, _stop) = listen(|_| {}).await;
    let (status, head, body) = post(address, &[("Authorization", &bearer)], INITIALIZE).await;
    assert_eq!(status, 200, "{head} {body}");
    assert!(body.contains("sitewright"));
    let almost = format!("{}0", &bearer[..bearer.len() - 1]);
    for headers in [
        vec![],
        vec![("Authorization", "Bearer ")],
        vec![("Authorization", "Bearer wrong")],
        vec![("Authorization", almost.as_str())],
        vec![("Authorization", "Basic dXNlcjpwYXNz")],
    ] {
        if headers.iter().any(|(_, value)| *value == bearer) {
            continue;
        }
        let (status, head, body) = post(address, &headers, INITIALIZE).await;
        assert_eq!(status, 401, "{headers:?}");
        assert!(head.contains("www-authenticate: bearer"), "{head}");
        assert!(body.contains("unauthorized"), "{body}");
    }
}

#[tokio::test]
async fn http_refuses_foreign_hosts_and_origins() {
    let (address, bearer, _stop) = listen(|_| {}).await;
    let auth = ("Authorization", bearer.as_str());
    for (header, value) in [
        ("Host", "evil.example"),
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://127.0.0.1:1"),
    ] {
        let (status, head, _) = post(address, &[auth, (header, value)], INITIALIZE).await;
        assert_eq!(status, 403, "{header}: {value}: {head}");
    }
    let own = format!("http://{address}");
    let (status, head, _) = post(address, &[auth, ("Origin", &own)], INITIALIZE).await;
    assert_eq!(status, 200, "our own origin: {head}");
    let (status, head, _) = post(address, &[auth, ("Host", "localhost")], INITIALIZE).await;
    assert_eq!(status, 200, "{head}");
}

#[tokio::test]
async fn http_accepts_hosts_and_origins_that_are_named() {
    let (address, bearer, _stop) = listen(|options| {
        options.hosts = vec!["mcp.example.org".into()];
        options.origins = vec!["https://app.example.org:443".into()];
    })
    .await;
    let auth = ("Authorization", bearer.as_str());
    let headers = [auth, ("Host", "mcp.example.org"), ("Origin", "https://app.example.org")];
    assert_eq!(post(address, &headers, INITIALIZE).await.0, 200);
}

#[tokio::test]
async fn http_without_token_still_checks_the_host() {
    let (address, _, _stop) = listen(|options| options.tokens = None).await;
    assert_eq!(post(address, &[], INITIALIZE).await.0, 200);
    assert_eq!(post(address, &[("Host", "evil.example")], INITIALIZE).await.0, 403);
}

#[tokio::test]
async fn http_names_the_limit_of_a_body() {
    let (address, bearer, _stop) = listen(|_| {}).await;
    let length = (http::MAX_BODY_BYTES + 1).to_string();
    let (status, _, body) = post(address, &[("Authorization", &bearer), ("Content-Length", &length)], INITIALIZE).await;
    assert_eq!(status, 413);
    assert!(body.contains(&http::MAX_BODY_BYTES.to_string()), "{body}");
}

#[tokio::test]
async fn http_counts_sessions() {
    let (address, bearer, _stop) = listen(|_| {}).await;
    let headers = [("Authorization", bearer.as_str())];
    for _ in 0..http::MAX_SESSIONS {
        assert_eq!(post(address, &headers, INITIALIZE).await.0, 200);
    }
    let (status, _, body) = post(address, &headers, INITIALIZE).await;
    assert_eq!(status, 503, "{body}");
}

#[tokio::test]
async fn http_serves_calls_without_a_session() {
    let (address, bearer, _stop) = listen(|_| {}).await;
    let body = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"test_echo","arguments":{"text":"a"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"new","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let headers = [
        ("Authorization", bearer.as_str()),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "test_echo"),
    ];
    let (status, head, answer) = post(address, &headers, body).await;
    assert_eq!(status, 200, "{head} {answer}");
    assert!(answer.contains(r#""said":"a""#), "{answer}");
}

#[tokio::test]
async fn http_stops_soon_although_a_stream_is_open() {
    let options = http::Options::local("127.0.0.1:0".parse().expect("an address")).expect("a token");
    let bearer = format!(
        "Bearer {}",
        options.tokens.as_ref().and_then(sitewright::server::token::Tokens::only).expect("a token").as_str()
    );
    let listening = http::bind(options).await.expect("it listens");
    let address = listening.address();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(listening.serve(server(registry()), stop.clone()));
    let (_, head, _) = post(address, &[("Authorization", &bearer)], INITIALIZE).await;
    let session = head.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).expect("a session").to_owned();
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!(
        "GET /mcp HTTP/1.1\r\nHost: {address}\r\nAuthorization: {bearer}\r\nAccept: text/event-stream\r\nMcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-06-18\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200");
    stop.cancel();
    // The stream would stay open for ever: only the server's own patience ends it.
    assert!(http::STOP_GRACE < Duration::from_secs(2));
    let ended = tokio::time::timeout(PATIENCE, serving).await;
    ended.expect("it ends in time").expect("without a panic").expect("without an error");
}

/// The real binary over stdio, as a client starts it.
struct Process {
    child: std::process::Child,
    input: Option<std::process::ChildStdin>,
    lines: std::sync::mpsc::Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Process {
    fn start() -> Self {
        use std::io::BufRead;
        use std::process::{Command, Stdio};
        let binary = env!("CARGO_BIN_EXE_sitewright");
        let folder = tempfile::tempdir().expect("a folder");
        let site = folder.path().join("site");
        let made = Command::new(binary).arg("init").arg(&site).args(["--title", "Test"]).output().expect("it runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut child = Command::new(binary)
            .args(["serve", "--no-preview", "--site"])
            .arg(&site)
            .env("RUST_LOG", "trace")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let output = std::io::BufReader::new(child.stdout.take().expect("stdout"));
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        let input = child.stdin.take();
        let mut process = Self { child, input, lines, _folder: folder };
        process.send(INITIALIZE);
        assert!(process.receive()["result"]["serverInfo"].is_object());
        process.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        process
    }

    fn send(&mut self, line: &str) {
        use std::io::Write;
        let input = self.input.as_mut().expect("stdin is open");
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("the server reads");
    }

    /// The next answer. Every line has to be a JSON-RPC message; news of changes come whenever they come.
    fn receive(&self) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("an answer in time");
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(value["jsonrpc"], "2.0", "{line}");
            if value["method"].is_null() {
                return value;
            }
            assert!(value["id"].is_null(), "the server asks for something: {line}");
        }
    }

    /// How it ended, which it has to do by itself.
    fn ends(mut self) -> std::process::ExitStatus {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            if begin.elapsed() > PATIENCE {
                let _ = self.child.kill();
                panic!("it still ran after {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn stdout_carries_nothing_but_protocol() {
    let mut process = Process::start();
    for (id, tool, arguments) in [
        (2, "site_get", "{}"),
        (3, "page_write", r#"{"pages":[{"path":"new.md","create":true,"body":"Hello.\n"}]}"#),
        (4, "page_get", r#"{"paths":["nowhere"]}"#),
        (5, "preview", r#"{"as":"text"}"#),
    ] {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
        );
        process.send(&call);
        let answer = process.receive();
        assert_eq!(answer["id"], id, "{answer}");
        assert_eq!(answer["result"]["isError"] == true, id == 4, "{answer}");
    }
    process.send("{broken");
    assert_eq!(process.receive()["error"]["code"], -32700);
}

#[test]
fn the_process_ends_with_its_input() {
    let mut process = Process::start();
    drop(process.input.take());
    assert!(process.ends().success());
}

#[cfg(unix)]
#[test]
fn the_process_ends_when_it_is_told_to() {
    let process = Process::start();
    let id = process.child.id().to_string();
    let told = std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
    assert!(told.success());
    process.ends();
}
