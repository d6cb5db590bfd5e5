//! The engine's own output formats, one file each. A static file of the site of the same name stands in for any of them.

pub mod feed;
pub mod head;
pub mod headers;
pub mod llms;
pub mod redirects;
pub mod robots;
pub mod search;
pub mod sitemap;
pub mod twin;

use super::edition::Edition;

/// A format: from the edition to files, output path and text.
type Format = fn(&Edition<'_>) -> Vec<(String, String)>;

/// Every format that makes files of the whole site.
pub const FORMATS: &[Format] =
    &[feed::files, headers::files, llms::files, redirects::files, robots::files, search::files, sitemap::files];

/// Output files that belong to the engine (or to a static file of the same name), never to a page.
pub const RESERVED: &[&str] = &[
    ".nojekyll", "_headers", "_redirects", "atom.xml", "llms.txt", "robots.txt", "search.json", "sitemap.xml",
];
