//! The info string behind a code fence, in the ways Hugo, Zola, rustdoc, Pandoc and Docusaurus write it.

/// What an info string asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fence {
    /// Lower case, only letters, digits and `+#_.-`; empty where none is given.
    pub(super) language: String,
    /// Show line numbers.
    pub(super) line_numbers: bool,
    /// Number of the first line.
    pub(super) first_line: usize,
    /// Marked lines, counted from 1 in the block: first and last of each range.
    pub(super) marked: Vec<(usize, usize)>,
    /// File name or title.
    pub(super) name: Option<String>,
}

impl Fence {
    /// Reads an info string; what it does not know it leaves out.
    pub(super) fn parse(info: &str) -> Self {
        let mut fence =
            Self { language: String::new(), line_numbers: false, first_line: 1, marked: Vec::new(), name: None };
        let info: String = info.chars().take(500).collect();
        let info = info.trim();
        let head = info.trim_start_matches(['{', '.', ' ']);
        let end =
            head.find(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | ':' | '=')).unwrap_or(head.len());
        // `{hl_lines=[2]}` has no language: what looks like one is a key.
        let (language, rest) = if head[end..].starts_with('=') { ("", head) } else { head.split_at(end) };
        fence.language =
            language.to_lowercase().chars().filter(|c| c.is_alphanumeric() || "+#_.-".contains(*c)).take(40).collect();
        for (key, value) in pairs(rest) {
            fence.set(&key.to_lowercase(), &value);
        }
        fence
    }

    fn set(&mut self, key: &str, value: &str) {
        match key {
            "linenos" | "linenumbers" | "showlinenumbers" => self.line_numbers = value != "false",
            "linenostart" | "startline" => {
                self.line_numbers = true;
                self.first_line = value.parse().unwrap_or(1).min(1_000_000);
            }
            "hl_lines" | "hl-lines" | "mark" => {
                self.marked = value
                    .split(|c: char| c == ',' || c.is_whitespace())
                    .filter_map(|part| {
                        let part = part.trim_matches(['"', '\'', '[', ']']);
                        let (first, last) = part.split_once('-').unwrap_or((part, part));
                        Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
                    })
                    .take(100)
                    .collect();
            }
            "name" | "title" | "filename" if !value.is_empty() => self.name = Some(value.to_owned()),
            _ => {}
        }
    }

    /// Whether each line gets an element of its own.
    pub(super) fn by_line(&self) -> bool {
        self.line_numbers || !self.marked.is_empty()
    }

    /// Whether a line, counted from 1, is marked.
    pub(super) fn is_marked(&self, line: usize) -> bool {
        self.marked.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }
}

/// `key`, `key=value`, `key="a b"`, `key=[1, "2-3"]`, divided by commas, blanks or braces. Zola writes `hl_lines=1 3-4`:
/// bare numbers behind such a key belong to it.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | ';' | ':'));
        if rest.is_empty() {
            return found;
        }
        let end =
            rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}' | '=' | ';')).unwrap_or(rest.len());
        let key = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(behind) = rest.strip_prefix('=') {
            let (length, inner) = read_value(behind);
            behind[inner].clone_into(&mut value);
            rest = &behind[length..];
        }
        match found.last_mut() {
            Some((last, numbers)) if last == "hl_lines" && key.starts_with(|c: char| c.is_ascii_digit()) => {
                numbers.push(' ');
                numbers.push_str(&key);
            }
            _ => found.push((key, value)),
        }
    }
}

/// Length of a value and where its text is in it.
fn read_value(text: &str) -> (usize, std::ops::Range<usize>) {
    let close = match text.chars().next() {
        Some('"') => Some('"'),
        Some('\'') => Some('\''),
        Some('[') => Some(']'),
        _ => None,
    };
    if let Some(close) = close {
        return match text[1..].find(close) {
            Some(length) => (length + 2, 1..length + 1),
            None => (text.len(), 1..text.len()),
        };
    }
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, ',' | '}' | ';')).unwrap_or(text.len());
    (end, 0..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_strings() {
        type Case = (&'static str, &'static str, bool, usize, &'static [(usize, usize)]);
        let cases: [Case; 12] = [
            ("", "", false, 1, &[]),
            ("rust", "rust", false, 1, &[]),
            ("rust,ignore", "rust", false, 1, &[]),
            ("Rust,linenos", "rust", true, 1, &[]),
            ("go {hl_lines=[2,\"4-5\"]}", "go", false, 1, &[(2, 2), (4, 5)]),
            ("go {linenos=inline,hl_lines=[8,\"15-17\"],linenostart=199}", "go", true, 199, &[(8, 8), (15, 17)]),
            ("go {linenos=false}", "go", false, 1, &[]),
            ("rust,hl_lines=1 3-4,linenos", "rust", true, 1, &[(1, 1), (3, 4)]),
            ("{.python .numberLines}", "python", false, 1, &[]),
            ("{hl_lines=[1]}", "", false, 1, &[(1, 1)]),
            ("c++", "c++", false, 1, &[]),
            ("\"><script>", "script", false, 1, &[]),
        ];
        for (info, language, numbers, first, marked) in cases {
            let fence = Fence::parse(info);
            assert_eq!(
                (fence.language.as_str(), fence.line_numbers, fence.first_line, fence.marked.as_slice()),
                (language, numbers, first, marked),
                "{info}"
            );
        }
        assert_eq!(Fence::parse("rust,name=src/main.rs").name.as_deref(), Some("src/main.rs"));
        assert_eq!(Fence::parse("js title=\"a b\"").name.as_deref(), Some("a b"));
        assert_eq!(Fence::parse("js title=\"open").name.as_deref(), Some("open"));
    }
}
