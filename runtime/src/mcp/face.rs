//! A session as an MCP server: what it answers to a client, in both eras of the protocol.
//!
//! A face is made for one session and one connection, and is that user's alone: what it lists depends on the scope and on nothing that
//! the client says.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use isolet_bindings::visible;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult, PaginatedRequestParams,
    ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, ServerInitializeError};
use rmcp::transport::IntoTransport;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Said, is_modern};
use super::classic::{Classic, unknown_tool};
use super::client_line::ClientLine;
use super::client_params::RawArguments;
use super::code_mode::CodeMode;
use super::handler::Handler;
use super::lossless;
use super::options::{Mode, ServeOptions};
use super::search_face::SearchFace;
use super::transport::{Kind, Transport};
use crate::host::session::{Parts, Session};

/// How long a client may keep the list, milliseconds: it never changes while the session lives.
const LIST_LIFE_MS: u64 = 300_000;

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
    let mode = options.mode;
    let (_, tools) = watch::channel(Some(Arc::new(Tools::of(session, &options))));
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
    options: impl Into<ServeOptions>,
    transport: Transport,
    session: impl Future<Output = Result<Session, E>>,
) -> Result<(), ServeSoonError<E>> {
    let options = options.into();
    let mode = options.mode;
    let (made, tools) = watch::channel(None);
    let served = connect(transport, Face { mode, tools }, CancellationToken::new());
    tokio::pin!(served);
    let session = tokio::select! {
        session = session => session.map_err(ServeSoonError::Session)?,
        served = &mut served => return Ok(served?),
    };
    made.send_replace(Some(Arc::new(Tools::of(session.parts(), &options))));
    Ok(served.await?)
}

async fn connect(transport: Transport, face: Face, ended: CancellationToken) -> Result<(), ServeError> {
    match transport.0 {
        Kind::Stdio => over(ClientLine::new(tokio::io::stdin(), tokio::io::stdout()), face, ended).await,
        Kind::Pipe(reader, writer) => over(ClientLine::new(reader, writer), face, ended).await,
        Kind::Channel(channel) => over(channel, face, ended).await,
    }
}

async fn over<T, E, A>(transport: T, face: Face, ended: CancellationToken) -> Result<(), ServeError>
where
    T: IntoTransport<RoleServer, E, A>,
    E: std::error::Error + Send + Sync + 'static,
{
    // Whatever ends the connection also ends the calls that came over it.
    let _end_when_dropped = ended.clone().drop_guard();
    match Handler(face).serve_with_ct(transport, ended).await {
        Ok(running) => running.waiting().await.map(drop).map_err(ServeError::Lost),
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
        Err(error) => Err(ServeError::Handshake { reason: visible::line(&error.to_string()).into_owned() }),
    }
}

/// What one client of one session sees.
pub(super) struct Face {
    mode: Mode,
    /// None before the session is there.
    tools: watch::Receiver<Option<Arc<Tools>>>,
}

impl Face {
    /// The tools; waits for the session, as long as the request is wanted.
    async fn tools(&self, context: &RequestContext<RoleServer>) -> Result<Arc<Tools>, ErrorData> {
        let mut tools = self.tools.clone();
        let tools = tokio::select! {
            tools = tools.wait_for(Option::is_some) => tools.ok().and_then(|tools| tools.clone()),
            () = context.ct.cancelled() => None,
        };
        tools.ok_or_else(|| ErrorData::internal_error("the session of this connection could not be made", None))
    }
}

/// The tools of a session, as its mode says.
struct Tools {
    classic: Option<Classic>,
    code_mode: Option<CodeMode>,
    search: Option<SearchFace>,
    /// The answers to `tools/list` over a line, in the older and in the newer era: made once, whatever a client asks.
    lists: [OnceLock<Arc<str>>; 2],
}

impl Tools {
    fn of(session: Arc<Parts>, options: &ServeOptions) -> Self {
        let is = |modes: [Mode; 2]| modes.contains(&options.mode);
        let classic = is([Mode::Classic, Mode::Both]).then(|| Classic::new(Arc::clone(&session), options));
        let code_mode = is([Mode::Code, Mode::Both]).then(|| CodeMode::new(Arc::clone(&session), options));
        let search = (options.mode == Mode::Search).then(|| SearchFace::new(session, options));
        Self { classic, code_mode, search, lists: [OnceLock::new(), OnceLock::new()] }
    }

    /// The definitions of all tools, as JSON, one after the other.
    fn definitions(&self) -> impl Iterator<Item = Value> {
        let code_mode = self.code_mode.iter().flat_map(CodeMode::definitions);
        let search = self.search.iter().flat_map(SearchFace::definitions);
        code_mode.chain(search).chain(self.classic.iter().flat_map(Classic::definitions))
    }

    /// The answer to `tools/list` over a line.
    fn list(&self, is_modern: bool) -> Arc<str> {
        let list = || lossless::list_text(self.definitions(), is_modern, LIST_LIFE_MS);
        Arc::clone(self.lists[usize::from(is_modern)].get_or_init(list))
    }
}

impl ServerHandler for Face {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        config.server_info = Implementation::new("isolet", env!("CARGO_PKG_VERSION"));
        config.instructions = match self.mode {
            Mode::Classic => None,
            Mode::Search => Some(SearchFace::INSTRUCTIONS.to_owned()),
            Mode::Code | Mode::Both => Some(CodeMode::INSTRUCTIONS.to_owned()),
        };
        config
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        // Some clients write `""` for none.
        if request.is_some_and(|request| request.cursor.is_some_and(|cursor| !cursor.is_empty())) {
            return Err(ErrorData::invalid_params("the list has one page: ask without a cursor", None));
        }
        let tools = self.tools(&context).await?;
        let list =
            |tools| ListToolsResult::with_all_items(tools).with_ttl_ms(LIST_LIFE_MS).with_cache_scope(CacheScope::Private);
        if let Some(answer) = Answer::of(&context) {
            answer.say(Said::Result(tools.list(is_modern(&context))));
            return Ok(list(Vec::new()));
        }
        let typed = tools.definitions().filter_map(|definition| {
            let tool = serde_json::from_value::<Tool>(definition);
            tool.inspect_err(|_| tracing::debug!("a definition is not one of the protocol: it is listed over lines only")).ok()
        });
        Ok(list(typed.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tools = self.tools(&context).await?;
        let arguments = match context.extensions.get() {
            Some(RawArguments(arguments)) => Cow::Borrowed(arguments.get()),
            None => Cow::Owned(Value::Object(request.arguments.unwrap_or_default()).to_string()),
        };
        if let Some(code_mode) = &tools.code_mode
            && let Some(result) = code_mode.call(&request.name, &arguments, &context).await
        {
            return result;
        }
        if let Some(search) = &tools.search {
            return search.call(&request.name, &arguments, &context).await;
        }
        if let Some(classic) = tools.classic.as_ref().filter(|classic| classic.has(&request.name)) {
            return classic.call(&request.name, &arguments, &context).await;
        }
        let program = tools.code_mode.as_ref().and_then(|code_mode| code_mode.program_for(&request.name, &arguments));
        program.map(Into::into).ok_or_else(|| unknown_tool(&request.name))
    }
}
