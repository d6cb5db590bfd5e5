//! Which addresses may stand in a link or an image: scripts and data are kept out.

/// Schemes that may stand in `href` and `src`.
const SCHEMES: &[&str] = &["http", "https", "mailto", "tel", "sms", "xmpp", "matrix", "geo", "ftp", "gemini"];

/// Whether an address is relative or has a harmless scheme. Browsers drop control characters and leading blanks before
/// they look at the scheme, so they are dropped here too.
pub(super) fn is_safe(raw: &str) -> bool {
    let seen: String =
        raw.chars().filter(|c| !c.is_control() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}')).collect();
    let seen = seen.trim_start();
    let Some(colon) = seen.find(':') else { return true };
    let scheme = &seen[..colon];
    scheme.contains(['/', '?', '#']) || SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::is_safe;

    #[test]
    fn scripts_are_refused_however_they_are_spelt() {
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:x",
            " javascript:x",
            "java\tscript:x",
            "\u{1}javascript:x",
            "vbscript:x",
            "data:text/html,x",
        ] {
            assert!(!is_safe(bad), "{bad:?}");
        }
        for good in ["/a/", "a/b:c", "https://x.org/?a=b:c", "#a:b", "?x=a:b", "mailto:a@b.c", "", "TEL:1"] {
            assert!(is_safe(good), "{good:?}");
        }
    }
}
