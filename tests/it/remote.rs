//! Remotes over HTTP and HTTPS: the real program against `git http-backend`, which asks for passwords, refuses, and fails.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sitewright::store::{Note, OpenOptions, Repository};

use crate::git_server::{Deed, GitServer, Request, commit_elsewhere, git, only, untouched};

const TOKEN: &str = "s3cret-t0ken";

/// What the program did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    /// Both outputs.
    pub(crate) text: String,
}

/// A new site, with the folder that is its person's home.
pub(crate) struct Place {
    home: tempfile::TempDir,
}

impl Place {
    /// With a remote.
    pub(crate) fn new(url: &str) -> Self {
        let place = Self { home: tempfile::tempdir().unwrap() };
        let made = place.run(place.home.path(), &["init", "site"], &[]);
        assert_eq!(made.code, Some(0), "{made:?}");
        place.git(&["remote", "add", "origin", url]);
        place
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn site(&self) -> PathBuf {
        self.home.path().join("site")
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.site(), arguments)
    }

    fn command(&self, folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sitewright"));
        command.args(arguments).current_dir(folder).env("HOME", self.home()).env("GIT_CONFIG_NOSYSTEM", "1");
        for name in ["SITEWRIGHT_GIT_TOKEN", "SITEWRIGHT_GIT_TOKEN_FILE", "SITEWRIGHT_GIT_USER", "SITEWRIGHT_CA_FILE"] {
            command.env_remove(name);
        }
        for name in
            ["GIT_CONFIG_GLOBAL", "XDG_CONFIG_HOME", "GIT_SSH", "SITEWRIGHT_LOG", "SSL_CERT_FILE", "SSH_AUTH_SOCK"]
        {
            command.env_remove(name);
        }
        command.envs(variables.iter().copied()).stdin(Stdio::null());
        command
    }

    fn run(&self, folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let output = self.command(folder, arguments, variables).output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ran { code: output.status.code(), text }
    }

    /// Calls a tool of a server that is started for it; its JSON, refused or not.
    pub(crate) fn call(&self, tool: &str, arguments: &Value, variables: &[(&str, &str)]) -> Value {
        let mut command = self.command(&self.site(), &["serve", "--no-preview"], variables);
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut input = server.stdin.take().unwrap();
        let about = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let params = json!({"name": tool, "arguments": arguments});
        for message in [
            json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}),
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
            json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}),
        ] {
            writeln!(input, "{message}").unwrap();
        }
        let lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
        let answer = lines.map(|line| serde_json::from_str::<Value>(&line).unwrap()).find(|answer| answer["id"] == 2);
        // Its end of input ends it; until here it has to be open.
        drop(input);
        server.wait().unwrap();
        let answer = answer.unwrap_or_else(|| panic!("no answer to {tool}"));
        serde_json::from_str(answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")))
            .unwrap()
    }

    pub(crate) fn publish(&self, variables: &[(&str, &str)]) -> Ran {
        self.run(&self.site(), &["publish", "--yes"], variables)
    }

    pub(crate) fn published(&self, variables: &[(&str, &str)]) -> String {
        let ran = self.publish(variables);
        assert_eq!(ran.code, Some(0), "{}", ran.text);
        ran.text
    }

    /// A publish that does not get through, and says why.
    pub(crate) fn unpublished(&self, variables: &[(&str, &str)]) -> String {
        let ran = self.publish(variables);
        assert_eq!(ran.code, Some(1), "{}", ran.text);
        ran.text
    }

    pub(crate) fn write(&self, name: &str) {
        std::fs::write(self.site().join("content").join(name), format!("---\ntitle: {name}\n---\nText.\n")).unwrap();
        // A file that was only just written is waited for.
        std::thread::sleep(Duration::from_millis(60));
    }

    /// What must hold after every publish that went through.
    pub(crate) fn check(&self, bare: &Path) {
        self.git(&["fsck", "--strict", "--no-dangling"]);
        git(bare, &["fsck", "--strict", "--no-dangling"]);
        let refs = git(bare, &["for-each-ref", "--format=%(refname)"]);
        assert_eq!(refs, "refs/heads/main", "our refs leaked");
        for name in ["main", "origin/main"] {
            assert_eq!(self.git(&["rev-parse", name]), git(bare, &["rev-parse", "main"]), "{name}");
        }
        assert_eq!(self.git(&["status", "--porcelain"]), "");
    }

    /// No file of the site or of git holds the secret.
    fn holds(&self, secret: &str) -> bool {
        walkdir::WalkDir::new(self.site()).into_iter().flatten().filter(|e| e.file_type().is_file()).any(|entry| {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
        })
    }
}

