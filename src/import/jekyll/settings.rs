//! `_config.yml` as settings of ours, and what the rest of the import needs of it.

use serde_json::{Map, Value, json};

use super::super::draft::Draft;
use super::super::front::{SourcePage, plain, texts};
use super::super::settings::{self, Entry};
use super::super::source::{Source, split};
use super::place::{Addresses, Role};
use crate::error::Result;

/// Names of the file.
const FILES: [&str; 3] = ["_config.yml", "_config.yaml", "_config.toml"];
/// Keys that are read here.
const READ: [&str; 17] = [
    "title",
    "name",
    "description",
    "url",
    "baseurl",
    "lang",
    "locale",
    "timezone",
    "author",
    "permalink",
    "collections",
    "defaults",
    "exclude",
    "include",
    "paginate",
    "header_pages",
    "excerpt_separator",
];
/// Keys of Jekyll and its plugins that mean nothing here.
const ENGINE: [&str; 44] = [
    "plugins",
    "gems",
    "theme",
    "remote_theme",
    "markdown",
    "kramdown",
    "highlighter",
    "sass",
    "source",
    "destination",
    "keep_files",
    "future",
    "unpublished",
    "limit_posts",
    "incremental",
    "profile",
    "liquid",
    "host",
    "port",
    "encoding",
    "markdown_ext",
    "show_drafts",
    "safe",
    "whitelist",
    "detach",
    "lsi",
    "quiet",
    "verbose",
    "webrick",
    "paginate_path",
    "pagination",
    "repository",
    "github",
    "feed",
    "jekyll-archives",
    "sitemap",
    "compress_html",
    "category_archive",
    "tag_archive",
    "minify",
    "plugins_dir",
    "layouts_dir",
    "data_dir",
    "includes_dir",
];

/// One collection.
#[derive(Debug, Clone, Default)]
pub(super) struct Collection {
    /// Its folder is `_label`.
    pub(super) label: String,
    /// Whether its documents are pages.
    pub(super) output: bool,
    /// Pattern of their addresses.
    pub(super) permalink: Option<String>,
}

/// Front matter that the configuration gives to pages.
#[derive(Debug, Clone)]
struct Default {
    path: String,
    kind: String,
    values: Map<String, Value>,
}

/// The configuration.
pub(super) struct Config {
    /// All of it.
    pub(super) all: Map<String, Value>,
    /// The file, for reports.
    pub(super) file: &'static str,
    /// What addresses depend on.
    pub(super) addresses: Addresses,
    /// Collections besides posts.
    pub(super) collections: Vec<Collection>,
    /// Folder that holds the collections; empty: the site's.
    pub(super) collections_dir: String,
    /// What ends the excerpt.
    pub(super) excerpt: Option<String>,
    defaults: Vec<Default>,
    exclude: Vec<String>,
    include: Vec<String>,
}

impl Config {
    /// Reads it.
    pub(super) fn read(source: &Source) -> Result<Self> {
        let file = FILES.into_iter().find(|file| source.contains(file)).unwrap_or(FILES[0]);
        let all = match source.text(file) {
            Some(text) => settings::read_map(file, text)?,
            None => Map::new(),
        };
        let text = |key: &str| all.get(key).and_then(plain);
        let list = |key: &str| all.get(key).map(texts).unwrap_or_default();
        let addresses = Addresses {
            permalink: text("permalink").unwrap_or_default(),
            zone: text("timezone").unwrap_or_else(|| "UTC".into()),
        };
        Ok(Self {
            addresses,
            collections: collections(all.get("collections")),
            collections_dir: text("collections_dir").unwrap_or_default().trim_matches('/').to_owned(),
            excerpt: text("excerpt_separator"),
            defaults: all.get("defaults").and_then(Value::as_array).into_iter().flatten().filter_map(default).collect(),
            exclude: list("exclude").iter().map(|path| path.trim_matches('/').to_owned()).collect(),
            include: list("include").iter().map(|path| path.trim_matches('/').to_owned()).collect(),
            file,
            all,
        })
    }

    /// Whether the configuration keeps a file out.
    pub(super) fn excludes(&self, path: &str) -> bool {
        self.exclude
            .iter()
            .any(|pattern| path == pattern || path.starts_with(&format!("{pattern}/")) || matches(pattern, path))
    }

    /// Whether the configuration takes a hidden or underscored file in.
    pub(super) fn includes(&self, path: &str) -> bool {
        self.include.iter().any(|name| path == name || path.starts_with(&format!("{name}/")))
    }

    /// Front matter a page is given; the last and narrowest scope wins.
    pub(super) fn defaults(&self, role: &Role, path: &str) -> Map<String, Value> {
        let kind = match role {
            Role::Post(_) => "posts",
            Role::Draft => "drafts",
            Role::Document(label, _) => label,
            Role::Page => "pages",
        };
        let mut scopes: Vec<&Default> = self
            .defaults
            .iter()
            .filter(|scope| scope.kind.is_empty() || scope.kind == kind || (kind == "drafts" && scope.kind == "posts"))
            .filter(|scope| {
                scope.path.is_empty()
                    || path == scope.path
                    || path.starts_with(&format!("{}/", scope.path))
                    || (scope.path.contains('*') && matches(&scope.path, path))
            })
            .collect();
        scopes.sort_by_key(|scope| (scope.path.len(), !scope.kind.is_empty()));
        let mut values = Map::new();
        for scope in scopes {
            values.extend(scope.values.clone());
        }
        values
    }

