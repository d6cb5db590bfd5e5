//! The engine's own output formats, one file each. A static file of the site of the same name stands in for any of them.

pub(crate) mod feed;
pub(crate) mod head;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod indexnow;
pub(crate) mod json_ld;
pub(crate) mod llms;
pub(crate) mod redirects;
pub(crate) mod robots;
pub(crate) mod search;
pub(crate) mod sitemap;
pub(crate) mod twin;

use super::edition::Edition;
use super::translations;
use crate::model::Config;

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

/// Whether an output file is the engine's own: links may lead to it, pages may not stand there.
#[must_use]
pub(crate) fn is_reserved(config: &Config, path: &str) -> bool {
    RESERVED.contains(&path)
        || is_feed(config, path)
        || config.further_languages().any(|tag| {
            let below = path.strip_prefix(translations::home_url(Some(tag)).trim_start_matches('/'));
            below.is_some_and(|name| is_feed(config, name) || name == search::FILE)
        })
}

/// Whether a feed of the site is called so.
#[must_use]
pub(crate) fn is_feed(config: &Config, name: &str) -> bool {
    config.feed.formats.iter().any(|format| format.file() == name)
}

/// Output files that belong to the engine (or to a static file of the same name), never to a page.
const RESERVED: &[&str] = &[
    ".domains",
    ".nojekyll",
    "CNAME",
    "_headers",
    "_redirects",
    "llms.txt",
    "robots.txt",
    search::FILE,
    "sitemap.xml",
];
