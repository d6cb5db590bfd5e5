//! Defects of what a tool says when it refuses.

use serde_json::json;

use super::super::{Refusal, Registry};
use super::{Patch, around};

/// Every refusal reads the same.
pub(super) fn opaque(registry: Registry, patch: Patch) -> Registry {
    let names: Vec<String> = registry.tools().map(|tool| tool.name().to_owned()).collect();
    names.iter().fold(registry, |registry, name| {
        // Checked inside, where a refusal of the arguments can be spoilt too.
        let registry = lenient(registry, name);
        around(registry, name, move |sound, context, arguments| match (sound.call(context, arguments), patch) {
            (Ok(answer), _) => Ok(answer),
            // Nothing happened, and nobody is told.
            (Err(_), Patch::Harmful) => Ok(json!({"ok": true}).into()),
            (Err(_), Patch::Useless) => Err(said("Something went wrong. Please check your request.")),
            (Err(_), Patch::None) => Err(said("failed")),
        })
    })
}

fn said(message: &str) -> Refusal {
    Refusal { code: "error".into(), message: message.into(), hint: "Try again.".into(), details: Box::default() }
}

/// A tool that hands its arguments on as they come.
fn lenient(registry: Registry, name: &str) -> Registry {
    let Some(mut tool) = registry.find(name).cloned() else { return registry };
    let sound = tool.clone();
    tool.run = std::sync::Arc::new(move |context, arguments| sound.call(context, arguments));
    tool.one_change_set = false;
    tool.publishes = None;
    tool.schema = std::sync::Arc::default();
    registry.with(tool)
}
