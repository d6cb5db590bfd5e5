//! `site_update`: the configuration by patch, and who may change what in it.

use serde_json::{Value, json};
use sitewright::server::Server;
use sitewright::tools::{Registry, Rights};

use crate::harness::TestSite;
use crate::wire::{Client, listen};

const SITE: &str = "-- site.yaml --\n# Ours.\ntitle: Test # the name\nbase_url: https://example.org/\n\nmenus:\n  main:\n    # First the blog.\n    - { name: Blog, url: /blog/ }\n    - name: About # us\n      url: /about/\n\nredirects:\n  /old/: /about/\nparams: {motto: plain}\n-- content/_index.md --\n---\ntitle: Home\n---\nHi.\n-- content/about.md --\n---\ntitle: About\n---\nUs.\n-- content/blog/_index.md --\n---\ntitle: Blog\n---\n";

async fn update(site: &TestSite, patch: Value) -> Value {
    site.call("site_update", json!({"patch": patch})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_touches_only_its_lines() {
    let site = TestSite::new(SITE).await;
    let before = site.read("site.yaml");
    let reply = update(&site, json!({"title": "New", "paginate": 5, "params": {"motto": null, "tone": "dry"}})).await;
    let after = before.replace("title: Test #", "title: New #").replace("{motto: plain}", "{tone: dry}");
    site.assert_file("site.yaml", &format!("{after}paginate: 5\n"));
    let keys = reply["keys"].as_array().unwrap();
    assert!(keys.contains(&json!({"key": "title", "old": "Test", "new": "New"})), "{reply}");
    assert!(keys.contains(&json!({"key": "params.motto", "old": "plain", "new": null})), "{reply}");
    assert_eq!(keys.len(), 4, "{reply}");
    assert!(reply["affected_urls"]["count"].as_u64().unwrap() >= 3, "the title is on every page: {reply}");
    let none = update(&site, json!({"title": "New"})).await;
    assert_eq!(none["unchanged"], true, "{none}");
    let away = update(&site, json!({"paginate": null})).await;
    assert_eq!(away["keys"], json!([{"key": "paginate", "old": 5, "new": null}]), "{away}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_menu_entry_or_redirect_is_one_line() {
    let site = TestSite::new(SITE).await;
    let before = site.read("site.yaml");
    let entry = json!({"menus": {"main+": [{"name": "Contact", "url": "/about/#contact"}]}});
    let reply = update(&site, entry).await;
    let added = "      url: /about/\n    - { name: Contact, url: /about/#contact }\n";
    let after = before.replace("      url: /about/\n", added);
    site.assert_file("site.yaml", &after);
    assert_eq!(reply["keys"][0]["key"], "menus.main", "{reply}");
    update(&site, json!({"menus": {"main-": ["Contact"]}})).await;
    site.assert_file("site.yaml", &before);
    update(&site, json!({"menus": {"main-": [{"url": "/blog/"}], "main+": [{"name": "News", "url": "/blog/"}]}})).await;
    // What was said of an entry goes with it.
    let renamed = before.replace("    # First the blog.\n    - { name: Blog,", "    - { name: News,");
    site.assert_file("site.yaml", &renamed);
    update(&site, json!({"redirects": {"/older/": "/about/"}})).await;
    site.assert_file("site.yaml", &renamed.replace("  /old/: /about/\n", "  /old/: /about/\n  /older/: /about/\n"));
    let error = site.call_err("site_update", json!({"patch": {"menus": {"main-": ["Blgo"]}}})).await;
    assert!(error["message"].as_str().unwrap().contains("\"About\""), "it names what there is: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_and_wrong_values_are_refused_with_an_example() {
    let site = TestSite::new(SITE).await;
    for (patch, words) in [
        (json!({"titel": "x"}), ["`titel`", "\"title\""]),
        (json!({"feed": {"limt": 3}}), ["`feed.limt`", "limit"]),
        (json!({"paginate": "many"}), ["`paginate`", "\"paginate\": 20"]),
        (json!({"base_url": "example.org"}), ["`base_url`", "https://example.org/"]),
        (json!({"timezone": "Mars"}), ["`timezone`", "Europe/Berlin"]),
        (json!({"menus": {"main+": [{"url": "/x/"}]}}), ["no `name`", "main+"]),
        (json!({"redirects": {"old": "/x/"}}), ["/old/", "redirects"]),
        (json!({"theme": "dark"}), ["theme_use", "patch.theme"]),
        (json!({"theme_settings": {"acent": "teal"}}), ["acent", "accent"]),
        (json!({"theme_settings": {"accent": "pink"}}), ["pink", "teal"]),
        (json!({}), ["empty", "title"]),
    ] {
        let error = site.call_err("site_update", json!({"patch": patch})).await;
        assert_eq!(error["code"], "invalid_arguments", "{error}");
        let text = error.to_string().replace('\\', "");
        assert!(words.iter().all(|word| text.contains(word)), "{words:?}: {error}");
    }
    update(&site, json!({"theme_settings": {"accent": "teal"}})).await;
    assert!(site.read("site.yaml").ends_with("theme_settings:\n  accent: teal\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_and_writes_nothing() {
    let site = TestSite::new(SITE).await;
    let before = site.fingerprint();
    let dry = site.call("site_update", json!({"patch": {"title": "Two"}, "dry_run": true})).await;
    assert_eq!(dry["keys"], json!([{"key": "title", "old": "Test", "new": "Two"}]), "{dry}");
    assert_eq!(site.fingerprint(), before);
    let reply = update(&site, json!({"title": "Two"})).await;
    assert_eq!((&reply["keys"], &reply["affected_urls"]), (&dry["keys"], &dry["affected_urls"]));
}

const TOKENS: &str = "editor  editor-token-0123  read,content,config\nowner   owner-token-01234  read,config,admin\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_reaches_beyond_the_site_is_for_its_owner() {
    let site = TestSite::new(SITE).await;
    let server = Server::new(site.site().clone(), Registry::standard(), Rights::all());
    let listening = listen(&server, TOKENS).await;
    let (editor, owner) =
        (Client::modern(&listening, "editor-token-0123"), Client::modern(&listening, "owner-token-01234"));
    for patch in [
        json!({"publish": {"remote": "elsewhere"}}),
        json!({"title": "Fine", "publish": {"output": "docs"}}),
        json!({"markdown": {"raw_html": "trusted"}}),
        json!({"markdown": {"raw_html": "escape", "highlight": false}}),
    ] {
        let before = site.fingerprint();
        let refused = editor.call("site_update", json!({"patch": patch})).await;
        assert_eq!(refused["code"], "not_allowed", "{patch}: {refused}");
        assert!(refused["hint"].as_str().unwrap().contains("`admin`"), "{refused}");
        assert_eq!(site.fingerprint(), before);
    }
    let fine =
        editor.call("site_update", json!({"patch": {"markdown": {"highlight": false}, "title": "By editor"}})).await;
    assert!(fine["revision"].is_string(), "{fine}");
    let done = owner.call("site_update", json!({"patch": {"publish": {"remote": "elsewhere"}}})).await;
    assert!(done["revision"].is_string(), "{done}");
    assert!(done["notes"].to_string().contains("publish.remote"), "{done}");
    // A removal is a change too.
    let refused = editor.call("site_update", json!({"patch": {"publish": null}})).await;
    assert_eq!(refused["code"], "not_allowed", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_is_mended_by_the_tools() {
    let site = TestSite::with_remote(SITE).await;
    site.call("publish", json!({})).await;
    let good = site.read("site.yaml");
    let by_hand = |text: &str| {
        std::fs::write(site.path().join("site.yaml"), text).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
    };
    // A value that cannot be.
    by_hand(&good.replace("title: Test #", "paginate: lots\ntitle: Test #"));
    let edit = json!({"pages": [{"path": "about.md", "edits": [{"find": "Us.", "replace": "We."}]}]});
    let refused = site.call_err_after_hand_edit("page_write", edit.clone()).await;
    assert_eq!(refused["code"], "invalid_config", "{refused}");
    let hint = refused["hint"].as_str().unwrap();
    assert!(["site_update", "text_replace", "revision_restore"].iter().all(|tool| hint.contains(tool)), "{hint}");
    let still = site.call_err("site_update", json!({"patch": {"title": "New"}})).await;
    assert!(still.to_string().contains("paginate"), "{still}");
    update(&site, json!({"paginate": 7})).await;
    assert_eq!(site.read("site.yaml"), good.replace("title: Test #", "paginate: 7\ntitle: Test #"));
    site.call("page_write", edit).await;
    // What is no YAML at all is mended as text, or brought back.
    let broken = good.replace("menus:\n", "menus: [\n");
    by_hand(&broken);
    let found = site.call("text_search", json!({"query": "menus: [", "scope": ["site.yaml"]})).await;
    assert_eq!(found["total"], 1, "{found}");
    let pair = json!([{"find": "menus: [", "replace": "menus:"}]);
    let reply = site.call("text_replace", json!({"pairs": pair, "scope": ["site.yaml"]})).await;
    assert!(reply["revision"].is_string(), "{reply}");
    site.assert_file("site.yaml", &good);
    by_hand(&broken);
    site.call("change_discard", json!({"paths": [{"path": "site.yaml", "etag": "*"}]})).await;
    site.assert_file("site.yaml", &good);
    by_hand(&broken);
    let live = site.git(&["rev-parse", "origin/main"]);
    site.call("revision_restore", json!({"at": live.trim(), "paths": ["site.yaml"]})).await;
    site.assert_file("site.yaml", &good);
    std::fs::remove_file(site.path().join("site.yaml")).unwrap();
    let edit = json!({"pages": [{"path": "about.md", "edits": [{"find": "We.", "replace": "Us."}]}]});
    let refused = site.call_err_after_hand_edit("page_write", edit).await;
    assert!(refused["hint"].as_str().unwrap().contains("change_discard"), "{refused}");
    site.call("change_discard", json!({"paths": [{"path": "site.yaml"}]})).await;
    site.assert_file("site.yaml", &good);
    // Mending is no way to open what is a person's to open.
    by_hand(&broken);
    let pair = json!([{"find": "menus: [", "replace": "fetch: {allow: [127.0.0.1]}\nmenus:"}]);
    let refused = site.call_err_after_hand_edit("text_replace", json!({"pairs": pair, "scope": ["site.yaml"]})).await;
    assert_eq!(refused["code"], "not_allowed", "{refused}");
}
