//! Revisions: finding one by its id, and listing them newest first.

use std::collections::BTreeSet;
use std::sync::Arc;

use git2::{Oid, Sort};

use super::change_set::is_discarded;
use super::failure::git_error;
use super::message;
use super::revision::{Revision, RevisionId, RevisionKind};
use super::status::walk;
use super::tree::Difference;
use super::{Repository, refs};
use crate::error::{Error, Result};

/// Which revisions are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only those that changed one of these site-relative paths; one that ends in `/` stands for all below it. Empty: all.
    pub paths: Vec<String>,
    /// Only of these kinds; empty: all.
    pub kinds: Vec<RevisionKind>,
    /// Only since this moment.
    pub since: Option<jiff::Timestamp>,
    /// Only until this moment.
    pub until: Option<jiff::Timestamp>,
    /// At most so many.
    pub limit: usize,
    /// Where the last page ended.
    pub after: Option<String>,
}

impl Default for HistoryFilter {
    fn default() -> Self {
        Self { paths: Vec::new(), kinds: Vec::new(), since: None, until: None, limit: 20, after: None }
    }
}

impl HistoryFilter {
    fn wants(&self, path: &str) -> bool {
        self.paths.is_empty()
            || self.paths.iter().any(|wanted| wanted == path || (wanted.ends_with('/') && path.starts_with(wanted)))
    }
}

