//! What stands in `<head>` and no theme can forget: title, description, canonical, Open Graph, JSON-LD, alternates.

use std::fmt::Write;

use super::super::edition::Edition;
use super::super::{address, context, escape, translations};
use super::json_ld;
use crate::model::config::VERIFIERS;
use crate::model::{Page, PageKind};

/// What the head is made of.
pub(crate) struct Subject<'a> {
    /// The page, where there is one.
    pub(crate) page: Option<&'a Page>,
    /// Its own title.
    pub(crate) title: &'a str,
    /// URL path.
    pub(crate) url: &'a str,
    /// Keep out of search engines.
    pub(crate) noindex: bool,
    /// A feed of its own: URL path of the list it follows, and title.
    pub(crate) feed: Option<(String, String)>,
    /// The further language whose site it belongs to.
    pub(crate) language: Option<&'a str>,
}

/// Makes the head.
#[must_use]
pub(crate) fn head(edition: &Edition<'_>, subject: &Subject<'_>) -> String {
    let config = &edition.library.config;
    let mut out = Tags::default();
    let home = subject.page.is_some_and(|page| page.kind == PageKind::Home);
    let site = config.title_in(subject.language);
    let full = match () {
        () if site.is_empty() => subject.title.to_owned(),
        () if home || subject.title == site => site.to_owned(),
        () => full_title(edition, subject),
    };
    let _ = writeln!(out.0, "<title>{}</title>", escape::markup(&full));
    let description = description(edition, subject.page);
    out.meta("name", "description", &description);
    let canonical = edition.base.absolute(subject.url);
    if subject.noindex {
        out.meta("name", "robots", "noindex");
    } else {
        out.link("canonical", &canonical, &[]);
    }
    out.meta("name", "generator", "sitewright");
    if home {
        for (service, code) in &config.seo.verification {
            let name = VERIFIERS.iter().find(|(known, _)| known == service).map_or(service.as_str(), |(_, name)| name);
            out.meta("name", name, code);
        }
    }
    open_graph(edition, subject, &mut out, &description, &canonical);
    alternates(edition, subject, &mut out);
    if !subject.noindex {
        let data = json_ld::graph(edition, subject, &description, &canonical);
        let _ = writeln!(out.0, "<script type=\"application/ld+json\">{}</script>", escape::json_in_html(&data));
    }
    out.0.pop();
    out.0
}

