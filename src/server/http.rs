//! MCP over HTTP: `/mcp` behind a bearer token, on loopback unless a TLS proxy is said to stand in front.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Server;
use crate::error::{Error, Result};
use crate::tools::MAX_ARGUMENT_BYTES;

/// Largest accepted request body: the largest arguments and their envelope.
pub const MAX_BODY_BYTES: usize = MAX_ARGUMENT_BYTES + 64 * 1024;
/// Most sessions at once. Clients of 2026-07-28 and later have none.
pub const MAX_SESSIONS: usize = 64;
/// A session that was silent for this long is closed.
const SESSION_IDLE: Duration = Duration::from_mins(5);
/// How long open answers may still go out after the server was told to stop.
const STOP_GRACE: Duration = Duration::from_millis(1_500);
/// Fewest characters of a token somebody chose.
const SHORTEST_TOKEN: usize = 16;

/// The secret a client has to show.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

impl Token {
    /// A new one: 32 random bytes in hexadecimal.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes.iter().fold(String::with_capacity(64), |text, byte| format!("{text}{byte:02x}"))))
    }

    /// One that was chosen (`--token-file`, `SITEWRIGHT_TOKEN`); white space around it does not count.
    ///
    /// # Errors
    /// [`Error::InvalidArguments`] when it is too short to be a secret or cannot stand in a header.
    pub fn chosen(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.len() < SHORTEST_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let problem = format!("needs at least {SHORTEST_TOKEN} visible ASCII characters without spaces");
            return Err(Error::InvalidArguments {
                field: "token".into(),
                problem,
                example: "openssl rand -hex 32".into(),
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text a client sends after `Bearer `.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares every byte, whatever differs first.
    fn is(&self, given: &str) -> bool {
        let (mine, given) = (self.0.as_bytes(), given.as_bytes());
        let mut different = mine.len() ^ given.len();
        for (at, byte) in mine.iter().enumerate() {
            different |= usize::from(byte ^ given.get(at).copied().unwrap_or_default());
        }
        std::hint::black_box(different) == 0
    }
}

/// How to listen.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where; port 0 takes a free one.
    pub address: SocketAddr,
    /// What clients have to show; `None` lets everyone on this machine in (loopback only).
    pub token: Option<Token>,
    /// A proxy that speaks TLS stands in front: other addresses than loopback are allowed.
    pub behind_tls_proxy: bool,
    /// `Host` names accepted besides loopback, such as `mcp.example.org`.
    pub hosts: Vec<String>,
    /// `Origin`s of web pages that may call, such as `https://app.example.org:443`; normally none.
    pub origins: Vec<String>,
}

impl Options {
    /// Loopback only, with a new token.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn local(address: SocketAddr) -> Result<Self> {
        let token = Some(Token::generate()?);
        Ok(Self { address, token, behind_tls_proxy: false, hosts: Vec::new(), origins: Vec::new() })
    }

    fn check(&self) -> Result<()> {
        let local = self.address.ip().is_loopback();
        let refuse = |field: &str, problem: &str, example: &str| {
            Err(Error::InvalidArguments { field: field.into(), problem: problem.into(), example: example.into() })
        };
        if !local && !self.behind_tls_proxy {
            return refuse(
                "--http",
                "listens beyond this machine without encryption",
                "--http 127.0.0.1:4400, or --behind-tls-proxy when a proxy speaks TLS in front",
            );
        }
        if self.token.is_none() && (!local || self.behind_tls_proxy) {
            return refuse("--no-token", "works on loopback only", "--http 127.0.0.1:4400 --no-token");
        }
        Ok(())
    }
}

/// A listening server that does not answer yet.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
}

/// Takes the port, so that its number is known before anything is printed.
///
/// # Errors
/// [`Error::InvalidArguments`] for a combination that would be unsafe; [`Error::Io`] when the port is taken.
pub async fn bind(options: Options) -> Result<Listening> {
    options.check()?;
    let failed = |source| Error::Io { action: "listen on", path: options.address.to_string(), source };
    let listener = TcpListener::bind(options.address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Listening { listener, address, options })
}