fn logins(server: &GitServer) -> usize {
    server.requests().iter().filter(|request| !request.header("authorization").is_empty()).count()
}

#[test]
fn a_site_is_published_with_a_token_and_what_others_pushed_is_merged() {
    let server = GitServer::start(only(&format!("x-access-token:{TOKEN}")));
    let place = Place::new(&server.url(""));
    let token = [("SITEWRIGHT_GIT_TOKEN", TOKEN)];
    let said = place.published(&token);
    assert!(said.contains("Pushed to main"), "{said}");
    place.check(&server.bare());
    // The token goes only where it is asked for.
    assert_eq!(server.requests()[0].header("authorization"), "");
    place.write("new.md");
    let theirs = commit_elsewhere(&server.bare(), "theirs.txt");
    place.published(&token);
    place.check(&server.bare());
    assert!(git(&server.bare(), &["log", "--format=%H", "main"]).contains(&theirs));
    assert!(git(&server.bare(), &["show", "main:content/new.md"]).contains("Text."));
    // Only what is new was sent: the starter site alone is some 100 kB.
    let fetched: Vec<usize> = server
        .requests()
        .iter()
        .filter(|r| r.target.ends_with("git-upload-pack") && r.method == "POST")
        .map(|r| r.answered)
        .collect();
    assert!(fetched.iter().all(|bytes| *bytes < 2_000) && !fetched.is_empty(), "{fetched:?}");
    assert!(!place.holds(TOKEN));
    // With nothing to do, nothing is sent.
    let pushes = server.requests().iter().filter(|r| r.is_push()).count();
    place.published(&token);
    assert_eq!(server.requests().iter().filter(|r| r.is_push()).count(), pushes);
}

#[test]
fn a_sync_takes_in_what_the_remote_has() {
    let server = GitServer::start(only("me:pass"));
    let place = Place::new(&server.url("me:pass@"));
    place.published(&[]);
    let theirs = commit_elsewhere(&server.bare(), "static/theirs.txt");
    let repository = Repository::open(&place.site(), OpenOptions::default()).unwrap();
    repository.sync(&Note::default()).unwrap();
    assert_eq!(place.git(&["rev-parse", "main"]), theirs);
    assert_eq!(std::fs::read_to_string(place.site().join("static/theirs.txt")).unwrap(), "theirs\n");
}

#[test]
fn a_token_comes_from_a_file_or_the_persons_own_helper_never_from_the_repositorys() {
    let server = GitServer::start(only(&format!("me:{TOKEN}")));
    let place = Place::new(&server.url(""));
    let marker = place.home().join("ran");
    let helper = |words: &str| format!("!f() {{ touch '{}'; {words}; }}; f", marker.display());
    let answer = format!("echo username=me; echo password={TOKEN}");
    place.git(&["config", "credential.helper", &helper(&answer)]);
    let said = place.unpublished(&[]);
    assert!(said.contains("none is set up"), "{said}");
    assert!(!marker.exists(), "the repository had a program run");
    let file = place.home().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let named = [("SITEWRIGHT_GIT_TOKEN_FILE", file.to_str().unwrap()), ("SITEWRIGHT_GIT_USER", "me")];
    place.published(&named);
    let config = place.home().join(".gitconfig");
    git(place.home(), &["config", "--file", config.to_str().unwrap(), "credential.helper", &helper(&answer)]);
    place.write("more.md");
    place.published(&[]);
    assert!(marker.exists());
    place.check(&server.bare());
}

