//! Lists the site's files below a path, with what has to be left out.

use std::path::Path;

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

use super::Events;
use super::stat::Stat;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Diagnostic, Severity};
use crate::store::places;

/// Deeper folders are not looked into.
const MAX_DEPTH: usize = 60;
/// Fewer files are looked at one after the other: waking other threads takes longer.
const FEW: usize = 256;

/// What to do with a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Into,
    /// Git is told to ignore it and nothing of it was ever recorded.
    Ignored,
    /// A submodule.
    Foreign,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<(String, Stat)>,
    /// By the path that cannot be taken in.
    pub(super) problems: Vec<(String, Diagnostic)>,
    /// Temporary files of ours that a killed process left.
    pub(super) leftovers: Vec<String>,
    /// Swap and lock files of editors, each with the file it stands for.
    pub(super) edited: Vec<(String, String)>,
    /// Folders that git is told to ignore.
    pub(super) ignored: Vec<String>,
    /// Whether the kernel tells of changes in each folder that was looked into.
    pub(super) is_watched: bool,
}

/// Walks below paths of one site.
pub(super) struct Walk<'a> {
    root: &'a Path,
    look: &'a dyn Fn(&str) -> Look,
    events: Option<&'a mut Events>,
    listing: Listing,
    /// Files that are still to be looked at.
    files: Vec<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path, look: &'a dyn Fn(&str) -> Look, events: Option<&'a mut Events>) -> Self {
        let listing = Listing { is_watched: events.is_some(), ..Listing::default() };
        Self { root, look, events, listing, files: Vec::new() }
    }

    /// What was found. The files are looked at together: it is most of the work where all are.
    pub(super) fn listing(self) -> Result<Listing> {
        let (root, mut listing) = (self.root, self.listing);
        let look = |path: String| match std::fs::symlink_metadata(root.join(&path)) {
            Ok(found) => Ok(Some((path, Stat::of(&found)))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { action: "read", path, source }),
        };
        let found: Vec<Option<(String, Stat)>> = if self.files.len() < FEW {
            self.files.into_iter().map(look).collect::<Result<_>>()?
        } else {
            self.files.into_par_iter().map(look).collect::<Result<_>>()?
        };
        listing.files = found.into_iter().flatten().collect();
        Ok(listing)
    }

    /// Lists a file, or a folder with everything below it; nothing where there is nothing.
    pub(super) fn below(&mut self, path: &str) -> Result<()> {
        let top = path.split('/').next().unwrap_or(path);
        let device = |path: &Path| std::fs::symlink_metadata(path).ok().map(|found| Stat::of(&found).inode.0);
        let Some(found) = device(&self.root.join(top)) else { return Ok(()) };
        if self.events.is_some() && device(self.root) != Some(found) {
            // What lies on another disk may not tell.
            self.give_up_watching();
        }
        self.each(WalkDir::new(self.root.join(path)).max_depth(0), found)
    }

    fn each(&mut self, walk: WalkDir, device: u64) -> Result<()> {
        for entry in walk.follow_links(false).follow_root_links(false) {
            match entry {
                Ok(entry) => self.entry(&entry, device)?,
                // Gone between listing and looking, or a top folder that this site does not have.
                Err(error) if is_gone(&error) => {}
                // An unreadable folder must not pass for one whose files were deleted.
                Err(error) => return Err(unreadable(self.root, error)),
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, device: u64) -> Result<()> {
        let Some(path) = relative(self.root, entry) else {
            let shown = entry.path().strip_prefix(self.root).unwrap_or(entry.path()).to_string_lossy().into_owned();
            self.problem(&shown, "not_a_name", "has a name that is not plain UTF-8 and is left out");
            return Ok(());
        };
        if !entry.file_type().is_dir() {
            self.file(path, entry);
            return Ok(());
        }
        if !self.enters(&path, entry) {
            return Ok(());
        }
        match entry.metadata() {
            Ok(found) if Stat::of(&found).inode.0 != device => return Ok(()),
            Ok(_) => {}
            Err(error) if is_gone(&error) => return Ok(()),
            Err(error) => return Err(unreadable(self.root, error)),
        }
        // Before it is read, so that what changes from now on is heard of.
        if self.events.as_mut().is_some_and(|events| !events.watch(&path)) {
            self.give_up_watching();
        }
        if path.matches('/').count() >= MAX_DEPTH {
            return Ok(());
        }
        self.each(WalkDir::new(entry.path()).min_depth(1).max_depth(1), device)
    }

    fn give_up_watching(&mut self) {
        self.events = None;
        self.listing.is_watched = false;
    }

    /// Whether a folder is looked into.
    fn enters(&mut self, path: &str, entry: &DirEntry) -> bool {
        if !places::may_hold(path) {
            return false;
        }
        let look = (self.look)(path);
        if look == Look::Ignored {
            self.listing.ignored.push(path.to_owned());
            return false;
        }
        if look == Look::Foreign || entry.path().join(".git").symlink_metadata().is_ok() {
            self.problem(path, "nested_repository", "is a repository of its own and is left out");
            return false;
        }
        true
    }

    fn file(&mut self, path: String, entry: &DirEntry) {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        if let Some(target) = places::edited(name) {
            self.listing.edited.push((path.clone(), format!("{folder}/{target}")));
        }
        if name.starts_with(places::TEMPORARY) {
            self.listing.leftovers.push(path);
        } else if entry.file_type().is_symlink() && (places::in_site(&path) || places::may_hold(&path)) {
            self.problem(&path, "symlink", "is a symbolic link and is left out");
        } else if places::in_site(&path) && entry.file_type().is_file() {
            self.files.push(path);
        } else if places::in_site(&path) {
            self.problem(&path, "not_a_file", "is no regular file and is left out");
        }
    }

    fn problem(&mut self, path: &str, code: &'static str, message: &str) {
        self.listing.problems.extend(problem(path, code, message).map(|found| (path.to_owned(), found)));
    }
}

fn is_gone(error: &walkdir::Error) -> bool {
    error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn relative(root: &Path, entry: &DirEntry) -> Option<String> {
    let path = entry.path().strip_prefix(root).ok()?.to_str()?;
    (!path.contains('\\')).then(|| path.to_owned())
}

fn unreadable(root: &Path, error: walkdir::Error) -> Error {
    let path = error.path().map(|p| p.strip_prefix(root).unwrap_or(p).to_string_lossy().into_owned());
    let source = error.into_io_error().unwrap_or_else(|| std::io::Error::other("the folder nests into itself"));
    Error::Io { action: "read", path: path.unwrap_or_default(), source }
}

pub(super) fn problem(path: &str, code: &'static str, message: &str) -> Option<Diagnostic> {
    // A path that cannot even be named is told in the message of its folder.
    let plain: String = path.chars().map(|c| if matches!(c, '\\' | '\0' | '\u{FFFD}') { '_' } else { c }).collect();
    let path = ContentPath::from_disk(&plain).ok()?;
    let hint = "Replace it by a regular file with a plain name.";
    Some(Diagnostic::new(Severity::Warning, code, path.clone(), 0, format!("{path} {message}")).with_hint(hint))
}
