//! The site as files in a folder, written while it is being built, so that no more than a few outputs are held at a time.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::Site;
use crate::build::{self, Built, Company, Options, Scope, Stopwatch};
use crate::error::{Error, Result};
use crate::model::{Digest, Digester, Output, Progress, Snapshot};
use crate::store::{Row, Rows, Stamp, Stock, Writer, Written};

/// Outputs that wait to be written at most: rendering waits for the disk then.
const WAITING: usize = 256;

/// A build in its folder.
#[derive(Debug)]
pub struct Placed {
    /// Library and diagnostics; the outputs are in the folder.
    pub built: Built,
    /// How many output files there are.
    pub files: usize,
    /// What changed in the folder.
    pub written: Written,
}

/// Builds a snapshot into a folder anywhere (made if missing), or into the site's own output folder.
///
/// One thread writes what the others render: several that make files in one file system wait for each other.
///
/// # Errors
/// Those of [`build::build_followed`], where nothing is removed; those of writing, where what was written stays.
pub fn write(
    site: &Site,
    snapshot: &Snapshot,
    options: &Options,
    folder: Option<&Path>,
    progress: &Progress,
    watch: Option<&Stopwatch>,
) -> Result<Placed> {
    let warm = Warm::of(site, options, folder);
    let held = warm.held();
    let (sender, outputs) = sync_channel(WAITING);
    let open = || site.repository().output_writer(snapshot, folder);
    thread::scope(|scope| {
        let writing = scope.spawn(|| fill(&open, outputs));
        // The receiver goes before its sender only where the writer panicked, which joining reports.
        let take = |path: String, output: Output| drop(sender.send(Put::Output(path, output)));
        let have = |path: &str, digest: Digest| {
            let there = held.get(path).is_some_and(|row| row.digest == digest);
            if there {
                drop(sender.send(Put::Held(path.to_owned())));
            }
            there
        };
        let (take, have) = (Some(&take as &build::Take<'_>), Some(&have as &build::Have<'_>));
        let company = Company { progress: Some(progress), take, have, watch, ..Company::default() };
        let built = build::build_with(snapshot, options, &site.shared.cache, company);
        drop(sender);
        if let Some(watch) = watch {
            watch.stage("write files");
        }
        let filled = writing.join().map_err(|_| Error::internal("writing the output panicked"))?;
        let built = built?;
        let (writer, files) = filled?;
        // A site without any output empties its folder as well.
        let writer = writer.map_or_else(open, Ok)?;
        let (written, stamps) = writer.finish()?;
        warm.keep(&built, &held, stamps);
        Ok(Placed { built, files: files.len(), written })
    })
}

/// What an earlier process left that makes this build shorter.
struct Warm<'a> {
    site: &'a Site,
    options: &'a Options,
    folder: Option<&'a Path>,
    /// Names of what is kept: of what was made from what, and of what is where.
    names: (String, String),
}

impl<'a> Warm<'a> {
    fn of(site: &'a Site, options: &'a Options, folder: Option<&'a Path>) -> Self {
        let place = folder.map(|folder| std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()));
        let place = Digester::default().with(&place).finish();
        Self { site, options, folder, names: (made(options), format!("held-{place}")) }
    }

    /// Files that are where the last build put them.
    fn held(&self) -> Rows {
        let repository = self.site.repository();
        let (Some(made), Some(held)) = (repository.warm(&self.names.0), repository.warm(&self.names.1)) else {
            return Rows::new();
        };
        let Ok(rows) = serde_json::from_slice(&held) else { return Rows::new() };
        self.site.shared.cache.recall(self.options, &made);
        repository.still_held(self.folder, rows)
    }

    /// Leaves the same for the next process. Where that fails, the next build takes longer and nothing else.
    fn keep(&self, built: &Built, held: &Rows, stamps: BTreeMap<String, Stamp>) {
        let fresh = stamps.into_iter().filter_map(|(path, stamp)| {
            let digest = *built.digests.get(&path)?;
            Some((path, Row { digest, stamp }))
        });
        let mut rows: Rows = fresh.collect();
        if rows.is_empty() && built.rendered.is_empty() {
            return;
        }
        let kept = held.iter().filter(|(path, row)| built.digests.get(*path) == Some(&row.digest));
        for (path, row) in kept {
            rows.entry(path.clone()).or_insert(*row);
        }
        let repository = self.site.repository();
        let made = self.site.shared.cache.saved(self.options);
        let pieces = [(&self.names.0, made), (&self.names.1, serde_json::to_vec(&rows).ok())];
        for (name, bytes) in pieces {
            if let Some(bytes) = bytes
                && let Err(error) = repository.keep_warm(name, &bytes)
            {
                tracing::debug!(%error, "the cache is not written");
            }
        }
    }
}

/// What it is kept as that outputs were made from.
fn made(options: &Options) -> String {
    let of = Digester::default().with(&(options.drafts, options.future, &options.base_url)).finish();
    format!("made-{of}")
}

/// Before the first publish of this process: what an earlier one remembers of how the output was made that is live.
pub(super) fn recall(site: &Site, stock: &Stock) {
    site.shared.recalled.call_once(|| {
        let options = site.build_options(Scope::Everything, false);
        let kept = if stock.is_known() { site.repository().warm(&made(&options)) } else { None };
        if let Some(kept) = kept {
            site.shared.cache.recall(&options, &kept);
        }
    });
}

/// After a publish: leaves both for the next process, where they are not there already as far as it is worth its time.
pub(super) fn keep(site: &Site) {
    if !site.repository().save_stock() {
        return;
    }
    let options = site.build_options(Scope::Everything, false);
    let kept = site.shared.cache.saved(&options).map(|saved| site.repository().keep_warm(&made(&options), &saved));
    if let Some(Err(error)) = kept {
        tracing::debug!(%error, "the cache is not written");
    }
}

/// What the writer is told.
enum Put {
    /// An output that was made.
    Output(String, Output),
    /// A file that stays.
    Held(String),
}

/// Writes outputs as they come, and opens the folder with the first: a build that is refused leaves no folder behind.
fn fill<'a>(
    open: &dyn Fn() -> Result<Writer<'a>>,
    puts: Receiver<Put>,
) -> Result<(Option<Writer<'a>>, HashSet<String>)> {
    let (mut writer, mut files, mut failed) = (None, HashSet::new(), None);
    // After an error the rest is taken and dropped, so that the build does not wait for a reader.
    for put in puts {
        if failed.is_some() {
            continue;
        }
        let opened = match writer.take() {
            Some(writer) => Ok(writer),
            None => open(),
        };
        let done = opened.and_then(|opened: Writer<'a>| {
            let writer = writer.insert(opened);
            match put {
                Put::Output(path, output) => {
                    writer.put(&path, &output.data)?;
                    files.insert(path);
                }
                Put::Held(path) => {
                    writer.keep(path.clone());
                    files.insert(path);
                }
            }
            Ok(())
        });
        failed = done.err();
    }
    failed.map_or(Ok((writer, files)), Err)
}
