//! `site_get`, `site_update` and `site_sync`.

mod update;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reply::{self, lean};
use super::{Context, Hints, Right, Spec, Tool};
use crate::error::Result;
use crate::model::{Library, Page, PageKind};
use crate::site::address::shown;
use crate::site::change_set;
use crate::site::overview::{Overview, overview};
use crate::site::publish;

/// Unpublished paths named in the overview.
const UNPUBLISHED: usize = 5;
/// Sections and terms listed at most.
const MOST_LISTED: usize = 200;

/// How pages are written, for agents that never saw this software.
const GUIDE: &str = include_str!("guide.md");

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(GET, get),
        Tool::editing(update::UPDATE, update::update),
        Tool::new(SYNC, sync).of_whole_site::<SiteSync>(),
    ]
}

const GET: Spec = Spec {
    name: "site_get",
    title: "Look at the site",
    description: "Describes the site and its state in one call; start here. Replies title, theme, counts, what is unpublished, findings, remote, whether it can be written; guide: how pages are written.",
    hints: Hints::READ,
    right: Right::Read,
};

/// Arguments of `site_get`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SiteGet {
    #[serde(default)]
    include: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Part {
    Config,
    Sections,
    Taxonomies,
    Collections,
    Menus,
    Theme,
    Changes,
    Guide,
}

fn get(context: &Context, asked: SiteGet) -> Result<Value> {
    let overview = overview(&context.site, &context.progress)?;
    let mut reply = summary(&overview);
    for part in asked.include {
        let (name, value) = match part {
            Part::Config => ("config", config(&overview)),
            Part::Sections => ("sections", sections(&overview.built.library)),
            Part::Taxonomies => ("taxonomies", taxonomies(&overview.built.library)),
            Part::Collections => ("collections", collections(&overview.built.library)),
            Part::Menus => ("menus", json!(overview.built.library.config.menus)),
            Part::Theme => ("theme", theme(&overview)),
            Part::Changes => ("changes", changes(context, &overview)?),
            Part::Guide => ("guide", GUIDE.into()),
        };
        reply.insert(name.into(), value);
    }
    Ok(Value::Object(reply))
}

fn summary(overview: &Overview) -> Map<String, Value> {
    let config = &overview.built.library.config;
    let status = &overview.status;
    let findings: Map<String, Value> = overview
        .findings
        .iter()
        .map(|(severity, count)| (format!("{severity:?}").to_lowercase(), (*count).into()))
        .collect();
    let unpublished: Vec<&str> =
        status.unpublished.iter().take(UNPUBLISHED).map(|item| shown(&item.change.path)).collect();
    let git = lean(json!({
        "branch": status.branch,
        "live": status.live,
        "remote": status.remote,
        "pending_publish": status.pending,
        "reviews": status.reviews.iter().map(|review| json!({"branch": review.branch, "paths": review.paths.len()})).collect::<Vec<_>>(),
        "local_commits": status.local_commits.iter().map(|(id, subject)| format!("{} {subject}", id.short())).collect::<Vec<_>>(),
    }));
    let mut summary = json!({
        "title": config.title,
        "base_url": config.base_url,
        "language": config.language,
        "theme": config.theme,
        "pages": overview.pages,
        "assets": overview.assets,
        "sections": overview.built.library.sections.len(),
        "unpublished": {"count": status.unpublished.len(), "first": unpublished},
        "diagnostics": findings,
        "git": git,
    });
    let mut next = Vec::new();
    if let Some((state, cure)) = &status.writable {
        next.push(format!("It cannot be written now: {state}. {cure}"));
    }
    if status.pending.is_some() {
        next.push("A publish waits to be pushed: call publish again.".into());
    }
    if overview.output_behind {
        next.push("The output branch does not show what is live, such as a merged review: call publish.".into());
    }
    if let Value::Object(fields) = &mut summary {
        fields.insert("writable".into(), status.writable.is_none().into());
        if !config.languages.is_empty() {
            fields.insert("languages".into(), json!(config.further_languages().collect::<Vec<_>>()));
        }
        if !next.is_empty() {
            fields.insert("next".into(), next.join(" ").into());
        }
        return std::mem::take(fields);
    }
    Map::new()
}

fn config(overview: &Overview) -> Value {
    let etag =
        overview.snapshot.iter().find(|(path, _)| path.as_str() == "site.yaml").map(|(_, file)| file.id.to_string());
    json!({"path": "site.yaml", "etag": etag, "values": overview.built.library.config})
}

