//! Where an import comes from: a folder or file on this machine that may be read, or a feed at an address.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::super::{Call, Site};
use super::Request;
use crate::error::{Error, Result};
use crate::import::{Entry, Kind, Source, is_read, is_skipped};
use crate::outside::{Guard, fetch};
use crate::store::Foreign;

/// Largest feed that is fetched, in bytes.
const MAX_FEED: usize = 20 << 20;
/// Longest time for it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A folder that a caller names: only below what a person allows.
    Folder(String),
    /// A folder or file that the person at this machine names.
    Trusted(PathBuf),
    /// A feed at an `http` or `https` address.
    Url(String),
}

/// A source that is open: its text is read, the rest can be.
#[derive(Debug)]
pub(super) struct Opened {
    /// What is known of it.
    pub(super) source: Source,
    /// What it is.
    pub(super) kind: Kind,
    foreign: Option<Foreign>,
}

impl Opened {
    /// A file's bytes.
    pub(super) fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        match (self.source.bytes(path), &self.foreign) {
            (Some(bytes), _) => Ok(bytes.to_vec()),
            (None, Some(foreign)) => Ok(foreign.bytes(path)?.to_vec()),
            (None, None) => Err(Error::NotFound { kind: "file", name: path.into(), near: Vec::new() }),
        }
    }

    /// What was not even looked at, and why.
    pub(super) fn passed(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.foreign.iter().flat_map(|foreign| &foreign.passed).map(|(path, problem)| (path.as_str(), *problem))
    }
}

/// Opens and reads the source of a request.
pub(super) fn open(site: &Site, call: &Call, request: &Request) -> Result<Opened> {
    match &request.from {
        From::Url(url) => feed(site, call, url),
        From::Trusted(path) if path.is_file() => {
            let (folder, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            one(Foreign::open(folder)?, &name.to_string_lossy(), request)
        }
        From::Trusted(path) => whole(Foreign::open(path)?, request),
        From::Folder(name) => {
            let file = request.kind.is_none_or(|kind| matches!(kind, Kind::Feed | Kind::Csv));
            match name.rsplit_once('/') {
                Some((folder, file_name)) if file && (request.kind.is_some() || Kind::of_file(file_name).is_some()) => {
                    one(allowed(site, folder)?, file_name, request)
                }
                _ => whole(allowed(site, name)?, request),
            }
        }
    }
}

/// A whole folder.
fn whole(mut foreign: Foreign, request: &Request) -> Result<Opened> {
    let files = foreign.files(is_skipped, is_read)?;
    let files = files.into_iter().map(|(path, file)| (path, Entry { size: file.size, bytes: file.bytes }));
    let source = Source::new(files.collect());
    let kind = match request.kind {
        Some(kind) => kind,
        None => Kind::detect(&source)?,
    };
    Ok(Opened { source, kind, foreign: Some(foreign) })
}

/// One file: a feed or a table.
fn one(foreign: Foreign, name: &str, request: &Request) -> Result<Opened> {
    let kind = request.kind.or_else(|| Kind::of_file(name)).ok_or_else(|| Error::InvalidArguments {
        field: "kind".into(),
        problem: format!("`{name}` does not say what it is"),
        example: "\"kind\": \"feed\"".into(),
    })?;
    let bytes = foreign.bytes(name)?;
    if bytes.len() > MAX_FEED {
        return Err(Error::TooLarge { what: name.into(), size: bytes.len(), limit: MAX_FEED });
    }
    Ok(Opened { source: single(name, &bytes), kind, foreign: Some(foreign) })
}

fn single(name: &str, bytes: &[u8]) -> Source {
    let entry = Entry { size: bytes.len() as u64, bytes: Some(bytes.into()) };
    Source::new([(name.to_owned(), entry)].into())
}

/// A feed from the network, through the guard.
fn feed(site: &Site, call: &Call, url: &str) -> Result<Opened> {
    let config = site.config()?;
    let limits = fetch::Limits { max_bytes: MAX_FEED, whole: PATIENCE, types: &[] };
    let fetched = fetch::get(&Guard::new(&config.fetch), url, &limits, &call.progress)?;
    Ok(Opened { source: single("feed.xml", &fetched.bytes), kind: Kind::Feed, foreign: None })
}

/// A folder below one of those that `uploads.folders` or the command line names.
fn allowed(site: &Site, name: &str) -> Result<Foreign> {
    let root = site.repository().site_dir();
    let folders: Vec<PathBuf> = site.config()?.uploads.folders.iter().map(|folder| plain(&root.join(folder))).collect();
    let wanted = plain(&root.join(name));
    // The narrowest of several folders, so that the way through it is checked for links the least far from the file.
    let found =
        folders.iter().filter(|folder| wanted.starts_with(folder)).min_by_key(|folder| folder.components().count());
    let Some(folder) = found else {
        return Err(Error::InvalidArguments {
            field: "from".into(),
            problem: format!("`{name}` is in no folder that `uploads.folders` in site.yaml allows"),
            example: "ask the person to allow the folder, or to run `sitewright import`".into(),
        });
    };
    let inner = wanted.strip_prefix(folder).unwrap_or(Path::new(""));
    Foreign::open_below(folder, inner)
}

/// The path with its dots worked off, as text; nothing is looked up.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}
