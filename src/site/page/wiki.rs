//! Wikilinks to pages that move: they name a page by title, path or file name, and a title stays true.

use super::super::address;
use crate::model::{ContentPath, Library};

/// What becomes of a wikilink.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wikilink {
    /// It names the page by something that moves along.
    Stays,
    /// `[[old` and `[[new`.
    Becomes(String, String),
}

/// Looks at a link that leads to a page which moves from `from` to `to`; `None`: it is no wikilink on its line.
pub(super) fn moved(
    library: &Library,
    line: &str,
    raw: &str,
    from: &ContentPath,
    to: &ContentPath,
) -> Option<Wikilink> {
    let open = format!("[[{raw}");
    let ends = |at: usize| line[at + open.len()..].starts_with([']', '|', '\\', ' ']);
    line.match_indices(&open).find(|(at, _)| ends(*at))?;
    if from == to {
        return Some(Wikilink::Stays);
    }
    let (name, tail) = raw.find('#').map_or((raw, ""), |at| raw.split_at(at));
    let plain = name.trim().trim_matches('/');
    let (plain, ending) = plain.strip_suffix(".md").map_or((plain, ""), |plain| (plain, ".md"));
    let page = library.by_path.get(from).map(|&index| &library.pages[index]);
    let (old, new) = (key(from), key(to));
    let (old_stem, new_stem) = (stem(&old), stem(&new));
    let wanted = plain.to_lowercase();
    let moves_along = page.is_some_and(|page| {
        let aliased = page.aliases.iter().any(|alias| alias.trim_matches('/').to_lowercase() == wanted);
        page.title.to_lowercase() == wanted || aliased
    });
    let becomes = if moves_along {
        return Some(Wikilink::Stays);
    } else if wanted == old.to_lowercase() && old.contains('/') {
        new.clone()
    } else if new_stem.to_lowercase().ends_with(&wanted) {
        return Some(Wikilink::Stays);
    } else if wanted == old_stem.to_lowercase() && !is_taken(library, new_stem, from) {
        new_stem.to_owned()
    } else {
        new.clone()
    };
    let slash = if name.trim().starts_with('/') { "/" } else { "" };
    Some(Wikilink::Becomes(open, format!("[[{slash}{becomes}{ending}{tail}")))
}

/// What wikilinks call a page by its path: without ending, and a bundle by its folder.
fn key(path: &ContentPath) -> String {
    let shown = address::shown(path);
    let shown = shown.strip_suffix(".md").unwrap_or(shown);
    let shown = shown.strip_suffix("/_index").or_else(|| shown.strip_suffix("/index")).unwrap_or(shown);
    shown.to_owned()
}

fn stem(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// Whether another page goes by that file name already.
fn is_taken(library: &Library, name: &str, but: &ContentPath) -> bool {
    library.pages.iter().any(|page| page.path != *but && stem(&key(&page.path)).eq_ignore_ascii_case(name))
}
