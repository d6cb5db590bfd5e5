//! A Jekyll site: posts, pages, collections and drafts where we have them, Liquid worked out as far as that goes.

mod kramdown;
mod liquid;
mod place;
mod settings;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::draft::Draft;
use super::front::{SourcePage, plain};
use super::shortcodes::{self, Dialect};
use super::source::{is_html, is_markdown, join, split, stem};
use super::{markdown, settings as common};
use crate::error::Result;
use place::Role;
use settings::Config;

/// Layouts that mean what happens anyway.
const USUAL: [&str; 7] = ["post", "page", "default", "home", "single", "none", "null"];
/// Front matter of Jekyll and its plugins that means nothing here; it stays in the file.
const UNREAD: [&str; 6] = ["sitemap", "redirect_to", "render_with_liquid", "pagination", "excerpt_separator", "ref"];
/// Files of the repository rather than of the site.
const REPOSITORY: [&str; 10] = [
    "gemfile",
    "gemfile.lock",
    "rakefile",
    "package.json",
    "package-lock.json",
    "readme.md",
    "license.md",
    "license.txt",
    "contributing.md",
    "changelog.md",
];
/// Endings of files that Jekyll runs through Liquid when they begin with front matter.
const PROCESSED: [&str; 8] = ["xml", "json", "txt", "css", "scss", "sass", "js", "webmanifest"];

/// What the whole site knows.
struct Site {
    config: Config,
    /// Post names to their paths in the source.
    posts: BTreeMap<String, String>,
}

/// Plans the import.
pub(super) fn plan(draft: &mut Draft<'_>) -> Result<()> {
    let config = Config::read(draft.source)?;
    config.settle(draft);
    draft.redirects.insert("/feed.xml".into(), "/atom.xml".into());
    let source = draft.source;
    let mut posts = BTreeMap::new();
    for path in source.paths().filter(|path| is_markdown(path) && path.split('/').any(|part| part == "_posts")) {
        posts.insert(stem(split(path).1).to_owned(), path.to_owned());
    }
    let site = Site { config, posts };
    for path in source.paths() {
        file(draft, &site, path);
    }
    Ok(())
}

/// What a file is by where it lies, and its place below `content/`; `None`: it is dealt with, or nothing of the site.
fn sorted(draft: &mut Draft<'_>, site: &Site, path: &str) -> Option<(Role, String)> {
    let parts: Vec<&str> = path.split('/').collect();
    let above = |at: usize| parts[..at].join("/");
    let below = |at: usize| parts[at + 1..].join("/");
    if let Some(at) = parts.iter().position(|part| matches!(*part, "_posts" | "_drafts")) {
        let root = site.config.collections_dir.as_str();
        let folder = above(at);
        let folder = folder.strip_prefix(root).map_or(folder.as_str(), |rest| rest.trim_start_matches('/')).to_owned();
        let home = if folder.is_empty() { "posts".to_owned() } else { folder.clone() };
        let place = join(&home, &below(at));
        if parts[at] == "_drafts" {
            return Some((Role::Draft, place));
        }
        let categories = folder.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        return Some((Role::Post(categories), place));
    }
    let (first, inner) = path
        .strip_prefix(&format!("{}/", site.config.collections_dir))
        .unwrap_or(path)
        .split_once('/')
        .unwrap_or((path, ""));
    if let Some(label) = first.strip_prefix('_') {
        if let Some(collection) = site.config.collections.iter().find(|collection| collection.label == label) {
            return Some((Role::Document(label.to_owned(), collection.permalink.clone()), join(label, inner)));
        }
        match first {
            "_data" | "_config.yml" | "_config.yaml" | "_config.toml" => {}
            "_includes" | "_layouts" | "_sass" | "_plugins" => {
                let advice = "not taken over: write layouts, partials and shortcodes anew in Handlebars, styles as CSS";
                draft.lost("template", first, path, 0, advice);
            }
            _ if site.config.includes(path) => return Some((Role::Page, path.to_owned())),
            _ => draft.lost("folder", first, path, 0, "left out: it is no collection of the configuration"),
        }
        return None;
    }
    let hidden = parts.iter().any(|part| part.starts_with(['_', '.', '#']));
    if hidden && !site.config.includes(path) && !path.starts_with(".well-known/") {
        draft.lost("file", "name with _ or .", path, 0, "left out, as Jekyll does");
        return None;
    }
    Some((Role::Page, path.to_owned()))
}

