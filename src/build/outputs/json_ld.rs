//! JSON-LD in the head: site, publisher, page and the way to it, for search engines.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::edition::Edition;
use super::super::links::Kind;
use super::super::{context, sections, translations};
use super::head;
use crate::model::config::{Publisher, PublisherKind};
use crate::model::{Date, Page, PageKind};

/// What search engines read of one page; keys are written in the order of the fields.
#[derive(Serialize)]
struct Graph<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@graph")]
    nodes: Vec<Node<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Node<'a> {
    Site(WebSite<'a>),
    Publisher(&'a Value),
    Page(Box<WebPage<'a>>),
    Breadcrumbs(BreadcrumbList<'a>),
}

#[derive(Serialize, Clone, Copy)]
struct Id<'a> {
    #[serde(rename = "@id")]
    id: &'a str,
}

/// What a site and a page begin with.
#[derive(Serialize)]
struct Thing<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "@id")]
    id: &'a str,
    url: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct WebSite<'a> {
    #[serde(flatten)]
    thing: Thing<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Id<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WebPage<'a> {
    #[serde(flatten)]
    thing: Thing<'a>,
    is_part_of: Id<'a>,
    in_language: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(flatten)]
    posting: Option<Posting<'a>>,
}

/// What a dated page says beyond that.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Posting<'a> {
    headline: &'a str,
    main_entity_of_page: &'a str,
    date_published: Option<&'a Date>,
    date_modified: Option<&'a Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    author: Vec<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
}

#[derive(Serialize)]
struct Person {
    #[serde(rename = "@type")]
    kind: &'static str,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BreadcrumbList<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    item_list_element: Vec<ListItem<'a>>,
}

#[derive(Serialize)]
struct ListItem<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    position: usize,
    name: &'a str,
    item: String,
}

/// The graph of one page, as JSON.
#[must_use]
pub(crate) fn graph(edition: &Edition<'_>, subject: &head::Subject<'_>, description: &str, canonical: &str) -> String {
    let config = &edition.library.config;
    // Each language is a site of its own: one that is called otherwise is another one.
    let home = edition.base.absolute(&translations::home_url(subject.language));
    let site_id = format!("{home}#website");
    let publisher = config.seo.publisher.as_ref().map(|publisher| publisher_node(edition, publisher));
    let publisher_id = publisher.as_ref().and_then(|node| node["@id"].as_str()).map(|id| Id { id });
    let mut nodes = vec![Node::Site(WebSite {
        thing: Thing { kind: "WebSite", id: &site_id, url: &home, name: config.title_in(subject.language) },
        description: config.description_in(subject.language),
        publisher: publisher_id,
    })];
    nodes.extend(publisher.as_ref().map(Node::Publisher));
    let posting = subject.page.filter(|page| page.kind == PageKind::Page && page.date.is_some());
    let kind = match subject.page.map(|page| page.kind) {
        Some(PageKind::Page) if posting.is_some() => "BlogPosting",
        Some(PageKind::Page) => "WebPage",
        _ => "CollectionPage",
    };
    nodes.push(Node::Page(Box::new(WebPage {
        thing: Thing { kind, id: canonical, url: canonical, name: subject.title },
        is_part_of: Id { id: &site_id },
        in_language: edition.tag(subject.page, subject.language),
        description,
        posting: posting.map(|page| Posting {
            headline: subject.title,
            main_entity_of_page: canonical,
            date_published: page.date.as_ref(),
            date_modified: page.updated.as_ref().or(page.date.as_ref()),
            publisher: publisher_id,
            author: head::authors(edition, page).into_iter().map(|name| Person { kind: "Person", name }).collect(),
            image: context::image(edition, page).map(|image| context::absolute(edition, &image)),
        }),
    })));
    let item_list_element = subject.page.map(|page| breadcrumbs(edition, page, canonical)).unwrap_or_default();
    if item_list_element.len() > 1 {
        nodes.push(Node::Breadcrumbs(BreadcrumbList { kind: "BreadcrumbList", item_list_element }));
    }
    // Texts and numbers have a JSON form; what had none would be left out.
    serde_json::to_string(&Graph { context: "https://schema.org", nodes }).unwrap_or_default()
}

fn publisher_node(edition: &Edition<'_>, publisher: &Publisher) -> Value {
    let config = &edition.library.config;
    let (kind, picture) = match publisher.kind {
        PublisherKind::Organization => ("Organization", "logo"),
        PublisherKind::Person => ("Person", "image"),
    };
    let name = if publisher.name.is_empty() { &config.title } else { &publisher.name };
    let url = publisher.url.as_deref().unwrap_or(edition.base.url());
    let id = format!("{}#publisher", edition.base.url());
    let mut node = json!({"@type": kind, "@id": id, "name": name, "url": url});
    if let Some(href) = publisher.logo.as_deref().and_then(|raw| site_image(edition, raw)) {
        node[picture] = json!(href);
    }
    if !publisher.same_as.is_empty() {
        node["sameAs"] = json!(publisher.same_as);
    }
    node
}

/// The absolute address of an image that `site.yaml` names.
#[must_use]
pub(crate) fn site_image(edition: &Edition<'_>, raw: &str) -> Option<String> {
    let library = &edition.library;
    let home = library.sections.get("content").map(|section| &library.pages[section.page])?;
    Some(context::absolute(edition, &edition.finder().resolve(home, raw, Kind::Image).href))
}

fn breadcrumbs<'a>(edition: &'a Edition<'_>, page: &'a Page, canonical: &str) -> Vec<ListItem<'a>> {
    let pages = sections::ancestors(&edition.library, page);
    let above = pages.into_iter().map(|i| &*edition.library.pages[i]);
    above
        .map(|above| (&*above.title, edition.base.absolute(&above.url)))
        .chain([(&*page.title, canonical.to_owned())])
        .enumerate()
        .map(|(i, (name, item))| ListItem { kind: "ListItem", position: i + 1, name, item })
        .collect()
}
