//! Named change sets: opened from live, listed, merged into the working tree, closed.
//!
//! Each is two refs: its tip, which says that it exists, and a record of its purpose, which alone means nothing.

use git2::Oid;

use super::failure::git_error;
use super::merge::tree::{Edit, merge_onto};
use super::message::{ORIGIN, blob_id, parse, revision_id};
use super::publish::{chain, plan};
use super::refs::{self, move_ref, tree_of};
use super::revision::{Identity, Note, RevisionId};
use super::transaction::stop_at;
use super::{Repository, tree};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath};

/// Longest id.
const LONGEST: usize = 64;
/// Ids of one slug that are tried.
const TRIES: u32 = 50;
/// The trailer that says when a change set is to be published.
pub(crate) const AT: &str = "Publish-At";
/// The trailer of an edit that was written knowing the working tree's file: `<its blob> <path>`.
pub(crate) const SUPERSEDES: &str = "Supersedes";
/// The trailer of an edit that moved a file.
const MOVED: &str = "Moved-From";
/// The origin of a commit that stands on edits that were discarded: they are kept, and not part of the history.
const DISCARDED: &str = "discard";

/// Whether a text can be the id of a change set.
pub(crate) fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=LONGEST).contains(&text.len()) && text != "working" && text.chars().all(plain)
}

/// An open change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// What calls name it by.
    pub id: String,
    /// What it is for, or why it is published.
    pub purpose: String,
    /// Who opened it.
    pub author: Identity,
    /// `Tool`, `Client`, `Token`, ... of who opened it.
    pub trailers: Vec<(String, String)>,
    /// When it was opened.
    pub time: jiff::Timestamp,
    /// When it is to be published; `None`: when somebody does.
    pub at: Option<jiff::Timestamp>,
    /// Its last edit, or what was live when it was opened.
    pub tip: RevisionId,
}

/// How a change set is opened.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// What the id begins with: letters, digits and hyphens.
    pub slug: String,
    /// The purpose, and who asks.
    pub note: Note,
    /// When it is to be published.
    pub at: Option<jiff::Timestamp>,
}

/// What merging a change set into the working tree would change.
#[derive(Debug, Clone)]
pub struct Merging {
    /// The set's tip that was merged.
    pub tip: RevisionId,
    /// The files as they become; `None`: removed.
    pub files: Vec<(ContentPath, Option<Vec<u8>>)>,
    /// The set's edits, oldest first: id and first line.
    pub edits: Vec<(RevisionId, String)>,
    /// What those edits say about moves and about what they began with, for the revision that joins them.
    pub trailers: Vec<(String, String)>,
}

impl Repository {
    /// Opens a change set that starts from live, or where nothing is live yet from the last commit.
    ///
    /// # Errors
    /// [`Error::RepositoryState`] in a repository without a commit.
    pub fn open_change_set(&self, opening: &Opening) -> Result<ChangeSet> {
        let git = self.git()?;
        let _lock = self.lock()?;
        let start = match self.live_commit(&git)? {
            Some(live) => Some(live),
            None => self.in_working().head(&git)?,
        };
        let start = start.ok_or_else(|| Error::RepositoryState {
            state: "there is no commit that a change set could start from".into(),
            cure: "Publish once without `change_set`, then open it.".into(),
        })?;
        self.begin_change_set(&git, opening, start, start)
    }

    /// Makes the refs of a change set, under the writer lock.
    pub(crate) fn begin_change_set(
        &self,
        git: &git2::Repository,
        opening: &Opening,
        base: Oid,
        tip: Oid,
    ) -> Result<ChangeSet> {
        let mut note = opening.note.clone();
        if let Some(at) = opening.at {
            note.trailers.push((AT.into(), at.to_string()));
        }
        note.trailers.push((ORIGIN.into(), "change-set".into()));
        let tree = tree_of(git, Some(base))?.ok_or_else(|| Error::internal("a commit without a tree"))?;
        let record = self.commit(git, tree, &[base], &self.author(git), &note)?;
        let id = self.free_id(git, &opening.slug, record)?;
        self.durable()?;
        stop_at("change_set::objects")?;
        // A record without a set means nothing, so one that a crash left is replaced.
        let name = self.refs().change_set_record(&id);
        move_ref(git, &name, refs::target(git, &name)?, Some(record), "sitewright: open")?;
        stop_at("change_set::recorded")?;
        move_ref(git, &self.refs().change_set(&id), None, Some(tip), "sitewright: open")?;
        self.durable()?;
        self.change_set_of(git, &id, tip)
    }

