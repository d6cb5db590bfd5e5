//! The site as files in a folder, written while it is being built, so that no more than a few outputs are held at a time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::Site;
use crate::build::{self, Built, Company, Options, Scope, Stopwatch};
use crate::error::{Error, Result};
use crate::model::{Digest, Output, Progress, QuickSet, Snapshot};
use crate::store::{Row, Rows, Stamp, Writer, Written, kept_as, packed, unpacked};

/// Outputs that the writer is given at a time, since waking it costs about as much as writing one.
const LOT: usize = 32;
/// Lots that wait to be written at most: rendering waits for the disk then.
const WAITING: usize = 16;

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
    let warm = Warm { site, options, folder, name: kept_as(folder) };
    let (held, ()) = rayon::join(|| warm.held(), || site.recall(options));
    let (sender, outputs) = sync_channel(WAITING);
    let open = || site.repository().output_writer(snapshot, folder);
    thread::scope(|scope| {
        let writing = scope.spawn(|| fill(&open, outputs));
        let lots = Lots { sender, filling: Mutex::default() };
        let take = |path: String, output: Output| lots.add(Put::Output(path, output));
        let have = |path: &str, digest: Digest| {
            let there = held.get(path).is_some_and(|row| row.digest == digest);
            if there {
                lots.add(Put::Held(path.to_owned()));
            }
            there
        };
        let (take, have) = (Some(&take as &build::Take<'_>), Some(&have as &build::Have<'_>));
        let company = Company { progress: Some(progress), take, have, watch, ..Company::default() };
        let built = build::build_with(snapshot, options, &site.shared.cache, company);
        lots.end();
        if let Some(watch) = watch {
            watch.stage("write files");
        }
        if built.is_ok() {
            // Beside the last of the writing: what is kept of the site is of use without it.
            scope.spawn(|| warm.keep_site(&held));
        }
        let filled = writing.join().map_err(|_| Error::internal("writing the output panicked"))?;
        let built = built?;
        let (writer, files) = filled?;
        // A site without any output empties its folder as well.
        let writer = writer.map_or_else(open, Ok)?;
        let (written, stamps) = writer.finish()?;
        warm.keep_rows(&built, &held, stamps);
        Ok(Placed { built, files: files.len(), written })
    })
}

/// What an earlier process left that makes this build shorter.
struct Warm<'a> {
    site: &'a Site,
    options: &'a Options,
    folder: Option<&'a Path>,
    /// Under which it is kept what is where.
    name: String,
}

impl Warm<'_> {
    /// Files that are where the last build put them.
    fn held(&self) -> Rows {
        let repository = self.site.repository();
        let rows = repository.warm(&self.name).and_then(|held| unpacked(&held));
        rows.map(|rows| repository.still_held(self.folder, rows)).unwrap_or_default()
    }

    /// Leaves the site for the next process, where enough is new.
    fn keep_site(&self, held: &Rows) {
        if held.is_empty() || self.site.is_ahead(self.options) {
            self.site.keep_warm(self.options);
        }
    }

    /// Leaves what is where for the next process. Where that fails, the next build takes longer and nothing else.
    fn keep_rows(&self, built: &Built, held: &Rows, stamps: BTreeMap<String, Stamp>) {
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
        if let Some(rows) = packed(&rows) {
            self.site.keep_warm_as(&self.name, &[rows]);
        }
    }
}

/// After a publish: leaves both for the next process, where they are not there already as far as it is worth its time.
pub(super) fn keep(site: &Site) {
    if site.repository().save_stock() {
        site.keep_warm(&site.build_options(Scope::Everything, false));
    }
}

/// What the writer is told.
enum Put {
    /// An output that was made.
    Output(String, Output),
    /// A file that stays.
    Held(String),
}

/// What is handed to the writer, many at a time.
struct Lots {
    sender: SyncSender<Vec<Put>>,
    filling: Mutex<Vec<Put>>,
}

impl Lots {
    fn add(&self, put: Put) {
        let mut filling = self.filling.lock().unwrap_or_else(PoisonError::into_inner);
        filling.push(put);
        if filling.len() == LOT {
            let lot = std::mem::replace(&mut *filling, Vec::with_capacity(LOT));
            drop(filling);
            self.send(lot);
        }
    }

    fn end(self) {
        let last = std::mem::take(&mut *self.filling.lock().unwrap_or_else(PoisonError::into_inner));
        self.send(last);
    }

    fn send(&self, lot: Vec<Put>) {
        // The receiver goes before its sender only where the writer panicked, which joining reports.
        drop(self.sender.send(lot));
    }
}

/// Writes outputs as they come, and opens the folder with the first: a build that is refused leaves no folder behind.
fn fill<'a>(
    open: &dyn Fn() -> Result<Writer<'a>>,
    lots: Receiver<Vec<Put>>,
) -> Result<(Option<Writer<'a>>, QuickSet<String>)> {
    let (mut writer, mut files, mut failed) = (None, QuickSet::default(), None);
    // After an error the rest is taken and dropped, so that the build does not wait for a reader.
    for put in lots.into_iter().flatten() {
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
