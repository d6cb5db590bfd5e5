//! The HTTP server: who may ask, and which build a path belongs to.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use tokio_util::sync::CancellationToken;

use super::live::{self, EVENTS_PATH, SCRIPT, SCRIPT_PATH};
use super::lookup::percent_decode;
use super::previews::Previews;
use super::respond::{self, Target};
use crate::error::{Error, Result};

/// How long open requests may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(1);

#[derive(Clone)]
struct Shared {
    previews: Arc<Previews>,
    port: u16,
    stop: CancellationToken,
}

/// Takes a port for these previews, which know their address from then on. Loopback only: a preview shows drafts and asks for no password.
///
/// # Errors
/// `InvalidArguments` for another address, `Io` where the port is taken.
pub fn bind(address: SocketAddr, previews: &Previews) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(Error::InvalidArguments {
            field: "preview".into(),
            problem: format!(
                "{} can be reached from other machines, previews are served on loopback only",
                address.ip()
            ),
            example: "127.0.0.1:4401".into(),
        });
    }
    let failed = |source| Error::Io { action: "listen on", path: address.to_string(), source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    previews.set_origin(format!("http://{}", listener.local_addr().map_err(failed)?));
    Ok(listener)
}

/// Serves previews until `stop` is cancelled, and then for at most a second more.
///
/// # Errors
/// `Io` where the listener fails.
pub async fn serve(listener: TcpListener, previews: Arc<Previews>, stop: CancellationToken) -> Result<()> {
    let failed = |source| Error::Io { action: "serve", path: "the preview".into(), source };
    let address = listener.local_addr().map_err(failed)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
    let shared = Shared { previews, port: address.port(), stop: stop.clone() };
    let app = Router::new().fallback(handle).with_state(shared);
    let server = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let patience = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server.into_future() => ended.map_err(failed),
        () = patience => Ok(()),
    }
}

async fn handle(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let mut response = answer(&shared, &parts.method, parts.uri, parts.headers).await;
    respond::seal(&mut response);
    response
}

async fn answer(shared: &Shared, method: &Method, uri: Uri, headers: HeaderMap) -> Response<Body> {
    if let Some(refusal) = refuse_strangers(shared.port, &uri, &headers) {
        return refusal;
    }
    if *method != Method::GET && *method != Method::HEAD {
        let mut response = respond::plain(StatusCode::METHOD_NOT_ALLOWED, "Previews can only be read.\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match uri.path() {
        SCRIPT_PATH => {
            let mut response = respond::plain(StatusCode::OK, SCRIPT);
            let script = HeaderValue::from_static("text/javascript; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, script);
            response
        }
        EVENTS_PATH => {
            let query = uri.query().unwrap_or_default();
            let since = query.split('&').find_map(|pair| pair.strip_prefix("since=")?.parse().ok()).unwrap_or(0);
            live::events(Arc::clone(&shared.previews), since, shared.stop.clone()).into_response()
        }
        _ => {
            let previews = Arc::clone(&shared.previews);
            let answered = tokio::task::spawn_blocking(move || file(&previews, &uri, &headers)).await;
            answered.unwrap_or_else(|error| {
                tracing::error!("preview: {error}");
                respond::plain(StatusCode::INTERNAL_SERVER_ERROR, "The preview failed; the log says why.\n")
            })
        }
    }
}

fn file(previews: &Previews, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
    let Some(path) = percent_decode(uri.path()) else {
        return respond::plain(StatusCode::BAD_REQUEST, "The address is not UTF-8.\n");
    };
    let path = path.strip_prefix('/').unwrap_or(&path);
    if let Some((label, rest)) = path.strip_prefix("_p/").and_then(|rest| rest.split_once('/')) {
        let Some(served) = previews.labelled(label) else {
            return respond::plain(StatusCode::NOT_FOUND, "This preview is no longer kept; ask for it again.\n");
        };
        return respond::file(previews, &Target { served: &served, path: rest, live: false }, uri, headers);
    }
    // Looked at before each page, and not before each of its pictures.
    let page = path.is_empty() || path.ends_with('/') || path.ends_with(".html") || !path.contains('.');
    let served = if page { previews.newest() } else { previews.working() };
    respond::file(previews, &Target { served: &served, path, live: true }, uri, headers)
}

/// Refuses requests that reached us under a foreign name (DNS rebinding) or that another site's page makes.
fn refuse_strangers(port: u16, uri: &Uri, headers: &HeaderMap) -> Option<Response<Body>> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("\0"));
    let host = text(header::HOST).or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
    let host_ok = host.is_some_and(|host| is_loopback(host, port));
    let authority_ok = uri.authority().is_none_or(|authority| is_loopback(authority.as_str(), port));
    if !host_ok || !authority_ok {
        let said = "This preview answers to 127.0.0.1, localhost and [::1] only.\n";
        return Some(respond::plain(StatusCode::FORBIDDEN, said));
    }
    if uri.path().starts_with("/_sitewright/") {
        let origin = text(header::ORIGIN);
        let origin_ok =
            origin.is_none_or(|origin| origin.strip_prefix("http://").is_some_and(|host| is_loopback(host, port)));
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let site_ok = site.is_none_or(|site| site == b"same-origin" || site == b"none");
        if !origin_ok || !site_ok {
            return Some(respond::plain(StatusCode::FORBIDDEN, "Only pages of this preview may ask for this.\n"));
        }
    }
    None
}

/// Whether `host[:port]` is a loopback name with the port we listen on.
fn is_loopback(host: &str, port: u16) -> bool {
    let (name, given) = match host.rsplit_once(':') {
        Some((name, digits)) if !digits.ends_with(']') => match digits.parse::<u16>() {
            Ok(given) => (name, given),
            Err(_) => return false,
        },
        _ => (host, 80),
    };
    let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let loopback = name.eq_ignore_ascii_case("localhost") || literal.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    given == port && loopback
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_loopback_names_with_our_port_pass() {
        for (host, expected) in [
            ("127.0.0.1:4401", true),
            ("localhost:4401", true),
            ("LOCALHOST:4401", true),
            ("[::1]:4401", true),
            ("127.0.0.2:4401", true),
            ("127.0.0.1", false),
            ("127.0.0.1:4400", false),
            ("127.0.0.1:", false),
            ("example.org:4401", false),
            ("127.0.0.1.example.org:4401", false),
            ("localhost.example.org:4401", false),
            ("10.0.0.1:4401", false),
            ("[::1]", false),
            ("", false),
            ("\0", false),
        ] {
            assert_eq!(is_loopback(host, 4401), expected, "{host}");
        }
        assert!(is_loopback("localhost", 80) && is_loopback("[::1]", 80));
    }
}
