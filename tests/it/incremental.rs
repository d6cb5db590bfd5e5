//! Builds after edits are those from nothing: byte for byte, with every finding, over random sequences of edits.
//!
//! `SITEWRIGHT_SEEDS=200 cargo test --test it incremental` plays more sequences than the suite does.

#![allow(clippy::unwrap_used, reason = "a broken expectation is a failed test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use sitewright::build::{Built, Cache, Company, Options, Scope, build, build_with};
use sitewright::error::Error;
use sitewright::model::{ContentPath, Digest, Outputs, Snapshot, front_matter};

use crate::build::{file, files_below, options, snapshot};

/// Sequences of edits played on each site.
const SEEDS: u64 = 4;
/// Edits of one sequence.
const EDITS: usize = 14;

/// A site whose theme looks everything up that there is to look up.
pub(super) const CURIOUS: &str = include_str!("incremental/curious.txt");

/// The same numbers for the same seed, everywhere.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }

    pub(super) fn pick<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        let at = self.roll(all.len());
        &all[at]
    }
}

pub(super) type Files = BTreeMap<String, Vec<u8>>;

fn paths(files: &Files, like: impl Fn(&str) -> bool) -> Vec<String> {
    files.keys().filter(|path| like(path)).cloned().collect()
}

fn is_page(path: &str) -> bool {
    path.starts_with("content/") && path.ends_with(".md")
}

fn text_of(files: &Files, path: &str) -> String {
    String::from_utf8_lossy(&files[path]).into_owned()
}

/// One random edit; what it was.
pub(super) fn edit(dice: &mut Dice, files: &mut Files) -> String {
    let pages = paths(files, is_page);
    let page = dice.pick(&pages).clone();
    match dice.roll(20) {
        0..=5 => body(dice, files, &page, &pages),
        6..=10 => head(dice, files, &page),
        11 => create(dice, files, &page),
        12 if pages.len() > 3 => {
            files.remove(&page);
            format!("delete {page}")
        }
        13 => relocate(dice, files, &page),
        14 | 15 => theme(dice, files),
        16 | 17 => config(dice, files),
        18 => data(dice, files),
        _ => asset(dice, files),
    }
}

fn body(dice: &mut Dice, files: &mut Files, page: &str, pages: &[String]) -> String {
    let mut text = text_of(files, page);
    let other = dice.pick(pages).clone();
    let name = other.trim_start_matches("content/").to_owned();
    let stem = name.rsplit('/').next().unwrap_or(&name).trim_end_matches(".md").to_owned();
    let number = dice.roll(4);
    let more = match dice.roll(11) {
        0 => format!("\nWords {number}.\n"),
        1 => format!("\n## Heading {number}\n\nmore\n"),
        2 => format!("\n[to](/{name}#heading-{number})\n"),
        3 => format!("\n[to](/{name})\n"),
        4 => format!("\n[[{stem}]] and [[{stem}#Heading {number}]]\n"),
        5 => format!("\n![image](/img{number}.png) ![there](https://host{number}.example/a.png)\n"),
        6 => "\n{{< look path=\"/a/\" >}}\n".to_owned(),
        7 => "\n```rust\nfn main() {}\n```\n".to_owned(),
        8 => format!("\n{{{{< ref \"{name}\" >}}}} [broken](/nowhere/{number}/)\n"),
        9 => {
            // All headings go: whoever links to one finds nothing.
            text =
                text.lines().filter(|line| !line.starts_with("## ")).fold(String::new(), |all, line| all + line + "\n");
            String::new()
        }
        _ => format!("\nSummary first {number}<!--more--> and the rest\n"),
    };
    text.push_str(&more);
    files.insert(page.to_owned(), text.into_bytes());
    format!("body of {page}: {}", more.trim())
}

