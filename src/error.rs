//! Every way an operation can be refused, with a code, the facts, and what the caller should do next.

use std::fmt;

/// What `Result` means everywhere in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refused operation. The wire code is the variant's name in `snake_case`; see [`Error::code`].
///
/// Messages state the fact: lower case, no final stop, only paths relative to the site.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something exists where it must not.
    #[error("{what} already exists")]
    AlreadyExists {
        /// The object, e.g. `page content/blog/a.md`.
        what: String,
    },
    /// An error-level diagnostic that the base did not have.
    #[error("the site would not build without errors: {first}")]
    BuildFailed {
        /// The first finding's message.
        first: String,
        /// All new findings.
        diagnostics: Vec<crate::model::Diagnostic>,
    },
    /// The browser that takes screenshots did not do its part.
    #[error("the browser failed: {reason}")]
    BrowserFailed {
        /// What happened.
        reason: String,
    },
    /// Another process or call holds the site for too long, or a ref kept moving.
    #[error("the site is busy: {holder}")]
    Busy {
        /// Who or what holds it, as far as known.
        holder: String,
    },
    /// The object changed since the caller read it, or two lines of edits touch the same lines.
    #[error("{path} changed since it was read")]
    Conflict {
        /// Site-relative path.
        path: String,
        /// The etag the caller sent, where it sent one.
        yours: Option<String>,
        /// The etag it has now; `None`: it does not exist any more.
        current: Option<String>,
        /// From what the caller read to what is there now, unified.
        diff: String,
        /// All conflicting paths of a merge (base, ours, theirs), empty for a single stale write.
        conflicts: Vec<crate::model::Conflict>,
    },
    /// The caller stopped waiting before anything was written.
    #[error("the call was cancelled")]
    Cancelled,
    /// No space left, or a quota is used up.
    #[error("no space left on the disk while writing {path}")]
    DiskFull {
        /// What was written.
        path: String,
    },
    /// `edits[].find` does not occur, or not exactly once.
    #[error("`find` occurs {count} times in {path}, expected exactly one")]
    EditMismatch {
        /// Site-relative path.
        path: String,
        /// How often it occurs.
        count: usize,
        /// The nearest lines (count 0) or the lines where it occurs, `line: text`.
        nearest: Vec<String>,
    },
    /// A fetch from the network did not work.
    #[error("{url} could not be read: {reason}")]
    FetchFailed {
        /// The caller's address, without login and query.
        url: String,
        /// Why, in words that tell nothing of this machine.
        reason: String,
    },
    /// An address that may not be read, or an answer that may not be taken.
    #[error("{url} is not read: {reason}")]
    FetchRefused {
        /// The caller's address, without login and query.
        url: String,
        /// Why, in words that tell nothing of this machine.
        reason: String,
    },
    /// A bug of ours; the cause is logged and not sent.
    #[error("internal error: {cause}")]
    Internal {
        /// For the log only.
        cause: String,
    },
    /// An argument is missing, has the wrong type or an impossible value.
    #[error("`{field}`: {problem}")]
    InvalidArguments {
        /// The argument's name, dotted for nested ones.
        field: String,
        /// What was got and what was expected.
        problem: String,
        /// A valid example.
        example: String,
    },
    /// `site.yaml` cannot be read.
    #[error("{path}:{line}: {problem}")]
    InvalidConfig {
        /// Site-relative path.
        path: String,
        /// 1-based; 0 when unknown.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A page's front matter cannot be read or patched.
    #[error("{path}:{line}:{column}: {problem}\n{excerpt}")]
    InvalidFrontMatter {
        /// Site-relative path.
        path: String,
        /// 1-based line in the file.
        line: usize,
        /// 1-based column.
        column: usize,
        /// What is wrong.
        problem: String,
        /// The line itself.
        excerpt: String,
        /// How to mend it.
        fix: String,
    },
    /// A path that may not be named.
    #[error("path `{path}` is refused: {problem}")]
    InvalidPath {
        /// As given.
        path: String,
        /// The rule it breaks.
        problem: String,
    },
    /// A publish would take along what the caller did not name: a person's hand edits.
    #[error("{} hand-edited paths are not named: {}", .paths.len(), .paths.join(", "))]
    HandEdits {
        /// The paths.
        paths: Vec<String>,
    },
    /// A person's local commits are not on the remote yet.
    #[error("{} local commits are not on the remote: {}", .commits.len(), .commits.join("; "))]
    LocalCommits {
        /// `id subject` of each.
        commits: Vec<String>,
    },
    /// A selection for publish depends on unpublished paths it does not name.
    #[error("the selection needs unpublished paths: {}", .needs.join(", "))]
    Needs {
        /// Paths to add.
        needs: Vec<String>,
    },
    /// The folder is no site.
    #[error("no site at {dir}: site.yaml is missing")]
    NoSite {
        /// The folder as the user named it.
        dir: String,
    },
    /// Nothing has this path, URL, revision or name.
    #[error("no {kind} `{name}`")]
    NotFound {
        /// page, revision, theme, file, ...
        kind: &'static str,
        /// As given.
        name: String,
        /// Near matches, best first, at most three.
        near: Vec<String>,
    },
    /// The person who runs the server chose not to offer this tool.
    #[error("`{tool}` is switched off on this server")]
    ToolOff {
        /// What was called.
        tool: String,
    },
    /// The caller lacks a right.
    #[error("`{tool}` needs the right `{right}`, which this connection does not have")]
    NotAllowed {
        /// What was called.
        tool: String,
        /// read, content, publish, ...
        right: String,
    },
    /// A replacement was planned on texts that are others now; its code is `conflict`, as for every other stale write.
    #[error("{} of the planned files changed since the plan was made: {}", .files.len(), .files.join(", "))]
    PlanMoved {
        /// Site-relative paths.
        files: Vec<String>,
    },
    /// The disk or the folder does not let us write.
    #[error("cannot write {path}: read-only or no permission")]
    ReadOnly {
        /// What was to be written.
        path: String,
    },
    /// A file that is not taken, or not read.
    #[error("{path} is refused: {problem}")]
    RefusedFile {
        /// Where it should go, or where it is.
        path: String,
        /// Why.
        problem: String,
    },
    /// The remote moved again and again while a publish was on its way.
    #[error("remote {remote} keeps moving")]
    RemoteBusy {
        /// Its name.
        remote: String,
    },
    /// The remote did not take the push for a reason of its own.
    #[error("the remote refused {reference}: {reason}")]
    RemoteRefused {
        /// The ref.
        reference: String,
        /// The remote's words.
        reason: String,
    },
    /// The remote could not be reached or kept moving.
    #[error("remote {remote} cannot be used: {reason}")]
    RemoteUnavailable {
        /// Its name, never with credentials.
        remote: String,
        /// Why.
        reason: String,
    },
    /// The repository's state forbids writing to the working tree now.
    #[error("the repository cannot be written now: {state}")]
    RepositoryState {
        /// Detached HEAD, merge in progress, locked index, ...
        state: String,
        /// What resolves it.
        cure: String,
    },
    /// A repository of a kind that cannot be used.
    #[error("this repository cannot be used: {problem}")]
    UnsupportedRepository {
        /// Bare, SHA-256, reftable, sparse, ...
        problem: String,
        /// What to do.
        cure: String,
    },
    /// A size limit is passed.
    #[error("{what} has {size} bytes, the limit is {limit}")]
    TooLarge {
        /// The object.
        what: String,
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A transaction wrote outside its declared footprint: a bug caught before anything was written.
    #[error("the call would write {path}, which it did not declare")]
    UndeclaredWrite {
        /// The path.
        path: String,
    },
    /// A file or directory operation failed for another reason.
    #[error("{action} {path}: {source}")]
    Io {
        /// read, write, rename, ...
        action: &'static str,
        /// Site-relative where possible.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// libgit2 failed for another reason.
    #[error("git: {action}: {reason}")]
    Git {
        /// What was being done.
        action: &'static str,
        /// libgit2's message.
        reason: String,
    },
}

impl Error {
    /// The wire code: the variant's name in `snake_case` (and `conflict` for [`Error::PlanMoved`]). Codes are API.
    #[must_use]
    pub fn code(&self) -> String {
        if matches!(self, Self::PlanMoved { .. }) {
            return "conflict".into();
        }
        let debug = format!("{self:?}");
        let name: &str = debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let mut code = String::with_capacity(name.len() + 4);
        for (i, c) in name.char_indices() {
            if c.is_ascii_uppercase() && i > 0 {
                code.push('_');
            }
            code.push(c.to_ascii_lowercase());
        }
        code
    }

    /// One imperative sentence that says what the caller should do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::AlreadyExists { .. } => "Leave out `create` to change it, or choose another path.".into(),
            Self::BuildFailed { .. } => "Mend what `details.diagnostics` names and send the call again.".into(),
            Self::BrowserFailed { .. } => "Use `as: html` instead, or let the person name another Chromium in SITEWRIGHT_BROWSER.".into(),
            Self::Busy { .. } => "Send the same call again in a few seconds.".into(),
            Self::Conflict { conflicts, .. } if !conflicts.is_empty() => {
                "Write each conflicting path with the text you want and `if_match` set to its `theirs.etag`, then send this call again."
                    .into()
            }
            Self::Conflict { current: Some(etag), .. } => {
                format!("Look at `details.diff`, then send the call again with `if_match: \"{etag}\"`.")
            }
            Self::Conflict { current: None, .. } => "It was deleted meanwhile: use `create: true` to write it anew.".into(),
            Self::Cancelled => "Nothing was changed; send the call again if it is still wanted.".into(),
            Self::DiskFull { .. } => "Free some space on the disk; nothing was changed, send the call again then.".into(),
            Self::EditMismatch { count: 0, path, .. } if path.starts_with("themes/") => {
                "Copy `find` exactly from the file (`theme_get` with `files`); the nearest lines are in `details.nearest`.".into()
            }
            Self::EditMismatch { count: 0, .. } => {
                "Copy `find` exactly from the page (`page_get` with `include: [\"body\"]`); the nearest lines are in `details.nearest`.".into()
            }
            Self::EditMismatch { .. } => "Make `find` longer until it is unique, or set `all: true`.".into(),
            Self::FetchFailed { .. } => "Check the address, or try again later; nothing was changed.".into(),
            Self::FetchRefused { .. } => {
                "Use another public http(s) address, or send the file as base64; a person can allow a host with `fetch.allow` in site.yaml."
                    .into()
            }
            Self::Internal { .. } => "This is a bug in sitewright; nothing was changed. Try a smaller call or another way.".into(),
            Self::InvalidArguments { example, .. } => format!("Write it like this: {example}"),
            Self::InvalidConfig { path, .. } if path == "site.yaml" => {
                "Mend that line with `text_replace` and scope [\"site.yaml\"], a wrong value with `site_update`, or bring the file back with `revision_restore`.".into()
            }
            Self::InvalidConfig { path, .. } => format!("Mend {path} at that line."),
            Self::InvalidFrontMatter { fix, .. } => fix.clone(),
            Self::InvalidPath { .. } => "Use a relative path inside content/, static/, data/ or themes/, such as `blog/hello.md`.".into(),
            Self::HandEdits { .. } => "A person edited these by hand: name them in `paths`, or set `hand_edits: true` if the person agreed.".into(),
            Self::LocalCommits { .. } => "Set `local_commits: true` to publish them along, if their author agreed.".into(),
            Self::Needs { needs } => format!("Add these to `paths`: {}.", needs.join(", ")),
            Self::NoSite { .. } => "Run `sitewright init` there, or name the site's folder with `--site`; a site.yaml that is gone comes back with `change_discard` or `revision_restore`.".into(),
            Self::NotFound { near, .. } if !near.is_empty() => format!("Did you mean {}?", near.join(" or ")),
            Self::NotFound { kind: "page", .. } => "List pages with `page_list`, or create it with `create: true` and a content path such as `blog/hello.md`.".into(),
            Self::NotFound { kind: "change set", .. } => "`change_list` names the open ones; leave `change_set` out for the working tree.".into(),
            Self::NotFound { .. } => "List what exists with `site_get` or the noun's `_list` tool.".into(),
            Self::NotAllowed { right, .. } => {
                ask(&format!("`{right}` in `--allow` (or in the token's rights) and without `--read-only`"))
            }
            Self::ToolOff { tool } => ask(&format!("`{tool}` in `--tools` and not in `--exclude`")),
            Self::PlanMoved { .. } => "Send it with `dry_run: true` and without `plan`, look at it again, then send the new plan.".into(),
            Self::ReadOnly { .. } => "Ask the person to make the site's folder writable; nothing was changed.".into(),
            Self::RefusedFile { .. } => "Name it by what it is and send it again, or ask a person: `uploads` in site.yaml says what is taken.".into(),
            Self::RemoteBusy { .. } => "Nothing is lost: send the same call again in a minute.".into(),
            Self::RemoteRefused { .. } => "Tell the person what the remote said; the commit waits, `publish` again resumes.".into(),
            Self::RemoteUnavailable { .. } => "Nothing is lost: call `publish` again when the remote can be reached.".into(),
            Self::RepositoryState { cure, .. } | Self::UnsupportedRepository { cure, .. } => cure.clone(),
            Self::TooLarge { .. } => "Split it into smaller pieces.".into(),
            Self::UndeclaredWrite { .. } => "This is a bug in sitewright; nothing was changed. Try a smaller call or another way.".into(),
            Self::Io { .. } | Self::Git { .. } => "Nothing was changed; check the folder's state with `site_get`, then try again.".into(),
        }
    }

    /// An [`Error::Internal`] from anything printable.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal { cause: cause.to_string() }
    }
}

/// What to do about something that only whoever starts the server can change.
fn ask(with: &str) -> String {
    format!("Go on with other tools, or ask the person who runs the server to start it with {with}.")
}
