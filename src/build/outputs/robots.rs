//! `robots.txt` and `.nojekyll`.

use super::super::edition::Edition;

/// Everything is allowed; the sitemap is named. `.nojekyll` keeps GitHub Pages from hiding files.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    let robots = format!("User-agent: *\nAllow: /\n\nSitemap: {}\n", edition.base.absolute("/sitemap.xml"));
    vec![("robots.txt".into(), robots), (".nojekyll".into(), String::new())]
}
