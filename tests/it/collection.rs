//! Collections: schemas of sections, what they find, and what a new page begins with.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::json;
use sitewright::build::{Cache, build};
use sitewright::model::Severity;

use crate::build::{codes, finding, options, snapshot, text, with_theme};
use crate::harness::TestSite;

const SITE: &str = "\
-- site.yaml --
title: Test
base_url: https://example.org/
theme: default
collections:
  recipes:
    fields:
      servings: { type: integer, required: true, min: 1, description: how many it feeds }
      level: { values: [easy, hard], default: easy }
      cook: { type: page, section: people }
    archetype:
      front_matter: { level: hard, draft: true }
      body: |
        ## Ingredients
-- content/recipes/_index.md --
---
title: Recipes
---
-- content/recipes/bread.md --
---
title: Bread
servings: 4
---
Flour.
-- content/people/ada.md --
---
title: Ada
---
Bakes.
";

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_breaks_the_schema_is_refused_with_field_line_and_values() {
    let site = TestSite::new(SITE).await;
    let write = json!({"pages": [{"path": "recipes/bread.md", "front_matter": {"level": "hrd"}}]});
    let error = site.call_err("page_write", write).await;
    assert_eq!(error["code"], "build_failed", "{error}");
    let finding = &error["details"]["diagnostics"][0];
    assert_eq!((&finding["code"], &finding["line"]), (&json!("schema_value"), &json!(4)), "{error}");
    assert_eq!(finding["message"], "`level` is \"hrd\", expected easy or hard");
    assert_eq!(finding["hint"], "Did you mean `level: hard`?");
    let missing = json!({"pages": [{"path": "recipes/bread.md", "front_matter": {"servings": null}}]});
    let error = site.call_err("page_write", missing).await;
    let finding = &error["details"]["diagnostics"][0];
    assert_eq!(finding["code"], "schema_required", "{error}");
    assert_eq!(finding["hint"], "Set it (how many it feeds): `servings: 3`.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_may_be_written_before_its_target() {
    let site = TestSite::new(SITE).await;
    let write = json!({"pages": [{"path": "recipes/bread.md", "front_matter": {"cook": "people/eve.md"}}]});
    let reply = site.call("page_write", write).await;
    assert!(reply["diagnostics"].to_string().contains("schema_reference"), "{reply}");
    let eve = json!({"pages": [{"path": "people/eve.md", "create": true, "front_matter": {"title": "Eve"}}]});
    site.call("page_write", eve).await;
    assert_eq!(site.call("site_get", json!({})).await["diagnostics"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_page_begins_with_the_archetype() {
    let site = TestSite::new(SITE).await;
    let new = json!({"pages": [{"path": "recipes/pie.md", "create": true,
        "front_matter": {"title": "Pie", "servings": 8, "draft": null}}]});
    site.call("page_write", new).await;
    site.assert_file("content/recipes/pie.md", "---\ntitle: Pie\nservings: 8\nlevel: hard\n---\n\n## Ingredients\n");
    // What the call names itself wins, and pages elsewhere begin empty.
    let own = json!({"pages": [
        {"path": "recipes/tart/index.md", "create": true, "front_matter": {"title": "Tart", "servings": 2, "level": "easy"}, "body": "Own.\n"},
        {"path": "recipes/cakes/_index.md", "create": true, "front_matter": {"title": "Cakes"}},
        {"path": "people/bob.md", "create": true, "front_matter": {"title": "Bob"}},
    ]});
    site.call("page_write", own).await;
    site.assert_file(
        "content/recipes/tart/index.md",
        "---\ntitle: Tart\nservings: 2\nlevel: easy\ndraft: true\n---\n\nOwn.\n",
    );
    site.assert_file("content/recipes/cakes/_index.md", "---\ntitle: Cakes\n---\n");
    site.assert_file("content/people/bob.md", "---\ntitle: Bob\n---\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sees_the_schema() {
    let site = TestSite::new(SITE).await;
    let reply = site.call("site_get", json!({"include": ["collections"]})).await;
    let recipes = &reply["collections"]["recipes"];
    assert_eq!((&recipes["section"], &recipes["pages"]), (&json!("recipes"), &json!(1)), "{reply}");
    assert_eq!(recipes["fields"]["level"], json!({"type": "enum", "values": ["easy", "hard"], "default": "easy"}));
    assert_eq!(recipes["fields"]["servings"]["required"], true);
    assert_eq!(recipes["archetype"]["front_matter"]["level"], "hard");
}

#[test]
fn a_draft_may_be_incomplete() {
    let draft =
        SITE.replace("title: Bread\nservings: 4", "title: Bread\ndraft: true").replace("theme: default", "theme: t");
    let built = build(&with_theme(&draft), &options(), &Cache::default()).unwrap();
    assert_eq!(finding(&built, "schema_required").severity, Severity::Warning);
}

#[test]
fn bad_schemas_are_refused_at_their_line() {
    for (field, problem) in [
        ("{ type: colour }", "expected string or text or number"),
        ("{ type: enum }", "an enum needs `values`"),
        ("{ type: integer, default: many }", "expected a whole number"),
        ("{ type: integer, min: 5, max: 2 }", "5 is more than `max`"),
        ("{ type: date, min: soon }", "expected a date such as"),
        ("{ pattern: '(' }", "is no regular expression"),
        ("{ pattern: '(((a{100}){100}){100}){100}' }", "too large"),
        ("{ type: list, items: list }", "a list of lists"),
        ("{ values: [] }", "expected a list of allowed values"),
        ("7", "expected string or text"),
    ] {
        let site = format!("-- site.yaml --\ntitle: T\ncollections:\n  a:\n    fields:\n      f: {field}\n");
        let error = build(&snapshot(&site), &options(), &Cache::default()).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("site.yaml:5"), "{field}: {error}");
    }
    let twice = "-- site.yaml --\ntitle: T\ncollections:\n  a: {section: x}\n  b: {section: /content/x/}\n";
    let error = build(&snapshot(twice), &options(), &Cache::default()).unwrap_err().to_string();
    assert!(error.contains("that of `a`"), "{error}");
}

#[test]
fn layouts_and_sections_that_do_not_exist_are_named() {
    let site = "-- site.yaml --\ntitle: T\ntheme: t\ncollections:\n  recipe:\n    layout: recipee\n    section: recipe\n-- content/recipes/a.md --\nA.\n";
    let built = build(&with_theme(site), &options(), &Cache::default()).unwrap();
    assert_eq!(codes(&built), [("unknown_layout", "site.yaml", 5), ("empty_collection", "site.yaml", 6)]);
    assert_eq!(finding(&built, "empty_collection").hint, "Did you mean `section: recipes`?");
}

#[test]
fn the_innermost_collection_counts() {
    let site = "-- site.yaml --\ntitle: T\ntheme: t\ncollections:\n  all: {section: '', fields: {a: {default: outer}}}\n  in: {section: x/y, fields: {b: {default: inner}}}\n-- content/x/y/p.md --\nP.\n-- content/x/q.md --\nQ.\n-- themes/t/layouts/page.hbs --\n<head></head>{{page.collection}} {{page.params.a}} {{page.params.b}}\n";
    let built = build(&with_theme(site), &options(), &Cache::default()).unwrap();
    assert!(text(&built, "x/y/p/index.html").contains("in  inner"));
    assert!(text(&built, "x/q/index.html").contains("all outer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archetype_knows_the_day_and_the_title() {
    let dated = SITE.replace("{ level: hard, draft: true }", "{ date: '{date}', made: '{time}', head: ['{title}!'] }");
    let site = TestSite::new(
        &dated
            .replace("## Ingredients", "## Ingredients of {title}")
            .replace("title: Test\n", "title: Test\ntimezone: Pacific/Auckland\n"),
    )
    .await;
    let new =
        json!({"pages": [{"path": "recipes/pie.md", "create": true, "front_matter": {"title": "Pie", "servings": 8}}]});
    site.call("page_write", new).await;
    let page = site.read("content/recipes/pie.md");
    // Noon in Greenwich is the next day in Auckland.
    for part in ["date: 2026-11-24", "made: 2026-11-24T01:00:00+13:00", "Pie!", "## Ingredients of Pie\n"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn references_and_menus_follow_a_page_that_moves() {
    let site = TestSite::new(
        &SITE
            .replace("cook: { type: page, section: people }", "cook: { type: page }\n      helpers: { type: list, items: page }\n      plain: string")
            .replace("collections:\n", "menus:\n  main:\n    - {name: Ada, page: people/ada.md} # the cook\n    - name: Bread\n      url: /recipes/bread/#crust\n    - {name: Elsewhere, url: 'https://else.example/people/ada/'}\ncollections:\n")
            .replace("Flour.", "## Crust\n\nFlour.")
            .replace("servings: 4\n", "servings: 4\ncook: people/ada.md # always\nhelpers: [ada, /people/ada/, people/bob.md]\nplain: people/ada.md\n")
            .replace("-- content/people/ada.md", "-- content/people/bob.md --\n---\ntitle: Bob\n---\n-- content/people/ada.md"),
    )
    .await;
    let config = site.read("site.yaml");
    let moves = json!([{"from": "people/ada.md", "to": "staff/countess.md"}, {"from": "recipes/bread.md", "to": "recipes/loaf.md"}]);
    let reply = site.call("page_move", json!({"moves": moves})).await;
    let page = site.read("content/recipes/loaf.md");
    for line in [
        "cook: staff/countess.md # always\n",
        "helpers: [staff/countess, /staff/countess/, people/bob.md]\n",
        "plain: people/ada.md\n",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    let moved = config
        .replace("page: people/ada.md", "page: staff/countess.md")
        .replace("/recipes/bread/#crust", "/recipes/loaf/#crust");
    site.assert_file("site.yaml", &moved);
    assert!(reply["notes"].to_string().contains("Ada, Bread"), "{reply}");
    assert_eq!(site.call("site_get", json!({})).await["diagnostics"], json!({}));
    site.call("revision_restore", json!({"undo": [reply["revision"]]})).await;
    site.assert_file("site.yaml", &config);
    // Whoever may not write site.yaml is told what stays.
    let listening = crate::wire::listen(site.server(), "writer  writer-token-0123  read,content\n").await;
    let client = crate::wire::Client::modern(&listening, "writer-token-0123");
    let reply =
        client.call("page_move", json!({"moves": [{"from": "people/ada.md", "to": "people/lovelace.md"}]})).await;
    assert!(reply["notes"].to_string().contains("still name the old place: Ada"), "{reply}");
    site.assert_file("site.yaml", &config);
    assert!(
        site.read("content/recipes/bread.md").contains("helpers: [people/lovelace, /people/lovelace/, people/bob.md]")
    );
}