fn file(draft: &mut Draft<'_>, site: &Site, path: &str) {
    if path.starts_with("vendor/") || site.config.excludes(path) {
        return;
    }
    let Some((role, place)) = sorted(draft, site, path) else {
        if path.starts_with("_data/") {
            data(draft, path);
        }
        return;
    };
    let source = draft.source;
    let text = source.text(path);
    let fenced = text.is_some_and(|text| text.trim_start_matches('\u{feff}').starts_with("---"));
    if is_markdown(path) {
        let repository = role == Role::Page && !fenced && REPOSITORY.contains(&path.to_ascii_lowercase().as_str());
        if repository {
            draft.lost("file", "of the repository", path, 0, "left out: it is not part of the site");
        } else {
            page(draft, site, path, &role, &place);
        }
        return;
    }
    if is_html(path) && fenced {
        let body = text.unwrap_or_default();
        if body.contains("{%") || body.contains("{{") {
            let advice = "a page made of Liquid: its lists and loops are the theme's work here";
            draft.lost("template", "HTML page with Liquid", path, 0, advice);
        } else {
            page(draft, site, path, &role, &place);
        }
        return;
    }
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    if REPOSITORY.contains(&path.to_ascii_lowercase().as_str()) || path.ends_with(".gemspec") {
        draft.lost("file", "of the repository", path, 0, "left out: it is not part of the site");
    } else if fenced && PROCESSED.contains(&ending) {
        draft.lost(
            "template",
            "file with Liquid",
            path,
            0,
            "not taken over: the build writes feeds, sitemap and robots.txt, the theme its styles",
        );
    } else if matches!(ending, "scss" | "sass") {
        draft.lost(
            "template",
            "Sass",
            path,
            0,
            "not taken over: compile it to CSS and put that into the theme's `assets/`",
        );
    } else if matches!(role, Role::Page) {
        draft.file(path, &format!("static/{path}"), None);
    } else {
        draft.asset(path, &place);
    }
}

/// One data file.
fn data(draft: &mut Draft<'_>, path: &str) {
    let inner = &path["_data/".len()..];
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let readable = draft.source.text(path).map(|text| common::read(path, text));
    match (ending, readable) {
        ("yml" | "yaml" | "json", Some(Ok(_))) => draft.file(path, &format!("data/{inner}"), None),
        ("csv" | "tsv", _) => {
            draft.file(path, &format!("data/{inner}"), None);
            draft.lost("data", ending, path, 0, "copied, but templates here read YAML and JSON");
        }
        ("yml" | "yaml" | "json", Some(Err(error))) => {
            draft.lost("data", &error.to_string(), path, 0, "left out: mend the file");
        }
        _ => draft.lost("data", ending, path, 0, "left out: data here is YAML or JSON"),
    }
}

