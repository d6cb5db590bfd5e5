//! What belongs together: a bundle's assets, both ends of a move, the files of a frozen theme.

use std::collections::BTreeSet;

use crate::model::{ContentPath, PathKind, Snapshot};
use crate::store::{Revision, Unpublished};

/// The assets of the bundle whose page is `path` (`index.md` and what lies beside and below it that is no page).
#[must_use]
pub(super) fn bundle_assets(snapshot: &Snapshot, path: &ContentPath) -> Vec<ContentPath> {
    if path.file_name() != "index.md" {
        return Vec::new();
    }
    let inside = snapshot.under(path.folder()).map(|(path, _)| path);
    inside.filter(|path| path.kind() == PathKind::ContentAsset).cloned().collect()
}

/// The trailer that records a move.
pub(super) const MOVED: &str = "Moved-From";

/// The value of a [`MOVED`] trailer.
#[must_use]
pub(super) fn moved(from: &ContentPath, to: &ContentPath) -> (String, String) {
    (MOVED.to_owned(), format!("{from} -> {to}"))
}

/// The folder of a theme's frozen copy that a file lies in, with its final slash: a copy is whole or not there.
pub(super) fn frozen_folder(path: &ContentPath) -> Option<String> {
    let (name, _) = path.as_str().strip_prefix("themes/")?.split_once('/')?;
    name.contains('@').then(|| format!("themes/{name}/"))
}

/// Adds what must travel along with the selected paths: a bundle's unpublished assets, both ends of a move, all files of a
/// frozen theme.
pub(super) fn together(selected: &mut BTreeSet<ContentPath>, unpublished: &[Unpublished], revisions: &[Revision]) {
    let open: BTreeSet<&ContentPath> = unpublished.iter().map(|unpublished| &unpublished.change.path).collect();
    let moves: Vec<(&str, &str)> = revisions
        .iter()
        .flat_map(|revision| &revision.trailers)
        .filter(|(key, _)| key == MOVED)
        .filter_map(|(_, value)| value.split_once(" -> "))
        .collect();
    // A page moved twice chains: repeat until nothing is added.
    loop {
        let before = selected.len();
        for (from, to) in &moves {
            let named = |path: &str| selected.contains(path);
            if named(from) || named(to) {
                selected.extend(open.iter().filter(|path| [*from, *to].contains(&path.as_str())).copied().cloned());
            }
        }
        let bundles: Vec<String> = selected
            .iter()
            .filter(|path| path.file_name() == "index.md")
            .map(|path| format!("{}/", path.folder()))
            .collect();
        for path in &open {
            let asset = path.kind() == PathKind::ContentAsset;
            if asset && bundles.iter().any(|folder| path.as_str().starts_with(folder.as_str())) {
                selected.insert((*path).clone());
            }
        }
        let frozen: BTreeSet<String> = selected.iter().filter_map(frozen_folder).collect();
        selected
            .extend(open.iter().filter(|path| frozen.iter().any(|f| path.as_str().starts_with(f))).copied().cloned());
        if selected.len() == before {
            return;
        }
    }
}
