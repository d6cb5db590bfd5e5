//! Pictures that the settings for search engines name, and whether they exist.

use super::links::{Finder, Kind};
use crate::model::{Config, ContentPath, Diagnostic};

/// Findings on `seo.image` and `seo.publisher.logo`.
#[must_use]
pub(crate) fn check(finder: &Finder<'_>) -> Vec<Diagnostic> {
    let library = finder.library;
    let seo = &library.config.seo;
    let home = library.sections.get("content").map(|section| &library.pages[section.page]);
    let (Some(home), Ok(path)) = (home, ContentPath::from_disk("site.yaml")) else { return Vec::new() };
    let logo = seo.publisher.as_ref().and_then(|publisher| publisher.logo.as_deref());
    let named: [(&[&str], Option<&str>); 2] =
        [(&["seo", "image"], seo.image.as_deref()), (&["seo", "publisher", "logo"], logo)];
    let found = named.into_iter().filter_map(|(place, raw)| {
        let problem = finder.resolve(home, raw?, Kind::Image).problem?;
        Some(problem.at(&path, Config::line_of(finder.snapshot, place)))
    });
    found.collect()
}
