//! Work kept between builds of one process, keyed by content, bounded; it never changes a result.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde_json::{Map, Value};

use super::frame::Frame;
use super::lineage::Lineage;
use super::load::Parsed;
use super::memory::Memory;
use super::shelf::Shelf;
use super::template::Templates;
use super::{Options, Stopwatch};
use crate::error::Result;
use crate::model::config::MarkdownConfig;
use crate::model::{BlobId, ContentPath, Diagnostic, Progress, Snapshot};

/// Compiled themes kept: live, working tree and a few change sets.
const MAX_THEMES: usize = 4;

/// Frames kept: the working tree, the live state, the preview of both, and some of named change sets.
const MAX_FRAMES: usize = 8;
/// Builds of everything that are remembered, without their bytes: what is published, and previews.
const MAX_MEMORIES: usize = 4;
/// Edited pages up to which a frame is made from the one before.
const MOST_EDITED: usize = 256;

/// Parsed pages and compiled templates of earlier builds.
#[derive(Default)]
pub struct Cache {
    pages: Mutex<Pages>,
    themes: Mutex<Vec<(ThemeKey, Arc<Compiled>)>>,
    frames: Mutex<Vec<Kept>>,
    shelves: Mutex<Vec<(FrameOptions, Shelf)>>,
    /// The newest states that other processes can have.
    shelved: Mutex<Vec<(FrameOptions, Lineage)>>,
    memories: Mutex<Vec<(FrameOptions, Arc<Memory>)>>,
}

/// The frame of a snapshot.
struct Kept {
    snapshot: Snapshot,
    options: FrameOptions,
    /// It holds from this moment on, until the frame says.
    since: jiff::Timestamp,
    frame: Arc<Frame>,
}

/// The options a frame depends on, besides the moment.
#[derive(PartialEq)]
struct FrameOptions {
    drafts: bool,
    future: bool,
    base_url: Option<String>,
}

impl FrameOptions {
    fn of(options: &Options) -> Self {
        Self { drafts: options.drafts, future: options.future, base_url: options.base_url.clone() }
    }
}

/// Parsed pages for as long as a frame holds them.
#[derive(Default)]
struct Pages {
    options: Option<MarkdownConfig>,
    by_blob: HashMap<BlobId, Weak<Parsed>>,
    /// How many there may be before those that nobody holds any more are dropped.
    most: usize,
}

/// All that compiling a theme depends on.
#[derive(PartialEq)]
struct ThemeKey {
    name: String,
    overrides: Map<String, Value>,
    files: Vec<(ContentPath, BlobId)>,
}

/// A compiled theme with the findings of compiling it.
pub(crate) struct Compiled {
    /// The templates.
    pub(crate) templates: Templates,
    /// What compiling them found.
    pub(crate) findings: Vec<Diagnostic>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages = lock(&self.pages).by_blob.len();
        f.debug_struct("Cache")
            .field("pages", &pages)
            .field("frames", &lock(&self.frames).len())
            .finish_non_exhaustive()
    }
}

/// What is behind the lock is only ever a memo, whole after every statement: a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One build's look at the parsed pages: other options than last time begin an empty memo.
pub(crate) struct Batch<'a> {
    cache: &'a Cache,
    options: MarkdownConfig,
    /// The newest frame read with these options: it holds its pages however many they are.
    before: Option<Arc<Frame>>,
}

