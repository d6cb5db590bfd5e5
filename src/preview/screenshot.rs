//! Screenshots of previewed pages: a browser is handed the build's own files as the site's host would send them.

use std::sync::Arc;

use axum::http::HeaderMap;

use super::content_type;
use super::headers::HeaderRules;
use super::lookup::{self, Found};
use super::previews::Source;
use crate::error::{Error, Result};
use crate::model::{Data, File, OutputData, Progress};
// What callers of this module hold and get, so that they need not know the world beyond.
pub use crate::outside::browser::{Browser, Look, Shot};
use crate::site::Site;
use crate::site::preview::{Files, Preview};

/// Bytes of all pictures of one call: they travel as text, a third longer, and clients take a megabyte.
const PICTURES: usize = 740_000;

/// Pictures of the pages of a preview made with [`crate::site::preview::Form::Files`], in their order.
///
/// # Errors
/// Those of [`Browser::shoot`].
pub fn screenshots(
    browser: &Browser,
    site: &Site,
    preview: &Preview,
    look: Look,
    progress: &Progress,
) -> Result<Vec<Shot>> {
    let files = preview.files.as_ref().ok_or_else(|| Error::internal("a preview without files"))?;
    let home = files.base_url.trim_end_matches('/');
    let urls: Vec<String> = preview.pages.iter().map(|page| format!("{home}{}", page.url)).collect();
    let headers = HeaderRules::parse(&String::from_utf8_lossy(&bytes(site, files, "_headers").unwrap_or_default()));
    let answer = |url: &str| answer(site, files, &headers, url);
    browser.shoot(&urls, look, PICTURES / urls.len().max(1), &answer, progress)
}

/// What the site's host would answer; `None` for an address of another host.
fn answer(site: &Site, files: &Files, rules: &HeaderRules, url: &str) -> Option<crate::outside::browser::Answer> {
    let path = url.strip_prefix(&files.base_url)?.split(['?', '#']).next()?;
    let path = lookup::percent_decode(path)?;
    let (status, file) = match lookup::find(&files.outputs, &path) {
        Found::File(file) => (200, file),
        // A browser shows the same under both addresses.
        Found::AddSlash => return answer(site, files, rules, &format!("{}{path}/", files.base_url)),
        Found::Missing(_) => return None,
    };
    let body = bytes(site, files, file)?;
    let mut headers = HeaderMap::new();
    rules.apply(&format!("/{path}"), &mut headers);
    let own = [("content-type".to_owned(), content_type::of(file))];
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.to_string(), value.to_str().ok()?.to_owned()))
    };
    let headers = own.into_iter().chain(headers.iter().filter_map(text)).collect();
    Some(crate::outside::browser::Answer { status, headers, body })
}

fn bytes(site: &Site, files: &Files, output: &str) -> Option<Arc<[u8]>> {
    match &files.outputs.get(output)?.data {
        OutputData::Bytes(bytes) => Some(Arc::clone(bytes)),
        OutputData::Copy(path, id) => match files.snapshot.get(path).filter(|file| file.id == *id) {
            Some(File { data: Data::Loaded(bytes), .. }) => Some(Arc::clone(bytes)),
            Some(file) => Source::bytes(site, path, file).ok(),
            None => None,
        },
    }
}
