//! Which unpublished paths go out together: both ends of a move, and a bundle with its assets.

use std::collections::BTreeSet;

use super::publish::chain::Step;

/// Adds to a selection the unpublished paths that must travel with it. `unpublished` and the result are site-relative.
pub(crate) fn complete(named: &BTreeSet<String>, unpublished: &BTreeSet<String>, steps: &[Step]) -> BTreeSet<String> {
    let mut selected: BTreeSet<String> = named.intersection(unpublished).cloned().collect();
    loop {
        let mut more = BTreeSet::new();
        for path in &selected {
            for (from, to) in steps.iter().flat_map(moves) {
                if from == *path {
                    more.insert(to.to_owned());
                } else if to == *path {
                    more.insert(from.to_owned());
                }
            }
            if let Some(folder) = bundle(path) {
                let inside = unpublished
                    .range(format!("{folder}/")..)
                    .take_while(|other| other.starts_with(&format!("{folder}/")));
                more.extend(inside.filter(|other| !is_page(other)).cloned());
            }
        }
        let before = selected.len();
        selected.extend(more.into_iter().filter(|path| unpublished.contains(path)));
        if selected.len() == before {
            return selected;
        }
    }
}

/// The moves of an edit: the trailer `Moved-From: <old path> -> <new path>`, else, for a single move that deletes and adds the
/// same bytes, what the trees say.
fn moves(step: &Step) -> Vec<(&str, &str)> {
    let trailers = step.trailers.iter().filter(|(key, _)| key == "Moved-From");
    let mut found: Vec<(&str, &str)> = trailers.filter_map(|(_, value)| value.split_once(" -> ")).collect();
    for gone in step.differences.iter().filter(|d| d.new.is_none()) {
        let same = step.differences.iter().filter(|d| d.old.is_none() && d.new.map(|e| e.id) == gone.old.map(|e| e.id));
        found.extend(same.map(|new| (gone.path.as_str(), new.path.as_str())));
    }
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
    use git2::Oid;

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
