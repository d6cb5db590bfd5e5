//! What is looked for: literal text or a regular expression, bounded before it is used.

use std::borrow::Cow;

use regex::{Captures, Regex, RegexBuilder};

use crate::error::{Error, Result};

/// Longest literal text, in bytes.
const MAX_LITERAL: usize = 10_000;
/// Longest regular expression, in bytes.
const MAX_EXPRESSION: usize = 1_000;
/// Size of a compiled expression, in bytes: its time per character of text grows with it.
const COMPILED: usize = 256 * 1024;
/// The same for literal text, which has no states that run side by side.
const COMPILED_LITERAL: usize = 4 * 1024 * 1024;
/// Groups may be nested this deep.
const NESTING: u32 = 40;
/// Largest text that replacing may make, in bytes: what a page or template may have at most.
const MAX_TEXT: usize = 2 << 20;

/// How a text is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct How {
    /// It is a regular expression; `^` and `$` stand for the ends of lines.
    pub regex: bool,
    /// Only whole words.
    pub word: bool,
    /// Upper and lower case differ.
    pub case: bool,
}

/// Compiled, and sure to match at least one character wherever it matches.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// The argument it came from, for refusals.
    field: &'static str,
}

impl Pattern {
    /// Compiles a text that came as argument `field`.
    ///
    /// # Errors
    /// `InvalidArguments` for what is empty, too long, no regular expression, or matches nothing at all.
    pub(super) fn compile(field: &'static str, text: &str, how: How) -> Result<Self> {
        let limit = if how.regex { MAX_EXPRESSION } else { MAX_LITERAL };
        if text.is_empty() {
            return Err(refused(field, "it is empty".into(), how));
        }
        if text.len() > limit {
            return Err(refused(field, format!("it has {} bytes, expected at most {limit}", text.len()), how));
        }
        let expression = if how.regex { text.to_owned() } else { regex::escape(&text.replace("\r\n", "\n")) };
        let expression = if how.word {
            // Half borders: `C++` is a word too.
            format!(r"\b{{start-half}}(?:{expression})\b{{end-half}}")
        } else {
            expression
        };
        let size = if how.regex { COMPILED } else { COMPILED_LITERAL };
        let regex = RegexBuilder::new(&expression)
            .case_insensitive(!how.case)
            .multi_line(true)
            .crlf(true)
            .size_limit(size)
            .nest_limit(NESTING)
            .build()
            .map_err(|error| refused(field, problem(&error), how))?;
        let pattern = Self { regex, field };
        if pattern.regex.is_match("") {
            return Err(pattern.matches_nothing());
        }
        Ok(pattern)
    }

    /// Start and end of each match, in bytes.
    ///
    /// # Errors
    /// `InvalidArguments` where it matches between two characters.
    pub(super) fn matches<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Result<(usize, usize)>> + 't {
        self.regex
            .find_iter(text)
            .map(|found| if found.is_empty() { Err(self.matches_nothing()) } else { Ok((found.start(), found.end())) })
    }

    fn matches_nothing(&self) -> Error {
        let how = How { regex: true, ..How::default() };
        refused(self.field, "it matches the empty text, so it would match everywhere".into(), how)
    }
}

/// The first sentence of what the compiler says that is a fact and not a drawing.
fn problem(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large once compiled: repeat less, or use fewer classes".into(),
        other => {
            let text = other.to_string();
            let last = text.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it cannot be read");
            format!("it is no regular expression: {last}")
        }
    }
}

fn refused(field: &str, problem: String, how: How) -> Error {
    let name = field.rsplit('.').next().unwrap_or(field);
    let example = if how.regex {
        format!("\"{name}\": \"colou?rs?\", \"regex\": true")
    } else {
        format!("\"{name}\": \"old words\"")
    };
    Error::InvalidArguments { field: field.to_owned(), problem, example }
}

