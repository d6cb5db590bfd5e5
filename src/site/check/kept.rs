//! Finished checks, kept for who reads their findings in parts: bounded, and only for the very same site.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{CheckQuery, Report};
use crate::model::Snapshot;
use crate::site::Site;

/// Reports kept.
const MOST: usize = 4;
/// Findings of a report that is kept; a longer one is looked for again.
const MAX_FINDINGS: usize = 50_000;
/// How long one counts: what time and other hosts have to do with it may change.
const AGE: SignedDuration = SignedDuration::from_mins(10);

/// What a report is about.
#[derive(Debug)]
pub(super) struct About {
    change_set: Option<String>,
    query: CheckQuery,
    snapshot: Arc<Snapshot>,
}

impl About {
    /// A query on the files of a line.
    pub(super) fn of(site: &Site, query: &CheckQuery, snapshot: &Arc<Snapshot>) -> Self {
        let change_set = site.repository().change_set_id().map(str::to_owned);
        Self { change_set, query: query.clone(), snapshot: Arc::clone(snapshot) }
    }

    fn is(&self, other: &Self) -> bool {
        self.change_set == other.change_set && self.query == other.query && self.snapshot.same_files(&other.snapshot)
    }
}

/// The last reports.
#[derive(Debug, Default)]
pub(in crate::site) struct Kept(Vec<(About, Timestamp, Arc<Report>)>);

impl Kept {
    /// The report of the same query on the same files.
    pub(super) fn find(&self, about: &About, now: Timestamp) -> Option<Arc<Report>> {
        let fresh = |at: &Timestamp| now.duration_since(*at) <= AGE;
        let found = self.0.iter().rev().find(|(kept, at, _)| kept.is(about) && fresh(at))?;
        Some(Arc::clone(&found.2))
    }

    /// Keeps a report in the place of an older one about the same.
    pub(super) fn keep(&mut self, about: About, now: Timestamp, report: &Arc<Report>) {
        self.0.retain(|(kept, ..)| !kept.is(&about));
        if report.findings.len() > MAX_FINDINGS {
            return;
        }
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push((about, now, Arc::clone(report)));
    }
}
