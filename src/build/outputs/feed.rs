//! Feeds in the formats the site asks for: one for each language, and one for each term where a taxonomy wants it.

mod atom;
mod json;
mod rss;

use super::super::edition::Edition;
use super::super::languages::Language;
use super::super::{address, render, sections, translations};
use super::head;
use crate::model::config::FeedFormat;
use crate::model::{Date, Library, Page, Term};

/// One feed, whatever its format.
struct Feed<'a> {
    edition: &'a Edition<'a>,
    /// The further language of its pages.
    language: Option<&'a str>,
    /// Its title.
    title: &'a str,
    /// URL path of the list it follows.
    home: &'a str,
    /// Its own URL path.
    url: &'a str,
    /// Pages, newest first.
    entries: &'a [usize],
}

impl<'a> Feed<'a> {
    fn pages(&self) -> impl Iterator<Item = (usize, &'a Page)> {
        let library = &self.edition.library;
        self.entries.iter().map(|&i| (i, &*library.pages[i]))
    }

    /// The tag of its language.
    fn tag(&self) -> &'a str {
        self.edition.tag(None, self.language)
    }

    /// The site's description in its language.
    fn description(&self) -> &'a str {
        self.edition.library.config.description_in(self.language)
    }

    /// The last change of any entry.
    fn updated(&self) -> Option<&'a Date> {
        self.pages().filter_map(|(_, page)| page.updated.as_ref().max(page.date.as_ref())).max()
    }

    /// An entry's HTML with whole addresses, where the site wants it in feeds.
    fn content(&self, index: usize) -> Option<String> {
        self.edition.library.config.feed.full.then(|| render::body(self.edition, index, true).html)
    }
}

/// What an entry says of a page: its description, else the beginning of its text.
fn summary(page: &Page) -> String {
    page.description.as_deref().map_or_else(|| head::cut(&page.summary, 500), str::to_owned)
}

/// When an entry changed: not before it was published.
fn changed<'p>(page: &'p Page, date: &'p Date) -> &'p Date {
    page.updated.as_ref().filter(|updated| *updated > date).unwrap_or(date)
}

/// URL path of a feed that follows the list at `home`.
#[must_use]
pub(crate) fn url(home: &str, format: FeedFormat) -> String {
    format!("{}{}", address::folder_of(home), format.file())
}

/// Whether the terms of a taxonomy have feeds.
#[must_use]
pub(crate) fn for_terms(library: &Library, key: &str) -> bool {
    library.config.taxonomies.get(key).is_some_and(|taxonomy| taxonomy.feed)
}

/// The newest dated pages of a language or of a term: what a feed lists.
#[must_use]
pub(crate) fn entries(library: &Library, language: &Language, term: Option<&Term>) -> Vec<usize> {
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
        None => language.recent.iter().copied().filter(|&i| in_feed(&library.pages[i])).collect(),
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
    let mut files = Vec::new();
    for language in edition.languages.iter() {
        in_language(edition, language, &mut files);
    }
    files
}

fn in_language(edition: &Edition<'_>, language: &Language, files: &mut Vec<(String, String)>) {
    let library = &edition.library;
    let tag = language.tag.as_deref();
    let site = library.config.title_in(tag);
    let mut add = |title: &str, home: &str, entries: &[usize]| {
        for &format in &library.config.feed.formats {
            let url = url(home, format);
            let feed = Feed { edition, language: tag, title, home, url: &url, entries };
            let text = match format {
                FeedFormat::Atom => atom::text(&feed),
                FeedFormat::Rss => rss::text(&feed),
                FeedFormat::Json => json::text(&feed),
            };
            files.push((address::output_path(&url), text));
        }
    };
    if language.has_feed {
        add(site, &translations::home_url(tag), &entries(library, language, None));
    }
    for taxonomy in library.taxonomies_in(tag).values().filter(|taxonomy| for_terms(library, &taxonomy.key)) {
        for term in taxonomy.terms.values() {
            let entries = entries(library, language, Some(term));
            if !entries.is_empty() {
                add(&format!("{} · {site}", term.name), &term.url, &entries);
            }
        }
    }
}
