//! Changes `site.yaml` by a merge patch that touches only the named lines, with a way to add to and take from lists.

use serde_json::{Map, Value};

use super::edit::{self, Staged, Written};
use super::{Call, Site, theme};
use crate::error::{Error, Result};
use crate::model::front_matter::{self, read_yaml};
use crate::model::{Config, ContentPath, Diagnostic, PathKind, Snapshot, Theme};
use crate::store::{Footprint, Repository, Transaction};

mod lists;

const PATH: &str = "site.yaml";

/// Keys that are read when the server starts.
const AT_START: [&str; 4] = ["publish.remote", "publish.branch", "publish.output", "publish.durability"];
/// A valid value of each key, for errors.
const EXAMPLES: [(&str, &str); 19] = [
    ("title", "{\"title\": \"My site\"}"),
    ("description", "{\"description\": \"One sentence.\"}"),
    ("base_url", "{\"base_url\": \"https://example.org/\"}"),
    ("language", "{\"language\": \"de-CH\"}"),
    ("timezone", "{\"timezone\": \"Europe/Berlin\"}"),
    ("author", "{\"author\": \"Ada\"}"),
    ("theme_settings", "{\"theme_settings\": {\"accent\": \"teal\"}}"),
    ("menus", "{\"menus\": {\"main+\": [{\"name\": \"Blog\", \"url\": \"/blog/\"}]}}"),
    ("taxonomies", "{\"taxonomies\": {\"topics\": {\"title\": \"Topics\"}}}"),
    ("collections", "{\"collections\": {\"blog\": {}}}"),
    ("crawlers", "{\"crawlers\": {\"ai\": \"block\"}}"),
    ("seo", "{\"seo\": {\"title\": \"{title} - {site}\"}}"),
    ("permalinks", "{\"permalinks\": {\"blog\": \"/:year/:slug/\"}}"),
    ("paginate", "{\"paginate\": 20}"),
    ("redirects", "{\"redirects\": {\"/old/\": \"/new/\"}}"),
    ("feed", "{\"feed\": {\"limit\": 20}}"),
    ("markdown", "{\"markdown\": {\"smart_punctuation\": false}}"),
    ("publish", "{\"publish\": {\"remote\": \"origin\"}}"),
    ("params", "{\"params\": {\"motto\": \"Plain text\"}}"),
];

/// One key whose value differs.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyChange {
    /// Dotted, `feed.limit`.
    pub key: String,
    /// Before; `None`: it was not set.
    pub old: Option<Value>,
    /// After; `None`: it is not set any more.
    pub new: Option<Value>,
}

/// What to change.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// JSON merge patch; `key+` adds to a list, `key-` takes from it.
    pub patch: Map<String, Value>,
}

/// Patches `site.yaml` in one revision.
///
/// # Errors
/// `InvalidArguments` for an unknown key or a wrong value, `NotAllowed`, `BuildFailed`.
pub fn update(site: &Site, call: &Call, asked: &Patch) -> Result<(Written, Vec<KeyChange>)> {
    check_shape(&asked.patch)?;
    let path = ContentPath::from_disk(PATH)?;
    let footprint = Footprint { paths: Some([path.clone()].into()), ..edit::footprint([PathKind::Config]) };
    let mut keys = Vec::new();
    let written = edit::run(site, call, &footprint, |transaction, _| {
        let text = transaction.base().text(PATH).unwrap_or_default().to_owned();
        let Value::Object(old) = read_yaml(PATH, &text)? else { return Err(no_mapping()) };
        let patch = lists::resolve(&old, &asked.patch)?;
        let patched = front_matter::patch_yaml(PATH, &text, &patch)?;
        let Value::Object(new) = read_yaml(PATH, &patched)? else { return Err(no_mapping()) };
        keys = changed(&old, &new);
        check_values(transaction, &text, &patched)?;
        transaction.stage(path.clone(), Some(patched.into_bytes()))?;
        let mut staged = Staged::new(message(&keys));
        staged.notes.extend(note(&keys));
        Ok(staged)
    })?;
    Ok((written, keys))
}

fn no_mapping() -> Error {
    Error::InvalidConfig { path: PATH.into(), line: 1, problem: "it is no mapping of keys to values".into() }
}

