//! Which unpublished paths go out together: both ends of a move, and a bundle with its assets.

use std::collections::{BTreeSet, HashMap};

use git2::Oid;

use super::publish::chain::Step;

/// Adds to a selection the unpublished paths that must travel with it. `unpublished` and the result are site-relative.
pub(crate) fn complete(named: &BTreeSet<String>, unpublished: &BTreeSet<String>, steps: &[Step]) -> BTreeSet<String> {
    let mut other_ends: HashMap<&str, Vec<&str>> = HashMap::new();
    for (from, to) in steps.iter().flat_map(moves) {
        other_ends.entry(from).or_default().push(to);
        other_ends.entry(to).or_default().push(from);
    }
    let mut selected = BTreeSet::new();
    let mut next: Vec<&str> = named.iter().map(String::as_str).collect();
    while let Some(path) = next.pop() {
        if !unpublished.contains(path) || !selected.insert(path.to_owned()) {
            continue;
        }
        next.extend(other_ends.get(path).into_iter().flatten());
        if let Some(folder) = bundle(path) {
            let start = format!("{folder}/");
            let inside = unpublished.range(start.clone()..).take_while(|other| other.starts_with(&start));
            next.extend(inside.map(String::as_str).filter(|other| !is_page(other)));
        }
    }
    selected
}

/// The moves of an edit: the trailer `Moved-From: <old path> -> <new path>`, and files that it deletes in one place and adds
/// with the same bytes in another.
fn moves(step: &Step) -> Vec<(&str, &str)> {
    let trailers = step.trailers.iter().filter(|(key, _)| key == "Moved-From");
    let mut found: Vec<(&str, &str)> = trailers.filter_map(|(_, value)| value.split_once(" -> ")).collect();
    let gone = step.differences.iter().filter(|d| d.new.is_none());
    let gone: HashMap<Oid, &str> = gone.filter_map(|d| Some((d.old?.id, d.path.as_str()))).collect();
    let new = step.differences.iter().filter(|d| d.old.is_none());
    found.extend(new.filter_map(|d| Some((*gone.get(&d.new?.id)?, d.path.as_str()))));
    found
}

/// The folder of a bundle's page.
fn bundle(path: &str) -> Option<&str> {
    let (folder, name) = path.rsplit_once('/')?;
    (folder.starts_with("content/") && matches!(name, "index.md" | "index.markdown")).then_some(folder)
}

fn is_page(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ext)| ext.eq_ignore_ascii_case("md") || ext.eq_ignore_ascii_case("markdown"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tree::{Difference, Entry};

    fn set(paths: &[&str]) -> BTreeSet<String> {
        paths.iter().map(|path| (*path).to_owned()).collect()
    }

    fn step(trailers: &[(&str, &str)], differences: Vec<Difference>) -> Step {
        Step {
            id: Oid::ZERO_SHA1,
            by_hand: false,
            differences,
            subject: String::new(),
            trailers: trailers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        }
    }

    #[test]
    fn a_bundle_takes_its_assets_and_no_other_page() {
        let all =
            set(&["content/a/index.md", "content/a/i.png", "content/a/x/j.png", "content/a/sub.md", "content/ab.png"]);
        assert_eq!(
            complete(&set(&["content/a/index.md"]), &all, &[]),
            set(&["content/a/index.md", "content/a/i.png", "content/a/x/j.png"])
        );
    }

    #[test]
    fn both_ends_of_a_move_travel_together() {
        let all = set(&["content/old.md", "content/new.md", "content/other.md"]);
        let moved = [step(&[("Moved-From", "content/old.md -> content/new.md")], Vec::new())];
        let both = set(&["content/old.md", "content/new.md"]);
        assert_eq!(complete(&set(&["content/new.md"]), &all, &moved), both);
        assert_eq!(complete(&set(&["content/old.md"]), &all, &moved), both);
    }

    #[test]
    fn a_move_without_a_trailer_is_known_by_its_bytes() {
        let all = set(&["content/old.md", "content/new.md"]);
        let file = Some(Entry { id: Oid::from_str("11").unwrap(), mode: 0o100_644 });
        let gone = Difference { path: "content/old.md".into(), old: file, new: None };
        let new = Difference { path: "content/new.md".into(), old: None, new: file };
        assert_eq!(complete(&set(&["content/new.md"]), &all, &[step(&[], vec![gone, new])]), all);
    }

    #[test]
    fn what_is_published_is_not_selected() {
        assert_eq!(complete(&set(&["content/a.md"]), &set(&["content/b.md"]), &[]), set(&[]));
    }
}
