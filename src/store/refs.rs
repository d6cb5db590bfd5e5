//! Names of our refs and how a ref moves: by compare-and-swap, with patience for locks of others.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use git2::{ErrorCode, ObjectType, Oid};

use super::failure::git_error;
use super::moving::Moving;
use crate::error::{Error, Result};

const TRIES: u32 = 12;

/// The first wait between two tries, in milliseconds; each is twice the one before, up to the longest.
const FIRST_WAIT: u64 = 4;
const LONGEST_WAIT: u64 = 250;

/// A lock under our own refs that is older than this was left by a process that died: the writer lock is ours now.
const STALE: Duration = Duration::from_secs(1);

/// Our refs, keyed by site folder and worktree: two sites in one repository never share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefNames {
    /// The tip of the edits that are also in the working tree.
    pub working: String,
    /// The last tip that was wholly written to the working tree.
    pub projected: String,
    /// A publish commit that the remote has not taken yet.
    pub pending: String,
    namespace: String,
}

impl RefNames {
    /// The names for a site folder (`""`: the root) in a worktree (`None`: the main one).
    pub(crate) fn new(folder: &str, worktree: Option<&str>) -> Self {
        let namespace = if folder.is_empty() && worktree.is_none() {
            "refs/sitewright".to_owned()
        } else {
            format!("refs/sitewright/at-{}", key(folder, worktree))
        };
        let name = |last: &str| format!("{namespace}/{last}");
        Self { working: name("working"), projected: name("projected"), pending: name("pending"), namespace }
    }

    /// What the others begin with, without a final slash.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The tip of a named change set.
    pub(crate) fn change_set(&self, id: &str) -> String {
        format!("{}/cs/{id}", self.namespace)
    }

    /// What is known of a named change set besides its edits.
    pub(crate) fn change_set_record(&self, id: &str) -> String {
        format!("{}/cs-record/{id}", self.namespace)
    }

    /// A tip that a publish left behind, kept so that its revisions stay reachable.
    pub(crate) fn kept(&self, n: u64) -> String {
        format!("{}/kept/{n}", self.namespace)
    }
}

/// A short readable key, unique by a hash: `docs-1a2b3c4d5e`.
fn key(folder: &str, worktree: Option<&str>) -> String {
    let plain: String = folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    let whole = format!("{folder}\0{}", worktree.unwrap_or_default());
    let hash = super::Repository::blob_id(whole.as_bytes()).to_string();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { hash[..10].to_owned() } else { format!("{plain}-{}", &hash[..10]) }
}

/// Where a ref points; `None`: it does not exist.
pub(crate) fn target(git: &git2::Repository, name: &str) -> Result<Option<Oid>> {
    match git.refname_to_id(name) {
        Ok(id) => Ok(Some(id)),
        Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch) => Ok(None),
        Err(error) => Err(git_error("read a ref")(error)),
    }
}

/// Moves a ref from one id to another (`None`: it does not exist), under the writer lock. [`Error::Busy`] where it is not at `from` any more or
/// stays locked by someone else.
pub(crate) fn move_ref(
    git: &git2::Repository,
    name: &str,
    from: Option<Oid>,
    to: Option<Oid>,
    why: &str,
) -> Result<()> {
    let shared = !name.starts_with("refs/sitewright/");
    let moving = shared.then(|| Moving::begin(git, name)).flatten();
    let lock = git.commondir().join(format!("{name}.lock"));
    let mut wait = FIRST_WAIT;
    for attempt in 0..TRIES {
        match try_move(git, name, from, to, why) {
            Ok(()) => return Ok(()),
            Err(error) if error.code() == ErrorCode::Locked && attempt + 1 < TRIES => {
                let cleared = if shared { moving.as_ref().is_some_and(|m| m.clear(&lock)) } else { clear_stale(&lock) };
                if cleared {
                    continue;
                }
                sleep(Duration::from_millis(wait + jitter(wait)));
                // The tries before the last one, which removes nothing, take longer than a lock takes to be stale.
                wait = (wait * 2).min(LONGEST_WAIT);
            }
            Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::Exists | ErrorCode::NotFound) => {
                return Err(Error::Busy { holder: format!("{name} was moved by someone else") });
            }
            Err(error) if error.code() == ErrorCode::Locked => {
                let age = lock_age(&lock);
                let age = age.map_or(String::new(), |age| format!(", {} s old", age.as_secs()));
                return Err(Error::Busy { holder: format!("{name}.lock in the git directory{age}") });
            }
            Err(error) => return Err(git_error("move a ref")(error)),
        }
    }
    Err(Error::Busy { holder: format!("{name} stays locked") })
}

fn try_move(
    git: &git2::Repository,
    name: &str,
    from: Option<Oid>,
    to: Option<Oid>,
    why: &str,
) -> Result<(), git2::Error> {
    if let Some(to) = to {
        // The zero id stands for "must not exist".
        return git.reference_matching(name, to, true, from.unwrap_or(Oid::ZERO_SHA1), why).map(|_| ());
    }
    let mut reference = match git.find_reference(name) {
        Err(error) if error.code() == ErrorCode::NotFound && from.is_none() => return Ok(()),
        other => other?,
    };
    if reference.target() != from {
        return Err(git2::Error::new(ErrorCode::Modified, git2::ErrorClass::Reference, "the ref moved"));
    }
    // libgit2 compares with what it has just read under the lock.
    reference.delete()
}

