//! Addresses of resources: `site:///` and a path from the site's root, percent-encoded; the difference has one of its own.

/// Before every path.
pub(super) const ROOT: &str = "site:///";
/// Everything unpublished, as one difference.
pub(super) const UNPUBLISHED: &str = "site:///unpublished.diff";
/// Before the id of a named change set, in the place of a path: what it would change.
pub(super) const CHANGE_SETS: &str = "change-sets/";
/// Longest address that is read.
const LONGEST: usize = 4_096;

/// Whether this is an address at all, with a scheme and of a length that is read.
#[must_use]
pub(super) fn is_absolute(uri: &str) -> bool {
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let word = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    uri.len() <= LONGEST && scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(word)
}

/// The address of a file.
#[must_use]
pub(super) fn of(path: &str) -> String {
    let mut uri = String::with_capacity(ROOT.len() + path.len());
    uri.push_str(ROOT);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// The path an address names; `None`: it is no address of a file.
#[must_use]
pub(super) fn path(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix(ROOT).filter(|_| uri.len() <= LONGEST)?;
    let mut bytes = Vec::with_capacity(rest.len());
    let mut left = rest.as_bytes();
    while let [first, after @ ..] = left {
        left = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = left else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = (digit(*high)?, digit(*low)?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
        left = after;
    }
    String::from_utf8(bytes).ok().filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths_are_the_same_in_both_directions() {
        for file in ["site.yaml", "content/blog/hello.md", "content/ä b%20/ü#?.md", "themes/default/layouts/page.html"]
        {
            let uri = of(file);
            assert!(uri.is_ascii() && !uri.contains([' ', '#', '?']), "{uri}");
            assert_eq!(path(&uri).as_deref(), Some(file));
        }
        assert_eq!(path("site:///content/a b.md").as_deref(), Some("content/a b.md"));
        for bad in [
            "",
            "site:///",
            "file:///etc/passwd",
            "site://content/a.md",
            "site:///%",
            "site:///%4",
            "site:///%zz",
            "site:///%ff",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
        assert_eq!(path(&of(&"x".repeat(5_000))), None);
    }
}
