//! Reads a theme: what it is, its files, its settings with their values, what each layout renders, and its revisions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::Site;
use super::{Name, files, found, names};
use crate::build::template::Templates;
use crate::build::{Built, layout_of};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, File, PageState, Progress, Snapshot, Theme, resolve_settings};
use crate::store::{HistoryFilter, Revision, RevisionKind};

/// Revisions in a reply.
const VERSIONS: usize = 20;
/// Files that one call may name.
const MAX_FILES: usize = 50;
/// Pages named of a layout.
const FIRST_PAGES: usize = 3;

/// What to return besides name and state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Include {
    /// Its files and those it inherits.
    Files,
    /// Its settings with defaults and values.
    Settings,
    /// Its layouts with the pages they render.
    Layouts,
    /// The revisions that touched it.
    Versions,
}

/// One file whose text is wanted.
#[derive(Debug, Clone, Default)]
pub struct FileQuery {
    /// `layouts/page.hbs`, or the same from the site's root.
    pub path: String,
    /// Only these lines, 1-based, both ends included.
    pub lines: Option<(usize, usize)>,
}

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct ThemeQuery {
    /// Folder below `themes/`; `None`: the one in use.
    pub theme: Option<String>,
    /// Files whose text is wanted.
    pub files: Vec<FileQuery>,
    /// What else.
    pub include: BTreeSet<Include>,
    /// Who follows the call.
    pub progress: Progress,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeFile {
    /// From the site's root; of another theme where it is inherited.
    pub path: ContentPath,
    /// Size.
    pub bytes: u64,
    /// Blob id.
    pub etag: BlobId,
}

/// One file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextView {
    /// The file.
    pub file: ThemeFile,
    /// Lines of the whole text.
    pub lines: usize,
    /// Which of them `text` begins with.
    pub first_line: usize,
    /// The text, or the lines asked for; `None`: it is not text.
    pub text: Option<String>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingView {
    /// Its name.
    pub setting: String,
    /// What templates see.
    pub value: Value,
    /// Where the site sets nothing; `None`: `value` is the default.
    pub default: Option<Value>,
    /// Allowed values; empty: any of the default's type.
    pub options: Vec<Value>,
    /// One sentence.
    pub description: String,
}

/// One layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutView {
    /// `page`, `blog/page`.
    pub layout: String,
    /// Its file.
    pub path: ContentPath,
    /// Pages with a file of their own that it renders.
    pub pages: usize,
    /// URL paths of the first few.
    pub first: Vec<String>,
}

/// A theme as read; parts not asked for are `None`.
#[derive(Debug)]
pub struct ThemeView {
    /// Its manifest.
    pub manifest: Theme,
    /// The site renders with it, or with a frozen copy of it.
    pub active: bool,
    /// The folder the site renders with, where that is a frozen copy of this theme.
    pub pinned: Option<String>,
    /// Every folder below `themes/`.
    pub themes: Vec<String>,
    /// Texts of the files asked for.
    pub texts: Vec<TextView>,
    /// Files.
    pub files: Option<Vec<ThemeFile>>,
    /// Settings.
    pub settings: Option<Vec<SettingView>>,
    /// Layouts.
    pub layouts: Option<Vec<LayoutView>>,
    /// Latest revisions that touched it or what it extends, newest first.
    pub versions: Option<Vec<Revision>>,
}

/// Reads a theme of the working tree.
///
/// # Errors
/// `NotFound` for an unknown theme or file, with near matches; `InvalidArguments`, `InvalidPath`.
pub fn get(site: &Site, query: &ThemeQuery) -> Result<ThemeView> {
    let (snapshot, built) = site.working_followed(&query.progress)?;
    let used = Name::of(&built.library.config.theme);
    let name = query.theme.as_deref().unwrap_or(used.source).trim().trim_end_matches('/');
    let name = name.strip_prefix("themes/").unwrap_or(name);
    found(&snapshot, name)?;
    if query.files.len() > MAX_FILES {
        return Err(Error::InvalidArguments {
            field: "files".into(),
            problem: format!("got {} files, expected at most {MAX_FILES}", query.files.len()),
            example: "\"files\": [\"layouts/page.hbs\"]".into(),
        });
    }
    let chain = Theme::chain(&snapshot, name);
    let texts = query.files.iter().map(|file| text(&snapshot, &chain, name, file));
    let texts = texts.collect::<Result<Vec<_>>>()?;
    for text in &texts {
        site.effects().read(&text.file.path, Some(text.file.etag));
    }
    let active =
        Name::of(name).source == used.source && (Name::of(name).pin.is_none() || name == built.library.config.theme);
    let wants = |part| query.include.contains(&part);
    // Of a pinned theme, the pages show what the frozen copy is set to.
    let rendering = if active { built.library.config.theme.as_str() } else { name };
    let versions = if wants(Include::Versions) { Some(site.repository().history(&versions(&chain))?.0) } else { None };
    Ok(ThemeView {
        pinned: Some(built.library.config.theme.clone()).filter(|_| active && used.pin.is_some()),
        active,
        themes: names(&snapshot),
        texts,
        files: wants(Include::Files).then(|| all_files(&snapshot, &chain)),
        settings: wants(Include::Settings).then(|| settings(&snapshot, rendering, &built, active)),
        layouts: wants(Include::Layouts).then(|| layouts(&snapshot, rendering, &built, active)),
        versions,
        manifest: chain.into_iter().next().unwrap_or_default(),
    })
}

