//! Looks over a template before the parser does: the parser recurses, so nesting and size are bounded here.

/// Largest accepted template, in bytes.
pub(super) const MAX_TEMPLATE: usize = 512 * 1024;
/// Deepest nesting of blocks; a chain of `{{else if}}` counts like nested blocks, as the parser builds it so.
pub(super) const MAX_BLOCKS: usize = 100;
/// Deepest nesting of parentheses, brackets and braces inside one tag.
pub(super) const MAX_BRACKETS: usize = 24;
/// Most work in finding the lines of the tags: the parser counts them from the start of the file for each tag, so it
/// grows with tags times bytes. 100 kB may have 2,000 tags.
const MAX_WORK: usize = 100_000_000;

/// Why a template is refused before parsing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// 1-based.
    pub line: usize,
    /// 1-based.
    pub column: usize,
    /// The fact.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Checks size, nesting and comments. Every count is at least what the parser will see.
pub(super) fn check(source: &str) -> Result<(), Refused> {
    if source.len() > MAX_TEMPLATE {
        let message = format!("the template has {} bytes, the limit is {MAX_TEMPLATE}", source.len());
        return Err(Refused { line: 1, column: 1, message, hint: "Split it into partials.".into() });
    }
    let mut scan = Scan { source, at: 0, open: Vec::new(), depth: 0, deepest: 0, work: 0 };
    scan.all()
}

/// Name and line of the blocks that are open where the template ends, or where it stops being readable.
pub(super) fn open_blocks(source: &str) -> Vec<(String, usize)> {
    let mut scan = Scan { source, at: 0, open: Vec::new(), depth: 0, deepest: 0, work: 0 };
    let _stopped_early = scan.all();
    let name = |start: usize| {
        let inner = source[start + 2..].trim_start_matches(['~', '#', '>', ' ']);
        inner.split(|c: char| c.is_whitespace() || matches!(c, '}' | '~')).next().unwrap_or_default().to_owned()
    };
    scan.open.iter().map(|(_, start)| (name(*start), position(source, *start).0)).collect()
}

/// A backslash before `{{` makes it text; two backslashes are one backslash and a real tag.
fn escaped(source: &str, start: usize) -> Option<usize> {
    let backslashes = source[..start].bytes().rev().take_while(|b| *b == b'\\').count();
    if backslashes != 1 {
        return None;
    }
    let rest = &source[start + 2..];
    Some(start + 2 + if rest.starts_with("{{") { 2 } else { 0 })
}

struct Scan<'a> {
    source: &'a str,
    at: usize,
    /// How much each open block added to `depth`, and where it begins.
    open: Vec<(usize, usize)>,
    depth: usize,
    deepest: usize,
    work: usize,
}

