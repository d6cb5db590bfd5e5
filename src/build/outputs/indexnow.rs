//! `<key>.txt`: shows search engines that a ping about this site comes from its owner.

use super::super::edition::Edition;

/// The key's own file, where the site has a key.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    let key = edition.library.config.indexnow.as_ref().map(|indexnow| indexnow.key.as_str());
    key.map(|key| (format!("{key}.txt"), format!("{key}\n"))).into_iter().collect()
}
