//! `page_list`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{Context, Hints, Right, Spec, reply};
use crate::error::Result;
use crate::model::Page;
use crate::site::address::shown;
use crate::site::page::{self, ListQuery, ListStatus, Sort};

pub(super) const LIST: Spec = Spec {
    name: "page_list",
    title: "List pages",
    description: "Lists pages and sections by place, term or state. Replies total, items, next_cursor. For words inside pages use text_search.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `page_list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageList {
    /// E.g. `blog`.
    #[schemars(example = &"blog")]
    section: Option<String>,
    /// E.g. `blog/2026-*.md`.
    #[schemars(example = "blog/2026-*.md")]
    glob: Option<String>,
    /// `tags:rust` or `rust`.
    #[schemars(example = "tags:rust")]
    term: Option<String>,
    /// changed: differs from live.
    status: Option<Status>,
    /// In title, description or URL.
    text: Option<String>,
    /// Default path; dates: newest first.
    sort: Option<Order>,
    /// E.g. kind, terms, words, etag, any front matter key; default title, date, state.
    #[serde(default)]
    fields: Vec<String>,
    /// Default 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<usize>,
    /// next_cursor.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Live,
    Draft,
    Changed,
    Scheduled,
    Expired,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    Path,
    Date,
    Updated,
    Title,
}

/// What a list shows where the caller names no fields.
const DEFAULT_FIELDS: [&str; 3] = ["title", "date", "state"];

pub(super) fn list(context: &Context, asked: PageList) -> Result<Value> {
    let query = ListQuery {
        section: asked.section,
        glob: asked.glob,
        term: asked.term,
        status: asked.status.map(|status| match status {
            Status::Live => ListStatus::Live,
            Status::Draft => ListStatus::Draft,
            Status::Changed => ListStatus::Changed,
            Status::Scheduled => ListStatus::Scheduled,
            Status::Expired => ListStatus::Expired,
        }),
        text: asked.text,
        sort: match asked.sort {
            None | Some(Order::Path) => Sort::Path,
            Some(Order::Date) => Sort::Date,
            Some(Order::Updated) => Sort::Updated,
            Some(Order::Title) => Sort::Title,
        },
        limit: asked.limit.unwrap_or(0),
        cursor: asked.cursor,
        progress: context.progress.clone(),
    };
    let fields: Vec<&str> = match asked.fields.as_slice() {
        [] => DEFAULT_FIELDS.to_vec(),
        fields => fields.iter().map(String::as_str).collect(),
    };
    let listing = page::list(&context.site, &query)?;
    let pages: Vec<&Page> = listing.items.iter().map(|&index| &*listing.built.library.pages[index]).collect();
    let mut items: Vec<Value> =
        pages.iter().map(|page| list_item(page, &fields, listing.changed.contains(&page.path))).collect();
    let fitting = reply::fitting(&items);
    let cut = fitting < items.len();
    items.truncate(fitting);
    let next_cursor = match pages.get(fitting.wrapping_sub(1)) {
        Some(last) if cut => Some(shown(&last.path).to_owned()),
        _ => listing.next_cursor,
    };
    Ok(json!({"total": listing.total, "items": items, "next_cursor": next_cursor}))
}

fn list_item(page: &Page, fields: &[&str], changed: bool) -> Value {
    let mut item = Map::new();
    item.insert("path".into(), shown(&page.path).into());
    item.insert("url".into(), page.url.clone().into());
    for field in fields {
        let value = match *field {
            "title" => json!(page.title),
            "description" => json!(page.description),
            "date" => json!(page.date),
            "updated" => json!(page.updated),
            "state" => json!(page.state),
            "kind" => json!(page.kind),
            "terms" => json!(page.terms),
            "weight" => json!(page.weight),
            "words" => json!(page.word_count),
            "etag" => json!(page.blob.map(|blob| blob.to_string())),
            key => page.front_matter.get(key).cloned().unwrap_or_default(),
        };
        if !value.is_null() {
            item.insert((*field).to_owned(), value);
        }
    }
    if changed {
        item.insert("changed".into(), true.into());
    }
    Value::Object(item)
}
