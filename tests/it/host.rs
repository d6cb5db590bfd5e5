//! Tests of `publish.host`: the output for each host held against the rules that host documents, and what `init --host` adds.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sitewright::build::{Built, Cache, Options, build};
use sitewright::model::{ContentPath, OutputData, Snapshot};
use sitewright::site::starter;
use sitewright::store::Repository;

use super::harness::TestSite;
use super::publish::{git, serve_folder};

const HOSTS: [&str; 6] = ["github", "gitlab", "cloudflare", "netlify", "codeberg", "vercel"];

/// The starter site, with this below `publish:` and these lines added to `site.yaml`.
fn site(publish: &str, more: &str) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (path, bytes) in starter::files("Test") {
        let mut text = bytes;
        if path.as_str() == "site.yaml" {
            let config = String::from_utf8(text).unwrap().replace("http://localhost/", "https://www.example.org/");
            text = format!("{config}\npublish:\n{publish}\n{more}").into_bytes();
        }
        snapshot.set(path, Some(Repository::file(text)));
    }
    let old = ContentPath::parse("content/moved.md").unwrap();
    snapshot.set(old, Some(Repository::file(b"---\ntitle: Moved\naliases: [/old/]\n---\nHere.\n".to_vec())));
    snapshot
}

fn built(snapshot: &Snapshot) -> Built {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let options = Options { now, ..crate::build::options() };
    build(snapshot, &options, &Cache::default()).unwrap()
}

fn for_host(host: &str, more: &str) -> Built {
    built(&site(&format!("  host: {host}\n  domain: true"), more))
}

fn text(built: &Built, path: &str) -> Option<String> {
    match &built.outputs.get(path)?.data {
        OutputData::Bytes(bytes) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
        OutputData::Copy(..) => panic!("{path} is a copy"),
    }
}

fn limits(built: &Built) -> Vec<&str> {
    built.diagnostics.iter().filter(|d| d.code == "host_limit").map(|d| d.message.as_str()).collect()
}

#[test]
fn every_host_gets_its_control_files_and_no_others() {
    // Host, file with the domain, `_redirects`, `_headers`: table 2.1 of the research, from each host's documentation.
    let table = [
        ("github", Some("CNAME"), false, false),
        ("gitlab", None, true, false),
        ("cloudflare", None, true, true),
        ("netlify", None, true, true),
        ("codeberg", Some(".domains"), true, true),
        ("vercel", None, false, false),
    ];
    for (host, domain, redirects, headers) in table {
        let built = for_host(host, "");
        for name in ["CNAME", ".domains"] {
            let wanted = (domain == Some(name)).then(|| "www.example.org\n".to_owned());
            assert_eq!(text(&built, name), wanted, "{host} {name}");
        }
        assert_eq!(
            (built.outputs.contains_key("_redirects"), built.outputs.contains_key("_headers")),
            (redirects, headers),
            "{host}"
        );
        // Nothing that only some of them would serve.
        let strange: Vec<&String> = built
            .outputs
            .keys()
            .filter(|path| path.split('/').any(|part| part.starts_with('_') || part.starts_with('.')))
            .filter(|path| !["_redirects", "_headers", ".nojekyll", ".domains"].contains(&path.as_str()))
            .collect();
        assert!(strange.is_empty(), "{host}: {strange:?}");
        // Without a top-level 404.html, Cloudflare answers every address with the home page.
        for always in ["404.html", "index.html", ".nojekyll", "old/index.html"] {
            assert!(built.outputs.contains_key(always), "{host}: no {always}");
        }
        let folded: BTreeSet<String> = built.outputs.keys().map(|path| path.to_lowercase()).collect();
        assert_eq!(folded.len(), built.outputs.len(), "{host}: names differ in case only");
        assert!(limits(&built).is_empty(), "{host}: {:?}", limits(&built));
    }
}

