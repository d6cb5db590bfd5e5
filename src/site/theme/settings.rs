//! A theme's settings: the site's values for the theme it uses, the defaults of any other.

use serde_json::{Map, Value};

use super::near;
use crate::error::{Error, Result};
use crate::model::front_matter::{self, read_yaml};
use crate::model::{Config, Snapshot, Theme, resolve_settings};

/// `site.yaml` with settings of the theme in use patched; `null` goes back to the default.
///
/// # Errors
/// `InvalidArguments` for a setting the theme has not, or a value it does not take.
pub(super) fn of_site(snapshot: &Snapshot, config: &Config, patch: &Map<String, Value>) -> Result<String> {
    let chain = Theme::chain(snapshot, &config.theme);
    refuse_misfits(&chain, &config.theme_settings, patch, "settings")?;
    let text = snapshot.text("site.yaml").unwrap_or_default();
    let whole = Map::from_iter([("theme_settings".to_owned(), Value::Object(patch.clone()))]);
    front_matter::patch_yaml("site.yaml", text, &whole)
}

/// `theme.yaml` with other defaults, for a theme that the site does not use.
///
/// # Errors
/// As [`of_site`]; a default cannot be taken away.
pub(super) fn of_theme(snapshot: &Snapshot, name: &str, patch: &Map<String, Value>) -> Result<String> {
    let path = format!("themes/{name}/theme.yaml");
    let text = snapshot.text(&path).unwrap_or_default();
    let own = Theme::load(snapshot, name)?;
    refuse_misfits(std::slice::from_ref(&own), &Map::new(), patch, "settings")?;
    let written = read_yaml(&path, text)?;
    let mut changes = Map::new();
    for (key, value) in patch {
        if value.is_null() {
            return Err(Error::InvalidArguments {
                field: format!("settings.{key}"),
                problem: format!(
                    "the site does not use theme `{name}`, so this is the default itself: it needs a value"
                ),
                example: format!("\"settings\": {{\"{key}\": {}}}", default(&own, key)),
            });
        }
        let is_long = written["settings"][key].as_object().is_some_and(|map| map.contains_key("default"));
        let change =
            if is_long { Map::from_iter([("default".to_owned(), value.clone())]).into() } else { value.clone() };
        changes.insert(key.clone(), change);
    }
    front_matter::patch_yaml(&path, text, &Map::from_iter([("settings".to_owned(), Value::Object(changes))]))
}

/// Refuses values in `patch` that the themes do not take; what was wrong before is not its fault.
///
/// # Errors
/// `InvalidArguments` names the setting, what is expected and a near name.
pub(in crate::site) fn refuse_misfits(
    chain: &[Theme],
    set: &Map<String, Value>,
    patch: &Map<String, Value>,
    field: &str,
) -> Result<()> {
    for (key, value) in patch.iter().filter(|(key, value)| set.get(*key) != Some(value) && !value.is_null()) {
        let (_, findings) = resolve_settings(chain, &Map::from_iter([(key.clone(), value.clone())]));
        let Some(finding) = findings.first() else { continue };
        let known = chain.iter().find(|theme| theme.settings.contains_key(key));
        let names: Vec<&str> = chain.iter().flat_map(|theme| theme.settings.keys()).map(String::as_str).collect();
        let like = || near(key, names.iter().copied()).into_iter().next();
        let first = || names.first().map(|name| (*name).to_owned());
        let name = known.map(|_| key.clone()).or_else(like).or_else(first).unwrap_or_default();
        let owner = chain.iter().find(|theme| theme.settings.contains_key(&name));
        let all = if known.is_none() { format!("; it has: {}", names.join(", ")) } else { String::new() };
        return Err(Error::InvalidArguments {
            field: format!("{field}.{key}"),
            problem: format!("{}{all}", finding.message),
            example: format!("\"{name}\": {}", owner.map_or(Value::Null, |theme| default(theme, &name))),
        });
    }
    Ok(())
}

fn default(theme: &Theme, key: &str) -> Value {
    theme.settings.get(key).map_or(Value::Null, |setting| setting.default.clone())
}