fn head(dice: &mut Dice, files: &mut Files, page: &str) -> String {
    let number = dice.roll(4);
    let even = number.is_multiple_of(2);
    let patch = match dice.roll(26) {
        0 | 1 => json!({"title": format!("Title {number}")}),
        2 => json!({"date": format!("2026-0{}-11", number + 1)}),
        3 => json!({"date": "2030-01-01"}),
        4 => json!({"draft": even}),
        5 => json!({"weight": number}),
        6 | 7 => json!({"tags": [format!("t{number}"), "Common"]}),
        8 => json!({"aliases": [format!("/old/{number}/")]}),
        9 => json!({"menus": {"main": {"weight": number, "name": format!("M{number}")}}}),
        10 | 11 => json!({"description": format!("About {number}")}),
        12 => json!({"noindex": even}),
        13 => json!({"layout": if even { "wide" } else { "missing" }}),
        14 => json!({"slug": format!("slug-{number}")}),
        15 => json!({"expires": if number == 0 { "2026-01-01" } else { "2031-01-01" }}),
        16 => json!({"rating": number}),
        17 => json!({"lang": if even { "de" } else { "fr" }}),
        18 => json!({"translation_key": "shared"}),
        19 => json!({"cascade": {"mood": format!("m{number}")}}),
        20 => json!({"image": format!("/img{number}.png")}),
        21 => json!({"updated": format!("2026-10-0{}", number + 1)}),
        22 => json!({"tags": null}),
        23 => json!({"publishDate": "2029-01-01"}),
        24 => json!({"weight": "heavy"}),
        _ => json!({"image": format!("/a/#heading-{number}")}),
    };
    let Value::Object(map) = &patch else { unreachable!() };
    if let Ok(text) = front_matter::patch(page, &text_of(files, page), map) {
        files.insert(page.to_owned(), text.into_bytes());
    }
    format!("front matter of {page}: {patch}")
}

fn create(dice: &mut Dice, files: &mut Files, page: &str) -> String {
    let folder = page.rsplit_once('/').unwrap().0;
    let path = match dice.roll(8) {
        0 => format!("{folder}/new/deep{}.md", dice.roll(3)),
        1 => format!("{folder}/_index.md"),
        2 => format!("{folder}/pack{}/index.md", dice.roll(2)),
        3 => format!("{folder}/a.de.md"),
        4 => format!("{folder}/_index.de.md"),
        5 => format!("{folder}/pack{}/index.fr.md", dice.roll(2)),
        6 => format!("{}.de.md", page.trim_end_matches(".md")),
        _ => format!("{folder}/new{}.md", dice.roll(3)),
    };
    files.insert(
        path.clone(),
        b"---\ntitle: New\ndate: 2026-04-04\ntags: [t1]\n---\n## Heading 1\n\n[a](/a/)\n".to_vec(),
    );
    format!("create {path}")
}

fn relocate(dice: &mut Dice, files: &mut Files, page: &str) -> String {
    let bytes = files.remove(page).unwrap();
    let name = page.rsplit('/').next().unwrap();
    let to = format!("content/moved{}/{name}", dice.roll(2));
    files.insert(to.clone(), bytes);
    format!("move {page} to {to}")
}

fn theme(dice: &mut Dice, files: &mut Files) -> String {
    let all = paths(files, |path| path.starts_with("themes/"));
    let path = dice.pick(&all).clone();
    let number = dice.roll(9);
    match (number, path.rsplit('.').next()) {
        (8, _) if all.len() > 4 && !path.contains("/layouts/") => {
            files.remove(&path);
            return format!("delete {path}");
        }
        (7, Some("hbs")) => files.get_mut(&path).unwrap().extend(b"{{page.nothing}}{{> absent}}"),
        (_, Some("hbs")) => files.get_mut(&path).unwrap().extend(format!("<!-- {number} -->").bytes()),
        (_, Some("yaml")) => {
            let text = text_of(files, &path).replace("default: Hi", &format!("default: Hi {number}"));
            files.insert(path.clone(), text.into_bytes());
        }
        _ => files.get_mut(&path).unwrap().extend(format!("/* {number} */").bytes()),
    }
    format!("theme {path} {number}")
}