#[test]
fn without_a_domain_of_its_own_none_is_named() {
    for host in HOSTS {
        let built = built(&site(&format!("  host: {host}"), ""));
        assert!(!built.outputs.contains_key("CNAME") && !built.outputs.contains_key(".domains"), "{host}");
    }
}

/// `redirects:` with this many plain rules and patterns.
fn many(plain: usize, patterns: usize) -> String {
    let mut text = String::from("redirects:\n");
    for n in 0..plain {
        let _ = writeln!(text, "  /gone-{n}/: /about/");
    }
    for n in 0..patterns {
        let _ = writeln!(text, "  /tree-{n}/*: /about/");
    }
    text
}

#[test]
fn rules_beyond_what_a_host_reads_are_left_out_and_told() {
    // Host, what it reads of 2,500 plain rules and 150 patterns.
    let table: [(&str, Option<(usize, usize)>); 6] = [
        ("github", None),
        ("gitlab", Some((850, 150))),
        ("cloudflare", Some((2_000, 100))),
        ("netlify", Some((2_501, 150))),
        ("codeberg", Some((2_501, 150))),
        ("vercel", None),
    ];
    for (host, wanted) in table {
        let built = for_host(host, &many(2_500, 150));
        let rules = text(&built, "_redirects");
        let counts = rules.as_ref().map(|text| {
            let patterns = text.lines().filter(|line| line.split(' ').next().unwrap().contains('*')).count();
            (text.lines().count() - patterns, patterns)
        });
        assert_eq!(counts, wanted, "{host}");
        if host == "gitlab" {
            assert!(rules.as_ref().unwrap().len() <= 64_000);
        }
        for line in rules.iter().flat_map(|text| text.lines()) {
            let parts: Vec<&str> = line.split(' ').collect();
            // A pattern must not hide pages that exist.
            let forced = host == "netlify" && !parts[0].contains('*');
            let status = if forced { "301!" } else { "301" };
            assert!(
                parts.len() == 3 && parts[0].starts_with('/') && parts[2] == status && line.len() < 1_000,
                "{host}: {line}"
            );
        }
        let told = matches!(host, "gitlab" | "cloudflare" | "github");
        assert_eq!(limits(&built).len(), usize::from(told), "{host}: {:?}", limits(&built));
        // What is not a rule still is a page that leads on.
        assert!(built.outputs.contains_key("gone-2499/index.html"), "{host}");
    }
}

#[test]
fn too_many_or_too_large_files_are_told_before_the_host_does() {
    let mut large = site("  host: cloudflare", "");
    let file = ContentPath::parse("static/film.mp4").unwrap();
    let mut film = Repository::file(b"x".to_vec());
    film.size = 26 * 1024 * 1024;
    large.set(file, Some(film));
    assert!(limits(&built(&large))[0].contains("no file larger than"), "{:?}", limits(&built(&large)));
    let crowd = for_host("cloudflare", &many(20_000, 0));
    assert!(limits(&crowd).iter().any(|told| told.contains("takes 20000 files")), "{:?}", limits(&crowd));
    // Pages come with their Markdown, unless the site says otherwise.
    let told = |config: &str| {
        let mut crowd = site("  host: cloudflare", config);
        for n in 0..10_000 {
            let path = ContentPath::parse(&format!("content/blog/n{n}.md")).unwrap();
            crowd.set(path, Some(Repository::file(b"Text.\n".to_vec())));
        }
        let built = built(&crowd);
        built.diagnostics.iter().find(|d| d.code == "host_limit").map(|d| d.hint.clone())
    };
    assert!(told("").is_some_and(|hint| hint.contains("twins: false")));
    assert_eq!(told("markdown: { twins: false }"), None);
}

