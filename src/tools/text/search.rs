//! `text_search`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::reply::{self, lean};
use super::super::{Context, Hints, Right, Spec};
use crate::error::{Error, Result};
use crate::site::address::shown;
use crate::site::text::{self, How, Match, SearchQuery};

/// Most matches in a reply.
const MAX_LIMIT: i64 = 500;
/// Most lines around each.
const MAX_CONTEXT: i64 = 10;

pub(super) const SEARCH: Spec = Spec {
    name: "text_search",
    title: "Search",
    description: "Finds text or a pattern in pages, themes, data, settings. Replies totals and excerpts with path and line.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `text_search`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextSearch {
    /// Text to find.
    #[schemars(length(min = 1), example = &"colour")]
    query: String,
    /// A pattern.
    #[serde(default)]
    regex: bool,
    /// Whole words.
    #[serde(default)]
    word: bool,
    /// Heed case.
    #[serde(default)]
    case: bool,
    /// Pages, sections, globs, theme, data, config; default pages.
    #[serde(default)]
    #[schemars(example = ["/blog/", "docs/**/*.md", "theme"])]
    scope: Vec<String>,
    /// Lines around.
    #[schemars(example = 2)]
    context: Option<i64>,
    /// Default 50.
    #[schemars(example = 50)]
    limit: Option<i64>,
    /// next_cursor.
    cursor: Option<String>,
}

pub(super) fn search(context: &Context, asked: TextSearch) -> Result<Value> {
    let query = SearchQuery {
        text: asked.query,
        how: How { regex: asked.regex, word: asked.word, case: asked.case },
        scope: asked.scope,
        context: bounded("context", asked.context, 0, MAX_CONTEXT)?,
        limit: bounded("limit", asked.limit, 1, MAX_LIMIT)?,
        cursor: asked.cursor,
    };
    let found = text::search(&context.site, &query, &context.progress)?;
    let mut items: Vec<Value> = found.items.iter().map(item).collect();
    let fitting = reply::fitting(&items);
    let more = found.more || fitting < items.len();
    items.truncate(fitting);
    let next_cursor = fitting.checked_sub(1).filter(|_| more).map(|last| found.items[last].cursor());
    Ok(json!({"total": found.total, "files": found.files, "items": items, "next_cursor": next_cursor}))
}

fn item(found: &Match) -> Value {
    lean(json!({
        "path": shown(&found.path),
        "url": found.url,
        "line": found.line,
        "column": found.column,
        "excerpt": found.excerpt,
        "before": found.before,
        "after": found.after,
    }))
}

/// A number within its bounds, which the list of tools does not spend bytes on; 0: not given.
pub(in crate::tools) fn bounded(field: &str, number: Option<i64>, least: i64, most: i64) -> Result<usize> {
    match number {
        None => Ok(0),
        Some(number) if (least..=most).contains(&number) => Ok(usize::try_from(number).unwrap_or_default()),
        Some(number) => Err(Error::InvalidArguments {
            field: field.into(),
            problem: format!("expected a whole number from {least} to {most}, got {number}"),
            example: format!("\"{field}\": {most}"),
        }),
    }
}
