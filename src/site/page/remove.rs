//! Deletes pages, with their bundle's assets, and says which links break.

use super::super::edit::{self, Staged, Written};
use super::super::etag::{self, IfMatch};
use super::super::expand::bundle_assets;
use super::super::{Call, Site, address};
use crate::build::Built;
use crate::error::{Error, Result};
use crate::model::{ContentPath, PageKind, PathKind, Snapshot, front_matter};
use crate::store::Transaction;

/// A page to delete.
#[derive(Debug, Clone)]
pub struct Removal {
    /// URL path or content path.
    pub path: String,
    /// Etag the caller read; `*`: delete whatever is there.
    pub if_match: Option<String>,
}

/// Deletes pages in one revision. `redirect_to` makes their URLs lead to an existing page (an alias there) or to another
/// address (a redirect in `site.yaml`).
///
/// # Errors
/// `NotFound`, `Conflict` for a stale etag, `InvalidArguments` where the etag is missing.
pub fn remove(site: &Site, call: &Call, pages: &[Removal], redirect_to: Option<&str>) -> Result<Written> {
    let mut footprint = edit::footprint([PathKind::Page, PathKind::ContentAsset]);
    if redirect_to.is_some() {
        footprint = edit::footprint([PathKind::Page, PathKind::ContentAsset, PathKind::Config]);
    }
    let live = etag::undecided(site)?;
    edit::run(site, call, &footprint, |transaction, before| {
        let mut gone = Vec::new();
        let mut staged = Staged::new(String::new());
        for removal in pages {
            let index = address::page(&before.library, &removal.path)?;
            let page = &before.library.pages[index];
            if !page.exists {
                return Err(address::not_found(&before.library, &removal.path));
            }
            check_etag(site, transaction, live.as_deref(), &page.path, removal, &mut staged)?;
            if page.kind != PageKind::Page {
                check_empty(before, index)?;
            }
            gone.push(index);
        }
        staged.message = message(before, &gone);
        for &index in &gone {
            let page = &before.library.pages[index];
            for asset in bundle_assets(transaction.base(), &page.path) {
                transaction.stage(asset, None)?;
            }
            transaction.stage(page.path.clone(), None)?;
            staged.notes.extend(broken_links(before, index, &gone, redirect_to.is_some()));
        }
        if let Some(target) = redirect_to {
            let urls: Vec<String> = gone.iter().map(|&index| before.library.pages[index].url.clone()).collect();
            redirect(transaction, before, &urls, target, &gone, &mut staged)?;
        }
        Ok(staged)
    })
}

fn message(before: &Built, gone: &[usize]) -> String {
    match gone {
        [one] => format!("Delete {}", address::shown(&before.library.pages[*one].path)),
        many => format!("Delete {} pages", many.len()),
    }
}

fn check_etag(
    site: &Site,
    transaction: &Transaction<'_>,
    live: Option<&Snapshot>,
    path: &ContentPath,
    removal: &Removal,
    staged: &mut Staged,
) -> Result<()> {
    let current = transaction.base().get(path).map(|file| file.id);
    let Some(if_match) = removal.if_match.as_deref().map(IfMatch::parse).transpose()? else {
        return Err(IfMatch::missing(path, &removal.path, current, "deleting"));
    };
    if if_match.stands(site, path, current, live, staged)? {
        return Ok(());
    }
    Err(if_match.stale(path, current, String::new()))
}

/// A section's own page may go only with its pages, or its URL would silently become an empty list.
fn check_empty(before: &Built, index: usize) -> Result<()> {
    let page = &before.library.pages[index];
    // Without its translation a section is called as in the site's own language.
    if page.variant {
        return Ok(());
    }
    let folder = page.path.folder();
    let inside = before.library.sections.get(folder).map_or(0, |section| section.pages.len());
    if inside == 0 {
        return Ok(());
    }
    Err(Error::InvalidArguments {
        field: "pages".into(),
        problem: format!("section {folder} still has {inside} pages"),
        example: "move or delete its pages first, or write the section's body instead".into(),
    })
}

fn broken_links(before: &Built, index: usize, gone: &[usize], redirected: bool) -> Option<String> {
    let linking: Vec<&str> = before
        .library
        .backlinks
        .get(&index)
        .into_iter()
        .flatten()
        .filter(|at| !gone.contains(at))
        .map(|&at| address::shown(&before.library.pages[at].path))
        .collect();
    if linking.is_empty() {
        return None;
    }
    let what =
        if redirected { "still linked (content-path links break, URL links redirect)" } else { "links that now break" };
    Some(format!("{}: {what} in {}", before.library.pages[index].url, linking.join(", ")))
}

fn redirect(
    transaction: &mut Transaction<'_>,
    before: &Built,
    urls: &[String],
    target: &str,
    gone: &[usize],
    staged: &mut Staged,
) -> Result<()> {
    let patched = match address::page(&before.library, target) {
        Ok(index) if gone.contains(&index) => {
            return Err(Error::InvalidArguments {
                field: "redirect_to".into(),
                problem: format!("{target} is deleted by the same call"),
                example: "{\"redirect_to\": \"/blog/\"}".into(),
            });
        }
        Ok(index) if before.library.pages[index].exists => {
            let page = &before.library.pages[index];
            let text = transaction.staged().text(page.path.as_str()).unwrap_or_default().to_owned();
            let patch = alias_patch(&page.aliases, urls);
            (page.path.clone(), front_matter::patch(page.path.as_str(), &text, &patch)?)
        }
        Err(error) if !target.starts_with("http://") && !target.starts_with("https://") => return Err(error),
        _ => {
            let path = ContentPath::from_disk("site.yaml")?;
            let text = transaction.staged().text("site.yaml").unwrap_or_default().to_owned();
            let entries = urls.iter().map(|url| (url.clone(), target.into())).collect();
            let patch = [("redirects".to_owned(), serde_json::Value::Object(entries))].into_iter().collect();
            (path, front_matter::patch_yaml("site.yaml", &text, &patch)?)
        }
    };
    transaction.stage(patched.0, Some(patched.1.into_bytes()))?;
    staged.notes.push(format!("{} now redirect to {target}", urls.join(", ")));
    Ok(())
}

/// A patch that adds URLs to a page's aliases.
pub(super) fn alias_patch(aliases: &[String], urls: &[String]) -> serde_json::Map<String, serde_json::Value> {
    let mut all: Vec<String> = aliases.to_vec();
    for url in urls {
        if !all.contains(url) {
            all.push(url.clone());
        }
    }
    [("aliases".to_owned(), all.into())].into_iter().collect()
}
