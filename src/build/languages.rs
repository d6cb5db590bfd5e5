//! What each language of a site has of its own besides its pages: lists, feed, menus, and `site` of the templates.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::menu::Menus;
use super::outputs::feed;
use super::sections;
use crate::model::Library;

/// One language.
#[derive(Debug, Clone, Default)]
pub(crate) struct Language {
    /// Its tag; `None`: the site's own.
    pub(crate) tag: Option<String>,
    /// Its listed pages, newest first.
    pub(crate) recent: Vec<usize>,
    /// Whether it has a feed.
    pub(crate) has_feed: bool,
    /// Menus with their entries resolved.
    pub(crate) menus: Menus,
    /// `site` of the templates, without menus.
    pub(crate) site: Value,
}

/// Every language that has lists, the site's own first.
#[derive(Debug, Clone)]
pub(crate) struct Languages(Vec<Language>);

impl Languages {
    /// Those of a library; menus and `site` come later.
    #[must_use]
    pub(crate) fn of(library: &Library) -> Arc<Self> {
        let mut all: Vec<Language> =
            library.languages().map(|tag| Language { tag: tag.map(str::to_owned), ..Language::default() }).collect();
        for (i, page) in library.pages.iter().enumerate().filter(|(_, page)| sections::listed(page)) {
            let tag = library.language_of(page);
            if let Some(language) = all.iter_mut().find(|language| language.tag.as_deref() == tag) {
                language.recent.push(i);
            }
        }
        for language in &mut all {
            language.recent.par_sort_by(|&a, &b| {
                let (a, b) = (&library.pages[a], &library.pages[b]);
                sections::newest_first(a, b).then_with(|| sections::display_order(a, b))
            });
            let feeds = !library.config.feed.formats.is_empty();
            language.has_feed = feeds && !feed::entries(library, language, None).is_empty();
        }
        Arc::new(Self(all))
    }

    /// A language; one that has no lists sees the site's own.
    #[must_use]
    pub(crate) fn get(&self, tag: Option<&str>) -> &Language {
        &self.0[self.index(tag)]
    }

    /// Where a language stands.
    #[must_use]
    pub(crate) fn index(&self, tag: Option<&str>) -> usize {
        self.0.iter().position(|language| language.tag.as_deref() == tag).unwrap_or(0)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Language> {
        self.0.iter()
    }

    /// All of them, to be filled.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Language> {
        self.0.iter_mut()
    }
}
