//! Shortcodes on their way through the Markdown parser: they pass it as tokens.

use super::lines::Composed;
use super::slots::{self, AddressPart, Code, Place, Slot};
use super::writer::{State, Writer};
use super::{ShortcodeCall, url};
use crate::build::shortcode::{Inner, Node};

impl State<'_> {
    /// Text with a token for each shortcode.
    pub(super) fn compose(&mut self, nodes: &[Node]) -> Composed {
        let mut composed = Composed::default();
        for node in nodes {
            match node {
                Node::Text(range) => composed.push(&self.body[range.clone()], range.start),
                Node::Literal(range, text) => {
                    let slot = self.slot(Slot::Text(text.clone()), Some(range.clone()));
                    push_source_token(&mut composed, range.start, slot);
                }
                Node::Call(range, call, inner) => {
                    let slot = if let Some(code) = self.built_in(call, inner.as_ref()) {
                        self.slot(Slot::Code(code), Some(range.clone()))
                    } else {
                        let index = self.calls.len();
                        self.calls.push(ShortcodeCall {
                            name: call.name.clone(),
                            positional: call.positional.clone(),
                            args: call.args.clone(),
                            line: self.line(range.start),
                            markdown: call.markdown,
                            has_inner: inner.is_some(),
                            inner: None,
                        });
                        self.pending.push(inner.clone());
                        self.slot(Slot::Call(index), Some(range.clone()))
                    };
                    push_source_token(&mut composed, range.start, slot);
                }
            }
        }
        composed
    }

    /// `{{< highlight go "linenos=true" >}}…`: Hugo's own, and the only one whose content is code.
    fn built_in(&self, call: &crate::build::shortcode::Call, inner: Option<&Inner>) -> Option<Code> {
        let inner = inner.filter(|_| call.name == "highlight")?;
        let mut info = call.positional.iter().filter_map(|value| value.as_str()).collect::<Vec<_>>().join(",");
        for (key, value) in &call.args {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            info.push_str(&format!(",{key}=\"{value}\""));
        }
        let code = &self.body[inner.range.clone()];
        let code = code.strip_prefix("\r\n").or_else(|| code.strip_prefix('\n')).unwrap_or(code);
        Some(Code::new(code, &info, self.options.highlight))
    }

    /// Writes a call's inner content, once.
    fn fill_inner(&mut self, call: usize) {
        let Some(inner) = self.pending[call].take() else { return };
        let fragment =
            if self.calls[call].markdown { self.markdown(&inner.nodes) } else { self.verbatim(&inner.nodes) };
        self.calls[call].inner = Some(fragment);
    }

    /// Text with its tokens turned back into what the author wrote.
    pub(super) fn original(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(slots::OPEN) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let Some((_, slot, length)) = slots::read_token(rest) else {
                rest = &rest[slots::OPEN.len_utf8()..];
                continue;
            };
            rest = &rest[length..];
            if let Some(Some(range)) = self.origins.get(slot) {
                out.push_str(&self.body[range.clone()]);
            }
        }
        out.push_str(rest);
        out
    }

    /// An address with shortcodes in it, cut into parts.
    pub(super) fn address(&self, text: &str, sink: url::Sink) -> Slot {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(slots::OPEN) {
            if at > 0 {
                parts.push(AddressPart::Text(rest[..at].to_owned()));
            }
            rest = &rest[at..];
            let Some((_, slot, length)) = slots::read_token(rest) else {
                rest = &rest[slots::OPEN.len_utf8()..];
                continue;
            };
            rest = &rest[length..];
            match self.slots.get(slot) {
                Some(Slot::Call(call)) => parts.push(AddressPart::Call(*call)),
                Some(Slot::Text(text)) => parts.push(AddressPart::Text(text.clone())),
                _ => {}
            }
        }
        parts.push(AddressPart::Text(rest.to_owned()));
        Slot::Address(parts, sink)
    }
}

fn push_source_token(composed: &mut Composed, origin: usize, slot: usize) {
    let mut token = String::new();
    slots::push_token(&mut token, Place::Flow, slot);
    composed.push(&token, origin);
}

impl Writer<'_, '_> {
    /// A token met in running text.
    pub(super) fn source_token(&mut self, slot: usize) {
        match self.state.slots.get(slot) {
            Some(Slot::Text(text)) => {
                let text = text.clone();
                self.plain_text(&text);
            }
            Some(Slot::Call(call)) => {
                let call = *call;
                self.state.fill_inner(call);
                self.token(Place::Flow, slot);
            }
            Some(Slot::Code(_)) => self.token(Place::Flow, slot),
            _ => {}
        }
    }

    /// Whether HTML is nothing but calls and blanks: such a paragraph is none.
    pub(super) fn only_calls(&self, html: &str) -> bool {
        let mut rest = html.trim();
        let mut calls = 0;
        while let Some((_, slot, length)) = slots::read_token(rest) {
            if !matches!(self.state.slots.get(slot), Some(Slot::Call(_) | Slot::Code(_))) {
                return false;
            }
            calls += 1;
            rest = rest[length..].trim_start();
        }
        calls > 0 && rest.is_empty()
    }
}
