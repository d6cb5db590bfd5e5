//! What others copy from this repository works: the registry's entry, the clients' snippets, the files for continuous integration.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs the program with nothing to read: a server over standard streams ends at once.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewright"));
    command.args(arguments).current_dir(folder).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.env_remove("SITEWRIGHT_TOKEN").stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// The program takes this subcommand with these flags.
fn assert_understood(line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let start = words.iter().position(|word| *word == "sitewright").unwrap_or_else(|| panic!("{line}"));
    let Some(subcommand) = words.get(start + 1).filter(|word| word.chars().all(char::is_alphabetic)) else { return };
    let (code, help) = run(&root(), &[subcommand, "--help"]);
    assert_eq!(code, Some(0), "there is no {subcommand}: {line}");
    for flag in words[start + 2..].iter().filter(|word| word.starts_with("--")) {
        let name = flag.split('=').next().unwrap_or(flag);
        let known = help.split([' ', '\n', ',', '[', ']']).any(|word| word == name);
        assert!(known, "{subcommand} has no {name}: {line}");
    }
}

/// Fenced code blocks in this language.
fn fenced(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).filter_map(|rest| rest.split("\n```").next()).map(str::to_owned).collect()
}

#[test]
fn the_registry_entry_has_the_shape_that_the_registry_wants() {
    let entry: Value = serde_json::from_str(&read("server.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned();
    assert_eq!(entry["$schema"], "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json");
    let name = text(&entry["name"]);
    let (namespace, server) = name.split_once('/').unwrap();
    assert!((3..=200).contains(&name.len()) && namespace.contains('.'), "{name}");
    let plain = |part: &str, extra: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
    assert!(plain(namespace, ".-") && plain(server, "._-") && !server.is_empty(), "{name}");
    assert!((1..=100).contains(&text(&entry["title"]).len()));
    assert!((1..=100).contains(&text(&entry["description"]).len()), "at most 100 characters");
    let known = ["$schema", "name", "title", "description", "version", "packages"];
    assert!(entry.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "a key nobody reads");
    // The registry looks for this line in the README that crates.io shows, where comments do not survive.
    let marker = format!("`mcp-name: {name}`");
    assert!(read("README.md").lines().any(|line| line.ends_with(&marker)), "README.md lacks {marker}");

    let packages = entry["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 1);
    let package = &packages[0];
    assert_eq!((&package["registryType"], &package["transport"]["type"]), (&"cargo".into(), &"stdio".into()));
    assert_eq!(package["registryBaseUrl"], "https://crates.io");
    assert_eq!(package["identifier"], env!("CARGO_PKG_NAME"));
    for version in [&entry["version"], &package["version"]] {
        assert_eq!(version, env!("CARGO_PKG_VERSION"), "server.json and Cargo.toml differ");
    }
}

#[test]
fn the_registry_entry_starts_a_server() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["init", "my-site"]).0, Some(0));
    let entry: Value = serde_json::from_str(&read("server.json")).unwrap();
    let site = folder.path().join("my-site");
    let mut line = Vec::new();
    for argument in entry["packages"][0]["packageArguments"].as_array().unwrap() {
        line.push(match argument["type"].as_str().unwrap() {
            "positional" => argument["value"].as_str().unwrap().to_owned(),
            "named" => {
                assert_eq!((&argument["isRequired"], &argument["format"]), (&true.into(), &"filepath".into()));
                format!("{}={}", argument["name"].as_str().unwrap(), site.display())
            }
            other => panic!("no argument is {other}"),
        });
    }
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    // A folder above: only the argument says where the site is.
    let (code, said) = run(folder.path(), &line);
    assert_eq!(code, Some(0), "{line:?}: {said}");
}

