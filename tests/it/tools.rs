//! The tool surface as an agent meets it: what is listed, how it is described, and that no argument can break it.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sitewright::tools::{Browser, Registry, Tool};

use crate::harness::TestSite;

const NAMES: &[&str] = &[
    "site_get",
    "site_update",
    "site_sync",
    "site_check",
    "page_list",
    "page_get",
    "page_write",
    "page_move",
    "page_delete",
    "text_search",
    "text_replace",
    "asset_list",
    "asset_write",
    "asset_delete",
    "theme_get",
    "theme_write",
    "theme_use",
    "preview",
    "change_list",
    "change_diff",
    "change_discard",
    "change_open",
    "change_close",
    "publish",
    "revision_list",
    "revision_restore",
    "content_import",
    "feedback_submit",
    "friction_report",
    "self_test",
];

pub(crate) const PAGES: &str = "\
-- content/_index.md --
---
title: Home
---
Welcome, see [hello](blog/hello.md).
-- content/blog/_index.md --
---
title: Blog
---
-- content/blog/hello.md --
---
title: Hello
date: 2026-11-01
tags: [rust]
---
## Start

Some words.
-- content/blog/draft.md --
---
title: Not yet
draft: true
---
Later.
";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every tool with every argument it can have: as where a browser is installed, for which any program stands in.
fn full() -> Registry {
    let browser = Browser::among(Some(OsStr::new("/bin/sh")), OsStr::new("")).expect("a program");
    Registry::standard().with_browser(Arc::new(browser))
}

fn listed(tool: &Tool) -> Value {
    serde_json::to_value(tool.listed()).expect("a tool is JSON")
}

/// Every schema below a schema, with its path.
pub(crate) fn walk<'a>(schema: &'a Map<String, Value>, at: String, found: &mut Vec<(String, &'a Map<String, Value>)>) {
    if let Some(Value::Object(properties)) = schema.get("properties") {
        for (name, property) in properties {
            let Value::Object(property) = property else { panic!("{at}.{name} is no object: {property}") };
            walk(property, format!("{at}.{name}"), found);
        }
    }
    if let Some(items) = schema.get("items") {
        let Value::Object(items) = items else { panic!("{at}[] is no object: {items}") };
        walk(items, format!("{at}[]"), found);
    }
    found.push((at, schema));
}

fn schemas(tool: &Tool) -> Vec<(String, &Map<String, Value>)> {
    let mut found = Vec::new();
    walk(&tool.listed().input_schema, tool.name().to_owned(), &mut found);
    found
}

#[test]
fn the_tools_of_this_release_in_their_order() {
    for _ in 0..10 {
        let registry = full();
        assert_eq!(registry.tools().map(Tool::name).collect::<Vec<_>>(), NAMES);
    }
}

#[test]
fn the_list_stays_within_its_budget() {
    let registry = full();
    let list: Vec<Value> = registry.tools().map(listed).collect();
    for tool in &list {
        let bytes = tool.to_string().len();
        assert!(bytes <= 2_000, "{} has {bytes} bytes", tool["name"]);
    }
    let bytes = |list: &[Value]| json!({"tools": list}).to_string().len();
    assert!(bytes(&list) <= 24_000, "tools/list has {} bytes", bytes(&list));
    // What the improvement loop may take of it is not for the others.
    let own: Vec<Value> =
        list.iter().filter(|tool| !LOOP.contains(&tool["name"].as_str().unwrap_or_default())).cloned().collect();
    assert!(bytes(&own) <= 24_000 - 2_800, "the tools without the loop's have {} bytes", bytes(&own));
}

/// The tools of the improvement loop.
const LOOP: [&str; 3] = ["feedback_submit", "friction_report", "self_test"];

