//! The site as a client's file picker sees it: what can be read by path, what changed since, and what a path may begin with.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::{self, DiffStyle};
use super::{Site, address, theme};
use crate::error::{Error, Result};
use crate::model::media_type;
use crate::model::{BlobId, ContentPath, File, PathKind, Progress, Snapshot, Theme};
use crate::store::RevisionId;

/// Largest text that is read whole, and largest difference; tools read more, in parts.
pub const MAX_BYTES: usize = 1 << 20;

/// The media type of a resource; `None`: its name says nothing.
#[must_use]
pub fn media_type(path: &str) -> Option<&'static str> {
    if path.ends_with(".hbs") { Some("text/html") } else { media_type::of(path) }
}

/// A file that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// From the site's root, such as `content/blog/hello.md`.
    pub path: String,
    /// Of a page.
    pub title: Option<String>,
    /// URL path of a page.
    pub url: Option<String>,
    /// Size.
    pub bytes: u64,
}

/// The configuration, all pages, assets and data, and the files of the theme in use with what it extends, in path order. Of
/// a pinned theme, the files that are edited are listed too.
///
/// # Errors
/// What reading the working tree can fail with.
pub fn list(site: &Site) -> Result<Vec<Resource>> {
    let (snapshot, built) = site.working()?;
    let mut themes = theme::folders_in_use(&snapshot);
    let source = theme::Name::of(&built.library.config.theme).source;
    themes.extend(Theme::chain(&snapshot, source).into_iter().map(|theme| format!("themes/{}/", theme.name)));
    let offered = |path: &ContentPath| {
        path.kind() != PathKind::Theme || themes.iter().any(|folder| path.as_str().starts_with(folder))
    };
    let files = snapshot.iter().filter(|(path, _)| offered(path));
    let resource = |(path, file): (&ContentPath, &File)| {
        let page = built.library.by_path.get(path).map(|&at| &built.library.pages[at]);
        Resource {
            path: path.to_string(),
            title: page.map(|page| page.title.clone()),
            url: page.map(|page| page.url.clone()).or_else(|| asset_url(path)),
            bytes: file.size,
        }
    };
    Ok(files.map(resource).collect())
}

/// The address of an asset that has the same on every site.
fn asset_url(path: &ContentPath) -> Option<String> {
    if let Some(rest) = path.as_str().strip_prefix("static/") {
        return Some(format!("/{rest}"));
    }
    let inner = path.as_str().strip_prefix("themes/")?.split_once('/')?.1;
    inner.starts_with("assets/").then(|| format!("/{inner}"))
}

/// What is behind a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contents {
    /// Text.
    Text(String),
    /// Anything else, up to [`MAX_BYTES`].
    Bytes(Arc<[u8]>),
    /// An asset that is too large to be sent.
    Large {
        /// Its size.
        bytes: u64,
        /// Its blob id.
        etag: BlobId,
        /// Its address, where that is known.
        url: Option<String>,
    },
}

/// Any file of the site, by its path from the site's root.
///
/// # Errors
/// `NotFound`, and `TooLarge` for a text that tools read in parts.
pub fn read(site: &Site, path: &str) -> Result<Contents> {
    let snapshot = site.repository().working()?;
    let found = ContentPath::from_disk(path).ok().and_then(|path| Some((snapshot.get(&path)?.clone(), path)));
    let Some((file, path)) = found else {
        return Err(Error::NotFound { kind: "file", name: path.to_owned(), near: Vec::new() });
    };
    if file.size > MAX_BYTES as u64 {
        if file.text().is_some() {
            return Err(Error::TooLarge { what: path.to_string(), size: file.size as usize, limit: MAX_BYTES });
        }
        return Ok(Contents::Large { bytes: file.size, etag: file.id, url: asset_url(&path) });
    }
    let bytes = site.repository().bytes(&path, &file)?;
    Ok(match std::str::from_utf8(&bytes) {
        Ok(text) if !text.contains('\0') => Contents::Text(text.to_owned()),
        _ => Contents::Bytes(bytes),
    })
}

