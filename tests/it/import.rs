//! Tests of content: importing other generators' sites, folders, feeds and tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use sitewright::build::{Built, Scope};
use sitewright::model::Severity;

use crate::harness::TestSite;
use crate::import_sites::{Made, hugo, jekyll, zola};

/// Pages of a generated site in the suite; `SITEWRIGHT_IMPORT_PAGES` for more.
const PAGES: usize = 60;

const SITE: &str = "-- site.yaml --\ntitle: Test\nbase_url: https://example.org/\ntheme: default\nuploads:\n  folders: [../old]\n";

fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (path, bytes) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("written");
    }
}

#[allow(dead_code)]
fn texts(text: &str) -> BTreeMap<String, Vec<u8>> {
    crate::harness::files(text).into_iter().map(|(path, text)| (path, text.into_bytes())).collect()
}

/// A site with a source beside it, from which it may read.
async fn with_source(files: &BTreeMap<String, Vec<u8>>) -> TestSite {
    let site = TestSite::new(SITE).await;
    write(&site.path().join("../old"), files);
    site
}

fn built(site: &TestSite) -> Built {
    let (snapshot, _) = site.site().working().expect("a site");
    site.site().build(&snapshot, Scope::Everything, false, None).expect("it builds")
}

fn lost<'r>(reply: &'r Value, what: &str, which: &str) -> &'r Value {
    let all = reply["not_carried"]["first"].as_array().expect("a list");
    let found = all.iter().find(|lost| lost["what"] == what && lost["which"] == which);
    found.unwrap_or_else(|| panic!("{what} {which} is not in {}", reply["not_carried"]))
}

/// Imports a generated site and compares every address with the one it had.
async fn round_trip(made: &Made, kind: &str) -> (TestSite, Value) {
    let site = with_source(&made.files).await;
    let before = site.fingerprint();
    let plan = site.call("content_import", json!({"from": "../old", "dry_run": true})).await;
    assert_eq!(site.fingerprint(), before, "a dry run writes nothing");
    assert_eq!(plan["kind"], kind);
    let reply = site.call("content_import", json!({"from": "../old", "message": "Take the old site over"})).await;
    assert_eq!(reply["pages"], plan["pages"], "the plan is what is done");
    assert_eq!(reply["not_carried"], plan["not_carried"]);
    assert!(reply.to_string().len() < 20_000, "{} bytes", reply.to_string().len());
    let built = built(&site);
    let errors: Vec<_> = built.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{} errors: {:#?}", errors.len(), &errors[..errors.len().min(5)]);
    let outputs: BTreeSet<&str> = built.outputs.keys().map(String::as_str).collect();
    for (what, paths) in [("pages", &made.pages), ("redirects", &made.aliases), ("assets", &made.assets)] {
        let missing: Vec<&String> = paths.iter().filter(|path| !outputs.contains(path.as_str())).collect();
        assert!(missing.is_empty(), "{} of {} {what} moved: {:?}", missing.len(), paths.len(), &missing[..missing.len().min(8)]);
    }
    let log = site.git(&["log", "--format=%s", "refs/sitewright/working", "-1"]);
    assert_eq!(log.trim(), "Take the old site over");
    let before = site.fingerprint();
    let again = site.call("content_import", json!({"from": "../old"})).await;
    assert_eq!(again["unchanged"], true, "{again}");
    assert_eq!(site.fingerprint(), before, "a second import changes nothing");
    (site, reply)
}

fn pages() -> usize {
    std::env::var("SITEWRIGHT_IMPORT_PAGES").ok().and_then(|pages| pages.parse().ok()).unwrap_or(PAGES)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hugo_site_keeps_its_addresses_links_and_pictures() {
    let made = hugo(pages());
    let (site, reply) = round_trip(&made, "hugo").await;
    let config = site.read("site.yaml");
    for line in ["permalinks:", "  posts: /:year/:month/:slug/", "accent: teal", "author: Ada", "language: en-GB"] {
        assert!(config.contains(line), "{line}: {config}");
    }
    assert!(config.contains("title: Test"), "what the site has stays: {config}");
    assert!(reply["settings"]["kept"].to_string().contains("title"), "{reply}");
    let charts = (0..pages()).filter(|n| n % 10 <= 5 && n % 6 == 2).count();
    assert_eq!(lost(&reply, "shortcode", "chart")["count"], charts);
    assert_eq!(lost(&reply, "setting", "related")["examples"], json!(["hugo.toml"]));
    assert!(lost(&reply, "template", "layouts/_default")["count"] == 2, "{reply}");
    let built = built(&site);
    let home = crate::build::text(&built, "index.html");
    assert!(home.contains("example.org/code"), "the menu came along: {home}");
    assert!(site.read("data/team.json").contains("Ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jekyll_site_keeps_its_addresses_links_and_pictures() {
    let made = jekyll(pages());
    let (site, reply) = round_trip(&made, "jekyll").await;
    let config = site.read("site.yaml");
    for line in ["posts: /:year/:month/:day/:slug.html", "twitter_username: ada", "name: Blog"] {
        assert!(config.contains(line), "{line}: {config}");
    }
    assert!(site.read("content/about.md").contains("Test is by Ada. About!") || site.read("content/about.md").contains("A Jekyll Site is by Ada. About!"));
    let includes = (0..pages()).filter(|n| n % 10 <= 6 && n % 6 == 2).count();
    assert_eq!(lost(&reply, "liquid_tag", "include ad.html")["count"], includes);
    assert_eq!(lost(&reply, "template", "HTML page with Liquid")["examples"], json!(["index.html"]));
    lost(&reply, "attribute_list", "{: .right }");
    lost(&reply, "layout", "wide");
    let post = made.files.keys().find(|path| path.starts_with("_posts/") && path.ends_with("-4.md")).expect("a post");
    let post = site.read(&post.replace("_posts/", "content/posts/"));
    assert!(post.contains("## Named {#own-id .big}\n") && post.contains("`{{ braces }}`"), "{post}");
    assert!(post.contains("categories:") && !post.contains("layout:"), "{post}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zola_site_keeps_its_addresses_links_and_pictures() {
    let made = zola(pages());
    let (site, reply) = round_trip(&made, "zola").await;
    let config = site.read("site.yaml");
    for line in ["heading_ids: zola", "accent: teal", "name: Docs", "feed: true"] {
        assert!(config.contains(line), "{line}: {config}");
    }
    lost(&reply, "shortcode", "chart");
    lost(&reply, "shortcode", "quote");
    lost(&reply, "front_matter", "transparent");
    lost(&reply, "template", "templates/shortcodes");
    // `C++` and `C` have one address in Zola, and two here.
    assert!(config.contains("/tags/c/: /tags/c++/"), "{config}");
}

/// What `benches/import/run` starts from: the generated sites on disk, with the addresses they have.
#[test]
#[ignore = "writes the sites that benches/import/run measures"]
fn generated_sites_on_disk() {
    let folder = std::env::var_os("SITEWRIGHT_IMPORT_DIR").expect("SITEWRIGHT_IMPORT_DIR names a folder");
    for (name, made) in [("hugo", hugo(pages())), ("jekyll", jekyll(pages())), ("zola", zola(pages()))] {
        let folder = Path::new(&folder).join(name);
        write(&folder.join("site"), &made.files);
        let expected = json!({"pages": made.pages, "aliases": made.aliases, "assets": made.assets});
        std::fs::write(folder.join("expected.json"), expected.to_string()).expect("written");
    }
}
