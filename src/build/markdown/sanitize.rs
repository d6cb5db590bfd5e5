//! The allow list for raw HTML. Nothing of SVG or MathML, whose parsing rules carry most attacks on sanitisers.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::Builder;

use super::slots::{Place, has_token, read_token};
use super::url::{Sink, refused_scheme};

#[rustfmt::skip]
const TAGS: [&str; 86] = [
    "a", "abbr", "acronym", "address", "area", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote", "br", "caption",
    "center", "cite", "code", "col", "colgroup", "data", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption",
    "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "i", "img", "input", "ins", "kbd", "li",
    "main", "map", "mark", "nav", "ol", "p", "picture", "pre", "q", "rp", "rt", "ruby", "s", "samp", "section", "small", "source",
    "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "track",
    "tt", "u", "ul", "var", "video", "wbr", "label",
];
const GENERIC: [&str; 7] = ["class", "dir", "id", "lang", "role", "tabindex", "title"];
#[rustfmt::skip]
const BY_TAG: [(&str, &[&str]); 29] = [
    ("a", &["href", "hreflang", "download", "name", "rel"]),
    ("area", &["href", "alt", "coords", "shape"]),
    ("audio", &["src", "controls", "loop", "muted", "preload"]),
    ("bdo", &["dir"]),
    ("blockquote", &["cite"]),
    ("col", &["span"]),
    ("colgroup", &["span"]),
    ("data", &["value"]),
    ("del", &["cite", "datetime"]),
    ("details", &["open", "name"]),
    ("div", &["align"]),
    ("h1", &["align"]),
    ("h2", &["align"]),
    ("h3", &["align"]),
    ("img", &["src", "srcset", "sizes", "alt", "width", "height", "loading", "decoding", "align", "usemap", "fetchpriority"]),
    ("input", &["checked", "disabled", "type"]),
    ("ins", &["cite", "datetime"]),
    ("li", &["value"]),
    ("map", &["name"]),
    ("ol", &["start", "type", "reversed"]),
    ("p", &["align"]),
    ("q", &["cite"]),
    ("source", &["src", "srcset", "sizes", "type", "media", "width", "height"]),
    ("table", &["align", "summary"]),
    ("td", &["align", "colspan", "headers", "rowspan"]),
    ("th", &["align", "colspan", "headers", "rowspan", "scope", "abbr"]),
    ("time", &["datetime"]),
    ("track", &["src", "kind", "srclang", "label", "default"]),
    ("video", &["src", "poster", "controls", "loop", "muted", "preload", "width", "height", "playsinline"]),
];

/// Whether a tag (lower case) is kept.
pub(super) fn allows_tag(tag: &str) -> bool {
    TAGS.contains(&tag)
}

/// Whether an attribute (lower case) of a kept tag is kept; `target` is ours to write, so losing it is no finding.
pub(super) fn allows_attribute(tag: &str, attribute: &str) -> bool {
    GENERIC.contains(&attribute)
        || attribute.starts_with("aria-")
        || attribute == "target"
        || BY_TAG.iter().any(|(name, attributes)| *name == tag && attributes.contains(&attribute))
}

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::new();
    builder
        .tags(HashSet::from(TAGS))
        .clean_content_tags(HashSet::from([
            "script", "style", "iframe", "noscript", "template", "textarea", "title", "xmp",
        ]))
        .generic_attributes(HashSet::from(GENERIC))
        .generic_attribute_prefixes(HashSet::from(["aria-"]))
        .tag_attributes(BY_TAG.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect())
        .set_tag_attribute_values(HashMap::from([("input", HashMap::from([("type", "checkbox")]))]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel", "data"]))
        .link_rel(None)
        .strip_comments(true)
        .attribute_filter(filter);
    builder
});

/// Cleans finished HTML of a page in which slots are still tokens.
pub(super) fn clean(html: &str) -> String {
    CLEANER.clean(html).to_string()
}

fn filter<'u>(element: &str, attribute: &str, value: &'u str) -> Option<Cow<'u, str>> {
    let url = matches!(attribute, "href" | "src" | "poster" | "cite");
    if has_token(value) && !expected_tokens(value, url) {
        return None;
    }
    let sink = if element == "img" && attribute == "src" { Sink::Image } else { Sink::Link };
    if url && refused_scheme(value, sink).is_some() {
        return Some(Cow::Borrowed("#"));
    }
    if attribute == "srcset" && value.split(',').any(|candidate| refused_scheme(candidate, Sink::Link).is_some()) {
        return None;
    }
    Some(Cow::Borrowed(value))
}

/// Whether tokens in an attribute are those this module's neighbours put there: an address is one token and nothing else,
/// other attributes have only tokens made for attributes. Anything else was forged with character references.
fn expected_tokens(value: &str, url: bool) -> bool {
    if url {
        return matches!(read_token(value), Some((Place::Url, _, length)) if length == value.len());
    }
    let mut rest = value;
    while let Some(at) = rest.find([super::slots::OPEN, super::slots::CLOSE]) {
        match read_token(&rest[at..]) {
            Some((Place::Attribute, _, length)) => rest = &rest[at + length..],
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_agree() {
        assert!(BY_TAG.iter().all(|(tag, _)| allows_tag(tag)));
        assert_eq!(clean("<p onclick=x style=y id=z>a<svg><b>c</b></svg>"), "<p id=\"z\">a<b>c</b></p>");
        assert_eq!(clean("<a href='java&#10;script:x'>a</a>"), "<a>a</a>");
    }

    #[test]
    fn forged_tokens_do_not_pass() {
        assert_eq!(clean("<a href=\"&#xFDD0;s0&#xFDD1;\" title=\"&#xFDD0;s0&#xFDD1;\">a</a>"), "<a>a</a>");
        assert_eq!(clean("<a href=\"x&#xFDD0;u0&#xFDD1;\">a</a>"), "<a>a</a>");
    }
}
