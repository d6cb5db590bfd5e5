//! Tests of front matter.

#![allow(clippy::unwrap_used, reason = "a broken expectation is a failed test")]
#![allow(clippy::format_collect, reason = "short generated texts")]

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sitewright::error::Error;
use sitewright::model::FrontMatter;
use sitewright::model::front_matter::{Format, MAX_FRONT_MATTER, patch, patch_yaml, read_yaml, replace_body};

fn parse(text: &str) -> FrontMatter {
    FrontMatter::parse("content/a.md", text).unwrap_or_else(|error| panic!("{text:?} gave {error}"))
}

fn values(text: &str) -> Value {
    Value::Object(parse(text).values)
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn patched(text: &str, change: &Value) -> String {
    patch("content/a.md", text, &object(change)).unwrap_or_else(|error| panic!("{text:?} with {change} gave {error}"))
}

#[test]
fn splits_where_the_fences_are() {
    for (text, format, body, body_line) in [
        ("---\ntitle: x\n---\nbody\n", Some(Format::Yaml), "body\n", 4),
        ("---\r\ntitle: x\r\n---\r\nbody\r\n", Some(Format::Yaml), "body\r\n", 4),
        ("\u{feff}---\ntitle: x\n---\nbody", Some(Format::Yaml), "body", 4),
        ("\n\n---\ntitle: x\n---\n\nbody", Some(Format::Yaml), "\nbody", 6),
        ("--- \ntitle: x\n---\t\nbody", Some(Format::Yaml), "body", 4),
        ("---\ntitle: x\n...\nbody", Some(Format::Yaml), "body", 4),
        ("---\ntitle: x\n---", Some(Format::Yaml), "", 3),
        ("---\n---\n", Some(Format::Yaml), "", 3),
        ("---\n# only a comment\n---\n---\n", Some(Format::Yaml), "---\n", 4),
        ("+++\ntitle = 'x'\n+++\nbody", Some(Format::Toml), "body", 4),
        ("{\n  \"title\": \"x\"\n}\nbody", Some(Format::Json), "body", 4),
        ("{\"title\": \"}\\\"{\"}\r\nbody", Some(Format::Json), "body", 2),
        ("---\n{\"title\": \"x\"}\n---\nbody", Some(Format::Json), "body", 4),
        ("---\n{title: x}\n---\nbody", Some(Format::Yaml), "body", 4),
        ("{}\nbody", Some(Format::Json), "body", 2),
        ("body\n---\nno: matter\n---\n", None, "body\n---\nno: matter\n---\n", 1),
        ("\n---\n\nA rule, then text\n", None, "\n---\n\nA rule, then text\n", 1),
        ("{{< figure >}}\n", None, "{{< figure >}}\n", 1),
        ("{:.note}\ntext", None, "{:.note}\ntext", 1),
        ("----\nbody", None, "----\nbody", 1),
        ("\u{feff}body", None, "body", 1),
        ("", None, "", 1),
    ] {
        let read = parse(text);
        assert_eq!((read.format, &text[read.body_offset..], read.body_line), (format, body, body_line), "{text:?}");
    }
}

#[test]
fn reads_values_in_order_and_type() {
    let read = parse(
        "---\nzeta: 1\nalpha: two\nfloat: 1.5\nyes: yes\nflag: true\nnone:\ntilde: ~\ndate: 2026-11-23\nmoment: 2026-11-23 10:00:00 +0100\n\
         7: seven\ntrue: flag\nbig: 18446744073709551615\nhuge: 340282366920938463463374607431768211455\ntagged: !note text\n\
         base: &base {a: 1, b: 2}\nmerged:\n  <<: *base\n  b: 3\nfold: >\n  one\n  two\nkeep: |+\n  text\n\n---\n",
    );
    let keys: Vec<&str> = read.values.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "zeta", "alpha", "float", "yes", "flag", "none", "tilde", "date", "moment", "7", "true", "big", "huge",
            "tagged", "base", "merged", "fold", "keep"
        ]
    );
    let expected = json!({
        "zeta": 1, "alpha": "two", "float": 1.5, "yes": "yes", "flag": true, "none": null, "tilde": null, "date": "2026-11-23",
        "moment": "2026-11-23 10:00:00 +0100", "7": "seven", "true": "flag", "big": 18_446_744_073_709_551_615_u64,
        "huge": "340282366920938463463374607431768211455", "tagged": "text", "base": {"a": 1, "b": 2}, "merged": {"b": 3, "a": 1},
        "fold": "one two\n", "keep": "text\n\n",
    });
    assert_eq!(Value::Object(read.values), expected);
}

#[test]
fn an_indented_first_key_keeps_its_indentation() {
    assert_eq!(values("---\n  title: x\n  tags: [a]\n---\n"), json!({"title": "x", "tags": ["a"]}));
}

#[test]
fn reads_toml_and_json() {
    let toml = "+++\ntitle = \"x\"\ndate = 2026-11-23T10:00:00+01:00\nday = 2026-11-23\nlocal = 2026-11-23 10:00:00\nhex = 0xff\n\
                weight = 1_000\n[extra]\ntags = ['a', \"b\"]\n[[extra.items]]\nn = 1.5\n+++\n";
    assert_eq!(
        values(toml),
        json!({"title": "x", "date": "2026-11-23T10:00:00+01:00", "day": "2026-11-23", "local": "2026-11-23T10:00:00", "hex": 255,
               "weight": 1000, "extra": {"tags": ["a", "b"], "items": [{"n": 1.5}]}})
    );
    assert_eq!(values("{\"b\": [1, {\"c\": null}], \"a\": \"\\u00fc\"}\n"), json!({"b": [1, {"c": null}], "a": "ü"}));
}

