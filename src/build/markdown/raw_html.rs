//! Reads raw HTML tag by tag: takes out what the policy forbids, finds links, and keeps account of nesting.
//!
//! It works on tags, not on a tree; what it lets through still goes to the sanitiser, which does parse a tree. It runs first so
//! that scripts, foreign content and bottomless nesting never reach that parser, and because it knows the lines.

use super::slots::{CLOSE, OPEN};

/// Deepest nesting of elements handed to the sanitiser, whose cost grows with it.
pub(super) const MAX_DEPTH: usize = 256;
/// Most formatting elements left open at the end of a block: HTML opens them again in each block that follows.
const MAX_UNCLOSED: usize = 16;

/// A piece of raw HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Between tags.
    Text(&'a str),
    /// `<!-- … -->`, without the marks.
    Comment(&'a str, &'a str),
    /// `<!…>`, `<?…>`.
    Declaration(&'a str),
    /// A tag.
    Tag(Tag<'a>),
    /// An element whose content is no HTML, as a whole.
    RawText(Tag<'a>, &'a str),
    /// The beginning of a tag that has no end here.
    Broken(&'a str),
}

/// A start or end tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Lower case.
    pub(super) name: String,
    pub(super) closing: bool,
    /// From `<` to the end of the name.
    pub(super) head: &'a str,
    pub(super) attributes: Vec<Attribute<'a>>,
    /// Behind the last attribute, to `>`.
    pub(super) tail: &'a str,
}

/// An attribute.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    /// Lower case.
    pub(super) name: String,
    /// The space before it, its name and `=`, as written.
    pub(super) lead: &'a str,
    /// As written, without quotes.
    pub(super) value: Option<&'a str>,
    /// As written, with quotes.
    pub(super) written: &'a str,
}

/// Cuts raw HTML into pieces, each with its offset.
pub(super) fn pieces(html: &str) -> Vec<(usize, Piece<'_>)> {
    let mut found = Vec::new();
    // Elements known to have no end tag further on: looked for once.
    let mut endless = Vec::new();
    let mut at = 0;
    while at < html.len() {
        let rest = &html[at..];
        let marked = rest.starts_with('<').then(|| markup(rest, &mut endless)).flatten();
        let (piece, length) = marked.unwrap_or_else(|| {
            let end = if rest.starts_with('<') { 1 } else { rest.find('<').unwrap_or(rest.len()) };
            (Piece::Text(&rest[..end]), end)
        });
        found.push((at, piece));
        at += length;
    }
    found
}

fn markup<'a>(rest: &'a str, endless: &mut Vec<String>) -> Option<(Piece<'a>, usize)> {
    if let Some(comment) = rest.strip_prefix("<!--") {
        if comment.starts_with('>') || comment.starts_with("->") {
            let length = 4 + comment.find('>').unwrap_or(0) + 1;
            return Some((Piece::Comment("", &rest[..length]), length));
        }
        let end =
            [comment.find("-->").map(|at| (at, 3)), comment.find("--!>").map(|at| (at, 4))].into_iter().flatten().min();
        let (end, mark) = end.unwrap_or((comment.len(), 0));
        let length = 4 + end + mark;
        return Some((Piece::Comment(&comment[..end], &rest[..length]), length));
    }
    if rest.starts_with("<!")
        || rest.starts_with("<?")
        || (rest.starts_with("</") && !rest[2..].starts_with(|c: char| c.is_ascii_alphabetic()))
    {
        let length = rest.find('>').map_or(rest.len(), |at| at + 1);
        return Some((Piece::Declaration(&rest[..length]), length));
    }
    let letters = rest.strip_prefix("</").unwrap_or(&rest[1..]);
    if !letters.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let Some((tag, length)) = tag(rest) else { return Some((Piece::Broken(rest), rest.len())) };
    if !tag.closing && is_raw_text(&tag.name) {
        let whole = if endless.contains(&tag.name) { None } else { raw_text(rest, &tag.name, length) };
        if whole.is_none() && !endless.contains(&tag.name) {
            endless.push(tag.name.clone());
        }
        let whole = &rest[..whole.unwrap_or(length)];
        return Some((Piece::RawText(tag, whole), whole.len()));
    }
    Some((Piece::Tag(tag), length))
}

