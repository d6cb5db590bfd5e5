use proptest::prelude::*;

use super::*;

fn refused(path: &str) -> String {
    match ContentPath::parse(path) {
        Err(Error::InvalidPath { problem, .. }) => problem,
        other => panic!("{path:?} gave {other:?}"),
    }
}

#[test]
fn accepts_what_people_write() {
    for path in [
        "site.yaml",
        "content/blog/hello.md",
        "content/_index.md",
        "content/日本語/ページ.md",
        "content/Grüße aus Köln.md",
        "static/a.b.c.min.js",
        "static/🎉.png",
        "static/👨\u{200d}👩\u{200d}👧.png",
        "static/❤\u{fe0f}.svg",
        "themes/default@a1b2c3/layouts/page.html",
        "data/100%.yaml",
        "content/it's (new), really!.md",
        "content/console.md",
        "content/git.md",
        "content/github~notes.md",
    ] {
        assert_eq!(ContentPath::parse(path).unwrap().as_str(), path);
    }
}

#[test]
fn normalises_before_it_checks() {
    assert_eq!(ContentPath::parse("content/e\u{301}.md").unwrap().as_str(), "content/\u{e9}.md");
}

#[test]
fn names_the_rule_a_path_breaks() {
    for (path, rule) in [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("content//a.md", "empty component"),
        ("content/", "empty component"),
        ("content/../site.yaml", "`..`"),
        ("content/./a.md", "`.` or"),
        ("content/.hidden", "dot file"),
        ("content/a\0.md", "NUL"),
        ("content/a\nb.md", "control"),
        ("content/a\u{7f}b.md", "control"),
        ("content/a\u{202e}b.md", "direction"),
        ("content/a\u{200b}b.md", "invisible"),
        ("content/a\u{200d}b.md", "invisible"),
        ("content/a\u{fe0f}b.md", "invisible"),
        ("content/a\\b.md", "backslash"),
        ("content/a:b.md", "colon"),
        ("C:/content/a.md", "colon"),
        ("content/%2e%2e/a.md", "encoded"),
        ("content/%252E%252e/a.md", "encoded"),
        ("content/..%2fa.md", "encoded"),
        ("content/con", "Windows"),
        ("content/NUL.txt", "Windows"),
        ("static/Com1.tar.gz", "Windows"),
        ("static/LPT9", "Windows"),
        ("static/COM¹", "Windows"),
        ("content/a.md.", "ends with a dot"),
        ("content/a /b.md", "ends with a dot or a space"),
        ("content/-rf", "begins with `-`"),
        ("content/.git/config", "git"),
        ("content/.GIT/config", "git"),
        ("content/.g\u{200c}it/config", "invisible"),
        ("content/GIT~1/config", "git"),
        ("content/.gitmodules", "git"),
        ("content/.gitattributes", "git"),
        ("content/．．/a.md", "variants"),
        ("content/․․/a.md", "variants"),
        ("content/a／b.md", "variants"),
        ("content/．git/config", "git"),
        ("src/main.rs", "not below"),
        ("content", "not below"),
        ("Site.yaml", "not below"),
        (".github/workflows/a.yml", "git"),
    ] {
        let problem = refused(path);
        assert!(problem.contains(rule), "{path:?} was refused with {problem:?}, expected {rule:?}");
    }
}

#[test]
fn bounds_lengths_in_bytes() {
    assert!(ContentPath::parse(&format!("content/{}", "a".repeat(255))).is_ok());
    assert!(refused(&format!("content/{}", "a".repeat(256))).contains("255"));
    assert!(refused(&format!("content/{}", "ü".repeat(128))).contains("255"));
    let deep = format!("content{}", "/abcdefg".repeat(127));
    assert_eq!(deep.len(), 1_023);
    assert!(ContentPath::parse(&deep).is_ok());
    assert!(refused(&format!("{deep}/a")).contains("1,024"));
}

#[test]
fn colliding_names_have_one_key() {
    let key = |path: &str| ContentPath::from_disk(path).unwrap().collision_key();
    for (a, b) in [
        ("content/About.md", "content/about.md"),
        ("content/stra\u{df}e.md", "content/STRASSE.md"),
        ("content/e\u{301}.md", "content/\u{c9}.md"),
        ("content/\u{fb01}x.md", "content/fix.md"),
        ("content/σς.md", "content/ΣΣ.md"),
    ] {
        assert_eq!(key(a), key(b), "{a} and {b}");
    }
    assert_ne!(key("content/a.md"), key("content/b.md"));
}

#[test]
fn disk_names_are_only_kept_safe() {
    for path in ["content/a:b.md", "static/.well-known/x", "content/-x.md"] {
        assert!(ContentPath::from_disk(path).is_ok(), "{path}");
    }
    for path in ["", "/a", "a//b", "../a", "a/../b", "a/.git/b", "a/.GIT", "a\\b", "a\0"] {
        assert!(ContentPath::from_disk(path).is_err(), "{path}");
    }
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just(".git".to_owned()),
        Just("git~1".to_owned()),
        Just("%2e".to_owned()),
        Just("．".to_owned()),
        Just("\u{200c}".to_owned()),
        Just("\u{200d}".to_owned()),
        Just("content/".to_owned()),
        Just("a".to_owned()),
        "\\PC{0,4}",
        any::<char>().prop_map(String::from),
    ]
}

proptest! {
    #[test]
    fn no_accepted_path_leaves_the_root_or_names_git(pieces in prop::collection::vec(piece(), 0..8), inside: bool) {
        let path = format!("{}{}", if inside { "content/" } else { "" }, pieces.concat());
        if let Ok(parsed) = ContentPath::parse(&path) {
            let text = parsed.as_str();
            let folded: String = text.nfkc().flat_map(char::to_lowercase).filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')).collect();
            for form in [text, folded.as_str()] {
                prop_assert!(!form.starts_with('/') && !form.contains(['\\', '\0']));
                for name in form.split('/') {
                    prop_assert!(!matches!(name, "." | ".."), "{text:?}");
                    prop_assert!(!name.starts_with(".git") && !name.starts_with("git~"), "{text:?}");
                }
            }
            prop_assert!(text.len() <= 1_024);
            prop_assert_eq!(ContentPath::parse(text).unwrap(), parsed.clone());
            prop_assert!(ContentPath::from_disk(text).is_ok());
        }
    }
}
