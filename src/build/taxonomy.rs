//! Taxonomies: terms with their pages, merged by slug.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rayon::prelude::*;

use super::sections::{display_order, language_of, listed, newest_first};
use super::{address, translations};
use crate::model::{Config, Page, SharedVec, Taxonomy, Term};

/// All configured taxonomies with the terms that built pages of one language have.
#[must_use]
pub(crate) fn collect(
    config: &Config,
    pages: &SharedVec<Arc<Page>>,
    language: Option<&str>,
) -> BTreeMap<String, Taxonomy> {
    let home = translations::home_url(language);
    config
        .taxonomies
        .iter()
        .map(|(key, settings)| {
            let path = settings.path.as_deref().unwrap_or(key);
            let segments: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(address::segment).collect();
            let url = format!("{}{}", home.trim_end_matches('/'), address::join(&segments));
            let title = settings.title.clone().unwrap_or_else(|| address::humanise(key));
            let in_language = |page: &Page| language_of(config, page) == language;
            let terms = terms(key, &url, pages, in_language);
            (key.clone(), Taxonomy { key: key.clone(), title, url, terms })
        })
        .collect()
}

fn terms(
    key: &str,
    url: &str,
    pages: &SharedVec<Arc<Page>>,
    in_language: impl Fn(&Page) -> bool,
) -> BTreeMap<String, Term> {
    let mut terms: BTreeMap<String, Term> = BTreeMap::new();
    let mut slugs: HashMap<&str, String> = HashMap::new();
    for (i, page) in pages.iter().enumerate().filter(|(_, page)| listed(page) && in_language(page)) {
        for name in page.terms.get(key).into_iter().flatten() {
            let slug = slugs.entry(name).or_insert_with(|| address::term_slug(name));
            match terms.get_mut(slug.as_str()) {
                // Two of its names may have one slug.
                Some(term) if term.pages.last() == Some(&i) => {}
                Some(term) => term.pages.push(i),
                None => {
                    let term = Term { name: name.clone(), url: format!("{url}{slug}/"), pages: vec![i] };
                    terms.insert(slug.clone(), term);
                }
            }
        }
    }
    terms.par_iter_mut().for_each(|(_, term)| {
        term.pages
            .sort_by(|&a, &b| newest_first(&pages[a], &pages[b]).then_with(|| display_order(&pages[a], &pages[b])));
    });
    terms
}
