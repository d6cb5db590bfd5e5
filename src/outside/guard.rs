//! The guard of every request that leaves: which URLs and addresses may be reached.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use url::{Host, Url};

use super::address::{inner, literal, special};
use crate::model::config::FetchConfig;
use crate::model::network::Allowed;

/// Longest URL, in bytes.
const MAX_URL: usize = 4_096;
/// Ports that need no permission.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// Looks a host name up.
pub type Resolve = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// What may be reached: everything public on the usual ports, and what a person allowed.
#[derive(Clone)]
pub struct Guard {
    allowed: Arc<[Allowed]>,
    resolve: Arc<Resolve>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

impl Guard {
    /// The guard of a site, with the system's own way to look names up.
    #[must_use]
    pub fn new(config: &FetchConfig) -> Self {
        let allowed = config.allow.iter().filter_map(|entry| Allowed::parse(entry).ok()).collect();
        let resolve = |host: &str| Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect());
        Self { allowed, resolve: Arc::new(resolve) }
    }

    /// The same with another way to look names up.
    #[must_use]
    pub fn with_resolver(self, resolve: Arc<Resolve>) -> Self {
        Self { resolve, ..self }
    }

    /// Looks a name up, without judging.
    pub(super) fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match literal(host) {
            Some(address) => Ok(vec![address]),
            None => (self.resolve)(host),
        }
    }

    /// The addresses to dial, all of them checked: one bad address among good ones refuses the host.
    ///
    /// # Errors
    /// A sentence that names no address that the caller did not.
    pub(super) fn judge(&self, host: &str, port: u16, found: &[IpAddr]) -> Result<Vec<SocketAddr>, String> {
        let named = host.trim_end_matches('.').to_ascii_lowercase();
        let by_name = self.allowed.iter().any(|entry| match entry {
            Allowed::Host(name, wanted) => *name == named && wanted.is_none_or(|wanted| wanted == port),
            Allowed::Network(_) => false,
        });
        let by_network = |address: IpAddr| {
            self.allowed.iter().any(|entry| match entry {
                Allowed::Network(network) => network.contains(address) || network.contains(inner(address)),
                Allowed::Host(..) => false,
            })
        };
        for address in found.iter().copied().filter(|address| !by_network(*address)) {
            match special(address) {
                Some(special) if special.strict || !by_name => {
                    let leads = if literal(host).is_some() { "it is" } else { "its name leads to" };
                    return Err(format!("{leads} {}", special.what));
                }
                None if !by_name && !USUAL_PORTS.contains(&port) => {
                    return Err(format!("port {port} is not allowed, only 80 and 443"));
                }
                _ => {}
            }
        }
        Ok(found.iter().map(|address| SocketAddr::new(*address, port)).collect())
    }
}

/// Reads a URL as a browser would, and refuses what no request may be made of.
///
/// # Errors
/// A sentence that says what is wrong.
pub(super) fn parse(text: &str) -> Result<Url, String> {
    if text.len() > MAX_URL {
        return Err(format!("the address is longer than {MAX_URL} bytes"));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("the address has spaces or control characters".into());
    }
    let mut url =
        Url::parse(text).map_err(|_| "it is no whole address such as https://example.org/a.jpg".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("only http and https addresses are read".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a user name or password is not used".into());
    }
    match url.host() {
        None => return Err("the address names no host".into()),
        Some(Host::Domain(name)) if name.trim_end_matches('.').is_empty() => {
            return Err("the address names no host".into());
        }
        Some(_) => {}
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allow: &[&str]) -> Guard {
        Guard::new(&FetchConfig {
            allow: allow.iter().map(|entry| (*entry).to_owned()).collect(),
            ..FetchConfig::default()
        })
    }

    fn judged(guard: &Guard, url: &str, found: &[&str]) -> Result<usize, String> {
        let url = parse(url)?;
        let host = url.host_str().unwrap();
        let found: Vec<IpAddr> = match found {
            [] => guard.look_up(host).unwrap(),
            found => found.iter().map(|address| address.parse().unwrap()).collect(),
        };
        guard.judge(host, url.port_or_known_default().unwrap(), &found).map(|all| all.len())
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://0x7f.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://0/",
            "http://１２７.０.０.１/",
            "http://127。0。0。1/",
            "http://①②⑦.0.0.1/",
            "http://169.254.169.254/latest/meta-data/",
            "http://[fd00:ec2::254]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://10.0.0.1./",
        ] {
            assert!(judged(&guard(&[]), url, &[]).is_err(), "{url}");
        }
    }

    #[test]
    fn addresses_that_are_no_requests_are_refused() {
        for url in [
            "file:///etc/passwd",
            "ftp://example.org/",
            "gopher://example.org/",
            "data:text/plain,x",
            "javascript:alert(1)",
            "https://user@example.org/",
            "https://:secret@example.org/",
            "/relative",
            "example.org",
            "",
            "https://",
            "https://exa mple.org/",
            "https://example.org/\r\nHost: x",
            "http://[::1",
            "https://./",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
        assert_eq!(parse("https://example.org/a#b").unwrap().as_str(), "https://example.org/a");
    }

    #[test]
    fn a_name_is_judged_by_where_it_leads() {
        let plain = guard(&[]);
        assert_eq!(judged(&plain, "https://example.org/", &["93.184.216.34", "2606:2800::1"]), Ok(2));
        let refused = judged(&plain, "https://example.org/", &["93.184.216.34", "10.0.0.7"]).unwrap_err();
        assert!(refused.contains("private") && !refused.contains("10.0.0.7"), "{refused}");
        assert!(judged(&plain, "https://example.org:8443/", &["93.184.216.34"]).unwrap_err().contains("port 8443"));
    }

    #[test]
    fn a_person_allows_hosts_and_networks() {
        let named = guard(&["intra.example", "other.example:8080"]);
        assert_eq!(judged(&named, "http://intra.example:9000/", &["10.0.0.7"]), Ok(1));
        assert_eq!(judged(&named, "http://INTRA.example./", &["10.0.0.7"]), Ok(1));
        assert_eq!(judged(&named, "http://other.example:8080/", &["10.0.0.7"]), Ok(1));
        assert!(judged(&named, "http://other.example/", &["10.0.0.7"]).is_err());
        assert!(judged(&named, "http://x.intra.example/", &["10.0.0.7"]).is_err());
        // A name can be made to lead anywhere: metadata has to be allowed by its address.
        assert!(judged(&named, "http://intra.example/", &["169.254.169.254"]).is_err());
        let network = guard(&["10.0.0.0/8", "::1"]);
        assert_eq!(judged(&network, "http://a.example:9000/", &["10.0.0.7"]), Ok(1));
        assert_eq!(judged(&network, "http://[::ffff:10.0.0.7]/", &[]), Ok(1));
        assert_eq!(judged(&network, "http://[::1]:81/", &[]), Ok(1));
        assert!(judged(&network, "http://a.example/", &["10.0.0.7", "192.168.0.1"]).is_err());
    }
}
