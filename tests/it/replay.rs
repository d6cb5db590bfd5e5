//! `improve replay` and `improve compare`, with the real binary on both sides.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_sitewright");

fn improve(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(BINARY).arg("improve").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn json(arguments: &[&str]) -> Value {
    let (done, out, problem) = improve(arguments);
    assert!(done, "{problem}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn the_story_takes_three_calls_and_the_files_are_as_they_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.jsonl");
    let journal = journal.to_str().unwrap();
    let reply =
        json(&["replay", BINARY, "--tasks", "T1,T2", "--policies", "careful,novice", "--json", "--journal", journal]);
    let played = reply["played"].as_array().unwrap();
    assert_eq!(played.len(), 4);
    for one in played {
        assert_eq!(one["missing"], Value::Array(Vec::new()), "{one}");
    }
    let calls = |at: usize| played[at]["calls"].as_array().unwrap().len();
    assert!(calls(0) <= 3, "{}", played[0]);
    assert!(calls(1) > calls(0) && played[1]["refused"] != 0, "a novice gets names wrong: {}", played[1]);
    assert_eq!(reply["figures"]["undeclared_writes"], 0);
    let written = std::fs::read_to_string(journal).unwrap();
    let all: usize = (0..4).map(calls).sum();
    assert_eq!(written.lines().count(), all, "every call is in the journal");
}

#[test]
fn the_same_server_is_no_better_than_itself() {
    let which = ["--tasks", "T7", "--policies", "hasty", "--json"];
    let verdict = json(&[&["compare", BINARY, BINARY], &which[..]].concat());
    assert_eq!(
        (&verdict["verdict"], &verdict["before"]["missed"]),
        (&"no_better".into(), &Value::Array(Vec::new())),
        "{verdict}"
    );
    assert_eq!(verdict["before"]["calls"], verdict["after"]["calls"]);
}

/// Tasks of a version in which each published change took so many calls.
fn work(journal: &mut String, version: &str, tasks: i64, reads: i64) {
    for task in 0..tasks {
        for call in 0..reads + 2 {
            let (tool, writes) = match reads + 2 - call {
                1 => ("publish", ""),
                2 => ("page_write", ",\"writes\":[\"page:a: 1->2\"]"),
                _ => ("page_get", ""),
            };
            let ts = 1_790_000_000_000 + task * 3_600_000 + call * 1_000;
            let id = format!("{version}-{task}");
            writeln!(journal, "{{\"ts\":{ts},\"call\":\"{id}.{call}\",\"session\":\"{id}\",\"server\":\"{version}\",\"tool\":\"{tool}\"{writes}}}").unwrap();
        }
    }
}

#[test]
fn versions_are_compared_by_the_journal_of_real_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    let judged = |tasks: (i64, i64), reads: (i64, i64)| {
        let mut journal = String::new();
        work(&mut journal, "1.0.0", tasks.0, reads.0);
        work(&mut journal, "1.1.0", tasks.1, reads.1);
        std::fs::write(&path, journal).unwrap();
        json(&["compare", "1.0.0", "1.1.0", "--journal", path.to_str().unwrap(), "--json"])["verdict"].clone()
    };
    assert_eq!(judged((25, 25), (6, 2)), "improved");
    assert_eq!(judged((25, 25), (2, 6)), "worse");
    assert_eq!(judged((25, 25), (2, 2)), "no_better");
    assert_eq!(judged((19, 25), (6, 2)), "not_enough_data");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let (done, _, problem) = improve(&["compare", BINARY, "1.0.0"]);
    assert!(!done && problem.contains("one is a program"), "{problem}");
    let (done, _, problem) = improve(&["replay", BINARY, "--tasks", "T99"]);
    assert!(!done && problem.contains("T12"), "{problem}");
    assert!(Path::new(BINARY).is_file());
}
