//! A session as an MCP server: what it answers to a client, in both eras of the protocol.
//!
//! A face is made for one session and one connection, and is that user's alone: what it lists depends on the scope and on nothing that
//! the client says.

#![expect(deprecated, reason = "logging is on its way out of the protocol, and still in it")]

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use isolet_bindings::visible;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult, ErrorCode,
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, Implementation, JsonObject, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams, PromptsCapability,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ResourceUpdatedNotificationParam, ResourcesCapability,
    ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter,
    UnsubscribeRequestParams,
};
use rmcp::service::{NotificationContext, RequestContext, ServerInitializeError, SubscriptionContext};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::answer::{is_modern, said};
use super::classic::Classic;
use super::classic_offers;
use super::client_line::ClientLine;
use super::client_params::RawArguments;
use super::code_mode::CodeMode;
use super::face_tools::Tools;
use super::handler::Handler;
use super::hearing::Gravity;
use super::list::{List, one_page};
use super::offer::Offer;
use super::ongoing::Wish;
use super::open_calls::{Brought, OpenCalls};
use super::options::{Mode, ServeOptions};
use super::search_face::SearchFace;
use super::subscriptions::{Sessions, Subscriptions, Tell};
use super::transport::Transport;
use crate::host::session::{Parts, Session};

/// How long a client may keep the list, milliseconds: it never changes while the session lives.
const LIST_LIFE_MS: u64 = 300_000;
/// The same, where sessions follow each other.
const CHANGING_LIST_LIFE_MS: u64 = 5_000;
/// How long after the beginning calls wait for servers that are still starting.
const CALLS_WAIT_MAX: Duration = Duration::from_secs(10);

/// A session could not be served.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The client did not begin as the protocol says.
    #[error("the client does not speak MCP: {reason}: begin with `initialize` or `server/discover`")]
    Handshake {
        /// What it did instead.
        reason: String,
    },
    /// The task of the server was lost.
    #[error("the server of this session was lost")]
    Lost(#[source] tokio::task::JoinError),
}

impl Session {
    /// Serves the tools as a classic MCP server, one MCP tool each, until the client goes or the session is dropped. Both eras of the
    /// protocol are spoken. Makes a server in microseconds and leaves nothing.
    ///
    /// Tools are called `server__tool`, at most 64 characters of `[A-Za-z0-9_-]`; definitions and results are those of their servers.
    /// Calls meet the same grants, validation and limits as those of programs: [`Limits::wall_max`](crate::Limits::wall_max) for each from its start,
    /// [`Limits::calls_in_flight_max`](crate::Limits::calls_in_flight_max) at a time for the session, and 1,024 that wait. A client that closes its input leaves its
    /// calls five seconds to end; one that cancels a call, and a session that is dropped, end it at its next await.
    ///
    /// # Errors
    ///
    /// [`ServeError`] when the client does not speak the protocol.
    pub fn serve_classic(&self, transport: Transport) -> impl Future<Output = Result<(), ServeError>> + Send + use<> {
        self.serve(Mode::Classic, transport)
    }

    /// Serves the tools as code mode, until the client goes or the session is dropped: `run_code`, whose description says which tools there are,
    /// and `search_tools` and `get_types` where that leaves something to ask for.
    ///
    /// # Errors
    ///
    /// As [`Session::serve_classic`].
    pub fn serve_code_mode(&self, transport: Transport) -> impl Future<Output = Result<(), ServeError>> + Send + use<> {
        self.serve(Mode::Code, transport)
    }

    /// Serves the tools in the way that `mode` says.
    ///
    /// # Errors
    ///
    /// As [`Session::serve_classic`].
    pub fn serve(&self, mode: Mode, transport: Transport) -> impl Future<Output = Result<(), ServeError>> + Send + use<> {
        self.serve_with(mode.into(), transport)
    }

