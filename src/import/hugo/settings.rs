//! Hugo's configuration, in one file or in `config/_default/`, as settings of ours.

use serde_json::{Map, Value, json};

use super::super::draft::Draft;
use super::super::front::plain;
use super::super::settings::{self, Entry};
use super::super::source::{Source, stem};
use crate::error::Result;

/// Names of the one file, the newest habit first.
const FILES: [&str; 4] = ["hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json"];
const OLD: [&str; 4] = ["config.toml", "config.yaml", "config.yml", "config.json"];

/// Keys that are read, or that mean nothing here.
const READ: [&str; 44] = [
    "title",
    "baseurl",
    "languagecode",
    "locale",
    "defaultcontentlanguage",
    "defaultcontentlanguageinsubdir",
    "languages",
    "timezone",
    "params",
    "author",
    "copyright",
    "taxonomies",
    "paginate",
    "pagination",
    "menu",
    "menus",
    "permalinks",
    "contentdir",
    "staticdir",
    "datadir",
    "layoutdir",
    "themesdir",
    "assetdir",
    "archetypedir",
    "publishdir",
    "theme",
    "uglyurls",
    "disablepathtolower",
    "frontmatter",
    "builddrafts",
    "buildfuture",
    "buildexpired",
    "enablerobotstxt",
    "enablegitinfo",
    "canonifyurls",
    "relativeurls",
    "pygmentscodefences",
    "pygmentsstyle",
    "minify",
    "caches",
    "build",
    "server",
    "security",
    "removepathaccents",
];

/// What the rest of the import needs to know.
#[derive(Debug, Clone, Default)]
pub(in crate::import) struct Config {
    /// Everything, keys at the top in lower case.
    pub(super) all: Map<String, Value>,
    /// The file that is named in reports.
    pub(super) file: String,
    /// Language without a prefix.
    pub(super) language: String,
    /// Other languages with their content folder, where they have one.
    pub(super) others: Vec<(String, Option<String>)>,
    /// Content folder of the default language.
    pub(super) content: String,
    /// The default language has a prefix too.
    pub(super) prefixed: bool,
    /// `/a.html` instead of `/a/`.
    pub(super) ugly: bool,
    /// Paths are made lower case.
    pub(super) lower: bool,
    /// Dates come off file names.
    pub(super) dated_names: bool,
    /// Front matter keys of taxonomies.
    pub(super) taxonomies: Vec<String>,
    /// Pattern of pages by first folder.
    pub(super) permalinks: Vec<(String, String)>,
    /// Pattern of sections by first folder.
    pub(super) section_permalinks: Vec<(String, String)>,
    /// Time zone of dates without one.
    pub(super) zone: String,
}

/// The files that make a folder a Hugo site for certain.
pub(in crate::import) fn files(source: &Source) -> impl Iterator<Item = &'static str> {
    let known = FILES.into_iter().chain([
        "config/_default/hugo.toml",
        "config/_default/config.toml",
        "config/_default/hugo.yaml",
        "config/_default/config.yaml",
    ]);
    let known: Vec<&'static str> = known.filter(|path| source.contains(path)).collect();
    known.into_iter()
}

