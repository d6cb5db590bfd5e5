//! Themes: templates within bounds, helpers, the shipped theme.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use sitewright::build::template::{Kept, ListQuery, Lists, Render, TemplateError, Templates};
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
        ("tags", "{{a}} and some text".repeat(20_000)),
        ("comments", "{{!--}}".repeat(70_000)),
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
        let words = ["nest", "bytes", "inline", "tags", "comment"];
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
fn a_turn_that_reads_only_its_entry_is_rendered_once_for_all_lists() {
    #[derive(Default)]
    struct Listing {
        pages: Vec<usize>,
        kept: Mutex<BTreeMap<(usize, usize), Arc<Kept>>>,
    }
    impl Lists for Listing {
        fn pages(&self, query: &ListQuery) -> Vec<Arc<Value>> {
            Site.pages(query)
        }
        fn page(&self, path_or_url: &str) -> Option<Arc<Value>> {
            Site.page(path_or_url)
        }
        fn data(&self, name: &str) -> Option<Arc<Value>> {
            Site.data(name)
        }
        fn url(&self, raw: &str) -> String {
            Site.url(raw)
        }
        fn absolute(&self, raw: &str) -> String {
            Site.absolute(raw)
        }
        fn markdown(&self, text: &str) -> String {
            Site.markdown(text)
        }
        fn listed(&self, name: &str) -> Option<&[usize]> {
            (name == "pages").then_some(self.pages.as_slice())
        }
        fn kept_turn(&self, turn: usize, page: usize) -> Option<Arc<Kept>> {
            self.kept.lock().unwrap().get(&(turn, page)).cloned()
        }
        fn keep_turn(&self, turn: usize, page: usize, made: Kept) {
            assert!(self.kept.lock().unwrap().insert((turn, page), Arc::new(made)).is_none(), "made twice");
        }
    }
    let layout = "{{#each pages}}<a>{{title}}</a>{{/each}}{{#each pages}}{{@index}}{{title}}{{/each}}";
    let (templates, _) = compile(&[("themes/t/layouts/page.hbs", layout)]);
    let render = |lists: &Listing, context: &Value| {
        templates.render("page", &Render { context, content: "", head: "", lists }).unwrap()
    };
    let mut lists = Listing { pages: vec![5, 7], ..Listing::default() };
    let html = render(&lists, &json!({"pages": [{"title": "A"}, {"title": "B"}]}));
    assert_eq!(html, "<a>A</a><a>B</a>0A1B");
    // What is told of a page is never another one in truth: here it shows where the text comes from.
    lists.pages = vec![7, 9];
    let html = render(&lists, &json!({"pages": [{"title": "other"}, {"title": "C"}]}));
    assert_eq!(html, "<a>B</a><a>C</a>0other1C");
    assert_eq!(lists.kept.lock().unwrap().keys().map(|(_, page)| *page).collect::<Vec<_>>(), [5, 7, 9]);
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
            ("themes/t/partials/each.hbs", "{{name}}:{{#each items}}{{name}}{{/each}}{{length items}};"),
            ("themes/t/partials/up.hbs", "{{../name}}/{{@root.name}}/{{this.name}}"),
        ]
    };
    let context = json!({"name": "root", "list": [{"name": "a"}, {"name": "b"}], "one": {"name": "one"},
        "groups": [{"name": "g", "list": [{"name": "x"}]}]});
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
        // A list is handed over by its place in the context, whatever `this` is there.
        ("{{> each items=list}}", "root:ab2;"),
        ("{{> each one items=list}}", "one:ab2;"),
        (
            "{{#each groups}}{{> each items=list}}{{> each items=@root.list}}{{> each @root.one items=list}}{{/each}}",
            "g:x1;g:ab2;one:x1;",
        ),
        ("{{#each (limit groups 1)}}{{> each items=list}}{{> each items=@root.list}}{{/each}}", "g:x1;g:ab2;"),
        (
            "{{#with one}}{{> each items=../list}}{{/with}}{{#with groups.0 as |g|}}{{> each items=g.list}}{{/with}}",
            "one:ab2;g:x1;",
        ),
        ("{{> each items=(limit list 1)}}{{> each items=none}}", "root:a1;root:0;"),
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
    assert_eq!((&*found[0].code, found[0].path.as_str()), ("theme_cycle", "themes/u/theme.yaml"));
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
    assert_eq!((&*found[0].code, found[0].path.as_str()), ("invalid_theme", "themes/t/theme.yaml"));
}

