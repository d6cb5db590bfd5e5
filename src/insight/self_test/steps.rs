//! The steps, in the order in which an operator would take them.

use serde_json::{Value, json};

use super::walk::{Outcome, Walk, expect};

/// Text that no site has.
const MARKER: &str = "sitewright-self-test-marker";
const CHANGED: &str = "sitewright-self-test-changed";
/// The smallest PNG: one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// One step.
pub(super) struct Step {
    pub(super) name: &'static str,
    /// Only in the full suite.
    pub(super) full_only: bool,
    /// Tools without which it is skipped.
    pub(super) needs: &'static [&'static str],
    pub(super) go: fn(&mut Walk<'_>) -> Outcome,
}

const fn step(name: &'static str, needs: &'static [&'static str], go: fn(&mut Walk<'_>) -> Outcome) -> Step {
    Step { name, full_only: false, needs, go }
}

const fn full(name: &'static str, needs: &'static [&'static str], go: fn(&mut Walk<'_>) -> Outcome) -> Step {
    Step { name, full_only: true, needs, go }
}

pub(super) const STEPS: [Step; 21] = [
    step("overview", &["site_get"], overview),
    step("create a page", &["page_write"], create),
    step("update it, and nothing else", &["page_write"], update),
    step("read it back", &["page_get"], read_back),
    step("preview with diagnostics", &["preview", "page_write"], preview),
    step("a stale etag is refused", &["page_write"], stale),
    step("a wrong argument says what is right", &["page_write"], wrong_argument),
    step("an unknown page is named", &["page_get"], unknown_page),
    step("write three pages at once", &["page_write"], batch),
    step("replace in one folder only, as a dry run", &["text_replace"], replace),
    step("undo one edit", &["page_write", "revision_restore"], undo),
    step("upload assets", &["asset_write"], assets),
    step("fetch an asset, from where it may", &["asset_write"], fetch),
    step("theme: change, pin, put back", &["theme_get", "theme_write", "theme_use", "revision_restore"], theme),
    full("a change set of its own", &["change_open", "change_close", "page_write", "preview"], change_set),
    full("a person's edit is kept", &["page_write"], hand_edit),
    full("check the whole site", &["site_check"], whole_site),
    step("publish", &["publish"], publish),
    step("delete, and publish that", &["page_delete", "publish"], delete),
    step("a report is filed and found again", &["feedback_submit", "friction_report"], feedback),
    step("no leftovers", &[], no_leftovers),
];

fn overview(walk: &mut Walk<'_>) -> Outcome {
    let reply = walk.call("site_get", json!({}))?;
    expect(reply["title"].is_string(), "site_get has no title")
}

fn create(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let path = walk.page("page");
    let reply = walk.create("page", &format!("First line.\n\n{MARKER}\n"))?;
    expect(reply["revision"].is_string(), "the reply names no revision")?;
    let changed = &reply["changed"][0];
    for key in ["path", "url", "etag"] {
        expect(changed[key].is_string(), &format!("the reply has no {key}"))?;
    }
    walk.only_differs(&before, &[&format!("content/{path}")])
}

fn update(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let path = walk.page("page");
    let edit = json!({"path": path, "edits": [{"find": "First line.", "replace": CHANGED}]});
    let reply = walk.call("page_write", json!({"pages": [edit]}))?;
    let diff = reply["changed"][0]["diff"].as_str().unwrap_or_default();
    expect(diff.contains(CHANGED), "the reply's diff does not show the change")?;
    // Theme, navigation and every other page are the same.
    walk.only_differs(&before, &[&format!("content/{path}")])
}

fn read_back(walk: &mut Walk<'_>) -> Outcome {
    let path = walk.page("page");
    let reply = walk.call("page_get", json!({"paths": [path], "include": ["body"]}))?;
    let page = &reply["pages"][0];
    expect(page["body"].as_str().is_some_and(|body| body.contains(CHANGED)), "the body is not what was written")?;
    let file = walk.now()?.get_str(&format!("content/{path}")).map(|file| file.id.to_string());
    expect(page["etag"].as_str() == file.as_deref(), "the etag is not that of the file")
}

