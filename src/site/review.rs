//! What a person who reviews a publish reads: title, branch name and a summary made from the facts, not from anyone's claims.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::build::Built;
use crate::model::{BlobId, Diagnostic, FrontMatter, PathKind, Severity};
use crate::store::{ChangeKind, Published};

use super::{Site, address, text_diff};

/// Lines of one list in the summary.
const MOST: usize = 40;
/// Front matter keys of one page.
const MOST_KEYS: usize = 8;
/// Front matter lines of all pages together.
const MOST_FIELDS: usize = 60;
/// Characters of one front matter value.
const MOST_VALUE: usize = 80;
/// Letters of a branch name.
const MOST_SLUG: usize = 40;

/// A branch name's last part from the words that say why.
pub(super) fn slug(title: &str) -> String {
    let first = title.lines().next().unwrap_or_default().to_lowercase();
    let words: Vec<&str> = first
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && *word != "publish")
        .collect();
    let mut slug = String::new();
    for word in words {
        if slug.len() + word.len() + 1 > MOST_SLUG {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
    }
    if slug.is_empty() { "changes".into() } else { slug }
}

/// The first line of a message, in plain text.
pub(super) fn title(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect()
}

/// What changed, in Markdown.
pub(super) fn summary(site: &Site, built: &Built, published: &Published, found: &[Diagnostic]) -> String {
    let mut text = String::from("Sources:\n");
    let mut room = MOST_FIELDS;
    for change in published.changes.iter().take(MOST) {
        let url = built.library.by_path.get(&change.path).map(|&index| built.library.pages[index].url.as_str());
        let verb = match change.kind() {
            ChangeKind::Added => "added",
            ChangeKind::Modified => "changed",
            ChangeKind::Deleted => "removed",
        };
        let _ = write!(text, "- {verb} `{}`", code(address::shown(&change.path)));
        if let Some(url) = url {
            let _ = write!(text, ", page `{}`", code(url));
        }
        let sizes = (read(site, change.before), read(site, change.after));
        if let (Some(before), Some(after)) = sizes {
            let stat = text_diff::stat(&before, &after);
            let _ = write!(text, ", lines +{} -{}", stat.added, stat.removed);
            text.push('\n');
            if change.path.kind() == PathKind::Page && change.kind() == ChangeKind::Modified {
                let lines = fields(&values(change.path.as_str(), &before), &values(change.path.as_str(), &after));
                text.extend(lines.iter().take(room).map(String::as_str));
                room = room.saturating_sub(lines.len());
            }
        } else {
            text.push('\n');
        }
    }
    more(&mut text, published.changes.len());
    let count = |kind| published.outputs.iter().filter(|output| output.kind == kind).count();
    let _ = writeln!(
        text,
        "\nOutput files: {} added, {} changed, {} removed.",
        count(ChangeKind::Added),
        count(ChangeKind::Modified),
        count(ChangeKind::Deleted)
    );
    let warnings = found.iter().filter(|d| d.severity == Severity::Warning).count();
    let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
    let _ = writeln!(text, "Findings in the whole site: {errors} errors, {warnings} warnings.");
    let edits: Vec<String> = published
        .edits
        .iter()
        .rev()
        .take(MOST)
        .filter_map(|id| site.repository().revision(id).ok())
        .map(|edit| format!("- {} ({})\n", prose(&title(&edit.message)), prose(&edit.author.name)))
        .collect();
    if !edits.is_empty() {
        text.push_str("\nEdits, as their authors describe them:\n");
        text.extend(edits);
        more(&mut text, published.edits.len());
    }
    text
}

/// A page's front matter; none where it cannot be read.
fn values(path: &str, text: &str) -> Map<String, Value> {
    FrontMatter::parse(path, text).map(|read| read.values).unwrap_or_default()
}