/// What a build gives the layouts, as the contract of the templates says.
fn context(kind: &str) -> Value {
    let stub = |title: &str, url: &str| {
        json!({
            "title": title, "url": url, "description": format!("What {title} is about & why."), "summary": "Text.",
            "date": "2026-11-03T00:00:00+00:00", "terms": {}, "reading_time": 3, "word_count": 600,
        })
    };
    let heading = |level: u8, id: &str, children: Vec<Value>| json!({"level": level, "id": id, "text": format!("About {id}"), "children": children});
    let term = json!({"name": "Static sites", "slug": "static-sites", "url": "/base/tags/static-sites/", "count": 2});
    json!({
        "site": {
            "title": "A small garden", "description": "Notes on growing things slowly.", "base_url": "https://x.org/base/", "base_path": "/base/",
            "language": "en", "author": "Ann Example", "params": {}, "feed_url": "/base/atom.xml", "search_url": "/base/search.json",
            "menus": {"main": [
                {"name": "Notes", "url": "/base/blog/", "active": kind == "page", "children": []},
                {"name": "Guide", "url": "/base/guide/", "active": false, "children": [{"name": "Start", "url": "/base/guide/start/", "active": false, "children": []}]},
                {"name": "Evil", "url": "javascript:alert(1)", "active": false, "children": []},
            ]},
        },
        "page": {
            "kind": kind, "title": "Soil & <water>", "description": "How to read soil.", "url": "/base/blog/soil/",
            "date": "2026-11-03T09:00:00+00:00", "updated": "2026-11-20T09:00:00+00:00", "authors": ["Ann Example", "Bob"],
            "terms": {"tags": [term, {"name": "b\"c", "slug": "b-c", "url": "/base/tags/b-c/"}]}, "front_matter": {}, "params": {},
            "word_count": 900, "reading_time": 4, "draft": false, "weight": null,
            "toc": [heading(2, "reading", vec![heading(3, "texture", vec![])]), heading(2, "water", vec![]), heading(2, "tables", vec![])],
            "breadcrumbs": [{"title": "Home", "url": "/base/"}, {"title": "Notes", "url": "/base/blog/"}],
            "prev": stub("Worms", "/base/blog/worms/"), "next": stub("A rather long title of the page that follows", "/base/blog/next/"),
            "assets": [{"name": "a-bed.jpg", "url": "/base/blog/soil/a-bed.jpg"}, {"name": "notes.txt", "url": "/base/blog/soil/notes.txt"}],
        },
        "pages": [stub("Worms", "/base/blog/worms/"), stub("Rain \"water\"", "/base/blog/rain/"), stub("Seeds", "/base/blog/seeds/")],
        "sections": [stub("Guide", "/base/guide/")],
        "taxonomy": {"key": "tags", "title": "Tags", "url": "/base/tags/"},
        "terms": [term, {"name": "Water", "slug": "water", "url": "/base/tags/water/", "count": 1}],
        "term": term,
        "paginator": {"current": 2, "total": 3, "count": 5, "first": "/base/blog/", "last": "/base/blog/page/3/", "prev": "/base/blog/", "next": "/base/blog/page/3/"},
    })
}

const BODY: &str = include_str!("theme/body.html");
const LAYOUTS: [(&str, &str); 6] = [
    ("page", "page"),
    ("list", "section"),
    ("home", "home"),
    ("taxonomy", "taxonomy"),
    ("term", "term"),
    ("404", "404"),
];

