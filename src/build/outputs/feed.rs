//! Atom feeds: the site's, and one for each term where a taxonomy asks for it.

use std::fmt::Write;

use super::super::edition::Edition;
use super::super::{address, escape, render, sections};
use super::head;
use crate::model::{Library, Page, Term};

/// URL path of the site's feed.
pub(crate) const URL: &str = "/atom.xml";

/// URL path of a term's feed.
#[must_use]
pub(crate) fn term_url(term: &Term) -> String {
    format!("{}atom.xml", term.url)
}

/// Whether the terms of a taxonomy have feeds.
#[must_use]
pub(crate) fn for_terms(library: &Library, key: &str) -> bool {
    library.config.taxonomies.get(key).is_some_and(|taxonomy| taxonomy.feed)
}

/// The newest dated pages of the site or of a term: what a feed lists.
#[must_use]
pub(crate) fn entries(library: &Library, term: Option<&Term>) -> Vec<usize> {
    let config = &library.config.feed;
    let in_feed = |page: &Page| {
        let below = page.section.strip_prefix("content").unwrap_or_default().trim_start_matches('/');
        page.date.is_some()
            && sections::listed(page)
            && !page.noindex
            && (term.is_some()
                || config.sections.is_empty()
                || config.sections.iter().any(|section| {
                    let section = section.trim_matches('/');
                    below.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                }))
    };
    let mut found: Vec<usize> = match term {
        Some(term) => term.pages.iter().copied().filter(|&i| in_feed(&library.pages[i])).collect(),
        None => (0..library.pages.len()).filter(|&i| in_feed(&library.pages[i])).collect(),
    };
    let order = |&a: &usize, &b: &usize| {
        let (a, b) = (&library.pages[a], &library.pages[b]);
        sections::newest_first(a, b).then_with(|| a.path.cmp(&b.path))
    };
    if found.len() > config.limit && config.limit > 0 {
        found.select_nth_unstable_by(config.limit - 1, order);
        found.truncate(config.limit);
    }
    found.sort_by(order);
    if config.limit == 0 { Vec::new() } else { found }
}

/// All feeds.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    let library = &edition.library;
    let mut files = Vec::new();
    if edition.has_feed {
        let title = library.config.title.clone();
        files.push(("atom.xml".to_owned(), feed(edition, &title, "/", URL, &entries(library, None))));
    }
    for taxonomy in library.taxonomies.values().filter(|taxonomy| for_terms(library, &taxonomy.key)) {
        for term in taxonomy.terms.values() {
            let entries = entries(library, Some(term));
            if !entries.is_empty() {
                let url = term_url(term);
                let title = format!("{} · {}", term.name, library.config.title);
                files.push((address::output_path(&url), feed(edition, &title, &term.url, &url, &entries)));
            }
        }
    }
    files
}

fn feed(edition: &Edition<'_>, title: &str, home: &str, url: &str, entries: &[usize]) -> String {
    let library = &edition.library;
    let config = &library.config;
    let pages = || entries.iter().map(|&i| &library.pages[i]);
    let updated = pages().filter_map(|page| page.updated.as_ref().max(page.date.as_ref())).max();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    let _ =
        writeln!(out, "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{}\">", escape::markup(&config.language));
    element(&mut out, "  ", "title", title);
    if !config.description.is_empty() {
        element(&mut out, "  ", "subtitle", &config.description);
    }
    let href = |url: &str| escape::markup(&edition.base.absolute(url));
    let _ = writeln!(out, "  <link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>", href(url));
    let _ = writeln!(out, "  <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>", href(home));
    element(&mut out, "  ", "id", &edition.base.absolute(url));
    if let Some(updated) = updated {
        element(&mut out, "  ", "updated", &updated.rfc3339());
    }
    let author = config.author.as_deref().unwrap_or(&config.title);
    let _ = writeln!(
        out,
        "  <author><name>{}</name></author>",
        escape::markup(if author.is_empty() { "unknown" } else { author })
    );
    for &i in entries {
        entry(edition, &mut out, i);
    }
    out.push_str("</feed>\n");
    out
}

fn entry(edition: &Edition<'_>, out: &mut String, index: usize) {
    let page = &edition.library.pages[index];
    let address = edition.base.absolute(&page.url);
    out.push_str("  <entry>\n");
    element(out, "    ", "title", &page.title);
    let _ = writeln!(out, "    <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>", escape::markup(&address));
    element(out, "    ", "id", &address);
    if let Some(date) = &page.date {
        element(out, "    ", "published", &date.rfc3339());
        let updated = page.updated.as_ref().filter(|updated| *updated > date).unwrap_or(date);
        element(out, "    ", "updated", &updated.rfc3339());
    }
    for name in &page.authors {
        let _ = writeln!(out, "    <author><name>{}</name></author>", escape::markup(name));
    }
    for term in page.terms.values().flatten() {
        let _ = writeln!(out, "    <category term=\"{}\"/>", escape::markup(term));
    }
    let summary = page.description.as_deref().map_or_else(|| head::cut(&page.summary, 500), str::to_owned);
    if !summary.is_empty() {
        let _ = writeln!(out, "    <summary type=\"text\">{}</summary>", escape::markup(&summary));
    }
    if edition.library.config.feed.full {
        let html = render::body(edition, index, true).html;
        let _ = writeln!(out, "    <content type=\"html\">{}</content>", escape::markup(&html));
    }
    out.push_str("  </entry>\n");
}

fn element(out: &mut String, indent: &str, name: &str, text: &str) {
    let _ = writeln!(out, "{indent}<{name}>{}</{name}>", escape::markup(text));
}
