//! `_headers`: a strict content security policy and its companions, for hosts that read the file.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use super::super::edition::Edition;
use super::super::escape;
use super::host;
use crate::model::config::RawHtml;
use crate::model::{Library, LinkTarget, Page};

/// More image hosts than this are allowed as `https:` altogether.
const MOST_HOSTS: usize = 10;

/// Pages with a rule of their own: hosts read some 100 rules. Beyond, the page's own head says it.
const MOST_NOINDEX: usize = 80;

/// `_headers`.
#[must_use]
pub(crate) fn files(edition: &Edition<'_>) -> Vec<(String, String)> {
    if !host::reads(edition.library.config.publish.host).headers {
        return Vec::new();
    }
    let mut out = String::new();
    for (pattern, headers) in rules(&edition.library) {
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = writeln!(out, "{pattern}");
        for (name, value) in headers {
            let _ = writeln!(out, "  {name}: {value}");
        }
    }
    vec![("_headers".into(), out)]
}

/// The headers of every address, by pattern.
#[must_use]
pub(crate) fn rules(library: &Library) -> Vec<(String, Vec<(&'static str, String)>)> {
    let mut everywhere = vec![
        ("Content-Security-Policy", policy(library)),
        ("X-Content-Type-Options", "nosniff".into()),
        ("Referrer-Policy", "strict-origin-when-cross-origin".into()),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()".into()),
        ("Cross-Origin-Opener-Policy", "same-origin".into()),
    ];
    let noindex = |value: &str| vec![("X-Robots-Tag", value.to_owned())];
    if library.config.crawlers.noindex {
        everywhere.extend(noindex("noindex"));
    }
    let mut rules = vec![("/*".to_owned(), everywhere)];
    if library.config.markdown.twins {
        let twins = vec![("Content-Type", "text/markdown; charset=utf-8".into()), ("X-Robots-Tag", "noindex".into())];
        rules.push(("/*.md".to_owned(), twins));
    }
    if !library.config.crawlers.noindex {
        // `*` and `:` would make a pattern of the address.
        let hidden = |page: &&Arc<Page>| page.included && page.noindex && !page.url.contains(['*', ':']);
        let pages = library.pages.iter().filter(hidden).take(MOST_NOINDEX);
        rules.extend(pages.map(|page| (escape::url_path(&page.url).into_owned(), noindex("noindex"))));
    }
    rules
}

fn policy(library: &Library) -> String {
    // Trusted raw HTML may embed what no link names.
    let trusted = library.config.markdown.raw_html == RawHtml::Trusted;
    let hosts = image_hosts(library);
    let images = if trusted || hosts.len() > MOST_HOSTS {
        " https:".to_owned()
    } else {
        hosts.iter().flat_map(|host| [" ", host]).collect()
    };
    let embeds = if trusted { "media-src 'self' https:; frame-src https:; " } else { "media-src 'self'; " };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:{images}; font-src 'self'; \
         connect-src 'self'; {embeds}manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Origins of the images that built pages take from elsewhere.
fn image_hosts(library: &Library) -> BTreeSet<String> {
    let pages = library.pages.iter().filter(|page| page.included);
    let links = pages.clone().flat_map(|page| &page.links).filter(|link| link.image);
    let bodies = links.filter_map(|link| match &link.target {
        LinkTarget::External => origin(&link.raw),
        _ => None,
    });
    bodies.chain(pages.filter_map(|page| page.image.as_deref().and_then(origin))).collect()
}

/// `https://host` of an address; `None` where it holds anything that could end the header.
fn origin(address: &str) -> Option<String> {
    let (scheme, rest) = match address.strip_prefix("//") {
        Some(rest) => ("https", rest),
        None => address.split_once("://")?,
    };
    let host = rest.split(['/', '?', '#']).next()?;
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'));
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    (web && plain && !host.is_empty())
        .then(|| format!("{}://{}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn origins_cannot_break_out() {
        assert_eq!(origin("https://Img.Example/a.png").as_deref(), Some("https://img.example"));
        assert_eq!(origin("//cdn.x/y").as_deref(), Some("https://cdn.x"));
        for bad in ["https://a;script-src *", "https://a b/", "https://x'\n/", "data:image/png;base64,", "mailto:a@b"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
