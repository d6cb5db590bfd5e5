//! The files of a theme, with what it extends, as one folder that stands alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::Site;
use super::files;
use crate::error::{Error, Result};
use crate::model::front_matter::{self, read_yaml};
use crate::model::{ContentPath, Snapshot, Theme, resolve_settings};

/// Files a frozen theme may have.
const MAX_FILES: usize = 5_000;
/// Their bytes together.
const MAX_BYTES: u64 = 64 << 20;

/// Stands for null in a merge patch, until the text is written.
const NOTHING: &str = "sitewright_no_default";

/// Bytes by path below the theme's folder.
pub(super) type Frozen = BTreeMap<String, Vec<u8>>;

/// Reads a theme of a snapshot. What it inherits is copied in, so that the copy depends on nothing else.
///
/// # Errors
/// `TooLarge`; `InvalidConfig` where its `theme.yaml` cannot be read or merged.
pub(super) fn freeze(site: &Site, snapshot: &Snapshot, name: &str) -> Result<Frozen> {
    let chain = Theme::chain(snapshot, name);
    let mut sources: BTreeMap<String, (&ContentPath, &crate::model::File)> = BTreeMap::new();
    for (depth, theme) in chain.iter().enumerate() {
        for (path, file) in snapshot.under(&format!("themes/{}", theme.name)) {
            let inner = files::inside(path);
            if depth == 0 || inner.contains('/') {
                sources.entry(inner.to_owned()).or_insert((path, file));
            }
        }
    }
    let size: u64 = sources.values().map(|(_, file)| file.size).sum();
    if sources.len() > MAX_FILES || size > MAX_BYTES {
        let what = format!("theme {name} with {} files", sources.len());
        return Err(Error::TooLarge { what, size: size as usize, limit: MAX_BYTES as usize });
    }
    let mut frozen = Frozen::new();
    for (inner, (path, file)) in sources {
        frozen.insert(inner, site.repository().bytes(path, file)?.to_vec());
    }
    let manifest = manifest(snapshot, name, &chain)?;
    if let Some(text) = manifest {
        frozen.insert("theme.yaml".into(), text.into_bytes());
    }
    Ok(frozen)
}

/// `theme.yaml` of the copy where it cannot be that of the theme: without `extends`, with all settings.
fn manifest(snapshot: &Snapshot, name: &str, chain: &[Theme]) -> Result<Option<String>> {
    let path = format!("themes/{name}/theme.yaml");
    let own = snapshot.text(&path);
    if own.is_some() && chain.iter().all(|theme| theme.extends.is_none()) {
        return Ok(None);
    }
    let text = own.map_or_else(|| format!("name: {}\n", Value::from(name)), str::to_owned);
    let mut inherited = Map::new();
    for theme in chain.iter().skip(1).rev() {
        let path = format!("themes/{}/theme.yaml", theme.name);
        let Some(Value::Object(settings)) = snapshot
            .text(&path)
            .map(|text| read_yaml(&path, text))
            .transpose()?
            .and_then(|mut all| all.get_mut("settings").map(Value::take))
        else {
            continue;
        };
        inherited.extend(settings.into_iter().map(|(key, setting)| (key, nothing_said(setting))));
    }
    if let Some(nearest) = chain.first() {
        inherited.retain(|key, _| !nearest.settings.contains_key(key));
    }
    let mut patch = Map::from_iter([("extends".to_owned(), Value::Null)]);
    if !inherited.is_empty() {
        patch.insert("settings".into(), Value::Object(inherited));
    }
    let merged = front_matter::patch_yaml(&path, &text, &patch)?.replace(NOTHING, "null");
    same_settings(&path, &merged, chain)?;
    Ok(Some(merged))
}

/// A setting with a word in place of the null that a merge patch cannot set.
fn nothing_said(setting: Value) -> Value {
    match setting {
        Value::Null => NOTHING.into(),
        Value::Object(mut map) => {
            if let Some(default) = map.get_mut("default").filter(|default| default.is_null()) {
                *default = NOTHING.into();
            }
            Value::Object(map)
        }
        setting => setting,
    }
}

/// Settings that would come out otherwise: such a theme is not frozen rather than frozen wrongly.
fn same_settings(path: &str, merged: &str, chain: &[Theme]) -> Result<()> {
    let mut alone = Snapshot::default();
    let file = crate::store::Repository::file(merged.as_bytes().to_vec());
    alone.set(ContentPath::from_disk(path)?, Some(file));
    let name = chain.first().map(|theme| theme.name.as_str()).unwrap_or_default();
    let copy = Theme::load(&alone, name)?;
    let (wanted, _) = resolve_settings(chain, &Map::new());
    let (got, _) = resolve_settings(std::slice::from_ref(&copy), &Map::new());
    if wanted == got {
        return Ok(());
    }
    let differs = wanted.iter().find(|(key, value)| got.get(*key) != Some(value)).map_or("", |(key, _)| key.as_str());
    Err(Error::InvalidConfig {
        path: path.into(),
        line: 0,
        problem: format!(
            "the setting `{differs}` would be another one, so the theme cannot be frozen with what it extends"
        ),
    })
}