#[test]
fn faults_are_named_with_their_place_in_the_file_and_a_fix() {
    for (text, line, column, problem, fix) in [
        ("---\ntitle: x\n\nbody\n", 1, 1, "no closing `---` line", "Add a line `---`"),
        ("---\ntitle: x\n----\nbody\n", 1, 1, "no closing `---` line", "Make line 3 (`----`) exactly `---`."),
        ("---\ntitle: x\n ---\nbody\n", 1, 1, "no closing", "line 3"),
        ("+++\ntitle = 'x'\n---\n", 1, 1, "no closing `+++` line", "line 3"),
        ("{\n\"title\": \"x\"\n", 1, 1, "not closed", "`}`"),
        (
            "---\ndraft: true\ntitle: Rust: a language\n---\n",
            3,
            12,
            "mapping values are not allowed",
            "title: \"Rust: a language\"",
        ),
        ("---\n# c\ntitle: x\n\ttags: y\n---\n", 4, 1, "", "spaces instead of tabs"),
        ("---\ntitle: x\ndraft: no\ntitle: y\n---\n", 4, 1, "duplicate key `title`", "Keep one"),
        ("---\na: {b: 1, b: 2}\n---\n", 2, 11, "duplicate key `b`", "Keep one"),
        ("---\nhandle: @ada\n---\n", 2, 9, "cannot start any token", "handle: \"@ada\""),
        ("---\ntitle: \"x\ndraft: true\n---\n", 2, 8, "never closed", "Close the quote"),
        ("---\ntags: [a, b\ndraft: true\n---\n", 2, 7, "bracket is never closed", "Close the bracket"),
        ("---\na: {b: 1\n---\n", 2, 4, "bracket is never closed", "Close the bracket"),
        ("---\ntitle: x\n\nHello world.\n\n---\nmore\n", 4, 1, "no `key: value`", "closing `---`"),
        ("---\ntitle:x\n---\n", 2, 1, "found text", "closing `---`"),
        ("---\ntitle: x\n  sub: y\n---\n", 3, 6, "mapping values", "Indent keys"),
        ("---\nt: \"\\d\"\n---\n", 2, 5, "escape", "single quotes"),
        ("+++\ntitle: x\n+++\n", 2, 8, "expected `=`", "`key = value`"),
        ("---\nn: .inf\n---\n", 2, 4, "must be finite", ""),
        ("---\nn: .nan\n---\n", 2, 4, "must be finite", ""),
        ("---\nx: *nope\n---\n", 2, 4, "unknown anchor", "Quote"),
        ("---\n? [a]\n: b\n---\n", 2, 3, "plain text", ""),
        ("---\n- a\n- b\n---\n", 2, 1, "found a list", "`key: value`"),
        ("---\njust text\n---\n", 2, 1, "found text", "`key: value`"),
        ("+++\ntitle = x y\n+++\n", 2, 0, "", "wants quotes"),
        ("+++\na = 1\na = 2\n+++\n", 3, 0, "duplicate", "Keep one"),
        ("+++\na = inf\n+++\n", 2, 5, "finite", ""),
        ("{\n\"a\": 1,\n}\n", 3, 1, "trailing comma", "comma"),
        ("{\n\"a\": 1,\n\"a\": 2}\n", 3, 1, "duplicate key `a`", "Keep one"),
        ("---\rtitle: x\r---\r", 1, 1, "carriage returns", "LF or CRLF"),
    ] {
        for text in [text.to_owned(), text.replace('\n', "\r\n")] {
            match FrontMatter::parse("content/a.md", &text) {
                Err(Error::InvalidFrontMatter { path, line: at, column: col, problem: found, excerpt, fix: given }) => {
                    assert_eq!(path, "content/a.md");
                    assert!(found.contains(problem), "{text:?} gave {found:?}");
                    assert!(given.contains(fix) && !given.is_empty(), "{text:?} gave the fix {given:?}");
                    assert!(line == 0 || at == line, "{text:?} gave line {at} for {found:?}");
                    assert!(column == 0 || col == column, "{text:?} gave column {col} for {found:?}");
                    let there = text.lines().nth(at - 1).unwrap_or_default();
                    assert_eq!(excerpt, there.trim_start_matches('\u{feff}'), "{text:?}");
                }
                other => panic!("{text:?} gave {other:?}"),
            }
        }
    }
}

/// Time this thread had the processor: what others do on this machine does not count.
fn spent() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    // Elsewhere than on Linux nothing is known, and only a hang is found.
    let nanos = statistics.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

