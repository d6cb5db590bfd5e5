//! `search.json`: what a search without a server needs.

use serde_json::{Value, json};

use super::super::edition::Edition;
use super::super::{address, translations};
use super::head;

/// The index's name.
pub(crate) const FILE: &str = "search.json";
/// Pages that are searchable; beyond, the file would cost readers more than it helps.
const MOST: usize = 20_000;
/// Headings kept of one page.
const HEADINGS: usize = 20;
/// Past this many pages headings and descriptions are left out.
const SHORT: usize = 2_000;

/// URL path of a language's index.
#[must_use]
pub(crate) fn url(language: Option<&str>) -> String {
    format!("{}{FILE}", translations::home_url(language))
}

/// An index for each language: one line a page, in path order.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    let file = |language| (address::output_path(&url(language)), index(edition, language));
    edition.library.languages().map(file).collect()
}

fn index(edition: &Edition<'_>, language: Option<&str>) -> String {
    let pages: Vec<_> = edition.listed(language).filter(|(_, page)| !page.noindex).take(MOST).collect();
    let short = pages.len() > SHORT;
    let rows: Vec<String> = pages
        .into_iter()
        .map(|(_, page)| {
            let url = edition.base.href(&page.url);
            let row = if short {
                json!({"title": page.title, "url": url})
            } else {
                let headings: Vec<Value> = page.outline.iter().take(HEADINGS).map(|h| json!(h.text)).collect();
                let description = head::description(edition, Some(page));
                json!({"title": page.title, "url": url, "description": description, "headings": headings})
            };
            row.to_string()
        })
        .collect();
    if rows.is_empty() { "[]\n".into() } else { format!("[\n{}\n]\n", rows.join(",\n")) }
}
