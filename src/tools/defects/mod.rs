//! Known defects for the benchmark of the improvement loop, seeded around the tools: a build with the feature `defects` behaves as the
//! environment variable `SITEWRIGHT_DEFECT` says. Never part of a release build, so that the tools themselves know nothing of it.
//!
//! `NAME` is the defect, `NAME.right` its cure, `NAME.useless` a patch that changes only words, `NAME.harmful` one that trades it for
//! something worse. Several are joined by `+`; `v1` and `v2` stand for whole servers of the past.

pub(super) mod errors;
mod names;
mod replies;
mod works;

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Answer, Context, Refusal, Registry, Tool};
use crate::error::Error;

const VARIABLE: &str = "SITEWRIGHT_DEFECT";

/// What was done about a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patch {
    None,
    Useless,
    Harmful,
}

type Seed = fn(Registry, Patch) -> Registry;

const SEEDS: [(&str, Seed); 14] = [
    ("no_batch", works::no_batch),
    ("ok_only", replies::ok_only),
    ("theme_reset", works::theme_reset),
    ("no_preview", works::no_preview),
    ("opaque_errors", errors::opaque),
    ("ids_only", names::ids_only),
    ("unpaged", replies::unpaged),
    ("slow_render", works::slow_render),
    ("no_dry_run", works::no_dry_run),
    ("jobs", works::jobs),
    ("stale_etags", replies::stale_etags),
    ("renamed_enum", names::renamed_enum),
    // Parts of the servers of the past only.
    ("single_reads", works::single_reads),
    ("single_publish", works::single_publish),
];

/// The tools with the defects that the environment names.
pub(super) fn seeded(registry: Registry) -> Registry {
    let Ok(wanted) = std::env::var(VARIABLE) else { return registry };
    let wanted = wanted.replace("v1", "single_reads+no_batch+theme_reset+no_preview+single_publish");
    let wanted = wanted.replace("v2", "single_reads+no_batch+no_preview");
    wanted.split('+').fold(registry, |registry, name| {
        let (name, patch) = name.split_once('.').unwrap_or((name, ""));
        let patch = match patch {
            "right" => return registry,
            "useless" => Patch::Useless,
            "harmful" => Patch::Harmful,
            _ => Patch::None,
        };
        let Some((_, seed)) = SEEDS.iter().find(|(known, _)| *known == name) else {
            tracing::error!(name, "no such defect");
            return registry;
        };
        seed(registry, patch)
    })
}

/// The registry with one tool run by `run`, which is given the sound tool.
fn around<F>(registry: Registry, name: &str, run: F) -> Registry
where
    F: Fn(&Tool, &Context, Map<String, Value>) -> Result<Answer, Refusal> + Send + Sync + 'static,
{
    let Some(inner) = registry.find(name).cloned() else { return registry };
    let sound = inner.clone();
    let run = move |context: &Context, arguments: Map<String, Value>| run(&sound, context, arguments);
    registry.with(Tool { one_change_set: false, publishes: None, run: Arc::new(run), ..inner })
}

/// The registry with a sentence more in a tool's description.
fn described(registry: Registry, name: &str, sentence: &str) -> Registry {
    let Some(mut tool) = registry.find(name).cloned() else { return registry };
    let text = tool.listed.description.take().unwrap_or_default();
    tool.listed.description = Some(format!("{text} {sentence}").into());
    registry.with(tool)
}

/// The registry with a tool's properties changed, as they are shown and as they are checked.
fn reshaped(registry: Registry, name: &str, edit: impl Fn(&mut Map<String, Value>)) -> Registry {
    let Some(mut tool) = registry.find(name).cloned() else { return registry };
    let apply = |schema: &Map<String, Value>| {
        let mut schema = schema.clone();
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            edit(properties);
        }
        Arc::new(schema)
    };
    tool.listed.input_schema = apply(&tool.listed.input_schema);
    tool.schema = apply(&tool.schema);
    registry.with(tool)
}

/// The registry without a tool.
fn without(mut registry: Registry, name: &str) -> Registry {
    registry.tools.retain(|tool| tool.name() != name);
    registry
}

fn refused(field: &str, problem: &str) -> Refusal {
    Error::InvalidArguments { field: field.into(), problem: problem.into(), example: "{}".into() }.into()
}

/// Content files with their text, by the path that replies show.
fn pages(context: &Context) -> Result<Vec<(String, String)>, Refusal> {
    let (snapshot, _) = context.site.working()?;
    let shown = |path: &str| path.strip_prefix("content/").map(str::to_owned);
    let pages = snapshot.under("content").filter(|(path, _)| path.as_str().ends_with(".md"));
    Ok(pages
        .filter_map(|(path, file)| Some((shown(path.as_str())?, file.text().unwrap_or_default().to_owned())))
        .collect())
}
