//! Publishing a named change set: it goes out from git objects, and the working tree takes in live where it can.

use std::collections::BTreeSet;

use git2::Oid;

use super::land::Landing;
use super::output_branch::Standing;
use super::pending::Pending;
use super::plan::{self, Plan};
use super::review::Record;
use super::{Fetched, Prepared, PublishRequest, Published, Stand, stop_at};
use crate::error::{Error, Result};
use crate::store::message::ORIGIN;
use crate::store::refs::{self, move_ref, tree_of};
use crate::store::remote::{Pushed, Transport};
use crate::store::{ChangeSet, Note, Opening, Repository, message, refusal, tree};

/// The way to the remote, as far as a publish has got.
pub(super) struct Way<'a> {
    pub(super) transport: Option<&'a dyn Transport>,
    pub(super) fetched: &'a Fetched,
    pub(super) deploy: Option<Standing>,
}

impl Repository {
    /// Finishes what went live meanwhile by earlier publishes and reviews; whether there was such a publish. Refuses a named change set
    /// that cannot go live now.
    pub(super) fn land_others(&self, git: &git2::Repository, fetched: &Fetched, dry_run: bool) -> Result<bool> {
        if self.is_working() {
            let landed = !dry_run && self.land_pending(git)?;
            if !dry_run {
                self.land_reviews(git)?;
            }
            return Ok(landed);
        }
        if self.live_commit(git)?.is_none() {
            return Err(Error::RepositoryState {
                state: "nothing is live yet that the change set could join".into(),
                cure: "Publish the working tree first, without `change_set`.".into(),
            });
        }
        if matches!(fetched, Fetched::Local) && !dry_run {
            // Without a remote live is the branch the person has checked out: it moves only as a publish of theirs would.
            if let Some((state, cure)) = refusal::state(git, self.branch()) {
                return Err(Error::RepositoryState { state, cure });
            }
            self.in_working().land_pending(git)?;
        }
        Ok(false)
    }

    /// Pushes what is prepared and takes it out of the change set; `None`: the remote moved meanwhile.
    pub(super) fn publish_named(
        &self,
        git: &git2::Repository,
        way: Way<'_>,
        stand: &Stand,
        plan: &Plan,
        prepared: Prepared,
        request: &PublishRequest<'_>,
    ) -> Result<Option<Published>> {
        let Prepared { commit, output, mut published } = prepared;
        let Some(commit) = commit else {
            self.push_live_output(git, way.deploy, stand, way.fetched, output, &mut published)?;
            // What it held is live by now, from elsewhere or by a publish that was interrupted.
            if let Some(live) = stand.live
                && (plan.has_steps() || self.is_edited(git)?)
            {
                self.settle(git, &landing(live, plan))?;
            }
            return self.with_left(published).map(Some);
        };
        published.revision = Some(message::revision_id(commit));
        self.durable()?;
        stop_at("publish::committed")?;
        if matches!(way.fetched, Fetched::Local) {
            published.unfinished = self.land_locally(git, stand, commit)?;
        } else {
            match self.push(git, way.transport, way.fetched, commit, stand.live)? {
                Pushed::Moved => return Ok(None),
                Pushed::Refused(reason) => {
                    published.revision = None;
                    published.pushed = self.report(way.transport, false, Some(reason));
                    self.review_if_protected(git, plan, commit, request, &mut published)?;
                    return self.with_left(published).map(Some);
                }
                Pushed::Done => published.pushed = self.report(way.transport, true, None),
            }
        }
        stop_at("publish::pushed")?;
        if self.is_on(git, self.live_commit(git)?, commit)? {
            self.settle(git, &landing(commit, plan))?;
        }
        if let Some(deploy) = way.deploy {
            self.push_output(git, deploy, commit, output, &mut published)?;
        }
        if let Err(error) = self.in_working().catch_up(git) {
            // It is live all the same; the next publish or sync takes it in.
            tracing::info!(%error, "the working tree does not follow yet");
        }
        self.with_left(published).map(Some)
    }

    /// Without a remote live moves when the working tree has it, as after any publish.
    fn land_locally(&self, git: &git2::Repository, stand: &Stand, commit: Oid) -> Result<Option<super::Unfinished>> {
        let working = self.in_working();
        let own = working.stand(git)?;
        if own.live != stand.live {
            return Err(Error::Busy { holder: "the branch moved meanwhile".into() });
        }
        let base = match (own.tip, stand.live) {
            (Some(tip), Some(live)) => Some(plan::common(git, tip, live, &self.options().remote)?),
            (_, live) => live,
        };
        let reached = tree_of(git, base)?.ok_or_else(|| Error::internal("a commit without a tree"))?;
        Pending::remember(&working, git, commit, None, reached, &BTreeSet::new())?;
        self.durable()?;
        stop_at("publish::pending")?;
        working.finish(git)
    }

