//! The detectors: what friction looks like in a trace. Definitions and guards follow the research this product began with; each is
//! described for people in `content/docs/journal.md`.

mod errors;
mod habits;
mod looks;
mod reads;
mod time;
mod writes;

use super::finding::{Occurrence, Rank};
use super::thresholds::Thresholds;
use super::trace::Trace;

/// Finds one kind of friction.
type Find = fn(&Trace<'_>, &Thresholds, &mut Vec<Occurrence>);

/// A kind of friction.
#[derive(Debug, Clone, Copy)]
pub struct Detector {
    /// `F01` to `F20`.
    pub id: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Rank,
    /// What it means, with `{}` for the tools.
    pub title: &'static str,
    /// What would take it away.
    pub remedy: &'static str,
    /// Finds it.
    pub(super) find: Find,
}

const fn detector(
    id: &'static str,
    name: &'static str,
    severity: Rank,
    find: Find,
    title: &'static str,
    remedy: &'static str,
) -> Detector {
    Detector { id, name, severity, title, remedy, find }
}

/// All detectors, in the order in which a wasted call is charged: to the first that claims it.
pub const DETECTORS: [Detector; 19] = [
    detector(
        "F05",
        "collateral write",
        Rank::Critical,
        writes::collateral,
        "{} wrote objects outside its declared footprint",
        "Fix the defect: the call must leave these objects alone.",
    ),
    detector(
        "F15",
        "desire path",
        Rank::Medium,
        errors::desire_path,
        "Callers expect {}, which does not exist",
        "Accept the name as an alias, name the right one in the error, or build it.",
    ),
    detector(
        "F13",
        "conflict churn",
        Rank::High,
        writes::conflict_churn,
        "{} is refused by conflicts that nobody else caused",
        "Merge where edits do not overlap, and give the fresh etag in the error.",
    ),
    detector(
        "F04",
        "schema retry",
        Rank::Medium,
        errors::schema_retry,
        "{} is called with wrong arguments first",
        "Name the right field in the error, accept the wrong one as an alias, or describe it better.",
    ),
    detector(
        "F17",
        "polling",
        Rank::Medium,
        reads::polling,
        "{} is called again and again while nothing changes",
        "Let the call wait for the change, or notify.",
    ),
    detector(
        "F09",
        "N+1 reads",
        Rank::Medium,
        reads::one_by_one,
        "{} is called once per listed item",
        "Read many at once, or give the fields in the list.",
    ),
    detector(
        "F08",
        "id hop",
        Rank::Low,
        reads::id_hop,
        "{} is called only to find the name for the next call",
        "Accept the path or name the caller has already.",
    ),
    detector(
        "F06",
        "publish to look",
        Rank::High,
        looks::publish_to_look,
        "{}: published, looked, and changed again",
        "Preview shows the same before it is live; say so where it is looked for.",
    ),
    detector(
        "F02",
        "echo read",
        Rank::Low,
        reads::echo,
        "{} reads back what was just written",
        "Answer the write with what the read is for.",
    ),
    detector(
        "F03",
        "duplicate read",
        Rank::Low,
        reads::duplicate,
        "{} reads the same twice",
        "Answer \"unchanged since\", or link to the first reply.",
    ),
    detector(
        "F01",
        "missed batch",
        Rank::Medium,
        writes::missed_batch,
        "{} is called once per object in a row",
        "Take many objects in one call, and say so in the description.",
    ),
    detector(
        "F07",
        "preview-fix loop",
        Rank::Medium,
        looks::preview_loop,
        "{}: the same diagnostic in preview after preview",
        "Answer the write with the diagnostic.",
    ),
    detector(
        "F10",
        "oversized reply",
        Rank::Medium,
        reads::oversized,
        "{} answers with more than is used",
        "Cap the reply, and be concise by default.",
    ),
    detector(
        "F11",
        "paging churn",
        Rank::Low,
        reads::paging,
        "{} is paged through",
        "Filter, count or sort on the server's side.",
    ),
    detector(
        "F12",
        "slow call",
        Rank::High,
        time::slow,
        "{} takes long",
        "Make it faster, or let it go on in the background.",
    ),
    detector(
        "F14",
        "dead end",
        Rank::High,
        errors::dead_end,
        "After an error of {} the task is given up",
        "Say in the error what to do next, or build what is missing.",
    ),
    detector(
        "F16",
        "recurring chain",
        Rank::Info,
        habits::chain,
        "{} are called in this order again and again",
        "One call for the chain, if it saves more than it adds to the tool list.",
    ),
    detector(
        "F19",
        "confusable tools",
        Rank::Info,
        habits::confusable,
        "{} are taken for each other",
        "Rename, merge, or point from one to the other.",
    ),
    detector(
        "F20",
        "undo churn",
        Rank::Info,
        writes::undo_churn,
        "{}: changed and changed back",
        "Look for the preview that is missing.",
    ),
];

/// The detector of that id.
#[must_use]
pub fn detector_of(id: &str) -> Option<&'static Detector> {
    DETECTORS.iter().find(|detector| detector.id == id)
}

/// Everything all detectors see, in charging order.
#[must_use]
pub(in crate::insight) fn all(trace: &Trace<'_>, thresholds: &Thresholds) -> Vec<Occurrence> {
    let mut found = Vec::new();
    for detector in &DETECTORS {
        (detector.find)(trace, thresholds, &mut found);
    }
    found
}

/// Whether a declaration covers an object: by its id, by its kind, or by a pattern that ends in `*`.
pub(super) fn covers(declared: &[String], object: &str) -> bool {
    let kind = object.split(':').next().unwrap_or(object);
    declared.iter().any(|entry| {
        let entry = entry.as_str();
        entry == object
            || entry == kind
            || entry == "*"
            || entry.strip_suffix('*').is_some_and(|start| object.starts_with(start))
    })
}
