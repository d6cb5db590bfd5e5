//! Fenced code to HTML: class names instead of styles, so that a strict content security policy holds.
//!
//! Output: `<pre class="highlight" tabindex="0"><code class="language-rust" data-lang="rust">…</code></pre>`.
//! Spans carry one of [`CLASSES`]. With `linenos` or `hl_lines` each line is `<span class="line" data-line="3">` (marked ones
//! `class="line marked"`), and the `pre` has the class `linenos` when numbers are to be shown:
//! `.linenos .line::before { content: attr(data-line) }`.

mod chain;
mod fence;
mod grammars;
mod memo;
mod query;
mod rules;
mod walk;

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use arborium::tree_sitter::{Parser, QueryCursor};

use fence::Fence;
use memo::Memo;
use walk::{Found, Span};

/// Every class a span can have, for the CSS of themes.
pub const CLASSES: [&str; 25] = [
    "attribute",
    "comment",
    "constant",
    "constructor",
    "diff-add",
    "diff-delete",
    "emphasis",
    "error",
    "function",
    "keyword",
    "label",
    "link",
    "literal",
    "macro",
    "namespace",
    "number",
    "operator",
    "property",
    "string",
    "strikethrough",
    "strong",
    "tag",
    "title",
    "type",
    // Parameters and built-in ones such as `self`; plain variables have no span.
    "variable",
];

/// Larger blocks are shown plain.
const MAX_CODE: usize = 200_000;
/// Blocks with a longer line are shown plain: that is data, not code.
const MAX_LINE: usize = 10_000;
/// Languages that are made ready before they are used.
const MOST_PREPARED: usize = 16;
/// How deep code of other languages lies in each other.
const MAX_DEPTH: usize = 3;

/// A code block as HTML. `info` is what stands behind the fence; an unknown language is plain text, never an error.
pub fn code_block(code: &str, info: &str, highlight: bool) -> String {
    let fence = Fence::parse(info);
    let mut out = String::with_capacity(code.len() * 2 + 96);
    out.push_str("<pre class=\"highlight");
    if fence.line_numbers {
        out.push_str(" linenos");
    }
    out.push_str("\" tabindex=\"0\"");
    if let Some(name) = &fence.name {
        out.push_str(" data-name=\"");
        escape(&mut out, name);
        out.push('"');
    }
    out.push_str("><code");
    if !fence.language.is_empty() {
        out.push_str(" class=\"language-");
        escape(&mut out, &fence.language);
        out.push_str("\" data-lang=\"");
        escape(&mut out, &fence.language);
        out.push('"');
    }
    out.push('>');
    let tokens = if highlight { tokens(code, canonical(&fence.language)) } else { Arc::default() };
    if fence.by_line() {
        write_lines(&mut out, code, &tokens, &fence);
    } else {
        write_range(&mut out, code, 0..code.len(), &tokens, &mut 0);
    }
    out.push_str("</code></pre>\n");
    out
}

/// A run of code with one class.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    start: usize,
    end: usize,
    class: &'static str,
}

/// Makes the grammars ready of code that will be shown soon, by threads that have nothing else to do. `infos` are what stands behind
/// the fences.
pub(super) fn prepare<'i>(infos: impl Iterator<Item = &'i str>) {
    let infos: BTreeSet<&str> = infos.collect();
    let languages: BTreeSet<String> = infos.into_iter().map(|info| Fence::parse(info).language).collect();
    for language in languages.into_iter().filter(|language| !language.is_empty()).take(MOST_PREPARED) {
        // A panic is dealt with where the grammar is used.
        rayon::spawn(move || drop(catch_unwind(|| grammars::grammar(canonical(&language)).is_some())));
    }
}

/// The runs of a block, remembered while it is in use.
fn tokens(code: &str, language: &str) -> Arc<[Token]> {
    static MEMO: OnceLock<Memo> = OnceLock::new();
    if language.is_empty() || code.len() > MAX_CODE || code.lines().any(|line| line.len() > MAX_LINE) {
        return Arc::default();
    }
    MEMO.get_or_init(Memo::default).get_or(language, code, || parse(code, language))
}