/// Spreads waiting processes without a source of randomness.
fn jitter(range: u64) -> u64 {
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| u64::from(d.subsec_nanos()));
    (nanos / 1000).wrapping_add(u64::from(std::process::id())) % range.max(1)
}

/// Removes a lock under our own refs that a killed process left: the writer lock is ours, so nobody else holds it for long.
fn clear_stale(lock: &Path) -> bool {
    if lock_age(lock).is_none_or(|age| age < STALE) {
        return false;
    }
    tracing::warn!(lock = %lock.display(), "removing a lock that a killed process left");
    fs::remove_file(lock).is_ok()
}

fn lock_age(lock: &Path) -> Option<Duration> {
    let modified = fs::symlink_metadata(lock).ok()?.modified().ok()?;
    Some(SystemTime::now().duration_since(modified).unwrap_or_default())
}

/// The tree of a commit; `None` for no commit.
pub(crate) fn tree_of(git: &git2::Repository, commit: Option<Oid>) -> Result<Option<Oid>> {
    commit.map(|id| git.find_commit(id).map(|c| c.tree_id())).transpose().map_err(git_error("read a commit"))
}

/// Whether `id` is a commit that is here.
pub(crate) fn is_commit(git: &git2::Repository, id: Oid) -> bool {
    git.find_object(id, Some(ObjectType::Commit)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, git2::Repository, Oid, Oid) {
        let dir = tempfile::tempdir().unwrap();
        let git = git2::Repository::init_bare(dir.path()).unwrap();
        let tree = git.treebuilder(None).unwrap().write().unwrap();
        let who = git2::Signature::new("a", "a@b", &git2::Time::new(1, 0)).unwrap();
        let make = |m: &str| git.commit(None, &who, &who, m, &git.find_tree(tree).unwrap(), &[]).unwrap();
        let (one, two) = (make("1"), make("2"));
        (dir, git, one, two)
    }

    #[test]
    fn a_ref_moves_only_from_where_it_was_read() {
        let (_dir, git, one, two) = scratch();
        let name = "refs/sitewright/working";
        move_ref(&git, name, None, Some(one), "new").unwrap();
        assert_eq!(move_ref(&git, name, None, Some(two), "new").unwrap_err().code(), "busy");
        assert_eq!(move_ref(&git, name, Some(two), Some(one), "x").unwrap_err().code(), "busy");
        move_ref(&git, name, Some(one), Some(two), "x").unwrap();
        assert_eq!(target(&git, name).unwrap(), Some(two));
        assert_eq!(move_ref(&git, name, Some(one), None, "x").unwrap_err().code(), "busy");
        move_ref(&git, name, Some(two), None, "x").unwrap();
        assert_eq!(target(&git, name).unwrap(), None);
        move_ref(&git, name, None, None, "x").unwrap();
    }

    #[test]
    fn a_lock_of_another_is_waited_for_and_named() {
        let (dir, git, one, _) = scratch();
        let lock = dir.path().join("refs/heads/main.lock");
        std::fs::write(&lock, "").unwrap();
        let error = move_ref(&git, "refs/heads/main", None, Some(one), "x").unwrap_err();
        assert_eq!(error.code(), "busy");
        assert!(error.to_string().contains("main.lock"));
        assert!(lock.exists());
    }

    #[test]
    fn a_fresh_lock_of_a_killed_process_is_outlived() {
        let (dir, git, one, _) = scratch();
        std::fs::create_dir_all(dir.path().join("refs/sitewright")).unwrap();
        std::fs::write(dir.path().join("refs/sitewright/working.lock"), "").unwrap();
        move_ref(&git, "refs/sitewright/working", None, Some(one), "x").unwrap();
        // However small the random part of each wait is.
        let mut waits = std::iter::successors(Some(FIRST_WAIT), |wait| Some((wait * 2).min(LONGEST_WAIT)));
        let least: u64 = waits.by_ref().take(TRIES as usize - 2).sum();
        assert!(Duration::from_millis(least) > STALE, "{least} ms");
    }

    #[test]
    fn a_shared_ref_is_unlocked_only_after_a_process_of_ours() {
        let (dir, git, one, _) = scratch();
        let name = "refs/heads/main";
        let old = std::time::SystemTime::now() - Duration::from_mins(1);
        let make = |path: &Path, text: &str| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
            fs::File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
        };
        let lock = dir.path().join("refs/heads/main.lock");
        make(&lock, "");
        assert_eq!(move_ref(&git, name, None, Some(one), "x").unwrap_err().code(), "busy");
        assert!(lock.exists());
        let key = crate::store::Repository::blob_id(name.as_bytes()).to_string();
        make(&dir.path().join(format!("sitewright/moving-{}", &key[..10])), name);
        move_ref(&git, name, None, Some(one), "x").unwrap();
        assert!(!lock.exists());
    }

    #[test]
    fn sites_and_worktrees_have_their_own_names() {
        let root = RefNames::new("", None);
        assert_eq!(root.working, "refs/sitewright/working");
        let names = [root, RefNames::new("docs", None), RefNames::new("", Some("w")), RefNames::new("do/cs", None)];
        for (i, a) in names.iter().enumerate() {
            assert!(git2::Reference::is_valid_name(&a.working) && git2::Reference::is_valid_name(&a.kept(1)));
            assert!(names.iter().skip(i + 1).all(|b| b.working != a.working));
        }
    }
}
