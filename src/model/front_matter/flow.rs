//! Finds where quoted and bracketed YAML ends, and how deep it goes on the way.

/// What became of an opening bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Closed; the offset behind the closing bracket.
    Closed(usize),
    /// Not closed before the end, or not a bracket at all.
    Open,
    /// Nested deeper than asked for, noticed at this offset.
    TooDeep(usize),
}

/// Follows the bracket at `at` to its partner.
pub(super) fn follow(text: &str, at: usize, max_depth: usize) -> Flow {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    // A quote opens a string only where a token begins: `[don't]` has none.
    let mut fresh = true;
    let mut blank_before = true;
    let mut i = at;
    while let Some(&byte) = bytes.get(i) {
        let after_blank = std::mem::replace(&mut blank_before, false);
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > max_depth {
                    return Flow::TooDeep(i);
                }
                fresh = true;
            }
            b']' | b'}' => {
                let Some(outer) = depth.checked_sub(1) else { return Flow::Open };
                if outer == 0 {
                    return Flow::Closed(i + 1);
                }
                depth = outer;
                fresh = false;
            }
            b'"' | b'\'' if fresh => {
                let Some(end) = quoted_end(text, i) else { return Flow::Open };
                // JSON writes `"a":"b"` without a blank.
                fresh = bytes.get(end) == Some(&b':');
                i = end + usize::from(fresh);
                continue;
            }
            b'#' if after_blank => {
                i = text[i..].find('\n').map_or(text.len(), |line_end| i + line_end);
                continue;
            }
            b' ' | b'\t' | b'\r' | b'\n' => blank_before = true,
            b',' => fresh = true,
            b':' => fresh = matches!(bytes.get(i + 1), Some(b' ' | b'\t' | b'\r' | b'\n')),
            // Only a blank surely ends a tag, which may contain brackets.
            b'!' if fresh => {
                i += text[i..].find([' ', '\t', '\r', '\n']).unwrap_or(text.len() - i);
                continue;
            }
            b'&' if fresh => {
                i += 1 + text[i + 1..]
                    .bytes()
                    .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
                    .count();
                continue;
            }
            _ => fresh = false,
        }
        i += 1;
    }
    Flow::Open
}

/// Behind the quote that closes the one at `at`.
pub(super) fn quoted_end(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(at)?;
    let mut i = at + 1;
    while let Some(&byte) = bytes.get(i) {
        match byte {
            b'\\' if quote == b'"' => i += 1,
            b'\'' if quote == b'\'' && bytes.get(i + 1) == Some(&b'\'') => i += 1,
            _ if byte == quote => return Some(i + 1),
            _ => {}
        }
        i += 1;
    }
    None
}
