//! The rules of a grammar, made ready for one walk over a tree. Most ask for a node by its kind and by what it lies in: a chain,
//! that is checked where its innermost node is met. The engine of tree-sitter keeps what each rule has seen so far at each node,
//! which takes as long as parsing; it gets the rules that are no chain, at the nodes where one of them can begin.

use std::collections::BTreeMap;

use super::chain::{Check, Kind, Reader, Show, Shown, Step, is_predicate, said};
use super::class_of;
use super::query::{self, Part};
use arborium::tree_sitter::{Language, Query};

impl Shown {
    /// By a capture of the query for highlighting.
    fn by_highlight(capture: &str) -> Option<Self> {
        class_of(capture).map(Self::Class)
    }

    /// By a capture of the query for code of other languages.
    fn by_injection(capture: &str) -> Option<Self> {
        match capture {
            "injection.content" => Some(Self::Content),
            "injection.language" => Some(Self::Language),
            _ => None,
        }
    }
}

/// The rules of a grammar.
pub(super) struct Rules {
    pub(super) chains: Vec<Chain>,
    kinds: Vec<OfKind>,
    /// The same for nodes of the kind [`super::chain::ERROR`].
    errors: OfKind,
    /// Rules for the engine that can begin anywhere.
    pub(super) everywhere: Vec<Rest>,
}

/// What is to be done at a node of a kind.
#[derive(Default)]
pub(super) struct OfKind {
    /// Chains that such a node is the innermost of, by their index.
    pub(super) chains: Vec<u32>,
    /// Rules for the engine that begin here.
    pub(super) rest: Vec<Rest>,
    /// Whether a chain asks for the field that it is in, around another node.
    pub(super) is_fielded: bool,
}

/// A rule that asks for nodes around each other.
pub(super) struct Chain {
    /// Place in its query: of two rules for the same node, the later one counts.
    pub(super) place: u32,
    /// From the innermost node outwards.
    pub(super) steps: Vec<Step>,
    pub(super) checks: Vec<Check>,
    /// Language of code that it finds.
    pub(super) language: Option<String>,
}

/// Rules for the engine of tree-sitter.
pub(super) struct Rest {
    pub(super) query: Query,
    /// By pattern: its place in the grammar's query, and the language of code that it finds.
    pub(super) rules: Vec<(u32, Option<String>)>,
    /// By capture.
    pub(super) shown: Vec<Option<Shown>>,
}

impl Rest {
    fn new(language: &Language, rules: &[&Other<'_>], show: Show) -> Option<Self> {
        let text: Vec<&str> = rules.iter().map(|rule| rule.text).collect();
        let query = Query::new(language, &text.join("\n")).ok()?;
        let shown = query.capture_names().iter().map(|name| show(name)).collect();
        Some(Self { query, rules: rules.iter().map(|rule| (rule.place, rule.language.clone())).collect(), shown })
    }
}

/// A rule that is no chain.
struct Other<'q> {
    place: u32,
    text: &'q str,
    language: Option<String>,
    /// Kinds of nodes it can begin at; none: any.
    roots: Option<Vec<u16>>,
}

impl Rules {
    /// Reads the queries of a grammar; rules that give no class and find no code of a language that is `known` are left out.
    /// `None` where tree-sitter does not take a rule.
    pub(super) fn new(language: &Language, highlights: &str, injections: &str, known: &[&str]) -> Option<Self> {
        let kinds = std::iter::repeat_with(OfKind::default).take(language.node_kind_count()).collect();
        let mut rules = Self { chains: Vec::new(), kinds, errors: OfKind::default(), everywhere: Vec::new() };
        rules.add(language, highlights, Shown::by_highlight, &|_| true)?;
        rules
            .add(language, injections, Shown::by_injection, &|named| named.is_none_or(|name| known.contains(&name)))?;
        rules.index(language);
        Some(rules)
    }

    fn add(&mut self, language: &Language, query: &str, show: Show, keep: &dyn Fn(Option<&str>) -> bool) -> Option<()> {
        let reader = Reader { language, show };
        let mut others: Vec<Other<'_>> = Vec::new();
        for (place, text) in query::rules(query).into_iter().enumerate() {
            let parts = query::parts(text);
            let named = named_language(&parts);
            if !keep(named.as_deref()) || !shows(&parts, show) {
                continue;
            }
            let place = place as u32;
            if let Some(chains) = reader.chains(&parts) {
                let chain = |(steps, checks)| Chain { place, steps, checks, language: named.clone() };
                self.chains.extend(chains.into_iter().map(chain));
            } else {
                others.push(Other { place, text, language: named, roots: reader.roots(&parts) });
            }
        }
        let mut roots: BTreeMap<Option<u16>, Vec<&Other<'_>>> = BTreeMap::new();
        for other in &others {
            match &other.roots {
                Some(kinds) => kinds.iter().for_each(|kind| roots.entry(Some(*kind)).or_default().push(other)),
                None => roots.entry(None).or_default().push(other),
            }
        }
        for (root, others) in roots {
            let rest = Rest::new(language, &others, show)?;
            match root {
                Some(kind) => self.of_mut(kind).rest.push(rest),
                None => self.everywhere.push(rest),
            }
        }
        Some(())
    }

