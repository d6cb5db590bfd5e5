//! `sitemap.xml`: one file, or an index and a part per section, so that one edited page touches a small file.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::edition::Edition;
use super::super::library::NOT_FOUND_URL;
use super::super::{address, escape};

/// More addresses than this are split by section.
const SPLIT: usize = 5_000;
/// The protocol's limit for one file.
const MOST: usize = 50_000;

/// Address, last change, and addresses in each language.
type Row = (String, Option<String>, Vec<(String, String)>);

/// The sitemap and its parts.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    split(edition.base.url(), rows(edition), SPLIT, MOST)
}

/// First URL segment to rows.
fn rows(edition: &Edition<'_>) -> BTreeMap<String, Vec<Row>> {
    let library = &edition.library;
    let mut parts: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let mut add = |url: &str, changed: Option<String>, languages: Vec<(String, String)>| {
        let first = url.trim_matches('/').split_once('/').map_or("root", |(first, _)| first);
        parts.entry(address::slugify(first)).or_default().push((edition.base.absolute(url), changed, languages));
    };
    for page in library.pages.iter().filter(|page| page.included && page.listed) {
        if page.noindex || page.url == NOT_FOUND_URL {
            continue;
        }
        let changed = page.updated.as_ref().or(page.date.as_ref()).map(crate::model::Date::rfc3339);
        add(&page.url, changed, edition.translations.links(edition, Some(page)));
    }
    let lists = library.languages().flat_map(|language| library.taxonomies_in(language).values());
    let lists = lists.filter(|_| !library.config.crawlers.noindex);
    for taxonomy in lists.filter(|taxonomy| !taxonomy.terms.is_empty()) {
        let own = |url: &str| !library.by_url.get(url).is_some_and(|&i| library.pages[i].included);
        if own(&taxonomy.url) {
            add(&taxonomy.url, None, Vec::new());
        }
        for term in taxonomy.terms.values().filter(|term| own(&term.url)) {
            add(&term.url, None, Vec::new());
        }
    }
    parts
}

fn split(base: &str, parts: BTreeMap<String, Vec<Row>>, split: usize, most: usize) -> Vec<(String, String)> {
    let total: usize = parts.values().map(Vec::len).sum();
    if total <= split {
        let mut rows: Vec<Row> = parts.into_values().flatten().collect();
        rows.sort();
        return vec![("sitemap.xml".into(), urlset(&rows))];
    }
    let mut index = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    index.push_str("<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    let mut files = Vec::new();
    for (name, mut rows) in parts {
        rows.sort();
        for (n, chunk) in rows.chunks(most).enumerate() {
            let name = if n == 0 { format!("sitemap-{name}.xml") } else { format!("sitemap-{name}-{}.xml", n + 1) };
            let loc = format!("{base}{}", escape::url_path(&name));
            let _ = writeln!(index, "  <sitemap><loc>{}</loc></sitemap>", escape::markup(&loc));
            files.push((name, urlset(chunk)));
        }
    }
    index.push_str("</sitemapindex>\n");
    files.push(("sitemap.xml".into(), index));
    files
}

fn urlset(rows: &[Row]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let translated = rows.iter().any(|(_, _, languages)| !languages.is_empty());
    let more = if translated { " xmlns:xhtml=\"http://www.w3.org/1999/xhtml\"" } else { "" };
    let _ = writeln!(out, "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"{more}>");
    for (address, changed, languages) in rows {
        let _ = write!(out, "  <url><loc>{}</loc>", escape::markup(address));
        if let Some(changed) = changed {
            let _ = write!(out, "<lastmod>{}</lastmod>", escape::markup(changed));
        }
        for (language, href) in languages {
            let (language, href) = (escape::markup(language), escape::markup(href));
            let _ = write!(out, "<xhtml:link rel=\"alternate\" hreflang=\"{language}\" href=\"{href}\"/>");
        }
        out.push_str("</url>\n");
    }
    out.push_str("</urlset>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_addresses_are_split_by_section_and_size() {
        let row = |n: usize| (format!("https://x/a/{n}/"), None, Vec::new());
        let parts = BTreeMap::from([("a".to_owned(), (0..7).map(row).collect()), ("root".to_owned(), vec![row(9)])]);
        let files: BTreeMap<_, _> = split("https://x/", parts.clone(), 5, 3).into_iter().collect();
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["sitemap-a-2.xml", "sitemap-a-3.xml", "sitemap-a.xml", "sitemap-root.xml", "sitemap.xml"]);
        assert_eq!(files["sitemap.xml"].matches("<loc>").count(), 4);
        assert_eq!(files["sitemap-a-3.xml"].matches("<loc>").count(), 1);
        let one = split("https://x/", parts, 8, 50);
        assert_eq!((one.len(), one[0].1.matches("<loc>").count()), (1, 8));
    }
}
