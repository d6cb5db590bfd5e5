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
    description: "Lists pages and sections by place, term or state; use it to find what to read or change. For one page's \
        text use page_get. Replies total, items and next_cursor; `changed` marks what differs from live.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `page_list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageList {
    /// Only below this section, e.g. `blog`.
    #[schemars(example = &"blog")]
    section: Option<String>,
    /// Only content paths that match, e.g. `blog/2026-*.md`, `**/index.md`.
    #[schemars(example = "blog/2026-*.md")]
    glob: Option<String>,
    /// Only pages with this term: `tags:rust`, or `rust` in any taxonomy.
    #[schemars(example = "tags:rust")]
    term: Option<String>,
    /// Only pages in this state; changed = differs from live.
    status: Option<Status>,
    /// Only pages with this text in title, description or URL.
    text: Option<String>,
    /// Default path; date and updated: newest first.
    sort: Option<Order>,
    /// Besides path and url; default title, date, state.
    #[serde(default)]
    fields: Vec<Field>,
    /// Items at most; default 50.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<usize>,
    /// next_cursor of the list before.
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

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Field {
    Title,
    Description,
    Date,
    Updated,
    State,
    Kind,
    Terms,
    Weight,
    Words,
    Etag,
}

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
    };
    let fields = match asked.fields.as_slice() {
        [] => &[Field::Title, Field::Date, Field::State],
        fields => fields,
    };
    let listing = page::list(&context.site, &query)?;
    let pages: Vec<&Page> = listing.items.iter().map(|&index| &listing.built.library.pages[index]).collect();
    let mut items: Vec<Value> =
        pages.iter().map(|page| list_item(page, fields, listing.changed.contains(&page.path))).collect();
    let fitting = reply::fitting(&items);
    let cut = fitting < items.len();
    items.truncate(fitting);
    let next_cursor = match pages.get(fitting.wrapping_sub(1)) {
        Some(last) if cut => Some(shown(&last.path).to_owned()),
        _ => listing.next_cursor,
    };
    Ok(json!({"total": listing.total, "items": items, "next_cursor": next_cursor}))
}

fn list_item(page: &Page, fields: &[Field], changed: bool) -> Value {
    let mut item = Map::new();
    item.insert("path".into(), shown(&page.path).into());
    item.insert("url".into(), page.url.clone().into());
    for field in fields {
        let (name, value) = match field {
            Field::Title => ("title", json!(page.title)),
            Field::Description => ("description", json!(page.description)),
            Field::Date => ("date", json!(page.date)),
            Field::Updated => ("updated", json!(page.updated)),
            Field::State => ("state", json!(page.state)),
            Field::Kind => ("kind", json!(page.kind)),
            Field::Terms => ("terms", json!(page.terms)),
            Field::Weight => ("weight", json!(page.weight)),
            Field::Words => ("words", json!(page.word_count)),
            Field::Etag => ("etag", json!(page.blob.map(|blob| blob.to_string()))),
        };
        if !value.is_null() {
            item.insert(name.into(), value);
        }
    }
    if changed {
        item.insert("changed".into(), true.into());
    }
    Value::Object(item)
}
