//! Assets: what lies in `static/`, `data/` and beside pages.

mod data;
mod header;
mod kind;
mod list;
mod measure;
mod picture;
mod place;
mod remove;
mod svg;
mod used;
mod write;

use super::{Site, lock};
use crate::model::config::{ScriptPolicy, SvgPolicy, UploadsConfig};
use crate::model::{ContentPath, PathKind};

pub(super) use measure::{Sizes, pictures};

pub use list::{AssetItem, AssetListing, AssetQuery, list};
pub use remove::{AssetRemoval, remove};
pub use write::{AssetsWritten, Source, Stored, Upload, write};

/// Width and height of an image in pixels, as it is shown.
fn pixels(name: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    if kind::ending(name) == "svg" {
        return std::str::from_utf8(bytes).ok().and_then(svg::size);
    }
    header::read(bytes).map(|head| (head.width, head.height))
}

/// The bytes of a file as the policy of uploads takes them (an SVG cleaned, scripts where they may be, an image fitted), and
/// whether it is a smaller image now.
///
/// # Errors
/// Why it is not taken.
pub(super) fn admitted(
    site: &Site,
    policy: &UploadsConfig,
    path: &ContentPath,
    bytes: Vec<u8>,
) -> Result<(Vec<u8>, bool), String> {
    let name = path.file_name();
    if kind::runs(name) {
        return match policy.scripts {
            ScriptPolicy::Trusted => Ok((bytes, false)),
            ScriptPolicy::Static if path.kind() == PathKind::Static => Ok((bytes, false)),
            _ => Err("HTML or a script where `uploads.scripts` takes none".into()),
        };
    }
    if kind::ending(name) != "svg" {
        let _one_at_a_time = lock(&site.shared.decoding);
        return picture::fit(bytes, policy.max_px).map(|fitted| (fitted.bytes, fitted.smaller));
    }
    match policy.svg {
        SvgPolicy::Trusted => Ok((bytes, false)),
        SvgPolicy::Refuse => Err("SVG, which `uploads.svg` refuses".into()),
        SvgPolicy::Sanitize => svg::sanitize(&bytes)
            .map(|clean| (clean.text.into_bytes(), false))
            .map_err(|_| "SVG that cannot be cleaned".into()),
    }
}

/// An image made fit for a page, and whether it is smaller now; a broken one and anything else as it is.
pub(super) fn fitted(site: &Site, policy: &UploadsConfig, bytes: Vec<u8>) -> (Vec<u8>, bool) {
    let _one_at_a_time = lock(&site.shared.decoding);
    match picture::fit(bytes.clone(), policy.max_px) {
        Ok(fitted) => (fitted.bytes, fitted.smaller),
        Err(_) => (bytes, false),
    }
}
