//! Files that are larger than they need to be, and files that nothing names.

use std::collections::{HashMap, HashSet};

use super::super::Site;
use crate::build::Built;
use crate::error::Result;
use crate::model::{ContentPath, Diagnostic, File, LinkTarget, OutputData, PathKind, Severity, Snapshot};

/// Bytes after which an image is large.
const LARGE_IMAGE: u64 = 500 << 10;
/// Bytes after which any other file is.
const LARGE_FILE: u64 = 5 << 20;
/// Bytes of one static text file that is read for names of others, and of all of them.
const READ_ONE: u64 = 1 << 20;
const READ_ALL: u64 = 32 << 20;
/// Endings of images.
const IMAGES: [&str; 10] = ["png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "bmp", "tif", "tiff"];
/// Endings of static files that can name others.
const TEXTS: [&str; 8] = ["css", "js", "mjs", "html", "json", "webmanifest", "xml", "svg"];

/// Large and unused assets.
pub(super) fn findings(
    site: &Site,
    snapshot: &Snapshot,
    built: &Built,
    used: &HashSet<String>,
) -> Result<Vec<Diagnostic>> {
    let mut found: Vec<Diagnostic> = snapshot.iter().filter_map(|(path, file)| large(path, file)).collect();
    let linked: HashSet<&ContentPath> = built
        .library
        .pages
        .iter()
        .flat_map(|page| &page.links)
        .filter_map(|link| match &link.target {
            LinkTarget::File(path) => Some(path),
            _ => None,
        })
        .collect();
    let mut unnamed: Vec<&ContentPath> = built
        .outputs
        .iter()
        .filter_map(|(output, made)| match &made.data {
            OutputData::Copy(source, _) => Some((output, source)),
            OutputData::Bytes(_) => None,
        })
        .filter(|(_, source)| is_asset(source) && !is_asked_for_by_name(source))
        .filter(|(output, source)| !used.contains(&format!("/{output}")) && !linked.contains(source))
        .map(|(_, source)| source)
        .collect();
    unnamed.sort();
    unnamed.dedup();
    let named = named(site, snapshot, &unnamed)?;
    found.extend(unnamed.into_iter().filter(|path| !named.contains(path)).map(|path| {
        Diagnostic::new(Severity::Info, "unused_asset", path.clone(), 0, "no page, template or data file names it")
            .with_hint("Delete it with asset_delete, unless something outside the site uses its address.")
    }));
    Ok(found)
}

fn is_asset(path: &ContentPath) -> bool {
    matches!(path.kind(), PathKind::Static | PathKind::ContentAsset)
}

fn ending(path: &ContentPath) -> String {
    path.file_name().rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase())
}

fn large(path: &ContentPath, file: &File) -> Option<Diagnostic> {
    let image = IMAGES.contains(&ending(path).as_str());
    let limit = if image { LARGE_IMAGE } else { LARGE_FILE };
    if !is_asset(path) || file.size <= limit {
        return None;
    }
    let (kind, hint) = if image {
        ("image", "Scale it down to the size it is shown in, or save it as WebP or AVIF.")
    } else {
        ("file", "Host it elsewhere, or make it smaller: every visitor who opens it waits for it.")
    };
    let message = format!("the {kind} has {} kB, more than {} kB", file.size >> 10, limit >> 10);
    Some(Diagnostic::new(Severity::Warning, "large_asset", path.clone(), 0, message).with_hint(hint))
}

/// What browsers, crawlers and hosts ask for without being told: icons, verification files, control files.
fn is_asked_for_by_name(path: &ContentPath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    let top = path.as_str().matches('/').count() == 1;
    path.as_str().contains("/.well-known/")
        || name.starts_with(['.', '_'])
        || ["favicon", "apple-touch-icon", "cname"].iter().any(|known| name.starts_with(known))
        || (top && ["txt", "html", "xml", "webmanifest", "json", "js"].contains(&ending(path).as_str()))
}

/// Which of these files some text of the site names, by their file name.
fn named<'p>(site: &Site, snapshot: &Snapshot, files: &[&'p ContentPath]) -> Result<HashSet<&'p ContentPath>> {
    let mut by_name: HashMap<String, Vec<&'p ContentPath>> = HashMap::new();
    for path in files {
        by_name.entry(path.file_name().to_owned()).or_default().push(path);
        by_name.entry(path.file_name().replace(' ', "%20")).or_default().push(path);
    }
    // Names with characters that end a word in the text are looked for as they are.
    let odd: Vec<String> = by_name.keys().filter(|name| name.contains(splits)).cloned().collect();
    let mut found = HashSet::new();
    let mut look = |text: &str| {
        for word in text.split(splits) {
            if let Some(paths) = by_name.get(word) {
                found.extend(paths.iter().copied());
            }
        }
        for name in odd.iter().filter(|name| text.contains(name.as_str())) {
            found.extend(by_name[name].iter().copied());
        }
    };
    let mut room = READ_ALL;
    for (path, file) in snapshot.iter() {
        if let Some(text) = file.text() {
            look(text);
        } else if path.kind() == PathKind::Static
            && TEXTS.contains(&ending(path).as_str())
            && file.size <= READ_ONE.min(room)
            && !by_name.is_empty()
        {
            room -= file.size;
            look(&String::from_utf8_lossy(&site.repository().bytes(path, file)?));
        }
    }
    Ok(found)
}

/// What stands around names in all kinds of text.
fn splits(c: char) -> bool {
    c.is_whitespace() || "\"'`()<>[]{},;:=|\\/?#&*!".contains(c)
}