    /// An id that no set has: the slug, and a few digits that no set of the same purpose is likely to have had.
    fn free_id(&self, git: &git2::Repository, slug: &str, record: Oid) -> Result<String> {
        for attempt in 0..TRIES {
            let seed = Self::blob_id(format!("{record} {attempt}").as_bytes()).to_string();
            let id = format!("{slug}-{}", &seed[..4]);
            if is_id(&id) && refs::target(git, &self.refs().change_set(&id))?.is_none() {
                return Ok(id);
            }
        }
        Err(Error::AlreadyExists { what: format!("change set {slug}") })
    }

    /// Every open change set, the oldest first.
    pub fn change_sets(&self) -> Result<Vec<ChangeSet>> {
        let git = self.git()?;
        let action = git_error("read the change sets");
        let mut found = Vec::new();
        let folder = self.refs().change_set("");
        for reference in git.references_glob(&format!("{folder}*")).map_err(&action)? {
            let reference = reference.map_err(&action)?;
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            let id = name.strip_prefix(&folder).unwrap_or_default();
            if let (true, Some(tip)) = (is_id(id), reference.target()) {
                found.push(self.change_set_of(&git, id, tip)?);
            }
        }
        found.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        Ok(found)
    }

    /// The change set this is about.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it was closed meanwhile, or this is about the working tree.
    pub fn change_set(&self) -> Result<ChangeSet> {
        let git = self.git()?;
        let id = self.change_set_id().unwrap_or_default();
        self.change_set_of(&git, id, self.named_tip(&git, id)?)
    }

    fn change_set_of(&self, git: &git2::Repository, id: &str, tip: Oid) -> Result<ChangeSet> {
        let record = refs::target(git, &self.refs().change_set_record(id))?;
        let commit = git.find_commit(record.unwrap_or(tip)).map_err(git_error("read a change set"))?;
        let (purpose, trailers) = match record {
            Some(_) => parse(&String::from_utf8_lossy(commit.message_bytes())),
            // Its edits are what counts: a set whose record is lost can still be merged, published or discarded.
            None => (id.to_owned(), Vec::new()),
        };
        let at = trailers.iter().find(|(key, _)| key == AT).and_then(|(_, at)| at.parse().ok());
        let author = commit.author();
        Ok(ChangeSet {
            id: id.to_owned(),
            purpose,
            author: Identity {
                name: String::from_utf8_lossy(author.name_bytes()).into_owned(),
                email: String::from_utf8_lossy(author.email_bytes()).into_owned(),
            },
            time: jiff::Timestamp::from_second(commit.time().seconds()).unwrap_or_default(),
            trailers,
            at,
            tip: revision_id(tip),
        })
    }

    /// For a named change set: what the working tree's last revision has of a path, where that is something else than what the set
    /// began with; `None` for everything else: there is nothing to decide over.
    pub fn other_in_working(&self, path: &ContentPath) -> Result<Option<Option<BlobId>>> {
        if self.is_working() {
            return Ok(None);
        }
        let git = self.git()?;
        let (own, other) = (self.tip_commit(&git)?, self.in_working().tip_commit(&git)?);
        let (Some(own), Some(other)) = (own, other) else { return Ok(None) };
        let began = plan::common(&git, own, other, &self.options().remote)?;
        let blob = |commit| -> Result<Option<BlobId>> {
            let entry = tree::entry(&git, tree_of(&git, Some(commit))?, &self.whole(path.as_str()))?;
            Ok(entry.filter(|entry| entry.is_file()).map(|entry| blob_id(entry.id)))
        };
        let there = blob(other)?;
        Ok((there != blob(began)?).then_some(there))
    }