#[test]
fn hostile_blocks_are_refused_at_once() {
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned()
        + &('b'..='k')
            .zip('a'..='j')
            .map(|(b, a)| format!("{b}: &{b} [{}]\n", vec![format!("*{a}"); 10].join(", ")))
            .collect::<String>();
    let long_alias = format!("a: &a {}\nb: [{}]\n", "x".repeat(30_000), vec!["*a"; 5_000].join(", "));
    let cases = [
        ("alias bomb", bomb),
        ("long alias", long_alias),
        ("cycle", "a: &a [*a]\n".into()),
        ("dashes", format!("a:\n {}x\n", "- ".repeat(3_000))),
        ("flow", format!("a: {}\n", "[".repeat(60_000))),
        ("flow behind an apostrophe", format!("b: don't\na: {}\n", "[".repeat(60_000))),
        ("closed flow", format!("a: {}{}\n", "[".repeat(30_000), "]".repeat(30_000))),
        ("flow with brackets in comments", format!("a: {}\n", "[ # ]\n".repeat(10_000))),
        ("flow with brackets in quotes", format!("a: {}\n", "[\"]\", ".repeat(10_000))),
        ("flow behind a false start", format!("b: x [ '\na: {} ' ]\n", "[".repeat(60_000))),
        ("flow with brackets in tags", format!("a: {}\n", "[!<]> ".repeat(10_000))),
        ("tangled quotes", format!("a: x {}\n", "[ \"[\" ".repeat(8_000))),
        ("tangled quotes in text", format!("a: |\n  {}\nb: [\n", "[ '\" \"' ".repeat(3_000))),
        ("braces", format!("a: {}\n", "{a: ".repeat(15_000))),
        ("nested maps", (0..250).map(|i| format!("{}a:\n", " ".repeat(i))).collect()),
        ("question marks", format!("{}x\n", "? ".repeat(3_000))),
        ("deep", format!("a: {}1{}\n", "[".repeat(32), "]".repeat(32))),
    ];
    for (name, block) in cases {
        assert!(block.len() <= MAX_FRONT_MATTER, "{name}");
        let start = spent();
        let result = FrontMatter::parse("content/a.md", &format!("---\n{block}---\n"));
        assert!(matches!(result, Err(Error::InvalidFrontMatter { .. })), "{name} gave {result:?}");
        let took = spent().saturating_sub(start);
        assert!(took < Duration::from_secs(2), "{name} took {took:?}");
    }
    for (name, block) in
        [("toml", format!("a = {}\n", "[".repeat(60_000))), ("toml tables", format!("a = {}\n", "{a=".repeat(20_000)))]
    {
        let result = FrontMatter::parse("content/a.md", &format!("+++\n{block}+++\n"));
        assert!(matches!(result, Err(Error::InvalidFrontMatter { .. })), "{name} gave {result:?}");
    }
    let json = format!("{{\"a\": {}1{}}}\n", "[".repeat(20_000), "]".repeat(20_000));
    assert!(matches!(FrontMatter::parse("content/a.md", &json), Err(Error::InvalidFrontMatter { .. })));
}

#[test]
fn a_block_past_the_limit_is_too_large() {
    let text = format!("---\ntitle: {}\n---\n", "x".repeat(MAX_FRONT_MATTER));
    assert!(matches!(FrontMatter::parse("content/a.md", &text), Err(Error::TooLarge { .. })));
    let body = format!("---\ntitle: x\n---\n{}", "---\n".repeat(100_000));
    assert_eq!(values(&body), json!({"title": "x"}));
    let change = json!({ "text": "x".repeat(MAX_FRONT_MATTER) });
    assert!(matches!(patch("content/a.md", "---\na: 1\n---\n", &object(&change)), Err(Error::TooLarge { .. })));
}

