//! Creates and changes pages: front matter patches, whole bodies, anchored edits; all of a call or nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::anchor::{TextEdit, replace_all};
use super::super::edit::{self, Staged, Written};
use super::super::etag::{self, IfMatch};
use super::super::{Call, Site, address, text_diff};
use super::list::{ListQuery, select};
use crate::build::Built;
use crate::error::{Error, Result};
use crate::model::front_matter::{self, FrontMatter};
use crate::model::{ContentPath, PathKind, Snapshot};
use crate::store::Transaction;

/// Pages one call may name.
const MAX_PAGES: usize = 500;
/// Bytes of diff in a conflict.
const CONFLICT_DIFF: usize = 4_000;

/// What to do with one page.
#[derive(Debug, Clone, Default)]
pub struct PageEdit {
    /// URL path or content path; content path when it is created.
    pub path: String,
    /// Merge patch; `null` deletes a key.
    pub front_matter: Option<Map<String, Value>>,
    /// The whole new body.
    pub body: Option<String>,
    /// Anchored replacements in the body.
    pub edits: Vec<TextEdit>,
    /// Etag the caller read; `*`: overwrite knowingly.
    pub if_match: Option<String>,
    /// The page must not exist yet.
    pub create: bool,
}

/// Many pages by what they are rather than by name.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// Which pages; status, text, sort, limit and cursor are not used.
    pub query: ListQuery,
    /// Patch for each of them.
    pub front_matter: Map<String, Value>,
}

/// Writes pages in one revision.
///
/// # Errors
/// Refused as a whole, with nothing written, by the first page that cannot be written.
pub fn write(site: &Site, call: &Call, edits: &[PageEdit], many: Option<&Select>) -> Result<Written> {
    let footprint = edit::footprint([PathKind::Page]);
    let live = etag::undecided(site)?;
    edit::run(site, call, &footprint, |transaction, before| {
        let mut all = edits.to_vec();
        if let Some(many) = many {
            all.extend(selected(before, many)?);
        }
        check_count(all.len())?;
        let mut seen = BTreeSet::new();
        let mut staged = Staged::new(String::new());
        for edit in &all {
            let path = write_one(site, transaction, before, live.as_deref(), edit, &mut staged)?;
            if !seen.insert(path.clone()) {
                return Err(Error::InvalidArguments {
                    field: "pages".into(),
                    problem: format!("{} is named twice", address::shown(&path)),
                    example: "put all edits of a page into one item".into(),
                });
            }
        }
        staged.message = default_message(&all, &seen);
        Ok(staged)
    })
}

fn check_count(count: usize) -> Result<()> {
    if (1..=MAX_PAGES).contains(&count) {
        return Ok(());
    }
    Err(Error::InvalidArguments {
        field: "pages".into(),
        problem: format!("{count} pages are named or selected, expected 1 to {MAX_PAGES}"),
        example: "{\"pages\": [{\"path\": \"/blog/hello/\", \"body\": \"...\", \"if_match\": \"<etag>\"}]}".into(),
    })
}

fn selected(before: &Built, many: &Select) -> Result<Vec<PageEdit>> {
    let indexes = select(&before.library, &many.query, &BTreeSet::new())?;
    let page = |index: usize| PageEdit {
        path: before.library.pages[index].path.to_string(),
        front_matter: Some(many.front_matter.clone()),
        ..PageEdit::default()
    };
    Ok(indexes.into_iter().map(page).collect())
}

fn default_message(edits: &[PageEdit], paths: &BTreeSet<ContentPath>) -> String {
    let verb = if edits.iter().all(|edit| edit.create) { "Add" } else { "Edit" };
    match paths.iter().collect::<Vec<_>>().as_slice() {
        [one] => format!("{verb} {}", address::shown(one)),
        [first, ..] => format!("{verb} {} pages: {} and others", paths.len(), address::shown(first)),
        [] => verb.to_owned(),
    }
}

fn write_one(
    site: &Site,
    transaction: &mut Transaction<'_>,
    before: &Built,
    live: Option<&Snapshot>,
    edit: &PageEdit,
    staged: &mut Staged,
) -> Result<ContentPath> {
    check_shape(edit)?;
    let (path, current) = if edit.create {
        (new_path(transaction, before, &edit.path)?, String::new())
    } else {
        existing(transaction, before, &edit.path)?
    };
    if !edit.create {
        check_match(site, transaction, live, &path, &current, edit, staged)?;
    }
    let mut text = current;
    let begun =
        if edit.create { super::archetype::begin(&before.library.config, site.now(), &path, edit) } else { None };
    let edit = begun.as_ref().unwrap_or(edit);
    if let Some(patch) = &edit.front_matter {
        text = front_matter::patch(path.as_str(), &text, patch)?;
    }
    if let Some(body) = &edit.body {
        text = with_body(&path, &text, body)?;
    }
    if !edit.edits.is_empty() {
        text = with_edits(&path, &text, &edit.edits)?;
    }
    transaction.stage(path.clone(), Some(text.into_bytes()))?;
    Ok(path)
}