#[test]
fn descriptions_tell_what_and_when_at_once() {
    for tool in full().tools() {
        let text = tool.listed().description.as_deref().unwrap_or_default();
        let first = text.split_inclusive(". ").next().unwrap_or_default().trim();
        assert!(first.chars().count() <= 120, "{}: {} characters: {first}", tool.name(), first.chars().count());
        assert!(text.chars().count() <= 1_000 && text.ends_with('.'), "{}: {text}", tool.name());
        assert!(text.contains("Replies") || text.contains("repl"), "{} does not tell its reply", tool.name());
        assert!(tool.listed().title.as_deref().is_some_and(|title| !title.is_empty()), "{}", tool.name());
        for (at, schema) in schemas(tool) {
            // The arguments that most of them have, and names that say it all, are described in the reference.
            let bare = at.rsplit('.').next().is_some_and(|name| COMMON.contains(&name) || PLAIN.contains(&name));
            let described = at == tool.name() || at.ends_with("[]") || bare || schema.contains_key("description");
            assert!(described, "{at} has no description");
        }
        let mut all = Vec::new();
        walk(tool.schema(), tool.name().to_owned(), &mut all);
        for (at, schema) in all {
            let common = COMMON.iter().any(|name| at == format!("{}.{name}", tool.name()));
            let own = at == "change_close.change_set";
            assert!(!common || own || schema.contains_key("description"), "{at} is not in the reference");
        }
    }
}

/// Arguments of many tools, described in the server's instructions and in the reference.
const COMMON: [&str; 6] = ["message", "dry_run", "limit", "cursor", "change_set", "publish"];

/// Lists and values whose name and tool say what they are.
const PLAIN: [&str; 16] = [
    "assets", "pages", "moves", "files", "path", "find", "replace", "include", "section", "glob", "term", "edits",
    "if_match", "theme", "how", "purpose",
];

#[test]
fn what_the_list_leaves_out_is_in_the_instructions() {
    for name in ["message", "dry_run", "change_set", "publish: true"] {
        assert!(sitewright::server::INSTRUCTIONS.contains(name), "{name}");
    }
}

#[test]
fn names_are_words_a_client_takes() {
    for tool in full().tools() {
        assert!(tool.name().len() <= 40 && tool.name().chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        for (at, schema) in schemas(tool) {
            let Some(Value::Object(properties)) = schema.get("properties") else { continue };
            for name in properties.keys() {
                assert!(!["id", "data", "name", "method"].contains(&name.as_str()), "{at}.{name}");
            }
        }
    }
}

/// Every tool that reads or writes the site can be told which change set it is about, in one way.
#[test]
fn a_change_set_can_be_named_everywhere() {
    for tool in Registry::standard().tools() {
        let shown = &tool.listed().input_schema["properties"];
        let whole_site =
            matches!(tool.name(), "site_sync" | "change_open" | "feedback_submit" | "friction_report" | "self_test");
        assert_eq!(shown.get("change_set").is_some(), !whole_site, "{}", tool.name());
        if !whole_site && tool.name() != "change_close" {
            assert_eq!(shown["change_set"], json!({"type": "string"}), "{}", tool.name());
            assert!(tool.schema()["properties"]["change_set"]["description"].is_string(), "{}", tool.name());
        }
    }
}

#[test]
fn schemas_use_only_what_every_client_understands() {
    const ALLOWED: [&str; 12] = [
        "type",
        "description",
        "enum",
        "minimum",
        "maximum",
        "minLength",
        "minItems",
        "maxItems",
        "items",
        "properties",
        "required",
        "additionalProperties",
    ];
    for tool in full().tools() {
        for (at, schema) in schemas(tool) {
            for key in schema.keys() {
                assert!(ALLOWED.contains(&key.as_str()), "{at} uses `{key}`");
            }
            assert!(schema.get("type").is_some_and(Value::is_string), "{at} has no single type");
        }
        // What arguments are checked by is closed at every depth. The refusal says so, with the nearest name, and not the list.
        let mut checked = Vec::new();
        walk(tool.schema(), tool.name().to_owned(), &mut checked);
        for (at, schema) in checked.iter().filter(|(_, schema)| schema.contains_key("properties")) {
            assert_eq!(schema.get("additionalProperties"), Some(&Value::Bool(false)), "{at} is open");
        }
        assert_eq!(tool.listed().input_schema.get("additionalProperties"), None, "{}", tool.name());
    }
}

#[test]
fn all_four_hints_are_stated_and_honest() {
    for tool in full().tools() {
        let hints = tool.listed().annotations.clone().expect("annotations");
        let stated = [hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint]
            .map(|hint| hint.is_some());
        assert_eq!(stated, [true; 4], "{}", tool.name());
        let reads = matches!(
            tool.name(),
            "site_get"
                | "site_check"
                | "page_list"
                | "page_get"
                | "text_search"
                | "theme_get"
                | "asset_list"
                | "preview"
                | "change_list"
                | "change_diff"
                | "revision_list"
                | "friction_report"
                | "self_test"
        );
        assert_eq!(hints.read_only_hint, Some(reads), "{}", tool.name());
        assert!(!(reads && hints.destructive_hint == Some(true)), "{}", tool.name());
        let publishes = tool.schema()["properties"].get("publish").is_some();
        let beyond = publishes || matches!(tool.name(), "publish" | "site_sync" | "site_check");
        assert_eq!(hints.open_world_hint, Some(beyond), "{}", tool.name());
        let writes_dry = tool.schema()["properties"].get("dry_run").is_some();
        let plain = matches!(tool.name(), "site_sync" | "change_open" | "feedback_submit");
        assert!(reads != writes_dry || plain, "{} has no dry_run", tool.name());
    }
}

/// Compares a generated file with the one that is kept; `UPDATE=1` writes it.
fn golden(path: &Path, text: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("written");
        return;
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let differs = kept.lines().zip(text.lines()).find(|(kept, made)| kept != made);
    let about = "is out of date: run UPDATE=1 cargo test, and look at the difference";
    assert!(kept == text, "{} {about}, beginning with {differs:?}", path.display());
}

#[test]
fn definitions_change_only_on_purpose() {
    let folder = repository().join("tests/golden/tools");
    for tool in full().tools() {
        let text = serde_json::to_string_pretty(&listed(tool)).expect("a tool is JSON") + "\n";
        golden(&folder.join(format!("{}.json", tool.name())), &text);
    }
    let known: BTreeSet<PathBuf> = NAMES.iter().map(|name| folder.join(format!("{name}.json"))).collect();
    for entry in std::fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        assert!(known.contains(&path), "{} is no tool's definition", path.display());
    }
}

