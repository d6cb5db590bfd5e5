//! Footnotes: numbered in the order they are referred to, listed at the end, with a way back.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use super::writer::Writer;
use crate::model::Severity;

/// Most ways back from one footnote.
const MAX_BACK: usize = 20;

/// The footnotes of one fragment.
#[derive(Default)]
pub(super) struct Notes {
    /// Number by label.
    numbers: HashMap<String, usize>,
    /// References by number.
    references: BTreeMap<usize, usize>,
    /// HTML by label; the first definition counts.
    definitions: HashMap<String, String>,
    /// The definition being written: label, offset in the body, HTML of the page so far.
    current: Option<(String, usize, String)>,
    /// Labels in the order of their definitions, with the offset in the body.
    defined: Vec<(String, usize)>,
}

impl Writer<'_, '_> {
    pub(super) fn note_reference(&mut self, label: &str) {
        let next = self.state.notes + 1;
        let number = *self.notes.numbers.entry(label.to_owned()).or_insert(next);
        self.state.notes = self.state.notes.max(number);
        let count = self.notes.references.entry(number).or_default();
        *count += 1;
        let nth = if *count == 1 { String::new() } else { format!("-{count}") };
        let _ = write!(
            self.out,
            "<sup class=\"footnote-ref\"><a href=\"#fn:{number}\" id=\"fnref:{number}{nth}\" role=\"doc-noteref\" \
             aria-label=\"Footnote {number}\">{number}</a></sup>"
        );
    }

    pub(super) fn start_note(&mut self, label: &str) {
        let page = std::mem::take(&mut self.out);
        let origin = self.origin();
        self.state.text.aside += 1;
        self.notes.current = Some((label.to_owned(), origin, page));
    }

    pub(super) fn end_note(&mut self) {
        let Some((label, origin, page)) = self.notes.current.take() else { return };
        let html = std::mem::replace(&mut self.out, page);
        self.state.text.aside -= 1;
        self.block_end();
        if !self.notes.definitions.contains_key(&label) {
            self.notes.definitions.insert(label.clone(), html);
            self.notes.defined.push((label, origin));
        }
    }

    /// Writes the list of footnotes at the end of the fragment.
    pub(super) fn write_notes(&mut self) {
        let notes = std::mem::take(&mut self.notes);
        for (label, origin) in &notes.defined {
            if !notes.numbers.contains_key(label) {
                let label: String = label.chars().take(80).collect();
                let message = format!("footnote `{label}` is never referred to and left out");
                self.state.find(
                    *origin,
                    "footnote_unused",
                    Severity::Warning,
                    message,
                    format!("Refer to it with `[^{label}]`, or remove it."),
                );
            }
        }
        let mut list: Vec<(usize, &String)> =
            notes.numbers.iter().filter_map(|(label, number)| Some((*number, notes.definitions.get(label)?))).collect();
        list.sort_unstable();
        if list.is_empty() {
            return;
        }
        self.fresh_line();
        let first = list.first().map_or(1, |(number, _)| *number);
        let start = if first == 1 { String::new() } else { format!(" start=\"{first}\"") };
        let _ = writeln!(
            self.out,
            "<section class=\"footnotes\" role=\"doc-endnotes\" aria-label=\"Footnotes\">\n<ol{start}>"
        );
        for (number, html) in list {
            let html = html.trim_end();
            let (body, end) = html.strip_suffix("</p>").map_or((html, ""), |body| (body, "</p>"));
            let _ = write!(self.out, "<li id=\"fn:{number}\">{body}");
            let count = notes.references.get(&number).copied().unwrap_or(1);
            for nth in 1..=count.min(MAX_BACK) {
                let (suffix, shown) =
                    if nth == 1 { (String::new(), String::new()) } else { (format!("-{nth}"), nth.to_string()) };
                let label = if nth == 1 {
                    format!("Back to reference {number}")
                } else {
                    format!("Back to reference {number}-{nth}")
                };
                let _ = write!(
                    self.out,
                    " <a href=\"#fnref:{number}{suffix}\" class=\"footnote-backref\" role=\"doc-backlink\" aria-label=\"{label}\">↩{shown}</a>"
                );
            }
            let _ = writeln!(self.out, "{end}</li>");
        }
        self.out.push_str("</ol>\n</section>\n");
    }
}
