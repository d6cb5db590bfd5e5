//! A worktree of another repository, for a code agent to work in: made, committed and left with plain git, and never merged here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Site;
use crate::error::{Error, Result};
use crate::outside::child;

pub use crate::outside::child::Ran;

/// How long one git command may take.
const GIT: Duration = Duration::from_mins(2);

/// A branch of its own in a folder of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// The folder.
    pub folder: PathBuf,
    /// The branch.
    pub branch: String,
    /// The commit it began at.
    pub base: String,
}

/// What was done in a worktree since it began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Work {
    /// Subjects of the commits, oldest first.
    pub commits: Vec<String>,
    /// Files that differ.
    pub files: Vec<String>,
}

/// Makes a worktree on a new branch. `repository` is named from the site's folder.
///
/// # Errors
/// It is no repository, or the branch or the folder is there already.
pub fn begin(site: &Site, repository: &str, name: &str, branch: &str) -> Result<Worktree> {
    let repository = site.repository().site_dir().join(repository);
    let base = git(&repository, &["rev-parse", "--verify", "HEAD^{commit}"])?.trim().to_owned();
    let folder = site.repository().site_dir().join(".sitewright/var/drafts").join(name);
    let shown = folder.to_str().ok_or_else(|| Error::internal("the site's path is no text"))?;
    git(&repository, &["worktree", "add", "-q", "-b", branch, shown, &base])?;
    Ok(Worktree { folder, branch: branch.to_owned(), base })
}

/// Runs a program in the worktree.
///
/// # Errors
/// It cannot be started.
pub fn run(
    worktree: &Worktree,
    command: &[String],
    input: &str,
    environment: &[(&str, &str)],
    patience: Duration,
) -> Result<Ran> {
    child::run(command, &worktree.folder, input, environment, patience)
}

/// What was done; what was left uncommitted is committed with `message` first.
///
/// # Errors
/// git fails.
pub fn collect(worktree: &Worktree, message: &str) -> Result<Work> {
    let folder = &worktree.folder;
    git(folder, &["add", "-A"])?;
    if !git(folder, &["status", "--porcelain"])?.trim().is_empty() {
        git(folder, &["commit", "-q", "--no-verify", "-m", message])?;
    }
    let range = format!("{}..HEAD", worktree.base);
    let lines = |text: String| text.lines().map(str::to_owned).collect();
    Ok(Work {
        commits: lines(git(folder, &["log", "--reverse", "--format=%s", &range])?),
        files: lines(git(folder, &["diff", "--name-only", "--no-renames", &range])?),
    })
}

/// Files that differ between two revisions of a repository, `A..B` or `A...B`.
///
/// # Errors
/// It is no repository, or there is no such revision.
pub fn changed(repository: &Path, range: &str) -> Result<Vec<String>> {
    // What begins with a dash would be an option.
    let bounded = range.contains("..") && !range.starts_with('-');
    if !bounded {
        return Err(Error::InvalidArguments {
            field: "--change".into(),
            problem: "it is no range of revisions".into(),
            example: "--change main...improve/br-0001-1-20261129".into(),
        });
    }
    let named = git(repository, &["diff", "--name-only", "--no-renames", range, "--"])?;
    Ok(named.lines().map(str::to_owned).collect())
}

/// Takes the folder away; the branch stays for a person, unless nothing was done on it.
///
/// # Errors
/// git fails.
pub fn end(site: &Site, repository: &str, worktree: &Worktree, keep_branch: bool) -> Result<()> {
    let repository = site.repository().site_dir().join(repository);
    let shown = worktree.folder.to_str().unwrap_or_default();
    git(&repository, &["worktree", "remove", "--force", shown])?;
    if !keep_branch {
        git(&repository, &["branch", "-q", "-D", &worktree.branch])?;
    }
    Ok(())
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    // No hook and no editor of the repository runs by our doing.
    let fixed = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "commit.gpgSign=false"];
    let command: Vec<String> = fixed.iter().chain(arguments).map(|part| (*part).to_owned()).collect();
    let ran = child::run(&command, folder, "", &[("GIT_TERMINAL_PROMPT", "0"), ("GIT_EDITOR", "true")], GIT)?;
    if ran.ok {
        return Ok(ran.said);
    }
    let reason = ran.said.lines().next_back().unwrap_or("no word").chars().take(300).collect();
    Err(Error::Git { action: "prepare a draft", reason })
}