    /// The edits that live has not start anew on top of it; without any left the change set is closed.
    pub(super) fn settle(&self, git: &git2::Repository, landing: &Landing<'_>) -> Result<()> {
        let _lock = self.lock()?;
        let Some(id) = self.change_set_id() else { return Err(Error::internal("the working tree is no named set")) };
        let tip = self.named_tip(git, id)?;
        let rebased = self.rebase(git, Some(tip), landing)?;
        self.keep(git, Some(tip), rebased.tip)?;
        self.durable()?;
        if rebased.tip == landing.live {
            return self.forget_change_set(git, tip);
        }
        if rebased.tip != tip {
            move_ref(git, &self.refs().change_set(id), Some(tip), Some(rebased.tip), "sitewright: publish")?;
        }
        self.durable()
    }

    /// Takes what a merged review held out of the change set it came from, where that is still open.
    pub(super) fn land_review_of_set(&self, git: &git2::Repository, record: &Record, live: Oid) -> Result<()> {
        let Some(id) = &record.change_set else { return Ok(()) };
        let set = match self.in_change_set(id) {
            Ok(set) => set,
            Err(Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let Some(tip) = set.tip_commit(git)? else { return Ok(()) };
        let base = plan::common(git, tip, live, &self.options().remote)?;
        let mut updates = Vec::new();
        for path in &record.selected {
            updates.push((self.whole(path), record.entry(self, git, path)?));
        }
        let reached = tree::update(git, tree_of(git, Some(base))?, &updates)?;
        let published = record.tip.filter(|id| set.is_on(git, Some(tip), *id).unwrap_or(false));
        set.settle(git, &Landing { live, reached: Some(reached), tip: published, selected: &record.selected })
    }

    /// Whether anything was ever written to the change set.
    fn is_edited(&self, git: &git2::Repository) -> Result<bool> {
        let Some(id) = self.change_set_id() else { return Ok(false) };
        let record = refs::target(git, &self.refs().change_set_record(id))?;
        let began = record.and_then(|record| git.find_commit(record).ok()?.parent_id(0).ok());
        Ok(Some(self.named_tip(git, id)?) != began)
    }

    fn with_left(&self, mut published: Published) -> Result<Published> {
        published.left = match self.status() {
            Ok(status) => status.unpublished,
            Err(Error::NotFound { .. }) => {
                published.closed = true;
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        Ok(published)
    }
}

impl Repository {
    /// Freezes what is asked for as a change set that is published at its time, after the same checks as a publish now. `None`: there is
    /// nothing to publish, or it was only asked. The same selection for the same time is frozen once.
    ///
    /// # Errors
    /// As [`Repository::publish`]; [`Error::RepositoryState`] before the first publish.
    pub fn schedule(&self, request: &PublishRequest<'_>, opening: &Opening) -> Result<(Option<ChangeSet>, Published)> {
        self.check_output()?;
        self.check_branches(request)?;
        let _one = self.publish_lock()?;
        let git = self.git()?;
        self.fetch_live(&git, self.transport(&git, self.branch()).as_deref())?;
        let stand = self.stand(&git)?;
        let live = stand.live.ok_or_else(|| Error::RepositoryState {
            state: "nothing is live yet".into(),
            cure: "Publish once without `at` first.".into(),
        })?;
        let plan = self.plan(&git, &stand, request, None)?;
        let look = PublishRequest { dry_run: true, later: true, ..request.clone() };
        let published = self.prepare_publish(&git, &stand, None, &plan, &look)?.published;
        if published.changes.is_empty() || request.dry_run {
            return Ok((None, published));
        }
        let _lock = self.lock()?;
        let tip = self.freeze(&git, live, &plan)?;
        for set in self.change_sets()?.into_iter().filter(|set| set.at == opening.at) {
            let there = Oid::from_str(set.tip.as_str()).ok();
            if tree_of(&git, there)? == tree_of(&git, Some(tip))? {
                return Ok((Some(set), published));
            }
        }
        self.begin_change_set(&git, opening, live, tip).map(|set| (Some(set), published))
    }

    /// The selected edits on top of live, each with its author and reason. Moves no ref.
    fn freeze(&self, git: &git2::Repository, live: Oid, plan: &Plan) -> Result<Oid> {
        let none = BTreeSet::new();
        let landing = Landing { live, reached: None, tip: None, selected: &none };
        let tip = self.reapply(git, &landing, &plan.unlanded(), &plan.selected)?;
        if tree_of(git, Some(tip))? == Some(plan.tree) {
            return Ok(tip);
        }
        // What others published meanwhile is joined in already.
        let note = Note { message: "Join with what is live".into(), trailers: vec![(ORIGIN.into(), "merge".into())] };
        self.commit(git, plan.tree, &[tip], &self.author(git), &note)
    }
}

fn landing(live: Oid, plan: &Plan) -> Landing<'_> {
    Landing { live, reached: Some(plan.reached), tip: plan.tip, selected: &plan.selected }
}