#[test]
fn a_patch_touches_only_its_lines() {
    for (text, change, expected) in [
        // Scalars: spacing, trailing comment and quote style stay.
        ("title: Old", json!({"title": "New"}), "title: New"),
        ("title:   Old   # why", json!({"title": "New"}), "title:   New   # why"),
        ("title: \"Old\" # why", json!({"title": "New"}), "title: \"New\" # why"),
        ("title: 'It''s'", json!({"title": "It's on"}), "title: 'It''s on'"),
        ("title: 'Old'", json!({"title": 3}), "title: 3"),
        ("draft: true # until May", json!({"draft": false}), "draft: false # until May"),
        ("\"my key\": a\n'k': b", json!({"my key": "c", "k": "d"}), "\"my key\": c\n'k': d"),
        ("a : 1", json!({"a": 2}), "a : 2"),
        ("url: http://a.b/#c # d", json!({"url": "http://a.b/#e"}), "url: http://a.b/#e # d"),
        ("title:", json!({"title": "x"}), "title: x"),
        ("title: # none yet", json!({"title": "x"}), "title: x # none yet"),
        // Quotes exactly where YAML needs them.
        ("t: a", json!({"t": "a: b"}), "t: \"a: b\""),
        ("t: a", json!({"t": "true"}), "t: \"true\""),
        ("t: a", json!({"t": "yes"}), "t: \"yes\""),
        ("t: a", json!({"t": "012"}), "t: \"012\""),
        ("t: a", json!({"t": "12:30"}), "t: \"12:30\""),
        ("t: a", json!({"t": "1e3"}), "t: \"1e3\""),
        ("t: a", json!({"t": ""}), "t: \"\""),
        ("t: a", json!({"t": " b "}), "t: \" b \""),
        ("t: a", json!({"t": "# no"}), "t: \"# no\""),
        ("t: a", json!({"t": "a #b"}), "t: \"a #b\""),
        ("t: a", json!({"t": "*b*"}), "t: \"*b*\""),
        ("t: a", json!({"t": "\"q\" x"}), "t: '\"q\" x'"),
        ("t: a", json!({"t": "it's \"q\": x"}), "t: 'it''s \"q\": x'"),
        ("t: a", json!({"t": "C:\\x y"}), "t: C:\\x y"),
        ("t: a", json!({"t": "tab\there"}), "t: \"tab\\there\""),
        ("t: a", json!({"t": "2026-11-23"}), "t: 2026-11-23"),
        ("t: a", json!({"t": "Größe 🎉"}), "t: Größe 🎉"),
        ("t: a", json!({"t": "- x"}), "t: \"- x\""),
        ("t: a", json!({"t": "-x"}), "t: -x"),
        ("t: a", json!({"t": null}), ""),
        // Nothing but the key.
        (
            "# top\ntitle: x # a\n\n# about b\nb: 1\n# end",
            json!({"b": 2}),
            "# top\ntitle: x # a\n\n# about b\nb: 2\n# end",
        ),
        ("a: 1\nb: 2\nc: 3", json!({"b": null}), "a: 1\nc: 3"),
        ("a: 1\n# end", json!({"z": 2}), "a: 1\n# end\nz: 2"),
        ("a: 1\n\n", json!({"a": 1, "b": null}), "a: 1\n\n"),
        ("  a: 1\n  b: 2", json!({"a": 3, "c": 4}), "  a: 3\n  b: 2\n  c: 4"),
        // Lists.
        ("tags: [a, b] # t", json!({"tags": ["c"]}), "tags: [c] # t"),
        ("tags:\n  - a\n  # old\n  - b\nz: 1", json!({"tags": ["a", "c"]}), "tags:\n  - a\n  - c\nz: 1"),
        // Single items of a list: the lines of the others stay.
        (
            "tags:\n  - a # 1st\n  # of b\n  - \"b\"\nz: 1",
            json!({"tags": ["a", "b", "c"]}),
            "tags:\n  - a # 1st\n  # of b\n  - \"b\"\n  - c\nz: 1",
        ),
        ("t:\n  - a # 1st\n  - b\n  # of c\n  - c", json!({"t": ["a", "c"]}), "t:\n  - a # 1st\n  # of c\n  - c"),
        ("t:\n- 'a'\n- b\n- 'c'", json!({"t": ["c", "d"]}), "t:\n- 'c'\n- d"),
        (
            "m:\n- { n: x }\n- {n: y}\nz: 1",
            json!({"m": [{"n": "x"}, {"n": "z"}, {"n": "y"}]}),
            "m:\n- { n: x }\n- { n: z }\n- {n: y}\nz: 1",
        ),
        ("m:\n  - n: x # c\n    u: |\n      - no item\n  - n: y", json!({"m": [{"n": "y"}]}), "m:\n  - n: y"),
        (
            "m:\n  - n: x\n\n  - - 1\n    - 2\n  - y",
            json!({"m": [{"n": "x"}, [1, 2]]}),
            "m:\n  - n: x\n\n  - - 1\n    - 2",
        ),
        ("tags:\n- a\nz: 1", json!({"tags": ["b", "c: d"]}), "tags:\n- b\n- \"c: d\"\nz: 1"),
        ("tags: # t\n- a\nz: 1", json!({"tags": null}), "z: 1"),
        ("tags:\n    - a", json!({"tags": []}), "tags: []"),
        ("tags: []", json!({"tags": ["a", "b, c", 3, true, "no"]}), "tags: [a, \"b, c\", 3, true, \"no\"]"),
        ("a: 1", json!({"tags": ["x", "y"]}), "a: 1\ntags: [x, y]"),
        ("tags: [a,\n  b] # t\nz: 1", json!({"tags": ["c"]}), "tags: [c] # t\nz: 1"),
        ("a: 1", json!({"l": [{"n": "x", "u": "/"}, {"n": "y"}]}), "a: 1\nl:\n  - n: x\n    u: /\n  - n: y"),
        ("aliases:\n  - /old/\n  - \"/older/\"\nz: 1", json!({"z": 2}), "aliases:\n  - /old/\n  - \"/older/\"\nz: 2"),
        // Mappings: only the inner key's line.
        ("p:\n    a: 1 # one\n    b: 2\nz: 1", json!({"p": {"a": 3}}), "p:\n    a: 3 # one\n    b: 2\nz: 1"),
        ("p:\n    a: 1\n\n# z\nz: 1", json!({"p": {"c": {"d": 1}}}), "p:\n    a: 1\n    c:\n        d: 1\n\n# z\nz: 1"),
        ("p:\n  a: 1\n  b: 2", json!({"p": {"a": null}}), "p:\n  b: 2"),
        ("p:\n  a: 1\nz: 1", json!({"p": {"a": null}}), "p: {}\nz: 1"),
        ("p: {a: 1, b: x}", json!({"p": {"a": 2, "c": "d e"}}), "p: {a: 2, b: x, c: d e}"),
        ("p: {}", json!({"p": {"a": 1}}), "p: {a: 1}"),
        ("p: 1", json!({"p": {"a": {"b": null, "c": 1}}}), "p:\n  a:\n    c: 1"),
        ("p:\n  a: 1\nz: 1", json!({"p": "flat"}), "p: flat\nz: 1"),
        // Text over several lines.
        ("d: |\n  one\n  two\nz: 1", json!({"d": "three\n"}), "d: |\n  three\nz: 1"),
        ("d: >-\n  one\n\n  # two\n\nz: 1", json!({"d": "short"}), "d: short\n\nz: 1"),
        ("d: one\n  two\nz: 1", json!({"d": "short"}), "d: short\nz: 1"),
        ("d: \"one\n  two\" # c\nz: 1", json!({"d": "short"}), "d: \"short\" # c\nz: 1"),
        ("a: 1", json!({"d": "one\n\ntwo"}), "a: 1\nd: |-\n  one\n\n  two"),
        ("d: x # c\nz: 1", json!({"d": "one\ntwo\n"}), "d: | # c\n  one\n  two\nz: 1"),
        ("a: 1", json!({"d": " lead\nx"}), "a: 1\nd: \" lead\\nx\""),
        (
            "d: |\n  # no comment\n  key: no key\n  - no item\nz: 1",
            json!({"z": 2}),
            "d: |\n  # no comment\n  key: no key\n  - no item\nz: 2",
        ),
        ("d: \"a\n\nb: c\"\nz: 1", json!({"z": 2}), "d: \"a\n\nb: c\"\nz: 2"),
        ("d: [a,\n\"b: c\", 'd]',\n]\nz: 1", json!({"z": 2}), "d: [a,\n\"b: c\", 'd]',\n]\nz: 2"),
        ("d:\n  long plain\n  text\nz: 1", json!({"d": "x"}), "d: x\nz: 1"),
        // Hugo, Zola and Jekyll as found in the wild.
        (
            "title: \"My post\"\ndate: 2017-06-04T13:37:00+02:00\nlastmod: 2018-01-01\ndraft: false\ncategories:\n- dev\n- go\nmenu:\n  main:\n    weight: 10\n",
            json!({"lastmod": "2026-11-23", "menu": {"main": {"weight": 5}}}),
            "title: \"My post\"\ndate: 2017-06-04T13:37:00+02:00\nlastmod: 2026-11-23\ndraft: false\ncategories:\n- dev\n- go\nmenu:\n  main:\n    weight: 5\n",
        ),
        (
            "layout: post\ntitle:  \"Welcome to Jekyll!\"\ndate:   2015-11-17 16:16:01 -0600\ncategories: jekyll update\npermalink: /:categories/:title\n",
            json!({"title": "Hi", "excerpt": "One.\nTwo."}),
            "layout: post\ntitle:  \"Hi\"\ndate:   2015-11-17 16:16:01 -0600\ncategories: jekyll update\npermalink: /:categories/:title\nexcerpt: |-\n  One.\n  Two.\n",
        ),
        (
            "title: x\ntaxonomies:\n  tags: [rust, web]\nextra:\n  hero: { src: a.png, alt: \"A, B\" }\n",
            json!({"taxonomies": {"tags": ["rust"]}, "extra": {"hero": {"alt": "C"}}}),
            "title: x\ntaxonomies:\n  tags: [rust]\nextra:\n  hero: {src: a.png, alt: C}\n",
        ),
        (
            "resources:\n- src: a.jpg\n  title: |\n    Big: text\n  params: {x: 1}\n- src: b.jpg\ncascade:\n  - _target: {path: '**'}\n    draft: true\nend: 1\n",
            json!({"end": 2}),
            "resources:\n- src: a.jpg\n  title: |\n    Big: text\n  params: {x: 1}\n- src: b.jpg\ncascade:\n  - _target: {path: '**'}\n    draft: true\nend: 2\n",
        ),
    ] {
        for crlf in [false, true] {
            let line_end = |text: &str| if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
            let block = |text: &str| {
                if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
            };
            let body = "# Body\n\n---\ntitle: no\n";
            let page = line_end(&format!("---\n{}---\n{body}", block(text)));
            let wanted = line_end(&format!("---\n{}---\n{body}", block(expected)));
            assert_eq!(patched(&page, &change), wanted, "{text:?} with {change}");
        }
    }
}

