//! Making changes live: select, build exactly what will be committed, commit, push, answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::change::selected;
use super::edit::{Written, new_findings};
use super::{Call, Site, address, after, expand, hold, output, review, schedule};
use crate::build::{Built, Scope};
use crate::error::{Error, Result};
use crate::model::forge::Proposal;
use crate::model::{Config, ContentPath, Diagnostic, Digest, Forge, Severity, Snapshot};
use crate::store::{
    ChangeKind, ChangeSet, Made, OutputChange, PublishRequest, Published, ReviewRequest, RevisionId, Status, Stock,
    Synced, Unpublished,
};

/// How much of a publish is done, roughly, when the site is read.
const READ: f64 = 0.1;
/// When the remote has answered.
const ASKED: f64 = 0.2;
/// When the output is built.
const BUILT: f64 = 0.6;
/// When it is sure that it breaks nothing that is live.
const COMPARED: f64 = 0.8;

/// What to publish.
#[derive(Debug, Clone, Default)]
pub struct PublishQuery {
    /// Pages or files; empty: everything.
    pub paths: Vec<String>,
    /// Take a person's hand edits along.
    pub hand_edits: bool,
    /// Take a person's unpushed commits along.
    pub local_commits: bool,
    /// Send it to review instead of live.
    pub review: bool,
    /// Not now, but then; `None`: now.
    pub at: Option<jiff::Timestamp>,
}

/// What went live, or would.
#[derive(Debug)]
pub struct PublishReply {
    /// The store's account: revision, push, changes, what stays.
    pub published: Published,
    /// Of what stays, pages that are on hold.
    pub held: Vec<ContentPath>,
    /// Nothing was written because it was only asked what would be.
    pub dry_run: bool,
    /// URL paths of HTML pages added, changed, removed.
    pub urls: BTreeMap<ChangeKind, Vec<String>>,
    /// Sources whose output changed although they did not: count of re-rendered pages beyond the published ones.
    pub rerendered: usize,
    /// Findings in what is live now, errors first, at most 20.
    pub diagnostics: Vec<Diagnostic>,
    /// Where a person opens the review, or finds it; `None`: nothing is in review, or the remote's web side is not known.
    pub review_url: Option<String>,
    /// The change set that was frozen to be published later; nothing is live yet then.
    pub scheduled: Option<ChangeSet>,
}

/// What is chosen to go out, and what is known of the site then.
struct Chosen {
    status: Status,
    built: Arc<Built>,
    /// `None`: everything.
    paths: Option<BTreeSet<ContentPath>>,
    held: BTreeSet<ContentPath>,
    of_edit: bool,
    trial: Option<RevisionId>,
}

/// Publishes everything or a selection, or sends it to review.
///
/// # Errors
/// `Needs`, `HandEdits`, `LocalCommits`, `Conflict`, `BuildFailed`, `RemoteUnavailable`, `RepositoryState`.
pub fn publish(site: &Site, call: &Call, query: &PublishQuery) -> Result<PublishReply> {
    let progress = &call.progress;
    progress.step(0.0, "Reading the site")?;
    schedule::check(site, query)?;
    let status = site.repository().status_followed(progress)?;
    let (_, built) = site.working_followed(&progress.part(0.0, READ))?;
    let held = hold::of(&built, status.unpublished.iter().map(|item| &item.change.path));
    let paths = match query.paths.as_slice() {
        [] => None,
        names => Some(selection(site, &built, &status.unpublished, names)?),
    };
    hold::refuse_named(&built, &held, &query.paths)?;
    send(site, call, query, &Chosen { status, built, paths, held, of_edit: false, trial: None })
}

/// The files that an edit found as it wanted them and that are not live: the call before it was cut off after its edit, or its
/// publish was refused.
///
/// # Errors
/// What reading the repository can fail with.
pub fn waiting(site: &Site, written: &Written) -> Result<Vec<ContentPath>> {
    if written.same.is_empty() {
        return Ok(Vec::new());
    }
    let unpublished = site.repository().status()?.unpublished.into_iter().map(|item| item.change.path);
    Ok(unpublished.filter(|path| written.same.contains(path)).collect())
}

