//! How large an image is, from its first bytes: each blob is looked at once.

use std::collections::HashMap;

use super::super::{Site, lock};
use super::{header, kind, svg};
use crate::build::Pictures;
use crate::model::{BlobId, ContentPath, File};

/// Bytes read first: the size stands there in all but a few images.
const START: usize = 64 * 1024;
/// Largest image that is read as a whole for its size.
const MAX_WHOLE: u64 = 20 * 1024 * 1024;
/// Sizes kept; beyond that all are asked again.
const MAX_KEPT: usize = 100_000;

/// Sizes known by blob; `None`: it has none.
#[derive(Debug, Default)]
pub(in crate::site) struct Sizes(HashMap<BlobId, Option<(u32, u32)>>);

/// Answers a build about the images of this site.
pub(in crate::site) fn pictures(site: &Site) -> Pictures {
    let site = site.on(site.repository().clone());
    Pictures::by(move |path, file| pixels(&site, path, file))
}

/// Width and height of an image in pixels, as it is shown.
pub(in crate::site) fn pixels(site: &Site, path: &ContentPath, file: &File) -> Option<(u32, u32)> {
    let name = path.file_name();
    if kind::of_name(name).kind != kind::AssetKind::Image {
        return None;
    }
    if let Some(known) = lock(&site.shared.sizes).0.get(&file.id) {
        return *known;
    }
    let found = look(site, path, file);
    let mut sizes = lock(&site.shared.sizes);
    if sizes.0.len() >= MAX_KEPT {
        sizes.0.clear();
    }
    sizes.0.insert(file.id, found);
    found
}

fn look(site: &Site, path: &ContentPath, file: &File) -> Option<(u32, u32)> {
    let drawing = kind::ending(path.file_name()) == "svg";
    if !drawing {
        let start = site.repository().start(path, file, START).ok()?;
        let whole = start.len() as u64 == file.size;
        match header::read(&start) {
            Some(head) if whole || !header::ends_with_orientation(&start) => return Some((head.width, head.height)),
            _ if whole => return None,
            _ => {}
        }
    }
    let bytes = (file.size <= MAX_WHOLE).then(|| site.repository().bytes(path, file).ok()).flatten()?;
    if drawing {
        return std::str::from_utf8(&bytes).ok().and_then(svg::size);
    }
    header::read(&bytes).map(|head| (head.width, head.height))
}
