//! Holds the source to the map in ARCHITECTURE.md: who may use whom, which crate belongs where, and how long things get.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What each layer may name with `crate::` (itself apart), as in the table of ARCHITECTURE.md.
const LAYERS: [(&str, &[&str]); 11] = [
    ("error", &["model"]), // The enum carries values of the model: conflicts and diagnostics.
    ("model", &["error"]),
    ("build", &["model", "error"]),
    ("store", &["model", "error"]),
    ("import", &["model", "error"]),
    ("site", &["build", "import", "store", "outside", "model", "error"]),
    ("insight", &["site", "model", "error"]),
    ("outside", &["model", "error"]),
    ("preview", &["site", "outside", "model", "error"]),
    ("tools", &["site", "insight", "preview", "model", "error"]),
    ("server", &["tools", "insight", "site", "outside", "error"]),
];

/// Crates that only some files may use, by the beginning of their path below `src/`.
const CONFINED: &[(&str, &[&str])] = &[
    ("rmcp", &["tools", "server"]),
    ("schemars", &["tools", "server"]),
    ("git2", &["store"]),
    ("walkdir", &["store"]),
    ("cap_std", &["store"]),
    ("rustix", &["store", "outside/browser", "outside/child"]),
    ("notify", &["store/watch"]),
    ("ureq", &["store/remote", "outside"]),
    ("rustls", &["store/remote", "outside"]),
    ("rustls_native_certs", &["store/remote", "outside"]),
    ("ring", &["outside", "insight/keyed"]),
    ("opentelemetry", &["server/spans"]),
    ("opentelemetry_sdk", &["server/spans"]),
    ("opentelemetry_otlp", &["server/spans"]),
    ("opentelemetry_http", &["server/spans"]),
    ("quick_xml", &["site/asset/svg", "import/feed"]),
    ("fast_image_resize", &["site/asset/picture"]),
    ("handlebars", &["build/template"]),
    ("pulldown_cmark", &["build/markdown"]),
    ("ammonia", &["build/markdown"]),
    ("arborium", &["build/highlight"]),
    ("regex", &["site/text", "model/config", "build/highlight"]),
    ("gray_matter", &["model/front_matter", "model/config"]),
    ("serde_yaml", &["model/front_matter", "model/config"]),
    ("csv", &["import/table"]),
    ("rmp_serde", &["build", "store/output"]),
    ("siphasher", &["model/digest"]),
    ("foldhash", &["model/quick_map"]),
    ("flate2", &["store/tree"]),
    ("memchr", &["build/markdown"]),
    ("axum", &["server/http", "preview"]),
    ("clap", &["main", "cli"]),
    ("mimalloc", &["main"]),
    ("tracing_subscriber", &["main", "cli"]),
];

/// Names that say nothing about what is inside.
const BANNED_FILES: [&str; 6] = ["utils", "util", "helpers", "common", "manager", "misc"];

/// Where such a name is right: helpers are what Handlebars calls its functions.
const NAMED_WELL: [&str; 1] = ["build/template/helpers.rs"];

/// Words of other systems for things that have a word here, as parts of type and function names.
const BANNED_WORDS: [(&str, &str); 8] = [
    ("workspace", "site"),
    ("article", "page"),
    ("blogpost", "page"),
    ("attachment", "asset"),
    ("frontmatter", "front_matter"),
    ("changeset", "change_set"),
    ("deploy", "publish"),
    ("snippet", "shortcode or partial"),
];

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// A source file with strings and comments blanked, and its tests left out.
struct Source {
    /// Below `src/`, `/`-separated.
    path: String,
    text: String,
    /// The same lines without comments, text in quotes, and test modules.
    code: Vec<String>,
}

impl Source {
    fn layer(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap_or_default()
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(files.len() > 20, "src/ was not found");
    let read = |file: PathBuf| {
        let path = file.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(&file).unwrap();
        let code = without_tests(&blank(&text));
        Source { path, text, code }
    };
    files.into_iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_some_and(|n| n != "tests.rs")
        {
            files.push(path);
        }
    }
}

