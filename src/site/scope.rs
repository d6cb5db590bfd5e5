//! Which files a search, replacement or check is about: pages, sections, folders, globs and kinds, as callers name them.

use super::address;
use super::page::wildcard;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Library, PageKind, PathKind, Snapshot};

/// Names in one scope.
const MAX_NAMES: usize = 200;
/// Longest name, in bytes: a glob is matched against every path.
const MAX_NAME: usize = 500;
/// The folders of a site; a name that begins with one is meant from the site's root.
const ROOTS: [(&str, &[PathKind]); 4] = [
    ("content", &[PathKind::Page, PathKind::ContentAsset]),
    ("themes", &[PathKind::Theme]),
    ("data", &[PathKind::Data]),
    ("static", &[PathKind::Static]),
];

/// One name, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// All files of a kind; of themes, only what is not pinned.
    Kind(PathKind),
    File(ContentPath),
    /// Everything below a folder.
    Folder(String),
    /// The pages below a folder.
    Pages(String),
    /// A pattern for whole paths.
    Glob(String),
    /// A pattern for pages, without `content/`.
    PageGlob(String),
}

/// A set of files of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files(Vec<Part>);

impl Files {
    /// Reads a scope; nothing named: every page.
    ///
    /// # Errors
    /// `InvalidArguments`, `InvalidPath`, and `NotFound` with near matches for a name that stands for nothing.
    pub(super) fn parse(library: &Library, snapshot: &Snapshot, names: &[String]) -> Result<Self> {
        if names.len() > MAX_NAMES {
            return Err(refused(&format!("got {} names, expected at most {MAX_NAMES}", names.len())));
        }
        if names.is_empty() {
            return Ok(Self(vec![Part::Kind(PathKind::Page)]));
        }
        names.iter().map(|name| part(library, snapshot, name.trim())).collect::<Result<_>>().map(Self)
    }

    /// Whether a file belongs to it.
    pub(super) fn holds(&self, path: &ContentPath) -> bool {
        self.0.iter().any(|part| part.holds(path))
    }

    /// The kinds of file it can hold, each once.
    pub(super) fn kinds(&self) -> Vec<PathKind> {
        let mut kinds: Vec<PathKind> = self.0.iter().flat_map(Part::kinds).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// Its files in path order.
    pub(super) fn of<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a ContentPath> {
        snapshot.iter().map(|(path, _)| path).filter(|path| self.holds(path)).collect()
    }
}

impl Part {
    fn holds(&self, path: &ContentPath) -> bool {
        match self {
            Self::Kind(PathKind::Theme) => path.kind() == PathKind::Theme && !is_pinned(path),
            Self::Kind(kind) => path.kind() == *kind,
            Self::File(file) => path == file,
            Self::Folder(folder) => below(path, folder),
            Self::Pages(folder) => path.kind() == PathKind::Page && below(path, folder),
            Self::Glob(glob) => wildcard(glob, path.as_str()),
            Self::PageGlob(glob) => path.kind() == PathKind::Page && wildcard(glob, address::shown(path)),
        }
    }

    fn kinds(&self) -> Vec<PathKind> {
        match self {
            Self::Kind(kind) => vec![*kind],
            Self::File(path) => vec![path.kind()],
            Self::Pages(_) | Self::PageGlob(_) => vec![PathKind::Page],
            Self::Folder(path) | Self::Glob(path) => root_of(path).map_or(Vec::new(), |(_, kinds)| kinds.to_vec()),
        }
    }
}

fn below(path: &ContentPath, folder: &str) -> bool {
    path.as_str().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a theme file is part of a frozen copy (`themes/<name>@<revision>/`).
fn is_pinned(path: &ContentPath) -> bool {
    path.as_str().split('/').nth(1).is_some_and(|name| name.contains('@'))
}

/// The site's folder that a name begins with.
fn root_of(name: &str) -> Option<(&'static str, &'static [PathKind])> {
    let first = name.split('/').next()?;
    ROOTS.into_iter().find(|(root, _)| *root == first)
}

fn part(library: &Library, snapshot: &Snapshot, name: &str) -> Result<Part> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(refused(&format!("got a name of {} bytes, expected 1 to {MAX_NAME}", name.len())));
    }
    match name {
        "content" => return Ok(Part::Kind(PathKind::Page)),
        "theme" | "themes" => return Ok(Part::Kind(PathKind::Theme)),
        "data" => return Ok(Part::Kind(PathKind::Data)),
        "config" | "site.yaml" => return Ok(Part::Kind(PathKind::Config)),
        _ => {}
    }
    let inner = name.trim_start_matches('/');
    let rooted = root_of(inner).is_some();
    if name.contains('*') || (name.contains('?') && !name.starts_with('/')) {
        return Ok(if rooted { Part::Glob(inner.to_owned()) } else { Part::PageGlob(inner.to_owned()) });
    }
    if rooted && !name.starts_with('/') {
        ContentPath::from_disk(name.trim_end_matches('/'))?;
        return named(snapshot, name).ok_or_else(|| unknown_file(snapshot, name));
    }
    match address::page(library, name) {
        Ok(index) => {
            let page = &library.pages[index];
            let whole = page.kind != PageKind::Page && !name.ends_with(".md");
            Ok(if whole { Part::Pages(page.path.folder().to_owned()) } else { Part::File(page.path.clone()) })
        }
        // A page that cannot be read is in no library, and a folder without pages of its own has no address.
        Err(error) => match named(snapshot, &format!("content/{inner}")) {
            Some(Part::Folder(folder)) => Ok(Part::Pages(folder)),
            Some(part) => Ok(part),
            None => Err(error),
        },
    }
}

/// A file or folder of the site by its whole path.
fn named(snapshot: &Snapshot, path: &str) -> Option<Part> {
    if let Some(file) = ContentPath::from_disk(path).ok().filter(|file| snapshot.get(file).is_some()) {
        return Some(Part::File(file));
    }
    let folder = path.trim_end_matches('/');
    let exists = ROOTS.iter().any(|(root, _)| *root == folder) || snapshot.under(folder).next().is_some();
    exists.then(|| Part::Folder(folder.to_owned()))
}

fn unknown_file(snapshot: &Snapshot, name: &str) -> Error {
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name).to_lowercase();
    let mut near: Vec<(u32, &str)> = snapshot
        .iter()
        .map(|(path, _)| path.as_str())
        .filter(|path| root_of(path).map(|(root, _)| root) == root_of(name).map(|(root, _)| root))
        .filter_map(|path| {
            let file = path.rsplit('/').next().unwrap_or(path).to_lowercase();
            if file.len().abs_diff(last.len()) > 4 {
                return None;
            }
            let ratio = (similar::TextDiff::from_chars(last.as_str(), file.as_str()).ratio() * 1000.0) as u32;
            (ratio >= 600).then_some((ratio, path))
        })
        .collect();
    near.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let near = near.into_iter().take(3).map(|(_, path)| path.to_owned()).collect();
    Error::NotFound { kind: "file or folder", name: name.to_owned(), near }
}

fn refused(problem: &str) -> Error {
    Error::InvalidArguments {
        field: "scope".into(),
        problem: problem.to_owned(),
        example: "\"scope\": [\"/blog/\", \"docs/**/*.md\", \"theme\"]".into(),
    }
}
