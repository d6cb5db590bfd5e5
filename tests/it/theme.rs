//! Themes: templates within bounds, helpers, the shipped theme.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sitewright::build::template::{ListQuery, Lists, Render, TemplateError, Templates};
use sitewright::model::{BlobId, ContentPath, Data, Diagnostic, File, Snapshot};

/// A snapshot of these files.
fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let file = |text: &str| File {
        id: BlobId([0; 20]),
        size: text.len() as u64,
        data: Data::Loaded(Arc::from(text.as_bytes())),
    };
    let map: BTreeMap<ContentPath, File> =
        files.iter().map(|(path, text)| (ContentPath::from_disk(path).unwrap(), file(text))).collect();
    Snapshot::new(map)
}

/// A site of three pages at `/base/`.
struct Site;

impl Lists for Site {
    fn pages(&self, query: &ListQuery) -> Vec<Arc<Value>> {
        let all = ["a", "b", "c"]
            .map(|name| Arc::new(json!({"title": name.to_uppercase(), "url": format!("/base/{name}/")})));
        all.into_iter().skip(query.offset).take(query.limit.unwrap_or(usize::MAX)).collect()
    }
    fn page(&self, path_or_url: &str) -> Option<Arc<Value>> {
        (path_or_url == "a.md").then(|| Arc::new(json!({"title": "A", "url": "/base/a/"})))
    }
    fn data(&self, name: &str) -> Option<Arc<Value>> {
        (name == "people").then(|| Arc::new(json!({"ann": {"age": 7}, "bob": {"age": 8}})))
    }
    fn url(&self, raw: &str) -> String {
        raw.strip_prefix('/').map_or_else(|| raw.to_owned(), |rest| format!("/base/{rest}"))
    }
    fn absolute(&self, raw: &str) -> String {
        format!("https://x.org{}", self.url(raw))
    }
    fn markdown(&self, text: &str) -> String {
        format!("<p>{}</p>\n", text.replace('*', ""))
    }
}

fn compile(files: &[(&str, &str)]) -> (Templates, Vec<Diagnostic>) {
    Templates::compile(&snapshot(files), "t", &Map::new())
}

fn try_render(files: &[(&str, &str)], context: &Value) -> Result<String, TemplateError> {
    let (templates, _) = compile(files);
    templates.render("page", &Render { context, content: "<p>body</p>", head: "<title>x</title>", lists: &Site })
}

fn render(template: &str, context: &Value) -> String {
    try_render(&[("themes/t/layouts/page.hbs", template)], context).unwrap()
}

/// Runs in a thread with the stack of a tokio worker.
fn small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap().join().unwrap()
}

#[test]
fn a_layout_writes_values_content_and_head() {
    let html =
        render("{{{head}}}<h1>{{page.title}}</h1>{{{content}}}{{content}}", &json!({"page": {"title": "a & <b>"}}));
    assert_eq!(html, "<title>x</title><h1>a &amp; &lt;b&gt;</h1><p>body</p><p>body</p>");
}

#[test]
fn recursion_of_every_kind_ends_with_an_error_on_a_small_stack() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("self", &[("a", "{{> a}}")]),
        ("self in if", &[("a", "{{#if true}}{{> a}}{{/if}}")]),
        ("mutual", &[("a", "{{> b}}"), ("b", "x{{> a}}")]),
        ("dynamic", &[("a", "{{> (concat \"b\")}}"), ("b", "{{> (lookup this \"name\")}}")]),
        ("block calls its caller", &[("a", "{{#> b}}{{> a}}{{/b}}"), ("b", "{{> @partial-block}}")]),
        ("block of itself", &[("a", "{{#> a}}x{{/a}}")]),
        ("deep in each", &[("a", "{{#each list}}{{#with ../this}}{{#if true}}{{> a}}{{/if}}{{/with}}{{/each}}")]),
    ];
    for (name, partials) in cases {
        let mut files = vec![("themes/t/layouts/page.hbs".to_owned(), "{{> a}}".to_owned())];
        files.extend(partials.iter().map(|(name, text)| (format!("themes/t/partials/{name}.hbs"), (*text).to_owned())));
        let name = (*name).to_owned();
        small_stack(move || {
            let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
            let error = try_render(&files, &json!({"name": "a", "list": [1]})).expect_err(&name);
            assert!(error.message.contains("nest deeper than"), "{name}: {error:?}");
            assert!(error.path.as_str().starts_with("themes/t/partials/"), "{name}: {error:?}");
            assert_eq!(error.line, 1, "{name}: {error:?}");
        });
    }
}

