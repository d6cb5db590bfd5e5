//! `page_get`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::reply::{self, lean};
use super::super::{Context, Hints, Right, Spec};
use crate::error::{Error, Result};
use crate::model::PageState;
use crate::site::address::shown;
use crate::site::page::{self, GetQuery, Include, PageView};

pub(super) const GET: Spec = Spec {
    name: "page_get",
    title: "Read pages",
    description: "Reads pages with their etag; call it before replacing a body. Replies front_matter and body by \
        default; `next` says how to go on where it is cut. For whole rendered pages use preview.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `page_get`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageGet {
    /// `/blog/hello/`, `blog/hello.md`, globs: `blog/a*.md`.
    #[schemars(length(min = 1, max = 50), example = ["/blog/hello/"])]
    paths: Vec<String>,
    /// html and text: rendered main content.
    #[serde(default)]
    include: Vec<Part>,
    /// Body lines: `10-40`, `10-`, `10`.
    #[schemars(example = "10-40")]
    lines: Option<String>,
    /// As of this id.
    revision: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Part {
    FrontMatter,
    Body,
    Html,
    Text,
    Outline,
    Backlinks,
    Diagnostics,
    History,
}

pub(super) fn get(context: &Context, asked: PageGet) -> Result<Value> {
    let mut include: BTreeSet<Include> = asked
        .include
        .iter()
        .map(|part| match part {
            Part::FrontMatter => Include::FrontMatter,
            Part::Body => Include::Body,
            Part::Html => Include::Html,
            Part::Text => Include::Text,
            Part::Outline => Include::Outline,
            Part::Backlinks => Include::Backlinks,
            Part::Diagnostics => Include::Diagnostics,
            Part::History => Include::History,
        })
        .collect();
    if include.is_empty() {
        include.extend([Include::FrontMatter, Include::Body]);
    }
    let lines = asked.lines.as_deref().map(line_range).transpose()?;
    let query =
        GetQuery { paths: asked.paths, include, lines, revision: asked.revision, progress: context.progress.clone() };
    let views = page::get(&context.site, &query)?;
    let first_line = lines.map_or(1, |(first, _)| first.max(1));
    let mut items = Vec::new();
    let mut left_out = Vec::new();
    let mut next = Vec::new();
    let mut room = reply::REPLY_LIMIT;
    for view in &views {
        let mut item = page_item(view, &query.include);
        let mut bytes = reply::size(&item);
        if bytes > room && items.is_empty() {
            next.extend(cut_page(&mut item, first_line, view));
            bytes = reply::size(&item);
        }
        if bytes > room && !items.is_empty() {
            left_out.push(shown(&view.page.path).to_owned());
            continue;
        }
        room = room.saturating_sub(bytes);
        items.push(item);
    }
    if !left_out.is_empty() {
        next.push("Read the pages in left_out with another page_get.".into());
    }
    let next = if next.is_empty() { Value::Null } else { next.join(" ").into() };
    let mut reply = json!({"pages": items});
    if let (Value::Object(reply), Value::Object(more)) = (&mut reply, lean(json!({"left_out": left_out, "next": next})))
    {
        reply.extend(more);
    }
    Ok(reply)
}

/// `10-40`, `10-` or `10`, 1-based, both ends included.
pub(in crate::tools) fn line_range(text: &str) -> Result<(usize, usize)> {
    let number = |text: &str| text.trim().parse::<usize>().ok().filter(|line| *line > 0);
    let range = match text.split_once('-') {
        Some((first, "")) => number(first).map(|first| (first, usize::MAX - 1)),
        Some((first, last)) => number(first).zip(number(last)),
        None => number(text).map(|line| (line, line)),
    };
    range.filter(|(first, last)| first <= last).ok_or_else(|| Error::InvalidArguments {
        field: "lines".into(),
        problem: format!("expected a range of lines from 1 up, got `{}`", text.chars().take(40).collect::<String>()),
        example: "\"lines\": \"10-40\"".into(),
    })
}

fn page_item(view: &PageView, include: &BTreeSet<Include>) -> Value {
    let page = &view.page;
    let mut item = Map::new();
    item.insert("path".into(), shown(&page.path).into());
    item.insert("url".into(), page.url.clone().into());
    item.insert("title".into(), page.title.clone().into());
    item.insert("etag".into(), json!(view.etag.map(|etag| etag.to_string())));
    if page.state != PageState::Live {
        item.insert("state".into(), json!(page.state));
    }
    if include.contains(&Include::FrontMatter) {
        item.insert("front_matter".into(), Value::Object(page.front_matter.clone()));
    }
    if let Some(body) = &view.body {
        item.insert("body_lines".into(), view.body_lines.into());
        item.insert("body".into(), body.clone().into());
    }
    if let Some(html) = &view.html {
        item.insert("html".into(), (&**html).into());
    }
    if let Some(text) = &view.text {
        item.insert("text".into(), text.clone().into());
    }
    if let Some(outline) = &view.outline {
        item.insert("outline".into(), json!(outline));
    }
    if let Some(backlinks) = &view.backlinks {
        let links: Vec<Value> = backlinks
            .iter()
            .map(|(path, url, title)| json!({"path": shown(path), "url": url, "title": title}))
            .collect();
        item.insert("backlinks".into(), links.into());
    }
    if let Some(findings) = &view.diagnostics {
        item.insert("diagnostics".into(), reply::diagnostics(findings));
    }
    if let Some(history) = &view.history {
        item.insert("history".into(), history.iter().map(reply::revision).collect());
    }
    Value::Object(item)
}

/// Shortens a page that alone fills more than a reply, and says how to read on.
fn cut_page(item: &mut Value, first_line: usize, view: &PageView) -> Vec<String> {
    let mut next = Vec::new();
    let Value::Object(fields) = item else { return next };
    for name in ["html", "text", "body"] {
        let others: usize = fields.iter().filter(|(key, _)| key.as_str() != name).map(|(_, v)| reply::size(v)).sum();
        let room = reply::REPLY_LIMIT.saturating_sub(others).max(2_000);
        let Some(Value::String(text)) = fields.get_mut(name) else { continue };
        // JSON escapes line ends and quotes: leave room for them.
        if text.len() <= room / 10 * 9 {
            continue;
        }
        let mut end = room / 10 * 9;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let end = text[..end].rfind('\n').map_or(end, |at| at + 1);
        text.truncate(end);
        if name == "body" {
            let last = first_line + text.lines().count() - 1;
            next.push(format!(
                "Body lines {first_line}-{last} of {} are shown; go on with page_get and lines: \"{}-\".",
                view.body_lines,
                last + 1
            ));
        } else {
            fields.insert(format!("{name}_cut"), true.into());
            next.push(format!("{name} is cut; read the whole with preview, or ask for fewer parts."));
        }
    }
    next
}
