//! Who may do what: tokens with rights over HTTP, `--allow` over stdio, and how fast one token may go.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, Stdio};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sitewright::error::Error;
use sitewright::server::Server;
use sitewright::server::token::Tokens;
use sitewright::tools::{Context, Hints, Registry, Right, Rights, Spec, Tool};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::TestSite;
use super::wire::{Client, listen, listen_with};

const READER: &str = "reader-token-0123";
const WRITER: &str = "writer-token-0123";
const PUBLISHER: &str = "publisher-token-01";
const TOKENS: &str = "\
# who      token              rights
reader     reader-token-0123  read
writer     writer-token-0123  read,content
publisher  publisher-token-01 publish
";
const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\n-- content/a.md --\n---\ntitle: A\n---\nText.\n";

async fn names(client: &Client) -> Vec<String> {
    let answer = client.ask("tools/list", json!({})).await;
    let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
    tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn each_token_sees_and_calls_what_its_rights_serve() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), TOKENS).await;
    for session in [false, true] {
        let open = async |token: &str| {
            if session { Client::session(&listening, token).await } else { Client::modern(&listening, token) }
        };
        let (reader, writer, publisher) = (open(READER).await, open(WRITER).await, open(PUBLISHER).await);
        let (read, write, publish) = (names(&reader).await, names(&writer).await, names(&publisher).await);
        assert!(read.contains(&"page_get".into()) && !read.contains(&"page_write".into()), "{read:?}");
        assert!(write.contains(&"page_get".into()) && write.contains(&"page_write".into()), "{write:?}");
        assert!(!write.contains(&"publish".into()), "{write:?}");
        assert_eq!(publish, ["publish"]);

        let edit = json!({"pages": [{"path": "a.md", "edits": [{"find": "Text.", "replace": "Changed."}]}]});
        let before = site.fingerprint();
        let refused = reader.call("page_write", edit.clone()).await;
        assert_eq!(refused["code"], "not_allowed");
        assert!(refused["hint"].as_str().is_some_and(|hint| hint.contains("`content`")), "{refused}");
        assert_eq!(publisher.call("page_get", json!({"paths": ["a.md"]})).await["code"], "not_allowed");
        assert_eq!(site.fingerprint(), before);
        if !session {
            let written = writer.call("page_write", edit).await;
            assert!(written["revision"].is_string(), "{written}");
        }
    }
    site.assert_file("content/a.md", "---\ntitle: A\n---\nChanged.\n");
    let refs = site.git(&["for-each-ref", "--format=%(refname)", "refs/sitewright"]);
    let working = refs.lines().find(|name| name.ends_with("/working") || name.contains("working")).expect("a ref");
    let note = site.git(&["log", "-1", "--format=%B", working]);
    assert!(note.contains("Token: writer"), "{note}");
}

#[tokio::test]
async fn resources_need_the_right_to_read() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), TOKENS).await;
    let (reader, publisher) = (Client::modern(&listening, READER), Client::modern(&listening, PUBLISHER));
    let read = json!({"uri": "site:///content/a.md"});
    let answer = reader.ask("resources/read", read.clone()).await;
    assert!(answer["result"]["contents"][0]["text"].as_str().is_some_and(|text| text.contains("Text.")), "{answer}");
    let argument = json!({"name": "path", "value": "a"});
    let reference = json!({"type": "ref/resource", "uri": "site:///content/{+path}"});
    for (method, params) in [
        ("resources/read", read),
        ("resources/list", json!({})),
        ("completion/complete", json!({"ref": reference, "argument": argument})),
    ] {
        let answer = publisher.request(method, params).await;
        let error = &answer.message()["error"];
        assert_eq!(error["data"]["code"], "not_allowed", "{method}: {answer:?}");
    }
}

#[tokio::test]
async fn a_token_allows_no_more_than_the_server() {
    let site = TestSite::new(SITE).await;
    let server = Server::new(site.site().clone(), Registry::standard(), Rights::read_only());
    let listening = listen(&server, TOKENS).await;
    let writer = Client::modern(&listening, WRITER);
    assert!(!names(&writer).await.contains(&"page_write".into()));
    assert_eq!(writer.call("page_delete", json!({"pages": [{"path": "a.md"}]})).await["code"], "not_allowed");
    assert_eq!(names(&Client::modern(&listening, PUBLISHER)).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_token_that_is_not_in_the_file_is_refused() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), TOKENS).await;
    for token in ["reader", "reader-token-012", "reader-token-01234", "reader-token-0123 writer-token-0123", ""] {
        let answer = Client::modern(&listening, token).request("tools/list", json!({})).await;
        assert_eq!(answer.status, 401, "{token}: {answer:?}");
    }
}