/// Replaces what stands in comments, strings and character literals by spaces; line breaks stay.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let keep = |c: char| if c == '\n' { '\n' } else { ' ' };
    while at < chars.len() {
        let rest = &chars[at..];
        let end = match rest {
            ['/', '/', ..] => at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => at + block_comment(rest),
            ['"', ..] => at + quoted(rest),
            ['r', '"' | '#', ..] if !after_word(&chars, at) => at + raw_quoted(rest),
            ['b', 'r', '"' | '#', ..] if !after_word(&chars, at) => at + 1 + raw_quoted(&rest[1..]),
            ['\'', '\\', ..] => at + 2 + rest[2..].iter().skip(1).position(|c| *c == '\'').map_or(0, |n| n + 2),
            ['\'', _, '\'', ..] => at + 3,
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            let end = end.min(chars.len());
            out.extend(chars[at..end].iter().map(|c| keep(*c)));
            at = end;
        }
    }
    out
}

fn after_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_')
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Length of `r"..."` or `r#"..."#`; 0 for a raw identifier.
fn raw_quoted(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    let mut at = 2 + hashes;
    while at < rest.len() {
        if rest[at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    at
}

/// The lines before and after `#[cfg(test)] mod tests { .. }`.
fn without_tests(code: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut skipping: Option<i64> = None;
    let mut pending = false;
    for line in code.lines() {
        if let Some(depth) = &mut skipping {
            *depth += braces(line);
            if *depth <= 0 {
                skipping = None;
            }
            lines.push(String::new());
            continue;
        }
        if line.trim() == "#[cfg(test)]" {
            pending = true;
        } else if std::mem::take(&mut pending) && line.contains("mod ") {
            skipping = Some(braces(line)).filter(|depth| *depth > 0);
        } else {
            lines.push(line.to_owned());
            continue;
        }
        lines.push(String::new());
    }
    lines
}

fn braces(line: &str) -> i64 {
    let count = |wanted: char| i64::try_from(line.matches(wanted).count()).unwrap();
    count('{') - count('}')
}

/// Whether a crate or module name occurs as a path's first part (`name::`).
fn uses(line: &str, name: &str) -> bool {
    line.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = &line[..at];
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_') && !before.ends_with("::")
    }) || line.trim_start().strip_prefix("use ").is_some_and(|rest| rest.trim_end_matches(';') == name)
}

fn report(problems: &str) {
    assert!(problems.is_empty(), "\n{problems}");
}

