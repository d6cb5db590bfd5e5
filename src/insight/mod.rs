//! The improvement loop: what the journal of tool calls says about friction, and what to do about it.
//!
//! Everything here is deterministic: the same records make the same report, byte for byte.

mod detect;
mod finding;
mod reading;
mod record;
mod report;
mod thresholds;
mod trace;

pub use detect::{DETECTORS, Detector, detector_of};
pub use finding::{Finding, Occurrence, Rank};
pub use record::{Outcome, Record, Write, read_journal};
pub use report::{Place, Report, report};
pub use thresholds::Thresholds;
pub use trace::{Call, Kind, Trace};