impl Repository {
    /// The revision that an id of 7 to 40 hexadecimal digits stands for.
    ///
    /// # Errors
    /// [`Error::InvalidArguments`] for any other text or an ambiguous one, [`Error::NotFound`] with near matches.
    pub fn resolve(&self, text: &str) -> Result<RevisionId> {
        let invalid = |problem: &str| Error::InvalidArguments {
            field: "revision".into(),
            problem: problem.into(),
            example: "\"revision\": \"3f2a91c07b\"".into(),
        };
        // Nothing but digits ever reaches git's own parser, which knows many other forms.
        if !(7..=40).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid("expected a revision id of 7 to 40 hexadecimal digits"));
        }
        let text = text.to_ascii_lowercase();
        let git = self.git()?;
        match git.find_commit_by_prefix(&text) {
            Ok(commit) => Ok(message::revision_id(commit.id())),
            Err(error) if error.code() == git2::ErrorCode::Ambiguous => {
                Err(invalid("it is ambiguous: give more digits"))
            }
            Err(_) => Err(Error::NotFound { kind: "revision", near: self.near(&git, &text), name: text }),
        }
    }

    fn near(&self, git: &git2::Repository, text: &str) -> Vec<String> {
        let Ok(tips) = self.tips(git) else { return Vec::new() };
        let Ok(mut walk) = git.revwalk() else { return Vec::new() };
        for tip in tips {
            // A ref that vanishes meanwhile only costs a hint.
            let _ = walk.push(tip);
        }
        let recent: Vec<String> = walk.take(500).filter_map(|id| Some(id.ok()?.to_string())).collect();
        let same = |id: &&String| id.chars().zip(text.chars()).take_while(|(a, b)| a == b).count() >= 4;
        recent.iter().filter(same).take(3).map(|id| id.chars().take(10).collect()).collect()
    }

    /// One revision.
    pub fn revision(&self, id: &RevisionId) -> Result<Revision> {
        let git = self.git()?;
        let not_found = || Error::NotFound { kind: "revision", name: id.to_string(), near: Vec::new() };
        let id = Oid::from_str(id.as_str()).map_err(|_| not_found())?;
        if !refs::is_commit(&git, id) {
            return Err(not_found());
        }
        self.revision_of(&git, id)
    }

    pub(crate) fn revision_of(&self, git: &git2::Repository, id: Oid) -> Result<Revision> {
        let commit = git.find_commit(id).map_err(git_error("read a commit"))?;
        let changes = message::changes(self.changed_by(git, &commit)?.to_vec());
        message::revision(git, id, changes)
    }

    /// What a commit changed in the site against its first parent. Commits never change, so it is found once.
    pub(crate) fn changed_by(&self, git: &git2::Repository, commit: &git2::Commit<'_>) -> Result<Arc<Vec<Difference>>> {
        if let Some(known) = self.cache().commit(commit.id()) {
            return Ok(known);
        }
        let found = Arc::new(self.compare(git, commit.parent_id(0).ok(), Some(commit.id()))?);
        self.cache().keep_commit(commit.id(), &found);
        Ok(found)
    }

    /// Where history begins: the edits, HEAD, live, and what publishes left behind.
    fn tips(&self, git: &git2::Repository) -> Result<BTreeSet<Oid>> {
        let mut tips: BTreeSet<Oid> =
            [self.tip_commit(git)?, self.head(git)?, self.live_commit(git)?].into_iter().flatten().collect();
        if !self.is_working() {
            return Ok(tips);
        }
        let kept =
            git.references_glob(&format!("{}/kept/*", self.refs().namespace())).map_err(git_error("read refs"))?;
        tips.extend(
            kept.filter_map(|reference| reference.ok()?.target())
                .filter(|id| refs::is_commit(git, *id) && !is_discarded(git, *id)),
        );
        Ok(tips)
    }

    /// Revisions that changed the site, newest first, and where the next page begins.
    ///
    /// # Errors
    /// [`Error::InvalidArguments`] for a cursor that is none of ours.
    pub fn history(&self, filter: &HistoryFilter) -> Result<(Vec<Revision>, Option<String>)> {
        let git = self.git()?;
        let bad_cursor = || Error::InvalidArguments {
            field: "cursor".into(),
            problem: "it does not come from an earlier reply".into(),
            example: "\"cursor\": \"<next_cursor of the last reply>\"".into(),
        };
        let mut after = filter.after.as_deref().map(Oid::from_str).transpose().map_err(|_| bad_cursor())?;
        let order = self.order(&git, &self.tips(&git)?)?;
        let mut found: Vec<Revision> = Vec::new();
        for id in order.iter().copied() {
            if let Some(cursor) = after {
                if cursor == id {
                    after = None;
                }
                continue;
            }
            let Some(revision) = self.wanted(&git, id, filter)? else { continue };
            if found.len() == filter.limit.max(1) {
                let cursor = found.last().map(|r| r.id.to_string());
                return Ok((found, cursor));
            }
            found.push(revision);
        }
        if after.is_some() { Err(bad_cursor()) } else { Ok((found, None)) }
    }

    /// All commits that lead to these tips, newest first, from the order that was known before where the tips only went on.
    fn order(&self, git: &git2::Repository, tips: &BTreeSet<Oid>) -> Result<Arc<Vec<Oid>>> {
        let known = self.cache().order(tips);
        if let Some((known, order)) = &known
            && known == tips
        {
            return Ok(Arc::clone(order));
        }
        let order = match known {
            Some((before, order)) => match went_on(git, &before, tips)? {
                Some(mut new) => {
                    new.extend(order.iter());
                    new
                }
                None => walk(git, None, tips.iter().copied())?,
            },
            None => walk(git, None, tips.iter().copied())?,
        };
        let order = Arc::new(order);
        self.cache().keep_order(tips, &order);
        Ok(order)
    }

    fn wanted(&self, git: &git2::Repository, id: Oid, filter: &HistoryFilter) -> Result<Option<Revision>> {
        // A commit that is known and touches none of the paths need not be read.
        let known = if filter.paths.is_empty() { None } else { self.cache().commit(id) };
        if known.is_some_and(|known| !known.iter().any(|difference| filter.wants(&difference.path))) {
            return Ok(None);
        }
        let commit = git.find_commit(id).map_err(git_error("read a commit"))?;
        let seconds = commit.time().seconds();
        if filter.since.is_some_and(|since| seconds < since.as_second())
            || filter.until.is_some_and(|until| seconds > until.as_second())
        {
            return Ok(None);
        }
        let kind = message::kind_of(&commit);
        // What a merge took in is told by the commits it joins.
        let is_merge = commit.parent_count() > 1 && kind != RevisionKind::Publish;
        if is_merge || (!filter.kinds.is_empty() && !filter.kinds.contains(&kind)) {
            return Ok(None);
        }
        let changed = self.changed_by(git, &commit)?;
        let matches = changed.iter().any(|difference| filter.wants(&difference.path));
        let is_bare_publish = kind == RevisionKind::Publish && filter.paths.is_empty();
        if !matches && !is_bare_publish {
            return Ok(None);
        }
        message::revision(git, id, message::changes(changed.to_vec())).map(Some)
    }
}

/// The commits that are new since `before`, newest first; `None` where some tip of before is not behind them.
fn went_on(git: &git2::Repository, before: &BTreeSet<Oid>, tips: &BTreeSet<Oid>) -> Result<Option<Vec<Oid>>> {
    let action = git_error("walk the history");
    let mut walk = git.revwalk().map_err(&action)?;
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME).map_err(&action)?;
    for tip in tips {
        walk.push(*tip).map_err(&action)?;
    }
    for tip in before {
        // One that was thrown away since is not behind anything.
        if walk.hide(*tip).is_err() {
            return Ok(None);
        }
    }
    let new = walk.collect::<std::result::Result<Vec<Oid>, _>>().map_err(&action)?;
    let mut behind: BTreeSet<Oid> = tips.clone();
    for id in &new {
        behind.extend(git.find_commit(*id).map_err(&action)?.parent_ids());
    }
    Ok(before.is_subset(&behind).then_some(new))
}
