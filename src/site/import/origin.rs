//! Where an import comes from: a folder on this machine that may be read.

use std::path::{Component, Path, PathBuf};

use super::super::Site;
use super::Request;
use crate::error::{Error, Result};
use crate::import::{Entry, Kind, Source, is_read, is_skipped};
use crate::store::Foreign;

/// Where to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A folder that a caller names: only below what a person allows.
    Folder(String),
    /// A folder that the person at this machine names.
    Trusted(PathBuf),
}

/// A source that is open: its text is read, the rest can be.
#[derive(Debug)]
pub(super) struct Opened {
    /// What is known of it.
    pub(super) source: Source,
    /// What it is.
    pub(super) kind: Kind,
    foreign: Foreign,
}

impl Opened {
    /// A file's bytes.
    pub(super) fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        match self.source.bytes(path) {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Ok(self.foreign.bytes(path)?.to_vec()),
        }
    }

    /// What was not even looked at, and why.
    pub(super) fn passed(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.foreign.passed.iter().map(|(path, problem)| (path.as_str(), *problem))
    }
}

/// Opens and reads the source of a request.
pub(super) fn open(site: &Site, request: &Request) -> Result<Opened> {
    let mut foreign = match &request.from {
        From::Trusted(path) => Foreign::open(path)?,
        From::Folder(name) => allowed(site, name)?,
    };
    let files = foreign.files(is_skipped, is_read)?;
    let files = files.into_iter().map(|(path, file)| (path, Entry { size: file.size, bytes: file.bytes }));
    let source = Source::new(files.collect());
    let kind = match request.kind {
        Some(kind) => kind,
        None => Kind::detect(&source)?,
    };
    Ok(Opened { source, kind, foreign })
}

/// A folder below one of those that `uploads.folders` or the command line names.
fn allowed(site: &Site, name: &str) -> Result<Foreign> {
    let root = site.repository().site_dir();
    let folders: Vec<PathBuf> = site.config()?.uploads.folders.iter().map(|folder| plain(&root.join(folder))).collect();
    let wanted = plain(&root.join(name));
    // The narrowest of several folders, so that the way through it is checked for links the least far from the file.
    let found = folders.iter().filter(|folder| wanted.starts_with(folder)).min_by_key(|folder| folder.components().count());
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
