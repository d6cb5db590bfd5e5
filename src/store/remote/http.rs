//! The smart protocol over HTTP and HTTPS. Redirects are followed only to the same origin; elsewhere they are named and refused.

use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;
use std::sync::Arc;

use ureq::http::{Response, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, SendBody};

use super::Reason;
use super::address::Web;
use super::bound::Bound;
use super::credentials::Credentials;
use super::settings::Settings;
use super::smart::{Body, Service, Wire, rewind};

/// How many redirects are followed.
const HOPS: usize = 3;

type Answer = Response<ureq::Body>;

/// One conversation with one service over HTTP.
pub(super) struct Http {
    agent: Agent,
    web: Web,
    service: Service,
    credentials: Rc<RefCell<Credentials>>,
}

impl Http {
    pub(super) fn open(
        agent: &Agent,
        web: &Web,
        service: Service,
        credentials: &Rc<RefCell<Credentials>>,
    ) -> Box<dyn Wire> {
        Box::new(Self { agent: agent.clone(), web: web.clone(), service, credentials: Rc::clone(credentials) })
    }

    /// Asks until an answer is neither a question for credentials nor a redirect.
    fn ask(&mut self, mut body: Option<&mut Body>) -> Result<Box<dyn Read + '_>, Reason> {
        let mut hops = 0;
        loop {
            let answer = self.once(body.as_deref_mut())?;
            match answer.status().as_u16() {
                200 => {
                    self.check_type(&answer, body.is_some())?;
                    return Ok(Box::new(answer.into_body().into_reader()));
                }
                401 => {
                    check_kind(&answer)?;
                    self.credentials.borrow_mut().advance(&self.web)?;
                }
                301 | 302 | 303 | 307 | 308 => {
                    hops += 1;
                    self.follow(&answer, body.is_some() || hops > HOPS)?;
                }
                status => return Err(Reason::new(self.refusal(status))),
            }
        }
    }

    fn once(&self, body: Option<&mut Body>) -> Result<Answer, Reason> {
        let name = self.service.name();
        let base = self.web.url();
        let login = self.credentials.borrow().current().map(super::credentials::Basic::header);
        let sent = match body {
            None => {
                let mut request = self.agent.get(format!("{base}/info/refs?service={name}"));
                if let Some(login) = login {
                    request = request.header(header::AUTHORIZATION, login);
                }
                request.header(header::CACHE_CONTROL, "no-cache").call()
            }
            Some(body) => {
                let length = rewind(body)?;
                let mut request = self.agent.post(format!("{base}/{name}"));
                if let Some(login) = login {
                    request = request.header(header::AUTHORIZATION, login);
                }
                request
                    .header(header::CONTENT_TYPE, format!("application/x-{name}-request"))
                    .header(header::ACCEPT, format!("application/x-{name}-result"))
                    .header(header::CONTENT_LENGTH, length)
                    .send(SendBody::from_reader(body))
            }
        };
        sent.map_err(|error| failure(&error))
    }

    fn check_type(&self, answer: &Answer, result: bool) -> Result<(), Reason> {
        let wanted =
            format!("application/x-{}-{}", self.service.name(), if result { "result" } else { "advertisement" });
        let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.split(';').next().unwrap_or_default().trim() == wanted) {
            return Ok(());
        }
        Err(Reason::new("what answers there is no git server that speaks the smart protocol"))
    }

    /// Goes where the server points, if that is the same server.
    fn follow(&mut self, answer: &Answer, refuse: bool) -> Result<(), Reason> {
        let place = answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok()).unwrap_or_default();
        let place = if place.starts_with('/') && !place.starts_with("//") {
            format!("{}{place}", self.web.origin)
        } else {
            place.to_owned()
        };
        let asked = format!("/info/refs?service={}", self.service.name());
        let base = place.strip_suffix(asked.as_str()).unwrap_or_else(|| place.split(['?', '#']).next().unwrap_or(""));
        let shown = crate::store::status::without_credentials(base);
        let elsewhere = || Reason::new(format!("it says that it is at {shown} now: set the remote's address to that"));
        if refuse || !place.ends_with(&asked) {
            return Err(elsewhere());
        }
        let Ok(super::address::Address::Http(new)) = super::address::parse(base) else { return Err(elsewhere()) };
        if new.origin != self.web.origin || new.user.is_some() || new.password.is_some() {
            return Err(elsewhere());
        }
        self.web.path = new.path;
        Ok(())
    }

    fn refusal(&self, status: u16) -> String {
        let known = self.credentials.borrow().current().is_some();
        match status {
            403 if known => "it forbids this to the login that was used (403)".into(),
            403 => "it forbids this (403)".into(),
            404 if known => "there is no repository at that address, or the login may not see it (404)".into(),
            404 => "there is no repository at that address (404)".into(),
            407 => "the proxy asks for a password (407)".into(),
            413 => "the push is too large for it (413)".into(),
            429 => "it asks to wait: too many requests (429)".into(),
            status => format!("it answers {status}"),
        }
    }
}

