//! The command line as people and continuous integration use it: the real program, its exit codes and its words.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BINARY: &str = env!("CARGO_BIN_EXE_sitewright");

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// The program in a folder, without the machine's own git configuration.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder);
    command.env_remove("SITEWRIGHT_TOKEN").env_remove("SITEWRIGHT_LOG").stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let output = program(folder, arguments).output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn ok(folder: &Path, arguments: &[&str]) -> Ran {
    let ran = run(folder, arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}\n{}{}", ran.out, ran.err);
    ran
}

fn refused(folder: &Path, arguments: &[&str]) -> Ran {
    let ran = run(folder, arguments);
    assert_eq!(ran.code, Some(1), "{arguments:?}\n{}{}", ran.out, ran.err);
    ran
}

/// A new site in a folder of its own.
fn site() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    ok(dir.path(), &["init", "my-site"]);
    let folder = dir.path().join("my-site");
    (dir, folder)
}

fn append(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_new_site_is_sound_and_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let made = ok(dir.path(), &["init", "my-site", "--title", "It's: mine"]);
    assert!(made.out.contains("claude mcp add sitewright"), "{}", made.out);
    let folder = dir.path().join("my-site");
    assert_eq!(ok(&folder, &["check", "--json"]).out, "[]\n");
    assert!(ok(&folder, &["status"]).out.contains("Everything is published."));
    let again = refused(dir.path(), &["init", "my-site"]);
    assert!(again.err.contains("already exists"), "{}", again.err);
    // From a folder inside, the site above is found.
    ok(&folder.join("content/blog"), &["status"]);
    assert!(std::fs::read_to_string(folder.join("site.yaml")).unwrap().contains("It's: mine"));
}

#[test]
fn wrong_usage_and_missing_sites_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(run(dir.path(), &["nonsense"]).code, Some(2));
    assert_eq!(run(dir.path(), &["serve", "--no-token"]).code, Some(2), "--no-token needs --http");
    let bare = run(dir.path(), &[]);
    assert_eq!((bare.code, bare.out.as_str()), (Some(2), ""));
    assert!(bare.err.contains("Usage"), "{}", bare.err);
    for arguments in [&["status"][..], &["build"], &["check"], &["serve"], &["diff"], &["publish"], &["preview"]] {
        let lost = refused(dir.path(), arguments);
        assert!(lost.err.contains("no site at") && lost.err.contains("sitewright init"), "{}", lost.err);
        assert_eq!(lost.out, "");
    }
    assert!(refused(dir.path(), &["status", "--site", "elsewhere"]).err.contains("no site at elsewhere"));
}

#[test]
fn build_writes_what_differs_and_nothing_else() {
    let (dir, folder) = site();
    let first = ok(&folder, &["build"]);
    assert!(first.err.contains("4 pages") && first.err.contains("in public"), "{}", first.err);
    assert!(ok(&folder, &["build"]).err.contains("(0 written, 0 removed)"));
    std::fs::write(folder.join("content/wip.md"), "---\ntitle: Secret\ndraft: true\n---\n").unwrap();
    ok(&folder, &["build"]);
    assert!(!folder.join("public/wip/index.html").exists());
    ok(&folder, &["build", "--drafts"]);
    assert!(folder.join("public/wip/index.html").exists());
    assert!(ok(&folder, &["build"]).err.contains("2 removed"), "the draft and its Markdown");

    std::fs::write(dir.path().join("precious.txt"), "x").unwrap();
    let kept = refused(&folder, &["build", "--output", dir.path().to_str().unwrap()]);
    assert!(kept.err.contains("holds other files") && dir.path().join("precious.txt").exists(), "{}", kept.err);
    assert!(kept.err.contains("a new or empty folder") && !kept.err.contains("content/"), "{}", kept.err);
    let elsewhere = dir.path().join("out/dist");
    ok(&folder, &["build", "--output", elsewhere.to_str().unwrap(), "--base-url", "https://example.org/x"]);
    let home = std::fs::read_to_string(elsewhere.join("index.html")).unwrap();
    assert!(home.contains("https://example.org/x/") && home.contains("/x/assets/"), "{home}");
    refused(&folder, &["build", "--base-url", "example.org"]);
}

