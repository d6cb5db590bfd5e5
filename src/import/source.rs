//! What is read of a folder: every path with its size, and the bytes of what has to be understood.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Bytes.
    pub size: u64,
    /// Its bytes, where [`is_read`] says so.
    pub bytes: Option<Arc<[u8]>>,
}

/// The files of a folder by their path in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    files: BTreeMap<String, Entry>,
}

/// Endings of what is read; everything else is only copied.
const READ: [&str; 18] = [
    "md", "markdown", "mkd", "mkdown", "html", "htm", "toml", "yaml", "yml", "json", "csv", "tsv", "xml", "txt", "css",
    "scss", "sass", "js",
];

/// Folders that hold nothing anybody wrote.
const SKIPPED: [&str; 4] = ["_site", "_gen", "bower_components", "__pycache__"];
/// Folders at the top that other engines fill: listed, and read only where they hold Markdown.
const MADE: [&str; 3] = ["public/", "resources/", "vendor/"];

/// Whether a file's bytes are needed for the plan.
#[must_use]
pub fn is_read(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
    let copied = path.starts_with("static/") && !matches!(path, "static/_redirects");
    let made = MADE.iter().any(|folder| path.starts_with(folder)) && !is_markdown(path);
    path.ends_with("_redirects") || (!copied && !made && READ.contains(&ending.as_str()))
}

/// Whether a folder at the top, or a hidden one anywhere, is passed over: output, caches, dependencies. `.well-known` counts.
#[must_use]
pub fn is_skipped(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hidden = name.starts_with('.') && name != ".well-known";
    let passing = name.ends_with('~') || name == "Thumbs.db" || name == "desktop.ini";
    hidden || passing || SKIPPED.contains(&path) || name == "node_modules"
}

/// Whether a name ends like Markdown.
pub(super) fn is_markdown(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
    matches!(ending.as_str(), "md" | "markdown" | "mkd" | "mkdown")
}

/// Whether a name ends like HTML.
pub(super) fn is_html(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
    matches!(ending.as_str(), "html" | "htm")
}

/// The path without its ending.
pub(super) fn stem(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    path[name..].rfind('.').filter(|at| *at > 0).map_or(path, |at| &path[..name + at])
}

/// Folder and name; the folder is empty at the top.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// `folder/name`, or the name alone where the folder is empty.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

impl Source {
    /// A source of these files.
    #[must_use]
    pub fn new(files: BTreeMap<String, Entry>) -> Self {
        Self { files }
    }

    /// A source of texts, for what never was on disk.
    #[must_use]
    pub fn of_texts(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let entry = |text: String| Entry { size: text.len() as u64, bytes: Some(text.into_bytes().into()) };
        Self { files: texts.into_iter().map(|(path, text)| (path, entry(text))).collect() }
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// All paths in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Paths below a folder, in order.
    pub fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.files
            .range(prefix.clone()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(prefix.as_str()))
    }

    /// A file's text; `None` where there is none, it was not read, or it is no UTF-8.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.files.get(path)?.bytes.as_deref()?).ok()
    }

    /// A file's bytes, where they were read.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&Arc<[u8]>> {
        self.files.get(path)?.bytes.as_ref()
    }
}