/// The title by the template of the page's section. Each placeholder is filled once, so that a title may hold braces.
fn full_title(edition: &Edition<'_>, subject: &Subject<'_>) -> String {
    let library = &edition.library;
    let folder = subject.page.map_or("", |page| page.section.as_str());
    let section = library
        .sections_in(subject.language)
        .get(folder)
        .map_or("", |section| library.pages[section.page].title.as_str());
    let mut out = String::new();
    let mut rest = library.config.seo.template(folder);
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
        out.push_str(match &rest[at..end] {
            "{title}" => subject.title,
            "{site}" => library.config.title_in(subject.language),
            "{section}" => section,
            other => other,
        });
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Puts the head before `</head>` where a layout forgot it.
#[must_use]
pub(crate) fn ensure(html: String, head: &str) -> String {
    let Some(end) = html.find("</head>") else { return html };
    let before = &html[..end];
    // Looking for its first line and then for all of it takes less than preparing a search for all of it.
    let first = head.split('\n').next().unwrap_or_default();
    if before.match_indices(first).any(|(at, _)| before[at..].starts_with(head)) {
        return html;
    }
    // A layout with a title of its own keeps it.
    let head = match head.split_once('\n') {
        Some((_, rest)) if before.contains("<title") => rest,
        _ => head,
    };
    format!("{before}{head}\n{}", &html[end..])
}

/// Description of a page: its own, else its summary cut to what search engines show, else the site's.
#[must_use]
pub(crate) fn description(edition: &Edition<'_>, page: Option<&Page>) -> String {
    let config = &edition.library.config;
    let Some(page) = page else { return config.seo.description.clone() };
    let site = config.description_in(edition.library.language_of(page));
    match &page.description {
        Some(description) => description.clone(),
        None if page.kind == PageKind::Home && !site.is_empty() => site.to_owned(),
        None if page.summary.is_empty() => config.seo.description.clone(),
        None => cut(&page.summary, 160),
    }
}

/// At most `most` characters, cut between words.
#[must_use]
pub(crate) fn cut(text: &str, most: usize) -> String {
    let Some((at, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let short = &text[..at];
    let end = short.rfind(char::is_whitespace).filter(|end| *end > 0).unwrap_or(at);
    format!("{}…", short[..end].trim_end_matches([',', ';', ':', ' ']))
}

fn open_graph(edition: &Edition<'_>, subject: &Subject<'_>, out: &mut Tags, description: &str, canonical: &str) {
    let config = &edition.library.config;
    let article = subject.page.is_some_and(|page| page.kind == PageKind::Page && page.date.is_some());
    out.meta("property", "og:title", subject.title);
    out.meta("property", "og:type", if article { "article" } else { "website" });
    out.meta("property", "og:url", canonical);
    out.meta("property", "og:description", description);
    out.meta("property", "og:site_name", config.title_in(subject.language));
    out.meta("property", "og:locale", &edition.tag(subject.page, subject.language).replace('-', "_"));
    let image =
        subject.page.and_then(|page| context::image(edition, page)).map(|href| context::absolute(edition, &href));
    let image = image.or_else(|| json_ld::site_image(edition, config.seo.image.as_deref()?));
    if let Some(image) = &image {
        out.meta("property", "og:image", image);
        out.meta("property", "og:image:alt", subject.title);
    }
    if let Some(page) = subject.page.filter(|_| article) {
        if let Some(date) = &page.date {
            out.meta("property", "article:published_time", &date.rfc3339());
        }
        if let Some(updated) = &page.updated {
            out.meta("property", "article:modified_time", &updated.rfc3339());
        }
        for tag in page.terms.get("tags").into_iter().flatten() {
            out.meta("property", "article:tag", tag);
        }
    }
    out.meta("name", "twitter:card", if image.is_some() { "summary_large_image" } else { "summary" });
    out.meta("name", "twitter:site", config.seo.twitter.as_deref().unwrap_or_default());
}

fn alternates(edition: &Edition<'_>, subject: &Subject<'_>, out: &mut Tags) {
    let config = &edition.library.config;
    let own = subject.feed.iter().map(|(home, title)| (home.as_str(), title.as_str()));
    let language = edition.in_language(subject.language);
    let site = (translations::home_url(subject.language), config.title_in(subject.language));
    let site = language.has_feed.then_some((site.0.as_str(), site.1));
    for (home, title) in own.chain(site) {
        for &format in &config.feed.formats {
            let href = edition.base.href(&super::feed::url(home, format));
            out.link("alternate", &href, &[("type", format.media_type()), ("title", title)]);
        }
    }
    for (language, href) in
        edition.translations.links(edition, subject.page.filter(|page| !subject.noindex && page.url == subject.url))
    {
        out.link("alternate", &href, &[("hreflang", &language)]);
    }
    if subject.page.is_some_and(|page| page.exists) && config.markdown.twins {
        let href = edition.base.href(&address::twin(subject.url));
        out.link("alternate", &href, &[("type", "text/markdown")]);
    }
    out.link("describedby", &edition.base.href("/llms.txt"), &[("type", "text/plain")]);
}

/// Authors of a page, else the site's.
#[must_use]
pub(crate) fn authors(edition: &Edition<'_>, page: &Page) -> Vec<String> {
    if page.authors.is_empty() { edition.library.config.author.iter().cloned().collect() } else { page.authors.clone() }
}

#[derive(Default)]
struct Tags(String);

impl Tags {
    fn meta(&mut self, kind: &str, name: &str, content: &str) {
        if !content.is_empty() {
            let _ = writeln!(self.0, "<meta {kind}=\"{name}\" content=\"{}\">", escape::markup(content));
        }
    }

    fn link(&mut self, rel: &str, href: &str, more: &[(&str, &str)]) {
        let _ = write!(self.0, "<link rel=\"{rel}\" href=\"{}\"", escape::markup(href));
        for (name, value) in more.iter().filter(|(_, value)| !value.is_empty()) {
            let _ = write!(self.0, " {name}=\"{}\"", escape::markup(value));
        }
        self.0.push_str(">\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgotten_head_is_put_in_once() {
        let head = "<title>T</title>\n<meta name=\"x\">";
        let with = format!("<html><head>{head}</head><body></body></html>");
        assert_eq!(ensure(with.clone(), head), with);
        assert_eq!(ensure("<head></head>".into(), head), format!("<head>{head}\n</head>"));
        assert_eq!(
            ensure("<head><title>o</title></head>".into(), head),
            "<head><title>o</title><meta name=\"x\">\n</head>"
        );
        assert_eq!(ensure("<p>".into(), head), "<p>");
    }

    #[test]
    fn descriptions_are_cut_between_words() {
        assert_eq!(cut("one two three", 8), "one two…");
        assert_eq!(cut("\u{fc}\u{fc}\u{fc}\u{fc}", 2), "\u{fc}\u{fc}…");
        assert_eq!(cut("short", 160), "short");
    }
}
