//! What a whole site looked like before an edit, so that a reply names exactly what the edit changes.

use std::collections::{BTreeMap, BTreeSet};

use super::Site;
use crate::build::{Built, Scope};
use crate::error::Result;
use crate::model::{Diagnostic, Digest, OutputData, Progress, Snapshot};

/// A whole site as it was rendered, without its bytes.
pub(super) struct Shown {
    /// Digest of each page and theme asset, by output path.
    outputs: BTreeMap<String, Digest>,
    /// All its findings, those of templates too.
    pub(super) findings: Vec<Diagnostic>,
}

impl Shown {
    /// Looks at everything; what stands since the last look is not rendered.
    pub(super) fn of(site: &Site, snapshot: &Snapshot, progress: &Progress) -> Result<Self> {
        let built = whole(site, snapshot, progress)?;
        Ok(Self { outputs: digests(&built), findings: built.diagnostics })
    }

    /// Addresses that came, went or look different, pages first.
    pub(super) fn differing(&self, built: &Built) -> Vec<String> {
        let now = digests(built);
        let paths: BTreeSet<&String> = self.outputs.keys().chain(now.keys()).collect();
        let differing = paths.into_iter().filter(|path| self.outputs.get(*path) != now.get(*path));
        let (pages, assets): (Vec<&String>, Vec<&String>) = differing.partition(|path| path.ends_with(".html"));
        pages.into_iter().chain(assets).map(|path| url(path)).collect()
    }
}

/// A build of everything for who needs digests and findings only.
pub(super) fn whole(site: &Site, snapshot: &Snapshot, progress: &Progress) -> Result<Built> {
    site.build_further(snapshot, Scope::Everything, progress, &|_, _| true)
}

/// The URL path of an output.
pub(super) fn url(path: &str) -> String {
    match path.strip_suffix("index.html") {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => format!("/{folder}"),
        _ => format!("/{path}"),
    }
}

fn digests(built: &Built) -> BTreeMap<String, Digest> {
    let shown = |path: &str| path.ends_with(".html") || path.starts_with("assets/");
    let mut all: BTreeMap<String, Digest> =
        built.digests.iter().filter(|(path, _)| shown(path)).map(|(path, digest)| (path.clone(), *digest)).collect();
    for (path, output) in built.outputs.iter().filter(|(path, _)| shown(path)) {
        all.entry(path.clone()).or_insert_with(|| match &output.data {
            OutputData::Bytes(bytes) => Digest::of(bytes),
            OutputData::Copy(_, id) => Digest::of(&id.0),
        });
    }
    all
}
