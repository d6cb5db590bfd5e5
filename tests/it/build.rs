//! Whole sites through `build`: golden sites, and what a build does with good and bad input.

#![allow(clippy::unwrap_used, reason = "a broken expectation is a failed test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sitewright::build::{Built, Cache, Options, Scope, build};
use sitewright::model::{
    BlobId, ContentPath, Data, Diagnostic, File, LinkTarget, OutputData, PageState, Severity, Snapshot,
};

/// A stable stand-in for a blob id.
fn blob(bytes: &[u8]) -> BlobId {
    let mut id = [0_u8; 20];
    for (lane, chunk) in id.chunks_mut(4).enumerate() {
        let mut hash = 0x811c_9dc5_u32 ^ (lane as u32).wrapping_mul(0x9e37_79b9);
        for byte in bytes {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        chunk.copy_from_slice(&hash.to_be_bytes());
    }
    BlobId(id)
}

pub(crate) fn file(bytes: Vec<u8>) -> File {
    File { id: blob(&bytes), size: bytes.len() as u64, data: Data::Loaded(bytes.into()) }
}

/// A snapshot from text: `-- content/a.md --` begins a file.
pub(crate) fn snapshot(text: &str) -> Snapshot {
    let mut files: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
            Some(path) => files.push((path, String::new())),
            None => {
                if let Some((_, text)) = files.last_mut() {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }
    let all = files.into_iter().map(|(path, text)| (ContentPath::from_disk(path).unwrap(), file(text.into_bytes())));
    Snapshot::new(all.collect())
}

/// A theme of a few lines that shows what pages and lists carry.
const THEME: &str = "\
-- site.yaml --
title: Site
base_url: https://example.org/
theme: t
-- themes/t/layouts/page.hbs --
<html><head></head><body><h1>{{page.title}}</h1>{{{content}}}</body></html>
-- themes/t/layouts/list.hbs --
<html><head></head><body><h1>{{page.title}}</h1>{{{content}}}{{#each pages}}<a href=\"{{url}}\">{{title}}</a>{{/each}}{{#each terms}}<b>{{name}} {{count}}</b>{{/each}}{{#if paginator}}<i>{{paginator.current}}/{{paginator.total}}</i>{{/if}}</body></html>
-- themes/t/shortcodes/note.hbs --
<aside>{{args.kind}}{{{inner}}}</aside>
";

pub(crate) fn with_theme(text: &str) -> Snapshot {
    snapshot(&format!("{THEME}{text}"))
}

pub(crate) fn options() -> Options {
    Options {
        now: "2026-11-23T12:00:00Z".parse().unwrap(),
        drafts: false,
        future: false,
        base_url: None,
        scope: Scope::Everything,
        pictures: sitewright::build::Pictures::default(),
    }
}

fn built(snapshot: &Snapshot) -> Built {
    build(snapshot, &options(), &Cache::default()).unwrap()
}

pub(crate) fn text<'b>(built: &'b Built, path: &str) -> &'b str {
    match built.outputs.get(path).map(|output| &output.data) {
        Some(OutputData::Bytes(bytes)) => std::str::from_utf8(bytes).unwrap(),
        Some(OutputData::Copy(..)) => panic!("{path} is a copy"),
        None => panic!("no output {path}; there are {:?}", built.outputs.keys().collect::<Vec<_>>()),
    }
}

pub(crate) fn codes(built: &Built) -> Vec<(&str, &str, usize)> {
    built.diagnostics.iter().map(|d| (&*d.code, d.path.as_str(), d.line)).collect()
}

pub(crate) fn finding<'b>(built: &'b Built, code: &str) -> &'b Diagnostic {
    let found = built.diagnostics.iter().find(|d| d.code == code);
    found.unwrap_or_else(|| panic!("no {code} in {:#?}", built.diagnostics))
}

// --- golden sites -----------------------------------------------------------------------------------------------------

