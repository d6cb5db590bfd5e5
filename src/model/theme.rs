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
