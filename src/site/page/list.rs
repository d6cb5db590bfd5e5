//! Lists pages by section, glob, term, status and text.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{Site, address};
use crate::build::Built;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Library, Page, PageKind, PageState, Progress};

/// Items on a page of the list where the caller names no limit.
const DEFAULT_LIMIT: usize = 50;
/// Most items a caller may ask for at once.
const MAX_LIMIT: usize = 500;

/// Which pages, by the state they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListStatus {
    /// Part of the published build.
    Live,
    /// `draft: true`.
    Draft,
    /// Differs from what is live.
    Changed,
    /// Date in the future.
    Scheduled,
    /// Past its expiry.
    Expired,
}

/// Order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// By content path.
    #[default]
    Path,
    /// Newest date first; undated last.
    Date,
    /// By title.
    Title,
    /// Last change first (`updated`, else `date`).
    Updated,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Only pages below this section (`blog`, `/blog/`, `content/blog`).
    pub section: Option<String>,
    /// Only content paths that match (`blog/2026-*.md`, `**/index.md`).
    pub glob: Option<String>,
    /// Only pages with this term, `tags:rust` or `rust` (any taxonomy).
    pub term: Option<String>,
    /// Only pages in this state.
    pub status: Option<ListStatus>,
    /// Only pages whose title, description or URL contains this, ignoring case.
    pub text: Option<String>,
    /// Order.
    pub sort: Sort,
    /// Items at most, 1 to 500; 0: the default of 50.
    pub limit: usize,
    /// Where the last list ended.
    pub cursor: Option<String>,
    /// Who follows the call.
    pub progress: Progress,
}

/// One part of a list.
#[derive(Debug)]
pub struct Listing {
    /// The build the indexes belong to.
    pub built: Arc<Built>,
    /// Pages in all parts together.
    pub total: usize,
    /// Indexes into the library's pages.
    pub items: Vec<usize>,
    /// Paths that differ from what is live.
    pub changed: BTreeSet<ContentPath>,
    /// Hand this back for the next part; `None`: this was the last.
    pub next_cursor: Option<String>,
}

/// Lists pages of the working tree.
///
/// # Errors
/// `InvalidArguments` for a cursor of another list, `NotFound` for an unknown section.
pub fn list(site: &Site, query: &ListQuery) -> Result<Listing> {
    let (_, built) = site.working_followed(&query.progress)?;
    let changed: BTreeSet<ContentPath> = site
        .repository()
        .status_followed(&query.progress)?
        .unpublished
        .into_iter()
        .map(|unpublished| unpublished.change.path)
        .collect();
    let mut items = select(&built.library, query, &changed)?;
    sort(&built.library, &mut items, query.sort);
    let start = match &query.cursor {
        Some(cursor) => start_after(&built.library, &items, cursor)?,
        None => 0,
    };
    let limit = match query.limit {
        0 => DEFAULT_LIMIT,
        limit => limit.min(MAX_LIMIT),
    };
    let total = items.len();
    let part: Vec<usize> = items.into_iter().skip(start).take(limit).collect();
    let shown = part.iter().map(|&index| &built.library.pages[index]);
    for page in shown {
        site.effects().read(&page.path, page.blob);
    }
    let next_cursor = match part.last() {
        Some(&last) if start + part.len() < total => Some(address::shown(&built.library.pages[last].path).to_owned()),
        _ => None,
    };
    Ok(Listing { built, total, items: part, changed, next_cursor })
}

/// Indexes of the pages that match, in path order.
pub(super) fn select(library: &Library, query: &ListQuery, changed: &BTreeSet<ContentPath>) -> Result<Vec<usize>> {
    let section = query.section.as_deref().map(|name| section_folder(library, name)).transpose()?;
    let text = query.text.as_deref().map(str::to_lowercase);
    let matches = |page: &Page| {
        page.exists
            && section.as_deref().is_none_or(|folder| below(page.path.as_str(), folder))
            && query.glob.as_deref().is_none_or(|glob| glob_matches(glob, page))
            && query.term.as_deref().is_none_or(|term| has_term(page, term))
            && query.status.is_none_or(|status| in_status(page, status, changed))
            && text.as_deref().is_none_or(|text| contains_text(page, text))
    };
    Ok((0..library.pages.len()).filter(|&index| matches(&library.pages[index])).collect())
}

fn section_folder(library: &Library, name: &str) -> Result<String> {
    let trimmed = name.trim().trim_matches('/');
    let trimmed = trimmed.strip_prefix("content").map_or(trimmed, |rest| rest.trim_start_matches('/'));
    let trimmed = trimmed.trim_end_matches("_index.md").trim_end_matches('/');
    let folder = if trimmed.is_empty() { "content".to_owned() } else { format!("content/{trimmed}") };
    if library.languages().any(|language| library.sections_in(language).contains_key(&folder)) {
        return Ok(folder);
    }
    // A section may be named by its URL as well.
    if let Ok(index) = address::page(library, &format!("/{trimmed}/")) {
        let page = &library.pages[index];
        if page.kind != PageKind::Page {
            return Ok(page.path.folder().to_owned());
        }
    }
    let mut near: Vec<String> = library
        .sections
        .keys()
        .map(|key| key.trim_start_matches("content").trim_start_matches('/').to_owned())
        .collect();
    near.retain(|key| !key.is_empty());
    near.sort_by_key(|key| usize::MAX - (similar::TextDiff::from_chars(trimmed, key).ratio() * 1000.0) as usize);
    near.truncate(3);
    Err(Error::NotFound { kind: "section", name: name.to_owned(), near })
}