fn check_shape(patch: &Map<String, Value>) -> Result<()> {
    let refused = |field: &str, problem: &str, example: &str| {
        Err(Error::InvalidArguments { field: field.into(), problem: problem.into(), example: example.into() })
    };
    if patch.is_empty() {
        return refused("patch", "it is empty", "\"patch\": {\"title\": \"My site\"}");
    }
    if patch.contains_key("theme") {
        let problem = "themes are switched with theme_use, which renders the whole site with them first";
        return refused("patch.theme", problem, "theme_use {\"theme\": \"default\"}");
    }
    Ok(())
}

/// Whether a dotted key is this one or lies below it, or holds it as a whole.
fn is_below(key: &str, limit: &str) -> bool {
    let begins =
        |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    begins(key, limit) || begins(limit, key)
}

/// What the configuration's own check finds new is refused: a key that nothing reads is a slip.
fn check_values(transaction: &Transaction<'_>, old: &str, new: &str) -> Result<()> {
    let before = load(old).ok();
    let (config, findings) = load(new).map_err(refusal)?;
    // What stood in a file that could not be read is not this patch's fault.
    let Some((before, known)) = before else { return Ok(()) };
    let fresh = findings.iter().find(|finding| !known.iter().any(|old| old.message == finding.message));
    if let Some(finding) = fresh {
        return Err(Error::InvalidArguments {
            field: "patch".into(),
            problem: format!("{}. {}", finding.message, finding.hint.trim_end_matches('.')),
            example: example(&nearest_key(&finding.message)),
        });
    }
    let chain = Theme::chain(transaction.base(), &config.theme);
    theme::refuse_misfits(&chain, &before.theme_settings, &config.theme_settings, "patch.theme_settings")
}

fn load(text: &str) -> Result<(Config, Vec<Diagnostic>)> {
    let mut alone = Snapshot::default();
    alone.set(ContentPath::from_disk(PATH)?, Some(Repository::file(text.as_bytes().to_vec())));
    Config::load(&alone)
}

/// A wrong value, said of the patch: its caller sees no line of the file.
fn refusal(error: Error) -> Error {
    match error {
        Error::InvalidConfig { problem, .. } => {
            let key = problem.split('`').nth(1).unwrap_or_default().split('.').next().unwrap_or_default().to_owned();
            Error::InvalidArguments { field: "patch".into(), problem, example: example(&key) }
        }
        other => other,
    }
}

/// The top key that an unknown key's message is about, or the one it looks like.
fn nearest_key(message: &str) -> String {
    let key = message.split('`').nth(1).unwrap_or_default();
    let (top, rest) = key.split_once('.').map_or((key, ""), |(top, rest)| (top, rest));
    if !rest.is_empty() {
        return top.to_owned();
    }
    let score = |known: &str| similar::TextDiff::from_chars(top, known).ratio();
    let best = EXAMPLES.iter().map(|(known, _)| (score(known), *known)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score > 0.6).map_or_else(|| "params".to_owned(), |(_, known)| known.to_owned())
}

fn example(key: &str) -> String {
    let found = EXAMPLES.iter().find(|(known, _)| *known == key).or(EXAMPLES.first());
    format!("\"patch\": {}", found.map_or("{}", |(_, example)| *example))
}

/// Every key with another value, in the order of the new file; what is inside a mapping by itself.
fn changed(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<KeyChange> {
    let mut found = Vec::new();
    compare("", old, new, &mut found);
    found
}

fn compare(at: &str, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<KeyChange>) {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    for name in new.keys().chain(gone) {
        let key = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        match (old.get(name), new.get(name)) {
            (a, b) if a == b => {}
            (Some(Value::Object(a)), Some(Value::Object(b))) => compare(&key, a, b, found),
            (None, Some(Value::Object(b))) if !b.is_empty() => compare(&key, &Map::new(), b, found),
            (a, b) => found.push(KeyChange { key, old: a.cloned(), new: b.cloned() }),
        }
    }
}

fn message(keys: &[KeyChange]) -> String {
    match keys {
        [one] => format!("Set {}", one.key),
        [first, rest @ ..] => format!("Set {} and {} other keys of site.yaml", first.key, rest.len()),
        [] => "Set nothing".into(),
    }
}

fn note(keys: &[KeyChange]) -> Option<String> {
    let late: Vec<&str> =
        AT_START.into_iter().filter(|start| keys.iter().any(|change| is_below(&change.key, start))).collect();
    (!late.is_empty()).then(|| format!("{}: read when the server starts, so start it anew.", late.join(", ")))
}
