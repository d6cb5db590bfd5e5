//! Pages, sections, taxonomies, and the library that holds them: the site as a reader sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{BlobId, Config, ContentPath, Date, QuickMap, SharedVec};

/// What a page is (Hugo's kinds).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    /// `content/_index.md`, or the home page without a file.
    Home,
    /// A Markdown file.
    Page,
    /// `content/<folder>/_index.md`, or a folder with pages but without one.
    Section,
}

/// Whether a page is part of the published build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageState {
    /// It is.
    Live,
    /// `draft: true`.
    Draft,
    /// Its date is in the future.
    Scheduled,
    /// `expires` is past.
    Expired,
}

/// One heading of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Fragment, unique in the page.
    pub id: String,
    /// Text without markup.
    pub text: String,
    /// 1-based line in the body.
    pub line: usize,
}

/// Where a link in a body leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkTarget {
    /// A page of this site: its content path and fragment.
    Page(ContentPath, Option<String>),
    /// A file of this site (bundle asset or static file).
    File(ContentPath),
    /// Another host, `mailto:` and the like, as written.
    External,
    /// Something the engine makes: the list of a term, a feed, the sitemap; its URL path.
    Listing(String),
    /// Something of this site that does not exist.
    Broken,
}

/// One link or image in a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// As written.
    pub raw: String,
    /// Where it leads.
    pub target: LinkTarget,
    /// 1-based line in the file.
    pub line: usize,
    /// Whether it is an image.
    pub image: bool,
}

/// One page, section or home page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Content path; for a section or home page without `_index.md`, where that file would be.
    pub path: ContentPath,
    /// Whether the file exists (false for sections without `_index.md`).
    pub exists: bool,
    /// Blob id of the file.
    pub blob: Option<BlobId>,
    /// What it is.
    pub kind: PageKind,
    /// URL path without the base path, with slashes at both ends: `/blog/hello/`.
    pub url: String,
    /// Title: front matter, else first heading, else from the file name.
    pub title: String,
    /// Front matter `description`, where given.
    pub description: Option<String>,
    /// Start of the body as plain text (or up to `<!--more-->`), for lists and feeds.
    pub summary: String,
    /// Publication date.
    #[serde(with = "super::date::whole")]
    pub date: Option<Date>,
    /// Last change, where given.
    #[serde(with = "super::date::whole")]
    pub updated: Option<Date>,
    /// Expiry, where given.
    #[serde(with = "super::date::whole")]
    pub expires: Option<Date>,
    /// Whether it goes out.
    pub state: PageState,
    /// Whether this build has it: live, or a draft or scheduled page that the options ask for.
    pub included: bool,
    /// Whether lists, feeds and the sitemap may name it.
    pub listed: bool,
    /// Sorting among siblings; lower first.
    pub weight: Option<i64>,
    /// Layout name asked for.
    pub layout: Option<String>,
    /// Old URL paths that redirect here.
    pub aliases: Vec<String>,
    /// Terms by taxonomy key, as written.
    pub terms: BTreeMap<String, Vec<String>>,
    /// Authors.
    pub authors: Vec<String>,
    /// Share image: URL path or absolute URL.
    pub image: Option<String>,
    /// Keep out of search engines and sitemap.
    pub noindex: bool,
    /// Language, where it differs from the site's.
    pub lang: Option<String>,
    /// What it shares with its translations; `None`: it has none.
    pub translation_key: Option<String>,
    /// A translation by its file's name (`about.de.md`).
    pub variant: bool,
    /// Menus it asks to be in.
    pub menus: Vec<MenuPlace>,
    /// Whole front matter.
    pub front_matter: Map<String, Value>,
    /// What the sections above hand down to it: values that its own front matter lacks.
    pub inherited: Map<String, Value>,
    /// 1-based line on which the body begins.
    pub body_line: usize,
    /// Headings.
    pub outline: Vec<Heading>,
    /// Links and images.
    pub links: Vec<Link>,
    /// Words in the body.
    pub word_count: usize,
    /// Assets of the bundle, in path order.
    pub assets: Vec<ContentPath>,
    /// Content folder of the section it belongs to, without final slash: `content/blog`.
    pub section: String,
}

