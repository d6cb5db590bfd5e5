//! The values a template sees: site, page, stubs of pages in lists.

use serde_json::{Map, Value, json};

use super::edition::Edition;
use super::languages::Language;
use super::links::{Kind, is_external};
use super::{cascade, fields, outputs, schema, sections, translations};
use crate::model::{ContentPath, Digest, Digester, Heading, Library, Page, PageKind};

/// Words a reader reads in a minute.
const READING_SPEED: usize = 200;

/// What lists show of one page.
#[must_use]
pub(crate) fn stub(edition: &Edition<'_>, index: usize) -> Value {
    let page = &*edition.library.pages[index];
    let config = &edition.library.config;
    let fields = [
        ("title", Value::from(page.title.as_str())),
        ("url", Value::from(edition.base.href(&page.url))),
        ("permalink", Value::from(edition.base.absolute(&page.url))),
        ("path", Value::from(page.path.as_str())),
        ("description", json!(page.description)),
        ("summary", Value::from(page.summary.as_str())),
        ("date", json!(page.date)),
        ("updated", json!(page.updated)),
        ("terms", terms(edition, page)),
        ("authors", json!(page.authors)),
        ("image", json!(image(edition, page))),
        ("reading_time", Value::from(reading_time(page.word_count))),
        ("word_count", Value::from(page.word_count)),
        ("weight", json!(page.weight)),
        ("draft", Value::from(page.state == crate::model::PageState::Draft)),
        ("section", section_link(edition, page)),
        ("params", Value::Object(fields::params(&cascade::together(&page.front_matter, &page.inherited), config))),
    ];
    let mut stub = Map::with_capacity(fields.len());
    stub.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(stub)
}

/// Minutes, at least one.
#[must_use]
pub(crate) fn reading_time(words: usize) -> usize {
    words.div_ceil(READING_SPEED).max(1)
}

/// Href of a page's share image.
#[must_use]
pub(crate) fn image(edition: &Edition<'_>, page: &Page) -> Option<String> {
    page.image.as_deref().map(|raw| edition.finder().resolve(page, raw, Kind::Image).href.into_owned())
}

fn terms(edition: &Edition<'_>, page: &Page) -> Value {
    let taxonomies = edition.library.taxonomies_in(edition.library.language_of(page));
    let mut all = Map::new();
    for (key, names) in &page.terms {
        let Some(taxonomy) = taxonomies.get(key) else { continue };
        let list = names
            .iter()
            .map(|name| {
                let slug = super::address::term_slug(name);
                json!({"name": name, "url": edition.base.href(&format!("{}{slug}/", taxonomy.url)), "slug": slug})
            })
            .collect();
        all.insert(key.clone(), Value::Array(list));
    }
    Value::Object(all)
}

fn section_link(edition: &Edition<'_>, page: &Page) -> Value {
    let library = &edition.library;
    match library.section_of(page).map(|section| &library.pages[section.page]) {
        Some(section) if section.included => link(edition, section),
        _ => Value::Null,
    }
}

fn link(edition: &Edition<'_>, page: &Page) -> Value {
    json!({"title": page.title, "url": edition.base.href(&page.url)})
}

/// `site`, the same for every page of a language; menus are added per page.
#[must_use]
pub(crate) fn site(edition: &Edition<'_>, language: &Language) -> Value {
    let config = &edition.library.config;
    let tag = language.tag.as_deref();
    let home = translations::home_url(tag);
    let taxonomies: Vec<Value> = edition
        .library
        .taxonomies_in(tag)
        .values()
        .filter(|taxonomy| !taxonomy.terms.is_empty())
        .map(|taxonomy| json!({"key": taxonomy.key, "title": taxonomy.title, "url": edition.base.href(&taxonomy.url)}))
        .collect();
    json!({
        "title": config.title_in(tag),
        "description": config.description_in(tag),
        "base_url": edition.base.url(),
        "base_path": edition.base.path(),
        "language": tag.unwrap_or(&config.language),
        "author": config.author,
        "params": config.params_in(tag),
        "taxonomies": taxonomies,
        "feed_url": language.has_feed.then(|| config.feed.formats.first()).flatten().map(|&format| edition.base.href(&outputs::feed::url(&home, format))),
        "search_url": edition.base.href(&outputs::search::url(tag)),
        "home_url": edition.base.href(&home),
    })
}

/// `site` as one page sees it.
#[must_use]
pub(crate) fn site_at(edition: &Edition<'_>, language: Option<&str>, url: &str) -> Value {
    let language = edition.in_language(language);
    let mut site = language.site.clone();
    if let Value::Object(site) = &mut site {
        site.insert("menus".into(), language.menus.context(url));
    }
    site
}

