//! The address a page has in Hugo.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::super::address;
use super::super::front::SourcePage;
use super::super::source::{split, stem};
use super::settings::Config;
use crate::model::Date;

/// What a content file is by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Folder below the content folder; of a bundle, the folder above it.
    pub(super) folder: String,
    /// `_index`, `index`, or the name without ending and language.
    pub(super) name: String,
    /// What stands for the page: the name, or a bundle's folder.
    pub(super) base: String,
    /// Its language.
    pub(super) language: String,
}

impl Named {
    /// Takes `blog/hello.fr.md` apart.
    pub(super) fn of(config: &Config, inner: &str, lang: &str) -> Self {
        let (folder, file) = split(inner);
        let mut name = stem(file).to_owned();
        let mut language = if lang.is_empty() { config.language.clone() } else { lang.to_owned() };
        if let Some((rest, code)) = stem(file).rsplit_once('.')
            && (code == config.language || config.others.iter().any(|(other, _)| other == code))
        {
            (name, language) = (rest.to_owned(), code.to_owned());
        }
        let (folder, base) = match name.as_str() {
            "index" if !folder.is_empty() => {
                let (above, last) = split(folder);
                (above.to_owned(), last.to_owned())
            }
            _ => (folder.to_owned(), name.clone()),
        };
        Self { folder, name, base, language }
    }
}

/// The URL path; `None` where the build gives the same by itself or cannot know better.
pub(super) fn url(config: &Config, named: &Named, page: &SourcePage<'_>) -> Option<String> {
    let prefix = if named.language != config.language || config.prefixed {
        format!("/{}", named.language)
    } else {
        String::new()
    };
    let section = named.name == "_index";
    let home = (section || named.name == "index") && named.folder.is_empty() && named.base == named.name;
    if home {
        return Some(format!("{prefix}/"));
    }
    if let Some(url) = page.text(&["url"]) {
        // Tokens in it are for the build.
        return (!url.contains("/:")).then(|| address::ours(&url));
    }
    let first = named.folder.split('/').next().unwrap_or_default();
    let patterns = if section { &config.section_permalinks } else { &config.permalinks };
    let of = |key: &str| patterns.iter().find(|(name, _)| name == key).map(|(_, pattern)| pattern);
    // The root may have a pattern too, named `/`, which is empty here.
    let pattern = of(first);
    let path = match pattern {
        Some(pattern) => address::expand(pattern, &|token| token_value(config, named, page, token))?,
        None if section => format!("/{}/", named.folder),
        None => {
            let slug = page.text(&["slug"]).unwrap_or_else(|| undated(config, &named.base).to_owned());
            format!("/{}/{slug}/", named.folder)
        }
    };
    let path = address::hugo(&path, config.lower);
    let path = if config.ugly && !section { format!("{}.html", path.trim_end_matches('/')) } else { path };
    Some(address::ours(&format!("{prefix}{path}")))
}

/// The name without its date, where Hugo is told that names have one.
fn undated<'a>(config: &Config, base: &'a str) -> &'a str {
    let dated = base.len() > 11
        && base.is_char_boundary(10)
        && base[..10].bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
    match base.get(10..) {
        Some(rest) if dated && config.dated_names => rest.trim_start_matches(['-', '_']),
        _ => base,
    }
}

fn token_value(config: &Config, named: &Named, page: &SourcePage<'_>, token: &str) -> Option<String> {
    let date = || {
        let zone = TimeZoneDatabase::bundled().get(&config.zone).unwrap_or(TimeZone::UTC);
        let text = page.text(&["date", "publishDate", "pubdate", "published"]);
        let text = text.or_else(|| named.base.get(..10).filter(|_| config.dated_names).map(str::to_owned));
        text.and_then(|text| Date::parse(text.trim(), &zone))
    };
    let format = |format: &str| Some(date()?.zoned.strftime(format).to_string());
    let title = || page.text(&["title"]).map(|title| title.replace('/', "-"));
    let slug = || page.text(&["slug"]);
    let name = || undated(config, &named.base).to_owned();
    match token {
        "year" => format("%Y"),
        "month" => format("%m"),
        "monthname" => format("%B"),
        "day" => format("%d"),
        "weekday" => format("%w"),
        "weekdayname" => format("%A"),
        "yearday" => format("%-j"),
        "section" => Some(named.folder.split('/').next().unwrap_or_default().to_owned()),
        "sections" => Some(named.folder.clone()),
        "title" => title().or_else(|| Some(name())),
        "slug" => slug().or_else(title).or_else(|| Some(name())),
        "slugorfilename" | "slugorcontentbasename" => slug().or_else(|| Some(name())),
        "filename" | "contentbasename" => Some(name()),
        other => sections(&named.folder, other.strip_prefix("sections[")?.strip_suffix(']')?),
    }
}

/// `sections[1:]`, `sections[0]`, `sections[last]`.
fn sections(folder: &str, range: &str) -> Option<String> {
    let all: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let number = |text: &str, usual: usize| match text {
        "" => Some(usual),
        "last" => Some(all.len().saturating_sub(1)),
        text => text.parse().ok(),
    };
    let (from, to) = if let Some((from, to)) = range.split_once(':') {
        (number(from, 0)?, number(to, all.len())?)
    } else {
        let at = number(range, 0)?;
        (at, at.saturating_add(1))
    };
    let to = to.min(all.len());
    Some(all.get(from.min(to)..to)?.join("/"))
}
