//! Content as sites of Hugo, Zola and Jekyll have it.

use sitewright::build::{Cache, build};
use sitewright::model::{Date, PageState, Severity};

use crate::build::{codes, finding, options, text, with_theme};

const TARGETS: &str = r#"-- content/_index.md --
---
title: Home
cascade:
  - target: {path: "{/news/**}"}
    params: {feature: true, kind: item}
  - _target: {kind: section}
    summary: a section
---
-- content/news/a.md --
---
title: A
params: {kind: own}
---
a
-- content/docs/_index.md --
+++
title = "Docs"
[cascade]
layout = "page"
[cascade.params]
feature = false
+++
-- content/docs/deep/x.md --
---
title: X
---
x
-- themes/t/layouts/page.hbs --
<html><head></head><body><p>{{page.params.feature}} {{page.params.kind}}</p></body></html>
"#;

#[test]
fn sections_hand_values_down() {
    let site = with_theme(TARGETS);
    let built = build(&site, &options(), &Cache::default()).unwrap();
    assert_eq!(codes(&built), [], "{:#?}", built.diagnostics);
    assert!(text(&built, "news/a/index.html").contains("<p>true own</p>"), "{}", text(&built, "news/a/index.html"));
    assert!(
        text(&built, "docs/deep/x/index.html").contains("<p>false </p>"),
        "{}",
        text(&built, "docs/deep/x/index.html")
    );
    let page = |path: &str| &built.library.pages[built.library.by_path[path]];
    assert_eq!(page("content/docs/_index.md").summary, "a section");
    assert_eq!(page("content/docs/deep/x.md").layout.as_deref(), Some("page"));
    assert_eq!(page("content/docs/deep/x.md").summary, "x", "not for a page");
    assert!(!page("content/news/a.md").front_matter.contains_key("cascade"));
    assert_eq!(page("content/news/a.md").front_matter["params"]["kind"], "own", "the file's own values stay apart");
    assert!(page("content/news/a.md").front_matter["params"].get("feature").is_none());
}

const HIDDEN: &str = "\
-- content/_index.md --
[one](parts/one.md)
-- content/parts/_index.md --
---
cascade:
  build: {render: never, list: never, publishResources: false}
---
-- content/parts/deep/one.md --
# One
-- content/parts/one.md --
# One
-- content/terms/_index.md --
---
build: {render: always}
cascade:
  build: {render: false}
---
-- content/terms/two.md --
# Two
-- content/quiet.md --
---
title: Quiet
build: {list: never}
---
-- content/head/index.md --
---
headless: true
---
-- content/zola.md --
+++
title = \"Zola\"
render = false
+++
-- content/shown.md --
---
title: Shown
params: {render: false}
---
";

#[test]
fn pages_that_are_never_written_are_not() {
    let built = build(&with_theme(HIDDEN), &options(), &Cache::default()).unwrap();
    let pages: Vec<&str> = built.outputs.keys().map(String::as_str).filter(|path| path.ends_with(".html")).collect();
    assert_eq!(pages, ["404.html", "index.html", "quiet/index.html", "shown/index.html", "terms/index.html"]);
    let sitemap = text(&built, "sitemap.xml");
    assert!(sitemap.contains("/shown/") && !sitemap.contains("/quiet/"), "{sitemap}");
    assert!(!text(&built, "index.html").contains("/quiet/"));
    assert_eq!(finding(&built, "link_to_draft").severity, Severity::Warning);
    // Not even with drafts: a draft is to come out one day, these are not.
    let all = build(&with_theme(HIDDEN), &sitewright::build::Options { drafts: true, ..options() }, &Cache::default())
        .unwrap();
    assert!(!all.outputs.keys().any(|path| path.starts_with("parts/")));
    assert_eq!(all.library.pages[all.library.by_path["content/zola.md"]].state, PageState::Draft);
}

#[test]
fn redirects_from_names_with_a_dot_are_pages() {
    let built = build(
        &with_theme(
            "-- content/a.md --\n---\naliases: [/functions/lang.merge, /old.php, /b.html, /c/, notes.md]\n---\n# A\n",
        ),
        &options(),
        &Cache::default(),
    )
    .unwrap();
    for path in
        ["functions/lang.merge/index.html", "old.php/index.html", "b.html", "c/index.html", "notes.md/index.html"]
    {
        assert!(text(&built, path).contains("url=/a/"), "{path}");
    }
    assert!(text(&built, "_redirects").contains("/functions/lang.merge /a/ 301"));
}