/// What contradicts itself is refused before anything is looked up.
fn check_shape(edit: &PageEdit) -> Result<()> {
    let problem = if edit.body.is_some() && !edit.edits.is_empty() {
        "both `body` and `edits` are given, expected one of them"
    } else if edit.create && !edit.edits.is_empty() {
        "`edits` needs a page that exists, but `create` is set"
    } else if edit.front_matter.is_none() && edit.body.is_none() && edit.edits.is_empty() {
        "nothing to write: give `front_matter`, `body` or `edits`"
    } else {
        return Ok(());
    };
    Err(Error::InvalidArguments {
        field: format!("pages ({})", edit.path),
        problem: problem.into(),
        example: "{\"path\": \"/about/\", \"edits\": [{\"find\": \"old words\", \"replace\": \"new words\"}]}".into(),
    })
}

fn new_path(transaction: &Transaction<'_>, before: &Built, name: &str) -> Result<ContentPath> {
    let path = address::new_page(name)?;
    if transaction.staged().contains(path.as_str()) {
        return Err(Error::AlreadyExists { what: format!("page {}", address::shown(&path)) });
    }
    // `a.md` and `a/index.md` are the same page to a reader.
    if let Some(twin) = twin(&path)
        && before.library.by_path.contains_key(twin.as_str())
    {
        return Err(Error::AlreadyExists { what: format!("page {}", twin.trim_start_matches("content/")) });
    }
    Ok(path)
}

fn twin(path: &ContentPath) -> Option<String> {
    match path.as_str().strip_suffix("/index.md") {
        Some(folder) => Some(format!("{folder}.md")),
        None => path.as_str().strip_suffix(".md").map(|stem| format!("{stem}/index.md")),
    }
}

fn existing(transaction: &Transaction<'_>, before: &Built, name: &str) -> Result<(ContentPath, String)> {
    let path = match address::page(&before.library, name) {
        Ok(index) => before.library.pages[index].path.clone(),
        // A page whose front matter is broken is not in the library, and must be writable all the same.
        Err(error) => match address::file(&before.library, name) {
            Ok(path) if transaction.base().contains(path.as_str()) => path,
            _ => return Err(error),
        },
    };
    let staged = transaction.staged();
    let Some(file) = staged.get(&path) else {
        return Err(address::not_found(&before.library, name));
    };
    let Some(text) = file.text() else {
        return Err(Error::InvalidFrontMatter {
            path: path.to_string(),
            line: 1,
            column: 1,
            problem: "the file is not UTF-8 text".into(),
            excerpt: String::new(),
            fix: "Ask the person to save the file as UTF-8.".into(),
        });
    };
    Ok((path, text.to_owned()))
}

/// A whole body needs the etag it replaces; patches and anchored edits carry their own anchor.
fn check_match(
    site: &Site,
    transaction: &Transaction<'_>,
    live: Option<&Snapshot>,
    path: &ContentPath,
    current: &str,
    edit: &PageEdit,
    staged: &mut Staged,
) -> Result<()> {
    let current_id = transaction.base().get(path).map(|file| file.id);
    let Some(text) = edit.if_match.as_deref() else {
        if edit.body.is_none() || current.is_empty() {
            return Ok(());
        }
        return Err(IfMatch::missing(path, &edit.path, current_id, "replacing the whole body of"));
    };
    let if_match = IfMatch::parse(text)?;
    if if_match.stands(site, path, current_id, live, staged)? {
        return Ok(());
    }
    let known = etag::text_of(site, path, text);
    if edit.body.is_none() && !touches_what_changed(path, known.as_deref(), current, edit) {
        return Ok(());
    }
    let diff = text_diff::unified(known.as_deref().unwrap_or_default(), current, CONFLICT_DIFF);
    Err(if_match.stale(path, current_id, diff))
}

/// Whether a stale patch names a key that changed since; anchored edits find out by themselves.
fn touches_what_changed(path: &ContentPath, known: Option<&str>, current: &str, edit: &PageEdit) -> bool {
    let Some(patch) = &edit.front_matter else { return false };
    let values = |text: &str| FrontMatter::parse(path.as_str(), text).map(|front_matter| front_matter.values).ok();
    let Some((old, new)) = known.and_then(values).zip(values(current)) else { return true };
    patch.keys().any(|key| old.get(key) != new.get(key))
}

/// The file with a new body, keeping the blank lines between front matter and body.
fn with_body(path: &ContentPath, text: &str, body: &str) -> Result<String> {
    let offset = FrontMatter::parse(path.as_str(), text)?.body_offset;
    let old = &text[offset..];
    let rest = super::get::strip_blank_lines(old);
    let blank = &old[..old.len() - rest.len()];
    let mut new = String::with_capacity(body.len() + 2);
    if offset > 0 && blank.is_empty() && old.is_empty() {
        new.push('\n');
    } else {
        new.push_str(&blank.replace("\r\n", "\n"));
    }
    new.push_str(body.trim_start_matches(['\n', '\r']));
    let had_final_newline = old.is_empty() || old.ends_with('\n');
    if had_final_newline && !new.ends_with('\n') {
        new.push('\n');
    }
    front_matter::replace_body(path.as_str(), text, &new)
}

/// The file with anchored replacements, each seen by the next.
fn with_edits(path: &ContentPath, text: &str, edits: &[TextEdit]) -> Result<String> {
    let offset = FrontMatter::parse(path.as_str(), text)?.body_offset;
    replace_all(path, text, offset, edits)
}
