//! Times what a build does for every page (front matter, Markdown, highlighting, a layout) and what the journal adds to every call.
//! `cargo bench --bench hot [NAME]`; each line is what criterion makes of many rounds on one thread, beside those of the last run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use serde_json::{Map, Value, json};
use sitewright::build::highlight::code_block;
use sitewright::build::markdown::{LinkKind, Resolve, Resolved, ShortcodeCall, parse};
use sitewright::build::template::{ListQuery, Lists, Render, Templates};
use sitewright::insight::{Entry, Journal, Level, Origin, Outcome, codes};
use sitewright::model::config::MarkdownConfig;
use sitewright::model::{BlobId, ContentPath, Data, Effects, File, FrontMatter, PathKind, Snapshot};
use sitewright::site::{Settings, init};
use sitewright::store::Identity;
use sitewright::tools::{Registry, Tool};

/// Calls after which the journal is let come to rest.
const CALLS: u64 = 100;

/// Fifteen lines each, and a name in them that may be another one.
const CODE: [(&str, &str, &str); 6] = [
    ("rust", include_str!("code/sample.rs.txt"), "count"),
    ("python", include_str!("code/sample.py.txt"), "Reader"),
    ("javascript", include_str!("code/sample.js.txt"), "kept"),
    ("go", include_str!("code/sample.go.txt"), "scanner"),
    ("html", include_str!("code/sample.html.txt"), "Winter"),
    ("bash", include_str!("code/sample.sh.txt"), "total"),
];

const FRONT: &str = "---\ntitle: \"Stone river light\"\ndate: 2024-05-06\ndescription: \"Winter garden morning letter.\"\n\
                     tags: [tag-001, tag-002, tag-003]\nparams:\n  rank: 3\n---\n\nBody.\n";

const LAYOUT: &str = "<!doctype html><html><head>{{{head}}}</head><body><nav>{{#each site.menus.main}}<a href=\"{{url}}\"{{#if active}} \
                      aria-current=\"true\"{{/if}}>{{name}}</a>{{/each}}</nav><h1>{{page.title}}</h1><time datetime=\"{{page.date}}\">{{date \
                      page.date}}</time>{{#each page.terms.tags}}<a href=\"{{this.url}}\">{{this.name}}</a>{{/each}}{{{content}}}</body></html>";

criterion_group! {
    name = hot;
    config = Criterion::default().measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = code, page, calls
}
criterion_main!(hot);

fn code(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("highlight");
    for (language, code, name) in CODE {
        let mut number = 0;
        group.bench_function(format!("{language}, 15 lines"), |bench| {
            bench.iter(|| {
                // Never the same block twice: what is remembered is not what is to be measured.
                number += 1;
                code_block(&code.replacen(name, &format!("{name}{number}"), 1), language, true)
            });
        });
    }
    group.finish();
}

fn page(criterion: &mut Criterion) {
    let body = body();
    let plain = MarkdownConfig { highlight: false, ..MarkdownConfig::default() };
    criterion.bench_function("markdown, 900 words without highlighting", |bench| bench.iter(|| parse(&body, &plain)));
    let document = parse(&body, &plain);
    criterion.bench_function("fill links", |bench| bench.iter(|| document.render(&mut Links)));
    criterion.bench_function("front matter", |bench| bench.iter(|| FrontMatter::parse("content/a.md", FRONT)));
    let (templates, context) = (templates(), context());
    let html = document.render(&mut Links);
    criterion.bench_function("layout with a menu of 20", |bench| {
        let input = Render { context: &context, content: &html, head: "<title>x</title>", lists: &Nothing };
        bench.iter(|| templates.render("page", black_box(&input)));
    });
}

fn calls(criterion: &mut Criterion) {
    criterion.bench_function("journal, on a call's way", |bench| {
        if journal(bench).is_none() {
            eprintln!("the journal could not be set up");
        }
    });
}