fn parse(code: &str, language: &str) -> Vec<Token> {
    thread_local! {
        static TOOLS: RefCell<Option<Tools>> = const { RefCell::new(None) };
    }
    TOOLS.with_borrow_mut(|tools| {
        let current = tools.get_or_insert_with(|| Tools { parser: Parser::new(), engine: QueryCursor::new() });
        // Grammars are generated code of other people: a panic in one costs this block its colours, not the build.
        let spans = catch_unwind(AssertUnwindSafe(|| {
            let mut spans = Vec::new();
            current.spans(code, 0, language, MAX_DEPTH, &mut spans);
            spans
        }));
        if let Ok(spans) = spans {
            flatten(code, spans)
        } else {
            *tools = None;
            Vec::new()
        }
    })
}

/// What a thread parses with.
struct Tools {
    parser: Parser,
    engine: QueryCursor,
}

impl Tools {
    /// Adds the spans of code that stands at `offset`, and of other languages in it up to a depth.
    fn spans(&mut self, code: &str, offset: usize, language: &str, depth: usize, spans: &mut Vec<Span>) {
        let Some(grammar) = grammars::grammar(language) else { return };
        if self.parser.set_language(&grammar.language).is_err() {
            return;
        }
        // What a macro is given is a statement without its end: the parser would try all that could be missing, which takes as long as
        // several blocks.
        let is_open = language == "rust" && depth < MAX_DEPTH;
        let text = if is_open { Cow::Owned(format!("{code};")) } else { Cow::Borrowed(code) };
        let Some(tree) = self.parser.parse(text.as_bytes(), None) else { return };
        let Found { spans: mut found, inner } = walk::walk(&grammar.rules, &tree, text.as_bytes(), &mut self.engine);
        found.retain(|span| span.end <= code.len());
        spans.extend(found.into_iter().map(|span| Span { start: span.start + offset, end: span.end + offset, ..span }));
        for part in inner.into_iter().filter(|_| depth > 0) {
            if let Some(code) = code.get(part.start..part.end).filter(|code| !code.is_empty()) {
                self.spans(code, offset + part.start, canonical(&part.language), depth - 1, spans);
            }
        }
    }
}

/// Names people write for languages.
fn canonical(language: &str) -> &str {
    match language {
        "shell" | "console" | "shell-session" | "shellsession" | "sh-session" | "zsh" | "ksh" | "terminal" | "sh" => {
            "bash"
        }
        "js" | "jsx" | "node" | "mjs" | "cjs" | "es6" | "ecmascript" => "javascript",
        "c++" | "cc" | "hpp" | "cxx" | "h++" => "cpp",
        "h" => "c",
        "golang" => "go",
        "docker" | "containerfile" => "dockerfile",
        "htm" | "xhtml" | "hbs" | "handlebars" | "mustache" => "html",
        "svg" | "rss" | "atom" | "xsd" | "xsl" | "xslt" | "plist" => "xml",
        "jsonc" | "json5" | "jsonl" | "webmanifest" | "geojson" => "json",
        "rs" => "rust",
        "yml" => "yaml",
        "md" | "mdx" => "markdown",
        "py" | "py3" | "python3" | "pycon" => "python",
        "rb" => "ruby",
        "patch" | "udiff" => "diff",
        "psql" | "sqlite" | "plpgsql" | "mysql" | "postgres" | "postgresql" => "sql",
        "scss" | "less" => "css",
        "tsx" | "ts" | "mts" | "cts" => "typescript",
        other => other,
    }
}

