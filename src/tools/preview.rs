//! `preview`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, lean};
use super::{Context, Hints, Right, Spec, Tool};
use crate::error::Result;
use crate::site::address::shown;
use crate::site::preview::{self, Form, PreviewQuery};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(PREVIEW, show)]
}

const PREVIEW: Spec = Spec {
    name: "preview",
    title: "Preview pages",
    description: "Renders pages before they are live; use it after edits and before publish. Replies per page an address to \
        open, the whole HTML, or its text, and diagnostics. For the raw difference use change_diff.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `preview`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Preview {
    /// URL paths or content paths, e.g. `/blog/hello/`; default: all changed pages.
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

fn show(context: &Context, asked: Preview) -> Result<Value> {
    let form = match asked.form {
        None | Some(As::Url) => Form::Url,
        Some(As::Html) => Form::Html,
        Some(As::Text) => Form::Text,
    };
    let query = PreviewQuery { pages: asked.pages, only: asked.only, form, progress: context.progress.clone() };
    let shown_pages = preview::preview(&context.site, &query)?;
    let mut room = reply::CONTENT_LIMIT;
    let mut items = Vec::new();
    let mut left_out = Vec::new();
    for page in &shown_pages.pages {
        let content = page.content.as_deref();
        let bytes = content.map_or(0, str::len);
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

/// The first lines, at most `bytes`.
fn head(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].rfind('\n').map_or(&text[..end], |line| &text[..line])
}
