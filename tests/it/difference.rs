//! A publish that writes what differs makes exactly what one that knows nothing would: over random edits, with other people on the remote
//! and in the output, several layouts, and processes that end.
//!
//! `SITEWRIGHT_SEEDS=50 cargo test --test it difference` plays more sequences than the suite does.

#![allow(clippy::unwrap_used, reason = "a broken expectation is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{ObjectType, Oid};
use sitewright::build::Scope;
use sitewright::error::Error;
use sitewright::model::OutputData;
use sitewright::site::publish::{PublishQuery, PublishReply, publish, sync};
use sitewright::site::{Call, Settings, Site, change};
use sitewright::store::{Clock, Identity};

use crate::incremental::{CURIOUS, Dice, Files, edit};
use crate::publish::{git, name_person, put};

/// Sequences that are played.
const SEEDS: u64 = 3;
/// Publishes of one sequence.
const TURNS: usize = 12;

struct Place {
    dir: tempfile::TempDir,
    site: Site,
    /// The sources as they are on disk.
    files: Files,
    clones: usize,
}

fn open(folder: &Path) -> Site {
    let clock: Clock = Arc::new(|| "2026-11-23T12:00:00Z".parse().unwrap());
    let author = Some(Identity { name: "Agent".into(), email: "agent@example.org".into() });
    Site::open(folder, Settings { clock, author }).unwrap()
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("site");
        fs::create_dir(&root).unwrap();
        git(dir.path(), &["init", "-q", "--bare", "-b", "main", "bare.git"]);
        git(&root, &["init", "-q", "-b", "main"]);
        name_person(&root, "Person");
        git(&root, &["remote", "add", "origin", dir.path().join("bare.git").to_str().unwrap()]);
        let all = crate::build::snapshot(CURIOUS);
        let mut files: Files =
            all.iter().map(|(path, file)| (path.to_string(), file.bytes().unwrap().to_vec())).collect();
        // Without it the first publish would be refused.
        files.insert("static/img1.png".into(), b"png".to_vec());
        for (path, bytes) in &files {
            put(&root, path, std::str::from_utf8(bytes).unwrap());
        }
        git(&root, &["add", "-A"]);
        git(&root, &["commit", "-qm", "start"]);
        let site = open(&root);
        Self { dir, site, files, clones: 0 }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("site")
    }

    /// Makes the sources on disk these.
    fn write(&mut self, files: Files) {
        for path in self.files.keys().filter(|path| !files.contains_key(*path)) {
            let _ = fs::remove_file(self.root().join(path));
        }
        for (path, bytes) in files.iter().filter(|(path, bytes)| self.files.get(*path) != Some(bytes)) {
            let path = self.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        self.files = files;
    }

    /// What the sources on disk are after somebody else changed them.
    fn read(&mut self) {
        let snapshot = self.site.repository().working().unwrap();
        let bytes = |(path, file)| (format!("{path}"), self.site.repository().bytes(path, file).unwrap().to_vec());
        self.files = snapshot.iter().map(bytes).collect();
    }

    fn clone(&mut self) -> PathBuf {
        self.clones += 1;
        let name = format!("clone-{}", self.clones);
        git(self.dir.path(), &["clone", "-q", "bare.git", &name]);
        let clone = self.dir.path().join(name);
        name_person(&clone, "Bob");
        clone
    }

    /// Somebody else pushes something.
    fn elsewhere(&mut self, dice: &mut Dice) -> String {
        let clone = self.clone();
        if !git(&clone, &["branch", "-r", "--list", "origin/gh-pages"]).is_empty() && dice.roll(2) == 0 {
            git(&clone, &["checkout", "-q", "gh-pages"]);
        }
        let output = if clone.join("public").is_dir() { clone.join("public") } else { clone.clone() };
        let page = output.join("b/index.html");
        let what = dice.roll(7);
        match what {
            0 => drop(fs::write(&page, "by hand")),
            1 => drop(fs::remove_file(&page)),
            2 => put(&output, "stray/deep/file.html", "stray"),
            3 => drop(fs::set_permissions(&page, std::os::unix::fs::PermissionsExt::from_mode(0o755))),
            4 => {
                let _ = fs::remove_file(&page);
                let _ = std::os::unix::fs::symlink("elsewhere", &page);
            }
            5 => put(&clone, "content/other.md", &format!("---\ntitle: Other\n---\n{}\n", dice.roll(100))),
            _ => {
                use std::os::unix::ffi::OsStrExt as _;
                let name = std::ffi::OsStr::from_bytes(b"no-text-\xff");
                drop(fs::write(output.join(name), "x"));
            }
        }
        git(&clone, &["add", "-A"]);
        git(&clone, &["commit", "-q", "--allow-empty", "-m", "From elsewhere"]);
        git(&clone, &["push", "-q", "origin", "HEAD"]);
        format!("elsewhere {what} in {}", git(&clone, &["log", "-1", "--format=%D"]))
    }

    /// Somebody touches the output that is here.
    fn touch(&self, dice: &mut Dice) {
        let output = self.root().join("public");
        if !output.is_dir() {
            return;
        }
        match dice.roll(4) {
            0 => put(&output, "stray.html", "stray"),
            1 => put(&output, "b/index.html", "by hand"),
            2 => drop(fs::remove_file(output.join("index.html"))),
            _ => drop(fs::remove_dir_all(output.join("notes"))),
        }
    }

    fn publish(&mut self, paths: Vec<String>) -> Result<PublishReply, Error> {
        let query = PublishQuery { paths, hand_edits: true, local_commits: true, ..PublishQuery::default() };
        publish(&self.site, &Call { tool: "publish".into(), ..Call::default() }, &query)
    }

    /// What is live is what somebody who knows nothing makes of the same sources, and says of them.
    fn check(&mut self, reply: &PublishReply, layout: &str, history: &[String]) {
        let clone = self.clone();
        let fresh = open(&clone);
        let sources = fresh.live().unwrap();
        let built = fresh.build(&sources, Scope::Everything, false, None).unwrap();
        let id = |data: &OutputData| match data {
            OutputData::Bytes(bytes) => Oid::hash_object(ObjectType::Blob, bytes).unwrap(),
            OutputData::Copy(_, id) => Oid::from_bytes(&id.0).unwrap(),
        };
        let expected: BTreeMap<String, String> = built
            .outputs
            .iter()
            .map(|(path, output)| (path.clone(), format!("100644 blob {}", id(&output.data))))
            .collect();
        let trees: &[&str] = match layout {
            "folder" => &["origin/main:public"],
            "branch" => &["origin/gh-pages"],
            _ => &["origin/main:public", "origin/gh-pages"],
        };
        for tree in trees {
            let listed = git(&clone, &["ls-tree", "-r", "-z", tree]);
            let found: BTreeMap<String, String> = listed
                .split_terminator('\0')
                .map(|line| line.split_once('\t').map(|(what, path)| (path.to_owned(), what.to_owned())).unwrap())
                .collect();
            let differing: Vec<_> =
                found.keys().chain(expected.keys()).filter(|path| found.get(*path) != expected.get(*path)).collect();
            assert!(differing.is_empty(), "{tree} after {history:#?}: {differing:?}");
        }
        let mut findings = built.diagnostics;
        findings.sort_by(|a, b| (a.severity, &a.path, a.line).cmp(&(b.severity, &b.path, b.line)));
        findings.truncate(20);
        assert_eq!(reply.diagnostics, findings, "after {history:#?}");
        if layout != "branch" {
            assert_eq!(git(&self.root(), &["status", "--porcelain", "--", "public"]), "", "after {history:#?}");
        }
        fs::remove_dir_all(clone).unwrap();
    }
}

