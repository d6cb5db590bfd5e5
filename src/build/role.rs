//! What a content file is by its name: home page, section, page or bundle.

use super::address::Stem;
use crate::model::{ContentPath, PageKind};

/// What a Markdown file is by its name, before anything is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role<'a> {
    /// What it is.
    pub(super) kind: PageKind,
    /// `index.md`: the folder is the page's own.
    pub(super) bundle: bool,
    /// The name that stands for the page: file name, or folder of a bundle.
    pub(super) stem: Stem<'a>,
    /// The folder its URL grows from.
    pub(super) parent: &'a str,
}

impl<'a> Role<'a> {
    pub(super) fn of(path: &'a ContentPath) -> Self {
        let name = path.file_name();
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
        let folder = path.folder();
        let split = |folder: &'a str| folder.rsplit_once('/').map_or(("", folder), |(up, last)| (up, last));
        match name {
            "_index" | "index" if folder == "content" => {
                Self { kind: PageKind::Home, bundle: false, stem: Stem::of("content"), parent: folder }
            }
            "_index" => {
                Self { kind: PageKind::Section, bundle: false, stem: Stem::of(split(folder).1), parent: folder }
            }
            "index" => {
                let (parent, last) = split(folder);
                Self { kind: PageKind::Page, bundle: true, stem: Stem::of(last), parent }
            }
            _ => Self { kind: PageKind::Page, bundle: false, stem: Stem::of(name), parent: folder },
        }
    }
}
