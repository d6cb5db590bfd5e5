//! One walk over a tree, with the rules of its grammar.

use arborium::tree_sitter::{Node, QueryCursor, StreamingIterator, Tree};

use super::chain::{ERROR, FieldId, Kind, Shown, Step};
use super::rules::{Chain, Rest, Rules};

/// A range of code with a class, and the place of the rule that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: u32,
    pub(super) class: &'static str,
}

/// Code of another language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) language: String,
}

/// What the rules found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) spans: Vec<Span>,
    pub(super) inner: Vec<Inner>,
}

impl Found {
    fn take(&mut self, node: Node<'_>, rule: u32, shown: Shown, language: Option<&str>) {
        let (start, end) = (node.start_byte(), node.end_byte());
        match shown {
            Shown::Class(class) => self.spans.push(Span { start, end, rule, class }),
            Shown::Content => {
                self.inner.extend(language.map(|language| Inner { start, end, language: language.to_owned() }));
            }
            Shown::Language => {}
        }
    }
}

/// A node that the walk is in.
struct Open<'t> {
    node: Node<'t>,
    kind: u16,
    field: Option<FieldId>,
}

impl Open<'_> {
    fn is(&self, step: &Step) -> bool {
        is_kind(step.kind, self.kind, || self.node.is_named()) && (step.field.is_none() || step.field == self.field)
    }
}

fn is_kind(wanted: Kind, kind: u16, is_named: impl FnOnce() -> bool) -> bool {
    match wanted {
        Kind::Is(wanted) => wanted == kind,
        Kind::Any => kind != ERROR,
        Kind::Named => kind != ERROR && is_named(),
    }
}

/// What the rules find in a tree.
pub(super) fn walk(rules: &Rules, tree: &Tree, code: &[u8], engine: &mut QueryCursor) -> Found {
    let mut found = Found::default();
    for rest in &rules.everywhere {
        run(rest, tree.root_node(), code, engine.set_max_start_depth(None), &mut found);
    }
    engine.set_max_start_depth(Some(0));
    let mut cursor = tree.walk();
    let mut open: Vec<Open<'_>> = Vec::new();
    loop {
        let node = cursor.node();
        let kind = node.kind_id();
        let of = rules.of(kind);
        let mut field = None;
        for chain in of.chains.iter().map(|index| &rules.chains[*index as usize]) {
            if matches(chain, &open, code, node, || *field.get_or_insert_with(|| cursor.field_id())) {
                let around = open.iter().rev().map(|open| open.node);
                for (step, node) in chain.steps.iter().zip(std::iter::once(node).chain(around)) {
                    step.shown
                        .iter()
                        .for_each(|shown| found.take(node, chain.place, *shown, chain.language.as_deref()));
                }
            }
        }
        for rest in &of.rest {
            run(rest, node, code, engine, &mut found);
        }
        let around = of.is_fielded.then(|| field.unwrap_or_else(|| cursor.field_id())).flatten();
        if cursor.goto_first_child() {
            open.push(Open { node, kind, field: around });
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return found;
            }
            open.pop();
        }
    }
}

/// Whether a chain ends at a node in the open ones.
fn matches(
    chain: &Chain,
    open: &[Open<'_>],
    code: &[u8],
    node: Node<'_>,
    field: impl FnOnce() -> Option<FieldId>,
) -> bool {
    let Some((innermost, around)) = chain.steps.split_first() else { return false };
    around.len() <= open.len()
        && around.iter().zip(open.iter().rev()).all(|(step, open)| open.is(step))
        && is_kind(innermost.kind, node.kind_id(), || node.is_named())
        && (innermost.field.is_none() || innermost.field == field())
        && chain.checks.iter().all(|check| {
            let node = check.step.checked_sub(1).map_or(node, |above| open[open.len() - 1 - above].node);
            check.holds(&code[node.byte_range()])
        })
}

/// Runs the engine from a node on.
fn run(rest: &Rest, node: Node<'_>, code: &[u8], engine: &mut QueryCursor, found: &mut Found) {
    let mut matches = engine.matches(&rest.query, node, code);
    while let Some(matched) = matches.next() {
        let Some((place, named)) = rest.rules.get(matched.pattern_index) else { continue };
        let shown = |index: u32| rest.shown.get(index as usize).copied().flatten();
        let captures = || matched.captures.iter().filter_map(|capture| Some((capture.node, shown(capture.index)?)));
        let by_text = || {
            let node = captures().find(|(_, shown)| *shown == Shown::Language)?.0;
            node.utf8_text(code).ok()
        };
        let language = named.as_deref().or_else(by_text);
        for (node, shown) in captures() {
            found.take(node, *place, shown, language);
        }
    }
}