/// Length of an element from its start tag to its end tag; `None` where the end is not here.
fn raw_text(rest: &str, name: &str, start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += rest[at..].find("</")?;
        if rest[at + 2..].get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return Some(rest[at..].find('>').map_or(rest.len(), |end| at + end + 1));
        }
        at += 2;
    }
}

fn tag(rest: &str) -> Option<(Tag<'_>, usize)> {
    let closing = rest.starts_with("</");
    let name_at = if closing { 2 } else { 1 };
    let is_end = |c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>');
    let name_end = name_at + rest[name_at..].find(is_end)?;
    let name = rest[name_at..name_end].to_ascii_lowercase();
    let mut attributes = Vec::new();
    let mut at = name_end;
    loop {
        let lead = at;
        at += rest[at..].find(|c: char| !c.is_ascii_whitespace() && c != '/')?;
        if rest[at..].starts_with('>') {
            let tag = Tag { name, closing, head: &rest[..name_end], attributes, tail: &rest[lead..=at] };
            return Some((tag, at + 1));
        }
        let name_at = at;
        let first = rest[at..].chars().next()?.len_utf8();
        at += first + rest[at + first..].find(|c: char| is_end(c) || c == '=')?;
        let attribute = rest[name_at..at].to_ascii_lowercase();
        let behind = at + rest[at..].find(|c: char| !c.is_ascii_whitespace())?;
        if !rest[behind..].starts_with('=') {
            attributes.push(Attribute { name: attribute, lead: &rest[lead..at], value: None, written: "" });
            continue;
        }
        let value_at = behind + 1 + rest[behind + 1..].find(|c: char| !c.is_ascii_whitespace())?;
        let quote = rest[value_at..].chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, end) = if let Some(quote) = quote {
            let end = value_at + 1 + rest[value_at + 1..].find(quote)?;
            (&rest[value_at + 1..end], end + 1)
        } else {
            let end = value_at + rest[value_at..].find(|c: char| c.is_ascii_whitespace() || c == '>')?;
            (&rest[value_at..end], end)
        };
        let written = &rest[value_at..end];
        attributes.push(Attribute { name: attribute, lead: &rest[lead..value_at], value: Some(value), written });
        at = end;
    }
}

fn is_raw_text(name: &str) -> bool {
    matches!(name, "script" | "style" | "textarea" | "title" | "iframe" | "xmp" | "noembed" | "noframes" | "plaintext")
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Elements HTML closes by itself where the next of them begins.
fn closes_itself(name: &str) -> bool {
    matches!(
        name,
        "p" | "li" | "dt" | "dd" | "tr" | "td" | "th" | "thead" | "tbody" | "tfoot" | "colgroup" | "rp" | "rt"
    )
}

fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt" | "u"
    )
}

/// Account of open elements. It errs towards too deep: an end tag counts only for the element opened last.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    open: Vec<String>,
    /// Was too deep once.
    overflow: bool,
}

impl Nesting {
    /// Takes a tag into account.
    pub(super) fn tag(&mut self, tag: &Tag<'_>) {
        if is_void(&tag.name) || closes_itself(&tag.name) {
            return;
        }
        if !tag.closing {
            self.overflow |= self.open.len() >= MAX_DEPTH;
            if !self.overflow {
                self.open.push(tag.name.clone());
            }
        } else if self.open.last().is_some_and(|open| *open == tag.name) {
            self.open.pop();
        }
    }

    /// Whether the sanitiser must not see this; `around` is how deep the Markdown is nested here.
    pub(super) fn too_deep(&self, around: usize) -> bool {
        self.overflow
            || self.open.len() + around > MAX_DEPTH
            || self.open.iter().filter(|name| is_formatting(name)).count() > MAX_UNCLOSED
    }
}

/// An attribute's value with the common character references decoded; `None` where one is left that only a full HTML
/// parser knows: such a value is not touched here.
pub(super) fn decode(value: &str) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let named = [("amp;", '&'), ("lt;", '<'), ("gt;", '>'), ("quot;", '"'), ("apos;", '\''), ("#39;", '\'')];
        if let Some((name, c)) = named.iter().find(|(name, _)| rest.starts_with(name)) {
            out.push(*c);
            rest = &rest[name.len()..];
        } else if rest.starts_with(|c: char| c == '#' || c.is_ascii_alphanumeric()) {
            // `&x=1` in an address is most likely not a reference, but some names need no semicolon.
            let word = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            if rest[word..].starts_with('=') && word > 0 {
                out.push('&');
            } else {
                return None;
            }
        } else {
            out.push('&');
        }
    }
    out.push_str(rest);
    Some(out)
}