#[test]
fn timings_name_stages_outputs_and_templates_and_a_refused_build_leaves_no_folder() {
    let (_dir, folder) = site();
    let told = ok(&folder, &["build", "--timings"]);
    for part in [
        "read pages",
        "render",
        "write files",
        "output index.html",
        "template layouts/page, ",
        "template partials/base, ",
    ] {
        assert!(told.err.contains(part), "{part}: {}", told.err);
    }
    assert!(!ok(&folder, &["build"]).err.contains("render"), "only where asked for");
    std::fs::remove_dir_all(folder.join("public")).unwrap();
    std::fs::write(folder.join("site.yaml"), "title: [\n").unwrap();
    refused(&folder, &["build"]);
    assert!(!folder.join("public").exists());
}

#[test]
fn a_partial_that_reads_nothing_of_the_page_is_rendered_once() {
    let (_dir, folder) = site();
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "site.yaml",
        "title: T\ntheme: own\nmenus:\n  main:\n    - { name: One, url: /p1/ }\n    - { name: Two, url: /p2/ }\n",
    );
    write("themes/own/theme.yaml", "name: own\nversion: 1.0.0\n");
    write("themes/own/layouts/page.hbs", "<head></head>{{> nav}}|{{> marked}}|{{#with page}}{{> named}}{{/with}}");
    write("themes/own/layouts/list.hbs", "<head></head>{{> nav}}");
    write("themes/own/partials/nav.hbs", "{{#each site.menus.main}}<a href=\"{{url}}\">{{name}}</a>{{/each}}");
    write("themes/own/partials/marked.hbs", "{{#each site.menus.main}}{{#if current}}{{name}}{{/if}}{{/each}}");
    write("themes/own/partials/named.hbs", "{{site.title}}{{title}}");
    for page in 1..=40 {
        write(&format!("content/p{page}.md"), &format!("---\ntitle: Page {page}\n---\n"));
    }
    let told = ok(&folder, &["build", "--timings"]).err;
    let times = |partial: &str| -> usize {
        let row = told
            .lines()
            .find(|line| line.contains(&format!("partials/{partial}, ")))
            .unwrap_or_else(|| panic!("{told}"));
        row.rsplit(", ").next().unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    // Several threads may begin before the first is done.
    assert!(times("nav") <= 8, "{told}");
    assert!(times("marked") >= 40 && times("named") >= 40, "{told}");
    let page = |n: usize| std::fs::read_to_string(folder.join(format!("public/p{n}/index.html"))).unwrap();
    let nav = "<a href=\"/p1/\">One</a><a href=\"/p2/\">Two</a>";
    for (n, current) in [(1, "One"), (2, "Two"), (3, ""), (40, "")] {
        let html = page(n);
        assert!(html.ends_with(&format!("{nav}|{current}|Page {n}")), "{html}");
    }
}

#[test]
fn check_finds_what_is_wrong_with_file_and_line() {
    let (_dir, folder) = site();
    append(&folder.join("content/about.md"), "\nA [broken](nowhere.md) link.\n");
    let line = std::fs::read_to_string(folder.join("content/about.md")).unwrap().lines().count();
    let found = refused(&folder, &["check"]);
    assert!(found.out.contains(&format!("content/about.md:{line}: error: ")), "{}", found.out);
    assert!(found.err.contains("1 error"), "{}", found.err);
    let json: serde_json::Value = serde_json::from_str(&refused(&folder, &["check", "--json"]).out).unwrap();
    assert_eq!((&json[0]["code"], &json[0]["line"]), (&"broken_link".into(), &line.into()));
    refused(&folder, &["build"]);
    // Advice is given where it is asked for, and fails nothing.
    std::fs::write(folder.join("content/lonely.md"), "---\ntitle: Lonely\ndraft: true\ndate: 2020-01-01\n---\n")
        .unwrap();
    assert!(!refused(&folder, &["check"]).out.contains("old_draft"));
    let advice = ok(&folder, &["check", "--rules", "seo,drafts"]);
    assert!(advice.out.contains("[old_draft]") && !advice.out.contains("broken_link"), "{}", advice.out);
    assert!(refused(&folder, &["check", "--rules", "all"]).out.contains("[old_draft]"));
    assert_eq!(run(&folder, &["check", "--rules", "nonsense"]).code, Some(2));
    std::fs::write(folder.join("site.yaml"), "title: [\n").unwrap();
    assert!(refused(&folder, &["check"]).err.contains("site.yaml:"));
}

