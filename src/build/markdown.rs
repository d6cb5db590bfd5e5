//! One body of Markdown to HTML, in two steps.
//!
//! [`parse`] reads a body once and needs nothing else of the site, so its result can be kept by content hash.
//! [`Document::render`] fills in what depends on the rest of the site: link addresses and shortcodes.
//!
//! Classes in the output, for themes: `highlight` (code, see [`super::highlight`]), `table` (the frame around a table),
//! `align-left|center|right` (cells), `alert alert-note|tip|important|warning|caution` with `alert-title`, `task` (list
//! items with a checkbox), `footnote-ref`, `footnotes`, `footnote-backref`; links to something missing have `data-missing`.

mod anchors;
mod block;
mod calls;
mod inline;
mod lines;
mod notes;
mod raw_html;
mod sanitize;
mod slots;
mod text;
mod url;
mod writer;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::model::config::MarkdownConfig;
use crate::model::{Heading, Severity};

pub use anchors::slug;
pub(in crate::build) use slots::push_text as push_escaped;

use slots::{AddressPart, Fragment, Place, Slot};
use url::Sink;

/// What a link is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// `[text](address)`, `<address>`, or `href` in raw HTML.
    Link,
    /// `![alt](address)`, or `src` in raw HTML.
    Image,
    /// `[[page]]`, `[[page|text]]`, `[[page#heading]]`.
    Wiki,
}

/// One link of a body, before it is known where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLink {
    /// As written, entities decoded.
    pub raw: String,
    /// What it is made with.
    pub kind: LinkKind,
    /// 1-based line in the body.
    pub line: usize,
    /// Its text or alternative text without markup.
    pub text: String,
}

/// One call of a shortcode.
#[derive(Debug, Clone)]
pub struct ShortcodeCall {
    /// Name.
    pub name: String,
    /// Arguments without a name.
    pub positional: Vec<Value>,
    /// Arguments with a name.
    pub args: Map<String, Value>,
    /// 1-based line in the body.
    pub line: usize,
    /// Whether its inner content is Markdown.
    pub markdown: bool,
    /// Whether it has inner content.
    pub has_inner: bool,
    inner: Option<Fragment>,
}

/// Something to be said about a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// 1-based line in the body.
    pub line: usize,
    /// Rule.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The fact.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Where a link leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved<'r> {
    /// Address as it goes into the page, not yet escaped.
    pub href: Cow<'r, str>,
    /// Whether it leaves the site.
    pub external: bool,
    /// Whether nothing is there.
    pub missing: bool,
    /// Text for a wikilink that has none of its own.
    pub text: Option<String>,
    /// Width and height of an image in pixels, where known.
    pub size: Option<(u32, u32)>,
}

/// What rendering asks the rest of the site.
pub trait Resolve {
    /// Where a link leads.
    fn link<'r>(&mut self, raw: &'r str, kind: LinkKind, text: &str, line: usize) -> Resolved<'r>;
    /// HTML of a shortcode; `inner` is HTML as well. The result is put into the page as it is.
    fn shortcode(&mut self, call: &ShortcodeCall, inner: Option<&str>) -> String;
}

/// A parsed body.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// Headings in order.
    pub outline: Vec<Heading>,
    /// Fragments besides those of headings: ids in raw HTML.
    pub anchors: Vec<String>,
    /// Links and images in order.
    pub links: Vec<RawLink>,
    /// Calls in order, those inside others after them.
    pub shortcodes: Vec<ShortcodeCall>,
    /// Words.
    pub words: usize,
    /// Text up to `<!--more-->`, or about the first 70 words; headings, tables and footnotes left out.
    pub summary: String,
    /// Whether `<!--more-->` is there.
    pub has_more: bool,
    /// Findings in line order.
    pub diagnostics: Vec<Finding>,
    slots: Vec<Slot>,
    body: Fragment,
    new_tab: bool,
}

/// Parses a body. Anything is valid Markdown; what is doubtful becomes a finding.
pub fn parse(body: &str, options: &MarkdownConfig) -> Document {
    writer::document(body, options)
}

