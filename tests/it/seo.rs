//! What search engines and other crawlers are told.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use sitewright::build::hosting::{self, Place};
use sitewright::build::{Built, Cache, build};
use sitewright::model::config::Host;

use crate::build::{codes, options, snapshot, text, with_theme};

const PAGES: &str = "\
-- static/share.png --
png
-- static/logo.svg --
svg
-- content/_index.md --
---
title: Home
---
-- content/blog/_index.md --
---
title: The blog
---
-- content/blog/one.md --
---
title: One {site}
date: 2026-11-01
tags: [x]
---
Text of one.
-- content/empty.md --
---
title: Empty
---
-- content/secret/_index.md --
---
title: Secret
cascade: { noindex: true }
---
-- content/secret/a (b).md --
---
title: A
date: 2026-11-02
---
Hidden.
-- content/hidden/x.md --
---
title: X
noindex: true
---
Hidden too.
";

fn site(config: &str) -> Built {
    let yaml = format!("-- site.yaml --\ntitle: T\ntheme: t\nbase_url: https://example.org/\n{config}");
    build(&with_theme(&format!("{yaml}{PAGES}")), &options(), &Cache::default()).unwrap()
}

fn refused(config: &str) -> String {
    let site = format!("-- site.yaml --\ntitle: T\n{config}");
    build(&snapshot(&site), &options(), &Cache::default()).unwrap_err().to_string()
}

