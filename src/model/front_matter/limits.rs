//! Bounds that hold before and while a YAML text is read, so that no input is slow or deep.

use super::flow::{self, Flow};
use super::problem::Problem;

/// Deepest nesting of lists and mappings.
pub(super) const MAX_DEPTH: usize = 32;

/// How the message about it begins.
pub(super) const TOO_DEEP: &str = "nested more than";

/// Whether a message is about nesting: a limit that a patch can pass too.
pub(super) fn is_limit(message: &str) -> bool {
    message.starts_with(TOO_DEEP)
}

/// How much a document may expand to through aliases.
#[derive(Debug)]
pub(super) struct Budget {
    nodes: usize,
    bytes: usize,
}

impl Budget {
    /// A document without aliases never has more nodes or text than bytes, so only aliases can exceed this.
    pub(super) fn of(text: &str) -> Self {
        Self { nodes: 20_000 + text.len(), bytes: 64 * 1024 + text.len().saturating_mul(4) }
    }

    /// Takes one value of so many bytes of text; false when nothing is left.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        match (self.nodes.checked_sub(1), self.bytes.checked_sub(bytes)) {
            (Some(nodes), Some(bytes)) => {
                *self = Self { nodes, bytes };
                true
            }
            _ => false,
        }
    }
}

/// Refuses what would keep the parser busy: thousands of open brackets or of `- ` in a row.
///
/// Every bracket that could open a list or mapping is followed to its end; what follows may be nested in quotes or be
/// plain text, so none is skipped, and the work is bounded instead.
pub(super) fn check_yaml(text: &str) -> Result<(), Problem> {
    let mut work = 10_000 + text.len().saturating_mul(2 * MAX_DEPTH);
    let mut previous = b'\n';
    for (at, byte) in text.bytes().enumerate() {
        let opens = matches!(byte, b'[' | b'{') && matches!(previous, b' ' | b'\t' | b'\r' | b'\n');
        if opens {
            let end = match flow::follow(text, at, 4 * MAX_DEPTH) {
                Flow::Closed(end) => end,
                Flow::Open => text.len(),
                Flow::TooDeep(place) => return Err(too_deep(text, place)),
            };
            let Some(left) = work.checked_sub(end - at) else {
                return Err(Problem::at(text, at, "its brackets and quotes are too tangled")
                    .with_fix("Close every bracket and quote, and quote text that contains brackets."));
            };
            work = left;
        }
        previous = byte;
    }
    check_dashes(text)
}

fn check_dashes(text: &str) -> Result<(), Problem> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let mut rest = line.trim_start();
        for dashes in 1.. {
            let Some(after) = rest.strip_prefix(['-', '?']).filter(|after| after.starts_with([' ', '\t'])) else {
                break;
            };
            if dashes > MAX_DEPTH {
                return Err(too_deep(text, at));
            }
            rest = after.trim_start();
        }
        at += line.len();
    }
    Ok(())
}

/// Refuses brackets nested too deeply, for TOML and JSON, outside double-quoted strings.
pub(super) fn check_brackets(text: &str) -> Result<(), Problem> {
    let mut open = 0_usize;
    let mut quoted = false;
    let mut escaped = false;
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => open += 1,
            b']' | b'}' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
        if open > MAX_DEPTH {
            return Err(too_deep(text, i));
        }
    }
    Ok(())
}

fn too_deep(text: &str, at: usize) -> Problem {
    Problem::at(text, at, format!("{TOO_DEEP} {MAX_DEPTH} levels deep")).with_fix("Flatten the lists and mappings.")
}
