//! What git's attributes say of a path: whether it passes files through a program.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{AttrCheckFlags, AttrValue, Oid};

use super::{Repository, refs, tree};
use crate::model::ContentPath;

/// The file's name in every folder.
const NAME: &str = ".gitattributes";

/// Folders of a tree that were looked at, with whether they hold a file of attributes.
pub(crate) type Recorded = (Oid, BTreeMap<String, bool>);

/// What git's attributes say, looked at once for as long as one call takes.
pub(crate) struct Filters<'g> {
    repository: &'g Repository,
    pub(crate) git: &'g git2::Repository,
    /// Whether a file outside of the working tree names a filter.
    elsewhere: OnceCell<bool>,
    /// The same for folders of the working tree.
    folders: RefCell<BTreeMap<String, bool>>,
}

impl Filters<'_> {
    /// Whether git is told to pass a path through a program (LFS): writing its raw bytes would break it.
    pub(crate) fn has(&self, path: &ContentPath) -> bool {
        let path = self.repository.whole(path.as_str());
        // Asking git takes reading its whole index, and almost no site has a filter at all.
        if !self.may_have(&path) {
            return false;
        }
        let value = self.git.get_attr(Path::new(&path), "filter", AttrCheckFlags::FILE_THEN_INDEX);
        matches!(AttrValue::from_string(value.ok().flatten()), AttrValue::String(_))
    }

    /// Whether any file of attributes that counts for a path names a filter, or is only in git.
    fn may_have(&self, path: &str) -> bool {
        if *self.elsewhere.get_or_init(|| filters_elsewhere(self.git)) {
            return true;
        }
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        [""].into_iter().chain(above).any(|folder| {
            if let Some(known) = self.folders.borrow().get(folder) {
                return *known;
            }
            let found = match std::fs::read(self.repository.workdir().join(folder).join(NAME)) {
                Ok(text) => names_filter(&text),
                Err(_) => self.repository.is_recorded(self.git, folder),
            };
            self.folders.borrow_mut().insert(folder.to_owned(), found);
            found
        })
    }
}

impl Repository {
    /// What git's attributes say of paths, for one call.
    pub(crate) fn filters<'g>(&'g self, git: &'g git2::Repository) -> Filters<'g> {
        Filters { repository: self, git, elsewhere: OnceCell::new(), folders: RefCell::default() }
    }

    /// Whether HEAD has a file of attributes in a folder that has none on disk.
    fn is_recorded(&self, git: &git2::Repository, folder: &str) -> bool {
        let head = refs::target(git, "HEAD").and_then(|head| refs::tree_of(git, head));
        let Ok(Some(head)) = head else { return false };
        if let Some((tree, folders)) = &self.cache().attributes
            && *tree == head
            && let Some(known) = folders.get(folder)
        {
            return *known;
        }
        let path = if folder.is_empty() { NAME.to_owned() } else { format!("{folder}/{NAME}") };
        let found = tree::entry(git, Some(head), &path).is_ok_and(|entry| entry.is_some());
        let mut cache = self.cache();
        match &mut cache.attributes {
            Some((tree, folders)) if *tree == head => {
                folders.insert(folder.to_owned(), found);
            }
            other => *other = Some((head, BTreeMap::from([(folder.to_owned(), found)]))),
        }
        found
    }
}

/// Whether a file of attributes outside of the working tree names a filter.
fn filters_elsewhere(git: &git2::Repository) -> bool {
    let mut elsewhere = vec![git.commondir().join("info/attributes"), PathBuf::from("/etc/gitattributes")];
    let config = git.config().ok();
    let named = config.and_then(|config| config.get_path("core.attributesFile").ok());
    elsewhere.extend(named.or_else(|| Some(super::scan::personal_folder()?.join("git/attributes"))));
    elsewhere.iter().any(|file| std::fs::read(file).is_ok_and(|text| names_filter(&text)))
}

fn names_filter(text: &[u8]) -> bool {
    text.windows(6).any(|word| word == b"filter")
}
