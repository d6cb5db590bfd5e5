//! The improvement loop: what the journal of tool calls says about friction, and what to do about it.
//!
//! Everything here is deterministic: the same records make the same report, byte for byte.

mod detect;
mod finding;
mod live;
mod reading;
mod record;
pub mod replay;
mod report;
pub mod self_test;
mod thresholds;
mod trace;
mod verdict;

pub use detect::{DETECTORS, Detector, detector_of};
pub use finding::{Finding, Occurrence, Rank};
pub use live::{Live, live};
pub use record::{Outcome, Record, Write, read_journal};
pub use report::{Place, Report, report};
pub use thresholds::Thresholds;
pub use trace::{Call, Kind, Trace};
pub use verdict::{Figures, Judgement, Metric, Verdict, verdict};
