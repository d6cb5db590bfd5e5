//! Redirects: a stub page for every host, and `_redirects` for those that read it.

use std::fmt::Write;

use super::super::edition::Edition;
use super::super::{context, escape};

/// `_redirects`.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    if edition.plan.redirects.is_empty() {
        return Vec::new();
    }
    let mut out = String::new();
    for redirect in &edition.plan.redirects {
        let _ = writeln!(out, "{} {} 301", edition.base.href(&redirect.from), redirect.to);
    }
    vec![("_redirects".into(), out)]
}

/// The page that stands at an old address: no script, and never in a search engine in place of its target.
#[must_use]
pub(crate) fn stub(edition: &Edition<'_>, to: &str) -> String {
    let address = escape::markup(&context::absolute(edition, to));
    let href = escape::markup(to);
    let lang = escape::markup(edition.language(None));
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n<title>Moved</title>\n\
         <meta name=\"robots\" content=\"noindex\">\n<link rel=\"canonical\" href=\"{address}\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={href}\">\n</head>\n<body>\n\
         <p>This page has moved to <a href=\"{href}\">{address}</a>.</p>\n</body>\n</html>\n"
    )
}
