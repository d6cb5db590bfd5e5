//! Resources: the configuration, pages, assets and theme files as addresses a client can list, read and complete.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, CompletionInfo, ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate,
};
use serde_json::json;

use super::{improve, uri};
use crate::error::{Error, Result};
use crate::site::Site;
use crate::site::resource::{self, Contents, Wanted};
use crate::tools::Refusal;

/// Resources in one answer.
const PAGE: usize = 500;
/// Templates never change while a server runs.
const TEMPLATES_TTL_MS: u64 = 3_600_000;
/// A page by its file.
pub(super) const CONTENT: &str = "site:///content/{+path}";
/// A theme's file.
pub(super) const THEME: &str = "site:///themes/{+path}";
/// Any file.
const ANY: &str = "site:///{+path}";

/// One part of the list. The cursor is the address before: it stays right when files come and go.
pub(super) fn list(site: &Site, cursor: Option<&str>) -> Result<ListResourcesResult, ErrorData> {
    let all = resource::list(site).map_err(refused)?;
    let mut listed = Vec::new();
    if cursor.is_none() {
        let about = "What publish would make live, as a unified difference.";
        let diff = Resource::new(uri::UNPUBLISHED, "unpublished.diff").with_title("Unpublished changes");
        listed.push(diff.with_description(about).with_mime_type("text/x-diff"));
        for set in site.repository().change_sets().map_err(refused)? {
            let name = format!("{}{}", uri::CHANGE_SETS, set.id);
            let title = set.purpose.lines().next().unwrap_or_default().to_owned();
            let diff = Resource::new(uri::of(&name), name).with_title(title).with_mime_type("text/x-diff");
            listed.push(diff.with_description("What this change set would make live, as a unified difference."));
        }
        listed.extend(improve::list(site).map_err(refused)?);
    }
    let after = match cursor {
        Some(cursor) => Some(uri::path(cursor).ok_or_else(|| {
            ErrorData::invalid_params("the cursor is of no list of resources; leave it out to begin again", None)
        })?),
        None => None,
    };
    let rest: Vec<_> = all.iter().filter(|file| after.as_ref().is_none_or(|after| file.path > *after)).collect();
    listed.extend(rest.iter().take(PAGE).map(|file| {
        let mut one = Resource::new(uri::of(&file.path), file.path.clone())
            .with_mime_type(mime(&file.path))
            .with_size(file.bytes);
        one.title.clone_from(&file.title);
        one.description.clone_from(&file.url);
        one
    }));
    let next = rest.get(PAGE - 1).filter(|_| rest.len() > PAGE).map(|last| uri::of(&last.path));
    let mut result = ListResourcesResult::with_all_items(listed).with_ttl_ms(0).with_cache_scope(CacheScope::Private);
    result.next_cursor = next;
    Ok(result)
}

/// What addresses are made of.
pub(super) fn templates() -> ListResourceTemplatesResult {
    let template = |uri: &str, name: &str, title: &str, about: &str| {
        ResourceTemplate::new(uri, name).with_title(title).with_description(about)
    };
    let all = vec![
        template(CONTENT, "page", "Page", "A page's file: front matter and body, such as blog/hello.md.")
            .with_mime_type("text/markdown"),
        template(
            THEME,
            "theme_file",
            "Theme file",
            "A theme's layout, partial, shortcode or style, such as default/layouts/page.html.",
        ),
        template(
            ANY,
            "file",
            "File",
            "Any file of the site, from its root: site.yaml, content/, data/, static/, themes/. Images and other assets come as \
             bytes, those over 1 MiB as a description.",
        ),
        template(
            improve::TEMPLATE,
            "improvement",
            "Improvement loop",
            "summary (what was measured), briefs/br-0001 (a brief), metrics/1.4.0 (what calls cost on a version; or all).",
        ),
    ];
    ListResourceTemplatesResult::with_all_items(all).with_ttl_ms(TEMPLATES_TTL_MS).with_cache_scope(CacheScope::Private)
}

/// What is behind an address: text, bytes, or of a large asset what it is.
pub(super) fn read(site: &Arc<Site>, address: &str) -> Result<ReadResourceResult, ErrorData> {
    let contents = if address == uri::UNPUBLISHED {
        let text = resource::unpublished(site).map_err(refused)?;
        ResourceContents::text(text, address).with_mime_type("text/x-diff")
    } else {
        let path = uri::path(address).ok_or_else(|| not_found(address))?;
        if let Some(answer) = improve::read(site, address, &path) {
            return answer;
        }
        let missing = |error| match error {
            Error::NotFound { .. } => not_found(address),
            other => refused(other),
        };
        if let Some(id) = path.strip_prefix(uri::CHANGE_SETS) {
            let text = site.in_change_set(id).and_then(|site| resource::unpublished(&site)).map_err(missing)?;
            ResourceContents::text(text, address).with_mime_type("text/x-diff")
        } else {
            match resource::read(site, &path).map_err(missing)? {
                Contents::Text(text) => ResourceContents::text(text, address).with_mime_type(mime(&path)),
                Contents::Bytes(bytes) => {
                    ResourceContents::blob(STANDARD.encode(bytes), address).with_mime_type(mime(&path))
                }
                Contents::Large { bytes, etag, url } => {
                    let facts = json!({"path": path, "bytes": bytes, "type": mime(&path), "etag": etag.to_string(), "url": url});
                    ResourceContents::text(facts.to_string(), address).with_mime_type("application/json")
                }
            }
        }
    };
    // It can change at any moment; who wants to know subscribes.
    Ok(ReadResourceResult::new(vec![contents]).with_ttl_ms(0).with_cache_scope(CacheScope::Private))
}

/// Whether something can be at an address, now or later.
pub(super) fn is_ours(address: &str) -> bool {
    uri::path(address).is_some()
}

/// Completions of a template's variable.
pub(super) fn complete(site: &Site, template: &str, word: &str) -> Result<CompletionInfo, ErrorData> {
    let wanted = match template {
        CONTENT => Wanted::ContentFile,
        THEME => Wanted::ThemeFile,
        ANY => Wanted::AnyFile,
        // Completion is a courtesy: for what is not known there is nothing to offer.
        _ => return Ok(CompletionInfo::default()),
    };
    words(site, wanted, word)
}

/// The first completions of a word, and how many there are.
pub(super) fn words(site: &Site, wanted: Wanted, word: &str) -> Result<CompletionInfo, ErrorData> {
    let mut all = resource::complete(site, wanted, word).map_err(refused)?;
    let total = all.len();
    all.truncate(CompletionInfo::MAX_VALUES);
    let more = all.len() < total;
    CompletionInfo::with_pagination(all, u32::try_from(total).ok(), more)
        .map_err(|error| ErrorData::internal_error(error, None))
}

/// For older clients the code differs; rmcp sees to it.
pub(super) fn not_found(address: &str) -> ErrorData {
    let message = format!("no resource {}; resources/list names what there is", short(address));
    ErrorData::resource_not_found(message, Some(json!({"uri": address})))
}

/// Errors of resources and prompts are errors of the protocol, with the same facts as those of tools.
pub(super) fn refused(error: Error) -> ErrorData {
    let internal = matches!(error, Error::Internal { .. });
    let refusal = Refusal::from(error);
    let message = format!("{}. {}", refusal.message, refusal.hint);
    let data = Some(json!({"code": refusal.code}));
    if internal { ErrorData::internal_error(message, data) } else { ErrorData::invalid_params(message, data) }
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

fn mime(path: &str) -> &'static str {
    resource::media_type(path).unwrap_or("text/plain")
}
