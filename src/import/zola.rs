//! A Zola site: content nearly as it is, since the build reads most of it, with every address kept.

use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::front::{SourcePage, plain};
use super::shortcodes::{self, Dialect};
use super::source::{Source, is_markdown, split, stem};
use super::{address, settings};
use crate::error::Result;

/// Front matter of Zola that means nothing here; it stays in the file.
const UNREAD: [&str; 11] = [
    "sort_by",
    "paginate_by",
    "paginate_path",
    "paginate_reversed",
    "insert_anchor_links",
    "in_search_index",
    "generate_feeds",
    "generate_feed",
    "transparent",
    "page_template",
    "redirect_to",
];
/// Templates that mean what happens anyway.
const USUAL: [&str; 3] = ["page.html", "section.html", "index.html"];
/// Keys of the configuration that are read, or that mean nothing here.
const READ: [&str; 20] = [
    "base_url",
    "title",
    "description",
    "default_language",
    "author",
    "taxonomies",
    "extra",
    "languages",
    "slugify",
    "theme",
    "compile_sass",
    "minify_html",
    "build_search_index",
    "generate_feeds",
    "generate_feed",
    "feed_filenames",
    "feed_filename",
    "markdown",
    "output_dir",
    "generate_robots_txt",
];

/// What addresses depend on.
struct Config {
    language: String,
    others: Vec<String>,
    /// Paths become slugs; otherwise only what no file system takes is replaced.
    slugs: bool,
    /// Dates stay in slugs.
    keep_dates: bool,
}

