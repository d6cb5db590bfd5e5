//! The entry to every write: takes in what a person did with git or an editor, finishes what a crash interrupted, and
//! leaves disk and `working` equal.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use git2::Oid;

use super::attributes::Filters;
use super::disk::There;
use super::failure::git_error;
use super::lock::WriterLock;
use super::message::{self, ORIGIN, blob_id};
use super::objects::{Entries, oid};
use super::project::Step;
use super::revision::{Identity, Note, RevisionKind};
use super::scan::Beside;
use super::tree::{self, Entry, MODE_EXECUTABLE, MODE_FILE};
use super::{Repository, refs, refusal};
use crate::error::{Error, Result};
use crate::model::{BlobId, ContentPath, File, Snapshot};

/// A file written less than this ago may not be whole yet.
const YOUNG: Duration = Duration::from_millis(50);
/// The same with an editor's swap file beside it.
const YOUNG_IN_EDITOR: Duration = Duration::from_millis(250);
/// How often a young file is looked at again before it is taken as it is.
const LOOKS: usize = 10;

/// What a write starts from.
#[derive(Debug)]
pub(crate) struct Entered {
    /// The tip of `working`; HEAD where nothing was edited yet; `None` in an empty repository.
    pub tip: Option<Oid>,
    /// The working tree, equal to the tip.
    pub base: Arc<Snapshot>,
}

/// What HEAD has that `working` has not.
enum Taken {
    Nothing,
    /// HEAD is ahead of `working`: it becomes the tip.
    Forward(Oid),
    /// Both went on: the tree is joined under a merge commit.
    Merge {
        head: Oid,
        tree: Oid,
    },
}

/// Where the tips were on entry.
struct Tips {
    head: Option<Oid>,
    working: Option<Oid>,
    projected: Option<Oid>,
}

impl Tips {
    fn before(&self) -> Option<Oid> {
        self.working.or(self.head)
    }
}

/// How the disk differs from the tip.
#[derive(Default)]
struct Findings {
    forward: Vec<Step>,
    by_hand: Vec<(ContentPath, Option<BlobId>)>,
}

impl Repository {
    /// Takes in HEAD and hand edits and rolls a crashed write forward.
    pub(crate) fn enter(&self, git: &git2::Repository, _lock: &WriterLock) -> Result<Entered> {
        if let Some((state, cure)) = refusal::state(git, self.branch()) {
            return Err(Error::RepositoryState { state, cure });
        }
        let tips = Tips {
            head: self.head(git)?,
            working: refs::target(git, &self.refs().working)?,
            projected: refs::target(git, &self.refs().projected)?,
        };
        let (mut disk, mut beside) = self.scan(git)?;
        for path in &beside.leftovers {
            self.disk().remove(path)?;
        }
        let mut looks = 0;
        let (taken, findings) = loop {
            let taken = self.take_head(git, &tips, &disk)?;
            let findings = self.classify(git, &tips, &taken, &disk)?;
            looks += 1;
            if looks > LOOKS || !self.is_young(&findings, &beside) {
                break (taken, findings);
            }
            sleep(YOUNG);
            (disk, beside) = self.scan(git)?;
        };
        let tip = self.record(git, &tips, taken, &findings, &disk)?;
        if tip != tips.before() {
            self.durable()?;
            refs::move_ref(git, &self.refs().working, tips.working, tip, "sitewright: take in")?;
            self.durable()?;
        }
        let rolled = !findings.forward.is_empty();
        self.project(git, findings.forward)?;
        if refs::target(git, &self.refs().working)?.is_some() {
            self.set_projected(git, tip)?;
        }
        let base = if rolled { self.scan(git)?.0 } else { disk };
        Ok(Entered { tip, base })
    }

    /// Says that a tip is wholly in the working tree.
    pub(crate) fn set_projected(&self, git: &git2::Repository, tip: Option<Oid>) -> Result<()> {
        let name = &self.refs().projected;
        let was = refs::target(git, name)?;
        if was == tip { Ok(()) } else { refs::move_ref(git, name, was, tip, "sitewright: projected") }
    }

