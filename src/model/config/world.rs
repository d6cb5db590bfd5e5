//! What `site.yaml` says about the world beyond the site: fetching, uploads, webhooks, IndexNow.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::Fields;
use crate::error::Result;
use crate::model::network::Allowed;

const UNKNOWN: &str = "unknown_config_key";
const MIB: usize = 1024 * 1024;
/// Where search engines take IndexNow pings.
const INDEXNOW: &str = "https://api.indexnow.org/indexnow";
/// How the name of an environment variable with a webhook's secret begins: no other secret of the machine can be named.
const SECRET_PREFIX: &str = "SITEWRIGHT_WEBHOOK_";
/// Webhooks at most.
const MAX_WEBHOOKS: usize = 20;

/// Keys that reach beyond the site: where it is pushed, what is read from disk and network, what is sent to others, what pages may
/// execute. Only a person sets them, in the file, or a caller with the right `admin`. The second says whether
/// taking it out closes what it opened, so that anybody may.
pub const PERSON_ONLY: [(&[&str], bool); 8] = [
    (&["publish"], false),
    (&["fetch", "allow"], true),
    (&["uploads", "folders"], true),
    (&["uploads", "svg"], true),
    (&["uploads", "scripts"], true),
    (&["webhooks"], true),
    (&["indexnow"], true),
    (&["markdown", "raw_html"], false),
];

/// Reading from the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FetchConfig {
    /// Hosts and networks that may be reached although they are private or on another port than 80 and 443.
    pub allow: Vec<String>,
    /// Most seconds one fetch may take.
    pub seconds: usize,
}

/// What becomes of an uploaded SVG.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SvgPolicy {
    /// Only what is known to be harmless is kept.
    #[default]
    Sanitize,
    /// Not taken.
    Refuse,
    /// Taken as it is.
    Trusted,
}

/// Where uploaded HTML and scripts may go: they run with the rights of the whole site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScriptPolicy {
    /// Only below `static/`.
    #[default]
    Static,
    /// Nowhere.
    Refuse,
    /// Anywhere.
    Trusted,
}

/// Uploads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UploadsConfig {
    /// Folders that `file` may be read from, absolute or relative to the site's folder.
    pub folders: Vec<String>,
    /// Most bytes of one upload.
    pub max_bytes: usize,
    /// Longest edge of a stored image in pixels; 0: no limit.
    pub max_px: usize,
    /// What becomes of an SVG.
    pub svg: SvgPolicy,
    /// Where HTML and scripts may go.
    pub scripts: ScriptPolicy,
}

/// What a webhook is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WebhookEvent {
    /// Something went live.
    Publish,
    /// Something was sent to review.
    Review,
}

impl WebhookEvent {
    /// Every event with its name in `site.yaml` and in the message.
    pub const NAMES: [(&'static str, Self); 2] = [("publish", Self::Publish), ("review", Self::Review)];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, event)| *event == self).map_or("", |(name, _)| name)
    }
}

/// An address that is told after a publish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    /// `http` or `https`.
    pub url: String,
    /// What it is told of.
    pub events: Vec<WebhookEvent>,
    /// Environment variable whose value signs the message.
    pub secret: Option<String>,
}

/// Search engines that are told of changed addresses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndexNowConfig {
    /// Shows that the site is ours: `/<key>.txt` holds it.
    pub key: String,
    /// Where the changed addresses are sent.
    pub endpoint: String,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self { allow: Vec::new(), seconds: 30 }
    }
}

impl Default for UploadsConfig {
    fn default() -> Self {
        Self {
            folders: Vec::new(),
            max_bytes: 20 * MIB,
            max_px: 2560,
            svg: SvgPolicy::default(),
            scripts: ScriptPolicy::default(),
        }
    }
}

/// Reads `fetch`.
pub(super) fn fetch(root: &mut Fields) -> Result<FetchConfig> {
    let mut fetch = FetchConfig::default();
    let Some(mut fields) = root.fields("fetch")? else { return Ok(fetch) };
    if let Some(allow) = fields.texts("allow")? {
        for entry in &allow {
            Allowed::parse(entry).map_err(|problem| fields.error("allow", &problem))?;
        }
        fetch.allow = allow;
    }
    if let Some(seconds) = fields.count("seconds", 300)? {
        fetch.seconds = seconds.max(1);
    }
    fields.finish(UNKNOWN);
    Ok(fetch)
}

