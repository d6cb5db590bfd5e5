//! The grammars of code, made ready once for all threads.

use std::sync::OnceLock;

use arborium::tree_sitter::Language;

use super::rules::Rules;

/// A language that can be highlighted.
pub(super) struct Grammar {
    pub(super) language: Language,
    pub(super) rules: Rules,
}

/// Lists languages by their name and module.
macro_rules! grammars {
    ($($name:literal: $module:ident),* $(,)?) => {
        /// Languages there is a grammar for.
        pub(super) const NAMES: &[&str] = &[$($name),*];

        /// The parser of a language, and its queries for highlighting and for code of other languages.
        pub(super) fn parts(name: &str) -> Option<(Language, &'static str, &'static str)> {
            match name {
                $($name => Some((
                    arborium::$module::language().into(),
                    &arborium::$module::HIGHLIGHTS_QUERY,
                    &arborium::$module::INJECTIONS_QUERY,
                )),)*
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

/// A grammar, made ready when it is first asked for; threads that ask at the same time wait for one of them.
pub(super) fn grammar(name: &str) -> Option<&'static Grammar> {
    static READY: [OnceLock<Option<Grammar>>; NAMES.len()] = [const { OnceLock::new() }; NAMES.len()];
    let index = NAMES.iter().position(|known| *known == name)?;
    READY[index].get_or_init(|| make(name)).as_ref()
}

fn make(name: &str) -> Option<Grammar> {
    let (language, highlights, injections) = parts(name)?;
    let rules = Rules::new(&language, highlights, injections, NAMES)?;
    Some(Grammar { language, rules })
}
