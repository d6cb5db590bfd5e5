//! Pages of sections that have no `_index.md`; in a further language they are called as in the site's own.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::cascade::Cascades;
use super::presence::Presence;
use super::sections::{Folders, language_of};
use super::{Options, address, translations};
use crate::model::{Config, ContentPath, Page, PageKind, PageState};

/// What the pages are made from.
pub(super) struct Bare<'a> {
    /// The site's settings.
    pub(super) config: &'a Config,
    /// What the build was asked for.
    pub(super) options: &'a Options,
    /// What sections hand down.
    pub(super) cascades: &'a Cascades<'a>,
}

impl Bare<'_> {
    /// The pages that are missing beside those that have a file.
    pub(super) fn sections<'p>(&self, folders: &Folders, pages: impl Iterator<Item = &'p Page> + Clone) -> Vec<Page> {
        let heads = || pages.clone().filter(|page| page.kind != PageKind::Page);
        let own: BTreeMap<&str, &Page> =
            heads().filter(|page| !page.variant).map(|page| (page.section.as_str(), page)).collect();
        let missing = folders.in_language(None).iter().filter(|folder| !own.contains_key(folder.as_str()));
        let made: Vec<Page> = missing.filter_map(|folder| self.own(folder)).collect();
        if self.config.languages.is_empty() {
            return made;
        }
        let mut all = own;
        all.extend(made.iter().map(|page| (page.section.as_str(), page)));
        let known: BTreeSet<(Option<&str>, &str)> =
            heads().map(|page| (language_of(self.config, page), page.section.as_str())).collect();
        let taken: HashSet<&str> = pages.clone().filter(|page| page.included).map(|page| page.url.as_str()).collect();
        let by_name: BTreeSet<(Option<&str>, &str)> = pages
            .clone()
            .filter(|page| page.variant)
            .map(|page| (language_of(self.config, page), page.section.as_str()))
            .collect();
        let mut translated = Vec::new();
        for (language, folders) in folders.translated() {
            for folder in folders.iter().filter(|folder| !known.contains(&(Some(language), folder.as_str()))) {
                let own = all.get(folder.as_str()).copied();
                // A folder of this language alone lies where its pages do.
                let below =
                    own.is_some() || folder == "content" || by_name.contains(&(Some(language), folder.as_str()));
                let page = self.translated(language, folder, own, below);
                // A page may stand there already: it is then what a reader finds.
                translated.extend(page.filter(|page| !taken.contains(page.url.as_str())));
            }
        }
        made.into_iter().chain(translated).collect()
    }

    fn own(&self, folder: &str) -> Option<Page> {
        let title = if folder == "content" { self.config.title.clone() } else { titled(folder) };
        let path = ContentPath::from_disk(&format!("{folder}/_index.md")).ok()?;
        Some(self.page(folder, path, address::join(&address::folder_segments(folder)), title))
    }

    /// Where the section of the site's own language is not built, that in another is not either.
    fn translated(&self, language: &str, folder: &str, own: Option<&Page>, below: bool) -> Option<Page> {
        if own.is_some_and(|own| !own.included) {
            return None;
        }
        let path = ContentPath::from_disk(&format!("{folder}/_index.{language}.md")).ok()?;
        let home = translations::home_url(Some(language).filter(|_| below));
        let url = own.map_or_else(|| address::join(&address::folder_segments(folder)), |own| own.url.clone());
        let title = match own {
            Some(own) if folder != "content" || self.config.title_in(Some(language)).is_empty() => own.title.clone(),
            _ if folder == "content" => self.config.title_in(Some(language)).to_owned(),
            _ => titled(folder),
        };
        let mut page = self.page(folder, path, format!("{}{url}", home.trim_end_matches('/')), title);
        page.lang = Some(language.to_owned());
        page.variant = true;
        page.weight = own.and_then(|own| own.weight);
        page.layout = own.and_then(|own| own.layout.clone());
        page.translation_key = own.and_then(|own| own.translation_key.clone()).or(page.translation_key);
        Some(page)
    }

    fn page(&self, folder: &str, path: ContentPath, url: String, title: String) -> Page {
        let kind = if folder == "content" { PageKind::Home } else { PageKind::Section };
        let inherited = self.cascades.inherited(&path, kind, &Map::new());
        let presence = Presence::of(&inherited);
        let draft = inherited.get("draft") == Some(&Value::Bool(true));
        let included = presence != Presence::Nowhere && (!draft || self.options.drafts);
        let state = if draft || presence == Presence::Nowhere { PageState::Draft } else { PageState::Live };
        Page {
            translation_key: translations::key(&path, None, self.config),
            path,
            exists: false,
            blob: None,
            kind,
            url,
            title,
            description: None,
            summary: String::new(),
            date: None,
            updated: None,
            expires: None,
            state,
            included,
            listed: presence == Presence::Full,
            weight: None,
            layout: None,
            aliases: Vec::new(),
            terms: BTreeMap::new(),
            authors: Vec::new(),
            image: None,
            noindex: inherited.get("noindex") == Some(&Value::Bool(true)) || self.config.crawlers.noindex,
            lang: None,
            variant: false,
            menus: Vec::new(),
            front_matter: Map::new(),
            inherited,
            body_line: 1,
            outline: Vec::new(),
            links: Vec::new(),
            word_count: 0,
            assets: Vec::new(),
            section: folder.to_owned(),
        }
    }
}

fn titled(folder: &str) -> String {
    address::humanise(folder.rsplit('/').next().unwrap_or(folder))
}