    /// Turns it into settings of ours and reports the rest.
    pub(super) fn settle(&self, draft: &mut Draft<'_>) {
        let all = &self.all;
        let text = |key: &str| all.get(key).and_then(plain);
        settings::set(draft, "title", text("title").or_else(|| text("name")).map(Value::from));
        settings::set(
            draft,
            "description",
            text("description").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ").into()),
        );
        settings::set(draft, "base_url", settings::base_url(all.get("url"), all.get("baseurl")));
        settings::set(
            draft,
            "language",
            text("lang").or_else(|| text("locale")).map(|tag| tag.replace('_', "-").into()),
        );
        settings::set(draft, "timezone", all.get("timezone").cloned());
        let author = all.get("author").and_then(|author| plain(author).or_else(|| author.get("name").and_then(plain)));
        settings::set(draft, "author", author.map(Value::from));
        settings::set(draft, "paginate", all.get("paginate").filter(|size| size.is_u64()).cloned());
        settings::set(draft, "taxonomies", Some(json!({"categories": {}, "tags": {}})));
        let tokens = [
            ("year", ":year"),
            ("month", ":month"),
            ("day", ":day"),
            ("title", ":slug"),
            ("slug", ":slug"),
            ("categories", ""),
            ("output_ext", ".html"),
        ];
        if let Some(pattern) = settings::permalink(self.addresses.posts(), &tokens) {
            settings::set(draft, "permalinks", Some(json!({"posts": pattern})));
        } else {
            let advice = "posts keep their addresses by `url` in their front matter; new pages get the usual ones";
            draft.lost("permalink", self.addresses.posts(), self.file, 0, advice);
        }
        self.settle_menu(draft);
        let mut params = Map::new();
        for (key, value) in all {
            if ENGINE.contains(&key.as_str()) {
                let kept = !matches!(key.as_str(), "plugins" | "gems" | "theme" | "remote_theme");
                if !kept {
                    draft.lost(
                        "setting",
                        key,
                        self.file,
                        0,
                        "not needed or not possible here: plugins and themes of Jekyll do not run",
                    );
                }
            } else if !READ.contains(&key.as_str()) && key != "collections_dir" && !value.is_null() {
                params.insert(key.clone(), value.clone());
            }
        }
        settings::set(draft, "params", Some(Value::Object(params)));
    }

    /// The habits of two common themes: `header_pages`, and `_data/navigation.yml`.
    fn settle_menu(&self, draft: &mut Draft<'_>) {
        let source = draft.source;
        let mut entries = Vec::new();
        for path in self.all.get("header_pages").map(texts).unwrap_or_default() {
            let Some(page) = source.contains(&path).then(|| SourcePage::read(draft, &path)).flatten() else { continue };
            let name = page.text(&["title"]).unwrap_or_else(|| path.clone());
            let url = self.addresses.url(&Role::Page, &page, page.text(&["permalink"]).as_deref(), None);
            entries.push(Entry { key: name.clone(), name, url: url.unwrap_or_default(), ..Entry::default() });
        }
        for file in ["_data/navigation.yml", "_data/navigation.yaml", "_data/nav.yml", "_data/menu.yml"] {
            let Some(Ok(value)) =
                source.text(file).filter(|_| entries.is_empty()).map(|text| settings::read(file, text))
            else {
                continue;
            };
            let list = value.as_array().or_else(|| value.get("main").and_then(Value::as_array));
            for item in list.into_iter().flatten() {
                let text = |keys: [&str; 3]| keys.iter().find_map(|key| item.get(*key).and_then(plain));
                if let (Some(name), Some(url)) = (text(["title", "name", "label"]), text(["url", "link", "href"])) {
                    entries.push(Entry { key: name.clone(), name, url, ..Entry::default() });
                }
            }
        }
        if !entries.is_empty() {
            settings::set(draft, "menus", Some(json!({"main": settings::menu(&entries)})));
        }
    }
}

fn collections(value: Option<&Value>) -> Vec<Collection> {
    let one = |label: &str, map: &Value| Collection {
        label: label.to_owned(),
        output: map.get("output") == Some(&Value::Bool(true)),
        permalink: map.get("permalink").and_then(plain),
    };
    match value {
        Some(Value::Object(map)) => {
            map.iter().filter(|(label, _)| *label != "posts").map(|(label, value)| one(label, value)).collect()
        }
        Some(Value::Array(items)) => items.iter().filter_map(plain).map(|label| one(&label, &Value::Null)).collect(),
        _ => Vec::new(),
    }
}

fn default(value: &Value) -> Option<Default> {
    let scope = value.get("scope")?;
    let text = |key: &str| scope.get(key).and_then(plain).unwrap_or_default();
    let kind = match text("type").as_str() {
        "post" => "posts".to_owned(),
        "page" => "pages".to_owned(),
        "draft" => "drafts".to_owned(),
        kind => kind.to_owned(),
    };
    Some(Default {
        path: text("path").trim_matches('/').to_owned(),
        kind,
        values: value.get("values")?.as_object()?.clone(),
    })
}

/// A pattern with `*`, against the path or its name.
fn matches(pattern: &str, path: &str) -> bool {
    if !pattern.contains('*') {
        return false;
    }
    let fits = |text: &str| {
        let mut rest = text;
        for (number, part) in pattern.split('*').filter(|part| !part.is_empty()).enumerate() {
            match rest.find(part) {
                Some(at) if number > 0 || at == 0 || pattern.starts_with('*') => rest = &rest[at + part.len()..],
                _ => return false,
            }
        }
        pattern.ends_with('*') || rest.is_empty()
    };
    fits(path) || fits(split(path).1)
}
