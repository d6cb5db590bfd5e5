//! The engine's own output formats, one file each. A static file of the site of the same name stands in for any of them.

pub(crate) mod feed;
pub(crate) mod head;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod indexnow;
pub(crate) mod llms;
pub(crate) mod redirects;
pub(crate) mod robots;
pub(crate) mod search;
pub(crate) mod sitemap;
pub(crate) mod twin;

use super::edition::Edition;

/// A format: from the edition to files, output path and text.
type Format = fn(&Edition<'_>) -> Vec<(String, String)>;

/// Every format that makes files of the whole site.
pub(crate) const FORMATS: &[Format] = &[
    feed::files,
    headers::files,
    host::files,
    indexnow::files,
    llms::files,
    redirects::files,
    robots::files,
    search::files,
    sitemap::files,
];

/// Output files that belong to the engine (or to a static file of the same name), never to a page.
pub(crate) const RESERVED: &[&str] = &[
    ".domains",
    ".nojekyll",
    "CNAME",
    "_headers",
    "_redirects",
    "atom.xml",
    "llms.txt",
    "robots.txt",
    "search.json",
    "sitemap.xml",
];
