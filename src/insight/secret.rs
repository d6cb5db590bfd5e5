//! Tells what may be a secret, so that it is written down nowhere: tokens in their known forms, and what looks random.

/// How well-known tokens begin.
const BEGINNINGS: [&str; 34] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "pk_live_",
    "whsec_",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xoxr-",
    "xapp-",
    "akia",
    "asia",
    "aiza",
    "ya29.",
    "eyj",
    "npm_",
    "pypi-",
    "hf_",
    "dop_v1_",
    "shpat_",
    "sg.",
    "key-",
    "sq0",
    "ddp_",
    "dckr_pat_",
];
/// Shortest token with a known beginning.
const KNOWN: usize = 16;
/// Shortest run of letters and digits that can look random.
const RANDOM: usize = 16;
/// Bits a character of random text has at least, over so short a text.
const ENTROPY: f64 = 3.2;

/// Whether any part of a text may be a secret.
#[must_use]
pub(super) fn may_be_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("-----begin") || pieces(text).any(is_secret)
}

/// The parts of a text that tokens are made of.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-.+/=~".contains(c)))
}

/// Whether one word, without spaces, may be a secret.
#[must_use]
pub(super) fn is_secret(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let known = BEGINNINGS.iter().any(|beginning| {
        let at = lower
            .match_indices(beginning)
            .find(|(at, _)| *at == 0 || !lower.as_bytes()[at - 1].is_ascii_alphanumeric());
        at.is_some_and(|(at, _)| {
            word.len() - at >= KNOWN && word[at + beginning.len()..].chars().any(|c| c.is_ascii_digit())
        })
    });
    known
        || word.split(|c: char| !c.is_ascii_alphanumeric()).any(looks_random)
        || word
            .split(['/', '.'])
            .any(|part| part.len() >= 24 && looks_random(&part.replace(['_', '-', '+', '=', '~'], "")))
        || is_base64(word)
}

/// A long run of base64 whose slashes make it look like a path, unlike one in words: capitals stand in the middle of them.
fn is_base64(word: &str) -> bool {
    let plain: String = word.chars().filter(|c| !"/+=".contains(*c)).collect();
    let runs = plain.as_bytes().windows(3).filter(|three| {
        let classes = [class(three[0]), class(three[1]), class(three[2])];
        classes == [1, 1, 2] || classes == [1, 0, 1] || classes == [2, 1, 1]
    });
    plain.len() >= 32
        && plain.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && word.contains('/')
        && runs.count() >= 5
}

/// A long run of letters and digits in which no word is seen.
fn looks_random(run: &str) -> bool {
    if run.len() < RANDOM || !run.is_ascii() {
        return false;
    }
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let letters = run.len() - digits;
    let upper = run.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = letters - upper;
    let turns = run.as_bytes().windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    let mixed = digits >= 2 && letters >= 2 && turns >= 4;
    // Names such as `getElementById` turn at each word; random text turns at every second letter.
    let shuffled = upper >= 3 && lower >= 3 && turns * 5 >= run.len() * 2;
    let number = letters == 0 && run.len() >= 20;
    number || ((mixed || shuffled) && entropy(run) >= ENTROPY.min(0.8 * (run.len() as f64).log2()))
}

fn class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => 0,
        b'A'..=b'Z' => 1,
        _ => 2,
    }
}

/// Bits a character, by how often each occurs.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 128];
    for byte in text.bytes() {
        counts[usize::from(byte & 127)] += 1;
    }
    let total = text.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / total).map(|p| -p * p.log2()).sum()
}

/// A name as tools and arguments have it; `None`: it is none, or may be a secret, and is not repeated.
#[must_use]
pub(super) fn name(text: &str) -> Option<String> {
    let plain = (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    (plain && !is_secret(text)).then(|| text.to_ascii_lowercase().replace(['-', '.'], "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pages_and_tools_are_no_secrets() {
        for text in [
            "blog/2026-11-29-hello-world.md",
            "page_write",
            "getElementsByClassName",
            "docs/reference/configuration-of-the-output-folder.md",
            "claude-code 2.3.1",
            "internationalization",
            "posts/001-the-first-of-many.md",
            "a-very-long-title-with-many-words-and-a-year-2026.md",
            "3f2a9c1b",
        ] {
            assert!(!may_be_secret(text), "{text}");
        }
    }

    #[test]
    fn tokens_are() {
        for text in [
            "ghp_1A2b3C4d5E6f7G8h9I0jKlMnOpQrStUvWxYz",
            "my sk-proj-Ab12Cd34Ef56Gh78 key",
            "AKIAIOSFODNN7EXAMPLE",
            "d41d8cd98f00b204e9800998ecf8427e",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc123",
            "-----BEGIN RSA PRIVATE KEY-----",
            "4111111111111111111111",
        ] {
            assert!(may_be_secret(text), "{text}");
        }
        assert_eq!(name("page-update").as_deref(), Some("page_update"));
        assert_eq!(name("a b"), None);
        assert_eq!(name("ghp_1A2b3C4d5E6f7G8h9I0j"), None);
    }
}