fn config(dice: &mut Dice, files: &mut Files) -> String {
    let number = dice.roll(4);
    let even = number.is_multiple_of(2);
    let patch = match dice.roll(15) {
        0 => json!({"title": format!("Site {number}")}),
        1 => {
            json!({"languages": if even { json!({"de": {"title": format!("Seite {number}"), "name": "Deutsch"}, "fr": {}}) } else { Value::Null }})
        }
        2 => {
            json!({"languages": {"de": {"params": {"motto": format!("d{number}")}, "menus": {"main": [{"name": "Da", "url": "a.md"}]}}}})
        }
        3 => json!({"language": if even { "en" } else { "de" }}),
        4 => json!({"paginate": number}),
        5 => {
            json!({"menus": {"main": [{"name": "Home", "url": "/"}, {"name": "A", "url": format!("/a/#heading-{number}")}]}})
        }
        6 => json!({"taxonomies": {"tags": {"feed": even}, "topics": {}}}),
        7 => json!({"taxonomies": null}),
        8 => json!({"params": {"motto": format!("m{number}")}}),
        9 => json!({"theme_settings": {"greeting": format!("g{number}")}}),
        10 => json!({"description": format!("d{number}")}),
        11 => json!({"feed": {"full": even, "limit": number}}),
        12 => json!({"markdown": {"twins": even, "highlight": number < 2}}),
        13 => json!({"redirects": {format!("/old/{number}/"): "/a/", "/x/*": "/y/:splat"}}),
        _ => json!({"base_url": format!("https://host.example/{number}/")}),
    };
    let Value::Object(map) = &patch else { unreachable!() };
    if let Ok(text) = front_matter::patch_yaml("site.yaml", &text_of(files, "site.yaml"), map) {
        files.insert("site.yaml".into(), text.into_bytes());
    }
    format!("config {patch}")
}

fn data(dice: &mut Dice, files: &mut Files) -> String {
    let number = dice.roll(4);
    let path = if number == 0 { "data/other.json" } else { "data/facts.yaml" };
    let value = if number == 3 { "a: [".to_owned() } else { json!({"fact": number}).to_string() };
    files.insert(path.into(), value.into_bytes());
    format!("data {path} {number}")
}

fn asset(dice: &mut Dice, files: &mut Files) -> String {
    let path = format!("static/img{}.png", dice.roll(4));
    if files.remove(&path).is_some() {
        return format!("delete {path}");
    }
    files.insert(path.clone(), vec![dice.roll(9) as u8]);
    format!("create {path}")
}

/// Who keeps what was built, and is spared what stands.
#[derive(Default)]
struct Holder {
    outputs: Outputs,
    digests: BTreeMap<String, Digest>,
}

impl Holder {
    fn build(&mut self, snapshot: &Snapshot, options: &Options, cache: &Cache) -> Result<Built, Error> {
        let have =
            |path: &str, digest: Digest| self.digests.get(path) == Some(&digest) && self.outputs.contains_key(path);
        let mut built = build_with(snapshot, options, cache, Company { have: Some(&have), ..Company::default() })?;
        if options.scope == Scope::Everything {
            for path in
                built.digests.keys().filter(|path| !built.outputs.contains_key(*path)).cloned().collect::<Vec<_>>()
            {
                built.outputs.insert(path.clone(), self.outputs[&path].clone());
            }
            *self = Self { outputs: built.outputs.clone(), digests: built.digests.clone() };
        }
        Ok(built)
    }
}

