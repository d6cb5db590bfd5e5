//! Themes: templates within bounds, helpers, the shipped theme.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sitewright::build::template::{ListQuery, Lists, Render, TemplateError, Templates};
use sitewright::model::{BlobId, ContentPath, Data, Diagnostic, File, Snapshot};

/// A snapshot of these files.
fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let file = |text: &str| File {
        id: BlobId([0; 20]),
        size: text.len() as u64,
        data: Data::Loaded(Arc::from(text.as_bytes())),
    };
    let map: BTreeMap<ContentPath, File> =
        files.iter().map(|(path, text)| (ContentPath::from_disk(path).unwrap(), file(text))).collect();
    Snapshot::new(map)
}

/// A site of three pages at `/base/`.
struct Site;

impl Lists for Site {
    fn pages(&self, query: &ListQuery) -> Vec<Arc<Value>> {
        let all = ["a", "b", "c"].map(|name| Arc::new(json!({"title": name.to_uppercase(), "url": format!("/base/{name}/")})));
        all.into_iter().skip(query.offset).take(query.limit.unwrap_or(usize::MAX)).collect()
    }
    fn page(&self, path_or_url: &str) -> Option<Arc<Value>> {
        (path_or_url == "a.md").then(|| Arc::new(json!({"title": "A", "url": "/base/a/"})))
    }
    fn data(&self, name: &str) -> Option<Arc<Value>> {
        (name == "people").then(|| Arc::new(json!({"ann": {"age": 7}, "bob": {"age": 8}})))
    }
    fn url(&self, raw: &str) -> String {
        raw.strip_prefix('/').map_or_else(|| raw.to_owned(), |rest| format!("/base/{rest}"))
    }
    fn absolute(&self, raw: &str) -> String {
        format!("https://x.org{}", self.url(raw))
    }
    fn markdown(&self, text: &str) -> String {
        format!("<p>{}</p>\n", text.replace('*', ""))
    }
}

fn compile(files: &[(&str, &str)]) -> (Templates, Vec<Diagnostic>) {
    Templates::compile(&snapshot(files), "t", &Map::new())
}

fn try_render(files: &[(&str, &str)], context: &Value) -> Result<String, TemplateError> {
    let (templates, _) = compile(files);
    templates.render("page", &Render { context, content: "<p>body</p>", head: "<title>x</title>", lists: &Site })
}

fn render(template: &str, context: &Value) -> String {
    try_render(&[("themes/t/layouts/page.hbs", template)], context).unwrap()
}

/// Runs in a thread with the stack of a tokio worker.
fn small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap().join().unwrap()
}

#[test]
fn a_layout_writes_values_content_and_head() {
    let html = render("{{{head}}}<h1>{{page.title}}</h1>{{{content}}}{{content}}", &json!({"page": {"title": "a & <b>"}}));
    assert_eq!(html, "<title>x</title><h1>a &amp; &lt;b&gt;</h1><p>body</p><p>body</p>");
}

#[test]
fn recursion_of_every_kind_ends_with_an_error_on_a_small_stack() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("self", &[("a", "{{> a}}")]),
        ("self in if", &[("a", "{{#if true}}{{> a}}{{/if}}")]),
        ("mutual", &[("a", "{{> b}}"), ("b", "x{{> a}}")]),
        ("dynamic", &[("a", "{{> (concat \"b\")}}"), ("b", "{{> (lookup this \"name\")}}")]),
        ("block calls its caller", &[("a", "{{#> b}}{{> a}}{{/b}}"), ("b", "{{> @partial-block}}")]),
        ("block of itself", &[("a", "{{#> a}}x{{/a}}")]),
        ("deep in each", &[("a", "{{#each list}}{{#with ../this}}{{#if true}}{{> a}}{{/if}}{{/with}}{{/each}}")]),
    ];
    for (name, partials) in cases {
        let mut files = vec![("themes/t/layouts/page.hbs".to_owned(), "{{> a}}".to_owned())];
        files.extend(partials.iter().map(|(name, text)| (format!("themes/t/partials/{name}.hbs"), (*text).to_owned())));
        let name = (*name).to_owned();
        small_stack(move || {
            let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
            let error = try_render(&files, &json!({"name": "a", "list": [1]})).expect_err(&name);
            assert!(error.message.contains("nest deeper than"), "{name}: {error:?}");
            assert!(error.path.as_str().starts_with("themes/t/partials/"), "{name}: {error:?}");
            assert_eq!(error.line, 1, "{name}: {error:?}");
        });
    }
}
