//! What is wrong with a link, and what was probably meant.

use super::links::{Finder, Inside, Kind, join};
use super::{address, escape, near, reads};
use crate::model::{ContentPath, Diagnostic, Page, PageState, Severity};

/// What is wrong with a link.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// How bad it is.
    pub(super) severity: Severity,
    /// Rule.
    pub(super) code: &'static str,
    /// The fact.
    pub(super) message: String,
    /// What to do.
    pub(super) hint: String,
    /// Site-relative path looked for.
    pub(super) refers: Option<String>,
}

impl Problem {
    /// As a finding.
    #[must_use]
    pub(crate) fn at(self, path: &ContentPath, line: usize) -> Diagnostic {
        let finding = Diagnostic::new(self.severity, self.code, path.clone(), line, self.message).with_hint(self.hint);
        match self.refers {
            Some(refers) => finding.with_refers(refers),
            None => finding,
        }
    }
}

impl Finder<'_> {
    pub(super) fn anchor_problem(&self, from: &Page, page: &Page, kind: Kind, fragment: &str) -> Option<Problem> {
        reads::anchors(self.library.by_path.get(&page.path).copied());
        let fragment = Self::fragment(kind, fragment);
        let wanted = escape::percent_decode(&fragment);
        if wanted.is_empty()
            || wanted == "top"
            || wanted.starts_with(":~:")
            || page.outline.iter().any(|h| h.id == wanted)
        {
            return None;
        }
        // Ids may also come from raw HTML, footnotes and shortcodes.
        let source = self.library.by_path.get(&page.path).and_then(|&i| self.sources[i].as_ref());
        if source.is_some_and(|source| source.anchors.iter().any(|anchor| *anchor == wanted))
            || wanted.starts_with("fn")
        {
            return None;
        }
        let unsure = source.is_some_and(|source| source.calls);
        let ids: Vec<&str> = page.outline.iter().map(|h| h.id.as_str()).collect();
        let nearest = near::nearest(&wanted, ids.iter().copied());
        let hint = match nearest.first() {
            Some(id) => format!("Did you mean `#{id}`?"),
            None if ids.is_empty() => "Take the fragment off: that page has no headings.".into(),
            None => format!(
                "Use one of its headings: {}.",
                ids.iter().take(5).map(|id| format!("`#{id}`")).collect::<Vec<_>>().join(", ")
            ),
        };
        Some(Problem {
            severity: if unsure || !from.included { Severity::Warning } else { Severity::Error },
            code: "broken_anchor",
            message: format!("{} has no heading with id `{wanted}`", page.path),
            hint,
            refers: Some(page.path.as_str().to_owned()),
        })
    }

    pub(super) fn broken(&self, from: &Page, raw: &str, path: &str, kind: Kind) -> Problem {
        let file = kind == Kind::Image || has_file_ending(path);
        let refers = looked_for(from, path, file);
        let near = if file { self.near_files(&refers) } else { self.near_pages(path) };
        let hint = if near.is_empty() {
            if file {
                format!("Put the file at {refers}, or correct the path.")
            } else {
                "Link to a page that exists, or create it.".into()
            }
        } else {
            format!("Did you mean {}?", near.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or "))
        };
        Problem {
            severity: if from.included { Severity::Error } else { Severity::Warning },
            code: if file { "missing_asset" } else { "broken_link" },
            message: format!("`{raw}` leads to nothing on this site"),
            hint,
            refers: Some(refers),
        }
    }

    /// A page that a wikilink names by its address, or by an old one.
    pub(super) fn addressed(&self, name: &str) -> Option<Inside> {
        let url = address::clean(&format!("/{}/", name.trim().trim_matches('/')))?;
        let page = self.library.by_url.get(&url).or_else(|| self.names.by_alias(&url));
        page.map(|&i| Inside::Page(i))
    }

    fn near_pages(&self, path: &str) -> Vec<String> {
        let stem = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
        let stem = stem.strip_suffix(".md").unwrap_or(stem);
        let shown = |i: &usize| self.library.pages[*i].path.as_str().trim_start_matches("content/").to_owned();
        let same: Vec<String> = self.names.get(stem).iter().take(3).map(shown).collect();
        if !same.is_empty() {
            return same;
        }
        let urls = self.library.pages.iter().take(near::MOST).map(|page| (last_segment(&page.url), page.path.as_str()));
        near::nearest_by(stem, urls).into_iter().map(|path| path.trim_start_matches("content/").to_owned()).collect()
    }

    fn near_files(&self, wanted: &str) -> Vec<String> {
        let name = wanted.rsplit('/').next().unwrap_or(wanted);
        let files = self
            .snapshot
            .under("content")
            .chain(self.snapshot.under("static"))
            .filter(|(path, _)| path.kind() != crate::model::PathKind::Page)
            .take(near::MOST)
            .map(|(path, _)| (path.file_name(), path));
        near::nearest_by(name, files)
            .into_iter()
            .map(|path| path.as_str().strip_prefix("static").unwrap_or(path.as_str()).to_owned())
            .collect()
    }
}

pub(super) fn draft_problem(raw: &str, page: &Page) -> Problem {
    let what = match page.state {
        PageState::Scheduled => "scheduled",
        PageState::Expired => "expired",
        PageState::Draft | PageState::Live => "a draft",
    };
    Problem {
        severity: Severity::Warning,
        code: "link_to_draft",
        message: format!("`{raw}` leads to {}, which is {what} and not part of the build", page.path),
        hint: "Publish that page too, or take the link out.".into(),
        refers: Some(page.path.as_str().to_owned()),
    }
}

/// The site-relative path a broken link looks for.
fn looked_for(from: &Page, path: &str, file: bool) -> String {
    let path = path.strip_prefix("@/").map_or(path.to_owned(), |rest| format!("/{rest}"));
    if file && !is_markdown(&path) {
        return match path.strip_prefix('/') {
            Some(rest) => format!("static/{rest}"),
            None => join(from.path.folder(), &path).unwrap_or(path),
        };
    }
    let full = match path.strip_prefix('/') {
        Some(rest) => format!("content/{rest}"),
        None => join(from.path.folder(), &path).unwrap_or(path),
    };
    let full = full.trim_end_matches('/');
    if is_markdown(full) { full.to_owned() } else { format!("{full}.md") }
}

fn is_markdown(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("md"))
}

fn has_file_ending(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, ending)| {
        (1..=5).contains(&ending.len())
            && !matches!(ending, "md" | "markdown" | "html" | "htm")
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
            && ending.starts_with(|c: char| c.is_ascii_alphabetic())
    })
}

fn last_segment(url: &str) -> &str {
    url.trim_matches('/').rsplit('/').next().unwrap_or_default()
}
