//! Themes: layouts, partials and shortcodes in Handlebars, compiled once and rendered within bounds.
//!
//! A theme cannot take the process down: `scan` bounds what the parser sees, `lower` sends everything that can recurse
//! through `blocks`, and `guard` counts steps, depth and output of each render.

mod blocks;
mod chain;
mod compile;
mod dates;
mod fault;
mod guard;
mod links;
mod lists;
mod lookups;
mod lower;
mod mentions;
mod partials;
mod scan;
mod still;
mod text;
mod values;
mod vocabulary;

use std::collections::BTreeMap;
use std::sync::Arc;

use handlebars::{Context, Handlebars, RenderContext, RenderError, Renderable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use fault::TemplateError;

use super::escape::html as escape;
use super::reads;
use crate::model::{ContentPath, Diagnostic, Snapshot};
use blocks::{BLOCKS, Block, Lookup};
use guard::{Capped, Fault, Run, Session};
use lookups::LOOKUPS;
use mentions::Mentions;

use super::{Stopwatch, stopwatch};

/// A compiled theme with everything it extends. Cheap to share in an `Arc`.
pub struct Templates {
    registry: Handlebars<'static>,
    files: BTreeMap<String, ContentPath>,
    settings: Map<String, Value>,
    assets: Vec<(String, ContentPath)>,
    theme: String,
    /// Partials that are the same on every page.
    still: still::Still,
    /// What each layout may read.
    mentions: BTreeMap<String, Mentions>,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Templates").field("theme", &self.theme).field("files", &self.files).finish_non_exhaustive()
    }
}

/// What a layout is rendered with.
#[derive(Clone, Copy)]
pub struct Render<'a> {
    /// `site`, `page`, `pages`, ... ; `settings` is added where it is missing.
    pub context: &'a Value,
    /// The page's HTML, written as it is by `{{{content}}}`.
    pub content: &'a str,
    /// The head made by the engine, written as it is by `{{{head}}}`.
    pub head: &'a str,
    /// Look-ups into the site.
    pub lists: &'a dyn Lists,
}

/// Which pages a template asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ListQuery {
    /// Section: content folder without `content/` (`blog`), or its URL path.
    pub section: Option<String>,
    /// Collection by its name in `site.yaml`: all its pages, in its order.
    pub collection: Option<String>,
    /// Taxonomy key, with `term`.
    pub taxonomy: Option<String>,
    /// Term: name or slug.
    pub term: Option<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Leave out the first ones.
    pub offset: usize,
    /// `date`, `title`, `weight` or any field, with `-` or ` desc` for descending; `None`: as the section is.
    pub sort: Option<String>,
    /// Pages of sub-sections too.
    pub recursive: bool,
    /// The further language that it asks in; `None`: the site's own.
    pub language: Option<String>,
}

/// What templates look up in the site while they render.
pub trait Lists: Sync {
    /// Stubs of pages.
    fn pages(&self, query: &ListQuery) -> Vec<Arc<Value>>;
    /// The stub of one page, by content path or URL path.
    fn page(&self, path_or_url: &str) -> Option<Arc<Value>>;
    /// `data/<name>.yaml` or `.json`.
    fn data(&self, name: &str) -> Option<Arc<Value>>;
    /// A site-relative address or content path as an `href` with the base path.
    fn url(&self, raw: &str) -> String;
    /// The same, absolute.
    fn absolute(&self, raw: &str) -> String;
    /// Markdown as HTML.
    fn markdown(&self, text: &str) -> String;
    /// Who measures templates.
    fn watch(&self) -> Option<&Stopwatch> {
        None
    }
    /// A partial that is the same on every page, where [`Lists::keep`] was told it before.
    fn kept(&self, _partial: &str) -> Option<Arc<Kept>> {
        None
    }
    /// Is told a partial that is the same on every page.
    fn keep(&self, _partial: &str, _made: Kept) {}
    /// The pages that a list of the context shows, by its name.
    fn listed(&self, _name: &str) -> Option<&[usize]> {
        None
    }
    /// What a turn of a loop writes for a page wherever that is listed, where [`Lists::keep_turn`] was told it before. `turn` is its
    /// place in memory.
    fn kept_turn(&self, _turn: usize, _page: usize) -> Option<Arc<Kept>> {
        None
    }
    /// Is told what a turn writes for a page.
    fn keep_turn(&self, _turn: usize, _page: usize, _made: Kept) {}
}

/// What is the same on every page, as the first page made it.
#[derive(Debug)]
pub struct Kept {
    html: String,
    steps: usize,
    reads: reads::Reads,
}