#[test]
fn hand_edits_are_shown_and_go_out_only_when_meant() {
    let (_dir, folder) = site();
    append(&folder.join("content/about.md"), "\nHalf a sentence\n");
    let status = ok(&folder, &["status"]).out;
    assert!(status.contains("M content/about.md  (by hand)"), "{status}");
    assert!(ok(&folder, &["diff", "--stat"]).out.contains("about.md (changed, +2 -0)  (by hand)"));
    assert!(ok(&folder, &["diff", "about.md"]).out.contains("+Half a sentence"));
    let asked = refused(&folder, &["publish"]);
    assert!(asked.err.contains("about.md") && asked.err.contains("--hand-edits"), "{}", asked.err);
    let planned = ok(&folder, &["publish", "--dry-run", "--yes"]).out;
    assert!(planned.contains("/about/") && planned.contains("Nothing was changed."), "{planned}");
    assert!(ok(&folder, &["status"]).out.contains("by hand"));
    let published = ok(&folder, &["publish", "about.md", "-m", "Say half of it"]).out;
    assert!(published.contains("Published 1 file as "), "{published}");
    assert!(ok(&folder, &["status"]).out.contains("Everything is published."));
    assert!(ok(&folder, &["publish"]).out.contains("Nothing to publish."));
    assert!(folder.join("public/about/index.html").exists());
}

/// How a child ended by itself; one that does not is killed, and that is a failure.
fn ended(child: &mut Child) -> std::process::ExitStatus {
    let until = Instant::now() + Duration::from_mins(1);
    while Instant::now() < until {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    panic!("it goes on and on");
}

/// A long-running child that is killed when a test fails.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
}

