//! The one orientation call: what the site is, how big, what is unpublished, and whether it can be written now.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Site;
use crate::build::Built;
use crate::error::Result;
use crate::model::{PageState, PathKind, Progress, Severity, Snapshot, Theme};
use crate::store::Status;

/// What `site_get` answers from.
#[derive(Debug)]
pub struct Overview {
    /// The working tree.
    pub snapshot: Arc<Snapshot>,
    /// Its library and diagnostics.
    pub built: Arc<Built>,
    /// The repository's state.
    pub status: Status,
    /// Pages by state.
    pub pages: BTreeMap<&'static str, usize>,
    /// Assets (files in `static/` and beside pages).
    pub assets: usize,
    /// Findings by severity.
    pub findings: BTreeMap<Severity, usize>,
    /// The theme's manifest, where it can be read.
    pub theme: Option<Theme>,
    /// Whether live has sources whose output the deploy branch does not show yet.
    pub output_behind: bool,
}

/// Looks at the whole site.
pub fn overview(site: &Site, progress: &Progress) -> Result<Overview> {
    let (snapshot, built) = site.working_followed(progress)?;
    let status = site.repository().status_followed(progress)?;
    let mut pages = BTreeMap::new();
    for page in built.library.pages.iter().filter(|page| page.exists) {
        let state = match page.state {
            PageState::Live => "live",
            PageState::Draft => "draft",
            PageState::Scheduled => "scheduled",
            PageState::Expired => "expired",
        };
        *pages.entry(state).or_insert(0) += 1;
    }
    let mut findings = BTreeMap::new();
    for diagnostic in &built.diagnostics {
        *findings.entry(diagnostic.severity).or_insert(0) += 1;
    }
    let asset = |kind| matches!(kind, PathKind::Static | PathKind::ContentAsset);
    let assets = snapshot.iter().filter(|(path, _)| asset(path.kind())).count();
    let theme = Theme::load(&snapshot, &built.library.config.theme).ok();
    let publish = &built.library.config.publish;
    let output_behind = publish.layout.has_branch() && site.repository().is_output_behind(publish.output_branch())?;
    Ok(Overview { snapshot, built, status, pages, assets, findings, theme, output_behind })
}