#[test]
fn a_text_that_ends_with_blank_lines_takes_in_none_that_follow() {
    let block = "alpha: a\r\n\r\ngamma: g   # [";
    for change in [json!({"alpha": "x\n\n"}), json!({"alpha": {"on": {"in": "-:\n\n"}}}), json!({"alpha": ["x\n\n\n"]})]
    {
        let edited = patch_yaml("site.yaml", block, &object(&change)).unwrap();
        let after = read_yaml("site.yaml", &edited).unwrap();
        assert_eq!((&after["alpha"], &after["gamma"]), (&change["alpha"], &json!("g")), "{edited}");
        assert!(edited.ends_with("\r\n\r\ngamma: g   # ["), "{edited}");
    }
}

#[test]
fn toml_and_json_are_edited_in_place() {
    for (text, change, expected) in [
        (
            "+++\ntitle = \"a\"  # t\ndraft = true\n+++\nb",
            json!({"title": "b"}),
            "+++\ntitle = \"b\"  # t\ndraft = true\n+++\nb",
        ),
        ("+++\ntitle = 'a'\n+++\n", json!({"title": "b \"c\""}), "+++\ntitle = 'b \"c\"'\n+++\n"),
        ("+++\na = 1\n# c\nb = 2\n+++\n", json!({"a": null}), "+++\n# c\nb = 2\n+++\n"),
        ("+++\ndate = 2026-01-01\n+++\n", json!({"date": "2026-11-23"}), "+++\ndate = 2026-11-23\n+++\n"),
        (
            "+++\na = 1\n+++\n",
            json!({"date": "2026-11-23", "t": "2026-11-23"}),
            "+++\na = 1\ndate = 2026-11-23\nt = \"2026-11-23\"\n+++\n",
        ),
        (
            "+++\na = 1\n\n[extra]\nx = 1 # x\n+++\n",
            json!({"b": [1, "c"]}),
            "+++\na = 1\nb = [1, \"c\"]\n\n[extra]\nx = 1 # x\n+++\n",
        ),
        (
            "+++\na = 1\n\n[extra]\nx = 1 # x\n\n[more]\nz = 1\n+++\n",
            json!({"extra": {"x": 2, "y": true}}),
            "+++\na = 1\n\n[extra]\nx = 2 # x\ny = true\n\n[more]\nz = 1\n+++\n",
        ),
        (
            "+++\na = 1\n\n[extra]\nx = 1\n[more]\nz = 1\n+++\n",
            json!({"extra": null}),
            "+++\na = 1\n\n[more]\nz = 1\n+++\n",
        ),
        ("+++\na = 1\n+++\n", json!({"extra": {"x": {"y": 1}}}), "+++\na = 1\n\n[extra]\nx = { y = 1 }\n+++\n"),
        ("+++\np = { a = 1, b = 2 } # p\n+++\n", json!({"p": {"a": 3}}), "+++\np = { a = 3, b = 2 } # p\n+++\n"),
        ("+++\np.a = 1\np.b = 2\n+++\n", json!({"p": {"b": 3, "c": 4}}), "+++\np.a = 1\np.b = 3\np.c = 4\n+++\n"),
        ("+++\ntags = [\n  \"a\", # one\n]\nz = 1\n+++\n", json!({"tags": ["b"]}), "+++\ntags = [\"b\"]\nz = 1\n+++\n"),
        (
            "+++\nd = \"\"\"\n[no]\n\"\"\"\n[t]\nz = 1\n+++\n",
            json!({"t": {"z": 2}, "d": "x\ny"}),
            "+++\nd = \"\"\"\nx\ny\"\"\"\n[t]\nz = 2\n+++\n",
        ),
        (
            "+++\n[taxonomies]\ntags = [\"a\"]\n+++\n",
            json!({"title": "x"}),
            "+++\ntitle = \"x\"\n[taxonomies]\ntags = [\"a\"]\n+++\n",
        ),
        ("+++\n[[i]]\nn = 1\n[[i]]\nn = 2\n[z]\n+++\n", json!({"i": ["x"]}), "+++\ni = [\"x\"]\n[z]\n+++\n"),
        ("+++\n[a.b]\nc = 1\n+++\n", json!({"a": {"d": 2}}), "+++\na.d = 2\n[a.b]\nc = 1\n+++\n"),
        ("{\n  \"a\": 1,\n  \"b\": [1,2]\n}\nx", json!({"a": "z"}), "{\n  \"a\": \"z\",\n  \"b\": [1,2]\n}\nx"),
        ("{\n  \"a\": 1,\n  \"b\": 2\n}\n", json!({"b": null}), "{\n  \"a\": 1\n}\n"),
        (
            "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
            json!({"a": null, "c": {"d": [1]}}),
            "{\n  \"b\": 2,\n  \"c\": {\n    \"d\": [\n      1\n    ]\n  }\n}\n",
        ),
        ("{\"a\":1}\nx", json!({"b": "c"}), "{\"a\":1, \"b\": \"c\"}\nx"),
        (
            "{\n\t\"p\": {\n\t\t\"a\": 1\n\t}\n}\n",
            json!({"p": {"b": 2}}),
            "{\n\t\"p\": {\n\t\t\"a\": 1,\n\t\t\"b\": 2\n\t}\n}\n",
        ),
        ("{}\nx", json!({"a": 1}), "{\n  \"a\": 1\n}\nx"),
        ("---\n{\"a\": 1}\n---\nx", json!({"a": null}), "---\n{}\n---\nx"),
    ] {
        for crlf in [false, true] {
            let line_end = |text: &str| if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
            assert_eq!(patched(&line_end(text), &change), line_end(expected), "{text:?} with {change}");
        }
    }
    let nothing = patch("content/a.md", "+++\na = 1\n+++\n", &object(&json!({"a": [null]})));
    assert!(matches!(nothing, Err(Error::InvalidFrontMatter { .. })), "{nothing:?}");
}

