//! From an offset in the text the parser saw back to a line of the body.

/// Where the lines of a body begin.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// Finds the line ends of `body`.
    pub(super) fn new(body: &str) -> Self {
        Self(memchr::memchr_iter(b'\n', body.as_bytes()).collect())
    }

    /// 1-based line of a byte offset.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

/// Text in which shortcodes have been replaced by tokens, and where each part of it came from.
#[derive(Debug, Default)]
pub(super) struct Composed {
    /// What the Markdown parser gets.
    pub(super) text: String,
    /// (offset in `text`, offset in the body), ascending.
    parts: Vec<(usize, usize)>,
}

impl Composed {
    /// Appends text that begins at `origin` in the body.
    pub(super) fn push(&mut self, text: &str, origin: usize) {
        self.parts.push((self.text.len(), origin));
        self.text.push_str(text);
    }

    /// Offset in the body of an offset in `text`.
    pub(super) fn origin(&self, offset: usize) -> usize {
        let part = self.parts.partition_point(|(at, _)| *at <= offset);
        part.checked_sub(1).map_or(offset, |part| self.parts[part].1 + (offset - self.parts[part].0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_replacement() {
        let body = "a\n{{<\n x\n>}}\nb\n";
        let lines = Lines::new(body);
        let mut composed = Composed::default();
        composed.push("a\n", 0);
        composed.push("T", 2);
        composed.push("\nb\n", 12);
        assert_eq!(lines.line(composed.origin(0)), 1);
        assert_eq!(lines.line(composed.origin(2)), 2);
        assert_eq!(lines.line(composed.origin(4)), 5);
    }
}