impl Cache {
    /// Begins a build with these options.
    #[must_use]
    pub(crate) fn batch(&self, options: &MarkdownConfig) -> Batch<'_> {
        let reads_alike = |kept: &&Kept| kept.frame.library.config.markdown == *options;
        let before = lock(&self.frames).iter().rev().find(reads_alike).map(|kept| Arc::clone(&kept.frame));
        let mut pages = lock(&self.pages);
        if pages.options.as_ref() != Some(options) {
            *pages = Pages { options: Some(options.clone()), ..Pages::default() };
        }
        Batch { cache: self, options: options.clone(), before }
    }

    /// The site of a snapshot: the one made before, one made from it, or a new one.
    pub(super) fn frame(
        &self,
        snapshot: &Snapshot,
        options: &Options,
        progress: &Progress,
        watch: Option<&Stopwatch>,
    ) -> Result<Arc<Frame>> {
        progress.proceed()?;
        let of = FrameOptions::of(options);
        let (mut frame, mut changed) = self.nearest(snapshot, &of, options.now);
        if frame.is_none() && self.unshelve(snapshot, &of, options)? {
            (frame, changed) = self.nearest(snapshot, &of, options.now);
        }
        let frame = match frame {
            Some(frame) if changed.is_empty() => return Ok(frame),
            Some(frame) => frame.with_texts(snapshot, options, self, &changed),
            None => None,
        };
        let frame = match frame {
            Some(frame) => frame,
            None => Frame::read(snapshot, options, self, progress, watch)?,
        };
        Ok(self.keep(snapshot, of, options.now, frame))
    }

    fn keep(&self, snapshot: &Snapshot, options: FrameOptions, since: jiff::Timestamp, frame: Frame) -> Arc<Frame> {
        let frame = Arc::new(frame);
        let kept = Kept { snapshot: snapshot.clone(), options, since, frame: Arc::clone(&frame) };
        let mut frames = lock(&self.frames);
        if frames.len() >= MAX_FRAMES {
            frames.remove(0);
        }
        frames.push(kept);
        frame
    }

    /// Takes the frame of an earlier process, where it is of use; whether it was.
    fn unshelve(&self, snapshot: &Snapshot, of: &FrameOptions, options: &Options) -> Result<bool> {
        let mut shelves = lock(&self.shelves);
        let Some(at) = shelves.iter().position(|(known, _)| known == of) else { return Ok(false) };
        // It is of use at once or never: what comes later differs more.
        let (of, shelf) = shelves.remove(at);
        drop(shelves);
        if !shelf.serves(snapshot, options.now, MOST_EDITED) {
            return Ok(false);
        }
        let (files, since) = (shelf.files.clone(), shelf.times.0);
        let frame = Frame::restore(shelf, snapshot, options, self)?;
        self.keep(&files, of, since, frame);
        Ok(true)
    }

    /// The newest site read with these options, in pieces whose bytes in a row are for [`Cache::recall_site`] in another process of the
    /// same program.
    #[must_use]
    pub fn saved_site(&self, options: &Options) -> Option<Vec<Vec<u8>>> {
        let of = FrameOptions::of(options);
        let frames = lock(&self.frames);
        let kept = frames.iter().rev().find(|kept| kept.options == of)?;
        let (frame, snapshot, since) = (Arc::clone(&kept.frame), kept.snapshot.clone(), kept.since);
        drop(frames);
        let saved = frame.shelve(&snapshot, since)?;
        self.note_shelved(of, frame.lineage.clone());
        Some(saved)
    }

    /// Whether the newest site read with these options has that many pages, and differs from what other processes can have in more
    /// than a few.
    #[must_use]
    pub fn is_ahead(&self, options: &Options, least: usize, few: usize) -> bool {
        let of = FrameOptions::of(options);
        let newest = |kept: &&Kept| kept.options == of;
        let Some(frame) = lock(&self.frames).iter().rev().find(newest).map(|kept| Arc::clone(&kept.frame)) else {
            return false;
        };
        let shelved = lock(&self.shelved);
        let known = shelved.iter().find(|(known, _)| *known == of);
        let near = known.and_then(|(_, lineage)| frame.lineage.between(lineage));
        frame.library.pages.len() >= least && near.is_none_or(|pages| pages.len() > few)
    }

    fn note_shelved(&self, options: FrameOptions, lineage: Lineage) {
        let mut shelved = lock(&self.shelved);
        shelved.retain(|(known, _)| *known != options);
        shelved.push((options, lineage));
    }

    /// Takes in what [`Cache::saved_site`] gave; anything else is passed over.
    pub fn recall_site(&self, options: &Options, saved: &[u8]) {
        if let Some(shelf) = Shelf::read(saved) {
            self.note_shelved(FrameOptions::of(options), shelf.lineage.clone());
            lock(&self.shelves).push((FrameOptions::of(options), shelf));
        }
    }

    /// What the last build of everything with these options made.
    #[must_use]
    pub(super) fn memory(&self, options: &Options) -> Arc<Memory> {
        let of = FrameOptions::of(options);
        let memories = lock(&self.memories);
        memories.iter().find(|(known, _)| *known == of).map(|(_, memory)| Arc::clone(memory)).unwrap_or_default()
    }

    /// Whether a build of everything with these options is remembered.
    #[must_use]
    pub(super) fn remembers(&self, options: &Options) -> bool {
        let of = FrameOptions::of(options);
        lock(&self.memories).iter().any(|(known, _)| *known == of)
    }

    /// What a build of everything with these options left, for [`Cache::recall`] in another process of the same program; `None` where
    /// there was none.
    #[must_use]
    pub fn saved(&self, options: &Options) -> Option<Vec<u8>> {
        if !self.remembers(options) {
            return None;
        }
        rmp_serde::to_vec(&*self.memory(options)).ok()
    }

    /// Takes in what [`Cache::saved`] gave; anything else is passed over.
    pub fn recall(&self, options: &Options, saved: &[u8]) {
        if let Ok(memory) = rmp_serde::from_slice(saved) {
            self.remember(options, memory);
        }
    }

    /// Keeps what a build of everything made.
    pub(super) fn remember(&self, options: &Options, memory: Memory) {
        let of = FrameOptions::of(options);
        let mut memories = lock(&self.memories);
        memories.retain(|(known, _)| *known != of);
        if memories.len() >= MAX_MEMORIES {
            memories.remove(0);
        }
        memories.push((of, Arc::new(memory)));
    }

    /// The newest frame that holds now and differs in few files, and these files.
    fn nearest(
        &self,
        snapshot: &Snapshot,
        options: &FrameOptions,
        now: jiff::Timestamp,
    ) -> (Option<Arc<Frame>>, Vec<ContentPath>) {
        let mut frames = lock(&self.frames);
        let holds = |kept: &Kept| kept.since <= now && kept.frame.until.is_none_or(|until| now < until);
        for at in (0..frames.len()).rev().filter(|&at| frames[at].options == *options && holds(&frames[at])) {
            if let Some(changed) = frames[at].snapshot.differing(snapshot, MOST_EDITED) {
                let mut kept = frames.remove(at);
                if changed.is_empty() {
                    // The next one is compared with what it shares most with.
                    kept.snapshot = snapshot.clone();
                }
                let frame = Arc::clone(&kept.frame);
                frames.push(kept);
                return (Some(frame), changed);
            }
        }
        (None, Vec::new())
    }

    /// The site's theme, compiled.
    #[must_use]
    pub(crate) fn templates(&self, snapshot: &Snapshot, name: &str, overrides: &Map<String, Value>) -> Arc<Compiled> {
        let key = ThemeKey {
            name: name.to_owned(),
            overrides: overrides.clone(),
            files: snapshot.under("themes").map(|(path, file)| (path.clone(), file.id)).collect(),
        };
        if let Some((_, compiled)) = lock(&self.themes).iter().find(|(known, _)| *known == key) {
            return Arc::clone(compiled);
        }
        let (templates, findings) = Templates::compile(snapshot, name, overrides);
        let compiled = Arc::new(Compiled { templates, findings });
        let mut themes = lock(&self.themes);
        if themes.len() >= MAX_THEMES {
            themes.remove(0);
        }
        themes.push((key, Arc::clone(&compiled)));
        compiled
    }
}

