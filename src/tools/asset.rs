//! `asset_list`, `asset_write`, `asset_delete`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, lean};
use super::{Context, Edited, Hints, Right, Spec, Tool};
use crate::error::{Error, Result};
use crate::site::asset::{self, AssetItem, AssetQuery, AssetRemoval, Source, Stored};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(LIST, list), Tool::editing(WRITE, write), Tool::editing(DELETE, delete)]
}

const LIST: Spec = Spec {
    name: "asset_list",
    title: "List assets",
    description: "Lists images and other files. Replies url, size, etag, how many pages use each.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `asset_list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AssetList {
    /// Folder, page or glob (`**/*.png`).
    #[schemars(example = "static/img/*.png")]
    path: Option<String>,
    /// Only files nothing names.
    #[serde(default)]
    unused: bool,
    /// Default 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<usize>,
    /// next_cursor.
    cursor: Option<String>,
}

fn list(context: &Context, asked: AssetList) -> Result<Value> {
    let query = AssetQuery {
        path: asked.path,
        unused: asked.unused,
        limit: asked.limit.unwrap_or_default(),
        cursor: asked.cursor,
        progress: context.progress.clone(),
    };
    let listing = asset::list(&context.site, &query)?;
    let mut items: Vec<Value> = listing.items.iter().map(item).collect();
    let fit = reply::fitting(&items);
    let cut = fit < items.len();
    items.truncate(fit);
    let next_cursor = if cut { Some(listing.items[fit - 1].path.to_string()) } else { listing.next_cursor };
    Ok(json!({"total": listing.total, "bytes": listing.bytes, "items": items, "next_cursor": next_cursor}))
}

fn item(item: &AssetItem) -> Value {
    lean(json!({
        "path": item.path,
        "url": item.url,
        "bytes": item.bytes,
        "type": item.mime,
        "px": item.pixels.map(|(width, height)| format!("{width}x{height}")),
        "used_by": item.used_by,
        "etag": item.etag.to_string(),
    }))
}

const WRITE: Spec = Spec {
    name: "asset_write",
    title: "Upload assets",
    description: "Uploads images and files beside a page, into static/ or data/. Replies url, etag, size, a Markdown line.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: true },
    right: Right::Media,
};

/// Arguments of `asset_write`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AssetWrite {
    /// All or none.
    #[schemars(length(min = 1))]
    uploads: Vec<Upload>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Upload {
    /// `blog/hello/a.jpg`, `static/a.svg`, `themes/x/assets/a.woff`.
    #[schemars(length(min = 1), example = "static/notes.txt")]
    path: String,
    /// Where to fetch it; or:
    #[schemars(example = "https://example.org/photo.jpg")]
    url: Option<String>,
    /// its bytes; or:
    #[schemars(example = "iVBORw0KGgo=")]
    base64: Option<String>,
    /// its text; or:
    text: Option<String>,
    /// a local file in an allowed folder.
    #[schemars(example = "photo.jpg")]
    file: Option<String>,
    /// Alternative text of an image.
    alt: Option<String>,
    /// etag, to replace.
    #[schemars(example = "*")]
    if_match: Option<String>,
}

fn write(context: &Context, asked: AssetWrite) -> Result<Edited> {
    if asked.uploads.iter().any(|upload| upload.url.is_some()) {
        context.need(Right::Fetch, "asset_write with url")?;
    }
    if asked.uploads.iter().any(|upload| upload.path.trim().starts_with("themes/")) {
        context.need(Right::Theme, "asset_write below themes/")?;
    }
    let uploads: Vec<asset::Upload> = asked.uploads.into_iter().map(upload).collect::<Result<_>>()?;
    let call = context.call(asked.message, asked.dry_run);
    let done = asset::write(&context.site, &call, &uploads)?;
    let mut reply = reply::written(&done.written, false);
    if let Value::Object(fields) = &mut reply {
        let uploads: Vec<Value> = done.stored.iter().map(stored).collect();
        fields.shift_insert(usize::from(done.written.revision.is_some()), "uploads".into(), uploads.into());
    }
    Ok(Edited { reply, written: done.written })
}

/// Exactly one source.
fn upload(upload: Upload) -> Result<asset::Upload> {
    let mut sources: Vec<Source> = [
        upload.url.map(Source::Url),
        upload.base64.map(Source::Base64),
        upload.text.map(Source::Text),
        upload.file.map(Source::File),
    ]
    .into_iter()
    .flatten()
    .collect();
    match (sources.pop(), sources.is_empty()) {
        (Some(source), true) => {
            Ok(asset::Upload { path: upload.path, source, alt: upload.alt, if_match: upload.if_match })
        }
        (found, _) => Err(Error::InvalidArguments {
            field: "uploads".into(),
            problem: format!(
                "`{}` has {} of url, base64, text and file, expected exactly one",
                upload.path.chars().take(100).collect::<String>(),
                if found.is_some() { "several" } else { "none" },
            ),
            example: "{\"path\": \"static/img/logo.png\", \"url\": \"https://example.org/logo.png\"}".into(),
        }),
    }
}

fn stored(stored: &Stored) -> Value {
    lean(json!({
        "path": stored.path,
        "url": stored.url,
        "bytes": stored.bytes,
        "type": stored.mime,
        "width": stored.pixels.map(|(width, _)| width),
        "height": stored.pixels.map(|(_, height)| height),
        "etag": stored.etag.to_string(),
        "markdown": stored.markdown,
        "note": stored.note,
    }))
}

const DELETE: Spec = Spec {
    name: "asset_delete",
    title: "Delete assets",
    description: "Deletes images and other files. Replies what changed and who still uses them.",
    hints: Hints { read_only: false, destructive: true, idempotent: false, open_world: false },
    right: Right::Media,
};

/// Arguments of `asset_delete`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AssetDelete {
    #[schemars(length(min = 1))]
    assets: Vec<Named>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    #[schemars(length(min = 1), example = "static/img/logo.png")]
    path: String,
    #[schemars(example = "*")]
    if_match: Option<String>,
}

fn delete(context: &Context, asked: AssetDelete) -> Result<Edited> {
    let assets: Vec<AssetRemoval> =
        asked.assets.into_iter().map(|asset| AssetRemoval { path: asset.path, if_match: asset.if_match }).collect();
    let call = context.call(asked.message, asked.dry_run);
    Ok(Edited::new(asset::remove(&context.site, &call, &assets)?, false))
}
