//! Atom (RFC 4287).

use std::fmt::Write;

use super::super::super::escape;
use super::Feed;
use crate::model::Page;

/// The feed as Atom.
pub(super) fn text(feed: &Feed<'_>) -> String {
    let Feed { edition, title, home, url, .. } = *feed;
    let config = &edition.library.config;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    let _ = writeln!(out, "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">", escape::markup(feed.tag()));
    element(&mut out, "  ", "title", title);
    if !feed.description().is_empty() {
        element(&mut out, "  ", "subtitle", feed.description());
    }
    let href = |url: &str| escape::markup(&edition.base.absolute(url)).into_owned();
    let _ = writeln!(out, "  <link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>", href(url));
    let _ = writeln!(out, "  <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>", href(home));
    element(&mut out, "  ", "id", &edition.base.absolute(url));
    if let Some(updated) = feed.updated() {
        element(&mut out, "  ", "updated", &updated.rfc3339());
    }
    let author = config.author.as_deref().unwrap_or(config.title_in(feed.language));
    let _ = writeln!(
        out,
        "  <author><name>{}</name></author>",
        escape::markup(if author.is_empty() { "unknown" } else { author })
    );
    for (index, page) in feed.pages() {
        entry(feed, &mut out, index, page);
    }
    out.push_str("</feed>\n");
    out
}

fn entry(feed: &Feed<'_>, out: &mut String, index: usize, page: &Page) {
    let address = feed.edition.base.absolute(&page.url);
    out.push_str("  <entry>\n");
    element(out, "    ", "title", &page.title);
    let _ = writeln!(out, "    <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>", escape::markup(&address));
    element(out, "    ", "id", &address);
    if let Some(date) = &page.date {
        element(out, "    ", "published", &date.rfc3339());
        element(out, "    ", "updated", &super::changed(page, date).rfc3339());
    }
    for name in &page.authors {
        let _ = writeln!(out, "    <author><name>{}</name></author>", escape::markup(name));
    }
    for term in page.terms.values().flatten() {
        let _ = writeln!(out, "    <category term=\"{}\"/>", escape::markup(term));
    }
    let summary = super::summary(page);
    if !summary.is_empty() {
        let _ = writeln!(out, "    <summary type=\"text\">{}</summary>", escape::markup(&summary));
    }
    if let Some(html) = feed.content(index) {
        let _ = writeln!(out, "    <content type=\"html\">{}</content>", escape::markup(&html));
    }
    out.push_str("  </entry>\n");
}

fn element(out: &mut String, indent: &str, name: &str, text: &str) {
    let _ = writeln!(out, "{indent}<{name}>{}</{name}>", escape::markup(text));
}
