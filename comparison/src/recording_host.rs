//! A tool host that keeps what was called with which arguments, so that the same calls can be made the classic way.

use std::sync::{Arc, Mutex, PoisonError};

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
}

/// The calls of a session in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct Recording(Arc<Mutex<Vec<Recorded>>>);

impl Recording {
    /// All calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin(&self, call: &ToolCall) -> usize {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(Recorded {
            path: call.path.clone(),
            tool: call.tool.clone(),
            arguments: call.arguments.as_map().clone(),
            is_answered: false,
        });
        calls.len() - 1
    }

    fn answer(&self, place: usize) {
        if let Some(call) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
            call.is_answered = true;
        }
    }
}

/// Calls the tools of another host, and keeps the calls.
#[derive(Debug)]
pub struct RecordingHost<Host> {
    host: Host,
    recording: Recording,
}

impl<Host: ToolHost> RecordingHost<Host> {
    /// Calls `host`, and keeps the calls in `recording`.
    pub fn new(host: Host, recording: Recording) -> Self {
        Self { host, recording }
    }
}

impl<Host: ToolHost> ToolHost for RecordingHost<Host> {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        let place = self.recording.begin(&call);
        let reply = self.host.call(call).await?;
        self.recording.answer(place);
        Ok(reply)
    }
}
