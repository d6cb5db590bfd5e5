//! `page_write`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::replacement::Replacement;
use super::super::{Context, Edited, Hints, Right, Spec};
use crate::error::{Error, Result};
use crate::site::page::{self, ListQuery, PageEdit, Select};

pub(super) const WRITE: Spec = Spec {
    name: "page_write",
    title: "Write pages",
    description: "Creates or changes pages, all or nothing, as one unpublished revision. Prefer edits and front_matter; \
        replacing a whole body needs if_match. Replies revision and per page url, etag, diff, diagnostics, html if included.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: false },
    right: Right::Content,
};

/// Arguments of `page_write`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageWrite {
    /// The pages; this or select.
    #[serde(default)]
    pages: Vec<Edit>,
    /// Patches many pages, found as by page_list.
    select: Option<Selection>,
    /// html: the rendered content.
    #[serde(default)]
    include: Vec<Extra>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// `/blog/hello/` or `blog/hello.md`; to create, the latter.
    #[schemars(length(min = 1), example = "blog/hello.md")]
    path: String,
    /// Merge patch; null deletes a key.
    #[schemars(example = serde_json::json!({"title": "Hello", "tags": ["rust"]}))]
    front_matter: Option<Map<String, Value>>,
    /// The whole Markdown body.
    #[schemars(example = "Some *Markdown*.\n")]
    body: Option<String>,
    /// Replacements in order.
    #[serde(default)]
    edits: Vec<Replacement>,
    /// etag from page_get, or `*`.
    #[schemars(example = "*")]
    if_match: Option<String>,
    /// New page.
    #[serde(default)]
    create: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Selection {
    #[schemars(example = &"blog")]
    section: Option<String>,
    #[schemars(example = "blog/2026-*.md")]
    glob: Option<String>,
    #[schemars(example = "tags:rust")]
    term: Option<String>,
    /// Patch for each.
    #[schemars(example = serde_json::json!({"draft": true}))]
    front_matter: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Extra {
    Html,
}

pub(super) fn write(context: &Context, asked: PageWrite) -> Result<Edited> {
    let edits: Vec<PageEdit> = asked
        .pages
        .into_iter()
        .map(|edit| PageEdit {
            path: edit.path,
            front_matter: edit.front_matter,
            body: edit.body,
            edits: edit.edits.into_iter().map(Into::into).collect(),
            if_match: edit.if_match,
            create: edit.create,
        })
        .collect();
    let many = match asked.select {
        Some(Selection { section: None, glob: None, term: None, .. }) => {
            return Err(Error::InvalidArguments {
                field: "select".into(),
                problem: "expected `section`, `glob` or `term`, got none of them".into(),
                example: "\"select\": {\"section\": \"blog\", \"front_matter\": {\"draft\": true}}".into(),
            });
        }
        Some(many) => {
            let Selection { section, glob, term, front_matter } = many;
            Some(Select { query: ListQuery { section, glob, term, ..ListQuery::default() }, front_matter })
        }
        None => None,
    };
    let call = context.call(asked.message, asked.dry_run);
    let written = page::write(&context.site, &call, &edits, many.as_ref())?;
    Ok(Edited::new(written, asked.include.contains(&Extra::Html)))
}
