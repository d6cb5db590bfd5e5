//! Finds text in the site's sources, a page of matches at a time.

use super::super::Site;
use super::super::mend;
use super::super::scope::Files;
use super::pattern::{How, Pattern, unified};
use crate::error::{Error, Result};
use crate::model::{ContentPath, File, Progress};

/// Matches in a reply where the caller names no limit.
const DEFAULT_LIMIT: usize = 50;
/// Most matches a caller may ask for at once.
const MAX_LIMIT: usize = 500;
/// Most lines around a match.
const MAX_CONTEXT: usize = 10;
/// Characters of an excerpt, and of each line around it.
const EXCERPT: usize = 160;
/// Of them, how many stand before the match.
const LEAD: usize = 60;

/// What to look for, and where.
#[derive(Debug, Clone, Default)]
pub struct SearchQuery {
    /// The text or expression.
    pub text: String,
    /// How it is meant.
    pub how: How,
    /// Where: pages, sections, folders, globs, kinds; empty: every page.
    pub scope: Vec<String>,
    /// Lines before and after each match, 0 to 10.
    pub context: usize,
    /// Matches at most, 1 to 500; 0: the default of 50.
    pub limit: usize,
    /// Where the last reply ended.
    pub cursor: Option<String>,
}

/// One place where the text occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The file.
    pub path: ContentPath,
    /// URL path, where the file is a page.
    pub url: Option<String>,
    /// 1-based line in the file.
    pub line: usize,
    /// 1-based column, in characters.
    pub column: usize,
    /// The line or lines of the match, cut around it.
    pub excerpt: String,
    /// Lines before it, as many as asked for.
    pub before: Vec<String>,
    /// Lines after it.
    pub after: Vec<String>,
}

impl Match {
    /// Hand this back to go on behind it.
    #[must_use]
    pub fn cursor(&self) -> String {
        format!("{}:{}:{}", self.path, self.line, self.column)
    }
}

/// One part of what was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Matches in all parts together.
    pub total: usize,
    /// Files with a match.
    pub files: usize,
    /// The matches of this part, in path and line order.
    pub items: Vec<Match>,
    /// Whether there are more behind the last item.
    pub more: bool,
}

/// Searches the working tree's text.
///
/// # Errors
/// `InvalidArguments` for a pattern that cannot be used or a cursor of another list, `NotFound` for an unknown name in the scope.
pub fn search(site: &Site, query: &SearchQuery, progress: &Progress) -> Result<Found> {
    let pattern = Pattern::compile("query", &query.text, query.how)?;
    let start = query.cursor.as_deref().map(cursor).transpose()?;
    let (snapshot, built) = mend::working(site, progress)?;
    let files = Files::parse(&built.library, &snapshot, &query.scope)?;
    let limit = match query.limit {
        0 => DEFAULT_LIMIT,
        limit => limit.min(MAX_LIMIT),
    };
    let context = query.context.min(MAX_CONTEXT);
    let mut found = Found::default();
    for path in files.of(&snapshot) {
        progress.proceed()?;
        let Some(text) = snapshot.get(path).and_then(File::text) else { continue };
        let (text, _) = unified(text);
        let before = found.total;
        let mut lines = Lines { text: &text, line: 1, start: 0, at: 0 };
        for place in pattern.matches(&text) {
            let (from, to) = place?;
            found.total += 1;
            let full = found.items.len() >= limit;
            // Behind the last item nothing but the count is of interest.
            if full {
                found.more = true;
                continue;
            }
            let (line, column) = lines.place(from);
            let behind =
                start.as_ref().is_none_or(|(file, l, c)| (path.as_str(), line, column) > (file.as_str(), *l, *c));
            if !behind {
                continue;
            }
            let url = built.library.by_path.get(path).map(|&index| built.library.pages[index].url.clone());
            let (before, after) = around(&text, from, to, context);
            let excerpt = excerpt(&text, lines.start, from, to);
            site.effects().read(path, snapshot.get(path).map(|file| file.id));
            found.items.push(Match { path: path.clone(), url, line, column, excerpt, before, after });
        }
        found.files += usize::from(found.total > before);
    }
    Ok(found)
}

