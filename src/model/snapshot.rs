//! An immutable, ordered map from path to file: one state of the site's sources.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::ContentPath;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// In memory: Markdown, theme files, data files, `site.yaml`, and every staged edit.
    Loaded(Arc<[u8]>),
    /// Not read: images and other assets. The store can supply the bytes by [`BlobId`] and path.
    Handle,
}

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its blob id.
    pub id: BlobId,
    /// Its size in bytes.
    pub size: u64,
    /// Its bytes or a handle.
    pub data: Data,
}

impl File {
    /// The text, where the file is loaded and valid UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Loaded(bytes) => std::str::from_utf8(bytes).ok(),
            Data::Handle => None,
        }
    }

    /// The bytes, where the file is loaded.
    #[must_use]
    pub fn bytes(&self) -> Option<&Arc<[u8]>> {
        match &self.data {
            Data::Loaded(bytes) => Some(bytes),
            Data::Handle => None,
        }
    }
}

/// All source files of a site at one moment: `site.yaml`, `content/`, `themes/`, `static/`, `data/`.
///
/// Cloning is cheap (the files are shared until one of the two is changed), and a snapshot never changes once shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    files: Arc<BTreeMap<ContentPath, File>>,
}

impl Snapshot {
    /// A snapshot of these files.
    #[must_use]
    pub fn new(files: BTreeMap<ContentPath, File>) -> Self {
        Self { files: Arc::new(files) }
    }

    /// The file at a path.
    #[must_use]
    pub fn get(&self, path: &ContentPath) -> Option<&File> {
        self.files.get(path)
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
        self.files.contains_key(path)
    }

    /// All files in path order.
    pub fn iter(&self) -> impl Iterator<Item = (&ContentPath, &File)> {
        self.files.iter()
    }

    /// All files below a folder given without its final slash (`content/blog`), in path order.
    pub fn under<'a>(&'a self, folder: &str) -> impl Iterator<Item = (&'a ContentPath, &'a File)> {
        let prefix = format!("{folder}/");
        self.files
            .range::<str, _>((std::ops::Bound::Included(prefix.as_str()), std::ops::Bound::Unbounded))
            .take_while(move |(path, _)| path.as_str().starts_with(&prefix))
    }

    /// Whether two snapshots have the same paths with the same blob ids, without looking at bytes.
    #[must_use]
    pub fn same_files(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.files, &other.files)
            || self.files.len() == other.files.len()
                && self.files.iter().zip(&*other.files).all(|((a, x), (b, y))| x.id == y.id && a == b)
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
            Some(file) => Arc::make_mut(&mut self.files).insert(path, file),
            None => Arc::make_mut(&mut self.files).remove(&path),
        };
    }

    /// Paths that only one of two snapshots has, or that have other bytes there, in path order; `None` where there are more than
    /// `most`.
    #[must_use]
    pub fn differing(&self, other: &Self, most: usize) -> Option<Vec<ContentPath>> {
        let mut found = Vec::new();
        if Arc::ptr_eq(&self.files, &other.files) {
            return Some(found);
        }
        let (mut ours, mut theirs) = (self.files.iter().peekable(), other.files.iter().peekable());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => return Some(found),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let ours = if order.is_le() { ours.next() } else { None };
            let theirs = if order.is_ge() { theirs.next() } else { None };
            let same = ours.map(|(_, file)| file.id) == theirs.map(|(_, file)| file.id);
            if !same && let Some((path, _)) = ours.or(theirs) {
                if found.len() == most {
                    return None;
                }
                found.push(path.clone());
            }
        }
    }
}
