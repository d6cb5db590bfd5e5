//! The grammars of code, with only the rules that give a class: half of a grammar's matches are commas, brackets and plain names.

use std::sync::Arc;

use arborium::GrammarStore;
use arborium::advanced::{CompiledGrammar, GrammarConfig};

use super::class_of;

/// Looks a language up by the name that the store knows it by, and calls what follows with its parts.
macro_rules! grammars {
    ($($name:literal: $module:ident),* $(,)?) => {
        /// Languages there is a grammar for.
        const NAMES: &[&str] = &[$($name),*];

        fn whole(language: &str) -> Option<GrammarConfig<'static>> {
            match language {
                $($name => Some(GrammarConfig {
                    language: arborium::$module::language().into(),
                    highlights_query: &arborium::$module::HIGHLIGHTS_QUERY,
                    injections_query: &arborium::$module::INJECTIONS_QUERY,
                    locals_query: "",
                }),)*
                _ => None,
            }
        }
    };
}

grammars! {
    "bash": lang_bash, "c": lang_c, "cpp": lang_cpp, "css": lang_css, "diff": lang_diff, "dockerfile": lang_dockerfile,
    "go": lang_go, "html": lang_html, "java": lang_java, "javascript": lang_javascript, "json": lang_json, "lua": lang_lua,
    "markdown": lang_markdown, "python": lang_python, "ruby": lang_ruby, "rust": lang_rust, "sql": lang_sql,
    "toml": lang_toml, "typescript": lang_typescript, "xml": lang_xml, "yaml": lang_yaml,
}

/// Puts a language into the store; where that fails, the store has its own way to.
pub(super) fn add(store: &GrammarStore, language: &str) {
    let Some(whole) = whole(language) else { return };
    let (highlights, injections) = (kept(whole.highlights_query, has_class), kept(whole.injections_query, leads_on));
    let config = GrammarConfig { highlights_query: &highlights, injections_query: &injections, ..whole };
    if let Ok(grammar) = CompiledGrammar::new(config) {
        store.insert(language, Arc::new(grammar));
    }
}

fn has_class(rule: &str) -> bool {
    captures(rule).any(|name| class_of(name).is_some())
}

/// Whether a rule finds code of another language that there is a grammar for, as far as it says which.
fn leads_on(rule: &str) -> bool {
    let named = rule.split("injection.language \"").nth(1).and_then(|rest| rest.split('"').next());
    captures(rule).any(|name| name == "injection.content") && named.is_none_or(|name| NAMES.contains(&name))
}

/// Names of captures; what a comment says counts too, which at worst keeps a rule.
fn captures(rule: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    rule.split('@').skip(1).map(move |rest| rest.split(|c| !is_part(c)).next().unwrap_or_default())
}

fn kept(query: &str, keep: impl Fn(&str) -> bool) -> String {
    rules(query).into_iter().filter(|rule| keep(rule)).collect::<Vec<_>>().join("\n")
}

/// The rules of a query: each a node, a list or a literal with the captures behind it
/// (<https://tree-sitter.github.io/tree-sitter/using-parsers/queries/1-syntax.html>).
fn rules(query: &str) -> Vec<&str> {
    let (mut rules, mut start, mut depth) = (Vec::new(), None, 0_usize);
    let mut rest = query.char_indices();
    while let Some((at, c)) = rest.next() {
        if depth == 0 && matches!(c, '(' | '[' | '"') {
            rules.extend(start.replace(at).map(|start| &query[start..at]));
        }
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ';' => drop(rest.find(|(_, c)| *c == '\n')),
            '"' => while rest.next().is_some_and(|(_, c)| c != '"' && (c != '\\' || rest.next().is_some())) {},
            _ => {}
        }
    }
    rules.extend(start.map(|start| &query[start..]));
    rules
}

#[cfg(test)]
mod tests {
    use arborium::tree_sitter::Query;

    use super::*;

    #[test]
    fn every_rule_of_every_grammar_is_told_from_the_next() {
        for name in NAMES {
            let whole = whole(name).unwrap();
            for query in [whole.highlights_query, whole.injections_query] {
                let compiled = Query::new(&whole.language, query).unwrap();
                assert_eq!(rules(query).len(), compiled.pattern_count(), "{name}");
                for rule in rules(query) {
                    assert_eq!(Query::new(&whole.language, rule).unwrap().pattern_count(), 1, "{name}: {rule}");
                }
            }
            let store = GrammarStore::new();
            add(&store, name);
            assert!(store.get(name).is_some());
        }
    }

    #[test]
    fn rules_without_a_class_and_languages_without_a_grammar_are_left_out() {
        let query = "(a) @variable ; (b) [\n[\",\" \"\\\"(\"] @punctuation.delimiter\n\"fn\" @keyword\n((c) @_n @type (#eq? @_n \"@x\"))";
        assert_eq!(rules(query).len(), 4);
        assert_eq!(kept(query, has_class), "\"fn\" @keyword\n\n((c) @_n @type (#eq? @_n \"@x\"))");
        let query = "((a) @injection.content (#set! injection.language \"regex\"))((b) @injection.content (#set! injection.language \"css\"))";
        assert_eq!(kept(query, leads_on), "((b) @injection.content (#set! injection.language \"css\"))");
    }
}
