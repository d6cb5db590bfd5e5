//! A theme and what it extends: which file is used for which name, the assets, and the settings.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::model::{ContentPath, Diagnostic, Severity, Snapshot, Theme};

/// Longest chain of `extends`.
const MAX_CHAIN: usize = 8;

/// The files of a theme after falling back file by file.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// Folder names, the theme itself first.
    pub names: Vec<String>,
    /// Template files by name: `layouts/page`, `partials/header`, `shortcodes/figure`.
    pub templates: BTreeMap<String, ContentPath>,
    /// Assets by output path below `assets/`.
    pub assets: Vec<(String, ContentPath)>,
    /// Settings: defaults of the whole chain, then the site's own values.
    pub settings: Map<String, Value>,
}

/// Follows `extends` from a theme and collects its files.
pub(super) fn resolve(
    snapshot: &Snapshot,
    theme: &str,
    overrides: &Map<String, Value>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Chain {
    let manifests = follow(snapshot, theme, diagnostics);
    let mut chain = Chain { names: manifests.iter().map(|(name, _)| name.clone()).collect(), ..Chain::default() };
    let mut assets = BTreeMap::new();
    for name in &chain.names {
        let folder = format!("themes/{name}");
        for (path, _) in snapshot.under(&folder) {
            let inner = &path.as_str()[folder.len() + 1..];
            if let Some(asset) = inner.strip_prefix("assets/") {
                assets.entry(asset.to_owned()).or_insert_with(|| path.clone());
            } else if let Some(key) = inner.strip_suffix(".hbs")
                && ["layouts/", "partials/", "shortcodes/"].iter().any(|kind| key.starts_with(kind))
            {
                chain.templates.entry(key.to_owned()).or_insert_with(|| path.clone());
            }
        }
    }
    chain.assets = assets.into_iter().collect();
    let themes: Vec<Theme> = manifests.into_iter().map(|(_, theme)| theme).collect();
    let (settings, found) = crate::model::resolve_settings(&themes, overrides);
    diagnostics.extend(found);
    chain.settings = settings;
    chain
}

fn follow(snapshot: &Snapshot, theme: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<(String, Theme)> {
    let mut chain: Vec<(String, Theme)> = Vec::new();
    let mut next = Some(theme.to_owned());
    while let Some(name) = next.take() {
        let named_in = chain.last().map_or_else(|| "site.yaml".to_owned(), |(last, _)| manifest(last));
        if chain.iter().any(|(seen, _)| *seen == name) {
            let through: Vec<&str> = chain.iter().map(|(name, _)| name.as_str()).collect();
            report(
                diagnostics,
                &named_in,
                "theme_cycle",
                format!("`extends` goes round: {} > {name}", through.join(" > ")),
                "Remove one `extends`.",
            );
            break;
        }
        if chain.len() == MAX_CHAIN {
            report(
                diagnostics,
                &named_in,
                "theme_depth",
                format!("more than {MAX_CHAIN} themes extend each other"),
                "Merge some of them.",
            );
            break;
        }
        if snapshot.under(&format!("themes/{name}")).next().is_none() {
            let names = theme_names(snapshot);
            let near = super::near(&name, names.iter().map(String::as_str));
            let hint = super::did_you_mean(&near, "Add the theme's folder, or name another theme.");
            if let Ok(path) = ContentPath::from_disk(&named_in) {
                let message = format!("there is no theme `{name}`: themes/{name}/ has no files");
                let finding = Diagnostic::new(Severity::Error, "missing_theme", path, 0, message);
                diagnostics.push(finding.with_hint(hint).with_refers(format!("themes/{name}/theme.yaml")));
            }
            break;
        }
        let loaded = match Theme::load(snapshot, &name) {
            Ok(loaded) => loaded,
            Err(error) => {
                let (line, problem) = match &error {
                    Error::InvalidConfig { line, problem, .. } => (*line, problem.clone()),
                    other => (0, other.to_string()),
                };
                if let Ok(path) = ContentPath::from_disk(&manifest(&name)) {
                    let finding = Diagnostic::new(Severity::Error, "invalid_theme", path, line, problem);
                    diagnostics.push(finding.with_hint("Mend theme.yaml at that line."));
                }
                Theme { name: name.clone(), ..Theme::default() }
            }
        };
        next.clone_from(&loaded.extends);
        chain.push((name, loaded));
    }
    chain
}

fn manifest(name: &str) -> String {
    format!("themes/{name}/theme.yaml")
}

fn theme_names(snapshot: &Snapshot) -> Vec<String> {
    let mut names: Vec<String> =
        snapshot.under("themes").filter_map(|(path, _)| path.as_str().split('/').nth(1).map(str::to_owned)).collect();
    names.dedup();
    names
}

fn report(diagnostics: &mut Vec<Diagnostic>, path: &str, code: &'static str, message: String, hint: &str) {
    if let Ok(path) = ContentPath::from_disk(path) {
        diagnostics.push(Diagnostic::new(Severity::Error, code, path, 0, message).with_hint(hint));
    }
}