fn shown(layout: &str, kind: &str, body: &str) -> String {
    let (templates, _) = shipped();
    templates
        .render(layout, &Render { context: &context(kind), content: body, head: "<title>Soil</title>", lists: &Site })
        .unwrap()
}

/// Opening tags of a page: name and the rest up to `>`.
fn tags(html: &str) -> Vec<(&str, &str)> {
    html.split('<')
        .skip(1)
        .filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map(|tag| {
            let tag = tag.split('>').next().unwrap();
            tag.split_once([' ', '\n']).unwrap_or((tag, ""))
        })
        .collect()
}

#[test]
fn every_layout_is_one_complete_page_that_a_strict_policy_lets_through() {
    for (layout, kind) in LAYOUTS {
        let body = if matches!(layout, "page" | "list" | "home") { BODY } else { "" };
        let html = shown(layout, kind, body);
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\""), "{layout}");
        assert_eq!(html.matches("<title>").count(), 1, "{layout}");
        let tags = tags(&html);
        for (name, count) in [("h1", 1), ("main", 1), ("header", 99), ("html", 1), ("body", 1)] {
            let found = tags.iter().filter(|tag| tag.0 == name).count();
            assert!(found >= 1 && found <= count, "{layout}: {found} <{name}>");
        }
        assert!(!tags.iter().any(|tag| ["script", "style", "iframe"].contains(&tag.0)), "{layout}");
        for (name, attributes) in &tags {
            assert!(!attributes.contains("style=") && !attributes.contains(" on"), "{layout}: <{name} {attributes}>");
            assert!(!attributes.contains("javascript:"), "{layout}: <{name} {attributes}>");
            assert!(*name != "nav" || attributes.contains("aria-label"), "{layout}: an unnamed nav");
            assert!(*name != "pre" || attributes.contains("tabindex"), "{layout}: a pre that keys cannot scroll");
            assert!(*name != "img" || attributes.contains("alt="), "{layout}: an image without alt");
        }
        let ids: Vec<&str> = tags
            .iter()
            .filter_map(|tag| tag.1.split("id=\"").nth(1))
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(ids.len(), unique.len(), "{layout}: {ids:?}");
        for name in
            ["html", "head", "body", "header", "nav", "ul", "ol", "li", "p", "a", "span", "section", "article", "div"]
        {
            let open = tags.iter().filter(|tag| tag.0 == name).count();
            assert_eq!(open, html.matches(&format!("</{name}>")).count(), "{layout}: <{name}>");
        }
    }
}

#[test]
fn the_page_layout_shows_what_the_page_has() {
    let html = shown("page", "page", BODY);
    for expected in [
        "<h1>Soil &amp; &lt;water&gt;</h1>",
        "<time datetime=\"2026-11-03T09:00:00+00:00\">3 November 2026</time>",
        "<a href=\"/base/tags/b-c/\" rel=\"tag\">b&quot;c</a>",
        "<nav class=\"toc\" aria-labelledby=\"toc-title\">",
        "<a href=\"#texture\">About texture</a>",
        "<a href=\"/base/blog/\" aria-current=\"true\">Notes</a>",
        "<link rel=\"stylesheet\" href=\"/base/assets/style.css\">",
        "rel=\"next\"",
    ] {
        assert!(html.contains(expected), "{expected}\n{html}");
    }
    // A body with a first-level heading of its own keeps the page at one.
    let (templates, _) = shipped();
    let mut own = context("page");
    own["page"]["toc"] = json!([{"level": 1, "id": "x", "text": "x", "children": []}]);
    let input = Render { context: &own, content: "<h1 id=\"x\">x</h1>", head: "", lists: &Site };
    let html = templates.render("page", &input).unwrap();
    assert_eq!(html.matches("<h1").count(), 1);
    assert!(!html.contains("class=\"toc\""), "no contents for fewer than three headings");
}

