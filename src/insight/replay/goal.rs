//! Whether the files are as a task wants them.

use super::task::Check;
use crate::model::Snapshot;

/// What is missing; `None` where all is as it should be.
pub(super) fn missing(check: &Check, start: &Snapshot, working: &Snapshot, live: &Snapshot) -> Option<String> {
    if !check.same.is_empty() {
        let differing = crate::site::rehearsal::differing(start, live);
        let covered = |path: &String| check.same == "*" || path.starts_with(&check.same);
        let changed = differing.iter().find(|path| covered(path) && !check.besides.contains(path));
        return changed.map(|path| format!("{path} changed"));
    }
    if !check.below.is_empty() {
        let files = live.under(&check.below).filter(|(_, file)| contains(file.text().unwrap_or_default(), check));
        let count = files.count();
        return (count != check.count).then(|| format!("{count} files below {}, not {}", check.below, check.count));
    }
    let (name, files) = if check.live.is_empty() { (&check.file, working) } else { (&check.live, live) };
    let there = files.contains(name);
    // Of files that are only copied the bytes are not at hand: being there is all that is asked of them.
    let text = files.text(name).unwrap_or_default();
    match (there, check.absent) {
        (false, true) => None,
        (false, false) => Some(format!("{name} is missing")),
        (true, true) => Some(format!("{name} is still there")),
        (true, false) if contains(text, check) => None,
        (true, false) => Some(format!("{name} is not as wanted")),
    }
}

fn contains(text: &str, check: &Check) -> bool {
    check.has.iter().all(|part| text.contains(part)) && !check.lacks.iter().any(|part| text.contains(part))
}
