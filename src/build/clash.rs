//! Pages that stand in each other's way: two with one address, one inside another's bundle.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::role::Role;
use crate::model::{Config, Diagnostic, Page, PageKind, QuickMap, Severity, SharedVec};

/// A page beside an `index.md` most likely means that the folder was to be a section.
#[must_use]
pub(super) fn strangers_in_bundles(config: &Config, pages: &SharedVec<Arc<Page>>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let own = || pages.iter().filter(|page| page.kind == PageKind::Page && !page.variant);
    let is_bundle =
        |page: &&Arc<Page>| page.path.file_name().starts_with("index") && Role::of(&page.path, config).bundle;
    let bundles: BTreeSet<&str> = own().filter(is_bundle).map(|page| page.path.folder()).collect();
    if bundles.is_empty() {
        return findings;
    }
    for page in own() {
        let role = Role::of(&page.path, config);
        if !role.bundle && bundles.contains(role.parent) {
            findings.push(
                Diagnostic::new(
                    Severity::Warning,
                    "page_in_bundle",
                    page.path.clone(),
                    0,
                    format!("the page lies in the bundle of {}/index.md", role.parent),
                )
                .with_hint("Rename that index.md to _index.md to make the folder a section, or move this page out."),
            );
        }
    }
    findings
}

/// Page indexes by URL: built pages first, then the others. Two built pages with one URL are an error on both.
pub(super) fn index_urls(pages: &SharedVec<Arc<Page>>, findings: &mut Vec<Diagnostic>) -> QuickMap<String, usize> {
    let mut by_url: QuickMap<String, usize> = QuickMap::default();
    by_url.reserve(pages.len());
    for (i, page) in pages.iter().enumerate().filter(|(_, page)| page.included) {
        let Some(&first) = by_url.get(&page.url) else {
            by_url.insert(page.url.clone(), i);
            continue;
        };
        let other = &pages[first];
        for (here, there) in [(page, other), (other, page)] {
            findings.push(
                Diagnostic::new(
                    Severity::Error,
                    "duplicate_url",
                    here.path.clone(),
                    0,
                    format!("{} has the same URL {}", there.path, here.url),
                )
                .with_hint("Give one of them another `slug` or `url`.")
                .with_refers(there.path.as_str()),
            );
        }
    }
    for (i, page) in pages.iter().enumerate().filter(|(_, page)| !page.included) {
        by_url.entry(page.url.clone()).or_insert(i);
    }
    by_url
}