impl Document {
    /// HTML of the body.
    pub fn render(&self, resolve: &mut dyn Resolve) -> String {
        let mut out = String::with_capacity(self.body.html.len() + self.body.slots.len() * 64);
        self.fill(&self.body, resolve, &mut out, 0);
        out
    }

    /// What stands behind the fences of its code blocks that are to be highlighted.
    pub(in crate::build) fn fences(&self) -> impl Iterator<Item = &str> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Code(code) => code.fence(),
            _ => None,
        })
    }

    /// Recursion goes as deep as shortcodes are nested, which parsing bounds.
    fn fill(&self, fragment: &Fragment, resolve: &mut dyn Resolve, out: &mut String, depth: usize) {
        let (mut at, mut wiki_text) = (0, None);
        for (offset, place, slot) in &fragment.slots {
            out.push_str(&fragment.html[at..*offset]);
            at = *offset;
            match &self.slots[*slot] {
                Slot::Text(_) => {}
                Slot::Code(code) => out.push_str(&code.html()),
                // Text where an address belongs: nothing of ours, so it was forged.
                Slot::WikiText(_) if *place == Place::Url => {}
                Slot::Href { link, decorate } => wiki_text = self.push_link(*link, *decorate, resolve, out),
                Slot::WikiText(link) => {
                    let text = wiki_text.take();
                    slots::push_text(out, text.as_deref().unwrap_or(&self.links[*link].text));
                }
                Slot::Address(parts, sink) => self.push_address(parts, *sink, resolve, out),
                Slot::Call(call) => {
                    let html = self.call(*call, resolve, depth);
                    match place {
                        Place::Flow => out.push_str(&html),
                        Place::Attribute => slots::push_text(out, html.trim()),
                        Place::Url => push_checked(out, &html, Sink::Link),
                    }
                }
            }
        }
        out.push_str(&fragment.html[at..]);
    }

    fn call(&self, index: usize, resolve: &mut dyn Resolve, depth: usize) -> String {
        let call = &self.shortcodes[index];
        let inner = call.inner.as_ref().filter(|_| depth <= super::shortcode::MAX_DEPTH).map(|fragment| {
            let mut inner = String::new();
            self.fill(fragment, resolve, &mut inner, depth + 1);
            inner
        });
        resolve.shortcode(call, inner.as_deref())
    }

    /// Writes an address into the attribute it stands in; gives the text for a wikilink.
    fn push_link(&self, link: usize, decorate: bool, resolve: &mut dyn Resolve, out: &mut String) -> Option<String> {
        let link = &self.links[link];
        let resolved = resolve.link(&link.raw, link.kind, &link.text, link.line);
        let sink = if link.kind == LinkKind::Image { Sink::Image } else { Sink::Link };
        push_checked(out, &resolved.href, sink);
        // The attribute's closing quote follows in the HTML: further attributes are put before it.
        if let (true, LinkKind::Image, Some((width, height))) = (decorate, link.kind, resolved.size) {
            out.push_str(&format!("\" width=\"{width}\" height=\"{height}"));
        }
        if decorate && link.kind != LinkKind::Image && resolved.external {
            out.push_str("\" rel=\"noopener noreferrer");
            if self.new_tab {
                out.push_str("\" target=\"_blank");
            }
        }
        if resolved.missing {
            out.push_str("\" data-missing=\"true");
        }
        resolved.text
    }

    fn push_address(&self, parts: &[AddressPart], sink: Sink, resolve: &mut dyn Resolve, out: &mut String) {
        let mut address = String::new();
        for part in parts {
            match part {
                AddressPart::Text(text) => address.push_str(text),
                AddressPart::Call(call) => address.push_str(resolve.shortcode(&self.shortcodes[*call], None).trim()),
            }
        }
        push_checked(out, &address, sink);
    }
}

/// An address whose scheme is not let through becomes `#`.
fn push_checked(out: &mut String, address: &str, sink: Sink) {
    let address = if url::refused_scheme(address, sink).is_some() { "#" } else { address };
    url::push_href(out, address);
}
