//! Pages by all that a link may call them: name, path, old address.

use super::address;
use crate::model::{ContentPath, Library, QuickMap, QuickSet};

/// Pages by what people call them, by where they lie, and by old addresses.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_name: QuickMap<String, Vec<usize>>,
    places: Places,
    by_alias: QuickMap<String, usize>,
}

/// What lies at paths below the site's root, as people write them.
#[derive(Debug, Default)]
struct Places {
    /// Pages by path without `.md`, `/_index.md` and `/index.md`; of several the one that stands first in this list.
    pages: QuickMap<String, (Ending, usize)>,
    assets: QuickSet<ContentPath>,
    /// What links from the site's root that are written as the URL paths of pages lead to.
    rooted: QuickMap<String, Rooted>,
}

/// Where a link leads that is written as the URL path of a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rooted {
    /// The page, by index.
    pub(super) page: usize,
    /// Whether this is its address; otherwise it is its path, which is looked at first.
    pub(super) is_own: bool,
}

/// What a page's path has and a link to it may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    File,
    Section,
    Bundle,
}

impl Places {
    fn of(library: &Library) -> Self {
        let mut places = Self::default();
        places.pages.reserve(library.pages.len());
        for (i, page) in library.pages.iter().enumerate() {
            if let Some(place) = page.path.as_str().strip_suffix(".md") {
                places.add(place, Ending::File, i);
                for (tail, ending) in [("/_index", Ending::Section), ("/index", Ending::Bundle)] {
                    if let Some(folder) = place.strip_suffix(tail) {
                        places.add(folder, ending, i);
                    }
                }
            }
            places.assets.extend(page.assets.iter().cloned());
        }
        for (i, page) in library.pages.iter().enumerate() {
            let place = format!("content{}", page.url.trim_end_matches('/'));
            let is_folder = address::is_clean_folder(&page.url) && !places.assets.contains(place.as_str());
            if is_folder && library.by_url.get(&page.url) == Some(&i) {
                let page_there = places.pages.get(&place).map_or(i, |&(_, other)| other);
                places.rooted.insert(page.url.clone(), Rooted { page: page_there, is_own: page_there == i });
            }
        }
        places
    }

    fn add(&mut self, place: &str, ending: Ending, page: usize) {
        let kept = self.pages.entry(place.to_owned()).or_insert((ending, page));
        if ending < kept.0 {
            *kept = (ending, page);
        }
    }
}

impl Names {
    /// Indexes titles, file names and paths of all pages.
    #[must_use]
    pub(crate) fn of(library: &Library) -> Self {
        let (names, places) = rayon::join(|| Self::by_words(library), || Places::of(library));
        Self { places, ..names }
    }

    fn by_words(library: &Library) -> Self {
        let mut names = Self::default();
        for (i, page) in library.pages.iter().enumerate() {
            let path = page.path.as_str();
            let path = path.strip_prefix("content/").unwrap_or(path);
            let path = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
            let path = path.strip_suffix("/_index").or_else(|| path.strip_suffix("/index")).unwrap_or(path);
            let stem = path.rsplit('/').next().unwrap_or(path);
            let undated = address::Stem::of(stem).name;
            let mut keys =
                vec![page.title.to_lowercase(), stem.to_lowercase(), path.to_lowercase(), undated.to_lowercase()];
            keys.sort();
            keys.dedup();
            for key in keys {
                names.by_name.entry(key).or_default().push(i);
            }
            if page.included {
                for alias in &page.aliases {
                    names.by_alias.entry(alias.clone()).or_insert(i);
                }
            }
        }
        names
    }

    /// The page that an old address leads to.
    pub(super) fn by_alias(&self, url: &str) -> Option<&usize> {
        self.by_alias.get(url)
    }

    /// Where a link leads from the site's root, where that is surely a page.
    pub(super) fn rooted(&self, path: &str) -> Option<Rooted> {
        self.places.rooted.get(path).copied()
    }

    /// Whether an asset that a page has lies at a path.
    pub(super) fn is_asset(&self, path: &str) -> bool {
        self.places.assets.contains(path)
    }

    /// The page at a path without what a link may leave out.
    pub(super) fn at(&self, place: &str) -> Option<usize> {
        self.places.pages.get(place).map(|&(_, page)| page)
    }

    /// Pages with a name.
    pub(super) fn get(&self, name: &str) -> &[usize] {
        let name = name.trim().trim_matches('/').to_lowercase();
        let name = name.strip_suffix(".md").unwrap_or(&name);
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }
}