fn set_layout(files: &mut Files, layout: &str) {
    let text = String::from_utf8(files["site.yaml"].clone()).unwrap();
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("publish:")).collect();
    let line = format!("publish: {{layout: {layout}}}");
    lines.push(&line);
    files.insert("site.yaml".into(), (lines.join("\n") + "\n").into_bytes());
}

fn play(seed: u64) -> usize {
    let mut dice = Dice::new(seed);
    let (mut place, mut history, mut published) = (Place::new(), Vec::new(), 0);
    let mut layout = "folder";
    let first = place.publish(Vec::new()).unwrap();
    place.check(&first, layout, &history);
    for _ in 0..TURNS {
        let before = (place.files.clone(), layout);
        let mut files = place.files.clone();
        for _ in 0..=dice.roll(3) {
            history.push(edit(&mut dice, &mut files));
        }
        if dice.roll(6) == 0 {
            layout = ["folder", "branch", "both"][dice.roll(3)];
            history.push(format!("layout {layout}"));
        }
        // A table that a random edit wrote has a line of its own.
        set_layout(&mut files, layout);
        place.write(files);
        match dice.roll(10) {
            0..=2 => {
                history.push(place.elsewhere(&mut dice));
                if dice.roll(2) == 0 {
                    let _ = sync(&place.site, &Call::default());
                }
            }
            3 | 4 => {
                history.push("touched".into());
                place.touch(&mut dice);
            }
            5 => {
                history.push("another process".into());
                place.site = open(&place.root());
            }
            6 => {
                history.push("another process without a cache".into());
                let _ = fs::remove_dir_all(place.root().join(".sitewright/var/cache"));
                place.site = open(&place.root());
            }
            7 => {
                history.push("discard".into());
                if change::discard(&place.site, &Call::default(), None).is_ok() {
                    place.read();
                    layout = before.1;
                }
            }
            _ => {}
        }
        let only = if dice.roll(4) == 0 { vec!["notes/".to_owned()] } else { Vec::new() };
        let whole = only.is_empty();
        let reply = place.publish(only).or_else(|error| {
            // Without the last edits, but with what others did.
            history.push(format!("refused: {error}"));
            layout = before.1;
            place.write(before.0);
            place.publish(Vec::new())
        });
        let Ok(reply) = reply else { continue };
        history.push(format!("published {} of {whole}", reply.published.outputs.len()));
        place.read();
        // A layout that stayed behind counts where the settings are: in the working tree.
        if reply.published.revision.is_some() {
            published += 1;
            place.check(&reply, layout, &history);
        }
    }
    published
}

