//! Walks the parser's events and writes HTML with tokens for what is filled in later.

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, TagEnd};

use super::anchors::Anchors;
use super::block::{CodeBlock, HeadingState, Table};
use super::inline::Picture;
use super::lines::{Composed, Lines};
use super::notes::Notes;
use super::raw_html::{MAX_DEPTH, Nesting};
use super::slots::{self, Fragment, Place, Slot};
use super::text::Collector;
use super::{Document, Finding, RawLink, ShortcodeCall, sanitize};
use crate::build::shortcode::{self, CodeRanges, Inner, Node};
use crate::model::config::{MarkdownConfig, RawHtml};
use crate::model::{Heading, Severity};

/// Most findings kept for one body.
const MAX_FINDINGS: usize = 200;

/// Parses a body into a document.
pub(super) fn document(body: &str, options: &MarkdownConfig) -> Document {
    let scrubbed;
    let body = if slots::has_token(body) || body.contains('\0') {
        scrubbed = slots::scrub(body);
        scrubbed.as_str()
    } else {
        body
    };
    let (document, too_deep) = attempt(body, options, options.raw_html);
    let Some(line) = too_deep else { return document };
    // The sanitiser's cost grows with depth: such a page shows its tags instead of using them.
    let (mut document, _) = attempt(body, options, RawHtml::Escape);
    document.diagnostics.push(Finding {
        line,
        code: "raw_html_depth",
        severity: Severity::Warning,
        message:
            "raw HTML is nested too deep or leaves too many elements open; all raw HTML of the page is shown as text"
                .into(),
        hint: "Close every element you open.".into(),
    });
    document.diagnostics.sort_by_key(|finding| finding.line);
    document
}

fn attempt(body: &str, options: &MarkdownConfig, policy: RawHtml) -> (Document, Option<usize>) {
    let mut state = State::new(body, options, policy);
    let nodes = state.nodes();
    let fragment = state.markdown(&nodes);
    state.findings.sort_by_key(|finding| finding.line);
    // Finished slots are in the fragments by now.
    for slot in &mut state.slots {
        if let Slot::Text(text) = slot {
            *text = String::new();
        }
    }
    let (words, summary) = {
        let text = std::mem::take(&mut state.text);
        state.has_more = text.has_more;
        text.finish()
    };
    let document = Document {
        outline: state.outline,
        anchors: state.html_ids,
        links: state.links,
        shortcodes: state.calls,
        words,
        summary,
        has_more: state.has_more,
        diagnostics: state.findings,
        slots: state.slots,
        body: fragment,
        new_tab: options.external_links_new_tab,
    };
    (document, state.too_deep)
}

/// What all fragments of one page share.
pub(super) struct State<'a> {
    pub(super) body: &'a str,
    pub(super) options: &'a MarkdownConfig,
    pub(super) policy: RawHtml,
    lines: Lines,
    pub(super) slots: Vec<Slot>,
    /// Where a slot's shortcode stands in the body, by slot.
    pub(super) origins: Vec<Option<Range<usize>>>,
    pub(super) calls: Vec<ShortcodeCall>,
    /// Inner content that was not written yet, by call.
    pub(super) pending: Vec<Option<Inner>>,
    pub(super) links: Vec<RawLink>,
    pub(super) outline: Vec<Heading>,
    pub(super) anchors: Anchors,
    pub(super) html_ids: Vec<String>,
    pub(super) text: Collector,
    pub(super) findings: Vec<Finding>,
    /// Names of tags and attributes already reported.
    pub(super) reported: BTreeSet<String>,
    pub(super) pictures: usize,
    pub(super) notes: usize,
    has_more: bool,
    pub(super) too_deep: Option<usize>,
}

impl<'a> State<'a> {
    fn new(body: &'a str, options: &'a MarkdownConfig, policy: RawHtml) -> Self {
        Self {
            body,
            options,
            policy,
            lines: Lines::new(body),
            slots: Vec::new(),
            origins: Vec::new(),
            calls: Vec::new(),
            pending: Vec::new(),
            links: Vec::new(),
            outline: Vec::new(),
            anchors: Anchors::new(options.heading_ids),
            html_ids: Vec::new(),
            text: Collector::of(body),
            findings: Vec::new(),
            reported: BTreeSet::new(),
            pictures: 0,
            notes: 0,
            has_more: false,
            too_deep: None,
        }
    }

