//! Lines of unpublished edits: the working tree, and named change sets, which exist in git objects only.

use std::sync::Arc;

use git2::Oid;

use super::entry::Entered;
use super::lock::WriterLock;
use super::message::parse;
use super::refs::{self, move_ref};
use super::{Repository, change_set};
use crate::error::{Error, Result};
use crate::model::Effects;

/// Which edits an open site is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Line {
    /// Those of the working tree.
    #[default]
    Working,
    /// Those of a named change set.
    Named(Arc<str>),
}

impl Repository {
    /// Whether it is about the working tree, and not about a named change set.
    #[must_use]
    pub fn is_working(&self) -> bool {
        *self.line() == Line::Working
    }

    /// The id of the named change set it is about.
    #[must_use]
    pub fn change_set_id(&self) -> Option<&str> {
        match self.line() {
            Line::Working => None,
            Line::Named(id) => Some(id),
        }
    }

    /// The same site, about its working tree.
    #[must_use]
    pub fn in_working(&self) -> Self {
        self.on(Line::Working)
    }

    /// The same for one call, whose effects are noted.
    #[must_use]
    pub fn noting(&self, effects: Effects) -> Self {
        let mut noting = self.clone();
        noting.effects = effects;
        noting
    }

    /// Where the call's effects are noted.
    #[must_use]
    pub fn effects(&self) -> &Effects {
        &self.effects
    }

    /// The same site, about a named change set.
    ///
    /// # Errors
    /// [`Error::NotFound`] where no such set is open.
    pub fn in_change_set(&self, id: &str) -> Result<Self> {
        let git = self.git()?;
        self.named_tip(&git, id)?;
        Ok(self.on(Line::Named(id.into())))
    }

    /// The tip of a named change set.
    pub(crate) fn named_tip(&self, git: &git2::Repository, id: &str) -> Result<Oid> {
        let not_found = || Error::NotFound { kind: "change set", name: id.to_owned(), near: Vec::new() };
        // Nothing but our own ids ever becomes part of a ref's name.
        if !change_set::is_id(id) {
            return Err(not_found());
        }
        refs::target(git, &self.refs().change_set(id))?.ok_or_else(not_found)
    }

    /// The entry to a write in a named change set: nobody but its writers can have changed it.
    pub(crate) fn enter_named(&self, git: &git2::Repository, id: &str, _lock: &WriterLock) -> Result<Entered> {
        if let Some((state, cure)) = self.frozen(git, id)? {
            return Err(Error::RepositoryState { state, cure });
        }
        let tip = self.named_tip(git, id)?;
        Ok(Entered { tip: Some(tip), base: self.snapshot_of(git, self.site_tree(git, Some(tip))?)? })
    }

    /// Makes a commit the tip of a named change set.
    pub(crate) fn advance(&self, git: &git2::Repository, id: &str, from: Option<Oid>, to: Oid) -> Result<()> {
        self.durable()?;
        move_ref(git, &self.refs().change_set(id), from, Some(to), "sitewright: edit")?;
        self.durable()
    }

    /// Why a change set takes no edits, and what resolves it: it waits for its time.
    pub(crate) fn frozen(&self, git: &git2::Repository, id: &str) -> Result<Option<(String, String)>> {
        let Some(record) = refs::target(git, &self.refs().change_set_record(id))? else { return Ok(None) };
        let commit = git.find_commit(record).map_err(super::failure::git_error("read a change set"))?;
        let (_, trailers) = parse(&String::from_utf8_lossy(commit.message_bytes()));
        let at = trailers.iter().find(|(key, _)| key == change_set::AT).map(|(_, at)| at);
        Ok(at.map(|at| {
            (
                format!("change set {id} is frozen until it is published at {at}"),
                "Discard it with `change_close`, edit, and `publish` with `at` again.".to_owned(),
            )
        }))
    }
}
