//! Theme files to compiled templates, and what is wrong with them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use handlebars::{Handlebars, Template, TemplateErrorReason};

use super::guard::Fault;
use super::lower::{self, Found};
use super::{missing_partial, scan, vocabulary};
use crate::model::{ContentPath, Diagnostic, Severity, Snapshot};

/// Compiles every template; those that do not compile are left out and reported.
pub(super) fn registry(
    snapshot: &Snapshot,
    theme: &str,
    files: &BTreeMap<String, ContentPath>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.register_escape_fn(super::escape);
    vocabulary::register(&mut registry);
    let mut wanted = Vec::new();
    for (key, path) in files {
        let Some(source) = snapshot.get(path).and_then(|file| file.text()) else {
            let message = "the file is not UTF-8 text";
            diagnostics.push(error("invalid_template", path, 0, message).with_hint("Save it as UTF-8."));
            continue;
        };
        match one(key, source) {
            Ok((template, found)) => {
                for (line, fault) in found.faults {
                    diagnostics.push(of_fault(path, line, fault));
                }
                wanted.extend(found.partials.into_iter().map(|(line, name)| (path, line, name)));
                registry.register_template(key, template);
            }
            Err(problem) => {
                let message =
                    format!("{} (column {})\n{}", problem.message, problem.column, excerpt(source, problem.line));
                diagnostics.push(error("invalid_template", path, problem.line, message).with_hint(problem.hint));
            }
        }
    }
    let names: Vec<&str> = files.keys().filter_map(|key| key.strip_prefix("partials/")).collect();
    for (path, line, name) in wanted {
        if !names.contains(&name.as_str()) && !files.contains_key(&name) {
            diagnostics.push(of_fault(path, line, missing_partial(theme, &name, names.iter().copied())));
        }
    }
    registry
}

fn one(key: &str, source: &str) -> Result<(Template, Found), scan::Refused> {
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    scan::check(source)?;
    // The parser is somebody else's and full of `unwrap`: a template that trips one must not take the server down.
    let parsed = catch_unwind(AssertUnwindSafe(|| Template::compile_with_name(source, key.to_owned())));
    let mut template = match parsed {
        Ok(Ok(template)) => template,
        Ok(Err(problem)) => return Err(refused(source, &problem)),
        Err(_) => {
            let message = "the template cannot be parsed".to_owned();
            return Err(scan::Refused { line: 1, column: 1, message, hint: "Simplify the tags in this file.".into() });
        }
    };
    let mut found = Found::default();
    lower::lower(&mut template, &mut found);
    Ok((template, found))
}

fn refused(source: &str, problem: &handlebars::TemplateError) -> scan::Refused {
    let (line, column) = problem.pos().unwrap_or((1, 1));
    let (message, hint) = match problem.reason() {
        TemplateErrorReason::MismatchingClosedHelper(open, close)
        | TemplateErrorReason::MismatchingClosedDecorator(open, close) => {
            let bare =
                |name: &str| name.trim_start_matches("Name(").trim_matches(|c| matches!(c, '"' | ')')).to_owned();
            let (open, close) = (bare(open), bare(close));
            (format!("`{{{{#{open}}}}}` is closed by `{{{{/{close}}}}}`"), format!("Close it with `{{{{/{open}}}}}`."))
        }
        TemplateErrorReason::InvalidSyntax(_) => return syntax(source, line, column),
        TemplateErrorReason::InvalidParam(parameter) => {
            (format!("`{parameter}` is no valid argument"), "Use a path, a number, or text in double quotes.".into())
        }
        other => (other.to_string(), String::new()),
    };
    scan::Refused { line, column, message, hint }
}

/// The parser only says where it stopped. Where that is the end, a block is still open: name that block.
fn syntax(source: &str, line: usize, column: usize) -> scan::Refused {
    let last = source.lines().count();
    match scan::open_blocks(source).pop() {
        Some((name, opened)) if line >= last => scan::Refused {
            line: opened,
            column: 1,
            message: format!("`{{{{#{name}}}}}` is never closed"),
            hint: format!("Add `{{{{/{name}}}}}`."),
        },
        _ => scan::Refused {
            line,
            column,
            message: "this is no valid tag".into(),
            hint: "Write it as `{{value}}`, `{{helper argument}}`, `{{#if value}}..{{/if}}` or `{{> partial}}`.".into(),
        },
    }
}

fn excerpt(source: &str, line: usize) -> String {
    let text = source.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim();
    match text.char_indices().nth(120) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

fn of_fault(path: &ContentPath, line: usize, fault: Fault) -> Diagnostic {
    let code = if fault.refers.is_some() { "missing_partial" } else { "invalid_template" };
    let found = error(code, path, line, fault.message).with_hint(fault.hint);
    match fault.refers {
        Some(file) => found.with_refers(file),
        None => found,
    }
}

fn error(code: &'static str, path: &ContentPath, line: usize, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Severity::Error, code, path.clone(), line, message)
}