#[test]
fn a_page_without_front_matter_gets_a_block() {
    assert_eq!(patched("Hello\n", &json!({"title": "x", "tags": ["a"]})), "---\ntitle: x\ntags: [a]\n---\nHello\n");
    assert_eq!(patched("\u{feff}Hi\r\n", &json!({"title": "x"})), "\u{feff}---\r\ntitle: x\r\n---\r\nHi\r\n");
    assert_eq!(patched("", &json!({"title": "x"})), "---\ntitle: x\n---\n");
    assert_eq!(patched("Hello\n", &json!({"title": null})), "Hello\n");
}

#[test]
fn shared_values_are_refused_with_a_fix() {
    for (block, change) in [
        ("a: &x 1\nb: *x\n", json!({"a": 2})),
        ("a: &x {k: 1}\nb:\n  <<: *x\n  l: 1\n", json!({"b": {"k": null}})),
        ("a: &x\n  k: 1\nb: *x\n", json!({"a": {"k": 2}})),
    ] {
        match patch("content/a.md", &format!("---\n{block}---\n"), &object(&change)) {
            Err(Error::InvalidFrontMatter { problem, fix, .. }) => {
                assert!(problem.contains("anchor"), "{problem}");
                assert!(fix.contains("alias"), "{fix}");
            }
            other => panic!("{block:?} gave {other:?}"),
        }
    }
    assert_eq!(patched("---\na: &x 1\nb: *x\n---\n", &json!({"b": 2})), "---\na: &x 1\nb: 2\n---\n");
    assert_eq!(patched("---\na: &x 1\nb: 3\n---\n", &json!({"a": 2})), "---\na: 2\nb: 3\n---\n");
}

#[test]
fn a_patch_cannot_pass_the_nesting_limit() {
    let deep = (0..40).fold(json!(1), |inner, _| json!({ "k": inner }));
    for text in ["---\na: 1\n---\n", "+++\na = 1\n+++\n", "{\"a\": 1}\n", "body\n"] {
        match patch("content/a.md", text, &object(&json!({ "a": deep }))) {
            Err(Error::InvalidFrontMatter { problem, .. }) => assert!(problem.contains("levels deep"), "{problem}"),
            other => panic!("{text:?} gave {other:?}"),
        }
    }
}

#[test]
fn a_merge_key_cannot_be_set() {
    let change = object(&json!({"a": [{"<<": 1}]}));
    for text in ["---\na: 1\n---\n", "body\n"] {
        let refused = patch("content/a.md", text, &change);
        assert!(matches!(refused, Err(Error::InvalidFrontMatter { .. })), "{refused:?}");
    }
    assert!(matches!(patch_yaml("site.yaml", "a: 1\n", &change), Err(Error::InvalidConfig { .. })));
}

#[test]
fn what_cannot_be_edited_by_key_is_refused_with_a_fix() {
    for block in ["{title: x, b: 1}\n", "? title\n: x\n"] {
        match patch("content/a.md", &format!("---\n{block}---\n"), &object(&json!({"title": "y"}))) {
            Err(Error::InvalidFrontMatter { problem, line, .. }) => {
                assert!(problem.contains("key by key"), "{problem}");
                assert_eq!(line, 2);
            }
            other => panic!("{block:?} gave {other:?}"),
        }
    }
}

#[test]
fn site_yaml_is_edited_in_place() {
    let text = "# My site\ntitle: Old # name\n\nmenus:\n  main:\n    - {name: A, url: /a/}\n\npublish:\n  branch: main";
    let change = json!({"title": "New", "publish": {"remote": "origin"}, "paginate": 5});
    let expected = "# My site\ntitle: New # name\n\nmenus:\n  main:\n    - {name: A, url: /a/}\n\npublish:\n  branch: main\n  remote: origin\npaginate: 5";
    assert_eq!(patch_yaml("site.yaml", text, &object(&change)).unwrap(), expected);
    assert_eq!(patch_yaml("site.yaml", "", &object(&json!({"a": 1}))).unwrap(), "a: 1\n");
    assert_eq!(
        patch_yaml("site.yaml", "\u{feff}---\na: 1\n...\n", &object(&json!({"b": 2}))).unwrap(),
        "\u{feff}---\na: 1\nb: 2\n...\n"
    );
    assert!(matches!(patch_yaml("site.yaml", "a: 'b\n", &Map::new()), Err(Error::InvalidConfig { .. })));
}