#[test]
fn it_makes_what_one_that_knows_nothing_makes() {
    let seeds = std::env::var("SITEWRIGHT_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    let published: usize = (1..=seeds).map(play).sum();
    assert!(published as u64 > seeds * TURNS as u64 / 3, "{published} publishes went out");
}

#[test]
fn the_next_process_makes_and_writes_what_changed_and_puts_right_what_was_touched() {
    let mut place = Place::new();
    let first = place.publish(Vec::new()).unwrap();
    let all = first.published.outputs.len() as u64;
    assert!(place.site.repository().work().outputs_made() > all / 2);
    for turn in 0..3 {
        place.site = open(&place.root());
        let mut files = place.files.clone();
        files.get_mut("content/b.md").unwrap().extend(format!("\nMore {turn}.\n").bytes());
        place.write(files);
        put(&place.root(), "public/notes/one/index.html", "by hand");
        put(&place.root(), "public/notes/stray.html", "stray");
        let reply = place.publish(Vec::new()).unwrap();
        let changed = reply.published.outputs.len() as u64;
        assert!(changed < all / 3, "{changed} of {all}");
        let work = place.site.repository().work();
        let (made, looked) = (work.outputs_made(), work.outputs_looked_at());
        // Some files are made each time, and copies are told by their bytes.
        assert!(made < all / 2 && looked < all / 2, "{made} made and {looked} read of {all}");
        place.check(&reply, "folder", &[]);
        assert!(!place.root().join("public/notes/stray.html").exists());
    }
}
