//! A folder of Markdown: notes, documentation, a wiki. Pages where they are, READMEs as the pages of their folders.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::front::SourcePage;
use super::shortcodes::{self, Dialect};
use super::source::{is_markdown, join, split, stem};

/// Plans the import.
pub(super) fn plan(draft: &mut Draft<'_>) {
    let source = draft.source;
    let indexed: BTreeSet<&str> = source
        .paths()
        .filter(|path| matches!(split(path).1.to_ascii_lowercase().as_str(), "_index.md" | "index.md"))
        .map(|path| split(path).0)
        .collect();
    for path in source.paths() {
        if !is_markdown(path) {
            draft.asset(path, path);
            continue;
        }
        let Some(page) = SourcePage::read(draft, path) else { continue };
        let body = shortcodes::convert(draft, path, page.body, page.line, Dialect::Plain);
        let Some(text) = page.finish(draft, &body) else { continue };
        let (folder, name) = split(path);
        let readme = stem(name).eq_ignore_ascii_case("readme") && !indexed.contains(folder);
        // A folder's own page with other pages beside it is a section.
        let alone =
            name.eq_ignore_ascii_case("index.md") && source.below(folder).filter(|p| is_markdown(p)).count() == 1;
        let index = name.eq_ignore_ascii_case("index.md") && !alone;
        let place = if readme || index { join(folder, "_index.md") } else { path.to_owned() };
        draft.page(path, &place, text, None);
    }
}

/// HTML that Markdown does not take for indented code: no line begins with blanks, except inside `<pre>`.
pub(super) fn flat_html(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut pre = false;
    for line in html.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        let was = pre;
        pre = match (lower.rfind("<pre"), lower.rfind("</pre")) {
            (Some(open), Some(close)) => open > close,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => pre,
        };
        out.push_str(if was { line } else { line.trim_start_matches([' ', '\t']) });
    }
    out
}
