//! Hands bytes to the collector that the person who runs the server named in its environment. No guard: that person decides what is reached.

use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderMap, HeaderName};

use super::guard::Guard;
use super::http::{self, Fault, Patience};
use crate::model::config::FetchConfig;

/// How long one message may take. Nobody waits for it but its own thread.
const EACH: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read.
const MOST_ANSWER: u64 = 64 * 1024;
/// Said by us, whatever the caller wants.
const OWN: [HeaderName; 2] = [ureq::http::header::HOST, ureq::http::header::CONTENT_LENGTH];

/// A way to one collector.
#[derive(Debug)]
pub struct Collector(Agent);

impl Collector {
    /// One for addresses that begin with `https:`, or one for plain ones.
    #[must_use]
    pub fn new(tls: bool) -> Self {
        let everywhere =
            FetchConfig { allow: ["0.0.0.0/0", "::/0"].map(str::to_owned).to_vec(), ..FetchConfig::default() };
        Self(http::agent(&Guard::new(&everywhere), tls, Patience { connect: EACH, whole: EACH }))
    }

    /// Status and body of the answer.
    ///
    /// # Errors
    /// Why there is none, in words that tell nothing of this machine.
    pub fn post(&self, url: &str, headers: &HeaderMap, body: &[u8]) -> Result<(u16, Vec<u8>), String> {
        let mut request = self.0.post(url);
        for (name, value) in headers.iter().filter(|(name, _)| !OWN.contains(name)) {
            request = request.header(name, value);
        }
        let failed = |error: &ureq::Error| match http::fault(error) {
            Fault::Refused(problem) | Fault::Gone(problem) | Fault::Failed(problem) => problem,
        };
        let mut answer = request.send(body).map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(MOST_ANSWER).read_to_vec();
        body.map(|body| (status, body)).map_err(|error| failed(&error))
    }
}
