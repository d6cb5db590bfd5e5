//! What search engines and other crawlers are told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::check;
use super::fields::Fields;
use crate::error::Result;

/// Services that ask for a tag on the home page, with the tag's name.
pub const VERIFIERS: [(&str, &str); 8] = [
    ("google", "google-site-verification"),
    ("bing", "msvalidate.01"),
    ("yandex", "yandex-verification"),
    ("baidu", "baidu-site-verification"),
    ("naver", "naver-site-verification"),
    ("pinterest", "p:domain_verify"),
    ("facebook", "facebook-domain-verification"),
    ("norton", "norton-safeweb-site-verification"),
];

/// What may stand in a title template.
const PLACEHOLDERS: [&str; 3] = ["{title}", "{site}", "{section}"];

/// Titles, descriptions, pictures and owners in the heads of pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeoConfig {
    /// `<title>` of pages: text with `{title}`, `{site}`, `{section}`.
    pub title: String,
    /// The same by section (`blog`), the innermost one first.
    pub titles: BTreeMap<String, String>,
    /// Description of pages that have neither their own nor text.
    pub description: String,
    /// Share image of pages without one.
    pub image: Option<String>,
    /// Account named in cards, `@name`.
    pub twitter: Option<String>,
    /// Codes by service; see [`VERIFIERS`].
    pub verification: BTreeMap<String, String>,
    /// Who is behind the site.
    pub publisher: Option<Publisher>,
}

impl Default for SeoConfig {
    fn default() -> Self {
        Self {
            title: "{title} · {site}".into(),
            titles: BTreeMap::new(),
            description: String::new(),
            image: None,
            twitter: None,
            verification: BTreeMap::new(),
            publisher: None,
        }
    }
}

impl SeoConfig {
    /// The title template of pages in a content folder.
    #[must_use]
    pub fn template(&self, folder: &str) -> &str {
        let below = folder.strip_prefix("content").unwrap_or(folder).trim_start_matches('/');
        let holds = |name: &str| below.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let all = self.titles.iter().filter(|(name, _)| holds(name));
        all.max_by_key(|(name, _)| name.len()).map_or(self.title.as_str(), |(_, template)| template)
    }
}

/// An organization or a person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Publisher {
    /// Whether it is a person.
    #[serde(rename = "type")]
    pub kind: PublisherKind,
    /// Name; empty: the site's title.
    pub name: String,
    /// Address; `None`: the home page.
    pub url: Option<String>,
    /// Logo or portrait: a file of this site or an absolute address.
    pub logo: Option<String>,
    /// Profiles elsewhere.
    pub same_as: Vec<String>,
}

/// What a publisher is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublisherKind {
    /// A group, company or project.
    #[default]
    Organization,
    /// One person.
    Person,
}

/// Reads `seo`.
pub(super) fn read(root: &mut Fields) -> Result<Option<SeoConfig>> {
    let Some(mut fields) = root.fields("seo")? else { return Ok(None) };
    let usual = SeoConfig::default();
    let title = fields.text("title")?.unwrap_or(usual.title);
    template(&title).map_err(|problem| fields.error("title", &problem))?;
    let seo = SeoConfig {
        title,
        titles: titles(&mut fields)?,
        description: fields.text("description")?.unwrap_or_default(),
        image: fields.text("image")?,
        twitter: fields.text("twitter")?,
        verification: verification(&mut fields)?,
        publisher: publisher(&mut fields)?,
    };
    fields.finish(super::load::UNKNOWN);
    Ok(Some(seo))
}

fn titles(fields: &mut Fields) -> Result<BTreeMap<String, String>> {
    let Some(map) = fields.any_map("titles")? else { return Ok(BTreeMap::new()) };
    let at = fields.below(&["titles"], Map::new());
    let read = |(name, value): (String, Value)| {
        let Value::String(text) = value else { return Err(at.error(&name, "expected a template such as `{title}`")) };
        template(&text).map_err(|problem| at.error(&name, &problem))?;
        let section = check::section(&name).map_err(|problem| at.error(&name, &problem))?;
        Ok((section, text))
    };
    map.into_iter().map(read).collect()
}

fn template(text: &str) -> std::result::Result<(), String> {
    let rest = PLACEHOLDERS.iter().fold(text.to_owned(), |text, known| text.replace(known, ""));
    if rest.contains(['{', '}']) || !text.contains("{title}") {
        return Err(format!("expected a template with {{title}}, and {} at most", PLACEHOLDERS.join(" ")));
    }
    Ok(())
}

fn verification(fields: &mut Fields) -> Result<BTreeMap<String, String>> {
    let Some(map) = fields.any_map("verification")? else { return Ok(BTreeMap::new()) };
    let at = fields.below(&["verification"], Map::new());
    let read = |(service, value): (String, Value)| match value {
        _ if !VERIFIERS.iter().any(|(known, _)| *known == service) => {
            let known: Vec<&str> = VERIFIERS.iter().map(|(known, _)| *known).collect();
            Err(at.error(&service, &format!("unknown service, expected {}", known.join(" or "))))
        }
        Value::String(code) => Ok((service, code)),
        Value::Number(code) => Ok((service, code.to_string())),
        _ => Err(at.error(&service, "expected the code the service gave you")),
    };
    map.into_iter().map(read).collect()
}

fn publisher(fields: &mut Fields) -> Result<Option<Publisher>> {
    let Some(mut inner) = fields.fields("publisher")? else { return Ok(None) };
    let kinds = [("organization", PublisherKind::Organization), ("person", PublisherKind::Person)];
    let publisher = Publisher {
        kind: inner.choice("type", &kinds)?.unwrap_or_default(),
        name: inner.text("name")?.unwrap_or_default(),
        url: inner.text("url")?,
        logo: inner.text("logo")?,
        same_as: inner.texts("same_as")?.unwrap_or_default(),
    };
    for (key, address) in
        publisher.url.iter().map(|url| ("url", url)).chain(publisher.same_as.iter().map(|url| ("same_as", url)))
    {
        if !address.starts_with("https://") && !address.starts_with("http://") {
            return Err(
                inner.error(key, &format!("expected an address such as `https://example.org/`, found `{address}`"))
            );
        }
    }
    inner.finish(super::load::UNKNOWN);
    Ok(Some(publisher))
}