/// `page`, with those fields beyond the ones of lists that are `wanted`. What lists show of it is lent, and returned by [`end_page`].
#[must_use]
pub(crate) fn page(edition: &Edition<'_>, index: usize, kind: &str, wanted: impl Fn(&str) -> bool) -> Value {
    let library = &edition.library;
    let page = &*library.pages[index];
    let mut value = edition.lend_stub(index);
    let Value::Object(fields) = &mut value else { return value };
    let (before, after) = edition.neighbours[index];
    let neighbour = |i: Option<usize>| i.map_or(Value::Null, |i| link(edition, &library.pages[i]));
    let makers: [(&str, &dyn Fn() -> Value); 13] = [
        ("expires", &|| json!(page.expires)),
        ("state", &|| json!(page.state)),
        ("front_matter", &|| Value::Object(page.front_matter.clone())),
        ("toc", &|| toc(&page.outline)),
        ("breadcrumbs", &|| {
            sections::ancestors(library, page).into_iter().map(|i| link(edition, &library.pages[i])).collect()
        }),
        ("prev", &|| neighbour(before)),
        ("next", &|| neighbour(after)),
        ("backlinks", &|| backlinks(edition, library, index)),
        ("assets", &|| assets(edition, page)),
        ("noindex", &|| json!(page.noindex)),
        ("lang", &|| json!(edition.tag(Some(page), None))),
        ("translations", &|| edition.translations.context(edition, index)),
        ("collection", &|| json!(schema::collection_of(&library.config, &page.path).map(|(name, _)| name))),
    ];
    let makers: Vec<_> = makers.into_iter().filter(|(name, _)| wanted(name)).collect();
    let kind = (FIRST_OF_PAGE.to_owned(), Value::from(kind));
    // All in one: the map then grows once.
    fields.extend([kind].into_iter().chain(makers.into_iter().map(|(name, make)| (name.to_owned(), make()))));
    value
}

fn assets(edition: &Edition<'_>, page: &Page) -> Value {
    let owner = super::assets::owner(&edition.library, page);
    let one = |asset: &ContentPath| {
        let url = super::assets::url(owner, asset);
        json!({"name": asset.file_name(), "url": edition.base.href(&url)})
    };
    owner.assets.iter().map(one).collect()
}

/// The first field of `page` that lists do not show.
const FIRST_OF_PAGE: &str = "kind";

/// The digest of a `page`.
#[must_use]
pub(crate) fn page_digest(edition: &Edition<'_>, index: usize, page: &Value) -> Digest {
    let Value::Object(fields) = page else { return Digest::default() };
    let shown = edition.lent_digest(index, fields.iter().take(shown_in_lists(fields)));
    let mut digester = Digester::default().with(&shown);
    digester.fields(fields.iter().skip(shown_in_lists(fields)));
    digester.finish()
}

/// How many fields of a `page` lists show; they come first.
fn shown_in_lists(fields: &Map<String, Value>) -> usize {
    fields.keys().position(|name| name == FIRST_OF_PAGE).unwrap_or(fields.len())
}

/// Returns what was lent for a `page`.
pub(crate) fn end_page(edition: &Edition<'_>, index: usize, page: Value) {
    let Value::Object(fields) = page else { return };
    let shown = shown_in_lists(&fields);
    // It is kept for as long as the site is: without the room that a whole page takes.
    let mut stub = Map::with_capacity(shown);
    stub.extend(fields.into_iter().take(shown));
    edition.return_stub(index, Value::Object(stub));
}

fn backlinks(edition: &Edition<'_>, library: &Library, index: usize) -> Value {
    let linking = library.backlinks.get(&index).map_or(&[][..], Vec::as_slice);
    linking.iter().map(|&i| &library.pages[i]).filter(|page| page.included).map(|page| link(edition, page)).collect()
}

/// A page that has no file and is no section: taxonomy, term, 404.
#[must_use]
pub(crate) fn engine_page(edition: &Edition<'_>, language: Option<&str>, kind: &str, title: &str, url: &str) -> Value {
    let home = translations::home_url(language);
    json!({
        "kind": kind,
        "title": title,
        "url": edition.base.href(url),
        "permalink": edition.base.absolute(url),
        "description": Value::Null,
        "summary": "",
        "terms": {},
        "params": {},
        "front_matter": {},
        "toc": [],
        "breadcrumbs": [{"title": edition.library.config.title_in(language), "url": edition.base.href(&home)}],
        "assets": [],
        "noindex": kind == "404" || edition.library.config.crawlers.noindex,
        "lang": edition.tag(None, language),
    })
}

/// Headings as a tree.
#[must_use]
pub(crate) fn toc(outline: &[Heading]) -> Value {
    let mut at = 0;
    Value::Array(toc_level(outline, &mut at, 0))
}

fn toc_level(outline: &[Heading], at: &mut usize, above: u8) -> Vec<Value> {
    let mut list = Vec::new();
    while let Some(heading) = outline.get(*at).filter(|heading| heading.level > above) {
        *at += 1;
        let children = toc_level(outline, at, heading.level);
        list.push(json!({"level": heading.level, "id": heading.id, "text": heading.text, "children": children}));
    }
    list
}

/// The word templates know a page's kind by.
#[must_use]
pub(crate) fn kind_name(kind: PageKind) -> &'static str {
    match kind {
        PageKind::Home => "home",
        PageKind::Page => "page",
        PageKind::Section => "section",
    }
}

/// The absolute address of an href that may lead anywhere.
#[must_use]
pub(crate) fn absolute(edition: &Edition<'_>, href: &str) -> String {
    if is_external(href) { href.to_owned() } else { edition.base.absolute_href(href) }
}
