//! `site.yaml`: one type per section, unknown keys reported, every default stated here.

mod check;
mod collections;
mod crawlers;
mod feed;
pub(super) mod fields;
mod languages;
mod load;
mod markdown;
mod redirects;
mod schema;
mod seo;
mod world;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use collections::{Archetype, Collection, UnknownFields};
pub use crawlers::{AiPolicy, CrawlersConfig};
pub use feed::{FeedConfig, FeedFormat};
pub use languages::LanguageConfig;
pub use markdown::{HeadingIds, MarkdownConfig, RawHtml};
pub use redirects::RedirectTo;
pub use schema::{Field, FieldType, Misfit, Pattern};
pub use seo::{Publisher, PublisherKind, SeoConfig, VERIFIERS};

use super::{ContentPath, Diagnostic, Snapshot};
use crate::error::{Error, Result};

pub use world::{
    FetchConfig, IndexNowConfig, PERSON_ONLY, ScriptPolicy, SvgPolicy, UploadsConfig, Webhook, WebhookEvent,
};

/// Largest accepted `site.yaml` or `theme.yaml`, in bytes.
pub const MAX_CONFIG: usize = 1024 * 1024;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The site's name.
    pub title: String,
    /// One sentence for search engines and feeds.
    pub description: String,
    /// Absolute address of the published site, with or without a path; always ends with `/` after loading.
    pub base_url: String,
    /// BCP 47 tag.
    pub language: String,
    /// Further languages by tag: pages named `about.de.md` are translations. The site's own may stand among them.
    pub languages: BTreeMap<String, LanguageConfig>,
    /// IANA name used for dates without offset.
    pub timezone: String,
    /// Default author.
    pub author: Option<String>,
    /// Folder name below `themes/`; may carry a pin, `name@id`.
    pub theme: String,
    /// Overrides of the theme's settings.
    pub theme_settings: Map<String, Value>,
    /// Menus by name.
    pub menus: BTreeMap<String, Vec<MenuItem>>,
    /// Taxonomies by front matter key (`tags`).
    pub taxonomies: BTreeMap<String, TaxonomyConfig>,
    /// Sections with a schema, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub collections: BTreeMap<String, Collection>,
    /// Permalink patterns by section (`blog: /:year/:month/:slug/`), longest section first.
    pub permalinks: BTreeMap<String, String>,
    /// Lists: pages per list page; 0 = no pagination.
    pub paginate: usize,
    /// Old URL paths (or patterns) and where they lead.
    pub redirects: BTreeMap<String, RedirectTo>,
    /// Who may read the site.
    pub crawlers: CrawlersConfig,
    /// What search engines are told.
    pub seo: SeoConfig,
    /// Feeds.
    pub feed: FeedConfig,
    /// Markdown.
    pub markdown: MarkdownConfig,
    /// How the site goes live.
    pub publish: PublishConfig,
    /// Reading from the network.
    pub fetch: FetchConfig,
    /// Uploads.
    pub uploads: UploadsConfig,
    /// Addresses told after a publish.
    pub webhooks: Vec<Webhook>,
    /// Search engines told after a publish.
    pub indexnow: Option<IndexNowConfig>,
    /// Anything for templates.
    pub params: Map<String, Value>,
}

/// One entry of a menu.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MenuItem {
    /// Text shown.
    pub name: String,
    /// URL path, absolute URL, or content path (`blog/_index.md`).
    pub url: String,
    /// Lower comes first; equal weights keep the written order.
    pub weight: i64,
    /// Entries below this one.
    pub children: Vec<MenuItem>,
}

/// One taxonomy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaxonomyConfig {
    /// Title of the list of terms; default: the key, capitalised.
    pub title: Option<String>,
    /// First URL segment; default: the key.
    pub path: Option<String>,
    /// Pages per term page; `None`: the site's `paginate`.
    pub paginate: Option<usize>,
    /// Whether each term gets its own feed.
    pub feed: bool,
}

/// Where output goes in git.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Sources and `public/` in one commit.
    #[default]
    Folder,
    /// Sources alone on the publish branch; the output is the root of the deploy branch.
    Branch,
    /// Sources and `public/` on the publish branch, and the output as the root of the deploy branch too.
    Both,
}

impl Layout {
    /// Whether the publish branch carries the output folder.
    #[must_use]
    pub fn has_folder(self) -> bool {
        self != Self::Branch
    }

    /// Whether there is a deploy branch.
    #[must_use]
    pub fn has_branch(self) -> bool {
        self != Self::Folder
    }
}

/// Who serves the published site; decides which control files the output carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// GitHub Pages.
    GitHub,
    /// GitLab Pages.
    GitLab,
    /// Cloudflare Pages.
    Cloudflare,
    /// Netlify.
    Netlify,
    /// Codeberg Pages.
    Codeberg,
    /// Vercel.
    Vercel,
}

impl Host {
    /// Every host with the name it has in `site.yaml` and on the command line.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("github", Self::GitHub),
        ("gitlab", Self::GitLab),
        ("cloudflare", Self::Cloudflare),
        ("netlify", Self::Netlify),
        ("codeberg", Self::Codeberg),
        ("vercel", Self::Vercel),
    ];

    /// Its name in `site.yaml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, host)| *host == self).map_or("", |(name, _)| name)
    }
}

/// Shape of the publish history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// A merge whose second parent is the change set's tip, where everything goes out.
    #[default]
    Merge,
    /// Always one parent.
    Linear,
}