#[test]
fn a_wrong_token_is_tried_once_and_told_to_nobody() {
    let server = GitServer::start(only("me:right"));
    let place = Place::new(&server.url(""));
    let said = place.unpublished(&[("SITEWRIGHT_GIT_TOKEN", TOKEN), ("SITEWRIGHT_LOG", "trace")]);
    assert!(said.contains("it does not accept the token of SITEWRIGHT_GIT_TOKEN"), "{said}");
    assert!(!said.contains(TOKEN) && !place.holds(TOKEN), "{said}");
    assert!((1..=2).contains(&logins(&server)), "{} tries", logins(&server));
    // The address and the token are both wrong: two tries, and no more.
    place.git(&["remote", "set-url", "origin", &server.url("me:wr0ng@")]);
    let before = logins(&server);
    let said = place.unpublished(&[("SITEWRIGHT_GIT_TOKEN", TOKEN), ("SITEWRIGHT_LOG", "trace")]);
    assert!(!said.contains("wr0ng") && !said.contains(TOKEN), "{said}");
    assert_eq!(logins(&server) - before, 2);
}

#[test]
fn a_hook_refuses_and_the_publish_resumes_later() {
    let server = GitServer::start(|_| Deed::Serve);
    let place = Place::new(&server.url(""));
    server.hook("update", &format!("#!/bin/sh\necho 'main is protected, {TOKEN}'\nexit 1\n"));
    let said = place.unpublished(&[]);
    assert!(said.contains("hook declined: main is protected") && said.contains("publish again to resume"), "{said}");
    assert_eq!(git(&server.bare(), &["for-each-ref"]), "");
    std::fs::remove_file(server.bare().join("hooks/update")).unwrap();
    place.published(&[]);
    place.check(&server.bare());
}

#[test]
fn what_a_server_echoes_holds_no_secret() {
    let server = GitServer::start(only(&format!("x-access-token:{TOKEN}")));
    let place = Place::new(&server.url(""));
    server.hook("update", &format!("#!/bin/sh\necho 'you came with {TOKEN}'\nexit 1\n"));
    let said = place.unpublished(&[("SITEWRIGHT_GIT_TOKEN", TOKEN)]);
    assert!(said.contains("you came with ***") && !said.contains(TOKEN), "{said}");
}

#[test]
fn a_silent_remote_is_given_up_and_nothing_is_lost() {
    let silent = Arc::new(AtomicUsize::new(0));
    let how = Arc::clone(&silent);
    let server = GitServer::start(move |request| match how.load(Ordering::SeqCst) {
        1 => Deed::Silent,
        2 if request.is_push() => Deed::Silent,
        _ => Deed::Serve,
    });
    let place = Place::new(&server.url(""));
    for how in [1, 2] {
        silent.store(how, Ordering::SeqCst);
        // The server waits longer than the client: that it ends at all is the client's doing.
        let said = place.unpublished(&[("SITEWRIGHT_GIT_TIMEOUT", "1")]);
        assert!(said.contains("no answer for 1 s"), "{said}");
    }
    silent.store(0, Ordering::SeqCst);
    place.published(&[]);
    place.check(&server.bare());
}

#[test]
fn a_push_that_is_cut_resumes_and_a_lost_answer_is_looked_up() {
    let pushes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pushes);
    let server = GitServer::start(move |request| {
        if !request.is_push() {
            return Deed::Serve;
        }
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => Deed::CutRequest(300),
            1 => Deed::CutAnswer(9),
            _ => Deed::Serve,
        }
    });
    let place = Place::new(&server.url(""));
    let said = place.unpublished(&[]);
    assert!(said.contains("The commit waits"), "{said}");
    assert_eq!(git(&server.bare(), &["for-each-ref"]), "");
    place.published(&[]);
    assert_eq!(pushes.load(Ordering::SeqCst), 2, "the push was repeated although it had gone through");
    place.check(&server.bare());
}

#[test]
fn a_fetch_that_is_cut_changes_nothing() {
    let cut = Arc::new(AtomicUsize::new(usize::MAX));
    let at = Arc::clone(&cut);
    let server = GitServer::start(move |request| match at.load(Ordering::SeqCst) {
        usize::MAX => Deed::Serve,
        at if request.target.contains("upload-pack") && request.method == "POST" => Deed::CutAnswer(at),
        _ => Deed::Serve,
    });
    let place = Place::new(&server.url(""));
    place.published(&[]);
    commit_elsewhere(&server.bare(), "theirs.txt");
    place.write("new.md");
    let refs = || place.git(&["for-each-ref", "refs/remotes", "refs/heads"]);
    let before = refs();
    for bytes in [0, 5, 60, 150, 300] {
        cut.store(bytes, Ordering::SeqCst);
        let said = place.unpublished(&[]);
        assert!(said.contains("Not pushed"), "{said}");
        assert_eq!(refs(), before, "cut after {bytes}");
        place.git(&["fsck", "--strict", "--no-dangling"]);
    }
    cut.store(usize::MAX, Ordering::SeqCst);
    place.published(&[]);
    place.check(&server.bare());
}

