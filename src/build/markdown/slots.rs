//! HTML with slots: places that are filled when the rest of the site is known.
//!
//! While HTML is being written, a slot is a token between two code points that no text can contain (they are replaced on
//! the way in and on the way out). A sanitiser passes tokens through; its attribute filter drops those it did not expect.

use std::fmt::Write as _;

use crate::build::highlight;

/// Opens a token; a noncharacter of Unicode, as long in UTF-8 as the replacement character.
pub(super) const OPEN: char = '\u{FDD0}';
/// Closes a token.
pub(super) const CLOSE: char = '\u{FDD1}';

/// In which place of the HTML a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Between tags.
    Flow,
    /// Inside an attribute that is no URL.
    Attribute,
    /// A whole attribute that is a URL.
    Url,
}

/// A block of code, highlighted when it is first shown: most builds read many pages and show few.
#[derive(Debug, Clone)]
pub(super) struct Code {
    text: String,
    info: String,
    highlight: bool,
}

impl Code {
    pub(super) fn new(text: &str, info: &str, highlight: bool) -> Self {
        Self { text: text.to_owned(), info: info.to_owned(), highlight }
    }

    /// What stands behind its fence, where it is to be highlighted.
    pub(super) fn fence(&self) -> Option<&str> {
        self.highlight.then_some(self.info.as_str())
    }

    /// Not kept: of a page that is rendered again, what is expensive is remembered for a while.
    pub(super) fn html(&self) -> String {
        highlight::code_block(&self.text, &self.info, self.highlight)
    }
}

/// What a token stands for.
#[derive(Debug, Clone)]
pub(super) enum Slot {
    /// A block of code.
    Code(Code),
    /// Text to be escaped, put in at once.
    Text(String),
    /// Address of the link with this index.
    Href {
        /// Index of the link.
        link: usize,
        /// Whether `rel` (and `target`) may be added, or the size of an image.
        decorate: bool,
    },
    /// Address made of text and calls (an argument such as `{{< ref "x" >}}`).
    Address(Vec<AddressPart>, super::url::Sink),
    /// Text of a wikilink without text of its own.
    WikiText(usize),
    /// Output of the call with this index.
    Call(usize),
}

/// Part of an address.
#[derive(Debug, Clone)]
pub(super) enum AddressPart {
    /// As written.
    Text(String),
    /// Output of a call.
    Call(usize),
}

/// Finished HTML and the slots in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Fragment {
    pub(super) html: String,
    /// Offset in `html`, place, index of the slot; in order.
    pub(super) slots: Vec<(usize, Place, usize)>,
}

/// Writes a token.
pub(super) fn push_token(out: &mut String, place: Place, slot: usize) {
    let kind = match place {
        Place::Flow => 's',
        Place::Attribute => 'a',
        Place::Url => 'u',
    };
    out.push(OPEN);
    out.push(kind);
    // Writing to a string cannot fail.
    let _ = write!(out, "{slot}");
    out.push(CLOSE);
}

/// Reads a token at the beginning of `text`: place, slot and length.
pub(super) fn read_token(text: &str) -> Option<(Place, usize, usize)> {
    let rest = text.strip_prefix(OPEN)?;
    // Longer numbers than this are not ours; the bound keeps a lone opener from costing a search through the page.
    let end = rest.char_indices().take(12).find(|(_, c)| *c == CLOSE)?.0;
    let place = match rest.as_bytes().first()? {
        b's' => Place::Flow,
        b'a' => Place::Attribute,
        b'u' => Place::Url,
        _ => return None,
    };
    let slot = rest.get(1..end)?.parse().ok()?;
    Some((place, slot, OPEN.len_utf8() + end + CLOSE.len_utf8()))
}

/// Takes the reserved code points out of text; the length in bytes stays.
pub(super) fn scrub(text: &str) -> String {
    text.replace([OPEN, CLOSE], "\u{FFFD}").replace('\0', " ")
}

/// Where the first code point reserved for tokens stands.
pub(super) fn next_token(text: &str) -> Option<usize> {
    // Both begin with the same byte, which few texts have.
    memchr::memchr_iter(0xEF, text.as_bytes()).find(|&at| text[at..].starts_with([OPEN, CLOSE]))
}

