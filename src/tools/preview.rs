//! `preview`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, lean};
use super::{Answer, Context, Hints, Picture, Right, Spec, Tool};
use crate::error::{Error, Result};
use crate::preview::{Browser, Look, screenshots};
use crate::site::address::shown;
use crate::site::preview::{self, Form, PreviewQuery};

/// Most pages of one call that are shown as pictures.
const MOST_SCREENSHOTS: usize = 5;
/// Addresses named of those a page was refused.
const MOST_REFUSED: usize = 5;

/// Without a browser, what only a browser can do is not offered.
pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(PREVIEW, |context: &Context, asked: Preview| show(context, &asked.into()))]
}

/// With one.
pub(super) fn with_browser(browser: Arc<Browser>) -> Tool {
    Tool::picturing(PREVIEW_WITH_BROWSER, move |context: &Context, asked: PreviewWithBrowser| match asked.form {
        Some(AsWithBrowser::Screenshot) => shoot(context, &browser, asked),
        _ => show(context, &asked.into()).map(Answer::from),
    })
}

const PREVIEW: Spec = Spec {
    name: "preview",
    title: "Preview pages",
    description: "Renders pages before they are live. Replies per page an address to open, HTML or text, and diagnostics. For the \
        raw difference use change_diff.",
    hints: Hints::READ,
    right: Right::Read,
};

const PREVIEW_WITH_BROWSER: Spec = Spec {
    description: "Renders pages before they are live. Replies per page an address, HTML, text or a picture, and diagnostics. For the \
        raw difference use change_diff.",
    ..PREVIEW
};

/// Arguments of `preview`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Preview {
    /// E.g. `/blog/hello/`; default: all changed.
    #[serde(default)]
    #[schemars(length(max = 50), example = ["/blog/hello/"])]
    pages: Vec<String>,
    /// Live plus just these pages: exactly what publishing them would write.
    #[serde(default)]
    only: bool,
    /// Default url, an address for a browser; html: the whole document; text: the main content.
    #[serde(rename = "as")]
    form: Option<As>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum As {
    Url,
    Html,
    Text,
}

