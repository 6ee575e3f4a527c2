//! One connection to one MCP server: handshake, list, calls, end. Each with a deadline.
//!
//! **Both protocol eras.** `initialize` first: of the servers in use nearly all know it, those of the era without it answer it with an error at once, and
//! older servers end or stay silent when they are sent `server/discover` first. It offers the newest version that has `initialize`; a server that
//! *refuses* is started again, with the newest of the versions that it says it knows, and at last with `server/discover` (2026-07-28). What it
//! took is remembered by [`super::upstreams::Upstreams`] for the next start.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use isolet_bindings::visible;
use rmcp::model::{ClientCapabilities, ClientConfig, ClientRequest, ErrorData, Implementation, ProtocolVersion};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _, PeerRequestOptions, RequestHandle, RoleClient,
    RunningService, ServiceError,
};
use rmcp::{ClientHandler, Peer};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{Notify, Semaphore};

use super::configuration::ServerConfiguration;
use super::envelope::object;
use super::error::{Stage, UpstreamError};
use super::faults::Faults;
use super::request_params::{self, Members};
use super::server_answer::raw_result;
use super::server_process::ServerProcess;
use super::supervisor::END_MAX;
use super::tool_list::{Page, ToolList};
use super::wire::Wire;

/// Requests to one server that are under way; one more waits.
const REQUESTS_MAX: usize = 1024;

/// The pages of one `tools/list`. A server that has more leads nowhere: ten tools a page are all that a catalog takes.
const PAGES_MAX: usize = 1000;

/// The longest cursor, bytes: all of a list are kept while it is read.
const CURSOR_BYTES_MAX: usize = 16 << 10;

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

/// How a conversation is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// With `initialize`, and this version offered: up to 2025-11-25.
    Initialize(ProtocolVersion),
    /// With `server/discover`, each request by itself: 2026-07-28.
    Discover,
}

impl Opening {
    const FIRST: Self = Self::Initialize(ProtocolVersion::LATEST_WITH_INITIALIZE);

    /// How it is tried again with a server that refused this one, and said that it knows the versions `supported`.
    fn next(&self, supported: &[ProtocolVersion]) -> Option<Self> {
        let Self::Initialize(refused) = self else { return Some(Self::FIRST) };
        let known = ProtocolVersion::KNOWN_VERSIONS.iter().rev();
        let older = known.filter(|version| version.has_initialize() && version.as_str() < refused.as_str());
        let newest = older.into_iter().find(|version| supported.contains(version));
        Some(newest.cloned().map_or(Self::Discover, Self::Initialize))
    }
}

/// A server that runs and has shaken hands.
pub(super) struct Connection {
    server: String,
    opening: Opening,
    service: tokio::sync::Mutex<Option<RunningService<RoleClient, Client>>>,
    peer: Peer<RoleClient>,
    process: ServerProcess,
    faults: Arc<Faults>,
    changed: Arc<Notify>,
    places: Semaphore,
    limits: ConnectionLimits,
}

/// Our side of the conversation, which offers nothing.
#[derive(Debug)]
struct Client {
    version: ProtocolVersion,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let about = Implementation::new("isolet", env!("CARGO_PKG_VERSION"));
        let mut config = ClientConfig::new(ClientCapabilities::default(), about);
        config.protocol_version = self.version.clone();
        config
    }
}

/// Why a conversation could not be opened, and the versions that the server then said it knows.
struct Unopened {
    error: UpstreamError,
    supported: Vec<ProtocolVersion>,
}

