//! Reads one mapping of a YAML file field by field: wrong types are errors with a line, unknown keys become diagnostics.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::front_matter::{line_of, yaml};
use crate::model::{ContentPath, Diagnostic, Severity};

/// The file that is read, and what was found in it.
#[derive(Debug)]
struct Source {
    path: ContentPath,
    text: String,
    diagnostics: RefCell<Vec<Diagnostic>>,
}

/// One mapping of the file; each key is taken once, and what is left at [`Fields::finish`] is unknown.
#[derive(Debug)]
pub(in crate::model) struct Fields {
    source: Rc<Source>,
    place: Vec<String>,
    map: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    /// The root mapping of a file.
    pub(in crate::model) fn read(path: &ContentPath, text: &str) -> Result<Self> {
        if text.len() > super::MAX_CONFIG {
            return Err(Error::TooLarge { what: path.to_string(), size: text.len(), limit: super::MAX_CONFIG });
        }
        let text = text.trim_start_matches('\u{feff}');
        let map = yaml::read_map(text).map_err(|problem| problem.in_config(path.as_str()))?;
        let source = Source { path: path.clone(), text: text.to_owned(), diagnostics: RefCell::default() };
        Ok(Self { source: Rc::new(source), place: Vec::new(), map, known: Vec::new() })
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        // `key:` without a value means what leaving it out means.
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    fn place_of(&self, key: &str) -> Vec<String> {
        self.place.iter().map(String::as_str).chain([key]).map(str::to_owned).collect()
    }

    fn line(&self, key: &str) -> usize {
        line_of(&self.source.text, &self.place_of(key))
    }

    /// A refusal at the line of a key.
    pub(in crate::model) fn error(&self, key: &str, problem: &str) -> Error {
        Error::InvalidConfig {
            path: self.source.path.to_string(),
            line: self.line(key),
            problem: format!("`{}`: {problem}", self.place_of(key).join(".")),
        }
    }

    fn wrong_type(&self, key: &str, expected: &str, found: &Value) -> Error {
        self.error(key, &format!("expected {expected}, found {}", yaml::kind(found)))
    }

    /// Notes a finding at the line of a key.
    pub(in crate::model) fn warn(&self, code: &'static str, key: &str, message: String, hint: String) {
        let finding = Diagnostic::new(Severity::Warning, code, self.source.path.clone(), self.line(key), message);
        self.source.diagnostics.borrow_mut().push(finding.with_hint(hint));
    }

    /// A text, where given. Numbers are taken as text.
    pub(in crate::model) fn text(&mut self, key: &'static str) -> Result<Option<String>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(self.wrong_type(key, "text", &other)),
        }
    }

    /// `true` or `false`, where given.
    pub(in crate::model) fn flag(&mut self, key: &'static str) -> Result<Option<bool>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(self.wrong_type(key, "true or false", &other)),
        }
    }

    /// A whole number of at most `max`, where given.
    pub(in crate::model) fn count(&mut self, key: &'static str, max: usize) -> Result<Option<usize>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
            Some(count) if count <= max => Ok(Some(count)),
            _ => Err(self.error(key, &format!("expected a whole number from 0 to {max}, found {value}"))),
        }
    }

    /// A whole number, negative ones included, where given.
    pub(in crate::model) fn integer(&mut self, key: &'static str) -> Result<Option<i64>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        value.as_i64().map(Some).ok_or_else(|| self.error(key, &format!("expected a whole number, found {value}")))
    }

    /// A list of texts, where given; one text alone counts as a list of one.
    pub(in crate::model) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(vec![text])),
            Some(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::String(text) => Ok(text),
                    Value::Number(number) => Ok(number.to_string()),
                    other => Err(self.wrong_type(key, "a list of texts", &other)),
                })
                .collect::<Result<_>>()
                .map(Some),
            Some(other) => Err(self.wrong_type(key, "a list of texts", &other)),
        }
    }

    /// One of some words, where given.
    pub(in crate::model) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let found = value.as_str().and_then(|word| choices.iter().find(|(name, _)| *name == word));
        found.map(|(_, choice)| Some(*choice)).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.error(key, &format!("expected {}, found {value}", names.join(" or ")))
        })
    }

    /// A mapping with any keys, where given.
    pub(in crate::model) fn any_map(&mut self, key: &'static str) -> Result<Option<Map<String, Value>>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(other) => Err(self.wrong_type(key, "a mapping (`key: value` lines below it)", &other)),
        }
    }

    /// Any value, where given.
    pub(in crate::model) fn any(&mut self, key: &'static str) -> Option<Value> {
        self.take(key)
    }

    /// A mapping with known keys, where given.
    pub(in crate::model) fn fields(&mut self, key: &'static str) -> Result<Option<Self>> {
        Ok(self.any_map(key)?.map(|map| self.below(&[key], map)))
    }

    /// A mapping found below this one, to be read with its own known keys.
    pub(in crate::model) fn below(&self, keys: &[&str], map: Map<String, Value>) -> Self {
        let place = self.place.iter().map(String::as_str).chain(keys.iter().copied()).map(str::to_owned).collect();
        Self { source: Rc::clone(&self.source), place, map, known: Vec::new() }
    }

    /// Reports the keys that nobody took.
    pub(in crate::model) fn finish(self, code: &'static str) {
        for key in self.map.keys() {
            let known: Vec<&str> = self.known.iter().copied().filter(|known| *known != key.as_str()).collect();
            let hint = match nearest(key, &known) {
                Some(near) => format!("Write `{near}` if that is what you mean; own values belong under `params`."),
                None => "Remove it, or move it under `params` if a template reads it.".into(),
            };
            self.warn(code, key, format!("unknown key `{}`", self.place_of(key).join(".")), hint);
        }
    }

    /// The findings so far, in the order of their lines.
    pub(in crate::model) fn diagnostics(&self) -> Vec<Diagnostic> {
        let mut all = self.source.diagnostics.borrow().clone();
        all.sort_by_key(|finding| finding.line);
        all
    }
}

/// The candidate that differs least, where the difference looks like a slip.
pub(in crate::model) fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // Long names are no slips of each other.
    let bare = |text: &str| -> String {
        text.to_lowercase().chars().filter(|c| !['-', '_', ' '].contains(c)).take(64).collect()
    };
    let name = bare(name);
    candidates
        .iter()
        .map(|candidate| (strsim::osa_distance(&name, &bare(candidate)), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
