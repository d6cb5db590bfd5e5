//! A copy of the site in a repository of its own, where everything may be tried: nothing of it reaches the site, its remote or the world.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Settings, Site};
use crate::error::{Error, Result};
use crate::model::front_matter::patch_yaml;
use crate::model::{ContentPath, PathKind, Snapshot};
use crate::outside::loopback::Loopback;
use crate::store::{Identity, OpenOptions, Repository, Scratch, State};

const CONFIG: &str = "site.yaml";
/// Pages of a small copy, section pages apart.
const FEW: usize = 100;
/// What `site.yaml` says about the world: a copy tells nobody anything and asks nobody anything.
const WORLDLY: [&str; 5] = ["publish", "webhooks", "indexnow", "fetch", "uploads"];

/// The smallest PNG, one pixel: what the copy may fetch.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63, 0x64, 0xf8, 0xcf, 0x50,
    0x0f, 0, 3, 0x86, 1, 0x80, 0x5a, 0x34, 0x7d, 0x6b, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// A copy of a site. Dropped, it is gone.
#[derive(Debug)]
pub struct Rehearsal {
    site: Arc<Site>,
    start: Arc<Snapshot>,
    /// A picture on this machine, and the only address that the copy may reach.
    picture: Option<Loopback>,
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
        let picture = Loopback::serve("image/png", PIXEL)
            .inspect_err(|error| tracing::debug!(%error, "a rehearsal has nothing to fetch"))
            .ok();
        let reachable = picture.as_ref().map(|picture| picture.address().ip().to_string());
        let files = files(&working, extent, reachable.as_deref())?;
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
        Ok(Self { site, start, picture, _scratch: scratch })
    }

    /// The copy.
    #[must_use]
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Address of a picture that it may fetch; `None` where this machine has no port for it.
    #[must_use]
    pub fn picture(&self) -> Option<String> {
        self.picture.as_ref().map(|picture| format!("http://{}/pixel.png", picture.address()))
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

fn files(working: &Snapshot, extent: Extent, reachable: Option<&str>) -> Result<Vec<(ContentPath, Vec<u8>)>> {
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
        let bytes = if path.as_str() == CONFIG { neutral(bytes, reachable)? } else { bytes.to_vec() };
        files.push((path.clone(), bytes));
    }
    Ok(files)
}

/// `site.yaml` without what reaches beyond the site, but for one address of this machine.
fn neutral(bytes: &[u8], reachable: Option<&str>) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::InvalidConfig {
        path: CONFIG.into(),
        line: 0,
        problem: "it is no UTF-8 text".into(),
    })?;
    let without = WORLDLY.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    let text = patch_yaml(CONFIG, text, &without)?;
    let mut own = Map::from_iter([("publish".to_owned(), json!({"durability": "process"}))]);
    own.extend(reachable.map(|address| ("fetch".to_owned(), json!({"allow": [address]}))));
    Ok(patch_yaml(CONFIG, &text, &own)?.into_bytes())
}
