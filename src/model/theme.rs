//! A theme's manifest: `themes/<name>/theme.yaml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Reads a theme's manifest; a missing file gives a theme with nothing but its name.
    ///
    /// # Errors
    /// [`crate::error::Error::InvalidConfig`] with the line.
    pub fn load(snapshot: &super::Snapshot, name: &str) -> crate::error::Result<Self> {
        let path = format!("themes/{name}/theme.yaml");
        let mut theme: Self = match snapshot.text(&path) {
            None => Self::default(),
            Some(text) => serde_yaml::from_str(text).map_err(|error| crate::error::Error::InvalidConfig {
                path,
                line: error.location().map_or(0, |at| at.line()),
                problem: error.to_string(),
            })?,
        };
        name.clone_into(&mut theme.name);
        Ok(theme)
    }
}

/// Defaults of a chain of themes (the first wins), then the site's overrides.
pub fn resolve_settings(
    chain: &[Theme],
    overrides: &serde_json::Map<String, Value>,
) -> (serde_json::Map<String, Value>, Vec<super::Diagnostic>) {
    let mut settings = serde_json::Map::new();
    for theme in chain.iter().rev() {
        for (key, setting) in &theme.settings {
            settings.insert(key.clone(), setting.default.clone());
        }
    }
    for (key, value) in overrides {
        settings.insert(key.clone(), value.clone());
    }
    (settings, Vec::new())
}
