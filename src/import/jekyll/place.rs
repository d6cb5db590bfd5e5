//! The address a post, page or document of a collection has in Jekyll.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde_json::Value;

use super::super::address;
use super::super::front::{SourcePage, plain};
use super::super::source::{split, stem};
use crate::model::Date;

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// In a `_posts` folder: categories from the folders above it.
    Post(Vec<String>),
    /// In a `_drafts` folder.
    Draft,
    /// In a collection: its label, and the pattern of its addresses where it has one.
    Document(String, Option<String>),
    /// Anything else.
    Page,
}

/// What addresses depend on.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses {
    /// `permalink` of the site: a style or a pattern.
    pub(super) permalink: String,
    /// Time zone of dates without one.
    pub(super) zone: String,
}

/// `2024-1-5-name` as `2024-01-05` and `name`.
pub(super) fn dated(base: &str) -> Option<(String, &str)> {
    let mut parts = base.splitn(4, '-');
    let (year, month, day, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let number =
        |text: &str, most: usize| !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
    if !number(year, 4) || year.len() < 4 || !number(month, 2) || !number(day, 2) || name.is_empty() {
        return None;
    }
    Some((format!("{year}-{month:0>2}-{day:0>2}"), name))
}

/// Names in `category` and `categories` (or tags): a list, or words with blanks between them.
pub(super) fn words(page: &SourcePage<'_>, one: &str, many: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(single) = page.values.get(one).and_then(plain) {
        found.push(single);
    }
    match page.values.get(many) {
        Some(Value::Array(items)) => found.extend(items.iter().filter_map(plain)),
        Some(other) => found.extend(
            plain(other).iter().flat_map(|text| text.split_whitespace().map(str::to_owned)).collect::<Vec<_>>(),
        ),
        None => {}
    }
    found.retain(|name| !name.trim().is_empty());
    found
}

impl Addresses {
    /// The pattern behind a style's name.
    fn style(permalink: &str) -> &str {
        match permalink {
            "" | "date" => "/:categories/:year/:month/:day/:title:output_ext",
            "pretty" => "/:categories/:year/:month/:day/:title/",
            "ordinal" => "/:categories/:year/:y_day/:title:output_ext",
            "weekdate" => "/:categories/:year/W:week/:short_day/:title:output_ext",
            "none" => "/:categories/:title:output_ext",
            pattern => pattern,
        }
    }

    /// The pattern of posts, for `site.yaml`.
    pub(super) fn posts(&self) -> &str {
        Self::style(&self.permalink)
    }

    /// What the site's style puts behind the address of a page or document.
    fn suffix(&self) -> &'static str {
        match self.permalink.as_str() {
            "pretty" => "/",
            "" | "date" | "ordinal" | "weekdate" | "none" => ":output_ext",
            pattern if pattern.ends_with('/') => "/",
            pattern if pattern.ends_with(":output_ext") => ":output_ext",
            _ => "",
        }
    }

    /// The URL path of a file; `None` where its pattern has a token nobody knows.
    pub(super) fn url(
        &self,
        role: &Role,
        page: &SourcePage<'_>,
        own: Option<&str>,
        date: Option<&str>,
    ) -> Option<String> {
        let (folder, file) = split(&page.path);
        let base = stem(file);
        let pattern = match (own, role) {
            (Some(own), _) => Self::style(own).to_owned(),
            (None, Role::Post(_) | Role::Draft) => self.posts().to_owned(),
            (None, Role::Document(_, Some(pattern))) => Self::style(pattern).to_owned(),
            (None, Role::Document(_, None)) => format!("/:collection/:path{}", self.suffix()),
            (None, Role::Page) if base == "index" => "/:path/".to_owned(),
            (None, Role::Page) => format!("/:path/:basename{}", self.suffix()),
        };
        let value = |token: &str| self.token(token, role, page, (folder, base), date);
        Some(address::ours(&address::expand(&pattern, &value)?))
    }

    fn token(
        &self,
        token: &str,
        role: &Role,
        page: &SourcePage<'_>,
        place: (&str, &str),
        date: Option<&str>,
    ) -> Option<String> {
        let (folder, base) = place;
        let name = dated(base).map_or(base, |(_, name)| name);
        let format = |format: &str| {
            let zone = TimeZoneDatabase::bundled().get(&self.zone).unwrap_or(TimeZone::UTC);
            let text = page.text(&["date"]).or_else(|| date.map(str::to_owned))?;
            Some(Date::parse(text.trim(), &zone)?.zoned.strftime(format).to_string())
        };
        let slug = page.text(&["slug"]);
        match token {
            "year" => format("%Y"),
            "short_year" => format("%y"),
            "month" => format("%m"),
            "i_month" => format("%-m"),
            "short_month" => format("%b"),
            "long_month" => format("%B"),
            "day" => format("%d"),
            "i_day" => format("%-d"),
            "y_day" => format("%j"),
            "week" => format("%V"),
            "short_day" => format("%a"),
            "long_day" => format("%A"),
            "hour" => format("%H"),
            "minute" => format("%M"),
            "second" => format("%S"),
            "output_ext" => Some(".html".into()),
            "title" => Some(address::jekyll(slug.as_deref().unwrap_or(name), true, false)),
            "slug" => Some(address::jekyll(slug.as_deref().unwrap_or(name), false, true)),
            "name" => Some(address::jekyll(base, false, true)),
            "basename" => Some(base.to_owned()),
            "collection" => match role {
                Role::Document(label, _) => Some(label.clone()),
                _ => Some("posts".into()),
            },
            "path" => Some(match role {
                Role::Document(label, _) => {
                    let below =
                        folder.split_once(&format!("_{label}")).map_or("", |(_, below)| below.trim_matches('/'));
                    super::super::source::join(below, base)
                }
                _ => folder.to_owned(),
            }),
            "categories" | "slugified_categories" => {
                let mut all = if let Role::Post(above) = role { above.clone() } else { Vec::new() };
                all.extend(words(page, "category", "categories"));
                let all: Vec<String> = all.iter().map(|name| category(name, token == "categories")).collect();
                let mut unique: Vec<String> = Vec::new();
                for name in all {
                    if !unique.contains(&name) {
                        unique.push(name);
                    }
                }
                Some(unique.join("/"))
            }
            _ => None,
        }
    }
}

/// A category in an address: lower case; blanks stay, percent-encoded by hosts, unless it is made a slug.
fn category(name: &str, as_is: bool) -> String {
    if as_is { name.trim().to_lowercase() } else { address::jekyll(name, false, true) }
}
