//! Creates and changes pages: front matter patches, whole bodies, anchored edits; all of a call or nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::edit::{self, Staged, Written};
use super::super::etag::IfMatch;
use super::super::{Call, Site, address, text_diff};
use super::list::{ListQuery, select};
use crate::build::Built;
use crate::error::{Error, Result};
use crate::model::front_matter::{self, FrontMatter};
use crate::model::{BlobId, ContentPath, Data, File, PathKind, Snapshot};
use crate::store::Transaction;

/// Pages one call may name.
const MAX_PAGES: usize = 500;
/// Bytes of diff in a conflict.
const CONFLICT_DIFF: usize = 4_000;
/// Nearest lines shown for a `find` that does not occur.
const NEAREST: usize = 3;

/// One anchored replacement in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// Text that occurs exactly once in the body (or at least once with `all`).
    pub find: String,
    /// What stands there afterwards.
    pub replace: String,
    /// Replace every occurrence.
    pub all: bool,
}

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
    // Only what the remote has and nobody took in yet can be what a caller knowingly decides over.
    let live = if site.repository().live_taken_in()? { None } else { Some(site.live()?) };
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
    let begun = if edit.create { super::archetype::begin(&before.library.config, &path, edit) } else { None };
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
    if if_match == IfMatch::Any && live.is_some_and(|live| !live.contains(path.as_str())) {
        // The remote deleted it: writing it knowingly decides against the deletion.
        staged.trailers.push(("Resolves".into(), format!("{} {path}", BlobId([0; 20]))));
    }
    let working = site.repository().other_in_working(path)?;
    if if_match == IfMatch::Any && working == Some(None) {
        staged.trailers.push(("Supersedes".into(), format!("{} {path}", BlobId([0; 20]))));
    }
    if if_match.holds(current_id) {
        return Ok(());
    }
    if let Some(Some(theirs)) = working.filter(|id| if_match.holds(*id)) {
        // In a change set, what the working tree has: that version becomes this path's base when the set is merged into it.
        staged.trailers.push(("Supersedes".into(), format!("{theirs} {path}")));
        return Ok(());
    }
    let theirs = live.and_then(|live| live.get(path)).map(|file| file.id);
    if let Some(theirs) = theirs.filter(|id| if_match.holds(Some(*id))) {
        // The caller has read what the remote has and decided over it: that version becomes this path's base at publish.
        staged.trailers.push(("Resolves".into(), format!("{theirs} {path}")));
        return Ok(());
    }
    let known = blob_text(site, path, text);
    if edit.body.is_none() && !touches_what_changed(path, known.as_deref(), current, edit) {
        return Ok(());
    }
    let diff = text_diff::unified(known.as_deref().unwrap_or_default(), current, CONFLICT_DIFF);
    Err(if_match.stale(path, current_id, diff))
}

/// The text the caller read, where git still has it.
fn blob_text(site: &Site, path: &ContentPath, etag: &str) -> Option<String> {
    let id = BlobId::parse(etag)?;
    let bytes = site.repository().bytes(path, &File { id, size: 0, data: Data::Handle }).ok()?;
    String::from_utf8(bytes.to_vec()).ok()
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
    let mut body = text[offset..].to_owned();
    for (index, edit) in edits.iter().enumerate() {
        if edit.find.is_empty() {
            return Err(Error::InvalidArguments {
                field: format!("edits[{index}].find"),
                problem: "it is empty".into(),
                example: "{\"find\": \"old words\", \"replace\": \"new words\"}".into(),
            });
        }
        body = replace(path, text, offset, &body, edit)?;
    }
    Ok(format!("{}{body}", &text[..offset]))
}

fn replace(path: &ContentPath, text: &str, offset: usize, body: &str, edit: &TextEdit) -> Result<String> {
    let (mut find, mut with) = (edit.find.clone(), edit.replace.clone());
    let mut count = body.matches(&find).count();
    if count == 0 && body.contains("\r\n") {
        // Callers write \n; the file's own line ends are kept.
        let crlf = |text: &str| text.replace("\r\n", "\n").replace('\n', "\r\n");
        (find, with) = (crlf(&find), crlf(&with));
        count = body.matches(&find).count();
    }
    match count {
        1 => Ok(body.replacen(&find, &with, 1)),
        n if n > 1 && edit.all => Ok(body.replace(&find, &with)),
        count => Err(Error::EditMismatch {
            path: address::shown(path).to_owned(),
            count,
            nearest: nearest(text, offset, body, &find, count),
        }),
    }
}

/// Lines to look at: where `find` occurs, or the lines most like its first line.
fn nearest(text: &str, offset: usize, body: &str, find: &str, count: usize) -> Vec<String> {
    let first_line = text[..offset].matches('\n').count() + 1;
    let show = |line: usize, text: &str| {
        format!("{}: {}", line + first_line, text.chars().take(160).collect::<String>().trim_end())
    };
    if count > 0 {
        let lines: Vec<&str> = body.split('\n').collect();
        let places = body.match_indices(find).map(|(at, _)| body[..at].matches('\n').count());
        return places.take(5).map(|line| show(line, lines.get(line).copied().unwrap_or_default())).collect();
    }
    let wanted: String = find.lines().find(|line| !line.trim().is_empty()).unwrap_or(find).chars().take(200).collect();
    let mut scored: BTreeMap<(u32, usize), String> = BTreeMap::new();
    for (line, text) in body.split('\n').enumerate().filter(|(_, text)| !text.trim().is_empty()).take(5_000) {
        let sample: String = text.chars().take(200).collect();
        let ratio = (similar::TextDiff::from_unicode_words(wanted.as_str(), sample.as_str()).ratio() * 1000.0) as u32;
        scored.insert((1000 - ratio.min(1000), line), show(line, text));
        if scored.len() > NEAREST {
            scored.pop_last();
        }
    }
    scored.into_values().collect()
}
