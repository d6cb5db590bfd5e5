//! Assets: what lies in `static/`, `data/` and beside pages.

mod data;
mod header;
mod kind;
mod list;
mod picture;
mod place;
mod remove;
mod svg;
mod used;
mod write;

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

/// The bytes of a file as the policy of uploads takes them: an SVG cleaned, scripts where they may be; else why not.
pub(super) fn admitted(
    policy: &crate::model::config::UploadsConfig,
    path: &crate::model::ContentPath,
    bytes: Vec<u8>,
) -> Result<Vec<u8>, &'static str> {
    use crate::model::PathKind;
    use crate::model::config::{ScriptPolicy, SvgPolicy};
    let name = path.file_name();
    if kind::runs(name) {
        return match policy.scripts {
            ScriptPolicy::Trusted => Ok(bytes),
            ScriptPolicy::Static if path.kind() == PathKind::Static => Ok(bytes),
            _ => Err("HTML or a script where `uploads.scripts` takes none"),
        };
    }
    match policy.svg {
        _ if kind::ending(name) != "svg" => Ok(bytes),
        SvgPolicy::Trusted => Ok(bytes),
        SvgPolicy::Refuse => Err("SVG, which `uploads.svg` refuses"),
        SvgPolicy::Sanitize => {
            svg::sanitize(&bytes).map(|clean| clean.text.into_bytes()).map_err(|_| "SVG that cannot be cleaned")
        }
    }
}
