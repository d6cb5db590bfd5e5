//! Which site is meant, and opening it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sitewright::error::{Error, Result};
use sitewright::site::{Settings, Site};

/// The site's folder: the named one, else this folder or the nearest one above it that holds a `site.yaml`.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf> {
    let has_site = |folder: &Path| folder.join("site.yaml").is_file();
    if let Some(folder) = named {
        return if has_site(folder) {
            Ok(folder.to_owned())
        } else {
            Err(Error::NoSite { dir: folder.display().to_string() })
        };
    }
    let here = std::env::current_dir().map_err(|source| Error::Io {
        action: "read",
        path: "the current folder".into(),
        source,
    })?;
    let found = here.ancestors().find(|folder| has_site(folder)).map(Path::to_owned);
    found.ok_or_else(|| Error::NoSite { dir: here.display().to_string() })
}

/// Opens the site with the machine's clock and git's configured author.
pub(super) fn open(named: Option<&Path>) -> Result<Arc<Site>> {
    let settings = Settings { clock: Arc::new(jiff::Timestamp::now), author: None };
    Ok(Arc::new(Site::open(&find(named)?, settings)?))
}
