//! Answers to requests for files: the right bytes, type and headers, and the live-reload script in working pages.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};

use super::lookup::{self, Found};
use super::previews::{Previews, Served};
use super::{content_type, live};

/// Where in the preview a request goes.
pub(super) struct Target<'a> {
    /// The build.
    pub served: &'a Served,
    /// Decoded path below the build's address, without a leading slash.
    pub path: &'a str,
    /// Whether the build is the working change set: only that one reloads.
    pub live: bool,
}

/// Answers a GET or HEAD request for a file.
pub(super) fn file(previews: &Previews, target: &Target<'_>, uri: &Uri, request: &HeaderMap) -> Response<Body> {
    let outputs = &target.served.fresh.outputs;
    if target.live
        && outputs.is_empty()
        && let Some(failure) = &target.served.failure
    {
        return failed(target.served.version, failure);
    }
    let (status, found) = match lookup::find(outputs, target.path) {
        Found::File(found) => (StatusCode::OK, found),
        Found::AddSlash => return add_slash(uri),
        Found::Missing(Some(found)) => (StatusCode::NOT_FOUND, found),
        Found::Missing(None) => return missing(target),
    };
    let accept = request.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let twin = lookup::markdown_twin(outputs, found);
    let chosen = match twin {
        Some(twin) if status == StatusCode::OK && lookup::wants_markdown(accept) => twin,
        _ => found,
    };
    let Some(output) = outputs.get(chosen) else { return missing(target) };
    let bytes = match previews.bytes(&target.served.fresh, &output.data) {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::warn!("preview of {chosen}: {error}");
            return plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "This file cannot be read. Reload the page to build again.\n",
            );
        }
    };
    let mut response = if target.live && is_html(chosen) {
        // A page that stands in for a missing one belongs to no path, so any new page may be the one wanted.
        let own = if status == StatusCode::OK { chosen } else { "" };
        Response::new(Body::from(live::inject(&bytes, target.served.version, own)))
    } else {
        ranged(&bytes, request)
    };
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type(chosen));
    if twin.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    target.served.headers.apply(&format!("/{}", target.path), headers);
    response
}

fn content_type(path: &str) -> HeaderValue {
    let unknown = HeaderValue::from_static("application/octet-stream");
    HeaderValue::try_from(content_type::of(path)).unwrap_or(unknown)
}

fn is_html(path: &str) -> bool {
    content_type::of(path).starts_with("text/html")
}

/// The whole file or the one range asked for: browsers seek in video and audio only where ranges work.
fn ranged(bytes: &Arc<[u8]>, request: &HeaderMap) -> Response<Body> {
    let asked = request.get(header::RANGE).and_then(|value| value.to_str().ok());
    let (status, body, content_range) = match asked.map_or(Range::Whole, |text| range(text, bytes.len())) {
        Range::Whole => (StatusCode::OK, bytes.to_vec(), None),
        Range::Part(from, to) => {
            let content_range = format!("bytes {from}-{to}/{}", bytes.len());
            (StatusCode::PARTIAL_CONTENT, bytes[from..=to].to_vec(), Some(content_range))
        }
        Range::Outside => (StatusCode::RANGE_NOT_SATISFIABLE, Vec::new(), Some(format!("bytes */{}", bytes.len()))),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(value) = content_range.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
enum Range {
    /// Everything: there is none, or one of a form that may be ignored.
    Whole,
    /// First and last byte.
    Part(usize, usize),
    /// Bytes the file does not have.
    Outside,
}

fn range(text: &str, length: usize) -> Range {
    let Some((first, last)) = text.strip_prefix("bytes=").and_then(|ranges| ranges.split_once('-')) else {
        return Range::Whole;
    };
    let asked = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Err(_), Ok(0)) if first.is_empty() => return Range::Outside,
        (Err(_), Ok(suffix)) if first.is_empty() => Some((length.saturating_sub(suffix), usize::MAX)),
        (Ok(first), Ok(last)) if first <= last => Some((first, last)),
        (Ok(first), Err(_)) if last.is_empty() => Some((first, usize::MAX)),
        _ => None,
    };
    match (asked, length.checked_sub(1)) {
        (None, _) => Range::Whole,
        (Some((first, last)), Some(end)) if first <= end => Range::Part(first, last.min(end)),
        _ => Range::Outside,
    }
}

/// To the address with a final slash, so that relative links in the page work. Not permanent: previews change.
fn add_slash(uri: &Uri) -> Response<Body> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // One leading slash: two would name another host.
    let location = format!("/{}/{query}", uri.path().trim_start_matches('/'));
    let mut response = plain(StatusCode::FOUND, "");
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

fn missing(target: &Target<'_>) -> Response<Body> {
    let body = "<p>There is no such page in this preview, and the site has no 404 page.</p>";
    own_page(StatusCode::NOT_FOUND, "Not found", body, target.live.then_some(target.served.version))
}

fn failed(version: u64, failure: &str) -> Response<Body> {
    let body = format!("<pre>{}</pre><p>This page reloads as soon as the site builds again.</p>", escape(failure));
    own_page(StatusCode::INTERNAL_SERVER_ERROR, "The site cannot be built", &body, Some(version))
}

/// A page of the preview server itself, under the strictest policy.
fn own_page(status: StatusCode, title: &str, body: &str, live: Option<u64>) -> Response<Body> {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title></head><body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    let bytes = match live {
        Some(version) => live::inject(page.as_bytes(), version, ""),
        None => page.into_bytes(),
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    response
}

/// A short answer as text.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Headers of every answer: nothing is cached, sniffed, or readable from another origin.
pub(super) fn seal(response: &mut Response<Body>) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static("frame-ancestors 'self'"));
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{Range, range};

    #[test]
    fn one_range_is_understood() {
        for (text, expected) in [
            ("bytes=0-3", Range::Part(0, 3)),
            ("bytes=4-", Range::Part(4, 9)),
            ("bytes=-3", Range::Part(7, 9)),
            ("bytes=-99", Range::Part(0, 9)),
            ("bytes=8-99", Range::Part(8, 9)),
            ("bytes=10-", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=3-1", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("items=0-1", Range::Whole),
            ("bytes=a-b", Range::Whole),
            ("bytes=-", Range::Whole),
        ] {
            assert_eq!(range(text, 10), expected, "{text}");
        }
        assert_eq!(range("bytes=0-", 0), Range::Outside);
    }
}
