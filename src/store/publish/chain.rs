//! The unpublished edits as they were made: one step per revision, oldest first.

use std::collections::BTreeSet;

use git2::{Oid, Sort};

use crate::error::Result;
use crate::store::failure::git_error;
use crate::store::message;
use crate::store::revision::RevisionKind;
use crate::store::tree::{Difference, Entry};
use crate::store::{Repository, RevisionId};

/// One edit.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Its commit.
    pub(crate) id: Oid,
    /// Whether a person made it by hand.
    pub(crate) by_hand: bool,
    /// What it changed, site-relative.
    pub(crate) differences: Vec<Difference>,
    /// The first line of its message.
    pub(crate) subject: String,
    /// Its trailers.
    pub(crate) trailers: Vec<(String, String)>,
}

/// The edits that `tip` has and `without` have not, oldest first. Merges and commits made outside are left out.
pub(crate) fn read(
    repository: &Repository,
    git: &git2::Repository,
    tip: Option<Oid>,
    without: &[Option<Oid>],
) -> Result<Vec<Step>> {
    let Some(tip) = tip else { return Ok(Vec::new()) };
    let action = git_error("read the edits");
    let mut walk = git.revwalk().map_err(&action)?;
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(&action)?;
    walk.push(tip).map_err(&action)?;
    for hidden in without.iter().flatten() {
        walk.hide(*hidden).map_err(&action)?;
    }
    let mut steps = Vec::new();
    for id in walk {
        let id = id.map_err(&action)?;
        let commit = git.find_commit(id).map_err(&action)?;
        let kind = message::kind_of(&commit);
        if !matches!(kind, RevisionKind::Edit | RevisionKind::HandEdit) || commit.parent_count() > 1 {
            continue;
        }
        let (text, trailers) = message::parse(&String::from_utf8_lossy(commit.message_bytes()));
        steps.push(Step {
            id,
            by_hand: kind == RevisionKind::HandEdit,
            differences: repository.compare(git, commit.parent_id(0).ok(), Some(id))?,
            subject: text.lines().next().unwrap_or_default().to_owned(),
            trailers,
        });
    }
    Ok(steps)
}

/// The paths that a person edited by hand.
pub(crate) fn by_hand(steps: &[Step]) -> BTreeSet<&str> {
    steps.iter().filter(|step| step.by_hand).flat_map(|step| &step.differences).map(|d| d.path.as_str()).collect()
}

/// The edits that touch one of these paths, as revision ids.
pub(crate) fn touching(steps: &[Step], wanted: &dyn Fn(&str) -> bool) -> Vec<RevisionId> {
    steps
        .iter()
        .filter(|step| step.differences.iter().any(|d| wanted(&d.path)))
        .map(|step| message::revision_id(step.id))
        .collect()
}

/// Whether an edit was taken back on the way: by `change_discard`, or because a path that was touched is as it was.
pub(crate) fn has_discarded(steps: &[Step], is_changed: &dyn Fn(&str) -> bool) -> bool {
    steps.iter().any(|step| {
        step.trailers.iter().any(|(key, value)| key == "Tool" && value == "change_discard")
            || step.differences.iter().any(|d| !is_changed(&d.path))
    })
}

/// The trailer of an edit that stayed unpublished although live contradicts it: `<blob it began with> <path>`.
pub(crate) const UNMERGED: &str = "Unmerged";
/// The trailer of an edit that was written knowing the other side's file: `<its blob> <path>`.
pub(crate) const RESOLVES: &str = "Resolves";

/// A commit message without those trailers.
pub(crate) fn without_bases(message: &str) -> String {
    let start = message.trim_end().rfind("\n\n").map_or(0, |at| at + 2);
    let (text, trailers) = message.split_at(start);
    let is_base = |line: &&str| line.split_once(':').is_some_and(|(key, _)| key == RESOLVES || key == UNMERGED);
    let kept: String = trailers.split_inclusive('\n').filter(|line| !is_base(line)).collect();
    format!("{text}{kept}")
}

/// What the edits of a path began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Began {
    /// With this blob.
    With(Oid),
    /// Where there was no file.
    Nothing,
}

impl Began {
    /// As an entry of a tree.
    pub(crate) fn entry(self, mode: i32) -> Option<Entry> {
        match self {
            Self::With(id) => Some(Entry { id, mode }),
            Self::Nothing => None,
        }
    }
}

/// What the edits of a path began with, where a trailer says so: the other side's file, which the author knew
/// (`Resolves`), or an older one than the last common state (`Unmerged`). A blob of zeros stands for no file. The newest
/// trailer counts; a long path may be cut.
pub(crate) fn base<'a>(steps: impl Iterator<Item = &'a Step>, path: &str) -> Option<Began> {
    base_in(&[RESOLVES, UNMERGED], steps, path)
}

/// The same by other trailers.
pub(crate) fn base_in<'a>(keys: &[&str], steps: impl Iterator<Item = &'a Step>, path: &str) -> Option<Began> {
    let trailers = steps.flat_map(|step| &step.trailers).filter(|(key, _)| keys.contains(&key.as_str()));
    let named = trailers.filter_map(|(_, value)| {
        let (blob, of) = value.split_once(' ')?;
        let is_cut = value.chars().count() >= 200;
        let is_it = of == path || (is_cut && path.starts_with(of));
        Oid::from_str(blob).ok().filter(|_| is_it)
    });
    named.last().map(|blob| if blob.is_zero() { Began::Nothing } else { Began::With(blob) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(trailers: &[(&str, &str)]) -> Step {
        Step {
            id: Oid::ZERO_SHA1,
            by_hand: false,
            differences: Vec::new(),
            subject: String::new(),
            trailers: trailers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        }
    }

    #[test]
    fn the_newest_word_about_a_path_counts() {
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let long = format!("content/{}.md", "x".repeat(300));
        let cut: String = format!("{one} {long}").chars().take(200).collect();
        let steps = [
            step(&[("Resolves", &format!("{one} a")), ("Unmerged", &format!("{} b", "0".repeat(40)))]),
            step(&[("Unmerged", &format!("{two} a")), ("Tool", &format!("{one} c")), ("Resolves", &cut)]),
        ];
        let began = |path: &str| base(steps.iter(), path);
        assert_eq!(began("a"), Some(Began::With(Oid::from_str(&two).unwrap())));
        assert_eq!(began("b"), Some(Began::Nothing));
        assert_eq!(began("c"), None);
        assert_eq!(began(&long), Some(Began::With(Oid::from_str(&one).unwrap())));
    }

    #[test]
    fn only_trailers_are_dropped_from_a_message() {
        let text =
            "Subject\n\nResolves: the old argument\n\nTool: page_write\nResolves: 1 a\nUnmerged: 2 b\nOrigin: edit\n";
        let kept = "Subject\n\nResolves: the old argument\n\nTool: page_write\nOrigin: edit\n";
        assert_eq!(without_bases(text), kept);
        assert_eq!(without_bases("Subject\n"), "Subject\n");
    }
}
