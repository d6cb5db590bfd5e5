//! Feeds in every format.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use sitewright::build::{Built, Cache, build};

use crate::build::{codes, options, snapshot, text, with_theme};

const PAGES: &str = "\
-- static/p.png --
png
-- content/a.md --
---
title: A & <b>
description: About \"a\".
date: 2026-11-01T10:00:00+01:00
updated: 2026-11-03
authors: [Ada]
tags: [x]
image: /p.png
---
To [b](b.md).
-- content/b.md --
---
title: B
date: 2026-10-01
lang: de
---
Text of b.
-- content/c.md --
No date.
";

fn site(config: &str) -> Built {
    let yaml = format!("-- site.yaml --\ntitle: T\ntheme: t\nauthor: Eve\nbase_url: https://example.org/p/\n{config}");
    build(&with_theme(&format!("{yaml}{PAGES}")), &options(), &Cache::default()).unwrap()
}

#[test]
fn json_feeds_carry_what_the_format_wants() {
    let built = site("feed: {formats: [json]}\n");
    assert_eq!(codes(&built), []);
    assert!(!built.outputs.contains_key("atom.xml"));
    let feed: Value = serde_json::from_str(text(&built, "feed.json")).unwrap();
    assert_eq!(
        feed,
        json!({
            "version": "https://jsonfeed.org/version/1.1",
            "title": "T",
            "home_page_url": "https://example.org/p/",
            "feed_url": "https://example.org/p/feed.json",
            "language": "en",
            "authors": [{"name": "Eve"}],
            "items": [
                {
                    "id": "https://example.org/p/a/",
                    "url": "https://example.org/p/a/",
                    "title": "A & <b>",
                    "content_text": "About \"a\".",
                    "summary": "About \"a\".",
                    "date_published": "2026-11-01T10:00:00+01:00",
                    "date_modified": "2026-11-03T00:00:00+00:00",
                    "image": "https://example.org/p/p.png",
                    "authors": [{"name": "Ada"}],
                    "tags": ["x"],
                },
                {
                    "id": "https://example.org/p/b/",
                    "url": "https://example.org/p/b/",
                    "title": "B",
                    "content_text": "Text of b.",
                    "summary": "Text of b.",
                    "date_published": "2026-10-01T00:00:00+00:00",
                    "date_modified": "2026-10-01T00:00:00+00:00",
                    "language": "de",
                },
            ],
        })
    );
}

#[test]
fn rss_is_whole_and_escaped() {
    let built = site("description: Of T.\nfeed: {formats: [rss, atom], full: true}\n");
    let feed = text(&built, "rss.xml");
    for part in [
        "<title>T</title>\n  <link>https://example.org/p/</link>\n  <description>Of T.</description>\n  <language>en</language>\n",
        "<atom:link rel=\"self\" type=\"application/rss+xml\" href=\"https://example.org/p/rss.xml\"/>\n",
        "<lastBuildDate>Tue, 03 Nov 2026 00:00:00 +0000</lastBuildDate>\n",
        "<title>A &amp; &lt;b&gt;</title>\n    <link>https://example.org/p/a/</link>\n    <guid>https://example.org/p/a/</guid>\n    <pubDate>Sun, 01 Nov 2026 10:00:00 +0100</pubDate>\n    <dc:creator>Ada</dc:creator>\n    <category>x</category>\n",
        "<content:encoded>&lt;p&gt;To &lt;a href=&quot;https://example.org/p/b/&quot;&gt;",
    ] {
        assert!(feed.contains(part), "no {part} in {feed}");
    }
    assert!(feed.ends_with("</channel>\n</rss>\n"));
    assert!(text(&built, "atom.xml").contains("<entry>"));
}

#[test]
fn every_format_is_named_in_the_head_and_can_be_linked() {
    let built =
        site("taxonomies: {tags: {feed: true}}\nfeed: {formats: [json, atom]}\nredirects: {/old/: /feed.json}\n");
    assert_eq!(codes(&built), []);
    let head = text(&built, "tags/x/index.html");
    for link in [
        "href=\"/p/tags/x/feed.json\" type=\"application/feed+json\" title=\"x\">",
        "href=\"/p/tags/x/atom.xml\" type=\"application/atom+xml\" title=\"x\">",
        "href=\"/p/feed.json\" type=\"application/feed+json\" title=\"T\">",
        "href=\"/p/atom.xml\" type=\"application/atom+xml\" title=\"T\">",
    ] {
        assert!(head.contains(&format!("<link rel=\"alternate\" {link}")), "no {link} in {head}");
    }
    let of_term: Value = serde_json::from_str(text(&built, "tags/x/feed.json")).unwrap();
    assert_eq!((&of_term["title"], of_term["items"].as_array().unwrap().len()), (&json!("x · T"), 1));
}

#[test]
fn no_format_is_no_feed_and_an_unknown_one_is_refused() {
    let none = site("feed: {formats: []}\n");
    assert_eq!(codes(&none), []);
    assert!(!none.outputs.keys().any(|path| path.ends_with("atom.xml")));
    assert!(!text(&none, "index.html").contains("application/atom+xml"));
    let unknown = snapshot("-- site.yaml --\ntitle: T\nfeed: {formats: [atom, gopher]}\n");
    let error = build(&unknown, &options(), &Cache::default()).unwrap_err().to_string();
    assert!(error.contains("expected a list of atom, rss and json, found `gopher`"), "{error}");
}
