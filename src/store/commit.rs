//! Commits and whose name they bear.

use git2::{ErrorCode, Oid, Signature};

use super::failure::git_error;
use super::revision::{Identity, Note};
use super::{Repository, message};
use crate::error::Result;

impl Repository {
    /// Writes a commit object. Moves no ref.
    pub(crate) fn commit(
        &self,
        git: &git2::Repository,
        tree: Oid,
        parents: &[Oid],
        author: &Identity,
        note: &Note,
    ) -> Result<Oid> {
        let action = git_error("write a commit");
        let time = git2::Time::new(self.now().as_second(), 0);
        let author = signature(author, &time)?;
        let committer = signature(&message::committer(), &time)?;
        let tree = git.find_tree(tree).map_err(&action)?;
        let parents: Vec<_> =
            parents.iter().map(|id| git.find_commit(*id)).collect::<Result<_, _>>().map_err(&action)?;
        let parents: Vec<_> = parents.iter().collect();
        git.commit(None, &author, &committer, &message::format(note), &tree, &parents).map_err(&action)
    }

    /// The person git is configured for; `None` where it is not.
    #[expect(clippy::unused_self, reason = "it reads like its neighbours at every call")]
    pub(crate) fn person(&self, git: &git2::Repository) -> Option<Identity> {
        let config = git.config().ok()?;
        let name = config.get_string("user.name").ok().filter(|n| !n.trim().is_empty())?;
        let email = config.get_string("user.email").unwrap_or_default();
        Some(Identity { name, email })
    }

    /// Who is named as the author of edits made through tools.
    /// The name of the person that git is configured for.
    #[must_use]
    pub fn person_name(&self) -> String {
        let person = self.git().ok().and_then(|git| self.person(&git));
        person.map_or_else(|| "unknown".to_owned(), |person| person.name)
    }

    pub(crate) fn author(&self, git: &git2::Repository) -> Identity {
        self.options().author.clone().or_else(|| self.person(git)).unwrap_or_else(message::committer)
    }
}

fn signature(who: &Identity, time: &git2::Time) -> Result<Signature<'static>> {
    let clean = |text: &str| text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect::<String>();
    let name = clean(&who.name);
    let name = if name.trim().is_empty() { "unknown".to_owned() } else { name };
    let email = clean(&who.email);
    let email = if email.trim().is_empty() { "unknown@localhost".to_owned() } else { email };
    match Signature::new(&name, &email, time) {
        Err(error) if error.code() == ErrorCode::GenericError => {
            Signature::new("unknown", "unknown@localhost", time).map_err(git_error("name the author"))
        }
        other => other.map_err(git_error("name the author")),
    }
}