impl Running {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = program(folder, arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The rest of the first line on stderr that begins so.
    fn line(&mut self, start: &str) -> String {
        let mut found = self.lines.by_ref().map(Result::unwrap);
        found.find_map(|line| line.trim().strip_prefix(start).map(str::to_owned)).unwrap()
    }

    /// Tells it to end, which nothing else here would make it do; its exit code.
    fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        ended(&mut self.child).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status line and body of a GET request.
fn get(url: &str, header: &str) -> (String, String) {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{header}\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn the_preview_shows_edits_at_once_and_stops_when_told() {
    let (_dir, folder) = site();
    let mut running = Running::start(&folder, &["preview", "--http", "127.0.0.1:0"]);
    let url = running.line("Preview: ");
    let url = url.split(' ').next().unwrap();
    let (status, body) = get(&format!("{url}about/"), "");
    assert!(status.contains("200") && body.contains("_sitewright/reload.js"), "{status}\n{body}");
    append(&folder.join("content/about.md"), "\nFresh words\n");
    assert!(get(&format!("{url}about/"), "").1.contains("Fresh words"));
    std::fs::write(folder.join("content/wip.md"), "---\ntitle: W\ndraft: true\n---\nDraft words\n").unwrap();
    assert!(get(&format!("{url}wip/"), "").1.contains("Draft words"), "drafts are shown");
    assert_eq!(running.terminate(), Some(0));
    assert!(!folder.join("public").exists(), "a preview writes nothing");
}

#[test]
fn serving_over_http_wants_the_printed_token() {
    let (_dir, folder) = site();
    let mut running = Running::start(&folder, &["serve", "--http", "127.0.0.1:0"]);
    let preview = running.line("Preview: ");
    let url = running.line("MCP: ").trim().to_owned();
    let line = running.line("claude mcp add --transport http sitewright ");
    assert!(line.starts_with(&url), "{line}");
    let token = line.split("Bearer ").nth(1).unwrap().trim_end_matches('"').to_owned();
    assert_eq!(token.len(), 64, "{token}");
    assert!(get(&url, "").0.contains("401"));
    assert!(!get(&url, &format!("Authorization: Bearer {token}\r\n")).0.contains("401"));
    assert!(get(&preview, "").0.contains("200"), "a preview beside it, on an origin of its own");
    assert_ne!(preview.trim_end_matches('/'), url.trim_end_matches("/mcp"));
    assert_eq!(running.terminate(), Some(0));
    let open = refused(&folder, &["serve", "--http", "0.0.0.0:0"]);
    assert!(open.err.contains("--behind-tls-proxy"), "{}", open.err);
    refused(&folder, &["serve", "--http", "0.0.0.0:0", "--no-token", "--behind-tls-proxy"]);
    refused(&folder, &["preview", "--http", "0.0.0.0:0"]);
    std::fs::write(folder.join("token"), "short").unwrap();
    refused(&folder, &["serve", "--http", "127.0.0.1:0", "--token-file", "token"]);
}

#[test]
fn stdout_carries_only_protocol_when_serving_over_standard_streams() {
    let (_dir, folder) = site();
    let mut running = Running::start(&folder, &["serve"]);
    let mut input = running.child.stdin.take().unwrap();
    let hello = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let ready = serde_json::json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call = serde_json::json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "preview", "arguments": {"pages": ["/about/"]}}});
    write!(input, "{hello}\n{ready}\n{call}\n").unwrap();
    let mut output = BufReader::new(running.child.stdout.take().unwrap());
    let mut reply = serde_json::Value::Null;
    while reply["id"] != 2 {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "ended early");
        reply = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not protocol: {line}"));
    }
    let text = reply["result"].to_string();
    let start = text.find("http://127.0.0.1:").unwrap_or_else(|| panic!("no address: {text}"));
    let address = text[start..].split(['"', '\\']).next().unwrap();
    assert!(get(address, "").0.contains("200"), "{address}");
    drop(input);
    assert!(ended(&mut running.child).success());
}

/// On a terminal, which `script` (util-linux) makes.
#[cfg(target_os = "linux")]
#[test]
fn the_name_alone_serves_and_questions_are_asked_on_a_terminal() {
    let (_dir, folder) = site();
    let terminal = |line: &str| {
        let mut command = program(&folder, &[]);
        let mut script = Command::new("script");
        // A shell that stays would be ended by Ctrl-C itself, whatever the program does; not every one makes way unasked.
        script
            .args(["-qec", &format!("exec {line}"), "/dev/null"])
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        for (name, value) in command.stdin(Stdio::null()).get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        script.spawn().unwrap()
    };
    let mut serving = terminal(BINARY);
    let mut seen = BufReader::new(serving.stdout.take().unwrap()).lines().map(Result::unwrap);
    let preview = seen.find_map(|line| line.strip_prefix("Preview: ").map(|url| url.trim().to_owned())).unwrap();
    assert!(get(&preview, "").0.contains("200"), "{preview}");
    assert!(seen.any(|line| line.contains("claude mcp add --transport http sitewright http://127.0.0.1:")));
    // Ctrl-C, as a person types it.
    serving.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    assert!(serving.wait().unwrap().success());

    append(&folder.join("content/about.md"), "\nBy hand\n");
    let mut asked = terminal(&format!("{BINARY} publish"));
    asked.stdin.as_mut().unwrap().write_all(b"n\n").unwrap();
    let refused = asked.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stdout).contains("Publish these too?"));
    assert!(ok(&folder, &["status"]).out.contains("by hand"));
    let mut asked = terminal(&format!("{BINARY} publish"));
    asked.stdin.as_mut().unwrap().write_all(b"y\n").unwrap();
    let published = asked.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&published.stdout).contains("Published 1 file"), "{published:?}");
}
