//! Finds shortcode calls in a body: Hugo's `{{< name args >}}` and `{{% name args %}}`, Zola's `{{ name(k="v") }}` and
//! `{% name(k="v") %}…{% end %}`. Parsing only; what a call becomes is for a theme to say.

mod arguments;

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};

use arguments::{Cursor, Form};

/// Calls nested deeper than this are shown as text.
pub const MAX_DEPTH: usize = 16;
/// Longest tag read, in bytes.
const MAX_TAG: usize = 16 * 1024;

/// Name and arguments of a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Call {
    /// Name, possibly with slashes.
    pub name: String,
    /// Arguments without a name, in order.
    pub positional: Vec<Value>,
    /// Arguments with a name.
    pub args: Map<String, Value>,
    /// Whether inner content is Markdown.
    pub markdown: bool,
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Markdown.
    Text(Range<usize>),
    /// To be shown as written here.
    Literal(Range<usize>, String),
    /// A call: its range with everything inside it, the call, its inner content where it has a closing tag.
    Call(Range<usize>, Call, Option<Inner>),
}

/// What stands between an opening and a closing tag.
#[derive(Debug, Clone, PartialEq)]
pub struct Inner {
    /// Its range in the body.
    pub range: Range<usize>,
    /// Its parts.
    pub nodes: Vec<Node>,
}

/// Something wrong with a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Byte offset in the body.
    pub offset: usize,
    /// Rule.
    pub code: &'static str,
    /// The fact.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Places in which a body is code.
#[derive(Debug, Default)]
pub struct CodeRanges {
    /// Fences and code spans, ascending: never searched.
    pub literal: Vec<Range<usize>>,
    /// Indented blocks, ascending: searched only between an opening and its closing tag, where indenting is a habit.
    pub indented: Vec<Range<usize>>,
}

/// Whether a body may hold a call; cheap.
pub fn may_have_calls(body: &str) -> bool {
    body.contains("{{") || body.contains("{%")
}

/// Finds all calls of a body.
pub fn scan(body: &str, code: &CodeRanges) -> (Vec<Node>, Vec<Problem>) {
    let mut scanner =
        Scanner { body, tags: Vec::new(), open: Vec::new(), counts: BTreeMap::new(), problems: Vec::new() };
    scanner.find_tags(code);
    scanner.close_rest();
    let nodes = scanner.build(0..scanner.tags.len(), 0..body.len(), 0);
    scanner.problems.sort_by_key(|problem| problem.offset);
    (nodes, scanner.problems)
}

struct Tag {
    range: Range<usize>,
    kind: TagKind,
    /// Inside an indented code block.
    indented: bool,
}

enum TagKind {
    /// A call and the index of its closing tag.
    Open(Call, Option<usize>, Form),
    Close,
    Literal(String),
}

struct Scanner<'a> {
    body: &'a str,
    tags: Vec<Tag>,
    /// Opening tags that wait for a closing one.
    open: Vec<usize>,
    /// How many of `open` have a name; Zola's, which `{% end %}` closes whatever their name, under the empty name.
    counts: BTreeMap<String, usize>,
    problems: Vec<Problem>,
}