/// The shipped theme with the starter's files.
fn shipped() -> (Templates, Vec<Diagnostic>) {
    let files = sitewright::site::starter::files("A \"quoted\": title");
    let files = files.into_iter().map(|(path, bytes)| {
        let file = File { id: BlobId([0; 20]), size: bytes.len() as u64, data: Data::Loaded(bytes.into()) };
        (path, file)
    });
    Templates::compile(&Snapshot::new(files.collect()), "default", &Map::new())
}

#[test]
fn every_file_of_the_shipped_theme_is_embedded() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut on_disk: Vec<String> = walkdir::WalkDir::new(root.join("themes/default"))
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned())
        .collect();
    on_disk.sort();
    let embedded: Vec<String> = sitewright::site::starter::theme().iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(on_disk, embedded);
}

#[test]
fn the_shipped_theme_compiles_and_is_small() {
    let (templates, diagnostics) = shipped();
    assert_eq!(diagnostics, []);
    assert_eq!(templates.assets().iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), ["style.css"]);
    let css = include_str!("../../themes/default/assets/style.css");
    assert!(css.len() < 12_000, "{}", css.len());
    assert_eq!(templates.settings()["accent"], "blue");
}

#[test]
fn loops_and_growth_end_with_an_error() {
    let list: Vec<usize> = (0..200).collect();
    let nested =
        |n: usize, inner: &str| format!("{}{inner}{}", "{{#each @root.list}}".repeat(n), "{{/each}}".repeat(n));
    let twice = "{{> @partial-block}}{{> @partial-block}}";
    let doubled = format!("{}0123456789{}", "{{#> twice}}".repeat(30), "{{/twice}}".repeat(30));
    let fan: Vec<(String, String)> = (0..60)
        .map(|i| (format!("themes/t/partials/f{i}.hbs"), format!("{{{{> f{}}}}}{{{{> f{}}}}}", i + 1, i + 1)))
        .chain([("themes/t/partials/f60.hbs".to_owned(), String::new())])
        .collect();
    let layouts = [
        ("empty loops", nested(4, ""), "steps"),
        ("loops over a range", "{{#each (range 9999)}}{{#each (range 9999)}}{{/each}}{{/each}}".to_owned(), "steps"),
        (
            "loops with list work",
            "{{#each (range 9999)}}{{#each (sort_by (range 9999))}}{{/each}}{{/each}}".to_owned(),
            "steps",
        ),
        ("partial blocks printed twice", doubled, "grows beyond"),
        ("partials without output", "{{> f0}}".to_owned(), "steps"),
        ("text", nested(3, &"x".repeat(100)), "grows beyond"),
        (
            "growing text",
            format!(
                "{{{{#with \"{}\"}}}}{}{{{{/with}}}}",
                "a".repeat(3000),
                "{{replace (replace this \"a\" this) \"a\" this}}"
            ),
            "bytes",
        ),
        ("markdown in a loop", nested(3, "{{markdown \"x\"}}"), "steps"),
    ];
    for (name, layout, expected) in layouts {
        let mut files = vec![("themes/t/layouts/page.hbs", layout.as_str()), ("themes/t/partials/twice.hbs", twice)];
        files.extend(fan.iter().map(|(path, text)| (path.as_str(), text.as_str())));
        let error = try_render(&files, &json!({ "list": list })).expect_err(name);
        assert!(error.message.contains(expected), "{name}: {error:?}");
        assert!(!error.hint.is_empty(), "{name}");
    }
}