#[test]
fn shortcodes_of_the_shipped_theme_render() {
    let (templates, _) = shipped();
    let call = |name: &str, args: Value, positional: Value, inner: Option<&str>| {
        let page = context("page")["page"].clone();
        let context = json!({"args": args, "positional": positional, "inner": inner, "page": page, "site": {}});
        templates.shortcode(name, &context, inner, &Site).unwrap()
    };
    let figure = call(
        "figure",
        json!({"src": "/a.png", "alt": "A \"bed\"", "caption": "*Soil*", "link": "javascript:x"}),
        json!([]),
        None,
    );
    assert!(figure.contains("<img src=\"/base/a.png\" alt=\"A &quot;bed&quot;\""), "{figure}");
    assert!(figure.contains("<figcaption>Soil</figcaption>") && figure.contains("<a href=\"#\">"), "{figure}");
    let video = call("youtube", json!({}), json!(["a\"b"]), None);
    assert!(video.contains("href=\"https://www.youtube.com/watch?v=a%22b\"") && !video.contains("iframe"), "{video}");
    let note = call("note", json!({"type": "Warning"}), json!([]), Some("<p>x</p>"));
    assert!(
        note.contains("class=\"alert alert-warning\"") && note.contains("<p>x</p>") && note.contains(">Warning<"),
        "{note}"
    );
    let gallery = call("gallery", json!({}), json!([]), None);
    assert!(gallery.contains("alt=\"a bed\"") && !gallery.contains("notes.txt"), "{gallery}");
    assert!(!call("gallery", json!({"match": "zz"}), json!([]), None).contains("<img"));
    assert!(call("details", json!({"summary": "S"}), json!([]), Some("i")).contains("<summary>S</summary>\n<p>i</p>"));
    assert!(call("recent", json!({}), json!([]), None).contains("<a href=\"/base/a/\">A</a>"));
    for name in templates.shortcodes() {
        let html = call(name, json!({}), json!([]), None);
        assert!(!html.contains("<script") && !html.contains("style="), "{name}");
    }
    let error = templates.shortcode("figur", &json!({}), None, &Site).unwrap_err();
    assert_eq!(error.hint, "Did you mean `figure`?");
}

/// Relative luminance of `#rrggbb`.
fn luminance(hex: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

/// Light and dark colour of the declaration that begins with `name` in a line.
fn colours<'a>(line: &'a str, name: &str) -> Option<[&'a str; 2]> {
    let value = line.split(name).nth(1)?.split("light-dark(").nth(1)?.split(')').next()?;
    let (light, dark) = value.split_once(", ")?;
    Some([light, dark])
}

#[test]
fn all_text_colours_have_enough_contrast_in_light_and_dark() {
    let css = include_str!("../../themes/default/assets/style.css");
    let find = |name: &str| css.lines().find_map(|line| colours(line, name)).unwrap();
    let grounds =
        [find("--bg:"), find("--soft:"), colours(css.split(".line.marked").nth(1).unwrap(), "background:").unwrap()];
    let mut checked = 0;
    for line in css.lines() {
        let code = line.starts_with("pre .");
        let text = ["--text:", "--muted:", "--accent:", "--mark:"].iter().find_map(|name| colours(line, name));
        let Some(text) = text.or_else(|| code.then(|| colours(line, "color:")).flatten()) else { continue };
        // Only code stands on a marked line.
        for ground in &grounds[..if code || line.contains("--muted:") { 3 } else { 2 }] {
            for mode in 0..2 {
                let (a, b) = (luminance(text[mode]), luminance(ground[mode]));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{line}: {contrast:.2} on {}", ground[mode]);
                checked += 1;
            }
        }
    }
    assert!(checked > 80, "{checked}");
    let classes = [
        "attribute",
        "comment",
        "constant",
        "constructor",
        "diff-add",
        "diff-delete",
        "emphasis",
        "error",
        "function",
        "keyword",
        "label",
        "link",
        "literal",
        "macro",
        "namespace",
        "number",
        "operator",
        "property",
        "string",
        "strikethrough",
        "strong",
        "tag",
        "title",
        "type",
        "variable",
    ];
    for class in classes {
        assert!(css.contains(&format!("pre .{class} ")) || css.contains(&format!("pre .{class},")), "{class}");
    }
}

