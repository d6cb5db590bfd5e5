//! Takes out of an operator's words what nobody else should read: secrets, addresses, names of machines, people and files.
//!
//! Text is normalised first, so that a token in wide letters or with invisible marks between is the same token.

use std::net::{IpAddr, Ipv6Addr};

use unicode_normalization::UnicodeNormalization;

use super::secret::is_secret;

/// Words after which a value stands that is nobody's business.
const TELLING: [&str; 13] = [
    "password",
    "passwd",
    "passwort",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "authorization",
    "bearer",
    "credentials",
    "passphrase",
];
/// Names with a dot that say nothing about anyone.
const HARMLESS: [&str; 12] = [
    "site.yaml",
    "theme.yaml",
    "improve.toml",
    "e.g",
    "i.e",
    "e.g.",
    "i.e.",
    "_index.md",
    "index.md",
    "index.html",
    "robots.txt",
    "llms.txt",
];
/// Digits in a row that may be a phone, a card or an account.
const LONG_NUMBER: usize = 9;

/// The same text without what should stay private, on one or more lines.
#[must_use]
pub fn redact(text: &str) -> String {
    let text = plain(text);
    let text = without_keys(&text);
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let mut telling = false;
    for c in text.chars().chain(['\n']) {
        if ends_word(c) {
            let (said, tells) = judge(&word, telling);
            out.push_str(&said);
            // `token: x`, `token = x` and `token "x"` all tell of what comes next.
            telling = tells || (telling && (word.is_empty() || word.chars().all(|c| !c.is_alphanumeric())));
            word.clear();
            out.push(c);
        } else {
            word.push(c);
        }
    }
    out.pop();
    out
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"'`<>()[]{},;|“”„‘’«»".contains(c)
}

/// Compatibility forms become plain, what cannot be seen goes; line breaks stay.
#[must_use]
pub(super) fn plain(text: &str) -> String {
    let visible = |c: &char| {
        let joins = matches!(*c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{180e}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}')
            || ('\u{e0000}'..='\u{e01ef}').contains(c);
        !joins && (*c == '\n' || !c.is_control())
    };
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n").replace('\t', " ");
    text.nfkc().filter(visible).collect()
}

/// Whole blocks of keys, of which single lines would look harmless.
fn without_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("-----BEGIN") {
        out.push_str(&rest[..at]);
        out.push_str("[secret]");
        rest = match rest[at..].find("-----END") {
            Some(end) => {
                let tail = &rest[at + end + "-----END".len()..];
                tail.find("-----").map_or("", |close| &tail[close + "-----".len()..])
            }
            None => "",
        };
    }
    out.push_str(rest);
    out
}

/// What is said instead of a word, and whether it tells of the next one.
fn judge(word: &str, told: bool) -> (String, bool) {
    let trimmed = word.trim_matches(|c: char| matches!(c, '.' | ':' | '!' | '?' | '*' | '_' | '…'));
    if trimmed.is_empty() {
        return (word.to_owned(), false);
    }
    let lower = trimmed.to_lowercase();
    let (name, value) = lower.split_once(['=', ':']).unwrap_or((&lower, ""));
    let tells = TELLING.iter().any(|telling| {
        name == *telling || name.ends_with(&format!("_{telling}")) || name.ends_with(&format!("-{telling}"))
    });
    if tells && !value.is_empty() && !value.starts_with("//") {
        return ("[secret]".to_owned(), false);
    }
    if told && !tells && trimmed.chars().any(char::is_alphanumeric) && !is_common(&lower) {
        return (word.replacen(trimmed, "[secret]", 1), false);
    }
    match what(trimmed) {
        Some(kind) => (word.replacen(trimmed, kind, 1), false),
        None => (word.to_owned(), tells),
    }
}

/// Words that follow `token` and the like in plain speech.
fn is_common(word: &str) -> bool {
    let plain = word.len() <= 9 && word.chars().all(char::is_alphabetic);
    plain
        && [
            "is", "was", "and", "or", "of", "for", "in", "to", "the", "has", "are", "with", "by", "budget", "count",
            "counts", "limit", "limits", "usage", "cost", "costs", "that", "which", "should", "must", "field",
            "argument",
        ]
        .contains(&word)
}