#[test]
fn what_the_configuration_cannot_mean_is_refused_with_its_line() {
    for (publish, wanted) in [
        ("  host: geocities", "`publish.host`: expected github or"),
        ("  layout: sideways", "`publish.layout`: expected folder or branch or both"),
        ("  layout: branch\n  deploy_branch: a..b", "`publish.deploy_branch`: `a..b` is no name git accepts"),
        ("  layout: both\n  branch: gh-pages", "`publish.branch`: `gh-pages` holds the sources"),
        ("  domain: true", "`publish.domain`: `me.github.io` is a name the host gives"),
    ] {
        let text = format!("title: T\nbase_url: https://me.github.io/\npublish:\n{publish}\n");
        let mut only = Snapshot::default();
        only.set(ContentPath::parse("site.yaml").unwrap(), Some(Repository::file(text.clone().into_bytes())));
        let error = sitewright::model::Config::load(&only).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
        let line = 1 + text.lines().position(|line| line == publish.lines().last().unwrap()).unwrap();
        assert!(error.starts_with(&format!("site.yaml:{line}:")), "{error}");
    }
}

fn sitewright(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewright"));
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[test]
fn init_sets_a_new_site_up_for_each_host() {
    let table = [
        ("github", Some(".github/workflows/pages.yml"), "path: \"public\""),
        ("gitlab", Some(".gitlab-ci.yml"), "- public"),
        ("cloudflare", None, ""),
        ("netlify", Some("netlify.toml"), "publish = \"public\""),
        ("codeberg", None, ""),
        ("vercel", Some("vercel.json"), "\"outputDirectory\": \"public\""),
    ];
    let dir = tempfile::tempdir().unwrap();
    for (host, file, line) in table {
        let (done, said) = sitewright(dir.path(), &["init", host, "--host", host]);
        assert!(done, "{said}");
        let folder = dir.path().join(host);
        let config = std::fs::read_to_string(folder.join("site.yaml")).unwrap();
        assert!(config.contains(&format!("host: {host}")), "{config}");
        assert_eq!(config.contains("layout: branch"), host == "codeberg");
        let committed = git(&folder, &["ls-tree", "-r", "--name-only", "HEAD"]);
        match file {
            Some(file) => {
                assert!(said.contains(&format!("Wrote {file}")) && committed.lines().any(|l| l == file), "{said}");
                let text = std::fs::read_to_string(folder.join(file)).unwrap();
                assert!(text.contains(line), "{text}");
                if file.ends_with(".json") {
                    let value: Value = serde_json::from_str(&text).unwrap();
                    assert_eq!(value["headers"][0]["source"], "/(.*)");
                    assert_eq!((&value["cleanUrls"], &value["framework"]), (&json!(true), &Value::Null));
                }
            }
            None => assert!(!said.contains("Wrote"), "{said}"),
        }
        assert_eq!(git(&folder, &["status", "--porcelain"]), "", "{host}");
        git(&folder, &["fsck", "--strict", "--no-dangling"]);
        let (done, said) = sitewright(&folder, &["check"]);
        assert!(done, "{said}");
    }
}

#[test]
fn init_sets_an_existing_site_up_and_overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("repo");
    std::fs::create_dir_all(&root).unwrap();
    git(&root, &["init", "-q", "-b", "main"]);
    assert!(sitewright(&root, &["init", "docs"]).0);
    // An unpublished edit is under way, and a file of the person's is there.
    std::fs::write(root.join("docs/content/about.md"), "---\ntitle: About\n---\nMine.\n").unwrap();
    std::fs::write(root.join("netlify.toml"), "# mine\n").unwrap();
    let (done, said) = sitewright(&root, &["init", "docs", "--host", "netlify"]);
    assert!(done && said.contains("Left netlify.toml as it is"), "{said}");
    assert_eq!(std::fs::read_to_string(root.join("netlify.toml")).unwrap(), "# mine\n");
    std::fs::remove_file(root.join("netlify.toml")).unwrap();
    let (done, said) = sitewright(&root, &["init", "docs", "--host", "netlify"]);
    assert!(done && said.contains("Wrote netlify.toml"), "{said}");
    let written = std::fs::read_to_string(root.join("netlify.toml")).unwrap();
    assert!(written.contains("publish = \"docs/public\""), "{written}");
    assert!(git(&root, &["show", "HEAD:netlify.toml"]).contains("docs/public"));
    let head = git(&root, &["rev-parse", "HEAD"]);
    let (done, said) = sitewright(&root, &["init", "docs", "--host", "netlify"]);
    assert!(done && !said.contains("Wrote") && !said.contains("Left"), "{said}");
    assert_eq!(git(&root, &["rev-parse", "HEAD"]), head);
    // The edits are as unpublished as before, and go out with the next publish.
    let about = std::fs::read_to_string(root.join("docs/content/about.md")).unwrap();
    assert!(about.ends_with("Mine.\n"));
    let (done, said) = sitewright(&root, &["publish", "--site", "docs", "--yes"]);
    assert!(done, "{said}");
    assert!(git(&root, &["show", "HEAD:docs/content/about.md"]).ends_with("Mine."));
    assert!(git(&root, &["show", "HEAD:docs/site.yaml"]).contains("host: netlify"));
    assert_eq!(git(&root, &["status", "--porcelain"]), "");
    let (done, said) = sitewright(&root, &["init", "other"]);
    assert!(done, "{said}");
    let (done, said) = sitewright(&root, &["init", "other", "--host", "codeberg"]);
    assert!(done && said.contains("below `publish:` -> layout: branch") && !said.contains("host: codeberg"), "{said}");
    let config = std::fs::read_to_string(root.join("other/site.yaml")).unwrap();
    assert!(config.contains("host: codeberg") && !config.contains("layout:"), "{config}");
    std::fs::write(root.join("other/site.yaml"), config.replace("host: codeberg", "host: codeberg\n  layout: both"))
        .unwrap();
    let (done, said) = sitewright(&root, &["init", "other", "--host", "codeberg"]);
    assert!(done && !said.contains("layout: branch"), "{said}");
    let (done, said) = sitewright(&root, &["init", "docs", "--host", "geocities"]);
    assert!(!done && said.contains("expected one of github"), "{said}");
}

