//! Sites in several languages: lists, feeds, menus and search of each.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{Value, json};
use sitewright::build::{Built, Cache, Scope, build};

use crate::build::{codes, options, text, with_theme};
use crate::harness::TestSite;

const THEME: &str = "\
-- themes/t/layouts/page.hbs --
<html lang=\"{{page.lang}}\"><head></head><body>{{#each site.menus.main}}<nav><a href=\"{{url}}\">{{name}}</a>{{#each children}} <a href=\"{{url}}\">{{name}}</a>{{/each}}</nav>{{/each}}{{{content}}}</body></html>
-- themes/t/layouts/list.hbs --
<head></head><h1>{{page.title}}</h1>{{#each pages}}<li>{{title}}</li>{{/each}}{{#each sections}}<dt>{{title}} {{url}}</dt>{{/each}}
";

fn site(config: &str, content: &str) -> Built {
    let yaml = format!("-- site.yaml --\ntitle: T\ntheme: t\nbase_url: https://example.org/\n{config}");
    build(&with_theme(&format!("{yaml}{THEME}{content}")), &options(), &Cache::default()).unwrap()
}

fn page(path: &str, head: &str) -> String {
    format!("-- content/{path} --\n---\n{head}\n---\nText.\n")
}

fn pages(all: &[(&str, &str)]) -> String {
    all.iter().map(|(path, head)| page(path, head)).collect()
}

#[test]
fn a_section_without_a_translation_of_its_own_is_called_as_the_main_one() {
    let built = site(
        "languages: [de, fr]\n",
        &pages(&[
            ("blog/_index.md", "title: Our blog\nweight: 2"),
            ("blog/a.md", "title: A"),
            ("blog/a.de.md", "title: Ah"),
            ("blog/2026/b.de.md", "title: Be"),
            ("hidden/_index.md", "title: Hidden\nbuild: {render: never}"),
            ("hidden/x.de.md", "title: Ix"),
            ("blog/draft.fr.md", "title: Plus tard\ndraft: true"),
        ]),
    );
    assert_eq!(codes(&built), []);
    let list = text(&built, "de/blog/index.html");
    assert!(list.contains("<h1>Our blog</h1><li>Ah</li><li>Be</li>") && !list.contains("<li>A</li>"), "{list}");
    assert!(list.contains("hreflang=\"en\""), "{list}");
    let home = text(&built, "de/index.html");
    assert!(home.contains("<h1>T</h1>") && home.contains("<dt>Our blog /de/blog/</dt>"), "{home}");
    let outputs: Vec<&String> = built.outputs.keys().collect();
    assert!(!outputs.iter().any(|path| path.starts_with("fr/")), "nothing appears for a draft: {outputs:?}");
    assert!(!built.outputs.contains_key("de/hidden/index.html"), "{outputs:?}");
    assert!(built.outputs.contains_key("de/hidden/x/index.html"), "{outputs:?}");
}

#[test]
fn a_folder_in_another_language_alone_is_no_section_of_the_main_one() {
    let built = site("languages: [de]\n", &pages(&[("a.md", "title: A"), ("neues/b.de.md", "title: Be")]));
    assert!(text(&built, "de/neues/index.html").contains("<h1>Neues</h1><li>Be</li>"));
    assert!(!built.outputs.contains_key("neues/index.html"), "{:?}", built.outputs.keys());
    assert!(!text(&built, "index.html").contains("Neues"));
}

/// A language may have a folder of its own, as in Hugo, with `lang` handed down.
#[test]
fn pages_that_say_their_language_are_in_its_lists() {
    let content = pages(&[
        ("_index.md", "title: Home\ntranslation_key: home"),
        ("de/_index.md", "title: Start\ntranslation_key: home\ncascade: {lang: de}\nlang: de"),
        ("de/neues/eins.md", "title: Eins\ndate: 2026-01-01"),
        ("blog/one.md", "title: One\ndate: 2026-01-01"),
    ]);
    let built = site("languages: [de]\n", &content);
    assert_eq!(codes(&built), []);
    let start = text(&built, "de/index.html");
    assert!(start.contains("<h1>Start</h1>") && start.contains("hreflang=\"en\""), "{start}");
    assert!(start.contains("<dt>Neues /de/neues/</dt>"), "{start}");
    let home = text(&built, "index.html");
    assert!(home.contains("<li>One</li>") && !home.contains("Eins") && !home.contains("Start</dt>"), "{home}");
    assert!(text(&built, "de/atom.xml").contains("Eins") && !text(&built, "atom.xml").contains("Eins"));
    // A language that the site does not have stays in the lists of its own.
    assert!(text(&site("", &content), "index.html").contains("<li>Eins</li>"));
}

#[test]
fn menus_lead_to_translations_unless_a_language_has_its_own() {
    let menus = "menus:\n  main:\n    - {name: First, page: one.md, children: [{name: Only, page: two.md}]}\n";
    let content = pages(&[
        ("one.md", "title: One"),
        ("one.de.md", "title: Eins"),
        ("one.fr.md", "title: Un"),
        ("two.md", "title: Two"),
        ("three.md", "title: Three\nmenus: {main: {name: Third, parent: First}}"),
        ("three.de.md", "title: Drei"),
        ("four.md", "title: Four\nmenus: main"),
        ("four.de.md", "title: Vier\nmenus: {main: {name: Viertens, weight: -1}}"),
        ("five.fr.md", "title: Cinq\nmenus: {main: {parent: Premier}}"),
    ]);
    let own = "languages: {de: , fr: {menus: {main: [{name: Premier, page: /one/}]}}}\n";
    let built = site(&format!("{menus}{own}"), &content);
    assert_eq!(codes(&built), []);
    let nav = |path: &str| {
        let html = text(&built, path);
        html[html.find("<nav>").unwrap()..html.rfind("</nav>").unwrap()].to_owned()
    };
    let main = "<nav><a href=\"/one/\">First</a> <a href=\"/two/\">Only</a> <a href=\"/three/\">Third</a></nav><nav><a href=\"/four/\">Four</a>";
    assert_eq!(nav("one/index.html"), main);
    let german = "<nav><a href=\"/de/four/\">Viertens</a></nav><nav><a href=\"/de/one/\">Eins</a> <a href=\"/two/\">Only</a> <a href=\"/de/three/\">Drei</a>";
    assert_eq!(nav("de/one/index.html"), german);
    assert_eq!(nav("fr/one/index.html"), "<nav><a href=\"/fr/one/\">Premier</a> <a href=\"/fr/five/\">Cinq</a>");
}

#[test]
fn a_broken_entry_of_a_languages_menu_is_found_once() {
    let config = "languages:\n  de:\n    menus:\n      main:\n        - {name: Weg, page: weg.md}\nmenus:\n  main:\n    - {name: Gone, page: gone.md}\n";
    let built = site(config, &pages(&[("a.md", "title: A"), ("a.de.md", "title: Ah")]));
    assert_eq!(codes(&built), [("broken_link", "site.yaml", 8), ("broken_link", "site.yaml", 11)]);
}

#[test]
fn where_a_page_stands_at_a_languages_address_no_list_is_made() {
    let built = site("languages: [de]\n", &pages(&[("de.md", "title: About Germany"), ("x/a.de.md", "title: Ah")]));
    assert_eq!(codes(&built), []);
    assert!(text(&built, "de/index.html").contains("Text."));
    assert!(text(&built, "de/x/index.html").contains("<li>Ah</li>"));
}

#[test]
fn titles_that_two_languages_share_mean_the_own_one() {
    let content = format!(
        "{}-- content/a.de.md --\n[[Kiosk]]\n-- content/b.md --\n[[Kiosk]]\n",
        pages(&[("kiosk.md", "title: Kiosk"), ("kiosk.de.md", "title: Kiosk")])
    );
    let built = site("languages: [de]\n", &content);
    assert_eq!(codes(&built), []);
    assert!(text(&built, "de/a/index.html").contains("href=\"/de/kiosk/\""));
    assert!(text(&built, "b/index.html").contains("href=\"/kiosk/\""));
}

#[test]
fn languages_are_a_list_or_say_what_is_called_otherwise() {
    let built = site("languages: {en: {title: X}, de: {titel: X}}\n", "");
    assert_eq!(codes(&built), [("unknown_config_key", "site.yaml", 4), ("unknown_config_key", "site.yaml", 4)]);
    let wrong = |languages: &str| {
        let yaml = format!("-- site.yaml --\ntitle: T\nlanguages: {languages}\n");
        build(&with_theme(&yaml), &options(), &Cache::default()).unwrap_err().to_string()
    };
    assert!(wrong("{de: Deutsch}").contains("expected a list such as [de, fr], or a mapping"));
    assert!(wrong("[{de: x}]").contains("expected a list such as [de, fr], or a mapping"));
    assert!(wrong("{../x: {}}").contains("expected a language tag"));
}

const BOTH: &str = "\
-- site.yaml --
title: T
base_url: https://example.org/
languages: {de: {name: Deutsch}, fr: {}}
-- content/_index.md --
---
title: Home
---
-- content/blog/_index.md --
---
title: Blog
---
-- content/blog/_index.de.md --
---
title: Neues
---
-- content/blog/a.md --
---
title: A
tags: [x]
---
-- content/blog/a.de.md --
---
title: Ah
tags: [x]
---
-- content/blog/seul.fr.md --
---
title: Seul
---
";

#[tokio::test(flavor = "multi_thread")]
async fn what_lacks_a_language_is_named_when_asked() {
    let site = TestSite::new(BOTH).await;
    let usual = site.call("site_check", json!({})).await;
    assert_eq!(usual["counts"].get("missing_translation"), None, "{usual}");
    let reply = site.call("site_check", json!({"rules": ["translations"]})).await;
    assert_eq!((&reply["counts"]["missing_translation"], &reply["notes"]), (&json!(4), &json!(4)), "{reply}");
    let said: Vec<String> = reply["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| format!("{}: {} {}", item["path"], item["message"], item["hint"]).replace('"', ""))
        .collect();
    let hint = |name: &str| format!("Write `{name}` beside it with page_write and `create: true`.");
    let expected = [
        format!("_index.md: it is not there in de, fr {}", hint("_index.de.md")),
        format!("blog/_index.md: it is not there in fr {}", hint("_index.fr.md")),
        format!("blog/a.md: it is not there in fr {}", hint("a.fr.md")),
        format!("blog/seul.fr.md: it is not there in en, de {}", hint("seul.md")),
    ];
    assert_eq!(said, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_see_the_lists_of_every_language() {
    let site = TestSite::new(BOTH).await;
    let overview = site.call("site_get", json!({"include": ["sections", "taxonomies"]})).await;
    assert_eq!(overview["languages"], json!(["de", "fr"]), "{overview}");
    let urls =
        |key: &str| -> Vec<&Value> { overview[key].as_array().unwrap().iter().map(|item| &item["url"]).collect() };
    assert_eq!(urls("sections"), ["/", "/blog/", "/de/", "/de/blog/", "/fr/", "/fr/blog/"]);
    assert_eq!(urls("taxonomies"), ["/tags/", "/de/tags/"]);
    let edit = json!({"pages": [{"path": "blog/a.de.md", "front_matter": {"title": "Neu"}}]});
    let reply = site.call("page_write", edit).await;
    let affected = reply["affected_urls"].to_string();
    assert!(affected.contains("\"/de/blog/\"") && !affected.contains("\"/blog/\""), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sections_translation_moves_and_goes_alone() {
    let site = TestSite::new(BOTH).await;
    let moved = json!({"moves": [{"from": "blog/_index.de.md", "to": "blog/_index.fr.md"}]});
    site.call("page_move", moved).await;
    assert!(site.path().join("content/blog/a.md").exists() && site.path().join("content/blog/_index.fr.md").exists());
    let etag = site.call("page_get", json!({"paths": ["/fr/blog/"]})).await["pages"][0]["etag"].clone();
    site.call("page_delete", json!({"pages": [{"path": "blog/_index.fr.md", "if_match": etag}]})).await;
    assert!(
        site.path().join("content/blog/_index.md").exists() && !site.path().join("content/blog/_index.fr.md").exists()
    );
    let lists = site.call("page_list", json!({"section": "/de/blog/"})).await;
    assert_eq!(lists["total"], 4, "{lists}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_changes_the_menus_of_every_language() {
    let yaml = "-- site.yaml --\ntitle: T\nbase_url: https://example.org/\nlanguages:\n  de:\n    menus:\n      main:\n        - {name: Ah, page: blog/a.md}\n";
    let site = TestSite::new(&format!("{yaml}-- content/blog/a.md --\n---\ntitle: A\n---\n")).await;
    site.call("page_move", json!({"moves": [{"from": "blog/a.md", "to": "blog/b.md"}]})).await;
    assert!(site.read("site.yaml").contains("{name: Ah, page: blog/b.md}"), "{}", site.read("site.yaml"));
}

/// The bundled theme shows other languages where there are any.
#[tokio::test(flavor = "multi_thread")]
async fn the_bundled_theme_switches_languages() {
    let site = TestSite::new(BOTH).await;
    let html = |path: &str| {
        let (snapshot, _) = site.site().working().unwrap();
        let built = site.site().build(&snapshot, Scope::Everything, false, None).unwrap();
        text(&built, path).to_owned()
    };
    let english = html("blog/a/index.html");
    assert!(english.contains("<li><a href=\"/de/blog/a/\" lang=\"de\" hreflang=\"de\">Deutsch</a></li>"), "{english}");
    assert!(!html("fr/blog/seul/index.html").contains("class=\"languages\""));
    let german = html("de/blog/a/index.html");
    assert!(german.contains("<a class=\"site-title\" href=\"/de/\">"), "{german}");
}
