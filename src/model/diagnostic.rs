//! Findings about content: a check returns all of them, an operation is never refused halfway through.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::ContentPath;

/// How bad a finding is. An error stops `publish`; a warning does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The output is wrong or missing.
    Error,
    /// Probably not what was meant.
    Warning,
    /// Worth knowing.
    Info,
}

/// One finding about the site's content, theme or configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// `snake_case` rule name, e.g. `broken_link`. Rule names are API.
    pub code: Cow<'static, str>,
    /// Where: site-relative path.
    pub path: ContentPath,
    /// 1-based line in the file; 0 when it concerns the whole file.
    pub line: usize,
    /// The fact, lower case, no final stop.
    pub message: String,
    /// What to do, one imperative sentence; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// Site-relative path of the file this finding looks for or stumbles over (a missing layout, link target,
    /// shortcode, asset). Publishing part of a change set reads it to say what the part needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refers: Option<String>,
}

impl Diagnostic {
    /// A finding with the given facts; `hint` empty and nothing referred to.
    #[must_use]
    pub fn new(
        severity: Severity,
        code: &'static str,
        path: ContentPath,
        line: usize,
        message: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            code: Cow::Borrowed(code),
            path,
            line,
            message: message.into(),
            hint: String::new(),
            refers: None,
        }
    }

    /// With an imperative sentence that says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// With the site-relative path this finding looks for.
    #[must_use]
    pub fn with_refers(mut self, path: impl Into<String>) -> Self {
        self.refers = Some(path.into());
        self
    }
}