impl Scan<'_> {
    fn all(&mut self) -> Result<(), Refused> {
        while let Some(found) = self.source[self.at..].find("{{") {
            let start = self.at + found;
            match escaped(self.source, start) {
                Some(end) => self.at = end,
                None => self.tag(start)?,
            }
        }
        Ok(())
    }

    fn refuse<T>(&self, at: usize, message: String, hint: &str) -> Result<T, Refused> {
        let (line, column) = position(self.source, at);
        Err(Refused { line, column, message, hint: hint.into() })
    }

    fn tag(&mut self, start: usize) -> Result<(), Refused> {
        self.work = self.work.saturating_add(start);
        if self.work > MAX_WORK {
            return self.refuse(start, "too many tags for a template of this size".into(), "Split it into partials.");
        }
        let rest = &self.source[start..];
        if rest.starts_with("{{{{") {
            return self.raw_block(start);
        }
        if rest.starts_with("{{!") {
            return self.comment(start);
        }
        let end = self.inside(start)?;
        let inner = self.source[start + 2..end].trim_start_matches('~').trim_start();
        self.at = end;
        if inner.starts_with('#') {
            self.open.push((1, start));
            self.depth += 1;
        } else if inner.starts_with('/') {
            self.depth -= self.open.pop().map_or(0, |(levels, _)| levels);
        } else if is_chained_else(inner)
            && let Some((levels, _)) = self.open.last_mut()
        {
            *levels += 1;
            self.depth += 1;
        }
        self.deepest = self.deepest.max(self.depth);
        if self.deepest > MAX_BLOCKS {
            let message = format!("blocks nest deeper than {MAX_BLOCKS}");
            return self.refuse(start, message, "Move inner blocks to partials.");
        }
        Ok(())
    }

    /// Walks one tag up to its `}}`, counting brackets outside quotes; gives the position of the `}}`.
    fn inside(&self, start: usize) -> Result<usize, Refused> {
        let bytes = self.source.as_bytes();
        let triple = usize::from(bytes.get(start + 2) == Some(&b'{'));
        let (mut at, mut depth) = (start + 2, 0_usize);
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' | b'\'' => at = self.string(at)?,
                b'[' => at = self.bracket(at)?,
                b'(' | b'{' => depth += 1,
                b'}' if bytes.get(at + 1) == Some(&b'}') && depth <= triple => return Ok(at),
                b')' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_BRACKETS {
                let message = format!("parentheses nest deeper than {MAX_BRACKETS} in one tag");
                return self.refuse(start, message, "Compute the value in steps, in `with` blocks or partials.");
            }
            at += 1;
        }
        self.refuse(start, "the tag is not closed".into(), "Close it with `}}`, or write `\\{{` for literal braces.")
    }

    /// Position of the quote that closes the string at `open`. The parser reads `\'` and `\\` in single quotes in two
    /// ways, so they are refused there.
    fn string(&self, open: usize) -> Result<usize, Refused> {
        let bytes = self.source.as_bytes();
        let quote = bytes[open];
        let mut at = open + 1;
        while let Some(&byte) = bytes.get(at) {
            if byte == quote {
                return Ok(at);
            }
            if byte == b'\\' {
                if quote == b'\'' && matches!(bytes.get(at + 1), Some(b'\'' | b'\\')) {
                    return self.refuse(at, "a backslash in single quotes".into(), "Use double quotes for this text.");
                }
                at += 1;
            }
            at += 1;
        }
        self.refuse(open, "the text is not closed".into(), "Close it with the same quote before `}}`.")
    }

    /// Position of the first `]` after `open`. A list and a path segment both end there, as long as no text contains it.
    fn bracket(&self, open: usize) -> Result<usize, Refused> {
        let Some(found) = self.source[open..].find(']') else {
            return self.refuse(open, "the bracket is not closed".into(), "Close it with `]`.");
        };
        let close = open + found;
        let inner = &self.source[open + 1..close];
        if inner.bytes().filter(|b| *b == b'[').count() >= MAX_BRACKETS {
            return self.refuse(
                open,
                format!("lists nest deeper than {MAX_BRACKETS}"),
                "Move the data to a file in data/.",
            );
        }
        let mut at = open + 1;
        while at < close {
            if matches!(self.source.as_bytes()[at], b'"' | b'\'') {
                at = self.string(at)?;
            }
            at += 1;
        }
        if at > close {
            return self.refuse(open, "a `]` inside a text in brackets".into(), "Move the data to a file in data/.");
        }
        Ok(close)
    }

    fn comment(&mut self, start: usize) -> Result<(), Refused> {
        let rest = self.source[start + 3..].trim_start();
        let from = self.source.len() - rest.len();
        let (from, close) = if rest.starts_with("--") { (from + 2, "--}}") } else { (from, "}}") };
        match self.source[from..].find(close) {
            Some(found) => {
                self.at = from + found + close.len();
                Ok(())
            }
            None => self.refuse(start, "the comment is not closed".into(), &format!("Close it with `{close}`.")),
        }
    }

    /// `{{{{raw}}}} ... {{{{/raw}}}}`: nothing inside is a tag.
    fn raw_block(&mut self, start: usize) -> Result<(), Refused> {
        let rest = &self.source[start + 4..];
        let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '~' | '_' | '-'));
        let parts = rest.split_once("}}}}").filter(|(name, _)| plain(name)).and_then(|(_, body)| {
            let (text, tail) = body.split_once("{{{{")?;
            let (_, after) = tail.strip_prefix('/')?.split_once("}}}}")?;
            (!text.ends_with('\\')).then_some(after)
        });
        match parts {
            Some(after) => {
                self.deepest = self.deepest.max(self.depth + 1);
                self.at = self.source.len() - after.len();
                Ok(())
            }
            None => self.refuse(
                start,
                "the raw block is not closed, or has arguments".into(),
                "Write it as `{{{{raw}}}} text {{{{/raw}}}}`.",
            ),
        }
    }
}

/// `else if x`, `^if x`: anything after the word makes it a chain.
fn is_chained_else(inner: &str) -> bool {
    let after = inner.strip_prefix("else").or_else(|| inner.strip_prefix('^'));
    after.is_some_and(|rest| !rest.trim_end_matches('~').trim().is_empty())
}

/// 1-based line and column of a byte offset.
pub(super) fn position(source: &str, at: usize) -> (usize, usize) {
    let before = &source[..at.min(source.len())];
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests;
