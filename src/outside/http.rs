//! One HTTP request at a time, to checked addresses only: no redirects, cookies, proxies or compression.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::guard::Guard;

/// Addresses of one host that are tried at most; ureq keeps no more.
const MAX_ADDRESSES: usize = 8;
/// Most bytes of an answer's head.
const MAX_HEAD: usize = 64 * 1024;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Looking the name up, connecting and TLS, each.
    pub(super) connect: Duration,
    /// Everything.
    pub(super) whole: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The guard does not let it out.
    Refused(String),
    /// No such host, or nobody listens there.
    Gone(String),
    /// It did not work this time.
    Failed(String),
}

/// What the guard said, on its way through ureq.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

/// No name server could be asked.
#[derive(Debug, thiserror::Error)]
#[error("no name server answered")]
struct NoAnswer;

/// An agent whose every connection goes to an address that the guard has seen.
pub(super) fn agent(guard: &Guard, tls: bool, patience: Patience) -> Agent {
    let mut config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // A proxy would dial an address that nobody checked.
        .proxy(None)
        .user_agent(concat!("sitewright/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .max_response_header_size(MAX_HEAD)
        .max_idle_connections(0)
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_global(Some(patience.whole));
    if tls {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let found = rustls_native_certs::load_native_certs();
        let found: Vec<_> = found.certs.iter().map(|der| Certificate::from_der(der.as_ref()).to_owned()).collect();
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::new_with_certs(&found));
        config = config.tls_config(tls.build());
    }
    Agent::with_parts(config.build(), DefaultConnector::default(), Checked(guard.clone()))
}

/// Hands ureq the checked addresses, so that what is dialled is what was checked.
#[derive(Debug)]
struct Checked(Guard);

impl Resolver for Checked {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().unwrap_or_default().to_owned();
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        let found = look_up(&self.0, &host, timeout)?;
        let addresses =
            self.0.judge(&host, port, &found).map_err(|reason| ureq::Error::Other(Box::new(Refused(reason))))?;
        let mut resolved = self.empty();
        addresses.into_iter().take(MAX_ADDRESSES).for_each(|address| resolved.push(address));
        if resolved.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(resolved) }
    }
}

/// Looks a name up in a thread of its own, because the system's way cannot be interrupted.
fn look_up(guard: &Guard, host: &str, timeout: NextTimeout) -> Result<Vec<std::net::IpAddr>, ureq::Error> {
    let (send, receive) = sync_channel(1);
    let (guard, host) = (guard.clone(), host.to_owned());
    // Nobody listens any more where it took too long.
    std::thread::Builder::new().name("lookup".into()).spawn(move || drop(send.send(guard.look_up(&host))))?;
    match receive.recv_timeout(*timeout.after) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) if is_unknown_name(&error) => Err(ureq::Error::HostNotFound),
        Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(ureq::Error::Other(Box::new(NoAnswer))),
        Err(RecvTimeoutError::Timeout) => Err(ureq::Error::Timeout(timeout.reason)),
    }
}

/// Whether a name server said that there is no such name; the system tells it in words only. All else may be our own network.
fn is_unknown_name(error: &io::Error) -> bool {
    let text = error.to_string().to_ascii_lowercase();
    ["not known", "no address associated", "no such host", "nodename nor servname"]
        .iter()
        .any(|said| text.contains(said))
}

/// A header's value, where it is text.
pub(super) fn header<'a, T>(answer: &'a Response<T>, name: &str) -> Option<&'a str> {
    answer.headers().get(name).and_then(|value| value.to_str().ok())
}

/// Whether a status leads elsewhere.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// What went wrong, in words that tell nothing of this machine.
pub(super) fn fault(error: &ureq::Error) -> Fault {
    use io::ErrorKind::{
        ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable, TimedOut, UnexpectedEof,
    };
    match error {
        ureq::Error::Other(other) => match other.downcast_ref::<Refused>() {
            Some(Refused(reason)) => Fault::Refused(reason.clone()),
            None if other.is::<NoAnswer>() => Fault::Failed("its name cannot be looked up now".into()),
            None => Fault::Failed("the request failed".into()),
        },
        ureq::Error::HostNotFound => Fault::Gone("there is no such host".into()),
        ureq::Error::Timeout(_) | ureq::Error::BodyStalled => Fault::Failed("no answer in time".into()),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => Fault::Failed("its certificate is not trusted".into()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Fault::Refused("it is no address that can be asked".into()),
        ureq::Error::LargeResponseHeader(..) => Fault::Failed("the head of its answer is too large".into()),
        ureq::Error::Io(error) => match error.kind() {
            ConnectionRefused => Fault::Gone("nobody listens there".into()),
            HostUnreachable | NetworkUnreachable => Fault::Failed("there is no way to it from here".into()),
            TimedOut => Fault::Failed("no answer in time".into()),
            ConnectionReset | UnexpectedEof => Fault::Failed("the connection was cut".into()),
            _ => match error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>()) {
                Some(inner) => fault(inner),
                None if error.to_string().contains("certificate") => {
                    Fault::Failed("its certificate is not trusted".into())
                }
                None => Fault::Failed("the connection failed".into()),
            },
        },
        _ => Fault::Failed("it does not speak HTTP as it should".into()),
    }
}