#[test]
fn templates_that_would_overflow_the_parser_are_refused_before_it() {
    let nest = |n: usize| format!("{}{}", "{{#if a}}".repeat(n), "{{/if}}".repeat(n));
    let cases = [
        ("blocks", nest(3_000)),
        ("many blocks", nest(50_000)),
        ("else chain", format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if b}}".repeat(3_000))),
        ("subexpressions", format!("{{{{eq {}1{}}}}}", "(not ".repeat(10_000), ")".repeat(10_000))),
        ("lists", format!("{{{{eq {}{}}}}}", "[".repeat(10_000), "]".repeat(10_000))),
        ("partial blocks", format!("{}{}", "{{#> x}}".repeat(3_000), "{{/x}}".repeat(3_000))),
        ("size", "x".repeat(600 * 1024)),
        ("inline partial", "\n{{#*inline \"x\"}}{{> x}}{{/inline}}{{> x}}".to_owned()),
    ];
    for (name, layout) in cases {
        let error = small_stack(move || {
            let (templates, diagnostics) = compile(&[("themes/t/layouts/page.hbs", &layout)]);
            let context = json!({"a": true});
            let result = templates.render("page", &Render { context: &context, content: "", head: "", lists: &Site });
            assert_eq!(diagnostics[0].path.as_str(), "themes/t/layouts/page.hbs");
            assert!(diagnostics[0].line > 0 && !diagnostics[0].hint.is_empty(), "{:?}", diagnostics[0]);
            drop(result);
            diagnostics[0].message.clone()
        });
        let words = ["nest", "bytes", "inline", "tags"];
        assert!(words.iter().any(|word| error.contains(word)), "{name}: {error}");
    }
    small_stack(move || assert_eq!(render(&nest(100), &json!({"a": true})), ""));
}

#[test]
fn a_render_inside_a_render_counts_as_one() {
    struct Recursive(Templates);
    impl Lists for Recursive {
        fn pages(&self, _: &ListQuery) -> Vec<Arc<Value>> {
            Vec::new()
        }
        fn page(&self, _: &str) -> Option<Arc<Value>> {
            None
        }
        fn data(&self, _: &str) -> Option<Arc<Value>> {
            None
        }
        fn url(&self, raw: &str) -> String {
            raw.to_owned()
        }
        fn absolute(&self, raw: &str) -> String {
            raw.to_owned()
        }
        fn markdown(&self, _: &str) -> String {
            // As a build does it: a shortcode in the Markdown renders Markdown again.
            self.0.shortcode("again", &json!({}), None, self).unwrap_or_else(|error| error.message)
        }
    }
    let html = small_stack(|| {
        let (templates, _) = compile(&[("themes/t/shortcodes/again.hbs", "x{{markdown \"y\"}}")]);
        let lists = Recursive(templates);
        lists.markdown("")
    });
    assert!(html.starts_with("xxx") && html.contains("nest deeper"), "{html}");
    assert!(html.len() < 300, "{html}");
    // And the count starts anew afterwards.
    assert_eq!(render("{{#if true}}ok{{/if}}", &json!({})), "ok");
}

#[test]
fn mistakes_are_named_with_file_line_and_what_to_do() {
    let page = "themes/t/layouts/page.hbs";
    let cases: &[(&str, usize, &str, &str)] = &[
        ("a\nb\n{{> heder}}", 3, "there is no partial `heder`", "Did you mean `header`?"),
        ("\n{{uper page.title}}", 2, "there is no helper `uper`", "Did you mean `upper`?"),
        ("x\n{{#if a}}\n", 2, "`{{#if}}` is never closed", "Add `{{/if}}`."),
        ("{{#if a}}x{{/each}}", 1, "is closed by", "Close it with `{{/if}}`."),
        ("x\n{{a", 2, "not closed", "}}"),
        ("{{#if (eq a 1}}x{{/if}}", 1, "", ""),
    ];
    for (template, line, message, hint) in cases {
        let (_, found) = compile(&[(page, template), ("themes/t/partials/header.hbs", "h")]);
        assert_eq!(found.len(), 1, "{template}: {found:?}");
        assert_eq!((found[0].path.as_str(), found[0].line), (page, *line), "{template}: {found:?}");
        assert!(found[0].message.contains(message), "{template}: {}", found[0].message);
        assert!(found[0].hint.contains(hint), "{template}: {}", found[0].hint);
    }
    let (_, found) = compile(&[(page, "{{> heder}}")]);
    assert_eq!(found[0].refers.as_deref(), Some("themes/t/partials/heder.hbs"));
    let error = try_render(&[(page, "\n\n{{#if true}}\n{{> heder}}\n{{/if}}")], &json!({})).unwrap_err();
    assert_eq!((error.path.as_str(), error.line), (page, 4));
    assert_eq!(error.refers.as_deref(), Some("themes/t/partials/heder.hbs"));
    let files = [(page, "{{> p}}"), ("themes/t/partials/p.hbs", "a\n{{div 1 0}}")];
    let error = try_render(&files, &json!({})).unwrap_err();
    assert_eq!((error.path.as_str(), error.line), ("themes/t/partials/p.hbs", 2));
    assert_eq!(error.message, "`div` divides by zero");
    let error = try_render(&[(page, "x"), ("themes/t/layouts/pages.hbs", "")], &json!({})).map(|_| ());
    assert_eq!(error, Ok(()));
    let (templates, _) = compile(&[("themes/t/layouts/page.hbs", "")]);
    let error =
        templates.render("pgae", &Render { context: &json!({}), content: "", head: "", lists: &Site }).unwrap_err();
    assert_eq!(
        (error.refers.as_deref(), error.hint.as_str()),
        (Some("themes/t/layouts/pgae.hbs"), "Did you mean `page`?")
    );
}

