//! The site's own `_headers` file (Netlify and Cloudflare form), so that a preview meets the same strictness as the host.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers by URL pattern, in the order they are written.
#[derive(Debug, Default)]
pub(super) struct HeaderRules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    pattern: Vec<String>,
    headers: Vec<(HeaderName, Option<HeaderValue>)>,
}

/// Not the site's to decide here: framing of the message, caching and cross-origin access of the preview server, and a
/// promise of HTTPS that would outlive the preview.
const IGNORED: [&str; 9] = [
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "trailer",
    "upgrade",
];

impl HeaderRules {
    /// Reads the file; lines that make no sense are passed over, as hosts do.
    pub(super) fn parse(text: &str) -> Self {
        let mut rules: Vec<Rule> = Vec::new();
        for line in text.lines() {
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if !line.starts_with([' ', '\t']) {
                rules.push(Rule { pattern: segments(path_of(content)), headers: Vec::new() });
                continue;
            }
            let Some(rule) = rules.last_mut() else { continue };
            // Cloudflare: `! Name` takes back what an earlier rule gave.
            let (name, value) = match content.strip_prefix('!') {
                Some(name) => (name.trim(), None),
                None => match content.split_once(':') {
                    Some((name, value)) => (name.trim(), Some(value.trim())),
                    None => continue,
                },
            };
            let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
            if IGNORED.contains(&name.as_str()) || name.as_str().starts_with("access-control-") {
                continue;
            }
            match value.map(HeaderValue::from_str) {
                Some(Ok(value)) => rule.headers.push((name, Some(value))),
                None => rule.headers.push((name, None)),
                Some(Err(_)) => {}
            }
        }
        Self(rules)
    }

    /// Adds what the rules say for a URL path (`/blog/hello/`, already decoded).
    pub(super) fn apply(&self, path: &str, headers: &mut HeaderMap) {
        let path = segments(path);
        for rule in self.0.iter().filter(|rule| matches(&rule.pattern, &path)) {
            for (name, value) in &rule.headers {
                match value {
                    None => {
                        headers.remove(name);
                    }
                    Some(value) if name == header::CONTENT_TYPE => {
                        headers.insert(name, value.clone());
                    }
                    Some(value) => {
                        headers.append(name, value.clone());
                    }
                }
            }
        }
    }
}

/// A pattern may be a whole address; only its path counts here.
fn path_of(pattern: &str) -> &str {
    let Some((_, rest)) = pattern.split_once("://") else { return pattern };
    rest.find('/').map_or("/", |at| &rest[at..])
}

fn segments(path: &str) -> Vec<String> {
    path.trim_start_matches('/').split('/').map(str::to_owned).collect()
}

/// `*` stands for anything from there on (with text before it in its segment), `:name` for one segment.
fn matches(pattern: &[String], path: &[String]) -> bool {
    for (at, part) in pattern.iter().enumerate() {
        let Some(segment) = path.get(at) else { return false };
        if let Some((before, after)) = part.split_once('*') {
            let last = path.last().map_or("", String::as_str);
            return segment.starts_with(before)
                && (after.is_empty()
                    || last.ends_with(after) && (at + 1 < path.len() || last.len() >= before.len() + after.len()));
        }
        let placeholder = part.len() > 1 && part.starts_with(':') && !segment.is_empty();
        if !placeholder && part != segment {
            return false;
        }
    }
    pattern.len() == path.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(file: &str, path: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        HeaderRules::parse(file).apply(path, &mut headers);
        let mut lines: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn patterns_match_as_hosts_match_them() {
        for (pattern, path, expected) in [
            ("/*", "/", true),
            ("/*", "/blog/hello/", true),
            ("/assets/*", "/assets/a/b.css", true),
            ("/assets/*", "/blog/", false),
            ("/", "/", true),
            ("/", "/blog/", false),
            ("/blog/:name/", "/blog/hello/", true),
            ("/blog/:name/", "/blog/", false),
            ("/blog/:name/", "/blog/a/b/", false),
            ("/*.md", "/blog/index.md", true),
            ("/*.md", "/blog/index.html", false),
            ("https://example.org/x/*", "/x/y", true),
        ] {
            assert_eq!(!applied(&format!("{pattern}\n  X-A: 1\n"), path).is_empty(), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn rules_add_up_and_can_be_taken_back() {
        let file = "# comment\n/*\n  X-Frame-Options: DENY\n  Content-Security-Policy: default-src 'self'\n/open/*\n  ! X-Frame-Options\n  X-B: 2\n";
        assert_eq!(applied(file, "/a"), ["content-security-policy: default-src 'self'", "x-frame-options: DENY"]);
        assert_eq!(applied(file, "/open/a"), ["content-security-policy: default-src 'self'", "x-b: 2"]);
    }

    #[test]
    fn what_would_open_or_break_the_preview_is_left_out() {
        let file = "/*\n  Access-Control-Allow-Origin: *\n  Strict-Transport-Security: max-age=9\n  Set-Cookie: a=b\n  Content-Length: 3\n  Bad Name: x\n  nonsense\n  X-Ok: a:b\n";
        assert_eq!(applied(file, "/"), ["x-ok: a:b"]);
        assert!(applied("  X-Orphan: 1\n", "/").is_empty());
    }
}
