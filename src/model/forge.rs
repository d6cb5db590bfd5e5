//! The web side of a git remote: where a person opens a review of a branch, and what a push may ask the server to do for them.

use super::config::Host;

/// Servers and proxies refuse longer addresses.
const MOST_URL: usize = 7_000;
/// Characters of a title.
const MOST_TITLE: usize = 200;
/// Bytes of a push option: a packet of git holds no more than 64 kB.
const MOST_OPTION: usize = 4_000;

/// Kinds of servers, by how they name a comparison of branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    GitHub,
    GitLab,
    /// Gitea, Forgejo, Codeberg.
    Gitea,
    Bitbucket,
}

/// A repository on the web.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forge {
    kind: Kind,
    /// `https://host/owner/name`.
    base: String,
}

/// What a review is about, as a form takes it.
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// The branch that is to be merged.
    pub branch: &'a str,
    /// The branch it is to be merged into.
    pub target: &'a str,
    /// One line.
    pub title: &'a str,
    /// Markdown.
    pub body: &'a str,
}

impl Forge {
    /// The web side of a remote's address; `None` where it has none that is known. `host` tells servers that bear a name of their own.
    #[must_use]
    pub fn of(address: &str, host: Option<Host>) -> Option<Self> {
        let (scheme, server, path) = parts(address)?;
        let name = server.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let kind = kind(&name, host)?;
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '/' | '+');
        if !path.contains('/')
            || !path.chars().all(plain)
            || path.split('/').any(|part| matches!(part, "" | "." | ".."))
        {
            return None;
        }
        // An ssh port is not the web's.
        let server = if scheme == "ssh" { name } else { server.to_ascii_lowercase() };
        let scheme = if scheme == "http" { "http" } else { "https" };
        Some(Self { kind, base: format!("{scheme}://{server}/{path}") })
    }

    /// The address of the form that opens a review, filled in as far as the length of an address allows.
    #[must_use]
    pub fn compare_url(&self, proposal: &Proposal<'_>) -> String {
        let (branch, target) = (encoded(proposal.branch), encoded(proposal.target));
        let title = encoded(&cut(proposal.title, MOST_TITLE));
        let (mut url, body) = match self.kind {
            // Both take a `...` range in the path, where slashes stay.
            Kind::GitHub | Kind::Gitea => {
                let range = format!("{}...{}", in_path(proposal.target), in_path(proposal.branch));
                (format!("{}/compare/{range}?quick_pull=1&title={title}", self.base), "&body=")
            }
            Kind::GitLab => (
                format!(
                    "{}/-/merge_requests/new?merge_request%5Bsource_branch%5D={branch}\
                     &merge_request%5Btarget_branch%5D={target}&merge_request%5Btitle%5D={title}",
                    self.base
                ),
                "&merge_request%5Bdescription%5D=",
            ),
            Kind::Bitbucket => (
                format!("{}/pull-requests/new?source={branch}&dest={target}&title={title}", self.base),
                "&description=",
            ),
        };
        let room = MOST_URL.saturating_sub(url.len() + body.len());
        let text = encoded_within(proposal.body, room);
        if !text.is_empty() {
            url.push_str(body);
            url.push_str(&text);
        }
        url
    }

    /// What a push asks the server for: servers that open reviews by push options do, others get none.
    #[must_use]
    pub fn push_options(&self, proposal: &Proposal<'_>) -> Vec<String> {
        if self.kind != Kind::GitLab {
            return Vec::new();
        }
        // An option is one line; GitLab reads HTML in Markdown.
        let body = cut(proposal.body, MOST_OPTION).trim().replace('\n', "<br>");
        vec![
            "merge_request.create".into(),
            format!("merge_request.target={}", proposal.target),
            format!("merge_request.title={}", cut(proposal.title, MOST_TITLE)),
            format!("merge_request.description={body}"),
        ]
    }

    /// Where open reviews of a branch are listed, where the server opens them by itself.
    #[must_use]
    pub fn review_url(&self, branch: &str) -> Option<String> {
        (self.kind == Kind::GitLab)
            .then(|| format!("{}/-/merge_requests?state=opened&source_branch={}", self.base, encoded(branch)))
    }
}