    /// Each option by name: new ones of the parser are a decision, not a surprise.
    pub(super) fn parser_options(&self) -> Options {
        let mut options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_HEADING_ATTRIBUTES
            | Options::ENABLE_GFM
            | Options::ENABLE_DEFINITION_LIST;
        options.set(Options::ENABLE_SMART_PUNCTUATION, self.options.smart_punctuation);
        options.set(Options::ENABLE_WIKILINKS, self.options.wikilinks);
        options
    }

    /// The body's parts; the parser is asked which of it is code, so that both always agree.
    fn nodes(&mut self) -> Vec<Node> {
        if !shortcode::may_have_calls(self.body) {
            return vec![Node::Text(0..self.body.len())];
        }
        let code = code_ranges(self.body, self.parser_options());
        let (nodes, problems) = shortcode::scan(self.body, &code);
        for problem in problems {
            self.find(problem.offset, problem.code, Severity::Error, problem.message, problem.hint);
        }
        if let Some(offset) = foreign_tag(self.body, &nodes, &code) {
            let message = "`{% … %}` belongs to another template language and is shown as text";
            let hint = "Replace it by Markdown or a shortcode, or write it in code to show it.";
            self.find(offset, "foreign_tag", Severity::Warning, message, hint);
        }
        nodes
    }

    /// 1-based line of an offset in the body.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.lines.line(offset)
    }

    /// Adds a finding at an offset in the body.
    pub(super) fn find(
        &mut self,
        offset: usize,
        code: &'static str,
        severity: Severity,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        if self.findings.len() < MAX_FINDINGS {
            let line = self.line(offset);
            self.findings.push(Finding { line, code, severity, message: message.into(), hint: hint.into() });
        }
    }

    /// A new slot.
    pub(super) fn slot(&mut self, slot: Slot, origin: Option<Range<usize>>) -> usize {
        self.slots.push(slot);
        self.origins.push(origin);
        self.slots.len() - 1
    }

    /// Writes Markdown made of these parts.
    pub(super) fn markdown(&mut self, nodes: &[Node]) -> Fragment {
        let composed = self.compose(nodes);
        let options = self.parser_options();
        let mut writer = Writer::new(self, &composed);
        for (event, range) in Parser::new_ext(&composed.text, options).into_offset_iter() {
            writer.at = range.start;
            writer.event(event);
        }
        writer.finish()
    }

    /// Writes text that is no Markdown: what stands inside `{{< x >}}…{{< /x >}}`.
    pub(super) fn verbatim(&mut self, nodes: &[Node]) -> Fragment {
        let composed = self.compose(nodes);
        let mut writer = Writer::new(self, &composed);
        writer.html(&composed.text, 0);
        writer.finish()
    }
}

/// Where a Liquid or Jinja tag such as `{% include x %}` stands in running text, if one does.
fn foreign_tag(body: &str, nodes: &[Node], code: &CodeRanges) -> Option<usize> {
    let inside = |ranges: &[Range<usize>], at: usize| {
        ranges.get(ranges.partition_point(|range| range.end <= at)).is_some_and(|range| range.start <= at)
    };
    nodes.iter().find_map(|node| {
        let Node::Text(range) = node else { return None };
        let text = &body[range.clone()];
        text.match_indices("{%").map(|(at, _)| (range.start + at, &text[at..])).find_map(|(at, tag)| {
            let line = tag.lines().next().unwrap_or_default();
            let whole = line.contains("%}") && !inside(&code.literal, at) && !inside(&code.indented, at);
            whole.then_some(at)
        })
    })
}

/// Ranges of code in a body, as the parser sees them.
fn code_ranges(body: &str, options: Options) -> CodeRanges {
    use pulldown_cmark::{CodeBlockKind, Tag};
    let mut code = CodeRanges::default();
    for (event, range) in Parser::new_ext(body, options).into_offset_iter() {
        match event {
            Event::Code(_) | Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) => code.literal.push(range),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => code.indented.push(range),
            _ => {}
        }
    }
    code.literal.sort_by_key(|range| range.start);
    code.indented.sort_by_key(|range| range.start);
    code
}