#[test]
fn layers_use_only_what_they_may() {
    let layers: BTreeMap<_, _> = LAYERS.into();
    let mut problems = String::new();
    for source in sources() {
        let Some(allowed) = layers.get(source.layer()) else {
            assert!(["lib", "main", "cli"].contains(&source.layer()), "{}: a layer without a rule", source.path);
            continue;
        };
        let joined = source.code.join("\n");
        for (number, line) in source.code.iter().enumerate() {
            // A grouped import `use crate::{a, b}` would hide its parts from this test.
            if line.contains("crate::{") {
                writeln!(problems, "src/{}:{}: name one module in each `use crate::`", source.path, number + 1)
                    .unwrap();
            }
        }
        for other in layers.keys().filter(|other| **other != source.layer() && !allowed.contains(*other)) {
            if let Some(at) = joined.match_indices(&format!("crate::{other}")).map(|(at, _)| at).find(|at| {
                !joined[at + "crate::".len() + other.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
            }) {
                let line = joined[..at].lines().count();
                writeln!(problems, "src/{}:{line}: `{}` may not use `{other}`", source.path, source.layer()).unwrap();
            }
        }
    }
    report(&problems);
}

#[test]
fn crates_stay_where_they_belong() {
    let mut problems = String::new();
    for source in sources() {
        let forbidden: Vec<&str> = CONFINED
            .iter()
            .filter(|(_, homes)| {
                let stem = source.path.trim_end_matches(".rs");
                !homes.iter().any(|home| stem == *home || source.path.starts_with(&format!("{home}/")))
            })
            .map(|(name, _)| *name)
            .collect();
        let disk = !["store", "main", "cli"].contains(&source.layer());
        for (number, line) in source.code.iter().enumerate() {
            let mut blame = |what: &str| writeln!(problems, "src/{}:{}: {what}", source.path, number + 1).unwrap();
            for name in forbidden.iter().filter(|name| uses(line, name)) {
                blame(&format!("`{name}` does not belong here"));
            }
            if disk && (line.contains("std::fs") || uses(line, "fs")) {
                blame("only `store` touches the disk");
            }
            let pure = ["model", "build", "import"].contains(&source.layer());
            let impure = [
                "SystemTime",
                "Instant::now",
                "Timestamp::now",
                "Zoned::now",
                "std::net",
                "std::env",
                "std::process",
                "getrandom",
            ];
            if let Some(found) = impure.iter().find(|name| pure && line.contains(**name)) {
                blame(&format!("`{found}`: model and build are pure"));
            }
        }
    }
    report(&problems);
}

#[test]
fn files_and_functions_stay_short() {
    let mut problems = String::new();
    for source in sources() {
        let lines =
            source.text.lines().zip(&source.code).filter(|(raw, code)| raw.is_empty() || !code.is_empty()).count();
        if lines > FILE_LINES {
            writeln!(problems, "src/{}: {lines} lines without tests, at most {FILE_LINES}", source.path).unwrap();
        }
        for (start, name, length) in functions(&source.code) {
            if length > FUNCTION_LINES {
                writeln!(
                    problems,
                    "src/{}:{start}: `{name}` has {length} lines, at most {FUNCTION_LINES}",
                    source.path
                )
                .unwrap();
            }
        }
    }
    report(&problems);
}

/// First line, name and length of each function.
fn functions(code: &[String]) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (number, line) in code.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let mut depth = 0;
        for (offset, line) in code[number..].iter().enumerate() {
            depth += braces(line);
            let opened = line.contains('{');
            // A declaration in a trait ends without a body.
            if depth == 0 && (opened || line.trim_end().ends_with(';') || line.contains('}')) {
                found.push((number + 1, name.clone(), offset + 1));
                break;
            }
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut rest = line.trim_start();
    while let Some(shorter) =
        ["pub ", "pub(crate) ", "pub(super) ", "async ", "const ", "default "].iter().find_map(|p| rest.strip_prefix(p))
    {
        rest = shorter;
    }
    let name: String = rest.strip_prefix("fn ")?.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

#[test]
fn modules_say_their_job_and_leave_nothing_undone() {
    let mut problems = String::new();
    for source in sources() {
        let mut blame = |line: usize, what: &str| writeln!(problems, "src/{}:{line}: {what}", source.path).unwrap();
        if !source.text.starts_with("//! ") {
            blame(1, "begin with a `//!` line that says the module's job");
        }
        let named_well = NAMED_WELL.contains(&source.path.as_str());
        let parts = source.path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| !named_well && BANNED_FILES.contains(part)) {
            blame(1, &format!("`{part}` says nothing; name the module by its job"));
        }
        for (number, line) in source.text.lines().enumerate() {
            // Spelled in halves, so that a search of the whole tree finds real ones only.
            for mark in [
                concat!("FIX", "ME"),
                concat!("TO", "DO"),
                concat!("X", "XX"),
                concat!("todo", "!("),
                concat!("unimplemented", "!("),
            ] {
                if line.contains(mark) {
                    blame(number + 1, &format!("`{mark}`: finish it or file it"));
                }
            }
        }
    }
    report(&problems);
}

#[test]
fn names_use_the_words_of_this_project() {
    let mut problems = String::new();
    for source in sources() {
        for (number, line) in source.code.iter().enumerate() {
            let mut words = line.split_whitespace().peekable();
            while let Some(word) = words.next() {
                if !["fn", "struct", "enum", "trait", "mod", "type", "const", "static"].contains(&word) {
                    continue;
                }
                let name = *words.peek().unwrap_or(&"");
                // `FrontMatter` is right and `Frontmatter` is not.
                let says = |banned: &str| {
                    let (first, rest) = banned.split_at(1);
                    name.contains(banned) || name.contains(&format!("{}{rest}", first.to_uppercase()))
                };
                for (banned, instead) in BANNED_WORDS.iter().filter(|(banned, _)| says(banned)) {
                    writeln!(problems, "src/{}:{}: say {instead}, not {banned}", source.path, number + 1).unwrap();
                }
            }
        }
    }
    report(&problems);
}

#[test]
fn the_reader_of_this_test_sees_through_strings_comments_and_tests() {
    let text = "fn a() { \"}fs::\" /* { /* */ fs:: */; '{'; '\\''; r#\"\"{\"#; // {\n}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c<'a>(x: &'a str);\n";
    let code = without_tests(&blank(text));
    assert!(!code.join("\n").contains("fs::"), "{code:?}");
    assert_eq!(functions(&code), [(1, "a".to_owned(), 2), (7, "c".to_owned(), 1)], "{code:?}");
    assert!(uses("use git2::Oid;", "git2") && uses("let x = git2::Oid::zero();", "git2") && uses("use git2;", "git2"));
    assert!(!uses("legit2::x", "git2") && !uses("crate::git2::x", "git2"));
    let long = format!("fn long() {{\n{}}}", "    x();\n".repeat(80));
    assert_eq!(functions(&without_tests(&blank(&long)))[0].2, 82);
}