fn below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn has_term(page: &Page, wanted: &str) -> bool {
    let (taxonomy, term) = match wanted.split_once(':') {
        Some((taxonomy, term)) => (Some(taxonomy.trim()), term.trim()),
        None => (None, wanted.trim()),
    };
    page.terms
        .iter()
        .filter(|(key, _)| taxonomy.is_none_or(|taxonomy| key.eq_ignore_ascii_case(taxonomy)))
        .any(|(_, terms)| terms.iter().any(|name| name.to_lowercase() == term.to_lowercase()))
}

fn in_status(page: &Page, status: ListStatus, changed: &BTreeSet<ContentPath>) -> bool {
    match status {
        ListStatus::Live => page.state == PageState::Live,
        ListStatus::Draft => page.state == PageState::Draft,
        ListStatus::Scheduled => page.state == PageState::Scheduled,
        ListStatus::Expired => page.state == PageState::Expired,
        ListStatus::Changed => changed.contains(&page.path),
    }
}

fn contains_text(page: &Page, text: &str) -> bool {
    let has = |field: &str| field.to_lowercase().contains(text);
    has(&page.title) || page.description.as_deref().is_some_and(has) || has(&page.url)
}

/// Whether a page's content path matches a glob: `*` within one folder, `**` across folders, `?` one character.
fn glob_matches(glob: &str, page: &Page) -> bool {
    let glob = glob.trim().trim_start_matches('/');
    let glob = glob.strip_prefix("content/").unwrap_or(glob);
    wildcard(glob, address::shown(&page.path))
}

/// Matches by remembering the last star, so that no pattern takes more than quadratic time.
pub(in crate::site) fn wildcard(pattern: &str, text: &str) -> bool {
    // `a/**/b` also means `a/b`.
    let pattern: Vec<char> = pattern.replace("**/", "\u{1}").replace("**", "\u{1}").chars().collect();
    let text: Vec<char> = text.chars().collect();
    let mut reachable = vec![false; text.len() + 1];
    reachable[0] = true;
    for &p in &pattern {
        let mut next = vec![false; text.len() + 1];
        match p {
            '\u{1}' => {
                let mut open = false;
                for i in 0..=text.len() {
                    open |= reachable[i];
                    next[i] = open;
                }
            }
            '*' => {
                let mut open = false;
                for i in 0..=text.len() {
                    open |= reachable[i];
                    next[i] = open;
                    open &= i < text.len() && text[i] != '/';
                }
            }
            _ => {
                for i in 0..text.len() {
                    next[i + 1] = reachable[i] && (p == text[i] || (p == '?' && text[i] != '/'));
                }
            }
        }
        reachable = next;
    }
    reachable[text.len()]
}

fn sort(library: &Library, items: &mut [usize], sort: Sort) {
    let page = |index: &usize| &library.pages[*index];
    match sort {
        Sort::Path => {}
        Sort::Title => items.sort_by_cached_key(|index| (page(index).title.to_lowercase(), page(index).path.clone())),
        Sort::Date => {
            items.sort_by(|a, b| page(b).date.cmp(&page(a).date).then_with(|| page(a).path.cmp(&page(b).path)));
        }
        Sort::Updated => items.sort_by(|a, b| {
            let moment = |page: &Page| page.updated.clone().or_else(|| page.date.clone());
            moment(page(b)).cmp(&moment(page(a))).then_with(|| page(a).path.cmp(&page(b).path))
        }),
    }
}

fn start_after(library: &Library, items: &[usize], cursor: &str) -> Result<usize> {
    let at = items.iter().position(|&index| address::shown(&library.pages[index].path) == cursor);
    at.map(|at| at + 1).ok_or_else(|| Error::InvalidArguments {
        field: "cursor".into(),
        problem: "it does not belong to this list, or its page is gone".into(),
        example: "leave `cursor` out to start again".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::wildcard;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("blog/*.md", "blog/a.md", true),
            ("blog/*.md", "blog/x/a.md", false),
            ("**/*.md", "a.md", true),
            ("**/a.md", "x/y/a.md", true),
            ("blog/**", "blog/x/a.md", true),
            ("blog/2026-??-*.md", "blog/2026-01-x.md", true),
            ("*", "a/b", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(wildcard(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_stay_cheap() {
        assert!(!wildcard(&"*a".repeat(50), &"a".repeat(40)));
    }
}
