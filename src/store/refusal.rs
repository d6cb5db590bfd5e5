//! What cannot be worked with: kinds of repository refused at opening, and states in which the working tree is not written.

use std::path::Path;

use git2::RepositoryState;

use super::failure::git_error;
use crate::error::{Error, Result};

fn unsupported(problem: &str, cure: &str) -> Error {
    Error::UnsupportedRepository { problem: problem.into(), cure: cure.into() }
}

/// A repository without a working tree.
pub(crate) fn bare() -> Error {
    unsupported("it is bare: it has no working tree", "Clone it and name the clone's folder with `--site`.")
}

fn sha256() -> Error {
    unsupported(
        "it uses SHA-256 object ids",
        "Make the repository anew with `git init --object-format=sha1` and bring the files over.",
    )
}

fn reftable() -> Error {
    unsupported(
        "it keeps its refs in the reftable format",
        "Run `git refs migrate --ref-format=files` in it (git 2.46 or later).",
    )
}

fn partial() -> Error {
    unsupported("it is a partial clone: files may be missing", "Clone it again without `--filter`.")
}

fn foreign() -> Error {
    unsupported(
        "its folder belongs to another user",
        "Have its owner run sitewright, or add the folder to `safe.directory` in your git configuration.",
    )
}

fn split_index() -> Error {
    unsupported(
        "its index is split",
        "Run `git config core.splitIndex false` and `git update-index --no-split-index` in it.",
    )
}

fn sparse() -> Error {
    unsupported("it is a sparse checkout: files may be missing", "Run `git sparse-checkout disable` in it.")
}

/// Opens the repository around a folder, with one clear refusal for each kind that libgit2 cannot open.
pub(crate) fn open(site_dir: &Path) -> Result<git2::Repository> {
    let none: [&Path; 0] = [];
    let Ok(found) = git2::Repository::discover_path(site_dir, none) else {
        return Err(unsupported(
            "there is no git repository here",
            "Run `sitewright init` there, or `git init` in the folder that is to hold it.",
        ));
    };
    check_format(&found)?;
    git2::Repository::open_ext(site_dir, git2::RepositoryOpenFlags::empty(), none).map_err(|error| {
        let text = error.message();
        if error.code() == git2::ErrorCode::Owner || text.contains("not owned by current user") {
            foreign()
        } else if text.contains("refstorage") || text.contains("reftable") {
            reftable()
        } else if text.contains("object format") || text.contains("objectformat") {
            sha256()
        } else if text.contains("partialclone") {
            partial()
        } else {
            git_error("open the repository")(error)
        }
    })
}

/// Reads the format from the repository's own file: libgit2 refuses some formats with answers nobody understands.
fn check_format(git_dir: &Path) -> Result<()> {
    let common = std::fs::read_to_string(git_dir.join("commondir")).ok();
    let common = common.map_or_else(|| git_dir.to_owned(), |path| git_dir.join(path.trim()));
    let Ok(config) = git2::Config::open(&common.join("config")) else { return Ok(()) };
    let value = |key: &str| config.get_string(key).unwrap_or_default().to_ascii_lowercase();
    if config.get_bool("core.bare").unwrap_or_default() && common == git_dir {
        return Err(bare());
    }
    if value("extensions.objectformat") == "sha256" {
        return Err(sha256());
    }
    if value("extensions.refstorage").starts_with("reftable") {
        return Err(reftable());
    }
    if !value("extensions.partialclone").is_empty() {
        return Err(partial());
    }
    Ok(())
}

/// Refuses kinds that libgit2 opens but where files or entries would be missing.
pub(crate) fn check(git: &git2::Repository) -> Result<()> {
    if git.is_bare() {
        return Err(bare());
    }
    let config = git.config().and_then(|mut c| c.snapshot()).map_err(git_error("read the configuration"))?;
    let is_on = |key: &str| config.get_bool(key).unwrap_or_default();
    if is_on("core.sparseCheckout") || is_on("index.sparse") {
        return Err(sparse());
    }
    if has_promisor(&config) {
        return Err(partial());
    }
    if let Err(error) = git.index() {
        return Err(if error.message().contains("extension") {
            split_index()
        } else {
            git_error("read the index")(error)
        });
    }
    Ok(())
}

fn has_promisor(config: &git2::Config) -> bool {
    let Ok(mut entries) = config.entries(Some("^remote\\..*\\.promisor$")) else { return false };
    let mut found = false;
    while let Some(Ok(entry)) = entries.next() {
        found |= entry.value().is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    }
    found
}

/// Refuses a site that git is told to ignore: nothing of it would ever be recorded.
pub(crate) fn check_ignored(git: &git2::Repository, prefix: &str) -> Result<()> {
    let config = if prefix.is_empty() {
        super::places::CONFIG.to_owned()
    } else {
        format!("{prefix}/{}", super::places::CONFIG)
    };
    if git.is_path_ignored(&config).unwrap_or_default() {
        let head = super::refs::tree_of(git, super::refs::target(git, "HEAD")?)?;
        if super::tree::entry(git, head, &config)?.is_none() {
            return Err(unsupported(
                "the site's folder is ignored by .gitignore",
                "Take the folder out of .gitignore, or move the site.",
            ));
        }
    }
    Ok(())
}

/// Why the working tree may not be written now, with what resolves it; `None` when it may.
pub(crate) fn state(git: &git2::Repository, branch: &str) -> Option<(String, String)> {
    let told = |state: &str, cure: &str| Some((state.to_owned(), cure.to_owned()));
    match git.state() {
        RepositoryState::Clean | RepositoryState::Bisect => {}
        RepositoryState::Merge => {
            return told(
                "a merge is in progress",
                "Finish it with `git commit` or give it up with `git merge --abort`.",
            );
        }
        RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => {
            return told(
                "a rebase is in progress",
                "Finish it with `git rebase --continue` or give it up with `--abort`.",
            );
        }
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => {
            return told(
                "a cherry-pick is in progress",
                "Finish it with `git cherry-pick --continue` or give it up with `--abort`.",
            );
        }
        RepositoryState::Revert | RepositoryState::RevertSequence => {
            return told(
                "a revert is in progress",
                "Finish it with `git revert --continue` or give it up with `--abort`.",
            );
        }
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => {
            return told(
                "patches are being applied",
                "Finish it with `git am --continue` or give it up with `--abort`.",
            );
        }
    }
    let head = git.find_reference("HEAD").ok();
    let on = head.as_ref().and_then(|h| h.symbolic_target().ok().flatten());
    match on.and_then(|name| name.strip_prefix("refs/heads/")) {
        None => told("HEAD is detached", &format!("Check out the publish branch: `git switch {branch}`.")),
        Some(other) if other != branch => told(
            &format!("branch {other} is checked out, the publish branch is {branch}"),
            &format!("Check out the publish branch: `git switch {branch}`."),
        ),
        Some(_) => None,
    }
}
