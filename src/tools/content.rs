//! `content_import`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Context, Edited, Hints, Right, Spec, Tool, reply};
use crate::error::{Error, Result};
use crate::site::import::{self, From, Imported, Kind, Lost, Request, Tally};

/// Names of what did not carry over in a reply.
const LOST: usize = 25;

const IMPORT: Spec = Spec {
    name: "content_import",
    title: "Import",
    description: "Imports another engine's site, Markdown, a feed or CSV; dry_run first. URLs stay. Replies counts, not_carried: what to mend.",
    hints: Hints { read_only: false, destructive: true, idempotent: true, open_world: true },
    right: Right::Content,
};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::editing(IMPORT, run)]
}

/// Arguments of `content_import`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ContentImport {
    /// Path below uploads.folders, or a feed's URL.
    #[schemars(length(min = 1), example = "../old-site")]
    from: String,
    /// Default: told by the files.
    kind: Option<Form>,
    /// Folder in content/.
    #[schemars(example = &"archive")]
    section: Option<String>,
    /// Overwrite what differs.
    #[serde(default)]
    replace: bool,
    /// The newest pages only.
    limit: Option<usize>,
    /// Only pages from this day on: 2026-01-31.
    since: Option<String>,
    /// CSV heading to front matter key, body, path, or "" for none.
    columns: Option<BTreeMap<String, String>>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Form {
    Hugo,
    Jekyll,
    Zola,
    Markdown,
    Feed,
    Csv,
}

impl Form {
    fn kind(self) -> Kind {
        match self {
            Self::Hugo => Kind::Hugo,
            Self::Jekyll => Kind::Jekyll,
            Self::Zola => Kind::Zola,
            Self::Markdown => Kind::Markdown,
            Self::Feed => Kind::Feed,
            Self::Csv => Kind::Csv,
        }
    }
}

fn run(context: &Context, asked: ContentImport) -> Result<Edited> {
    let url = ["http://", "https://"].iter().any(|scheme| asked.from.starts_with(scheme));
    if url && !context.rights.allow(Right::Fetch) {
        return Err(Error::NotAllowed { tool: "content_import with a URL".into(), right: Right::Fetch.to_string() });
    }
    let request = Request {
        from: if url { From::Url(asked.from) } else { From::Folder(asked.from) },
        kind: asked.kind.map(Form::kind),
        section: asked.section.unwrap_or_default(),
        replace: asked.replace,
        limit: asked.limit.unwrap_or_default(),
        since: asked.since,
        columns: asked.columns.unwrap_or_default(),
        media: context.rights.allow(Right::Media),
        config: context.rights.allow(Right::Config),
    };
    let call = context.call(asked.message, asked.dry_run);
    let imported = import::import(&context.site, &call, &request)?;
    Ok(Edited { reply: answer(&imported), written: imported.written })
}

fn answer(imported: &Imported) -> Value {
    let written = &imported.written;
    let mut out = Map::new();
    if let Some(revision) = &written.revision {
        out.insert("revision".into(), json!(revision));
    }
    for (flag, on) in [("unchanged", written.unchanged()), ("dry_run", written.dry_run)] {
        if on {
            out.insert(flag.into(), true.into());
        }
    }
    out.insert("kind".into(), imported.kind.name().into());
    out.insert("pages".into(), tally(&imported.pages));
    out.insert("files".into(), tally(&imported.files));
    let settings = json!({"set": imported.settings, "kept": imported.settings_kept});
    out.insert("settings".into(), reply::lean(settings));
    for (key, count) in [("redirects", imported.redirects), ("urls_written_down", imported.pinned)] {
        if count > 0 {
            out.insert(key.into(), count.into());
        }
    }
    if imported.lost_total > 0 {
        let first: Vec<Value> = imported.lost.iter().take(LOST).map(lost).collect();
        out.insert(
            "not_carried".into(),
            json!({"total": imported.lost_total, "kinds": imported.lost.len(), "first": first}),
        );
    }
    let findings = &written.diagnostics[..written.diagnostics.len().min(8)];
    out.insert("diagnostics".into(), reply::diagnostics(findings));
    out.insert("next".into(), next(imported).into());
    Value::Object(out)
}

fn tally(tally: &Tally) -> Value {
    let list = |paths: &Vec<String>| if paths.is_empty() { Value::Null } else { reply::first_few(paths) };
    reply::lean(json!({
        "created": list(&tally.created),
        "replaced": list(&tally.replaced),
        "unchanged": if tally.unchanged > 0 { json!(tally.unchanged) } else { Value::Null },
        "skipped": list(&tally.skipped),
    }))
}

fn lost(lost: &Lost) -> Value {
    json!({"what": lost.what, "which": lost.name, "count": lost.count, "examples": lost.examples, "then": lost.advice})
}

fn next(imported: &Imported) -> &'static str {
    let skipped = imported.pages.skipped.len() + imported.files.skipped.len() + imported.settings_kept.len();
    match &imported.written {
        written if written.dry_run => "Send it again without dry_run to write it.",
        written if written.unchanged() && skipped == 0 => "All of it is here already.",
        _ if skipped > 0 => "What is skipped or kept differs here: send it again with replace: true to overwrite it.",
        _ => "Look at the findings with site_get, mend what not_carried names, then publish.",
    }
}