fn page(draft: &mut Draft<'_>, site: &Site, path: &str, role: &Role, place: &str) {
    let Some(mut page) = SourcePage::read(draft, path) else { return };
    let given = site.config.defaults(role, path);
    for (key, value) in &given {
        if !page.values.contains_key(key) {
            if !matches!(key.as_str(), "layout" | "permalink") {
                page.set(key, value.clone());
            }
            page.values.insert(key.clone(), value.clone());
        }
    }
    let (folder, file) = split(place);
    let base = stem(file);
    let date = place::dated(base);
    if matches!(role, Role::Post(_)) && date.is_none() {
        draft.lost("page", "post without a date in its name", path, 0, "left out, as Jekyll does");
        return;
    }
    let own = page.text(&["permalink"]);
    let url = site.config.addresses.url(role, &page, own.as_deref(), date.as_ref().map(|(date, _)| date.as_str()));
    if url.is_none() {
        let pattern = own.as_deref().unwrap_or_else(|| site.config.addresses.posts());
        draft.lost("permalink", pattern, path, 0, "its address is another now: add an alias where it matters");
    }
    if let (Some(target), Some(url)) = (page.text(&["redirect_to"]), &url) {
        draft.redirects.insert(url.clone(), target.into());
        return;
    }
    front_matter(draft, site, role, &mut page);
    let body = body(draft, site, &page);
    let Some(text) = page.finish(draft, &body) else { return };
    let name = match (role, &date) {
        (Role::Post(_), Some((date, name))) => format!("{date}-{name}.md"),
        (Role::Page, _) if base == "index" => "_index.md".to_owned(),
        _ => format!("{base}.md"),
    };
    draft.page(path, &join(folder, &name), text, url);
}

/// What Jekyll understands and we do not, in our words.
fn front_matter(draft: &mut Draft<'_>, site: &Site, role: &Role, page: &mut SourcePage<'_>) {
    for (one, many) in [("category", "categories"), ("tag", "tags")] {
        let mut words = place::words(page, one, many);
        if let (Role::Post(above), "categories") = (role, many) {
            for name in above.iter().filter(|name| !words.contains(name)).cloned().collect::<Vec<_>>() {
                words.push(name);
            }
        }
        let listed = matches!(page.values.get(many), Some(Value::Array(items)) if items.len() == words.len());
        if !words.is_empty() && !listed {
            page.set(many, Value::from(words));
            if page.values.contains_key(one) {
                page.set(one, Value::Null);
            }
        }
    }
    match page.values.get("layout").and_then(plain) {
        Some(layout) if USUAL.contains(&layout.as_str()) => page.set("layout", Value::Null),
        Some(layout) if page.fenced => {
            draft.lost("layout", &layout, &page.path, 0, "kept: write a layout of that name, or the usual one is used");
        }
        _ => {}
    }
    // Keys that only the defaults had are no part of the file.
    page.patch.retain(|key, value| !value.is_null() || original(page.text, key));
    if *role == Role::Draft {
        page.set("draft", true);
    }
    if let Role::Document(label, _) = role
        && site.config.collections.iter().any(|collection| collection.label == *label && !collection.output)
    {
        page.set("build", json!({"render": "never", "list": "never"}));
        draft.lost(
            "collection",
            label,
            &page.path,
            0,
            "kept as pages that are not published, since Jekyll made none of it",
        );
    }
    for key in UNREAD.iter().filter(|key| page.values.contains_key(**key)) {
        draft.lost(
            "front_matter",
            key,
            &page.path,
            0,
            "kept in the file, where templates can read it; nothing else does",
        );
    }
}

/// Whether the file itself has a key.
fn original(text: &str, key: &str) -> bool {
    text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':')))
}

fn body(draft: &mut Draft<'_>, site: &Site, page: &SourcePage<'_>) -> String {
    let raw = if is_html(&page.path) {
        draft.lost(
            "html_page",
            "HTML as a page",
            &page.path,
            0,
            "taken over as raw HTML in Markdown: look at it in the preview",
        );
        markdown::flat_html(page.body)
    } else {
        page.body.to_owned()
    };
    if page.is("render_with_liquid", false) {
        return raw;
    }
    let scope = liquid::Scope { page: &page.values, site: &site.config.all, posts: &site.posts, path: &page.path };
    let text = liquid::convert(draft, &scope, &raw, page.line);
    let text = kramdown::convert(draft, &page.path, &text, page.line);
    let text = shortcodes::convert(draft, &page.path, &text, page.line, Dialect::Plain);
    let separator = page.text(&["excerpt_separator"]).or_else(|| site.config.excerpt.clone());
    match separator.as_deref().map(str::trim) {
        Some(separator) if !separator.is_empty() && separator != "<!--more-->" => {
            text.replacen(separator, "<!--more-->", 1)
        }
        _ => text,
    }
}
