//! Addresses that a site allows its server to reach: a network, or a host by name, with or without a port.

// `core::net` holds addresses and no sockets: the model stays pure.
use core::net::IpAddr;

/// A network such as `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads `192.168.0.0/16`, `fd00::/8`, `127.0.0.1` or `::1`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => self.bits == 0 || (a.to_bits() ^ b.to_bits()) >> (32 - self.bits) == 0,
            (IpAddr::V6(a), IpAddr::V6(b)) => self.bits == 0 || (a.to_bits() ^ b.to_bits()) >> (128 - self.bits) == 0,
            _ => false,
        }
    }
}

/// One entry of `fetch.allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Every address of a network, on every port.
    Network(Network),
    /// A host by its name, on every port or on one.
    Host(String, Option<u16>),
}

impl Allowed {
    /// Reads `10.0.0.0/8`, `intranet.example` or `intranet.example:8443`.
    ///
    /// # Errors
    /// A sentence that says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(network) = Network::parse(text) {
            return Ok(Self::Network(network));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().ok().filter(|port| *port > 0))),
            None => (text, None),
        };
        let label =
            |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let named = host.len() <= 253 && host.split('.').all(label) && host.contains(|c: char| c.is_ascii_alphabetic());
        match port {
            _ if !named => {}
            None => return Ok(Self::Host(host.to_ascii_lowercase(), None)),
            Some(Some(port)) => return Ok(Self::Host(host.to_ascii_lowercase(), Some(port))),
            Some(None) => {}
        }
        Err(format!("expected a host such as `intranet.example`, or a network such as `10.0.0.0/8`, found `{text}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("192.168.1.128/25", "192.168.1.200", "192.168.1.127"),
        ] {
            let network = Network::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{outside}");
        }
        for bad in ["10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "::1/129", "10.0.0.0/+8", "host", ""] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn entries_are_hosts_or_networks() {
        assert_eq!(Allowed::parse("Intra.example"), Ok(Allowed::Host("intra.example".into(), None)));
        assert_eq!(Allowed::parse("intra.example:8443"), Ok(Allowed::Host("intra.example".into(), Some(8443))));
        assert!(matches!(Allowed::parse("10.0.0.0/8"), Ok(Allowed::Network(_))));
        for bad in ["", "*", "http://x.example", "x.example:0", "x.example:port", "a b", "10.0.0.0/40", "1.2.3"] {
            assert!(Allowed::parse(bad).is_err(), "{bad}");
        }
    }
}
