//! Collections: what the pages of a section have to say, and how they are listed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::check;
use super::fields::Fields;
use super::schema::{Field, FieldType, Pattern};
use crate::error::Result;

/// One collection: the pages of a section with a schema.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Collection {
    /// Content folder without `content/`, such as `recipes`.
    pub section: String,
    /// Layout of its pages that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// Layout of its lists that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_layout: Option<String>,
    /// Order of its lists: `title`, `-date`, any field; `None`: as any section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Pages per list page; `None`: the site's `paginate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_page: Option<usize>,
    /// What to do about front matter that neither the schema nor the engine knows.
    pub unknown_fields: UnknownFields,
    /// Front matter fields by key.
    pub fields: BTreeMap<String, Field>,
    /// What a new page begins with.
    #[serde(skip_serializing_if = "Archetype::is_empty")]
    pub archetype: Archetype,
}

/// What to do about keys outside the schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownFields {
    /// A finding for each.
    #[default]
    Warn,
    /// They pass to templates.
    Allow,
}

/// What a page has that is created without saying otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Archetype {
    /// Keys the new page does not name itself.
    pub front_matter: Map<String, Value>,
    /// Body where none is given.
    pub body: String,
}

impl Archetype {
    fn is_empty(&self) -> bool {
        self.front_matter.is_empty() && self.body.is_empty()
    }
}

/// Reads `collections`.
pub(super) fn read(root: &mut Fields, zone: &jiff::tz::TimeZone) -> Result<Option<BTreeMap<String, Collection>>> {
    let Some(map) = root.any_map("collections")? else { return Ok(None) };
    let at = root.below(&["collections"], Map::new());
    let mut all: BTreeMap<String, Collection> = BTreeMap::new();
    for (name, value) in map {
        check::folder_name(&name).map_err(|problem| at.error(&name, &problem))?;
        let map = match value {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            _ => return Err(at.error(&name, "expected a mapping such as `{section: recipes, fields: {...}}`")),
        };
        let collection = collection(at.below(&[&name], map), &name, zone)?;
        if let Some((other, _)) = all.iter().find(|(_, other)| other.section == collection.section) {
            let problem =
                format!("its section `{}` is that of `{other}`, give each one of its own", collection.section);
            return Err(at.error(&name, &problem));
        }
        all.insert(name, collection);
    }
    Ok(Some(all))
}

fn collection(mut fields: Fields, name: &str, zone: &jiff::tz::TimeZone) -> Result<Collection> {
    let section = fields.text("section")?.unwrap_or_else(|| name.to_owned());
    let section = check::section(&section).map_err(|problem| fields.error("section", &problem))?;
    let policies = [("warn", UnknownFields::Warn), ("allow", UnknownFields::Allow)];
    let collection = Collection {
        section,
        layout: fields.text("layout")?,
        list_layout: fields.text("list_layout")?,
        sort: fields.text("sort")?,
        per_page: fields.count("per_page", 10_000)?,
        unknown_fields: fields.choice("unknown_fields", &policies)?.unwrap_or_default(),
        fields: schema(&mut fields, zone)?,
        archetype: archetype(&mut fields)?,
    };
    fields.finish(super::load::UNKNOWN);
    Ok(collection)
}

fn archetype(fields: &mut Fields) -> Result<Archetype> {
    let Some(mut inner) = fields.fields("archetype")? else { return Ok(Archetype::default()) };
    let archetype = Archetype {
        front_matter: inner.any_map("front_matter")?.unwrap_or_default(),
        body: inner.text("body")?.unwrap_or_default(),
    };
    inner.finish(super::load::UNKNOWN);
    Ok(archetype)
}

/// Each field is {type, ...}, a type's name, or a list of allowed values.
fn schema(fields: &mut Fields, zone: &jiff::tz::TimeZone) -> Result<BTreeMap<String, Field>> {
    let Some(map) = fields.any_map("fields")? else { return Ok(BTreeMap::new()) };
    let at = fields.below(&["fields"], Map::new());
    let read = |(key, value): (String, Value)| {
        let mut map = Map::new();
        match value {
            Value::Object(given) => map = given,
            Value::Array(values) => {
                map.insert("values".into(), Value::Array(values));
            }
            Value::Null => {}
            kind => {
                map.insert("type".into(), kind);
            }
        }
        if key.is_empty() || key.contains('.') {
            return Err(at.error(&key, "a field is a plain front matter key, without `.`"));
        }
        let field = field(at.below(&[&key], map), zone)?;
        Ok((key, field))
    };
    map.into_iter().map(read).collect()
}

fn field(mut fields: Fields, zone: &jiff::tz::TimeZone) -> Result<Field> {
    let values = match fields.any("values").or_else(|| fields.any("enum")) {
        None => Vec::new(),
        Some(Value::Array(values)) if !values.is_empty() && !values.iter().any(Value::is_object) => values,
        Some(_) => return Err(fields.error("values", "expected a list of allowed values such as `[easy, hard]`")),
    };
    let usual = if values.is_empty() { FieldType::String } else { FieldType::Enum };
    let pattern = match fields.text("pattern")? {
        Some(text) => Some(Pattern::try_from(text).map_err(|problem| fields.error("pattern", &problem))?),
        None => None,
    };
    let field = Field {
        kind: fields.choice("type", &FieldType::NAMES)?.unwrap_or(usual),
        description: fields.text("description")?.unwrap_or_default(),
        required: fields.flag("required")?.unwrap_or_default(),
        default: fields.any("default"),
        values,
        items: fields.choice("items", &FieldType::NAMES)?,
        min: fields.any("min"),
        max: fields.any("max"),
        pattern,
        section: fields.text("section")?.map(|section| section.trim_matches('/').to_owned()),
    };
    if let Err((key, problem)) = field.check(zone) {
        return Err(fields.error(key, &problem));
    }
    fields.finish(super::load::UNKNOWN);
    Ok(field)
}
