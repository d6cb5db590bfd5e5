//! The site as a client's file picker sees it: what can be read by path, what changed since, and what a path may begin with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::change::{self, DiffStyle};
use super::{Site, address};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, File, PathKind, Snapshot};
use crate::store::RevisionId;

/// Largest text that is read whole, and largest difference; tools read more, in parts.
pub const MAX_BYTES: usize = 1 << 20;

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

/// The configuration, all pages, and the text files of the theme in use, in path order.
///
/// # Errors
/// What reading the working tree can fail with.
pub fn list(site: &Site) -> Result<Vec<Resource>> {
    let (snapshot, built) = site.working()?;
    let theme = format!("themes/{}/", built.library.config.theme);
    let offered = |path: &ContentPath, file: &File| match path.kind() {
        PathKind::Config | PathKind::Page => true,
        PathKind::Theme => path.as_str().starts_with(&theme) && file.text().is_some(),
        PathKind::ContentAsset | PathKind::Static | PathKind::Data => false,
    };
    let files = snapshot.iter().filter(|(path, file)| offered(path, file));
    let resource = |(path, file): (&ContentPath, &File)| {
        let page = built.library.by_path.get(path).map(|&at| &built.library.pages[at]);
        Resource {
            path: path.to_string(),
            title: page.map(|page| page.title.clone()),
            url: page.map(|page| page.url.clone()),
            bytes: file.size,
        }
    };
    Ok(files.map(resource).collect())
}

/// The text of any file of the site, by its path from the site's root.
///
/// # Errors
/// `NotFound`, `TooLarge`, and `InvalidPath` for what is no text.
pub fn read(site: &Site, path: &str) -> Result<String> {
    let snapshot = site.repository().working()?;
    let Some(file) = snapshot.get_str(path) else {
        return Err(Error::NotFound { kind: "file", name: path.to_owned(), near: Vec::new() });
    };
    if file.size > MAX_BYTES as u64 {
        return Err(Error::TooLarge { what: path.to_owned(), size: file.size as usize, limit: MAX_BYTES });
    }
    file.text()
        .map(str::to_owned)
        .ok_or_else(|| Error::InvalidPath { path: path.to_owned(), problem: "the file is not text".into() })
}

/// Everything unpublished of the change set as one unified difference; empty where nothing is.
///
/// # Errors
/// What reading the repository can fail with.
pub fn unpublished(site: &Site) -> Result<String> {
    let mut text = String::new();
    let files = change::diff(site, &[], DiffStyle::Unified)?;
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
        if Arc::ptr_eq(&self.snapshot, &old.snapshot) {
            return news;
        }
        let id = |snapshot: &Snapshot, path: &ContentPath| -> Option<BlobId> { snapshot.get(path).map(|file| file.id) };
        let paths: BTreeSet<&ContentPath> =
            old.snapshot.iter().chain(self.snapshot.iter()).map(|(path, _)| path).collect();
        for path in paths {
            let (before, after) = (id(&old.snapshot, path), id(&self.snapshot, path));
            if before != after {
                news.listed |= before.is_none() || after.is_none();
                news.changed.push(path.to_string());
            }
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
        let files = snapshot.under(folder).filter(|(_, file)| file.text().is_some());
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