pub(crate) fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&at) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Output files as bytes, with the findings as a file of their own.
fn golden_of(built: &Built, sources: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let mut all: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (path, output) in &built.outputs {
        let bytes = match &output.data {
            OutputData::Bytes(bytes) => bytes.to_vec(),
            OutputData::Copy(source, _) => sources[source.as_str()].clone(),
        };
        all.insert(path.clone(), bytes);
    }
    let mut list = String::new();
    for d in &built.diagnostics {
        let _ = writeln!(list, "{:?} {} {}:{}: {}. {}", d.severity, d.code, d.path, d.line, d.message, d.hint);
    }
    all.insert("DIAGNOSTICS".into(), list.into_bytes());
    all
}

/// Builds `tests/sites/<case>/input` and compares every byte with `expected`; `UPDATE=1` writes `expected` anew.
fn golden(case: &str) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sites").join(case);
    let sources = files_below(&root.join("input"));
    assert!(!sources.is_empty(), "no input in {}", root.display());
    let files = sources.iter().map(|(path, bytes)| (ContentPath::from_disk(path).unwrap(), file(bytes.clone())));
    let built = built(&Snapshot::new(files.collect()));
    let actual = golden_of(&built, &sources);
    let folder = root.join("expected");
    if std::env::var_os("UPDATE").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        for (path, bytes) in &actual {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        return;
    }
    let expected = files_below(&folder);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&actual), names(&expected), "output files of {case}");
    for (path, bytes) in &actual {
        let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(show(bytes), show(&expected[path]), "{case}/expected/{path}");
    }
}

#[test]
fn golden_blog() {
    golden("blog");
}

#[test]
fn golden_collections() {
    golden("collections");
}

#[test]
fn golden_languages() {
    golden("languages");
}

#[test]
fn golden_docs() {
    golden("docs");
}

#[test]
fn golden_mixed() {
    golden("mixed");
}

// --- behaviour --------------------------------------------------------------------------------------------------------

#[test]
fn an_empty_site_still_has_a_home_page_and_a_404() {
    let built = built(&with_theme(""));
    assert_eq!(codes(&built), []);
    let names: Vec<&str> = built.outputs.keys().map(String::as_str).collect();
    let expected =
        [".nojekyll", "404.html", "_headers", "index.html", "llms.txt", "robots.txt", "search.json", "sitemap.xml"];
    assert_eq!(names, expected);
    assert!(text(&built, "404.html").contains("<meta name=\"robots\" content=\"noindex\">"));
}

