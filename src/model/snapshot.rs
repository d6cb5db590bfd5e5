//! An immutable, ordered map from path to file: one state of the site's sources.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ContentPath, Differing, PathMap};

/// A git blob id (SHA-1 over `blob <len>\0<bytes>`); the etag of every file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 20]);

impl BlobId {
    /// Reads 40 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 40 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut id = [0; 20];
        for (at, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(id))
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Formats without a type for short bytes write numbers in fewer than twenty pieces.
        let (high, low) = self.0.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        (number(high), number(&low[..8]), number(&low[8..])).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (high, middle, low) = <(u64, u64, u32)>::deserialize(deserializer)?;
        let mut id = [0; 20];
        id[..8].copy_from_slice(&high.to_be_bytes());
        id[8..16].copy_from_slice(&middle.to_be_bytes());
        id[16..].copy_from_slice(&low.to_be_bytes());
        Ok(Self(id))
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The bytes of a file, or only its size where nothing but a copy of it is ever needed.
#[derive(Debug, Clone)]
pub enum Data {
    /// In memory: Markdown, theme files, data files, `site.yaml`, and every staged edit.
    Loaded(Arc<[u8]>),
    /// The same, read when somebody asks for it: the file has not changed since it was read by an earlier process.
    Later(Later),
    /// Not read: images and other assets. The store can supply the bytes by [`BlobId`] and path.
    Handle,
}

/// Bytes that are read at most once, and only where they are wanted. They are those of one blob id, so when does not matter.
#[derive(Clone)]
pub struct Later {
    bytes: Arc<OnceLock<Option<Arc<[u8]>>>>,
    read: Arc<dyn Fn() -> Option<Arc<[u8]>> + Send + Sync>,
}

impl Later {
    /// Bytes that `read` supplies.
    pub fn new(read: impl Fn() -> Option<Arc<[u8]>> + Send + Sync + 'static) -> Self {
        Self { bytes: Arc::default(), read: Arc::new(read) }
    }

    fn get(&self) -> Option<&Arc<[u8]>> {
        self.bytes.get_or_init(|| (self.read)()).as_ref()
    }
}

impl fmt::Debug for Later {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Later").field("read", &self.bytes.get().is_some()).finish_non_exhaustive()
    }
}

/// One file of a snapshot.
#[derive(Debug, Clone)]
pub struct File {
    /// Its blob id.
    pub id: BlobId,
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes or a handle.
    pub data: Data,
}

/// Two files are the same where their blob ids are, whether they are read or not.
impl PartialEq for File {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.size == other.size
    }
}

impl Eq for File {}

impl File {
    /// The text, where the file is loaded and valid UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The bytes, where the file is loaded or can be.
    #[must_use]
    pub fn bytes(&self) -> Option<&Arc<[u8]>> {
        match &self.data {
            Data::Loaded(bytes) => Some(bytes),
            Data::Later(later) => later.get(),
            Data::Handle => None,
        }
    }
}

/// All source files of a site at one moment: `site.yaml`, `content/`, `themes/`, `static/`, `data/`.
///
/// A copy shares everything with the original, an edit of it copies a few of its neighbours, and a snapshot never changes once shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    files: PathMap<File>,
}

impl Snapshot {
    /// A snapshot of these files.
    #[must_use]
    pub fn new(files: BTreeMap<ContentPath, File>) -> Self {
        Self { files: PathMap::of_sorted(files) }
    }

    /// The file at a path.
    #[must_use]
    pub fn get(&self, path: &ContentPath) -> Option<&File> {
        self.files.get(path.as_str())
    }

    /// The file at a site-relative path given as text.
    #[must_use]
    pub fn get_str(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// The text of a file, where it exists, is loaded and valid UTF-8.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get_str(path).and_then(File::text)
    }

    /// Whether a path exists.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.files.get(path).is_some()
    }

    /// All files in path order.
    pub fn iter(&self) -> impl Iterator<Item = (&ContentPath, &File)> {
        self.files.iter()
    }

    /// All files below a folder given without its final slash (`content/blog`), in path order.
    pub fn under<'a>(&'a self, folder: &str) -> impl Iterator<Item = (&'a ContentPath, &'a File)> {
        self.files.under(folder)
    }

    /// The files by path.
    #[must_use]
    pub fn files(&self) -> &PathMap<File> {
        &self.files
    }

    /// The paths whose files differ from a later state's, in path order, by blob ids. What the two share is not looked at, so
    /// that between the states before and after an edit it costs what the edit changed.
    #[must_use]
    pub fn changes<'a>(&'a self, later: &'a Self) -> Vec<Differing<'a, File, File>> {
        self.files.changes(&later.files, |a, b| a.id == b.id)
    }

    /// Whether two snapshots have the same paths with the same blob ids, without looking at bytes.
    #[must_use]
    pub fn same_files(&self, other: &Self) -> bool {
        self.files.len() == other.files.len() && self.changes(other).is_empty()
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The same snapshot with one file set (`Some`) or removed (`None`).
    pub fn set(&mut self, path: ContentPath, file: Option<File>) {
        match file {
            Some(file) => self.files.insert(path, file),
            None => self.files.remove(path.as_str()),
        };
    }

    /// Paths that only one of two snapshots has, or that have other bytes there, in path order; `None` where there are more than
    /// `most`.
    #[must_use]
    pub fn differing(&self, other: &Self, most: usize) -> Option<Vec<ContentPath>> {
        let found = self.changes(other);
        (found.len() <= most).then(|| found.into_iter().map(|difference| difference.path.clone()).collect())
    }
}