    /// Serves the tools as `options` say, until the client goes or the session is dropped.
    ///
    /// # Errors
    ///
    /// As [`Session::serve_classic`].
    pub fn serve_with(
        &self,
        options: ServeOptions,
        transport: Transport,
    ) -> impl Future<Output = Result<(), ServeError>> + Send + use<> {
        serve(self.parts(), options, transport)
    }
}

/// Serves until the client goes or the session ends.
async fn serve(session: Arc<Parts>, options: ServeOptions, transport: Transport) -> Result<(), ServeError> {
    let ended = session.ended.child_token();
    let (_, tools) = watch::channel(Some(Arc::new(Tools::of_session(&session, &options))));
    connect(transport, Face::new(&options, tools, None), ended).await
}

/// Serves sessions that follow each other, until the client goes. For servers whose upstream servers start late, and whose tools change: the
/// handshake is answered at once, lists and calls when there is a first offer. When another one comes, the client is told that the tools have
/// changed (in code mode it is the description of `run_code` that has); what is under way keeps the session that it began with, which is dropped
/// with the last of it.
///
/// # Errors
///
/// As [`Session::serve`].
pub async fn serve_offers(
    options: impl Into<ServeOptions>,
    transport: Transport,
    mut offers: mpsc::Receiver<Offer>,
) -> Result<(), ServeError> {
    let options = options.into();
    let (made, tools) = watch::channel(None);
    let calls_wait_until = Instant::now().checked_add(CALLS_WAIT_MAX);
    let served = connect(transport, Face::new(&options, tools, calls_wait_until), CancellationToken::new());
    let renewed = async {
        while let Some(offer) = offers.recv().await {
            made.send_replace(Some(Arc::new(Tools::offered(offer, &options))));
        }
        // The last one is served on.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        served = served => served,
        () = renewed => Ok(()),
    }
}

async fn connect(transport: Transport, face: Face, ended: CancellationToken) -> Result<(), ServeError> {
    // Whatever ends the connection also ends the calls that came over it.
    let _end_when_dropped = ended.clone().drop_guard();
    match Handler(face).serve_with_ct(ClientLine::new(transport.reader, transport.writer), ended).await {
        Ok(running) => running.waiting().await.map(drop).map_err(ServeError::Lost),
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => Err(ServeError::Handshake { reason: visible::line(&error.to_string()).into_owned() }),
    }
}

/// What one client sees.
pub(super) struct Face {
    mode: Mode,
    /// None before there is a session.
    tools: watch::Receiver<Option<Arc<Tools>>>,
    /// Until when calls wait for servers that are still starting. None for one session, which does not change.
    calls_wait_until: Option<Instant>,
    /// What was listed first, if anything was.
    first_listed: Arc<OnceLock<Weak<Tools>>>,
    /// From which gravity on the client wants lines of servers' logs, if it has said so for all of its requests.
    gravity: Mutex<Option<Gravity>>,
    subscriptions: Subscriptions,
    /// What waits for answers of the client.
    open_calls: OpenCalls,
}

impl Face {
    fn new(options: &ServeOptions, tools: watch::Receiver<Option<Arc<Tools>>>, calls_wait_until: Option<Instant>) -> Self {
        Self {
            mode: options.mode,
            open_calls: options.open_calls.clone(),
            tools,
            calls_wait_until,
            first_listed: Arc::default(),
            gravity: Mutex::default(),
            subscriptions: Subscriptions::default(),
        }
    }

    /// The tools; waits for the session, as long as the request is wanted.
    async fn tools(&self, context: &RequestContext<RoleServer>) -> Result<Arc<Tools>, ErrorData> {
        let mut tools = self.tools.clone();
        let tools = tokio::select! {
            tools = tools.wait_for(Option::is_some) => tools.ok().and_then(|tools| tools.clone()),
            () = context.ct.cancelled() => None,
        };
        tools.ok_or_else(|| ErrorData::internal_error("the session of this connection could not be made", None))
    }