#[test]
fn a_body_is_replaced_and_the_front_matter_kept() {
    let replaced = |text: &str, body: &str| replace_body("content/a.md", text, body);
    assert_eq!(replaced("---\na:   1 # x\n---\nold\n", "new\n").unwrap(), "---\na:   1 # x\n---\nnew\n");
    assert_eq!(replaced("---\r\na: 1\r\n---\r\nold\r\n", "x\ny\r\n").unwrap(), "---\r\na: 1\r\n---\r\nx\r\ny\r\n");
    assert_eq!(replaced("---\na: 1\n---", "new").unwrap(), "---\na: 1\n---\nnew");
    assert_eq!(replaced("\u{feff}old", "new").unwrap(), "\u{feff}new");
    assert_eq!(replaced("---\na: 1\n---\nold", "").unwrap(), "---\na: 1\n---\n");
    assert_eq!(replaced("---\na: 1\n---\nold", "---\nrule\n---\n").unwrap(), "---\na: 1\n---\n---\nrule\n---\n");
    assert!(matches!(replaced("old", "---\ntitle: x\n---\nnew"), Err(Error::InvalidFrontMatter { .. })));
}

#[test]
fn yaml_files_of_any_shape_are_read() {
    assert_eq!(read_yaml("data/a.yaml", "- a\n- {b: 1}\n").unwrap(), json!(["a", {"b": 1}]));
    match read_yaml("data/a.yaml", "a: 1\nb: [\n").unwrap_err() {
        Error::InvalidConfig { path, line, .. } => assert_eq!((path.as_str(), line), ("data/a.yaml", 3)),
        other => panic!("{other:?}"),
    }
}

/// A generated block: lines of YAML with the key that each belongs to.
#[derive(Debug, Clone)]
struct Block {
    lines: Vec<(Option<String>, String)>,
    crlf: bool,
    final_newline: bool,
}

impl Block {
    fn text(&self) -> String {
        let line_end = if self.crlf { "\r\n" } else { "\n" };
        let text: String = self.lines.iter().map(|(_, line)| format!("{line}{line_end}")).collect();
        if self.final_newline { text } else { text.trim_end_matches(['\r', '\n']).to_owned() }
    }
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        Just("true".to_owned()),
        Just("12".to_owned()),
        Just("2026-11-23".to_owned()),
        Just("\"quoted: # text\"".to_owned()),
        Just("'it''s'".to_owned()),
        Just("\"a \\\" b\"".to_owned()),
        Just("[a, 'b]', \"c, d\"]".to_owned()),
        Just("{x: 1, y: [2]}".to_owned()),
        Just("http://a.b/c#d".to_owned()),
        Just("don't".to_owned()),
        Just(String::new()),
    ]
}

fn comment() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => Just(" # note: 'x".to_owned()), 1 => Just("   # [".to_owned())]
}

fn entry_lines(key: String) -> impl Strategy<Value = Vec<String>> {
    let name = prop_oneof![4 => Just(key.clone()), 1 => Just(format!("\"{key}\"")), 1 => Just(format!("'{key}'"))];
    (name, 0..8_u8, scalar(), scalar(), comment(), 1..5_usize).prop_map(|(name, kind, a, b, note, indent)| {
        let blanks = " ".repeat(indent);
        let quoted = |text: &str| if text.is_empty() { "x".to_owned() } else { text.to_owned() };
        match kind {
            0..=2 => vec![format!("{name}: {a}{note}")],
            3 => vec![
                format!("{name}:{note}"),
                format!("{blanks}in: {a}"),
                format!("{blanks}# within"),
                format!("{blanks}on: {b}{note}"),
            ],
            4 => vec![
                format!("{name}:{note}"),
                format!("{blanks}- {}", quoted(&a)),
                String::new(),
                format!("{blanks}- {}", quoted(&b)),
            ],
            5 => vec![format!("{name}:"), format!("- {}{note}", quoted(&a)), "- k: v".into(), format!("  l: {b}")],
            6 => vec![
                format!("{name}: |{note}"),
                format!("{blanks}text: {a}"),
                String::new(),
                format!("{blanks}# more \""),
            ],
            _ => vec![format!("{name}: [one,"), format!("{blanks}'two]', # c"), "three]".into()],
        }
    })
}

fn block() -> impl Strategy<Value = Block> {
    let keys = prop::sample::subsequence(vec!["alpha", "beta", "gamma", "delta", "epsilon"], 0..5);
    let entries = keys.prop_shuffle().prop_flat_map(|keys| {
        keys.into_iter()
            .map(|key| {
                let filler = prop_oneof![3 => Just(None), 1 => Just(Some(String::new())), 1 => Just(Some("# comment: \"x".to_owned()))];
                (Just(key.to_owned()), entry_lines(key.to_owned()), filler)
            })
            .collect::<Vec<_>>()
    });
    (entries, any::<bool>(), any::<bool>()).prop_map(|(entries, crlf, final_newline)| {
        let mut lines = Vec::new();
        for (key, own, filler) in entries {
            lines.extend(filler.map(|line| (None, line)));
            lines.extend(own.into_iter().map(|line| (Some(key.clone()), line)));
        }
        Block { lines, crlf, final_newline }
    })
}