fn file_of((path, file): (&ContentPath, &File)) -> ThemeFile {
    ThemeFile { path: path.clone(), bytes: file.size, etag: file.id }
}

/// A file's text; one the theme inherits is found where it is.
fn text(snapshot: &Snapshot, chain: &[Theme], theme: &str, asked: &FileQuery) -> Result<TextView> {
    let path = files::path(theme, &asked.path)?;
    let inner = files::inside(&path);
    let mut places =
        chain.iter().filter_map(|theme| ContentPath::parse(&format!("themes/{}/{inner}", theme.name)).ok());
    let Some((path, file)) = places.find_map(|path| snapshot.get(&path).map(|file| (path, file))) else {
        return Err(files::not_found(snapshot, chain, &path));
    };
    let whole = file.text();
    let cut = |text: &str| match asked.lines {
        None => text.to_owned(),
        Some((first, last)) => {
            let skip = first.max(1) - 1;
            text.split_inclusive('\n').skip(skip).take(last.saturating_sub(skip)).collect()
        }
    };
    Ok(TextView {
        first_line: asked.lines.map_or(1, |(first, _)| first.max(1)),
        lines: whole.map_or(0, |text| text.lines().count()),
        text: whole.map(cut),
        file: file_of((&path, file)),
    })
}

/// The theme's own files, then those it inherits, each in path order.
fn all_files(snapshot: &Snapshot, chain: &[Theme]) -> Vec<ThemeFile> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (depth, theme) in chain.iter().enumerate() {
        for entry in snapshot.under(&format!("themes/{}", theme.name)) {
            let inner = files::inside(entry.0).to_owned();
            // Of what it extends only what templates can reach counts.
            let inherits = inner.contains('/');
            if (depth == 0 || inherits) && seen.insert(inner) {
                all.push(file_of(entry));
            }
        }
    }
    all
}

fn settings(snapshot: &Snapshot, name: &str, built: &Built, active: bool) -> Vec<SettingView> {
    let chain = Theme::chain(snapshot, name);
    let overrides = if active { built.library.config.theme_settings.clone() } else { Map::new() };
    let (values, _) = resolve_settings(&chain, &overrides);
    let mut known = BTreeMap::new();
    for theme in chain.iter().rev() {
        known.extend(theme.settings.iter());
    }
    let view = |(name, setting): (&String, &crate::model::Setting)| {
        let value = values.get(name).cloned().unwrap_or_default();
        SettingView {
            setting: name.clone(),
            default: Some(setting.default.clone()).filter(|default| *default != value),
            value,
            options: setting.options.clone(),
            description: setting.description.clone(),
        }
    };
    known.into_iter().map(view).collect()
}

/// Every layout with the pages it renders; of a theme that is not in use, with those it would render.
fn layouts(snapshot: &Snapshot, name: &str, built: &Built, active: bool) -> Vec<LayoutView> {
    let overrides = if active { built.library.config.theme_settings.clone() } else { Map::new() };
    let (templates, _) = Templates::compile(snapshot, name, &overrides);
    let mut uses: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    let library = &built.library;
    for page in library.pages.iter().filter(|page| page.exists && page.state == PageState::Live) {
        let Some(layout) = layout_of(&templates, library, page) else { continue };
        let (count, first) = uses.entry(layout).or_default();
        *count += 1;
        if first.len() < FIRST_PAGES {
            first.push(page.url.clone());
        }
    }
    let layouts = templates.files().iter().filter_map(|(key, path)| Some((key.strip_prefix("layouts/")?, path)));
    let view = |(layout, path): (&str, &ContentPath)| {
        let (pages, first) = uses.remove(layout).unwrap_or_default();
        LayoutView { layout: layout.to_owned(), path: path.clone(), pages, first }
    };
    layouts.map(view).collect()
}

/// The revisions that touched a theme or what it extends.
pub(super) fn versions(chain: &[Theme]) -> HistoryFilter {
    HistoryFilter {
        paths: chain.iter().map(|theme| format!("themes/{}/", theme.name)).collect(),
        // A publish brings nothing that an edit did not.
        kinds: vec![RevisionKind::Edit, RevisionKind::HandEdit, RevisionKind::Commit],
        limit: VERSIONS,
        ..HistoryFilter::default()
    }
}
