//! Themes: look at one, write its files and settings, choose and pin the one that the site renders with.

mod choose;
mod files;
mod freeze;
mod get;
mod settings;
mod write;

pub use choose::{Choice, Chosen, Pin, choose};
pub use get::{FileQuery, Include, LayoutView, SettingView, TextView, ThemeFile, ThemeQuery, ThemeView, get};
pub(super) use settings::refuse_misfits;
pub use write::{FileEdit, ThemeEdit, write};

use serde_json::Map;

use crate::build::template::Templates;
use crate::error::{Error, Result};
use crate::model::{Config, Diagnostic, Severity, Snapshot, Theme};

/// What a theme's name says: `default`, or `default@1a2b3c4d5e` for files frozen at a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// The theme that is edited.
    pub(super) source: &'a str,
    /// The revision a frozen copy is of.
    pub(super) pin: Option<&'a str>,
}

impl<'a> Name<'a> {
    pub(super) fn of(name: &'a str) -> Self {
        match name.split_once('@') {
            Some((source, pin)) => Self { source, pin: Some(pin) },
            None => Self { source: name, pin: None },
        }
    }
}

/// The folders, with their final slash, whose files the site is rendered with.
pub(super) fn folders_in_use(snapshot: &Snapshot) -> Vec<String> {
    let Ok((config, _)) = Config::load(snapshot) else { return vec!["themes/".into()] };
    let used = Theme::chain(snapshot, &config.theme).into_iter().map(|theme| format!("themes/{}/", theme.name));
    // What is missing now may be what an edit brings.
    used.chain([format!("themes/{}/", config.theme)]).collect()
}

/// The folders below `themes/`, in order.
fn names(snapshot: &Snapshot) -> Vec<String> {
    let mut names: Vec<String> =
        snapshot.under("themes").filter_map(|(path, _)| path.as_str().split('/').nth(1).map(str::to_owned)).collect();
    names.dedup();
    names
}

/// What is wrong with the templates of themes that the site does not use: no build ever sees them. Nothing depends on it, so
/// none of it is an error.
pub(super) fn unused(snapshot: &Snapshot) -> Vec<Diagnostic> {
    let used = folders_in_use(snapshot);
    let themes = names(snapshot).into_iter().filter(|name| Name::of(name).pin.is_none());
    let themes = themes.filter(|name| !used.contains(&format!("themes/{name}/")));
    let mut found = Vec::new();
    for name in themes {
        let folder = format!("themes/{name}/");
        let (_, findings) = Templates::compile(snapshot, &name, &Map::new());
        let own = findings.into_iter().filter(|finding| finding.path.as_str().starts_with(&folder));
        found.extend(own.map(|finding| match finding.severity {
            Severity::Error => Diagnostic { severity: Severity::Warning, ..finding },
            _ => finding,
        }));
    }
    found
}

fn exists(snapshot: &Snapshot, name: &str) -> bool {
    !name.contains('/') && snapshot.under(&format!("themes/{name}")).next().is_some()
}

/// The refusal of a theme that is not there.
fn not_found(snapshot: &Snapshot, name: &str) -> Error {
    let names = names(snapshot);
    Error::NotFound { kind: "theme", near: near(name, names.iter().map(String::as_str)), name: name.to_owned() }
}

fn found(snapshot: &Snapshot, name: &str) -> Result<()> {
    if exists(snapshot, name) { Ok(()) } else { Err(not_found(snapshot, name)) }
}

/// At most three names that look like this one, best first.
fn near<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let name: String = name.chars().take(200).collect();
    let score = |other: &str| similar::TextDiff::from_chars(name.as_str(), other).ratio();
    let mut scored: Vec<(f32, &str)> =
        names.take(2_000).map(|other| (score(other), other)).filter(|(score, _)| *score > 0.55).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, other)| other.to_owned()).collect()
}