/// Everything unpublished of the change set as one unified difference; empty where nothing is.
///
/// # Errors
/// What reading the repository can fail with.
pub fn unpublished(site: &Site) -> Result<String> {
    let mut text = String::new();
    let files = change::diff(site, &[], DiffStyle::Unified, &Progress::default())?;
    for (at, file) in files.iter().enumerate() {
        let old = if file.live.is_some() { format!("a/{}", file.path) } else { "/dev/null".into() };
        let new = if file.etag.is_some() { format!("b/{}", file.path) } else { "/dev/null".into() };
        let diff = if file.diff.is_empty() && file.stat.added + file.stat.removed == 0 {
            "(no text)\n"
        } else {
            file.diff.as_str()
        };
        let part = format!("--- {old}\n+++ {new}\n{diff}");
        if text.len() + part.len() > MAX_BYTES {
            text.push_str(&format!("[{} more files left out]\n", files.len() - at));
            break;
        }
        text.push_str(&part);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    Ok(text)
}

/// A state of the site to compare a later one with.
#[derive(Debug, Clone)]
pub struct Stand {
    snapshot: Arc<Snapshot>,
    live: Option<RevisionId>,
    /// The named change sets with their last revisions.
    sets: BTreeMap<String, RevisionId>,
}

/// What differs between two states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Files with another text, or gone.
    pub changed: Vec<String>,
    /// A file came or went.
    pub listed: bool,
    /// What is unpublished may differ.
    pub unpublished: bool,
    /// Named change sets that differ, came or went.
    pub sets: Vec<String>,
}

/// The present state.
///
/// # Errors
/// What reading the working tree can fail with.
pub fn stand(site: &Site) -> Result<Stand> {
    let sets = site.repository().change_sets()?.into_iter().map(|set| (set.id, set.tip)).collect();
    Ok(Stand { snapshot: site.repository().working()?, live: site.repository().live()?, sets })
}

impl Stand {
    /// What is new in `self`.
    #[must_use]
    pub fn since(&self, old: &Self) -> News {
        let mut news = News { unpublished: self.live != old.live, ..News::default() };
        for id in old.sets.keys().chain(self.sets.keys().filter(|id| !old.sets.contains_key(*id))) {
            let (before, after) = (old.sets.get(id), self.sets.get(id));
            news.listed |= before.is_none() || after.is_none();
            if before != after || news.unpublished {
                news.sets.push(id.clone());
            }
        }
        for file in old.snapshot.changes(&self.snapshot) {
            news.listed |= file.old.is_none() || file.new.is_none();
            news.changed.push(file.path.to_string());
        }
        news.unpublished |= !news.changed.is_empty();
        news
    }
}

/// What a completed word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Content files without `content/`; a word that begins with `/` is a URL path and finds the file behind it.
    ContentFile,
    /// Theme files without `themes/`.
    ThemeFile,
    /// Any file from the site's root.
    AnyFile,
    /// Pages by URL path where the word begins with `/`, else by content path.
    Page,
    /// Sections by content folder.
    Section,
    /// What is unpublished.
    Change,
}

/// The words that begin with `word`, in order, then those that hold it.
///
/// # Errors
/// What reading the working tree can fail with.
pub fn complete(site: &Site, wanted: Wanted, word: &str) -> Result<Vec<String>> {
    let (snapshot, built) = site.working()?;
    let library = &built.library;
    let pages = || library.pages.iter().filter(|page| page.exists);
    let below = |folder: &str| -> Vec<String> {
        let whole = format!("{folder}/");
        let files = snapshot.under(folder);
        files.filter_map(|(path, _)| path.as_str().strip_prefix(&whole).map(str::to_owned)).collect()
    };
    let by_url = word.starts_with('/');
    let all: Vec<(String, String)> = match wanted {
        Wanted::ContentFile if by_url => {
            pages().map(|page| (page.url.clone(), address::shown(&page.path).to_owned())).collect()
        }
        Wanted::ContentFile => both(below("content")),
        Wanted::ThemeFile => both(below("themes")),
        Wanted::AnyFile => both(snapshot.iter().map(|(path, _)| path.to_string()).collect()),
        Wanted::Page if by_url => both(pages().map(|page| page.url.clone()).collect()),
        Wanted::Page => both(pages().map(|page| address::shown(&page.path).to_owned()).collect()),
        Wanted::Section => both(
            below("content").iter().filter_map(|path| path.strip_suffix("/_index.md").map(str::to_owned)).collect(),
        ),
        Wanted::Change => {
            let unpublished = site.repository().status()?.unpublished;
            both(unpublished.iter().map(|item| address::shown(&item.change.path).to_owned()).collect())
        }
    };
    let lower = word.to_lowercase();
    let begins = |(name, _): &&(String, String)| name.to_lowercase().starts_with(&lower);
    let holds = |(name, _): &&(String, String)| {
        let name = name.to_lowercase();
        !name.starts_with(&lower) && name.contains(&lower)
    };
    Ok(all.iter().filter(begins).chain(all.iter().filter(holds)).map(|(_, value)| value.clone()).collect())
}

/// Words that are found by what they are.
fn both(words: Vec<String>) -> Vec<(String, String)> {
    words.into_iter().map(|word| (word.clone(), word)).collect()
}