fn new_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e6..1e6_f64).prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        "[a-z\n :#-]{0,12}".prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(
                (prop_oneof![Just("in".to_owned()), Just("on".to_owned()), "[ -~]{0,5}"], inner),
                0..3
            )
            .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn change() -> impl Strategy<Value = Map<String, Value>> {
    let key = prop::sample::select(vec!["alpha", "beta", "gamma", "new key", "zeta"]);
    prop::collection::vec((key.prop_map(str::to_owned), new_value()), 1..4)
        .prop_map(|members| members.into_iter().collect())
}

fn merge(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return patch.clone() };
    let mut merged = target.as_object().cloned().unwrap_or_default();
    for (key, change) in patch {
        if change.is_null() {
            merged.remove(key);
        } else {
            let old = merged.get(key).cloned().unwrap_or_default();
            merged.insert(key.clone(), merge(&old, change));
        }
    }
    Value::Object(merged)
}

/// A patch that leads from one object back to another, where neither holds a null.
fn reverse(from: &Map<String, Value>, to: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, wanted) in to {
        match (from.get(key), wanted) {
            (Some(Value::Object(from)), Value::Object(to)) => {
                patch.insert(key.clone(), Value::Object(reverse(from, to)));
            }
            _ => {
                patch.insert(key.clone(), wanted.clone());
            }
        }
    }
    patch
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().any(holds_null),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_patch_says_what_was_asked_and_leaves_other_lines_alone(block in block(), change in change()) {
        let text = block.text();
        let before = read_yaml("site.yaml", &text).unwrap();
        let before = if before.is_null() { Value::Object(Map::new()) } else { before };
        let edited = match patch_yaml("site.yaml", &text, &change) {
            Ok(edited) => edited,
            Err(Error::InvalidConfig { problem, .. }) if problem.contains("merge key") => return Ok(()),
            Err(error) => panic!("{text}\n{change:?}\n{error:?}"),
        };
        let after = read_yaml("site.yaml", &edited).unwrap();
        let after = if after.is_null() { Value::Object(Map::new()) } else { after };
        let wanted = merge(&before, &Value::Object(change.clone()));
        // A block scalar that ends the file without a line end may get one.
        let closed = read_yaml("site.yaml", &format!("{text}\n")).unwrap();
        if after != merge(&closed, &Value::Object(change.clone())) {
            prop_assert_eq!(&after, &wanted);
        }

        // Lines of other keys, comments and blank lines: all there, in order, with their line ends.
        let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut rest = edited.as_str();
        for (_, line) in block.lines.iter().filter(|(key, line)| !key.as_ref().is_some_and(|key| change.contains_key(key)) && !line.is_empty()) {
            let at = rest.find(line.as_str());
            prop_assert!(at.is_some(), "{line:?} is gone from\n{edited}");
            rest = &rest[at.unwrap() + line.len()..];
            prop_assert!(rest.is_empty() || rest.starts_with(line_end), "{line:?} changed in\n{edited}");
        }
        let line_ends = edited.matches('\n').count();
        prop_assert_eq!(edited.matches("\r\n").count(), if line_end == "\r\n" { line_ends } else { 0 });
        if let Some(bare) = edited.strip_suffix(line_end).filter(|_| !text.is_empty() && !text.ends_with('\n')) {
            let bare = read_yaml("site.yaml", bare).unwrap();
            prop_assert!(bare != after, "a final line end was added for nothing: {edited:?}");
        }
        prop_assert_eq!(&patch_yaml("site.yaml", &edited, &change).unwrap(), &edited);

        if !holds_null(&before) && !holds_null(&after) {
            let back = reverse(after.as_object().unwrap(), before.as_object().unwrap());
            let restored = patch_yaml("site.yaml", &edited, &back).unwrap();
            let restored = read_yaml("site.yaml", &restored).unwrap();
            prop_assert_eq!(if restored.is_null() { Value::Object(Map::new()) } else { restored }, before);
        }
    }

    #[test]
    fn pages_of_every_format_take_a_patch(change in change(), format in 0..4_u8, crlf: bool) {
        let page = match format {
            0 => "---\nalpha: 1 # a\nbeta:\n  in: x\n  on: [1]\n---\nBody\n",
            1 => "+++\nalpha = 1 # a\n\n[beta]\nin = \"x\"\non = [1]\n+++\nBody\n",
            2 => "{\n  \"alpha\": 1,\n  \"beta\": {\"in\": \"x\", \"on\": [1]}\n}\nBody\n",
            _ => "Body\n",
        };
        let page = if crlf { page.replace('\n', "\r\n") } else { page.to_owned() };
        match patch("content/a.md", &page, &change) {
            Ok(edited) => {
                let wanted = merge(&values(&page), &Value::Object(change.clone()));
                prop_assert_eq!(values(&edited), wanted);
                let body = |text: &str| text[parse(text).body_offset..].to_owned();
                prop_assert_eq!(body(&edited), body(&page));
            }
            // TOML has no null, everything else must go through.
            Err(Error::InvalidFrontMatter { problem, .. }) if problem.contains("merge key") => {}
            Err(Error::InvalidFrontMatter { problem, .. }) if format == 1 => prop_assert!(problem.contains("no null"), "{problem}"),
            Err(error) => panic!("{page}\n{change:?}\n{error:?}"),
        }
    }

    #[test]
    fn no_text_makes_it_panic_or_lie(text in "[-+{}\\[\\]a-c:#'\"|>&*!?%@ \t\r\n\u{feff}]{0,60}", change in change()) {
        for page in [text.clone(), format!("---\n{text}\n---\nbody"), format!("+++\n{text}\n+++\nbody"), format!("{{\"a\": {text}}}\n")] {
            let Ok(read) = FrontMatter::parse("content/a.md", &page) else { continue };
            prop_assert!(page.is_char_boundary(read.body_offset));
            if let Ok(edited) = patch("content/a.md", &page, &change) {
                prop_assert_eq!(values(&edited), merge(&Value::Object(read.values), &Value::Object(change.clone())));
            }
        }
    }
}
