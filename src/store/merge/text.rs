//! Three-way merges of plain text: by line, and by sentence where one-line paragraphs make lines too coarse.

use git2::{MergeFileInput, MergeFileOptions, Oid};

/// Stands for a line end that belongs to the text while sentences are laid out one to a line.
const LINE_END: char = '\u{1}';
/// A line of its own between two sentences, so that edits of neighbouring sentences do not touch.
const SEPARATOR: &str = "\u{2}\n";

/// Merges by line; the error says why it cannot be done.
pub(super) fn lines(base: &str, ours: &str, theirs: &str) -> Result<String, String> {
    raw(base, ours, theirs)?.ok_or_else(|| "both sides changed the same lines".into())
}

/// Merges by line, and where that fails by sentence.
pub(super) fn prose(base: &str, ours: &str, theirs: &str) -> Result<String, String> {
    if let Some(merged) = raw(base, ours, theirs)? {
        return Ok(merged);
    }
    let marks = |text: &str| text.contains(['\u{1}', '\u{2}']);
    if !marks(base) && !marks(ours) && !marks(theirs) {
        let merged = raw(&laid_out(base), &laid_out(ours), &laid_out(theirs))?;
        if let Some(merged) = merged {
            return Ok(joined(&merged));
        }
    }
    Err("both sides changed the same sentences of the body".into())
}

/// `None`: the sides contradict each other.
fn raw(base: &str, ours: &str, theirs: &str) -> Result<Option<String>, String> {
    if ours == theirs || base == theirs {
        return Ok(Some(ours.to_owned()));
    }
    if base == ours {
        return Ok(Some(theirs.to_owned()));
    }
    // `merge_file` is the one call of git2 that does not start libgit2 itself; parsing an id does.
    let _ = Oid::from_str("0000000000000000000000000000000000000000");
    let [base, ours, theirs] = [base, ours, theirs].map(|text| {
        let mut input = MergeFileInput::new();
        input.content(text.as_bytes());
        input
    });
    let merged = git2::merge_file(&base, &ours, &theirs, Some(&mut MergeFileOptions::new()))
        .map_err(|error| format!("the text cannot be merged: {}", error.message()))?;
    if !merged.is_automergeable() {
        return Ok(None);
    }
    String::from_utf8(merged.content().to_vec()).map(Some).map_err(|_| "the merged text is no UTF-8".into())
}

/// One sentence or line end per line, separators between them.
fn laid_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for sentence in sentences(text) {
        out.extend(sentence.chars().map(|c| if c == '\n' { LINE_END } else { c }));
        out.push('\n');
        out.push_str(SEPARATOR);
    }
    out
}

fn joined(laid_out: &str) -> String {
    laid_out
        .split('\n')
        .filter(|line| *line != "\u{2}")
        .flat_map(str::chars)
        .map(|c| if c == LINE_END { '\n' } else { c })
        .collect()
}

/// Cuts after every line end and after the white space that follows `.`, `!` or `?`; the pieces join to the text.
fn sentences(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut ended) = (0, false);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = at + c.len_utf8();
        let next_is_space = chars.peek().is_some_and(|(_, c)| *c == ' ' || *c == '\t');
        let cut = match c {
            '\n' => true,
            ' ' | '\t' => ended && !next_is_space,
            _ => false,
        };
        ended = matches!(c, '.' | '!' | '?' | '。' | '！' | '？')
            || (ended && (c == ' ' || c == '\t' || c == '"' || c == ')'));
        if cut {
            pieces.push(&text[start..next]);
            start = next;
            ended = false;
        }
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_join_to_the_text() {
        for text in ["", "a", "One. Two!  Three?\nFour", "x.y z\n\n\r\n", "Ü. ß", "e.g. \"Hi.\" he said.\n"] {
            assert_eq!(sentences(text).concat(), text);
            assert_eq!(joined(&laid_out(text)), text);
        }
        assert_eq!(sentences("One. Two!  Three."), ["One. ", "Two!  ", "Three."]);
    }
}