    /// The tools for a call: those of servers that start late as well, if they come soon after the beginning.
    async fn tools_for_call(&self, context: &RequestContext<RoleServer>) -> Result<Arc<Tools>, ErrorData> {
        if let Some(until) = self.calls_wait_until.filter(|until| Instant::now() < *until) {
            let mut tools = self.tools.clone();
            let is_complete = |tools: &Option<Arc<Tools>>| tools.as_ref().is_some_and(|tools| tools.is_complete);
            tokio::select! {
                _ = tools.wait_for(is_complete) => {}
                () = tokio::time::sleep_until(until.into()) => {}
                () = context.ct.cancelled() => {}
            }
        }
        self.tools(context).await
    }

    /// Whether there may be more than tools, as servers have it: in the classic face, and where there are such servers or none are known yet.
    fn offers_all(&self) -> bool {
        let is_classic = matches!(self.mode, Mode::Classic | Mode::Both);
        let tools = self.tools.borrow().clone();
        is_classic && tools.is_none_or(|tools| tools.classic.as_ref().is_some_and(Classic::has_servers))
    }

    /// From which gravity on the client of this request hears lines of servers' logs, if it does.
    fn gravity(&self, context: &RequestContext<RoleServer>) -> Option<Gravity> {
        if is_modern(context) {
            return Gravity::asked_by(context);
        }
        *self.gravity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The result of a list of what servers have beside tools.
    async fn offered(
        &self,
        list: List,
        request: Option<PaginatedRequestParams>,
        context: &RequestContext<RoleServer>,
    ) -> Result<Arc<str>, ErrorData> {
        one_page(request)?;
        let tools = self.tools(context).await?;
        let classic = tools.classic.as_ref().ok_or_else(nothing_but_tools)?;
        Ok(classic_offers::list(classic, list, is_modern(context), self.list_life_ms()).await)
    }

    /// The sessions, for what outlives one of them.
    fn sessions(&self) -> Sessions<Tools> {
        Sessions { sessions: self.tools.clone(), caller: |tools| Some(Arc::clone(tools.classic.as_ref()?.caller())) }
    }

    /// How long a client may keep the list, milliseconds.
    fn list_life_ms(&self) -> u64 {
        if self.calls_wait_until.is_some() { CHANGING_LIST_LIFE_MS } else { LIST_LIFE_MS }
    }
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools();
        let mut capabilities = match self.calls_wait_until {
            Some(_) => capabilities.enable_tool_list_changed().build(),
            None => capabilities.build(),
        };
        if self.offers_all() {
            capabilities.logging = Some(JsonObject::new());
            capabilities.completions = Some(JsonObject::new());
            let mut resources = ResourcesCapability::default();
            resources.subscribe = Some(true);
            capabilities.resources = Some(resources);
            capabilities.prompts = Some(PromptsCapability::default());
        }
        let mut config = ServerConfig::new(capabilities);
        config.server_info = Implementation::new("isolet", env!("CARGO_PKG_VERSION"));
        config.instructions = match self.mode {
            Mode::Classic => None,
            Mode::Search => Some(SearchFace::INSTRUCTIONS.to_owned()),
            Mode::Code | Mode::Both => Some(CodeMode::INSTRUCTIONS.to_owned()),
        };
        config
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        if self.calls_wait_until.is_none() {
            return;
        }
        let (mut tools, first_listed) = (self.tools.clone(), Arc::clone(&self.first_listed));
        tokio::spawn(async move {
            // The first is no change: who asks before it is there waits for it. Others may have been listed before this is heard.
            let now = tools.wait_for(Option::is_some).await.ok().and_then(|tools| tools.as_ref().map(Arc::downgrade));
            let Some(now) = now else { return };
            if first_listed.get().is_some_and(|listed| !listed.ptr_eq(&now))
                && context.peer.notify_tool_list_changed().await.is_err()
            {
                return;
            }
            while tools.changed().await.is_ok() && context.peer.notify_tool_list_changed().await.is_ok() {}
        });
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        one_page(request)?;
        let tools = self.tools(&context).await?;
        self.first_listed.get_or_init(|| Arc::downgrade(&tools));
        let text = tools.list(is_modern(&context), self.list_life_ms());
        said(text, &context, ListToolsResult::with_all_items(Vec::new()))
    }

