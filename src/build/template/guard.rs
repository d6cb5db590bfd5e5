//! What one render may use: steps, nesting and output are counted, so that no template can hang or abort the process.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use handlebars::{BlockContext, Output, RenderContext, RenderError, RenderErrorReason, Template};

use super::Lists;
use super::still::{self, Still};

/// Loop turns, partial calls and list work in one render.
pub(super) const MAX_STEPS: usize = 1_000_000;
/// Blocks and partials open at the same time.
pub(super) const MAX_DEPTH: usize = 100;
/// Bytes of one rendered page.
pub(super) const MAX_OUTPUT: usize = 32 * 1024 * 1024;
/// Bytes written in one render in all, blocks given to partials included: those are written twice or more.
const MAX_WRITTEN: usize = 4 * MAX_OUTPUT;

/// An error a template can cause, with what the author should do about it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Fault {
    pub message: String,
    pub hint: String,
    pub refers: Option<String>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into(), refers: None }
    }
}

impl From<Fault> for RenderError {
    fn from(fault: Fault) -> Self {
        RenderErrorReason::NestedError(Box::new(fault)).into()
    }
}

/// What the renders on this thread have used. Per thread and not per render, so that a template that renders Markdown
/// that renders a shortcode counts as one; a render never leaves its thread.
#[derive(Default)]
struct Meter {
    open: Cell<usize>,
    steps: Cell<usize>,
    depth: Cell<usize>,
    written: Cell<usize>,
}

thread_local! {
    static METER: Meter = Meter::default();
}

/// How much deeper the stack gets by one render inside another, in blocks.
const NESTED_RENDER: usize = 10;

/// Held while a render runs.
pub(super) struct Session {
    depth: usize,
}

impl Session {
    /// Begins a render: from zero, or within the one that is running.
    pub(super) fn begin() -> Result<Self, Fault> {
        METER.with(|meter| {
            if meter.open.get() == 0 {
                meter.steps.set(0);
                meter.depth.set(0);
                meter.written.set(0);
            }
            let depth = meter.depth.get();
            if depth + NESTED_RENDER > MAX_DEPTH && meter.open.get() > 0 {
                return Err(too_deep(String::new()));
            }
            meter.depth.set(if meter.open.get() == 0 { 0 } else { depth + NESTED_RENDER });
            meter.open.set(meter.open.get() + 1);
            Ok(Self { depth })
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        METER.with(|meter| {
            meter.depth.set(self.depth);
            meter.open.set(meter.open.get().saturating_sub(1));
        });
    }
}

/// How much work was counted so far.
pub(super) fn steps() -> usize {
    METER.with(|meter| meter.steps.get())
}

/// Whether so many more blocks may be open at the same time.
pub(super) fn has_room(blocks: usize) -> bool {
    METER.with(|meter| meter.depth.get() + blocks <= MAX_DEPTH)
}

/// Counts work; an error once it is too much.
pub(super) fn step(count: usize) -> Result<(), Fault> {
    let steps = METER.with(|meter| {
        let steps = meter.steps.get().saturating_add(count);
        meter.steps.set(steps);
        steps
    });
    if steps > MAX_STEPS {
        return Err(Fault::new(
            format!("the template does more than {MAX_STEPS} steps (loops, partials, list work)"),
            "Loop over fewer items: use `limit`, or pagination.",
        ));
    }
    Ok(())
}

fn too_deep(trail: String) -> Fault {
    let through = if trail.is_empty() { String::new() } else { format!(" ({trail})") };
    Fault::new(
        format!("blocks and partials nest deeper than {MAX_DEPTH}{through}"),
        "Make the recursion end: a partial calls itself, directly or through another one.",
    )
}

/// One render: what helpers read, and where it is.
pub(super) struct Run<'s> {
    /// The page's HTML, or a shortcode's inner HTML.
    pub content: Option<&'s str>,
    /// The head made by the engine.
    pub head: &'s str,
    /// Look-ups into the site.
    pub lists: &'s dyn Lists,
    /// First theme of the chain, for naming files that are missing.
    pub theme: &'s str,
    /// What of the theme is the same wherever it is written.
    still: &'s Still,
    /// Scopes that were opened on the way: in none, a name means what it means on the whole page.
    scopes: AtomicUsize,
    /// Names that mean something else in the scopes that are open.
    names: Mutex<Vec<Vec<String>>>,
    trail: Mutex<Vec<String>>,
    blocks: Mutex<Vec<Option<Arc<str>>>>,
}

impl<'s> Run<'s> {
    pub(super) fn new(
        content: Option<&'s str>,
        head: &'s str,
        lists: &'s dyn Lists,
        theme: &'s str,
        still: &'s Still,
    ) -> Self {
        let (scopes, names, trail, blocks) =
            (AtomicUsize::new(0), Mutex::default(), Mutex::default(), Mutex::default());
        Self { content, head, lists, theme, still, scopes, names, trail, blocks }
    }