impl Config {
    /// Reads it.
    pub(super) fn read(source: &Source) -> Result<Self> {
        let mut all = Map::new();
        let mut file = String::new();
        let single = FILES.iter().chain(&OLD).find(|path| source.contains(path));
        for path in single.copied().into_iter().chain(source.below("config/_default")) {
            let Some(text) = source.text(path) else { continue };
            if !matches!(path.rsplit_once('.').map(|(_, ending)| ending), Some("toml" | "yaml" | "yml" | "json")) {
                continue;
            }
            if file.is_empty() {
                path.clone_into(&mut file);
            }
            let map = settings::read_map(path, text)?;
            let name = stem(path.rsplit('/').next().unwrap_or(path)).to_ascii_lowercase();
            let key = name.split('.').next().unwrap_or(&name);
            let map = match key {
                "hugo" | "config" => lower(map),
                key => Map::from_iter([(key.to_owned(), Value::Object(map))]),
            };
            for (key, value) in map {
                all.entry(key).or_insert(value);
            }
        }
        let text = |key: &str| all.get(key).and_then(plain);
        let flag = |key: &str| all.get(key) == Some(&Value::Bool(true));
        let language = text("defaultcontentlanguage").unwrap_or_else(|| "en".into());
        let folder = text("contentdir").unwrap_or_else(|| "content".into());
        let of = |map: &Value| lower(map.as_object().cloned().unwrap_or_default()).get("contentdir").and_then(plain);
        let languages = all.get("languages").and_then(Value::as_object).cloned().unwrap_or_default();
        let content = languages.get(&language).and_then(of).unwrap_or(folder);
        let others = languages.iter().filter(|(code, _)| **code != language);
        let others = others.map(|(code, map)| (code.clone(), of(map))).collect();
        let dates = all.get("frontmatter").and_then(|value| value.get("date")).map(ToString::to_string);
        Ok(Self {
            language,
            others,
            content: content.trim_matches('/').to_owned(),
            prefixed: flag("defaultcontentlanguageinsubdir"),
            ugly: flag("uglyurls"),
            lower: !flag("disablepathtolower"),
            dated_names: dates.is_some_and(|dates| dates.contains(":filename")),
            taxonomies: taxonomies(&all),
            permalinks: permalinks(&all, "page"),
            section_permalinks: permalinks(&all, "section"),
            zone: text("timezone").unwrap_or_else(|| "UTC".into()),
            file,
            all,
        })
    }

    /// A value of the default language, else of the site.
    fn value(&self, key: &str) -> Option<Value> {
        let own = self.all.get("languages").and_then(|all| all.get(&self.language)).and_then(Value::as_object);
        own.and_then(|own| lower(own.clone()).get(key).cloned()).or_else(|| self.all.get(key).cloned())
    }

    /// Turns it into settings of ours and reports the rest.
    pub(super) fn settle(&self, draft: &mut Draft<'_>) {
        let params = self.value("params").and_then(|params| params.as_object().cloned()).unwrap_or_default();
        let author = self.value("author").or_else(|| params.get("author").cloned());
        let author = author.and_then(|author| plain(&author).or_else(|| author.get("name").and_then(plain)));
        settings::set(draft, "title", self.value("title"));
        settings::set(draft, "description", params.get("description").and_then(plain).map(Value::from));
        settings::set(draft, "base_url", settings::base_url(self.all.get("baseurl"), None));
        let language = self.value("languagecode").or_else(|| self.value("locale")).and_then(|code| plain(&code));
        settings::set(draft, "language", Some(language.unwrap_or_else(|| self.language.clone()).into()));
        settings::set(draft, "timezone", self.value("timezone"));
        settings::set(draft, "author", author.map(Value::from));
        let size =
            self.all.get("paginate").or_else(|| self.all.get("pagination").and_then(|value| value.get("pagerSize")));
        settings::set(draft, "paginate", size.cloned());
        self.settle_taxonomies(draft);
        self.settle_permalinks(draft);
        let menus = self.value("menus").or_else(|| self.value("menu"));
        let menus = menus.map(|menus| self::menus(draft, &self.file, &menus));
        settings::set(draft, "menus", menus);
        let mut rest = params;
        rest.retain(|key, _| key != "description" && key != "author");
        if let Some(copyright) = self.value("copyright") {
            rest.entry("copyright").or_insert(copyright);
        }
        settings::set(draft, "params", Some(Value::Object(rest)));
        settings::leftover(draft, &self.file, &self.all, &READ);
        for (code, _) in &self.others {
            let advice = "its pages are taken over with their addresses and `lang`; name it in `languages` for lists, menus and a title of its own";
            draft.lost("language", code, &self.file, 0, advice);
        }
    }

    fn settle_taxonomies(&self, draft: &mut Draft<'_>) {
        let mut map = Map::new();
        for key in &self.taxonomies {
            // Patterns of terms stand among the pages' in older sites.
            let pattern = permalinks(&self.all, "term").into_iter().chain(self.permalinks.clone());
            let path = pattern
                .into_iter()
                .find(|(name, _)| name == key)
                .and_then(|(_, pattern)| pattern.trim_matches('/').split_once("/:").map(|(path, _)| path.to_owned()));
            let options = path.filter(|path| path != key && !path.contains('/')).map(|path| json!({"path": path}));
            map.insert(key.clone(), options.unwrap_or_else(|| json!({})));
        }
        draft.settings.insert("taxonomies".into(), Value::Object(map));
    }

