//! A span of OpenTelemetry for each tool call, for the collector that the environment names; without one nothing is made and nothing sent.
//!
//! A span says which tool, how it ended and how long it took; like the journal it has no word of arguments, replies or pages. It is sent
//! by a thread of its own: a collector that is slow or gone costs spans, and never a call.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};
use rmcp::RoleServer;
use rmcp::model::RequestId;
use rmcp::service::RequestContext;

use super::http;
use crate::outside::collector::Collector;

/// Names of the semantic conventions for MCP (open-telemetry/semantic-conventions-genai 0.1, status Development). The general crate of names
/// has deprecated its copies, and these may still change: they stand here and nowhere else.
mod names {
    pub(super) const METHOD: &str = "mcp.method.name";
    pub(super) const SESSION: &str = "mcp.session.id";
    pub(super) const PROTOCOL: &str = "mcp.protocol.version";
    pub(super) const OPERATION: &str = "gen_ai.operation.name";
    pub(super) const TOOL: &str = "gen_ai.tool.name";
    pub(super) const REQUEST: &str = "jsonrpc.request.id";
    pub(super) const STATUS: &str = "rpc.response.status_code";
    pub(super) const TRANSPORT: &str = "network.transport";
    pub(super) const ERROR: &str = "error.type";
    /// Ours: the code of the refusal, such as `conflict`.
    pub(super) const CODE: &str = "sitewright.error.code";
}

const CALL: &str = "tools/call";
/// JSON-RPC: invalid params, what a tool that does not exist is answered with.
const UNKNOWN_TOOL: &str = "-32602";
/// How long the end of the process waits for the last spans.
const FAREWELL: Duration = Duration::from_secs(1);
/// Either of them names a collector.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// Longest request id that is text.
const LONGEST_ID: usize = 64;

/// The way to the collector.
pub(super) struct Spans {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans").finish_non_exhaustive()
    }
}

impl Spans {
    /// Where the environment names a collector: the standard variables of OpenTelemetry.
    pub(super) fn from_environment() -> Option<Self> {
        let said = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let endpoint = ENDPOINTS.iter().find_map(|name| said(name))?;
        let off = said("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || said("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
        if off {
            return None;
        }
        let client = Client { collector: Collector::new(endpoint.starts_with("https:")), told: AtomicBool::new(false) };
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .build()
            .inspect_err(|error| tracing::warn!(%error, "no spans are sent"))
            .ok()?;
        let mut resource =
            Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if said("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("sitewright");
        }
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
        let tracer = provider.tracer("sitewright");
        Some(Self { provider, tracer })
    }

    /// Begins the span of a call; `tool` is `None` where there is no such tool, because its name may be anything.
    pub(super) fn begin(&self, tool: Option<&str>, session: &str, context: &RequestContext<RoleServer>) -> Open {
        let name = tool.map_or_else(|| CALL.to_owned(), |tool| format!("{CALL} {tool}"));
        let transport = if http::session(&context.extensions).is_none() { "pipe" } else { "tcp" };
        let mut known = vec![
            KeyValue::new(names::METHOD, CALL),
            KeyValue::new(names::OPERATION, "execute_tool"),
            KeyValue::new(names::TRANSPORT, transport),
        ];
        known.extend(tool.map(|tool| KeyValue::new(names::TOOL, tool.to_owned())));
        if !session.is_empty() {
            known.push(KeyValue::new(names::SESSION, session.to_owned()));
        }
        known.extend(context.protocol_version().map(|version| KeyValue::new(names::PROTOCOL, version.to_string())));
        known.extend(request(&context.id).map(|id| KeyValue::new(names::REQUEST, id)));
        let builder = self.tracer.span_builder(name).with_kind(SpanKind::Server).with_attributes(known);
        Open { span: builder.start_with_context(&self.tracer, &parent(context)), ended: false }
    }

    /// Sends what waits, and does not wait long for it.
    pub(super) fn end(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(FAREWELL) {
            tracing::debug!(%error, "the last spans were not sent");
        }
    }
}

/// The span of the caller, where it says one: W3C's trace context in `_meta`.
fn parent(context: &RequestContext<RoleServer>) -> Context {
    let said = [("traceparent", context.meta.get_traceparent()), ("tracestate", context.meta.get_tracestate())];
    let carrier: HashMap<String, String> =
        said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

/// A request's id as clients number them; one that is a text may be anything.
fn request(id: &RequestId) -> Option<String> {
    let id = id.to_string();
    let plain = id.len() <= LONGEST_ID && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    plain.then_some(id)
}

/// A call that goes on. Dropped without an outcome it was cancelled.
pub(super) struct Open {
    span: Span,
    ended: bool,
}

impl Open {
    /// There is no such tool.
    pub(super) fn unknown_tool(&mut self) {
        self.span.set_attribute(KeyValue::new(names::STATUS, UNKNOWN_TOOL));
        self.failed(UNKNOWN_TOOL);
    }

    /// It did what it was asked, or was refused with this code.
    pub(super) fn came_to(&mut self, refusal: Option<&str>) {
        self.ended = true;
        if let Some(code) = refusal {
            self.span.set_attribute(KeyValue::new(names::CODE, code.to_owned()));
            self.failed(if code == "cancelled" { code } else { "tool_error" });
        }
    }

    fn failed(&mut self, kind: &str) {
        self.ended = true;
        self.span.set_attribute(KeyValue::new(names::ERROR, kind.to_owned()));
        // Its description would be a message, and a message may quote.
        self.span.set_status(Status::error(""));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.ended {
            self.failed("cancelled");
        }
        self.span.end();
    }
}

/// The exporter's requests over the HTTP client that is there already: no second one, and no second TLS.
#[derive(Debug)]
struct Client {
    collector: Collector,
    /// A collector that is gone is complained of once.
    told: AtomicBool,
}

impl HttpClient for Client {
    fn send_bytes<'s, 'f>(
        &'s self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        // Called on the exporter's own thread, which may block.
        let answer = self.collector.post(&request.uri().to_string(), request.headers(), request.body());
        let result = answer.map_err(HttpError::from).and_then(|(status, body)| {
            Response::builder().status(status).body(Bytes::from(body)).map_err(HttpError::from)
        });
        if let Err(error) = &result
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "spans do not reach the collector");
        }
        Box::pin(std::future::ready(result))
    }
}