/// Scheme, host with port, and path of a remote's address; the scp form counts as ssh.
fn parts(address: &str) -> Option<(&str, &str, &str)> {
    let without_user = |server| str::rsplit_once(server, '@').map_or(server, |(_, host)| host);
    if let Some((scheme, rest)) = address.split_once("://") {
        let scheme = ["https", "http", "ssh", "git"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
        let (server, path) = rest.split_once('/')?;
        // The git protocol's port is not the web's either.
        let scheme = if scheme == "git" { "ssh" } else { scheme };
        return Some((scheme, without_user(server), path));
    }
    let (server, path) = address.split_once(':')?;
    let is_path = server.contains('/') || path.starts_with('\\');
    (!is_path).then(|| ("ssh", without_user(server), path))
}

fn kind(name: &str, host: Option<Host>) -> Option<Kind> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    let has = |part: &str| name.split(['.', '-']).any(|label| label == part);
    if has("github") {
        Some(Kind::GitHub)
    } else if has("gitlab") {
        Some(Kind::GitLab)
    } else if has("bitbucket") {
        Some(Kind::Bitbucket)
    } else if has("codeberg") || has("gitea") || has("forgejo") {
        Some(Kind::Gitea)
    } else {
        // The site's host is the server too where it serves from its own repositories.
        match host? {
            Host::GitHub => Some(Kind::GitHub),
            Host::GitLab => Some(Kind::GitLab),
            Host::Codeberg => Some(Kind::Gitea),
            Host::Cloudflare | Host::Netlify | Host::Vercel => None,
        }
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn encoded(text: &str) -> String {
    encoded_within(text, usize::MAX)
}

/// Percent-encoded, cut between characters.
fn encoded_within(text: &str, room: usize) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let start = out.len();
        push_encoded(&mut out, c);
        if out.len() > room {
            out.truncate(start);
            break;
        }
    }
    out
}

/// Encoded for a path: slashes stay.
fn in_path(text: &str) -> String {
    text.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

fn push_encoded(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~') {
        out.push(c);
        return;
    }
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        out.push_str(&format!("%{byte:02X}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Proposal<'_> = Proposal { branch: "sitewright/new", target: "main", title: "A & b", body: "x\n- é" };

    #[test]
    fn every_form_of_address_leads_to_the_same_page() {
        let page = "https://github.com/o/site/compare/main...sitewright/new?quick_pull=1&title=A%20%26%20b&body=x%0A-%20%C3%A9";
        for address in [
            "https://github.com/o/site.git",
            "https://me:secret@github.com/o/site",
            "ssh://git@github.com:22/o/site.git",
            "git@github.com:o/site.git",
            "git://github.com/o/site.git/",
        ] {
            assert_eq!(Forge::of(address, None).unwrap().compare_url(&NEW), page, "{address}");
        }
    }

    #[test]
    fn each_server_has_its_own_form() {
        let url = |address: &str, host| Forge::of(address, host).map(|forge| forge.compare_url(&NEW));
        let gitlab = "/-/merge_requests/new?merge_request%5Bsource_branch%5D=sitewright%2Fnew&merge_request%5Btarget_branch%5D=main\
                      &merge_request%5Btitle%5D=A%20%26%20b&merge_request%5Bdescription%5D=x%0A-%20%C3%A9";
        let starts = |found: Option<String>, start: &str| {
            let found = found.unwrap();
            assert!(found.starts_with(start), "{found}");
        };
        starts(url("git@gitlab.example.org:a/b/c.git", None), &format!("https://gitlab.example.org/a/b/c{gitlab}"));
        starts(url("http://code.local:8080/a/b", Some(Host::GitLab)), &format!("http://code.local:8080/a/b{gitlab}"));
        starts(url("https://codeberg.org/a/b.git", None), "https://codeberg.org/a/b/compare/main...sitewright/new?");
        starts(
            url("git@bitbucket.org:a/b.git", None),
            "https://bitbucket.org/a/b/pull-requests/new?source=sitewright%2Fnew&dest=main",
        );
        for unknown in [
            "/srv/site.git",
            "file:///srv/github.com/a/b",
            "https://example.org/a/b",
            "C:\\x",
            "https://github.com/a",
            "https://github.com/a/../b",
            "https://github.com/a/b?x=1",
            "",
            "://",
            "git@:a/b",
        ] {
            assert_eq!(url(unknown, Some(Host::Netlify)), None, "{unknown}");
        }
    }

    #[test]
    fn an_address_stays_short() {
        let body = "é".repeat(50_000);
        let long = Proposal { body: &body, title: &body, ..NEW };
        for address in ["git@github.com:o/s", "git@gitlab.com:o/s", "git@bitbucket.org:o/s"] {
            let url = Forge::of(address, None).unwrap().compare_url(&long);
            assert!(url.len() <= MOST_URL && url.len() > MOST_URL - 10, "{}", url.len());
            assert!(url.ends_with("%C3%A9"));
        }
    }

    #[test]
    fn only_gitlab_is_asked_by_push_options() {
        let options = Forge::of("git@gitlab.com:o/s", None).unwrap().push_options(&NEW);
        assert_eq!(options[0], "merge_request.create");
        assert!(options.contains(&"merge_request.description=x<br>- é".to_owned()));
        assert!(options.iter().all(|option| !option.contains('\n')));
        assert!(Forge::of("git@github.com:o/s", None).unwrap().push_options(&NEW).is_empty());
    }
}
