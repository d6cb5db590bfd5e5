//! Text, links, images and raw HTML.

use pulldown_cmark::{Event, LinkType};

use super::raw_html::{self, Attribute, Piece, Tag};
use super::slots::{self, Place, Slot, push_text};
use super::url::{Sink, refused_scheme};
use super::writer::Writer;
use super::{LinkKind, RawLink, sanitize};
use crate::model::Severity;
use crate::model::config::RawHtml;

/// Longest link text kept for the resolver, in bytes.
const MAX_LINK_TEXT: usize = 300;

/// An image whose alternative text is being read.
pub(super) struct Picture {
    depth: usize,
    alt: String,
    address: String,
    title: String,
}

/// Whether folding the whitespace of a text would leave it as it is, as far as that is seen at a glance.
fn is_folded(text: &str) -> bool {
    let bytes = text.as_bytes();
    let graphic = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_graphic);
    (0..bytes.len()).all(|at| graphic(at) || bytes[at] == b' ' && at > 0 && graphic(at - 1) && graphic(at + 1))
}

impl Writer<'_, '_> {
    /// Text that may hold tokens.
    pub(super) fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.text.push_str(text);
            return;
        }
        let mut rest = text;
        while let Some(at) = slots::next_token(rest) {
            self.plain_text(&rest[..at]);
            rest = &rest[at..];
            if let Some((_, slot, length)) = slots::read_token(rest) {
                self.source_token(slot);
                rest = &rest[length..];
            } else {
                self.plain_text("\u{FFFD}");
                rest = &rest[slots::OPEN.len_utf8()..];
            }
        }
        self.plain_text(rest);
    }

    /// Text without tokens.
    pub(super) fn plain_text(&mut self, text: &str) {
        push_text(&mut self.out, text);
        self.note_text(text);
    }

    /// Text for those who read without markup.
    fn note_text(&mut self, text: &str) {
        self.state.text.push(text);
        if let Some(heading) = &mut self.heading {
            heading.text.push_str(text);
        }
        if let Some((_, link)) = &mut self.link_text
            && link.len() < MAX_LINK_TEXT
        {
            link.push_str(text);
        }
    }

    pub(super) fn code_span(&mut self, text: &str) {
        let text = self.state.original(text);
        self.out.push_str("<code>");
        self.plain_text(&text);
        self.out.push_str("</code>");
    }

    pub(super) fn soft_break(&mut self, html: &str) {
        self.out.push_str(html);
        self.note_text(" ");
    }

    /// Begins a link.
    pub(super) fn link(&mut self, link_type: LinkType, address: &str, title: &str) {
        let email;
        let address = if link_type == LinkType::Email {
            email = format!("mailto:{address}");
            &email
        } else {
            address
        };
        let wiki = matches!(link_type, LinkType::WikiLink { .. });
        // In a table the bar before a wikilink's text is written `\|`.
        let address = if wiki { address.trim_end_matches('\\') } else { address };
        let kind = if wiki { LinkKind::Wiki } else { LinkKind::Link };
        self.out.push_str("<a href=\"");
        let link = self.write_address(address, kind, true);
        self.title(title);
        self.out.push('>');
        if let Some(link) = link {
            self.link_text = Some((link, String::new()));
            if matches!(link_type, LinkType::WikiLink { has_pothole: false }) {
                let slot = self.state.slot(Slot::WikiText(link), None);
                self.token(Place::Flow, slot);
            }
        }
    }

    /// Ends a link. What was written between its tags for a bare wikilink is replaced by the slot for its text.
    pub(super) fn end_link(&mut self) {
        if let Some((link, text)) = self.link_text.take() {
            if self.state.links[link].kind == LinkKind::Wiki
                && let Some(at) = self.out.rfind(slots::OPEN)
                && let Some((_, slot, length)) = slots::read_token(&self.out[at..])
                && matches!(self.state.slots.get(slot), Some(Slot::WikiText(of)) if *of == link)
            {
                self.out.truncate(at + length);
            }
            self.state.links[link].text =
                if is_folded(&text) { text } else { text.split_whitespace().collect::<Vec<_>>().join(" ") };
        }
        let empty = self.out.ends_with('>') && self.out.rfind('<').is_some_and(|at| self.out[at..].starts_with("<a "));
        if empty {
            self.state.find(
                self.origin(),
                "link_text_missing",
                Severity::Warning,
                "link has no text",
                "Write between the brackets where the link leads.",
            );
        }
        self.out.push_str("</a>");
    }

    fn title(&mut self, title: &str) {
        if !title.is_empty() {
            self.out.push_str("\" title=\"");
            push_text(&mut self.out, &self.state.original(title));
        }
        self.out.push('"');
    }

    /// Writes an address, without the closing quote; gives the link's index where it is one to be resolved.
    fn write_address(&mut self, address: &str, kind: LinkKind, decorate: bool) -> Option<usize> {
        let sink = if kind == LinkKind::Image { Sink::Image } else { Sink::Link };
        if slots::has_token(address) {
            let slot = self.state.address(address, sink);
            let slot = self.state.slot(slot, None);
            self.token(Place::Url, slot);
            return None;
        }
        let origin = self.origin();
        if let Some(scheme) = refused_scheme(address, sink) {
            self.refuse_scheme(origin, &scheme);
            self.out.push('#');
            return None;
        }
        let line = self.state.line(origin);
        self.state.links.push(RawLink { raw: address.to_owned(), kind, line, text: String::new() });
        let link = self.state.links.len() - 1;
        let slot = self.state.slot(Slot::Href { link, decorate }, None);
        self.token(Place::Url, slot);
        Some(link)
    }

    fn refuse_scheme(&mut self, origin: usize, scheme: &str) {
        let scheme: String = scheme.chars().take(30).collect();
        self.state.find(
            origin,
            "url_scheme",
            Severity::Warning,
            format!("address with the scheme `{scheme}:` is replaced by `#`"),
            "Use http, https, mailto, tel or an address of this site.",
        );
    }

    /// Begins an image.
    pub(super) fn image(&mut self, address: &str, title: &str) {
        let (address, title) = (address.to_owned(), title.to_owned());
        self.picture = Some(Picture { depth: 1, alt: String::new(), address, title });
    }

    /// An event inside an image: its text is the alternative text.
    pub(super) fn in_picture(&mut self, event: &Event<'_>) {
        let Some(picture) = &mut self.picture else { return };
        match event {
            Event::Start(_) => picture.depth += 1,
            Event::End(_) => picture.depth -= 1,
            Event::Text(text) | Event::Code(text) => {
                let text = self.state.original(text);
                picture.alt.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => picture.alt.push(' '),
            _ => {}
        }
        if picture.depth == 0
            && let Some(picture) = self.picture.take()
        {
            self.write_picture(&picture);
        }
    }

    fn write_picture(&mut self, picture: &Picture) {
        let origin = self.origin();
        self.out.push_str("<img src=\"");
        if let Some(link) = self.write_address(&picture.address, LinkKind::Image, true) {
            self.state.links[link].text = picture.alt.chars().take(MAX_LINK_TEXT).collect();
        }
        self.out.push_str("\" alt=\"");
        push_text(&mut self.out, &picture.alt);
        self.title(&picture.title);
        // The first image is most likely in view at once; the others may wait.
        self.out.push_str(if self.state.pictures == 0 {
            " decoding=\"async\">"
        } else {
            " loading=\"lazy\" decoding=\"async\">"
        });
        self.state.pictures += 1;
        if picture.alt.trim().is_empty() {
            self.state.find(
                origin,
                "image_alt_missing",
                Severity::Warning,
                "image has no alternative text",
                "Say in the brackets what the image shows: `![what it shows](address)`.",
            );
        }
        self.note_text(&picture.alt);
        self.state.text.gap();
    }

    /// A tag in running text. A script's content are separate events there: they are taken out up to its end tag.
    pub(super) fn inline_html(&mut self, html: &str) {
        self.html(html, self.at);
        if self.state.policy == RawHtml::Sanitize
            && let [(_, Piece::RawText(tag, _))] = raw_html::pieces(html).as_slice()
            && matches!(tag.name.as_str(), "script" | "style")
        {
            self.muted = Some(format!("</{}", tag.name));
        }
    }

    /// Raw HTML that begins at `at` in the composed text.
    pub(super) fn html(&mut self, html: &str, at: usize) {
        for (offset, piece) in raw_html::pieces(html) {
            self.at = at + offset;
            match piece {
                Piece::Comment(text, written) => self.comment(text, written),
                Piece::Text(text) => self.html_text(text),
                Piece::Broken(text) if self.state.policy == RawHtml::Sanitize => self.text(text),
                Piece::Tag(tag) if self.state.policy != RawHtml::Escape => self.tag(&tag),
                Piece::Declaration(text) | Piece::Broken(text) if self.state.policy == RawHtml::Trusted => {
                    self.out.push_str(text);
                }
                Piece::RawText(_, text) if self.state.policy == RawHtml::Trusted => self.out.push_str(text),
                Piece::RawText(tag, _) if self.state.policy == RawHtml::Sanitize => {
                    self.report(&format!("<{}>", tag.name));
                }
                Piece::Declaration(_) if self.state.policy == RawHtml::Sanitize => {}
                _ => {
                    let end = offset + piece_length(&piece);
                    self.text(&html[offset..end]);
                }
            }
        }
        if self.state.policy == RawHtml::Sanitize && self.nesting.too_deep(self.depth) && self.state.too_deep.is_none()
        {
            self.state.too_deep = Some(self.state.line(self.origin_of(at)));
        }
    }

    fn comment(&mut self, text: &str, written: &str) {
        if text.trim().eq_ignore_ascii_case("more") {
            self.state.text.more();
        } else if self.state.policy == RawHtml::Trusted {
            self.out.push_str(written);
        }
    }

    /// Text between raw tags is HTML already, except for a `<` that begins nothing.
    fn html_text(&mut self, text: &str) {
        if self.state.policy == RawHtml::Escape {
            return self.text(text);
        }
        let mut rest = text;
        loop {
            let at = rest.find([slots::OPEN, '<']).unwrap_or(rest.len());
            self.out.push_str(&rest[..at]);
            self.note_text(&rest[..at]);
            rest = &rest[at..];
            if rest.is_empty() {
                return;
            }
            if let Some((_, slot, length)) = slots::read_token(rest) {
                self.source_token(slot);
                rest = &rest[length..];
            } else {
                self.out.push_str(if rest.starts_with('<') { "&lt;" } else { "" });
                rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
            }
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        let sanitize = self.state.policy == RawHtml::Sanitize;
        if sanitize && !sanitize::allows_tag(&tag.name) {
            if !tag.closing {
                self.report(&format!("<{}>", tag.name));
            }
            return;
        }
        self.raw = true;
        self.nesting.tag(tag);
        self.out.push_str(tag.head);
        for attribute in &tag.attributes {
            if sanitize && !sanitize::allows_attribute(&tag.name, &attribute.name) {
                self.report(&format!("the attribute `{}` of <{}>", attribute.name, tag.name));
                continue;
            }
            self.attribute(tag, attribute);
        }
        self.out.push_str(tag.tail);
    }

    fn attribute(&mut self, tag: &Tag<'_>, attribute: &Attribute<'_>) {
        self.out.push_str(attribute.lead);
        let Some(value) = attribute.value else { return };
        if !tag.closing && matches!(attribute.name.as_str(), "id" | "name") && !value.is_empty() {
            self.state.html_ids.push(slots::scrub(value));
        }
        let kind = match (tag.name.as_str(), attribute.name.as_str()) {
            ("a" | "area", "href") => Some(LinkKind::Link),
            ("img" | "source" | "video" | "audio" | "track", "src") | ("video", "poster") => Some(LinkKind::Image),
            _ => None,
        };
        if let Some(kind) = kind
            && let Some(address) = raw_html::decode(value)
        {
            if self.state.policy == RawHtml::Trusted && refused_scheme(&address, Sink::Link).is_some() {
                self.out.push_str(attribute.written);
                return;
            }
            self.out.push('"');
            // An author's own `rel` (`me`, `license`) stays, and an attribute must not come twice.
            let own = tag.attributes.iter().any(|attribute| attribute.name == "rel");
            let decorate = kind == LinkKind::Link && self.state.policy == RawHtml::Sanitize && !own;
            self.write_address(address.trim(), kind, decorate);
            self.out.push('"');
        } else if raw_html::holds_token(value) {
            // Calls in an attribute are escaped when they are filled in: the token says so.
            self.out.push_str(&attribute.written.replace(&format!("{}s", slots::OPEN), &format!("{}a", slots::OPEN)));
        } else {
            self.out.push_str(attribute.written);
        }
    }

    /// Reports what was taken out, each name once.
    fn report(&mut self, what: &str) {
        let what: String = what.chars().take(80).collect();
        if self.state.reported.len() >= 50 || !self.state.reported.insert(what.clone()) {
            return;
        }
        self.state.find(
            self.origin(),
            "raw_html_removed",
            Severity::Info,
            format!("raw HTML: {what} was removed"),
            "Use a shortcode of the theme, or set `markdown.raw_html: trusted` if every author is trusted.",
        );
    }
}

fn piece_length(piece: &Piece<'_>) -> usize {
    match piece {
        Piece::Text(text) | Piece::Declaration(text) | Piece::Broken(text) => text.len(),
        Piece::Comment(_, written) | Piece::RawText(_, written) => written.len(),
        Piece::Tag(tag) => {
            let attributes: usize =
                tag.attributes.iter().map(|attribute| attribute.lead.len() + attribute.written.len()).sum();
            tag.head.len() + attributes + tag.tail.len()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_folded;

    #[test]
    fn folded_text_is_left_as_it_is() {
        for text in ["", "a", "a b", "a b-c. d", " a", "a ", "a  b", "a\tb", "a\nb", "ä b", "a\u{a0}b", " "] {
            let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(!is_folded(text) || folded == text, "{text:?}");
            assert_eq!(is_folded(text), text.is_ascii() && folded == text, "{text:?}");
        }
    }
}