#[test]
fn partials_see_their_caller_their_arguments_and_their_block() {
    let files = |layout: &'static str| {
        [
            ("themes/t/layouts/page.hbs", layout),
            ("themes/t/partials/name.hbs", "[{{name}}{{x}}{{@index}}]"),
            ("themes/t/partials/ui/box.hbs", "<b>{{> @partial-block}}</b>"),
            ("themes/t/partials/base.hbs", "<i>{{#> ui/box}}{{> @partial-block}}{{/ui/box}}</i>"),
            ("themes/t/partials/up.hbs", "{{../name}}/{{@root.name}}/{{this.name}}"),
        ]
    };
    let context = json!({"name": "root", "list": [{"name": "a"}, {"name": "b"}], "one": {"name": "one"}});
    for (layout, expected) in [
        ("{{> name}}", "[root]"),
        ("{{> name x=\"!\"}}", "[root!]"),
        ("{{> name one}}", "[one]"),
        ("{{> name one x=1}}", "[one1]"),
        ("{{#each list}}{{> name}}{{/each}}", "[a0][b1]"),
        ("{{#each list}}{{> name this x=\"-\"}}{{/each}}", "[a-0][b-1]"),
        ("{{#each (sort_by list \"name\" order=\"desc\")}}{{> name}}{{/each}}", "[b0][a1]"),
        ("{{> (concat \"na\" \"me\")}}", "[root]"),
        ("{{#> base}}{{name}}{{/base}}", "<i><b>root</b></i>"),
        ("{{#> nosuch}}fallback{{/nosuch}}", "fallback"),
        ("{{#each list}}{{> up}} {{/each}}", "root/root/a root/root/b "),
        ("{{#with one as |o|}}{{o.name}}{{../name}}{{> up}}{{/with}}", "onerootroot/root/one"),
        ("{{#each list as |item i|}}{{i}}{{item.name}}{{#if @last}}.{{/if}}{{/each}}", "0a1b."),
        ("{{#each one as |value key|}}{{key}}={{value}}{{@key}}{{/each}}", "name=onename"),
        ("{{#each none}}x{{else}}none{{/each}}{{#unless none}}!{{/unless}}", "none!"),
        ("{{#if none}}a{{else if one}}b{{else}}c{{/if}}", "b"),
        ("{{{{raw}}}}{{name}}{{{{/raw}}}}", "{{name}}"),
    ] {
        assert_eq!(try_render(&files(layout), &context).unwrap(), expected, "{layout}");
    }
}

