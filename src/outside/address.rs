//! Which addresses of the internet are public: everything else is refused unless a person allowed it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::network::Network;

/// Why an address is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Special {
    /// What it is, in words for a sentence: "a private address".
    pub(super) what: &'static str,
    /// Whether allowing a host by name is not enough, because nobody means it: such as a cloud's metadata.
    pub(super) strict: bool,
}

const PRIVATE: &str = "a private address";
const RESERVED: &str = "a reserved address";
const LOCAL: &str = "this machine";
const LINK: &str = "a link-local address";

/// Networks of IPv4 that are not public, with the word for each.
const V4: [(&str, &str, bool); 17] = [
    ("100.100.100.200", "a metadata service", true),
    ("192.0.0.192", "a metadata service", true),
    ("0.0.0.0/8", "an unspecified address", true),
    ("10.0.0.0/8", PRIVATE, false),
    ("100.64.0.0/10", "an address of a carrier's own network", false),
    ("127.0.0.0/8", LOCAL, false),
    ("169.254.0.0/16", LINK, true),
    ("172.16.0.0/12", PRIVATE, false),
    ("192.0.0.0/24", RESERVED, false),
    ("192.0.2.0/24", RESERVED, false),
    ("192.88.99.0/24", RESERVED, false),
    ("192.168.0.0/16", PRIVATE, false),
    ("198.18.0.0/15", PRIVATE, false),
    ("198.51.100.0/24", RESERVED, false),
    ("203.0.113.0/24", RESERVED, false),
    ("224.0.0.0/4", "a multicast address", true),
    ("240.0.0.0/4", RESERVED, true),
];

/// Networks of IPv6 that are not public; what lies outside `2000::/3` is not either.
const V6: [(&str, &str, bool); 10] = [
    ("fd00:ec2::254", "a metadata service", true),
    ("::", "an unspecified address", true),
    ("::1", LOCAL, false),
    ("fe80::/10", LINK, true),
    ("fc00::/7", PRIVATE, false),
    ("ff00::/8", "a multicast address", true),
    // Teredo (2001::/32) and 6to4 carry an IPv4 address that the tunnel's end would dial.
    ("2001::/23", RESERVED, true),
    ("2001:db8::/32", RESERVED, false),
    ("2002::/16", RESERVED, true),
    ("3fff::/20", RESERVED, false),
];

/// The address that is dialled in the end: IPv4 inside IPv6 is taken out.
pub(super) fn inner(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let segments = v6.segments();
    let low = Ipv4Addr::from_bits(v6.to_bits() as u32);
    match segments {
        // Mapped.
        [0, 0, 0, 0, 0, 0xffff, _, _] => low.into(),
        // NAT64: how a network without IPv4 reaches it.
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => low.into(),
        // Compatible, long out of use; `::` and `::1` are none.
        [0, 0, 0, 0, 0, 0, high, last] if high != 0 || last > 1 => low.into(),
        _ => address,
    }
}

/// Why an address is not public; `None`: it is.
pub(super) fn special(address: IpAddr) -> Option<Special> {
    let listed = |table: &[(&'static str, &'static str, bool)], address: IpAddr| {
        table
            .iter()
            .find(|(network, ..)| Network::parse(network).is_some_and(|network| network.contains(address)))
            .map(|(_, what, strict)| Special { what, strict: *strict })
    };
    match inner(address) {
        IpAddr::V4(v4) => listed(&V4, v4.into()),
        IpAddr::V6(v6) => {
            let global = v6.segments()[0] & 0xe000 == 0x2000;
            listed(&V6, v6.into()).or_else(|| (!global).then_some(Special { what: RESERVED, strict: true }))
        }
    }
}

/// Reads a host as an address, brackets and all.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => host.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<IpAddr>().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(address: &str) -> bool {
        special(address.parse().unwrap()).is_none()
    }

    #[test]
    fn the_tables_can_be_read() {
        for (network, ..) in V4.iter().chain(&V6) {
            assert!(Network::parse(network).is_some(), "{network}");
        }
    }

    #[test]
    fn what_is_not_public_is_known_in_every_dress() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.19.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "100.100.100.200",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::a00:1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "fc00::1",
            "fd12::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001:10::1",
            "3fff::1",
            "100::1",
            "5f00::1",
            "4000::1",
            "::ffff:0:127.0.0.1",
        ] {
            assert!(!public(address), "{address}");
        }
        for address in
            ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"]
        {
            assert!(public(address), "{address}");
        }
    }
}
