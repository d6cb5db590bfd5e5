//! Helpers that look something up: in the site (`pages`, `page`, `data`, `url`, ...) or in what the engine made.

use std::sync::Arc;

use handlebars::Helper;
use serde_json::Value;

use super::guard::{Fault, Run, step};
use super::values::text;
use super::{ListQuery, links};

/// A helper that reads the run.
pub(super) type LookupFn = for<'rc> fn(&Run<'_>, &Helper<'rc>) -> Result<Value, Fault>;

/// Name, function, whether its text is HTML made by the engine.
pub(super) const LOOKUPS: &[(&str, LookupFn, bool)] = &[
    ("content", |run, _| Ok(Value::from(run.content.unwrap_or_default())), true),
    ("inner", |run, _| Ok(Value::from(run.content.unwrap_or_default())), true),
    ("head", |run, _| Ok(Value::from(run.head)), true),
    ("pages", pages, false),
    ("page", page, false),
    ("data", data, false),
    ("url", url, false),
    ("abs_url", abs_url, false),
    ("asset", asset, false),
    ("markdown", markdown, true),
    ("toc", toc, true),
];

/// These mean something without arguments; of all others a bare `{{name}}` is the value of that name.
pub(super) const BARE: &[&str] = &["content", "inner", "head"];

/// The stubs a `pages` call asks for.
pub(super) fn find_pages(run: &Run<'_>, h: &Helper<'_>) -> Result<Vec<Arc<Value>>, Fault> {
    let mut query = ListQuery::default();
    if let Some(section) = h.param(0) {
        query.section = Some(text(section.value()).into_owned());
    }
    for (key, value) in h.hash() {
        let value = value.value();
        match *key {
            "section" => query.section = Some(text(value).into_owned()),
            "collection" => query.collection = Some(text(value).into_owned()),
            "taxonomy" => query.taxonomy = Some(text(value).into_owned()),
            "term" => query.term = Some(text(value).into_owned()),
            "limit" => query.limit = Some(whole(key, value)?),
            "offset" => query.offset = whole(key, value)?,
            "sort" => query.sort = Some(text(value).into_owned()),
            "recursive" => query.recursive = value.as_bool().unwrap_or(true),
            "tag" => {
                query.taxonomy = Some("tags".into());
                query.term = Some(text(value).into_owned());
            }
            other => {
                return Err(Fault::new(
                    format!("`pages` does not know `{other}`"),
                    "Use section, collection, taxonomy, term, tag, limit, offset, sort or recursive.",
                ));
            }
        }
    }
    let found = run.lists.pages(&query);
    step(1 + found.len() / 16)?;
    Ok(found)
}

fn whole(name: &str, value: &Value) -> Result<usize, Fault> {
    let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    number.and_then(|n| usize::try_from(n).ok()).ok_or_else(|| {
        Fault::new(
            format!("`{name}` is `{}`, expected a whole number", text(value)),
            format!("Write it like this: {name}=5."),
        )
    })
}

fn pages(run: &Run<'_>, h: &Helper<'_>) -> Result<Value, Fault> {
    Ok(Value::Array(find_pages(run, h)?.iter().map(|stub| (**stub).clone()).collect()))
}

fn page(run: &Run<'_>, h: &Helper<'_>) -> Result<Value, Fault> {
    Ok(run.lists.page(&text(required(h)?)).map_or(Value::Null, |stub| (*stub).clone()))
}

fn data(run: &Run<'_>, h: &Helper<'_>) -> Result<Value, Fault> {
    Ok(run.lists.data(&text(required(h)?)).map_or(Value::Null, |data| (*data).clone()))
}

fn url(run: &Run<'_>, h: &Helper<'_>) -> Result<Value, Fault> {
    let raw = text(required(h)?);
    Ok(Value::from(if links::is_safe(&raw) { run.lists.url(&raw) } else { "#".into() }))
}

fn abs_url(run: &Run<'_>, h: &Helper<'_>) -> Result<Value, Fault> {
    let raw = text(required(h)?);
    Ok(Value::from(if links::is_safe(&raw) { run.lists.absolute(&raw) } else { "#".into() }))
}

fn asset(run: &Run<'_>, h: &Helper<'_>) -> Result<Value, Fault> {
    let raw = text(required(h)?);
    let name = raw.trim_start_matches('/');
    let name = name.strip_prefix("assets/").unwrap_or(name);
    Ok(Value::from(run.lists.url(&format!("/assets/{name}"))))
}

fn markdown(run: &Run<'_>, h: &Helper<'_>) -> Result<Value, Fault> {
    let source = text(required(h)?);
    step(1 + source.len() / 512)?;
    let html = run.lists.markdown(&source);
    let inline = h.hash_get("inline").is_some_and(|v| v.value().as_bool() == Some(true));
    let trimmed = html.trim();
    Ok(Value::from(match trimmed.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>")) {
        Some(only) if inline && !only.contains("<p>") => only.to_owned(),
        _ => html,
    }))
}

/// A nested list of the outline in `toc`; `min` and `max` bound the heading levels,
/// and with fewer headings than `at_least` there is none.
fn toc(_: &Run<'_>, h: &Helper<'_>) -> Result<Value, Fault> {
    let level = |name: &str, default: u64| h.hash_get(name).and_then(|v| v.value().as_u64()).unwrap_or(default);
    let (min, max) = (level("min", 2), level("max", 3));
    let mut html = String::new();
    let mut count = 0;
    toc_list(required(h)?, min, max, 0, &mut html, &mut count);
    step(1 + count / 8)?;
    Ok(Value::from(if count < level("at_least", 1) as usize { String::new() } else { html }))
}

fn toc_list(entries: &Value, min: u64, max: u64, depth: usize, html: &mut String, count: &mut usize) {
    let Some(entries) = entries.as_array() else { return };
    let shown: Vec<&Value> = entries.iter().filter(|e| e["level"].as_u64().is_none_or(|level| level <= max)).collect();
    // The outline has six levels; anything deeper is no outline.
    if shown.is_empty() || depth > 6 {
        return;
    }
    // Headings above `min` (a stray h1) are passed over, their children stay.
    let (below, own): (Vec<&Value>, Vec<&Value>) =
        shown.into_iter().partition(|e| e["level"].as_u64().is_some_and(|level| level < min));
    for entry in below {
        toc_list(&entry["children"], min, max, depth + 1, html, count);
    }
    if own.is_empty() {
        return;
    }
    html.push_str("<ul>");
    for entry in own {
        *count += 1;
        let id = super::escape(&text(&entry["id"]));
        let title = super::escape(&text(&entry["text"]));
        html.push_str(&format!("<li><a href=\"#{id}\">{title}</a>"));
        toc_list(&entry["children"], min, max, depth + 1, html, count);
        html.push_str("</li>");
    }
    html.push_str("</ul>");
}

fn required<'a>(h: &'a Helper<'_>) -> Result<&'a Value, Fault> {
    h.param(0).map(handlebars::PathAndJson::value).ok_or_else(|| {
        Fault::new(
            format!("`{}` needs a value", h.name()),
            format!("Write it like this: {{{{{} page.url}}}}.", h.name()),
        )
    })
}