/// Reads `uploads`.
pub(super) fn uploads(root: &mut Fields) -> Result<UploadsConfig> {
    let mut uploads = UploadsConfig::default();
    let Some(mut fields) = root.fields("uploads")? else { return Ok(uploads) };
    if let Some(folders) = fields.texts("folders")? {
        if folders.iter().any(|folder| folder.trim().is_empty() || folder.contains('\0')) {
            return Err(fields.error("folders", "expected folders such as `/home/ada/Pictures` or `../uploads`"));
        }
        uploads.folders = folders;
    }
    // What git hosts take as one file at most, and what a transaction stages.
    uploads.max_bytes = fields.count("max_bytes", 50 * MIB)?.unwrap_or(uploads.max_bytes);
    uploads.max_px = fields.count("max_px", 20_000)?.unwrap_or(uploads.max_px);
    let svg = [("sanitize", SvgPolicy::Sanitize), ("refuse", SvgPolicy::Refuse), ("trusted", SvgPolicy::Trusted)];
    uploads.svg = fields.choice("svg", &svg)?.unwrap_or_default();
    let scripts =
        [("static", ScriptPolicy::Static), ("refuse", ScriptPolicy::Refuse), ("trusted", ScriptPolicy::Trusted)];
    uploads.scripts = fields.choice("scripts", &scripts)?.unwrap_or_default();
    fields.finish(UNKNOWN);
    Ok(uploads)
}

/// Reads `webhooks`: a list of {url, events, secret}.
pub(super) fn webhooks(root: &mut Fields) -> Result<Vec<Webhook>> {
    let expected = "expected a list of {url, events, secret} entries";
    let items = match root.any("webhooks") {
        None => return Ok(Vec::new()),
        Some(Value::Array(items)) if items.len() <= MAX_WEBHOOKS => items,
        Some(_) => return Err(root.error("webhooks", &format!("{expected}, at most {MAX_WEBHOOKS}"))),
    };
    let read = |(index, item): (usize, Value)| {
        let Value::Object(map) = item else { return Err(root.error("webhooks", expected)) };
        webhook(root, index, map)
    };
    items.into_iter().enumerate().map(read).collect()
}

fn webhook(root: &Fields, index: usize, map: Map<String, Value>) -> Result<Webhook> {
    let mut fields = root.below(&["webhooks", &index.to_string()], map);
    // A list's items have no line of their own.
    let wrong = |problem: String| root.error("webhooks", &format!("entry {}: {problem}", index + 1));
    let url = fields.text("url")?.unwrap_or_default();
    address(&url).map_err(|problem| wrong(format!("`url`: {problem}")))?;
    let names = fields.texts("events")?.unwrap_or_else(|| vec!["publish".into()]);
    let event = |name: &String| {
        let found = WebhookEvent::NAMES.iter().find(|(known, _)| known == name);
        found
            .map(|(_, event)| *event)
            .ok_or_else(|| wrong(format!("`events`: expected publish or review, found `{name}`")))
    };
    let events = names.iter().map(event).collect::<Result<_>>()?;
    let secret = fields.text("secret")?;
    if let Some(name) = &secret {
        let plain = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        if !plain || !name.starts_with(SECRET_PREFIX) {
            return Err(wrong(format!(
                "`secret` is the name of an environment variable that begins with {SECRET_PREFIX}, never the secret itself"
            )));
        }
    }
    fields.finish(UNKNOWN);
    Ok(Webhook { url, events, secret })
}

/// Reads `indexnow`.
pub(super) fn indexnow(root: &mut Fields) -> Result<Option<IndexNowConfig>> {
    let Some(mut fields) = root.fields("indexnow")? else { return Ok(None) };
    let key = fields.text("key")?.unwrap_or_default();
    let plain = (8..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !plain {
        return Err(fields.error("key", "expected 8 to 128 letters, digits and hyphens of your own choice"));
    }
    let endpoint = fields.text("endpoint")?.unwrap_or_else(|| INDEXNOW.to_owned());
    address(&endpoint).map_err(|problem| fields.error("endpoint", &problem))?;
    fields.finish(UNKNOWN);
    Ok(Some(IndexNowConfig { key, endpoint }))
}

/// An address that something is sent to.
fn address(url: &str) -> std::result::Result<(), String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if host.is_empty() || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("expected an address such as `https://example.org/hook`, found `{url}`"));
    }
    if host.contains('@') {
        return Err("an address with a user name or password would be committed with the site".into());
    }
    Ok(())
}
