//! Splits a page into front matter and body, reads YAML, TOML and JSON, and edits only the lines of the keys it is told to.

mod edit;
mod flow;
mod json;
mod json_edit;
mod limits;
pub(super) mod problem;
mod scan;
mod split;
mod toml;
mod toml_edit;
mod write;
pub(super) mod yaml;

use serde_json::{Map, Value};

use self::problem::Problem;
use self::split::{Fault, Split};
use crate::error::{Error, Result};

/// Largest accepted front matter, in bytes.
pub const MAX_FRONT_MATTER: usize = 64 * 1024;

/// Largest accepted YAML file, in bytes.
pub const MAX_YAML: usize = 4 * 1024 * 1024;

/// How a front matter block is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Between `---` lines.
    Yaml,
    /// Between `+++` lines.
    Toml,
    /// A JSON object at the very start (Hugo), or YAML fences around a JSON object.
    Json,
}

/// A page's front matter as values, and where its body begins.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontMatter {
    /// How it is written; `None` when the page has none.
    pub format: Option<Format>,
    /// Keys in the order they are written. Dates of TOML are text in RFC 3339 form.
    pub values: Map<String, Value>,
    /// Byte offset of the body in the file.
    pub body_offset: usize,
    /// 1-based line on which the body begins.
    pub body_line: usize,
}

impl FrontMatter {
    /// Reads a whole page file. `path` is only for the error.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidFrontMatter`] with line, column, excerpt and fix; [`crate::error::Error::TooLarge`].
    pub fn parse(path: &str, text: &str) -> Result<Self> {
        let Some(split) = locate(path, text)? else {
            let body_offset = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
            return Ok(Self { format: None, values: Map::new(), body_offset, body_line: 1 });
        };
        let values = read(text, &split).map_err(|problem| problem.below(split.block_line).in_page(path, text))?;
        let body_line = problem::position(text, split.body_offset).0;
        Ok(Self { format: Some(split.format), values, body_offset: split.body_offset, body_line })
    }
}

/// Reads a YAML document of any kind (a data file, a manifest): ordered, bounded, errors with line.
///
/// # Errors
/// [`Error::InvalidConfig`] with the line; [`Error::TooLarge`] past [`MAX_YAML`].
pub fn read_yaml(path: &str, text: &str) -> Result<Value> {
    if text.len() > MAX_YAML {
        return Err(Error::TooLarge { what: path.into(), size: text.len(), limit: MAX_YAML });
    }
    yaml::read(text.trim_start_matches('\u{feff}')).map_err(|problem| problem.in_config(path))
}

/// Reads a TOML document of any kind: ordered, bounded, dates as text, errors with line.
///
/// # Errors
/// [`Error::InvalidConfig`] with the line; [`Error::TooLarge`] past [`MAX_YAML`].
pub fn read_toml(path: &str, text: &str) -> Result<Value> {
    if text.len() > MAX_YAML {
        return Err(Error::TooLarge { what: path.into(), size: text.len(), limit: MAX_YAML });
    }
    toml::read(text.trim_start_matches('\u{feff}')).map(Value::Object).map_err(|problem| problem.in_config(path))
}

/// 1-based line of the key at a place in a YAML document, or of its nearest ancestor that has a line; 0: unknown.
pub(super) fn line_of(text: &str, place: &[String]) -> usize {
    let mut line = 0;
    let mut region = 0..text.len();
    for key in place {
        let Some(mapping) = scan::mapping(text, region) else { break };
        let Some(entry) = mapping.entries.into_iter().find(|entry| entry.key == *key) else { break };
        line = problem::position(text, entry.start).0;
        region = entry.body;
    }
    line
}

fn locate(path: &str, text: &str) -> Result<Option<Split>> {
    split::split(text).map_err(|fault| match fault {
        Fault::Problem(problem) => problem.in_page(path, text),
        Fault::TooLarge(size) => {
            Error::TooLarge { what: format!("the front matter of {path}"), size, limit: MAX_FRONT_MATTER }
        }
    })
}

