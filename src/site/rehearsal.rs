//! A copy of the site in a repository of its own, where everything may be tried: nothing of it reaches the site, its remote or the world.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Settings, Site};
use crate::error::{Error, Result};
use crate::model::front_matter::patch_yaml;
use crate::model::{ContentPath, PathKind, Snapshot};
use crate::store::{Identity, OpenOptions, Repository, Scratch, State};

const CONFIG: &str = "site.yaml";
/// Pages of a small copy, section pages apart.
const FEW: usize = 100;
/// What `site.yaml` says about the world: a copy tells nobody anything and asks nobody anything.
const WORLDLY: [&str; 5] = ["publish", "webhooks", "indexnow", "fetch", "uploads"];

/// A copy of a site. Dropped, it is gone.
#[derive(Debug)]
pub struct Rehearsal {
    site: Arc<Site>,
    start: Arc<Snapshot>,
    // Removed when the site is no longer used.
    _scratch: Scratch,
}

/// How much is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Settings, themes, data, section pages and some other pages.
    Few,
    /// Every text file.
    Whole,
}

impl Rehearsal {
    /// Copies what is in the working tree now. Images and other files that are only copied into the output stay behind.
    ///
    /// # Errors
    /// The site cannot be read, or the git directory cannot be written.
    pub fn of(site: &Site, extent: Extent) -> Result<Self> {
        let working = site.repository.in_working().working()?;
        let files = files(&working, extent)?;
        let scratch = site.repository.scratch()?;
        let author = Identity { name: "sitewright self-test".into(), email: "self-test@localhost".into() };
        let settings = Settings { clock: Arc::clone(&site.shared.clock), author: Some(author.clone()) };
        let options = OpenOptions {
            clock: Arc::clone(&settings.clock),
            author: Some(author),
            durability: crate::store::Durability::Process,
            ..OpenOptions::default()
        };
        let folder = scratch.repository(&files, options)?;
        let site = Arc::new(Site::open(&folder, settings)?);
        let start = site.repository.working()?;
        Ok(Self { site, start, _scratch: scratch })
    }

    /// The copy.
    #[must_use]
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Its files as they were copied.
    #[must_use]
    pub fn start(&self) -> &Snapshot {
        &self.start
    }

    /// Its files now.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn now(&self) -> Result<Arc<Snapshot>> {
        self.site.repository.working()
    }

    /// Writes a file as a person with an editor does, past every tool.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn edit_by_hand(&self, path: &str, text: &str) -> Result<()> {
        self.site.repository.edit_by_hand(path, text)
    }
}

/// Removes copies that killed processes left, and says how many.
pub fn sweep(site: &Site) -> usize {
    site.repository.sweep_scratch()
}

/// What must be the same after a rehearsal: refs, sources, theme, output.
///
/// # Errors
/// It cannot be read.
pub fn state(site: &Site) -> Result<State> {
    site.repository.in_working().state()
}

/// These files as a snapshot.
#[must_use]
pub fn snapshot(files: Vec<(ContentPath, Vec<u8>)>) -> Snapshot {
    Snapshot::new(files.into_iter().map(|(path, bytes)| (path, Repository::file(bytes))).collect())
}

/// Paths that differ between two snapshots, in order.
#[must_use]
pub fn differing(a: &Snapshot, b: &Snapshot) -> Vec<String> {
    let paths = a.iter().chain(b.iter().filter(|(path, _)| a.get(path).is_none())).map(|(path, _)| path);
    let differs = |path: &&ContentPath| a.get(path).map(|file| file.id) != b.get(path).map(|file| file.id);
    paths.filter(differs).map(ToString::to_string).collect()
}

fn files(working: &Snapshot, extent: Extent) -> Result<Vec<(ContentPath, Vec<u8>)>> {
    let mut pages = 0;
    let mut files = Vec::new();
    for (path, file) in working.iter() {
        let Some(bytes) = file.bytes() else { continue };
        if path.kind() == PathKind::Page
            && !path.as_str().rsplit('/').next().is_some_and(|name| name.starts_with("_index."))
        {
            pages += 1;
            if extent == Extent::Few && pages > FEW {
                continue;
            }
        }
        let bytes = if path.as_str() == CONFIG { neutral(bytes)? } else { bytes.to_vec() };
        files.push((path.clone(), bytes));
    }
    Ok(files)
}

/// `site.yaml` without what reaches beyond the site.
fn neutral(bytes: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::InvalidConfig {
        path: CONFIG.into(),
        line: 0,
        problem: "it is no UTF-8 text".into(),
    })?;
    let without = WORLDLY.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    let text = patch_yaml(CONFIG, text, &without)?;
    let Value::Object(quick) = json!({"publish": {"durability": "process"}}) else { return Ok(text.into_bytes()) };
    Ok(patch_yaml(CONFIG, &text, &quick)?.into_bytes())
}
