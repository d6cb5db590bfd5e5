//! Pages against the schema of their collection: defaults for what they leave out, findings for what does not fit.

use serde_json::{Map, Value};

use super::fields::{self, Place};
use super::links::{Finder, Kind};
use super::role::Role;
use super::{cascade, near, template::Templates};
use crate::model::config::{Collection, Field, FieldType, UnknownFields};
use crate::model::{Config, ContentPath, Diagnostic, LinkTarget, Page, PageKind, Severity, Snapshot};

/// Longest value shown in a finding, in characters.
const SHOWN: usize = 60;

/// The collection an ordinary page belongs to, with its name.
#[must_use]
pub fn collection_of<'c>(config: &'c Config, path: &ContentPath) -> Option<(&'c str, &'c Collection)> {
    if config.collections.is_empty() {
        return None;
    }
    let role = Role::of(path, config);
    if role.kind == PageKind::Page { config.collection_of(role.parent) } else { None }
}

/// Adds the defaults of the fields that a page neither has nor inherits.
pub(super) fn add_defaults(
    config: &Config,
    path: &ContentPath,
    own: &Map<String, Value>,
    inherited: &mut Map<String, Value>,
) {
    let Some((_, collection)) = collection_of(config, path) else { return };
    for (key, field) in &collection.fields {
        let Some(default) = &field.default else { continue };
        if value_of(own, key).is_none() && value_of(inherited, key).is_none() {
            inherited.insert(key.clone(), default.clone());
        }
    }
}

/// A field's value: at the top, or where other generators and themes keep their own.
#[must_use]
pub(crate) fn value_of<'v>(values: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    let nested = ["params", "extra", "taxonomies"].iter().filter_map(|map| values.get(*map)?.get(key));
    values.get(key).into_iter().chain(nested).find(|value| !value.is_null())
}

/// What a page's front matter lacks or has too much of.
#[must_use]
pub(crate) fn check(finder: &Finder<'_>, page: &Page) -> Vec<Diagnostic> {
    let config = &finder.library.config;
    let Some((name, collection)) = collection_of(config, &page.path).filter(|_| page.exists) else {
        return Vec::new();
    };
    let text = finder.snapshot.text(page.path.as_str()).unwrap_or_default();
    let end = text.split_inclusive('\n').take(page.body_line.saturating_sub(1)).map(str::len).sum();
    let place = Place { path: &page.path, head: text.get(..end).unwrap_or_default() };
    let mut checked = Checked { finder, page, name, place, zone: config.time_zone(), findings: Vec::new() };
    let values = cascade::together(&page.front_matter, &page.inherited);
    for (key, field) in &collection.fields {
        checked.field(key, field, value_of(&values, key));
    }
    if collection.unknown_fields == UnknownFields::Warn {
        checked.strangers(collection);
    }
    checked.findings
}

struct Checked<'a> {
    finder: &'a Finder<'a>,
    page: &'a Page,
    name: &'a str,
    place: Place<'a>,
    zone: jiff::tz::TimeZone,
    findings: Vec<Diagnostic>,
}

