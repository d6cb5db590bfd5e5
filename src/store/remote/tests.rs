use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use super::*;

struct Pair {
    dir: tempfile::TempDir,
    git: git2::Repository,
    bare: git2::Repository,
}

impl Pair {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bare = git2::Repository::init_bare(dir.path().join("bare.git")).unwrap();
        let git = git2::Repository::init(dir.path().join("local")).unwrap();
        git.remote("origin", dir.path().join("bare.git").to_str().unwrap()).unwrap();
        Self { dir, git, bare }
    }

    fn remote(&self) -> Remote {
        let mut remote = Remote::open(&self.git, "origin", "main").unwrap();
        remote.settings = Settings { helpers: false, ..Settings::default() };
        remote
    }

    fn tip(&self) -> Option<Oid> {
        self.bare.refname_to_id("refs/heads/main").ok()
    }
}

fn commit(git: &git2::Repository, text: &str, parents: &[Oid]) -> Oid {
    let blob = git.blob(text.as_bytes()).unwrap();
    let mut builder = git.treebuilder(None).unwrap();
    builder.insert("a.md", blob, 0o100_644).unwrap();
    let tree = git.find_tree(builder.write().unwrap()).unwrap();
    let who = git2::Signature::new("a", "a@b", &git2::Time::new(1, 0)).unwrap();
    let parents: Vec<_> = parents.iter().map(|id| git.find_commit(*id).unwrap()).collect();
    git.commit(None, &who, &who, text, &tree, &parents.iter().collect::<Vec<_>>()).unwrap()
}

#[test]
fn what_is_pushed_is_fetched() {
    let pair = Pair::new();
    assert_eq!(pair.remote().fetch().unwrap(), None);
    let one = commit(&pair.git, "1", &[]);
    assert_eq!(pair.remote().push(&Push::forward(one, None)).unwrap(), Pushed::Done);
    assert_eq!(pair.tip(), Some(one));
    assert_eq!(pair.remote().push(&Push::forward(one, None)).unwrap(), Pushed::Done);
    let two = commit(&pair.bare, "2", &[one]);
    pair.bare.reference("refs/heads/main", two, true, "").unwrap();
    assert!(pair.git.find_commit(two).is_err());
    assert_eq!(pair.remote().fetch().unwrap(), Some(two));
    assert!(pair.git.find_commit(two).is_ok());
    assert_eq!(pair.bare.references_glob("refs/sitewright/*").unwrap().count(), 0);
}

#[test]
fn a_branch_that_moved_is_never_overwritten() {
    let pair = Pair::new();
    let one = commit(&pair.git, "1", &[]);
    pair.remote().push(&Push::forward(one, None)).unwrap();
    let theirs = commit(&pair.bare, "2", &[one]);
    pair.bare.reference("refs/heads/main", theirs, true, "").unwrap();
    let ours = commit(&pair.git, "3", &[one]);
    assert_eq!(pair.remote().push(&Push::forward(ours, Some(one))).unwrap(), Pushed::Moved);
    assert_eq!(pair.remote().push(&Push::forward(ours, None)).unwrap(), Pushed::Moved);
    assert_eq!(pair.tip(), Some(theirs));
}

#[test]
fn a_refusal_is_not_taken_for_success() {
    let pair = Pair::new();
    let one = commit(&pair.git, "1", &[]);
    std::fs::write(pair.dir.path().join("bare.git/refs/heads/main.lock"), "").unwrap();
    assert!(matches!(pair.remote().push(&Push::forward(one, None)).unwrap(), Pushed::Refused(_)));
    assert_eq!(pair.tip(), None);
}

#[test]
fn a_remote_that_cannot_be_reached_is_named_without_credentials() {
    let pair = Pair::new();
    pair.git.remote_set_url("origin", "http://bob:s3cret@127.0.0.1:1/x.git").unwrap();
    let error = pair.remote().fetch().unwrap_err();
    assert_eq!(error.code(), "remote_unavailable");
    assert!(!error.to_string().contains("s3cret"), "{error}");
    assert_eq!(pair.remote().address(), "http://127.0.0.1:1/x.git");
    pair.git.remote_set_url("origin", "/nowhere/x.git").unwrap();
    assert_eq!(pair.remote().fetch().unwrap_err().code(), "remote_unavailable");
}

#[test]
fn an_address_that_cannot_be_used_is_refused_before_anything_runs() {
    let pair = Pair::new();
    for url in ["ftp://example.org/x", "ext::sh -c touch:x", "ssh://-oProxyCommand=touch%20x/a.git", "-oX:a.git"] {
        pair.git.remote_set_url("origin", url).unwrap();
        let error = pair.remote().fetch().unwrap_err();
        assert_eq!(error.code(), "remote_unavailable", "{url}");
        // Whatever is tried first would be given up with these words.
        assert!(!error.to_string().contains("no answer"), "{url}: {error}");
    }
}

#[test]
fn a_remote_that_never_answers_is_given_up() {
    let pair = Pair::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/x.git", server.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        // Held for as long as the test's process lives: only the client can end it.
        for stream in server.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            held.push(stream);
        }
    });
    pair.git.remote_set_url("origin", &address).unwrap();
    let mut remote = pair.remote();
    remote.settings.silence = Duration::from_millis(300);
    let error = remote.fetch().unwrap_err();
    assert!(error.to_string().contains("no answer"), "{error}");
}
