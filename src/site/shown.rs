//! What a whole site looked like before an edit, so that a reply names exactly what the edit changes.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Site;
use crate::build::Scope;
use crate::error::Result;
use crate::model::{Diagnostic, Output, OutputData, Outputs, Progress, Snapshot};

/// A whole site as it was rendered, without its bytes.
pub(super) struct Shown {
    /// Digest of each page and theme asset, by output path.
    outputs: BTreeMap<String, u64>,
    /// All its findings, those of templates too.
    pub(super) findings: Vec<Diagnostic>,
}

impl Shown {
    /// Renders everything.
    pub(super) fn of(site: &Site, snapshot: &Snapshot, progress: &Progress) -> Result<Self> {
        let built = site.build_followed(snapshot, Scope::Everything, false, None, progress)?;
        Ok(Self { outputs: digests(&built.outputs), findings: built.diagnostics })
    }

    /// Addresses that came, went or look different, pages first.
    pub(super) fn differing(&self, outputs: &Outputs) -> Vec<String> {
        let now = digests(outputs);
        let paths: BTreeSet<&String> = self.outputs.keys().chain(now.keys()).collect();
        let differing = paths.into_iter().filter(|path| self.outputs.get(*path) != now.get(*path));
        let (pages, assets): (Vec<&String>, Vec<&String>) = differing.partition(|path| path.ends_with(".html"));
        let url = |path: &String| match path.strip_suffix("index.html") {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => format!("/{folder}"),
            _ => format!("/{path}"),
        };
        pages.into_iter().chain(assets).map(url).collect()
    }
}

/// Equal numbers for equal files; others differ but for one case in 2^64, and nothing but a list of addresses depends on it.
fn digests(outputs: &Outputs) -> BTreeMap<String, u64> {
    let shown = outputs.iter().filter(|(path, _)| path.ends_with(".html") || path.starts_with("assets/"));
    let digest = |output: &Output| {
        let mut hasher = DefaultHasher::new();
        match &output.data {
            OutputData::Bytes(bytes) => bytes.hash(&mut hasher),
            OutputData::Copy(_, id) => id.0.hash(&mut hasher),
        }
        hasher.finish()
    };
    shown.map(|(path, output)| (path.clone(), digest(output))).collect()
}
