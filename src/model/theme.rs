//! A theme's manifest: `themes/<name>/theme.yaml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::config::fields::{Fields, nearest};
use super::front_matter::yaml;
use super::{ContentPath, Diagnostic, Severity, Snapshot};
use crate::error::{Error, Result};

/// `theme.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Theme {
    /// Name, as its folder.
    pub name: String,
    /// Semantic version of the theme.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Another theme of the same site whose files are used where this one has none.
    pub extends: Option<String>,
    /// Settings a site may override under `theme_settings`; the default's type is the setting's type.
    pub settings: BTreeMap<String, Setting>,
}

/// One theme setting.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    /// Used where the site sets nothing.
    pub default: Value,
    /// One sentence for people and agents.
    pub description: String,
    /// Allowed values; empty: any of the default's type.
    pub options: Vec<Value>,
}

impl Theme {
    /// Reads `themes/<name>/theme.yaml`; a theme without that file has only its name.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidConfig`] with the line.
    pub fn load(snapshot: &Snapshot, name: &str) -> Result<Self> {
        let path = manifest_path(name)?;
        let Some(file) = snapshot.get(&path) else { return Ok(Self { name: name.into(), ..Self::default() }) };
        let text = file.text().ok_or_else(|| Error::InvalidConfig {
            path: path.to_string(),
            line: 0,
            problem: "it is not valid UTF-8 text".into(),
        })?;
        let mut fields = Fields::read(&path, text)?;
        let theme = Self {
            // The folder decides: a copied theme whose manifest still has the old name is found by its new one.
            name: name.into(),
            version: fields.text("version")?.unwrap_or_default(),
            description: fields.text("description")?.unwrap_or_default(),
            extends: extends(&mut fields, name)?,
            settings: settings(&mut fields)?,
        };
        Ok(theme)
    }
}

/// Longest chain of `extends` that is followed.
const MAX_CHAIN: usize = 8;

impl Theme {
    /// A theme and what it extends, itself first, as far as that exists and can be read.
    #[must_use]
    pub fn chain(snapshot: &Snapshot, name: &str) -> Vec<Self> {
        let mut chain: Vec<Self> = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next.take().filter(|_| chain.len() < MAX_CHAIN) {
            let is_there = snapshot.under(&format!("themes/{name}")).next().is_some();
            if !is_there || chain.iter().any(|theme| theme.name == name) {
                break;
            }
            let theme = Self::load(snapshot, &name).unwrap_or(Self { name, ..Self::default() });
            next.clone_from(&theme.extends);
            chain.push(theme);
        }
        chain
    }
}

fn manifest_path(name: &str) -> Result<ContentPath> {
    if name.contains('/') {
        return Err(Error::InvalidPath { path: name.into(), problem: "a theme's name is a plain folder name".into() });
    }
    ContentPath::parse(&format!("themes/{name}/theme.yaml"))
}

fn extends(fields: &mut Fields, name: &str) -> Result<Option<String>> {
    let Some(base) = fields.text("extends")? else { return Ok(None) };
    if manifest_path(&base).is_err() {
        return Err(fields.error("extends", "expected the folder name of another theme"));
    }
    if base == name {
        return Err(fields.error("extends", "a theme cannot extend itself"));
    }
    Ok(Some(base))
}

/// Each setting is {default, description, options}, or just its default.
fn settings(fields: &mut Fields) -> Result<BTreeMap<String, Setting>> {
    let Some(map) = fields.any_map("settings")? else { return Ok(BTreeMap::new()) };
    let at = fields.below(&["settings"], Map::new());
    let read = |(key, value): (String, Value)| {
        let setting = match value {
            Value::Object(map) if map.contains_key("default") => {
                let mut inner = at.below(&[&key], map);
                let options = match inner.any("options") {
                    None => Vec::new(),
                    Some(Value::Array(options)) => options,
                    Some(_) => return Err(inner.error("options", "expected a list of allowed values")),
                };
                let description = inner.text("description")?.unwrap_or_default();
                let default = inner.any("default").unwrap_or_default();
                if !options.is_empty() && !options.contains(&default) {
                    return Err(inner.error("default", "it is not one of the options"));
                }
                Setting { default, description, options }
            }
            default => Setting { default, ..Setting::default() },
        };
        Ok((key, setting))
    };
    map.into_iter().map(read).collect()
}

/// The settings templates see: each theme's defaults, the nearest theme first in `chain` and winning, then the site's overrides.
///
/// An override of an unknown name, the wrong type or outside the options is reported and left out.
#[must_use]
pub fn resolve_settings(chain: &[Theme], overrides: &Map<String, Value>) -> (Map<String, Value>, Vec<Diagnostic>) {
    let mut known: BTreeMap<&str, &Setting> = BTreeMap::new();
    for theme in chain.iter().rev() {
        known.extend(theme.settings.iter().map(|(key, setting)| (key.as_str(), setting)));
    }
    let mut resolved: Map<String, Value> =
        known.iter().map(|(key, setting)| ((*key).to_owned(), setting.default.clone())).collect();
    let mut diagnostics = Vec::new();
    for (key, value) in overrides {
        match known.get(key.as_str()).map(|setting| misfit(setting, value)) {
            Some(None) => {
                resolved.insert(key.clone(), value.clone());
            }
            Some(Some((expected, hint))) => {
                let message = format!("`theme_settings.{key}` is {value}, the theme expects {expected}");
                diagnostics.extend(finding("invalid_theme_setting", message, hint));
            }
            None => {
                let names: Vec<&str> = known.keys().copied().collect();
                let hint = match nearest(key, &names) {
                    Some(near) => format!("Write `{near}` if that is what you mean."),
                    None if names.is_empty() => "Remove it: the theme has no settings.".into(),
                    None => format!("Remove it, or use one of: {}.", names.join(", ")),
                };
                diagnostics.extend(finding("unknown_theme_setting", format!("the theme has no setting `{key}`"), hint));
            }
        }
    }
    (resolved, diagnostics)
}

/// What was expected instead, and what to do; `None`: the value fits.
fn misfit(setting: &Setting, value: &Value) -> Option<(String, String)> {
    if !setting.options.is_empty() {
        if setting.options.contains(value) {
            return None;
        }
        let options: Vec<String> = setting.options.iter().map(Value::to_string).collect();
        let options = options.join(" or ");
        return Some((options.clone(), format!("Set it to {options}.")));
    }
    let same = std::mem::discriminant(&setting.default) == std::mem::discriminant(value);
    if same || setting.default.is_null() {
        return None;
    }
    let expected = yaml::kind(&setting.default).to_owned();
    Some((expected.clone(), format!("Set it to {expected}, such as `{}`.", setting.default)))
}

fn finding(code: &'static str, message: String, hint: String) -> Option<Diagnostic> {
    let path = ContentPath::from_disk("site.yaml").ok()?;
    Some(Diagnostic::new(Severity::Warning, code, path, 0, message).with_hint(hint))
}
