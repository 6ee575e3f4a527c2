//! One connection to one MCP server: handshake, list, calls, end. Each with a deadline.
//!
//! **Both protocol eras.** `initialize` first: of the servers in use nearly all know it, those of the era without it answer it with an error at once, and
//! older servers end or stay silent when they are sent `server/discover` first. So only a server that *refuses* `initialize` is started again and asked
//! with `server/discover` (2026-07-28); its answer is remembered by [`super::upstreams::Upstreams`] for the next start.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use isolet_bindings::Arguments;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest, Implementation, ListToolsRequest,
    PaginatedRequestParams, ProtocolVersion,
};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _, NotificationContext, PeerRequestOptions, RequestHandle,
    RoleClient, RunningService, ServiceError,
};
use rmcp::{ClientHandler, Peer};
use tokio::sync::Notify;

use super::child::ServerProcess;
use super::configuration::ServerConfiguration;
use super::error::{Stage, UpstreamError};
use super::supervisor::{INPUT_GRACE, TERMINATE_GRACE};
use super::tool_list::{Page, ToolList};
use super::wire::{Faults, Wire, object, raw_result};

/// How long the end of a server is waited for: what its supervisor gives it, and some time to find and kill what is left.
const END_MAX: Duration = INPUT_GRACE.saturating_add(TERMINATE_GRACE).saturating_add(Duration::from_secs(2));

/// How long the process of a lost connection is waited for, to say how it ended.
const OBITUARY_MAX: Duration = Duration::from_secs(2);

/// The maxima of a connection; see [`super::upstreams::UpstreamOptions`], which explains them.
#[derive(Clone, Debug)]
pub(super) struct ConnectionLimits {
    pub(super) start_max: Duration,
    pub(super) list_max: Duration,
    pub(super) call_max: Duration,
    pub(super) message_bytes_max: usize,
    pub(super) list_bytes_max: usize,
    pub(super) supervisor: Option<PathBuf>,
}

/// How a server opens a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// With `initialize`: 2024-11-05 to 2025-11-25.
    Legacy,
    /// With `server/discover`, each request by itself: 2026-07-28.
    Modern,
}

impl Era {
    fn other(self) -> Self {
        match self {
            Self::Legacy => Self::Modern,
            Self::Modern => Self::Legacy,
        }
    }
}

/// A server that runs and has shaken hands.
pub(super) struct Connection {
    server: String,
    era: Era,
    service: tokio::sync::Mutex<Option<RunningService<RoleClient, Client>>>,
    peer: Peer<RoleClient>,
    process: ServerProcess,
    faults: Arc<Faults>,
    changed: Arc<Notify>,
    limits: ConnectionLimits,
}

/// Our side of the conversation: it offers nothing, and listens for one thing.
#[derive(Debug)]
struct Client {
    changed: Arc<Notify>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("isolet", env!("CARGO_PKG_VERSION")))
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }
}

/// A request whose answer nobody waits for any more is cancelled at the server.
struct CancelOnDrop(Option<RequestHandle<RoleClient>>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let (Some(handle), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(handle.cancel(Some("no longer needed".to_owned())));
        }
    }
}

impl Connection {
    /// Starts `configuration` as `server` and shakes hands; `era`: what the server spoke last time, if it is known.
    pub(super) async fn open(
        server: &str,
        configuration: &ServerConfiguration,
        era: Option<Era>,
        limits: &ConnectionLimits,
    ) -> Result<Self, UpstreamError> {
        let first = era.unwrap_or(Era::Legacy);
        match Self::open_in(server, configuration, first, limits).await {
            Err(refusal @ UpstreamError::Refused { .. }) => {
                let second = Self::open_in(server, configuration, first.other(), limits).await;
                // A server that knows neither is best described by what it said to the first.
                second.map_err(|_| refusal)
            }
            opened => opened,
        }
    }

    async fn open_in(
        server: &str,
        configuration: &ServerConfiguration,
        era: Era,
        limits: &ConnectionLimits,
    ) -> Result<Self, UpstreamError> {
        let (process, (output, input)) = ServerProcess::start(server, configuration, limits.supervisor.as_deref())?;
        let wire = Wire::new(output, input, limits.message_bytes_max, limits.call_max);
        let faults = wire.faults();
        let changed = Arc::new(Notify::new());
        let lifecycle = match era {
            Era::Legacy => ClientLifecycleMode::Initialize,
            Era::Modern => ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        };
        let handshake = Client { changed: Arc::clone(&changed) }.serve_with_lifecycle(wire, lifecycle);
        let service = match tokio::time::timeout(limits.start_max, handshake).await {
            Ok(Ok(service)) => service,
            failed => {
                let error = match failed {
                    Ok(Err(error)) => handshake_error(server, error, &process, &faults, limits).await,
                    _ => silent(server, Stage::Handshake, limits.start_max, &process, &faults),
                };
                // Its input is closed by now. When the failure is known, the process is gone: another start never meets it.
                process.wait(END_MAX).await;
                return Err(error);
            }
        };
        let peer = service.peer().clone();
        let service = tokio::sync::Mutex::new(Some(service));
        Ok(Self { server: server.to_owned(), era, service, peer, process, faults, changed, limits: limits.clone() })
    }

    /// How the server opened the conversation.
    pub(super) fn era(&self) -> Era {
        self.era
    }

    /// Whether the line is down: no call can succeed any more.
    pub(super) fn is_closed(&self) -> bool {
        self.peer.is_transport_closed()
    }