/// Publishing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishConfig {
    /// Remote name; where it does not exist, publishing stays local.
    pub remote: String,
    /// Branch that is live; `None`: the branch HEAD is on at the first publish.
    pub branch: Option<String>,
    /// Where output goes.
    pub layout: Layout,
    /// Branch whose root is the output, where the layout has one; `None`: the one the host looks at.
    pub deploy_branch: Option<String>,
    /// Who serves the site; `None`: control files for all that read them.
    pub host: Option<Host>,
    /// Whether the host of `base_url` is a domain of one's own, which the host learns from a file in the output.
    pub domain: bool,
    /// Shape of the history.
    pub history: History,
    /// Output folder below the site's root.
    pub output: String,
    /// `power` (default: survives a power cut) or `process` (survives kill -9 only).
    pub durability: Durability,
}

/// What an acknowledged edit survives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// kill -9 and a power cut.
    #[default]
    Power,
    /// kill -9.
    Process,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            title: String::new(),
            description: String::new(),
            base_url: "http://localhost/".into(),
            language: "en".into(),
            languages: BTreeMap::new(),
            timezone: "UTC".into(),
            author: None,
            theme: "default".into(),
            theme_settings: Map::new(),
            menus: BTreeMap::new(),
            taxonomies: BTreeMap::from([("tags".to_owned(), TaxonomyConfig::default())]),
            collections: BTreeMap::new(),
            permalinks: BTreeMap::new(),
            paginate: 20,
            redirects: BTreeMap::new(),
            crawlers: CrawlersConfig::default(),
            seo: SeoConfig::default(),
            feed: FeedConfig::default(),
            markdown: MarkdownConfig::default(),
            publish: PublishConfig::default(),
            fetch: FetchConfig::default(),
            uploads: UploadsConfig::default(),
            webhooks: Vec::new(),
            indexnow: None,
            params: Map::new(),
        }
    }
}

impl Default for PublishConfig {
    fn default() -> Self {
        Self {
            remote: "origin".into(),
            branch: None,
            layout: Layout::Folder,
            deploy_branch: None,
            host: None,
            domain: false,
            history: History::Merge,
            output: "public".into(),
            durability: Durability::Power,
        }
    }
}

impl PublishConfig {
    /// The branch whose root is the output, where the layout has one.
    #[must_use]
    pub fn output_branch(&self) -> &str {
        let usual = if self.host == Some(Host::Codeberg) { "pages" } else { "gh-pages" };
        self.deploy_branch.as_deref().unwrap_or(usual)
    }
}

impl Config {
    /// The host name of `base_url`, in lower case and without a port.
    #[must_use]
    pub fn host_name(&self) -> String {
        let rest = self.base_url.split_once("://").map_or(self.base_url.as_str(), |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default();
        host.split(':').next().unwrap_or_default().to_ascii_lowercase()
    }

    /// Reads `site.yaml` of a snapshot; unknown keys and doubtful values become diagnostics.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidConfig`] with the line; [`crate::error::Error::NoSite`] where the file is missing.
    pub fn load(snapshot: &Snapshot) -> Result<(Self, Vec<Diagnostic>)> {
        let path = ContentPath::from_disk("site.yaml")?;
        let Some(file) = snapshot.get(&path) else { return Err(Error::NoSite { dir: ".".into() }) };
        let text = file.text().ok_or_else(|| Error::InvalidConfig {
            path: path.to_string(),
            line: 0,
            problem: "it is not valid UTF-8 text".into(),
        })?;
        load::config(&path, text)
    }

    /// The collection that holds the pages of a content folder (`content/recipes/cakes`), with its name: the innermost one.
    #[must_use]
    pub fn collection_of(&self, folder: &str) -> Option<(&str, &Collection)> {
        let below = folder.strip_prefix("content").unwrap_or(folder).trim_start_matches('/');
        let holds = |collection: &Collection| {
            let rest = below.strip_prefix(collection.section.as_str());
            collection.section.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let all = self.collections.iter().filter(|(_, collection)| holds(collection));
        all.max_by_key(|(_, collection)| collection.section.len()).map(|(name, collection)| (name.as_str(), collection))
    }

    /// The 1-based line of `site.yaml` on which a nested key stands, or the nearest one above it; 0 where there is none.
    #[must_use]
    pub fn line_of(snapshot: &Snapshot, place: &[&str]) -> usize {
        let text = snapshot.text("site.yaml").unwrap_or_default().trim_start_matches('\u{feff}');
        let place: Vec<String> = place.iter().map(|&key| key.to_owned()).collect();
        super::front_matter::line_of(text, &place)
    }

    /// The time zone for dates that name none; UTC where the name is unknown.
    #[must_use]
    pub fn time_zone(&self) -> TimeZone {
        time_zone(&self.timezone).unwrap_or(TimeZone::UTC)
    }

    /// The path part of `base_url`: `/` or `/project/`.
    #[must_use]
    pub fn base_path(&self) -> &str {
        let rest = self.base_url.split_once("://").map_or(self.base_url.as_str(), |(_, rest)| rest);
        rest.find('/').map_or("/", |at| &rest[at..])
    }
}

/// Looked up in the compiled-in database: the same on every machine, and no disk is read.
fn time_zone(name: &str) -> Option<TimeZone> {
    static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    if name.eq_ignore_ascii_case("utc") { Some(TimeZone::UTC) } else { ZONES.get(name).ok() }
}