    fn take_head(&self, git: &git2::Repository, tips: &Tips, disk: &Snapshot) -> Result<Taken> {
        let (Some(working), Some(head)) = (tips.working, tips.head) else { return Ok(Taken::Nothing) };
        if self.contains(git, working, head)? {
            return Ok(Taken::Nothing);
        }
        if self.contains(git, head, working)? {
            return Ok(Taken::Forward(head));
        }
        let base = git.merge_base(working, head).ok();
        let theirs = self.compare(git, base, Some(head))?;
        let theirs: HashMap<&str, &tree::Difference> = theirs.iter().map(|t| (t.path.as_str(), t)).collect();
        let mut changes = Vec::new();
        for ours in self.compare(git, base, Some(working))? {
            let entry = match theirs.get(ours.path.as_str()) {
                None => ours.new,
                Some(theirs) if theirs.new == ours.new => continue,
                // Both changed it: what the person sees on disk is what they left there.
                Some(theirs) => match disk.get_str(&ours.path) {
                    Some(file) => Some(self.entry_of(git, &ours.path, file.id, theirs.new.or(ours.new))?),
                    None => None,
                },
            };
            changes.push((self.whole(&ours.path), entry));
        }
        let tree = tree::update(git, refs::tree_of(git, Some(head))?, &changes)?;
        Ok(Taken::Merge { head, tree })
    }

    /// Writes a file of the disk as a blob, unless git has it.
    fn entry_of(&self, git: &git2::Repository, path: &str, id: BlobId, old: Option<Entry>) -> Result<Entry> {
        let changed = || Error::Busy { holder: format!("{path} is being written by someone else") };
        let old = old.filter(|e| e.is_file());
        let id = oid(id)?;
        let known = git.odb().is_ok_and(|odb| odb.exists(id));
        if let (true, Some(old)) = (known, old) {
            return Ok(Entry { id, mode: old.mode });
        }
        let There::File { bytes, mode } = self.disk().read(path)? else { return Err(changed()) };
        if git.blob(&bytes).map_err(git_error("write a blob"))? != id {
            return Err(changed());
        }
        let mode = old.map_or(if mode & 0o100 == 0 { MODE_FILE } else { MODE_EXECUTABLE }, |old| old.mode);
        Ok(Entry { id, mode })
    }

    fn classify(&self, git: &git2::Repository, tips: &Tips, taken: &Taken, disk: &Arc<Snapshot>) -> Result<Findings> {
        let before = self.entries_of(git, tips.before())?;
        let target = match taken {
            Taken::Nothing => Arc::clone(&before),
            Taken::Forward(head) => self.entries_of(git, Some(*head))?,
            Taken::Merge { tree, .. } => self.entries(git, tree::subtree(git, Some(*tree), self.prefix())?)?,
        };
        let differing = self.differing(disk, &target);
        let mut findings = Findings::default();
        if differing.is_empty() {
            return Ok(findings);
        }
        let projected = match tips.projected {
            Some(projected) => self.entries_of(git, Some(projected))?,
            None => Arc::clone(&before),
        };
        let is_ours = made_by_us(git, tips.head);
        let filters = self.filters(git);
        let id = |entries: &Entries, path: &str| entries.get(path).filter(|e| e.is_file()).map(|e| blob_id(e.id));
        for path in differing {
            let on_disk = disk.get(&path).map(|f| f.id);
            let text = path.as_str();
            let (was, tip) = (id(&projected, text), id(&before, text));
            // As projected and not as the tip was: a write of ours was interrupted. As both were, while a *person's*
            // commit changed it: the person put it back by hand.
            if on_disk == was && (was != tip || is_ours) {
                let new = target.get(text).copied().filter(|e| e.is_file());
                findings.forward.push(Step { path, expected: on_disk, new });
            } else if !self.is_converted(&filters, &path, target.get(text).copied(), disk.get(&path)) {
                findings.by_hand.push((path, on_disk));
            }
        }
        Ok(findings)
    }