impl Checked<'_> {
    fn report(&mut self, severity: Severity, code: &'static str, key: &str, message: String, hint: String) {
        let line = self.place.line(key);
        self.findings.push(Diagnostic::new(severity, code, self.page.path.clone(), line, message).with_hint(hint));
    }

    fn field(&mut self, key: &str, field: &Field, value: Option<&Value>) {
        let empty = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
        let Some(value) = value.filter(|value| !empty(value)) else {
            // A date may come from the file's name.
            if field.required && !(key == "date" && self.page.date.is_some()) {
                let message = format!("collection `{}` requires `{key}`", self.name);
                self.report(Severity::Error, "schema_required", key, message, how_to_set(key, field));
            }
            return;
        };
        if let Some(misfit) = field.misfit(value, &self.zone) {
            let message = format!("`{key}` is {}, expected {}", shown(value), misfit.expected);
            let hint = match (misfit.near, misfit.instead.as_str()) {
                (true, near) => format!("Did you mean `{key}: {near}`?"),
                (false, "") => format!("Change `{key}`, or the schema of collection `{}` in site.yaml.", self.name),
                (false, instead) => format!("Write it like this: `{key}: {instead}`."),
            };
            self.report(Severity::Error, misfit.code, key, message, hint);
            return;
        }
        let kind = if field.kind == FieldType::List { field.items.unwrap_or_default() } else { field.kind };
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for raw in items.iter().filter_map(Value::as_str) {
            match kind {
                FieldType::Page => self.page_reference(key, field, raw),
                FieldType::Asset => self.asset_reference(key, raw),
                _ => {}
            }
        }
    }

    fn page_reference(&mut self, key: &str, field: &Field, raw: &str) {
        let found = self.finder.resolve(self.page, raw, Kind::Ref);
        let LinkTarget::Page(path, _) = &found.target else {
            let hint =
                found.problem.map_or_else(|| "Name a page such as `people/ada.md`.".into(), |problem| problem.hint);
            let message = format!("`{key}` names `{raw}`, which is no page of this site");
            self.report(Severity::Error, "schema_reference", key, message, hint);
            return;
        };
        let Some(section) = &field.section else { return };
        let below = path.folder().strip_prefix("content").unwrap_or_default().trim_start_matches('/');
        if below.strip_prefix(section.as_str()).is_none_or(|rest| !rest.is_empty() && !rest.starts_with('/')) {
            let message = format!("`{key}` names {path}, expected a page of the section `{section}`");
            let hint = format!("Name a page below content/{section}/.");
            self.report(Severity::Error, "schema_reference", key, message, hint);
        }
    }

    fn asset_reference(&mut self, key: &str, raw: &str) {
        let found = self.finder.resolve(self.page, raw, Kind::Image);
        if !matches!(found.target, LinkTarget::File(_)) {
            let hint = found.problem.map_or_else(
                || "Put the file beside the page or below static/, and name it here.".into(),
                |problem| problem.hint,
            );
            let message = format!("`{key}` names `{raw}`, which is no file of this site");
            self.report(Severity::Error, "schema_reference", key, message, hint);
        }
    }

    /// Keys that neither the schema nor the engine knows.
    fn strangers(&mut self, collection: &Collection) {
        let config = &self.finder.library.config;
        let page = self.page;
        let nested = ["params", "extra"].iter().filter_map(|map| page.front_matter.get(*map)?.as_object());
        let known = |key: &&String| {
            collection.fields.contains_key(*key) || fields::is_known(key) || config.taxonomies.contains_key(*key)
        };
        let strange: Vec<&String> =
            page.front_matter.keys().chain(nested.flat_map(Map::keys)).filter(|key| !known(key)).collect();
        for key in strange {
            let hint = match near::nearest(key, collection.fields.keys().map(String::as_str)).first() {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Add it to collections.{}.fields in site.yaml, or take it out.", self.name),
            };
            let message = format!("collection `{}` has no field `{key}`", self.name);
            self.report(Severity::Warning, "schema_unknown", key, message, hint);
        }
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).collect::<String>() + "…"
}

fn how_to_set(key: &str, field: &Field) -> String {
    let about = if field.description.is_empty() { String::new() } else { format!(" ({})", field.description) };
    let example = match field.values.first() {
        Some(value) => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        None => field.kind.example().to_owned(),
    };
    let example =
        if field.kind == FieldType::List && !field.values.is_empty() { format!("[{example}]") } else { example };
    format!("Set it{about}: `{key}: {example}`.")
}

/// Collections that name a section or layout that does not exist.
#[must_use]
pub(crate) fn check_collections(finder: &Finder<'_>, templates: &Templates) -> Vec<Diagnostic> {
    let (snapshot, library) = (finder.snapshot, finder.library);
    let Ok(path) = ContentPath::from_disk("site.yaml") else { return Vec::new() };
    let mut findings = Vec::new();
    for (name, collection) in &library.config.collections {
        let folder = format!("content/{}", collection.section);
        let folder = folder.trim_end_matches('/');
        if !library.sections.contains_key(folder) {
            let sections = library.sections.keys().filter_map(|name| name.strip_prefix("content/"));
            let hint = match near::nearest(&collection.section, sections).first() {
                Some(near) => format!("Did you mean `section: {near}`?"),
                None => "Create its first page; nothing has to be done until then.".into(),
            };
            let message = format!("collection `{name}` has no pages: there is no section {folder}/");
            let line = line_of(snapshot, name, "section");
            findings
                .push(Diagnostic::new(Severity::Info, "empty_collection", path.clone(), line, message).with_hint(hint));
        }
        for (key, layout) in [("layout", &collection.layout), ("list_layout", &collection.list_layout)] {
            let Some(layout) = layout.as_ref().filter(|layout| templates.layout(&[(*layout).clone()]).is_none()) else {
                continue;
            };
            let theme = &library.config.theme;
            let message = format!("theme `{theme}` has no layout `{layout}`; the usual one is used");
            let finding = Diagnostic::new(
                Severity::Warning,
                "unknown_layout",
                path.clone(),
                line_of(snapshot, name, key),
                message,
            );
            findings.push(
                finding
                    .with_hint(format!("Name a layout of the theme, or leave `{key}` out."))
                    .with_refers(format!("themes/{theme}/layouts/{layout}.hbs")),
            );
        }
    }
    findings
}

fn line_of(snapshot: &Snapshot, name: &str, key: &str) -> usize {
    Config::line_of(snapshot, &["collections", name, key])
}
