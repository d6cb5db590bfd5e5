//! Themes through their tools: reading, writing, switching, pinning.

use serde_json::{Value, json};

use crate::harness::TestSite;

const PAGES: &str =
    "-- content/_index.md --\n---\ntitle: Home\n---\nHi.\n-- content/a.md --\n---\ntitle: A\n---\nText of a.\n";
/// A small theme, one that extends it, and a site that uses the second.
const CHILD: &str = "-- site.yaml --\n# The site.\ntitle: Test\nbase_url: https://example.org/\ntheme: child # which one\ntheme_settings:\n  # As the person likes it.\n  tone: dark\n-- content/_index.md --\n---\ntitle: Home\n---\nHi.\n-- content/a.md --\n---\ntitle: A\n---\nText of a.\n-- themes/base/theme.yaml --\nname: base\nversion: 1.2.0\nsettings:\n  tone: { default: light, options: [light, dark] }\n  size: 3\n-- themes/base/layouts/page.hbs --\n<html><head></head><body class=\"{{settings.tone}} {{settings.size}}\">{{> top}}{{{content}}}</body></html>\n-- themes/base/layouts/list.hbs --\n<html><head></head><body>list{{{content}}}</body></html>\n-- themes/base/partials/top.hbs --\n<b>{{page.title}}</b>\n-- themes/base/assets/style.css --\nbody { color: black }\n-- themes/child/theme.yaml --\nname: child\nextends: base # most of it\nsettings:\n  size: 4\n-- themes/child/partials/top.hbs --\n<i>{{page.title}}</i>\n";

async fn html(site: &TestSite, url: &str) -> String {
    let reply = site.call("preview", json!({"pages": [url], "as": "html"})).await;
    reply["pages"][0]["html"].as_str().unwrap_or_else(|| panic!("{reply}")).to_owned()
}

