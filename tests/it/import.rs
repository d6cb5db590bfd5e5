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

const SITE: &str =
    "-- site.yaml --\ntitle: Test\nbase_url: https://example.org/\ntheme: default\nuploads:\n  folders: [../old]\n";

fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (path, bytes) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("written");
    }
}

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
    let (snapshot, _) = site.site().working().expect("a site");
    let drafts = site.site().build(&snapshot, Scope::Nothing, true, None).expect("it builds with drafts");
    let all = built.diagnostics.iter().chain(&drafts.diagnostics);
    let errors: Vec<_> = all.filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{} errors: {:#?}", errors.len(), &errors[..errors.len().min(5)]);
    let outputs: BTreeSet<&str> = built.outputs.keys().map(String::as_str).collect();
    for (what, paths) in [("pages", &made.pages), ("redirects", &made.aliases), ("assets", &made.assets)] {
        let missing: Vec<&String> = paths.iter().filter(|path| !outputs.contains(path.as_str())).collect();
        assert!(
            missing.is_empty(),
            "{} of {} {what} moved: {:?}",
            missing.len(),
            paths.len(),
            &missing[..missing.len().min(8)]
        );
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
    assert!(
        site.read("content/about.md").contains("Test is by Ada. About!")
            || site.read("content/about.md").contains("A Jekyll Site is by Ada. About!")
    );
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_stays_unless_it_is_to_be_replaced() {
    let source =
        "-- a.md --\n---\ntitle: A\n---\nOne.\n-- b.md --\n---\ntitle: B\n---\nSee [a](a.md).\n-- pic.png --\nx\n";
    let site = with_source(&texts(source)).await;
    site.call("content_import", json!({"from": "../old", "section": "notes"})).await;
    assert_eq!(site.read("content/notes/a.md"), "---\ntitle: A\n---\nOne.\n", "byte for byte");
    std::fs::write(site.path().join("../old/a.md"), "---\ntitle: A\n---\nTwo.\n").expect("written");
    std::fs::write(site.path().join("../old/c.md"), "# C\n").expect("written");
    let reply = site.call("content_import", json!({"from": "../old", "section": "notes"})).await;
    assert_eq!(reply["pages"]["created"], json!({"count": 1, "first": ["notes/c.md"]}), "{reply}");
    assert_eq!(reply["pages"]["skipped"], json!({"count": 1, "first": ["notes/a.md"]}));
    assert_eq!(reply["pages"]["unchanged"], 1);
    assert!(reply["next"].as_str().expect("text").contains("replace"), "{reply}");
    assert!(site.read("content/notes/a.md").contains("One."));
    let reply = site.call("content_import", json!({"from": "../old", "section": "notes", "replace": true})).await;
    assert_eq!(reply["pages"]["replaced"]["first"], json!(["notes/a.md"]));
    assert!(site.read("content/notes/a.md").contains("Two."));
    // Sent again, it finds everything there: no receipt is needed, and the source is looked at.
    let again = site.call("content_import", json!({"from": "../old", "section": "notes", "replace": true})).await;
    assert_eq!((&again["unchanged"], again.get("revision")), (&json!(true), None), "{again}");
    assert!(built(&site).outputs.contains_key("notes/pic.png"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_folders_a_person_allowed_are_read_and_no_link_is_followed() {
    let site = with_source(&texts("-- a.md --\n# A\n-- deep/b.md --\n# B\n")).await;
    let outside = site.path().join("../secret");
    std::fs::create_dir(&outside).expect("a folder");
    std::fs::write(outside.join("s.md"), "# Secret\n").expect("written");
    std::os::unix::fs::symlink("../secret", site.path().join("../old/way")).expect("a link");
    std::os::unix::fs::symlink("../secret/s.md", site.path().join("../old/s.md")).expect("a link");
    for from in ["../secret", "../old/../secret", "/etc", "content", ".", "../old2", "../old/way", "../old/none"] {
        let error = site.call_err("content_import", json!({"from": from})).await;
        assert!(!error.to_string().contains("Secret"), "{error}");
    }
    let error = site.call_err("content_import", json!({"from": "../secret"})).await;
    assert!(error["message"].as_str().expect("text").contains("uploads.folders"), "{error}");
    let reply = site.call("content_import", json!({"from": "../old"})).await;
    assert_eq!(reply["pages"]["created"], json!({"count": 2, "first": ["a.md", "deep/b.md"]}), "{reply}");
    assert_eq!(lost(&reply, "file", "it is a link or no regular file")["count"], 2);
    let reply = site.call("content_import", json!({"from": "../old/deep", "section": "/x/"})).await;
    assert_eq!(reply["pages"]["created"]["first"], json!(["x/b.md"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_not_build_is_left_out_and_named() {
    let site = with_source(&texts(
        "-- good.md --\n# Good\n-- bad.md --\n---\ntitle: [a\n---\nx\n-- date.md --\n---\ntitle: D\ndate: soon\n---\nx\n\
         -- one.md --\n---\nurl: /same/\n---\nx\n-- two.md --\n---\nurl: /same/\n---\nx\n-- CON.md --\n# C\n-- what?.md --\n# W\n",
    ))
    .await;
    let reply = site.call("content_import", json!({"from": "../old"})).await;
    let created = reply["pages"]["created"].to_string();
    assert!(created.contains("good.md") && created.contains("one.md") && !created.contains("two.md"), "{reply}");
    assert!(!created.contains("bad.md") && !created.contains("date.md"), "{reply}");
    let lost = reply["not_carried"].to_string();
    for path in ["bad.md", "date.md", "two.md", "CON.md", "what?.md"] {
        assert!(lost.contains(path), "{path}: {lost}");
    }
    let errors = built(&site).diagnostics.iter().filter(|finding| finding.severity == Severity::Error).count();
    assert_eq!(errors, 0);
}

const RSS: &str = "-- feed.xml --\n<?xml version=\"1.0\"?>\n<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>Blog</title><link>https://old.example/</link>\n\
<item><title>Fish &amp; Chips</title><link>https://old.example/2024/fish-and-chips.html?utm=1</link><dc:creator>Ada</dc:creator>\n\
<pubDate>Mon, 05 Feb 2024 10:00:00 +0100</pubDate><category>food</category><category><![CDATA[R&D]]></category>\n\
<description>Short.</description><content:encoded><![CDATA[<p>Hello <b>you</b> <script>alert(1)</script> {{< odd >}}</p>\n\n    <p>Two</p>]]></content:encoded></item>\n\
<item><title>Bare</title><description>&lt;p&gt;Only this&lt;/p&gt;</description><enclosure url=\"https://old.example/a.mp3\"/></item>\n\
</channel></rss>\n-- atom.atom --\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>F</title><entry><title>Own</title>\
<link href=\"https://example.org/essays/own/\"/><updated>2024-03-04T05:06:07Z</updated><author><name>Eve</name></author>\
<content type=\"xhtml\"><div><p>A <em>b</em> &lt;c&gt;</p></div></content></entry></feed>\n\
-- bomb.xml --\n<!DOCTYPE x [<!ENTITY a \"b\">]><rss><channel><item><title>&a;</title></item></channel></rss>\n-- no.xml --\n<html></html>\n";

#[tokio::test(flavor = "multi_thread")]
async fn feeds_become_pages() {
    let site = with_source(&texts(RSS)).await;
    let reply = site.call("content_import", json!({"from": "../old/feed.xml"})).await;
    assert_eq!((&reply["kind"], &reply["pages"]["created"]["count"]), (&json!("feed"), &json!(2)), "{reply}");
    let page = site.read("content/posts/fish-and-chips.md");
    for part in [
        "title: Fish & Chips",
        "2024-02-05T10:00:00+01:00",
        "food",
        "R&D",
        "Ada",
        "source_url: https://old.example/2024/fish",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(lost(&reply, "enclosure", "attached file")["count"], 1);
    let reply = site.call("content_import", json!({"from": "../old/atom.atom", "section": "essays"})).await;
    assert_eq!(reply["pages"]["created"]["first"], json!(["essays/own.md"]), "{reply}");
    let built = built(&site);
    let html = crate::build::text(&built, "posts/fish-and-chips/index.html");
    assert!(
        html.contains("Hello <b>you</b>") && html.contains("<p>Two</p>") && html.contains("{{&lt; odd &gt;}}"),
        "{html}"
    );
    assert!(!html.contains("alert(1)"), "{html}");
    assert!(crate::build::text(&built, "essays/own/index.html").contains("A <em>b</em> &lt;c&gt;"));
    for from in ["../old/bomb.xml", "../old/no.xml", "../old/none.xml"] {
        site.call_err("content_import", json!({"from": from})).await;
    }
    let error = site.call_err("content_import", json!({"from": "http://127.0.0.1:1/feed.xml"})).await;
    assert_eq!(error["code"], "fetch_refused", "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_table_become_pages() {
    let table = "-- t.csv --\nTitle;Slug;Published At;Tags;Count;Draft;Body\n\"Fish; Chips\";food/Fish Chips;2024-01-02;a|b c;12;false;\"Two\nlines, **bold**\"\n\
                 ;;;;;;no name\n007;;;;007;true;x\n";
    let site = with_source(&texts(table)).await;
    let reply = site.call("content_import", json!({"from": "../old/t.csv", "section": "items"})).await;
    assert_eq!(
        reply["pages"]["created"],
        json!({"count": 2, "first": ["items/food/fish-chips.md", "items/007.md"]}),
        "{reply}"
    );
    assert_eq!(lost(&reply, "row", "without a path and a title")["examples"], json!(["t.csv:3"]));
    let page = site.read("content/items/food/fish-chips.md");
    for line in ["title: Fish; Chips", "published_at: 2024-01-02", "count: 12", "draft: false", "Two\nlines, **bold**"]
    {
        assert!(page.contains(line), "{line}: {page}");
    }
    let page = site.read("content/items/007.md");
    assert!(page.contains("draft: true") && page.contains("007"), "{page}");
    let again = site.call("content_import", json!({"from": "../old/t.csv", "section": "items"})).await;
    assert_eq!(again["unchanged"], true, "{again}");
}

const DATED: &str = "-- _index.md --\n---\ntitle: Home\n---\n-- posts/_index.md --\n---\ntitle: Posts\n---\n-- docs/_index.md --\n---\ntitle: Docs\n---\n\
    -- docs/how.md --\n---\ntitle: How\n---\nSee [new](../posts/new/index.md).\n\
    -- posts/2019-05-01-old.md --\n# Old\n-- posts/mid.md --\n---\ntitle: Mid\ndate: 2022-05-01\n---\n\
    -- posts/new/index.md --\n---\ntitle: New\ndate: 2024-05-01\n---\n-- posts/new/a.txt --\nnew\n\
    -- posts/gone/index.md --\n---\ntitle: Gone\ndate: 2018-05-01\n---\n-- posts/gone/a.txt --\ngone\n";

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_or_those_since_a_day_come_with_what_lies_beside_them() {
    let site = with_source(&texts(DATED)).await;
    let reply = site.call("content_import", json!({"from": "../old", "section": "a", "limit": 2})).await;
    let first = json!(["a/_index.md", "a/posts/_index.md", "a/posts/mid.md", "a/posts/new/index.md"]);
    assert_eq!(reply["pages"]["created"], json!({"count": 4, "first": first}), "{reply}");
    assert_eq!(reply["files"]["created"]["first"], json!(["content/a/posts/new/a.txt"]), "{reply}");
    assert_eq!(lost(&reply, "page", "beyond the limit")["count"], 3);

    let reply = site.call("content_import", json!({"from": "../old", "section": "b", "since": "2022-05-01"})).await;
    let created = reply["pages"]["created"].to_string();
    assert!(
        created.contains("b/posts/mid.md") && created.contains("b/docs/how.md"),
        "pages without a date stay: {reply}"
    );
    assert!(!created.contains("old") && !created.contains("gone"), "{reply}");
    assert_eq!(lost(&reply, "page", "older")["count"], 2);
    let error = site.call_err("content_import", json!({"from": "../old", "since": "lately"})).await;
    assert!(error["message"].as_str().expect("text").contains("since"), "{error}");

    let site = with_source(&texts(RSS)).await;
    let reply = site.call("content_import", json!({"from": "../old/feed.xml", "limit": 1})).await;
    assert_eq!(reply["pages"]["created"]["first"], json!(["posts/fish-and-chips.md"]), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_a_table_get_the_names_they_are_told() {
    let table = "-- a.md --\n# A\n-- t.csv --\nPost Name,Permalink Part,Words,Text,Internal\nA fish,food/fish,a|b,Body here,secret\n";
    let site = with_source(&texts(table)).await;
    let columns =
        json!({"Post Name": "title", "permalink part": "path", "Words": "tags", "Text": "body", "Internal": ""});
    let reply = site.call("content_import", json!({"from": "../old/t.csv", "columns": columns})).await;
    assert_eq!(reply["pages"]["created"]["first"], json!(["food/fish.md"]), "{reply}");
    site.assert_file("content/food/fish.md", "---\ntitle: A fish\ntags: [a, b]\n---\n\nBody here\n");
    for (columns, part) in [
        (json!({"Post Nane": "title"}), "Post Name"),
        (json!({"Words": "title", "Post Name": "title"}), "title"),
        (json!({"Words": "a: b"}), "a: b"),
    ] {
        let error = site.call_err("content_import", json!({"from": "../old/t.csv", "columns": columns})).await;
        assert!(error["message"].as_str().expect("text").contains(part), "{error}");
    }
    let error = site.call_err("content_import", json!({"from": "../old", "columns": {"a": "b"}})).await;
    assert!(error["message"].as_str().expect("text").contains("columns"), "{error}");
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let picture =
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 7) as u8, (x * y) as u8, (x ^ y) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_fitted_and_svg_is_cleaned_as_uploads_are() {
    let mut files = texts(
        "-- a/index.md --\n# A\n![x](big.png)\n-- a/draw.svg --\n<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script><rect/></svg>\n\
         -- static/page.html --\n<script>1</script>\n",
    );
    files.insert("a/big.png".into(), png(120, 60));
    files.insert("a/cut.png".into(), png(120, 60)[..200].to_vec());
    let site = TestSite::new(&SITE.replace("folders", "max_px: 40\n  folders")).await;
    write(&site.path().join("../old"), &files);
    let reply = site.call("content_import", json!({"from": "../old"})).await;
    assert_eq!(lost(&reply, "image", "made smaller")["examples"], json!(["a/big.png"]), "{reply}");
    let broken = "the image is broken, or of a kind that cannot be made smalle";
    assert_eq!(lost(&reply, "file", broken)["examples"], json!(["a/cut.png"]), "{reply}");
    let stored = image::open(site.path().join("content/a/big.png")).expect("an image");
    assert_eq!((stored.width(), stored.height()), (40, 20));
    let drawing = site.read("content/a/draw.svg");
    assert!(drawing.contains("rect") && !drawing.contains("alert"), "{drawing}");
    assert!(!site.path().join("content/a/cut.png").exists());
    let again = site.call("content_import", json!({"from": "../old"})).await;
    assert_eq!(again["unchanged"], true, "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_writes_what_its_token_may_write() {
    let files = "-- hugo.toml --\nbaseURL = 'https://old.example/'\ntitle = 'Old'\n[params]\naccent = 'teal'\n\
        -- content/a/index.md --\n---\ntitle: A\n---\n-- content/a/note.txt --\nx\n-- static/s.txt --\nx\n";
    let site = with_source(&texts(files)).await;
    let before = site.read("site.yaml");
    let listening = crate::wire::listen(site.server(), "writer writer-token-0123 read,content\n").await;
    let client = crate::wire::Client::modern(&listening, "writer-token-0123");
    let reply = client.call("content_import", json!({"from": "../old"})).await;
    assert_eq!(reply["pages"]["created"]["first"], json!(["a/index.md"]), "{reply}");
    assert_eq!(lost(&reply, "file", "assets, static files and data")["count"], 2);
    assert_eq!(lost(&reply, "setting", "all of site.yaml")["count"], 1);
    assert_eq!(site.read("site.yaml"), before);
    assert!(!site.path().join("content/a/note.txt").exists() && !site.path().join("static/s.txt").exists());
    let refused = client.call("content_import", json!({"from": "https://old.example/feed.xml"})).await;
    assert_eq!(refused["code"], "not_allowed", "{refused}");
}

#[test]
fn the_command_line_allows_a_folder_to_import_and_upload_from() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &texts("-- old/a.md --\n# A\n-- note.txt --\nHello.\n"));
    let allowed = folder.path().to_str().expect("text");
    let request = |id: usize, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    let call = |id: usize, tool: &str, arguments: Value| {
        request(id, "tools/call", json!({"name": tool, "arguments": arguments}))
    };
    let client =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let lines = [
        request(1, "initialize", client),
        ready,
        call(2, "content_import", json!({"from": format!("{allowed}/old"), "section": "x"})),
        call(3, "asset_write", json!({"uploads": [{"path": "static/note.txt", "file": "note.txt"}]})),
    ];
    let lines = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n") + "\n";
    let answers = |arguments: &[&str]| {
        let (ended, out, problem) = crate::rights::serve(arguments, &lines);
        assert!(ended, "{problem}");
        let answer = |id: usize| {
            let found = out.lines().find(|line| line.contains(&format!("\"id\":{id}")));
            let value: Value = serde_json::from_str(found.unwrap_or_else(|| panic!("{out} {problem}"))).expect("JSON");
            value["result"].clone()
        };
        (answer(2), answer(3))
    };
    let (imported, stored) = answers(&["--uploads", allowed]);
    assert_eq!(imported["structuredContent"]["pages"]["created"]["first"], json!(["x/a.md"]), "{imported}");
    assert_eq!(stored["structuredContent"]["uploads"][0]["url"], "/note.txt", "{stored}");
    let (imported, stored) = answers(&[]);
    for refused in [imported, stored] {
        assert_eq!(refused["isError"], true, "{refused}");
        assert!(refused.to_string().contains("--uploads"), "{refused}");
    }
}
