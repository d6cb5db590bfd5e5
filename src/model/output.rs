//! What a build produces: files by path below the output folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{BlobId, ContentPath};

/// The bytes of one output file, or the source file it is a copy of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputData {
    /// Rendered bytes.
    Bytes(Arc<[u8]>),
    /// An unchanged copy of a file of the snapshot (static file, bundle asset, theme asset): no need to load it.
    Copy(ContentPath, BlobId),
}

/// One output file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Its bytes.
    pub data: OutputData,
    /// The page, section or file that caused it, where there is exactly one.
    pub source: Option<ContentPath>,
}

/// Output files by path relative to the output folder (`blog/hello/index.html`), `/`-separated.
pub type Outputs = BTreeMap<String, Output>;
