//! Bounds that hold before and while a YAML text is read, so that no input is slow or deep.

use super::problem::Problem;

/// Deepest nesting of lists and mappings.
pub(super) const MAX_DEPTH: usize = 32;

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
/// Brackets are counted without regard to quotes: a false alarm wants 33 unclosed ones, and nothing slips through.
pub(super) fn check_yaml(text: &str) -> Result<(), Problem> {
    let mut open = 0_usize;
    for (at, line) in text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    }) {
        let mut rest = line.trim_start();
        for dashes in 1.. {
            let Some(after) = rest.strip_prefix(['-', '?']).filter(|after| after.starts_with([' ', '\t'])) else {
                break;
            };
            if dashes > MAX_DEPTH {
                return Err(too_deep(Problem::at(text, at, "")));
            }
            rest = after.trim_start();
        }
        for (i, byte) in line.bytes().enumerate() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > MAX_DEPTH {
                return Err(too_deep(Problem::at(text, at + i, "")));
            }
        }
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
            return Err(too_deep(Problem::at(text, i, "")));
        }
    }
    Ok(())
}

fn too_deep(mut problem: Problem) -> Problem {
    problem.message = format!("nested more than {MAX_DEPTH} levels deep");
    problem.with_fix("Flatten the lists and mappings.")
}