/// Whether a value has a token in it.
pub(super) fn holds_token(value: &str) -> bool {
    value.contains([OPEN, CLOSE])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(html: &str) -> Vec<String> {
        pieces(html)
            .into_iter()
            .map(|(_, piece)| match piece {
                Piece::Text(text) => format!("'{text}'"),
                Piece::Comment(text, _) => format!("!{text}"),
                Piece::Declaration(text) => format!("?{text}"),
                Piece::Tag(tag) => {
                    let attributes: Vec<_> =
                        tag.attributes.iter().map(|a| format!("{}={:?}", a.name, a.value)).collect();
                    format!("{}{}[{}]", if tag.closing { "/" } else { "" }, tag.name, attributes.join(","))
                }
                Piece::RawText(tag, whole) => format!("raw {} {}", tag.name, whole.len()),
                Piece::Broken(text) => format!("broken {text}"),
            })
            .collect()
    }

    #[test]
    fn tags_are_read_as_html_reads_them() {
        assert_eq!(names("a<b>c</B >d"), ["'a'", "b[]", "'c'", "/b[]", "'d'"]);
        assert_eq!(
            names("<a HREF = 'x>y' b=c/ d e=\"\"/>"),
            ["a[href=Some(\"x>y\"),b=Some(\"c/\"),d=None,e=Some(\"\")]"]
        );
        assert_eq!(names("<!--a--><!--><!---->x<!-- b --!>y"), ["!a", "!", "!", "'x'", "! b ", "'y'"]);
        assert_eq!(names("1 < 2 <3"), ["'1 '", "'<'", "' 2 '", "'<'", "'3'"]);
        assert_eq!(names("<script>a</b></SCRIPT >x<script>y"), ["raw script 23", "'x'", "raw script 8", "'y'"]);
        assert_eq!(names("<div a=\"x"), ["broken <div a=\"x"]);
        assert_eq!(names("</ x>é<?php ?><!DOCTYPE x>"), ["?</ x>", "'é'", "?<?php ?>", "?<!DOCTYPE x>"]);
        assert_eq!(names("<"), ["'<'"]);
    }

    #[test]
    fn pieces_cover_everything() {
        for html in ["<a\u{FDD0}b c=d>é<é<b =x><p/ /><!-", "</", "<a b", "<!", "<a/b=1>"] {
            let mut at = 0;
            for (offset, piece) in pieces(html) {
                assert_eq!(offset, at, "{html}");
                at += match piece {
                    Piece::Text(text) | Piece::Declaration(text) | Piece::Broken(text) => text.len(),
                    Piece::Comment(_, whole) | Piece::RawText(_, whole) => whole.len(),
                    Piece::Tag(tag) => {
                        tag.head.len()
                            + tag.attributes.iter().map(|a| a.lead.len() + a.written.len()).sum::<usize>()
                            + tag.tail.len()
                    }
                };
            }
            assert_eq!(at, html.len(), "{html}");
        }
    }

    #[test]
    fn nesting_cannot_be_argued_down() {
        let depth = |html: &str| {
            let mut nesting = Nesting::default();
            for (_, piece) in pieces(html) {
                if let Piece::Tag(tag) = piece {
                    nesting.tag(&tag);
                }
            }
            nesting.too_deep(0)
        };
        assert!(depth(&"<div>".repeat(1000)));
        assert!(depth(&"<div><table></div></table>".repeat(1000)));
        assert!(depth(&"<b>".repeat(17)));
        assert!(!depth(&"<div><b>x</b></div>".repeat(1000)));
        assert!(!depth(&"<li>x<br><p>y".repeat(1000)));
    }

    #[test]
    fn references_are_decoded_or_left() {
        assert_eq!(decode("a?b=1&amp;c=2").as_deref(), Some("a?b=1&c=2"));
        assert_eq!(decode("a?b=1&c=2& d").as_deref(), Some("a?b=1&c=2& d"));
        assert_eq!(decode("java&Tab;script:x"), None);
        assert_eq!(decode("javascript&colon;x"), None);
        assert_eq!(decode("&#106;avascript:x"), None);
    }
}
