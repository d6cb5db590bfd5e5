//! Tells the journal of every call: who called what, and how it ended, whatever became of it.

use std::sync::Arc;
use std::time::Instant;

use rmcp::RoleServer;
use rmcp::model::CallToolResult;
use rmcp::service::RequestContext;
use serde_json::{Map, Value};

use super::{Server, http};
use crate::insight::{Arguments, Entry, Journal, Origin, Outcome, codes};
use crate::tools::{Answer, Effects, Refusal, Tool};

/// Where a client names its task, in `_meta`.
const HANDLE: &str = "sitewright/session";
/// Longest handle that is taken.
const LONGEST_HANDLE: usize = 200;

/// A call that goes on. One that is dropped before its end was cancelled.
pub(super) struct Noting {
    journal: Arc<Journal>,
    began: Instant,
    entry: Option<Entry>,
    #[cfg(feature = "otel")]
    span: Option<super::spans::Open>,
    pub(super) effects: Effects,
}

impl Noting {
    /// Begins to note a call.
    pub(super) fn begin(
        server: &Server,
        name: &str,
        tool: Option<&Tool>,
        arguments: &Map<String, Value>,
        context: &RequestContext<RoleServer>,
    ) -> Self {
        let journal = Arc::clone(&server.journal);
        let began = Instant::now();
        if !journal.is_on() {
            return Self {
                journal,
                began,
                entry: None,
                #[cfg(feature = "otel")]
                span: server.spans.as_ref().map(|spans| spans.begin(tool.map(Tool::name), "", context)),
                effects: Effects::default(),
            };
        }
        let said = journal.keeps_arguments().then(|| arguments.clone());
        let arguments: Arguments = journal.arguments(tool.map(Tool::schema), arguments);
        let at = server.site.now().as_millisecond();
        let origin = origin(server, context);
        let placed = journal.place(&origin, at);
        #[cfg(feature = "otel")]
        let span = server.spans.as_ref().map(|spans| spans.begin(tool.map(Tool::name), &placed.session, context));
        let entry = Entry {
            at,
            placed,
            client: origin.client,
            tool: name.to_owned(),
            arguments,
            said,
            outcome: Outcome::Cancelled,
            ..Entry::default()
        };
        Self {
            journal,
            began,
            entry: Some(entry),
            #[cfg(feature = "otel")]
            span,
            effects: Effects::noted(),
        }
    }

    /// The call has this id in the site's history too.
    pub(super) fn called(&mut self, id: &str) {
        if let Some(entry) = &mut self.entry {
            id.clone_into(&mut entry.call);
        }
    }

    /// The session it belongs to; empty where no journal is written.
    pub(super) fn session(&self) -> String {
        self.entry.as_ref().map(|entry| entry.placed.session.clone()).unwrap_or_default()
    }

    /// There is no such tool.
    pub(super) fn unknown_tool(mut self) {
        if let Some(entry) = &mut self.entry {
            entry.outcome = Outcome::UnknownTool;
        }
        #[cfg(feature = "otel")]
        if let Some(span) = &mut self.span {
            span.unknown_tool();
        }
    }

    /// The call has an outcome.
    pub(super) fn came_to(&mut self, outcome: &Result<Answer, Refusal>) {
        #[cfg(feature = "otel")]
        if let Some(span) = &mut self.span {
            span.came_to(outcome.as_ref().err().map(|refusal| refusal.code.as_str()));
        }
        let Some(entry) = &mut self.entry else { return };
        match outcome {
            Ok(answer) => {
                entry.outcome = Outcome::Ok;
                entry.codes = codes(&answer.value);
                entry.picture_bytes = answer.pictures.iter().map(|picture| picture.bytes.len() as u64).sum();
            }
            Err(refusal) => {
                entry.outcome = if refusal.code == "cancelled" { Outcome::Cancelled } else { Outcome::Error };
                entry.codes = codes(&Value::Object(Map::from_iter([(
                    "diagnostics".to_owned(),
                    refusal.details.get("diagnostics").cloned().unwrap_or_default(),
                )])));
                entry.unknown = refusal.unknown_name().map(str::to_owned);
                entry.error_code = Some(refusal.code.clone());
            }
        }
    }

    /// The reply as it goes out.
    pub(super) fn replied(&mut self, reply: &CallToolResult) {
        if let (Some(entry), Some(text)) = (&mut self.entry, reply.content.first().and_then(|part| part.as_text())) {
            entry.reply.clone_from(&text.text);
        }
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        let Some(mut entry) = self.entry.take() else { return };
        entry.ms = self.began.elapsed().as_secs_f64() * 1000.0;
        entry.noted = self.effects.so_far();
        if entry.call.is_empty() {
            // Refused before it had one.
            entry.call = super::call_id().unwrap_or_default();
        }
        self.journal.record(entry);
    }
}

fn origin(server: &Server, context: &RequestContext<RoleServer>) -> Origin {
    let short = |text: &str| (text.len() <= LONGEST_HANDLE).then(|| text.to_owned());
    let handle = context.meta.get(HANDLE).and_then(Value::as_str).and_then(short);
    let connection = match http::session(&context.extensions) {
        None => Some(format!("stream {}", server.seat_number)),
        Some(named) => named.and_then(|name| short(&name)),
    };
    Origin {
        traceparent: context.meta.get_traceparent().and_then(short),
        handle,
        connection,
        principal: http::grant(&context.extensions).map(|grant| grant.name.to_string()).unwrap_or_default(),
        client: super::client_name(context),
    }
}
