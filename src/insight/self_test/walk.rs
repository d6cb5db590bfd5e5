//! What the steps share: calls through the dispatcher, and what is expected of their replies.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Dispatcher;
use crate::model::{Progress, Snapshot};
use crate::site::Site;
use crate::site::rehearsal::{Rehearsal, differing};

/// A step's outcome; the error says what was expected.
pub(super) type Outcome = std::result::Result<(), String>;

/// The walk through the steps on one copy of a site.
pub(super) struct Walk<'a> {
    pub(super) copy: &'a Rehearsal,
    tools: &'a dyn Dispatcher,
    progress: &'a Progress,
    /// Folder of the pages that the steps make; free in this site.
    pub(super) folder: String,
    /// This machine cannot do what the step is about.
    pub(super) cannot: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(copy: &'a Rehearsal, tools: &'a dyn Dispatcher, progress: &'a Progress) -> Self {
        let taken = |name: &String| copy.start().under(&format!("content/{name}")).next().is_some();
        let names = std::iter::once("self-test".to_owned()).chain((2..).map(|n| format!("self-test-{n}")));
        let folder = names.into_iter().find(|name| !taken(name)).unwrap_or_default();
        Self { copy, tools, progress, folder, cannot: false }
    }

    /// The content path of a page of ours.
    pub(super) fn page(&self, name: &str) -> String {
        format!("{}/{name}.md", self.folder)
    }

    pub(super) fn site(&self) -> &Arc<Site> {
        self.copy.site()
    }

    /// Calls a tool that has to succeed.
    pub(super) fn call(&self, tool: &str, arguments: Value) -> std::result::Result<Value, String> {
        self.tools
            .call(self.site(), tool, arguments, self.progress)
            .map_err(|refusal| format!("{tool} was refused: {}", refusal["message"].as_str().unwrap_or_default()))
    }

    /// Calls a tool that has to be refused, and changes nothing.
    pub(super) fn refused(&self, tool: &str, arguments: Value) -> std::result::Result<Value, String> {
        let before = self.now()?;
        let Err(refusal) = self.tools.call(self.site(), tool, arguments, self.progress) else {
            return Err(format!("{tool} was not refused"));
        };
        self.only_differs(&before, &[])?;
        for key in ["code", "message", "hint"] {
            expect(
                refusal[key].as_str().is_some_and(|text| !text.is_empty()),
                &format!("{tool} was refused without {key}"),
            )?;
        }
        Ok(refusal)
    }

    pub(super) fn now(&self) -> std::result::Result<Arc<Snapshot>, String> {
        self.copy.now().map_err(|error| error.to_string())
    }

    /// The copy's files differ from these in exactly these paths.
    pub(super) fn only_differs(&self, before: &Snapshot, paths: &[&str]) -> Outcome {
        let mut differing = differing(before, &*self.now()?);
        differing.sort();
        let mut wanted: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        wanted.sort();
        if differing == wanted {
            return Ok(());
        }
        let beyond: Vec<&String> = differing.iter().filter(|path| !wanted.contains(path)).collect();
        let missing: Vec<&String> = wanted.iter().filter(|path| !differing.contains(path)).collect();
        Err(format!("also changed: {beyond:?}; not changed: {missing:?}"))
    }

    /// Makes one page with this body.
    pub(super) fn create(&self, name: &str, body: &str) -> std::result::Result<Value, String> {
        let page =
            json!({"path": self.page(name), "create": true, "front_matter": {"title": "Self-test"}, "body": body});
        self.call("page_write", json!({"pages": [page], "message": "Self-test"}))
    }

    /// The document of a page as visitors would get it.
    pub(super) fn document(&self, name: &str) -> std::result::Result<(String, Value), String> {
        let reply = self.call("preview", json!({"pages": [self.page(name)], "as": "html"}))?;
        let html = reply["pages"][0]["html"].as_str().unwrap_or_default().to_owned();
        expect(!html.is_empty(), "preview has no html")?;
        Ok((html, reply))
    }
}

/// Fails with what was expected.
pub(super) fn expect(holds: bool, otherwise: &str) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
