//! `self_test`: hands the tools themselves to the test, so that it takes the way a client takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::reply::lean;
use super::{Context, Hints, Registry, Right, Rights, Spec, Tool};
use crate::error::Error;
use crate::insight::self_test::{self, Dispatcher, Suite};
use crate::model::Progress;
use crate::site::Site;

const SELF_TEST: Spec = Spec {
    name: "self_test",
    title: "Self-test",
    description: "Proves this server on a throw-away copy of the site: write, preview, publish, undo, theme. Use after an update, or when replies seem wrong. Replies ok, passed, failed.",
    hints: Hints::READ,
    right: Right::Content,
};

/// Arguments of `self_test`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SelfTest {
    /// full: all pages, change sets, hand edits too.
    suite: Option<Asked>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Asked {
    Quick,
    Full,
}

/// The tool, which tests these tools.
pub(super) fn tool(tools: Registry) -> Tool {
    let run = move |context: &Context, asked: SelfTest| {
        let suite = if matches!(asked.suite, Some(Asked::Full)) { Suite::Full } else { Suite::Quick };
        let calls = Calls { tools: &tools, context, count: AtomicUsize::new(0) };
        let verified = self_test::run(&context.site, &calls, suite, &context.progress)?;
        Ok(lean(serde_json::to_value(verified).map_err(Error::internal)?))
    };
    Tool::new(SELF_TEST, run).of_whole_site::<SelfTest>()
}

/// Calls as the server makes them, about another site.
struct Calls<'a> {
    tools: &'a Registry,
    context: &'a Context,
    count: AtomicUsize,
}

impl Dispatcher for Calls<'_> {
    fn has(&self, tool: &str) -> bool {
        self.tools.find(tool).is_some()
    }

    fn call(
        &self,
        site: &Arc<Site>,
        tool: &str,
        arguments: Value,
        progress: &Progress,
    ) -> std::result::Result<Value, Value> {
        let refused = |error: Error| super::Refusal::from(error).to_json();
        let found = self.tools.find(tool).ok_or_else(|| refused(Error::ToolOff { tool: tool.to_owned() }))?;
        progress.proceed().map_err(refused)?;
        let Value::Object(arguments) = arguments else { return Err(refused(Error::internal("no arguments"))) };
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let context = Context {
            site: Arc::clone(site),
            client: "self-test".into(),
            id: format!("{}-{number}", self.context.id),
            tool: String::new(),
            arguments: String::new(),
            token: String::new(),
            publish: None,
            session: String::new(),
            journal: Arc::default(),
            // On a copy that nobody else sees.
            rights: Rights::all_but_admin(),
            // The steps count, not what is in them; a caller who leaves is noticed between them.
            progress: Progress::default(),
        };
        let outcome: std::result::Result<_, _> = found.call(&context, arguments);
        outcome.map(|answer| answer.value).map_err(|refusal| refusal.to_json())
    }
}
