//! Which theme the site renders with, and whether it is pinned: frozen at a revision, so that edits of it change no page.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::edit::{self, Staged, Written};
use super::super::{Call, Site, starter};
use super::freeze::{Frozen, freeze};
use super::get::versions;
use super::{Name, exists, found, names};
use crate::error::{Error, Result};
use crate::model::front_matter;
use crate::model::{ContentPath, PathKind, Snapshot, Theme};
use crate::store::{HistoryFilter, RevisionId, Transaction};

/// The shipped theme, which can be had where it is not there.
const SHIPPED: &str = "default";

/// What to render with.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Folder below `themes/`; `None`: the one in use.
    pub theme: Option<String>,
    /// Whether it is frozen; `None`: switch only.
    pub pin: Option<Pin>,
}

/// What happens to the pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// Freeze the theme as it is.
    Now,
    /// Freeze it as it was at a revision.
    At(String),
    /// Go back to the files that are edited.
    Off,
}

impl Pin {
    /// `now`, `off`, or else a revision.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.trim();
        match text.to_ascii_lowercase().as_str() {
            "now" => Self::Now,
            "off" => Self::Off,
            _ => Self::At(text.to_owned()),
        }
    }
}

/// What the site renders with now, or would.
#[derive(Debug)]
pub struct Chosen {
    /// The edit.
    pub written: Written,
    /// `theme` of `site.yaml`.
    pub theme: String,
}

/// Switches, pins or unpins in one revision; the whole site is rendered first.
///
/// # Errors
/// `NotFound` for a theme or revision, `InvalidArguments`, `BuildFailed` where the site would have errors it has not now.
pub fn choose(site: &Site, call: &Call, asked: &Choice) -> Result<Chosen> {
    check_shape(asked)?;
    let mut theme = String::new();
    let footprint = edit::footprint([PathKind::Theme, PathKind::Config]);
    // `now` is another moment each time: no earlier answer stands for it. Where the theme is as it was, nothing moves.
    let call =
        if asked.pin == Some(Pin::Now) { Call { arguments: String::new(), ..call.clone() } } else { call.clone() };
    let written = edit::run(site, &call, &footprint, |transaction, before| {
        let current = before.library.config.theme.clone();
        let mut staged = Staged::new(String::new());
        theme = target(site, transaction, &current, asked, &mut staged)?;
        if theme != current {
            let patch = Map::from_iter([("theme".to_owned(), Value::from(theme.as_str()))]);
            let text = front_matter::patch_yaml(
                "site.yaml",
                transaction.base().text("site.yaml").unwrap_or_default(),
                &patch,
            )?;
            transaction.stage(ContentPath::from_disk("site.yaml")?, Some(text.into_bytes()))?;
            drop_frozen(transaction, &current, &mut staged)?;
        }
        if staged.message.is_empty() {
            staged.message = format!("Use theme {theme}");
        }
        Ok(staged)
    })?;
    if theme.is_empty() {
        // The call was answered with its first receipt.
        theme = site.config()?.theme;
    }
    Ok(Chosen { written, theme })
}

fn check_shape(asked: &Choice) -> Result<()> {
    let refused = |field: &str, problem: &str, example: &str| {
        Err(Error::InvalidArguments { field: field.into(), problem: problem.into(), example: example.into() })
    };
    let frozen = asked.theme.as_deref().is_some_and(|theme| theme.contains('@'));
    match (&asked.theme, &asked.pin) {
        (None, None) => refused("theme", "nothing to do: give `theme` or `pin`", "{\"pin\": \"now\"}"),
        (_, Some(_)) if frozen => {
            let problem = "it is a frozen copy already, name the theme itself";
            refused("theme", problem, "{\"theme\": \"default\", \"pin\": \"now\"}")
        }
        _ => Ok(()),
    }
}

/// The value of `theme`, with the files it needs staged.
fn target(
    site: &Site,
    transaction: &mut Transaction<'_>,
    current: &str,
    asked: &Choice,
    staged: &mut Staged,
) -> Result<String> {
    let now = Name::of(current);
    let wanted = asked.theme.as_deref().map_or(now.source, |theme| theme.trim().trim_end_matches('/'));
    let base = Arc::clone(transaction.base());
    let unpin = match &asked.pin {
        Some(Pin::Now) => return pinned(site, transaction, &base, current, wanted, None, staged),
        Some(Pin::At(revision)) => return pinned(site, transaction, &base, current, wanted, Some(revision), staged),
        Some(Pin::Off) => true,
        None => false,
    };
    if now.pin.is_some() && wanted == now.source && !unpin {
        return Err(Error::InvalidArguments {
            field: "pin".into(),
            problem: format!("the site renders with {wanted} already, pinned as {current}"),
            example:
                "{\"pin\": \"off\"} to render with its files as they are now, or {\"pin\": \"now\"} to move the pin"
                    .into(),
        });
    }
    if unpin {
        staged.message = format!("Unpin theme {wanted}");
    }
    if !exists(&base, wanted) && wanted == SHIPPED {
        for (path, bytes) in starter::theme() {
            transaction.stage(path, Some(bytes))?;
        }
        staged.notes.push(format!("themes/{SHIPPED}/ was not there: the shipped theme was written into it."));
    } else {
        found(&base, wanted)?;
    }
    Ok(wanted.to_owned())
}

