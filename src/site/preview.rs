//! Looking at changes before they are live: as a URL, as HTML, as text.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Site, address, expand, page};
use crate::build::{self, Built, Company, Scope};
use crate::error::{Error, Result};
use crate::model::{ContentPath, Diagnostic, Digest, OutputData, Outputs, Progress, Snapshot};

/// Pages rendered in one call.
pub const MAX_PAGES: usize = 50;

/// Letters of a label.
const LABEL: usize = 64;

/// Someone who serves a build over HTTP on loopback.
pub trait Host: Send + Sync {
    /// Address of the working change set's preview, always the newest state, ending in `/`.
    fn working(&self) -> String;
    /// Address below which a build registered under `label` will be served, ending in `/`.
    fn address(&self, label: &str) -> String;
    /// Serves a build under a label; `snapshot` supplies the bytes of copied files.
    fn register(&self, label: &str, outputs: Outputs, diagnostics: Vec<Diagnostic>, snapshot: Arc<Snapshot>);
}

/// How to show pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// An address to open in a browser.
    #[default]
    Url,
    /// The whole HTML document.
    Html,
    /// The main content as text.
    Text,
    /// Everything a browser needs to show it.
    Files,
}

/// What to preview.
#[derive(Debug, Clone, Default)]
pub struct PreviewQuery {
    /// Pages by URL path or content path; empty: all changed pages.
    pub pages: Vec<String>,
    /// Live plus just these pages: byte for byte what publishing them would write.
    pub only: bool,
    /// How to show them.
    pub form: Form,
    /// Who follows the call.
    pub progress: Progress,
}

/// One previewed page.
#[derive(Debug, Clone)]
pub struct PreviewPage {
    /// Its path.
    pub path: ContentPath,
    /// URL path on the site.
    pub url: String,
    /// Address to open, where a preview is served.
    pub address: Option<String>,
    /// HTML or text, where asked for.
    pub content: Option<String>,
}

/// A finished preview.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Address of the home page, where a preview is served.
    pub address: Option<String>,
    /// The pages.
    pub pages: Vec<PreviewPage>,
    /// Findings about these pages.
    pub diagnostics: Vec<Diagnostic>,
    /// Where asked for, what a browser needs to show the pages.
    pub files: Option<Files>,
}

/// The pages and every file they can ask for, as visitors would get them.
#[derive(Debug, Clone)]
pub struct Files {
    /// Where the site is at home; ends in `/`.
    pub base_url: String,
    /// Output files: the named pages and all copied files.
    pub outputs: Outputs,
    /// Supplies the bytes of copied files.
    pub snapshot: Arc<Snapshot>,
}

/// Renders pages of the change set, or of live plus just these pages.
///
/// # Errors
/// `NotFound` for unknown pages, `InvalidArguments` for too many.
pub fn preview(site: &Site, query: &PreviewQuery) -> Result<Preview> {
    let progress = &query.progress;
    let (working, built) = site.working_followed(&progress.part(0.0, 0.3))?;
    let paths = pages(site, &built, &query.pages)?;
    let snapshot = if query.only { only(site, &working, &paths)? } else { working };
    let host = super::lock(&site.shared.host).clone();
    let label = label(site, &snapshot, query.only);
    let base = match (&host, query.form, &label) {
        (Some(host), Form::Url, Some(label)) => Some(host.address(label)),
        (Some(host), Form::Url, None) => Some(host.working()),
        _ => None,
    };
    let drafts = !query.only;
    let scope = match (&base, &label) {
        (Some(_), Some(_)) => Scope::Everything,
        _ if query.form == Form::Files => Scope::Shown(paths.iter().cloned().collect()),
        _ => Scope::Pages(paths.iter().cloned().collect()),
    };
    let preview_base = base.clone().filter(|_| label.is_some());
    let rendered = site.build_followed(&snapshot, scope, drafts, preview_base, &progress.part(0.4, 1.0))?;
    let diagnostics = rendered.diagnostics.iter().filter(|d| paths.contains(&d.path)).cloned().collect();
    site.effects().rendered();
    for path in &paths {
        site.effects().read(path, snapshot.get(path).map(|file| file.id));
    }
    let pages = paths.iter().map(|path| show(&rendered, path, base.as_deref(), query.form)).collect();
    let mut files = None;
    match (host, label, query.form) {
        (Some(host), Some(label), Form::Url) => {
            host.register(&label, rendered.outputs, rendered.diagnostics, snapshot);
        }
        (_, _, Form::Files) => {
            let base_url = rendered.library.config.base_url.clone();
            files = Some(Files { base_url, outputs: rendered.outputs, snapshot });
        }
        _ => {}
    }
    Ok(Preview { address: base, pages, diagnostics, files })
}

