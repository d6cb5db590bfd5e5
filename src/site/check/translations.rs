//! Pages that lack one of the site's languages.

use std::collections::BTreeMap;

use crate::model::{Diagnostic, Library, Page, Severity};

/// Live pages that are not written in each of the site's languages: said once for all translations of a page, on that in the
/// site's own language where it has one.
pub(super) fn findings(library: &Library) -> Vec<Diagnostic> {
    let config = &library.config;
    let languages: Vec<Option<&str>> = std::iter::once(None).chain(config.further_languages().map(Some)).collect();
    let mut groups: BTreeMap<&str, Vec<&Page>> = BTreeMap::new();
    for page in library.pages.iter().filter(|page| page.exists && page.included && page.url != "/404.html") {
        let key = page.translation_key.as_deref().unwrap_or(page.path.as_str());
        groups.entry(key).or_default().push(page);
    }
    let lacking = groups.into_values().filter_map(|group| {
        let has = |language: Option<&str>| group.iter().any(|page| library.language_of(page) == language);
        let missing: Vec<&str> = languages
            .iter()
            .filter(|language| !has(**language))
            .map(|language| language.unwrap_or(&config.language))
            .collect();
        let named = group.iter().find(|page| library.language_of(page).is_none()).or(group.first())?;
        (!missing.is_empty()).then(|| finding(named, &missing, &config.language))
    });
    lacking.collect()
}

fn finding(page: &Page, missing: &[&str], own: &str) -> Diagnostic {
    let message = format!("it is not there in {}", missing.join(", "));
    let name = page.path.file_name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = if page.variant { stem.rsplit_once('.').map_or(stem, |(stem, _)| stem) } else { stem };
    let tag = missing.first().filter(|tag| **tag != own).map_or_else(String::new, |tag| format!(".{tag}"));
    let hint = format!("Write `{stem}{tag}.md` beside it with page_write and `create: true`.");
    Diagnostic::new(Severity::Info, "missing_translation", page.path.clone(), 0, message).with_hint(hint)
}
