//! One connection to one MCP server: handshake, list, calls, end. Each with a deadline.
//!
//! **Both protocol eras.** `initialize` first: of the servers in use nearly all know it, those of the era without it answer it with an error at once, and
//! older servers end or stay silent when they are sent `server/discover` first. It offers the newest version that has `initialize`; a server that
//! *refuses* is started again, with the newest of the versions that it says it knows, and at last with `server/discover` (2026-07-28). What it
//! took is remembered by [`super::upstreams::Upstreams`] for the next start.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use isolet_bindings::Listener;
use isolet_outbound::Outbound;
use isolet_rpc::envelope::object;
use rmcp::Peer;
use rmcp::model::{ClientRequest, ProtocolVersion, RequestId};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt as _, PeerRequestOptions, RequestHandle, RoleClient, RunningService, ServiceError,
};
use rmcp::transport::streamable_http_client::StreamableHttpError;
use serde_json::value::RawValue;
use tokio::sync::{Notify, Semaphore};

use super::asking::Guarded;
use super::client_capabilities;
use super::credential_source::Credentials;
use super::credential_supply::CredentialSupply;
use super::error::{Stage, UpstreamError};
use super::far_end::FarEnd;
use super::handshake::{self, Client, Unopened};
use super::http_fault::HttpFault;
use super::http_transport;
use super::list::List;
use super::opening::Opening;
use super::request_params::{self, Members};
use super::rounds;
use super::server_answer::raw_result;
use super::server_configuration::{CommandServer, HttpServer};
use super::server_offers::{self, Kept, ServerOffers};
use super::server_process::ServerProcess;
use super::tool_list::{Page, ToolList};
use super::watches::Watches;
use super::wire::Wire;
use crate::host::asked_time;

/// Requests to one server that are under way; one more waits.
const REQUESTS_MAX: usize = 1024;

/// The pages of one `tools/list`. A server that has more leads nowhere: ten tools a page are all that a catalog takes.
const PAGES_MAX: usize = 1000;

/// The longest cursor, bytes: all of a list are kept while it is read.
const CURSOR_BYTES_MAX: usize = 16 << 10;

/// The maxima of a connection; see [`super::upstreams::UpstreamOptions`], which explains them.
#[derive(Clone, Debug)]
pub(super) struct ConnectionLimits {
    pub(super) start_max: Duration,
    pub(super) list_max: Duration,
    pub(super) call_max: Duration,
    pub(super) message_bytes_max: usize,
    pub(super) list_bytes_max: usize,
    pub(super) supervisor: Option<PathBuf>,
    pub(super) environment: Vec<String>,
}

/// What a connection is made to.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    /// A command that is started, with these credentials.
    Command(&'a CommandServer, &'a Credentials),
    /// An address that is called.
    Http(&'a HttpServer, &'a Outbound),
}

/// A server that runs and has shaken hands.
pub(super) struct Connection {
    server: String,
    opening: Opening,
    service: tokio::sync::Mutex<Option<RunningService<RoleClient, Client>>>,
    peer: Peer<RoleClient>,
    far_end: FarEnd,
    changed: Arc<Notify>,
    /// How often the server has said that its resources or prompts have changed.
    offer_changes: Arc<AtomicU64>,
    watches: Arc<Watches>,
    /// Held while a subscription begins or ends, so that the server hears of both in their order.
    subscribing: tokio::sync::Mutex<()>,
    offers: ServerOffers,
    places: Semaphore,
    limits: ConnectionLimits,
}

/// A request whose answer nobody waits for any more is cancelled at the server.
struct CancelOnDrop<'a> {
    handle: Option<RequestHandle<RoleClient>>,
    far_end: &'a FarEnd,
    id: i64,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        // Over a pipe the notification that follows asks about it.
        if let Some(line) = self.far_end.http() {
            line.forget(self.id);
        }
        if let (Some(handle), Ok(runtime)) = (self.handle.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(handle.cancel(Some("no longer needed".to_owned())));
        }
    }
}

