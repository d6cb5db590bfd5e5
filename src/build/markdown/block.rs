//! Blocks: paragraphs, headings, lists, quotes, tables, code.

use std::fmt::Write as _;

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, Tag, TagEnd};

use super::slots::{Code, Place, Slot, push_text};
use super::writer::Writer;
use crate::model::{Heading, Severity};

/// Longest heading text kept in the outline, in characters.
const MAX_HEADING: usize = 500;

/// A code block being read.
pub(super) struct CodeBlock {
    info: String,
    indented: bool,
    /// May hold tokens: calls in a block indented between the tags of another.
    pub(super) text: String,
}

/// A heading being written.
pub(super) struct HeadingState {
    /// Where its HTML begins.
    start: usize,
    id: Option<String>,
    classes: Vec<String>,
    pub(super) text: String,
}

/// A table being written.
pub(super) struct Table {
    alignments: Vec<Alignment>,
    head: bool,
    cell: usize,
    /// Where the cell's HTML begins, and its content.
    cell_start: usize,
    content_start: usize,
}

impl Writer<'_, '_> {
    pub(super) fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => {
                self.fresh_line();
                self.paragraph = self.out.len();
                self.out.push_str("<p>");
            }
            Tag::Heading { id, classes, .. } => {
                self.fresh_line();
                self.state.text.aside += 1;
                self.heading = Some(HeadingState {
                    start: self.out.len(),
                    id: id.map(|id| id.to_string()),
                    classes: classes.iter().map(ToString::to_string).collect(),
                    text: String::new(),
                });
            }
            Tag::BlockQuote(kind) => self.start_quote(kind),
            Tag::CodeBlock(kind) => {
                let indented = matches!(kind, CodeBlockKind::Indented);
                let info = match kind {
                    CodeBlockKind::Fenced(info) => self.state.original(&info),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some(CodeBlock { info, indented, text: String::new() });
            }
            Tag::HtmlBlock => self.html_block = Some((self.at, String::new())),
            Tag::List(Some(1)) => self.open("<ol>\n"),
            Tag::List(Some(first)) => self.open(&format!("<ol start=\"{first}\">\n")),
            Tag::List(None) => self.open("<ul>\n"),
            Tag::Item => {
                self.open("<li>");
                self.item = self.out.len() - 1;
            }
            Tag::FootnoteDefinition(label) => self.start_note(&label),
            Tag::DefinitionList => self.open("<dl>\n"),
            Tag::DefinitionListTitle => self.open("<dt>"),
            Tag::DefinitionListDefinition => self.open("<dd>"),
            Tag::Table(alignments) => self.start_table(alignments),
            Tag::TableHead | Tag::TableRow => {
                let head = matches!(tag, Tag::TableHead);
                if let Some(table) = &mut self.table {
                    (table.head, table.cell) = (head, 0);
                }
                self.out.push_str(if head { "<thead>\n<tr>" } else { "<tr>" });
            }
            Tag::TableCell => self.start_cell(),
            Tag::Emphasis => self.open_inline("<em>"),
            Tag::Strong => self.open_inline("<strong>"),
            Tag::Strikethrough => self.open_inline("<del>"),
            Tag::Superscript => self.out.push_str("<sup>"),
            Tag::Subscript => self.out.push_str("<sub>"),
            Tag::Link { link_type, dest_url, title, .. } => self.link(link_type, &dest_url, &title),
            Tag::Image { dest_url, title, .. } => self.image(&dest_url, &title),
            Tag::MetadataBlock(_) => {}
        }
    }

    pub(super) fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.end_paragraph(),
            TagEnd::Heading(level) => self.end_heading(level as u8),
            TagEnd::BlockQuote(_) => {
                let alert = self.quotes.pop().unwrap_or(false);
                self.close(if alert { "</div>\n" } else { "</blockquote>\n" });
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => {
                if let Some((at, html)) = self.html_block.take() {
                    let before = self.out.len();
                    self.html(&html, at);
                    // Nothing but a comment: no empty line either.
                    if self.out[before..].trim().is_empty() {
                        self.out.truncate(before);
                    }
                    self.block_end();
                }
            }
            TagEnd::List(ordered) => self.close(if ordered { "</ol>\n" } else { "</ul>\n" }),
            TagEnd::Item => self.close("</li>\n"),
            TagEnd::FootnoteDefinition => self.end_note(),
            TagEnd::DefinitionList => self.close("</dl>\n"),
            TagEnd::DefinitionListTitle => self.close("</dt>\n"),
            TagEnd::DefinitionListDefinition => self.close("</dd>\n"),
            TagEnd::Table => {
                let body = self.table.take().is_some_and(|table| !table.head);
                self.out.push_str(if body { "</tbody>\n</table></div>\n" } else { "</table></div>\n" });
                self.state.text.aside -= 1;
                self.block_end();
            }
            TagEnd::TableHead => self.out.push_str("</tr>\n</thead>\n"),
            TagEnd::TableRow => self.out.push_str("</tr>\n"),
            TagEnd::TableCell => self.end_cell(),
            TagEnd::Emphasis => self.close_inline("</em>"),
            TagEnd::Strong => self.close_inline("</strong>"),
            TagEnd::Strikethrough => self.close_inline("</del>"),
            TagEnd::Superscript => self.out.push_str("</sup>"),
            TagEnd::Subscript => self.out.push_str("</sub>"),
            TagEnd::Link => self.end_link(),
            TagEnd::Image | TagEnd::MetadataBlock(_) => {}
        }
    }

    /// Opens a container.
    fn open(&mut self, html: &str) {
        self.fresh_line();
        self.open_inline(html);
    }

    /// Closes a container.
    fn close(&mut self, html: &str) {
        self.close_inline(html);
        self.block_end();
    }

    fn open_inline(&mut self, html: &str) {
        self.out.push_str(html);
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
    }

    fn close_inline(&mut self, html: &str) {
        self.out.push_str(html);
        self.depth = self.depth.saturating_sub(1);
    }

    /// A block ended: words do not run together.
    pub(super) fn block_end(&mut self) {
        self.state.text.gap();
    }

    fn end_paragraph(&mut self) {
        let content = self.out.get(self.paragraph + 3..).unwrap_or_default();
        if self.only_calls(content) {
            self.out.replace_range(self.paragraph..self.paragraph + 3, "");
            self.out.push('\n');
        } else {
            self.out.push_str("</p>\n");
        }
        self.block_end();
    }

    fn end_heading(&mut self, level: u8) {
        let Some(heading) = self.heading.take() else { return };
        self.state.text.aside -= 1;
        let text: String =
            heading.text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_HEADING).collect();
        let origin = self.origin();
        let id = match &heading.id {
            Some(wanted) if !wanted.is_empty() => self.state.anchors.custom(wanted).unwrap_or_else(|given| {
                self.state.find(
                    origin,
                    "duplicate_id",
                    Severity::Warning,
                    format!(
                        "heading id `{}` cannot be used again and became `{given}`",
                        wanted.chars().take(80).collect::<String>()
                    ),
                    "Give each heading an id of its own.",
                );
                given
            }),
            _ => self.state.anchors.heading(&text),
        };
        let mut open = format!("<h{level} id=\"");
        push_text(&mut open, &id);
        if !heading.classes.is_empty() {
            open.push_str("\" class=\"");
            push_text(&mut open, &heading.classes.join(" "));
        }
        open.push_str("\">");
        self.out.insert_str(heading.start, &open);
        let _ = writeln!(self.out, "</h{level}>");
        let line = self.state.line(origin);
        self.state.outline.push(Heading { level, id, text, line });
        self.block_end();
    }

    fn start_quote(&mut self, kind: Option<BlockQuoteKind>) {
        let alert = kind.map(|kind| match kind {
            BlockQuoteKind::Note => ("note", "Note"),
            BlockQuoteKind::Tip => ("tip", "Tip"),
            BlockQuoteKind::Important => ("important", "Important"),
            BlockQuoteKind::Warning => ("warning", "Warning"),
            BlockQuoteKind::Caution => ("caution", "Caution"),
        });
        self.quotes.push(alert.is_some());
        match alert {
            Some((class, title)) => self.open(&format!(
                "<div class=\"alert alert-{class}\" role=\"note\">\n<p class=\"alert-title\">{title}</p>\n"
            )),
            None => self.open("<blockquote>\n"),
        }
    }

    fn end_code(&mut self) {
        let Some(code) = self.code.take() else { return };
        // Hugo's authors indent calls inside calls: what is nothing but calls was not meant as code.
        if code.indented && self.only_calls(&code.text) {
            self.text(&code.text);
            return self.block_end();
        }
        let text = self.state.original(&code.text);
        let code = Code::new(&text, &code.info, self.state.options.highlight);
        let slot = self.state.slot(Slot::Code(code), None);
        self.fresh_line();
        // As a slot it stays out of the sanitiser, which would only have to read it again.
        self.token(Place::Flow, slot);
        self.out.push('\n');
        self.block_end();
    }

    /// Marks the item begun last as a task.
    pub(super) fn task(&mut self, done: bool) {
        if self.out.get(..self.item).is_some_and(|html| html.ends_with("<li")) {
            self.out.insert_str(self.item, " class=\"task\"");
        }
        self.out.push_str(if done {
            "<input type=\"checkbox\" disabled checked aria-label=\"Completed task\"> "
        } else {
            "<input type=\"checkbox\" disabled aria-label=\"Incomplete task\"> "
        });
    }

    fn start_table(&mut self, alignments: Vec<Alignment>) {
        self.fresh_line();
        self.state.text.aside += 1;
        self.table = Some(Table { alignments, head: true, cell: 0, cell_start: 0, content_start: 0 });
        // A wide table scrolls in its own frame, which the keyboard must reach. A group is no landmark, so several may be named alike.
        self.out.push_str("<div class=\"table\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>\n");
    }

    fn start_cell(&mut self) {
        let Some(table) = &mut self.table else { return };
        if !table.head && table.cell == 0 && self.out.ends_with("</thead>\n<tr>") {
            self.out.truncate(self.out.len() - "<tr>".len());
            self.out.push_str("<tbody>\n<tr>");
        }
        table.cell_start = self.out.len();
        self.out.push_str(if table.head { "<th scope=\"col\"" } else { "<td" });
        self.out.push_str(match table.alignments.get(table.cell) {
            Some(Alignment::Left) => " class=\"align-left\">",
            Some(Alignment::Center) => " class=\"align-center\">",
            Some(Alignment::Right) => " class=\"align-right\">",
            _ => ">",
        });
        table.content_start = self.out.len();
    }

    fn end_cell(&mut self) {
        let Some(table) = &mut self.table else { return };
        table.cell += 1;
        if table.head && self.out.len() == table.content_start {
            // An empty heading names nothing.
            self.out.truncate(table.cell_start);
            self.out.push_str("<td></td>");
        } else {
            self.out.push_str(if table.head { "</th>" } else { "</td>" });
        }
        self.state.text.gap();
    }
}
