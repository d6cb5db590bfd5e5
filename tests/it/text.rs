//! Tests of text.

use serde_json::{Value, json};

use crate::harness::TestSite;
use crate::wire::{Client, listen};

const SITE: &str = "\
-- content/_index.md --
---
title: Home
description: Colour everywhere
---
Welcome.
-- content/blog/_index.md --
---
title: Blog
---
-- content/blog/one.md --
---
title: One colour # my favourite
tags:   [ 'a', b ]
---
The colour is Colour 12 px.

Another colours line.
-- content/blog/two.md --
---
title: Two
---
No match, but colourful.
-- content/about.md --
---
title: About
---
Colour me.
-- data/team.yaml --
lead: colour
-- themes/default/partials/note.hbs --
<p>colour</p>
";

fn places(reply: &Value) -> Vec<String> {
    let items = reply["items"].as_array().unwrap();
    items.iter().map(|item| format!("{}:{}:{}", item["path"].as_str().unwrap(), item["line"], item["column"])).collect()
}

fn counts(reply: &Value) -> Vec<(String, u64)> {
    let files = reply["files"].as_array().unwrap_or_else(|| panic!("{reply}"));
    files.iter().map(|file| (file["path"].as_str().unwrap().to_owned(), file["count"].as_u64().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_tells_path_url_line_column_and_excerpt() {
    let site = TestSite::new(SITE).await;
    let reply = site.call("text_search", json!({"query": "colour", "case": true})).await;
    assert_eq!((reply["total"].as_u64(), reply["files"].as_u64()), (Some(4), Some(2)), "{reply}");
    assert_eq!(places(&reply), ["blog/one.md:2:12", "blog/one.md:5:5", "blog/one.md:7:9", "blog/two.md:4:15"]);
    assert_eq!(reply["items"][1]["url"], "/blog/one/");
    assert_eq!(reply["items"][1]["excerpt"], "The colour is Colour 12 px.");
    assert_eq!(reply["next_cursor"], Value::Null);
    let any = site.call("text_search", json!({"query": "colour"})).await;
    assert_eq!((any["total"].as_u64(), any["files"].as_u64()), (Some(7), Some(4)), "{any}");
    let words = site.call("text_search", json!({"query": "colour", "word": true, "scope": ["/blog/"]})).await;
    assert_eq!(words["total"], 3, "{words}");
    let around = site.call("text_search", json!({"query": "another", "context": 2})).await;
    assert_eq!(around["items"][0]["before"], json!(["The colour is Colour 12 px.", ""]), "{around}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_takes_an_expression_of_linear_time_and_refuses_what_cannot_be_one() {
    let site = TestSite::new(SITE).await;
    let reply = site.call("text_search", json!({"query": r"^The .*?(\d+)\s?px\.$", "regex": true})).await;
    assert_eq!(places(&reply), ["blog/one.md:5:1"]);
    for (query, says) in [
        ("(", "no regular expression"),
        ("x*", "empty text"),
        (r"\b", "empty text"),
        (r"(\w{90}){90}", "too large"),
        ("", ""),
    ] {
        let error = site.call_err("text_search", json!({"query": query, "regex": true})).await;
        assert_eq!(error["code"], "invalid_arguments", "{query}: {error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{query}: {error}");
    }
    // What makes other engines run for ever.
    let slow =
        site.call("text_search", json!({"query": "(a+)+(b+)+$!", "regex": true, "scope": ["content", "theme"]})).await;
    assert_eq!(slow["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_goes_on_where_it_ended() {
    let mut text = String::from(SITE);
    for n in 0..120 {
        text.push_str(&format!("-- content/many/p{n:03}.md --\n---\ntitle: P{n}\n---\nneedle and needle\n"));
    }
    let site = TestSite::new(&text).await;
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let reply = site.call("text_search", json!({"query": "needle", "limit": 70, "cursor": cursor})).await;
        assert_eq!((reply["total"].as_u64(), reply["files"].as_u64()), (Some(240), Some(120)));
        assert!(reply.to_string().len() < 21_000);
        seen.extend(places(&reply));
        cursor = reply["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen.len(), 240);
    seen.dedup();
    assert_eq!(seen.len(), 240, "nothing comes twice");
    for wrong in ["x", "a:b:c", "::"] {
        let error = site.call_err("text_search", json!({"query": "needle", "cursor": wrong})).await;
        assert_eq!(error["details"]["field"], "cursor", "{wrong}: {error}");
    }
    for wrong in [json!({"limit": 0}), json!({"limit": 501}), json!({"context": 11}), json!({"context": -1})] {
        let mut arguments = wrong.clone();
        arguments["query"] = json!("needle");
        assert_eq!(site.call_err("text_search", arguments).await["code"], "invalid_arguments", "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_is_made_of_pages_sections_globs_files_and_kinds() {
    let site = TestSite::new(SITE).await;
    for (scope, files) in [
        (json!(["/blog/"]), vec!["blog/one.md", "blog/two.md"]),
        (json!(["blog"]), vec!["blog/one.md", "blog/two.md"]),
        (json!(["/about/", "blog/two.md"]), vec!["about.md", "blog/two.md"]),
        (json!(["blog/o*.md"]), vec!["blog/one.md"]),
        (json!("content/about.md"), vec!["about.md"]),
        (json!(["data"]), vec!["data/team.yaml"]),
        (json!(["themes/default/partials/note.hbs"]), vec!["themes/default/partials/note.hbs"]),
        (json!(["themes/**/n*.hbs"]), vec!["themes/default/partials/note.hbs"]),
        (json!(["config"]), vec![]),
        (json!(["blog/_index.md"]), vec![]),
        (json!(["content", "data"]), vec!["_index.md", "about.md", "blog/one.md", "blog/two.md", "data/team.yaml"]),
    ] {
        let reply = site.call("text_search", json!({"query": "colour", "scope": scope})).await;
        let mut found: Vec<String> =
            reply["items"].as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap().to_owned()).collect();
        found.dedup();
        assert_eq!(found, files, "{scope}: {reply}");
    }
    let error = site.call_err("text_search", json!({"query": "x", "scope": ["/blgo/"]})).await;
    assert_eq!(
        (error["code"].as_str(), error["details"]["near"][0].as_str()),
        (Some("not_found"), Some("/blog/")),
        "{error}"
    );
    let error = site.call_err("text_search", json!({"query": "x", "scope": ["themes/default/partials/note.hb"]})).await;
    assert_eq!(error["details"]["near"][0], "themes/default/partials/note.hbs", "{error}");
    for wrong in ["../../etc/passwd", "content/../../x", ""] {
        let error = site.call_err("text_search", json!({"query": "x", "scope": [wrong]})).await;
        assert!(
            ["not_found", "invalid_path", "invalid_arguments"].contains(&error["code"].as_str().unwrap()),
            "{error}"
        );
    }
}

/// The story's fifth request: scoped search and replace with excerpts, regex, several pairs, a plan that execution is bound to.
#[tokio::test(flavor = "multi_thread")]
async fn story_5_scoped_search_and_replace_with_excerpts_expressions_pairs_and_a_binding_plan() {
    let site = TestSite::new(SITE).await;
    let mut call = json!({
        "pairs": [{"find": r"\b([Cc])olour", "replace": "${1}olor"}, {"find": r"(\d+) px", "replace": "${1}px"}],
        "regex": true, "scope": ["/blog/"], "message": "American spelling",
    });
    let before = site.fingerprint();
    let mut dry = call.clone();
    dry["dry_run"] = json!(true);
    let seen = site.call("text_replace", dry).await;
    assert_eq!(site.fingerprint(), before, "a dry run writes nothing");
    assert_eq!(seen["replaced"], json!({"matches": 6, "files": 2}), "{seen}");
    assert_eq!(counts(&seen), [("blog/one.md".to_owned(), 5), ("blog/two.md".to_owned(), 1)]);
    let excerpt = &seen["files"][0]["excerpts"][1];
    assert_eq!(excerpt["line"], 5, "{seen}");
    assert_eq!(excerpt["before"], "The colour is Colour 12 px.");
    assert_eq!(excerpt["after"], "The color is Color 12px.");
    call["plan"] = seen["plan"].clone();
    let done = site.call("text_replace", call.clone()).await;
    assert!(done["revision"].is_string(), "{done}");
    assert_eq!(done["replaced"], seen["replaced"]);
    assert!(done["changed"][0]["diff"].as_str().unwrap().contains("+The color is Color 12px."), "{done}");
    assert!(done["affected_urls"]["first"].to_string().contains("/blog/one/"), "{done}");
    site.assert_file(
        "content/blog/one.md",
        "---\ntitle: One color # my favourite\ntags:   [ 'a', b ]\n---\nThe color is Color 12px.\n\nAnother colors line.\n",
    );
    assert!(site.read("content/about.md").contains("Colour me"), "outside the scope nothing changes");
    let history = site.call("revision_list", json!({})).await;
    assert_eq!(history["items"][0]["message"], "American spelling", "{history}");
    // One undo brings back all of it.
    site.call("revision_restore", json!({"undo": [done["revision"]]})).await;
    assert!(site.read("content/blog/one.md").contains("title: One colour # my favourite"));
    assert!(site.read("content/blog/two.md").contains("colourful"));
}

#[tokio::test(flavor = "multi_thread")]
async fn story_5_a_plan_is_refused_and_names_the_files_once_a_text_moved() {
    let site = TestSite::new(SITE).await;
    let call = json!({"pairs": [{"find": "colour", "replace": "color"}], "scope": ["/blog/"]});
    let with = |key: &str, value: Value| {
        let mut call = call.clone();
        call[key] = value;
        call
    };
    let plan = site.call("text_replace", with("dry_run", json!(true))).await["plan"].clone();
    let edit = json!({"pages": [{"path": "blog/two.md", "edits": [{"find": "No match", "replace": "A match"}]}]});
    site.call("page_write", edit).await;
    let error = site.call_err("text_replace", with("plan", plan.clone())).await;
    assert_eq!(
        (error["code"].as_str(), &error["details"]["files"]),
        (Some("conflict"), &json!(["content/blog/two.md"])),
        "{error}"
    );
    assert!(error["hint"].as_str().unwrap().contains("dry_run"), "{error}");
    // A file that did not match before and does now is not what was seen either.
    let plan = site.call("text_replace", with("dry_run", json!(true))).await["plan"].clone();
    let create = json!({"pages": [{"path": "blog/new.md", "create": true, "front_matter": {"title": "New"}, "body": "A colour.\n"}]});
    site.call("page_write", create).await;
    let error = site.call_err("text_replace", with("plan", plan.clone())).await;
    assert_eq!(error["details"]["files"], json!(["content/blog/new.md"]), "{error}");
    // What moves elsewhere is no matter.
    let plan = site.call("text_replace", with("dry_run", json!(true))).await["plan"].clone();
    let elsewhere = json!({"pages": [{"path": "about.md", "edits": [{"find": "me.", "replace": "you."}]}]});
    site.call("page_write", elsewhere).await;
    let mut other = with("plan", plan.clone());
    other["pairs"][0]["replace"] = json!("hue");
    let error = site.call_err("text_replace", other).await;
    assert_eq!(
        (error["code"].as_str(), error["details"]["field"].as_str()),
        (Some("invalid_arguments"), Some("plan")),
        "{error}"
    );
    for wrong in ["x", "0123456789-0123", "none-", "-", "zzz-zzz"] {
        let error = site.call_err("text_replace", with("plan", json!(wrong))).await;
        assert_eq!(error["details"]["field"], "plan", "{wrong}: {error}");
    }
    let done = site.call("text_replace", with("plan", plan)).await;
    assert_eq!(done["replaced"]["files"], 3, "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn story_5_a_replacement_of_the_whole_site_or_of_many_files_needs_a_plan() {
    let mut text = String::from(SITE);
    for n in 0..55 {
        text.push_str(&format!("-- content/many/p{n:03}.md --\n---\ntitle: P{n}\n---\nneedle\n"));
    }
    let site = TestSite::new(&text).await;
    for call in [
        json!({"pairs": [{"find": "Welcome", "replace": "Hello"}]}),
        json!({"pairs": [{"find": "needle", "replace": "pin"}], "scope": ["many"]}),
    ] {
        let error = site.call_err("text_replace", call.clone()).await;
        assert_eq!(error["details"]["field"], "plan", "{error}");
        let mut dry = call.clone();
        dry["dry_run"] = json!(true);
        let mut planned = call.clone();
        planned["plan"] = site.call("text_replace", dry).await["plan"].clone();
        let done = site.call("text_replace", planned).await;
        assert!(done["revision"].is_string() && done.to_string().len() < 20_000, "{done}");
    }
    let few = json!({"pairs": [{"find": "Colour me", "replace": "Paint me"}], "scope": ["about.md"]});
    assert!(site.call("text_replace", few).await["revision"].is_string(), "few files of a named scope need none");
    let nothing = site.call("text_replace", json!({"pairs": [{"find": "nowhere", "replace": "x"}]})).await;
    assert_eq!((&nothing["unchanged"], &nothing["replaced"]["matches"]), (&json!(true), &json!(0)), "{nothing}");
    assert!(nothing["notes"].to_string().contains("text_search"), "{nothing}");
}

/// A typo on thirty pages is one call: what it changed is in the answer, and one undo takes it back.
#[tokio::test(flavor = "multi_thread")]
async fn up_to_fifty_files_of_a_named_scope_need_no_plan_and_are_all_shown() {
    let page = |n: usize| {
        format!(
            "-- content/many/p{n:03}.md --\n---\ntitle: P{n}\n---\nYou recieve {n} loaves.\n{}\n",
            "More. ".repeat(40)
        )
    };
    let site = TestSite::with_remote(&(SITE.to_owned() + &(0..50).map(page).collect::<String>())).await;
    site.call("publish", json!({})).await;
    let pairs = json!([{"find": "recieve", "replace": "receive"}]);
    let done = site.call("text_replace", json!({"pairs": pairs, "scope": ["many"], "publish": true})).await;
    assert_eq!(done["replaced"], json!({"matches": 50, "files": 50}), "{done}");
    for (n, file) in done["files"].as_array().expect("files").iter().enumerate() {
        let shown = &file["excerpts"][0];
        assert_eq!(shown["before"], format!("You recieve {n} loaves."), "{file}");
        assert_eq!(shown["after"], format!("You receive {n} loaves."), "{file}");
    }
    assert_eq!((done.get("files_left_out"), done["files"].as_array().map(Vec::len)), (None, Some(50)));
    assert!(site.git_remote(&["show", "main:content/many/p049.md"]).contains("receive 49"));
    site.call("revision_restore", json!({"undo": [done["revision"]]})).await;
    assert!(site.read("content/many/p000.md").contains("recieve 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_heeds_case_unless_told_otherwise_and_takes_text_literally() {
    let site = TestSite::new(SITE).await;
    let literal = json!({"pairs": [{"find": "Colour 12 px.", "replace": "$1 (.*)"}], "scope": ["/blog/"]});
    site.call("text_replace", literal).await;
    assert!(site.read("content/blog/one.md").contains("The colour is $1 (.*)\n"));
    let any = json!({"pairs": [{"find": "COLOUR ME", "replace": "Paint me"}], "scope": ["about.md"]});
    assert_eq!(site.call("text_replace", any.clone()).await["unchanged"], true);
    let mut any = any;
    any["case"] = json!(false);
    assert!(site.call("text_replace", any).await["revision"].is_string());
    assert!(site.read("content/about.md").contains("Paint me."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_breaks_front_matter_or_a_template_changes_nothing() {
    let site = TestSite::new(SITE).await;
    let broken = json!({"pairs": [{"find": "title: One", "replace": "title: [One"}], "scope": ["/blog/"]});
    let error = site.call_err("text_replace", broken).await;
    assert_eq!(error["code"], "build_failed", "{error}");
    assert!(error["details"]["diagnostics"].to_string().contains("blog/one.md"), "{error}");
    let template = json!({"pairs": [{"find": "<p>colour</p>", "replace": "{{#if}"}], "scope": ["theme"]});
    assert_eq!(site.call_err("text_replace", template).await["code"], "build_failed");
    let config = json!({"pairs": [{"find": "theme: default", "replace": "theme: ["}], "scope": ["config"]});
    assert_eq!(site.call_err("text_replace", config).await["code"], "invalid_config");
    for (pairs, regex) in [
        (json!([{"find": "", "replace": "x"}]), false),
        (json!([{"find": "x*", "replace": "y"}]), true),
        (json!([{"find": "(a)", "replace": "$2"}]), true),
        (json!([]), false),
    ] {
        let call = json!({"pairs": pairs, "regex": regex, "scope": ["/blog/"]});
        assert_eq!(site.call_err("text_replace", call).await["code"], "invalid_arguments", "{pairs}");
    }
    let doubling: Vec<Value> = (0..60).map(|_| json!({"find": "(o+)", "replace": "$1$1"})).collect();
    let error = site.call_err("text_replace", json!({"pairs": doubling, "regex": true, "scope": ["/blog/"]})).await;
    assert_eq!(error["code"], "too_large", "{error}");
    assert!(error["message"].as_str().unwrap().contains("blog/"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_keeps_line_ends_and_leaves_what_is_no_text_alone() {
    let site = TestSite::new(SITE).await;
    let root = site.path();
    std::fs::write(root.join("content/crlf.md"), "---\r\ntitle: C\r\n---\r\nOne\r\ntwo.\r\n").unwrap();
    std::fs::write(root.join("content/latin.md"), b"---\ntitle: L\n---\nOne\xe9\n").unwrap();
    std::fs::write(root.join("content/pixel.png"), b"\x89PNG One").unwrap();
    let call = json!({"pairs": [{"find": "One\ntwo", "replace": "1\n2\n3"}, {"find": "One", "replace": "Eins"}], "scope": ["*.md", "content/pixel.png"]});
    let done = site.call("text_replace", call).await;
    assert_eq!(counts(&done), [("crlf.md".to_owned(), 1)], "{done}");
    site.assert_file("content/crlf.md", "---\r\ntitle: C\r\n---\r\n1\r\n2\r\n3.\r\n");
    assert_eq!(std::fs::read(root.join("content/pixel.png")).unwrap(), b"\x89PNG One");
}

#[tokio::test]
async fn a_replacement_reaches_themes_data_and_settings_only_with_their_rights() {
    let site = TestSite::new(SITE).await;
    let listening = listen(site.server(), "writer writer-token-0123 read,content\n").await;
    let writer = Client::modern(&listening, "writer-token-0123");
    let before = site.fingerprint();
    for (scope, right) in [
        ("theme", "theme"),
        ("data", "media"),
        ("config", "config"),
        ("themes/default/", "theme"),
        ("static/", "media"),
    ] {
        let call = json!({"pairs": [{"find": "colour", "replace": "color"}], "scope": ["/blog/", scope]});
        let refused = writer.call("text_replace", call).await;
        assert_eq!(refused["code"], "not_allowed", "{scope}: {refused}");
        assert!(refused["message"].as_str().unwrap().contains(&format!("`{right}`")), "{scope}: {refused}");
    }
    assert_eq!(site.fingerprint(), before);
    let pairs =
        json!([{"find": "<p>colour", "replace": "<p>color"}, {"find": "lead: colour", "replace": "lead: color"}]);
    let all = json!({"pairs": pairs, "scope": ["theme", "data"]});
    let done = site.call("text_replace", all).await;
    assert_eq!(counts(&done).len(), 2, "{done}");
    assert_eq!(site.read("themes/default/partials/note.hbs"), "<p>color</p>\n");
    assert!(site.read("content/about.md").contains("Colour"), "pages are not in this scope");
    let settings = json!({"pairs": [{"find": "title: Test", "replace": "title: Tested"}], "scope": ["config"]});
    site.call("text_replace", settings).await;
    assert!(site.read("site.yaml").starts_with("title: Tested\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pages_are_searched_and_planned_in_one_call_with_a_small_reply() {
    const PAGES: u64 = 1_500;
    let mut text = String::from(SITE);
    for n in 0..PAGES {
        text.push_str(&format!(
            "-- content/s{:02}/p{n:05}.md --\n---\ntitle: P{n}\n---\nA needle in the hay.\n",
            n % 50
        ));
    }
    let site = TestSite::new(&text).await;
    let reply = site.call("text_search", json!({"query": "NEEDLE"})).await;
    assert_eq!((reply["total"].as_u64(), reply["files"].as_u64()), (Some(PAGES), Some(PAGES)));
    assert!(reply.to_string().len() < 20_500, "{}", reply.to_string().len());
    let dry = json!({"pairs": [{"find": "needle", "replace": "pin"}], "dry_run": true});
    let seen = site.call("text_replace", dry).await;
    assert_eq!(seen["replaced"], json!({"matches": PAGES, "files": PAGES}));
    assert!(
        seen.to_string().len() < 20_500 && seen["files_left_out"].as_u64().unwrap() > PAGES - 300,
        "{}",
        seen.to_string().len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_set_is_searched_and_replaced_in_by_itself() {
    let site = TestSite::with_remote(SITE).await;
    site.call("publish", json!({})).await;
    let set = site.call("change_open", json!({"purpose": "Spelling"})).await["change_set"].clone();
    let call = json!({"pairs": [{"find": "colour", "replace": "color"}], "scope": ["/blog/"], "change_set": set});
    assert!(site.call("text_replace", call).await["revision"].is_string());
    let here = site.call("text_search", json!({"query": "colour", "case": true, "change_set": set})).await;
    let there = site.call("text_search", json!({"query": "colour", "case": true})).await;
    assert_eq!((here["total"].as_u64(), there["total"].as_u64()), (Some(0), Some(4)), "{here} {there}");
    assert!(site.read("content/blog/one.md").contains("One colour"), "the working tree stays");
    let checked = site.call("site_check", json!({"rules": ["links"], "change_set": set})).await;
    assert_eq!(checked["errors"], 0, "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_in_the_settings_cannot_change_what_only_a_person_may() {
    let config = "-- site.yaml --\ntitle: Test\nbase_url: https://example.org/\ntheme: default\nfetch:\n  allow: [198.51.100.0/24]\n";
    let site = TestSite::new(&format!("{config}{SITE}")).await;
    let widen = json!({"pairs": [{"find": "198.51.100.0/24", "replace": "127.0.0.0/8"}], "scope": ["config"]});
    site.call_err("text_replace", widen).await;
    assert!(site.read("site.yaml").contains("198.51.100.0/24"));
}
