//! Rules that ask for nodes around each other, read from their parts.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use arborium::tree_sitter::Language;
use regex::bytes::Regex;

use super::query::Part;

/// Kind of a node that stands for what could not be parsed.
pub(super) const ERROR: u16 = u16::MAX;

/// A field that nodes of a grammar have.
pub(super) type FieldId = NonZeroU16;

/// What a captured node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Shown with a class.
    Class(&'static str),
    /// Code of another language.
    Content,
    /// The name of that language.
    Language,
}

/// What a capture is for, by its name.
pub(super) type Show = fn(&str) -> Option<Shown>;

/// A node of a chain.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) kind: Kind,
    pub(super) field: Option<FieldId>,
    pub(super) shown: Vec<Shown>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Is(u16),
    /// Any node with a name.
    Named,
    Any,
}

/// What the text of a node has to be.
pub(super) struct Check {
    /// Which node of the chain.
    pub(super) step: usize,
    test: Test,
    /// What the test has to say.
    wanted: bool,
}

enum Test {
    Matches(Regex),
    OneOf(Vec<String>),
}

impl Check {
    pub(super) fn holds(&self, text: &[u8]) -> bool {
        let found = match &self.test {
            Test::Matches(regex) => regex.is_match(text),
            Test::OneOf(words) => words.iter().any(|word| word.as_bytes() == text),
        };
        found == self.wanted
    }
}

pub(super) fn is_predicate(parts: &[Part<'_>]) -> bool {
    matches!(parts.first(), Some(Part::Word(word)) if word.starts_with('#'))
}

/// A word that a predicate is given.
pub(super) fn said(part: &Part<'_>) -> Option<String> {
    match part {
        Part::Token(text) => Some(text.clone()),
        Part::Word(word) if !word.starts_with('@') => Some((*word).to_owned()),
        _ => None,
    }
}

/// A node of a chain while its rule is read.
#[derive(Clone)]
struct Draft<'q> {
    kind: Kind,
    field: Option<FieldId>,
    captures: Vec<&'q str>,
}

/// Chains from the innermost node outwards, and the predicates of their rule.
struct Drafts<'p, 'q> {
    chains: Vec<Vec<Draft<'q>>>,
    predicates: Vec<&'p [Part<'q>]>,
}

/// Reads rules with the names of a language.
pub(super) struct Reader<'l> {
    pub(super) language: &'l Language,
    pub(super) show: Show,
}

