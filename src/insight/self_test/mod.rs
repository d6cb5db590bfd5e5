//! Proves a server on a throw-away copy of its site: the same tools as a client calls them, step after step, and the site untouched.

mod steps;
mod walk;

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;
use crate::model::Progress;
use crate::site::Site;
use crate::site::rehearsal::{self, Extent, Rehearsal};

use steps::STEPS;
use walk::Walk;

/// Differences of the site that a report names.
const NAMED: usize = 10;

/// Calls a tool as a client would; handed in, because tools are a layer above.
pub trait Dispatcher: Send + Sync {
    /// Whether there is such a tool.
    fn has(&self, tool: &str) -> bool;

    /// The reply's JSON, or that of the refusal.
    ///
    /// # Errors
    /// The tool refused; the value has `code`, `message` and `hint`.
    fn call(
        &self,
        site: &Arc<Site>,
        tool: &str,
        arguments: Value,
        progress: &Progress,
    ) -> std::result::Result<Value, Value>;
}

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// On a copy of some pages.
    Quick,
    /// On a copy of all, with change sets, a person's edits and every page checked.
    Full,
}

/// A step that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// Its name.
    pub step: &'static str,
    /// What was expected and what came.
    pub problem: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Every step passed and the site is as it was.
    pub ok: bool,
    /// The server's version.
    pub server: &'static str,
    /// Steps that passed, in order.
    pub passed: Vec<&'static str>,
    /// Steps that did not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failed>,
    /// Steps for which a tool is missing, or a port of this machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<&'static str>,
    /// What of the site changed meanwhile: sources, output, refs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub site_changed: Vec<String>,
    /// Copies of killed runs that were removed.
    #[serde(skip_serializing_if = "is_zero")]
    pub swept: usize,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Runs a suite. The site is read, its copy is written.
///
/// # Errors
/// The site cannot be copied, or the caller no longer waits.
pub fn run(site: &Site, tools: &dyn Dispatcher, suite: Suite, progress: &Progress) -> Result<Verified> {
    let begin = Instant::now();
    let swept = rehearsal::sweep(site);
    progress.step(0.0, "Copying the site")?;
    let before = rehearsal::state(site)?;
    let extent = if suite == Suite::Full { Extent::Whole } else { Extent::Few };
    let copy = Rehearsal::of(site, extent)?;
    let mut walk = Walk::new(&copy, tools, progress);
    let (mut passed, mut failed, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    let steps: Vec<_> = STEPS.iter().filter(|step| suite == Suite::Full || !step.full_only).collect();
    for (at, step) in steps.iter().enumerate() {
        progress.step(0.1 + 0.8 * at as f64 / steps.len() as f64, step.name)?;
        if !step.needs.iter().all(|tool| tools.has(tool)) {
            skipped.push(step.name);
            continue;
        }
        match (step.go)(&mut walk) {
            Ok(()) if std::mem::take(&mut walk.cannot) => skipped.push(step.name),
            Ok(()) => passed.push(step.name),
            Err(problem) => failed.push(Failed { step: step.name, problem: problem.chars().take(400).collect() }),
        }
    }
    drop(copy);
    progress.step(0.95, "Comparing the site with what it was")?;
    let mut site_changed = rehearsal::state(site)?.differences(&before);
    site_changed.truncate(NAMED);
    let ok = failed.is_empty() && site_changed.is_empty();
    let ms = begin.elapsed().as_millis() as u64;
    Ok(Verified { ok, server: env!("CARGO_PKG_VERSION"), passed, failed, skipped, site_changed, swept, ms })
}