impl Page {
    /// Whether its changes stay unpublished until `hold` goes from its front matter.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.front_matter.get("hold").is_some_and(|hold| *hold == Value::Bool(true))
    }
}

/// A place in a menu that a page's front matter asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MenuPlace {
    /// The menu's name.
    pub menu: String,
    /// Text shown; `None`: the page's title.
    pub name: Option<String>,
    /// Lower comes first; `None`: the page's weight.
    pub weight: Option<i64>,
    /// Name of the entry it goes below.
    pub parent: Option<String>,
}

/// A content folder: its own page, its pages, its sub-sections.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Section {
    /// Content folder without final slash: `content`, `content/blog`.
    pub folder: String,
    /// Index of its own page in [`Library::pages`].
    pub page: usize,
    /// Indexes of its listed pages, in display order (weight, then date newest first, then title, then path).
    pub pages: Vec<usize>,
    /// Folders of its sub-sections, in display order.
    pub sections: Vec<String>,
}

/// One taxonomy with its terms.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Taxonomy {
    /// Front matter key.
    pub key: String,
    /// Title of the list.
    pub title: String,
    /// URL path of the list.
    pub url: String,
    /// Terms by slug.
    pub terms: BTreeMap<String, Term>,
}

/// One term.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Term {
    /// As first written.
    pub name: String,
    /// URL path of its list.
    pub url: String,
    /// Indexes of its pages, in display order.
    pub pages: Vec<usize>,
}

/// The lists of one language.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Lists {
    /// Sections by folder.
    pub sections: BTreeMap<String, Section>,
    /// Taxonomies by key.
    pub taxonomies: BTreeMap<String, Taxonomy>,
}

/// Every page, section and term of a build, with indexes to find them. Cheap to copy: builds share what an edit left alone.
#[derive(Debug, Clone)]
pub struct Library {
    /// The configuration it was built with.
    pub config: Arc<Config>,
    /// All pages in path order, whatever their state.
    pub pages: SharedVec<Arc<Page>>,
    /// Sections by folder, of the site's own language.
    pub sections: Arc<BTreeMap<String, Section>>,
    /// Taxonomies by key.
    pub taxonomies: Arc<BTreeMap<String, Taxonomy>>,
    /// The lists of each further language that has pages.
    pub translated: Arc<BTreeMap<String, Lists>>,
    /// Page index by content path.
    pub by_path: Arc<QuickMap<ContentPath, usize>>,
    /// Page index by URL path.
    pub by_url: Arc<QuickMap<String, usize>>,
    /// Which pages link to a page (indexes), by index.
    pub backlinks: Arc<QuickMap<usize, Vec<usize>>>,
}

impl Library {
    /// The further language whose lists hold a page; `None`: the site's own.
    #[must_use]
    pub fn language_of(&self, page: &Page) -> Option<&str> {
        self.config.further_language(page.lang.as_deref()?)
    }

    /// The languages that have lists, the site's own first.
    pub fn languages(&self) -> impl Iterator<Item = Option<&str>> {
        std::iter::once(None).chain(self.translated.keys().map(|tag| Some(tag.as_str())))
    }

    /// Sections by folder, of a further language or of the site's own.
    #[must_use]
    pub fn sections_in(&self, language: Option<&str>) -> &BTreeMap<String, Section> {
        static NONE: BTreeMap<String, Section> = BTreeMap::new();
        match language {
            None => &self.sections,
            Some(tag) => self.translated.get(tag).map_or(&NONE, |lists| &lists.sections),
        }
    }

    /// Taxonomies by key, of a further language or of the site's own.
    #[must_use]
    pub fn taxonomies_in(&self, language: Option<&str>) -> &BTreeMap<String, Taxonomy> {
        static NONE: BTreeMap<String, Taxonomy> = BTreeMap::new();
        match language {
            None => &self.taxonomies,
            Some(tag) => self.translated.get(tag).map_or(&NONE, |lists| &lists.taxonomies),
        }
    }

    /// The section whose list holds a page, or that a page is itself.
    #[must_use]
    pub fn section_of(&self, page: &Page) -> Option<&Section> {
        self.sections_in(self.language_of(page)).get(&page.section)
    }
}
