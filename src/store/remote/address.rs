//! A remote's address: which way leads to it, and its parts, checked before any program or server sees them.

use super::Reason;

/// Where a remote is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A folder on this machine, or `git://`: libgit2 reaches both.
    Plain,
    /// Git's smart protocol over HTTP.
    Http(Web),
    /// Git's smart protocol through the system's ssh.
    Ssh(Login),
}

/// An `http://` or `https://` address.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Web {
    /// `https://host:port`, as it is written.
    pub(super) origin: String,
    /// From the first slash on, without the last one.
    pub(super) path: String,
    /// The user name in the address.
    pub(super) user: Option<String>,
    /// The password in the address.
    pub(super) password: Option<String>,
}

/// An `ssh://` address, or `user@host:path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    /// `user@host`.
    pub(super) destination: String,
    /// Where it is not ssh's own choice.
    pub(super) port: Option<u16>,
    /// The repository on that machine.
    pub(super) path: String,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Web({})", self.url())
    }
}

impl Web {
    /// The address without user name and password.
    pub(super) fn url(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// `host:port`.
    pub(super) fn authority(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether what is sent cannot be read on the way.
    pub(super) fn is_private(&self) -> bool {
        let host = self.authority();
        let host = host.strip_prefix('[').and_then(|h| h.split(']').next()).unwrap_or_else(|| without_port(host));
        self.origin.starts_with("https://")
            || host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// Reads an address.
pub(super) fn parse(url: &str) -> Result<Address, Reason> {
    if url.chars().any(char::is_control) {
        return Err(Reason::new("its address holds a control character"));
    }
    match url.split_once("://") {
        Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
            "file" | "git" => Ok(Address::Plain),
            scheme @ ("http" | "https") => web(scheme, rest).map(Address::Http),
            "ssh" | "git+ssh" | "ssh+git" => ssh_url(rest).map(Address::Ssh),
            _ => Err(Reason::new(format!("addresses that begin with {scheme}:// are not supported"))),
        },
        None => match scp_form(url) {
            Some((host, path)) => login(host, None, path.to_owned()).map(Address::Ssh),
            None => Ok(Address::Plain),
        },
    }
}

/// The folder of a remote on this machine.
pub(super) fn local_path(url: &str) -> Option<String> {
    match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            // libgit2 decodes percent signs; such addresses go its plain way.
            (!path.contains('%')).then(|| path.to_owned())
        }
        Some(_) => None,
        None => scp_form(url).is_none().then(|| url.to_owned()),
    }
}

/// `host:path`, unless a slash comes first or the host is the letter of a drive.
fn scp_form(url: &str) -> Option<(&str, &str)> {
    let colon = match url.find("]:") {
        Some(end) if url.contains('[') => end + 1,
        _ => url.find(':')?,
    };
    let (host, path) = (&url[..colon], &url[colon + 1..]);
    let drive = cfg!(windows) && host.len() == 1;
    (!drive && !host.contains('/')).then_some((host, path))
}

fn web(scheme: &str, rest: &str) -> Result<Web, Reason> {
    if rest.contains(['?', '#']) {
        return Err(Reason::new("its address holds `?` or `#`, which git addresses cannot"));
    }
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (login, host) = match authority.rsplit_once('@') {
        Some((login, host)) => (Some(login), host),
        None => (None, authority),
    };
    if host.is_empty() || without_port(host).is_empty() {
        return Err(Reason::new("its address names no host"));
    }
    let (user, password) = match login.map(|login| login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)))) {
        Some((user, password)) => (Some(decoded(user)?), password.map(decoded).transpose()?),
        None => (None, None),
    };
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    Ok(Web {
        origin: format!("{scheme}://{}", host.to_ascii_lowercase()),
        path: path.trim_end_matches('/').to_owned(),
        user: filled(user),
        password: filled(password),
    })
}

fn ssh_url(rest: &str) -> Result<Login, Reason> {
    let (authority, path) =
        rest.find('/').map(|at| rest.split_at(at)).ok_or_else(|| Reason::new("its address names no path"))?;
    let host = without_port(authority);
    let port = authority[host.len()..].strip_prefix(':').filter(|port| !port.is_empty());
    let port = port.map(str::parse).transpose().map_err(|_| Reason::new("its address has an impossible port"))?;
    let path = decoded(path)?;
    // `ssh://host/~user/x` means user's home there.
    let path = if path.starts_with("/~") { path[1..].to_owned() } else { path };
    login(&decoded(host)?, port, path)
}

