//! JSON Feed 1.1.

use serde_json::{Value, json};

use super::super::super::context;
use super::Feed;
use crate::model::Page;

/// The feed as JSON.
pub(super) fn text(feed: &Feed<'_>) -> String {
    let config = &feed.edition.library.config;
    let mut value = json!({
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.edition.base.absolute(feed.home),
        "feed_url": feed.edition.base.absolute(feed.url),
        "language": feed.tag(),
    });
    if !feed.description().is_empty() {
        value["description"] = json!(feed.description());
    }
    if let Some(author) = &config.author {
        value["authors"] = json!([{"name": author}]);
    }
    value["items"] = feed.pages().map(|(index, page)| item(feed, index, page)).collect();
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

fn item(feed: &Feed<'_>, index: usize, page: &Page) -> Value {
    let edition = feed.edition;
    let address = edition.base.absolute(&page.url);
    let mut value = json!({"id": address, "url": address, "title": page.title});
    let summary = super::summary(page);
    // Each item has to have one of the two.
    match feed.content(index) {
        Some(html) => value["content_html"] = json!(html),
        None => value["content_text"] = json!(summary),
    }
    if !summary.is_empty() {
        value["summary"] = json!(summary);
    }
    if let Some(date) = &page.date {
        value["date_published"] = json!(date);
        value["date_modified"] = json!(super::changed(page, date));
    }
    if let Some(image) = context::image(edition, page) {
        value["image"] = json!(context::absolute(edition, &image));
    }
    if !page.authors.is_empty() {
        value["authors"] = page.authors.iter().map(|name| json!({"name": name})).collect();
    }
    let tags: Vec<&String> = page.terms.values().flatten().collect();
    if !tags.is_empty() {
        value["tags"] = json!(tags);
    }
    if let Some(language) = page.lang.as_deref().filter(|tag| feed.language != Some(tag)) {
        value["language"] = json!(language);
    }
    value
}
