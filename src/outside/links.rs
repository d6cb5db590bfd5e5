//! Checks whether addresses elsewhere still answer: HEAD, then GET; several hosts at once, one host at a time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::Agent;
use ureq::http::header;

use super::guard::{Guard, parse};
use super::http::{self, Fault, Patience};
use crate::model::Progress;

/// How many redirects are followed.
const HOPS: usize = 5;

/// What a check may cost.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Hosts asked at the same time.
    pub parallel: usize,
    /// Rest between two questions to one host.
    pub pause: Duration,
    /// Most time for one address.
    pub each: Duration,
    /// Most time for all of them; what is left then stays unknown.
    pub whole: Duration,
    /// Most addresses that are asked; the rest stays unknown.
    pub most: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallel: 8,
            pause: Duration::from_millis(200),
            each: Duration::from_secs(10),
            whole: Duration::from_mins(1),
            most: 500,
        }
    }
}

/// How an address stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// There is no such host or page.
    Broken,
    /// It has moved for good; `location` says where to.
    Redirected,
    /// It answers, but not to us, or it was not asked.
    Unknown,
    /// It is there.
    Ok,
}

/// One address with what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkResult {
    /// As given.
    pub url: String,
    /// How it stands.
    pub state: State,
    /// The last status, where there was one.
    pub status: Option<u16>,
    /// Where it has moved to.
    pub location: Option<String>,
    /// Why it stands so, in words; empty where it is there.
    pub reason: String,
}

/// What asking one address brought, whatever spelling it was given in.
#[derive(Debug, Clone)]
struct Finding {
    state: State,
    status: Option<u16>,
    location: Option<String>,
    reason: String,
}

impl Finding {
    fn unknown(reason: &str) -> Self {
        Self { state: State::Unknown, status: None, location: None, reason: reason.to_owned() }
    }
}

/// Asks each address once and answers in the order they were given. One that is cancelled or out of time leaves the rest
/// unknown; the caller asks `progress` whether to go on.
#[must_use]
pub fn check(urls: &[String], guard: &Guard, options: &Options, progress: &Progress) -> Vec<LinkResult> {
    let mut hosts: BTreeMap<String, VecDeque<String>> = BTreeMap::new();
    let mut keys: Vec<Result<String, String>> = Vec::with_capacity(urls.len());
    let mut known: HashMap<String, Finding> = HashMap::new();
    let mut asked = 0;
    for url in urls {
        let key = parse(url).map(|parsed| {
            let key = parsed.to_string();
            if !known.contains_key(&key) {
                let late = asked >= options.most;
                let why = if late { "not asked: there are too many links" } else { "not asked: no time was left" };
                known.insert(key.clone(), Finding::unknown(why));
                if !late {
                    asked += 1;
                    hosts.entry(parsed.host_str().unwrap_or_default().to_owned()).or_default().push_back(key.clone());
                }
            }
            key
        });
        keys.push(key);
    }
    let found = ask_all(hosts, asked, guard, options, progress);
    known.extend(found);
    let result = |(url, key): (&String, &Result<String, String>)| {
        let finding = match key {
            Ok(key) => known.get(key).cloned().unwrap_or_else(|| Finding::unknown("not asked")),
            Err(reason) => Finding { state: State::Broken, ..Finding::unknown(reason) },
        };
        let Finding { state, status, location, reason } = finding;
        LinkResult { url: url.clone(), state, status, location, reason }
    };
    urls.iter().zip(&keys).map(result).collect()
}

/// Each worker takes one host and asks its addresses one after the other.
fn ask_all(
    hosts: BTreeMap<String, VecDeque<String>>,
    total: usize,
    guard: &Guard,
    options: &Options,
    progress: &Progress,
) -> Vec<(String, Finding)> {
    let deadline = Instant::now() + options.whole;
    let workers = options.parallel.clamp(1, 32).min(hosts.len());
    let agent = http::agent(guard, true, Patience { connect: options.each, whole: options.each });
    let queue = Mutex::new(hosts.into_values().collect::<Vec<_>>());
    let found = Mutex::new(Vec::new());
    let done = AtomicUsize::new(0);
    let lock = |queue: &Mutex<Vec<VecDeque<String>>>| queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work = || {
        while let Some(urls) = lock(&queue) {
            for (at, url) in urls.into_iter().enumerate() {
                if at > 0 {
                    std::thread::sleep(options.pause);
                }
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() || progress.is_cancelled() {
                    return;
                }
                let finding = ask(&agent, &url, options.each.min(left));
                found.lock().unwrap_or_else(PoisonError::into_inner).push((url, finding));
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                progress.report(done as f64 / total.max(1) as f64, "Checking links");
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// HEAD first; many servers refuse it or answer it wrongly, so that only GET proves anything bad.
fn ask(agent: &Agent, url: &str, patience: Duration) -> Finding {
    let deadline = Instant::now() + patience;
    let by_head = follow(agent, url, false, deadline);
    match by_head {
        Ok(finding) if matches!(finding.state, State::Ok | State::Redirected) => finding,
        Err(finding) => finding,
        Ok(_) => follow(agent, url, true, deadline).unwrap_or_else(|finding| finding),
    }
}

/// Follows an address to its end. `Err`: there is no use in asking in another way.
fn follow(agent: &Agent, url: &str, whole: bool, deadline: Instant) -> Result<Finding, Finding> {
    let mut at = parse(url).map_err(|reason| Finding::unknown(&reason))?;
    let mut moved = false;
    for hop in 0..=HOPS {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Finding::unknown("no answer in time"));
        }
        let request = if whole { agent.get(at.as_str()) } else { agent.head(at.as_str()) };
        let request = request.config().timeout_global(Some(left)).build();
        let answer = match request.header(header::ACCEPT, "*/*").call() {
            Ok(answer) => answer,
            Err(error) => return Err(of_fault(http::fault(&error))),
        };
        let status = answer.status().as_u16();
        if !http::is_redirect(status) {
            return Ok(of_status(status, moved.then(|| at.to_string())));
        }
        let next = http::header(&answer, "location").and_then(|place| at.join(place).ok());
        let Some(next) = next.and_then(|next| parse(next.as_str()).ok()) else {
            let reason = "it leads to no address".to_owned();
            return Ok(Finding { state: State::Broken, status: Some(status), location: None, reason });
        };
        // One temporary step on the way, and the address that is written stays the right one.
        moved = matches!(status, 301 | 308) && (moved || hop == 0);
        at = next;
    }
    let reason = "it leads from one address to the next without end".to_owned();
    Ok(Finding { state: State::Broken, status: None, location: None, reason })
}

fn of_fault(fault: Fault) -> Finding {
    match fault {
        Fault::Refused(reason) => Finding::unknown(&format!("not asked: {reason}")),
        Fault::Gone(reason) => Finding { state: State::Broken, ..Finding::unknown(&reason) },
        Fault::Failed(reason) => Finding::unknown(&reason),
    }
}

fn of_status(status: u16, location: Option<String>) -> Finding {
    let (state, reason) = match status {
        200..=299 => match &location {
            Some(_) => (State::Redirected, "it has moved for good".to_owned()),
            None => (State::Ok, String::new()),
        },
        404 | 410 => (State::Broken, format!("it answers {status}")),
        // Many hosts tell programs less than people.
        _ => (State::Unknown, format!("it answers {status}")),
    };
    let location = location.filter(|_| state == State::Redirected);
    Finding { state, status: Some(status), location, reason }
}