impl Connection {
    /// Starts or calls `target` as `server` and shakes hands; `known`: what the server took last time, if it is known.
    ///
    /// `supply`: what it is sent, and knows what it was sent.
    pub(super) async fn open(
        server: &str,
        target: Target<'_>,
        supply: &Arc<CredentialSupply>,
        known: Option<Opening>,
        limits: &ConnectionLimits,
    ) -> Result<Self, UpstreamError> {
        let mut opening = known.unwrap_or(Opening::FIRST);
        let mut tried: Vec<Opening> = Vec::new();
        let mut first_refusal = None;
        loop {
            let Unopened { error, supported } = match Self::open_with(server, target, supply, &opening, limits).await {
                Ok(connection) => return Ok(connection),
                Err(unopened) => unopened,
            };
            let is_refusal = match &error {
                UpstreamError::Refused { .. } => true,
                // Over HTTP a server may refuse what it does not know without a word of the protocol.
                UpstreamError::Status { status, .. } => matches!(status, 400 | 404..=406 | 415 | 422),
                _ => false,
            };
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
        target: Target<'_>,
        supply: &Arc<CredentialSupply>,
        opening: &Opening,
        limits: &ConnectionLimits,
    ) -> Result<Self, Unopened> {
        let (version, lifecycle) = match opening {
            Opening::Initialize(version) => (version.clone(), ClientLifecycleMode::Initialize),
            Opening::Discover => {
                let version = ProtocolVersion::V_2026_07_28;
                (version.clone(), ClientLifecycleMode::Discover { preferred_versions: vec![version] })
            }
        };
        let asks = match target {
            Target::Command(command, _) => command.asks.clone(),
            Target::Http(http, _) => http.asks.clone(),
        };
        let client = Client { version, asks };
        let time_max = limits.start_max;
        let (far_end, changed, offer_changes, watches, handshake) = match target {
            Target::Command(command, credentials) => {
                let (process, (output, input)) = ServerProcess::start(
                    server,
                    (command, credentials),
                    supply.sent(),
                    limits.supervisor.as_deref(),
                    &limits.environment,
                )?;
                let wire = Wire::new(server, output, input, limits.message_bytes_max, limits.call_max);
                let wire = wire.having_sent(supply.sent(), &command.asks);
                let (faults, changed, offer_changes) = (wire.faults(), wire.changed(), wire.offer_changes());
                let watches = wire.watches();
                let handshake = tokio::time::timeout(time_max, client.serve_with_lifecycle(wire, lifecycle)).await;
                (FarEnd::Process { process, faults }, changed, offer_changes, watches, handshake)
            }
            Target::Http(http, outbound) => {
                let (line, transport) = http_transport::open(server, http, outbound, supply, limits.message_bytes_max)?;
                let (changed, offer_changes) = (Arc::clone(&line.border.changed), Arc::clone(&line.border.offer_changes));
                let watches = Arc::clone(&line.border.watches);
                let handshake = tokio::time::timeout(time_max, client.serve_with_lifecycle(transport, lifecycle)).await;
                (FarEnd::Http(line), changed, offer_changes, watches, handshake)
            }
        };
        let service = match handshake {
            Ok(Ok(service)) => service,
            failed => {
                let unopened = match failed {
                    Ok(Err(error)) => handshake::unopened(server, error, &far_end, limits.message_bytes_max).await,
                    _ => far_end.silent(server, Stage::Handshake, time_max).into(),
                };
                // Its input is closed by now. When the failure is known, the process is gone: another start never meets it.
                far_end.gone().await;
                return Err(unopened);
            }
        };
        let peer = service.peer().clone();
        Ok(Self {
            server: server.to_owned(),
            opening: opening.clone(),
            service: tokio::sync::Mutex::new(Some(service)),
            peer,
            far_end,
            changed,
            offer_changes,
            watches,
            subscribing: tokio::sync::Mutex::default(),
            offers: ServerOffers::default(),
            places: Semaphore::new(REQUESTS_MAX),
            limits: limits.clone(),
        })
    }

    /// How the conversation was opened.
    pub(super) fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Whether each message stands by itself.
    pub(super) fn is_modern(&self) -> bool {
        self.opening == Opening::Discover
    }

    /// Who is told when a resource has changed.
    pub(super) fn watches(&self) -> &Arc<Watches> {
        &self.watches
    }

    /// Held while a subscription begins or ends.
    pub(super) fn subscribing(&self) -> &tokio::sync::Mutex<()> {
        &self.subscribing
    }

    /// Why the server was ended for what it did, if it was.
    pub(super) fn fault(&self) -> Option<UpstreamError> {
        self.far_end.faults().flooding().map(|what| UpstreamError::Flooding { server: self.server.clone(), what })
    }

    /// Whether the line is down: no call can succeed any more.
    pub(super) fn is_closed(&self) -> bool {
        self.peer.is_transport_closed() || self.far_end.is_lost()
    }

    /// Waits until the server says that its tools have changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Waits until nothing of the server is left.
    pub(super) async fn ended(&self) {
        self.far_end.ended().await;
    }

    /// All pages of the server's `tools/list`. A server without tools lists none.
    pub(super) async fn list(&self) -> Result<ToolList, UpstreamError> {
        let mut list = ToolList::default();
        let take = |page: &str, last: Option<&str>| {
            let page: Page<'_> = object(page).map_err(|_| self.not_mcp(Stage::List))?;
            let next = page.next_cursor().map(|cursor| cursor.get().to_owned());
            // The cursor that led here leads here again: the same page, and no further.
            if next.is_none() || next.as_deref() != last || !list.ends_with(&page) {
                list.add(&page);
            }
            if list.bytes() > self.limits.list_bytes_max {
                return Err(UpstreamError::LongList { server: self.server.clone(), bytes_max: self.limits.list_bytes_max });
            }
            Ok(next)
        };
        self.pages("tools/list", take).await?;
        Ok(list)
    }

    /// What the server lists beside tools, the text of an array; nothing, if it has none of that kind. Asked for once, until it has changed or a minute has
    /// passed.
    pub(super) async fn offered(&self, list: List) -> Result<Arc<str>, UpstreamError> {
        let declared = self.peer.peer_info();
        let has_any = declared.is_some_and(|info| match list {
            List::Resources | List::Templates => info.capabilities.resources.is_some(),
            List::Prompts => info.capabilities.prompts.is_some(),
        });
        if !has_any {
            return Ok("[]".into());
        }
        let mut kept = self.offers.place(list).lock().await;
        let changes = self.offer_changes.load(Ordering::SeqCst);
        if let Some(fresh) = kept.as_ref().and_then(|kept| kept.fresh(changes)) {
            return Ok(fresh);
        }
        let mut elements = String::new();
        let take = |page: &str, last: Option<&str>| {
            let page = server_offers::Page::read(page).ok_or_else(|| self.not_mcp(Stage::List))?;
            let next = page.next_cursor();
            // The cursor that led here leads here again: no further.
            let is_new = next.is_none() || next.as_deref() != last;
            let has_room = !is_new || page.add_to(list, &mut elements);
            Ok(next.filter(|_| has_room))
        };
        self.pages(list.method(), take).await?;
        let text: Arc<str> = format!("[{elements}]").into();
        *kept = Some(Kept::new(Arc::clone(&text), changes));
        Ok(text)
    }

    /// Asks for the pages of a list. `take` has each, with the cursor that led there, and gives that of the next. A server that does not know `method`
    /// has none.
    async fn pages(
        &self,
        method: &'static str,
        mut take: impl FnMut(&str, Option<&str>) -> Result<Option<String>, UpstreamError> + Send,
    ) -> Result<(), UpstreamError> {
        let pages = async {
            let mut cursors: Vec<String> = Vec::new();
            for _ in 0..PAGES_MAX {
                let cursor = cursors.last().cloned().map(RawValue::from_string).and_then(Result::ok);
                let params = Arc::new(cursor.map_or_else(Members::default, |cursor| Members::default().with("cursor", cursor)));
                let page = match self.request(method, &params, Stage::List).await {
                    Err(UpstreamError::Refused { code: -32601, .. }) => return Ok(()),
                    page => page?,
                };
                match take(&page, cursors.last().map(String::as_str))? {
                    Some(next) if next.len() > CURSOR_BYTES_MAX => return Err(self.not_mcp(Stage::List)),
                    Some(next) if !cursors.contains(&next) => cursors.push(next),
                    _ => return Ok(()),
                }
            }
            Err(UpstreamError::Endless { server: self.server.clone(), pages_max: PAGES_MAX })
        };
        match tokio::time::timeout(self.limits.list_max, pages).await {
            Ok(done) => done,
            Err(_) => Err(self.far_end.silent(&self.server, Stage::List, self.limits.list_max)),
        }
    }

    /// Calls `tool` with `arguments`, a JSON object; the JSON text of its result. Dropping the future cancels the call at the server, or takes it
    /// back where the server has seen nothing of it; either way nothing of the arguments is kept. `listener` hears what the server says meanwhile.
    pub(super) async fn call(
        &self,
        tool: &str,
        arguments: Arc<RawValue>,
        listener: Listener,
        guarded: &Guarded,
    ) -> Result<String, UpstreamError> {
        let params = Members::default().with_text("name", tool).with("arguments", arguments).heard_by(listener);
        self.ask_with("tools/call", params, guarded).await
    }

    /// Asks for something that takes as long as a call may, in which the server can ask whom `guarded` lets it; the JSON text of the result. The time of
    /// its questions does not count.
    pub(super) async fn ask_with(
        &self,
        method: &'static str,
        params: Members,
        guarded: &Guarded,
    ) -> Result<String, UpstreamError> {
        let asker = guarded.asker();
        let kinds = guarded.kinds();
        let params = params.of_client(client_capabilities::text(&kinds)).asking(asker.clone(), kinds);
        let rounds = rounds::finished(&asker, params, |params| async move { self.request(method, &params, Stage::Call).await });
        match asked_time::within(&asker, self.limits.call_max, rounds).await {
            Some(result) => result,
            None => Err(self.far_end.silent(&self.server, Stage::Call, self.limits.call_max)),
        }
    }

    /// Asks for something that takes as long as a call may; the JSON text of the result.
    pub(super) async fn ask(&self, method: &'static str, params: Members) -> Result<String, UpstreamError> {
        let params = Arc::new(params);
        match tokio::time::timeout(self.limits.call_max, self.request(method, &params, Stage::Call)).await {
            Ok(result) => result,
            Err(_) => Err(self.far_end.silent(&self.server, Stage::Call, self.limits.call_max)),
        }
    }

    /// Asks for something that goes on until the server ends it, or this is dropped.
    pub(super) async fn ask_without_end(&self, method: &'static str, params: Members) -> Result<String, UpstreamError> {
        self.request(method, &Arc::new(params), Stage::Call).await
    }

    /// Waits until no call can succeed any more; why.
    pub(super) async fn lost(&self) -> UpstreamError {
        tokio::select! {
            () = self.far_end.lost() => {}
            () = self.far_end.ended() => {}
        }
        self.broken_off(Stage::Call).await
    }

    /// Ends the server, and waits until nothing of it is left.
    pub(super) async fn close(&self) {
        if let Some(service) = self.service.lock().await.take() {
            let _ = service.cancel().await;
        }
        self.far_end.close(&self.server).await;
    }

    /// Sends a request; the JSON text of its result.
    async fn request(&self, method: &'static str, params: &Arc<Members>, stage: Stage) -> Result<String, UpstreamError> {
        // Never closed, so there always is a place in the end.
        let _place = self.places.acquire().await;
        let request: ClientRequest = request_params::request(method, params);
        let sent = self.peer.send_request_with_option(request, PeerRequestOptions::no_options()).await;
        let Ok(handle) = sent else { return Err(self.broken_off(stage).await) };
        let RequestId::Number(id) = handle.id else { return Err(self.not_mcp(stage)) };
        let mut pending = CancelOnDrop { handle: Some(handle), far_end: &self.far_end, id };
        let answer = match &mut pending.handle {
            Some(handle) => tokio::select! {
                answer = &mut handle.rx => answer.unwrap_or(Err(ServiceError::TransportClosed)),
                () = self.far_end.lost() => Err(ServiceError::TransportClosed),
            },
            None => Err(ServiceError::TransportClosed),
        };
        pending.handle = None;
        match answer {
            Ok(result) => raw_result(result).ok_or_else(|| self.not_mcp(stage)),
            Err(error) => Err(self.request_error(error, id, stage).await),
        }
    }

    async fn request_error(&self, error: ServiceError, id: i64, stage: Stage) -> UpstreamError {
        let error = self.error_of(error, id, stage).await;
        if self.opening.is_over_by(&error)
            && let Some(line) = self.far_end.http()
        {
            // The next call opens another conversation, as the server wants it now.
            line.lost().cancel();
        }
        error
    }

    async fn error_of(&self, error: ServiceError, id: i64, stage: Stage) -> UpstreamError {
        match (error, self.far_end.http()) {
            (ServiceError::McpError(error), line) => match line.and_then(|line| line.fault_of_unanswered(id)) {
                Some(fault) => self.http_error(fault, stage),
                None => UpstreamError::Refused {
                    server: self.server.clone(),
                    stage,
                    code: error.code.0,
                    message: error.message.to_string(),
                },
            },
            (ServiceError::UnexpectedResponse, _) => self.not_mcp(stage),
            (ServiceError::TransportSend(error), Some(line)) => {
                match error.error.downcast_ref::<StreamableHttpError<HttpFault>>() {
                    Some(StreamableHttpError::Client(fault)) => self.http_error(fault.clone(), stage),
                    // Another session can be had by a connection of its own alone.
                    Some(StreamableHttpError::SessionExpired | StreamableHttpError::ReinitializationFailed(_)) => {
                        line.lost().cancel();
                        self.http_error(HttpFault::Status { status: 404, words: String::new() }, stage)
                    }
                    _ => self.http_error(HttpFault::BrokenOff, stage),
                }
            }
            _ => self.broken_off(stage).await,
        }
    }

    fn http_error(&self, fault: HttpFault, stage: Stage) -> UpstreamError {
        fault.of(&self.server, stage, self.limits.message_bytes_max, self.far_end.faults().rubbish())
    }

    async fn broken_off(&self, stage: Stage) -> UpstreamError {
        self.far_end.broken_off(&self.server, stage, self.limits.message_bytes_max).await
    }

    fn not_mcp(&self, stage: Stage) -> UpstreamError {
        UpstreamError::NotMcp { server: self.server.clone(), stage, rubbish: self.far_end.faults().rubbish() }
    }
}
