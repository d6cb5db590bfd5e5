//! RSS 2.0.

use std::fmt::Write;

use super::super::super::escape;
use super::Feed;
use crate::model::{Date, Page};

/// The feed as RSS.
pub(super) fn text(feed: &Feed<'_>) -> String {
    let absolute = |url: &str| feed.edition.base.absolute(url);
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<channel>\n",
    );
    element(&mut out, "title", feed.title);
    element(&mut out, "link", &absolute(feed.home));
    // RSS wants a description even where the site has none.
    element(&mut out, "description", if feed.description().is_empty() { feed.title } else { feed.description() });
    element(&mut out, "language", feed.tag());
    let own = absolute(feed.url);
    let own = escape::markup(&own);
    let _ = writeln!(out, "  <atom:link rel=\"self\" type=\"application/rss+xml\" href=\"{own}\"/>");
    if let Some(updated) = feed.updated() {
        element(&mut out, "lastBuildDate", &rfc822(updated));
    }
    for (index, page) in feed.pages() {
        item(feed, &mut out, index, page);
    }
    out.push_str("</channel>\n</rss>\n");
    out
}

fn item(feed: &Feed<'_>, out: &mut String, index: usize, page: &Page) {
    let address = feed.edition.base.absolute(&page.url);
    out.push_str("  <item>\n");
    let mut line = |name: &str, text: &str| {
        out.push_str("  ");
        element(out, name, text);
    };
    line("title", &page.title);
    line("link", &address);
    line("guid", &address);
    if let Some(date) = &page.date {
        line("pubDate", &rfc822(date));
    }
    for name in &page.authors {
        line("dc:creator", name);
    }
    for term in page.terms.values().flatten() {
        line("category", term);
    }
    let summary = super::summary(page);
    if !summary.is_empty() {
        line("description", &summary);
    }
    if let Some(html) = feed.content(index) {
        line("content:encoded", &html);
    }
    out.push_str("  </item>\n");
}

fn element(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "  <{name}>{}</{name}>", escape::markup(text));
}

/// `Mon, 23 Nov 2026 10:00:00 +0000`.
fn rfc822(date: &Date) -> String {
    date.zoned.strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}
