//! Snapshot to output and diagnostics: pure, so a preview, a publish and a test are the same call.
//!
//! Stages: load (front matter, Markdown) -> library (sections, taxonomies, links) -> templates -> outputs.

pub mod template;

use std::collections::BTreeSet;

use crate::error::Result;
use crate::model::{ContentPath, Diagnostic, Library, Outputs, Snapshot};

/// What a build depends on besides the snapshot.
#[derive(Debug, Clone)]
pub struct Options {
    /// The moment that decides what is scheduled or expired.
    pub now: jiff::Timestamp,
    /// Build drafts too.
    pub drafts: bool,
    /// Build scheduled pages too.
    pub future: bool,
    /// Replaces the configuration's `base_url` (preview).
    pub base_url: Option<String>,
    /// What to render.
    pub scope: Scope,
}

/// Which outputs a build renders. The library is always complete, and so are diagnostics about links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every output.
    Everything,
    /// Only the outputs of these pages (their own HTML; no lists, feeds or copies).
    Pages(BTreeSet<ContentPath>),
    /// No output: library and diagnostics only.
    Nothing,
}

/// A finished build.
#[derive(Debug, Clone)]
pub struct Built {
    /// The site as a reader sees it.
    pub library: Library,
    /// Output files.
    pub outputs: Outputs,
    /// All findings, in path and line order, each once.
    pub diagnostics: Vec<Diagnostic>,
}

/// Work kept between builds of one process, keyed by content: parsed pages and compiled templates. Never changes a result.
#[derive(Debug, Default)]
pub struct Cache {}

/// Builds a snapshot.
///
/// # Errors
/// [`crate::error::Error::InvalidConfig`] and [`crate::error::Error::NoSite`] only: everything else is a diagnostic.
pub fn build(snapshot: &Snapshot, options: &Options, cache: &Cache) -> Result<Built> {
    let _ = (snapshot, options, cache);
    Err(crate::error::Error::internal("not built yet"))
}