/// The whole working change set, drafts and scheduled pages included, built for an address: what a preview server shows.
/// What stands of the outputs that were shown before is taken from there.
///
/// # Errors
/// `InvalidConfig`, and what reading the working tree can fail with.
pub fn whole(
    site: &Site,
    base_url: &str,
    before: Option<(&Outputs, &BTreeMap<String, Digest>)>,
) -> Result<(Built, Arc<Snapshot>)> {
    let snapshot = site.repository().working()?;
    let shown = |path: &str| before.and_then(|(outputs, digests)| Some((outputs.get(path)?, digests.get(path)?)));
    let have = |path: &str, digest: Digest| shown(path).is_some_and(|(_, known)| *known == digest);
    let options = build::Options { base_url: Some(base_url.to_owned()), ..site.build_options(Scope::Everything, true) };
    let mut built = build::build_with(
        &snapshot,
        &options,
        &site.shared.cache,
        Company { have: Some(&have), ..Company::default() },
    )?;
    for path in built.digests.keys().filter(|path| !built.outputs.contains_key(*path)).cloned().collect::<Vec<_>>() {
        if let Some((output, _)) = shown(&path) {
            built.outputs.insert(path, output.clone());
        }
    }
    Ok((built, snapshot))
}

/// The named pages, or all changed ones that still exist.
fn pages(site: &Site, built: &Built, names: &[String]) -> Result<BTreeSet<ContentPath>> {
    let paths: BTreeSet<ContentPath> = if names.is_empty() {
        let changed = site.repository().status()?.unpublished.into_iter().map(|item| item.change.path);
        changed.filter(|path| built.library.by_path.contains_key(path)).take(MAX_PAGES).collect()
    } else {
        let found = names.iter().map(|name| address::page(&built.library, name));
        found.map(|index| index.map(|at| built.library.pages[at].path.clone())).collect::<Result<_>>()?
    };
    if paths.len() > MAX_PAGES {
        return Err(Error::InvalidArguments {
            field: "pages".into(),
            problem: format!("got {} pages, expected at most {MAX_PAGES}", paths.len()),
            example: "{\"pages\": [\"/blog/hello/\"]}".into(),
        });
    }
    Ok(paths)
}

/// Live with just these pages (and what travels with them) as they are in the working tree.
fn only(site: &Site, working: &Snapshot, paths: &BTreeSet<ContentPath>) -> Result<Arc<Snapshot>> {
    let unpublished = site.repository().status()?.unpublished;
    let ids: BTreeSet<_> = unpublished.iter().flat_map(|item| &item.revisions).collect();
    let revisions = ids.into_iter().map(|id| site.repository().revision(id)).collect::<Result<Vec<_>>>()?;
    let mut together = paths.clone();
    expand::together(&mut together, &unpublished, &revisions);
    let mut snapshot = (*site.live()?).clone();
    for path in together {
        let file = working.get(&path).cloned();
        snapshot.set(path, file);
    }
    if !snapshot.contains("site.yaml") {
        // Nothing is live yet: the first publish takes everything.
        return Ok(Arc::new(working.clone()));
    }
    Ok(Arc::new(snapshot))
}

/// What a build is served under; `None`: it is the working tree, which has an address of its own.
fn label(site: &Site, snapshot: &Snapshot, only: bool) -> Option<String> {
    if !only {
        // The newest state of a change set takes the place of the one before.
        return site.repository().change_set_id().map(|id| format!("cs-{id}").chars().take(LABEL).collect());
    }
    // FNV-1a over paths and ids: equal states share a label, and the label says nothing else.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for (path, file) in snapshot.iter() {
        for byte in path.as_str().bytes().chain(file.id.0) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Some(format!("{hash:016x}"))
}

fn show(built: &Built, path: &ContentPath, base: Option<&str>, form: Form) -> PreviewPage {
    let page = built.library.by_path.get(path).map(|&at| &built.library.pages[at]);
    let url = page.map_or_else(String::new, |page| page.url.clone());
    let output = built.outputs.get(&build::output_path(&url));
    let document = output.and_then(|output| match &output.data {
        OutputData::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        OutputData::Copy(..) => None,
    });
    let content = match form {
        Form::Url | Form::Files => None,
        Form::Html => document.map(str::to_owned),
        Form::Text => built.html(path).map(|html| page::plain_text(html)),
    };
    let address = base.map(|base| format!("{}{}", base.trim_end_matches('/'), url));
    PreviewPage { path: path.clone(), url, address, content }
}