#[test]
fn a_redirect_to_elsewhere_is_named_and_nothing_is_sent_there() {
    let (elsewhere, touched) = untouched();
    let token = format!("x-access-token:{TOKEN}");
    let allowed = only(&token);
    let server = GitServer::start(move |request: &Request| match allowed(request) {
        Deed::Serve => Deed::Redirect(format!("http://{elsewhere}{}", request.target)),
        other => other,
    });
    let place = Place::new(&server.url(""));
    let said = place.unpublished(&[("SITEWRIGHT_GIT_TOKEN", TOKEN)]);
    assert!(said.contains(&format!("it is at http://{elsewhere}/site.git now")), "{said}");
    assert_eq!(*touched.lock().unwrap(), 0, "the redirect was followed");
}

#[test]
fn a_redirect_on_the_same_server_is_followed_but_not_for_ever() {
    let server = GitServer::start(|request| {
        if let Some(rest) = request.target.strip_prefix("/old.git") {
            return Deed::Redirect(format!("/site.git{rest}"));
        }
        if request.target.starts_with("/round.git") { Deed::Redirect(request.target.clone()) } else { Deed::Serve }
    });
    let place = Place::new(&server.url("").replace("site.git", "old.git"));
    place.published(&[]);
    place.check(&server.bare());
    place.git(&["remote", "set-url", "origin", &server.url("").replace("site.git", "round.git")]);
    let before = server.requests().len();
    place.write("new.md");
    place.unpublished(&[]);
    assert!(server.requests().len() - before < 6);
}

#[test]
fn https_is_spoken_with_authorities_that_are_trusted() {
    let server = GitServer::start_tls(only(&format!("x-access-token:{TOKEN}")));
    let place = Place::new(&server.url(""));
    let authority = server.authority();
    let authority = authority.to_str().unwrap();
    let token = ("SITEWRIGHT_GIT_TOKEN", TOKEN);
    let said = place.unpublished(&[token]);
    assert!(said.contains("certificate"), "{said}");
    assert!(server.requests().is_empty(), "something was said before the certificate was checked");
    let said = place.unpublished(&[token, ("SITEWRIGHT_CA_FILE", "/nowhere")]);
    assert!(said.contains("SITEWRIGHT_CA_FILE"), "{said}");
    place.published(&[token, ("SITEWRIGHT_CA_FILE", authority)]);
    place.check(&server.bare());
    place.write("new.md");
    place.published(&[token, ("SSL_CERT_FILE", authority)]);
    place.check(&server.bare());
    // The certificate is for another name.
    place.git(&["remote", "set-url", "origin", &server.url("").replace("localhost", "127.0.0.1")]);
    place.write("newer.md");
    let said = place.unpublished(&[token, ("SITEWRIGHT_CA_FILE", authority)]);
    assert!(said.contains("certificate"), "{said}");
}

#[test]
fn a_branch_that_was_deleted_or_rewritten_is_a_persons_matter() {
    let server = GitServer::start(|_| Deed::Serve);
    let place = Place::new(&server.url(""));
    place.published(&[]);
    let first = git(&server.bare(), &["rev-parse", "main"]);
    place.write("new.md");
    git(&server.bare(), &["update-ref", "-d", "refs/heads/main"]);
    let said = place.unpublished(&[]);
    assert!(said.contains("has no branch main any more"), "{said}");
    let tree = git(&server.bare(), &["rev-parse", &format!("{first}^{{tree}}")]);
    let other = git(&server.bare(), &["commit-tree", &tree, "-m", "rewritten"]);
    git(&server.bare(), &["update-ref", "refs/heads/main", &other]);
    let said = place.unpublished(&[]);
    assert!(said.contains("was rewritten"), "{said}");
    assert_eq!(git(&server.bare(), &["rev-parse", "main"]), other, "it was forced");
    assert_eq!(server.requests().iter().filter(|r| r.is_push()).count(), 1);
}

