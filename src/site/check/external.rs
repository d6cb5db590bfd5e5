//! Links to other sites: whether what they lead to still answers. Reads from the network, so it is asked for by name only.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{ContentPath, Diagnostic, Library, LinkTarget, PageState, Progress, Severity};
use crate::outside::Guard;
use crate::outside::links::{self, LinkResult, Options, State};

/// Most time for all links: clients give up on a call after a minute.
const WHOLE: Duration = Duration::from_secs(40);

/// Asks every address that live pages in the scope link to, once.
pub(super) fn findings(
    library: &Library,
    holds: &dyn Fn(&ContentPath) -> bool,
    progress: &Progress,
) -> Vec<Diagnostic> {
    let mut places: BTreeMap<String, Vec<(&ContentPath, usize)>> = BTreeMap::new();
    for page in library.pages.iter().filter(|page| page.state == PageState::Live && holds(&page.path)) {
        for link in &page.links {
            if link.target != LinkTarget::External {
                continue;
            }
            let raw = &link.raw;
            let whole = raw.strip_prefix("//").map_or_else(|| raw.clone(), |rest| format!("https://{rest}"));
            let url = whole.split('#').next().unwrap_or_default();
            if url.starts_with("http://") || url.starts_with("https://") {
                places.entry(url.to_owned()).or_default().push((&page.path, link.line));
            }
        }
    }
    let urls: Vec<String> = places.keys().cloned().collect();
    let guard = Guard::new(&library.config.fetch);
    let results = links::check(&urls, &guard, &Options { whole: WHOLE, ..Options::default() }, progress);
    let mut found = Vec::new();
    for result in results.iter().filter(|result| result.state != State::Ok) {
        for (path, line) in places.get(&result.url).into_iter().flatten() {
            found.push(finding(result, (*path).clone(), *line));
        }
    }
    found
}

fn finding(result: &LinkResult, path: ContentPath, line: usize) -> Diagnostic {
    let url = &result.url;
    let (severity, code, message, hint) = match (result.state, &result.location) {
        (State::Broken, _) => (
            Severity::Warning,
            "external_link_broken",
            format!("{url} leads to nothing: {}", result.reason),
            "Find where it moved, or take the link out.".to_owned(),
        ),
        (State::Redirected, Some(location)) => (
            Severity::Info,
            "external_link_moved",
            format!("{url} has moved for good"),
            format!("Link to {location} instead; text_replace does it everywhere."),
        ),
        _ => (
            Severity::Info,
            "external_link_unknown",
            format!("{url} could not be told: {}", result.reason),
            "Look at it with a browser, or check again later.".to_owned(),
        ),
    };
    Diagnostic::new(severity, code, path, line, message).with_hint(hint)
}