impl Reader<'_> {
    /// A rule as chains, one for each way through its choices; `None`: it is more than that.
    pub(super) fn chains(&self, parts: &[Part<'_>]) -> Option<Vec<(Vec<Step>, Vec<Check>)>> {
        let drafts = self.pattern(parts)?;
        drafts
            .chains
            .into_iter()
            .map(|chain| {
                let checks: Vec<Vec<Check>> =
                    drafts.predicates.iter().map(|parts| check(parts, &chain)).collect::<Option<_>>()?;
                let step = |draft: Draft<'_>| Step {
                    kind: draft.kind,
                    field: draft.field,
                    shown: draft.captures.into_iter().filter_map(self.show).collect(),
                };
                let steps: Vec<Step> = chain.into_iter().map(step).collect();
                // The engine puts what names a language and what is in it together.
                let by_text = steps.iter().flat_map(|step| &step.shown).any(|shown| *shown == Shown::Language);
                (!by_text).then(|| (steps, checks.into_iter().flatten().collect()))
            })
            .collect()
    }

    /// A field, a node and its captures, with predicates anywhere.
    fn pattern<'p, 'q>(&self, parts: &'p [Part<'q>]) -> Option<Drafts<'p, 'q>> {
        let (mut field, mut predicates) = (None, Vec::new());
        let mut found: Option<Vec<Vec<Draft<'q>>>> = None;
        for part in parts {
            let node = match part {
                Part::Node(inner) if is_predicate(inner) => {
                    predicates.push(inner.as_slice());
                    continue;
                }
                Part::Word(word) if word.starts_with('@') => {
                    let capture = word.trim_start_matches('@');
                    found
                        .as_mut()?
                        .iter_mut()
                        .filter_map(|chain| chain.last_mut())
                        .for_each(|step| step.captures.push(capture));
                    continue;
                }
                Part::Word(word) if word.ends_with(':') && field.is_none() => {
                    field = Some(self.language.field_id_for_name(word.trim_end_matches(':'))?);
                    continue;
                }
                _ if found.is_some() => return None,
                Part::Word("_") => vec![vec![draft(Kind::Any)]],
                Part::Word(_) => return None,
                Part::Token(text) => match self.language.id_for_node_kind(text, false) {
                    0 => return None,
                    kind => vec![vec![draft(Kind::Is(kind))]],
                },
                Part::Choice(inner) => self.choice(inner, &mut predicates)?,
                Part::Node(inner) => self.node(inner, &mut predicates)?,
            };
            found = Some(node);
        }
        let mut chains = found?;
        chains.iter_mut().filter_map(|chain| chain.last_mut()).for_each(|step| step.field = field.or(step.field));
        Some(Drafts { chains, predicates })
    }

    fn choice<'p, 'q>(
        &self,
        inner: &'p [Part<'q>],
        predicates: &mut Vec<&'p [Part<'q>]>,
    ) -> Option<Vec<Vec<Draft<'q>>>> {
        let mut chains = Vec::new();
        for alternative in alternatives(inner) {
            let drafts = self.pattern(alternative)?;
            predicates.extend(drafts.predicates);
            chains.extend(drafts.chains);
        }
        Some(chains)
    }

    /// What stands in round brackets: a kind and at most one node in it, or such a pattern again.
    fn node<'p, 'q>(&self, inner: &'p [Part<'q>], predicates: &mut Vec<&'p [Part<'q>]>) -> Option<Vec<Vec<Draft<'q>>>> {
        let Some(Part::Word(kind)) = inner.first() else {
            let drafts = self.pattern(inner)?;
            predicates.extend(drafts.predicates);
            return Some(drafts.chains);
        };
        let kind = self.kind(kind)?;
        let within = &inner[1..];
        let is_leaf = within.iter().all(|part| matches!(part, Part::Node(inner) if is_predicate(inner)));
        if is_leaf {
            predicates.extend(within.iter().filter_map(|part| match part {
                Part::Node(inner) => Some(inner.as_slice()),
                _ => None,
            }));
            return Some(vec![vec![draft(kind)]]);
        }
        let mut drafts = self.pattern(within)?;
        predicates.extend(drafts.predicates);
        drafts.chains.iter_mut().for_each(|chain| chain.push(draft(kind)));
        Some(drafts.chains)
    }

    fn kind(&self, name: &str) -> Option<Kind> {
        match name {
            "_" => Some(Kind::Named),
            "ERROR" => Some(Kind::Is(ERROR)),
            name => {
                let kind = self.language.id_for_node_kind(name, true);
                let is_one = self.language.node_kind_is_visible(kind) && !self.language.node_kind_is_supertype(kind);
                (kind != 0 && is_one).then_some(Kind::Is(kind))
            }
        }
    }

    /// Kinds of the nodes that a rule can begin at; `None`: any, or several nodes beside each other.
    pub(super) fn roots(&self, parts: &[Part<'_>]) -> Option<Vec<u16>> {
        let mut patterns = parts.iter().filter(|part| match part {
            Part::Node(inner) => !is_predicate(inner),
            Part::Word(word) => !word.starts_with('@'),
            Part::Choice(_) | Part::Token(_) => true,
        });
        let (only, None) = (patterns.next()?, patterns.next()) else { return None };
        match only {
            Part::Node(inner) => match inner.first() {
                Some(Part::Word(word)) => match self.kind(word)? {
                    Kind::Is(kind) => Some(vec![kind]),
                    Kind::Named | Kind::Any => None,
                },
                _ => self.roots(inner),
            },
            Part::Choice(inner) => {
                let roots: Vec<Vec<u16>> = alternatives(inner).map(|parts| self.roots(parts)).collect::<Option<_>>()?;
                Some(roots.into_iter().flatten().collect::<BTreeSet<u16>>().into_iter().collect())
            }
            Part::Token(_) | Part::Word(_) => None,
        }
    }
}

fn draft<'q>(kind: Kind) -> Draft<'q> {
    Draft { kind, field: None, captures: Vec::new() }
}

/// The parts of a choice: each a node with the field before it and the captures behind it.
fn alternatives<'p, 'q>(inner: &'p [Part<'q>]) -> impl Iterator<Item = &'p [Part<'q>]> {
    inner.chunk_by(|before, part| match part {
        Part::Word(word) if *word == "_" || word.ends_with(':') => false,
        Part::Word(_) => true,
        _ => matches!(before, Part::Word(word) if word.ends_with(':')),
    })
}

/// A predicate for a chain, as one check or none where it says nothing of the chain; `None` where it cannot be checked node by node.
/// Those that tree-sitter leaves to its caller say nothing.
fn check(parts: &[Part<'_>], chain: &[Draft<'_>]) -> Option<Vec<Check>> {
    let [Part::Word(name), of, words @ ..] = parts else { return Some(Vec::new()) };
    let (wanted, name) = match name.strip_prefix("#not-") {
        Some(rest) => (false, rest),
        None => (true, name.trim_start_matches('#')),
    };
    if name.starts_with("any-") && name != "any-of?" {
        return None;
    }
    if !matches!(name, "match?" | "eq?" | "any-of?") {
        return Some(Vec::new());
    }
    let Part::Word(capture) = of else { return None };
    let capture = capture.strip_prefix('@')?;
    let mut steps = (0..chain.len()).filter(|step| chain[*step].captures.contains(&capture));
    let (step, again) = (steps.next(), steps.next());
    let words: Vec<String> = words.iter().map(said).collect::<Option<_>>()?;
    let test = match (name, words.as_slice()) {
        ("match?", [pattern]) => Test::Matches(Regex::new(pattern).ok()?),
        ("eq?", [_]) | ("any-of?", _) => Test::OneOf(words),
        _ => return None,
    };
    match (step, again) {
        (None, _) => Some(Vec::new()),
        (Some(step), None) => Some(vec![Check { step, test, wanted }]),
        (Some(_), Some(_)) => None,
    }
}