/// A server as clients are told about it: a program to start, or an address with a token.
fn assert_server(server: &Value, place: &str) {
    let arguments = || server["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap());
    match server["command"].as_str() {
        Some("sitewright") => assert_understood(&format!("sitewright {}", arguments().collect::<Vec<_>>().join(" "))),
        Some("npx") => {
            assert!(arguments().any(|argument| argument == "http://127.0.0.1:4400/mcp"), "{place}: {server}");
        }
        Some(other) => panic!("{place}: who starts {other}?"),
        None => {
            assert_eq!(server["url"], "http://127.0.0.1:4400/mcp", "{place}");
            let token =
                server["headers"]["Authorization"].as_str().or(server["bearer_token_env_var"].as_str()).unwrap();
            assert!(token.starts_with("Bearer ${") || token == "SITEWRIGHT_TOKEN", "{place}: {token}");
        }
    }
}

#[test]
fn every_snippet_for_a_client_is_sound() {
    let mut kinds = BTreeSet::new();
    for place in ["README.md", "content/docs/clients.md"] {
        let text = read(place);
        for block in fenced(&text, "json") {
            let parsed: Value =
                serde_json::from_str(&block).unwrap_or_else(|error| panic!("{place}: {error}\n{block}"));
            let outer = parsed.as_object().unwrap().keys().find(|key| key.to_lowercase().ends_with("servers")).unwrap();
            kinds.insert(outer.clone());
            assert_server(&parsed[outer]["sitewright"], place);
            // What VS Code is asked to fill in has to be declared.
            if block.contains("${input:") {
                let id = parsed["inputs"][0]["id"].as_str().unwrap();
                assert!(block.contains(&format!("${{input:{id}}}")), "{block}");
            }
        }
        for block in fenced(&text, "toml") {
            kinds.insert("codex".into());
            let parsed: toml::Table = block.parse().unwrap_or_else(|error| panic!("{place}: {error}\n{block}"));
            assert_server(&serde_json::to_value(&parsed["mcp_servers"]["sitewright"]).unwrap(), place);
        }
        for line in fenced(&text, "sh").iter().flat_map(|block| block.lines()) {
            // After `--`, or at the start: what is run.
            let line = line.rsplit(" -- ").next().unwrap_or(line);
            if line.starts_with("sitewright ") {
                assert_understood(line.split('#').next().unwrap_or(line));
            }
        }
    }
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    assert_eq!(kinds, ["codex", "mcpServers", "servers"]);
    let page = read("content/docs/clients.md");
    for client in ["Claude Code", "Claude Desktop", "Cursor", "VS Code", "Codex"] {
        let section = page.split(&format!("\n## {client}\n")).nth(1).unwrap_or_else(|| panic!("no {client}"));
        let section = section.split("\n## ").next().unwrap();
        assert!(section.contains("serve") && section.contains("http://127.0.0.1:4400/mcp"), "{client} lacks one way");
    }
}

/// Every text in a YAML document, in order.
fn texts(value: &serde_yaml::Value, found: &mut Vec<String>) {
    match value {
        serde_yaml::Value::String(text) => found.push(text.clone()),
        serde_yaml::Value::Sequence(items) => items.iter().for_each(|item| texts(item, found)),
        serde_yaml::Value::Mapping(map) => map.iter().for_each(|(_, item)| texts(item, found)),
        _ => {}
    }
}

#[test]
fn the_files_for_continuous_integration_call_what_exists() {
    for place in ["docs/ci/github-pages.yml", "docs/ci/gitlab-ci.yml"] {
        let text = read(place);
        let parsed: serde_yaml::Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{place}: {error}"));
        let mut found = Vec::new();
        texts(&parsed, &mut found);
        let calls: Vec<&String> = found.iter().filter(|text| text.starts_with("sitewright ")).collect();
        for subcommand in ["check", "build"] {
            assert!(
                calls.iter().any(|call| call.starts_with(&format!("sitewright {subcommand} "))),
                "{place}: {calls:?}"
            );
        }
        for call in calls {
            assert_understood(call);
        }
        let version = format!("SITEWRIGHT_VERSION: {}", env!("CARGO_PKG_VERSION"));
        assert!(text.replace('"', "").contains(&version), "{place} installs another version");
    }
}

/// What both files do, on a shallow clone without a branch, as runners have it.
#[test]
fn a_runner_builds_from_a_shallow_clone() {
    let folder = tempfile::tempdir().unwrap();
    let git = |at: &Path, arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(at).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    assert_eq!(run(folder.path(), &["init", "my-site"]).0, Some(0));
    let (site, clone) = (folder.path().join("my-site"), folder.path().join("clone"));
    std::fs::write(site.join("second"), "beside").unwrap();
    git(&site, &["add", "-A"]);
    git(&site, &["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "Second"]);
    let address = format!("file://{}", site.display());
    git(folder.path(), &["clone", "-q", "--depth", "1", &address, clone.to_str().unwrap()]);
    git(&clone, &["checkout", "-q", "--detach"]);
    assert_eq!(run(&clone, &["check", "--site", "."]).0, Some(0));
    let out = folder.path().join("out");
    let build =
        ["build", "--site", ".", "--base-url", "https://me.example.org/project", "--output", out.to_str().unwrap()];
    let (code, said) = run(&clone, &build);
    assert_eq!(code, Some(0), "{said}");
    let home = std::fs::read_to_string(out.join("index.html")).unwrap();
    assert!(home.contains("https://me.example.org/project/"), "{home}");
}