fn preview(walk: &mut Walk<'_>) -> Outcome {
    let path = walk.page("page");
    let link = "[nowhere](/sitewright-self-test-nowhere/)";
    let edit =
        |find: &str, replace: &str| json!({"pages": [{"path": path, "edits": [{"find": find, "replace": replace}]}]});
    let reply = walk.call("page_write", edit(CHANGED, &format!("{CHANGED} {link}")))?;
    let broken = |reply: &Value| {
        let findings = reply["diagnostics"].as_array();
        findings.is_some_and(|all| all.iter().any(|finding| finding["code"] == "broken_link"))
    };
    expect(broken(&reply), "the write does not name its broken link")?;
    let (html, reply) = walk.document("page")?;
    expect(html.contains(MARKER), "the rendered page does not show its text")?;
    expect(broken(&reply), "preview does not name the broken link")?;
    walk.call("page_write", edit(&format!(" {link}"), ""))?;
    let (_, reply) = walk.document("page")?;
    expect(!broken(&reply), "preview names a broken link that is mended")
}

fn stale(walk: &mut Walk<'_>) -> Outcome {
    let page =
        json!({"path": walk.page("page"), "body": "Lost\n", "if_match": "0000000000000000000000000000000000000000"});
    let refusal = walk.refused("page_write", json!({"pages": [page]}))?;
    expect(refusal["code"] == "conflict", "a stale etag is no conflict")?;
    expect(refusal["details"]["current"].is_string(), "the conflict does not name the current etag")
}

fn wrong_argument(walk: &mut Walk<'_>) -> Outcome {
    let page = json!({"path": walk.page("page"), "boddy": "Lost\n"});
    let refusal = walk.refused("page_write", json!({"pages": [page]}))?;
    expect(refusal["code"] == "invalid_arguments", "a wrong argument has another code")?;
    let said = refusal.to_string();
    expect(
        said.contains("boddy") && said.contains("body"),
        "the refusal does not name the wrong argument and the right one",
    )
}

fn unknown_page(walk: &mut Walk<'_>) -> Outcome {
    let near = walk.page("pagge");
    let refusal = walk.refused("page_get", json!({"paths": [near]}))?;
    expect(refusal["code"] == "not_found", "an unknown page has another code")?;
    let near = refusal["details"]["near"].as_array();
    expect(near.is_some_and(|near| !near.is_empty()), "no near match is named")
}

fn batch(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let paths = ["a/one", "a/two", "b/three"].map(|name| walk.page(name));
    let page = |path: &String| json!({"path": path, "create": true, "front_matter": {"title": "T"}, "body": format!("{MARKER}\n")});
    let pages: Vec<Value> = paths.iter().map(page).collect();
    let reply = walk.call("page_write", json!({"pages": pages}))?;
    expect(reply["changed"].as_array().is_some_and(|changed| changed.len() == 3), "not three pages were written")?;
    let files = paths.map(|path| format!("content/{path}"));
    walk.only_differs(&before, &files.each_ref().map(String::as_str))
}

fn replace(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let scope = format!("{}/a/**", walk.folder);
    let arguments = json!({"pairs": [{"find": MARKER, "replace": CHANGED}], "scope": [scope], "dry_run": true});
    let reply = walk.call("text_replace", arguments)?;
    expect(
        reply["replaced"]["files"] == 2 && reply["replaced"]["matches"] == 2,
        "not the two files of the folder are counted",
    )?;
    walk.only_differs(&before, &[])
}

fn undo(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let page = json!({"path": walk.page("b/three"), "front_matter": {"title": "Other"}});
    let reply = walk.call("page_write", json!({"pages": [page]}))?;
    walk.call("revision_restore", json!({"undo": [reply["revision"]]}))?;
    walk.only_differs(&before, &[])
}

fn assets(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let (text, picture) = (format!("static/{}.txt", walk.folder), format!("static/{}.png", walk.folder));
    let uploads = json!([{"path": text, "text": "Self-test\n"}, {"path": picture, "base64": PIXEL, "alt": "A pixel"}]);
    let reply = walk.call("asset_write", json!({"uploads": uploads}))?;
    for upload in 0..2 {
        expect(reply["uploads"][upload]["url"].is_string(), "an upload has no url")?;
    }
    walk.only_differs(&before, &[&text, &picture])
}