impl Listening {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is cancelled.
    ///
    /// # Errors
    /// The listener failed.
    pub async fn serve(self, server: Server, stop: CancellationToken) -> Result<()> {
        let address = self.address;
        let router = router(server, &self.options, &stop);
        let stopped = stop.clone();
        let serving = axum::serve(self.listener, router)
            .with_graceful_shutdown(async move { stopped.cancelled().await })
            .into_future();
        let served = tokio::select! {
            served = serving => served,
            () = async { stop.cancelled().await; tokio::time::sleep(STOP_GRACE).await } => Ok(()),
        };
        served.map_err(|source| Error::Io { action: "serve on", path: address.to_string(), source })
    }
}

#[derive(Debug, Clone)]
struct Gate {
    token: Option<Token>,
    sessions: Arc<LocalSessionManager>,
}

fn router(server: Server, options: &Options, stop: &CancellationToken) -> Router {
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(SESSION_IDLE);
    let sessions = Arc::new(sessions);
    let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into_iter().chain(options.hosts.iter().cloned());
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts)
        .with_allowed_origins(options.origins.iter().cloned())
        .enforce_origin_validation()
        .with_max_request_body_bytes(MAX_BODY_BYTES)
        .with_cancellation_token(stop.child_token());
    let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&sessions), config);
    let gate = Gate { token: options.token.clone(), sessions };
    Router::new().route_service("/mcp", service).layer(from_fn_with_state(gate, enter))
}

/// What every request has to pass before MCP sees it.
async fn enter(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if let Some(token) = &gate.token {
        match bearer(request.headers()) {
            Some(given) if token.is(given) => {}
            given => return unauthorized(given.is_some()),
        }
    }
    if declared_length(request.headers()).is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        let message = format!("the body is larger than {MAX_BODY_BYTES} bytes");
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &message, "Split the call into smaller ones.");
    }
    if opens_session(&request) && gate.sessions.sessions.read().await.len() >= MAX_SESSIONS {
        let message = format!("{MAX_SESSIONS} sessions are open already");
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "busy", &message, "Close one, or wait until idle ones end.");
    }
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Dates of protocol revisions compare as text.
fn opens_session(request: &Request) -> bool {
    let headers = request.headers();
    let stateless = headers
        .get("mcp-protocol-version")
        .and_then(|version| version.to_str().ok())
        .is_some_and(|version| version >= "2026-07-28");
    *request.method() == Method::POST && !stateless && !headers.contains_key("mcp-session-id")
}

fn unauthorized(shown: bool) -> Response {
    let (message, challenge) = if shown {
        ("the bearer token is wrong", "Bearer realm=\"sitewright\", error=\"invalid_token\"")
    } else {
        ("a bearer token is needed", "Bearer realm=\"sitewright\"")
    };
    let hint = "Send `Authorization: Bearer <token>` with the token the server printed when it started.";
    let mut response = refuse(StatusCode::UNAUTHORIZED, "unauthorized", message, hint);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

fn refuse(status: StatusCode, code: &str, message: &str, hint: &str) -> Response {
    let body = json!({"code": code, "message": message, "hint": hint}).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(address: &str) -> Options {
        Options::local(address.parse().expect("an address")).expect("a token")
    }

    #[test]
    fn tokens_are_long_different_and_never_shown() {
        let (one, other) = (Token::generate().expect("a token"), Token::generate().expect("a token"));
        assert_eq!(one.as_str().len(), 64);
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(format!("{one:?}"), "Token(..)");
        assert!(one.is(one.as_str()));
        for wrong in ["", "0", &one.as_str()[1..], &format!("{}0", one.as_str()), other.as_str()] {
            assert!(!one.is(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_chosen_token_has_to_be_a_secret() {
        assert_eq!(Token::chosen(" 0123456789abcdef\n").expect("long enough").as_str(), "0123456789abcdef");
        for bad in ["", "short", "0123456789 abcdef", "0123456789abcdeé"] {
            assert!(Token::chosen(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn unsafe_combinations_are_refused() {
        assert!(options("127.0.0.1:0").check().is_ok());
        assert!(options("[::1]:0").check().is_ok());
        assert!(options("0.0.0.0:0").check().is_err());
        assert!(Options { behind_tls_proxy: true, ..options("0.0.0.0:0") }.check().is_ok());
        assert!(Options { token: None, ..options("127.0.0.1:0") }.check().is_ok());
        assert!(Options { token: None, behind_tls_proxy: true, ..options("0.0.0.0:0") }.check().is_err());
        assert!(Options { token: None, behind_tls_proxy: true, ..options("127.0.0.1:0") }.check().is_err());
    }
}