/// A pattern with what takes its place.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pattern: Pattern,
    replace: String,
    /// `$1` and `${name}` stand for groups.
    groups: bool,
    /// How many groups `replace` names: bounds what one match can grow to.
    named: usize,
}

impl Rule {
    /// Compiles one pair.
    ///
    /// # Errors
    /// Those of [`Pattern::compile`], and `InvalidArguments` for a group that does not exist.
    pub(super) fn compile(find: &str, replace: &str, how: How) -> Result<Self> {
        let pattern = Pattern::compile("pairs[].find", find, how)?;
        if replace.len() > MAX_LITERAL {
            let problem = format!("it has {} bytes, expected at most {MAX_LITERAL}", replace.len());
            return Err(refused("pairs[].replace", problem, How::default()));
        }
        let named = if how.regex { check_groups(&pattern.regex, replace)? } else { 0 };
        Ok(Self { pattern, replace: replace.replace("\r\n", "\n"), groups: how.regex, named })
    }

    /// The text with every match replaced, and how many there were; `None`: none.
    fn apply(&self, text: &str) -> Result<Option<(String, usize)>> {
        let mut out = String::new();
        let (mut last, mut count) = (0, 0);
        let mut take = |start: usize, end: usize, captures: Option<&Captures<'_>>| -> Result<()> {
            if start == end {
                return Err(self.pattern.matches_nothing());
            }
            out.push_str(&text[last..start]);
            // What the groups can add at most, before it is added.
            let most = out.len() + self.replace.len() + self.named * (end - start);
            if most > MAX_TEXT {
                return Err(Error::TooLarge { what: "a file after replacing".into(), size: most, limit: MAX_TEXT });
            }
            match captures {
                Some(captures) => captures.expand(&self.replace, &mut out),
                None => out.push_str(&self.replace),
            }
            (last, count) = (end, count + 1);
            Ok(())
        };
        if self.groups && self.named > 0 {
            for captures in self.pattern.regex.captures_iter(text) {
                let Some(whole) = captures.get(0) else { continue };
                take(whole.start(), whole.end(), Some(&captures))?;
            }
        } else {
            for found in self.pattern.regex.find_iter(text) {
                take(found.start(), found.end(), None)?;
            }
        }
        if count == 0 {
            return Ok(None);
        }
        out.push_str(&text[last..]);
        Ok(Some((out, count)))
    }
}

/// Applies all rules in their order, each to what the one before left; the file's own line ends stay. `None`: no match.
///
/// # Errors
/// `TooLarge` for what grows past the size of a page, `InvalidArguments`.
pub(super) fn apply(rules: &[Rule], text: &str) -> Result<Option<(String, usize)>> {
    let (mut current, crlf) = unified(text);
    let mut total = 0;
    for rule in rules {
        if let Some((replaced, count)) = rule.apply(&current)? {
            current = Cow::Owned(replaced);
            total += count;
        }
    }
    if total == 0 {
        return Ok(None);
    }
    let text = if crlf { current.replace('\n', "\r\n") } else { current.into_owned() };
    Ok(Some((text, total)))
}

/// A text whose lines all end in CRLF, with LF: callers write LF, and the file keeps its own.
pub(super) fn unified(text: &str) -> (Cow<'_, str>, bool) {
    let crlf = text.matches("\r\n").count();
    if crlf == 0 || crlf != text.matches('\n').count() {
        return (Cow::Borrowed(text), false);
    }
    (Cow::Owned(text.replace("\r\n", "\n")), true)
}

