//! What is known of the conversation with one HTTP server: its requests under way, its session, what went wrong, and what of it is let in.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use isolet_bindings::{AskKind, visible};
use isolet_outbound::header::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::border::Border;
use super::flood::FloodGate;
use super::http_fault::HttpFault;
use super::sent::Sent;

/// Answers to requests of a server that are under way. One that lets more wait asks only to be answered.
const ANSWERS_WAITING_MAX: usize = 64;

/// How often a stream is opened again in a second, and how often at once: a server says itself how soon, and may say "now".
const STREAMS_PER_SECOND: NonZeroU32 = NonZeroU32::new(2).expect("not zero");
const STREAMS_AT_ONCE: NonZeroU32 = NonZeroU32::new(32).expect("not zero");

/// The conversation with one server.
pub(super) struct HttpLine {
    server: String,
    pub(super) bytes_max: usize,
    pub(super) border: Border,
    pub(super) gate: tokio::sync::Mutex<FloodGate>,
    pub(super) streams: DefaultDirectRateLimiter,
    answers: Arc<Semaphore>,
    /// Cancelled when no call can succeed any more.
    lost: CancellationToken,
    headers: Mutex<HeaderMap>,
    faults: Mutex<HashMap<i64, HttpFault>>,
    last_fault: Mutex<Option<HttpFault>>,
}

impl HttpLine {
    /// The conversation with `server`, of whose answers one has at most `bytes_max` bytes, and which was sent this and told that it can ask for that.
    pub(super) fn new(server: &str, sent: &Arc<Sent>, asks: &BTreeSet<AskKind>, bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            server: server.to_owned(),
            bytes_max,
            border: Border::of(Arc::clone(sent), asks),
            gate: tokio::sync::Mutex::new(FloodGate::new()),
            streams: RateLimiter::direct(Quota::per_second(STREAMS_PER_SECOND).allow_burst(STREAMS_AT_ONCE)),
            answers: Arc::new(Semaphore::new(ANSWERS_WAITING_MAX)),
            lost: CancellationToken::new(),
            headers: Mutex::default(),
            faults: Mutex::default(),
            last_fault: Mutex::default(),
        })
    }

    /// Cancelled when no call can succeed any more.
    pub(super) fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// The header fields of the last message: those of the session.
    pub(super) fn session_headers(&self) -> HeaderMap {
        lock(&self.headers).clone()
    }

    pub(super) fn keep_session_headers(&self, headers: &HeaderMap) {
        lock(&self.headers).clone_from(headers);
    }

    /// Notes why the request `id` (or a stream, or the handshake) failed.
    pub(super) fn note(&self, id: Option<i64>, fault: &HttpFault) {
        // Those whose answer nobody waits for are not pending any more: nobody would ask.
        if let Some(id) = id.filter(|id| self.border.pending.has(*id)) {
            lock(&self.faults).insert(id, fault.clone());
        }
        *lock(&self.last_fault) = Some(fault.clone());
    }

    /// Why the request `id` has no answer, if it has none: only rmcp says so then.
    pub(super) fn fault_of_unanswered(&self, id: i64) -> Option<HttpFault> {
        let fault = lock(&self.faults).remove(&id);
        self.border.pending.take(id).map(|_| fault.unwrap_or(HttpFault::BrokenOff))
    }

    /// What went wrong last.
    pub(super) fn last_fault(&self) -> Option<HttpFault> {
        lock(&self.last_fault).clone()
    }

    /// Forgets the request `id`.
    pub(super) fn forget(&self, id: i64) {
        self.border.pending.take(id);
        lock(&self.faults).remove(&id);
    }

    /// The right to answer a request of the server, if it is within their rate. Else the conversation ends.
    pub(super) async fn admit_request(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.answers).try_acquire_owned().ok();
        if place.is_some() && self.gate.lock().await.admits_request() {
            return place;
        }
        self.end_for("requests");
        None
    }

    fn end_for(&self, what: &'static str) {
        if self.border.faults.note_flooding(what) {
            tracing::warn!(server = %visible::line(&self.server), "an MCP server is left: it floods its line with {what}");
        }
        self.lost.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use isolet_outbound::secrets_of;

    use super::*;

    #[test]
    fn nothing_that_goes_out_is_quoted() {
        let secrets = ["Bearer canary-1", "canary-2", "x"].iter().flat_map(|value| secrets_of("x-key", value)).collect();
        let line = HttpLine::new("s", &Sent::of(secrets), &BTreeSet::new(), 100);
        let words = line.border.faults.words("  <p>canary-1 is not Bearer canary-1, canary-2 x");
        assert_eq!(words, "<p>[configured value] is not [configured value], [configured value] x");
    }

    #[test]
    fn nothing_is_kept_of_what_nobody_asks_about() {
        let line = HttpLine::new("s", &Arc::default(), &BTreeSet::new(), 100);
        line.note(Some(7), &HttpFault::TooLarge);
        assert!(line.faults.lock().is_ok_and(|faults| faults.is_empty()));
        assert!(matches!(line.last_fault(), Some(HttpFault::TooLarge)));
        line.border.pending.add(8, crate::mcp::pending::Asked::Other);
        line.note(Some(8), &HttpFault::NotMcp);
        assert!(matches!(line.fault_of_unanswered(8), Some(HttpFault::NotMcp)));
        assert!(line.fault_of_unanswered(8).is_none());
    }
}
