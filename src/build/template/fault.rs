//! Turns what handlebars reports into file, line, fact and advice.

use std::error::Error as _;

use handlebars::{RenderError, RenderErrorReason};

use super::guard::Fault;
use crate::model::ContentPath;

/// Why a template could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {message}")]
pub struct TemplateError {
    /// The theme file; `site.yaml` where no file can be named.
    pub path: ContentPath,
    /// 1-based; 0 when unknown.
    pub line: usize,
    /// The fact, lower case, no final stop.
    pub message: String,
    /// What to do, one imperative sentence; may be empty.
    pub hint: String,
    /// Site-relative path of a file that is missing.
    pub refers: Option<String>,
}

impl TemplateError {
    /// From handlebars' error; `path_of` maps a template's name to its file.
    pub(super) fn of(error: &RenderError, path: ContentPath) -> Self {
        let line = error.line_no.unwrap_or(0);
        let (message, hint, refers) = match fault_in(error) {
            Some(fault) => (fault.message.clone(), fault.hint.clone(), fault.refers.clone()),
            None => plain(error.reason()),
        };
        Self { path, line, message, hint, refers }
    }
}

/// Our own fault, wherever it sits in the chain of causes.
fn fault_in(error: &RenderError) -> Option<&Fault> {
    match error.reason() {
        RenderErrorReason::NestedError(inner) => inner.downcast_ref::<Fault>(),
        RenderErrorReason::IOError(io) => io.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()),
        _ => error.source().and_then(|inner| inner.downcast_ref::<Fault>()),
    }
}

fn plain(reason: &RenderErrorReason) -> (String, String, Option<String>) {
    match reason {
        RenderErrorReason::InvalidJsonIndex(key) => (
            format!("`{key}` is asked of a list, which has only numbered items"),
            "Loop over it with `{{#each}}`, or take one item with `first`, `last` or `lookup`.".into(),
            None,
        ),
        RenderErrorReason::ParamNotFoundForIndex(name, index) => (
            format!("`{name}` needs at least {} argument{}", index + 1, if *index == 0 { "" } else { "s" }),
            format!("Give it the value to work on, such as `{{{{{name} page.title}}}}`."),
            None,
        ),
        RenderErrorReason::HelperNotFound(name) => {
            let near = super::near(name, super::vocabulary::names());
            (
                format!("there is no helper `{name}`"),
                super::did_you_mean(&near, "Use one of the documented helpers."),
                None,
            )
        }
        other => {
            let text = other.to_string();
            let mut chars = text.chars();
            let lower = chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default();
            (lower, String::new(), None)
        }
    }
}