/// Publishes exactly the files that an edit wrote, or in a dry run would write; of one that changed nothing, those that wait.
///
/// # Errors
/// As [`publish`]; the edit stays as it is. `RepositoryState` before the first publish, which takes everything.
pub fn edit(site: &Site, call: &Call, written: &Written) -> Result<PublishReply> {
    let progress = &call.progress;
    progress.step(0.0, "Reading the site")?;
    let status = site.repository().status_followed(progress)?;
    if status.live.is_none() {
        return Err(Error::RepositoryState {
            state: "nothing is live yet, and the first publish takes everything".into(),
            cure: "Look at change_list, then call publish without `paths`.".into(),
        });
    }
    let reading = progress.part(0.0, READ);
    let built = match &written.trial {
        Some(trial) => site.library_followed(&site.repository().snapshot_at(trial)?, false, &reading)?,
        None => site.working_followed(&reading)?.1,
    };
    let paths: BTreeSet<ContentPath> =
        written.changed.iter().map(|file| &file.path).chain(&written.same).cloned().collect();
    let held = hold::of(&built, status.unpublished.iter().map(|item| &item.change.path).chain(&paths));
    if let Some(path) = paths.intersection(&held).next() {
        return Err(hold::refused(path));
    }
    let chosen = Chosen { status, built, paths: Some(paths), held, of_edit: true, trial: written.trial.clone() };
    send(site, call, &PublishQuery::default(), &chosen)
}

/// Keeps what is answered to an edit that was published, for the same call sent again. What did not arrive is tried again then.
pub fn keep_answer(site: &Site, call: &Call, reply: &PublishReply, answer: &Value) {
    let arrived = [&reply.published.pushed, &reply.published.deployed].into_iter().flatten().all(|push| push.ok);
    if arrived && !reply.dry_run {
        super::lock(&site.shared.receipts).published(call, reply, answer);
    }
}

/// The first answer to the same call, where it published its change set to the end: the set is no longer there to be asked.
pub fn closed_by(site: &Site, call: &Call) -> Option<Written> {
    super::lock(&site.shared.receipts).of_closed(call, site.now())
}

/// Merges, builds, commits and pushes what is chosen.
fn send(site: &Site, call: &Call, query: &PublishQuery, chosen: &Chosen) -> Result<PublishReply> {
    let progress = &call.progress;
    let Chosen { status, built, paths, held, of_edit, trial } = chosen;
    let config = &built.library.config;
    let findings = std::sync::Mutex::new(Vec::new());
    let build = |sources: &Snapshot, live: &Snapshot, stock: &Stock| -> Result<Made> {
        let judge = |fresh: &[Diagnostic]| refuse_errors(fresh, chosen, sources);
        let outcome = build_for(site, call, (sources, live), stock, &judge)?;
        *super::lock(&findings) = outcome.diagnostics;
        Ok(Made { outputs: outcome.outputs, digests: outcome.digests })
    };
    progress.step(READ, "Asking the remote")?;
    let note = call.note(default_message(paths.as_ref(), held, &status.unpublished));
    let message = note.message.clone();
    let (title, slug) = (review::title(&note.message), review::slug(&note.message));
    let forge = status.remote.as_deref().and_then(|address| Forge::of(address, config.publish.host));
    let describe = |published: &Published| review::summary(site, built, published, &super::lock(&findings));
    let options = |published: &Published| match &forge {
        Some(forge) => {
            let body = describe(published);
            forge.push_options(&Proposal { branch: "", target: &status.branch, title: &title, body: &body })
        }
        None => Vec::new(),
    };
    let request = PublishRequest {
        paths: paths.clone(),
        held: held.clone(),
        hand_edits: query.hand_edits,
        of_edit: *of_edit,
        trial: trial.clone(),
        local_commits: query.local_commits,
        note,
        history: config.publish.history,
        layout: config.publish.layout,
        deploy_branch: config.publish.output_branch().to_owned(),
        review: ReviewRequest { wanted: query.review, slug: &slug, options: &options },
        dry_run: call.dry_run,
        later: query.at.is_some(),
        build: &build,
    };
    let (scheduled, published) = match query.at {
        None => (None, site.repository().publish(&request)?),
        Some(at) => schedule::freeze(site, query, &request, at)?,
    };
    if !call.dry_run {
        output::keep(site);
    }
    note_effects(site, &published, &message);
    let review_url = review_url(forge.as_ref(), &published, &title, &describe);
    let mut diagnostics = std::mem::take(&mut *super::lock(&findings));
    diagnostics.sort_by(|a, b| a.severity.cmp(&b.severity).then_with(|| a.path.cmp(&b.path)).then(a.line.cmp(&b.line)));
    diagnostics.truncate(20);
    let urls = urls(&published);
    let pages = urls.values().map(Vec::len).sum::<usize>();
    let rerendered = pages.saturating_sub(published.changes.len());
    let held = published.left.iter().map(|item| item.change.path.clone()).filter(|path| held.contains(path)).collect();
    let reply =
        PublishReply { published, held, dry_run: call.dry_run, urls, rerendered, diagnostics, review_url, scheduled };
    after::tell(site, call, &built.library, &reply, &message);
    Ok(reply)
}