#[tokio::test]
async fn requests_beyond_the_pace_are_told_to_wait() {
    let site = TestSite::new(SITE).await;
    // One in a second, so that the slowest machine sends more.
    let listening = listen_with(site.server(), Tokens::read(TOKENS).expect("tokens").paced(1, 1)).await;
    let client = Client::modern(&listening, READER);
    let mut stream = TcpStream::connect(listening.address).await.expect("it listens");
    // All at once and none of them answered with work: the pace is all that is tried.
    let many = client.bytes("DELETE", "", &[]).repeat(60);
    let last = client.bytes("DELETE", "", &[("Connection", "close")]);
    let (mut read, mut write) = stream.split();
    let mut answers = String::new();
    let sent = async {
        write.write_all(many.as_bytes()).await.expect("sent");
        write.write_all(last.as_bytes()).await.expect("sent");
    };
    let (read, ()) = tokio::join!(read.read_to_string(&mut answers), sent);
    read.expect("answers");
    let refused = answers.matches("HTTP/1.1 429").count();
    assert!(refused > 0, "none was refused");
    assert!(refused < 61, "not even the first one went through");
    assert_eq!(answers.to_lowercase().matches("retry-after: 1").count(), refused);
    assert!(answers.contains("more than 1 requests in a second"), "{answers}");
    let other = Client::modern(&listening, WRITER).request("tools/list", json!({})).await;
    assert_eq!(other.status, 200, "one token's haste is not another's");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(client.request("tools/list", json!({})).await.status, 200);
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[tokio::test]
async fn writes_beyond_the_pace_wait_and_then_are_refused() {
    let site = TestSite::new(SITE).await;
    let hints = Hints { read_only: false, destructive: false, idempotent: true, open_world: false };
    let spec =
        Spec { name: "test_write", title: "A test", description: "Only for tests.", hints, right: Right::Content };
    let tool = Tool::new(spec, |_: &Context, _: Nothing| Ok::<Value, Error>(json!({"done": true})));
    let server = Server::new(site.site().clone(), Registry::empty().with(tool), Rights::all_but_admin());
    // One in a second, so that the slowest machine sends more.
    let listening = listen_with(&server, Tokens::read(TOKENS).expect("tokens").paced(1_000, 1)).await;
    let client = Client::modern(&listening, WRITER);
    let begin = std::time::Instant::now();
    let calls = (0..40).map(|_| client.call("test_write", json!({})));
    let answers = futures::future::join_all(calls).await;
    let took = begin.elapsed();
    let done = answers.iter().filter(|answer| answer["done"] == true).count();
    let busy: Vec<&Value> = answers.iter().filter(|answer| answer["code"] == "busy").collect();
    assert_eq!(done + busy.len(), answers.len(), "{answers:?}");
    // The first one, one for each second, and one that waited into the next.
    assert!((done as f64) < 3.0 + took.as_secs_f64(), "{done} went through in {took:?}");
    assert!(done >= 2, "the first goes through, and one waits for its turn");
    assert!(!busy.is_empty(), "none of {} was refused in {took:?}", answers.len());
    assert!(busy.iter().all(|refused| refused["hint"].as_str().is_some_and(|hint| hint.contains("again"))), "{busy:?}");
}

/// Runs the binary over stdio with these arguments and lines; what it says on standard output and standard error.
pub(crate) fn serve(arguments: &[&str], lines: &str) -> (bool, String, String) {
    use std::io::Write;
    let binary = env!("CARGO_BIN_EXE_sitewright");
    let folder = tempfile::tempdir().expect("a folder");
    let site = folder.path().join("site");
    let made = Command::new(binary).arg("init").arg(&site).args(["--title", "Test"]).output().expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut child = Command::new(binary)
        .args(["serve", "--no-preview"])
        .args(arguments)
        .current_dir(&site)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("stdin");
    // A server that refused its arguments is gone already.
    let _ = input.write_all(lines.as_bytes());
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn allow_narrows_what_a_local_client_may_do() {
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
        "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}});
    let lines = format!("{hello}\n{ready}\n{list}\n");
    for (arguments, there, gone) in [
        (&["--allow", "read,publish"][..], "\"publish\"", "\"page_write\""),
        (&["--allow", "read,content"], "\"page_write\"", "\"publish\""),
        (&["--allow", "read,content", "--read-only"], "\"page_get\"", "\"page_write\""),
    ] {
        let (ended, out, problem) = serve(arguments, &lines);
        assert!(ended, "{problem}");
        let list = out.lines().find(|line| line.contains("\"id\":2")).unwrap_or_else(|| panic!("{out} {problem}"));
        let named = |name: &str| list.contains(&format!("\"name\":{name}"));
        assert!(named(there) && !named(gone), "{arguments:?}: {list}");
    }
}

#[test]
fn a_wrong_right_or_token_file_stops_the_start_and_shows_no_token() {
    let (ended, out, problem) = serve(&["--allow", "read,write"], "");
    assert!(!ended && out.is_empty() && problem.contains("`write` is no right"), "{problem}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "ada read secretsecretsecret\n").expect("written");
    let path = file.path().to_str().expect("text");
    let (ended, _, problem) = serve(&["--http", "127.0.0.1:0", "--token-file", path], "");
    assert!(!ended && problem.contains("line 1") && !problem.contains("secret"), "{problem}");
}
