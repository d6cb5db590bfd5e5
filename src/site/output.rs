//! The site as files in a folder, written while it is being built, so that no more than a few outputs are held at a time.

use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use super::Site;
use crate::build::{self, Built, Company, Options, Stopwatch};
use crate::error::{Error, Result};
use crate::model::{Output, Progress, Snapshot};
use crate::store::{Writer, Written};

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
    let (sender, outputs) = sync_channel(WAITING);
    let open = || site.repository().output_writer(snapshot, folder);
    thread::scope(|scope| {
        let writing = scope.spawn(|| fill(&open, outputs));
        // The receiver goes before its sender only where the writer panicked, which joining reports.
        let take = |path: String, output: Output| drop(sender.send((path, output)));
        let company = Company { progress: Some(progress), take: Some(&take), watch, ..Company::default() };
        let built = build::build_with(snapshot, options, &build::Cache::default(), company);
        drop(sender);
        if let Some(watch) = watch {
            watch.stage("write files");
        }
        let filled = writing.join().map_err(|_| Error::internal("writing the output panicked"))?;
        let built = built?;
        let (writer, files) = filled?;
        // A site without any output empties its folder as well.
        let writer = writer.map_or_else(open, Ok)?;
        Ok(Placed { built, files, written: writer.finish()? })
    })
}

/// Writes outputs as they come, and opens the folder with the first: a build that is refused leaves no folder behind.
fn fill<'a>(
    open: &dyn Fn() -> Result<Writer<'a>>,
    outputs: Receiver<(String, Output)>,
) -> Result<(Option<Writer<'a>>, usize)> {
    let (mut writer, mut files, mut failed) = (None, 0, None);
    // After an error the rest is taken and dropped, so that the build does not wait for a reader.
    for (path, output) in outputs {
        if failed.is_some() {
            continue;
        }
        files += 1;
        let put = match &mut writer {
            Some(writer) => Writer::put(writer, &path, &output.data),
            None => open().and_then(|opened| writer.insert(opened).put(&path, &output.data)),
        };
        failed = put.err();
    }
    failed.map_or(Ok((writer, files)), Err)
}
