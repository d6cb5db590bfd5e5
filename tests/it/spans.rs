//! Spans of OpenTelemetry: a collector that the environment names gets one for each call, nobody else gets any, and no call waits for it.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sitewright::insight::Window;
use sitewright::outside::peer::Peer;

use crate::harness::TestSite;

const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\n-- content/a.md --\n---\ntitle: A\n---\nOld.\n";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// A message to the collector: its first line, and its body.
type Message = (String, Vec<u8>);

/// A collector on a free port: takes everything, or takes connections and never says a word.
fn collector(answers: bool) -> (String, Receiver<Message>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            if !answers {
                send.send((String::new(), Vec::new())).expect("a test that listens");
                open.push(stream);
            } else if let Some(message) = taken(stream)
                && send.send(message).is_err()
            {
                return;
            }
        }
    });
    (address, receive)
}

fn taken(mut stream: TcpStream) -> Option<Message> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
    let head = loop {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse::<usize>().ok()?;
    while bytes.len() < head + 4 + length {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok()?;
    Some((text.lines().next().unwrap_or_default().to_owned(), bytes[head + 4..].to_vec()))
}

/// The program with these variables.
fn program(folder: &Path, variables: &[(&str, &str)]) -> PathBuf {
    let path = folder.join("server");
    let export: Vec<String> = variables.iter().map(|(name, value)| format!("export {name}='{value}'\n")).collect();
    let export = export.concat();
    let text = format!("#!/bin/sh\n{export}exec \"{}\" \"$@\"\n", env!("CARGO_BIN_EXE_sitewright"));
    std::fs::write(&path, text).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a program");
    path
}

fn call(peer: &mut Peer, tool: &str, arguments: Value) -> Value {
    let meta = json!({"traceparent": format!("00-{TRACE}-00f067aa0ba902b7-01")});
    peer.request("tools/call", &json!({"name": tool, "arguments": arguments, "_meta": meta})).expect("an answer")
}

/// Every text in a message of protobuf, and every 16 bytes that could be a trace's id, in hexadecimal digits.
fn texts(message: &[u8], found: &mut BTreeSet<String>) -> Option<()> {
    let mut at = 0;
    let number = |at: &mut usize| {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *message.get(*at)?;
            *at += 1;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(value);
            }
        }
        None
    };
    while at < message.len() {
        match number(&mut at)? & 7 {
            0 => drop(number(&mut at)?),
            1 => at += 8,
            5 => at += 4,
            2 => {
                let length = usize::try_from(number(&mut at)?).ok()?;
                let part = message.get(at..at + length)?;
                at += length;
                if let Ok(text) = std::str::from_utf8(part) {
                    found.insert(text.to_owned());
                }
                if length == 16 {
                    found.insert(part.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat());
                }
                let _ = texts(part, found);
            }
            _ => return None,
        }
    }
    Some(())
}

#[tokio::test]
async fn a_collector_gets_a_span_for_each_call_and_no_word_of_it() {
    let site = TestSite::new(SITE).await;
    let (address, received) = collector(true);
    let scripts = tempfile::tempdir().expect("a folder");
    let server =
        program(scripts.path(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &address), ("OTEL_BSP_SCHEDULE_DELAY", "100")]);
    let mut peer = Peer::start(&server, &site.path(), "test").expect("a server");
    let page = json!({"path": "a.md", "edits": [{"find": "Old.", "replace": "Geheimnis."}]});
    assert_eq!(
        call(&mut peer, "page_write", json!({"pages": [page], "message": "Geheimnis"}))["result"]["isError"],
        false
    );
    call(&mut peer, "page_get", json!({"paths": ["/geheimnis/"]}));
    call(&mut peer, "geheimnis_get", json!({}));
    drop(peer);
    let mut found = BTreeSet::new();
    let mut whole = Vec::new();
    while let Ok((line, body)) = received.recv_timeout(Duration::from_secs(1)) {
        assert_eq!(line, "post /v1/traces http/1.1");
        texts(&body, &mut found).expect("protobuf");
        whole.extend(body);
    }
    let window = Window::read(&site.site().repository().own_files(), jiff::Timestamp::MIN).expect("a journal");
    let session = window.records.iter().map(|record| record.session.as_str()).next().expect("a session");
    for wanted in [
        "tools/call page_write",
        "tools/call page_get",
        "tools/call",
        "mcp.method.name",
        "gen_ai.operation.name",
        "execute_tool",
        "gen_ai.tool.name",
        "page_write",
        "mcp.session.id",
        session,
        "mcp.protocol.version",
        "2025-06-18",
        "network.transport",
        "pipe",
        "jsonrpc.request.id",
        "error.type",
        "tool_error",
        "sitewright.error.code",
        "not_found",
        "rpc.response.status_code",
        "-32602",
        "service.name",
        "sitewright",
        TRACE,
    ] {
        assert!(found.contains(wanted), "{wanted}: {found:#?}");
    }
    assert!(!String::from_utf8_lossy(&whole).to_lowercase().contains("geheimnis"), "{found:#?}");
}

#[tokio::test]
async fn nobody_gets_any_who_was_not_named() {
    let site = TestSite::new(SITE).await;
    let (address, received) = collector(true);
    let scripts = tempfile::tempdir().expect("a folder");
    for variables in [
        &[][..],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()), ("OTEL_SDK_DISABLED", "true")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()), ("OTEL_TRACES_EXPORTER", "none")],
    ] {
        let mut peer = Peer::start(&program(scripts.path(), variables), &site.path(), "test").expect("a server");
        call(&mut peer, "site_get", json!({}));
        drop(peer);
        assert!(received.try_recv().is_err(), "{variables:?}");
    }
}

#[tokio::test]
async fn a_collector_that_hangs_costs_no_call_and_no_end() {
    let site = TestSite::new(SITE).await;
    let (address, received) = collector(false);
    let scripts = tempfile::tempdir().expect("a folder");
    let server =
        program(scripts.path(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &address), ("OTEL_BSP_SCHEDULE_DELAY", "50")]);
    let mut peer = Peer::start(&server, &site.path(), "test").expect("a server");
    call(&mut peer, "site_get", json!({}));
    received.recv_timeout(Duration::from_secs(10)).expect("it was asked");
    let begin = Instant::now();
    for _ in 0..20 {
        call(&mut peer, "page_get", json!({"paths": ["a.md"]}));
    }
    let calls = begin.elapsed();
    let begin = Instant::now();
    drop(peer);
    // A client of the collector waits five seconds for its answer, and a peer that does not end is killed after ten.
    assert!(
        calls < Duration::from_secs(4) && begin.elapsed() < Duration::from_secs(4),
        "{calls:?}, {:?}",
        begin.elapsed()
    );
    let window = Window::read(&site.site().repository().own_files(), jiff::Timestamp::MIN).expect("a journal");
    assert_eq!(window.records.len(), 21);
}