/// Arguments of `preview` where a browser is there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PreviewWithBrowser {
    /// E.g. `/blog/hello/`; default: all changed.
    #[serde(default)]
    #[schemars(length(max = 50), example = ["/blog/hello/"])]
    pages: Vec<String>,
    /// Live plus just these pages: exactly what publishing them would write.
    #[serde(default)]
    only: bool,
    /// Default url, an address; html: whole document; text: main content; screenshot: up to 5 pages.
    #[serde(rename = "as")]
    form: Option<AsWithBrowser>,
    /// Of a screenshot; default desktop.
    viewport: Option<Viewport>,
    /// A dark screenshot.
    #[serde(default)]
    dark: bool,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum AsWithBrowser {
    Url,
    Html,
    Text,
    Screenshot,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Viewport {
    #[default]
    Desktop,
    Phone,
}

/// What both forms of the tool ask the site for.
struct Asked {
    pages: Vec<String>,
    only: bool,
    form: Form,
}

impl From<Preview> for Asked {
    fn from(asked: Preview) -> Self {
        let form = match asked.form {
            None | Some(As::Url) => Form::Url,
            Some(As::Html) => Form::Html,
            Some(As::Text) => Form::Text,
        };
        Self { pages: asked.pages, only: asked.only, form }
    }
}

impl From<PreviewWithBrowser> for Asked {
    fn from(asked: PreviewWithBrowser) -> Self {
        let form = match asked.form {
            None | Some(AsWithBrowser::Url) => Form::Url,
            Some(AsWithBrowser::Html) => Form::Html,
            Some(AsWithBrowser::Text) => Form::Text,
            Some(AsWithBrowser::Screenshot) => Form::Files,
        };
        Self { pages: asked.pages, only: asked.only, form }
    }
}

/// The viewport's size is one that clients show without scaling it down.
fn look(viewport: Viewport, dark: bool) -> Look {
    match viewport {
        Viewport::Desktop => Look { width: 1280, height: 800, scale: 1, mobile: false, dark },
        Viewport::Phone => Look { width: 390, height: 780, scale: 2, mobile: true, dark },
    }
}

fn shoot(context: &Context, browser: &Browser, asked: PreviewWithBrowser) -> Result<Answer> {
    let look = look(asked.viewport.unwrap_or_default(), asked.dark);
    if asked.pages.len() > MOST_SCREENSHOTS {
        return Err(Error::InvalidArguments {
            field: "pages".into(),
            problem: format!("got {} pages, a screenshot takes at most {MOST_SCREENSHOTS}", asked.pages.len()),
            example: "\"pages\": [\"/blog/hello/\"]".into(),
        });
    }
    let asked = Asked::from(asked);
    let progress = context.progress.part(0.0, 0.4);
    let query = PreviewQuery { pages: asked.pages, only: asked.only, form: asked.form, progress };
    let mut shown_pages = preview::preview(&context.site, &query)?;
    // All changed pages can be many: the first are shown, the others named.
    let rest = shown_pages.pages.split_off(shown_pages.pages.len().min(MOST_SCREENSHOTS));
    let left_out: Vec<&str> = rest.iter().map(|page| shown(&page.path)).collect();
    if shown_pages.pages.is_empty() {
        return Ok(json!({"pages": [], "next": "Nothing is unpublished; name pages to see them."}).into());
    }
    let shots = screenshots(browser, &context.site, &shown_pages, look, &context.progress.part(0.4, 1.0))?;
    let items: Vec<Value> = shown_pages
        .pages
        .iter()
        .zip(&shots)
        .map(|(page, shot)| {
            let refused: Vec<&String> = shot.refused.iter().take(MOST_REFUSED).collect();
            let size = json!({"width": shot.width, "height": shot.height});
            lean(json!({
                "path": shown(&page.path),
                "url": page.url,
                "image": {"type": shot.media_type, "bytes": shot.bytes.len(), "px": size},
                "page_height": shot.page_height,
                "not_loaded": refused,
                "not_loaded_more": if shot.refused.len() > refused.len() { json!(shot.refused.len() - refused.len()) } else { Value::Null },
            }))
        })
        .collect();
    let value = lean(json!({
        "pages": items,
        "viewport": {"width": look.width, "height": look.height, "dark": look.dark},
        "diagnostics": reply::diagnostics(&shown_pages.diagnostics),
        "left_out": left_out,
        "next": (!left_out.is_empty()).then_some("Preview the pages in left_out with another call."),
    }));
    let pictures = shots.into_iter().map(|shot| Picture { bytes: shot.bytes, media_type: shot.media_type }).collect();
    Ok(Answer { value, pictures })
}

fn show(context: &Context, asked: &Asked) -> Result<Value> {
    let form = asked.form;
    let query = PreviewQuery { pages: asked.pages.clone(), only: asked.only, form, progress: context.progress.clone() };
    let shown_pages = preview::preview(&context.site, &query)?;
    let mut room = reply::CONTENT_LIMIT;
    let mut items = Vec::new();
    let mut left_out = Vec::new();
    for page in &shown_pages.pages {
        let content = page.content.as_deref();
        let bytes = content.map_or(0, written);
        if bytes > room && !items.is_empty() {
            left_out.push(shown(&page.path));
            continue;
        }
        let (content, cut) = match content {
            Some(text) if bytes > room => (Some(head(text, room)), true),
            other => (other, false),
        };
        room = room.saturating_sub(bytes);
        let name = if form == Form::Html { "html" } else { "text" };
        items.push(lean(json!({
            "path": shown(&page.path),
            "url": page.url,
            "address": page.address,
            name: content,
            "cut": cut,
        })));
    }
    let next = if !left_out.is_empty() {
        Some("Preview the pages in left_out with another call.")
    } else if form == Form::Url && shown_pages.address.is_none() {
        Some("No preview server runs beside this one: use as: html or as: text.")
    } else if items.is_empty() {
        Some("Nothing is unpublished; name pages to see them.")
    } else {
        None
    };
    let mut reply = json!({"pages": items, "diagnostics": reply::diagnostics(&shown_pages.diagnostics)});
    let more = lean(json!({"address": shown_pages.address, "left_out": left_out, "next": next}));
    if let (Value::Object(reply), Value::Object(more)) = (&mut reply, more) {
        reply.extend(more);
    }
    Ok(reply)
}

/// Bytes a character takes in JSON.
fn cost(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        c if c.is_control() => 6,
        c => c.len_utf8(),
    }
}

/// Bytes a text takes in JSON.
fn written(text: &str) -> usize {
    text.chars().map(cost).sum()
}

/// The first lines, at most `bytes` of JSON.
fn head(text: &str, bytes: usize) -> &str {
    let mut total = 0;
    let past = text.char_indices().find(|(_, c)| {
        total += cost(*c);
        total > bytes
    });
    let head = past.map_or(text, |(end, _)| &text[..end]);
    head.rfind('\n').map_or(head, |line| &head[..line])
}
