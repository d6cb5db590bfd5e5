//! URLs on their way into an attribute: which schemes may go there, and how they are written.

use std::fmt::Write as _;

/// Where a URL is about to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sink {
    /// `href`: followed when clicked.
    Link,
    /// `src` of an image: loaded at once, where pictures written as `data:` are harmless.
    Image,
}

/// Why a URL is not let through: its scheme, as a browser would read it.
pub(super) fn refused_scheme(url: &str, sink: Sink) -> Option<String> {
    // What most addresses begin with says all.
    if ["https://", "http://", "/"].iter().any(|start| url.starts_with(start)) {
        return None;
    }
    let scheme = scheme(url)?;
    match scheme.as_str() {
        "http" | "https" | "mailto" | "tel" => None,
        "data" if sink == Sink::Image && is_picture(url) => None,
        _ => Some(scheme),
    }
}

/// The scheme as browsers find it: leading blanks and controls are skipped, tabs and line ends are dropped anywhere.
fn scheme(url: &str) -> Option<String> {
    let mut found = String::new();
    for c in url.trim_start_matches(|c: char| c <= ' ').chars() {
        match c {
            '\t' | '\n' | '\r' => {}
            ':' if !found.is_empty() => return Some(found),
            c if c.is_ascii_alphabetic() => found.push(c.to_ascii_lowercase()),
            c if (c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) && !found.is_empty() => found.push(c),
            _ => return None,
        }
        if found.len() > 64 {
            return None;
        }
    }
    None
}

fn is_picture(url: &str) -> bool {
    let head: String = url
        .trim_start_matches(|c: char| c <= ' ')
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .take(24)
        .flat_map(char::to_lowercase)
        .collect();
    ["png", "gif", "jpeg", "jpg", "webp", "avif"].iter().any(|kind| {
        head.strip_prefix("data:image/")
            .and_then(|rest| rest.strip_prefix(kind))
            .is_some_and(|rest| rest.starts_with([';', ',']))
    })
}

/// Appends `url` percent-encoded where it must be and escaped for an attribute in double quotes.
pub(super) fn push_href(out: &mut String, url: &str) {
    let mut rest = url.trim_matches(|c: char| c <= ' ');
    loop {
        let plain = rest.bytes().position(|byte| !STAYS[usize::from(byte)]).unwrap_or(rest.len());
        out.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let Some(c) = rest.chars().next() else { return };
        match c {
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&#39;"),
            c => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
        rest = &rest[c.len_utf8()..];
    }
}

/// Bytes that stand in an address as they are.
const STAYS: [bool; 256] = {
    let signs = b"-_.!~*();/?:@=+$,#%[]";
    let mut stays = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        stays[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < signs.len() {
        stays[signs[at] as usize] = true;
        at += 1;
    }
    stays
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_read_as_browsers_read_them() {
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:x",
            "\u{1}javascript:x",
            "java\tscript:x",
            "java\nscript:x",
            "\r\nvbscript:x",
            "data:text/html,x",
            "data:image/svg+xml,<svg onload=x>",
            "file:///etc/passwd",
            "blob:x",
            "javascript\t:x",
        ] {
            assert!(refused_scheme(bad, Sink::Link).is_some(), "{bad:?}");
            assert!(refused_scheme(bad, Sink::Image).is_some(), "{bad:?}");
        }
        for good in
            ["", "a", "/a:b", "./a:b", "?a:b", "#a:b", "http://x", "HTTPS://x", "mailto:a@b", "tel:+1", "//x/y", ":a"]
        {
            assert_eq!(refused_scheme(good, Sink::Link), None, "{good:?}");
        }
        assert_eq!(refused_scheme("data:image/png;base64,AAAA", Sink::Image), None);
        assert!(refused_scheme("data:image/png;base64,AAAA", Sink::Link).is_some());
        assert!(refused_scheme("data:image/pngx,AAAA", Sink::Image).is_some());
    }

    #[test]
    fn hrefs_cannot_leave_their_attribute() {
        let mut out = String::new();
        push_href(&mut out, " a\"b'c<d>&ä%20\\` ");
        assert_eq!(out, "a%22b&#39;c%3Cd%3E&amp;%C3%A4%20%5C%60");
    }
}