#[test]
fn the_starter_site_is_a_valid_site() {
    let files = sitewright::site::starter::files("A \"quoted\": title");
    assert!(files.windows(2).all(|pair| pair[0].0 < pair[1].0), "in path order, each once");
    let text = |path: &str| {
        let bytes = &files.iter().find(|file| file.0.as_str() == path).unwrap_or_else(|| panic!("{path}")).1;
        String::from_utf8(bytes.clone()).unwrap()
    };
    let map = files.iter().map(|(path, bytes)| {
        let data = Data::Loaded(Arc::from(bytes.as_slice()));
        (path.clone(), File { id: BlobId([0; 20]), size: bytes.len() as u64, data })
    });
    let (config, found) = sitewright::model::Config::load(&Snapshot::new(map.collect())).unwrap();
    assert_eq!((config.title.as_str(), found), ("A \"quoted\": title", vec![]));
    assert_eq!(config.menus["main"].len(), 2);
    for (path, _) in files.iter().filter(|(path, _)| path.as_str().starts_with("content/")) {
        let page = sitewright::model::FrontMatter::parse(path.as_str(), &text(path.as_str())).unwrap();
        assert!(page.values["title"].as_str().is_some_and(|title| !title.is_empty()), "{path}");
    }
    assert!(sitewright::site::starter::gitattributes().contains("public/** -text linguist-generated\n"));
    assert!(sitewright::site::starter::gitignore().contains(".sitewright/var/\n"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() })]
    /// Whatever a template is made of, it is compiled or refused, and rendered or refused; the process lives.
    #[test]
    fn no_template_takes_the_process_down(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..40)) {
        let template = parts.concat();
        small_stack(move || {
            let files = [("themes/t/layouts/page.hbs", template.as_str()), ("themes/t/partials/p.hbs", template.as_str())];
            let (templates, found) = compile(&files);
            let context = json!({"a": [1, {"b": "x"}], "b": {"a": [true, null]}});
            let _ = templates.render("page", &Render { context: &context, content: "c", head: "h", lists: &Site });
            assert!(found.iter().all(|finding| !finding.message.contains("cannot be parsed")), "{template}");
        });
    }
}

const PARTS: &[&str] = &[
    "{{#if a}}",
    "{{else}}",
    "{{else if b}}",
    "{{/if}}",
    "{{#each a}}",
    "{{/each}}",
    "{{^}}",
    "{{#with b as |x y|}}",
    "{{/with}}",
    "{{> p}}",
    "{{#> p}}",
    "{{/p}}",
    "{{> @partial-block}}",
    "{{> (lookup b \"a\")}}",
    "{{{{raw}}}}",
    "{{{{/raw}}}}",
    "{{!--",
    "--}}",
    "{{!",
    "}}",
    "{{",
    "{{{a}}}",
    "{{&a}}",
    "{{a.0.b}}",
    "{{a.[0]}}",
    "{{a.[",
    "]",
    "{{@index}}",
    "{{../a}}",
    "{{~a~}}",
    "\\",
    "\\{{",
    "'",
    "\"",
    "(",
    ")",
    "[",
    "|",
    "{{(eq a b)}}",
    "{{eq (not a)",
    "{{join a \"\\\"\"}}",
    "{{a b=1 c='x'}}",
    "{{#*inline \"p\"}}",
    "{{/inline}}",
    "{{#pages as |p|}}",
    "{{/pages}}",
    "text",
    "\n",
    " ",
    "é",
    "{{-1}}",
    "{{1e5}}",
    "{{null}}",
    "{{true}}",
    "{{this}}",
    "{{.}}",
    "{{@root}}",
    "{{#each @root}}",
    "{{content}}",
    "{{* x}}",
    "{{~#if b~}}",
    "{{~/if~}}",
    "{{~else~}}",
    "{{date 1}}",
    "{{slice \"é\" -9 99}}",
    "{{range -5 5}}",
    "{{truncate \"ééé\" 1}}",
];
