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
