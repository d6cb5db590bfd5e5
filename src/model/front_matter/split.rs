//! Finds where front matter begins and ends, and hands exactly that head of the file to `gray_matter`.
//!
//! `gray_matter` by itself publishes an unclosed block as body, misses a block behind a BOM and changes line ends, so it
//! only ever sees a head whose fences were found here, and its engine passes the block on unread.

use std::ops::Range;

use gray_matter::{Matter, Pod, engine::Engine};

use super::json;
use super::problem::Problem;
use super::{Format, MAX_FRONT_MATTER};

/// Where the parts of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split {
    /// How the block is written.
    pub(super) format: Format,
    /// The block between the fences, or the JSON object with its braces.
    pub(super) block: Range<usize>,
    /// 1-based line on which the block begins.
    pub(super) block_line: usize,
    /// Where the body begins.
    pub(super) body_offset: usize,
}

/// Why a file cannot be split; lines are lines of the file.
pub(super) enum Fault {
    Problem(Problem),
    TooLarge(usize),
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Splits a file; `None`: it has no front matter.
pub(super) fn split(text: &str) -> Result<Option<Split>, Fault> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut at = start;
    // Blank lines before the fence are accepted only where a whole block follows, as Hugo does.
    for line in text[start..].split_inclusive('\n') {
        if !line.trim().is_empty() {
            let lenient = at > start;
            return match line.trim_end() {
                "---" => fenced(text, at, line.len(), "---", lenient),
                "+++" => fenced(text, at, line.len(), "+++", lenient),
                first if first.starts_with('{') => object(text, at, lenient),
                first if first.starts_with("---\r") || first.starts_with("+++\r") => {
                    Err(Problem::new(1, 1, "its lines end in bare carriage returns")
                        .with_fix("Save the file with LF or CRLF line ends.")
                        .into())
                }
                _ => Ok(None),
            };
        }
        at += line.len();
    }
    Ok(None)
}

fn fenced(text: &str, fence_at: usize, fence_len: usize, fence: &str, lenient: bool) -> Result<Option<Split>, Fault> {
    let open_line = super::problem::position(text, fence_at).0;
    let block_start = fence_at + fence_len;
    let mut at = block_start;
    let mut near_miss = None;
    for (i, line) in text[block_start..].split_inclusive('\n').enumerate() {
        let trimmed = line.trim_end();
        // `...` ends a YAML document, so in a block it can only be the closing line.
        if trimmed == fence || (fence == "---" && trimmed == "...") {
            if at - block_start > MAX_FRONT_MATTER {
                return Err(Fault::TooLarge(at - block_start));
            }
            let block = block_start..at;
            let is_json = fence == "---" && text[block.clone()].trim_start().starts_with('{');
            let format = match fence {
                "---" if is_json && serde_json::from_str::<serde::de::IgnoredAny>(&text[block.clone()]).is_ok() => {
                    Format::Json
                }
                "---" => Format::Yaml,
                _ => Format::Toml,
            };
            return Ok(Some(Split { format, block, block_line: open_line + 1, body_offset: at + line.len() }));
        }
        let bare = line.trim();
        if near_miss.is_none() && bare.len() >= 2 && bare.chars().all(|c| matches!(c, '-' | '+' | '–' | '—')) {
            near_miss = Some((open_line + 1 + i, bare));
        }
        at += line.len();
    }
    if lenient {
        return Ok(None);
    }
    let problem =
        Problem::new(open_line, 1, format!("the front matter that begins here has no closing `{fence}` line"));
    Err(problem
        .with_fix(match near_miss {
            Some((line, found)) => format!("Make line {line} (`{found}`) exactly `{fence}`."),
            None => format!("Add a line `{fence}` after the last key."),
        })
        .into())
}

fn object(text: &str, start: usize, lenient: bool) -> Result<Option<Split>, Fault> {
    let after_brace = text[start + 1..].trim_start();
    // `{{< .. >}}`, `{% .. %}` and `{:.class}` are bodies; only a quoted key or `{}` on a line makes it JSON.
    let is_empty =
        after_brace.strip_prefix('}').is_some_and(|rest| rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n'));
    if !is_empty && !after_brace.starts_with('"') {
        return Ok(None);
    }
    let Some(len) = json::object_length(&text[start..]) else {
        if lenient {
            return Ok(None);
        }
        let line = super::problem::position(text, start).0;
        let problem = Problem::new(line, 1, "the JSON front matter that begins here is not closed");
        return Err(problem.with_fix("Add the missing `}` on a line of its own.").into());
    };
    if len > MAX_FRONT_MATTER {
        return Err(Fault::TooLarge(len));
    }
    let end = start + len;
    let rest = text[end..].split_inclusive('\n').next().unwrap_or_default();
    let body_offset = if rest.trim().is_empty() { end + rest.len() } else { end };
    let block_line = super::problem::position(text, start).0;
    Ok(Some(Split { format: Format::Json, block: start..end, block_line, body_offset }))
}

/// Hands the block through unread, so that one parser of ours sees every front matter.
struct Through;

impl Engine for Through {
    fn parse(content: &str) -> gray_matter::Result<Pod> {
        Ok(Pod::String(content.to_owned()))
    }
}

/// The block as `gray_matter` cuts it out, with `\n` line ends; its line numbers are those of the file's block plus one.
///
/// A comment line before and after the block (in JSON, where there are none, blank ones do) keeps the trimming from eating
/// the indentation of the first key or the final line ends of a block scalar.
pub(super) fn extract(text: &str, split: &Split) -> Result<String, Problem> {
    let block = &text[split.block.clone()];
    if split.format == Format::Json {
        return Ok(format!("\n{block}"));
    }
    let fence = if split.format == Format::Toml { "+++" } else { "---" };
    let line_end = if block.is_empty() || block.ends_with('\n') { "" } else { "\n" };
    let head = format!("{fence}\n#\n{block}{line_end}#\n{fence}\n");
    let mut matter = Matter::<Through>::new();
    fence.clone_into(&mut matter.delimiter);
    let parsed = matter.parse::<String>(&head).map_err(|error| Problem::new(1, 1, error.to_string()))?;
    parsed.data.ok_or_else(|| Problem::new(1, 1, "the block could not be cut out"))
}
