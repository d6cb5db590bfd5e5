//! MCP over HTTP: `/mcp` behind a bearer token, on loopback unless a TLS proxy is said to stand in front.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Server;
use super::token::{Grant, Token, Tokens};
use crate::error::{Error, Result};
use crate::tools::{MAX_ARGUMENT_BYTES, Rights};

/// Largest accepted request body: the largest arguments and their envelope.
pub const MAX_BODY_BYTES: usize = MAX_ARGUMENT_BYTES + 64 * 1024;
/// Most sessions at once. Clients of 2026-07-28 and later have none.
pub const MAX_SESSIONS: usize = 64;
/// A session that was silent for this long is closed.
const SESSION_IDLE: Duration = Duration::from_mins(5);
/// How long open answers may still go out after the server was told to stop.
pub const STOP_GRACE: Duration = Duration::from_millis(1_500);

/// How to listen.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where; port 0 takes a free one.
    pub address: SocketAddr,
    /// What clients have to show; `None` lets everyone on this machine in (loopback only).
    pub tokens: Option<Tokens>,
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
        let tokens = Some(Token::generate()?.into());
        Ok(Self { address, tokens, behind_tls_proxy: false, hosts: Vec::new(), origins: Vec::new() })
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
        if self.tokens.is_none() && (!local || self.behind_tls_proxy) {
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
        let router = router(server, &self.options, address.port(), &stop);
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
    tokens: Option<Tokens>,
    /// Of everyone, where no token is wanted.
    anyone: Grant,
    sessions: Arc<LocalSessionManager>,
}

fn router(server: Server, options: &Options, port: u16, stop: &CancellationToken) -> Router {
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(SESSION_IDLE);
    let sessions = Arc::new(sessions);
    // Our own origin is harmless: nothing that could run in a browser is served there.
    let own = ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("http://{host}:{port}"));
    let origins = own.into_iter().chain(options.origins.iter().cloned());
    let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into_iter().chain(options.hosts.iter().cloned());
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_max_request_body_bytes(MAX_BODY_BYTES)
        .with_cancellation_token(stop.child_token());
    let service = StreamableHttpService::new(move || Ok(server.connection()), Arc::clone(&sessions), config);
    let anyone = Grant::new("", Rights::all_but_admin());
    let gate = Gate { tokens: options.tokens.clone(), anyone, sessions };
    Router::new().route_service("/mcp", service).layer(from_fn_with_state(gate, enter))
}

/// What every request has to pass before MCP sees it.
async fn enter(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let grant = match (&gate.tokens, bearer(request.headers())) {
        (None, _) => gate.anyone.clone(),
        (Some(tokens), Some(given)) => match tokens.find(given) {
            Some(grant) => grant.clone(),
            None => return unauthorized(true),
        },
        (Some(_), None) => return unauthorized(false),
    };
    if grant.calls.take(Instant::now()).is_none() {
        return too_fast(grant.calls.per_second());
    }
    if declared_length(request.headers()).is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        let message = format!("the body is larger than {MAX_BODY_BYTES} bytes");
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &message, "Split the call into smaller ones.");
    }
    if opens_session(&request) && gate.sessions.sessions.read().await.len() >= MAX_SESSIONS {
        let message = format!("{MAX_SESSIONS} sessions are open already");
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "busy", &message, "Close one, or wait until idle ones end.");
    }
    // Found again by the call this request carries: see `grant`.
    request.extensions_mut().insert(grant);
    let ends_session = *request.method() == Method::DELETE;
    let mut response = next.run(request).await;
    // The session is gone by now. rmcp says that it will be (202), which clients take for a failure; MCP names no status.
    if ends_session && response.status() == StatusCode::ACCEPTED {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

/// For a call that came over HTTP the session it names, where it names one.
#[expect(clippy::option_option, reason = "not over HTTP, and without a session, are two things")]
pub(super) fn session(extensions: &rmcp::model::Extensions) -> Option<Option<String>> {
    let headers = &extensions.get::<Parts>()?.headers;
    Some(headers.get("mcp-session-id").and_then(|id| id.to_str().ok()).map(str::to_owned))
}

/// What the token of a call's request grants; `None` for a call that did not come over HTTP.
pub(super) fn grant(extensions: &rmcp::model::Extensions) -> Option<Grant> {
    extensions.get::<Parts>()?.extensions.get::<Grant>().cloned()
}

fn too_fast(most: u32) -> Response {
    let message = format!("more than {most} requests in a second");
    let hint = "Wait a second, then send it again.";
    let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, "busy", &message, hint);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
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
    fn unsafe_combinations_are_refused() {
        assert!(options("127.0.0.1:0").check().is_ok());
        assert!(options("[::1]:0").check().is_ok());
        assert!(options("0.0.0.0:0").check().is_err());
        assert!(Options { behind_tls_proxy: true, ..options("0.0.0.0:0") }.check().is_ok());
        assert!(Options { tokens: None, ..options("127.0.0.1:0") }.check().is_ok());
        assert!(Options { tokens: None, behind_tls_proxy: true, ..options("0.0.0.0:0") }.check().is_err());
        assert!(Options { tokens: None, behind_tls_proxy: true, ..options("127.0.0.1:0") }.check().is_err());
    }
}