/// From an address that the copy alone allows; from its neighbour, which nobody allowed, nothing is fetched.
fn fetch(walk: &mut Walk<'_>) -> Outcome {
    let Some(url) = walk.copy.picture() else {
        walk.cannot = true;
        return Ok(());
    };
    let before = walk.now()?;
    let path = format!("static/{}-fetched.png", walk.folder);
    let upload = |url: &str| json!({"uploads": [{"path": path, "url": url, "alt": "A pixel"}]});
    let refusal = walk.refused("asset_write", upload(&url.replace("127.0.0.1", "127.0.0.2")))?;
    expect(refusal["code"] == "fetch_refused", "an address of this machine that nobody allowed is fetched")?;
    let reply = walk.call("asset_write", upload(&url))?;
    expect(reply["uploads"][0]["url"].is_string(), "the upload has no url")?;
    walk.only_differs(&before, &[&path])
}

fn theme(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let (shown, _) = walk.document("page")?;
    let layouts = walk.call("theme_get", json!({"include": ["files"]}))?;
    let files = layouts["files"].as_array().cloned().unwrap_or_default();
    let layout = files.iter().filter_map(|file| file["path"].as_str()).find(|path| path.ends_with("layouts/page.hbs"));
    let Some(layout) = layout.and_then(|path| path.find("layouts/").map(|at| path[at..].to_owned())) else {
        // A theme that extends another has no layout of its own: settings and pins are its own all the same.
        let pinned = walk.call("theme_use", json!({"pin": "now"}))?;
        walk.call("revision_restore", json!({"undo": [pinned["revision"]]}))?;
        return walk.only_differs(&before, &[]);
    };
    let reply = walk.call("theme_get", json!({"files": [layout]}))?;
    let text = reply["texts"][0]["text"].as_str().unwrap_or_default().to_owned();
    expect(!text.is_empty(), "theme_get has no text")?;
    // What comes first is in every page of this layout, whatever blocks it fills.
    let pinned = walk.call("theme_use", json!({"pin": "now"}))?;
    let line = text.lines().find(|line| line.contains("<main") || line.contains("<article") || line.contains("<h1"));
    let changed = match line {
        Some(line) => text.replacen(line, &format!("{line}\n<!-- {MARKER}-theme -->"), 1),
        None => format!("{text}\n<!-- {MARKER}-theme -->\n"),
    };
    let file = json!({"path": layout, "text": changed, "if_match": reply["texts"][0]["etag"]});
    let theme = reply["pinned"].as_str().and_then(|name| name.split('@').next());
    let theme = theme.or_else(|| reply["theme"].as_str()).unwrap_or_default();
    let edited = walk.call("theme_write", json!({"theme": theme, "files": [file]}))?;
    let (frozen, _) = walk.document("page")?;
    expect(frozen == shown, "a pinned page changed with the theme's files")?;
    walk.call("revision_restore", json!({"undo": [edited["revision"]]}))?;
    walk.call("revision_restore", json!({"undo": [pinned["revision"]]}))?;
    walk.only_differs(&before, &[])?;
    let (again, _) = walk.document("page")?;
    expect(again == shown, "the page is not what it was before the theme was changed")
}

fn change_set(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let opened = walk.call("change_open", json!({"purpose": "Self-test"}))?;
    let id = opened["change_set"].as_str().or_else(|| opened["id"].as_str()).unwrap_or_default().to_owned();
    let path = walk.page("set");
    let page = json!({"path": path, "create": true, "front_matter": {"title": "Set"}, "body": format!("{MARKER}\n")});
    walk.call("page_write", json!({"pages": [page], "change_set": id}))?;
    let seen = walk.call("preview", json!({"pages": [path], "as": "html", "change_set": id}))?;
    let html = seen["pages"][0]["html"].as_str().unwrap_or_default();
    expect(html.contains(MARKER), "the change set's preview does not show its page")?;
    walk.only_differs(&before, &[])?;
    walk.call("change_close", json!({"change_set": id, "how": "discard"}))?;
    walk.only_differs(&before, &[])
}

