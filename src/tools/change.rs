//! `change_list`, `change_diff`, `change_discard`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, lean};
use super::{Context, Hints, Right, Spec, Tool};
use crate::error::{Error, Result};
use crate::model::ContentPath;
use crate::site::Unpublished;
use crate::site::address::shown;
use crate::site::change::{self, ChangeList, DiffStyle, Discard, FileDiff};
use crate::site::change_set::{self, Listed};

/// Edits named of one path.
const EDITS: usize = 5;

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(LIST, list), Tool::new(DIFF, diff), Tool::new(DISCARD, discard)]
}

const LIST: Spec = Spec {
    name: "change_list",
    title: "List changes",
    description: "Lists what is not live yet, by whom and why, and open change sets; call it before publish. Replies per path etag and edits; hand_edit: a person changed it.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `change_list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    /// Default 100.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<usize>,
    /// next_cursor.
    cursor: Option<String>,
}

fn list(context: &Context, asked: List) -> Result<Value> {
    let changes = change::list(&context.site, &context.progress)?;
    let all = &changes.status.unpublished;
    let start = start_after(all.iter().map(|item| &item.change.path), asked.cursor.as_deref())?;
    let part = &all[start..all.len().min(start + asked.limit.unwrap_or(100))];
    let sets = change_set::list(&context.site)?;
    let mut items: Vec<Value> = part.iter().map(|item| list_item(&changes, &sets, item)).collect();
    items.truncate(reply::fitting(&items));
    let next_cursor = match items.len().checked_sub(1) {
        Some(last) if start + items.len() < all.len() => Some(shown(&part[last].change.path)),
        _ => None,
    };
    let mut reply = json!({"total": all.len(), "items": items, "next_cursor": next_cursor});
    if let (Value::Object(fields), true) = (&mut reply, context.site.repository().is_working()) {
        let sets: Vec<Value> = sets.iter().map(super::change_set::item).collect();
        if !sets.is_empty() {
            fields.insert("change_sets".into(), sets[..reply::fitting(&sets)].into());
        }
    }
    Ok(reply)
}

/// When exactly this content of a path is published, and by which frozen change set.
fn scheduled(sets: &[Listed], item: &Unpublished) -> Value {
    let holds = |set: &&Listed| set.unpublished.iter().any(|frozen| frozen.change == item.change);
    let found = sets.iter().filter(|set| set.set.at.is_some()).filter(holds).min_by_key(|set| set.set.at);
    found.map_or(
        Value::Null,
        |listed| json!({"at": listed.set.at.map(|at| at.to_string()), "change_set": listed.set.id}),
    )
}

fn list_item(changes: &ChangeList, sets: &[Listed], item: &Unpublished) -> Value {
    let library = &changes.built.library;
    let page = library.by_path.get(&item.change.path).map(|&index| &library.pages[index]);
    let url = page.map(|page| page.url.as_str());
    let edits: Vec<Value> = changes
        .revisions
        .iter()
        .filter(|revision| item.revisions.contains(&revision.id))
        .take(EDITS)
        .map(|revision| {
            json!({
                "revision": revision.id,
                "by": revision.author.name,
                "when": revision.time.to_string(),
                "message": revision.message.lines().next().unwrap_or_default(),
            })
        })
        .collect();
    lean(json!({
        "path": shown(&item.change.path),
        "url": url,
        "change": item.change.kind(),
        "etag": item.change.after.map(|etag| etag.to_string()),
        "hand_edit": item.hand_edit,
        "hold": page.is_some_and(|page| page.is_held()),
        "review": item.review,
        "scheduled": scheduled(sets, item),
        "edits": edits,
    }))
}

/// The index behind the path a list ended with.
fn start_after<'a>(paths: impl Iterator<Item = &'a ContentPath>, cursor: Option<&str>) -> Result<usize> {
    let Some(cursor) = cursor else { return Ok(0) };
    let mut paths = paths;
    paths.position(|path| shown(path) == cursor).map(|at| at + 1).ok_or_else(|| Error::InvalidArguments {
        field: "cursor".into(),
        problem: "it does not belong to this list, or its change is gone".into(),
        example: "leave `cursor` out to start again".into(),
    })
}

