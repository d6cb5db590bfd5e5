//! What search engines and link previews show of a page: its title and description.

use std::collections::BTreeMap;

use crate::model::{Diagnostic, Library, Page, PageKind, Severity};

/// Characters of a title that search engines show, with some room.
const TITLE: usize = 70;
/// Characters of a description that they show.
const DESCRIPTION: usize = 200;

/// Findings about live pages that search engines may show.
pub(super) fn findings(library: &Library) -> Vec<Diagnostic> {
    let shown: Vec<&Page> = library
        .pages
        .iter()
        .map(|page| &**page)
        .filter(|page| page.exists && page.included && !page.noindex && page.url != "/404.html")
        .collect();
    let mut found = Vec::new();
    for page in &shown {
        found.extend(title(page));
        found.extend(description(library, page));
    }
    let own = |page: &Page| page.description.clone().unwrap_or_default();
    twins(&shown, "duplicate_title", "title", |page| page.title.clone(), &mut found);
    twins(&shown, "duplicate_description", "description", own, &mut found);
    found
}

fn title(page: &Page) -> Option<Diagnostic> {
    let headed = page.outline.first().is_some_and(|first| first.level == 1);
    if !page.front_matter.contains_key("title") && !headed && page.kind != PageKind::Home {
        let message = format!("it has no title, and is called `{}` after its file", page.title);
        return Some(finding(page, Severity::Warning, "missing_title", message, "Set `title` in its front matter."));
    }
    let length = page.title.chars().count();
    (length > TITLE).then(|| {
        let message = format!("the title has {length} characters, search engines show about {TITLE}");
        finding(page, Severity::Info, "long_title", message, "Shorten it, and begin with what matters.")
    })
}

fn description(library: &Library, page: &Page) -> Option<Diagnostic> {
    let Some(text) = page.description.as_deref().filter(|text| !text.trim().is_empty()) else {
        let site = library.config.description_in(library.language_of(page));
        if page.kind == PageKind::Home && !site.is_empty() {
            return None;
        }
        let hint = "Set `description` in its front matter: one sentence that says what the page is good for.";
        return Some(finding(page, Severity::Info, "missing_description", "it has no description".into(), hint));
    };
    let length = text.chars().count();
    (length > DESCRIPTION).then(|| {
        let message = format!("the description has {length} characters, search engines show about 160");
        finding(page, Severity::Info, "long_description", message, "Shorten it to one sentence.")
    })
}

/// Pages of one language that say the same of themselves.
fn twins(pages: &[&Page], code: &'static str, what: &str, text: impl Fn(&Page) -> String, found: &mut Vec<Diagnostic>) {
    let mut by_text: BTreeMap<(String, Option<&str>), Vec<&Page>> = BTreeMap::new();
    for page in pages {
        let text = text(page).trim().to_lowercase();
        if !text.is_empty() {
            by_text.entry((text, page.lang.as_deref())).or_default().push(page);
        }
    }
    for group in by_text.values().filter(|group| group.len() > 1) {
        for (at, page) in group.iter().enumerate() {
            let other = group[usize::from(at == 0)];
            let more = match group.len() {
                2 => String::new(),
                count => format!(" and {} more", count - 2),
            };
            let message = format!("its {what} is that of {}{more} too", other.url);
            let hint = format!("Give each page a {what} of its own.");
            found.push(finding(page, Severity::Warning, code, message, &hint));
        }
    }
}

fn finding(page: &Page, severity: Severity, code: &'static str, message: String, hint: &str) -> Diagnostic {
    Diagnostic::new(severity, code, page.path.clone(), 0, message).with_hint(hint)
}