/// The keys that differ, each as a line `key: old -> new`.
fn fields(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let differing: Vec<&String> = after.keys().chain(gone).filter(|key| before.get(*key) != after.get(*key)).collect();
    let shown = |value: Option<&Value>| match value {
        Some(value) => format!("`{}`", cut(&code(&value.to_string()))),
        None => "none".to_owned(),
    };
    let line = |key: &&String| {
        format!("  - `{}`: {} -> {}\n", cut(&code(key)), shown(before.get(*key)), shown(after.get(*key)))
    };
    let mut lines: Vec<String> = differing.iter().take(MOST_KEYS).map(line).collect();
    if differing.len() > MOST_KEYS {
        lines.push(format!("  - and {} more keys\n", differing.len() - MOST_KEYS));
    }
    lines
}

/// The beginning of a long value.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_VALUE) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn more(text: &mut String, all: usize) {
    if all > MOST {
        let _ = writeln!(text, "- and {} more", all - MOST);
    }
}

/// The text of a blob; empty where there is no file, `None` where it is no text.
fn read(site: &Site, id: Option<BlobId>) -> Option<String> {
    id.map_or_else(|| Some(String::new()), |id| site.repository().text_of(id))
}

/// A path within backquotes.
fn code(text: &str) -> String {
    text.chars().filter(|c| *c != '`' && !c.is_control()).collect()
}

/// Words of somebody else: they can neither link, nor call a person by name, nor end their line.
fn prose(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        match c {
            '@' | '#' | '!' => {
                out.push(c);
                // Between sign and name: hosts would notify people and link issues.
                out.push('\u{200b}');
            }
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '[' | ']' | '`' | '*' | '_' | '\\' | '|' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_name_is_plain() {
        for (title, wanted) in [
            ("Add the pricing page", "add-the-pricing-page"),
            ("Publish /blog/hello/ and 3 others", "blog-hello-and-3-others"),
            ("Über uns: ../../etc\nsecond", "ber-uns-etc"),
            ("日本語", "changes"),
            ("", "changes"),
        ] {
            assert_eq!(slug(title), wanted, "{title}");
        }
        assert!(slug(&"word ".repeat(100)).len() <= MOST_SLUG);
        assert_eq!(slug(&"x".repeat(500)), "changes");
    }

    #[test]
    fn changed_fields_are_shown_old_and_new_bounded_and_as_code() {
        let of = |text: &str| values("content/a.md", &format!("---\n{text}---\nText.\n"));
        let lines = |before: &str, after: &str| fields(&of(before), &of(after));
        assert_eq!(
            lines(
                "title: Old\ndraft: true\ntags: [a]\nkept: 1\n",
                "title: New `x` @all\nkept: 1\ntags: [a, b]\nweight: 3\n"
            ),
            [
                "  - `title`: `\"Old\"` -> `\"New x @all\"`\n",
                "  - `tags`: `[\"a\"]` -> `[\"a\",\"b\"]`\n",
                "  - `weight`: none -> `3`\n",
                "  - `draft`: `true` -> none\n",
            ]
        );
        assert_eq!(lines("title: A\n", "title: A # a comment\n"), Vec::<String>::new());
        // A line break or a fence in a value cannot leave its line or its quotes.
        let hostile = lines("a: x\n", "a: \"```\\n# head\\n[x](http://e)\"\n");
        assert_eq!(hostile, ["  - `a`: `\"x\"` -> `\"\\n# head\\n[x](http://e)\"`\n"]);
        let many: Vec<String> = (0..30).map(|n| format!("k{n}: {}\n", "é".repeat(500))).collect();
        let many = many.concat();
        let many = lines("", &many);
        assert_eq!(many.len(), MOST_KEYS + 1);
        assert_eq!(many[MOST_KEYS], "  - and 22 more keys\n");
        assert!(many.iter().all(|line| line.chars().count() < MOST_VALUE * 2));
        assert_eq!(values("content/a.md", "---\ntitle: [\n---\n"), Map::new());
    }

    #[test]
    fn words_of_others_call_nobody() {
        assert_eq!(
            prose("hi @all, see #3 [x](http://e) <img>"),
            "hi @\u{200b}all, see #\u{200b}3 \\[x\\](http://e) &lt;img>"
        );
    }
}
