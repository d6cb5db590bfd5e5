//! The site's languages besides its own, and what is said otherwise in each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::Fields;
use super::{Config, MenuItem, check, load};
use crate::error::Result;

/// One language of the site.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LanguageConfig {
    /// What it calls itself (`Deutsch`), for lists of languages; `None`: its tag.
    pub name: Option<String>,
    /// The site's name in it; `None`: the site's.
    pub title: Option<String>,
    /// The site's description in it; `None`: the site's.
    pub description: Option<String>,
    /// Menus of its own by name; any other is the site's, leading to translations.
    pub menus: BTreeMap<String, Vec<MenuItem>>,
    /// On top of the site's.
    pub params: Map<String, Value>,
}

impl Config {
    /// The further language that a tag means, as `site.yaml` writes it; `None` for the site's own and for unknown ones.
    #[must_use]
    pub fn further_language(&self, tag: &str) -> Option<&str> {
        let known = self.languages.keys().find(|known| known.eq_ignore_ascii_case(tag))?;
        (!known.eq_ignore_ascii_case(&self.language)).then_some(known.as_str())
    }

    /// The languages besides the site's own.
    pub fn further_languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str).filter(|tag| !tag.eq_ignore_ascii_case(&self.language))
    }

    fn said_in(&self, language: Option<&str>) -> Option<&LanguageConfig> {
        self.languages.get(language?)
    }

    /// The site's name in a further language, or in its own.
    #[must_use]
    pub fn title_in(&self, language: Option<&str>) -> &str {
        self.said_in(language).and_then(|said| said.title.as_deref()).unwrap_or(&self.title)
    }

    /// The site's description in a further language, or in its own.
    #[must_use]
    pub fn description_in(&self, language: Option<&str>) -> &str {
        self.said_in(language).and_then(|said| said.description.as_deref()).unwrap_or(&self.description)
    }

    /// The site's `params` in a further language, or in its own.
    #[must_use]
    pub fn params_in(&self, language: Option<&str>) -> Map<String, Value> {
        let mut params = self.params.clone();
        params.extend(self.said_in(language).into_iter().flat_map(|said| said.params.clone()));
        params
    }

    /// A menu that a further language has of its own.
    #[must_use]
    pub fn menu_in(&self, language: Option<&str>, name: &str) -> Option<&[MenuItem]> {
        self.said_in(language)?.menus.get(name).map(Vec::as_slice)
    }

    /// What a language calls itself.
    #[must_use]
    pub fn language_name<'n>(&'n self, tag: &'n str) -> &'n str {
        let said = self.languages.iter().find(|(known, _)| known.eq_ignore_ascii_case(tag));
        said.and_then(|(_, said)| said.name.as_deref()).unwrap_or(tag)
    }
}

/// Reads `languages`: a list of tags, or a mapping from each to what is said in it.
pub(super) fn read(root: &mut Fields, own: &str) -> Result<BTreeMap<String, LanguageConfig>> {
    let expected = "expected a list such as [de, fr], or a mapping such as {de: {title: ...}}";
    let mut found = BTreeMap::new();
    match root.any("languages") {
        None => {}
        Some(Value::String(tag)) => {
            found.insert(tag, LanguageConfig::default());
        }
        Some(Value::Array(tags)) => {
            for tag in tags {
                let Value::String(tag) = tag else { return Err(root.error("languages", expected)) };
                found.insert(tag, LanguageConfig::default());
            }
        }
        Some(Value::Object(map)) => {
            for (tag, said) in map {
                let said = match said {
                    Value::Null => LanguageConfig::default(),
                    Value::Object(said) => language(root, &tag, own, said)?,
                    _ => return Err(root.error("languages", expected)),
                };
                found.insert(tag, said);
            }
        }
        Some(_) => return Err(root.error("languages", expected)),
    }
    for tag in found.keys() {
        check::language(tag).map_err(|problem| root.error("languages", &problem))?;
    }
    Ok(found)
}

fn language(root: &Fields, tag: &str, own: &str, said: Map<String, Value>) -> Result<LanguageConfig> {
    let mut fields = root.below(&["languages", tag], said);
    let mut language = LanguageConfig { name: fields.text("name")?, ..LanguageConfig::default() };
    // Of the site's own language everything else stands at the top: there it is an unknown key.
    if !tag.eq_ignore_ascii_case(own) {
        language.title = fields.text("title")?;
        language.description = fields.text("description")?;
        language.menus = load::menus(&mut fields)?.unwrap_or_default();
        language.params = fields.any_map("params")?.unwrap_or_default();
    }
    fields.finish(load::UNKNOWN);
    Ok(language)
}
