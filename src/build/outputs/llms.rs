//! `llms.txt`: the site for language models in all its languages, with links to the Markdown twins.

use std::fmt::Write;

use super::super::address;
use super::super::edition::Edition;
use super::head;
use crate::model::{Page, PageKind};

/// Links of one section; beyond, its own page has them.
const MOST: usize = 100;

/// Title, description, and the pages of each section.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    let library = &edition.library;
    let config = &library.config;
    let mut out = format!("# {}\n", line(if config.title.is_empty() { "Site" } else { &config.title }));
    if !config.description.is_empty() {
        let _ = write!(out, "\n> {}\n", line(&config.description));
    }
    for language in library.languages() {
        sections(edition, language, &mut out);
    }
    vec![("llms.txt".into(), out)]
}

/// The sections of one language; those of a further one say which.
fn sections(edition: &Edition<'_>, language: Option<&str>, out: &mut String) {
    let library = &edition.library;
    for section in library.sections_in(language).values() {
        let own = &library.pages[section.page];
        let listed: Vec<&Page> =
            section.pages.iter().map(|&i| &*library.pages[i]).filter(|page| !page.noindex).collect();
        let home = own.kind == PageKind::Home;
        let with_own = own.exists && own.included && own.listed && !own.noindex;
        if listed.is_empty() && !with_own {
            continue;
        }
        let said = language.map_or_else(String::new, |tag| format!(" ({tag})"));
        let _ = write!(out, "\n## {}{said}\n\n", line(if home { "Pages" } else { &own.title }));
        if with_own {
            row(edition, out, own);
        }
        for page in listed.iter().take(MOST) {
            row(edition, out, page);
        }
        if listed.len() > MOST {
            let more = listed.len() - MOST;
            let _ = writeln!(out, "- [{more} more]({})", edition.base.absolute(&own.url));
        }
    }
}

fn row(edition: &Edition<'_>, out: &mut String, page: &Page) {
    let title = line(&page.title).replace('[', "\\[").replace(']', "\\]");
    let twin = edition.library.config.markdown.twins.then(|| address::twin(&page.url));
    let _ = write!(out, "- [{title}]({})", edition.base.absolute(twin.as_deref().unwrap_or(&page.url)));
    let description = head::cut(&line(&head::description(edition, Some(page))), 160);
    if !description.is_empty() {
        let _ = write!(out, ": {description}");
    }
    out.push('\n');
}

/// On one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
