//! Writes a theme: templates compile and every page renders before a byte is written.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::anchor::{TextEdit, replace_all};
use super::super::edit::{self, Staged, Written};
use super::super::etag::{self, IfMatch};
use super::super::{Call, Site, text_diff};
use super::{Name, exists, files, folders_in_use, not_found, settings};
use crate::build::Built;
use crate::build::template::Templates;
use crate::error::{Error, Result};
use crate::model::{ContentPath, Diagnostic, PathKind, Severity, Snapshot, Theme};
use crate::store::{Footprint, Transaction};

/// Files one call may name.
const MAX_FILES: usize = 200;
/// Bytes of diff in a conflict.
const CONFLICT_DIFF: usize = 4_000;

/// What to do with one file.
#[derive(Debug, Clone, Default)]
pub struct FileEdit {
    /// Below the theme's folder, `layouts/page.hbs`, or from the site's root.
    pub path: String,
    /// The whole text; without `if_match` the file must be new.
    pub text: Option<String>,
    /// Anchored replacements.
    pub edits: Vec<TextEdit>,
    /// Take it away.
    pub delete: bool,
    /// Etag the caller read; `*`: whatever is there.
    pub if_match: Option<String>,
}

/// What to write.
#[derive(Debug, Clone, Default)]
pub struct ThemeEdit {
    /// Folder below `themes/`; `None`: the one in use. A new one begins with its `theme.yaml`.
    pub theme: Option<String>,
    /// Its files.
    pub files: Vec<FileEdit>,
    /// Merge patch of settings: the site's for the theme in use, else the theme's defaults.
    pub settings: Option<Map<String, Value>>,
}

/// Writes files and settings of one theme in one revision.
///
/// # Errors
/// `NotFound` with near matches, `Conflict` for a stale etag, `EditMismatch`, `InvalidArguments`, `BuildFailed` where a
/// template does not compile or a page no longer renders; nothing is written then.
pub fn write(site: &Site, call: &Call, asked: &ThemeEdit) -> Result<Written> {
    let used = site.config()?.theme;
    let name = asked.theme.as_deref().map_or(Name::of(&used).source, str::trim).to_owned();
    check_name(&name)?;
    let paths = check_files(&name, asked)?;
    let footprint = footprint(&name, &paths, asked.settings.is_some())?;
    let live = etag::undecided(site)?;
    edit::run(site, call, &footprint, |transaction, before| {
        let base = transaction.base().clone();
        let is_new = !exists(&base, &name);
        let begins = |file: &FileEdit| file.text.is_some() && file.path.trim().ends_with("theme.yaml");
        if is_new && !asked.files.iter().any(begins) {
            return Err(new_without_manifest(&base, &name));
        }
        let chain = Theme::chain(&base, &name);
        let mut staged = Staged::new(default_message(&name, asked, is_new));
        for (path, file) in paths.iter().zip(&asked.files) {
            let text = one(site, &base, live.as_deref(), &chain, path, file, &mut staged)?;
            transaction.stage(path.clone(), text.map(String::into_bytes))?;
        }
        if let Some(patch) = &asked.settings {
            set(transaction, before, &name, patch)?;
        }
        check_unused(transaction, &name, &mut staged)?;
        staged.notes.extend(without_effect(before, &name, asked));
        Ok(staged)
    })
}

fn check_name(name: &str) -> Result<()> {
    if let Name { source, pin: Some(_) } = Name::of(name) {
        let shown: String = name.chars().take(100).collect();
        return Err(Error::InvalidArguments {
            field: "theme".into(),
            problem: format!("`{shown}` is a frozen copy, which stays as it is"),
            example: format!(
                "{{\"theme\": \"{source}\", ...}}, then theme_use {{\"pin\": \"now\"}} to move the pin there"
            ),
        });
    }
    ContentPath::parse(&format!("themes/{name}/theme.yaml")).map(|_| ())?;
    if name.contains('/') {
        let problem = "a theme's name is a plain folder name".into();
        return Err(Error::InvalidPath { path: name.into(), problem });
    }
    Ok(())
}

