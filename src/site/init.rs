//! A new site: theme, first pages, first commit; in an empty folder, an existing repository, or a folder inside one.

use std::path::Path;

use super::{Settings, Site, starter};
use crate::error::Result;
use crate::store::{OpenOptions, Repository};

/// Makes a new site in `folder` and opens it. Existing files are never overwritten.
///
/// # Errors
/// `AlreadyExists` where there is a `site.yaml` already, and what writing can fail with.
pub fn init(folder: &Path, title: &str, settings: Settings) -> Result<Site> {
    let files = starter::files(title);
    let options =
        OpenOptions { clock: settings.clock.clone(), author: settings.author.clone(), ..OpenOptions::default() };
    Repository::init(folder, &files, &format!("Start site {title}"), options)?;
    Site::open(folder, settings)
}
