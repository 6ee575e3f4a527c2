//! An MCP server over HTTP that says what it is told, with sessions or without: one that can end, forget its sessions and begin again at the same address.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use isolet_http::{Ending, ServerLimits};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// One call of so many is answered as a stream of events.
const STREAMED_OF: usize = 3;
/// Longer than a soak: nothing is closed while its client is about to use it.
const LONG: Duration = Duration::from_secs(24 * 3600);

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// `initialize`, and a session.
    Sessions,
    /// `server/discover`, and messages that stand by themselves.
    Stateless,
}

/// The server; it ends when it is dropped.
pub(super) struct EchoServer {
    address: SocketAddr,
    era: Era,
    calls: Arc<AtomicUsize>,
    life: Life,
}

/// From one beginning to its end.
struct Life {
    ending: Ending,
    served: JoinHandle<()>,
}

struct Served {
    era: Era,
    sessions: Mutex<HashSet<String>>,
    /// How often a call has arrived, in all of its lives.
    calls: Arc<AtomicUsize>,
}

impl EchoServer {
    pub(super) fn start(era: Era) -> Result<Self> {
        let calls = Arc::<AtomicUsize>::default();
        let (address, life) = live("127.0.0.1:0".parse()?, era, &calls)?;
        Ok(Self { address, era, calls, life })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// How often a call has arrived.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Ends, is not there for so long, and begins again without its sessions.
    pub(super) async fn die(&mut self, gone: Duration) -> Result<()> {
        self.life.ending.begin();
        (&mut self.life.served).await?;
        tokio::time::sleep(gone).await;
        (_, self.life) = live(self.address, self.era, &self.calls)?;
        Ok(())
    }
}

impl Drop for EchoServer {
    fn drop(&mut self) {
        self.life.served.abort();
    }
}

fn live(address: SocketAddr, era: Era, calls: &Arc<AtomicUsize>) -> Result<(SocketAddr, Life)> {
    let listener = isolet_http::listen(address)?;
    let address = listener.local_addr()?;
    let served = Arc::new(Served { era, sessions: Mutex::default(), calls: Arc::clone(calls) });
    // There is nothing to be heard at GET, so that it is answered 405.
    let router = Router::new().route("/mcp", post(said).delete(ended)).with_state(served);
    let mut limits = ServerLimits::default();
    (limits.head_max, limits.connection_age_max, limits.shutdown_max) = (LONG, LONG, Duration::ZERO);
    let ending = Ending::default();
    let served = tokio::spawn(isolet_http::serve(listener, router, limits, ending.clone()));
    Ok((address, Life { ending, served }))
}

async fn ended(State(served): State<Arc<Served>>, headers: HeaderMap) -> StatusCode {
    let is_there = session_of(&headers).is_some_and(|session| served.sessions().remove(session));
    if is_there { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

async fn said(State(served): State<Arc<Served>>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(message) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let Some(id) = message.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let method = message["method"].as_str().unwrap_or_default();
    let result = |result: Value| json!({ "jsonrpc": "2.0", "id": id, "result": result });
    let whole = |message: Value| ([(header::CONTENT_TYPE, "application/json")], message.to_string()).into_response();
    match (method, served.era) {
        ("initialize", Era::Sessions) => {
            let begun = result(json!({
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "echo", "version": "1" },
            }));
            ([("mcp-session-id", served.begin())], whole(begun)).into_response()
        }
        ("initialize", Era::Stateless) => {
            let error = json!({ "code": -32022, "message": "unsupported", "data": { "supported": ["2026-07-28"] } });
            (StatusCode::BAD_REQUEST, whole(json!({ "jsonrpc": "2.0", "id": id, "error": error }))).into_response()
        }
        ("server/discover", Era::Stateless) => {
            whole(result(json!({ "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} } })))
        }
        (_, Era::Sessions) if !session_of(&headers).is_some_and(|session| served.sessions().contains(session)) => {
            StatusCode::NOT_FOUND.into_response()
        }
        ("tools/list", _) => whole(result(json!({ "tools": [{ "name": "echo", "inputSchema": { "type": "object" } }] }))),
        ("tools/call", _) => {
            let number = served.calls.fetch_add(1, Ordering::Relaxed);
            let answer = result(json!({ "content": [], "structuredContent": message["params"]["arguments"] }));
            if number % STREAMED_OF > 0 {
                return whole(answer);
            }
            ([(header::CONTENT_TYPE, "text/event-stream")], format!("data: {answer}\n\n")).into_response()
        }
        _ => {
            let error = json!({ "code": -32601, "message": "no such method" });
            whole(json!({ "jsonrpc": "2.0", "id": id, "error": error }))
        }
    }
}

fn session_of(headers: &HeaderMap) -> Option<&str> {
    headers.get("mcp-session-id")?.to_str().ok()
}

impl Served {
    /// A session begins; its id.
    fn begin(&self) -> String {
        let id = format!("{:032x}", fastrand::u128(..));
        self.sessions().insert(id.clone());
        id
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