    /// Whether a partial called from here without arguments writes the same on every page.
    pub(super) fn is_still(&self, partial: &str) -> bool {
        self.scopes.load(Ordering::Relaxed) == 0 && self.still.partials.contains(partial)
    }

    /// Whether the turns of a loop over entries write the same for each of them wherever they are listed.
    pub(super) fn is_still_turn(&self, turn: &Template) -> bool {
        let Some(read) = self.still.turns.get(&still::place_of(turn)) else { return false };
        self.names.lock().is_ok_and(|names| names.iter().flatten().all(|name| !read.contains(name)))
    }

    /// Opens a scope, in which names mean something else.
    pub(super) fn push_scope<'rc>(
        &self,
        rc: &mut RenderContext<'_, 'rc>,
        block: BlockContext<'rc>,
        names: Vec<String>,
    ) {
        self.scopes.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut open) = self.names.lock() {
            open.push(names);
        }
        rc.push_block(block);
    }

    /// Closes what [`Run::push_scope`] opened.
    pub(super) fn pop_scope(&self, rc: &mut RenderContext<'_, '_>) {
        rc.pop_block();
        if let Ok(mut open) = self.names.lock() {
            open.pop();
        }
        self.scopes.fetch_sub(1, Ordering::Relaxed);
    }

    /// Opens a block of `elements` template elements; [`Run::leave`] closes it.
    pub(super) fn enter(&self, elements: usize) -> Result<(), Fault> {
        step(1 + elements / 8)?;
        METER.with(|meter| {
            let depth = meter.depth.get();
            if depth >= MAX_DEPTH {
                return Err(too_deep(self.trail.lock().map(|trail| shorten(&trail)).unwrap_or_default()));
            }
            meter.depth.set(depth + 1);
            Ok(())
        })
    }

    /// Closes what [`Run::enter`] opened.
    pub(super) fn leave() {
        METER.with(|meter| meter.depth.set(meter.depth.get().saturating_sub(1)));
    }

    /// Notes a partial on the way down, with the block its caller gave it.
    pub(super) fn push_partial(&self, name: &str, block: Option<Arc<str>>) {
        if let (Ok(mut trail), Ok(mut blocks)) = (self.trail.lock(), self.blocks.lock()) {
            trail.push(name.to_owned());
            blocks.push(block);
        }
    }

    /// Undoes [`Run::push_partial`].
    pub(super) fn pop_partial(&self) {
        if let (Ok(mut trail), Ok(mut blocks)) = (self.trail.lock(), self.blocks.lock()) {
            trail.pop();
            blocks.pop();
        }
    }

    /// The block given to the innermost partial.
    pub(super) fn block(&self) -> Option<Arc<str>> {
        self.blocks.lock().ok().and_then(|blocks| blocks.last().cloned().flatten())
    }
}

/// `a > b > a > b ...`: the last few are enough to see a cycle.
fn shorten(trail: &[String]) -> String {
    let last = &trail[trail.len().saturating_sub(6)..];
    let dots = if last.len() < trail.len() { "... > " } else { "" };
    format!("{dots}{}", last.join(" > "))
}

/// A string that refuses to grow without bounds.
#[derive(Default)]
pub(super) struct Capped(String);

impl Capped {
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

impl Output for Capped {
    fn write(&mut self, piece: &str) -> io::Result<()> {
        let written = METER.with(|meter| {
            let written = meter.written.get().saturating_add(piece.len());
            meter.written.set(written);
            written
        });
        if written > MAX_WRITTEN || self.0.len() + piece.len() > MAX_OUTPUT {
            let fault = Fault::new(
                format!("the page grows beyond {} MB", MAX_OUTPUT / 1024 / 1024),
                "Write less: use `limit`, `truncate`, or pagination.",
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, fault));
        }
        self.0.push_str(piece);
        Ok(())
    }
}