    /// Whether git itself makes the difference between the file and its blob: a filter (LFS) or line ends.
    pub(crate) fn is_converted(
        &self,
        filters: &Filters<'_>,
        path: &ContentPath,
        entry: Option<Entry>,
        file: Option<&File>,
    ) -> bool {
        let Some(entry) = entry.filter(|e| e.is_file()) else { return false };
        if filters.has(path) {
            return true;
        }
        // One that changes right now is looked at by the next call.
        let Some(Ok(bytes)) = file.map(|file| self.bytes(path, file)) else { return false };
        if !bytes.windows(2).any(|pair| pair == b"\r\n") {
            return false;
        }
        let attribute = |name| {
            let value = filters.git.get_attr(
                std::path::Path::new(&self.whole(path.as_str())),
                name,
                git2::AttrCheckFlags::FILE_THEN_INDEX,
            );
            git2::AttrValue::from_string(value.ok().flatten())
        };
        let text = match attribute("text") {
            git2::AttrValue::True => true,
            git2::AttrValue::False => false,
            git2::AttrValue::String(value) => value == "auto",
            _ => {
                matches!(attribute("eol"), git2::AttrValue::String(_))
                    || filters.git.config().and_then(|c| c.get_string("core.autocrlf")).is_ok_and(|v| v != "false")
            }
        };
        let mut unix = Vec::with_capacity(bytes.len());
        for (i, byte) in bytes.iter().enumerate() {
            if *byte != b'\r' || bytes.get(i + 1) != Some(&b'\n') {
                unix.push(*byte);
            }
        }
        text && Self::blob_id(&unix) == blob_id(entry.id)
    }

    fn is_young(&self, findings: &Findings, beside: &Beside) -> bool {
        findings.by_hand.iter().any(|(path, _)| {
            let limit = if beside.edited.contains(path.as_str()) { YOUNG_IN_EDITOR } else { YOUNG };
            self.age(path.as_str()).is_some_and(|age| age < limit)
        })
    }

    /// Writes the commits that HEAD and the hand edits need; returns the new tip. Moves no ref.
    fn record(
        &self,
        git: &git2::Repository,
        tips: &Tips,
        taken: Taken,
        findings: &Findings,
        disk: &Snapshot,
    ) -> Result<Option<Oid>> {
        let mut tip = tips.before();
        match taken {
            Taken::Nothing => {}
            Taken::Forward(head) => tip = Some(head),
            Taken::Merge { head, tree } => {
                let subject = git
                    .find_commit(head)
                    .ok()
                    .and_then(|c| c.summary_bytes().map(|s| String::from_utf8_lossy(s).into_owned()));
                let short: String = head.to_string().chars().take(10).collect();
                let note = Note {
                    message: format!("Take in {short}: {}", subject.unwrap_or_default()),
                    trailers: vec![(ORIGIN.into(), "merge".into())],
                };
                let parents: Vec<Oid> = tip.into_iter().chain([head]).collect();
                tip = Some(self.commit(git, tree, &parents, &message::committer(), &note)?);
            }
        }
        if findings.by_hand.is_empty() {
            return Ok(tip);
        }
        let old = self.entries_of(git, tip)?;
        let mut changes = Vec::with_capacity(findings.by_hand.len());
        for (path, id) in &findings.by_hand {
            let entry = match id.filter(|_| disk.get(path).is_some()) {
                Some(id) => Some(self.entry_of(git, path.as_str(), id, old.get(path.as_str()).copied())?),
                None => None,
            };
            changes.push((self.whole(path.as_str()), entry));
        }
        let tree = tree::update(git, refs::tree_of(git, tip)?, &changes)?;
        let note = Note { message: hand_edit_message(findings), trailers: vec![(ORIGIN.into(), "hand-edit".into())] };
        let nobody = || Identity { name: "Someone".into(), email: "someone@localhost".into() };
        let author = self.person(git).unwrap_or_else(nobody);
        let parents: Vec<Oid> = tip.into_iter().collect();
        self.commit(git, tree, &parents, &author, &note).map(Some)
    }
}

fn hand_edit_message(findings: &Findings) -> String {
    let names: Vec<&str> = findings.by_hand.iter().map(|(path, _)| path.as_str()).collect();
    match names.as_slice() {
        [one] => format!("Edit {one} by hand"),
        names => format!("Edit {} files by hand\n\n{}", names.len(), names.join("\n")),
    }
}

/// Whether HEAD is a commit of ours: a publish that was interrupted before it reached the working tree.
fn made_by_us(git: &git2::Repository, head: Option<Oid>) -> bool {
    let commit = head.and_then(|id| git.find_commit(id).ok());
    commit.is_some_and(|c| message::kind_of(&c) == RevisionKind::Publish)
}