#[test]
fn the_reference_is_generated() {
    let mut text = String::from(
        "# Tools\n\nGenerated from the tool definitions by `UPDATE=1 cargo test`; do not edit.\n\nEvery argument not marked *required* may be left out.\n",
    );
    for tool in full().tools() {
        let definition = tool.listed();
        let description = definition.description.as_deref().unwrap_or_default();
        text.push_str(&format!("\n## `{}`\n\n{description}\n", tool.name()));
        let hints = definition.annotations.clone().expect("annotations");
        let mut facts = vec![if hints.read_only_hint == Some(true) { "reads only" } else { "writes" }];
        facts.extend((hints.destructive_hint == Some(true)).then_some("can take something away"));
        let publishes = tool.schema()["properties"].get("publish").is_some();
        facts.extend((hints.open_world_hint == Some(true)).then_some(if publishes {
            "with `publish` talks to the remote"
        } else {
            "talks to the world outside"
        }));
        text.push_str(&format!("\nRight: `{}`; {}.\n\n", tool.right(), facts.join(", ")));
        arguments(&mut text, tool.schema(), 0);
    }
    golden(&repository().join("docs/tools.md"), &text);
}

fn arguments(text: &mut String, schema: &Map<String, Value>, depth: usize) {
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in properties {
        let Value::Object(property) = property else { continue };
        let item = property.get("items").and_then(Value::as_object).unwrap_or(property);
        let kind = |schema: &Map<String, Value>| match schema.get("enum").and_then(Value::as_array) {
            Some(choices) => choices.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            None => schema.get("type").and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        let kind = if property.contains_key("items") { format!("list of {}", kind(item)) } else { kind(property) };
        let must = if required.contains(&name.as_str()) { ", *required*" } else { "" };
        let about = property.get("description").and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!("{}- `{name}` ({kind}{must}): {about}\n", "  ".repeat(depth)));
        arguments(text, item, depth + 1);
    }
}