#[test]
fn titles_follow_the_template_of_their_section() {
    let built = site("seo:\n  title: '{title} | {site}'\n  titles:\n    blog: '{title} - {section}'\n");
    assert_eq!(codes(&built), []);
    let title = |path: &str| text(&built, path).split("<title>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(title("blog/one/index.html"), "One {site} - The blog");
    assert_eq!(title("empty/index.html"), "Empty | T");
    assert_eq!(title("index.html"), "T");
    assert_eq!(title("tags/x/index.html"), "x | T");
    assert_eq!(title("404.html"), "Page not found | T");
    for (config, problem) in [
        ("seo: {title: 'none'}\n", "expected a template with {title}"),
        ("seo: {title: '{title} {nme}'}\n", "expected a template with {title}"),
        ("seo: {titles: {blog: 7}}\n", "expected a template such as"),
    ] {
        assert!(refused(config).contains(problem), "{config}: {}", refused(config));
    }
}

#[test]
fn what_a_page_lacks_the_site_says() {
    let built = site(
        "seo:\n  description: Of the site.\n  image: /share.png\n  twitter: '@site'\n  verification: { google: abc, bing: 12 }\n",
    );
    assert_eq!(codes(&built), []);
    let (empty, one, home) =
        (text(&built, "empty/index.html"), text(&built, "blog/one/index.html"), text(&built, "index.html"));
    assert!(empty.contains("<meta name=\"description\" content=\"Of the site.\">"), "{empty}");
    assert!(one.contains("<meta name=\"description\" content=\"Text of one.\">"), "{one}");
    for page in [empty, one, home] {
        assert!(page.contains("<meta property=\"og:image\" content=\"https://example.org/share.png\">"), "{page}");
        assert!(page.contains("<meta name=\"twitter:site\" content=\"@site\">"), "{page}");
    }
    assert!(home.contains("<meta name=\"google-site-verification\" content=\"abc\">"), "{home}");
    assert!(home.contains("<meta name=\"msvalidate.01\" content=\"12\">"), "{home}");
    assert!(!one.contains("google-site-verification"), "{one}");
    let missing = site("seo:\n  image: /shore.png\n  publisher:\n    logo: /logo.svgg\n");
    assert_eq!(codes(&missing), [("missing_asset", "site.yaml", 5), ("missing_asset", "site.yaml", 7)]);
    assert!(refused("seo: {verification: {goggle: x}}\n").contains("unknown service, expected google or bing"));
}

#[test]
fn a_publisher_stands_behind_site_and_articles() {
    let built = site("seo:\n  publisher: { name: Bakers, logo: /logo.svg, same_as: ['https://social.example/@b'] }\n");
    assert_eq!(codes(&built), []);
    let html = text(&built, "blog/one/index.html");
    let json = html.split("application/ld+json\">").nth(1).unwrap().split("</script>").next().unwrap();
    let graph: serde_json::Value = serde_json::from_str(json).unwrap();
    let node = |kind: &str| graph["@graph"].as_array().unwrap().iter().find(|node| node["@type"] == kind).unwrap();
    let organization = node("Organization");
    assert_eq!(organization["@id"], "https://example.org/#publisher");
    assert_eq!(
        (&organization["name"], &organization["logo"]),
        (&"Bakers".into(), &"https://example.org/logo.svg".into())
    );
    assert_eq!(organization["sameAs"][0], "https://social.example/@b");
    for kind in ["WebSite", "BlogPosting"] {
        assert_eq!(node(kind)["publisher"]["@id"], organization["@id"], "{kind}");
    }
    let person = site("seo: {publisher: {type: person, logo: /logo.svg}}\n");
    assert!(text(&person, "index.html").contains(
        r#""@type":"Person","@id":"https://example.org/#publisher","name":"T","url":"https://example.org/","image":"#
    ));
    assert!(refused("seo: {publisher: {same_as: nowhere}}\n").contains("expected an address such as"));
}

#[test]
fn a_site_may_leave_the_markdown_of_its_pages_out() {
    let publish = "publish: {host: cloudflare}\nredirects: {/old/: /blog/one/index.md}\n";
    let (with, without) = (site(publish), site(&format!("{publish}markdown: {{twins: false}}\n")));
    assert_eq!(codes(&with), []);
    let found = |built: &Built| -> Vec<String> { codes(built).into_iter().map(|(code, ..)| code.to_owned()).collect() };
    assert_eq!(found(&without), ["broken_redirect"]);
    let markdown = |built: &Built| built.outputs.keys().filter(|path| path.ends_with(".md")).count();
    assert_eq!((markdown(&with), markdown(&without)), (7, 0));
    for (output, twin) in [
        ("llms.txt", "(https://example.org/blog/one/index.md)"),
        ("blog/one/index.html", "text/markdown"),
        ("_headers", "/*.md"),
    ] {
        assert!(text(&with, output).contains(twin), "{output}");
        assert!(!text(&without, output).contains(twin), "{output}");
    }
    assert!(text(&without, "llms.txt").contains("(https://example.org/blog/one/)"));
    let linked = "-- content/blog/two.md --\n---\ntitle: Two\n---\n[Text](/blog/one/index.md)\n";
    for (config, wanted) in [("", vec![]), ("markdown: {twins: false}\n", vec!["broken_link"])] {
        let yaml = format!("-- site.yaml --\ntitle: T\ntheme: t\nbase_url: https://example.org/\n{config}");
        let built = build(&with_theme(&format!("{yaml}{PAGES}{linked}")), &options(), &Cache::default()).unwrap();
        assert_eq!(found(&built), wanted, "{config}");
    }
}

#[test]
fn a_page_that_is_not_to_be_found_is_nowhere() {
    let built = site("publish: {host: cloudflare}\n");
    assert_eq!(codes(&built), []);
    for path in ["secret/index.html", "secret/a-(b)/index.html", "hidden/x/index.html"] {
        let html = text(&built, path);
        assert!(html.contains("<meta name=\"robots\" content=\"noindex\">"), "{path}: {html}");
        assert!(!html.contains("ld+json"), "{path}: {html}");
    }
    for output in ["sitemap.xml", "atom.xml", "search.json", "llms.txt"] {
        let text = text(&built, output);
        assert!(!text.contains("secret") && !text.contains("/hidden/x"), "{output}: {text}");
    }
    let headers = text(&built, "_headers");
    for url in ["/secret/", "/secret/a-(b)/", "/hidden/x/"] {
        assert!(headers.contains(&format!("\n{url}\n  X-Robots-Tag: noindex\n")), "{url}: {headers}");
    }
    assert!(!headers.contains("/blog/"), "{headers}");
    let place = Place { branch: "main", output: "public" };
    let vercel = &hosting::files(Host::Vercel, &built.library, place)[0].1;
    assert!(vercel.contains(r#""source": "/secret/a-\\(b\\)/""#), "{vercel}");
}

#[test]
fn rules_for_single_pages_stay_within_what_hosts_read() {
    let page = |n: i32| format!("-- content/p{n}.md --\n---\nnoindex: true\n---\nText.\n");
    let pages: Vec<String> = (0..200).map(page).collect();
    let yaml = "-- site.yaml --\ntitle: T\ntheme: t\nbase_url: https://example.org/\n";
    let built = build(&with_theme(&format!("{yaml}{}", pages.concat())), &options(), &Cache::default()).unwrap();
    let rules = text(&built, "_headers").lines().filter(|line| line.starts_with('/')).count();
    assert_eq!(rules, 82);
    assert!(text(&built, "p199/index.html").contains("content=\"noindex\""));
}

#[test]
fn a_whole_site_can_be_kept_out() {
    let built = site("crawlers: {noindex: true}\n");
    for path in ["index.html", "blog/one/index.html", "tags/x/index.html", "blog/index.html"] {
        assert!(text(&built, path).contains("<meta name=\"robots\" content=\"noindex\">"), "{path}");
    }
    assert!(text(&built, "_headers").starts_with("/*\n") && text(&built, "_headers").contains("X-Robots-Tag: noindex"));
    assert!(!text(&built, "sitemap.xml").contains("<loc>"));
    // A crawler that may not read a page never sees that it is not to be listed.
    assert_eq!(text(&built, "robots.txt"), "User-agent: *\nAllow: /\n");
    assert!(!built.outputs.contains_key("atom.xml"));
}

#[test]
fn crawlers_of_ai_services_are_told() {
    let built = site("crawlers: { ai: no-training, disallow: [/drafts/], agents: { GPTBot: allow, Nosy: block } }\n");
    let robots = text(&built, "robots.txt");
    assert!(
        robots.starts_with("User-agent: *\nContent-Signal: search=yes, ai-train=no\nDisallow: /drafts/\nAllow: /\n")
    );
    assert!(robots.contains("User-agent: ClaudeBot\n") && !robots.contains("GPTBot"), "{robots}");
    assert!(
        robots.ends_with("User-agent: Nosy\nDisallow: /\n\nSitemap: https://example.org/sitemap.xml\n"),
        "{robots}"
    );
    for (config, problem) in [
        ("crawlers: {ai: maybe}\n", "expected allow or no-training or block"),
        ("crawlers: {disallow: drafts}\n", "expected paths such as `/private/`"),
        ("crawlers: {disallow: [\"/a\\nAllow: /\"]}\n", "expected paths such as"),
        ("crawlers: {agents: {\"x\\ny\": block}}\n", "expected a crawler's name"),
        ("crawlers: {agents: {GPTBot: no}}\n", "expected allow or block"),
    ] {
        assert!(refused(config).contains(problem), "{config}: {}", refused(config));
    }
}
