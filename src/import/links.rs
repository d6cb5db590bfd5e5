//! Links between files of a source, put right where the files do not lie as they did.

use std::collections::BTreeMap;

use super::body::{self, Part};
use super::{Kind, Options, PlannedPage};
use crate::model::{ContentPath, FrontMatter, PathKind, relative};

/// Everything a link can name.
struct Places<'a> {
    moved: &'a BTreeMap<String, ContentPath>,
    /// By the address it had; filled where addresses change.
    urls: BTreeMap<String, ContentPath>,
    /// Folder of the source that links are counted from.
    root: &'static str,
}

/// Rewrites links to files that have moved against each other.
pub(super) fn retarget(
    kind: Kind,
    options: &Options,
    pages: &mut [PlannedPage],
    moved: &BTreeMap<String, ContentPath>,
) {
    let section = options.section.trim_matches('/');
    let mut urls = BTreeMap::new();
    if !section.is_empty() {
        for page in pages.iter() {
            let old = page.url.as_deref().and_then(|url| url.strip_prefix(&format!("/{section}")));
            if let Some(old) = old {
                urls.insert(old.trim_end_matches('/').to_owned(), page.target.clone());
            }
        }
    }
    let root = if matches!(kind, Kind::Hugo | Kind::Zola) { "content/" } else { "" };
    let places = Places { moved, urls, root };
    for page in pages {
        let Ok(front) = FrontMatter::parse(&page.source, &page.text) else { continue };
        let (head, text) = page.text.split_at(front.body_offset);
        let mut new = String::with_capacity(page.text.len());
        new.push_str(head);
        for part in body::parts(text) {
            match part {
                Part::Code(code) => new.push_str(code),
                Part::Text(text) => places.rewrite(page, text, &mut new),
            }
        }
        page.text = new;
    }
}

/// What stands before a destination, and what ends it.
const OPENERS: [(&str, &[char]); 4] =
    [("](<", &['>', '\n']), ("](", &[')', ' ', '\n', '"']), ("href=\"", &['"', '\n']), ("src=\"", &['"', '\n'])];

impl Places<'_> {
    fn rewrite(&self, page: &PlannedPage, text: &str, out: &mut String) {
        let mut at = 0;
        while at < text.len() {
            let next = OPENERS.iter().filter_map(|(open, ends)| Some((text[at..].find(open)?, *open, *ends)));
            // The longer of two openers at one place comes first in the list.
            let Some((found, open, ends)) = next.min_by_key(|(found, _, _)| *found) else { break };
            let start = at + found + open.len();
            let length = text[start..].find(ends).unwrap_or(text.len() - start);
            let raw = &text[start..start + length];
            out.push_str(&text[at..start]);
            match self.target(page, raw) {
                Some(new) => out.push_str(&new),
                None => out.push_str(raw),
            }
            at = start + length;
        }
        out.push_str(&text[at..]);
    }

    /// The link as it has to be written now; `None`: it leads there as it is, or nowhere we know.
    fn target(&self, page: &PlannedPage, raw: &str) -> Option<String> {
        let (path, tail) = relative::split_tail(raw);
        if path.is_empty() || path.contains("://") || path.starts_with("//") || path.contains(['{', '\\']) {
            return None;
        }
        let path = path.replace("%20", " ");
        let (folder, plain) = match (path.strip_prefix("@/"), path.strip_prefix('/')) {
            (Some(rest), _) | (None, Some(rest)) => (self.root.trim_end_matches('/'), rest.to_owned()),
            _ => (super::source::split(&page.source).0, path.clone()),
        };
        let wanted = relative::resolve(folder, &plain)?;
        let found =
            [wanted.clone(), format!("{wanted}.md"), format!("{wanted}/index.md"), format!("{wanted}/_index.md")];
        let found = found.iter().find_map(|path| self.moved.get(path));
        let target = match found {
            Some(target) => target,
            None => self.urls.get(&format!("/{}", plain.trim_matches('/'))).filter(|_| path.starts_with('/'))?,
        };
        let below = target.as_str().strip_prefix("content/");
        let now = match (path.starts_with("@/") || path.starts_with('/'), below) {
            (true, Some(below)) => plain.trim_end_matches('/') == below,
            (true, None) => target.as_str().strip_prefix("static/") == Some(plain.as_str()),
            (false, _) => relative::resolve(target_folder(page), &plain).as_deref() == Some(target.as_str()),
        };
        // Without its ending a relative link counts from the page's address, which stays.
        if now
            || (found.is_some()
                && !path.starts_with(['/', '@'])
                && !plain.contains('.')
                && target.kind() == PathKind::Page)
        {
            return None;
        }
        let new = match (below, target.as_str().strip_prefix("static/")) {
            (Some(below), _) => format!("@/{below}"),
            (None, Some(rest)) => format!("/{rest}"),
            _ => return None,
        };
        Some(format!("{}{tail}", new.replace(' ', "%20")))
    }
}

fn target_folder(page: &PlannedPage) -> &str {
    page.target.folder()
}
