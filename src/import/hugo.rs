//! A Hugo site: content nearly as it is, since the build reads most of it, with every address kept.

mod place;
mod settings;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::draft::Draft;
use super::front::{SourcePage, plain, texts};
use super::shortcodes::{self, Dialect};
use super::source::{Source, is_html, is_markdown, join, split, stem};
use super::{address, settings as common};
use crate::error::Result;
use place::Named;
use settings::Config;

/// Front matter of Hugo that means nothing here; it stays in the file.
const UNREAD: [&str; 8] =
    ["type", "outputs", "markup", "translationKey", "linkTitle", "sitemap", "resources", "isCJKLanguage"];
/// Layout names that mean what happens anyway.
const USUAL: [&str; 6] = ["single", "list", "page", "section", "post", "default"];

/// Configuration files that only Hugo has.
pub(super) fn config_files(source: &Source) -> impl Iterator<Item = &'static str> {
    settings::files(source)
}

/// Plans the import.
pub(super) fn plan(draft: &mut Draft<'_>) -> Result<()> {
    let config = Config::read(draft.source)?;
    config.settle(draft);
    draft.term = Some(address::hugo_term);
    draft.redirects.insert("/index.xml".into(), "/atom.xml".into());
    let roots = roots(&config);
    for (folder, lang) in &roots {
        let below: Vec<String> = roots.iter().map(|(other, _)| other.clone()).filter(|other| other != folder).collect();
        let source = draft.source;
        let bundles = bundles(source, folder);
        for path in source.below(folder) {
            if !below.iter().any(|other| other.len() > folder.len() && path.starts_with(&format!("{other}/"))) {
                file(draft, &config, &bundles, folder, lang, path);
            }
        }
    }
    let statics = config.all.get("staticdir").map_or_else(|| vec!["static".into()], texts);
    for folder in statics {
        common::statics(draft, folder.trim_matches('/'));
    }
    common::data(draft, "data");
    common::templates(
        draft,
        &[
            ("layouts", "Go templates: write them anew as Handlebars layouts, partials and shortcodes"),
            ("themes", "a theme of Hugo: its templates do not run here; its static files were left where they are"),
            ("archetypes", "not needed: give a collection a default front matter instead"),
            ("i18n", "not taken over: texts of the theme are settings of the theme"),
            ("assets", "not taken over: put what the theme needs into its `assets/`, pictures into `static/`"),
        ],
    );
    Ok(())
}

/// Content folders with their language (empty: the default one).
fn roots(config: &Config) -> Vec<(String, String)> {
    let mut roots = vec![(config.content.clone(), String::new())];
    for (code, folder) in &config.others {
        if let Some(folder) = folder.as_deref().map(|folder| folder.trim_matches('/')).filter(|f| *f != config.content)
        {
            roots.push((folder.to_owned(), code.clone()));
        }
    }
    roots
}

/// Folders that are one page, with everything in them.
fn bundles(source: &Source, root: &str) -> BTreeSet<String> {
    let is_index = |path: &&str| {
        let (_, name) = split(path);
        (is_markdown(name) || is_html(name)) && name.split('.').next() == Some("index")
    };
    source.below(root).filter(is_index).map(|path| split(path).0.to_owned()).filter(|folder| folder != root).collect()
}

fn file(draft: &mut Draft<'_>, config: &Config, bundles: &BTreeSet<String>, root: &str, lang: &str, path: &str) {
    let inner = path[root.len()..].trim_start_matches('/');
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    if is_markdown(path) || is_html(path) {
        page(draft, config, bundles, lang, path, inner);
        return;
    }
    match ending {
        "org" | "adoc" | "asciidoc" | "rst" | "pandoc" | "pdc" => {
            draft.lost("page_format", ending, path, 0, "left out: convert it to Markdown and import again");
        }
        "gotmpl" => draft.lost("content_adapter", inner, path, 0, "left out: pages here are files"),
        _ => draft.asset(path, &join(lang, inner)),
    }
}

fn page(draft: &mut Draft<'_>, config: &Config, bundles: &BTreeSet<String>, lang: &str, path: &str, inner: &str) {
    let Some(mut page) = SourcePage::read(draft, path) else { return };
    let named = Named::of(config, inner, lang);
    if is_html(path) && !page.fenced {
        // Hugo serves HTML without front matter as a file.
        draft.file(path, &format!("static/{inner}"), None);
        return;
    }
    let resource = bundles.iter().any(|folder| path.starts_with(&format!("{folder}/")))
        && !(named.name == "index" && bundles.contains(split(path).0));
    if resource {
        page.set("build", json!({"render": "never", "list": "never"}));
        let advice = "kept beside its page, not published by itself, as before; templates cannot read it yet";
        draft.lost("page_resource", "Markdown in a bundle", path, 0, advice);
    }
    if named.language != config.language && page.text(&["lang"]).is_none() {
        page.set("lang", named.language.clone());
    }
    let url = if resource { None } else { place::url(config, &named, &page) };
    aliases(config, &mut page, url.as_deref());
    unread(draft, &page);
    let body = if is_html(path) {
        draft.lost(
            "html_page",
            "HTML as a page",
            path,
            0,
            "taken over as raw HTML in Markdown: look at it in the preview",
        );
        super::markdown::flat_html(page.body)
    } else {
        page.body.to_owned()
    };
    let body = shortcodes::convert(draft, path, &body, page.line, Dialect::Hugo);
    let Some(text) = page.finish(draft, &body) else { return };
    // The language stays in the name, so that translations lie side by side as before.
    draft.page(path, &join(lang, &format!("{}.md", stem(inner))), text, url);
}

/// Relative aliases count from the folder above the page.
fn aliases(config: &Config, page: &mut SourcePage<'_>, url: Option<&str>) {
    let Some(value) = page.values.get("aliases") else { return };
    let given = texts(value);
    if given.iter().all(|alias| alias.starts_with('/')) {
        return;
    }
    let url = url.unwrap_or("/").trim_end_matches('/');
    let above = url.rfind('/').map_or("", |at| &url[..at]);
    let absolute = |alias: &String| {
        if alias.starts_with('/') {
            return alias.clone();
        }
        let mut parts: Vec<&str> = above.split('/').filter(|part| !part.is_empty()).collect();
        for part in alias.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        let tail = if config.ugly || parts.last().is_some_and(|last| last.ends_with(".html")) { "" } else { "/" };
        format!("/{}{tail}", parts.join("/"))
    };
    let aliases: Vec<String> = given.iter().map(absolute).collect();
    page.set("aliases", Value::from(aliases));
}

fn unread(draft: &mut Draft<'_>, page: &SourcePage<'_>) {
    for key in UNREAD.iter().filter(|key| page.values.contains_key(**key)) {
        draft.lost(
            "front_matter",
            key,
            &page.path,
            0,
            "kept in the file, where templates can read it; nothing else does",
        );
    }
    if let Some(layout) = page.values.get("layout").and_then(plain).filter(|layout| !USUAL.contains(&layout.as_str())) {
        draft.lost("layout", &layout, &page.path, 0, "kept: write a layout of that name, or the usual one is used");
    }
}