/// Whether a `config.toml` is Zola's rather than Hugo's.
pub(super) fn is_zola(source: &Source) -> bool {
    if source.contains("zola.toml")
        || source.below("templates").next().is_some()
        || source.below("sass").next().is_some()
    {
        return true;
    }
    let text = source.text("config.toml").unwrap_or_default();
    ["base_url", "compile_sass", "build_search_index", "default_language"].iter().any(|key| {
        text.lines()
            .any(|line| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')))
    })
}

/// Plans the import.
pub(super) fn plan(draft: &mut Draft<'_>) -> Result<()> {
    let source = draft.source;
    let file = if source.contains("zola.toml") { "zola.toml" } else { "config.toml" };
    let all = match source.text(file) {
        Some(text) => settings::read_map(file, text)?,
        None => Map::new(),
    };
    let languages = all.get("languages").and_then(Value::as_object);
    let slugify = all.get("slugify");
    let config = Config {
        language: all.get("default_language").and_then(plain).unwrap_or_else(|| "en".into()),
        others: languages.into_iter().flat_map(|map| map.keys().cloned()).collect(),
        slugs: slugify.and_then(|slugify| slugify.get("paths")).is_none_or(|paths| paths == "on" || *paths == true),
        keep_dates: slugify.and_then(|slugify| slugify.get("paths_keep_dates")) == Some(&Value::Bool(true)),
    };
    settle(draft, &config, file, &all);
    for path in source.below("content") {
        let inner = &path["content/".len()..];
        if is_markdown(path) {
            page(draft, &config, path, inner);
        } else {
            draft.asset(path, inner);
        }
    }
    settings::statics(draft, "static");
    settings::templates(
        draft,
        &[
            ("templates", "Tera templates: write them anew as Handlebars layouts, partials and shortcodes"),
            ("themes", "a theme of Zola: its templates do not run here"),
            ("sass", "not taken over: compile it to CSS and put that into the theme's `assets/`"),
            ("syntaxes", "not taken over: highlighting knows a fixed list of languages"),
        ],
    );
    Ok(())
}

fn settle(draft: &mut Draft<'_>, config: &Config, file: &str, all: &Map<String, Value>) {
    draft.term = Some(address::zola_term);
    settings::set(draft, "title", all.get("title").cloned());
    settings::set(draft, "description", all.get("description").cloned());
    settings::set(draft, "base_url", settings::base_url(all.get("base_url"), None));
    settings::set(draft, "language", Some(config.language.clone().into()));
    settings::set(draft, "author", all.get("author").cloned());
    let mut taxonomies = Map::new();
    for item in all.get("taxonomies").and_then(Value::as_array).into_iter().flatten() {
        let Some(name) = item.get("name").and_then(plain) else { continue };
        let mut options = Map::new();
        if item.get("feed") == Some(&Value::Bool(true)) {
            options.insert("feed".into(), true.into());
        }
        if let Some(size) = item.get("paginate_by").filter(|size| size.is_u64()) {
            options.insert("paginate".into(), size.clone());
        }
        taxonomies.insert(name, Value::Object(options));
    }
    draft.settings.insert("taxonomies".into(), Value::Object(taxonomies));
    // Ids of headings are part of addresses.
    settings::set(draft, "markdown", Some(json!({"heading_ids": "zola"})));
    let mut extra = all.get("extra").and_then(Value::as_object).cloned().unwrap_or_default();
    menus(draft, &mut extra);
    settings::set(draft, "params", Some(Value::Object(extra)));
    settings::leftover(draft, file, all, &READ);
    for code in &config.others {
        let advice = "its pages are taken over with their addresses and `lang`; name it in `languages` for lists and a title of its own";
        draft.lost("language", code, file, 0, advice);
    }
}

/// Themes keep menus below `extra`, as lists of entries with a name and an address.
fn menus(draft: &mut Draft<'_>, extra: &mut Map<String, Value>) {
    for key in ["menu", "main_menu", "menu_items", "nav", "navbar_items", "header_nav", "navigation"] {
        let Some(Value::Array(items)) = extra.get(key) else { continue };
        let entry = |(at, item): (usize, &Value)| {
            let name = item.get("name").or_else(|| item.get("title")).and_then(plain)?;
            let url = item.get("url").or_else(|| item.get("link")).or_else(|| item.get("path")).and_then(plain)?;
            let url = url.replace("$BASE_URL", "");
            let url = match url.strip_prefix("@/") {
                Some(path) => path.to_owned(),
                None if url.contains("://") || url.starts_with('/') => url,
                None => format!("/{url}"),
            };
            let weight = item.get("weight").and_then(Value::as_i64).unwrap_or((at as i64 + 1) * 10);
            Some(settings::Entry { key: name.clone(), name, url, weight, parent: String::new() })
        };
        let entries: Vec<settings::Entry> = items.iter().enumerate().filter_map(entry).collect();
        if entries.len() == items.len() && !entries.is_empty() {
            extra.remove(key);
            settings::set(draft, "menus", Some(json!({"main": settings::menu(&entries)})));
            return;
        }
    }
}

fn page(draft: &mut Draft<'_>, config: &Config, path: &str, inner: &str) {
    let Some(mut page) = SourcePage::read(draft, path) else { return };
    let (folder, file) = split(inner);
    let mut name = stem(file);
    let mut language = config.language.as_str();
    if let Some((rest, code)) = name.rsplit_once('.')
        && (code == config.language || config.others.iter().any(|other| other == code))
    {
        (name, language) = (rest, code);
    }
    if language != config.language && page.text(&["lang"]).is_none() {
        page.set("lang", language);
    }
    let prefix = if language == config.language { String::new() } else { format!("/{language}") };
    let url = url(draft, config, &page, folder, name, &prefix);
    for key in UNREAD.iter().filter(|key| page.values.contains_key(**key)) {
        draft.lost("front_matter", key, path, 0, "kept in the file, where templates can read it; nothing else does");
    }
    if let (Some(target), Some(url)) = (page.text(&["redirect_to"]), &url) {
        draft.lost(
            "front_matter",
            "redirect_to",
            path,
            0,
            "the section has a page here; its address cannot lead elsewhere too",
        );
        let _ = (target, url);
    }
    if let Some(template) = page.text(&["template"]).filter(|template| !USUAL.contains(&template.as_str())) {
        draft.lost("layout", &template, path, 0, "kept: write a layout of that name, or the usual one is used");
    }
    let body = shortcodes::convert(draft, path, page.body, page.line, Dialect::Zola);
    let body = body.replace("<!-- more -->", "<!--more-->");
    let Some(text) = page.finish(draft, &body) else { return };
    draft.page(path, inner, text, url);
}

/// The address a page has in Zola; `None` where only Zola's own table of letters knows.
fn url(
    draft: &mut Draft<'_>,
    config: &Config,
    page: &SourcePage<'_>,
    folder: &str,
    name: &str,
    prefix: &str,
) -> Option<String> {
    if name == "_index" {
        return Some(format!("{}/", address::ours(&format!("{prefix}/{folder}")).trim_end_matches('/')));
    }
    if let Some(path) = page.text(&["path"]) {
        return Some(format!("{}/", address::tidy(&path).trim_end_matches('/')));
    }
    let (folder, base) = if name == "index" && !folder.is_empty() { split(folder) } else { (folder, name) };
    let base = if config.keep_dates { base } else { undated(base) };
    let slug = page.text(&["slug"]).unwrap_or_else(|| base.to_owned());
    let slug = if config.slugs { address::zola(&slug) } else { Some(slug.replace(' ', "_")) };
    let Some(slug) = slug else {
        let advice = "Zola spells it in Latin letters: set `slug` where the address must stay";
        draft.lost("address", "letters of other scripts", &page.path, 0, advice);
        return None;
    };
    Some(address::tidy(&format!("{prefix}/{folder}/{slug}/")))
}

/// The name without a leading date.
fn undated(name: &str) -> &str {
    let Some(head) = name.get(..10) else { return name };
    let dated = head.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    let rest = name[10..].trim_start();
    match rest.strip_prefix(['-', '_']) {
        Some(rest) if dated && !rest.is_empty() => rest,
        _ => name,
    }
}