#[test]
fn states_decide_what_is_built() {
    let site = with_theme(
        "\
-- content/live.md --
[d](draft.md) [s](soon.md) [e](gone.md)
-- content/draft.md --
---
draft: true
weight: heavy
---
[x](nowhere.md) {{< unclosed
-- content/soon.md --
---
date: 2027-01-01
---
-- content/gone.md --
---
expires: 2026-01-01
---
",
    );
    let plain = built(&site);
    let state = |name: &str| {
        let page = plain.library.pages.iter().find(|p| p.path.file_name() == name).unwrap();
        (page.state, page.included)
    };
    assert_eq!(state("live.md"), (PageState::Live, true));
    assert_eq!(state("draft.md"), (PageState::Draft, false));
    assert_eq!(state("soon.md"), (PageState::Scheduled, false));
    assert_eq!(state("gone.md"), (PageState::Expired, false));
    assert!(!plain.outputs.contains_key("draft/index.html"));
    let links: Vec<_> = plain.diagnostics.iter().filter(|d| d.code == "link_to_draft").map(|d| d.severity).collect();
    assert_eq!(links, [Severity::Warning; 3]);
    // A draft's own broken link must not keep the rest from going out.
    assert!(plain.diagnostics.iter().all(|d| d.severity != Severity::Error), "{:#?}", plain.diagnostics);
    let all = build(&site, &Options { drafts: true, future: true, ..options() }, &Cache::default()).unwrap();
    assert!(all.outputs.contains_key("draft/index.html") && all.outputs.contains_key("soon/index.html"));
    assert!(!all.outputs.contains_key("gone/index.html"));
    assert_eq!(finding(&all, "broken_link").severity, Severity::Error);
}

#[test]
fn every_way_to_write_a_link_is_resolved() {
    let site = with_theme(
        "\
-- content/blog/_index.md --
-- content/blog/a.md --
---
title: Page A
---
[1](b.md) [2](./b.md) [3](../top.md) [4](/blog/b.md) [5](blog/b.md) [6](@/blog/b.md) [7](/blog/b/) [8](/blog/b)
[9](b.md#part-one) [10](#own) [11]({{< ref \"b\" >}}) [12]({{< relref \"blog/b.md\" >}}) [[b]] [[Page B|text]] [[b#Part one]]
[13](https://example.org/blog/b/) [14](/tags/) ![i](/img/x.png) [15](bundle/) ![j](bundle/pic.png) [16](mailto:a@b.c)
[17](/atom.xml) [18](/sitemap.xml) [19](/old/)
## Own
-- content/blog/b.md --
---
title: Page B
tags: [t]
date: 2026-01-01
aliases: [/old/]
---
## Part one
-- content/top.md --
-- content/blog/bundle/index.md --
![own](pic.png)
-- content/blog/bundle/pic.png --
png
-- static/img/x.png --
png
",
    );
    let built = built(&site);
    assert_eq!(codes(&built), [], "{:#?}", built.diagnostics);
    let html = text(&built, "blog/a/index.html");
    for n in [1, 2, 4, 5, 6, 7, 8, 11, 12, 13, 19] {
        assert!(html.contains(&format!("<a href=\"/blog/b/\">{n}</a>")), "link {n} in {html}");
    }
    for wanted in [
        "<a href=\"/top/\">3</a>",
        "<a href=\"/blog/b/#part-one\">9</a>",
        "<a href=\"#own\">10</a>",
        "<a href=\"/blog/b/\">Page B</a>",
        "<a href=\"/blog/b/\">text</a>",
        "href=\"/blog/b/#part-one\"",
        "<a href=\"/tags/\">14</a>",
        "src=\"/img/x.png\"",
        "src=\"/blog/bundle/pic.png\"",
        "<a href=\"mailto:a@b.c\">16</a>",
        "<a href=\"/atom.xml\">17</a>",
    ] {
        assert!(html.contains(wanted), "{wanted} in {html}");
    }
    assert!(text(&built, "blog/bundle/index.html").contains("src=\"/blog/bundle/pic.png\""));
    let b = built.library.by_url["/blog/b/"];
    let a = built.library.by_url["/blog/a/"];
    assert_eq!(built.library.backlinks[&b], [a]);
    assert!(built.library.pages[a].links.iter().any(|l| l.target == LinkTarget::Listing("/tags/".into())));
}

#[test]
fn a_path_below_content_wins_over_the_address_of_another_page() {
    let site = with_theme(
        "\
-- content/index.md --
[1](/a/) [2](/b/) [3](/c/) [4](/d/) [5](/b/x) [6](/b) [7](/b/#part) [8](/c/?q=1)
-- content/a.md --
---
url: /b/
---
-- content/b.md --
---
url: /a/
---
## Part
-- content/c/index.md --
---
url: /elsewhere/
---
-- content/c.md --
---
url: /file/
---
-- content/d/_index.md --
---
url: /section/
---
-- content/e.md --
---
url: /d/
---
-- content/b/_index.md --
---
url: /below/
---
-- content/b/x --
an asset
",
    );
    let html = text(&built(&site), "index.html").to_owned();
    let expected = ["/b/", "/a/", "/file/", "/section/", "/below/x", "/a/", "/a/#part", "/file/?q=1"];
    for (n, href) in (1..).zip(expected) {
        assert!(html.contains(&format!("<a href=\"{href}\">{n}</a>")), "link {n} in {html}");
    }
}

#[test]
fn broken_links_say_where_and_what_was_meant() {
    let site = with_theme(
        "\
-- content/a.md --
---
title: A
---

[x](helo.md) [y](/gone/)
![p](pic.pgn)
[z](hello.md#sectoin)
{{< nope >}}
-- content/hello.md --
## Section
-- content/pic.png --
png
",
    );
    let built = built(&site);
    let expected = [
        ("broken_link", "content/a.md", 5),
        ("broken_link", "content/a.md", 5),
        ("missing_asset", "content/a.md", 6),
        ("broken_anchor", "content/a.md", 7),
        ("unknown_shortcode", "content/a.md", 8),
    ];
    assert_eq!(codes(&built), expected, "{:#?}", built.diagnostics);
    let refers: Vec<_> = built.diagnostics.iter().filter_map(|d| d.refers.as_deref()).collect();
    assert!(refers.contains(&"content/helo.md") && refers.contains(&"content/gone.md"), "{refers:?}");
    assert!(built.diagnostics.iter().any(|d| d.hint.contains("hello.md")));
    assert!(finding(&built, "missing_asset").hint.contains("content/pic.png"));
    assert_eq!(finding(&built, "broken_anchor").hint, "Did you mean `#section`?");
    assert_eq!(finding(&built, "unknown_shortcode").refers.as_deref(), Some("themes/t/shortcodes/nope.hbs"));
}

#[test]
fn clashing_addresses_are_errors_on_both() {
    let site = with_theme(
        "\
-- content/a.md --
-- content/b.md --
---
url: /a/
aliases: [/c/]
---
-- content/c.md --
-- content/d.md --
---
url: /sitemap.xml
---
-- static/a/index.html --
x
",
    );
    let built = built(&site);
    let seen = codes(&built);
    for wanted in [
        ("duplicate_url", "content/a.md", 0),
        ("duplicate_url", "content/b.md", 0),
        ("redirect_clash", "content/b.md", 0),
        ("reserved_path", "content/d.md", 0),
        ("duplicate_output", "static/a/index.html", 0),
    ] {
        assert!(seen.contains(&wanted), "{wanted:?} in {seen:?}");
    }
}

#[test]
fn bad_pages_are_left_out_and_the_rest_is_built() {
    let mut site = with_theme(
        "\
-- content/good.md --
fine
-- content/bad.md --
---
title: [unclosed
---
-- content/values.md --
---
title: V
weight: heavy
date: someday
---
-- data/broken.yaml --
a: [1
",
    );
    site.set(ContentPath::from_disk("content/latin.md").unwrap(), Some(file(vec![b'a', 0xff, b'b'])));
    let built = built(&site);
    assert!(built.outputs.contains_key("good/index.html"));
    assert!(!built.outputs.contains_key("bad/index.html") && !built.outputs.contains_key("latin/index.html"));
    let seen = codes(&built);
    assert!(seen.contains(&("invalid_value", "content/values.md", 3)), "{seen:?}");
    assert!(seen.contains(&("invalid_value", "content/values.md", 4)), "{seen:?}");
    assert!(seen.contains(&("not_utf8", "content/latin.md", 0)), "{seen:?}");
    assert!(finding(&built, "invalid_front_matter").line >= 2);
    assert_eq!(finding(&built, "invalid_data").path.as_str(), "data/broken.yaml");
}

#[test]
fn sections_terms_and_pages_of_lists() {
    let mut source = String::from("-- content/blog/2026/11/deep.md --\n---\ndate: 2026-11-01\n---\n");
    for n in 1..=45 {
        let _ = writeln!(source, "-- content/blog/p{n:02}.md --\n---\ndate: 2026-01-01\ntags: [Rust, \"C++\"]\n---");
    }
    let built = built(&with_theme(&source));
    assert_eq!(codes(&built), []);
    let keys: Vec<&str> = built.library.sections.keys().map(String::as_str).collect();
    assert_eq!(keys, ["content", "content/blog"], "date folders are no sections");
    assert_eq!(built.library.sections["content/blog"].pages.len(), 46);
    let first = text(&built, "blog/index.html");
    assert!(first.contains("<i>1/3</i>") && first.contains(">Deep</a><a href=\"/blog/p01/\">"), "{first}");
    assert!(text(&built, "blog/page/3/index.html").contains("<i>3/3</i>"));
    assert!(!built.outputs.contains_key("blog/page/4/index.html"));
    assert!(text(&built, "tags/index.html").contains("<b>C++ 45</b><b>Rust 45</b>"));
    assert!(text(&built, "tags/c++/page/3/index.html").contains("<h1>C++</h1>"));
    assert!(
        text(&built, "blog/page/2/index.html").contains("rel=\"canonical\" href=\"https://example.org/blog/page/2/\"")
    );
}

#[test]
fn the_head_is_there_even_where_the_layout_forgot_it() {
    let built = built(&with_theme("-- content/a.md --\n---\ntitle: \"A </script><b>\"\ndate: 2026-01-01\n---\ntext\n"));
    let html = text(&built, "a/index.html");
    assert!(html.contains("<title>A &lt;/script&gt;&lt;b&gt; · Site</title>"), "{html}");
    assert!(html.contains("<link rel=\"canonical\" href=\"https://example.org/a/\">"));
    assert!(html.contains("A \\u003c/script\\u003e"), "{html}");
    assert_eq!(html.matches("</script>").count(), 1, "{html}");
}

#[test]
fn static_files_stand_in_for_generated_ones() {
    let built = built(&with_theme("-- static/robots.txt --\nmine\n-- static/404.html --\nmine\n"));
    assert_eq!(codes(&built), []);
    for path in ["robots.txt", "404.html"] {
        assert!(matches!(built.outputs[path].data, OutputData::Copy(..)), "{path}");
    }
}

#[test]
fn template_faults_are_findings_on_the_template() {
    for (fault, code) in [("{{> nothing}}", "missing_partial"), ("{{range 1 99999999}}", "template_error")] {
        let mut source = THEME.replace("{{{content}}}</body>", &format!("{fault}</body>"));
        source.push_str("-- content/a.md --\n-- content/b.md --\n");
        let built = built(&snapshot(&source));
        let error = finding(&built, code);
        assert_eq!((error.severity, error.path.as_str()), (Severity::Error, "themes/t/layouts/page.hbs"));
        assert_eq!(built.diagnostics.len(), 1, "once, not once a page: {:#?}", built.diagnostics);
        assert!(!built.outputs.contains_key("a/index.html"));
    }
}

#[test]
fn a_site_without_a_theme_says_so() {
    let built = built(&snapshot("-- site.yaml --\ntitle: T\n-- content/a.md --\nx\n"));
    assert!(finding(&built, "missing_layout").hint.contains("themes/default/layouts/"));
    assert!(!built.outputs.contains_key("a/index.html"));
}

#[test]
fn scopes_render_less_and_find_the_same_links() {
    let site = with_theme("-- content/a.md --\n[x](nope.md)\n-- content/b.md --\n[x](nope.md)\n");
    let cache = Cache::default();
    let run = |scope| build(&site, &Options { scope, ..options() }, &cache).unwrap();
    let (all, nothing) = (run(Scope::Everything), run(Scope::Nothing));
    let path = ContentPath::from_disk("content/a.md").unwrap();
    let one = run(Scope::Pages([path].into()));
    assert!(nothing.outputs.is_empty());
    assert_eq!(one.outputs.keys().collect::<Vec<_>>(), ["a/index.html"]);
    assert_eq!(one.outputs["a/index.html"], all.outputs["a/index.html"]);
    assert_eq!(codes(&all), codes(&nothing));
    assert_eq!(codes(&all), codes(&one));
    assert_eq!(one.bodies.len(), 1);
}

#[test]
fn builds_are_equal_whatever_the_cache_and_the_threads() {
    let mut source = String::new();
    for n in 0..60 {
        let _ = writeln!(
            source,
            "-- content/s{}/p{n}.md --\n---\ntags: [a{}, b]\ndate: 2026-01-{:02}\n---\n[n](p{}.md) [[p{}]] {{{{< note kind=\"k\" >}}}}x{{{{< /note >}}}}",
            n % 4,
            n % 7,
            n % 28 + 1,
            (n + 4) % 60,
            (n + 1) % 60,
        );
    }
    let site = with_theme(&source);
    let cold = built(&site);
    let cache = Cache::default();
    let first = build(&site, &options(), &cache).unwrap();
    let warm = build(&site, &options(), &cache).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let single = pool.install(|| built(&site));
    for other in [&first, &warm, &single] {
        assert_eq!(cold.outputs, other.outputs);
        assert_eq!(cold.diagnostics, other.diagnostics);
    }
    assert!(text(&cold, "s0/p0/index.html").contains("<aside>k"), "{}", text(&cold, "s0/p0/index.html"));
}

#[test]
fn a_base_path_reaches_every_address_once() {
    let site = with_theme(
        "\
-- content/a.md --
---
aliases: [/old/]
date: 2026-01-01
---
[b](/b/) [b](b.md) ![i](/i.png)
-- content/b.md --
-- static/i.png --
x
",
    );
    let options = Options { base_url: Some("http://localhost:4000/p/q/".into()), ..options() };
    let built = build(&site, &options, &Cache::default()).unwrap();
    assert_eq!(codes(&built), []);
    let html = text(&built, "a/index.html");
    assert_eq!(html.matches("<a href=\"/p/q/b/\">").count(), 2, "{html}");
    assert!(html.contains("src=\"/p/q/i.png\""));
    assert!(text(&built, "sitemap.xml").contains("<loc>http://localhost:4000/p/q/a/</loc>"));
    assert_eq!(text(&built, "_redirects"), "/p/q/old/ /p/q/a/ 301\n");
    assert!(text(&built, "old/index.html").contains("url=/p/q/a/"));
}

#[test]
fn a_feed_with_whole_content_has_whole_addresses() {
    let source = THEME.replace("theme: t\n", "theme: t\nfeed:\n  full: true\n");
    let site = snapshot(&format!(
        "{source}-- content/a.md --\n---\ndate: 2026-01-01\n---\n[b](b.md) [own](#h) ![i](/i.png)\n## H\n-- content/b.md --\n-- static/i.png --\nx\n"
    ));
    let built = built(&site);
    let feed = text(&built, "atom.xml");
    for wanted in [
        "&lt;a href=&quot;https://example.org/b/&quot;&gt;",
        "&lt;a href=&quot;https://example.org/a/#h&quot;&gt;",
        "src=&quot;https://example.org/i.png&quot;",
    ] {
        assert!(feed.contains(wanted), "{wanted} in {feed}");
    }
}

#[test]
fn an_own_404_page_is_in_no_list() {
    let built = built(&with_theme("-- content/404.md --\n---\ntitle: Lost\ndate: 2026-01-01\n---\nGone.\n"));
    assert!(text(&built, "404.html").contains("<h1>Lost</h1>"));
    assert!(text(&built, "404.html").contains("content=\"noindex\""));
    for list in ["sitemap.xml", "search.json", "index.html"] {
        assert!(!text(&built, list).contains("404"), "{list}");
    }
    assert!(!built.outputs.contains_key("atom.xml"));
}

#[test]
fn redirects_lead_into_the_site_or_to_the_web() {
    let with = |lines: &str| {
        let source = THEME.replace("theme: t\n", &format!("theme: t\nredirects:\n{lines}"));
        snapshot(&format!("{source}-- content/p.md --\n"))
    };
    let built = built(&with("  /b/: https://ok.example/\n  /c/: /p.md#x\n  /p/: /b/\n"));
    assert_eq!(codes(&built), [("redirect_clash", "site.yaml", 7)]);
    assert_eq!(text(&built, "_redirects"), "/b/ https://ok.example/ 301\n/c/ /p/#x 301\n");
    assert!(build(&with("  /a/: javascript://x%0aalert(1)\n"), &options(), &Cache::default()).is_err());
}

#[test]
fn an_entry_is_written_for_the_list_that_it_stands_in() {
    let theme = "\
-- site.yaml --
title: Site
base_url: https://example.org/
theme: t
languages: { de: {} }
-- themes/t/theme.yaml --
name: t
settings:
  mark: { type: text, default: \"*\", description: A mark. }
-- themes/t/layouts/page.hbs --
<head></head>{{> list items=(limit pages 9) label=page.title}}
-- themes/t/layouts/list.hbs --
<head></head>{{> list items=pages label=page.title}}{{#each sections as |label|}}{{#each @root.sections}}<s>{{label.title}}/{{title}}</s>{{/each}}{{/each}}
-- themes/t/partials/list.hbs --
{{#each items}}<a>{{> item}}</a>{{/each}}{{length items}}{{#each items}}<b>{{label}} {{title}}</b>{{/each}}{{#each items as |page i|}}<i>{{i}} {{page.title}}</i>{{/each}}{{#each items as |p|}}<u>{{p.title}} {{@root.page.title}}</u>{{/each}}
-- themes/t/partials/item.hbs --
{{title}} {{@root.settings.mark}}{{@root.site.language}}{{#each terms.tags}}{{@index}}{{name}}{{/each}}
";
    let page = |name: &str, title: &str, tags: &str| {
        format!("-- content/blog/{name}.md --\n---\ntitle: {title}\ntags: {tags}\n---\nText.\n")
    };
    let pages = [page("a", "A", "[x, y]"), page("b", "B", "[y]"), page("a.de", "Ä", "[x]")].concat();
    let home = "-- content/_index.md --\n---\ntitle: Home\n---\n-- content/sub/_index.md --\n---\ntitle: Sub\n---\n";
    let built = build(&snapshot(&format!("{theme}{home}{pages}")), &options(), &Cache::default()).unwrap();
    assert_eq!(
        built.diagnostics.iter().filter(|d| d.severity == Severity::Error).count(),
        0,
        "{:?}",
        built.diagnostics
    );
    let entry = |title: &str, language: &str, tags: &[&str]| {
        let tags: Vec<String> = tags.iter().enumerate().map(|(n, tag)| format!("{n}{tag}")).collect();
        format!("<a>{title} *{language}{}</a>", tags.concat())
    };
    let (a, b) = (entry("A", "en", &["x", "y"]), entry("B", "en", &["y"]));
    let named = |list: &str, titles: &[&str]| {
        let each = |write: &dyn Fn(usize, &str) -> String| -> String {
            titles.iter().enumerate().map(|(n, title)| write(n, title)).collect()
        };
        let (first, numbers) =
            (each(&|_, title| format!("<b>{list} {title}</b>")), each(&|n, title| format!("<i>{n} {title}</i>")));
        format!("{}{first}{numbers}{}", titles.len(), each(&|_, title| format!("<u>{title} {list}</u>")))
    };
    for (path, wanted) in [
        ("blog/index.html", format!("{a}{b}{}", named("Blog", &["A", "B"]))),
        ("tags/x/index.html", format!("{a}{}", named("x", &["A"]))),
        ("tags/y/index.html", format!("{a}{b}{}", named("y", &["A", "B"]))),
        ("de/tags/x/index.html", format!("{}{}", entry("Ä", "de", &["x"]), named("x", &["Ä"]))),
        ("blog/a/index.html", named("A", &[])),
    ] {
        let html = text(&built, path);
        assert!(html.replace('\n', "").contains(&wanted), "{path}: {html}\nnot: {wanted}");
    }
    let crossed = "<s>Blog/Blog</s><s>Blog/Sub</s><s>Sub/Blog</s><s>Sub/Sub</s>";
    assert!(text(&built, "index.html").contains(crossed), "{}", text(&built, "index.html"));
}