/// Arguments that fit a schema: its required properties, from their examples.
pub(crate) fn example(schema: &Map<String, Value>) -> Value {
    if let Some(example) = schema.get("examples").and_then(|all| all.get(0)) {
        return example.clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            let pairs = required.filter_map(Value::as_str).map(|name| {
                let property = schema["properties"][name].as_object().expect("a property");
                (name.to_owned(), example(property))
            });
            Value::Object(pairs.collect())
        }
        Some("array") => schema["items"].as_object().map(|item| json!([example(item)])).expect("items"),
        Some("string") => schema.get("enum").map_or_else(|| json!("text"), |choices| choices[0].clone()),
        Some("integer") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        _ => json!(true),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_that_only_read_change_nothing() {
    let site = TestSite::new(PAGES).await;
    std::fs::write(site.path().join("content/blog/draft.md"), "---\ntitle: By hand\n---\nHand.\n").expect("written");
    let before = site.fingerprint();
    for (tool, arguments) in [
        ("site_get", json!({"include": ["config", "sections", "taxonomies", "menus", "theme", "changes", "guide"]})),
        ("page_list", json!({"fields": ["title", "terms", "etag"], "sort": "date"})),
        (
            "page_get",
            json!({"paths": ["/blog/hello/"], "include": ["front_matter", "body", "html", "text", "outline", "backlinks", "diagnostics", "history"]}),
        ),
        ("theme_get", json!({"include": ["files", "settings", "layouts", "versions"], "files": ["layouts/page.hbs"]})),
        ("preview", json!({"pages": ["/blog/hello/"], "as": "html"})),
        ("preview", json!({"as": "text", "only": true})),
        ("change_list", json!({})),
        ("change_diff", json!({"as": "words"})),
        ("revision_list", json!({"paths": ["/blog/hello/"]})),
    ] {
        site.call(tool, arguments).await;
        assert_eq!(site.fingerprint(), before, "{tool} changed something");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_models_send_is_understood() {
    let site = TestSite::new(PAGES).await;
    let list = site.call("page_list", json!({"limit": "2", "fields": "[\"title\"]", "section": null})).await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2), "{list}");
    let rest = site.call("page_list", json!({"limit": 2.0, "cursor": list["next_cursor"]})).await;
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(2), "{rest}");
    assert_eq!(rest["next_cursor"], Value::Null);
    let read = site.call("page_get", json!({"paths": "/blog/hello/"})).await;
    assert_eq!(read["pages"][0]["title"], "Hello");
    let edit = "{\"path\": \"/blog/hello/\", \"edits\": {\"find\": \"Some words\", \"replace\": \"Other words\"}}";
    let written = site.call("page_write", json!({"pages": edit, "dry_run": "false"})).await;
    assert!(written["revision"].is_string(), "{written}");
    assert!(site.read("content/blog/hello.md").contains("Other words"));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_end_at_an_item_and_go_on() {
    let mut text = String::from(PAGES);
    for i in 0..300 {
        text.push_str(&format!(
            "-- content/notes/{i:03}.md --\n---\ntitle: Note {i} {}\n---\nText.\n",
            "long ".repeat(30)
        ));
    }
    let site = TestSite::new(&text).await;
    let mut seen = BTreeSet::new();
    let mut cursor = Value::Null;
    loop {
        let list = site.call("page_list", json!({"limit": 500, "cursor": cursor})).await;
        assert!(list.to_string().len() <= 21_000, "{} bytes", list.to_string().len());
        assert_eq!(list["total"], 304);
        for item in list["items"].as_array().expect("items") {
            assert!(seen.insert(item["path"].as_str().expect("a path").to_owned()), "{item} twice");
        }
        cursor = list["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 304);
    let error = site.call_err("page_list", json!({"cursor": "no such cursor"})).await;
    assert_eq!(error["code"], "invalid_arguments");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_page_is_read_in_parts() {
    let lines = (1..=2_000).fold(String::new(), |text, i| text + &format!("Line number {i} of a long page.\n"));
    let site = TestSite::new(&format!("{PAGES}-- content/long.md --\n---\ntitle: Long\n---\n{lines}-- content/long2.md --\n---\ntitle: Long 2\n---\n{lines}")).await;
    let first = site.call("page_get", json!({"paths": ["/long/", "/long2/"], "include": ["body"]})).await;
    assert!(first.to_string().len() < 22_000);
    assert_eq!(first["pages"][0]["body_lines"], 2_000);
    assert_eq!(first["left_out"], json!(["long2.md"]));
    let mut body = first["pages"][0]["body"].as_str().expect("a body").to_owned();
    while body.lines().count() < 2_000 {
        let from = body.lines().count() + 1;
        let more =
            site.call("page_get", json!({"paths": ["/long/"], "include": ["body"], "lines": format!("{from}-")})).await;
        let part = more["pages"][0]["body"].as_str().expect("a body");
        assert!(part.starts_with(&format!("Line number {from} ")), "{}", &part[..40]);
        body.push_str(part);
    }
    assert_eq!(body, lines);
}
