//! Builds in one process after another: what stands is not made again, and nothing wrong is ever taken for it.

#![allow(clippy::unwrap_used, reason = "a broken expectation is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sitewright::build::{Cache, Company, Scope, build_with};
use sitewright::model::{ContentPath, Data, Digest, File, Later, Progress, Snapshot};
use sitewright::site::output::{self, Placed};
use sitewright::site::{Settings, Site};
use sitewright::store::Clock;

use crate::build::{file, files_below, options, snapshot};
use crate::harness::TestSite;

const PAGES: &str = "\
-- content/_index.md --
---
title: Home
---
Welcome.
-- content/a.md --
---
title: A
date: 2026-01-01
---
[b](b.md)
```rust
fn main() {}
```
-- content/b.md --
---
title: B
date: 2026-01-02
---
Text of b.
";

/// A build by a process that knows nothing but what is on disk.
fn build(site: &Site, folder: &Path) -> Placed {
    let snapshot = site.repository().working().unwrap();
    let options = site.build_options(Scope::Everything, false);
    output::write(site, &snapshot, &options, Some(folder), &Progress::default(), None).unwrap()
}

struct Place {
    site: TestSite,
    out: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        Self { site: TestSite::new(PAGES).await, out: tempfile::tempdir().unwrap() }
    }

    fn folder(&self) -> PathBuf {
        self.out.path().join("site")
    }

    /// A site that remembers nothing.
    fn process(&self) -> Site {
        let clock: Clock = Arc::new(|| "2026-11-23T12:00:00Z".parse().unwrap());
        Site::open(&self.site.path(), Settings { clock, author: None }).unwrap()
    }

    /// Another process, and one that finds no cache.
    fn build(&self) -> Placed {
        let placed = build(&self.process(), &self.folder());
        let cold = self.out.path().join("cold");
        let _ = std::fs::remove_dir_all(&cold);
        let cache = self.cache();
        let kept: BTreeMap<String, Vec<u8>> = files_below(&cache);
        std::fs::remove_dir_all(&cache).unwrap();
        let fresh = build(&self.process(), &cold);
        std::fs::remove_dir_all(&cache).unwrap();
        std::fs::create_dir(&cache).unwrap();
        for (name, bytes) in kept {
            std::fs::write(cache.join(name), bytes).unwrap();
        }
        assert_eq!(files_below(&self.folder()), files_below(&cold), "the folder is as from nothing");
        assert_eq!(placed.built.diagnostics, fresh.built.diagnostics);
        assert_eq!(placed.files, fresh.files);
        placed
    }

    fn cache(&self) -> PathBuf {
        self.site.path().join(".sitewright/var/cache")
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.site.path().join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(path, text.replace(from, to)).unwrap();
    }
}

