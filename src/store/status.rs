//! What is unpublished, by whom, and whether the working tree may be written: read only.

use std::collections::BTreeMap;

use git2::{Oid, Sort};

use super::failure::git_error;
use super::line::Line;
use super::message::{self, blob_id, revision_id};
use super::objects::Entries;
use super::publish::OpenReview;
use super::publish::output_branch::pending_ref as pending_deploy;
use super::publish::review::Record;
use super::revision::{Change, RevisionId, RevisionKind};
use super::{Repository, refs, refusal};
use crate::error::Result;
use crate::model::{BlobId, Progress};

/// More local commits than this are not listed one by one.
const MAX_LOCAL: usize = 100;

/// How the site stands between live, the edits and the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The publish branch.
    pub branch: String,
    /// What is live; `None` before the first publish.
    pub live: Option<RevisionId>,
    /// The last edit, or HEAD where there is none; `None` in an empty repository.
    pub tip: Option<RevisionId>,
    /// Every path that differs from live, in path order.
    pub unpublished: Vec<Unpublished>,
    /// A publish commit that waits for the remote, of sources or output.
    pub pending: Option<RevisionId>,
    /// A person's commits that the remote has not, newest first: id and subject.
    pub local_commits: Vec<(RevisionId, String)>,
    /// Reviews that are neither merged nor closed, as far as is known here.
    pub reviews: Vec<OpenReview>,
    /// Why the working tree may not be written now and what resolves it; `None`: it may.
    pub writable: Option<(String, String)>,
    /// The remote's URL without user name or password; `None`: there is no remote.
    pub remote: Option<String>,
}

/// A path that differs from live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpublished {
    /// From live to the line's files.
    pub change: Change,
    /// Whether a person edited it by hand since it was last published, recorded or not.
    pub hand_edit: bool,
    /// The edits that made it so, newest first.
    pub revisions: Vec<RevisionId>,
    /// The branch on which exactly this waits for a person's review.
    pub review: Option<String>,
}

/// What is known about one path's unpublished edits.
#[derive(Default)]
struct Edits {
    hand_edit: bool,
    revisions: Vec<RevisionId>,
}

impl Repository {
    /// How the site stands. Writes nothing: hand edits are seen but recorded only by the next write.
    pub fn status(&self) -> Result<Status> {
        self.status_followed(&Progress::default())
    }

    /// The same for a caller who may stop waiting: asked at each commit and each path that differs.
    pub fn status_followed(&self, progress: &Progress) -> Result<Status> {
        let git = self.git()?;
        let live = self.live_commit(&git)?;
        let tip = self.tip_commit(&git)?;
        let revision = |id: Option<Oid>| id.map(revision_id);
        Ok(Status {
            branch: self.branch().to_owned(),
            live: revision(live),
            tip: revision(tip),
            unpublished: self.unpublished(&git, progress)?,
            pending: if self.is_working() {
                revision(refs::target(&git, &self.refs().pending)?.or(refs::target(&git, &pending_deploy(self))?))
            } else {
                None
            },
            reviews: self.reviews(&git)?,
            local_commits: self.local_commits(&git)?,
            writable: match self.line() {
                Line::Working => refusal::state(&git, self.branch()),
                Line::Named(id) => self.frozen(&git, id)?,
            },
            remote: self.remote_url(&git),
        })
    }

    /// The paths that differ from live, with the edits behind them.
    fn unpublished(&self, git: &git2::Repository, progress: &Progress) -> Result<Vec<Unpublished>> {
        progress.proceed()?;
        let (live, tip, head) = (self.live_commit(git)?, self.tip_commit(git)?, self.head(git)?);
        let base = self.common_base(git, live, tip, head)?;
        let (disk, _) = self.scan(git)?;
        let (published, old) = (self.entries_of(git, live)?, self.entries_of(git, base)?);
        let recorded = self.entries_of(git, tip)?;
        let projected = if self.is_working() { refs::target(git, &self.refs().projected)? } else { None };
        let projected = self.entries_of(git, projected.or(tip))?;
        let mut edits = self.edits(git, base, [tip, head], progress)?;
        let reviews = Record::all(self, git)?;
        let filters = self.filters(git);
        let mut found = Vec::new();
        for path in self.differing(&disk, &old) {
            progress.proceed()?;
            let (before, after) = (file(&old, path.as_str()), disk.get(&path).map(|f| f.id));
            // The remote went on and has the same by now.
            if base != live && file(&published, path.as_str()) == after {
                continue;
            }
            if self.is_working() && self.is_converted(&filters, &path, old.get(path.as_str()).copied(), disk.get(&path))
            {
                continue;
            }
            let edits = edits.remove(path.as_str()).unwrap_or_default();
            let (tip, projected) = (file(&recorded, path.as_str()), file(&projected, path.as_str()));
            // As projected and not as the tip: a write was interrupted, nobody edited it.
            let unrecorded = after != tip && (after != projected || projected == tip);
            let hand_edit = edits.hand_edit || unrecorded;
            let review = self.review_of(git, &reviews, path.as_str(), after)?;
            let change = Change { path, before, after };
            found.push(Unpublished { change, hand_edit, revisions: edits.revisions, review });
        }
        Ok(found)
    }

