//! What is wrong with a block of YAML, TOML or JSON, and where in the block.

use crate::error::Error;

/// A fault at a place of a text; the place is relative to the text that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct Problem {
    /// 1-based line; 0 when unknown.
    pub(in crate::model) line: usize,
    /// 1-based column in characters; 0 when unknown.
    pub(in crate::model) column: usize,
    /// The fact.
    pub(in crate::model) message: String,
    /// What to do, one imperative sentence; empty when the excerpt has to tell.
    pub(in crate::model) fix: String,
}

impl Problem {
    pub(in crate::model) fn new(line: usize, column: usize, message: impl Into<String>) -> Self {
        Self { line, column, message: message.into(), fix: String::new() }
    }

    pub(in crate::model) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// At a byte offset of `text`.
    pub(in crate::model) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = position(text, offset);
        Self::new(line, column, message)
    }

    /// The same fault seen from the file in which the text begins on `first_line` (1-based).
    pub(super) fn below(mut self, first_line: usize) -> Self {
        self.line = (self.line + first_line).saturating_sub(1).max(1);
        self
    }

    /// As the refusal of a page; `file` is its whole text, and the place is one in the file.
    pub(super) fn in_page(self, path: &str, file: &str) -> Error {
        let excerpt = excerpt(file, self.line);
        let fix = if self.fix.is_empty() { guess_fix(&excerpt, &self.message) } else { self.fix };
        Error::InvalidFrontMatter {
            path: path.into(),
            line: self.line.max(1),
            column: self.column.max(1),
            problem: self.message,
            excerpt,
            fix,
        }
    }

    /// As the refusal of `site.yaml` or another YAML file.
    pub(in crate::model) fn in_config(self, path: &str) -> Error {
        let problem =
            if self.fix.is_empty() { self.message } else { format!("{}; {}", self.message, lower(&self.fix)) };
        Error::InvalidConfig { path: path.into(), line: self.line, problem }
    }
}

fn lower(sentence: &str) -> String {
    let text = sentence.trim_end_matches('.');
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// 1-based line and column (in characters) of a byte offset.
pub(in crate::model) fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The line itself, shortened so that a minified block does not fill a reply.
fn excerpt(file: &str, line: usize) -> String {
    const LIMIT: usize = 160;
    let text = file.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim_start_matches('\u{feff}');
    if text.chars().count() <= LIMIT { text.to_owned() } else { text.chars().take(LIMIT).chain(['…']).collect() }
}

/// The usual slips, told from the line where the parser stumbled.
fn guess_fix(line: &str, message: &str) -> String {
    let indent_end = line.len() - line.trim_start().len();
    if line[..indent_end].contains('\t')
        || message.contains("found character that cannot start any token") && line.contains('\t')
    {
        return "Indent with spaces instead of tabs.".into();
    }
    if message.contains("duplicate key") || message.contains("duplicate") {
        return "Keep one of the two lines and remove the other.".into();
    }
    if message.contains("unknown anchor") || message.contains("alias") {
        return "Quote the value if `*` is part of the text, or define the anchor with `&` above.".into();
    }
    if message.contains("no `key: value`") || message.contains("found text") {
        return "Write it as `key: value` with a blank behind the colon, or add the closing `---` line above it if the body begins here.".into();
    }
    if message.contains("escape character") {
        return "Write a backslash as `\\\\`, or put the value in single quotes.".into();
    }
    if let Some((key, value)) = line.split_once(": ") {
        let value = value.trim();
        let plain = !value.is_empty() && !value.starts_with(['"', '\'', '[', '{', '|', '>']);
        if plain && (value.contains(": ") || value.ends_with(':')) {
            return format!("Quote the value, it contains `: `: `{}: \"{}\"`.", key.trim(), value.replace('"', "\\\""));
        }
        if plain && value.starts_with(['@', '`', '%', '*', '&', '!']) {
            return format!("Quote the value: `{}: \"{}\"`.", key.trim(), value.replace('"', "\\\""));
        }
        if value.starts_with(['"', '\'']) {
            return "Close the quote at the end of the value, and double or escape quotes inside it.".into();
        }
        if value.starts_with(['[', '{']) {
            return "Close the bracket, and quote list items that contain `: `, `,` or brackets.".into();
        }
    }
    if message.contains("mapping values are not allowed") {
        return "Indent keys of one level alike, and put a blank behind the colon of the line above.".into();
    }
    "Write each key on a line of its own as `key: value`, nested keys indented by two spaces; quote values with special characters.".into()
}
