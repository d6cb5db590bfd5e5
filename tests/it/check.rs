//! Tests of check.

use serde_json::{Value, json};
use sitewright::site::address::shown;
use sitewright::site::check::{self, CheckQuery, Rule};

use crate::harness::TestSite;
use crate::outside::{Server, send};
use crate::wire::{Client, listen};

/// A page of each fault, and one that is sound.
const SITE: &str = "\
-- content/_index.md --
---
title: Home
description: The first page
---
[Sound](sound.md), [twin](twin.md), [other twin](other.md), [old](old.md), [untitled](untitled.md), [broken](nowhere.md).
-- content/sound.md --
---
title: Sound
description: Nothing is wrong here
---
## Part

### Detail

![A cat](cat.png)
-- content/twin.md --
---
title: The same
---
#### Deep

<a href=\"/sound/\"></a> <img src=\"/cat.png\"> <a href=\"/sound/\"><img src=\"/cat.png\" alt=\"Cat\"></a>
-- content/other.md --
---
title: The same
description: Another one
---
Text.
-- content/old.md --
---
title: Old
description: An old page
date: 2020-01-02
---
Text.
-- content/untitled.md --
Text.
-- content/lonely.md --
---
title: Lonely
description: Nobody links here
build: { list: never }
---
To [itself](lonely.md).
-- content/draft.md --
---
title: Draft
draft: true
date: 2026-01-01
---
Later.
-- static/cat.png --
not really
-- static/unused.png --
nothing names it
-- static/font.woff2 --
a font
-- static/extra.css --
@font-face { src: url('font.woff2') }
-- static/robots.txt --
User-agent: *
";

fn codes(reply: &Value) -> Vec<String> {
    let items = reply["items"].as_array().unwrap_or_else(|| panic!("{reply}"));
    items.iter().map(|item| format!("{} {}", item["code"].as_str().unwrap(), item["path"].as_str().unwrap())).collect()
}

