//! `page_move` and `page_delete`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Context, Edited, Hints, Right, Spec};
use crate::error::Result;
use crate::site::page::{self, How, Move, Removal};

pub(super) const MOVE: Spec = Spec {
    name: "page_move",
    title: "Move pages",
    description: "Moves or renames pages, bundles or sections and rewrites links to them; old URLs redirect. Replies what changed, new url and etag.",
    hints: Hints { read_only: false, destructive: false, idempotent: false, open_world: false },
    right: Right::Content,
};

/// Arguments of `page_move`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageMove {
    #[schemars(length(min = 1))]
    moves: Vec<OneMove>,
    /// Keep old URLs working; default true.
    redirect: Option<bool>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneMove {
    /// URL or content path.
    #[schemars(length(min = 1), example = "/blog/hello/")]
    from: String,
    /// New content path; a section ends in `_index.md`.
    #[schemars(length(min = 1), example = "notes/hello.md")]
    to: String,
    if_match: Option<String>,
}

pub(super) fn relocate(context: &Context, asked: PageMove) -> Result<Edited> {
    let moves: Vec<Move> =
        asked.moves.into_iter().map(|one| Move { from: one.from, to: one.to, if_match: one.if_match }).collect();
    let call = context.call(asked.message, asked.dry_run);
    let how = How { redirect: asked.redirect.unwrap_or(true), menus: context.rights.allow(Right::Config) };
    let written = page::relocate(&context.site, &call, &moves, how)?;
    Ok(Edited::new(written, false))
}

pub(super) const DELETE: Spec = Spec {
    name: "page_delete",
    title: "Delete pages",
    description: "Deletes pages with their bundle's assets; undo with revision_restore. Needs each etag. Replies what changed and links that break. To hide a page set draft: true.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: false },
    right: Right::Content,
};

/// Arguments of `page_delete`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageDelete {
    #[schemars(length(min = 1))]
    pages: Vec<Named>,
    /// Where their URLs lead: a page or an address.
    #[schemars(example = "/blog/")]
    redirect_to: Option<String>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// URL or content path.
    #[schemars(length(min = 1), example = "/blog/hello/")]
    path: String,
    /// etag from page_get, or `*`.
    #[schemars(example = "*")]
    if_match: Option<String>,
}

pub(super) fn delete(context: &Context, asked: PageDelete) -> Result<Edited> {
    let pages: Vec<Removal> =
        asked.pages.into_iter().map(|page| Removal { path: page.path, if_match: page.if_match }).collect();
    let call = context.call(asked.message, asked.dry_run);
    let written = page::remove(&context.site, &call, &pages, asked.redirect_to.as_deref())?;
    Ok(Edited::new(written, false))
}
