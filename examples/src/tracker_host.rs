//! One user's view of the tracker, as the tools of a session: the user is the credential.

use std::sync::Arc;

use isolet::{ToolCall, ToolError, ToolHost, ToolReply};
use serde_json::Value;

use crate::tracker::{Reply, Tracker};

/// Calls the tracker as one user.
pub struct TrackerHost {
    tracker: Arc<Tracker>,
    user: String,
}

impl TrackerHost {
    /// The tracker for `user`, by login.
    #[must_use]
    pub fn new(tracker: Arc<Tracker>, user: impl Into<String>) -> Self {
        Self { tracker, user: user.into() }
    }
}

impl ToolHost for TrackerHost {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        match self.tracker.call(&self.user, &call.tool, Value::Object(call.arguments)) {
            Ok(Reply::Structured(value)) => Ok(ToolReply::from(value)),
            Ok(Reply::Text(text)) => Ok(ToolReply::text(text)),
            Err(error) => Err(ToolError::failed(error.to_string())),
        }
    }
}
