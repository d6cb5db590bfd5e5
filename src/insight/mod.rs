//! The improvement loop: what the journal of tool calls says about friction, and what to do about it.
//!
//! A report is deterministic: the same records make the same one, byte for byte.

mod detect;
mod entry;
mod finding;
mod journal;
mod journal_files;
mod keyed;
mod live;
mod reading;
mod record;
pub mod replay;
mod report;
mod secret;
pub mod self_test;
mod session;
mod settings;
mod shape;
mod thresholds;
mod trace;
mod verdict;

pub use detect::{DETECTORS, Detector, detector_of};
pub use entry::{Entry, codes};
pub use finding::{Finding, Occurrence, Rank};
pub use journal::{Journal, read_all};
pub use keyed::Key;
pub use live::{Live, live};
pub use record::{Outcome, Record, Write, read_journal};
pub use report::{Place, Report, report};
pub use session::Origin;
pub use settings::{Level, Settings};
pub use shape::Arguments;
pub use thresholds::Thresholds;
pub use trace::{Call, Kind, Trace};
pub use verdict::{Figures, Judgement, Metric, Replayed, Verdict, verdict};
