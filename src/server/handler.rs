//! What clients may ask of the server, method by method.

use std::sync::Arc;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, GetPromptRequestParams,
    GetPromptResponse, Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, Reference,
    ServerCapabilities, ServerConfig, SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;

use super::journal::Noting;
use super::{ARGUMENTS_KEPT, INSTRUCTIONS, Server, answer, call_id, http, news, prompts, resources, unknown_tool, uri};
use crate::site::Site;

/// How long clients may keep the tool list: it never changes while a server runs.
const LIST_TTL_MS: u64 = 3_600_000;

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let about = Implementation::new("sitewright", env!("CARGO_PKG_VERSION")).with_title("sitewright");
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .enable_completions()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_resources_list_changed()
            .build();
        let kept = if self.journal.keeps_arguments() { ARGUMENTS_KEPT } else { "" };
        ServerConfig::new(capabilities).with_server_info(about).with_instructions(format!("{INSTRUCTIONS}{kept}"))
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let rights = self.rights(http::grant(&context.extensions).as_ref());
        let tools = self.registry.allowed(rights).map(|tool| tool.shown(rights)).collect();
        // Another token may have other rights, so what one caller sees is not for others.
        Ok(ListToolsResult::with_all_items(tools).with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Private))
    }

    fn get_tool(&self, name: &str) -> Option<rmcp::model::Tool> {
        self.registry.find(name).filter(|tool| !tool.is_off()).map(|tool| tool.listed().clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = self.registry.find(&request.name).cloned();
        let arguments = request.arguments.unwrap_or_default();
        let mut noting = Noting::begin(self, &request.name, tool.as_ref(), &arguments, &context);
        let Some(tool) = tool else {
            noting.unknown_tool();
            return Err(unknown_tool(&self.registry, &request.name));
        };
        let outcome = match call_id() {
            Ok(id) => {
                noting.called(&id);
                self.call(tool, arguments, &context, id, &noting).await
            }
            Err(refusal) => Err(refusal),
        };
        noting.came_to(&outcome);
        let mut reply = answer(outcome);
        noting.replied(&reply);
        if self.journal.keeps_arguments() {
            let note = json!({"sitewright/journal": ARGUMENTS_KEPT.trim()});
            reply.meta = note.as_object().cloned().map(Into::into);
        }
        Ok(reply.into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        self.look(&context, move |site| resources::list(site, cursor.as_deref())).await
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(resources::templates())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.look(&context, move |site| resources::read(site, &request.uri)).await.map(Into::into)
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(prompts::list())
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let got = self.look(&context, move |site| prompts::get(site, &request.name, request.arguments.as_ref()));
        got.await.map(Into::into)
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let (reference, argument) = (request.r#ref, request.argument);
        let words = move |site: &Arc<Site>| match &reference {
            Reference::Resource(template) => resources::complete(site, &template.uri, &argument.value),
            Reference::Prompt(prompt) => prompts::complete(site, &prompt.name, &argument.name, &argument.value),
            _ => Err(ErrorData::invalid_params("only prompts and resource templates can be completed", None)),
        };
        self.look(&context, words).await.map(CompleteResult::new)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        // Before the client is told that it listens, so that nothing it does next is missed.
        if let Err(error) = self.news.remember() {
            tracing::warn!(%error, "cannot read the site to tell later what changed");
        }
        Some(news::accepted(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.look(context.request_context(), |_| Ok(())).await?;
        let seat = self.news.seat();
        seat.stream(context.sink().clone())?;
        context.cancelled().await;
        drop(seat);
        Ok(())
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let news = Arc::clone(&self.news);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || news.remember()).await {
            tracing::warn!(%error, "cannot read the site to tell later what changed");
        }
        self.seat.session(context.peer);
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let news = Arc::clone(&self.news);
        self.look(&context, move |_| news.remember().map_err(resources::refused)).await?;
        // What is not there yet can come; what never comes is never told of.
        if !uri::is_absolute(&request.uri) {
            return Err(resources::not_found(&request.uri));
        }
        self.seat.subscribe(context.peer, request.uri)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.seat.unsubscribe(&request.uri);
        Ok(())
    }
}