impl Wire for Http {
    fn advertisement(&mut self) -> Result<Box<dyn Read + '_>, Reason> {
        self.ask(None)
    }

    fn exchange(&mut self, body: &mut Body) -> Result<Box<dyn Read + '_>, Reason> {
        self.ask(Some(body))
    }

    fn close(&mut self) {}
}

/// An agent that follows no redirects, keeps no cookies, and waits for nothing without end.
pub(super) fn agent(web: &Web, settings: &Settings, bound: &Arc<Bound>) -> Result<Agent, Reason> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        // Hosts tell git from browsers by how it begins.
        .user_agent(concat!("git/2.0 (sitewright ", env!("CARGO_PKG_VERSION"), ")"))
        .timeout_connect(Some(settings.connect))
        .timeout_per_read(Some(settings.silence))
        .timeout_per_write(Some(settings.silence))
        .timeout_global(Some(bound.left()));
    if web.origin.starts_with("https:") {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::new_with_certs(&authorities(settings)?));
        config = config.https_only(true).tls_config(tls.build());
    }
    Ok(config.build().new_agent())
}

/// The certificate authorities to trust: a file's, or the system's (which `SSL_CERT_FILE` and `SSL_CERT_DIR` may name).
fn authorities(settings: &Settings) -> Result<Vec<Certificate<'static>>, Reason> {
    let Some(file) = &settings.ca_file else {
        let found = rustls_native_certs::load_native_certs();
        let found: Vec<_> = found.certs.iter().map(|der| Certificate::from_der(der.as_ref()).to_owned()).collect();
        if found.is_empty() {
            return Err(Reason::new(
                "no certificate authorities were found on this machine: install them (ca-certificates) or set SITEWRIGHT_CA_FILE",
            ));
        }
        return Ok(found);
    };
    let unusable = || Reason::new("the file that SITEWRIGHT_CA_FILE names holds no certificates");
    let text = std::fs::read(file).map_err(|_| unusable())?;
    let found: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() { Err(unusable()) } else { Ok(found) }
}

/// Only names and passwords can be given.
fn check_kind(answer: &Answer) -> Result<(), Reason> {
    let mut kinds =
        answer.headers().get_all(header::WWW_AUTHENTICATE).iter().filter_map(|v| v.to_str().ok()).peekable();
    if kinds.peek().is_none() || kinds.any(|kind| kind.to_ascii_lowercase().contains("basic")) {
        return Ok(());
    }
    Err(Reason::new("it asks for a kind of login that is not supported; only a name and password or token is"))
}

fn failure(error: &ureq::Error) -> Reason {
    match error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
            Reason::new("no answer: the connection cannot be made in time")
        }
        ureq::Error::Timeout(_) => Reason::new("no answer in time"),
        ureq::Error::HostNotFound => Reason::new("no such host"),
        error => {
            let text = error.to_string();
            let text = text.strip_prefix("io: ").unwrap_or(&text);
            Reason::new(if text.contains("certificate") {
                format!("its certificate is not trusted ({text})")
            } else {
                text.to_owned()
            })
        }
    }
}
