//! What people see: text on stdout and stderr, and findings as one line each.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use sitewright::model::{Diagnostic, Severity};

/// Writes to stdout; a reader that went away (`| head`) is no error.
pub(super) fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Writes to stderr.
pub(super) fn error(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Asks a person; `false` where nobody can answer.
pub(super) fn ask(question: &str) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    error(&format!("{question} [y/N] "));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer).is_ok();
    read && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// One finding, as compilers write them, with its hint on a line of its own.
pub(super) fn finding(finding: &Diagnostic) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let mut line = match finding.line {
        0 => finding.path.to_string(),
        number => format!("{}:{number}", finding.path),
    };
    let _ = writeln!(line, ": {severity}: {} [{}]", finding.message, finding.code);
    if !finding.hint.is_empty() {
        let _ = writeln!(line, "    {}", finding.hint);
    }
    line
}

/// `1 page`, `2 pages`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