/// How many groups a replacement names; each has to exist, for an unknown one would silently become nothing.
fn check_groups(regex: &Regex, replace: &str) -> Result<usize> {
    let mut named = 0;
    let mut rest = replace;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let braced = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, after) = braced.unwrap_or_else(|| {
            rest.split_at(rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len()))
        });
        rest = after;
        if name.is_empty() {
            continue;
        }
        let known = match name.parse::<usize>() {
            Ok(number) => number < regex.captures_len(),
            Err(_) => regex.capture_names().flatten().any(|known| known == name),
        };
        if !known {
            let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
            let example = match digits.as_str() {
                "" => format!("write a dollar sign as $$, and name the group (?P<{name}>...) in `find`"),
                digits if digits.len() < name.len() => format!("${{{digits}}}{}", &name[digits.len()..]),
                _ => "\"find\": \"(\\\\d+) px\", \"replace\": \"${1}px\"".into(),
            };
            let problem = format!("`find` has no group `{name}`");
            return Err(Error::InvalidArguments { field: "pairs[].replace".into(), problem, example });
        }
        named += 1;
    }
    // `$$` is written through the same expansion.
    Ok(named + usize::from(replace.contains('$')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGEX: How = How { regex: true, word: false, case: true };

    fn replaced(pairs: &[(&str, &str)], how: How, text: &str) -> Option<(String, usize)> {
        let rules: Vec<Rule> = pairs.iter().map(|(find, with)| Rule::compile(find, with, how).unwrap()).collect();
        apply(&rules, text).unwrap()
    }

    #[test]
    fn pairs_apply_in_order_to_what_the_one_before_left() {
        let how = How { case: true, ..How::default() };
        assert_eq!(replaced(&[("a", "b"), ("b", "c")], how, "a b"), Some(("c c".into(), 3)));
        assert_eq!(replaced(&[("x", "y")], how, "a b"), None);
    }

    #[test]
    fn words_and_case() {
        let word = How { word: true, ..How::default() };
        assert_eq!(replaced(&[("cat", "dog")], word, "Cat, concat"), Some(("dog, concat".into(), 1)));
        assert_eq!(replaced(&[("C++", "Rust")], word, "C++ and C++x"), Some(("Rust and C++x".into(), 1)));
        assert_eq!(replaced(&[("cat", "dog")], How { case: true, ..word }, "Cat"), None);
    }

    #[test]
    fn groups_and_literal_dollars() {
        assert_eq!(replaced(&[(r"(\d+) px", "${1}px $$")], REGEX, "12 px"), Some(("12px $".into(), 1)));
        assert_eq!(replaced(&[("x", "$$5")], REGEX, "x"), Some(("$5".into(), 1)));
        let literal = How { case: true, ..How::default() };
        assert_eq!(replaced(&[("x", "$1 $$")], literal, "x"), Some(("$1 $$".into(), 1)));
        for bad in ["$2", "$1px", "${name}"] {
            let error = Rule::compile("(a)", bad, REGEX).unwrap_err();
            assert!(error.to_string().contains("no group"), "{bad}: {error}");
        }
    }

    #[test]
    fn line_ends_stay() {
        let how = How::default();
        assert_eq!(replaced(&[("a\nb", "x\ny\nz")], how, "a\r\nb\r\n"), Some(("x\r\ny\r\nz\r\n".into(), 1)));
        assert_eq!(replaced(&[("b$", "c")], REGEX, "a\r\nb\r\n"), Some(("a\r\nc\r\n".into(), 1)));
    }

    #[test]
    fn what_is_empty_or_grows_without_bound_is_refused() {
        for bad in ["", "x*", "^", r"\b", "a|", "("] {
            let pattern = Pattern::compile("query", bad, REGEX);
            let refused = pattern.is_err_and(|error| error.code() == "invalid_arguments")
                || Pattern::compile("query", bad, REGEX).unwrap().matches("a b").next().unwrap().is_err();
            assert!(refused, "{bad}");
        }
        assert!(Pattern::compile("query", r"\w{500}", REGEX).is_err());
        let doubling: Vec<Rule> = (0..40).map(|_| Rule::compile("(a+)", "$1$1", REGEX).unwrap()).collect();
        assert_eq!(apply(&doubling, "a").unwrap_err().code(), "too_large");
    }
}