impl Batch<'_> {
    /// A page parsed before with the same options.
    #[must_use]
    pub(crate) fn get(&self, path: &ContentPath, blob: &BlobId) -> Option<Arc<Parsed>> {
        if let Some(before) = &self.before
            && let Some(&index) = before.library.by_path.get(path)
            && before.library.pages[index].blob.as_ref() == Some(blob)
            && let Some(parsed) = before.sources[index].as_ref().and_then(|source| source.known())
        {
            return Some(parsed);
        }
        let pages = lock(&self.cache.pages);
        if pages.options.as_ref() != Some(&self.options) {
            return None;
        }
        pages.by_blob.get(blob).and_then(Weak::upgrade)
    }

    /// Keeps this build's pages.
    pub(crate) fn keep<'p>(&self, parsed: impl Iterator<Item = (BlobId, &'p Arc<Parsed>)>) {
        let mut pages = lock(&self.cache.pages);
        let pages = &mut *pages;
        if pages.options.as_ref() != Some(&self.options) {
            return;
        }
        pages.by_blob.extend(parsed.map(|(blob, parsed)| (blob, Arc::downgrade(parsed))));
        if pages.by_blob.len() > pages.most {
            pages.by_blob.retain(|_, parsed| parsed.strong_count() > 0);
            pages.most = 2 * pages.by_blob.len();
        }
    }
}
