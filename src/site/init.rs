//! A new site: theme, first pages, first commit; in an empty folder, an existing repository, or a folder inside one.

use std::path::Path;

use super::{Settings, Site, starter};
use crate::error::Result;
use crate::model::ContentPath;
use crate::store::{OpenOptions, Repository};

/// Makes a new site in `folder` and opens it. Existing files are never overwritten.
///
/// # Errors
/// `AlreadyExists` where there is a `site.yaml` already, and what writing can fail with.
pub fn init(folder: &Path, title: &str, settings: Settings) -> Result<Site> {
    let mut files = starter::files(title);
    files.push((ContentPath::from_disk(".gitattributes")?, starter::gitattributes().into_bytes()));
    files.push((ContentPath::from_disk(".gitignore")?, starter::gitignore().into_bytes()));
    let options = OpenOptions { clock: settings.clock.clone(), author: settings.author.clone(), ..OpenOptions::default() };
    Repository::init(folder, &files, &format!("Start site {title}"), options)?;
    Site::open(folder, settings)
}