/// Overlapping and nested spans to runs that do not overlap; the innermost wins, then the later rule of the grammar.
fn flatten(code: &str, mut spans: Vec<Span>) -> Vec<Token> {
    spans.retain(|span| span.start < span.end && code.is_char_boundary(span.start) && code.is_char_boundary(span.end));
    spans.sort_by_key(|span| (span.start, Reverse(span.end), span.rule));
    let mut tokens: Vec<Token> = Vec::with_capacity(spans.len());
    let mut stack: Vec<(usize, &'static str)> = Vec::new();
    let mut at = 0;
    for Span { start, end, class, .. } in spans {
        close_until(&mut tokens, &mut stack, &mut at, start);
        stack.push((end, class));
    }
    close_until(&mut tokens, &mut stack, &mut at, code.len());
    tokens
}

/// Writes what the open spans cover up to `until`.
fn close_until(tokens: &mut Vec<Token>, stack: &mut Vec<(usize, &'static str)>, at: &mut usize, until: usize) {
    while *at < until {
        let Some((end, class)) = stack.last().copied() else { break };
        let stop = end.min(until);
        if stop > *at {
            match tokens.last_mut() {
                Some(last) if last.class == class && last.end == *at => last.end = stop,
                _ => tokens.push(Token { start: *at, end: stop, class }),
            }
            *at = stop;
        }
        if end <= *at {
            stack.pop();
        }
    }
    *at = (*at).max(until);
}

/// Class of a grammar's capture name; `None`: shown like plain text.
fn class_of(capture: &str) -> Option<&'static str> {
    let capture = capture.trim_start_matches('@');
    let (head, tail) = capture.split_once('.').unwrap_or((capture, ""));
    Some(match head {
        "keyword" | "include" | "conditional" | "repeat" | "exception" | "storageclass" | "preproc" | "define"
        | "structure" => "keyword",
        "function" | "method" if tail == "macro" => "macro",
        "function" | "method" => "function",
        "string" | "character" | "escape" => "string",
        "comment" => "comment",
        "type" => "type",
        "variable" if tail.is_empty() => return None,
        "variable" | "parameter" => "variable",
        "constant" if tail.starts_with("numeric") => "number",
        "constant" | "boolean" => "constant",
        "number" | "float" => "number",
        "operator" => "operator",
        "property" | "field" => "property",
        "attribute" => "attribute",
        "tag" if tail == "attribute" => "attribute",
        "tag" if tail == "delimiter" => return None,
        "tag" if tail == "error" => "error",
        "tag" => "tag",
        "macro" => "macro",
        "label" => "label",
        "namespace" | "module" => "namespace",
        "constructor" => "constructor",
        "diff" if tail.starts_with("plus") || tail.starts_with("add") => "diff-add",
        "diff" if tail.starts_with("minus") || tail.starts_with("del") => "diff-delete",
        "error" => "error",
        "markup" | "text" => return markup_class(tail),
        _ => return None,
    })
}

fn markup_class(tail: &str) -> Option<&'static str> {
    Some(match tail.split('.').next().unwrap_or_default() {
        "heading" | "title" => "title",
        "strong" | "bold" => "strong",
        "italic" | "emphasis" => "emphasis",
        "link" | "uri" | "url" | "reference" => "link",
        "raw" | "literal" => "literal",
        "strikethrough" | "strike" => "strikethrough",
        "list" => "operator",
        "quote" => "comment",
        _ => return None,
    })
}

/// Writes a range of code; `next` is the first token that may reach into it.
fn write_range(out: &mut String, code: &str, range: std::ops::Range<usize>, tokens: &[Token], next: &mut usize) {
    let mut at = range.start;
    while let Some(token) = tokens.get(*next).filter(|token| token.start < range.end) {
        let (start, end) = (token.start.max(at), token.end.min(range.end));
        escape(out, &code[at..start]);
        if start < end {
            let _ = write!(out, "<span class=\"{}\">", token.class);
            escape(out, &code[start..end]);
            out.push_str("</span>");
        }
        at = end.max(start);
        if token.end > range.end {
            break;
        }
        *next += 1;
    }
    escape(out, &code[at..range.end]);
}

fn write_lines(out: &mut String, code: &str, tokens: &[Token], fence: &Fence) {
    let (mut at, mut next) = (0, 0);
    for (index, line) in code.split_inclusive('\n').enumerate() {
        let end = at + line.trim_end_matches('\n').len();
        let marked = if fence.is_marked(index + 1) { " marked" } else { "" };
        let _ = write!(out, "<span class=\"line{marked}\" data-line=\"{}\">", index + fence.first_line);
        write_range(out, code, at..end, tokens, &mut next);
        out.push_str("</span>");
        out.push_str(&code[end..at + line.len()]);
        at += line.len();
    }
}

/// Escapes text for HTML, inside or outside an attribute in double quotes.
fn escape(out: &mut String, text: &str) {
    super::markdown::push_escaped(out, text);
}

#[cfg(test)]
mod tests;