#[test]
fn a_shallow_clone_fetches_and_publishes() {
    let server = GitServer::start(|_| Deed::Serve);
    let place = Place::new(&server.url(""));
    place.published(&[]);
    for name in ["a.txt", "b.txt", "c.txt"] {
        commit_elsewhere(&server.bare(), name);
    }
    std::fs::remove_dir_all(place.site()).unwrap();
    git(place.home(), &["clone", "-q", "--depth", "1", &server.url(""), "site"]);
    place.write("new.md");
    let theirs = commit_elsewhere(&server.bare(), "d.txt");
    place.published(&[]);
    place.check(&server.bare());
    assert!(git(&server.bare(), &["log", "--format=%H", "main"]).contains(&theirs));
    assert_eq!(place.git(&["rev-parse", "--is-shallow-repository"]), "true");
}

#[test]
fn two_publishers_both_get_through_and_a_remote_that_never_rests_is_given_up() {
    let moves = Arc::new(AtomicUsize::new(0));
    let left = Arc::clone(&moves);
    let bare: Arc<std::sync::OnceLock<PathBuf>> = Arc::default();
    let there = Arc::clone(&bare);
    let server = GitServer::start(move |request| {
        let go = request.is_push() && left.load(Ordering::SeqCst) > 0;
        if go {
            let number = left.fetch_sub(1, Ordering::SeqCst);
            commit_elsewhere(there.get().unwrap(), &format!("theirs-{number}.txt"));
        }
        Deed::Serve
    });
    bare.set(server.bare()).unwrap();
    let place = Place::new(&server.url(""));
    place.published(&[]);
    moves.store(2, Ordering::SeqCst);
    place.write("new.md");
    place.published(&[]);
    place.check(&server.bare());
    for path in ["content/new.md", "theirs-1.txt", "theirs-2.txt"] {
        git(&server.bare(), &["show", &format!("main:{path}")]);
    }
    moves.store(100, Ordering::SeqCst);
    place.write("newer.md");
    let said = place.unpublished(&[]);
    assert!(said.contains("keeps moving"), "{said}");
    assert!(!git(&server.bare(), &["ls-tree", "-r", "--name-only", "main"]).contains("newer.md"));
    moves.store(0, Ordering::SeqCst);
    place.published(&[]);
    place.check(&server.bare());
}