async fn found(site: &TestSite, rule: &str) -> Vec<String> {
    let mut found = codes(&site.call("site_check", json!({"rules": [rule]})).await);
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_finds_its_faults_and_nothing_else() {
    let site = TestSite::new(SITE).await;
    for (rule, expected) in [
        ("links", vec!["broken_link _index.md"]),
        ("schema", vec![]),
        ("templates", vec![]),
        ("accessibility", vec!["empty_link twin.md", "heading_skipped twin.md", "image_without_alt twin.md"]),
        (
            "seo",
            vec![
                "duplicate_title other.md",
                "duplicate_title twin.md",
                "missing_description twin.md",
                "missing_description untitled.md",
                "missing_title untitled.md",
            ],
        ),
        ("orphans", vec!["orphan_page lonely.md"]),
        ("drafts", vec!["old_draft draft.md"]),
        ("stale", vec!["stale_page old.md"]),
        ("assets", vec!["unused_asset static/extra.css", "unused_asset static/unused.png"]),
    ] {
        assert_eq!(found(&site, rule).await, expected, "{rule}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_counts_by_code_and_shows_errors_first() {
    let site = TestSite::new(SITE).await;
    let reply = site.call("site_check", json!({})).await;
    assert_eq!(reply["items"][0]["code"], "broken_link", "{reply}");
    assert_eq!(reply["counts"]["duplicate_title"], 2);
    assert_eq!(reply["errors"], 1);
    assert_eq!(reply["counts"].get("stale_page"), None, "age alone is no fault");
    let sum: u64 = reply["counts"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    let by_severity: u64 = ["errors", "warnings", "notes"].iter().map(|key| reply[key].as_u64().unwrap()).sum();
    assert_eq!((Some(sum), Some(by_severity)), (reply["total"].as_u64(), reply["total"].as_u64()), "{reply}");
    let heading = reply["items"].as_array().unwrap().iter().find(|item| item["code"] == "heading_skipped").unwrap();
    assert_eq!(heading["line"], 4, "{heading}");
    assert_eq!(heading["hint"], "Begin it with `##`.");
    let one = site.call("site_check", json!({"scope": ["twin.md"]})).await;
    assert!(codes(&one).iter().all(|code| code.ends_with(" twin.md")) && one["total"].as_u64() > Some(3), "{one}");
    let error = site.call_err("site_check", json!({"scope": ["/twn/"]})).await;
    assert_eq!(error["code"], "not_found", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_theme_is_said_once_with_how_many_pages_have_it() {
    let site = TestSite::new(SITE).await;
    let layout = std::fs::read_to_string(site.path().join("themes/default/partials/base.hbs")).unwrap();
    let broken = layout.replacen(
        "</body>",
        "<img src=\"/cat.png\"><a href=\"/sound/\"></a><p id=\"x\"></p><p id=\"x\"></p></body>",
        1,
    );
    assert_ne!(layout, broken);
    let without = broken.replacen("<html lang=\"", "<html data-lang=\"", 1);
    assert_ne!(without, broken);
    std::fs::write(site.path().join("themes/default/partials/base.hbs"), without).unwrap();
    let reply = site.call("site_check", json!({"rules": ["accessibility"]})).await;
    let of_theme = |code: &str| {
        let items = reply["items"].as_array().unwrap().iter();
        let found: Vec<&Value> =
            items.filter(|item| item["code"] == code && item["message"].to_string().contains("theme")).collect();
        assert_eq!(found.len(), 1, "{code}: {reply}");
    };
    ["missing_lang", "image_without_alt", "empty_link", "repeated_id"].into_iter().for_each(of_theme);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_markdown_already_told_is_not_said_again_for_its_html() {
    let text = "-- content/_index.md --\n---\ntitle: Home\n---\n![](x.png)\n\n[](a.md)\n-- content/x.png --\nx\n-- content/a.md --\n---\ntitle: A\n---\nText.\n";
    let site = TestSite::new(text).await;
    let found = found(&site, "accessibility").await;
    assert!(
        !found.iter().any(|code| code.starts_with("empty_link") || code.starts_with("image_without_alt")),
        "{found:?}"
    );
    assert!(found.iter().any(|code| code.starts_with("link_text_missing")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn findings_come_in_parts_that_belong_together() {
    let mut text = String::from(SITE);
    for n in 0..90 {
        text.push_str(&format!("-- content/many/p{n:02}.md --\n---\ntitle: Page {n}\n---\n[gone](nowhere-{n}.md)\n"));
    }
    let site = TestSite::new(&text).await;
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let reply = site.call("site_check", json!({"rules": ["links", "seo"], "cursor": cursor})).await;
        assert!(reply.to_string().len() < 22_000, "{}", reply.to_string().len());
        seen.extend(codes(&reply));
        cursor = reply["next_cursor"].clone();
        if cursor.is_null() {
            assert_eq!(reply["total"].as_u64(), u64::try_from(seen.len()).ok());
            break;
        }
    }
    assert!(seen.len() > 180, "{}", seen.len());
    let first = site.call("site_check", json!({"rules": ["links"]})).await["next_cursor"].clone();
    for (rules, cursor) in
        [(json!(["seo"]), first), (json!(["links"]), json!("50-0123456789")), (json!(["links"]), json!("x"))]
    {
        let error = site.call_err("site_check", json!({"rules": rules, "cursor": cursor})).await;
        assert_eq!(error["details"]["field"], "cursor", "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_holds_no_rendered_page_and_finds_what_only_rendering_tells() {
    let site = TestSite::new(SITE).await;
    let (snapshot, _) = site.site().working().unwrap();
    let all = std::sync::atomic::AtomicUsize::new(0);
    let look = |_: &sitewright::build::Seen<'_>| {
        all.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Vec::new()
    };
    let progress = sitewright::model::Progress::default();
    let built = site.site().inspect(&snapshot, sitewright::build::Scope::Everything, false, &progress, &look).unwrap();
    assert!(all.into_inner() >= 8, "each document is looked at");
    let copies = |output: &sitewright::model::Output| matches!(output.data, sitewright::model::OutputData::Copy(..));
    assert!(built.outputs.values().all(copies), "only copies are left");
    assert!(built.bodies.is_empty());
    // A layout that fails while it renders.
    std::fs::write(
        site.path().join("themes/default/layouts/page.hbs"),
        "{{#> base}}{{no_such_helper page.title}}{{/base}}",
    )
    .unwrap();
    let reply = site.call("site_check", json!({"rules": ["templates"]})).await;
    assert!(reply["errors"].as_u64() > Some(0), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_group_has_a_name_that_reads_back() {
    for rule in Rule::ALL {
        assert_eq!(rule.name().parse::<Rule>().unwrap(), rule);
    }
    assert!("linkz".parse::<Rule>().unwrap_err().hint().contains("links,schema"));
    let site = TestSite::new(SITE).await;
    let query = CheckQuery { rules: [Rule::Drafts].into(), drafts: true, ..CheckQuery::default() };
    let report = check::check(site.site(), &query, &sitewright::model::Progress::default()).unwrap();
    let paths: Vec<&str> = report.findings.iter().map(|finding| shown(&finding.path)).collect();
    assert_eq!(paths, ["draft.md"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_to_other_sites_are_asked_only_when_meant_and_only_with_the_right() {
    let server = Server::start(|request, stream| match request.target.as_str() {
        "/gone" => send(stream, "404 Not Found", "", b""),
        "/old" => send(stream, "301 Moved Permanently", "Location: /new\r\n", b""),
        _ => send(stream, "200 OK", "", b"here"),
    });
    let text = format!(
        "-- site.yaml --\ntitle: Test\nbase_url: https://example.org/\ntheme: default\nfetch:\n  allow: [127.0.0.0/8]\n-- content/_index.md --\n---\ntitle: Home\n---\nOne.\n\n[gone]({}) [gone too]({}#part) [old]({}) [new]({})\n",
        server.url("/gone"),
        server.url("/gone"),
        server.url("/old"),
        server.url("/new"),
    );
    let site = TestSite::new(&text).await;
    site.call("site_check", json!({})).await;
    assert!(server.requests().is_empty(), "nobody asked for it");
    let reply = site.call("site_check", json!({"rules": ["external_links"]})).await;
    assert_eq!(reply["counts"], json!({"external_link_broken": 1, "external_link_moved": 1}), "{reply}");
    assert_eq!(
        (&reply["items"][0]["code"], &reply["items"][0]["line"]),
        (&json!("external_link_broken"), &json!(6)),
        "{reply}"
    );
    assert!(reply["items"][1]["hint"].as_str().unwrap().contains(&server.url("/new")), "{reply}");
    let listening = listen(site.server(), "reader reader-token-0123 read\n").await;
    let reader = Client::modern(&listening, "reader-token-0123");
    let before = server.requests().len();
    let refused = reader.call("site_check", json!({"rules": ["links", "external_links"]})).await;
    assert_eq!(refused["code"], "not_allowed", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains("`fetch`"), "{refused}");
    assert_eq!(server.requests().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_long_list_come_from_one_check() {
    let links = (0..130).map(|n| format!("[{n}](none-{n}.md)")).collect::<Vec<_>>().join("\n\n") + "\n";
    let site =
        TestSite::new(&format!("-- content/_index.md --\n---\ntitle: Home\n---\n{links}-- content/a.md --\nText.\n"))
            .await;
    let query = CheckQuery { rules: [Rule::Links].into(), ..CheckQuery::default() };
    let progress = sitewright::model::Progress::default();
    let part = |cursor: Option<&str>| check::check_in_parts(site.site(), &query, cursor, &progress).unwrap();
    let first = part(None);
    let cursor = first.part(None, 0).unwrap().0.cursor(50);
    assert!(std::sync::Arc::ptr_eq(&first, &part(Some(&cursor))), "a second part does not look again");
    assert!(!std::sync::Arc::ptr_eq(&first, &part(None)), "a new question does");
    let mut seen = 0;
    let mut cursor = Value::Null;
    loop {
        let list = site.call("site_check", json!({"rules": ["links"], "cursor": cursor})).await;
        seen += list["items"].as_array().unwrap().len();
        cursor = list["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, 130);
    // After an edit the old list is another one.
    let list = site.call("site_check", json!({"rules": ["links"]})).await;
    let edit = json!({"pages": [{"path": "/", "edits": [{"find": "[7](none-7.md)", "replace": "[7](a.md)"}]}]});
    site.call("page_write", edit).await;
    let error = site.call_err("site_check", json!({"rules": ["links"], "cursor": list["next_cursor"]})).await;
    assert_eq!(error["code"], "invalid_arguments", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn themes_that_are_not_used_are_looked_at_too() {
    let other = "-- themes/other/theme.yaml --\nname: other\n-- themes/other/layouts/page.hbs --\n{{#if page.title}}open\n-- themes/other@0123456789/layouts/page.hbs --\n{{#if\n";
    let site = TestSite::new(&format!("{SITE}{other}")).await;
    let reply = site.call("site_check", json!({"rules": ["templates"]})).await;
    let found = &reply["items"][0];
    assert_eq!(
        (&found["path"], &found["severity"]),
        (&json!("themes/other/layouts/page.hbs"), &json!("warning")),
        "{reply}"
    );
    assert!(reply["items"].as_array().unwrap().iter().all(|item| item["path"] == found["path"]), "{reply}");
    let one = site.call("site_check", json!({"rules": ["templates"], "scope": ["/sound/"]})).await;
    assert_eq!(one["total"], 0, "{one}");
}
