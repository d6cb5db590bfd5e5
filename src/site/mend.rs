//! A `site.yaml` that cannot be read, or is gone: what the tools go by that can mend it.

use std::sync::Arc;

use super::Site;
use crate::build::Built;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Progress, Snapshot};
use crate::store::Repository;

const CONFIG: &str = "site.yaml";

/// The library of a state; where its configuration cannot be read, that with the defaults, and `true`.
///
/// # Errors
/// What reading can fail with otherwise.
pub(super) fn library(site: &Site, snapshot: &Arc<Snapshot>, progress: &Progress) -> Result<(Arc<Built>, bool)> {
    match site.library_followed(snapshot, false, progress) {
        Err(Error::InvalidConfig { .. } | Error::NoSite { .. }) => {
            let mut plain = (**snapshot).clone();
            plain.set(ContentPath::from_disk(CONFIG)?, Some(Repository::file(b"title: Site\n".to_vec())));
            Ok((site.library_followed(&Arc::new(plain), false, progress)?, true))
        }
        read => Ok((read?, false)),
    }
}

/// The line's files with such a library.
///
/// # Errors
/// As [`library`].
pub(super) fn working(site: &Site, progress: &Progress) -> Result<(Arc<Snapshot>, Arc<Built>)> {
    progress.proceed()?;
    let snapshot = site.repository().working()?;
    let (built, _) = library(site, &snapshot, progress)?;
    Ok((snapshot, built))
}

/// The state that says what a person allowed: the one before an edit, or what is live where that cannot be read.
///
/// # Errors
/// What reading can fail with.
pub(super) fn trusted(site: &Site, base: &Arc<Snapshot>, is_broken: bool) -> Result<Arc<Snapshot>> {
    if is_broken { site.live() } else { Ok(Arc::clone(base)) }
}