/// The values of a block; places are those of the block.
fn read(text: &str, split: &Split) -> std::result::Result<Map<String, Value>, Problem> {
    let block = split::extract(text, split)?;
    let values = match split.format {
        Format::Yaml => yaml::read_map(&block),
        Format::Toml => toml::read(&block),
        Format::Json => json::read(&block),
    };
    values.map_err(|mut problem| {
        problem.line = problem.line.saturating_sub(1);
        problem
    })
}

/// Applies a JSON merge patch (RFC 7396; `null` deletes) to a page's front matter and returns the whole new file.
///
/// Every line that does not belong to a named key stays byte-identical: order, comments, quoting, CRLF, BOM, missing final
/// newline. A key whose value does not change is not touched. A page without front matter gets a YAML block.
///
/// # Errors
/// As [`FrontMatter::parse`].
pub fn patch(path: &str, text: &str, patch: &Map<String, Value>) -> Result<String> {
    let Some(split) = locate(path, text)? else {
        no_merge_key(patch).map_err(|problem| problem.in_page(path, text))?;
        return prepend(path, text, patch);
    };
    let in_page = |problem: Problem| problem.below(split.block_line).in_page(path, text);
    let values = read(text, &split).map_err(in_page)?;
    let wanted = write::merge(&values, patch);
    if wanted == values {
        return Ok(text.to_owned());
    }
    if split.format == Format::Yaml {
        no_merge_key(patch).map_err(in_page)?;
    }
    let (before, block, after) = (&text[..split.block.start], &text[split.block.clone()], &text[split.block.end..]);
    let line_end = line_end(text);
    let edited = match split.format {
        Format::Yaml => edit::yaml(block, &values, patch, line_end),
        Format::Json => json_edit::json(block, &values, patch, line_end),
        Format::Toml => Some(toml_edit::toml(block, &values, patch, line_end).map_err(in_page)?),
    };
    let edited = edited.map(|block| format!("{before}{block}{after}")).ok_or_else(|| in_page(unfollowed(block)))?;
    if edited.len() - text.len().min(edited.len()) > MAX_FRONT_MATTER {
        let what = format!("the front matter of {path}");
        return Err(Error::TooLarge { what, size: edited.len() - (text.len() - block.len()), limit: MAX_FRONT_MATTER });
    }
    // Never write front matter that does not say what was asked for.
    let is_right = match FrontMatter::parse(path, &edited) {
        Ok(read) => read.values == wanted && edited[read.body_offset..] == text[split.body_offset..],
        Err(refused @ Error::TooLarge { .. }) => return Err(refused),
        Err(Error::InvalidFrontMatter { path, line, column, problem, excerpt, fix }) if limits::is_limit(&problem) => {
            return Err(Error::InvalidFrontMatter { path, line, column, problem, excerpt, fix });
        }
        Err(_) => false,
    };
    if is_right { Ok(edited) } else { Err(in_page(mismatch(block, patch)?)) }
}

fn prepend(path: &str, text: &str, patch: &Map<String, Value>) -> Result<String> {
    let wanted = write::merge(&Map::new(), patch);
    if wanted.is_empty() {
        return Ok(text.to_owned());
    }
    let body_offset = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let (mark, body) = text.split_at(body_offset);
    let line_end = line_end(text);
    let Some(block) = edit::yaml("", &Map::new(), patch, line_end) else {
        return Err(Error::internal("an empty block cannot be edited"));
    };
    let edited = format!("{mark}---{line_end}{block}---{line_end}{body}");
    let read = FrontMatter::parse(path, &edited)?;
    if read.values == wanted && edited[read.body_offset..] == *body {
        return Ok(edited);
    }
    Err(Error::internal(format!("{path}: new front matter is read back differently")))
}

/// `<<` as a key would be read back as a merge of its value.
fn no_merge_key(patch: &Map<String, Value>) -> std::result::Result<(), Problem> {
    fn has(value: &Value) -> bool {
        match value {
            Value::Object(map) => map.contains_key("<<") || map.values().any(has),
            Value::Array(items) => items.iter().any(has),
            _ => false,
        }
    }
    if patch.iter().any(|(key, value)| key == "<<" || has(value)) {
        return Err(Problem::new(1, 1, "`<<` is YAML's merge key and cannot be set")
            .with_fix("Write the merged keys themselves, or choose another name."));
    }
    Ok(())
}