/// Whether text holds a code point reserved for tokens.
pub(super) fn has_token(text: &str) -> bool {
    next_token(text).is_some()
}

/// Appends text escaped for HTML, inside or outside an attribute in double quotes.
pub(in crate::build) fn push_text(out: &mut String, text: &str) {
    let bytes = text.as_bytes();
    // The search takes up to three bytes at a time.
    let next_markup = |at| memchr::memchr3(b'&', b'<', b'>', &bytes[at..]).map_or(bytes.len(), |found| at + found);
    let next_other = |at| memchr::memchr2(b'"', 0xEF, &bytes[at..]).map_or(bytes.len(), |found| at + found);
    let (mut from, mut markup, mut other) = (0, next_markup(0), next_other(0));
    while markup < bytes.len() || other < bytes.len() {
        let at = markup.min(other);
        let (with, length) = match bytes[at] {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' => ("&quot;", 1),
            _ if text[at..].starts_with([OPEN, CLOSE]) => ("\u{FFFD}", 3),
            _ => {
                other = next_other(at + 1);
                continue;
            }
        };
        out.push_str(&text[from..at]);
        out.push_str(with);
        from = at + length;
        if at == markup {
            markup = next_markup(from);
        } else {
            other = next_other(from);
        }
    }
    out.push_str(&text[from..]);
}

/// Cuts HTML at its tokens; finished slots are put in.
pub(super) fn split(html: &str, slots: &[Slot]) -> Fragment {
    // Pages are kept for as long as the site is, so little may be left over.
    let mut fragment = Fragment { html: String::with_capacity(html.len()), slots: Vec::new() };
    let mut rest = html;
    while let Some(at) = next_token(rest) {
        fragment.html.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((place, index, length)) = read_token(rest) else {
            // From a character reference in raw HTML.
            fragment.html.push('\u{FFFD}');
            rest = &rest[OPEN.len_utf8()..];
            continue;
        };
        rest = &rest[length..];
        match (slots.get(index), place) {
            (Some(Slot::Code(_)), Place::Flow) => fragment.slots.push((fragment.html.len(), place, index)),
            // Markup has no place inside a tag, wherever the token came from.
            (Some(Slot::Code(_)) | None, _) | (Some(Slot::Text(_)), Place::Url) => {}
            (Some(Slot::Text(text)), _) => push_text(&mut fragment.html, text),
            (Some(_), _) => fragment.slots.push((fragment.html.len(), place, index)),
        }
    }
    fragment.html.push_str(rest);
    fragment.slots.shrink_to_fit();
    if fragment.html.capacity() > fragment.html.len() + fragment.html.len() / 8 {
        fragment.html.shrink_to_fit();
    }
    fragment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_read_back_and_text_cannot_contain_them() {
        let mut out = String::new();
        push_token(&mut out, Place::Attribute, 12);
        assert_eq!(read_token(&out), Some((Place::Attribute, 12, out.len())));
        let mut escaped = String::new();
        push_text(&mut escaped, &format!("{out}<\"&>"));
        assert!(!has_token(&escaped));
        assert!(escaped.ends_with("&lt;&quot;&amp;&gt;"));
        assert_eq!(scrub(&out).len(), out.len());
        for broken in [
            "\u{FDD0}",
            "\u{FDD0}s",
            "\u{FDD0}s\u{FDD1}",
            "\u{FDD0}x1\u{FDD1}",
            "\u{FDD0}s99999999999999999999\u{FDD1}",
        ] {
            assert_eq!(read_token(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn markup_does_not_go_into_attributes() {
        let slots = [Slot::Code(Code::new("b", "", false)), Slot::Call(0)];
        let mut html = String::from("x");
        push_token(&mut html, Place::Attribute, 0);
        push_token(&mut html, Place::Flow, 0);
        push_token(&mut html, Place::Flow, 1);
        push_token(&mut html, Place::Flow, 7);
        html.push('y');
        let fragment = split(&html, &slots);
        assert_eq!(fragment.html, "xy");
        assert_eq!(fragment.slots, [(1, Place::Flow, 0), (1, Place::Flow, 1)]);
    }
}
