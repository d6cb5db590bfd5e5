//! HTTP by hand: requests as bytes, and event streams read line by line, so that nothing hides what the server says.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sitewright::server::token::Tokens;
use sitewright::server::{Server, http};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard};

/// When an answer counts as one that never comes.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The id of the request that a session sends next.
static LAST_ID: AtomicUsize = AtomicUsize::new(100);

/// A server on a free port.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    _stop: DropGuard,
}

/// Serves over HTTP with the tokens of this text.
pub(crate) async fn listen(server: &Server, tokens: &str) -> Listening {
    listen_with(server, Tokens::read(tokens).expect("tokens")).await
}

/// The same with tokens that were read.
pub(crate) async fn listen_with(server: &Server, tokens: Tokens) -> Listening {
    let mut options = http::Options::local("127.0.0.1:0".parse().expect("an address")).expect("a token");
    options.tokens = Some(tokens);
    let listening = http::bind(options).await.expect("it listens");
    let address = listening.address();
    let stop = CancellationToken::new();
    tokio::spawn(listening.serve(server.clone(), stop.clone()));
    Listening { address, _stop: stop.drop_guard() }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The one JSON-RPC message with a result or an error, in a plain body or in an event stream.
    pub(crate) fn message(&self) -> Value {
        let lines = self.body.lines().map(|line| line.strip_prefix("data:").unwrap_or(line).trim());
        lines
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|message| message.get("result").is_some() || message.get("error").is_some())
            .unwrap_or_else(|| panic!("no message in {self:?}"))
    }
}

/// One client with its token; of an old one also its session.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    session: Option<String>,
}

impl Client {
    /// A client of 2026-07-28, which opens nothing.
    pub(crate) fn modern(listening: &Listening, token: &str) -> Self {
        Self::at(listening.address, token)
    }

    /// The same of a server anywhere.
    pub(crate) fn at(address: SocketAddr, token: &str) -> Self {
        Self { address, token: token.to_owned(), session: None }
    }

    /// A client of 2025-11-25 with a session.
    pub(crate) async fn session(listening: &Listening, token: &str) -> Self {
        let mut client = Self::modern(listening, token);
        let about = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "wire", "version": "1"}});
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about});
        let answer = client.send(&hello, &[]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let session = answer.head.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).expect("a session");
        client.session = Some(session.trim().to_owned());
        let answer = client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}), &[]).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        client
    }

    /// One request; its result or error.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        let answer = self.request(method, params).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.message()
    }

    /// Calls a tool; its JSON, refused or not.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await;
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        serde_json::from_str(text).expect("the text is JSON")
    }

    /// One request, whatever comes of it.
    pub(crate) async fn request(&self, method: &str, params: Value) -> Answer {
        let (message, headers) = self.message(method, params);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send(&message, &headers).await
    }

    /// A request whose answer is a stream that stays open.
    pub(crate) async fn stream(&self, method: &str, params: Value) -> Events {
        let (message, headers) = self.message(method, params);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(self.bytes("POST", &message.to_string(), &headers).as_bytes()).await.expect("sent");
        Events::of(stream).await
    }

    /// The stream of a session that carries what belongs to no request.
    pub(crate) async fn listen(&self) -> Events {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(self.bytes("GET", "", &[]).as_bytes()).await.expect("sent");
        Events::of(stream).await
    }

    fn message(&self, method: &str, mut params: Value) -> (Value, Vec<(&'static str, String)>) {
        let mut headers = Vec::new();
        if self.session.is_none() {
            let name = ["name", "uri"].iter().find_map(|key| params[key].as_str()).map(str::to_owned);
            headers.push(("MCP-Protocol-Version", "2026-07-28".to_owned()));
            headers.push(("Mcp-Method", method.to_owned()));
            headers.extend(name.map(|name| ("Mcp-Name", name)));
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "2"},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        // In a session no two requests may have the same one.
        let id = if self.session.is_some() { LAST_ID.fetch_add(1, Ordering::SeqCst) } else { 7 };
        (json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}), headers)
    }

    /// Ends its session.
    pub(crate) async fn end(&self) -> Answer {
        self.exchange("DELETE", "", &[]).await
    }

    async fn send(&self, message: &Value, headers: &[(&str, &str)]) -> Answer {
        self.exchange("POST", &message.to_string(), headers).await
    }

    async fn exchange(&self, method: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        let mut headers = headers.to_vec();
        headers.push(("Connection", "close"));
        stream.write_all(self.bytes(method, body, &headers).as_bytes()).await.expect("sent");
        let mut bytes = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("in time").expect("an answer");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// A request as it goes over the wire.
    pub(crate) fn bytes(&self, method: &str, body: &str, headers: &[(&str, &str)]) -> String {
        let mut text = format!(
            "{method} /mcp HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
            Accept: application/json, text/event-stream\r\nContent-Length: {}\r\n",
            self.address,
            self.token,
            body.len()
        );
        if let Some(session) = &self.session {
            text.push_str(&format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n"));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text + "\r\n" + body
    }
}

/// An open event stream.
pub(crate) struct Events(BufReader<TcpStream>);

impl Events {
    async fn of(stream: TcpStream) -> Self {
        let mut events = Self(BufReader::new(stream));
        let status = events.line().await.expect("an answer");
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        while !events.line().await.expect("headers").is_empty() {}
        events
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).await.expect("a line");
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// The next message; `None` where none comes within `limit`.
    pub(crate) async fn within(&mut self, limit: Duration) -> Option<Value> {
        let next = async {
            loop {
                let line = self.line().await?;
                let data = line.strip_prefix("data:").map(str::trim).filter(|data| !data.is_empty());
                if let Some(data) = data {
                    return Some(serde_json::from_str(data).expect("JSON"));
                }
            }
        };
        tokio::time::timeout(limit, next).await.ok().flatten()
    }

    /// The next message, which has to come.
    pub(crate) async fn next(&mut self) -> Value {
        self.within(PATIENCE).await.expect("a message in time")
    }
}
