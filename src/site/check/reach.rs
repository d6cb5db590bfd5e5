//! Pages that a visitor cannot find: no document of the site links to them.

use std::collections::HashSet;

use crate::model::{Diagnostic, Library, PageKind, PageState, Severity};

/// Live pages that nothing but themselves links to, by what the rendered documents say.
pub(super) fn orphans(library: &Library, linked: &HashSet<usize>) -> Vec<Diagnostic> {
    let pages = library.pages.iter().enumerate();
    pages
        .filter(|(index, page)| {
            let reachable = page.kind == PageKind::Home || page.url == "/404.html" || linked.contains(index);
            page.exists && page.included && page.state == PageState::Live && !reachable
        })
        .map(|(_, page)| {
            let message = format!("no page, menu or list links to {}", page.url);
            Diagnostic::new(Severity::Warning, "orphan_page", page.path.clone(), 0, message)
                .with_hint("Link to it from another page or a menu, or delete it with page_delete and `redirect_to`.")
        })
        .collect()
}