fn pinned(
    site: &Site,
    transaction: &mut Transaction<'_>,
    base: &Snapshot,
    current: &str,
    source: &str,
    at_revision: Option<&str>,
    staged: &mut Staged,
) -> Result<String> {
    let is_now = at_revision.is_none();
    let (revision, frozen) = if let Some(pin) = at_revision {
        let (revision, then) = at(site, pin)?;
        if !exists(&then, source) {
            let near = names(&then);
            let name = format!("{source} at {}", revision.short());
            return Err(Error::NotFound { kind: "theme", name, near });
        }
        (revision, freeze(site, &then, source)?)
    } else {
        found(base, source)?;
        let frozen = freeze(site, base, source)?;
        let touched = last_touched(site, base, source, &frozen)?;
        let Some(revision) = touched.or_else(|| transaction.tip().cloned()) else {
            return Err(Error::NotFound { kind: "revision", name: "now".into(), near: Vec::new() });
        };
        (revision, frozen)
    };
    let name = format!("{source}@{}", revision.short());
    // Pinning again what is pinned already moves nothing.
    let is_pinned = matches!(Name::of(current), Name { source: used, pin: Some(_) } if used == source);
    let name = if is_now && is_pinned && same(site, base, current, &frozen)? { current.to_owned() } else { name };
    staged.message = format!("Pin theme {source} at {}", revision.short());
    for (path, _) in base.under(&format!("themes/{name}")) {
        if !frozen.contains_key(super::files::inside(path)) {
            transaction.stage(path.clone(), None)?;
        }
    }
    for (inner, bytes) in frozen {
        transaction.stage(ContentPath::parse(&format!("themes/{name}/{inner}"))?, Some(bytes))?;
    }
    Ok(name)
}

/// The revision that made the theme what it is: the name under which `theme_get` lists it. `None` where the newest one that
/// touched it left something else, as on another line of edits.
fn last_touched(site: &Site, base: &Snapshot, source: &str, frozen: &Frozen) -> Result<Option<RevisionId>> {
    let filter = HistoryFilter { limit: 1, ..versions(&Theme::chain(base, source)) };
    let Some(newest) = site.repository().history(&filter)?.0.into_iter().next() else { return Ok(None) };
    let then = site.repository().snapshot_at(&newest.id)?;
    let is_it = exists(&then, source) && freeze(site, &then, source).is_ok_and(|then| then == *frozen);
    Ok(is_it.then_some(newest.id))
}

fn at(site: &Site, text: &str) -> Result<(RevisionId, Arc<Snapshot>)> {
    let revision = site.repository().resolve(text).map_err(|error| match error {
        Error::InvalidArguments { problem, .. } => Error::InvalidArguments {
            field: "pin".into(),
            problem: format!("{problem}, or `now`, or `off`"),
            example: "{\"pin\": \"now\"}; theme_get with include: [\"versions\"] lists revisions".into(),
        },
        other => other,
    })?;
    let snapshot = site.repository().snapshot_at(&revision)?;
    Ok((revision, snapshot))
}

/// Whether a folder holds exactly these files.
fn same(site: &Site, base: &Snapshot, name: &str, frozen: &Frozen) -> Result<bool> {
    let mut count = 0;
    for (path, file) in base.under(&format!("themes/{name}")) {
        let Some(bytes) = frozen.get(super::files::inside(path)) else { return Ok(false) };
        if *bytes != *site.repository().bytes(path, file)? {
            return Ok(false);
        }
        count += 1;
    }
    Ok(count == frozen.len())
}

/// Removes the frozen folder that was in use, unless a theme still extends it.
fn drop_frozen(transaction: &mut Transaction<'_>, name: &str, staged: &mut Staged) -> Result<()> {
    if Name::of(name).pin.is_none() {
        return Ok(());
    }
    let base = Arc::clone(transaction.base());
    let extends = |theme: &String| Theme::load(&base, theme).is_ok_and(|theme| theme.extends.as_deref() == Some(name));
    if let Some(user) = names(&base).iter().find(|theme| extends(theme)) {
        staged.notes.push(format!("themes/{name}/ stays: theme {user} extends it."));
        return Ok(());
    }
    for (path, _) in base.under(&format!("themes/{name}")) {
        transaction.stage(path.clone(), None)?;
    }
    Ok(())
}
