//! A session as an MCP server: what it answers to a client, in both eras of the protocol.
//!
//! A face is made for one session and one connection, and is that user's alone: what it lists depends on the scope and on nothing that
//! the client says.

use std::sync::Arc;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult, PaginatedRequestParams,
    ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, ServerInitializeError};
use rmcp::transport::IntoTransport;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::classic::Classic;
use super::code_mode::CodeMode;
use super::lossless::{self, Answer, Fidelity, Lossless};
use super::transport::{Kind, Transport};
use crate::host::session::{Parts, Session};

/// How long a client may keep the list, milliseconds: it never changes while the session lives.
const LIST_LIFE_MS: u64 = 300_000;

/// How a session is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `search_tools`, `get_types` and `run_code`: the model writes programs.
    Code,
    /// One MCP tool for each tool of the scope: `server__tool`.
    Classic,
    /// Both.
    Both,
}

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

/// Why [`serve_soon`] ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeSoonError<E> {
    /// The session could not be made.
    #[error(transparent)]
    Session(E),
    /// It could not be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Serves until the client goes or the session ends.
pub(crate) async fn serve(session: Arc<Parts>, mode: Mode, transport: Transport) -> Result<(), ServeError> {
    let ended = session.ended.child_token();
    let (_, tools) = watch::channel(Some(Arc::new(Tools::of(session, mode))));
    connect(transport, Face { mode, tools }, ended).await
}

/// Serves a session that is still being made, until the client goes. For servers whose upstream servers take longer to start than a client
/// waits: the handshake is answered at once, lists and calls when `session` is there.
///
/// # Errors
///
/// [`ServeSoonError::Session`] when the session cannot be made: the client sees its connection end. Otherwise as
/// [`Session::serve`].
pub async fn serve_soon<E>(
    mode: Mode,
    transport: Transport,
    session: impl Future<Output = Result<Session, E>>,
) -> Result<(), ServeSoonError<E>> {
    let (made, tools) = watch::channel(None);
    let served = connect(transport, Face { mode, tools }, CancellationToken::new());
    tokio::pin!(served);
    let session = tokio::select! {
        session = session => session.map_err(ServeSoonError::Session)?,
        served = &mut served => return Ok(served?),
    };
    made.send_replace(Some(Arc::new(Tools::of(session.parts(), mode))));
    Ok(served.await?)
}

async fn connect(transport: Transport, face: Face, ended: CancellationToken) -> Result<(), ServeError> {
    match transport.0 {
        Kind::Stdio => over(rmcp::transport::stdio(), face, Fidelity::Lossless, ended).await,
        Kind::Pipe(reader, writer) => over((reader, writer), face, Fidelity::Lossless, ended).await,
        Kind::Channel(channel) => over(channel, face, Fidelity::Typed, ended).await,
    }
}

async fn over<T, E, A>(transport: T, face: Face, fidelity: Fidelity, ended: CancellationToken) -> Result<(), ServeError>
where
    T: IntoTransport<RoleServer, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    // Whatever ends the connection also ends the calls that came over it.
    let _end_when_dropped = ended.clone().drop_guard();
    match Lossless::new(face, fidelity).serve_with_ct(transport, ended).await {
        Ok(running) => running.waiting().await.map(drop).map_err(ServeError::Lost),
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => Err(ServeError::Handshake { reason: error.to_string() }),
    }
}

/// What one client of one session sees.
pub(super) struct Face {
    mode: Mode,
    /// None before the session is there.
    tools: watch::Receiver<Option<Arc<Tools>>>,
}

impl Face {
    /// The tools; waits for the session.
    async fn tools(&self) -> Result<Arc<Tools>, ErrorData> {
        let mut tools = self.tools.clone();
        let tools = tools.wait_for(Option::is_some).await.ok().and_then(|tools| tools.clone());
        tools.ok_or_else(|| ErrorData::internal_error("the session of this connection could not be made", None))
    }
}

/// The tools of a session, as its mode says.
struct Tools {
    classic: Option<Classic>,
    code_mode: Option<CodeMode>,
}

impl Tools {
    fn of(session: Arc<Parts>, mode: Mode) -> Self {
        let classic = (mode != Mode::Code).then(|| Classic::new(Arc::clone(&session)));
        let code_mode = (mode != Mode::Classic).then(|| CodeMode::new(session));
        Self { classic, code_mode }
    }

    /// The definitions of all tools, as JSON.
    fn definitions(&self) -> Vec<Value> {
        let code_mode = self.code_mode.iter().flat_map(CodeMode::definitions);
        code_mode.chain(self.classic.iter().flat_map(Classic::definitions)).collect()
    }
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        config.server_info = Implementation::new("isolet", env!("CARGO_PKG_VERSION"));
        config.instructions = (self.mode != Mode::Classic).then(|| CodeMode::INSTRUCTIONS.to_owned());
        config
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("the list has one page: ask without a cursor", None));
        }
        let definitions = self.tools().await?.definitions();
        let mut tools = Vec::with_capacity(definitions.len());
        let mut is_exact = true;
        for definition in &definitions {
            let (tool, is_whole) = lossless::typed::<Tool>(definition, &context);
            if tool.is_none() {
                tracing::debug!(name = ?definition["name"], "a definition is not one of the protocol: it is listed over pipes only");
            }
            is_exact = is_exact && is_whole;
            tools.extend(tool);
        }
        if !is_exact {
            let result = json!({ "tools": definitions, "ttlMs": LIST_LIFE_MS, "cacheScope": "private" });
            Answer::offer(&context, result);
        }
        Ok(ListToolsResult::with_all_items(tools).with_ttl_ms(LIST_LIFE_MS).with_cache_scope(CacheScope::Private))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let tools = self.tools().await?;
        if let Some(code_mode) = &tools.code_mode
            && let Some(result) = code_mode.call(&request.name, &arguments, &context).await
        {
            return result;
        }
        match &tools.classic {
            Some(classic) => classic.call(&request.name, arguments, &context).await,
            None => Err(unknown_tool(&request.name)),
        }
    }
}

/// One text for a tool that is not there and for one that this user may not call.
pub(super) fn unknown_tool(name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("there is no tool `{name}`: see `tools/list`"), None)
}