/// Writes one fragment.
pub(super) struct Writer<'s, 'a> {
    pub(super) state: &'s mut State<'a>,
    composed: &'s Composed,
    /// Offset of the current event in the composed text.
    pub(super) at: usize,
    pub(super) out: String,
    pub(super) code: Option<CodeBlock>,
    pub(super) heading: Option<HeadingState>,
    pub(super) table: Option<Table>,
    pub(super) picture: Option<Picture>,
    /// The link being written and its text so far.
    pub(super) link_text: Option<(usize, String)>,
    pub(super) paragraph: usize,
    /// Behind `<li` of the item begun last.
    pub(super) item: usize,
    /// Kinds of the open block quotes: whether each is an alert.
    pub(super) quotes: Vec<bool>,
    pub(super) html_block: Option<(usize, String)>,
    pub(super) nesting: Nesting,
    /// Open Markdown containers.
    pub(super) depth: usize,
    /// Most Markdown containers that were open at once.
    pub(super) deepest: usize,
    /// Beginning of the end tag up to which inline content is left out.
    pub(super) muted: Option<String>,
    /// Whether raw tags were written that the sanitiser must see.
    pub(super) raw: bool,
    pub(super) notes: Notes,
}

impl<'s, 'a> Writer<'s, 'a> {
    fn new(state: &'s mut State<'a>, composed: &'s Composed) -> Self {
        Self {
            state,
            composed,
            at: 0,
            out: String::with_capacity(composed.text.len() + composed.text.len() / 2),
            code: None,
            heading: None,
            table: None,
            picture: None,
            link_text: None,
            paragraph: 0,
            item: 0,
            quotes: Vec::new(),
            html_block: None,
            nesting: Nesting::default(),
            depth: 0,
            deepest: 0,
            muted: None,
            raw: false,
            notes: Notes::default(),
        }
    }

    /// Offset in the body of the current event.
    pub(super) fn origin(&self) -> usize {
        self.composed.origin(self.at)
    }

    /// Offset in the body of an offset in the composed text.
    pub(super) fn origin_of(&self, at: usize) -> usize {
        self.composed.origin(at)
    }

    fn event(&mut self, event: Event<'_>) {
        if self.picture.is_some() {
            return self.in_picture(&event);
        }
        if self.is_muted(&event) {
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => self.code_span(&text),
            Event::Html(text) => match &mut self.html_block {
                Some((_, html)) => html.push_str(&text),
                None => self.html(&text, self.at),
            },
            Event::InlineHtml(text) => self.inline_html(&text),
            Event::FootnoteReference(label) => self.note_reference(&label),
            Event::SoftBreak => self.soft_break("\n"),
            Event::HardBreak => self.soft_break("<br>\n"),
            Event::Rule => {
                self.fresh_line();
                self.out.push_str("<hr>\n");
            }
            Event::TaskListMarker(done) => self.task(done),
            // Math is not enabled; its text is shown should that change.
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
        }
    }

    /// Whether an event is content of a removed script; the end tag or the end of the block ends that.
    fn is_muted(&mut self, event: &Event<'_>) -> bool {
        let Some(end_tag) = &self.muted else { return false };
        match event {
            Event::InlineHtml(html) => {
                if html.get(..end_tag.len()).is_some_and(|html| html.eq_ignore_ascii_case(end_tag)) {
                    self.muted = None;
                }
                true
            }
            Event::Text(_) | Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::FootnoteReference(_) => true,
            Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
            | Event::Start(_) => false,
            _ => {
                self.muted = None;
                false
            }
        }
    }

    /// Begins a new line of HTML where one is not begun.
    pub(super) fn fresh_line(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    /// Writes a slot's token.
    pub(super) fn token(&mut self, place: Place, slot: usize) {
        slots::push_token(&mut self.out, place, slot);
    }

    fn finish(mut self) -> Fragment {
        self.write_notes();
        let sanitize = self.raw && self.state.policy == RawHtml::Sanitize;
        if sanitize && self.deepest > MAX_DEPTH && self.state.too_deep.is_none() {
            self.state.too_deep = Some(self.state.line(self.origin_of(0)));
        }
        let html = if sanitize && self.state.too_deep.is_none() { sanitize::clean(&self.out) } else { self.out };
        slots::split(&html, &self.state.slots)
    }
}
