//! Which tools a server offers: `--tools`, `--exclude`, `--read-only` and `--allow`, in every combination.
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::sync::Arc;

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use serde_json::{Map, Value, json};
use sitewright::server::{Server, stdio};
use sitewright::tools::{Browser, CORE, Registry, Right, Rights, Tool};
use tokio_util::sync::CancellationToken;

use super::harness::TestSite;
use super::rights::serve;

const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\n-- content/a.md --\n---\ntitle: A\n---\nText.\n";

async fn connect(site: &TestSite, registry: Registry, rights: Rights) -> RunningService<RoleClient, ()> {
    let server = Server::new(site.site().clone(), registry, rights);
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(theirs);
    tokio::spawn(stdio::serve_over(server, input, output, CancellationToken::new()));
    ().serve(ours).await.expect("the handshake works")
}

#[tokio::test]
async fn every_combination_lists_and_serves_what_all_of_them_let_through() {
    let site = TestSite::new(SITE).await;
    let all: Vec<String> = Registry::standard().tools().map(|tool| tool.name().to_owned()).collect();
    let before = site.fingerprint();
    let mut refused = 0;
    for tools in [None, Some("all"), Some("core"), Some("site_get, page_write,publish"), Some("core,revision_list")] {
        for exclude in [None, Some("page_write"), Some("publish,site_get")] {
            for rights in [Rights::all_but_admin(), Rights::read_only(), "read,publish".parse().expect("rights")] {
                let registry = Registry::standard().select(tools, exclude).expect("known names");
                let wanted: BTreeSet<&str> = match tools {
                    None | Some("all") => all.iter().map(String::as_str).collect(),
                    Some("core") => CORE.into(),
                    Some("core,revision_list") => CORE.into_iter().chain(["revision_list"]).collect(),
                    Some(_) => ["site_get", "page_write", "publish"].into(),
                };
                let off = |name: &str| !wanted.contains(name) || exclude.is_some_and(|names| names.contains(name));
                let allowed = |tool: &Tool| rights.allow(tool.right());
                let expected: Vec<String> = Registry::standard()
                    .tools()
                    .filter(|tool| !off(tool.name()) && allowed(tool))
                    .map(|tool| tool.name().to_owned())
                    .collect();
                let client = connect(&site, registry, rights).await;
                let listed = client.list_tools(None).await.expect("a list").tools;
                let listed: Vec<String> = listed.into_iter().map(|tool| tool.name.into_owned()).collect();
                let about = format!("{tools:?} {exclude:?} {rights:?}");
                assert_eq!(listed, expected, "{about}");
                // What is not listed cannot be called either, and the answer says who can change that.
                for name in all.iter().filter(|name| !expected.contains(name)) {
                    let result = client.call_tool(CallToolRequestParams::new(name.clone())).await.expect("an answer");
                    let text = result.content[0].as_text().expect("text").text.clone();
                    let error: Value = serde_json::from_str(&text).expect("JSON");
                    let (code, way) =
                        if off(name) { ("tool_off", "`--tools`") } else { ("not_allowed", "`--read-only`") };
                    assert_eq!((result.is_error, error["code"].as_str()), (Some(true), Some(code)), "{about} {name}");
                    let hint = error["hint"].as_str().expect("a hint");
                    assert!(hint.contains("person who runs the server") && hint.contains(way), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 100, "only {refused} calls were refused");
    assert_eq!(site.fingerprint(), before);
}

#[test]
fn read_only_leaves_no_tool_that_writes_whatever_else_is_said() {
    for tools in [None, Some("core"), Some("page_write,publish,page_get"), Some("all")] {
        let registry = Registry::standard().select(tools, None).expect("known names");
        assert!(registry.allowed(Rights::read_only()).all(|tool| !tool.writes() && tool.right() == Right::Read));
        assert!(registry.allowed(Rights::read_only()).count() > 0, "{tools:?}");
    }
}

#[test]
fn names_of_no_tool_are_refused_with_the_nearest() {
    for (tools, exclude, near) in [
        (Some("page_wirte"), None, "page_write"),
        (Some("core,write_page"), None, "page_write"),
        (None, Some("publsh"), "publish"),
        (Some(""), None, ""),
        (Some("core,"), None, ""),
        (None, Some("core"), ""),
    ] {
        let error = Registry::standard().select(tools, exclude).expect_err("no tool");
        assert_eq!(error.code(), "invalid_arguments", "{error}");
        assert!(error.to_string().contains(near), "{error}");
        let argument = if exclude.is_some() { "--exclude" } else { "--tools" };
        assert!(error.to_string().contains(argument) && error.hint().contains(argument), "{error} {}", error.hint());
    }
}

#[test]
fn the_core_stays_small() {
    let registry = Registry::standard().select(Some("core"), None).expect("known names");
    let listed: Vec<Value> =
        registry.allowed(Rights::all()).map(|tool| serde_json::to_value(tool.listed()).expect("JSON")).collect();
    let browser = Browser::among(Some(OsStr::new("/bin/sh")), OsStr::new("")).expect("a program");
    let with = Registry::standard().with_browser(Arc::new(browser));
    let preview = |registry: &Registry| {
        serde_json::to_string(registry.find("preview").expect("it is there").listed()).expect("JSON").len()
    };
    let more = preview(&with) - preview(&Registry::standard());
    let bytes = json!({"tools": listed}).to_string().len() + more;
    assert!(bytes <= 12_000, "the core has {bytes} bytes");
    let names: BTreeSet<&str> = listed.iter().filter_map(|tool| tool["name"].as_str()).collect();
    for needed in ["site_get", "page_list", "page_get", "page_write", "preview", "publish", "revision_restore"] {
        assert!(names.contains(needed), "{needed}");
    }
}

#[test]
fn the_command_line_takes_them() {
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25",
        "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": Map::new()});
    let lines = format!("{hello}\n{ready}\n{list}\n");
    for (arguments, expected) in [
        (&["--tools", "page_get,page_write,publish", "--exclude", "publish"][..], &["page_get", "page_write"][..]),
        (&["--tools", "page_get,page_write", "--read-only"], &["page_get"]),
        (&["--read-only", "--allow", "read,content", "--tools", "page_get,page_delete", "--exclude", "page_get"], &[]),
    ] {
        let (ended, out, problem) = serve(arguments, &lines);
        assert!(ended, "{problem}");
        let list = out.lines().find(|line| line.contains("\"id\":2")).unwrap_or_else(|| panic!("{out} {problem}"));
        let list: Value = serde_json::from_str(list).expect("JSON");
        let names: Vec<&str> = list["result"]["tools"]
            .as_array()
            .expect("tools")
            .iter()
            .filter_map(|tool| tool["name"].as_str())
            .collect();
        assert_eq!(names, expected, "{arguments:?}");
    }
    let (ended, out, problem) = serve(&["--tools", "page_wirte"], "");
    assert!(!ended && out.is_empty() && problem.contains("did you mean `page_write`?"), "{problem}");
}