/// What a call of `page_write` pays for being written down: 2 KB of arguments, 16 KB of reply, everything that the server does
/// between the call's coming in and its answer's going out.
fn journal(bench: &mut Bencher<'_>) -> Option<()> {
    let folder = tempfile::tempdir().ok()?;
    let author = Identity { name: "Bench".into(), email: "bench@localhost".into() };
    let settings = Settings { clock: Arc::new(jiff::Timestamp::now), author: Some(author) };
    let site = init::init(folder.path(), "Bench", None, settings).ok()?;
    let registry = Registry::standard();
    let schema = registry.find("page_write").map(Tool::schema);
    let edits = json!([{"find": "Words", "replace": "Words of a page. ".repeat(120)}]);
    let arguments = json!({"pages": [{"path": "/blog/hello/", "edits": edits}], "message": "Why"});
    let arguments = arguments.as_object()?;
    let reply = json!({"diagnostics": [{"code": "broken_link"}], "html": "x".repeat(16 * 1024)});
    let text = reply.to_string();
    let path = ContentPath::from_disk("content/blog/hello.md").ok()?;
    let journal = Journal::open(&site, Level::Metadata);
    let origin = Origin { connection: Some("c".into()), client: "bench 1".into(), ..Origin::default() };
    bench.iter_custom(|calls| {
        let mut spent = Duration::ZERO;
        for call in 0..calls {
            let (begin, at) = (Instant::now(), i64::try_from(call).unwrap_or_default());
            let arguments = journal.arguments(schema, arguments);
            let mut entry = Entry { at, placed: journal.place(&origin, at), arguments, ..Entry::default() };
            entry.tool = "page_write".into();
            entry.call = format!("{call:08x}");
            let effects = Effects::noted();
            effects.declare(&[PathKind::Page], None);
            effects.wrote(&path, Some(BlobId([1; 20])), Some(BlobId([2; 20])));
            effects.committed("c0ffee", "Why");
            entry.outcome = Outcome::Ok;
            entry.codes = codes(&reply);
            entry.reply.clone_from(&text);
            entry.noted = effects.so_far();
            journal.record(entry);
            spent += begin.elapsed();
            if call % CALLS == 0 {
                journal.flush();
            }
        }
        spent
    });
    Some(())
}

fn body() -> String {
    let words = ["stone", "river", "light", "winter", "garden", "morning", "letter", "window", "paper"];
    let mut body = String::new();
    for part in 0..6 {
        let _ = write!(body, "## Part {part}\n\n");
        for word in 0..140 {
            let text = words[(part * 31 + word * 7) % words.len()];
            match word % 35 {
                5 => drop(write!(body, "*{text}* ")),
                11 => drop(write!(body, "[{text}](https://example.org/{text}) ")),
                23 => drop(write!(body, "`{text}` ")),
                _ => drop(write!(body, "{text} ")),
            }
        }
        body.push_str("\n\n- one\n- two\n\n```rust\nfn main() {}\n```\n\n");
    }
    body
}

fn templates() -> Templates {
    let mut files = BTreeMap::new();
    for (path, text) in [("themes/t/theme.yaml", "name: t\nversion: 1.0.0\n"), ("themes/t/layouts/page.hbs", LAYOUT)] {
        let data = Data::Loaded(text.as_bytes().into());
        if let Ok(path) = ContentPath::from_disk(path) {
            files.insert(path, File { id: BlobId([0; 20]), size: text.len() as u64, data });
        }
    }
    Templates::compile(&Snapshot::new(files), "t", &Map::new()).0
}

fn context() -> Value {
    let menu: Vec<Value> = (0..20)
        .map(|n| json!({"name": format!("Part {n}"), "url": format!("/part-{n}/"), "active": n == 3, "children": []}))
        .collect();
    let tags: Vec<Value> =
        (0..3).map(|n| json!({"name": format!("tag-{n}"), "url": format!("/tags/tag-{n}/")})).collect();
    json!({
        "site": {"title": "Bench", "menus": {"main": menu}},
        "page": {"title": "Stone river", "date": "2024-05-06T00:00:00Z", "terms": {"tags": tags}},
    })
}

struct Links;

impl Resolve for Links {
    fn link<'r>(&mut self, raw: &'r str, _: LinkKind, _: &str, _: usize) -> Resolved<'r> {
        Resolved { href: raw.into(), ..Resolved::default() }
    }

    fn shortcode(&mut self, _: &ShortcodeCall, _: Option<&str>) -> String {
        String::new()
    }
}

struct Nothing;

impl Lists for Nothing {
    fn pages(&self, _: &ListQuery) -> Vec<Arc<Value>> {
        Vec::new()
    }

    fn page(&self, _: &str) -> Option<Arc<Value>> {
        None
    }

    fn data(&self, _: &str) -> Option<Arc<Value>> {
        None
    }

    fn url(&self, raw: &str) -> String {
        raw.to_owned()
    }

    fn absolute(&self, raw: &str) -> String {
        raw.to_owned()
    }

    fn markdown(&self, text: &str) -> String {
        text.to_owned()
    }
}
