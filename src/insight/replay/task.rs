//! The tasks as data, and the site they are played on.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{broken, path};
use crate::error::Result;
use crate::model::{ContentPath, Snapshot};
use crate::site::{rehearsal, starter};

const DATA: &str = include_str!("../../../benches/heal/tasks.json");
const LAYOUT: &str = "themes/default/layouts/page.hbs";
/// What makes the theme of the site its own: a layout that differs from the shipped one.
const BANNER: &str = "<article>\n<p class=\"banner\">A banner of our own</p>";

/// How an operator goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Looks before it is live.
    Careful,
    /// Leaves out what can be left out, and gives up on an error that says nothing.
    Hasty,
    /// Gets the names of arguments wrong at first.
    Novice,
    /// Has the habits of the server before.
    Legacy,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Careful, Self::Hasty, Self::Novice, Self::Legacy];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Careful => "careful",
            Self::Hasty => "hasty",
            Self::Novice => "novice",
            Self::Legacy => "legacy",
        }
    }
}

/// One task.
#[derive(Debug, Clone, Deserialize)]
pub struct Task {
    /// `T1` to `T12`.
    pub id: String,
    /// What an editor wants.
    pub title: String,
    /// Ways to do it, in the order of preference.
    pub(super) routes: Vec<Route>,
    /// What the files must be like afterwards.
    pub(super) goal: Vec<Check>,
}

/// One way.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Route {
    /// What the live tool list must have.
    #[serde(default)]
    pub(super) requires: Vec<String>,
    pub(super) steps: Vec<Step>,
}

/// One step: a call, a group that is repeated, a person's edit, or a look in a browser.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Step {
    /// Taken only where all of this holds.
    pub(super) when: Vec<String>,
    pub(super) call: String,
    pub(super) args: Value,
    /// Values of the reply by JSON pointer.
    pub(super) save: BTreeMap<String, String>,
    /// Once for each of these values.
    pub(super) each: Vec<Value>,
    /// The variable that holds the value.
    pub(super) name: String,
    /// Until all of this holds, at most `most` times.
    pub(super) until: Vec<String>,
    pub(super) most: usize,
    /// Milliseconds to wait before.
    pub(super) wait: u64,
    pub(super) steps: Vec<Step>,
    /// A file that a person appends `text` to.
    pub(super) hand: String,
    pub(super) text: String,
    /// An output file that is looked at in a browser.
    pub(super) look: String,
    /// Steps that several tasks share, by name.
    #[serde(rename = "use")]
    pub(super) part: String,
}

/// One property of the files.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Check {
    /// A source file that is live.
    pub(super) live: String,
    /// A source file of the working tree.
    pub(super) file: String,
    /// Contains all of these.
    pub(super) has: Vec<String>,
    /// Contains none of these.
    pub(super) lacks: Vec<String>,
    /// Is not there.
    pub(super) absent: bool,
    /// Everything live that begins so is as it was; `*` for all files but those that `besides` names.
    pub(super) same: String,
    pub(super) besides: Vec<String>,
    /// This many live files below it contain `has`.
    pub(super) below: String,
    pub(super) count: usize,
}

#[derive(Debug, Deserialize)]
struct Data {
    site: BTreeMap<String, String>,
    slips: BTreeMap<String, BTreeMap<String, String>>,
    parts: BTreeMap<String, Vec<Step>>,
    tasks: Vec<Task>,
}

fn data() -> Result<Data> {
    let mut data: Data = serde_json::from_str(DATA).map_err(broken)?;
    let parts = data.parts.clone();
    for route in data.tasks.iter_mut().flat_map(|task| &mut task.routes) {
        spell_out(&mut route.steps, &parts)?;
    }
    Ok(data)
}

/// Puts shared steps where they are used; parts may use parts.
fn spell_out(steps: &mut [Step], parts: &BTreeMap<String, Vec<Step>>) -> Result<()> {
    for step in steps {
        if !step.part.is_empty() {
            step.steps = parts.get(&step.part).ok_or_else(|| broken(&step.part))?.clone();
        }
        spell_out(&mut step.steps, parts)?;
    }
    Ok(())
}

/// All tasks.
///
/// # Errors
/// The data is broken.
pub fn tasks() -> Result<Vec<Task>> {
    Ok(data()?.tasks)
}

/// Per tool the argument that a novice gets wrong, and how.
pub(super) fn slips() -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    Ok(data()?.slips)
}

/// The files of the site that the tasks are played on.
///
/// # Errors
/// The data is broken.
pub fn files() -> Result<Vec<(ContentPath, Vec<u8>)>> {
    let mut files: BTreeMap<String, Vec<u8>> = starter::files("Replay")
        .into_iter()
        .filter(|(path, _)| path.as_str().starts_with("themes/"))
        .map(|(path, bytes)| (path.to_string(), bytes))
        .collect();
    if let Some(layout) = files.get_mut(LAYOUT) {
        *layout = String::from_utf8_lossy(layout).replacen("<article>", BANNER, 1).into_bytes();
    }
    files.extend(data()?.site.into_iter().map(|(path, text)| (path, text.into_bytes())));
    for n in 1..=60 {
        let body = format!("Note {n} is about nothing in particular. ").repeat(22);
        let text = format!("---\ntitle: Note {n}\ndate: 2026-01-{:02}\n---\n{body}\n", n % 28 + 1);
        files.insert(format!("content/notes/n{n:02}.md"), text.into_bytes());
    }
    for n in 1..=20 {
        let text = format!("---\ntitle: Member {n}\n---\nWorks here.\n");
        files.insert(format!("content/team/m{n:02}.md"), text.into_bytes());
    }
    files.into_iter().map(|(name, bytes)| Ok((path(&name)?, bytes))).collect()
}

/// The site before any task.
pub(super) fn start() -> Result<Snapshot> {
    Ok(rehearsal::snapshot(files()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps with all that has to hold before they are taken.
    fn walked<'s>(steps: &'s [Step], under: &[String], found: &mut Vec<(&'s Step, Vec<String>)>) {
        for step in steps {
            let when = [under, &step.when].concat();
            walked(&step.steps, &when, found);
            found.push((step, when));
        }
    }

    /// Else a server without a preview would seem cheaper only because nobody looks at what was made there.
    #[test]
    fn who_looks_with_a_preview_looks_without_one_too() {
        let mut met = 0;
        for task in tasks().unwrap() {
            let mut found = Vec::new();
            for route in &task.routes {
                walked(&route.steps, &route.requires, &mut found);
            }
            let previews = found.iter().filter(|(step, _)| step.call == "preview").count();
            let shows = |step: &Step| {
                let included =
                    step.args["include"].as_array().is_some_and(|asked| asked.iter().any(|part| part == "html"));
                !step.look.is_empty() || (step.call == "page_get" && included)
            };
            let others =
                found.iter().filter(|(step, when)| shows(step) && !when.iter().any(|only| only == "tool:preview"));
            // One that asks for what a write would have shown is taken only where a write can show it.
            let others = others.filter(|(_, when)| !when.iter().any(|only| only == "arg:page_write.include"));
            assert!(previews == 0 || others.count() > 0, "{}: nobody looks where there is no preview", task.id);
            met += usize::from(previews > 0);
        }
        assert!(met >= 4);
    }
}