    async fn set_level(&self, request: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        if !self.offers_all() {
            return Err(nothing_but_tools());
        }
        let level = serde_json::to_value(request.level).ok();
        let gravity = level.as_ref().and_then(Value::as_str).and_then(Gravity::of);
        *self.gravity.lock().unwrap_or_else(PoisonError::into_inner) = gravity;
        Ok(())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let tools = self.tools_for_call(&context).await?;
        let classic = tools.classic.as_ref().ok_or_else(nothing_but_tools)?;
        let text = classic_offers::complete(classic, request, is_modern(&context)).await?;
        said(text, &context, CompleteResult::default())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let text = self.offered(List::Resources, request, &context).await?;
        said(text, &context, ListResourcesResult::default())
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let text = self.offered(List::Templates, request, &context).await?;
        said(text, &context, ListResourceTemplatesResult::default())
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let text = self.offered(List::Prompts, request, &context).await?;
        said(text, &context, ListPromptsResult::default())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let tools = self.tools_for_call(&context).await?;
        let classic = tools.classic.as_ref().ok_or_else(nothing_but_tools)?;
        let text = classic_offers::read(classic, &request.uri, &context).await?;
        said(text, &context, ReadResourceResult::new(Vec::new())).map(Into::into)
    }

    async fn subscribe(&self, request: SubscribeRequestParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let tools = self.tools_for_call(&context).await?;
        tools.classic.as_ref().ok_or_else(nothing_but_tools)?;
        let (peer, uri) = (context.peer.clone(), request.uri.clone());
        let tell: Tell = Box::new(move || {
            let (peer, updated) = (peer.clone(), ResourceUpdatedNotificationParam::new(uri.clone()));
            async move { peer.notify_resource_updated(updated).await.is_ok() }.boxed()
        });
        self.subscriptions.subscribe(self.sessions(), request.uri, tell).await
    }

    async fn unsubscribe(&self, request: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.subscriptions.unsubscribe(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.subscriptions.listen(&context, || self.sessions()).await
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let tools = self.tools_for_call(&context).await?;
        let (name, arguments) = (request.name, request.arguments.unwrap_or_default());
        let brought = Brought { state: request.request_state, answers: request.input_responses };
        let is_asked = brought.is_of_asked(&context);
        let wish = Wish::new("prompts/get", &name, &Value::Object(arguments.clone()).to_string());
        let work = move |own: RequestContext<RoleServer>| async move {
            let classic = tools.classic.as_ref().ok_or_else(nothing_but_tools)?;
            classic_offers::prompt(classic, &name, &arguments, &own).await
        };
        let text =
            if is_asked { self.open_calls.answer(wish, brought, &context, work).await? } else { work(context.clone()).await? };
        said(text, &context, GetPromptResult::new(Vec::new())).map(Into::into)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tools = self.tools_for_call(&context).await?;
        let arguments = match context.extensions.get() {
            Some(RawArguments(arguments)) => arguments.get().to_owned(),
            None => Value::Object(request.arguments.unwrap_or_default()).to_string(),
        };
        let (name, gravity) = (request.name.into_owned(), self.gravity(&context));
        let brought = Brought { state: request.request_state, answers: request.input_responses };
        if !brought.is_of_asked(&context) {
            return tools.call(&name, &arguments, gravity, &context).await;
        }
        let wish = Wish::new("tools/call", &name, &arguments);
        let work =
            move |own: RequestContext<RoleServer>| async move { tools.call_for_text(&name, &arguments, gravity, &own).await };
        let text = self.open_calls.answer(wish, brought, &context, work).await?;
        said(text, &context, CallToolResult::success(Vec::new())).map(Into::into)
    }
}

/// What a client asks of a face that has nothing but tools.
fn nothing_but_tools() -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "there is nothing but tools here", None)
}