impl Kept {
    /// Bytes it takes, about.
    pub(crate) fn size(&self) -> usize {
        self.html.len() + size_of::<Self>()
    }
}

impl Templates {
    /// Compiles a theme: its own files, and those of the themes it extends where it has none.
    pub fn compile(snapshot: &Snapshot, theme: &str, overrides: &Map<String, Value>) -> (Self, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let chain = chain::resolve(snapshot, theme, overrides, &mut diagnostics);
        let registry = compile::registry(snapshot, theme, &chain.templates, &mut diagnostics);
        let templates = Self {
            still: still::Still::of(&registry),
            mentions: mentions::of_layouts(&registry),
            registry,
            files: chain.templates,
            settings: chain.settings,
            assets: chain.assets,
            theme: theme.to_owned(),
        };
        (templates, diagnostics)
    }

    /// The theme's settings with the site's values.
    pub fn settings(&self) -> &Map<String, Value> {
        &self.settings
    }

    /// Output path below `assets/` and source of every asset, in path order.
    pub fn assets(&self) -> &[(String, ContentPath)] {
        &self.assets
    }

    /// Every template in use by name (`layouts/page`), and its file.
    pub fn files(&self) -> &BTreeMap<String, ContentPath> {
        &self.files
    }

    /// The first of these layouts that exists. One that does not compile exists too, and says so when rendered.
    pub fn layout(&self, candidates: &[String]) -> Option<String> {
        candidates.iter().find(|name| self.files.contains_key(&format!("layouts/{name}"))).cloned()
    }

    /// Whether a layout may read this name of its context; what it may not read need not be made for it.
    pub(crate) fn may_read(&self, layout: &str, name: &str) -> bool {
        self.mentions.get(&format!("layouts/{layout}")).is_none_or(|mentions| mentions.may_read(name))
    }

    /// Which fields of `page` a layout may read; those that it may not need not be made for it.
    pub(crate) fn fields_of_page(&self, layout: Option<&str>) -> impl Fn(&str) -> bool + use<'_> {
        let mentions = layout.and_then(|layout| self.mentions.get(&format!("layouts/{layout}")));
        move |field| mentions.is_none_or(|mentions| mentions.may_read_of_page(field))
    }

    /// The file of a layout, where there is one.
    pub fn layout_path(&self, layout: &str) -> Option<&ContentPath> {
        self.files.get(&format!("layouts/{layout}"))
    }

    /// Whether the theme has this shortcode.
    pub fn has_shortcode(&self, name: &str) -> bool {
        let key = format!("shortcodes/{name}");
        reads::template(&key);
        self.files.contains_key(&key)
    }

    /// The file of a template by its whole name, such as `partials/header`.
    pub(crate) fn file_of(&self, name: &str) -> Option<&ContentPath> {
        self.files.get(name)
    }

    /// Names of the theme's shortcodes.
    pub fn shortcodes(&self) -> impl Iterator<Item = &str> {
        self.files.keys().filter_map(|key| key.strip_prefix("shortcodes/"))
    }

    /// Renders a page with a layout.
    ///
    /// # Errors
    /// [`TemplateError`] names the file and line, and the missing file where one is missing.
    pub fn render(&self, layout: &str, input: &Render<'_>) -> Result<String, TemplateError> {
        self.render_owned(layout, input.context.clone(), input)
    }

    /// The same with a context that is given away, which saves copying it: `input.context` is not looked at.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn render_owned(&self, layout: &str, context: Value, input: &Render<'_>) -> Result<String, TemplateError> {
        let mut context = context;
        self.render_lent(layout, &mut context, input)
    }

    /// The same with a context that is lent, and gets `settings` where it has none: what many pages share is made once.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn render_lent(&self, layout: &str, context: &mut Value, input: &Render<'_>) -> Result<String, TemplateError> {
        let run = Run::new(Some(input.content), input.head, input.lists, &self.theme, &self.still);
        self.run("layouts", layout, context, &run)
    }

    /// Renders a shortcode. `{{{inner}}}` writes `inner_html`.
    ///
    /// # Errors
    /// As [`Templates::render`].
    pub fn shortcode(
        &self,
        name: &str,
        context: &Value,
        inner_html: Option<&str>,
        lists: &dyn Lists,
    ) -> Result<String, TemplateError> {
        let run = Run::new(inner_html, "", lists, &self.theme, &self.still);
        self.run("shortcodes", name, &mut context.clone(), &run)
    }

    fn run(&self, kind: &str, name: &str, data: &mut Value, run: &Run<'_>) -> Result<String, TemplateError> {
        let key = format!("{kind}/{name}");
        reads::template(&key);
        let Some(template) = self.registry.get_template(&key) else {
            return Err(self.missing(kind, name, &key));
        };
        if let Value::Object(map) = data
            && !map.contains_key("settings")
        {
            map.insert("settings".into(), Value::Object(self.settings.clone()));
        }
        let mut context = Context::from(std::mem::take(data));
        let mut out = Capped::default();
        let result: Result<(), RenderError> = Session::begin().map_err(RenderError::from).and_then(|_session| {
            let mut render = RenderContext::new(template.name.as_ref());
            for (name, call) in BLOCKS {
                render.register_local_helper(name, Box::new(Block { run, call: *call }));
            }
            for (name, call, html) in LOOKUPS {
                render.register_local_helper(name, Box::new(Lookup { run, call: *call, html: *html }));
            }
            stopwatch::template(run.lists.watch(), &key, || {
                template.render(&self.registry, &context, &mut render, &mut out)
            })
        });
        *data = std::mem::take(context.data_mut());
        match result {
            Ok(()) => Ok(out.into_string()),
            Err(error) => {
                let at = error.template_name.as_deref().and_then(|name| self.files.get(name));
                Err(TemplateError::of(&error, at.cloned().unwrap_or_else(|| self.file_or(&key))))
            }
        }
    }

    /// The file of a template, or the place where it would be.
    fn file_or(&self, key: &str) -> ContentPath {
        let file = self.files.get(key).cloned();
        file.or_else(|| ContentPath::from_disk(&format!("themes/{}/{key}.hbs", self.theme)).ok())
            .unwrap_or_else(site_yaml)
    }

    fn missing(&self, kind: &str, name: &str, key: &str) -> TemplateError {
        let what = kind.trim_end_matches('s');
        if self.files.contains_key(key) {
            let message = format!("the {what} `{name}` does not compile");
            return TemplateError {
                path: self.file_or(key),
                line: 0,
                message,
                hint: "Mend the error reported for this file.".into(),
                refers: None,
            };
        }
        let prefix = format!("{kind}/");
        let near = near(name, self.files.keys().filter_map(|key| key.strip_prefix(&prefix)));
        let file = format!("themes/{}/{key}.hbs", self.theme);
        let hint = did_you_mean(&near, &format!("Create {file}."));
        let message = format!("the theme has no {what} `{name}`");
        TemplateError { path: self.file_or(key), line: 0, message, hint, refers: Some(file) }
    }
}

