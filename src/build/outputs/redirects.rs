//! Redirects: a stub page for every host, and `_redirects` for those that read it.

use super::super::edition::Edition;
use super::super::{context, escape};
use super::host::{self, Reads};

/// `_redirects`.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    let reads = host::reads(edition.library.config.publish.host);
    let rules = if reads.redirects { rules(edition, reads) } else { Vec::new() };
    if rules.is_empty() { Vec::new() } else { vec![("_redirects".into(), rules.concat())] }
}

/// The lines of `_redirects`, as many as the host reads: patterns before plain ones, which stub pages stand in for.
#[must_use]
pub(crate) fn rules(edition: &Edition<'_>, reads: Reads) -> Vec<String> {
    let (mut patterns, mut plain, mut bytes) = (reads.patterns, reads.plain, reads.bytes);
    let all = &edition.plan.redirects;
    let mut kept: Vec<(usize, String)> = Vec::new();
    let first = all.iter().enumerate().filter(|(_, redirect)| redirect.is_pattern());
    for (at, redirect) in first.chain(all.iter().enumerate().filter(|(_, redirect)| !redirect.is_pattern())) {
        let line = format!("{} {} {}\n", edition.base.href(&redirect.from), redirect.to, reads.status(redirect));
        let room = if redirect.is_pattern() { &mut patterns } else { &mut plain };
        if *room == 0 || kept.len() == reads.rules || line.len() > bytes {
            continue;
        }
        (*room, bytes) = (*room - 1, bytes - line.len());
        kept.push((at, line));
    }
    // As written: the first rule that fits counts.
    kept.sort_by_key(|(at, _)| *at);
    kept.into_iter().map(|(_, line)| line).collect()
}

/// The page that stands at an old address: no script, and never in a search engine in place of its target.
#[must_use]
pub(crate) fn stub(edition: &Edition<'_>, to: &str) -> String {
    let address = context::absolute(edition, to);
    let address = escape::markup(&address);
    let href = escape::markup(to);
    let lang = escape::markup(edition.tag(None, None));
    format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n<title>Moved</title>\n\
         <meta name=\"robots\" content=\"noindex\">\n<link rel=\"canonical\" href=\"{address}\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={href}\">\n</head>\n<body>\n\
         <p>This page has moved to <a href=\"{href}\">{address}</a>.</p>\n</body>\n</html>\n"
    )
}
