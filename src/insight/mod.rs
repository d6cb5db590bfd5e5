//! The improvement loop: what the journal of tool calls says about friction, and what to do about it.
//!
//! A report is deterministic: the same records make the same one, byte for byte.

mod detect;
mod entry;
mod finding;
mod journal;
mod journal_files;
mod keyed;
mod reading;
mod record;
mod report;
mod secret;
mod session;
mod settings;
mod shape;
mod thresholds;
mod trace;

pub use detect::{DETECTORS, Detector, detector_of};
pub use entry::{Entry, codes};
pub use finding::{Finding, Occurrence, Rank};
pub use journal::{Journal, read_all};
pub use keyed::Key;
pub use record::{Outcome, Record, Write, read_journal};
pub use report::{Place, Report, report};
pub use session::Origin;
pub use settings::{Level, Settings};
pub use shape::Arguments;
pub use thresholds::Thresholds;
pub use trace::{Call, Kind, Trace};
