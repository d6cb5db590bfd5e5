//! Turns `site.yaml` into a [`Config`], each section by a function of its own.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::Fields;
use super::{
    Config, Durability, HeadingIds, History, Host, Layout, MarkdownConfig, MenuItem, PublishConfig, RawHtml,
    TaxonomyConfig, check, collections, crawlers, feed, languages, redirects, seo, world,
};
use crate::error::Result;
use crate::model::{ContentPath, Diagnostic};

pub(super) const UNKNOWN: &str = "unknown_config_key";

/// Reads the text of `site.yaml`.
pub(super) fn config(path: &ContentPath, text: &str) -> Result<(Config, Vec<Diagnostic>)> {
    let mut root = Fields::read(path, text)?;
    let mut config = Config::default();
    set(&mut config.title, root.text("title")?);
    set(&mut config.description, root.text("description")?);
    if let Some(url) = root.text("base_url")? {
        config.base_url = check::base_url(&url).map_err(|problem| root.error("base_url", &problem))?;
    }
    if let Some(language) = root.text("language")? {
        check::language(&language).map_err(|problem| root.error("language", &problem))?;
        config.language = language;
    }
    config.languages = languages::read(&mut root, &config.language)?;
    if let Some(zone) = root.text("timezone")? {
        if super::time_zone(&zone).is_none() {
            return Err(
                root.error("timezone", &format!("unknown time zone `{zone}`, expected a name such as `Europe/Berlin`"))
            );
        }
        config.timezone = zone;
    }
    config.author = root.text("author")?;
    checked(&mut root, "theme", check::theme, &mut config.theme)?;
    set(&mut config.theme_settings, root.any_map("theme_settings")?);
    set(&mut config.menus, menus(&mut root)?);
    set(&mut config.taxonomies, taxonomies(&mut root)?);
    let zone = config.time_zone();
    set(&mut config.collections, collections::read(&mut root, &zone)?);
    set(&mut config.permalinks, permalinks(&mut root)?);
    set(&mut config.paginate, root.count("paginate", 10_000)?);
    set(&mut config.redirects, redirects::read(&mut root)?);
    set(&mut config.crawlers, crawlers::read(&mut root)?);
    set(&mut config.seo, seo::read(&mut root)?);
    set(&mut config.feed, feed::read(&mut root)?);
    set(&mut config.markdown, markdown(&mut root)?);
    let published = publish(&mut root, &config.base_url)?;
    set(&mut config.publish, published);
    config.fetch = world::fetch(&mut root)?;
    config.uploads = world::uploads(&mut root)?;
    config.webhooks = world::webhooks(&mut root)?;
    config.indexnow = world::indexnow(&mut root)?;
    set(&mut config.params, root.any_map("params")?);
    // `finish` consumes the fields; the findings live on in a view of the same file.
    let view = root.below(&[], Map::new());
    root.finish(UNKNOWN);
    Ok((config, view.diagnostics()))
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn checked(
    fields: &mut Fields,
    key: &'static str,
    check: fn(&str) -> Result<(), String>,
    target: &mut String,
) -> Result<()> {
    if let Some(value) = fields.text(key)? {
        check(&value).map_err(|problem| fields.error(key, &problem))?;
        *target = value;
    }
    Ok(())
}

/// Menus by name, of the site or of one language.
pub(super) fn menus(root: &mut Fields) -> Result<Option<BTreeMap<String, Vec<MenuItem>>>> {
    let Some(map) = root.any_map("menus")? else { return Ok(None) };
    let at = root.below(&["menus"], Map::new());
    let menus = map.into_iter().map(|(name, items)| {
        let items = menu_items(&at, &name, &[&name], items)?;
        Ok((name, items))
    });
    menus.collect::<Result<_>>().map(Some)
}

/// `menu` is the key that errors point at; a list's items have no line of their own.
fn menu_items(at: &Fields, menu: &str, place: &[&str], items: Value) -> Result<Vec<MenuItem>> {
    let list = match items {
        Value::Null => return Ok(Vec::new()),
        Value::Array(list) => list,
        _ => return Err(at.error(menu, "expected a list of {name, url} entries")),
    };
    let read = |(index, item): (usize, Value)| {
        let Value::Object(map) = item else {
            return Err(at.error(menu, "expected a list of {name, url} entries"));
        };
        let number = index.to_string();
        let place: Vec<&str> = place.iter().copied().chain([number.as_str()]).collect();
        let mut fields = at.below(&place, map);
        let name = fields.text("name")?.unwrap_or_default();
        if name.is_empty() {
            return Err(at.error(menu, &format!("entry {} has no `name`", index + 1)));
        }
        let children = fields.any("children").unwrap_or_default();
        let place: Vec<&str> = place.iter().copied().chain(["children"]).collect();
        let entry = MenuItem {
            name,
            url: address_of(&mut fields)?,
            weight: fields.integer("weight")?.unwrap_or_default(),
            children: menu_items(at, menu, &place, children)?,
        };
        fields.finish(UNKNOWN);
        Ok(entry)
    };
    list.into_iter().enumerate().map(read).collect()
}

/// `url`, or the same under the names that say it is a page.
fn address_of(fields: &mut Fields) -> Result<String> {
    let mut found = None;
    for key in ["url", "page", "pageRef"] {
        let Some(text) = fields.text(key)? else { continue };
        if found.replace(text).is_some() {
            return Err(fields.error(key, "an entry leads to one place: give `url` or `page`, not both"));
        }
    }
    Ok(found.unwrap_or_default())
}

/// As a list of keys, a list of {name, ..} (Zola), a map of key to options, or Hugo's `singular: plural`.
fn taxonomies(root: &mut Fields) -> Result<Option<BTreeMap<String, TaxonomyConfig>>> {
    let expected = "expected a list such as [tags, categories], or a mapping from each key to its options";
    let mut found = BTreeMap::new();
    match root.any("taxonomies") {
        None => return Ok(None),
        Some(Value::Array(items)) => {
            for (index, item) in items.into_iter().enumerate() {
                match item {
                    Value::String(key) => insert_taxonomy(root, &mut found, key, TaxonomyConfig::default())?,
                    Value::Object(map) => {
                        let mut fields = root.below(&["taxonomies", &index.to_string()], map);
                        let Some(key) = fields.text("name")? else {
                            return Err(root.error("taxonomies", "an entry has no `name`"));
                        };
                        let options = taxonomy(fields)?;
                        insert_taxonomy(root, &mut found, key, options)?;
                    }
                    _ => return Err(root.error("taxonomies", expected)),
                }
            }
        }
        Some(Value::Object(map)) => {
            for (key, value) in map {
                match value {
                    Value::Object(options) => {
                        let options = taxonomy(root.below(&["taxonomies", &key], options))?;
                        insert_taxonomy(root, &mut found, key, options)?;
                    }
                    Value::Null | Value::Bool(true) => {
                        insert_taxonomy(root, &mut found, key, TaxonomyConfig::default())?;
                    }
                    Value::String(plural) => insert_taxonomy(root, &mut found, plural, TaxonomyConfig::default())?,
                    _ => return Err(root.error("taxonomies", expected)),
                }
            }
        }
        Some(_) => return Err(root.error("taxonomies", expected)),
    }
    Ok(Some(found))
}

fn insert_taxonomy(
    root: &Fields,
    found: &mut BTreeMap<String, TaxonomyConfig>,
    key: String,
    options: TaxonomyConfig,
) -> Result<()> {
    check::folder_name(&key).map_err(|problem| root.error("taxonomies", &problem))?;
    if let Some(path) = &options.path {
        check::folder_name(path).map_err(|problem| root.error("taxonomies", &problem))?;
    }
    found.insert(key, options);
    Ok(())
}

fn taxonomy(mut fields: Fields) -> Result<TaxonomyConfig> {
    let options = TaxonomyConfig {
        title: fields.text("title")?,
        path: fields.text("path")?.map(|path| path.trim_matches('/').to_owned()),
        paginate: fields.count("paginate", 10_000)?,
        feed: fields.flag("feed")?.unwrap_or_default(),
    };
    fields.finish(UNKNOWN);
    Ok(options)
}

fn permalinks(root: &mut Fields) -> Result<Option<BTreeMap<String, String>>> {
    let at = root.below(&["permalinks"], Map::new());
    let Some(map) = root.any_map("permalinks")? else { return Ok(None) };
    let read = |(section, pattern): (String, Value)| {
        let Value::String(pattern) = pattern else {
            return Err(at.error(&section, "expected a pattern such as `/:year/:month/:slug/`"));
        };
        let pattern = check::permalink(&pattern).map_err(|problem| at.error(&section, &problem))?;
        let folder = section.trim_matches('/');
        let folder = folder.strip_prefix("content/").unwrap_or(folder).to_owned();
        Ok((folder, pattern))
    };
    map.into_iter().map(read).collect::<Result<_>>().map(Some)
}

fn markdown(root: &mut Fields) -> Result<Option<MarkdownConfig>> {
    let Some(mut fields) = root.fields("markdown")? else { return Ok(None) };
    let mut markdown = MarkdownConfig::default();
    let policies = [("sanitize", RawHtml::Sanitize), ("trusted", RawHtml::Trusted), ("escape", RawHtml::Escape)];
    set(&mut markdown.raw_html, fields.choice("raw_html", &policies)?);
    set(&mut markdown.smart_punctuation, fields.flag("smart_punctuation")?);
    set(&mut markdown.highlight, fields.flag("highlight")?);
    set(&mut markdown.wikilinks, fields.flag("wikilinks")?);
    set(&mut markdown.external_links_new_tab, fields.flag("external_links_new_tab")?);
    let ids = [("github", HeadingIds::Github), ("zola", HeadingIds::Zola)];
    set(&mut markdown.heading_ids, fields.choice("heading_ids", &ids)?);
    set(&mut markdown.twins, fields.flag("twins")?);
    fields.finish(UNKNOWN);
    Ok(Some(markdown))
}

fn publish(root: &mut Fields, base_url: &str) -> Result<Option<PublishConfig>> {
    let Some(mut fields) = root.fields("publish")? else { return Ok(None) };
    let mut publish = PublishConfig::default();
    checked(&mut fields, "remote", check::git_name, &mut publish.remote)?;
    if let Some(branch) = fields.text("branch")? {
        check::git_name(&branch).map_err(|problem| fields.error("branch", &problem))?;
        publish.branch = Some(branch);
    }
    let layouts = [("folder", Layout::Folder), ("branch", Layout::Branch), ("both", Layout::Both)];
    set(&mut publish.layout, fields.choice("layout", &layouts)?);
    publish.host = fields.choice("host", &Host::NAMES)?;
    if let Some(branch) = fields.text("deploy_branch")? {
        check::git_name(&branch).map_err(|problem| fields.error("deploy_branch", &problem))?;
        publish.deploy_branch = Some(branch);
    }
    if publish.layout.has_branch() && publish.branch.as_deref() == Some(publish.output_branch()) {
        let key = if publish.deploy_branch.is_some() { "deploy_branch" } else { "branch" };
        let problem = format!("`{}` holds the sources, the output needs a branch of its own", publish.output_branch());
        return Err(fields.error(key, &problem));
    }
    if let Some(domain) = fields.flag("domain")? {
        if domain {
            check::own_domain(base_url).map_err(|problem| fields.error("domain", &problem))?;
        }
        publish.domain = domain;
    }
    set(&mut publish.history, fields.choice("history", &[("merge", History::Merge), ("linear", History::Linear)])?);
    checked(&mut fields, "output", check::output, &mut publish.output)?;
    let durability = [("power", Durability::Power), ("process", Durability::Process)];
    set(&mut publish.durability, fields.choice("durability", &durability)?);
    fields.finish(UNKNOWN);
    Ok(Some(publish))
}
