//! One line on the terminal that says how far a long command is.

use std::io::IsTerminal;
use std::sync::Arc;

use sitewright::model::Follower;

use super::print;

/// A line that is written again and again.
pub(super) struct Line;

impl Line {
    /// A line where a person reads stderr; nothing for files and pipes.
    pub(super) fn on_terminal() -> Option<Arc<Self>> {
        std::io::stderr().is_terminal().then(|| Arc::new(Self))
    }

    /// Takes the line away.
    pub(super) fn clear() {
        print::error("\r\x1b[K");
    }
}

impl Follower for Line {
    fn cancelled(&self) -> bool {
        false
    }

    fn report(&self, done: f64, what: &str) {
        print::error(&format!("\r\x1b[K{:3.0} % {what}", done * 100.0));
    }
}