    fn settle_permalinks(&self, draft: &mut Draft<'_>) {
        let tokens = [
            ("year", ":year"),
            ("month", ":month"),
            ("day", ":day"),
            ("section", ":section"),
            ("sections", ":sections"),
            ("title", ":title"),
            ("slug", ":slug"),
            ("slugorfilename", ":slug"),
            ("slugorcontentbasename", ":slug"),
            ("filename", ":filename"),
            ("contentbasename", ":filename"),
        ];
        let mut map = Map::new();
        for (section, pattern) in self.permalinks.iter().filter(|(section, _)| !self.taxonomies.contains(section)) {
            match settings::permalink(pattern, &tokens) {
                Some(pattern) => {
                    map.insert(section.clone(), pattern.into());
                }
                None => draft.lost(
                    "permalink",
                    pattern,
                    &self.file,
                    0,
                    "pages keep their addresses by `url` in their front matter; new pages get the usual ones",
                ),
            }
        }
        settings::set(draft, "permalinks", Some(Value::Object(map)));
    }
}

/// Hugo does not care for the case of keys.
fn lower(map: Map<String, Value>) -> Map<String, Value> {
    map.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect()
}

fn taxonomies(all: &Map<String, Value>) -> Vec<String> {
    match all.get("taxonomies") {
        Some(Value::Object(map)) => map.values().filter_map(plain).collect(),
        _ => vec!["categories".into(), "tags".into()],
    }
}

/// Patterns of a kind; written without a kind they are those of pages.
fn permalinks(all: &Map<String, Value>, kind: &str) -> Vec<(String, String)> {
    let Some(Value::Object(map)) = all.get("permalinks") else { return Vec::new() };
    let texts = |map: &Map<String, Value>| -> Vec<(String, String)> {
        map.iter()
            .filter_map(|(key, value)| Some((key.trim_matches('/').to_owned(), value.as_str()?.to_owned())))
            .collect()
    };
    let mut found = map.get(kind).and_then(Value::as_object).map(texts).unwrap_or_default();
    if kind == "page" {
        found.extend(texts(map));
    }
    found
}

fn menus(draft: &mut Draft<'_>, file: &str, menus: &Value) -> Value {
    let mut out = Map::new();
    for (name, items) in menus.as_object().into_iter().flatten() {
        let mut entries = Vec::new();
        for item in items.as_array().into_iter().flatten().filter_map(Value::as_object) {
            let item = lower(item.clone());
            let text = |key: &str| item.get(key).and_then(plain).unwrap_or_default();
            let name = [text("name"), text("title"), text("identifier")].into_iter().find(|name| !name.is_empty());
            let page = text("pageref");
            let url = if page.is_empty() { text("url") } else { page_url(&page) };
            let name = name.unwrap_or_else(|| url.trim_matches('/').to_owned());
            let key = if text("identifier").is_empty() { name.clone() } else { text("identifier") };
            if ["pre", "post"].iter().any(|key| !text(key).is_empty()) {
                draft.lost("menu", "pre, post", file, 0, "left out: markup around entries is the theme's");
            }
            let weight = item.get("weight").and_then(Value::as_i64).unwrap_or_default();
            entries.push(Entry { key, name, url, weight, parent: text("parent") });
        }
        out.insert(name.clone(), settings::menu(&entries));
    }
    Value::Object(out)
}

/// A page reference names a content path; its address is the usual one.
fn page_url(page: &str) -> String {
    let path = page.trim_matches('/');
    let path = path.strip_suffix(".md").unwrap_or(path);
    let path = path.strip_suffix("_index").or_else(|| path.strip_suffix("index")).unwrap_or(path);
    super::super::address::ours(&super::super::address::hugo(&format!("/{}/", path.trim_matches('/')), true))
}
