//! What a content file is by its name: home page, section, page or bundle.

use super::address::Stem;
use super::translations;
use crate::model::{Config, ContentPath, PageKind};

/// What a Markdown file is by its name, before anything is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role<'a> {
    /// What it is.
    pub(super) kind: PageKind,
    /// `index.md`: the folder is the page's own.
    pub(super) bundle: bool,
    /// The name that stands for the page: file name without ending and language, or folder of a bundle.
    pub(super) stem: Stem<'a>,
    /// The folder its URL grows from.
    pub(super) parent: &'a str,
    /// The further language that the file's name says it is in, as `site.yaml` writes it.
    pub(super) language: Option<&'a str>,
}

impl<'a> Role<'a> {
    pub(super) fn of(path: &'a ContentPath, config: &'a Config) -> Self {
        let name = path.file_name();
        let name = name.rsplit_once('.').map_or(name, |(name, _)| name);
        let (name, language) =
            translations::split(name, config).map_or((name, None), |(name, language)| (name, Some(language)));
        let folder = path.folder();
        let split = |folder: &'a str| folder.rsplit_once('/').map_or(("", folder), |(up, last)| (up, last));
        let (kind, bundle, stem, parent) = match name {
            "_index" | "index" if folder == "content" => (PageKind::Home, false, "content", folder),
            "_index" => (PageKind::Section, false, split(folder).1, folder),
            "index" => {
                let (parent, last) = split(folder);
                (PageKind::Page, true, last, parent)
            }
            _ => (PageKind::Page, false, name, folder),
        };
        Self { kind, bundle, stem: Stem::of(stem), parent, language }
    }
}
