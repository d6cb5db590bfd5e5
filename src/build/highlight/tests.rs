use super::*;

fn strip(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at + rest[at..].find('>').expect("a tag ends") + 1..];
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

const SAMPLES: [(&str, &str); 21] = [
    ("bash", "for f in *.txt; do echo \"$f\"; done # c\n"),
    ("c", "int main(void) { return 0; } // c\n"),
    ("cpp", "class A { public: int b = 1; }; // c\n"),
    ("css", "a:hover { color: #fff; } /* c */\n"),
    ("diff", "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n"),
    ("dockerfile", "FROM alpine:3 # c\nRUN apk add git\n"),
    ("go", "func main() { x := \"s\" }\n"),
    ("html", "<p class=\"a\">x &amp; y</p><script>let a = 1;</script>\n"),
    ("java", "class A { int b = 1; }\n"),
    ("javascript", "const a = async () => `x${1}`;\n"),
    ("json", "{\"a\": [1, true, null]}\n"),
    ("lua", "local a = function() return 1 end\n"),
    ("markdown", "# Title\n\n*a* `b`\n"),
    ("python", "def f(a: int) -> str:\n    return f\"{a}\"\n"),
    ("ruby", "def f; puts \"x\"; end\n"),
    ("rust", "fn main() { let a: u8 = 1; println!(\"{a}\"); }\n"),
    ("sql", "SELECT a FROM b WHERE c = 'd';\n"),
    ("toml", "[a]\nb = \"c\"\n"),
    ("typescript", "interface A { b: string }\n"),
    ("xml", "<a b=\"c\">d</a>\n"),
    ("yaml", "a: [b, 1]\n"),
];

#[test]
fn every_language_gets_spans_and_keeps_its_text() {
    for (language, code) in SAMPLES {
        let html = code_block(code, language, true);
        assert!(html.contains("<span class=\""), "{language}: {html}");
        assert_eq!(strip(&html).trim_end(), code.trim_end(), "{language}");
        for class in html.split("<span class=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()) {
            assert!(CLASSES.contains(&class), "{language}: {class}");
        }
        let numbered = code_block(code, &format!("{language},linenos"), true);
        assert_eq!(strip(&numbered).trim_end(), code.trim_end(), "{language} with lines");
    }
}

#[test]
fn aliases() {
    for alias in [
        "js",
        "ts",
        "py",
        "rb",
        "sh",
        "shell",
        "console",
        "yml",
        "md",
        "c++",
        "jsonc",
        "rs",
        "tsx",
        "JavaScript",
        "golang",
    ] {
        let html = code_block("const a = \"x\" # b\n- [1]: `c`\n", alias, true);
        assert!(html.contains("<span class=\""), "{alias}: {html}");
    }
}

#[test]
fn unknown_languages_and_large_blocks_are_plain() {
    assert_eq!(
        code_block("a < b\n", "nosuch", true),
        "<pre class=\"highlight\" tabindex=\"0\"><code class=\"language-nosuch\" data-lang=\"nosuch\">a &lt; b\n</code></pre>\n"
    );
    assert_eq!(code_block("x\n", "", true), "<pre class=\"highlight\" tabindex=\"0\"><code>x\n</code></pre>\n");
    assert!(!code_block(&"let a = 1;\n".repeat(20_000), "rust", true).contains("<span"));
    assert!(!code_block(&"let a = 1;".repeat(2_000), "rust", true).contains("<span"));
    assert!(!code_block("let a = 1;\n", "rust", false).contains("<span"));
}

#[test]
fn info_strings_cannot_break_out() {
    let html = code_block("x\n", "a\"><script>alert(1)</script>,name=\"><img>", true);
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
}

#[test]
fn lines_can_be_numbered_and_marked() {
    let html = code_block("/* a\nb */\n", "css {linenos=true,hl_lines=[2],linenostart=9}", true);
    assert_eq!(
        html,
        "<pre class=\"highlight linenos\" tabindex=\"0\"><code class=\"language-css\" data-lang=\"css\">\
         <span class=\"line\" data-line=\"9\"><span class=\"comment\">/* a</span></span>\n\
         <span class=\"line marked\" data-line=\"10\"><span class=\"comment\">b */</span></span>\n</code></pre>\n"
    );
}

#[test]
fn nested_and_overlapping_spans_become_runs() {
    let span = |start, end, capture: &str| Span { start, end, capture: capture.into(), pattern_index: 0 };
    let runs = flatten(
        "0123456789",
        vec![
            span(0, 8, "string"),
            span(2, 4, "number"),
            span(6, 10, "comment"),
            span(3, 3, "type"),
            span(9, 99, "type"),
        ],
    );
    let runs: Vec<_> = runs.iter().map(|token| (token.start, token.end, token.class)).collect();
    assert_eq!(runs, [(0, 2, "string"), (2, 4, "number"), (4, 6, "string"), (6, 10, "comment")]);
}

#[test]
fn rules_that_are_left_out_change_nothing_that_is_shown() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = [
        ("rust", "src/build/highlight/grammars.rs"),
        ("rust", "src/store/publish/standing.rs"),
        ("python", "benches/save.py"),
        ("css", "themes/default/assets/style.css"),
        ("javascript", "src/preview/reload.js"),
        ("html", "tests/sites/blog/expected/blog/first/index.html"),
        ("markdown", "CONTRIBUTING.md"),
        ("toml", "Cargo.toml"),
        ("yaml", "site.yaml"),
        ("bash", ".ci/run"),
    ];
    let read = |(language, file): &(&str, &str)| {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        ((*language).to_owned(), text.chars().take(8_000).collect())
    };
    let samples = SAMPLES.iter().map(|(language, code)| ((*language).to_owned(), (*code).to_owned()));
    let mut whole = Highlighter::with_store(Arc::new(GrammarStore::new()));
    for (language, code) in samples.chain(files.iter().map(read)) {
        let all = flatten(&code, whole.highlight_spans(&language, &code).unwrap());
        assert!(language == "diff" || !all.is_empty(), "{language}");
        assert_eq!(parse(&code, &language), all, "{language}");
    }
}
