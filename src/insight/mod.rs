//! The improvement loop: what the journal of tool calls says about friction, and what to do about it.
//!
//! A report is deterministic: the same records make the same one, byte for byte.

pub mod brief;
mod detect;
pub mod draft;
mod echo;
mod entry;
mod export;
pub mod feedback;
mod figures;
mod finding;
mod journal;
mod journal_files;
mod keyed;
mod known;
mod metric;
mod quote;
mod reading;
mod record;
mod redact;
mod report;
mod secret;
mod session;
mod settings;
mod shape;
mod thresholds;
mod trace;
mod trust;
mod unused;
mod window;

pub use brief::{Brief, Measured};
pub use detect::{DETECTORS, Detector, detector_of};
pub use entry::{Entry, codes};
pub use export::{ExportForm, export};
pub use feedback::{Feedback, Kind as FeedbackKind, Receipt, Reporter, Taken};
pub use figures::{Figures, figures};
pub use finding::{Finding, Occurrence, Rank};
pub use journal::Journal;
pub use keyed::Key;
pub use known::{answers, exists_already};
pub use record::{Outcome, Record, Write, read_journal};
pub use redact::redact;
pub use report::{Place, Report, report};
pub use session::{Origin, Placed};
pub use settings::{DraftSettings, Level, Settings};
pub use shape::Arguments;
pub use thresholds::Thresholds;
pub use trace::{Call, Kind, Trace};
pub use trust::{Level as TrustLevel, STOP, Trust};
pub use unused::Offered;
pub use window::{Window, moment};