const DIFF: Spec = Spec {
    name: "change_diff",
    title: "Show changes",
    description: "Shows how files differ from live, to review before publish. Replies per path diff, lines, etag. For rendered pages use preview.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `change_diff`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Diff {
    /// Pages, files, folders (`blog/`); default: all.
    #[serde(default)]
    #[schemars(example = ["/blog/hello/"])]
    paths: Vec<String>,
    /// Default unified; words marks words in lines; stat only counts.
    #[serde(rename = "as")]
    style: Option<As>,
    /// next_cursor.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum As {
    Words,
    Unified,
    Stat,
}

fn diff(context: &Context, asked: Diff) -> Result<Value> {
    let style = match asked.style {
        None | Some(As::Unified) => DiffStyle::Unified,
        Some(As::Words) => DiffStyle::Words,
        Some(As::Stat) => DiffStyle::Stat,
    };
    let all = change::diff(&context.site, &asked.paths, style, &context.progress)?;
    let start = start_after(all.iter().map(|file| &file.path), asked.cursor.as_deref())?;
    let mut items: Vec<Value> = all[start..].iter().map(diff_item).collect();
    items.truncate(reply::fitting(&items));
    let next_cursor = match (start + items.len()).checked_sub(1).and_then(|last| all.get(last)) {
        Some(last) if start + items.len() < all.len() => Some(shown(&last.path)),
        _ => None,
    };
    Ok(json!({"total": all.len(), "items": items, "next_cursor": next_cursor}))
}

fn diff_item(file: &FileDiff) -> Value {
    let mut item = lean(json!({
        "path": shown(&file.path),
        "etag": file.etag.map(|etag| etag.to_string()),
        "new": file.live.is_none(),
        "deleted": file.etag.is_none(),
        "hand_edit": file.hand_edit,
        "lines": {"added": file.stat.added, "removed": file.stat.removed},
    }));
    if let (Value::Object(fields), false) = (&mut item, file.diff.is_empty()) {
        fields.insert("diff".into(), file.diff.clone().into());
    }
    item
}

const DISCARD: Spec = Spec {
    name: "change_discard",
    title: "Discard changes",
    description: "Brings unpublished paths back to what is live. Needs etags from change_list. Replies what changed. To take back single edits use revision_restore.",
    hints: Hints { read_only: false, destructive: true, idempotent: true, open_world: false },
    right: Right::Content,
};

/// Arguments of `change_discard`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DiscardPaths {
    /// The paths; [{"path": "*"}] is everything.
    #[schemars(length(min = 1))]
    paths: Vec<Seen>,
    /// Why; for git.
    message: Option<String>,
    /// Write nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// As change_list names it.
    #[schemars(length(min = 1), example = "blog/hello.md")]
    path: String,
    /// etag, or `*`; none for a deleted file.
    #[schemars(example = "*")]
    etag: Option<String>,
}

fn discard(context: &Context, asked: DiscardPaths) -> Result<Value> {
    let everything = asked.paths.iter().any(|seen| seen.path.trim() == "*");
    if everything && asked.paths.len() > 1 {
        return Err(Error::InvalidArguments {
            field: "paths".into(),
            problem: "expected either `*` alone or paths, got both".into(),
            example: "\"paths\": [{\"path\": \"*\"}]".into(),
        });
    }
    let paths: Vec<Discard> =
        asked.paths.into_iter().map(|seen| Discard { path: seen.path, etag: seen.etag }).collect();
    let call = context.call(asked.message, asked.dry_run);
    let written = change::discard(&context.site, &call, (!everything).then_some(paths.as_slice()))?;
    let mut reply = reply::written(&written, false);
    if let Value::Object(fields) = &mut reply {
        // There is nothing to publish of what was discarded.
        fields.remove("next");
        if let Some(revision) = &written.revision {
            let next = format!("To have it back: revision_restore with undo: [\"{}\"].", revision.short());
            fields.insert("next".into(), next.into());
        }
    }
    Ok(reply)
}