impl Scanner<'_> {
    fn find_tags(&mut self, code: &CodeRanges) {
        let (mut at, mut literal, mut indented) = (0, 0, 0);
        while let Some(found) = self.body[at..].find('{') {
            at += found;
            if !self.body[at + 1..].starts_with(['{', '%']) {
                at += 1;
                continue;
            }
            if let Some(range) = holding(&code.literal, &mut literal, at) {
                at = range.end.max(at + 1);
                continue;
            }
            let indented = holding(&code.indented, &mut indented, at).is_some();
            at = self.read_tag(at, indented).unwrap_or(at + 1);
        }
    }

    /// Reads the tag at `start`; gives the offset behind it, or `None` where there is none.
    fn read_tag(&mut self, start: usize, indented: bool) -> Option<usize> {
        let (form, opener, closer) = Form::at(&self.body[start..])?;
        let limit = (start + MAX_TAG).min(self.body.len());
        let limit = (start..=limit).rev().find(|at| self.body.is_char_boundary(*at))?;
        let text = &self.body[start..limit];
        if let Some(escaped) = text[opener.len()..].strip_prefix("/*") {
            let close = format!("*/{closer}");
            let length = escaped.find(&close)?;
            let end = start + opener.len() + 2 + length + close.len();
            let shown = format!("{opener}{}{closer}", &escaped[..length]);
            self.tags.push(Tag { range: start..end, kind: TagKind::Literal(shown), indented });
            return Some(end);
        }
        let mut cursor = Cursor::new(text, opener.len());
        let Some(parsed) = cursor.tag(form, closer) else {
            if form.is_hugo() && !indented {
                self.problems.push(Problem {
                    offset: start,
                    code: "shortcode_syntax",
                    message: format!("`{opener}` opens a shortcode that is not written as one"),
                    hint: format!(
                        "Write `{opener} name key=\"value\" {closer}`, or `{opener}/* … */{closer}` to show it."
                    ),
                });
                let end = start + opener.len();
                self.tags.push(Tag { range: start..end, kind: TagKind::Literal(opener.to_owned()), indented });
                return Some(end);
            }
            return None;
        };
        let range = start..start + cursor.offset();
        let end = range.end;
        if parsed.closing {
            self.close(range, &parsed.call.name, indented);
        } else {
            let index = self.tags.len();
            if !parsed.self_closing && form != Form::ZolaInline {
                let name = if form == Form::ZolaBody { "" } else { &parsed.call.name };
                *self.counts.entry(name.to_owned()).or_default() += 1;
                self.open.push(index);
            }
            self.tags.push(Tag { range, kind: TagKind::Open(parsed.call, None, form), indented });
        }
        Some(end)
    }

    fn close(&mut self, range: Range<usize>, name: &str, indented: bool) {
        if self.counts.get(name).copied().unwrap_or(0) == 0 {
            // `{% end %}` and `{% endif %}` belong to other template languages as well: without an opening tag they are text.
            if !name.is_empty() {
                self.problems.push(Problem {
                    offset: range.start,
                    code: "shortcode_mismatch",
                    message: format!("closing tag of shortcode `{name}` has no opening tag"),
                    hint: format!("Remove it, or open `{name}` before it."),
                });
                let text = self.body[range.clone()].to_owned();
                self.tags.push(Tag { range, kind: TagKind::Literal(text), indented });
            }
            return;
        }
        let close = self.tags.len();
        while let Some(open) = self.open.pop() {
            let TagKind::Open(call, closed_by, form) = &mut self.tags[open].kind else { continue };
            let key = if *form == Form::ZolaBody { "" } else { call.name.as_str() };
            if let Some(count) = self.counts.get_mut(key) {
                *count -= 1;
            }
            if key == name {
                *closed_by = Some(close);
                break;
            }
            if *form == Form::ZolaBody {
                self.unclosed(open);
            }
        }
        self.tags.push(Tag { range, kind: TagKind::Close, indented });
    }

    /// What is still open at the end has no inner content; Zola's body form must have one.
    fn close_rest(&mut self) {
        while let Some(open) = self.open.pop() {
            if matches!(self.tags[open].kind, TagKind::Open(_, _, Form::ZolaBody)) {
                self.unclosed(open);
            }
        }
    }

    fn unclosed(&mut self, open: usize) {
        let range = self.tags[open].range.clone();
        let text = self.body[range.clone()].to_owned();
        if let TagKind::Open(call, ..) = &self.tags[open].kind {
            self.problems.push(Problem {
                offset: range.start,
                code: "shortcode_unclosed",
                message: format!("shortcode `{}` is opened and never closed", call.name),
                hint: "Add `{% end %}` behind its content.".to_owned(),
            });
        }
        self.tags[open].kind = TagKind::Literal(text);
    }

    /// The parts of `range`, which holds the tags `tags`. Recursion is bounded by [`MAX_DEPTH`].
    fn build(&mut self, tags: Range<usize>, range: Range<usize>, depth: usize) -> Vec<Node> {
        let mut nodes = Vec::new();
        let (mut at, mut index) = (range.start, tags.start);
        while index < tags.end {
            let tag = &self.tags[index];
            let (span, text) = (tag.range.clone(), at..tag.range.start);
            let (node, next) = match &tag.kind {
                _ if tag.indented && depth == 0 => (None, index + 1),
                TagKind::Close => (None, index + 1),
                TagKind::Literal(text) => (Some(Node::Literal(span.clone(), text.clone())), index + 1),
                TagKind::Open(call, None, _) => (Some(Node::Call(span.clone(), call.clone(), None)), index + 1),
                TagKind::Open(call, Some(close), _) => {
                    let (call, close) = (call.clone(), *close);
                    let whole = span.start..self.tags[close].range.end;
                    let inner = span.end..self.tags[close].range.start;
                    let node = if depth < MAX_DEPTH {
                        let nodes = self.build(index + 1..close, inner.clone(), depth + 1);
                        Node::Call(whole, call, Some(Inner { range: inner, nodes }))
                    } else {
                        self.problems.push(Problem {
                            offset: whole.start,
                            code: "shortcode_depth",
                            message: format!("shortcode `{}` is nested deeper than {MAX_DEPTH} levels", call.name),
                            hint: "Nest fewer shortcodes.".to_owned(),
                        });
                        Node::Literal(whole.clone(), self.body[whole].to_owned())
                    };
                    (Some(node), close + 1)
                }
            };
            if let Some(node) = node {
                let end = match &node {
                    Node::Text(range) | Node::Literal(range, _) | Node::Call(range, ..) => range.end,
                };
                if !text.is_empty() {
                    nodes.push(Node::Text(text));
                }
                nodes.push(node);
                at = end;
            }
            index = next;
        }
        if at < range.end {
            nodes.push(Node::Text(at..range.end));
        }
        nodes
    }
}

/// The range that holds `at`; `from` remembers how far the ascending list was read.
fn holding<'a>(ranges: &'a [Range<usize>], from: &mut usize, at: usize) -> Option<&'a Range<usize>> {
    while ranges.get(*from).is_some_and(|range| range.end <= at) {
        *from += 1;
    }
    ranges.get(*from).filter(|range| range.start <= at)
}

#[cfg(test)]
mod tests;
