//! A Markdown body taken apart into code and everything else, so that conversions leave examples alone.

/// A part of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Anything but code.
    Text(&'a str),
    /// A fenced block, with its fences, or a code span.
    Code(&'a str),
}

/// The parts of a body, in order; together they are the body.
pub(super) fn parts(body: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut at, mut text) = (0, 0);
    let mut fence: Option<(char, usize, usize)> = None;
    for line in body.split_inclusive('\n') {
        let marks = fence_of(line);
        match (fence, marks) {
            (None, Some((mark, length, info))) if mark == '~' || !info.contains('`') => {
                spans(&body[text..at], &mut parts);
                fence = Some((mark, length, at));
            }
            (Some((mark, length, start)), Some((other, more, info)))
                if other == mark && more >= length && info.trim().is_empty() =>
            {
                parts.push(Part::Code(&body[start..at + line.len()]));
                text = at + line.len();
                fence = None;
            }
            _ => {}
        }
        at += line.len();
    }
    match fence {
        Some((_, _, start)) => parts.push(Part::Code(&body[start..])),
        None => spans(&body[text..], &mut parts),
    }
    parts
}

/// Mark, length and what follows, of a line that opens or closes a fence.
fn fence_of(line: &str) -> Option<(char, usize, &str)> {
    let trimmed = line.trim_start_matches([' ', '\t', '>']);
    let mark = trimmed.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = trimmed.chars().take_while(|c| *c == mark).count();
    (length >= 3).then(|| (mark, length, &trimmed[length..]))
}

/// Splits code spans off: a run of backticks up to the next run of the same length before a blank line.
fn spans<'a>(text: &'a str, parts: &mut Vec<Part<'a>>) {
    let (mut start, mut at) = (0, 0);
    while let Some(found) = text[at..].find('`') {
        let open = at + found;
        let length = run(text, open);
        let rest = &text[open + length..];
        let paragraph = rest.find("\n\n").unwrap_or(rest.len());
        match closing(&rest[..paragraph], length) {
            Some(end) => {
                if open > start {
                    parts.push(Part::Text(&text[start..open]));
                }
                let end = open + length + end + length;
                parts.push(Part::Code(&text[open..end]));
                (start, at) = (end, end);
            }
            None => at = open + length,
        }
    }
    if start < text.len() {
        parts.push(Part::Text(&text[start..]));
    }
}

fn run(text: &str, at: usize) -> usize {
    text[at..].bytes().take_while(|b| *b == b'`').count()
}

fn closing(text: &str, length: usize) -> Option<usize> {
    let mut at = 0;
    // A long paragraph full of stray backticks is not searched again and again.
    for _ in 0..64 {
        let found = at + text[at..].find('`')?;
        let marks = run(text, found);
        if marks == length {
            return Some(found);
        }
        at = found + marks;
    }
    None
}

/// The body with its parts rewritten. Each function is given the part and its 1-based first line.
pub(super) fn map(
    body: &str,
    text: &mut dyn FnMut(&str, usize) -> String,
    code: &mut dyn FnMut(&str) -> String,
) -> String {
    let mut out = String::with_capacity(body.len());
    let mut line = 1;
    for part in parts(body) {
        let raw = match part {
            Part::Text(raw) => {
                out.push_str(&text(raw, line));
                raw
            }
            Part::Code(raw) => {
                out.push_str(&code(raw));
                raw
            }
        };
        line += raw.matches('\n').count();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_text() {
        let body = "a `b` c\n```x\n{{ y }}\n```\nd ``e ` f`` `g\n\nh` i\n~~~\nopen";
        let found = parts(body);
        let code: Vec<&str> =
            found.iter().filter_map(|p| if let Part::Code(c) = p { Some(*c) } else { None }).collect();
        assert_eq!(code, ["`b`", "```x\n{{ y }}\n```\n", "``e ` f``", "~~~\nopen"]);
        let whole: String = found
            .iter()
            .map(|p| match p {
                Part::Text(t) | Part::Code(t) => *t,
            })
            .collect();
        assert_eq!(whole, body);
    }
}