#[tokio::test]
async fn an_agent_sends_a_review_and_hears_where_a_person_merges_it() {
    let config =
        "-- site.yaml --\ntitle: T\nbase_url: https://example.org/\ntheme: default\npublish:\n  host: gitlab\n";
    let site = TestSite::with_remote(&format!("{config}-- content/_index.md --\n---\ntitle: Home\n---\nHi.\n")).await;
    site.call("publish", json!({})).await;
    let remote = site.remote();
    let (folder, owner) = (remote.parent().unwrap(), remote.parent().unwrap().file_name().unwrap().to_str().unwrap());
    let address = format!("{}/{owner}/remote.git", serve_folder(folder.parent().unwrap()));
    site.git(&["remote", "set-url", "origin", &address]);
    site.git_remote(&["config", "receive.advertisePushOptions", "true"]);
    let hook = remote.join("hooks/pre-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_ | sort > asked\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();

    let page =
        json!({"path": "pricing.md", "create": true, "front_matter": {"title": "Pricing"}, "body": "Free, @all.\n"});
    let home = json!({"path": "_index.md", "front_matter": {"title": "Welcome, `@all`"}});
    site.call("page_write", json!({"pages": [page, home], "message": "Say what it costs, @all"})).await;
    let sent = site.call("publish", json!({"review": true, "message": "Add the pricing page"})).await;
    assert_eq!(sent["review"]["branch"], "sitewright/add-the-pricing-page");
    let url = format!(
        "https://127.0.0.1/{owner}/remote/-/merge_requests?state=opened&source_branch=sitewright%2Fadd-the-pricing-page"
    );
    assert_eq!(sent["review"]["url"], url);
    assert!(sent["next"].as_str().unwrap().contains("site_sync"), "{sent}");
    assert!(sent["revision"].is_null() && sent["unchanged"].is_null() && sent["pushed"].is_null(), "{sent}");
    assert_eq!((&sent["in_review"]["count"], &sent["unpublished"]["count"]), (&json!(2), &json!(2)));
    let asked = std::fs::read_to_string(remote.join("asked")).unwrap();
    for wanted in [
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.title=Add the pricing page",
        "added `pricing.md`, page `/pricing/`",
        "  - `title`: `\"Home\"` -> `\"Welcome, @all\"`<br>",
    ] {
        assert!(asked.contains(wanted), "{asked}");
    }
    // Outside of quotes that nothing inside can end, no name is called.
    let calls: usize = asked.split('`').step_by(2).map(|prose| prose.matches("@all").count()).sum();
    assert_eq!(calls, 0, "a name is called: {asked}");
    let list = site.call("change_list", json!({})).await;
    assert_eq!(list["items"][0]["review"], "sitewright/add-the-pricing-page");
    let overview = site.call("site_get", json!({})).await;
    assert_eq!(overview["git"]["reviews"], json!([{"branch": "sitewright/add-the-pricing-page", "paths": 2}]));
    assert!(site.call("publish", json!({"review": true})).await["unchanged"].as_bool().unwrap());

    std::fs::remove_file(&hook).unwrap();
    site.git_remote(&["update-ref", "refs/heads/main", "refs/heads/sitewright/add-the-pricing-page"]);
    let synced = site.call("site_sync", json!({})).await;
    assert_eq!(synced["merged_reviews"], json!(["sitewright/add-the-pricing-page"]));
    assert_eq!(site.call("change_list", json!({})).await["total"], 0);
    assert!(site.call("publish", json!({})).await["unchanged"].as_bool().unwrap());
}

#[tokio::test]
async fn a_merged_review_asks_for_a_publish_where_the_output_has_a_branch_of_its_own() {
    let config =
        "-- site.yaml --\ntitle: T\nbase_url: https://example.org/\ntheme: default\npublish:\n  layout: branch\n";
    let site = TestSite::with_remote(&format!("{config}-- content/_index.md --\n---\ntitle: Home\n---\nHi.\n")).await;
    let next = |reply: &Value| reply["next"].as_str().unwrap_or_default().to_owned();
    let shown = |name: &str| site.git_remote(&["show", &format!("gh-pages:{name}")]);
    site.call("publish", json!({})).await;
    assert_eq!(next(&site.call("site_get", json!({})).await), "");
    site.call("page_write", json!({"pages": [{"path": "_index.md", "body": "Hello.\n", "if_match": "*"}]})).await;
    let sent = site.call("publish", json!({"review": true, "message": "Greet"})).await;
    assert_eq!(sent["review"]["branch"], "sitewright/greet", "{sent}");
    assert_eq!(next(&site.call("site_get", json!({})).await), "", "nothing is live yet");
    site.git_remote(&["update-ref", "refs/heads/main", "refs/heads/sitewright/greet"]);
    let synced = site.call("site_sync", json!({})).await;
    assert_eq!(synced["merged_reviews"], json!(["sitewright/greet"]));
    assert!(next(&synced).contains("call publish"), "{synced}");
    assert!(next(&site.call("site_get", json!({})).await).contains("call publish"));
    assert!(shown("index.html").contains("Hi.") && !shown("index.html").contains("Hello."));
    let published = site.call("publish", json!({})).await;
    assert_eq!((&published["deployed"]["ok"], &published["unpublished"]["count"]), (&json!(true), &json!(0)));
    assert!(shown("index.html").contains("Hello."));
    assert_eq!(next(&site.call("site_get", json!({})).await), "");
    // Sources that change no output ask for one publish, and for no second.
    site.elsewhere(|clone| {
        let text = std::fs::read_to_string(clone.join("site.yaml")).unwrap();
        std::fs::write(clone.join("site.yaml"), text + "# a note\n").unwrap();
    });
    assert!(next(&site.call("site_sync", json!({})).await).contains("call publish"));
    assert!(site.call("publish", json!({})).await["deployed"].is_null());
    assert_eq!(next(&site.call("site_get", json!({})).await), "");
    assert_eq!(next(&site.call("site_sync", json!({})).await), "");
}