fn sections(library: &Library) -> Value {
    library
        .languages()
        .flat_map(|language| library.sections_in(language).values())
        .take(MOST_LISTED)
        .map(|section| {
            let page = &library.pages[section.page];
            json!({"path": shown(&page.path), "url": page.url, "title": page.title, "pages": section.pages.len()})
        })
        .collect()
}

fn taxonomies(library: &Library) -> Value {
    let translated = library.languages().flat_map(|language| library.taxonomies_in(language).values());
    // The site's own are shown before any page has them.
    let own = library.taxonomies.len();
    translated
        .enumerate()
        .filter(|(at, taxonomy)| *at < own || !taxonomy.terms.is_empty())
        .map(|(_, taxonomy)| taxonomy)
        .map(|taxonomy| {
            let terms: Vec<Value> = taxonomy
                .terms
                .values()
                .take(MOST_LISTED)
                .map(|term| json!({"name": term.name, "url": term.url, "pages": term.pages.len()}))
                .collect();
            json!({"key": taxonomy.key, "title": taxonomy.title, "url": taxonomy.url, "count": taxonomy.terms.len(), "terms": terms})
        })
        .collect()
}

/// Each collection with how many pages it has; a schema as it stands in `site.yaml`, with every field's type.
fn collections(library: &Library) -> Value {
    let config = &library.config;
    let held = |name: &str| {
        let of = |page: &&Arc<Page>| page.exists && page.kind == PageKind::Page;
        let pages = library.pages.iter().filter(of);
        pages.filter(|page| config.collection_of(&page.section).is_some_and(|(found, _)| found == name)).count()
    };
    let all = config.collections.iter().map(|(name, collection)| {
        let mut value = json!(collection);
        if let Value::Object(fields) = &mut value {
            fields.insert("pages".into(), held(name).into());
        }
        (name.clone(), value)
    });
    Value::Object(all.collect())
}

fn theme(overview: &Overview) -> Value {
    let name = &overview.built.library.config.theme;
    let folder = format!("themes/{name}");
    let files: Vec<&str> = overview.snapshot.under(&folder).map(|(path, _)| path.as_str()).take(MOST_LISTED).collect();
    lean(json!({
        "name": name,
        "manifest": overview.theme,
        "settings": overview.built.library.config.theme_settings,
        "files": files,
    }))
}

fn changes(context: &Context, overview: &Overview) -> Result<Value> {
    let items: Vec<Value> = overview
        .status
        .unpublished
        .iter()
        .map(|item| {
            let mut fields = reply::change(&item.change);
            if let (Value::Object(fields), true) = (&mut fields, item.hand_edit) {
                fields.insert("hand_edit".into(), true.into());
            }
            fields
        })
        .collect();
    let fitting = reply::fitting(&items);
    let sets: Vec<Value> = change_set::list(&context.site)?.iter().map(super::change_set::item).collect();
    Ok(lean(json!({
        "items": items[..fitting],
        "left_out": items.len() - fitting,
        "change_sets": sets[..reply::fitting(&sets)],
    })))
}

const SYNC: Spec = Spec {
    name: "site_sync",
    title: "Take in the remote",
    description: "Merges what others published into the working tree; publish does it by itself. Replies what changed, or conflicts.",
    hints: Hints { read_only: false, destructive: false, idempotent: true, open_world: true },
    right: Right::Content,
};

/// Arguments of `site_sync`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SiteSync {
    /// Why; for git.
    message: Option<String>,
}

fn sync(context: &Context, asked: SiteSync) -> Result<Value> {
    let outcome = publish::sync(&context.site, &context.call(asked.message, false))?;
    let synced = outcome.synced;
    let mut items: Vec<Value> = synced.changes.iter().map(reply::change).collect();
    let total = items.len();
    items.truncate(reply::fitting(&items));
    let next = if !synced.conflicts.is_empty() {
        Some("Write each conflicting path with the text you want and if_match set to its theirs.etag, then publish.")
    } else if outcome.output_behind {
        Some("The output branch does not show what is live now: call publish to bring it up to date.")
    } else if total > 0 {
        Some("Read what changed again before editing it: etags moved.")
    } else {
        None
    };
    Ok(lean(json!({
        "before": synced.before,
        "after": synced.after,
        "unchanged": total == 0,
        "changed": items,
        "changed_left_out": (items.len() < total).then(|| total - items.len()),
        "conflicts": synced.conflicts,
        "merged_reviews": synced.merged_reviews,
        "closed_reviews": synced.closed_reviews,
        "next": next,
    })))
}
