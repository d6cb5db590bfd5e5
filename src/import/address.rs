//! How other engines spell addresses: path segments, slugs, permalink patterns.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Hugo's path of a page: blanks to one hyphen, punctuation out, lower case unless that is switched off.
pub(super) fn hugo(path: &str, lower: bool) -> String {
    let mut out = String::with_capacity(path.len());
    let (mut pending, mut hyphen) = (false, false);
    for c in path.nfc() {
        if c.is_alphanumeric() || is_combining_mark(c) || "./\\_#+~-@".contains(c) {
            hyphen = c == '-';
            if std::mem::take(&mut pending) && !hyphen {
                out.push('-');
            }
            out.push(c);
        } else if c.is_whitespace() && !out.is_empty() && !hyphen {
            pending = true;
        }
    }
    if lower { out.to_lowercase() } else { out }
}

/// A term in Hugo's URLs.
pub(super) fn hugo_term(name: &str) -> String {
    hugo(name, true).replace('/', "-")
}

/// Zola's slug: accents off, whatever is no ASCII letter or digit to one hyphen. `None`: letters that only a table could spell.
pub(super) fn zola(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for c in text.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'ß' => out.push_str("ss"),
            'æ' | 'Æ' => out.push_str("ae"),
            'ø' | 'Ø' => out.push('o'),
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            c if c.is_alphanumeric() => return None,
            _ if out.ends_with('-') || out.is_empty() => {}
            _ => out.push('-'),
        }
    }
    Some(out.trim_end_matches('-').to_owned())
}

/// A term in Zola's URLs.
pub(super) fn zola_term(name: &str) -> String {
    zola(name).unwrap_or_else(|| name.to_owned())
}

/// Jekyll's slug. `pretty` keeps what may stand in a path, otherwise only letters and digits stay.
pub(super) fn jekyll(text: &str, pretty: bool, lower: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() || (pretty && "._~!$&'()+,;=@".contains(c)) {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    let out = out.trim_matches('-');
    if lower { out.to_lowercase() } else { out.to_owned() }
}

/// Puts values into a pattern of `:tokens` (and `:sections[1:]`). `None` names nothing it knows for one of them.
pub(super) fn expand(pattern: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(':') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let mut end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
        if after[end..].starts_with('[') {
            end += after[end..].find(']')? + 1;
        }
        // `:output_ext` holds an underscore, and `:slug_x` does not exist: the longest known name wins.
        let mut name = end;
        let found = loop {
            if let Some(found) = value(&after[..name]) {
                break found;
            }
            name = after[..name].rfind('_')?;
        };
        out.push_str(&found);
        rest = &after[name..];
    }
    out.push_str(rest);
    Some(tidy(&out))
}

/// One leading slash, no empty or dotted part; the end stays as it is.
pub(super) fn tidy(url: &str) -> String {
    let parts: Vec<&str> = url.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let tail = if (url.ends_with('/') || url.is_empty()) && !parts.is_empty() { "/" } else { "" };
    format!("/{}{tail}", parts.join("/"))
}

/// A URL path as this engine writes it: `/a/index.html` is `/a/`, `/a` is `/a/`, `/a.html` stays.
pub(super) fn ours(url: &str) -> String {
    let url = tidy(url);
    if let Some(folder) = url.strip_suffix("index.html") {
        return folder.to_owned();
    }
    let last = url.rsplit('/').next().unwrap_or_default();
    let file = last.rsplit_once('.').is_some_and(|(stem, ending)| {
        !stem.is_empty()
            && (2..=5).contains(&ending.len())
            && ending.bytes().all(|b| b.is_ascii_alphanumeric())
            && ending.starts_with(|c: char| c.is_ascii_alphabetic())
    });
    if file || url.ends_with('/') { url } else { format!("{url}/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_those_of_each_engine() {
        for (text, expected) in [
            ("Hello World", "hello-world"),
            ("C++ & Rust: what's new?", "c++-rust-whats-new"),
            ("a - b", "a-b"),
            ("Über/Größe", "über/größe"),
            (" v1.2_x ", "v1.2_x"),
        ] {
            assert_eq!(hugo(text, true), expected, "{text}");
        }
        assert_eq!(hugo("Hello World", false), "Hello-World");
        for (text, expected) in
            [("Hello World", "hello-world"), ("a_b.c", "a-b-c"), ("Größe é", "grosse-e"), ("--x--", "x"), ("C++", "c")]
        {
            assert_eq!(zola(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(zola("日本"), None);
        assert_eq!(jekyll("My Post: It's", true, false), "My-Post-It's");
        assert_eq!(jekyll("My Post: It's v1.2", false, true), "my-post-it-s-v1-2");
    }

    #[test]
    fn patterns_take_the_longest_token() {
        let value = |name: &str| match name {
            "title" => Some("t".to_owned()),
            "y_day" => Some("032".to_owned()),
            "output_ext" => Some(".html".to_owned()),
            "sections[1:]" => Some("b".to_owned()),
            "categories" => Some(String::new()),
            _ => None,
        };
        assert_eq!(expand("/:categories/:y_day/:title:output_ext", &value).as_deref(), Some("/032/t.html"));
        assert_eq!(expand("/:sections[1:]/:title/", &value).as_deref(), Some("/b/t/"));
        assert_eq!(expand("/:title_x/", &value).as_deref(), Some("/t_x/"));
        assert_eq!(expand("/:nope/", &value), None);
        assert_eq!(
            (ours("/a"), ours("a/index.html"), ours("/v1.2"), ours("/a.html")),
            ("/a/".into(), "/a/".into(), "/v1.2/".into(), "/a.html".into())
        );
    }
}
