//! What git's attributes say of a path: whether it passes files through a program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{AttrCheckFlags, AttrValue, Oid};

use super::{Repository, refs, tree};
use crate::model::ContentPath;

/// The file's name in every folder.
const NAME: &str = ".gitattributes";

/// Folders of a tree that were looked at, with whether they hold a file of attributes.
pub(crate) type Recorded = (Oid, BTreeMap<String, bool>);

impl Repository {
    /// Whether git is told to pass a path through a program (LFS): writing its raw bytes would break it.
    pub(crate) fn has_filter(&self, git: &git2::Repository, path: &ContentPath) -> bool {
        let path = self.whole(path.as_str());
        // Asking git takes reading its whole index, and almost no site has a filter at all.
        if !self.may_filter(git, &path) {
            return false;
        }
        let value = git.get_attr(Path::new(&path), "filter", AttrCheckFlags::FILE_THEN_INDEX);
        matches!(AttrValue::from_string(value.ok().flatten()), AttrValue::String(_))
    }

    /// Whether any file of attributes that counts for a path names a filter, or is only in git.
    fn may_filter(&self, git: &git2::Repository, path: &str) -> bool {
        let mut elsewhere = vec![git.commondir().join("info/attributes"), PathBuf::from("/etc/gitattributes")];
        let config = git.config().ok();
        let named = config.and_then(|config| config.get_path("core.attributesFile").ok());
        elsewhere.extend(named.or_else(|| Some(super::scan::personal_folder()?.join("git/attributes"))));
        if elsewhere.iter().any(|file| std::fs::read(file).is_ok_and(|text| names_filter(&text))) {
            return true;
        }
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        [""].into_iter().chain(above).any(|folder| match std::fs::read(self.workdir().join(folder).join(NAME)) {
            Ok(text) => names_filter(&text),
            Err(_) => self.is_recorded(git, folder),
        })
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

fn names_filter(text: &[u8]) -> bool {
    text.windows(6).any(|word| word == b"filter")
}