fn same(warm: &Built, cold: &Built) -> Result<(), String> {
    let mut wrong = String::new();
    for path in warm.outputs.keys().chain(cold.outputs.keys()) {
        let (warm, cold) = (warm.outputs.get(path), cold.outputs.get(path));
        if warm != cold {
            let show = |output: Option<&sitewright::model::Output>| match output.map(|output| &output.data) {
                Some(sitewright::model::OutputData::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
                other => format!("{other:?}"),
            };
            let _ = write!(wrong, "\n=== {path}\n--- warm\n{}\n--- cold\n{}", show(warm), show(cold));
        }
    }
    let pages = |built: &Built| built.library.pages.clone();
    if wrong.is_empty() && warm.diagnostics != cold.diagnostics {
        let _ = write!(wrong, "warm {:#?}\ncold {:#?}", warm.diagnostics, cold.diagnostics);
    }
    if wrong.is_empty() && (pages(warm) != pages(cold) || warm.library.backlinks != cold.library.backlinks) {
        let _ = write!(wrong, "pages or backlinks differ");
    }
    if wrong.is_empty() && (warm.until != cold.until || warm.bodies != cold.bodies) {
        let _ = write!(wrong, "until {:?} {:?} or bodies differ", warm.until, cold.until);
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn snapshot_of(files: &Files) -> Snapshot {
    let files = files.iter().map(|(path, bytes)| (ContentPath::from_disk(path).unwrap(), file(bytes.clone())));
    Snapshot::new(files.collect())
}

/// Ways to ask for a site, in turn.
fn ways(turn: usize, files: &Files) -> Options {
    let pages = || files.keys().filter(|path| is_page(path)).map(|path| ContentPath::from_disk(path).unwrap());
    match turn % 5 {
        0 | 3 => options(),
        1 => Options { scope: Scope::Pages(pages().step_by(3).collect()), ..options() },
        2 => Options { drafts: true, future: true, base_url: Some("http://localhost:1/p/".into()), ..options() },
        _ => Options { scope: Scope::Nothing, ..options() },
    }
}

/// The cache of a process that knows what this one kept.
fn another_process(cache: &Cache, files: &Files) -> Cache {
    let next = Cache::default();
    for options in [ways(0, files), ways(2, files)] {
        if let Some(saved) = cache.saved_site(&options) {
            next.recall_site(&options, &saved.concat());
        }
        if let Some(saved) = cache.saved(&options) {
            next.recall(&options, &saved);
        }
    }
    next
}

fn play(name: &str, start: &Files, seed: u64) {
    let mut dice = Dice::new(seed);
    let (mut files, mut cache, mut history) = (start.clone(), Cache::default(), Vec::new());
    let mut holders = [Holder::default(), Holder::default()];
    let mut past: Vec<Files> = Vec::new();
    for turn in 0..EDITS {
        let now = snapshot_of(&files);
        let options = ways(turn, &files);
        let cold = build(&now, &options, &Cache::default());
        let warm = holders[usize::from(options.drafts)].build(&now, &options, &cache);
        match (warm, cold) {
            (Ok(warm), Ok(cold)) => {
                if let Err(wrong) = same(&warm, &cold) {
                    panic!("{name}, seed {seed}, after {history:#?}: {wrong}");
                }
            }
            (warm, cold) => assert_eq!(warm.err().map(|e| e.to_string()), cold.err().map(|e| e.to_string())),
        }
        if dice.roll(4) == 0 {
            cache = another_process(&cache, &files);
            history.push("another process".to_owned());
        }
        past.push(files.clone());
        if dice.roll(6) == 0 {
            // Another line of edits from there: what both lines changed since must not be taken for the same.
            let back = dice.roll(past.len());
            files.clone_from(&past[back]);
            history.push(format!("back to turn {back}"));
        }
        for _ in 0..=dice.roll(2) {
            history.push(edit(&mut dice, &mut files));
        }
    }
}

fn seeds() -> u64 {
    std::env::var("SITEWRIGHT_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS)
}

/// The files of a golden site.
pub(crate) fn golden_files(case: &str) -> Files {
    let files = files_below(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sites").join(case).join("input"));
    assert!(!files.is_empty());
    files
}

/// The files of the site that looks everything up.
pub(crate) fn curious_files() -> Files {
    snapshot(CURIOUS).iter().map(|(path, file)| (path.to_string(), file.bytes().unwrap().to_vec())).collect()
}

fn golden(case: &str) {
    let files = golden_files(case);
    for seed in 1..=seeds() {
        play(case, &files, seed);
    }
}

#[test]
fn edits_of_the_golden_blog() {
    golden("blog");
}

#[test]
fn edits_of_the_golden_collections() {
    golden("collections");
}

#[test]
fn edits_of_the_golden_languages() {
    golden("languages");
}

#[test]
fn edits_of_the_golden_docs() {
    golden("docs");
}

#[test]
fn edits_of_the_golden_mixture() {
    golden("mixed");
}

#[test]
fn edits_of_a_site_that_looks_everything_up() {
    let all = snapshot(CURIOUS);
    let begun = build(&all, &options(), &Cache::default()).unwrap();
    assert!(["index.html", "b/index.html", "notes/index.html"].iter().all(|path| begun.outputs.contains_key(*path)));
    let files = curious_files();
    for seed in 1..=seeds() * 2 {
        play("curious", &files, seed);
    }
}

/// What has to be rendered after one file of the curious site changed.
fn rendered_after(path: &str, change: impl Fn(&str) -> String) -> Vec<(String, &'static str)> {
    let mut site = snapshot(CURIOUS);
    let (cache, mut holder) = (Cache::default(), Holder::default());
    let first = holder.build(&site, &options(), &cache).unwrap();
    assert!(first.rendered.len() > 10 && first.rendered.values().all(|why| *why == "new"), "{:?}", first.rendered);
    let again = holder.build(&site, &options(), &cache).unwrap();
    assert_eq!(again.rendered, BTreeMap::new());
    assert_eq!(again.outputs, first.outputs);
    let text = site.text(path).unwrap().to_owned();
    let changed = change(&text);
    assert_ne!(changed, text);
    site.set(ContentPath::from_disk(path).unwrap(), Some(file(changed.into_bytes())));
    let after = holder.build(&site, &options(), &cache).unwrap();
    same(&after, &build(&site, &options(), &Cache::default()).unwrap()).unwrap();
    after.rendered.into_iter().collect()
}

fn names<'r>(rendered: &'r [(String, &'static str)]) -> Vec<&'r str> {
    rendered.iter().map(|(path, _)| path.as_str()).collect()
}

#[test]
fn a_text_renders_its_page_and_the_lists_that_show_it() {
    // Three words for three others: nothing that lists show.
    let same_start = |text: &str| text.replace("[[One#Heading 2]]", "*[[One#Heading 2]]*");
    assert_eq!(rendered_after("content/deep/er/page.md", same_start), [("deep/er/page/index.html".to_owned(), "text")]);
    let other_start = rendered_after("content/deep/er/page.md", |text| format!("{text}More words."));
    let lists = ["deep/er/index.html", "deep/er/page/index.html", "index.html"];
    assert_eq!(names(&other_start), lists, "{other_start:?}");
}

#[test]
fn a_partial_renders_its_users_and_a_setting_what_the_theme_is_in() {
    let look = rendered_after("themes/t/shortcodes/look.hbs", |text| format!("{text}!"));
    assert_eq!(names(&look), ["b/index.html", "index.html"], "{look:?}");
    assert!(look.iter().all(|(_, why)| *why == "template"));
    let all = rendered_after("themes/t/partials/footer.hbs", |text| format!("{text}!"));
    assert!(all.len() > 10 && all.iter().all(|(_, why)| *why == "template"), "{all:?}");
    let wide = rendered_after("themes/t/layouts/home.hbs", |text| format!("{text}!"));
    let homes = ["de/index.html", "fr/index.html", "index.html"];
    assert_eq!(names(&wide), homes, "{wide:?}");
    let data = rendered_after("data/facts.yaml", |_| "fact: 7\n".to_owned());
    assert_eq!(names(&data), homes, "{data:?}");
}

/// Fields of `page` that no layout names are not made for it.
#[test]
fn a_field_that_a_layout_names_for_the_first_time_renders_what_the_layout_is_for() {
    for reads in [
        "{{#each page.toc}}{{text}}{{/each}}",
        "{{json page.front_matter}}",
        "{{json page}}",
        "{{lookup page \"assets\"}}",
    ] {
        let named = rendered_after("themes/t/layouts/list.hbs", |text| {
            text.replace("{{/base}}", &format!("{reads}{{{{/base}}}}"))
        });
        let shown = names(&named);
        assert!(["deep/index.html", "notes/index.html", "tags/index.html"].iter().all(|path| shown.contains(path)));
        assert!(!shown.contains(&"b/index.html") && !shown.contains(&"index.html"), "{named:?}");
        assert!(named.iter().all(|(_, why)| *why == "template"), "{named:?}");
    }
}

#[test]
fn a_title_renders_what_shows_it() {
    let rendered = rendered_after("content/b.md", |text| text.replace("title: B", "title: Bee"));
    let shown = names(&rendered);
    assert!(["b/index.html", "index.html"].iter().all(|path| shown.contains(path)), "{rendered:?}");
    assert!(!shown.contains(&"notes/one/index.html") && !shown.contains(&"deep/er/page/index.html"), "{rendered:?}");
}

/// A moment can change a site without an edit.
#[test]
fn a_scheduled_page_comes_up_although_nothing_was_edited() {
    let site = crate::build::with_theme(
        "-- content/a.md --\n---\npublishDate: 2026-11-24\n---\nx\n-- content/b.md --\n[a](a.md)\n",
    );
    let cache = Cache::default();
    let at =
        |now: &str, cache: &Cache| build(&site, &Options { now: now.parse().unwrap(), ..options() }, cache).unwrap();
    for now in ["2026-11-23T12:00:00Z", "2026-11-24T12:00:00Z", "2026-11-23T12:00:00Z"] {
        let (warm, cold) = (at(now, &cache), at(now, &Cache::default()));
        same(&warm, &cold).unwrap();
        assert_eq!(cold.outputs.contains_key("a/index.html"), now.starts_with("2026-11-24"));
    }
    assert_eq!(at("2026-11-23T12:00:00Z", &cache).until, Some("2026-11-24T00:00:00Z".parse().unwrap()));
}
