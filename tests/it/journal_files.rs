//! The journal's files: off means nothing, full means no call fails, and they are bounded, private, and gone in time.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sitewright::insight::{Arguments, Entry, Journal, Level, Window, redact};
use sitewright::outside::peer::Peer;

use crate::harness::TestSite;

const SITE: &str = "-- content/_index.md --\n---\ntitle: Home\n---\n-- content/a.md --\n---\ntitle: A\n---\nOld.\n";

/// The real program, started by a script that runs `first` before.
fn program(folder: &Path, first: &str) -> PathBuf {
    let path = folder.join("server");
    let text = format!("#!/bin/sh\n{first}\nexec \"{}\" \"$@\"\n", env!("CARGO_BIN_EXE_sitewright"));
    std::fs::write(&path, text).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a program");
    path
}

fn ask(peer: &mut Peer, tool: &str, arguments: &Value) -> Value {
    let answer = peer.request("tools/call", &json!({"name": tool, "arguments": arguments})).expect("an answer");
    assert_ne!(answer["result"]["isError"], true, "{answer}");
    assert!(answer.get("error").is_none(), "{answer}");
    answer["result"]["structuredContent"].clone()
}

/// Names and sizes of a folder's files, by name.
fn listed(folder: &Path) -> Vec<(String, u64)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.expect("an entry");
        (entry.file_name().into_string().expect("a name"), entry.metadata().expect("a size").len())
    };
    let mut files: Vec<_> = entries.map(file).collect();
    files.sort();
    files
}

#[tokio::test]
async fn a_server_that_is_told_to_keep_none_writes_nothing() {
    let site = TestSite::new(SITE).await;
    // The key that the test's own server made.
    std::fs::remove_dir_all(site.path().join(".sitewright")).expect("removed");
    let scripts = tempfile::tempdir().expect("a folder");
    let off = program(scripts.path(), "export SITEWRIGHT_JOURNAL=off");
    let mut peer = Peer::start(&off, &site.path(), "test").expect("a server");
    ask(&mut peer, "page_write", &json!({"pages": [{"path": "a.md", "front_matter": {"title": "B"}}]}));
    ask(&mut peer, "publish", &json!({}));
    assert!(
        ask(&mut peer, "friction_report", &json!({}))["journal"].as_str().is_some_and(|said| said.starts_with("off"))
    );
    drop(peer);
    let var = site.path().join(".sitewright/var");
    assert!(!var.join("journal").exists() && !var.join("journal.key").exists(), "{:?}", listed(&var));
    let mut on = Peer::start(&program(scripts.path(), ":"), &site.path(), "test").expect("a server");
    ask(&mut on, "site_get", &json!({}));
    drop(on);
    assert_eq!(listed(&var.join("journal")).len(), 1, "the same without the variable");
}

/// A limit on the size of files fails as a full disk does: a part of the line is written, or nothing.
#[tokio::test]
async fn a_disk_that_takes_no_more_fails_no_call() {
    let site = TestSite::new(SITE).await;
    let scripts = tempfile::tempdir().expect("a folder");
    let full = program(scripts.path(), "trap '' XFSZ\nulimit -f 64");
    let mut peer = Peer::start(&full, &site.path(), "test").expect("a server");
    for n in 0..250 {
        ask(&mut peer, "page_get", &json!({"paths": ["a.md"]}));
        if n % 50 == 0 {
            ask(
                &mut peer,
                "page_write",
                &json!({"pages": [{"path": "a.md", "front_matter": {"title": n.to_string()}}]}),
            );
        }
    }
    drop(peer);
    let files = listed(&site.path().join(".sitewright/var/journal"));
    assert_eq!(files.len(), 1, "{files:?}");
    let window = Window::read(&site.site().repository().own_files(), jiff::Timestamp::MIN).expect("a journal");
    assert!((40..250).contains(&window.records.len()) && window.skipped <= 1, "{} {files:?}", window.records.len());
}

fn entry(n: i64) -> Entry {
    let shape = (0..60).map(|key| format!("pages[].front_matter.some_key_of_an_argument_{key:04}")).collect();
    Entry {
        at: 1_790_000_000_000 + n,
        call: format!("{n:08x}"),
        tool: "page_write".into(),
        arguments: Arguments { shape, ..Arguments::default() },
        ..Entry::default()
    }
}