fn rendered(placed: &Placed) -> Vec<&str> {
    placed.built.rendered.keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_process_makes_what_changed() {
    let place = Place::new().await;
    let first = place.build();
    assert!(rendered(&first).len() >= 4, "{:?}", first.built.rendered);
    let again = place.build();
    assert_eq!(again.built.rendered, BTreeMap::new());
    assert!(again.written.is_empty(), "{:?}", again.written);
    place.edit("content/b.md", "Text of b.", "*Text* of b.");
    let edited = place.build();
    assert_eq!(rendered(&edited), ["b/index.html"]);
    assert_eq!(edited.written.changed, ["b/index.html", "b/index.md"]);
    place.edit("content/b.md", "title: B", "title: Bee");
    let titled = place.build();
    assert!(rendered(&titled).contains(&"index.html"), "{:?}", titled.built.rendered);
    std::fs::remove_file(place.site.path().join("content/b.md")).unwrap();
    let removed = place.build();
    assert_eq!(removed.written.removed, ["b/index.html", "b/index.md"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_not_whole_is_as_good_as_none() {
    let place = Place::new().await;
    place.build();
    let whole = files_below(&place.cache());
    assert_eq!(whole.len(), 3, "{:?}", whole.keys());
    for (name, bytes) in &whole {
        let at = place.cache().join(name);
        let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let mut spoilt: Vec<Vec<u8>> = [0, line / 2, line + 1, bytes.len() / 2, bytes.len() - 1]
            .into_iter()
            .map(|at| {
                let mut bytes = bytes.clone();
                bytes[at] ^= 0x20;
                bytes
            })
            .collect();
        spoilt.extend([
            Vec::new(),
            bytes[..bytes.len() / 2].to_vec(),
            bytes[..=line].to_vec(),
            b"\n".to_vec(),
            b"{}".to_vec(),
        ]);
        let text = String::from_utf8_lossy(bytes).into_owned();
        spoilt.push(text.replacen("sitewright ", "sitewright 9.9.9 ", 1).into_bytes());
        for bad in spoilt {
            std::fs::write(&at, bad).unwrap();
            let built = place.build();
            // Without the site as it was read, it is read again: what was made from it stands.
            let least = if name.starts_with("site-") { 0 } else { 4 };
            assert!(built.built.rendered.len() >= least, "{name}: {:?}", built.built.rendered);
            assert!(built.written.is_empty());
        }
    }
    std::fs::remove_dir_all(place.site.path().join(".sitewright/var")).unwrap();
    assert!(place.build().built.rendered.len() >= 4);
    assert_eq!(place.build().built.rendered, BTreeMap::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_touched_is_made_again() {
    let place = Place::new().await;
    place.build();
    let page = place.folder().join("a/index.html");
    let bytes = std::fs::read(&page).unwrap();
    let mut other = bytes.clone();
    other[20] ^= 1;
    // Same size, and at once: the clock of the file system may not have gone on.
    std::fs::write(&page, &other).unwrap();
    assert_eq!(rendered(&place.build()), ["a/index.html"]);
    assert_eq!(std::fs::read(&page).unwrap(), bytes);
    std::fs::remove_file(place.folder().join("b/index.md")).unwrap();
    std::fs::write(place.folder().join("stranger.html"), "x").unwrap();
    assert_eq!(rendered(&place.build()), ["b/index.html"]);
    // A folder that became a link to a copy of itself is no folder of ours.
    let away = place.out.path().join("away");
    std::fs::rename(place.folder().join("a"), &away).unwrap();
    std::os::unix::fs::symlink(&away, place.folder().join("a")).unwrap();
    assert_eq!(rendered(&place.build()), ["a/index.html"]);
    assert!(std::fs::symlink_metadata(place.folder().join("a")).unwrap().is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_share_it_while_it_is_deleted() {
    let place = Place::new().await;
    let cold = place.out.path().join("cold");
    build(&place.process(), &cold);
    let expected = files_below(&cold);
    std::thread::scope(|scope| {
        for n in 0..3 {
            let (place, expected) = (&place, &expected);
            scope.spawn(move || {
                let folder = place.out.path().join(format!("out{n}"));
                for _ in 0..4 {
                    build(&place.process(), &folder);
                    assert_eq!(&files_below(&folder), expected);
                }
            });
        }
        let cache = place.cache();
        for _ in 0..20 {
            let _ = std::fs::remove_dir_all(&cache);
            std::thread::yield_now();
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_grow() {
    let place = Place::new().await;
    for n in 0..20 {
        build(&place.process(), &place.out.path().join(format!("out{n}")));
    }
    assert!(files_below(&place.cache()).len() <= 12);
}

/// A site of many pages whose texts count who reads them.
fn counted(pages: usize, edited: &[usize]) -> (Snapshot, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let mut files = snapshot(
        "-- site.yaml --\ntitle: T\ntheme: t\n-- themes/t/layouts/page.hbs --\n{{{content}}} {{page.next.title}}\n-- themes/t/layouts/list.hbs --\n{{#each pages}}{{title}}{{/each}}\n",
    );
    for number in 0..pages {
        let more = if edited.contains(&number) { "\nEdited.\n" } else { "" };
        let (section, next) = (number % 20, (number + 1) % pages);
        let text = format!(
            "---\ntitle: Page {number}\ndate: 2026-01-01\ntags: [t{section}]\n---\n[next](/s{}/p{next}/){more}\n",
            next % 20
        );
        let whole = file(text.into_bytes());
        let (bytes, reads) = (whole.bytes().cloned(), Arc::clone(&reads));
        let read = move || {
            reads.fetch_add(1, Ordering::Relaxed);
            bytes.clone()
        };
        let path = ContentPath::from_disk(&format!("content/s{section}/p{number}.md")).unwrap();
        files.set(path, Some(File { data: Data::Later(Later::new(read)), ..whole }));
    }
    (files, reads)
}

#[test]
fn the_next_process_reads_the_texts_that_changed() {
    const PAGES: usize = 400;
    let options = options();
    let (before, reads) = counted(PAGES, &[]);
    let first = Cache::default();
    assert_eq!(first.saved(&options), None, "nothing takes the place of what an earlier process remembers");
    let made = sitewright::build::build(&before, &options, &first).unwrap();
    assert_eq!(reads.load(Ordering::Relaxed), PAGES);
    let next = |edited: &[usize]| {
        let cache = Cache::default();
        cache.recall_site(&options, &first.saved_site(&options).unwrap().concat());
        cache.recall(&options, &first.saved(&options).unwrap());
        let (snapshot, reads) = counted(PAGES, edited);
        let have = |path: &str, digest: Digest| made.digests.get(path) == Some(&digest);
        let company = Company { have: Some(&have), ..Company::default() };
        let built = build_with(&snapshot, &options, &cache, company).unwrap();
        (built, reads.load(Ordering::Relaxed))
    };
    let (built, read) = next(&[]);
    assert_eq!((built.rendered.len(), read), (0, 0));
    let (built, read) = next(&[7, 210]);
    assert_eq!(read, 2);
    let rendered: Vec<&str> = built.rendered.keys().map(String::as_str).collect();
    let (first_page, second) = ("s10/p210/index.html", "s7/p7/index.html");
    let lists = ["s10/index.html", "s7/index.html", "tags/t10/index.html", "tags/t7/index.html"];
    assert_eq!(rendered, [lists[0], first_page, lists[1], second, lists[2], lists[3]]);
    // One that is new changes more than texts: everything is read, as from nothing.
    let (_, read) = {
        let (mut snapshot, reads) = counted(PAGES, &[]);
        snapshot.set(ContentPath::from_disk("content/s1/new.md").unwrap(), Some(file(b"new".to_vec())));
        let cache = Cache::default();
        cache.recall_site(&options, &first.saved_site(&options).unwrap().concat());
        (sitewright::build::build(&snapshot, &options, &cache).unwrap(), reads.load(Ordering::Relaxed))
    };
    assert_eq!(read, PAGES);
}