    /// Waits until the server says that its tools have changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Waits until nothing of the server is left.
    pub(super) async fn ended(&self) {
        self.process.ended().await;
    }

    /// All pages of the server's `tools/list`. A server without tools lists none.
    pub(super) async fn list(&self) -> Result<ToolList, UpstreamError> {
        let stage = Stage::List;
        let pages = async {
            let mut list = ToolList::default();
            let mut cursor = None;
            loop {
                let params = PaginatedRequestParams::default().with_cursor(cursor.clone());
                let request = ClientRequest::ListToolsRequest(ListToolsRequest::with_param(params));
                let page = match self.request(request, stage).await {
                    Err(UpstreamError::Refused { code: -32601, .. }) => return Ok(list),
                    page => page?,
                };
                let page: Page<'_> = object(&page).map_err(|_| self.not_mcp(stage))?;
                let next = page.next_cursor();
                list.add(&page);
                if list.bytes() > self.limits.list_bytes_max {
                    return Err(UpstreamError::TooLarge { server: self.server.clone(), bytes_max: self.limits.list_bytes_max });
                }
                // An empty page with a new cursor each time would never end, but the deadline does; the same cursor again never leads further.
                if next.is_none() || next == cursor {
                    return Ok(list);
                }
                cursor = next;
            }
        };
        match tokio::time::timeout(self.limits.list_max, pages).await {
            Ok(list) => list,
            Err(_) => Err(silent(&self.server, stage, self.limits.list_max, &self.process, &self.faults)),
        }
    }

    /// Calls `tool`; the JSON text of its result. Dropping the future cancels the call at the server.
    pub(super) async fn call(&self, tool: String, arguments: Arguments) -> Result<String, UpstreamError> {
        let params = CallToolRequestParams::new(tool).with_arguments(arguments.as_map().clone());
        let call = self.request(ClientRequest::CallToolRequest(CallToolRequest::new(params)), Stage::Call);
        match tokio::time::timeout(self.limits.call_max, call).await {
            Ok(result) => result,
            Err(_) => Err(silent(&self.server, Stage::Call, self.limits.call_max, &self.process, &self.faults)),
        }
    }

    /// Ends the server, and waits until nothing of it is left.
    pub(super) async fn close(&self) {
        if let Some(service) = self.service.lock().await.take() {
            let _ = service.cancel().await;
        }
        if self.process.wait(END_MAX).await.is_none() {
            tracing::warn!(server = %self.server, "an MCP server did not end in time");
        }
    }

    /// Sends a request; the JSON text of its result.
    async fn request(&self, request: ClientRequest, stage: Stage) -> Result<String, UpstreamError> {
        let sent = self.peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
        let mut pending = match sent {
            Ok(handle) => CancelOnDrop(Some(handle)),
            Err(error) => return Err(self.request_error(error, stage).await),
        };
        let answer = match &mut pending.0 {
            Some(handle) => (&mut handle.rx).await.unwrap_or(Err(ServiceError::TransportClosed)),
            None => Err(ServiceError::TransportClosed),
        };
        pending.0 = None;
        match answer {
            Ok(result) => raw_result(result).ok_or_else(|| self.not_mcp(stage)),
            Err(error) => Err(self.request_error(error, stage).await),
        }
    }

    async fn request_error(&self, error: ServiceError, stage: Stage) -> UpstreamError {
        match error {
            ServiceError::McpError(error) => UpstreamError::Refused {
                server: self.server.clone(),
                stage,
                code: error.code.0,
                message: error.message.into_owned(),
            },
            ServiceError::UnexpectedResponse => self.not_mcp(stage),
            _ => ended(&self.server, stage, &self.process, &self.faults, &self.limits).await,
        }
    }

    fn not_mcp(&self, stage: Stage) -> UpstreamError {
        UpstreamError::NotMcp {
            server: self.server.clone(),
            stage,
            rubbish: self.faults.rubbish().unwrap_or_default().to_owned(),
        }
    }
}

fn silent(server: &str, stage: Stage, waited: Duration, process: &ServerProcess, faults: &Faults) -> UpstreamError {
    let rubbish = faults.rubbish().unwrap_or_default().to_owned();
    UpstreamError::Silent { server: server.to_owned(), stage, waited, rubbish, words: process.last_words() }
}

async fn handshake_error(
    server: &str,
    error: ClientInitializeError,
    process: &ServerProcess,
    faults: &Faults,
    limits: &ConnectionLimits,
) -> UpstreamError {
    let (server_name, stage) = (server.to_owned(), Stage::Handshake);
    match error {
        ClientInitializeError::JsonRpcError(error) => {
            UpstreamError::Refused { server: server_name, stage, code: error.code.0, message: error.message.into_owned() }
        }
        ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::TransportError { .. } => {
            ended(server, Stage::Handshake, process, faults, limits).await
        }
        _ => UpstreamError::NotMcp { server: server_name, stage, rubbish: faults.rubbish().unwrap_or_default().to_owned() },
    }
}

/// The line broke off: because a message was too long, or because the server ended, and then how.
async fn ended(
    server: &str,
    stage: Stage,
    process: &ServerProcess,
    faults: &Faults,
    limits: &ConnectionLimits,
) -> UpstreamError {
    if faults.is_oversized() {
        return UpstreamError::TooLarge { server: server.to_owned(), bytes_max: limits.message_bytes_max };
    }
    let code = process.wait(OBITUARY_MAX).await.flatten().as_ref().and_then(ExitStatus::code);
    UpstreamError::Ended { server: server.to_owned(), stage, code, words: process.last_words() }
}