#[tokio::test]
async fn all_files_together_stay_below_fifty_megabytes() {
    let site = TestSite::new(SITE).await;
    let folder = site.path().join(".sitewright/var/journal");
    std::fs::create_dir_all(&folder).expect("a folder");
    for n in 10..22 {
        let old = std::fs::File::create(folder.join(format!("202609{n}T000000-1-{n:08x}.jsonl"))).expect("a file");
        old.set_len(4 << 20).expect("a size");
    }
    let journal = Journal::open(site.site(), Level::Metadata);
    let mut most = 0;
    for n in 0..4_000 {
        journal.record(entry(n));
        if n % 100 == 99 {
            journal.flush();
            most = most.max(listed(&folder).iter().map(|(_, bytes)| bytes).sum());
        }
    }
    let files = listed(&folder);
    assert!(most <= 50 << 20, "{most}");
    assert!(most > 40 << 20, "the bound was met: {most}");
    assert!(files.iter().all(|(name, _)| name.as_str() >= "20260913"), "the oldest went: {files:?}");
    assert!(files.iter().filter(|(name, _)| name.starts_with("202609")).count() >= 9, "and only they: {files:?}");
    assert!(files.iter().filter(|(_, bytes)| *bytes >= 4 << 20).count() >= 10, "a new file every four megabytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_on_the_machine_reads_them() {
    let site = TestSite::new(SITE).await;
    site.call("site_get", json!({})).await;
    site.server().journal().flush();
    let journal = Journal::open(site.site(), Level::Debug);
    journal.record(Entry { said: json!({"a": 1}).as_object().cloned(), ..entry(1) });
    drop(journal);
    let var = site.path().join(".sitewright/var");
    let mut seen = 0;
    for folder in ["journal", "journal-debug"] {
        for (name, _) in listed(&var.join(folder)) {
            let mode = std::fs::metadata(var.join(folder).join(&name)).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{folder}/{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
    assert_eq!(std::fs::metadata(var.join("journal.key")).expect("a key").permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_keeps_redacted_arguments_for_a_day_and_says_so() {
    let site = TestSite::new(SITE).await;
    let own = site.path().join(".sitewright");
    std::fs::create_dir_all(&own).expect("a folder");
    std::fs::write(own.join("improve.toml"), "journal = \"debug\"\n").expect("settings");
    let mut peer = Peer::start(&program(&own, ":"), &site.path(), "test").expect("a server");
    let secret = "ghp_1A2b3C4d5E6f7G8h9I0jKlMnOpQr";
    let arguments =
        json!({"pages": [{"path": "a.md", "edits": [{"find": "Old.", "replace": format!("New {secret}.")}]}]});
    let answer = peer.request("tools/call", &json!({"name": "page_write", "arguments": arguments})).expect("an answer");
    assert!(
        answer["result"]["_meta"]["sitewright/journal"].as_str().is_some_and(|said| said.contains("24 hours")),
        "{answer}"
    );
    let report = ask(&mut peer, "friction_report", &json!({}));
    assert!(report["journal"].as_str().is_some_and(|said| said.starts_with("debug")), "{report}");
    drop(peer);
    let read = |folder: &str| -> String {
        let folder = own.join("var").join(folder);
        listed(&folder).iter().map(|(name, _)| std::fs::read_to_string(folder.join(name)).expect("text")).collect()
    };
    let (calls, kept) = (read("journal"), read("journal-debug"));
    let line: Value = serde_json::from_str(kept.lines().next().expect("a line")).expect("JSON");
    let edit = &line["arguments"]["pages"][0]["edits"][0];
    assert_eq!(edit["replace"], redact(&format!("New {secret}.")), "{line}");
    assert!(calls.contains(&format!("\"call\":{}", line["call"])), "the call of that id: {calls}");
    assert!(!kept.contains(secret) && !calls.contains("New"), "{kept}{calls}");
    // Whatever the level is by then: a day later a server removes them, and keeps the journal itself.
    site.set_time("2027-01-05T00:00:00Z");
    drop(Journal::open(site.site(), Level::Off));
    assert_eq!((listed(&own.join("var/journal-debug")).len(), listed(&own.join("var/journal")).len()), (0, 1));
}
