//! The one place where text becomes safe in HTML, XML, JSON in HTML, and URLs.

use std::borrow::Cow;
use std::fmt::Write;

/// Escapes text for HTML, in elements and in quoted attributes.
#[must_use]
pub(crate) fn html(text: &str) -> String {
    replaced(text, |bytes| entity(bytes[0])).into_owned()
}

/// Escapes text for HTML and XML, in elements and in quoted attributes. Characters that XML 1.0 forbids are dropped.
#[must_use]
pub(crate) fn markup(text: &str) -> Cow<'_, str> {
    replaced(text, |bytes| match bytes[0] {
        b'\t' | b'\n' | b'\r' => None,
        0..=0x1F => Some(("", 1)),
        0xEF if bytes.starts_with("\u{fffe}".as_bytes()) || bytes.starts_with("\u{ffff}".as_bytes()) => Some(("", 3)),
        byte => entity(byte),
    })
}

fn entity(byte: u8) -> Option<(&'static str, usize)> {
    Some(match byte {
        b'&' => ("&amp;", 1),
        b'<' => ("&lt;", 1),
        b'>' => ("&gt;", 1),
        b'"' => ("&quot;", 1),
        b'\'' => ("&#39;", 1),
        _ => return None,
    })
}

/// JSON that can stand inside `<script type="application/ld+json">`: no `<`, `>`, `&` and no line separators.
#[must_use]
pub(crate) fn json_in_html(json: &str) -> Cow<'_, str> {
    replaced(json, |bytes| {
        Some(match bytes[0] {
            b'<' => ("\\u003c", 1),
            b'>' => ("\\u003e", 1),
            b'&' => ("\\u0026", 1),
            0xE2 if bytes.starts_with("\u{2028}".as_bytes()) => ("\\u2028", 3),
            0xE2 if bytes.starts_with("\u{2029}".as_bytes()) => ("\\u2029", 3),
            _ => return None,
        })
    })
}

/// Text in which characters are replaced: `with` sees all bytes from one on, and says what stands there instead of how many.
fn replaced(text: &str, with: impl Fn(&[u8]) -> Option<(&'static str, usize)>) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let Some(mut at) = (0..bytes.len()).find(|&at| with(&bytes[at..]).is_some()) else { return text.into() };
    let mut out = String::with_capacity(text.len() + text.len() / 16 + 16);
    let mut from = 0;
    while at < bytes.len() {
        match with(&bytes[at..]) {
            Some((other, length)) => {
                out.push_str(&text[from..at]);
                out.push_str(other);
                at += length;
                from = at;
            }
            None => at += 1,
        }
    }
    out.push_str(&text[from..]);
    out.into()
}

/// Percent-encodes a URL path given as plain text: everything but unreserved characters, `/` and harmless delimiters.
#[must_use]
pub(crate) fn url_path(path: &str) -> Cow<'_, str> {
    encode(path, |b| matches!(b, b'/' | b'!' | b'$' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@'))
}

/// Percent-encodes what may not stand raw in a URL somebody wrote: spaces, quotes, non-ASCII; `%`, `?`, `#`, `&` stay.
#[must_use]
pub(crate) fn url(text: &str) -> Cow<'_, str> {
    encode(text, |b| {
        b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
    })
}

fn encode(text: &str, keep: impl Fn(u8) -> bool) -> Cow<'_, str> {
    let stays = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') || keep(b);
    let Some(first) = text.bytes().position(|b| !stays(b)) else { return text.into() };
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(&text[..first]);
    for &b in &text.as_bytes()[first..] {
        if stays(b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out.into()
}

/// Decodes `%XX`; text that is not valid UTF-8 afterwards is returned as it was.
#[must_use]
pub(crate) fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1).zip(bytes.get(at + 2)).and_then(|(&a, &b)| Some((hex(a)?, hex(b)?)));
        if let (b'%', Some((high, low))) = (bytes[at], pair) {
            out.push(high * 16 + low);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).map_or_else(|_| text.into(), Cow::Owned)
}

fn hex(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).map(|d| d as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_inert_in_text_and_attributes() {
        assert_eq!(markup("a<b>&\"c'\u{1}\n"), "a&lt;b&gt;&amp;&quot;c&#39;\n");
    }

    #[test]
    fn json_cannot_close_its_script() {
        let json = serde_json::json!({"a": "</script><!--&\u{2028}"}).to_string();
        let text = json_in_html(&json);
        assert_eq!(text, r#"{"a":"\u003c/script\u003e\u003c!--\u0026\u2028"}"#);
    }

    #[test]
    fn paths_are_encoded_and_decoded() {
        let path = "/blog/gr\u{fc}\u{df}e & 100% \u{1f600}?#'/";
        let encoded = url_path(path);
        assert_eq!(encoded, "/blog/gr%C3%BC%C3%9Fe%20%26%20100%25%20%F0%9F%98%80%3F%23%27/");
        assert_eq!(percent_decode(&encoded), path);
        assert_eq!(percent_decode("100%"), "100%");
        assert_eq!(percent_decode("%zz%e4%"), "%zz%e4%");
        assert_eq!(url("/a b?q=\"x\"&y=%20#z"), "/a%20b?q=%22x%22&y=%20#z");
    }
}