/// `path:line:column`.
fn cursor(text: &str) -> Result<(String, usize, usize)> {
    let mut parts = text.rsplitn(3, ':');
    let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok());
    let (column, line) = (number(), number());
    match (parts.next(), line, column) {
        (Some(path), Some(line), Some(column)) if !path.is_empty() => Ok((path.to_owned(), line, column)),
        _ => Err(Error::InvalidArguments {
            field: "cursor".into(),
            problem: "it is no next_cursor of a search".into(),
            example: "leave `cursor` out to start again".into(),
        }),
    }
}

/// Counts lines on the way through a text.
struct Lines<'a> {
    text: &'a str,
    line: usize,
    /// Where the line begins.
    start: usize,
    at: usize,
}

impl Lines<'_> {
    /// Line and column of an offset that is not before the last one.
    fn place(&mut self, offset: usize) -> (usize, usize) {
        let passed = &self.text[self.at..offset];
        if let Some(last) = passed.rfind('\n') {
            self.line += passed.matches('\n').count();
            self.start = self.at + last + 1;
        }
        self.at = offset;
        (self.line, self.text[self.start..offset].chars().count() + 1)
    }
}

/// The lines a match stands in, cut around it.
fn excerpt(text: &str, line_start: usize, from: usize, to: usize) -> String {
    let line_end = text[to..].find('\n').map_or(text.len(), |at| to + at);
    let before: Vec<char> = text[line_start..from].chars().rev().take(LEAD + 1).collect();
    let mut out = String::new();
    if before.len() > LEAD {
        out.push('…');
    }
    out.extend(before.iter().take(LEAD).rev());
    let room = EXCERPT - before.len().min(LEAD);
    let mut rest = text[from..line_end].chars();
    out.extend(rest.by_ref().take(room));
    if rest.next().is_some() {
        out.push('…');
    }
    out.trim_end_matches('\r').replace("\r\n", "\n")
}

/// Lines before and after a match.
fn around(text: &str, from: usize, to: usize, context: usize) -> (Vec<String>, Vec<String>) {
    let short = |line: &str| line.trim_end_matches('\r').chars().take(EXCERPT).collect::<String>();
    if context == 0 {
        return (Vec::new(), Vec::new());
    }
    let head = text[..from].rfind('\n').map_or("", |at| &text[..at]);
    let mut before: Vec<String> = head.rsplit('\n').take(context).map(short).collect();
    if head.is_empty() {
        before.clear();
    }
    before.reverse();
    let tail = text[to..].find('\n').map_or("", |at| &text[to + at + 1..]);
    (before, tail.lines().take(context).map(short).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_cut_around_its_match() {
        let text = format!("{}needle{}\nnext", "a".repeat(200), "b".repeat(300));
        let short = excerpt(&text, 0, 200, 206);
        assert!(short.starts_with("…aaa") && short.contains("aneedleb") && short.ends_with("b…"), "{short}");
        assert!(short.chars().count() <= EXCERPT + 2, "{short}");
        assert_eq!(excerpt("one two\r\nthree", 0, 4, 7), "one two");
    }

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let text = "äb\ncd äx";
        let mut lines = Lines { text, line: 1, start: 0, at: 0 };
        assert_eq!(lines.place(2), (1, 2));
        assert_eq!(lines.place(text.find('x').unwrap()), (2, 5));
    }

    #[test]
    fn context_stops_at_the_ends_of_the_text() {
        let text = "1\n2\n3\n4\n";
        assert_eq!(around(text, 0, 1, 2), (vec![], vec!["2".into(), "3".into()]));
        assert_eq!(around(text, 6, 7, 2), (vec!["2".into(), "3".into()], vec![]));
    }
}