/// What went out is what the call was about; it changes no source.
fn note_effects(site: &Site, published: &Published, message: &str) {
    site.effects().about_all(published.changes.iter().map(|change| &change.path));
    if let Some(revision) = &published.revision {
        site.effects().committed(revision.as_str(), message);
    }
}

/// Where a person opens the review of what was pushed for one.
fn review_url(
    forge: Option<&Forge>,
    published: &Published,
    title: &str,
    describe: &dyn Fn(&Published) -> String,
) -> Option<String> {
    let review = published.review.as_ref().filter(|review| review.revision.is_some())?;
    let forge = forge?;
    let body = describe(published);
    let proposal = Proposal { branch: &review.branch, target: &review.target, title, body: &body };
    Some(forge.review_url(&review.branch).unwrap_or_else(|| forge.compare_url(&proposal)))
}

/// Builds what will be committed; errors that live has not are for `judge`. The last moment at which a publish can be cancelled.
fn build_for(
    site: &Site,
    call: &Call,
    (sources, live): (&Snapshot, &Snapshot),
    stock: &Stock,
    judge: &dyn Fn(&[Diagnostic]) -> Result<()>,
) -> Result<Built> {
    let progress = &call.progress;
    let have = |path: &str, digest: Digest| stock.has(path, digest);
    let build = |snapshot, from, to| site.build_further(snapshot, Scope::Everything, &progress.part(from, to), &have);
    let outcome = build(sources, ASKED, BUILT)?;
    if outcome.diagnostics.iter().any(|d| d.severity == Severity::Error) {
        let fresh = match build(live, BUILT, COMPARED) {
            Ok(before) => new_findings(&before, &outcome),
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            // A first publish, or a live state that could not be built: every error counts.
            Err(_) => outcome.diagnostics.clone(),
        };
        judge(&fresh)?;
    }
    progress.report(COMPARED, if call.dry_run { "Comparing with what is live" } else { "Committing and pushing" });
    progress.commit()?;
    Ok(outcome)
}

/// The selected unpublished paths and what must travel with them.
fn selection(
    site: &Site,
    built: &Built,
    unpublished: &[Unpublished],
    names: &[String],
) -> Result<BTreeSet<ContentPath>> {
    let mut paths = selected(built, unpublished, names)?;
    let open: BTreeSet<&ContentPath> = unpublished.iter().map(|item| &item.change.path).collect();
    let mut revisions = Vec::new();
    let ids: BTreeSet<_> = unpublished.iter().flat_map(|item| &item.revisions).collect();
    for id in ids {
        revisions.push(site.repository().revision(id)?);
    }
    expand::together(&mut paths, unpublished, &revisions);
    paths.retain(|path| open.contains(path));
    if paths.is_empty() {
        let near = open.iter().take(3).map(|path| address::shown(path).to_owned()).collect();
        return Err(Error::NotFound { kind: "unpublished change", name: names.join(", "), near });
    }
    Ok(paths)
}