/// What a word is, where that should stay private.
fn what(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    if lower.contains("://")
        || lower.starts_with("www.")
        || lower.starts_with("mailto:")
        || lower.starts_with("javascript:")
        || lower.starts_with("data:")
    {
        return Some("[url]");
    }
    if word.split(['=', ':', '&', '?', '#']).any(is_secret) {
        return Some("[secret]");
    }
    if let Some((user, host)) = word.split_once('@')
        && !user.is_empty()
        && host.chars().any(char::is_alphanumeric)
    {
        return Some("[email]");
    }
    if is_address(word) {
        return Some("[ip]");
    }
    if word.contains('\\') || is_path(word) {
        return Some("[path]");
    }
    if word.chars().filter(char::is_ascii_digit).count() >= LONG_NUMBER
        && word.chars().all(|c| c.is_ascii_digit() || "-+./:_".contains(c))
    {
        return Some("[number]");
    }
    if is_dotted_name(&lower) {
        return Some("[host]");
    }
    None
}

fn is_address(word: &str) -> bool {
    let bare = word.split(['/', '%']).next().unwrap_or(word);
    let without_port = |text: &str| text.rsplit_once(':').map_or(text.to_owned(), |(host, _)| host.to_owned());
    let hex = bare
        .to_ascii_lowercase()
        .strip_prefix("0x")
        .is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    bare.parse::<IpAddr>().is_ok()
        || without_port(bare).parse::<IpAddr>().is_ok()
        || (bare.matches(':').count() >= 2 && bare.trim_matches(':').parse::<Ipv6Addr>().is_ok())
        || hex
}

/// `/a/b`, `~/a`, `a/b/c.md`; not `and/or`.
fn is_path(word: &str) -> bool {
    let parts: Vec<&str> = word.split('/').filter(|part| !part.is_empty()).collect();
    let rooted = (word.starts_with('/') && !parts.is_empty())
        || word.starts_with("~/")
        || word.starts_with("./")
        || word.starts_with("../");
    let file = |name: &str| {
        name.rsplit_once('.').is_some_and(|(stem, ext)| {
            !stem.is_empty() && (1..=8).contains(&ext.len()) && ext.chars().all(|c| c.is_ascii_alphanumeric())
        })
    };
    rooted
        || parts.len() >= 3
        || (parts.len() == 2
            && parts.iter().any(|part| {
                file(part)
                    || part.contains(['-', '_'])
                    || part.chars().any(|c| c.is_ascii_digit()) && part.chars().any(char::is_alphabetic)
            }))
        || (parts.len() == 2 && word.ends_with('/'))
}

/// Labels with dots between: a machine, a domain, or a file that is not one of ours.
fn is_dotted_name(word: &str) -> bool {
    let bare = word.split([':', '/']).next().unwrap_or(word).trim_matches('.');
    if HARMLESS.contains(&bare) || !bare.contains('.') {
        return false;
    }
    let labels: Vec<&str> = bare.split('.').collect();
    let plain = labels
        .iter()
        .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_'));
    // A version or a number with a point has no letter in its last part.
    let last = labels.last().copied().unwrap_or_default();
    plain
        && last.len() >= 2
        && last.chars().any(char::is_alphabetic)
        && !labels.iter().all(|label| label.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay() {
        for text in [
            "page_write took three calls, and/or more; 12.5 % of 1,000 tokens went to waste.",
            "I wanted to set front_matter on 200 pages: `select` is not in the description?",
            "version 1.2.3 of the server, see site.yaml, e.g. the token budget is small",
            "Ümlauts and 日本語 stay as they are",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn what_is_private_goes() {
        for (text, expected) in [
            ("mail ada@example.org now", "mail [email] now"),
            ("see https://internal.example.org/x?y=1.", "see [url]."),
            ("at build-7.corp.example:8080", "at [host]"),
            ("10.0.0.1 and 10.0.0.1:80 and 192.168.1.1/24", "[ip] and [ip] and [ip]"),
            ("::1 fe80::1%eth0 [2001:db8::8a2e:370:7334]:443", "[ip] [ip] [[ip]]:443"),
            ("/home/ada/site content/blog/a.md C:\\Users\\ada ~/x", "[path] [path] [path] [path]"),
            ("password: hunter2 and token = \"abc\"", "password: [secret] and token = \"[secret]\""),
            ("api_key=abc", "[secret]"),
            ("ｇｈｐ＿1A2b3C4d5E6f7G8h9I0jKlMn", "[secret]"),
            ("gh\u{200b}p_1A2b3C4d5E6f7G8h9I0jKlMn", "[secret]"),
            ("-----BEGIN KEY-----\nabc\n-----END KEY----- after", "[secret] after"),
            ("call 0049-170-1234567", "call [number]"),
        ] {
            assert_eq!(redact(text), expected, "{text}");
        }
    }
}