impl From<UpstreamError> for Unopened {
    fn from(error: UpstreamError) -> Self {
        Self { error, supported: Vec::new() }
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
    /// Starts `configuration` as `server` and shakes hands; `known`: what the server took last time, if it is known.
    pub(super) async fn open(
        server: &str,
        configuration: &ServerConfiguration,
        known: Option<Opening>,
        limits: &ConnectionLimits,
    ) -> Result<Self, UpstreamError> {
        let mut opening = known.unwrap_or(Opening::FIRST);
        let mut tried: Vec<Opening> = Vec::new();
        let mut first_refusal = None;
        loop {
            let Unopened { error, supported } = match Self::open_with(server, configuration, &opening, limits).await {
                Ok(connection) => return Ok(connection),
                Err(unopened) => unopened,
            };
            let is_refusal = matches!(error, UpstreamError::Refused { .. });
            // A server that knows none of it is best described by what it said to the first.
            let refusal = first_refusal.unwrap_or(error);
            let next = opening.next(&supported).filter(|next| is_refusal && !tried.contains(next));
            let Some(next) = next else { return Err(refusal) };
            first_refusal = Some(refusal);
            tried.push(std::mem::replace(&mut opening, next));
        }
    }

    async fn open_with(
        server: &str,
        configuration: &ServerConfiguration,
        opening: &Opening,
        limits: &ConnectionLimits,
    ) -> Result<Self, Unopened> {
        let (process, (output, input)) = ServerProcess::start(server, configuration, limits.supervisor.as_deref())?;
        let wire = Wire::new(server, output, input, limits.message_bytes_max, limits.call_max);
        let (faults, changed) = (wire.faults(), wire.changed());
        let (version, lifecycle) = match opening {
            Opening::Initialize(version) => (version.clone(), ClientLifecycleMode::Initialize),
            Opening::Discover => {
                let version = ProtocolVersion::V_2026_07_28;
                (version.clone(), ClientLifecycleMode::Discover { preferred_versions: vec![version] })
            }
        };
        let handshake = Client { version }.serve_with_lifecycle(wire, lifecycle);
        let service = match tokio::time::timeout(limits.start_max, handshake).await {
            Ok(Ok(service)) => service,
            failed => {
                let unopened = match failed {
                    Ok(Err(error)) => handshake_error(server, error, &process, &faults, limits).await,
                    _ => silent(server, Stage::Handshake, limits.start_max, &process, &faults).into(),
                };
                // Its input is closed by now. When the failure is known, the process is gone: another start never meets it.
                process.wait(END_MAX).await;
                return Err(unopened);
            }
        };
        let peer = service.peer().clone();
        Ok(Self {
            server: server.to_owned(),
            opening: opening.clone(),
            service: tokio::sync::Mutex::new(Some(service)),
            peer,
            process,
            faults,
            changed,
            places: Semaphore::new(REQUESTS_MAX),
            limits: limits.clone(),
        })
    }

    /// How the conversation was opened.
    pub(super) fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Why the server was ended for what it did, if it was.
    pub(super) fn fault(&self) -> Option<UpstreamError> {
        flooded(&self.server, &self.faults)
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
        let pages = async {
            let mut list = ToolList::default();
            let mut cursors: Vec<String> = Vec::new();
            for _ in 0..PAGES_MAX {
                let cursor = cursors.last().cloned().map(RawValue::from_string).and_then(Result::ok);
                let params = Arc::new(cursor.map_or_else(Members::default, |cursor| Members::default().with("cursor", cursor)));
                let page = match self.request("tools/list", &params, Stage::List).await {
                    Err(UpstreamError::Refused { code: -32601, .. }) => return Ok(list),
                    page => page?,
                };
                let page: Page<'_> = object(&page).map_err(|_| self.not_mcp(Stage::List))?;
                let next = page.next_cursor().map(|cursor| cursor.get().to_owned());
                if next.as_ref().is_some_and(|next| next.len() > CURSOR_BYTES_MAX) {
                    return Err(self.not_mcp(Stage::List));
                }
                // The cursor that led here leads here again: the same page, and no further.
                if next.is_none() || next.as_ref() != cursors.last() || !list.ends_with(&page) {
                    list.add(&page);
                }
                if list.bytes() > self.limits.list_bytes_max {
                    return Err(UpstreamError::LongList { server: self.server.clone(), bytes_max: self.limits.list_bytes_max });
                }
                match next {
                    Some(next) if !cursors.contains(&next) => cursors.push(next),
                    _ => return Ok(list),
                }
            }
            Err(UpstreamError::Endless { server: self.server.clone(), pages_max: PAGES_MAX })
        };
        match tokio::time::timeout(self.limits.list_max, pages).await {
            Ok(list) => list,
            Err(_) => Err(silent(&self.server, Stage::List, self.limits.list_max, &self.process, &self.faults)),
        }
    }

    /// Calls `tool` with `arguments`, a JSON object; the JSON text of its result. Dropping the future cancels the call at the server, or takes it
    /// back where the server has seen nothing of it; either way nothing of the arguments is kept.
    pub(super) async fn call(&self, tool: &str, arguments: Arc<RawValue>) -> Result<String, UpstreamError> {
        let name = to_raw_value(tool).map_err(|_| self.not_mcp(Stage::Call))?;
        let params = Arc::new(Members::default().with("name", name).with("arguments", arguments));
        let call = self.request("tools/call", &params, Stage::Call);
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
            let server = visible::line(&self.server);
            tracing::warn!(%server, "an MCP server did not end in time: its supervisor is killed");
            self.process.kill();
            self.process.wait(END_MAX).await;
        }
    }

