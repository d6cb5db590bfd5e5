//! Other generators' sites, folders, feeds and tables as files of ours: pure, so a plan, an import and a test are the same call.

mod address;
mod body;
mod draft;
mod feed;
mod front;
mod hugo;
mod jekyll;
mod links;
mod markdown;
mod report;
mod select;
mod settings;
mod shortcodes;
mod source;
mod table;
mod zola;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::ContentPath;

pub use report::{Lost, Report};
pub use shortcodes::names as shortcode_names;
pub use source::{Entry, Source, is_read, is_skipped};

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole Hugo site.
    Hugo,
    /// A whole Jekyll site.
    Jekyll,
    /// A whole Zola site.
    Zola,
    /// A folder of Markdown files.
    Markdown,
    /// An RSS, RDF or Atom feed.
    Feed,
    /// A table, a row for each page.
    Csv,
}

impl Kind {
    /// Every kind with the name callers give it.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("hugo", Self::Hugo),
        ("jekyll", Self::Jekyll),
        ("zola", Self::Zola),
        ("markdown", Self::Markdown),
        ("feed", Self::Feed),
        ("csv", Self::Csv),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// What a single file is: a table by its ending, else a feed.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
        match ending.as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "xml" | "rss" | "atom" | "rdf" => Some(Self::Feed),
            _ => None,
        }
    }

    /// What a source looks like from its files.
    ///
    /// # Errors
    /// [`Error::InvalidArguments`] where it looks like nothing known.
    pub fn detect(source: &Source) -> Result<Self> {
        let has = |path: &str| source.contains(path);
        let below = |folder: &str| source.below(folder).next().is_some();
        let markdown = source.paths().any(source::is_markdown);
        if has("_config.yml") || has("_config.yaml") || has("_config.toml") || below("_posts") {
            Ok(Self::Jekyll)
        } else if hugo::config_files(source).next().is_some() {
            Ok(Self::Hugo)
        } else if has("config.toml") || has("zola.toml") {
            Ok(if zola::is_zola(source) { Self::Zola } else { Self::Hugo })
        } else if (has("config.yaml") || has("config.yml") || has("config.json")) && below("content") {
            Ok(Self::Hugo)
        } else if markdown {
            Ok(Self::Markdown)
        } else {
            Err(Error::InvalidArguments {
                field: "from".into(),
                problem: "nothing there looks like a site or a folder of Markdown".into(),
                example: "\"from\": \"../old-site\", \"kind\": \"hugo\"".into(),
            })
        }
    }
}

/// How to import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Content folder that everything goes below; empty: `content/` itself.
    pub section: String,
    /// Shortcodes that the site's theme has.
    pub shortcodes: BTreeSet<String>,
    /// The site's own address: entries of a feed that live there keep theirs.
    pub base_url: String,
    /// At most so many pages, the newest; 0: all.
    pub limit: usize,
    /// No pages dated before.
    pub since: Option<jiff::Timestamp>,
    /// Headings of a table and what their columns are: a key of the front matter, `body`, `path`, or empty for nothing.
    pub columns: BTreeMap<String, String>,
}

/// A page as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPage {
    /// Where it goes.
    pub target: ContentPath,
    /// Where it came from.
    pub source: String,
    /// The whole file.
    pub text: String,
    /// The URL path it had; `None`: it may be whatever it is here.
    pub url: Option<String>,
}

/// Any other file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Where it goes.
    pub target: ContentPath,
    /// Where its bytes are in the source.
    pub source: String,
    /// Its new bytes, where it is not copied as it is.
    pub text: Option<String>,
}

/// How the other engine writes a term into a URL.
pub type TermSlug = fn(&str) -> String;

/// Everything an import would write, and what it could not take along.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the source is.
    pub kind: Kind,
    /// Pages, in the order of the source's paths.
    pub pages: Vec<PlannedPage>,
    /// Assets, static files and data.
    pub files: Vec<PlannedFile>,
    /// Keys of `site.yaml` that the source sets.
    pub settings: Map<String, Value>,
    /// Old address to new one.
    pub redirects: Map<String, Value>,
    /// How terms stood in URLs; `None`: there were no pages of terms.
    pub term: Option<TermSlug>,
    /// What did not carry over.
    pub report: Report,
}

/// Plans an import.
///
/// # Errors
/// Where the source's own configuration cannot be read.
pub fn plan(source: &Source, kind: Kind, options: &Options) -> Result<Plan> {
    if kind != Kind::Csv && !options.columns.is_empty() {
        return Err(Error::InvalidArguments {
            field: "columns".into(),
            problem: format!("a {} source has no columns", kind.name()),
            example: "leave `columns` out".into(),
        });
    }
    let mut draft = draft::Draft::new(source, kind, options);
    match kind {
        Kind::Hugo => hugo::plan(&mut draft)?,
        Kind::Jekyll => jekyll::plan(&mut draft)?,
        Kind::Zola => zola::plan(&mut draft)?,
        Kind::Markdown => markdown::plan(&mut draft),
        Kind::Feed => feed::plan(&mut draft)?,
        Kind::Csv => table::plan(&mut draft)?,
    }
    Ok(draft.finish())
}