#[test]
fn helpers_do_what_the_table_says() {
    let context = json!({
        "t": "Hello wide World", "n": 3, "url": "/x/", "date": "2026-11-03T10:00:00+01:00", "e": "", "evil": "java\nscript:alert(1)",
        "list": [
            {"title": "b", "w": 2, "date": "2025-02-01T00:00:00Z", "tags": ["x"], "p": {"r": 1}},
            {"title": "A", "w": 10, "date": "2026-02-01T00:00:00Z", "tags": ["y"], "p": {"r": 2}},
            {"title": "c", "w": 1, "date": "2025-03-01T00:00:00Z", "tags": []},
        ],
        "toc": [{"level": 2, "id": "a", "text": "A & B", "children": [{"level": 3, "id": "b", "text": "b", "children": []}]},
                {"level": 2, "id": "c", "text": "c", "children": []}],
    });
    for (template, expected) in [
        (
            "{{eq n 3}}{{eq n \"3\"}}{{ne n 4}}{{lt 2 10}}{{lte 2 2}}{{gt n 2}}{{gte 2 3}}{{gt missing 1}}",
            "truetruetruetruetruetruefalsefalse",
        ),
        ("{{#if (and n (not e))}}y{{/if}}{{#if (or e missing)}}n{{/if}}{{or e n}}", "y3"),
        ("{{default e missing \"d\"}}{{default false 1}}{{default 0 1}}", "dfalse0"),
        (
            "{{contains t \"wide\"}}{{contains list.0.tags \"x\"}}{{starts_with t \"Hello\"}}{{ends_with t \"x\"}}",
            "truetruetruefalse",
        ),
        ("{{join (split \"a, b,,c\" \",\") \"+\"}}", "a+b+c"),
        (
            "{{#each (first list 2)}}{{title}}{{/each}}{{#with (last list)}}{{title}}{{/with}}{{first \"xyz\"}}{{last \"xyz\" 2}}",
            "bAcxyz",
        ),
        ("{{#each (slice list 1 -1)}}{{title}}{{/each}}{{slice t 0 5}}{{length (limit list 2)}}", "AHello2"),
        ("{{join (pluck (sort_by list \"title\") \"title\")}}", "A, b, c"),
        (
            "{{join (pluck (sort_by list \"w\" order=\"desc\") \"w\") \"\"}}{{join (reverse (pluck list \"title\")) \"\"}}",
            "1021cAb",
        ),
        (
            "{{#each (where list \"tags\" \"x\")}}{{title}}{{/each}}{{#each (where list \"p.r\" 2)}}{{title}}{{/each}}{{length (where list \"p\")}}",
            "bA2",
        ),
        ("{{#each (group_by list \"year\")}}{{key}}:{{#each items}}{{title}}{{/each}} {{/each}}", "2025:bc 2026:A "),
        ("{{length t}}{{length list}}{{length missing}}", "1630"),
        ("{{add 1 2 3}} {{sub 1 2}} {{mul 2 1.5}} {{div 7 2}} {{mod 7 3}} {{round 2.567 1}}", "6 -1 3 3.5 1 2.6"),
        ("{{#each (range 1 3)}}{{this}}{{/each}}{{#each (range 2)}}{{this}}{{/each}}", "12301"),
        (
            "{{upper t}}{{lower \"Ä\"}}{{capitalize \"éa b\"}}{{title \"a b\"}}{{trim \" x \"}}",
            "HELLO WIDE WORLDäÉa bA Bx",
        ),
        (
            "{{replace t \"wide\" \"big\"}} {{truncate t 11}} {{truncate t 99}}",
            "Hello big World Hello wide… Hello wide World",
        ),
        (
            "{{strip_html \"<b>x</b> y\"}} {{slugify \"Ab c!\"}} {{urlencode \"a b/ü\"}} {{concat \"a\" n}}",
            "x y ab-c a%20b%2F%C3%BC a3",
        ),
        (
            "{{date date}}|{{date date \"%Y-%m-%d %H:%M\"}}|{{date e}}|{{this.date}}",
            "3 November 2026|2026-11-03 10:00||2026-11-03T10:00:00+01:00",
        ),
        (
            "{{plural 1 \"page\" \"pages\"}} {{plural 2 \"page\"}} {{plural list \"item\" \"# items!\"}}",
            "1 page 2 pages 3 items!",
        ),
        ("{{classes \"a b\" e \"x\\\"y\" on=n off=e}}", "a b x-y on"),
        (
            "{{url \"/a/\"}} {{abs_url \"/a/\"}} {{asset \"style.css\"}} {{url evil}} {{safe_url evil}} {{safe_url url}}",
            "/base/a/ https://x.org/base/a/ /base/assets/style.css # # /x/",
        ),
        ("{{url}}{{date}}", "/x/2026-11-03T10:00:00+01:00"),
        ("{{markdown \"*a*\"}}{{markdown \"*a*\" inline=true}}", "<p>a</p>\na"),
        (
            "{{toc toc}}",
            "<ul><li><a href=\"#a\">A &amp; B</a><ul><li><a href=\"#b\">b</a></li></ul></li><li><a href=\"#c\">c</a></li></ul>",
        ),
        (
            "{{toc toc max=2}}{{toc toc at_least=4}}",
            "<ul><li><a href=\"#a\">A &amp; B</a></li><li><a href=\"#c\">c</a></li></ul>",
        ),
        ("{{{json list.0.p}}}{{{json \"</script>\"}}}", "{\"r\":1}\"\\u003c/script\\u003e\""),
        (
            "{{#pages limit=2 as |p|}}{{p.title}}{{@index}}{{#if @last}}.{{/if}}{{/pages}}{{#each (pages \"blog\" offset=2)}}{{title}}{{/each}}",
            "A0B1.C",
        ),
        ("{{#pages offset=9}}x{{else}}none{{/pages}}", "none"),
        ("{{#with (page \"a.md\")}}{{title}}{{/with}}{{#with (page \"zz\")}}x{{else}}-{{/with}}", "A-"),
        ("{{#each (data \"people\")}}{{@key}}{{age}}{{/each}}{{#if (data \"x\")}}y{{/if}}", "ann7bob8"),
        (
            "{{#with (dict a=1 b=\"x\")}}{{a}}{{b}}{{/with}}{{join (list 1 \"a\")}}{{join (unique (list 1 1 2))}}",
            "1x1, a1, 2",
        ),
        ("{{lookup (pluck list \"title\") 1}}", "A"),
        ("a=b <\"'`>{{concat \"a=b <\\\"'\"}}", "a=b <\"'`>a=b &lt;&quot;&#39;"),
    ] {
        assert_eq!(render(template, &context), expected, "{template}");
    }
    for (template, message) in [
        ("{{add 1 \"x\"}}", "expected a number"),
        ("{{date \"soon\"}}", "this is no date"),
        ("{{sort_by n}}", "expected a list"),
        ("{{#pages colour=\"red\"}}{{/pages}}", "does not know `colour`"),
        ("{{#upper t}}x{{/upper}}", "is no block"),
        ("{{upper}}{{#each}}{{/each}}", "needs a value"),
        ("{{join}}{{eq 1}}", "needs at least 2"),
        ("{{range 1 99999}}", "more than 10000"),
        ("{{list.title}}", "only numbered items"),
    ] {
        let error = try_render(&[("themes/t/layouts/page.hbs", template)], &context).expect_err(template);
        assert!(error.message.contains(message), "{template}: {error:?}");
    }
}