/// The files' paths; what contradicts itself is refused before anything is looked up.
fn check_files(name: &str, asked: &ThemeEdit) -> Result<Vec<ContentPath>> {
    let example = "{\"path\": \"layouts/page.hbs\", \"edits\": [{\"find\": \"old\", \"replace\": \"new\"}]}";
    let refused = |field: String, problem: &str| Error::InvalidArguments {
        field,
        problem: problem.into(),
        example: example.into(),
    };
    if asked.files.is_empty() && asked.settings.as_ref().is_none_or(Map::is_empty) {
        return Err(refused("files".into(), "nothing to write: give `files` or `settings`"));
    }
    if asked.files.len() > MAX_FILES {
        let problem = format!("got {} files, expected at most {MAX_FILES}", asked.files.len());
        return Err(refused("files".into(), &problem));
    }
    let mut seen = BTreeSet::new();
    let mut paths = Vec::new();
    for (index, file) in asked.files.iter().enumerate() {
        let ways = usize::from(file.text.is_some()) + usize::from(!file.edits.is_empty()) + usize::from(file.delete);
        if ways != 1 {
            let found = if ways == 0 { "none" } else { "several" };
            let problem = format!("expected one of `text`, `edits` and `delete`, got {found} of them");
            return Err(refused(format!("files[{index}]"), &problem));
        }
        let path = files::path(name, &file.path)?;
        if !seen.insert(path.clone()) {
            return Err(refused(format!("files[{index}].path"), &format!("{path} is named twice")));
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Exactly the named files, and where settings can stand.
fn footprint(name: &str, paths: &[ContentPath], settings: bool) -> Result<Footprint> {
    let mut declared: BTreeSet<ContentPath> = paths.iter().cloned().collect();
    let mut kinds = vec![PathKind::Theme];
    if settings {
        declared.insert(ContentPath::from_disk("site.yaml")?);
        declared.insert(ContentPath::parse(&format!("themes/{name}/theme.yaml"))?);
        kinds.push(PathKind::Config);
    }
    Ok(Footprint { paths: Some(declared), ..edit::footprint(kinds) })
}

fn new_without_manifest(base: &Snapshot, name: &str) -> Error {
    match not_found(base, name) {
        Error::NotFound { near, .. } if near.is_empty() => Error::InvalidArguments {
            field: "files".into(),
            problem: format!("there is no theme `{name}`; a new one begins with its theme.yaml"),
            example: format!("{{\"path\": \"theme.yaml\", \"text\": \"name: {name}\\nextends: default\\n\"}}"),
        },
        error => error,
    }
}

fn default_message(name: &str, asked: &ThemeEdit, is_new: bool) -> String {
    match asked.files.as_slice() {
        _ if is_new => format!("Add theme {name}"),
        [] => format!("Set up theme {name}"),
        [one] if one.delete => format!("Delete {} of theme {name}", one.path),
        [one] => format!("Edit {} of theme {name}", one.path),
        many => format!("Edit {} files of theme {name}", many.len()),
    }
}

/// One file's new text; `None`: it goes.
fn one(
    site: &Site,
    base: &Snapshot,
    live: Option<&Snapshot>,
    chain: &[Theme],
    path: &ContentPath,
    file: &FileEdit,
    staged: &mut Staged,
) -> Result<Option<String>> {
    let Some(there) = base.get(path) else {
        return match &file.text {
            Some(text) if file.if_match.is_none() => Ok(Some(text.clone())),
            _ => Err(files::not_found(base, chain, path)),
        };
    };
    let current = there.text();
    match file.if_match.as_deref() {
        Some(etag) => {
            let if_match = IfMatch::parse(etag)?;
            if !if_match.stands(site, path, Some(there.id), live, staged)? && file.edits.is_empty() {
                let known = etag::text_of(site, path, etag).unwrap_or_default();
                let diff = text_diff::unified(&known, current.unwrap_or_default(), CONFLICT_DIFF);
                return Err(if_match.stale(path, Some(there.id), diff));
            }
        }
        None if file.edits.is_empty() => {
            let doing = if file.delete { "deleting" } else { "replacing the whole of" };
            return Err(IfMatch::missing(path, &file.path, Some(there.id), doing));
        }
        None => {}
    }
    if file.edits.is_empty() {
        return Ok(file.text.clone());
    }
    let Some(current) = current else {
        return Err(Error::InvalidPath { path: path.to_string(), problem: "the file is not UTF-8 text".into() });
    };
    replace_all(path, current, 0, &file.edits).map(Some)
}

/// Settings of the theme in use belong to the site, those of another are its defaults.
fn set(transaction: &mut Transaction<'_>, before: &Built, name: &str, patch: &Map<String, Value>) -> Result<()> {
    let snapshot = transaction.staged();
    let config = &before.library.config;
    let (path, text) = if Name::of(&config.theme).source == name {
        ("site.yaml".to_owned(), settings::of_site(&snapshot, config, patch)?)
    } else {
        (format!("themes/{name}/theme.yaml"), settings::of_theme(&snapshot, name, patch)?)
    };
    transaction.stage(ContentPath::from_disk(&path)?, Some(text.into_bytes()))
}

/// The build sees the theme in use only: any other is compiled here, or its mistakes would show on the day it is chosen.
fn check_unused(transaction: &Transaction<'_>, name: &str, staged: &mut Staged) -> Result<()> {
    let after = transaction.staged();
    if folders_in_use(&after).contains(&format!("themes/{name}/")) {
        return Ok(());
    }
    let errors = |snapshot: &Snapshot| -> Vec<Diagnostic> {
        let (_, findings) = Templates::compile(snapshot, name, &Map::new());
        findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect()
    };
    let known = errors(transaction.base());
    let is_known = |finding: &Diagnostic| {
        known.iter().any(|old| (&old.code, &old.path, &old.message) == (&finding.code, &finding.path, &finding.message))
    };
    // A partial that is not there yet may come with the next call, and so may the theme it extends.
    let (later, now): (Vec<_>, Vec<_>) = errors(&after)
        .into_iter()
        .filter(|finding| !is_known(finding))
        .partition(|finding| matches!(&*finding.code, "missing_partial" | "missing_theme"));
    if let Some(first) = now.first() {
        return Err(Error::BuildFailed { first: format!("{}: {}", first.path, first.message), diagnostics: now });
    }
    staged.findings = later;
    Ok(())
}

/// Why an edit changes no page, where that could surprise.
fn without_effect(before: &Built, name: &str, asked: &ThemeEdit) -> Option<String> {
    let used = &before.library.config.theme;
    match Name::of(used) {
        _ if asked.files.is_empty() => None,
        Name { source, pin: Some(_) } if source == name => Some(format!(
            "The site renders with {used}: move the pin with theme_use and pin: \"now\" to show these files."
        )),
        Name { source, .. } if source != name => {
            Some(format!("The site renders with {used}; theme_use makes it render with {name}."))
        }
        _ => None,
    }
}
