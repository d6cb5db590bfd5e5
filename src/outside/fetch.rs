//! Reads one file from the network, within limits, through the guard; redirects are followed by hand and checked again.

use std::io::Read;
use std::time::{Duration, Instant};

use ureq::http::{Response, header};
use url::Url;

use super::guard::{Guard, parse};
use super::http::{self, Fault, Patience};
use crate::error::{Error, Result};
use crate::model::Progress;

/// How many redirects are followed.
const HOPS: usize = 5;
/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest address that an error says back, in characters.
const SHOWN: usize = 200;

/// What a fetch may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// Most bytes of the file.
    pub max_bytes: usize,
    /// Most time for all of it, redirects included.
    pub whole: Duration,
    /// How the content type has to begin, such as `image/`; empty: any, or none.
    pub types: &'a [&'a str],
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Where it was in the end.
    pub url: String,
    /// All of it.
    pub bytes: Vec<u8>,
    /// What the server says it is: `image/png`; nothing is proven by it.
    pub content_type: Option<String>,
}

/// Reads the file at an `http` or `https` address.
///
/// # Errors
/// `FetchRefused` where the guard or a limit says no, `FetchFailed` where it did not work, `Cancelled`.
pub fn get(guard: &Guard, url: &str, limits: &Limits<'_>, progress: &Progress) -> Result<Fetched> {
    let begin = Instant::now();
    let asked = shown(url);
    let refused = |reason: String| Error::FetchRefused { url: asked.clone(), reason };
    let mut at = parse(url).map_err(&refused)?;
    for hop in 0..=HOPS {
        progress.proceed()?;
        let left = limits.whole.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return Err(failed(&asked, "no answer in time"));
        }
        let patience = Patience { connect: CONNECT.min(left), whole: left };
        let agent = http::agent(guard, at.scheme() == "https", patience);
        let answer = agent.get(at.as_str()).header(header::ACCEPT, "*/*").call();
        let answer = answer.map_err(|error| match http::fault(&error) {
            Fault::Refused(reason) if hop > 0 => {
                refused(format!("it leads to an address that is not allowed: {reason}"))
            }
            Fault::Refused(reason) => refused(reason),
            Fault::Gone(reason) | Fault::Failed(reason) => failed(&asked, &reason),
        })?;
        let status = answer.status().as_u16();
        if http::is_redirect(status) {
            at = next(&at, &answer).map_err(|reason| refused(format!("it leads elsewhere: {reason}")))?;
            continue;
        }
        if status != 200 {
            return Err(failed(&asked, &format!("it answers {status}")));
        }
        return read(&at, answer, limits, progress, &asked);
    }
    Err(refused(format!("it leads from one address to the next, more than {HOPS} times")))
}

/// Where a redirect leads; never from `https` to `http`.
fn next(at: &Url, answer: &Response<ureq::Body>) -> Result<Url, String> {
    let place = http::header(answer, "location").ok_or("it does not say where")?;
    let joined = at.join(place).map_err(|_| "to no address")?;
    let next = parse(joined.as_str())?;
    if at.scheme() == "https" && next.scheme() == "http" {
        return Err("from https to http".into());
    }
    Ok(next)
}

fn read(
    at: &Url,
    answer: Response<ureq::Body>,
    limits: &Limits<'_>,
    progress: &Progress,
    asked: &str,
) -> Result<Fetched> {
    let refused = |reason: String| Error::FetchRefused { url: asked.to_owned(), reason };
    let kind = http::header(&answer, "content-type").map(|kind| {
        kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().chars().take(100).collect::<String>()
    });
    let fits = |kind: &String| limits.types.iter().any(|wanted| kind.starts_with(wanted));
    if !limits.types.is_empty() && !kind.as_ref().is_some_and(fits) {
        let found = kind.as_deref().unwrap_or("nothing");
        return Err(refused(format!("it says that it is {found}, expected {}", limits.types.join(" or "))));
    }
    // It was asked not to; unpacking is how little becomes much.
    if http::header(&answer, "content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(refused("it answers compressed, although it was asked not to".into()));
    }
    let too_large = || refused(format!("it is larger than {} bytes", limits.max_bytes));
    let told = http::header(&answer, "content-length").and_then(|length| length.parse::<u64>().ok());
    if told.is_some_and(|length| length > limits.max_bytes as u64) {
        return Err(too_large());
    }
    let mut reader = answer.into_body().into_reader();
    let mut bytes = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        progress.proceed()?;
        let count = reader.read(&mut chunk).map_err(|error| match http::fault(&ureq::Error::Io(error)) {
            Fault::Refused(reason) | Fault::Gone(reason) | Fault::Failed(reason) => failed(asked, &reason),
        })?;
        if count == 0 {
            return Ok(Fetched { url: at.to_string(), bytes, content_type: kind });
        }
        if bytes.len() + count > limits.max_bytes {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
}

fn failed(asked: &str, reason: &str) -> Error {
    Error::FetchFailed { url: asked.to_owned(), reason: reason.to_owned() }
}

/// The caller's address for a message: one line, not long, without a login or query.
fn shown(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let plain = match plain.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            format!("{scheme}://{}{path}", host.rsplit('@').next().unwrap_or_default())
        }
        None => plain.to_owned(),
    };
    plain.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}
