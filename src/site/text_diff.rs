//! Differences between two texts, for replies and reviews: unified, by words, and as counts.

use similar::{ChangeTag, TextDiff};

/// Lines of context in a unified diff.
const CONTEXT: usize = 2;

/// Lines added and removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stat {
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
}

/// A unified diff without file headers, cut at `limit` bytes on a line border with a line that says so.
#[must_use]
pub fn unified(before: &str, after: &str, limit: usize) -> String {
    let diff = TextDiff::from_lines(before, after);
    cut(&diff.unified_diff().context_radius(CONTEXT).to_string(), limit)
}

/// Changed lines with `[-removed-]` and `{+added+}` words, as `git diff --word-diff` writes them.
#[must_use]
pub fn words(before: &str, after: &str, limit: usize) -> String {
    let lines = TextDiff::from_lines(before, after);
    let mut out = String::new();
    for group in lines.grouped_ops(0) {
        let Some((first, last)) = group.first().zip(group.last()) else { continue };
        let old = lines_between(before, first.old_range().start, last.old_range().end);
        let new = lines_between(after, first.new_range().start, last.new_range().end);
        out.push_str(&format!("@@ line {} @@\n", first.new_range().start + 1));
        word_marks(&old, &new, &mut out);
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    cut(&out, limit)
}

fn word_marks(old: &str, new: &str, out: &mut String) {
    let diff = TextDiff::from_unicode_words(old, new);
    let mut open: Option<ChangeTag> = None;
    for change in diff.iter_all_changes() {
        let tag = change.tag();
        if open != Some(tag) {
            out.push_str(close(open));
            out.push_str(match tag {
                ChangeTag::Equal => "",
                ChangeTag::Delete => "[-",
                ChangeTag::Insert => "{+",
            });
            open = Some(tag);
        }
        out.push_str(change.value());
    }
    out.push_str(close(open));
}

fn close(tag: Option<ChangeTag>) -> &'static str {
    match tag {
        Some(ChangeTag::Delete) => "-]",
        Some(ChangeTag::Insert) => "+}",
        _ => "",
    }
}

/// Lines added and removed.
#[must_use]
pub fn stat(before: &str, after: &str) -> Stat {
    let diff = TextDiff::from_lines(before, after);
    diff.iter_all_changes().fold(Stat::default(), |mut stat, change| {
        match change.tag() {
            ChangeTag::Insert => stat.added += 1,
            ChangeTag::Delete => stat.removed += 1,
            ChangeTag::Equal => {}
        }
        stat
    })
}

fn lines_between(text: &str, start: usize, end: usize) -> String {
    text.split_inclusive('\n').skip(start).take(end - start).collect()
}

fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text[..end].rfind('\n').map_or(end, |at| at + 1);
    let more = text[end..].lines().count();
    format!("{}… {more} more lines\n", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_marked_as_git_marks_them() {
        let diff = words("one two three\nsame\n", "one 2 three\nsame\n", 1000);
        assert_eq!(diff, "@@ line 1 @@\none [-two-]{+2+} three\n");
    }

    #[test]
    fn stat_counts_lines() {
        assert_eq!(stat("a\nb\n", "a\nc\nd\n"), Stat { added: 2, removed: 1 });
    }

    #[test]
    fn long_diffs_say_how_much_is_left_out() {
        let after = "a line of text\n".repeat(100);
        let diff = unified("", &after, 200);
        assert!(diff.len() < 240, "{diff}");
        assert!(diff.contains("more lines"), "{diff}");
    }
}
