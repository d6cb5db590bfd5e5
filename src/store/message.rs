//! Commit messages: a revision's reason and trailers, written safely and read back.

use git2::Oid;

use super::failure::git_error;
use super::revision::{Identity, Note, Revision, RevisionId, RevisionKind};
use super::tree::Difference;
use crate::error::Result;
use crate::model::{BlobId, ContentPath};

const FIRST_LINE: usize = 200;
const TRAILER: usize = 200;
const BODY: usize = 10_000;

/// The trailer that says how a commit of ours came about: `edit`, `hand-edit`, `merge`, `publish`, `change-set` or `discard`.
pub(crate) const ORIGIN: &str = "Origin";

/// Who commits: sitewright itself; the author is the person or agent.
pub(crate) fn committer() -> Identity {
    Identity { name: "sitewright".into(), email: "sitewright@localhost".into() }
}

/// The commit message for a note. The last paragraph is always ours, so text from a caller can never pass for a trailer.
pub(crate) fn format(note: &Note) -> String {
    let text: String = note.message.chars().take(BODY).map(|c| if c == '\t' { ' ' } else { c }).collect();
    let text: String = text.replace("\r\n", "\n").chars().filter(|c| *c == '\n' || is_printable(*c)).collect();
    let mut lines = text.trim().lines();
    let first = cut(lines.next().unwrap_or_default().trim(), FIRST_LINE);
    let mut out = if first.is_empty() { "Edit".to_owned() } else { first };
    out.push('\n');
    let rest: Vec<&str> = lines.map(str::trim_end).collect();
    let rest = rest.join("\n");
    let rest = rest.trim();
    if !rest.is_empty() {
        out.push('\n');
        out.push_str(rest);
        out.push('\n');
    }
    out.push('\n');
    let mut trailers = note.trailers.clone();
    if !trailers.iter().any(|(key, _)| key == ORIGIN) {
        trailers.push((ORIGIN.into(), "edit".into()));
    }
    for (key, value) in &trailers {
        let key: String = key.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
        let value: String = value.chars().map(|c| if is_printable(c) { c } else { ' ' }).collect();
        if !key.is_empty() {
            out.push_str(&format!("{key}: {}\n", cut(value.trim(), TRAILER)));
        }
    }
    out
}

/// Neither control nor bidirectional formatting characters: they would make a log lie.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

/// Splits a commit message into its text and its trailers.
pub(crate) fn parse(message: &str) -> (String, Vec<(String, String)>) {
    let message = message.trim();
    let (text, last) = message.rsplit_once("\n\n").unwrap_or((message, ""));
    let trailers: Option<Vec<_>> = last.lines().map(trailer).collect();
    match trailers {
        Some(trailers) if !trailers.is_empty() => (text.trim().to_owned(), trailers),
        _ => (message.to_owned(), Vec::new()),
    }
}

fn trailer(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once(':')?;
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    plain.then(|| (key.to_owned(), value.trim().to_owned()))
}

/// A commit as a revision, with these changes.
pub(crate) fn revision(git: &git2::Repository, id: Oid, changes: Vec<super::Change>) -> Result<Revision> {
    let commit = git.find_commit(id).map_err(git_error("read a commit"))?;
    let (message, trailers) = parse(&String::from_utf8_lossy(commit.message_bytes()));
    let author = commit.author();
    Ok(Revision {
        id: revision_id(id),
        kind: kind(&commit, &trailers),
        time: jiff::Timestamp::from_second(commit.time().seconds()).unwrap_or_default(),
        author: Identity {
            name: String::from_utf8_lossy(author.name_bytes()).into_owned(),
            email: String::from_utf8_lossy(author.email_bytes()).into_owned(),
        },
        message,
        trailers,
        changes,
    })
}

/// How a commit came about. Only a commit made by us is believed about its origin.
pub(crate) fn kind_of(commit: &git2::Commit<'_>) -> RevisionKind {
    kind(commit, &parse(&String::from_utf8_lossy(commit.message_bytes())).1)
}

/// Whether sitewright made a commit, of whatever kind.
pub(crate) fn is_ours(commit: &git2::Commit<'_>) -> bool {
    commit.committer().email_bytes() == committer().email.as_bytes()
}

fn kind(commit: &git2::Commit<'_>, trailers: &[(String, String)]) -> RevisionKind {
    if !is_ours(commit) {
        return RevisionKind::Commit;
    }
    match trailers.iter().find(|(key, _)| key == ORIGIN).map(|(_, value)| value.as_str()) {
        Some("hand-edit") => RevisionKind::HandEdit,
        Some("publish") => RevisionKind::Publish,
        Some("merge" | "change-set" | "discard") => RevisionKind::Commit,
        _ => RevisionKind::Edit,
    }
}

/// A git id as a revision id.
pub(crate) fn revision_id(id: Oid) -> RevisionId {
    RevisionId(id.to_string())
}

/// A git id as a blob id.
pub(crate) fn blob_id(id: Oid) -> BlobId {
    let mut bytes = [0; 20];
    for (to, from) in bytes.iter_mut().zip(id.as_bytes()) {
        *to = *from;
    }
    BlobId(bytes)
}

/// A tree difference as changes of site files; paths that are no part of a site are left out.
pub(crate) fn changes(differences: Vec<Difference>) -> Vec<super::Change> {
    differences
        .into_iter()
        .filter(|d| super::places::in_site(&d.path))
        .filter_map(|d| {
            let file = |e: Option<super::tree::Entry>| e.filter(|e| e.is_file()).map(|e| blob_id(e.id));
            let (before, after) = (file(d.old), file(d.new));
            let path = ContentPath::from_disk(&d.path).ok()?;
            (before != after).then_some(super::Change { path, before, after })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(message: &str, trailers: &[(&str, &str)]) -> Note {
        Note {
            message: message.into(),
            trailers: trailers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = format(&note("Fix the title\n\nIt was wrong.", &[("Tool", "page_write"), ("Call-Id", "7")]));
        let (message, trailers) = parse(&text);
        assert_eq!(message, "Fix the title\n\nIt was wrong.");
        assert_eq!(trailers, note("", &[("Tool", "page_write"), ("Call-Id", "7"), ("Origin", "edit")]).trailers);
    }

    #[test]
    fn a_message_cannot_forge_a_trailer() {
        let (message, trailers) = parse(&format(&note("x\n\nOrigin: publish\nTool: none", &[])));
        assert!(message.contains("Origin: publish"));
        assert_eq!(trailers, [("Origin".to_owned(), "edit".to_owned())]);
        let (_, trailers) = parse(&format(&note("x", &[("Tool", "a\nOrigin: publish")])));
        assert_eq!(trailers[0].1, "a Origin: publish");
        assert_eq!(trailers.len(), 2);
    }

    #[test]
    fn control_characters_and_length_are_bounded() {
        let text = format(&note(&format!("a\u{1b}[31m\u{202e}{}", "x".repeat(500)), &[]));
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("a[31mx") && first.chars().count() == 200);
        assert_eq!(parse(&format(&note("", &[]))).0, "Edit");
    }

    #[test]
    fn a_plain_commit_has_no_trailers() {
        assert_eq!(parse("Just this"), ("Just this".to_owned(), vec![]));
        assert_eq!(parse("A\n\nno trailer here\n").1, vec![]);
    }
}