fn hand_edit(walk: &mut Walk<'_>) -> Outcome {
    let path = format!("content/{}", walk.page("b/three"));
    let before = walk.now()?;
    let text = before.text(&path).unwrap_or_default().replace(MARKER, "By hand");
    walk.copy.edit_by_hand(&path, &text).map_err(|error| error.to_string())?;
    let page = json!({"path": walk.page("a/one"), "front_matter": {"title": "Beside"}});
    walk.call("page_write", json!({"pages": [page]}))?;
    let after = walk.now()?;
    expect(after.text(&path) == Some(text.as_str()), "a person's edit was overwritten")
}

fn whole_site(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let reply = walk.call("site_check", json!({}))?;
    expect(reply.is_object(), "site_check has no reply")?;
    walk.only_differs(&before, &[])
}

fn publish(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let dry = walk.call("publish", json!({"dry_run": true, "hand_edits": true}))?;
    expect(dry["urls"]["added"].is_object() || dry["urls"]["added"].is_array(), "a dry run names no added address")?;
    let reply = walk.call("publish", json!({"hand_edits": true, "message": "Self-test"}))?;
    expect(reply["revision"].is_string(), "publish names no revision")?;
    walk.only_differs(&before, &[])?;
    let live = walk.site().live().map_err(|error| error.to_string())?;
    let path = format!("content/{}", walk.page("page"));
    expect(live.text(&path).is_some_and(|text| text.contains(CHANGED)), "what was published is not live")
}

fn delete(walk: &mut Walk<'_>) -> Outcome {
    let now = walk.now()?;
    let pages: Vec<Value> = now
        .under(&format!("content/{}", walk.folder))
        .map(|(path, file)| json!({"path": path.as_str().trim_start_matches("content/"), "if_match": file.id.to_string()}))
        .collect();
    walk.call("page_delete", json!({"pages": pages}))?;
    let assets: Vec<Value> = differing_assets(walk)?;
    if !assets.is_empty() {
        walk.call("asset_delete", json!({"assets": assets}))?;
    }
    walk.call("publish", json!({"hand_edits": true}))?;
    let live = walk.site().live().map_err(|error| error.to_string())?;
    expect(live.under(&format!("content/{}", walk.folder)).next().is_none(), "a deleted page is still live")
}

/// Files below `static/` that the steps made.
fn differing_assets(walk: &Walk<'_>) -> Result<Vec<Value>, String> {
    let now = walk.now()?;
    let ours = now.iter().filter(|(path, _)| walk.copy.start().get(path).is_none());
    Ok(ours
        .filter(|(path, _)| path.as_str().starts_with("static/"))
        .map(|(path, file)| json!({"path": path.as_str(), "if_match": file.id.to_string()}))
        .collect())
}

/// The nerve is alive: what an operator reports is in the report that people read, and nowhere in the site.
fn feedback(walk: &mut Walk<'_>) -> Outcome {
    let before = walk.now()?;
    let canary = json!({"kind": "slow", "goal": "prove that a report arrives", "pain": "none, this is a canary of the self-test"});
    let receipt = walk.call("feedback_submit", canary)?;
    let id = receipt["id"].as_str().unwrap_or_default();
    expect(!id.is_empty() && receipt["next"].is_string(), "the receipt has no id or no next")?;
    let report = walk.call("friction_report", json!({}))?;
    let reported = report["reported"].as_array();
    let found = reported.is_some_and(|all| all.iter().any(|said| said["id"] == id));
    expect(found, "what was reported is not in the friction report")?;
    walk.only_differs(&before, &[])
}

fn no_leftovers(walk: &mut Walk<'_>) -> Outcome {
    walk.only_differs(walk.copy.start(), &[])?;
    let live = walk.site().live().map_err(|error| error.to_string())?;
    let left = crate::site::rehearsal::differing(walk.copy.start(), &live);
    expect(left.is_empty(), &format!("live differs from its start: {left:?}"))
}