#[test]
fn heading_ids_can_stay_those_of_zola() {
    let site =
        "-- content/a.md --\n# What's new\n\n## `get_url` 1.31.0\n\n[up](#what-s-new) [b](@/a.md#get-url-1-31-0)\n";
    let built = build(&with_theme(site), &options(), &Cache::default()).unwrap();
    assert_eq!(codes(&built).iter().map(|code| code.0).collect::<Vec<_>>(), ["broken_anchor", "broken_anchor"]);
    let config = "-- site.yaml --\ntitle: S\nbase_url: https://x.org/\ntheme: t\nmarkdown: {heading_ids: zola}\n";
    let built = build(&with_theme(&format!("{config}{site}")), &options(), &Cache::default()).unwrap();
    assert_eq!(codes(&built), []);
    assert!(text(&built, "a/index.html").contains("id=\"get-url-1-31-0\""));
}

#[test]
fn tags_of_liquid_do_not_pass_unseen() {
    let page = "-- content/a.md --\n# A\n\n`{% raw %}` stays.\n\n```\n{% raw %}\n```\n\nSee {% include x.html %}.\n\n{% if y %}\n";
    let built = build(&with_theme(page), &options(), &Cache::default()).unwrap();
    assert_eq!(codes(&built), [("foreign_tag", "content/a.md", 9)]);
    assert!(text(&built, "a/index.html").contains("See {% include x.html %}."));
}

/// Twenty languages and one nobody knows.
const LANGUAGES: &[&str] = &[
    "rust",
    "python",
    "js",
    "ts",
    "go",
    "c",
    "cpp",
    "java",
    "kotlin",
    "swift",
    "ruby",
    "php",
    "sh",
    "sql",
    "html",
    "css",
    "json",
    "yaml",
    "toml",
    "diff",
    "brainfuck",
];

#[test]
fn a_page_of_300_kb_is_whole() {
    let mut page = String::from("+++\ntitle = \"Long\"\ndate = 2026-01-02T03:04:05Z\n+++\n\n");
    let mut n = 0;
    while page.len() < 300_000 {
        n += 1;
        page.push_str(&format!("## Part {n}\n\nText *with* [a link](#part-1), `code` and 🎉.\n\n"));
        let language = LANGUAGES[n % LANGUAGES.len()];
        page.push_str(&format!(
            "```{language}\nlet x{n} = \"<b>\"; // {language}\n```\n\n| a | b |\n|---|---|\n| {n} | 2 |\n\n"
        ));
    }
    let rest = "\
-- content/🎉 fest/json.md --
{
  \"title\": \"Fest\",
  \"date\": \"2026-01-03\"
}
[back](größe/index.md)
-- content/🎉 fest/größe/index.md --
---
title: Größe
date: 2 Jan 2026
---
![Bild](<bild ü.png>)

<figure><img src=\"bild ü.png\" alt=\"x\"></figure>
-- content/🎉 fest/größe/bild ü.png --
png
";
    let built = build(&with_theme(&format!("-- content/lang/lang.md --\n{page}{rest}")), &options(), &Cache::default())
        .unwrap();
    assert_eq!(codes(&built), []);
    let html = text(&built, "lang/lang/index.html");
    assert_eq!(html.matches("<h2 id=").count(), n);
    assert_eq!(html.matches("<table").count(), n);
    assert!(html.matches("data-lang=").count() >= n - n / LANGUAGES.len() - 1);
    let bundle = text(&built, "🎉-fest/größe/index.html");
    assert!(bundle.contains("<figure>"), "{bundle}");
    assert!(built.outputs.keys().any(|path| path.ends_with("größe/bild ü.png")), "{:?}", built.outputs.keys());
    let dates: Vec<_> = ["content/lang/lang.md", "content/🎉 fest/json.md", "content/🎉 fest/größe/index.md"]
        .iter()
        .map(|path| built.library.pages[built.library.by_path[*path]].date.as_ref().map(Date::rfc3339))
        .collect();
    assert_eq!(
        dates,
        ["2026-01-02T03:04:05+00:00", "2026-01-03T00:00:00+00:00", "2026-01-02T00:00:00+00:00"]
            .map(|date| Some(date.to_owned()))
    );
}