fn folders(site: &TestSite) -> Vec<String> {
    let entries = std::fs::read_dir(site.path().join("themes")).expect("a folder");
    let mut names: Vec<String> = entries.map(|entry| entry.expect("one").file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overview_names_files_settings_and_state() {
    let site = TestSite::new(CHILD).await;
    let reply = site.call("theme_get", json!({})).await;
    assert_eq!((&reply["theme"], &reply["extends"], &reply["active"]), (&json!("child"), &json!("base"), &json!(true)));
    assert_eq!(reply["other_themes"], json!(["base", "default"]), "{reply}");
    let paths: Vec<&str> = reply["files"].as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "themes/child/partials/top.hbs",
            "themes/child/theme.yaml",
            "themes/base/assets/style.css",
            "themes/base/layouts/list.hbs",
            "themes/base/layouts/page.hbs"
        ],
        "its own and what it inherits, each once: {reply}"
    );
    let etag = site.git(&["hash-object", "themes/child/partials/top.hbs"]);
    assert_eq!(reply["files"][0]["etag"], etag.trim());
    let settings = &reply["settings"];
    assert_eq!(settings[0], json!({"setting": "size", "value": 4, "description": ""}), "{reply}");
    assert_eq!((&settings[1]["value"], &settings[1]["default"]), (&json!("dark"), &json!("light")), "{reply}");
    assert_eq!(settings[1]["options"], json!(["light", "dark"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_layouts_and_versions_on_request() {
    let site = TestSite::new(CHILD).await;
    let texts = site.call("theme_get", json!({"files": ["partials/top.hbs", "layouts/list.hbs"]})).await;
    assert_eq!(texts["texts"][0]["text"], "<i>{{page.title}}</i>\n", "{texts}");
    assert_eq!(texts["texts"][1]["path"], "themes/base/layouts/list.hbs", "inherited, found where it is: {texts}");
    assert!(texts.get("files").is_none() && texts.get("settings").is_none(), "no more than asked for: {texts}");
    let rooted = site.call("theme_get", json!({"files": "themes/child/theme.yaml:2-3"})).await;
    assert_eq!(rooted["texts"][0]["text"], "extends: base # most of it\nsettings:\n", "{rooted}");
    assert_eq!(rooted["texts"][0]["lines"], 4);
    site.call("theme_write", json!({"files": [{"path": "assets/x.css", "text": "i {}\n"}], "message": "Why not"}))
        .await;
    let more = site.call("theme_get", json!({"include": ["layouts", "versions"]})).await;
    let page = more["layouts"].as_array().unwrap().iter().find(|l| l["layout"] == "page").unwrap();
    assert_eq!((&page["pages"], &page["first"]), (&json!(1), &json!(["/a/"])), "{more}");
    assert_eq!(more["versions"][0]["message"], "Why not", "{more}");
    assert_eq!(more["versions"].as_array().unwrap().len(), 2, "and the commit it began with: {more}");
    let error = site.call_err("theme_get", json!({"theme": "chidl"})).await;
    assert_eq!((&error["code"], &error["details"]["near"]), (&json!("not_found"), &json!(["child"])), "{error}");
    let error = site.call_err("theme_get", json!({"files": ["partials/tpo.hbs"]})).await;
    assert_eq!(error["details"]["near"][0], "themes/child/partials/top.hbs", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_is_read_in_parts() {
    let css = (1..=2_000).fold(String::new(), |text, i| text + &format!(".number-{i} {{ color: red }}\n"));
    let site = TestSite::new(&format!("{PAGES}-- themes/default/assets/long.css --\n{css}")).await;
    let mut whole = String::new();
    let mut file = "assets/long.css".to_owned();
    for _ in 0..10 {
        let part = site.call("theme_get", json!({"files": [file]})).await;
        assert!(part.to_string().len() < 22_000);
        whole.push_str(part["texts"][0]["text"].as_str().unwrap());
        let Some(next) = part["next"].as_str() else { break };
        file = format!("themes/default/assets/long.css:{}-", whole.lines().count() + 1);
        assert!(next.contains(&file), "{next}");
    }
    assert_eq!(whole, css);
    let two = site.call("theme_get", json!({"files": ["assets/long.css", "layouts/page.hbs"]})).await;
    assert_eq!(two["texts_left_out"], json!(["themes/default/layouts/page.hbs"]), "{}", two["next"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_names_exactly_the_pages_that_change() {
    let site = TestSite::new(CHILD).await;
    let edit = json!({"files": [{"path": "partials/top.hbs", "edits": [{"find": "<i>", "replace": "<em>"}, {"find": "</i>", "replace": "</em>"}]}]});
    let dry = {
        let mut dry = edit.clone();
        dry["dry_run"] = json!(true);
        site.call("theme_write", dry).await
    };
    site.assert_file("themes/child/partials/top.hbs", "<i>{{page.title}}</i>\n");
    let reply = site.call("theme_write", edit).await;
    assert_eq!(
        reply["affected_urls"],
        json!({"count": 2, "first": ["/404.html", "/a/"]}),
        "the list shows none: {reply}"
    );
    assert_eq!(dry["affected_urls"], reply["affected_urls"]);
    assert!(reply["changed"][0]["diff"].as_str().is_some_and(|diff| diff.contains("+<em>")), "{reply}");
    assert!(reply["revision"].is_string() && dry.get("revision").is_none());
    assert!(html(&site, "/a/").await.contains("<em>A</em>"));
    let css = json!({"files": [{"path": "assets/style.css", "text": "body { color: navy }\n"}]});
    let reply = site.call("theme_write", css).await;
    assert_eq!(reply["affected_urls"]["first"], json!(["/assets/style.css"]), "its own over the inherited: {reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_file_needs_its_etag_and_a_new_one_none() {
    let site = TestSite::new(CHILD).await;
    let text = "<u>{{page.title}}</u>\n";
    let write = |etag: Value| json!({"files": [{"path": "partials/top.hbs", "text": text, "if_match": etag}]});
    let error = site.call_err("theme_write", write(Value::Null)).await;
    assert_eq!(
        (&error["code"], &error["details"]["field"]),
        (&json!("invalid_arguments"), &json!("if_match")),
        "{error}"
    );
    let read = site.call("theme_get", json!({"files": ["partials/top.hbs"]})).await;
    let old = read["texts"][0]["etag"].clone();
    site.call("theme_write", write(old.clone())).await;
    site.assert_file("themes/child/partials/top.hbs", text);
    let stale = json!({"files": [{"path": "partials/top.hbs", "text": "x", "if_match": old}]});
    let error = site.call_err("theme_write", stale).await;
    assert_eq!(error["code"], "conflict", "{error}");
    assert!(error["details"]["diff"].as_str().is_some_and(|diff| diff.contains("+<u>")), "{error}");
    let error = site.call_err("theme_write", json!({"files": [{"path": "partials/top.hbs", "delete": true}]})).await;
    assert_eq!(error["details"]["field"], "if_match", "{error}");
    let typo = json!({"files": [{"path": "partials/tpo.hbs", "edits": [{"find": "a", "replace": "b"}]}]});
    let error = site.call_err("theme_write", typo).await;
    assert_eq!(error["details"]["near"][0], "themes/child/partials/top.hbs", "{error}");
    let inherited =
        json!({"files": [{"path": "layouts/page.hbs", "edits": [{"find": "<html>", "replace": "<html lang>"}]}]});
    let error = site.call_err("theme_write", inherited).await;
    assert_eq!(error["details"]["near"], json!(["themes/base/layouts/page.hbs"]), "{error}");
    let missing =
        json!({"files": [{"path": "partials/top.hbs", "edits": [{"find": "{{page.titel}}", "replace": "b"}]}]});
    let error = site.call_err("theme_write", missing).await;
    assert_eq!(error["code"], "edit_mismatch", "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("theme_get")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_compile_or_render_is_refused_whole() {
    let site = TestSite::new(CHILD).await;
    for (path, text, word) in [
        ("layouts/never-used.hbs", "{{#if x}}open", "never closed"),
        ("partials/never-used.hbs", "{{/if}}", "tag"),
        ("layouts/page.hbs", "{{> nowhere}}", "no partial `nowhere`"),
        ("layouts/page.hbs", "{{nohelper 1}}", "nohelper"),
        ("shortcodes/unused.hbs", "{{#each}}{{/each", "tag"),
    ] {
        let good = json!({"path": "assets/fine.css", "text": "b {}"});
        let error = site.call_err("theme_write", json!({"files": [good, {"path": path, "text": text}]})).await;
        assert_eq!(error["code"], "build_failed", "{path}: {error}");
        assert!(error.to_string().contains(word) && error.to_string().contains(path), "{path}: {error}");
        assert!(!site.path().join("themes/child/assets").exists(), "all or nothing");
    }
    let bad =
        json!({"files": [{"path": "theme.yaml", "edits": [{"find": "extends: base", "replace": "extends: [x"}]}]});
    assert_eq!(site.call_err("theme_write", bad).await["code"], "build_failed");
    let gone = json!({"theme": "base", "files": [{"path": "layouts/page.hbs", "delete": true, "if_match": "*"}]});
    let error = site.call_err("theme_write", gone).await;
    assert!(error.to_string().contains("no layout `page`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_no_page_could_use_is_refused() {
    let site = TestSite::new(CHILD).await;
    for (path, code, word) in [
        ("layouts/page.html", "invalid_arguments", "end in .hbs"),
        ("templates/page.hbs", "invalid_arguments", "layouts/"),
        ("themes/base/layouts/page.hbs", "invalid_arguments", "no file of theme `child`"),
        ("../base/layouts/page.hbs", "invalid_path", ".."),
        ("assets/.hidden", "invalid_path", "dot files"),
        ("", "invalid_arguments", "path"),
    ] {
        let error = site.call_err("theme_write", json!({"files": [{"path": path, "text": "x"}]})).await;
        assert_eq!(error["code"], code, "{path}: {error}");
        assert!(error["message"].as_str().unwrap().contains(word), "{path}: {error}");
    }
    for files in [json!([{"path": "a.css"}]), json!([{"path": "assets/a.css", "text": "x", "delete": true}]), json!([])]
    {
        let error = site.call_err("theme_write", json!({"files": files})).await;
        assert_eq!(error["code"], "invalid_arguments", "{error}");
    }
    let twice =
        json!({"files": [{"path": "assets/a.css", "text": "x"}, {"path": "themes/child/assets/a.css", "text": "y"}]});
    assert!(site.call_err("theme_write", twice).await["message"].to_string().contains("twice"));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_stand_where_they_belong() {
    let site = TestSite::new(CHILD).await;
    let before = site.read("site.yaml");
    let reply = site.call("theme_write", json!({"settings": {"size": 5}})).await;
    assert_eq!(reply["changed"][0]["path"], "site.yaml", "{reply}");
    site.assert_file("site.yaml", &before.replace("  tone: dark\n", "  tone: dark\n  size: 5\n"));
    assert!(html(&site, "/a/").await.contains("dark 5"));
    site.call("theme_write", json!({"settings": {"size": null, "tone": null}})).await;
    assert!(html(&site, "/a/").await.contains("light 4"), "back to the defaults");
    for (settings, word) in [
        (json!({"tone": "loud"}), "\"light\" or \"dark\""),
        (json!({"tnoe": "dark"}), "tone"),
        (json!({"size": "big"}), "expects"),
    ] {
        let error = site.call_err("theme_write", json!({"settings": settings})).await;
        assert_eq!(error["code"], "invalid_arguments", "{error}");
        assert!(error.to_string().replace('\\', "").contains(word), "{word}: {error}");
    }
    // Of a theme that is not in use, they are the defaults.
    let base = site.read("themes/default/theme.yaml");
    let reply = site.call("theme_write", json!({"theme": "default", "settings": {"accent": "teal"}})).await;
    assert_eq!(reply["affected_urls"]["count"], 0, "{reply}");
    site.assert_file("themes/default/theme.yaml", &base.replacen("default: blue", "default: teal", 1));
    let error = site.call_err("theme_write", json!({"theme": "default", "settings": {"accent": null}})).await;
    assert!(error["message"].as_str().unwrap().contains("needs a value"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_is_made_by_its_manifest_and_used_when_it_is_whole() {
    let site = TestSite::new(PAGES).await;
    let lone = json!({"theme": "plain", "files": [{"path": "layouts/page.hbs", "text": "x"}]});
    let error = site.call_err("theme_write", lone).await;
    assert!(error["message"].as_str().unwrap().contains("begins with its theme.yaml"), "{error}");
    let typo = json!({"theme": "defualt", "files": [{"path": "layouts/page.hbs", "text": "x"}]});
    assert_eq!(site.call_err("theme_write", typo).await["details"]["near"], json!(["default"]));
    let begin = json!({"theme": "plain", "files": [
        {"path": "theme.yaml", "text": "name: plain\n"},
        {"path": "layouts/page.hbs", "text": "<html><body>plain {{> later}}{{{content}}}</body></html>"},
    ]});
    let reply = site.call("theme_write", begin).await;
    assert_eq!(reply["affected_urls"]["count"], 0, "{reply}");
    assert!(reply["diagnostics"].to_string().contains("missing_partial"), "it may come later: {reply}");
    assert!(reply["notes"].to_string().contains("theme_use"), "{reply}");
    let broken = json!({"theme": "plain", "files": [{"path": "partials/later.hbs", "text": "{{#if}}"}]});
    assert_eq!(site.call_err("theme_write", broken).await["code"], "build_failed");
    let error = site.call_err("theme_use", json!({"theme": "plain"})).await;
    assert_eq!(error["code"], "build_failed", "switching renders everything first: {error}");
    let rest = json!({"theme": "plain", "files": [
        {"path": "partials/later.hbs", "text": "later "},
        {"path": "layouts/list.hbs", "text": "<html><body>list {{{content}}}</body></html>"},
    ]});
    site.call("theme_write", rest).await;
    let dry = site.call("theme_use", json!({"theme": "plain", "dry_run": true})).await;
    assert!(!html(&site, "/a/").await.contains("plain later"));
    let used = site.call("theme_use", json!({"theme": "plain"})).await;
    assert_eq!(used["affected_urls"], dry["affected_urls"]);
    assert_eq!(used["changed"][0]["path"], "site.yaml", "{used}");
    assert!(html(&site, "/a/").await.contains("plain later"));
    let error = site.call_err("theme_use", json!({"theme": "plian"})).await;
    assert_eq!(error["details"]["near"], json!(["plain"]), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_freezes_the_theme_with_what_it_extends() {
    let site = TestSite::new(CHILD).await;
    let before = html(&site, "/a/").await;
    let config = site.read("site.yaml");
    let pinned = site.call("theme_use", json!({"pin": "now"})).await;
    let name = pinned["theme"].as_str().unwrap().to_owned();
    assert!(name.starts_with("child@") && name.len() == "child@".len() + 10, "{pinned}");
    assert_eq!(pinned["affected_urls"]["count"], 0, "{pinned}");
    assert_eq!(pinned["files_written"], json!({"count": 5, "folder": format!("themes/{name}/")}), "{pinned}");
    site.assert_file("site.yaml", &config.replace("theme: child #", &format!("theme: {name} #")));
    let manifest = site.read(&format!("themes/{name}/theme.yaml"));
    assert!(!manifest.contains("extends") && manifest.contains("tone"), "it depends on nothing: {manifest}");
    assert_eq!(html(&site, "/a/").await, before);
    // Neither its own files nor those it extends change a page now.
    for (theme, path) in [("child", "partials/top.hbs"), ("base", "layouts/page.hbs")] {
        let edit = json!({"theme": theme, "files": [{"path": path, "text": "<html>CHANGED {{{content}}}</html>", "if_match": "*"}]});
        let reply = site.call("theme_write", edit).await;
        assert_eq!(reply["affected_urls"]["count"], 0, "{reply}");
        assert!(reply["notes"].to_string().contains(&name), "{reply}");
    }
    assert_eq!(html(&site, "/a/").await, before);
    let view = site.call("theme_get", json!({"include": ["settings", "versions"]})).await;
    assert_eq!((&view["theme"], &view["pinned"]), (&json!("child"), &json!(name)), "{view}");
    let versions = view["versions"].as_array().unwrap();
    let marked: Vec<&Value> = versions.iter().filter(|version| version["pinned"] == true).collect();
    assert_eq!(marked.len(), 1, "{view}");
    assert!(name.ends_with(marked[0]["id"].as_str().unwrap()), "the version that made it what it was: {view}");
    let again = site.call("theme_use", json!({"pin": "now"})).await;
    assert!(again["affected_urls"]["count"].as_u64().unwrap() > 0, "the pin moved to the edits: {again}");
    assert_eq!(again["files_removed"]["folder"], format!("themes/{name}/"), "{again}");
    assert_eq!(folders(&site), ["base", "child", again["theme"].as_str().unwrap(), "default"]);
    assert!(html(&site, "/a/").await.contains("CHANGED"));
    let still = site.call("theme_use", json!({"pin": "now"})).await;
    assert_eq!(still["unchanged"], true, "nothing moved: {still}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_at_a_revision_is_a_roll_back_and_unpinning_goes_on() {
    let site = TestSite::new(PAGES).await;
    let old = html(&site, "/a/").await;
    let edit = json!({"files": [{"path": "partials/footer.hbs", "text": "<p>SECOND FOOTER</p>\n", "if_match": "*"}]});
    site.call("theme_write", edit).await;
    let versions = site.call("theme_get", json!({"include": ["versions"]})).await;
    let first = versions["versions"].as_array().unwrap().last().unwrap()["id"].clone();
    let pinned = site.call("theme_use", json!({"pin": first})).await;
    assert_eq!(pinned["theme"], format!("default@{}", first.as_str().unwrap()));
    assert!(pinned["affected_urls"]["count"].as_u64().unwrap() >= 2, "{pinned}");
    assert_eq!(html(&site, "/a/").await, old);
    let versions = site.call("theme_get", json!({"include": ["versions"]})).await;
    let marked = versions["versions"].as_array().unwrap().iter().filter(|v| v["pinned"] == true).count();
    assert_eq!(marked, 1, "{versions}");
    // The pin is kept: naming its theme alone is not a way around it.
    let error = site.call_err("theme_use", json!({"theme": "default"})).await;
    assert_eq!(error["details"]["field"], "pin", "{error}");
    let frozen = pinned["theme"].as_str().unwrap();
    let error =
        site.call_err("theme_write", json!({"theme": frozen, "files": [{"path": "assets/a.css", "text": "x"}]})).await;
    assert!(error["hint"].as_str().unwrap().contains("theme_use"), "{error}");
    let unpinned = site.call("theme_use", json!({"pin": "off", "message": "Ready"})).await;
    assert_eq!(unpinned["theme"], "default", "{unpinned}");
    assert_eq!(folders(&site), ["default"]);
    assert!(html(&site, "/a/").await.contains("SECOND FOOTER"));
    // Taking the unpinning back pins again, files and all.
    let undone = site.call("revision_restore", json!({"undo": [unpinned["revision"]]})).await;
    assert_eq!(html(&site, "/a/").await, old, "{undone}");
    for (pin, code) in [("1234567", "not_found"), ("HEAD~1", "invalid_arguments"), ("yesterday", "invalid_arguments")] {
        assert_eq!(site.call_err("theme_use", json!({"pin": pin})).await["code"], code, "{pin}");
    }
    for wrong in [json!({}), json!({"pin": ""}), json!({"theme": frozen, "pin": "now"})] {
        assert_eq!(site.call_err("theme_use", wrong).await["code"], "invalid_arguments");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_folder_stays_as_long_as_a_theme_extends_it() {
    let site = TestSite::new(PAGES).await;
    let name = site.call("theme_use", json!({"pin": "now"})).await["theme"].as_str().unwrap().to_owned();
    let manifest = format!("name: own\nextends: {name}\n");
    site.call("theme_write", json!({"theme": "own", "files": [{"path": "theme.yaml", "text": manifest}]})).await;
    let reply = site.call("theme_use", json!({"pin": "off"})).await;
    assert!(reply["notes"].to_string().contains("own extends it"), "{reply}");
    assert_eq!(folders(&site), ["default", &name, "own"]);
    let used = site.call("theme_use", json!({"theme": name})).await;
    assert_eq!(used["theme"], json!(name), "a frozen folder that is there can be used again: {used}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_theme_is_written_where_it_is_missing() {
    let site = TestSite::new(CHILD).await;
    std::fs::remove_dir_all(site.path().join("themes/default")).unwrap();
    let reply = site.call("theme_use", json!({"theme": "default"})).await;
    assert_eq!(reply["files_written"]["folder"], "themes/default/", "{reply}");
    assert!(reply["diagnostics"].to_string().contains("unknown_theme_setting"), "the old theme's settings: {reply}");
    assert!(site.path().join("themes/default/layouts/page.hbs").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_goes_live_as_a_whole() {
    let site = TestSite::with_remote(PAGES).await;
    site.call("publish", json!({})).await;
    let name = site.call("theme_use", json!({"pin": "now"})).await["theme"].as_str().unwrap().to_owned();
    let needs = site.call_err("publish", json!({"paths": ["site.yaml"]})).await;
    assert_eq!(needs["code"], "needs", "{needs}");
    let manifest = format!("themes/{name}/theme.yaml");
    assert_eq!(needs["details"]["needs"], json!([format!("themes/{name}/")]), "one name for all of it: {needs}");
    // One file of a frozen folder stands for all of it.
    let reply = site.call("publish", json!({"paths": ["site.yaml", manifest]})).await;
    assert_eq!(reply["pushed"]["ok"], true, "{reply}");
    assert_eq!(site.call("change_list", json!({})).await["total"], 0);
    let live = site.git_remote(&["ls-tree", "-r", "--name-only", "main", &format!("themes/{name}")]);
    assert!(live.lines().count() > 20, "{live}");
    site.call("theme_use", json!({"pin": "off"})).await;
    let needs = site.call_err("publish", json!({"paths": [manifest]})).await;
    assert_eq!((&needs["code"], &needs["details"]["needs"]), (&json!("needs"), &json!(["site.yaml"])), "{needs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_set_has_a_theme_and_settings_of_its_own() {
    let site = TestSite::with_remote(PAGES).await;
    site.call("publish", json!({})).await;
    let before = site.fingerprint().into_iter().filter(|(path, _)| !path.starts_with("ref ")).collect::<Vec<_>>();
    let set = site.call("change_open", json!({"purpose": "New look"})).await["change_set"].clone();
    let footer = json!({"path": "partials/footer.hbs", "text": "<p>NEW FOOTER</p>\n", "if_match": "*"});
    let written = site.call("theme_write", json!({"change_set": set, "files": [footer]})).await;
    assert!(written["affected_urls"]["count"].as_u64().unwrap() >= 2, "{written}");
    site.call("theme_use", json!({"change_set": set, "pin": "now"})).await;
    site.call("site_update", json!({"change_set": set, "patch": {"title": "Renamed"}})).await;
    let after = site.fingerprint().into_iter().filter(|(path, _)| !path.starts_with("ref ")).collect::<Vec<_>>();
    assert_eq!(after, before, "the working tree is somebody else's");
    assert!(!html(&site, "/a/").await.contains("NEW FOOTER"));
    let view = site.call("theme_get", json!({"change_set": set, "include": ["versions"]})).await;
    assert!(view["pinned"].is_string() && view["versions"][0]["pinned"] == true, "{view}");
    assert!(site.call("theme_get", json!({})).await.get("pinned").is_none());
    site.call("publish", json!({"change_set": set})).await;
    let live = site.git_remote(&["show", "main:public/a/index.html"]);
    assert!(live.contains("NEW FOOTER") && live.contains("Renamed"), "{live}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_theme_with_settings_that_have_no_default_is_pinned_as_it_is() {
    let base = "-- themes/base/theme.yaml --\nname: base\nsettings:\n  motto:\n  banner: { default: null, description: An image }\n  size: 3\n-- themes/base/layouts/page.hbs --\n<head></head>[{{settings.motto}}|{{settings.banner}}|{{settings.size}}]{{{content}}}\n-- themes/base/layouts/list.hbs --\n<head></head>{{{content}}}\n";
    let child = "-- themes/child/theme.yaml --\nname: child\nextends: base\n-- site.yaml --\ntitle: T\nbase_url: https://example.org/\ntheme: child\n-- content/a.md --\nA.\n";
    let site = TestSite::new(&format!("{base}{child}")).await;
    let html = async || site.call("preview", json!({"pages": ["/a/"], "as": "html"})).await["pages"][0]["html"].clone();
    let before = html().await;
    let pinned = site.call("theme_use", json!({"pin": "now"})).await;
    assert_eq!(html().await, before);
    let manifest = site.read(&format!("themes/{}/theme.yaml", pinned["theme"].as_str().unwrap()));
    assert!(manifest.contains("motto: null") && !manifest.contains("extends"), "{manifest}");
    site.call("site_update", json!({"patch": {"theme_settings": {"motto": "Onwards"}}})).await;
    assert_ne!(html().await, before, "the setting is one of the copy too");
}
