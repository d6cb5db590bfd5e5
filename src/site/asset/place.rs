//! Names that callers give to assets: from the site's root, below `content/`, or by URL path.

use std::sync::Arc;

use super::super::address;
use super::kind::{self, AssetKind};
use crate::build;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Library, Page, PageKind, PathKind, Snapshot};

/// Where an upload goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file.
    pub(super) path: ContentPath,
    /// A page in a single file that has to become a bundle first, and its new path.
    pub(super) bundle: Option<(ContentPath, ContentPath)>,
}

/// The place of an upload.
///
/// # Errors
/// `InvalidPath`, `InvalidArguments` for what is no asset, `NotFound` for the URL of no page.
pub(super) fn target(library: &Library, name: &str) -> Result<Place> {
    let name = name.trim();
    let wrong = |problem: &str| Error::InvalidArguments {
        field: "uploads[].path".into(),
        problem: format!("`{}` {problem}", name.chars().take(100).collect::<String>()),
        example: "\"blog/hello/photo.jpg\", \"static/img/logo.png\" or \"data/team.yaml\"".into(),
    };
    if name.ends_with('/') {
        return Err(wrong("ends in a slash, and names no file"));
    }
    let path = ContentPath::parse(&rooted(library, name)?)?;
    match path.kind() {
        PathKind::Page => return Err(wrong("is a page: write it with page_write")),
        PathKind::Config => return Err(wrong("is no asset")),
        PathKind::Theme if is_theme_picture(&path) => {}
        PathKind::Theme => {
            return Err(wrong("is a theme's file: write it with theme_write; images and fonts go below its assets/"));
        }
        PathKind::ContentAsset | PathKind::Static | PathKind::Data => {}
    }
    let bundle = bundle_to_be(library, &path)?;
    Ok(Place { path, bundle })
}

/// Whether it is what no text can be, below the assets of a theme that is no frozen copy: an image or a font.
fn is_theme_picture(path: &ContentPath) -> bool {
    let mut parts = path.as_str().splitn(4, '/').skip(1);
    let (theme, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let kind = kind::of_name(path.file_name()).kind;
    !theme.contains('@') && folder == "assets" && matches!(kind, AssetKind::Image | AssetKind::Font)
}

/// The path from the site's root that a name stands for.
fn rooted(library: &Library, name: &str) -> Result<String> {
    if ["content/", "static/", "data/", "themes/"].iter().any(|root| name.starts_with(root)) {
        return Ok(name.to_owned());
    }
    let Some((folder, file)) = name.strip_prefix('/').map(|rest| rest.rsplit_once('/').unwrap_or(("", rest))) else {
        return Ok(format!("content/{name}"));
    };
    let url = if folder.is_empty() { "/".to_owned() } else { format!("/{folder}/") };
    let page = &library.pages[address::page(library, &url)?];
    Ok(format!("{}/{file}", assets_of(page)))
}

/// The folder that holds, or would hold, a page's assets.
fn assets_of(page: &Page) -> &str {
    if is_single_file(page) {
        let path = page.path.as_str();
        return path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    }
    page.path.folder()
}

fn is_single_file(page: &Page) -> bool {
    page.kind == PageKind::Page && !page.path.file_name().starts_with("index.")
}

/// The single-file page in whose bundle a path would lie, with the path it has as a bundle.
fn bundle_to_be(library: &Library, path: &ContentPath) -> Result<Option<(ContentPath, ContentPath)>> {
    let mut folder = path.folder();
    while path.kind() == PathKind::ContentAsset && folder.contains('/') {
        let has = |name: &str| library.by_path.contains_key(format!("{folder}/{name}").as_str());
        if has("index.md") || has("_index.md") || library.sections.contains_key(folder) {
            return Ok(None);
        }
        if let Some(&index) = library.by_path.get(format!("{folder}.md").as_str()) {
            let to = ContentPath::parse(&format!("{folder}/index.md"))?;
            return Ok(Some((library.pages[index].path.clone(), to)));
        }
        folder = folder.rsplit_once('/').map_or("", |(up, _)| up);
    }
    Ok(None)
}

/// An existing asset by any of its names.
///
/// # Errors
/// `NotFound` with near matches, `InvalidPath`.
pub(super) fn existing(snapshot: &Snapshot, library: &Library, name: &str) -> Result<ContentPath> {
    let name = name.trim();
    let there = |path: &str| snapshot.get_str(path).is_some().then(|| ContentPath::from_disk(path)).transpose();
    let plain = name.trim_start_matches('/');
    for candidate in [plain.to_owned(), format!("content/{plain}"), format!("static/{plain}")] {
        if let Some(path) = there(&candidate)?.filter(is_asset) {
            return Ok(path);
        }
    }
    let by_url = |page: &Arc<Page>| page.assets.iter().find(|asset| build::asset_url(page, asset) == name).cloned();
    if let Some(path) = library.pages.iter().find_map(by_url).filter(|_| name.starts_with('/')) {
        return Ok(path);
    }
    // A path that may not be named at all says so, rather than "not found".
    let rooted = ["content/", "static/", "data/"].iter().any(|root| plain.starts_with(root));
    ContentPath::parse(&if rooted { plain.to_owned() } else { format!("content/{plain}") })?;
    Err(Error::NotFound { kind: "asset", name: name.to_owned(), near: near(snapshot, plain) })
}

/// Whether a path is one of what these tools are about.
pub(super) fn is_asset(path: &ContentPath) -> bool {
    matches!(path.kind(), PathKind::ContentAsset | PathKind::Static | PathKind::Data)
}

fn near(snapshot: &Snapshot, name: &str) -> Vec<String> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let wanted = last(name);
    let mut scored: Vec<(u32, &ContentPath)> = snapshot
        .iter()
        .map(|(path, _)| path)
        .filter(|path| is_asset(path))
        .filter_map(|path| {
            let found = last(path.as_str());
            // Length bounds the likeness: most names are ruled out without comparing a character.
            let close = found.len().abs_diff(wanted.len()) <= wanted.len() / 2 + 1;
            let score =
                if close { (similar::TextDiff::from_chars(&wanted, &found).ratio() * 1000.0) as u32 } else { 0 };
            (score >= 600).then_some((score, path))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, path)| path.to_string()).collect()
}

/// The page beside which an upload lies, as it will be: the nearest bundle or section above it.
pub(super) fn owner(library: &Library, place: &Place) -> Option<Page> {
    if let Some((from, to)) = &place.bundle {
        let mut page = Page::clone(&library.pages[*library.by_path.get(from)?]);
        page.path = to.clone();
        return Some(page);
    }
    let mut folder = place.path.folder();
    while place.path.kind() == PathKind::ContentAsset && !folder.is_empty() {
        let own = |name: &str| library.by_path.get(format!("{folder}/{name}").as_str()).map(|&at| &library.pages[at]);
        let bundle = own("index.md").filter(|page| page.kind == PageKind::Page);
        if let Some(page) = bundle.or_else(|| own("_index.md")) {
            return Some(Page::clone(page));
        }
        folder = folder.rsplit_once('/').map_or("", |(up, _)| up);
    }
    None
}

/// The URL path an upload will have; `None`: it is no part of the output.
pub(super) fn url(owner: Option<&Page>, path: &ContentPath) -> Option<String> {
    match path.kind() {
        PathKind::Static => path.as_str().strip_prefix("static").map(str::to_owned),
        PathKind::ContentAsset => owner.map(|page| build::asset_url(page, path)),
        PathKind::Theme => path.as_str().splitn(3, '/').nth(2).map(|inner| format!("/{inner}")),
        _ => None,
    }
}
