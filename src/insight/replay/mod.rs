//! Plays an editor's tasks against a server, the same way every time: scripted operators that take the shortest way the server's live tool
//! list offers, and goals that are checked in the files, never in replies.

mod goal;
mod player;
mod task;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::ContentPath;
use crate::site::Site;

pub use player::{World, play};
pub use task::{Policy, Task, files, tasks};

/// The answer to one call.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// It was refused, or there is no such tool.
    pub refused: bool,
    /// The reply's JSON, or that of the refusal.
    pub value: Value,
    /// Bytes of the arguments.
    pub sent: u64,
    /// Bytes of the reply.
    pub got: u64,
    /// Milliseconds.
    pub ms: f64,
}

/// A connection to a server; handed in, because processes are a layer elsewhere.
pub trait Client {
    /// The tool list as the server gives it.
    ///
    /// # Errors
    /// The server is gone.
    fn tools(&mut self) -> Result<Value>;

    /// Calls a tool; a refusal is a reply.
    ///
    /// # Errors
    /// The server is gone.
    fn call(&mut self, tool: &str, arguments: &Value) -> Result<Reply>;
}

/// One task played by one operator.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Played {
    /// The task.
    pub task: String,
    /// The operator.
    pub policy: &'static str,
    /// Which of the task's ways was taken, from 0.
    pub route: usize,
    /// Tool names, in order.
    pub calls: Vec<String>,
    /// Calls that were refused.
    pub refused: usize,
    /// Looks at the published page in a browser: no calls.
    pub looks: usize,
    /// Bytes of arguments, replies, and pages looked at in a browser.
    pub bytes: u64,
    /// Seconds spent waiting for replies.
    pub seconds: f64,
    /// Source files that are live and were not before, or differently.
    pub published: usize,
    /// The goal is reached: what is missing, where it is not.
    pub missing: Vec<String>,
}

impl Played {
    /// Whether the files are as they should be.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.missing.is_empty()
    }
}

/// Compares the site with what the task wants.
///
/// # Errors
/// The site cannot be read.
pub fn judge(task: &Task, site: &Site, played: &mut Played) -> Result<()> {
    let (working, live) = (site.repository().working()?, site.live()?);
    let start = task::start()?;
    played.published = crate::site::rehearsal::differing(&start, &live).len();
    played.missing = task.goal.iter().filter_map(|check| goal::missing(check, &start, &working, &live)).collect();
    Ok(())
}

fn path(text: &str) -> Result<ContentPath> {
    ContentPath::from_disk(text)
}

fn broken(problem: impl std::fmt::Display) -> Error {
    Error::internal(format!("tasks.json: {problem}"))
}