/// The file's line end: CRLF where its first line has one.
fn line_end(text: &str) -> &'static str {
    let first = text.find('\n').unwrap_or(0);
    if first > 0 && text.as_bytes().get(first - 1) == Some(&b'\r') { "\r\n" } else { "\n" }
}

/// Why a block that was edited and read back says something else: the aliases of YAML, or a bug of ours.
fn mismatch(block: &str, patch: &Map<String, Value>) -> Result<Problem> {
    let keys = patch.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let has_alias = block.contains('&') && block.contains('*');
    if !has_alias {
        return Err(Error::internal(format!("an edit of {keys} is read back differently")));
    }
    let line = patch.keys().map(|key| line_of(block, std::slice::from_ref(key))).find(|line| *line > 0).unwrap_or(1);
    Ok(Problem::new(
        line,
        1,
        format!("{keys} shares its value with other keys through an anchor (`&`) or merge (`<<`)"),
    )
    .with_fix("Replace the alias (`*name`) by the value it stands for, then patch again."))
}

fn unfollowed(block: &str) -> Problem {
    let line = block.lines().position(|line| line.trim_start().starts_with(['?', '{'])).unwrap_or(0) + 1;
    Problem::new(line, 1, "this YAML cannot be edited key by key").with_fix(
        "Write it as plain `key: value` lines with the same indentation, without `? ` keys or braces around all of it.",
    )
}

/// Applies a JSON merge patch to a plain YAML document such as `site.yaml`, touching only the named keys' lines.
///
/// # Errors
/// [`crate::error::Error::InvalidConfig`].
pub fn patch_yaml(path: &str, text: &str, patch: &Map<String, Value>) -> Result<String> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let (mark, document) = text.split_at(start);
    let in_config = |problem: Problem| problem.in_config(path);
    let values = yaml::read_map(document).map_err(in_config)?;
    let wanted = write::merge(&values, patch);
    if wanted == values {
        return Ok(text.to_owned());
    }
    no_merge_key(patch).map_err(in_config)?;
    let edited = edit::yaml(document, &values, patch, line_end(text)).ok_or_else(|| in_config(unfollowed(document)))?;
    let read = match yaml::read_map(&edited) {
        Ok(read) => read,
        Err(problem) if limits::is_limit(&problem.message) => return Err(in_config(problem)),
        Err(_) => return Err(in_config(mismatch(document, patch)?)),
    };
    // A block scalar that ends the file without a line end gets one when a key is added below it.
    let closed = || yaml::read_map(&format!("{document}\n")).is_ok_and(|values| write::merge(&values, patch) == read);
    if read == wanted || closed() { Ok(format!("{mark}{edited}")) } else { Err(in_config(mismatch(document, patch)?)) }
}

/// Replaces the body and leaves the front matter byte-identical. Line ends of `body` become the file's own (CRLF or LF).
///
/// # Errors
/// As [`FrontMatter::parse`].
pub fn replace_body(path: &str, text: &str, body: &str) -> Result<String> {
    let front_matter = FrontMatter::parse(path, text)?;
    let (head, _) = text.split_at(front_matter.body_offset);
    let line_end = line_end(text);
    // A block that ends the file without a line end would swallow the first line of a body.
    let gap = if head.is_empty() || head.ends_with(['\n', '\u{feff}']) || body.is_empty() { "" } else { line_end };
    let body = body.replace("\r\n", "\n").replace('\n', line_end);
    let replaced = format!("{head}{gap}{body}");
    let read = FrontMatter::parse(path, &replaced)?;
    if read.format == front_matter.format && read.values == front_matter.values {
        return Ok(replaced);
    }
    let first = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let problem = Problem::new(1, 1, format!("the body begins like front matter (`{first}`)"));
    Err(problem
        .with_fix("Send front matter in `front_matter`, and begin the body with its text.")
        .in_page(path, &replaced))
}
