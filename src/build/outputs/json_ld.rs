//! JSON-LD in the head: site, publisher, page and the way to it, for search engines.

use serde_json::{Value, json};

use super::super::edition::Edition;
use super::super::links::Kind;
use super::super::{context, sections, translations};
use super::head;
use crate::model::config::{Publisher, PublisherKind};
use crate::model::{Page, PageKind};

/// The graph of one page.
#[must_use]
pub(crate) fn graph(edition: &Edition<'_>, subject: &head::Subject<'_>, description: &str, canonical: &str) -> Value {
    let config = &edition.library.config;
    // Each language is a site of its own: one that is called otherwise is another one.
    let home = edition.base.absolute(&translations::home_url(subject.language));
    let site_id = format!("{home}#website");
    let name = config.title_in(subject.language);
    let mut site = json!({"@type": "WebSite", "@id": site_id, "url": home, "name": name});
    set(&mut site, "description", config.description_in(subject.language));
    let publisher = config.seo.publisher.as_ref().map(|publisher| publisher_node(edition, publisher));
    let publisher_id = publisher.as_ref().map(|node| json!({"@id": node["@id"]}));
    if let Some(id) = &publisher_id {
        site["publisher"] = id.clone();
    }
    let mut graph = vec![site];
    graph.extend(publisher);
    let mut page = json!({
        "@type": "WebPage", "@id": canonical, "url": canonical, "name": subject.title,
        "isPartOf": {"@id": site_id}, "inLanguage": edition.tag(subject.page, subject.language),
    });
    set(&mut page, "description", description);
    match subject.page {
        Some(source) if source.kind == PageKind::Page && source.date.is_some() => {
            page["@type"] = json!("BlogPosting");
            page["headline"] = json!(subject.title);
            page["mainEntityOfPage"] = json!(canonical);
            page["datePublished"] = json!(source.date);
            page["dateModified"] = json!(source.updated.as_ref().or(source.date.as_ref()));
            if let Some(id) = publisher_id {
                page["publisher"] = id;
            }
            let authors = head::authors(edition, source);
            if !authors.is_empty() {
                page["author"] = authors.iter().map(|name| json!({"@type": "Person", "name": name})).collect();
            }
            if let Some(image) = context::image(edition, source) {
                page["image"] = json!(context::absolute(edition, &image));
            }
        }
        Some(source) if source.kind == PageKind::Page => {}
        _ => page["@type"] = json!("CollectionPage"),
    }
    graph.push(page);
    if let Some(page) = subject.page {
        let crumbs = breadcrumbs(edition, page, canonical);
        if crumbs.len() > 1 {
            graph.push(json!({"@type": "BreadcrumbList", "itemListElement": crumbs}));
        }
    }
    json!({"@context": "https://schema.org", "@graph": graph})
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

fn breadcrumbs(edition: &Edition<'_>, page: &Page, canonical: &str) -> Vec<Value> {
    let pages = sections::ancestors(&edition.library, page);
    let above =
        pages.into_iter().map(|i| &edition.library.pages[i]).map(|p| (p.title.clone(), edition.base.absolute(&p.url)));
    above
        .chain([(page.title.clone(), canonical.to_owned())])
        .enumerate()
        .map(|(i, (name, item))| json!({"@type": "ListItem", "position": i + 1, "name": name, "item": item}))
        .collect()
}

fn set(value: &mut Value, key: &str, text: &str) {
    if !text.is_empty() {
        value[key] = json!(text);
    }
}