    /// The branch of the review that holds exactly this content of a path.
    fn review_of(
        &self,
        git: &git2::Repository,
        reviews: &[Record],
        path: &str,
        content: Option<BlobId>,
    ) -> Result<Option<String>> {
        for review in reviews.iter().filter(|review| review.selected.contains(path)) {
            let there = review.entry(self, git, path)?.filter(|entry| entry.is_file()).map(|entry| blob_id(entry.id));
            if there == content {
                return Ok(Some(review.branch.clone()));
            }
        }
        Ok(None)
    }

    /// The edits of each path since a commit, newest first.
    fn edits(
        &self,
        git: &git2::Repository,
        since: Option<Oid>,
        tips: [Option<Oid>; 2],
        progress: &Progress,
    ) -> Result<BTreeMap<String, Edits>> {
        let mut edits: BTreeMap<String, Edits> = BTreeMap::new();
        for id in walk(git, since, tips.into_iter().flatten())? {
            progress.proceed()?;
            let commit = git.find_commit(id).map_err(git_error("read a commit"))?;
            // A merge brings nothing of its own: its parents are walked too.
            if commit.parent_count() > 1 {
                continue;
            }
            let kind = message::kind_of(&commit);
            for difference in self.changed_by(git, &commit)?.iter() {
                let edits = edits.entry(difference.path.clone()).or_default();
                edits.hand_edit |= kind == RevisionKind::HandEdit;
                edits.revisions.push(revision_id(id));
            }
        }
        Ok(edits)
    }

    /// A person's commits that live has not, newest first.
    pub(crate) fn local_commits(&self, git: &git2::Repository) -> Result<Vec<(RevisionId, String)>> {
        let (Some(head), live) = (self.head(git)?, self.live_commit(git)?) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for id in walk(git, live, [head])? {
            let commit = git.find_commit(id).map_err(git_error("read a commit"))?;
            if !message::is_ours(&commit) {
                let subject = commit.summary_bytes().map(String::from_utf8_lossy).unwrap_or_default();
                found.push((revision_id(id), subject.chars().take(200).collect()));
            }
            if found.len() >= MAX_LOCAL {
                break;
            }
        }
        Ok(found)
    }

    /// The remote's URL without user name, password or query.
    pub(crate) fn remote_url(&self, git: &git2::Repository) -> Option<String> {
        let remote = git.find_remote(&self.options().remote).ok()?;
        Some(without_credentials(remote.url().ok()?))
    }

    /// Live, or where the edits and live went apart when live has moved on.
    fn common_base(
        &self,
        git: &git2::Repository,
        live: Option<Oid>,
        tip: Option<Oid>,
        head: Option<Oid>,
    ) -> Result<Option<Oid>> {
        let Some(live) = live else { return Ok(None) };
        for side in [tip, head].into_iter().flatten() {
            if self.contains(git, side, live)? {
                return Ok(Some(live));
            }
        }
        Ok(tip.and_then(|tip| git.merge_base(tip, live).ok()))
    }
}

fn file(entries: &Entries, path: &str) -> Option<BlobId> {
    entries.get(path).filter(|e| e.is_file()).map(|e| blob_id(e.id))
}

/// Commits reachable from `tips` and not from `since`, newest first.
pub(crate) fn walk(
    git: &git2::Repository,
    since: Option<Oid>,
    tips: impl IntoIterator<Item = Oid>,
) -> Result<Vec<Oid>> {
    let action = git_error("walk the history");
    let mut walk = git.revwalk().map_err(&action)?;
    walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME).map_err(&action)?;
    for tip in tips {
        walk.push(tip).map_err(&action)?;
    }
    if let Some(since) = since {
        walk.hide(since).map_err(&action)?;
    }
    walk.collect::<Result<_, _>>().map_err(&action)
}

/// Drops `user:password@` and everything after `?` or `#`; tokens hide in both.
pub(crate) fn without_credentials(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        // `user@host:path`: the user name of an ssh login is no secret, a password cannot be in it.
        return url.to_owned();
    };
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let cases = [
            ("https://me:token@example.org/a/b.git", "https://example.org/a/b.git"),
            ("https://token@example.org/a.git?key=1", "https://example.org/a.git"),
            ("https://a:b@c@example.org", "https://example.org"),
            ("git@example.org:a/b.git", "git@example.org:a/b.git"),
            ("/srv/site.git", "/srv/site.git"),
            ("file:///srv/site.git", "file:///srv/site.git"),
        ];
        for (url, shown) in cases {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