fn site_yaml() -> ContentPath {
    #[expect(clippy::expect_used, reason = "a constant path that from_disk accepts")]
    ContentPath::from_disk("site.yaml").expect("a plain relative path")
}

/// A partial that no theme of the chain has.
fn missing_partial<'a>(theme: &str, name: &str, names: impl Iterator<Item = &'a str>) -> Fault {
    let file = format!("themes/{theme}/partials/{name}.hbs");
    let near = near(name, names);
    let mut fault =
        Fault::new(format!("there is no partial `{name}`"), did_you_mean(&near, &format!("Create {file}.")));
    fault.refers = Some(file);
    fault
}

/// At most three names that look like this one, best first.
fn near<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let score = |other: &str| similar::TextDiff::from_chars(name, other).ratio();
    let mut scored: Vec<(f32, &str)> =
        names.take(2_000).map(|other| (score(other), other)).filter(|(score, _)| *score > 0.6).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, other)| other.to_owned()).collect()
}

fn did_you_mean(near: &[String], otherwise: &str) -> String {
    if near.is_empty() { otherwise.to_owned() } else { format!("Did you mean `{}`?", near.join("` or `")) }
}

/// A theme of these templates, each by its whole name and text.
#[cfg(test)]
fn compiled(templates: &[(&str, &str)]) -> Templates {
    use crate::model::{BlobId, Data, File};
    let mut snapshot = Snapshot::default();
    let files = templates.iter().map(|(name, text)| (format!("{name}.hbs"), *text));
    for (name, text) in files.chain([("theme.yaml".to_owned(), "name: t\nversion: 1.0.0\n")]) {
        let file = File { id: BlobId([0; 20]), size: 0, data: Data::Loaded(text.as_bytes().into()) };
        if let Ok(path) = ContentPath::from_disk(&format!("themes/t/{name}")) {
            snapshot.set(path, Some(file));
        }
    }
    Templates::compile(&snapshot, "t", &Map::new()).0
}