#[test]
fn a_review_branch_is_pushed_and_updated_and_the_server_is_asked_for_a_request() {
    let server = GitServer::start(|_| Deed::Serve);
    // A request needs an owner in the address.
    let owner = server.bare().with_file_name("me");
    std::fs::create_dir(&owner).unwrap();
    std::os::unix::fs::symlink(server.bare(), owner.join("site.git")).unwrap();
    let place = Place::new(&server.url("").replace("site.git", "me/site.git"));
    let config = place.site().join("site.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    assert!(!text.contains("\npublish:"), "{text}");
    std::fs::write(&config, format!("{text}\npublish:\n  host: gitlab\n")).unwrap();
    place.published(&[]);
    let main = git(&server.bare(), &["rev-parse", "main"]);
    server.hook("pre-receive", "#!/bin/sh\necho \"$GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_0\" > asked\n");
    let asked = || std::fs::read_to_string(server.bare().join("asked")).unwrap();
    let branch = || git(&server.bare(), &["for-each-ref", "--format=%(objectname)", "refs/heads/sitewright"]);
    place.write("new.md");
    let ran = place.run(&place.site(), &["publish", "--yes", "--review"], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    let first = branch();
    assert_eq!(first.len(), 40);
    assert!(!asked().contains("merge_request"), "the server takes no options: {}", asked());
    git(&server.bare(), &["config", "receive.advertisePushOptions", "true"]);
    place.write("new.md");
    place.write("newer.md");
    let ran = place.run(&place.site(), &["publish", "--yes", "--review"], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.text);
    assert_ne!(branch(), first);
    assert_eq!(branch().len(), 40, "one branch");
    assert!(asked().contains("merge_request.create"), "{}", asked());
    assert_eq!(git(&server.bare(), &["rev-parse", "main"]), main);
    git(&server.bare(), &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn what_is_no_git_server_is_named_as_such() {
    let server = GitServer::start(|_| Deed::Serve);
    let place = Place::new(&server.url("").replace("site.git", "other.git"));
    let said = place.unpublished(&[]);
    assert!(said.contains("no repository at that address"), "{said}");
    // A file that is served as a file: the old protocol, which answers without a word of the new one.
    git(&server.bare(), &["config", "http.uploadpack", "false"]);
    place.git(&["remote", "set-url", "origin", &server.url("")]);
    let said = place.unpublished(&[]);
    assert!(said.contains("forbids this (403)"), "{said}");
}

/// What is pushed, in bytes of the pack: only objects that the remote lacks. `SITEWRIGHT_PUSH_PAGES` sets the size of the site.
#[test]
fn a_publish_of_one_page_pushes_what_it_changed_and_no_more() {
    let pages = std::env::var("SITEWRIGHT_PUSH_PAGES").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let server = GitServer::start(|_: &Request| Deed::Serve);
    let place = Place::new(&server.url(""));
    let blog = place.site().join("content/blog");
    // Words as they come, so that no compression makes them one.
    let mut word = 1_u32;
    let mut words = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("word{} ", word >> 16)
    };
    for number in 0..pages {
        let body: String = (0..300).map(|_| words()).collect();
        let page = format!("---\ntitle: Page {number}\ndate: 2026-01-01\n---\n\n{body}\n");
        std::fs::write(blog.join(format!("p{number}.md")), page).unwrap();
    }
    let pushed = |server: &GitServer| -> usize {
        let requests = server.requests();
        let push = requests.iter().rev().find(|request| request.is_push() && request.header("content-length") != "4");
        push.unwrap().header("content-length").parse().unwrap()
    };
    let objects = || git(&server.bare(), &["rev-list", "--all", "--objects"]).lines().count();
    place.published(&[]);
    let (whole, before) = (pushed(&server), objects());
    let file = blog.join("p7.md");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("title: Page 7", "title: Page seven")).unwrap();
    std::thread::sleep(Duration::from_millis(60));
    place.published(&[]);
    let (part, new) = (pushed(&server), objects() - before);
    let listed = git(&server.bare(), &["diff", "--name-only", "main~1", "main"]).lines().count();
    println!(
        "{pages} pages: first publish {whole} bytes, one page {part} bytes, {new} new objects, {listed} files differ"
    );
    // Each file that differs, its folders, and the commits of edit and publish.
    assert!(new < listed * 4 + 10, "{new} objects for {listed} files");
    assert!(part < whole / 4, "{part} bytes of {whole}");
    place.check(&server.bare());
}

#[test]
fn an_asset_comes_over_https_from_a_host_whose_certificate_is_trusted() {
    let server = GitServer::start_tls(|request| match request.target.as_str() {
        "/a.txt" => Deed::Text("Hello.\n"),
        "/down" => Deed::Redirect("http://localhost/a.txt".into()),
        _ => Deed::Silent,
    });
    let home = server.url("").trim_end_matches("/site.git").to_owned();
    let port = home.rsplit(':').next().unwrap().to_owned();
    let place = Place::new(&server.url(""));
    let config = std::fs::read_to_string(place.site().join("site.yaml")).unwrap();
    std::fs::write(place.site().join("site.yaml"), format!("{config}fetch: {{allow: ['localhost:{port}']}}\n"))
        .unwrap();
    let fetch = |path: &str, variables: &[(&str, &str)]| {
        let uploads = json!({"uploads": [{"path": "static/a.txt", "url": format!("{home}{path}"), "if_match": "*"}]});
        place.call("asset_write", &uploads, variables)
    };
    let authority = server.authority();
    let trusted = [("SSL_CERT_FILE", authority.to_str().unwrap())];
    let stored = fetch("/a.txt", &trusted);
    assert_eq!(stored["uploads"][0]["url"], "/a.txt", "{stored}");
    assert_eq!(std::fs::read_to_string(place.site().join("static/a.txt")).unwrap(), "Hello.\n");
    let down = fetch("/down", &trusted);
    assert!(down["code"] == "fetch_refused" && down.to_string().contains("from https to http"), "{down}");
    let strange = fetch("/a.txt", &[]);
    assert_eq!(strange["code"], "fetch_failed", "{strange}");
    assert!(strange["message"].as_str().unwrap().contains("certificate is not trusted"), "{strange}");
    let seen = server.requests().iter().filter(|request| request.target == "/a.txt").count();
    assert_eq!(seen, 1, "nothing is asked of a host that is not trusted");
}