    /// What merging this change set into the working tree changes there, path by path; `onto` is the working tree's tip.
    ///
    /// # Errors
    /// [`Error::Conflict`] with all conflicting paths.
    pub fn merging(&self, onto: Option<&RevisionId>) -> Result<Merging> {
        let git = self.git()?;
        let tip = self.tip_commit(&git)?.ok_or_else(|| Error::internal("a change set without a tip"))?;
        let onto = onto.map(|id| Oid::from_str(id.as_str())).transpose().map_err(git_error("read an id"))?;
        let base = match onto {
            Some(onto) => Some(plan::common(&git, tip, onto, &self.options().remote)?),
            None => None,
        };
        let steps = chain::read(self, &git, Some(tip), &[base, self.live_commit(&git)?])?;
        let differences = plan::compare_sites(self, &git, tree_of(&git, base)?, tree_of(&git, Some(tip))?)?;
        let edits: Vec<Edit> = differences
            .into_iter()
            .map(|d| {
                let mode = d.new.or(d.old).map_or(tree::MODE_FILE, |entry| entry.mode);
                let base =
                    chain::base_in(&[SUPERSEDES], steps.iter(), &d.path).map_or(d.old, |began| began.entry(mode));
                Edit { path: self.whole(&d.path), base, ours: d.new }
            })
            .collect();
        let merged = merge_onto(&git, tree_of(&git, onto)?, &edits, &|path| self.site_path(path))?;
        if !merged.conflicts.is_empty() {
            return Err(plan::conflict(merged.conflicts));
        }
        let mut files = Vec::new();
        for (path, entry) in merged.updates {
            let Ok(path) = ContentPath::from_disk(&self.site_path(&path)) else { continue };
            let bytes = match entry {
                Some(entry) => Some(git.find_blob(entry.id).map_err(git_error("read a blob"))?.content().to_vec()),
                None => None,
            };
            files.push((path, bytes));
        }
        // A file may take the place of a folder that goes.
        files.sort_by_key(|(_, bytes)| bytes.is_some());
        let told = |(key, _): &&(String, String)| [chain::RESOLVES, chain::UNMERGED, MOVED].contains(&key.as_str());
        let trailers = steps.iter().flat_map(|step| &step.trailers).filter(told).cloned().collect();
        let edits = steps.into_iter().map(|step| (revision_id(step.id), step.subject)).collect();
        Ok(Merging { tip: revision_id(tip), files, edits, trailers })
    }

    /// Closes this change set where it still is at `tip`. Its revisions stay: as part of the history, or, discarded, only by their ids.
    ///
    /// # Errors
    /// [`Error::Busy`] where somebody wrote to it meanwhile.
    pub fn close_change_set(&self, tip: &RevisionId, discarded: bool, note: &Note) -> Result<()> {
        let git = self.git()?;
        let _lock = self.lock()?;
        let now = self.tip_commit(&git)?;
        let Some(now) = now.filter(|now| revision_id(*now) == *tip) else {
            return Err(Error::Busy { holder: "somebody wrote to the change set meanwhile".into() });
        };
        let live = self.live_commit(&git)?;
        let is_live = match live {
            Some(live) => self.contains(&git, live, now)?,
            None => false,
        };
        if !is_live {
            let kept = if discarded {
                let tree = tree_of(&git, Some(now))?.ok_or_else(|| Error::internal("a commit without a tree"))?;
                let mut note = note.clone();
                note.trailers.push((ORIGIN.into(), DISCARDED.into()));
                self.commit(&git, tree, &[now], &self.author(&git), &note)?
            } else {
                now
            };
            self.keep_reachable(&git, kept)?;
        }
        self.durable()?;
        stop_at("change_set::kept")?;
        self.forget_change_set(&git, now)
    }

    /// Takes the refs of this change set away.
    pub(crate) fn forget_change_set(&self, git: &git2::Repository, tip: Oid) -> Result<()> {
        let Some(id) = self.change_set_id() else { return Err(Error::internal("the working tree is no named set")) };
        move_ref(git, &self.refs().change_set(id), Some(tip), None, "sitewright: close")?;
        stop_at("change_set::closed")?;
        let name = self.refs().change_set_record(id);
        move_ref(git, &name, refs::target(git, &name)?, None, "sitewright: close")?;
        self.durable()
    }
}

/// Whether a kept tip stands for edits that were discarded.
pub(crate) fn is_discarded(git: &git2::Repository, tip: Oid) -> bool {
    let Ok(commit) = git.find_commit(tip) else { return false };
    let (_, trailers) = parse(&String::from_utf8_lossy(commit.message_bytes()));
    super::message::is_ours(&commit) && trailers.iter().any(|(key, value)| key == ORIGIN && value == DISCARDED)
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn an_id_is_plain() {
        for id in ["a", "pricing-page-3f2a", &"x".repeat(64)] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", "working", "A", "a b", "a/b", "..", "a.lock", "ü", "@{-1}", &"x".repeat(65)] {
            assert!(!is_id(id), "{id}");
        }
    }
}
