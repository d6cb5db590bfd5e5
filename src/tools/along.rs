//! The argument `publish` of the tools that edit: what the call changed goes live right after it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Context, Refusal, Right, publish, reply};
use crate::error::{Error, Result};
use crate::model::Progress;
use crate::site::Call;
use crate::site::address::shown;
use crate::site::edit::Written;
use crate::site::publish as site_publish;

/// The argument.
const ARGUMENT: &str = "publish";
/// How much of such a call is done when its edit is.
const EDITED: f64 = 0.5;
/// Paths named in a sentence.
const NAMED: usize = 12;

/// The wish that what a call changes goes live right after it.
#[derive(Debug, Clone)]
pub struct Along {
    message: Option<String>,
}

/// What a tool that edits hands back: the reply, and the edit it tells of.
#[derive(Debug)]
pub struct Edited {
    /// The facts, as without `publish`.
    pub reply: Value,
    /// The edit.
    pub written: Written,
}

impl Edited {
    /// With the reply that most tools give.
    pub(super) fn new(written: Written, html: bool) -> Self {
        Self { reply: reply::written(&written, html), written }
    }
}

/// Adds the argument to a tool's schema. Clients are shown no description of it: the server's instructions say what it does, once.
pub(super) fn describe(schema: &mut Map<String, Value>) {
    let about = "Publish what this call changes, and nothing else, at once; the answer is in `published`.";
    property(schema, json!({"type": "boolean", "description": about}));
}

/// The same as clients see it. Pushing is the world beyond the repository.
pub(super) fn advertise(tool: &mut rmcp::model::Tool) {
    property(Arc::make_mut(&mut tool.input_schema), json!({"type": "boolean"}));
    beyond(tool, true);
}

/// Takes it from what a client sees who may not publish.
pub(super) fn hide(tool: &mut rmcp::model::Tool, open_world: bool) {
    if let Some(Value::Object(properties)) = Arc::make_mut(&mut tool.input_schema).get_mut("properties") {
        properties.shift_remove(ARGUMENT);
    }
    beyond(tool, open_world);
}

fn property(schema: &mut Map<String, Value>, about: Value) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.insert(ARGUMENT.into(), about);
    }
}

fn beyond(tool: &mut rmcp::model::Tool, open_world: bool) {
    tool.annotations = tool.annotations.take().map(|hints| hints.open_world(open_world));
}

/// Takes the argument out of the others; `None`: nothing is to go live.
pub(super) fn take(context: &Context, arguments: &mut Map<String, Value>, offered: bool) -> Result<Option<Along>> {
    if arguments.remove(ARGUMENT) != Some(Value::Bool(true)) {
        return Ok(None);
    }
    if !offered {
        return Err(Error::ToolOff { tool: ARGUMENT.into() });
    }
    context.need(Right::Publish, &format!("{} with publish", context.tool))?;
    let message = arguments.get("message").and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Along { message }))
}

/// What of the call's progress belongs to its edit.
pub(super) fn first_part(context: &Context) -> Progress {
    if context.publish.is_some() { context.progress.part(0.0, EDITED) } else { context.progress.clone() }
}

/// Publishes the edit where that is wished, and adds to the reply what came of it. The edit stands either way.
pub(super) fn finish(context: &Context, edited: Edited) -> Value {
    let Edited { mut reply, written } = edited;
    let (Some(along), Value::Object(fields)) = (&context.publish, &mut reply) else { return reply };
    let mut written = written;
    // A call that is sent again since its answer was lost finds its edit done, and maybe not live.
    let waiting = if written.unchanged() { site_publish::waiting(&context.site, &written) } else { Ok(Vec::new()) };
    written.same = waiting.unwrap_or_default();
    if written.unchanged() && written.same.is_empty() {
        fields.insert("published".into(), json!({"unchanged": true}));
        let next = "Nothing changed, so nothing was published; publish sends what waits.";
        fields.insert("next".into(), next.into());
        return reply;
    }
    let dry_run = written.dry_run;
    let progress = context.progress.part(EDITED, 1.0);
    let call = Call { progress, ..context.call(along.message.clone(), dry_run) };
    let outcome = match &written.published {
        Some(first) => Ok(first.clone()),
        None => site_publish::edit(&context.site, &call, &written).map(|outcome| {
            let answer = publish::answer(&outcome);
            site_publish::keep_answer(&context.site, &call, &outcome, &answer);
            answer
        }),
    };
    let (published, next) = match outcome {
        Ok(mut published) => {
            let next = published.as_object_mut().and_then(|fields| fields.remove("next"));
            (
                published,
                if dry_run { Some("Send it again without dry_run to write and publish it.".into()) } else { next },
            )
        }
        Err(error) => {
            let mut refusal = Refusal::from(error);
            refusal.hint = hint(&refusal, &written);
            let next = if dry_run {
                "Publishing it would be refused: do what published.hint says."
            } else {
                "It is written and not live: do what published.hint says."
            };
            (refusal.to_json(), Some(next.into()))
        }
    };
    fields.remove("next");
    fields.insert("published".into(), published);
    if let Some(next) = next {
        fields.insert("next".into(), next);
    }
    reply
}

/// The first answer to a call that published its change set to the end, sent again.
pub(super) fn repeated(context: &Context) -> Option<Value> {
    let written = site_publish::closed_by(&context.site, &context.call(None, false))?;
    let context = Context { publish: Some(Along { message: None }), ..context.clone() };
    Some(finish(&context, Edited::new(written, false)))
}

/// What to do about an edit that was not published: the call is not to be sent again, it is written.
fn hint(refusal: &Refusal, written: &Written) -> String {
    let listed = |key: &str| -> Vec<&str> {
        refusal.details.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let with = |more: &[&str]| {
        let files = written.changed.iter().map(|file| &file.path).chain(&written.same);
        let mut paths: Vec<&str> = files.map(shown).collect();
        paths.extend(more);
        if paths.len() > NAMED { "all of them".to_owned() } else { format!("paths: {}", json!(paths)) }
    };
    match refusal.code.as_str() {
        "needs" => format!("Look at what it needs, then call publish with {}.", with(&listed("needs"))),
        "hand_edits" => format!("A person edited these files by hand: ask them, then call publish with {}.", with(&[])),
        "conflict" => "Write each conflicting path with the text you want and `if_match` set to its `theirs.etag`, then call publish.".into(),
        "build_failed" => format!("Mend what `details.diagnostics` names, then call publish with {}.", with(&[])),
        "cancelled" => format!("Call publish with {} if it is still wanted.", with(&[])),
        _ => format!("{} Then call publish with {}.", refusal.hint, with(&[])),
    }
}