#[test]
fn a_theme_falls_back_file_by_file_and_says_when_it_goes_round() {
    let files = [
        ("themes/t/theme.yaml", "extends: mid\nsettings:\n  a: 1\n"),
        ("themes/t/partials/x.hbs", "t"),
        ("themes/mid/theme.yaml", "extends: base\nsettings:\n  b: 2\n  a: 3\n"),
        ("themes/mid/layouts/page.hbs", "mid{{> x}}{{> y}}{{settings.a}}{{settings.b}}"),
        ("themes/mid/assets/m.css", ""),
        ("themes/base/layouts/page.hbs", "base"),
        ("themes/base/layouts/blog/page.hbs", "blog"),
        ("themes/base/partials/x.hbs", "b"),
        ("themes/base/partials/y.hbs", "y"),
        ("themes/base/assets/m.css", ""),
        ("themes/base/assets/z/n.css", ""),
    ];
    let (templates, found) = compile(&files);
    assert_eq!(found, []);
    assert_eq!(try_render(&files, &json!({})).unwrap(), "midty12");
    let assets: Vec<(&str, &str)> = templates.assets().iter().map(|(to, from)| (to.as_str(), from.as_str())).collect();
    assert_eq!(assets, [("m.css", "themes/mid/assets/m.css"), ("z/n.css", "themes/base/assets/z/n.css")]);
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(templates.layout(&names(&["nosuch", "blog/page", "page"])).as_deref(), Some("blog/page"));
    assert_eq!(templates.layout(&names(&["nosuch"])), None);

    let (_, found) = compile(&[("themes/t/theme.yaml", "extends: u\n"), ("themes/u/theme.yaml", "extends: t\n")]);
    assert_eq!((found[0].code, found[0].path.as_str()), ("theme_cycle", "themes/u/theme.yaml"));
    let long: Vec<(String, String)> = (0..12)
        .map(|i| {
            (
                format!("themes/{}/theme.yaml", ["t".into(), format!("t{i}")][usize::from(i > 0)]),
                format!("extends: t{}\n", i + 1),
            )
        })
        .collect();
    let long: Vec<(&str, &str)> = long.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert_eq!(compile(&long).1[0].code, "theme_depth");
    let (_, found) = compile(&[("themes/tt/theme.yaml", ""), ("themes/tt/layouts/page.hbs", "")]);
    assert_eq!(found[0].code, "missing_theme");
    assert_eq!(found[0].refers.as_deref(), Some("themes/t/theme.yaml"));
    let (_, found) = compile(&[("themes/t/theme.yaml", "a: [\n")]);
    assert_eq!((found[0].code, found[0].path.as_str()), ("invalid_theme", "themes/t/theme.yaml"));
}
