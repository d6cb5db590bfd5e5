//! Reads pages: front matter, body, rendered content, outline, backlinks, history.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::{Site, address};
use super::list::{self, ListQuery};
use crate::build::{Built, Scope};
use crate::error::{Error, Result};
use crate::model::front_matter::FrontMatter;
use crate::model::{BlobId, ContentPath, Diagnostic, File, Heading, Page, Progress, Snapshot};
use crate::store::{HistoryFilter, Revision};

/// Revisions per page in a reply.
const HISTORY: usize = 10;
/// Pages in one call.
const MAX_PAGES: usize = 50;

/// What to return of each page besides path, url, title and etag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Include {
    /// Front matter as values.
    FrontMatter,
    /// The Markdown after the front matter.
    Body,
    /// Rendered main content.
    Html,
    /// Rendered main content as plain text.
    Text,
    /// Headings.
    Outline,
    /// Pages that link here.
    Backlinks,
    /// Findings about the page.
    Diagnostics,
    /// Latest revisions.
    History,
}

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct GetQuery {
    /// Pages by URL path or content path.
    pub paths: Vec<String>,
    /// What to return of each.
    pub include: BTreeSet<Include>,
    /// Only these lines of the body, 1-based, both ends included.
    pub lines: Option<(usize, usize)>,
    /// As it was at this revision.
    pub revision: Option<String>,
    /// Who follows the call.
    pub progress: Progress,
}

/// One page as read; fields not asked for are `None`.
#[derive(Debug)]
pub struct PageView {
    /// The page in the library (title, url, state and so on).
    pub page: Arc<Page>,
    /// Blob id of the file; `None` for a section without `_index.md`.
    pub etag: Option<BlobId>,
    /// The Markdown after the front matter, without the blank lines before it.
    pub body: Option<String>,
    /// Lines of the whole body.
    pub body_lines: usize,
    /// Rendered main content.
    pub html: Option<Arc<str>>,
    /// Rendered main content as plain text.
    pub text: Option<String>,
    /// Headings.
    pub outline: Option<Vec<Heading>>,
    /// Pages that link here: path, url, title.
    pub backlinks: Option<Vec<(ContentPath, String, String)>>,
    /// Findings.
    pub diagnostics: Option<Vec<Diagnostic>>,
    /// Latest revisions that touched it.
    pub history: Option<Vec<Revision>>,
}

/// Reads pages.
///
/// # Errors
/// `NotFound` with near matches for the first unknown page; `InvalidArguments`.
pub fn get(site: &Site, query: &GetQuery) -> Result<Vec<PageView>> {
    if query.paths.is_empty() || query.paths.len() > MAX_PAGES {
        return Err(Error::InvalidArguments {
            field: "paths".into(),
            problem: format!("got {} pages, expected 1 to {MAX_PAGES}", query.paths.len()),
            example: "{\"paths\": [\"/blog/hello/\"]}".into(),
        });
    }
    let progress = query.progress.part(0.0, 0.6);
    let (snapshot, built) = match &query.revision {
        Some(revision) => {
            let snapshot = site.repository().snapshot_at(&site.repository().resolve(revision)?)?;
            let built = site.library_followed(&snapshot, false, &progress)?;
            (snapshot, built)
        }
        None => site.working_followed(&progress)?,
    };
    let indexes = named(&built, &query.paths)?;
    let rendered = rendered(site, &snapshot, &built, &indexes, query)?;
    indexes.into_iter().map(|index| view(site, &snapshot, &built, rendered.as_ref(), index, query)).collect()
}

/// The pages that are named, each once, in the order of the names; a glob stands for all that match it.
fn named(built: &Built, names: &[String]) -> Result<Vec<usize>> {
    let mut indexes = Vec::new();
    for name in names {
        if name.contains('*') {
            let glob = ListQuery { glob: Some(name.clone()), ..ListQuery::default() };
            indexes.extend(list::select(&built.library, &glob, &BTreeSet::new())?);
        } else {
            indexes.push(address::page(&built.library, name)?);
        }
    }
    let mut seen = BTreeSet::new();
    indexes.retain(|index| seen.insert(*index));
    if indexes.is_empty() || indexes.len() > MAX_PAGES {
        return Err(Error::InvalidArguments {
            field: "paths".into(),
            problem: format!("they match {} pages, expected 1 to {MAX_PAGES}", indexes.len()),
            example: "a narrower glob such as \"blog/2026-*.md\", or the paths that page_list replies".into(),
        });
    }
    Ok(indexes)
}