    /// Sends a request; the JSON text of its result.
    async fn request(&self, method: &'static str, params: &Arc<Members>, stage: Stage) -> Result<String, UpstreamError> {
        // Never closed, so there always is a place in the end.
        let _place = self.places.acquire().await;
        let request: ClientRequest = request_params::request(method, params);
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
        UpstreamError::NotMcp { server: self.server.clone(), stage, rubbish: self.faults.rubbish() }
    }
}

fn silent(server: &str, stage: Stage, waited: Duration, process: &ServerProcess, faults: &Faults) -> UpstreamError {
    let rubbish = faults.rubbish();
    UpstreamError::Silent { server: server.to_owned(), stage, waited, rubbish, words: process.last_words() }
}

async fn handshake_error(
    server: &str,
    error: ClientInitializeError,
    process: &ServerProcess,
    faults: &Faults,
    limits: &ConnectionLimits,
) -> Unopened {
    let stage = Stage::Handshake;
    match error {
        ClientInitializeError::JsonRpcError(error) => {
            let supported = supported_versions(&error);
            let (code, message) = (error.code.0, error.message.into_owned());
            Unopened { error: UpstreamError::Refused { server: server.to_owned(), stage, code, message }, supported }
        }
        ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::TransportError { .. } => {
            ended(server, stage, process, faults, limits).await.into()
        }
        _ => UpstreamError::NotMcp { server: server.to_owned(), stage, rubbish: faults.rubbish() }.into(),
    }
}

/// What a server that refuses a version says it knows.
fn supported_versions(error: &ErrorData) -> Vec<ProtocolVersion> {
    let versions = error.data.as_ref().and_then(|data| data.get("supported")?.as_array());
    versions.into_iter().flatten().filter_map(|version| serde_json::from_value(version.clone()).ok()).collect()
}

fn flooded(server: &str, faults: &Faults) -> Option<UpstreamError> {
    faults.flooding().map(|what| UpstreamError::Flooding { server: server.to_owned(), what })
}

/// The line broke off: because a message was too long or there were too many, or because the server ended, and then how.
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
    if let Some(flooded) = flooded(server, faults) {
        return flooded;
    }
    let code = process.wait(OBITUARY_MAX).await.flatten().as_ref().and_then(ExitStatus::code);
    UpstreamError::Ended { server: server.to_owned(), stage, code, words: process.last_words() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_refuses_is_offered_what_it_knows_and_then_the_era_without_versions() {
        let older = Opening::Initialize(ProtocolVersion::V_2025_06_18);
        let supported = [ProtocolVersion::V_2024_11_05, ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2026_07_28];
        assert_eq!(Opening::FIRST, Opening::Initialize(ProtocolVersion::V_2025_11_25));
        assert_eq!(Opening::FIRST.next(&supported), Some(older.clone()));
        assert_eq!(Opening::FIRST.next(&[]), Some(Opening::Discover));
        assert_eq!(older.next(&supported[1..]), Some(Opening::Discover));
        assert_eq!(Opening::Discover.next(&supported), Some(Opening::FIRST));
    }
}
