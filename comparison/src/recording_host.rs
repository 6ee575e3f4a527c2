//! A tool host that keeps what was called with which arguments, so that the same calls can be made the classic way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use isolet::{ToolCall, ToolError, ToolHost, ToolReply};
use serde_json::{Map, Value};

/// A call that was made.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What the program wrote: `github.create_issue`.
    pub path: String,
    /// The tool's name, as its server calls it.
    pub tool: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
    /// Whether it was answered with a value.
    pub is_answered: bool,
    /// The calls of one wave were under way at once: none of them began after another one had ended.
    pub wave: usize,
}

/// The calls of a session in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct Recording(Arc<Mutex<Calls>>);

#[derive(Debug, Default)]
struct Calls {
    made: Vec<Recorded>,
    /// The wave that goes on, and whether a call of it has ended.
    wave: usize,
    has_ended: bool,
}

impl Recording {
    /// All calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Recorded> {
        self.lock().made.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, call: &ToolCall) -> usize {
        let mut calls = self.lock();
        if std::mem::take(&mut calls.has_ended) {
            calls.wave += 1;
        }
        let wave = calls.wave;
        calls.made.push(Recorded {
            path: call.path.clone(),
            tool: call.tool.clone(),
            arguments: call.arguments.as_map().clone(),
            is_answered: false,
            wave,
        });
        calls.made.len() - 1
    }

    fn end(&self, place: usize, is_answered: bool) {
        let mut calls = self.lock();
        calls.has_ended = true;
        if let Some(call) = calls.made.get_mut(place) {
            call.is_answered = is_answered;
        }
    }
}

/// Calls the tools of another host, and keeps the calls.
#[derive(Debug)]
pub struct RecordingHost<Host> {
    host: Host,
    recording: Recording,
    delay: Duration,
}

impl<Host: ToolHost> RecordingHost<Host> {
    /// Calls `host`, and keeps the calls in `recording`.
    pub fn new(host: Host, recording: Recording) -> Self {
        Self { host, recording, delay: Duration::ZERO }
    }

    /// The same, with each answer so much later: calls that wait for no other one are then under way at once.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

impl<Host: ToolHost> ToolHost for RecordingHost<Host> {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        let place = self.recording.begin(&call);
        let reply = self.host.call(call).await;
        tokio::time::sleep(self.delay).await;
        self.recording.end(place, reply.is_ok());
        reply
    }
}
