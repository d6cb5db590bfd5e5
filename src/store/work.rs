//! Counts what the store does, so that tests can say what an edit costs without a clock.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was done since the site was opened.
#[derive(Debug, Default)]
pub struct Work {
    looked: AtomicU64,
    read: AtomicU64,
    outputs: AtomicU64,
    made: AtomicU64,
    hashed: AtomicU64,
    compared: AtomicU64,
    synced: AtomicU64,
    opened: AtomicU64,
}

impl Work {
    /// Files that were looked at: a `stat` each.
    pub fn files_looked_at(&self) -> u64 {
        self.looked.load(Ordering::Relaxed)
    }

    /// Files that were read to see whether they changed.
    pub fn files_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Files and folders of the output that were looked at.
    pub fn outputs_looked_at(&self) -> u64 {
        self.outputs.load(Ordering::Relaxed)
    }

    /// Outputs of rendered bytes that publishes were given by their builds.
    pub fn outputs_made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// Outputs whose id in git was found by hashing their bytes.
    pub fn outputs_hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// Paths of the working tree that were compared with a tree of git.
    pub fn paths_compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed)
    }

    /// Times the disk was told to keep what was written.
    pub fn syncs(&self) -> u64 {
        self.synced.load(Ordering::Relaxed)
    }

    /// Times the git repository was opened.
    pub fn repositories_opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    pub(super) fn opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn looked(&self, files: usize) {
        self.looked.fetch_add(files as u64, Ordering::Relaxed);
    }

    pub(super) fn looked_at_output(&self, files: usize) {
        self.outputs.fetch_add(files as u64, Ordering::Relaxed);
    }

    pub(super) fn made(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn hashed(&self) {
        self.hashed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) {
        self.read.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn compared(&self, paths: usize) {
        self.compared.fetch_add(paths as u64, Ordering::Relaxed);
    }

    pub(super) fn synced(&self) {
        self.synced.fetch_add(1, Ordering::Relaxed);
    }
}