/// Checks what goes to the ssh program: neither part may pass as an option.
fn login(host: &str, port: Option<u16>, path: String) -> Result<Login, Reason> {
    let destination = host.replace(['[', ']'], "");
    let (user, name) = destination.rsplit_once('@').unwrap_or(("", &destination));
    let odd = |c: char| c.is_whitespace() || c.is_control() || "'\"`$;|&<>(){}\\!*?#".contains(c);
    if name.is_empty() || name.starts_with('-') || user.starts_with('-') || destination.contains(odd) {
        return Err(Reason::new("its address has an impossible host"));
    }
    if path.is_empty() || path.starts_with('-') || path.chars().any(char::is_control) {
        return Err(Reason::new("its address has an impossible path"));
    }
    Ok(Login { destination, port, path })
}

/// `[::1]:22` is `[::1]`.
fn without_port(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(at) if !authority[at..].contains(']') => &authority[..at],
        _ => authority,
    }
}

/// Decodes percent signs.
fn decoded(text: &str) -> Result<String, Reason> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let pair = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let pair = pair.filter(|pair| first == b'%' && pair.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    let text = String::from_utf8(bytes).map_err(|_| Reason::new("its address is not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(Reason::new("its address holds a control character"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_on_this_machine_is_known_by_its_address() {
        assert_eq!(local_path("file:///srv/a.git").as_deref(), Some("/srv/a.git"));
        assert_eq!(local_path("../a.git").as_deref(), Some("../a.git"));
        assert_eq!(local_path("./a:b.git").as_deref(), Some("./a:b.git"));
        assert_eq!(local_path("host:a.git"), None);
        assert_eq!(parse("/srv/a:b.git").unwrap(), Address::Plain);
    }

    #[test]
    fn ssh_addresses_come_in_two_forms() {
        let ssh = |destination: &str, port, path: &str| {
            Address::Ssh(Login { destination: destination.into(), port, path: path.into() })
        };
        for (url, address) in [
            ("git@example.org:me/a.git", ssh("git@example.org", None, "me/a.git")),
            ("[::1]:a.git", ssh("::1", None, "a.git")),
            ("me@[::1]:a.git", ssh("me@::1", None, "a.git")),
            ("ssh://git@example.org/me/a.git", ssh("git@example.org", None, "/me/a.git")),
            ("ssh://git@[::1]:2222/~me/a%20b.git", ssh("git@::1", Some(2222), "~me/a b.git")),
            ("git+ssh://h:/a", ssh("h", None, "/a")),
        ] {
            assert_eq!(parse(url).unwrap(), address, "{url}");
        }
    }

    #[test]
    fn what_could_pass_as_an_option_or_a_command_is_refused() {
        for url in [
            "-oProxyCommand=x:a.git",
            "me@-oProxyCommand=x:a.git",
            "ssh://-oProxyCommand=x/a.git",
            "ssh://%2doProxyCommand=x/a.git",
            "ssh://-lx@host/a.git",
            "ssh://a;b/a.git",
            "ssh://a%0ab/a.git",
            "ssh://host:99999/a.git",
            "ssh://host",
            "ssh:///a.git",
            "host:",
            "host:-a.git",
            "host:a\nb",
            "https:///a.git",
            "https://:80/a.git",
            "https://host/a.git?token=x",
            "https://a%0d%0ab@host/a.git",
            "ftp://host/a.git",
            "ext::sh -c x://",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_web_address_is_shown_without_its_login() {
        let Address::Http(web) = parse("HTTPS://me:p%40ss@Example.org:8443/a.git/").unwrap() else { panic!() };
        assert_eq!((web.url().as_str(), web.authority()), ("https://example.org:8443/a.git", "example.org:8443"));
        assert_eq!((web.user.as_deref(), web.password.as_deref()), (Some("me"), Some("p@ss")));
        assert!(!format!("{web:?}").contains("p@ss"));
        for (url, private) in [
            ("https://a.org/x", true),
            ("http://a.org/x", false),
            ("http://localhost:80/x", true),
            ("http://127.0.0.1:80/x", true),
            ("http://[::1]:80/x", true),
            ("http://127.0.0.1.a.org/x", false),
        ] {
            let Address::Http(web) = parse(url).unwrap() else { panic!() };
            assert_eq!(web.is_private(), private, "{url}");
        }
    }
}