    fn index(&mut self, language: &Language) {
        for index in 0..self.chains.len() {
            let steps: Vec<(Kind, bool)> =
                self.chains[index].steps.iter().map(|step| (step.kind, step.field.is_some())).collect();
            for (at, (kind, is_fielded)) in steps.into_iter().enumerate() {
                let kinds = match kind {
                    Kind::Is(kind) => kind..=kind,
                    Kind::Named | Kind::Any => 0..=(language.node_kind_count() - 1) as u16,
                };
                for of in kinds.filter(|of| kind != Kind::Named || language.node_kind_is_named(*of)) {
                    let of = self.of_mut(of);
                    if at == 0 {
                        of.chains.push(index as u32);
                    } else {
                        of.is_fielded |= is_fielded;
                    }
                }
            }
        }
    }

    /// What is to be done at nodes of a kind.
    pub(super) fn of(&self, kind: u16) -> &OfKind {
        self.kinds.get(usize::from(kind)).unwrap_or(&self.errors)
    }

    fn of_mut(&mut self, kind: u16) -> &mut OfKind {
        self.kinds.get_mut(usize::from(kind)).unwrap_or(&mut self.errors)
    }
}

/// Whether a rule has a capture that is for something.
fn shows(parts: &[Part<'_>], show: Show) -> bool {
    parts.iter().any(|part| match part {
        Part::Node(inner) => !is_predicate(inner) && shows(inner, show),
        Part::Choice(inner) => shows(inner, show),
        Part::Word(word) => word.strip_prefix('@').is_some_and(|name| show(name).is_some()),
        Part::Token(_) => false,
    })
}

/// The language a rule says that the code it finds is in.
fn named_language(parts: &[Part<'_>]) -> Option<String> {
    parts.iter().find_map(|part| match part {
        Part::Node(inner) => match inner.as_slice() {
            [Part::Word("#set!"), Part::Word("injection.language"), value] => said(value),
            _ => named_language(inner),
        },
        Part::Choice(inner) => named_language(inner),
        Part::Token(_) | Part::Word(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use arborium::tree_sitter::{Parser, QueryCursor};

    use super::super::grammars::{NAMES, parts};
    use super::super::walk::{Found, Inner, walk};
    use super::*;

    #[test]
    fn every_rule_of_every_grammar_is_told_from_the_next() {
        for name in NAMES {
            let (language, highlights, injections) = parts(name).unwrap();
            for query in [highlights, injections] {
                let compiled = Query::new(&language, query).unwrap();
                assert_eq!(query::rules(query).len(), compiled.pattern_count(), "{name}");
                for rule in query::rules(query) {
                    assert_eq!(Query::new(&language, rule).unwrap().pattern_count(), 1, "{name}: {rule}");
                }
            }
            assert!(Rules::new(&language, highlights, injections, NAMES).is_some_and(|rules| !rules.chains.is_empty()));
        }
    }

    #[test]
    fn rules_that_show_nothing_are_left_out_and_the_engine_gets_what_is_no_chain() {
        let (json, ..) = parts("json").unwrap();
        let highlights = "(pair) @variable\n(pair key: (string) @property (#match? @property \"b\"))\n\
            ((pair) @keyword . (pair))\n(object (pair) @type (pair) @_n (#eq? @_n \"\\\"b\\\":[]\"))\n[(number) (string)] @number";
        let injections = "((array) @injection.content (#set! injection.language \"nosuch\"))\n\
            ((object) @injection.content (#set! injection.language \"css\"))";
        let rules = Rules::new(&json, highlights, injections, NAMES).unwrap();
        let rest: usize = rules.kinds.iter().map(|of| of.rest.len()).sum();
        assert_eq!((rules.chains.len(), rest, rules.everywhere.len()), (4, 1, 1));
        let mut parser = Parser::new();
        parser.set_language(&json).unwrap();
        let code = "{\"a\":1,\"b\":[]}";
        let Found { mut spans, inner } =
            walk(&rules, &parser.parse(code, None).unwrap(), code.as_bytes(), &mut QueryCursor::new());
        spans.sort_by_key(|span| (span.start, span.end, span.rule));
        let spans: Vec<_> = spans.iter().map(|span| (&code[span.start..span.end], span.rule, span.class)).collect();
        let a = "\"a\":1";
        let expected = [("\"a\"", 4, "number"), (a, 2, "keyword"), (a, 3, "type"), ("1", 4, "number")];
        assert_eq!(spans[..4], expected);
        assert_eq!(spans[4..], [("\"b\"", 1, "property"), ("\"b\"", 4, "number")]);
        assert_eq!(inner, [Inner { start: 0, end: code.len(), language: "css".into() }]);
    }
}