fn default_message(
    paths: Option<&BTreeSet<ContentPath>>,
    held: &BTreeSet<ContentPath>,
    unpublished: &[Unpublished],
) -> String {
    let everything = || unpublished.iter().map(|item| &item.change.path).collect();
    let mut all: Vec<&ContentPath> = paths.map_or_else(everything, |paths| paths.iter().collect());
    all.retain(|path| !held.contains(*path));
    let all: Vec<&str> = all.into_iter().map(address::shown).collect();
    match all.as_slice() {
        [] => "Publish".to_owned(),
        [one] => format!("Publish {one}"),
        [first, second] => format!("Publish {first} and {second}"),
        [first, ..] => format!("Publish {first} and {} others", all.len() - 1),
    }
}

/// New errors stop a publish; where they look for an unpublished path, that path is what the selection needs.
fn refuse_errors(fresh: &[Diagnostic], chosen: &Chosen, sources: &Snapshot) -> Result<()> {
    let errors: Vec<Diagnostic> = fresh.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
    let Some(first) = errors.first() else { return Ok(()) };
    let Chosen { paths, held, status, .. } = chosen;
    if paths.is_some() || !held.is_empty() {
        let goes_out = |path: &ContentPath| paths.as_ref().is_some_and(|paths| paths.contains(path));
        let stays: Vec<&Unpublished> = status.unpublished.iter().filter(|item| !goes_out(&item.change.path)).collect();
        let wanted = errors.iter().flat_map(|error| {
            let paths = [Some(error.path.as_str()), error.refers.as_deref()].into_iter().flatten();
            paths.map(move |path| (error, path))
        });
        let left_out = wanted.flat_map(|(error, path)| {
            let items = stays.iter().copied().filter(move |item| item.change.path.as_str() == path);
            items.map(move |item| (error, item))
        });
        let left_out: Vec<(&Diagnostic, &Unpublished)> = left_out
            .filter(|(_, item)| sources.get(&item.change.path).map(|file| file.id) != item.change.after)
            .collect();
        if let Some((error, item)) = left_out.iter().find(|(_, item)| held.contains(&item.change.path)) {
            return Err(hold::needed(&error.path, &item.change.path));
        }
        let needs: BTreeSet<String> = left_out
            .iter()
            .map(|(_, item)| {
                // A frozen theme goes out whole: its folder says it in one name.
                expand::frozen_folder(&item.change.path).unwrap_or_else(|| address::shown(&item.change.path).to_owned())
            })
            .collect();
        if !needs.is_empty() {
            return Err(Error::Needs { needs: needs.into_iter().collect() });
        }
    }
    Err(Error::BuildFailed { first: format!("{}: {}", first.path, first.message), diagnostics: errors })
}

/// URL paths of the HTML pages among the changed outputs.
fn urls(published: &Published) -> BTreeMap<ChangeKind, Vec<String>> {
    let mut urls: BTreeMap<ChangeKind, Vec<String>> = BTreeMap::new();
    for OutputChange { path, kind } in &published.outputs {
        let url = match path.strip_suffix("index.html") {
            Some(folder) => format!("/{folder}"),
            None if path.ends_with(".html") => format!("/{path}"),
            None => continue,
        };
        urls.entry(*kind).or_default().push(url);
    }
    urls
}

/// What a sync found.
#[derive(Debug)]
pub struct SyncReply {
    /// The store's account.
    pub synced: Synced,
    /// Whether live has sources whose output the deploy branch does not show yet.
    pub output_behind: bool,
}

/// Takes in what the remote has.
///
/// # Errors
/// `Conflict` where both sides changed the same lines, `RemoteUnavailable`, `RepositoryState`.
pub fn sync(site: &Site, call: &Call) -> Result<SyncReply> {
    // It is not built in between: what it takes in is there at once.
    call.progress.step(0.0, "Asking the remote")?;
    call.progress.commit()?;
    let synced = site.repository().sync(&call.note("Take in what the remote has"))?;
    // What was taken in may be a configuration that cannot be read: that is for the next call to say.
    let snapshot = site.repository().working()?;
    let output_behind = match Config::load(&snapshot) {
        Ok((config, _)) if config.publish.layout.has_branch() => {
            site.repository().is_output_behind(config.publish.output_branch())?
        }
        _ => false,
    };
    Ok(SyncReply { synced, output_behind })
}
