//! Tests of asset.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sitewright::server::Server as McpServer;
use sitewright::tools::{Registry, Right, Rights};

use crate::harness::TestSite;
use crate::outside::{Server, send};
use crate::wire::{Client, listen};

const SITE: &str = "-- site.yaml --\ntitle: Test\nbase_url: https://example.org/\ntheme: default\nfetch:\n  allow: [127.0.0.0/8]\nuploads:\n  max_px: 64\n  max_bytes: 200000\n-- content/_index.md --\n---\ntitle: Home\n---\nSee [hello](blog/hello.md).\n-- content/blog/_index.md --\n---\ntitle: Blog\n---\n-- content/blog/hello.md --\n---\ntitle: Hello\n---\nBack [home](../_index.md), on to [more](./more/index.md).\n-- content/blog/more/index.md --\n---\ntitle: More\n---\n![A dot](dot.txt) and [hello](../hello.md).\n-- content/blog/more/dot.txt --\ndot\n-- static/robots-note.txt --\nnote\n";

/// A PNG of this size that does not pack too well.
fn png(width: u32, height: u32) -> Vec<u8> {
    let picture =
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 7) as u8, (x * y) as u8, (x ^ y) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn upload(upload: Value) -> Value {
    json!({"uploads": [upload]})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_comes_with_all_that_a_page_needs() {
    let site = TestSite::new(SITE).await;
    let bytes = png(40, 20);
    let reply = site
        .call(
            "asset_write",
            upload(json!({"path": "blog/more/photo.png", "base64": STANDARD.encode(&bytes), "alt": "A [red] door"})),
        )
        .await;
    let stored = &reply["uploads"][0];
    assert_eq!(stored["path"], "content/blog/more/photo.png", "{reply}");
    assert_eq!((&stored["url"], &stored["type"]), (&json!("/blog/more/photo.png"), &json!("image/png")));
    assert_eq!((&stored["width"], &stored["height"], &stored["bytes"]), (&json!(40), &json!(20), &json!(bytes.len())));
    assert_eq!(stored["markdown"], "![A \\[red\\] door](photo.png)");
    assert_eq!(std::fs::read(site.path().join("content/blog/more/photo.png")).unwrap(), bytes);
    assert!(reply["revision"].is_string(), "{reply}");
    assert_eq!(reply["affected_urls"]["first"][0], "/blog/more/photo.png");
    // The line works where it is meant to: nothing is broken.
    let edit = json!({"pages": [{"path": "/blog/more/", "edits": [{"find": "![A dot](dot.txt)", "replace": stored["markdown"]}]}]});
    let edited = site.call("page_write", edit).await;
    assert_eq!(edited["diagnostics"], json!([]), "{edited}");
    let list = site.call("asset_list", json!({"path": "/blog/more/"})).await;
    assert_eq!(list["total"], 2, "{list}");
    let photo = list["items"].as_array().unwrap().iter().find(|item| item["path"] == stored["path"]).unwrap();
    assert_eq!((&photo["px"], &photo["used_by"], &photo["etag"]), (&json!("40x20"), &json!(1), &stored["etag"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_uploads_are_one_revision_or_nothing() {
    let site = TestSite::new(SITE).await;
    let all = json!({"uploads": [
        {"path": "static/img/a.png", "base64": STANDARD.encode(png(8, 8)), "alt": "A"},
        {"path": "data/team.yaml", "text": "- name: Ada\n"},
        {"path": "/blog/note.txt", "text": "A note.\n"},
        {"path": "static/logo.svg", "text": "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 30 10\"><path d=\"M0 0\"/></svg>"},
    ], "message": "Bring the files"});
    let mut bad = all.clone();
    bad["uploads"][1]["text"] = json!("a: [1\n");
    let error = site.call_err("asset_write", bad).await;
    assert_eq!(
        (&error["code"], &error["details"]["path"]),
        (&json!("invalid_config"), &json!("data/team.yaml")),
        "{error}"
    );
    let before = site.call("revision_list", json!({})).await["total"].as_u64();
    let mut dry = all.clone();
    dry["dry_run"] = json!(true);
    let plan = site.call("asset_write", dry).await;
    assert_eq!((plan["uploads"].as_array().unwrap().len(), &plan["revision"]), (4, &Value::Null), "{plan}");
    assert!(!site.path().join("static/img/a.png").exists());
    let reply = site.call("asset_write", all.clone()).await;
    assert_eq!(reply["uploads"], plan["uploads"]);
    assert_eq!(reply["uploads"][2]["markdown"], "[note.txt](note.txt)");
    assert_eq!((&reply["uploads"][3]["width"], &reply["uploads"][3]["height"]), (&json!(30), &json!(10)));
    assert_eq!(reply["uploads"][0]["markdown"], "![A](/img/a.png)");
    let after = site.call("revision_list", json!({})).await;
    assert_eq!(after["total"].as_u64(), before.map(|n| n + 1), "{after}");
    let fingerprint = site.fingerprint();
    let mut again = all;
    again["message"] = json!("Once more");
    assert_eq!(site.call("asset_write", again).await["unchanged"], true);
    assert_eq!(site.fingerprint(), fingerprint);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_one_file_becomes_a_bundle_and_keeps_its_address() {
    let site = TestSite::new(SITE).await;
    let reply = site.call("asset_write", upload(json!({"path": "blog/hello/notes.txt", "text": "Notes.\n"}))).await;
    assert_eq!(reply["uploads"][0]["url"], "/blog/hello/notes.txt", "{reply}");
    assert!(reply["notes"][0].as_str().unwrap().contains("blog/hello/index.md now"), "{reply}");
    assert!(!site.path().join("content/blog/hello.md").exists());
    let page = site.call("page_get", json!({"paths": ["/blog/hello/"], "include": ["body", "diagnostics"]})).await;
    assert_eq!(page["pages"][0]["path"], "blog/hello/index.md", "{page}");
    assert!(
        site.read("content/blog/more/index.md").contains("(../hello/index.md)"),
        "{}",
        site.read("content/blog/more/index.md")
    );
    assert!(!site.read("content/blog/hello/index.md").contains("aliases"), "the address is the same");
    let overview = site.call("site_get", json!({})).await;
    assert_eq!(overview["diagnostics"], json!({}), "{overview}");
    // By its address it goes to the same place.
    let reply = site.call("asset_write", upload(json!({"path": "/blog/hello/more.txt", "text": "More.\n"}))).await;
    assert_eq!(reply["uploads"][0]["path"], "content/blog/hello/more.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_wants_the_etag() {
    let site = TestSite::new(SITE).await;
    let write =
        |if_match: Value| upload(json!({"path": "static/robots-note.txt", "text": "new\n", "if_match": if_match}));
    let error = site.call_err("asset_write", write(Value::Null)).await;
    assert_eq!(error["code"], "invalid_arguments", "{error}");
    let error = site.call_err("asset_write", write(json!("0123456789"))).await;
    assert_eq!(error["code"], "conflict", "{error}");
    let list = site.call("asset_list", json!({"path": "static/*.txt"})).await;
    site.call("asset_write", write(list["items"][0]["etag"].clone())).await;
    site.assert_file("static/robots-note.txt", "new\n");
    site.call("asset_write", upload(json!({"path": "static/robots-note.txt", "text": "newer\n", "if_match": "*"})))
        .await;
    site.assert_file("static/robots-note.txt", "newer\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_it_says_is_refused() {
    let site = TestSite::new(SITE).await;
    let png = STANDARD.encode(png(8, 8));
    for (item, code) in [
        (json!({"path": "static/a.jpg", "base64": png}), "refused_file"),
        (json!({"path": "static/a.png", "text": "<html><script>alert(1)</script>"}), "refused_file"),
        (json!({"path": "static/a.txt", "text": "<!doctype html><script>alert(1)</script>"}), "refused_file"),
        (json!({"path": "blog/more/a.html", "text": "<p>x</p>"}), "refused_file"),
        (json!({"path": "blog/more/a.js", "text": "alert(1)"}), "refused_file"),
        (json!({"path": "static/a.exe", "base64": "TVqQAAMAAAA="}), "refused_file"),
        (json!({"path": "static/a.dat", "base64": "f0VMRgIBAQA="}), "refused_file"),
        (json!({"path": "static/a.svg", "text": "<!DOCTYPE svg [<!ENTITY x \"y\">]><svg>&x;</svg>"}), "refused_file"),
        (json!({"path": "data/a.txt", "text": "x"}), "refused_file"),
        (json!({"path": "static/a.txt", "text": "x".repeat(200_001)}), "too_large"),
        (json!({"path": "static/a.txt", "base64": "%%%"}), "invalid_arguments"),
        (json!({"path": "static/a.txt"}), "invalid_arguments"),
        (json!({"path": "static/a.txt", "text": "x", "base64": "eA=="}), "invalid_arguments"),
        (json!({"path": "blog/new.md", "text": "x"}), "invalid_arguments"),
        (json!({"path": "themes/default/assets/a.css", "text": "x"}), "invalid_arguments"),
        (json!({"path": "static/", "text": "x"}), "invalid_arguments"),
        (json!({"path": "static/../site.yaml", "text": "x"}), "invalid_path"),
        (json!({"path": "static/.git/config", "text": "x"}), "invalid_path"),
        (json!({"path": "/blgo/a.txt", "text": "x"}), "not_found"),
        (json!({"path": "static/a.txt", "file": "/etc/passwd"}), "refused_file"),
    ] {
        let error = site.call_err("asset_write", upload(item.clone())).await;
        assert_eq!(error["code"], code, "{item}: {error}");
    }
    let twice = json!({"uploads": [{"path": "static/a.txt", "text": "1"}, {"path": "static/a.txt", "text": "2"}]});
    assert_eq!(site.call_err("asset_write", twice).await["code"], "invalid_arguments");
    let page = site.call("asset_write", upload(json!({"path": "static/verify.html", "text": "<p>ok</p>"}))).await;
    assert_eq!(page["uploads"][0]["url"], "/verify.html");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_images_are_stored_smaller_and_svg_is_cleaned() {
    let site = TestSite::new(SITE).await;
    let reply = site
        .call("asset_write", upload(json!({"path": "static/a.png", "base64": STANDARD.encode(png(128, 64))})))
        .await;
    let stored = &reply["uploads"][0];
    assert_eq!((&stored["width"], &stored["height"]), (&json!(64), &json!(32)), "{reply}");
    let note = stored["note"].as_str().unwrap();
    assert!(note.contains("made smaller from 128x64") && note.contains("say what it shows"), "{note}");
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"><script>alert(1)</script><path d=\"M0 0\"/></svg>";
    let reply = site.call("asset_write", upload(json!({"path": "static/a.svg", "text": svg, "alt": "A"}))).await;
    assert_eq!(reply["uploads"][0]["note"], "taken out: <script>, onload", "{reply}");
    assert!(!site.read("static/a.svg").contains("alert"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_by_address_goes_through_the_guard() {
    let site = TestSite::new(SITE).await;
    let bytes = png(8, 8);
    let body = bytes.clone();
    let server = Server::start(move |request, stream| match request.target.as_str() {
        "/a.png" => send(stream, "200 OK", "Content-Type: text/html\r\n", &body),
        "/page" => send(stream, "200 OK", "Content-Type: image/png\r\n", b"<html>Please log in</html>"),
        "/inside" => send(stream, "302 Found", "Location: http://169.254.169.254/\r\n", b""),
        _ => send(stream, "404 Not Found", "", b""),
    });
    let by = |path: &str| upload(json!({"path": "static/a.png", "url": server.url(path), "alt": "A", "if_match": "*"}));
    let reply = site.call("asset_write", by("/a.png")).await;
    assert_eq!(std::fs::read(site.path().join("static/a.png")).unwrap(), bytes, "{reply}");
    // Never answered from a receipt: what is there may be another by now.
    assert_eq!(site.call("asset_write", by("/a.png")).await["unchanged"], true);
    assert_eq!(server.requests().len(), 2);
    for (path, code) in [("/page", "refused_file"), ("/inside", "fetch_refused"), ("/none", "fetch_failed")] {
        let error = site.call_err("asset_write", by(path)).await;
        assert_eq!(error["code"], code, "{path}: {error}");
    }
    let error =
        site.call_err("asset_write", upload(json!({"path": "static/b.png", "url": "http://10.0.0.1/b.png"}))).await;
    assert_eq!(error["code"], "fetch_refused", "{error}");
    assert!(error["hint"].as_str().unwrap().contains("fetch.allow"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_from_the_network_is_a_right_of_its_own() {
    let site = TestSite::new(SITE).await;
    let rights: Rights = [Right::Read, Right::Media].into_iter().collect();
    let server = McpServer::new(site.site().clone(), Registry::standard(), rights);
    let listening = listen(&server, "media media-token-01234 read,media,fetch\n").await;
    let client = Client::modern(&listening, "media-token-01234");
    let asked = Server::start(|_, stream| send(stream, "200 OK", "", b"x"));
    let before = site.fingerprint();
    let error = client.call("asset_write", upload(json!({"path": "static/a.txt", "url": asked.url("/")}))).await;
    assert_eq!((&error["code"], asked.requests().len()), (&json!("not_allowed"), 0), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("`fetch`"), "{error}");
    assert_eq!(site.fingerprint(), before);
    let reply = client.call("asset_write", upload(json!({"path": "static/a.txt", "text": "x"}))).await;
    assert!(reply["revision"].is_string(), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn local_files_come_from_allowed_folders_only() {
    let site = TestSite::new(SITE).await;
    let folder = tempfile::tempdir().unwrap();
    let allowed = folder.path().join("allowed");
    std::fs::create_dir_all(allowed.join("deep")).unwrap();
    std::fs::create_dir(folder.path().join("allowed-not")).unwrap();
    std::fs::write(allowed.join("deep/a.txt"), "allowed").unwrap();
    std::fs::write(allowed.join("large.txt"), "x".repeat(200_001)).unwrap();
    std::fs::write(allowed.join(".env"), "SECRET=1").unwrap();
    std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    std::fs::write(folder.path().join("allowed-not/b.txt"), "secret").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret.txt"), allowed.join("link.txt")).unwrap();
    std::os::unix::fs::symlink(folder.path(), allowed.join("up")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(allowed.join("pipe.txt")).status().unwrap().success());
    site.site().allow_uploads_from(vec![allowed.clone()]);
    let by = |file: &str| upload(json!({"path": "static/a.txt", "file": file}));
    let absolute = allowed.join("deep/a.txt").display().to_string();
    site.call("asset_write", by("deep/a.txt")).await;
    site.assert_file("static/a.txt", "allowed");
    assert_eq!(site.call("asset_write", by(&absolute)).await["unchanged"], true);
    for (file, code) in [
        ("link.txt", "refused_file"),
        ("up/secret.txt", "refused_file"),
        ("../secret.txt", "refused_file"),
        ("deep/../../secret.txt", "refused_file"),
        (".env", "refused_file"),
        ("/etc/passwd", "refused_file"),
        ("pipe.txt", "refused_file"),
        ("deep", "refused_file"),
        ("large.txt", "too_large"),
        ("none.txt", "not_found"),
    ] {
        let error = site.call_err("asset_write", by(file)).await;
        assert_eq!(error["code"], code, "{file}: {error}");
        assert!(!error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    }
    let beside = folder.path().join("allowed-not/b.txt").display().to_string();
    assert_eq!(site.call_err("asset_write", by(&beside)).await["code"], "refused_file");
}

/// Sent again since its answer was lost, an upload by file gets its first answer, although its etag is stale by now; a file that changed meanwhile is
/// another upload.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_by_file_sent_again_gets_the_first_answer_while_the_file_is_the_same() {
    let site = TestSite::new(SITE).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "one").unwrap();
    site.site().allow_uploads_from(vec![folder.path().to_owned()]);
    let old = site.call("asset_write", upload(json!({"path": "static/a.txt", "text": "old"}))).await;
    let call = upload(json!({"path": "static/a.txt", "file": "a.txt", "if_match": old["uploads"][0]["etag"]}));
    let first = site.call("asset_write", call.clone()).await;
    assert!(first["revision"].is_string(), "{first}");
    let mut again = site.call("asset_write", call.clone()).await;
    assert_eq!(again.as_object_mut().unwrap().remove("repeated"), Some(json!(true)), "{again}");
    assert_eq!(again, first);
    std::fs::write(&file, "two").unwrap();
    assert_eq!(site.call_err("asset_write", call).await["code"], "conflict");
    site.assert_file("static/a.txt", "one");
    let anew = upload(json!({"path": "static/a.txt", "file": "a.txt", "if_match": "*"}));
    assert!(site.call("asset_write", anew.clone()).await["revision"].is_string());
    std::fs::write(&file, "three").unwrap();
    assert!(site.call("asset_write", anew).await["revision"].is_string());
    site.assert_file("static/a.txt", "three");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_names_who_still_uses_it() {
    let site = TestSite::new(SITE).await;
    let error = site.call_err("asset_delete", json!({"assets": [{"path": "blog/more/dot.txt"}]})).await;
    assert_eq!(error["code"], "invalid_arguments", "{error}");
    let error =
        site.call_err("asset_delete", json!({"assets": [{"path": "blog/more/dto.txt", "if_match": "*"}]})).await;
    assert_eq!(
        (&error["code"], &error["details"]["near"][0]),
        (&json!("not_found"), &json!("content/blog/more/dot.txt")),
        "{error}"
    );
    let error =
        site.call_err("asset_delete", json!({"assets": [{"path": "content/blog/hello.md", "if_match": "*"}]})).await;
    assert_eq!(error["code"], "not_found", "{error}");
    let reply = site.call("asset_delete", json!({"assets": [{"path": "/blog/more/dot.txt", "if_match": "*"}]})).await;
    assert!(reply["notes"][0].as_str().unwrap().contains("blog/more/index.md"), "{reply}");
    assert_eq!(reply["diagnostics"][0]["code"], "missing_asset", "{reply}");
    assert!(!site.path().join("content/blog/more/dot.txt").exists());
    let undone = site.call("revision_restore", json!({"undo": [reply["revision"]]})).await;
    assert!(undone["revision"].is_string(), "{undone}");
    site.assert_file("content/blog/more/dot.txt", "dot\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_finds_what_nothing_names_and_ends_in_parts() {
    let mut text = SITE.to_owned();
    for n in 0..70 {
        text.push_str(&format!("-- static/img/{n:02}.txt --\n{n}\n"));
    }
    text.push_str("-- content/uses.md --\n---\ntitle: Uses\nimage: /img/07.txt\n---\n[three](/img/03.txt)\n");
    let site = TestSite::new(&text).await;
    let unused = site.call("asset_list", json!({"path": "static/img", "unused": true, "limit": 200})).await;
    assert_eq!(unused["total"], 68, "{unused}");
    let paths: Vec<&str> =
        unused["items"].as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap()).collect();
    assert!(!paths.contains(&"static/img/03.txt") && !paths.contains(&"static/img/07.txt"), "{paths:?}");
    let mut seen = 0;
    let mut cursor = Value::Null;
    loop {
        let list = site.call("asset_list", json!({"path": "static/img/*.txt", "limit": 30, "cursor": cursor})).await;
        seen += list["items"].as_array().unwrap().len();
        cursor = list["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, 70);
    assert_eq!(site.call("asset_list", json!({"path": "**/*.png"})).await["total"], 0);
    assert_eq!(site.call_err("asset_list", json!({"path": "static/imgs"})).await["details"]["near"][0], "static/img");
    assert_eq!(site.call_err("asset_list", json!({"cursor": "none"})).await["code"], "invalid_arguments");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_say_how_large_their_images_are() {
    let site = TestSite::new(SITE).await;
    let drawing = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 30 10\"><path d=\"M0 0\"/></svg>";
    let upright = [
        &b"\xff\xd8\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"[..],
        b"\xff\xc0\0\x0b\x08\0\x14\0\x28\x01\x01\x11\0",
    ]
    .concat();
    std::fs::write(site.path().join("static/turned.jpg"), upright).expect("written");
    site.call(
        "asset_write",
        json!({"uploads": [
            {"path": "blog/more/a.png", "base64": STANDARD.encode(png(40, 20)), "alt": "A"},
            {"path": "static/d.svg", "text": drawing, "alt": "D"},
        ]}),
    )
    .await;
    let body = "![A](a.png) ![D](/d.svg) ![T](/turned.jpg \"up\") ![gone](none.png) ![out](https://else.example/a.png)\n\n<img src=\"a.png\" alt=\"raw\">\n";
    let page = json!({"pages": [{"path": "blog/more/index.md", "body": body, "if_match": "*"}], "include": ["html"]});
    let html = |reply: &Value| reply["changed"][0]["html"].as_str().unwrap_or_default().to_owned();
    let shown = html(&site.call("page_write", page.clone()).await);
    for part in [
        "<img src=\"/blog/more/a.png\" width=\"40\" height=\"20\" alt=\"A\"",
        "<img src=\"/d.svg\" width=\"30\" height=\"10\" alt=\"D\"",
        "<img src=\"/turned.jpg\" width=\"20\" height=\"40\" alt=\"T\" title=\"up\"",
        "<img src=\"https://else.example/a.png\" alt=\"out\"",
        "<img src=\"/blog/more/a.png\" alt=\"raw\">",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(shown.matches("width=").count(), 3, "{shown}");
    let list = site.call("asset_list", json!({"path": "blog/more/*.png"})).await;
    assert_eq!(list["items"][0]["px"], "40x20", "{list}");

    // Another image in its place is another size; the one before has its own, in a build of the old state too.
    let old = site.site().working().expect("a site").0;
    let bigger = json!({"path": "blog/more/a.png", "base64": STANDARD.encode(png(60, 6)), "alt": "A", "if_match": "*"});
    site.call("asset_write", upload(bigger)).await;
    let feed = |snapshot| {
        let built = site.site().build(snapshot, sitewright::build::Scope::Everything, false, None).expect("it builds");
        crate::build::text(&built, "blog/more/index.html").to_owned()
    };
    let (now, _) = site.site().working().expect("a site");
    assert!(feed(&now).contains("a.png\" width=\"60\" height=\"6\""));
    assert!(feed(&old).contains("a.png\" width=\"40\" height=\"20\""));
    // In a change set the image comes from git.
    let whole = json!({"pages": [{"path": "/blog/more/", "edits": [{"find": "![gone](none.png) ", "replace": ""}]}]});
    site.call("page_write", whole).await;
    site.call("publish", json!({"hand_edits": true})).await;
    let set = site.call("change_open", json!({"purpose": "Try"})).await["change_set"].clone();
    let edit = json!({"path": "/blog/more/", "edits": [{"find": "![A]", "replace": "![Ah]"}]});
    let reply = site.call("page_write", json!({"pages": [edit], "change_set": set, "include": ["html"]})).await;
    assert!(html(&reply).contains("a.png\" width=\"60\" height=\"6\" alt=\"Ah\""), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fonts_and_images_of_a_theme_are_uploaded_and_nothing_else_of_it() {
    let site = TestSite::new(SITE).await;
    let font = STANDARD.encode([&b"wOF2\0\x01\0\0"[..], &[0; 40]].concat());
    let place = "themes/default/assets/fonts/a.woff2";
    let reply = site.call("asset_write", upload(json!({"path": place, "base64": font}))).await;
    let stored = &reply["uploads"][0];
    assert_eq!((&stored["url"], &stored["type"]), (&json!("/assets/fonts/a.woff2"), &json!("font/woff2")), "{reply}");
    assert_eq!((stored.get("markdown"), stored.get("note")), (None, None), "{reply}");
    let built = site.site().working().expect("a site").0;
    let built = site.site().build(&built, sitewright::build::Scope::Everything, false, None).expect("it builds");
    assert!(built.outputs.contains_key("assets/fonts/a.woff2"));
    for (path, base64) in [
        ("themes/default/layouts/a.png", STANDARD.encode(png(8, 8))),
        ("themes/default/assets/a.css", STANDARD.encode("p {}")),
        ("themes/default/assets/a.js", STANDARD.encode("1")),
        ("themes/default@0123456789/assets/a.png", STANDARD.encode(png(8, 8))),
        ("themes/a.png", STANDARD.encode(png(8, 8))),
    ] {
        let error = site.call_err("asset_write", upload(json!({"path": path, "base64": base64}))).await;
        assert!(error["message"].as_str().expect("text").contains("theme_write"), "{path}: {error}");
    }
    let listening = listen(site.server(), "media  media-token-01234  read,media\n").await;
    let client = Client::modern(&listening, "media-token-01234");
    let refused = client.call("asset_write", upload(json!({"path": place, "base64": font, "if_match": "*"}))).await;
    assert_eq!(refused["code"], "not_allowed", "{refused}");
    assert!(refused["hint"].as_str().expect("text").contains("`theme`"), "{refused}");
    let etag = stored["etag"].clone();
    let gone =
        json!({"theme": "default", "files": [{"path": "assets/fonts/a.woff2", "delete": true, "if_match": etag}]});
    assert!(site.call("theme_write", gone).await["revision"].is_string());
}
