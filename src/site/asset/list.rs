//! Lists assets: by folder, page or pattern, with size in pixels and how often each is used.

use super::super::page::wildcard;
use super::super::{Site, address};
use super::kind::of_name;
use super::used::Uses;
use super::{measure, place};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, File, Library, PathKind, Progress, Snapshot};

/// Items where the caller names no limit.
const DEFAULT_LIMIT: usize = 50;
/// Items at most.
const MAX_LIMIT: usize = 200;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct AssetQuery {
    /// A folder, page, section or pattern; `None`: everything.
    pub path: Option<String>,
    /// Only what nothing names.
    pub unused: bool,
    /// Items at most, 1 to 200; 0: 50.
    pub limit: usize,
    /// Where the last list ended.
    pub cursor: Option<String>,
    /// Who follows the call.
    pub progress: Progress,
}

/// One asset.
#[derive(Debug, Clone)]
pub struct AssetItem {
    /// Its file.
    pub path: ContentPath,
    /// URL path, where it is part of the output.
    pub url: Option<String>,
    /// Size in bytes.
    pub bytes: u64,
    /// Media type by its name.
    pub mime: &'static str,
    /// Width and height in pixels, as it is shown.
    pub pixels: Option<(u32, u32)>,
    /// Blob id.
    pub etag: BlobId,
    /// How many files name it; `None` for data files, which templates read by name.
    pub used_by: Option<usize>,
}

/// One part of a list.
#[derive(Debug, Clone)]
pub struct AssetListing {
    /// Assets in all parts together.
    pub total: usize,
    /// Bytes of all of them.
    pub bytes: u64,
    /// This part.
    pub items: Vec<AssetItem>,
    /// Hand this back for the next part; `None`: this was the last.
    pub next_cursor: Option<String>,
}

/// Lists the assets of the working tree, in path order.
///
/// # Errors
/// `NotFound` for a folder or page that does not exist, `InvalidArguments` for a cursor of another list.
pub fn list(site: &Site, query: &AssetQuery) -> Result<AssetListing> {
    let (snapshot, built) = site.working_followed(&query.progress)?;
    let library = &built.library;
    let wanted = query.path.as_deref().map(|name| Wanted::of(&snapshot, library, name)).transpose()?;
    let uses = Uses::of(&snapshot, library);
    let mut all: Vec<(&ContentPath, &File)> = snapshot
        .iter()
        .filter(|(path, _)| place::is_asset(path))
        .filter(|(path, _)| wanted.as_ref().is_none_or(|wanted| wanted.has(path)))
        .collect();
    if query.unused {
        all.retain(|(path, _)| used_by(&uses, path) == Some(0));
    }
    let start = match &query.cursor {
        None => 0,
        Some(cursor) => 1 + all.iter().position(|(path, _)| path.as_str() == cursor).ok_or_else(wrong_cursor)?,
    };
    let limit = if query.limit == 0 { DEFAULT_LIMIT } else { query.limit.min(MAX_LIMIT) };
    let items: Vec<AssetItem> =
        all.iter().skip(start).take(limit).map(|(path, file)| item(site, &uses, path, file)).collect();
    for item in &items {
        site.effects().read(&item.path, Some(item.etag));
    }
    let more = start + items.len() < all.len();
    let next_cursor = items.last().filter(|_| more).map(|item| item.path.to_string());
    Ok(AssetListing { total: all.len(), bytes: all.iter().map(|(_, file)| file.size).sum(), items, next_cursor })
}

fn wrong_cursor() -> Error {
    Error::InvalidArguments {
        field: "cursor".into(),
        problem: "it does not belong to this list, or its asset is gone".into(),
        example: "leave `cursor` out to start again".into(),
    }
}

fn item(site: &Site, uses: &Uses, path: &ContentPath, file: &File) -> AssetItem {
    AssetItem {
        path: path.clone(),
        url: uses.url(path),
        bytes: file.size,
        mime: of_name(path.file_name()).mime,
        // A file that went away meanwhile is listed without its size in pixels.
        pixels: measure::pixels(site, path, file),
        etag: file.id,
        used_by: used_by(uses, path),
    }
}

fn used_by(uses: &Uses, path: &ContentPath) -> Option<usize> {
    (path.kind() != PathKind::Data).then(|| uses.by(path).len())
}

/// Which paths a caller means.
enum Wanted {
    Below(String),
    Pattern(String),
}

impl Wanted {
    fn of(snapshot: &Snapshot, library: &Library, name: &str) -> Result<Self> {
        let name = name.trim();
        let plain = name.trim_matches('/');
        if name.contains(['*', '?']) {
            return Ok(Self::Pattern(plain.to_owned()));
        }
        let first = plain.split('/').next().unwrap_or_default();
        if ["content", "static", "data"].contains(&first) {
            return Self::folder(snapshot, plain).ok_or_else(|| Self::none(snapshot, name));
        }
        if plain.is_empty() {
            return Ok(Self::Below("content".into()));
        }
        if let Some(found) = Self::folder(snapshot, &format!("content/{plain}")) {
            return Ok(found);
        }
        if let Ok(index) = address::page(library, name) {
            return Ok(Self::Below(library.pages[index].path.folder().to_owned()));
        }
        Self::folder(snapshot, &format!("static/{plain}")).ok_or_else(|| Self::none(snapshot, name))
    }

    fn folder(snapshot: &Snapshot, folder: &str) -> Option<Self> {
        let known = snapshot.under(folder).next().is_some() || ["content", "static", "data"].contains(&folder);
        known.then(|| Self::Below(folder.to_owned()))
    }

    fn none(snapshot: &Snapshot, name: &str) -> Error {
        let mut near: Vec<String> = snapshot
            .iter()
            .filter(|(path, _)| place::is_asset(path))
            .map(|(path, _)| path.folder().to_owned())
            .filter(|folder| similar::TextDiff::from_chars(folder.as_str(), name).ratio() > 0.6)
            .collect();
        near.dedup();
        near.truncate(3);
        Error::NotFound { kind: "folder", name: name.to_owned(), near }
    }

    fn has(&self, path: &ContentPath) -> bool {
        match self {
            Self::Below(folder) => {
                path.as_str().strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
            }
            Self::Pattern(pattern) => {
                let inside = path.as_str().strip_prefix("content/");
                wildcard(pattern, path.as_str()) || inside.is_some_and(|inside| wildcard(pattern, inside))
            }
        }
    }
}