/// The same pages with their HTML, where it is asked for.
fn rendered(
    site: &Site,
    snapshot: &Snapshot,
    built: &Built,
    indexes: &[usize],
    query: &GetQuery,
) -> Result<Option<Built>> {
    if !query.include.contains(&Include::Html) && !query.include.contains(&Include::Text) {
        return Ok(None);
    }
    site.effects().rendered();
    let paths = indexes.iter().map(|&index| built.library.pages[index].path.clone()).collect();
    site.build_followed(snapshot, Scope::Pages(paths), true, None, &query.progress.part(0.6, 1.0)).map(Some)
}

fn view(
    site: &Site,
    snapshot: &Snapshot,
    built: &Built,
    rendered: Option<&Built>,
    index: usize,
    query: &GetQuery,
) -> Result<PageView> {
    let page = Arc::clone(&built.library.pages[index]);
    let wants = |include| query.include.contains(&include);
    site.effects().read(&page.path, page.blob);
    let file_text = snapshot.get(&page.path).and_then(File::text).unwrap_or_default();
    let body = body_of(&page, file_text);
    let html = rendered.and_then(|rendered| rendered.html(&page.path)).cloned();
    let backlinks = wants(Include::Backlinks).then(|| {
        let linking = built.library.backlinks.get(&index).into_iter().flatten();
        linking.map(|&at| &built.library.pages[at]).map(|p| (p.path.clone(), p.url.clone(), p.title.clone())).collect()
    });
    let history = if wants(Include::History) {
        let filter = HistoryFilter { paths: vec![page.path.to_string()], limit: HISTORY, ..HistoryFilter::default() };
        Some(site.repository().history(&filter)?.0)
    } else {
        None
    };
    Ok(PageView {
        etag: page.blob,
        body_lines: body.lines().count(),
        body: wants(Include::Body).then(|| lines_of(body, query.lines)),
        text: html.as_deref().filter(|_| wants(Include::Text)).map(plain_text),
        html: html.filter(|_| wants(Include::Html)),
        outline: wants(Include::Outline).then(|| page.outline.clone()),
        backlinks,
        diagnostics: wants(Include::Diagnostics)
            .then(|| built.diagnostics.iter().filter(|d| d.path == page.path).cloned().collect()),
        history,
        page,
    })
}

/// The body without the blank lines that separate it from the front matter.
fn body_of<'a>(page: &Page, text: &'a str) -> &'a str {
    let offset = FrontMatter::parse(page.path.as_str(), text).map_or(0, |front_matter| front_matter.body_offset);
    strip_blank_lines(text.get(offset..).unwrap_or_default())
}

/// Without leading blank lines.
pub(super) fn strip_blank_lines(mut body: &str) -> &str {
    while let Some((line, rest)) = body.split_once('\n') {
        if !line.trim().is_empty() {
            break;
        }
        body = rest;
    }
    body
}

fn lines_of(body: &str, lines: Option<(usize, usize)>) -> String {
    match lines {
        None => body.to_owned(),
        Some((first, last)) => {
            let first = first.max(1);
            body.split_inclusive('\n').skip(first - 1).take((last + 1).saturating_sub(first)).collect()
        }
    }
}

/// Rendered content as text: tags dropped, block ends as line breaks, entities decoded.
#[must_use]
pub fn plain_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('>') else { break };
        let tag = rest[at + 1..at + end].trim_start_matches('/');
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        if matches!(
            name.as_str(),
            "p" | "br"
                | "li"
                | "tr"
                | "div"
                | "pre"
                | "blockquote"
                | "h1"
                | "h2"
                | "h3"
                | "h4"
                | "h5"
                | "h6"
                | "dt"
                | "dd"
                | "figure"
        ) {
            out.push('\n');
        } else if matches!(name.as_str(), "td" | "th") {
            out.push(' ');
        }
        rest = &rest[at + end + 1..];
    }
    if !rest.contains('<') {
        out.push_str(rest);
    }
    let decoded = out
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
    let mut lines: Vec<&str> = Vec::new();
    for line in decoded.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_text() {
        assert_eq!(
            plain_text("<h1 id=\"a\">A &amp; B</h1>\n<p>one<br>two</p><ul><li>x</li></ul>"),
            "A & B\n\none\ntwo\n\nx"
        );
    }

    #[test]
    fn lines_are_cut_out_of_the_body() {
        assert_eq!(lines_of("a\nb\nc\nd\n", Some((2, 3))), "b\nc\n");
        assert_eq!(lines_of("a\nb", Some((0, 1))), "a\n");
        assert_eq!(lines_of("a\nb", Some((9, 3))), "");
    }
}
