//! Who uses an asset: links of pages, and names in front matter, templates, data and configuration.

use std::collections::{BTreeSet, HashMap};

use super::super::address;
use crate::build;
use crate::model::{ContentPath, Library, LinkTarget, PathKind, Snapshot};

/// Longest word that is looked at, in bytes.
const MAX_WORD: usize = 1_024;

/// Files by the assets they name.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// What links resolved to.
    links: HashMap<ContentPath, BTreeSet<ContentPath>>,
    /// By file name: each file that has a word ending in it, and the word.
    words: HashMap<String, BTreeSet<(ContentPath, String)>>,
    /// URL paths of assets beside pages.
    urls: HashMap<ContentPath, String>,
}

impl Uses {
    /// Reads the whole site once.
    pub(super) fn of(snapshot: &Snapshot, library: &Library) -> Self {
        let mut uses = Self::default();
        for page in &library.pages {
            uses.urls.extend(page.assets.iter().map(|asset| (asset.clone(), build::asset_url(page, asset))));
            for link in &page.links {
                if let LinkTarget::File(path) = &link.target {
                    uses.links.entry(path.clone()).or_default().insert(page.path.clone());
                }
            }
        }
        let names: BTreeSet<&str> = snapshot
            .iter()
            .map(|(path, _)| path)
            .filter(|path| super::place::is_asset(path))
            .map(ContentPath::file_name)
            .collect();
        for (path, file) in snapshot.iter() {
            let Some(text) = file.text() else { continue };
            for word in text.split(|c: char| !is_part(c)).filter(|word| word.len() <= MAX_WORD && word.contains('.')) {
                let word = address::percent_decode(word.split(['?', '#']).next().unwrap_or_default());
                let name = word.rsplit('/').next().unwrap_or_default();
                if names.contains(name) {
                    uses.words.entry(name.to_owned()).or_default().insert((path.clone(), word));
                }
            }
        }
        uses
    }

    /// The URL path an asset has; `None`: it is no part of the output.
    pub(super) fn url(&self, asset: &ContentPath) -> Option<String> {
        let fixed = (asset.kind() == PathKind::Static).then(|| asset.as_str().strip_prefix("static")).flatten();
        fixed.map(str::to_owned).or_else(|| self.urls.get(asset).cloned())
    }

    /// The files that name an asset.
    pub(super) fn by(&self, asset: &ContentPath) -> BTreeSet<ContentPath> {
        let url = self.url(asset);
        let url = url.as_deref();
        let mut all = self.links.get(asset).cloned().unwrap_or_default();
        let words = self.words.get(asset.file_name()).into_iter().flatten();
        all.extend(
            words.filter(|(from, word)| from != asset && names(from, word, asset, url)).map(|(from, _)| from.clone()),
        );
        all
    }
}

/// Whether a word in a file can mean the asset.
fn names(from: &ContentPath, word: &str, asset: &ContentPath, url: Option<&str>) -> bool {
    let absolute =
        url.is_some_and(|url| word == url || (word.contains("://") && word.ends_with(url)) || word == &url[1..]);
    let plain = word.trim_start_matches("./").trim_start_matches('/');
    let root = asset.as_str().split_once('/').map_or("", |(_, rest)| rest);
    let beside = format!("{}/{plain}", from.folder()) == asset.as_str();
    absolute || plain == root || plain == asset.as_str() || (beside && from.kind() == PathKind::Page)
}

/// Characters of a path as it stands in text.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '%' | '+' | '@' | '~' | ':' | '?' | '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_assets_by_address_path_or_neighbourhood() {
        let path = |text: &str| ContentPath::from_disk(text).unwrap();
        let logo = path("static/img/logo.png");
        let means =
            |from: &str, word: &str| names(&path(from), &address::percent_decode(word), &logo, Some("/img/logo.png"));
        for word in [
            "/img/logo.png",
            "img/logo.png",
            "https://example.org/img/logo.png",
            "static/img/logo.png",
            "/img/lo%67o.png",
        ] {
            assert!(means("themes/t/layouts/page.hbs", word), "{word}");
        }
        for word in ["logo.png", "/other/logo.png", "big-img/logo.png"] {
            assert!(!means("themes/t/layouts/page.hbs", word), "{word}");
        }
        let photo = path("content/blog/hello/photo.jpg");
        assert!(names(&path("content/blog/hello/index.md"), "./photo.jpg", &photo, Some("/blog/hello/photo.jpg")));
        assert!(!names(&path("content/blog/other/index.md"), "photo.jpg", &photo, Some("/blog/hello/photo.jpg")));
    }
}
